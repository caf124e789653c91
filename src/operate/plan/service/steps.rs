//! The steps of a service act, host by host in the service's batches, each with a look whether it worked.

use jiff::SignedDuration;

use super::super::rollback::PlanError;
use super::super::steps::{RESTART, SHORT, UNIT, judged, push, short, step, well};
use super::{Place, STEADY, Way};
use crate::model::estate::Service;
use crate::model::plan::{Act, Deed, Repeat, Serving, Step};
use crate::operate::survey::{Survey, Unit};

/// What goes into the steps.
pub(super) struct Scheme<'a> {
    pub service: &'a Service,
    pub deed: Deed,
    /// Where it is done, in the order of the targets.
    pub todo: &'a [(&'a Place<'a>, &'a Survey)],
    /// How long which panels are judged after each batch, and the target of that.
    pub guard: Option<&'a (SignedDuration, Vec<String>, usize)>,
}

/// All steps, in an order in which each comes after what it needs.
pub(super) fn steps(scheme: &Scheme<'_>) -> Result<Vec<Step>, PlanError> {
    let (mut all, mut last): (Vec<Step>, Vec<String>) = (Vec::new(), Vec::new());
    let batch = usize::try_from(scheme.service.rollback.batch.max(1)).unwrap_or(1);
    let places: Vec<(usize, _)> = scheme.todo.iter().enumerate().collect();
    for (number, places) in places.chunks(batch).enumerate() {
        let mut ends = Vec::new();
        for (target, (place, survey)) in places {
            ends.push(host(&mut all, scheme, place, survey, *target, &last)?);
        }
        if let Some((guard, panels, outside)) = scheme.guard {
            let seconds = u64::try_from(guard.as_secs()).unwrap_or(0);
            ends = vec![push(&mut all, judged(&scheme.service.name, panels, seconds, number + 1, *outside), &ends)];
        }
        last = ends;
    }
    Ok(all)
}

/// The steps of one host; gives back the last one's name.
fn host(
    all: &mut Vec<Step>,
    scheme: &Scheme<'_>,
    place: &Place<'_>,
    survey: &Survey,
    target: usize,
    after: &[String],
) -> Result<String, PlanError> {
    let (service, deed) = (scheme.service, scheme.deed);
    let named = |verb: &str| format!("{}/{verb}", place.host.name);
    let missing = || PlanError::Unsaid(format!("the estate file does not say how to {} {}", deed.word(), service.name));
    let program = |argv: &Option<Vec<String>>| argv.clone().map(|argv| Act::Run { argv });
    let (title, act, undo, repeat, limit) = match (&place.way, deed) {
        (Way::Unit { unit, sudo }, Deed::Restart) => {
            let before = survey.unit.as_ref().filter(|unit| is_steady(unit, survey.uptime)).and_then(|unit| unit.invocation.clone());
            let act = Act::RestartUnit { unit: unit.clone(), sudo: *sudo, before };
            (format!("restart {unit}"), act, None, Repeat::Repeatable, UNIT)
        }
        (Way::Unit { unit, sudo }, deed) => {
            let stop = Act::StopUnit { unit: unit.clone(), sudo: *sudo };
            let start = Act::StartUnit { unit: unit.clone(), sudo: *sudo };
            match deed {
                Deed::Stop => (format!("stop {unit}"), stop, Some(start), Repeat::Repeatable, UNIT),
                _ => (format!("start {unit}"), start, Some(stop), Repeat::Repeatable, UNIT),
            }
        }
        (Way::Programs { restart, .. }, Deed::Restart) => {
            let act = program(restart).ok_or_else(missing)?;
            (told("start it again", &act), act, None, Repeat::Repeatable, RESTART)
        }
        // Whether a program may be run twice, nobody said: a second start may be a second process.
        (Way::Programs { stop, start, .. }, Deed::Stop) => {
            let act = program(stop).ok_or_else(missing)?;
            (told("stop it", &act), act, program(start), Repeat::Ask, RESTART)
        }
        (Way::Programs { stop, start, .. }, _) => {
            let act = program(start).ok_or_else(missing)?;
            (told("start it", &act), act, program(stop), Repeat::Ask, RESTART)
        }
    };
    let mut last = push(all, step(named(deed.word()), title, target, act, undo, repeat, limit), after);
    if deed == Deed::Stop {
        return Ok(last);
    }
    let serving = match &place.way {
        // A unit that was started anew has a new process, also where it falls over again and again.
        Way::Unit { unit, .. } => {
            let main = survey.unit.as_ref().is_some_and(Unit::has_main);
            main.then(|| Serving::Unit { unit: unit.clone(), before: None })
        }
        Way::Programs { pid_file, .. } => pid_file.clone().map(|path| Serving::PidFile { path, before: survey.pid }),
    };
    if let Some(serving) = serving {
        let release = place.current();
        let title = match &release {
            Some(release) => format!("see that it runs from {}", short(release)),
            None => "see that it runs, as a new process".to_owned(),
        };
        let act = Act::Running { release, serving };
        last = push(all, step(named("runs"), title, target, act, None, Repeat::Repeatable, 2 * SHORT), &[last]);
    }
    if let Some(health) = &service.health {
        let names = [("host", place.host.name.as_str()), ("site", place.site.as_str())];
        last = push(all, well(named("health"), health, &names, target), &[last]);
    }
    Ok(last)
}

/// False of a unit that does not run, or that systemd started again by itself lately: its `InvocationID` may be another at
/// any moment, and no plan would be the one that was confirmed.
pub(super) fn is_steady(unit: &Unit, uptime: u64) -> bool {
    let long = unit.since.is_some_and(|since| uptime.saturating_sub(since) >= STEADY);
    unit.active == "active" && (long || unit.restarts.unwrap_or(0) == 0)
}

/// `start it again: systemd-run web`, as much of it as can be read at a glance.
fn told(what: &str, act: &Act) -> String {
    let Act::Run { argv } = act else { return what.to_owned() };
    let name = argv.first().map_or("", |program| short(program));
    let rest = argv.iter().skip(1).take(6).map(String::as_str);
    let more = if argv.len() > 7 { " ..." } else { "" };
    format!("{what}: {}{more}", std::iter::once(name).chain(rest).collect::<Vec<_>>().join(" "))
}
