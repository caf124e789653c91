//! The events of a run in one line each, for lists and reports.

use std::fmt;

use super::{Call, CallEnd, Ending, Happened, Phase, Request, StepState};
use crate::model::check::Verdict;
use crate::model::plan::{Found, Plan};

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Happened::Planned { plan, hash } => {
                write!(f, "planned: {} of {}, {} steps, plan {}", plan.deed.word(), plan.subject, plan.steps.len(), short(hash))
            }
            Happened::Agreed(agreement) => {
                write!(f, "agreed, `{}` was typed: {}", agreement.phrase, agreement.reason)?;
                match &agreement.glass {
                    Some(why) => write!(f, "; the glass was broken: {why}"),
                    None => Ok(()),
                }
            }
            Happened::Begun { resumed: false } => write!(f, "begun"),
            Happened::Begun { resumed: true } => write!(f, "taken up again"),
            Happened::Checked { checks } => {
                let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
                write!(f, "checked: {} pass", count(Verdict::Pass))?;
                for verdict in [Verdict::Warn, Verdict::Unknown, Verdict::Block] {
                    if count(verdict) > 0 {
                        write!(f, ", {} {}", count(verdict), verdict.word())?;
                    }
                }
                Ok(())
            }
            Happened::LeaseWanted { target } => write!(f, "asks for the lease of target {}", target + 1),
            Happened::LeaseTaken { target, fence } => write!(f, "holds the lease of target {}, fence {fence}", target + 1),
            Happened::LeaseLost { target, why } => write!(f, "no lease of target {}: {why}", target + 1),
            Happened::LeaseGiven { target } => write!(f, "gave back the lease of target {}", target + 1),
            Happened::Intent(intent) => write!(f, "{}: {}, try {}", intent.step, intent.call.verb(), intent.attempt),
            Happened::Result { step, call, end, .. } => write!(f, "{step}: {}{end}", call.tail()),
            Happened::Observed { step, call, found } => write!(f, "{step}: {}read back: {found}", call.tail()),
            Happened::Asked { step: Some(step), why } => write!(f, "a person must decide about {step}: {why}"),
            Happened::Asked { step: None, why } => write!(f, "a person must decide: {why}"),
            Happened::Requested { request, by } => write!(f, "{}: {request}", by.name()),
            Happened::Ended(ending) => write!(f, "{ending}"),
            Happened::Reviewed { note } => write!(f, "reviewed: {note}"),
        }
    }
}

impl Happened {
    /// The event in a line, with the targets of this plan by their names.
    pub fn told(&self, plan: &Plan) -> String {
        let name = |target: &usize| plan.targets.get(*target).map(|of| of.name.as_str());
        match self {
            Happened::LeaseWanted { target } => name(target).map(|of| format!("asks for the lease of {of}")),
            Happened::LeaseTaken { target, fence } => name(target).map(|of| format!("holds the lease of {of}, fence {fence}")),
            Happened::LeaseLost { target, why } => name(target).map(|of| format!("no lease of {of}: {why}")),
            Happened::LeaseGiven { target } => name(target).map(|of| format!("gave back the lease of {of}")),
            _ => None,
        }
        .unwrap_or_else(|| self.to_string())
    }
}

/// The digits of a hash that people compare.
fn short(hash: &str) -> &str {
    hash.get(..6).unwrap_or(hash)
}

impl Call {
    fn verb(self) -> &'static str {
        match self {
            Call::Apply => "begins",
            Call::Undo => "is being taken back",
        }
    }

    fn tail(self) -> &'static str {
        match self {
            Call::Apply => "",
            Call::Undo => "taking back: ",
        }
    }
}

impl fmt::Display for CallEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallEnd::Done { seen } => write!(f, "done: {seen}"),
            CallEnd::Failed { why } => write!(f, "failed: {why}"),
            CallEnd::Refused { why } => write!(f, "refused, nothing was changed: {why}"),
            CallEnd::Unknown { why } => write!(f, "outcome unknown: {why}"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Done { seen } => write!(f, "it is done: {seen}"),
            Found::NotDone { seen } => write!(f, "it is not done: {seen}"),
            Found::Underway { seen } => write!(f, "it is still being done: {seen}"),
            Found::Moved { seen } => write!(f, "it is otherwise: {seen}"),
            Found::Untold { why } => write!(f, "nobody can tell from outside: {why}"),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Pause { reason } => write!(f, "pause: {reason}"),
            Request::Resume { reason } => write!(f, "go on: {reason}"),
            Request::Abort { reason } => write!(f, "abort: {reason}"),
            Request::Retry { step, reason } => write!(f, "try {step} again: {reason}"),
            Request::Skip { step, reason } => write!(f, "skip {step}: {reason}"),
            Request::TakeBack { target, reason } => write!(f, "take back {target}: {reason}"),
            Request::Confirm { step, reason } => write!(f, "{step} is done: {reason}"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => write!(f, "done"),
            Ending::Refused { why } => write!(f, "refused, nothing was changed: {why}"),
            Ending::Aborted { stays } if stays.is_empty() => write!(f, "aborted, all of it was taken back"),
            Ending::Aborted { stays } if stays.len() == 1 => write!(f, "aborted; 1 change stays"),
            Ending::Aborted { stays } => write!(f, "aborted; {} changes stay", stays.len()),
            Ending::Failed { why, .. } => write!(f, "failed: {why}"),
        }
    }
}

impl StepState {
    /// One or two words for lists.
    pub fn word(self) -> &'static str {
        match self {
            StepState::Waiting => "waiting",
            StepState::Underway(Call::Apply) => "under way",
            StepState::Underway(Call::Undo) => "taking back",
            StepState::Unknown(_) => "unknown: checking",
            StepState::Untold(_) => "a person must look",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Refused => "refused",
            StepState::Skipped => "skipped",
            StepState::Undone => "taken back",
            StepState::UndoFailed => "taking back failed",
        }
    }
}

impl Phase {
    /// What the run does, in a few words.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Planned => "planned, never begun",
            Phase::Preparing => "checks and leases",
            Phase::Going => "going",
            Phase::Paused => "paused",
            Phase::Asking => "a person must decide",
            Phase::Aborting => "taking back",
            Phase::Ended => "ended",
        }
    }
}
