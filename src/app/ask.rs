//! What a view asks of the world once, beside the polls: each question ends in one answer, unless the console ends first.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::timeline::Event;

/// A question. The session finds the answer out beside the loop, with a deadline; a view that asks again ignores the
/// answers to what it asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What happened between two moments (UTC), as far as the newest readings do not tell it.
    Timeline(Timestamp, Timestamp),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What happened between the two moments that were asked for.
    Timeline(Timestamp, Timestamp, Past),
}

/// What the newest readings do not tell of a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// What consoles saw, and what a Prometheus tells of alerts, with the times in which neither looked.
    pub events: Vec<Event>,
    /// What could not be read, and what there was more of than is told: each a cleaned line that names the source.
    pub notes: Vec<Arc<str>>,
}
