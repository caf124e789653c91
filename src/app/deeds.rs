//! What deployments did, as far as someone looked at them: kept by their keys, the oldest question forgotten first.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::deployment::did::{Did, Found};

/// Deployments that are kept.
const KEPT: usize = 200;
/// What goes on, or was not answered, is asked again after this.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// What could not all be asked for is asked again after this.
const FAILED: SignedDuration = SignedDuration::from_mins(5);
/// A list that was not moved for so long is looked at, and no longer passed by.
const REST: SignedDuration = SignedDuration::from_secs(1);
/// Between two questions for rows of a list.
const PACE: SignedDuration = SignedDuration::from_secs(1);
/// An answer that is not there by then does not come: the asking has a shorter deadline.
const LOST: SignedDuration = SignedDuration::from_secs(30);

/// What is known of one.
#[derive(Debug, Clone, PartialEq)]
struct Deed {
    key: Arc<str>,
    asked: Timestamp,
    /// True until it is answered.
    waits: bool,
    did: Option<Arc<Did>>,
}

impl Deed {
    /// True where asking (again) may tell more.
    fn is_due(&self, now: Timestamp) -> bool {
        let after = match &self.did {
            Some(did) if did.metrics.iter().any(|metric| matches!(metric.found, Found::Failed(_))) => FAILED,
            Some(did) if did.ended => return false,
            _ => AGAIN,
        };
        now.duration_since(self.asked) >= after
    }
}

/// Where a list stands: its selected row and its first one on the screen.
pub(super) type Stand = (Option<Arc<str>>, usize);

/// What is known of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deeds {
    known: VecDeque<Deed>,
    /// Where the list stands, and since when.
    still: Option<(Stand, Timestamp)>,
    /// When there may be something to ask for its rows.
    wake: Option<Timestamp>,
}

impl Deeds {
    /// What the deployment with that key did, where it is known.
    pub fn of(&self, key: &str) -> Option<&Arc<Did>> {
        self.known.iter().find(|deed| &*deed.key == key)?.did.as_ref()
    }

    /// True where it is to be asked at `now`; from then on it is being asked.
    pub(super) fn ask(&mut self, key: &Arc<str>, now: Timestamp) -> bool {
        match self.known.iter_mut().find(|deed| deed.key == *key) {
            Some(deed) => {
                let due = deed.is_due(now);
                if due {
                    (deed.asked, deed.waits) = (now, true);
                }
                due
            }
            None => {
                self.known.push_back(Deed { key: key.clone(), asked: now, waits: true, did: None });
                if self.known.len() > KEPT {
                    self.known.pop_front();
                }
                true
            }
        }
    }

    /// True where [`Deeds::ask`] would be.
    pub(super) fn is_due(&self, key: &str, now: Timestamp) -> bool {
        self.known.iter().find(|deed| &*deed.key == key).is_none_or(|deed| deed.is_due(now))
    }

    /// True while that one is being asked and nothing is known of it yet.
    pub fn is_asked(&self, key: &str) -> bool {
        self.known.iter().any(|deed| &*deed.key == key && deed.waits && deed.did.is_none())
    }

    /// True where rows of the list that stands there may be asked for at `now`: it rests, nothing is on its way, and the
    /// last question is a little while ago. `None` where no list is looked at.
    pub(super) fn may_ask(&mut self, stand: Option<Stand>, now: Timestamp) -> bool {
        self.wake = None;
        let Some(stand) = stand else {
            self.still = None;
            return false;
        };
        let since = match &self.still {
            // A clock that was set back begins anew.
            Some((before, since)) if *before == stand && *since <= now => *since,
            _ => {
                self.still = Some((stand, now));
                now
            }
        };
        let after = |from: Timestamp, by| from.checked_add(by).unwrap_or(Timestamp::MAX);
        let asked = self.known.iter().filter(|deed| deed.asked <= now);
        let free = asked.map(|deed| after(deed.asked, if deed.waits { LOST } else { PACE })).fold(after(since, REST), Timestamp::max);
        if free > now {
            self.wake = Some(free);
        }
        free <= now
    }

