//! What looking around reads from the answers of a Prometheus. Pure: over bytes. Names that a screen or a query could not
//! hold are dropped here and counted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeSeed;

use super::super::envelope::{Answered, Object, open};
use super::{Places, TARGETS};
use crate::model::text::{LABEL_CAP, clean, is_hostile};
use crate::watch::wire::{Fault, Pairs, Text, json, list};

/// Labels that tell sites apart, in the order of preference.
const PLACES: [&str; 6] = ["site", "region", "datacenter", "dc", "cluster", "zone"];
/// More values of such a label are no sites.
const SITES: usize = 12;
/// Recording rules that are named.
const RECORDING: usize = 1_000;

/// What is scraped.
#[derive(Debug, Default)]
pub(super) struct Scraped {
    /// Active targets.
    pub targets: usize,
    /// By name.
    pub jobs: BTreeMap<String, Scrape>,
    /// By label, its values; too many of them are none.
    places: BTreeMap<&'static str, BTreeSet<String>>,
    /// By label, targets that have it.
    placed: BTreeMap<&'static str, usize>,
    /// Targets of jobs whose name cannot be shown.
    unfit: usize,
}

/// One job.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    /// Its targets.
    pub targets: usize,
    /// By label, its values.
    pub places: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Scraped {
    /// Jobs of which nothing else is known.
    pub fn of_jobs(names: Vec<String>) -> Scraped {
        let mut scraped = Scraped::default();
        for name in names.into_iter().take(TARGETS) {
            if fits(&name) {
                scraped.jobs.entry(name).or_default();
            } else {
                scraped.unfit += 1;
            }
        }
        scraped
    }

    fn take(&mut self, labels: &Pairs<'_>) {
        let Some((_, job)) = labels.iter().find(|(name, value)| *name == "job" && fits(value)) else {
            self.unfit += 1;
            return;
        };
        if !self.jobs.contains_key(job) {
            self.jobs.insert(job.to_owned(), Scrape::default());
        }
        let Some(of) = self.jobs.get_mut(job) else { return };
        of.targets += 1;
        for (name, value) in labels.iter() {
            let Some(label) = PLACES.into_iter().find(|label| *label == name).filter(|_| fits(value)) else { continue };
            *self.placed.entry(label).or_default() += 1;
            for values in [self.places.entry(label).or_default(), of.places.entry(label).or_default()] {
                // One more than are allowed says already that these are no sites.
                if values.len() <= SITES && !values.contains(value) {
                    values.insert(value.to_owned());
                }
            }
        }
    }

    /// The label that tells sites apart: the first with two values or more that most targets have, else the first that
    /// all have with the same value.
    pub fn places(&self) -> Option<Places> {
        let fit = |least: usize, share: usize| {
            PLACES.into_iter().find(|label| {
                let values = self.places.get(label).map_or(0, BTreeSet::len);
                let placed = self.placed.get(label).copied().unwrap_or(0);
                (least..=SITES).contains(&values) && placed * 2 >= self.targets.min(TARGETS) * share
            })
        };
        let label = fit(2, 1).or_else(|| fit(1, 2))?;
        Some(Places { label: label.to_owned(), values: self.places.get(label)?.iter().cloned().collect() })
    }

    /// What was left out.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.targets > TARGETS {
            notes.push(format!("of its {} targets the first {TARGETS} were looked at", self.targets));
        }
        if self.unfit > 0 {
            notes.push(format!("{} targets or jobs were left out: they have no name that can be shown", self.unfit));
        }
        notes
    }
}

/// True for a value that can be shown, and that stands in a query and a file as it is.
fn fits(value: &str) -> bool {
    !value.trim().is_empty() && value.len() <= LABEL_CAP && !value.chars().any(is_hostile)
}

/// Prometheus' classic metric names; others need quotes that older servers do not know.
pub(super) fn is_metric(name: &str) -> bool {
    name.len() <= 200
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTargets<'a> {
    #[serde(borrow, deserialize_with = "list")]
    active_targets: Vec<RawTarget<'a>>,
}

#[derive(Deserialize)]
struct RawTarget<'a> {
    #[serde(borrow, default)]
    labels: Pairs<'a>,
}

