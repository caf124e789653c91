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
use crate::model::reading::{FailureKind, Outcome};
use crate::model::silence::{SilenceMatcher, fingerprint};
use crate::model::source::{AlertmanagerAnswer, Answer};
use crate::ui::fixture::{alertmanager_answer, buffer, styles, text, trouble};

const SIZE: (u16, u16) = (80, 24);
const ID: &str = "2b614108-0c1f-4b7a-9c3e-5a1d2f3e4b5c";

/// A console under hands.
struct Desk {
    state: State,
}

impl Desk {
    fn take(&mut self, message: Message) {
        update(&mut self.state, message);
    }

    fn press(&mut self, keys: &str) {
        keys.split(' ').for_each(|key| self.take(Message::Key(key.parse().unwrap())));
    }

    fn write(&mut self, text: &str) {
        text.chars().for_each(|c| self.take(Message::Key(Key::char(c))));
    }

    fn planned(&mut self, answer: &AlertmanagerAnswer) {
        let of = held(&self.state).unwrap();
        let (number, Some(WishOf::Silence { wish, reason, .. })) = (of.number, of.wished.clone()) else { panic!("{:?}", of.wished) };
        let (estate, now) = (&self.state.estate, self.state.now);
        let ground = Ground { estate, source: &estate.sources[0], answer, now };
        let plan = plan(&ground, &wish, "ann@jump", &reason).unwrap();
        let planned = Planned { checks: judge(&ground, &plan, None), plan, candidates: vec![] };
        self.take(Message::Told(Box::new(Told::Plan { number, result: Ok(Arc::new(planned)) })));
    }
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

/// Ten thousand alerts of one kind; labels that a terminal would obey, and that are longer than any line.
fn worst(now: jiff::Timestamp) -> AlertmanagerAnswer {
    let one = |n: usize| {
        let (instance, long) = (format!("web{n:05}\u{1b}[2J\u{202e}"), "path/".repeat(600));
        let labels = [("alertname", "DiskFull"), ("instance", &instance), ("path", &long), ("service", "search"), ("severity", "critical")];
        let mut one = alert(&labels, AlertState::Firing, now.as_second() - 300);
        let of = Arc::make_mut(&mut one);
        of.fingerprint = fingerprint(&of.labels).into();
        one
    };
    alertmanager_answer((0..10_000).map(one).collect())
}

/// On the Alerts pane, an alert selected.
fn opened(silenced: bool) -> (Desk, AlertmanagerAnswer) {
    let desk = Desk { state: trouble(SIZE) };
    let answer = answer(silenced, desk.state.now);
    over(desk, answer, silenced)
}

fn over(mut desk: Desk, answer: AlertmanagerAnswer, silenced: bool) -> (Desk, AlertmanagerAnswer) {
    let outcome = Outcome::Value { value: Answer::Alertmanager(Arc::new(answer.clone())), as_of: desk.state.now };
    let next_try = desk.state.now + SignedDuration::from_secs(10);
    desk.take(Message::Read { source: 0, outcome, next_try });
    let derived = crate::app::derive::Derivation::of(&desk.state).carry_out();
    desk.take(Message::Derived(Box::new(derived)));
    desk.state.pane = Pane::Alerts;
    // Nobody had read another row before.
    desk.state.slid = None;
    desk.state.show_muted = true;
    crate::app::pane::refresh(&mut desk.state);
    if silenced {
        // What is found by itself comes before what is muted.
        desk.press("j");
    }
    (desk, answer)
}

fn shown(screen: &str) -> Desk {
    let (mut desk, answer) = opened(matches!(screen, "extend" | "expire" | "alert"));
    match screen {
        "ack" => desk.press("A"),
        "extend" => desk.press("E +"),
        "expire" => desk.press("X"),
        "alert" => desk.press("enter"),
        "pane" => {}
        _ => desk.press("S j space +"),
    }
    if matches!(screen, "ack" | "extend" | "expire" | "alert" | "pane" | "what") {
        return desk;
    }
    desk.press("enter");
    desk.write("the array is rebuilt, INC-4711");
    if screen == "reason" {
        return desk;
    }
    desk.press("enter");
    if screen != "planning" {
        desk.planned(&answer);
    }
    if matches!(screen, "checks" | "confirm") {
        desk.press("enter");
    }
    if screen == "confirm" {
        desk.press("enter");
        let since = desk.state.now;
        desk.state.wizards.shown = dialog(&desk.state).map(|dialog| Shown { dialog, since });
        desk.state.now += SignedDuration::from_millis(700);
    }
    desk
}

#[test]
fn every_page_of_a_silence() {
    for screen in ["pane", "alert", "ack", "what", "extend", "expire", "reason", "planning", "impact", "checks", "confirm"] {
        let mut desk = shown(screen);
        let drawn = buffer(&desk.state, SIZE);
        insta::assert_snapshot!(format!("silence_{screen}"), format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n")));
        desk.state.look.ascii = true;
        assert!(buffer(&desk.state, SIZE).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
    }
}

/// What goes wrong, and what is more than fits.
fn broken(screen: &str, size: (u16, u16)) -> Desk {
    let mut desk = Desk { state: trouble(size) };
    if screen.starts_with("worst") {
        let answer = worst(desk.state.now);
        let (mut desk, answer) = over(desk, answer, false);
        if screen == "worst_many" {
            desk.state.marks.all = desk.state.view.alerts.iter().filter(|alert| alert.name() == "DiskFull").take(50).cloned().collect();
            desk.press("S G");
            return desk;
        }
        // Whatever is of the same kind: nothing but the name and the service are left.
        desk.press("S j space");
        if screen == "worst_what" {
            return desk;
        }
        desk.press("enter");
        desk.write(&"the array is rebuilt ".repeat(30));
        desk.press("enter");
        desk.planned(&answer);
        return desk;
    }
    if screen == "gone" {
        // The Alertmanager stopped answering before the key.
        let answer = answer(false, desk.state.now);
        desk = over(desk, answer, false).0;
        let what = "connect to am-1:9093: connection refused".to_owned();
        let (at, next_try) = (desk.state.now, desk.state.now + SignedDuration::from_secs(10));
        let outcome = Outcome::Failed { kind: FailureKind::Unreachable, what, at };
        desk.take(Message::Read { source: 0, outcome, next_try });
        let derived = crate::app::derive::Derivation::of(&desk.state).carry_out();
        desk.take(Message::Derived(Box::new(derived)));
        desk.state.now += SignedDuration::from_mins(2);
        desk.state.slid = None;
        desk.press("A");
        return desk;
    }
    if screen == "none_to_end" {
        let answer = answer(false, desk.state.now);
        desk = over(desk, answer, false).0;
        desk.press("X");
        return desk;
    }
    desk = shown(if matches!(screen, "unplanned" | "refused") { "planning" } else { "confirm" });
    desk.take(Message::Resize(size.0, size.1));
    let number = held(&desk.state).unwrap().number;
    if matches!(screen, "unplanned" | "refused") {
        let why = match screen {
            "refused" => "am: GET http://am-1:9093/api/v2/alerts: 403 Forbidden; nothing was planned",
            _ => "am: POST /api/v2/silences: connection refused; nothing was planned",
        };
        let why = why.to_owned();
        desk.take(Message::Told(Box::new(Told::Plan { number, result: Err(why) })));
        return desk;
    }
    let phrase = held(&desk.state).unwrap().plan().unwrap().phrase();
    desk.press("tab");
    desk.write(&phrase);
    desk.press("enter");
    let why = "no runner showed within 30 s that it lives, and nobody knows whether one began: `qd runs` lists what did".to_owned();
    desk.take(Message::Told(Box::new(Told::Started { number, result: Err(why) })));
    desk
}

/// With the three disks marked.
fn bulk(screen: &str) -> Desk {
    let (mut desk, answer) = opened(screen == "many_expire");
    desk.state.marks.all = desk.state.view.alerts.iter().filter(|alert| alert.name() == "DiskFull").cloned().collect();
    match screen {
        "many_expire" => desk.press("X"),
        "many_silence" | "many_menu" => desk.press(if screen == "many_menu" { "." } else { "S" }),
        _ => desk.press("A"),
    }
    if screen.starts_with("many_of") {
        desk.press("j space enter");
        desk.write("the array is rebuilt, INC-4711");
        desk.press("enter");
        desk.planned(&answer);
    }
    if screen == "many_of_confirm" {
        desk.press("enter enter");
        let since = desk.state.now;
        desk.state.wizards.shown = dialog(&desk.state).map(|dialog| Shown { dialog, since });
        desk.state.now += SignedDuration::from_millis(700);
    }
    desk
}

#[test]
fn several_marked_alerts_go_through_one_wizard() {
    for screen in ["many_ack", "many_silence", "many_expire", "many_menu", "many_of_impact", "many_of_confirm"] {
        let mut desk = bulk(screen);
        insta::assert_snapshot!(format!("silence_{screen}"), text(&buffer(&desk.state, SIZE)).join("\n"));
        desk.state.look.ascii = true;
        assert!(buffer(&desk.state, SIZE).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
    }
}

#[test]
fn a_silence_at_its_worst() {
    for size in [SIZE, (200, 60)] {
        for screen in ["worst_what", "worst_many", "worst_impact", "none_to_end", "unplanned", "refused", "gone", "failed"] {
            let desk = broken(screen, size);
            let drawn = buffer(&desk.state, size);
            let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!drawn.content().iter().any(|cell| cell.symbol().chars().any(bad)), "{screen}");
            insta::assert_snapshot!(format!("silence_{screen}_{}", size.0), text(&drawn).join("\n"));
        }
    }
}

#[test]
fn no_size_breaks_a_page_of_a_silence_and_its_end_is_always_in_sight() {
    for screen in ["ack", "what", "extend", "expire", "impact", "confirm"] {
        for size in [(1, 1), (60, 16), (79, 23), (300, 20)] {
            let mut desk = shown(screen);
            desk.take(Message::Resize(size.0, size.1));
            for key in ["j", "k", "G", "+", "-", "space"] {
                let lines = text(&buffer(&desk.state, size));
                if size.0 >= 60 && matches!(screen, "ack" | "what" | "extend") {
                    assert!(
                        lines.iter().any(|line| line.contains("until") && line.contains("(in ")),
                        "{screen} {size:?}\n{}",
                        lines.join("\n")
                    );
                }
                desk.press(key);
            }
        }
    }
}
