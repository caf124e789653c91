//! A log that is a file: its end, then what is added to it. One that was rotated is read to its old end first, as far as
//! it lies beside the new one as `.1`; one that was emptied is read from its begin.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;

use super::{LINES, ahead, call, complaint, plain, within};
use crate::link::ssh::{Reader, Script};
use crate::model::log::{Heard, LINE_CAP, Level, Line, Mark, Wanted};

/// Bytes of a file that are read at once, from its end.
const TAIL: u64 = 1 << 20;
/// Bytes of a last line without an end that are waited for; a longer one is a line as it is.
const OPEN: usize = 64 << 10;

/// `$1` the file, `$2` its number as it was or `-`, `$3` the byte that comes next, `$4` how many bytes. Prints the clock;
/// the file's number, size, time and the byte that it is read from; how many bytes of the one before come first; them.
/// `stat -c` is GNU's and busybox', `stat -f` that of the BSDs.
const FILE: Script = Script(
    r#"file=$1 was=$2 next=$3 cap=$4
[ -e "$file" ] || { ls -dL -- "$file" >/dev/null; exit 66; }
[ -f "$file" ] || { echo "$file is no file" >&2; exit 66; }
[ -r "$file" ] || { echo "$file may not be read: Permission denied" >&2; exit 77; }
about() { stat -L -c '%i %s %Y' -- "$1" 2>/dev/null || stat -L -f '%i %z %m' -- "$1" 2>/dev/null; }
part() { tail -c +"$(($2 + 1))" -- "$1" | head -c "$3"; }
date +%s.%N 2>/dev/null || date +%s
now=$(about "$file") || exit 66
set -- $now
number=$1 size=$2 time=$3 from=$next old=0 how=goes-on
if [ "$was" = - ]; then
  from=0 how=begins
elif [ "$was" != "$number" ]; then
  from=0 how=rotated
  set -- $(about "$file.1")
  if [ "$1" = "$was" ] && [ -r "$file.1" ] && [ "$2" -ge "$next" ]; then old=$(($2 - next)); fi
  if [ "$old" -gt "$cap" ]; then next=$((next + old - cap)) old=$cap; fi
elif [ "$size" -lt "$next" ]; then
  from=0 how=emptied
fi
passed=0
if [ "$((size - from))" -gt "$cap" ]; then from=$((size - cap)) passed=1; fi
printf '%s %s %s %s %s %s %s\n' "$number" "$size" "$time" "$from" "$old" "$how" "$passed"
if [ "$old" -gt 0 ]; then part "$file.1" "$next" "$old"; fi
if [ "$size" -gt "$from" ]; then part "$file" "$from" "$((size - from))"; fi"#,
);

/// The end of the file, or what was added to it.
pub(super) async fn read(reader: &Reader, place: &Arc<str>, path: &str, wanted: &Wanted, until: Instant) -> Result<Heard, String> {
    let (was, next) = match &wanted.after {
        Some(Mark::Byte { inode, offset }) => (inode.clone(), offset.to_string()),
        _ => ("-".to_owned(), "0".to_owned()),
    };
    let cap = TAIL.to_string();
    let (printed, at, began) = call(reader, FILE, &[path, &was, &next, &cap], until).await?;
    let name = &reader.host().name;
    if printed.code != Some(0) {
        return Err(format!("{name}: the log cannot be read: {}", complaint(&printed.errors)));
    }
    let took = began.elapsed();
    let strange = || format!("{name}: the log cannot be read: its size is not told");
    let (clock, rest) = split(&printed.out).ok_or_else(strange)?;
    let (head, bytes) = split(rest).ok_or_else(strange)?;
    let head = String::from_utf8_lossy(head);
    let of = About::read(&head).ok_or_else(strange)?;
    let mut heard = told(&of, bytes, place, path, wanted);
    heard.ahead = ahead(&String::from_utf8_lossy(clock), at, took);
    Ok(heard)
}

/// What the script says before the bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct About {
    /// The inode.
    pub number: String,
    /// The time of its last change.
    pub time: Timestamp,
    /// The byte that is read from.
    pub from: u64,
    /// Bytes of the file before it.
    pub old: usize,
    /// `begins`, `goes-on`, `rotated`, `emptied`.
    pub how: String,
    /// Bytes were passed over.
    pub passed: bool,
}

impl About {
    pub(super) fn read(head: &str) -> Option<About> {
        let words: Vec<&str> = head.split_whitespace().collect();
        let [number, _, time, from, old, how, passed] = words[..] else { return None };
        let digits = number.len() <= 24 && number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(())?;
        Some(About {
            number: number.to_owned(),
            time: Timestamp::from_second(time.parse().ok()?).ok()?,
            from: from.parse().ok()?,
            old: old.parse().ok()?,
            how: how.to_owned(),
            passed: passed == "1",
        })
    }
}

