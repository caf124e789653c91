//! Taking back: which steps are wanted back, in which order, and what stays.

use super::{RunState, StepState};
use crate::model::plan::{Act, OnFailure, Step, TargetKind};

impl RunState {
    /// True where the step is on its way back: the whole run is, or its target. A guard window watches what was done at its
    /// hosts: where all of them are taken back there is nothing to watch.
    pub fn goes_back(&self, place: usize) -> bool {
        if self.aborting.is_some() || self.taken_back.is_empty() {
            return self.aborting.is_some();
        }
        let back = |step: &Step| self.plan.target_of(step).is_some_and(|of| self.taken_back.contains(&of.name));
        let step = &self.plan.steps[place];
        let idle = || !step.needs.is_empty() && step.needs.iter().all(|need| self.plan.step(need).is_some_and(back));
        back(step) || (matches!(step.act, Act::Guard { .. }) && idle())
    }

    /// The first step that may be taken back: after the last point of no return that was passed.
    pub fn floor(&self) -> usize {
        self.point_passed().map_or(0, |place| place + 1)
    }

    /// The last point of no return that was passed, by its place in the plan.
    pub fn point_passed(&self) -> Option<usize> {
        let passed = |place: &usize| self.plan.steps[*place].point_of_no_return && self.is_passed(*place);
        (0..self.steps.len()).rfind(passed)
    }

    /// True where the step was begun, and is not known to have changed nothing.
    fn is_passed(&self, place: usize) -> bool {
        let step = &self.steps[place];
        let open = matches!(step.state, StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_));
        step.touched || open || (step.attempt > 0 && !self.plan.steps[place].act.changes() && step.state != StepState::Refused)
    }

    /// True where the step changed something that can be taken back, and nobody decided that it stays.
    pub fn is_wanted_back(&self, place: usize, floor: usize) -> bool {
        let step = &self.steps[place];
        place >= floor
            && step.touched
            && self.plan.steps[place].undo.is_some()
            && matches!(step.state, StepState::Done | StepState::Failed | StepState::Waiting | StepState::Refused)
    }

    /// The targets that can be taken back where that step is asked about: its own, or where it is about no host (a guard, a
    /// person's deed) those on which something can be taken back.
    pub fn back_from(&self, place: usize) -> impl Iterator<Item = &str> {
        let own = self.plan.target_of(&self.plan.steps[place]).filter(|target| target.kind != TargetKind::Outside);
        let floor = self.floor();
        let touched = move |name: &str| {
            let on = |at: &usize| self.plan.target_of(&self.plan.steps[*at]).is_some_and(|of| of.name == name);
            (0..self.steps.len()).filter(on).any(|at| self.is_wanted_back(at, floor))
        };
        let others = self.plan.targets.iter().filter(move |target| {
            own.is_none() && target.kind != TargetKind::Outside && !self.taken_back.contains(&target.name) && touched(&target.name)
        });
        own.into_iter().chain(others).map(|target| target.name.as_str())
    }

    /// True where nothing of the step stands in the way of those that need it.
    pub fn is_settled(&self, place: usize) -> bool {
        self.settled(place, self.floor())
    }

    pub(super) fn settled(&self, place: usize, floor: usize) -> bool {
        let back = self.goes_back(place);
        match self.steps[place].state {
            StepState::Skipped | StepState::Undone => true,
            StepState::Done => !(back && self.is_wanted_back(place, floor)),
            StepState::Failed | StepState::Refused | StepState::Waiting if back => !self.is_wanted_back(place, floor),
            StepState::Failed | StepState::Refused => self.plan.steps[place].on_failure == OnFailure::Continue,
            StepState::UndoFailed | StepState::Waiting | StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_) => false,
        }
    }

    /// What the run leaves behind as things stand: the changes that were made and are not known to be gone, a line each.
    pub fn stays(&self) -> Vec<String> {
        let left = |place: &usize| {
            let open = matches!(self.steps[*place].state, StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_));
            let act = &self.plan.steps[*place].act;
            // What does nothing left nothing, unless it stands for what takes it back and that did not end well.
            let nothing = act.does_nothing() && self.steps[*place].state == StepState::Done;
            act.changes() && !nothing && (self.steps[*place].touched || open)
        };
        // What can be taken back and is not: why it stays is said with it.
        let point = self.point_passed();
        let line = |place: usize| {
            let (step, run) = (&self.plan.steps[place], &self.steps[place]);
            let how = match run.state {
                StepState::Done if point == Some(place) => " (a point of no return)",
                StepState::Done if point.is_some_and(|point| place < point) => " (before a point of no return)",
                StepState::Done => "",
                StepState::Skipped => " (passed over)",
                StepState::UndoFailed => " (taking it back failed)",
                StepState::Underway(_) | StepState::Unknown(_) | StepState::Untold(_) => " (outcome unknown)",
                StepState::Failed | StepState::Refused | StepState::Waiting | StepState::Undone => {
                    " (failed; it may have changed something)"
                }
            };
            let said = if run.said.is_empty() { String::new() } else { format!("; {}", run.said) };
            format!("{}: {}{how}{said}", step.id, step.title)
        };
        (0..self.steps.len()).filter(left).map(line).collect()
    }
}
