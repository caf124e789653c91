//! Maintenance windows, freezes and drills: when they are next, in the estate's zone. Pure: the time is passed in.
//!
//! A window recurs by the week and is written `Tue 02:00-04:00`, `Mon-Fri 22:00-06:00`, `Sat,Sun 00:00-24:00` or
//! `daily 02:00-03:00`. Its times are those of the clock on the wall: on the day on which clocks go forward a time that
//! does not exist is as much later as the clocks go; on the day on which they go back it is the first of the two.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// What the estate file says of times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calendar {
    /// Maintenance windows, in the file's order.
    pub windows: Vec<Window>,
    /// Freezes, in the file's order.
    pub freezes: Vec<Freeze>,
    /// Drills, in the file's order.
    pub drills: Vec<Drill>,
}

/// A time of each week in which work may be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// The services; all of them where there is none.
    pub services: Vec<String>,
    /// When.
    pub when: Weekly,
}

/// A time in which nothing is deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Freeze {
    /// Its name.
    pub name: String,
    /// The services; all of them where there is none.
    pub services: Vec<String>,
    /// The first day.
    pub from: Date,
    /// The last day, which belongs to it.
    pub to: Date,
}

/// A test that is to be made again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub services: Vec<String>,
    /// The most time between two of them.
    pub every: SignedDuration,
    /// The day of the last one; `None` where there was none.
    pub last: Option<Date>,
    /// The backup whose restore tests count as drills, by name.
    pub backup: Option<String>,
}

/// Times that come again each week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// As it was written.
    pub text: String,
    /// By the days from Monday on.
    days: [bool; 7],
    begin: Time,
    /// The end on the wall, and how many days after the beginning it is.
    end: (Time, i8),
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Weekly {
    /// Reads `Tue 02:00-04:00`. `Err` says what is right.
    pub fn parse(text: &str) -> Result<Weekly, String> {
        let wrong = || {
            format!(
                "`{text}` is no time of the week: write days and times, such as `Tue 02:00-04:00`, `Mon-Fri 22:00-06:00` or `daily 02:00-03:00`"
            )
        };
        let (days, times) = text.split_once(' ').ok_or_else(wrong)?;
        let days = days_of(days).ok_or_else(wrong)?;
        let (begin, end) = times.trim().split_once('-').ok_or_else(wrong)?;
        let begin = time(begin).filter(|(_, over)| *over == 0).ok_or_else(wrong)?.0;
        let (end, over) = time(end).ok_or_else(wrong)?;
        if begin == end && over == 0 {
            return Err(format!("`{text}` begins and ends at the same time: a whole day is 00:00-24:00"));
        }
        let over = if over == 0 && end < begin { 1 } else { over };
        Ok(Weekly { text: text.to_owned(), days, begin, end: (end, over) })
    }

    /// The one that goes on at `now`, else the next one: its begin and its end (UTC).
    pub fn next(&self, zone: &TimeZone, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = now.to_zoned(zone.clone()).date();
        // The one of yesterday may go on over midnight; a week later each day has come.
        (-1_i64..=8).find_map(|ahead| {
            let day = today.checked_add(Span::new().days(ahead)).ok()?;
            if !self.days[usize::from(day.weekday().to_monday_zero_offset() as u8)] {
                return None;
            }
            let last = day.checked_add(Span::new().days(i64::from(self.end.1))).ok()?;
            let at = |day: Date, time: Time| zone.to_ambiguous_zoned(day.to_datetime(time)).compatible().ok().map(|z| z.timestamp());
            let (begin, end) = (at(day, self.begin)?, at(last, self.end.0)?);
            (end > now && end > begin).then_some((begin, end))
        })
    }
}

/// `Tue`, `Mon-Fri`, `Sat,Sun`, `daily`.
fn days_of(text: &str) -> Option<[bool; 7]> {
    let place = |name: &str| NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
    let mut days = [false; 7];
    if text.eq_ignore_ascii_case("daily") {
        return Some([true; 7]);
    }
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (place(first)?, place(last)?);
                // Over Sunday too: Fri-Mon.
                (0..=(last + 7 - first) % 7).for_each(|ahead| days[(first + ahead) % 7] = true);
            }
            None => days[place(part)?] = true,
        }
    }
    Some(days)
}

/// `HH:MM`, and how many days later it is: 24:00 is the next day's midnight.
fn time(text: &str) -> Option<(Time, i8)> {
    let (hour, minute) = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if (hour, minute) == (24, 0) {
        return Some((Time::midnight(), 1));
    }
    Some((Time::new(hour, minute, 0, 0).ok()?, 0))
}

