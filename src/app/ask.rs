//! What a view asks of the world once, beside the polls: each question ends in one answer, unless the console ends first.

use crate::model::backup::Order;

use super::verifying::News;

/// A question. The session finds the answer out beside the loop, with a deadline; a view that asks again ignores the
/// answers to what it asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Verify a backup; it is told as it goes on.
    Verify(Box<Order>),
    /// Stop verifying the source at that place.
    StopVerification(usize),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// News of the verification of the source at that place.
    Verification(usize, Box<News>),
}
