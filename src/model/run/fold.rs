//! The fold: what each event makes of a run. An event that the run's state leaves no room for, such as the late answer of
//! a runner that was replaced, changes nothing.

use jiff::Timestamp;

use super::{Call, CallEnd, Happened, Lease, Request, RunEvent, RunState, StepRun, StepState, WAITS};
use crate::model::event::{Actor, Event, Record};
use crate::model::plan::{Act, Found, Repeat};

/// Calls of one step that a runner makes without a person's word in between.
pub const TRIES: u32 = 3;

impl RunState {
    /// Takes the next event of this run; one of another run changes nothing.
    pub fn take(&mut self, record: &Record) {
        let Event::Run(RunEvent { run, what }) = &record.event else { return };
        if *run != self.run {
            return;
        }
        let at = record.said_at;
        self.last = (record.seq, at);
        if self.ended.is_some() && !matches!(what, Happened::Reviewed { .. }) {
            return;
        }
        match what {
            Happened::Planned { .. } => {}
            Happened::Agreed(agreement) => self.agreement = Some(agreement.clone()),
            Happened::Begun { .. } => self.begun(record),
            Happened::Checked { checks } => self.checks.clone_from(checks),
            Happened::LeaseWanted { target } => self.lease(*target, Lease::Wanted),
            Happened::LeaseTaken { target, fence } => {
                self.lease(*target, Lease::Held(*fence));
                self.reached(*target);
            }
            Happened::LeaseLost { target, why } => self.lease(*target, Lease::Lost(why.clone())),
            Happened::LeaseGiven { target } => self.lease(*target, Lease::Given),
            Happened::Intent(intent) => {
                if let Some(step) = self.step_mut(&intent.step) {
                    step.state = StepState::Underway(intent.call);
                    step.attempt = intent.attempt;
                    step.tries += 1;
                    (step.since, step.until) = (Some(at), None);
                    step.said.clear();
                    step.output.clear();
                }
            }
            Happened::Result { step, attempt, call, end, output } => self.ended_call(step, *attempt, *call, end, output, at),
            Happened::Observed { step, call, found } => self.observed(step, *call, found, at),
            Happened::Asked { step, why } => {
                self.waits(at, step.as_ref().map_or_else(|| why.clone(), |step| format!("{step}: {why}")));
                self.asked = Some((step.clone(), why.clone()));
            }
            Happened::Requested { request, by } => {
                self.requests.push((at, by.clone(), request.clone()));
                if let Request::Pause { reason } = request {
                    self.waits(at, format!("paused: {reason}"));
                }
                self.requested(request, by);
            }
            Happened::Ended(ending) => self.ended = Some((at, ending.clone())),
            Happened::Reviewed { note } => self.reviewed = Some((record.actor.clone(), note.clone())),
        }
    }

    fn begun(&mut self, record: &Record) {
        self.runner = Some(record.actor.clone());
        self.runner_version.clone_from(&record.version);
        self.runners += 1;
        self.begun_at.get_or_insert(record.said_at);
        // Whoever made those calls and held those leases is gone.
        for step in &mut self.steps {
            if let StepState::Underway(call) = step.state {
                step.state = StepState::Unknown(call);
            }
            step.tries = 0;
        }
        self.leases.iter_mut().for_each(|lease| *lease = Lease::None);
        self.asked = None;
    }

    fn waits(&mut self, at: Timestamp, why: String) {
        if self.waits.len() == WAITS {
            self.waits.remove(0);
        }
        self.waits.push((at, why));
    }

    fn lease(&mut self, target: usize, lease: Lease) {
        let (Some(place), Some(asks)) = (self.leases.get_mut(target), self.asks.get_mut(target)) else { return };
        match (&lease, &place) {
            (Lease::Wanted, _) => *asks += 1,
            (Lease::Lost(_), Lease::Wanted) => *asks = asks.saturating_sub(1),
            _ => {}
        }
        *place = lease;
    }

    /// What waited for that target's lease goes on by itself. Whatever else was asked about it is asked again.
    fn reached(&mut self, target: usize) {
        let waits = |place: usize| {
            let begins = self.steps[place].state == StepState::Waiting || self.goes_back(place);
            self.plan.steps[place].target == target && begins && self.asks_about(place)
        };
        if (0..self.steps.len()).any(waits) {
            self.asked = None;
        }
    }

    fn step_mut(&mut self, id: &str) -> Option<&mut StepRun> {
        let place = self.place(id)?;
        self.steps.get_mut(place)
    }

