//! A run under hands: the keys of its page, the form of a request, and what is not asked.

use super::*;
use crate::app::ask::Ask as Asked;
use crate::app::operations::{self, RequestForm};
use crate::app::wizard::Focus;
use crate::model::run::known::{KnownRun, Liveness, Runs};
use crate::model::run::sample::{Log, failed, plan, step};
use crate::model::run::{Call, Happened, Request};

const RUN: &str = "web-20261121T140455Z-0001";

fn failed_switch() -> Log {
    let mut steps = vec![step("web1/switch"), step("web2/switch")];
    steps[1].target = 1;
    steps[1].needs = vec!["web1/switch".into()];
    let mut log = Log::begun(RUN, &plan(&["web1", "web2"], steps));
    log.intent("web1/switch", 1, Call::Apply);
    log.result("web1/switch", 1, Call::Apply, failed("no room"));
    log.add(Happened::Asked { step: Some("web1/switch".into()), why: "web1/switch: no room".into() });
    log
}

fn tell(state: &mut State, log: &Log, alive: Liveness) {
    let known =
        KnownRun { state: Arc::new(log.state()), alive, live: vec![], entries: Arc::default(), left_out: 0, file: None, words: None };
    update(state, Message::Runs(Box::new(Runs::of(vec![Arc::new(known)], "1 ab".into(), None))));
}

/// The page of a run that asks about its first step.
fn asks() -> State {
    let mut state = console();
    let alive = Liveness::Live { heartbeat: state.now };
    tell(&mut state, &failed_switch(), alive);
    key(&mut state, "7");
    key(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Run { .. })));
    state
}

fn key(state: &mut State, key: &str) -> Vec<Request> {
    let asked = update(state, Message::Key(key.parse().unwrap())).into_iter().filter_map(|effect| match effect {
        Effect::Ask(ask) => Some(*ask),
        _ => None,
    });
    asked.filter_map(|ask| if let Asked::Request { request, .. } = ask { Some(request) } else { None }).collect()
}

fn later(state: &mut State) {
    state.now += SignedDuration::from_secs(1);
}

fn words(state: &mut State, text: &str) {
    for c in text.chars() {
        assert_eq!(key(state, &if c == ' ' { "space".to_owned() } else { c.to_string() }), []);
    }
}

fn form(state: &State) -> Option<&RequestForm> {
    match state.layers.last() {
        Some(Layer::Request(form)) => Some(form),
        _ => None,
    }
}

#[test]
fn p_pauses_at_once_and_lets_go_on_without_a_form() {
    let mut state = asks();
    assert!(matches!(key(&mut state, "p").as_slice(), [Request::Pause { .. }]));
    let mut log = failed_switch();
    log.request(Request::Pause { reason: "by key".into() });
    tell(&mut state, &log, Liveness::Live { heartbeat: at(0) });
    assert!(matches!(key(&mut state, "p").as_slice(), [Request::Resume { .. }]));
}

#[test]
fn a_run_that_waits_for_a_person_needs_you_on_the_overview_until_it_does_not() {
    let mut state = asks();
    state.layers.clear();
    let row = |state: &State| state.overview_rows.iter().position(|row| matches!(row, OverviewRow::Run(_)));
    let place = row(&state).expect("it stands there");
    assert_eq!(state.overview_rows.iter().position(crate::app::overview::selectable), Some(place), "before all that is only seen");
    assert!(!state.overview_rows.iter().any(|row| matches!(row, OverviewRow::Empty(text) if text.contains("nothing"))));
    state.pane = Pane::Overview;
    key(&mut state, "g");
    key(&mut state, "enter");
    assert!(matches!(state.layers.last(), Some(Layer::Run { .. })), "{:?}", state.layers);
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    assert!(row(&state).is_some());
    let mut log = failed_switch();
    log.request(Request::Retry { step: "web1/switch".into(), reason: "again".into() });
    tell(&mut state, &log, Liveness::Live { heartbeat: at(0) });
    assert_eq!(row(&state), None, "it goes on");
}

#[test]
fn p_on_a_run_whose_runner_is_gone_says_that_and_what_takes_it_up() {
    let mut state = asks();
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    assert_eq!(key(&mut state, "p"), []);
    let why = state.sent.as_ref().unwrap().end.clone().unwrap().unwrap_err();
    assert_eq!(why, "its runner is gone: P takes it up");
}

#[test]
fn esc_in_the_journal_of_a_run_goes_back_to_the_run() {
    let mut state = asks();
    key(&mut state, "w");
    assert!(matches!(state.layers.last(), Some(Layer::Run { record: true, .. })));
    key(&mut state, "esc");
    assert!(matches!(state.layers.last(), Some(Layer::Run { record: false, .. })));
    key(&mut state, "esc");
    assert!(state.layers.is_empty());
}

