//! What the clients of a database take: connections, and transactions that stay open.

use jiff::SignedDuration;

use super::judge::{Trouble, TroubleKind, trouble};
use super::{Node, Said};
use crate::model::age;
use crate::model::estate::Severity;
use crate::model::metric;
use crate::model::panel::Unit;

/// What clients may take before it is a warning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Busy {
    /// The share of the connections that ordinary users may have, from 0 to 1.
    pub connections: f64,
    /// How long a transaction may stay open.
    pub transaction: SignedDuration,
    /// How long a transaction may stay open while its client asks nothing.
    pub idle: SignedDuration,
}

/// What holds where the estate file says nothing.
pub const BUSY: Busy = Busy { connections: 0.85, transaction: SignedDuration::from_hours(1), idle: SignedDuration::from_mins(10) };

impl Busy {
    /// The limits in words.
    pub(super) fn limits(&self) -> String {
        let (share, open, idle) = (metric::show(self.connections, Unit::Ratio), age::exact(self.transaction), age::exact(self.idle));
        format!("clients a warning from {share} of the connections, a transaction open for {open}, an idle one for {idle}")
    }
}

pub(super) fn judge(limits: &Busy, node: &Node, said: &Said, all: &mut Vec<Trouble>) {
    let name = &node.name;
    let free_to_all = said.max_connections.saturating_sub(said.reserved_connections);
    if let Some(taken) = said.connections.filter(|_| free_to_all > 0) {
        let severity = match taken {
            taken if taken >= free_to_all => Some(Severity::Critical),
            taken => (taken as f64 >= limits.connections * free_to_all as f64).then_some(Severity::Warning),
        };
        let kept = match said.reserved_connections {
            0 => String::new(),
            kept => format!(", {kept} more are kept for superusers"),
        };
        if let Some(severity) = severity {
            let what = format!("{name}: {taken} of {free_to_all} connections are taken{kept}");
            all.push(trouble(TroubleKind::Connections, severity, name, what));
        }
    }
    let whose = |of: &Option<String>| of.as_ref().map_or(String::new(), |of| format!(" ({of})"));
    let time = |seconds: f64| metric::show(seconds, Unit::Seconds);
    // An idle one holds locks and old rows for nothing: it is told before one that works.
    if let Some(idle) = said.longest_idle.filter(|idle| *idle >= limits.idle.as_secs_f64()) {
        let what = format!("{name}: a client has its transaction open and asked nothing for {}{}", time(idle), whose(&said.idle_of));
        all.push(trouble(TroubleKind::Transaction, Severity::Warning, name, what));
    } else if let Some(open) = said.longest_transaction.filter(|open| *open >= limits.transaction.as_secs_f64()) {
        let what = format!("{name}: a transaction is open for {}{}", time(open), whose(&said.longest_of));
        all.push(trouble(TroubleKind::Transaction, Severity::Warning, name, what));
    }
}
