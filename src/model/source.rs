//! What a source answers: the whole of one poll.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::backup::BackupAnswer;
use super::database::DatabaseAnswer;
use super::deployment::Deployment;
use super::label::Labels;
use super::metric::PanelAnswer;
use super::silence::Silence;

/// The answer of one poll of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Of a Prometheus.
    Prometheus(Arc<PrometheusAnswer>),
    /// Of the peers of an Alertmanager.
    Alertmanager(Arc<AlertmanagerAnswer>),
    /// Of a `/metrics` page.
    Exposition(Arc<ExpositionAnswer>),
    /// Of a system that makes backups.
    Backup(Arc<BackupAnswer>),
    /// Of what was deployed.
    History(Arc<HistoryAnswer>),
    /// Of a probe.
    Probe(Arc<ProbeAnswer>),
    /// Of the nodes of a database.
    Database(Arc<DatabaseAnswer>),
}

impl Answer {
    /// What it says about a panel of that name; `None` where it says nothing.
    pub fn panel(&self, name: &str) -> Option<&PanelAnswer> {
        match self {
            Answer::Prometheus(answer) => answer.panels.get(name),
            Answer::Exposition(answer) => answer.panels.get(name),
            Answer::Probe(answer) => answer.panels.get(name),
            Answer::Alertmanager(_) | Answer::Backup(_) | Answer::Database(_) | Answer::History(_) => None,
        }
    }

    /// The samples that this poll added to the source's history.
    pub fn scrape(&self) -> Option<&Arc<Scrape>> {
        match self {
            Answer::Exposition(answer) => answer.scrape.as_ref(),
            Answer::Probe(answer) => answer.scrape.as_ref(),
            Answer::Prometheus(_) | Answer::Alertmanager(_) | Answer::Backup(_) | Answer::Database(_) | Answer::History(_) => None,
        }
    }
}

/// What a `/metrics` page said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExpositionAnswer {
    /// Its format: `text 0.0.4`, `OpenMetrics 1.0.0`.
    pub format: String,
    /// Its size after decompression, bytes.
    pub bytes: usize,
    /// Seconds from the request to the last byte.
    pub took: f64,
    /// Series that the estate wants and the page has.
    pub series: usize,
    /// Series that the estate wants and that are not kept: there are too many.
    pub dropped: usize,
    /// What is kept of its past.
    pub history: History,
    /// By panel name.
    pub panels: BTreeMap<String, PanelAnswer>,
    /// What is odd about the page, each a cleaned line.
    pub notes: Vec<String>,
    /// How far its clock is ahead of this machine's, seconds, by the HTTP `Date` header (whole seconds).
    pub clock_ahead: Option<i64>,
    /// The samples of this poll; kept in a table of their own.
    #[serde(skip)]
    pub scrape: Option<Arc<Scrape>>,
}

/// What one source tells of deployments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HistoryAnswer {
    /// As it tells of them, the newest first.
    pub deployments: Vec<Arc<Deployment>>,
    /// Older ones that are not kept: there are too many.
    pub dropped: usize,
    /// Lines that tell of no deployment: they cannot be read, or have no time or no service.
    pub broken: usize,
    /// What is odd about it, each a cleaned line.
    pub notes: Vec<String>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProbeAnswer {
    /// True where all was as it should be.
    pub up: bool,
    /// Why not, one cleaned line: what, why.
    pub why: Option<String>,
    /// Since when it is so (UTC), as far as the kept history tells.
    pub since: Option<Timestamp>,
    /// Seconds that it took.
    pub took: f64,
    /// The HTTP status, of an HTTP probe that was answered.
    pub status: Option<u16>,
    /// The certificate, where one was shown.
    pub certificate: Option<Certificate>,
    /// What is kept of its past.
    pub history: History,
    /// By panel name.
    pub panels: BTreeMap<String, PanelAnswer>,
    /// The samples of this poll; kept in a table of their own.
    #[serde(skip)]
    pub scrape: Option<Arc<Scrape>>,
}

/// A server's certificate. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose.
    pub subject: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when it is valid (UTC).
    pub not_before: Timestamp,
    /// Until when it is valid (UTC).
    pub not_after: Timestamp,
    /// Why its chain is not trusted; `None` where it is.
    pub untrusted: Option<String>,
    /// True where it is for the name that was asked.
    pub name_matches: bool,
}

