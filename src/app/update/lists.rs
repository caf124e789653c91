//! Moving: rows of a list, lines of a detail, cells of the metrics grid, the palette's lines, a chart's cursor.

use crate::app::action::Action;
use crate::app::deployments::window;
use crate::app::grid::grid;
use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::app::{databases, focus, logs, operations, overview, page, pane, themes};

use super::{contexts, metrics, runs, silences, timeline, verify, views, wizard};

/// Farther than any list is long.
const FAR: isize = 1 << 30;

/// Moves on the top layer.
pub(super) fn walk(state: &mut State, action: Action) {
    let (height, now) = (state.body_height() as isize, state.now);
    if let Some(Layer::Chart { .. }) = state.layers.last() {
        return metrics::walk(state, action);
    }
    let by = lines(action, height);
    if wizard::is_on_top(state) {
        return wizard::walk(state, by);
    }
    if let Some(Layer::Verify { .. }) = state.layers.last() {
        return verify::step(state, by);
    }
    match state.layers.last_mut() {
        Some(Layer::Request(form)) if form.is_settled(now) => runs::refocus(form),
        Some(_) => scroll_top(state, by),
        None => step(state, action, height),
    }
}

/// Moves through the page, the help or the palette on top by so many lines.
pub(super) fn scroll_top(state: &mut State, by: isize) {
    let height = state.body_height() as isize;
    if matches!(state.layers.last(), Some(Layer::Logs(_))) {
        return logs::walk(state, by);
    }
    let rows = state.layers.last().map(|layer| page::lines(state, layer, state.size.0).1).unwrap_or_default();
    if let Some(spot) = state.layers.last_mut().and_then(Layer::spot_mut) {
        return page::walk(spot, &rows, height as usize, by);
    }
    if matches!(state.layers.last(), Some(Layer::Themes(_))) {
        return themes::walk(state, by);
    }
    if matches!(state.layers.last(), Some(Layer::Silences(_))) {
        return silences::step(state, by);
    }
    let estates = state.contexts.all.len();
    match state.layers.last_mut() {
        Some(Layer::Contexts(list)) => contexts::step(list, estates, by),
        Some(Layer::Help { scroll, .. }) => {
            *scroll = scroll.saturating_add_signed(by).min(rows.len().saturating_sub(height as usize));
        }
        Some(Layer::Palette(palette)) => palette.step(by),
        Some(Layer::Select { text, first } | Layer::Share { text, first, .. }) => {
            *first = first.saturating_add_signed(by).min(text.lines().count().saturating_sub(1));
        }
        Some(Layer::Menu(menu)) => menu.step(by),
        Some(Layer::Views(_)) => views::step(state, by),
        _ => {}
    }
}

fn lines(action: Action, height: isize) -> isize {
    match action {
        Action::Down => 1,
        Action::Up => -1,
        Action::HalfDown => (height / 2).max(1),
        Action::HalfUp => -(height / 2).max(1),
        Action::PageDown => height,
        Action::PageUp => -height,
        Action::Bottom => FAR,
        Action::Top => -FAR,
        _ => 0,
    }
}

/// Moves in the list of deployments, whatever lies on it.
pub(super) fn walk_deployments(state: &mut State, action: Action) {
    let height = window::height(state) as isize;
    window::walk(state, action, lines(action, height));
}

fn step(state: &mut State, action: Action, height: isize) {
    let room = state.body_height();
    match state.pane {
        Pane::Overview => {
            overview::step(state, action, lines(action, height));
            focus::renew(state);
        }
        Pane::Alerts => {
            let mut list = std::mem::take(&mut state.alerts.list);
            list.step(state.alert_rows.len(), |row| pane::alert_id(state, row), lines(action, height), room);
            state.alerts.list = list;
        }
        Pane::Databases => {
            let mut list = std::mem::take(&mut state.databases.list);
            list.step(state.database_rows.len(), |row| databases::id(state, row), lines(action, height), room);
            state.databases.list = list;
        }
        Pane::Backups => {
            let room = pane::backups_height(state);
            let mut list = std::mem::take(&mut state.backups.list);
            list.step(state.backup_rows.len(), |row| pane::backup_id(state, row), lines(action, room as isize), room);
            state.backups.list = list;
        }
        Pane::Deployments => {
            walk_deployments(state, action);
        }
        Pane::Operations => {
            let room = operations::room(state, room);
            let mut list = std::mem::take(&mut state.operations.list);
            list.step(state.operation_rows.len(), |row| operations::id(state, row), lines(action, height), room);
            state.operations.list = list;
        }
        Pane::Timeline => timeline::walk(state, action, lines(action, height)),
        Pane::Metrics => {
            let len = state.metric_rows.len();
            let grid = grid(state.size, state.metric_rows.len());
            let across = grid.across as isize;
            let by = match action {
                Action::Left => -1,
                Action::Right => 1,
                Action::Top | Action::Bottom => lines(action, height),
                action => lines(action, grid.down as isize) * across,
            };
            // Below the last row there is nothing: the cursor stays in its column.
            let target = state.metrics.list.row as isize + by;
            let inside = (0..len as isize).contains(&target);
            if inside || !matches!(action, Action::Down | Action::Up) {
                let mut list = std::mem::take(&mut state.metrics.list);
                list.step(len, |row| pane::metric_id(state, row), by, grid.across * grid.down);
                state.metrics.list = list;
            }
        }
    }
}
