//! Answers of pgBackRest 2.45 (a capture), restic and our own JSON as they are printed, and folders as they lie there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{command, complaint, directory, newest_first, pgbackrest, restic};
use crate::link::process::capture::Printed;
use crate::model::backup::{BackupAnswer, PointKind, Points, Proof};
use crate::model::reading::FailureKind;

fn printed(code: i32, out: &str, errors: &str) -> Printed {
    Printed { code: Some(code), out: out.into(), errors: errors.into() }
}

fn info() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pgbackrest/info.json")).unwrap()
}

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn the_points_of_pgbackrest_are_its_backups_and_an_incremental_needs_what_it_refers_to() {
    let answer = newest_first(pgbackrest::judge(&printed(0, &info(), ""), "main").unwrap());
    assert_eq!((answer.total, answer.by.as_str(), answer.running), (2, "pgBackRest 2.45", false));
    let (incremental, full) = (&answer.points[0], &answer.points[1]);
    assert_eq!((full.kind, full.id.as_str(), full.size), (PointKind::Full, "20261120-151411F", Some(3_068_944)));
    assert_eq!(full.restores_to.as_second(), 1_795_187_651, "its start, not its end");
    assert_eq!((incremental.kind, incremental.needs.join(" ")), (PointKind::Incremental, "20261120-151411F".into()));
    assert_eq!((full.proof(), full.took().unwrap().as_secs()), (Proof::V1, 2));
    let archive = &answer.archives[0];
    assert_eq!(
        (archive.repo, archive.min.as_str(), archive.max.as_str()),
        (Some(1), "000000010000000000000001", "000000010000000000000008")
    );
    assert_eq!((full.part.repo, full.part.wal_from.as_deref()), (Some(1), Some("000000010000000000000004")));
    // After an upgrade the old database's log is no log of today's, and its backups are no bases of it.
    let upgraded = info().replacen(
        "\"archive\":[{",
        "\"archive\":[{\"database\":{\"id\":2,\"repo-key\":1},\"id\":\"16-2\",\"max\":\"A\",\"min\":\"A\"},{",
        1,
    );
    let answer = pgbackrest::judge(&printed(0, &upgraded, ""), "main").unwrap();
    assert_eq!((answer.archives.len(), answer.archives[0].max.as_str(), answer.points[0].part.wal_from.as_deref()), (1, "A", None));
}

#[test]
fn the_exit_code_of_pgbackrest_lies_and_its_json_is_judged() {
    let fault = |out: &str, stanza: &str| pgbackrest::judge(&printed(0, out, ""), stanza).unwrap_err().what;
    assert_eq!(fault("[]", "main"), "pgbackrest knows no stanza main");
    assert_eq!(fault(&info(), "mian"), "pgbackrest knows no stanza mian");
    let missing =
        r#"[{"backup":[],"db":[],"name":"main","status":{"code":1,"lock":{"backup":{"held":false}},"message":"missing stanza path"}}]"#;
    assert_eq!(fault(missing, "main"), "pgbackrest says of the stanza main: missing stanza path");
    let none = missing.replace("\"code\":1", "\"code\":2").replace("missing stanza path", "no valid backups").replace("false", "true");
    let answer = pgbackrest::judge(&printed(0, &none, ""), "main").unwrap();
    assert_eq!((answer.points.len(), answer.running), (0, true), "a stanza without a backup is an answer");
    let bad = pgbackrest::judge(&printed(0, &info().replacen("\"error\":false", "\"error\":true", 1), ""), "main").unwrap();
    let points = Points::new(&bad.points, t("2027-01-01T00:00:00Z"));
    assert_eq!(points.usable().count(), 0, "the full one has wrong pages, and the other is built on it");
    let died = pgbackrest::judge(&printed(25, "", "P00 ERROR: [025]: cannot read\n"), "main").unwrap_err();
    assert_eq!(died.what, "pgbackrest info ended with 25: P00 ERROR: [025]: cannot read");
}

