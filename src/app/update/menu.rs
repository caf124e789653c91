//! The menu of a row under hands: opened, and its line run as its key would be.

use crate::app::effect::Effect;
use crate::app::history::row;
use crate::app::key::Key;
use crate::app::layer::Layer;
use crate::app::menu::{Menu, Possible, possible};
use crate::app::state::State;

use super::keys;

/// Opens the menu of what is selected.
pub(super) fn open(state: &mut State) {
    match Menu::of(state) {
        Some(menu) => state.layers.push(Layer::Menu(menu)),
        None => state.said = Some(super::share::NOTHING.to_owned()),
    }
}

/// A key that the menu has no use for itself: where it is that of a line, it is that line.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(Layer::Menu(menu)) = state.layers.last_mut() else { return Vec::new() };
    let Some(place) = menu.items.iter().position(|item| item.key == Some(key.into())) else { return Vec::new() };
    menu.selected = place;
    choose(state)
}

/// Does what the key of the selected line does. Where the row is another by now, or it is not possible any more, nothing
/// is done and that is said.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Menu(menu)) = state.layers.last() else { return Vec::new() };
    let Some(item) = menu.items.get(menu.selected).cloned() else { return Vec::new() };
    if let Some(why) = item.why {
        state.said = Some(format!("{}: not now, {why}", item.action.entry().short));
        return Vec::new();
    }
    let was = menu.row.clone();
    state.layers.pop();
    if row(state).as_ref() != Some(&was) {
        state.said = Some("the row of the menu is gone: nothing was done".to_owned());
        return Vec::new();
    }
    match possible(state, item.action) {
        Possible::Yes => keys::run(state, item.action),
        Possible::NotNow(why) => {
            state.said = Some(format!("{}: not any more, {why}", item.action.entry().short));
            Vec::new()
        }
        Possible::Never => Vec::new(),
    }
}
