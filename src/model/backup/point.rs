//! A moment that can be restored to, and how well that is proved.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Checked;

/// What a point is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointKind {
    /// Everything.
    Full,
    /// What changed since another point, which it needs.
    Incremental,
    /// A log that is replayed over another point, which it needs.
    Wal,
}

impl PointKind {
    /// `full`, `incremental` or `wal`.
    pub fn word(self) -> &'static str {
        match self {
            PointKind::Full => "full",
            PointKind::Incremental => "incremental",
            PointKind::Wal => "wal",
        }
    }
}

/// How well it is proved that a point can be restored. Nobody sets it: it follows from the [`Evidence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Proof {
    /// It exists.
    V0,
    /// The job said that it went well.
    V1,
    /// Its checksums were right.
    V2,
    /// All of it was read back.
    V3,
    /// What was restored from it started.
    V4,
    /// It was restored and what was in it was checked.
    V5,
}

impl Proof {
    /// `V0` to `V5`.
    pub fn word(self) -> &'static str {
        match self {
            Proof::V0 => "V0",
            Proof::V1 => "V1",
            Proof::V2 => "V2",
            Proof::V3 => "V3",
            Proof::V4 => "V4",
            Proof::V5 => "V5",
        }
    }

    /// `0` to `5`.
    pub fn digit(self) -> char {
        match self {
            Proof::V0 => '0',
            Proof::V1 => '1',
            Proof::V2 => '2',
            Proof::V3 => '3',
            Proof::V4 => '4',
            Proof::V5 => '5',
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Proof::V0 => "exists",
            Proof::V1 => "job ok",
            Proof::V2 => "checksum",
            Proof::V3 => "read back",
            Proof::V4 => "starts",
            Proof::V5 => "restored and checked",
        }
    }
}

/// What was seen of a point, and when (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The job said that it went well.
    pub job: bool,
    /// Its checksums were right.
    pub checksum: Option<Timestamp>,
    /// All of it was read back.
    pub read: Option<Timestamp>,
    /// What was restored from it started.
    pub started: Option<Timestamp>,
    /// It was restored and what was in it was checked.
    pub restored: Option<Timestamp>,
    /// How long that restore took, where it is told.
    #[serde(default)]
    pub restore_took: Option<SignedDuration>,
}

/// Which part of a source that keeps several things a point belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Part {
    /// The repository that holds it, of a source with several: a copy with a place of its own.
    pub repo: Option<u32>,
    /// What it is of, such as `web1:/srv`, where one source holds backups of several things: each is judged apart.
    pub of: Option<String>,
    /// The first log file that it needs.
    pub wal_from: Option<String>,
}

/// A moment that can be restored to. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// What its system calls it.
    pub id: String,
    /// The moment that the data in it is consistent to (UTC): the start of the backup, not its end.
    pub restores_to: Timestamp,
    /// When the job ended (UTC); `None` where nobody tells.
    pub finished: Option<Timestamp>,
    /// From when on it could be used (UTC), where it was copied after the job ended.
    pub usable_from: Option<Timestamp>,
    /// What it is made of.
    pub kind: PointKind,
    /// The points that it needs, by id.
    pub needs: Vec<String>,
    /// Its size where it is kept, bytes.
    pub size: Option<u64>,
    /// What was seen of it.
    pub evidence: Evidence,
    /// Why it cannot be restored, where that is known; `None` where nothing speaks against it.
    pub broken: Option<String>,
    /// Why it may not be removed, where somebody said so.
    pub hold: Option<String>,
    /// Which part of its source it belongs to.
    #[serde(default)]
    pub part: Part,
    /// What the journal's verifications say of it. No source tells it and no file keeps it beside the journal.
    #[serde(skip)]
    pub checked: Option<Arc<Checked>>,
}

impl RecoveryPoint {
    /// How well it is proved, from what was seen. What is broken proves nothing but that it exists; what was seen
    /// before the point was there is no evidence.
    pub fn proof(&self) -> Proof {
        let seen = |at: Option<Timestamp>| at.is_some_and(|at| at >= self.restores_to);
        let of = &self.evidence;
        let checked = self.checked.as_deref();
        match () {
            () if self.broken.is_some() || checked.is_some_and(|checked| checked.failed.is_some()) => Proof::V0,
            () if seen(of.restored) => Proof::V5,
            () if seen(of.started) => Proof::V4,
            () if seen(of.read) || checked.is_some_and(|checked| seen(checked.read)) => Proof::V3,
            () if seen(of.checksum) || checked.is_some_and(|checked| seen(checked.checksum)) => Proof::V2,
            () if of.job => Proof::V1,
            () => Proof::V0,
        }
    }

