//! The console as hands and sources drive it, over the real default keymap.

mod attention;
mod contexts;
mod deeds;
mod deployments;
mod hands;
mod linear;
mod logs;
mod nav;
mod processes;
mod runs;
mod says;
mod silence;
mod themes;
mod timeline;
mod verify;
mod window;
mod wizard;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::app::action::{ACTIONS, Action, Danger};
use crate::app::derive::Derivation;
use crate::app::effect::Effect;
use crate::app::key::{Chord, Code, Key};
use crate::app::keymap::{Keymap, may_run};
use crate::app::layer::{Layer, Pane, Scope, Spot};
use crate::app::message::Message;
use crate::app::pane::{self, next_wake};
use crate::app::state::{AlertRow, Identity, Look, OverviewRow, State};
use crate::app::timeline::Merging;
use crate::model::alert::tests::alert;
use crate::model::alert::{Alert, AlertState};
use crate::model::estate::{Estate, Service, Severity, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Plot, Sample};
use crate::model::panel::{Ask, Panel, Rule, Unit, When};
use crate::model::preferences::{Binding, Theme, ZoneChoice};
use crate::model::problem::Place;
use crate::model::reading::{FailureKind, Held, Outcome};
use crate::model::source::{AlertmanagerAnswer, Answer, DeadMan, Group, PrometheusAnswer};

/// As the session does it, but at once.
fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = super::update(state, message);
    while let Some(place) = effects.iter().position(|effect| matches!(effect, Effect::Derive | Effect::Merge)) {
        let message = match effects.remove(place) {
            Effect::Derive => Message::Derived(Box::new(Derivation::of(state).carry_out())),
            _ => Message::Merged(Box::new(Merging::of(state).carry_out())),
        };
        effects.extend(super::update(state, message));
    }
    effects
}

fn default_bindings() -> Vec<Binding> {
    bindings(include_str!("../../../keymaps/default.toml"))
}

fn bindings(text: &str) -> Vec<Binding> {
    let table: toml::Table = text.parse().unwrap();
    let text = |row: &toml::Value, key: &str| row.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let mut bindings = Vec::new();
    for (layer, rows) in &table {
        for row in rows.as_array().unwrap() {
            bindings.push(Binding {
                layer: layer.clone(),
                on: text(row, "on").unwrap(),
                run: text(row, "run").unwrap(),
                desc: text(row, "desc"),
                place: Place::of("default.toml", "", 0),
            });
        }
    }
    bindings
}

/// The plain keymap as `config::keymap::base` lays it over the default one.
fn plain_bindings() -> Vec<Binding> {
    let own = bindings(include_str!("../../../keymaps/plain.toml"));
    let named = |d: &Binding| own.iter().any(|o| o.layer == d.layer && o.on == d.on);
    let kept: Vec<Binding> = default_bindings().into_iter().filter(|d| !named(d)).collect();
    own.into_iter().filter(|o| o.run != "none").chain(kept).collect()
}

/// All keymaps that are built in, by name.
fn built_in() -> [(&'static str, Vec<Binding>); 2] {
    [("default", default_bindings()), ("plain", plain_bindings())]
}

fn keymap() -> Keymap {
    Keymap::compile(&default_bindings(), &[]).unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
}

/// Two sources (`am`, `prom`), a service `web`, three panels; 80x24; nothing read yet.
fn console() -> State {
    let every = SignedDuration::from_secs(10);
    let source = |name: &str, kind| Source { name: name.into(), every, timeout: every, http_config: None, service: None, site: None, kind };
    let panel = |name: &str| Panel {
        name: name.into(),
        service: Some("web".into()),
        source: "prom".into(),
        site: None,
        ask: Ask::Promql("up".into()),
        unit: Unit::Count,
        warn: None,
        critical: None,
    };
    let estate = Estate {
        path: "e.toml".into(),
        name: "shop".into(),
        environment: "production".into(),
        zone: None,
        note: None,
        sites: vec![],
        services: vec![Service {
            name: "web".into(),
            sites: vec![],
            depends_on: vec![],
            hosts: vec![],
            labels: Labels::new([("job", "web")]),
            runbook: None,
            start: None,
            stop: None,
            restart: None,
            health: None,
            rollback: Default::default(),
            logs: None,
        }],
        sources: vec![
            source("am", SourceKind::Alertmanager { urls: vec![], dead_man: Some(Labels::new([("alertname", "Watchdog")])) }),
            source("prom", SourceKind::Prometheus { url: String::new() }),
        ],
        panels: vec![panel("errors"), panel("latency"), panel("traffic")],
        rules: vec![],
        objectives: vec![],
        hosts: vec![],
        calendar: Default::default(),
    };
    let theme = |name: &str| Theme { name: name.into(), ground: Default::default(), styles: Default::default() };
    let look = Look {
        themes: vec![theme("a"), theme("b")],
        theme: 0,
        offers: Default::default(),
        ascii: false,
        zone: ZoneChoice::Utc,
        local: TimeZone::UTC,
    };
    State::new(Arc::new(estate), Identity::default(), look, Arc::new(keymap()), at(1_000), (80, 24))
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.split(' ').flat_map(|key| update(state, Message::Key(key.parse().unwrap()))).collect()
}

fn write(state: &mut State, text: &str) {
    for c in text.chars() {
        assert!(update(state, Message::Key(Key::char(c))).is_empty());
    }
}

fn read(state: &mut State, source: usize, value: Answer) {
    let outcome = Outcome::Value { value, as_of: state.now };
    update(state, Message::Read { source, outcome, next_try: state.now + SignedDuration::from_secs(10) });
}

fn alertmanager(alerts: Vec<Arc<Alert>>) -> Answer {
    Answer::Alertmanager(Arc::new(AlertmanagerAnswer { alerts, ..Default::default() }))
}

fn firing(name: &str, secs: i64) -> Arc<Alert> {
    alert(&[("alertname", name), ("job", "web")], AlertState::Firing, secs)
}

fn fail(state: &mut State, source: usize) {
    let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what: "no route".into(), at: state.now };
    update(state, Message::Read { source, outcome, next_try: state.now + SignedDuration::from_millis(5_300) });
}

