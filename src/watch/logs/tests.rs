//! Lines of journals and files as they come, hostile ones among them; a file on this machine with rotation.

use std::fs;
use std::io::Write as _;

use super::*;
use crate::model::estate::tests::bare;
use crate::model::estate::{Source, SourceKind};
use crate::model::log::{Level, Mark};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entry(second: i64, more: &str) -> String {
    format!("{{\"__CURSOR\":\"s=a;i={second}\",\"__REALTIME_TIMESTAMP\":\"{second}000000\",\"PRIORITY\":\"6\"{more}}}\n")
}

fn journal(text: &str) -> Heard {
    journal::told(format!("1.5\n{text}\nended 0\n").as_bytes(), &"web1".into(), &Wanted::default(), 1_000).unwrap()
}

#[test]
fn entries_of_the_journal_are_lines_whatever_their_message_is() {
    let text = [
        entry(1, r#","MESSAGE":"hello","_PID":"12","SYSLOG_IDENTIFIER":"app""#),
        entry(2, r#","MESSAGE":null,"_COMM":"app""#),
        // "a\xffb\x1b[31mc" as bytes: no UTF-8, and a colour.
        entry(3, r#","MESSAGE":[97,255,98,27,91,51,49,109,99]"#),
        entry(4, r#","MESSAGE":["one","two"],"PRIORITY":"3""#).replacen(r#""PRIORITY":"6","#, "", 1),
        entry(5, ""),
        entry(6, r#","MESSAGE":"ERROR no disk","_TRANSPORT":"stdout""#),
        entry(7, r#","MESSAGE":"ERROR no disk","_TRANSPORT":"journal""#),
        "{\"half\n".to_owned(),
        "not json\n".to_owned(),
        "{\"__CURSOR\":\"$(x) y\",\"__REALTIME_TIMESTAMP\":\"1\"}\n".to_owned(),
    ];
    let heard = journal(&text.concat());
    let told: Vec<_> =
        heard.lines.iter().map(|line| (line.at.as_second(), line.level.map(Level::word), line.by.as_deref(), line.text.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, Some("info"), Some("app[12]"), "hello"),
            (2, Some("info"), Some("app"), "(too long: journalctl gives no message of more than 4096 bytes)"),
            (3, Some("info"), None, "a?bc"),
            (4, Some("error"), None, "one two"),
            (5, Some("info"), None, "(an entry without a message)"),
            (6, Some("error"), None, "ERROR no disk"),
            (7, Some("info"), None, "ERROR no disk"),
        ]
    );
    assert_eq!(heard.mark, Some(Mark::Cursor("s=a;i=7".into())));
    assert!(!heard.passed);
}

#[test]
fn a_journal_that_did_not_end_well_is_no_answer_and_a_full_one_says_so() {
    let place = "web1".into();
    assert!(journal::told(b"1.5\nended 1\n", &place, &Wanted::default(), 10).is_err());
    assert!(journal::told(entry(1, "").as_bytes(), &place, &Wanted::default(), 10).is_err(), "its end is missing");
    let text = format!("1.5\n{}ended 0\n", (0..10).map(|n| entry(n, "")).collect::<String>());
    assert!(journal::told(text.as_bytes(), &place, &Wanted::default(), 10).unwrap().passed);
    let wanted = Wanted { since: Some(at(3)), until: Some(at(5)), ..Wanted::default() };
    let heard = journal::told(text.as_bytes(), &place, &wanted, 100).unwrap();
    assert_eq!(heard.lines.iter().map(|line| line.at.as_second()).collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn who_may_read_a_part_of_the_journal_only_is_told_so() {
    let hint = b"Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n";
    for errors in [&hint[..], b"No journal files were opened due to insufficient permissions.\n"] {
        let why = journal::limited(errors, "web1").unwrap();
        assert!(why.starts_with("web1: the user there may not read") && why.contains("systemd-journal"), "{why}");
    }
    assert_eq!(journal::limited(b"-- No entries --\n", "web1"), None);
}

#[test]
fn hostile_lines_are_plain_text_with_an_end() {
    let nasty = b"\x1b[2J\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07bell\x07 \xe2\x80\xaebidi \x00nul \xff\xfe \x9b31m\x1b]0;title\x1b\\x\x1bPq\x1b\\y\r\n";
    let text = plain(nasty);
    assert_eq!(text, "red bell bidi nul ?? ?31mxy");
    assert!(!text.chars().any(crate::model::text::is_hostile));
    let long = plain(&vec![b'x'; 1 << 20]);
    assert!(long.len() == LINE_CAP + 3 && long.ends_with("..."));
    // One that never closes its sequence ends with it.
    assert_eq!(plain(b"a\x1b[31"), "a");
    assert_eq!(plain(b"a\x1b]52;c;x"), "a");
}

#[test]
fn a_clock_that_goes_wrong_is_told_from_a_slow_way() {
    let began = at(1_000);
    assert_eq!(ahead("1000.9", began, Duration::from_secs(1)), None);
    assert_eq!(ahead("1005", began, Duration::from_secs(5)), None);
    assert_eq!(ahead("1010.0", began, Duration::from_secs(1)), Some(9_000));
    assert_eq!(ahead("900", began, Duration::from_secs(1)), Some(-99_001));
    assert_eq!(ahead("x", began, Duration::from_secs(1)), None);
}

fn place(path: &std::path::Path) -> Place {
    Place { name: "here".into(), host: None, what: Where::File(path.display().to_string()) }
}

fn texts(heard: &Heard) -> Vec<&str> {
    heard.lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn a_file_is_followed_through_rotation_and_emptying() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app $(touch x).log");
    let logs = Logs::new(Arc::new(bare(vec![])));
    let mut after = None;
    let next = async |after: &mut Option<Mark>| {
        let wanted = Wanted { after: after.clone(), lines: 100, ..Wanted::default() };
        let heard = logs.read(&place(&path), &wanted).await.unwrap();
        *after = heard.mark.clone();
        heard
    };
    fs::write(&path, "2026-11-21T06:00:00Z one\n\n  at two\nhal").unwrap();
    let heard = next(&mut after).await;
    assert_eq!(texts(&heard), ["2026-11-21T06:00:00Z one", "  at two", "hal"]);
    assert_eq!(heard.lines.iter().map(|line| (line.dated, line.open)).collect::<Vec<_>>(), [(true, false), (false, false), (false, true)]);
    assert_eq!(heard.lines[1].at.to_string(), "2026-11-21T06:00:00Z");
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    writeln!(file, "f\n2026-11-21 06:00:02,5 WARN three").unwrap();
    let heard = next(&mut after).await;
    assert_eq!(texts(&heard), ["half", "2026-11-21 06:00:02,5 WARN three"]);
    assert_eq!((heard.lines[1].at.to_string().as_str(), heard.lines[1].level), ("2026-11-21T06:00:02.5Z", Some(Level::Warning)));
    assert_eq!(texts(&next(&mut after).await), Vec::<&str>::new());
    // Rotated while something was still written to the old one.
    writeln!(file, "last").unwrap();
    let old = folder.path().join("app $(touch x).log.1");
    fs::rename(&path, &old).unwrap();
    fs::write(&path, "first\n").unwrap();
    let heard = next(&mut after).await;
    assert_eq!(texts(&heard), ["last", "first"]);
    assert!(heard.notes[0].contains("was rotated"), "{:?}", heard.notes);
    // Emptied in place.
    fs::write(&path, "x\n").unwrap();
    let heard = next(&mut after).await;
    assert_eq!(texts(&heard), ["x"]);
    assert!(heard.notes[0].contains("was emptied"), "{:?}", heard.notes);
    assert!(!folder.path().join("x").exists());
    fs::remove_file(&path).unwrap();
    let why = logs.read(&place(&path), &Wanted { lines: 1, ..Wanted::default() }).await.unwrap_err();
    assert!(why.starts_with("here: the log cannot be read: ") && why.contains("No such file"), "{why}");
}

#[tokio::test]
async fn a_secret_that_is_rotated_while_lines_are_followed_is_hidden_as_the_one_before_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("http.yml"), "basic_auth:\n  username: qd\n  password_file: secret\n").unwrap();
    fs::write(at("secret"), "of-yesterday").unwrap();
    fs::write(at("log"), "sent of-yesterday\n").unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    let kind = SourceKind::Prometheus { url: String::new() };
    let http_config = Some(at("http.yml"));
    let source = Source { name: "prom".into(), every: second, timeout: second, http_config, service: None, site: None, kind };
    let logs = Logs::new(Arc::new(bare(vec![source])));
    let wanted = Wanted { lines: 10, ..Wanted::default() };
    let first = logs.read(&place(&at("log")), &wanted).await.unwrap();
    assert_eq!(texts(&first), ["sent (taken out)"]);
    fs::write(at("secret"), "of-today").unwrap();
    fs::write(at("log"), "sent of-yesterday\nsent of-today\nsent nothing\n").unwrap();
    let then = logs.read(&place(&at("log")), &wanted).await.unwrap();
    assert_eq!(texts(&then), ["sent (taken out)", "sent (taken out)", "sent nothing"]);
}

#[tokio::test]
async fn of_a_large_file_the_end_is_read_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let text: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
    fs::write(&path, &text).unwrap();
    let logs = Logs::new(Arc::new(bare(vec![])));
    let heard = logs.read(&place(&path), &Wanted { lines: 50_000, ..Wanted::default() }).await.unwrap();
    assert!(heard.passed);
    assert_eq!((heard.lines.len(), heard.lines.last().unwrap().text.as_str()), (LINES, "line 199999"));
    assert!(matches!(heard.mark, Some(Mark::Byte { offset, .. }) if offset == text.len() as u64));
    // A line without an end does not wait for one for ever, and a folder is no file.
    fs::write(&path, vec![b'y'; 3 << 20]).unwrap();
    let heard = logs.read(&place(&path), &Wanted { lines: 10, ..Wanted::default() }).await.unwrap();
    assert!(heard.passed);
    let why = logs.read(&place(folder.path()), &Wanted { lines: 1, ..Wanted::default() }).await.unwrap_err();
    assert!(why.contains("is no file"), "{why}");
}

#[test]
fn times_and_levels_that_lines_say_themselves_are_read() {
    let of = file::About::read("12 400 1700000000 0 0 begins 0").unwrap();
    let text = concat!(
        "{\"ts\":1700000001.5,\"level\":\"warn\",\"msg\":\"x\"}\n",
        "10.0.0.1 - - [21/Nov/2026:18:09:08 +0100] \"GET / HTTP/1.1\" 200\n",
        "[2026-11-21T18:10:00+02:00] ERROR y\n",
        "time=\"2026-11-21T18:11:00Z\" level=error msg=z\n",
        "12345 no time\n",
    );
    let heard = file::told(&of, text.as_bytes(), &"web1".into(), "/log", &Wanted { lines: 10, ..Wanted::default() });
    let told: Vec<_> = heard.lines.iter().map(|line| (line.at.to_string(), line.dated, line.level.map(Level::word))).collect();
    let is = |at: &str, dated, level| (at.to_owned(), dated, level);
    assert_eq!(
        told,
        [
            is("2023-11-14T22:13:21.5Z", true, Some("warning")),
            is("2026-11-21T17:09:08Z", true, None),
            is("2026-11-21T16:10:00Z", true, Some("error")),
            is("2026-11-21T18:11:00Z", true, Some("error")),
            is("2026-11-21T18:11:00Z", false, None),
        ]
    );
    assert_eq!(file::About::read("x 1 2 3 4 begins 0"), None);
}