#[test]
fn each_snapshot_of_restic_is_whole_by_itself() {
    let out = r#"[{"time":"2026-11-21T06:12:30.123456789+01:00","tree":"aa","paths":["/d"],"hostname":"h","username":"u","id":"0123456789","short_id":"01234567"},
        {"time":"2026-11-21T07:12:30Z","parent":"0123456789","tree":"ab","paths":["/d"],"hostname":"h","id":"b123456789","short_id":"b1234567","tags":["keep"],
         "summary":{"backup_start":"2026-11-21T07:12:30Z","backup_end":"2026-11-21T07:14:30Z","total_bytes_processed":5}},
        {"time":"soon","id":"c","tree":"c","paths":[]}]"#;
    let answer = newest_first(restic::judge(&printed(0, out, "")).unwrap());
    assert_eq!((answer.total, answer.points[0].id.as_str(), answer.points[1].id.as_str()), (2, "b1234567", "01234567"));
    assert_eq!((answer.points[0].took().map(|t| t.as_mins()), answer.points[0].size), (Some(2), Some(5)));
    assert_eq!(answer.points[0].hold.as_deref(), Some("tagged keep"));
    assert_eq!(answer.points[1].restores_to, t("2026-11-21T05:12:30.123456789Z"));
    assert_eq!(answer.notes, ["the time of the snapshot c is none: soon"]);
    assert_eq!(answer.points[0].part.of.as_deref(), Some("h:/d"));
    let id = "0123456789abcdef".repeat(4);
    assert!(restic::locked(&printed(0, &format!("repository 12 opened\n{id}\n"), "")).unwrap().contains("is locked (1)"));
    assert_eq!(restic::locked(&printed(0, "", "")), None);
    assert!(restic::judge(&printed(0, "null", "")).unwrap().points.is_empty(), "an empty repository");
    let refused = restic::judge(&printed(1, "", "Fatal: wrong password or no key found\n")).unwrap_err();
    assert_eq!((refused.kind, refused.what.as_str()), (FailureKind::Refused, "restic ended with 1: Fatal: wrong password or no key found"));
    assert_eq!(restic::judge(&printed(1, "", "Fatal: unable to open config file\n")).unwrap_err().kind, FailureKind::Unreachable);
}

#[test]
fn our_own_json_is_what_its_page_says() {
    let page = include_str!("../../../docs/backup-json.md");
    let sample = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let answer = newest_first(command::judge(&printed(0, sample, "")).unwrap());
    assert_eq!((answer.total, answer.by.as_str()), (3, "nightly.sh 4"));
    let proofs: Vec<(PointKind, Proof)> = answer.points.iter().map(|p| (p.kind, p.proof())).collect();
    assert_eq!(proofs, [(PointKind::Wal, Proof::V1), (PointKind::Incremental, Proof::V2), (PointKind::Full, Proof::V5)]);
    assert_eq!(Points::new(&answer.points, t("2026-12-01T00:00:00Z")).usable().count(), 3);
    for (wrong, says) in [
        (sample.replace("\"version\": 1", "\"version\": 2"), "version 2 of the JSON"),
        (sample.replace("\"job_ok\"", "\"proof\": \"V5\", \"job_ok\""), "unknown field `proof`"),
        ("<html>".to_owned(), "printed no JSON that is known"),
    ] {
        assert_ne!(wrong, sample);
        let fault = command::judge(&printed(0, &wrong, "")).unwrap_err().what;
        assert!(fault.contains(says), "{fault}");
    }
    assert_eq!(command::judge(&printed(3, sample, "\u{1b}[31mno\n\n")).unwrap_err().what, "the command ended with 3: [31mno");
    assert!(complaint(&printed(1, "", ""), "x").what.ends_with("it says nothing"));
}

/// `sha256sum` of nothing: the reader looks at names, not at contents.
const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn snapshot(folder: &Path, name: &str, files: &[&str], base: Option<&str>) {
    let path = folder.join(name);
    fs::create_dir_all(&path).unwrap();
    for file in files {
        fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
        fs::write(path.join(file), "12345").unwrap();
    }
    if let Some(base) = base {
        fs::write(path.join("BASE"), format!("{base}\n")).unwrap();
    }
    let lines: String = files.iter().map(|file| format!("{SUM}  {file}\n")).collect();
    fs::write(path.join("SHA256SUMS"), lines).unwrap();
}

