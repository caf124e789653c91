//! A replicated PostgreSQL as its nodes tell it: who is primary, who follows and how far behind, what is kept for whom.
//! Each node is asked; no configuration is believed.

mod busy;
mod feed;
mod judge;
mod lost;
mod position;
mod quorum;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::estate::Severity;

pub use busy::{BUSY, Busy};
pub use judge::{Lag, Trouble, TroubleKind, troubles};
pub use lost::{Bound, LastPrimary};
pub use position::{Lsn, timeline_of};
pub use quorum::{Quorum, Wanted};

/// A database of the estate: the nodes of one replicated cluster, and how far a standby may be behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    /// Its nodes in the file's order.
    pub nodes: Vec<NodeAt>,
    /// From this lag on it is a warning.
    pub warn: Limit,
    /// From this lag on it is critical.
    pub critical: Option<Limit>,
    /// Bytes of log that a slot may retain.
    pub slot_limit: u64,
    /// What clients may take.
    pub busy: Busy,
}

/// Where a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAt {
    /// `host:port`, or the name of its service in `pg_service.conf`.
    pub name: String,
    /// How libpq would be told to connect; never with a password.
    pub conninfo: String,
}

/// How far a standby may be behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bytes of log between the primary's position and the standby's.
    Bytes(u64),
    /// The time that the primary's newest commits took to be replayed there.
    Time(SignedDuration),
}

/// `warn` where the estate file says nothing.
pub const WARN: Limit = Limit::Bytes(64 << 20);
/// `critical` where the estate file says nothing about any limit.
pub const CRITICAL: Limit = Limit::Bytes(1 << 30);
/// `slot_limit` where the estate file says nothing.
pub const SLOT_LIMIT: u64 = 10 << 30;

/// What the nodes said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DatabaseAnswer {
    /// In the estate file's order.
    pub nodes: Vec<Node>,
    /// Where no node, or more than one, takes writes: the one that did so last, as far as it was seen since this program
    /// began to watch.
    #[serde(default)]
    pub last_primary: Option<LastPrimary>,
}

/// One node at one poll.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Node {
    /// As the estate names it.
    pub name: String,
    /// Why it did not answer, one cleaned line.
    pub error: Option<String>,
    /// True where it did not answer because of the credentials.
    pub refused: bool,
    /// What it said, where it answered.
    pub said: Option<Said>,
}

/// What one node said of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Said {
    /// `pg_is_in_recovery()`: true for a standby.
    pub in_recovery: bool,
    /// `server_version`.
    pub version: String,
    /// The cluster's system identifier: the same for a primary and what was made from it.
    pub system: Option<String>,
    /// Of a primary the timeline that it writes, of a standby the one that it receives or has last checkpointed.
    pub timeline: Option<u32>,
    /// Of a primary: `pg_current_wal_lsn()`.
    pub written: Option<Lsn>,
    /// Of a standby: `pg_last_wal_receive_lsn()`. Goes back to a segment's start when the standby starts without its
    /// primary.
    pub received: Option<Lsn>,
    /// Of a standby: `pg_last_wal_replay_lsn()`.
    pub replayed: Option<Lsn>,
    /// Of a standby: `pg_last_xact_replay_timestamp()`, the newest commit that it holds. No lag: it ages while the
    /// primary is idle. Not there after a start until a commit came.
    pub newest_commit: Option<Timestamp>,
    /// Of a standby: true while its replay is paused.
    pub replay_paused: bool,
    /// Of a standby: what it receives from; `None` where nothing does.
    pub receiver: Option<Receiver>,
    /// Of any node: who receives from it.
    pub standbys: Vec<Standby>,
    /// Its slots.
    pub slots: Vec<Slot>,
    /// Its archiver; `None` where archiving is off.
    pub archiver: Option<Archiver>,
    /// `synchronous_standby_names`.
    pub synchronous: String,
    /// Connections of clients; `None` where they could not be counted.
    pub connections: Option<u64>,
    /// `max_connections`.
    pub max_connections: u64,
    /// Of these, so many are kept for superusers and the like.
    #[serde(default)]
    pub reserved_connections: u64,
    /// Seconds since the oldest open transaction of a client began; `None` where none is open.
    pub longest_transaction: Option<f64>,
    /// Whose that is: `pid 4711, user app, database shop`.
    #[serde(default)]
    pub longest_of: Option<String>,
    /// Seconds that a client has left its transaction open and asked nothing, the longest; `None` where none does.
    #[serde(default)]
    pub longest_idle: Option<f64>,
    /// Whose that is.
    #[serde(default)]
    pub idle_of: Option<String>,
    /// `max_slot_wal_keep_size` in bytes; `None` where a slot may keep all.
    #[serde(default)]
    pub slot_keep: Option<u64>,
    /// Databases with their bytes; `None` where the user may not ask.
    pub sizes: Vec<(String, Option<u64>)>,
    /// What could not be read and why, each a cleaned line.
    pub notes: Vec<String>,
}

