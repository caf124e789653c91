//! Pieces of the list, counts, and single rows. What is not shown is never held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use memchr::memmem::Finder;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use super::question::{self, Order, Stretch, at, statement, words};
use super::row::decode;
use super::{Deployments, Test};
use crate::cache::CacheError;
use crate::model::deployment::Deployment;
use crate::model::deployment::list::{Column, From, Narrow, Piece};
use crate::model::estate::Estate;

/// A row that the narrowing lets through, before it is read whole.
struct Found {
    n: i64,
}

/// Between two words about a count.
const TELL: usize = 50_000;

/// True: go on.
type Visit<'v> = &'v mut dyn FnMut(Found) -> rusqlite::Result<bool>;

impl Deployments {
    /// A piece of the list: at most so many rows that pass, from there on. Where it is stopped it is not whole.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn piece(
        &self,
        estate: &Estate,
        narrow: &Narrow,
        from: &From,
        rows: usize,
        test: Test<'_>,
        stop: &AtomicBool,
    ) -> Result<Piece, CacheError> {
        let read = || {
            let Some(estate) = self.estate(estate)? else { return Ok(Piece::default()) };
            let all = Stretch::of(narrow);
            let mut some = |stretch: &Stretch, down: bool, rows: usize| self.some(estate, narrow, stretch, down, rows, test, stop);
            let (stretch, down) = match from {
                From::Newest => (all.clone(), true),
                From::Oldest => (all.clone(), false),
                From::After(place) => (all.clone().before(place), true),
                From::Before(place) => (all.clone().after(place), false),
                From::At(time) => (all.clone().until(*time), true),
            };
            let mut found = some(&stretch, down, rows.saturating_add(1))?;
            let more = found.len() > rows;
            found.truncate(rows);
            if !down {
                found.reverse();
            }
            // On the other side of where it begins.
            let (newer, older) = match from {
                From::Newest => (false, more),
                From::Oldest => (more, false),
                From::After(place) => {
                    let mut rest = all.after(place);
                    rest.low = at(place);
                    (!some(&rest, false, 1)?.is_empty(), more)
                }
                From::Before(place) => {
                    let mut rest = all;
                    rest.high = rest.high.min((place.at.as_microsecond(), format!("{}\0", place.key)));
                    (more, !some(&rest, true, 1)?.is_empty())
                }
                From::At(time) => {
                    let mut rest = all;
                    rest.low = rest.low.max((time.as_microsecond().saturating_add(1), String::new()));
                    (!some(&rest, false, 1)?.is_empty(), more)
                }
            };
            Ok(Piece { rows: found, newer, older })
        };
        let mut read = read;
        read().map_err(|error| self.refused(error))
    }

    /// How many rows pass; told on the way. Where it is stopped, how many it was until then.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn count(
        &self,
        estate: &Estate,
        narrow: &Narrow,
        mut test: Option<Test<'_>>,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(usize),
    ) -> Result<usize, CacheError> {
        let mut count = 0;
        let mut read = || {
            let Some(estate) = self.estate(estate)? else { return Ok(()) };
            if test.is_none() && words(narrow).is_empty() {
                count = self.count_by_index(estate, narrow)?;
                return Ok(());
            }
            self.walk(estate, narrow, &Stretch::of(narrow), Order::Down, stop, &mut |found| {
                let passes = match &mut test {
                    Some(test) => self.whole(found.n)?.is_some_and(|one| test(&one)),
                    None => true,
                };
                if passes {
                    count += 1;
                    if count % TELL == 0 {
                        tell(count);
                    }
                }
                Ok(true)
            })
        };
        read().map_err(|error| self.refused(error))?;
        Ok(count)
    }

    /// How many deployments there are of the estate.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn total(&self, estate: &Estate) -> Result<usize, CacheError> {
        let read = || {
            self.database
                .prepare_cached("SELECT total FROM estate WHERE path = ?1 AND sources = ?2")?
                .query_row(rusqlite::params![crate::cache::estate_key(estate), super::sources(estate)], |row| row.get::<_, i64>(0))
                .optional()
        };
        let total = read().map_err(|error| self.refused(error))?;
        Ok(usize::try_from(total.unwrap_or_default()).unwrap_or_default())
    }

    /// The deployments of that service, or of all, from `since` to `until`, both included, the newest first and no more
    /// than `most` of them; and whether there are more.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn between(
        &self,
        estate: &Estate,
        service: Option<&str>,
        since: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<(Vec<Arc<Deployment>>, bool), CacheError> {
        let equal = service.map(|service| (Column::Service, service.to_owned())).into_iter().collect();
        let narrow = Narrow { equal, words: Vec::new(), since: Some(since), until: Some(until) };
        let (mut all, mut more, stop) = (Vec::new(), false, AtomicBool::new(false));
        self.each(estate, &narrow, &mut |_| true, &stop, &mut |one| {
            if all.len() < most {
                all.push(Arc::new(one));
            } else {
                more = true;
                stop.store(true, Ordering::Relaxed);
            }
        })?;
        Ok((all, more))
    }

    /// The deployment with that [`Deployment::key`]; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn find(&self, estate: &Estate, key: &str) -> Result<Option<Deployment>, CacheError> {
        let read = || {
            let Some(estate) = self.estate(estate)? else { return Ok(None) };
            let Some(at) = moment(key) else { return Ok(None) };
            let n: Option<i64> = self
                .database
                .prepare_cached("SELECT n FROM line WHERE estate = ?1 AND at = ?2 AND key = ?3")?
                .query_row(rusqlite::params![estate, at.as_microsecond(), key], |row| row.get(0))
                .optional()?;
            n.map_or(Ok(None), |n| self.whole(n))
        };
        read().map_err(|error| self.refused(error))
    }

    /// Tells every row that passes, the newest first, for an export.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn each(
        &self,
        estate: &Estate,
        narrow: &Narrow,
        test: Test<'_>,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Deployment),
    ) -> Result<(), CacheError> {
        let mut read = || {
            let Some(estate) = self.estate(estate)? else { return Ok(()) };
            self.walk(estate, narrow, &Stretch::of(narrow), Order::Down, stop, &mut |found| {
                if let Some(one) = self.whole(found.n)?.filter(|one| test(one)) {
                    tell(one);
                }
                Ok(true)
            })
        };
        read().map_err(|error| self.refused(error))
    }

    /// At most so many rows that pass, in that direction.
    #[allow(clippy::too_many_arguments)]
    fn some(
        &self,
        estate: i64,
        narrow: &Narrow,
        stretch: &Stretch,
        down: bool,
        rows: usize,
        test: &mut dyn FnMut(&Deployment) -> bool,
        stop: &AtomicBool,
    ) -> rusqlite::Result<Vec<Arc<Deployment>>> {
        let mut some = Vec::new();
        if rows > 0 {
            let order = if down { Order::Down } else { Order::Up };
            self.walk(estate, narrow, stretch, order, stop, &mut |found| {
                if let Some(one) = self.whole(found.n)?.filter(|one| test(one)) {
                    some.push(Arc::new(one));
                }
                Ok(some.len() < rows)
            })?;
        }
        Ok(some)
    }

    /// Goes over the rows that the narrowing lets through, from the newest of the stretch on or from its oldest.
    fn walk(
        &self,
        estate: i64,
        narrow: &Narrow,
        stretch: &Stretch,
        order: Order,
        stop: &AtomicBool,
        visit: Visit<'_>,
    ) -> rusqlite::Result<()> {
        let words = words(narrow);
        let finders: Vec<Finder<'_>> = words.iter().map(|word| Finder::new(word.as_bytes())).collect();
        let (sql, values) = statement(estate, narrow, stretch, order, !finders.is_empty());
        let mut select = self.database.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if passes(row, &finders)? && !visit(Found { n: row.get(0)? })? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How many rows an index alone lets through.
    fn count_by_index(&self, estate: i64, narrow: &Narrow) -> rusqlite::Result<usize> {
        let (sql, values) = question::count(estate, narrow);
        let count: i64 = self.database.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The row with that number.
    fn whole(&self, n: i64) -> rusqlite::Result<Option<Deployment>> {
        let mut select = self.database.prepare_cached(
            "SELECT deployment.key, deployment.row, told.row FROM deployment LEFT JOIN told ON told.n = deployment.told
             WHERE deployment.n = ?1",
        )?;
        let read = |row: &Row<'_>| {
            let own = row.get_ref(1)?.as_blob_or_null()?;
            let Some(bytes) = (match own {
                Some(own) => Some(own),
                None => row.get_ref(2)?.as_blob_or_null()?,
            }) else {
                return Ok(None);
            };
            let mut one = decode(bytes)?;
            one.key = row.get_ref(0)?.as_str()?.into();
            Ok(Some(one))
        };
        Ok(select.query_row([n], read).optional()?.flatten())
    }
}

/// The time in a key: its last part, or the one before the number of those that are otherwise alike.
fn moment(key: &str) -> Option<Timestamp> {
    key.rsplit('/').take(2).find_map(|part| part.parse().ok())
}

fn passes(row: &Row<'_>, finders: &[Finder<'_>]) -> rusqlite::Result<bool> {
    if finders.is_empty() {
        return Ok(true);
    }
    let text = row.get_ref(1)?.as_bytes()?;
    Ok(finders.iter().all(|finder| finder.find(text).is_some()))
}