fn selected(state: &State) -> String {
    state.alerts.list.selected.as_ref().map_or_else(String::new, |id| id.0.to_string())
}

// The keymap.

#[test]
fn the_ten_keys_that_hands_know() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("A", 30), firing("B", 20), firing("C", 10)]));
    assert!(press(&mut state, "2").is_empty());
    assert_eq!(state.pane, Pane::Alerts);
    press(&mut state, "j");
    assert!(selected(&state).contains("alertname=B"));
    press(&mut state, "k");
    assert!(selected(&state).contains("alertname=A"));
    press(&mut state, "G");
    assert!(selected(&state).contains("alertname=C"));
    press(&mut state, "g enter");
    assert!(matches!(&state.layers[..], [Layer::Alert { alert, .. }] if alert.name() == "A"));
    press(&mut state, "esc");
    assert!(state.layers.is_empty());
    press(&mut state, "?");
    assert_eq!(state.scope(), Scope::Search);
    assert!(press(&mut state, "q").is_empty(), "q closes the view first");
    press(&mut state, "/");
    assert_eq!(state.scope(), Scope::Input);
    press(&mut state, "esc :");
    assert_eq!(state.scope(), Scope::Palette);
    press(&mut state, "esc esc esc esc");
    assert_eq!(press(&mut state, "q"), [Effect::Quit(0)], "and on a pane it quits; esc never did");
    assert_eq!(press(&mut state, "ctrl-c"), [Effect::Quit(130)]);
}

#[test]
fn every_action_of_every_footer_has_a_key() {
    for (keymap, bindings) in built_in() {
        let compiled = Keymap::compile(&bindings, &[]).unwrap();
        for (scope, name) in Scope::ALL {
            for action in scope.footer() {
                assert!(compiled.key_for(scope, *action).is_some(), "{keymap}: {action:?} in [{name}]");
            }
        }
    }
}

#[test]
fn every_binding_is_on_the_help_of_its_layer() {
    for (keymap, bindings) in built_in() {
        let compiled = Keymap::compile(&bindings, &[]).unwrap();
        for binding in bindings {
            let scope = Scope::named(&binding.layer).unwrap();
            let action = Action::named(&binding.run).unwrap();
            let key: Chord = binding.on.parse().unwrap();
            let told = |(keys, a, doc): &(Vec<Chord>, Action, String)| *a == action && keys.contains(&key) && !doc.is_empty();
            assert!(compiled.all(scope).iter().any(told), "{keymap}: {binding:?}");
        }
    }
}

#[test]
fn no_bare_key_changes_production() {
    for c in ('a'..='z').chain('0'..='9') {
        assert!(!may_run(Key::char(c), Danger::Production));
    }
    for (keymap, bindings) in built_in() {
        for binding in bindings {
            let danger = Action::named(&binding.run).unwrap().entry().danger;
            assert!(may_run(binding.on.parse().unwrap(), danger), "{keymap}: {binding:?}");
        }
    }
}

#[test]
fn the_plain_keymap_reaches_all_that_the_default_one_does() {
    let [default, plain] = built_in().map(|(_, bindings)| Keymap::compile(&bindings, &[]).unwrap());
    for (scope, name) in Scope::ALL {
        let reached: Vec<Action> = plain.all(scope).into_iter().map(|(_, action, _)| action).collect();
        for (_, action, _) in default.all(scope) {
            assert!(reached.contains(&action), "keymaps/plain.toml takes the last key of {action:?} in [{name}] away");
        }
    }
}

