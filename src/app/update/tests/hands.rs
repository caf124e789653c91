//! Marks on the lists of deployments and of runs, clicks on what a wizard, the logs and a verification offer, and the
//! question before a practice estate is ended.

use super::deployments::{deployed, one};
use super::*;
use crate::app::ask::Ask as Question;
use crate::app::marks::{self, MARKS_CAP};
use crate::app::target::{Choice, Target};
use crate::app::wizard::{Subject, held};
use crate::model::run::known::{Liveness, Runs};
use crate::model::run::sample::{Log, plan, step};

fn said(state: &State) -> &str {
    state.said.as_deref().unwrap_or_default()
}

fn asked(effects: &[Effect]) -> impl Iterator<Item = &Question> {
    effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(&**ask) } else { None })
}

fn copied(effects: &[Effect]) -> String {
    effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text.clone()) } else { None }).unwrap_or_default()
}

#[test]
fn two_marked_deployments_are_compared_the_earlier_one_first() {
    let mut state = deployed(20);
    press(&mut state, "5 space j j space j");
    assert_eq!(marks::chip(&state), "marked 2 (at most 50)");
    press(&mut state, "d");
    let Some(Layer::Diff { from: Some(from), to, .. }) = state.layers.last() else { panic!("{:?}", state.layers) };
    assert_eq!((from.to.clone(), to.to.clone()), (one(2).to.clone(), one(0).to.clone()));
    press(&mut state, "esc space d");
    assert!(state.layers.is_empty() && said(&state).contains("3 are marked"), "{}", said(&state));
    press(&mut state, "esc");
    assert!(marks::chip(&state).is_empty(), "Esc clears them");
    press(&mut state, "d");
    let Some(Layer::Diff { from: Some(from), to, .. }) = state.layers.last() else { panic!() };
    assert_eq!((from.to.clone(), to.to.clone()), (one(4).to.clone(), one(3).to.clone()), "without marks: the one before");
}

#[test]
fn marked_deployments_alone_are_copied_and_exported() {
    let mut state = deployed(20);
    press(&mut state, "5 j j j space k k space");
    let text = copied(&press(&mut state, "y"));
    assert!(text.contains("3.0") && text.contains("1.0") && !text.contains(" 2.0"), "{text}");
    assert_eq!(text.matches("qd --estate").count(), 2, "each with its own command line: {text}");
    press(&mut state, "esc x");
    let mut effects = Vec::new();
    update(&mut state, Message::Key("ctrl-u".parse().unwrap()));
    for c in "/tmp/x.csv".chars() {
        effects.extend(update(&mut state, Message::Key(Key::char(c))));
    }
    effects.extend(press(&mut state, "enter"));
    let rows = asked(&effects).find_map(|ask| if let Question::Export(export) = ask { export.rows.clone() } else { None }).unwrap();
    assert_eq!(rows.iter().map(|row| row.to.clone()).collect::<Vec<_>>(), [one(1).to.clone(), one(3).to.clone()], "the newest first");
}

#[test]
fn marks_have_the_same_end_everywhere_and_where_they_mean_nothing_that_is_said() {
    let mut state = deployed(80);
    press(&mut state, "5");
    for _ in 0..MARKS_CAP {
        press(&mut state, "space j");
    }
    press(&mut state, "space");
    assert_eq!(said(&state), "50 are marked, and no more can be: Esc clears all marks");
    assert_eq!(state.picks.deployments.len(), MARKS_CAP);
    for pane in ["1", "3", "4", "6", "t"] {
        press(&mut state, &format!("{pane} space"));
        assert!(said(&state).contains("Alerts, Deployments and Operations"), "{pane}: {}", said(&state));
    }
    press(&mut state, "5 enter space");
    assert!(matches!(state.layers.last(), Some(Layer::Deployment { .. })) && said(&state).contains("page of one"), "{}", said(&state));
}

fn runs() -> State {
    let mut state = console();
    let known = |n: u64| {
        let log = Log::begun(&format!("web-20261121T140455Z-000{n}"), &plan(&["web1"], vec![step("web1/switch")]));
        let alive = Liveness::Live { heartbeat: at(0) };
        log.known(alive)
    };
    update(&mut state, Message::Runs(Box::new(Runs::of(vec![known(1), known(2), known(3)], "1 ab".into(), None))));
    press(&mut state, "7");
    state
}

