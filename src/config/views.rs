//! Saved views: read from `[[view]]` of the preferences and of the file that the console writes, which has nothing else.
//! The preferences themselves are a person's own and are never written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::lenient;
use super::raw::Key;
use super::report::{self, Report};
use crate::model::preferences::SavedView;
use crate::model::problem::{Place, Problem};
use crate::model::text::is_hostile;

/// The most bytes of the file of views that are read.
const LARGEST: u64 = 1 << 20;
/// The most views of one file.
const MOST: usize = 500;
/// What the file begins with.
const HEAD: &str = "# Views that were saved in the console. Yours to edit: it only adds to them.\n";

/// One `[[view]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawView {
    name: Key<String>,
    pane: Key<String>,
    filter: Key<String>,
    range: Key<String>,
    grouped: Option<bool>,
    muted: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Raw {
    #[serde(default)]
    view: Vec<Spanned<RawView>>,
}

/// The views of a file's text; what is wrong with them is told to the report. What a pane and a filter are is not known
/// here.
pub(super) fn from_raw(report: &mut Report<'_>, raw: &[Spanned<RawView>]) -> Vec<SavedView> {
    let mut views = Vec::new();
    for one in raw {
        let (at, view) = (one.span().start, one.get_ref());
        if views.len() == MOST {
            report.at(at, format!("more than {MOST} views"));
            break;
        }
        let text = |key: &Key<String>| key.as_ref().map(|value| value.get_ref().clone());
        let texts = [&view.name, &view.pane, &view.filter, &view.range];
        if let Some(bad) = texts.into_iter().flatten().find(|value| value.get_ref().chars().any(is_hostile)) {
            report.at(bad.span().start, "this text holds a control character");
            continue;
        }
        let (Some(name), Some(pane)) = (text(&view.name), text(&view.pane)) else {
            for key in ["name", "pane"] {
                let there = if key == "name" { view.name.is_some() } else { view.pane.is_some() };
                if !there && !report.lost(at, key) {
                    report.hint(at, format!("`{key}` is missing in this view"), "such as `name = \"my alerts\"` and `pane = \"alerts\"`");
                }
            }
            continue;
        };
        let place = Place::of(report.file, report.text, view.name.as_ref().map_or(at, |name| name.span().start));
        let (filter, range) = (text(&view.filter).unwrap_or_default(), text(&view.range));
        views.push(SavedView { name, pane, filter, range, grouped: view.grouped, muted: view.muted, place });
    }
    views
}

/// The views of the file that the console writes, as far as they can be read, and what is wrong with the others. A file
/// that is not there has none.
pub fn read(file: &Path) -> (Vec<SavedView>, Vec<Problem>) {
    if !file.exists() {
        return (Vec::new(), Vec::new());
    }
    match report::read(file, LARGEST) {
        Ok(text) => from_text(file, &text),
        Err(problem) => (Vec::new(), vec![problem]),
    }
}

fn from_text(file: &Path, text: &str) -> (Vec<SavedView>, Vec<Problem>) {
    let mut report = Report::new(file, text);
    let raw = lenient::read::<Raw>(&mut report).unwrap_or_default();
    let views = from_raw(&mut report, &raw.view);
    (views, report.finish())
}

/// Why a view is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file has problems: adding to it might bury them.
    #[error("{}:{}:{} {}: mend it first", .0.place.file.display(), .0.place.line, .0.place.column, .0.what)]
    Broken(Problem),
    /// Another console saved one of that name meanwhile.
    #[error("{0} has a view of that name already")]
    Taken(String),
    /// It could not be read back: the file would be broken by it.
    #[error("this view cannot be written down: {0}")]
    Unfit(String),
    /// There are too many.
    #[error("{0} has {MOST} views already")]
    Full(String),
    /// The file system does not want it.
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

/// Adds a view to the file, of which nothing else changes. The file is there whole at any time, as it was or as it is
/// then; two consoles that save at once wait for each other.
///
/// # Errors
/// Where the file cannot be read or written, has problems, or has a view of that name.
pub fn add(file: &Path, view: &SavedView) -> Result<(), SaveError> {
    let io = |error| SaveError::Io(file.display().to_string(), error);
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    let _alone = locked(file).map_err(io)?;
    let before = match report::read(file, LARGEST) {
        Ok(text) => text,
        Err(_) if !file.exists() => HEAD.to_owned(),
        Err(problem) => return Err(SaveError::Broken(problem)),
    };
    let (views, problems) = from_text(file, &before);
    if let Some(problem) = problems.into_iter().next() {
        return Err(SaveError::Broken(problem));
    }
    if views.iter().any(|one| one.name == view.name) {
        return Err(SaveError::Taken(file.display().to_string()));
    }
    if views.len() >= MOST {
        return Err(SaveError::Full(file.display().to_string()));
    }
    let mut text = before;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let block = block(view);
    if let Some(problem) = from_text(file, &block).1.into_iter().next() {
        return Err(SaveError::Unfit(problem.what));
    }
    text.push_str(&block);
    replace(file, &text).map_err(io)
}

