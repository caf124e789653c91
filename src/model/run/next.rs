//! What a runner does next: it follows from how the run stands, and from nothing else.

use super::state::{RunState, StepState};
use super::{Call, Ending};
use crate::model::plan::OnFailure;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Read the world back to learn how this call of that step ended.
    Observe {
        /// The step's place in the plan.
        step: usize,
        /// The call.
        call: Call,
    },
    /// Make this call of that step.
    Call {
        /// The step's place in the plan.
        step: usize,
        /// The call.
        call: Call,
        /// Its number, from 1 on.
        attempt: u32,
    },
    /// Begin to take it all back, as the plan says of this failure.
    Abort {
        /// Why.
        why: String,
    },
    /// Ask a person.
    Ask {
        /// The step's place in the plan.
        step: usize,
        /// Why.
        why: String,
    },
    /// It is over.
    End(Ending),
}

/// What is to be done now, beside the steps that are `busy`: those whose call or reading is under way in this runner.
/// Nothing where it waits: for one of these, for a person, for going on.
pub fn next(state: &RunState, busy: &[usize]) -> Vec<Move> {
    if state.ended.is_some() {
        return Vec::new();
    }
    let idle = |place: &usize| !busy.contains(place);
    // Reading is always allowed, and everything else waits for what is not known.
    let lost: Vec<Move> = places(state)
        .filter(idle)
        .filter_map(|step| match state.steps[step].state {
            StepState::Unknown(call) => Some(Move::Observe { step, call }),
            _ => None,
        })
        .collect();
    if !lost.is_empty() {
        return lost;
    }
    if state.asked.is_some() {
        return Vec::new();
    }
    if let Some(ask) = places(state).filter(idle).find_map(|step| question(state, step)) {
        return vec![ask];
    }
    if state.aborting.is_some() {
        return back(state, busy, |_| true, |stays| Move::End(Ending::Aborted { stays }));
    }
    if state.paused.is_some() {
        return Vec::new();
    }
    let back_at = |place: usize| state.taken_back.iter().any(|target| state.is_of(&state.plan.steps[place], target));
    let mut moves: Vec<Move> = back(state, busy, back_at, |_| Move::Abort { why: String::new() });
    moves.retain(|found| matches!(found, Move::Call { .. }));
    let ready = |place: &usize| {
        let step = &state.plan.steps[*place];
        state.steps[*place].state == StepState::Waiting
            && step.needs.iter().all(|need| place_of(state, need).is_some_and(|need| state.is_settled(need)))
    };
    moves.extend(places(state).filter(idle).filter(ready).map(|step| call(state, step, Call::Apply)));
    if moves.is_empty() && busy.is_empty() && places(state).all(|place| state.is_settled(place)) {
        moves.push(Move::End(end(state)));
    }
    moves
}

fn places(state: &RunState) -> std::ops::Range<usize> {
    0..state.plan.steps.len()
}

fn place_of(state: &RunState, id: &str) -> Option<usize> {
    state.plan.steps.iter().position(|step| step.id == id)
}

fn call(state: &RunState, step: usize, call: Call) -> Move {
    Move::Call { step, call, attempt: state.steps[step].attempt + 1 }
}

/// What a step wants of a person.
fn question(state: &RunState, place: usize) -> Option<Move> {
    let (step, run) = (&state.plan.steps[place], &state.steps[place]);
    let why = || format!("{}: {}", step.id, run.said);
    match run.state {
        StepState::Untold(_) | StepState::UndoFailed => Some(Move::Ask { step: place, why: why() }),
        // What is taken back needs no word about its failure.
        StepState::Failed | StepState::Refused if state.aborting.is_none() && !is_back(state, place) => match step.on_failure {
            OnFailure::Continue => None,
            OnFailure::Ask => Some(Move::Ask { step: place, why: why() }),
            OnFailure::Stop => Some(Move::Abort { why: why() }),
        },
        _ => None,
    }
}

fn is_back(state: &RunState, place: usize) -> bool {
    state.taken_back.iter().any(|target| state.is_of(&state.plan.steps[place], target))
}

/// The calls that take back, each after all that needed its step; at the end what `over` makes of what stays.
fn back(state: &RunState, busy: &[usize], of: impl Fn(usize) -> bool, over: impl Fn(Vec<String>) -> Move) -> Vec<Move> {
    if places(state).any(|place| of(place) && (busy.contains(&place) || matches!(state.steps[place].state, StepState::Underway(_)))) {
        return Vec::new();
    }
    let floor = floor(state);
    let wanted = |place: usize| {
        place >= floor
            && of(place)
            && state.plan.steps[place].undo.is_some()
            && matches!(state.steps[place].state, StepState::Done | StepState::Failed)
    };
    let needed = |place: usize| {
        let id = &state.plan.steps[place].id;
        places(state).any(|other| wanted(other) && reaches(state, other, id))
    };
    let calls: Vec<Move> = places(state).rev().filter(|p| wanted(*p) && !needed(*p)).map(|p| call(state, p, Call::Undo)).collect();
    if calls.is_empty() { vec![over(stays(state))] } else { calls }
}

/// True where this step comes after that one, directly or by others.
fn reaches(state: &RunState, from: usize, id: &str) -> bool {
    let mut seen = vec![false; state.plan.steps.len()];
    let mut open = vec![from];
    while let Some(place) = open.pop() {
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        for need in &state.plan.steps[place].needs {
            if need == id {
                return true;
            }
            open.extend(place_of(state, need));
        }
    }
    false
}

/// The first step that may be taken back: after the last point of no return that was begun.
fn floor(state: &RunState) -> usize {
    let begun = |place: &usize| state.plan.steps[*place].point_of_no_return && state.steps[*place].attempt > 0;
    places(state).rfind(begun).map_or(0, |place| place + 1)
}

/// What a run leaves behind: the changes that are done and not taken back.
fn stays(state: &RunState) -> Vec<String> {
    let left = |place: &usize| {
        state.plan.steps[*place].act.changes()
            && match state.steps[*place].state {
                StepState::Done | StepState::Failed | StepState::UndoFailed | StepState::Untold(_) => true,
                // Passed over after it was begun: what it did is not known to be gone.
                StepState::Skipped => state.steps[*place].attempt > 0,
                StepState::Waiting | StepState::Underway(_) | StepState::Unknown(_) | StepState::Refused | StepState::Undone => false,
            }
    };
    let line = |place: usize| {
        let (step, run) = (&state.plan.steps[place], &state.steps[place]);
        if run.said.is_empty() { format!("{}: {}", step.id, step.title) } else { format!("{}: {}; {}", step.id, step.title, run.said) }
    };
    places(state).filter(left).map(line).collect()
}

fn end(state: &RunState) -> Ending {
    if state.taken_back.is_empty() {
        return Ending::Done;
    }
    Ending::Failed { why: format!("{} was taken back; the rest was carried out", state.taken_back.join(", ")), stays: stays(state) }
}
