//! What is asked for a panel: its query with the window filled in, and the steps of its plot. Pure: time is passed in.

use jiff::{SignedDuration, Timestamp};

use super::query::Grid;
use crate::model::metric::{Demand, aligned, rate_window, step};
use crate::model::panel::{Ask, Panel};

/// What tells one plot from another: while it is equal, the plot need not be asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// The query, `$window` filled in.
    pub query: String,
    /// Its steps.
    pub grid: Grid,
}

/// What is asked for a panel at `now`.
pub(crate) fn plan(panel: &Panel, demand: Demand, scrape: SignedDuration, now: Timestamp) -> Drawn {
    let step = step(demand.range, demand.points, scrape);
    let (start, end) = aligned(now, demand.range, step);
    let window = format!("{}s", rate_window(step, scrape));
    let query = match &panel.ask {
        Ask::Promql(query) => query,
        // `check` refuses it; a server would answer that it is no PromQL.
        Ask::Form(form) => &form.of.text,
    };
    Drawn { query: query.replace("$window", &window), grid: Grid { start, end, step } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::panel::Unit;

    #[test]
    fn the_window_is_filled_in_and_the_grid_moves_by_whole_steps() {
        let panel = Panel {
            name: "p".into(),
            service: None,
            source: "prom".into(),
            site: None,
            ask: Ask::Promql("rate(a[$window]) / rate(b[$window])".into()),
            unit: Unit::Count,
            warn: None,
            critical: None,
        };
        let at = |secs| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
            plan(&panel, Demand::default(), SignedDuration::from_secs(15), now)
        };
        assert_eq!(at(1_000_000_001).query, "rate(a[60s]) / rate(b[60s])");
        assert_eq!(at(1_000_000_001), at(1_000_000_019));
        assert_eq!(at(1_000_000_001).grid.len(), 121);
        assert_ne!(at(1_000_000_001), at(1_000_000_031));
    }
}
