//! `restic snapshots --json` (0.14 and later), without a lock: watching changes nothing in the repository.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{bare, complaint, decode, name, refused};
use crate::link::process::capture::Printed;
use crate::model::backup::{BackupAnswer, Evidence, Only, Part, RecoveryPoint};
use crate::watch::wire::{Fault, moment};

/// What is asked.
pub(super) enum What<'a> {
    /// The snapshots that are meant.
    Snapshots(&'a Only),
    /// The ids of its locks.
    Locks,
}

/// The command.
pub(super) fn argv(program: &[String], repository: &str, password_file: Option<&Path>, what: What<'_>) -> Vec<String> {
    let mut argv = program.to_vec();
    argv.extend([format!("--repo={repository}")]);
    argv.extend(password_file.map(|file| format!("--password-file={}", file.display())));
    match what {
        What::Snapshots(only) => {
            argv.extend(["--no-lock", "--json", "snapshots"].map(str::to_owned));
            // One word each: a value that begins with a dash is none of restic's options.
            let words = [("host", &only.host), ("path", &only.path), ("tag", &only.tag)];
            argv.extend(words.iter().filter_map(|(word, value)| Some(format!("--{word}={}", value.as_ref()?))));
        }
        What::Locks => argv.extend(["--no-lock", "list", "locks"].map(str::to_owned)),
    }
    argv
}

#[derive(Deserialize)]
struct Snapshot {
    time: String,
    short_id: Option<String>,
    id: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    paths: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    /// From 0.17 on.
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    backup_end: Option<String>,
    total_bytes_processed: Option<u64>,
}

/// What the printed JSON comes to.
pub(super) fn judge(printed: &Printed) -> Result<BackupAnswer, Fault> {
    if printed.code != Some(0) {
        let fault = complaint(printed, "restic");
        let said = String::from_utf8_lossy(&printed.errors);
        // 12 from restic 0.17 on; 0.14 gives 1 for everything.
        let password = printed.code == Some(12) || said.contains("wrong password") || said.contains("no key found");
        return Err(if password { refused(fault.what) } else { fault });
    }
    let all: Option<Vec<Snapshot>> = decode(printed, "restic")?;
    let mut notes = Vec::new();
    let mut points = Vec::new();
    for snapshot in all.unwrap_or_default() {
        match point(&snapshot) {
            Some(point) => points.push(Arc::new(point)),
            None => notes.push(format!("the time of the snapshot {} is none: {}", name(&snapshot.id), name(&snapshot.time))),
        }
    }
    Ok(BackupAnswer { points, by: "restic".into(), notes, ..BackupAnswer::default() })
}

/// A note where the repository is locked: a backup runs, or one that died left its lock.
pub(super) fn locked(printed: &Printed) -> Option<String> {
    let ids = String::from_utf8_lossy(&printed.out);
    // An id is 64 hex digits; anything else is talk.
    let count = ids.lines().map(str::trim).filter(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit())).count();
    (printed.code == Some(0) && count > 0)
        .then(|| format!("the repository is locked ({count}): a backup runs, or one that died left its lock, which stops the next one"))
}

/// A snapshot appears when all of it is written, and each is whole by itself: its parent only saved time.
fn point(of: &Snapshot) -> Option<RecoveryPoint> {
    let at: Timestamp = moment(&of.time)?;
    let hold = of.tags.iter().flatten().find(|tag| tag.starts_with("keep") || tag.starts_with("hold"));
    Some(RecoveryPoint {
        finished: of.summary.as_ref().and_then(|s| moment(s.backup_end.as_deref()?)),
        size: of.summary.as_ref().and_then(|s| s.total_bytes_processed),
        evidence: Evidence { job: true, ..Evidence::default() },
        hold: hold.map(|tag| format!("tagged {}", name(tag))),
        part: Part {
            of: Some(name(&format!("{}:{}", of.hostname, of.paths.iter().flatten().cloned().collect::<Vec<_>>().join(",")))),
            ..Part::default()
        },
        ..bare(of.short_id.as_deref().unwrap_or(&of.id), at)
    })
}
