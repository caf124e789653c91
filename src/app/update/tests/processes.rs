//! The wizard of a service act under hands: nothing is chosen for a person but the hosts, and nothing is asked before.

use super::*;
use crate::app::ask::{Ask as Question, Told, WishOf};
use crate::app::wizard::{Shown, Standing, Step, Subject, Wizard, dialog, held};
use crate::model::check::Verdict;
use crate::model::plan::sample::{check, restart};
use crate::model::plan::{Deed, Planned};

const HOSTS: [&str; 2] = ["web1", "web2"];

fn key(state: &mut State, keys: &str) -> Vec<Question> {
    let ask = |effect| match effect {
        Effect::Ask(ask) => Some(*ask),
        _ => None,
    };
    let all = press(state, keys).into_iter().filter_map(ask);
    all.filter(|ask| !matches!(ask, Question::Deployments(_) | Question::DeploymentCount { .. })).collect()
}

fn wizard(state: &State) -> &Wizard {
    held(state).unwrap()
}

fn tell(state: &mut State, told: Told) {
    update(state, Message::Told(Box::new(told)));
}

/// A console on the page of a service that lies on hosts.
fn served() -> State {
    let mut state = console();
    crate::model::operations::tests::lay(Arc::make_mut(&mut state.estate), "web", &HOSTS);
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    state
}

fn wanted(number: u64, deed: Deed, hosts: &[&str]) -> Question {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    Question::Plan { number, wish: WishOf::Processes { deed, service: "web".into(), hosts } }
}

fn plan(state: &mut State, planned: Planned) {
    let number = wizard(state).number;
    tell(state, Told::Plan { number, result: Ok(Arc::new(planned)) });
}

#[test]
fn nothing_is_done_before_it_is_chosen_and_what_was_chosen_is_what_is_planned() {
    let mut state = served();
    assert!(key(&mut state, "U").is_empty(), "no host is asked yet");
    assert_eq!(wizard(&state).step, Step::What);
    assert!(key(&mut state, "enter").is_empty());
    assert!(wizard(&state).said.as_deref().unwrap().contains("choose first what is done"), "{:?}", wizard(&state).said);
    // On web2 alone: the cursor goes over the three acts and web1.
    press(&mut state, "space j j j j space");
    assert_eq!(key(&mut state, "enter"), [wanted(1, Deed::Restart, &["web1"])]);
    assert_eq!(wizard(&state).step, Step::Impact);
    let planned = restart(&["web1"], state.now);
    plan(&mut state, planned);
    // The same choice again keeps the plan, another one makes another.
    assert!(key(&mut state, "esc enter").is_empty());
    press(&mut state, "esc k space");
    assert!(matches!(&wizard(&state).subject, Subject::Processes(of) if of.chosen().next().is_none()));
    assert!(key(&mut state, "enter").is_empty() && wizard(&state).said.as_deref().unwrap().contains("choose a host"));
    press(&mut state, "j space");
    assert_eq!(key(&mut state, "enter"), [wanted(2, Deed::Restart, &["web2"])]);
}

#[test]
fn it_is_confirmed_by_the_phrase_alone() {
    let mut state = served();
    press(&mut state, "U space enter");
    let planned = restart(&HOSTS, state.now);
    plan(&mut state, planned);
    press(&mut state, "enter");
    let (number, checks) = (wizard(&state).number, vec![check("identity/web1", Verdict::Pass, "it is", state.now)]);
    tell(&mut state, Told::Checks { number, checks });
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Reason, "{:?}", wizard(&state).said);
    write(&mut state, "it leaks");
    press(&mut state, "enter");
    assert_eq!(wizard(&state).step, Step::Confirm, "{:?}", wizard(&state).said);
    let since = state.now;
    state.wizards.shown = dialog(&state).map(|dialog| Shown { dialog, since });
    state.now += SignedDuration::from_millis(700);
    assert!(key(&mut state, "tab enter").is_empty(), "Enter alone confirms nothing");
    let phrase = wizard(&state).plan().unwrap().phrase();
    write(&mut state, &phrase);
    let all = key(&mut state, "enter");
    assert!(
        matches!(&all[..], [Question::Start { plan, agreement, .. }] if plan.deed == Deed::Restart && agreement.reason == "it leaks"),
        "{all:?}"
    );
}

#[test]
fn the_palette_names_each_act_and_a_console_that_only_reads_none() {
    let mut state = served();
    press(&mut state, ":");
    write(&mut state, "stop web");
    assert!(key(&mut state, "enter").is_empty());
    assert!(matches!(&wizard(&state).subject, Subject::Processes(of) if of.deed == Some(Deed::Stop)), "{:?}", wizard(&state).subject);
    assert_eq!(key(&mut state, "enter"), [wanted(1, Deed::Stop, &[])]);
    let mut state = served();
    state.read_only = true;
    press(&mut state, "U");
    assert!(
        matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("--read-only") && why.contains("qd plan restart web"))
    );
    assert!(key(&mut state, "space enter enter esc").is_empty(), "nothing is asked");
    press(&mut state, ":");
    let Some(Layer::Palette(palette)) = state.layers.last() else { panic!() };
    assert!(!palette.items.iter().any(|item| item.text == "restart web"), "nor is it offered");
}

#[test]
fn a_service_of_which_nothing_is_said_tells_what_to_write() {
    let mut state = console();
    state.layers.push(Layer::Service { name: "web".into(), spot: Spot::default() });
    assert!(key(&mut state, "U").is_empty());
    assert!(matches!(&wizard(&state).standing, Standing::Refused(why) if why.contains("add `restart = ")), "{:?}", wizard(&state).standing);
}
