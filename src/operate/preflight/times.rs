//! Checks of times: the plan is not too old, what was read is fresh, no freeze holds, a maintenance window is open.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Case;
use crate::model::age;
use crate::model::check::{Check, Verdict};

/// How old what was seen of a host may be.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// The plan may still be begun.
pub(super) fn plan(case: &Case<'_>) -> Check {
    let title = "the plan is not too old";
    if case.own.begun {
        return case.check("plan", title, Verdict::Pass, "its run began in time");
    }
    let left = case.plan.expires_at.duration_since(case.now);
    match left > SignedDuration::ZERO {
        true => case.check("plan", title, Verdict::Pass, format!("it can be begun for {} more", age::exact(left))),
        false => {
            let seen = format!("it expired {} ago: make it anew", age::exact(left.abs()));
            case.check("plan", title, Verdict::Block, seen)
        }
    }
}

/// Nothing that is judged is stale.
pub(super) fn freshness(case: &Case<'_>) -> Check {
    let title = "all that was read is fresh";
    let seen = case.plan.targets.iter().zip(case.seen);
    let oldest = seen.filter_map(|(target, seen)| Some((seen.as_ref()?.as_ref().ok()?.as_of, &target.name))).min();
    let Some((as_of, name)) = oldest else {
        let asked = case.seen.iter().any(Option::is_some);
        return match asked {
            true => case.check("freshness", title, Verdict::Unknown, "no host could be asked"),
            false => case.check("freshness", title, Verdict::Pass, "nothing is read of a host"),
        };
    };
    let old = case.now.duration_since(as_of);
    let (verdict, seen) = match old > FRESH {
        true => (Verdict::Unknown, format!("what is known of {name} is {} old: look again", age::exact(old))),
        false => (Verdict::Pass, format!("at most {} old", age::exact(old))),
    };
    Check { as_of, ..case.check("freshness", title, verdict, seen) }
}

/// No freeze of the estate file holds for the service. Beside an open window too: what forbids wins.
pub(super) fn freeze(case: &Case<'_>) -> Check {
    let title = "no freeze holds";
    let zone = zone(case);
    let holds = case.estate.calendar.freezes.iter().filter(|freeze| is_of(case, &freeze.services)).find_map(|freeze| {
        let (begin, end) = freeze.bounds(&zone)?;
        (begin <= case.now && case.now < end).then_some((freeze, end))
    });
    match holds {
        Some((freeze, end)) => {
            let seen = format!(
                "the freeze `{}` holds until {}: nothing is changed before then, unless the glass is broken with a reason",
                freeze.name,
                told(end, &zone)
            );
            Check { glass: true, ..case.check("freeze", "a freeze holds", Verdict::Block, seen) }
        }
        None => case.check("freeze", title, Verdict::Pass, "none does"),
    }
}

/// One of the service's maintenance windows is open, where it has any.
pub(super) fn window(case: &Case<'_>) -> Option<Check> {
    let title = "a maintenance window is open";
    let zone = zone(case);
    let own = case.estate.calendar.windows.iter().filter(|window| is_of(case, &window.services));
    let next = own.filter_map(|window| Some((window.when.next(&zone, case.now)?, window))).min_by_key(|((begin, _), _)| *begin)?;
    let ((begin, end), window) = next;
    Some(match begin <= case.now {
        true => case.check("window", title, Verdict::Pass, format!("`{}` is open until {}", window.name, told(end, &zone))),
        false => {
            let seen = format!("none is open now; the next is `{}`, at {}", window.name, told(begin, &zone));
            case.check("window", title, Verdict::Warn, seen)
        }
    })
}

fn is_of(case: &Case<'_>, services: &[String]) -> bool {
    services.is_empty() || case.plan.service.as_ref().is_none_or(|service| services.contains(service))
}

fn zone(case: &Case<'_>) -> TimeZone {
    case.estate.zone.clone().unwrap_or(TimeZone::UTC)
}

fn told(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
