//! How well a theme's colours can be read on its ground: the contrast of WCAG 2.2 (<https://www.w3.org/TR/WCAG22/>).

use super::preferences::{Color, Ground, Theme, Token};

/// What text needs: success criterion 1.4.3, level AA.
pub const TEXT: f64 = 4.5;
/// What lines and other shapes need: success criterion 1.4.11, level AA.
pub const LINE: f64 = 3.0;
/// What text needs for those who see little: success criterion 1.4.6, level AAA.
pub const HIGH: f64 = 7.0;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The 16 as xterm has them (XTerm-col.ad of its sources).
const XTERM: [Rgb; 16] = [
    (0, 0, 0),
    (0xcd, 0, 0),
    (0, 0xcd, 0),
    (0xcd, 0xcd, 0),
    (0, 0, 0xee),
    (0xcd, 0, 0xcd),
    (0, 0xcd, 0xcd),
    (0xe5, 0xe5, 0xe5),
    (0x7f, 0x7f, 0x7f),
    (0xff, 0, 0),
    (0, 0xff, 0),
    (0xff, 0xff, 0),
    (0x5c, 0x5c, 0xff),
    (0xff, 0, 0xff),
    (0, 0xff, 0xff),
    (0xff, 0xff, 0xff),
];

/// The 16 of the VGA text mode, which Linux' own console has too.
const VGA: [Rgb; 16] = [
    (0, 0, 0),
    (0xaa, 0, 0),
    (0, 0xaa, 0),
    (0xaa, 0x55, 0),
    (0, 0, 0xaa),
    (0xaa, 0, 0xaa),
    (0, 0xaa, 0xaa),
    (0xaa, 0xaa, 0xaa),
    (0x55, 0x55, 0x55),
    (0xff, 0x55, 0x55),
    (0x55, 0xff, 0x55),
    (0xff, 0xff, 0x55),
    (0x55, 0x55, 0xff),
    (0xff, 0x55, 0xff),
    (0x55, 0xff, 0xff),
    (0xff, 0xff, 0xff),
];

/// Relative luminance, 0 for black to 1 for white, as WCAG 2.2 defines it for sRGB.
pub fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The contrast of two colours, 1 for the same to 21 for black on white.
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The colour itself; of the terminal's own 16 what xterm makes of them.
pub fn exact(color: Color) -> Rgb {
    rgb(color, &XTERM)
}

/// Which of the 256 is nearest to it. The first 16 are the terminal's own: nobody knows what those are.
pub fn nearest(to: Rgb) -> u8 {
    let away = |n: &u8| {
        let (r, g, b) = exact(Color::Indexed(*n));
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(r, to.0) + square(g, to.1) + square(b, to.2)
    };
    (16..=u8::MAX).min_by_key(away).unwrap_or(16)
}

/// Whether white or black text reads better on it.
pub fn ground(of: Rgb) -> Ground {
    if contrast(of, (0, 0, 0)) > contrast(of, (0xff, 0xff, 0xff)) { Ground::Light } else { Ground::Dark }
}

/// The contrast that a token needs.
pub fn needed(token: Token) -> f64 {
    match token {
        Token::Border | Token::Threshold | Token::Series(_) => LINE,
        _ => TEXT,
    }
}

/// The contrast of a token with what it stands on, at its worst; `None` where the theme leaves both to the terminal.
/// The terminal's own 16 colours are what xterm or VGA make of them.
pub fn of(theme: &Theme, token: Token) -> Option<f64> {
    let (style, text) = (theme.style(token), theme.style(Token::Text));
    let (fg, bg) = (style.fg.or(text.fg), style.bg.or(text.bg));
    if fg.is_none() && bg.is_none() && !style.dim {
        return None;
    }
    let ansi = [fg, bg].into_iter().flatten().any(|color| matches!(color, Color::Ansi(_)));
    let (ink, paper) = usual(theme.ground, ansi);
    let of = |palette: &[Rgb; 16]| {
        let of = |color: Option<Color>, other| color.map_or(other, |color| rgb(color, palette));
        let (fg, bg) = (of(fg, ink), of(bg, paper));
        contrast(if style.dim { dimmed(fg, bg) } else { fg }, bg)
    };
    Some(of(&XTERM).min(of(&VGA)))
}

/// The tokens that have less contrast than they need, with what they have.
pub fn faint(theme: &Theme) -> Vec<(Token, f64)> {
    let all = theme.styles.keys().filter_map(|token| Some((*token, of(theme, *token)?)));
    all.filter(|(token, contrast)| *contrast < needed(*token)).collect()
}

