//! Backups and objectives as they are written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::super::check::BACKUP_KINDS;
use super::{Key, Words};

/// A system that makes backups, or the place that they are kept at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("allOf" = [
    { "if": { "properties": { "kind": { "const": "directory" } } }, "then": { "required": ["folder"] } },
    { "if": { "properties": { "kind": { "const": "pgbackrest" } } }, "then": { "required": ["stanza"] } },
    { "if": { "properties": { "kind": { "const": "restic" } } }, "then": { "required": ["repository"] } },
    { "if": { "properties": { "kind": { "const": "command" } } }, "then": { "required": ["command"] } },
    { "if": { "properties": { "kind": { "const": "archiver" } } }, "then": { "required": ["nodes"] } },
]))]
pub(in crate::config) struct RawBackup {
    /// Its name; no source and no other backup has the same.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `directory`: a folder with a folder per snapshot, each with a `SHA256SUMS`. `pgbackrest`, `restic`: asked for what they have. `command`: prints the JSON of docs/backup-json.md. `archiver`: PostgreSQL's own archive of its log.
    #[schemars(with = "String", extend("enum" = BACKUP_KINDS))]
    pub kind: Key<String>,
    /// The service whose data it keeps.
    #[schemars(with = "Option<String>")]
    pub service: Key<String>,
    /// The site that the copies are kept at: what is lost when that site is.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// The time between two starts of the job, 1s to 31d.
    #[schemars(with = "Option<String>")]
    pub schedule: Key<String>,
    /// How long one takes with its copy, such as `15m`, until that is measured: the worst case counts with it.
    #[schemars(with = "Option<String>")]
    pub takes: Key<String>,
    /// The account that the copies belong to: what is lost when that account is.
    #[schemars(with = "Option<String>")]
    pub account: Key<String>,
    /// Of pgbackrest: where each repository lies, such as `[{ repo = 1, site = "fra1" }, { repo = 2, site = "ams3" }]`.
    #[schemars(with = "Option<Vec<RawCopy>>", extend("minItems" = 1))]
    pub copies: Key<Vec<Spanned<RawCopy>>>,
    /// The oldest point is at least this old, such as `1825d`.
    #[schemars(with = "Option<String>")]
    pub floor: Key<String>,
    /// No point is older than this, but what is on hold, such as `2555d`.
    #[schemars(with = "Option<String>")]
    pub ceiling: Key<String>,
    /// So many copies of the service must be verified before anything may be pruned.
    #[schemars(with = "Option<u32>")]
    pub min_copies: Key<u32>,
    /// The time between two looks for corruption; shorter than the shortest `keep`.
    #[schemars(with = "Option<String>")]
    pub verify_every: Key<String>,
    /// Points that may not be removed, such as `[{ from = "2024-01-01", to = "2024-12-31", why = "case 4711" }]`.
    #[schemars(with = "Option<Vec<RawHold>>", extend("minItems" = 1))]
    pub holds: Key<Vec<Spanned<RawHold>>>,
    /// What is to be kept.
    #[schemars(with = "Option<Vec<RawTier>>", extend("minItems" = 1))]
    pub retention: Key<Vec<Spanned<RawTier>>>,
    /// The time between two looks at it, 1s to 24h; 5m without this key.
    #[schemars(with = "Option<String>")]
    pub every: Key<String>,
    /// Of a directory: the folder, a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub folder: Key<String>,
    /// Of pgbackrest: the stanza.
    #[schemars(with = "Option<String>")]
    pub stanza: Key<String>,
    /// Of pgbackrest: its configuration file, a path beside the estate file; its own default without this key.
    #[schemars(with = "Option<String>")]
    pub config: Key<String>,
    /// Of pgbackrest: the host that it is asked on; this machine without this key.
    #[schemars(with = "Option<String>")]
    pub host: Key<String>,
    /// Of restic: the repository, as restic names it.
    #[schemars(with = "Option<String>")]
    pub repository: Key<String>,
    /// Of restic: the file with the repository's password, a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub password_file: Key<String>,
    /// Of restic: only snapshots made on this host. Without `made_on`, `path` and `tag` each host with its paths is judged apart.
    #[schemars(with = "Option<String>")]
    pub made_on: Key<String>,
    /// Of restic: only snapshots of this path.
    #[schemars(with = "Option<String>")]
    pub path: Key<String>,
    /// Of restic: only snapshots with this tag.
    #[schemars(with = "Option<String>")]
    pub tag: Key<String>,
    /// Of an archiver: the nodes of the cluster in libpq's words, as in `[[database]]`; the primary among them is asked.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub nodes: Words,
    /// Of an archiver: the physical slot that a `pg_receivewal` reads.
    #[schemars(with = "Option<String>")]
    pub slot: Key<String>,
    /// Of an archiver: the backup whose points the log is replayed over. A pgbackrest of the same service needs none.
    #[schemars(with = "Option<String>")]
    pub base: Key<String>,
    /// Of pgbackrest and restic: the program and what stands before its own arguments, such as `["sudo", "-n", "-u", "postgres", "pgbackrest"]`; its name without this key.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub program: Words,
    /// Of a command: the program and its arguments, each a text of its own.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub command: Words,
}

/// One rung of a retention ladder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawTier {
    /// One point for each of these: a part of a day that fits it whole times, `1d`, `7d` or `month`.
    #[schemars(with = "String")]
    pub every: Key<String>,
    /// This far back from now.
    #[schemars(with = "String")]
    pub keep: Key<String>,
}

/// What is promised of a service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawObjective {
    /// The service; a backup names it too.
    #[schemars(with = "String")]
    pub service: Key<String>,
    /// The most time whose changes may be lost.
    #[schemars(with = "Option<String>")]
    pub rpo: Key<String>,
    /// The most time that bringing it back may take. It is shown.
    #[schemars(with = "Option<String>")]
    pub rto: Key<String>,
}

/// Where one copy lies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawCopy {
    /// The repository's number.
    #[schemars(with = "u32")]
    pub repo: Key<u32>,
    /// The site that it is at.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// The account that it belongs to; that of the backup without this key.
    #[schemars(with = "Option<String>")]
    pub account: Key<String>,
}

/// Points that may not be removed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawHold {
    /// The first day.
    #[schemars(with = "String")]
    pub from: Key<String>,
    /// The last day.
    #[schemars(with = "String")]
    pub to: Key<String>,
    /// Why they may not.
    #[schemars(with = "String")]
    pub why: Key<String>,
}
