//! The journal's file: made for one person, opened only where it is theirs and what it should be, with its rules.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{JournalError, head, last};

/// `qdjl`: tells a journal from any other SQLite file.
const APPLICATION: i32 = 0x7164_6a6c;
/// Grows with every change of the table or of what is in it. Older versions are carried on by an added step here, never
/// begun anew.
const VERSION: i32 = 1;
/// How long one process waits for another that writes: an event takes milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// Rows are added at the end and never touched again: `INSERT OR REPLACE` and a row in between are refused too.
const TABLES: &str = "\
CREATE TABLE event (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_is_added_last BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;";

/// To write.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    let refused = |error| JournalError::of(path, error);
    let there = ours(path)?;
    if !there {
        make(path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(path, flags).map_err(refused)?;
    database.busy_timeout(BUSY).map_err(refused)?;
    if database.is_readonly("main").map_err(refused)? {
        return Err(JournalError::ReadOnly { path: path.to_owned() });
    }
    let fresh = known(path, &mut database)?.is_none();
    let mode: String = database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(refused)?;
    if mode != "wal" {
        return Err(JournalError::NoLog { path: path.to_owned(), mode });
    }
    // An event is on the disk before its `append` comes back.
    database.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
    if fresh {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
        // Another process may have made it while this one waited.
        if number(&transaction, "user_version").map_err(refused)? == 0 {
            transaction.execute_batch(TABLES).map_err(refused)?;
            transaction.pragma_update(None, "application_id", APPLICATION).map_err(refused)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(refused)?;
        }
        transaction.commit().map_err(refused)?;
    }
    // What would be refused at the first event is told now, before anything is done.
    let trial = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    head::behind(path, &trial, &last(&trial).map_err(refused)?)?;
    trial.rollback().map_err(refused)?;
    Ok(database)
}

/// To read; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Connection>, JournalError> {
    let refused = |error| JournalError::of(path, error);
    if !ours(path)? {
        return Ok(None);
    }
    // Read-only would not be enough: readers of a write-ahead log share a file of their own, which they may have to make.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut database = Connection::open_with_flags(path, flags).map_err(refused)?;
    database.busy_timeout(BUSY).map_err(refused)?;
    let known = known(path, &mut database)?;
    database.pragma_update(None, "query_only", true).map_err(refused)?;
    Ok(known.map(|()| database))
}

/// Whether it is there. Refuses what others could have read or written.
fn ours(path: &Path) -> Result<bool, JournalError> {
    // Looked at and never opened here: closing it would drop the locks that SQLite holds in this process.
    match fs::metadata(path) {
        Ok(known) if known.uid() != nix::unistd::geteuid().as_raw() => {
            Err(JournalError::OfAnother { path: path.to_owned(), owner: known.uid() })
        }
        Ok(known) if known.permissions().mode() & 0o077 != 0 => {
            Err(JournalError::OthersCanUse { path: path.to_owned(), mode: known.permissions().mode() & 0o777 })
        }
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(JournalError::File { path: path.to_owned(), error }),
    }
}

/// An empty file for this person only, before anything is in it. SQLite makes its other files with the same rights.
fn make(path: &Path) -> Result<(), JournalError> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull => JournalError::Full { path: path.to_owned() },
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => JournalError::ReadOnly { path: path.to_owned() },
        _ => JournalError::File { path: path.to_owned(), error },
    };
    // A head without its journal: the journal was removed, and an empty one would hide that.
    if let Some(known) = head::kept(path).filter(|head| head.count > 0) {
        return Err(JournalError::Cut { path: path.to_owned(), there: 0, known: known.count });
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(cannot),
    }
}

/// Whether it is a journal of ours; `None` for an empty file, which becomes one.
fn known(path: &Path, database: &mut Connection) -> Result<Option<()>, JournalError> {
    let refused = |error| JournalError::of(path, error);
    let reading = database.transaction_with_behavior(TransactionBehavior::Deferred).map_err(refused)?;
    // One state of the file: another process may be making it now.
    let tables: i64 = reading.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(refused)?;
    let (application, version) = (number(&reading, "application_id").map_err(refused)?, number(&reading, "user_version").map_err(refused)?);
    match (application, version) {
        (APPLICATION, VERSION) => Ok(Some(())),
        (0, 0) if tables == 0 => Ok(None),
        (APPLICATION, found) => Err(JournalError::OtherVersion { path: path.to_owned(), found, ours: VERSION }),
        _ => Err(JournalError::Foreign { path: path.to_owned() }),
    }
}

fn number(database: &Connection, name: &str) -> rusqlite::Result<i32> {
    database.pragma_query_value(None, name, |row| row.get(0))
}
