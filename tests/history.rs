//! A deploy log of 20,000 rows in the console on a terminal: all of it is there at once, and can be searched and told of.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;

use console::Console;

/// The log's text: one deployment an hour, the last of them at the end of October 2026.
fn log(rows: i64) -> String {
    let end: jiff::Timestamp = "2026-10-31T12:00:00Z".parse().unwrap();
    let line = |n: i64| {
        let at = end - jiff::SignedDuration::from_hours(rows - n);
        let result = if n % 1_000 == 0 { "failed" } else { "succeeded" };
        let (service, who) = (["web", "db", "edge"][(n % 3) as usize], if n == 12_345 { "zoe" } else { "ann" });
        format!(
            "{{\"id\":\"D-{n}\",\"time\":\"{at}\",\"service\":\"{service}\",\"site\":\"north\",\"from\":\"1.{}\",\"version\":\"1.{n}\",\"who\":\"{who}\",\"result\":\"{result}\"}}\n",
            n - 1
        )
    };
    (1..=rows).map(line).collect()
}

fn estate(folder: &std::path::Path) -> String {
    let path = folder.join("deploys.jsonl");
    std::fs::write(&path, log(20_000)).unwrap();
    format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n\
         [[history]]\nname = \"deploys\"\nkind = \"deploy-log\"\npath = \"{}\"\nevery = \"5s\"\n",
        path.display()
    )
}

fn shows(console: &Console, what: &str) {
    console.until(what, |screen| screen.contents().contains(what));
}

#[test]
fn twenty_thousand_deployments_are_opened_searched_told_of_and_exported() {
    let home = tempfile::tempdir().unwrap();
    let estate = estate(home.path());
    let folder = home.path().to_owned();
    let argv = [
        "sh",
        "-c",
        "\"$QD\" --estate \"$ESTATE\" --pane deployments && exec \"$QD\" --estate \"$ESTATE\" --pane deployments --filter result=failed",
    ];
    let mut console = Console::over(home, &estate, &argv, &[], (80, 24));
    shows(&console, "20,000 deployments");
    shows(&console, "1.19999 -> 1.20000");
    console.press(b"G");
    shows(&console, "the oldest");
    shows(&console, "1.0 -> 1.1 ");
    console.press(b"/");
    console.press(b"who=zoe");
    shows(&console, "1 of 20,000");
    shows(&console, "1.12344 -> 1.12345");
    console.press(b"\r\r");
    shows(&console, "DEPLOYMENT  web 1.12345");
    console.press(b"G");
    // What was there before and after it are of the index: the view holds the newest only.
    shows(&console, "1.12341 -> 1.12342");
    console.press(b"y");
    shows(&console, "copied, where the terminal allows it");
    let wanted = b"\x1b]52;c;";
    assert!(console.shown.0.lock().unwrap().raw.windows(wanted.len()).any(|bytes| bytes == wanted));
    console.press(b"\x1b");
    console.until("the detail", |screen| !screen.contents().contains("TEXT TO PASTE"));
    console.press(b"\x1b");
    shows(&console, "1 of 20,000");
    console.press(b"x");
    shows(&console, "EXPORT to this file");
    console.press(b"\x15");
    console.press(folder.join("out.json").to_str().unwrap().as_bytes());
    console.press(b"\r");
    shows(&console, "written: 1 deployments");
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("out.json")).unwrap()).unwrap();
    assert_eq!((written.as_array().unwrap().len(), written[0]["id"].as_str()), (1, Some("D-12345")));
    console.press(b"\r");
    console.until("the pane", |screen| !screen.contents().contains("EXPORT to"));
    console.press(b"q");
    // Opened again, with a filter: from the index.
    shows(&console, "20 of 20,000");
    shows(&console, "X failed");
    console.press(b"q");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn without_a_console_the_same_is_printed_as_a_table_json_and_csv() {
    let home = tempfile::tempdir().unwrap();
    let path = console::write_estate(home.path(), &estate(home.path()));
    let qd = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qd"));
        let out = command.arg("--estate").arg(&path).args(args).env_clear().env("HOME", home.path()).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, table, err) = qd(&["deployments", "--filter", "result=failed", "--limit", "3"]);
    assert_eq!((code, err.as_str(), table.lines().count()), (Some(0), "", 4), "{table}");
    assert!(table.lines().nth(1).unwrap().contains("1.19999 -> 1.20000"), "{table}");
    let (code, json, _) = qd(&["deployments", "-o", "json"]);
    assert_eq!((code, serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len()), (Some(0), 20_000));
    let (code, csv, _) = qd(&["deployments", "-o", "csv", "--filter", "id=\"D-12345\" service=\"web\""]);
    assert_eq!((code, csv.lines().count()), (Some(0), 2), "{csv}");
    assert!(csv.contains(",zoe,succeeded,"), "{csv}");
    for wrong in [&["deployments", "--filter", "severity:x"][..], &["status", "-o", "csv"], &["snapshot", "--filter", "(:"]] {
        let (code, out, err) = qd(wrong);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{wrong:?}: {err}");
    }
    let (code, frame, _) = qd(&["snapshot", "--pane", "deployments", "--filter", "version=1.19998"]);
    assert_eq!(code, Some(0));
    assert!(frame.contains("1.19997 -> 1.19998") && frame.contains("1 of "), "{frame}");
}
