//! What a view asks of the world once, beside the polls: each question ends in one answer, unless the console ends first.

/// A question. The session finds the answer out beside the loop, with a deadline; a view that asks again ignores the
/// answers to what it asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {}
