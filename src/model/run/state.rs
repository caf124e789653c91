//! How a run stands, folded from its events in their order. Nothing else is known of it: whoever attaches folds the same.

use jiff::Timestamp;

use super::{Agreement, Call, CallEnd, Ending, Happened, Request, RunEvent};
use crate::model::check::Check;
use crate::model::event::{Actor, Event, Record};
use crate::model::plan::{Found, OnFailure, Plan, Repeat, Step};

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// Its id.
    pub run: String,
    /// What is to be done.
    pub plan: Plan,
    /// The plan's hash as it was recorded, 64 hex digits.
    pub hash: String,
    /// Who had it planned.
    pub by: Actor,
    /// When (UTC).
    pub planned_at: Timestamp,
    /// What was agreed to.
    pub agreement: Option<Agreement>,
    /// Whose process carries it out: the newest runner.
    pub runner: Option<Actor>,
    /// The version of that runner.
    pub runner_version: String,
    /// Runners that took it up.
    pub runners: u32,
    /// When the first one did (UTC).
    pub begun_at: Option<Timestamp>,
    /// The checks as the newest runner made them.
    pub checks: Vec<Check>,
    /// The leases, by the plan's targets.
    pub leases: Vec<Lease>,
    /// The steps, in the plan's order.
    pub steps: Vec<StepRun>,
    /// Why nothing new is begun.
    pub paused: Option<String>,
    /// Why it is taken back.
    pub aborting: Option<String>,
    /// Names of targets that are taken back while the run goes on elsewhere.
    pub taken_back: Vec<String>,
    /// What a person must decide: the step, and why.
    pub asked: Option<(Option<String>, String)>,
    /// What persons asked for: when (UTC), who and what.
    pub requests: Vec<(Timestamp, Actor, Request)>,
    /// How it ended, and when (UTC).
    pub ended: Option<(Timestamp, Ending)>,
    /// Who reviewed the broken glass, and what they say.
    pub reviewed: Option<(Actor, String)>,
    /// The place of its newest event in the journal, and that moment (UTC).
    pub last: (u64, Timestamp),
}

/// The lease of one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lease {
    /// It was not asked for.
    #[default]
    None,
    /// It was asked for; no answer is recorded.
    Wanted,
    /// It is held with this fence number.
    Held(u64),
    /// It is another's, or was never got; why.
    Lost(String),
    /// It was given back.
    Given,
}

/// How one step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Its turn has not come, or it is to be done again.
    Waiting,
    /// Its call was begun.
    Underway(Call),
    /// How its call ended is not known: the world is to be read back.
    Unknown(Call),
    /// Nobody can tell from outside how its call ended: a person must look.
    Untold(Call),
    /// It is done.
    Done,
    /// It failed; something may have been changed.
    Failed,
    /// It was refused; nothing was changed.
    Refused,
    /// A person passed it over.
    Skipped,
    /// It was done and is taken back.
    Undone,
    /// It was done, and taking it back failed.
    UndoFailed,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRun {
    /// How it stands.
    pub state: StepState,
    /// Calls that were begun.
    pub attempt: u32,
    /// When the newest call was begun (UTC).
    pub since: Option<Timestamp>,
    /// When it ended (UTC).
    pub until: Option<Timestamp>,
    /// What was last said of it: what was seen, or why it failed.
    pub said: String,
    /// What its newest call printed.
    pub output: Vec<String>,
}

/// What a run does as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No runner took it up.
    Planned,
    /// Checks and leases.
    Preparing,
    /// Steps are carried out.
    Going,
    /// Nothing new is begun.
    Paused,
    /// A person must decide.
    Asking,
    /// It is taken back.
    Aborting,
    /// It ended.
    Ended,
}

impl RunState {
    /// A run as its first event tells of it; `None` for any other event.
    pub fn of(record: &Record) -> Option<RunState> {
        let Event::Run(RunEvent { run, what: Happened::Planned { plan, hash } }) = &record.event else { return None };
        let step = StepRun { state: StepState::Waiting, attempt: 0, since: None, until: None, said: String::new(), output: Vec::new() };
        Some(RunState {
            run: run.clone(),
            hash: hash.clone(),
            by: record.actor.clone(),
            planned_at: record.said_at,
            agreement: None,
            runner: None,
            runner_version: String::new(),
            runners: 0,
            begun_at: None,
            checks: Vec::new(),
            leases: vec![Lease::None; plan.targets.len()],
            steps: vec![step; plan.steps.len()],
            plan: (**plan).clone(),
            paused: None,
            aborting: None,
            taken_back: Vec::new(),
            asked: None,
            requests: Vec::new(),
            ended: None,
            reviewed: None,
            last: (record.seq, record.said_at),
        })
    }