#[test]
fn in_the_plain_keymap_no_letter_of_vi_or_emacs_moves() {
    use Action::*;
    let moves = [Down, Up, Left, Right, Top, Bottom, HalfDown, HalfUp, PageDown, PageUp];
    let learnt = ["h", "j", "k", "l", "g", "G", "ctrl-d", "ctrl-u", "ctrl-f", "ctrl-b", "ctrl-n", "ctrl-p"];
    for binding in plain_bindings() {
        let taken = !learnt.contains(&binding.on.as_str()) || !moves.contains(&Action::named(&binding.run).unwrap());
        assert!(taken, "add {{ on = \"{}\", run = \"none\" }} to {} of keymaps/plain.toml", binding.on, binding.layer);
    }
    let mut state = console();
    state.keymap = Arc::new(Keymap::compile(&plain_bindings(), &[]).unwrap());
    read(&mut state, 0, alertmanager(vec![firing("A", 30), firing("B", 20), firing("C", 10)]));
    press(&mut state, "2 j down");
    assert!(selected(&state).contains("alertname=B"));
    press(&mut state, "end f3");
    assert!(selected(&state).contains("alertname=C"));
    assert_eq!(state.scope(), Scope::Input);
    press(&mut state, "esc f1");
    assert_eq!(state.scope(), Scope::Search);
    assert!(press(&mut state, "f10").is_empty());
    assert_eq!(press(&mut state, "f10"), [Effect::Quit(0)]);
}

#[test]
fn any_key_of_any_scope_does_its_work_without_leaving_the_console_unasked() {
    for entry in ACTIONS {
        for layer in [
            None,
            Some(Layer::Filter),
            Some(Layer::Help { scroll: 0, search: Default::default() }),
            Some(Layer::Source { index: 0, spot: Spot::default() }),
        ] {
            let mut state = console();
            state.layers.extend(layer);
            let effects = super::keys::run(&mut state, entry.action);
            let quits = effects.iter().any(|e| matches!(e, Effect::Quit(_)));
            assert!(!quits || matches!(entry.action, Action::Quit | Action::Interrupt | Action::Close), "{}", entry.name);
        }
    }
}

// Typing.

#[test]
fn typed_text_is_never_a_command() {
    let mut state = console();
    press(&mut state, "2 /");
    write(&mut state, "q 1:?pzj");
    assert_eq!((state.alerts.typed.as_str(), state.pane, state.layers.len()), ("q 1:?pzj", Pane::Alerts, 1));
    press(&mut state, "ctrl-w backspace backspace");
    assert_eq!(state.alerts.typed, "", "a word, the space, a letter");
    press(&mut state, "esc :");
    write(&mut state, "q");
    assert!(matches!(state.layers.last(), Some(Layer::Palette(p)) if p.typed == "q"));
    assert!(state.frozen.is_none());
}

#[test]
fn a_paste_goes_into_typed_text_and_nowhere_else() {
    let mut state = console();
    let before = state.clone();
    assert!(update(&mut state, Message::Paste("q\n2jq".into())).is_empty());
    assert_eq!(state, before);
    press(&mut state, "/");
    update(&mut state, Message::Paste("we\x1b[31mb\r\n".into()));
    assert_eq!(state.overview.typed, "we[31mb");
    assert_eq!(state.layers.len(), 1, "the line break did not take it");
}

#[test]
fn a_filter_works_while_it_is_typed_and_esc_brings_the_former_one_back() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("Apple", 30), firing("Berry", 20)]));
    press(&mut state, "2 /");
    write(&mut state, "apple");
    assert_eq!(state.alert_rows.len(), 1);
    press(&mut state, "enter /");
    write(&mut state, " name:(");
    assert!(state.alerts.error.is_some());
    assert_eq!(state.alerts.filter.text, "apple name", "the last that was one");
    press(&mut state, "enter");
    assert_eq!(state.scope(), Scope::Input, "what is no filter is not taken");
    press(&mut state, "esc");
    assert_eq!((state.alerts.filter.text.as_str(), state.alert_rows.len()), ("apple", 1));
    press(&mut state, "esc");
    assert_eq!(state.alert_rows.len(), 2, "esc on the pane clears it");
    press(&mut state, "/");
    write(&mut state, "sevrity:x");
    assert!(state.alerts.error.as_deref().is_some_and(|told| told.contains("name, state, severity")), "{:?}", state.alerts.error);
}

proptest! {
    #[test]
    fn no_keys_and_no_text_break_the_console(
        keys in prop::collection::vec(prop_oneof![
            prop::char::range('!', '~').prop_map(Key::char),
            prop::sample::select(vec![Code::Enter, Code::Esc, Code::Tab, Code::Up, Code::Down, Code::Left, Code::Right, Code::Backspace, Code::PageDown, Code::End]).prop_map(Key::plain),
        ], 0..60),
        paste in ".{0,20}", size in (0u16..300, 0u16..100),
    ) {
        let mut state = console();
        read(&mut state, 0, alertmanager(vec![firing("A", 30), firing("B", 20)]));
        for key in keys {
            update(&mut state, Message::Key(key));
        }
        update(&mut state, Message::Paste(paste));
        update(&mut state, Message::Resize(size.0, size.1));
        update(&mut state, Message::Tick);
        prop_assert!(next_wake(&state) > state.now);
    }
}

// Data.

