//! Takes in what a source tells anew: only what differs is written, all of it or nothing.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::join::{self, Touched};
use super::row::{SEED, decode, encode, family, number};
use super::{Deployments, WRITING, forget, place_number, sources};
use crate::cache::{CacheError, estate_key};
use crate::model::deployment::Deployment;
use crate::model::deployment::news::{Mark, News};
use crate::model::estate::Estate;

/// A row's time, how it is written, and the row.
type Written<'r> = (i64, Vec<u8>, &'r Arc<Deployment>);

/// A source while news of it are taken in.
struct Taking<'t> {
    transaction: &'t Transaction<'t>,
    estate: i64,
    source: i64,
    era: i64,
    touched: Touched,
}

impl Deployments {
    /// Takes in what the estate's source with this index tells anew; true where the deployments are others now. News of
    /// a log that do not begin where the index stands are refused whole: another console was quicker.
    ///
    /// # Errors
    /// Where the file cannot be written. Nothing of the news is in it then.
    pub fn take(&mut self, estate: &Estate, source: usize, news: &News) -> Result<bool, CacheError> {
        self.take_in(estate, source, news).map_err(|error| self.refused(error))
    }

    fn take_in(&mut self, estate: &Estate, place: usize, news: &News) -> rusqlite::Result<bool> {
        let digest = match news.ends {
            None if news.since.is_some() => Some(digest(&news.rows)?),
            _ => None,
        };
        // Mostly nothing is new: that is found out without waiting for another console that writes.
        if digest.is_some() && digest == self.stored_mark(estate, place)? {
            return Ok(false);
        }
        self.database.pragma_update(None, "cache_size", -WRITING)?;
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let estate: i64 = transaction
            .prepare_cached(
                "INSERT INTO estate (path, sources, total, seen) VALUES (?1, ?2, 0, unixepoch())
                 ON CONFLICT (path, sources) DO UPDATE SET seen = unixepoch() RETURNING id",
            )?
            .query_row(params![estate_key(estate), sources(estate)], |row| row.get(0))?;
        let (source, era, mark): (i64, i64, Option<String>) = transaction
            .prepare_cached(
                "INSERT INTO source (estate, place, era) VALUES (?1, ?2, 0)
                 ON CONFLICT (estate, place) DO UPDATE SET era = era RETURNING id, era, mark",
            )?
            .query_row(params![estate, place_number(place)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mark: Option<Mark> = mark.and_then(|text| serde_json::from_str(&text).ok());
        if news.ends.is_some() && news.begins != mark {
            return Ok(false);
        }
        let rotated = matches!((&news.begins, &news.ends), (Some(begins), Some(ends)) if !begins.same_file(ends));
        let era = if rotated { era + 1 } else { era };
        let mut taking = Taking { transaction: &transaction, estate, source, era, touched: Touched::new() };
        match news.since {
            Some(since) => taking.replace(since.as_microsecond(), &news.rows)?,
            None => news.rows.iter().rev().try_for_each(|one| taking.add(one, encode(one)?))?,
        }
        let touched = taking.touched;
        let changed = join::again(&transaction, estate, touched)?;
        let mark = match &news.ends {
            Some(ends) => Some(serde_json::to_string(ends).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?),
            None => digest,
        };
        transaction.prepare_cached("UPDATE source SET mark = ?2, era = ?3 WHERE id = ?1")?.execute(params![source, mark, era])?;
        forget::one(&transaction)?;
        transaction.commit()?;
        Ok(changed > 0)
    }

    /// What is kept of where the source stands; a text that is only compared.
    fn stored_mark(&self, estate: &Estate, place: usize) -> rusqlite::Result<Option<String>> {
        let Some(estate) = self.estate(estate)? else { return Ok(None) };
        let mut select = self.database.prepare_cached("SELECT mark FROM source WHERE estate = ?1 AND place = ?2")?;
        Ok(select.query_row(params![estate, place_number(place)], |row| row.get(0)).optional()?.flatten())
    }
}

/// Tells one whole answer from another.
fn digest(rows: &[Arc<Deployment>]) -> rusqlite::Result<String> {
    let mut digest = SEED;
    for one in rows {
        let bytes = encode(one)?;
        digest = number(digest, &String::from_utf8_lossy(&bytes));
    }
    Ok(format!("whole {} {digest:x}", rows.len()))
}

impl Taking<'_> {
    /// Makes what was told of that time and later these rows. Those of one moment stay or go together: so their order
    /// is the one in which they are told.
    fn replace(&mut self, since: i64, rows: &[Arc<Deployment>]) -> rusqlite::Result<()> {
        let mut wanted = Vec::with_capacity(rows.len());
        for one in rows.iter().filter(|one| one.at.as_microsecond() >= since) {
            wanted.push((one.at.as_microsecond(), encode(one)?, one));
        }
        wanted.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let moments: Vec<&[Written<'_>]> = wanted.chunk_by(|a, b| a.0 == b.0).collect();
        let mut gone: Vec<(i64, i64, i64)> = Vec::new();
        let mut kept = vec![false; moments.len()];
        {
            let mut select = self
                .transaction
                .prepare_cached("SELECT n, at, family, row FROM told WHERE source = ?1 AND at >= ?2 ORDER BY at DESC, n DESC")?;
            let mut stored = select.query(params![self.source, since])?;
            let (mut place, mut moment, mut same) = (0, Vec::new(), 0);
            let mut close = |moment: &mut Vec<(i64, i64, i64)>, same: usize, place: usize| {
                let whole = moments.get(place).is_some_and(|rows| rows.len() == moment.len() && same == moment.len());
                match kept.get_mut(place) {
                    Some(kept) if whole => {
                        *kept = true;
                        moment.clear();
                    }
                    _ => gone.append(moment),
                }
            };
            while let Some(row) = stored.next()? {
                let (n, at, family): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if moment.first().is_some_and(|(_, first, _)| *first != at) {
                    close(&mut moment, same, place);
                    same = 0;
                }
                if moment.is_empty() {
                    place += moments[place.min(moments.len())..].partition_point(|rows| rows[0].0 > at);
                }
                let there = moments.get(place).filter(|rows| rows[0].0 == at).and_then(|rows| rows.get(moment.len()));
                same +=
                    usize::from(there.is_some_and(|(_, bytes, _)| {
                        row.get_ref(3).is_ok_and(|row| row.as_blob().is_ok_and(|row| row == bytes.as_slice()))
                    }));
                moment.push((n, at, family));
            }
            if !moment.is_empty() {
                close(&mut moment, same, place);
            }
        }
        for (n, at, family) in gone {
            self.remove(n, at, family)?;
        }
        let new = moments.iter().zip(kept).rev().filter(|(_, kept)| !kept);
        for (_, bytes, one) in new.flat_map(|(rows, _)| rows.iter().rev()) {
            self.insert(one, bytes)?;
        }
        Ok(())
    }

    /// Adds a row. One that stood in a file before this one and stands in this one again, as its first lines may, is
    /// told once.
    fn add(&mut self, one: &Deployment, bytes: Vec<u8>) -> rusqlite::Result<()> {
        if self.era > 0 {
            let former: Vec<(i64, i64, Vec<u8>)> = self
                .transaction
                .prepare_cached("SELECT n, family, row FROM told WHERE source = ?1 AND at = ?2 AND era < ?3")?
                .query_map(params![self.source, one.at.as_microsecond(), self.era], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (n, family, row) in former {
                let known = decode(&row)?;
                if (&known.service, &known.site, &known.to, &known.id) == (&one.service, &one.site, &one.to, &one.id) {
                    self.remove(n, known.at.as_microsecond(), family)?;
                }
            }
        }
        self.insert(one, &bytes)
    }

    fn remove(&mut self, n: i64, at: i64, family: i64) -> rusqlite::Result<()> {
        self.transaction.prepare_cached("DELETE FROM told WHERE n = ?1")?.execute([n])?;
        self.touched.entry(family).or_default().push(at);
        Ok(())
    }

    fn insert(&mut self, one: &Deployment, bytes: &[u8]) -> rusqlite::Result<()> {
        let (at, family) = (one.at.as_microsecond(), family(self.estate, one));
        self.transaction
            .prepare_cached("INSERT INTO told (source, era, at, family, row) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.source, self.era, at, family, bytes])?;
        self.touched.entry(family).or_default().push(at);
        Ok(())
    }
}
