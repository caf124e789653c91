//! Picking a choice of the wizard's page with the mouse.

use super::{look, top};
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::wizard::{Standing, Step, Subject, Wizard};

/// Selects what was clicked on, where the step that is shown offers it and no line is being typed, and says whether it
/// was selected already.
pub(in crate::app::update) fn pick(state: &mut State, wanted: &Choice) -> Option<bool> {
    let of = top(state).filter(|of| of.standing == Standing::Open && of.typing.is_none())?;
    match (of.step, wanted) {
        (Step::Release, Choice::Release(version)) => {
            let place = of.candidates().iter().position(|one| one.version == *version)?;
            let again = choice(of) == Some(place);
            of.picked = Some(version.clone());
            Some(again)
        }
        (Step::Checks, Choice::Check(id)) => {
            let place = of.checks.iter().position(|check| check.id == *id)?;
            let again = of.checks_selected() == Some(place);
            of.check = Some(id.clone());
            Some(again)
        }
        (Step::What, Choice::Label(place)) => {
            let Subject::Silence(draft) = &mut of.subject else { return None };
            if *place >= draft.choices.len() + draft.silences.len() {
                return None;
            }
            let by = place.cast_signed() - draft.selected.cast_signed();
            draft.walk(by);
            Some(by == 0)
        }
        _ => None,
    }
}

/// Shows who shipped the selected release and what it did.
pub(in crate::app::update) fn look_closer(state: &mut State) {
    look(state);
}

/// The place of the selected release.
pub(super) fn choice(of: &Wizard) -> Option<usize> {
    of.candidate_selected()
}