#[test]
fn the_cursor_stays_on_its_alert_while_others_come_and_go() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("A", 30), firing("B", 20), firing("C", 10)]));
    press(&mut state, "2 j");
    let chosen = selected(&state);
    for poll in 0..5 {
        state.now = at(1_010 + poll);
        read(&mut state, 0, alertmanager(vec![firing("New", 100 + poll), firing("A", 30), firing("B", 20), firing("C", 10)]));
        assert_eq!(selected(&state), chosen);
        assert!(matches!(state.alert_rows[state.alerts.list.row], AlertRow::Alert(i) if *state.view.alerts[i].id.0 == *chosen));
    }
    read(&mut state, 0, alertmanager(vec![firing("A", 30), firing("C", 10)]));
    assert!(selected(&state).contains("alertname=C"), "its neighbour when it has ended");
}

#[test]
fn until_the_first_key_the_cursor_is_on_the_first_row_and_afterwards_it_stays() {
    let mut state = console();
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    read(&mut state, 0, alertmanager(vec![firing("A", 30)]));
    assert!(matches!(state.overview_rows[state.overview.list.row], OverviewRow::Need(0)));
    read(&mut state, 0, alertmanager(vec![firing("New", 90), firing("A", 30)]));
    assert!(matches!(state.overview_rows[state.overview.list.row], OverviewRow::Need(0)), "the worst, nobody chose another");
    press(&mut state, "z");
    let chosen = state.overview.list.selected.clone();
    read(&mut state, 0, alertmanager(vec![firing("Newer", 120), firing("New", 90), firing("A", 30)]));
    assert!(chosen.is_some() && state.overview.list.selected == chosen, "a later need does not take the cursor");
    // A cursor that was moved is left alone by first answers too.
    let mut moved = console();
    press(&mut moved, "j");
    let chosen = moved.overview.list.selected.clone();
    read(&mut moved, 0, alertmanager(vec![firing("A", 30)]));
    assert_eq!(moved.overview.list.selected, chosen);
}

#[test]
fn a_need_keeps_its_selection_when_alerts_join_it() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("A", 20), firing("B", 30)]));
    press(&mut state, "j");
    let chosen = state.overview.list.selected.clone();
    let more = alert(&[("alertname", "B"), ("job", "api")], AlertState::Firing, 90);
    read(&mut state, 0, alertmanager(vec![more, firing("A", 20), firing("B", 30)]));
    assert_eq!(state.overview.list.selected, chosen);
    press(&mut state, "enter");
    assert_eq!((state.pane, state.alerts.filter.text.as_str(), state.alert_rows.len()), (Pane::Alerts, "alertname=\"B\"", 2));
}

#[test]
fn ten_thousand_alerts_are_counted_filtered_and_walked() {
    let storm: Vec<Arc<Alert>> =
        (0..10_000).map(|i| alert(&[("alertname", "Down"), ("i", &format!("{i:05}"))], AlertState::Firing, i)).collect();
    let mut state = console();
    read(&mut state, 0, alertmanager(storm[..9_000].to_vec()));
    assert_eq!((state.counts(), state.changes.len()), ([0, 9_000, 0, 0], 0), "the first answer is no change");
    read(&mut state, 0, alertmanager(storm));
    assert_eq!(state.changes.len(), 1);
    assert!(state.changes[0].what.contains("x1000"));
    press(&mut state, "2 G");
    assert!(selected(&state).contains("i=00000"));
    press(&mut state, "/");
    write(&mut state, "i=~\"0999.\"");
    assert_eq!(state.alert_rows.len(), 10);
}

#[test]
fn a_frozen_view_stands_still_while_readings_come_in() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("A", 30)]));
    press(&mut state, "2 p");
    state.now = at(1_005);
    read(&mut state, 0, alertmanager(vec![firing("B", 40)]));
    assert_eq!((state.shown().alerts[0].name(), state.view.alerts[0].name()), ("A", "B"));
    assert!(selected(&state).contains("alertname=A"));
    assert!(!state.overview_rows.iter().any(|row| matches!(row, OverviewRow::Change(_))), "nor does what changed since");
    press(&mut state, "p");
    assert!(selected(&state).contains("alertname=B"));
    assert_eq!(state.overview_rows.iter().filter(|row| matches!(row, OverviewRow::Change(_))).count(), 2);
}

#[test]
fn quiet_is_said_only_where_every_source_is_fresh() {
    let empty = |state: &State| state.overview_rows.iter().find_map(|r| if let OverviewRow::Empty(text) = r { Some(*text) } else { None });
    let mut state = console();
    assert!(empty(&state).is_some_and(|text| text.contains("nothing is known")));
    read(&mut state, 0, alertmanager(vec![]));
    assert!(empty(&state).is_some_and(|text| text.contains("not every source")));
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    assert!(empty(&state).is_some_and(|text| text.contains("all sources answer")));
    state.now = at(1_060);
    update(&mut state, Message::Tick);
    assert!(state.overview_rows.iter().any(|row| matches!(row, OverviewRow::Need(_))), "stale sources are told");
    assert_eq!(state.changes[0].what, "am fresh -> stale");
    assert_eq!(state.changes.len(), 2);
}

