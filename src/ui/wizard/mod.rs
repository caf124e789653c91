//! The wizard: 80 columns wide on every screen, in the middle of a wider one, so that a bigger screen does not make
//! confirming easier. Its snapshots are `wizard_*`.

use crate::app::page::Row;
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::wizard::{self, Sheet, WIDTH, Wizard};
use crate::model::preferences::Token;

use super::widget::canvas::{Canvas, cells};

/// Draws it between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, of: &Wizard) {
    let (width, height) = (canvas.area.width.min(WIDTH), canvas.area.height.saturating_sub(3));
    let left = (canvas.area.width - width) / 2;
    let mut part = canvas.part(left, 2, width, height);
    let sheet = wizard::sheet(state, of);
    let body = usize::from(height).saturating_sub(1);
    let (first, room) = (sheet.first(of.scroll, body), sheet.room(body));
    let mut end = width;
    if sheet.rows.len() > room {
        let text = format!("lines {}-{} of {}", first + 1, (first + room).min(sheet.rows.len()), sheet.rows.len());
        end = part.put_right(0, width, 0, &text, Token::Dim).saturating_sub(1);
    }
    part.put(0, 0, end, &sheet.title, Token::Title);
    let mut y = 1;
    let (top, lines) = split(&sheet, body);
    for row in &sheet.top[..top] {
        put(&mut part, y, row);
        y += 1;
    }
    for row in sheet.rows.iter().skip(first).take(lines) {
        put(&mut part, y, row);
        y += 1;
    }
    let bottom = height.saturating_sub(sheet.foot.len() as u16);
    for (line, row) in sheet.foot.iter().enumerate() {
        put(&mut part, bottom + line as u16, row);
    }
}

/// Lines of the top and of the page itself in a body of that height. Where the screen is too low for all of it, what is
/// agreed to goes, and never the dialog itself.
fn split(sheet: &Sheet, body: usize) -> (usize, usize) {
    let top = sheet.top.len().min(body.saturating_sub(sheet.foot.len()));
    (top, body.saturating_sub(top + sheet.foot.len()))
}

/// Where the choices stand: the column, the line and the width of each line of theirs.
pub fn choices(state: &State, of: &Wizard) -> Vec<(u16, u16, u16, Choice)> {
    let (columns, height) = (state.size.0, state.size.1.saturating_sub(3));
    let width = columns.min(WIDTH);
    let sheet = wizard::sheet(state, of);
    let body = usize::from(height).saturating_sub(1);
    let first = sheet.first(of.scroll, body);
    let (top, lines) = split(&sheet, body);
    let mut all = Vec::new();
    for (place, (begin, choice)) in sheet.choices.iter().enumerate() {
        // What is said of a choice stands below its line; of a label nothing is.
        let label = matches!(choice, Choice::Label(_));
        let end =
            if label { begin + 1 } else { sheet.choices.get(place + 1).map_or(sheet.end.unwrap_or(sheet.rows.len()), |(next, _)| *next) };
        for row in (*begin..end).filter(|row| (first..first + lines).contains(row)) {
            all.push(((columns - width) / 2, (3 + top + row - first) as u16, width, choice.clone()));
        }
    }
    all
}

#[cfg(test)]
mod silences;
#[cfg(test)]
mod tests;

fn put(part: &mut Canvas, y: u16, row: &Row) {
    let mut x = 0;
    for (text, token) in &row.spans {
        part.put(x, y, part.area.width.saturating_sub(x), text, *token);
        x += cells(text);
    }
}
