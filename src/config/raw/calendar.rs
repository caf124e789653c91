//! Windows, freezes and drills as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Key, Words};

/// A time of each week in which work may be done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawWindow {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// When, in the estate's zone: `Tue 02:00-04:00`, `Mon-Fri 22:00-06:00`, `Sat,Sun 00:00-24:00`, `daily 02:00-03:00`.
    #[schemars(with = "String")]
    pub when: Key<String>,
    /// The services; all of them without this key.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub services: Words,
}

/// A time in which nothing is deployed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawFreeze {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The first day in the estate's zone, such as `2026-12-18`.
    #[schemars(with = "String")]
    pub from: Key<String>,
    /// The last day, which belongs to it.
    #[schemars(with = "String")]
    pub to: Key<String>,
    /// The services; all of them without this key.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub services: Words,
}

/// A test that is to be made again and again: a failover, a restore.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawDrill {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// What it is about; all services without this key.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub services: Words,
    /// The most time between two of them, 1d to 731d.
    #[schemars(with = "String")]
    pub every: Key<String>,
    /// The day of the last one, such as `2026-09-14`; without this key there was none.
    #[schemars(with = "Option<String>")]
    pub last: Key<String>,
    /// The backup whose restore tests count as this drill.
    #[schemars(with = "Option<String>")]
    pub backup: Key<String>,
}
