//! The journal as JSON lines that verify again elsewhere: a line of heading, a line for each event with its bytes as they
//! were hashed, and the last line with the head, so that a cut export is seen.

use std::io::{BufRead, Read, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::{Broken, Verdict, Walk};
use super::head::is_hash;
use super::{EVENT_CAP, GENESIS, Head, Journal, JournalError};

/// What an export calls itself.
const FORMAT: &str = "quarterdeck-journal-1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    format: String,
    /// The first event's place.
    from: u64,
    /// The hash of the event before it.
    prev: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    hash: String,
    /// The event's bytes, which are JSON themselves: as text, because JSON that is read and written again may differ.
    body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    count: u64,
    hash: String,
}

#[derive(Deserialize)]
struct Written {
    written_at: Timestamp,
}

impl Journal {
    /// Writes all events from the first on that was written at `since` or later; gives back how many.
    ///
    /// # Errors
    /// Where the journal cannot be read or the export not be written.
    pub fn export(&self, since: Option<Timestamp>, out: &mut dyn Write) -> Result<u64, JournalError> {
        let mut prev = GENESIS.to_owned();
        let (mut begun, mut count, mut next) = (false, 0, 1);
        self.bodies(1, |seq, hash, body| {
            // From there on all of them, whatever their clock says: a chain has no holes.
            begun = begun || since.is_none_or(|since| serde_json::from_slice::<Written>(body).is_ok_and(|of| of.written_at >= since));
            if begun {
                if count == 0 {
                    line(&Opening { format: FORMAT.to_owned(), from: seq, prev: prev.clone() }, out)?;
                }
                line(&Line { seq, hash: hash.to_owned(), body: String::from_utf8_lossy(body).into_owned() }, out)?;
                count += 1;
            }
            hash.clone_into(&mut prev);
            next = seq + 1;
            Ok(())
        })?;
        if count == 0 {
            line(&Opening { format: FORMAT.to_owned(), from: next, prev: prev.clone() }, out)?;
        }
        line(&Closing { count, hash: prev }, out)?;
        Ok(count)
    }
}

fn line(value: &impl Serialize, out: &mut dyn Write) -> Result<(), JournalError> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

/// Verifies an export.
///
/// # Errors
/// Where it cannot be read, or is none.
pub fn verify_export(from: impl Read) -> Result<Verdict, JournalError> {
    verify_export_against(from, &[])
}

/// The same, and holds it against heads that were kept elsewhere.
///
/// # Errors
/// As [`verify_export`].
pub fn verify_export_against(from: impl Read, elsewhere: &[Head]) -> Result<Verdict, JournalError> {
    let none = |what: &str| JournalError::Export(std::io::Error::other(what.to_owned()));
    let mut lines = Lines { from: std::io::BufReader::new(from), line: Vec::new() };
    let opening = lines.next()?.and_then(|line| serde_json::from_slice::<Opening>(line).ok());
    let opening = opening.filter(|of| of.format == FORMAT).ok_or_else(|| none("it is no journal of Quarterdeck"))?;
    // Its first line is anyone's: what stands there is shown again, and counted on.
    if !is_hash(&opening.prev) || !(1..=u64::from(u32::MAX)).contains(&opening.from) {
        return Err(none("its first line names no place and no hash"));
    }
    let mut walk = Walk::from(opening.from, &opening.prev).against(elsewhere);
    let mut closing = None;
    while let Some(line) = lines.next()? {
        if closing.is_some() {
            return Err(none("it goes on after its end"));
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => {
                if walk.verdict.broken.is_none() {
                    walk.step(line.seq, &line.hash, line.body.as_bytes());
                }
            }
            Err(error) => match serde_json::from_slice::<Closing>(line) {
                Ok(of) => closing = Some(of),
                Err(_) if walk.verdict.broken.is_some() => {}
                Err(_) => {
                    let after = walk.verdict.head.count;
                    walk.verdict.broken = Some(Broken::Unreadable { after, why: error.to_string() });
                }
            },
        }
    }
    if walk.verdict.broken.is_none() {
        let verdict = &mut walk.verdict;
        let there = verdict.head.count;
        match closing {
            None => verdict.broken = Some(Broken::Unreadable { after: there, why: "the export has no last line: it was cut off".into() }),
            Some(of) if of.count > verdict.good => {
                verdict.broken = Some(Broken::Cut { there, known: there.saturating_add(of.count - verdict.good) });
            }
            Some(of) if of.hash != verdict.head.hash || of.count != verdict.good => verdict.broken = Some(Broken::Rewritten { seq: there }),
            Some(_) => {}
        }
    }
    let mut verdict = walk.end();
    if opening.from > 1 {
        verdict.notes.push(format!("it begins with event {}: what came before is not in it", opening.from));
    }
    Ok(verdict)
}

/// Lines with an end to each.
struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<&[u8]>, JournalError> {
        self.line.clear();
        // An event within a text within a line: each of its bytes may take six.
        let cap = 6 * EVENT_CAP as u64;
        let read = (&mut self.from).take(cap).read_until(b'\n', &mut self.line)?;
        Ok((read > 0).then_some(self.line.trim_ascii_end()))
    }
}
