//! The estate file as it is written: every key optional, unknown keys refused, places kept. `check` judges it.
//!
//! A key enters with the code that reads it, as a test in `load` holds. Its comment is what editors show (`super::schema`).

pub(super) mod backup;
pub(super) mod calendar;
mod database;
mod expect;
mod history;
mod identity;
pub(super) mod operations;
mod place;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use self::backup::{RawBackup, RawObjective};
use self::calendar::{RawDrill, RawFreeze, RawWindow};
pub(super) use self::database::RawDatabase;
pub(super) use self::expect::RawExpect;
pub(super) use self::history::RawHistory;
pub(super) use self::identity::RawIdentity;
use self::operations::{RawHealth, RawLogs, RawRestart, RawRollback};
pub(super) use self::place::{RawHost, RawSite};
use super::check::{KINDS, SEVERITIES, UNITS};

/// A value that may be missing, with its place.
pub(super) type Key<T> = Option<Spanned<T>>;
/// Names in a list, each with its place.
pub(super) type Words = Option<Spanned<Vec<Spanned<String>>>>;
/// Labels, each name and value with its place.
pub(super) type RawLabels = Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>;

/// [`RawLabels`] as the schema tells of it.
type Map = Option<BTreeMap<String, String>>;

/// An estate: everything that one Quarterdeck console watches.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(title = "Quarterdeck estate", extend("required" = ["version", "estate"],
    "anyOf" = [{ "required": ["source"] }, { "required": ["database"] }, { "required": ["backup"] }, { "required": ["history"] }]))]
pub(super) struct Raw {
    /// The version of this format: 1.
    #[schemars(with = "i64", extend("const" = super::check::VERSION))]
    pub version: Key<i64>,
    /// What the estate is called.
    #[schemars(with = "RawIdentity")]
    pub estate: Key<RawIdentity>,
    /// The places that can serve.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawSite>>")]
    pub site: Vec<Spanned<RawSite>>,
    /// The machines.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawHost>>")]
    pub host: Vec<Spanned<RawHost>>,
    /// The parts with a health of their own.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawService>>")]
    pub service: Vec<Spanned<RawService>>,
    /// What is read.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawSource>>", extend("minItems" = 1))]
    pub source: Vec<Spanned<RawSource>>,
    /// Replicated databases, whose nodes are asked themselves.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawDatabase>>", extend("minItems" = 1))]
    pub database: Vec<Spanned<RawDatabase>>,
    /// Systems that make backups, and places that they are kept at.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawBackup>>")]
    pub backup: Vec<Spanned<RawBackup>>,
    /// What is promised of services.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawObjective>>")]
    pub objective: Vec<Spanned<RawObjective>>,
    /// Where it is told what was deployed.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawHistory>>")]
    pub history: Vec<Spanned<RawHistory>>,
    /// Metrics that are drawn, and judged by their thresholds.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawPanel>>")]
    pub panel: Vec<Spanned<RawPanel>>,
    /// Times of each week in which work may be done.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawWindow>>")]
    pub window: Vec<Spanned<RawWindow>>,
    /// Times in which nothing is deployed.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawFreeze>>")]
    pub freeze: Vec<Spanned<RawFreeze>>,
    /// Tests that are to be made again and again.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawDrill>>")]
    pub drill: Vec<Spanned<RawDrill>>,
    /// Quarterdeck's own rules on panels; each line of the panel has a finding of its own.
    #[serde(default)]
    #[schemars(with = "Option<Vec<RawRule>>")]
    pub rule: Vec<Spanned<RawRule>>,
}

/// A part of the estate with its own health.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawService {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The sites that it runs in; every site without this key.
    #[schemars(with = "Option<Vec<String>>")]
    pub sites: Words,
    /// The hosts that it runs on.
    #[schemars(with = "Option<Vec<String>>")]
    pub hosts: Words,
    /// The services that it cannot do without.
    #[schemars(with = "Option<Vec<String>>")]
    pub depends_on: Words,
    /// Which alerts and series are its own; `{ service = "<name>" }` without this key.
    #[schemars(with = "Map")]
    pub labels: RawLabels,
    /// Where to read what to do: an address, or a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub runbook: Key<String>,
    /// The command that starts it: the program and its arguments, each a text of its own; `$site` stands for the site, `$host` for the host. It is shown, and run on the hosts by `qd run start` alone.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub start: Words,
    /// The command that stops it, written as `start`; run on the hosts by `qd run stop` alone.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub stop: Words,
    /// How its processes on one host are started again when a release is switched: `{ unit = "app.service" }` or `{ command = ["..."] }`.
    #[schemars(with = "Option<RawRestart>")]
    pub restart: Key<RawRestart>,
    /// How one host of it says that it is well: `{ http = "http://$host:8000/healthz" }` or `{ command = ["..."] }`.
    #[schemars(with = "Option<RawHealth>")]
    pub health: Key<RawHealth>,
    /// What a rollback of it does beside the switch of each host.
    #[schemars(with = "Option<RawRollback>")]
    pub rollback: Key<RawRollback>,
    /// Where it writes what it logs: `{ unit = "app.service" }` or `{ file = "/srv/app/log/app.log" }`; the unit of `restart` without this key.
    #[schemars(with = "Option<RawLogs>")]
    pub logs: Key<RawLogs>,
}

