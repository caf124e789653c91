//! Saved views under hands: listed, shown, and the present one saved under a name.

use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane};
use crate::app::pane;
use crate::app::state::State;
use crate::app::timeline::Window;
use crate::app::views::{SaveForm, View, ViewList, line, present};

use super::{layers, narrow};

/// Opens the list.
pub(super) fn open(state: &mut State) {
    if state.layers.iter().any(Layer::is_form) {
        state.said = Some("something is being filled in here: close it first".to_owned());
        return;
    }
    layers::lay(state, Layer::Views(ViewList::default()));
}

/// Moves in the list.
pub(super) fn step(state: &mut State, by: isize) {
    // The last line saves what is shown.
    let last = state.views.all.len() + state.views.bad.len();
    if let Some(Layer::Views(list)) = state.layers.last_mut() {
        list.selected = list.selected.saturating_add_signed(by).min(last);
    }
}

/// Enter in the list: shows the view, says what is wrong with it, or asks for a name.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Views(list)) = state.layers.last() else { return Vec::new() };
    let at = list.selected;
    if let Some(view) = state.views.all.get(at).cloned() {
        state.layers.pop();
        show(state, &view);
    } else if let Some((_, problem)) = state.views.bad.get(at - state.views.all.len()) {
        state.said = Some(line(problem));
    } else {
        state.layers.pop();
        let view = present(state);
        state.layers.push(Layer::SaveView(SaveForm { typed: String::new(), view, writing: false, error: None }));
    }
    Vec::new()
}

/// Shows the saved view of that name.
pub(super) fn go(state: &mut State, name: &str) {
    match state.views.find(name).cloned() {
        Ok(view) => show(state, &view),
        Err(why) => state.said = Some(why),
    }
}

/// Shows a saved view: its pane with nothing on it.
pub fn show(state: &mut State, view: &View) {
    layers::show(state, view.pane);
    // The timeline has a range of its own, and gives the charts' back when it is left: here at once.
    if view.pane != Pane::Timeline
        && let Some((charts, _)) = state.timeline.ranges.take()
    {
        state.demand.range = charts;
    }
    if view.pane == Pane::Alerts {
        state.grouped = view.grouped.unwrap_or(state.grouped);
        state.show_muted = view.muted.unwrap_or(state.show_muted);
    }
    match (view.pane, view.range) {
        (Pane::Timeline, Some(range)) => {
            let windows = [Window::Half, Window::Hours, Window::Day, Window::Week];
            state.timeline.window = windows.into_iter().find(|window| window.length() >= range).unwrap_or(Window::Week);
        }
        (_, Some(range)) => state.demand.range = range,
        (_, None) => {}
    }
    // It was judged when it was read.
    if let Err(why) = narrow(state, &view.filter) {
        state.said = Some(why);
    }
    pane::refresh(state);
}

/// Enter in the form of a name.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    let (views, layers) = (&state.views, &mut state.layers);
    let Some(Layer::SaveView(form)) = layers.last_mut() else { return Vec::new() };
    if form.writing {
        return Vec::new();
    }
    let name = form.typed.trim();
    form.error = views.refuses(name);
    match &views.file {
        _ if form.error.is_some() => Vec::new(),
        None => {
            form.error = Some("there is no folder for it: set HOME or XDG_STATE_HOME".to_owned());
            Vec::new()
        }
        Some(file) => {
            form.writing = true;
            let view = Box::new(View { name: name.to_owned(), ..form.view.clone() });
            vec![Effect::Ask(Box::new(Ask::SaveView { file: file.clone(), view }))]
        }
    }
}

/// How saving ended. The form may be gone by now.
pub(super) fn saved(state: &mut State, view: View, end: Result<(), String>) {
    let form = match state.layers.last_mut() {
        Some(Layer::SaveView(form)) if form.writing => Some(form),
        _ => None,
    };
    match (end, form) {
        (Ok(()), form) => {
            if form.is_some() {
                state.layers.pop();
            }
            state.said = Some(format!("saved as {}: V lists it, `qd --view` opens it", view.name));
            state.views.all.push(view);
        }
        (Err(why), Some(form)) => (form.writing, form.error) = (false, Some(format!("nothing was saved: {why}"))),
        (Err(why), None) => state.said = Some(format!("{} was not saved: {why}", view.name)),
    }
}
