//! What is wrong with a replicated database, the worst first.

use jiff::Timestamp;

use super::{Database, DatabaseAnswer, Limit, Node, Quorum, Said, Slot, Standby, busy};
use crate::model::age;
use crate::model::estate::Severity;
use crate::model::metric;
use crate::model::panel::Unit;

/// Seconds without a message after which a receiver is called silent. A sender says something at least every half
/// `wal_sender_timeout`, 30 s as PostgreSQL comes; a receiver gives up after 60 s.
const SILENT: f64 = 45.0;

/// A slot is near its end where less than this part of what it may keep is left.
const NEAR: u64 = 5;

/// How far a standby is behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// Bytes of log.
    pub bytes: u64,
    /// Seconds that the newest commits took to be replayed; `None` where the primary does not say, as when it is idle.
    pub seconds: Option<f64>,
}

impl Lag {
    /// How bad it is by the limits of that database; `None` where it is within them.
    pub fn severity(self, database: &Database) -> Option<Severity> {
        match database.critical.is_some_and(|limit| self.reaches(limit)) {
            true => Some(Severity::Critical),
            false => self.reaches(database.warn).then_some(Severity::Warning),
        }
    }

    /// True where the limit is reached. What is not known reaches no limit of time.
    pub fn reaches(self, limit: Limit) -> bool {
        match limit {
            Limit::Bytes(most) => self.bytes >= most,
            Limit::Time(most) => self.seconds.is_some_and(|seconds| seconds >= most.as_secs_f64()),
        }
    }
}

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TroubleKind {
    /// More than one node takes writes.
    TwoPrimaries,
    /// All nodes answered and none takes writes.
    NoPrimary,
    /// Some name of `synchronous_standby_names` is not there.
    Synchronous,
    /// A node did not answer.
    NodeGone,
    /// A standby receives nothing.
    StandbyGone,
    /// A standby is behind its limit.
    Lag,
    /// A standby replays nothing because someone said so.
    Paused,
    /// The nodes are not of one cluster.
    Stranger,
    /// A standby follows another timeline than the primary's.
    Timeline,
    /// The archiver fails.
    Archiver,
    /// A slot retains too much, or was lost.
    Slot,
    /// Hardly a connection is left for clients.
    Connections,
    /// A transaction has been open for long.
    Transaction,
}

impl TroubleKind {
    /// The `alertname` of its finding.
    pub fn name(self) -> &'static str {
        match self {
            TroubleKind::TwoPrimaries => "TWO PRIMARIES",
            TroubleKind::NoPrimary => "no primary",
            TroubleKind::Synchronous => "synchronous standby missing",
            TroubleKind::NodeGone => "database node gone",
            TroubleKind::StandbyGone => "standby gone",
            TroubleKind::Lag => "standby lags",
            TroubleKind::Paused => "replay paused",
            TroubleKind::Stranger => "node of another cluster",
            TroubleKind::Timeline => "standby on another timeline",
            TroubleKind::Archiver => "archiver fails",
            TroubleKind::Slot => "slot retains log",
            TroubleKind::Connections => "connections run out",
            TroubleKind::Transaction => "transaction open for long",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// How bad.
    pub severity: Severity,
    /// Whose: a node, with the slot's name where it is a slot's. Empty for the whole.
    pub of: String,
    /// One line.
    pub what: String,
    /// Since when (UTC), where the nodes tell.
    pub since: Option<Timestamp>,
}

/// All that is wrong, the worst first.
pub fn troubles(database: &Database, answer: &DatabaseAnswer) -> Vec<Trouble> {
    let mut all = Vec::new();
    roles(answer, &mut all);
    for node in &answer.nodes {
        match &node.said {
            None => {
                // The reason begins with the node's name.
                let what = node.error.clone().unwrap_or_else(|| format!("{} did not answer", node.name));
                all.push(trouble(TroubleKind::NodeGone, Severity::Warning, &node.name, what));
            }
            Some(said) if said.in_recovery => standby(database, answer, node, said, &mut all),
            Some(said) => synchronous(node, said, &mut all),
        }
        if let Some(said) = &node.said {
            archiver(node, said, &mut all);
            slots(database, node, said, &mut all);
            busy::judge(&database.busy, node, said, &mut all);
        }
    }
    all.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.kind.cmp(&b.kind)));
    all
}

pub(super) fn trouble(kind: TroubleKind, severity: Severity, of: &str, what: String) -> Trouble {
    Trouble { kind, severity, of: of.to_owned(), what, since: None }
}

