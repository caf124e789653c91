//! systemd's journal, by `journalctl -o json` (systemd 236 and later): a line of JSON for each entry, as
//! systemd.journal-fields(7) and journalctl(1) describe them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{ANSWER, LINES, ahead, by, call, complaint, plain, within};
use crate::link::ssh::{Reader, Script};
use crate::model::log::{Heard, Level, Line, Mark, Wanted};
use crate::model::text::{LABEL_CAP, clean};

/// `$1` the unit or `-`, `$2` the cursor or `-`, `$3` and `$4` the seconds of the first and the last moment or `-`, `$5`
/// how many, `$6` how many bytes. Prints the clock, the entries, and at the very end how journalctl ended: where there were
/// too many bytes, it is the begin that is missing.
const JOURNAL: Script = Script(
    r#"command -v journalctl >/dev/null || { echo 'there is no journalctl here' >&2; exit 69; }
unit=$1 cursor=$2 since=$3 until=$4 lines=$5 cap=$6
date +%s.%N 2>/dev/null || date +%s
set -- --no-pager --output=json --lines="$lines"
set -- "$@" --output-fields=MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER,_COMM,_TRANSPORT
if [ "$unit" != - ]; then set -- "$@" --unit="$unit"; fi
if [ "$cursor" != - ]; then set -- "$@" --after-cursor="$cursor"; fi
if [ "$since" != - ]; then set -- "$@" --since="@$since"; fi
if [ "$until" != - ]; then set -- "$@" --until="@$until"; fi
{ journalctl "$@"; printf '\nended %s\n' "$?"; } | tail -c "$cap""#,
);

/// The entries of a unit's journal, or of all of it.
pub(super) async fn read(reader: &Reader, place: &Arc<str>, unit: Option<&str>, wanted: &Wanted, until: Instant) -> Result<Heard, String> {
    let lines = wanted.lines.clamp(1, LINES);
    let second = |at: Option<Timestamp>| at.map(|at| at.as_second().to_string());
    let (cursor, since) = match &wanted.after {
        Some(Mark::Cursor(cursor)) => (Some(cursor.clone()), None),
        Some(Mark::Since(second) | Mark::Later { second, .. }) => (None, Some(second.to_string())),
        Some(Mark::Byte { .. }) | None => (None, second(wanted.since)),
    };
    // journalctl counts whole seconds.
    let last = wanted.until.map(|until| (until.as_second() + 1).to_string());
    let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let words = [unit.unwrap_or("-").to_owned(), or(cursor), or(since), or(last), lines.to_string(), ANSWER.to_string()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (printed, at, began) = call(reader, JOURNAL, &words, until).await?;
    let name = &reader.host().name;
    if printed.code == Some(69) {
        return Err(format!("{name}: there is no journalctl: `logs = {{ file = \"...\" }}` names a file instead"));
    }
    let took = began.elapsed();
    let failed = || format!("{name}: journalctl failed: {}", complaint(&printed.errors));
    let told = told(&printed.out, place, wanted, lines);
    let mut heard = told.map_err(|()| limited(&printed.errors, name).unwrap_or_else(failed))?;
    let first = printed.out.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let clock = String::from_utf8_lossy(first).into_owned();
    heard.ahead = ahead(&clock, at, took);
    if heard.mark.is_none() {
        heard.mark = wanted.after.clone().or_else(|| Some(Mark::Since(clock.split('.').next()?.trim().parse().ok()?)));
    }
    heard.notes.extend(limited(&printed.errors, name));
    Ok(heard)
}

/// What journalctl hints at where it may read a part of the journal only.
pub(super) fn limited(errors: &[u8], host: &str) -> Option<String> {
    let errors = String::from_utf8_lossy(errors);
    let part = errors.contains("You are currently not seeing messages") || errors.contains("insufficient permissions");
    part.then(|| {
        format!(
            "{host}: the user there may not read the system's journal, so lines are missing: \
             make it a member of the group systemd-journal (`usermod -aG systemd-journal USER`)"
        )
    })
}

/// Takes apart what was printed; `Err` where journalctl did not end well.
pub(super) fn told(out: &[u8], place: &Arc<str>, wanted: &Wanted, most: usize) -> Result<Heard, ()> {
    let mut heard = Heard::default();
    let mut good = false;
    let mut count = 0;
    for line in out.split(|byte| *byte == b'\n') {
        good |= line == b"ended 0";
    }
    for (line, cursor) in entries(out, place) {
        heard.mark = Some(Mark::Cursor(cursor));
        count += 1;
        if within(&line, wanted) {
            heard.lines.push(line);
        }
    }
    heard.passed = count >= most || out.len() >= ANSWER;
    if good { Ok(heard) } else { Err(()) }
}

/// The entries in what was printed, each with its cursor. Half a line is none.
pub(super) fn entries(out: &[u8], place: &Arc<str>) -> impl Iterator<Item = (Line, String)> {
    let lines = out.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&b'{'));
    lines.filter_map(move |line| match serde_json::from_slice(line) {
        Ok(Value::Object(entry)) => self::line(&entry, place),
        _ => None,
    })
}

/// One entry, with its cursor.
fn line(entry: &Map<String, Value>, place: &Arc<str>) -> Option<(Line, String)> {
    let cursor = text(entry.get("__CURSOR")?)?;
    // A cursor is ours to hand back: one that is no cursor is not kept.
    let plain_cursor = cursor.len() <= 512 && cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=;-".contains(&byte));
    let at = text(entry.get("__REALTIME_TIMESTAMP")?)?.parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok())?;
    let message = match entry.get("MESSAGE") {
        Some(Value::Null) => "(too long: journalctl gives no message of more than 4096 bytes)".to_owned(),
        Some(message) => plain(&bytes(message)?),
        None => "(an entry without a message)".to_owned(),
    };
    let told = text(entry.get("PRIORITY").unwrap_or(&Value::Null)).and_then(|number| Level::numbered(number.parse().ok()?));
    // All that a unit prints is `info` to systemd: there its own words say more.
    let stream = entry.get("_TRANSPORT").and_then(text).as_deref() == Some("stdout");
    let level = if stream && told == Some(Level::Info) { Level::told(&message).or(told) } else { told };
    let name = entry.get("SYSLOG_IDENTIFIER").or_else(|| entry.get("_COMM")).and_then(text);
    let pid = entry.get("_PID").and_then(text);
    let line = Line { at, dated: true, place: place.clone(), level, by: by(name.as_deref(), pid.as_deref()), text: message, open: false };
    plain_cursor.then_some((line, cursor))
}

/// A field that is text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // A field that is there more than once is a list of them; the first one is as good as the others.
        Value::Array(all) if all.first().is_some_and(|one| one.is_string() || one.is_array()) => all.first().and_then(text),
        Value::Array(_) => Some(clean(&String::from_utf8_lossy(&bytes(value)?), LABEL_CAP).into_owned()),
        _ => None,
    }
}

/// A field as bytes: text, or the numbers of bytes that are no UTF-8 or hold control characters.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(all) if all.iter().all(Value::is_u64) => all.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        Value::Array(all) => {
            let parts: Option<Vec<Vec<u8>>> =
                all.iter().take(16).map(|one| if one.is_null() { Some(b"(too long)".to_vec()) } else { bytes(one) }).collect();
            Some(parts?.join(&b' '))
        }
        _ => None,
    }
}