#[test]
fn a_source_that_fails_is_a_change_once_and_counts_down_on_the_screen() {
    let mut state = console();
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    assert!(state.changes.is_empty(), "an answer after the start is no news");
    update(&mut state, Message::Polling(0));
    assert!(state.polling[0]);
    fail(&mut state, 0);
    fail(&mut state, 0);
    assert_eq!((state.polling[0], state.changes.len()), (false, 1));
    assert_eq!(state.changes[0].what, "am never -> unreachable: no route");
    assert_eq!(next_wake(&state), state.now + SignedDuration::from_millis(300));
    press(&mut state, "2");
    assert_eq!(next_wake(&state), at(1_020), "the minute; no countdown is shown here");
    state.now = at(1_019);
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    state.now = at(1_020);
    assert_eq!(next_wake(&state), at(1_019 + 21) + SignedDuration::from_millis(1), "when it goes stale");
}

#[test]
fn a_finding_goes_on_from_poll_to_poll_and_is_a_change_when_it_fires_and_ends() {
    let mut state = console();
    let rule = Rule {
        name: "too many".into(),
        panel: "errors".into(),
        when: When::Above(1.0),
        holds: SignedDuration::from_secs(15),
        severity: Severity::Critical,
    };
    Arc::make_mut(&mut state.estate).rules.push(rule);
    let answer = |value: f64| {
        let panel = PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], ..Default::default() };
        Answer::Prometheus(Arc::new(PrometheusAnswer { panels: [("errors".to_owned(), panel)].into(), ..Default::default() }))
    };
    read(&mut state, 1, answer(0.0));
    for (secs, value) in [(1_010, 2.0), (1_020, 2.0), (1_030, 3.0)] {
        state.now = at(secs);
        read(&mut state, 1, answer(value));
    }
    assert_eq!((state.view.alerts.len(), state.view.alerts[0].starts_at, state.counts()[0]), (1, at(1_010), 1));
    state.now = at(1_040);
    fail(&mut state, 1);
    assert_eq!(state.view.alerts.len(), 2, "it stays beside what is found of its source");
    state.now = at(1_050);
    read(&mut state, 1, answer(0.0));
    assert!(state.view.alerts.is_empty());
    let changes: Vec<&str> = state.changes.iter().map(|c| c.what.as_str()).collect();
    let told = [
        "too many ended",
        "prom unreachable -> fresh",
        "prom fresh -> unreachable: no route",
        "too many pending -> firing",
        "too many pending",
    ];
    let mut found = changes.clone();
    found.sort_unstable();
    let mut wanted = told.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "each once, and the source's state not twice: {changes:?}");
}

#[test]
fn the_cache_fills_only_what_was_not_read_and_is_never_fresh() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("Now", 30)]));
    let held = |value| Some(Held { value, as_of: at(500), cached: false });
    update(&mut state, Message::Cached(vec![held(alertmanager(vec![firing("Old", 1)])), held(Answer::Prometheus(Arc::default()))]));
    assert_eq!(state.view.alerts[0].name(), "Now");
    assert!(state.readings[1].held.as_ref().is_some_and(|held| held.cached));
    assert_eq!(state.readings[1].fresh(state.now), None);
}

#[test]
fn nobody_is_notified_is_told_only_where_every_alertmanager_was_heard() {
    let mut state = console();
    let mut at_prometheus = firing("Down", 1);
    Arc::make_mut(&mut at_prometheus).state = AlertState::Undelivered;
    read(&mut state, 1, Answer::Prometheus(Arc::new(PrometheusAnswer { alerts: vec![at_prometheus], ..Default::default() })));
    assert_eq!(state.view.alerts[0].state, AlertState::Firing, "Alertmanager was not heard yet");
    read(&mut state, 0, alertmanager(vec![]));
    assert_eq!(state.view.alerts[0].state, AlertState::Undelivered);
    fail(&mut state, 0);
    let down = state.view.alerts.iter().find(|a| a.name() == "Down").unwrap();
    assert_eq!(down.state, AlertState::Firing, "it may have come there meanwhile");
}

#[test]
fn an_alert_that_reaches_alertmanager_is_one_change() {
    let mut state = console();
    let mut pending = alert(&[("alertname", "Down"), ("job", "web")], AlertState::Pending, 5);
    let known = Arc::make_mut(&mut pending);
    (known.id, known.source) = (crate::model::alert::AlertId("prom/x".into()), "prom".into());
    let prometheus = |alerts: Vec<Arc<Alert>>| Answer::Prometheus(Arc::new(PrometheusAnswer { alerts, ..Default::default() }));
    read(&mut state, 0, alertmanager(vec![]));
    read(&mut state, 1, prometheus(vec![pending.clone()]));
    press(&mut state, "2 enter");
    read(&mut state, 0, alertmanager(vec![alert(&[("alertname", "Down"), ("job", "web"), ("cluster", "c")], AlertState::Firing, 5)]));
    assert_eq!(state.changes.iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["Down pending -> firing"]);
    // Nor has the one that was open, or that an older change tells of, ended.
    let open = |state: &State| matches!(&state.layers[..], [Layer::Alert { alert, .. }] if alert.state == AlertState::Firing);
    assert!(open(&state));
    press(&mut state, "esc");
    let told = state.changes[0].clone();
    state.changes.push_front(crate::model::change::Change { alert: Some(pending), what: "Down pending".into(), ..told });
    pane::refresh(&mut state);
    press(&mut state, "1 G k k k enter");
    assert!(open(&state));
}

