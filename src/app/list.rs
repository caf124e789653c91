//! A list's selection and scrolling. The selection is an id, never a row number, and stays at its place on the screen
//! when rows come and go above it.

use super::filter::Filter;

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

impl<Id: PartialEq> List<Id> {
    /// Finds the selected id again after the rows changed. `id` tells that of a row, `None` stands for a row that cannot
    /// be selected. An id that is gone gives way to its nearest neighbour.
    pub fn settle(&mut self, len: usize, id: impl Fn(usize) -> Option<Id>, height: usize) {
        let before = self.row;
        let is = |row: &usize| self.selected.is_some() && id(*row) == self.selected;
        // Mostly it is where it was.
        let found = Some(before).filter(|row| *row < len && is(row)).or_else(|| self.selected.as_ref().and((0..len).find(is)));
        match found {
            Some(row) => {
                // A first row that was never left stays first: new, worse rows above it are what one wants to see.
                let untouched = self.offset == 0 && (0..len).take(before + 1).find(|row| id(*row).is_some()) == Some(before);
                if !untouched {
                    self.offset = (self.offset + row).saturating_sub(before);
                }
                self.row = row;
            }
            None => self.select(len, &id, before),
        }
        self.scroll(len, height);
    }

    /// Selects the selectable row nearest to `row`, downwards first.
    pub fn select(&mut self, len: usize, id: impl Fn(usize) -> Option<Id>, row: usize) {
        let row = row.min(len.saturating_sub(1));
        let near = (row..len).chain((0..row).rev()).find_map(|row| id(row).map(|id| (row, id)));
        (self.row, self.selected) = near.map_or((0, None), |(row, id)| (row, Some(id)));
    }

    /// Moves by so many selectable rows, stopping at the ends. Looks only at the rows that it passes.
    pub fn step(&mut self, len: usize, id: impl Fn(usize) -> Option<Id>, by: isize, height: usize) {
        self.select(len, &id, self.row);
        let passed = by.unsigned_abs();
        let open = |row: &usize| id(*row).is_some();
        let target = match by {
            0 => None,
            // As far as there are rows: from the end backwards.
            1.. if passed >= len => (self.row..len).rev().find(open),
            1.. => (self.row + 1..len).filter(open).take(passed).last(),
            _ if passed >= len => (0..self.row).find(open),
            _ => (0..self.row).rev().filter(open).take(passed).last(),
        };
        if let Some(row) = target {
            (self.row, self.selected) = (row, id(row));
        }
        self.scroll(len, height);
        if self.offset > 0 && !(0..self.row).any(|row| open(&row)) {
            self.offset = 0; // show the heads above it too
        }
    }

    /// Selects the row with that id, where it is still there, and says whether it was selected already.
    pub fn choose(&mut self, len: usize, id: impl Fn(usize) -> Option<Id>, wanted: &Id, height: usize) -> Option<bool> {
        let is = |row: &usize| id(*row).as_ref() == Some(wanted);
        // Mostly it is on the screen.
        let end = self.offset.saturating_add(height).min(len);
        let row = (self.offset.min(end)..end).find(is).or_else(|| (0..len).find(is))?;
        let again = self.selected.as_ref() == Some(wanted);
        (self.row, self.selected) = (row, id(row));
        self.scroll(len, height);
        Some(again)
    }

    /// Scrolls by so many rows, downwards where positive. What is selected stays so while it is on the screen; then the
    /// selectable row that is nearest to it there is.
    pub fn scroll_by(&mut self, len: usize, id: impl Fn(usize) -> Option<Id>, by: isize, height: usize) {
        let height = height.max(1);
        let offset = self.offset.saturating_add_signed(by).min(len.saturating_sub(height));
        let shown = offset..offset.saturating_add(height).min(len);
        let row = match () {
            () if shown.contains(&self.row) => Some(self.row),
            () if self.row < shown.start => shown.clone().find(|row| id(*row).is_some()),
            () => shown.clone().rfind(|row| id(*row).is_some()),
        };
        // A screen of heads alone has nothing to select: the list stays.
        if let Some(row) = row {
            (self.offset, self.row, self.selected) = (offset, row, id(row));
        }
    }

