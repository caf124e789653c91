//! `pgbackrest verify` (2.45 and later): it exits with 0 whatever it finds, so that only its text is judged. Before 2.41 the
//! same lines come through its log alone; both are read.

use std::collections::BTreeMap;

use super::{Finding, Notes};
use crate::model::backup::{Archive, BackupAnswer, Outcome, PointCheck};
use crate::model::text::{LABEL_CAP, clean};

/// Damaged files of one backup that its reason names.
const NAMED: usize = 3;

/// What was printed so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What `status:` of the stanza said.
    status: Option<String>,
    /// Of each backup: its status, and files checked and valid.
    backups: BTreeMap<String, (String, Option<(u64, u64)>)>,
    /// Archives whose segments are not all valid.
    archives: Vec<String>,
    /// Of each archive: the number of its database, and its files.
    logs: BTreeMap<u32, u64>,
    /// Files that are named as damaged, with what is wrong.
    files: Vec<(String, String)>,
    /// Errors of the program itself.
    errors: Vec<String>,
    stanza: Option<String>,
}

impl Report {
    /// Takes in one line.
    pub(super) fn line(&mut self, line: &str) {
        // `2026-11-21 10:54:56.260 P01   INFO: file missing '...'`
        let (level, text) =
            match ["INFO: ", "WARN: ", "ERROR: ", "DETAIL: "].iter().find_map(|level| Some((*level, line.split_once(level)?.1))) {
                Some((level, text)) => (level, text.trim()),
                None => ("", line.trim()),
            };
        if let Some(stanza) = text.strip_prefix("stanza: ") {
            self.stanza = Some(stanza.to_owned());
        } else if let Some(status) = text.strip_prefix("status: ") {
            self.status = Some(status.to_owned());
        } else if let Some(rest) = text.strip_prefix("backup: ") {
            let mut parts = rest.split(", ");
            let label = parts.next().unwrap_or_default().to_owned();
            let of = |name: &str| rest.split(", ").find_map(|part| part.trim().strip_prefix(name)).map(str::to_owned);
            let number = |name: &str| of(name)?.trim().parse::<u64>().ok();
            let counts = number("total files checked: ").zip(number("total valid files: "));
            self.backups.insert(label, (of("status: ").unwrap_or_default(), counts));
        } else if let Some(rest) = text.strip_prefix("archiveId: ") {
            let number = |name: &str| rest.split(", ").find_map(|part| part.trim().strip_prefix(name)?.trim().parse::<u64>().ok());
            let id = rest.split(", ").next().unwrap_or_default();
            let (all, valid) = (number("total WAL checked: "), number("total valid WAL: "));
            if let (Some(database), Some(all)) = (id.rsplit_once('-').and_then(|(_, n)| n.parse().ok()), all) {
                self.logs.insert(database, all);
            }
            let line = format!("WAL of {id}: {} of {} segments are valid", shown(valid), shown(all));
            if (all != valid || all.is_none()) && !self.archives.contains(&line) {
                self.archives.push(line);
            }
        } else if let Some((what, file)) = quoted(text) {
            self.files.push((file.to_owned(), what.to_owned()));
        } else if level == "ERROR: " {
            self.errors.push(text.to_owned());
        }
    }

    /// What it comes to.
    ///
    /// `known` is what `pgbackrest info` told just before.
    pub(super) fn finding(self, stanza: &str, known: Option<&BackupAnswer>, code: Option<i32>) -> Finding {
        let mut notes = Notes::default();
        self.errors.iter().for_each(|error| notes.push(error));
        self.archives.iter().for_each(|line| notes.push(line));
        self.files.iter().for_each(|(file, what)| notes.push(&format!("{file}: {what}")));
        let ok = self.status.as_deref() == Some("ok");
        let named = self.stanza.as_deref() == Some(stanza);
        let mut points = Vec::new();
        for (label, (status, counts)) in &self.backups {
            let (checked, valid) = counts.unwrap_or((0, 0));
            let whole = status == "valid" && checked == valid && checked > 0;
            notes.push(&format!("backup {label}: {status}, {valid} of {checked} files are valid"));
            let id = clean(label, LABEL_CAP).into_owned();
            if !whole && !status.starts_with("in-progress") {
                points.push(PointCheck { id, broken: Some(self.damage(label, status, checked.saturating_sub(valid))) });
            } else if whole && self.archives.is_empty() {
                // Where WAL is damaged, a backup whose files are all well may still not become consistent: not judged.
                points.push(PointCheck { id, broken: None });
            }
        }
        if let Some(log) = known.and_then(|known| self.log(known, &mut notes)) {
            points.push(log);
        }
        let broken = points.iter().any(|point| point.broken.is_some()) || !self.archives.is_empty();
        let outcome = match () {
            () if broken || self.status.as_deref() == Some("error") => Outcome::Failed,
            () if code != Some(0) || !ok || !named || points.iter().all(|point| Archive::parse(&point.id).is_some()) => {
                notes.push(&format!("pgbackrest verify gave no report that is known (exit {}): nothing is proved", exit(code)));
                points.clear();
                Outcome::Unknown
            }
            () => Outcome::Passed,
        };
        Finding { outcome, points, evidence: notes.done() }
    }