    /// True where all of it was read back, started or restored after all of it was written, and no verification failed.
    pub fn read_after_written(&self) -> bool {
        let (of, checked) = (&self.evidence, self.checked.as_deref());
        let whole = self.broken.is_none() && checked.is_none_or(|checked| checked.failed.is_none());
        let read = [of.read, of.started, of.restored, checked.and_then(|checked| checked.read)];
        whole && read.into_iter().flatten().any(|at| at >= self.usable())
    }

    /// From when on it could be used; the moment itself where nobody tells.
    pub fn usable(&self) -> Timestamp {
        self.usable_from.or(self.finished).unwrap_or(self.restores_to).max(self.restores_to)
    }

    /// How long the job took, where that is known.
    pub fn took(&self) -> Option<SignedDuration> {
        self.finished.map(|end| end.duration_since(self.restores_to)).filter(|took| !took.is_negative())
    }

    /// How long the copy took after that, where there was one.
    pub fn copied(&self) -> Option<SignedDuration> {
        Some(self.usable_from?.duration_since(self.finished?)).filter(|took| !took.is_negative())
    }
}

/// The points of one backup, with what each comes to.
#[derive(Debug)]
pub struct Points<'a> {
    all: &'a [Arc<RecoveryPoint>],
    places: HashMap<&'a str, usize>,
    unusable: Vec<Option<String>>,
}

impl<'a> Points<'a> {
    /// Finds which can be used at `now`: finished, not broken, not of the future, and all that it needs likewise.
    pub fn new(all: &'a [Arc<RecoveryPoint>], now: Timestamp) -> Points<'a> {
        let places: HashMap<&str, usize> = all.iter().enumerate().map(|(i, p)| (p.id.as_str(), i)).collect();
        let mut unusable: Vec<Option<String>> = all.iter().map(|point| own(point, now)).collect();
        // The oldest first: what is needed is older than what needs it, so one walk is enough.
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|i| (all[*i].restores_to, all[*i].kind != PointKind::Full, all[*i].needs.len()));
        for i in order {
            if unusable[i].is_some() {
                continue;
            }
            let point = &all[i];
            unusable[i] = if point.kind != PointKind::Full && point.needs.is_empty() {
                Some("it does not say what it builds on".to_owned())
            } else {
                point.needs.iter().find_map(|id| match places.get(id.as_str()) {
                    None => Some(format!("{id}, which it needs, is gone")),
                    Some(at) if *at == i || all[*at].restores_to > point.restores_to => Some(format!("{id}, which it needs, is not older")),
                    Some(at) => unusable[*at].as_ref().map(|_| format!("{id}, which it needs, cannot be used")),
                })
            };
        }
        Points { all, places, unusable }
    }

    /// All of them, in the order that they were given.
    pub fn all(&self) -> &'a [Arc<RecoveryPoint>] {
        self.all
    }

    /// Why a point cannot be used; `None` where it can.
    pub fn why_not(&self, place: usize) -> Option<&str> {
        self.unusable.get(place).and_then(|why| why.as_deref())
    }

    /// Those that can be used, with their places.
    pub fn usable(&self) -> impl Iterator<Item = (usize, &'a Arc<RecoveryPoint>)> + '_ {
        self.all.iter().enumerate().filter(|(i, _)| self.unusable[*i].is_none())
    }

    /// The newest that can be used.
    pub fn newest(&self) -> Option<(usize, &'a Arc<RecoveryPoint>)> {
        self.usable().max_by_key(|(_, point)| point.restores_to)
    }

    /// The place of a point.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }
}

/// Why a point cannot be used by itself.
fn own(point: &RecoveryPoint, now: Timestamp) -> Option<String> {
    if let Some(why) = &point.broken {
        return Some(why.clone());
    }
    if let Some(failed) = point.checked.as_ref().and_then(|checked| checked.failed.as_ref()) {
        return Some(format!("verification failed: {}", failed.what));
    }
    // A clock that is ahead must not make the exposure look smaller than it is.
    (point.restores_to > now || point.usable() > now).then(|| "it is of the future: a clock is wrong".to_owned())
}
