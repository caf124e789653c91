//! A part of the screen to put text on: cut to its width, never outside, pure ASCII where that is asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthChar;

pub use crate::app::wrap::{cells, fit, thousands, wrap};

use crate::model::preferences::{Theme, Token};
use crate::ui::theme::style;

/// A part of the screen. Places are counted from its own top left corner.
pub struct Canvas<'a> {
    /// The screen.
    pub buf: &'a mut Buffer,
    /// The part of it.
    pub area: Rect,
    /// What colours are.
    pub theme: &'a Theme,
    /// True where only ASCII may be put.
    pub ascii: bool,
}

impl Canvas<'_> {
    /// Puts text, cut to `width` columns; gives back the columns it took.
    pub fn put(&mut self, x: u16, y: u16, width: u16, text: &str, token: Token) -> u16 {
        let style = style(self.theme, token);
        self.put_styled(x, y, width, text, style)
    }

    /// The same in a style of its own.
    pub fn put_styled(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return 0;
        }
        let width = width.min(self.area.width - x);
        let text = fit(text, usize::from(width), self.ascii);
        let (left, top) = (self.area.x + x, self.area.y + y);
        let (end, _) = self.buf.set_stringn(left, top, &text, usize::from(width), style);
        end - left
    }

    /// Puts text so that it ends before column `end`, and not before column `from`; gives back where it starts.
    pub fn put_right(&mut self, from: u16, end: u16, y: u16, text: &str, token: Token) -> u16 {
        let end = end.min(self.area.width);
        let x = end.saturating_sub(cells(text)).max(from.min(end));
        self.put(x, y, end - x, text, token);
        x
    }

    /// Puts a text's `range` of bytes out of the rest, by more than a colour: bold and underlined. The text stands there
    /// already, at that place, cut to `width` columns.
    pub fn stress(&mut self, x: u16, y: u16, width: u16, text: &str, range: std::ops::Range<usize>) {
        if y >= self.area.height || !text.is_char_boundary(range.start) || !text.is_char_boundary(range.end) {
            return;
        }
        let from = x.saturating_add(cells(&text[..range.start]));
        let end = x.saturating_add(width).min(self.area.width);
        let to = from.saturating_add(cells(&text[range])).min(end);
        for column in from..to {
            if let Some(cell) = self.buf.cell_mut((self.area.x + column, self.area.y + y)) {
                cell.set_style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
            }
        }
    }

    /// Empties the whole part.
    pub fn fill(&mut self, token: Token) {
        let style = style(self.theme, token);
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                if let Some(cell) = self.buf.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Sets one cell. A character that takes more or less than one column is left out.
    pub fn cell(&mut self, x: u16, y: u16, symbol: char, token: Token) {
        if x < self.area.width && y < self.area.height && symbol.width() == Some(1) {
            let style = style(self.theme, token);
            if let Some(cell) = self.buf.cell_mut((self.area.x + x, self.area.y + y)) {
                cell.set_char(symbol).set_style(style);
            }
        }
    }

    /// A part of this part, cut to it.
    pub fn part(&mut self, x: u16, y: u16, width: u16, height: u16) -> Canvas<'_> {
        let (x, y) = (x.min(self.area.width), y.min(self.area.height));
        let area = Rect {
            x: self.area.x + x,
            y: self.area.y + y,
            width: width.min(self.area.width - x),
            height: height.min(self.area.height - y),
        };
        Canvas { buf: self.buf, area, theme: self.theme, ascii: self.ascii }
    }
}
