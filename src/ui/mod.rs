//! Draws the state. Changes nothing.

mod frame;
mod layer;
mod pane;
mod theme;
mod widget;
mod wizard;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use theme::{series, style};

use ratatui::Frame;

use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::model::preferences::Token;

use widget::canvas::Canvas;

/// The smallest screen that is drawn on: columns, rows.
pub const SMALLEST: (u16, u16) = (60, 16);

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
        !matches!(l, Layer::Filter | Layer::Palette(_) | Layer::Share { .. } | Layer::Export(_) | Layer::Request(_) | Layer::Contexts(_))
    };
    match state.layers.iter().rev().find(covers) {
        Some(Layer::Chart { panel, cursor }) => layer::chart::draw(&mut canvas, state, panel, *cursor),
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
        Some(Layer::Palette(palette)) => layer::palette::draw(&mut canvas, palette),
        Some(Layer::Share { text, copied }) => layer::share::text(&mut canvas, text, *copied),
        Some(Layer::Request(form)) => layer::request::draw(&mut canvas, state, form),
        Some(Layer::Contexts(list)) => layer::contexts::draw(&mut canvas, state, list),
        Some(Layer::Export(form)) => layer::share::export(&mut canvas, state, form),
        _ => {}
    }
}
