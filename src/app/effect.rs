//! What update wants done to the world.

use crate::model::metric::Demand;

/// One wish of update; the session carries it out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Leave, with this exit code.
    Quit(u8),
    /// Give the terminal back and stop until `fg`.
    Suspend,
    /// Forget what the terminal shows and draw all of it again.
    Redraw,
    /// Try a source now; all of them where `None`.
    Poll(Option<usize>),
    /// The screen now wants this of panels.
    Demand(Demand),
}
