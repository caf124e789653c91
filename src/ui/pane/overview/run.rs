//! A run that waits for a person, as a line under NEEDS YOU. Its snapshot is `operations_overview`.

use super::{LEFT_WIDTH, NAME, STATE, STATE_WIDTH, action_column, two_lines};
use crate::app::operations::mark;
use crate::app::state::State;
use crate::app::when;
use crate::model::preferences::Token;
use crate::model::run::Phase;
use crate::model::run::advice::wants;
use crate::model::run::known::Standing;
use crate::ui::widget::canvas::Canvas;

/// Draws it: how it stands, what it is and why it waits, what to do, and since when nothing happened.
pub fn row(canvas: &mut Canvas, state: &State, y: u16, index: usize, name: Token) {
    let Some(known) = state.runs.all.get(index) else { return };
    let (glyph, word, token) = mark(known);
    canvas.put(STATE, y, STATE_WIDTH, &format!("{glyph} {word}"), token);
    let plan = &known.state.plan;
    let why = wants(&known.state, known.alive).unwrap_or_default();
    let action = match known.standing() {
        Standing::Orphaned => "look closer",
        _ if known.state.phase() == Phase::Paused => "go on",
        _ => "decide",
    };
    let width = canvas.area.width;
    let end = if two_lines(state) { width - LEFT_WIDTH } else { action_column(state, width) };
    canvas.put(NAME, y, end - NAME - 1, &format!("{} of {}: {why}", plan.deed.word(), plan.subject), name);
    if end < width - LEFT_WIDTH {
        canvas.put(end, y, width - LEFT_WIDTH - 1 - end, action, Token::Text);
    }
    canvas.put(width - LEFT_WIDTH, y, LEFT_WIDTH, &format!("{} ago", when::ago(state, known.state.last.1)), Token::Dim);
}