    /// Takes the next event of this run; one of another run changes nothing.
    pub fn take(&mut self, record: &Record) {
        let Event::Run(RunEvent { run, what }) = &record.event else { return };
        if *run != self.run {
            return;
        }
        let at = record.said_at;
        self.last = (record.seq, at);
        match what {
            Happened::Planned { .. } => {}
            Happened::Agreed(agreement) => self.agreement = Some(agreement.clone()),
            Happened::Begun { .. } => {
                self.runner = Some(record.actor.clone());
                self.runner_version.clone_from(&record.version);
                self.runners += 1;
                self.begun_at.get_or_insert(at);
                // Whoever made those calls and held those leases is gone.
                for step in &mut self.steps {
                    if let StepState::Underway(call) = step.state {
                        step.state = StepState::Unknown(call);
                    }
                }
                self.leases.iter_mut().for_each(|lease| *lease = Lease::None);
                self.asked = None;
            }
            Happened::Checked { checks } => self.checks.clone_from(checks),
            Happened::LeaseWanted { target } => self.lease(*target, Lease::Wanted),
            Happened::LeaseTaken { target, fence } => self.lease(*target, Lease::Held(*fence)),
            Happened::LeaseLost { target, why } => self.lease(*target, Lease::Lost(why.clone())),
            Happened::LeaseGiven { target } => self.lease(*target, Lease::Given),
            Happened::Intent(intent) => {
                if let Some(step) = self.step_mut(&intent.step) {
                    step.state = StepState::Underway(intent.call);
                    step.attempt = intent.attempt;
                    (step.since, step.until) = (Some(at), None);
                    step.said.clear();
                    step.output.clear();
                }
            }
            Happened::Result { step, call, end, output, .. } => {
                if let Some(step) = self.step_mut(step) {
                    step.until = Some(at);
                    step.output.clone_from(output);
                    (step.state, step.said) = ended(*call, end);
                }
            }
            Happened::Observed { step, call, found } => self.observed(step, *call, found, at),
            Happened::Asked { step, why } => self.asked = Some((step.clone(), why.clone())),
            Happened::Requested { request, by } => {
                self.requests.push((at, by.clone(), request.clone()));
                self.requested(request);
            }
            Happened::Ended(ending) => self.ended = Some((at, ending.clone())),
            Happened::Reviewed { note } => self.reviewed = Some((record.actor.clone(), note.clone())),
        }
    }

    fn lease(&mut self, target: usize, lease: Lease) {
        if let Some(place) = self.leases.get_mut(target) {
            *place = lease;
        }
    }

    fn step_mut(&mut self, id: &str) -> Option<&mut StepRun> {
        let place = self.plan.steps.iter().position(|step| step.id == id)?;
        self.steps.get_mut(place)
    }

    fn observed(&mut self, id: &str, call: Call, found: &Found, at: Timestamp) {
        let repeat = self.plan.step(id).map(|step| step.repeat);
        let Some(step) = self.step_mut(id) else { return };
        step.until = Some(at);
        // What a call that was not made leaves behind is what was there before it.
        let before = if call == Call::Apply { StepState::Waiting } else { StepState::Done };
        (step.state, step.said) = match found {
            Found::Done { seen } => (if call == Call::Apply { StepState::Done } else { StepState::Undone }, seen.clone()),
            Found::NotDone { seen } => (before, seen.clone()),
            Found::Underway { seen } => (StepState::Unknown(call), seen.clone()),
            Found::Moved { seen } => (if call == Call::Apply { StepState::Failed } else { StepState::UndoFailed }, seen.clone()),
            Found::Untold { why } if repeat == Some(Repeat::Repeatable) => (before, why.clone()),
            Found::Untold { why } => (StepState::Untold(call), why.clone()),
        };
    }

