//! Reads a deploy log of any size into the index, a part at a time, from where the index says that an earlier part ended.
//! Any number of consoles may do so at once: a part is taken only by an index that stands where the part begins.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::log::{LINE, head};
use super::{Of, line};
use crate::model::deployment::Deployment;
use crate::model::deployment::news::{Mark, News};
use crate::model::estate::Part;
use crate::watch::Ledger;

/// Lines of one part.
const LINES: usize = 5_000;
/// Bytes that are read at once.
const CHUNK: usize = 16 * LINE;

/// One log and its index.
pub(super) struct Follower<'f> {
    pub(super) path: &'f Path,
    pub(super) fields: &'f BTreeMap<Part, String>,
    pub(super) of: &'f Of,
    /// The source's number.
    pub(super) source: usize,
    pub(super) ledger: &'f dyn Ledger,
}

/// What a part is.
struct Stretch {
    rows: Vec<Arc<Deployment>>,
    ends: Mark,
    /// True where there is more of the file.
    more: bool,
}

impl Follower<'_> {
    /// Reads at least one part, and more of them until that moment; true where there is more.
    pub(super) fn on(&self, until: Instant) -> Result<bool, String> {
        loop {
            if !self.part()? {
                return Ok(false);
            }
            if Instant::now() >= until {
                return Ok(true);
            }
        }
    }

    /// Reads one part; true where there may be more.
    fn part(&self) -> Result<bool, String> {
        let mark = self.ledger.mark(self.source)?;
        let (news, more) = self.next(mark).map_err(|error| error.to_string())?;
        if let Some(news) = news {
            self.ledger.take(self.source, &news)?;
        }
        Ok(more)
    }

    /// What follows that mark, and whether there may be more after it.
    fn next(&self, mark: Option<Mark>) -> io::Result<(Option<News>, bool)> {
        let mut file = File::open(self.path)?;
        let known = file.metadata()?;
        let start = Mark { file: (known.dev(), known.ino()), first: number(&head(&mut file)?), offset: 0, lines: 0, broken: 0 };
        let Some(mark) = mark else {
            return Ok(self.news(self.read(&mut file, start)?, None, true));
        };
        // A first line that was still being written then is the same one.
        let other = mark.first.is_some() && mark.first != start.first;
        if mark.file == start.file && known.len() >= mark.offset && !other {
            let from = Mark { first: start.first, ..mark.clone() };
            return Ok(self.news(self.read(&mut file, from)?, Some(mark), false));
        }
        if !other {
            // The same log, written anew: what was read of it before counts no more.
            return Ok(self.news(self.read(&mut file, start)?, Some(mark), true));
        }
        // Rotated: first the end of the file that it was.
        let mut rotated = self.path.as_os_str().to_owned();
        rotated.push(".1");
        if let Ok(mut former) = File::open(&rotated)
            && former.metadata().is_ok_and(|known| known.is_file() && (known.dev(), known.ino()) == mark.file)
        {
            let rest = self.read(&mut former, mark.clone())?;
            if rest.ends != mark {
                let (news, _) = self.news(rest, Some(mark), false);
                return Ok((news, true));
            }
        }
        let from = Mark { lines: mark.lines, broken: mark.broken, ..start };
        Ok(self.news(self.read(&mut file, from)?, Some(mark), false))
    }

    fn news(&self, part: Stretch, begins: Option<Mark>, whole: bool) -> (Option<News>, bool) {
        let Stretch { mut rows, ends, more } = part;
        if begins.as_ref() == Some(&ends) {
            return (None, more);
        }
        rows.reverse();
        (Some(News { since: whole.then_some(Timestamp::MIN), rows, begins, ends: Some(ends) }), more)
    }

    /// Whole lines from the mark on; one that is still being written is left.
    fn read(&self, file: &mut File, from: Mark) -> io::Result<Stretch> {
        let mut part = Stretch { rows: Vec::new(), ends: from, more: true };
        file.seek(SeekFrom::Start(part.ends.offset))?;
        let mut bytes = Vec::new();
        while part.rows.len() < LINES {
            let had = bytes.len();
            file.take((CHUNK - had) as u64).read_to_end(&mut bytes)?;
            let Some(end) = memchr::memrchr(b'\n', &bytes) else {
                part.more = bytes.len() >= CHUNK;
                if !part.more {
                    break;
                }
                // So long a line is no deployment; it is passed over piece by piece.
                part.ends.offset += bytes.len() as u64;
                bytes.clear();
                continue;
            };
            for line in bytes[..end].split(|byte| *byte == b'\n') {
                self.line(&mut part, line);
            }
            part.ends.offset += end as u64 + 1;
            bytes.drain(..=end);
        }
        Ok(part)
    }

    fn line(&self, part: &mut Stretch, bytes: &[u8]) {
        part.ends.lines += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let read = if bytes.len() > LINE { Err("is too long") } else { line::read(bytes, self.fields, self.of) };
        match read {
            Ok(one) => part.rows.push(Arc::new(one)),
            Err(_) => part.ends.broken += 1,
        }
    }
}

/// A number for a first line (FNV-1a); `None` while it is still being written.
fn number(line: &[u8]) -> Option<u64> {
    let fold = |number: u64, byte: &u8| (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    (!line.is_empty()).then(|| line.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}
