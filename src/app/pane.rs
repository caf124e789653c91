//! Rows of the panes, computed from the state.

use super::state::State;

/// Computes the rows of all panes again and settles the selections.
pub fn refresh(_state: &mut State) {}
