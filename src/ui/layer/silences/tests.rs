//! The list of silences as text, on the narrowest and on the widest screen.

use crate::app::key::Key;
use crate::app::message::Message;
use crate::app::state::State;
use crate::app::update::update;
use crate::ui::fixture::{buffer, shown, styles, text, twins};

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

fn press(mut state: State, keys: &str) -> State {
    for key in keys.split(' ') {
        update(&mut state, Message::Key(key.parse::<Key>().unwrap()));
    }
    state
}

#[test]
fn silences_as_they_stand_and_where_none_is_known() {
    for size in SIZES {
        for screen in
            ["silences", "silences acked", "silences none", "silences unreachable", "silences unread", "silences refused", "silences many"]
        {
            let state = shown(screen, size);
            let drawn = buffer(&state, size);
            let all = format!("{}\n---\n{}", text(&drawn).join("\n"), styles(&drawn).join("\n"));
            insta::assert_snapshot!(format!("{}_{}", screen.replace(' ', "_"), size.0), all);
            twins(state, size, screen);
        }
    }
}

#[test]
fn ten_thousand_are_walked_and_filtered() {
    let size = (80, 24);
    let mut state = shown("silences many", size);
    assert!(text(&buffer(&state, size))[2].contains("10000 active"), "{:?}", text(&buffer(&state, size))[2]);
    state = press(state, "G");
    let screen = text(&buffer(&state, size)).join("\n");
    assert!(screen.contains("silence id-09999"), "{screen}");
    state = press(state, "/ i d - 0 4 2 4 2");
    let screen = text(&buffer(&state, size)).join("\n");
    assert!(screen.contains("/id-04242 1 of 10000") && screen.contains("silence id-04242"), "{screen}");
    state = press(state, "enter esc");
    assert!(text(&buffer(&state, size))[2].contains("10000 active"), "Esc takes the filter away first");
    state = press(state, "esc");
    assert!(state.layers.is_empty());
}
