//! Reads themes: a palette of named colours and a style per token. Own ones first, then those that are built in.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::lenient;
use super::raw::{Key, text};
use super::report::{self, Report, listed, nearest};
use crate::model::preferences::{Color, Style, Theme, Token};
use crate::model::problem::{Place, Problem};
use crate::model::text::{LABEL_CAP, clean};

/// The theme where nobody asks for another.
pub const DEFAULT: &str = "dark";

/// The themes that are built in.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
];

/// The most bytes of a theme file that are read.
const LARGEST: u64 = 1 << 20;

/// How many themes may inherit from each other; more is a circle.
const DEEPEST: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Raw {
    inherits: Key<String>,
    #[serde(default)]
    palette: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    styles: BTreeMap<Spanned<String>, RawStyle>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct RawStyle {
    fg: Key<String>,
    bg: Key<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    reverse: bool,
    #[serde(default)]
    underline: bool,
}

/// Every token with its word in a theme file.
pub fn tokens() -> Vec<(String, Token)> {
    let plain = [
        ("text", Token::Text),
        ("dim", Token::Dim),
        ("title", Token::Title),
        ("environment", Token::Environment),
        ("production", Token::Production),
        ("selected", Token::Selected),
        ("border", Token::Border),
        ("critical", Token::Critical),
        ("warning", Token::Warning),
        ("unknown", Token::Unknown),
        ("muted", Token::Muted),
        ("key", Token::Key),
        ("input", Token::Input),
        ("threshold", Token::Threshold),
        ("cursor", Token::Cursor),
    ];
    let series = (1..=6).map(|n| (format!("series_{n}"), Token::Series(n)));
    plain.into_iter().map(|(word, token)| (word.to_owned(), token)).chain(series).collect()
}

/// The names of all themes, sorted: those that are built in and those of the folder.
pub fn names(user_folder: Option<&Path>) -> Vec<String> {
    let own = user_folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let own = own.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "toml" && is_name(&name)).then_some(name)
    });
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).chain(own).collect();
    names.sort();
    names.dedup();
    names
}

/// The theme of that name: of the folder, else built in.
///
/// # Errors
/// That there is none of that name, or everything that is wrong in its file.
pub fn theme(name: &str, user_folder: Option<&Path>) -> Result<Theme, Vec<Problem>> {
    load(name, user_folder, 0)
}

fn load(name: &str, folder: Option<&Path>, depth: usize) -> Result<Theme, Vec<Problem>> {
    // What is no name is never joined to a path.
    let own = folder.filter(|_| is_name(name)).map(|folder| folder.join(format!("{name}.toml"))).filter(|file| file.exists());
    if let Some(file) = own {
        let text = report::read(&file, LARGEST).map_err(|problem| vec![problem])?;
        return parse(name, &file, &text, folder, depth);
    }
    match BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
        Some((_, text)) => parse(name, Path::new(&format!("themes/{name}.toml")), text, folder, depth),
        None => {
            let text = clean(name, LABEL_CAP).into_owned();
            let what = format!("there is no theme `{text}`");
            let place = Place { file: "the theme's name".into(), line: 1, column: 1, text };
            Err(vec![Problem::new(place, what).hint(instead(name, folder))])
        }
    }
}

fn instead(name: &str, folder: Option<&Path>) -> String {
    let names = names(folder);
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", listed(&names)),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
}

fn parse(name: &str, file: &Path, text: &str, folder: Option<&Path>, depth: usize) -> Result<Theme, Vec<Problem>> {
    let mut report = Report::new(file, text);
    let Some(raw) = lenient::read::<Raw>(&mut report) else { return Err(report.finish()) };
    let mut styles = inherited(&raw, &mut report, name, folder, depth);
    let mut palette: BTreeMap<&str, Color> = BTreeMap::new();
    let mut broken = Vec::new();
    for (name, written) in &raw.palette {
        match color(written.get_ref()) {
            Ok(color) => {
                palette.insert(name.get_ref(), color);
            }
            Err(hint) => {
                report.hint(written.span().start, format!("`{}` is no colour", written.get_ref()), hint);
                broken.push(name.get_ref().as_str());
            }
        }
    }
    let tokens = tokens();
    let words: Vec<&str> = tokens.iter().map(|(word, _)| word.as_str()).collect();
    for (token, style) in &raw.styles {
        let Some((_, token)) = tokens.iter().find(|(word, _)| word == token.get_ref()) else {
            report.choice(token.span().start, format!("there is no token `{}`", token.get_ref()), token.get_ref(), &words);
            continue;
        };
        let mut resolve = |key: &Key<String>| {
            let key = key.as_ref()?;
            let word = key.get_ref().as_str();
            let found = palette.get(word).copied().or_else(|| color(word).ok());
            if found.is_none() && !broken.contains(&word) {
                let known: Vec<&str> = palette.keys().copied().collect();
                report.choice(key.span().start, format!("`{word}` is neither in the palette nor a colour"), word, &known);
            }
            found
        };
        let (fg, bg) = (resolve(&style.fg), resolve(&style.bg));
        let RawStyle { bold, dim, reverse, underline, .. } = *style;
        styles.insert(*token, Style { fg, bg, bold, dim, reverse, underline });
    }
    match report.is_empty() {
        true => Ok(Theme { name: name.to_owned(), styles }),
        false => Err(report.finish()),
    }
}

