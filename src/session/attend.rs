//! Calling for a person: the bell, the terminal's title and its notifications, and a program of the person's own.
//!
//! Terminals take texts between `ESC ]` and a terminator (xterm's control sequences, "Operating System Commands"): 2 is the
//! title, 9 a notification of iTerm2, 777 one of urxvt. A text that reaches them has no control characters, so that it can
//! end none of them early. tmux and screen swallow what they do not know: they hand on what is wrapped for them (tmux
//! since 3.3 where `allow-passthrough` is on). A bell they take themselves.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::attention::Call;
use crate::link::process::capture::capture;
use crate::model::attention::Notify;
use crate::model::text::clean;

/// What undoes a title: none, for terminals that keep no titles, then the one that was kept (xterm's `CSI 23 ; 2 t`).
pub const UNTITLE: &[u8] = b"\x1b]2;\x1b\\\x1b[23;2t";
/// How long the person's own program may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Bytes that it may print.
const PRINTED: usize = 64 << 10;
/// Bytes of a text.
const TEXT_CAP: usize = 250;

/// What stands between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outer {
    /// Nothing that is known.
    Plain,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// What stands between, as the environment tells: `has` says which variables are set.
pub fn outer(has: impl Fn(&str) -> bool, term: Option<String>) -> Outer {
    match term {
        _ if has("TMUX") => Outer::Tmux,
        // screen sets both; other programs take its TERM without being it.
        Some(term) if has("STY") || term.starts_with("screen") => Outer::Screen,
        _ => Outer::Plain,
    }
}

/// The bytes of a call.
pub fn bytes(call: &Call, outer: Outer) -> Vec<u8> {
    let mut bytes = Vec::new();
    if call.bell {
        bytes.push(7);
    }
    let text = safe(&call.text);
    let notification = match call.notify {
        Notify::Off => return bytes,
        Notify::Osc9 => format!("\x1b]9;{text}\x1b\\"),
        // A third semicolon would end the title.
        Notify::Osc777 => format!("\x1b]777;notify;Quarterdeck;{}\x1b\\", text.replace(';', ",")),
    };
    bytes.extend(wrapped(&notification, outer).into_bytes());
    bytes
}

/// The bytes of a title; `first` keeps the one before. tmux and screen have titles of their own and take it as it is.
pub fn title(title: &str, first: bool) -> Vec<u8> {
    let keep = if first { "\x1b[22;2t" } else { "" };
    format!("{keep}\x1b]2;{}\x1b\\", safe(title)).into_bytes()
}

/// Hands a sequence on through what stands between.
fn wrapped(sequence: &str, outer: Outer) -> String {
    match outer {
        Outer::Plain => sequence.to_owned(),
        Outer::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        // Its own string ends with the first terminator: that of the sequence is a BEL then.
        Outer::Screen => format!("\x1bP{}\x07\x1b\\", sequence.trim_end_matches("\x1b\\")),
    }
}

/// Cleaned once more: it goes to the terminal as it is.
fn safe(text: &str) -> String {
    clean(text, TEXT_CAP).into_owned()
}

/// Runs the person's own program with the text as its last argument, and no shell.
///
/// # Errors
/// One line: why it could not be run, or how it failed.
pub async fn run(call: &Call) -> Result<(), String> {
    let mut argv = call.command.clone();
    argv.push(safe(&call.text));
    let program = clean(&call.command[0], TEXT_CAP);
    let printed = capture(&argv, Instant::now() + LIMIT, PRINTED).await;
    match printed.map_err(|error| format!("the command of [attention], {program}: {error}"))? {
        printed if printed.code == Some(0) => Ok(()),
        printed => {
            let errors = String::from_utf8_lossy(&printed.errors);
            let last = clean(errors.lines().last().unwrap_or_default(), TEXT_CAP).into_owned();
            let code = printed.code.map_or_else(|| "a signal ended it".to_owned(), |code| format!("it exited with {code}"));
            Err(format!("the command of [attention], {program}: {code}: {last}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(notify: Notify, text: &str) -> Call {
        Call { bell: true, notify, command: Vec::new(), text: text.to_owned() }
    }

    fn said(notify: Notify, text: &str, outer: Outer) -> String {
        String::from_utf8(bytes(&call(notify, text), outer)).unwrap()
    }

    #[test]
    fn a_call_is_a_bell_and_the_notification_that_is_wished() {
        assert_eq!(said(Notify::Off, "a", Outer::Plain), "\x07");
        assert_eq!(said(Notify::Osc9, "shop: 1 critical", Outer::Plain), "\x07\x1b]9;shop: 1 critical\x1b\\");
        assert_eq!(said(Notify::Osc777, "a; b", Outer::Plain), "\x07\x1b]777;notify;Quarterdeck;a, b\x1b\\");
    }

    #[test]
    fn tmux_and_screen_hand_it_on() {
        assert_eq!(said(Notify::Osc9, "a", Outer::Tmux), "\x07\x1bPtmux;\x1b\x1b]9;a\x1b\x1b\\\x1b\\");
        assert_eq!(said(Notify::Osc9, "a", Outer::Screen), "\x07\x1bP\x1b]9;a\x07\x1b\\");
        let of = |set: &'static [&'static str], term: &str| outer(|name| set.contains(&name), Some(term.to_owned()));
        assert_eq!(of(&["TMUX"], "screen-256color"), Outer::Tmux);
        assert_eq!(of(&["STY"], "xterm"), Outer::Screen);
        assert_eq!(of(&[], "xterm-256color"), Outer::Plain);
    }

    #[test]
    fn no_text_ends_a_sequence_early_or_begins_another() {
        for hostile in ["a\x07\x1b]52;c;eA==\x07", "a\x1b\\\x1b]0;t\x07", "a\u{9c}\u{9d}2;x\u{9c}", "a\nb\r\x18"] {
            for outer in [Outer::Plain, Outer::Tmux, Outer::Screen] {
                let inside = said(Notify::Osc9, hostile, outer);
                let clean = said(Notify::Osc9, &clean(hostile, 99), outer);
                assert_eq!(inside, clean, "{hostile:?}");
                assert_eq!(inside.matches("]9;").count() + inside.matches("\x1b]").count(), 2, "{inside:?}");
            }
            let title = String::from_utf8(title(hostile, true)).unwrap();
            assert!(title.starts_with("\x1b[22;2t\x1b]2;") && title.matches('\x1b').count() == 3 && !title.contains('\u{9c}'), "{title:?}");
        }
    }

    #[tokio::test]
    async fn the_text_is_one_argument_and_a_failure_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("call");
        std::fs::write(&script, "#!/bin/sh\nprintf '%s|' \"$@\" > \"$0.out\"\n").unwrap();
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("sh")).unwrap();
        let mut of = call(Notify::Off, "shop: `id` $(id); \"x\"");
        of.command = vec!["/bin/sh".into(), script.display().to_string(), "Quarterdeck".into()];
        run(&of).await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("call.out")).unwrap(), "Quarterdeck|shop: `id` $(id); \"x\"|");
        of.command = vec!["/nonexistent/notify".into()];
        assert!(run(&of).await.unwrap_err().starts_with("the command of [attention], /nonexistent/notify: "));
        of.command = vec!["/bin/sh".into(), "-c".into(), "echo FAKE no bus >&2; exit 3".into()];
        assert_eq!(run(&of).await.unwrap_err(), "the command of [attention], /bin/sh: it exited with 3: FAKE no bus");
    }
}
