//! Pages to scroll through: one alert, service or source, whole, and the help. Their lines are made here and not where
//! they are drawn, so that moving knows exactly how many there are and where each of them leads.

mod alert;
pub mod backup;
mod database;
mod deployment;
mod did;
mod diff;
mod dora;
mod help;
mod rollback;
mod run;
mod service;
mod source;
pub mod verification;

use std::fmt;

use crate::model::deployment::Deployment;
use crate::model::preferences::Token;

use super::layer::Layer;
use super::palette::Goal;
use super::spot::Spot;
use super::state::State;
use super::wrap::{cells, wrap};

/// Columns of a field's name.
const NAME: usize = 15;

/// One line of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Texts and what their colours are for, from left to right.
    pub spans: Vec<(String, Token)>,
    /// Where it leads; a line that leads somewhere can be selected.
    pub opens: Option<Goal>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans.iter().try_for_each(|(text, _)| f.write_str(text))
    }
}

/// Lines being written.
pub struct Page {
    width: usize,
    rows: Vec<Row>,
    link: Option<Goal>,
}

impl Page {
    /// An empty page of that width in columns.
    pub fn new(width: u16) -> Page {
        Page { width: usize::from(width), rows: Vec::new(), link: None }
    }

    /// The first line of what is written next leads there.
    pub fn link(&mut self, goal: Goal) -> &mut Page {
        self.link = Some(goal);
        self
    }

    fn push(&mut self, spans: Vec<(String, Token)>) {
        let opens = self.link.take();
        self.rows.push(Row { spans, opens });
    }

    /// A section's head, with a free line before it.
    pub fn head(&mut self, text: &str) {
        if !self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        self.rows.push(Row { spans: vec![(text.to_owned(), Token::Title)], opens: None });
    }

    /// A name and its value, the value wrapped beside the name.
    pub fn field(&mut self, name: &str, value: &str, token: Token) {
        // A long name has a line of its own.
        let wide = usize::from(cells(name)) >= NAME;
        if wide {
            for line in wrap(name, self.width.saturating_sub(2)) {
                self.push(vec![("  ".into(), Token::Text), (line, Token::Dim)]);
            }
        }
        for (at, line) in wrap(value, self.width.saturating_sub(NAME + 2)).into_iter().enumerate() {
            let left = if at == 0 && !wide { name } else { "" };
            let pad = NAME.saturating_sub(usize::from(cells(left)));
            self.push(vec![("  ".into(), Token::Text), (left.to_owned(), Token::Dim), (" ".repeat(pad), Token::Dim), (line, token)]);
        }
    }

    /// A step of a run in one line: its name, how it stands, its time, and what is said of it as far as there is room.
    fn step(&mut self, id: &str, (word, token): (&str, Token), took: &str, said: &str) {
        let wide = self.width >= 120;
        let (name, state, time) = if wide { (28, 22, 14) } else { (18, 20, 10) };
        let cell = |text: &str, room: usize| {
            let mut text = text.to_owned();
            while usize::from(cells(&text)) > room {
                text.pop();
            }
            let pad = room + 1 - usize::from(cells(&text));
            format!("{text}{}", " ".repeat(pad))
        };
        let said = wrap(said, usize::MAX >> 1).into_iter().next().unwrap_or_default();
        self.push(vec![
            ("  ".into(), Token::Text),
            (cell(id, name), Token::Text),
            (cell(word, state), token),
            (cell(took, time), Token::Dim),
            (said, if token == Token::Dim { Token::Dim } else { Token::Text }),
        ]);
    }

    /// Text over the whole width.
    pub fn text(&mut self, text: &str, token: Token) {
        for line in wrap(text, self.width.saturating_sub(2)) {
            self.push(vec![("  ".into(), Token::Text), (line, token)]);
        }
    }

    /// The lines.
    pub fn done(self) -> Vec<Row> {
        self.rows
    }
}

