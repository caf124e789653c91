//! That a click hits what stands there: what is drawn is the oracle. A row that was clicked on is the row that is drawn
//! as selected then, and it has the words that stood under the mouse.

use proptest::prelude::*;
use ratatui::buffer::Buffer;

use super::*;
use crate::app::action::{Action, Danger};
use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::Scope;
use crate::app::message::Message;
use crate::app::palette::{Goal, Palette};
use crate::app::update::update;
use crate::ui::fixture::{alert_of, buffer, shown, trouble};

const SCREENS: [&str; 17] = [
    "silences",
    "overview",
    "whole overview",
    "deployed overview",
    "alerts",
    "metrics",
    "databases",
    "backups",
    "deployments",
    "operations past",
    "operations asking",
    "timeline all",
    "alert",
    "service",
    "run asking",
    "deployment",
    "palette",
];
const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (160, 50), (200, 60)];

fn screen(name: &str, size: (u16, u16)) -> State {
    if name == "palette" {
        let mut state = trouble(size);
        let palette = Palette::open(&state);
        state.layers.push(Layer::Palette(palette));
        return state;
    }
    let mut state = shown(name, size);
    pane::settle_top(&mut state);
    state
}

/// The words of a place on the screen, without the mark of selection.
fn words(drawn: &Buffer, of: &Place) -> String {
    (of.x + 1..of.x + of.width).map(|x| drawn[(x, of.y)].symbol()).collect()
}

fn is_marked(drawn: &Buffer, of: &Place) -> bool {
    drawn[(of.x, of.y)].symbol() == ">"
}

#[test]
fn a_click_selects_the_row_that_is_drawn_there_and_scrolls_nothing() {
    let mut clicked = 0;
    for size in SIZES {
        for name in SCREENS {
            let state = screen(name, size);
            let (before, sight) = (buffer(&state, size), sight(&state));
            let mut seen = Vec::new();
            for place in sight.places().iter().filter(|of| !matches!(of.target, Target::Key(..))) {
                // A second line belongs to the row above it.
                if seen.contains(&&place.target) || is_marked(&before, place) {
                    seen.push(&place.target);
                    continue;
                }
                seen.push(&place.target);
                let mut after = state.clone();
                assert_eq!(sight.at(place.x, place.y), Some(&place.target));
                update(&mut after, Message::Click(place.target.clone()));
                assert_eq!(after.layers.len(), state.layers.len(), "{name} {size:?}: the first click opens nothing");
                let drawn = buffer(&after, size);
                let here = super::sight(&after);
                let now = here.places().iter().find(|of| of.target == place.target);
                let now = now.unwrap_or_else(|| panic!("{name} {size:?} {place:?} is gone from the screen"));
                assert!(is_marked(&drawn, now), "{name} {size:?} {place:?}");
                // What a selected line of the Overview or of a run has no room for may be told elsewhere on it.
                assert_eq!(words(&drawn, now), words(&before, place), "{name} {size:?} {place:?}");
                clicked += 1;
            }
        }
    }
    assert!(clicked > 300, "{clicked}");
}

#[test]
fn a_second_click_looks_closer_and_never_asks_for_a_change() {
    for name in SCREENS {
        let state = screen(name, (160, 50));
        let mut opened = 0;
        for place in sight(&state).places().iter().filter(|of| !matches!(of.target, Target::Key(..))) {
            let mut after = state.clone();
            for _ in 0..2 {
                let effects = update(&mut after, Message::Click(place.target.clone()));
                let asks = |effect: &Effect| matches!(effect, Effect::Ask(ask) if matches!(**ask, Ask::Start { .. } | Ask::Request { .. } | Ask::Verify(_)));
                assert!(!effects.iter().any(asks), "{name} {place:?}");
            }
            opened += usize::from(after.layers.len() != state.layers.len() || after.pane != state.pane);
            assert!(!after.layers.iter().any(|layer| matches!(layer, Layer::Wizard(_) | Layer::Request(_))), "{name} {place:?}");
        }
        assert!(opened > 0 || name == "run asking", "{name}: nothing opens");
    }
}

