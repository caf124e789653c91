//! What services print: where it lies, one line of it, and how lines of several places come together by time.

pub mod lines;
pub mod place;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::severity::Severity;

pub use lines::Lines;
pub use place::{Logs, Of, Place, Where, places};

/// Bytes of a line's text that are kept; a longer one ends with `...`.
pub const LINE_CAP: usize = 4 << 10;

/// How urgent a line is: the priorities of syslog (RFC 5424, 6.2.1), the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is syslog's own of that name")]
pub enum Level {
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug,
}

impl Level {
    /// All of them, each at the place of its number.
    pub const ALL: [Level; 8] =
        [Level::Emergency, Level::Alert, Level::Critical, Level::Error, Level::Warning, Level::Notice, Level::Info, Level::Debug];

    /// The level of syslog's number.
    pub fn numbered(number: usize) -> Option<Level> {
        Level::ALL.get(number).copied()
    }

    /// Its word on screens and in output.
    pub fn word(self) -> &'static str {
        match self {
            Level::Emergency => "emerg",
            Level::Alert => "alert",
            Level::Critical => "crit",
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }

    /// How bad it is, in the order that all of this console has.
    pub fn severity(self) -> Severity {
        match self {
            Level::Emergency | Level::Alert | Level::Critical | Level::Error => Severity::Critical,
            Level::Warning => Severity::Warning,
            Level::Notice | Level::Info | Level::Debug => Severity::Info,
        }
    }

    /// The level that a program writes in words, such as `ERROR`, `warn` or `fatal`.
    pub fn named(word: &str) -> Option<Level> {
        Some(match word.to_ascii_lowercase().as_str() {
            "emerg" | "emergency" | "panic" => Level::Emergency,
            "alert" => Level::Alert,
            "crit" | "critical" | "fatal" => Level::Critical,
            "err" | "error" | "severe" => Level::Error,
            "warn" | "warning" => Level::Warning,
            "notice" => Level::Notice,
            "info" | "information" => Level::Info,
            "debug" | "trace" => Level::Debug,
            _ => return None,
        })
    }

    /// The level that stands as a word of its own, all capitals or after `level=`, at the begin of a line. A word in the
    /// middle of a sentence says nothing.
    pub fn told(text: &str) -> Option<Level> {
        let head = text.get(..text.len().min(120)).or_else(|| (0..4).find_map(|less| text.get(..text.len().min(120) - less)))?;
        let words = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '=').filter(|word| word.len() > 2).take(14);
        words.filter(|word| !word.contains('=') || word.starts_with("level=") || word.starts_with("lvl=")).find_map(|word| {
            match word.split_once('=') {
                Some((_, word)) => Level::named(word),
                None if word.chars().all(|c| c.is_ascii_uppercase()) => Level::named(word),
                None => None,
            }
        })
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When (UTC), by the clock of where it was written.
    pub at: Timestamp,
    /// False where the line says no time of its own: then `at` is that of the line before it, or of the file.
    pub dated: bool,
    /// The host or place that it is of.
    pub place: Arc<str>,
    /// How urgent, where that is known.
    pub level: Option<Level>,
    /// The program that wrote it, and its process' number. Cleaned.
    pub by: Option<String>,
    /// What it says: one cleaned line, [`LINE_CAP`] bytes and `...` at most.
    pub text: String,
    /// True for a last line whose end was not written yet: the next answer tells it anew.
    pub open: bool,
}

/// How far a place was read: what comes next is asked for from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// After the journal's entry of that cursor.
    Cursor(String),
    /// Nothing was there: from that moment on, in seconds by the clock of the host.
    Since(i64),
    /// From that second on by the clock of the host, what is later than the moment (UTC).
    Later {
        /// The second.
        second: i64,
        /// The newest line that was told.
        than: Option<Timestamp>,
    },
    /// From that byte on of the file of that number.
    Byte {
        /// The inode.
        inode: String,
        /// The byte.
        offset: u64,
    },
}

/// What one place said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Heard {
    /// Its lines, the oldest first.
    pub lines: Vec<Line>,
    /// Ask from here next.
    pub mark: Option<Mark>,
    /// True where older lines of what was asked for were passed over because they were too many.
    pub passed: bool,
    /// What must be known of it: that only a part may be read, that a file was rotated. Cleaned sentences.
    pub notes: Vec<String>,
    /// How far its clock is ahead of ours, in milliseconds, as far as the way there lets it be known.
    pub ahead: Option<i64>,
}

/// What is asked of a place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wanted {
    /// After this; the newest where `None`.
    pub after: Option<Mark>,
    /// From this moment (UTC) on.
    pub since: Option<Timestamp>,
    /// Up to this moment (UTC).
    pub until: Option<Timestamp>,
    /// Only lines of this level and worse: a journal is asked for them, however many others there are.
    pub worst: Option<Level>,
    /// At most so many, the newest.
    pub lines: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_syslog_and_are_read_from_the_begin_of_a_line() {
        for (number, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(Level::numbered(number), Some(level));
            assert_eq!(Level::named(level.word()), Some(level), "{level:?}");
        }
        assert_eq!(Level::numbered(8), None);
        for (text, level) in [
            ("2026-11-21T06:00:00Z ERROR cannot connect", Some(Level::Error)),
            ("[WARN] slow", Some(Level::Warning)),
            ("time=1 level=fatal msg=x", Some(Level::Critical)),
            ("an error in a sentence says nothing", None),
            ("see https://x/?a=error", None),
            ("", None),
            ("żółć ERROR", Some(Level::Error)),
        ] {
            assert_eq!(Level::told(text), level, "{text}");
        }
        assert_eq!(Level::told(&"é".repeat(100)), None);
    }
}
