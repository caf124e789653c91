//! Logs under hands: followed while they are looked at and no longer, filtered, never moved under a reader's eyes.

use super::*;
use crate::app::ask::{Ask, AskLogs, Told};
use crate::app::logs::{self, Logs, notes};
use crate::model::estate::Host;
use crate::model::log::lines::KEPT;
use crate::model::log::{self, Heard, Level, Line, Mark};

/// The console on the service `web`, whose unit runs on web1 and web2; 80x24.
fn on_web() -> State {
    let mut state = console();
    state.now = at(100_000);
    let mut estate = (*state.estate).clone();
    let host = |name: &str| Host { name: name.into(), site: None, ssh: Some(name.into()), ssh_config: None, machine_id: None };
    estate.hosts = vec![host("web1"), host("web2")];
    estate.services[0].hosts = vec!["web1".into(), "web2".into()];
    estate.services[0].logs = Some(log::Logs::Unit("app.service".into()));
    state.estate = Arc::new(estate);
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    state
}

fn asked(effects: &[Effect]) -> Vec<AskLogs> {
    let of = |effect: &Effect| match effect {
        Effect::Ask(ask) => match &**ask {
            Ask::Logs(asked) => Some(asked.clone()),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn asked_of(effects: &[Effect]) -> usize {
    asked(effects).len()
}

fn closed(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Ask(ask) if matches!(**ask, Ask::CloseLogs(_))))
}

fn line(place: &str, secs: i64, text: &str) -> Line {
    Line { at: at(secs), dated: true, place: place.into(), level: Level::told(text), by: None, text: text.into(), open: false }
}

fn heard(lines: Vec<Line>) -> Heard {
    Heard { lines, mark: Some(Mark::Cursor("c".into())), ..Heard::default() }
}

fn tell(state: &mut State, asked: &AskLogs, heard: Result<Heard, String>) -> Vec<Effect> {
    update(state, Message::Told(Box::new(Told::Logs { view: asked.view, index: asked.index, heard })))
}

fn of(state: &State) -> &Logs {
    state.logs.as_deref().expect("logs are looked at")
}

fn rows(state: &State) -> Vec<String> {
    let text = |row: &logs::Row| match row {
        logs::Row::Line(_, line) => line.text.clone(),
        logs::Row::Event(event) => format!("-- {}", event.what),
    };
    of(state).rows.iter().map(text).collect()
}

/// The rows that are on the screen.
fn screen(state: &State) -> Vec<String> {
    rows(state).into_iter().skip(of(state).offset).take(logs::height(state)).collect()
}

/// Opened, and both places answered with so many lines.
fn opened(count: i64) -> State {
    let mut state = on_web();
    let first = asked(&press(&mut state, "l"));
    for asked in &first {
        let lines = (0..count).map(|n| line(&asked.place.name, 90_000 + n, &format!("{} {n}", asked.place.name))).collect();
        tell(&mut state, asked, Ok(heard(lines)));
    }
    state
}

#[test]
fn each_host_is_asked_one_question_at_a_time_while_the_view_is_open_and_none_after() {
    let mut state = on_web();
    let first = asked(&press(&mut state, "l"));
    assert_eq!(first.iter().map(|ask| &*ask.place.name).collect::<Vec<_>>(), ["web1", "web2"]);
    assert!(first.iter().all(|ask| ask.wanted.after.is_none() && ask.wanted.since.is_none()));
    assert!(asked(&update(&mut state, Message::Tick)).is_empty(), "both are under way");
    tell(&mut state, &first[0], Ok(heard(vec![line("web1", 99_000, "hello")])));
    let wake = logs::wake(&state).expect("it is asked again");
    state.now = wake;
    let next = asked(&update(&mut state, Message::Tick));
    assert_eq!((next.len(), &*next[0].place.name, &next[0].wanted.after), (1, "web1", &Some(Mark::Cursor("c".into()))));
    // One that does not answer is said, and tried again later; the other goes on.
    tell(&mut state, &first[1], Err("web2: no connection in time".into()));
    assert_eq!(notes(of(&state))[0].0, "! web2: no connection in time");
    tell(&mut state, &next[0], Ok(heard(vec![line("web1", 99_001, "again")])));
    assert_eq!(rows(&state), ["hello", "again"]);
    state.now += SignedDuration::from_secs(6);
    let third = asked(&update(&mut state, Message::Tick));
    assert_eq!(third.len(), 2);
    tell(&mut state, &third[1], Ok(heard(vec![line("web2", 99_000, "back")])));
    assert!(notes(of(&state)).is_empty());
    assert_eq!(rows(&state), ["hello", "back", "again"]);
    let effects = press(&mut state, "esc");
    assert!(closed(&effects) && state.logs.is_none());
    tell(&mut state, &third[0], Ok(heard(vec![line("web1", 99_002, "late")])));
    assert!(state.logs.is_none() && asked(&update(&mut state, Message::Tick)).is_empty());
    // Opened again it begins anew, and an answer to the former view is no answer to this one.
    press(&mut state, "l");
    tell(&mut state, &third[0], Ok(heard(vec![line("web1", 99_002, "late")])));
    assert_eq!(rows(&state), Vec::<String>::new());
}

#[test]
fn new_lines_never_move_what_is_read_and_at_the_end_they_do() {
    let mut state = opened(100);
    assert!(of(&state).at_end && screen(&state).last().unwrap().ends_with("99"));
    let ask = |state: &mut State| {
        state.now += SignedDuration::from_secs(2);
        asked(&update(state, Message::Tick))
    };
    press(&mut state, "k k k ctrl-u");
    let (before, row) = (screen(&state), of(&state).row - of(&state).offset);
    let asked = ask(&mut state);
    // Newer ones below, and older ones of a slow host above.
    tell(&mut state, &asked[0], Ok(heard((0..30).map(|n| line("web1", 91_000 + n, "new")).collect())));
    tell(&mut state, &asked[1], Ok(heard((0..10).map(|n| line("web2", 91_000 + n, "new too")).collect())));
    assert_eq!((screen(&state), of(&state).row - of(&state).offset), (before, row));
    assert_eq!(of(&state).below(), 40);
    press(&mut state, "G");
    assert!(of(&state).at_end && of(&state).below() == 0);
    let asked = ask(&mut state);
    tell(&mut state, &asked[0], Ok(heard(vec![line("web1", 92_000, "the newest")])));
    assert_eq!(screen(&state).last().unwrap(), "the newest");
    // Stopped, nothing is asked; going on, it is at the end.
    press(&mut state, "k f");
    assert!(ask(&mut state).is_empty() && logs::wake(&state).is_none());
    assert_eq!(asked_of(&press(&mut state, "f")), 1, "the other one is still being asked");
    assert!(of(&state).at_end && of(&state).following);
    // A frozen console asks nothing either.
    let mut state = opened(3);
    press(&mut state, "p");
    assert!(ask(&mut state).is_empty());
}

#[test]
fn lines_are_found_by_words_and_errors_alone_and_esc_brings_all_back() {
    let mut state = opened(20);
    state.now += SignedDuration::from_secs(2);
    let asked = asked(&update(&mut state, Message::Tick));
    tell(&mut state, &asked[0], Ok(heard(vec![line("web1", 95_000, "ERROR no disk"), line("web1", 95_001, "WARN slow")])));
    press(&mut state, "/");
    write(&mut state, "disk");
    assert_eq!(rows(&state), ["ERROR no disk"]);
    write(&mut state, " nothing:x");
    assert!(of(&state).error.is_some() && rows(&state).is_empty(), "the last one that was a filter counts");
    press(&mut state, "esc");
    assert_eq!((rows(&state).len(), of(&state).typing), (42, false));
    press(&mut state, "/");
    write(&mut state, "host:web2 !19");
    press(&mut state, "enter");
    assert_eq!((rows(&state).len(), of(&state).typing), (19, false));
    press(&mut state, "esc e");
    assert_eq!(rows(&state), ["ERROR no disk"]);
    press(&mut state, "esc");
    assert_eq!(rows(&state).len(), 42);
    assert!(matches!(state.layers.last(), Some(Layer::Logs(_))));
    press(&mut state, "esc");
    assert!(matches!(state.layers.last(), Some(Layer::Service { .. })));
}

#[test]
fn hits_are_gone_through_among_all_lines_and_around_their_ends() {
    let mut state = opened(10);
    press(&mut state, "n");
    assert_eq!(state.said.as_deref(), Some("nothing is searched for: / and a word first"));
    press(&mut state, "/");
    write(&mut state, "web2");
    press(&mut state, "enter");
    assert_eq!((rows(&state).len(), of(&state).hits.len()), (10, 10), "only what matches");
    // From the newest one on it goes around, and what stands between is there again.
    press(&mut state, "n");
    assert_eq!((rows(&state).len(), state.said.as_deref()), (20, Some("hit 1 of 10: from the oldest again")));
    assert!(rows(&state)[of(&state).row].starts_with("web2 0") && !of(&state).at_end);
    press(&mut state, "n n");
    assert_eq!((state.said.as_deref(), rows(&state)[of(&state).row].as_str()), (Some("hit 3 of 10"), "web2 2"));
    press(&mut state, "N N N");
    assert_eq!(state.said.as_deref(), Some("hit 10 of 10: from the newest again"));
    // A row that is no hit has a next one too, and what comes moves nothing.
    press(&mut state, "k");
    assert_eq!(logs::position(of(&state)), None);
    press(&mut state, "N");
    assert_eq!(logs::position(of(&state)), Some((9, 10)));
    state.now += SignedDuration::from_secs(2);
    let asked = asked(&update(&mut state, Message::Tick));
    tell(&mut state, &asked[0], Ok(heard(vec![line("web1", 95_000, "of web2 too"), line("web1", 95_001, "not")])));
    assert_eq!(logs::position(of(&state)), Some((9, 11)));
    press(&mut state, "&");
    assert_eq!(rows(&state).len(), 11);
    press(&mut state, "& esc");
    assert!(of(&state).filter.is_empty() && !of(&state).among && of(&state).hits.is_empty());
    assert_eq!(rows(&state).len(), 22);
    press(&mut state, "/");
    write(&mut state, "nowhere");
    press(&mut state, "enter n");
    assert_eq!(state.said.as_deref(), Some("no line that is kept matches"));
}

#[test]
fn errors_are_asked_of_the_hosts_and_all_lines_go_on_where_they_were_left() {
    let mut state = opened(3);
    state.now += SignedDuration::from_secs(2);
    let all = asked(&update(&mut state, Message::Tick));
    tell(&mut state, &all[0], Ok(heard(vec![line("web1", 95_000, "ERROR no disk")])));
    let first = asked(&press(&mut state, "e"));
    assert_eq!(rows(&state), ["ERROR no disk"], "what is known is shown at once");
    let worst = |ask: &AskLogs| (ask.wanted.worst, ask.wanted.after.is_none());
    assert_eq!(first.iter().map(worst).collect::<Vec<_>>(), [(Some(Level::Error), true); 2]);
    // An answer to what was asked before is nobody's.
    tell(&mut state, &all[1], Ok(heard(vec![line("web2", 95_000, "ERROR of before")])));
    assert_eq!(rows(&state), ["ERROR no disk"]);
    let mark = Mark::Later { second: 96_000, than: None };
    let rare = Heard { mark: Some(mark.clone()), ..heard(vec![line("web1", 10_000, "ERROR rare"), line("web1", 95_000, "ERROR no disk")]) };
    tell(&mut state, &first[0], Ok(rare));
    assert_eq!(rows(&state), ["ERROR rare", "ERROR no disk"], "each is told once");
    state.now += SignedDuration::from_secs(2);
    let next = asked(&update(&mut state, Message::Tick));
    assert_eq!((next.len(), &next[0].wanted.after, next[0].wanted.worst), (1, &Some(mark), Some(Level::Error)));
    let back = asked(&press(&mut state, "esc"));
    assert_eq!(rows(&state).len(), 7);
    assert_eq!(
        back.iter().map(|ask| (ask.wanted.worst, ask.wanted.after.clone())).collect::<Vec<_>>(),
        [(None, Some(Mark::Cursor("c".into()))), (None, Some(Mark::Cursor("c".into()))),]
    );
}

#[test]
fn of_ten_thousand_lines_the_newest_are_kept_and_that_is_said() {
    let mut state = on_web();
    let first = asked(&press(&mut state, "l"));
    tell(&mut state, &first[0], Ok(heard((0..10_000).map(|n| line("web1", 80_000 + n, &n.to_string())).collect())));
    assert_eq!((rows(&state).len(), rows(&state)[0].as_str()), (KEPT, "8000"));
    assert!(notes(of(&state))[0].0.contains("8000 older ones were let go"));
    press(&mut state, "g");
    assert_eq!(screen(&state)[0], "8000");
    // What is read goes in the end: the nearest is what is shown.
    state.now += SignedDuration::from_secs(2);
    let next = asked(&update(&mut state, Message::Tick));
    tell(&mut state, &next[0], Ok(heard((0..500).map(|n| line("web1", 90_000 + n, "new")).collect())));
    assert_eq!(screen(&state)[0], "8500");
}

#[test]
fn one_that_prints_faster_than_it_is_read_is_said_and_its_newest_lines_come() {
    let mut state = opened(1);
    state.now += SignedDuration::from_secs(2);
    let mut next = asked(&update(&mut state, Message::Tick));
    for turn in 0..3 {
        let full = Heard { passed: true, ..heard(vec![line("web1", 95_000 + turn, "x")]) };
        next = asked(&tell(&mut state, &next[0], Ok(full)));
        assert_eq!(next.len(), usize::from(turn < 2), "more is asked for at once, and not for ever");
    }
    assert!(notes(of(&state))[0].0.contains("faster than it can be read"));
    state.now += SignedDuration::from_secs(2);
    let last = asked(&update(&mut state, Message::Tick));
    let place = last.iter().find(|ask| ask.index == 0).unwrap();
    assert_eq!(place.wanted.after, Some(Mark::Since(95_002)));
    tell(&mut state, place, Ok(heard(vec![line("web1", 95_002, "again"), line("web1", 95_003, "newest")])));
    assert!(!rows(&state).contains(&"again".to_owned()) && rows(&state).contains(&"newest".to_owned()));
}

#[test]
fn on_an_alert_they_are_those_around_its_begin_with_what_else_happened_between_them() {
    let mut state = on_web();
    state.layers.clear();
    let slow = alert(&[("alertname", "Slow"), ("job", "web")], AlertState::Firing, 95_000);
    read(&mut state, 0, alertmanager(vec![slow]));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    let first = asked(&press(&mut state, "2 l"));
    let (since, until) = (first[0].wanted.since.unwrap(), first[0].wanted.until.unwrap());
    assert_eq!((since, until), (at(94_700), at(95_300)));
    let lines = (0..60).map(|n| line("web1", 94_700 + 10 * n, &format!("line {n}"))).collect();
    tell(&mut state, &first[0], Ok(heard(lines)));
    let all = rows(&state);
    let begin = all.iter().position(|row| row.starts_with("-- ")).expect("the alert stands between the lines");
    assert_eq!((all[begin - 1].as_str(), all[begin + 1].as_str()), ("line 29", "line 30"));
    assert_eq!(of(&state).row, begin, "one stands there");
    tell(&mut state, &first[1], Ok(heard(vec![])));
    state.now += SignedDuration::from_secs(60);
    assert!(asked(&update(&mut state, Message::Tick)).is_empty(), "what is past does not grow");
    // From a line to the timeline at its time, and with `f` to the newest.
    let next = asked(&press(&mut state, "f"));
    assert!(next.len() == 2 && next[0].wanted.since.is_none() && of(&state).following);
    tell(&mut state, &next[0], Ok(heard(vec![line("web1", 96_000, "now")])));
    press(&mut state, "t");
    assert_eq!((state.pane, state.timeline.service.as_deref(), state.timeline.cursor), (Pane::Timeline, Some("web"), Some(at(96_000))));
    assert!(state.logs.is_none());
}

#[test]
fn what_only_a_prometheus_knows_stands_where_it_began_and_is_not_always_the_newest() {
    let mut state = on_web();
    state.layers.clear();
    let mut slow = alert(&[("alertname", "Slow"), ("job", "web")], AlertState::Firing, 95_000);
    Arc::make_mut(&mut slow).origin = crate::model::alert::Origin::Prometheus;
    read(&mut state, 0, alertmanager(vec![slow]));
    let derived = Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    let first = asked(&press(&mut state, "l"));
    let lines = (0..60).map(|n| line("web1", 94_700 + 10 * n, &format!("line {n}"))).collect();
    tell(&mut state, &first[0], Ok(heard(lines)));
    let all = rows(&state);
    let begin = all.iter().position(|row| row.starts_with("-- ")).expect("the alert stands between the lines");
    assert_eq!(all[begin - 1], "line 29", "{all:?}");
    // It did not begin to fire then: it fired some time after.
    let logs::Row::Event(event) = &of(&state).rows[begin] else { panic!() };
    assert!(event.is_after() && event.at == at(95_000), "{event:?}");
    // Beside the Overview's rows too, where it is not moved on at each look.
    state.layers.clear();
    update(&mut state, Message::Resize(200, 60));
    let near = state.focus.events.iter().find(|event| event.kind == crate::model::timeline::Kind::AlertBegan).unwrap();
    assert!(near.is_after() && near.at == at(95_000), "{near:?}");
}

#[test]
fn where_nothing_says_where_they_are_it_says_which_key_to_add() {
    let mut state = on_web();
    Arc::make_mut(&mut state.estate).services[0].logs = None;
    assert!(asked(&press(&mut state, "l")).is_empty());
    assert!(notes(of(&state))[0].0.contains("add `logs = { unit = \"web.service\" }`"));
    press(&mut state, "esc esc");
    state.layers.clear();
    state.pane = Pane::Operations;
    press(&mut state, "j");
    assert!(state.logs.is_none());
}

#[test]
fn what_is_on_the_screen_is_copied_with_the_command_that_shows_it() {
    let mut state = opened(2);
    press(&mut state, "/");
    write(&mut state, "web");
    press(&mut state, "enter");
    let effects = press(&mut state, "y");
    let text = effects.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None }).unwrap();
    assert!(text.contains(" web1 - web1 0\n") && text.ends_with("qd logs web --grep web"), "{text}");
    assert_eq!(text.lines().count(), 6);
}
