//! How a run is begun or taken up again: the order is judged, the record opened, the leases taken, the checks made anew.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Folder, Halt, Hooks, Ledger, Look, Moment, Outcome, Pace, Runner};
use crate::link::permit::Permit;
use crate::model::check;
use crate::model::event::Record;
use crate::model::plan;
use crate::model::run::{Ending, Happened, RunState};
use crate::operate::order::{Order, OrderError};
use crate::operate::world::{Leased, Own, World};

/// What a runner takes up.
#[derive(Debug, Clone)]
pub enum Begin {
    /// A new run.
    New(Box<Order>),
    /// A run whose runner is gone, by its events.
    Again {
        /// The events, the oldest first.
        records: Vec<Record>,
        /// Seconds that a lease lasts.
        lease: u64,
    },
}

/// Why a runner takes nothing up. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The order itself.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The journal knows no such run.
    #[error("the journal knows no such run")]
    Unknown,
    /// It ended.
    #[error("the run {0} has ended: {1}")]
    Ended(String, Ending),
    /// The plan in the journal is not the one that was agreed to.
    #[error("the plan of {0} in the journal is not the one that was agreed to: `qd journal verify` says more")]
    Changed(String),
    /// No agreement is recorded: its runner was ended before it.
    #[error("nobody agreed to {0}: nothing was done, plan anew")]
    NotAgreed(String),
    /// The record cannot be written.
    #[error("nothing was done: {0}")]
    Journal(String),
}

/// Judges what is to be taken up and records that it is. From here on the run is this runner's.
///
/// # Errors
/// Why it is not taken up; nothing was changed then.
pub fn begin<W: World, H: Hooks, L: Ledger>(
    begin: Begin,
    world: Arc<W>,
    hooks: Arc<H>,
    mut ledger: L,
    folder: Folder,
    pace: Pace,
    stop: watch::Receiver<bool>,
) -> Result<Runner<W, H, L>, BeginError> {
    let now = Timestamp::now();
    let (mut state, lease, resumed) = match begin {
        Begin::New(order) => (opened(&order, &mut ledger, now)?, order.lease, false),
        Begin::Again { records, lease } => (folded(&records, now)?, lease, true),
    };
    let taken = ledger.append(&state.run, Happened::Begun { resumed }, now).map_err(BeginError::Journal)?;
    state.take(&taken.record);
    let (targets, steps) = (state.plan.targets.len(), state.plan.steps.len());
    Ok(Runner {
        plan: Arc::new(state.plan.clone()),
        world,
        hooks,
        ledger,
        state,
        folder,
        pace,
        ttl: Duration::from_secs(lease.max(1)),
        fences: vec![None; targets],
        proofs: vec![None; targets],
        renewing: vec![false; targets],
        tried: vec![None; targets],
        dark: vec![None; targets],
        looks: vec![Look::default(); steps],
        waits: vec![None; steps],
        work: JoinSet::new(),
        busy: Vec::new(),
        calls: 0,
        printing: None,
        prints: Vec::new(),
        stop,
        halt: None,
    })
}

/// A new run: the plan and the agreement are recorded.
fn opened(order: &Order, ledger: &mut impl Ledger, now: Timestamp) -> Result<RunState, BeginError> {
    order.judge(now)?;
    let planned = Happened::Planned { plan: Box::new(order.plan.clone()), hash: order.hash.clone() };
    let entry = ledger.append(&order.run, planned, now).map_err(BeginError::Journal)?;
    let mut state = RunState::of(&entry.record).ok_or(BeginError::Unknown)?;
    let agreed = ledger.append(&order.run, Happened::Agreed(order.agreement.clone()), now).map_err(BeginError::Journal)?;
    state.take(&agreed.record);
    Ok(state)
}

