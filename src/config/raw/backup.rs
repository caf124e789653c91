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
]))]
pub(in crate::config) struct RawBackup {
    /// Its name; no source and no other backup has the same.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `directory`: a folder with a folder per snapshot, each with a `SHA256SUMS`. `pgbackrest`, `restic`: asked for what they have. `command`: prints the JSON of docs/backup-json.md.
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
