//! The backups in the JSON of `qd status`.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::backup::{BackupState, Exposure, Ladder};
use crate::model::estate::Severity;

use super::Report;

/// One of `backups`.
#[derive(Serialize)]
pub struct BackupOut<'a> {
    source: &'a str,
    service: Option<&'a str>,
    site: Option<&'a str>,
    state: Severity,
    stale: bool,
    newest: Option<Timestamp>,
    proof: Option<&'static str>,
    exposure: ExposureOut<'a>,
    data_lost: ExposureOut<'a>,
    site_lost: Option<ExposureOut<'a>>,
    site_lost_is: Option<&'a str>,
    rpo_seconds: Option<f64>,
    rto_seconds: Option<f64>,
    worst_case_seconds: Option<f64>,
    cannot_comply: bool,
    due: Option<Timestamp>,
    silent_since: Option<Timestamp>,
    restore_tested: Option<Timestamp>,
    points: Option<usize>,
    ladders: Vec<LadderOut>,
    would_prune: usize,
    would_prune_held: usize,
}

/// `seconds` is null where it is everything or not known: `known` and `everything` tell which.
#[derive(Serialize)]
pub(super) struct ExposureOut<'a> {
    state: Severity,
    known: bool,
    everything: bool,
    seconds: Option<f64>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct LadderOut {
    every: String,
    keep_seconds: f64,
    filled: usize,
    due: usize,
    gap_seconds: Option<f64>,
    holes: Vec<HoleOut>,
}

#[derive(Serialize)]
struct HoleOut {
    from: Timestamp,
    to: Timestamp,
    slots: usize,
}

/// One of `backups`.
pub(super) fn backup<'a>(of: &'a BackupState, report: &'a Report<'a>) -> BackupOut<'a> {
    let (source, reading) = (&report.estate.sources[of.source], &report.readings[of.source]);
    BackupOut {
        source: &source.name,
        service: source.service.as_deref(),
        site: source.site.as_deref(),
        state: of.severity(report.at),
        stale: reading.held.is_some() && reading.fresh(report.at).is_none(),
        newest: of.newest.as_ref().map(|p| p.restores_to),
        proof: of.newest.as_ref().map(|p| p.proof().word()),
        exposure: exposure(of, &of.exposure, report.at),
        data_lost: exposure(of, &of.loss.data, report.at),
        site_lost: of.loss.site.as_ref().map(|(_, lost)| exposure(of, lost, report.at)),
        site_lost_is: of.loss.site.as_ref().map(|(site, _)| site.as_str()),
        rpo_seconds: of.rpo().map(|t| t.as_secs_f64()),
        rto_seconds: of.objective.as_ref().and_then(|o| o.rto).map(|t| t.as_secs_f64()),
        worst_case_seconds: of.worst.map(|w| w.total().as_secs_f64()),
        cannot_comply: of.cannot_comply(),
        due: of.beat.due,
        silent_since: of.beat.silent,
        restore_tested: of.tested,
        points: of.answer.as_ref().map(|a| a.total),
        ladders: of.ladders.iter().map(ladder).collect(),
        would_prune: of.prune.candidates.len(),
        would_prune_held: of.prune.held(),
    }
}

pub(super) fn exposure<'a>(of: &BackupState, exposure: &'a Exposure, at: Timestamp) -> ExposureOut<'a> {
    ExposureOut {
        state: of.judge(exposure, at),
        known: !matches!(exposure, Exposure::Unknown(_)),
        everything: *exposure == Exposure::Everything,
        seconds: exposure.span(at).map(|span| span.as_secs_f64()),
        why: match exposure {
            Exposure::Unknown(why) => Some(why),
            Exposure::Since(_) | Exposure::Everything => None,
        },
    }
}

fn ladder(of: &Ladder) -> LadderOut {
    LadderOut {
        every: of.tier.every.to_string(),
        keep_seconds: of.tier.keep.as_secs_f64(),
        filled: of.filled(),
        due: of.slots.len(),
        gap_seconds: of.gap.map(|gap| gap.as_secs_f64()),
        holes: of.holes.iter().map(|h| HoleOut { from: h.start, to: h.end, slots: h.slots }).collect(),
    }
}
