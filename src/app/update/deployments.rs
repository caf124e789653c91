//! The Deployments pane: what was asked of the history comes in, and what waited for it is done.

use crate::app::action::Action;
use crate::app::ask::Told;
use crate::app::deployments::window;
use crate::app::effect::Effect;
use crate::app::layer::Pane;
use crate::app::state::State;

use super::{layers, lists};

/// An answer about deployments.
pub(super) fn told(state: &mut State, told: Told) {
    match told {
        Told::Deployments(rows) => {
            window::take(state, rows);
            again(state);
        }
        Told::DeploymentCount { number, count, done } => window::count_is(state, number, count, done),
        Told::DeploymentNeighbours { key, before, after } => window::neighbours_are(state, &key, (before, after)),
        Told::DeploymentsChanged => state.window.outdate(),
    }
}

/// Asks for what the pane lacks.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let mut asks = window::go_on(state);
    while !state.window.indexed && state.window.holds() {
        again(state);
        asks = window::go_on(state);
    }
    asks.into_iter().map(|ask| Effect::Ask(Box::new(ask))).collect()
}

/// Does what waited for rows.
pub(super) fn again(state: &mut State) {
    let mut kept = window::kept(state);
    while let Some(action) = kept.pop_front() {
        match action {
            Action::Open => {
                if state.pane == Pane::Deployments && state.layers.is_empty() {
                    layers::open(state);
                }
            }
            _ => lists::walk_deployments(state, action),
        }
    }
}
