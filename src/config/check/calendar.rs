//! Rules about windows, freezes and drills: their times can be read, and a freeze ends after it begins.

use jiff::SignedDuration;
use jiff::civil::Date;
use toml::Spanned;

use super::super::raw::{Key, Raw};
use super::super::report::Report;
use super::backups::within;
use crate::model::calendar::Weekly;

/// Every time can be read and makes sense.
pub(super) fn times(raw: &Raw, report: &mut Report<'_>) {
    for window in raw.window.iter().map(Spanned::get_ref) {
        if let Some(when) = &window.when
            && let Err(what) = Weekly::parse(when.get_ref())
        {
            report.at(when.span().start, what);
        }
    }
    for freeze in raw.freeze.iter().map(Spanned::get_ref) {
        let (from, to) = (day(report, &freeze.from), day(report, &freeze.to));
        if let (Some(from), Some(to), Some(key)) = (from, to, &freeze.to)
            && to < from
        {
            report.at(key.span().start, "this freeze ends before it begins");
        }
    }
    let day_long = SignedDuration::from_hours(24);
    for drill in raw.drill.iter().map(Spanned::get_ref) {
        within(report, "every", &drill.every, day_long, day_long * 731);
        day(report, &drill.last);
    }
}

fn day(report: &mut Report<'_>, key: &Key<String>) -> Option<Date> {
    let key = key.as_ref()?;
    // A civil date and nothing else: jiff would take a time of day too, and pass it over.
    let written = key.get_ref();
    let plain = written.len() == 10 && written.chars().all(|c| c.is_ascii_digit() || c == '-');
    match written.parse::<Date>().ok().filter(|_| plain) {
        Some(day) => Some(day),
        None => {
            report.hint(key.span().start, format!("`{written}` is no day"), "such as `2026-12-18`");
            None
        }
    }
}
