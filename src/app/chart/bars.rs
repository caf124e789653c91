//! The alerts of a chart's service in its window, each from its begin to its end.

use jiff::Timestamp;

use crate::app::ask::{Ask, Past};
use crate::app::effect::Effect;
use crate::app::state::State;
use crate::app::timeline::at_hand;
use crate::model::alert::{AlertState, Origin};
use crate::model::estate::Severity;
use crate::model::label::Labels;
use crate::model::timeline::{Event, Kind, Link, merge};

use super::{name, panel, present, window};

/// Alerts of one chart; the worst are kept.
const BARS_CAP: usize = 200;

/// One alert on a chart's axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// When it began (UTC); `None` where that was before the window, or is not known.
    pub from: Option<Timestamp>,
    /// When it ended (UTC); `None` where it goes on, or went on beyond the window.
    pub to: Option<Timestamp>,
    /// How bad it was.
    pub severity: Severity,
    /// One cleaned line.
    pub what: String,
    /// True where nothing tells when it began: it did after `from`, or `from` is `None`.
    pub unknown: bool,
    /// Its labels.
    labels: Labels,
}

/// Computes the bars again, out of what is known without asking.
pub fn renew(state: &mut State) {
    let service = name(state).and_then(|name| panel(state, name)).and_then(|panel| panel.service.clone());
    let Some(service) = service else {
        state.chart.bars = Vec::new();
        return;
    };
    let window = window(state);
    let (from, to) = (window.from(), window.to);
    let mut all = at_hand(state, (from, to));
    all.extend(state.chart.past.iter().flat_map(|past| past.events.iter().cloned()));
    all.retain(|event| is_alert(event) && event.is_of(&state.estate, &service));
    let events = merge(all, from, to).0;
    let mut bars = paired(events.into_iter().rev(), to);
    // What only a Prometheus knows fires since some time after its condition began: its past tells when.
    let told = state.chart.past.as_ref().is_some_and(|past| past.notes.is_empty());
    // What goes on since before the window has no event in it.
    let of = state.estate.service(&service).map(|of| of.labels.clone()).unwrap_or_default();
    let firing = state.shown().alerts.iter().filter(|alert| alert.state != AlertState::Pending && of.covers(&alert.labels));
    for alert in firing.filter(|alert| alert.starts_at < from) {
        if !bars.iter().any(|bar| bar.to.is_none() && same(&bar.labels, &alert.labels)) {
            let Event { what, severity, .. } = Event::began(alert, "".into());
            let unknown = alert.origin == Origin::Prometheus && !told;
            bars.push(Bar { from: None, to: None, severity, what, unknown, labels: alert.labels.clone() });
        }
    }
    bars.sort_by_key(|bar| (std::cmp::Reverse(bar.severity), bar.from));
    bars.truncate(BARS_CAP);
    state.chart.bars = bars;
}

/// True where an event of a timeline is an alert's begin or end.
fn is_alert(event: &Event) -> bool {
    matches!(event.kind, Kind::AlertBegan | Kind::AlertEnded | Kind::FindingBegan | Kind::FindingEnded)
}

/// Of one alert two sources may tell with some labels more or less.
fn same(a: &Labels, b: &Labels) -> bool {
    a.covers(b) || b.covers(a)
}

/// Begins with their ends, out of events in order of time that were computed up to `until`.
fn paired(events: impl Iterator<Item = Event>, until: Timestamp) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for event in events {
        let Link::Alert(labels) = &event.link else { continue };
        let open = bars.iter_mut().rev().find(|bar| bar.to.is_none() && same(&bar.labels, labels));
        match (event.kind, open) {
            (Kind::AlertBegan | Kind::FindingBegan, None) => {
                let unknown = event.is_open(until);
                let from = Some(if unknown { event.begun() } else { event.at });
                bars.push(Bar { from, to: None, severity: event.severity, what: event.what, unknown, labels: labels.clone() });
            }
            (Kind::AlertBegan | Kind::FindingBegan, Some(_)) => {}
            (_, Some(bar)) => bar.to = Some(event.at),
            (_, None) => {
                let severity = severity(labels);
                bars.push(Bar { from: None, to: Some(event.at), severity, what: event.what, unknown: false, labels: labels.clone() });
            }
        }
    }
    bars
}

