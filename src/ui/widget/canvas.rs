//! A part of the screen to put text on: cut to its width, never outside, pure ASCII where that is asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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

    /// Puts a line of spans.
    pub fn line(&mut self, mut x: u16, y: u16, line: &Line<'_>) {
        for span in &line.spans {
            x += self.put_styled(x, y, self.area.width.saturating_sub(x), &span.content, span.style);
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

/// The columns that a text takes, at most what a screen can have.
pub fn cells(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text cut to so many columns, the cut marked; in ASCII where that is asked for.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    let text = if ascii { to_ascii(text) } else { text.to_owned() };
    if text.width() <= width {
        return text;
    }
    let mark = match (ascii, width) {
        (true, 8..) => "...",
        (true, _) => ".",
        (false, _) => "…",
    };
    let mut out = head(&text, width.saturating_sub(mark.len().min(mark.width()))).to_owned();
    if width > 0 {
        out.push_str(mark);
    }
    out
}

/// As much of the text as fits in so many columns.
fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}

/// The text in pure ASCII, as wide as before: every other character is a question mark per column.
fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            '…' | '·' => out.push('.'),
            '–' | '—' | '‐' | '−' => out.push('-'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            c => out.extend(std::iter::repeat_n('?', c.width().unwrap_or(0))),
        }
    }
    out
}

/// The text in lines of at most `width` columns, broken between words where that is possible. Never empty.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2); // the widest character
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let size = word.width();
        if used > 0 && used + 1 + size > width {
            lines.push(String::new());
            used = 0;
        }
        let mut rest = word;
        if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        while used + rest.width() > width {
            let part = head(rest, width);
            if part.is_empty() {
                break;
            }
            push(&mut lines, part);
            rest = &rest[part.len()..];
            lines.push(String::new());
            used = 0;
        }
        push(&mut lines, rest);
        used += rest.width();
    }
    if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// A count with its thousands apart: `50,000`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_is_marked_and_never_wider_than_asked() {
        assert_eq!(fit("checkout", 8, false), "checkout");
        assert_eq!(fit("checkout", 5, false), "chec…");
        assert_eq!(fit("checkout-api", 9, true), "checko...");
        assert_eq!(fit("日本語", 4, false), "日…");
        assert_eq!(fit("日本", 4, true), "????");
        assert_eq!(thousands(50_000), "50,000");
        assert_eq!(thousands(999), "999");
    }

    proptest! {
        #[test]
        fn wrapped_lines_keep_every_letter_and_the_width(text in "[a-zé日 ]{0,80}", width in 1usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(!lines.is_empty());
            for line in &lines {
                prop_assert!(line.width() <= width.max(2), "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn a_fitted_text_fits(text in "\\PC{0,40}", width in 0usize..30, ascii: bool) {
            let out = fit(&text, width, ascii);
            prop_assert!(out.width() <= width, "{out:?}");
            prop_assert!(!ascii || out.is_ascii());
        }
    }
}