/// What a terminal of that ground writes in, and on. Dark grounds are rarely quite black and light ones rarely quite
/// white, but for the terminals that have 16 colours only.
fn usual(ground: Ground, ansi: bool) -> (Rgb, Rgb) {
    let grey = |c| (c, c, c);
    match (ground, ansi) {
        (Ground::Dark, true) => (grey(0xaa), grey(0)),
        (Ground::Light, true) => (grey(0), grey(0xff)),
        (Ground::Dark, false) => (grey(0xd0), grey(0x1c)),
        (Ground::Light, false) => (grey(0x30), grey(0xee)),
    }
}

/// What terminals make of dim text: two thirds of its colour (VTE and Alacritty).
fn dimmed(fg: Rgb, bg: Rgb) -> Rgb {
    let mix = |fg: u8, bg: u8| ((u16::from(fg) * 2 + u16::from(bg)) / 3) as u8;
    (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2))
}

/// The 256 are xterm's: the 16, a cube of six steps, and greys.
fn rgb(color: Color, palette: &[Rgb; 16]) -> Rgb {
    match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Ansi(n) | Color::Indexed(n @ 0..16) => palette[usize::from(n % 16)],
        Color::Indexed(n @ 16..232) => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = n - 16;
            (step(n / 36), step(n / 6 % 6), step(n % 6))
        }
        Color::Indexed(n) => {
            let grey = 8 + 10 * (n - 232);
            (grey, grey, grey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preferences::Style;

    #[test]
    fn the_contrasts_that_everybody_knows() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.001);
        // The usual example of a grey that just passes on white, and of one that just does not.
        assert!(contrast((0x76, 0x76, 0x76), (255, 255, 255)) >= TEXT);
        assert!(contrast((0x77, 0x77, 0x77), (255, 255, 255)) < TEXT);
        assert_eq!((ground((0xfd, 0xf6, 0xe3)), ground((0x00, 0x2b, 0x36))), (Ground::Light, Ground::Dark), "both of Solarized");
        assert_eq!(rgb(Color::Indexed(202), &XTERM), (0xff, 0x5f, 0));
        assert_eq!(rgb(Color::Indexed(255), &XTERM), (0xee, 0xee, 0xee));
        assert!((16..=u8::MAX).all(|n| exact(Color::Indexed(nearest(exact(Color::Indexed(n))))) == exact(Color::Indexed(n))));
        assert_eq!((nearest((213, 94, 0)), nearest((1, 1, 1)), nearest((250, 255, 255))), (166, 16, 231));
    }

    fn theme(ground: Ground, styles: &[(Token, Style)]) -> Theme {
        Theme { name: "t".into(), ground, styles: styles.iter().copied().collect() }
    }

    #[test]
    fn a_bad_theme_is_found_out() {
        let fg = |color| Style { fg: Some(color), ..Style::default() };
        let dark = theme(
            Ground::Dark,
            &[
                (Token::Text, Style::default()),
                (Token::Critical, fg(Color::Rgb(0x80, 0, 0))),
                (Token::Warning, fg(Color::Ansi(1))),
                (Token::Key, fg(Color::Indexed(75))),
                (Token::Series(1), fg(Color::Indexed(18))),
            ],
        );
        let told: Vec<Token> = faint(&dark).into_iter().map(|(token, _)| token).collect();
        assert_eq!(told, [Token::Critical, Token::Warning, Token::Series(1)]);
        // The same colours on the other ground: what was too dark is read, what was bright is not.
        let light = Theme { ground: Ground::Light, ..dark };
        let told: Vec<Token> = faint(&light).into_iter().map(|(token, _)| token).collect();
        assert_eq!(told, [Token::Key]);
    }

    #[test]
    fn what_a_theme_paints_itself_is_its_ground() {
        let white = Style { fg: Some(Color::Indexed(231)), bg: Some(Color::Indexed(16)), ..Style::default() };
        let painted = theme(Ground::Light, &[(Token::Text, white), (Token::Title, Style { bold: true, ..Style::default() })]);
        assert_eq!(faint(&painted), []);
        assert!((of(&painted, Token::Title).unwrap() - 21.0).abs() < 0.001, "a title has the text's colours");
        let left = theme(Ground::Dark, &[(Token::Text, Style::default())]);
        assert_eq!(of(&left, Token::Text), None);
    }

    #[test]
    fn dim_text_is_judged_as_terminals_draw_it() {
        let dim = Style { dim: true, ..Style::default() };
        let grey = Style { fg: Some(Color::Indexed(244)), dim: true, ..Style::default() };
        let of = theme(Ground::Dark, &[(Token::Dim, dim), (Token::Muted, grey)]);
        assert_eq!(faint(&of).into_iter().map(|(token, _)| token).collect::<Vec<_>>(), [Token::Muted]);
    }
}
