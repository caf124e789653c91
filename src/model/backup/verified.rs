//! Verification: what was looked at, how deeply, and how it ended. What it proves of a point follows from the journal's
//! events alone and can be set nowhere.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Archive, BackupAnswer, LogChecked, Proof};
use crate::model::estate::{Estate, SourceKind};
use crate::model::event::{Actor, Event, Record};
use crate::model::reading::Reading;
use crate::model::source::Answer;

/// How a backup is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every file of a snapshot is read and compared with its `SHA256SUMS`.
    Files,
    /// `pgbackrest verify` of the whole stanza.
    PgBackRest,
    /// `restic check` of the whole repository, which reads this many percent of its packs.
    Restic {
        /// 1 to 100.
        percent: u8,
    },
}

impl Method {
    /// What a pass proves. `V3` is kept for what read all of a point's data back from where it is kept: every byte of
    /// every file, or of every pack. `pgbackrest verify` tells of checksums, and that is what is taken from it.
    pub fn proves(self) -> Proof {
        match self {
            Method::Files | Method::Restic { percent: 100.. } => Proof::V3,
            Method::PgBackRest | Method::Restic { .. } => Proof::V2,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Files => f.write_str("every file against SHA256SUMS"),
            Method::PgBackRest => f.write_str("pgbackrest verify"),
            Method::Restic { percent: 100.. } => f.write_str("restic check, all data read"),
            Method::Restic { percent } => write!(f, "restic check, {percent} % of the data read"),
        }
    }
}

/// How a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It began. Without a later event it is under way, or nobody was left to end it.
    Begun,
    /// All that was looked at is as it should be.
    Passed,
    /// Something is broken.
    Failed,
    /// It was stopped before its end: nothing is proved.
    Cancelled,
    /// It could not be carried out: nothing is proved.
    Unknown,
}

impl Outcome {
    /// One or two words.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Begun => "began",
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
            Outcome::Unknown => "could not be done",
        }
    }
}

/// What was found of one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointCheck {
    /// The point, as its system calls it.
    pub id: String,
    /// What is broken of it; `None` where all of it is as it should be.
    pub broken: Option<String>,
}

/// One verification, when it began or as it ended. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The backup's name in the estate file.
    pub source: String,
    /// What was looked at, as the estate file said then: a backup that now leads elsewhere is another one.
    pub target: String,
    /// How.
    pub method: Method,
    /// When it began (UTC). With the process this tells one verification from another.
    pub started: Timestamp,
    /// When it ended (UTC); `None` in the event of its beginning.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub outcome: Outcome,
    /// What was found, of each point that was judged. Points that were not judged are not here.
    pub points: Vec<PointCheck>,
    /// What was seen: what is missing, more or different, and how much was read. At most a hundred lines.
    pub evidence: Vec<String>,
}

/// What verification says of one point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The newest pass that looked at checksums or more (UTC).
    pub checksum: Option<Timestamp>,
    /// The newest pass that read all of it back (UTC).
    pub read: Option<Timestamp>,
    /// The newest failure that no equally deep pass came after.
    pub failed: Option<Failed>,
}

/// What a failed verification said of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// When it ended (UTC).
    pub at: Timestamp,
    /// What is broken.
    pub what: String,
    /// Only a pass that proves as much ends this.
    pub depth: Proof,
}

impl Checked {
    fn take(&mut self, method: Method, at: Timestamp, broken: Option<&String>) {
        let depth = method.proves();
        if let Some(what) = broken {
            // A part of the packs that is well says nothing of the pack that was not: only all of them do.
            let depth = if matches!(method, Method::Restic { .. }) { Proof::V3 } else { depth };
            self.failed = Some(Failed { at, what: what.clone(), depth });
            return;
        }
        self.checksum = self.checksum.max(Some(at));
        if depth >= Proof::V3 {
            self.read = self.read.max(Some(at));
        }
        if self.failed.as_ref().is_some_and(|failed| failed.depth <= depth) {
            self.failed = None;
        }
    }
}

/// A verification with whoever carried it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Who.
    pub actor: Actor,
    /// It, as it was last told.
    pub of: Verification,
    /// Of one that began: true while whoever carries it out still runs.
    pub alive: bool,
}

