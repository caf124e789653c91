//! The Metrics pane: the estate's panels as small charts with their newest values.

use crate::app::deployments;
use crate::app::grid::grid;
use crate::app::mark::{only_series, value};
use crate::app::state::State;
use crate::app::timeline::acts_on_chart;
use crate::model::age;
use crate::model::health::PanelView;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::frame;
use crate::ui::widget::canvas::{Canvas, cells, wrap};
use crate::ui::widget::chart::{self, Chart};

/// Draws the pane between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let grid = grid((canvas.area.width, canvas.area.height), state.metric_rows.len());
    let (width, height) = (grid.width, grid.height);
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
    let row = state.metrics.list.row.min(state.metric_rows.len() - 1);
    let start = grid.first(state.metrics.list.offset, row);
    for (cell, (place, index)) in state.metric_rows.iter().enumerate().skip(start).take(grid.across * grid.down).enumerate() {
        let Some(view) = panels.get(*index) else { continue };
        let (x, y) = ((cell % grid.across) as u16 * width, 3 + (cell / grid.across) as u16 * height);
        let selected = state.metrics.list.selected.is_some() && place == row;
        // A column and, where there is room, a line stay free between panels.
        let mut part = canvas.part(x, y, width.saturating_sub(1), height);
        panel(&mut part, state, view, selected);
    }
}

fn panel(canvas: &mut Canvas, state: &State, view: &PanelView, selected: bool) {
    let width = canvas.area.width;
    let (text, token) = value(state, view);
    let right = width.saturating_sub(cells(&text));
    if selected {
        canvas.put(0, 0, 1, ">", Token::Selected);
    }
    let mut x = 2 + canvas.put(2, 0, right.saturating_sub(3), &view.panel.name, if selected { Token::Selected } else { Token::Title });
    if let Some(site) = &view.panel.site {
        x += 1 + canvas.put(x + 1, 0, right.saturating_sub(x + 2), site, Token::Dim);
    }
    // A single series is told by its labels: where the value is 1, they are what the panel says.
    if let Some(labels) = only_series(view) {
        canvas.put(x + 1, 0, right.saturating_sub(x + 2), &labels, Token::Dim);
    }
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
                let acts = acts_on_chart(state, view.panel, plot).into_iter().map(|act| act.at);
                let marks = deployments::on_chart(state, view.panel, plot).iter().map(|one| one.at).chain(acts).collect();
                let newest = answer.now.as_slice();
                chart::draw(&mut part, &Chart { panel: view.panel, plot, newest, live, now: state.now, cursor: None, marks });
            }
            None => drop(part.put(0, 0, width, "no chart yet", Token::Dim)),
        },
        None => drop(part.put(0, 0, width, &format!("nothing was read of {}", view.panel.source), Token::Dim)),
    }
}