#[test]
fn the_reports_of_marked_runs_are_copied_together() {
    let mut state = runs();
    press(&mut state, "space j space");
    assert_eq!((state.picks.runs.len(), marks::chip(&state).as_str()), (2, "marked 2 (at most 50)"));
    let text = copied(&press(&mut state, "y"));
    assert_eq!(text.lines().filter(|line| line.starts_with("qd show ")).count(), 2, "{text}");
    press(&mut state, "esc esc");
    assert!(state.picks.runs.is_empty());
    press(&mut state, "/");
    write(&mut state, "run:0001");
    press(&mut state, "enter space esc");
    assert!(marks::chip(&state).is_empty(), "Esc clears marks before the filter: {:?}", state.picks);
}

#[test]
fn a_click_on_a_host_is_the_key_that_leaves_it_out_and_the_wheel_goes_from_host_to_host() {
    let mut state = console();
    crate::model::operations::tests::lay(Arc::make_mut(&mut state.estate), "web", &["web1", "web2"]);
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    press(&mut state, "R");
    let without = |state: &State| held(state).unwrap().subject.without().to_vec();
    update(&mut state, Message::Click(Target::Choice(Choice::Host("web2".into()))));
    assert_eq!(without(&state), ["web2"]);
    update(&mut state, Message::Click(Target::Choice(Choice::Host("web1".into()))));
    assert_eq!(without(&state), ["web2"], "one host must stay, by the mouse too");
    assert!(held(&state).unwrap().said.is_some());
    update(&mut state, Message::Click(Target::Choice(Choice::Host("web2".into()))));
    update(&mut state, Message::Click(Target::Choice(Choice::Host("gone".into()))));
    assert!(without(&state).is_empty());
    update(&mut state, Message::Wheel { by: -3, right: false });
    assert_eq!(held(&state).unwrap().host.as_deref(), Some("web1"));
    update(&mut state, Message::Wheel { by: 3, right: false });
    assert_eq!(held(&state).unwrap().host.as_deref(), Some("web2"));

    press(&mut state, "q U");
    update(&mut state, Message::Click(Target::Choice(Choice::Label(0))));
    update(&mut state, Message::Click(Target::Choice(Choice::Label(4))));
    update(&mut state, Message::Click(Target::Choice(Choice::Label(9))));
    let Subject::Processes(of) = &held(&state).unwrap().subject else { panic!() };
    assert_eq!((of.deed, of.chosen().collect::<Vec<_>>()), (Some(crate::model::plan::Deed::Restart), vec!["web1"]));
}

#[test]
fn practice_is_ended_by_the_second_q_only() {
    let mut state = console();
    assert_eq!(press(&mut state, "q"), [Effect::Quit(0)], "a real console is left at once");
    state.practice = true;
    assert!(press(&mut state, "q").is_empty());
    assert_eq!(said(&state), "q again ends the practice estate with all its history");
    assert!(press(&mut state, "j").is_empty());
    assert_eq!(said(&state), "");
    assert!(press(&mut state, "q").is_empty(), "asked anew after another key");
    assert_eq!(press(&mut state, "q"), [Effect::Quit(0)]);
    press(&mut state, "? q");
    assert!(state.layers.is_empty() && said(&state).is_empty(), "on a page it closes the page");
    assert_eq!(press(&mut state, "ctrl-c"), [Effect::Quit(130)], "an interrupt is one");
    let mut state = runs();
    state.practice = true;
    press(&mut state, "q");
    assert!(said(&state).ends_with("history and the run of web"), "{}", said(&state));
}

#[test]
fn a_row_that_slides_under_the_cursor_is_not_acted_upon_before_it_can_be_read() {
    let critical = |name: &str, secs| {
        let mut alert = (*alert(&[("alertname", name), ("job", "web"), ("severity", "critical")], AlertState::Firing, secs)).clone();
        alert.fingerprint = crate::model::silence::fingerprint(&alert.labels).into();
        Arc::new(alert)
    };
    let meant = |state: &State| super::super::wizard::about(state);
    let mut state = console();
    state.now = at(1_000);
    read(&mut state, 0, alertmanager(vec![critical("Old", 10)]));
    state.now = at(1_010);
    assert_eq!(meant(&state).as_deref(), Some("web"));
    // Nobody touched a key yet: a worse or newer one takes the first row.
    read(&mut state, 0, alertmanager(vec![critical("Old", 10), critical("New", 500)]));
    let before = state.layers.len();
    for key in ["R", "U"] {
        press(&mut state, key);
        assert_eq!(state.layers.len(), before);
        let said = state.said.clone().unwrap();
        assert!(said.starts_with(&format!("{key}: too early: the row under the cursor has just changed")), "{said}");
        assert!(said.len() <= 80, "it is whole on a small screen: {said}");
    }
    // From the first key on the row that is read stays under the cursor, whatever comes.
    let row = crate::app::history::row(&state);
    read(&mut state, 0, alertmanager(vec![critical("Old", 10), critical("New", 500), critical("Newest", 900)]));
    assert_eq!(crate::app::history::row(&state), row);
    state.now += super::super::keys::SLID;
    press(&mut state, "R");
    assert_eq!(state.layers.len(), before + 1, "{:?}", state.said);
    press(&mut state, "q");

    // The same where the row that was read is gone; what only looks is never held up.
    press(&mut state, "2 g");
    let row = crate::app::history::row(&state);
    read(&mut state, 0, alertmanager(vec![critical("Old", 10)]));
    assert_ne!(crate::app::history::row(&state), row);
    press(&mut state, "A");
    assert!(state.said.as_deref().unwrap_or_default().starts_with("A: too early"), "{:?}", state.said);
    press(&mut state, "enter");
    assert_eq!(state.layers.len(), 1);
    // The page stays with its alert: nothing can slide under its keys.
    press(&mut state, "A");
    assert_eq!(state.layers.len(), 2, "{:?}", state.said);
}

