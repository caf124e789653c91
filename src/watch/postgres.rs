//! Asks every node of a PostgreSQL at once. A node that is down is said and hides no other; a try fails only where none
//! answered.

mod seen;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::link::http::LinkError;
use crate::link::postgres::{Node as Link, Row, Session};
use crate::model::database::{Archiver, DatabaseAnswer, Lsn, Node, Receiver, Said, Slot, Standby, timeline_of};
use crate::model::estate::{Source, SourceKind};
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::Answer;
use crate::model::text::{LABEL_CAP, clean};

use seen::Seen;

/// The node itself. What a standby or a primary does not have is NULL: asking would be an error there.
const ITSELF: &str = "SELECT r, current_setting('server_version'), \
    (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint()), \
    CASE WHEN NOT r THEN pg_walfile_name(pg_current_wal_lsn()) END, CASE WHEN NOT r THEN pg_current_wal_lsn() END, \
    CASE WHEN r THEN pg_last_wal_receive_lsn() END, CASE WHEN r THEN pg_last_wal_replay_lsn() END, \
    CASE WHEN r THEN extract(epoch FROM pg_last_xact_replay_timestamp()) END, \
    CASE WHEN r THEN pg_is_wal_replay_paused() END, current_setting('synchronous_standby_names'), \
    current_setting('max_connections'), current_setting('archive_mode'), \
    pg_has_role(current_user, 'pg_monitor', 'USAGE'), current_user, \
    current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int, \
    (SELECT CASE WHEN setting::bigint >= 0 THEN setting::bigint * 1048576 END FROM pg_settings WHERE name = 'max_slot_wal_keep_size') \
    FROM pg_is_in_recovery() AS r";
/// What its clients do: how many there are, whose transaction is open the longest, and whose is open for nothing.
const ACTIVITY: &str = "WITH a AS (SELECT extract(epoch FROM clock_timestamp() - xact_start) AS open, \
    CASE WHEN state LIKE 'idle in transaction%' THEN extract(epoch FROM clock_timestamp() - state_change) END AS idle, \
    format('pid %s, user %s, database %s', pid, usename, datname) || \
    CASE WHEN application_name <> '' THEN ', ' || left(application_name, 64) ELSE '' END AS who \
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) \
    SELECT (SELECT count(*) + 1 FROM a), o.open, o.who, i.idle, i.who FROM (SELECT 1) AS one \
    LEFT JOIN (SELECT open, who FROM a WHERE open IS NOT NULL ORDER BY open DESC LIMIT 1) AS o ON true \
    LEFT JOIN (SELECT idle, who FROM a WHERE idle IS NOT NULL ORDER BY idle DESC LIMIT 1) AS i ON true";
/// What it receives from.
const RECEIVER: &str = "SELECT status, sender_host, sender_port, slot_name, received_tli, \
    extract(epoch FROM clock_timestamp() - last_msg_receipt_time), \
    coalesce(substring(conninfo FROM '(?:^| )application_name=([^ ]+)'), substring(conninfo FROM 'fallback_application_name=([^ ]+)')) \
    FROM pg_stat_wal_receiver WHERE pid IS NOT NULL";
/// Who receives from it. Its own position is that of a cascade where it is a standby.
const STANDBYS: &str = "SELECT left(s.application_name, 64), host(s.client_addr), s.state, s.sync_state, s.replay_lsn, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.replay_lsn), \
    extract(epoch FROM s.replay_lag), l.slot_name \
    FROM pg_stat_replication AS s LEFT JOIN pg_replication_slots AS l ON l.active_pid = s.pid \
    ORDER BY 1, 2 LIMIT 1000";
/// What it keeps for whom.
const SLOTS: &str = "SELECT slot_name, slot_type, active, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), \
    wal_status, safe_wal_size FROM pg_replication_slots ORDER BY 4 DESC NULLS LAST LIMIT 1000";
/// Its archiver.
const ARCHIVER: &str = "SELECT archived_count, last_archived_wal, extract(epoch FROM last_archived_time), \
    failed_count, last_failed_wal, extract(epoch FROM last_failed_time) FROM pg_stat_archiver";
/// Its databases, the largest first.
const SIZES: &str = "SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
    THEN pg_database_size(oid) END FROM pg_database WHERE datallowconn ORDER BY 2 DESC NULLS LAST LIMIT 200";

