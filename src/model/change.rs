//! What changed since the console was opened: alerts, silences and sources, told as they are seen to change.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::alert::{Alert, AlertId, AlertState, Apart};
use super::estate::Severity;
use super::silence::{Acks, ack_of};

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

/// What differs between two lists of alerts: began, ended, muted, no longer muted. Of one that somebody acked it says who, by
/// the `acks` of before and after. More than `cap` of one poll are folded into one line that counts them.
pub fn alerts(before: &[Arc<Alert>], after: &[Arc<Alert>], acks: (&Acks, &Acks), at: Timestamp, cap: usize) -> Vec<Change> {
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
                    let (was, is) = (stands(before, acks.0), stands(alert, acks.1));
                    say(alert.severity, format!("{} {was} -> {is}", alert.name()), alert);
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

/// How it stands: `firing`, `acked by ann`.
pub fn stands<'a>(alert: &Alert, acks: &'a Acks) -> Cow<'a, str> {
    let acked = ack_of(acks, &alert.silenced_by).filter(|_| alert.state == AlertState::Silenced);
    acked.map_or(alert.state.word().into(), |acked| format!("acked by {}", acked.who).into())
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
    use super::super::silence::Acked;
    use super::*;

    fn changed(before: &[Arc<Alert>], after: &[Arc<Alert>]) -> Vec<Change> {
        let none = Acks::new();
        alerts(before, after, (&none, &none), Timestamp::UNIX_EPOCH, 10)
    }

    #[test]
    fn an_ack_says_who_took_it_and_so_does_its_end() {
        let firing = alert(&[("alertname", "Down")], AlertState::Firing, 1);
        let mut acked = alert(&[("alertname", "Down")], AlertState::Silenced, 1);
        Arc::make_mut(&mut acked).silenced_by = vec!["s0".into(), "s1".into()];
        let (none, acks) = (Acks::new(), Acks::from([("s1".to_owned(), Acked { who: "ann".into(), at: Timestamp::UNIX_EPOCH })]));
        let told = |before: &Arc<Alert>, after: &Arc<Alert>, acks| {
            let changes = alerts(std::slice::from_ref(before), std::slice::from_ref(after), acks, Timestamp::UNIX_EPOCH, 10);
            changes.into_iter().map(|change| change.what).collect::<Vec<_>>()
        };
        assert_eq!(told(&firing, &acked, (&none, &acks)), ["Down firing -> acked by ann"]);
        assert_eq!(told(&acked, &firing, (&acks, &none)), ["Down acked by ann -> firing"]);
        assert_eq!(told(&firing, &acked, (&none, &none)), ["Down firing -> silenced"], "a silence that is no ack");
    }

    #[test]
    fn begin_mute_and_end_are_told_once() {
        let firing = alert(&[("alertname", "Down")], AlertState::Firing, 1);
        let silenced = alert(&[("alertname", "Down")], AlertState::Silenced, 1);
        let told =
            |before: &[Arc<Alert>], after: &[Arc<Alert>]| -> Vec<String> { changed(before, after).into_iter().map(|c| c.what).collect() };
        assert_eq!(told(&[], &[firing.clone()]), ["Down began"]);
        assert_eq!(told(&[firing.clone()], &[silenced.clone()]), ["Down firing -> silenced"]);
        assert_eq!(told(&[silenced.clone()], &[]), ["Down ended"]);
        assert!(told(&[firing.clone()], &[firing]).is_empty());
    }

    #[test]
    fn a_storm_is_counted_not_listed() {
        let many: Vec<_> = (0..50).map(|i| alert(&[("alertname", "Down"), ("i", &i.to_string())], AlertState::Firing, i)).collect();
        let changes = changed(&[], &many);
        let told: Vec<&str> = changes.iter().map(|change| &*change.what).collect();
        assert_eq!(told, ["Down began x50"]);
        let names: Vec<_> = (0..50).map(|i| alert(&[("alertname", &format!("Down{i}"))], AlertState::Firing, i)).collect();
        let changes = changed(&[], &names);
        assert_eq!(changes.len(), 11);
        assert_eq!(changes[10].what, "and 40 more alerts changed");
        let few = changed(&[], &many[..3]);
        assert_eq!(few.len(), 3, "a few are told one by one, so that each can be opened");
        assert_eq!(few[2].what, "Down began: i=2", "and so that each can be told from the others");
        let ended: Vec<String> = changed(&many[..2], &many[..1]).into_iter().map(|c| c.what).collect();
        assert_eq!(ended, ["Down ended: i=1"], "from those that were there before, too");
    }
}
