//! Reads keymap files: which keys run what, per layer. What an action is called is not known here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::lenient;
use super::raw::Key;
use super::report::{self, Report};
use crate::model::preferences::{Binding, KeymapChoice};
use crate::model::problem::{Place, Problem};
use crate::model::text::is_hostile;

/// The most bytes of a keymap file that are read.
const LARGEST: u64 = 1 << 20;

/// Layers of bindings: `[[global]]`, `[[alerts]]`...
type Raw = BTreeMap<Spanned<String>, Vec<Spanned<RawBinding>>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct RawBinding {
    on: Key<String>,
    run: Key<String>,
    desc: Key<String>,
}

/// The bindings that are built in, in the file's order.
///
/// # Errors
/// Never, as long as the tests pass: they read the same file.
pub fn default_bindings() -> Result<Vec<Binding>, Vec<Problem>> {
    bindings_from(Path::new("keymaps/default.toml"), include_str!("../../keymaps/default.toml"))
}

/// The bindings of the keymap of that name. The plain one lies over the default one, so that what is new there is here
/// too: its own keys come first, and where it says `none` the key does nothing.
///
/// # Errors
/// Never, as long as the tests pass: they read the same files.
pub fn base(choice: KeymapChoice) -> Result<Vec<Binding>, Vec<Problem>> {
    let default = default_bindings()?;
    match choice {
        KeymapChoice::Default => Ok(default),
        KeymapChoice::Plain => {
            let mut all = bindings_from(Path::new("keymaps/plain.toml"), include_str!("../../keymaps/plain.toml"))?;
            let kept: Vec<Binding> =
                default.into_iter().filter(|d| !all.iter().any(|own| own.layer == d.layer && own.on == d.on)).collect();
            all.retain(|binding| binding.run != "none");
            all.extend(kept);
            Ok(all)
        }
    }
}

/// The bindings of a file; a file that is not there has none.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn bindings(file: &Path) -> Result<Vec<Binding>, Vec<Problem>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = report::read(file, LARGEST).map_err(|problem| vec![problem])?;
    bindings_from(file, &text)
}

/// The bindings of a keymap's text, in its order; `file` names it. The place of each is where its key is written.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn bindings_from(file: &Path, text: &str) -> Result<Vec<Binding>, Vec<Problem>> {
    let mut report = Report::new(file, text);
    let Some(raw) = lenient::read::<Raw>(&mut report) else { return Err(report.finish()) };
    let mut found: Vec<(usize, Binding)> = Vec::new();
    for (layer, bindings) in &raw {
        for binding in bindings {
            let (table, b) = (binding.span().start, binding.get_ref());
            let on = word(&mut report, table, "on", &b.on);
            let run = word(&mut report, table, "run", &b.run);
            let desc = b.desc.as_ref().and_then(|_| word(&mut report, table, "desc", &b.desc)).map(|(_, text)| text.to_owned());
            if let (Some((at, on)), Some((_, run))) = (on, run) {
                let place = Place::of(file, text, at);
                found.push((at, Binding { layer: layer.get_ref().clone(), on: on.to_owned(), run: run.to_owned(), desc, place }));
            }
        }
    }
    if !report.is_empty() {
        return Err(report.finish());
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, binding)| binding).collect())
}

