//! Finding one's way: back and forward through views, the menu of a row, the searched help, saved views, marks, and
//! keys that are two.

use super::*;
use crate::app::ask::{Ask as Question, Told};
use crate::app::history::VISITS_CAP;
use crate::app::marks::{MARKS_CAP, marked_rows};
use crate::app::menu::{Menu, ROW_ACTIONS};
use crate::app::views::{View, Views};
use crate::model::preferences::SavedView;
use crate::model::run::known::{KnownRun, Liveness, Runs};
use crate::model::run::sample::{Log, plan, step};
use crate::model::silence::fingerprint;

/// On the Alerts pane with three alerts.
fn three() -> State {
    let mut state = console();
    read(&mut state, 0, alertmanager(vec![fires("A", 30), fires("B", 20), fires("C", 10)]));
    press(&mut state, "2");
    state
}

/// As an Alertmanager tells of it, which can be asked to mute it.
fn fires(name: &str, secs: i64) -> Arc<Alert> {
    let mut alert = (*firing(name, secs)).clone();
    alert.fingerprint = fingerprint(&alert.labels).into();
    Arc::new(alert)
}

fn open_alert(state: &State) -> Option<&str> {
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => Some(alert.name()),
        _ => None,
    }
}

fn menu(state: &State) -> &Menu {
    match state.layers.last() {
        Some(Layer::Menu(menu)) => menu,
        other => panic!("{other:?}"),
    }
}

fn said(state: &State) -> &str {
    state.said.as_deref().unwrap_or("")
}

// Back and forward.

/// Whatever else a place has keys for: a hand that goes back there goes back everywhere.
#[test]
fn the_keys_of_back_and_forward_mean_nothing_else_anywhere_in_either_keymap() {
    for (name, bindings) in built_in() {
        let keymap = Keymap::compile(&bindings, &[]).unwrap();
        for (scope, place) in Scope::ALL {
            for (key, wanted) in [('[', Action::Earlier), (']', Action::Later)] {
                let wanted = scope.path().contains(&Scope::Global).then_some(wanted);
                assert_eq!(keymap.find(scope, Key::char(key)), wanted, "{name} [{place}] {key}");
            }
        }
    }
}

#[test]
fn a_chart_is_left_and_found_again_by_them() {
    let mut state = three();
    press(&mut state, "3 enter");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { .. })));
    press(&mut state, "[");
    assert_eq!((state.pane, state.layers.len(), state.chart.window), (Pane::Metrics, 0, None));
    press(&mut state, "]");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { .. })));
}