/// `/api/v1/targets`
pub(super) fn targets(status: u16, bytes: &[u8]) -> Result<Answered<Scraped>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<RawTargets<'_>>::new())?;
    let mut scraped = Scraped { targets: data.active_targets.len(), ..Scraped::default() };
    data.active_targets.iter().take(TARGETS).for_each(|target| scraped.take(&target.labels));
    Ok(Answered { data: scraped, notes })
}

/// The rules, as far as an estate is made of them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Written {
    pub alerting: usize,
    pub recording: Vec<String>,
    pub watchdog: Option<String>,
}

#[derive(Deserialize)]
struct RawRules<'a> {
    #[serde(borrow, deserialize_with = "list")]
    groups: Vec<RawGroup<'a>>,
}

#[derive(Deserialize)]
struct RawGroup<'a> {
    #[serde(borrow, default, deserialize_with = "list")]
    rules: Vec<RawRule<'a>>,
}

#[derive(Deserialize)]
struct RawRule<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    query: Text<'a>,
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
}

/// `/api/v1/rules`
pub(super) fn rules(status: u16, bytes: &[u8]) -> Result<Answered<Written>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<RawRules<'_>>::new())?;
    let mut written = Written::default();
    let mut recording = BTreeSet::new();
    for rule in data.groups.iter().flat_map(|group| &group.rules) {
        if &*rule.kind == "recording" {
            if recording.len() < RECORDING && is_metric(&rule.name) && is_levelled(&rule.name) {
                recording.insert(rule.name.to_string());
            }
            continue;
        }
        written.alerting += 1;
        if written.watchdog.is_none() && &*rule.state == "firing" && fits(&rule.name) && is_watchdog(&rule.name, &rule.query) {
            written.watchdog = Some(rule.name.to_string());
        }
    }
    written.recording = recording.into_iter().collect();
    Ok(Answered { data: written, notes })
}

/// `level:metric:operations`, as Prometheus' own practice names recording rules.
fn is_levelled(name: &str) -> bool {
    let parts: Vec<&str> = name.split(':').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
}

/// True for an alert that is made to fire always: by its usual names, or by a question whose answer is always yes.
fn is_watchdog(name: &str, query: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let query: String = query.chars().filter(|c| !c.is_whitespace()).collect();
    ["watchdog", "deadmansswitch", "deadmanswitch", "deadman"].contains(&name.as_str()) || query == "vector(1)"
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAlertmanagers<'a> {
    #[serde(borrow, deserialize_with = "list")]
    active_alertmanagers: Vec<RawAlertmanager<'a>>,
}

#[derive(Deserialize)]
struct RawAlertmanager<'a> {
    #[serde(borrow, default)]
    url: Text<'a>,
}

/// `/api/v1/alertmanagers`: root addresses, each once. What Prometheus posts to ends in `/api/v2/alerts`.
pub(super) fn alertmanagers(status: u16, bytes: &[u8]) -> Result<Answered<Vec<String>>, Fault> {
    let Answered { data, notes } = open(status, bytes, Object::<RawAlertmanagers<'_>>::new())?;
    let root = |url: &str| {
        let url = ["/api/v2/alerts", "/api/v1/alerts"].into_iter().find_map(|end| url.strip_suffix(end))?;
        Some(url.trim_end_matches('/').to_owned())
    };
    let urls: BTreeSet<String> = data.active_alertmanagers.iter().filter_map(|known| root(&known.url)).collect();
    Ok(Answered { data: urls.into_iter().collect(), notes })
}

/// `/api/v1/label/<name>/values`
pub(super) fn values(status: u16, bytes: &[u8]) -> Result<Answered<Vec<String>>, Fault> {
    let Answered { mut data, notes } = open(status, bytes, Listed)?;
    data.truncate(TARGETS);
    Ok(Answered { data, notes })
}

/// A list of texts.
struct Listed;

impl<'de> DeserializeSeed<'de> for Listed {
    type Value = Vec<String>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Vec<String>, D::Error> {
        Vec::deserialize(from)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus<'a> {
    #[serde(borrow)]
    version_info: RawVersion<'a>,
}

#[derive(Deserialize)]
struct RawVersion<'a> {
    #[serde(borrow, default)]
    version: Text<'a>,
}

/// `/api/v2/status` of an Alertmanager.
pub(super) fn alertmanager_version(bytes: &[u8]) -> Result<String, Fault> {
    let status: RawStatus<'_> = json(bytes, "Alertmanager")?;
    Ok(clean(&status.version_info.version, LABEL_CAP).into_owned())
}
