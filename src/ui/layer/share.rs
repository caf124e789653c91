//! What is told outside of the console, over the upper part of what is shown: the text to paste, the form of an export.
//! Their snapshots are `deployments_shared_*` and `deployments_export_*`.

use crate::app::ask::Exported;
use crate::app::deployments::share;
use crate::app::deployments::window::Hits;
use crate::app::layer::{ExportForm, Layer};
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::frame::input;
use crate::ui::widget::canvas::{Canvas, thousands, wrap};

/// Columns at the most.
const WIDTH: u16 = 120;

/// Draws lines in a box under the fixed lines.
pub(super) fn draw_box(canvas: &mut Canvas, title: &str, first: Option<&str>, lines: &[(String, Token)]) {
    let width = canvas.area.width.min(WIDTH);
    let room = usize::from(width).saturating_sub(4);
    let mut all: Vec<(String, Token)> = Vec::new();
    for (text, token) in lines {
        all.extend(wrap(text, room).into_iter().map(|line| (line, *token)));
    }
    let most = usize::from(canvas.area.height).saturating_sub(6);
    all.truncate(most);
    let head = 1 + u16::from(first.is_some());
    let mut part = canvas.part(0, 2, width, head + all.len() as u16 + 1);
    part.fill(Token::Text);
    part.put(0, 0, width, title, Token::Title);
    if let Some(typed) = first {
        input(&mut part, 1, ' ', typed, None);
    }
    for (line, (text, token)) in all.iter().enumerate() {
        part.put(2, head + line as u16, width.saturating_sub(2), text, *token);
    }
    let border = if part.ascii { "-" } else { "─" };
    part.put(0, head + all.len() as u16, width, &border.repeat(usize::from(width)), Token::Border);
}

/// Draws the text to paste.
pub fn text(canvas: &mut Canvas, text: &str, copied: bool) {
    let mut lines: Vec<(String, Token)> = text.lines().map(|line| (line.to_owned(), Token::Text)).collect();
    let said = if copied { "copied, where the terminal allows it" } else { "too long to be copied by the terminal" };
    lines.push((said.to_owned(), Token::Dim));
    draw_box(canvas, "TEXT TO PASTE", None, &lines);
}

/// Draws the form of an export.
pub fn export(canvas: &mut Canvas, state: &State, form: &ExportForm) {
    let chart = state.layers.iter().rev().nth(1).is_some_and(|layer| matches!(layer, Layer::Chart { .. }));
    let count = match state.window.hits {
        Hits::All(count) => thousands(count),
        Hits::AtLeast(count) => format!("at least {}", thousands(count)),
    };
    let filter = if state.deployments.filter.is_empty() {
        "all of them".to_owned()
    } else {
        format!("those that pass /{}", state.deployments.filter.text)
    };
    let ending = if form.typed.ends_with(".csv") { "csv" } else { "json" };
    let (far, token) = match &form.far {
        None if chart => ("Enter writes the chart's numbers as CSV, times in UTC, gaps empty.".to_owned(), Token::Dim),
        None => ("Enter writes it; .csv, .json (an array) and .jsonl (lines) say how.".to_owned(), Token::Dim),
        Some(Exported::Rows(rows)) => (format!("writing: {} so far; Esc stops it", thousands(*rows)), Token::Text),
        Some(Exported::Done(rows)) if chart => (format!("written: {} points in time", thousands(*rows)), Token::Title),
        Some(Exported::Done(rows)) => (format!("written: {} deployments", thousands(*rows)), Token::Title),
        Some(Exported::Exists) => ("! this file is there already: write another name, or Enter replaces it".to_owned(), Token::Warning),
        Some(Exported::Failed(why)) => (format!("! nothing is written: {why}"), Token::Warning),
        Some(Exported::Stopped) => ("stopped: nothing is written".to_owned(), Token::Warning),
    };
    let lines = [
        (far, token),
        (format!("{count} deployments, {filter}. Without a console:"), Token::Dim),
        (share::export(state, ending), Token::Dim),
    ];
    let lines = if chart { &lines[..1] } else { &lines[..] };
    draw_box(canvas, "EXPORT to this file, which only you may read", Some(&form.typed), lines);
}
