//! The pages of the wizard of a silence as text, at 80x24.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::ask::{Told, WishOf};
use crate::app::key::Key;
use crate::app::layer::Pane;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::app::wizard::{Shown, dialog, held};
use crate::model::alert::{AlertState, tests::alert};
use crate::model::plan::Planned;
use crate::model::plan::silence::{Ground, judge, plan};
use crate::model::reading::Outcome;
use crate::model::silence::{SilenceMatcher, fingerprint};
use crate::model::source::{AlertmanagerAnswer, Answer};
use crate::ui::fixture::{alertmanager_answer, buffer, styles, text, trouble};

const SIZE: (u16, u16) = (80, 24);
const ID: &str = "2b614108-0c1f-4b7a-9c3e-5a1d2f3e4b5c";

fn press(state: &mut State, keys: &str) {
    keys.split(' ').for_each(|key| {
        update(state, Message::Key(key.parse().unwrap()));
    });
}

fn write(state: &mut State, text: &str) {
    text.chars().for_each(|c| {
        update(state, Message::Key(Key::char(c)));
    });
}

/// The disks of one array fire; where `silenced`, something mutes them.
fn answer(silenced: bool, now: jiff::Timestamp) -> AlertmanagerAnswer {
    let disk = |device: &str, severity: &str| {
        let labels = [
            ("alertname", "DiskFull"),
            ("device", device),
            ("instance", "db1.fra1.example.org:9100"),
            ("service", "search"),
            ("severity", severity),
            ("site", "fra1"),
        ];
        let mut one = alert(&labels, if silenced { AlertState::Silenced } else { AlertState::Firing }, now.as_second() - 300);
        let of = Arc::make_mut(&mut one);
        of.fingerprint = fingerprint(&of.labels).into();
        of.receivers = vec!["pager".into(), "chat".into()];
        of.silenced_by = if silenced { vec![ID.into()] } else { vec![] };
        one
    };
    let mut answer = alertmanager_answer(vec![disk("sda", "critical"), disk("sdb", "warning"), disk("sdc", "warning")]);
    for silence in &mut answer.silences {
        silence.id = ID.into();
        silence.matchers = vec![SilenceMatcher::equal("alertname", "DiskFull"), SilenceMatcher::equal("service", "search")];
    }
    answer
}

/// On the Alerts pane, an alert selected.
fn opened(silenced: bool) -> (State, AlertmanagerAnswer) {
    let mut state = trouble(SIZE);
    let answer = answer(silenced, state.now);
    let outcome = Outcome::Value { value: Answer::Alertmanager(Arc::new(answer.clone())), as_of: state.now };
    let next_try = state.now + SignedDuration::from_secs(10);
    update(&mut state, Message::Read { source: 0, outcome, next_try });
    let derived = crate::app::derive::Derivation::of(&state).carry_out();
    update(&mut state, Message::Derived(Box::new(derived)));
    state.pane = Pane::Alerts;
    state.show_muted = true;
    crate::app::pane::refresh(&mut state);
    if silenced {
        // What is found by itself comes before what is muted.
        press(&mut state, "j");
    }
    (state, answer)
}

fn planned(state: &mut State, answer: &AlertmanagerAnswer) {
    let of = held(state).unwrap();
    let (number, Some(WishOf::Silence { wish, reason, .. })) = (of.number, of.wished.clone()) else { panic!("{:?}", of.wished) };
    let ground = Ground { estate: &state.estate, source: &state.estate.sources[0], answer, now: state.now };
    let plan = plan(&ground, &wish, "ann@jump", &reason).unwrap();
    let planned = Planned { checks: judge(&ground, &plan, None), plan, candidates: vec![] };
    update(state, Message::Told(Box::new(Told::Plan { number, result: Ok(Arc::new(planned)) })));
}

fn shown(screen: &str) -> State {
    let (mut state, answer) = opened(matches!(screen, "extend" | "expire" | "alert"));
    match screen {
        "ack" => press(&mut state, "A"),
        "extend" => press(&mut state, "E +"),
        "expire" => press(&mut state, "X"),
        "alert" => press(&mut state, "enter"),
        "pane" => {}
        _ => press(&mut state, "S j space +"),
    }
    if matches!(screen, "ack" | "extend" | "expire" | "alert" | "pane" | "what") {
        return state;
    }
    press(&mut state, "enter");
    write(&mut state, "the array is rebuilt, INC-4711");
    if screen == "reason" {
        return state;
    }
    press(&mut state, "enter");
    if screen != "planning" {
        planned(&mut state, &answer);
    }
    if matches!(screen, "checks" | "confirm") {
        press(&mut state, "enter");
    }
    if screen == "confirm" {
        press(&mut state, "enter");
        let since = state.now;
        state.wizards.shown = dialog(&state).map(|dialog| Shown { dialog, since });
        state.now += SignedDuration::from_millis(700);
    }
    state
}

#[test]
fn every_page_of_a_silence() {
    for screen in ["pane", "alert", "ack", "what", "extend", "expire", "reason", "planning", "impact", "checks", "confirm"] {
        let mut state = shown(screen);
        let drawn = buffer(&state, SIZE);
        insta::assert_snapshot!(format!("silence_{screen}"), format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n")));
        state.look.ascii = true;
        assert!(buffer(&state, SIZE).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
    }
}

#[test]
fn no_size_breaks_a_page_of_a_silence_and_its_end_is_always_in_sight() {
    for screen in ["ack", "what", "extend", "expire", "impact", "confirm"] {
        for size in [(1, 1), (60, 16), (79, 23), (300, 20)] {
            let mut state = shown(screen);
            update(&mut state, Message::Resize(size.0, size.1));
            for key in ["j", "k", "G", "+", "-", "space"] {
                let lines = text(&buffer(&state, size));
                if size.0 >= 60 && matches!(screen, "ack" | "what" | "extend") {
                    assert!(
                        lines.iter().any(|line| line.contains("until") && line.contains("(in ")),
                        "{screen} {size:?}\n{}",
                        lines.join("\n")
                    );
                }
                press(&mut state, key);
            }
        }
    }
}
