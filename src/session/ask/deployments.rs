//! Reads the history of deployments for a view: pieces of the list, counts, neighbours. A newer question stops the older
//! one of its kind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use crate::app::ask::{Exported, Question, Rows, Told, Want, Whole};
use crate::app::filter::Plan;
use crate::cache::CacheError;
use crate::cache::deployments::Deployments;
use crate::model::deployment::Deployment;
use crate::model::deployment::list::{Column, From, Narrow, Piece, Place};
use crate::model::estate::Estate;
use crate::session::archive::Archive;

/// Between two tellings of what was found so far.
const CALM: Duration = Duration::from_millis(50);
/// The longest that one question may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Tells what is known before the answer.
pub type Early = Arc<dyn Fn(Told) + Send + Sync>;

/// The history of an estate, as views ask it.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

struct Inner {
    estate: Arc<Estate>,
    archive: Arc<Archive>,
    /// Stops the export under way.
    exporting: Mutex<Arc<AtomicBool>>,
    /// A handle of its own for each kind of question: a long count holds no piece up.
    pieces: Reader,
    counts: Reader,
}

#[derive(Default)]
struct Reader {
    handle: Mutex<Option<Deployments>>,
    /// The number of the newest question, and what stops it.
    newest: Mutex<(u64, Arc<AtomicBool>)>,
}

impl Reader {
    /// What stops the question of that number; the older one is stopped. Each question is a task of its own, so that an
    /// older one may come after a newer one: it is stopped before it begins.
    fn begin(&self, number: u64) -> Arc<AtomicBool> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if number < newest.0 {
            return Arc::new(AtomicBool::new(true));
        }
        let flag = Arc::new(AtomicBool::new(false));
        std::mem::replace(&mut *newest, (number, flag.clone())).1.store(true, Ordering::Relaxed);
        flag
    }
}

impl Index {
    /// The history of that estate in that archive; nothing is opened yet.
    pub fn new(estate: Arc<Estate>, archive: Arc<Archive>) -> Index {
        let (pieces, counts) = (Reader::default(), Reader::default());
        Index(Arc::new(Inner { estate, archive, exporting: Mutex::default(), pieces, counts }))
    }

    /// The flag of a new export.
    pub(super) fn exporting(&self) -> Arc<AtomicBool> {
        let flag = Arc::new(AtomicBool::new(false));
        *self.0.exporting.lock().unwrap_or_else(PoisonError::into_inner) = flag.clone();
        flag
    }

    /// Stops the export under way, which then tells so itself.
    pub(super) fn stop_export(&self) -> Told {
        self.0.exporting.lock().unwrap_or_else(PoisonError::into_inner).store(true, Ordering::Relaxed);
        Told::Export(0, Exported::Stopped)
    }

    /// Tells every deployment that passes, the newest first. Through a handle of its own: it may take long.
    pub(super) fn each(&self, plan: &Plan, stop: &AtomicBool, tell: &mut dyn FnMut(Deployment)) -> Result<(), String> {
        self.0.with(&Reader::default(), |index| index.each(&self.0.estate, &plan.narrow, &mut |one| plan.lets(one), stop, tell))
    }

    /// A piece of the list.
    pub async fn piece(&self, question: Question, early: Early) -> Told {
        let (inner, stop) = (self.0.clone(), self.0.pieces.begin(question.number));
        let number = question.number;
        let done = run(stop.clone(), move || inner.piece(&question, &early, &stop)).await;
        let (piece, whole) = done.map_or_else(|why| (Err(why), Whole::default()), |(piece, whole)| (Ok(piece), whole));
        Told::Deployments(Rows { number, done: true, piece, whole })
    }

    /// How many rows pass.
    pub async fn count(&self, number: u64, plan: Plan, early: Early) -> Told {
        let (inner, stop) = (self.0.clone(), self.0.counts.begin(number));
        let flag = stop.clone();
        let count = run(stop, move || {
            let mut told = |count| early(Told::DeploymentCount { number, count, done: false });
            inner.with(&inner.counts, |index| {
                let mut test = |one: &Deployment| plan.lets(one);
                let test: Option<crate::cache::deployments::Test<'_>> = if plan.rest.is_empty() { None } else { Some(&mut test) };
                index.count(&inner.estate, &plan.narrow, test, &flag, &mut told)
            })
        });
        match count.await {
            Ok(count) => Told::DeploymentCount { number, count, done: true },
            // The list itself tells why it cannot be read.
            Err(_) => Told::DeploymentCount { number, count: 0, done: false },
        }
    }

