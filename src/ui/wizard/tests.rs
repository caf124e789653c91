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
use crate::model::operations::tests::lay;
use crate::model::plan::sample::{check, rollback};
use crate::model::plan::{Doubt, Planned};
use crate::ui::fixture::{buffer, deployments, styles, text, twins};

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 50)];
const SCREENS: [&str; 25] = [
    "planning",
    "asking",
    "asking checks",
    "impossible",
    "unplanned",
    "refused",
    "target",
    "dead",
    "left out",
    "left out checks",
    "left out confirm",
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
        text.chars().for_each(|c| self.take(Message::Key(crate::app::key::Key::char(c))));
    }

    fn tell(&mut self, told: Told) {
        self.take(Message::Told(Box::new(told)));
    }

    fn plan(&mut self, result: Result<Planned, String>) {
        let number = held(&self.state).unwrap().number;
        self.tell(Told::Plan { number, result: result.map(Arc::new) });
    }
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

/// The dead host is left out.
fn without_web3(mut desk: Desk, screen: &str) -> Desk {
    desk.press("G space");
    let mut planned = rollback("2.4.0", &HOSTS[..2], desk.state.now);
    planned.doubt(Doubt::left_out("web3"));
    planned.plan.impact.keeps.insert(0, "web3 is left out: it keeps what runs there, which was not looked at.".into());
    let checks = planned.checks.clone();
    desk.plan(Ok(planned));
    if screen == "left out" {
        return desk;
    }
    desk.press("enter enter enter");
    let number = held(&desk.state).unwrap().number;
    desk.tell(Told::Checks { number, checks });
    if screen == "left out checks" {
        return desk;
    }
    desk.press("v");
    desk.write("its rack has no power");
    desk.press("enter enter");
    desk.write("checkout 5xx since 2.5.0");
    desk.press("enter");
    desk
}

