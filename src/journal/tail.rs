//! What is new in the journal, and the events of one run, without reading all the others.

use rusqlite::{Params, params};

use super::{Journal, JournalError, is_digest};
use crate::model::event::{Event, Record};

/// The run whose id comes next.
pub(super) const NEXT: &str = "SELECT min(run) FROM event WHERE run > ?1";
/// The first run whose id is this or comes after it.
pub(super) const FROM: &str = "SELECT min(run) FROM event WHERE run >= ?1";
/// The events of one run after a place.
pub(super) const OF_RUN: &str = "SELECT seq, hash, body FROM event WHERE run = ?1 AND seq > ?2 ORDER BY seq";

/// One run as the journal's index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The run's id.
    pub run: String,
    /// Its first event's place.
    pub first: u64,
    /// Its newest event's place.
    pub last: u64,
}

impl Journal {
    /// The events after that place, the oldest first, `cap` at the most: what a tail asks for again and again.
    ///
    /// # Errors
    /// Where the file cannot be read, or an event was changed or is none.
    pub fn after(&self, seq: u64, cap: usize) -> Result<Vec<Record>, JournalError> {
        let cap = i64::try_from(cap).unwrap_or(i64::MAX);
        self.select("SELECT seq, hash, body FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2", params![place(seq), cap])
    }

    /// All events of that run, the oldest first.
    ///
    /// # Errors
    /// As [`Journal::after`].
    pub fn run(&self, run: &str) -> Result<Vec<Record>, JournalError> {
        self.run_after(run, 0)
    }

    /// The events of that run after that place, the oldest first.
    ///
    /// # Errors
    /// As [`Journal::after`].
    pub fn run_after(&self, run: &str, seq: u64) -> Result<Vec<Record>, JournalError> {
        if self.indexed()? {
            return self.select(OF_RUN, params![run, place(seq)]);
        }
        let is_its = |record: &Record| matches!(&record.event, Event::Run(of) if of.run == run);
        Ok(self.after(seq, usize::MAX)?.into_iter().filter(is_its).collect())
    }

    /// All runs, the one that began last first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn runs(&self) -> Result<Vec<Stretch>, JournalError> {
        if !self.indexed()? {
            return self.runs_one_by_one();
        }
        let mut all = Vec::new();
        let mut run = String::new();
        // From one run to the next by the index: as many look-ups as there are runs, not events.
        while let Some(next) = self.next_run(&run).map_err(|error| JournalError::of(&self.path, error))? {
            run.clone_from(&next.run);
            all.push(next);
        }
        all.sort_by_key(|stretch| std::cmp::Reverse(stretch.first));
        Ok(all)
    }

    /// The ids of the runs that begin so, in their order: as many look-ups as there are such runs.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn runs_named(&self, prefix: &str) -> Result<Vec<String>, JournalError> {
        if !self.indexed()? {
            let mut all: Vec<String> = self.runs_one_by_one()?.into_iter().map(|stretch| stretch.run).collect();
            all.retain(|run| run.starts_with(prefix));
            all.sort_unstable();
            return Ok(all);
        }
        let first = |sql: &str, from: &str| -> Result<Option<String>, JournalError> {
            let found = self.database.prepare_cached(sql).and_then(|mut next| next.query_row([from], |row| row.get(0)));
            found.map_err(|error| JournalError::of(&self.path, error))
        };
        let (mut all, mut next) = (Vec::new(), first(FROM, prefix)?);
        while let Some(run) = next.take_if(|run| run.starts_with(prefix)) {
            next = first(NEXT, &run)?;
            all.push(run);
        }
        Ok(all)
    }

    fn next_run(&self, after: &str) -> rusqlite::Result<Option<Stretch>> {
        let mut next = self.database.prepare_cached(NEXT)?;
        let Some(run) = next.query_row([after], |row| row.get::<_, Option<String>>(0))? else { return Ok(None) };
        let end = |sql: &str| -> rusqlite::Result<u64> {
            let seq: i64 = self.database.prepare_cached(sql)?.query_row([&run], |row| row.get(0))?;
            Ok(seq.cast_unsigned())
        };
        let (first, last) = (end("SELECT min(seq) FROM event WHERE run = ?1")?, end("SELECT max(seq) FROM event WHERE run = ?1")?);
        Ok(Some(Stretch { run, first, last }))
    }

    fn runs_one_by_one(&self) -> Result<Vec<Stretch>, JournalError> {
        let mut all: Vec<Stretch> = Vec::new();
        for record in self.after(0, usize::MAX)? {
            let Event::Run(of) = record.event else { continue };
            match all.iter_mut().find(|stretch| stretch.run == of.run) {
                Some(stretch) => stretch.last = record.seq,
                None => all.push(Stretch { run: of.run, first: record.seq, last: record.seq }),
            }
        }
        all.reverse();
        Ok(all)
    }

    /// Whether the file has the index of runs: one of version 1 has it only after the first event that this qd adds, and
    /// whoever reads must not change it.
    fn indexed(&self) -> Result<bool, JournalError> {
        let version: i32 = self
            .database
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| JournalError::of(&self.path, error))?;
        Ok(version >= 2)
    }

    /// Who acts by these events acts by what was written: each must still have its hash.
    fn select(&self, sql: &str, with: impl Params) -> Result<Vec<Record>, JournalError> {
        let refused = |error| JournalError::of(&self.path, error);
        let mut select = self.database.prepare_cached(sql).map_err(refused)?;
        let mut rows = select.query(with).map_err(refused)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(refused)? {
            let seq = row.get::<_, i64>(0).map_err(refused)?.cast_unsigned();
            let (hash, body) = (row.get_ref(1).map_err(refused)?, row.get_ref(2).map_err(refused)?);
            let body = body.as_blob().unwrap_or_default();
            if !hash.as_str().is_ok_and(|hash| is_digest(hash, body)) {
                return Err(JournalError::Damaged { path: self.path.clone(), what: format!("event {seq} was changed") });
            }
            all.push(serde_json::from_slice(body).map_err(|error| JournalError::NoEvent { seq, error })?);
        }
        Ok(all)
    }
}

fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
