//! The middle of the widest Overview: the selected thing's page, the metrics of its service, and what happened near it.

use crate::app::deployments;
use crate::app::mark;
use crate::app::state::State;
use crate::app::when;
use crate::model::health::PanelView;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::ui::widget::canvas::Canvas;
use crate::ui::widget::chart::{self, Chart};

/// Lines of one chart with its name.
const CHART: u16 = 9;
/// Columns of an event's time and kind.
const TIME: u16 = 2;
const KIND: u16 = 14;
const WHAT: u16 = 24;

/// Draws it between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State) {
    let (width, end) = (canvas.area.width, canvas.area.height - 1);
    let focus = &state.focus;
    let title = if focus.title.is_empty() { "SELECTED" } else { &focus.title };
    canvas.put(0, 2, width, title, Token::Title);
    let panels = state.panels();
    let charts = charts(state, &panels);
    // The page has what charts and events leave, and a third at the least.
    let events = (focus.events.len() as u16 + 2).min(end / 4);
    let room = end.saturating_sub(3 + charts.len() as u16 * CHART + events).max(end / 3);
    let mut y = 3;
    for row in focus.rows.iter().take(usize::from(room)) {
        let mut x = 0;
        for (text, token) in &row.spans {
            x += canvas.put(x, y, width.saturating_sub(x), text, *token);
        }
        y += 1;
    }
    if focus.rows.len() > usize::from(room) {
        let rest = focus.rows.len() - usize::from(room);
        let used = canvas.put(2, y - 1, width, &format!("and {} more lines: look closer", rest + 1), Token::Dim);
        (2 + used..width).for_each(|x| canvas.cell(x, y - 1, ' ', Token::Text));
    }
    y += 1;
    for view in charts {
        if y + CHART > end {
            break;
        }
        let (text, token) = mark::value(state, view);
        let at = canvas.put_right(0, width, y, &text, token);
        canvas.put(0, y, at.saturating_sub(1), &view.panel.name, Token::Title);
        if let Some(plot) = view.answer.and_then(|answer| answer.plot.as_ref()) {
            let marks = deployments::on_chart(state, view.panel, plot).iter().map(|one| one.at).collect();
            let live = view.freshness == Freshness::Fresh;
            let mut part = canvas.part(0, y + 1, width, CHART - 2);
            let newest = view.answer.map(|answer| answer.now.as_slice()).unwrap_or_default();
            chart::draw(&mut part, &Chart { panel: view.panel, plot, newest, live, now: state.now, cursor: None, marks });
        }
        y += CHART;
    }
    if y + 1 < end {
        canvas.put(0, y, width, "WHAT HAPPENED NEAR IT, t shows all", Token::Title);
        y += 1;
    }
    for event in focus.events.iter().take(usize::from(end.saturating_sub(y))) {
        let time = match event.is_after() {
            true => format!("after {}", event.at.to_zoned(state.zone()).strftime("%H:%M")),
            false => when::short(state, event.begun()),
        };
        canvas.put(TIME, y, KIND - TIME - 1, &time, Token::Dim);
        canvas.put(KIND, y, WHAT - KIND - 1, event.kind.word(), Token::Dim);
        canvas.put(WHAT, y, width.saturating_sub(WHAT), &event.what, Token::Text);
        y += 1;
    }
}

/// The selected panel, and the worst of its service's that have a line; two at the most.
fn charts<'a>(state: &State, panels: &'a [PanelView<'a>]) -> Vec<&'a PanelView<'a>> {
    let focus = &state.focus;
    let drawn = |view: &&PanelView| view.answer.is_some_and(|answer| answer.plot.is_some());
    let is_own = |view: &&PanelView| focus.panel.as_ref() == Some(&view.panel.name);
    let mut own: Vec<&PanelView> = panels.iter().filter(drawn).filter(is_own).collect();
    let of_service = |view: &&PanelView| focus.service.is_some() && view.panel.service == focus.service && !is_own(view);
    let mut others: Vec<&PanelView> = panels.iter().filter(drawn).filter(of_service).collect();
    others.sort_by_key(|view| std::cmp::Reverse(view.severity()));
    own.extend(others);
    own.truncate(2);
    own
}
