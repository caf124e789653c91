//! What a chart looked at when it was left, and how it looks at that again.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::layer::Pane;
use crate::app::state::State;
use crate::model::panel::Panel;
use crate::model::window::Window;

use super::{ChartView, Compare, name};

/// What a chart looks at, as it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// The window; `None` is live.
    pub window: Option<Window>,
    /// How long a live one was.
    pub range: SignedDuration,
    /// What it was compared with.
    pub compare: Compare,
    /// The panel that was laid over it, by name.
    pub over: Option<String>,
    /// The panel of the query that was typed, where it was of one.
    pub typed: Option<Arc<Panel>>,
}

impl Seat {
    /// That of the chart that is shown, or lies under what is; `None` where there is none.
    pub fn of(state: &State) -> Option<Seat> {
        let name = name(state)?;
        let ChartView { window, compare, over, typed, .. } = &state.chart;
        let typed = typed.clone().filter(|typed| typed.name == name);
        Some(Seat { window: *window, range: state.demand.range, compare: *compare, over: over.clone(), typed })
    }

    /// Gives it to a chart that looks at nothing yet.
    pub(super) fn give(self, view: &mut ChartView) {
        (view.window, view.compare, view.over) = (self.window, self.compare, self.over);
    }
}

/// Has the chart that is shown from now on look at what it did.
pub fn sit(state: &mut State, seat: Option<Seat>) {
    let Some(seat) = seat.filter(|_| name(state).is_some()) else { return };
    // The timeline has a range of its own, and gives the one before back when it is left.
    if seat.window.is_none() && state.pane != Pane::Timeline {
        (state.demand.range, state.timeline.ranges) = (seat.range, None);
    }
    if state.chart.of.as_deref() == name(state) && Seat::of(state).is_some_and(|now| now == seat) {
        return;
    }
    // Another chart, no matter what its name is.
    (state.chart.of, state.chart.back_to) = (None, Some(seat));
}