fn word<'r>(report: &mut Report<'_>, table: usize, key: &str, value: &'r Key<String>) -> Option<(usize, &'r str)> {
    let Some(value) = value else {
        if !report.lost(table, key) {
            report.hint(table, format!("`{key}` is missing in this binding"), "such as `on = \"j\"` and `run = \"down\"`");
        }
        return None;
    };
    let (at, text) = (value.span().start, value.get_ref().as_str());
    if text.is_empty() || text.chars().any(is_hostile) {
        report.hint(at, format!("`{key}` is empty or holds a control character"), "keys are written in words, such as `ctrl-r` or `esc`");
        return None;
    }
    Some((at, text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(bindings in proptest::collection::vec(("[a-z]{1,8}", "[!-&(-~]{1,4}", "[a-z.]{1,9}"), 0..20)) {
            let text: String = bindings.iter().map(|(layer, on, run)| format!("[[{layer}]]\non = '{on}'\nrun = '{run}'\n")).collect();
            let read: Vec<_> = bindings_from(Path::new("k"), &text).unwrap().into_iter().map(|b| (b.layer, b.on, b.run)).collect();
            prop_assert_eq!(read, bindings);
        }

        #[test]
        fn any_text_is_read_or_refused(
            text in any::<String>(),
            words in proptest::collection::vec(
                proptest::sample::select(vec!["[[a]]\n", "[b]\n", "on = 'x'\n", "run = 'y'\n", "desc = 1\n", "on", "=", "[", "}", "''", "é", "\n"]),
                0..30,
            ),
        ) {
            for text in [text, words.concat()] {
                match bindings_from(Path::new("k"), &text) {
                    Ok(bindings) => prop_assert!(bindings.iter().all(|b| !b.on.is_empty() && !b.run.is_empty())),
                    Err(problems) => prop_assert!(!problems.is_empty()),
                }
            }
        }
    }

    #[test]
    fn the_default_keymap_is_read() {
        assert!(!default_bindings().unwrap().is_empty());
    }

    #[test]
    fn the_plain_keymap_lies_over_the_default_one() {
        let (default, plain) = (default_bindings().unwrap(), base(KeymapChoice::Plain).unwrap());
        let runs = |all: &[Binding], layer: &str, on: &str| -> Vec<String> {
            all.iter().filter(|b| b.layer == layer && b.on == on).map(|b| b.run.clone()).collect()
        };
        assert_eq!((runs(&default, "list", "j"), runs(&plain, "list", "j")), (vec!["down".to_owned()], vec![]));
        assert_eq!((runs(&default, "alerts", "g"), runs(&plain, "alerts", "g")), (vec![], vec!["group".to_owned()]));
        assert_eq!(runs(&plain, "alerts", "R"), ["rollback"], "what it does not name stays");
        assert!(plain.iter().all(|binding| binding.run != "none"));
        // Whatever it takes away is there to be taken: a key that the default one has no more is not dragged along.
        let own = bindings_from(Path::new("plain.toml"), include_str!("../../keymaps/plain.toml")).unwrap();
        for taken in own.iter().filter(|b| b.run == "none") {
            assert!(!runs(&default, &taken.layer, &taken.on).is_empty(), "[{}] {}", taken.layer, taken.on);
        }
    }

    #[test]
    fn bindings_keep_their_order_their_layer_and_their_place() {
        let text = "[[global]]\non = \"j\"\nrun = \"down\"\n\n[[alerts]]\non = \"s\"\nrun = \"sort\"\ndesc = \"by age\"\n[[global]]\non='q'\nrun='quit'\n";
        let found = bindings_from(Path::new("k.toml"), text).unwrap();
        let short: Vec<String> =
            found.iter().map(|b| format!("{}:{}:{} {} {} {:?}", b.place.line, b.place.column, b.layer, b.on, b.run, b.desc)).collect();
        assert_eq!(short, ["2:6:global j down None", "6:6:alerts s sort Some(\"by age\")", "10:4:global q quit None"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let text =
            "[[global]]\nkey = \"j\"\nrun = \"down\"\n[[global]]\non = \"\\u001b\"\nrun = 1\n[[alerts]]\nno = 'x'\ndesc = ''\n[one]\n";
        let told: Vec<String> = bindings_from(Path::new("k.toml"), text)
            .unwrap_err()
            .into_iter()
            .map(|p| format!("{}:{} {}", p.place.line, p.place.column, p.what))
            .collect();
        assert_eq!(
            told,
            [
                "1:1 `on` is missing in this binding",
                "2:1 unknown key `key`",
                "5:6 `on` is empty or holds a control character",
                "6:7 `run`: a string is needed, this is integer `1`",
                "7:1 `run` is missing in this binding",
                "8:1 unknown key `no`",
                "9:8 `desc` is empty or holds a control character",
                "10:1 `one`: a list is needed, this is a table",
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_there_overrides_nothing() {
        assert_eq!(bindings(Path::new("/nonexistent/keymap.toml")), Ok(Vec::new()));
    }
}
