//! The Deployments pane under hands: ten thousand rows, filters by field and time, and the way from an alert to what
//! changed near it.

use super::*;
use crate::app::deployments::window::Hits;
use crate::model::deployment::{Dated, Deployment, Ending};
use crate::model::estate::History;
use crate::model::source::HistoryAnswer;
use crate::model::timeline::Kind;

/// The console with a history of so many deployments, one a minute up to `at(100_000)`, which is its present moment.
pub(super) fn deployed(count: i64) -> State {
    let known = console();
    let mut estate = (*known.estate).clone();
    let log = History::DeployLog { path: "log".into(), fields: Default::default() };
    estate.sources.push(Source { name: "deploys".into(), kind: SourceKind::History(log), ..estate.sources[0].clone() });
    let mut state = State::new(Arc::new(estate), known.identity, known.look, known.keymap, at(100_000), (80, 24));
    tell(&mut state, count);
    state
}

pub(super) fn one(n: i64) -> Arc<Deployment> {
    Arc::new(Deployment {
        to: Some(format!("{n}.0")),
        who: Some(if n % 2 == 0 { "ann" } else { "ben" }.into()),
        result: Some(if n % 10 == 0 { Ending::Failed } else { Ending::Succeeded }),
        ..Deployment::new("web", at(100_000 - 60 * n), Dated::Record, "deploys")
    })
}

fn tell(state: &mut State, count: i64) {
    tell_all(state, (0..count).map(one).collect());
}

/// Tells of deployments so many minutes before `at(100_000)`, the newest first, of these versions.
pub(super) fn told_by(state: &mut State, all: Vec<(i64, String)>) {
    let of = |(minutes, version): (i64, String)| {
        let one = Deployment::new("web", at(100_000 - 60 * minutes), Dated::Record, "deploys");
        Arc::new(Deployment { to: Some(version), result: Some(Ending::Succeeded), ..one })
    };
    tell_all(state, all.into_iter().map(of).collect());
}

fn tell_all(state: &mut State, deployments: Vec<Arc<Deployment>>) {
    let answer = HistoryAnswer { deployments, ..HistoryAnswer::default() };
    let outcome = Outcome::Value { value: Answer::History(Arc::new(answer)), as_of: state.now };
    let source = state.estate.sources.iter().position(|source| source.name == "deploys").unwrap();
    update(state, Message::Read { source, outcome, next_try: at(100_000) });
}

fn selected(state: &State) -> String {
    let key = state.deployments.list.selected.clone().unwrap();
    let row = &state.window.rows[state.deployments.list.row];
    assert_eq!(row.key, key);
    row.to.clone().unwrap()
}

/// How many rows pass, where they are counted.
fn total(state: &State) -> usize {
    match state.window.hits {
        Hits::All(count) => count,
        Hits::AtLeast(count) => panic!("at least {count}"),
    }
}

#[test]
fn ten_thousand_are_listed_the_newest_first_and_the_selection_stays_with_its_deployment() {
    let mut state = deployed(10_000);
    press(&mut state, "5");
    assert_eq!((state.pane, total(&state), selected(&state).as_str()), (Pane::Deployments, 10_000, "0.0"));
    press(&mut state, "G");
    assert_eq!(selected(&state), "9999.0");
    press(&mut state, "k");
    // The same told again in another answer, and more of it.
    tell(&mut state, 10_001);
    assert_eq!((total(&state), selected(&state).as_str()), (10_001, "9998.0"));
    let joined = state.view.deployments.all.clone();
    update(&mut state, Message::Tick);
    assert!(Arc::ptr_eq(&joined, &state.view.deployments.all), "nothing is joined again without news");
}

#[test]
fn rows_are_filtered_by_service_person_version_result_and_time() {
    let mut state = deployed(100);
    press(&mut state, "5");
    let mut left = |filter: &str| {
        press(&mut state, "/");
        update(&mut state, Message::Paste(filter.into()));
        let (left, error) = (if state.deployments.error.is_none() { total(&state) } else { 0 }, state.deployments.error.clone());
        update(&mut state, Message::Key("esc".parse().unwrap()));
        error.map_or(Ok(left), Err)
    };
    assert_eq!(left("who:ann"), Ok(50));
    assert_eq!(left("result=failed who=ann"), Ok(10));
    assert_eq!(left("version=7.0"), Ok(1));
    assert_eq!(left("service:db"), Ok(0));
    assert_eq!(left("age<10m"), Ok(10));
    // at(100_000) is 1970-01-02T03:46:40Z.
    assert_eq!(left("time>1970-01-02T03:36:40"), Ok(10));
    assert_eq!(left("time>=1970-01-02T03:36:40Z time<1970-01-02T03:37:41"), Ok(2));
    assert_eq!(left("time:1970-01-02"), Ok(100));
    assert!(left("severity:critical").unwrap_err().contains("is no field"));
    assert!(left("time>yesterday").unwrap_err().contains("is no time"));
}

#[test]
fn one_key_leads_from_an_alert_to_what_was_deployed_near_it_and_back() {
    let mut state = deployed(1_000);
    let alert = alert(&[("alertname", "Slow"), ("service", "web")], AlertState::Firing, 100_000 - 60 * 200);
    let answer = AlertmanagerAnswer { alerts: vec![alert], ..AlertmanagerAnswer::default() };
    let outcome = Outcome::Value { value: Answer::Alertmanager(Arc::new(answer)), as_of: state.now };
    update(&mut state, Message::Read { source: 0, outcome, next_try: at(100_000) });
    press(&mut state, "2 c");
    assert_eq!(state.pane, Pane::Timeline);
    // From an hour and a half before it to half an hour after it.
    let times: Vec<i64> = state.timeline.events.iter().filter(|e| e.kind == Kind::Deployment).map(|e| e.at.as_second()).collect();
    assert_eq!((times.first(), times.last(), times.len()), (Some(&(100_000 - 60 * 170)), Some(&(100_000 - 60 * 290)), 121));
    press(&mut state, "j enter");
    assert!(matches!(state.layers.last(), Some(Layer::Deployment { .. })));
    press(&mut state, "esc esc");
    assert_eq!((state.pane, state.alert_rows.len()), (Pane::Alerts, 1));
}

#[test]
fn the_overview_lists_the_deployments_of_two_hours_and_opens_them() {
    let state = deployed(1_000);
    let listed = state.overview_rows.iter().filter(|row| matches!(row, OverviewRow::Deployment(_))).count();
    assert_eq!(listed, 50, "no more than there is room for");
    let mut state = deployed(3);
    let row = state.overview_rows.iter().position(|row| *row == OverviewRow::Deployment(1)).unwrap();
    press(&mut state, "G");
    while state.overview.list.row > row {
        press(&mut state, "k");
    }
    update(&mut state, Message::Key("enter".parse().unwrap()));
    assert!(matches!(state.layers.last(), Some(Layer::Deployment { deployment, .. }) if deployment.to.as_deref() == Some("1.0")));
}

#[test]
fn a_change_of_the_index_is_counted_and_a_notice_stands_among_what_changed() {
    let mut state = deployed(1);
    update(&mut state, Message::HistoryChanged(7));
    update(&mut state, Message::Notice("the history cache was damaged: rebuilt".into()));
    assert_eq!((state.history_changes, state.changes[0].what.as_str()), (7, "the history cache was damaged: rebuilt"));
}
