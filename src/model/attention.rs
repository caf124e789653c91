//! How a console calls for a person who looks elsewhere, and when it keeps quiet. Pure: the time is passed in.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// What a person is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A critical alert or finding that began to fire.
    Critical,
    /// A run that needs a person.
    Person,
    /// A run that ended.
    Ended,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 3] = [Cause::Critical, Cause::Person, Cause::Ended];

    /// `critical`, `person`, `ended`.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Critical => "critical",
            Cause::Person => "person",
            Cause::Ended => "ended",
        }
    }
}

/// Which of the terminal's own notifications is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    /// None.
    #[default]
    Off,
    /// `OSC 9`: iTerm2, kitty, foot, Ghostty, WezTerm.
    Osc9,
    /// `OSC 777`: urxvt, foot, Ghostty, VTE.
    Osc777,
}

/// A part of each day, by the clock on the wall: from the first minute on, up to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// It begins.
    pub from: Time,
    /// It is over; before `from` where it goes over midnight.
    pub to: Time,
}

impl Hours {
    /// As it is written: `22:00-06:00`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Hours, String> {
        let shape = || format!("`{text}` is no part of a day: write it as `22:00-06:00`");
        let (from, to) = text.split_once('-').ok_or_else(shape)?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()));
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        };
        let hours = Hours { from: time(from).ok_or_else(shape)?, to: time(to).ok_or_else(shape)? };
        if hours.from == hours.to { Err(format!("`{text}` is empty: it ends when it begins")) } else { Ok(hours) }
    }

    /// True at that time of the day. An hour that the clock shows twice is in it twice; one that it skips is not missed.
    pub fn holds(self, time: Time) -> bool {
        if self.from < self.to { self.from <= time && time < self.to } else { time >= self.from || time < self.to }
    }
}

/// What one person wishes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// The terminal's bell.
    pub bell: bool,
    /// The terminal's title says how many alerts are critical.
    pub title: bool,
    /// The terminal's own notification.
    pub notify: Notify,
    /// A program with its arguments, to which the text is added as the last one; none where it is empty.
    pub command: Vec<String>,
    /// What for.
    pub on: Vec<Cause>,
    /// When nothing is heard.
    pub quiet: Vec<Hours>,
    /// True where critical alerts are heard in quiet hours too.
    pub quiet_critical: bool,
}

impl Default for Attention {
    fn default() -> Attention {
        Attention {
            bell: true,
            title: false,
            notify: Notify::Off,
            command: Vec::new(),
            on: Cause::ALL.to_vec(),
            quiet: Vec::new(),
            quiet_critical: true,
        }
    }
}

impl Attention {
    /// True where the clock of that zone shows a quiet hour.
    pub fn is_quiet(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let time = now.to_zoned(zone.clone()).time();
        self.quiet.iter().any(|hours| hours.holds(time))
    }

    /// True where this is heard at that moment.
    pub fn hears(&self, cause: Cause, now: Timestamp, zone: &TimeZone) -> bool {
        self.on.contains(&cause) && (!self.is_quiet(now, zone) || (self.quiet_critical && cause == Cause::Critical))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn quiet(hours: &[&str]) -> Attention {
        Attention { quiet: hours.iter().map(|text| Hours::parse(text).unwrap()).collect(), ..Attention::default() }
    }

    #[test]
    fn hours_go_over_midnight_and_their_end_is_no_part_of_them() {
        let of = quiet(&["22:00-06:00", "12:30-13:00"]);
        for (time, is) in [
            ("21:59:59", false),
            ("22:00:00", true),
            ("23:59:59", true),
            ("00:00:00", true),
            ("05:59:59", true),
            ("06:00:00", false),
            ("12:29:59", false),
            ("12:30:00", true),
            ("13:00:00", false),
        ] {
            assert_eq!(of.is_quiet(at(&format!("2026-03-02T{time}Z")), &TimeZone::UTC), is, "{time}");
        }
    }

    #[test]
    fn the_clock_on_the_wall_counts_also_on_the_days_on_which_it_is_moved() {
        let warsaw = TimeZone::get("Europe/Warsaw").unwrap();
        let of = quiet(&["02:15-02:45", "22:00-02:30"]);
        // Spring: 01:59:59 is followed by 03:00:00; the quiet half hour is not there, nor does it last.
        assert!(of.is_quiet(at("2026-03-29T00:59:59Z"), &warsaw));
        assert!(!of.is_quiet(at("2026-03-29T01:00:00Z"), &warsaw));
        // Autumn: the hour from 02:00 is there twice, and so is its quiet part.
        for (time, is) in [("00:20:00", true), ("00:50:00", false), ("01:20:00", true), ("01:50:00", false)] {
            assert_eq!(of.is_quiet(at(&format!("2026-10-25T{time}Z")), &warsaw), is, "{time}");
        }
    }

    #[test]
    fn criticals_break_through_where_that_is_wished() {
        let of = quiet(&["22:00-06:00"]);
        let night = at("2026-03-02T23:00:00Z");
        assert!(of.hears(Cause::Critical, night, &TimeZone::UTC) && !of.hears(Cause::Ended, night, &TimeZone::UTC));
        assert!(!Attention { quiet_critical: false, ..of.clone() }.hears(Cause::Critical, night, &TimeZone::UTC));
        assert!(!Attention { on: vec![Cause::Person], ..of }.hears(Cause::Critical, at("2026-03-02T12:00:00Z"), &TimeZone::UTC));
    }

    #[test]
    fn what_is_no_part_of_a_day_is_refused() {
        for text in ["", "22-06", "22:00", "22:00-24:00", "9:00-10:00", "22:00-22:00", "22:60-23:00", "-1:00-02:00"] {
            assert!(Hours::parse(text).is_err(), "{text}");
        }
    }
}
