//! Verification: snapshots on this disk, and the reports of pgBackRest and restic as they were printed.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::*;
use crate::model::backup::{Archive, BackupAnswer, RecoveryPoint};
use crate::watch::backup::bare;

const FULL: &str = "2026-11-20T06:00:00Z";
const NEXT: &str = "2026-11-20T07:00:00Z";

fn snapshot(folder: &Path, name: &str, files: &[(&str, &[u8])]) {
    let path = folder.join(name);
    let mut sums = String::new();
    for (file, bytes) in files {
        fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
        fs::write(path.join(file), bytes).unwrap();
        let sum: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        sums += &format!("{sum}  {file}\n");
    }
    fs::write(path.join("SHA256SUMS"), sums).unwrap();
}

fn point(id: &str, needs: &[&str]) -> Arc<RecoveryPoint> {
    let at: Timestamp = id.parse().unwrap();
    Arc::new(RecoveryPoint { needs: needs.iter().map(|id| (*id).to_owned()).collect(), ..bare(id, at) })
}

fn look(folder: &Path, points: &[Arc<RecoveryPoint>]) -> Finding {
    let (_keep, stop) = watch::channel(false);
    files::verify(folder, points, &stop, Instant::now() + Duration::from_secs(60), &|_| {})
}

fn broken<'a>(finding: &'a Finding, id: &str) -> Option<&'a str> {
    finding.points.iter().find(|p| p.id == id).unwrap_or_else(|| panic!("{finding:?}")).broken.as_deref()
}

#[test]
fn a_whole_chain_passes_and_a_flipped_byte_a_missing_and_an_extra_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    snapshot(folder.path(), FULL, &[("a", b"one"), ("deep/b", &[7; 3_000_000])]);
    snapshot(folder.path(), NEXT, &[("c", b"two")]);
    fs::write(at(NEXT).join("BASE"), FULL).unwrap();
    let points = [point(NEXT, &[FULL]), point(FULL, &[])];
    let fine = look(folder.path(), &points);
    assert_eq!((fine.outcome, broken(&fine, FULL), broken(&fine, NEXT)), (Outcome::Passed, None, None));
    assert!(fine.evidence.last().unwrap().starts_with("3 files, "), "{fine:?}");

    fs::write(at(FULL).join("extra"), "x").unwrap();
    let fine = look(folder.path(), &points);
    assert_eq!(fine.outcome, Outcome::Passed, "what is there beside is no damage");
    assert!(fine.evidence.iter().any(|line| line == &format!("{FULL}/extra is in no manifest: it is not verified")), "{fine:?}");

    let mut bytes = fs::read(at(FULL).join("deep/b")).unwrap();
    bytes[2_999_999] ^= 1;
    fs::write(at(FULL).join("deep/b"), bytes).unwrap();
    let bad = look(folder.path(), &points);
    assert_eq!((bad.outcome, broken(&bad, FULL)), (Outcome::Failed, Some("deep/b: differs from its checksum")));
    assert!(!bad.points.iter().any(|p| p.id == NEXT), "what builds on it is not proved: {bad:?}");

    fs::remove_file(at(FULL).join("a")).unwrap();
    let bad = look(folder.path(), &points);
    assert_eq!(broken(&bad, FULL), Some("a: is missing; and 1 more"));
    assert!(bad.evidence.iter().any(|line| line.contains("deep/b: differs")), "{bad:?}");
    let gone = look(folder.path(), &[point("2026-11-20T09:00:00Z", &[])]);
    assert_eq!((gone.outcome, broken(&gone, "2026-11-20T09:00:00Z")), (Outcome::Failed, Some("SHA256SUMS: is missing")));
}

#[test]
fn links_are_not_followed_and_lines_that_are_none_are_damage() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = folder.path().join(FULL);
    snapshot(folder.path(), FULL, &[("a", b"one"), ("deep/b", b"two"), ("c", b"three")]);
    let manifest = fs::read_to_string(at.join("SHA256SUMS")).unwrap();
    // The very same bytes, but behind a link.
    fs::rename(at.join("deep"), elsewhere.path().join("deep")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("deep"), at.join("deep")).unwrap();
    fs::rename(at.join("c"), elsewhere.path().join("c")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("c"), at.join("c")).unwrap();
    let bad = look(folder.path(), &[point(FULL, &[])]);
    assert!(broken(&bad, FULL).unwrap().contains("is a link, which is not followed"), "{bad:?}");
    assert_eq!(bad.evidence.iter().filter(|line| line.contains("which is not followed")).count(), 2, "{bad:?}");
    for line in ["hello", &format!("{}  ../{FULL}/a", &manifest[..64])] {
        fs::write(at.join("SHA256SUMS"), format!("{manifest}{line}\n")).unwrap();
        assert!(look(folder.path(), &[point(FULL, &[])]).evidence.iter().any(|l| l.contains("a line that is none")), "{line}");
    }
    fs::write(at.join("SHA256SUMS"), "").unwrap();
    assert_eq!(broken(&look(folder.path(), &[point(FULL, &[])]), FULL), Some("SHA256SUMS names no file"));
}