#[test]
fn muted_alerts_hide_the_dead_mans_switch_stays_and_groups_list_each_alert_once() {
    let mut state = console();
    let quiet = alert(&[("alertname", "Quiet")], AlertState::Silenced, 5);
    let switch = alert(&[("alertname", "Watchdog")], AlertState::Silenced, 5);
    let loud = firing("Loud", 9);
    let group =
        |receiver: &str| Group { labels: Labels::new([("job", "web")]), receiver: receiver.into(), alerts: vec![loud.fingerprint.clone()] };
    let answer = AlertmanagerAnswer {
        alerts: vec![loud.clone(), quiet, switch],
        groups: vec![group("ops"), group("chat")],
        dead_man: Some(DeadMan { labels: Labels::new([("alertname", "Watchdog")]), firing: true }),
        ..Default::default()
    };
    read(&mut state, 0, Answer::Alertmanager(Arc::new(answer)));
    press(&mut state, "2");
    assert_eq!(state.alert_rows.len(), 3);
    assert_eq!(state.counts(), [0, 1, 0, 1], "the switch is none of them");
    press(&mut state, "m");
    assert_eq!(state.alert_rows.len(), 2);
    press(&mut state, "b");
    let heads: Vec<&str> =
        state.alert_rows.iter().filter_map(|r| if let AlertRow::Group(text) = r { Some(text.as_str()) } else { None }).collect();
    assert_eq!(heads, ["job=web -> ops (1)", "job=web -> chat (1, 1 listed above)", "in no group of an Alertmanager (1)"]);
    let ids: Vec<_> = (0..state.alert_rows.len()).filter_map(|row| pane::alert_id(&state, row)).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn an_open_alert_follows_its_alert_and_outlives_it() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("A", 30)]));
    press(&mut state, "2 enter");
    read(&mut state, 0, alertmanager(vec![alert(&[("alertname", "A"), ("job", "web")], AlertState::Silenced, 30)]));
    assert!(matches!(&state.layers[..], [Layer::Alert { alert, .. }] if alert.state == AlertState::Silenced));
    read(&mut state, 0, alertmanager(vec![]));
    assert!(matches!(&state.layers[..], [Layer::Alert { alert, .. }] if alert.name() == "A"));
}

// Charts, palette, looks.

#[test]
fn ranges_and_widths_are_asked_for_and_the_cursor_is_a_moment() {
    let mut state = console();
    assert_eq!(state.demand.points, 64);
    let plot = Plot { start: at(0), step: 30, len: 4, series: vec![], dropped: 0, histograms: 0 };
    let answer = |plot: Plot| {
        let panels = [("errors".to_owned(), PanelAnswer { plot: Some(plot), ..Default::default() })].into();
        Answer::Prometheus(Arc::new(PrometheusAnswer { panels, ..Default::default() }))
    };
    read(&mut state, 1, answer(plot.clone()));
    let effects = press(&mut state, "3 enter");
    assert!(effects.iter().any(|e| matches!(e, Effect::Demand(demand) if demand.points == 136)), "{effects:?}");
    press(&mut state, "h");
    let cursor = |state: &State| if let Some(Layer::Chart { cursor, .. }) = state.layers.last() { *cursor } else { None };
    assert_eq!(cursor(&state), Some(at(60)));
    read(&mut state, 1, answer(Plot { start: at(30), ..plot }));
    assert_eq!(cursor(&state), Some(at(60)), "the plot moves on, the moment does not");
    press(&mut state, "l l l l");
    assert_eq!(cursor(&state), Some(at(120)));
    press(&mut state, "0");
    assert_eq!(cursor(&state), None);
    let range = |effects: Vec<Effect>| effects.iter().find_map(|e| if let Effect::Demand(d) = e { Some(d.range.as_mins()) } else { None });
    assert_eq!(range(press(&mut state, "+")), Some(180));
    assert_eq!(range(press(&mut state, "- - - -")), Some(60));
    assert_eq!(state.demand.range.as_mins(), 5);
    assert_eq!(range(press(&mut state, "-")), None, "nothing shorter, nothing asked");
    press(&mut state, "esc");
    assert!(update(&mut state, Message::Resize(119, 60)).iter().any(|e| matches!(e, Effect::Demand(d) if d.points == 102)));
    assert!(update(&mut state, Message::Resize(119, 50)).is_empty());
}

