//! Reads themes: a palette of named colours and a style per token. Own ones first, then those that are built in.

pub mod kept;
#[cfg(test)]
mod vision;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::lenient;
use super::raw::{Key, text};
use super::report::{self, Report, listed, nearest};
use crate::model::preferences::{Color, Ground, Style, Theme, Token};
use crate::model::problem::{Place, Problem};
use crate::model::text::{LABEL_CAP, clean};

/// The word for whichever of the themes `dark` and `light` is right for the terminal; also what nobody's asking means.
pub const AUTO: &str = "auto";

/// The themes that are built in.
const BUILT_IN: [(&str, &str); 7] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("high-contrast-light", include_str!("../../themes/high-contrast-light.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("okabe-ito", include_str!("../../themes/okabe-ito.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
    ("sixteen-light", include_str!("../../themes/sixteen-light.toml")),
];

/// The most bytes of a theme file that are read.
const LARGEST: u64 = 1 << 20;

/// How many themes may inherit from each other; more is a circle.
const DEEPEST: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Raw {
    inherits: Key<String>,
    ground: Key<String>,
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

/// A theme whose colours are not looked up yet: another that builds on it may give them others.
#[derive(Debug, Default)]
struct Sketch {
    ground: Ground,
    palette: BTreeMap<String, Color>,
    styles: BTreeMap<Token, (Paint, Paint, Style)>,
}

/// A foreground or background as it is written.
#[derive(Debug, Clone)]
enum Paint {
    None,
    Named(String),
    Fixed(Color),
}

impl Sketch {
    fn theme(self, name: &str) -> Theme {
        let color = |paint: &Paint| match paint {
            Paint::None => None,
            Paint::Named(name) => self.palette.get(name).copied(),
            Paint::Fixed(color) => Some(*color),
        };
        let style = |(fg, bg, style): &(Paint, Paint, Style)| Style { fg: color(fg), bg: color(bg), ..*style };
        let styles = self.styles.iter().map(|(token, drawn)| (*token, style(drawn))).collect();
        Theme { name: name.to_owned(), ground: self.ground, styles }
    }
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
    load(name, user_folder, 0).map(|sketch| sketch.theme(name))
}

/// The file of that name in the folder of a person's own themes, where it is there.
pub fn own(name: &str, user_folder: Option<&Path>) -> Option<PathBuf> {
    // What is no name is never joined to a path.
    user_folder.filter(|_| is_name(name)).map(|folder| folder.join(format!("{name}.toml"))).filter(|file| file.exists())
}

fn load(name: &str, folder: Option<&Path>, depth: usize) -> Result<Sketch, Vec<Problem>> {
    if let Some(file) = own(name, folder) {
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

fn parse(name: &str, file: &Path, text: &str, folder: Option<&Path>, depth: usize) -> Result<Sketch, Vec<Problem>> {
    let mut report = Report::new(file, text);
    let Some(raw) = lenient::read::<Raw>(&mut report) else { return Err(report.finish()) };
    let mut sketch = inherited(&raw, &mut report, name, folder, depth);
    if let Some(written) = &raw.ground {
        let grounds = [Ground::Dark, Ground::Light];
        match grounds.into_iter().find(|ground| ground.word() == written.get_ref()) {
            Some(ground) => sketch.ground = ground,
            None => report.choice(
                written.span().start,
                format!("`{}` is no ground", written.get_ref()),
                written.get_ref(),
                &grounds.map(Ground::word),
            ),
        }
    }
    let mut broken = Vec::new();
    for (name, written) in &raw.palette {
        match color(written.get_ref()) {
            Ok(color) => {
                sketch.palette.insert(name.get_ref().clone(), color);
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
        let mut paint = |key: &Key<String>| {
            let Some(key) = key else { return Paint::None };
            let word = key.get_ref().as_str();
            if sketch.palette.contains_key(word) {
                return Paint::Named(word.to_owned());
            }
            match color(word) {
                Ok(color) => Paint::Fixed(color),
                Err(_) => {
                    if !broken.contains(&word) {
                        let known: Vec<&str> = sketch.palette.keys().map(String::as_str).collect();
                        report.choice(key.span().start, format!("`{word}` is neither in the palette nor a colour"), word, &known);
                    }
                    Paint::None
                }
            }
        };
        let (fg, bg) = (paint(&style.fg), paint(&style.bg));
        let RawStyle { bold, dim, reverse, underline, .. } = *style;
        sketch.styles.insert(*token, (fg, bg, Style { fg: None, bg: None, bold, dim, reverse, underline }));
    }
    if report.is_empty() { Ok(sketch) } else { Err(report.finish()) }
}

/// The theme that this one builds on.
fn inherited(raw: &Raw, report: &mut Report<'_>, name: &str, folder: Option<&Path>, depth: usize) -> Sketch {
    let (Some(key), Some(base)) = (&raw.inherits, text(&raw.inherits)) else { return Sketch::default() };
    let at = key.span().start;
    // A person's `dark` that inherits `dark` means the one that is built in.
    let folder = folder.filter(|_| base != name);
    if depth >= DEEPEST {
        report.at(at, "themes inherit from each other in a circle");
        return Sketch::default();
    }
    if !names(folder).iter().any(|known| known == base) {
        report.hint(at, format!("there is no theme `{base}`"), instead(base, folder));
        return Sketch::default();
    }
    match load(base, folder, depth + 1) {
        Ok(sketch) => sketch,
        Err(problems) => {
            report.foreign(at, problems);
            Sketch::default()
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
    use crate::model::contrast;

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

    /// WCAG 2.2, 1.4.3 (AA) for text and 1.4.11 for lines; 1.4.6 (AAA) for the themes that promise it.
    #[test]
    fn every_built_in_theme_can_be_read_on_its_ground() {
        let both = |name| theme(name, None).map(|theme| [theme.in_256(), theme]).unwrap();
        for (name, theme) in BUILT_IN.iter().flat_map(|(name, _)| both(name).map(|theme| (name, theme))) {
            assert_eq!(contrast::faint(&theme), [], "{name}");
            for token in
                theme.styles.keys().filter(|token| name.starts_with("high-contrast") && contrast::needed(**token) == contrast::TEXT)
            {
                let has = contrast::of(&theme, *token).expect("painted by the theme itself");
                assert!(has >= contrast::HIGH, "{name} {token:?}: {has:.2}");
            }
            // What is judged is what is there: none of these leaves its severities to the terminal.
            for token in [Token::Critical, Token::Warning, Token::Unknown, Token::Key] {
                assert!(contrast::of(&theme, token).is_some(), "{name} {token:?}");
            }
        }
    }

    #[test]
    fn no_severity_looks_like_another_or_like_text() {
        for (name, _) in BUILT_IN {
            let theme = theme(name, None).unwrap();
            let told = [Token::Text, Token::Critical, Token::Warning, Token::Unknown];
            for (at, one) in told.iter().enumerate() {
                for other in &told[at + 1..] {
                    assert_ne!(theme.style(*one).fg, theme.style(*other).fg, "{name} {one:?} {other:?}");
                }
            }
        }
    }

    /// The colours that say how bad it is say nothing else there.
    #[test]
    fn no_line_of_a_chart_has_the_colour_of_a_severity() {
        let theme = theme("okabe-ito", None).unwrap();
        for token in [Token::Critical, Token::Warning, Token::Unknown] {
            assert!((1..=6).all(|n| theme.style(Token::Series(n)).fg != theme.style(token).fg), "{token:?}");
        }
    }

    #[test]
    fn sixteen_uses_only_the_terminals_own_colours() {
        for name in ["sixteen", "sixteen-light"] {
            for style in theme(name, None).unwrap().styles.values() {
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(matches!(color, Color::Ansi(_)), "{name} {color:?}");
                }
            }
        }
    }

    #[test]
    fn a_palette_that_is_written_again_changes_all_that_uses_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.toml"), "inherits = 'light'\n[palette]\nsky = 'ansi:4'\n").unwrap();
        let (mine, light) = (theme("mine", Some(folder.path())).unwrap(), theme("light", None).unwrap());
        assert_eq!((mine.style(Token::Key).fg, mine.style(Token::Series(1)).fg), (Some(Color::Ansi(4)), Some(Color::Ansi(4))));
        assert!(mine.style(Token::Key).bold);
        assert_eq!((mine.style(Token::Warning), mine.ground), (light.style(Token::Warning), Ground::Light));
        assert_eq!(own("mine", Some(folder.path())), Some(folder.path().join("mine.toml")));
        assert_eq!(own("../mine", Some(folder.path())), None);
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
        assert_eq!(told("ground = 'drak'"), ["1:10 `drak` is no ground | did you mean `dark`?"]);
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
        assert_eq!(
            names(Some(folder.path())),
            ["a", "b", "dark", "high-contrast", "high-contrast-light", "light", "okabe-ito", "sixteen", "sixteen-light"]
        );
    }

    #[test]
    fn an_unknown_theme_says_which_there_are_and_never_leaves_the_folder() {
        let unknown = |name: &str| theme(name, Some(Path::new("/nonexistent"))).unwrap_err().remove(0).hint.unwrap();
        assert_eq!(
            unknown("solarized"),
            "there are `dark`, `high-contrast`, `high-contrast-light`, `light`, `okabe-ito`, `sixteen` or `sixteen-light`"
        );
        assert_eq!(unknown("lihgt"), "did you mean `light`?");
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        std::fs::write(folder.path().join("x.toml"), "").unwrap();
        assert!(theme("../x", Some(&folder.path().join("themes"))).is_err());
    }
}
