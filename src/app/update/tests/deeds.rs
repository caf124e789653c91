//! Deployments looked at closely, under hands: what is asked, what an answer changes, and what an answer that comes too
//! late does not.

use super::deployments::{deployed, told_by};
use super::*;
use crate::app::ask::{Ask, AskDid, Told};
use crate::model::deployment::did::{Did, Span};
use crate::model::deployment::diff::{Comparison, Configs};
use crate::model::deployment::dora::Table;
use crate::model::panel::{self, Unit};

fn key(state: &mut State, key: &str) -> Vec<Ask> {
    asked(update(state, Message::Key(key.parse().unwrap())))
}

fn asked(effects: Vec<Effect>) -> Vec<Ask> {
    let ask = |effect| match effect {
        Effect::Ask(ask) => Some(*ask),
        _ => None,
    };
    effects.into_iter().filter_map(ask).collect()
}

fn tell(state: &mut State, told: Told) {
    update(state, Message::Told(Box::new(told)));
}

/// Deployments every hour from an hour ago on, and two panels: one of `web`, one of another service.
fn watched() -> State {
    let mut state = deployed(0);
    let of = |name: &str, service: &str| crate::model::panel::Panel {
        name: name.into(),
        service: Some(service.into()),
        site: None,
        source: state.estate.sources[0].name.clone(),
        ask: panel::Ask::Promql("up".into()),
        unit: Unit::Count,
        warn: None,
        critical: None,
    };
    let panels = vec![of("errors", "web"), of("lag", "db")];
    let mut estate = (*state.estate).clone();
    estate.panels = panels;
    state.estate = Arc::new(estate);
    told_by(&mut state, (1..10).map(|hour| (hour * 60, format!("{hour}.0"))).collect());
    press(&mut state, "5");
    state
}

#[test]
fn what_a_deployment_did_is_asked_when_it_is_looked_at_and_once() {
    let mut state = watched();
    assert_eq!(key(&mut state, "j"), []);
    let all = key(&mut state, "enter");
    let [Ask::Did(AskDid { key: of, span, ended: true, panels, left: 0 })] = all.as_slice() else { panic!("{all:?}") };
    let at_two = at(100_000 - 2 * 3_600);
    assert_eq!((*span, panels.len(), panels[0].0), (Span { from: at_two, to: at_two + SignedDuration::from_mins(30) }, 1, 0));
    assert_eq!(key(&mut state, "esc"), []);
    assert_eq!(key(&mut state, "enter"), [], "it is known or on its way");
    let did = Arc::new(Did { span: *span, ended: true, metrics: vec![], left: 0 });
    tell(&mut state, Told::Did { key: of.clone(), did: did.clone() });
    assert_eq!(state.deeds.of(of), Some(&did));
    state.now = at(200_000);
    assert_eq!(asked(update(&mut state, Message::Tick)), []);
}

/// What is asked as the seconds pass, each answered at once, with the second.
fn asked_while_it_rests(state: &mut State, seconds: i64) -> Vec<(i64, Arc<str>)> {
    let start = state.now;
    let mut all = Vec::new();
    for second in 0..seconds {
        state.now = start + SignedDuration::from_secs(second);
        for ask in asked(update(state, Message::Tick)) {
            let Ask::Did(AskDid { key, span, ended, .. }) = ask else { continue };
            all.push((second, key.clone()));
            tell(state, Told::Did { key, did: Arc::new(Did { span, ended, metrics: vec![], left: 0 }) });
        }
    }
    all
}

#[test]
fn the_rows_on_the_screen_are_asked_for_once_the_list_rests_the_selected_one_first() {
    let mut state = watched();
    press(&mut state, "j j");
    let keys: Vec<Arc<str>> = state.window.rows.iter().map(|one| one.key.clone()).collect();
    let all = asked_while_it_rests(&mut state, 30);
    let order: Vec<&Arc<str>> = [2, 0, 1, 3, 4, 5, 6, 7, 8].map(|place: usize| &keys[place]).to_vec();
    assert_eq!(all.iter().map(|(_, key)| key).collect::<Vec<_>>(), order);
    assert!(all[0].0 >= 1 && all.windows(2).all(|pair| pair[0].0 < pair[1].0), "not before it rests, and one a second: {all:?}");
    assert_eq!(asked_while_it_rests(&mut state, 300), [], "each once");
}

#[test]
fn a_list_that_moves_another_pane_and_a_service_without_panels_ask_nothing() {
    let mut state = watched();
    for second in 0..40 {
        state.now = at(100_000 + second);
        assert_eq!(key(&mut state, if second % 2 == 0 { "j" } else { "k" }), [], "it is passed by");
    }
    press(&mut state, "3");
    assert_eq!(asked_while_it_rests(&mut state, 30), []);
    press(&mut state, "5 p");
    assert_eq!(asked_while_it_rests(&mut state, 30), [], "what is frozen stays as it is");
    press(&mut state, "p");
    let mut estate = (*state.estate).clone();
    estate.panels.iter_mut().for_each(|panel| panel.service = Some("db".into()));
    state.estate = Arc::new(estate);
    assert_eq!(asked_while_it_rests(&mut state, 30), []);
}

