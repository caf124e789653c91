//! A part of the screen to put text on: cut to its width, never outside, pure ASCII where that is asked for. A character
//! that takes two cells paints both, and is never left as a half.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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
        self.split(left, top);
        let (end, _) = self.buf.set_stringn(left, top, &text, usize::from(width), style);
        if !text.is_ascii() {
            self.paint_seconds(left, end, top);
        }
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

    /// The second cell of a character that takes two has its style too: the library leaves it without any, and there are
    /// characters (those with a variation selector) whose second cell it sends to the terminal.
    fn paint_seconds(&mut self, from: u16, to: u16, y: u16) {
        for x in from..to.saturating_sub(1) {
            let Some(first) = self.buf.cell((x, y)).filter(|cell| is_wide(cell.symbol())) else { continue };
            let style = first.style();
            if let Some(second) = self.buf.cell_mut((x + 1, y)) {
                second.set_style(style);
            }
        }
    }

    /// Something is put on that cell of the screen: where it is the second one of a character that takes two, the terminal
    /// would draw that over it.
    fn split(&mut self, x: u16, y: u16) {
        let Some(before) = x.checked_sub(1) else { return };
        if let Some(cell) = self.buf.cell_mut((before, y)).filter(|cell| is_wide(cell.symbol())) {
            cell.set_symbol(" ");
        }
    }

    /// Empties the whole part. What the token says nothing of is as of plain text: a ground that is painted stays.
    pub fn fill(&mut self, token: Token) {
        let style = style(self.theme, Token::Text).patch(style(self.theme, token));
        for y in self.area.top()..self.area.bottom() {
            if self.area.width > 0 {
                self.split(self.area.x, y);
            }
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
            self.split(self.area.x + x, self.area.y + y);
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

/// True of what takes two cells. Asked for each cell that is put: what is one character is looked up as that.
fn is_wide(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) => !one.is_ascii() && one.width() == Some(2),
        _ => symbol.width() > 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preferences::{Color, Style as Drawn};
    use ratatui::style::Color as Colour;

    const WIDE: &str = "\u{65e5}a\u{1f6a2}\u{26a0}\u{fe0f}b\u{6d77}";

    fn painted() -> Theme {
        let text = Drawn { fg: Some(Color::Indexed(231)), bg: Some(Color::Indexed(16)), ..Drawn::default() };
        let reverse = Drawn { reverse: true, ..Drawn::default() };
        let styles = [(Token::Text, text), (Token::Selected, reverse)].into_iter().collect();
        Theme { name: "t".into(), ground: Default::default(), styles }
    }

    #[test]
    fn both_cells_of_a_wide_character_are_painted_and_none_is_left_as_a_half() {
        let (theme, area) = (painted(), Rect::new(0, 0, 14, 2));
        for at in 0..14 {
            for over in 0..14 {
                let mut buf = Buffer::empty(area);
                let mut canvas = Canvas { buf: &mut buf, area, theme: &theme, ascii: false };
                canvas.fill(Token::Border);
                canvas.put(at, 0, 14, WIDE, Token::Selected);
                canvas.put(at, 1, 14, WIDE, Token::Text);
                canvas.cell(over, 0, '|', Token::Border);
                canvas.part(over, 1, 3, 1).fill(Token::Text);
                canvas.put(over, 1, 2, "x", Token::Text);
                for y in 0..2 {
                    for x in 0..14 {
                        let cell = &buf[(x, y)];
                        assert_eq!(cell.bg, Colour::Indexed(16), "{at} {over}: {x} {y}");
                        if is_wide(cell.symbol()) {
                            let second = &buf[(x + 1, y)];
                            assert_eq!((second.symbol(), second.style()), (" ", cell.style()), "{at} {over}: {x} {y}");
                        }
                    }
                }
            }
        }
    }
}
