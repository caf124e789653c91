//! What all that is known comes to in one word: what `qd status` exits with, and what is told line by line.

use jiff::Timestamp;

use crate::model::estate::Severity;
use crate::model::reading::{Freshness, Reading};
use crate::model::source::Answer;

use super::state::View;

/// The worst of services, needs and sources. The order of badness is [`Severity`]'s own: a warning that is known is told
/// before what is not known, and what is not known is never ok.
pub fn verdict(view: &View, readings: &[Reading<Answer>], now: Timestamp) -> Severity {
    let services = view.services.iter().map(|s| s.overall.severity);
    let needs = view.needs.iter().map(|n| n.severity);
    let sources = readings.iter().map(|r| of_source(r.freshness(now)));
    let worst = services.chain(needs).chain(sources).max().unwrap_or(Severity::Unknown);
    if worst == Severity::Info { Severity::Ok } else { worst }
}

/// What a source's state means for the whole.
pub fn of_source(freshness: Freshness) -> Severity {
    match freshness {
        Freshness::Fresh => Severity::Ok,
        Freshness::Stale | Freshness::Never => Severity::Unknown,
        Freshness::Unreachable | Freshness::Refused => Severity::Warning,
    }
}
