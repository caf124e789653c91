//! The entries of a journal that are of a level and worse, looked for by the host itself, so that a rare error among a
//! million lines is found: by their priority, and, as all that a unit prints is `info` to systemd, by the words of
//! levels in what was printed.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::journal::{entries, limited};
use super::{ANSWER, LINES, ahead, call, complaint};
use crate::link::ssh::{Reader, Script};
use crate::model::log::{Heard, Level, Line, Mark, Wanted};

/// Seconds that a search of the messages may take: its own end, before ours ends all.
const SEARCH: &str = "8";

/// `$1` the unit or `-`, `$2` and `$3` the seconds of the first and the last moment or `-`, `$4` how many, `$5` how many
/// bytes of each part, `$6` the worst number of a priority, `$7` what to look for in messages, `$8` how many seconds that
/// may take. Prints the clock; the entries of the priority and how journalctl ended; then those that match, the newest
/// first, and how that ended; `stdbuf` lets what was found until then be told where the time was too short. A `--grep`
/// (systemd 237, with PCRE2) may be missing: then the newest of what was printed.
const WORST: Script = Script(
    r#"command -v journalctl >/dev/null || { echo 'there is no journalctl here' >&2; exit 69; }
unit=$1 since=$2 until=$3 lines=$4 cap=$5 worst=$6 words=$7 seconds=$8
date +%s.%N 2>/dev/null || date +%s
set -- --no-pager --output=json --lines="$lines"
set -- "$@" --output-fields=MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER,_COMM,_TRANSPORT
if [ "$unit" != - ]; then set -- "$@" --unit="$unit"; fi
if [ "$since" != - ]; then set -- "$@" --since="@$since"; fi
if [ "$until" != - ]; then set -- "$@" --until="@$until"; fi
{ journalctl "$@" --priority="$worst"; printf '\nended %s\n' "$?"; } | tail -c "$cap"
set -- "$@" --reverse --priority=6..6
limit() { "$@"; }
if command -v timeout >/dev/null; then
  limit() { timeout "$seconds" "$@"; }
  if command -v stdbuf >/dev/null; then limit() { timeout "$seconds" stdbuf -oL "$@"; }; fi
fi
case $(journalctl --no-pager --lines=0 --grep=x 2>&1 >/dev/null) in
  *PCRE2*|*'attern matching'*|*'nrecognized option'*) printf '\nblind\n';;
  *) set -- "$@" --case-sensitive=yes --grep="$words";;
esac
{ limit journalctl "$@" _TRANSPORT=stdout; printf '\nsearched %s\n' "$?"; } | head -c "$cap""#,
);

/// The entries of a unit's journal, or of all of it, that are of `worst` and worse. What comes next is asked for by time:
/// a cursor belongs to one way of filtering only (up to systemd 252 `--after-cursor` passes over an entry where the
/// cursor's own does not match).
pub(super) async fn read(
    reader: &Reader,
    place: &Arc<str>,
    unit: Option<&str>,
    worst: Level,
    wanted: &Wanted,
    until: Instant,
) -> Result<Heard, String> {
    let lines = wanted.lines.clamp(1, LINES);
    let (since, than) = match &wanted.after {
        Some(Mark::Later { second, than }) => (Some(*second), *than),
        Some(Mark::Since(second)) => (Some(*second), None),
        Some(Mark::Cursor(_) | Mark::Byte { .. }) | None => (wanted.since.map(Timestamp::as_second), None),
    };
    let or = |second: Option<i64>| second.map_or("-".to_owned(), |second| second.to_string());
    // journalctl counts whole seconds.
    let last = or(wanted.until.map(|until| until.as_second() + 1));
    let number = Level::ALL.iter().position(|level| *level == worst).unwrap_or(0).to_string();
    let (since, count, cap, words) = (or(since), lines.to_string(), (ANSWER / 2).to_string(), pattern(worst));
    let words = [unit.unwrap_or("-"), &since, &last, &count, &cap, &number, &words, SEARCH];
    let (printed, at, began) = call(reader, WORST, &words, until).await?;
    let name = &reader.host().name;
    if printed.code == Some(69) {
        return Err(format!("{name}: there is no journalctl: `logs = {{ file = \"...\" }}` names a file instead"));
    }
    let took = began.elapsed();
    let failed = || format!("{name}: journalctl failed: {}", complaint(&printed.errors));
    let told = told(&printed.out, place, worst, wanted, lines);
    let mut heard = told.map_err(|()| limited(&printed.errors, name).unwrap_or_else(failed))?;
    if let Some(than) = than {
        heard.lines.retain(|line| line.at > than);
    }
    let clock = String::from_utf8_lossy(printed.out.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
    heard.ahead = ahead(&clock, at, took);
    let second = clock.split('.').next().and_then(|second| second.trim().parse().ok());
    heard.mark = second.map(|second| Mark::Later { second, than: heard.lines.last().map(|line| line.at).max(than) });
    heard.notes.extend(limited(&printed.errors, name));
    Ok(heard)
}

/// Takes both parts apart, and brings them together by time; `Err` where the first did not end well.
pub(super) fn told(out: &[u8], place: &Arc<str>, worst: Level, wanted: &Wanted, most: usize) -> Result<Heard, ()> {
    let end = |word: &[u8]| out.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(word).map(<[u8]>::to_vec));
    if end(b"ended ").as_deref() != Some(b"0") {
        return Err(());
    }
    let border = out.windows(7).position(|part| part == b"\nended ").unwrap_or(out.len());
    let (first, second) = out.split_at(border);
    let of = |part: &[u8]| entries(part, place).map(|(line, _)| line).collect::<Vec<Line>>();
    let (mut heard, mut lines, mut printed) = (Heard::default(), of(first), of(second));
    heard.passed = lines.len() >= most || printed.len() >= most || first.len() >= ANSWER / 2;
    printed.reverse();
    let oldest = printed.first().map(|line| line.at);
    lines.append(&mut printed);
    lines.sort_by_key(|line| line.at);
    lines.retain(|line| line.level.is_some_and(|level| level <= worst) && super::within(line, wanted));
    heard.lines = lines;
    let blind = out.split(|byte| *byte == b'\n').any(|line| line == b"blind");
    let back = oldest.map_or(String::new(), |at| format!(", back to {at:.0}"));
    match end(b"searched ").as_deref() {
        _ if blind => heard.notes.push(format!(
            "{place}: its journalctl cannot search: of what has no priority of its own the newest lines were looked at{back}"
        )),
        Some(b"124") => heard.notes.push(format!(
            "{place}: what has no priority of its own is too much to be searched in {SEARCH} s: the newest errors come first, older \
             ones may be missing"
        )),
        // No end: there was more than an answer holds.
        None => heard.passed = true,
        Some(_) => {}
    }
    Ok(heard)
}

