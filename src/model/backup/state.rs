//! How every backup of an estate stands, and what would be lost of every service that has one.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Backup, BackupAnswer, Beat, Exposure, Ladder, Loss, Objective, Points, Prune, RecoveryPoint, Worst};
use super::{beat, exposure, ladder, losses, prune, worst};
use crate::model::estate::{Estate, Severity, Source, SourceKind};
use crate::model::health::Readings;
use crate::model::source::Answer;

/// How one backup stands. Places are those of its answer's points.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupState {
    /// The source's place in the estate.
    pub source: usize,
    /// What it said last; `None` where it never did.
    pub answer: Option<Arc<BackupAnswer>>,
    /// What is promised of its service; `None` where nothing is.
    pub objective: Option<Objective>,
    /// What would be lost if only this backup were left.
    pub exposure: Exposure,
    /// What would be lost of its service, all backups of it counted.
    pub loss: Loss,
    /// The newest point that can be used.
    pub newest: Option<Arc<RecoveryPoint>>,
    /// Why a point cannot be used, by its place; `None` where it can.
    pub unusable: Vec<Option<String>>,
    /// What its schedule can promise at best.
    pub worst: Option<Worst>,
    /// Whether its job still runs.
    pub beat: Beat,
    /// Its retention, a ladder for each tier.
    pub ladders: Vec<Ladder>,
    /// What pruning would remove.
    pub prune: Prune,
    /// The newest test that restored something: when it ended, and of which point.
    pub tested: Option<Timestamp>,
}

impl BackupState {
    /// The objective for what may be lost.
    pub fn rpo(&self) -> Option<SignedDuration> {
        self.objective.as_ref().and_then(|o| o.rpo)
    }

    /// True where its schedule cannot keep to the objective.
    pub fn cannot_comply(&self) -> bool {
        self.worst.zip(self.rpo()).is_some_and(|(worst, rpo)| worst.cannot_comply(rpo))
    }

    /// How bad an exposure is against the objective at `now`. Without an objective nothing can be said, which is never ok.
    pub fn judge(&self, exposure: &Exposure, now: Timestamp) -> Severity {
        match (exposure, self.rpo()) {
            (Exposure::Everything, Some(_)) => Severity::Critical,
            (Exposure::Everything, None) => Severity::Warning,
            (Exposure::Unknown(_), _) | (_, None) => Severity::Unknown,
            (Exposure::Since(_), Some(rpo)) if exposure.span(now).is_some_and(|span| span > rpo) => Severity::Critical,
            (Exposure::Since(_), Some(_)) => Severity::Ok,
        }
    }

    /// How bad all of it is at `now`.
    pub fn severity(&self, now: Timestamp) -> Severity {
        let risk = self.beat.silent.is_some() || self.cannot_comply() || self.ladders.iter().any(|l| !l.whole());
        let risk = if risk { Severity::Warning } else { Severity::Ok };
        self.judge(&self.exposure, now).max(risk)
    }
}

/// One backup, judged at `now`. `loss` is that of its service.
pub fn state(
    source: usize,
    of: &Backup,
    answer: Option<Arc<BackupAnswer>>,
    objective: Option<&Objective>,
    zone: &TimeZone,
    now: Timestamp,
) -> BackupState {
    let none = Arc::new(BackupAnswer::default());
    let said = answer.as_ref().unwrap_or(&none);
    let points = Points::new(&said.points, now);
    let exposure = match answer {
        Some(_) => exposure(&points),
        None => Exposure::Unknown("nothing was ever read".into()),
    };
    let judged = if answer.is_some() { of.retention.as_slice() } else { &[] };
    let ladders: Vec<Ladder> = judged.iter().map(|tier| ladder(*tier, &points, zone, now)).collect();
    let tested = said.points.iter().filter_map(|p| p.evidence.restored.or(p.evidence.started)).filter(|at| *at <= now).max();
    BackupState {
        source,
        objective: objective.cloned(),
        loss: Loss { data: exposure.clone(), site: None },
        exposure,
        newest: points.newest().map(|(_, point)| point.clone()),
        unusable: (0..said.points.len()).map(|place| points.why_not(place).map(str::to_owned)).collect(),
        worst: of.schedule.map(|interval| worst(interval, &said.points)),
        beat: beat(of.schedule, &said.points, said.running, now),
        prune: prune(&points, &ladders),
        ladders,
        tested,
        answer,
    }
}

/// Every backup of the estate, in its order.
pub fn views(estate: &Estate, readings: &Readings, now: Timestamp) -> Vec<BackupState> {
    let zone = estate.zone.clone().unwrap_or(TimeZone::UTC);
    let mut all: Vec<BackupState> = (estate.sources.iter().zip(readings).enumerate())
        .filter_map(|(place, (source, reading))| {
            let SourceKind::Backup(of) = &source.kind else { return None };
            let answer = reading.held.as_ref().and_then(|held| match &held.value {
                Answer::Backup(answer) => Some(answer.clone()),
                _ => None,
            });
            Some(state(place, of, answer, estate.objective(source.service.as_deref()), &zone, now))
        })
        .collect();
    let of = |state: &BackupState| -> &Source { &estate.sources[state.source] };
    let losses: Vec<Loss> = all
        .iter()
        .map(|one| {
            let same = |other: &&BackupState| match &of(one).service {
                Some(service) => of(other).service.as_ref() == Some(service),
                None => other.source == one.source,
            };
            let copies: Vec<(Exposure, Option<&str>)> =
                all.iter().filter(same).map(|other| (other.exposure.clone(), of(other).site.as_deref())).collect();
            let sites = of(one).service.as_deref().and_then(|name| estate.service(name)).map_or(&[][..], |s| &s.sites);
            losses(&copies, sites)
        })
        .collect();
    for (state, loss) in all.iter_mut().zip(losses) {
        state.loss = loss;
    }
    all
}