/// The title and the lines of a detail or the help, for a width in columns. The other layers have none.
pub fn lines(state: &State, layer: &Layer, width: u16) -> (String, Vec<Row>) {
    let page = Page::new(width);
    match layer {
        Layer::Alert { alert, .. } => (format!("ALERT  {}", alert.name()), alert::lines(state, alert, page)),
        Layer::Deployment { deployment, .. } => {
            let version = deployment.to.as_deref().unwrap_or("?");
            (format!("DEPLOYMENT  {} {version}", deployment.service), deployment::lines(state, deployment, page))
        }
        Layer::Diff { from, to, found, .. } => {
            let version = |of: &Deployment| of.to.clone().unwrap_or_else(|| "?".to_owned());
            let before = from.as_ref().map_or_else(|| "?".to_owned(), |from| version(from));
            let title = format!("COMPARED  {} {before} with {}", to.service, version(to));
            (title, diff::lines(state, from.as_deref(), to, found.as_deref(), page))
        }
        Layer::Dora { days, service, table, .. } => {
            let of = service.as_deref().unwrap_or("all services");
            let title = format!("MEASURES  {of}, the last {days} days and the {days} before");
            (title, dora::lines(service.as_deref(), table.as_deref(), page))
        }
        Layer::Service { name, .. } => (format!("SERVICE  {name}"), service::lines(state, name, page)),
        Layer::Source { index, .. } => {
            let name = state.estate.sources.get(*index).map_or("?", |s| s.name.as_str());
            (format!("SOURCE  {name}"), source::lines(state, *index, page))
        }
        Layer::Verify { index, choice } => {
            let name = state.estate.sources.get(*index).map_or("?", |s| s.name.as_str());
            (format!("VERIFY  {name}"), verification::layer(state, *index, *choice, page))
        }
        Layer::Run { run, record, spot } => run::lines(state, run, *record, spot, page),
        Layer::Help { .. } => help::lines(state, width),
        Layer::Chart { .. }
        | Layer::Filter
        | Layer::Palette(_)
        | Layer::Contexts(_)
        | Layer::Share { .. }
        | Layer::Themes(_)
        | Layer::Logs(_)
        | Layer::Silences(_)
        | Layer::Select { .. }
        | Layer::Prompt(_)
        | Layer::Export(_)
        | Layer::Menu(_)
        | Layer::Views(_)
        | Layer::SaveView(_)
        | Layer::Request(_)
        | Layer::Wizard(_) => (String::new(), page.done()),
    }
}

/// The line at which the node of that place of a database begins on its source's page; the first where it is not there.
pub fn of_node(state: &State, index: usize, node: usize) -> usize {
    let Some((at, _)) = super::databases::known(state, index).and_then(|known| known.node(node)) else { return 0 };
    let head = database::node_head(&at.name);
    let rows = lines(state, &Layer::Source { index, spot: Spot::default() }, state.size.0).1;
    rows.iter().position(|row| row.spans.first().is_some_and(|(text, _)| *text == head)).unwrap_or(0)
}

/// Moves through a page by so many lines: to the next line that leads somewhere while it is on the screen, else the page
/// scrolls. What is selected is on the screen, always, and the page never scrolls past its end.
pub fn walk(spot: &mut Spot, rows: &[Row], height: usize, by: isize) {
    let last = rows.len().saturating_sub(height);
    let links = || (0..rows.len()).filter(|row| rows[*row].opens.is_some());
    let at = selected(spot, rows);
    let from = spot.scroll;
    if by.abs() == 1 {
        let next = match at {
            Some(at) if by > 0 => links().find(|row| *row > at),
            Some(at) => links().rfind(|row| *row < at),
            None => None,
        };
        let shown = |row: usize| (spot.scroll..spot.scroll + height).contains(&row);
        match next {
            Some(row) if shown(row) => {
                spot.selected = rows[row].opens.clone();
                return;
            }
            _ => spot.scroll = spot.scroll.saturating_add_signed(by).min(last),
        }
    } else {
        spot.scroll = spot.scroll.saturating_add_signed(by).min(last);
    }
    let shown = spot.scroll..(spot.scroll + height).min(rows.len());
    let visible = || shown.clone().filter(|row| rows[*row].opens.is_some());
    // A way to an end, or one that the page is too short for, goes to the first or the last of what can be opened.
    let to_end = by.abs() > 1 && (spot.scroll == from || by.unsigned_abs() > rows.len());
    if to_end || !at.is_some_and(|at| shown.contains(&at)) {
        let row = if (by > 0) == to_end { visible().next_back() } else { visible().next() };
        spot.selected = row.and_then(|row| rows[row].opens.clone());
    }
}

