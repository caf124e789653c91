//! The one place that changes the state: a message in, effects out.

use super::effect::Effect;
use super::message::Message;
use super::state::State;

/// Takes in what happened. `state.now` is already the moment of the message.
pub fn update(_state: &mut State, _message: Message) -> Vec<Effect> {
    Vec::new()
}
