//! The one place that changes the state: a message in, effects out.

mod data;
mod keys;
mod layers;
mod lists;
mod metrics;
mod timeline;
mod typing;

use super::ask::Told;
use super::effect::Effect;
use super::message::Message;
use super::pane;
use super::state::State;
use super::timeline as app_timeline;

/// Takes in what happened. `state.now` is already the moment of the message.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let before = state.demand;
    let mut effects = match message {
        Message::Key(key) => keys::press(state, key),
        Message::Paste(text) => {
            typing::paste(state, &text);
            Vec::new()
        }
        Message::Resize(columns, rows) => {
            state.size = (columns, rows);
            pane::refresh(state);
            Vec::new()
        }
        Message::Tick => data::tick(state),
        Message::Polling(source) => {
            data::polling(state, source);
            Vec::new()
        }
        Message::Read { source, outcome, next_try } => data::read(state, source, outcome, next_try),
        Message::Derived(derived) => data::derived(state, *derived),
        Message::Cached(all) => {
            data::cached(state, all);
            Vec::new()
        }
        Message::Told(told) => {
            match *told {
                Told::Timeline(from, to, past) => app_timeline::told(state, from, to, past),
            }
            Vec::new()
        }
    };
    effects.extend(app_timeline::wanted(state));
    state.demand.points = pane::points(state);
    if state.demand != before {
        effects.push(Effect::Demand(state.demand));
    }
    effects
}

#[cfg(test)]
mod tests;