    /// What was found of the log that the verified repository keeps; `None` where that proves nothing.
    fn log(&self, known: &BackupAnswer, notes: &mut Notes) -> Option<PointCheck> {
        // One repository is verified: that of the backups that are in the report.
        let repo = match known.archives.as_slice() {
            [one] => one.repo,
            _ => known.points.iter().find(|point| self.backups.contains_key(&point.id))?.part.repo,
        };
        let archive = known.archives.iter().find(|archive| archive.repo == repo)?;
        if !self.archives.is_empty() {
            let named = self.files.iter().filter_map(|(file, _)| segment(file)).max();
            let newest = named.unwrap_or(&archive.max);
            return Some(PointCheck { id: archive.id_of(newest), broken: Some(clean(&self.archives.join("; "), LABEL_CAP).into_owned()) });
        }
        // Only files that are there are looked at: one that is missing in between is found by counting.
        let (_, there) = self.logs.last_key_value()?;
        let due = between(&archive.min, &archive.max);
        if due == Some(*there) {
            return Some(PointCheck { id: archive.id(), broken: None });
        }
        let due = due.map_or("a number that is not known".to_owned(), |due| due.to_string());
        notes.push(&format!(
            "WAL: {there} files are there, from {} to {} it should be {due}: whether one is missing is not known, the log is not proved",
            archive.min, archive.max
        ));
        None
    }

    /// What is broken of one backup, with its first damaged files. An incremental's are those of what it builds on too.
    fn damage(&self, label: &str, status: &str, count: u64) -> String {
        let base = label.split('_').next().unwrap_or(label);
        let own = self.files.iter().filter(|(file, _)| file.split('/').any(|part| part == label || part == base));
        let named: Vec<String> = own.take(NAMED).map(|(file, what)| format!("{file}: {what}")).collect();
        let named = if named.is_empty() { String::new() } else { format!(": {}", named.join("; ")) };
        clean(&format!("{status}, {count} files are damaged{named}"), LABEL_CAP).into_owned()
    }
}

/// The log file that this file of a repository holds.
fn segment(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?.get(..24)?;
    name.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(name)
}

/// How many files a log has from the first of these to the last, of the usual 16 MiB each; `None` where nobody can tell:
/// on different timelines. With files of another size the count is not met, and nothing is proved.
fn between(min: &str, max: &str) -> Option<u64> {
    let place = |name: &str| {
        let part = |from: usize| u64::from_str_radix(name.get(from..from + 8)?, 16).ok();
        Some((part(0)?, part(8)?.checked_mul(256)?.checked_add(part(16)?)?))
    };
    let ((one, from), (other, to)) = (place(min)?, place(max)?);
    (one == other).then(|| to.checked_sub(from)?.checked_add(1)).flatten()
}

fn shown(number: Option<u64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string())
}

/// `invalid checksum '20261121-105446F/pg_data/base/5/2838.gz'` as what is wrong and the file.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (what, rest) = text.split_once(" '")?;
    let file = rest.split('\'').next()?;
    let known = ["file missing", "missing", "invalid checksum", "invalid size", "invalid result", "invalid"];
    known.iter().any(|known| what == *known || what.starts_with(&format!("{known} "))).then_some((what, file))
}
