//! When each need is due, where something promises that: an objective, a certificate's end, a drill's cadence.

use std::sync::Arc;

use jiff::Timestamp;

use super::{About, Need, by_id, sort};
use crate::model::alert::{Alert, Origin};
use crate::model::backup::BackupState;
use crate::model::due::{Due, DueKind};
use crate::model::estate::{Estate, Severity};

/// Says when each need is due, and adds the drills that are late: nobody else tells of them.
pub fn with_due(needs: &mut Vec<Need>, estate: &Estate, alerts: &[Arc<Alert>], backups: &[BackupState], due: &[Due], now: Timestamp) {
    let known = by_id(alerts);
    for need in needs.iter_mut().filter(|need| need.due.is_none()) {
        let About::Alerts(_, ids) = &need.about else { continue };
        let of = ids.iter().filter_map(|id| known.get(id));
        need.due = of.filter_map(|alert| promised(estate, alert, backups, due)).min();
    }
    let late = due.iter().filter(|due| due.kind == DueKind::Drill && due.is_late(now));
    needs.extend(late.map(|due| Need {
        severity: Severity::Warning,
        about: About::Drill(due.name.clone()),
        what: format!("drill {} {}", due.name, due.what),
        action: "make the drill".into(),
        since: None,
        due: due.at,
        stale: false,
    }));
    sort(needs);
}

/// When an alert has to be dealt with. What is critical for a service takes from its RTO; a backup is late since its newest
/// point is older than its RPO; a certificate ends when it ends.
fn promised(estate: &Estate, alert: &Alert, backups: &[BackupState], due: &[Due]) -> Option<Timestamp> {
    if alert.origin == Origin::Quarterdeck {
        let place = estate.sources.iter().position(|source| *source.name == *alert.source)?;
        if let Some(state) = backups.iter().find(|state| state.source == place) {
            // Of all that is found of a backup only this runs out.
            if alert.name() != "exposure above objective" {
                return None;
            }
            return state.newest.as_ref()?.restores_to.checked_add(state.rpo()?).ok();
        }
        let certificate = due.iter().find(|due| due.kind == DueKind::Certificate && due.source == Some(place));
        if let Some(due) = certificate.filter(|due| due.severity >= Severity::Warning && alert.id.0.ends_with("\" ends")) {
            return due.at;
        }
    }
    if alert.severity < Severity::Critical {
        return None;
    }
    let of = estate.services.iter().filter(|service| service.labels.covers(&alert.labels));
    of.filter_map(|service| alert.starts_at.checked_add(estate.objective(Some(&service.name))?.rto?).ok()).min()
}
