//! Where one is in a page: how far down, and on which of its lines.

use super::palette::Goal;

/// Where one is in a detail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spot {
    /// First line shown.
    pub scroll: usize,
    /// Where the selected line leads; `None` where no line on the screen leads anywhere.
    pub selected: Option<Goal>,
}