fn why(answer: &BackupAnswer, id: &str) -> Option<String> {
    answer.points.iter().find(|p| p.id == id).unwrap().broken.clone()
}

#[test]
fn a_folder_of_snapshots_is_read_and_what_is_unfinished_or_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (full, next) = ("2026-11-20T06:00:00Z", "20261120-070000");
    snapshot(folder.path(), full, &["a", "deep/b"], None);
    snapshot(folder.path(), next, &["a"], Some(full));
    fs::create_dir(folder.path().join("2026-11-20T08:00:00Z")).unwrap();
    fs::create_dir(folder.path().join("old")).unwrap();
    fs::create_dir(folder.path().join(".trash")).unwrap();
    std::os::unix::fs::symlink("/", folder.path().join("2026-11-20T09:00:00Z")).unwrap();
    let known = directory::Known::default();
    let answer = newest_first(directory::read(folder.path(), &known, later()).unwrap());
    assert_eq!((answer.total, answer.running), (2, true));
    assert!(answer.notes.iter().any(|n| n == "2026-11-20T08:00:00Z has no SHA256SUMS: it is not finished"), "{:?}", answer.notes);
    assert!(answer.notes.iter().any(|n| n.starts_with("2 entries are no snapshots")), "{:?}", answer.notes);
    assert_eq!((answer.points[0].id.as_str(), answer.points[0].kind), (next, PointKind::Incremental));
    assert_eq!((answer.points[1].size, answer.points[1].proof(), why(&answer, full)), (Some(10), Proof::V1, None));
    assert_eq!(answer.points[0].restores_to, t("2026-11-20T07:00:00Z"));
    // What goes later is found at the next look, although its manifest is as it was.
    fs::remove_file(folder.path().join(full).join("a")).unwrap();
    let answer = newest_first(directory::read(folder.path(), &known, later()).unwrap());
    assert!(why(&answer, full).unwrap().starts_with("a: "), "{answer:?}");
    assert_eq!(Points::new(&answer.points, t("2027-01-01T00:00:00Z")).usable().count(), 0);
}

#[test]
fn no_manifest_leads_out_of_its_snapshot_and_a_bad_line_is_told() {
    for (line, file) in [
        (format!("{SUM}  a/b"), Some("a/b")),
        (format!("{SUM} *a"), Some("a")),
        (format!("{SUM}  ../a"), None),
        (format!("{SUM}  /etc/passwd"), None),
        (format!("{SUM}  "), None),
        (format!("{SUM} a"), None),
        (format!("{}  a", &SUM[1..]), None),
        ("żółć".repeat(30), None),
    ] {
        assert_eq!(directory::file_of(&line), file, "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let at = "2026-11-20T06:00:00Z";
    for (manifest, told) in
        [("", "names no file"), ("hello\n", "has a line that is none: hello"), ("\u{fffd}\u{1b}x\n", "a line that is none")]
    {
        snapshot(folder.path(), at, &[], None);
        fs::write(folder.path().join(at).join("SHA256SUMS"), manifest).unwrap();
        let answer = directory::read(folder.path(), &directory::Known::default(), later()).unwrap();
        assert!(why(&answer, at).unwrap().contains(told), "{answer:?}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_failure_and_a_try_without_time_tells_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let gone = directory::read(&folder.path().join("gone"), &directory::Known::default(), later()).unwrap_err();
    assert!(gone.what.contains("gone cannot be read: "), "{}", gone.what);
    snapshot(folder.path(), "2026-11-20T06:00:00Z", &["a"], None);
    let late = directory::read(folder.path(), &directory::Known::default(), Instant::now()).unwrap();
    assert_eq!((late.points.len(), late.notes.join("")), (0, "1 older snapshots were not looked at".to_owned()));
}
