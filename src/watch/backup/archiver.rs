//! PostgreSQL's own archiver (`pg_stat_archiver`, 12 and later) and a slot that a `pg_receivewal` reads: which log is kept
//! outside, and up to which moment. The nodes are asked who is primary; only its archive counts.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{name, refused};
use crate::link::http::LinkError;
use crate::link::postgres::{Node as Link, Row, Session};
use crate::model::backup::{ArchiverSaid, BackupAnswer, SlotSaid};
use crate::model::database::NodeAt;
use crate::watch::wire::Fault;

/// What it says itself. Times are asked as ages: the server's clock may be wrong. A name that ends in `.backup` or
/// `.history` is no file of the log: of the first, the file that the backup began in is archived; the other tells nothing.
const ARCHIVER: &str = "SELECT current_setting('server_version'), current_setting('archive_mode'), \
    (SELECT setting FROM pg_settings WHERE name = 'archive_timeout'), archived_count, \
    substring(last_archived_wal FROM '^[0-9A-F]{24}(?=$|[.][0-9A-F]{8}[.]backup$)'), \
    extract(epoch FROM clock_timestamp() - last_archived_time), failed_count, last_failed_wal, \
    extract(epoch FROM clock_timestamp() - last_failed_time), pg_walfile_name(pg_current_wal_lsn()) \
    FROM pg_stat_archiver";
/// The files of the log that are still there, the newest first. A recycled one has a name of the future.
const FILES: &str = "SELECT name, extract(epoch FROM clock_timestamp() - modification) FROM pg_ls_waldir() \
    WHERE name ~ '^[0-9A-F]{24}$' AND name <= pg_walfile_name(pg_current_wal_lsn()) ORDER BY name DESC LIMIT 1000";
/// What waits.
const WAITING: &str = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";

/// The nodes of one cluster.
#[derive(Debug)]
pub(super) struct Nodes(Vec<(String, Result<Link, LinkError>)>);

impl Nodes {
    /// To be asked within that time each.
    pub(super) fn new(nodes: &[NodeAt], deadline: Duration) -> Nodes {
        Nodes(nodes.iter().map(|node| (node.name.clone(), Link::new(&node.conninfo, deadline))).collect())
    }

    /// What the primary says about its archive.
    pub(super) async fn ask(&self, slot: Option<&str>, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Result<BackupAnswer, Fault> {
        let asked = join_all(self.0.iter().map(|(name, link)| async move { (name, primary(link).await) })).await;
        let (mut primaries, mut standbys, mut errors) = (Vec::new(), 0, Vec::new());
        for (name, asked) in asked {
            match asked {
                Ok(Some(session)) => primaries.push((name, session)),
                Ok(None) => standbys += 1,
                Err(error) => errors.push(error),
            }
        }
        if primaries.len() > 1 {
            let names: Vec<&str> = primaries.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Fault::unusable(format!(
                "{} all say that they are primary: whose archive counts is not known",
                names.join(" and ")
            )));
        }
        let Some((node, session)) = primaries.pop() else {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            if standbys == 0 && !errors.is_empty() && errors.iter().all(|error| matches!(error, LinkError::Refused(_))) {
                return Err(refused(told.join("; ")));
            }
            let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
            return Err(Fault::unusable(format!("no node is primary, {standbys} in recovery{told}")));
        };
        answer(node, &session, slot, clock()).await.map_err(|error| match error {
            LinkError::Refused(_) => refused(error.to_string()),
            error => Fault::unusable(error.to_string()),
        })
    }
}

/// The session with a node that is primary; `None` with one that is not.
async fn primary(link: &Result<Link, LinkError>) -> Result<Option<Session>, LinkError> {
    let session = link.as_ref().map_err(Clone::clone)?.open().await?;
    let rows = session.rows("SELECT pg_is_in_recovery()").await?;
    let standby = rows.first().and_then(|row| cell(row, 0)) == Some("t");
    Ok((!standby).then_some(session))
}

