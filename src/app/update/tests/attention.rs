//! Calling for a person, and what one is told who comes back.

use super::*;
use crate::app::attention::{AGAIN, Call, GAP};
use crate::model::attention::{Attention as Wishes, Cause, Hours};
use crate::model::run::known::Runs;

fn later(state: &mut State, by: SignedDuration) {
    state.now += by;
}

fn critical(name: &str, state: AlertState) -> Arc<Alert> {
    alert(&[("alertname", name), ("severity", "critical"), ("job", "web")], state, 10)
}

/// What is called for when the Alertmanager says this.
fn heard(state: &mut State, alerts: Vec<Arc<Alert>>) -> Vec<Call> {
    let now = state.now;
    let outcome = Outcome::Value { value: alertmanager(alerts), as_of: now };
    let effects = update(state, Message::Read { source: 0, outcome, next_try: now + SignedDuration::from_secs(10) });
    calls(effects)
}

fn calls(effects: Vec<Effect>) -> Vec<Call> {
    effects.into_iter().filter_map(|effect| if let Effect::Attend(call) = effect { Some(*call) } else { None }).collect()
}

fn texts(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.text.as_str()).collect()
}

#[test]
fn a_new_critical_calls_and_what_is_there_at_the_start_or_is_muted_or_pending_does_not() {
    let mut state = console();
    let old = critical("Old", AlertState::Firing);
    assert!(heard(&mut state, vec![old.clone()]).is_empty(), "how things stand is no news");
    later(&mut state, SignedDuration::from_secs(10));
    let quiet = [critical("Muted", AlertState::Silenced), critical("Soon", AlertState::Pending), firing("Warning", 20)];
    assert!(heard(&mut state, [vec![old.clone()], quiet.to_vec()].concat()).is_empty());
    later(&mut state, SignedDuration::from_secs(10));
    let told = heard(&mut state, vec![old.clone(), critical("New", AlertState::Firing), critical("Soon", AlertState::Firing)]);
    assert_eq!(texts(&told).len(), 1);
    assert!(told[0].bell && told[0].text.starts_with("shop: 2 critical: "), "{told:?}");
    later(&mut state, GAP);
    assert!(heard(&mut state, vec![old, critical("New", AlertState::Firing), critical("Soon", AlertState::Firing)]).is_empty());
}

#[test]
fn however_many_come_it_is_one_call_at_a_time_and_one_that_flaps_is_called_for_once() {
    let mut state = console();
    heard(&mut state, vec![]);
    later(&mut state, SignedDuration::from_secs(1));
    let storm: Vec<Arc<Alert>> = (0..3_000)
        .map(|n| alert(&[("alertname", "Storm"), ("severity", "critical"), ("n", &n.to_string())], AlertState::Firing, 10))
        .collect();
    assert_eq!(texts(&heard(&mut state, storm.clone())), ["shop: 3000 critical: Storm, ..."]);
    later(&mut state, SignedDuration::from_secs(1));
    let more = [storm.clone(), vec![critical("More", AlertState::Firing)]].concat();
    assert!(heard(&mut state, more.clone()).is_empty(), "too soon");
    later(&mut state, GAP);
    assert_eq!(texts(&calls(update(&mut state, Message::Tick))), ["shop: 1 critical: More"]);
    later(&mut state, GAP);
    heard(&mut state, storm.clone());
    later(&mut state, SignedDuration::from_secs(1));
    assert!(heard(&mut state, more.clone()).is_empty(), "it was called for just now");
    heard(&mut state, storm);
    later(&mut state, AGAIN);
    assert_eq!(heard(&mut state, more).len(), 1);
}

#[test]
fn in_quiet_hours_nothing_is_heard_and_nothing_is_told_late() {
    let mut state = console();
    let quiet = vec![Hours::parse("00:00-06:00").unwrap()];
    state.attention.wishes = Wishes { quiet, quiet_critical: false, ..Wishes::default() };
    heard(&mut state, vec![]);
    later(&mut state, SignedDuration::from_secs(1));
    assert!(heard(&mut state, vec![critical("Night", AlertState::Firing)]).is_empty());
    later(&mut state, SignedDuration::from_hours(7));
    assert!(calls(update(&mut state, Message::Tick)).is_empty(), "who looks sees it");
    state.attention.wishes.on = vec![Cause::Ended];
    assert!(heard(&mut state, vec![critical("Night", AlertState::Firing), critical("Day", AlertState::Firing)]).is_empty());
}