fn roles(answer: &DatabaseAnswer, all: &mut Vec<Trouble>) {
    let primaries: Vec<(&Node, &Said)> = answer.primaries().collect();
    if primaries.len() > 1 {
        let told = |(node, said): &(&Node, &Said)| match (said.timeline, said.written) {
            (Some(timeline), Some(at)) => format!("{} (timeline {timeline}, at {at})", node.name),
            _ => node.name.clone(),
        };
        let names: Vec<String> = primaries.iter().map(told).collect();
        let what = format!("{} nodes take writes at once: {}", primaries.len(), names.join(" and "));
        all.push(trouble(TroubleKind::TwoPrimaries, Severity::Critical, "", what));
    } else if primaries.is_empty() {
        let silent = answer.nodes.iter().filter(|node| node.said.is_none()).count();
        let what = match silent {
            0 => "no node takes writes: all of them are standbys".to_owned(),
            silent => format!("no node that answers takes writes; {silent} of {} did not answer", answer.nodes.len()),
        };
        let bounds = answer.said().filter_map(|(node, said)| Some(format!("{} may lack {}", node.name, answer.bound(said)?.text())));
        // Without a look at it before it went, no bound is known.
        let last = answer.last_seen().into_iter().chain(bounds).fold(String::new(), |all, one| format!("{all}; {one}"));
        let what = what + &last;
        all.push(trouble(TroubleKind::NoPrimary, Severity::Critical, "", what));
    }
    let mut systems = answer.said().filter_map(|(node, said)| said.system.as_deref().map(|system| (node, system)));
    if let Some((first, system)) = systems.next() {
        for (node, other) in systems.filter(|(_, other)| *other != system) {
            let what = format!("{} is of another cluster ({other}) than {} ({system})", node.name, first.name);
            all.push(trouble(TroubleKind::Stranger, Severity::Critical, &node.name, what));
        }
    }
}

fn standby(database: &Database, answer: &DatabaseAnswer, node: &Node, said: &Said, all: &mut Vec<Trouble>) {
    let name = &node.name;
    if !said.streams() {
        let status = said.receiver.as_ref().and_then(|r| r.status.as_deref());
        let how =
            status.map_or("receives nothing: no receiver runs".to_owned(), |status| format!("receives nothing: its receiver is {status}"));
        let held = said.newest_commit.map_or(String::new(), |at| format!("; the newest commit that it holds is of {at:.0}"));
        all.push(trouble(TroubleKind::StandbyGone, Severity::Warning, name, format!("{name} {how}{held}")));
    } else if let Some(silent) = said.receiver.as_ref().and_then(|r| r.receipt_age).filter(|age| *age >= SILENT) {
        let what = format!("{name} has heard nothing of its sender for {}", metric::show(silent, Unit::Seconds));
        all.push(trouble(TroubleKind::StandbyGone, Severity::Warning, name, what));
    }
    if said.replay_paused {
        // What it has received is not lost; who reads there reads what is old, and a takeover replays it first.
        let waiting = said.received.zip(said.replayed).map_or(0, |(received, replayed)| received.0.saturating_sub(replayed.0));
        let what = format!("{name}: its replay is paused, {} that it has received wait", metric::show(waiting as f64, Unit::Bytes));
        all.push(trouble(TroubleKind::Paused, Severity::Warning, name, what));
    }
    if let Some(lag) = answer.lag(said)
        && let Some(severity) = lag.severity(database)
    {
        let bytes = metric::show(lag.bytes as f64, Unit::Bytes);
        let what = match lag.seconds.map(|seconds| metric::show(seconds, Unit::Seconds)) {
            // All is there, and would not be lost: it is only old to those who read it.
            Some(time) if lag.bytes == 0 => format!("{name} replays {time} late what it has received"),
            Some(time) => format!("{name} is {bytes}, {time} behind"),
            None => format!("{name} is {bytes} behind"),
        };
        all.push(trouble(TroubleKind::Lag, severity, name, what));
    }
    if let Some((primary, of)) = answer.primary()
        && let (Some(theirs), Some(here)) = (of.timeline, said.timeline)
        && theirs != here
    {
        let what = format!("{name} is on timeline {here}, {} writes timeline {theirs}", primary.name);
        all.push(trouble(TroubleKind::Timeline, Severity::Warning, name, what));
    }
}

