//! Recovery points that were made one after another, with nothing else between them, as one row: where one is made every
//! minute, the deployment and the alert that matter would be screens below them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::severity::Severity;
use crate::model::timeline::{Event, Kind};

/// So many become one row, and fewer do not.
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

/// The rows that are left of `all`, places in `events`, and what each of them stands for.
pub(super) fn folded(events: &[Event], all: &[usize]) -> (Vec<usize>, Vec<Option<Fold>>) {
    let routine = |place: &usize| events.get(*place).filter(|event| event.kind == Kind::BackupMade && event.severity == Severity::Ok);
    let (mut rows, mut folds) = (Vec::new(), Vec::new());
    for run in all.chunk_by(|one, two| routine(one).is_some() && routine(two).is_some()) {
        match run {
            [first, .., last] if run.len() >= LEAST => {
                let mut via: Vec<Arc<str>> = Vec::new();
                for one in run.iter().filter_map(routine).flat_map(|event| &event.via) {
                    if !via.contains(one) {
                        via.push(one.clone());
                    }
                }
                rows.push(*first);
                folds.push(routine(last).map(|oldest| Fold { count: run.len(), from: oldest.at, via }));
            }
            few => {
                rows.extend(few);
                folds.extend(few.iter().map(|_| None));
            }
        }
    }
    (rows, folds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::Link;

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
        let (rows, folds) = folded(&events, &all);
        assert_eq!(rows, [0, 3, 4, 5, 6, 7], "the newest of each run; two are no run");
        let told: Vec<_> =
            folds.iter().map(|fold| fold.as_ref().map(|fold| (fold.count, fold.from.as_second(), fold.via.join("+")))).collect();
        assert_eq!(told, [Some((3, 80, "north+south".to_owned())), None, None, None, None, Some((3, 10, "south".to_owned()))]);
        // What a service's timeline leaves out is not between them.
        assert_eq!(folded(&events, &[4, 5, 7]).0, [4]);
        assert_eq!(folded(&events, &[]), (vec![], vec![]));
    }
}
