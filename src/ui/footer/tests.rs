//! The last line promises nothing: each key that stands there does what it says, on every screen and with the keys that
//! people really have.

use std::sync::Arc;

use super::*;
use crate::app::effect::Effect;
use crate::app::key::Chord;
use crate::app::keymap::Keymap;
use crate::app::message::Message;
use crate::app::timeline::merge_now;
use crate::app::update::update;
use crate::model::preferences::Binding;
use crate::model::problem::Place;
use crate::ui::fixture::{buffer, shown};
use crate::ui::tests::SCREENS;

fn bindings(text: &str) -> Vec<Binding> {
    let table: toml::Table = text.parse().unwrap();
    let mut all = Vec::new();
    for (layer, rows) in &table {
        for row in rows.as_array().unwrap() {
            let text = |key: &str| row.get(key).and_then(|value| value.as_str()).map(str::to_owned);
            let (on, run) = (text("on").unwrap(), text("run").unwrap());
            all.push(Binding { layer: layer.clone(), on, run, desc: text("desc"), place: Place::of("keys.toml", "", 0) });
        }
    }
    all
}

/// The keymaps that are built in, the plain one as it is laid over the other.
pub(in crate::ui) fn keymaps() -> [Arc<Keymap>; 2] {
    let default = bindings(include_str!("../../../keymaps/default.toml"));
    let plain = bindings(include_str!("../../../keymaps/plain.toml"));
    let kept = default.iter().filter(|of| !plain.iter().any(|own| own.layer == of.layer && own.on == of.on)).cloned();
    let over: Vec<Binding> = plain.iter().filter(|own| own.run != "none").cloned().chain(kept).collect();
    [default, over].map(|all| Arc::new(Keymap::compile(&all, &[]).unwrap()))
}

/// What can do nothing where everything is in sight, or where one is there already.
fn may_rest(action: Action) -> bool {
    use Action::*;
    matches!(action, Down | Up | Left | Right | Bottom | Top | Live | PanOn | PanBack | Longer | Shorter | EraseAll)
}

/// The keys of a screen's footer that do nothing there, and how many were pressed.
pub(in crate::ui) fn idle(shown: &State, screen: &str, keymap: &Arc<Keymap>) -> (usize, Vec<String>) {
    let (mut pressed, mut idle) = (0, Vec::new());
    let mut state = shown.clone();
    (state.keymap, state.said, state.slid, state.touched) = (keymap.clone(), None, None, true);
    // The clock is another one.
    state.look.local = jiff::tz::TimeZone::fixed(jiff::tz::offset(2));
    state.walk_in(state.pane);
    // Why it is refused is told anew.
    if let Some(Layer::Wizard(of)) = state.layers.last_mut() {
        of.said = None;
    }
    let refused = matches!(state.layers.last(), Some(Layer::SaveView(of)) if of.error.is_some());
    // Where one types, the line stands there; where it was refused, why.
    if refused || state.logs.as_ref().is_some_and(|logs| logs.typing) {
        return (pressed, idle);
    }
    let drawn = buffer(&state, state.size);
    for hint in hints(&state, 2_000) {
        if may_rest(hint.action) {
            continue;
        }
        let mut after = state.clone();
        let chord: Chord = hint.key.parse().unwrap_or_else(|_| panic!("{screen}: {}", hint.key));
        let mut effects = Vec::new();
        for key in chord.to_string().split(' ') {
            effects.extend(update(&mut after, Message::Key(key.parse().unwrap())));
        }
        merge_now(&mut after);
        let said = after.said.take();
        let acts = effects.iter().any(|effect| !matches!(effect, Effect::Demand(_) | Effect::Title(_) | Effect::Merge));
        let differs = after.layers != state.layers || after.pane != state.pane || buffer(&after, state.size) != drawn;
        if !acts && !differs {
            idle.push(format!("{screen}: {} {} ({said:?})", hint.key, hint.short));
        }
        pressed += 1;
    }
    (pressed, idle)
}

#[test]
fn each_key_of_a_footer_does_something_there() {
    let (mut pressed, mut all) = (0, Vec::new());
    for keymap in keymaps() {
        for screen in SCREENS {
            let (keys, mut none) = idle(&shown(screen, (160, 50)), screen, &keymap);
            pressed += keys;
            all.append(&mut none);
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(pressed > 1_000, "{pressed}");
}