impl Certificate {
    /// The share of its life that is left, from 1 down to 0; 0 where it is over or has no length.
    pub fn left(&self, now: Timestamp) -> f64 {
        let life = self.not_after.duration_since(self.not_before).as_secs_f64();
        let left = self.not_after.duration_since(now).as_secs_f64();
        if life > 0.0 { (left / life).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// What is kept of a source's past.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// The oldest sample (UTC); `None` where there is none.
    pub since: Option<Timestamp>,
    /// Samples of all series.
    pub samples: usize,
    /// Bytes that they take in memory.
    pub bytes: usize,
    /// The newest times without a sample: that of the last before and of the first after, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<(Timestamp, Timestamp)>,
}

/// The samples of one poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrape {
    /// When they were true (UTC, this machine's clock).
    pub at: Timestamp,
    /// Each series with its `__name__`, and its value: NaN is a value.
    pub samples: Vec<(Labels, f64)>,
}

/// What a Prometheus said. Parts that this server does not have (Thanos, VictoriaMetrics) are `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PrometheusAnswer {
    /// `version` of its build information.
    pub version: Option<String>,
    /// Pending and firing alerts, sorted, of state `Pending` or `Undelivered`.
    pub alerts: Vec<Arc<Alert>>,
    /// Its rules, counted, and those that fail.
    pub rules: Option<Rules>,
    /// Its scrape targets, counted, and those that are down.
    pub targets: Option<Targets>,
    /// By panel name.
    pub panels: BTreeMap<String, PanelAnswer>,
    /// Parts that could not be read and why, each a cleaned line; warnings and infos of all parts.
    pub notes: Vec<String>,
    /// How far its clock is ahead of this machine's, seconds, by the HTTP `Date` header (whole seconds).
    pub clock_ahead: Option<i64>,
}

/// The rules of a Prometheus.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rules {
    /// Alerting rules.
    pub alerting: usize,
    /// Recording rules.
    pub recording: usize,
    /// Rules whose last evaluation failed: `group/name: error`, cleaned.
    pub failing: Vec<String>,
}

/// The scrape targets of a Prometheus.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Targets {
    /// Targets that answered.
    pub up: usize,
    /// Targets that did not, at most a hundred.
    pub down: Vec<DownTarget>,
    /// Targets that did not, all of them counted.
    pub down_count: usize,
    /// The longest scrape interval among the active targets.
    pub scrape: Option<SignedDuration>,
}

/// A scrape target that did not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DownTarget {
    /// Its labels.
    pub labels: Labels,
    /// Why, cleaned.
    pub error: String,
}

/// What the peers of one Alertmanager set said, merged by fingerprint and silence id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlertmanagerAnswer {
    /// The peers in the order of the estate file.
    pub peers: Vec<Peer>,
    /// Alerts, each once, sorted by [`super::alert::sort`].
    pub alerts: Vec<Arc<Alert>>,
    /// Groups as the peers notify them, of the first peer that answered.
    pub groups: Vec<Group>,
    /// Silences, each once; expired ones only of the last day.
    pub silences: Vec<Silence>,
    /// Receiver names.
    pub receivers: Vec<String>,
    /// What the reachable peers disagree about, each a cleaned line; empty where they agree.
    pub disagreements: Vec<String>,
    /// The dead man's switch: `None` where the estate names none.
    pub dead_man: Option<DeadMan>,
}

/// The alert that must always fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadMan {
    /// Its labels in the estate file.
    pub labels: Labels,
    /// True while an alert with these labels is there.
    pub firing: bool,
}

/// One peer of an Alertmanager set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address, without credentials.
    pub url: String,
    /// Its version, where it answered.
    pub version: Option<String>,
    /// Its view of the cluster: `ready`, `settling`, `disabled`.
    pub cluster: Option<String>,
    /// Why it could not be read, where it could not.
    pub error: Option<String>,
    /// When it answered last (UTC), where it did in this poll.
    pub as_of: Option<Timestamp>,
    /// How far its clock is ahead of this machine's, seconds, by the HTTP `Date` header (whole seconds).
    #[serde(default, rename = "clock_ahead_seconds")]
    pub clock_ahead: Option<i64>,
}

/// Alerts that are notified together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The labels that it is grouped by.
    pub labels: Labels,
    /// Who is notified.
    pub receiver: Arc<str>,
    /// Fingerprints of its alerts.
    pub alerts: Vec<Arc<str>>,
}
