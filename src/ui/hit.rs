//! What stands where on a screen, for the mouse: made of the same state and the same layout as the drawing of it, once
//! for each frame, so that a click is judged by the frame that the person saw and not by what came since.

use crate::app::deployments::window;
use crate::app::grid::grid;
use crate::app::layer::{Layer, Pane};
use crate::app::logs;
use crate::app::overview;
use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::target::{RowId, Target};
use crate::app::{databases, operations, page, pane, silences, timeline, update};

use super::widget::canvas::cells;
use super::{SMALLEST, footer, layer, wizard};

/// The line on which lists and pages begin.
const BODY: u16 = 3;

/// One thing that can be clicked on.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Its first column.
    pub x: u16,
    /// Its first line.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// What it is.
    pub target: Target,
}

/// All that can be clicked on in one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sight {
    places: Vec<Place>,
    /// The first column of the right one of two columns that scroll apart.
    right: Option<u16>,
}

impl Sight {
    /// What stands at that column and line; `None` where nothing that can be clicked on.
    pub fn at(&self, column: u16, row: u16) -> Option<&Target> {
        let within = |from: u16, size: u16, at: u16| at >= from && at - from < size;
        self.places.iter().rev().find(|of| within(of.x, of.width, column) && within(of.y, of.height, row)).map(|of| &of.target)
    }

    /// True where that column belongs to the right one of two that scroll apart.
    pub fn is_right(&self, column: u16) -> bool {
        self.right.is_some_and(|right| column >= right)
    }

    /// All of it.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// One that has these places, and no columns.
    pub fn of(places: Vec<Place>) -> Sight {
        Sight { places, right: None }
    }

    fn row(&mut self, x: u16, y: u16, width: u16, target: Target) {
        self.places.push(Place { x, y, width, height: 1, target });
    }

    /// The lines of a list that is scrolled to `offset` and has room for so many from line `y` on.
    fn list(&mut self, (x, y, width): (u16, u16, u16), (offset, len, room): (usize, usize, usize), id: impl Fn(usize) -> Option<RowId>) {
        for (line, row) in (offset..len).take(room).enumerate() {
            if let Some(id) = id(row) {
                self.row(x, y.saturating_add(line as u16), width, Target::Row(id));
            }
        }
    }
}

/// What stands where, as it is drawn from this state.
pub fn sight(state: &State) -> Sight {
    let mut sight = Sight::default();
    let (width, height) = state.size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return sight;
    }
    match state.layers.last() {
        None | Some(Layer::Filter) => rows(state, &mut sight),
        Some(Layer::Palette(palette)) => {
            let (width, _, found) = layer::palette::places(palette, state.size);
            for (y, goal) in found {
                sight.row(0, y, width, Target::Found(goal));
            }
        }
        Some(Layer::Wizard(of)) => {
            for (x, y, width, choice) in wizard::choices(state, of) {
                sight.row(x, y, width, Target::Choice(choice));
            }
        }
        Some(Layer::Silences(of)) => {
            let y = BODY + silences::notes(state).len() as u16;
            let list = (of.list.list.offset, of.rows.len(), silences::room(state));
            sight.list((0, y, width), list, |row| silences::id(state, &of.rows, row).map(RowId::Silence));
        }
        Some(Layer::Logs(_)) => logs(state, &mut sight),
        Some(top @ Layer::Verify { .. }) => {
            let mut last = None;
            for (line, row) in page::lines(state, top, width).1.into_iter().take(state.body_height()).enumerate() {
                // What it costs stands below it.
                let below = last.take();
                if let Some(Goal::Order(place)) = row.opens {
                    last = Some(place);
                }
                if let Some(place) = last.or(below) {
                    sight.row(0, BODY + line as u16, width, Target::Order(place));
                }
            }
        }
        Some(top) => {
            if let Some(spot) = top.spot() {
                let (_, rows) = page::lines(state, top, width);
                let room = state.body_height();
                let first = spot.scroll.min(rows.len().saturating_sub(room));
                for (line, row) in rows.into_iter().skip(first).take(room).enumerate() {
                    if let Some(goal) = row.opens {
                        sight.row(0, BODY + line as u16, width, Target::Line(goal));
                    }
                }
            }
        }
    }
    // Where a line is typed there, no key stands in the footer.
    if !matches!(state.layers.last(), Some(Layer::Filter)) {
        let scope = state.scope();
        for hint in footer::hints(state, width).into_iter().filter(|hint| update::can_be_clicked(state, hint.action)) {
            let wide = cells(&hint.key) + 1 + cells(hint.short);
            sight.row(hint.x, height - 1, wide, Target::Key(scope, hint.action));
        }
    }
    sight
}

