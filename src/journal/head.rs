//! The head of the chain, kept in a small file beside the journal: without it a journal whose end was cut off would
//! verify. It is written after each event, so that it may be behind the journal and is never ahead of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::JournalError;

/// The newest event: its place and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its place: how many events there are.
    pub count: u64,
    /// Its SHA-256, 64 hex digits.
    pub hash: String,
}

/// The file beside the journal.
pub(super) fn path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".head");
    PathBuf::from(name)
}

/// The head that is kept; `None` where there is none that can be read.
pub(super) fn kept(journal: &Path) -> Option<Head> {
    parse(&fs::read_to_string(path(journal)).ok()?)
}

fn parse(text: &str) -> Option<Head> {
    let (count, hash) = text.trim_end().split_once(' ')?;
    Some(Head { count: count.trim_start_matches('0').parse().ok()?, hash: hash.to_owned() }).filter(|_| is_hash(hash))
}

/// True of what can be the hash of an event.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Keeps this head, unless another process kept a later one meanwhile. It is no part of the record: where it cannot be
/// kept the journal goes on, and only a cut tail is not seen.
pub(super) fn keep(journal: &Path, head: &Head) {
    let _ = write(journal, head);
}

fn write(journal: &Path, head: &Head) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path(journal))?;
    file.lock()?;
    if kept(journal).is_some_and(|kept| kept.count >= head.count) {
        return Ok(());
    }
    // Always as long: one write in place.
    let line = format!("{:020} {}\n", head.count, head.hash);
    match file.metadata()?.len() {
        0 => file.write_all(line.as_bytes()),
        _ => file.write_all_at(line.as_bytes(), 0).and_then(|()| shorten(&file, line.len())),
    }
}

fn shorten(file: &File, length: usize) -> io::Result<()> {
    file.set_len(length as u64)
}

/// Refuses a journal that is behind the head that was kept, or that has another event in its place.
pub(super) fn behind(journal: &Path, database: &Connection, last: &Head) -> Result<(), JournalError> {
    let Some(kept) = kept(journal).filter(|kept| kept.count > 0) else { return Ok(()) };
    let there: Option<String> = database
        .query_row("SELECT hash FROM event WHERE seq = ?1", [kept.count.cast_signed()], |row| row.get(0))
        .optional()
        .map_err(|error| JournalError::of(journal, error))?;
    match there {
        Some(hash) if hash == kept.hash => Ok(()),
        Some(_) => Err(JournalError::Damaged {
            path: journal.to_owned(),
            what: format!("event {} is not the one that was written there", kept.count),
        }),
        None => Err(JournalError::Cut { path: journal.to_owned(), there: last.count, known: kept.count }),
    }
}
