//! Upstreams that mean harm, end to end: the finished binary on a pseudo-terminal, over servers that answer with escape
//! sequences, bodies without an end, gzip bombs, storms. Nothing of it reaches the terminal as it is, the memory stays
//! bounded, the keys still answer. And the breaks of the promises that this suite watches, planted one by one.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;
mod upstream;

use std::path::Path;

use console::Console;
use console::scan::foreign;
use quarterdeck::model::text::{NOTE_CAP, clean};
use quarterdeck::session::screen::Painter;
use upstream::{Fake, Reply, alert, alertmanager, html, prometheus, texts};

/// The most memory that the process may ever have had, KiB. It is not optimised here, and has every check.
const MEMORY: u64 = 150 * 1024;

fn estate(alerts: &Fake, metrics: &Fake) -> String {
    format!(
        "version = 1\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\
         [[source]]\nname = \"FAKE-alerts\"\nkind = \"alertmanager\"\nurls = [\"{}\"]\nevery = \"1s\"\ntimeout = \"3s\"\n\
         [[source]]\nname = \"FAKE-metrics\"\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"1s\"\ntimeout = \"3s\"\n\
         [[panel]]\nname = \"FAKE panel\"\nsource = \"FAKE-metrics\"\nquery = \"fake\"\n",
        alerts.url(),
        metrics.url()
    )
}

/// The most memory that the process has had so far, KiB.
fn peak(console: &Console) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", console.pid)).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What the panel's chart says of itself, whatever its server does.
const CHART: &str = "FAKE-metrics: fake";

/// Opens the console over these two, waits for `shows` on the Overview and `chart` on the chart, presses keys on all panes and holds what is
/// promised. Gives back what it showed.
fn survives(alerts: Fake, metrics: Fake, shows: &[&str], chart: &str) -> String {
    let argv = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""];
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::over(home, &estate(&alerts, &metrics), &argv, &[], (120, 40));
    for what in shows {
        console.until(what, |screen| screen.contents().contains(what));
    }
    let mut seen = String::new();
    for (key, shows) in [
        ("j", "NEEDS YOU"),
        ("?", "KEYS"),
        ("q", "NEEDS YOU"),
        ("2", "SEVERITY"),
        ("j", "SEVERITY"),
        ("G", "SEVERITY"),
        ("?", "KEYS"),
        ("q", "SEVERITY"),
        ("3", "PANELS"),
        ("\r", chart),
        ("\x1b", "PANELS"),
        (":", "pane overview"),
        ("source FAKE-a", "source FAKE-alerts"),
        ("\r", "SOURCE  FAKE-alerts"),
        ("G", "SOURCE  FAKE-alerts"),
        ("2", "SEVERITY"),
        ("g", "SEVERITY"),
        ("\r", "e"), // the first alert, where there is one
        ("G", "e"),
        ("1", "NEEDS YOU"),
    ] {
        console.press(key.as_bytes());
        console.until(&format!("{shows:?} after {key:?}"), |screen| screen.contents().contains(shows));
        seen.push_str(&console.shown.0.lock().unwrap().parser.screen().contents());
    }
    let peak = peak(&console);
    assert!(peak <= MEMORY, "{peak} KiB");
    console.press(b"q");
    let shown = console.shown.clone();
    console.ends_with(0);
    let raw = &shown.0.lock().unwrap().raw;
    assert_eq!(foreign(raw), Vec::<String>::new());
    for fake in [&alerts, &metrics] {
        assert_eq!(writes(&fake.asked()), Vec::<String>::new());
    }
    seen
}

/// Requests that may change something: all that is neither a GET nor a query too long for an address.
fn writes(asked: &[String]) -> Vec<String> {
    let reads = |line: &&String| !line.starts_with("GET ") && !line.starts_with("POST /api/v1/query");
    asked.iter().filter(reads).cloned().collect()
}

#[test]
fn texts_that_would_write_to_the_terminal_are_shown_without_their_power() {
    let seen = survives(alertmanager(texts(), "FAKE"), prometheus(texts(), 3), &["13 alerts", "sources 2 fresh"], CHART);
    assert!(seen.contains("]52;c;"), "what is harmless of it is shown: {seen}");
}

