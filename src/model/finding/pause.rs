//! The times in which nobody looked at a page or a probe, and what they mean for what is computed from its kept samples:
//! a rate that reaches back into such a time has too few samples yet, and what held on both sides of it has lasted.

use jiff::{SignedDuration, Timestamp};

use crate::model::panel::{Ask, Panel, Shape};
use crate::model::reading::Held;
use crate::model::source::{Answer, History};

/// What was not looked at for longer than this may have ended and begun again: it begins anew. As Prometheus has it,
/// when it takes up its pending alerts after a restart (`--rules.alert.for-outage-tolerance`).
pub(super) const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// How the samples lie from which a panel's values are computed.
pub(super) struct Looks<'a> {
    history: &'a History,
    /// How far back a value reaches; zero where it is a sample.
    over: SignedDuration,
    every: SignedDuration,
}

impl<'a> Looks<'a> {
    /// Of a panel whose source keeps its own samples; `None` of others: a server's answer is whole.
    pub fn of(panel: &Panel, held: &'a Held<Answer>, every: SignedDuration) -> Option<Looks<'a>> {
        let history: &History = match &held.value {
            Answer::Exposition(answer) => &answer.history,
            Answer::Probe(answer) => &answer.history,
            Answer::Prometheus(_) | Answer::Alertmanager(_) | Answer::Backup(_) | Answer::Database(_) | Answer::History(_) => return None,
        };
        let over = match &panel.ask {
            Ask::Form(form) => match form.shape {
                Shape::Value => SignedDuration::ZERO,
                Shape::Rate { over } | Shape::Ratio { over, .. } | Shape::Quantile { over, .. } => over,
            },
            Ask::Promql(_) => SignedDuration::ZERO,
        };
        Some(Looks { history, over, every })
    }

    /// True where too few samples are kept yet for the panel to have a value at `at`: the first of all, or the first after
    /// a time without any, as long as the computation does not reach back beyond that.
    pub fn is_young(&self, at: Timestamp) -> bool {
        let soon = |since: Timestamp| at.duration_since(since) < self.over + self.every * 3;
        let alone = |from: Timestamp| at.duration_since(from) >= self.over;
        self.history.since.is_none_or(soon) || self.history.pauses.iter().any(|(from, to)| soon(*to) && alone(*from))
    }

    /// True where a value rests on less of the past than it should: that it is well says nothing yet.
    pub fn is_filling(&self, at: Timestamp) -> bool {
        !self.over.is_zero() && self.is_young(at)
    }

    /// True of a moment at which nobody looked, or of whose value too much was not seen, where that was not for long.
    pub fn is_unseen(&self, time: Timestamp) -> bool {
        let within = |(from, to): &(Timestamp, Timestamp)| {
            time > *from && time.duration_since(*to) < self.over.max(self.every) && to.duration_since(*from) <= REMEMBERED
        };
        self.history.pauses.iter().any(within)
    }
}