#[test]
fn what_stands_for_many_is_copied_as_many() {
    let one = |n: i64| {
        let labels = [("alertname", "DiskFull"), ("instance", &*format!("db{n}:9100")), ("job", "web"), ("severity", "critical")];
        alert(&labels, AlertState::Firing, 100 + n)
    };
    let mut state = console();
    let mut all: Vec<_> = (0..3_000).map(one).collect();
    // What is muted, and what has another severity, is not of this need.
    all.push(alert(&[("alertname", "DiskFull"), ("job", "web"), ("severity", "critical"), ("x", "y")], AlertState::Silenced, 1));
    all.push(alert(&[("alertname", "DiskFull"), ("job", "web"), ("severity", "warning"), ("x", "z")], AlertState::Firing, 2));
    read(&mut state, 0, alertmanager(all));
    press(&mut state, "g");
    let text = copied(&press(&mut state, "y"));
    assert!(text.starts_with("ALERTS DiskFull x3000: critical\n"), "{text}");
    assert!(text.contains("all have   alertname=\"DiskFull\" job=\"web\" severity=\"critical\"\n"), "{text}");
    assert!(text.contains("and 2990 more\n") && text.contains("db2999:9100"), "{text}");
    assert!(text.contains("oldest     1970-01-01 00:01Z") && text.contains("newest     1970-01-01 00:51Z"), "{text}");
    assert!(text.ends_with("--filter 'alertname=\"DiskFull\"'") || text.ends_with("--filter alertname=DiskFull"), "{text}");
    // Of one it is the alert, with all that is known of it.
    press(&mut state, "q");
    read(&mut state, 0, alertmanager(vec![one(7)]));
    press(&mut state, "g");
    let text = copied(&press(&mut state, "y"));
    assert!(!text.contains("ALERTS DiskFull x") && text.contains("db7:9100"), "{text}");
}

