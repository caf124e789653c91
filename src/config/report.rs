//! Collects what is wrong in one file, so that all of it can be told at once, and keeps secrets out of what is told.

use std::collections::HashSet;
use std::path::Path;

use crate::model::problem::{Place, Problem};
use crate::model::text::{NOTE_CAP, clean};

/// More than anyone reads; past it the file is wrong as a whole, and finding places would take long.
pub(super) const LIMIT: usize = 200;

/// The problems of one file, found in any order.
pub(super) struct Report<'a> {
    /// The file as it was named.
    pub file: &'a Path,
    /// All of its text.
    pub text: &'a str,
    found: Vec<(usize, Problem)>,
    lost: HashSet<(usize, String)>,
}

impl<'a> Report<'a> {
    pub fn new(file: &'a Path, text: &'a str) -> Report<'a> {
        Report { file, text, found: Vec::new(), lost: HashSet::new() }
    }

    /// Something is wrong at this byte.
    pub fn at(&mut self, offset: usize, what: impl AsRef<str>) {
        self.put(offset, what.as_ref(), None);
    }

    /// Something is wrong at this byte, and this may help.
    pub fn hint(&mut self, offset: usize, what: impl AsRef<str>, hint: impl AsRef<str>) {
        self.put(offset, what.as_ref(), Some(hint.as_ref()));
    }

    /// The same with `did you mean` for the word nearest to `word`, else with the words there are.
    pub fn choice(&mut self, offset: usize, what: impl AsRef<str>, word: &str, words: &[&str]) {
        let hint = match nearest(word, words.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if words.is_empty() || words.len() > 40 => None,
            None if words.len() == 1 => Some(format!("there is only {}", listed(words))),
            None => Some(format!("one of {}", listed(words))),
        };
        self.put(offset, what.as_ref(), hint.as_deref());
    }

    /// Problems of another file that this byte refers to; they keep their own places.
    pub fn foreign(&mut self, offset: usize, problems: Vec<Problem>) {
        self.found.extend(problems.into_iter().map(|problem| (offset, problem)));
    }

    fn put(&mut self, offset: usize, what: &str, hint: Option<&str>) {
        if self.found.len() > LIMIT || self.found.iter().any(|(at, p)| *at == offset && p.what == what) {
            return;
        }
        if self.found.len() == LIMIT {
            let end = self.text.len();
            let problem = Problem::new(Place::of(self.file, self.text, end), "there are more problems than these");
            self.found.push((end, problem.hint("mend these first, then check again")));
            return;
        }
        let mut place = Place::of(self.file, self.text, offset);
        place.text = without_secrets(&place.text);
        let problem = Problem::new(place, clean(&without_secrets(what), NOTE_CAP));
        self.found.push((
            offset,
            match hint {
                Some(hint) => problem.hint(clean(&without_secrets(hint), NOTE_CAP)),
                None => problem,
            },
        ));
    }

    /// Remembers that the table that starts at this byte had this key, in a form that was refused and told.
    pub fn lose(&mut self, table: usize, key: impl Into<String>) {
        self.lost.insert((table, key.into()));
    }

    /// True where the key was there but refused: that it is missing is then no news.
    pub fn lost(&self, table: usize, key: &str) -> bool {
        self.lost.contains(&(table, key.to_owned()))
    }

    /// True where anything was refused within the table that starts at this byte: that it is empty is then no news.
    pub fn lost_within(&self, table: usize) -> bool {
        self.lost.iter().any(|(at, _)| *at == table)
    }

    /// True while nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All that was found, in the file's order.
    pub fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(offset, _)| *offset);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// A problem of a file that could not even be read.
pub(super) fn unreadable(file: &Path, what: impl Into<String>) -> Problem {
    Problem::new(Place { file: file.to_owned(), line: 1, column: 1, text: String::new() }, what)
}