impl Freeze {
    /// Its begin and its end (UTC); `None` where the zone has no such days.
    pub fn bounds(&self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        Some((midnight(self.from, zone)?, midnight(self.to.tomorrow().ok()?, zone)?))
    }
}

/// The first moment of a day in a zone.
pub fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// The name of a weekday, for people.
pub fn weekday(day: Weekday) -> &'static str {
    NAMES[usize::from(day.to_monday_zero_offset() as u8) % 7]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn warsaw() -> TimeZone {
        jiff::tz::TimeZoneDatabase::bundled().get("Europe/Warsaw").unwrap()
    }

    fn next(text: &str, now: &str) -> (String, String) {
        let (begin, end) = Weekly::parse(text).unwrap().next(&warsaw(), at(now)).unwrap();
        (begin.to_string(), end.to_string())
    }

    fn both(begin: &str, end: &str) -> (String, String) {
        (begin.into(), end.into())
    }

    #[test]
    fn the_next_one_is_told_and_while_it_goes_on_the_one_that_does() {
        // Saturday.
        assert_eq!(next("Tue 02:00-04:00", "2026-11-21T12:00:00Z"), both("2026-11-24T01:00:00Z", "2026-11-24T03:00:00Z"));
        assert_eq!(next("Tue 02:00-04:00", "2026-11-24T02:59:59Z"), both("2026-11-24T01:00:00Z", "2026-11-24T03:00:00Z"));
        assert_eq!(next("Tue 02:00-04:00", "2026-11-24T03:00:00Z"), both("2026-12-01T01:00:00Z", "2026-12-01T03:00:00Z"));
        assert_eq!(
            next("Mon-Fri 22:00-06:00", "2026-11-21T04:00:00Z"),
            both("2026-11-20T21:00:00Z", "2026-11-21T05:00:00Z"),
            "over midnight"
        );
        assert_eq!(next("Sat,Sun 00:00-24:00", "2026-11-21T12:00:00Z"), both("2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"));
        assert_eq!(
            next("Fri-Mon 01:00-02:00", "2026-11-22T12:00:00Z"),
            both("2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z"),
            "over Sunday"
        );
        assert_eq!(next("daily 02:00-03:00", "2026-11-21T12:00:00Z"), both("2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"));
    }

    #[test]
    fn the_day_on_which_clocks_go_forward() {
        // In Warsaw 02:00 to 03:00 does not exist on 2026-03-29.
        assert_eq!(
            next("Sun 02:00-04:00", "2026-03-28T12:00:00Z"),
            both("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
            "an hour is missing"
        );
        assert_eq!(next("Sun 02:15-02:45", "2026-03-28T12:00:00Z"), both("2026-03-29T01:15:00Z", "2026-03-29T01:45:00Z"), "as much later");
        assert_eq!(next("Sun 01:30-02:30", "2026-03-28T12:00:00Z"), both("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"));
        assert_eq!(next("Sun 02:00-04:00", "2026-03-30T12:00:00Z"), both("2026-04-05T00:00:00Z", "2026-04-05T02:00:00Z"), "summer");
    }

    #[test]
    fn the_day_on_which_clocks_go_back() {
        // In Warsaw 02:00 to 03:00 is there twice on 2026-10-25.
        assert_eq!(next("Sun 02:00-04:00", "2026-10-24T12:00:00Z"), both("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z"), "three hours");
        assert_eq!(
            next("Sun 02:15-02:45", "2026-10-24T12:00:00Z"),
            both("2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z"),
            "the first of both"
        );
    }

    #[test]
    fn what_is_no_time_of_the_week_is_refused() {
        for wrong in [
            "",
            "Tue",
            "Tue 2:00-4:00",
            "Tue 02:00",
            "Tue 25:00-26:00",
            "Foo 02:00-04:00",
            "Tue 24:00-01:00",
            "Tue 02:00-02:00",
            "Tue, 02:00-03:00",
        ] {
            assert!(Weekly::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_freeze_holds_its_last_day_too() {
        let freeze = Freeze { name: "f".into(), services: vec![], from: "2026-10-24".parse().unwrap(), to: "2026-10-25".parse().unwrap() };
        let (begin, end) = freeze.bounds(&warsaw()).unwrap();
        assert_eq!((begin, end), (at("2026-10-23T22:00:00Z"), at("2026-10-25T23:00:00Z")), "49 hours: clocks go back");
    }
}