#[test]
fn a_body_without_an_end_is_given_up() {
    survives(Fake::of(|_| Reply::Endless), Fake::of(|_| Reply::Endless), &["FAKE-alerts unreachable", "FAKE-metrics unreachable"], CHART);
}

#[test]
fn a_gzip_bomb_is_not_blown_up() {
    let bomb = upstream::bomb();
    let (one, two) = (bomb.clone(), bomb);
    let fake = |bomb: std::sync::Arc<Vec<u8>>| Fake::of(move |_| Reply::Gzip(bomb.clone()));
    survives(fake(one), fake(two), &["FAKE-alerts unreachable", "FAKE-metrics unreachable"], CHART);
}

#[test]
fn half_an_answer_and_another_programs_page_are_told_as_that() {
    let half = |_: &str| Reply::Json("[{\"labels\":{\"alertname\":\"FAKE".into());
    survives(Fake::of(half), Fake::of(half), &["FAKE-alerts unreachable", "FAKE-metrics unreachable"], CHART);
    let page = |_: &str| html("<html><script>\x1b]0;FAKE\x07</script><h1>FAKE login\u{202e}</h1></html>");
    survives(Fake::of(page), Fake::of(page), &["FAKE-alerts unreachable", "FAKE-metrics unreachable"], CHART);
}

#[test]
fn ten_thousand_alerts_and_fifty_thousand_series_are_counted() {
    let storm: Vec<String> = (0..10_000).map(|n| alert(&format!("FAKE{n:05}"), &format!("f{n}"), "a storm")).collect();
    let seen = survives(
        alertmanager(storm, "FAKE"),
        prometheus(vec![], 50_000),
        &["10000 alerts", "sources 2 fresh"],
        "200 of 50,000 series shown",
    );
    assert!(seen.contains("X 10000 critical"), "{seen}");
}

// The breaks, planted. Promise 10: a reader or painter that does not clean.

#[test]
fn the_scanner_finds_every_hostile_text_that_is_not_cleaned_and_none_that_is() {
    for text in upstream::HOSTILE {
        assert_ne!(foreign(text.as_bytes()), Vec::<String>::new(), "{text:?}");
        assert_eq!(foreign(clean(text, NOTE_CAP).as_bytes()), Vec::<String>::new(), "{text:?}");
    }
    for other in [
        "\x1b[6n",
        "\x1b[5;5r",
        "\x1b[1;1;1H",
        "\x1b[H",
        "\x1b[3J",
        "\x1b[?1049",
        "\x1bc",
        "\x1b",
        "\x1b[38;5;1",
        "\x1b[2J",
        "\x1b[31m",
        "\x1b[38;5m",
        "\x1b[5m",
        "\r\n",
        "\u{9b}2J",
    ] {
        assert_ne!(foreign(other.as_bytes()), Vec::<String>::new(), "{other:?}");
    }
    assert_eq!(foreign("\x1b[?2026h\x1b[2J\x1b[3;10H\x1b[38;5;9;1mżółć 日本\x1b[0m\x1b[?2026l".as_bytes()), Vec::<String>::new());
}

#[test]
fn a_screen_that_paints_what_was_not_cleaned_is_found() {
    let painted = |text: &str| {
        let mut painter = Painter::new((80, 5)).unwrap();
        let style = ratatui::style::Style::new();
        painter.paint(|frame| frame.buffer_mut().set_string(0, 0, text, style)).unwrap().unwrap()
    };
    // The library drops what has no width, but not where it clings to a letter.
    for raw in ["FAKE\u{200d}evil", "FAKE\u{fe0f}evil", "FAKE\u{e0041}evil"] {
        assert_ne!(foreign(&painted(raw)), Vec::<String>::new(), "{raw:?}");
        assert_eq!(foreign(&painted(&clean(raw, NOTE_CAP))), Vec::<String>::new());
    }
    // It writes whatever stands in a cell.
    for raw in ["\u{202e}", "\u{200b}", "\u{2028}"] {
        let mut painter = Painter::new((80, 5)).unwrap();
        let unclean = |frame: &mut ratatui::Frame| {
            frame.buffer_mut()[(0, 0)].set_symbol(raw);
        };
        let bytes = painter.paint(unclean).unwrap().unwrap();
        assert_ne!(foreign(&bytes), Vec::<String>::new(), "{raw:?}");
    }
    // And a painter that writes past the library is found by any of it.
    let mut past = painted("plain");
    past.extend_from_slice(b"\x1b]52;c;aGk=\x07");
    assert_ne!(foreign(&past), Vec::<String>::new());
}

