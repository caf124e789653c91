//! What consoles saw happen, and when they ran: an Alertmanager forgets an alert that has ended, and a source tells how it
//! is, not how it was. A bounded table; a time in which no console ran is a gap in it.

use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::{Cache, CacheError, estate_key};
use crate::model::estate::Estate;
use crate::model::timeline::{Event, SILENT};

/// The tables. A console begins one run each time that it is opened.
pub(super) const TABLES: &str = "
    DROP TABLE IF EXISTS seen;
    DROP TABLE IF EXISTS run;
    CREATE TABLE seen (estate TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, UNIQUE (estate, at, event));
    CREATE TABLE run (estate TEXT NOT NULL, began INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (estate, began));";

/// Events kept of one estate, the newest.
const EVENTS: i64 = 5_000;
/// How far back they are kept, microseconds.
const KEPT: i64 = 14 * 86_400 * 1_000_000;
/// Events and runs that are read at once.
const READ: i64 = 5_000;

/// What consoles saw in a time, and when they ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The events, the newest first.
    pub events: Vec<Event>,
    /// From when to when a console ran, each run by itself.
    pub runs: Vec<(Timestamp, Timestamp)>,
}

impl Cache {
    /// Keeps what a console saw that began at `began` and still runs at `now`. Two consoles that see the same at the same
    /// moment keep it once.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn saw(&self, estate: &Estate, began: Timestamp, now: Timestamp, events: &[Event]) -> Result<(), CacheError> {
        self.saw_in(&estate_key(estate), began, now, events).map_err(|error| self.refused(error))
    }

    fn saw_in(&self, estate: &str, began: Timestamp, now: Timestamp, events: &[Event]) -> rusqlite::Result<()> {
        let transaction = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let until = now.as_microsecond();
        // A machine that slept ran no console meanwhile: what comes after is a run of its own.
        let last: Option<i64> = transaction
            .prepare_cached("SELECT max(until) FROM run WHERE estate = ?1 AND began >= ?2")?
            .query_row(params![estate, began.as_microsecond()], |row| row.get(0))?;
        let slept = last.is_some_and(|last| until - last > i64::try_from(SILENT.as_micros()).unwrap_or(i64::MAX));
        let begin = if slept {
            until
        } else {
            let newest = "SELECT max(began) FROM run WHERE estate = ?1 AND began >= ?2";
            let newest: Option<i64> =
                transaction.prepare_cached(newest)?.query_row(params![estate, began.as_microsecond()], |row| row.get(0))?;
            newest.unwrap_or(began.as_microsecond())
        };
        transaction
            .prepare_cached(
                "INSERT INTO run (estate, began, until) VALUES (?1, ?2, ?3)
                 ON CONFLICT (estate, began) DO UPDATE SET until = max(until, excluded.until)",
            )?
            .execute(params![estate, begin, until.max(begin)])?;
        for event in events {
            // An event is always JSON.
            let json = serde_json::to_string(event).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            transaction.prepare_cached("INSERT OR IGNORE INTO seen (estate, at, event) VALUES (?1, ?2, ?3)")?.execute(params![
                estate,
                event.at.as_microsecond(),
                json
            ])?;
        }
        let oldest = until.saturating_sub(KEPT);
        transaction.prepare_cached("DELETE FROM seen WHERE estate = ?1 AND at < ?2")?.execute(params![estate, oldest])?;
        transaction.prepare_cached("DELETE FROM run WHERE until < ?1")?.execute(params![oldest])?;
        if !events.is_empty() {
            transaction
                .prepare_cached(
                    "DELETE FROM seen WHERE estate = ?1 AND at <=
                         (SELECT at FROM seen WHERE estate = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![estate, EVENTS])?;
        }
        transaction.commit()
    }

    /// What consoles of this person saw of the estate from `from` to `to`. What cannot be read is not there.
    pub fn seen(&self, estate: &Estate, from: Timestamp, to: Timestamp) -> Seen {
        self.seen_in(&estate_key(estate), from, to).unwrap_or_else(|error| {
            tracing::warn!(%error, "what consoles saw cannot be read");
            Seen::default()
        })
    }

    fn seen_in(&self, estate: &str, from: Timestamp, to: Timestamp) -> rusqlite::Result<Seen> {
        let database = self.database.unchecked_transaction()?;
        let bounds = params![estate, from.as_microsecond(), to.as_microsecond(), READ];
        let mut select =
            database.prepare_cached("SELECT event FROM seen WHERE estate = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at DESC LIMIT ?4")?;
        let rows = select.query_map(bounds, |row| row.get::<_, String>(0))?;
        let mut events = Vec::new();
        for row in rows {
            events.extend(serde_json::from_str::<Event>(&row?).ok());
        }
        let mut select = database
            .prepare_cached("SELECT began, until FROM run WHERE estate = ?1 AND until >= ?2 AND began <= ?3 ORDER BY began LIMIT ?4")?;
        let rows = select.query_map(bounds, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let mut runs = Vec::new();
        for row in rows {
            let (began, until) = row?;
            if let (Ok(began), Ok(until)) = (Timestamp::from_microsecond(began), Timestamp::from_microsecond(until)) {
                runs.push((began, until));
            }
        }
        Ok(Seen { events, runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::Severity;
    use crate::model::estate::tests::bare;
    use crate::model::timeline::{Kind, Link, unseen};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + secs).unwrap()
    }

    fn event(secs: i64, what: &str) -> Event {
        Event {
            at: at(secs),
            after: None,
            kind: Kind::Source,
            severity: Severity::Ok,
            what: what.into(),
            service: None,
            via: vec!["seen".into()],
            link: Link::Nothing,
        }
    }

    #[test]
    fn what_was_seen_and_when_nobody_looked_is_known_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (path, estate) = (folder.path().join("c.db"), bare(vec![]));
        let cache = Cache::open(&path).unwrap().0;
        cache.saw(&estate, at(0), at(0), &[event(0, "a")]).unwrap();
        cache.saw(&estate, at(0), at(60), &[event(50, "b"), event(50, "b")]).unwrap();
        // The machine slept for an hour, and then another console was opened.
        cache.saw(&estate, at(0), at(3_660), &[]).unwrap();
        cache.saw(&estate, at(0), at(3_720), &[]).unwrap();
        drop(cache);
        let cache = Cache::open(&path).unwrap().0;
        cache.saw(&estate, at(9_000), at(9_000), &[event(9_000, "c")]).unwrap();
        let seen = cache.seen(&estate, at(-100), at(9_000));
        assert_eq!(seen.events.iter().map(|e| e.what.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
        assert_eq!(unseen(&seen.runs, at(0), at(9_000)), [(at(60), at(3_660)), (at(3_720), at(9_000))]);
        let other = crate::model::estate::Estate { path: "other.toml".into(), ..bare(vec![]) };
        assert_eq!(cache.seen(&other, at(-100), at(9_000)), Seen::default(), "another estate's console saw nothing of this");
    }

    #[test]
    fn the_table_is_bounded_in_rows_and_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, estate) = (Cache::open(&folder.path().join("c.db")).unwrap().0, bare(vec![]));
        let many: Vec<Event> = (0..EVENTS + 100).map(|n| event(n, "x")).collect();
        cache.saw(&estate, at(0), at(6_000), &many).unwrap();
        assert_eq!(cache.seen(&estate, at(0), at(10_000)).events.len() as i64, EVENTS);
        cache.saw(&estate, at(20 * 86_400), at(20 * 86_400), &[]).unwrap();
        assert!(cache.seen(&estate, at(0), at(10_000)).events.is_empty(), "of three weeks ago");
    }
}
