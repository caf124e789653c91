//! Takes in what a source tells anew: only what differs is written.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::row::{encode, family};
use super::{Deployments, join, number, sources};
use crate::cache::{CacheError, estate_key};
use crate::model::deployment::news::{Mark, News};
use crate::model::estate::Estate;

/// What changed in a source: the families of it.
struct Touched<'t> {
    transaction: &'t Transaction<'t>,
    source: i64,
    estate: i64,
    families: BTreeSet<i64>,
}

impl Deployments {
    /// Takes in what the estate's source with this index tells anew; true where the deployments are others now. News
    /// that do not begin where the index ends are refused whole, as another console was quicker: false.
    ///
    /// # Errors
    /// Where the file cannot be written. Nothing of the news is in it then.
    pub fn take(&mut self, estate: &Estate, source: usize, news: &News) -> Result<bool, CacheError> {
        self.take_in(estate, source, news).map_err(|error| self.refused(error))
    }

    fn take_in(&mut self, estate: &Estate, place: usize, news: &News) -> rusqlite::Result<bool> {
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let estate: i64 = transaction
            .prepare_cached(
                "INSERT INTO estate (path, sources, total, seen) VALUES (?1, ?2, 0, 0)
                 ON CONFLICT (path, sources) DO UPDATE SET seen = 0 RETURNING id",
            )?
            .query_row(params![estate_key(estate), sources(estate)], |row| row.get(0))?;
        let (source, era, mark): (i64, i64, Option<String>) = transaction
            .prepare_cached(
                "INSERT INTO source (estate, place, era) VALUES (?1, ?2, 0)
                 ON CONFLICT (estate, place) DO UPDATE SET era = era RETURNING id, era, mark",
            )?
            .query_row(params![estate, number(place)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mark: Option<Mark> = mark.and_then(|text| serde_json::from_str(&text).ok());
        if news.begins.is_some() && news.begins != mark {
            return Ok(false);
        }
        let mut touched = Touched { transaction: &transaction, source, estate, families: BTreeSet::new() };
        if let Some(since) = news.since {
            touched.forget(since)?;
        }
        for one in news.rows.iter().rev() {
            touched.add(era, one)?;
        }
        let families = touched.families;
        let changed = join::again(&transaction, estate, &families)?;
        if let Some(ends) = &news.ends {
            let text = serde_json::to_string(ends).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            transaction.prepare_cached("UPDATE source SET mark = ?2 WHERE id = ?1")?.execute(params![source, text])?;
        }
        transaction.commit()?;
        Ok(changed > 0)
    }
}

impl Touched<'_> {
    /// Removes what was told of that time and later.
    fn forget(&mut self, since: Timestamp) -> rusqlite::Result<()> {
        let mut gone = self.transaction.prepare_cached("DELETE FROM told WHERE source = ?1 AND at >= ?2 RETURNING family")?;
        let families = gone.query_map(params![self.source, since.as_microsecond()], |row| row.get(0))?;
        for family in families {
            self.families.insert(family?);
        }
        Ok(())
    }

    fn add(&mut self, era: i64, one: &crate::model::deployment::Deployment) -> rusqlite::Result<()> {
        let family = family(self.estate, one);
        self.transaction
            .prepare_cached("INSERT INTO told (source, era, at, family, row) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.source, era, one.at.as_microsecond(), family, encode(one)?])?;
        self.families.insert(family);
        Ok(())
    }
}
