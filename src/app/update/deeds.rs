//! Deployments looked at closely: what one did, what is different between two, and DORA's measures. Each is asked beside
//! the loop; an answer goes to the view that still wants it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::ask::{Ask, AskDid};
use crate::app::deployments::window;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::pane;
use crate::app::state::State;
use crate::model::deployment::did::{self, After, Did, PANELS, after};
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::{Table, USUAL, WINDOWS};
use crate::model::deployment::{Deployment, Ending, neighbours};
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

/// The two marked deployments, the earlier one first; the inner `None` where more are marked, which is said; the outer one
/// where nothing follows from marks.
fn two_marked(state: &mut State) -> Option<Option<(Arc<Deployment>, Arc<Deployment>)>> {
    let list = state.pane == Pane::Deployments && state.layers.is_empty();
    match state.picks.deployments.as_slice() {
        [one, other] if list => {
            let (one, other) = (one.clone(), other.clone());
            Some(Some(if other.at < one.at { (other, one) } else { (one, other) }))
        }
        [_, _, ..] if list => {
            let marked = state.picks.deployments.len();
            state.said = Some(format!("two are compared, and {marked} are marked: take marks away, or Esc clears all"));
            Some(None)
        }
        _ => None,
    }
}

/// Compares the two marked deployments; else the base, else the one before of the same service and place, with the one that is looked at.
pub(super) fn compare(state: &mut State) -> Vec<Effect> {
    if matches!(state.layers.last(), Some(Layer::Diff { .. })) {
        return Vec::new();
    }
    let (from, to) = if let Some(two) = two_marked(state) {
        let Some((from, to)) = two else { return Vec::new() };
        (Some(from), to)
    } else {
        let Some(to) = chosen(state) else { return Vec::new() };
        let before = || state.beside(&to).0;
        (state.marked.clone().filter(|marked| marked.key != to.key).or_else(before), to)
    };
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
    let (deployment, next) = (deployment.clone(), state.beside(deployment).1.map(|next| next.at));
    ask(state, &deployment, next)
}

/// Rows of the list that are asked for while it rests; on a taller screen the newest of them.
const ROWS: usize = 60;

/// Asks what one of the rows on the screen did: the selected one's deed first, then from the newest on.
///
/// What it costs: a row asks for at most [`PANELS`] panels in eight windows of half an hour each, so at most 64 range
/// queries, four at a time. One row is asked at a time, at most one a second, only after the list rested for a second, and
/// what has ended is asked once: leafing through a long list asks nothing, and a list that is left open asks each of its
/// rows once. A row of which no panel tells, and one that was not live, costs nothing.
pub(super) fn listed(state: &mut State) -> Option<Effect> {
    let looked_at = state.pane == Pane::Deployments && state.layers.is_empty() && state.frozen.is_none();
    let rests = looked_at && !state.estate.panels.is_empty() && !state.window.waits();
    let list = &state.deployments.list;
    let stand = rests.then(|| (list.selected.clone(), list.offset));
    if !state.deeds.may_ask(stand, state.now) {
        return None;
    }
    let rows = &state.window.rows;
    let seen = rows.iter().skip(list.offset).take(window::height(state).min(ROWS));
    let chosen = rows.get(list.row).filter(|one| list.selected.as_ref() == Some(&one.key));
    let lacks = |one: &&Arc<Deployment>| {
        let live = one.is_act() && one.result != Some(Ending::Failed);
        live && state.deeds.is_due(&one.key, state.now) && !did::panels(&state.estate, one).is_empty()
    };
    let all: Vec<Arc<Deployment>> = chosen.into_iter().chain(seen).filter(lacks).cloned().collect();
    all.into_iter().find_map(|one| {
        let next = next(state, &one)?;
        ask(state, &one, next)
    })
}

/// When the next one of its service and place began; the outer `None` where the rows that are held do not tell.
fn next(state: &State, of: &Deployment) -> Option<Option<Timestamp>> {
    let (newest, window) = (&state.shown().deployments.all, &state.window);
    let reaches = newest.last().is_some_and(|oldest| oldest.at <= of.at);
    // Whatever comes later than the time that is judged does not matter.
    let far = |first: &Arc<Deployment>| first.at.duration_since(of.at) > did::AFTER + of.took.unwrap_or_default();
    let all = if reaches {
        newest.as_slice()
    } else if window.is_whole() && (!window.newer || window.rows.first().is_some_and(far)) {
        &window.rows
    } else {
        return None;
    };
    all.iter().any(|one| one.key == of.key).then(|| neighbours(all, of).1.map(|next| next.at))
}

/// Asks what that one did, which the next one ended.
fn ask(state: &mut State, of: &Deployment, next: Option<Timestamp>) -> Option<Effect> {
    let After::Span { span, ended } = after(of, next, state.now) else { return None };
    let all = did::panels(&state.estate, of);
    let key = of.key.clone();
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
