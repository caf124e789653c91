//! The logs on a pseudo-terminal and without one: hostile lines of a file come to the terminal as plain text, what is
//! added is followed through a rotation, and what read it is gone when the view is left.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use console::scan::foreign;
use console::{Console, closed_port, write_estate};

const HOSTILE: &[u8] = b"2026-11-21T06:00:00Z \x1b[2J\x1b[31mcoloured\x1b[0m\x1b]52;c;aGVsbG8=\x07 end\n\
    2026-11-21T06:00:01Z \xe2\x80\xaereordered \x00nul \xff\xfe bytes \x9b31m \x1bPq\x1b\\ \xc2\x9b2J done\n";

fn estate(log: &Path) -> String {
    format!(
        "version = 1\n[estate]\nname = \"e\"\nenvironment = \"test\"\n[[service]]\nname = \"web\"\nlogs = {{ file = {log:?} }}\n\
         [[source]]\nname = \"dead\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:{}\"\n",
        closed_port()
    )
}

#[test]
fn hostile_lines_are_followed_on_the_screen_and_nothing_is_left() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("app log");
    let mut text = HOSTILE.to_vec();
    text.extend(vec![b'x'; 600_000]);
    text.extend(b"\n2026-11-21T06:00:02Z ERROR the last of them\n");
    fs::write(&log, &text).unwrap();
    let mut file = File::options().append(true).open(&log).unwrap();
    let argv = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""];
    let mut console = Console::over(home, &estate(&log), &argv, &[], (120, 40));
    console.until("it is there", |screen| screen.contents().contains("NEEDS YOU"));
    console.press(b":logs web\r");
    console.until("the lines are there", |screen| screen.contents().contains("LOGS  web"));
    for what in ["coloured end", "reordered nul", "X error", "ERROR the last of them", "following"] {
        console.until(what, |screen| screen.contents().contains(what));
    }
    writeln!(file, "2026-11-21T06:00:03Z one more").unwrap();
    console.until("what is added", |screen| screen.contents().contains("one more"));
    fs::rename(&log, format!("{}.1", log.display())).unwrap();
    fs::write(&log, "2026-11-21T06:00:04Z after the rotation\n").unwrap();
    console.until("the new file", |screen| screen.contents().contains("after the rotation") && screen.contents().contains("was rotated"));
    console.press(b"e");
    console.until("errors alone", |screen| screen.contents().contains("errors only") && !screen.contents().contains("one more"));
    console.press(b"\x1b");
    console.until("all again", |screen| screen.contents().contains("one more"));
    fs::remove_file(&log).unwrap();
    console.until("that it is gone", |screen| screen.contents().contains("No such file"));
    let pid = console.pid.to_string();
    let scripts = || {
        let told = Command::new("ps").args(["--ppid", &pid, "-o", "args="]).output().unwrap();
        String::from_utf8_lossy(&told.stdout).lines().filter(|line| line.contains("xargs")).count()
    };
    console.press(b"\x1b");
    console.until("the view is left", |screen| !screen.contents().contains("LOGS"));
    let begun = std::time::Instant::now();
    while scripts() > 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "what read it is still there");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let bytes = console.shown.0.lock().unwrap().raw.clone();
    assert_eq!(foreign(&bytes), Vec::<String>::new());
    console.press(b"qq");
    console.ends_with(0);
}

#[test]
fn the_same_lines_without_a_screen() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log");
    fs::write(&log, HOSTILE).unwrap();
    let file = write_estate(home.path(), &estate(&log));
    let qd = |more: &[&str]| {
        let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
        qd.args(["logs", "web"]).args(more).arg("--estate").arg(&file).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
        let output = qd.output().unwrap();
        (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, errors) = qd(&[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let text = String::from_utf8(out).unwrap();
    assert_eq!(foreign(text.replace('\n', "").as_bytes()), Vec::<String>::new());
    assert!(text.starts_with("2026-11-21T06:00:00.000Z -       2026-11-21T06:00:00Z coloured end\n"), "{text}");
    let (code, out, _) = qd(&["--grep", "reordered", "-o", "json"]);
    let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((code, &line["host"], &line["time"]), (Some(0), &"here".into(), &"2026-11-21T06:00:01.000Z".into()));
    fs::remove_file(&log).unwrap();
    let (code, _, errors) = qd(&[]);
    assert!(code == Some(1) && errors.contains("here: the log cannot be read: ") && errors.contains("No such file"), "{errors}");
    let (code, _, errors) = qd(&["--host", "web9"]);
    assert!(code == Some(64) && errors.contains("here"), "{errors}");
}
