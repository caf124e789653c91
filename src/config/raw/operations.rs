//! How a service is started again, how its health is asked and what its rollback does beside the switch, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Key, Words};

/// Steps in a list, with their places.
pub(in crate::config) type Steps = Option<Spanned<Vec<Spanned<RawOwnStep>>>>;

/// How its processes on one host are started again: a unit of systemd, or a program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["unit"] }, { "required": ["command"] }]))]
pub(in crate::config) struct RawRestart {
    /// The unit of systemd, such as `app.service`: it is stopped, and started again.
    #[schemars(with = "Option<String>")]
    pub unit: Key<String>,
    /// Of a unit: true where `sudo -n` is put before `systemctl`; false without this key.
    #[schemars(with = "Option<bool>")]
    pub sudo: Key<bool>,
    /// The program on the host that starts it again, with its arguments; `$host` and `$site` stand for the host and its site.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub command: Words,
    /// Of a command: the file on the host that holds the number of the process that serves.
    #[schemars(with = "Option<String>")]
    pub pid_file: Key<String>,
}

/// Where a service writes what it logs, on each of its hosts: a unit's journal, or a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["unit"] }, { "required": ["file"] }]))]
pub(in crate::config) struct RawLogs {
    /// The unit of systemd whose journal is read, such as `app.service`.
    #[schemars(with = "Option<String>")]
    pub unit: Key<String>,
    /// The file on the host, its whole path; `$host` and `$site` stand for the host and its site.
    #[schemars(with = "Option<String>")]
    pub file: Key<String>,
}

/// How one host of the service says that it is well: an answer to one GET from this machine, or a program on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["http"] }, { "required": ["command"] }]))]
pub(in crate::config) struct RawHealth {
    /// The whole address that is asked for from this machine; `$host` and `$site` stand for the host's name and site.
    #[schemars(with = "Option<String>")]
    pub http: Key<String>,
    /// With `http`: the status that is right; any of 200 to 299 without this key.
    #[schemars(with = "Option<i64>", extend("minimum" = 100, "maximum" = 599))]
    pub status: Key<i64>,
    /// With `http`: text that the body must hold.
    #[schemars(with = "Option<String>")]
    pub body: Key<String>,
    /// The program on the host, with its arguments; it ends with 0 where the host is well.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub command: Words,
    /// So many good answers in a row are wanted, 1 to 100; 3 without this key.
    #[schemars(with = "Option<i64>", extend("minimum" = 1, "maximum" = 100))]
    pub times: Key<i64>,
    /// The time between two of them, 100ms to 1m; 1s without this key.
    #[schemars(with = "Option<String>")]
    pub every: Key<String>,
    /// The time in which they must have come, 1s to 1h; 30s without this key.
    #[schemars(with = "Option<String>")]
    pub within: Key<String>,
}

/// What a rollback of the service does beside the switch of each host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawRollback {
    /// Hosts that are rolled back side by side, the rest after them, 1 to 1000; 1 without this key.
    #[schemars(with = "Option<i64>", extend("minimum" = 1, "maximum" = 1000))]
    pub batch: Key<i64>,
    /// How long the service's own panels are judged against before after each batch, 10s to 2h; not at all without this key.
    #[schemars(with = "Option<String>")]
    pub guard: Key<String>,
    /// True where a line is added to the deploy log beside the releases, the `log` of its history.
    #[schemars(with = "Option<bool>")]
    pub note: Key<bool>,
    /// Steps of your own before the first host, in their order.
    #[schemars(with = "Option<Vec<RawOwnStep>>")]
    pub before: Steps,
    /// Steps of your own after the last host, in their order.
    #[schemars(with = "Option<Vec<RawOwnStep>>")]
    pub after: Steps,
}

/// A step of your own runbook: one of `command`, `http` and `manual`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["command"] }, { "required": ["http"] }, { "required": ["manual"] }]))]
pub(in crate::config) struct RawOwnStep {
    /// Its name: letters, digits and `-_.`.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The program and its arguments; `$from` and `$to` stand for the versions.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub command: Words,
    /// Of a command: the host that it is run on; this machine without this key.
    #[schemars(with = "Option<String>")]
    pub host: Key<String>,
    /// One HTTP request from this machine.
    #[schemars(with = "Option<RawOwnHttp>")]
    pub http: Key<RawOwnHttp>,
    /// What a person does, in words; the run waits until one says that it is done.
    #[schemars(with = "Option<String>")]
    pub manual: Key<String>,
    /// How long it may take, 1s to 24h; 10m without this key, 24h for what a person does.
    #[schemars(with = "Option<String>")]
    pub timeout: Key<String>,
    /// True where it may be done twice without harm: one whose outcome is not known is then done again.
    #[schemars(with = "Option<bool>")]
    pub repeatable: Key<bool>,
    /// What takes it back.
    #[schemars(with = "Option<RawUndo>")]
    pub undo: Key<RawUndo>,
    /// True of one that cannot be taken back and behind which there is no way back, such as a migration that drops a column:
    /// once it was begun, an abort leaves it and all that was done before it. Not together with `undo`.
    #[schemars(with = "Option<bool>")]
    pub point_of_no_return: Key<bool>,
}

/// What takes a step back: one of `command`, `http` and `manual`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [{ "required": ["command"] }, { "required": ["http"] }, { "required": ["manual"] }]))]
pub(in crate::config) struct RawUndo {
    /// The program and its arguments, on the host of its step.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub command: Words,
    /// One HTTP request.
    #[schemars(with = "Option<RawOwnHttp>")]
    pub http: Key<RawOwnHttp>,
    /// What a person does.
    #[schemars(with = "Option<String>")]
    pub manual: Key<String>,
}

/// One HTTP request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawOwnHttp {
    /// The method; `POST` without this key.
    #[schemars(with = "Option<String>", extend("enum" = METHODS))]
    pub method: Key<String>,
    /// The whole address.
    #[schemars(with = "String")]
    pub url: Key<String>,
    /// What is sent; `$from` and `$to` stand for the versions.
    #[schemars(with = "Option<String>")]
    pub body: Key<String>,
    /// The status that is right; any of 200 to 299 without this key.
    #[schemars(with = "Option<i64>", extend("minimum" = 100, "maximum" = 599))]
    pub status: Key<i64>,
    /// Credentials, TLS and proxy in Prometheus' own file format; a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub http_config: Key<String>,
}

/// The words of `method`.
pub(in crate::config) const METHODS: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];