#[test]
fn a_chart_is_found_again_with_its_window_what_it_is_compared_with_and_what_lies_over_it() {
    let mut state = three();
    press(&mut state, "3 enter < <");
    let window = state.chart.window.expect("it is not live any more");
    press(&mut state, "v o l a t e n c y enter");
    let seat = |state: &State| (state.chart.window, state.chart.compare.word(), state.chart.over.clone());
    let left = (Some(window), "1d before", Some("latency".to_owned()));
    assert_eq!(seat(&state), left);
    press(&mut state, "2");
    assert_eq!(seat(&state), (None, "", None));
    let effects = press(&mut state, "[");
    assert_eq!(seat(&state), left);
    let windows: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Ask(ask) => match &**ask {
                Question::Chart { ask, .. } => Some(ask.window.to),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(windows.len(), 3, "itself, a day before, and what lies over it: {windows:?}");
    assert!(windows.contains(&window.to));
    // Another chart is its own; forward leads to the first as it was, and so does going up from a page on another pane.
    press(&mut state, "[");
    press(&mut state, "j enter");
    assert_eq!(seat(&state), (None, "", None));
    press(&mut state, "[ [ ]");
    assert!(state.layers.is_empty(), "the list of panels");
    press(&mut state, "k enter < t");
    assert_eq!((state.pane, state.layers.len()), (Pane::Timeline, 0));
    press(&mut state, "esc");
    assert!(state.chart.window.is_some() && matches!(state.layers.last(), Some(Layer::Chart { .. })));
}

#[test]
fn a_live_chart_is_found_again_as_long_as_it_was_and_a_typed_query_with_what_was_typed() {
    let mut state = three();
    press(&mut state, "3 enter -");
    let (range, before) = (state.demand.range, SignedDuration::from_hours(1));
    assert!(state.chart.window.is_none() && range < before);
    press(&mut state, "esc +");
    assert_eq!(state.demand.range, before);
    press(&mut state, "]");
    assert!(matches!(state.layers.last(), Some(Layer::Chart { .. })));
    assert_eq!(state.demand.range, range);
    let typed = |state: &State| state.chart.typed.as_ref().map(|panel| panel.ask.to_string());
    for query in ["up", "rate(x[5m])"] {
        press(&mut state, "e ctrl-u");
        update(&mut state, Message::Paste(query.into()));
        press(&mut state, "enter");
        assert_eq!(typed(&state).as_deref(), Some(query));
    }
    press(&mut state, "<");
    press(&mut state, "[");
    assert_eq!(typed(&state).as_deref(), Some("up"), "the query before it");
    press(&mut state, "]");
    assert_eq!((typed(&state).as_deref(), state.chart.window.is_some()), (Some("rate(x[5m])"), true));
}

#[test]
fn views_are_gone_through_back_and_forward_with_their_filter_and_row() {
    let mut state = three();
    press(&mut state, "/");
    write(&mut state, "name:[BC]");
    press(&mut state, "enter j enter 3");
    assert_eq!((state.pane, state.layers.len()), (Pane::Metrics, 0));
    press(&mut state, "[");
    assert_eq!((state.pane, open_alert(&state)), (Pane::Alerts, Some("C")));
    press(&mut state, "[");
    assert_eq!((state.pane, state.layers.len(), state.alerts.filter.text.as_str()), (Pane::Alerts, 0, "name:[BC]"));
    assert!(selected(&state).contains("alertname=C"), "{}", selected(&state));
    press(&mut state, "[");
    assert_eq!((state.alerts.filter.text.as_str(), state.alert_rows.len()), ("", 3), "from before the filter");
    press(&mut state, "[");
    assert_eq!(state.pane, Pane::Overview);
    press(&mut state, "[");
    assert_eq!((state.pane, said(&state)), (Pane::Overview, "there is no view before this one"));
    press(&mut state, "] ] ]");
    assert_eq!((open_alert(&state), said(&state)), (Some("C"), ""));
    press(&mut state, "] ]");
    assert_eq!((state.pane, said(&state)), (Pane::Metrics, "there is no view after this one"));
    press(&mut state, "[ 4");
    assert!(state.history.later.is_empty(), "another way was taken");
}

#[test]
fn looking_into_rows_in_turn_leaves_one_view_and_the_page_is_a_key_away() {
    let mut state = three();
    let views = state.history.earlier.len();
    press(&mut state, "enter esc j enter esc j enter esc");
    assert_eq!(state.history.earlier.len(), views, "up is back");
    press(&mut state, "]");
    assert_eq!(open_alert(&state), Some("C"));
    press(&mut state, "[");
    assert!(state.layers.is_empty() && selected(&state).contains("alertname=C"));
}

#[test]
fn what_was_left_half_typed_is_no_view() {
    let mut state = three();
    let views = state.history.earlier.len();
    press(&mut state, "/");
    write(&mut state, "A");
    press(&mut state, "esc : esc ? esc . esc");
    assert_eq!((state.history.earlier.len(), state.history.later.len()), (views, 0));
    press(&mut state, "/");
    write(&mut state, "A[");
    assert_eq!(state.alerts.typed, "A[", "typed text is never a command");
}

#[test]
fn history_is_bounded_in_both_directions() {
    let mut state = three();
    for _ in 0..VISITS_CAP {
        press(&mut state, "2 3 4");
    }
    assert_eq!(state.history.earlier.len(), VISITS_CAP);
    for _ in 0..VISITS_CAP * 2 {
        press(&mut state, "[");
    }
    assert_eq!((state.history.earlier.len(), state.history.later.len()), (0, VISITS_CAP));
}

#[test]
fn what_a_view_was_about_and_is_gone_is_said() {
    let mut state = three();
    press(&mut state, "j enter 3");
    read(&mut state, 0, alertmanager(vec![fires("A", 30), fires("C", 10)]));
    press(&mut state, "[");
    assert_eq!((open_alert(&state), said(&state)), (Some("B"), "the alert B has ended: this is what was last seen of it"));
    press(&mut state, "[");
    assert_eq!((state.pane, said(&state)), (Pane::Alerts, "the row that was selected here is gone"));
    press(&mut state, "k");
    assert_eq!(said(&state), "", "until the next key");
    // A run that the journal does not tell of any more.
    let log = Log::begun("web-1", &plan(&["web1"], vec![step("web1/switch")]));
    let known = KnownRun {
        state: Arc::new(log.state()),
        alive: Liveness::Orphaned,
        live: vec![],
        entries: Arc::default(),
        left_out: 0,
        file: None,
        words: None,
    };
    update(&mut state, Message::Runs(Box::new(Runs::of(vec![Arc::new(known)], "1 ab".into(), None))));
    press(&mut state, "7 enter 1");
    update(&mut state, Message::Runs(Box::new(Runs::of(vec![], "1 ab".into(), None))));
    press(&mut state, "[");
    assert_eq!((state.pane, state.layers.len()), (Pane::Operations, 0));
    assert!(said(&state).contains("does not tell of the run web-1"), "{}", said(&state));
}

#[test]
fn wizards_and_forms_are_never_entered_again_and_never_lost_by_it() {
    let mut state = three();
    press(&mut state, "enter R");
    assert!(matches!(state.layers.last(), Some(Layer::Wizard(_))), "{:?}", state.layers);
    press(&mut state, "[");
    assert!(matches!(state.layers.last(), Some(Layer::Wizard(_))), "no key of the wizard");
    // On what lies over it the key works, but must not throw the wizard away.
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    press(&mut state, "[");
    assert_eq!((state.layers.len(), said(&state)), (3, "something is being filled in here: close it first"));
    press(&mut state, "1 [");
    assert!(!state.layers.iter().any(Layer::is_form), "{:?}", state.layers);
    for visit in state.history.earlier.iter().chain(&state.history.later) {
        assert!(!visit.layers.iter().any(Layer::is_form));
    }
}

#[test]
fn one_level_up_is_what_it_was() {
    let mut state = three();
    press(&mut state, "enter t");
    assert_eq!(state.pane, Pane::Timeline);
    press(&mut state, "esc");
    assert_eq!((state.pane, open_alert(&state)), (Pane::Alerts, Some("A")), "to the row that led there");
    press(&mut state, "]");
    assert_eq!((state.pane, state.timeline.service.as_deref()), (Pane::Timeline, Some("web")));
    press(&mut state, "esc");
    assert_eq!(open_alert(&state), Some("A"), "from there too");
}

// The menu of a row.

#[test]
fn the_menu_lists_what_is_possible_and_why_the_rest_is_not() {
    let mut state = three();
    press(&mut state, ".");
    let of = menu(&state);
    let lines: Vec<(&str, bool)> = of.items.iter().map(|item| (item.action.entry().name, item.why.is_none())).collect();
    assert_eq!(
        lines,
        [
            ("open", true),
            ("near", true),
            ("timeline", true),
            ("logs", true),
            ("share", true),
            ("pick", true),
            ("muted", true),
            ("group", true),
            ("ack", true),
            ("extend", false),
            ("silence", true),
            ("expire", false),
            ("processes", false),
            ("rollback", false)
        ]
    );
    assert_eq!(of.items[9].why.as_deref(), Some("no silence mutes it"));
    assert_eq!(of.items[13].why.as_deref(), Some("the estate does not say how web goes back"));
    assert_eq!((of.selected, of.items[0].key.map(|key| key.to_string()).as_deref()), (0, Some("enter")));
    assert!(press(&mut state, "G enter").is_empty());
    assert_eq!((said(&state), state.layers.len()), ("roll back: not now, the estate does not say how web goes back", 1));
    press(&mut state, "esc");
    assert!(state.layers.is_empty(), "nothing was done");
}

#[test]
fn a_console_that_only_reads_offers_no_change() {
    let mut state = three();
    state.read_only = true;
    press(&mut state, ".");
    for item in &menu(&state).items {
        assert_eq!(item.why.is_none(), item.action.entry().danger < Danger::Production, "{item:?}");
    }
}

#[test]
fn a_line_does_what_its_key_does_and_confirms_nothing() {
    let mut state = three();
    press(&mut state, ". enter");
    assert_eq!(open_alert(&state), Some("A"));
    press(&mut state, "esc . j j j j j j j j enter");
    assert!(matches!(state.layers.last(), Some(Layer::Wizard(of)) if of.step == crate::app::wizard::Step::What), "{:?}", state.layers);
    press(&mut state, "esc");
    // The key of a line works in the menu too, and no other does.
    press(&mut state, ". 1 q . A");
    assert!(matches!(state.layers.last(), Some(Layer::Wizard(_))), "{:?}", state.layers);
}

#[test]
fn the_menu_does_nothing_with_another_row_than_its_own() {
    let mut state = three();
    press(&mut state, "j . j j j j");
    read(&mut state, 0, alertmanager(vec![fires("A", 30), fires("C", 10)]));
    press(&mut state, "enter");
    assert_eq!((state.layers.len(), said(&state)), (0, "the row of the menu is gone: nothing was done"));
}

#[test]
fn actions_of_rows_go_from_harmless_to_dangerous() {
    let dangers: Vec<Danger> = ROW_ACTIONS.iter().map(|action| action.entry().danger).collect();
    assert!(dangers.is_sorted(), "{dangers:?}");
    let mut state = console();
    for pane in ["1", "2", "3", "4", "5", "6", "7", "t"] {
        press(&mut state, pane);
        press(&mut state, ". esc");
    }
}

// Help.

#[test]
fn help_is_searched_by_words_and_keys() {
    let mut state = three();
    press(&mut state, "?");
    let lines = |state: &State| {
        let (title, rows) = crate::app::page::lines(state, state.layers.last().unwrap(), 80);
        (title, rows.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let (_, all) = lines(&state);
    let place = |what: &str| all.iter().position(|line| line == what).unwrap();
    assert!(place("HERE") < place("IN EVERY LIST") && place("IN EVERY LIST") < place("EVERYWHERE"));
    press(&mut state, "/");
    write(&mut state, "mute label");
    let (title, found) = lines(&state);
    assert!(title.contains("/mute label  1 of"), "{title}");
    assert!(found.len() < all.len() && found[1].contains("silence"), "{found:?}");
    // Enter ends the typing and does nothing else; then Esc shows all again, and the next one leaves.
    assert!(press(&mut state, "enter enter").is_empty());
    assert_eq!((state.layers.len(), lines(&state).1.len()), (1, found.len()));
    press(&mut state, "esc");
    assert_eq!(lines(&state).1, all);
    press(&mut state, "esc");
    assert!(state.layers.is_empty());
    press(&mut state, "? / S");
    assert!(lines(&state).1.iter().any(|line| line.starts_with("  S ")));
    write(&mut state, "zzzz");
    assert_eq!(lines(&state).1, ["  No key here does anything with these words"]);
}

#[test]
fn help_over_a_wizard_is_searched_without_touching_it() {
    let mut state = three();
    press(&mut state, "enter A");
    let before = state.layers.clone();
    press(&mut state, "? / B esc esc");
    assert_eq!(state.layers, before);
}

// Saved views.

fn with_views(state: &mut State) {
    let saved = |name: &str, pane: &str, filter: &str, range: Option<&str>| SavedView {
        name: name.into(),
        pane: pane.into(),
        filter: filter.into(),
        range: range.map(str::to_owned),
        grouped: Some(true),
        muted: Some(false),
        place: Place::of("config.toml", "", 0),
    };
    let all = [
        saved("bees", "alerts", "name:B", None),
        saved("odd", "alarms", "", None),
        saved("day", "timeline", "", Some("24h")),
        saved("six", "metrics", "", Some("6h")),
    ];
    state.views = Views::of(&all, vec![], Some("/s/views.toml".into()));
}

#[test]
fn a_saved_view_is_opened_from_the_list_and_from_the_palette() {
    let mut state = three();
    with_views(&mut state);
    press(&mut state, "1 V enter");
    assert_eq!((state.pane, state.alerts.filter.text.as_str(), state.layers.len()), (Pane::Alerts, "name:B", 0));
    assert!(state.grouped && !state.show_muted);
    press(&mut state, "[");
    assert_eq!(state.pane, Pane::Overview, "it is a view like others");
    press(&mut state, "V j enter");
    assert_eq!(state.timeline.window.word(), "24h");
    press(&mut state, ":");
    write(&mut state, "view six");
    press(&mut state, "enter");
    assert_eq!((state.pane, state.demand.range), (Pane::Metrics, SignedDuration::from_hours(6)));
    press(&mut state, "V j j j enter");
    assert!(said(&state).starts_with("config.toml:1:1 `alarms` is no pane"), "{}", said(&state));
    assert_eq!(state.pane, Pane::Metrics, "a broken one opens nothing");
}

#[test]
fn what_is_shown_is_saved_under_a_name_that_is_free() {
    let mut state = three();
    with_views(&mut state);
    press(&mut state, "/");
    write(&mut state, "name:C");
    press(&mut state, "enter V G enter");
    write(&mut state, "bees");
    assert!(press(&mut state, "enter").is_empty());
    let Some(Layer::SaveView(form)) = state.layers.last() else { panic!("{:?}", state.layers) };
    assert_eq!(form.error.as_deref(), Some("`bees` is there already: write another name"));
    write(&mut state, " 2");
    let asked = press(&mut state, "enter enter");
    let [Effect::Ask(ask)] = &asked[..] else { panic!("{asked:?}") };
    let Question::SaveView { file, view } = &**ask else { panic!("{ask:?}") };
    assert_eq!((file.as_str(), view.name.as_str(), view.filter.as_str()), ("/s/views.toml", "bees 2", "name:C"));
    let tell =
        |state: &mut State, view: &View, end| update(state, Message::Told(Box::new(Told::ViewSaved { view: Box::new(view.clone()), end })));
    let mut other = state.clone();
    tell(&mut state, view, Ok(()));
    assert!(state.layers.is_empty() && state.views.find("bees 2").is_ok());
    assert!(said(&state).starts_with("saved as bees 2"), "{}", said(&state));
    tell(&mut other, view, Err("no space left".into()));
    let Some(Layer::SaveView(form)) = other.layers.last() else { panic!("{:?}", other.layers) };
    assert_eq!((form.error.as_deref(), form.typed.as_str()), (Some("nothing was saved: no space left"), "bees 2"));
    assert!(other.views.find("bees 2").is_err());
}

// Marks.

#[test]
fn marks_stay_with_their_alerts_and_what_ended_is_said() {
    let mut state = three();
    assert_eq!(marked_rows(&state).len(), 1, "the selected one where none is marked");
    press(&mut state, "space j j space");
    let names = |state: &State| marked_rows(state).iter().map(|alert| alert.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&state), ["A", "C"]);
    press(&mut state, "/");
    write(&mut state, "name:B");
    press(&mut state, "enter");
    assert_eq!((names(&state), state.marks.unseen), (vec!["A".into(), "C".into()], 2), "a filter takes no mark away");
    read(&mut state, 0, alertmanager(vec![fires("New", 99), fires("B", 20), fires("C", 10)]));
    assert_eq!((names(&state), said(&state)), (vec!["C".into()], "marked and ended meanwhile: A"));
    press(&mut state, "esc");
    assert_eq!((state.marks.all.len(), state.alerts.filter.text.as_str()), (0, "name:B"), "Esc clears the marks first");
    press(&mut state, "esc");
    assert_eq!(state.alerts.filter.text, "");
    press(&mut state, "space space");
    assert!(state.marks.all.is_empty());
}

#[test]
fn there_is_an_end_to_marks() {
    let mut state = console();
    read(&mut state, 0, alertmanager((0..60).map(|n| fires(&format!("A{n:02}"), 100 - n)).collect()));
    press(&mut state, "2");
    for _ in 0..60 {
        press(&mut state, "space");
        let told = state.said.clone();
        press(&mut state, "j");
        if told.is_some() {
            assert_eq!(told.as_deref(), Some("50 are marked, and no more can be: Esc clears all marks"));
        }
    }
    assert_eq!(state.marks.all.len(), MARKS_CAP);
    press(&mut state, "space");
    assert!(!said(&state).is_empty());
}

// Two keys.

fn with_chords(state: &mut State) {
    let bind = |layer: &str, on: &str, run: &str| Binding {
        layer: layer.into(),
        on: on.into(),
        run: run.into(),
        desc: None,
        place: Place::of("keymap.toml", "", 0),
    };
    let own = [bind("global", ", a", "alerts"), bind("global", ", 3", "metrics"), bind("alerts", ", q", "muted")];
    state.keymap = Arc::new(Keymap::compile(&default_bindings(), &own).unwrap());
}

#[test]
fn the_second_of_two_keys_runs_the_action_and_any_other_nothing() {
    let mut state = three();
    with_chords(&mut state);
    press(&mut state, "1 ,");
    assert!(state.pending.is_some() && state.pane == Pane::Overview);
    update(&mut state, Message::Tick);
    assert!(state.pending.is_some(), "no time that passes fires it");
    press(&mut state, "a");
    assert_eq!((state.pane, state.pending), (Pane::Alerts, None));
    press(&mut state, ", esc");
    assert_eq!((state.pane, state.pending, said(&state)), (Pane::Alerts, None, ""));
    assert!(press(&mut state, ", 1").is_empty());
    assert_eq!((state.pane, said(&state)), (Pane::Alerts, "`, 1` does nothing here"));
    assert!(press(&mut state, "1 , q").is_empty(), "a key of another pane, and never its single meaning");
    assert_eq!((state.pane, state.pending), (Pane::Overview, None));
    press(&mut state, "/");
    write(&mut state, ", a");
    assert_eq!((state.overview.typed.as_str(), state.pending), (", a", None), "typed text is never a command");
}

#[test]
fn what_changed_under_the_first_key_is_not_hit_by_the_second() {
    let mut state = three();
    with_chords(&mut state);
    press(&mut state, ",");
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    press(&mut state, "a");
    assert_eq!((state.layers.len(), state.pending), (1, None));
    press(&mut state, "esc ,");
    update(&mut state, Message::Paste("a".into()));
    assert_eq!((state.pending, state.pane), (None, Pane::Alerts));
}
