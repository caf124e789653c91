//! What was seen of the one primary over the last polls, so that something can be said once it is gone.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::model::database::{DatabaseAnswer, LastPrimary, Lsn};

/// Polls whose rate is looked at.
const POLLS: usize = 12;

/// The primary of the polls before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    last: Option<LastPrimary>,
    /// When it was where.
    places: VecDeque<(Timestamp, Lsn)>,
    /// When no primary was found first, since there was one.
    gone: Option<Timestamp>,
}

impl Seen {
    /// Remembers the one primary, or adds the last one to an answer without.
    pub(super) fn look(&mut self, answer: &mut DatabaseAnswer, at: Timestamp) {
        let Some((node, said)) = answer.primary() else {
            let gone = *self.gone.get_or_insert(at);
            answer.last_primary = self.last.clone().map(|last| LastPrimary { gone, ..last });
            return;
        };
        self.gone = None;
        let Some(written) = said.written else { return };
        let same = |last: &LastPrimary| last.name == node.name && last.timeline == said.timeline && last.system == said.system;
        if !self.last.as_ref().is_some_and(same) {
            self.places.clear();
        }
        self.places.push_back((at, written));
        if self.places.len() > POLLS {
            self.places.pop_front();
        }
        let (name, system, timeline, rate) = (node.name.clone(), said.system.clone(), said.timeline, self.rate());
        self.last = Some(LastPrimary { name, system, timeline, written, at, rate, gone: at });
    }

    /// The most bytes in a second between two polls.
    fn rate(&self) -> Option<f64> {
        let pairs = self.places.iter().zip(self.places.iter().skip(1));
        let rates = pairs.filter_map(|((before, from), (after, to))| {
            let seconds = after.duration_since(*before).as_secs_f64();
            (seconds > 0.0).then(|| to.0.saturating_sub(from.0) as f64 / seconds)
        });
        rates.reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::model::database::{Node, Said};

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn answer(primary: Option<u64>) -> DatabaseAnswer {
        let said = primary.map(|place| Said { written: Some(Lsn(place)), timeline: Some(1), system: Some("7".into()), ..Said::default() });
        let standby =
            Said { in_recovery: true, replayed: Some(Lsn(1_500)), timeline: Some(1), system: Some("7".into()), ..Said::default() };
        let node = |name: &str, said| Node { name: name.into(), said, ..Node::default() };
        DatabaseAnswer { nodes: vec![node("a", said), node("b", Some(standby))], last_primary: None }
    }

    #[test]
    fn a_primary_that_is_gone_is_told_as_it_was_last_seen_with_a_bound_for_its_standby() {
        let mut seen = Seen::default();
        let mut gone = answer(None);
        seen.look(&mut gone, at(0));
        assert_eq!(gone.last_primary, None, "it was never seen");
        assert_eq!(gone.bound(gone.nodes[1].said.as_ref().unwrap()), None);

        for (secs, place) in [(10, 1_000), (20, 3_000), (30, 3_500)] {
            let mut there = answer(Some(place));
            seen.look(&mut there, at(secs));
            assert_eq!(there.last_primary, None);
        }
        for secs in [40, 70] {
            let mut gone = answer(None);
            seen.look(&mut gone, at(secs));
            let last = gone.last_primary.clone().unwrap();
            assert_eq!((last.written, last.at, last.gone, last.rate), (Lsn(3_500), at(30), at(40), Some(200.0)), "at {secs}");
            let bound = gone.bound(gone.nodes[1].said.as_ref().unwrap()).unwrap();
            assert_eq!((bound.behind, bound.unseen, bound.about), (2_000, 10.0, Some(4_000)), "at {secs}");
        }
    }
}
