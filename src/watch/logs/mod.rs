//! What services print, read at one place at a time: systemd's journal, or a file; on a host by ssh, on this machine in
//! the same way. Each call has a deadline and an end to its bytes, and nothing stays behind between two calls: a view
//! that follows asks again, from the mark of the last answer.

mod file;
mod journal;
#[cfg(test)]
mod tests;
mod worst;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Begin};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::link::known_secrets::of_estate;
use crate::link::process::capture::Printed;
use crate::link::ssh::{Hosts, Reader, Script};
use crate::model::estate::{Estate, Host};
use crate::model::log::{Heard, LINE_CAP, Line, Place, Wanted, Where};
use crate::model::secret::{learn, without};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// How long one place may take to answer, its connection included.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// How long the files of secrets may take to be read.
const SECRETS: Duration = Duration::from_secs(5);
/// Bytes of one answer, before it is read.
pub const ANSWER: usize = 2 << 20;
/// Lines of one answer.
pub const LINES: usize = 1_000;
/// Places that are asked side by side.
pub const AT_ONCE: usize = 16;
/// What an answer may have beside its lines.
const ROOM: usize = 64 << 10;

/// Reads the places of one estate, with a connection for each host, made when it is first asked. Dropping it ends all.
#[derive(Debug)]
pub struct Logs {
    hosts: Hosts,
    here: Option<Arc<Reader>>,
    estate: Arc<Estate>,
    /// All that were known at any time: what was rotated meanwhile may be printed as it was before.
    secrets: Mutex<Vec<String>>,
}

impl Logs {
    /// Of that estate. No line shows a secret that its files name: they are read with every answer.
    pub fn new(estate: Arc<Estate>) -> Logs {
        let here = Host { name: "here".to_owned(), site: None, ssh: None, ssh_config: None, machine_id: None };
        let here = Hosts::new(&[here]).reader("here");
        Logs { hosts: Hosts::new(&estate.hosts), here, estate, secrets: Mutex::default() }
    }

    /// What that place tells, by [`DEADLINE`].
    ///
    /// # Errors
    /// Why it tells nothing, as one cleaned line.
    pub async fn read(&self, place: &Place, wanted: &Wanted) -> Result<Heard, String> {
        let reader = match &place.host {
            Some(host) => self.hosts.reader(host).ok_or_else(|| format!("{host}: the estate file has no such host any more"))?,
            None => self.here.clone().ok_or("this machine cannot be asked")?,
        };
        // What is rotated while the place is read may be printed as it was before.
        self.known().await?;
        let until = Instant::now() + DEADLINE;
        let mut heard = match &place.what {
            Where::Journal(unit) => match wanted.worst {
                Some(worst) => worst::read(&reader, &place.name, unit.as_deref(), worst, wanted, until).await?,
                None => journal::read(&reader, &place.name, unit.as_deref(), wanted, until).await?,
            },
            Where::File(path) => file::read(&reader, &place.name, path, wanted, until).await?,
        };
        let secrets = self.known().await?;
        for line in &mut heard.lines {
            if let Some(text) = without(&line.text, &secrets) {
                line.text = text;
            }
        }
        Ok(heard)
    }

    /// What must not be shown: what the estate's files hold at this moment, and all that they held before.
    ///
    /// # Errors
    /// Where they cannot be read in time: then nothing is shown.
    async fn known(&self) -> Result<Vec<String>, String> {
        let estate = self.estate.clone();
        let reading = tokio::task::spawn_blocking(move || of_estate(&estate));
        let now = tokio::time::timeout(SECRETS, reading).await;
        let now = now.ok().and_then(Result::ok).ok_or("the files of secrets cannot be read in time: no line is shown without them")?;
        let mut known = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        learn(&mut known, now);
        Ok(known.clone())
    }

    /// What each of these places tells, in their order, [`AT_ONCE`] side by side.
    pub async fn read_all(&self, places: &[Place], wanted: &[Wanted]) -> Vec<Result<Heard, String>> {
        let one = |(place, wanted)| self.read(place, wanted);
        futures_util::stream::iter(places.iter().zip(wanted).map(one)).buffered(AT_ONCE).collect().await
    }
}

/// One call, and how far the clock there was ahead of ours in its middle.
async fn call(reader: &Reader, script: Script, words: &[&str], until: Instant) -> Result<(Printed, Timestamp, Begin), String> {
    let (began, at) = (Begin::now(), Timestamp::now());
    let printed = reader.run(script, words, until, ANSWER + ROOM).await.map_err(|error| error.to_string())?;
    Ok((printed, at, began))
}

/// How far a clock that showed these seconds (with their fraction, as `date` prints them) is ahead, in milliseconds.
/// Nothing is said of less than the way there and back may explain, and of less than two seconds.
fn ahead(clock: &str, began: Timestamp, took: Duration) -> Option<i64> {
    let there: f64 = clock.trim().parse().ok()?;
    let here = began.as_millisecond();
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds of a date fit")]
    let there = (there * 1_000.0) as i64;
    let took = i64::try_from(took.as_millis()).ok()?;
    // `date` was asked somewhere between; where it printed whole seconds, it was up to one more.
    let least = if there > here + took { there - here - took } else { (there + 999 - here).min(0) };
    (least.abs() >= 2_000).then_some(least)
}

/// A line's text: without the colours of a terminal, cleaned, and with an end.
fn plain(bytes: &[u8]) -> String {
    // What is cut off is never looked at: a line may have a megabyte.
    let (bytes, cut) = if bytes.len() > 4 * LINE_CAP { (&bytes[..4 * LINE_CAP], true) } else { (bytes, false) };
    // A terminal may take the sign for bytes that are no UTF-8 for such bytes.
    let text = String::from_utf8_lossy(bytes).replace(char::REPLACEMENT_CHARACTER, "?");
    let text = uncoloured(text.trim_end());
    let text = clean(&text, LINE_CAP);
    if cut && !text.ends_with("...") { format!("{text}...") } else { text.into_owned() }
}

/// The text without control sequences (ECMA-48: `ESC [`, parameters, one letter; `ESC ]` up to BEL or `ESC \`), cleaned.
fn uncoloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix('[') {
            let end = sequence.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c));
            rest = end.map_or("", |end| &sequence[end + 1..]);
        } else if let Some(string) = rest.strip_prefix([']', 'P', '_', '^', 'X']) {
            let end = string.find(['\u{7}', '\u{1b}']);
            rest = end.map_or("", |end| if string[end..].starts_with('\u{7}') { &string[end + 1..] } else { &string[end..] });
        } else if let Some(other) = rest.strip_prefix('\\') {
            rest = other;
        }
    }
    out.push_str(rest);
    out
}

/// The last thing that a program there complained of, cleaned.
fn complaint(errors: &[u8]) -> String {
    let errors = String::from_utf8_lossy(errors);
    let last = errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it does not say why");
    clean(last, NOTE_CAP).into_owned()
}

/// The name of a program, cleaned, with its process.
fn by(name: Option<&str>, pid: Option<&str>) -> Option<String> {
    let name = clean(name?, LABEL_CAP);
    Some(match pid.filter(|pid| pid.len() < 12 && pid.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(pid) => format!("{name}[{pid}]"),
        None => name.into_owned(),
    })
}

/// True where the line is within what was asked for.
fn within(line: &Line, wanted: &Wanted) -> bool {
    let bad = wanted.worst.is_none_or(|worst| line.level.is_some_and(|level| level <= worst));
    bad && wanted.since.is_none_or(|since| !line.dated || line.at >= since) && wanted.until.is_none_or(|until| line.at <= until)
}
