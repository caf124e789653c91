//! A deploy log: read once, then on from where the last try ended. It may grow, be rotated or be written anew.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::{Fault, Of, answer, fault, line};
use crate::model::deployment::Deployment;
use crate::model::estate::Part;
use crate::model::reading::FailureKind;
use crate::model::source::HistoryAnswer;
use crate::model::text::clean;

/// Bytes of a log that are read at first, from its end: some thousand lines. The index reads all of it.
const FIRST: u64 = 2 << 20;
/// Bytes of one line.
pub(super) const LINE: usize = 64 << 10;
/// Broken lines that are told with their reason.
const TOLD: usize = 3;

/// What is known of a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The device and the number of the file that was read.
    file: Option<(u64, u64)>,
    /// Up to where it was read: the end of a whole line.
    offset: u64,
    /// Its first line, by which a log that was written anew is told from one that was rotated.
    first: Vec<u8>,
    /// Of files before this one.
    former: Vec<Arc<Deployment>>,
    /// Of this one.
    own: Vec<Arc<Deployment>>,
    /// Of this one, those that are not kept.
    older: usize,
    lines: usize,
    broken: usize,
    told: Vec<String>,
    /// Bytes at its beginning that were too many to read.
    passed: u64,
}

/// Only for telling lines apart that stand in two files.
type Same = (i128, String, Option<String>, Option<String>, Option<String>);

fn same(one: &Deployment) -> Same {
    (one.at.as_nanosecond(), one.service.clone(), one.site.clone(), one.to.clone(), one.id.clone())
}

impl Log {
    /// Reads what is new.
    pub(super) fn read(&mut self, path: &Path, fields: &BTreeMap<Part, String>, of: &Of) -> Result<HistoryAnswer, Fault> {
        // Before it is opened: opening a pipe would wait for its writer.
        let known = fs::metadata(path).map_err(|error| fault(path, &error))?;
        if !known.is_file() {
            return Err((FailureKind::Unreachable, format!("{} is no file", path.display())));
        }
        let mut file = File::open(path).map_err(|error| fault(path, &error))?;
        let known = file.metadata().map_err(|error| fault(path, &error))?;
        let wrap = |error: io::Error| fault(path, &error);
        let is = (known.dev(), known.ino());
        let first = head(&mut file).map_err(wrap)?;
        let other = !self.first.is_empty() && self.first != first;
        if self.file != Some(is) || known.len() < self.offset || other {
            self.begin(path, fields, of, first, other);
            self.file = Some(is);
            if known.len() > FIRST {
                self.offset = known.len() - FIRST;
                self.passed = self.offset;
                self.skip_line(&mut file).map_err(wrap)?;
            }
        } else if self.first.is_empty() {
            self.first = first;
        }
        self.on(&mut file, fields, of).map_err(wrap)?;
        Ok(self.answer())
    }

    /// Another file is there now. What stood in the one before it is kept where that was rotated away, its last lines
    /// included, and forgotten where the same log was written anew.
    fn begin(&mut self, path: &Path, fields: &BTreeMap<Part, String>, of: &Of, first: Vec<u8>, other: bool) {
        let mut before = std::mem::take(self);
        if other {
            let mut rotated = path.as_os_str().to_owned();
            rotated.push(".1");
            if let Ok(mut file) = File::open(&rotated)
                && file.metadata().is_ok_and(|known| known.is_file() && Some((known.dev(), known.ino())) == before.file)
            {
                // What cannot be read of it any more is lost; what was read before is not.
                let _ = before.on(&mut file, fields, of);
            }
            self.former = before.former;
            self.former.append(&mut before.own);
            self.former.sort_by_key(|one| one.at);
            // More than are ever shown need not be kept.
            let extra = self.former.len().saturating_sub(super::KEPT);
            self.former.drain(..extra);
        }
        self.first = first;
    }

    /// Goes to the end of the line that the offset is in.
    fn skip_line(&mut self, file: &mut File) -> io::Result<()> {
        let bytes = self.chunk(file, LINE)?;
        self.offset += bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
        Ok(())
    }

    fn chunk(&self, file: &mut File, size: usize) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.take(size as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads whole lines from the offset on; one that is still being written is left for the next try.
    fn on(&mut self, file: &mut File, fields: &BTreeMap<Part, String>, of: &Of) -> io::Result<()> {
        loop {
            let bytes = self.chunk(file, 16 * LINE)?;
            match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => {
                    bytes[..end].split(|byte| *byte == b'\n').for_each(|line| self.line(line, fields, of));
                    self.offset += end as u64 + 1;
                }
                // So long a line is no deployment; it is passed over piece by piece.
                None if bytes.len() >= 16 * LINE => self.offset += bytes.len() as u64,
                None => return Ok(()),
            }
        }
    }

    fn line(&mut self, bytes: &[u8], fields: &BTreeMap<Part, String>, of: &Of) {
        self.lines += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let read = if bytes.len() > LINE { Err("is too long") } else { line::read(bytes, fields, of) };
        match read {
            Ok(one) => {
                self.own.push(Arc::new(one));
                // More than are ever shown need not be kept.
                if self.own.len() >= 2 * super::KEPT {
                    self.own.sort_by_key(|one| one.at);
                    self.own.drain(..super::KEPT);
                    self.older += super::KEPT;
                }
            }
            Err(why) => {
                self.broken += 1;
                if self.told.len() < TOLD {
                    let text = clean(&String::from_utf8_lossy(&bytes[..bytes.len().min(60)]), 60).into_owned();
                    let place = if self.passed == 0 { format!("line {}", self.lines) } else { "a line".to_owned() };
                    self.told.push(format!("{place} {why}: {text}"));
                }
            }
        }
    }

    fn answer(&self) -> HistoryAnswer {
        let mut all = self.own.clone();
        if !self.former.is_empty() {
            let own: HashSet<Same> = self.own.iter().map(|one| same(one)).collect();
            all.extend(self.former.iter().filter(|one| !own.contains(&same(one))).cloned());
        }
        let mut notes = Vec::new();
        if self.broken > 0 {
            notes.push(format!("{} of {} lines tell of no deployment", self.broken, self.lines));
            notes.extend(self.told.iter().cloned());
        }
        if self.passed > 0 {
            notes.push(format!("the log is large: its first {} MB were not read", self.passed >> 20));
        }
        let mut answer = answer(all, self.broken, notes);
        answer.dropped = self.older;
        answer
    }
}

/// The first line, or as much of it as tells it from others; empty while it is still being written.
pub(super) fn head(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LINE as u64).read_to_end(&mut bytes)?;
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => bytes.truncate(end),
        None if bytes.len() < LINE => bytes.clear(),
        None => {}
    }
    Ok(bytes)
}
