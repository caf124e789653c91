//! A run: its whole report.

use crate::app::operations::file_of;
use crate::app::state::State;
use crate::model::run::advice::typed;
use crate::model::run::report::report;

pub(super) fn text(state: &State, run: &str) -> Option<String> {
    let known = state.runs.find(run)?;
    let file = file_of(state, known);
    let report = typed(&report(&known.state, known.alive, &state.runs.head), file);
    let estate = file.map_or(String::new(), |estate| format!(" --estate {estate}"));
    Some(format!("{}\n\nqd{estate} show {run} --report", report.trim_end()))
}
