//! What a source answers: the whole of one poll.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::Alert;
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
