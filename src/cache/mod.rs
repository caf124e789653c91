//! Last known readings and samples, kept across restarts so that a console has something to show before its first answers.
//! A file of its own that can be deleted at any time; whatever is wrong with it, it is set aside and begun anew.

pub mod deployments;
mod file;
mod history;
pub mod seen;
mod trim;

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

pub use self::file::Opened;
use self::file::Shape;

use crate::model::estate::{Estate, Probe, Source, SourceKind};
use crate::model::reading::Held;
use crate::model::source::Answer;

/// The file of readings and samples.
const SHAPE: Shape = Shape {
    // `qdck`.
    application: 0x7164_636b,
    version: 3,
    page: 4_096,
    tables: &[
        "DROP TABLE IF EXISTS reading;
         CREATE TABLE reading (
             estate TEXT NOT NULL, source TEXT NOT NULL, origin INTEGER NOT NULL, held BLOB NOT NULL,
             PRIMARY KEY (estate, source)
         );",
        history::TABLES,
        seen::TABLES,
    ],
    proof: &[
        "SELECT held FROM reading WHERE estate = ?1 AND source = ?2 AND origin = ?3",
        "SELECT newest FROM line LIMIT 1",
        "SELECT seen, labels FROM series LIMIT 1",
        "SELECT at, samples FROM scrape LIMIT 1",
        "SELECT at, event FROM seen LIMIT 1",
        "SELECT began, until FROM run LIMIT 1",
    ],
};

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

impl CacheError {
    /// True where the file itself is damaged.
    pub fn is_broken(&self) -> bool {
        matches!(self, CacheError::Database { error, .. } if file::is_broken(error))
    }
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
    /// except another version's values, which mean nothing here. Says which it was.
    pub fn open(path: &Path) -> Result<(Cache, Opened), CacheError> {
        let (database, opened) = file::open(path, &SHAPE)?;
        Ok((Cache { path: path.to_owned(), database, series: RefCell::default() }, opened))
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
        SourceKind::History(history) => (history.place(), history.hosts()).hash(&mut hasher),
        SourceKind::Probe { probe, .. } => match probe {
            Probe::Http { url, .. } => url.hash(&mut hasher),
            Probe::Tcp { address } => ("tcp", address).hash(&mut hasher),
            Probe::Tls { address } => ("tls", address).hash(&mut hasher),
        },
    }
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

#[cfg(test)]
pub(crate) mod tests;
