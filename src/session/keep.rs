//! Keeps the newest answers for the next start: each source's at most once a minute, and all at exit. The samples of
//! pages and probes are kept too, and none is left out: a few seconds of them at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::app::message::Message;
use crate::cache::Cache;
use crate::model::estate::Estate;
use crate::model::reading::{Held, Outcome};
use crate::model::source::{Answer, Scrape};
use crate::model::timeline::Event;

/// Between two stores of one source: an answer may be megabytes, and disks of small machines wear out.
const EVERY: Duration = Duration::from_secs(60);
/// Between two stores of one source's samples.
const BATCH: Duration = Duration::from_secs(5);
/// Polls of one source whose samples may wait for a slow disk; then the oldest are lost.
const WAITING: usize = 600;
/// Events that may wait for a slow disk; more are lost.
const WAITING_EVENTS: usize = 5_000;
/// How long the last store may hold up the exit.
const LAST: Duration = Duration::from_secs(1);

/// Where answers are kept.
pub trait Store: Send + Sync + 'static {
    /// Keeps that answer of a source, by its place in the estate.
    ///
    /// # Errors
    /// One line for the log.
    fn store(&self, source: usize, held: &Held<Answer>) -> Result<(), String>;

    /// Adds the samples of these polls of a source.
    ///
    /// # Errors
    /// One line for the log.
    fn append(&self, source: usize, scrapes: &[Arc<Scrape>]) -> Result<(), String>;

    /// Keeps what a console saw that began at the first moment and runs at the second.
    ///
    /// # Errors
    /// One line for the log.
    fn saw(&self, began: Timestamp, now: Timestamp, events: &[Event]) -> Result<(), String> {
        let _ = (began, now, events);
        Ok(())
    }
}

/// The cache of an estate.
pub struct Shelf {
    cache: Mutex<Cache>,
    estate: Arc<Estate>,
}

impl Shelf {
    /// Keeps the answers of that estate in that cache.
    pub fn new(cache: Cache, estate: Arc<Estate>) -> Shelf {
        Shelf { cache: Mutex::new(cache), estate }
    }
}

impl Store for Shelf {
    fn store(&self, source: usize, held: &Held<Answer>) -> Result<(), String> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.store(&self.estate, source, held).map_err(|error| error.to_string())
    }

    fn append(&self, source: usize, scrapes: &[Arc<Scrape>]) -> Result<(), String> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.append(&self.estate, source, scrapes).map_err(|error| error.to_string())
    }

    fn saw(&self, began: Timestamp, now: Timestamp, events: &[Event]) -> Result<(), String> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.saw(&self.estate, began, now, events).map_err(|error| error.to_string())
    }
}

/// What is not kept yet, and when each source was kept last.
pub struct Keeper {
    store: Option<Arc<dyn Store>>,
    newest: Vec<Option<Held<Answer>>>,
    kept: Vec<Option<Instant>>,
    samples: Vec<Samples>,
    seen: SeenEvents,
    running: JoinSet<()>,
}

/// What was seen to happen and is not kept yet.
#[derive(Default)]
struct SeenEvents {
    waiting: Vec<Event>,
    /// When the console began, the moment of its first look; and the newest moment.
    times: Option<(Timestamp, Timestamp)>,
    /// When it was last kept.
    kept: Option<Instant>,
    busy: Arc<AtomicBool>,
}

/// The samples of one source that are not kept yet.
#[derive(Default)]
struct Samples {
    waiting: VecDeque<Arc<Scrape>>,
    kept: Option<Instant>,
    /// True while some of them are being written: a slow disk gets no second task.
    busy: Arc<AtomicBool>,
}

impl Samples {
    /// Those that are to be written now.
    fn due(&mut self) -> Option<Vec<Arc<Scrape>>> {
        let early = self.kept.is_some_and(|at| at.elapsed() < BATCH);
        if self.waiting.is_empty() || early || self.busy.load(Ordering::Acquire) {
            return None;
        }
        self.kept = Some(Instant::now());
        Some(self.waiting.drain(..).collect())
    }
}

