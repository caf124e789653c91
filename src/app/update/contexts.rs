//! The list of estates: opening it, choosing in it, and leaving this estate for another.

use crate::app::ask::Ask;
use crate::app::contexts::{ContextList, Looked, held_up};
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::state::State;

use super::layers::lay;

/// Opens the list. What the files say is looked up anew each time.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !matches!(state.layers.last(), Some(Layer::Contexts(_))) {
        let selected = state.contexts.open.unwrap_or(0);
        lay(state, Layer::Contexts(ContextList { selected, ..ContextList::default() }));
    }
    vec![Effect::Ask(Box::new(Ask::Contexts))]
}

/// Moves the selection.
pub(super) fn step(list: &mut ContextList, count: usize, by: isize) {
    list.selected = list.selected.saturating_add_signed(by).min(count.saturating_sub(1));
}

/// Opens the selected one.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Contexts(list)) = state.layers.last() else { return Vec::new() };
    match state.contexts.all.get(list.selected).map(|known| known.name.clone()) {
        Some(name) => choose(state, name),
        None => Vec::new(),
    }
}

/// Opens that one: its file is read first, and where it cannot be used this estate stays.
pub(super) fn choose(state: &mut State, name: String) -> Vec<Effect> {
    let effects = if matches!(state.layers.last(), Some(Layer::Contexts(_))) { Vec::new() } else { open(state) };
    let (is_open, held_up) = (state.contexts.name() == Some(&name), held_up(state));
    let place = state.contexts.all.iter().position(|known| known.name == name);
    let Some(Layer::Contexts(list)) = state.layers.last_mut() else { return effects };
    list.selected = place.unwrap_or(list.selected);
    (list.wanted, list.refused) = (None, Vec::new());
    match held_up {
        _ if is_open => list.refused.push(format!("{name} is open already")),
        Some(why) => list.refused.push(why),
        None => {
            list.wanted = Some(name.clone());
            return effects.into_iter().chain([Effect::Ask(Box::new(Ask::Context(name)))]).collect();
        }
    }
    effects
}

/// What the files say.
pub(super) fn looked(state: &mut State, found: Vec<(String, Result<Looked, String>)>) {
    for (name, looked) in found {
        if let Some(known) = state.contexts.all.iter_mut().find(|known| known.name == name) {
            known.looked = Some(looked);
        }
    }
}

/// The file that was wanted is read. Whoever left the list meanwhile wants it no more.
pub(super) fn read(state: &mut State, name: &str, result: Result<(), Vec<String>>) -> Vec<Effect> {
    let held_up = held_up(state);
    let Some(Layer::Contexts(list)) = state.layers.last_mut() else { return Vec::new() };
    if list.wanted.as_deref() != Some(name) {
        return Vec::new();
    }
    list.wanted = None;
    match (result, held_up) {
        (Ok(()), None) => return vec![Effect::Switch(name.to_owned())],
        (Ok(()), Some(why)) => list.refused = vec![why],
        (Err(why), _) => list.refused = why,
    }
    Vec::new()
}
