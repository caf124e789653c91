//! For tests: a console that is driven as a person and the world drive it, through `update` alone. What draws it takes it
//! from here, and never has a state that it could change by itself.

use std::sync::Arc;

use super::ask::{Ask, Told};
use super::chart::Slot;
use super::effect::Effect;
use super::key::Key;
use super::message::Message;
use super::prompt::WordsOf;
use super::state::State;
use super::update::update;
use crate::model::label::Labels;
use crate::model::metric::Series;
use crate::model::window::{Names, RangeAsk, RangeTold};

/// A question about a window of a chart: what for, its number, it.
pub type Asked = (Slot, u64, RangeAsk);

/// Presses keys, with a space between two, and gives back all that this came to.
pub fn press_all(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.split(' ').flat_map(|key| update(state, Message::Key(key.parse().unwrap()))).collect()
}

/// Presses keys and gives back what they asked.
pub fn press(state: &mut State, keys: &str) -> Vec<Ask> {
    asks(press_all(state, keys))
}

/// The questions among effects.
pub fn asks(effects: Vec<Effect>) -> Vec<Ask> {
    effects.into_iter().filter_map(|effect| if let Effect::Ask(ask) = effect { Some(*ask) } else { None }).collect()
}

/// Types a text where text is typed.
pub fn type_in(state: &mut State, text: &str) -> Vec<Ask> {
    text.chars().flat_map(|c| asks(update(state, Message::Key(Key::char(c))))).collect()
}

/// The questions about windows among others.
pub fn windows(asks: &[Ask]) -> Vec<Asked> {
    let chart = |ask: &Ask| if let Ask::Chart { slot, number, ask } = ask { Some((*slot, *number, ask.clone())) } else { None };
    asks.iter().filter_map(chart).collect()
}

/// A source's answer to a question about a window.
pub fn tell(state: &mut State, (slot, number, _): &Asked, told: RangeTold) -> Vec<Effect> {
    update(state, Message::Told(Box::new(Told::Chart { slot: *slot, number: *number, result: Ok(Arc::new(told)) })))
}

/// The same: one series of that value all along.
pub fn answer(state: &mut State, asked: &Asked, value: f64) -> Vec<Effect> {
    let mut plot = asked.2.empty();
    plot.series.push(Series { labels: Labels::new([("instance", "web-1")]), points: vec![Some(value); plot.len] });
    tell(state, asked, RangeTold { plot, notes: vec![], kept: None })
}

/// A source's answer to a question about labels or their values.
pub fn known(state: &mut State, of: &WordsOf, result: Result<Names, String>) {
    update(state, Message::Told(Box::new(Told::Words { of: of.clone(), result })));
}
