//! Last known readings and samples, kept across restarts so that a console has something to show before its first answers.
//! A file of its own that can be deleted at any time; whatever is wrong with it, it is set aside and begun anew.

mod history;
pub mod seen;
mod trim;

use std::cell::RefCell;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use crate::model::estate::{Estate, Probe, Source, SourceKind};
use crate::model::reading::Held;
use crate::model::source::Answer;

/// `qdck`: tells this cache from any other SQLite file.
const APPLICATION: i32 = 0x7164_636b;
/// Grows with every change of the tables or of what is in them; another version's file is begun anew.
const VERSION: i32 = 3;
/// How long one console waits for another that writes.
const BUSY: Duration = Duration::from_secs(1);
/// How often it looks whether another console is done with opening.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Why there is no cache. The console works without one.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Someone else could have put values there that a person would act on.
    #[error("{}: others may write to it, so its values cannot be trusted: delete it, or chmod go-w", path.display())]
    OthersCanWrite {
        /// The file.
        path: PathBuf,
    },
    /// Likewise: it is someone else's file.
    #[error("{}: it belongs to another user (number {owner}), so its values cannot be trusted: delete it, or chown it to yours", path.display())]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The file or its folder cannot be made, read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// SQLite refused.
    #[error("{}: {error}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: rusqlite::Error,
    },
    /// The value is no JSON, which no value of ours is.
    #[error("a reading could not be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

/// The last known readings of all estates that this person's consoles watch.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    database: Connection,
    series: RefCell<history::Known>,
}

impl Cache {
    /// Opens the cache at `path`, makes it and its folder where there is none (for this person only), and begins it
    /// anew where it is corrupt, not ours, or of another version; what was there is kept beside it as `.broken`,
    /// except another version's values, which mean nothing here.
    pub fn open(path: &Path) -> Result<Cache, CacheError> {
        private_folder(path)?;
        let _alone = alone(path);
        own_file(path)?;
        let database = match connect(path) {
            Ok(Some(database)) => database,
            Ok(None) => begin_anew(path)?,
            Err(error) if is_broken(&error) => begin_anew(path)?,
            Err(error) => return Err(CacheError::Database { path: path.to_owned(), error }),
        };
        Ok(Cache { path: path.to_owned(), database, series: RefCell::default() })
    }

    /// What is known of each source, in the order of the estate's sources, marked as cached. A value is given only to
    /// the source that it came from: same estate file, name, kind and addresses. What cannot be read is not there.
    pub fn load(&self, estate: &Estate) -> Vec<Option<Held<Answer>>> {
        estate.sources.iter().map(|source| self.load_one(estate, source)).collect()
    }

    fn load_one(&self, estate: &Estate, source: &Source) -> Option<Held<Answer>> {
        let known: Option<Vec<u8>> = self
            .database
            .prepare_cached("SELECT held FROM reading WHERE estate = ?1 AND source = ?2 AND origin = ?3")
            .and_then(|mut select| select.query_row(params![estate_key(estate), source.name, origin(source)], |row| row.get(0)).optional())
            .ok()?;
        let held: Held<Answer> = serde_json::from_slice(&known?).ok()?;
        let fits = matches!(
            (&held.value, &source.kind),
            (Answer::Prometheus(_), SourceKind::Prometheus { .. })
                | (Answer::Alertmanager(_), SourceKind::Alertmanager { .. })
                | (Answer::Backup(_), SourceKind::Backup(_))
                | (Answer::Exposition(_), SourceKind::Exposition { .. })
                | (Answer::History(_), SourceKind::History(_))
                | (Answer::Probe(_), SourceKind::Probe { .. })
                | (Answer::Database(_), SourceKind::Database(_))
        );
        fits.then_some(Held { cached: true, ..held })
    }

