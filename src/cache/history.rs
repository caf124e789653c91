//! The samples of pages and probes, kept across restarts: series once, and one row of numbers per poll. Trimmed while it
//! is written, to what the source keeps and to an end in bytes.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Cache, CacheError, estate_key, origin};
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::source::Scrape;

/// The tables. An id of a series is never used again: a row of an older poll may still name it.
pub(super) const TABLES: &str = "
    DROP TABLE IF EXISTS scrape;
    DROP TABLE IF EXISTS series;
    DROP TABLE IF EXISTS line;
    CREATE TABLE line (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        estate TEXT NOT NULL, source TEXT NOT NULL, origin INTEGER NOT NULL, newest INTEGER NOT NULL,
        UNIQUE (estate, source, origin)
    );
    CREATE TABLE series (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        line INTEGER NOT NULL, labels TEXT NOT NULL, seen INTEGER NOT NULL,
        UNIQUE (line, labels)
    );
    CREATE TABLE scrape (line INTEGER NOT NULL, at INTEGER NOT NULL, samples BLOB NOT NULL, UNIQUE (line, at));";

/// Samples kept of one poll; as many series as are kept in memory.
const SAMPLES_CAP: usize = 20_000;
/// Bytes of samples kept of one source, about.
const BYTES_CAP: usize = 64 << 20;
/// A source that nobody watched for so long is forgotten, microseconds.
const FORGOTTEN: i64 = 7 * 86_400 * 1_000_000;
/// A series' row says when it was seen, to a quarter of what is kept: a row per poll would be written otherwise.
const SEEN_PARTS: i64 = 4;

/// The ids of a source's series, and up to when each need not be touched again (microseconds).
pub(super) type Known = HashMap<i64, HashMap<Labels, (i64, i64)>>;

/// How far back the samples of a source are kept; `None` where it has none.
fn keep(source: &Source) -> Option<SignedDuration> {
    match &source.kind {
        SourceKind::Exposition { keep, .. } | SourceKind::Probe { keep, .. } => Some(*keep),
        SourceKind::Prometheus { .. }
        | SourceKind::Alertmanager { .. }
        | SourceKind::Backup(_)
        | SourceKind::Database(_)
        | SourceKind::History(_) => None,
    }
}

impl Cache {
    /// Adds polls of the estate's source with this index, all or none of them; of two at one moment the first stays. An
    /// index past the end, or a source that keeps no samples, is nothing. Drops what is older than the source keeps.
    pub fn append(&self, estate: &Estate, source: usize, scrapes: &[impl AsRef<Scrape>]) -> Result<(), CacheError> {
        let Some(source) = estate.sources.get(source) else { return Ok(()) };
        let (Some(keep), false) = (keep(source), scrapes.is_empty()) else { return Ok(()) };
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX / 4).clamp(0, i64::MAX / 4);
        let mut known = self.series.borrow_mut();
        let done = self.append_in(&mut known, (&estate_key(estate), source), keep, scrapes);
        if done.is_err() {
            // What was rolled back is not known either.
            known.clear();
        }
        done.map_err(|error| self.refused(error))
    }

    fn append_in(
        &self,
        known: &mut Known,
        (estate, source): (&str, &Source),
        keep: i64,
        scrapes: &[impl AsRef<Scrape>],
    ) -> rusqlite::Result<()> {
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let newest = scrapes.iter().map(|scrape| scrape.as_ref().at.as_microsecond()).max().unwrap_or_default();
        let line: i64 = transaction
            .prepare_cached(
                "INSERT INTO line (estate, source, origin, newest) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (estate, source, origin) DO UPDATE SET newest = max(newest, excluded.newest) RETURNING id",
            )?
            .query_row(params![estate, source.name, origin(source), newest], |row| row.get(0))?;
        let series = known.entry(line).or_default();
        let mut bytes = 0;
        for scrape in scrapes {
            let (at, samples) = (scrape.as_ref().at.as_microsecond(), &scrape.as_ref().samples);
            let mut numbers = Vec::with_capacity(samples.len().min(SAMPLES_CAP));
            for (labels, value) in samples.iter().take(SAMPLES_CAP) {
                numbers.push((series_id(&transaction, series, line, labels, at, keep)?, *value));
            }
            let blob = pack(numbers);
            bytes = bytes.max(blob.len());
            transaction
                .prepare_cached("INSERT OR IGNORE INTO scrape (line, at, samples) VALUES (?1, ?2, ?3)")?
                .execute(params![line, at, blob])?;
        }
        trim(&transaction, series, line, newest, keep, bytes)?;
        transaction.commit()
    }

    /// The polls of the estate's source with this index from `since` on, rising in time. What cannot be read is not there.
    pub fn scrapes(&self, estate: &Estate, source: usize, since: Timestamp) -> Vec<Scrape> {
        let Some(source) = estate.sources.get(source).filter(|source| keep(source).is_some()) else { return vec![] };
        read(&self.database, &estate_key(estate), source, since).unwrap_or_else(|error| {
            tracing::warn!(%error, "the kept samples of {} cannot be read", source.name);
            vec![]
        })
    }

    /// How far back the samples of the estate's source with this index reach at the most, seen from `now`; `None` where
    /// it keeps none.
    pub fn reach(estate: &Estate, source: usize, now: Timestamp) -> Option<Timestamp> {
        let keep = keep(estate.sources.get(source)?)?;
        Some(now.checked_sub(keep).unwrap_or(Timestamp::MIN))
    }
}