/// What the journal says of one backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proven {
    points: HashMap<String, Arc<Checked>>,
    /// Of the log that each repository keeps.
    logs: BTreeMap<Option<u32>, Arc<LogChecked>>,
    /// The newest verification that ended.
    pub last: Option<Done>,
    /// Those that began and of whose end nothing is known, the newest last.
    pub open: Vec<Done>,
}

/// What the journal says of all backups, by name and target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proofs {
    all: BTreeMap<(String, String), Proven>,
    /// The place of the newest event that they follow from: what follows from more events is newer.
    pub upto: u64,
}

impl Proofs {
    /// What these events come to, in their order.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Proofs {
        let mut proofs = Proofs::default();
        for record in records {
            proofs.upto = proofs.upto.max(record.seq);
            let Event::Verification(of) = &record.event else { continue };
            proofs.take(record.actor.clone(), of.clone());
        }
        proofs
    }

    fn take(&mut self, actor: Actor, of: Verification) {
        let proven = self.all.entry((of.source.clone(), of.target.clone())).or_default();
        let Some(ended) = of.ended else {
            proven.open.push(Done { actor, of, alive: false });
            return;
        };
        proven.open.retain(|open| open.of.started != of.started || open.actor != actor);
        for point in &of.points {
            if let Some((file, repo)) = Archive::parse(&point.id) {
                let log = proven.logs.entry(repo).or_insert_with(|| Arc::new(LogChecked { file: String::new(), of: Checked::default() }));
                let log = Arc::make_mut(log);
                log.file = file.to_owned();
                log.of.take(of.method, ended, point.broken.as_ref());
                continue;
            }
            let checked = proven.points.entry(point.id.clone()).or_default();
            Arc::make_mut(checked).take(of.method, ended, point.broken.as_ref());
        }
        proven.last = Some(Done { actor, of, alive: false });
    }

    /// True where something began of whose end nothing is known.
    pub fn has_open(&self) -> bool {
        self.all.values().any(|proven| !proven.open.is_empty())
    }

    /// Asks of each that began and did not end whether whoever carries it out still runs.
    pub fn look(&mut self, is_alive: impl Fn(&Actor) -> bool) {
        self.all.values_mut().flat_map(|proven| &mut proven.open).for_each(|open| open.alive = is_alive(&open.actor));
    }

    /// What is known of a backup.
    pub fn of_backup(&self, source: &str, target: &str) -> Option<&Proven> {
        self.all.get(&(source.to_owned(), target.to_owned()))
    }

    /// What is known of the estate's source at that place.
    pub fn of_source(&self, estate: &Estate, place: usize) -> Option<&Proven> {
        let source = estate.sources.get(place)?;
        let SourceKind::Backup(backup) = &source.kind else { return None };
        self.of_backup(&source.name, &backup.of.to_string())
    }

    /// Writes what is known beside the points of an answer, and takes away what is not known any more. Answers of other
    /// kinds stay as they are.
    pub fn apply(&self, estate: &Estate, place: usize, answer: &mut Answer) {
        let Answer::Backup(answer) = answer else { return };
        let proven = self.of_source(estate, place);
        let of = |id: &str| proven.and_then(|proven| proven.points.get(id));
        let log = |repo: Option<u32>| proven.and_then(|proven| proven.logs.get(&repo));
        if answer.points.iter().all(|point| point.checked.as_ref() == of(&point.id))
            && answer.archives.iter().all(|archive| archive.checked.as_ref() == log(archive.repo))
        {
            return;
        }
        let answer: &mut BackupAnswer = Arc::make_mut(answer);
        for point in &mut answer.points {
            let checked = of(&point.id);
            if point.checked.as_ref() != checked {
                Arc::make_mut(point).checked = checked.cloned();
            }
        }
        for archive in &mut answer.archives {
            archive.checked = log(archive.repo).cloned();
        }
    }

    /// The same for all readings of an estate, in its order.
    pub fn apply_all(&self, estate: &Estate, readings: &mut [Reading<Answer>]) {
        for (place, reading) in readings.iter_mut().enumerate() {
            if let Some(held) = &mut reading.held {
                self.apply(estate, place, &mut held.value);
            }
        }
    }
}
