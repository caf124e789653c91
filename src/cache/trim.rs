//! What of an answer is worth keeping: all of it while it is small, else the worst of it.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::reading::Held;
use crate::model::source::Answer;

/// Alerts kept of one source, the worst first.
pub(super) const ALERTS_CAP: usize = 2_000;
/// Bytes of one row.
pub(super) const ROW_CAP: usize = 8 << 20;
/// Deployments kept of one source, the newest first: the whole is read again at the next start.
pub(super) const DEPLOYMENTS_CAP: usize = 1_000;
/// Alerts kept where the row would be too large: annotations may be long.
const FEW_ALERTS: usize = 200;

/// The reading as JSON, trimmed until it fits; `None` where it never does.
pub(super) fn to_json(held: &Held<Answer>) -> Result<Option<Vec<u8>>, serde_json::Error> {
    for (alerts, whole) in [(ALERTS_CAP, true), (ALERTS_CAP, false), (FEW_ALERTS, false)] {
        let value = trimmed(&held.value, alerts, whole);
        let json = serde_json::to_vec(&Held { value, as_of: held.as_of, cached: held.cached })?;
        if json.len() <= ROW_CAP {
            return Ok(Some(json));
        }
    }
    Ok(None)
}

/// At most so many alerts; without `whole` neither plots nor groups.
fn trimmed(answer: &Answer, alerts: usize, whole: bool) -> Answer {
    let mut answer = answer.clone();
    match &mut answer {
        // Nothing is copied where nothing is trimmed.
        Answer::Prometheus(known) if known.alerts.len() > alerts || !whole => {
            let known = Arc::make_mut(known);
            known.alerts.truncate(alerts);
            if !whole {
                known.panels.values_mut().for_each(|panel| (panel.plot, panel.judged) = (None, None));
            }
        }
        Answer::Alertmanager(known) if known.alerts.len() > alerts || !whole => {
            let known = Arc::make_mut(known);
            known.alerts.truncate(alerts);
            let kept: HashSet<&str> = known.alerts.iter().map(|alert| &*alert.fingerprint).collect();
            known.groups.iter_mut().for_each(|group| group.alerts.retain(|fingerprint| kept.contains(&**fingerprint)));
            known.groups.retain(|group| whole && !group.alerts.is_empty());
        }
        Answer::History(known) if known.deployments.len() > DEPLOYMENTS_CAP => {
            let known = Arc::make_mut(known);
            known.dropped += known.deployments.len() - DEPLOYMENTS_CAP;
            known.deployments.truncate(DEPLOYMENTS_CAP);
        }
        _ => {}
    }
    answer
}
