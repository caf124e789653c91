//! The Timeline pane under hands: what is known is there at once, the rest comes after it, and an older answer is passed over.

use super::*;
use crate::app::ask::{Ask, Past, Told};
use crate::app::timeline::{Merging, Window, around, event, is_open, merge_now, with_needed};
use crate::model::alert::Origin;
use crate::model::label::Labels;
use crate::model::source::{AlertmanagerAnswer, PrometheusAnswer};
use crate::model::timeline::{Event, Kind, Link};

fn asked(effects: &[Effect]) -> Option<(Timestamp, Timestamp)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ask(ask) => match **ask {
            Ask::Timeline(from, to) => Some((from, to)),
            #[allow(unreachable_patterns, reason = "other questions are others' matter")]
            _ => None,
        },
        _ => None,
    })
}

/// The console at `at(100_000)` with an alert that began so many seconds ago.
fn firing(ago: i64) -> State {
    let mut state = console();
    state.now = at(100_000);
    let alert = alert(&[("alertname", "Slow"), ("job", "web"), ("service", "web")], AlertState::Firing, 100_000 - ago);
    read(&mut state, 0, Answer::Alertmanager(Arc::new(AlertmanagerAnswer { alerts: vec![alert], ..Default::default() })));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    state
}

fn ended(secs: i64) -> Event {
    Event {
        at: at(secs),
        after: Some(at(secs - 15)),
        kind: Kind::AlertEnded,
        severity: Severity::Ok,
        what: "Gone".into(),
        service: None,
        via: vec!["prom".into()],
        link: Link::Alert(Labels::new([("alertname", "Gone"), ("job", "web"), ("service", "web")])),
    }
}

fn told(state: &mut State, (from, to): (Timestamp, Timestamp), events: Vec<Event>) {
    update(state, Message::Told(Box::new(Told::Timeline(from, to, Past { events, notes: vec![] }))));
}

#[test]
fn one_key_leads_from_an_alert_to_what_changed_near_it_at_once_and_the_rest_comes_after() {
    let mut state = firing(12_000);
    let effects = press(&mut state, "2 c");
    let asked = asked(&effects).expect("what is over is asked for");
    assert_eq!(asked, (at(88_000 + 1_800 - 7_200), at(88_000 + 1_800)), "two hours around its begin");
    assert_eq!((state.pane, state.timeline.rows.len()), (Pane::Timeline, 1), "what is known is there");
    let selected = event(&state, state.timeline.list.list.row).unwrap();
    assert_eq!((selected.kind, selected.at, state.timeline.cursor), (Kind::AlertBegan, at(88_000), Some(at(88_000))));
    assert!(state.demand.range >= SignedDuration::from_hours(5), "the charts reach back to it: {:?}", state.demand.range);
    told(&mut state, asked, vec![ended(86_000)]);
    assert_eq!(state.timeline.rows.len(), 2);
    let selected = event(&state, state.timeline.list.list.row).unwrap();
    assert_eq!(selected.at, at(88_000), "the selection stays with its event");
    press(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Alert { alert, .. }) if alert.name() == "Slow"));
    press(&mut state, "esc esc");
    assert_eq!((state.pane, state.alert_rows.len(), state.demand.range), (Pane::Alerts, 1, SignedDuration::from_hours(1)));
    press(&mut state, "1 c");
    assert_eq!(state.pane, Pane::Overview, "elsewhere the key means nothing");
}

#[test]
fn when_an_alert_of_a_prometheus_alone_began_is_not_known_until_its_past_is_read() {
    let mut state = console();
    state.now = at(100_000);
    let labels = Labels::new([("alertname", "Hot"), ("job", "web")]);
    let hot = Arc::new(Alert {
        origin: Origin::Prometheus,
        source: "prom".into(),
        ..(*alert(&[("alertname", "Hot"), ("job", "web")], AlertState::Undelivered, 98_000)).clone()
    });
    read(&mut state, 1, Answer::Prometheus(Arc::new(PrometheusAnswer { alerts: vec![hot], ..Default::default() })));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    let asked = asked(&press(&mut state, "t")).unwrap();
    let begins = |state: &State| {
        let all = (0..state.timeline.rows.len()).filter_map(|row| event(state, row)).filter(|event| event.kind == Kind::AlertBegan);
        all.map(|event| (event.at, is_open(state, event))).collect::<Vec<_>>()
    };
    assert_eq!(begins(&state), [(at(100_000), true)]);
    press(&mut state, "g");
    assert_eq!(state.timeline.cursor, Some(at(98_000)), "the earliest, which is known");
    let selected = state.timeline.list.list.selected.clone();
    state.now = at(100_060);
    crate::app::pane::refresh(&mut state);
    merge_now(&mut state);
    assert_eq!((begins(&state), state.timeline.list.list.selected.clone()), (vec![(at(100_060), true)], selected), "it stays the same row");
    let began = Event {
        at: at(98_915),
        after: Some(at(98_900)),
        kind: Kind::AlertBegan,
        severity: Severity::Warning,
        link: Link::Alert(labels),
        ..ended(0)
    };
    told(&mut state, asked, vec![began]);
    assert_eq!(begins(&state), [(at(98_915), false)]);
}

