//! What the readings come to: alerts, services, needs, what is due, what was deployed. Every pane reads it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{self, Alert, Apart};
use crate::model::backup::{self, BackupState};
use crate::model::due::{self, Due};
use crate::model::estate::{Estate, SourceKind};
use crate::model::finding;
use crate::model::health::{self, ServiceHealth};
use crate::model::needs::{self, Need};
use crate::model::reading::{Freshness, Reading};
use crate::model::source::Answer;

use super::counts::counts;
use super::deployments::{Deployments, Made};
use super::silences::Silences;

/// What the readings come to. Computed when a reading or the time changes it, never while drawing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// All alerts of all sources, each once, the worst first.
    pub alerts: Vec<Arc<Alert>>,
    /// What tells those of one name apart.
    pub apart: Apart,
    /// In the estate's order.
    pub services: Vec<ServiceHealth>,
    /// The worst first.
    pub needs: Vec<Need>,
    /// Alerts that count: critical, warning, info, muted. A pending alert is information until it fires; a dead man's
    /// switch that fires, as it must, is none of them. What needs a person and is no alert counts by its severity too, a
    /// panel beyond its limit while its rule is pending: under a line of zeros no row is critical.
    pub counts: [usize; 4],
    /// How many of those that count are no alerts.
    pub besides: usize,
    /// Every backup, in the estate's order.
    pub backups: Vec<BackupState>,
    /// What is due, the soonest first.
    pub due: Vec<Due>,
    /// What was deployed.
    pub deployments: Deployments,
    /// All silences.
    pub silences: Silences,
    /// The state of each reading that this view rests on: when one changes, the view is out of date.
    pub freshness: Vec<Freshness>,
}

impl View {
    /// What these readings come to at `now`. `before` is the view of the last time, whose findings go on.
    ///
    /// `made` are the deployments that runs made.
    pub fn of(estate: &Estate, readings: &[Reading<Answer>], made: &Made, before: &View, now: Timestamp) -> View {
        let (mut at_alertmanager, mut at_prometheus) = (Vec::new(), Vec::new());
        for held in readings.iter().filter_map(|r| r.held.as_ref()) {
            match &held.value {
                Answer::Alertmanager(a) => at_alertmanager.extend_from_slice(&a.alerts),
                Answer::Prometheus(p) => at_prometheus.extend_from_slice(&p.alerts),
                Answer::Backup(_) | Answer::Database(_) | Answer::Exposition(_) | Answer::History(_) | Answer::Probe(_) => {}
            }
        }
        // That nobody is notified can be told only where every Alertmanager was heard: one that cannot be reached from
        // here may well have the alert.
        let mut heard = estate.sources.iter().zip(readings).filter(|(s, _)| matches!(s.kind, SourceKind::Alertmanager { .. })).peekable();
        let all_heard = heard.peek().is_some() && heard.all(|(_, r)| r.freshness(now) == Freshness::Fresh);
        let mut alerts = alert::merge(&at_alertmanager, &at_prometheus, all_heard);
        let found = finding::findings(estate, readings, &before.alerts, now);
        if !found.is_empty() {
            alerts.extend(found);
            alert::sort(&mut alerts);
        }
        let services = health::services(estate, readings, &alerts, now);
        let freshness = readings.iter().map(|r| r.freshness(now)).collect();
        let backups = backup::views(estate, readings, now);
        let due = due::due(estate, readings, &backups, now);
        let mut needs = needs::needs(estate, readings, &alerts, now);
        needs::with_due(&mut needs, estate, &alerts, &backups, &due, now);
        let deployments = Deployments::of(readings, made, &before.deployments);
        needs::with_change(&mut needs, estate, &alerts, &deployments.all);
        let (counts, besides) = counts(estate, &alerts, &needs);
        let silences = Silences::of(estate, readings, now);
        View { apart: Apart::of(&alerts), alerts, services, needs, counts, besides, backups, due, deployments, silences, freshness }
    }
}
