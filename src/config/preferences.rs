//! Reads what one person prefers: default < file < environment < flag.

use serde::Deserialize;
use toml::Spanned;

use super::attention::{RawAttention, attention};
use super::contexts::{self, RawContext};
use super::keymap;
use super::lenient;
use super::paths::{Env, Paths};
use super::raw::Key;
use super::report::{self, Report, nearest};
use super::views::{self, RawView};
use crate::model::preferences::{ClipboardChoice, ColorChoice, KeymapChoice, Preferences, ThemeBy, ZoneChoice};
use crate::model::problem::{Place, Problem};
use crate::model::text::{LABEL_CAP, clean};

/// The most bytes of a preferences file that are read.
const LARGEST: u64 = 1 << 20;

/// The words of `zone`.
pub const ZONES: [(&str, ZoneChoice); 3] = [("utc", ZoneChoice::Utc), ("local", ZoneChoice::Local), ("estate", ZoneChoice::Estate)];
/// The words of `keymap`.
pub const KEYMAPS: [(&str, KeymapChoice); 2] = [("default", KeymapChoice::Default), ("plain", KeymapChoice::Plain)];
/// The words of `color`.
pub const COLORS: [(&str, ColorChoice); 3] = [("auto", ColorChoice::Auto), ("always", ColorChoice::Always), ("never", ColorChoice::Never)];

/// The words of `clipboard`.
pub const CLIPBOARDS: [(&str, ClipboardChoice); 4] =
    [("auto", ClipboardChoice::Auto), ("osc52", ClipboardChoice::Osc52), ("tmux", ClipboardChoice::Tmux), ("off", ClipboardChoice::Off)];

/// What the command line asks for; it wins over everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--keymap`.
    pub keymap: Option<KeymapChoice>,
    /// `--zone`.
    pub zone: Option<ZoneChoice>,
    /// `--ascii`.
    pub ascii: Option<bool>,
    /// `--color`.
    pub color: Option<ColorChoice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Raw {
    theme: Key<String>,
    zone: Key<String>,
    ascii: Option<bool>,
    color: Key<String>,
    keymap: Key<String>,
    mouse: Option<bool>,
    clipboard: Key<String>,
    attention: Option<RawAttention>,
    #[serde(default)]
    view: Vec<Spanned<RawView>>,
    #[serde(default)]
    context: Vec<Spanned<RawContext>>,
}

/// The preferences of the files, the environment and the command line together. Variables that are read: `QD_THEME`,
/// `QD_KEYMAP`, `QD_ZONE`, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`.
///
/// # Errors
/// Everything that is wrong in `config.toml`, `keymap.toml` and the variables.
pub fn preferences(paths: &Paths, env: Env<'_>, flags: &Overrides) -> Result<Preferences, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut found = Preferences::default();
    if let Some(file) = paths.preferences().filter(|p| p.exists()) {
        match report::read(&file, LARGEST) {
            Ok(text) => problems.extend(from_file(&mut Report::new(&file, &text), &mut found)),
            Err(problem) => problems.push(problem),
        }
    }
    match paths.keymap().map(|file| keymap::bindings(&file)) {
        Some(Ok(bindings)) => found.bindings = bindings,
        Some(Err(more)) => problems.extend(more),
        None => {}
    }
    problems.extend(from_env(env, &mut found));
    if let Some(theme) = &flags.theme {
        (found.theme, found.theme_by) = (Some(theme.clone()), ThemeBy::Flag);
    }
    found.keymap = flags.keymap.unwrap_or(found.keymap);
    found.zone = flags.zone.unwrap_or(found.zone);
    found.ascii = flags.ascii.unwrap_or(found.ascii);
    found.color = flags.color.unwrap_or(found.color);
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn from_file(report: &mut Report<'_>, found: &mut Preferences) -> Vec<Problem> {
    if let Some(raw) = lenient::read::<Raw>(report) {
        found.theme = raw.theme.as_ref().map(|t| t.get_ref().clone());
        found.theme_by = if found.theme.is_some() { ThemeBy::File } else { ThemeBy::Nobody };
        found.ascii = raw.ascii.unwrap_or_default();
        found.mouse = raw.mouse.unwrap_or_default();
        found.clipboard = choice(report, "clipboard", &raw.clipboard, &CLIPBOARDS).unwrap_or_default();
        found.zone = choice(report, "zone", &raw.zone, &ZONES).unwrap_or_default();
        found.keymap = choice(report, "keymap", &raw.keymap, &KEYMAPS).unwrap_or_default();
        found.color = choice(report, "color", &raw.color, &COLORS).unwrap_or_default();
        found.views = views::from_raw(report, &raw.view);
        found.attention = attention(report, raw.attention);
        found.contexts = contexts::listed(report, raw.context);
        if let Some(theme) = raw.theme.filter(|t| t.get_ref().is_empty()) {
            report.at(theme.span().start, "`theme` is empty");
        }
    }
    std::mem::replace(report, Report::new(report.file, report.text)).finish()
}

fn choice<T: Copy>(report: &mut Report<'_>, key: &str, value: &Key<String>, words: &[(&str, T)]) -> Option<T> {
    let value = value.as_ref()?;
    let found = words.iter().find(|(word, _)| word == value.get_ref()).map(|(_, choice)| *choice);
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        report.choice(value.span().start, format!("`{}` is no {key}", value.get_ref()), value.get_ref(), &all);
    }
    found
}

