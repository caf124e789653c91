//! Draws the state. Changes nothing.

mod footer;
mod frame;
pub mod hit;
mod layer;
mod pane;
mod theme;
mod widget;
mod wizard;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worst;

pub use theme::{series, style};

use ratatui::Frame;

use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::model::preferences::Token;

use crate::model::text::clean;
use widget::canvas::{Canvas, cells, fit};

/// Bytes of one line that is shown to be selected.
const SELECTED: usize = 1 << 16;

/// The smallest screen that is drawn on: columns, rows.
pub const SMALLEST: (u16, u16) = (60, 16);

/// A screen that is text alone, see [`Layer::Select`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// Its lines, as many as there is room for; a line may be wider than the screen.
    pub lines: Vec<String>,
    /// The last line of the screen.
    pub foot: String,
    /// Lines of the screen.
    pub height: u16,
}

/// What stands on the screen where it is text alone; `None` where it is drawn.
pub fn plain(state: &State) -> Option<Plain> {
    let Some(Layer::Select { text, first }) = state.layers.last() else { return None };
    let (width, height) = (usize::from(state.size.0.max(1)), state.size.1);
    let mut room = usize::from(height.saturating_sub(1));
    let mut lines = Vec::new();
    for line in text.lines().skip(*first) {
        let line = clean(line, SELECTED);
        // The terminal wraps it after its last column.
        let used = usize::from(cells(&line)).div_ceil(width).max(1);
        if used > room && !lines.is_empty() {
            break;
        }
        room = room.saturating_sub(used);
        lines.push(line.into_owned());
    }
    let more = text.lines().count().saturating_sub(first + lines.len());
    let more = if more > 0 { format!(", {more} more lines below (j)") } else { String::new() };
    let foot = format!("-- select with the mouse; Esc goes back{more}");
    Some(Plain { lines, foot: fit(&foot, width.saturating_sub(1), true), height })
}

/// Draws the whole screen: the fixed lines, the pane or the layer that covers it, and what lies on top.
pub fn draw(state: &State, frame: &mut Frame) {
    let area = frame.area();
    let mut canvas = Canvas { area, buf: frame.buffer_mut(), theme: state.theme(), ascii: state.look.ascii };
    canvas.fill(Token::Text);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("{}x{} is too small: at least {}x{}", area.width, area.height, SMALLEST.0, SMALLEST.1);
        canvas.put(0, 0, area.width, &text, Token::Text);
        return;
    }
    frame::first(&mut canvas, state);
    frame::counts(&mut canvas, state);
    frame::run(&mut canvas, state);
    let covers = |l: &&Layer| {
        !matches!(
            l,
            Layer::Filter
                | Layer::Palette(_)
                | Layer::Contexts(_)
                | Layer::Themes(_)
                | Layer::Share { .. }
                | Layer::Export(_)
                | Layer::Request(_)
                | Layer::Prompt(_)
                | Layer::Menu(_)
                | Layer::Views(_)
                | Layer::SaveView(_)
        )
    };
    match state.layers.iter().rev().find(covers) {
        Some(Layer::Chart { panel, cursor }) => layer::chart::draw(&mut canvas, state, panel, *cursor),
        Some(Layer::Logs(_)) => layer::logs::draw(&mut canvas, state),
        Some(Layer::Silences(of)) => layer::silences::draw(&mut canvas, state, of),
        Some(Layer::Wizard(of)) => wizard::draw(&mut canvas, state, of),
        Some(detail) => layer::detail::draw(&mut canvas, state, detail),
        None => match state.pane {
            Pane::Overview => pane::overview::draw(&mut canvas, state),
            Pane::Alerts => pane::alerts::draw(&mut canvas, state),
            Pane::Metrics => pane::metrics::draw(&mut canvas, state),
            Pane::Databases => pane::databases::draw(&mut canvas, state),
            Pane::Backups => pane::backups::draw(&mut canvas, state),
            Pane::Deployments => pane::deployments::draw(&mut canvas, state),
            Pane::Operations => pane::operations::draw(&mut canvas, state),
            Pane::Timeline => pane::timeline::draw(&mut canvas, state),
        },
    }
    frame::last(&mut canvas, state);
    match state.layers.last() {
        Some(Layer::Menu(menu)) => layer::menu::draw(&mut canvas, menu),
        Some(Layer::Views(of)) => layer::views::list(&mut canvas, state, of),
        Some(Layer::SaveView(form)) => layer::views::form(&mut canvas, state, form),
        Some(Layer::Palette(palette)) => layer::palette::draw(&mut canvas, palette),
        Some(Layer::Themes(picker)) => layer::themes::draw(&mut canvas, state, *picker),
        Some(Layer::Share { text, said, first }) => layer::share::text(&mut canvas, state, text, said, *first),
        Some(Layer::Prompt(prompt)) => layer::prompt::draw(&mut canvas, state, prompt),
        Some(Layer::Request(form)) => layer::request::draw(&mut canvas, state, form),
        Some(Layer::Contexts(list)) => layer::contexts::draw(&mut canvas, state, list),
        Some(Layer::Export(form)) => layer::share::export(&mut canvas, state, form),
        _ => {}
    }
    if let Some((scope, prefix)) = state.pending {
        layer::chord::draw(&mut canvas, state, scope, prefix);
    }
}
