//! A service act under hands: the wizard opened on a service, and what is chosen on its first page.

use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::state::State;
use crate::app::wizard::{Processes, Subject, Wizard};
use crate::model::plan::Deed;

use super::{about_first, begin, held};

/// The service that the key is about: the alert's own, as that is what is ill, and not what was deployed before it.
pub(crate) fn about(state: &State) -> Option<String> {
    about_first(state, false)
}

/// True where the key opens a wizard that can be gone through. Of a console that only reads it is none.
pub(crate) fn acts(state: &State) -> bool {
    let can = |name: String| {
        state.estate.service(&name).is_some_and(|of| Deed::SERVICE.iter().any(|deed| state.estate.no_act(of, *deed).is_none()))
    };
    !state.read_only && about(state).is_some_and(can)
}

/// Opens it on what the key is about.
pub(in crate::app::update) fn open(state: &mut State) {
    if let Some(service) = about(state) {
        open_on(state, &service, None);
    }
}

/// Opens it on a service. Nothing is asked of a host before what is done is chosen.
pub(in crate::app::update) fn open_on(state: &mut State, service: &str, deed: Option<Deed>) {
    if held(state).is_some() {
        return;
    }
    let (chosen, why) = Processes::of(&state.estate, service, deed);
    let why = why.map(|why| format!("Nothing of it can be done from here: {why}. `qd check` reads the estate file again."));
    begin(state, Wizard::of(Subject::Processes(chosen)), why);
}

/// The key that chooses, for people.
pub(super) fn key(state: &State) -> String {
    state.keymap.key_for(Scope::Wizard, Action::Toggle).map_or_else(|| "?".to_owned(), |key| key.to_string())
}
