//! The head of the chain, kept in a small file beside the journal: without it a journal whose end was cut off would
//! verify. It is written after each event, so that it may be behind the journal; ahead of it, by the one event that was
//! being written, it is only where the disk lost what it said it had.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension};

use super::{GENESIS, JournalError};
use crate::model::event::{Event, Lost, Record};

/// The newest event: its place and its hash. As text, `COUNT HASH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its place: how many events there are.
    pub count: u64,
    /// Its SHA-256, 64 hex digits.
    pub hash: String,
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a head is a number of events, a space and 64 hex digits")]
pub struct NoHead;

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, self.hash)
    }
}

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Head, NoHead> {
        let (count, hash) = text.trim().split_once(' ').ok_or(NoHead)?;
        // A sign is none of ours, though numbers may have one.
        let count = Some(count).filter(|count| count.bytes().all(|b| b.is_ascii_digit())).and_then(|count| count.parse().ok());
        // SQLite counts that far.
        let count: u64 = count.filter(|count| i64::try_from(*count).is_ok()).ok_or(NoHead)?;
        if !is_hash(hash) || (count == 0 && hash != GENESIS) {
            return Err(NoHead);
        }
        Ok(Head { count, hash: hash.to_owned() })
    }
}

/// The file beside the journal.
pub(super) fn path(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".head");
    PathBuf::from(name)
}

/// The head that is kept; `None` where there is none that can be read.
pub(super) fn kept(journal: &Path) -> Option<Head> {
    fs::read_to_string(path(journal)).ok()?.parse().ok()
}

/// True of what can be the hash of an event.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
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
        0 => {
            // Whoever may use the journal may use its head.
            let mode = fs::metadata(journal)?.permissions().mode() & 0o660;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(line.as_bytes())
        }
        _ => file.write_all_at(line.as_bytes(), 0).and_then(|()| shorten(&file, line.len())),
    }
}

fn shorten(file: &File, length: usize) -> io::Result<()> {
    file.set_len(length as u64)
}

/// Holds the journal against the head that was kept. Gives back the newest event where exactly that one is lost.
///
/// # Errors
/// Where more is lost, or another event stands in its place.
pub(super) fn behind(journal: &Path, database: &Connection, last: &Head) -> Result<Option<Lost>, JournalError> {
    let Some(kept) = kept(journal).filter(|kept| kept.count > 0) else { return Ok(None) };
    let there: Option<(String, Vec<u8>)> = database
        .query_row("SELECT hash, body FROM event WHERE seq = ?1", [kept.count.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(|error| JournalError::of(journal, error))?;
    match there {
        Some((hash, body)) if hash == kept.hash || lost(&body).is_some_and(|lost| is_of(&lost, &kept)) => Ok(None),
        Some(_) => Err(JournalError::Damaged {
            path: journal.to_owned(),
            what: format!("event {} is not the one that was written there", kept.count),
        }),
        None if kept.count == last.count + 1 => Ok(Some(Lost { seq: kept.count, hash: kept.hash })),
        None => Err(JournalError::Cut { path: journal.to_owned(), there: last.count, known: kept.count }),
    }
}

/// What an event tells of one that was lost, where it tells that.
pub(super) fn lost(body: &[u8]) -> Option<Lost> {
    match serde_json::from_slice(body) {
        Ok(Record { event: Event::Healed(lost), .. }) => Some(lost),
        _ => None,
    }
}

/// True where that head is of the event that was lost.
pub(super) fn is_of(lost: &Lost, head: &Head) -> bool {
    (lost.seq, &lost.hash) == (head.count, &head.hash)
}
