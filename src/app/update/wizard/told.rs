//! What is told to the wizard: plans, checks, whether it began. Answers to older questions are dropped.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::app::marks;
use crate::app::state::State;
use crate::app::wizard::{self, Seen, Standing, Step, Wizard, held, held_mut};
use crate::model::check::{Check, Override, Verdict};
use crate::model::plan::Planned;

use super::{go, open_run};

/// A plan is told, or why there is none.
pub(in crate::app::update) fn planned(state: &mut State, number: u64, result: Result<Arc<Planned>, String>) {
    let now = state.now;
    let Some(of) = held(state).filter(|of| of.number == number && of.standing == Standing::Open) else { return };
    let seen = Seen::of(state, &of.subject);
    // One that took longer than it is good for would be asked for again without end.
    let result = result.and_then(|new| match new.plan.expires_at > now {
        true => Ok(new),
        false => Err("the plan had expired when it came".to_owned()),
    });
    let Some(of) = held_mut(state) else { return };
    let awaited = of.asked.take().is_some();
    of.checking = None;
    match result {
        Ok(new) => {
            let hash = new.plan.hash();
            let same = of.hash == hash;
            if same && !awaited {
                return;
            }
            if !same && !awaited {
                let lines = of.plan().map(|old| wizard::differences(old, &new.plan)).unwrap_or_default();
                lines.into_iter().for_each(|line| of.note(line));
            }
            if !same {
                // They were given for another plan.
                of.overrides.clear();
                of.glass = None;
            }
            of.problem = None;
            of.seen = seen;
            of.hash = hash;
            of.checks.clone_from(&new.checks);
            (of.checked, of.checking) = (Some(now), None);
            of.planned = Some(new);
            settle(of);
            if of.is_past(Step::Impact) {
                go(of, Step::Impact);
            }
        }
        Err(why) => {
            if !awaited {
                of.note("the plan cannot be made any more".to_owned());
            }
            of.problem = Some(why);
            if of.is_past(Step::Impact) {
                go(of, Step::Impact);
            }
        }
    }
}

/// A host answered that is asked for the plan or its checks.
pub(in crate::app::update) fn heard(state: &mut State, number: u64, host: String, end: Result<(), String>) {
    let Some(of) = held_mut(state).filter(|of| of.number == number && (of.asked.is_some() || of.checking.is_some())) else { return };
    of.heard.insert(host, end);
}

/// An override holds for the warning that it was given for, and not for what became of it.
fn settle(of: &mut Wizard) {
    let checks = std::mem::take(&mut of.checks);
    let stands = |one: &Override| {
        checks.iter().any(|check| {
            check.id == one.check
                && matches!((check.verdict, check.overridable), (Verdict::Pass | Verdict::Warn, _) | (Verdict::Unknown, true))
        })
    };
    of.overrides.retain(stands);
    of.checks = checks;
}

/// The checks are told.
pub(in crate::app::update) fn checked(state: &mut State, number: u64, mut checks: Vec<Check>) {
    let now = state.now;
    let Some(of) = held_mut(state).filter(|of| of.number == number && of.standing == Standing::Open) else { return };
    let was: Vec<(String, Verdict)> = of.checks.iter().map(|check| (check.id.clone(), check.verdict)).collect();
    // A warning that became worse, or unknown, is another thing than the one that was overridden.
    let worse = |check: &Check| was.iter().any(|(id, before)| *id == check.id && check.verdict > *before);
    let again: Vec<String> = checks.iter().filter(|check| worse(check)).map(|check| check.id.clone()).collect();
    of.overrides.retain(|one| !again.contains(&one.check));
    // Each row stays where it is read; of what is new the worst is first.
    let places: HashMap<&str, usize> = was.iter().enumerate().map(|(place, (id, _))| (id.as_str(), place)).collect();
    checks.sort_by_key(|check| (places.get(check.id.as_str()).copied().unwrap_or(usize::MAX), Reverse(check.verdict)));
    of.checks = checks;
    (of.checked, of.checking) = (Some(now), None);
    settle(of);
    if of.is_past(Step::Checks)
        && let Some(why) = of.held_up(now)
    {
        go(of, Step::Checks);
        of.note(why);
    }
}

/// Whether it began is told.
pub(in crate::app::update) fn started(state: &mut State, number: u64, result: Result<String, String>) {
    let Some(of) = held_mut(state).filter(|of| of.number == number && matches!(of.standing, Standing::Starting(_))) else { return };
    match result {
        Ok(run) => {
            let marks = std::mem::take(&mut of.marks);
            marks::done(state, &marks);
            // What was prepared is the run's now.
            state.wizards.prepared = false;
            open_run(state, run);
        }
        Err(why) => of.standing = Standing::Failed(why),
    }
}
