//! The menu of a row, under the fixed lines. Its snapshots are `menu_*`.

use crate::app::menu::Menu;
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells, wrap};

/// Columns at the most.
const WIDTH: u16 = 110;
/// Lines of the selected line's whole text.
const MOST: usize = 3;
/// Columns of the keys and of the names.
const KEY: u16 = 6;
const NAME: u16 = 14;

/// Draws the menu.
pub fn draw(canvas: &mut Canvas, menu: &Menu) {
    let width = canvas.area.width.min(WIDTH);
    // What the selected line says, whole: a narrow screen cuts it.
    let selected = menu.items.get(menu.selected);
    let whole = selected.map_or_else(Vec::new, |item| match &item.why {
        None => wrap(&item.text, usize::from(width).saturating_sub(4)),
        Some(why) => wrap(&format!("not now: {why}"), usize::from(width).saturating_sub(4)),
    });
    let below = whole.len().min(MOST) as u16;
    let lines = (menu.items.len() as u16).min(canvas.area.height.saturating_sub(5 + below)).max(1);
    let mut part = canvas.part(0, 2, width, lines + below + 2);
    part.fill(Token::Text);
    part.put(0, 0, width, "WHAT CAN BE DONE here", Token::Title);
    part.put_right(0, width, 0, "the most dangerous last", Token::Dim);
    let rows = usize::from(lines);
    let first = (menu.selected + 1).saturating_sub(rows);
    for (line, (place, item)) in menu.items.iter().enumerate().skip(first).take(rows).enumerate() {
        let y = 1 + line as u16;
        let selected = place == menu.selected;
        if selected {
            part.put(0, y, 1, ">", Token::Selected);
        }
        let name = match (selected, &item.why) {
            (true, _) => Token::Selected,
            (false, None) => Token::Text,
            (false, Some(_)) => Token::Dim,
        };
        let key = item.key.map_or_else(|| "-".to_owned(), |key| key.to_string());
        part.put(2, y, KEY, &key, if item.why.is_none() { Token::Key } else { Token::Dim });
        part.put(2 + KEY, y, NAME, item.action.entry().short, name);
        let x = 2 + KEY + NAME;
        let room = width.saturating_sub(x);
        match &item.why {
            None => {
                part.put(x, y, room, &item.text, Token::Text);
            }
            Some(why) => {
                let told = part.put(x, y, room, "not now: ", Token::Dim).max(cells("not now: "));
                part.put(x + told, y, room.saturating_sub(told), why, Token::Dim);
            }
        }
    }
    for (line, text) in whole.iter().take(usize::from(below)).enumerate() {
        part.put(4, 1 + lines + line as u16, width.saturating_sub(4), text, Token::Dim);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, lines + below + 1, width, &border.repeat(usize::from(width)), Token::Border);
}
