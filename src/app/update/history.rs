//! Back and forward through the views that were visited.

use crate::app::ask::Ask;
use crate::app::chart;
use crate::app::effect::Effect;
use crate::app::history::{VISITS_CAP, Visit, row};
use crate::app::layer::Layer;
use crate::app::pane;
use crate::app::state::State;

/// What is shown now, as it is kept. Wizards and forms are left out, also where going up would lead to one.
pub(super) fn here(state: &State) -> Visit {
    let mut visit = Visit::of(state, Layer::is_view);
    visit.way_back = visit.way_back.filter(|way| !way.visit.layers.iter().any(Layer::is_form));
    visit
}

/// Keeps the view that was left, where another one is shown now.
pub(super) fn note(state: &mut State, from: Visit) {
    let going = std::mem::take(&mut state.history.going);
    // A filter that is being typed is no view yet.
    if going || matches!(state.layers.last(), Some(Layer::Filter)) {
        return;
    }
    let now = here(state);
    if now.is_same(&from) {
        return;
    }
    let history = &mut state.history;
    // Going up to where one came from is going back: looking into ten rows in turn leaves no twenty views.
    if now.is_under(&from) && history.earlier.back().is_some_and(|before| before.is_same(&now)) {
        history.earlier.pop_back();
        history.later.push(from);
        if history.later.len() > VISITS_CAP {
            history.later.remove(0);
        }
        return;
    }
    history.later.clear();
    keep(state, from);
}

fn keep(state: &mut State, visit: Visit) {
    let earlier = &mut state.history.earlier;
    earlier.push_back(visit);
    if earlier.len() > VISITS_CAP {
        earlier.pop_front();
    }
}

/// Shows the view before, or the one after.
pub(super) fn go(state: &mut State, later: bool) -> Vec<Effect> {
    // What is filled in there would be lost.
    if state.layers.iter().any(Layer::is_form) {
        state.said = Some("something is being filled in here: close it first".to_owned());
        return Vec::new();
    }
    let now = here(state);
    loop {
        let visit = if later { state.history.later.pop() } else { state.history.earlier.pop_back() };
        let Some(visit) = visit else {
            let which = if later { "after" } else { "before" };
            state.said = Some(format!("there is no view {which} this one"));
            return Vec::new();
        };
        if visit.is_same(&now) {
            continue;
        }
        if later {
            keep(state, now);
        } else {
            state.history.later.push(now);
        }
        state.history.going = true;
        return show(state, visit);
    }
}

/// Shows a view as it was left, as far as what it was about is there; says what is not.
pub(super) fn show(state: &mut State, visit: Visit) -> Vec<Effect> {
    let Visit { kept, mut layers, way_back, chart: seat } = visit;
    // One that was typed is no panel of the estate.
    if let Some(typed) = seat.as_ref().and_then(|seat| seat.typed.clone()) {
        state.chart.typed = Some(typed);
    }
    let mut gone = None;
    layers.retain(|layer| match missing(state, layer) {
        Some(what) => {
            gone = Some(what);
            false
        }
        None => true,
    });
    kept.give_back(state);
    (state.layers, state.way_back) = (layers, way_back);
    chart::sit(state, seat);
    let whole = state.layers.is_empty().then(|| row(state)).flatten();
    pane::refresh(state);
    let ended = match state.layers.last() {
        Some(Layer::Alert { alert, .. }) if pane::still(&state.shown().alerts, alert).is_none() => {
            Some(format!("the alert {} has ended: this is what was last seen of it", alert.name()))
        }
        _ => None,
    };
    let lost = || (whole.is_some() && row(state) != whole).then(|| "the row that was selected here is gone".to_owned());
    state.said = gone.or(ended).or_else(lost);
    // What was not answered when the view was left is asked again.
    let mut asks = Vec::new();
    let (now, rows) = (state.now, state.shown().deployments.all.clone());
    for layer in &state.layers {
        match layer {
            Layer::Diff { from: Some(from), to, found: None, .. } => asks.push(Ask::Diff { from: from.clone(), to: to.clone() }),
            Layer::Dora { days, table: None, .. } => asks.push(Ask::Dora { days: *days, now, rows: rows.clone() }),
            _ => {}
        }
    }
    asks.into_iter().map(|ask| Effect::Ask(Box::new(ask))).collect()
}

/// What a page was about, where there is no such thing any more.
fn missing(state: &State, layer: &Layer) -> Option<String> {
    match layer {
        Layer::Run { run, .. } if state.runs.find(run).is_none() => Some(format!("the journal does not tell of the run {run} any more")),
        Layer::Service { name, .. } if state.estate.service(name).is_none() => Some(format!("there is no service {name} any more")),
        Layer::Chart { panel, .. } if chart::panel(state, panel).is_none() => Some(format!("there is no panel {panel} any more")),
        Layer::Source { index, .. } if *index >= state.estate.sources.len() => Some("this source is gone".to_owned()),
        _ => None,
    }
}
