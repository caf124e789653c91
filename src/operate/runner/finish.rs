//! The end of a run, or of its runner.

use super::{Halt, Hooks, Ledger, Outcome, Runner};
use crate::model::run::{Ending, Happened};
use crate::operate::world::World;

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// The run is over: the leases go back, and it is recorded.
    pub(super) async fn end(mut self, ending: Ending) -> Outcome {
        self.work.abort_all();
        self.give_back().await;
        if self.record(Happened::Ended(ending.clone())).is_none()
            && let Some((Halt::Journal(why), _)) = self.halt
        {
            let why = format!("it is over ({ending}), and the journal cannot record it: {why}; `qd resume {}` records it", self.state.run);
            self.folder.leave(&why);
            return Outcome::Stopped(why);
        }
        Outcome::Ended(ending)
    }

    /// Only this runner is. What is under way at a target goes on by itself and is read back by the next one. A lease
    /// that is kept keeps others away from what is half done, for as long as it lasts.
    pub(super) async fn stopped(mut self, why: String) -> Outcome {
        self.work.abort_all();
        if matches!(self.halt, Some((Halt::Person(_), _))) {
            self.give_back().await;
        }
        self.folder.leave(&why);
        tracing::warn!(run = self.state.run, %why, "the runner ends, the run may be resumed");
        Outcome::Stopped(why)
    }
}