#[test]
fn a_key_that_does_not_count_says_so_and_leaving_the_form_says_that_nothing_was_asked() {
    let mut state = asks();
    key(&mut state, "R");
    words(&mut state, "x");
    assert!(form(&state).unwrap().error.as_deref().unwrap().contains("too early"));
    later(&mut state);
    words(&mut state, "no luck");
    assert!(form(&state).unwrap().error.as_deref().unwrap().contains("Tab to the line first; Enter here cancels"));
    key(&mut state, "enter");
    assert!(form(&state).is_none() && state.said.as_deref() == Some("cancelled: nothing is asked of the run"), "{:?}", state.said);
}

#[test]
fn each_key_opens_its_form_which_begins_on_cancel_and_asks_with_the_reason_that_is_typed() {
    let of = |reason: &str| {
        let (step, reason) = ("web1/switch".to_owned(), reason.to_owned());
        [
            ("R", Request::Retry { step: step.clone(), reason: reason.clone() }),
            ("S", Request::Skip { step: step.clone(), reason: reason.clone() }),
            ("B", Request::TakeBack { target: "web1".into(), reason: reason.clone() }),
            ("A", Request::Abort { reason }),
        ]
    };
    for (on, wanted) in of("no luck") {
        let mut state = asks();
        assert_eq!(key(&mut state, on), []);
        assert_eq!(form(&state).unwrap().focus, Focus::Cancel, "{on}");
        // What was typed before it could be seen is not for it.
        assert_eq!((key(&mut state, "enter"), form(&state).is_some()), (vec![], true));
        later(&mut state);
        words(&mut state, "x");
        assert_eq!((form(&state).unwrap().typed.as_str(), form(&state).unwrap().error.is_some()), ("", true), "it is on Cancel");
        assert_eq!((key(&mut state, "enter"), form(&state).is_none()), (vec![], true), "Enter alone leaves it");
        key(&mut state, on);
        later(&mut state);
        key(&mut state, "tab");
        assert_eq!((key(&mut state, "enter"), form(&state).is_some()), (vec![], true), "there is no reason yet");
        update(&mut state, Message::Paste("pasted".into()));
        words(&mut state, "no luck");
        let mut asked = key(&mut state, "enter");
        if on == "A" {
            assert_eq!((asked, form(&state).unwrap().reason.as_deref()), (vec![], Some("no luck")));
            later(&mut state);
            assert_eq!(key(&mut state, "enter"), [], "the word is missing");
            words(&mut state, "abort");
            asked = key(&mut state, "enter");
        }
        assert_eq!((asked, form(&state).is_none()), (vec![wanted], true));
    }
}

#[test]
fn c_is_offered_where_a_person_must_look_and_not_elsewhere() {
    let mut state = asks();
    key(&mut state, "C");
    assert!(form(&state).is_none(), "it failed: nothing is to be confirmed");
    let mut log = failed_switch();
    log.request(Request::Retry { step: "web1/switch".into(), reason: "again".into() });
    log.intent("web1/switch", 2, Call::Apply);
    log.result("web1/switch", 2, Call::Apply, crate::model::run::sample::unknown("lost"));
    let why = "it cannot be read".to_owned();
    log.found("web1/switch", Call::Apply, crate::model::plan::Found::Untold { why });
    tell(&mut state, &log, Liveness::Live { heartbeat: at(0) });
    key(&mut state, "C");
    later(&mut state);
    key(&mut state, "tab");
    words(&mut state, "seen");
    assert_eq!(key(&mut state, "enter"), [Request::Confirm { step: "web1/switch".into(), reason: "seen".into() }]);
}

#[test]
fn w_shows_the_journal_and_y_the_report() {
    let mut state = asks();
    key(&mut state, "w");
    assert!(matches!(state.layers.last(), Some(Layer::Run { record: true, .. })));
    key(&mut state, "w");
    assert!(matches!(state.layers.last(), Some(Layer::Run { record: false, .. })));
    let copied = update(&mut state, Message::Key("y".parse().unwrap()));
    assert!(matches!(copied.as_slice(), [Effect::Copy(text)] if text.contains("web1/switch") && text.contains("1 ab")), "{copied:?}");
    assert!(matches!(state.layers.last(), Some(Layer::Share { .. })));
}

#[test]
fn of_an_orphaned_run_of_one_elsewhere_and_read_only_nothing_is_asked() {
    for (alive, read_only) in
        [(Liveness::Orphaned, false), (Liveness::Elsewhere { since: at(0) }, false), (Liveness::Live { heartbeat: at(0) }, true)]
    {
        let mut state = asks();
        tell(&mut state, &failed_switch(), alive);
        state.read_only = read_only;
        for on in ["A", "R", "S", "B", "C"] {
            assert_eq!((key(&mut state, on), form(&state).is_none()), (vec![], true), "{on}");
        }
        assert_eq!(key(&mut state, "p"), []);
        assert!(state.sent.as_ref().is_some_and(|sent| matches!(sent.end, Some(Err(_)))), "it is said why not");
    }
}

