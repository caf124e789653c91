//! What update wants done to the world.

use crate::model::metric::Demand;

use super::ask::Ask;
use super::attention::Call;

/// One wish of update; the session carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave, with this exit code.
    Quit(u8),
    /// Give the terminal back and stop until `fg`.
    Suspend,
    /// Forget what the terminal shows and draw all of it again.
    Redraw,
    /// Try a source now; all of them where `None`.
    Poll(Option<usize>),
    /// Derive what the newest readings come to, beside the loop; ends in `Message::Derived`. Where one is under way, once
    /// more after it.
    Derive,
    /// Merge what happened in the time that the screen shows, beside the loop; ends in `Message::Merged`. Where that is
    /// under way, once more after it.
    Merge,
    /// The screen now wants this of panels.
    Demand(Demand),
    /// Copy this text, which has no control characters; ends in `Told::Copied`.
    Copy(String),
    /// Call for a person.
    Attend(Box<Call>),
    /// The terminal's title, one line without control characters.
    Title(String),
    /// Leave this estate for the one of that name, whose file was read. Nothing of this one is contacted any more.
    Switch(String),
    /// Find this out; ends in `Message::Told`.
    Ask(Box<Ask>),
}