#[test]
fn a_key_of_the_footer_is_clicked_on_and_one_that_asks_for_a_change_is_not() {
    let state = screen("alerts", (160, 50));
    let (sight, drawn) = (sight(&state), buffer(&state, (160, 50)));
    let keys: Vec<&Place> = sight.places().iter().filter(|of| matches!(of.target, Target::Key(..))).collect();
    assert!(keys.len() > 5);
    for of in &keys {
        let Target::Key(scope, action) = of.target else { panic!() };
        assert_ne!(action.entry().danger, Danger::Production);
        let text: String = (of.x..of.x + of.width).map(|x| drawn[(x, of.y)].symbol()).collect();
        assert!(text.ends_with(action.entry().short) && scope == Scope::Alerts, "{text}");
    }
    let mut after = state.clone();
    update(&mut after, Message::Click(Target::Key(Scope::Alerts, Action::Help)));
    assert!(matches!(after.layers.last(), Some(Layer::Help { .. })));
    // The same key of a footer that is not there any more, and one that was never to be clicked on.
    for action in [Action::Help, Action::Ack, Action::Silence, Action::Rollback] {
        let before = after.clone();
        assert!(update(&mut after, Message::Click(Target::Key(Scope::Alerts, action))).is_empty());
        assert_eq!((&after.layers, after.pane), (&before.layers, before.pane), "{action:?}");
    }
    let mut alone = state;
    update(&mut alone, Message::Click(Target::Key(Scope::Alerts, Action::Ack)));
    assert!(alone.layers.is_empty());
}

#[test]
fn a_row_of_the_logs_is_selected_by_a_click_and_shown_whole_by_the_next() {
    for screen in ["logs", "logs alert"] {
        let mut state = shown(screen, (80, 24));
        let all = sight(&state);
        let rows: Vec<Target> = all.places().iter().filter(|of| matches!(of.target, Target::Log(..))).map(|of| of.target.clone()).collect();
        assert!(rows.len() > 3, "{screen}: {}", rows.len());
        let drawn = buffer(&state, (80, 24));
        for (place, target) in all.places().iter().filter(|of| matches!(of.target, Target::Log(..))).zip(&rows) {
            update(&mut state, Message::Click(target.clone()));
            let logs = state.logs.as_ref().unwrap();
            let row = &logs.rows[logs.row];
            assert_eq!(*target, Target::Log(row.number(), row.at()));
            if let crate::app::logs::Row::Line(_, line) = row {
                let first: String = line.text.chars().take(8).collect();
                assert!(words(&drawn, place).contains(&first), "{screen}: {first} is drawn there");
            }
        }
        let last = rows.last().unwrap().clone();
        update(&mut state, Message::Click(last));
        assert!(state.logs.as_ref().unwrap().whole, "{screen}");
        let before = state.logs.as_ref().unwrap().row;
        update(&mut state, Message::Wheel { by: -2, right: false });
        assert!(state.logs.as_ref().unwrap().row < before);
        let gone = Target::Log(Some(u64::MAX), state.now);
        update(&mut state, Message::Click(gone));
    }
}

#[test]
fn a_verification_is_selected_by_a_click_and_the_wheel_and_started_by_neither() {
    let mut state = shown("backups", (80, 24));
    let index = (0..state.estate.sources.len()).find(|index| crate::app::update::verify::choices(&state, *index).len() > 1).unwrap();
    state.verifying.running.clear();
    state.layers.push(Layer::Verify { index, choice: 0 });
    let choice = |state: &State| match state.layers.last() {
        Some(Layer::Verify { choice, .. }) => *choice,
        other => panic!("{other:?}"),
    };
    let (all, drawn) = (sight(&state), buffer(&state, (80, 24)));
    let orders: Vec<&Place> = all.places().iter().filter(|of| matches!(of.target, Target::Order(_))).collect();
    assert!(orders.len() > 2 && words(&drawn, orders[0]).contains("start"), "{orders:?}");
    for target in [Target::Order(0), Target::Order(1), Target::Order(1), Target::Order(99)] {
        let effects = update(&mut state, Message::Click(target));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Ask(ask) if matches!(**ask, Ask::Verify(_)))));
    }
    assert_eq!(choice(&state), 1);
    update(&mut state, Message::Wheel { by: -3, right: false });
    assert_eq!(choice(&state), 0);
    assert!(state.verifying.running.is_empty());
}