#[test]
fn a_run_whose_runner_is_gone_is_taken_up_with_a_reason_from_its_page_and_from_the_list() {
    let mut state = asks();
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    let asked = |state: &mut State, with: &str| -> Vec<Asked> {
        let effects = update(state, Message::Key(with.parse().unwrap()));
        effects.into_iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(*ask) } else { None }).collect()
    };
    for from_list in [false, true] {
        if from_list {
            key(&mut state, "esc");
            assert!(state.layers.is_empty() && operations::offers(&state, Action::ResumeRun));
        }
        assert_eq!(key(&mut state, "P"), []);
        assert!(matches!(form(&state).unwrap().request, Request::Resume { .. }));
        later(&mut state);
        assert_eq!(asked(&mut state, "enter"), [], "Enter alone goes back");
        assert!(form(&state).is_none());
        key(&mut state, "P");
        later(&mut state);
        key(&mut state, "tab");
        assert_eq!(asked(&mut state, "enter"), [], "a reason is wanted");
        words(&mut state, "it was killed");
        let all = asked(&mut state, "enter");
        assert_eq!(all, [Asked::TakeUp { run: RUN.into(), reason: "it was killed".into() }]);
        assert!(form(&state).is_none() && matches!(state.layers.last(), Some(Layer::Run { .. })));
        assert_eq!(state.sent.as_ref().unwrap().end, None);
    }
    assert_eq!(Action::ResumeRun.entry().danger, Danger::Production);
}

#[test]
fn the_page_of_a_run_whose_runner_left_by_itself_says_why() {
    let mut state = asks();
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    let run = state.runs.all[0].clone();
    for words in [None, Some("the journal cannot be written: No space left on device".to_owned())] {
        let known = KnownRun { words: words.clone(), ..(*run).clone() };
        update(&mut state, Message::Runs(Box::new(Runs::of(vec![Arc::new(known)], "1 ab".into(), None))));
        let (_, rows) = crate::app::page::lines(&state, state.layers.last().unwrap(), 100);
        let text = rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(text.contains("it said        the journal cannot be written: No space left"), words.is_some(), "{text}");
    }
}

#[test]
fn the_menu_of_a_run_whose_runner_is_gone_takes_it_up_too() {
    let mut state = asks();
    let lines = |state: &mut State| -> Vec<(Action, Option<String>)> {
        key(state, ".");
        let Some(Layer::Menu(menu)) = state.layers.last() else { panic!("{:?}", state.layers) };
        let all = menu.items.iter().map(|item| (item.action, item.why.clone())).collect();
        key(state, "esc");
        all
    };
    assert!(lines(&mut state).iter().all(|(action, _)| *action != Action::ResumeRun), "its runner lives");
    assert!(lines(&mut state).iter().all(|(action, _)| *action != Action::Open), "no line of a run opens anything");
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    assert!(lines(&mut state).contains(&(Action::ResumeRun, None)), "on its page");
    key(&mut state, "esc");
    assert!(lines(&mut state).contains(&(Action::ResumeRun, None)), "in the list");
    // Enter there does what the key does.
    key(&mut state, ".");
    let Some(Layer::Menu(menu)) = state.layers.last() else { panic!("{:?}", state.layers) };
    let place = menu.items.iter().position(|item| item.action == Action::ResumeRun).unwrap() - menu.selected;
    (0..place).for_each(|_| drop(key(&mut state, "j")));
    key(&mut state, "enter");
    assert!(matches!(form(&state).unwrap().request, Request::Resume { .. }));
    later(&mut state);
    key(&mut state, "esc");
    state.read_only = true;
    let why = lines(&mut state).into_iter().find(|(action, _)| *action == Action::ResumeRun).unwrap().1;
    assert!(why.unwrap().contains("--read-only"));
}

