//! What changed since the console was opened: alerts, silences and sources, told as they are seen to change.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::alert::{Alert, AlertId, AlertState, Apart};
use super::estate::Severity;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When it was seen (UTC).
    pub at: Timestamp,
    /// How bad the new state is; `Ok` for an end of something bad.
    pub severity: Severity,
    /// What changed, one line.
    pub what: String,
    /// The alert that it is about, as it was then.
    pub alert: Option<Arc<Alert>>,
    /// The source that it is about, by name, where it is about one.
    pub source: Option<String>,
}

/// Changes kept; the oldest go first.
pub const CHANGES_CAP: usize = 500;

/// Alerts that are told one by one where the same is to be told of each; more of them are counted in one line.
const ALIKE: usize = 3;

/// What differs between two lists of alerts: began, ended, muted, no longer muted. More than `cap` of one poll are
/// folded into one line that counts them.
pub fn alerts(before: &[Arc<Alert>], after: &[Arc<Alert>], at: Timestamp, cap: usize) -> Vec<Change> {
    let old: HashMap<&AlertId, &Arc<Alert>> = before.iter().map(|a| (&a.id, a)).collect();
    let mut told: Vec<(Severity, String, Vec<&Arc<Alert>>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut say = |severity: Severity, what: String, alert| match places.get(&what) {
        Some(place) => {
            let (worst, _, same) = &mut told[*place];
            *worst = severity.max(*worst);
            same.push(alert);
        }
        None => {
            places.insert(what.clone(), told.len());
            told.push((severity, what, vec![alert]));
        }
    };
    let mut kept = 0;
    for alert in after {
        match old.get(&alert.id) {
            None => say(alert.severity, format!("{} {}", alert.name(), began(alert.state)), alert),
            Some(before) => {
                kept += 1;
                if before.state != alert.state {
                    say(alert.severity, format!("{} {} -> {}", alert.name(), before.state.word(), alert.state.word()), alert);
                }
            }
        }
    }
    if kept < before.len() {
        let new: std::collections::HashSet<&AlertId> = after.iter().map(|a| &a.id).collect();
        for alert in before.iter().filter(|a| !new.contains(&a.id)) {
            say(Severity::Ok, format!("{} ended", alert.name()), alert);
        }
    }
    // Which one it is of several that had or have the name.
    let apart = if told.is_empty() { Apart::default() } else { Apart::of(before.iter().chain(after)) };
    let (mut changes, mut more) = (Vec::new(), 0);
    for (severity, what, same) in told {
        // Of a storm one line is enough: others would be pushed off the screen.
        let storm = same.len() > ALIKE;
        for (place, alert) in same.iter().enumerate().take(if storm { 1 } else { ALIKE }) {
            if changes.len() == cap {
                more += same.len() - place;
                break;
            }
            let which = if storm { format!(" x{}", same.len()) } else { which(&apart, alert) };
            let what = format!("{what}{which}");
            changes.push(Change { at, severity, what, alert: Some(Arc::clone(alert)), source: None });
        }
    }
    if more > 0 {
        changes.push(Change { at, severity: Severity::Info, what: format!("and {more} more alerts changed"), alert: None, source: None });
    }
    changes
}

/// `: web3:9100`, or nothing.
fn which(apart: &Apart, alert: &Alert) -> String {
    match apart.line(alert) {
        which if which.is_empty() => which,
        which => format!(": {which}"),
    }
}

fn began(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "pending",
        AlertState::Silenced | AlertState::Inhibited | AlertState::Muted => "began, muted",
        _ => "began",
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::tests::alert;
    use super::*;

    #[test]
    fn begin_mute_and_end_are_told_once() {
        let firing = alert(&[("alertname", "Down")], AlertState::Firing, 1);
        let silenced = alert(&[("alertname", "Down")], AlertState::Silenced, 1);
        let told = |before: &[Arc<Alert>], after: &[Arc<Alert>]| -> Vec<String> {
            alerts(before, after, Timestamp::UNIX_EPOCH, 10).into_iter().map(|c| c.what).collect()
        };
        assert_eq!(told(&[], &[firing.clone()]), ["Down began"]);
        assert_eq!(told(&[firing.clone()], &[silenced.clone()]), ["Down firing -> silenced"]);
        assert_eq!(told(&[silenced.clone()], &[]), ["Down ended"]);
        assert!(told(&[firing.clone()], &[firing]).is_empty());
    }

    #[test]
    fn a_storm_is_counted_not_listed() {
        let many: Vec<_> = (0..50).map(|i| alert(&[("alertname", "Down"), ("i", &i.to_string())], AlertState::Firing, i)).collect();
        let changes = alerts(&[], &many, Timestamp::UNIX_EPOCH, 10);
        let told: Vec<&str> = changes.iter().map(|change| &*change.what).collect();
        assert_eq!(told, ["Down began x50"]);
        let names: Vec<_> = (0..50).map(|i| alert(&[("alertname", &format!("Down{i}"))], AlertState::Firing, i)).collect();
        let changes = alerts(&[], &names, Timestamp::UNIX_EPOCH, 10);
        assert_eq!(changes.len(), 11);
        assert_eq!(changes[10].what, "and 40 more alerts changed");
        let few = alerts(&[], &many[..3], Timestamp::UNIX_EPOCH, 10);
        assert_eq!(few.len(), 3, "a few are told one by one, so that each can be opened");
        assert_eq!(few[2].what, "Down began: i=2", "and so that each can be told from the others");
        let ended: Vec<String> = alerts(&many[..2], &many[..1], Timestamp::UNIX_EPOCH, 10).into_iter().map(|c| c.what).collect();
        assert_eq!(ended, ["Down ended: i=1"], "from those that were there before, too");
    }
}