#[test]
fn the_grid_of_charts_is_walked_in_both_directions() {
    let mut state = console();
    press(&mut state, "3 l");
    assert_eq!(state.metrics.list.selected.as_deref(), Some("latency"));
    press(&mut state, "j");
    assert_eq!(state.metrics.list.selected.as_deref(), Some("latency"), "there is nothing below it");
    press(&mut state, "h j");
    assert_eq!(state.metrics.list.selected.as_deref(), Some("traffic"));
}

#[test]
fn the_palette_leads_anywhere() {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![firing("NodeDown", 30)]));
    for (typed, scope) in
        [("alert noded", Scope::Detail), ("panel lat", Scope::Chart), ("source prom", Scope::Detail), ("service web", Scope::Detail)]
    {
        press(&mut state, ":");
        write(&mut state, typed);
        press(&mut state, "enter");
        assert_eq!(state.scope(), scope, "{typed}");
    }
    press(&mut state, ":");
    write(&mut state, "pane metrics");
    press(&mut state, "enter");
    assert_eq!((state.pane, state.layers.len()), (Pane::Metrics, 0));
    press(&mut state, ":");
    write(&mut state, "freeze");
    press(&mut state, "enter");
    assert!(state.frozen.is_some());
    press(&mut state, ":");
    let Some(Layer::Palette(palette)) = state.layers.last() else { panic!("no palette") };
    assert!(palette.items.iter().any(|item| item.text.starts_with("freeze") && item.note == "p"));
    assert!(!palette.items.iter().any(|item| item.text.starts_with("muted")), "not here");
}

#[test]
fn looks_go_round_and_the_rest_is_asked_of_the_world() {
    let mut state = console();
    press(&mut state, "z");
    assert_eq!(state.look.zone, ZoneChoice::Local);
    press(&mut state, "z");
    assert_eq!(state.look.zone, ZoneChoice::Utc, "the estate names no zone");
    assert_eq!(press(&mut state, "r ctrl-l ctrl-z"), [Effect::Poll(None), Effect::Redraw, Effect::Suspend]);
    press(&mut state, "tab tab");
    assert_eq!(state.pane, Pane::Metrics);
    press(&mut state, "tab backtab backtab");
    assert_eq!(state.pane, Pane::Alerts);
}

// Wide screens, pages, changes.

/// A console with so many alerts of different names, on a screen of that size.
fn troubled(count: usize, size: (u16, u16)) -> State {
    let mut state = console();
    update(&mut state, Message::Resize(size.0, size.1));
    read(&mut state, 1, Answer::Prometheus(Arc::default()));
    read(&mut state, 0, alertmanager((0..count).map(|n| firing(&format!("A{n:02}"), n as i64)).collect()));
    state
}

fn on_screen(state: &State) -> bool {
    let [left, right] = crate::app::overview::columns(state);
    let (row, height) = (state.overview.list.row, state.body_height());
    let first = if left.contains(&row) { left.start + state.overview.list.offset } else { right.start + state.overview_right };
    (first..first + height).contains(&row)
}

#[test]
fn one_selection_runs_through_both_columns_and_the_arrows_jump_across() {
    let mut state = troubled(3, (160, 50));
    let [left, right] = crate::app::overview::columns(&state);
    assert!(!right.is_empty());
    let selectable = state.overview_rows.iter().filter(|row| crate::app::overview::selectable(row)).count();
    let mut seen = vec![state.overview.list.row];
    for _ in 1..selectable {
        press(&mut state, "j");
        seen.push(state.overview.list.row);
    }
    assert!(seen.is_sorted() && seen.iter().any(|row| left.contains(row)) && seen.iter().any(|row| right.contains(row)));
    seen.dedup();
    assert_eq!(seen.len(), selectable);
    press(&mut state, "g right");
    let (across, selected) = (state.overview.list.row, state.overview.list.selected.clone());
    assert!(right.contains(&across));
    press(&mut state, "right");
    assert_eq!(state.overview.list.row, across, "there is nothing to its right");
    press(&mut state, "h");
    assert!(left.contains(&state.overview.list.row));
    // A screen that becomes narrow keeps what is selected.
    press(&mut state, "g right");
    update(&mut state, Message::Resize(80, 24));
    assert_eq!(state.overview.list.selected, selected);
    assert!(on_screen(&state));
    press(&mut state, "h right");
    assert_eq!(state.overview.list.selected, selected, "one column has no other");
}

#[test]
fn the_selected_row_of_either_column_is_always_on_the_screen() {
    let mut state = troubled(60, (170, 20));
    read(&mut state, 0, alertmanager((0..90).map(|n| firing(&format!("B{n:02}"), n)).collect()));
    assert!(state.overview_rows.iter().filter(|row| matches!(row, OverviewRow::Change(_))).count() > 15);
    for keys in ["j", "l", "j", "ctrl-d", "h", "G", "k", "g", "pagedown", "l", "pageup"] {
        for _ in 0..9 {
            press(&mut state, keys);
            assert!(on_screen(&state), "{keys}");
        }
    }
}

