//! A folder with a folder per snapshot. The snapshot's name is its moment, `SHA256SUMS` in it is written last and names
//! its files, and `BASE`, where it is there, names the snapshot that it builds on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{bare, name};
use crate::model::backup::{BackupAnswer, Evidence, POINTS_CAP, PointKind, RecoveryPoint};
use crate::model::text::clean;
use crate::watch::wire::Fault;

/// The file that is written last.
pub(super) const MANIFEST: &str = "SHA256SUMS";
/// The file that names the snapshot that this one builds on.
pub(super) const BASE: &str = "BASE";
/// Bytes of a manifest that are read: half a million files.
pub(super) const MANIFEST_CAP: u64 = 64 << 20;
/// Entries of the folder that are looked at.
const ENTRIES: usize = 100_000;

/// What is known of snapshots that did not change since: by name, with the time and the size of their manifest.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<String, Stamped>>);

type Stamped = ((Option<SystemTime>, u64), Arc<RecoveryPoint>);

/// Reads the folder. What cannot be read in time is told, and read at the next try.
pub(super) fn read(folder: &Path, known: &Known, until: Instant) -> Result<BackupAnswer, Fault> {
    let cannot = |error: std::io::Error| Fault::unusable(format!("{} cannot be read: {error}", clean(&folder.display().to_string(), 400)));
    let mut answer = BackupAnswer { by: "the folder".into(), ..BackupAnswer::default() };
    let mut names: Vec<(Timestamp, String)> = Vec::new();
    let mut others = 0;
    for (count, entry) in fs::read_dir(folder).map_err(cannot)?.enumerate() {
        let entry = entry.map_err(cannot)?;
        if count >= ENTRIES {
            answer.notes.push(format!("the folder has more than {ENTRIES} entries: the rest was not looked at"));
            break;
        }
        let Ok(text) = entry.file_name().into_string() else {
            others += 1;
            continue;
        };
        // A link could lead anywhere: only folders themselves are snapshots.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match moment(&text).filter(|_| is_folder) {
            Some(at) => names.push((at, text)),
            None if text.starts_with('.') => {}
            None => others += 1,
        }
    }
    if others > 0 {
        answer.notes.push(format!("{others} entries are no snapshots: their names are no moments, such as 2026-11-21T06:12:30Z"));
    }
    names.sort_by(|a, b| b.cmp(a));
    let beyond = names.len().saturating_sub(POINTS_CAP);
    names.truncate(POINTS_CAP);
    let mut before = std::mem::take(&mut *known.0.lock().unwrap_or_else(PoisonError::into_inner));
    let mut now_known = HashMap::with_capacity(names.len());
    let mut unread = beyond;
    for (at, snapshot) in names {
        if Instant::now() >= until {
            unread += 1;
            continue;
        }
        let path = folder.join(&snapshot);
        let stamp = fs::symlink_metadata(path.join(MANIFEST)).ok().filter(fs::Metadata::is_file).map(|m| (m.modified().ok(), m.len()));
        let Some(stamp) = stamp else {
            answer.running = true;
            answer.notes.push(format!("{} has no {MANIFEST}: it is not finished", name(&snapshot)));
            continue;
        };
        // What is missing is looked for at every try: a file may go at any time, and its folder tells when.
        let (stamp, point) = match before.remove(&snapshot).filter(|(was, point)| *was == stamp && point.broken.is_none()) {
            Some(same) if still_there(&path, &same.1) => same,
            _ => (stamp, Arc::new(look(&path, &snapshot, at, stamp.0))),
        };
        answer.points.push(point.clone());
        now_known.insert(snapshot, (stamp, point));
    }
    if unread > 0 {
        answer.notes.push(format!("{unread} older snapshots were not looked at"));
    }
    *known.0.lock().unwrap_or_else(PoisonError::into_inner) = now_known;
    Ok(answer)
}

/// True where the snapshot's own folder did not change since its manifest was written: then no file of it was removed
/// there. Deeper folders are looked at when the manifest is read.
fn still_there(path: &Path, point: &RecoveryPoint) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|m| m.modified()).ok().and_then(|at| Timestamp::try_from(at).ok());
    // The manifest itself is the last entry that is made.
    matches!((changed, point.finished), (Some(changed), Some(finished)) if changed <= finished)
}

/// One snapshot with all the files that its manifest names.
fn look(path: &Path, snapshot: &str, at: Timestamp, written: Option<SystemTime>) -> RecoveryPoint {
    let finished = written.and_then(|time| Timestamp::try_from(time).ok()).filter(|end| *end >= at);
    let mut point = RecoveryPoint { finished, evidence: Evidence { job: true, ..Evidence::default() }, ..bare(snapshot, at) };
    match base(path) {
        Ok(None) => {}
        Ok(Some(base)) => (point.kind, point.needs) = (PointKind::Incremental, vec![base]),
        Err(why) => point.broken = Some(why),
    }
    match files(path) {
        Ok(size) => point.size = Some(size),
        Err(why) => point.broken = Some(why),
    }
    point
}

fn base(path: &Path) -> Result<Option<String>, String> {
    let mut text = String::new();
    match File::open(path.join(BASE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| file.take(4_096).read_to_string(&mut text)).map_err(|error| format!("{BASE}: {error}"))?,
    };
    match text.trim() {
        "" => Err(format!("{BASE} is empty")),
        base => Ok(Some(name(base))),
    }
}

/// The size of all files that the manifest names; `Err` says which is missing or what is wrong with the manifest.
fn files(path: &Path) -> Result<u64, String> {
    let file = File::open(path.join(MANIFEST)).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let mut size: u64 = 0;
    let mut count = 0_usize;
    for line in BufReader::new(file.take(MANIFEST_CAP)).lines() {
        let line = line.map_err(|error| format!("{MANIFEST}: {error}"))?;
        if line.is_empty() {
            continue;
        }
        let Some(file) = file_of(&line) else { return Err(format!("{MANIFEST} has a line that is none: {}", name(&line))) };
        let found = fs::symlink_metadata(path.join(file)).map_err(|error| format!("{}: {error}", name(file)))?;
        if !found.is_file() {
            return Err(format!("{}: is no file", name(file)));
        }
        size = size.saturating_add(found.len());
        count += 1;
    }
    if count == 0 { Err(format!("{MANIFEST} names no file")) } else { Ok(size) }
}

/// The file of a line as `sha256sum` writes it: 64 hex digits, a space, a space or `*`, the name; nothing that leads
/// out of the snapshot.
pub(super) fn file_of(line: &str) -> Option<&str> {
    let (sum, rest) = line.split_at_checked(64)?;
    let file = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (sum.bytes().all(|b| b.is_ascii_hexdigit()) && inside && !file.is_empty()).then_some(file)
}

/// The moment that a snapshot's name is: RFC 3339, or digits only as in `20261121-061230` or `2026-11-21_06-12-30`, which
/// are UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plain = text.chars().all(|c| c.is_ascii_digit() || "-_T:.Z".contains(c));
    if !plain || digits.len() != 14 {
        return None;
    }
    let part = |from: usize, to: usize| digits[from..to].parse::<i8>().ok();
    let year = digits[..4].parse::<i16>().ok()?;
    let at = DateTime::new(year, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?, 0).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
}
