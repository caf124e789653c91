//! One call: the intent on the disk, the permit made from it, the call on a task of its own, its result recorded. And
//! one reading back of what a call did.

use std::time::Duration;

use super::{Boundary, Came, Hooks, Ledger, Look, Moment, Runner};
use crate::act::Called;
use crate::link::permit::Permit;
use crate::model::plan::Found;
use crate::model::run::{Call, CallEnd, Happened, Intent, StepState};
use crate::operate::world::World;

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// Makes the call, if the target is ours. It goes on by itself.
    pub(super) async fn call(&mut self, place: usize, call: Call, attempt: u32) {
        let plan = self.plan.clone();
        let Some(step) = plan.steps.get(place) else { return };
        // The time since the last proof may have passed while this process was stopped. It is being proven anew.
        if !self.is_ours(step.target) {
            return self.unproven(place);
        }
        self.waits[place] = None;
        let fence = self.fence(step.target);
        self.hooks.at(Boundary::BeforeIntent, &step.id, call);
        let intent = Intent { step: step.id.clone(), attempt, call, fence, plan: self.state.hash.clone() };
        let Some(head) = self.record(Happened::Intent(intent)) else { return };
        self.hooks.at(Boundary::AfterIntent, &step.id, call);
        if !self.is_ours(step.target) && !self.prove(step.target).await {
            let why = "the lease could not be proven: the call was not made".to_owned();
            self.result(place, call, attempt, Called { end: CallEnd::Refused { why }, output: Vec::new() });
            return;
        }
        let of = match call {
            Call::Apply => step.id.clone(),
            Call::Undo => format!("{}/undo", step.id),
        };
        let permit = Permit::mint(&self.state.run, &of, attempt, fence, &head);
        self.looks[place] = Look::default();
        self.busy.push(place);
        self.calls += 1;
        let world = self.world.clone();
        self.work.spawn(async move {
            // Of a call that ends this task nobody knows how it ended.
            let made = tokio::spawn(async move { world.call(permit, plan, place, call).await }).await;
            let called = made.unwrap_or_else(|error| Called {
                end: CallEnd::Unknown { why: format!("the call ended within this program: {error}") },
                output: Vec::new(),
            });
            Came::Called { step: place, call, attempt, called }
        });
    }

    /// A call that cannot be made, as its target's lease is not proven: a host that does not answer. It is asked again; after
    /// a while so is a person, as it may be gone for good.
    fn unproven(&mut self, place: usize) {
        let since = *self.waits[place].get_or_insert_with(Moment::now);
        if since.age() > self.pace.ask_after && self.state.asked.is_none() && self.halt.is_none() {
            let (step, why) = (Some(self.plan.steps[place].id.clone()), self.state.unreached(place));
            self.record(Happened::Asked { step, why });
        }
    }

    pub(super) fn called(&mut self, place: usize, call: Call, attempt: u32, called: Called) {
        self.busy.retain(|busy| *busy != place);
        self.calls = self.calls.saturating_sub(1);
        self.hooks.at(Boundary::AfterCall, &self.plan.steps[place].id, call);
        self.result(place, call, attempt, called);
        self.hooks.at(Boundary::AfterResult, &self.plan.steps[place].id, call);
    }

    fn result(&mut self, place: usize, call: Call, attempt: u32, called: Called) {
        let step = self.plan.steps[place].id.clone();
        if !called.output.is_empty() {
            self.folder.live(&step, called.output.join("\n").as_bytes());
        }
        self.record(Happened::Result { step, attempt, call, end: called.end, output: called.output });
    }

    /// Reads the world back: at once the first time, then after a wait.
    pub(super) fn observe(&mut self, place: usize, call: Call) {
        let look = &mut self.looks[place];
        look.since.get_or_insert_with(Moment::now);
        let wait = match look.times {
            0 => Duration::ZERO,
            times => (self.pace.look * 2u32.saturating_pow((times - 1).min(16))).min(self.pace.look_most),
        };
        look.times += 1;
        self.busy.push(place);
        let (world, plan, run) = (self.world.clone(), self.plan.clone(), self.state.run.clone());
        let attempt = self.state.steps[place].attempt;
        self.work.spawn(async move {
            tokio::time::sleep(wait).await;
            let read = tokio::spawn(async move { world.observe(plan, place, call, run, attempt).await }).await;
            let found =
                read.unwrap_or_else(|error| Found::Underway { seen: format!("reading it back ended within this program: {error}") });
            Came::Read { step: place, call, found }
        });
    }

    pub(super) fn read(&mut self, place: usize, call: Call, found: Found) {
        self.busy.retain(|busy| *busy != place);
        let step = self.plan.steps[place].id.clone();
        // What is said again says nothing; once nobody can tell for long, a person is asked, and readings go on.
        if self.looks[place].last.as_ref() != Some(&found) {
            self.looks[place].last = Some(found.clone());
            self.record(Happened::Observed { step: step.clone(), call, found });
        }
        if self.state.steps[place].state != StepState::Unknown(call) {
            self.looks[place] = Look::default();
            return;
        }
        let patience = self.pace.ask_after.max(Duration::from_secs(self.plan.steps[place].timeout.into()).min(self.pace.ask_after * 60));
        let long = self.looks[place].since.is_some_and(|since| since.age() > patience);
        if long && self.state.asked.is_none() && self.halt.is_none() {
            let why = self.state.dark(place);
            self.record(Happened::Asked { step: Some(step), why });
        }
    }

    /// Asks what the jobs that go on have printed.
    pub(super) fn look_at_output(&mut self) {
        const EVERY: Duration = Duration::from_secs(1);
        if self.printing.is_some_and(|then| then.age() < EVERY) {
            return;
        }
        self.printing = Some(Moment::now());
        for place in self.busy.clone() {
            // One that is read back after its reply was lost may still print.
            let (StepState::Underway(call) | StepState::Unknown(call)) = self.state.steps[place].state else { continue };
            if self.prints.contains(&place) {
                continue;
            }
            self.prints.push(place);
            let (world, plan, run) = (self.world.clone(), self.plan.clone(), self.state.run.clone());
            let attempt = self.state.steps[place].attempt;
            self.work.spawn(async move { Came::Printed { step: place, printed: world.printed(plan, place, call, run, attempt).await } });
        }
    }
}
