//! What two kinds of layers remember: where one is in a page, and what is typed into the form of an export.

use super::ask::Exported;
use super::palette::Goal;

/// Where one is in a detail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spot {
    /// First line shown.
    pub scroll: usize,
    /// Where the selected line leads; `None` where no line on the screen leads anywhere.
    pub selected: Option<Goal>,
}

/// Where an export goes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExportForm {
    /// The path, as it is typed.
    pub typed: String,
    /// How far it is; `None` before it began.
    pub far: Option<Exported>,
}