#[test]
fn every_page_of_a_service_act() {
    for screen in ["what", "chosen", "impact", "confirm"] {
        let mut desk = Desk { state: deployments::deployed((80, 24)) };
        lay(Arc::make_mut(&mut desk.state.estate), "checkout", &HOSTS);
        desk.state.layers.push(Layer::Service { name: "checkout".into(), spot: Default::default() });
        desk.press("U");
        if screen != "what" {
            desk.press("space G space");
        }
        if matches!(screen, "impact" | "confirm") {
            desk.press("enter");
            let mut planned = crate::model::plan::sample::restart(&HOSTS[..2], desk.state.now);
            planned.plan.subject = "checkout".into();
            planned.plan.impact.does = vec!["checkout is stopped and started again on web1, web2.".into()];
            desk.plan(Ok(planned));
        }
        if screen == "confirm" {
            desk.press("enter");
            let number = held(&desk.state).unwrap().number;
            let checks = vec![check("identity/web1", Verdict::Pass, "the same machine-id", desk.state.now)];
            desk.tell(Told::Checks { number, checks });
            desk.press("enter");
            desk.write("it leaks");
            desk.press("enter");
            let since = desk.state.now;
            desk.state.wizards.shown = dialog(&desk.state).map(|dialog| Shown { dialog, since });
            desk.state.now += SignedDuration::from_millis(700);
        }
        let drawn = buffer(&desk.state, (80, 24));
        insta::assert_snapshot!(format!("processes_{screen}"), text(&drawn).join("\n"));
        desk.state.look.ascii = true;
        assert!(buffer(&desk.state, (80, 24)).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
    }
}

/// Goes to a screen as hands do.
fn shown(screen: &str, size: (u16, u16)) -> Desk {
    let mut desk = Desk { state: deployments::deployed(size) };
    lay(Arc::make_mut(&mut desk.state.estate), "web", &HOSTS);
    desk.state.layers.push(Layer::Wizard(Box::new(Wizard::new("web".into()))));
    desk.state.read_only = screen == "refused";
    if screen == "impossible" {
        desk.state.layers.clear();
        desk.state.layers.push(Layer::Service { name: "search".into(), spot: Default::default() });
        desk.press("R");
        return desk;
    }
    if screen == "refused" {
        desk.state.layers.clear();
        desk.state.layers.push(Layer::Service { name: "checkout".into(), spot: Default::default() });
        desk.press("R");
        return desk;
    }
    desk.take(Message::Tick);
    match screen {
        "planning" => return desk,
        "asking" => {
            let number = held(&desk.state).unwrap().number;
            desk.tell(Told::Heard { number, host: "web1".into(), end: Ok(()) });
            desk.tell(Told::Heard { number, host: "web3".into(), end: Err("web3: ssh: No route to host".into()) });
            desk.state.now += SignedDuration::from_secs(12);
            return desk;
        }
        "unplanned" => {
            desk.plan(Err("web2 cannot be reached: Connection refused; ssh web2 shows more".into()));
            return desk;
        }
        _ => {}
    }
    if screen == "dead" {
        let why = "web3: ssh: connect to host web3.example.org port 22: No route to host; a host can be left out on the first page; nothing was planned";
        desk.plan(Err(why.into()));
        desk.press("G");
        return desk;
    }
    if screen.starts_with("left out") {
        return without_web3(desk, screen);
    }
    let planned = rollback("2.4.0", &HOSTS, desk.state.now);
    desk.plan(Ok(planned.clone()));
    match screen {
        "target" => return desk,
        "release" => desk.press("enter"),
        "release blocked" => desk.press("enter G enter"),
        "impact" => desk.press("enter enter"),
        _ => desk.press("enter enter enter"),
    }
    if screen == "asking checks" {
        let number = held(&desk.state).unwrap().number;
        let told = checks(&desk.state, "checks");
        desk.tell(Told::Checks { number, checks: told });
        desk.state.now += SignedDuration::from_secs(10);
        desk.take(Message::Tick);
        for host in ["web1", "web3"] {
            desk.tell(Told::Heard { number, host: host.into(), end: Ok(()) });
        }
        desk.state.now += SignedDuration::from_secs(7);
        return desk;
    }
    if matches!(screen, "release" | "release blocked" | "impact") {
        return desk;
    }
    let number = held(&desk.state).unwrap().number;
    let told = checks(&desk.state, screen);
    desk.tell(Told::Checks { number, checks: told });
    desk.state.now += SignedDuration::from_secs(4);
    match screen {
        "checks" | "block" => return desk,
        "glass" => {
            desk.press("B");
            desk.write("checkout is down, the IC agreed");
            desk.press("enter");
            return desk;
        }
        _ => {}
    }
    desk.press("v");
    desk.write("old releases are cleared at 15:00, 410 MB are enough");
    if screen == "override" {
        return desk;
    }
    desk.press("enter");
    if screen == "overridden" {
        return desk;
    }
    desk.press("enter");
    desk.write("checkout 5xx since 2.5.0 was put there");
    if screen == "reason" {
        return desk;
    }
    desk.press("enter");
    let since = desk.state.now;
    desk.state.wizards.shown = dialog(&desk.state).map(|dialog| Shown { dialog, since });
    desk.state.now += SignedDuration::from_millis(700);
    let phrase = held(&desk.state).unwrap().plan().unwrap().phrase();
    match screen {
        "wrong" => {
            desk.press("tab");
            desk.write("web 123");
            desk.press("enter");
        }
        "moved" => {
            let mut other = planned;
            other.plan.from = Some("2.5.1".into());
            desk.plan(Ok(other));
        }
        "expired" => {
            desk.state.now += SignedDuration::from_mins(11);
            desk.take(Message::Tick);
        }
        "failed" => {
            desk.press("tab");
            desk.write(&phrase);
            desk.press("enter");
            let why = "the runner ended before it began: the journal's disk is full. Free some, then `qd run rollback web --to 2.4.0`";
            desk.tell(Told::Started { number, result: Err(why.into()) });
        }
        _ => {}
    }
    desk
}

#[test]
fn every_page_of_the_wizard() {
    for size in SIZES {
        for screen in SCREENS {
            let mut desk = shown(screen, size);
            let name = format!("wizard_{}_{}", screen.replace(' ', "_"), size.0);
            let drawn = buffer(&desk.state, size);
            let all = format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n"));
            insta::assert_snapshot!(name, all);
            desk.state.look.ascii = true;
            assert!(buffer(&desk.state, size).content().iter().all(|cell| cell.symbol().is_ascii()), "{screen}");
        }
    }
}

#[test]
fn every_glyph_of_the_wizard_has_its_twin_at_every_size() {
    for size in [(60, 16), (80, 24), (120, 40), (160, 50), (200, 60), (300, 100)] {
        for screen in SCREENS {
            let mut desk = shown(screen, (80, 24));
            desk.take(Message::Resize(size.0, size.1));
            twins(desk.state, size, screen);
        }
    }
}

#[test]
fn the_phrase_and_the_way_out_are_on_the_smallest_screen_and_the_dialog_is_not_wider_on_the_widest() {
    assert_eq!(SMALLEST, crate::ui::SMALLEST);
    for size in [(60, 16), (80, 24), (200, 60), (300, 100)] {
        let mut desk = shown("confirm", (80, 24));
        desk.take(Message::Resize(size.0, size.1));
        let phrase = held(&desk.state).unwrap().plan().unwrap().phrase();
        let lines = text(&buffer(&desk.state, size));
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
            let mut desk = shown(screen, (80, 24));
            desk.take(Message::Resize(size.0, size.1));
            for key in ["j", "k", "G", "down", "tab"] {
                buffer(&desk.state, size);
                desk.press(key);
            }
        }
    }
}

