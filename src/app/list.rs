//! A list's selection and scrolling. The selection is an id, never a row number, and stays at its place on the screen
//! when rows come and go above it.

/// Selection and scrolling of one list.
#[derive(Debug, Clone, PartialEq)]
pub struct List<Id> {
    /// What is selected.
    pub selected: Option<Id>,
    /// The row of the selected one among all rows.
    pub row: usize,
    /// The first row on the screen.
    pub offset: usize,
}

impl<Id> Default for List<Id> {
    fn default() -> Self {
        List { selected: None, row: 0, offset: 0 }
    }
}

impl<Id: Clone + PartialEq> List<Id> {
    /// Finds the selected id again after the rows changed (`None` stands for a row that cannot be selected). An id that
    /// is gone gives way to its nearest neighbour.
    pub fn settle(&mut self, rows: &[Option<Id>], height: usize) {
        let before = self.row;
        match self.selected.as_ref().and_then(|id| rows.iter().position(|r| r.as_ref() == Some(id))) {
            Some(row) => {
                // A first row that was never left stays first: new, worse rows above it are what one wants to see.
                let untouched = before == rows.iter().position(Option::is_some).unwrap_or(0) && self.offset == 0;
                if !untouched {
                    self.offset = (self.offset + row).saturating_sub(before);
                }
                self.row = row;
            }
            None => self.select(rows, before),
        }
        self.scroll(rows.len(), height);
    }

    /// Selects the selectable row nearest to `row`, downwards first.
    pub fn select(&mut self, rows: &[Option<Id>], row: usize) {
        let row = row.min(rows.len().saturating_sub(1));
        let near = (row..rows.len()).chain((0..row).rev()).find(|r| rows[*r].is_some());
        self.row = near.unwrap_or(0);
        self.selected = near.and_then(|r| rows[r].clone());
    }

    /// Moves by so many selectable rows, stopping at the ends.
    pub fn step(&mut self, rows: &[Option<Id>], by: isize, height: usize) {
        let open: Vec<usize> = (0..rows.len()).filter(|r| rows[*r].is_some()).collect();
        if open.is_empty() {
            return;
        }
        let at = open.partition_point(|r| *r < self.row) as isize;
        let row = open[(at + by).clamp(0, open.len() as isize - 1) as usize];
        self.row = row;
        self.selected = rows[row].clone();
        self.scroll(rows.len(), height);
        if row == open[0] {
            self.offset = 0; // show the heads above it too
        }
    }

    fn scroll(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.offset = self.offset.min(len.saturating_sub(height)).min(self.row).max((self.row + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(ids: &[u8]) -> Vec<Option<u8>> {
        ids.iter().map(|id| Some(*id)).collect()
    }

    #[test]
    fn rows_that_come_above_do_not_move_the_selected_one_on_the_screen() {
        let mut list = List::default();
        list.settle(&rows(&[1, 2, 3, 4, 5, 6]), 3);
        list.step(&rows(&[1, 2, 3, 4, 5, 6]), 4, 3);
        assert_eq!((list.selected, list.row - list.offset), (Some(5), 2));
        list.settle(&rows(&[9, 8, 1, 2, 3, 4, 5, 6]), 3);
        assert_eq!((list.selected, list.row - list.offset), (Some(5), 2));
        list.settle(&rows(&[9, 8, 1, 2, 3, 4, 6]), 3);
        assert_eq!(list.selected, Some(6), "its neighbour when it is gone");
    }

    proptest! {
        #[test]
        fn the_selection_is_always_on_the_screen(
            before in prop::collection::vec(prop::option::of(0u8..20), 0..40), after in prop::collection::vec(prop::option::of(0u8..20), 0..40),
            steps in prop::collection::vec(-30isize..30, 0..6), height in 1usize..12,
        ) {
            let mut list = List::default();
            list.settle(&before, height);
            for by in steps {
                list.step(&before, by, height);
            }
            list.settle(&after, height);
            prop_assert_eq!(list.selected.is_some(), after.iter().any(Option::is_some));
            if let Some(id) = list.selected {
                prop_assert_eq!(after[list.row], Some(id));
                prop_assert!(list.offset <= list.row && list.row < list.offset + height);
            }
        }
    }
}