/// `pg_stat_wal_receiver`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Receiver {
    /// `streaming`, `waiting`...; `None` where the user may not see it.
    pub status: Option<String>,
    /// Who sends, `host:port`.
    pub sender: Option<String>,
    /// Seconds since the last message of the sender, by the standby's own clock.
    pub receipt_age: Option<f64>,
    /// Its slot at the sender.
    pub slot: Option<String>,
    /// The `application_name` that it streams by.
    #[serde(default)]
    pub name: Option<String>,
}

/// One row of `pg_stat_replication`. All but the name is `None` where the user may not see it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standby {
    /// `application_name`.
    pub name: String,
    /// Its address.
    pub address: Option<String>,
    /// `streaming`, `catchup`, `startup`, `backup`.
    pub state: Option<String>,
    /// The slot that it reads.
    pub slot: Option<String>,
    /// `async`, `sync`, `potential`, `quorum`.
    pub sync: Option<String>,
    /// What it has replayed.
    pub replayed: Option<Lsn>,
    /// Bytes from the sender's position to what it has replayed.
    pub behind: Option<u64>,
    /// `replay_lag`, seconds. NULL, here `None`, on an idle primary: that is no lag and no missing one.
    pub replay_lag: Option<f64>,
}

/// One row of `pg_replication_slots`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// True for a logical one.
    pub logical: bool,
    /// True while someone reads it.
    pub active: bool,
    /// Bytes of log that are kept for it; `None` where it keeps none.
    pub retained: Option<u64>,
    /// `wal_status`: `reserved`, `extended`, `unreserved`, `lost`.
    pub status: Option<String>,
    /// `safe_wal_size`: bytes that may be written until it is in danger of being lost; `None` where nothing limits it.
    #[serde(default)]
    pub safe: Option<u64>,
}

/// `pg_stat_archiver`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Archiver {
    /// Files archived since the statistics began.
    pub archived: u64,
    /// The newest archived file.
    pub last_archived: Option<String>,
    /// When (UTC).
    pub last_archived_at: Option<Timestamp>,
    /// Failed tries.
    pub failed: u64,
    /// The file of the newest failed try.
    pub last_failed: Option<String>,
    /// When (UTC).
    pub last_failed_at: Option<Timestamp>,
}

