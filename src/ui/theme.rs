//! From what a colour is for to how the terminal draws it, and the glyph and the word that say the same without it.

use ratatui::style::{Color as Colour, Modifier, Style};

use crate::model::alert::Alert;
use crate::model::estate::Severity;
use crate::model::preferences::{Color, Theme, Token};
use crate::model::reading::Freshness;

/// Series of one chart that have a colour of their own; the seventh starts again.
pub const SERIES_COLOURS: usize = 6;

/// How the terminal draws what the theme says about a token.
pub fn style(theme: &Theme, token: Token) -> Style {
    let of = theme.style(token);
    let mut style = Style::new();
    style.fg = of.fg.map(colour);
    style.bg = of.bg.map(colour);
    let modifiers =
        [(of.bold, Modifier::BOLD), (of.dim, Modifier::DIM), (of.reverse, Modifier::REVERSED), (of.underline, Modifier::UNDERLINED)];
    for (on, modifier) in modifiers {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn colour(color: Color) -> Colour {
    match color {
        Color::Ansi(n) => match n {
            0 => Colour::Black,
            1 => Colour::Red,
            2 => Colour::Green,
            3 => Colour::Yellow,
            4 => Colour::Blue,
            5 => Colour::Magenta,
            6 => Colour::Cyan,
            7 => Colour::Gray,
            8 => Colour::DarkGray,
            9 => Colour::LightRed,
            10 => Colour::LightGreen,
            11 => Colour::LightYellow,
            12 => Colour::LightBlue,
            13 => Colour::LightMagenta,
            14 => Colour::LightCyan,
            15 => Colour::White,
            n => Colour::Indexed(n),
        },
        Color::Indexed(n) => Colour::Indexed(n),
        Color::Rgb(r, g, b) => Colour::Rgb(r, g, b),
    }
}

/// The token of the series at that place, from 0; themes count them from 1.
pub fn series(index: usize) -> Token {
    Token::Series((index % SERIES_COLOURS) as u8 + 1)
}

/// The glyph that stands before the word of a severity. Ok has none: it is quiet.
pub fn glyph(severity: Severity) -> char {
    match severity {
        Severity::Critical => 'X',
        Severity::Warning => '!',
        Severity::Unknown => '?',
        Severity::Info => 'i',
        Severity::Ok => ' ',
    }
}

/// The token of a severity.
pub fn token(severity: Severity) -> Token {
    match severity {
        Severity::Critical => Token::Critical,
        Severity::Warning => Token::Warning,
        Severity::Unknown => Token::Unknown,
        Severity::Info => Token::Text,
        Severity::Ok => Token::Dim,
    }
}

/// A state cell: glyph and word, `X critical`; of values that are not fresh `[critical] ?`.
pub fn state(severity: Severity, stale: bool) -> (String, Token) {
    if stale && severity != Severity::Unknown {
        return (format!("[{}] ?", severity.word()), Token::Unknown);
    }
    (format!("{} {}", glyph(severity), severity.word()), token(severity))
}

/// The state cell of a source.
pub fn freshness(freshness: Freshness) -> (String, Token) {
    let (glyph, token) = match freshness {
        Freshness::Fresh => (' ', Token::Dim),
        Freshness::Stale | Freshness::Never => ('?', Token::Unknown),
        Freshness::Unreachable | Freshness::Refused => ('!', Token::Warning),
    };
    (format!("{glyph} {}", freshness.word()), token)
}

/// The glyph and token of an alert: a muted one is `~` whatever its severity.
pub fn alert(alert: &Alert) -> (char, Token) {
    if alert.state.is_quiet() { ('~', Token::Muted) } else { (glyph(alert.severity), token(alert.severity)) }
}