async fn answer(node: &str, session: &Session, slot: Option<&str>, at: Timestamp) -> Result<BackupAnswer, LinkError> {
    let rows = session.rows(ARCHIVER).await?;
    let row = rows.first().ok_or_else(|| LinkError::Unreachable("it did not answer as PostgreSQL does".to_owned()))?;
    let mut notes = Vec::new();
    let mut out = ArchiverSaid {
        node: node.to_owned(),
        at,
        mode: cell(row, 1).map(name).unwrap_or_default(),
        archived: number(row, 3).unwrap_or(0),
        last_archived: cell(row, 4).map(name),
        last_archived_at: ago(row, 5, at),
        failed: number(row, 6).unwrap_or(0),
        last_failed: cell(row, 7).map(name),
        last_failed_at: ago(row, 8, at),
        waiting: None,
        timeout: number::<i64>(row, 2).filter(|secs| *secs > 0).map(SignedDuration::from_secs),
        files: Vec::new(),
        idle: cell(row, 4).is_some() && cell(row, 4) == cell(row, 9),
        slot: None,
    };
    let by = format!("PostgreSQL {}", cell(row, 0).map(name).unwrap_or_default());
    match session.rows(FILES).await {
        Ok(rows) => out.files = rows.iter().filter_map(|row| Some((name(cell(row, 0)?), ago(row, 1, at)?))).collect(),
        Err(error) => notes.push(format!("the times of the log's files could not be read, a member of pg_monitor may: {error}")),
    }
    match session.rows(WAITING).await {
        Ok(rows) => out.waiting = rows.first().and_then(|row| number(row, 0)),
        Err(error) => notes.push(format!("how many files wait to be archived could not be read: {error}")),
    }
    if let Some(slot) = slot {
        match session.rows(&of_slot(slot)).await {
            Ok(rows) => out.slot = Some(slot_said(slot, rows.first(), &out)),
            Err(error) => notes.push(format!("the slot {slot} could not be read: {error}")),
        }
    }
    Ok(BackupAnswer { by, notes, archiver: Some(out), ..BackupAnswer::default() })
}

/// A slot's name is letters, digits and `_`: the estate file is refused with another.
fn of_slot(slot: &str) -> String {
    format!(
        "SELECT s.active, left(a.application_name, 64), pg_wal_lsn_diff(pg_current_wal_lsn(), a.flush_lsn), \
         pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), pg_walfile_name(coalesce(a.flush_lsn, s.restart_lsn)) \
         FROM pg_replication_slots AS s LEFT JOIN pg_stat_replication AS a ON a.pid = s.active_pid WHERE s.slot_name = '{slot}'"
    )
}

fn slot_said(slot: &str, row: Option<&Row>, said: &ArchiverSaid) -> SlotSaid {
    let Some(row) = row else { return SlotSaid { name: slot.to_owned(), ..SlotSaid::default() } };
    let bytes = |column| number::<i64>(row, column).map(|bytes| bytes.max(0).unsigned_abs());
    let behind = bytes(2);
    // All files before the one that it is in are flushed there; what it has of that one has no time.
    let file = cell(row, 4).unwrap_or_default();
    let before = said.files.iter().find(|(name, _)| !file.is_empty() && name.as_str() < file).map(|(_, at)| *at);
    SlotSaid {
        name: slot.to_owned(),
        there: true,
        active: cell(row, 0) == Some("t"),
        reader: cell(row, 1).map(name),
        behind,
        retained: bytes(3),
        until: if behind == Some(0) { Some(said.at) } else { before },
    }
}

fn cell(row: &Row, column: usize) -> Option<&str> {
    row.get(column)?.as_deref()
}

fn number<T: std::str::FromStr>(row: &Row, column: usize) -> Option<T> {
    cell(row, column)?.parse().ok()
}

/// The moment that many seconds before `at`; never after it.
fn ago(row: &Row, column: usize, at: Timestamp) -> Option<Timestamp> {
    let age = number::<f64>(row, column).filter(|age| age.is_finite())?;
    at.checked_sub(SignedDuration::try_from_secs_f64(age.max(0.0)).ok()?).ok()
}