impl Keeper {
    /// For so many sources; keeps nothing where there is no store.
    pub fn new(store: Option<Arc<dyn Store>>, sources: usize) -> Keeper {
        Keeper {
            store,
            newest: vec![None; sources],
            kept: vec![None; sources],
            samples: (0..sources).map(|_| Samples::default()).collect(),
            seen: SeenEvents::default(),
            running: JoinSet::new(),
        }
    }

    /// Takes note of what was seen to happen until `now`, and that the console runs then. Never waits.
    pub fn saw(&mut self, events: &[Event], now: Timestamp) {
        let Some(store) = &self.store else { return };
        let seen = &mut self.seen;
        let began = seen.times.map_or(now, |(began, _)| began);
        seen.times = Some((began, now));
        let room = WAITING_EVENTS.saturating_sub(seen.waiting.len());
        seen.waiting.extend(events.iter().take(room).cloned());
        let wait = if seen.waiting.is_empty() { EVERY } else { BATCH };
        if seen.kept.is_some_and(|at| at.elapsed() < wait) || seen.busy.load(Ordering::Acquire) {
            return;
        }
        seen.kept = Some(Instant::now());
        seen.busy.store(true, Ordering::Release);
        let (store, busy, events) = (store.clone(), seen.busy.clone(), std::mem::take(&mut seen.waiting));
        while self.running.try_join_next().is_some() {}
        self.running.spawn_blocking(move || {
            see(store.as_ref(), began, now, &events);
            busy.store(false, Ordering::Release);
        });
    }

    /// Takes note of an answer, and keeps it where the last time is long enough ago. Never waits.
    pub fn note(&mut self, message: &Message) {
        let Some(store) = &self.store else { return };
        let Message::Read { source, outcome: Outcome::Value { value, as_of }, .. } = message else { return };
        let (Some(newest), Some(kept)) = (self.newest.get_mut(*source), self.kept.get_mut(*source)) else { return };
        while self.running.try_join_next().is_some() {}
        if let (Some(scrape), Some(samples)) = (value.scrape(), self.samples.get_mut(*source)) {
            if samples.waiting.len() >= WAITING {
                samples.waiting.pop_front();
            }
            samples.waiting.push_back(scrape.clone());
            if let Some(due) = samples.due() {
                let (store, source, busy) = (store.clone(), *source, samples.busy.clone());
                busy.store(true, Ordering::Release);
                self.running.spawn_blocking(move || {
                    append(store.as_ref(), source, &due);
                    busy.store(false, Ordering::Release);
                });
            }
        }
        let held = Held { value: value.clone(), as_of: *as_of, cached: false };
        if kept.is_some_and(|at| at.elapsed() < EVERY) {
            *newest = Some(held);
            return;
        }
        (*newest, *kept) = (None, Some(Instant::now()));
        let (store, source) = (store.clone(), *source);
        self.running.spawn_blocking(move || keep(store.as_ref(), source, &held));
    }

    /// Keeps what is not kept yet. Gives up after a second.
    pub async fn finish(&mut self) {
        let Some(store) = self.store.clone() else { return };
        let newest = std::mem::take(&mut self.newest);
        let samples = std::mem::take(&mut self.samples);
        let seen = std::mem::take(&mut self.seen);
        let all = async {
            // The older ones first: one that came last would win.
            while self.running.join_next().await.is_some() {}
            let last = tokio::task::spawn_blocking(move || {
                if let Some((began, now)) = seen.times {
                    see(store.as_ref(), began, now, &seen.waiting);
                }
                for (source, samples) in samples.into_iter().enumerate().filter(|(_, samples)| !samples.waiting.is_empty()) {
                    append(store.as_ref(), source, &Vec::from(samples.waiting));
                }
                for (source, held) in newest.into_iter().enumerate() {
                    held.iter().for_each(|held| keep(store.as_ref(), source, held));
                }
            });
            let _ = last.await;
        };
        if tokio::time::timeout(LAST, all).await.is_err() {
            tracing::warn!("the cache took too long; its newest readings are lost");
        }
    }
}

