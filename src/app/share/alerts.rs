//! Alerts of one name that need a person, as one need of the Overview stands for them: how many they are, what all of them
//! have in common, and the first of them. Of one alone a colleague would not learn that there are others.

use std::sync::Arc;

use crate::app::filter::quoted;
use crate::app::layer::Pane;
use crate::app::state::State;
use crate::app::when;
use crate::model::alert::{Alert, Apart};
use crate::model::estate::Severity;
use crate::model::needs::calls;

use super::command;

/// Alerts that are told one by one; the rest is counted.
const TOLD: usize = 10;

/// The text; `None` where there is none of them any more.
pub(super) fn text(state: &State, name: &str, severity: Severity) -> Option<String> {
    let is_one = |alert: &&Arc<Alert>| alert.severity == severity && alert.name() == name && calls(&state.estate, alert);
    let all: Vec<&Arc<Alert>> = state.shown().alerts.iter().filter(is_one).collect();
    let first = all.first()?;
    let mut lines = vec![format!("ALERTS {name} x{}: {}", all.len(), severity.word())];
    let of = |newest: bool| {
        let times = all.iter().map(|alert| alert.starts_at);
        if newest { times.max() } else { times.min() }.map_or_else(String::new, |at| when::both(state, at))
    };
    lines.push(format!("  oldest     {}", of(false)));
    lines.push(format!("  newest     {}", of(true)));
    let common = first.labels.iter().filter(|(label, value)| all.iter().all(|alert| alert.labels.get(label) == Some(*value)));
    let common: Vec<String> = common.map(|(label, value)| format!("{label}={}", quoted(value))).collect();
    lines.push(format!("  all have   {}", common.join(" ")));
    if let Some(runbook) = all.iter().find_map(|alert| alert.runbook()) {
        lines.push(format!("  runbook    {runbook}"));
    }
    lines.push(String::new());
    let apart = Apart::of(all.iter().copied());
    for alert in all.iter().take(TOLD) {
        let which = apart.line(alert);
        let which = if which.is_empty() { String::new() } else { format!("{which}: ") };
        lines.push(format!("  since {}  {which}{}", when::full(state, alert.starts_at), alert.summary()));
    }
    if all.len() > TOLD {
        lines.push(format!("  and {} more", all.len() - TOLD));
    }
    let filter = format!("alertname={}", quoted(name));
    Some(format!("{}\n\n{}", lines.join("\n"), command(state, Pane::Alerts, &filter)))
}
