//! Several estates: the list, choosing in it, and what keeps this estate open.

use super::*;
use crate::app::ask::{Ask as Question, Told};
use crate::app::contexts::{ContextList, Contexts, Known, Looked};

fn several() -> State {
    let mut state = console();
    let known = |name: &str| Known { name: name.into(), file: format!("/e/{name}.toml"), ..Known::default() };
    state.contexts = Contexts { all: vec![known("shop"), known("trial"), known("far")], open: Some(0) };
    state
}

fn list(state: &State) -> &ContextList {
    match state.layers.last() {
        Some(Layer::Contexts(list)) => list,
        other => panic!("the list is not open: {other:?}"),
    }
}

fn asked(effects: &[Effect]) -> Vec<Question> {
    effects.iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some((**ask).clone()) } else { None }).collect()
}

fn read_file(state: &mut State, name: &str, result: Result<(), Vec<String>>) -> Vec<Effect> {
    update(state, Message::Told(Box::new(Told::Context(name.into(), result))))
}

#[test]
fn the_list_opens_on_the_open_one_and_enter_reads_the_selected_one_before_this_is_left() {
    let mut state = several();
    let effects = press(&mut state, "@");
    assert_eq!(asked(&effects), [Question::Contexts]);
    assert_eq!(list(&state).selected, 0);
    let looked = Looked { estate: "try".into(), environment: "staging".into() };
    update(&mut state, Message::Told(Box::new(Told::Contexts(vec![("trial".into(), Ok(looked.clone()))]))));
    assert_eq!(state.contexts.all[1].looked, Some(Ok(looked)));
    press(&mut state, "j");
    let effects = update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert_eq!(asked(&effects), [Question::Context("trial".into())]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Switch(_))), "not before its file is read");
    assert_eq!(read_file(&mut state, "trial", Ok(())), [Effect::Switch("trial".into())]);
}

#[test]
fn an_estate_that_cannot_be_read_shows_why_and_this_one_stays() {
    let mut state = several();
    press(&mut state, "@");
    press(&mut state, "j");
    update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert!(read_file(&mut state, "trial", Err(vec!["trial.toml:3:1: unknown key".into()])).is_empty());
    assert_eq!(list(&state).refused, ["trial.toml:3:1: unknown key"]);
    update(&mut state, Message::Key(Key::plain(Code::Esc)));
    assert!(state.layers.is_empty());
}

#[test]
fn whoever_left_the_list_or_chose_another_is_not_taken_to_the_first() {
    let mut state = several();
    press(&mut state, "@");
    press(&mut state, "j");
    update(&mut state, Message::Key(Key::plain(Code::Enter)));
    press(&mut state, "j");
    update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert!(read_file(&mut state, "trial", Ok(())).is_empty(), "the later choice counts");
    update(&mut state, Message::Key(Key::plain(Code::Esc)));
    assert!(read_file(&mut state, "far", Ok(())).is_empty(), "nobody waits for it");
}

#[test]
fn the_open_one_is_not_opened_again() {
    let mut state = several();
    press(&mut state, "@");
    let effects = update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert!(asked(&effects).is_empty());
    assert_eq!(list(&state).refused, ["shop is open already"]);
}

#[test]
fn a_wizard_that_is_open_keeps_the_estate_also_where_it_was_opened_meanwhile() {
    let mut state = several();
    state.layers.push(Layer::Wizard(Box::new(crate::app::wizard::Wizard::new("web".into()))));
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    press(&mut state, "@");
    press(&mut state, "j");
    let effects = update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert!(!asked(&effects).iter().any(|ask| matches!(ask, Question::Context(_))));
    assert_eq!(list(&state).refused, ["the wizard of web is open: finish it or leave it first"]);
    let mut state = several();
    press(&mut state, "@");
    press(&mut state, "j");
    update(&mut state, Message::Key(Key::plain(Code::Enter)));
    state.layers.insert(0, Layer::Wizard(Box::new(crate::app::wizard::Wizard::new("web".into()))));
    assert!(!read_file(&mut state, "trial", Ok(())).iter().any(|effect| matches!(effect, Effect::Switch(_))));
    assert_eq!(list(&state).refused.len(), 1);
}

#[test]
fn the_palette_opens_an_estate_by_its_name() {
    let mut state = several();
    press(&mut state, ":");
    write(&mut state, "open estate far");
    let effects = update(&mut state, Message::Key(Key::plain(Code::Enter)));
    assert_eq!(asked(&effects), [Question::Contexts, Question::Context("far".into())]);
    assert_eq!((list(&state).selected, list(&state).wanted.as_deref()), (2, Some("far")));
}

#[test]
fn a_key_that_does_nothing_says_why() {
    let mut state = several();
    state.layers.push(Layer::Wizard(Box::new(crate::app::wizard::Wizard::new("web".into()))));
    for (key, why) in [("@", "the wizard of web is open"), (":", "in a wizard"), ("V", "in a wizard"), ("T", "in a wizard")] {
        press(&mut state, key);
        assert!(state.said.as_ref().is_some_and(|said| said.contains(why)), "{key}: {:?}", state.said);
        assert_eq!(state.layers.len(), 1, "{key}");
    }
    state.layers.clear();
    state.pane = Pane::Operations;
    for key in ["enter", ".", "y"] {
        press(&mut state, key);
        assert_eq!(state.said.as_deref(), Some("nothing is selected here"), "{key}");
    }
    state.layers.push(Layer::Chart { panel: "errors".into(), cursor: None });
    press(&mut state, "K");
    assert!(state.said.as_ref().is_some_and(|said| said.contains("panel of the estate file already")), "{:?}", state.said);
}

#[test]
fn an_alert_that_only_this_console_found_says_why_it_cannot_be_muted() {
    use crate::model::alert::Origin;
    let mut state = console();
    let mut own = (*firing("Own", 0)).clone();
    own.origin = Origin::Quarterdeck;
    state.view = Arc::new(crate::app::state::View { alerts: vec![Arc::new(own)], ..(*state.view).clone() });
    state.pane = Pane::Alerts;
    crate::app::pane::refresh(&mut state);
    for key in ["A", "S", "E", "X"] {
        press(&mut state, key);
        assert!(state.said.as_ref().is_some_and(|said| said.contains("no Alertmanager has it")), "{key}: {:?}", state.said);
        assert!(state.layers.is_empty());
    }
}