fn keep(store: &dyn Store, source: usize, held: &Held<Answer>) {
    if let Err(error) = store.store(source, held) {
        tracing::warn!(%error, "an answer could not be kept");
    }
}

fn see(store: &dyn Store, began: Timestamp, now: Timestamp, events: &[Event]) {
    if let Err(error) = store.saw(began, now, events) {
        tracing::warn!(%error, "what was seen to happen could not be kept");
    }
}

fn append(store: &dyn Store, source: usize, scrapes: &[Arc<Scrape>]) {
    if let Err(error) = store.append(source, scrapes) {
        tracing::warn!(%error, "samples could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::ProbeAnswer;

    #[derive(Default)]
    struct Kept(Mutex<Vec<(usize, i64)>>, Mutex<Vec<Vec<i64>>>);

    impl Store for Kept {
        fn store(&self, source: usize, held: &Held<Answer>) -> Result<(), String> {
            self.0.lock().unwrap().push((source, held.as_of.as_second()));
            Ok(())
        }

        fn append(&self, source: usize, scrapes: &[Arc<Scrape>]) -> Result<(), String> {
            assert_eq!(source, 1);
            self.1.lock().unwrap().push(scrapes.iter().map(|scrape| scrape.at.as_second()).collect());
            Ok(())
        }
    }

    fn read(source: usize, second: i64) -> Message {
        let at = Timestamp::from_second(second).unwrap();
        Message::Read { source, outcome: Outcome::Value { value: Answer::Prometheus(Arc::default()), as_of: at }, next_try: at }
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_kept_once_a_minute_and_at_the_end() {
        let kept = Arc::new(Kept::default());
        let mut keeper = Keeper::new(Some(kept.clone()), 2);
        for second in 0..100 {
            keeper.note(&read(0, second));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        keeper.note(&read(1, 7));
        keeper.note(&read(9, 7));
        keeper.finish().await;
        let mut all = kept.0.lock().unwrap().clone();
        assert_eq!(all.last(), Some(&(0, 99)), "the newest is kept last");
        all.sort_unstable();
        assert_eq!(all, [(0, 0), (0, 60), (0, 99), (1, 7)]);
    }

    fn probed(second: i64) -> Message {
        let at = Timestamp::from_second(second).unwrap();
        let answer = ProbeAnswer { scrape: Some(Arc::new(Scrape { at, samples: vec![] })), ..ProbeAnswer::default() };
        Message::Read { source: 1, outcome: Outcome::Value { value: Answer::Probe(Arc::new(answer)), as_of: at }, next_try: at }
    }

    #[tokio::test(start_paused = true)]
    async fn no_sample_is_left_out_and_they_are_written_a_few_seconds_at_a_time() {
        let kept = Arc::new(Kept::default());
        let mut keeper = Keeper::new(Some(kept.clone()), 2);
        for second in 0..23 {
            keeper.note(&probed(second));
            while keeper.running.join_next().await.is_some() {}
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        keeper.finish().await;
        let batches = kept.1.lock().unwrap().clone();
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, 5, 5, 5, 5, 2]);
        assert_eq!(batches.concat(), (0..23).collect::<Vec<i64>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_disk_gets_one_task_and_a_bounded_heap() {
        let mut keeper = Keeper::new(Some(Arc::new(Kept::default())), 2);
        keeper.samples[1].busy.store(true, Ordering::Release);
        for second in 0..2_000 {
            keeper.note(&probed(second));
        }
        let waiting = &keeper.samples[1].waiting;
        assert_eq!((waiting.len(), waiting.back().unwrap().at.as_second()), (WAITING, 1_999));
    }

    #[tokio::test]
    async fn without_a_store_nothing_is_kept() {
        let mut keeper = Keeper::new(None, 1);
        keeper.note(&read(0, 1));
        assert!(keeper.newest[0].is_none());
        keeper.finish().await;
    }
}
