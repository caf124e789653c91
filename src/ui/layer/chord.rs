//! What can follow the first key of two, at the foot of the screen until the second is pressed. Its snapshots are
//! `chord_*`.

use crate::app::key::Key;
use crate::app::layer::Scope;
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::widget::canvas::{Canvas, cells};

/// Columns of the key and of the name.
const KEY: u16 = 12;
const NAME: u16 = 18;

/// Draws the box over the last lines.
pub fn draw(canvas: &mut Canvas, state: &State, scope: Scope, first: Key) {
    let follow = state.keymap.follow(scope, first);
    let (width, height) = (canvas.area.width, canvas.area.height);
    let lines = (follow.len() as u16).min(height.saturating_sub(6));
    let top = height.saturating_sub(lines + 2);
    let mut part = canvas.part(0, top, width, lines + 2);
    part.fill(Token::Text);
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, 0, width, &border.repeat(usize::from(width)), Token::Border);
    for (line, (then, action, doc)) in follow.iter().take(usize::from(lines)).enumerate() {
        let y = 1 + line as u16;
        part.put(2, y, KEY, &format!("{first} {then}"), Token::Key);
        part.put(2 + KEY, y, NAME - 1, action.entry().name, Token::Text);
        part.put(2 + KEY + NAME, y, width.saturating_sub(2 + KEY + NAME), doc, Token::Dim);
    }
    let head = format!("{first} and then?  ");
    part.put(0, lines + 1, width, &head, Token::Title);
    part.put(cells(&head), lines + 1, width.saturating_sub(cells(&head)), "esc or any other key leaves it", Token::Dim);
}
