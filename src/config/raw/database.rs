//! `[[database]]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Key, Words};
use crate::config::check::DATABASES;

/// A replicated database: its nodes, each asked itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("required" = ["name", "kind", "nodes"]))]
pub(in crate::config) struct RawDatabase {
    /// Its name; no source has the same.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `postgres`.
    #[schemars(with = "String", extend("enum" = DATABASES))]
    pub kind: Key<String>,
    /// Its nodes, primary and standbys, in libpq's words: `host=db1 port=5432 user=qd dbname=postgres sslmode=verify-full`, or the name of a service of `pg_service.conf`. A password stands in the password file (PGPASSFILE, `~/.pgpass`, or `passfile=`).
    #[schemars(with = "Vec<String>", extend("minItems" = 1))]
    pub nodes: Words,
    /// The service whose database it is.
    #[schemars(with = "Option<String>")]
    pub service: Key<String>,
    /// The site that it is in, where it is in one only.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// The time between two tries, 1s to 24h; 10s without this key.
    #[schemars(with = "Option<String>")]
    pub every: Key<String>,
    /// How long one try may take, 100ms to 5m; the smaller of `every` and 10s without this key.
    #[schemars(with = "Option<String>")]
    pub timeout: Key<String>,
    /// From this lag of a standby on it is a warning: bytes such as `16MiB`, or the time that a commit takes to be replayed, such as `30s`. `64MiB` without this key.
    #[schemars(with = "Option<String>")]
    pub warn: Key<String>,
    /// From this lag on it is critical. `1GiB` without this key and without `warn`.
    #[schemars(with = "Option<String>")]
    pub critical: Key<String>,
    /// How much log a slot may retain, such as `10GiB`, which it is without this key.
    #[schemars(with = "Option<String>")]
    pub slot_limit: Key<String>,
    /// From this share of the connections that ordinary users may have on, 0.01 to 1, it is a warning; 0.85 without this key.
    #[schemars(with = "Option<f64>")]
    pub connections_warn: Key<f64>,
    /// From this age of an open transaction on it is a warning; `1h` without this key.
    #[schemars(with = "Option<String>")]
    pub longest_transaction_warn: Key<String>,
    /// From this time on that a client leaves its transaction open and asks nothing it is a warning; `10m` without this key.
    #[schemars(with = "Option<String>")]
    pub idle_transaction_warn: Key<String>,
}
