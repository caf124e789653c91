//! Backups: the points that can be restored to, what would be lost if all else failed now, and whether what is kept is
//! what was promised. Pure: the time is passed in.

mod archive;
mod bounds;
mod exposure;
mod ladder;
mod order;
mod place;
mod point;
mod policy;
mod prune;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod verified;
mod views;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::database::NodeAt;

pub use archive::{Archive, ArchiverSaid, LogChecked, SlotSaid, Wal};
pub use bounds::{Bounds, Keep, OnHold, bounds};
pub use exposure::{Copy, Exposure, Loss, Place, breach, exposure, losses, widest};
pub use ladder::{Hole, Ladder, Slot, ladder};
pub use order::{Extent, Order, Progress, nothing_to_verify, orders, with_needs};
pub use place::CopyAt;
pub use point::{Evidence, Part, PointKind, Points, Proof, RecoveryPoint};
pub use policy::{Advice, advice};
pub use prune::{Candidate, Gate, Prune, prune};
pub use schedule::{Beat, Trend, Worst, beat, trend, worst};
pub use state::{BackupState, CopyState, Restored, Said, state};
pub use verified::{Checked, Done, Failed, Method, Outcome, PointCheck, Proofs, Proven, Verification};
pub use views::views;

/// Recovery points of one backup that are kept, the newest.
pub const POINTS_CAP: usize = 10_000;

/// Of a source that tells of backups: what the estate file says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Who is asked.
    pub of: BackupOf,
    /// The time between two starts of the job, where it is named.
    pub schedule: Option<SignedDuration>,
    /// What one takes with its copy, where the file says it: it counts until it is measured.
    pub takes: Option<SignedDuration>,
    /// What is to be kept; none where the file says nothing.
    pub retention: Vec<Tier>,
    /// What else must hold before anything may be pruned.
    pub keep: Box<Keep>,
    /// The account that the copies belong to.
    pub account: Option<String>,
    /// Of a source that keeps several copies: where each lies.
    pub copies: Vec<CopyAt>,
}

impl Backup {
    /// A backup of which the estate file says no more than who is asked.
    pub fn new(of: BackupOf) -> Backup {
        Backup { of, schedule: None, takes: None, retention: vec![], keep: Box::default(), account: None, copies: vec![] }
    }
}

/// Who tells of the recovery points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupOf {
    /// A folder with a folder per snapshot, each with a `SHA256SUMS`.
    Directory {
        /// Where.
        folder: PathBuf,
    },
    /// `pgbackrest info`.
    PgBackRest {
        /// The program and what stands before `info`.
        program: Vec<String>,
        /// The stanza.
        stanza: String,
        /// Its configuration file, where it is not pgBackRest's own default.
        config: Option<PathBuf>,
        /// The host that it is asked on; this machine where `None`.
        host: Option<String>,
    },
    /// `restic snapshots`.
    Restic {
        /// The program and what stands before `snapshots`.
        program: Vec<String>,
        /// The repository, as restic names it.
        repository: String,
        /// The file with its password.
        password_file: Option<PathBuf>,
        /// Which of its snapshots are meant; all without any of them.
        only: Box<Only>,
    },
    /// PostgreSQL's own archiver, and a slot that an archive is fed by.
    Archiver {
        /// The nodes of one cluster; the primary among them is asked.
        nodes: Vec<NodeAt>,
        /// The physical slot that a `pg_receivewal` reads.
        slot: Option<String>,
        /// The backup whose points the log is replayed over.
        base: Option<String>,
    },
    /// Any command that prints the JSON of `docs/backup-json.md`.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}

/// Which snapshots of a repository are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// Made on this host.
    pub host: Option<String>,
    /// Of this path.
    pub path: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
}

impl BackupOf {
    /// The word of the estate file.
    pub fn word(&self) -> &'static str {
        match self {
            BackupOf::Directory { .. } => "directory",
            BackupOf::PgBackRest { .. } => "pgbackrest",
            BackupOf::Restic { .. } => "restic",
            BackupOf::Command { .. } => "command",
            BackupOf::Archiver { .. } => "archiver",
        }
    }

    /// The host that is asked, where it is not this machine.
    pub fn host(&self) -> Option<&String> {
        match self {
            BackupOf::PgBackRest { host, .. } => host.as_ref(),
            BackupOf::Directory { .. } | BackupOf::Restic { .. } | BackupOf::Archiver { .. } | BackupOf::Command { .. } => None,
        }
    }
}

