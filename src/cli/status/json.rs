//! The JSON of `qd status`, version 1, as `docs/status-json.md` promises it: every key is always there, times are
//! RFC 3339 in UTC, and what is not known is null.

mod backup;
mod database;
mod deployment;
mod dora;
mod due;
mod source;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::alert::{Alert, AlertState, Origin};
use crate::model::estate::Severity;
use crate::model::health::{self, Health, PanelView, ServiceHealth};
use crate::model::label::Labels;
use crate::model::metric;
use crate::model::needs::{About, Need};
use crate::model::reading::{Freshness, Reading};
use crate::model::silence::{Silence, SilenceMatcher, SilenceState};
use crate::model::source::{AlertmanagerAnswer, Answer, Peer};

use self::backup::{BackupOut, backup};
use self::deployment::DeploymentOut;
use self::dora::{DoraOut, dora};
use self::due::{DrillOut, DueOut, ExposedOut, FreezeOut, WindowOut};
use self::source::{SourceOut, source};
use super::Report;

/// The version of the shape.
const VERSION: u8 = 1;

/// The whole document.
#[derive(Serialize)]
pub struct Status<'a> {
    version: u8,
    estate: &'a str,
    environment: &'a str,
    at: Timestamp,
    state: Severity,
    sources: Vec<SourceOut<'a>>,
    services: Vec<ServiceOut<'a>>,
    alerts: Vec<AlertOut<'a>>,
    needs: Vec<NeedOut<'a>>,
    panels: Vec<PanelOut<'a>>,
    silences: Vec<SilenceOut<'a>>,
    backups: Vec<BackupOut<'a>>,
    exposure: Vec<ExposedOut<'a>>,
    due: Vec<DueOut<'a>>,
    windows: Vec<WindowOut<'a>>,
    freezes: Vec<FreezeOut<'a>>,
    drills: Vec<DrillOut<'a>>,
    deployments: Vec<DeploymentOut<'a>>,
    deployments_total: usize,
    deployments_left_out: usize,
    dora: Vec<DoraOut>,
}

#[derive(Serialize)]
struct ServiceOut<'a> {
    name: &'a str,
    state: Severity,
    stale: bool,
    sites: BTreeMap<&'a str, SiteOut>,
    alerts: usize,
    muted: usize,
    worst: Option<&'a str>,
    since: Option<Timestamp>,
}

#[derive(Serialize)]
struct SiteOut {
    state: Severity,
    stale: bool,
    alerts: usize,
    muted: usize,
}

#[derive(Serialize)]
struct AlertOut<'a> {
    id: &'a str,
    name: &'a str,
    severity: Severity,
    state: AlertState,
    since: Timestamp,
    updated: Option<Timestamp>,
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'a str, &'a str>,
    source: &'a str,
    origin: Origin,
    silenced_by: Vec<&'a str>,
    inhibited_by: Vec<&'a str>,
    muted_by: Vec<&'a str>,
    receivers: Vec<&'a str>,
    runbook: Option<&'a str>,
    generator_url: Option<&'a str>,
    seen_by: Vec<&'a str>,
}

#[derive(Serialize)]
struct NeedOut<'a> {
    severity: Severity,
    kind: &'static str,
    name: &'a str,
    alerts: Vec<&'a str>,
    what: &'a str,
    action: &'a str,
    since: Option<Timestamp>,
    due: Option<Timestamp>,
    stale: bool,
}

#[derive(Serialize)]
struct PanelOut<'a> {
    name: &'a str,
    service: Option<&'a str>,
    source: &'a str,
    unit: &'static str,
    value: Option<f64>,
    value_text: Option<String>,
    severity: Severity,
    as_of: Option<Timestamp>,
    state: Freshness,
    error: Option<&'a str>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SilenceOut<'a> {
    id: &'a str,
    source: &'a str,
    state: SilenceState,
    matchers: &'a [SilenceMatcher],
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: &'a str,
    comment: &'a str,
    seen_by: Vec<&'a str>,
}

/// The document of a report.
pub(super) fn status<'a>(report: &'a Report<'a>) -> Status<'a> {
    let sources = || report.estate.sources.iter().zip(report.readings);
    let peers: BTreeMap<&str, &[Peer]> =
        sources().filter_map(|(s, r)| alertmanager_of(r).map(|a| (s.name.as_str(), a.peers.as_slice()))).collect();
    let peers_of = |source: &str| peers.get(source).copied().unwrap_or(&[]);
    let silences = sources().filter_map(|(s, r)| alertmanager_of(r).map(|a| (s.name.as_str(), a)));
    Status {
        version: VERSION,
        estate: &report.estate.name,
        environment: &report.estate.environment,
        at: report.at,
        state: report.verdict(),
        sources: sources().map(|(s, r)| source(&s.name, s.kind.word(), r, report.at)).collect(),
        services: report.view.services.iter().map(|s| service(s, report)).collect(),
        alerts: report.view.alerts.iter().map(|a| alert(a, peers_of(&a.source))).collect(),
        needs: report.view.needs.iter().map(need).collect(),
        panels: health::panels(report.estate, report.readings, report.at).iter().map(panel).collect(),
        silences: silences.flat_map(|(name, a)| a.silences.iter().map(move |s| silence(s, name, &a.peers))).collect(),
        backups: report.view.backups.iter().map(|b| backup(b, report)).collect(),
        exposure: due::exposure(report),
        due: report.view.due.iter().map(|one| due::due(one, report)).collect(),
        windows: due::windows(report),
        freezes: due::freezes(report),
        drills: due::drills(report),
        deployments: report.view.deployments.all.iter().take(deployment::TOLD).map(|one| deployment::deployment(one)).collect(),
        deployments_total: report.indexed.as_ref().map_or(report.view.deployments.all.len(), |indexed| indexed.total),
        deployments_left_out: report.left_out(),
        dora: dora(report),
    }
}

