//! DORA's measures in the JSON of `qd status`: of all services together and of each, in three windows. Every figure has its
//! count beside it.

use serde::Serialize;

use super::Report;
use crate::model::deployment::dora::{self, Dora};
use crate::model::estate::SourceKind;
use crate::model::reading::Reading;
use crate::model::source::Answer;

/// One of `dora`.
#[derive(Serialize)]
pub struct DoraOut {
    service: Option<String>,
    days: u16,
    whole: bool,
    deployments: usize,
    failed_attempts: usize,
    unknown_results: usize,
    per_day: f64,
    pace: &'static str,
    lead_p50_seconds: Option<f64>,
    lead_p90_seconds: Option<f64>,
    lead_n: usize,
    failed: usize,
    judged: usize,
    too_new: usize,
    recovery_p50_seconds: Option<f64>,
    recovery_n: usize,
    recovery_open: usize,
    recovery_open_at_least_seconds: Option<f64>,
    rework: usize,
}

/// All rows: for each window all services together, then each of which a deployment is told in it or in the one before.
/// None where nothing tells of deployments.
pub(super) fn dora(report: &Report<'_>) -> Vec<DoraOut> {
    if !report.estate.sources.iter().any(|source| matches!(source.kind, SourceKind::History(_))) {
        return Vec::new();
    }
    let rows = report.indexed.as_ref().map_or(&**report.view.deployments.all, |indexed| &indexed.measured);
    // Of each history the newest are known; where one left some out, what is older than the oldest of its newest may lack.
    let oldest = |reading: &Reading<Answer>| match &reading.held.as_ref()?.value {
        Answer::History(answer) if answer.dropped > 0 => answer.deployments.iter().map(|one| one.at).min(),
        _ => None,
    };
    let known_since = match &report.indexed {
        Some(indexed) => indexed.measured.last().filter(|_| indexed.more).map(|oldest| oldest.at),
        None => report.readings.iter().filter_map(oldest).max(),
    };
    let tables = dora::WINDOWS.into_iter().map(|days| dora::table(rows.iter(), &report.estate.environment, days, report.at));
    tables
        .flat_map(|table| {
            let begins = dora::Window::last(table.days, report.at).from;
            let whole = known_since.is_none_or(|since| since <= begins);
            table.rows.into_iter().map(move |row| out(row.service, table.days, whole, &row.now))
        })
        .collect()
}

fn out(service: Option<String>, days: u16, whole: bool, of: &Dora) -> DoraOut {
    DoraOut {
        service,
        days,
        whole,
        deployments: of.completed,
        failed_attempts: of.failed_attempts,
        unknown_results: of.unknown,
        per_day: of.per_day,
        pace: of.pace.word(),
        lead_p50_seconds: of.lead.map(|lead| lead.p50.as_secs_f64()),
        lead_p90_seconds: of.lead.map(|lead| lead.p90.as_secs_f64()),
        lead_n: of.lead.map_or(0, |lead| lead.n),
        failed: of.failed.of,
        judged: of.failed.all,
        too_new: of.too_new,
        recovery_p50_seconds: of.recovery.p50.map(|p50| p50.as_secs_f64()),
        recovery_n: of.recovery.closed,
        recovery_open: of.recovery.open,
        recovery_open_at_least_seconds: of.recovery.longest_open.map(|longest| longest.as_secs_f64()),
        rework: of.rework.of,
    }
}
