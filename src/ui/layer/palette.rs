//! The palette: over the upper part of what is shown, so that little has to be drawn again.

use crate::app::palette::{Goal, Palette};
use crate::model::preferences::Token;
use crate::ui::frame::input;
use crate::ui::widget::canvas::{Canvas, cells, thousands};

/// Lines shown at the most.
const LINES: u16 = 12;
/// Columns at the most.
const WIDTH: u16 = 100;

/// Draws the palette under the fixed lines.
pub fn draw(canvas: &mut Canvas, palette: &Palette) {
    let width = canvas.area.width.min(WIDTH);
    let lines = lines(canvas.area.height);
    let mut part = canvas.part(0, 2, width, lines + 2);
    part.fill(Token::Text);
    input(&mut part, 0, ':', &palette.typed, None);
    let count = format!("  {} of {}", thousands(palette.count), thousands(palette.items.len()));
    part.put_right(0, width, 0, &count, Token::Dim);

    let (rows, selected) = (usize::from(lines), palette.selected.min(palette.found.len().saturating_sub(1)));
    let first = first(palette, lines);
    for (line, (place, index)) in palette.found.iter().enumerate().skip(first).take(rows).enumerate() {
        let Some(item) = palette.items.get(*index) else { continue };
        let y = 1 + line as u16;
        let is_selected = place == selected;
        if is_selected {
            part.put(0, y, 1, ">", Token::Selected);
        }
        let note = cells(&item.note).min(width / 3);
        let name = if is_selected { Token::Selected } else { Token::Text };
        part.put(2, y, width.saturating_sub(note + 4), &item.text, name);
        part.put(width.saturating_sub(note), y, note, &item.note, Token::Key);
    }
    if palette.found.is_empty() {
        part.put(2, 1, width, "Nothing of that name", Token::Dim);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, lines + 1, width, &border.repeat(usize::from(width)), Token::Border);
}

/// Lines of it on a screen of that height.
fn lines(height: u16) -> u16 {
    LINES.min(height.saturating_sub(5)).max(1)
}

/// The first of the found that is shown.
fn first(palette: &Palette, lines: u16) -> usize {
    let selected = palette.selected.min(palette.found.len().saturating_sub(1));
    (selected + 1).saturating_sub(usize::from(lines))
}

/// The columns and lines that it covers, and on which line each of the found stands that is shown.
pub fn places(palette: &Palette, (columns, height): (u16, u16)) -> (u16, u16, Vec<(u16, Goal)>) {
    let lines = lines(height);
    let found = palette.found.iter().skip(first(palette, lines)).take(usize::from(lines)).enumerate();
    let all = found.filter_map(|(line, index)| Some((3 + line as u16, palette.items.get(*index)?.goal.clone())));
    (columns.min(WIDTH), lines + 2, all.collect())
}
