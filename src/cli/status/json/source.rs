//! The sources in the JSON of `qd status`, each with what its kind says beside panels and alerts.

use jiff::Timestamp;
use serde::Serialize;

use super::database::DatabaseOut;
use crate::model::reading::{FailureKind, Freshness, Reading};
use crate::model::source::{Answer, Certificate, ExpositionAnswer, Peer, ProbeAnswer, PrometheusAnswer};

/// One of `sources`.
#[derive(Serialize)]
pub struct SourceOut<'a> {
    name: &'a str,
    kind: &'static str,
    state: Freshness,
    as_of: Option<Timestamp>,
    error: Option<&'a str>,
    error_kind: Option<FailureKind>,
    failing_since: Option<Timestamp>,
    next_try: Option<Timestamp>,
    every_seconds: f64,
    prometheus: Option<PrometheusOut<'a>>,
    alertmanager: Option<AlertmanagerOut<'a>>,
    exposition: Option<ExpositionOut<'a>>,
    history: Option<HistoryOut<'a>>,
    probe: Option<ProbeOut<'a>>,
    database: Option<DatabaseOut<'a>>,
}

#[derive(Serialize)]
struct HistoryOut<'a> {
    deployments: usize,
    dropped: usize,
    broken: usize,
    notes: &'a [String],
}

#[derive(Serialize)]
struct PrometheusOut<'a> {
    version: Option<&'a str>,
    clock_ahead_seconds: Option<i64>,
    rules_alerting: Option<usize>,
    rules_recording: Option<usize>,
    rules_failing: Option<&'a [String]>,
    targets_up: Option<usize>,
    targets_down: Option<usize>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct AlertmanagerOut<'a> {
    peers: &'a [Peer],
    receivers: &'a [String],
    disagreements: &'a [String],
    dead_man_firing: Option<bool>,
}

#[derive(Serialize)]
struct ExpositionOut<'a> {
    format: &'a str,
    bytes: usize,
    took_seconds: f64,
    series: usize,
    dropped: usize,
    history_since: Option<Timestamp>,
    history_samples: usize,
    clock_ahead_seconds: Option<i64>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct ProbeOut<'a> {
    up: bool,
    why: Option<&'a str>,
    since: Option<Timestamp>,
    took_seconds: f64,
    status: Option<u16>,
    certificate: Option<CertificateOut<'a>>,
    history_since: Option<Timestamp>,
    history_samples: usize,
}

#[derive(Serialize)]
struct CertificateOut<'a> {
    subject: &'a str,
    names: &'a [String],
    issuer: &'a str,
    not_before: Timestamp,
    not_after: Timestamp,
    life_left: f64,
    untrusted: Option<&'a str>,
    name_matches: bool,
}

/// One of `sources`.
pub(super) fn source<'a>(name: &'a str, kind: &'static str, reading: &'a Reading<Answer>, at: Timestamp) -> SourceOut<'a> {
    let (mut database, mut history) = (None, None);
    let (mut prometheus, mut alertmanager, mut exposition, mut probe) = (None, None, None, None);
    match reading.held.as_ref().map(|h| &h.value) {
        Some(Answer::Prometheus(answer)) => prometheus = Some(prometheus_out(answer)),
        Some(Answer::Alertmanager(answer)) => {
            alertmanager = Some(AlertmanagerOut {
                peers: &answer.peers,
                receivers: &answer.receivers,
                disagreements: &answer.disagreements,
                dead_man_firing: answer.dead_man.as_ref().map(|d| d.firing),
            });
        }
        // Backups have a list of their own.
        Some(Answer::Backup(_)) | None => {}
        Some(Answer::Exposition(answer)) => exposition = Some(exposition_out(answer)),
        Some(Answer::Database(answer)) => database = Some(super::database::database(answer)),
        Some(Answer::History(answer)) => {
            history = Some(HistoryOut {
                deployments: answer.deployments.len(),
                dropped: answer.dropped,
                broken: answer.broken,
                notes: &answer.notes,
            });
        }
        Some(Answer::Probe(answer)) => probe = Some(probe_out(answer, at)),
    }
    SourceOut {
        name,
        kind,
        state: reading.freshness(at),
        as_of: reading.held.as_ref().map(|h| h.as_of),
        error: reading.failure.as_ref().map(|f| f.what.as_str()),
        error_kind: reading.failure.as_ref().map(|f| f.kind),
        failing_since: reading.failure.as_ref().map(|f| f.since),
        next_try: reading.next_try,
        every_seconds: reading.every.as_secs_f64(),
        prometheus,
        alertmanager,
        exposition,
        history,
        probe,
        database,
    }
}

fn exposition_out(answer: &ExpositionAnswer) -> ExpositionOut<'_> {
    ExpositionOut {
        format: &answer.format,
        bytes: answer.bytes,
        took_seconds: answer.took,
        series: answer.series,
        dropped: answer.dropped,
        history_since: answer.history.since,
        history_samples: answer.history.samples,
        clock_ahead_seconds: answer.clock_ahead,
        notes: &answer.notes,
    }
}

fn probe_out(answer: &ProbeAnswer, at: Timestamp) -> ProbeOut<'_> {
    ProbeOut {
        up: answer.up,
        why: answer.why.as_deref(),
        since: answer.since,
        took_seconds: answer.took,
        status: answer.status,
        certificate: answer.certificate.as_ref().map(|certificate| certificate_out(certificate, at)),
        history_since: answer.history.since,
        history_samples: answer.history.samples,
    }
}

fn prometheus_out(answer: &PrometheusAnswer) -> PrometheusOut<'_> {
    PrometheusOut {
        version: answer.version.as_deref(),
        clock_ahead_seconds: answer.clock_ahead,
        rules_alerting: answer.rules.as_ref().map(|r| r.alerting),
        rules_recording: answer.rules.as_ref().map(|r| r.recording),
        rules_failing: answer.rules.as_ref().map(|r| r.failing.as_slice()),
        targets_up: answer.targets.as_ref().map(|t| t.up),
        targets_down: answer.targets.as_ref().map(|t| t.down_count),
        notes: &answer.notes,
    }
}

fn certificate_out(of: &Certificate, at: Timestamp) -> CertificateOut<'_> {
    CertificateOut {
        subject: &of.subject,
        names: &of.names,
        issuer: &of.issuer,
        not_before: of.not_before,
        not_after: of.not_after,
        life_left: of.left(at),
        untrusted: of.untrusted.as_deref(),
        name_matches: of.name_matches,
    }
}
