//! How old the oldest point must be and may be: documents are kept for years, and no longer than is allowed. And what
//! else the estate file says about keeping.

use jiff::{SignedDuration, Timestamp};

use super::{PointKind, Points};

/// This long before a point grows too old it is said: people who decide need time.
const SOON: SignedDuration = SignedDuration::from_hours(45 * 24);

/// What the estate file says about keeping, beside the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keep {
    /// The oldest point is at least this old.
    pub floor: Option<SignedDuration>,
    /// No point is older than this, but what is on hold.
    pub ceiling: Option<SignedDuration>,
    /// So many verified copies must be left before anything is pruned.
    pub min_copies: Option<usize>,
    /// The time between two looks for corruption.
    pub verify_every: Option<SignedDuration>,
    /// What may not be removed.
    pub holds: Vec<OnHold>,
}

impl Keep {
    /// Why a point of that moment may not be removed.
    pub fn hold(&self, at: Timestamp) -> Option<&str> {
        self.holds.iter().find(|hold| hold.from <= at && at < hold.until).map(|hold| hold.why.as_str())
    }
}

/// The points of a stretch of time that may not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnHold {
    /// The first moment (UTC).
    pub from: Timestamp,
    /// The first moment after it (UTC).
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

/// How the oldest points stand against floor and ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The oldest point that can be used; `None` where none is, or where older ones were not looked at.
    pub oldest: Option<Timestamp>,
    /// True where older points are there that were not looked at: nothing can be said then.
    pub partly: bool,
    /// True where the oldest is younger than the floor, or there is none.
    pub below: bool,
    /// Points beyond the ceiling that nothing holds.
    pub above: usize,
    /// Points beyond the ceiling that are on hold.
    pub held: usize,
    /// When (UTC) the next point grows too old, where that is soon.
    pub due: Option<Timestamp>,
}

impl Bounds {
    /// True where all is as it was promised.
    pub fn kept(&self) -> bool {
        !self.below && self.above == 0 && !self.partly
    }
}

/// Judges the oldest points at `now`; `None` where nothing is promised about them. What is broken is still data that is
/// kept: the ceiling is for it too.
pub fn bounds(keep: &Keep, points: &Points<'_>, total: usize, now: Timestamp) -> Option<Bounds> {
    if keep.floor.is_none() && keep.ceiling.is_none() {
        return None;
    }
    let mut out = Bounds { partly: total > points.all().len(), ..Bounds::default() };
    let oldest = points.usable().filter(|(_, p)| p.kind != PointKind::Wal).map(|(_, p)| p.restores_to).min();
    out.oldest = oldest.filter(|_| !out.partly);
    out.below = !out.partly && keep.floor.is_some_and(|floor| oldest.is_none_or(|at| now.duration_since(at) < floor));
    let Some(ceiling) = keep.ceiling else { return Some(out) };
    for point in points.all().iter().filter(|p| p.kind != PointKind::Wal) {
        let on_hold = point.hold.is_some() || keep.hold(point.restores_to).is_some();
        let Ok(end) = point.restores_to.checked_add(ceiling) else { continue };
        match (end < now, on_hold) {
            (true, true) => out.held += 1,
            (true, false) => out.above += 1,
            (false, true) => {}
            (false, false) if end.duration_since(now) <= SOON => out.due = Some(out.due.map_or(end, |due| due.min(end))),
            (false, false) => {}
        }
    }
    Some(out)
}
