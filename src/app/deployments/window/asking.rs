//! What the window asks for: what is missing around what is looked at, what another filter leaves, how many pass.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::ask::{Ask, Question, Want};
use crate::app::deployments::local;
use crate::app::filter::{Filter, Plan};
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::model::deployment::list::Place;
use crate::model::deployment::{self, Deployment};

use super::taking::{count_is, neighbours_are, settle, take};
use super::{Aim, Asked, Hits, Neighbours, height};

/// Screens that a piece is long, and screens beyond the one that is seen from which on more is asked for.
const PIECE: usize = 4;
const NEAR: usize = 2;

/// What is to be asked now, so that the window fits what is looked at. Where nothing is indexed it is answered here.
pub fn go_on(state: &mut State) -> Vec<Ask> {
    let mut asks = Vec::new();
    loop {
        let found = next(state);
        if state.window.indexed || found.is_empty() {
            asks.extend(found);
            return asks;
        }
        for ask in found {
            answer(state, ask);
        }
    }
}

/// Answers from the view's own rows.
fn answer(state: &mut State, ask: Ask) {
    let (all, filter) = (state.shown().deployments.all.clone(), state.deployments.filter.clone());
    match ask {
        Ask::Deployments(question) => {
            let rows = local::rows(&all, &filter, state.now, &question);
            take(state, rows);
        }
        Ask::DeploymentCount { number, .. } => {
            let count = all.iter().filter(|one| filter.is_empty() || filter.matches(&***one, state.now)).count();
            count_is(state, number, count, true);
        }
        Ask::DeploymentNeighbours(of) => {
            let (before, after) = deployment::neighbours(&all, &of);
            neighbours_are(state, &of.key, (before.cloned(), after.cloned()));
        }
        // No other question is asked from here.
        _ => {}
    }
}

fn next(state: &mut State) -> Vec<Ask> {
    let height = height(state);
    let mut asks = Vec::new();
    let frozen = state.frozen.as_ref().map(|frozen| frozen.at);
    // Without an index what the view holds is the list; with one, whoever writes it tells of its changes.
    let all = state.shown().deployments.all.clone();
    if !state.window.indexed && !Arc::ptr_eq(&all, &state.window.seen) {
        (state.window.seen, state.window.stale) = (all, true);
    }
    if state.window.filter != state.deployments.filter {
        refilter(state);
    }
    if state.window.stale && (frozen.is_none() || !state.window.indexed) {
        let jump = stay(state, None);
        let window = &mut state.window;
        (window.stale, window.uncounted, window.error) = (false, true, None);
        // Where a jump is under way, it is asked for again.
        let under_way = window.asked.take().filter(|asked| asked.aim != Aim::Stay);
        window.jump = window.jump.take().or(under_way).or(Some(jump));
    }
    let offset = state.deployments.list.offset;
    let window = &mut state.window;
    if let Some(jump) = window.jump.take() {
        window.asked = Some(jump);
    } else if window.asked.is_none() && window.error.is_none() {
        let below = window.rows.len().saturating_sub(offset + height);
        let want = match (window.rows.last(), window.rows.first()) {
            (Some(last), _) if window.older && below < NEAR * height => Some(Want::After(Place::of(last))),
            (_, Some(first)) if window.newer && offset < NEAR * height => Some(Want::Before(Place::of(first))),
            _ => None,
        };
        window.asked = want.map(|want| Asked { want, aim: Aim::Stay });
        if window.asked.is_none() {
            count(state, frozen, &mut asks);
            neighbours(state, &mut asks);
            return asks;
        }
    } else {
        neighbours(state, &mut asks);
        return asks;
    }
    let plan = plan(state, frozen);
    let window = &mut state.window;
    if let Some(asked) = &window.asked {
        window.number += 1;
        let want = asked.want.clone();
        asks.push(Ask::Deployments(Question { number: window.number, plan, want, rows: PIECE * height }));
    }
    neighbours(state, &mut asks);
    asks
}

fn plan(state: &State, frozen: Option<Timestamp>) -> Plan {
    let mut plan = state.deployments.filter.plan(state.now);
    // What came after the view was frozen is not shown.
    if let Some(at) = frozen {
        plan.narrow.until = Some(plan.narrow.until.map_or(at, |until| until.min(at)));
    }
    plan
}

/// Counts where the window is not all of it.
fn count(state: &mut State, frozen: Option<Timestamp>, asks: &mut Vec<Ask>) {
    if !std::mem::take(&mut state.window.uncounted) {
        return;
    }
    let plan = plan(state, frozen);
    let window = &mut state.window;
    if !window.newer && !window.older {
        window.hits = Hits::All(window.rows.len());
    } else if plan.is_all() {
        window.hits = Hits::All(window.whole.total);
    } else {
        (window.counting, window.hits) = (window.number, Hits::AtLeast(window.rows.len()));
        asks.push(Ask::DeploymentCount { number: window.number, plan });
    }
}

fn neighbours(state: &mut State, asks: &mut Vec<Ask>) {
    let Some(Layer::Deployment { deployment, .. }) = state.layers.last() else { return };
    if state.window.neighbours.as_ref().is_none_or(|near| near.key != deployment.key) {
        asks.push(Ask::DeploymentNeighbours(deployment.clone()));
        let key = deployment.key.clone();
        state.window.neighbours = Some(Neighbours { key, told: None });
    }
}

/// Another filter: what is held and passes is seen at once, and the rest is asked for. Who stood on a row that passes,
/// stays there.
fn refilter(state: &mut State) {
    let (filter, now) = (state.deployments.filter.clone(), state.now);
    let jump = stay(state, Some(&filter));
    let window = &mut state.window;
    window.rows.retain(|one| filter.is_empty() || filter.matches(&**one, now));
    window.hits = Hits::AtLeast(window.rows.len());
    (window.newer, window.older, window.uncounted, window.stale, window.error) = (true, true, true, false, None);
    window.filter = filter;
    window.kept.clear();
    window.asked = None;
    window.jump = Some(jump);
    settle(state);
}

/// What keeps the cursor where it is: nothing is held still on the first screen of the list, where the newest is wanted.
fn stay(state: &State, filter: Option<&Filter>) -> Asked {
    let (list, window) = (&state.deployments.list, &state.window);
    let top = list.offset == 0 && list.row == 0 && !window.newer;
    let passes = |one: &&Arc<Deployment>| filter.is_none_or(|filter| filter.is_empty() || filter.matches(&***one, state.now));
    let place = window.rows.get(list.row).filter(passes).filter(|_| !top && state.touched).map(|one| Place::of(one));
    Asked { want: place.map_or(Want::Newest, Want::Around), aim: Aim::Stay }
}
