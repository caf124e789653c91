//! A deploy log of 20,000 rows in the console on a terminal: all of it is there at once, and can be searched and told of.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod console;
#[path = "history/rollback.rs"]
mod rollback;

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
    estate_of(folder, 20_000)
}

fn estate_of(folder: &std::path::Path, rows: i64) -> String {
    let path = folder.join("deploys.jsonl");
    std::fs::write(&path, log(rows)).unwrap();
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
    shows(&console, "asked the terminal to copy");
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
    let told: serde_json::Value = serde_json::from_str(&qd(&["status", "-o", "json"]).1).unwrap();
    assert_eq!((&told["deployments_total"], &told["deployments_left_out"]), (&20_000.into(), &0.into()), "of the index");
    std::fs::remove_dir_all(home.path().join(".cache")).unwrap();
    let told: serde_json::Value = serde_json::from_str(&qd(&["status", "-o", "json"]).1).unwrap();
    // Of a large log only the end is read: how many are before it is not known.
    let left_out = told["deployments_left_out"].as_u64().unwrap();
    assert!(told["deployments_total"] == 5_000 && (1_000..=15_000).contains(&left_out), "without one: {left_out}");
    let refused = [
        &["deployments", "--filter", "severity:x"][..],
        &["status", "-o", "csv"],
        &["snapshot", "--filter", "(:"],
        &["--filter", "(:"],
        &["--pane", "deployments", "--filter", "severity:x"],
    ];
    for wrong in refused {
        let (code, out, err) = qd(wrong);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{wrong:?}: {err}");
    }
    let (code, frame, _) = qd(&["snapshot", "--pane", "deployments", "--filter", "version=1.19998"]);
    assert_eq!(code, Some(0));
    assert!(frame.contains("1.19997 -> 1.19998") && frame.contains("1 of "), "{frame}");
}

/// Writes one more line to the log, of the time after all others.
fn append(folder: &std::path::Path, n: i64) {
    use std::io::Write;
    let line = format!(
        "{{\"id\":\"E-{n}\",\"time\":\"2026-10-31T13:{n:02}:00Z\",\"service\":\"new\",\"site\":\"north\",\"version\":\"9.{n}\"}}\n"
    );
    let mut log = std::fs::OpenOptions::new().append(true).open(folder.join("deploys.jsonl")).unwrap();
    log.write_all(line.as_bytes()).unwrap();
}

/// Waits until it lists so many, each of these once.
fn lists(console: &Console, total: &str, versions: &[&str]) {
    let once = |text: &str, what: &str| text.matches(&format!("? -> {what} ")).count() == 1;
    console.until(total, |screen| {
        let text = screen.contents();
        text.contains(&format!("{total} deployments")) && versions.iter().all(|version| once(&text, version))
    });
}

#[test]
fn two_consoles_share_one_index_and_outlive_each_other_and_the_cache() {
    let home = tempfile::tempdir().unwrap();
    let text = estate_of(home.path(), 3_000);
    let path = console::write_estate(home.path(), &text);
    let (folder, cache) = (home.path().to_owned(), home.path().join(".cache/quarterdeck"));
    let (of, at) = (path.to_str().unwrap(), folder.to_str().unwrap());
    // The terminal's own program is a shell that ends well, however the console ends.
    let argv = ["sh", "-c", "sh -c 'echo $$ > \"$PIDFILE\"; exec \"$QD\" --estate \"$SHARED\" --pane deployments'; exit 0"];
    let open = |home, name: &str| {
        let pidfile = folder.join(name);
        let env = [("HOME", at), ("SHARED", of), ("PIDFILE", pidfile.to_str().unwrap())];
        (Console::over(home, &text, &argv, &env, (80, 24)), pidfile)
    };
    let (one, _) = open(home, "one");
    let (other, pidfile) = open(tempfile::tempdir().unwrap(), "other");
    let mut one = one;
    lists(&one, "3,000", &[]);
    lists(&other, "3,000", &[]);
    append(&folder, 1);
    lists(&one, "3,001", &["9.1"]);
    lists(&other, "3,001", &["9.1"]);
    std::fs::remove_dir_all(&cache).unwrap();
    append(&folder, 2);
    lists(&one, "3,002", &["9.1", "9.2"]);
    lists(&other, "3,002", &["9.1", "9.2"]);
    assert!(cache.join("history.db").exists(), "it was made again");
    let pid = std::fs::read_to_string(pidfile).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(other.exit_code(), 0);
    append(&folder, 3);
    lists(&one, "3,003", &["9.1", "9.2", "9.3"]);
    one.press(b"q");
    assert_eq!(one.exit_code(), 0);
}

#[test]
fn a_damaged_index_and_one_of_another_version_are_built_anew_and_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let text = estate_of(home.path(), 3_000);
    let path = console::write_estate(home.path(), &text);
    let index = home.path().join(".cache/quarterdeck/history.db");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qd"));
    let made = command.arg("--estate").arg(&path).args(["deployments", "--limit", "1"]).env_clear().env("HOME", home.path()).output();
    assert!(made.unwrap().status.success());
    let whole = std::fs::read(&index).unwrap();
    let mut version = whole.clone();
    version[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    let at = home.path().to_str().unwrap().to_owned();
    let broken = [&whole[..100], &whole[..whole.len() / 2], &version];
    for (bytes, pane) in broken.into_iter().flat_map(|bytes| [(bytes, "overview"), (bytes, "deployments")]) {
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{ending}", index.display()));
        }
        std::fs::write(&index, bytes).unwrap();
        let argv = ["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\" --pane \"$PANE\""];
        let env = [("HOME", at.as_str()), ("PANE", pane)];
        let mut console = Console::over(tempfile::tempdir().unwrap(), &text, &argv, &env, (120, 40));
        if pane == "overview" {
            console.until("the line", |screen| screen.contents().contains("the history cache") && screen.contents().contains("rebuilt"));
            console.press(b"5");
        }
        shows(&console, "3,000 deployments");
        shows(&console, "1.2999 -> 1.3000");
        console.press(b"1");
        console.until("the line", |screen| screen.contents().contains("the history cache") && screen.contents().contains("rebuilt"));
        console.press(b"q");
        assert_eq!(console.exit_code(), 0);
    }
}
