//! How a run stands: what its events come to. Nothing else is known of it: whoever attaches folds the same.

use jiff::Timestamp;

use super::advice::quoted;
use super::{Agreement, Call, Ending, Happened, Request, RunEvent};
use crate::model::check::Check;
use crate::model::event::{Actor, Event, Record};
use crate::model::plan::{Plan, Step};

/// Waits of one run that are kept.
pub const WAITS: usize = 100;

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
    /// How often the lease of each target was asked for and not refused, by all runners: each of these got one fence number
    /// at the most, so that a greater one at a target where nobody was before is another run's.
    pub asks: Vec<u64>,
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
    /// When it came to wait for a person (UTC), and why; the newest [`WAITS`].
    pub waits: Vec<(Timestamp, String)>,
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
    /// True where it changed something, or may have, that is not known to be gone again.
    pub touched: bool,
    /// Calls that were begun since a person last had a say: a runner alone does not try for ever.
    pub tries: u32,
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
        let step = StepRun {
            state: StepState::Waiting,
            attempt: 0,
            since: None,
            until: None,
            said: String::new(),
            output: Vec::new(),
            touched: false,
            tries: 0,
        };
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
            asks: vec![0; plan.targets.len()],
            steps: vec![step; plan.steps.len()],
            plan: (**plan).clone(),
            paused: None,
            aborting: None,
            taken_back: Vec::new(),
            asked: None,
            waits: Vec::new(),
            requests: Vec::new(),
            ended: None,
            reviewed: None,
            last: (record.seq, record.said_at),
        })
    }

    /// Steps that are behind it (done, passed over or taken back), and all of them.
    pub fn progress(&self) -> (usize, usize) {
        let behind = |step: &&StepRun| matches!(step.state, StepState::Done | StepState::Skipped | StepState::Undone);
        (self.steps.iter().filter(behind).count(), self.steps.len())
    }

    /// True where a person is asked about that step.
    pub fn asks_about(&self, place: usize) -> bool {
        let of = self.asked.as_ref().and_then(|(step, _)| step.as_deref());
        of.is_some() && of == self.plan.steps.get(place).map(|step| step.id.as_str())
    }

    /// What a person is asked about a step whose outcome nobody could read back for long. Its target may be gone for good:
    /// without an answer neither the rest nor its taking back would ever go on.
    pub fn dark(&self, place: usize) -> String {
        let (step, said) = (&self.plan.steps[place], &self.steps[place].said);
        let name = self.plan.target_of(step).map_or("its target", |target| target.name.as_str());
        let waits = if self.aborting.is_some() { "nothing more is taken back" } else { "nothing more is begun" };
        format!(
            "{}: whether it is done is not known: {said}; it is read back again and again, and {waits} meanwhile: bring {name} back, or where it is gone for good `qd skip {} {} --reason WHY` goes on without knowing",
            step.id,
            quoted(&self.run),
            quoted(&step.id)
        )
    }

    /// What a person is asked about a step that cannot be begun, or taken back, as the lease of its target is not proven.
    pub fn unreached(&self, place: usize) -> String {
        let step = &self.plan.steps[place];
        let name = self.plan.target_of(step).map_or("its target", |target| target.name.as_str());
        let why = match self.leases.get(step.target) {
            Some(Lease::Lost(why)) => format!(": {why}"),
            _ => String::new(),
        };
        format!(
            "{}: it waits, as whether {name} is still this run's is not known{why}: bring {name} back and it goes on by itself, or where it is gone for good `qd skip {} {} --reason WHY` passes it over",
            step.id,
            quoted(&self.run),
            quoted(&step.id)
        )
    }

    /// How that step stands, in one or two words: of a run that ended nothing waits any more.
    pub fn word_of(&self, place: usize) -> &'static str {
        match self.steps.get(place).map(|step| step.state) {
            Some(StepState::Waiting) | None if self.ended.is_some() => "not begun",
            Some(state) => state.word(),
            None => StepState::Waiting.word(),
        }
    }

    /// Why the glass was broken, where something was begun behind it and nobody reviewed it yet.
    pub fn unreviewed(&self) -> Option<&str> {
        let glass = self.agreement.as_ref()?.glass.as_deref()?;
        let refused = matches!(self.ended, Some((_, Ending::Refused { .. })));
        (self.reviewed.is_none() && self.runners > 0 && !refused).then_some(glass)
    }

    /// The steps whose outcome nobody knows yet while it is read back again and again, each with what is known.
    pub fn checking(&self) -> impl Iterator<Item = (&str, &str)> {
        let of = self.plan.steps.iter().zip(&self.steps).filter(|(_, run)| matches!(run.state, StepState::Unknown(_)));
        of.map(|(step, run)| (step.id.as_str(), run.said.as_str())).filter(|_| self.ended.is_none())
    }

    /// The step's place in the plan.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.plan.steps.iter().position(|step| step.id == id)
    }

    /// True where that step changes or looks at that target.
    pub fn is_of(&self, step: &Step, target: &str) -> bool {
        self.plan.target_of(step).is_some_and(|of| of.name == target)
    }

    /// What it does as a whole.
    pub fn phase(&self) -> Phase {
        match self {
            _ if self.ended.is_some() => Phase::Ended,
            _ if self.runners == 0 => Phase::Planned,
            _ if self.asked.is_some() => Phase::Asking,
            _ if self.paused.is_some() => Phase::Paused,
            _ if self.aborting.is_some() => Phase::Aborting,
            _ if self.steps.iter().all(|step| step.attempt == 0) => Phase::Preparing,
            _ => Phase::Going,
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
