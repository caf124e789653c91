//! A run: its whole report.

use crate::app::state::State;
use crate::model::run::report::report;

pub(super) fn text(state: &State, run: &str) -> Option<String> {
    let known = state.runs.find(run)?;
    let report = state.identity.typed(&report(&known.state, known.alive, &state.runs.head));
    let estate = state.identity.estate.as_ref().map_or(String::new(), |estate| format!(" --estate {estate}"));
    Some(format!("{}\n\nqd{estate} show {run} --report", report.trim_end()))
}
