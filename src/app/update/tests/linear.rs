//! What is told line by line: each thing once, the state as a word, nothing that only moves.

use super::*;
use crate::app::linear::{Line, Teller};
use crate::model::change::Change;

fn told(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| format!("{} {}: {}", line.kind.word(), line.severity.word(), line.what)).collect()
}

fn change(what: &str, alert: Option<Arc<Alert>>) -> Change {
    Change { at: at(1_000), severity: Severity::Ok, what: what.into(), alert, source: None }
}

/// Both sources were read; nothing needs anybody.
fn quiet() -> State {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![]));
    read(&mut state, 1, Answer::Prometheus(Arc::new(PrometheusAnswer::default())));
    state
}

#[test]
fn a_need_is_told_when_it_comes_and_when_it_goes_and_not_between() {
    let (mut state, mut teller) = (quiet(), Teller::default());
    let first = told(&teller.all(&state));
    assert!(first[0].starts_with("summary ") && first[0].contains("; alerts: 0 critical"), "{first:?}");
    assert!(teller.news(&state, &[]).is_empty(), "nothing is new");
    read(&mut state, 0, alertmanager(vec![firing("Down", 30)]));
    let news = told(&teller.news(&state, &[change("Down began", Some(firing("Down", 30)))]));
    assert!(news.iter().any(|line| line.starts_with("need ") && line.contains("Down")), "{news:?}");
    assert!(!news.iter().any(|line| line.contains("began")), "it is told as a need, once: {news:?}");
    read(&mut state, 0, alertmanager(vec![firing("Down", 30)]));
    assert_eq!(told(&teller.news(&state, &[])), [] as [&str; 0], "the next answer with the same is no news");
    read(&mut state, 0, alertmanager(vec![]));
    let news = told(&teller.news(&state, &[change("Down ended", Some(firing("Down", 30)))]));
    assert!(news.iter().any(|line| line.starts_with("over ok: needs nobody any more: ")), "{news:?}");
}

#[test]
fn an_ack_is_no_end_and_says_whose_it_is() {
    let (mut state, mut teller) = (quiet(), Teller::default());
    read(&mut state, 0, alertmanager(vec![firing("Down", 30)]));
    teller.all(&state);
    let id = "2b614108-0c1f-4b7a-9c3e-5a1d2f3e4b5c";
    let mut acked = (*firing("Down", 30)).clone();
    (acked.state, acked.silenced_by) = (AlertState::Silenced, vec![id.into()]);
    let ack = |comment: &str| {
        let silence = crate::model::silence::Silence {
            id: id.into(),
            state: crate::model::silence::SilenceState::Active,
            matchers: vec![crate::model::silence::SilenceMatcher::equal("alertname", "Down")],
            starts_at: at(900),
            ends_at: at(9_000),
            created_by: "ann@jump".into(),
            comment: comment.into(),
            seen_by: vec![0],
        };
        let alerts = vec![Arc::new(acked.clone())];
        Answer::Alertmanager(Arc::new(AlertmanagerAnswer { alerts, silences: vec![silence], ..Default::default() }))
    };
    read(&mut state, 0, ack("ack: on it"));
    let news = told(&teller.news(&state, &[]));
    assert!(news.iter().any(|line| line.starts_with("over info: needs nobody now, acked by ann: Down")), "{news:?}");
    assert!(!news.iter().any(|line| line.contains(" ok: needs nobody")), "{news:?}");
    assert!(state.changes.iter().any(|change| change.what == "Down firing -> acked by ann"), "{:?}", state.changes);
    // A silence that is no ack names nobody.
    read(&mut state, 0, alertmanager(vec![firing("Down", 30)]));
    teller.news(&state, &[]);
    read(&mut state, 0, ack("INC-1"));
    let news = told(&teller.news(&state, &[]));
    assert!(news.iter().any(|line| line.starts_with("over info: needs nobody now, silenced: Down")), "{news:?}");
}

#[test]
fn a_source_that_fails_is_told_and_so_is_what_else_changed() {
    let (mut state, mut teller) = (quiet(), Teller::default());
    teller.all(&state);
    fail(&mut state, 1);
    let news = told(&teller.news(&state, &[change("prom unreachable", None)]));
    assert!(news.iter().any(|line| line == "change ok: prom unreachable"), "{news:?}");
    assert!(news.iter().any(|line| line.starts_with("need warning: prom ")), "{news:?}");
}

#[test]
fn a_storm_is_told_by_its_worst_and_counted() {
    let (mut state, mut teller) = (quiet(), Teller::default());
    teller.all(&state);
    let storm = (0..500).map(|n| firing(&format!("Down{n}"), 30)).collect();
    read(&mut state, 0, alertmanager(storm));
    let news = told(&teller.news(&state, &[]));
    assert_eq!(news.len(), 21, "{news:?}");
    assert!(news[0].starts_with("summary "), "how all of it stands is never left out: {news:?}");
    assert_eq!(news[20], "change info: and 481 more; `qd status` tells all");
}

/// The panel of errors is beyond its limit; its rule fires after a minute of that.
fn limited() -> State {
    let mut state = console();
    let mut estate = (*state.estate).clone();
    (estate.panels[0].warn, estate.panels[0].critical) = (Some(1.0), Some(5.0));
    let (when, holds) = (When::Above(5.0), SignedDuration::from_mins(1));
    estate.rules = vec![Rule { name: "too many".into(), panel: "errors".into(), when, holds, severity: Severity::Critical }];
    state.estate = Arc::new(estate);
    read(&mut state, 0, alertmanager(vec![]));
    state
}

fn errors(state: &mut State, value: f64) {
    let now = vec![Sample { labels: Labels::default(), value }];
    let panels = [("errors".to_owned(), PanelAnswer { now, ..PanelAnswer::default() })].into();
    read(state, 1, Answer::Prometheus(Arc::new(PrometheusAnswer { panels, ..PrometheusAnswer::default() })));
}

#[test]
fn a_need_whose_rule_tells_it_now_is_not_over() {
    let (mut state, mut teller) = (limited(), Teller::default());
    errors(&mut state, 7.0);
    teller.all(&state);
    state.now = at(1_100);
    errors(&mut state, 7.0);
    let news = told(&teller.news(&state, &[]));
    assert!(news.iter().any(|line| line.starts_with("need critical: too many: ")), "{news:?}");
    assert!(!news.iter().any(|line| line.contains(" ok: ")), "nothing is over: {news:?}");
    errors(&mut state, 0.0);
    let news = told(&teller.news(&state, &[]));
    assert!(news.iter().any(|line| line.starts_with("over ok: needs nobody any more: too many")), "{news:?}");
}

#[test]
fn what_stands_as_critical_is_counted_as_critical_while_its_rule_is_pending() {
    let mut state = limited();
    errors(&mut state, 7.0);
    assert_eq!((state.view.needs[0].severity, state.view.alerts[0].state), (Severity::Critical, AlertState::Pending));
    assert_eq!((state.counts()[0], state.view.besides), (1, 1));
    state.now = at(1_100);
    errors(&mut state, 7.0);
    assert_eq!((state.counts()[0], state.view.besides), (1, 0), "then the alert is what counts, once");
}
