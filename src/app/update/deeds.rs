//! Deployments looked at closely: what one did, what is different between two, and DORA's measures. Each is asked beside
//! the loop; an answer goes to the view that still wants it.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::ask::{Ask, AskDid};
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::pane;
use crate::app::state::State;
use crate::model::deployment::Deployment;
use crate::model::deployment::did::{self, After, Did, PANELS, after};
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::{Table, USUAL, WINDOWS};
use crate::model::source::Answer;

use super::layers::lay;

/// The deployment that is looked at: the one on top, else the selected row.
fn chosen(state: &State) -> Option<Arc<Deployment>> {
    match state.layers.last() {
        Some(Layer::Deployment { deployment, .. }) => Some(deployment.clone()),
        Some(Layer::Diff { to, .. }) => Some(to.clone()),
        None if state.pane == Pane::Deployments => {
            let key = state.deployments.list.selected.as_ref()?;
            state.deployment(key).cloned()
        }
        _ => None,
    }
}

/// Marks the deployment, or takes its mark away.
pub(super) fn mark(state: &mut State) {
    let Some(one) = chosen(state) else { return };
    let marked = state.marked.as_ref().is_some_and(|marked| marked.key == one.key);
    state.marked = if marked { None } else { Some(one) };
}

/// Compares the marked deployment, else the one before of the same service and place, with the one that is looked at.
pub(super) fn compare(state: &mut State) -> Vec<Effect> {
    if matches!(state.layers.last(), Some(Layer::Diff { .. })) {
        return Vec::new();
    }
    let Some(to) = chosen(state) else { return Vec::new() };
    let before = || state.beside(&to).0;
    let from = state.marked.clone().filter(|marked| marked.key != to.key).or_else(before);
    let asked = from.clone().map(|from| Effect::Ask(Box::new(Ask::Diff { from, to: to.clone() })));
    lay(state, Layer::Diff { from, to, found: None, spot: Spot::default() });
    asked.into_iter().collect()
}

/// What is different between two deployments is told.
pub(super) fn different(state: &mut State, first: &str, second: &str, told: &Arc<Comparison>) {
    for layer in &mut state.layers {
        if let Layer::Diff { from: Some(from), to, found, .. } = layer
            && (&*from.key, &*to.key) == (first, second)
        {
            *found = Some(told.clone());
        }
    }
    pane::settle_top(state);
}

/// Shows DORA's measures: of all from the Deployments pane, of one from its page; where they are shown, those of the next
/// window.
pub(super) fn measures(state: &mut State) -> Vec<Effect> {
    let days = match state.layers.last_mut() {
        Some(Layer::Dora { days, table, .. }) => {
            let next = WINDOWS.iter().position(|window| window == days).map_or(0, |at| (at + 1) % WINDOWS.len());
            (*days, *table) = (WINDOWS[next], None);
            *days
        }
        Some(Layer::Service { name, .. }) => {
            let service = Some(name.clone());
            lay(state, Layer::Dora { days: USUAL, service, table: None, spot: Spot::default() });
            USUAL
        }
        None if state.pane == Pane::Deployments => {
            lay(state, Layer::Dora { days: USUAL, service: None, table: None, spot: Spot::default() });
            USUAL
        }
        _ => return Vec::new(),
    };
    let rows = state.shown().deployments.all.clone();
    vec![Effect::Ask(Box::new(Ask::Dora { days, now: state.now, rows }))]
}

/// DORA's measures are told.
pub(super) fn measured(state: &mut State, told: &Arc<Table>) {
    for layer in &mut state.layers {
        if let Layer::Dora { days, table, .. } = layer
            && *days == told.days
        {
            *table = Some(told.clone());
        }
    }
    pane::settle_top(state);
}

/// What a deployment did is told.
pub(super) fn did(state: &mut State, key: &str, did: Arc<Did>) {
    state.deeds.take(key, did);
    pane::settle_top(state);
}

/// Asks what the deployment on top did, where that is not known, or goes on.
pub(super) fn wanted(state: &mut State) -> Option<Effect> {
    let Some(Layer::Deployment { deployment, .. }) = state.layers.last() else { return None };
    // What came next may be held nowhere here: the index tells, and is asked when the detail is opened.
    let told = state.window.neighbours.as_ref().is_some_and(|near| near.key == deployment.key && near.told.is_some());
    if state.window.indexed && !told {
        return None;
    }
    let next = state.beside(deployment).1.map(|next| next.at);
    let After::Span { span, ended } = after(deployment, next, state.now) else { return None };
    let all = did::panels(&state.estate, deployment);
    let key = deployment.key.clone();
    if all.is_empty() || !state.deeds.ask(&key, state.now) {
        return None;
    }
    let left = all.len().saturating_sub(PANELS);
    let panels = all.into_iter().take(PANELS).map(|place| (place, scrape(state, place))).collect();
    Some(Effect::Ask(Box::new(Ask::Did(AskDid { key, span, ended, panels, left }))))
}

/// The time between two samples of a panel: what its Prometheus says of its targets, else the time between two polls.
fn scrape(state: &State, panel: usize) -> SignedDuration {
    let name = &state.estate.panels[panel].source;
    let Some(at) = state.estate.sources.iter().position(|source| source.name == *name) else { return SignedDuration::from_secs(60) };
    let told = state.readings.get(at).and_then(|reading| match &reading.held.as_ref()?.value {
        Answer::Prometheus(answer) => answer.targets.as_ref()?.scrape,
        _ => None,
    });
    told.unwrap_or(state.estate.sources[at].every)
}