/// The rows of the logs, under what must be known of them.
fn logs(state: &State, sight: &mut Sight) {
    let Some(of) = &state.logs else { return };
    let first = BODY + logs::head(state, of).len() as u16;
    for (line, row) in of.rows.iter().skip(of.offset).take(logs::height(state)).enumerate() {
        sight.row(0, first + line as u16, state.size.0, Target::Log(row.number(), row.at()));
    }
}

/// The rows of the pane.
fn rows(state: &State, sight: &mut Sight) {
    let (width, _) = state.size;
    let (body, whole) = (state.body_height(), (0, BODY, width));
    match state.pane {
        Pane::Overview => overview_rows(state, sight),
        Pane::Alerts => {
            let list = (state.alerts.list.offset, state.alert_rows.len(), body);
            sight.list(whole, list, |row| pane::alert_id(state, row).map(RowId::Alert));
        }
        Pane::Databases => {
            let list = (state.databases.list.offset, state.database_rows.len(), body);
            sight.list(whole, list, |row| databases::id(state, row).map(RowId::Node));
        }
        Pane::Backups => {
            let list = (state.backups.list.offset, state.backup_rows.len(), pane::backups_height(state));
            sight.list(whole, list, |row| pane::backup_id(state, row).map(RowId::Backup));
        }
        Pane::Deployments => {
            let rows = &state.window.rows;
            let list = (state.deployments.list.offset, rows.len(), window::height(state));
            sight.list(whole, list, |row| rows.get(row).map(|one| RowId::Deployment(one.key.clone())));
        }
        Pane::Operations => {
            // What is wrong with the journal is told above the rows.
            let above = u16::from(state.runs.problem.is_some());
            let list = (state.operations.list.offset, state.operation_rows.len(), body.saturating_sub(usize::from(above)));
            sight.list((0, BODY + above, width), list, |row| operations::id(state, row).map(RowId::Run));
        }
        Pane::Timeline => {
            let (_, lines) = timeline::charts(body);
            let y = BODY + (timeline::panels(state).len() * lines) as u16 + 2;
            let list = (state.timeline.list.list.offset, state.timeline.rows.len(), timeline::height(state));
            sight.list((0, y, width), list, |row| timeline::id(state, row).map(RowId::Event));
        }
        Pane::Metrics => {
            let len = state.metric_rows.len();
            let grid = grid(state.size, len);
            let row = state.metrics.list.row.min(len.saturating_sub(1));
            let start = grid.first(state.metrics.list.offset, row);
            for (cell, row) in (start..len).take(grid.across * grid.down).enumerate() {
                let Some(id) = pane::metric_id(state, row) else { continue };
                let (x, y) = ((cell % grid.across) as u16 * grid.width, BODY + (cell / grid.across) as u16 * grid.height);
                sight.places.push(Place {
                    x,
                    y,
                    width: grid.width.saturating_sub(1),
                    height: grid.height,
                    target: Target::Row(RowId::Panel(id)),
                });
            }
        }
    }
}

/// The rows of the Overview, in one column or two. A second line belongs to the row above it.
fn overview_rows(state: &State, sight: &mut Sight) {
    let (width, body) = (state.size.0, state.body_height());
    let (ids, [left, right]) = (overview::ids(state), overview::columns(state));
    let (wide, narrow) = overview::widths(width);
    let id = |row: usize| match ids.get(row)? {
        Some(id) => Some(RowId::Overview(id.clone())),
        None if overview::is_second_line(state.overview_rows.get(row)?) => ids.get(row.checked_sub(1)?)?.clone().map(RowId::Overview),
        None => None,
    };
    let offset = state.overview.list.offset;
    let wide = if narrow == 0 { width } else { wide };
    sight.list((0, BODY, wide), (left.start + offset, left.end, body), id);
    if narrow > 0 {
        sight.right = Some(width - narrow);
        sight.list((width - narrow, BODY, narrow), (right.start + state.overview_right, right.end, body), id);
    }
}

#[cfg(test)]
mod tests;
