//! Copies text out of a console that may run far away: through tmux's own buffer, or by asking the terminal. Which it was
//! is told, and what is not known is said: no terminal answers whether it took a text.

use std::ffi::OsString;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use crate::link::process::capture::feed;
use crate::model::preferences::ClipboardChoice;
use crate::model::text::clean;

/// Bytes in base64 that a terminal is asked to copy at the most: what hterm and others take (k9s has the same).
pub const TERMINAL_CAP: usize = 74_994;
/// Bytes of one string that GNU screen passes on to its terminal, with what begins and ends it.
const SCREEN_CAP: usize = 768;
/// How long tmux may take.
const TMUX_LIMIT: Duration = Duration::from_secs(3);
/// Bytes of its error that are told.
const WHY_CAP: usize = 200;

/// What is said of a text that the terminal was asked to copy.
const ASKED: &str = "asked the terminal to copy (OSC 52): some ignore it; Y shows it to select";

/// What to copy with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clipboard {
    choice: ClipboardChoice,
    /// True inside tmux.
    tmux: bool,
    /// True inside GNU screen.
    screen: bool,
}

/// What is done with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// These bytes go to the terminal, and this is said.
    Terminal(Vec<u8>, String),
    /// tmux is given it; how that ended is told.
    Tmux,
    /// Nothing, and why.
    Nothing(String),
}

impl Clipboard {
    /// What a person prefers, in the environment that the console was started in (`TMUX`, `STY`).
    pub fn of(choice: ClipboardChoice, env: impl Fn(&str) -> Option<OsString>) -> Clipboard {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        Clipboard { choice, tmux: set("TMUX"), screen: set("STY") }
    }

    /// What is to be done with that text.
    pub fn way(self, text: &str) -> Way {
        match self.choice {
            ClipboardChoice::Off => Way::Nothing("nothing is copied: clipboard = \"off\"; Y shows it to select".to_owned()),
            ClipboardChoice::Tmux if !self.tmux => Way::Nothing("this is not inside tmux; Y shows it to select".to_owned()),
            ClipboardChoice::Tmux => Way::Tmux,
            ClipboardChoice::Auto if self.tmux => Way::Tmux,
            ClipboardChoice::Auto | ClipboardChoice::Osc52 => self.ask_terminal(text),
        }
    }

    fn ask_terminal(self, text: &str) -> Way {
        let encoded = STANDARD.encode(text);
        if encoded.len() > TERMINAL_CAP {
            return Way::Nothing(format!("not copied: {} bytes are more than terminals take; Y shows it to select", text.len()));
        }
        let asked = format!("\x1b]52;c;{encoded}\x07");
        let bytes = if self.screen { through_screen(asked.as_bytes()) } else { asked.into_bytes() };
        Way::Terminal(bytes, ASKED.to_owned())
    }
}

/// The same bytes for the terminal that GNU screen runs in: in device control strings, which it passes on as they are.
fn through_screen(bytes: &[u8]) -> Vec<u8> {
    let (begin, end) = (b"\x1bP", b"\x1b\\");
    let room = SCREEN_CAP - begin.len() - end.len();
    bytes.chunks(room).flat_map(|chunk| [begin, chunk, end].concat()).collect()
}

/// Gives a text to tmux: to its newest buffer, and (`-w`) to the clipboard of the terminals that it runs in.
pub async fn tmux(text: &str) -> String {
    let argv = ["tmux", "load-buffer", "-w", "-"].map(str::to_owned);
    let why = match feed(&argv, text.as_bytes(), Instant::now() + TMUX_LIMIT, 1 << 16).await {
        Ok(printed) if printed.code == Some(0) => return "copied (tmux); prefix ] pastes it there".to_owned(),
        Ok(printed) => String::from_utf8_lossy(&printed.errors).into_owned(),
        Err(error) => error.to_string(),
    };
    format!("tmux did not take it: {}; Y shows it to select", clean(why.trim(), WHY_CAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clipboard(choice: ClipboardChoice, set: &[&str]) -> Clipboard {
        Clipboard::of(choice, |name| set.contains(&name).then(|| "x".into()))
    }

    fn unwrapped(bytes: &[u8]) -> String {
        let text = std::str::from_utf8(bytes).unwrap();
        let inner = text.strip_prefix("\x1b]52;c;").unwrap().strip_suffix('\x07').unwrap();
        String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
    }

    #[test]
    fn the_way_follows_the_preference_and_then_what_it_runs_in() {
        use ClipboardChoice::{Auto, Off, Osc52, Tmux};
        assert_eq!(clipboard(Auto, &["TMUX"]).way("x"), Way::Tmux);
        assert_eq!(clipboard(Tmux, &["TMUX", "STY"]).way("x"), Way::Tmux);
        for (choice, set) in [(Auto, vec![]), (Osc52, vec!["TMUX"])] {
            let Way::Terminal(bytes, said) = clipboard(choice, &set).way("a\nb ü") else { panic!("{choice:?}") };
            assert_eq!(unwrapped(&bytes), "a\nb ü");
            assert!(said.contains("some ignore it") && said.contains('Y'), "{said}");
        }
        for (choice, set) in [(Tmux, vec![]), (Off, vec!["TMUX"])] {
            assert!(matches!(clipboard(choice, &set).way("x"), Way::Nothing(why) if why.contains("Y shows it")));
        }
    }

    #[test]
    fn a_text_over_the_cap_is_refused_whole_and_one_at_it_is_not() {
        let largest = "x".repeat(TERMINAL_CAP / 4 * 3);
        assert!(matches!(clipboard(ClipboardChoice::Auto, &[]).way(&largest), Way::Terminal(..)));
        let more = format!("{largest}xxx");
        let Way::Nothing(why) = clipboard(ClipboardChoice::Auto, &[]).way(&more) else { panic!() };
        assert!(why.contains(&more.len().to_string()) && why.contains("Y shows it"), "{why}");
    }

    #[test]
    fn screen_gets_it_in_strings_that_it_passes_on_whole() {
        let text = "v".repeat(5_000);
        let Way::Terminal(bytes, _) = clipboard(ClipboardChoice::Auto, &["STY"]).way(&text) else { panic!() };
        let all = String::from_utf8(bytes).unwrap();
        let parts: Vec<&str> = all.split_inclusive("\x1b\\").collect();
        assert!(parts.len() > 5);
        let mut passed = String::new();
        for part in parts {
            assert!(part.len() <= SCREEN_CAP, "{}", part.len());
            passed += part.strip_prefix("\x1bP").unwrap().strip_suffix("\x1b\\").unwrap();
        }
        assert_eq!(unwrapped(passed.as_bytes()), text);
    }
}