/// Reads a file that a person wrote, never more than `cap` bytes of it; `Err` says why not.
pub(super) fn read(file: &Path, cap: u64) -> Result<String, Problem> {
    use std::io::Read;
    let cannot = |e: std::io::Error| unreadable(file, format!("cannot be read: {e}"));
    let about = std::fs::metadata(file).map_err(cannot)?;
    if about.is_dir() {
        return Err(unreadable(file, "is a folder, not a file"));
    }
    // A pipe or a socket could keep us waiting for ever.
    if !about.is_file() {
        return Err(unreadable(file, "is not a plain file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file).and_then(|f| f.take(cap + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > cap {
        return Err(unreadable(file, format!("is larger than {} KiB: this cannot be meant", cap / 1024)));
    }
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
        Problem::new(Place::of(file, &text, valid), "is not UTF-8 text from here on")
    })
}

/// The word that was probably meant: at most every third character differs, or one begins with the other.
pub(super) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // The comparison is quadratic; what is longer was never a name.
    if word.is_empty() || word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    words
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let begins = other.len().min(word.len()) >= 3 && (other.starts_with(&word) || word.starts_with(&other));
            let distance = strsim::osa_distance(&word, &other);
            (if begins { distance.min(allowed) } else { distance }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` or `c` ``.
pub(super) fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{}`", w.as_ref())).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// The line without user and password of an address, and without what is assigned to a key that names a secret.
/// A report goes to screens and CI logs, so it must not repeat the secret that it complains about.
fn without_secrets(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(slashes) = rest.find("//") {
        let (before, after) = rest.split_at(slashes + 2);
        let end = after.find(['"', '\'', '`', '\n']).unwrap_or(after.len());
        out.push_str(before);
        rest = match after[..end].rfind('@') {
            Some(at) => {
                out.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    out.push_str(rest);
    match secret_value(&out) {
        Some(value) => {
            out.truncate(value);
            out.push_str(" ***");
            out
        }
        None => out,
    }
}

/// Where the value of a key such as `password` begins.
fn secret_value(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | ' ' | '\t');
    ["password", "passwd", "secret", "token", "credential", "auth", "api_key", "apikey"]
        .iter()
        .flat_map(|word| lower.match_indices(word))
        .filter_map(|(start, _)| {
            let equals = start + lower[start..].find('=')?;
            lower[start..equals].chars().all(in_key).then_some(equals + 1)
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        let words = ["name", "environment", "zone", "depends_on"];
        let near = |w| nearest(w, words.into_iter());
        assert_eq!(near("nmae"), Some("name"));
        assert_eq!(near("env"), Some("environment"));
        assert_eq!(near("Zone"), Some("zone"));
        assert_eq!(near("depends-on"), Some("depends_on"));
        assert_eq!(near("colour"), None);
        assert_eq!(near(&"x".repeat(1 << 20)), None);
    }

    #[test]
    fn secrets_are_not_repeated() {
        assert_eq!(without_secrets(r#"url = "http://u:p/w@h/x""#), r#"url = "http://***@h/x""#);
        assert_eq!(without_secrets(r#"urls = ["http://a", "http://u:p@b"]"#), r#"urls = ["http://a", "http://***@b"]"#);
        assert_eq!(without_secrets(r#"Password = "hunter2""#), "Password = ***");
        assert_eq!(without_secrets(r#"basic_auth = { password = "x" }"#), "basic_auth = ***");
        assert_eq!(without_secrets(r#"name = "auth""#), r#"name = "auth""#);
        assert_eq!(without_secrets(r#"query = 'auth_total{a="b"}'"#), r#"query = 'auth_total{a="b"}'"#);
    }

    #[test]
    fn a_file_too_large_a_folder_and_bytes_that_are_no_text_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("e.toml");
        std::fs::write(&file, "a".repeat(2049)).unwrap();
        assert!(read(&file, 2048).unwrap_err().what.contains("larger than 2 KiB"));
        std::fs::write(&file, "a = 1\nb = \"\u{ff}").unwrap();
        assert!(read(&file, 2048).is_ok());
        std::fs::write(&file, b"a = 1\nb = \"\xff\"").unwrap();
        let problem = read(&file, 2048).unwrap_err();
        assert_eq!((problem.place.line, problem.place.column), (2, 6));
        assert!(read(folder.path(), 2048).unwrap_err().what.contains("is a folder"));
        assert!(read(&folder.path().join("none"), 2048).unwrap_err().what.contains("cannot be read"));
    }
}
