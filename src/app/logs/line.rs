//! What a filter can see of a line of a log.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::app::filter::{Filter, no_field};
use crate::app::subject::Subject;
use crate::model::log::{Level, Line};

/// Fields of a line.
pub const LINE_FIELDS: &[&str] = &["text", "host", "level", "by"];

/// Reads a filter of lines. `Err` says what is wrong, as a sentence.
pub fn parse(text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text)?;
    match filter.unknown_field(|name| LINE_FIELDS.contains(&name)).map(|name| no_field(name, LINE_FIELDS)) {
        Some(why) => Err(why),
        None => Ok(filter),
    }
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
        assert!(is_error(&line) && !is_error(&Line { level: Some(Level::Warning), ..line }));
    }
}