    /// When there may be something to ask for the list's rows, where nothing else happens before.
    pub(super) fn wake(&self) -> Option<Timestamp> {
        self.wake
    }

    /// Takes in an answer. One of a deployment that was forgotten meanwhile is ignored, and so is one about less time than
    /// is known already.
    pub(super) fn take(&mut self, key: &str, did: Arc<Did>) {
        let Some(deed) = self.known.iter_mut().find(|deed| &*deed.key == key) else { return };
        deed.waits = false;
        if deed.did.as_ref().is_none_or(|known| known.span.to <= did.span.to) {
            deed.did = Some(did);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::did::{Metric, Span};
    use crate::model::panel::Unit;

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn did(to: i64, ended: bool) -> Arc<Did> {
        Arc::new(Did { span: Span { from: at(0), to: at(to) }, ended, metrics: vec![], left: 0 })
    }

    #[test]
    fn it_is_asked_once_and_again_only_while_it_goes_on() {
        let (mut deeds, key): (Deeds, Arc<str>) = (Deeds::default(), "a".into());
        assert!(deeds.ask(&key, at(0)));
        assert!(!deeds.ask(&key, at(59)), "it is on its way");
        deeds.take(&key, did(600, false));
        assert!(deeds.ask(&key, at(60)));
        deeds.take(&key, did(1_800, true));
        deeds.take(&key, did(600, false));
        assert_eq!(deeds.of(&key), Some(&did(1_800, true)), "an answer that comes late changes nothing");
        assert!(!deeds.ask(&key, at(9_999)));
        deeds.take("unasked", did(0, true));
        assert_eq!(deeds.of("unasked"), None);
    }

    #[test]
    fn what_failed_is_asked_again_after_a_while() {
        let (mut deeds, key): (Deeds, Arc<str>) = (Deeds::default(), "a".into());
        assert!(deeds.ask(&key, at(0)));
        let metrics = vec![Metric { panel: "p".into(), unit: Unit::Count, found: Found::Failed("it is down".into()) }];
        deeds.take(&key, Arc::new(Did { metrics, ..(*did(1_800, true)).clone() }));
        assert!(!deeds.ask(&key, at(299)));
        assert!(deeds.is_due(&key, at(300)) && deeds.ask(&key, at(300)));
    }

    #[test]
    fn a_list_asks_when_it_rests_one_at_a_time_and_never_faster_than_its_pace() {
        let mut deeds = Deeds::default();
        let stand = |row: &str| Some((Some(Arc::from(row)), 0));
        assert!(!deeds.may_ask(stand("a"), at(0)));
        assert_eq!(deeds.wake(), Some(at(1)));
        assert!(!deeds.may_ask(stand("b"), at(1)), "it moved");
        assert!(deeds.may_ask(stand("b"), at(2)));
        assert!(deeds.ask(&"b".into(), at(2)));
        assert!(!deeds.may_ask(stand("b"), at(20)), "it is on its way");
        assert!(deeds.may_ask(stand("b"), at(32)), "it was lost");
        deeds.take("b", did(1_800, true));
        assert!(deeds.ask(&"c".into(), at(32)));
        deeds.take("c", did(1_800, true));
        assert!(!deeds.may_ask(stand("b"), at(32)), "at most one in a second");
        assert!(deeds.may_ask(stand("b"), at(33)));
        assert!(!deeds.may_ask(None, at(34)) && deeds.wake().is_none());
        assert!(!deeds.may_ask(stand("b"), at(35)), "it was left meanwhile");
        assert!(!deeds.may_ask(stand("b"), at(5)) && deeds.may_ask(stand("b"), at(6)), "the clock was set back");
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut deeds = Deeds::default();
        (0..500).for_each(|n| assert!(deeds.ask(&n.to_string().into(), at(n))));
        assert_eq!(deeds.known.len(), KEPT);
        assert!(deeds.ask(&"0".into(), at(500)), "the first was forgotten");
    }
}
