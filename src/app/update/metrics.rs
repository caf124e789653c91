//! Charts: the time range, and the cursor that is a moment and no column.

use jiff::{SignedDuration, Timestamp};

use crate::app::action::Action;
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::model::metric::Plot;

/// The ranges that keys step through, minutes.
const RANGES: [i64; 9] = [5, 15, 60, 180, 360, 720, 1_440, 4_320, 10_080];

/// The next longer or shorter range; at the end it stays.
pub(super) fn range(state: &mut State, longer: bool) {
    let now = state.demand.range;
    let mut ranges = RANGES.into_iter().map(SignedDuration::from_mins);
    let next = if longer { ranges.find(|r| *r > now) } else { ranges.rfind(|r| *r < now) };
    state.demand.range = next.unwrap_or(now);
}

/// Drops the cursor.
pub(super) fn live(state: &mut State) {
    if let Some(Layer::Chart { cursor, .. }) = state.layers.last_mut() {
        *cursor = None;
    }
}

/// Moves the cursor over the grid of the plot that is shown.
pub(super) fn walk(state: &mut State, action: Action) {
    let Some(Layer::Chart { panel, cursor }) = state.layers.last() else { return };
    let panels = state.panels();
    let plot = panels.iter().find(|view| view.panel.name == *panel).and_then(|view| view.answer?.plot.as_ref());
    let moved = plot.and_then(|plot| moved(plot, *cursor, action));
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
