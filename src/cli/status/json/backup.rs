//! The backups in the JSON of `qd status`.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::backup::{ArchiverSaid, BackupState, Bounds, CopyState, Done, Exposure, Gate, Ladder, Outcome, Proof, Prune, Wal};
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
    verification: Option<VerificationOut>,
    exposure: ExposureOut<'a>,
    data_lost: ExposureOut<'a>,
    site_lost: Option<ExposureOut<'a>>,
    site_lost_is: Option<&'a str>,
    copy_lost: Option<ExposureOut<'a>>,
    copy_lost_is: Option<&'a str>,
    account_lost: Option<ExposureOut<'a>>,
    account_lost_is: Option<&'a str>,
    sites_lost: Vec<LostOut<'a>>,
    accounts_lost: Vec<LostOut<'a>>,
    copies: Vec<CopyOut<'a>>,
    log: Vec<LogOut<'a>>,
    archiver: Option<ArchiverOut<'a>>,
    rpo_seconds: Option<f64>,
    rto_seconds: Option<f64>,
    worst_case_seconds: Option<f64>,
    cannot_comply: bool,
    due: Option<Timestamp>,
    silent_since: Option<Timestamp>,
    restore_tested: Option<Timestamp>,
    restore_took_seconds: Option<f64>,
    takes_seconds: Option<f64>,
    took_before_seconds: Option<f64>,
    oldest: Option<BoundsOut>,
    points: Option<usize>,
    ladders: Vec<LadderOut>,
    would_prune: usize,
    would_prune_held: usize,
    prune_gates: Vec<GateOut<'a>>,
}

/// The newest verification that ended.
#[derive(Serialize)]
struct VerificationOut {
    outcome: Outcome,
    began: Timestamp,
    ended: Option<Timestamp>,
    by: String,
    method: String,
    points_judged: usize,
    points_broken: usize,
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
struct LostOut<'a> {
    name: &'a str,
    lost: ExposureOut<'a>,
}

#[derive(Serialize)]
struct CopyOut<'a> {
    repo: Option<u32>,
    site: Option<&'a str>,
    account: Option<&'a str>,
    exposure: ExposureOut<'a>,
}

#[derive(Serialize)]
struct LogOut<'a> {
    repo: Option<u32>,
    file: &'a str,
    until: Option<Timestamp>,
    by: Option<&'a str>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct ArchiverOut<'a> {
    node: &'a str,
    mode: &'a str,
    failing: bool,
    last_archived: Option<&'a str>,
    last_archived_at: Option<Timestamp>,
    failed: u64,
    last_failed: Option<&'a str>,
    last_failed_at: Option<Timestamp>,
    waiting: Option<u64>,
    timeout_seconds: Option<f64>,
    slot: Option<&'a str>,
    slot_active: Option<bool>,
    slot_behind_bytes: Option<u64>,
}

#[derive(Serialize)]
struct BoundsOut {
    at: Option<Timestamp>,
    kept: bool,
    too_young: bool,
    too_old: usize,
    too_old_on_hold: usize,
    next_too_old: Option<Timestamp>,
}

/// `open` is null where nobody knows, which holds as well.
#[derive(Serialize)]
struct GateOut<'a> {
    gate: &'static str,
    open: Option<bool>,
    what: Option<&'a str>,
    points: Option<usize>,
}

