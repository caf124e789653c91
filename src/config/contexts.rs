//! Several estates, each by a name: those that `config.toml` lists, and the files of the folder `estates` beside it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::paths::{Paths, SYSTEM_ESTATE};
use super::raw::{Key, text};
use super::report::{Report, nearest};
use crate::model::preferences::{Context, Preferences};
use crate::model::problem::{Place, Problem};
use crate::model::text::{LABEL_CAP, clean};

/// The name of the estate that opens where nothing is said, unless a list gives it another.
pub const DEFAULT: &str = "default";
/// Estates by name at the most; a folder may hold anything.
const MOST: usize = 1_000;

/// An estate in the list, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawContext {
    name: Key<String>,
    estate: Key<String>,
    theme: Key<String>,
    read_only: Option<bool>,
}

/// The list of `config.toml`, its paths taken from the file's folder.
pub(super) fn listed(report: &mut Report<'_>, raw: Vec<Spanned<RawContext>>) -> Vec<Context> {
    let folder = report.file.parent().map(Path::to_owned).unwrap_or_default();
    let mut all: Vec<Context> = Vec::new();
    for one in raw {
        let (start, one) = (one.span().start, one.into_inner());
        let (Some(name), Some(estate)) = (text(&one.name), text(&one.estate)) else {
            if !report.lost_within(start) {
                report.hint(start, "a context needs `name` and `estate`", "such as `name = \"shop\"` and `estate = \"shop.toml\"`");
            }
            continue;
        };
        let (at_name, at_estate) =
            (one.name.as_ref().map_or(start, |n| n.span().start), one.estate.as_ref().map_or(start, |e| e.span().start));
        if !is_name(name) {
            report.hint(at_name, "this is no name of a context", "letters, digits, `-`, `_` and `.`, 64 at the most");
        }
        if all.iter().any(|known| known.name == name) {
            report.at(at_name, format!("there are two contexts `{name}`"));
        }
        if estate.starts_with("~") {
            report.hint(at_estate, "`~` is not followed here", "write the whole path, or one from this file's folder");
        }
        if let Some(theme) = one.theme.as_ref().filter(|theme| theme.get_ref().is_empty()) {
            report.at(theme.span().start, "`theme` is empty");
        }
        let theme = text(&one.theme).map(str::to_owned);
        all.push(Context { name: name.to_owned(), estate: folder.join(estate), theme, read_only: one.read_only.unwrap_or_default() });
    }
    all
}

/// All estates that have a name: the listed ones in their order, then the files of the folder, sorted; and as
/// [`DEFAULT`] the one that opens where nothing is said, where none of them is it.
pub fn all(paths: &Paths, preferences: &Preferences) -> Vec<Context> {
    let mut all = preferences.contexts.clone();
    let entries = paths.estates().and_then(|folder| std::fs::read_dir(folder).ok());
    let mut files: Vec<PathBuf> = entries.into_iter().flatten().flatten().take(MOST).map(|entry| entry.path()).collect();
    files.sort();
    for file in files.into_iter().filter(|file| file.extension().is_some_and(|of| of == "toml")) {
        let name = file.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_name(name));
        if let Some(name) = name.filter(|name| all.iter().all(|known| known.name != *name)) {
            all.push(Context { name: name.to_owned(), estate: file, ..Context::default() });
        }
    }
    let default = paths.estate().into_iter().chain([PathBuf::from(SYSTEM_ESTATE)]).find(|file| file.exists());
    if let Some(file) = default.filter(|file| all.iter().all(|known| known.name != DEFAULT && !is_same(&known.estate, file))) {
        all.insert(0, Context { name: DEFAULT.to_owned(), estate: file, ..Context::default() });
    }
    all
}

