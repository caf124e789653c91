//! The Deployments pane: what was asked of the history comes in, and what waited for it is done.

use crate::app::action::Action;
use crate::app::ask::Rows;
use crate::app::deployments::window;
use crate::app::effect::Effect;
use crate::app::layer::Pane;
use crate::app::marks;
use crate::app::state::State;

use super::{layers, lists, share};

/// A piece of the list is told.
pub(super) fn rows(state: &mut State, rows: Rows) -> Vec<Effect> {
    window::take(state, rows);
    again(state)
}

/// Asks for what the pane lacks.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut asks = window::go_on(state);
    while !state.window.indexed && state.window.holds() {
        effects.extend(again(state));
        asks = window::go_on(state);
    }
    effects.extend(asks.into_iter().map(|ask| Effect::Ask(Box::new(ask))).chain(share::stop(state)));
    effects
}

/// Does what waited for rows.
fn again(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut kept = window::kept(state);
    while let Some(action) = kept.pop_front() {
        match action {
            Action::Open => {
                if state.pane == Pane::Deployments && state.layers.is_empty() {
                    layers::open(state);
                }
            }
            Action::Pick => {
                if state.pane == Pane::Deployments && state.layers.is_empty() {
                    marks::pick(state);
                }
            }
            Action::Share => {
                if state.pane == Pane::Deployments && state.layers.is_empty() {
                    effects.extend(share::share(state));
                }
            }
            _ => lists::walk_deployments(state, action),
        }
    }
    effects
}
