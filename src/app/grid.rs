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

/// Rows of a chart on a screen that is filled with them, and the most where they are few.
const ROWS: (u16, u16) = (6, 14);

/// The grid of a screen of that size (columns, rows) for so many charts. A bigger screen shows more charts, and bigger
/// ones only where all of them are on it.
pub fn grid(size: (u16, u16), charts: usize) -> Grid {
    let (width, height) = (size.0.max(1), size.1.saturating_sub(4).max(1));
    let across = (width / 40).max(1);
    let lines = u16::try_from(charts.div_ceil(usize::from(across))).unwrap_or(u16::MAX).max(1);
    let down = (height / ROWS.0).clamp(1, lines);
    Grid { across: usize::from(across), down: usize::from(down), width: width / across, height: (height / down).min(ROWS.1) }
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
        assert_eq!(grid((80, 24), 100), Grid { across: 2, down: 3, width: 40, height: 6 });
        assert_eq!(grid((200, 60), 100), Grid { across: 5, down: 9, width: 40, height: 6 });
        assert_eq!(grid((200, 60), 12), Grid { across: 5, down: 3, width: 40, height: 14 });
        for size in [(0, 0), (1, 1), (60, 16), (80, 24), (160, 50), (300, 100)] {
            let grid = grid(size, 100);
            for row in 0..100 {
                let first = grid.first(row / 2, row);
                assert!((first..first + grid.across * grid.down).contains(&row), "{size:?} {row} {first}");
                assert!(first.is_multiple_of(grid.across));
            }
        }
    }
}
