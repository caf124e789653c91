//! One panel on the full screen: its chart, the time axis, and the values under the cursor.

use jiff::Timestamp;

use crate::app::deployments;
use crate::app::mark::{self, value};
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::health::PanelView;
use crate::model::metric::{Plot, show_at};
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::theme::series;
use crate::ui::widget::canvas::{Canvas, cells, thousands, wrap};
use crate::ui::widget::chart::{self, Chart, step_at};

/// Draws the panel between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, name: &str, cursor: Option<Timestamp>) {
    let (width, height) = (canvas.area.width, canvas.area.height);
    let panels = state.panels();
    let Some(view) = panels.iter().find(|v| v.panel.name == name) else {
        canvas.put(0, 2, width, &format!("The estate file has no panel {name} any more"), Token::Unknown);
        return;
    };
    let (text, token) = value(state, view);
    let end = canvas.put_right(0, width, 2, &text, token).saturating_sub(1);
    canvas.put(0, 2, end, name, Token::Title);
    canvas.put(0, 3, width, &format!("{}: {}", view.panel.source, view.panel.ask), Token::Dim);
    let Some(plot) = view.answer.and_then(|a| a.plot.as_ref()) else {
        let why = view.answer.and_then(|a| a.error.clone()).map_or("no chart yet".to_owned(), |e| format!("? query failed: {e}"));
        for (y, line) in wrap(&why, usize::from(width)).iter().take(usize::from(height - 6)).enumerate() {
            canvas.put(0, 5 + y as u16, width, line, Token::Unknown);
        }
        return;
    };
    let notes = notes(state, view, plot);
    let note_lines: Vec<String> = notes.iter().flat_map(|n| wrap(n, usize::from(width))).take(3).collect();
    let legend = plot.series.len().clamp(1, usize::from(height / 4)) as u16;
    let body = height - 1 - 4;
    let chart_height = body.saturating_sub(legend + note_lines.len() as u16 + 2).max(3);
    let live = view.freshness == Freshness::Fresh;
    let mut part = canvas.part(0, 4, width, chart_height);
    let marks = deployments::on_chart(state, view.panel, plot).iter().map(|one| one.at).collect();
    chart::draw(&mut part, &Chart { panel: view.panel, plot, live, now: state.now, cursor, marks });
    let mut y = 4 + chart_height;
    times(canvas, state, y, plot, live);
    y += 1;
    y += values(canvas, state, y, view, plot, cursor, legend);
    for line in note_lines {
        if y + 1 < height {
            canvas.put(0, y, width, &line, Token::Dim);
            y += 1;
        }
    }
}

/// The first and the last moment of the chart under it.
fn times(canvas: &mut Canvas, state: &State, y: u16, plot: &Plot, live: bool) {
    let from = when::full(state, plot.start);
    let end = if live { plot.time(plot.len.saturating_sub(1)) } else { state.now.max(plot.time(plot.len.saturating_sub(1))) };
    canvas.put(0, y, canvas.area.width, &from, Token::Dim);
    canvas.put_right(cells(&from) + 1, canvas.area.width, y, &when::full(state, end), Token::Dim);
}

/// Range, step, series that are not shown, and what the source said beside its values.
fn notes(state: &State, view: &PanelView, plot: &Plot) -> Vec<String> {
    let mut notes = vec![format!("range {}, step {}", age::exact(state.demand.range), step(plot.step))];
    if plot.dropped > 0 {
        let all = thousands(plot.series.len() + plot.dropped);
        notes[0] += &format!(", {} of {all} series shown", thousands(plot.series.len()));
    }
    if plot.histograms > 0 {
        notes.push(format!("{} series hold native histograms only, which have no line", plot.histograms));
    }
    if let Some(answer) = view.answer {
        notes.extend(answer.error.iter().map(|e| format!("? query failed: {e}")));
        notes.extend(answer.notes.iter().map(|n| format!("! {n}")));
    }
    notes
}

fn step(seconds: i64) -> String {
    age::exact(jiff::SignedDuration::from_secs(seconds))
}

/// The deployment near the cursor.
fn near(state: &State, view: &PanelView, plot: &Plot, at: Timestamp) -> String {
    let marks = deployments::on_chart(state, view.panel, plot);
    let Some(one) = deployments::at_cursor(&marks, plot, at) else { return String::new() };
    let (glyph, word, _) = mark::ending(one.result);
    let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
    let result = format!("{glyph} {word}");
    format!("  deployed {}: {}{who}, {}", when::minute(state, one.at), one.versions(), result.trim_start())
}

/// The values of the series at the cursor, or the newest ones; gives back the lines used.
fn values(canvas: &mut Canvas, state: &State, y: u16, view: &PanelView, plot: &Plot, cursor: Option<Timestamp>, lines: u16) -> u16 {
    let width = canvas.area.width;
    let at = match cursor {
        Some(at) => step_at(plot, at),
        None => plot.len.checked_sub(1),
    };
    let title = match (cursor, at) {
        (Some(_), Some(at)) => format!("at {}{}", when::both(state, plot.time(at)), near(state, view, plot, plot.time(at))),
        (None, _) if view.freshness == Freshness::Fresh => "newest values".to_owned(),
        _ => format!("last known values, as of {} ?", view.as_of.map_or("?".to_owned(), |at| when::both(state, at))),
    };
    let stale = view.freshness != Freshness::Fresh && cursor.is_none();
    canvas.put(0, y, width, &title, if stale { Token::Unknown } else { Token::Title });
    let shown = if plot.series.len() > usize::from(lines) { lines.saturating_sub(1) } else { lines };
    for (index, one) in plot.series.iter().take(usize::from(shown)).enumerate() {
        let y = y + 1 + index as u16;
        let (text, token) = match at.and_then(|at| one.points.get(at).copied().flatten()) {
            None => ("no sample".to_owned(), Token::Unknown),
            Some(value) if stale => (format!("[{}] ?", show_at(value, view.panel.unit, state.now)), Token::Unknown),
            Some(value) => (show_at(value, view.panel.unit, state.now), Token::Text),
        };
        canvas.put(0, y, 2, if canvas.ascii { "*" } else { "●" }, series(index));
        canvas.put(2, y, 12, &text, token);
        let labels = one.labels.short();
        let labels = if labels.is_empty() { &view.panel.name } else { &labels };
        canvas.put(15, y, width.saturating_sub(15), labels, Token::Text);
    }
    if plot.series.is_empty() {
        canvas.put(2, y + 1, width, "? no series", Token::Unknown);
    } else if shown < lines {
        let rest = plot.series.len() - usize::from(shown);
        canvas.put(2, y + lines, width, &format!("and {} more series", thousands(rest)), Token::Dim);
    }
    lines + 1
}
