//! Derives what readings come to and merges what happened, beside the loop: one at a time of each, and once more after it
//! where something newer came meanwhile.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::app::derive::{Derivation, Derived};
use crate::app::state::{State, View};
use crate::app::timeline::{Merged, Merging};
use crate::model::reading::Reading;
use crate::model::source::Answer;

/// The one under way, and whether another is wanted.
pub struct Beside<T> {
    wanted: bool,
    running: bool,
    out: mpsc::Sender<T>,
    ended: mpsc::Receiver<T>,
}

/// Derives.
pub type Deriver = Beside<Derived>;
/// Merges.
pub type Merger = Beside<Merged>;

impl<T> Default for Beside<T> {
    fn default() -> Self {
        Beside::new()
    }
}

impl Deriver {
    /// Begins where one is wanted and none is under way. Never waits.
    pub fn begin(&mut self, state: &State) {
        self.begin_with(|| {
            let derivation = Derivation::of(state);
            move || derivation.carry_out()
        });
    }
}

impl Merger {
    /// Begins where one is wanted and none is under way. Never waits.
    pub fn begin(&mut self, state: &State) {
        self.begin_with(|| {
            let merging = Merging::of(state);
            move || merging.carry_out()
        });
    }
}

impl<T> Beside<T> {
    /// Nothing is under way.
    pub fn new() -> Beside<T> {
        let (out, ended) = mpsc::channel(1);
        Beside { wanted: false, running: false, out, ended }
    }

    /// What is newest is to be worked on.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    fn begin_with<W>(&mut self, work: impl FnOnce() -> W)
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.wanted && !self.running {
            (self.wanted, self.running) = (false, true);
            let (work, out) = (work(), self.out.clone());
            // Where the loop has ended meanwhile, nobody wants it.
            spawn_blocking(move || drop(out.blocking_send(work())));
        }
    }

    /// The end of the one under way. May be dropped at any time.
    pub async fn ended(&mut self) -> T {
        match self.ended.recv().await {
            Some(done) => {
                self.running = false;
                done
            }
            None => std::future::pending().await, // never: we hold a sender ourselves
        }
    }
}

/// Frees what the state showed before, beside the loop: that of ten thousand alerts takes its time too.
pub fn free(old: (Arc<View>, Vec<Reading<Answer>>)) {
    spawn_blocking(move || drop(old));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::Keymap;
    use crate::app::state::{Identity, Look};
    use crate::model::estate::tests::bare;
    use crate::model::estate::{Estate, Source, SourceKind};
    use crate::model::preferences::{Theme, ZoneChoice};
    use crate::model::reading::{FailureKind, Outcome};
    use jiff::{SignedDuration, Timestamp};

    fn state() -> State {
        let (kind, second) = (SourceKind::Prometheus { url: String::new() }, SignedDuration::from_secs(1));
        let source = Source { name: "prom".into(), every: second, timeout: second, http_config: None, service: None, site: None, kind };
        let estate = Estate { name: "harbour".into(), ..bare(vec![source]) };
        let theme = Theme { name: "plain".into(), ground: Default::default(), styles: Default::default() };
        let look = Look {
            themes: vec![theme],
            theme: 0,
            offers: Default::default(),
            ascii: false,
            zone: ZoneChoice::Utc,
            local: jiff::tz::TimeZone::UTC,
        };
        State::new(Arc::new(estate), Identity::default(), look, Arc::new(Keymap::default()), Timestamp::UNIX_EPOCH, (80, 24))
    }

    fn fail(state: &mut State, what: &str) {
        let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what: what.into(), at: state.now };
        state.newest[0].take(outcome, None);
    }

    fn tries(derived: &Derived) -> Option<u32> {
        derived.readings[0].failure.as_ref().map(|failure| failure.tries)
    }

    #[tokio::test]
    async fn one_at_a_time_and_what_came_meanwhile_is_one_more() {
        let (mut state, mut deriver) = (state(), Deriver::new());
        deriver.begin(&state);
        assert!(!deriver.running, "nothing was wanted");
        for what in ["a", "b", "c"] {
            fail(&mut state, what);
            deriver.want();
            deriver.begin(&state);
        }
        assert_eq!(tries(&deriver.ended().await), Some(1), "what was there when it began");
        deriver.begin(&state);
        assert_eq!(tries(&deriver.ended().await), Some(3), "then the newest, once");
        deriver.begin(&state);
        assert!(!deriver.running);
    }
}