/// Asks the nodes of one database.
#[derive(Debug)]
pub(crate) struct Postgres {
    nodes: Vec<(String, Result<Link, LinkError>)>,
    /// What was seen of the primary, for when it is gone.
    seen: Mutex<Seen>,
}

impl Postgres {
    /// A reader of that source; `None` where it is something else.
    pub(crate) fn new(source: &Source) -> Option<Postgres> {
        let SourceKind::Database(database) = &source.kind else { return None };
        let deadline: Duration = source.timeout.unsigned_abs();
        let nodes = database.nodes.iter().map(|node| (node.name.clone(), Link::new(&node.conninfo, deadline)));
        Some(Postgres { nodes: nodes.collect(), seen: Mutex::default() })
    }

    /// One poll.
    pub(crate) async fn poll(&self, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Outcome<Answer> {
        let nodes = join_all(self.nodes.iter().map(|(name, link)| node(name, link))).await;
        let at = clock();
        if nodes.iter().any(|node| node.said.is_some()) {
            let mut answer = DatabaseAnswer { nodes, last_primary: None };
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).look(&mut answer, at);
            return Outcome::Value { value: Answer::Database(Arc::new(answer)), as_of: at };
        }
        let refused = !nodes.is_empty() && nodes.iter().all(|node| node.refused);
        let told: Vec<&str> = nodes.iter().filter_map(|node| node.error.as_deref()).collect();
        let kind = if refused { FailureKind::Refused } else { FailureKind::Unreachable };
        Outcome::Failed { kind, what: format!("no node answers: {}", told.join("; ")), at }
    }
}

async fn node(name: &str, link: &Result<Link, LinkError>) -> Node {
    let empty = Node { name: name.to_owned(), ..Node::default() };
    let asked = match link {
        Ok(link) => ask(link).await,
        Err(error) => Err(error.clone()),
    };
    match asked {
        Ok(said) => Node { said: Some(said), ..empty },
        Err(error) => Node { refused: matches!(error, LinkError::Refused(_)), error: Some(error.to_string()), ..empty },
    }
}

async fn ask(link: &Link) -> Result<Said, LinkError> {
    let session = link.open().await?;
    let mut said = itself(&session.rows(ITSELF).await?)?;
    // A part that cannot be read is a note: the others are worth telling.
    if let Some(rows) = part(&session, "connections", ACTIVITY, &mut said).await {
        activity(&rows, &mut said);
    }
    if said.in_recovery
        && let Some(rows) = part(&session, "receiver", RECEIVER, &mut said).await
    {
        receiver(&rows, &mut said);
    }
    if let Some(rows) = part(&session, "standbys", STANDBYS, &mut said).await {
        said.standbys = rows.iter().map(standby).collect();
    }
    if let Some(rows) = part(&session, "slots", SLOTS, &mut said).await {
        said.slots = rows.iter().map(slot).collect();
    }
    if said.archiver.is_some()
        && let Some(rows) = part(&session, "archiver", ARCHIVER, &mut said).await
    {
        said.archiver = rows.first().map(archiver);
    }
    if let Some(rows) = part(&session, "sizes", SIZES, &mut said).await {
        said.sizes = rows.iter().map(|row| (text(row, 0).unwrap_or_default(), number(row, 1))).collect();
    }
    Ok(said)
}

async fn part(session: &Session, what: &str, statement: &str, said: &mut Said) -> Option<Vec<Row>> {
    match session.rows(statement).await {
        Ok(rows) => Some(rows),
        Err(error) => {
            said.notes.push(format!("{what} could not be read: {error}"));
            None
        }
    }
}