/// One upstream that is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("allOf" = [
    { "if": { "properties": { "kind": { "enum": ["prometheus", "exposition"] } } }, "then": { "required": ["url"] } },
    { "if": { "properties": { "kind": { "const": "alertmanager" } } }, "then": { "required": ["urls"] } },
    { "if": { "properties": { "kind": { "const": "probe" } } },
      "then": { "oneOf": [{ "required": ["http"] }, { "required": ["tcp"] }, { "required": ["tls"] }] } },
]))]
pub(super) struct RawSource {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `prometheus`: it or what speaks its HTTP API. `alertmanager`: one, or the peers of one set. `exposition`: a `/metrics` page. `probe`: a service asked itself.
    #[schemars(with = "String", extend("enum" = KINDS))]
    pub kind: Key<String>,
    /// Of a prometheus the root address, of an exposition the whole address of the page.
    #[schemars(with = "Option<String>")]
    pub url: Key<String>,
    /// Of an alertmanager: the root addresses of its peers.
    #[schemars(with = "Option<Vec<String>>", extend("minItems" = 1))]
    pub urls: Words,
    /// Credentials, TLS and proxy in Prometheus' own file format; a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub http_config: Key<String>,
    /// The time between two tries, 1s to 24h; 15s without this key.
    #[schemars(with = "Option<String>")]
    pub every: Key<String>,
    /// How long one try may take, 100ms to 5m; the smaller of `every` and 10s without this key.
    #[schemars(with = "Option<String>")]
    pub timeout: Key<String>,
    /// Of an alertmanager: the labels of an alert that always fires. When it stops, alerting itself is broken.
    #[schemars(with = "Map")]
    pub dead_man: RawLabels,
    /// Of an exposition or a probe: how far back its samples are kept, 1m to 7d; 6h without this key.
    #[schemars(with = "Option<String>")]
    pub keep: Key<String>,
    /// The service that it tells of, where it tells of one only.
    #[schemars(with = "Option<String>")]
    pub service: Key<String>,
    /// The site that it tells of, where it tells of one only.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// Of a probe: the whole address that is asked for. Redirects are not followed.
    #[schemars(with = "Option<String>")]
    pub http: Key<String>,
    /// Of a probe: `host:port` that is connected to.
    #[schemars(with = "Option<String>")]
    pub tcp: Key<String>,
    /// Of a probe: `host:port` whose certificate is asked for; it must be for that host.
    #[schemars(with = "Option<String>")]
    pub tls: Key<String>,
    /// Of a probe with `http`: the answer that is right; any status of 200 to 299 without this key.
    #[schemars(with = "Option<RawExpect>")]
    pub expect: Key<RawExpect>,
}

/// One metric that is drawn. A prometheus is asked with `query`; an exposition or a probe with one of `value`, `rate`, `ratio` and `quantile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [
    { "required": ["query"] }, { "required": ["value"] }, { "required": ["rate"] }, { "required": ["ratio"] }, { "required": ["quantile"] },
]))]
pub(super) struct RawPanel {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The service whose health it tells; its source's without this key.
    #[schemars(with = "Option<String>")]
    pub service: Key<String>,
    /// The site whose health it tells; its source's without this key.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// The source that answers it.
    #[schemars(with = "String")]
    pub source: Key<String>,
    /// PromQL; `$window` stands for a rate window that always fits the scrape interval.
    #[schemars(with = "Option<String>")]
    pub query: Key<String>,
    /// The samples as they are: a selector, or a table.
    #[schemars(with = "Option<Form<RawValue>>")]
    pub value: Key<Form<RawValue>>,
    /// A counter's increase per second: a selector, or a table.
    #[schemars(with = "Option<Form<RawRate>>")]
    pub rate: Key<Form<RawRate>>,
    /// One counter's increase divided by another's: a selector, or a table.
    #[schemars(with = "Option<Form<RawRatio>>")]
    pub ratio: Key<Form<RawRatio>>,
    /// A quantile of a histogram.
    #[schemars(with = "Option<RawQuantile>")]
    pub quantile: Key<RawQuantile>,
    /// What the numbers are; `moment`: seconds since the epoch, shown as an age. `count` without this key.
    #[schemars(with = "Option<String>", extend("enum" = UNITS))]
    pub unit: Key<String>,
    /// From here on it is a warning.
    #[schemars(with = "Option<f64>")]
    pub warn: Key<f64>,
    /// From here on it is critical. Below `warn` it says that low values are the bad ones.
    #[schemars(with = "Option<f64>")]
    pub critical: Key<f64>,
}

