//! Copying out of the finished binary: into a real tmux, through a real GNU screen to its terminal, and by a selection of
//! the terminal's own; and that the command line which is copied shows what was copied.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::console::{Console, dead_estate};
use crate::servers::have;

/// `tmux` on a socket of its own, below the home.
fn tmux(console: &Console, arguments: &[&str]) -> String {
    let mut command = Command::new("tmux");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8").env("TMUX_TMPDIR", console.home.path());
    let out = command.args(["-L", "own"]).args(arguments).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// The screen with the dead source selected, and what is copied of it.
fn copied(console: &mut Console, said: &str) {
    console.until("the console", |screen| screen.contents().contains("harbour") && screen.contents().contains("unreachable"));
    console.press(b"y");
    console.until("what came of copying", |screen| screen.contents().contains(said) && screen.contents().contains("SOURCE  alerts"));
}

/// The command line at the end of the text, run as it stands there.
fn runs(console: &Console, text: &str) {
    let line = text.lines().last().unwrap();
    assert!(line.starts_with("qd --estate ") && line.contains(" snapshot --pane overview "), "{text}");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_qd")).parent().unwrap().display().to_string();
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).env_clear().env("PATH", format!("{folder}:/usr/bin:/bin"));
    let out = command.env("HOME", console.home.path()).output().unwrap();
    let shown = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success() && shown.contains("harbour") && shown.contains("alerts"), "{line}\n{shown}\n{out:?}");
    assert!(shown.contains("/name:"), "the filter is on: {shown}");
}

#[test]
fn tmux_has_the_text_and_selects_a_long_line_as_one() {
    if !have("tmux_has_the_text_and_selects_a_long_line_as_one", &["tmux"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let run = "TMUX_TMPDIR=\"$HOME\" exec tmux -L own -f /dev/null new-session \"$QD\" --estate \"$ESTATE\"";
    let mut console = Console::over(home, &dead_estate(), &["sh", "-c", run], &[], (80, 24));
    copied(&mut console, "copied (tmux)");
    let text = tmux(&console, &["show-buffer"]);
    assert!(text.starts_with("SOURCE  alerts\n") && text.contains("unreachable"), "{text}");
    runs(&console, &text);

    console.press(b"Y");
    console
        .until("the text alone", |screen| screen.contents().contains("select with the mouse") && !screen.contents().contains("harbour "));
    // What tmux joins are lines that it wrapped itself, as the selection of a terminal does.
    let joined = tmux(&console, &["capture-pane", "-p", "-J"]);
    let shown: Vec<&str> = joined.lines().map(str::trim_end).collect();
    let long: Vec<&str> = text.lines().filter(|line| line.len() > 80 && line.is_ascii()).collect();
    let all_there = shown.iter().any(|line| line.contains("select with the mouse"));
    assert!(all_there, "{joined}");
    for line in text.lines().take(shown.len().saturating_sub(2)) {
        assert!(shown.contains(&line.trim_end()), "{line:?} is not one line of\n{joined}");
    }
    assert!(!long.is_empty(), "a line is longer than the screen is wide\n{text}");
    // To the end, where the command line is.
    console.press(b"G");
    let command = text.lines().last().unwrap().to_owned();
    console.until("the command line", |screen| screen.contents().contains("snapshot"));
    let joined = tmux(&console, &["capture-pane", "-p", "-J"]);
    assert!(joined.lines().any(|line| line.trim_end() == command), "{command}\n{joined}");
    console.press(b"\x1b");
    console.until("the console again, whole", |screen| screen.contents().contains("harbour"));
    console.press(b"qq");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn through_screen_its_terminal_is_asked_to_copy_the_whole_text() {
    if !have("through_screen_its_terminal_is_asked_to_copy_the_whole_text", &["screen"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("rc"), "startup_message off\n").unwrap();
    let run = "mkdir -m 700 \"$HOME/s\"; SCREENDIR=\"$HOME/s\" exec screen -c \"$HOME/rc\" -S own \"$QD\" --estate \"$ESTATE\"";
    let mut console = Console::over(home, &dead_estate(), &["sh", "-c", run], &[], (80, 24));
    copied(&mut console, "asked the terminal to copy");
    console.until_raw("what asks the terminal, whole", |raw| asked(raw).is_some());
    let text = asked(&console.shown.0.lock().unwrap().raw).unwrap();
    assert!(text.starts_with("SOURCE  alerts\n"), "{text}");
    assert!(text.len() > 600, "more than one of screen's strings: {}", text.len());
    runs(&console, &text);
    console.press(b"qq");
    assert_eq!(console.exit_code(), 0);
}

/// The text that a terminal was asked to copy.
fn asked(raw: &[u8]) -> Option<String> {
    let from = raw.windows(7).position(|bytes| bytes == b"\x1b]52;c;")? + 7;
    let end = raw[from..].iter().position(|byte| *byte == 7)?;
    String::from_utf8(STANDARD.decode(&raw[from..from + end]).ok()?).ok()
}