/// Finds the place again after the lines changed: what is selected stays selected and on the screen; where it is gone,
/// the first line on the screen that leads somewhere takes its place.
pub fn settle(spot: &mut Spot, rows: &[Row], height: usize) {
    spot.scroll = spot.scroll.min(rows.len().saturating_sub(height));
    match selected(spot, rows) {
        Some(row) => spot.scroll = spot.scroll.min(row).max((row + 1).saturating_sub(height)),
        None => {
            let shown = spot.scroll..(spot.scroll + height).min(rows.len());
            spot.selected = rows[shown].iter().find_map(|row| row.opens.clone());
        }
    }
}

/// The line that is selected.
pub fn selected(spot: &Spot, rows: &[Row]) -> Option<usize> {
    let goal = spot.selected.as_ref()?;
    rows.iter().position(|row| row.opens.as_ref() == Some(goal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(links: &[bool]) -> Vec<Row> {
        let row = |(at, link): (usize, &bool)| Row { spans: vec![], opens: link.then_some(Goal::Source(at)) };
        links.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_page_ends_at_its_last_line_and_one_key_up_shows_that() {
        let rows = rows(&[false; 30]);
        let mut spot = Spot::default();
        walk(&mut spot, &rows, 20, 1 << 30);
        assert_eq!(spot.scroll, 10);
        walk(&mut spot, &rows, 20, 1);
        walk(&mut spot, &rows, 20, -1);
        assert_eq!(spot.scroll, 9);
    }

    #[test]
    fn every_link_is_reached_by_single_steps_in_both_directions() {
        let links: Vec<bool> = (0..60).map(|n| matches!(n, 3 | 4 | 40 | 41 | 58)).collect();
        let rows = rows(&links);
        let mut spot = Spot::default();
        settle(&mut spot, &rows, 10);
        let mut down = vec![];
        for _ in 0..80 {
            down.extend(selected(&spot, &rows));
            walk(&mut spot, &rows, 10, 1);
        }
        down.dedup();
        assert_eq!((down, spot.scroll), (vec![3, 4, 40, 41, 58], 50));
        let mut up = vec![];
        for _ in 0..80 {
            up.extend(selected(&spot, &rows));
            walk(&mut spot, &rows, 10, -1);
        }
        up.dedup();
        assert_eq!((up, spot.scroll), (vec![58, 41, 40, 4, 3], 0));
    }

    proptest! {
        #[test]
        fn what_is_selected_is_on_the_screen(
            before in prop::collection::vec(any::<bool>(), 0..60), after in prop::collection::vec(any::<bool>(), 0..60),
            steps in prop::collection::vec(prop::sample::select(vec![1isize, -1, 5, -5, 10, -10, 1 << 30, -(1 << 30)]), 0..30), height in 1usize..20,
        ) {
            let mut spot = Spot::default();
            let (before, after) = (rows(&before), rows(&after));
            settle(&mut spot, &before, height);
            for (turn, by) in steps.into_iter().enumerate() {
                let rows = if turn < 15 { &before } else { &after };
                if turn == 15 {
                    settle(&mut spot, rows, height);
                }
                walk(&mut spot, rows, height, by);
                prop_assert!(spot.scroll <= rows.len().saturating_sub(height));
                if spot.selected.is_some() {
                    let row = selected(&spot, rows).unwrap();
                    prop_assert!((spot.scroll..spot.scroll + height).contains(&row));
                } else {
                    let shown = spot.scroll..(spot.scroll + height).min(rows.len());
                    prop_assert!(rows[shown].iter().all(|row| row.opens.is_none()));
                }
            }
        }
    }
}
