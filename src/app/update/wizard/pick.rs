//! Picking a choice of the wizard's page with the mouse.

use super::{look, silence, top};
use crate::app::action::Action;
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::wizard::{Standing, Step, Subject, Wizard, hosts};

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
            let (at, len) = match &of.subject {
                Subject::Silence(draft) => (draft.selected, draft.len()),
                Subject::Processes(chosen) => (chosen.selected, chosen.len()),
                Subject::Rollback { .. } => return None,
            };
            if *place >= len {
                return None;
            }
            let by = place.cast_signed() - at.cast_signed();
            match &mut of.subject {
                Subject::Silence(draft) => draft.walk(by),
                Subject::Processes(chosen) => chosen.walk(by),
                Subject::Rollback { .. } => {}
            }
            // What has a box is taken in and out by a click, as by the key; nothing begins by that.
            if !of.ignores(Action::Toggle) {
                silence::choose(state, Action::Toggle);
            }
            Some(by == 0)
        }
        (Step::Target, Choice::Host(host)) => {
            let Some(Layer::Wizard(of)) = state.layers.last() else { return None };
            if !hosts(state, of).contains(host) {
                return None;
            }
            top(state)?.host = Some(host.clone());
            super::hosts::toggle(state);
            Some(false)
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