/// Takes the bytes apart into lines.
pub(super) fn told(of: &About, bytes: &[u8], place: &Arc<str>, path: &str, wanted: &Wanted) -> Heard {
    let mut heard = Heard { passed: of.passed, ..Heard::default() };
    let (old, new) = bytes.split_at(of.old.min(bytes.len()));
    // Where bytes were passed over, what is before the first line's end is the half of one.
    let begin = if of.passed { new.iter().position(|byte| *byte == b'\n').map_or(new.len(), |at| at + 1) } else { 0 };
    let whole = &new[begin..];
    let end = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (ended, open) = whole.split_at(end);
    let (ended, open) = if open.len() > OPEN { (whole, &[][..]) } else { (ended, open) };
    let read = (begin + ended.len()) as u64;
    heard.mark = Some(Mark::Byte { inode: of.number.clone(), offset: of.from + read });
    let mut lines: Vec<&[u8]> = old.split(|byte| *byte == b'\n').chain(ended.split(|byte| *byte == b'\n')).collect();
    lines.retain(|line| !line.trim_ascii().is_empty());
    match of.how.as_str() {
        "rotated" => heard.notes.push(format!("{place}: {path} was rotated: the new file is read from its begin")),
        "emptied" => heard.notes.push(format!("{place}: {path} was emptied: it is read from its begin")),
        _ => {}
    }
    let mut all: Vec<Line> = lines.into_iter().map(|bytes| line(bytes, place)).collect();
    if !open.trim_ascii().is_empty() {
        all.push(Line { open: true, ..line(open, place) });
    }
    date(&mut all, of.time);
    // Here, and not on the host: what is bad is looked for before the oldest of too many go.
    all.retain(|line| within(line, wanted));
    if let (Some(_), true, true) = (wanted.worst, heard.passed, of.how == "begins") {
        heard.notes.push(format!("{place}: errors are looked for in the newest {} MiB of {path}, and not before", TAIL >> 20));
    }
    let most = wanted.lines.clamp(1, LINES);
    if all.len() > most {
        heard.passed = true;
        all.drain(..all.len() - most);
    }
    heard.lines = all;
    heard
}

/// A line; its time is the epoch where it says none.
fn line(bytes: &[u8], place: &Arc<str>) -> Line {
    let text = plain(bytes);
    let (at, level) = said(&text);
    Line {
        at: at.unwrap_or(Timestamp::UNIX_EPOCH),
        dated: at.is_some(),
        place: place.clone(),
        level: level.or_else(|| Level::told(&text)),
        by: None,
        text,
        open: false,
    }
}

/// Lines without a time have that of the line before them; those at the begin that of the next one, and where no line has
/// any, that of the file.
fn date(lines: &mut [Line], file: Timestamp) {
    let mut known = lines.iter().find(|line| line.dated).map_or(file, |line| line.at);
    for line in lines {
        if line.dated {
            known = line.at;
        } else {
            line.at = known;
        }
    }
}

/// The time and the level that a line says: as JSON, or at its begin as RFC 3339 or one of its relatives, or in the
/// brackets of an access log. A time without a zone is taken as UTC.
fn said(text: &str) -> (Option<Timestamp>, Option<Level>) {
    if text.starts_with('{')
        && text.len() < LINE_CAP
        && let Ok(Value::Object(fields)) = serde_json::from_str(text)
    {
        let field = |names: &[&str]| names.iter().find_map(|name| fields.get(*name));
        let at = field(&["time", "ts", "timestamp", "@timestamp"]).and_then(|value| match value {
            Value::String(text) => moment(text),
            Value::Number(number) => number.as_f64().and_then(seconds),
            _ => None,
        });
        return (at, field(&["level", "severity", "lvl"]).and_then(Value::as_str).and_then(Level::named));
    }
    let bare = text.trim_start_matches(['[', '(', ' ']).trim_start_matches("time=").trim_start_matches('"');
    (moment(bare).or_else(|| access(text)), None)
}

/// Seconds, or milliseconds, since the epoch.
fn seconds(number: f64) -> Option<Timestamp> {
    let seconds = if number > 1e11 { number / 1_000.0 } else { number };
    #[allow(clippy::cast_possible_truncation, reason = "a date in milliseconds fits; a text that is none is refused below")]
    let milliseconds = (seconds * 1_000.0).round() as i64;
    // Smaller numbers count something else.
    (seconds > 1e8).then(|| Timestamp::from_millisecond(milliseconds).ok())?
}

/// A time at the begin of a text.
fn moment(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let dash = bytes.get(4) == Some(&b'-') || bytes.get(4) == Some(&b'/');
    if !dash || !bytes.get(..4)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = |part: &str| part.find(|c: char| !(c.is_ascii_digit() || "-:.,TZ+/".contains(c))).unwrap_or(part.len());
    let first = &text[..end(text)];
    let (date, clock) = match first.split_once('T') {
        Some((date, clock)) => (date, clock),
        // `2026-11-21 18:09:08,123`
        None => {
            let rest = text.get(first.len()..)?.strip_prefix(' ')?;
            (first, &rest[..end(rest)])
        }
    };
    let whole = format!("{}T{}", date.replace('/', "-"), clock.replace(',', "."));
    let whole = whole.trim_end_matches(['.', ':', '-', '/']);
    whole.parse::<Timestamp>().ok().or_else(|| whole.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp()))
}

/// `[21/Nov/2026:18:09:08 +0000]`, as Apache and nginx write it.
fn access(text: &str) -> Option<Timestamp> {
    let (_, rest) = text.get(..text.len().min(200)).unwrap_or(text).split_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    strtime::parse("%d/%b/%Y:%H:%M:%S %z", inside).ok()?.to_timestamp().ok()
}

/// The first line, and what comes behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}