#[test]
fn it_stops_in_the_middle_of_a_large_file_and_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    snapshot(folder.path(), FULL, &[("a", b"one")]);
    // A hole of a terabyte takes no room and would take an hour.
    fs::File::options().write(true).open(folder.path().join(FULL).join("a")).unwrap().set_len(1 << 40).unwrap();
    let (stopper, stop) = watch::channel(false);
    let seen = Mutex::new(Vec::new());
    let finding = files::verify(folder.path(), &[point(FULL, &[])], &stop, Instant::now() + Duration::from_secs(600), &|progress| {
        if progress.done > 0 {
            stopper.send_replace(true);
        }
        seen.lock().unwrap().push(progress);
    });
    assert_eq!((finding.outcome, finding.points.len()), (Outcome::Cancelled, 0));
    let last = seen.lock().unwrap().pop().unwrap();
    assert_eq!((last.total, last.percent(), last.what.as_str()), (Some(1 << 40), Some(0), "2026-11-20T06:00:00Z/a"));
}

/// As pgBackRest 2.45 printed it.
const HEALTHY: &str = "\
2026-11-21 10:54:56.026 P00   INFO: verify command begin 2.45: --config=/x --stanza=main
2026-11-21 10:54:56.377 P00   INFO: stanza: main
                                    status: ok
stanza: main
status: ok
  archiveId: 15-1, total WAL checked: 4, total valid WAL: 4
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-105446F, status: valid, total files checked: 964, total valid files: 964
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261121-105446F_20261121-105452I, status: valid, total files checked: 965, total valid files: 965
";

const DAMAGED: &str = "\
2026-11-21 10:54:56.260 P01   INFO: file missing '20261121-105446F/pg_data/base/5/113.gz'
2026-11-21 10:54:56.269 P01   INFO: invalid checksum '20261121-105446F/pg_data/base/5/2838.gz'
stanza: main
status: error
  archiveId: 15-1, total WAL checked: 4, total valid WAL: 4
  backup: 20261121-105446F, status: invalid, total files checked: 964, total valid files: 962
    missing: 1, checksum invalid: 1
  backup: 20261121-105446F_20261121-105452I, status: invalid, total files checked: 965, total valid files: 963
  backup: 20261122-000000F, status: valid, total files checked: 900, total valid files: 900
2026-11-21 10:54:56.377 P00   INFO: verify command end: completed successfully (353ms)
";

fn backrest(text: &str, stanza: &str, code: Option<i32>) -> Finding {
    let mut report = pgbackrest::Report::default();
    text.lines().for_each(|line| report.line(line));
    report.finding(stanza, None, code)
}

/// The same, of a repository whose log reaches from its first file to this one.
fn logged(text: &str, max: &str) -> Finding {
    let mut report = pgbackrest::Report::default();
    text.lines().for_each(|line| report.line(line));
    let archive = Archive { repo: Some(1), min: "0000000100000000000000FE".into(), max: max.into(), checked: None };
    report.finding("main", Some(&BackupAnswer { archives: vec![archive], ..BackupAnswer::default() }), Some(0))
}

#[test]
fn the_log_is_proved_where_none_of_its_files_is_missing_and_damaged_where_one_of_them_is() {
    let id = "WAL 000000010000000100000001 (repo 1)";
    let fine = logged(HEALTHY, "000000010000000100000001");
    assert_eq!((fine.outcome, broken(&fine, id), fine.points.len()), (Outcome::Passed, None, 3), "FE, FF, 00 and 01 are four");
    assert_eq!(Archive::parse(id), Some(("000000010000000100000001", Some(1))));
    // pgBackRest 2.45 says `status: ok` where a file in between is gone.
    let gap = logged(HEALTHY, "000000010000000100000002");
    assert_eq!((gap.outcome, gap.points.len()), (Outcome::Passed, 2));
    assert!(gap.evidence.iter().any(|line| line.contains("4 files are there") && line.contains("should be 5")), "{gap:?}");
    assert_eq!(logged(HEALTHY, "000000020000000100000001").points.len(), 2, "on another timeline nobody can count");
    assert_eq!(logged(HEALTHY, "odd").points.len(), 2);
    let bad = HEALTHY.replace("valid WAL: 4", "valid WAL: 3").replace("status: ok", "status: error");
    let bad = format!("P01 INFO: invalid checksum '15-1/0000000100000000/0000000100000000000000FF-e3c9.gz'\n{bad}");
    let bad = logged(&bad, "000000010000000100000001");
    let why = broken(&bad, "WAL 0000000100000000000000FF (repo 1)");
    assert_eq!((bad.outcome, why), (Outcome::Failed, Some("WAL of 15-1: 3 of 4 segments are valid")), "{bad:?}");
}

