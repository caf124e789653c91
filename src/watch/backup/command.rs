//! The JSON of any command, as docs/backup-json.md says it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{bare, complaint, decode, name};
use crate::link::process::capture::Printed;
use crate::model::backup::{BackupAnswer, Evidence, Part, PointKind, RecoveryPoint};
use crate::watch::wire::Fault;

/// The version of the format.
const VERSION: i64 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: i64,
    #[serde(default)]
    by: String,
    #[serde(default)]
    running: bool,
    points: Vec<Point>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    id: String,
    restores_to: Timestamp,
    finished: Option<Timestamp>,
    usable_from: Option<Timestamp>,
    kind: PointKind,
    #[serde(default)]
    needs: Vec<String>,
    bytes: Option<u64>,
    #[serde(default)]
    job_ok: bool,
    checksum_ok_at: Option<Timestamp>,
    read_back_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    restored_and_checked_at: Option<Timestamp>,
    restore_took_seconds: Option<f64>,
    broken: Option<String>,
    hold: Option<String>,
    of: Option<String>,
}

/// What the printed JSON comes to.
pub(super) fn judge(printed: &Printed) -> Result<BackupAnswer, Fault> {
    if printed.code != Some(0) {
        return Err(complaint(printed, "the command"));
    }
    let all: Document = decode(printed, "the command")?;
    if all.version != VERSION {
        return Err(Fault::unusable(format!(
            "the command printed version {} of the JSON; this program knows version {VERSION}",
            all.version
        )));
    }
    Ok(BackupAnswer {
        points: all.points.iter().map(|p| Arc::new(point(p))).collect(),
        by: name(&all.by),
        running: all.running,
        notes: all.notes.iter().map(|note| name(note)).collect(),
        ..BackupAnswer::default()
    })
}

fn point(of: &Point) -> RecoveryPoint {
    RecoveryPoint {
        finished: of.finished,
        usable_from: of.usable_from,
        kind: of.kind,
        needs: of.needs.iter().map(|id| name(id)).collect(),
        size: of.bytes,
        evidence: Evidence {
            job: of.job_ok,
            checksum: of.checksum_ok_at,
            read: of.read_back_at,
            started: of.started_at,
            restored: of.restored_and_checked_at,
            restore_took: of.restore_took_seconds.filter(|s| *s >= 0.0).and_then(|s| SignedDuration::try_from_secs_f64(s).ok()),
        },
        broken: of.broken.as_deref().map(name),
        hold: of.hold.as_deref().map(name),
        part: Part { of: of.of.as_deref().map(name), ..Part::default() },
        ..bare(&of.id, of.restores_to)
    }
}
