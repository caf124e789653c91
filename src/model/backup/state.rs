//! How one backup stands: what would be lost, what its schedule promises, whether what is kept is what was promised.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Backup, BackupAnswer, Beat, Bounds, Exposure, Ladder, Loss, Objective, Place, PointKind};
use super::{Points, Prune, RecoveryPoint, Trend, Wal, Worst};
use super::{beat, bounds, exposure, ladder, prune, trend, worst};
use crate::model::estate::Severity;

/// How one backup stands. Places are those of its answer's points.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupState {
    /// The source's place in the estate.
    pub source: usize,
    /// What it said last, with the points that a log makes over its bases; `None` where it never said anything.
    pub answer: Option<Arc<BackupAnswer>>,
    /// What is promised of its service; `None` where nothing is.
    pub objective: Option<Objective>,
    /// What would be lost if only this backup were left.
    pub exposure: Exposure,
    /// Its copies, each by itself.
    pub copies: Vec<CopyState>,
    /// What would be lost of its service, all backups of it counted.
    pub loss: Loss,
    /// The point that the exposure counts from.
    pub newest: Option<Arc<RecoveryPoint>>,
    /// Why a point cannot be used, by its place; `None` where it can.
    pub unusable: Vec<Option<String>>,
    /// Up to which moment its log is kept; empty where it keeps none.
    pub wal: Vec<Wal>,
    /// What its schedule can promise at best.
    pub worst: Option<Worst>,
    /// How long its backups take now, and took before.
    pub trend: Option<Trend>,
    /// Whether its job still runs.
    pub beat: Beat,
    /// Its retention, a ladder for each tier.
    pub ladders: Vec<Ladder>,
    /// Its oldest points against floor and ceiling; `None` where neither is named.
    pub bounds: Option<Bounds>,
    /// What pruning would remove.
    pub prune: Prune,
    /// The newest test that restored something.
    pub tested: Option<Restored>,
}

/// One copy of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyState {
    /// The number that its source gives it, of a source with several.
    pub repo: Option<u32>,
    /// Where it lies.
    pub place: Place,
    /// What would be lost if only this copy were left.
    pub exposure: Exposure,
}

/// A test that restored something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When it ended (UTC).
    pub at: Timestamp,
    /// How long it took; `None` where that is not told.
    pub took: Option<SignedDuration>,
    /// True where what was restored was checked; else it only started.
    pub checked: bool,
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

    /// True where it is of an archiver that is off or whose newest try failed.
    pub fn archiving_fails(&self) -> bool {
        self.answer.as_ref().and_then(|a| a.archiver.as_ref()).is_some_and(|a| a.is_failing() || !a.is_on())
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
        let kept = self.bounds.as_ref().is_none_or(Bounds::kept) && self.ladders.iter().all(Ladder::whole);
        let risk = self.beat.silent.is_some() || self.cannot_comply() || self.archiving_fails() || !kept;
        let risk = if risk { Severity::Warning } else { Severity::Ok };
        self.judge(&self.exposure, now).max(risk)
    }
}

/// One backup, judged at `now`; of its service no more than it is known.
pub fn state(
    source: usize,
    of: &Backup,
    said: Said,
    objective: Option<&Objective>,
    site: Option<&str>,
    zone: &TimeZone,
    now: Timestamp,
) -> BackupState {
    let Said { answer, wal, timeout } = said;
    let none = Arc::new(BackupAnswer::default());
    let known = answer.as_ref().unwrap_or(&none);
    let points = Points::new(&known.points, now);
    let (mut exposed, newest) = exposure(&points, |_| true);
    if answer.is_none() {
        exposed = Exposure::Unknown("nothing was ever read".into());
    }
    let judged = if answer.is_some() { of.retention.as_slice() } else { &[] };
    let ladders: Vec<Ladder> = parts(&known.points)
        .iter()
        .flat_map(|part| judged.iter().map(|tier| ladder(*tier, &points, part.as_deref(), zone, now)).collect::<Vec<_>>())
        .collect();
    // A log is no job of its own: it tells neither that the job runs nor how long it takes.
    let jobs: Vec<Arc<RecoveryPoint>> = known.points.iter().filter(|p| wal.is_empty() || p.kind != PointKind::Wal).cloned().collect();
    let of_job = of.schedule.map(|interval| {
        let seen = worst(interval, &jobs);
        Worst { took: seen.took.or(of.takes), ..seen }
    });
    let logged = wal.iter().any(|wal| wal.until.is_ok());
    BackupState {
        source,
        objective: objective.cloned(),
        copies: copies(of, answer.is_some(), &points, site),
        loss: Loss { data: exposed.clone(), copy: None, sites: vec![], accounts: vec![] },
        exposure: exposed,
        newest,
        unusable: (0..known.points.len()).map(|place| points.why_not(place).map(str::to_owned)).collect(),
        worst: if logged { timeout.map(|interval| Worst { interval, took: None, copied: None, log: true }) } else { of_job },
        trend: trend(&jobs),
        beat: beat(of.schedule, &jobs, known.running, now),
        prune: prune(&points, &ladders, &of.keep),
        bounds: answer.as_ref().and_then(|answer| bounds(&of.keep, &points, answer.total, now)),
        ladders,
        tested: known.points.iter().filter_map(|point| restored(point, now)).max_by_key(|test| test.at),
        wal,
        answer,
    }
}

/// What a source said, with what others know of its log.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Its answer, with the points that its log makes.
    pub answer: Option<Arc<BackupAnswer>>,
    /// Up to which moment its log is kept.
    pub wal: Vec<Wal>,
    /// The longest that a file of the log waits to be archived, where that is told.
    pub timeout: Option<SignedDuration>,
}

/// The things that these points are of; one without a name where they are of one thing only.
fn parts(points: &[Arc<RecoveryPoint>]) -> Vec<Option<String>> {
    let all: BTreeSet<&str> = points.iter().filter_map(|p| p.part.of.as_deref()).collect();
    if all.len() < 2 { vec![None] } else { all.into_iter().take(PARTS).map(|name| Some(name.to_owned())).collect() }
}

/// Things of one source whose ladders are judged.
const PARTS: usize = 50;

/// The copies of a backup: one, or one for each repository that is named or that a point is in.
fn copies(of: &Backup, read: bool, points: &Points<'_>, site: Option<&str>) -> Vec<CopyState> {
    let own = Place { site: site.map(str::to_owned), account: of.account.clone() };
    let named = of.copies.iter().map(|copy| Some(copy.repo));
    let repos: BTreeSet<Option<u32>> = points.all().iter().map(|point| point.part.repo).chain(named).collect();
    let one = |repo: Option<u32>| {
        let at = of.copies.iter().find(|copy| Some(copy.repo) == repo);
        let place = match at {
            Some(at) => Place { site: at.site.clone(), account: at.account.clone().or_else(|| of.account.clone()) },
            // Where some are named, one that is not lies nobody knows where.
            None if !of.copies.is_empty() => Place { site: None, account: of.account.clone() },
            None => own.clone(),
        };
        let exposure = if read { exposure(points, |p| p.part.repo == repo).0 } else { Exposure::Unknown("nothing was ever read".into()) };
        CopyState { repo, place, exposure }
    };
    if repos.is_empty() { vec![one(None)] } else { repos.into_iter().map(one).collect() }
}

fn restored(point: &RecoveryPoint, now: Timestamp) -> Option<Restored> {
    let of = &point.evidence;
    let at = of.restored.or(of.started).filter(|at| *at <= now && *at >= point.restores_to)?;
    Some(Restored { at, took: of.restore_took, checked: of.restored.is_some() })
}