/// Waits until no other console writes that file; as long as what this gives is kept, none does.
pub(super) fn locked(file: &Path) -> io::Result<File> {
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Puts a text in a file's place, of which there is the former or the new one at any time. Under its lock.
pub(super) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("new");
    // One that an interrupted save left behind.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    fs::rename(&draft, file)?;
    File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn block(view: &SavedView) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = format!("\n[[view]]\nname = {}\npane = {}\n", quoted(&view.name), quoted(&view.pane));
    if !view.filter.is_empty() {
        text.push_str(&format!("filter = {}\n", quoted(&view.filter)));
    }
    if let Some(range) = &view.range {
        text.push_str(&format!("range = {}\n", quoted(range)));
    }
    for (key, value) in [("grouped", view.grouped), ("muted", view.muted)] {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {value}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(name: &str, filter: &str) -> SavedView {
        let place = Place::of("", "", 0);
        let range = Some("6h".to_owned());
        SavedView { name: name.into(), pane: "alerts".into(), filter: filter.into(), range, grouped: Some(true), muted: None, place }
    }

    #[test]
    fn what_is_saved_is_read_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/views.toml");
        add(&file, &view("first", "team=\"web\" !x")).unwrap();
        let mine = format!("{}# mine, to keep\n", fs::read_to_string(&file).unwrap());
        fs::write(&file, &mine).unwrap();
        add(&file, &view("second", "")).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(&mine), "{text}");
        let (views, problems) = read(&file);
        assert_eq!(problems, []);
        let short: Vec<String> =
            views.iter().map(|v| format!("{} {} {:?} {:?} {:?} {:?}", v.name, v.pane, v.filter, v.range, v.grouped, v.muted)).collect();
        assert_eq!(
            short,
            [r#"first alerts "team=\"web\" !x" Some("6h") Some(true) None"#, r#"second alerts "" Some("6h") Some(true) None"#]
        );
        assert!(matches!(add(&file, &view("first", "")), Err(SaveError::Taken(_))));
        assert!(matches!(add(&file, &view("third", "x\u{202e}y")), Err(SaveError::Unfit(_))));
        assert_eq!(read(&file).0.len(), 2);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_with_a_problem_is_told_with_its_line_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("views.toml");
        let text = "[[view]]\nname = \"a\"\npane = \"alerts\"\n\n[[view]]\nname = \"b\"\npnae = \"alerts\"\n";
        fs::write(&file, text).unwrap();
        let (views, problems) = read(&file);
        assert_eq!(views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["a"], "the other one is there");
        assert_eq!((problems[0].place.line, problems[0].what.as_str()), (7, "unknown key `pnae`"), "{problems:#?}");
        let why = add(&file, &view("c", "")).unwrap_err().to_string();
        assert!(why.contains("views.toml:7:1 ") && why.ends_with("mend it first"), "{why}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        fs::write(&file, "[[view]\n").unwrap();
        assert_eq!((read(&file).0.len(), read(&file).1.len()), (0, 1));
    }

    #[test]
    fn two_who_save_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("views.toml");
        std::thread::scope(|scope| {
            for who in 0..4 {
                let file = &file;
                scope.spawn(move || (0..5).for_each(|n| add(file, &view(&format!("{who} {n}"), "")).unwrap()));
            }
        });
        assert_eq!(read(&file).0.len(), 20);
    }

    proptest! {
        #[test]
        fn any_text_is_written_so_that_it_reads_back(name in "[^\\p{C}]{1,20}", filter in "[^\\p{C}]{0,30}") {
            let hostile = [&name, &filter].into_iter().any(|text| text.chars().any(is_hostile));
            let text = block(&view(&name, &filter));
            let (views, problems) = from_text(Path::new("v"), &text);
            prop_assert_eq!(!problems.is_empty(), hostile);
            prop_assume!(!hostile);
            prop_assert_eq!((&views[0].name, &views[0].filter), (&name, &filter));
        }
    }
}
