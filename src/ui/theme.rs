//! From what a colour is for to how the terminal draws it.

use ratatui::style::{Color as Colour, Modifier, Style};

use crate::model::preferences::{Color, Theme, Token};

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
