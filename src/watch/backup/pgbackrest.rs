//! `pgbackrest info --output=json` (2.45 and later). Its exit code is 0 for a stanza that does not exist, so that only
//! the JSON is judged.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::{bare, decode, name};
use crate::link::process::capture::Printed;
use crate::model::backup::{self as archive, BackupAnswer, Evidence, Part, PointKind, RecoveryPoint};
use crate::watch::wire::Fault;

/// `status.code` of a stanza that is there and has no backup yet (pgBackRest's `info.c`).
const NO_BACKUP: i64 = 2;

/// The command.
pub(super) fn argv(program: &[String], stanza: &str, config: Option<&Path>) -> Vec<String> {
    let mut argv = program.to_vec();
    argv.extend(config.map(|config| format!("--config={}", config.display())));
    // Its log goes to standard output otherwise.
    argv.extend(["--log-level-console=off", "--log-level-stderr=warn", "--output=json"].map(str::to_owned));
    argv.extend([format!("--stanza={stanza}"), "info".to_owned()]);
    argv
}

#[derive(Deserialize)]
struct Stanza {
    name: String,
    status: Status,
    #[serde(default)]
    backup: Vec<Backup>,
    #[serde(default)]
    archive: Vec<Archive>,
}

#[derive(Deserialize)]
struct Status {
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    lock: Option<Lock>,
}

#[derive(Deserialize)]
struct Lock {
    backup: Option<Held>,
}

#[derive(Deserialize)]
struct Held {
    #[serde(default)]
    held: bool,
}

#[derive(Deserialize)]
struct Archive {
    database: Option<Database>,
    /// The database's version and number: `15-1`. After an upgrade there is a second one.
    #[serde(default)]
    id: String,
    min: Option<String>,
    max: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
struct Database {
    #[serde(default)]
    id: u32,
    #[serde(rename = "repo-key")]
    repo: Option<u32>,
}

#[derive(Deserialize)]
struct Span {
    start: Option<String>,
}

#[derive(Deserialize)]
struct Backup {
    label: String,
    #[serde(rename = "type")]
    kind: String,
    timestamp: Times,
    database: Option<Database>,
    archive: Option<Span>,
    /// Page checksum errors were found; absent before 2.36, `null` where it was not asked for.
    error: Option<bool>,
    prior: Option<String>,
    reference: Option<Vec<String>>,
    #[serde(default)]
    info: Option<Info>,
    #[serde(default)]
    backrest: Option<BackRest>,
}

#[derive(Deserialize)]
struct Times {
    start: i64,
    stop: i64,
}

#[derive(Deserialize)]
struct Info {
    repository: Option<Size>,
}

#[derive(Deserialize)]
struct Size {
    delta: Option<u64>,
}

#[derive(Deserialize)]
struct BackRest {
    version: String,
}

/// What the printed JSON comes to.
pub(super) fn judge(printed: &Printed, stanza: &str) -> Result<BackupAnswer, Fault> {
    let all: Vec<Stanza> = decode(printed, "pgbackrest info")?;
    let Some(of) = all.into_iter().find(|s| s.name == stanza) else {
        return Err(Fault::unusable(format!("pgbackrest knows no stanza {stanza}")));
    };
    if of.status.code != 0 && of.status.code != NO_BACKUP && of.backup.is_empty() {
        return Err(Fault::unusable(format!("pgbackrest says of the stanza {stanza}: {}", name(&of.status.message))));
    }
    let mut notes = Vec::new();
    if of.status.code != 0 {
        notes.push(format!("the stanza's status is {}: {}", of.status.code, name(&of.status.message)));
    }
    // Of each repository the log of the newest database: what came before an upgrade is no log of today's.
    let mut archives: Vec<(u32, archive::Archive)> = Vec::new();
    for one in &of.archive {
        let (Some(min), Some(max)) = (&one.min, &one.max) else { continue };
        let (repo, id) = one.database.map_or((None, 0), |database| (database.repo, database.id));
        let id = if id == 0 { one.id.rsplit_once('-').and_then(|(_, id)| id.parse().ok()).unwrap_or(0) } else { id };
        let told = archive::Archive { repo, min: name(min), max: name(max), checked: None };
        match archives.iter_mut().find(|(_, known)| known.repo == repo) {
            Some(known) if known.0 < id => *known = (id, told),
            Some(_) => {}
            None => archives.push((id, told)),
        }
    }
    let current = |database: Option<Database>| {
        database.is_none_or(|d| archives.iter().all(|(id, archive)| archive.repo != d.repo || *id == d.id || *id == 0))
    };
    let by =
        of.backup.last().and_then(|b| b.backrest.as_ref()).map_or("pgBackRest".to_owned(), |b| format!("pgBackRest {}", name(&b.version)));
    let running = of.status.lock.and_then(|l| l.backup).is_some_and(|b| b.held);
    let mut points = Vec::with_capacity(of.backup.len());
    for backup in &of.backup {
        match point(backup, current(backup.database)) {
            Some(point) => points.push(Arc::new(point)),
            None => notes.push(format!("the times of the backup {} are none", name(&backup.label))),
        }
    }
    let archives = archives.into_iter().map(|(_, archive)| archive).collect();
    Ok(BackupAnswer { points, by, running, notes, archives, ..BackupAnswer::default() })
}

/// `logged`: its log is the one that is told.
fn point(of: &Backup, logged: bool) -> Option<RecoveryPoint> {
    let start = Timestamp::from_second(of.timestamp.start).ok()?;
    let finished = Timestamp::from_second(of.timestamp.stop).ok()?;
    let needs = of.reference.iter().flatten().chain(of.prior.iter().filter(|_| of.reference.is_none()));
    Some(RecoveryPoint {
        finished: Some(finished),
        kind: if of.kind == "full" { PointKind::Full } else { PointKind::Incremental },
        needs: needs.map(|label| name(label)).collect(),
        size: of.info.as_ref().and_then(|i| i.repository.as_ref()?.delta),
        evidence: Evidence { job: true, ..Evidence::default() },
        broken: (of.error == Some(true)).then(|| "pages with wrong checksums were found while it was made".to_owned()),
        part: Part {
            repo: of.database.and_then(|database| database.repo),
            wal_from: of.archive.as_ref().filter(|_| logged).and_then(|a| a.start.as_deref()).map(name),
            of: None,
        },
        ..bare(&of.label, start)
    })
}