    /// The end of a call, as the runner that made it tells of it. What a later try, a reading or a person said stands.
    fn ended_call(&mut self, id: &str, attempt: u32, call: Call, end: &CallEnd, output: &[String], at: Timestamp) {
        let Some(place) = self.place(id) else { return };
        let changes = self.plan.steps[place].act.changes();
        let step = &mut self.steps[place];
        let open = matches!(step.state, StepState::Underway(of) | StepState::Unknown(of) | StepState::Untold(of) if of == call);
        if attempt < step.attempt || (attempt == step.attempt && !open) {
            return;
        }
        step.attempt = attempt;
        step.until = Some(at);
        step.output = output.to_vec();
        let (state, said) = match (call, end) {
            (Call::Apply, CallEnd::Done { seen }) => (StepState::Done, seen),
            (Call::Undo, CallEnd::Done { seen }) => (StepState::Undone, seen),
            (Call::Apply, CallEnd::Failed { why }) => (StepState::Failed, why),
            (Call::Apply, CallEnd::Refused { why }) => (StepState::Refused, why),
            (Call::Undo, CallEnd::Failed { why } | CallEnd::Refused { why }) => (StepState::UndoFailed, why),
            (call, CallEnd::Unknown { why }) => (StepState::Unknown(call), why),
        };
        step.touched = match state {
            StepState::Done | StepState::Failed => changes,
            StepState::Undone => false,
            // What was refused changed nothing, and leaves what an earlier try did.
            _ => step.touched,
        };
        (step.state, step.said) = (state, said.clone());
        self.answered(id);
        self.undone_with(place);
    }

    /// What is taken back together with that step, where it was.
    fn undone_with(&mut self, place: usize) {
        let (id, said) = (&self.plan.steps[place].id, &self.steps[place].said);
        if self.steps[place].state != StepState::Undone {
            return;
        }
        let said = format!("taken back together with {id}: {said}");
        let with: Vec<usize> = (0..self.steps.len()).filter(|of| self.plan.steps[*of].undone_with.as_ref() == Some(id)).collect();
        for step in with {
            let step = &mut self.steps[step];
            match step.state {
                // A person passed it over: that stands, what it may have changed does not.
                StepState::Skipped => step.touched = false,
                StepState::Done | StepState::Failed | StepState::Refused | StepState::Waiting if step.touched => {
                    (step.state, step.touched, step.said) = (StepState::Undone, false, said.clone());
                }
                _ => {}
            }
        }
    }

    /// What the world says. It is asked about calls whose end is not known; whatever else is known already stands.
    fn observed(&mut self, id: &str, call: Call, found: &Found, at: Timestamp) {
        let Some(place) = self.place(id) else { return };
        let plan = &self.plan.steps[place];
        let changes = plan.act.changes();
        let again = plan.repeat == Repeat::Repeatable && !matches!(plan.act, Act::Manual { .. });
        let step = &mut self.steps[place];
        let open = matches!(step.state, StepState::Underway(of) | StepState::Unknown(of) | StepState::Untold(of) if of == call);
        // A runner may look before its first call: what it finds is then not its own doing.
        let ahead = call == Call::Apply && step.state == StepState::Waiting;
        if !open && !ahead {
            return;
        }
        step.until = Some(at);
        let spent = step.tries >= TRIES;
        // What a call that was not made leaves behind is what was there before it.
        let before = if call == Call::Apply { StepState::Waiting } else { StepState::Done };
        let (state, said) = match found {
            Found::Done { seen } => (if call == Call::Apply { StepState::Done } else { StepState::Undone }, seen.clone()),
            Found::NotDone { seen } if !spent => (before, seen.clone()),
            Found::NotDone { seen } => {
                let state = if call == Call::Apply { StepState::Refused } else { StepState::UndoFailed };
                (state, format!("begun {} times and it is not done: {seen}", step.tries))
            }
            Found::Underway { seen } if open => (StepState::Unknown(call), seen.clone()),
            Found::Moved { seen } if !changes => (StepState::Failed, seen.clone()),
            Found::Moved { seen } if ahead && !step.touched => (StepState::Refused, seen.clone()),
            Found::Moved { seen } => (StepState::Untold(call), seen.clone()),
            Found::Untold { why } if again && open && !spent => (before, why.clone()),
            Found::Untold { why } if open => (StepState::Untold(call), why.clone()),
            Found::Underway { seen: why } | Found::Untold { why } => (StepState::Waiting, why.clone()),
        };
        step.touched = match (call, found) {
            (Call::Apply, Found::NotDone { .. }) | (Call::Undo, Found::Done { .. }) => false,
            (Call::Apply, Found::Done { .. }) => changes,
            (Call::Apply, Found::Untold { .. }) if open => changes,
            _ => step.touched,
        };
        let resolved = !matches!(state, StepState::Unknown(_));
        (step.state, step.said) = (state, said);
        if resolved {
            self.answered(id);
        }
        self.undone_with(place);
    }

