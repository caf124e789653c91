//! The deployment history of all estates, indexed: what each source told, and what it comes to when it is joined. A file
//! of its own beside the readings, which may be deleted at any time: the sources tell it again.

mod forget;
mod join;
mod question;
mod read;
mod row;
mod take;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::file::{self, Opened, Shape};
use super::{CacheError, estate_key, origin};
use crate::model::deployment::news::Mark;
use crate::model::estate::{Estate, SourceKind};

/// A filter's part that is applied row by row, such as a regular expression.
pub type Test<'t> = &'t mut dyn FnMut(&crate::model::deployment::Deployment) -> bool;

/// Kibibytes of the file that are held in memory by one that reads.
const READING: i32 = 1_024;
/// The same while it is written: its indexes are written all over.
const WRITING: i32 = 8_192;

/// The place of the journal, which tells of deployments as the sources do, and before them: what it says was recorded with
/// the act itself.
pub const JOURNAL: usize = usize::MAX;

/// The file. Times are microseconds since the epoch.
const SHAPE: Shape = Shape {
    // `qdhi`.
    application: 0x7164_6869,
    version: 2,
    page: 8_192,
    tables: &["
        DROP TABLE IF EXISTS estate;
        DROP TABLE IF EXISTS source;
        DROP TABLE IF EXISTS told;
        DROP TABLE IF EXISTS deployment;
        DROP TABLE IF EXISTS line;
        -- An estate file with just these histories.
        CREATE TABLE estate (
            id INTEGER PRIMARY KEY, path TEXT NOT NULL, sources INTEGER NOT NULL, total INTEGER NOT NULL, seen INTEGER NOT NULL,
            UNIQUE (path, sources)
        );
        -- Its histories by their place among them, and up to where a log was read. A log's era grows when it is rotated.
        CREATE TABLE source (
            id INTEGER PRIMARY KEY, estate INTEGER NOT NULL, place INTEGER NOT NULL, era INTEGER NOT NULL, mark TEXT,
            UNIQUE (estate, place)
        );
        -- What they told, in the order in which they did. Of one family are those that may be joined. A number is never given
        -- again: a joined row tells by it whether the row that it comes from is still the same.
        CREATE TABLE told (
            n INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, era INTEGER NOT NULL, at INTEGER NOT NULL, family INTEGER NOT NULL,
            row BLOB NOT NULL
        );
        CREATE INDEX told_source ON told (source, at, n);
        CREATE INDEX told_family ON told (family, at);
        -- What it comes to. Where it is what one row told, `row` is NULL.
        CREATE TABLE deployment (
            n INTEGER PRIMARY KEY, estate INTEGER NOT NULL, at INTEGER NOT NULL, family INTEGER NOT NULL, key TEXT NOT NULL,
            service TEXT NOT NULL, site TEXT, environment TEXT, version TEXT, who TEXT, result TEXT, id TEXT, commit_id TEXT,
            told INTEGER, row BLOB
        );
        CREATE INDEX deployment_family ON deployment (family, at);
        CREATE INDEX deployment_service ON deployment (estate, service, at);
        CREATE INDEX deployment_site ON deployment (estate, site, at) WHERE site IS NOT NULL;
        CREATE INDEX deployment_environment ON deployment (estate, environment, at) WHERE environment IS NOT NULL;
        CREATE INDEX deployment_version ON deployment (estate, version, at) WHERE version IS NOT NULL;
        CREATE INDEX deployment_who ON deployment (estate, who, at) WHERE who IS NOT NULL;
        CREATE INDEX deployment_result ON deployment (estate, result, at) WHERE result IS NOT NULL;
        CREATE INDEX deployment_id ON deployment (estate, id) WHERE id IS NOT NULL;
        CREATE INDEX deployment_commit ON deployment (estate, commit_id) WHERE commit_id IS NOT NULL;
        -- In the order of the list, with all words of a row in lower case: what a search runs over.
        CREATE TABLE line (
            estate INTEGER NOT NULL, at INTEGER NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (estate, at, key)
        ) WITHOUT ROWID;"],
    proof: &[
        "SELECT total, seen FROM estate LIMIT 1",
        "SELECT era, mark FROM source LIMIT 1",
        "SELECT n, era, family, row FROM told LIMIT 1",
        "SELECT n, family, key, told, row FROM deployment LIMIT 1",
        "SELECT n, text FROM line LIMIT 1",
    ],
};

/// The deployments of all estates that this person's consoles watch.
#[derive(Debug)]
pub struct Deployments {
    path: PathBuf,
    database: Connection,
    /// The file that is open; `None` of one without a name.
    file: Option<(u64, u64)>,
}

impl Deployments {
    /// Opens the file at `path`, as [`super::Cache::open`] does, and says how it was found.
    ///
    /// # Errors
    /// Where it cannot be made, belongs to another person or can be written by one, or is locked for long.
    pub fn open(path: &Path) -> Result<(Deployments, Opened), CacheError> {
        let (database, opened) = file::open(path, &SHAPE)?;
        Ok((Deployments::of(path.to_owned(), database)?, opened))
    }

    /// Sets the file at `path` aside, which is damaged, and makes a new one.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn anew(path: &Path) -> Result<Deployments, CacheError> {
        let (database, _) = file::begin_anew(path, &SHAPE, "was damaged")?;
        Deployments::of(path.to_owned(), database)
    }

    /// False where the file that is open was deleted or replaced meanwhile: nobody else sees what is in it.
    pub fn is_there(&self) -> bool {
        self.file.is_none() || file::identity(&self.path) == self.file
    }

    /// A number that is another one whenever someone else wrote to the file: another console, or another program.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn writings(&self) -> Result<i64, CacheError> {
        // https://www.sqlite.org/pragma.html#pragma_data_version
        let read = self.database.pragma_query_value(None, "data_version", |row| row.get(0));
        read.map_err(|error| self.refused(error))
    }

    /// The same without a file of that name: it ends with the console. Most of it is on the disk, not in memory.
    ///
    /// # Errors
    /// Where there is no place for temporary files either.
    pub fn in_memory() -> Result<Deployments, CacheError> {
        Deployments::of(PathBuf::from("(temporary)"), file::nameless(&SHAPE)?)
    }

    fn of(path: PathBuf, database: Connection) -> Result<Deployments, CacheError> {
        let file = file::identity(&path);
        let deployments = Deployments { path, database, file };
        // Room for what is shown; a search passes through, and a console has several of these open.
        let set = deployments.database.pragma_update(None, "cache_size", -READING);
        set.map_err(|error| deployments.refused(error))?;
        deployments.database.set_prepared_statement_cache_capacity(64);
        Ok(deployments)
    }

    /// Up to where the log of the estate's source with this index was read; `None` where that is not known.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn mark(&self, estate: &Estate, source: usize) -> Result<Option<Mark>, CacheError> {
        let known = || {
            let Some(estate) = self.estate(estate)? else { return Ok(None) };
            let mark: Option<Option<String>> = self
                .database
                .prepare_cached("SELECT mark FROM source WHERE estate = ?1 AND place = ?2")?
                .query_row(params![estate, place_number(source)], |row| row.get(0))
                .optional()?;
            Ok(mark.flatten())
        };
        let text: Option<String> = known().map_err(|error| self.refused(error))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The number of the estate; `None` where nothing was told of it.
    fn estate(&self, estate: &Estate) -> rusqlite::Result<Option<i64>> {
        self.database
            .prepare_cached("SELECT id FROM estate WHERE path = ?1 AND sources = ?2")?
            .query_row(params![estate_key(estate), sources(estate)], |row| row.get(0))
            .optional()
    }

    fn refused(&self, error: rusqlite::Error) -> CacheError {
        CacheError::Database { path: self.path.clone(), error }
    }
}

/// The place of a source as the file has it.
fn place_number(place: usize) -> i64 {
    if place == JOURNAL {
        return -1;
    }
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// A number for all histories of the estate file: where one of them is changed, joining begins anew, beside what a
/// console that still has the older file goes on with.
fn sources(estate: &Estate) -> i64 {
    let mut number = row::SEED;
    for (place, source) in estate.sources.iter().enumerate() {
        if matches!(source.kind, SourceKind::History(_)) {
            let scope = (source.service.as_deref().unwrap_or_default(), source.site.as_deref().unwrap_or_default());
            for part in [place.to_string().as_str(), &source.name, &origin(source).to_string(), scope.0, scope.1] {
                number = row::number(number, part);
            }
        }
    }
    i64::from_ne_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests;
