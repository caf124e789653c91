//! A run: the carrying out of one plan. What happened to it are events of the journal, and how it stands follows from
//! them alone.

pub mod advice;
mod back;
pub mod deployed;
pub mod estimate;
mod fold;
pub mod known;
mod next;
mod preview;
pub mod report;
mod state;
mod words;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::{Check, Override};
use super::event::Actor;
use super::plan::{Found, Plan};

pub use fold::TRIES;
pub use next::{Move, next};
pub use preview::Preview;
pub use state::{Lease, Phase, RunState, StepRun, StepState, WAITS};

/// One event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEvent {
    /// The run's id, such as `web-20261121T140455Z-3f2a`.
    pub run: String,
    /// What happened.
    pub what: Happened,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case", deny_unknown_fields)]
pub enum Happened {
    /// This is what is to be done. The first event of a run.
    Planned {
        /// The plan.
        plan: Box<Plan>,
        /// Its hash, 64 hex digits.
        hash: String,
    },
    /// A person agreed to it.
    Agreed(Agreement),
    /// A runner took it up: the process of the record's actor.
    Begun {
        /// False the first time.
        resumed: bool,
    },
    /// The checks as they were made by the runner at the moment of acting.
    Checked {
        /// Them.
        checks: Vec<Check>,
    },
    /// The lease of a target is about to be asked for.
    LeaseWanted {
        /// The target's place in the plan.
        target: usize,
    },
    /// It was taken.
    LeaseTaken {
        /// The target's place in the plan.
        target: usize,
        /// Its fence number: greater than every one before at this target.
        fence: u64,
    },
    /// It was not taken, or is lost: another run holds it, or nobody knows.
    LeaseLost {
        /// The target's place in the plan.
        target: usize,
        /// Who has it, or why that is not known.
        why: String,
    },
    /// It was given back.
    LeaseGiven {
        /// The target's place in the plan.
        target: usize,
    },
    /// A call is about to be made. On the disk before it is.
    Intent(Intent),
    /// How the call ended.
    Result {
        /// The step.
        step: String,
        /// The try, from 1 on.
        attempt: u32,
        /// Which call.
        call: Call,
        /// How it ended.
        end: CallEnd,
        /// What it printed, the last lines; cleaned, without secrets.
        output: Vec<String>,
    },
    /// The world was read back to learn whether a step is done.
    Observed {
        /// The step.
        step: String,
        /// Which call's effect was looked for.
        call: Call,
        /// What was found.
        found: Found,
    },
    /// A person must decide. The run waits.
    Asked {
        /// The step that it is about, where it is about one.
        step: Option<String>,
        /// Why.
        why: String,
    },
    /// A person asked for something, and the runner took it up.
    Requested {
        /// What.
        request: Request,
        /// Who.
        by: Actor,
    },
    /// The run ended. The last event.
    Ended(Ending),
    /// A person looked at a run for which the glass was broken, and says that it is well.
    Reviewed {
        /// What they say.
        note: String,
    },
}

/// What a person agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// What was typed.
    pub phrase: String,
    /// Why it is done.
    pub reason: String,
    /// The checks that were overridden.
    pub overrides: Vec<Override>,
    /// Why the glass was broken; `None` where it was not.
    pub glass: Option<String>,
    /// When (UTC).
    pub at: Timestamp,
}

/// The intent to make one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The step.
    pub step: String,
    /// The try, from 1 on.
    pub attempt: u32,
    /// Which call.
    pub call: Call,
    /// The fence number that goes with it; `None` where the target has no lease.
    pub fence: Option<u64>,
    /// The hash of the plan, 64 hex digits.
    pub plan: String,
}

/// Which of a step's two calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Do it; of a step that only looks, look.
    Apply,
    /// Take it back.
    Undo,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallEnd {
    /// It is done, and the world says so.
    Done {
        /// What was seen.
        seen: String,
    },
    /// It was not done, or is done and not what it should be.
    Failed {
        /// Why.
        why: String,
    },
    /// Nothing was done: the world is not as it was expected to be, the lease is another's, it is another machine.
    Refused {
        /// What was expected and what was found.
        why: String,
    },
    /// Nobody knows yet: the world is to be read back.
    Unknown {
        /// Why.
        why: String,
    },
}

/// What a person asks of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Begin nothing new.
    Pause {
        /// Why.
        reason: String,
    },
    /// Go on.
    Resume {
        /// Why.
        reason: String,
    },
    /// Take back what can be taken back, and end.
    Abort {
        /// Why.
        reason: String,
    },
    /// Try a failed step again.
    Retry {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// Go on as if a step were done.
    Skip {
        /// The step.
        step: String,
        /// Why.
        reason: String,
    },
    /// Take back what was done at one target, and go on with the others.
    TakeBack {
        /// The target's name.
        target: String,
        /// Why.
        reason: String,
    },
    /// A step that a person does is done; or one whose outcome nobody could tell.
    Confirm {
        /// The step.
        step: String,
        /// What was seen.
        reason: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ending {
    /// All steps are done, or skipped by a person.
    Done,
    /// Nothing was changed: a check, a lease, an expired plan.
    Refused {
        /// Why.
        why: String,
    },
    /// It was taken back.
    Aborted {
        /// What stays as the run left it, a line each; none where all of it was taken back.
        stays: Vec<String>,
    },
    /// It failed, and what stands is told.
    Failed {
        /// Why.
        why: String,
        /// What stays as the run left it.
        stays: Vec<String>,
    },
}