#[test]
fn where_nobody_answers_one_row_is_asked_in_half_a_minute() {
    let mut state = watched();
    let mut count = 0;
    for second in 0..59 {
        state.now = at(100_000 + second);
        count += asked(update(&mut state, Message::Tick)).len();
    }
    assert_eq!(count, 2);
    assert!(pane::next_wake(&state) <= at(100_062), "it goes on by itself");
}

#[test]
fn with_an_index_it_is_asked_once_it_is_known_what_came_next() {
    let mut state = watched();
    key(&mut state, "j");
    state.window.indexed = true;
    let all = key(&mut state, "enter");
    assert!(!all.iter().any(|ask| matches!(ask, Ask::Did(_))), "{all:?}");
    let of = all.iter().find_map(|ask| if let Ask::DeploymentNeighbours(of) = ask { Some(of.clone()) } else { None }).unwrap();
    let mut next = (*of).clone();
    next.at = of.at + SignedDuration::from_mins(10);
    let told = Told::DeploymentNeighbours { key: of.key.clone(), before: None, after: Some(Arc::new(next)) };
    let all = asked(update(&mut state, Message::Told(Box::new(told))));
    let [Ask::Did(AskDid { span, ended: true, .. })] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(span.to, of.at + SignedDuration::from_mins(10), "the next one ends it");
}

#[test]
fn what_goes_on_is_asked_again_each_minute() {
    let mut state = watched();
    told_by(&mut state, vec![(10, "9.9".into())]);
    press(&mut state, "g");
    let first = key(&mut state, "enter");
    let [Ask::Did(AskDid { key: of, span, ended: false, .. })] = first.as_slice() else { panic!("{first:?}") };
    tell(&mut state, Told::Did { key: of.clone(), did: Arc::new(Did { span: *span, ended: false, metrics: vec![], left: 0 }) });
    assert_eq!(asked(update(&mut state, Message::Tick)), []);
    state.now = at(100_061);
    let again = asked(update(&mut state, Message::Tick));
    assert!(matches!(again.as_slice(), [Ask::Did(AskDid { ended: false, span: now, .. })] if now.to > span.to), "{again:?}");
}

fn comparison() -> Arc<Comparison> {
    Arc::new(Comparison { commits: Err("a".into()), files: Err("b".into()), configs: Ok(Configs::default()) })
}

#[test]
fn two_are_compared_the_marked_one_or_the_one_before() {
    let mut state = watched();
    let all = key(&mut state, "d");
    let [Ask::Diff { from, to }] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((from.to.as_deref(), to.to.as_deref()), (Some("2.0"), Some("1.0")), "the one before");
    let known = |state: &State| matches!(state.layers.last(), Some(Layer::Diff { found: Some(_), .. }));
    tell(&mut state, Told::Diff { from: to.key.clone(), to: from.key.clone(), found: comparison() });
    assert!(!known(&state), "of other ones");
    tell(&mut state, Told::Diff { from: from.key.clone(), to: to.key.clone(), found: comparison() });
    assert!(known(&state));
    key(&mut state, "esc");
    tell(&mut state, Told::Diff { from: from.key.clone(), to: to.key.clone(), found: comparison() });
    assert!(state.layers.is_empty(), "nobody waits for it any more");

    press(&mut state, "j j m g");
    assert_eq!(state.marked.as_ref().and_then(|one| one.to.clone()).as_deref(), Some("3.0"));
    let all = key(&mut state, "d");
    let [Ask::Diff { from, .. }] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(from.to.as_deref(), Some("3.0"));
    key(&mut state, "esc");
    press(&mut state, "j j m");
    assert_eq!(state.marked, None, "again takes it away");
    // The oldest has none before it: that is said, and nothing is asked.
    press(&mut state, "G");
    assert_eq!(key(&mut state, "d"), []);
    assert!(matches!(state.layers.last(), Some(Layer::Diff { from: None, .. })));
    press(&mut state, "1");
    assert_eq!(key(&mut state, "d"), [], "elsewhere the key means nothing");
}

#[test]
fn the_measures_are_asked_for_each_window_and_an_answer_about_another_one_is_ignored() {
    let mut state = watched();
    let days = |all: Vec<Ask>| match all.as_slice() {
        [Ask::Dora { days, rows, .. }] => (*days, rows.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(days(key(&mut state, "w")), (28, 9));
    assert_eq!(days(key(&mut state, "w")).0, 90);
    let table = |days| Arc::new(Table { days, now: at(0), rows: vec![], more: 0, read_since: None });
    tell(&mut state, Told::Dora { table: table(28) });
    assert!(matches!(state.layers.last(), Some(Layer::Dora { days: 90, table: None, .. })));
    tell(&mut state, Told::Dora { table: table(90) });
    assert!(matches!(state.layers.last(), Some(Layer::Dora { table: Some(_), .. })));
    assert_eq!(days(key(&mut state, "w")).0, 7);
    state.layers = vec![Layer::Service { name: "web".into(), spot: Default::default() }];
    assert_eq!(days(key(&mut state, "w")).0, 28);
    assert!(matches!(state.layers.last(), Some(Layer::Dora { service: Some(name), .. }) if name == "web"));
}
