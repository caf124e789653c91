//! What a runner does next: it follows from how the run stands, and from nothing else.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{Call, Ending, RunState, StepState};
use crate::model::plan::{Act, OnFailure};

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

/// The plan's needs as places, and which steps are busy: looked up once for each question.
struct Ground<'a> {
    state: &'a RunState,
    busy: Vec<bool>,
    /// By step; `None` for a need that the plan does not have.
    needs: Vec<Vec<Option<usize>>>,
    floor: usize,
}

/// What is to be done now, beside the steps that are `busy`: those whose call or reading is under way in this runner.
/// Nothing where it waits: for one of these, for a person, for going on.
///
/// What is not known is read back at all times, of a paused run too. Steps that do not need it go on meanwhile; nothing is
/// taken back at a place where something is under way or unknown.
pub fn next(state: &RunState, busy: &[usize]) -> Vec<Move> {
    if state.ended.is_some() {
        return Vec::new();
    }
    let ground = Ground::of(state, busy);
    let mut moves = ground.lost();
    if state.asked.is_some() {
        return moves;
    }
    if let Some(ask) = ground.places().find_map(|step| ground.question(step)) {
        moves.push(ask);
        return moves;
    }
    if state.paused.is_some() {
        return moves;
    }
    if state.aborting.is_some() {
        let (calls, over) = ground.back(|_| true);
        moves.extend(calls);
        if over && moves.is_empty() {
            moves.push(Move::End(Ending::Aborted { stays: state.stays() }));
        }
        return moves;
    }
    for target in &state.taken_back {
        moves.extend(ground.back(|place| state.is_of(&state.plan.steps[place], target)).0);
    }
    moves.extend(ground.places().filter(|place| ground.is_ready(*place)).map(|step| ground.call(step, Call::Apply)));
    if moves.is_empty() && busy.is_empty() {
        // Nothing is under way and nothing can be begun: it is over, or a person must say how it goes on.
        moves.push(match ground.places().find(|place| !state.settled(*place, ground.floor)) {
            None => Move::End(end(state)),
            Some(step) => Move::Ask { step, why: ground.stuck(step) },
        });
    }
    moves
}

impl<'a> Ground<'a> {
    fn of(state: &'a RunState, busy: &[usize]) -> Ground<'a> {
        let steps = &state.plan.steps;
        let index: HashMap<&str, usize> = steps.iter().enumerate().map(|(place, step)| (step.id.as_str(), place)).collect();
        let needs = steps.iter().map(|step| step.needs.iter().map(|need| index.get(need.as_str()).copied()).collect()).collect();
        let mut marks = vec![false; steps.len()];
        busy.iter().for_each(|place| {
            if let Some(mark) = marks.get_mut(*place) {
                *mark = true;
            }
        });
        Ground { state, busy: marks, needs, floor: state.floor() }
    }

    fn places(&self) -> std::ops::Range<usize> {
        0..self.state.steps.len()
    }

    fn call(&self, step: usize, call: Call) -> Move {
        Move::Call { step, call, attempt: self.state.steps[step].attempt + 1 }
    }

    /// What is to be read back: calls whose end nobody knows, and calls that nobody makes any more.
    fn lost(&self) -> Vec<Move> {
        let lost = |step: usize| match self.state.steps[step].state {
            StepState::Unknown(call) | StepState::Underway(call) if !self.busy[step] => Some(Move::Observe { step, call }),
            _ => None,
        };
        self.places().filter_map(lost).collect()
    }

    fn is_ready(&self, place: usize) -> bool {
        let settled = |need: &Option<usize>| need.is_some_and(|need| self.state.settled(need, self.floor));
        self.state.steps[place].state == StepState::Waiting
            && !self.busy[place]
            && !self.state.goes_back(place)
            && self.needs[place].iter().all(settled)
    }

    /// What a step wants of a person, or of the plan's word about failures.
    fn question(&self, place: usize) -> Option<Move> {
        let (step, run) = (&self.state.plan.steps[place], &self.state.steps[place]);
        if let StepState::Unknown(_) = run.state {
            let waited = self.state.last.1.duration_since(run.since.unwrap_or(self.state.last.1));
            // One time for the call, one for what it left behind; reading goes on meanwhile.
            let long = waited > SignedDuration::from_secs(2 * i64::from(step.timeout));
            return long.then(|| Move::Ask { step: place, why: self.state.dark(place) });
        }
        if self.busy[place] {
            return None;
        }
        let why = || format!("{}: {}", step.id, run.said);
        match (run.state, step.on_failure) {
            (StepState::Untold(Call::Apply), _) if matches!(step.act, Act::Manual { .. }) => {
                Some(Move::Ask { step: place, why: format!("{}: {}; do it and confirm it", step.id, step.title) })
            }
            (StepState::Untold(_) | StepState::UndoFailed, _) => Some(Move::Ask { step: place, why: why() }),
            // What is taken back needs no word about its failure.
            (StepState::Failed | StepState::Refused, _) if self.state.goes_back(place) => None,
            (StepState::Failed | StepState::Refused, OnFailure::Continue) => None,
            // The world is not what was agreed to: whether to take the rest back is a person's decision.
            (StepState::Refused, _) | (StepState::Failed, OnFailure::Ask) => Some(Move::Ask { step: place, why: why() }),
            // A person who paused it wants nothing begun, not even taking back.
            (StepState::Failed, OnFailure::Stop) => self.state.paused.is_none().then(|| Move::Abort { why: why() }),
            _ => None,
        }
    }

    /// The calls that take these steps back, each after all that needed it; and whether nothing is left to take back or to
    /// wait for.
    fn back(&self, of: impl Fn(usize) -> bool) -> (Vec<Move>, bool) {
        let open =
            |place: usize| self.busy[place] || matches!(self.state.steps[place].state, StepState::Underway(_) | StepState::Unknown(_));
        let wanted = |place: usize| !open(place) && self.state.is_wanted_back(place, self.floor);
        let left: Vec<usize> = self.places().filter(|place| of(*place) && (open(*place) || wanted(*place))).collect();
        let mut needed = vec![false; self.state.steps.len()];
        let mut reach = left.clone();
        while let Some(place) = reach.pop() {
            for need in self.needs[place].iter().flatten() {
                if !std::mem::replace(&mut needed[*need], true) {
                    reach.push(*need);
                }
            }
        }
        // Steps in a circle of needs would wait for each other.
        let circle = left.iter().all(|place| needed[*place] && !open(*place));
        let free = |place: &&usize| wanted(**place) && (circle || !needed[**place]);
        (left.iter().rev().filter(free).map(|place| self.call(*place, Call::Undo)).collect(), left.is_empty())
    }

    fn stuck(&self, place: usize) -> String {
        let step = &self.state.plan.steps[place];
        let missing = step.needs.iter().zip(&self.needs[place]).find(|(_, found)| found.is_none());
        match missing {
            Some((need, _)) => format!("{}: it needs {need}, which the plan does not have", step.id),
            None => format!("{}: nothing can be begun that it waits for", step.id),
        }
    }
}

fn end(state: &RunState) -> Ending {
    if state.taken_back.is_empty() {
        return Ending::Done;
    }
    Ending::Failed { why: format!("{} was taken back; the rest was carried out", state.taken_back.join(", ")), stays: state.stays() }
}
