//! The Metrics pane: the estate's panels as small charts with their newest values.

use crate::app::state::State;
use crate::model::age;
use crate::model::estate::Severity;
use crate::model::health::PanelView;
use crate::model::metric;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::widget::canvas::{Canvas, cells, wrap};
use crate::ui::widget::chart::{self, Chart};
use crate::ui::{frame, theme, when};

/// Panels across and down, and the columns and rows of each, for a screen of that size (columns, rows). A bigger
/// screen shows more panels, not bigger ones.
pub fn grid(size: (u16, u16)) -> (usize, usize, u16, u16) {
    let (width, height) = (size.0.max(1), size.1.saturating_sub(4).max(1));
    let (across, down) = ((width / 40).max(1), (height / 6).max(1));
    (usize::from(across), usize::from(down), width / across, height / down)
}

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let (across, down, width, height) = grid((canvas.area.width, canvas.area.height));
    let all = state.estate.panels.len();
    let chip = frame::chip(&state.metrics.filter.text, || state.metric_rows.len(), all);
    let title = format!("PANELS  the last {}", age::exact(state.demand.range));
    frame::heads(canvas, &[(2, &title)], &chip);
    if state.metric_rows.is_empty() {
        let text = if all == 0 { "The estate file has no panels" } else { "No panel matches" };
        canvas.put(2, 3, canvas.area.width, text, Token::Dim);
        return;
    }
    let panels = state.panels();
    // The list scrolls by single panels, the grid by whole lines of them.
    let row = state.metrics.list.row.min(state.metric_rows.len() - 1);
    let lowest = (row / across + 1).saturating_sub(down) * across;
    let start = (state.metrics.list.offset / across * across).clamp(lowest, row / across * across);
    for (cell, (place, index)) in state.metric_rows.iter().enumerate().skip(start).take(across * down).enumerate() {
        let Some(view) = panels.get(*index) else { continue };
        let (x, y) = ((cell % across) as u16 * width, 3 + (cell / across) as u16 * height);
        let selected = state.metrics.list.selected.is_some() && place == row;
        // A column and, where there is room, a line stay free between panels.
        let mut part = canvas.part(x, y, width.saturating_sub(1), height);
        panel(&mut part, state, view, selected);
    }
}

/// The newest value with what it means: `2.1% X critical`, or `[2.1%] ? 7m` where it is not fresh.
pub fn value(state: &State, view: &PanelView) -> (String, Token) {
    let severity = view.severity();
    match (view.value(), view.freshness) {
        _ if view.answer.is_some_and(|a| a.error.is_some()) => ("? query failed".into(), Token::Unknown),
        (None, Freshness::Fresh) => ("? no data".into(), Token::Unknown),
        (None, freshness) => (format!("? {}", freshness.word()), Token::Unknown),
        (Some(value), Freshness::Fresh) => {
            let shown = metric::show_at(value, view.panel.unit, state.now);
            let judged = view.panel.warn.is_some() || view.panel.critical.is_some();
            match severity {
                Severity::Ok if judged => (format!("{shown} ok"), Token::Text),
                Severity::Ok => (shown, Token::Text),
                severity => (format!("{shown} {} {}", theme::glyph(severity), severity.word()), theme::token(severity)),
            }
        }
        (Some(value), _) => {
            let age = view.as_of.map_or(String::new(), |at| format!(" {}", when::ago(state, at)));
            (format!("[{}] ?{age}", metric::show_at(value, view.panel.unit, state.now)), Token::Unknown)
        }
    }
}

fn panel(canvas: &mut Canvas, state: &State, view: &PanelView, selected: bool) {
    let width = canvas.area.width;
    let (text, token) = value(state, view);
    let right = width.saturating_sub(cells(&text));
    if selected {
        canvas.put(0, 0, 1, ">", Token::Selected);
    }
    canvas.put(2, 0, right.saturating_sub(3), &view.panel.name, if selected { Token::Selected } else { Token::Title });
    canvas.put(right, 0, width, &text, token);
    let body = canvas.area.height.saturating_sub(1);
    let mut part = canvas.part(2, 1, width.saturating_sub(2), body);
    match view.answer {
        Some(answer) if answer.error.is_some() => {
            let error = answer.error.as_deref().unwrap_or_default();
            for (y, line) in wrap(error, usize::from(part.area.width)).iter().take(usize::from(body)).enumerate() {
                part.put(0, y as u16, width, line, Token::Dim);
            }
        }
        Some(answer) => match &answer.plot {
            Some(plot) => {
                let live = view.freshness == Freshness::Fresh;
                chart::draw(&mut part, &Chart { panel: view.panel, plot, live, now: state.now, cursor: None });
            }
            None => drop(part.put(0, 0, width, "no chart yet", Token::Dim)),
        },
        None => drop(part.put(0, 0, width, &format!("nothing was read of {}", view.panel.source), Token::Dim)),
    }
}
