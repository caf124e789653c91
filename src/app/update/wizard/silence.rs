//! A silence under hands: the wizard opened on an alert, and what is chosen on its first page.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::layer::Layer;
use crate::app::marks::{self, marked_rows};
use crate::app::silences;
use crate::app::state::State;
use crate::app::wizard::{Draft, Standing, Step, Subject, Verb, Wizard};
use crate::model::alert::Alert;

use super::{begin, held, top};

/// The alerts that a key is about: that of the page on top; else the marked ones, where any are; else that of the selected
/// row.
pub(crate) fn about(state: &State) -> Vec<Arc<Alert>> {
    match state.layers.last() {
        Some(Layer::Alert { alert: last, .. }) => {
            let current = state.shown().alerts.iter().find(|alert| alert.id == last.id);
            vec![current.unwrap_or(last).clone()]
        }
        _ => marked_rows(state),
    }
}

fn verb(action: Action) -> Option<Verb> {
    match action {
        Action::Ack => Some(Verb::Ack),
        Action::Silence => Some(Verb::Silence),
        Action::Extend => Some(Verb::Extend),
        Action::Expire => Some(Verb::Expire),
        _ => None,
    }
}

/// What the wizard of that key would begin with, and why it cannot be gone through where it cannot; `None` where there is
/// none. It is about the silence that is selected in the list of them, else about the alerts that the key is about.
fn draft(state: &State, action: Action) -> Option<(Draft, Option<String>)> {
    let verb = verb(action)?;
    if let Some(Layer::Silences(_)) = state.layers.last() {
        let of = silences::selected(state)?;
        return Draft::of_silence(&of.source.name, of.silence, verb, state.now).map(|draft| (draft, None));
    }
    match about(state).as_slice() {
        [] => None,
        [alert] => Draft::of(state, alert, verb),
        // One silence gets another end: which of several is meant cannot be told.
        _ if verb == Verb::Extend => None,
        several => Draft::of_marked(state, several, verb).map(|draft| (draft, None)),
    }
}

/// True where that key of a silence opens a wizard now.
pub(crate) fn offers(state: &State, action: Action) -> bool {
    draft(state, action).is_some()
}

/// Why that key of a silence cannot be gone through on what it is about, where it cannot; `None` where it opens no wizard
/// at all.
pub(crate) fn refuses(state: &State, action: Action) -> Option<Option<String>> {
    draft(state, action).map(|(_, refused)| refused)
}

/// Opens the wizard on what the key is about. Nothing is asked before a reason is given.
pub(in crate::app::update) fn open(state: &mut State, action: Action) {
    let Some((draft, refused)) = draft(state, action).filter(|_| held(state).is_none()) else { return };
    let mut wizard = Wizard::of(Subject::Silence(draft));
    if marks::any(state) {
        wizard.marks.clone_from(&state.marks.all);
    }
    begin(state, wizard, refused);
}

/// Changes what is chosen on the first page.
pub(super) fn choose(state: &mut State, action: Action) {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::What) else { return };
    if let (Subject::Processes(chosen), Action::Toggle) = (&mut of.subject, action) {
        of.said = chosen.toggle().err();
        return;
    }
    let Subject::Silence(draft) = &mut of.subject else { return };
    of.said = match action {
        Action::Toggle => draft.toggle().err(),
        Action::Longer | Action::Shorter => {
            draft.stretch(action == Action::Longer);
            None
        }
        _ => return,
    };
}