    /// What was deployed before and after.
    pub async fn neighbours(&self, of: Arc<Deployment>) -> Told {
        let inner = self.0.clone();
        let key = of.key.clone();
        let found = run(Arc::default(), move || {
            inner.with(&inner.counts, |index| {
                let narrow = Narrow { equal: vec![(Column::Service, of.service.clone())], ..Narrow::default() };
                let mut own = |one: &Deployment| one.is_of(&of.service, of.site.as_deref());
                let never = AtomicBool::new(false);
                let mut one = |from: From| {
                    let piece = index.piece(&inner.estate, &narrow, &from, 1, &mut own, &never)?;
                    Ok::<_, CacheError>(piece.rows.into_iter().next())
                };
                Ok((one(From::After(Place::of(&of)))?, one(From::Before(Place::of(&of)))?))
            })
        });
        let (before, after) = found.await.unwrap_or_default();
        Told::DeploymentNeighbours { key, before, after }
    }
}

impl Inner {
    fn with<T>(&self, reader: &Reader, read: impl FnOnce(&Deployments) -> Result<T, CacheError>) -> Result<T, String> {
        let mut handle = reader.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if handle.as_ref().is_some_and(|open| !open.is_there()) {
            *handle = None;
        }
        if handle.is_none() {
            *handle = self.archive.handle();
        }
        match handle.as_ref() {
            Some(index) => read(index).map_err(|error| error.to_string()),
            None => self.archive.read(|index, _| read(index)),
        }
    }

    fn piece(&self, question: &Question, early: &Early, stop: &AtomicBool) -> Result<(Piece, Whole), String> {
        self.with(&self.pieces, |index| {
            let whole = whole(index, &self.estate)?;
            let Question { number, plan, want, rows } = question;
            let (mut found, mut told) = (Vec::new(), Instant::now());
            let searches = !plan.narrow.words.is_empty() || !plan.rest.is_empty();
            let mut test = |one: &Deployment| {
                let passes = plan.lets(one);
                // What is searched for is told as it is found: to the end of the list it may be a while.
                if passes && searches && *want == Want::Newest {
                    found.push(Arc::new(one.clone()));
                    if found.len() <= *rows && (found.len() == 1 || told.elapsed() > CALM) {
                        told = Instant::now();
                        let piece = Ok(Piece { rows: found.clone(), newer: false, older: true });
                        early(Told::Deployments(Rows { number: *number, done: false, piece, whole }));
                    }
                }
                passes
            };
            let mut read = |from: From| index.piece(&self.estate, &plan.narrow, &from, *rows, &mut test, stop);
            let piece = match want {
                Want::Newest => read(From::Newest)?,
                Want::Oldest => read(From::Oldest)?,
                Want::At(at) => read(From::At(*at))?,
                Want::After(place) => read(From::After(place.clone()))?,
                Want::Before(place) => read(From::Before(place.clone()))?,
                Want::Around(place) => {
                    let mut above = read(From::Before(place.clone()))?;
                    // Just before the place, so that the row there is the first.
                    let key = format!("{}\0", place.key).into();
                    let below = read(From::After(Place { at: place.at, key }))?;
                    above.rows.extend(below.rows);
                    Piece { rows: above.rows, newer: above.newer, older: below.older }
                }
            };
            Ok((piece, whole))
        })
    }
}

fn whole(index: &Deployments, estate: &Estate) -> Result<Whole, CacheError> {
    let never = AtomicBool::new(false);
    let end = |from: From| {
        let piece = index.piece(estate, &Narrow::default(), &from, 1, &mut |_| true, &never)?;
        Ok::<_, CacheError>(piece.rows.first().map(|one| one.at))
    };
    let reach = end(From::Oldest)?.zip(end(From::Newest)?);
    Ok(Whole { total: index.total(estate)?, reach })
}

/// Reads on a thread that may wait for the disk, and stops it where it takes too long.
async fn run<T: Send + 'static>(stop: Arc<AtomicBool>, read: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    match tokio::time::timeout(LIMIT, spawn_blocking(read)).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err("reading the history broke off".to_owned()),
        Err(_) => {
            stop.store(true, Ordering::Relaxed);
            Err(format!("reading the history took longer than {} s: narrow the filter by a time or a service", LIMIT.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_question_that_comes_late_does_not_stop_the_newer_one() {
        let reader = Reader::default();
        let stopped = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        let (first, third) = (reader.begin(1), reader.begin(3));
        assert!(stopped(&first) && !stopped(&third));
        let second = reader.begin(2);
        assert!(stopped(&second) && !stopped(&third));
        let fourth = reader.begin(4);
        assert!(stopped(&third) && !stopped(&fourth));
    }
}
