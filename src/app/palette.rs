//! The palette: go anywhere by typing a part of its name.

use super::action::Action;
use super::layer::Pane;
use crate::model::alert::AlertId;

/// Where a line of the palette leads.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// Runs an action.
    Run(Action),
    /// A pane.
    Pane(Pane),
    /// A service, by name.
    Service(String),
    /// A source, by its place.
    Source(usize),
    /// A panel, by name.
    Panel(String),
    /// An alert.
    Alert(AlertId),
}

/// One line of the palette.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What is matched and shown, such as `service web` or `alert NodeDown web-1 is down`.
    pub text: String,
    /// The key that does the same, or a remark.
    pub note: String,
    /// Where it leads.
    pub goal: Goal,
}

/// The open palette.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Palette {
    /// What is typed.
    pub typed: String,
    /// All lines, as of the moment it was opened.
    pub items: Vec<Item>,
    /// Places in `items` of the best matches, the best first, at most a hundred.
    pub found: Vec<usize>,
    /// How many match in all.
    pub count: usize,
    /// The selected one, a place in `found`.
    pub selected: usize,
}