fn alertmanager_of(reading: &Reading<Answer>) -> Option<&AlertmanagerAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::Alertmanager(answer) => Some(answer),
        Answer::Backup(_) | Answer::Database(_) | Answer::History(_) | Answer::Prometheus(_) | Answer::Exposition(_) | Answer::Probe(_) => {
            None
        }
    }
}

fn service<'a>(health: &'a ServiceHealth, report: &'a Report<'a>) -> ServiceOut<'a> {
    let site = |h: &Health| SiteOut { state: h.severity, stale: h.stale, alerts: h.alerts, muted: h.muted };
    let sites = report.estate.sites.iter().zip(&health.sites);
    ServiceOut {
        name: &health.service,
        state: health.overall.severity,
        stale: health.overall.stale,
        sites: sites.filter_map(|(s, h)| h.as_ref().map(|h| (s.name.as_str(), site(h)))).collect(),
        alerts: health.overall.alerts,
        muted: health.overall.muted,
        worst: health.worst.as_deref(),
        since: health.since,
    }
}

fn alert<'a>(alert: &'a Alert, peers: &'a [Peer]) -> AlertOut<'a> {
    let pairs = |labels: &'a Labels| labels.iter().collect();
    let words = |all: &'a [std::sync::Arc<str>]| all.iter().map(|w| &**w).collect();
    AlertOut {
        id: &alert.id.0,
        name: alert.name(),
        severity: alert.severity,
        state: alert.state,
        since: alert.starts_at,
        updated: alert.updated_at,
        labels: pairs(&alert.labels),
        annotations: pairs(&alert.annotations),
        source: &alert.source,
        origin: alert.origin,
        silenced_by: words(&alert.silenced_by),
        inhibited_by: words(&alert.inhibited_by),
        muted_by: words(&alert.muted_by),
        receivers: words(&alert.receivers),
        runbook: alert.runbook(),
        generator_url: alert.generator_url.as_deref(),
        seen_by: urls(&alert.seen_by, peers),
    }
}

fn urls<'a>(seen_by: &[usize], peers: &'a [Peer]) -> Vec<&'a str> {
    seen_by.iter().filter_map(|i| peers.get(*i)).map(|p| p.url.as_str()).collect()
}

fn need(need: &Need) -> NeedOut<'_> {
    let mut alerts = Vec::new();
    let (kind, name) = match &need.about {
        About::Alerts(name, ids) => {
            alerts = ids.iter().map(|id| &*id.0).collect();
            ("alerts", name)
        }
        About::Source(name) => ("source", name),
        About::DeadMan(name) => ("dead-man", name),
        About::Panel(name) => ("panel", name),
        About::Silence(id) => ("silence", id),
        About::Drill(name) => ("drill", name),
    };
    NeedOut {
        severity: need.severity,
        kind,
        name,
        alerts,
        what: &need.what,
        action: &need.action,
        since: need.since,
        due: need.due,
        stale: need.stale,
    }
}

fn panel<'a>(view: &PanelView<'a>) -> PanelOut<'a> {
    let value = view.value();
    PanelOut {
        name: &view.panel.name,
        service: view.panel.service.as_deref(),
        source: &view.panel.source,
        unit: view.panel.unit.word(),
        // JSON has no NaN and no infinity: `value_text` has them.
        value: value.filter(|v| v.is_finite()),
        value_text: value.map(|v| metric::show(v, view.panel.unit)),
        severity: view.severity(),
        as_of: view.as_of,
        state: view.freshness,
        error: view.answer.and_then(|a| a.error.as_deref()),
        notes: view.answer.map_or(&[], |a| a.notes.as_slice()),
    }
}

fn silence<'a>(silence: &'a Silence, source: &'a str, peers: &'a [Peer]) -> SilenceOut<'a> {
    SilenceOut {
        id: &silence.id,
        source,
        state: silence.state,
        matchers: &silence.matchers,
        starts_at: silence.starts_at,
        ends_at: silence.ends_at,
        created_by: &silence.created_by,
        comment: &silence.comment,
        seen_by: urls(&silence.seen_by, peers),
    }
}
