//! What earlier starts saw of an estate's sources: samples, read from the cache.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::cache::Cache;
use crate::model::estate::Estate;
use crate::model::source::Scrape;
use crate::watch::Past;

/// The samples that the cache at `path` keeps of each source, rising in time. The cache is opened when it is first
/// asked, in the thread that asks; one that is not there is not made, and one that cannot be used costs no more than
/// its samples.
pub fn past(estate: Arc<Estate>, path: Option<PathBuf>) -> Past {
    let opened: Mutex<Option<Option<Cache>>> = Mutex::new(None);
    Arc::new(move |source| {
        let now = Timestamp::now();
        let Some(since) = Cache::reach(&estate, source, now) else { return vec![] };
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(cache) = opened.get_or_insert_with(|| open(path.clone())) else { return vec![] };
        let mut scrapes: Vec<Scrape> = cache.scrapes(&estate, source, since);
        // Of a clock that was ahead: nothing newer could be added to them.
        scrapes.retain(|scrape| scrape.at <= now);
        scrapes
    })
}

fn open(path: Option<PathBuf>) -> Option<Cache> {
    let path = path.filter(|path| path.exists())?;
    Cache::open(&path).inspect_err(|error| tracing::warn!(%error, "what earlier starts saw cannot be read")).ok().map(|(cache, _)| cache)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::message::Message;
    use crate::model::estate::tests::{bare, source};
    use crate::model::estate::{Probe, SourceKind};
    use crate::model::label::Labels;
    use crate::model::reading::Outcome;
    use crate::model::source::{Answer, ProbeAnswer};
    use crate::session::keep::{Keeper, Shelf};
    use jiff::SignedDuration;

    fn estate(kind: SourceKind) -> Arc<Estate> {
        Arc::new(bare(vec![source("s", kind)]))
    }

    #[test]
    fn what_was_kept_is_given_as_far_as_the_source_keeps_it_and_the_clock_allows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.db");
        let keep = SignedDuration::from_hours(6);
        let estate = estate(SourceKind::Probe { probe: Probe::Tcp { address: "a:1".into() }, keep });
        let now = Timestamp::now();
        let hours = |hours| now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        let scrape = |at| Arc::new(Scrape { at, samples: vec![(Labels::new([("__name__", "probe_success")]), 1.0)] });
        let none = past(estate.clone(), Some(path.clone()));
        assert!(none(0).is_empty() && !path.exists(), "nothing is made for a look");
        let cache = Cache::open(&path).unwrap().0;
        cache.append(&estate, 0, &[scrape(hours(-5)), scrape(hours(-1))]).unwrap();
        let known = past(estate.clone(), Some(path.clone()));
        assert_eq!(known(0).len(), 2, "while another console has it open");
        cache.append(&estate, 0, &[scrape(hours(3))]).unwrap();
        assert_eq!(known(0).len(), 1, "the oldest is trimmed by then, and what is to come is not there yet");
        assert!(known(7).is_empty());
        assert!(past(estate.clone(), None)(0).is_empty());
    }

    #[test]
    fn a_broken_cache_costs_its_samples_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.db");
        drop(Cache::open(&path).unwrap().0);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let keep = SignedDuration::from_hours(6);
        let estate = estate(SourceKind::Probe { probe: Probe::Tcp { address: "a:1".into() }, keep });
        assert!(past(estate, Some(path))(0).is_empty());
    }

    #[tokio::test]
    async fn what_a_console_saw_is_there_at_its_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.db");
        let keep = SignedDuration::from_hours(6);
        let estate = estate(SourceKind::Probe { probe: Probe::Tcp { address: "a:1".into() }, keep });
        let shelf = Shelf::new(Cache::open(&path).unwrap().0, estate.clone());
        let mut keeper = Keeper::new(Some(Arc::new(shelf)), 1);
        let start = Timestamp::from_millisecond(Timestamp::now().as_millisecond() - 60_000).unwrap();
        let scrapes: Vec<Scrape> = (0..10)
            .map(|second| Scrape {
                at: start + SignedDuration::from_secs(second),
                samples: vec![(Labels::new([("__name__", "probe_success")]), second as f64)],
            })
            .collect();
        for scrape in &scrapes {
            let answer = ProbeAnswer { scrape: Some(Arc::new(scrape.clone())), ..ProbeAnswer::default() };
            let outcome = Outcome::Value { value: Answer::Probe(Arc::new(answer)), as_of: scrape.at };
            keeper.note(&Message::Read { source: 0, outcome, next_try: scrape.at });
        }
        keeper.finish().await;
        assert_eq!(past(estate, Some(path))(0), scrapes);
    }
}
