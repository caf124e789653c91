//! Every page of the wizard as text, at both sizes.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::ask::Told;
use crate::app::layer::Layer;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::app::wizard::{SMALLEST, Shown, Wizard, dialog, held};
use crate::model::check::{Check, Verdict};
use crate::model::plan::Planned;
use crate::model::plan::sample::{check, rollback};
use crate::ui::fixture::{buffer, deployments, styles, text};

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];
const SCREENS: [&str; 18] = [
    "planning",
    "unplanned",
    "refused",
    "target",
    "release",
    "release blocked",
    "impact",
    "checks",
    "override",
    "overridden",
    "block",
    "glass",
    "reason",
    "confirm",
    "wrong",
    "moved",
    "expired",
    "failed",
];
const HOSTS: [&str; 3] = ["web1", "web2", "web3"];

fn press(state: &mut State, keys: &str) {
    keys.split(' ').for_each(|key| drop(update(state, Message::Key(key.parse().unwrap()))));
}

fn write(state: &mut State, text: &str) {
    text.chars().for_each(|c| drop(update(state, Message::Key(crate::app::key::Key::char(c)))));
}

fn tell(state: &mut State, told: Told) {
    update(state, Message::Told(Box::new(told)));
}

fn plan(state: &mut State, result: Result<Planned, String>) {
    let number = held(state).unwrap().number;
    tell(state, Told::Plan { number, result: result.map(Arc::new) });
}

fn checks(state: &State, of: &str) -> Vec<Check> {
    let now = state.now;
    let mut all: Vec<Check> =
        HOSTS.iter().map(|host| check(&format!("identity/{host}"), Verdict::Pass, "the same machine-id", now)).collect();
    all.extend(HOSTS.iter().map(|host| check(&format!("release/{host}"), Verdict::Pass, "releases/2.4.0 is there", now)));
    let full = "92 % of /srv is used, 410 MB are left: clear old releases";
    all.push(check("disk/web2", Verdict::Warn, full, now));
    if matches!(of, "block" | "glass") {
        let mut lost = check("clock/web3", Verdict::Unknown, "chronyc gave no answer in time", now);
        lost.overridable = true;
        all.push(lost);
        let mut freeze = check("freeze", Verdict::Block, "year end freeze, until 2026-12-02 08:00Z", now);
        freeze.glass = true;
        all.push(freeze);
    }
    if of == "block" {
        all.push(check("lease/web3", Verdict::Block, "held by web-20261121T055501Z-77aa of jl@jump2: `qd show` it there", now));
    }
    all
}

/// Goes to a screen as hands do.
fn shown(screen: &str, size: (u16, u16)) -> State {
    let mut state = deployments::deployed(size);
    state.layers.push(Layer::Wizard(Box::new(Wizard::new("web".into()))));
    state.read_only = screen == "refused";
    if screen == "refused" {
        state.layers.clear();
        state.layers.push(Layer::Service { name: "checkout".into(), spot: Default::default() });
        press(&mut state, "R");
        return state;
    }
    update(&mut state, Message::Tick);
    match screen {
        "planning" => return state,
        "unplanned" => {
            plan(&mut state, Err("web2 cannot be reached: Connection refused; ssh web2 shows more".into()));
            return state;
        }
        _ => {}
    }
    let planned = rollback("2.4.0", &HOSTS, state.now);
    plan(&mut state, Ok(planned.clone()));
    match screen {
        "target" => return state,
        "release" => press(&mut state, "enter"),
        "release blocked" => press(&mut state, "enter G enter"),
        "impact" => press(&mut state, "enter enter"),
        _ => press(&mut state, "enter enter enter"),
    }
    if matches!(screen, "release" | "release blocked" | "impact") {
        return state;
    }
    let number = held(&state).unwrap().number;
    let told = checks(&state, screen);
    tell(&mut state, Told::Checks { number, checks: told });
    state.now += SignedDuration::from_secs(4);
    match screen {
        "checks" | "block" => return state,
        "glass" => {
            press(&mut state, "B");
            write(&mut state, "checkout is down, the IC agreed");
            press(&mut state, "enter");
            return state;
        }
        _ => {}
    }
    press(&mut state, "v");
    write(&mut state, "old releases are cleared at 15:00, 410 MB are enough");
    if screen == "override" {
        return state;
    }
    press(&mut state, "enter");
    if screen == "overridden" {
        return state;
    }
    press(&mut state, "enter");
    write(&mut state, "checkout 5xx since 2.5.0 was put there");
    if screen == "reason" {
        return state;
    }
    press(&mut state, "enter");
    let since = state.now;
    state.wizards.shown = dialog(&state).map(|dialog| Shown { dialog, since });
    state.now += SignedDuration::from_millis(700);
    let phrase = held(&state).unwrap().plan().unwrap().phrase();
    match screen {
        "wrong" => {
            press(&mut state, "tab");
            write(&mut state, "web 123");
            press(&mut state, "enter");
        }
        "moved" => {
            let mut other = planned;
            other.plan.from = Some("2.5.1".into());
            plan(&mut state, Ok(other));
        }
        "expired" => {
            state.now += SignedDuration::from_mins(11);
            update(&mut state, Message::Tick);
        }
        "failed" => {
            press(&mut state, "tab");
            write(&mut state, &phrase);
            press(&mut state, "enter");
            let why = "the runner ended before it began: the journal's disk is full. Free some, then `qd run rollback web --to 2.4.0`";
            tell(&mut state, Told::Started { number, result: Err(why.into()) });
        }
        _ => {}
    }
    state
}

#[test]
fn every_page_of_the_wizard() {
    for size in SIZES {
        for screen in SCREENS {
            let mut state = shown(screen, size);
            let name = format!("wizard_{}_{}", screen.replace(' ', "_"), size.0);
            let drawn = buffer(&state, size);
            let all = format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n"));
            insta::assert_snapshot!(name, all);
            state.look.ascii = true;
            assert!(buffer(&state, size).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
        }
    }
}

#[test]
fn the_phrase_and_the_way_out_are_on_the_smallest_screen_and_the_dialog_is_not_wider_on_the_widest() {
    assert_eq!(SMALLEST, crate::ui::SMALLEST);
    for size in [(60, 16), (80, 24), (200, 60), (300, 100)] {
        let mut state = shown("confirm", (80, 24));
        update(&mut state, Message::Resize(size.0, size.1));
        let phrase = held(&state).unwrap().plan().unwrap().phrase();
        let lines = text(&buffer(&state, size));
        assert!(lines.iter().any(|line| line.contains("[ Cancel ]")), "{size:?}\n{}", lines.join("\n"));
        assert!(lines.iter().any(|line| line.contains(&phrase)), "{size:?}");
        let body = &lines[2..lines.len() - 1];
        let left = body.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min().unwrap();
        assert!(body.iter().all(|line| line.chars().count() <= left + 80), "{size:?}");
    }
}

#[test]
fn no_size_and_no_page_breaks() {
    for screen in SCREENS {
        for size in [(1, 1), (60, 16), (61, 17), (79, 23), (120, 16), (60, 100), (300, 20)] {
            let mut state = shown(screen, (80, 24));
            update(&mut state, Message::Resize(size.0, size.1));
            for key in ["j", "k", "G", "down", "tab"] {
                buffer(&state, size);
                press(&mut state, key);
            }
        }
    }
}
