//! What the keys do in what lies below.

use ratatui::text::{Line, Span};

use crate::app::layer::{Layer, scope};
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::theme::style;
use crate::ui::widget::canvas::{Canvas, cells, wrap};

use super::detail::scrolled;

/// Columns of the keys and of the action's name.
const KEYS: usize = 16;
const ACTION: usize = 15;

/// One line for each action that works below the help page; long texts are wrapped.
pub fn lines(state: &State, width: u16) -> (String, Vec<Line<'static>>) {
    let below = state.layers.iter().rposition(|l| matches!(l, Layer::Help { .. })).unwrap_or(0);
    let scope = scope(state.pane, state.layers.get(..below).unwrap_or(&[]));
    let room = usize::from(width).saturating_sub(KEYS + ACTION + 4);
    let mut lines = Vec::new();
    for (keys, action, doc) in state.keymap.all(scope) {
        let keys = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let keys = wrap(&keys, KEYS);
        let doc = wrap(&doc, room);
        for at in 0..keys.len().max(doc.len()) {
            let part = |of: &[String]| of.get(at).cloned().unwrap_or_default();
            let name = if at == 0 { action.entry().name } else { "" };
            lines.push(Line::from(vec![
                span(state, format!("  {}", pad(part(&keys), KEYS + 1)), Token::Key),
                span(state, pad(name.to_owned(), ACTION + 1), Token::Dim),
                span(state, part(&doc), Token::Text),
            ]));
        }
    }
    (format!("KEYS  {}", scope.name()), lines)
}

fn span(state: &State, text: String, token: Token) -> Span<'static> {
    Span::styled(text, style(state.theme(), token))
}

fn pad(mut text: String, width: usize) -> String {
    let wide = usize::from(cells(&text));
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(wide)));
    text
}

/// Draws the page between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, scroll: usize) {
    let (title, lines) = lines(state, canvas.area.width);
    scrolled(canvas, &title, &lines, scroll);
}
