//! One alert, service or source, whole: lines wrapped to the width, to scroll through.

use ratatui::text::{Line, Span};

use crate::app::layer::Layer;
use crate::app::state::State;
use crate::model::preferences::{Theme, Token};
use crate::ui::theme::style;
use crate::ui::widget::canvas::{Canvas, cells, wrap};

use super::{alert, service, source};

/// Columns of a field's name.
const NAME: usize = 15;

/// Lines being written.
pub struct Page<'a> {
    theme: &'a Theme,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl<'a> Page<'a> {
    /// An empty page of that width in columns.
    pub fn new(theme: &'a Theme, width: u16) -> Page<'a> {
        Page { theme, width: usize::from(width), lines: Vec::new() }
    }

    fn span(&self, text: String, token: Token) -> Span<'static> {
        Span::styled(text, style(self.theme, token))
    }

    /// A section's head, with a free line before it.
    pub fn head(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let span = self.span(text.to_owned(), Token::Title);
        self.lines.push(Line::from(span));
    }

    /// A name and its value, the value wrapped beside the name.
    pub fn field(&mut self, name: &str, value: &str, token: Token) {
        // A long name has a line of its own.
        let wide = usize::from(cells(name)) >= NAME;
        if wide {
            for line in wrap(name, self.width.saturating_sub(2)) {
                let span = self.span(format!("  {line}"), Token::Dim);
                self.lines.push(Line::from(span));
            }
        }
        for (at, line) in wrap(value, self.width.saturating_sub(NAME + 2)).into_iter().enumerate() {
            let left = if at == 0 && !wide { name } else { "" };
            let pad = NAME.saturating_sub(usize::from(cells(left)));
            let name = self.span(format!("  {left}{}", " ".repeat(pad)), Token::Dim);
            let value = self.span(line, token);
            self.lines.push(Line::from(vec![name, value]));
        }
    }

    /// Text over the whole width.
    pub fn text(&mut self, text: &str, token: Token) {
        for line in wrap(text, self.width.saturating_sub(2)) {
            let span = self.span(format!("  {line}"), token);
            self.lines.push(Line::from(span));
        }
    }

    /// The lines.
    pub fn done(self) -> Vec<Line<'static>> {
        self.lines
    }
}

/// The title and the lines of a detail, for a width in columns. The other layers have none.
pub fn lines(state: &State, layer: &Layer, width: u16) -> (String, Vec<Line<'static>>) {
    let page = Page::new(state.theme(), width);
    match layer {
        Layer::Alert { alert, .. } => (format!("ALERT  {}", alert.name()), alert::lines(state, alert, page)),
        Layer::Service { name, .. } => (format!("SERVICE  {name}"), service::lines(state, name, page)),
        Layer::Source { index, .. } => {
            let name = state.estate.sources.get(*index).map_or("?", |s| s.name.as_str());
            (format!("SOURCE  {name}"), source::lines(state, *index, page))
        }
        Layer::Chart { .. } | Layer::Filter | Layer::Palette(_) | Layer::Help { .. } => (String::new(), page.done()),
    }
}

/// Draws a detail between the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, layer: &Layer) {
    let scroll = match layer {
        Layer::Alert { scroll, .. } | Layer::Service { scroll, .. } | Layer::Source { scroll, .. } => *scroll,
        Layer::Chart { .. } | Layer::Filter | Layer::Palette(_) | Layer::Help { .. } => 0,
    };
    let (title, lines) = lines(state, layer, canvas.area.width);
    scrolled(canvas, &title, &lines, scroll);
}

/// Draws a title, which of the lines are shown, and these lines. Scrolling stops at the last line.
pub fn scrolled(canvas: &mut Canvas, title: &str, lines: &[Line<'static>], scroll: usize) {
    let (width, height) = (canvas.area.width, usize::from(canvas.area.height - 4));
    let first = scroll.min(lines.len().saturating_sub(height));
    let mut end = width;
    if lines.len() > height {
        let text = format!("lines {}-{} of {}", first + 1, (first + height).min(lines.len()), lines.len());
        end = canvas.put_right(0, width, 2, &text, Token::Dim).saturating_sub(1);
    }
    canvas.put(0, 2, end, title, Token::Title);
    for (y, line) in lines.iter().skip(first).take(height).enumerate() {
        canvas.line(0, 3 + y as u16, line);
    }
}
