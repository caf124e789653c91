//! What comes into the window, and the cursor in it.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::ask::{Rows, Want};
use crate::app::state::State;
use crate::model::deployment::list::Place;

use crate::app::layer::Pane;

use super::{Aim, Asked, Hits, Pair, height};

/// Screens that are held at the most on each side of the one that is seen.
const HELD: usize = 8;

/// A piece has come.
pub fn take(state: &mut State, told: Rows) {
    let height = height(state);
    let list = &mut state.deployments.list;
    let window = &mut state.window;
    if told.number != window.number {
        return;
    }
    let Some(Asked { want, aim }) = window.asked.clone() else { return };
    window.whole = told.whole;
    if told.done {
        window.asked = None;
    }
    let piece = match told.piece {
        Ok(piece) => piece,
        Err(why) => {
            (window.error, window.asked) = (Some(why), None);
            window.kept.clear();
            return;
        }
    };
    match want {
        Want::After(_) => {
            window.rows.extend(piece.rows);
            window.older = piece.older;
            let over = list.offset.saturating_sub(HELD * height);
            if over > 0 {
                window.rows.drain(..over);
                window.newer = true;
                (list.row, list.offset) = (list.row - over.min(list.row), list.offset - over);
            }
        }
        Want::Before(_) => {
            let more = piece.rows.len();
            window.rows.splice(0..0, piece.rows);
            window.newer = piece.newer;
            (list.row, list.offset) = (list.row + more, list.offset + more);
            let end = list.offset + (HELD + 1) * height;
            if window.rows.len() > end {
                window.rows.truncate(end);
                window.older = true;
            }
        }
        Want::Newest | Want::Oldest | Want::At(_) | Want::Around(_) => {
            let was = window.rows.get(list.row).map(|one| Place::of(one));
            (window.rows, window.newer, window.older) = (piece.rows, piece.newer, piece.older);
            if let Hits::AtLeast(known) = window.hits {
                window.hits = Hits::AtLeast(known.max(window.rows.len()));
            }
            let held = list.selected.as_ref().and_then(|key| window.rows.iter().position(|one| one.key == *key));
            let near = |place: &Place| window.rows.partition_point(|one| Place::of(one) > *place);
            let row = match aim {
                Aim::Stay if !state.touched => 0,
                // Its own place on the screen is found by the list itself.
                Aim::Stay => match (held, &was) {
                    (Some(row), _) => {
                        let untouched = want == Want::Newest && list.offset == 0 && list.row == 0;
                        list.offset = if untouched { 0 } else { (list.offset + row).saturating_sub(list.row) };
                        row
                    }
                    (None, Some(place)) => near(place),
                    (None, None) => 0,
                },
                Aim::First => 0,
                Aim::Last => window.rows.len().saturating_sub(1),
                Aim::At(at) => {
                    let row = window.rows.partition_point(|one| one.at > at);
                    list.offset = row;
                    row
                }
            };
            let row = row.min(window.rows.len().saturating_sub(1));
            list.row = row;
            list.selected = window.rows.get(row).map(|one| one.key.clone());
        }
    }
    settle(state);
}

/// The actions that waited for rows: they are done again, in their order.
pub fn kept(state: &mut State) -> VecDeque<Action> {
    if state.window.asked.as_ref().is_some_and(|asked| asked.aim != Aim::Stay) {
        return VecDeque::new();
    }
    std::mem::take(&mut state.window.kept)
}

/// So many pass.
pub fn count_is(state: &mut State, number: u64, count: usize, done: bool) {
    let window = &mut state.window;
    if number == window.counting && !window.uncounted {
        window.hits = if done { Hits::All(count) } else { Hits::AtLeast(count.max(window.rows.len())) };
    }
}

/// These stand before and after the deployment with that key.
pub fn neighbours_are(state: &mut State, key: &str, told: Pair) {
    if let Some(near) = state.window.neighbours.as_mut().filter(|near| &*near.key == key) {
        near.told = Some(told);
    }
}

/// Finds the selection again after the rows changed.
pub fn settle(state: &mut State) {
    let height = height(state);
    if !state.walked.contains(&Pane::Deployments) {
        state.deployments.list = Default::default();
    }
    let rows = &state.window.rows;
    state.deployments.list.settle(rows.len(), |row| rows.get(row).map(|one| one.key.clone()), height);
}

/// Goes to the rows of that time.
pub fn go_to(state: &mut State, at: Timestamp) {
    jump(state, Want::At(at), Aim::At(at));
}

fn jump(state: &mut State, want: Want, aim: Aim) {
    state.touched = true;
    state.walk_in(Pane::Deployments);
    let window = &mut state.window;
    (window.error, window.asked) = (None, None);
    window.kept.clear();
    window.jump = Some(Asked { want, aim });
}

/// Moves by that action, or keeps it until the rows are there.
pub fn walk(state: &mut State, action: Action, by: isize) {
    let height = height(state);
    let rows = state.window.rows.len();
    match action {
        Action::Top if state.window.newer || state.window.holds() => return jump(state, Want::Newest, Aim::First),
        Action::Bottom if state.window.older || state.window.holds() => return jump(state, Want::Oldest, Aim::Last),
        _ => {}
    }
    if state.window.keep(action) {
        return;
    }
    let window = &mut state.window;
    window.error = None;
    let target = state.deployments.list.row.saturating_add_signed(by);
    let short = (by > 0 && target >= rows && window.older) || (by < 0 && state.deployments.list.row < by.unsigned_abs() && window.newer);
    if short && !matches!(action, Action::Top | Action::Bottom) {
        window.kept.push_back(action);
        return;
    }
    let rows = &state.window.rows;
    state.deployments.list.step(rows.len(), |row| rows.get(row).map(|one| one.key.clone()), by, height);
}
