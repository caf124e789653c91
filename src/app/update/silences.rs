//! The list of silences under hands. What is done with one goes through the wizard.

use crate::app::action::Action;
use crate::app::filter::{Filter, no_field};
use crate::app::layer::Layer;
use crate::app::pane;
use crate::app::silences::{self, SILENCE_FIELDS, SilenceId, SilenceList, room};
use crate::app::state::State;

use super::layers;

/// Opens the list, with that silence selected.
pub(super) fn show(state: &mut State, wanted: Option<SilenceId>) {
    if state.layers.iter().any(|layer| matches!(layer, Layer::Silences(_))) || state.layers.iter().any(Layer::is_form) {
        state.said = Some("the list of silences, or something that is being filled in, lies below: go back to it".to_owned());
        return;
    }
    let mut of = SilenceList::default();
    of.list.list.selected = wanted.clone();
    layers::lay(state, Layer::Silences(Box::new(of)));
    silences::renew(state);
    if wanted.is_some_and(|wanted| silences::shown(state).is_none_or(|of| of.list.list.selected != Some(wanted))) {
        state.said = Some("that silence is not told of any more: it ended more than a day ago".to_owned());
    }
}

/// Moves in it.
pub(super) fn step(state: &mut State, by: isize) {
    change(state, |state, of| {
        let (len, height) = (of.rows.len(), room(state));
        of.list.list.step(len, |row| silences::id(state, &of.rows, row), by, height);
    });
}

/// Selects a row, and says whether it was selected already.
pub(super) fn choose(state: &mut State, wanted: &SilenceId) -> Option<bool> {
    let mut again = None;
    change(state, |state, of| {
        let (len, height) = (of.rows.len(), room(state));
        again = of.list.list.choose(len, |row| silences::id(state, &of.rows, row), wanted, height);
    });
    again
}

fn change(state: &mut State, with: impl FnOnce(&State, &mut SilenceList)) {
    let Some(Layer::Silences(of)) = state.layers.last_mut() else { return };
    let mut of = std::mem::take(&mut **of);
    with(state, &mut of);
    if let Some(Layer::Silences(list)) = state.layers.last_mut() {
        **list = of;
    }
}

/// Begins to type its filter.
pub(super) fn begin(of: &mut SilenceList) {
    of.typing = true;
    of.list.former = of.list.filter.clone();
    of.list.typed = of.list.filter.text.clone();
    of.list.error = None;
}

/// Takes the filter that is typed, where it is one.
pub(super) fn accept(of: &mut SilenceList) {
    of.typing = of.list.error.is_some();
}

/// One level up within it: out of what is typed, then the filter goes. False where there is nothing to leave.
pub(super) fn back(state: &mut State) -> bool {
    let Some(Layer::Silences(of)) = state.layers.last_mut() else { return false };
    match (std::mem::take(&mut of.typing), of.list.filter.is_empty()) {
        (true, _) => of.list.filter = of.list.former.clone(),
        (false, false) => of.list.filter = Filter::default(),
        (false, true) => return false,
    }
    of.list.typed = of.list.filter.text.clone();
    of.list.error = None;
    pane::refresh(state);
    true
}

/// Its filter was typed on.
pub(super) fn typed(state: &mut State, with: impl FnOnce(&mut String), cap: impl FnOnce(&mut String)) {
    let Some(Layer::Silences(of)) = state.layers.last_mut().filter(|top| matches!(top, Layer::Silences(of) if of.typing)) else { return };
    with(&mut of.list.typed);
    cap(&mut of.list.typed);
    // Labels are any that matchers name.
    let known = |name: &str| SILENCE_FIELDS.contains(&name);
    let parsed = Filter::parse(&of.list.typed)
        .and_then(|filter| filter.unknown_field(known).map(|name| no_field(name, SILENCE_FIELDS)).map_or(Ok(filter.clone()), Err));
    match parsed {
        Ok(filter) => (of.list.filter, of.list.error) = (filter, None),
        Err(why) => of.list.error = Some(why),
    }
    silences::renew(state);
}

/// What a key of the list does that means something else elsewhere; `false` where it is no matter of the list.
pub(super) fn run(state: &mut State, action: Action) -> bool {
    let Some(Layer::Silences(of)) = state.layers.last_mut() else { return false };
    match action {
        Action::Filter => begin(of),
        Action::Accept => accept(of),
        Action::Back => return back(state),
        Action::Open => open(state),
        _ => return false,
    }
    true
}

/// The alerts that the selected silence mutes.
fn open(state: &mut State) {
    let Some(of) = silences::selected(state) else { return };
    let (id, mutes) = (of.silence.id.clone(), of.mutes);
    if mutes == 0 {
        state.said = Some("it mutes no alert now".to_owned());
        return;
    }
    layers::muted_by(state, &id);
}
