//! What happened in a time: what consoles saw of it, out of the cache, and what each Prometheus tells of alerts.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::app::ask::Past;
use crate::cache::Cache;
use crate::cache::seen::Seen;
use crate::model::estate::{Estate, SourceKind};
use crate::model::timeline::{SEEN, gap, unseen};
use crate::watch;

/// What the newest readings do not tell of the time from `from` to `to`. Ends by the deadlines of its sources.
pub async fn past(estate: &Arc<Estate>, cache: Option<&Path>, from: Timestamp, to: Timestamp) -> Past {
    let mut past = Past::default();
    let seen = seen(estate, cache, from, to);
    let asked = estate.sources.iter().enumerate().filter(|(_, source)| matches!(source.kind, SourceKind::Prometheus { .. }));
    let asked = join_all(asked.map(|(place, _)| watch::fired(estate, place, from, to)));
    let (seen, told) = tokio::join!(seen, asked);
    match seen {
        Some(seen) => {
            past.events.extend(seen.events);
            let what = "nobody looked: no console ran";
            past.events.extend(unseen(&seen.runs, from, to).into_iter().map(|time| gap(time, what.into(), SEEN.into())));
        }
        None => past.notes.push("nothing is kept of what consoles saw: there is no cache".into()),
    }
    for fired in told {
        past.events.extend(fired.events);
        past.notes.extend(fired.notes.into_iter().map(Arc::from));
    }
    past
}

/// What consoles saw; `None` without a cache.
async fn seen(estate: &Arc<Estate>, cache: Option<&Path>, from: Timestamp, to: Timestamp) -> Option<Seen> {
    let (estate, path) = (estate.clone(), cache.filter(|path| path.exists())?.to_owned());
    let reading = tokio::task::spawn_blocking(move || Some(Cache::open(&path).ok()?.0.seen(&estate, from, to)));
    // A home on a hung file server must not keep the rest from being told.
    tokio::time::timeout(super::CACHE_LIMIT, reading).await.ok()?.ok()?
}