/// The samples as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawValue {
    /// Which: a selector as in PromQL.
    #[schemars(with = "String")]
    pub of: Key<String>,
    /// The labels that lines are told apart by; without this key every series is a line.
    #[schemars(with = "Option<Vec<String>>")]
    pub by: Words,
}

/// A counter's increase per second, resets minded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawRate {
    /// Which: a selector as in PromQL.
    #[schemars(with = "String")]
    pub of: Key<String>,
    /// Over so much time, at least twice the source's `every`; 1m without this key, or twice `every` where that is more.
    #[schemars(with = "Option<String>")]
    pub over: Key<String>,
    /// The labels that lines are told apart by; without this key every series is a line.
    #[schemars(with = "Option<Vec<String>>")]
    pub by: Words,
}

/// One counter's increase divided by another's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawRatio {
    /// The part: a selector as in PromQL.
    #[schemars(with = "String")]
    pub of: Key<String>,
    /// The whole, a selector; `of` without its matchers where this key is missing.
    #[schemars(with = "Option<String>")]
    pub to: Key<String>,
    /// Over so much time, at least twice the source's `every`; 1m without this key, or twice `every` where that is more.
    #[schemars(with = "Option<String>")]
    pub over: Key<String>,
    /// The labels that lines are told apart by; without this key it is one line.
    #[schemars(with = "Option<Vec<String>>")]
    pub by: Words,
}

/// A quantile of a histogram's increase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RawQuantile {
    /// Which: a selector with the histogram's name, without `_bucket`.
    #[schemars(with = "String")]
    pub of: Key<String>,
    /// Which quantile, from 0 to 1.
    #[schemars(with = "f64", extend("minimum" = 0, "maximum" = 1))]
    pub q: Key<f64>,
    /// Over so much time, at least twice the source's `every`; 1m without this key, or twice `every` where that is more.
    #[schemars(with = "Option<String>")]
    pub over: Key<String>,
    /// The labels that lines are told apart by; without this key it is one line.
    #[schemars(with = "Option<Vec<String>>")]
    pub by: Words,
}

/// A judgement on each line of a panel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(extend("oneOf" = [
    { "required": ["above"] }, { "required": ["below"] }, { "required": ["older_than"] }, { "required": ["full", "within"] },
]))]
pub(super) struct RawRule {
    /// Its name: the `alertname` of its findings.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The panel that it judges.
    #[schemars(with = "String")]
    pub panel: Key<String>,
    /// It holds while the value is above this.
    #[schemars(with = "Option<f64>")]
    pub above: Key<f64>,
    /// It holds while the value is below this.
    #[schemars(with = "Option<f64>")]
    pub below: Key<f64>,
    /// It holds while the newest event of a panel of unit `moment` is longer ago than this.
    #[schemars(with = "Option<String>")]
    pub older_than: Key<String>,
    /// The value that is full; it holds while the value reaches this, at the pace of the last hour, in less than `within`.
    /// It is reached from above where it is 0 and where the panel's `critical` is below its `warn`.
    #[schemars(with = "Option<f64>")]
    pub full: Key<f64>,
    /// The time that must be left until `full`.
    #[schemars(with = "Option<String>")]
    pub within: Key<String>,
    /// For how long it must hold before the finding fires; at once without this key.
    #[serde(rename = "for")]
    #[schemars(with = "Option<String>")]
    pub holds: Key<String>,
    /// How bad the findings are; `warning` without this key.
    #[schemars(with = "Option<String>", extend("enum" = SEVERITIES))]
    pub severity: Key<String>,
}

/// A form as a table, or only its selector.
#[derive(Debug, JsonSchema)]
#[serde(untagged)]
pub(super) enum Form<T> {
    /// A selector: it stands for `{ of = "selector" }`.
    Plain(String),
    /// All that there is to say.
    Table(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Form<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Form<T>, D::Error> {
        deserializer.deserialize_any(FormVisitor(PhantomData))
    }
}

/// By hand, because serde's `untagged` loses the places within the table.
struct FormVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
    type Value = Form<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a selector in quotes or a table")
    }

    fn visit_str<E>(self, text: &str) -> Result<Form<T>, E> {
        Ok(Form::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Form<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Form::Table)
    }
}

/// The text of a key, or `None` where it is missing.
pub(super) fn text(key: &Key<String>) -> Option<&str> {
    key.as_ref().map(|k| k.get_ref().as_str())
}
