//! Moving: rows of a list, lines of a detail, cells of the metrics grid, the palette's lines, a chart's cursor.

use crate::app::action::Action;
use crate::app::layer::{Layer, Pane, scope};
use crate::app::pane;
use crate::app::state::State;
use crate::model::source::Answer;

use super::metrics;

/// Farther than any list is long.
const FAR: isize = 1 << 30;

/// Moves on the top layer.
pub(super) fn walk(state: &mut State, action: Action) {
    let height = state.body_height() as isize;
    if let Some(Layer::Chart { .. }) = state.layers.last() {
        return metrics::walk(state, action);
    }
    let bound = bound(state);
    match state.layers.last_mut() {
        Some(Layer::Alert { scroll, .. } | Layer::Service { scroll, .. } | Layer::Source { scroll, .. } | Layer::Help { scroll }) => {
            *scroll = scroll.saturating_add_signed(lines(action, height)).min(bound);
        }
        Some(Layer::Palette(palette)) => palette.step(lines(action, height)),
        Some(Layer::Filter | Layer::Chart { .. }) => {}
        None => step(state, action, height),
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

fn step(state: &mut State, action: Action, height: isize) {
    let room = state.body_height();
    match state.pane {
        Pane::Overview => {
            let ids = pane::overview_ids(state);
            state.overview.list.step(ids.len(), |row| ids[row].clone(), lines(action, height), room);
        }
        Pane::Alerts => {
            let mut list = std::mem::take(&mut state.alerts.list);
            list.step(state.alert_rows.len(), |row| pane::alert_id(state, row), lines(action, height), room);
            state.alerts.list = list;
        }
        Pane::Metrics => {
            let len = state.metric_rows.len();
            let across = pane::metric_columns(state.size.0) as isize;
            let by = match action {
                Action::Left => -1,
                Action::Right => 1,
                Action::Top | Action::Bottom => lines(action, height),
                // Two rows of charts make about a screen.
                Action::PageDown | Action::PageUp => lines(action, 2) * across,
                action => lines(action, 2) * across,
            };
            // Below the last row there is nothing: the cursor stays in its column.
            let target = state.metrics.list.row as isize + by;
            let inside = (0..len as isize).contains(&target);
            if inside || !matches!(action, Action::Down | Action::Up) {
                let mut list = std::mem::take(&mut state.metrics.list);
                list.step(len, |row| pane::metric_id(state, row), by, room);
                state.metrics.list = list;
            }
        }
    }
}

/// More lines than the top detail can have on the screen, and not many more: past the end a key should do something
/// again soon. What is drawn is held by `ui` to the lines that there are.
fn bound(state: &State) -> usize {
    let width = usize::from(state.size.0).saturating_sub(24).max(20);
    let wrapped = |text: &str| text.len() / width + 1;
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => {
            let labels: usize = alert.labels.iter().map(|(_, value)| wrapped(value)).sum();
            let notes: usize = alert.annotations.iter().map(|(_, value)| wrapped(value)).sum();
            20 + labels + notes + alert.receivers.len() + alert.silenced_by.len() * 3 + alert.inhibited_by.len() + alert.muted_by.len()
        }
        Some(Layer::Service { name, .. }) => {
            let service = state.estate.service(name);
            let alerts = service.map_or(0, |s| state.shown().alerts.iter().filter(|a| s.labels.covers(&a.labels)).count());
            let others = state.estate.panels.len() + state.estate.services.len() + state.estate.sites.len();
            20 + alerts + others
        }
        Some(Layer::Source { index, .. }) => {
            let held = state.shown_readings().get(*index).and_then(|reading| reading.held.as_ref());
            20 + held.map_or(0, |held| match &held.value {
                Answer::Prometheus(p) => {
                    let notes: usize = p.notes.iter().map(|note| wrapped(note)).sum();
                    let rules: usize = p.rules.as_ref().map_or(0, |r| r.failing.iter().map(|rule| wrapped(rule)).sum());
                    notes + rules + p.targets.as_ref().map_or(0, |t| t.down.len() * 2) + p.panels.len()
                }
                Answer::Exposition(e) => 10 + e.panels.len() + e.notes.iter().map(|note| wrapped(note)).sum::<usize>(),
                Answer::Probe(p) => 20 + p.panels.len(),
                Answer::Alertmanager(a) => {
                    let told: usize = a.disagreements.iter().map(|line| wrapped(line)).sum();
                    told + a.peers.len() * 3 + a.silences.len() * 2 + a.receivers.len() + a.groups.len()
                }
            })
        }
        Some(Layer::Help { .. }) => {
            let below = scope(state.pane, &state.layers[..state.layers.len() - 1]);
            20 + state.keymap.all(below).len()
        }
        _ => 0,
    }
}