impl fmt::Display for BackupOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupOf::Directory { folder } => write!(f, "{}", folder.display()),
            BackupOf::PgBackRest { program, stanza, config, .. } => {
                write!(f, "{} info, stanza {stanza}", program.join(" "))?;
                config.iter().try_for_each(|config| write!(f, ", {}", config.display()))
            }
            BackupOf::Restic { program, repository, password_file, only } => {
                write!(f, "{} snapshots, repository {repository}", program.join(" "))?;
                for (word, value) in [("host", &only.host), ("path", &only.path), ("tag", &only.tag)] {
                    value.iter().try_for_each(|value| write!(f, ", {word} {value}"))?;
                }
                password_file.iter().try_for_each(|file| write!(f, ", password in {}", file.display()))
            }
            BackupOf::Command { argv } => f.write_str(&argv.join(" ")),
            BackupOf::Archiver { nodes, slot, base } => {
                let nodes: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
                write!(f, "the archiver of {}", nodes.join(", "))?;
                slot.iter().try_for_each(|slot| write!(f, ", slot {slot}"))?;
                base.iter().try_for_each(|base| write!(f, ", over {base}"))
            }
        }
    }
}

/// One rung of a retention ladder: a point for each period, as far back as this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// One point for each of these.
    pub every: Period,
    /// This far back from now.
    pub keep: SignedDuration,
}

/// A stretch of the clock or of the calendar that wants a point of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Less than a day, counted in UTC; a day holds a whole number of them.
    Part(SignedDuration),
    /// A day of the estate's zone.
    Day,
    /// Monday to Sunday of the estate's zone.
    Week,
    /// A calendar month of the estate's zone.
    Month,
}

impl Period {
    /// The period that is written so: `1h`, `15m`, `1d`, `7d`, `month`. `Err` says what is right.
    pub fn parse(text: &str) -> Result<Period, String> {
        if text == "month" {
            return Ok(Period::Month);
        }
        let time = super::age::parse(text)?;
        let day = SignedDuration::from_hours(24);
        match time {
            t if t == day => Ok(Period::Day),
            t if t == day * 7 => Ok(Period::Week),
            t if t >= SignedDuration::from_mins(1) && t < day && day.as_secs() % t.as_secs() == 0 => Ok(Period::Part(t)),
            _ => Err(format!("`{text}` is no period: a part of a day that fits it whole times, such as 1h, or 1d, 7d or month")),
        }
    }

    /// About how long it is.
    pub fn length(self) -> SignedDuration {
        match self {
            Period::Part(time) => time,
            Period::Day => SignedDuration::from_hours(24),
            Period::Week => SignedDuration::from_hours(7 * 24),
            Period::Month => SignedDuration::from_hours(30 * 24),
        }
    }

    /// How far beyond an edge a spare point still counts.
    pub fn tolerance(self) -> SignedDuration {
        match self {
            Period::Part(time) => time / 6,
            Period::Day => SignedDuration::from_hours(2),
            Period::Week => SignedDuration::from_hours(12),
            Period::Month => SignedDuration::from_hours(48),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Part(time) if time.as_secs() == 3_600 => f.write_str("hourly"),
            Period::Part(time) => write!(f, "every {}", super::age::exact(*time)),
            Period::Day => f.write_str("daily"),
            Period::Week => f.write_str("weekly"),
            Period::Month => f.write_str("monthly"),
        }
    }
}

/// What is promised of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objective {
    /// The service.
    pub service: String,
    /// The most that may be lost.
    pub rpo: Option<SignedDuration>,
    /// The most time that bringing it back may take.
    pub rto: Option<SignedDuration>,
}

/// What a source said about its backups.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BackupAnswer {
    /// Its recovery points, the newest first, at most [`POINTS_CAP`].
    pub points: Vec<Arc<RecoveryPoint>>,
    /// All of them, counted.
    pub total: usize,
    /// Who said so, such as `pgBackRest 2.45`; empty where nobody did.
    pub by: String,
    /// True while a backup is being made.
    pub running: bool,
    /// What is odd, each a cleaned line.
    pub notes: Vec<String>,
    /// Which log it keeps, by copy; empty where it keeps none.
    #[serde(default)]
    pub archives: Vec<Archive>,
    /// Of an archiver: what it says.
    #[serde(default)]
    pub archiver: Option<ArchiverSaid>,
}