/// A run as its record tells of it. What was agreed to long ago and never begun is not begun now.
fn folded(records: &[Record], now: Timestamp) -> Result<RunState, BeginError> {
    let state = RunState::all(records).into_iter().next().ok_or(BeginError::Unknown)?;
    if state.plan.format != plan::FORMAT {
        return Err(OrderError::Format(state.plan.format).into());
    }
    if let Some((_, ending)) = state.ended {
        return Err(BeginError::Ended(state.run, ending));
    }
    let Some(agreement) = &state.agreement else { return Err(BeginError::NotAgreed(state.run)) };
    if state.hash != state.plan.hash() || agreement.phrase != state.plan.phrase() {
        return Err(BeginError::Changed(state.run));
    }
    if state.runners == 0 && now >= state.plan.expires_at {
        return Err(OrderError::Expired(state.plan.expires_at).into());
    }
    Ok(state)
}

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// Carries the run out until it ends, or until this runner does.
    pub async fn carry_out(mut self) -> Outcome {
        let beats = self.folder.beats();
        let outcome = match self.prepare().await {
            Some(ending) => self.end(ending).await,
            None => self.turns().await,
        };
        beats.abort();
        outcome
    }

    /// The leases and the checks. An ending where the run is over with them.
    async fn prepare(&mut self) -> Option<Ending> {
        // What was asked while nobody listened comes first: an abort looks at no checks.
        self.take_requests();
        if let Some(why) = self.take_leases().await {
            return Some(self.not_begun(why));
        }
        if self.halt.is_some() {
            return None;
        }
        let begun = self.state.steps.iter().any(|step| step.attempt > 0);
        let checks = self.world.check(self.plan.clone(), Own { begun, fences: self.state.asks.clone() }).await;
        self.record(Happened::Checked { checks })?;
        let (overrides, glass) = match &self.state.agreement {
            Some(agreement) => (agreement.overrides.clone(), agreement.glass.is_some()),
            None => (Vec::new(), false),
        };
        let open: Vec<String> =
            check::open(&self.state.checks, &overrides, glass).map(|check| format!("{}: {}", check.id, check.seen)).collect();
        if open.is_empty() || self.state.aborting.is_some() {
            return None;
        }
        let why = format!("checks do not hold: {}", open.join("; "));
        if !begun {
            return Some(Ending::Refused { why });
        }
        let run = &self.state.run;
        let why = format!(
            "{why}; when that is settled `qd resume {run} --reason WHY` goes on, `qd abort {run} --reason WHY` takes back what was done"
        );
        self.record(Happened::Asked { step: None, why: why.clone() });
        self.halt(Halt::Person(why));
        None
    }

    /// How a run ends that cannot have its targets.
    fn not_begun(&self, why: String) -> Ending {
        if self.state.steps.iter().all(|step| step.attempt == 0) {
            return Ending::Refused { why };
        }
        Ending::Failed { why, stays: self.state.stays() }
    }

    /// Takes all leases: the first by name, then the others side by side. Two who want the same targets at once meet at the
    /// first one. Side by side each could get what the other needs, and neither would begin. Gives back why the run is over.
    async fn take_leases(&mut self) -> Option<String> {
        let begun = self.state.steps.iter().any(|step| step.attempt > 0);
        let mut open: Vec<usize> = (0..self.plan.targets.len()).filter(|target| self.is_leased(*target)).collect();
        open.sort_by_key(|target| &self.plan.targets[*target].name);
        let mut rest = open.split_off(open.len().min(1));
        let (mut tries, since) = (0, Moment::now());
        loop {
            let mut asked = JoinSet::new();
            for target in open.drain(..) {
                let head = self.record(Happened::LeaseWanted { target })?;
                let permit = Permit::mint(&self.state.run, "lease", tries + 1, None, &head);
                let (world, plan) = (self.world.clone(), self.plan.clone());
                asked.spawn(async move {
                    let sent = Moment::now();
                    (target, sent, world.take_lease(permit, plan, target).await)
                });
            }
            let (mut others, mut unknown) = (Vec::new(), Vec::new());
            while let Some(answer) = asked.join_next().await {
                let Ok((target, sent, leased)) = answer else { return Some("asking for a lease failed in this program".to_owned()) };
                let name = self.plan.targets[target].name.clone();
                match leased {
                    Some(Leased::Held(fence)) => {
                        self.fences[target] = Some(fence);
                        self.proofs[target] = Some(sent);
                        self.record(Happened::LeaseTaken { target, fence });
                    }
                    Some(Leased::Other(who)) => {
                        let why = format!("{name} is held by {who}");
                        self.record(Happened::LeaseLost { target, why: why.clone() });
                        others.push(why);
                    }
                    Some(Leased::Unknown(why)) => {
                        open.push(target);
                        unknown.push(format!("{name}: {why}"));
                    }
                    None => {
                        let why = format!("{name} keeps no lease");
                        self.record(Happened::LeaseLost { target, why: why.clone() });
                        others.push(why);
                    }
                }
            }
            if !others.is_empty() {
                return Some(format!("{}; `qd runs` shows what runs here, and when the other run has ended, plan anew", others.join("; ")));
            }
            if self.halt.is_some() {
                return None;
            }
            if open.is_empty() {
                if rest.is_empty() {
                    return None;
                }
                open = std::mem::take(&mut rest);
                continue;
            }
            tries += 1;
            // Nothing was changed yet: whoever waits for it is told so, and may try again.
            if !begun && tries >= self.pace.tries {
                for target in open {
                    self.record(Happened::LeaseLost { target, why: "nobody knows whether it was taken".to_owned() });
                }
                return Some(format!("no lease could be taken: {}", unknown.join("; ")));
            }
            // What was begun is no prisoner of a host that is gone: nothing is called there, and it is asked for again.
            if begun && since.age() > self.pace.ask_after {
                self.folder.say(&format!("goes on without the lease of what does not answer: {}", unknown.join("; ")));
                for (target, why) in open.drain(..).zip(unknown) {
                    self.record(Happened::LeaseLost { target, why: format!("nobody knows: {why}; it is asked for again") });
                    self.dark[target] = Some((Moment::now(), self.pace.look_most));
                }
                if rest.is_empty() {
                    return None;
                }
                open = std::mem::take(&mut rest);
                continue;
            }
            let _ = tokio::time::timeout(self.pace.look * tries.min(20), self.stop.changed()).await;
            if *self.stop.borrow() {
                self.halt(Halt::Signal);
                return None;
            }
        }
    }

    /// Records what persons asked for, and takes it out of the folder. What was recorded before a runner was ended, and
    /// not taken out, is not taken twice.
    pub(super) fn take_requests(&mut self) {
        for (file, asked) in crate::operate::requests::take(self.folder_path()) {
            let known = self.state.requests.iter().any(|(at, by, request)| (at, by, request) == (&asked.at, &asked.by, &asked.request));
            let what = Happened::Requested { request: asked.request, by: asked.by };
            if !known && self.record_at(what, asked.at).is_none() {
                return;
            }
            crate::operate::requests::remove(&file);
        }
    }
}