    fn scroll(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.offset = self.offset.min(len.saturating_sub(height)).min(self.row).max((self.row + 1).saturating_sub(height));
    }
}

/// One pane's list with its filter.
#[derive(Debug, Clone, PartialEq)]
pub struct PaneList<Id> {
    /// Selection and scrolling.
    pub list: List<Id>,
    /// What is shown.
    pub filter: Filter,
    /// The filter as it is being typed, while it is.
    pub typed: String,
    /// Why the typed text is no filter, where it is none.
    pub error: Option<String>,
    /// The filter from before the typing began: leaving it brings that back.
    pub former: Filter,
}

impl<Id> Default for PaneList<Id> {
    fn default() -> Self {
        PaneList { list: List::default(), filter: Filter::default(), typed: String::new(), error: None, former: Filter::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settle(list: &mut List<u8>, ids: &[u8], height: usize) {
        list.settle(ids.len(), |row| Some(ids[row]), height);
    }

    #[test]
    fn rows_that_come_above_do_not_move_the_selected_one_on_the_screen() {
        let mut list = List::default();
        settle(&mut list, &[1, 2, 3, 4, 5, 6], 3);
        list.step(6, |row| Some(row as u8 + 1), 4, 3);
        assert_eq!((list.selected, list.row - list.offset), (Some(5), 2));
        settle(&mut list, &[9, 8, 1, 2, 3, 4, 5, 6], 3);
        assert_eq!((list.selected, list.row - list.offset), (Some(5), 2));
        settle(&mut list, &[9, 8, 1, 2, 3, 4, 6], 3);
        assert_eq!(list.selected, Some(6), "its neighbour when it is gone");
    }

    #[test]
    fn scrolling_takes_the_selection_along_only_where_it_would_leave_the_screen() {
        let mut list = List::default();
        let ids: Vec<u8> = (0..20).collect();
        settle(&mut list, &ids, 5);
        let mut by = |by| {
            list.scroll_by(20, |row| Some(ids[row]), by, 5);
            (list.offset, list.selected)
        };
        assert_eq!(by(3), (3, Some(3)));
        assert_eq!(by(-3), (0, Some(3)));
        assert_eq!(by(-3), (0, Some(3)));
        assert_eq!(by(300), (15, Some(15)));
        assert_eq!(by(-12), (3, Some(7)));
    }

    #[test]
    fn a_row_is_chosen_by_its_id_wherever_it_went_and_not_at_all_where_it_is_gone() {
        let mut list = List::default();
        settle(&mut list, &[1, 2, 3, 4, 5, 6], 3);
        assert_eq!(list.choose(6, |row| Some(row as u8 + 1), &6, 3), Some(false));
        assert_eq!((list.row, list.offset, list.selected), (5, 3, Some(6)));
        assert_eq!(list.choose(6, |row| Some(row as u8 + 1), &6, 3), Some(true));
        assert_eq!(list.choose(6, |row| Some(row as u8 + 1), &9, 3), None);
        assert_eq!(list.selected, Some(6));
    }

    proptest! {
        #[test]
        fn the_selection_is_always_on_the_screen(
            before in prop::collection::vec(prop::option::of(0u8..20), 0..40), after in prop::collection::vec(prop::option::of(0u8..20), 0..40),
            steps in prop::collection::vec(-30isize..30, 0..6), height in 1usize..12,
        ) {
            let mut list = List::default();
            list.settle(before.len(), |row| before[row], height);
            for by in steps {
                list.step(before.len(), |row| before[row], by, height);
                list.scroll_by(before.len(), |row| before[row], by / 2, height);
            }
            list.settle(after.len(), |row| after[row], height);
            prop_assert_eq!(list.selected.is_some(), after.iter().any(Option::is_some));
            if let Some(id) = list.selected {
                prop_assert_eq!(after[list.row], Some(id));
                prop_assert!(list.offset <= list.row && list.row < list.offset + height);
            }
        }
    }
}
