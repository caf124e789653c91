//! How the theme `okabe-ito` is seen by people who see red or green less or not at all.

use super::*;
use crate::model::contrast::{self, Rgb};

/// M. Okabe and K. Ito, "Color Universal Design", <https://jfly.uni-koeln.de/color/>: black, orange, sky blue, bluish green,
/// yellow, blue, vermillion, reddish purple.
const EIGHT: [Rgb; 8] =
    [(0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)];

/// What linear red, green and blue become where one kind of cone is missing altogether: G. M. Machado, M. M. Oliveira and
/// L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
/// Visualization and Computer Graphics 15(6), 2009, table of <https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/>,
/// severity 1.0.
const KINDS: [(&str, [[f64; 3]; 3]); 2] = [
    ("protanopia", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    ("deuteranopia", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
];

/// How far two colours have to lie apart (CIE 1976, delta E): ten times what is just seen.
const APART: f64 = 23.0;

/// What says how bad it is, and plain text.
const TOLD: [Token; 5] = [Token::Text, Token::Critical, Token::Warning, Token::Unknown, Token::Muted];

fn linear(c: u8) -> f64 {
    let c = f64::from(c) / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

fn seen((r, g, b): Rgb, by: &[[f64; 3]; 3]) -> [f64; 3] {
    let of = [linear(r), linear(g), linear(b)];
    by.map(|row| row.iter().zip(of).map(|(share, light)| share * light).sum::<f64>().clamp(0.0, 1.0))
}

/// CIELAB under D65, of linear sRGB (IEC 61966-2-1).
fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
    let x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    let y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
    let z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn apart(one: Rgb, other: Rgb, by: &[[f64; 3]; 3]) -> f64 {
    let (one, other) = (lab(seen(one, by)), lab(seen(other, by)));
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn is_grey((r, g, b): Rgb) -> bool {
    r == g && g == b
}

fn ink(theme: &Theme, token: Token) -> Rgb {
    contrast::exact(theme.style(token).fg.or(theme.style(Token::Text).fg).expect("it is painted"))
}

/// Black, white and greys are for grounds and plain text.
#[test]
fn it_has_the_eight_colours_and_no_other() {
    let theme = theme("okabe-ito", None).unwrap();
    let mut used = Vec::new();
    for (token, style) in &theme.styles {
        for color in [style.fg, style.bg].into_iter().flatten() {
            assert!(!matches!(color, Color::Ansi(_)), "{token:?}: nobody knows what a terminal makes of its own 16");
            let color = contrast::exact(color);
            assert!(EIGHT.contains(&color) || is_grey(color), "{token:?}: {color:?}");
            used.push(color);
        }
    }
    assert!(EIGHT.iter().all(|color| used.contains(color)), "all of them");
    // Where a terminal has 256 colours only, each is the nearest of those.
    for style in theme.in_256().styles.values() {
        for color in [style.fg, style.bg].into_iter().flatten() {
            let color = contrast::exact(color);
            let near = |one: &Rgb| contrast::exact(Color::Indexed(contrast::nearest(*one))) == color;
            assert!(is_grey(color) || EIGHT.iter().any(near), "{color:?}");
        }
    }
}

#[test]
fn severities_are_told_apart_without_seeing_red_or_green() {
    let exact = theme("okabe-ito", None).unwrap();
    for theme in [exact.in_256(), exact] {
        for (kind, by) in KINDS {
            for (at, one) in TOLD.iter().enumerate() {
                for other in &TOLD[at + 1..] {
                    let found = apart(ink(&theme, *one), ink(&theme, *other), &by);
                    assert!(found >= APART, "{kind}: {one:?} and {other:?} are {found:.1} apart");
                }
            }
        }
    }
}

/// What the test above would find: the reddish purple that is nearly grey to them, and red beside green.
#[test]
fn colours_that_these_people_take_for_each_other_are_found() {
    for (kind, by) in KINDS {
        assert!(apart((204, 121, 167), (148, 148, 148), &by) < APART, "{kind}");
        assert!(apart((255, 255, 255), (0, 0, 0), &by) > 99.0, "{kind}");
    }
    assert!(apart((200, 80, 0), (110, 120, 0), &KINDS[1].1) < APART);
}
