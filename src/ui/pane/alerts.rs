//! The Alerts pane: one line each, the worst first, or by Alertmanager's own groups.

use crate::app::mark::{self, state_cell};
use crate::app::state::{AlertRow, State};
use crate::app::when;
use crate::model::alert::{Alert, Origin};
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::Canvas;

const SEVERITY: u16 = 2;
const STATE: u16 = 13;
/// `[undelivered] ?` and a space.
const AGE: u16 = 29;
const NAME: u16 = 34;

/// Where the columns are that depend on the width: summary, source. On a narrow screen the summary has no room.
fn columns(width: u16) -> (u16, u16) {
    if width >= 120 { (NAME + 32, width - 16) } else { ((NAME + 19).min(width - 9), width - 9) }
}

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let (summary, source) = columns(canvas.area.width);
    let shown = || state.alert_rows.iter().filter(|r| matches!(r, AlertRow::Alert(_))).count();
    let all = state.shown().alerts.len();
    let mut chips = vec![frame::chip(&state.alerts.filter.text, shown, all)];
    if !state.show_muted {
        chips.push("muted hidden".into());
    }
    chips.retain(|c| !c.is_empty());
    let heads = [
        (SEVERITY, "SEVERITY"),
        (STATE, "STATE"),
        (AGE, "AGE"),
        (NAME, "NAME"),
        (summary, if summary < source { "SUMMARY" } else { "" }),
        (source, "SOURCE"),
    ];
    frame::heads(canvas, &heads, &chips.join("  "));
    if state.alert_rows.is_empty() {
        empty(canvas, state, all);
    }
    let height = usize::from(canvas.area.height - 4);
    let rows = state.alert_rows.iter().enumerate().skip(state.alerts.list.offset).take(height);
    for (line, (place, row)) in rows.enumerate() {
        let y = 3 + line as u16;
        match row {
            AlertRow::Group(text) => {
                canvas.put(0, y, canvas.area.width, text, Token::Title);
            }
            AlertRow::Alert(index) => {
                let selected = state.alerts.list.selected.is_some() && place == state.alerts.list.row;
                if let Some(alert) = state.shown().alerts.get(*index) {
                    alert_row(canvas, state, y, alert, selected);
                }
            }
        }
    }
}

/// No row is good news only where someone was heard who could have said otherwise.
fn empty(canvas: &mut Canvas, state: &State, all: usize) {
    let fresh = state.shown_readings().iter().any(|r| r.freshness(state.now) == Freshness::Fresh);
    let (text, token) = match (all > 0, fresh) {
        (true, _) => ("No alert matches", Token::Dim),
        (false, true) => ("No alerts", Token::Dim),
        (false, false) => ("? Nothing is known: no source is fresh", Token::Unknown),
    };
    canvas.put(SEVERITY, 3, canvas.area.width, text, token);
}

fn alert_row(canvas: &mut Canvas, state: &State, y: u16, alert: &Alert, selected: bool) {
    let (summary, source) = columns(canvas.area.width);
    if selected {
        canvas.put(0, y, 1, ">", Token::Selected);
    }
    let (glyph, mut token) = mark::alert(alert);
    let (word, state_token) = state_cell(state, alert);
    if state_token == Token::Unknown {
        token = Token::Unknown;
    }
    canvas.put(SEVERITY, y, STATE - SEVERITY - 1, &format!("{glyph} {}", alert.severity.word()), token);
    canvas.put(STATE, y, AGE - STATE - 1, &word, state_token);
    canvas.put(AGE, y, NAME - AGE - 1, &when::ago(state, alert.starts_at), Token::Dim);
    canvas.put(NAME, y, summary - NAME - 1, alert.name(), if selected { Token::Selected } else { Token::Text });
    canvas.put(summary, y, source.saturating_sub(summary + 1), &alert.summary(), Token::Text);
    // Whose reading a finding of our own judges comes after who found it.
    let told_by = if alert.origin == Origin::Quarterdeck { &format!("qd:{}", alert.source) } else { &*alert.source };
    canvas.put(source, y, canvas.area.width - source, told_by, Token::Dim);
}