#[test]
fn what_is_not_there_any_more_is_not_hit() {
    let mut state = trouble((80, 24));
    let alert = alert_of(&state, "SlowQueries");
    for target in [
        Target::Row(RowId::Alert(alert.id.clone())),
        Target::Row(RowId::Run("gone".into())),
        Target::Line(Goal::Alert(alert.id.clone())),
        Target::Found(Goal::Pane(Pane::Alerts)),
        Target::Choice(crate::app::target::Choice::Label(0)),
    ] {
        let before = (state.pane, state.layers.clone(), state.overview.clone(), state.alerts.clone());
        update(&mut state, Message::Click(target));
        assert_eq!(before, (state.pane, state.layers.clone(), state.overview.clone(), state.alerts.clone()), "on the Overview");
    }
    state.pane = Pane::Alerts;
    let id = RowId::Alert(alert.id.clone());
    update(&mut state, Message::Click(Target::Row(id.clone())));
    assert_eq!(state.alerts.list.selected, Some(alert.id.clone()));
    state.layers.push(Layer::Help { scroll: 0, search: Default::default() });
    update(&mut state, Message::Click(Target::Row(id)));
    assert_eq!(state.layers, [Layer::Help { scroll: 0, search: Default::default() }], "a page lies on it");
}

#[test]
fn the_wheel_scrolls_by_lines_and_keeps_the_selection_while_it_is_seen() {
    for size in [(80, 24), (160, 50)] {
        for name in SCREENS {
            let mut state = screen(name, size);
            state.mouse = true;
            for (by, right) in [(3, false), (3, true), (300, false), (300, true), (-3, true), (-3000, false), (-3000, true)] {
                let before = state.layers.len();
                assert!(!update(&mut state, Message::Wheel { by, right }).iter().any(|e| matches!(e, Effect::Quit(_))));
                assert_eq!(state.layers.len(), before);
                let drawn = buffer(&state, size);
                let any = sight(&state).places().iter().any(|of| !matches!(of.target, Target::Key(..)) && is_marked(&drawn, of));
                assert!(any || state.layers.last().is_some_and(|top| top.spot().is_some()), "{name} {size:?} {by}: nothing is selected");
            }
        }
    }
    let mut help = screen("overview", (80, 24));
    help.layers.push(Layer::Help { scroll: 0, search: Default::default() });
    update(&mut help, Message::Wheel { by: 3, right: false });
    assert_eq!(help.layers, [Layer::Help { scroll: 3, search: Default::default() }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // k9s#1075: a click on the edge ended the program.
    #[test]
    fn no_click_anywhere_breaks_anything(
        name in prop::sample::select(SCREENS.to_vec()), size in (1u16..220, 1u16..70), then in (1u16..220, 1u16..70),
        clicks in prop::collection::vec((prop_oneof![0u16..230, Just(u16::MAX)], prop_oneof![0u16..80, Just(u16::MAX)], -9i16..9), 1..8),
    ) {
        let mut state = screen(name, (80, 24));
        state.mouse = true;
        update(&mut state, Message::Resize(size.0, size.1));
        let old = sight(&state);
        for (column, row, by) in clicks {
            let new = sight(&state);
            // By this frame, and by one of before; and on a screen that became smaller meanwhile.
            let target = if by % 2 == 0 { old.at(column, row) } else { new.at(column, row) };
            if let Some(target) = target {
                update(&mut state, Message::Click(target.clone()));
            }
            update(&mut state, Message::Wheel { by, right: new.is_right(column) });
            buffer(&state, state.size);
        }
        update(&mut state, Message::Resize(then.0, then.1));
        for place in old.places() {
            update(&mut state, Message::Click(place.target.clone()));
            prop_assert!(!state.layers.iter().any(|layer| matches!(layer, Layer::Wizard(_) | Layer::Request(_))));
        }
        buffer(&state, then);
    }
}