#[test]
fn a_run_that_asks_and_a_run_that_ended_call_but_not_what_the_journal_told_first() {
    use crate::model::run::known::{KnownRun, Liveness};
    use crate::model::run::sample;
    let run = |ended: bool| {
        let mut state = sample::Log::begun("web-1", &sample::plan(&["web1"], vec![sample::step("a")])).state();
        if ended {
            state.ended = Some((at(2_000), crate::model::run::Ending::Done));
        }
        let alive = if ended { Liveness::Over } else { Liveness::Live { heartbeat: at(1_000) } };
        Arc::new(KnownRun { state: Arc::new(state), alive, live: vec![], entries: Arc::default(), left_out: 0, file: None, words: None })
    };
    let runs = |all: Vec<Arc<KnownRun>>| Message::Runs(Box::new(Runs::of(all, String::new(), None)));
    let mut state = console();
    assert!(calls(update(&mut state, runs(vec![run(false)]))).is_empty());
    let orphan = Arc::new(KnownRun { alive: Liveness::Orphaned, ..(*run(false)).clone() });
    let id = orphan.state.run.clone();
    let told = calls(update(&mut state, runs(vec![orphan.clone()])));
    assert_eq!(texts(&told), [format!("shop: run {id} is orphaned: its runner is gone")]);
    later(&mut state, GAP);
    assert!(calls(update(&mut state, runs(vec![orphan]))).is_empty(), "it was told");
    assert_eq!(texts(&calls(update(&mut state, runs(vec![run(true)])))), [format!("shop: run {id} done")]);
}

#[test]
fn the_title_counts_criticals_only_where_it_is_wished_and_only_when_it_changes() {
    let titles = |effects: Vec<Effect>| -> Vec<String> {
        effects.into_iter().filter_map(|effect| if let Effect::Title(title) = effect { Some(title) } else { None }).collect()
    };
    let mut state = console();
    assert!(titles(update(&mut state, Message::Tick)).is_empty());
    state.attention.wishes.title = true;
    assert_eq!(titles(update(&mut state, Message::Tick)), ["qd shop: ? nothing is fresh"]);
    let now = state.now;
    let outcome = Outcome::Value { value: alertmanager(vec![critical("A", AlertState::Firing)]), as_of: now };
    let effects = update(&mut state, Message::Read { source: 0, outcome, next_try: now });
    assert_eq!(titles(effects), ["qd shop: X 1 critical"]);
    assert!(titles(update(&mut state, Message::Tick)).is_empty());
}

#[test]
fn who_comes_back_is_told_what_happened_and_esc_dismisses_it() {
    let row = |state: &State| match state.overview_rows.first() {
        Some(OverviewRow::Since(text)) => Some(text.clone()),
        _ => None,
    };
    let mut state = console();
    heard(&mut state, vec![critical("Old", AlertState::Firing)]);
    press(&mut state, "j");
    later(&mut state, SignedDuration::from_mins(2));
    heard(&mut state, vec![critical("A", AlertState::Firing), critical("B", AlertState::Firing)]);
    press(&mut state, "j");
    assert_eq!(row(&state), None, "two minutes is not away");
    later(&mut state, SignedDuration::from_mins(4));
    heard(&mut state, vec![critical("A", AlertState::Firing), critical("C", AlertState::Firing)]);
    later(&mut state, SignedDuration::from_mins(3));
    update(&mut state, Message::Focus(true));
    assert_eq!(row(&state).as_deref(), Some("since 00:18Z: 1 new critical, 1 resolved"));
    press(&mut state, "j");
    assert!(row(&state).is_some(), "it stays until it is dismissed");
    press(&mut state, "esc");
    assert_eq!(row(&state), None);
    later(&mut state, SignedDuration::from_mins(9));
    press(&mut state, "j");
    assert_eq!(row(&state), None, "nothing happened");
    later(&mut state, SignedDuration::from_secs(1));
    heard(&mut state, vec![]);
    later(&mut state, SignedDuration::from_mins(9));
    press(&mut state, "k");
    press(&mut state, "g");
    assert!(matches!(state.overview_rows[state.overview.list.row], OverviewRow::Since(_)), "{:?}", state.overview_rows);
    press(&mut state, "enter");
    assert_eq!(state.pane, Pane::Timeline);
    assert_eq!(row(&state), None);
}