#[test]
fn the_note_of_an_estate_is_whole_where_there_is_room_for_it() {
    let note = "When requests fail at north: what does the edge print (`l`)? `U` on that line restarts it, once confirmed. And here is \
                more of it, so that two lines of the left column do not do. Practice: nothing here is production.";
    let mut state = console();
    Arc::make_mut(&mut state.estate).note = Some(note.to_owned());
    for (size, whole) in [((200, 60), true), ((160, 50), true), ((80, 24), false)] {
        state.size = size;
        pane::refresh(&mut state);
        let lines: Vec<&str> = state
            .overview_rows
            .iter()
            .filter_map(|row| if let OverviewRow::Note(line) = row { Some(line.as_str()) } else { None })
            .collect();
        assert_eq!(lines.join(" ") == note, whole, "{size:?} {lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 98) && lines.len() <= if whole { 6 } else { 2 }, "{size:?} {lines:?}");
    }
}

/// A critical alert of the web service that began so many seconds ago.
fn critical(name: &str, secs: i64) -> Arc<Alert> {
    let mut alert = (*alert(&[("alertname", name), ("job", "web"), ("severity", "critical")], AlertState::Firing, secs)).clone();
    alert.fingerprint = crate::model::silence::fingerprint(&alert.labels).into();
    Arc::new(alert)
}

#[test]
fn a_row_that_stood_under_the_cursor_long_enough_to_be_read_stays_there_without_a_key() {
    use crate::app::history::row;
    let needs = |names: &[&str]| {
        let all = names.iter().enumerate().map(|(place, name)| critical(name, 999 - 130 * place as i64));
        all.collect::<Vec<_>>()
    };
    let selected = |state: &State| {
        let OverviewRow::Need(place) = state.overview_rows[state.overview.list.row] else { panic!("{:?}", row(state)) };
        state.view.needs[place].what.clone()
    };
    let tick = |state: &mut State, secs: i64| {
        state.now = at(secs);
        update(state, Message::Tick);
    };
    let mut state = console();
    state.now = at(1_000);
    for place in 1..state.readings.len() {
        let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what: "refused".into(), at: state.now };
        let next_try = state.now;
        update(&mut state, Message::Read { source: place, outcome, next_try });
    }
    read(&mut state, 0, alertmanager(needs(&["A"])));
    let first = selected(&state);
    // Not long enough: the worst is under the cursor.
    tick(&mut state, 1_009);
    state.now = at(1_009);
    read(&mut state, 0, alertmanager(needs(&["B", "A"])));
    assert_ne!(selected(&state), first, "the newest need comes first");
    let read_now = row(&state);
    tick(&mut state, 1_018);
    assert!(!state.touched, "it came nine seconds ago");
    tick(&mut state, 1_019);
    // Long enough: whatever comes above, what is read stays, and no key is held up by it.
    state.now = at(1_020);
    let many = ["D", "C", "B", "A"];
    read(&mut state, 0, alertmanager(needs(&many)));
    assert_eq!(row(&state), read_now);
    assert!(state.overview.list.row > 1 && state.overview.list.offset == 0, "what came above is seen: {:?}", state.overview.list);
    assert_eq!(crate::app::overview::above(&state), "");
    assert_ne!(state.slid, Some(at(1_020)));
    // Where it is gone the worst is under the cursor again, and a key that asks for a change waits.
    state.now = at(1_030);
    read(&mut state, 0, alertmanager(needs(&["H", "A"])));
    assert_eq!(state.slid, Some(at(1_030)));
    assert!(selected(&state).contains('H'), "{}", selected(&state));
    tick(&mut state, 1_039);
    assert!(!state.touched);
    tick(&mut state, 1_040);
    assert!(state.touched);
    // After a key the list may be scrolled, and says so.
    press(&mut state, "g");
    update(&mut state, Message::Resize(80, 12));
    press(&mut state, "G");
    assert!(crate::app::overview::above(&state).ends_with(" above"), "{:?}", state.overview.list);
}

#[test]
fn what_rests_on_a_source_that_fell_silent_does_not_look_live_while_all_is_derived_anew() {
    // As the session does it: what is to be derived takes its time, and is not there yet.
    let slow = |state: &mut State, message: Message| super::super::update(state, message);
    let word = |state: &State| state.view.services[0].overall;
    let mut state = console();
    state.now = at(1_000);
    read(&mut state, 0, alertmanager(vec![]));
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    assert_eq!(word(&state).severity, Severity::Ok);
    assert!(state.overview_rows.iter().any(|row| matches!(row, OverviewRow::Empty(text) if text.starts_with("nothing needs you"))));
    // Two intervals and a second later nothing new has come. A key, or the clock, is all that happens.
    for message in [Message::Key("j".parse().unwrap()), Message::Tick, Message::Resize(100, 30)] {
        let mut state = state.clone();
        state.now = at(1_021);
        slow(&mut state, message.clone());
        assert_eq!(word(&state).severity, Severity::Ok, "still fresh");
        state.now = at(1_022);
        slow(&mut state, message);
        assert_eq!(word(&state).severity, Severity::Unknown);
        let stands = |text: &str| state.overview_rows.iter().any(|row| matches!(row, OverviewRow::Empty(told) if told.starts_with(text)));
        assert!(stands("nothing known needs you") && !stands("nothing needs you"));
        assert_eq!(slow(&mut state, Message::Tick), [Effect::Derive], "what changed is still to be told");
        let derived = Derivation::of(&state).carry_out();
        assert!(derived.changes.iter().any(|change| change.what == "am fresh -> stale"), "{:?}", derived.changes);
        let before = state.view.services.clone();
        slow(&mut state, Message::Derived(Box::new(derived)));
        assert_eq!((before, state.aged.len()), (state.view.services.clone(), 0), "it was judged as it is then derived");
    }
    // What is bad stays bad, and is marked as old.
    read(&mut state, 0, alertmanager(vec![critical("Down", 900)]));
    assert_eq!((word(&state).severity, word(&state).stale, state.view.needs[0].stale), (Severity::Critical, false, false));
    state.now = at(1_022);
    slow(&mut state, Message::Tick);
    assert_eq!((word(&state).severity, word(&state).stale, state.view.needs[0].stale), (Severity::Critical, true, true));
    let aged = state.view.clone();
    update(&mut state, Message::Tick);
    assert_eq!(state.view.services, aged.services);
    // It answers again: the mark is gone with the next derivation.
    read(&mut state, 0, alertmanager(vec![critical("Down", 900)]));
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    assert!(!word(&state).stale && state.aged.is_empty());
}