/// The styles of the theme that this one builds on.
fn inherited(raw: &Raw, report: &mut Report<'_>, name: &str, folder: Option<&Path>, depth: usize) -> BTreeMap<Token, Style> {
    let (Some(key), Some(base)) = (&raw.inherits, text(&raw.inherits)) else { return BTreeMap::new() };
    let at = key.span().start;
    // A person's `dark` that inherits `dark` means the one that is built in.
    let folder = folder.filter(|_| base != name);
    if depth >= DEEPEST {
        report.at(at, "themes inherit from each other in a circle");
        return BTreeMap::new();
    }
    if !names(folder).iter().any(|known| known == base) {
        report.hint(at, format!("there is no theme `{base}`"), instead(base, folder));
        return BTreeMap::new();
    }
    match load(base, folder, depth + 1) {
        Ok(theme) => theme.styles,
        Err(problems) => {
            report.foreign(at, problems);
            BTreeMap::new()
        }
    }
}

/// `#rrggbb`, `ansi:0` to `ansi:15` or only the number, `indexed:0` to `indexed:255`; `Err` is the hint.
fn color(text: &str) -> Result<Color, String> {
    let shapes = || "colours are written `#ff5f00`, `ansi:9` (0 to 15) or `indexed:202` (0 to 255)".to_owned();
    if let Some(hex) = text.strip_prefix('#') {
        let all_hex = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let part = |range| if all_hex { u8::from_str_radix(&hex[range], 16).map_err(|_| shapes()) } else { Err(shapes()) };
        return Ok(Color::Rgb(part(0..2)?, part(2..4)?, part(4..6)?));
    }
    if let Some(number) = text.strip_prefix("indexed:") {
        return number.parse().map(Color::Indexed).map_err(|_| shapes());
    }
    match text.strip_prefix("ansi:").unwrap_or(text).parse::<u8>() {
        Ok(number @ 0..=15) => Ok(Color::Ansi(number)),
        Ok(number) if !text.starts_with("ansi:") => Err(format!("write `indexed:{number}` for a colour of the 256")),
        _ => Err(shapes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_read_and_styles_every_token() {
        for (name, _) in BUILT_IN {
            let theme = theme(name, None).unwrap();
            for (word, token) in tokens() {
                assert!(theme.styles.contains_key(&token), "{name} lacks {word}");
            }
        }
    }

    /// Without colours, what matters still stands out.
    #[test]
    fn without_colour_the_selection_and_the_severities_are_told_apart() {
        for (name, _) in BUILT_IN {
            let plain = theme(name, None).unwrap().without_colour();
            for token in [Token::Selected, Token::Critical, Token::Warning, Token::Cursor] {
                assert_ne!(plain.style(token), Style::default(), "{name} {token:?}");
            }
            assert!(plain.style(Token::Selected).reverse, "{name}");
        }
    }

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(index: u8) -> f64 {
        let (r, g, b) = match index {
            16..232 => {
                let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
                let i = index - 16;
                (step(i / 36), step(i / 6 % 6), step(i % 6))
            }
            232.. => (8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232)),
            _ => panic!("{index} is the terminal's own colour"),
        };
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// AA: 4.5 for text and lines of charts, 3 for borders. Dark grounds are rarely quite black, light ones rarely quite white.
    #[test]
    fn dark_and_light_can_be_read() {
        for (name, ground) in [("dark", luminance(234)), ("light", luminance(255))] {
            for (token, style) in theme(name, None).unwrap().styles {
                let Some(fg) = style.fg else { continue };
                let Color::Indexed(fg) = fg else { panic!("{name} {token:?} is not one of the 256") };
                let ground = if let Some(Color::Indexed(bg)) = style.bg { luminance(bg) } else { ground };
                let (high, low) = (luminance(fg).max(ground), luminance(fg).min(ground));
                let contrast = (high + 0.05) / (low + 0.05);
                let needed = if token == Token::Border { 3.0 } else { 4.5 };
                assert!(contrast >= needed, "{name} {token:?}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn sixteen_uses_only_the_terminals_own_colours() {
        for style in theme("sixteen", None).unwrap().styles.values() {
            for color in [style.fg, style.bg].into_iter().flatten() {
                assert!(matches!(color, Color::Ansi(_)), "{color:?}");
            }
        }
    }

    #[test]
    fn colours_as_they_are_written() {
        assert_eq!(color("#ff5f00"), Ok(Color::Rgb(255, 95, 0)));
        assert_eq!(color("ansi:9"), Ok(Color::Ansi(9)));
        assert_eq!(color("9"), Ok(Color::Ansi(9)));
        assert_eq!(color("indexed:196"), Ok(Color::Indexed(196)));
        assert_eq!(color("196"), Err("write `indexed:196` for a colour of the 256".to_owned()));
        for bad in ["", "#", "#12345", "#+12345", "#ééé", "ansi:16", "indexed:256", "indexed:", "red", "-1"] {
            assert!(color(bad).is_err(), "{bad} was taken");
        }
    }

    fn told(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.toml"), text).unwrap();
        let line = |p: Problem| format!("{}:{} {} | {}", p.place.line, p.place.column, p.what, p.hint.unwrap_or_default());
        theme("mine", Some(folder.path())).unwrap_err().into_iter().map(line).collect()
    }

    #[test]
    fn what_is_wrong_in_a_theme_is_told_with_its_place() {
        let text = "[palette]\nred = '#ff0000'\ngold = 'shiny'\n[styles]\ncritcal = { fg = 'red' }\nwarning = { fg = 'gold' }\ntext = { fg = 'rde', blink = true }\n";
        assert_eq!(
            told(text),
            [
                "3:8 `shiny` is no colour | colours are written `#ff5f00`, `ansi:9` (0 to 15) or `indexed:202` (0 to 255)",
                "5:1 there is no token `critcal` | did you mean `critical`?",
                "7:15 `rde` is neither in the palette nor a colour | did you mean `red`?",
                "7:22 unknown key `blink` | one of `fg`, `bg`, `bold`, `dim`, `reverse` or `underline`",
            ]
        );
        assert_eq!(told("inherits = 'drak'"), ["1:12 there is no theme `drak` | did you mean `dark`?"]);
        assert_eq!(told("[styles]\nseries_7 = {}"), ["2:1 there is no token `series_7` | did you mean `series_1`?"]);
    }

    #[test]
    fn ones_own_theme_comes_first_and_may_build_on_another() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dark.toml"), "inherits = 'dark'\n[styles]\ncritical = { fg = 'ansi:1' }\n").unwrap();
        let own = theme("dark", Some(folder.path())).unwrap();
        assert_eq!(own.style(Token::Critical).fg, Some(Color::Ansi(1)));
        assert_eq!(own.style(Token::Warning), theme("dark", None).unwrap().style(Token::Warning));
        std::fs::write(folder.path().join("a.toml"), "inherits = 'b'").unwrap();
        std::fs::write(folder.path().join("b.toml"), "inherits = 'a'").unwrap();
        assert!(theme("a", Some(folder.path())).unwrap_err()[0].what.contains("circle"));
        assert_eq!(names(Some(folder.path())), ["a", "b", "dark", "light", "sixteen"]);
    }

    #[test]
    fn an_unknown_theme_says_which_there_are_and_never_leaves_the_folder() {
        let unknown = |name: &str| theme(name, Some(Path::new("/nonexistent"))).unwrap_err().remove(0).hint.unwrap();
        assert_eq!(unknown("solarized"), "there are `dark`, `light` or `sixteen`");
        assert_eq!(unknown("lihgt"), "did you mean `light`?");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        std::fs::write(folder.path().join("x.toml"), "").unwrap();
        assert!(theme("../x", Some(&folder.path().join("themes"))).is_err());
    }
}
