//! The estate file as it is written: every key optional, unknown keys refused, places kept. `check` judges it.
//!
//! A key enters with the code that reads it; a test in `load` holds that each one changes the estate.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A value that may be missing, with its place.
pub(super) type Key<T> = Option<Spanned<T>>;
/// Names in a list, each with its place.
pub(super) type Words = Option<Spanned<Vec<Spanned<String>>>>;
/// Labels, each name and value with its place.
pub(super) type RawLabels = Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Raw {
    pub version: Key<i64>,
    pub estate: Key<RawIdentity>,
    #[serde(default)]
    pub site: Vec<Spanned<RawSite>>,
    #[serde(default)]
    pub service: Vec<Spanned<RawService>>,
    #[serde(default)]
    pub source: Vec<Spanned<RawSource>>,
    #[serde(default)]
    pub panel: Vec<Spanned<RawPanel>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawIdentity {
    pub name: Key<String>,
    pub environment: Key<String>,
    pub zone: Key<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawSite {
    pub name: Key<String>,
    pub role: Key<String>,
    pub labels: RawLabels,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawService {
    pub name: Key<String>,
    pub sites: Words,
    pub depends_on: Words,
    pub labels: RawLabels,
    pub runbook: Key<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawSource {
    pub name: Key<String>,
    pub kind: Key<String>,
    pub url: Key<String>,
    pub urls: Words,
    pub http_config: Key<String>,
    pub every: Key<String>,
    pub timeout: Key<String>,
    pub dead_man: RawLabels,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawPanel {
    pub name: Key<String>,
    pub service: Key<String>,
    pub source: Key<String>,
    pub query: Key<String>,
    pub unit: Key<String>,
    pub warn: Key<f64>,
    pub critical: Key<f64>,
}

/// The text of a key, or `None` where it is missing.
pub(super) fn text(key: &Key<String>) -> Option<&str> {
    key.as_ref().map(|k| k.get_ref().as_str())
}
