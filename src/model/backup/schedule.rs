//! What a schedule can promise at best, when the next point is due, and since when no new one has come.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::RecoveryPoint;

/// The newest points whose times are looked at.
const LOOKED_AT: usize = 200;

/// The largest exposure that a schedule leads to while all goes well: its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worst {
    /// Between two starts.
    pub interval: SignedDuration,
    /// What 95 of 100 backups take at the most, where that is known.
    pub took: Option<SignedDuration>,
    /// What 95 of 100 copies take at the most, where there are copies.
    pub copied: Option<SignedDuration>,
    /// True where it is of a log: the interval is the longest that a file of it waits to be archived.
    pub log: bool,
}

impl Worst {
    /// All of it: just before a backup can be used, the data is as old as the start of the one before.
    pub fn total(&self) -> SignedDuration {
        let more = self.took.unwrap_or_default().saturating_add(self.copied.unwrap_or_default());
        self.interval.saturating_add(more)
    }

    /// True where the schedule cannot keep to the objective even while all goes well.
    pub fn cannot_comply(&self, rpo: SignedDuration) -> bool {
        self.total() > rpo
    }
}

/// The worst case of a schedule, by how long the newest points took.
pub fn worst(interval: SignedDuration, points: &[Arc<RecoveryPoint>]) -> Worst {
    let mut newest: Vec<&RecoveryPoint> = points.iter().map(AsRef::as_ref).filter(|p| p.broken.is_none()).collect();
    newest.sort_by_key(|p| std::cmp::Reverse(p.restores_to));
    newest.truncate(LOOKED_AT);
    let of = |time: &dyn Fn(&RecoveryPoint) -> Option<SignedDuration>| p95(newest.iter().filter_map(|p| time(p)).collect());
    Worst { interval, took: of(&RecoveryPoint::took), copied: of(&RecoveryPoint::copied), log: false }
}

/// How long backups of the newest one's kind take now, beside how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trend {
    /// The median of the newest.
    pub now: SignedDuration,
    /// The median of those before.
    pub before: SignedDuration,
}

impl Trend {
    /// How much longer they take now: 1 is twice as long.
    pub fn growth(&self) -> f64 {
        self.now.as_secs_f64() / self.before.as_secs_f64().max(0.001) - 1.0
    }
}

/// The newest points whose median is compared, and those before.
const RECENT: usize = 8;
const EARLIER: usize = 32;

/// How durations go; `None` with fewer than three of both, which tells nothing.
pub fn trend(points: &[Arc<RecoveryPoint>]) -> Option<Trend> {
    let mut all: Vec<&RecoveryPoint> = points.iter().map(AsRef::as_ref).filter(|p| p.broken.is_none() && p.took().is_some()).collect();
    all.sort_by_key(|p| std::cmp::Reverse(p.restores_to));
    let kind = all.first()?.kind;
    let took: Vec<SignedDuration> = all.iter().filter(|p| p.kind == kind).filter_map(|p| p.took()).take(RECENT + EARLIER).collect();
    let recent = took.len().min(RECENT).min(took.len() / 2);
    let (now, before) = took.split_at(recent);
    let median = |of: &[SignedDuration]| {
        let mut of = of.to_vec();
        of.sort_unstable();
        of.get(of.len() / 2).copied().filter(|_| of.len() >= 3)
    };
    Some(Trend { now: median(now)?, before: median(before)? })
}

/// The value that 95 of 100 do not exceed (the nearest rank).
fn p95(mut all: Vec<SignedDuration>) -> Option<SignedDuration> {
    all.sort_unstable();
    let rank = (all.len() * 95).div_ceil(100);
    rank.checked_sub(1).and_then(|at| all.get(at)).copied()
}

/// When the job runs next, and since when it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beat {
    /// When the next point should restore to (UTC); `None` without a schedule or without any point.
    pub due: Option<Timestamp>,
    /// Since when (UTC) nothing has come although two backups should have; `None` while it is not silent.
    pub silent: Option<Timestamp>,
}

/// Whether the job still runs: a point of any state is a sign of life. It is silent once two starts were missed and the
/// time that a backup takes has gone by too.
pub fn beat(interval: Option<SignedDuration>, points: &[Arc<RecoveryPoint>], running: bool, now: Timestamp) -> Beat {
    let newest = points.iter().map(|p| p.restores_to).filter(|at| *at <= now).max();
    let (Some(interval), Some(newest)) = (interval, newest) else { return Beat::default() };
    let late = worst(interval, points).total().saturating_add(interval);
    let silent = newest.checked_add(late).ok().filter(|from| *from < now && !running);
    Beat { due: newest.checked_add(interval).ok(), silent: silent.map(|_| newest) }
}
