//! Calling for a person, end to end: the finished binary on a pseudo-terminal over a FAKE Alertmanager that begins to tell
//! of a critical alert. What the terminal gets is looked at byte by byte, and undone on the way out.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;
mod upstream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use console::{Console, DEADLINE};
use upstream::{Fake, grows};

fn has(raw: &[u8], what: &[u8]) -> bool {
    raw.windows(what.len()).any(|bytes| bytes == what)
}

/// Waits until the terminal got these bytes.
fn until(console: &Console, what: &[u8]) {
    let end = Instant::now() + DEADLINE;
    while !has(&console.shown.0.lock().unwrap().raw, what) {
        assert!(Instant::now() < end, "{:?} never came", String::from_utf8_lossy(what));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(preferences: &str, env: &[(&str, &str)]) -> (Console, Arc<AtomicBool>, Fake) {
    let more = Arc::new(AtomicBool::new(false));
    let alerts = grows(more.clone(), "FAKE-new\u{1b}]0;x\u{7}\u{9c}y");
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/quarterdeck");
    std::fs::create_dir_all(&config).unwrap();
    let preferences = preferences.replace("HOME", home.path().to_str().unwrap());
    std::fs::write(config.join("config.toml"), preferences).unwrap();
    let estate = format!(
        "version = 1\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\
         [[source]]\nname = \"FAKE-alerts\"\nkind = \"alertmanager\"\nurls = [\"{}\"]\nevery = \"1s\"\n",
        alerts.url()
    );
    let console = Console::over(home, &estate, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], env, (100, 30));
    console.until("the alert that was there", |screen| screen.contents().contains("FAKE-old"));
    (console, more, alerts)
}

#[test]
fn a_new_critical_rings_sets_the_title_notifies_and_runs_the_program_and_all_is_undone() {
    let text = "[attention]\ntitle = true\nnotify = 'osc9'\ncommand = ['/bin/sh', '-c', 'printf %s \"$1\" > HOME/called', 'sh']\n";
    let (mut console, more, _alerts) = open(text, &[]);
    until(&console, b"\x1b]2;qd harbour: X 1 critical\x1b\\");
    let before = console.shown.0.lock().unwrap().raw.clone();
    assert!(!has(&before, b"\x07") && !has(&before, b"\x1b]9;"), "what is there at the start calls for nobody");
    assert!(has(&before, b"\x1b[22;2t\x1b]2;") && has(&before, b"\x1b[?1004h"), "the title before is kept, focus is told");
    more.store(true, Ordering::SeqCst);
    until(&console, b"\x07\x1b]9;harbour: 1 critical: FAKE-new]0;xy\x1b\\");
    until(&console, b"\x1b]2;qd harbour: X 2 critical\x1b\\");
    let called = console.home.path().join("called");
    let end = Instant::now() + DEADLINE;
    while std::fs::read_to_string(&called).unwrap_or_default() != "harbour: 1 critical: FAKE-new]0;xy" {
        assert!(Instant::now() < end, "the program was not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    console.press(b"q");
    let shown = console.shown.clone();
    console.ends_with(0);
    let raw = shown.0.lock().unwrap().raw.clone();
    assert_eq!(raw.iter().filter(|byte| **byte == 7).count(), 1, "one bell, and no BEL of the alert's name");
    let last = |what: &[u8]| raw.windows(what.len()).rposition(|bytes| bytes == what);
    assert!(last(b"\x1b[?1004l") > last(b"\x1b[?1004h"), "focus is not told any more");
    assert!(last(b"\x1b[23;2t") > last(b"\x1b]2;qd"), "the title before is back");
}

#[test]
fn inside_tmux_a_notification_is_handed_on_and_in_quiet_hours_there_is_none() {
    let (mut console, more, _alerts) = open("[attention]\nnotify = 'osc777'\n", &[("TMUX", "/tmp/tmux,1,0")]);
    more.store(true, Ordering::SeqCst);
    until(&console, b"\x1bPtmux;\x1b\x1b]777;notify;Quarterdeck;harbour: 1 critical: FAKE-new]0,xy\x1b\x1b\\\x1b\\");
    console.press(b"q");
    let shown = console.shown.clone();
    console.ends_with(0);
    assert!(!has(&shown.0.lock().unwrap().raw, b"\x1b]2;"), "a title that nobody wished is not touched");

    let quiet = "[attention]\nnotify = 'osc9'\nquiet = ['00:00-12:00', '12:00-00:00']\nquiet_critical = false\n";
    let (mut console, more, _alerts) = open(quiet, &[]);
    more.store(true, Ordering::SeqCst);
    console.until("the new one", |screen| screen.contents().contains("FAKE-new"));
    console.press(b"q");
    let shown = console.shown.clone();
    console.ends_with(0);
    let raw = shown.0.lock().unwrap().raw.clone();
    assert!(!has(&raw, b"\x07") && !has(&raw, b"\x1b]9;"));
}
