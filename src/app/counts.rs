//! The numbers of the second line: how much is critical, a warning, information, muted. One severity on one screen: what
//! stands among the needs as critical is counted as that, whether an alert tells it or not. A panel beyond its limit is so
//! although its rule has not held for long enough to fire; to call it less would hide what its limit says.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::estate::{Estate, Severity};
use crate::model::finding;
use crate::model::needs::{About, Need};

/// What counts: critical, warning, info, muted; and how many of these are no alerts.
pub fn counts(estate: &Estate, alerts: &[Arc<Alert>], needs: &[Need]) -> ([usize; 4], usize) {
    let mut counts = of_alerts(estate, alerts);
    let besides = count_besides(&mut counts, alerts, needs);
    (counts, besides)
}

fn of_alerts(estate: &Estate, alerts: &[Arc<Alert>]) -> [usize; 4] {
    let mut counts = [0; 4];
    for alert in alerts.iter().filter(|alert| !estate.is_dead_man(&alert.labels)) {
        let place = match (alert.state, alert.severity) {
            (state, _) if state.is_quiet() => 3,
            (AlertState::Pending, _) => 2,
            (_, Severity::Critical) => 0,
            (_, Severity::Warning) => 1,
            _ => 2,
        };
        counts[place] += 1;
    }
    counts
}

/// Counts the needs that no alert tells, and says how many these are.
fn count_besides(counts: &mut [usize; 4], alerts: &[Arc<Alert>], needs: &[Need]) -> usize {
    let told: HashSet<&str> = alerts.iter().filter(|alert| finding::tells_of_source(alert)).map(|alert| &*alert.source).collect();
    let mut besides = 0;
    for need in needs {
        let place = match (&need.about, need.severity) {
            (About::Alerts(..), _) => continue,
            (About::Source(name), _) if told.contains(name.as_str()) => continue,
            (_, Severity::Critical) => 0,
            (_, Severity::Warning) => 1,
            _ => continue,
        };
        counts[place] += 1;
        besides += 1;
    }
    besides
}
