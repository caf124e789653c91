//! The journal's file: made for one person, opened only where it is theirs and what it should be, with its rules.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{JournalError, head, last, rights};

/// `qdjl`: tells a journal from any other SQLite file.
const APPLICATION: i32 = 0x7164_6a6c;
/// Grows with every change of the table or of what is in it. Older versions are carried on by an added step here, never
/// begun anew.
const VERSION: i32 = 2;
/// Bytes that must fit before anything is done, a run's first events and their evidence: 256 KiB on the disk, and what
/// stays in SQLite's cache.
const ROOM: i64 = 320 << 10;
/// Pages of SQLite's cache while that is tried: what does not fit goes to the disk.
const FEW_PAGES: i32 = 8;
/// How long one process waits for another that writes: an event takes milliseconds.
const BUSY: Duration = Duration::from_secs(5);
/// How long until it is tried again where SQLite does not wait itself.
const AGAIN: Duration = Duration::from_millis(10);

/// Rows are added at the end and never touched again: `INSERT OR REPLACE` and a row in between are refused too.
const TABLES: &str = "\
CREATE TABLE event (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_is_added_last BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;";

/// Version 2: the events of one run are found without reading all others. Computed from the bytes that are hashed, so
/// that it cannot tell anything else than they do.
const RUNS: &str = "\
ALTER TABLE event ADD COLUMN run TEXT GENERATED ALWAYS AS
(CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(json_extract(CAST(body AS TEXT), '$.event.run') AS TEXT) END) VIRTUAL;
CREATE INDEX event_of_run ON event (run, seq) WHERE run IS NOT NULL;";

/// To write.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    patiently(|| try_open(path))
}

/// To read; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Connection>, JournalError> {
    patiently(|| try_read(path))
}

/// SQLite waits for most locks as long as it is told, but not for all: while a file is first made to have a log, or is
/// closed by the last who had it open, another one is refused at once.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, JournalError>) -> Result<T, JournalError> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(JournalError::Locked { .. }) if begun.elapsed() < BUSY => thread::sleep(AGAIN),
            done => return done,
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, JournalError> {
    let refused = |error| JournalError::of(path, error);
    if !rights::check(path)? {
        make(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(path, flags).map_err(refused)?;
    database.busy_timeout(BUSY).map_err(refused)?;
    if database.is_readonly("main").map_err(refused)? {
        return Err(JournalError::ReadOnly { path: path.to_owned() });
    }
    let found = known(path, &mut database)?;
    let mode: String = database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(refused)?;
    if mode != "wal" {
        return Err(JournalError::NoLog { path: path.to_owned(), mode });
    }
    // An event is on the disk before its `append` comes back.
    database.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
    if found < VERSION {
        carry_on(path, &mut database)?;
    }
    // What would be refused at the first event is told now, before anything is done.
    let trial = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    head::behind(path, &trial, &last(&trial).map_err(refused)?)?;
    trial.rollback().map_err(refused)?;
    room(&mut database).map_err(refused)?;
    Ok(database)
}

/// Brings an older file, or an empty one, to this version, a step for each.
fn carry_on(path: &Path, database: &mut Connection) -> Result<(), JournalError> {
    let refused = |error| JournalError::of(path, error);
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    // Another process may have done it while this one waited.
    let found = number(&transaction, "user_version").map_err(refused)?;
    if found < 1 {
        nothing_was_here(path)?;
        transaction.execute_batch(TABLES).map_err(refused)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(refused)?;
    }
    if found < 2 {
        transaction.execute_batch(RUNS).map_err(refused)?;
    }
    // Never back: a newer qd may have been the other process.
    if found < VERSION {
        transaction.pragma_update(None, "user_version", VERSION).map_err(refused)?;
    }
    transaction.commit().map_err(refused)
}

/// Writes so much to the disk, by the same way as events, and takes it back. The log keeps its length, so that it is
/// there for the events that follow.
fn room(database: &mut Connection) -> rusqlite::Result<()> {
    let usual: i32 = database.pragma_query_value(None, "cache_size", |row| row.get(0))?;
    database.pragma_update(None, "cache_size", FEW_PAGES)?;
    let trial = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    trial.execute_batch("CREATE TABLE room (filler BLOB)")?;
    trial.execute("INSERT INTO room (filler) VALUES (zeroblob(?1))", [ROOM])?;
    trial.rollback()?;
    database.pragma_update(None, "cache_size", usual)
}

fn try_read(path: &Path) -> Result<Option<Connection>, JournalError> {
    let refused = |error| JournalError::of(path, error);
    if !rights::check(path)? {
        return Ok(None);
    }
    // Read-only would not be enough: readers of a write-ahead log share a file of their own, which they may have to make.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(path, flags).map_err(refused)?;
    database.busy_timeout(BUSY).map_err(refused)?;
    let known = known(path, &mut database)?;
    database.pragma_update(None, "query_only", true).map_err(refused)?;
    Ok((known > 0).then_some(database))
}

/// An empty file for this person only, before anything is in it. SQLite makes its other files with the same rights.
fn make(path: &Path) -> Result<(), JournalError> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => JournalError::Full { path: path.to_owned() },
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => JournalError::ReadOnly { path: path.to_owned() },
        _ => JournalError::File { path: path.to_owned(), error },
    };
    // Another process may have made both since this one looked.
    nothing_was_here(path).or_else(|error| if path.exists() { Ok(()) } else { Err(error) })?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(cannot),
    }
}

/// A head without its journal: the journal was removed, and an empty one would hide that.
fn nothing_was_here(path: &Path) -> Result<(), JournalError> {
    match head::kept(path).filter(|head| head.count > 0) {
        Some(known) => Err(JournalError::Cut { path: path.to_owned(), there: 0, known: known.count }),
        None => Ok(()),
    }
}

/// The version of a journal of ours; 0 for an empty file, which becomes one.
fn known(path: &Path, database: &mut Connection) -> Result<i32, JournalError> {
    let refused = |error| JournalError::of(path, error);
    let reading = database.transaction_with_behavior(TransactionBehavior::Deferred).map_err(refused)?;
    // One state of the file: another process may be making it now.
    let tables: i64 = reading.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(refused)?;
    let (application, version) = (number(&reading, "application_id").map_err(refused)?, number(&reading, "user_version").map_err(refused)?);
    match (application, version) {
        (APPLICATION, found @ 1..=VERSION) => Ok(found),
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION, found) => Err(JournalError::OtherVersion { path: path.to_owned(), found, ours: VERSION }),
        _ => Err(JournalError::Foreign { path: path.to_owned() }),
    }
}

fn number(database: &Connection, name: &str) -> rusqlite::Result<i32> {
    database.pragma_query_value(None, name, |row| row.get(0))
}
