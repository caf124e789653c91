//! Snapshots in a folder: every file that a `SHA256SUMS` names is read whole and its hash compared. Links are not followed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::{Finding, Notes, unknown};
use crate::model::backup::{Outcome, PointCheck, Progress, RecoveryPoint};
use crate::model::metric;
use crate::model::panel::Unit;
use crate::model::text::{LABEL_CAP, clean};
use crate::watch::backup::directory::{BASE, MANIFEST, MANIFEST_CAP, file_of};

/// Bytes that are read at once; between two of them it can be stopped.
const PART: usize = 1 << 20;
/// Between two tellings of the progress.
const BEAT: Duration = Duration::from_millis(200);
/// Entries of one snapshot that are looked at for what its manifest does not name.
const ENTRIES: usize = 1_000_000;
/// How deep folders are looked into for that.
const DEEPEST: usize = 100;

/// One file that is to be read.
struct Expected {
    file: String,
    sum: String,
    size: u64,
}

/// One snapshot that is to be read.
struct Snapshot {
    id: String,
    files: Vec<Expected>,
    /// What is wrong with it before a byte is read.
    wrong: Vec<String>,
}

/// Why it ended before its end.
enum Early {
    Stopped,
    Late,
}

/// Reads these points and all that they need. Points that are not there are missing.
pub(super) fn verify(
    folder: &Path,
    points: &[Arc<RecoveryPoint>],
    stop: &watch::Receiver<bool>,
    until: Instant,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Finding {
    let mut notes = Notes::default();
    // The sizes first, and the manifests again one by one: all of them at once could be more than there is memory.
    let mut total: u64 = 0;
    for point in points {
        if *stop.borrow() {
            return early(&Early::Stopped, notes);
        }
        let snapshot = expected(&folder.join(&point.id), &point.id, &mut Notes::default());
        total = snapshot.files.iter().fold(total, |total, file| total.saturating_add(file.size));
    }
    let mut reader = Reader { stop, until, progress, total, done: 0, told: Instant::now(), part: vec![0; PART] };
    progress(Progress { done: 0, total: Some(total), what: String::new() });
    let (mut checks, mut count): (Vec<PointCheck>, usize) = (Vec::new(), 0);
    for point in points {
        let snapshot = expected(&folder.join(&point.id), &point.id, &mut notes);
        let mut wrong = snapshot.wrong;
        for file in &snapshot.files {
            count += 1;
            match reader.judge(&folder.join(&snapshot.id), &snapshot.id, file) {
                Ok(None) => {}
                Ok(Some(what)) => wrong.push(what),
                Err(why) => {
                    notes.push(&format!("{} of {} bytes were read", reader.done, total));
                    return early(&why, notes);
                }
            }
        }
        wrong.iter().for_each(|what| notes.push(&format!("{}/{what}", snapshot.id)));
        let broken = match wrong.as_slice() {
            [] => None,
            [one] => Some(clean(one, LABEL_CAP).into_owned()),
            [first, more @ ..] => Some(format!("{}; and {} more", clean(first, LABEL_CAP), more.len())),
        };
        checks.push(PointCheck { id: clean(&snapshot.id, LABEL_CAP).into_owned(), broken });
    }
    let failed = checks.iter().any(|check| check.broken.is_some());
    notes.push(&format!("{count} {}, {} read", if count == 1 { "file" } else { "files" }, metric::show(reader.done as f64, Unit::Bytes)));
    passes_rest_on_what_they_need(&mut checks, points);
    Finding { outcome: if failed { Outcome::Failed } else { Outcome::Passed }, points: checks, evidence: notes.done() }
}

/// A point is read back only where all that it needs is: where a base is broken, what builds on it is not judged. It
/// cannot be used anyway.
fn passes_rest_on_what_they_need(checks: &mut Vec<PointCheck>, points: &[Arc<RecoveryPoint>]) {
    let needs: HashMap<&str, &[String]> = points.iter().map(|p| (p.id.as_str(), p.needs.as_slice())).collect();
    let whole: HashSet<String> = checks.iter().filter(|c| c.broken.is_none()).map(|c| c.id.clone()).collect();
    checks.retain(|check| {
        let mut seen = HashSet::new();
        let mut open: Vec<&str> = needs.get(check.id.as_str()).copied().unwrap_or_default().iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            if !whole.contains(id) {
                return check.broken.is_some();
            }
            if seen.insert(id) {
                open.extend(needs.get(id).copied().unwrap_or_default().iter().map(String::as_str));
            }
        }
        true
    });
}

fn early(why: &Early, notes: Notes) -> Finding {
    match why {
        Early::Stopped => Finding { outcome: Outcome::Cancelled, points: Vec::new(), evidence: notes.done() },
        Early::Late => unknown("it did not end in time".to_owned()),
    }
}

