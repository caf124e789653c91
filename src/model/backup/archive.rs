//! The log beyond a base: up to which moment it is archived, who says so, and the point that both make.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Checked, Evidence, Part, PointKind, Points, Proof, RecoveryPoint};

/// A file that was archived may have waited for others: this long after a failed try its time is no measure.
const DOUBT: SignedDuration = SignedDuration::from_hours(24);

/// PostgreSQL's archiver looks for files at least this often: a file was full no earlier than that before it was taken.
pub(super) const LOOK: SignedDuration = SignedDuration::from_secs(60);

/// The log that one copy keeps, as its source tells it. No times are told with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// The repository that keeps it, of a source with several.
    pub repo: Option<u32>,
    /// The oldest file.
    pub min: String,
    /// The newest file. Only where none between is missing it can be replayed up to there.
    pub max: String,
    /// What the journal's verifications say of it. No source tells it and no file keeps it beside the journal.
    #[serde(skip)]
    pub checked: Option<Arc<LogChecked>>,
}

/// What verification says of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChecked {
    /// The newest file that was verified with all before it; of a log that is damaged the newest damaged one.
    pub file: String,
    /// What was found.
    pub of: Checked,
}

impl Archive {
    /// What the point is called that this log makes.
    pub fn id(&self) -> String {
        self.id_of(&self.max)
    }

    /// The same, up to one of its files.
    pub fn id_of(&self, file: &str) -> String {
        let repo = self.repo.map_or(String::new(), |repo| format!(" (repo {repo})"));
        format!("{LOG}{file}{repo}")
    }

    /// The file and the repository that such a name is of; `None` where it is no log's.
    pub fn parse(id: &str) -> Option<(&str, Option<u32>)> {
        let rest = id.strip_prefix(LOG)?;
        match rest.split_once(" (repo ") {
            Some((file, repo)) => Some((file, Some(repo.strip_suffix(')')?.parse().ok()?))),
            None => Some((rest, None)),
        }
    }

    /// What its verification says of a point over this base: that all of it was well, or that what the base needs is not.
    fn verified(&self, base: &RecoveryPoint, until: Timestamp) -> Option<Arc<Checked>> {
        let LogChecked { file, of } = self.checked.as_deref()?;
        let needed = base.part.wal_from.as_ref().is_none_or(|from| from <= file);
        if let Some(failed) = of.failed.clone().filter(|_| needed) {
            return Some(Arc::new(Checked { failed: Some(failed), ..Checked::default() }));
        }
        // What was archived since then nobody looked at. And a log is worth no more than what it is replayed over.
        let at = of.checksum.filter(|_| of.failed.is_none() && *file >= self.max && base.proof() >= Proof::V2)?;
        // That file was verified: of an idle database only the moment that it reaches to was told later.
        Some(Arc::new(Checked { checksum: Some(at.max(until)), ..Checked::default() }))
    }
}

/// How the names of points begin that a log makes.
const LOG: &str = "WAL ";

/// What PostgreSQL says about its own archive. Times are by our clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiverSaid {
    /// The primary that was asked.
    pub node: String,
    /// When.
    pub at: Timestamp,
    /// `archive_mode`: `off`, `on` or `always`.
    pub mode: String,
    /// Files archived since the statistics began.
    pub archived: u64,
    /// The newest archived file.
    pub last_archived: Option<String>,
    /// When that was done. What is in the file is older.
    pub last_archived_at: Option<Timestamp>,
    /// Failed tries.
    pub failed: u64,
    /// The file of the newest failed try.
    pub last_failed: Option<String>,
    /// When.
    pub last_failed_at: Option<Timestamp>,
    /// Files that wait to be archived; `None` where the user may not see it.
    pub waiting: Option<u64>,
    /// `archive_timeout`; `None` where it is off: then a file that is not full waits for ever.
    pub timeout: Option<SignedDuration>,
    /// The files that are still there with the time of their last write, the newest first.
    pub files: Vec<(String, Timestamp)>,
    /// True where nothing was written after the newest archived file.
    pub idle: bool,
    /// The slot that the estate file names; `None` where it names none.
    pub slot: Option<SlotSaid>,
}

/// What a slot gives that something reads the log from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SlotSaid {
    /// Its name.
    pub name: String,
    /// True where there is such a slot.
    pub there: bool,
    /// True while something reads it.
    pub active: bool,
    /// Who reads it, by its own name.
    pub reader: Option<String>,
    /// Bytes that were written and not yet flushed by the reader.
    pub behind: Option<u64>,
    /// Bytes of log that are kept for it.
    pub retained: Option<u64>,
    /// Up to which moment all is flushed by the reader; `None` where nobody tells.
    pub until: Option<Timestamp>,
}