fn itself(rows: &[Row]) -> Result<Said, LinkError> {
    let wrong = || LinkError::Unreachable("it did not answer as PostgreSQL does".to_owned());
    let row = rows.first().ok_or_else(wrong)?;
    let in_recovery = flag(row, 0).ok_or_else(wrong)?;
    let written = text(row, 4).as_deref().and_then(timeline_of);
    let mut notes = Vec::new();
    if flag(row, 13) == Some(false) {
        let user = text(row, 14).unwrap_or_default();
        notes.push(format!("the user {user} is no member of pg_monitor: states, positions and sizes of others are hidden from it"));
    }
    Ok(Said {
        in_recovery,
        // Debian and others write the name of their package behind it.
        version: text(row, 1).unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned(),
        system: text(row, 2),
        // After a promotion the control file says the old timeline until a checkpoint: the newest file knows better.
        timeline: written.or_else(|| number(row, 3)),
        written: lsn(row, 5),
        received: lsn(row, 6),
        replayed: lsn(row, 7),
        newest_commit: moment(row, 8),
        replay_paused: flag(row, 9).unwrap_or(false),
        synchronous: text(row, 10).unwrap_or_default(),
        max_connections: number(row, 11).unwrap_or(0),
        reserved_connections: number(row, 15).unwrap_or(0),
        slot_keep: number(row, 16),
        // A standby archives only where it is told to `always`.
        archiver: match text(row, 12).as_deref() {
            Some("always") => Some(Archiver::default()),
            Some("on") if !in_recovery => Some(Archiver::default()),
            _ => None,
        },
        notes,
        ..Said::default()
    })
}

fn activity(rows: &[Row], said: &mut Said) {
    let Some(row) = rows.first() else { return };
    said.connections = number(row, 0);
    (said.longest_transaction, said.longest_of) = (seconds(row, 1), text(row, 2));
    (said.longest_idle, said.idle_of) = (seconds(row, 3), text(row, 4));
}

fn receiver(rows: &[Row], said: &mut Said) {
    let Some(row) = rows.first() else { return };
    // The control file of a standby is behind what it receives.
    said.timeline = number(row, 4).or(said.timeline);
    let sender = text(row, 1).map(|host| format!("{host}:{}", text(row, 2).unwrap_or_default()));
    said.receiver = Some(Receiver { status: text(row, 0), sender, receipt_age: seconds(row, 5), slot: text(row, 3), name: text(row, 6) });
}

fn standby(row: &Row) -> Standby {
    Standby {
        name: text(row, 0).unwrap_or_default(),
        address: text(row, 1),
        state: text(row, 2),
        sync: text(row, 3),
        replayed: lsn(row, 4),
        // It may have replayed what came after the primary's own position was read: no lag is below zero.
        behind: number::<i64>(row, 5).map(|bytes| bytes.max(0).unsigned_abs()),
        replay_lag: seconds(row, 6),
        slot: text(row, 7),
    }
}

fn slot(row: &Row) -> Slot {
    Slot {
        name: text(row, 0).unwrap_or_default(),
        logical: text(row, 1).as_deref() == Some("logical"),
        active: flag(row, 2).unwrap_or(false),
        retained: number::<i64>(row, 3).map(|bytes| bytes.max(0).unsigned_abs()),
        status: text(row, 4),
        // Below zero it is lost already, or will be.
        safe: number::<i64>(row, 5).map(|bytes| bytes.max(0).unsigned_abs()),
    }
}

fn archiver(row: &Row) -> Archiver {
    Archiver {
        archived: number(row, 0).unwrap_or(0),
        last_archived: text(row, 1),
        last_archived_at: moment(row, 2),
        failed: number(row, 3).unwrap_or(0),
        last_failed: text(row, 4),
        last_failed_at: moment(row, 5),
    }
}

fn cell(row: &Row, column: usize) -> Option<&str> {
    row.get(column)?.as_deref()
}

/// The text of a column, cleaned.
fn text(row: &Row, column: usize) -> Option<String> {
    cell(row, column).map(|text| clean(text, LABEL_CAP).into_owned())
}

fn number<T: std::str::FromStr>(row: &Row, column: usize) -> Option<T> {
    cell(row, column)?.parse().ok()
}

/// Seconds; never below zero, as a clock that is set back would make them.
fn seconds(row: &Row, column: usize) -> Option<f64> {
    number::<f64>(row, column).filter(|s| s.is_finite()).map(|s| s.max(0.0))
}

fn flag(row: &Row, column: usize) -> Option<bool> {
    match cell(row, column)? {
        "t" => Some(true),
        "f" => Some(false),
        _ => None,
    }
}

fn lsn(row: &Row, column: usize) -> Option<Lsn> {
    number(row, column)
}

fn moment(row: &Row, column: usize) -> Option<Timestamp> {
    let at = number::<f64>(row, column)?;
    Timestamp::from_microsecond((at * 1e6) as i64).ok()
}