    fn requested(&mut self, request: &Request, by: &Actor) {
        match request {
            Request::Pause { reason } => self.paused = Some(reason.clone()),
            Request::Resume { .. } => {
                self.paused = None;
                // A question about no step is answered by going on.
                if matches!(self.asked, Some((None, _))) {
                    self.asked = None;
                }
            }
            Request::Abort { reason } => {
                self.aborting = Some(reason.clone());
                (self.paused, self.asked) = (None, None);
            }
            Request::Retry { step, .. } => self.settle(step, None, retried),
            Request::Skip { step, reason } => self.settle(step, Some(format!("{} passed it over: {reason}", by.name())), skipped),
            Request::Confirm { step, reason } => self.settle(step, Some(format!("{} says: {reason}", by.name())), confirmed),
            Request::TakeBack { target, .. } => self.take_back(target),
        }
    }

    fn take_back(&mut self, target: &str) {
        if !self.plan.targets.iter().any(|of| of.name == target) {
            return;
        }
        if !self.taken_back.iter().any(|of| of == target) {
            self.taken_back.push(target.to_owned());
        }
        for place in 0..self.steps.len() {
            let (plan, step) = (&self.plan.steps[place], &self.steps[place]);
            if self.is_of(plan, target) && step.state == StepState::Waiting && !(step.touched && plan.undo.is_some()) {
                self.steps[place].state = StepState::Skipped;
            }
        }
        self.asked = None;
    }

    /// A person's word about one step: it is heard where the step waits for one.
    fn settle(&mut self, id: &str, said: Option<String>, to: fn(&RunState, usize) -> Option<(StepState, bool)>) {
        let Some(place) = self.place(id) else { return };
        let Some((state, touched)) = to(self, place) else { return };
        let step = &mut self.steps[place];
        (step.state, step.touched, step.tries) = (state, touched, 0);
        if let Some(said) = said {
            step.said = said;
        }
        self.answered(id);
        self.undone_with(place);
        if matches!(self.asked, Some((None, _))) {
            self.asked = None;
        }
    }

    /// The question about this step is over.
    fn answered(&mut self, id: &str) {
        if matches!(&self.asked, Some((Some(of), _)) if of == id) {
            self.asked = None;
        }
    }
}

/// Trying again: a step that must not be done twice is looked at first, whatever a person thinks of it.
fn retried(run: &RunState, place: usize) -> Option<(StepState, bool)> {
    let step = &run.steps[place];
    let once = run.plan.steps[place].repeat == Repeat::Once && run.plan.steps[place].act.changes();
    let back = run.goes_back(place);
    let state = match step.state {
        StepState::Untold(Call::Apply) if once || back => StepState::Unknown(Call::Apply),
        // What is taken back is not begun again.
        StepState::Failed | StepState::Refused if back => return None,
        StepState::Failed if once => StepState::Unknown(Call::Apply),
        StepState::Failed | StepState::Refused | StepState::Untold(Call::Apply) => StepState::Waiting,
        StepState::UndoFailed | StepState::Untold(Call::Undo) if once => StepState::Unknown(Call::Undo),
        StepState::UndoFailed | StepState::Untold(Call::Undo) => StepState::Done,
        _ => return None,
    };
    let untold = matches!(step.state, StepState::Untold(_)) && run.plan.steps[place].act.changes();
    Some((state, step.touched || untold))
}

fn skipped(run: &RunState, place: usize) -> Option<(StepState, bool)> {
    let (plan, step) = (&run.plan.steps[place], &run.steps[place]);
    let manual = matches!(plan.act, Act::Manual { .. });
    match step.state {
        StepState::Waiting | StepState::Failed | StepState::Refused | StepState::UndoFailed => Some((StepState::Skipped, step.touched)),
        StepState::Untold(_) => Some((StepState::Skipped, plan.act.changes())),
        // It is to be taken back, and its target does not answer.
        StepState::Done if run.asks_about(place) && run.goes_back(place) => Some((StepState::Skipped, step.touched)),
        StepState::Underway(_) | StepState::Unknown(_) if manual => Some((StepState::Skipped, true)),
        // Read back for long and still dark: a person decides that the rest waits no longer. What it changed may stay.
        StepState::Unknown(_) if run.asks_about(place) => Some((StepState::Skipped, plan.act.changes())),
        _ => None,
    }
}

fn confirmed(run: &RunState, place: usize) -> Option<(StepState, bool)> {
    let plan = &run.plan.steps[place];
    let manual = matches!(plan.act, Act::Manual { .. });
    let of = |call| match call {
        Call::Apply => (StepState::Done, plan.act.changes()),
        Call::Undo => (StepState::Undone, false),
    };
    match run.steps[place].state {
        StepState::Untold(call) => Some(of(call)),
        StepState::Underway(call) | StepState::Unknown(call) if manual => Some(of(call)),
        StepState::UndoFailed => Some(of(Call::Undo)),
        _ => None,
    }
}