    fn requested(&mut self, request: &Request) {
        match request {
            Request::Pause { reason } => self.paused = Some(reason.clone()),
            Request::Resume { .. } => self.paused = None,
            Request::Abort { reason } => {
                self.aborting = Some(reason.clone());
                (self.paused, self.asked) = (None, None);
            }
            Request::Retry { step, .. } => self.settle(step, |state| match state {
                StepState::Failed | StepState::Refused | StepState::Untold(Call::Apply) => Some(StepState::Waiting),
                StepState::UndoFailed | StepState::Untold(Call::Undo) => Some(StepState::Done),
                _ => None,
            }),
            Request::Skip { step, .. } => self.settle(step, |state| match state {
                StepState::Waiting | StepState::Failed | StepState::Refused | StepState::Untold(_) | StepState::UndoFailed => {
                    Some(StepState::Skipped)
                }
                _ => None,
            }),
            Request::Confirm { step, .. } => self.settle(step, |state| match state {
                StepState::Untold(Call::Apply) | StepState::Underway(Call::Apply) => Some(StepState::Done),
                StepState::Untold(Call::Undo) | StepState::Underway(Call::Undo) => Some(StepState::Undone),
                _ => None,
            }),
            Request::TakeBack { target, .. } => {
                if !self.taken_back.contains(target) {
                    self.taken_back.push(target.clone());
                }
                let of: Vec<usize> = self.plan.steps.iter().enumerate().filter(|(_, s)| self.is_of(s, target)).map(|(n, _)| n).collect();
                for place in of {
                    if self.steps[place].state == StepState::Waiting {
                        self.steps[place].state = StepState::Skipped;
                    }
                }
                self.asked = None;
            }
        }
    }

    /// True where that step changes or looks at that target.
    pub fn is_of(&self, step: &Step, target: &str) -> bool {
        self.plan.target_of(step).is_some_and(|of| of.name == target)
    }

    /// A person's word about one step: it is heard where the step waits for one.
    fn settle(&mut self, id: &str, to: impl Fn(StepState) -> Option<StepState>) {
        let Some(step) = self.step_mut(id) else { return };
        let Some(state) = to(step.state) else { return };
        step.state = state;
        if self.asked.as_ref().is_some_and(|(of, _)| of.as_deref().is_none_or(|of| of == id)) {
            self.asked = None;
        }
    }

    /// What it does as a whole.
    pub fn phase(&self) -> Phase {
        match self {
            _ if self.ended.is_some() => Phase::Ended,
            _ if self.runners == 0 => Phase::Planned,
            _ if self.asked.is_some() => Phase::Asking,
            _ if self.aborting.is_some() => Phase::Aborting,
            _ if self.paused.is_some() => Phase::Paused,
            _ if self.steps.iter().all(|step| step.attempt == 0) => Phase::Preparing,
            _ => Phase::Going,
        }
    }

    /// True where nothing of the step stands in the way of those that need it.
    pub fn is_settled(&self, place: usize) -> bool {
        match self.steps[place].state {
            StepState::Done | StepState::Skipped | StepState::Undone => true,
            StepState::Failed | StepState::Refused => self.plan.steps[place].on_failure == OnFailure::Continue,
            StepState::UndoFailed | StepState::Waiting | StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_) => false,
        }
    }

    /// The runs that these events tell of, in the order of their first event.
    pub fn all<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<RunState> {
        let mut all: Vec<RunState> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for record in records {
            let Event::Run(of) = &record.event else { continue };
            if let Some(&place) = places.get(&of.run) {
                let state: &mut RunState = &mut all[place];
                state.take(record);
            } else if let Some(state) = RunState::of(record) {
                places.insert(of.run.clone(), all.len());
                all.push(state);
            }
        }
        all
    }
}

fn ended(call: Call, end: &CallEnd) -> (StepState, String) {
    let (state, said) = match (call, end) {
        (Call::Apply, CallEnd::Done { seen }) => (StepState::Done, seen),
        (Call::Undo, CallEnd::Done { seen }) => (StepState::Undone, seen),
        (Call::Apply, CallEnd::Failed { why }) => (StepState::Failed, why),
        (Call::Apply, CallEnd::Refused { why }) => (StepState::Refused, why),
        (Call::Undo, CallEnd::Failed { why } | CallEnd::Refused { why }) => (StepState::UndoFailed, why),
        (call, CallEnd::Unknown { why }) => (StepState::Unknown(call), why),
    };
    (state, said.clone())
}