#[test]
fn a_change_opens_its_alert_as_it_is_or_as_it_was() {
    let mut state = troubled(0, (160, 50));
    read(&mut state, 0, alertmanager(vec![firing("Down", 30)]));
    let last_change = |state: &mut State| {
        press(state, "G");
        while !matches!(state.overview_rows[state.overview.list.row], OverviewRow::Change(_)) {
            press(state, "k");
        }
        assert!(matches!(state.overview_rows[state.overview.list.row], OverviewRow::Change(_)));
    };
    last_change(&mut state);
    press(&mut state, "enter");
    assert!(matches!(&state.layers[..], [Layer::Alert { alert, .. }] if alert.name() == "Down"));
    press(&mut state, "esc");
    read(&mut state, 0, alertmanager(vec![]));
    press(&mut state, "g g right enter");
    let Some(layer @ Layer::Alert { alert, .. }) = state.layers.last() else { panic!("{:?}", state.layers) };
    assert_eq!((alert.name(), alert.state), ("Down", AlertState::Firing), "what it was");
    let (_, rows) = crate::app::page::lines(&state, layer, 160);
    assert!(rows.iter().any(|row| row.to_string().contains("has ended")));
    press(&mut state, "esc");
    fail(&mut state, 1);
    press(&mut state, "g l enter");
    assert!(matches!(&state.layers[..], [Layer::Source { index: 1, .. }]), "a source's change opens the source: {:?}", state.layers);
}

#[test]
fn details_lead_on_and_back_one_level_at_a_time() {
    let mut state = troubled(2, (80, 50));
    press(&mut state, ":");
    write(&mut state, "service web");
    press(&mut state, "enter");
    let spot = |state: &State| match state.layers.last() {
        Some(Layer::Service { spot, .. } | Layer::Source { spot, .. } | Layer::Alert { spot, .. }) => spot.selected.clone(),
        _ => None,
    };
    let mut kinds = vec![];
    for _ in 0..10 {
        kinds.extend(spot(&state).map(|goal| format!("{goal:?}").split('(').next().unwrap_or_default().to_owned()));
        press(&mut state, "j");
    }
    kinds.dedup();
    assert_eq!(kinds, ["Alert", "Panel", "Source"]);
    press(&mut state, "enter");
    assert!(matches!(&state.layers[..], [Layer::Service { .. }, Layer::Source { index: 1, .. }]));
    press(&mut state, "enter");
    assert_eq!((state.pane, state.layers.len(), state.alerts.filter.text.as_str()), (Pane::Alerts, 0, "source:\"^prom$\""));
    assert!(state.alert_rows.is_empty(), "that source told of none");
    press(&mut state, "esc");
    assert_eq!(state.pane, Pane::Overview, "back where the row was");
    assert!(matches!(&state.layers[..], [Layer::Service { .. }, Layer::Source { .. }]));
    assert_eq!(state.alerts.filter.text, "");
    press(&mut state, "esc g enter");
    assert!(matches!(&state.layers[..], [Layer::Service { .. }, Layer::Alert { .. }]));
    press(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Source { index: 0, .. })), "an alert leads to its source");
    press(&mut state, "esc esc esc");
    assert!(state.layers.is_empty());
}

#[test]
fn a_page_scrolls_to_its_last_line_and_not_past_it() {
    let mut state = console();
    for open in ["?", ": s o u r c e space a m enter"] {
        press(&mut state, "esc esc");
        press(&mut state, open);
        let scroll = |state: &State| match state.layers.last() {
            Some(Layer::Help { scroll, .. }) => *scroll,
            Some(Layer::Source { spot, .. }) => spot.scroll,
            other => panic!("{other:?}"),
        };
        let lines = crate::app::page::lines(&state, state.layers.last().unwrap(), 80).1.len();
        press(&mut state, "G pagedown j j j");
        assert_eq!(scroll(&state), lines.saturating_sub(state.body_height()));
        let end = scroll(&state);
        press(&mut state, "k k k k k k");
        assert!(end == 0 || scroll(&state) < end, "one way back, not three");
        press(&mut state, "G");
        update(&mut state, Message::Resize(80, 60));
        assert_eq!(scroll(&state), lines.saturating_sub(state.body_height()), "a bigger screen leaves nothing empty");
        update(&mut state, Message::Resize(80, 24));
    }
}

#[test]
fn the_estates_note_is_two_lines_at_the_most_and_stands_on_top() {
    let mut state = console();
    let mut estate = (*state.estate).clone();
    estate.note = Some("Freeze until Monday: no deployments, no failover drills, no changes of the network. ".repeat(9));
    state.estate = Arc::new(estate);
    for width in [80, 160] {
        update(&mut state, Message::Resize(width, 24));
        let notes: Vec<&str> = state
            .overview_rows
            .iter()
            .filter_map(|row| if let OverviewRow::Note(text) = row { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(notes.len(), 2);
        assert!(notes[0].starts_with("Freeze") && notes[1].ends_with('…'), "{notes:?}");
        assert!(matches!(state.overview_rows[0], OverviewRow::Note(_)));
    }
}