fn from_env(env: Env<'_>, found: &mut Preferences) -> Vec<Problem> {
    let set = |name: &str| env(name).filter(|v| !v.is_empty()).map(|v| v.to_string_lossy().into_owned());
    if let Some(theme) = set("QD_THEME") {
        (found.theme, found.theme_by) = (Some(theme), ThemeBy::Variable);
    }
    // NO_COLOR before CLICOLOR_FORCE: whoever sets both can read without colours. See no-color.org, bixense.com/clicolors.
    if set("NO_COLOR").is_some() {
        found.color = ColorChoice::Never;
    } else if set("CLICOLOR_FORCE").is_some_and(|v| v != "0") {
        found.color = ColorChoice::Always;
    } else if set("TERM").is_some_and(|v| v == "dumb") {
        found.color = ColorChoice::Never;
    }
    let mut problems = Vec::new();
    if let Some(zone) = set("QD_ZONE").and_then(|word| chosen("QD_ZONE", "zone", &word, &ZONES, &mut problems)) {
        found.zone = zone;
    }
    if let Some(keymap) = set("QD_KEYMAP").and_then(|word| chosen("QD_KEYMAP", "keymap", &word, &KEYMAPS, &mut problems)) {
        found.keymap = keymap;
    }
    problems
}

/// What the word of a variable stands for; one that stands for nothing is a problem.
fn chosen<T: Copy>(variable: &str, what: &str, word: &str, words: &[(&str, T)], problems: &mut Vec<Problem>) -> Option<T> {
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice);
    if found.is_none() {
        let text = clean(word, LABEL_CAP).into_owned();
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(word, all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", report::listed(&all)),
        };
        let said = format!("`{text}` is no {what}");
        let place = Place { file: format!("the variable {variable}").into(), line: 1, column: 1, text };
        problems.push(Problem::new(place, said).hint(hint));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).into())
    }

    fn folder(config: &str, keymap: &str) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("config.toml", config), ("keymap.toml", keymap)] {
            if !text.is_empty() {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
        }
        let paths = Paths { config: Some(folder.path().to_owned()), ..Paths::default() };
        (folder, paths)
    }

    #[test]
    fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
        let (_folder, paths) =
            folder("theme = 'light'\nzone = 'estate'\nascii = true\ncolor = 'always'\nmouse = true\nclipboard = 'tmux'\n", "");
        let read = |vars: &[(&str, &str)], flags: &Overrides| preferences(&paths, &env(vars), flags).unwrap();
        let file = read(&[], &Overrides::default());
        assert_eq!(
            (file.theme.as_deref(), file.zone, file.ascii, file.color),
            (Some("light"), ZoneChoice::Estate, true, ColorChoice::Always)
        );
        assert!(file.mouse && !Preferences::default().mouse);
        assert_eq!((file.clipboard, Preferences::default().clipboard), (ClipboardChoice::Tmux, ClipboardChoice::Auto));
        assert_eq!(
            (file.theme_by, preferences(&Paths::default(), &env(&[]), &Overrides::default()).unwrap().theme_by),
            (ThemeBy::File, ThemeBy::Nobody)
        );
        let vars = [("QD_THEME", "sixteen"), ("QD_ZONE", "local"), ("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")];
        let from_env = read(&vars, &Overrides::default());
        assert_eq!((from_env.theme.as_deref(), from_env.zone, from_env.color), (Some("sixteen"), ZoneChoice::Local, ColorChoice::Never));
        let flags = Overrides {
            theme: Some("dark".into()),
            zone: Some(ZoneChoice::Utc),
            ascii: Some(false),
            color: Some(ColorChoice::Auto),
            ..Overrides::default()
        };
        let flagged = read(&vars, &flags);
        assert_eq!(
            (flagged.theme.as_deref(), flagged.zone, flagged.ascii, flagged.color),
            (Some("dark"), ZoneChoice::Utc, false, ColorChoice::Auto)
        );
    }

    #[test]
    fn colours_follow_the_variables_that_every_program_knows() {
        let color = |vars: &[(&str, &str)]| preferences(&Paths::default(), &env(vars), &Overrides::default()).unwrap().color;
        assert_eq!(color(&[]), ColorChoice::Auto);
        assert_eq!(color(&[("NO_COLOR", "")]), ColorChoice::Auto);
        assert_eq!(color(&[("TERM", "dumb")]), ColorChoice::Never);
        assert_eq!(color(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")]), ColorChoice::Always);
        assert_eq!(color(&[("CLICOLOR_FORCE", "0")]), ColorChoice::Auto);
    }

    #[test]
    fn all_that_is_wrong_in_the_files_and_the_environment_is_told() {
        let (_folder, paths) = folder("tehme = 'x'\nzone = 'utcc'\ncolor = 'red'\nascii = 1\n", "[[global]]\non = 'x'\n");
        let vars = [("QD_ZONE", "loc\u{1b}al")];
        let told: Vec<String> = preferences(&paths, &env(&vars), &Overrides::default())
            .unwrap_err()
            .into_iter()
            .map(|p| {
                let file = Path::new(p.place.file.file_name().unwrap()).display().to_string();
                format!("{file}:{}:{} {} | {}", p.place.line, p.place.column, p.what, p.hint.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            told,
            [
                "config.toml:1:1 unknown key `tehme` | did you mean `theme`?",
                "config.toml:2:8 `utcc` is no zone | did you mean `utc`?",
                "config.toml:3:9 `red` is no color | one of `auto`, `always` or `never`",
                "config.toml:4:9 `ascii`: true or false is needed, this is integer `1` | ",
                "keymap.toml:1:1 `run` is missing in this binding | such as `on = \"j\"` and `run = \"down\"`",
                "the variable QD_ZONE:1:1 `local` is no zone | did you mean `local`?",
            ]
        );
    }

    #[test]
    fn a_keymap_is_chosen_and_ones_own_lies_over_it() {
        let (_folder, paths) = folder("keymap = 'plain'\n", "[[global]]\non = 'x'\nrun = 'quit'\n");
        let read = preferences(&paths, &env(&[]), &Overrides::default()).unwrap();
        assert_eq!((read.keymap, read.bindings.len()), (KeymapChoice::Plain, 1));
        let of = |env_word: &str, keymap| {
            let flags = Overrides { keymap, ..Overrides::default() };
            preferences(&paths, &env(&[("QD_KEYMAP", env_word)]), &flags).map(|read| read.keymap)
        };
        assert_eq!(of("default", None), Ok(KeymapChoice::Default), "the variable wins over the file");
        assert_eq!(of("default", Some(KeymapChoice::Plain)), Ok(KeymapChoice::Plain), "the flag wins over both");
        assert_eq!(of("plian", None).unwrap_err()[0].hint.as_deref(), Some("did you mean `plain`?"));
        let (_folder, paths) = folder("keymap = 'plan'\n", "");
        let problem = preferences(&paths, &env(&[]), &Overrides::default()).unwrap_err().remove(0);
        assert_eq!((problem.what.as_str(), problem.hint.as_deref()), ("`plan` is no keymap", Some("did you mean `plain`?")));
    }

    #[test]
    fn bindings_come_from_the_keymap_beside_it() {
        let (_folder, paths) = folder("", "[[global]]\non = 'x'\nrun = 'quit'\n");
        assert_eq!(preferences(&paths, &env(&[]), &Overrides::default()).unwrap().bindings.len(), 1);
    }
}
