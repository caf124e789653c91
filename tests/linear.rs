//! `qd status --watch` as one who listens meets it: lines are appended, each once, and none of them moves a cursor.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn qd(folder: &std::path::Path, port: u16, arguments: &[&str]) -> Child {
    let estate = folder.join("estate.toml");
    let text = format!(
        "version = 1\n[estate]\nname = \"shop\"\nenvironment = \"test\"\n[[service]]\nname = \"web\"\n[[source]]\nname = \"door\"\n\
         kind = \"probe\"\ntcp = \"127.0.0.1:{port}\"\nservice = \"web\"\nevery = \"1s\"\n"
    );
    std::fs::write(&estate, text).unwrap();
    let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
    qd.arg("--estate").arg(&estate).args(["status", "--watch"]).args(arguments);
    qd.env_clear().env("HOME", folder).env("XDG_STATE_HOME", folder.join("state"));
    qd.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn what_is_new_is_appended_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = door.local_addr().unwrap().port();
    let mut qd = qd(folder.path(), port, &["--every", "1h"]);
    let mut lines = BufReader::new(qd.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |wanted: &str| {
        let mut read = Vec::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended before `{wanted}`: {read:?}"));
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "a control character or a drawing: {line:?}");
            let found = line.contains(wanted);
            read.push(line);
            if found {
                return read;
            }
        }
    };
    let head = until(" ok: nothing needs you");
    assert!(head[0].starts_with("shop test, 1 source; "), "{head:?}");
    assert_eq!(head.len(), 3, "what it is, the date, how it stands: {head:?}");
    drop(door);
    let news = until(" critical: 1 needs you");
    assert_eq!(news.len(), 2, "what needs a person, and how it stands now: {news:?}");
    assert!(news[0].contains(" critical: probe fails: door: ") && news[0].ends_with("; look closer"), "{news:?}");
    let door = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let over = until(" ok: nothing needs you");
    assert_eq!(over.len(), 2, "{over:?}");
    assert!(over[0].contains(" ok: needs nobody any more: probe fails: door: "), "{over:?}");
    drop(door);
    until(" critical: probe fails: door: ");
    kill(Pid::from_raw(i32::try_from(qd.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(qd.wait().unwrap().code(), Some(130));
}

#[test]
fn after_its_time_it_exits_as_status_does() {
    let folder = tempfile::tempdir().unwrap();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = door.local_addr().unwrap().port();
    drop(door);
    let mut qd = qd(folder.path(), port, &["--for", "3s", "-o", "json"]);
    let mut text = String::new();
    qd.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(qd.wait().unwrap().code(), Some(2), "critical: {text}");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["kind"] == "need" && line["severity"] == "critical"), "{text}");
}
