//! What a filter can see of a line of a log.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::app::filter::{Filter, no_field};
use crate::app::subject::Subject;
use crate::model::log::{Level, Line};

/// Fields of a line.
pub const LINE_FIELDS: &[&str] = &["text", "host", "level", "by"];

/// Labels of a line.
const LINE_LABELS: &[&str] = &["host", "level", "by"];

/// Reads a filter of lines. `id=12` and `status!=200` are found as they are printed: a line has no labels but its host,
/// its level and its program. `Err` says what is wrong, as a sentence.
pub fn parse(text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text)?;
    if let Some(name) = filter.unknown_field(|name| LINE_FIELDS.contains(&name)) {
        return Err(no_field(name, LINE_FIELDS));
    }
    filter.words_for(|name| LINE_LABELS.contains(&name)).map_err(|name| no_field(&name, LINE_FIELDS))
}

/// Bytes at the begin of a line's text that say again what stands before it in its row: its own time, and the word of its
/// level. None where they say anything else, where nothing would be left, and of a line whose time is not its own.
pub fn said_before(line: &Line) -> usize {
    let text = line.text.as_str();
    let bare = text.trim_start_matches(['[', '(', ' ']);
    let bare = bare.strip_prefix("time=").unwrap_or(bare);
    let bare = bare.strip_prefix('"').unwrap_or(bare);
    // `2026-11-21 18:09:08,123`: the blank between a day and its clock is no end.
    let clock = |c: char| c.is_ascii_digit() || "-:.,TZ+/".contains(c);
    let day = bare.find(|c| !clock(c)).unwrap_or(bare.len());
    let after = bare[day..].strip_prefix(' ').filter(|_| day == 10);
    let end = after.map_or(day, |after| day + 1 + after.find(|c| !clock(c)).unwrap_or(after.len()));
    if !line.dated || moment(&bare[..end]) != Some(line.at) {
        return 0;
    }
    let rest = bare[end..].trim_start_matches([']', ')', '"', ' ', '\t']);
    let word = rest.trim_start_matches(['[', '(']).trim_start_matches("level=");
    let level = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    let same = line.level.is_some() && Level::named(&word[..level]) == line.level;
    // `errors: 5` and `error-prone` say more than a level.
    let parted = word[level..].starts_with([' ', ']', ')', ':', '\t']);
    let rest = if same && parted { word[level..].trim_start_matches([']', ')', ':', ' ', '\t']) } else { rest };
    if rest.is_empty() { 0 } else { text.len() - rest.len() }
}

/// A time as programs print it; without a zone it is taken as UTC, as it is where lines are read.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.replacen('/', "-", 2).replace(',', ".");
    let zoned = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse::<Timestamp>().ok().or_else(zoned)
}

/// True for an error and worse.
pub fn is_error(line: &Line) -> bool {
    line.level.is_some_and(|level| level <= Level::Error)
}

impl Subject for Line {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.text) || self.by.as_deref().is_some_and(&mut *test) || test(&self.place)
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "text" => Some(self.text.as_str().into()),
            "host" => Some((&*self.place).into()),
            "level" => Some(self.level.map_or("unknown", Level::word).into()),
            "by" => Some(self.by.as_deref().unwrap_or_default().into()),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        match name {
            "host" => Some(&self.place),
            "level" => Some(self.level.map_or("unknown", Level::word)),
            "by" => self.by.as_deref(),
            _ => None,
        }
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.at))
    }

    fn moment(&self) -> Option<Timestamp> {
        Some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_words_fields_and_age() {
        let at = Timestamp::from_second(1_000).unwrap();
        let line = Line {
            at,
            dated: true,
            place: "web1".into(),
            level: Some(Level::Error),
            by: Some("app[12]".into()),
            text: "cannot connect to db2: timeout".into(),
            open: false,
        };
        let now = at + SignedDuration::from_mins(5);
        let passes = |text: &str| parse(text).unwrap().matches(&line, now);
        for text in ["TIMEOUT", "connect !refused", "text:db[0-9]", "host:web1", "host=web1", "level:error", "by:app", "age<10m", "app[12]"]
        {
            assert!(passes(text), "{text}");
        }
        for text in ["refused", "!timeout", "host:web2", "level:info", "age<1m"] {
            assert!(!passes(text), "{text}");
        }
        assert!(parse("severity:x").unwrap_err().contains("severity"));
        assert!(parse("severity=~x").unwrap_err().contains("severity"));
        assert!(is_error(&line) && !is_error(&Line { level: Some(Level::Warning), ..line }));
    }

    #[test]
    fn what_looks_like_a_matcher_is_found_as_it_is_printed() {
        let line = Line { text: "GET /a id=119 status=500".into(), ..line("", None) };
        let passes = |text: &str| parse(text).unwrap().matches(&line, line.at);
        for text in ["id=119", "ID=11", "status!=200", "id=119 !status=200", "host=web1 id=119"] {
            assert!(passes(text), "{text}");
        }
        for text in ["id=12", "status!=500", "!id=119", "host=web2 id=119"] {
            assert!(!passes(text), "{text}");
        }
        let found = parse("id=119").unwrap().found("text", &line.text);
        assert_eq!(found.into_iter().map(|range| &line.text[range]).collect::<Vec<_>>(), ["id=119"], "and stressed");
    }

    fn line(text: &str, level: Option<Level>) -> Line {
        let at = "2026-11-21T22:03:11.072Z".parse().unwrap();
        Line { at, dated: true, place: "web1".into(), level, by: None, text: text.into(), open: false }
    }

    #[test]
    fn a_row_does_not_say_the_time_and_the_level_twice() {
        let shown = |text: &str| {
            let line = line(text, Some(Level::Error));
            line.text[said_before(&line)..].to_owned()
        };
        for text in [
            "2026-11-21T22:03:11.072Z ERROR no connection is free",
            "2026-11-21T23:03:11.072+01:00 [error] no connection is free",
            "[2026-11-21 22:03:11,072] ERROR: no connection is free",
            "2026/11/21 22:03:11.072 no connection is free",
            "time=\"2026-11-21T22:03:11.072Z\" level=error no connection is free",
        ] {
            assert_eq!(shown(text), "no connection is free", "{text}");
        }
        for text in [
            "no connection is free",
            "2026-11-21T22:03:12Z ERROR of another moment",
            "2026-11-21T22:03:11.072Z",
            "2026-11-21T22:03:11.072Z ERROR ",
            "{\"time\":\"2026-11-21T22:03:11.072Z\"}",
            "żó 2026",
            "",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("2026-11-21T22:03:11.072Z WARN of another level"), "WARN of another level");
        assert_eq!(shown("2026-11-21T22:03:11.072Z error-prone is a word"), "error-prone is a word");
        let not_own = Line { dated: false, ..line("2026-11-21T22:03:11.072Z ERROR x", None) };
        assert_eq!(said_before(&not_own), 0);
    }
}
