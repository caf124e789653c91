//! The record of what was done and seen: one SQLite file for each person, to which events are only ever added, each
//! chained to the one before it by its hash. Nothing here is rebuilt or thrown away: what is odd is refused and told.

mod actor;
mod chain;
mod error;
mod export;
mod file;
mod head;
mod held;
mod rights;
mod tail;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::model::event::{Actor, Event, Record};

pub use actor::{actor, is_alive};
pub use chain::{Broken, CLOCK_SLACK, ClockStep, Verdict};
pub use error::JournalError;
pub use export::{verify_export, verify_export_against};
pub use head::{Head, NoHead};
pub use held::Held;
pub use tail::Stretch;

/// What stands where the first event's predecessor would: 64 zeros.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Bytes of one event: a hundred lines of evidence and ten thousand points fit.
const EVENT_CAP: usize = 8 << 20;

/// Who writes, and with what: the same for all events of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// Who.
    pub actor: Actor,
    /// The version of this program.
    pub version: String,
    /// The SHA-256 of the estate file, 64 hex digits.
    pub estate: Option<String>,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    database: Connection,
}

impl Journal {
    /// Opens the journal to write to it, and makes it and its folder where there is none, for this person only.
    ///
    /// # Errors
    /// Where it is not this person's own, not a journal, of another version, locked, read-only, on a full disk, or where
    /// its end is gone.
    pub fn open(path: &Path) -> Result<Journal, JournalError> {
        let path = rights::place(path)?;
        let database = file::open(&path)?;
        Ok(Journal { path, database })
    }

    /// Opens the journal to read it; `None` where there is none yet.
    ///
    /// # Errors
    /// As [`Journal::open`], but for what only writing needs.
    pub fn read(path: &Path) -> Result<Option<Journal>, JournalError> {
        let path = rights::place(path)?;
        let database = file::read(&path)?;
        Ok(database.map(|database| Journal { path, database }))
    }

    /// Adds one event and gives back the new head, once it is on the disk. Two that add at once add one after the other.
    /// Where the newest event was lost while it was written, one that says so comes before it.
    ///
    /// # Errors
    /// Where nothing was added.
    pub fn append(&mut self, hand: &Hand, said_at: Timestamp, event: Event, written_at: Timestamp) -> Result<Head, JournalError> {
        let refused = |error| JournalError::of(&self.path, error);
        // The lock is taken before the head is read: nobody comes between the two.
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
        let mut before = last(&transaction).map_err(refused)?;
        let lost = head::behind(&self.path, &transaction, &before)?;
        let mut add = |said_at, event| {
            let record = Record {
                seq: before.count + 1,
                prev: before.hash.clone(),
                said_at,
                written_at,
                actor: hand.actor.clone(),
                version: hand.version.clone(),
                estate: hand.estate.clone(),
                event,
            };
            before = insert(&self.path, &transaction, &record)?;
            Ok::<Head, JournalError>(before.clone())
        };
        if let Some(lost) = lost {
            add(written_at, Event::Healed(lost))?;
        }
        let head = add(said_at, event)?;
        transaction.commit().map_err(refused)?;
        head::keep(&self.path, &head);
        Ok(head)
    }

    /// The newest event's place and hash.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn head(&self) -> Result<Head, JournalError> {
        last(&self.database).map_err(|error| JournalError::of(&self.path, error))
    }

    /// All events that were written at `since` or later, the oldest first. They are not verified.
    ///
    /// # Errors
    /// Where the file cannot be read, or an event is none.
    pub fn records(&self, since: Option<Timestamp>) -> Result<Vec<Record>, JournalError> {
        let mut all = Vec::new();
        self.bodies(1, |seq, _, body| {
            let record: Record = serde_json::from_slice(body).map_err(|error| JournalError::NoEvent { seq, error })?;
            if since.is_none_or(|since| record.written_at >= since) {
                all.push(record);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Tells of each row from that place on: its place, its hash and its bytes.
    fn bodies(&self, from: u64, mut each: impl FnMut(u64, &str, &[u8]) -> Result<(), JournalError>) -> Result<(), JournalError> {
        let refused = |error| JournalError::of(&self.path, error);
        let mut select = self.database.prepare_cached("SELECT seq, hash, body FROM event WHERE seq >= ?1 ORDER BY seq").map_err(refused)?;
        let mut rows = select.query([from.cast_signed()]).map_err(refused)?;
        while let Some(row) = rows.next().map_err(refused)? {
            let seq: i64 = row.get(0).map_err(refused)?;
            let (hash, body) = (row.get_ref(1).map_err(refused)?, row.get_ref(2).map_err(refused)?);
            // Whatever type a changed row has: it is bytes, and they are judged.
            let bytes = |value: rusqlite::types::ValueRef<'_>| value.as_bytes().unwrap_or_default().to_vec();
            match (hash.as_str(), body.as_blob()) {
                (Ok(hash), Ok(body)) => each(seq.cast_unsigned(), hash, body)?,
                _ => each(seq.cast_unsigned(), &String::from_utf8_lossy(&bytes(hash)), &bytes(body))?,
            }
        }
        Ok(())
    }
}

/// Adds the row of this event.
fn insert(path: &Path, database: &Connection, record: &Record) -> Result<Head, JournalError> {
    let body = serde_json::to_vec(record)?;
    if body.len() > EVENT_CAP {
        return Err(JournalError::Large { bytes: body.len() });
    }
    let head = Head { count: record.seq, hash: digest(&body) };
    database
        .prepare_cached("INSERT INTO event (seq, hash, body) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![head.count.cast_signed(), head.hash, body]))
        .map_err(|error| JournalError::of(path, error))?;
    Ok(head)
}

/// The newest row: an empty journal has the head 0 with zeros.
fn last(database: &Connection) -> rusqlite::Result<Head> {
    let mut select = database.prepare_cached("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")?;
    let mut rows = select.query([])?;
    match rows.next()? {
        Some(row) => Ok(Head { count: row.get::<_, i64>(0)?.cast_unsigned(), hash: row.get(1)? }),
        None => Ok(Head { count: 0, hash: GENESIS.to_owned() }),
    }
}

/// The SHA-256 of these bytes, 64 hex digits.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// True where these bytes have that hash, 64 hex digits: what is asked of each event of a long chain.
fn is_digest(hash: &str, bytes: &[u8]) -> bool {
    let sum = Sha256::digest(bytes);
    hash.len() == 2 * sum.len() && sum.iter().zip(hash.as_bytes().chunks_exact(2)).all(|(byte, pair)| pair == digits(*byte))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().flat_map(|byte| digits(*byte)).for_each(|digit| text.push(char::from(digit)));
    text
}

/// A byte's two hex digits.
fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}
