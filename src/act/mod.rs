//! What a step does to the world: observe, apply, verify and undo, one file per system. `apply` makes exactly one call
//! that changes something, and every such call carries what it expects to find.

use crate::model::run::CallEnd;

/// How a call ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// How it ended.
    pub end: CallEnd,
    /// The last lines of what it printed: cleaned, capped, without secrets.
    pub output: Vec<String>,
}