fn series_id(
    transaction: &Transaction<'_>,
    series: &mut HashMap<Labels, (i64, i64)>,
    line: i64,
    labels: &Labels,
    at: i64,
    keep: i64,
) -> rusqlite::Result<i64> {
    if let Some((id, until)) = series.get(labels)
        && at < *until
    {
        return Ok(*id);
    }
    // A set of texts is always JSON.
    let json = serde_json::to_string(labels).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let id = transaction
        .prepare_cached(
            "INSERT INTO series (line, labels, seen) VALUES (?1, ?2, ?3)
             ON CONFLICT (line, labels) DO UPDATE SET seen = max(seen, excluded.seen) RETURNING id",
        )?
        .query_row(params![line, json, at], |row| row.get(0))?;
    series.insert(labels.clone(), (id, at.saturating_add(keep / SEEN_PARTS)));
    Ok(id)
}

/// Drops what is too old or too much; `bytes` is what one row of this source takes now.
fn trim(
    transaction: &Transaction<'_>,
    series: &mut HashMap<Labels, (i64, i64)>,
    line: i64,
    newest: i64,
    keep: i64,
    bytes: usize,
) -> rusqlite::Result<()> {
    let oldest = newest.saturating_sub(keep);
    transaction.prepare_cached("DELETE FROM scrape WHERE line = ?1 AND at < ?2")?.execute(params![line, oldest])?;
    let rows = BYTES_CAP / bytes.max(64);
    transaction
        .prepare_cached(
            "DELETE FROM scrape WHERE line = ?1 AND at <=
                 (SELECT at FROM scrape WHERE line = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![line, rows as i64])?;
    // Once in a while is enough for the rest: looking through all series and sources takes longer than one poll's row.
    let period = (keep / SEEN_PARTS).max(1);
    let due = series.get(&Labels::default()).is_none_or(|(_, until)| newest >= *until);
    if due {
        // No series has an empty set of labels: it holds the time of the next look.
        series.retain(|_, (_, until)| *until > oldest);
        series.insert(Labels::default(), (0, newest.saturating_add(period)));
        // Seen may be a quarter too old.
        transaction.execute("DELETE FROM series WHERE line = ?1 AND seen < ?2", params![line, oldest.saturating_sub(period)])?;
        let forgotten = newest.saturating_sub(FORGOTTEN);
        transaction.execute("DELETE FROM scrape WHERE line IN (SELECT id FROM line WHERE newest < ?1)", params![forgotten])?;
        transaction.execute("DELETE FROM series WHERE line IN (SELECT id FROM line WHERE newest < ?1)", params![forgotten])?;
        transaction.execute("DELETE FROM line WHERE newest < ?1", params![forgotten])?;
    }
    Ok(())
}

fn read(database: &Connection, estate: &str, source: &Source, since: Timestamp) -> rusqlite::Result<Vec<Scrape>> {
    // One state of the file: another console may add a series in between.
    let database = database.unchecked_transaction()?;
    let line: Option<i64> = database
        .prepare_cached("SELECT id FROM line WHERE estate = ?1 AND source = ?2 AND origin = ?3")?
        .query_row(params![estate, source.name, origin(source)], |row| row.get(0))
        .optional()?;
    let Some(line) = line else { return Ok(vec![]) };
    let mut select = database.prepare_cached("SELECT id, labels FROM series WHERE line = ?1")?;
    let named = select.query_map(params![line], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut series = HashMap::new();
    for row in named {
        let (id, labels) = row?;
        if let Ok(labels) = serde_json::from_str::<Labels>(&labels) {
            series.insert(id, labels);
        }
    }
    let mut select = database.prepare_cached("SELECT at, samples FROM scrape WHERE line = ?1 AND at >= ?2 ORDER BY at")?;
    let mut rows = select.query(params![line, since.as_microsecond()])?;
    let mut scrapes = Vec::new();
    while let Some(row) = rows.next()? {
        let (Ok(at), Some(numbers)) = (Timestamp::from_microsecond(row.get(0)?), unpack(row.get_ref(1)?.as_blob()?)) else { continue };
        let samples = numbers.into_iter().filter_map(|(id, value)| Some((series.get(&id)?.clone(), value)));
        scrapes.push(Scrape { at, samples: samples.collect() });
    }
    Ok(scrapes)
}

/// Numbers with the ids of their series: sorted by id, each id as what it is more than the one before (LEB128), then the
/// value's eight bytes, the lowest first. About nine bytes each.
fn pack(mut numbers: Vec<(i64, f64)>) -> Vec<u8> {
    numbers.sort_by_key(|(id, _)| *id);
    let mut out = Vec::with_capacity(numbers.len() * 9 + 8);
    let mut last = 0;
    for (id, value) in numbers {
        let mut more = id.abs_diff(last);
        last = id;
        while more >= 0x80 {
            out.push(more as u8 | 0x80);
            more >>= 7;
        }
        out.push(more as u8);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
    out
}

/// The other way round; `None` where it is no such row.
fn unpack(mut rest: &[u8]) -> Option<Vec<(i64, f64)>> {
    let mut numbers = Vec::with_capacity(rest.len() / 9);
    let mut id: i64 = 0;
    while !rest.is_empty() {
        let (mut more, mut shift) = (0_u64, 0);
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            if shift > 56 {
                return None;
            }
            more |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        let (value, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        id = id.checked_add_unsigned(more)?;
        numbers.push((id, f64::from_bits(u64::from_le_bytes(*value))));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests;