#[derive(Serialize)]
struct LadderOut {
    of: Option<String>,
    every: String,
    keep_seconds: f64,
    filled: usize,
    due: usize,
    gap_seconds: Option<f64>,
    holes: Vec<HoleOut>,
    weakest_proof: Option<&'static str>,
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
        verification: report.proofs.of_source(report.estate, of.source).and_then(|proven| proven.last.as_ref()).map(verification),
        exposure: exposure(of, &of.exposure, report.at),
        data_lost: exposure(of, &of.loss.data, report.at),
        site_lost: of.loss.site().map(|(_, lost)| exposure(of, lost, report.at)),
        site_lost_is: of.loss.site().map(|(site, _)| site.as_str()),
        copy_lost: of.loss.copy.as_ref().map(|(_, lost)| exposure(of, lost, report.at)),
        copy_lost_is: of.loss.copy.as_ref().map(|(copy, _)| copy.as_str()),
        account_lost: of.loss.account().map(|(_, lost)| exposure(of, lost, report.at)),
        account_lost_is: of.loss.account().map(|(account, _)| account.as_str()),
        sites_lost: of.loss.sites.iter().map(|(name, lost)| LostOut { name, lost: exposure(of, lost, report.at) }).collect(),
        accounts_lost: of.loss.accounts.iter().map(|(name, lost)| LostOut { name, lost: exposure(of, lost, report.at) }).collect(),
        copies: of.copies.iter().map(|c| copy(of, c, report.at)).collect(),
        log: of.wal.iter().map(log).collect(),
        archiver: of.answer.as_ref().and_then(|a| a.archiver.as_ref()).map(archiver),
        rpo_seconds: of.rpo().map(|t| t.as_secs_f64()),
        rto_seconds: of.objective.as_ref().and_then(|o| o.rto).map(|t| t.as_secs_f64()),
        worst_case_seconds: of.worst.map(|w| w.total().as_secs_f64()),
        cannot_comply: of.cannot_comply(),
        due: of.beat.due,
        silent_since: of.beat.silent,
        restore_tested: of.tested.map(|test| test.at),
        restore_took_seconds: of.tested.and_then(|test| test.took).map(|took| took.as_secs_f64()),
        takes_seconds: of.trend.map(|trend| trend.now.as_secs_f64()),
        took_before_seconds: of.trend.map(|trend| trend.before.as_secs_f64()),
        oldest: of.bounds.as_ref().map(bounds),
        points: of.answer.as_ref().map(|a| a.total),
        ladders: of.ladders.iter().map(ladder).collect(),
        would_prune: of.prune.candidates.len(),
        would_prune_held: of.prune.held(),
        prune_gates: gates(&of.prune),
    }
}

fn verification(last: &Done) -> VerificationOut {
    let of = &last.of;
    VerificationOut {
        outcome: of.outcome,
        began: of.started,
        ended: of.ended,
        by: last.actor.name(),
        method: of.method.to_string(),
        points_judged: of.points.len(),
        points_broken: of.points.iter().filter(|point| point.broken.is_some()).count(),
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
        of: of.of.clone(),
        every: of.tier.every.to_string(),
        keep_seconds: of.tier.keep.as_secs_f64(),
        filled: of.filled(),
        due: of.slots.len(),
        gap_seconds: of.gap.map(|gap| gap.as_secs_f64()),
        weakest_proof: of.weakest.map(Proof::word),
        holes: of.holes.iter().map(|h| HoleOut { from: h.start, to: h.end, slots: h.slots }).collect(),
    }
}

fn copy<'a>(of: &BackupState, copy: &'a CopyState, at: Timestamp) -> CopyOut<'a> {
    CopyOut {
        repo: copy.repo,
        site: copy.place.site.as_deref(),
        account: copy.place.account.as_deref(),
        exposure: exposure(of, &copy.exposure, at),
    }
}

fn log(of: &Wal) -> LogOut<'_> {
    LogOut {
        repo: of.repo,
        file: &of.file,
        until: of.until.as_ref().ok().copied(),
        by: Some(of.by.as_str()).filter(|by| !by.is_empty()),
        why: of.until.as_ref().err().map(String::as_str),
    }
}

fn archiver(of: &ArchiverSaid) -> ArchiverOut<'_> {
    ArchiverOut {
        node: &of.node,
        mode: &of.mode,
        failing: of.is_failing(),
        last_archived: of.last_archived.as_deref(),
        last_archived_at: of.last_archived_at,
        failed: of.failed,
        last_failed: of.last_failed.as_deref(),
        last_failed_at: of.last_failed_at,
        waiting: of.waiting,
        timeout_seconds: of.timeout.map(|t| t.as_secs_f64()),
        slot: of.slot.as_ref().map(|slot| slot.name.as_str()),
        slot_active: of.slot.as_ref().map(|slot| slot.active),
        slot_behind_bytes: of.slot.as_ref().and_then(|slot| slot.behind),
    }
}

fn bounds(of: &Bounds) -> BoundsOut {
    BoundsOut { at: of.oldest, kept: of.kept(), too_young: of.below, too_old: of.above, too_old_on_hold: of.held, next_too_old: of.due }
}

fn gates(of: &Prune) -> Vec<GateOut<'_>> {
    let count = |gate, points: usize| GateOut { gate, open: Some(points == 0), what: None, points: Some(points) };
    let open = |of: &Gate| match of {
        Gate::Open(_) => Some(true),
        Gate::Shut(_) => Some(false),
        Gate::Unknown(_) => None,
    };
    vec![
        count("successor-read-back", of.unproved),
        GateOut { gate: "copies", open: open(&of.copies), what: Some(of.copies.text()), points: None },
        count("hold", of.on_hold),
        GateOut { gate: "checked", open: open(&of.checked), what: Some(of.checked.text()), points: None },
    ]
}
