//! A SQLite file of ours: made for this person only, opened while other consoles open it too, and begun anew where it is
//! broken or of another version. It may be deleted at any time.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::CacheError;

/// How long one console waits for another that writes.
const BUSY: Duration = Duration::from_secs(1);
/// How often it looks whether another console is done with opening.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What one kind of file is.
#[derive(Debug)]
pub(super) struct Shape {
    /// Tells it from any other SQLite file.
    pub(super) application: i32,
    /// Grows with every change of the tables or of what is in them; another version's file is begun anew.
    pub(super) version: i32,
    /// Bytes of a page.
    pub(super) page: u32,
    /// Drops and makes the tables.
    pub(super) tables: &'static [&'static str],
    /// Each fails where a table is missing.
    pub(super) proof: &'static [&'static str],
}

/// How a file was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There was none.
    New,
    /// As an earlier start left it.
    Kept,
    /// It could not be used and was begun anew; why, as the end of a sentence.
    Rebuilt(String),
}

/// Opens the file at `path`, makes it and its folder where there is none (for this person only), and begins it anew
/// where it is corrupt, not ours, or of another version; what was there is kept beside it as `.broken`, except another
/// version's values, which mean nothing here.
pub(super) fn open(path: &Path, shape: &Shape) -> Result<(Connection, Opened), CacheError> {
    private_folder(path)?;
    let _alone = alone(path);
    own_file(path)?;
    match connect(path, shape) {
        Ok(Some(known)) => Ok(known),
        Ok(None) => begin_anew(path, shape, "was not a file of qd"),
        Err(error) if is_broken(&error) => begin_anew(path, shape, "was damaged"),
        Err(error) => Err(CacheError::Database { path: path.to_owned(), error }),
    }
}

/// The device and the number of the file; `None` where there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|known| (known.dev(), known.ino()))
}

/// The same tables in a file that has no name and ends with the connection.
pub(super) fn nameless(shape: &Shape) -> Result<Connection, CacheError> {
    let made = || {
        // No path: SQLite keeps little of it in memory and the rest in a file that it has deleted already.
        let database = Connection::open("")?;
        database.pragma_update(None, "page_size", shape.page)?;
        shape.tables.iter().try_for_each(|tables| database.execute_batch(tables))?;
        database.pragma_update(None, "synchronous", "OFF")?;
        Ok(database)
    };
    made().map_err(|error| CacheError::Database { path: PathBuf::from("(memory)"), error })
}

/// Makes the folder where it is missing.
fn private_folder(path: &Path) -> Result<(), CacheError> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| CacheError::File { path: path.to_owned(), error })
        }
        None => Ok(()),
    }
}

/// Refuses a file that others could write or have written.
fn own_file(path: &Path) -> Result<(), CacheError> {
    // The file is looked at and never opened here: closing it would drop the locks that SQLite holds in this process.
    match fs::metadata(path) {
        Ok(known) if known.uid() != nix::unistd::geteuid().as_raw() => {
            Err(CacheError::OfAnother { path: path.to_owned(), owner: known.uid() })
        }
        Ok(known) if known.permissions().mode() & 0o022 != 0 => Err(CacheError::OthersCanWrite { path: path.to_owned() }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CacheError::File { path: path.to_owned(), error }),
        _ => Ok(()),
    }
}

/// Holds off other consoles that open the cache at the same moment: of two that find a broken file the second would set
/// aside what the first has just made, and take away its log while it writes. The lock is on the folder, because a
/// file of our own beside the cache would be one more to explain, and one on the cache itself would drop SQLite's. Where
/// the file system has no locks, or someone holds it for long, it goes on without.
fn alone(path: &Path) -> Option<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = File::open(folder).ok()?;
    let until = Instant::now() + BUSY;
    loop {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOOK_AGAIN),
            Err(_) => return None,
        }
    }
}

/// An open database with our tables; `None` where the file is someone else's database.
fn connect(path: &Path, shape: &Shape) -> rusqlite::Result<Option<(Connection, Opened)>> {
    let wanted = (shape.application, shape.version);
    let mut opened = if path.exists() { Opened::Kept } else { Opened::New };
    let mut database = Connection::open(path)?;
    // Before anything is in it. SQLite makes its other files with the same rights.
    if fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o077 != 0) {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|_| rusqlite::Error::InvalidPath(path.to_owned()))?;
    }
    database.busy_timeout(BUSY)?;
    let number = |database: &Connection, name: &str| database.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let numbers =
        |database: &Connection| Ok::<_, rusqlite::Error>((number(database, "application_id")?, number(database, "user_version")?));
    // One state of the file: asked one by one, the answers could be from before and after another console made it, and
    // a cache that is just being made would look like someone else's database.
    let (known, tables) = {
        let reading = database.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let tables: i64 = reading.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        (numbers(&reading)?, tables)
    };
    if known != wanted {
        if known.0 != shape.application && tables > 0 {
            return Ok(None);
        }
        if tables == 0 {
            opened = Opened::New;
            database.pragma_update(None, "page_size", shape.page)?;
        }
        // A writer and its readers do not wait for each other; not possible on some network folders, where it stays as it is.
        match database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error) if is_broken(&error) => return Err(error),
            _ => {}
        }
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another console may have made it while this one waited.
        if numbers(&transaction)? != wanted {
            if tables > 0 {
                opened = Opened::Rebuilt("was of another version".to_owned());
            }
            shape.tables.iter().try_for_each(|tables| transaction.execute_batch(tables))?;
            transaction.pragma_update(None, "application_id", shape.application)?;
            transaction.pragma_update(None, "user_version", shape.version)?;
        }
        transaction.commit()?;
    }
    // A value lost in a power cut is read again in seconds.
    database.pragma_update(None, "synchronous", "OFF")?;
    // Ours by its numbers, but are the tables there?
    for proof in shape.proof {
        database.prepare(proof)?;
    }
    Ok(Some((database, opened)))
}

/// Sets the file aside and makes a new one.
pub(super) fn begin_anew(path: &Path, shape: &Shape, why: &str) -> Result<(Connection, Opened), CacheError> {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    for ending in ["-wal", "-shm", "-journal"] {
        // The remains of the broken file would be taken for the new one's; often there are none.
        let _ = fs::remove_file(beside(ending));
    }
    fs::rename(path, beside(".broken")).map_err(|error| CacheError::File { path: path.to_owned(), error })?;
    let error = match connect(path, shape) {
        Ok(Some((database, _))) => return Ok((database, Opened::Rebuilt(why.to_owned()))),
        Ok(None) => rusqlite::Error::InvalidQuery,
        Err(error) => error,
    };
    Err(CacheError::Database { path: path.to_owned(), error })
}

/// True where the file itself is the trouble, not a lock or a full disk.
pub(super) fn is_broken(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        }
        rusqlite::Error::SqlInputError { .. } | rusqlite::Error::InvalidColumnType(..) => true,
        _ => false,
    }
}
