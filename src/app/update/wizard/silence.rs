//! A silence under hands: the wizard opened on an alert, and what is chosen on its first page.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::layer::{Layer, Pane};
use crate::app::silences;
use crate::app::state::{AlertRow, State};
use crate::app::wizard::{Draft, Standing, Step, Subject, Verb, Wizard};
use crate::model::alert::Alert;

use super::{begin, held, top};

/// The alert that a key is about: of the page on top, else of the selected row.
pub(crate) fn about(state: &State) -> Option<Arc<Alert>> {
    match state.layers.last() {
        Some(Layer::Alert { alert: last, .. }) => {
            let current = state.shown().alerts.iter().find(|alert| alert.id == last.id);
            Some(current.unwrap_or(last).clone())
        }
        Some(_) => None,
        None => match (state.pane, state.alert_rows.get(state.alerts.list.row)?) {
            (Pane::Alerts, AlertRow::Alert(place)) => state.shown().alerts.get(*place).cloned(),
            _ => None,
        },
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

/// What is chosen first, of the silence that is selected in the list of them, else of the alert that the key is about; and
/// why it cannot be gone through.
fn draft(state: &State, verb: Verb) -> Option<(Draft, Option<String>)> {
    if let Some(Layer::Silences(_)) = state.layers.last() {
        let of = silences::selected(state)?;
        return Draft::of_silence(&of.source.name, of.silence, verb, state.now).map(|draft| (draft, None));
    }
    Draft::of(state, &*about(state)?, verb)
}

/// True where that key of a silence opens a wizard now.
pub(crate) fn offers(state: &State, action: Action) -> bool {
    verb(action).is_some_and(|verb| draft(state, verb).is_some())
}

/// Why that key of a silence cannot be gone through on the alert that it is about, where it cannot; `None` where it opens
/// no wizard at all.
pub(crate) fn refuses(state: &State, action: Action) -> Option<Option<String>> {
    draft(state, verb(action)?).map(|(_, refused)| refused)
}

/// Opens the wizard on the alert that the key is about. Nothing is asked before a reason is given.
pub(in crate::app::update) fn open(state: &mut State, action: Action) {
    let Some(verb) = verb(action) else { return };
    let Some((draft, refused)) = draft(state, verb).filter(|_| held(state).is_none()) else { return };
    let wizard = Wizard::of(Subject::Silence(draft));
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
