//! `/api/v1/targets?state=active`: what is scraped, what is down, and how often. Pure: over bytes.

use serde::Deserialize;

use super::envelope::{Answered, Object, open};
use crate::model::age;
use crate::model::label::Interner;
use crate::model::source::{DownTarget, Targets};
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::wire::{Fault, Pairs, Text, list};

/// Targets that are down and named; all of them are counted.
const DOWN_CAP: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    /// Must be there, for its absence must not look like none.
    #[serde(borrow, deserialize_with = "list")]
    active_targets: Vec<RawTarget<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTarget<'a> {
    #[serde(borrow, default)]
    labels: Pairs<'a>,
    #[serde(borrow, default)]
    health: Text<'a>,
    #[serde(borrow, default)]
    last_error: Text<'a>,
    /// Since Prometheus 2.30; others may lack it.
    #[serde(borrow, default)]
    scrape_interval: Text<'a>,
}

/// The targets, counted. One that was not scraped yet has the health `unknown` and is neither up nor down.
pub(crate) fn targets(status: u16, bytes: &[u8]) -> Result<Answered<Targets>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<Raw<'_>>::new())?;
    let mut interner = Interner::default();
    let mut targets = Targets::default();
    for raw in &data.active_targets {
        targets.scrape = targets.scrape.max(age::parse(&raw.scrape_interval).ok());
        match &*raw.health {
            "up" => targets.up += 1,
            "down" => {
                targets.down_count += 1;
                if targets.down.len() < DOWN_CAP {
                    let error = clean(&raw.last_error, NOTE_CAP).into_owned();
                    targets.down.push(DownTarget { labels: interner.labels(raw.labels.iter()), error });
                }
            }
            _ => {}
        }
    }
    Ok(Answered { data: targets, notes })
}