#[test]
fn a_run_that_somebody_carries_out_is_not_taken_up_and_its_page_says_why() {
    let now = at(1_000);
    let alive = [
        (Liveness::Live { heartbeat: now }, "its runner lives"),
        (Liveness::Silent { since: now }, "no other one may take the run up; `kill -9 "),
        (Liveness::Elsewhere { since: now }, "take it up there"),
        (Liveness::Over, "it has ended"),
    ];
    for (alive, why) in alive {
        let mut state = asks();
        tell(&mut state, &failed_switch(), alive);
        assert!(!operations::offers(&state, Action::ResumeRun));
        key(&mut state, "P");
        let sent = state.sent.as_ref().unwrap();
        assert!(form(&state).is_none() && sent.end.as_ref().unwrap().as_ref().unwrap_err().contains(why), "{sent:?}");
    }
    let mut state = asks();
    tell(&mut state, &failed_switch(), Liveness::Orphaned);
    state.read_only = true;
    key(&mut state, "P");
    assert!(form(&state).is_none() && state.sent.as_ref().unwrap().end.as_ref().unwrap().as_ref().unwrap_err().contains("--read-only"));
    // Somebody else was faster.
    state.read_only = false;
    key(&mut state, "P");
    later(&mut state);
    key(&mut state, "tab");
    words(&mut state, "mine");
    tell(&mut state, &failed_switch(), Liveness::Live { heartbeat: now });
    assert!(update(&mut state, Message::Key("enter".parse().unwrap())).iter().all(|effect| !matches!(effect, Effect::Ask(_))));
    assert!(state.sent.as_ref().unwrap().end.as_ref().unwrap().is_err());
}

#[test]
fn where_another_step_is_asked_about_it_is_selected_so_that_its_keys_are_there() {
    let steps = vec![step("a"), crate::model::plan::Step { target: 1, ..step("b") }];
    let mut log = Log::begun(RUN, &plan(&["web1", "web2"], steps));
    let mut state = console();
    let alive = Liveness::Live { heartbeat: state.now };
    let asks = |log: &mut Log, step: &str| {
        log.intent(step, 1, Call::Apply);
        log.result(step, 1, Call::Apply, failed("no"));
        log.add(Happened::Asked { step: Some(step.to_owned()), why: format!("{step}: no") });
    };
    asks(&mut log, "a");
    tell(&mut state, &log, alive);
    key(&mut state, "7");
    key(&mut state, "enter");
    for request in [Request::TakeBack { target: "web1".into(), reason: "x".into() }, Request::Skip { step: "a".into(), reason: "x".into() }]
    {
        let (mut state, mut log) = (state.clone(), log.clone());
        log.request(request);
        tell(&mut state, &log, alive);
        asks(&mut log, "b");
        tell(&mut state, &log, alive);
        let Some(Layer::Run { spot, .. }) = state.layers.last() else { panic!("no run is shown") };
        assert!(format!("{:?}", spot.selected).contains("\"b\""), "{:?}", spot.selected);
    }
}

#[test]
fn the_selection_goes_on_with_the_run_and_stays_where_hands_put_it() {
    let selected = |state: &State| match state.layers.last() {
        Some(Layer::Run { spot, .. }) => format!("{:?}", spot.selected),
        _ => panic!("no run is shown"),
    };
    let steps = ["a", "b", "c"].map(step).to_vec();
    let mut log = Log::begun(RUN, &plan(&["web1"], steps));
    let mut state = console();
    let alive = Liveness::Live { heartbeat: state.now };
    log.intent("a", 1, Call::Apply);
    tell(&mut state, &log, alive);
    key(&mut state, "7");
    key(&mut state, "enter");
    assert!(selected(&state).contains("\"a\""));
    log.result("a", 1, Call::Apply, crate::model::run::sample::done());
    log.intent("b", 1, Call::Apply);
    tell(&mut state, &log, alive);
    assert!(selected(&state).contains("\"b\""));
    key(&mut state, "k");
    log.result("b", 1, Call::Apply, crate::model::run::sample::done());
    tell(&mut state, &log, alive);
    assert!(selected(&state).contains("\"a\""), "it is looked at");
}

#[test]
fn of_a_run_of_another_estate_nothing_is_asked_and_the_page_says_where_it_can_be() {
    let mut state = asks();
    (state.estate, state.size) = (Arc::new(crate::model::estate::Estate { name: "lab".into(), ..(*state.estate).clone() }), (100, 50));
    let run = state.runs.all[0].clone();
    for (file, told) in [(None, "is not known here"), (Some("/srv/shop/estate.toml"), "open it with `qd --estate /srv/shop/estate.toml`")] {
        let known = KnownRun { file: file.map(str::to_owned), ..(*run).clone() };
        update(&mut state, Message::Runs(Box::new(Runs::of(vec![Arc::new(known)], "1 ab".into(), None))));
        for on in ["p", "A", "S", "R", "B"] {
            state.sent = None;
            assert_eq!(key(&mut state, on), [], "{on}");
            assert!(form(&state).is_none(), "{on}");
            let Some(Err(why)) = state.sent.as_ref().and_then(|sent| sent.end.clone()) else { panic!("{on}") };
            assert!(why.contains("of the estate shop (production)") && why.contains(told), "{why}");
        }
        let page = crate::app::page::lines(&state, state.layers.last().unwrap(), 100).1;
        let text = format!("{page:?}");
        let own = |file: &str| text.contains(&format!("qd --estate {file} skip"));
        assert!(text.contains("cannot act on it") && file.map_or(text.contains("export QD_ESTATE=FILE"), own), "{text}");
    }
}