/// What the manifest names, and what is there beside it.
fn expected(path: &Path, id: &str, notes: &mut Notes) -> Snapshot {
    let mut snapshot = Snapshot { id: id.to_owned(), files: Vec::new(), wrong: Vec::new() };
    let lines = match manifest(path) {
        Ok(lines) => lines,
        Err(what) => {
            snapshot.wrong.push(format!("{MANIFEST}: {what}"));
            return snapshot;
        }
    };
    let mut named = HashSet::with_capacity(lines.len());
    for line in lines {
        let Some(file) = file_of(&line) else {
            snapshot.wrong.push(format!("{MANIFEST} has a line that is none: {line}"));
            continue;
        };
        let plain: PathBuf = Path::new(file).components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
        match inside(path, &plain) {
            Ok(size) => snapshot.files.push(Expected { file: file.to_owned(), sum: line[..64].to_ascii_lowercase(), size }),
            Err(what) => snapshot.wrong.push(format!("{file}: {what}")),
        }
        named.insert(plain);
    }
    if named.is_empty() && snapshot.wrong.is_empty() {
        snapshot.wrong.push(format!("{MANIFEST} names no file"));
    }
    extra(path, &named, |what| notes.push(&format!("{id}/{what} is in no manifest: it is not verified")));
    snapshot
}

fn manifest(path: &Path) -> Result<Vec<String>, String> {
    if inside(path, Path::new(MANIFEST))? > MANIFEST_CAP {
        return Err(format!("is larger than {} MiB: it is not read", MANIFEST_CAP >> 20));
    }
    let file = File::open(path.join(MANIFEST)).map_err(|error| error.to_string())?;
    let lines = BufReader::new(file.take(MANIFEST_CAP)).lines().filter(|line| !line.as_ref().is_ok_and(String::is_empty));
    lines.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// The size of a file of the snapshot. Every part of its path is looked at: a link could lead anywhere.
fn inside(snapshot: &Path, file: &Path) -> Result<u64, String> {
    let mut path = snapshot.to_owned();
    let mut parts = file.components().peekable();
    let mut size = Err("names no file".to_owned());
    while let Some(part) = parts.next() {
        path.push(part);
        let found = fs::symlink_metadata(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "is missing".to_owned(),
            _ => error.to_string(),
        })?;
        match (parts.peek().is_some(), found.file_type()) {
            (_, kind) if kind.is_symlink() => return Err("is a link, which is not followed".to_owned()),
            (true, kind) if kind.is_dir() => {}
            (false, kind) if kind.is_file() => size = Ok(found.len()),
            _ => return Err("is no file".to_owned()),
        }
    }
    size
}

/// What is there and no manifest names.
fn extra(snapshot: &Path, named: &HashSet<PathBuf>, mut tell: impl FnMut(String)) {
    let mut folders = vec![(PathBuf::new(), 0)];
    let mut looked = 0;
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(snapshot.join(&folder)) else { continue };
        for entry in entries.flatten() {
            looked += 1;
            if looked > ENTRIES {
                return tell(format!("... has more than {ENTRIES} entries: the rest"));
            }
            let name = folder.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEEPEST => folders.push((name, depth + 1)),
                Ok(kind) if kind.is_dir() => tell(name.display().to_string()),
                _ if named.contains(&name) || name == Path::new(MANIFEST) || name == Path::new(BASE) => {}
                _ => tell(name.display().to_string()),
            }
        }
    }
}

struct Reader<'a> {
    stop: &'a watch::Receiver<bool>,
    until: Instant,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    total: u64,
    done: u64,
    told: Instant,
    part: Vec<u8>,
}

impl Reader<'_> {
    /// What is wrong with a file; `None` where it is what its manifest says.
    fn judge(&mut self, snapshot: &Path, id: &str, of: &Expected) -> Result<Option<String>, Early> {
        match self.sum(snapshot, id, of) {
            Ok(Ok(sum)) if sum == of.sum => Ok(None),
            Ok(Ok(_)) => Ok(Some(format!("{}: differs from its checksum", of.file))),
            Ok(Err(what)) => Ok(Some(format!("{}: {what}", of.file))),
            Err(early) => Err(early),
        }
    }

    fn sum(&mut self, snapshot: &Path, id: &str, of: &Expected) -> Result<Result<String, String>, Early> {
        let path = snapshot.join(&of.file);
        let opened = fs::symlink_metadata(&path).and_then(|known| {
            let file = File::open(&path)?;
            let found = file.metadata()?;
            // It may have been swapped for a link since it was looked at.
            if (known.dev(), known.ino()) == (found.dev(), found.ino()) {
                Ok(file)
            } else {
                Err(std::io::Error::other("changes meanwhile"))
            }
        });
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut hasher = Sha256::new();
        loop {
            if *self.stop.borrow() {
                return Err(Early::Stopped);
            }
            if Instant::now() >= self.until {
                return Err(Early::Late);
            }
            match file.read(&mut self.part) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(&self.part[..read]);
                    self.done += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
            }
            if self.told.elapsed() >= BEAT {
                self.told = Instant::now();
                let what = clean(&format!("{id}/{}", of.file), LABEL_CAP).into_owned();
                (self.progress)(Progress { done: self.done, total: Some(self.total), what });
            }
        }
        Ok(Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}