impl Archiver {
    /// True where its newest try failed.
    pub fn is_failing(&self) -> bool {
        match (self.last_failed_at, self.last_archived_at) {
            (Some(failed), Some(archived)) => failed > archived,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

impl Said {
    /// How far it is: of a standby the greater of received and replayed, because the received position goes back when
    /// it is started again without its primary.
    pub fn position(&self) -> Option<Lsn> {
        if self.in_recovery { self.received.max(self.replayed) } else { self.written }
    }

    /// `primary` or `standby`.
    pub fn role(&self) -> &'static str {
        if self.in_recovery { "standby" } else { "primary" }
    }

    /// What it does in a word, and how good that is by itself.
    fn doing(&self) -> (Severity, &str) {
        match &self.receiver {
            _ if !self.in_recovery => (Severity::Ok, "writes"),
            _ if self.replay_paused => (Severity::Warning, "paused"),
            Some(receiver) => match receiver.status.as_deref() {
                Some("streaming") => (Severity::Ok, "streaming"),
                Some(other) => (Severity::Warning, other),
                None => (Severity::Unknown, "hidden"),
            },
            None => (Severity::Warning, "cut off"),
        }
    }

    /// How its archiver fares in a word; `None` where archiving is off.
    pub fn archiving(&self) -> Option<(Severity, &'static str)> {
        Some(match self.archiver.as_ref()? {
            archiver if archiver.is_failing() => (Severity::Critical, "fails"),
            archiver if archiver.last_archived_at.is_none() => (Severity::Info, "none yet"),
            _ => (Severity::Ok, "ok"),
        })
    }

    /// True where its receiver runs, as far as the user may see.
    pub fn streams(&self) -> bool {
        self.receiver.as_ref().is_some_and(|r| r.status.as_deref().is_none_or(|status| status == "streaming"))
    }
}

impl Node {
    /// `primary`, `standby`, or `?` where it did not answer.
    pub fn role(&self) -> &'static str {
        self.said.as_ref().map_or("?", Said::role)
    }
}

impl DatabaseAnswer {
    /// The nodes that say that they are not in recovery. More than one is the worst that there is.
    pub fn primaries(&self) -> impl Iterator<Item = (&Node, &Said)> {
        self.said().filter(|(_, said)| !said.in_recovery)
    }

    /// The nodes whose role is another than before, each a line: `db2:5432 is primary now, it was standby`. A node that
    /// did not answer, then or now, is none of them.
    pub fn turned(&self, before: &DatabaseAnswer) -> Vec<String> {
        let was = |name: &str| before.said().find(|(node, _)| node.name == name).map(|(_, said)| said.role());
        let told = |(node, said): (&Node, &Said)| {
            let (is, was) = (said.role(), was(&node.name)?);
            (is != was).then(|| format!("{} is {is} now, it was {was}", node.name))
        };
        self.said().filter_map(told).collect()
    }

    /// Its nodes, counted: `version 15.8, 1 primary, 2 standbys, 1 node gone`.
    pub fn summary(&self) -> String {
        let count = |of: &str, n: usize| if n == 1 { format!("1 {of}") } else { format!("{n} {of}s") };
        let standbys = self.said().filter(|(_, said)| said.in_recovery).count();
        let gone = self.nodes.iter().filter(|node| node.said.is_none()).count();
        let primaries = match self.primaries().count() {
            0 => "no primary".to_owned(),
            1 => "1 primary".to_owned(),
            n => format!("{n} PRIMARIES"),
        };
        let version = self.said().next().map_or(String::new(), |(_, said)| format!("version {}, ", said.version));
        let gone = if gone > 0 { format!(", {} gone", count("node", gone)) } else { String::new() };
        format!("{version}{primaries}, {}{gone}", count("standby", standbys))
    }

    /// The nodes that answered.
    pub fn said(&self) -> impl Iterator<Item = (&Node, &Said)> {
        self.nodes.iter().filter_map(|node| node.said.as_ref().map(|said| (node, said)))
    }

    /// What a node does in a word, and how good that is: to write is well only for one.
    pub fn doing<'s>(&self, said: &'s Said) -> (Severity, &'s str) {
        match said.doing() {
            (_, word) if !said.in_recovery && self.primaries().count() > 1 => (Severity::Critical, word),
            doing => doing,
        }
    }

    /// The one primary; `None` where there is none, or more than one.
    pub fn primary(&self) -> Option<(&Node, &Said)> {
        let mut primaries = self.primaries();
        let first = primaries.next()?;
        primaries.next().is_none().then_some(first)
    }

    /// How far a standby is behind the one primary. `None` for a primary, and where it cannot be said.
    pub fn lag(&self, said: &Said) -> Option<Lag> {
        if !said.in_recovery {
            return None;
        }
        let (_, primary) = self.primary()?;
        if primary.system.is_some() && said.system.is_some() && primary.system != said.system {
            return None;
        }
        let (at, here) = (primary.written?, said.position()?);
        // The nodes are asked at once, not at the same instant: a standby may have what came after the primary's answer.
        let bytes = at.0.saturating_sub(here.0);
        Some(Lag { bytes, seconds: self.seconds_behind(said) })
    }
}