/// How bad an alert was of which only the end is known.
fn severity(labels: &Labels) -> Severity {
    crate::model::alert::severity_of(labels)
}

/// Asks once for each window which alerts fired in it.
pub(super) fn wanted(state: &mut State) -> Option<Effect> {
    let named = name(state).and_then(|name| panel(state, name)).is_some_and(|panel| panel.service.is_some());
    if !named {
        return None;
    }
    let window = window(state);
    let (from, to) = (window.from(), window.to);
    let covered = state.chart.past_of.is_some_and(|(asked_from, asked_to)| {
        // A live window moves on: what happens from now on is seen here.
        let reaches = state.chart.window.is_none() && asked_to.as_second() >= from.as_second();
        from >= asked_from && (to <= asked_to || reaches)
    });
    if covered {
        return None;
    }
    // Of a live window the present is told by the alerts themselves.
    let to = to.min(present(state));
    state.chart.past_of = Some((from, to));
    Some(Effect::Ask(Box::new(Ask::Timeline(from, to))))
}

/// Takes in what was answered of that time; what was not asked here is passed over.
pub fn told(state: &mut State, from: Timestamp, to: Timestamp, past: &Past) {
    if state.chart.past_of == Some((from, to)) {
        state.chart.past = Some(past.clone());
        renew(state);
    }
}

/// The alerts that are at a moment: those that go on there, and those that began or ended within so many seconds.
pub fn at(bars: &[Bar], at: Timestamp, reach: i64) -> Vec<&Bar> {
    let near = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment.duration_since(at).as_secs().abs() <= reach);
    let inside = |bar: &Bar| bar.from.is_none_or(|from| from <= at) && bar.to.is_none_or(|to| to >= at);
    bars.iter().filter(|bar| inside(bar) || near(bar.from) || near(bar.to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::tests::alert;

    fn at_second(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    #[test]
    fn begins_and_ends_of_one_alert_are_one_bar_and_an_end_alone_began_before() {
        let one = |name: &str, begin: i64| alert(&[("alertname", name), ("severity", "critical")], AlertState::Firing, begin);
        let (a, b) = (one("A", 100), one("B", 0));
        let events = [
            Event::began(&a, "am".into()),
            Event::ended(&b, None, at_second(150), "am".into()),
            Event::ended(&a, None, at_second(200), "am".into()),
            Event::began(&one("A", 300), "am".into()),
        ];
        let open = one("C", 250);
        let open = Event { at: at_second(400), after: Some(at_second(250)), ..Event::began(&open, "prom".into()) };
        let bars = paired(events.clone().into_iter().chain([open.clone()]), at_second(400));
        assert_eq!((bars[3].from, bars[3].unknown), (Some(at_second(250)), true), "when it began is not known");
        assert!(!paired([open].into_iter(), at_second(500))[0].unknown, "of what was seen to begin the end of the doubt is known");
        let bars = paired(events.into_iter(), at_second(400));
        let told: Vec<_> = bars
            .iter()
            .map(|bar| (bar.what.split(':').next().unwrap_or_default(), bar.from.map(|t| t.as_second()), bar.to.map(|t| t.as_second())))
            .collect();
        assert_eq!(told, [("A", Some(100), Some(200)), ("B", None, Some(150)), ("A", Some(300), None)]);
        assert!(bars.iter().all(|bar| bar.severity == Severity::Critical));
        let names =
            |secs: i64, reach: i64| at(&bars, at_second(secs), reach).iter().map(|bar| bar.what[..1].to_owned()).collect::<Vec<_>>();
        assert_eq!(names(120, 0), ["A", "B"]);
        assert_eq!((names(250, 0).len(), names(205, 10).len(), names(1_000, 0).len()), (0, 1, 1));
    }
}
