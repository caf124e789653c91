//! Charts: the window of time, the cursor that is a moment and no column, what is compared and what is laid over.

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::chart;
use crate::app::layer::Layer;
use crate::app::palette::{Goal, Item, Palette};
use crate::app::state::State;
use crate::model::metric::Plot;
use crate::model::window::{Window, next_length};

/// The next longer or shorter range; on a chart around its cursor, so that what is under it stays where it is.
pub(super) fn range(state: &mut State, longer: bool) {
    let window = chart::window(state);
    let Some(Layer::Chart { cursor, .. }) = state.layers.last_mut() else {
        state.demand.range = next_length(state.demand.range, longer);
        return;
    };
    // The first step of a plot lies a little before its window, which begins between two of them.
    *cursor = cursor.map(|at| at.clamp(window.from(), window.to));
    let at = cursor.unwrap_or(window.to);
    look_at(state, window.zoomed(at, longer, chart::present(state)));
}

/// Half a window earlier or later.
pub(super) fn pan(state: &mut State, later: bool) {
    if matches!(state.layers.last(), Some(Layer::Chart { .. })) && (state.chart.window.is_some() || !later) {
        look_at(state, chart::window(state).panned(later, chart::present(state)));
    }
}

/// Looks at that window: one that ends now is live, and is what polls bring. A frozen view has its own, as no poll of now
/// belongs to it.
fn look_at(state: &mut State, window: Window) {
    let step = crate::model::metric::step(window.length, state.demand.points, jiff::SignedDuration::from_secs(1));
    if state.frozen.is_none() && window.is_live(state.now, step) {
        state.chart.window = None;
        state.demand.range = window.length;
    } else {
        state.chart.window = Some(window);
    }
    if let Some(Layer::Chart { cursor, .. }) = state.layers.last_mut() {
        // A cursor that is not on the screen would tell of a time that is not there.
        *cursor = cursor.filter(|at| window.holds(*at));
    }
    chart::bars::renew(state);
}

/// Drops the window and the cursor.
pub(super) fn live(state: &mut State) {
    if let Some(Layer::Chart { cursor, .. }) = state.layers.last_mut() {
        *cursor = None;
        state.chart.window = None;
        chart::bars::renew(state);
    }
}

/// Beside yesterday, last week, nothing.
pub(super) fn compare(state: &mut State) {
    if matches!(state.layers.last(), Some(Layer::Chart { .. })) {
        state.chart.compare = state.chart.compare.next();
    }
}

/// Opens the list of panels to lay over the chart.
pub(super) fn choose(state: &mut State) {
    let Some(Layer::Chart { panel, .. }) = state.layers.last() else { return };
    let item = |text: String, note: String, goal: Goal| Item { text, note, goal };
    let mut items = Vec::new();
    if let Some(over) = &state.chart.over {
        items.push(item(format!("take {over} away"), String::new(), Goal::Over(None)));
    }
    for (other, same) in chart::candidates(state, panel) {
        let axis = if same { "same axis" } else { "right axis" };
        let note = format!("{}, {axis}", other.unit.word());
        items.push(item(format!("lay over: {}", other.name), note, Goal::Over(Some(other.name.clone()))));
    }
    state.layers.push(Layer::Palette(Palette::of(items)));
}

/// Lays that panel over the chart, or takes away what lies there.
pub(super) fn lay_over(state: &mut State, panel: Option<String>) {
    state.chart.over = panel.filter(|panel| state.chart.over.as_ref() != Some(panel));
}

/// Moves the cursor over the grid of the plot that is shown.
pub(super) fn walk(state: &mut State, action: Action) {
    let Some(Layer::Chart { panel, cursor }) = state.layers.last() else { return };
    let shown = chart::shown(state, panel);
    let moved = shown.and_then(|shown| moved(shown.plot.as_deref()?, *cursor, action));
    if let (Some(at), Some(Layer::Chart { cursor, .. })) = (moved, state.layers.last_mut()) {
        *cursor = Some(at);
    }
}

fn moved(plot: &Plot, cursor: Option<Timestamp>, action: Action) -> Option<Timestamp> {
    let last = plot.len.checked_sub(1)?;
    let at = cursor.map_or(last, |at| {
        let steps = at.duration_since(plot.start).as_secs() / plot.step.max(1);
        usize::try_from(steps).unwrap_or(0).min(last)
    });
    let at = match action {
        Action::Left => at.saturating_sub(1),
        Action::Right => (at + 1).min(last),
        Action::Top => 0,
        Action::Bottom => last,
        _ => return None,
    };
    Some(plot.time(at))
}
