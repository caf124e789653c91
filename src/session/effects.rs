//! Carries out what update asks for, as far as it is not the loop's own matter.

use tokio::sync::watch;

use crate::app::attention::Call;
use crate::app::effect::Effect;
use crate::model::metric::Demand;

use super::feed::Feed;

/// What is left for the loop to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    /// Leave with this exit code.
    pub quit: Option<u8>,
    /// Give the terminal back and stop.
    pub suspend: bool,
    /// Draw all of the screen again.
    pub redraw: bool,
    /// Derive what the newest readings come to.
    pub derive: bool,
    /// Merge what happened.
    pub merge: bool,
    /// Copy this.
    pub copy: Option<String>,
    /// Call for a person.
    pub attend: Vec<Call>,
    /// The terminal's title.
    pub title: Option<String>,
    /// Leave this estate for the one of that name.
    pub switch: Option<String>,
}

/// Carries out the effects in their order. Nothing here waits.
pub fn carry_out(effects: Vec<Effect>, feed: &impl Feed, demand: &watch::Sender<Demand>) -> Left {
    let mut left = Left::default();
    for effect in effects {
        match effect {
            Effect::Quit(code) => left.quit = Some(code),
            Effect::Suspend => left.suspend = true,
            Effect::Redraw => left.redraw = true,
            Effect::Attend(call) => left.attend.push(*call),
            Effect::Title(title) => left.title = Some(title),
            Effect::Switch(name) => left.switch = Some(name),
            Effect::Derive => left.derive = true,
            Effect::Merge => left.merge = true,
            Effect::Poll(source) => feed.poke(source),
            Effect::Copy(text) => left.copy = Some(text),
            Effect::Ask(ask) => feed.ask(*ask),
            // Told only where it differs: each telling makes sources ask anew.
            Effect::Demand(wanted) => {
                demand.send_if_modified(|old| std::mem::replace(old, wanted) != wanted);
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::sync::mpsc;

    use crate::app::message::Message;

    #[derive(Default)]
    struct Poked(RefCell<Vec<Option<usize>>>);

    impl Feed for Poked {
        fn start(&mut self, _: watch::Receiver<Demand>, _: mpsc::Sender<Message>) {}

        fn poke(&self, source: Option<usize>) {
            self.0.borrow_mut().push(source);
        }

        fn ask(&self, _: crate::app::ask::Ask) {}
    }

    #[test]
    fn all_effects_are_carried_out_and_an_equal_demand_is_not_told_again() {
        let (demand, mut wanted) = watch::channel(Demand::default());
        let feed = Poked::default();
        let other = Demand { points: 7, ..Demand::default() };
        let first =
            carry_out(vec![Effect::Demand(other), Effect::Poll(None), Effect::Redraw, Effect::Derive, Effect::Suspend], &feed, &demand);
        assert_eq!(first, Left { suspend: true, redraw: true, derive: true, ..Left::default() });
        assert_eq!(*feed.0.borrow(), [None]);
        assert!(wanted.has_changed().unwrap());
        assert_eq!(*wanted.borrow_and_update(), other);
        assert_eq!(carry_out(vec![Effect::Demand(other), Effect::Quit(3)], &feed, &demand).quit, Some(3));
        assert!(!wanted.has_changed().unwrap());
    }
}
