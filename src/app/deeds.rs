//! What deployments did, as far as someone looked at them: kept by their keys, the oldest question forgotten first.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::deployment::did::Did;

/// Deployments that are kept.
const KEPT: usize = 200;
/// What goes on, or was not answered, is asked again after this.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// What is known of one.
#[derive(Debug, Clone, PartialEq)]
struct Deed {
    key: Arc<str>,
    asked: Timestamp,
    did: Option<Arc<Did>>,
}

/// What is known of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deeds(VecDeque<Deed>);

impl Deeds {
    /// What the deployment with that key did, where it is known.
    pub fn of(&self, key: &str) -> Option<&Arc<Did>> {
        self.0.iter().find(|deed| &*deed.key == key)?.did.as_ref()
    }

    /// True where it is to be asked at `now`; from then on it is being asked.
    pub(super) fn ask(&mut self, key: &Arc<str>, now: Timestamp) -> bool {
        match self.0.iter_mut().find(|deed| deed.key == *key) {
            Some(deed) => {
                let ended = deed.did.as_ref().is_some_and(|did| did.ended);
                let due = !ended && now.duration_since(deed.asked) >= AGAIN;
                if due {
                    deed.asked = now;
                }
                due
            }
            None => {
                self.0.push_back(Deed { key: key.clone(), asked: now, did: None });
                if self.0.len() > KEPT {
                    self.0.pop_front();
                }
                true
            }
        }
    }

    /// Takes in an answer. One of a deployment that was forgotten meanwhile is ignored, and so is one about less time than
    /// is known already.
    pub(super) fn take(&mut self, key: &str, did: Arc<Did>) {
        let Some(deed) = self.0.iter_mut().find(|deed| &*deed.key == key) else { return };
        if deed.did.as_ref().is_none_or(|known| known.span.to <= did.span.to) {
            deed.did = Some(did);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::did::Span;

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
    fn what_is_kept_has_an_end() {
        let mut deeds = Deeds::default();
        (0..500).for_each(|n| assert!(deeds.ask(&n.to_string().into(), at(n))));
        assert_eq!(deeds.0.len(), KEPT);
        assert!(deeds.ask(&"0".into(), at(500)), "the first was forgotten");
    }
}
