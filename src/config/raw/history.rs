//! `[[history]]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::check::HISTORIES;
use super::{Key, Map, RawLabels, Words};

/// Where it is told what was deployed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("allOf" = [
    { "if": { "properties": { "kind": { "enum": ["releases", "git"] } } }, "then": { "required": ["service", "path"] } },
    { "if": { "properties": { "kind": { "const": "deploy-log" } } }, "then": { "required": ["path"] } },
    { "if": { "properties": { "kind": { "const": "sql" } } }, "then": { "required": ["conninfo", "query"] } },
]))]
pub(in crate::config) struct RawHistory {
    /// Its name; sources and histories have no name in common.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `deploy-log`: a file of JSON lines. `releases`: a folder with `releases` and a link `current`. `git`: the tags of a local clone. `sql`: a query of a PostgreSQL, a row for each deployment.
    #[schemars(with = "String", extend("enum" = HISTORIES))]
    pub kind: Key<String>,
    /// The file or the folder; a relative path is taken from the estate file's folder, and on a host it begins with `/`.
    #[schemars(with = "Option<String>")]
    pub path: Key<String>,
    /// Of releases: the host that the folder is on; this machine without this key.
    #[schemars(with = "Option<String>")]
    pub host: Key<String>,
    /// Of releases: the hosts that each have the folder.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub hosts: Words,
    /// Of releases: the deploy log on the same machine, a file of JSON lines; its times are taken for those of the folders. The last 256 KiB are read at each look.
    #[schemars(with = "Option<String>")]
    pub log: Key<String>,
    /// Of sql: the server in libpq's words, such as `host=db1 user=qd dbname=deploys`, or the name of a service of `pg_service.conf`. A password stands in the password file (PGPASSFILE, `~/.pgpass`, or `passfile=`).
    #[schemars(with = "Option<String>")]
    pub conninfo: Key<String>,
    /// Of sql: one SELECT. It runs in a read-only transaction, within another that takes its newest 20,000 rows by the column of `time`.
    #[schemars(with = "Option<String>")]
    pub query: Key<String>,
    /// Of a deploy-log, of releases with a `log`, or of sql: where in a line or in which column a part stands that has another name there, such as `{ version = "release.tag" }`. The parts are id, service, site, environment, from, version, who, time, took, finished, source, result, commit, first_commit, links, reason, approvals, incidents, restored, fixes, unplanned.
    #[schemars(with = "Map")]
    pub fields: RawLabels,
    /// Of git: which tags, such as `v*`; what stands before the `*` is no part of the version. All of them without this key.
    #[schemars(with = "Option<String>")]
    pub tags: Key<String>,
    /// Of releases: which files of a release are its configuration, such as `["config/*.toml", ".env.example"]`; `*` is any text of one name. Two releases are compared by them, with what looks like a secret taken out.
    #[schemars(with = "Option<Vec<String>>")]
    pub config: Words,
    /// The service that it tells of; a deploy-log may name it in every line.
    #[schemars(with = "Option<String>")]
    pub service: Key<String>,
    /// The site that it tells of, where it tells of one only.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// The time between two tries, 1s to 24h; 60s without this key.
    #[schemars(with = "Option<String>")]
    pub every: Key<String>,
    /// How long one try may take, 100ms to 5m; the smaller of `every` and 10s without this key.
    #[schemars(with = "Option<String>")]
    pub timeout: Key<String>,
}
