//! Choosing a theme: what is shown while one looks, what is kept, and what comes back.

use super::*;
use crate::app::ask::{Ask as Question, Told};
use crate::app::themes::{self, Offer};
use crate::model::preferences::Ground;

/// A console with the themes dark, light and mine, and one that is broken; it follows the terminal.
fn offered() -> State {
    let mut state = console();
    let theme = |name: &str| Theme { name: name.into(), ground: Default::default(), styles: Default::default() };
    state.look.themes = vec![theme("dark"), theme("light"), theme("mine")];
    let offer = |name: &str, found| Offer { name: name.into(), own: false, found, faint: String::new() };
    state.look.offers.all =
        vec![offer("broken", Err("broken.toml:2: no".into())), offer("dark", Ok(0)), offer("light", Ok(1)), offer("mine", Ok(2))];
    themes::follow(&mut state.look);
    state
}

fn shown(state: &State) -> (&str, bool) {
    (state.theme().name.as_str(), state.look.offers.follows)
}

#[test]
fn moving_shows_a_theme_at_once_enter_keeps_it_and_esc_brings_the_former_back() {
    let mut state = offered();
    assert_eq!(shown(&state), ("dark", true));
    press(&mut state, "T end");
    assert_eq!((shown(&state), state.scope()), (("mine", false), Scope::Themes));
    press(&mut state, "esc");
    assert_eq!((shown(&state), state.layers.len()), (("dark", true), 0));
    press(&mut state, "T end up enter");
    assert_eq!((shown(&state), state.layers.len()), (("light", false), 0));
    press(&mut state, "T");
    let Some(Layer::Themes(picker)) = state.layers.last() else { panic!("it is not open") };
    assert_eq!(picker.row, 3, "it opens on what is in use");
    press(&mut state, "home");
    assert_eq!(shown(&state), ("dark", true));
    press(&mut state, "q");
    assert_eq!(shown(&state), ("light", false), "leaving it by any way brings the former back");
    // Far keys stay inside.
    press(&mut state, "T pagedown pagedown pageup pageup pagedown enter");
    assert_eq!(shown(&state), ("mine", false));
}

#[test]
fn a_broken_theme_shows_nothing_of_itself_and_cannot_be_kept() {
    let mut state = offered();
    press(&mut state, "T j");
    let Some(Layer::Themes(picker)) = state.layers.last() else { panic!("it is not open") };
    assert!(picker.offer(&state.look.offers).unwrap().found.is_err());
    assert_eq!(shown(&state), ("dark", true));
    press(&mut state, "enter");
    assert_eq!(state.scope(), Scope::Themes);
    press(&mut state, "esc");
    assert_eq!(shown(&state), ("dark", true));
}

#[test]
fn the_terminals_answer_is_followed_but_never_against_a_choice() {
    let mut state = offered();
    assert!(update(&mut state, Message::Ground(Ground::Light)).is_empty());
    assert_eq!(shown(&state), ("light", true));
    update(&mut state, Message::Ground(Ground::Dark));
    // It comes while one looks: what is looked at stays, and what comes back is what it asks for.
    press(&mut state, "T end");
    update(&mut state, Message::Ground(Ground::Light));
    assert_eq!(shown(&state), ("mine", false));
    press(&mut state, "esc");
    assert_eq!(shown(&state), ("light", true));
    press(&mut state, "T end enter");
    update(&mut state, Message::Ground(Ground::Dark));
    assert_eq!(shown(&state), ("mine", false));
}

#[test]
fn nothing_else_is_reached_from_there_and_a_paste_is_nothing() {
    let mut state = offered();
    press(&mut state, "2 T end 1 : / 3");
    update(&mut state, Message::Paste("q".into()));
    assert_eq!((state.pane, state.layers.len()), (Pane::Alerts, 1));
    press(&mut state, "? esc esc");
    assert_eq!((state.layers.len(), shown(&state)), (0, ("dark", true)));
}

#[test]
fn another_estate_keeps_the_chosen_theme_and_has_its_own_where_it_wishes_for_one() {
    let mut state = offered();
    assert_eq!(themes::choice(&state, "auto"), None);
    press(&mut state, "T end");
    assert_eq!(themes::choice(&state, "auto"), None, "it is only looked at");
    press(&mut state, "enter");
    let chosen = themes::choice(&state, "auto").unwrap();
    let mut next = offered();
    themes::take_over(&mut next.look, Some(Ground::Light), Some(&chosen));
    assert_eq!(shown(&next), ("mine", false));
    let mut own = offered();
    (own.look.theme, own.look.offers.follows) = (0, false);
    own.look.offers.keeps.wins = Some("the context's own theme".into());
    themes::take_over(&mut own.look, Some(Ground::Light), Some(&chosen));
    assert_eq!(shown(&own), ("dark", false), "a theme that was named is not thrown away for the ground, nor for a choice elsewhere");
    let mut follows = offered();
    themes::take_over(&mut follows.look, Some(Ground::Light), None);
    assert_eq!(shown(&follows), ("light", true));
    // What another console keeps meanwhile is for its own next start, not for this one's next estate.
    let mut kept = offered();
    (kept.look.theme, kept.look.offers.follows) = (1, false);
    themes::take_over(&mut kept.look, None, Some(&chosen));
    assert_eq!(shown(&kept), ("mine", false));
}

#[test]
fn the_chosen_theme_is_kept_for_the_next_start_and_one_that_is_only_looked_at_is_not() {
    let mut state = offered();
    state.look.offers.keeps.file = Some("/s/theme".into());
    let kept = |effects: Vec<Effect>| -> Vec<String> {
        let name = |effect| match effect {
            Effect::Ask(ask) => match *ask {
                Question::KeepTheme { file, theme } if file == "/s/theme" => Some(theme),
                _ => None,
            },
            _ => None,
        };
        effects.into_iter().filter_map(name).collect()
    };
    let press =
        |state: &mut State, keys: &str| kept(keys.split(' ').flat_map(|key| update(state, Message::Key(key.parse().unwrap()))).collect());
    assert_eq!(press(&mut state, "T end esc T j enter esc"), [""; 0], "looked at, or broken");
    assert_eq!(press(&mut state, "T end enter"), ["mine"]);
    assert_eq!(press(&mut state, "T home enter"), ["auto"], "the terminal's ground again");
    update(&mut state, Message::Told(Box::new(Told::ThemeKept(Err("/s/theme: read-only file system".into())))));
    assert!(state.said.as_deref().is_some_and(|said| said.contains("not kept") && said.contains("read-only file system")));
    assert_eq!(shown(&state), ("dark", true), "it holds here all the same");
    state.look.offers.keeps.file = None;
    assert_eq!(press(&mut state, "T end enter"), [""; 0]);
}