#[test]
fn no_click_and_no_turn_of_the_wheel_confirms_or_starts_anything() {
    use crate::app::ask::Ask;
    use crate::app::effect::Effect;
    use crate::app::target::Target;
    use crate::ui::hit::sight;
    let mut choices = 0;
    for size in [(60, 16), (80, 24), (160, 50)] {
        for screen in SCREENS {
            let mut desk = shown(screen, (80, 24));
            desk.take(Message::Resize(size.0, size.1));
            let now = held(&desk.state).map(|of| (of.step, of.confirm.focus, of.standing.clone()));
            for place in sight(&desk.state).places() {
                let mut state = desk.state.clone();
                for _ in 0..3 {
                    for effect in update(&mut state, Message::Click(place.target.clone())) {
                        let Effect::Ask(ask) = effect else { continue };
                        assert!(!matches!(*ask, Ask::Start { .. }), "{screen}: {place:?}");
                    }
                }
                if let Target::Choice(_) = &place.target {
                    choices += 1;
                    assert_eq!(held(&state).map(|of| of.step), held(&desk.state).map(|of| of.step), "{screen}");
                }
            }
            for by in [3, -3, 3] {
                update(&mut desk.state, Message::Wheel { by, right: false });
            }
            assert_eq!(held(&desk.state).map(|of| (of.step, of.confirm.focus, of.standing.clone())), now, "{screen}");
        }
    }
    assert!(choices > 20, "{choices}");
}

#[test]
fn a_click_selects_the_choice_that_is_drawn_there() {
    use crate::app::target::Target;
    use crate::ui::hit::sight;
    for size in SIZES {
        for screen in ["release", "checks", "block"] {
            let desk = shown(screen, size);
            let mut seen: Vec<Target> = Vec::new();
            for place in sight(&desk.state).places() {
                if !matches!(place.target, Target::Choice(_)) || seen.contains(&place.target) {
                    continue;
                }
                seen.push(place.target.clone());
                let before = text(&buffer(&desk.state, size))[usize::from(place.y)].replace('>', " ");
                let mut state = desk.state.clone();
                update(&mut state, Message::Click(place.target.clone()));
                let lines = text(&buffer(&state, size));
                let words = before.split_whitespace().next().unwrap_or_default();
                let marked = lines.iter().any(|line| line.contains('>') && line.replace('>', " ").trim_start().starts_with(words));
                assert!(marked, "{screen} {words}\n{}", lines.join("\n"));
            }
            assert!(seen.len() > 1, "{screen}");
        }
    }
}

#[test]
fn each_key_of_a_wizards_footer_does_something_there() {
    let (mut pressed, mut all) = (0, Vec::new());
    for keymap in crate::ui::footer::tests::keymaps() {
        // Of a phrase that is wrong the key itself says that it waits for the right one.
        for screen in SCREENS.into_iter().filter(|screen| *screen != "wrong") {
            let mut desk = shown(screen, (160, 50));
            desk.state.size = (160, 50);
            // It has been read.
            desk.state.now += SignedDuration::from_secs(2);
            let (keys, mut none) = crate::ui::footer::tests::idle(&desk.state, screen, &keymap);
            pressed += keys;
            all.append(&mut none);
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(pressed > 200, "{pressed}");
}
