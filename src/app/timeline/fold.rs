//! What is told one after another, with nothing else between, as one row: recovery points, where one is made every minute,
//! and alerts of one name, which in a storm are thousands. The deployment that matters would be screens below them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::label::Labels;
use crate::model::severity::Severity;
use crate::model::timeline::{Event, Kind, Link};

/// So many become one row, and fewer do not: each of three alerts is worth its line more than three recovery points are.
const LEAST_ALERTS: usize = 6;
/// The same of recovery points.
const LEAST: usize = 3;

/// What a row stands for besides its own event, which is the newest.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Events, with the row's own.
    pub count: usize,
    /// When the oldest of them was (UTC).
    pub from: Timestamp,
    /// Who tells of them, each once.
    pub via: Vec<Arc<str>>,
}

/// The rows that are left of `all`, places in `events`, and what each of them stands for. The alert that is marked always
/// has its own.
pub(super) fn folded(events: &[Event], all: &[usize], marked: Option<&Labels>) -> (Vec<usize>, Vec<Option<Fold>>) {
    let routine = |place: &usize| {
        let event = events.get(*place)?;
        Some((event, alike(event, marked)?))
    };
    let (mut rows, mut folds) = (Vec::new(), Vec::new());
    for run in all.chunk_by(|one, two| routine(one).is_some_and(|(_, one)| routine(two).is_some_and(|(_, two)| one == two))) {
        let least =
            if run.first().and_then(routine).is_some_and(|(event, _)| event.kind != Kind::BackupMade) { LEAST_ALERTS } else { LEAST };
        match run {
            [first, .., last] if run.len() >= least => {
                let mut via: Vec<Arc<str>> = Vec::new();
                for one in run.iter().filter_map(routine).flat_map(|(event, _)| &event.via) {
                    if !via.contains(one) {
                        via.push(one.clone());
                    }
                }
                rows.push(*first);
                folds.push(routine(last).map(|(oldest, _)| Fold { count: run.len(), from: oldest.at, via }));
            }
            few => {
                rows.extend(few);
                folds.extend(few.iter().map(|_| None));
            }
        }
    }
    (rows, folds)
}

/// What a row says: its event, or of how many it is the newest.
pub fn said(event: &Event, fold: Option<&Fold>) -> String {
    match (fold, &event.link) {
        (None, _) => event.what.clone(),
        (Some(fold), Link::Alert(labels)) => {
            format!("{} x{}; a filter lists each", labels.get("alertname").unwrap_or_default(), fold.count)
        }
        (Some(fold), _) => format!("{} points; / backup lists each", fold.count),
    }
}

/// What events in one row have in common; `None` for one that has a row of its own.
fn alike<'a>(event: &'a Event, marked: Option<&Labels>) -> Option<(Kind, Severity, &'a str)> {
    match (event.kind, &event.link) {
        (Kind::BackupMade, _) if event.severity == Severity::Ok => Some((event.kind, event.severity, "")),
        (Kind::AlertBegan | Kind::AlertEnded | Kind::FindingBegan | Kind::FindingEnded, Link::Alert(labels)) => {
            let is_marked = marked.is_some_and(|marked| marked.covers(labels) || labels.covers(marked));
            labels.get("alertname").filter(|_| !is_marked).map(|name| (event.kind, event.severity, name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn event(at: i64, kind: Kind, severity: Severity, via: &str) -> Event {
        let at = Timestamp::from_second(at).unwrap();
        Event { at, after: None, kind, severity, what: "x".into(), service: None, via: vec![via.into()], link: Link::Nothing }
    }

    #[test]
    fn points_in_a_row_are_one_and_what_is_bad_or_other_stands_alone() {
        let made = |at, via| event(at, Kind::BackupMade, Severity::Ok, via);
        let events = [
            made(90, "north"),
            made(90, "south"),
            made(80, "north"),
            event(70, Kind::BackupMade, Severity::Warning, "north"),
            made(60, "north"),
            made(50, "north"),
            event(40, Kind::Deployment, Severity::Info, "log"),
            made(30, "south"),
            made(20, "south"),
            made(10, "south"),
        ];
        let all: Vec<usize> = (0..events.len()).collect();
        let (rows, folds) = folded(&events, &all, None);
        assert_eq!(rows, [0, 3, 4, 5, 6, 7], "the newest of each run; two are no run");
        let told: Vec<_> =
            folds.iter().map(|fold| fold.as_ref().map(|fold| (fold.count, fold.from.as_second(), fold.via.join("+")))).collect();
        assert_eq!(told, [Some((3, 80, "north+south".to_owned())), None, None, None, None, Some((3, 10, "south".to_owned()))]);
        // What a service's timeline leaves out is not between them.
        assert_eq!(folded(&events, &[4, 5, 7], None).0, [4]);
        assert_eq!(folded(&events, &[], None), (vec![], vec![]));
    }

    #[test]
    fn a_storm_of_one_name_is_one_row_and_the_alert_that_is_marked_is_not_in_it() {
        let labels = |n: usize, name: &str| Labels::new([("alertname", name), ("i", &n.to_string())]);
        let began =
            |n: usize, name: &str| Event { link: Link::Alert(labels(n, name)), ..event(500, Kind::AlertBegan, Severity::Warning, "am") };
        let mut events: Vec<Event> = (0..3_000).map(|n| began(n, "Down")).collect();
        events.extend([event(40, Kind::Deployment, Severity::Info, "log"), began(1, "Slow"), began(2, "Slow"), began(3, "Other")]);
        let all: Vec<usize> = (0..events.len()).collect();
        let (rows, folds) = folded(&events, &all, None);
        assert_eq!(rows, [0, 3_000, 3_001, 3_002, 3_003], "a few have a row each");
        assert_eq!(folds[0].as_ref().map(|fold| fold.count), Some(3_000));
        let (rows, folds) = folded(&events, &all, Some(&labels(1_000, "Down")));
        assert_eq!(rows, [0, 1_000, 1_001, 3_000, 3_001, 3_002, 3_003]);
        assert_eq!(folds.iter().flatten().map(|fold| fold.count).collect::<Vec<_>>(), [1_000, 1_999]);
    }
}
