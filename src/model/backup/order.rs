//! What can be asked of a verification: how deeply, of which points, and what would be run for it.

use std::path::Path;
use std::sync::Arc;

use super::{BackupAnswer, BackupOf, Method, RecoveryPoint};
use crate::model::estate::{Source, SourceKind};
use crate::model::metric;
use crate::model::panel::Unit;

/// Percent of the packs that the smaller check of restic reads.
const SAMPLE: u8 = 10;

/// Which points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The newest, with what it needs.
    Newest,
    /// A certain one, with what it needs.
    Point,
    /// All of them.
    All,
}

/// One verification to be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The source's place in the estate.
    pub source: usize,
    /// The backup's name.
    pub name: String,
    /// Where.
    pub of: BackupOf,
    /// How.
    pub method: Method,
    /// Which points.
    pub extent: Extent,
    /// The points that it is about, with all that they need, as they were last told.
    pub points: Vec<Arc<RecoveryPoint>>,
}

/// How far a verification is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// So many are done: bytes of files, or what `what` counts.
    pub done: u64,
    /// Of so many; `None` where nobody tells.
    pub total: Option<u64>,
    /// The file that is read, or what is counted.
    pub what: String,
}

impl Progress {
    /// Percent that are done, rounded down; `None` where nobody tells.
    pub fn percent(&self) -> Option<u64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some(((self.done.min(total) as u128 * 100) / u128::from(total)) as u64)
    }
}

/// What can be asked of a backup, the usual one first. Empty where nothing is known to verify.
pub fn orders(place: usize, source: &Source, answer: Option<&BackupAnswer>) -> Vec<Order> {
    let (SourceKind::Backup(backup), Some(answer)) = (&source.kind, answer) else { return Vec::new() };
    let Some(newest) = answer.points.first() else { return Vec::new() };
    let order = |method, extent, points| Order { source: place, name: source.name.clone(), of: backup.of.clone(), method, extent, points };
    let all = || answer.points.clone();
    match backup.of {
        BackupOf::Directory { .. } => {
            let mut orders = vec![order(Method::Files, Extent::Newest, with_needs(answer, newest))];
            if answer.points.len() > 1 {
                orders.push(order(Method::Files, Extent::All, all()));
            }
            orders
        }
        // On another host nothing of ours runs that could be stopped again.
        BackupOf::PgBackRest { host: Some(_), .. } | BackupOf::Archiver { .. } | BackupOf::Command { .. } => Vec::new(),
        BackupOf::PgBackRest { .. } => vec![order(Method::PgBackRest, Extent::All, all())],
        BackupOf::Restic { .. } => [100, SAMPLE].map(|percent| order(Method::Restic { percent }, Extent::All, all())).into_iter().collect(),
    }
}

/// Why nothing can be asked of it, as a sentence without its end.
pub fn nothing_to_verify(of: &BackupOf) -> &'static str {
    match of {
        BackupOf::Command { .. } => "a command of yours tells of it: that says itself what is proved",
        BackupOf::Archiver { .. } => {
            "the archiver of a PostgreSQL says what it archived; nobody tells where: verify the backup that keeps it"
        }
        BackupOf::PgBackRest { host: Some(_), .. } => "it is on another host: run `pgbackrest verify` there",
        BackupOf::Directory { .. } | BackupOf::PgBackRest { .. } | BackupOf::Restic { .. } => "no recovery point is known",
    }
}

/// A point and all that it needs, as far as it is there.
pub fn with_needs(answer: &BackupAnswer, point: &Arc<RecoveryPoint>) -> Vec<Arc<RecoveryPoint>> {
    let mut points = vec![point.clone()];
    let mut next = 0;
    while let Some(of) = points.get(next).cloned() {
        for id in &of.needs {
            let known = answer.points.iter().find(|other| other.id == *id);
            if let Some(known) = known.filter(|known| !points.iter().any(|have| have.id == known.id)) {
                points.push(known.clone());
            }
        }
        next += 1;
    }
    points
}

impl Order {
    /// What it looks at, in a few words.
    pub fn words(&self) -> String {
        match (self.method, self.extent) {
            (Method::Files, Extent::All) => format!("all {} points, every file", self.points.len()),
            (Method::Files, Extent::Newest | Extent::Point) => {
                let id = self.points.first().map_or("?", |point| point.id.as_str());
                match self.points.len() - 1.min(self.points.len()) {
                    0 => format!("the point {id}, every file"),
                    1 => format!("the point {id} and the one that it needs, every file"),
                    more => format!("the point {id} and the {more} that it needs, every file"),
                }
            }
            (Method::PgBackRest, _) => "the whole stanza: every backup and all WAL".to_owned(),
            (Method::Restic { percent: 100.. }, _) => "the whole repository, all of its data".to_owned(),
            (Method::Restic { percent }, _) => format!("the repository's structure and {percent} % of its data, by chance"),
        }
    }

    /// What it reads, roughly.
    pub fn cost(&self) -> String {
        let sizes: Option<u64> = self.points.iter().map(|point| point.size).sum();
        match (self.method, sizes) {
            (Method::Restic { percent: 100.. }, _) => "reads the whole repository; its size is not told".to_owned(),
            (Method::Restic { percent }, _) => format!("reads the indexes, all trees and {percent} % of the repository"),
            (_, Some(bytes)) => format!("reads about {}", metric::show(bytes as f64, Unit::Bytes)),
            (_, None) => "how much it reads is not known".to_owned(),
        }
    }

    /// What is run: nothing of it is a secret, which are named by reference.
    pub fn runs(&self) -> String {
        match (&self.of, self.argv()) {
            (BackupOf::Directory { folder }, _) => format!("reads the files in {} itself", folder.display()),
            (_, Some(argv)) => argv.join(" "),
            (_, None) => "nothing".to_owned(),
        }
    }

    /// The command; `None` where none is run.
    pub fn argv(&self) -> Option<Vec<String>> {
        match (&self.of, self.method) {
            (BackupOf::PgBackRest { program, stanza, config, .. }, _) => Some(pgbackrest(program, stanza, config.as_deref())),
            (BackupOf::Restic { program, repository, password_file, .. }, Method::Restic { percent }) => {
                Some(restic(program, repository, password_file.as_deref(), percent))
            }
            _ => None,
        }
    }
}

/// Its report is printed in full, and the log, which names the damaged files, goes to the output.
fn pgbackrest(program: &[String], stanza: &str, config: Option<&Path>) -> Vec<String> {
    let mut argv = program.to_vec();
    argv.extend(config.map(|config| format!("--config={}", config.display())));
    argv.extend(["--log-level-console=info", "--log-level-stderr=off", "--log-level-file=off"].map(str::to_owned));
    argv.extend([format!("--stanza={stanza}"), "--output=text".to_owned(), "--verbose".to_owned(), "verify".to_owned()]);
    argv
}

/// Without a lock: nothing is changed in the repository.
fn restic(program: &[String], repository: &str, password_file: Option<&Path>, percent: u8) -> Vec<String> {
    let mut argv = program.to_vec();
    argv.push(format!("--repo={repository}"));
    argv.extend(password_file.map(|file| format!("--password-file={}", file.display())));
    argv.extend(["--no-lock".to_owned(), "check".to_owned(), format!("--read-data-subset={percent}%")]);
    argv
}