#[test]
fn pgbackrest_exits_with_0_and_its_report_is_judged() {
    let fine = backrest(HEALTHY, "main", Some(0));
    assert_eq!((fine.outcome, fine.points.len()), (Outcome::Passed, 2), "{fine:?}");
    let bad = backrest(DAMAGED, "main", Some(0));
    assert_eq!(bad.outcome, Outcome::Failed);
    let why = broken(&bad, "20261121-105446F").unwrap();
    assert!(why.contains("invalid, 2 files are damaged: 20261121-105446F/pg_data/base/5/113.gz: file missing; "), "{why}");
    assert!(broken(&bad, "20261121-105446F_20261121-105452I").unwrap().contains("2838.gz: invalid checksum"), "{bad:?}");
    assert_eq!(broken(&bad, "20261122-000000F"), None, "another chain is whole");
    // The whole report may come through the log alone.
    let logged: String = HEALTHY.lines().skip(3).map(|l| format!("2026-11-21 10:54:56.377 P00   INFO: {}\n", l.trim())).collect();
    assert_eq!(backrest(&logged, "main", Some(0)), fine);
}

#[test]
fn damaged_wal_fails_and_proves_no_backup_and_an_unknown_report_proves_nothing() {
    let wal = HEALTHY.replace("total valid WAL: 4", "total valid WAL: 3").replace("status: ok", "status: error");
    let bad = backrest(&wal, "main", Some(0));
    assert_eq!((bad.outcome, bad.points.len()), (Outcome::Failed, 0), "{bad:?}");
    assert!(bad.evidence.iter().any(|line| line == "WAL of 15-1: 3 of 4 segments are valid"), "{bad:?}");
    let none = |text: &str, stanza, code| backrest(text, stanza, code).outcome;
    assert_eq!(none("", "main", Some(0)), Outcome::Unknown);
    assert_eq!(none(HEALTHY, "other", Some(0)), Outcome::Unknown, "it is about another stanza");
    assert_eq!(none(HEALTHY, "main", Some(1)), Outcome::Unknown);
    assert_eq!(none("stanza: main\nstatus: ok\n", "main", Some(0)), Outcome::Unknown, "no backup was looked at");
    let refused = backrest("P00  ERROR: [103]: unable to find a valid repository", "main", Some(103));
    assert_eq!(refused.outcome, Outcome::Unknown);
    assert!(refused.evidence[0].contains("unable to find"), "{refused:?}");
}

fn restic(text: &str, whole: bool, code: Option<i32>) -> Finding {
    let mut report = restic::Report::default();
    text.lines().for_each(|line| drop(report.line(line)));
    report.finding(&[point(FULL, &[])], whole, code)
}

#[test]
fn restic_tells_progress_and_damage_and_which_point_is_hit_is_not_known() {
    let mut report = restic::Report::default();
    let progress = report.line("[0:00] 40.00%  2 / 5 packs").unwrap();
    assert_eq!((progress.percent(), progress.what.as_str()), (Some(40), "packs"));
    assert_eq!(report.line("load indexes"), None);
    let fine = "using temporary cache in /x\nload indexes\n[0:00] 100.00%  5 / 5 packs\n\nno errors were found\n";
    assert_eq!((restic(fine, true, Some(0)).outcome, broken(&restic(fine, true, Some(0)), FULL)), (Outcome::Passed, None));
    let cut = fine.replace("5 / 5", "4 / 5");
    assert_eq!(restic(&cut, true, Some(0)).outcome, Outcome::Unknown, "not all was read");
    assert_eq!(restic("load indexes\n", false, Some(0)).outcome, Outcome::Unknown);
    let bad = restic("load indexes\nPack ID does not match, want a40a, got 7922\nFatal: repository contains errors\n", true, Some(1));
    assert_eq!(bad.outcome, Outcome::Failed);
    let why = broken(&bad, FULL).unwrap();
    assert!(why.contains("which points need that is not told: Pack ID does not match, want a40a"), "{why}");
    let locked = restic("Fatal: wrong password or no key found\n", true, Some(1));
    assert_eq!((locked.outcome, locked.points.len()), (Outcome::Unknown, 0), "{locked:?}");
}
