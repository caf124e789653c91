//! Choosing a theme: what there is to choose from, and what is shown while one looks. Moving shows a theme at once on all
//! of the screen; leaving gives the former one back.

use super::ask::Ask;
use super::effect::Effect;
use super::layer::Layer;
use super::state::{Look, State};
use crate::model::preferences::Ground;

/// A theme that can be chosen, or that says why it cannot.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Its name.
    pub name: String,
    /// True for a person's own.
    pub own: bool,
    /// Its place among the themes; else what is wrong in its file, with the line.
    pub found: Result<usize, String>,
    /// What is hard to read in it; empty where nothing is.
    pub faint: String,
}

/// What there is to choose from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offers {
    /// All themes by name, the broken ones too.
    pub all: Vec<Offer>,
    /// True while the theme is the one for the terminal's ground, whichever that is.
    pub follows: bool,
    /// The terminal's ground, as it told it.
    pub told: Option<Ground>,
    /// The same as `COLORFGBG` has it, which some terminals set and nobody keeps true.
    pub hint: Option<Ground>,
    /// True where there are no colours.
    pub plain: bool,
    /// What becomes of a choice.
    pub keeps: Keeps,
    /// What is to be said of the choice of before, where it cannot be used.
    pub notice: Option<String>,
}

/// What becomes of a choice when the console is started anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keeps {
    /// The file that keeps it; `None` where there is no folder for it.
    pub file: Option<String>,
    /// What wins over it then, in words.
    pub wins: Option<String>,
}

impl Offers {
    /// The terminal's ground, as far as it is known; dark where it is not.
    pub fn ground(&self) -> Ground {
        self.told.or(self.hint).unwrap_or_default()
    }
}

/// The layer in which a theme is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picker {
    /// The selected row: 0 is what follows the terminal's ground, then the offers in their order.
    pub row: usize,
    /// What was in use before: an index into the look's themes, and whether it followed the ground.
    pub before: (usize, bool),
}

impl Picker {
    /// The selected theme; `None` for the row that follows the ground.
    pub fn offer<'o>(&self, offers: &'o Offers) -> Option<&'o Offer> {
        self.row.checked_sub(1).and_then(|place| offers.all.get(place))
    }
}

/// The theme that is chosen, as the preferences name it.
pub fn word(look: &Look) -> &str {
    if look.offers.follows { "auto" } else { look.themes.get(look.theme).map_or("dark", |theme| theme.name.as_str()) }
}

/// The row of what is in use.
pub fn in_use(look: &Look) -> usize {
    let named = |offer: &Offer| offer.found == Ok(look.theme);
    if look.offers.follows { 0 } else { look.offers.all.iter().position(named).map_or(0, |place| place + 1) }
}

/// Opens the layer on what is in use.
pub fn open(state: &mut State) {
    if !matches!(state.layers.last(), Some(Layer::Themes(_))) {
        let before = (state.look.theme, state.look.offers.follows);
        state.layers.push(Layer::Themes(Picker { row: in_use(&state.look), before }));
    }
}

/// Moves the selection, and shows what it is on.
pub fn walk(state: &mut State, by: isize) {
    let last = state.look.offers.all.len();
    let Some(Layer::Themes(picker)) = state.layers.last_mut() else { return };
    picker.row = picker.row.saturating_add_signed(by).min(last);
    let picker = *picker;
    match picker.offer(&state.look.offers).map(|offer| offer.found.clone()) {
        None => follow(&mut state.look),
        Some(Ok(theme)) => (state.look.theme, state.look.offers.follows) = (theme, false),
        // A broken one shows nothing of itself.
        Some(Err(_)) => restore(&mut state.look, picker),
    }
}

/// Gives back what was in use before.
pub fn restore(look: &mut Look, picker: Picker) {
    (look.theme, look.offers.follows) = picker.before;
    if look.offers.follows {
        // The terminal may have told its ground meanwhile.
        follow(look);
    }
}

/// Takes what is shown, has it kept for the next start, and closes the layer; a broken theme cannot be taken.
pub fn accept(state: &mut State) -> Vec<Effect> {
    if let Some(Layer::Themes(picker)) = state.layers.last()
        && picker.offer(&state.look.offers).is_none_or(|offer| offer.found.is_ok())
    {
        state.layers.pop();
        let theme = word(&state.look).to_owned();
        let file = state.look.offers.keeps.file.clone();
        return file.map(|file| Effect::Ask(Box::new(Ask::KeepTheme { file, theme }))).into_iter().collect();
    }
    Vec::new()
}

/// The terminal told its ground.
pub fn told(look: &mut Look, ground: Ground) {
    look.offers.told = Some(ground);
    if look.offers.follows {
        follow(look);
    }
}

/// A theme that a person chose on the screen: what was shown before by name, and what they chose instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// What an estate without wishes of its own is opened with.
    pub instead_of: String,
    /// What they chose.
    pub theme: String,
}

/// What was chosen since the estate was opened with the theme of that name. A theme that is only being looked at is not
/// chosen.
pub fn choice(state: &State, opened_with: &str) -> Option<Chosen> {
    let mut look = state.look.clone();
    if let Some(picker) = state.layers.iter().find_map(|layer| if let Layer::Themes(picker) = layer { Some(*picker) } else { None }) {
        restore(&mut look, picker);
    }
    let theme = word(&look).to_owned();
    (theme != opened_with).then(|| Chosen { instead_of: opened_with.to_owned(), theme })
}

/// What holds on from one estate to the next: what the terminal said of its ground, and what the person chose. An estate
/// that wishes for a theme of its own has it.
pub fn take_over(look: &mut Look, ground: Option<Ground>, chosen: Option<&Chosen>) {
    if let Some(ground) = ground {
        told(look, ground);
    }
    // What nobody names is what was kept, perhaps by another console: here it is what was chosen here.
    let open = |chosen: &Chosen| look.offers.keeps.wins.is_none() || chosen.instead_of == word(look);
    let Some(chosen) = chosen.filter(|chosen| open(chosen)) else { return };
    if chosen.theme == "auto" {
        follow(look);
    } else if let Some(theme) = look.themes.iter().position(|theme| theme.name == chosen.theme) {
        (look.theme, look.offers.follows) = (theme, false);
    }
}

/// From now on the theme is the one for the terminal's ground.
pub fn follow(look: &mut Look) {
    look.offers.follows = true;
    let word = look.offers.ground().word();
    look.theme = look.themes.iter().position(|theme| theme.name == word).unwrap_or(look.theme);
}