impl ArchiverSaid {
    /// True where its newest try failed.
    pub fn is_failing(&self) -> bool {
        match (self.last_failed_at, self.last_archived_at) {
            (Some(failed), Some(archived)) => failed > archived,
            (failed, None) => failed.is_some(),
            (None, Some(_)) => false,
        }
    }

    /// True where it archives at all.
    pub fn is_on(&self) -> bool {
        self.mode != "off"
    }

    /// Up to which moment the log is kept outside, by archiver or slot, whichever is newer. `Err` says why nobody knows.
    pub fn until(&self) -> Result<Timestamp, String> {
        let slot = self.slot.as_ref().and_then(|slot| slot.until);
        match (self.archived_until(), slot) {
            (Ok(archived), Some(slot)) => Ok(archived.max(slot)),
            (Ok(archived), None) => Ok(archived),
            (Err(_), Some(slot)) => Ok(slot),
            (Err(why), None) => Err(why),
        }
    }

    fn archived_until(&self) -> Result<Timestamp, String> {
        let Some(newest) = self.last_archived.as_deref() else {
            let off = format!("{}: archive_mode is off", self.node);
            return Err(if self.is_on() { format!("{}: no log was archived since its statistics began", self.node) } else { off });
        };
        if self.idle {
            return Ok(self.at);
        }
        if let Some(written) = self.written(newest) {
            return Ok(written);
        }
        // The file is gone, or hidden: the archiver took it, and it was full before that, by as much as it waits between
        // two looks. Where it had to try again, nobody knows by how much.
        let at = self.last_archived_at.ok_or_else(|| format!("{}: when {newest} was archived is not told", self.node))?;
        match self.last_failed_at {
            Some(failed) if at.duration_since(failed) < DOUBT => {
                Err(format!("{}: {newest} waited for a failed archiver, nobody tells how long", self.node))
            }
            _ => at.checked_sub(LOOK).map_err(|error| error.to_string()),
        }
    }

    /// When a file was written to last: what is in it is no newer, and all before is there.
    pub fn written(&self, file: &str) -> Option<Timestamp> {
        self.files.iter().find(|(name, _)| name == file).map(|(_, at)| *at)
    }

    /// Up to which moment a copy holds the log whose newest file is this.
    pub fn until_of(&self, file: &str) -> Result<Timestamp, String> {
        match self.last_archived.as_deref() {
            Some(newest) if newest <= file => self.archived_until(),
            _ => self.written(file).ok_or_else(|| format!("{}: when {file} was written is not told", self.node)),
        }
    }
}

/// Up to which moment a log can be replayed, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wal {
    /// The repository that keeps it, of a source with several.
    pub repo: Option<u32>,
    /// Its newest file.
    pub file: String,
    /// Up to which moment; `Err` says why nobody knows.
    pub until: Result<Timestamp, String>,
    /// Who tells the moment; empty where nobody does.
    pub by: String,
}

impl Wal {
    /// In a line: `up to the file 000...08, told by the archiver pg; ...`.
    pub fn told(&self) -> String {
        let repo = self.repo.map_or(String::new(), |repo| format!("repo {repo}: "));
        match &self.until {
            Ok(_) => format!("{repo}file {}, told by {}; whether one is missing only a verification shows", self.file, self.by),
            Err(why) => format!("{repo}file {}, of a time that is not known ({why}): exposure counts from the newest backup", self.file),
        }
    }

    /// The point that this log makes over the newest base of its copy that it reaches back to.
    pub(super) fn over(&self, archive: &Archive, points: &Points<'_>) -> Option<Arc<RecoveryPoint>> {
        let until = *self.until.as_ref().ok()?;
        let reaches = |from: &String| archive.min <= *from && *from <= archive.max;
        let fits = |p: &RecoveryPoint| p.part.repo == archive.repo && p.part.wal_from.as_ref().is_some_and(reaches);
        let base = points.usable().map(|(_, p)| p).filter(|p| fits(p) && p.restores_to <= until).max_by_key(|p| p.restores_to)?;
        Some(point(archive.id(), until, base, archive.verified(base, until)))
    }
}

/// The point that a log up to that moment makes over a base: never proved better than the base.
pub(super) fn point(id: String, until: Timestamp, base: &RecoveryPoint, checked: Option<Arc<Checked>>) -> Arc<RecoveryPoint> {
    Arc::new(RecoveryPoint {
        id,
        restores_to: until,
        finished: None,
        usable_from: None,
        kind: PointKind::Wal,
        needs: vec![base.id.clone()],
        size: None,
        evidence: Evidence { job: base.proof() >= Proof::V1, ..Evidence::default() },
        broken: None,
        hold: None,
        checked,
        part: Part { wal_from: None, ..base.part.clone() },
    })
}
