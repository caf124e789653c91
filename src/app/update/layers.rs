//! Panes and what lies on them: opening, going back, going anywhere from the palette.

use std::sync::Arc;

use crate::app::effect::Effect;
use crate::app::filter::Filter;
use crate::app::layer::{Layer, Pane};
use crate::app::palette::Goal;
use crate::app::pane;
use crate::app::state::{AlertRow, OverviewRow, State};
use crate::model::alert::{Alert, AlertId};
use crate::model::needs::About;

use super::{keys, typing};

/// Takes the top layer away; false where there is none. A filter line gives its former filter back.
pub(super) fn pop(state: &mut State) -> bool {
    match state.layers.pop() {
        Some(Layer::Filter) => {
            typing::restore(state);
            true
        }
        top => top.is_some(),
    }
}

/// One level up; on a pane the filter goes, and never the console.
pub(super) fn back(state: &mut State) {
    if !pop(state) {
        typing::clear(state);
    }
}

/// Shows a pane and nothing on it.
pub(super) fn show(state: &mut State, pane: Pane) {
    while pop(state) {}
    state.pane = pane;
}

/// Takes what is typed: the filter where it is one, the palette's selected line.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    match state.layers.last() {
        Some(Layer::Filter) => {
            if typing::line(state).error.is_none() {
                state.layers.pop();
            }
            Vec::new()
        }
        Some(Layer::Palette(palette)) => {
            let Some(goal) = palette.goal().cloned() else { return Vec::new() };
            state.layers.pop();
            go(state, goal)
        }
        _ => Vec::new(),
    }
}

fn go(state: &mut State, goal: Goal) -> Vec<Effect> {
    match goal {
        Goal::Run(action) => return keys::run(state, action),
        Goal::Pane(pane) => show(state, pane),
        Goal::Service(name) => lay(state, Layer::Service { name, scroll: 0 }),
        Goal::Source(index) => lay(state, Layer::Source { index, scroll: 0 }),
        Goal::Panel(panel) => lay(state, Layer::Chart { panel, cursor: None }),
        Goal::Alert(id) => alert(state, &id),
    }
    Vec::new()
}

/// Lays a view on top. Filter line and help below it would be come upon again on the way back: they go.
fn lay(state: &mut State, layer: Layer) {
    while matches!(state.layers.last(), Some(Layer::Filter | Layer::Help { .. })) {
        pop(state);
    }
    state.layers.push(layer);
}

fn alert(state: &mut State, id: &AlertId) {
    let found: Option<Arc<Alert>> = state.shown().alerts.iter().find(|a| a.id == *id).cloned();
    if let Some(alert) = found {
        lay(state, Layer::Alert { alert, scroll: 0 });
    }
}

/// Looks closer at the selected row.
pub(super) fn open(state: &mut State) {
    if !state.layers.is_empty() {
        return;
    }
    match state.pane {
        Pane::Overview => open_overview(state),
        Pane::Alerts => {
            let row = state.alert_rows.get(state.alerts.list.row);
            if let Some(AlertRow::Alert(place)) = row
                && let Some(alert) = state.shown().alerts.get(*place).cloned()
            {
                lay(state, Layer::Alert { alert, scroll: 0 });
            }
        }
        Pane::Metrics => {
            if let Some(panel) = state.metrics.list.selected.clone() {
                lay(state, Layer::Chart { panel, cursor: None });
            }
        }
    }
}

fn open_overview(state: &mut State) {
    match state.overview_rows.get(state.overview.list.row) {
        Some(OverviewRow::Need(place)) => {
            if let Some(about) = state.shown().needs.get(*place).map(|need| need.about.clone()) {
                open_need(state, about);
            }
        }
        Some(OverviewRow::Service(place)) => {
            if let Some(name) = state.estate.services.get(*place).map(|service| service.name.clone()) {
                lay(state, Layer::Service { name, scroll: 0 });
            }
        }
        Some(OverviewRow::Source(place)) => {
            let index = *place;
            lay(state, Layer::Source { index, scroll: 0 });
        }
        _ => {}
    }
}

fn open_need(state: &mut State, about: About) {
    match about {
        About::Alerts(name, ids) => match ids.as_slice() {
            [one] => alert(state, one),
            many => {
                // An alert without a name is shown as one that says so; its label is not there.
                let named = many.iter().any(|id| state.shown().alerts.iter().any(|a| a.id == *id && a.labels.get("alertname").is_some()));
                let filter = Filter::label("alertname", if named { &name } else { "" });
                narrow(state, filter);
            }
        },
        About::Source(name) | About::DeadMan(name) => {
            if let Some(index) = state.estate.sources.iter().position(|source| source.name == name) {
                lay(state, Layer::Source { index, scroll: 0 });
            }
        }
        About::Panel(panel) => lay(state, Layer::Chart { panel, cursor: None }),
        About::Silence(id) => {
            state.show_muted = true;
            if let Ok(filter) = Filter::parse(&format!("silence:\"{}\"", regex::escape(&id).replace('\\', "\\\\"))) {
                narrow(state, filter);
            }
        }
    }
}

/// Shows the Alerts pane with this filter, from its first row.
fn narrow(state: &mut State, filter: Filter) {
    show(state, Pane::Alerts);
    state.alerts.typed = filter.text.clone();
    state.alerts.filter = filter;
    state.alerts.error = None;
    state.alerts.list = Default::default();
    pane::refresh(state);
}