#[test]
fn an_answer_to_an_older_question_is_passed_over_and_each_window_is_asked_for_once() {
    let mut state = firing(600);
    let first = asked(&press(&mut state, "t")).unwrap();
    assert_eq!(first, (at(100_000 - 7_200), at(100_000)));
    assert_eq!(asked(&update(&mut state, Message::Tick)), None);
    let day = asked(&press(&mut state, "+")).unwrap();
    assert_eq!((day.0, state.timeline.window, state.demand.range), (at(100_000 - 86_400), Window::Day, SignedDuration::from_hours(24)));
    told(&mut state, first, vec![ended(99_000)]);
    assert!(state.timeline.waits(), "that was asked before");
    told(&mut state, day, vec![ended(99_000), ended(40_000)]);
    assert_eq!(state.timeline.rows.len(), 3);
    assert!(asked(&press(&mut state, "1 t")).is_some(), "whoever comes back asks anew");
    let half = asked(&press(&mut state, "-")).unwrap();
    assert_eq!(half, (at(100_000 - 1_800), at(100_000)));
    assert_eq!(asked(&press(&mut state, "-")), None, "there is no shorter one");
}

#[test]
fn a_service_or_all_the_filter_and_the_cursor_in_time() {
    let mut state = firing(600);
    press(&mut state, ":");
    update(&mut state, Message::Paste("timeline of web".into()));
    let question = asked(&press(&mut state, "enter")).unwrap();
    let other = Event { link: Link::Nothing, what: "of another".into(), ..ended(97_000) };
    told(&mut state, question, vec![ended(98_000), other]);
    assert_eq!((state.timeline.service.as_deref(), state.timeline.rows.len()), (Some("web"), 2));
    press(&mut state, "t");
    assert_eq!((state.timeline.service.as_deref(), state.timeline.rows.len()), (None, 3));
    press(&mut state, "/");
    update(&mut state, Message::Paste("kind:ended name:Gone".into()));
    press(&mut state, "enter");
    assert_eq!(state.timeline.rows.len(), 1);
    press(&mut state, "/ ctrl-u enter");
    press(&mut state, "t G h h");
    let cursor = state.timeline.cursor.unwrap();
    assert!(cursor < at(98_000) && cursor >= at(92_800), "{cursor}");
    press(&mut state, "0");
    assert_eq!((state.timeline.cursor, state.timeline.end), (None, None));
}

#[test]
fn points_made_one_after_another_are_one_row_until_they_are_filtered_for() {
    let mut state = firing(600);
    let question = asked(&press(&mut state, "t")).unwrap();
    let point = |n: i64| Event {
        kind: Kind::BackupMade,
        what: format!("store: point {n}"),
        after: None,
        service: Some("web".into()),
        link: Link::Source("store".into()),
        ..ended(98_000 + 60 * n)
    };
    told(&mut state, question, (0..10).map(point).chain([ended(97_000)]).collect());
    let shown = |state: &State| (state.timeline.rows.len(), state.timeline.passing.len());
    assert_eq!(shown(&state), (3, 12), "the alert, ten points, and what ended before them");
    // The cursor in the middle of them is on their row, and that is the one that stands for them.
    press(&mut state, "G h");
    while state.timeline.cursor.is_some_and(|at| at < self::at(98_200)) {
        press(&mut state, "l");
    }
    assert_eq!(event(&state, state.timeline.list.list.row).map(|event| event.at), Some(at(98_540)));
    assert_eq!(crate::app::timeline::oldest(&state, state.timeline.list.list.row), Some(at(98_000)));
    press(&mut state, "/");
    update(&mut state, Message::Paste("backup".into()));
    press(&mut state, "enter");
    assert_eq!(shown(&state), (10, 10), "each of them");
}

#[test]
fn what_a_console_sees_in_its_run_is_on_its_timeline() {
    let mut state = firing(600);
    press(&mut state, "t");
    assert_eq!(state.timeline.rows.len(), 1);
    state.now = at(100_060);
    read(&mut state, 0, Answer::Alertmanager(Arc::new(AlertmanagerAnswer::default())));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    let kinds: Vec<_> = (0..state.timeline.rows.len()).filter_map(|row| event(&state, row)).map(|e| (e.kind, e.after, e.at)).collect();
    // Its begin was known from the first answer, which is how things stood and no change.
    assert_eq!(kinds, [(Kind::AlertEnded, Some(at(100_000)), at(100_060))]);
}