/// A regular expression (PCRE2) that finds all that [`Level::told`] takes for this level or worse, and some more: what it
/// finds is judged here. The escape sequence of a colour, which ends in an `m`, may stand before the word. It begins with
/// what it looks for: with another begin, PCRE2 tries each letter of each message, which takes twice as long.
fn pattern(worst: Level) -> String {
    let words: Vec<&str> = WORDS.iter().filter(|word| Level::named(word).is_some_and(|level| level <= worst)).copied().collect();
    let words = words.join("|");
    format!(r"(?<![A-Za-ln-z0-9])(?:{words})(?![A-Za-z0-9])|le?ve?l=(?i:{words})")
}

/// The words of levels that are worse than `notice`, as programs write them.
const WORDS: [&str; 12] =
    ["EMERG", "EMERGENCY", "PANIC", "ALERT", "CRIT", "CRITICAL", "FATAL", "ERR", "ERROR", "SEVERE", "WARN", "WARNING"];

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(second: i64, priority: u8, text: &str) -> String {
        format!(
            "{{\"__CURSOR\":\"s=a;i={second}\",\"__REALTIME_TIMESTAMP\":\"{second}000000\",\"PRIORITY\":\"{priority}\",\
             \"_TRANSPORT\":\"stdout\",\"MESSAGE\":\"{text}\"}}\n"
        )
    }

    fn of(text: &str) -> Result<Heard, ()> {
        told(text.as_bytes(), &"web1".into(), Level::Error, &Wanted::default(), 10)
    }

    #[test]
    fn what_has_the_priority_and_what_says_it_itself_come_together_by_time() {
        let first = [entry(10, 3, "no disk"), entry(30, 2, "gone")].concat();
        let second = [entry(40, 6, "ERROR late"), entry(35, 6, "WARN and ERR in capitals"), entry(20, 6, "ERROR between")].concat();
        let heard = of(&format!("50.5\n{first}\nended 0\n{second}\nsearched 0\n")).unwrap();
        let texts: Vec<&str> = heard.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["no disk", "ERROR between", "gone", "ERROR late"], "what is judged a warning goes");
        assert!(!heard.passed && heard.notes.is_empty());
    }

    #[test]
    fn a_part_that_was_not_searched_whole_is_said() {
        let second = entry(20, 6, "ERROR x");
        for (end, says) in [("blind\n", "cannot search"), ("", "")] {
            let heard = of(&format!("50.5\n\nended 0\n{end}{second}\nsearched 0\n")).unwrap();
            assert_eq!(heard.lines.len(), 1);
            let told = heard.notes.iter().any(|note| note.contains(says) && note.ends_with("back to 1970-01-01T00:00:20Z"));
            assert_eq!(told, !says.is_empty(), "{:?}", heard.notes);
        }
        let heard = of(&format!("50.5\n\nended 0\n{second}\nsearched 124\n")).unwrap();
        assert!(heard.notes[0].contains("too much to be searched in 8 s"), "{:?}", heard.notes);
        assert_eq!(heard.lines.len(), 1, "what was found until then is told");
        assert!(of(&format!("50.5\n\nended 0\n{second}")).unwrap().passed, "cut off: more than an answer holds");
        assert!(of(&format!("50.5\n\nended 1\n{second}\nsearched 0\n")).is_err());
        assert!(of("50.5\n").is_err());
    }

    #[test]
    fn words_of_other_levels_are_not_asked_for() {
        assert!(pattern(Level::Error).contains("|FATAL|ERR|ERROR|SEVERE)") && !pattern(Level::Error).contains("WARN"));
        assert!(pattern(Level::Warning).contains("WARNING"));
        // A begin that is no word would be tried at each letter of each message.
        assert!(pattern(Level::Error).starts_with("(?<!"));
        for word in WORDS {
            assert!(Level::named(word).is_some_and(|level| level < Level::Notice), "{word}");
        }
    }
}