/// The context of that name.
///
/// # Errors
/// That there is none, with what may be meant.
pub fn named(all: &[Context], name: &str) -> Result<Context, Problem> {
    if let Some(known) = all.iter().find(|known| known.name == name) {
        return Ok(known.clone());
    }
    let text = clean(name, LABEL_CAP).into_owned();
    let hint = match nearest(name, all.iter().map(|known| known.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`qd contexts` lists those that there are".to_owned(),
    };
    let what = format!("there is no context `{text}`");
    Err(Problem::new(Place { file: "the context's name".into(), line: 1, column: 1, text }, what).hint(hint))
}

/// True where both lead to the same file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::preferences::{Overrides, preferences};

    fn at(config: &str) -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let paths = Paths { config: Some(folder.path().to_owned()), ..Paths::default() };
        (folder, paths)
    }

    fn read(paths: &Paths) -> Result<Preferences, Vec<Problem>> {
        preferences(paths, &|_| None, &Overrides::default())
    }

    #[test]
    fn listed_ones_come_first_then_the_folder_and_ones_own_estate_as_the_default() {
        let (folder, paths) = at("[[context]]\nname = 'shop'\nestate = 'a/shop.toml'\ntheme = 'light'\nread_only = true\n\
                                  [[context]]\nname = 'far'\nestate = '/e/far.toml'\n");
        std::fs::create_dir(folder.path().join("estates")).unwrap();
        for name in ["zoo.toml", "bay.toml", "shop.toml", "notes.md", ".hidden.toml"] {
            std::fs::write(folder.path().join("estates").join(name), "").unwrap();
        }
        let known = all(&paths, &read(&paths).unwrap());
        let names = |known: &[Context]| known.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        if !Path::new(SYSTEM_ESTATE).exists() {
            assert_eq!(names(&known), ["shop", "far", "bay", "zoo"], "the listed one wins over the file of its name");
        }
        let shop = named(&known, "shop").unwrap();
        assert_eq!((shop.estate, shop.theme.as_deref(), shop.read_only), (folder.path().join("a/shop.toml"), Some("light"), true));
        assert_eq!(named(&known, "far").unwrap().estate, Path::new("/e/far.toml"));
        assert_eq!(named(&known, "shpo").unwrap_err().hint.as_deref(), Some("did you mean `shop`?"));
        std::fs::write(folder.path().join("estate.toml"), "").unwrap();
        assert_eq!(names(&all(&paths, &read(&paths).unwrap())), ["default", "shop", "far", "bay", "zoo"]);
    }

    #[test]
    fn an_estate_that_has_a_name_is_not_listed_twice() {
        let (folder, paths) = at("[[context]]\nname = 'mine'\nestate = 'estate.toml'\n");
        std::fs::write(folder.path().join("estate.toml"), "").unwrap();
        let known = all(&paths, &read(&paths).unwrap());
        assert_eq!(known.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["mine"]);
    }

    #[test]
    fn what_is_wrong_in_the_list_is_told_with_its_place() {
        let (_folder, paths) =
            at("[[context]]\nname = 'a b'\nestate = 'x'\n[[context]]\nestate = 'y'\n[[context]]\nname = 'c'\nestate = '~/c'\n\
                                   [[context]]\nname = 'c'\nestate = 'd'\nread_onyl = true\ntheme = ''\n");
        let told: Vec<String> = read(&paths)
            .unwrap_err()
            .into_iter()
            .map(|p| format!("{}:{} {} | {}", p.place.line, p.place.column, p.what, p.hint.unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                "2:8 this is no name of a context | letters, digits, `-`, `_` and `.`, 64 at the most",
                "4:1 a context needs `name` and `estate` | such as `name = \"shop\"` and `estate = \"shop.toml\"`",
                "8:10 `~` is not followed here | write the whole path, or one from this file's folder",
                "10:8 there are two contexts `c`",
                "12:1 unknown key `read_onyl` | did you mean `read_only`?",
                "13:9 `theme` is empty",
            ]
            .map(|line| if line.contains(" | ") { line.to_owned() } else { format!("{line} | ") })
        );
    }
}
