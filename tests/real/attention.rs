//! Calling for a person through a real tmux and a real GNU screen at 80x24: what reaches the terminal outside is what is
//! wanted, whether tmux hands on or not, and nothing of it is left on the screen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::console::Console;
use crate::servers::have;
use crate::upstream::{Fake, grows};

/// What nobody may see as text: parts of what was meant for the terminal.
const LEFT: [&str; 8] = ["]9;", "]777", "Ptmux", "notify;", "22;2t", "?1004", "Quarterdeck;", "\u{fffd}"];

/// The console inside what `run` starts, with these wishes and that file for it.
struct Inside {
    console: Console,
    more: Arc<AtomicBool>,
    _alerts: Fake,
    _sockets: tempfile::TempDir,
}

impl Inside {
    fn open(wishes: &str, rc: &str, run: &str) -> Inside {
        let more = Arc::new(AtomicBool::new(false));
        let alerts = grows(more.clone(), "FAKE-new");
        let (home, sockets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = home.path().join(".config/quarterdeck");
        std::fs::create_dir_all(&config).unwrap();
        let called = home.path().join("called").display().to_string();
        let command = format!("command = ['/bin/sh', '-c', 'printf %s \"$1\" > {called}', 'sh']\n");
        std::fs::write(config.join("config.toml"), format!("[attention]\ntitle = true\n{wishes}{command}")).unwrap();
        std::fs::write(home.path().join("rc"), rc).unwrap();
        let estate = format!(
            "version = 1\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\
             [[source]]\nname = \"FAKE-alerts\"\nkind = \"alertmanager\"\nurls = [\"{}\"]\nevery = \"1s\"\n",
            alerts.url()
        );
        let env = [("SOCKETS", sockets.path().to_str().unwrap())];
        let console = Console::over(home, &estate, &["sh", "-c", run], &env, (80, 24));
        console.until("the alert that was there", |screen| screen.contents().contains("FAKE-old"));
        Inside { console, more, _alerts: alerts, _sockets: sockets }
    }

    fn tmux(wishes: &str, rc: &str) -> Inside {
        Inside::open(
            wishes,
            rc,
            "TMUX_TMPDIR=\"$SOCKETS\" exec tmux -L own -f \"$HOME/rc\" new-session \"$QD\" --estate \"$ESTATE\" --pane alerts",
        )
    }

    fn screen(wishes: &str, rc: &str) -> Inside {
        let run = "mkdir -m 700 \"$SOCKETS/s\"; \
                   SCREENDIR=\"$SOCKETS/s\" exec screen -c \"$HOME/rc\" -S own \"$QD\" --estate \"$ESTATE\" --pane alerts";
        Inside::open(wishes, rc, run)
    }

    /// Another critical alert begins; waits until the console and the person's own program tell of it.
    fn another(&self) -> Vec<u8> {
        let before = self.raw();
        self.more.store(true, Ordering::SeqCst);
        self.console.until("the new alert", |screen| screen.contents().contains("FAKE-new"));
        let called = self.console.home.path().join("called");
        let end = std::time::Instant::now() + crate::console::DEADLINE;
        while std::fs::read_to_string(&called).unwrap_or_default() != "harbour: 1 critical: FAKE-new" {
            assert!(std::time::Instant::now() < end, "the program was not run");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        before
    }

    fn raw(&self) -> Vec<u8> {
        self.console.shown.0.lock().unwrap().raw.clone()
    }

    /// Waits until the terminal got that after those bytes.
    fn gets(&self, before: &[u8], what: &[u8]) {
        self.console.until_raw(&String::from_utf8_lossy(what), |raw| has(&raw[before.len()..], what));
    }

    /// Waits until the terminal was rung once after those bytes.
    fn rings(&self, before: &[u8]) {
        self.console.until_raw("the bell", |raw| bells(&raw[before.len()..]) > 0);
        assert_eq!(bells(&self.raw()[before.len()..]), 1, "one call rings once");
    }

    /// The screen as it is and as it is drawn anew are one: nothing of the call is left on it.
    fn is_whole(&self) {
        // Without what grows: ages and clocks.
        let plain = |screen: &vt100::Screen| -> Vec<String> {
            let line = |line: &str| line.chars().filter(|c| !c.is_ascii_digit() && !" <>smh".contains(*c)).collect();
            screen.contents().lines().map(line).collect()
        };
        let (before, text) = {
            let shown = self.console.shown.0.lock().unwrap();
            (plain(shown.parser.screen()), shown.parser.screen().contents())
        };
        for left in LEFT {
            assert!(!text.contains(left), "{left:?} is left on the screen:\n{text}");
        }
        for (columns, rows) in [(90, 30), (80, 24)] {
            let raw = self.raw().len();
            self.console.resize(columns, rows);
            self.console.until_more_than(raw + 200);
        }
        self.console.until(&format!("the screen as it was, drawn anew:\n{text}\nthe screen"), |screen| plain(screen) == before);
    }

    /// A key that comes in the very moment of a resize waits in the library for the next one: it is pressed again.
    fn leave(mut self) -> Vec<u8> {
        let end = std::time::Instant::now() + crate::console::DEADLINE;
        let code = loop {
            self.console.press(b"q");
            match self.console.exit.recv_timeout(std::time::Duration::from_secs(2)) {
                Ok(code) => break code,
                Err(_) => assert!(std::time::Instant::now() < end, "the console does not end"),
            }
        };
        assert_eq!(code, 0);
        self.raw()
    }
}

/// The bells that rang: a BEL that ends a title or a notification is none.
fn bells(raw: &[u8]) -> usize {
    let (mut count, mut rest) = (0, raw);
    while let [first, tail @ ..] = rest {
        rest = match (first, tail.first()) {
            (0x1b, Some(b']' | b'P' | b'k')) => {
                let end = tail.iter().position(|byte| matches!(byte, 7 | 0x1b)).unwrap_or(tail.len() - 1);
                &tail[end + 1..]
            }
            (7, _) => {
                count += 1;
                tail
            }
            _ => tail,
        };
    }
    count
}

fn has(raw: &[u8], what: &[u8]) -> bool {
    raw.windows(what.len()).any(|bytes| bytes == what)
}

#[test]
fn a_tmux_that_hands_on_gives_the_bell_the_title_and_the_notification_to_its_terminal() {
    if !have("a_tmux_that_hands_on_gives_the_bell_the_title_and_the_notification_to_its_terminal", &["tmux"]) {
        return;
    }
    let rc = "set -g allow-passthrough on\nset -g set-titles on\nset -g set-titles-string '#T'\n";
    for (wishes, notification) in [
        ("notify = 'osc9'\n", "\x1b]9;harbour: 1 critical: FAKE-new\x1b\\"),
        ("notify = 'osc777'\n", "\x1b]777;notify;Quarterdeck;harbour: 1 critical: FAKE-new\x1b\\"),
    ] {
        let inside = Inside::tmux(wishes, rc);
        let before = inside.another();
        inside.gets(&before, notification.as_bytes());
        inside.rings(&before);
        inside.gets(&before, b"qd harbour: X 2 critical");
        inside.is_whole();
        inside.leave();
    }
}

#[test]
fn a_tmux_that_hands_nothing_on_rings_and_shows_nothing_of_what_it_swallowed() {
    if !have("a_tmux_that_hands_nothing_on_rings_and_shows_nothing_of_what_it_swallowed", &["tmux"]) {
        return;
    }
    let inside = Inside::tmux("notify = 'osc9'\n", "set -g allow-passthrough off\n");
    let before = inside.another();
    inside.rings(&before);
    inside.is_whole();
    let raw = inside.leave();
    assert!(!has(&raw, b"]9;harbour") && !has(&raw, b"Ptmux"), "tmux hands nothing on");
}

#[test]
fn screen_rings_and_hands_the_notification_on_to_its_terminal() {
    if !have("screen_rings_and_hands_the_notification_on_to_its_terminal", &["screen"]) {
        return;
    }
    for (wishes, notification) in [
        ("notify = 'osc9'\n", "\x1b]9;harbour: 1 critical: FAKE-new\x07"),
        ("notify = 'osc777'\n", "\x1b]777;notify;Quarterdeck;harbour: 1 critical: FAKE-new\x07"),
    ] {
        let inside = Inside::screen(wishes, "startup_message off\nvbell off\n");
        let before = inside.another();
        inside.gets(&before, notification.as_bytes());
        inside.rings(&before);
        inside.is_whole();
        inside.leave();
    }
}

#[test]
fn in_a_screen_nothing_is_shown_of_a_title_and_without_notifications_only_the_bell_comes_through() {
    if !have("in_a_screen_nothing_is_shown_of_a_title_and_without_notifications_only_the_bell_comes_through", &["screen"]) {
        return;
    }
    let inside = Inside::screen("notify = 'off'\n", "startup_message off\nvbell off\n");
    let before = inside.another();
    inside.rings(&before);
    inside.is_whole();
    let raw = inside.leave();
    assert!(!has(&raw, b"]9;harbour") && !has(&raw, b"]777;"));
}
