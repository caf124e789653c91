//! What the keys do in what lies below the help page.

use crate::app::layer::{Layer, scope};
use crate::app::state::State;
use crate::app::wrap::{cells, wrap};
use crate::model::preferences::Token;

use super::Row;

/// Columns of the keys and of the action's name.
const KEYS: usize = 16;
const ACTION: usize = 15;

/// One line for each action that works below the help page; long texts are wrapped.
pub fn lines(state: &State, width: u16) -> (String, Vec<Row>) {
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
            let keys = (format!("  {}", pad(part(&keys), KEYS + 1)), Token::Key);
            let spans = vec![keys, (pad(name.to_owned(), ACTION + 1), Token::Dim), (part(&doc), Token::Text)];
            lines.push(Row { spans, opens: None });
        }
    }
    (format!("KEYS  {}", scope.name()), lines)
}

fn pad(mut text: String, width: usize) -> String {
    let wide = usize::from(cells(&text));
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(wide)));
    text
}