    /// Keeps what is known of the estate's source with this index; an index past the end is nothing. Trimmed to what
    /// matters most where it is large, and forgotten where even that is too large.
    pub fn store(&self, estate: &Estate, source: usize, held: &Held<Answer>) -> Result<(), CacheError> {
        let Some(source) = estate.sources.get(source) else { return Ok(()) };
        let key = estate_key(estate);
        let done = match trim::to_json(held)? {
            Some(json) => self
                .database
                .prepare_cached("INSERT OR REPLACE INTO reading (estate, source, origin, held) VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut insert| insert.execute(params![key, source.name, origin(source), json])),
            None => self.database.execute("DELETE FROM reading WHERE estate = ?1 AND source = ?2", params![key, source.name]),
        };
        done.map(drop).map_err(|error| self.refused(error))
    }

    fn refused(&self, error: rusqlite::Error) -> CacheError {
        CacheError::Database { path: self.path.clone(), error }
    }
}

/// The estate file's absolute path: two estates may have the same name.
fn estate_key(estate: &Estate) -> String {
    let path = std::path::absolute(&estate.path).unwrap_or_else(|_| estate.path.clone());
    path.to_string_lossy().into_owned()
}

/// A number for kind and addresses: an address may hold a password, which has no place here. A Rust release that hashes
/// differently only costs the cached values.
fn origin(source: &Source) -> i64 {
    let mut hasher = DefaultHasher::new();
    source.kind.word().hash(&mut hasher);
    match &source.kind {
        SourceKind::Prometheus { url } => url.hash(&mut hasher),
        SourceKind::Alertmanager { urls, .. } => urls.hash(&mut hasher),
        SourceKind::Exposition { url, .. } => url.hash(&mut hasher),
        SourceKind::Database(database) => database.nodes.iter().for_each(|node| node.conninfo.hash(&mut hasher)),
        SourceKind::Backup(backup) => backup.of.to_string().hash(&mut hasher),
        SourceKind::History(history) => history.path().hash(&mut hasher),
        SourceKind::Probe { probe, .. } => match probe {
            Probe::Http { url, .. } => url.hash(&mut hasher),
            Probe::Tcp { address } => ("tcp", address).hash(&mut hasher),
            Probe::Tls { address } => ("tls", address).hash(&mut hasher),
        },
    }
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
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
fn connect(path: &Path) -> rusqlite::Result<Option<Connection>> {
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
    if known != (APPLICATION, VERSION) {
        if known.0 != APPLICATION && tables > 0 {
            return Ok(None);
        }
        // A writer and its readers do not wait for each other; not possible on some network folders, where it stays as it is.
        match database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error) if is_broken(&error) => return Err(error),
            _ => {}
        }
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another console may have made it while this one waited.
        if numbers(&transaction)? != (APPLICATION, VERSION) {
            transaction.execute_batch(
                "DROP TABLE IF EXISTS reading;
                 CREATE TABLE reading (
                     estate TEXT NOT NULL, source TEXT NOT NULL, origin INTEGER NOT NULL, held BLOB NOT NULL,
                     PRIMARY KEY (estate, source)
                 );",
            )?;
            transaction.execute_batch(history::TABLES)?;
            transaction.execute_batch(seen::TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
    }
    // A value lost in a power cut is read again in seconds.
    database.pragma_update(None, "synchronous", "OFF")?;
    // Ours by its numbers, but are the tables there?
    database.prepare_cached("SELECT held FROM reading WHERE estate = ?1 AND source = ?2 AND origin = ?3")?;
    for proof in history::PROOF.into_iter().chain(seen::PROOF) {
        database.prepare(proof)?;
    }
    Ok(Some(database))
}

/// Sets the file aside and makes a new one.
fn begin_anew(path: &Path) -> Result<Connection, CacheError> {
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
    let error = match connect(path) {
        Ok(Some(database)) => return Ok(database),
        Ok(None) => rusqlite::Error::InvalidQuery,
        Err(error) => error,
    };
    Err(CacheError::Database { path: path.to_owned(), error })
}

/// True where the file itself is the trouble, not a lock or a full disk.
fn is_broken(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown)
        }
        rusqlite::Error::SqlInputError { .. } | rusqlite::Error::InvalidColumnType(..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
