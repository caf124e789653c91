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

/// The same fault with the position of its `1:17: parse error` in the query as it was typed, not in the one that was
/// sent, in which `$window` is filled in. Source: `ParseErr.Error` of Prometheus 3: line and column from 1, in bytes.
pub(super) fn as_typed(panel: &Panel, sent: &str, what: String) -> String {
    const HOLE: &str = "$window";
    let Ask::Promql(typed) = &panel.ask else { return what };
    let holes = typed.matches(HOLE).count();
    let Some(end) = what.find(": parse error").filter(|_| holes > 0) else { return what };
    let begin = what[..end].rfind(|c: char| !c.is_ascii_digit() && c != ':').map_or(0, |at| at + 1);
    let begin = begin + (what[begin..end].len() - what[begin..end].trim_start_matches(':').len());
    let position = what[begin..end].split_once(':').and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let Some((line, column)) = position else { return what };
    let (line, column): (usize, usize) = (line, column);
    // Fills do not hold a line's end: the lines are the same, and only columns differ.
    let filled = (sent.len() + holes * HOLE.len()).saturating_sub(typed.len()) / holes;
    let Some(text) = line.checked_sub(1).and_then(|line| typed.lines().nth(line)) else { return what };
    let (mut at, mut moved) = (column.saturating_sub(1), 0);
    for (place, _) in text.match_indices(HOLE) {
        if at < place {
            break;
        }
        if at < place + filled {
            at = place;
            break;
        }
        at = at - filled + HOLE.len();
        moved += 1;
    }
    let end_of = &what[end..];
    if moved == 0 && at + 1 == column { what } else { format!("{}{line}:{}{end_of}", &what[..begin], at + 1) }
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

        let told = |sent: &str, typed: &str, at: &str| {
            let panel = Panel { ask: Ask::Promql(typed.into()), ..panel.clone() };
            as_typed(&panel, sent, format!("bad_data: invalid parameter \"query\": {at}: parse error: unexpected x"))
        };
        let placed = |at: &str| format!("bad_data: invalid parameter \"query\": {at}: parse error: unexpected x");
        let (typed, sent) = ("rate(a[$window]) + rate(b[$window]) x", "rate(a[60s]) + rate(b[60s]) x");
        for (there, here) in [("1:3", "1:3"), ("1:9", "1:8"), ("1:11", "1:15"), ("1:29", "1:37")] {
            assert_eq!(told(sent, typed, there), placed(here));
        }
        assert_eq!(told("a x", "a x", "1:3"), placed("1:3"));
        assert_eq!(told("a\nrate(b[3600s]) x", "a\nrate(b[$window]) x", "2:16"), placed("2:18"));
        assert_eq!(as_typed(&panel, "a", "no: parse error".into()), "no: parse error");
    }
}
