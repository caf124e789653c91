//! The leases of a run: each is proven again before it is old, and before every call that follows a time in which
//! nobody proved it. A runner that was frozen finds out so before its next call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::{Came, Halt, Hooks, Ledger, Runner};
use crate::link::permit::Permit;
use crate::model::run::{Happened, Lease};
use crate::operate::world::{Leased, World};

/// Between two tries to prove a lease whose target does not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time between two tries to take one whose target does not answer.
const MOST: Duration = Duration::from_secs(60);

/// One moment by two clocks: one stands still while the machine sleeps, the other may not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    steady: Instant,
    /// Since the machine was started, its sleep among it.
    boot: Duration,
}

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
        Moment { steady: Instant::now(), boot }
    }

    /// How long ago it was at the most, by that later moment.
    pub fn until(&self, now: Moment) -> Duration {
        now.steady.saturating_duration_since(self.steady).max(now.boot.saturating_sub(self.boot))
    }

    /// How long ago it is.
    pub fn age(&self) -> Duration {
        self.until(Moment::now())
    }
}

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// True of a target that has a lease.
    pub(super) fn is_leased(&self, target: usize) -> bool {
        self.plan.targets.get(target).is_some_and(|target| target.kind.leasable().is_some())
    }

    /// The fence number of a lease that is held.
    pub(super) fn fence(&self, target: usize) -> Option<u64> {
        match self.state.leases.get(target) {
            Some(Lease::Held(fence)) => Some(*fence),
            _ => None,
        }
    }

    /// True where a call may be made at that target: it has no lease, or it was proven within the time that it lasts.
    pub(super) fn is_ours(&self, target: usize) -> bool {
        let proven = || self.proofs.get(target).copied().flatten().is_some_and(|proof| proof.age() < self.ttl);
        !self.is_leased(target) || (self.fence(target).is_some() && proven())
    }

    /// The targets whose lease this runner took, with its fence number: also one that could not be proven lately.
    pub(super) fn taken(&self) -> Vec<(usize, u64)> {
        (0..self.plan.targets.len()).filter_map(|target| Some((target, self.fences.get(target).copied().flatten()?))).collect()
    }

    /// Begins to prove the leases whose last proof is older than a third of the time that they last.
    pub(super) fn renew_old(&mut self) {
        for (target, fence) in self.taken() {
            let old = self.proofs[target].is_none_or(|proof| proof.age() >= self.ttl / 3);
            let tried = self.tried[target].is_some_and(|tried| tried.age() < AGAIN.min(self.ttl / 10));
            if old && !tried && !self.renewing[target] {
                self.renewing[target] = true;
                self.tried[target] = Some(Moment::now());
                let (world, plan, run) = (self.world.clone(), self.plan.clone(), self.state.run.clone());
                self.work.spawn(async move {
                    let sent = Moment::now();
                    let leased = world.renew_lease(plan, target, run, fence).await;
                    Came::Renewed { target, sent, leased }
                });
            }
        }
    }

    /// Asks again for the leases of the targets that did not answer when the run was taken up, more and more seldom: each try
    /// is recorded.
    pub(super) fn take_dark(&mut self) {
        for target in 0..self.dark.len() {
            let due = self.dark[target].is_some_and(|(since, wait)| since.age() >= wait);
            if !due || self.renewing[target] || self.halt.is_some() {
                continue;
            }
            let Some(head) = self.record(Happened::LeaseWanted { target }) else { return };
            let permit = Permit::mint(&self.state.run, "lease", 1, None, &head);
            self.renewing[target] = true;
            let (world, plan) = (self.world.clone(), self.plan.clone());
            self.work.spawn(async move {
                let sent = Moment::now();
                let leased = world.take_lease(permit, plan, target).await;
                Came::Taken { target, sent, leased }
            });
        }
    }

    /// How asking for it again ended.
    pub(super) fn taken_late(&mut self, target: usize, sent: Moment, leased: Option<Leased>) {
        self.renewing[target] = false;
        let name = self.plan.targets[target].name.clone();
        match leased {
            Some(Leased::Held(fence)) => {
                (self.dark[target], self.fences[target], self.proofs[target]) = (None, Some(fence), Some(sent));
                self.record(Happened::LeaseTaken { target, fence });
            }
            Some(Leased::Unknown(why)) => {
                let wait = self.dark[target].map_or(self.pace.look_most, |(_, wait)| (wait * 2).min(MOST));
                self.dark[target] = Some((Moment::now(), wait));
                self.record(Happened::LeaseLost { target, why: format!("nobody knows: {name}: {why}; it is asked for again") });
            }
            Some(Leased::Other(who)) => self.lost(target, format!("{name} is held by {who}")),
            None => self.lost(target, format!("{name} keeps no lease")),
        }
    }

    /// Proves one lease now; true where it is ours.
    pub(super) async fn prove(&mut self, target: usize) -> bool {
        if let Some(fence) = self.fences.get(target).copied().flatten() {
            let sent = Moment::now();
            let leased = self.world.renew_lease(self.plan.clone(), target, self.state.run.clone(), fence).await;
            self.renewed(target, sent, leased);
        }
        self.is_ours(target)
    }

    pub(super) fn renewed(&mut self, target: usize, sent: Moment, leased: Leased) {
        self.renewing[target] = false;
        let Some(ours) = self.fences[target] else { return };
        let name = self.plan.targets[target].name.clone();
        match leased {
            Leased::Held(fence) if fence == ours => {
                self.proofs[target] = Some(sent);
                if self.fence(target).is_none() {
                    self.record(Happened::LeaseTaken { target, fence });
                }
            }
            Leased::Held(fence) => {
                self.lost(target, format!("{name} has the fence number {fence}, this runner has {ours}: another runner took it over"))
            }
            Leased::Other(who) => self.lost(target, format!("{name} is held by {who}")),
            // It may still be ours; until it is proven nothing is called there.
            Leased::Unknown(why) => {
                let old = self.proofs[target].is_none_or(|proof| proof.age() >= self.ttl);
                if old && self.fence(target).is_some() {
                    self.record(Happened::LeaseLost { target, why: format!("nobody knows: {why}; it is asked again") });
                }
            }
        }
    }

    /// Another run has it. Nothing more is begun.
    fn lost(&mut self, target: usize, why: String) {
        self.fences[target] = None;
        self.proofs[target] = None;
        if self.state.leases.get(target).is_some_and(|lease| !matches!(lease, Lease::Given)) {
            self.record(Happened::LeaseLost { target, why: why.clone() });
        }
        self.halt(Halt::Lost(why));
    }

    /// Gives back all that this runner took, side by side.
    pub(super) async fn give_back(&mut self) {
        let mut all = tokio::task::JoinSet::new();
        for (target, fence) in self.taken() {
            let (world, plan, run) = (Arc::clone(&self.world), self.plan.clone(), self.state.run.clone());
            all.spawn(async move { (target, world.give_lease(plan, target, run, fence).await) });
        }
        while let Some(given) = all.join_next().await {
            match given {
                Ok((target, Ok(()))) => {
                    self.fences[target] = None;
                    self.record(Happened::LeaseGiven { target });
                }
                // It ends by itself after a while.
                Ok((target, Err(why))) => tracing::warn!(target = self.plan.targets[target].name, %why, "a lease was not given back"),
                Err(error) => tracing::error!(%error, "a lease was not given back"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_slept_makes_a_proof_old_although_one_clock_stood_still() {
        let then = Moment::now();
        let slept = Moment { steady: then.steady, boot: then.boot + Duration::from_secs(90) };
        assert_eq!(then.until(slept), Duration::from_secs(90));
        let awake = Moment { steady: then.steady + Duration::from_secs(7), boot: then.boot };
        assert_eq!(then.until(awake), Duration::from_secs(7), "also where there is no clock of the second kind");
    }
}
