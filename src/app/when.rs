//! Moments as the screens show them: to the minute, with the zone they are told in.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::age;
use crate::model::plan::silence::moment;
use crate::model::plan::{Act, Former, Plan};

use super::state::State;

/// Day and minute with the zone: `2026-11-21 06:12Z`, `2026-11-21 07:12 CET`.
pub fn full(state: &State, at: Timestamp) -> String {
    told(state, at, "%Y-%m-%d %H:%M")
}

/// Day and minute without the zone, for narrow lists: `11-21 06:12`; the whole day where it is most of a year away.
pub fn short(state: &State, at: Timestamp) -> String {
    let far = state.now.duration_since(at).abs() > SignedDuration::from_hours(300 * 24);
    at.to_zoned(state.zone()).strftime(if far { "%Y-%m-%d" } else { "%m-%d %H:%M" }).to_string()
}

/// The day: `2026-11-21`.
pub fn day(state: &State, at: Timestamp) -> String {
    at.to_zoned(state.zone()).strftime("%Y-%m-%d").to_string()
}

/// The minute with the zone: `06:12Z`.
pub fn minute(state: &State, at: Timestamp) -> String {
    told(state, at, "%H:%M")
}

/// Day and minute, and how long ago or until then: `2026-11-21 06:12Z (7m ago)`.
pub fn both(state: &State, at: Timestamp) -> String {
    let age = state.now.duration_since(at);
    let distance = if age.is_negative() { format!("in {}", age::coarse(age.abs())) } else { format!("{} ago", age::coarse(age)) };
    format!("{} ({distance})", full(state, at))
}

/// How long ago, coarsely.
pub fn ago(state: &State, at: Timestamp) -> String {
    age::coarse(state.now.duration_since(at))
}

/// How long from now on, coarsely; `now` where the moment has come.
pub fn left(state: &State, at: Timestamp) -> String {
    let left = at.duration_since(state.now);
    if left <= SignedDuration::ZERO { "now".into() } else { format!("in {}", age::coarse(left)) }
}

/// The zone that times are told in now: `UTC`, `CET`.
pub fn zone(state: &State) -> String {
    state.now.to_zoned(state.zone()).strftime("%Z").to_string()
}

/// What a plan says of a silence's end, in the zone that all else on the screen is in: the plan itself names the estate's.
pub fn in_zone(state: &State, plan: &Plan, text: &str) -> String {
    let former = |of: &Former| of.ends_at;
    let ends = plan.steps.iter().flat_map(|step| match &step.act {
        Act::Silence { ends_at, replaces, .. } => [Some(*ends_at), replaces.as_ref().map(former)],
        Act::ExpireSilence { silence } => [Some(former(silence)), None],
        _ => [None, None],
    });
    let mut text = text.to_owned();
    for end in ends.flatten() {
        let its = moment(&state.estate, end);
        text = text.replace(&its, &full(state, end));
        // On the day itself the plan leaves out the day.
        if let Some((_, time)) = its.split_once(' ') {
            let today = |at: Timestamp| at.to_zoned(state.zone()).date();
            let own = if today(end) == today(state.now) { minute(state, end) } else { full(state, end) };
            text = text.replace(&format!("until {time},"), &format!("until {own},"));
        }
    }
    of_others(state, &text)
}

/// The same of the ends of other silences, which the plan only names: `2026-11-21 05:30 Europe/Warsaw`.
fn of_others(state: &State, text: &str) -> String {
    let zone = state.estate.zone.clone().unwrap_or(TimeZone::UTC);
    let name = format!(" {}", zone.iana_name().unwrap_or("UTC"));
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices(&name) {
        let from = at.saturating_sub("2026-11-21 05:30".len());
        let civil = text.get(from..at).and_then(|told| DateTime::strptime("%Y-%m-%d %H:%M", told).ok());
        let moment = civil.and_then(|civil| civil.to_zoned(zone.clone()).ok()).map(|zoned| zoned.timestamp());
        let Some(moment) = moment.filter(|_| from >= done) else { continue };
        out.push_str(&text[done..from]);
        out.push_str(&full(state, moment));
        done = at + name.len();
    }
    out.push_str(&text[done..]);
    out
}

fn told(state: &State, at: Timestamp, format: &str) -> String {
    let zone = state.zone();
    let utc = zone == TimeZone::UTC;
    let zoned = at.to_zoned(zone);
    let text = zoned.strftime(format).to_string();
    if utc { format!("{text}Z") } else { format!("{text} {}", zoned.strftime("%Z")) }
}
