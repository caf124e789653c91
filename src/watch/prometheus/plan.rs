//! What is asked for a panel: its query with the window filled in, and the steps of its plot. Pure: time is passed in.

use jiff::{SignedDuration, Timestamp};

use super::query::Grid;
use crate::model::metric::{Demand, aligned, rate_window, step};
use crate::model::panel::{Ask, Panel, Rule, judged};

/// What tells one plot from another: while it is equal, the plot need not be asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// The query, `$window` filled in.
    pub query: String,
    /// Its steps.
    pub grid: Grid,
}

/// What is asked for one panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// For its newest values: no matter of the range that the screen shows.
    pub now: String,
    /// What the screen shows.
    pub shown: Drawn,
    /// What rules are judged by, where one is on this panel.
    pub judged: Option<Drawn>,
}

/// What is asked for a panel at `now`.
pub(crate) fn plan(panel: &Panel, demand: Demand, rules: &[Rule], scrape: SignedDuration, now: Timestamp) -> Plan {
    Plan {
        now: query(panel, rate_window(1, scrape)),
        shown: drawn(panel, demand, scrape, now),
        judged: judged(rules, &panel.name).map(|judged| drawn(panel, judged, scrape, now)),
    }
}

pub(super) fn drawn(panel: &Panel, demand: Demand, scrape: SignedDuration, now: Timestamp) -> Drawn {
    let step = step(demand.range, demand.points, scrape);
    let (start, end) = aligned(now, demand.range, step);
    Drawn { query: query(panel, rate_window(step, scrape)), grid: Grid { start, end, step } }
}

/// The panel's query with its window, seconds.
pub(super) fn query(panel: &Panel, window: i64) -> String {
    let query = match &panel.ask {
        Ask::Promql(query) => query,
        // `check` refuses it; a server would answer that it is no PromQL.
        Ask::Form(form) => &form.of.text,
    };
    query.replace("$window", &format!("{window}s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::Severity;
    use crate::model::panel::{Unit, When};

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
            drawn(&panel, Demand::default(), SignedDuration::from_secs(15), now)
        };
        assert_eq!(at(1_000_000_001).query, "rate(a[60s]) / rate(b[60s])");
        assert_eq!(at(1_000_000_001), at(1_000_000_019));
        assert_eq!(at(1_000_000_001).grid.len(), 121);
        assert_ne!(at(1_000_000_001), at(1_000_000_031));

        let rule = Rule {
            name: "r".into(),
            panel: "p".into(),
            when: When::Above(1.0),
            holds: SignedDuration::from_mins(5),
            severity: Severity::Warning,
        };
        let of = |hours| {
            let demand = Demand { range: SignedDuration::from_hours(hours), points: 77 };
            plan(&panel, demand, &[rule.clone()], SignedDuration::from_secs(15), Timestamp::UNIX_EPOCH)
        };
        assert_ne!(of(1).shown, of(72).shown);
        assert_eq!((of(1).now, of(1).judged), (of(72).now, of(72).judged), "what is judged is no matter of the screen");
        assert!(of(1).judged.is_some());
    }
}