#[test]
fn a_service_comes_with_all_that_it_depends_on_and_a_circle_ends() {
    let mut estate = (*console().estate).clone();
    let like = estate.services[0].clone();
    estate.services = [("edge", vec!["web"]), ("web", vec!["store", "cache"]), ("store", vec!["edge"])]
        .map(|(name, needs)| {
            let depends_on = needs.into_iter().map(str::to_owned).collect();
            crate::model::estate::Service { name: name.to_owned(), depends_on, ..like.clone() }
        })
        .to_vec();
    assert_eq!(with_needed(&estate, "edge"), ["edge", "web", "store", "cache"]);
    assert_eq!(with_needed(&estate, "unknown"), ["unknown"]);
}

#[test]
fn the_charts_are_the_worst_of_a_service_and_of_what_it_depends_on() {
    let mut state = console();
    let estate = Arc::make_mut(&mut state.estate);
    let like = estate.services[0].clone();
    let service = |name: &str, needs: &[&str]| Service {
        name: name.to_owned(),
        depends_on: needs.iter().map(|name| (*name).to_owned()).collect(),
        ..like.clone()
    };
    estate.services = vec![service("web", &["db"]), service("db", &[]), service("other", &[])];
    for (panel, of) in estate.panels.iter_mut().zip(["web", "db", "other"]) {
        (panel.service, panel.critical) = (Some(of.to_owned()), Some(5.0));
    }
    let answer = |value: f64| {
        let plot = Plot { start: at(0), step: 30, len: 4, series: vec![], dropped: 0, histograms: 0 };
        PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], plot: Some(plot), ..Default::default() }
    };
    let shows = |state: &mut State, values: [f64; 3]| {
        let panels = ["errors", "latency", "traffic"].map(str::to_owned).into_iter().zip(values.map(answer)).collect();
        read(state, 1, Answer::Prometheus(Arc::new(PrometheusAnswer { panels, ..Default::default() })));
        state.timeline.service = Some("web".into());
        crate::app::timeline::panels(state).iter().map(|view| view.panel.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(shows(&mut state, [0.0, 0.0, 9.0]), ["errors"], "its own, and not one of a service that it does not need");
    assert_eq!(shows(&mut state, [0.0, 9.0, 9.0]), ["latency"], "what is critical below it");
    assert_eq!(shows(&mut state, [9.0, 9.0, 9.0]), ["errors"]);
}

#[test]
fn a_window_around_an_alert_has_at_least_as_much_before_it_as_after() {
    let state = firing(600);
    let end = |window| around(&state, at(50_000), window).unwrap();
    assert_eq!((end(Window::Half), end(Window::Hours)), (at(50_900), at(51_800)));
}

#[test]
fn what_a_run_did_leads_to_the_run_and_a_silence_to_the_list_of_them() {
    use crate::model::run::known::{KnownRun, Liveness, Runs};
    use crate::model::run::sample::{Log, plan, step};
    use crate::model::silence::{Silence, SilenceMatcher, SilenceState};
    let mut state = firing(600);
    let mut plan = plan(&["web1"], vec![step("web1/restart")]);
    (plan.deed, plan.from, plan.to) = (crate::model::plan::Deed::Restart, None, None);
    let log = Log::begun("web-restart", &plan);
    let known = log.state();
    state.now = known.begun_at.unwrap() + SignedDuration::from_secs(60);
    let silence = Silence {
        id: "2b614108".into(),
        state: SilenceState::Active,
        matchers: vec![SilenceMatcher::equal("job", "web"), SilenceMatcher::equal("service", "web")],
        starts_at: state.now - SignedDuration::from_secs(300),
        ends_at: state.now + SignedDuration::from_secs(300),
        created_by: "ann".into(),
        comment: "planned".into(),
        seen_by: vec![],
    };
    let answer = AlertmanagerAnswer { silences: vec![silence], ..Default::default() };
    let as_of = state.now;
    let outcome = Outcome::Value { value: Answer::Alertmanager(Arc::new(answer)), as_of };
    update(&mut state, Message::Read { source: 0, outcome, next_try: as_of + SignedDuration::from_secs(10) });
    let known = KnownRun {
        state: Arc::new(known),
        alive: Liveness::Live { heartbeat: as_of },
        live: vec![],
        entries: Arc::default(),
        left_out: 0,
        file: None,
        words: None,
    };
    update(&mut state, Message::Runs(Box::new(Runs::of(vec![Arc::new(known)], String::new(), None))));
    press(&mut state, "t");
    let kinds = |state: &State| state.timeline.rows.iter().map(|place| state.timeline.events[*place].kind).collect::<Vec<_>>();
    assert_eq!(kinds(&state), [Kind::AlertEnded, Kind::RunBegan, Kind::Muted]);
    press(&mut state, "g j enter");
    assert!(matches!(state.layers.last(), Some(Layer::Run { run, .. }) if run == "web-restart"), "{:?}", state.layers);
    press(&mut state, "esc j enter");
    assert_eq!(crate::app::silences::selected(&state).map(|of| of.silence.id.as_str()), Some("2b614108"));
    press(&mut state, "esc /");
    update(&mut state, Message::Paste("run:web-restart".into()));
    press(&mut state, "enter");
    assert_eq!(kinds(&state), [Kind::RunBegan]);
    // On a chart of the service each is a mark.
    let panel = state.estate.panels[0].clone();
    let begin = state.now - SignedDuration::from_secs(600);
    let plot = crate::model::metric::Plot { start: begin, step: 10, len: 61, series: vec![], dropped: 0, histograms: 0 };
    let marks = crate::app::timeline::acts_on_chart(&state, &panel, &plot);
    let marks: Vec<_> = marks.iter().map(|event| event.kind).collect();
    assert_eq!(marks, if panel.service.as_deref() == Some("web") { vec![Kind::RunBegan, Kind::Muted] } else { vec![] });
    assert_eq!(panel.service.as_deref(), Some("web"));
}

/// An alert of the Alertmanager for each number, the last of which began 60 seconds ago.
fn storm(count: i64) -> State {
    let mut state = console();
    state.now = at(100_000);
    let one = |n: i64| {
        let labels = [("alertname", "Slow"), ("job", "web"), ("instance", &*format!("web-{n}"))];
        alert(&labels, AlertState::Firing, 100_000 - 60 - n % 3_600)
    };
    read(&mut state, 0, Answer::Alertmanager(Arc::new(AlertmanagerAnswer { alerts: (0..count).map(one).collect(), ..Default::default() })));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    state
}

#[test]
fn no_key_and_no_answer_merges_what_happened_on_the_loop() {
    let merges = |effects: &[Effect]| effects.contains(&Effect::Merge);
    let on_the_loop = |state: &mut State, message| super::super::update(state, message);
    let press = |state: &mut State, key: &str| super::super::update(state, Message::Key(key.parse().unwrap()));
    let mut state = storm(300);
    assert!(merges(&press(&mut state, "t")), "it is wanted beside the loop");
    assert!(state.timeline.waits() && state.timeline.events.is_empty(), "and the key did none of it");
    let merged = Merging::of(&state).carry_out();
    let effects = on_the_loop(&mut state, Message::Merged(Box::new(merged)));
    assert_eq!((state.timeline.events.len(), merges(&effects)), (300, false), "what came of it is shown, and wants no more");
    // An answer wants it again, and shows meanwhile what was shown.
    let events = state.timeline.events.as_ptr();
    let derived = Derivation::of(&state).carry_out();
    assert!(merges(&on_the_loop(&mut state, Message::Derived(Box::new(derived)))));
    assert_eq!(state.timeline.events.as_ptr(), events);
    // So does another window. What was merged for the one before is passed over.
    let old = Merging::of(&state).carry_out();
    assert!(merges(&press(&mut state, "+")));
    assert_eq!(state.timeline.events.as_ptr(), events);
    on_the_loop(&mut state, Message::Merged(Box::new(old)));
    assert_eq!(state.timeline.events.as_ptr(), events, "those of another window");
    for key in ["j", "G", "g", "left", "right"] {
        assert!(!merges(&press(&mut state, key)), "{key} only moves");
    }
    // On other panes nothing is merged, but for the column that the widest Overview has.
    assert!(!merges(&press(&mut state, "2")));
    assert!(!merges(&press(&mut state, "1")));
    state.size = (80, 24);
    assert!(!merges(&press(&mut state, "j")));
    on_the_loop(&mut state, Message::Resize(200, 60));
    assert!(merges(&press(&mut state, "j")), "its events follow the selection");
}

#[test]
fn what_a_window_was_wanted_for_is_selected_once_it_is_merged_and_no_row_has_slid() {
    let mut state = firing(600);
    press(&mut state, "2");
    super::super::update(&mut state, Message::Key("c".parse().unwrap()));
    assert!(state.timeline.rows.is_empty());
    let merged = Merging::of(&state).carry_out();
    super::super::update(&mut state, Message::Merged(Box::new(merged)));
    let selected = event(&state, state.timeline.list.list.row).unwrap();
    assert_eq!((selected.kind, selected.at, state.slid), (Kind::AlertBegan, at(99_400), None));
}