// Promise 11: a write that leaves the process.

#[test]
fn a_request_that_writes_is_found() {
    let asked = ["GET /api/v2/alerts", "POST /api/v1/query_range", "POST /api/v2/silences", "DELETE /api/v2/silence/1", "PUT /-/reload"];
    assert_eq!(writes(&asked.map(str::to_owned)), asked[2..]);
}

// Promise 9: the bytes of a secret.

const SECRET: &str = "FAKE-s3cret-7hunter";

/// Every file under the folder that holds the secret, as it is or as HTTP carries it, the file that it belongs in left out.
fn leaks(folder: &Path, of: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path, of));
        } else if path != of && holds(&std::fs::read(&path).unwrap()) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn holds(bytes: &[u8]) -> bool {
    // `FAKE:` and the secret in base64, as basic_auth sends it.
    ["FAKE-s3cret-7hunter", "RkFLRTpGQUtFLXMzY3JldC03aHVudGVy"]
        .iter()
        .any(|form| bytes.windows(form.len()).any(|part| part == form.as_bytes()))
}

#[test]
fn a_secret_reaches_its_server_and_neither_screen_log_cache_nor_report() {
    let (alerts, metrics) = (alertmanager(vec![alert("FAKE", "one", "one")], "FAKE"), Fake::of(|_| Reply::Refused));
    let home = tempfile::tempdir().unwrap();
    let password = home.path().join("password");
    std::fs::write(&password, SECRET).unwrap();
    std::fs::write(home.path().join("http.yml"), "basic_auth: {username: FAKE, password_file: password}\n").unwrap();
    let text = estate(&alerts, &metrics).replace("timeout = \"3s\"", "timeout = \"3s\"\nhttp_config = \"http.yml\"");
    let argv = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""];
    let mut console = Console::over(home, &text, &argv, &[("QD_LOG", "trace")], (120, 40));
    console.until("both sources", |screen| screen.contents().contains("refused") && screen.contents().contains("1 alerts"));
    for (key, shows) in
        [(":", "pane overview"), ("source FAKE-m", "source FAKE-metrics"), ("\r", "SOURCE  FAKE-metrics"), ("1", "NEEDS YOU")]
    {
        console.press(key.as_bytes());
        console.until(shows, |screen| screen.contents().contains(shows));
    }
    assert!(alerts.headers().iter().any(|header| holds(header.as_bytes())), "it is sent, or the test shows nothing");
    let estate = console.home.path().join("estate.toml");
    for report in [["snapshot", "--pane", "overview"].as_slice(), &["status", "-o", "json"], &["check"], &["paths"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qd"));
        let out = command.args(report).env("QD_ESTATE", &estate).env("HOME", console.home.path()).env("QD_LOG", "trace").output().unwrap();
        assert!(!holds(&out.stdout) && !holds(&out.stderr), "{report:?}");
    }
    console.press(b"\x0c");
    let kept = std::fs::read_dir(console.home.path()).unwrap().count();
    assert!(kept > 3, "there is a log or a cache to look into");
    assert_eq!(leaks(console.home.path(), &password), Vec::<String>::new());
    assert!(!holds(&console.shown.0.lock().unwrap().raw));
    // Planted: the same search finds it in a log, in a report, and as HTTP carries it.
    let log = console.home.path().join("planted.log");
    for line in [format!("connecting with {SECRET}"), "authorization: Basic RkFLRTpGQUtFLXMzY3JldC03aHVudGVy".into()] {
        std::fs::write(&log, line).unwrap();
        assert_eq!(leaks(console.home.path(), &password), [log.display().to_string()]);
    }
    console.press(b"q");
    console.ends_with(0);
}
