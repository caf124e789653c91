//! What is different between two releases of a service: commits, files and lines of configuration. What is not known says
//! why.

use jiff::Timestamp;
use similar::{ChangeTag, TextDiff};

use crate::model::text::{LABEL_CAP, clean};

use super::redact::redacted;

/// Commits told of one direction; that there are more is said.
pub const COMMITS: usize = 200;
/// Files told; the rest is counted.
pub const FILES: usize = 200;
/// Configuration files that are compared; the rest is counted.
pub const CONFIGS: usize = 50;
/// Bytes of a configuration file that is compared.
pub const BYTES: u64 = 256 << 10;
/// Lines of a configuration file that is compared: the work grows with their square.
pub const LINES: usize = 5_000;
/// Lines told of one file; the rest is counted.
pub const TOLD: usize = 200;
/// Lines around a change.
const AROUND: usize = 2;

/// A part of the answer, or why there is none.
pub type Part<T> = Result<T, String>;

/// What is different.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Commits, of a clone.
    pub commits: Part<Commits>,
    /// Files, of a clone.
    pub files: Part<Files>,
    /// Configuration, of the folders of the releases.
    pub configs: Part<Configs>,
}

/// One commit. All text is cleaned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its short hash.
    pub hash: String,
    /// When it was committed.
    pub at: Option<Timestamp>,
    /// By whom.
    pub who: String,
    /// Its first line.
    pub what: String,
}

/// The commits between two releases, each the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commits {
    /// In the second and not in the first, at most [`COMMITS`].
    pub added: Vec<Commit>,
    /// True where there are more of them.
    pub more_added: bool,
    /// In the first and not in the second: a step back removed them again.
    pub removed: Vec<Commit>,
    /// True where there are more of them.
    pub more_removed: bool,
    /// The commits that were compared, as they are called and with their short hashes.
    pub of: [String; 2],
    /// The source that has the clone.
    pub told_by: String,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path, cleaned.
    pub path: String,
    /// Lines added and removed; `None` of a binary file.
    pub lines: Option<(u64, u64)>,
}

/// The files that differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// At most [`FILES`].
    pub some: Vec<FileChange>,
    /// How many there are.
    pub all: usize,
    /// Lines added in all of them.
    pub added: u64,
    /// Lines removed.
    pub removed: u64,
}

/// How configuration differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configs {
    /// The files that differ, or could not be compared.
    pub differ: Vec<Config>,
    /// Files that are the same.
    pub same: usize,
    /// Files that were not looked at, beyond [`CONFIGS`].
    pub left: usize,
    /// True where there may be even more of them: not all names were looked at.
    pub more: bool,
    /// The source that has the folders.
    pub told_by: String,
}

/// One configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Its path in the release, cleaned.
    pub path: String,
    /// How it differs.
    pub how: How,
}

/// How a configuration file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Only in the second release.
    Added,
    /// Only in the first.
    Removed,
    /// It is no text.
    Binary,
    /// It is not compared: why.
    Not(String),
    /// These lines, and so many more.
    Lines(Vec<Line>, usize),
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// In both.
    Both,
    /// In the second only.
    Added,
    /// In the first only.
    Removed,
    /// Lines between are left out.
    Gap,
}

/// One line of a difference, cleaned, with secrets taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub sign: Sign,
    /// Its text.
    pub text: String,
}

/// How the texts of a file differ; `None` where they are the same. Secrets differ as lines do, and are not shown.
pub fn compare(before: &[u8], after: &[u8]) -> Option<How> {
    if before == after {
        return None;
    }
    let (Some(before), Some(after)) = (text(before), text(after)) else { return Some(How::Binary) };
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old.len().max(new.len()) > LINES {
        return Some(How::Not(format!("it has more than {LINES} lines")));
    }
    // In its context: a line alone does not say that it stands below a secret's key.
    let (shown_old, shown_new) = (redacted(&old), redacted(&new));
    let diff = TextDiff::from_slices(&old, &new);
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            lines.push(Line { sign: Sign::Gap, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, text) = match change.tag() {
                ChangeTag::Equal => (Sign::Both, change.new_index().and_then(|at| shown_new.get(at))),
                ChangeTag::Insert => (Sign::Added, change.new_index().and_then(|at| shown_new.get(at))),
                ChangeTag::Delete => (Sign::Removed, change.old_index().and_then(|at| shown_old.get(at))),
            };
            let text = text.map(String::as_str).unwrap_or_default().replace('\t', "    ");
            lines.push(Line { sign, text: clean(&text, LABEL_CAP).into_owned() });
        }
    }
    if lines.is_empty() {
        return Some(How::Not("only its line ends differ".to_owned()));
    }
    let left = lines.len().saturating_sub(TOLD);
    lines.truncate(TOLD);
    Some(How::Lines(lines, left))
}

/// A text holds no NUL and is UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let Some(How::Lines(lines, 0)) = compare(before.as_bytes(), after.as_bytes()) else { panic!() };
        let sign = |sign| match sign {
            Sign::Both => ' ',
            Sign::Added => '+',
            Sign::Removed => '-',
            Sign::Gap => '~',
        };
        lines.iter().map(|line| format!("{}{}", sign(line.sign), line.text)).collect()
    }

    #[test]
    fn changed_lines_are_told_with_two_around_them() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let after = before.replace("c\n", "C\n").replace("i\n", "");
        assert_eq!(shown(before, &after), [" a", " b", "-c", "+C", " d", " e", "~", " g", " h", "-i", " j"]);
        assert_eq!(compare(b"a\n", b"a\n"), None);
        assert_eq!(compare(b"a\r\n", b"a\n"), Some(How::Not("only its line ends differ".into())));
    }

    #[test]
    fn a_secret_that_changed_is_told_as_changed_and_not_shown() {
        let shown = shown("port = 1\npassword = \"hunter2\"\n", "port = 2\npassword = \"hunter3\"\n");
        assert_eq!(shown, ["-port = 1", "-password = (taken out)", "+port = 2", "+password = (taken out)"]);
        // The key stands in a line that did not change.
        let text = |value: &str| format!("tokens:\n  a: 1\n  b: 2\n  c: 3\n  d: {value}\n");
        let Some(How::Lines(lines, _)) = compare(text("hunter2").as_bytes(), text("hunter3").as_bytes()) else { panic!() };
        assert!(lines.iter().all(|line| !line.text.contains("hunter")), "{lines:?}");
    }

    #[test]
    fn outside_text_is_clean_and_has_an_end() {
        assert_eq!(shown("a\n", "\u{1b}[31mred\u{202e}\n"), ["-a", "+[31mred"]);
        let many = "x\n".repeat(400);
        let Some(How::Lines(lines, left)) = compare(b"", many.as_bytes()) else { panic!() };
        assert_eq!((lines.len(), left), (TOLD, 400 - TOLD));
        assert_eq!(compare(b"a\0", b"b"), Some(How::Binary));
        assert_eq!(compare(b"a", &[0xff]), Some(How::Binary));
        let Some(How::Not(_)) = compare(b"", "x\n".repeat(LINES + 1).as_bytes()) else { panic!() };
    }
}
