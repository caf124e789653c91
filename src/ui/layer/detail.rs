//! One alert, service or source, whole, or the help page: its lines as far as the screen goes.

use crate::app::layer::Layer;
use crate::app::page;
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells};

/// Draws a page between the fixed lines: its title, which of its lines are shown, and these lines.
pub fn draw(canvas: &mut Canvas, state: &State, layer: &Layer) {
    let (title, rows) = page::lines(state, layer, canvas.area.width);
    let (width, height) = (canvas.area.width, usize::from(canvas.area.height - 4));
    let (scroll, selected) = match (layer, layer.spot()) {
        (Layer::Help { scroll, .. }, _) => (*scroll, None),
        (_, Some(spot)) => (spot.scroll, page::selected(spot, &rows)),
        (_, None) => (0, None),
    };
    let first = scroll.min(rows.len().saturating_sub(height));
    let mut end = width;
    if rows.len() > height {
        let text = format!("lines {}-{} of {}", first + 1, (first + height).min(rows.len()), rows.len());
        end = canvas.put_right(0, width, 2, &text, Token::Dim).saturating_sub(1);
    }
    canvas.put(0, 2, end, &title, Token::Title);
    for (line, (place, row)) in rows.iter().enumerate().skip(first).take(height).enumerate() {
        let (mut x, y) = (0, 3 + line as u16);
        let mut marked = selected != Some(place);
        if !marked {
            canvas.put(0, y, 1, ">", Token::Selected);
        }
        for (text, token) in &row.spans {
            // The first text of a selected line is marked, as the name is in a list.
            let blank = text.trim().is_empty();
            let token = if marked || blank { *token } else { Token::Selected };
            marked |= !blank;
            if !(blank && x == 0) {
                canvas.put(x, y, width.saturating_sub(x), text, token);
            }
            x += cells(text);
        }
    }
}
