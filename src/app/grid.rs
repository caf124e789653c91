//! The grid of charts on the Metrics pane: drawn, walked and asked for by the same arithmetic.

/// How many charts there are on a screen, and how big each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Charts side by side, at least one.
    pub across: usize,
    /// Lines of charts, at least one.
    pub down: usize,
    /// Columns of one chart.
    pub width: u16,
    /// Rows of one chart.
    pub height: u16,
}

/// The grid of a screen of that size (columns, rows). A bigger screen shows more charts, not bigger ones.
pub fn grid(size: (u16, u16)) -> Grid {
    let (width, height) = (size.0.max(1), size.1.saturating_sub(4).max(1));
    let (across, down) = ((width / 40).max(1), (height / 6).max(1));
    Grid { across: usize::from(across), down: usize::from(down), width: width / across, height: height / down }
}

impl Grid {
    /// The first chart shown where the list is scrolled to `offset` and `row` is selected: the list scrolls by single
    /// charts, the grid by whole lines of them, and the selected one is always on the screen.
    pub fn first(&self, offset: usize, row: usize) -> usize {
        let lowest = (row / self.across + 1).saturating_sub(self.down) * self.across;
        (offset / self.across * self.across).clamp(lowest, row / self.across * self.across)
    }

    /// Points that a range query should bring for one chart: two Braille dots to a column beside the axis.
    pub fn points(&self) -> u16 {
        self.width.saturating_sub(8).max(10).saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bigger_screen_has_more_charts_and_the_selected_one_is_among_them() {
        assert_eq!(grid((80, 24)), Grid { across: 2, down: 3, width: 40, height: 6 });
        assert_eq!(grid((200, 60)), Grid { across: 5, down: 9, width: 40, height: 6 });
        for size in [(0, 0), (1, 1), (60, 16), (80, 24), (160, 50), (300, 100)] {
            let grid = grid(size);
            for row in 0..100 {
                let first = grid.first(row / 2, row);
                assert!((first..first + grid.across * grid.down).contains(&row), "{size:?} {row} {first}");
                assert!(first.is_multiple_of(grid.across));
            }
        }
    }
}