fn synchronous(node: &Node, said: &Said, all: &mut Vec<Trouble>) {
    let Some(quorum) = Quorum::parse(&said.synchronous) else { return };
    let there: Vec<&str> = said.standbys.iter().filter(|s| s.counts()).map(|s| s.name.as_str()).collect();
    let missing = quorum.unanswered(&there);
    if missing.is_empty() {
        return;
    }
    let names = missing.join(" ");
    let (severity, what) = if quorum.hangs(&there) {
        (Severity::Critical, format!("{}: nobody answers as synchronous standby {names}: every commit waits without end", node.name))
    } else {
        (Severity::Warning, format!("{}: nobody answers as synchronous standby {names}", node.name))
    };
    all.push(trouble(TroubleKind::Synchronous, severity, &node.name, what));
}

fn archiver(node: &Node, said: &Said, all: &mut Vec<Trouble>) {
    let Some(archiver) = said.archiver.as_ref().filter(|a| a.is_failing()) else { return };
    let file = archiver.last_failed.as_deref().unwrap_or("a file");
    let since = match archiver.last_archived_at {
        Some(at) => format!("nothing was archived since {at:.0}"),
        None => "nothing was ever archived".to_owned(),
    };
    let what = format!("{}: archiving {file} fails, {} times by now; {since}", node.name, archiver.failed);
    all.push(Trouble { since: archiver.last_archived_at, ..trouble(TroubleKind::Archiver, Severity::Critical, &node.name, what) });
}

fn slots(database: &Database, node: &Node, said: &Said, all: &mut Vec<Trouble>) {
    for slot in &said.slots {
        if let Some((severity, what)) = slot_trouble(database, said, slot) {
            let (of, what) = (format!("{} {}", node.name, slot.name), format!("{}: the {} {} {what}", node.name, slot.kind(), slot.name));
            all.push(trouble(TroubleKind::Slot, severity, &of, what));
        }
    }
}

fn slot_trouble(database: &Database, said: &Said, slot: &Slot) -> Option<(Severity, String)> {
    let bytes = |n: u64| metric::show(n as f64, Unit::Bytes);
    let kept = slot.retained.map_or("log".to_owned(), |kept| format!("{} of log", bytes(kept)));
    let reader = if slot.active { "" } else { " and nobody reads it" };
    match (slot.status.as_deref(), slot.safe, said.slot_keep) {
        (Some("lost"), ..) => return Some((Severity::Critical, "has lost its log: who reads it must be made anew".to_owned())),
        (Some("unreserved"), ..) => {
            return Some((
                Severity::Critical,
                format!("keeps {kept}{reader}: it is beyond the server's own limit and lost at the next checkpoint"),
            ));
        }
        (_, Some(safe), Some(most)) if safe <= most / NEAR => {
            let what = format!("keeps {kept}{reader}: after {} more it may be lost (max_slot_wal_keep_size {})", bytes(safe), bytes(most));
            return Some((Severity::Warning, what));
        }
        _ => {}
    }
    if slot.retained.is_some_and(|kept| kept >= database.slot_limit) {
        return Some((Severity::Warning, format!("keeps {kept}{reader}")));
    }
    // What a slot keeps anyway is no harm yet; that nobody reads it is told, and is a warning once it costs space.
    if !slot.active && slot.retained.is_some() {
        let severity = if slot.status.as_deref() == Some("extended") { Severity::Warning } else { Severity::Info };
        return Some((severity, format!("is read by nobody and keeps {kept}")));
    }
    None
}

impl Slot {
    /// What it is called: a logical one holds back more than log, and no standby reads it.
    pub fn kind(&self) -> &'static str {
        if self.logical { "logical slot" } else { "slot" }
    }
}

impl Standby {
    /// True where its answers count for commits: it streams, as far as the user may see.
    pub fn counts(&self) -> bool {
        self.state.as_deref().is_none_or(|state| state == "streaming")
    }
}

impl Database {
    /// The limits in words: `warn 64 MiB, critical 1 GiB`.
    pub fn limits(&self) -> String {
        let word = |limit: Limit| match limit {
            Limit::Bytes(bytes) => metric::show(bytes as f64, Unit::Bytes),
            Limit::Time(time) => age::exact(time),
        };
        let critical = self.critical.map_or(String::new(), |limit| format!(", critical from {}", word(limit)));
        format!(
            "lag a warning from {}{critical}; a slot may keep {}; {}",
            word(self.warn),
            metric::show(self.slot_limit as f64, Unit::Bytes),
            self.busy.limits()
        )
    }
}
