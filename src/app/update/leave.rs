//! Leaving the console. Where something would be lost by that it is asked once, in the footer, and the very next key
//! answers; else it is left at once.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::leaving::Leaving;
use crate::app::state::State;

/// A key or a click is taken in: what was asked before is answered by this one only.
pub(super) fn turn(state: &mut State) {
    state.leaving = if state.leaving == Leaving::Asked { Leaving::Again } else { Leaving::No };
}

/// Leaves, or asks first.
pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    match lost(state).filter(|_| state.leaving != Leaving::Again) {
        Some(what) => {
            let key = state.keymap.key_for(state.scope(), Action::Close).map_or_else(|| "that key".to_owned(), |key| key.to_string());
            state.said = Some(format!("{key} again {what}"));
            state.leaving = Leaving::Asked;
            Vec::new()
        }
        None => vec![Effect::Quit(0)],
    }
}

/// What leaving would end; `None` where nothing is lost: runs go on without this console.
fn lost(state: &State) -> Option<String> {
    if state.practice {
        let run = state.runs.open().next().map_or_else(String::new, |known| format!(" and the run of {}", known.state.plan.subject));
        return Some(format!("ends the practice estate with all its history{run}"));
    }
    has_typed(state).then(|| "leaves; what is typed is lost".to_owned())
}

/// True where a form with typed text is open.
fn has_typed(state: &State) -> bool {
    state.layers.iter().any(|layer| match layer {
        Layer::Wizard(of) => !of.reason.is_empty() || of.typing.as_ref().is_some_and(|typing| !typing.text.is_empty()),
        Layer::Request(form) => !form.typed.is_empty() || form.reason.is_some(),
        Layer::SaveView(form) => !form.typed.is_empty(),
        Layer::Prompt(prompt) => !prompt.typed.trim().is_empty(),
        _ => false,
    })
}
