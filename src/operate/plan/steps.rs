//! The steps of a rollback, each after what it needs: own steps, the hosts batch by batch, the guard, own steps, the note.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::estate::{Part, Service};
use crate::model::operations::{Health, HealthAsk, OwnAct, OwnStep, Restart, filled};
use crate::model::plan::{Act, OnFailure, Repeat, Serving, Step};

/// Seconds that stopping or starting a unit may take: systemd's own `DefaultTimeoutStopSec` is 90.
pub(super) const UNIT: u32 = 120;
/// Seconds that a switch, a look at the process or a note may take.
pub(super) const SHORT: u32 = 30;
/// Seconds that starting by a program may take.
pub(super) const RESTART: u32 = 300;

/// One host of the plan, as it was found.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its name.
    pub host: String,
    /// Its site.
    pub site: Option<String>,
    /// Its place among the targets.
    pub target: usize,
    /// What `current` holds.
    pub from: String,
    /// What it is to hold.
    pub to: String,
    /// The process that serves, by the pid file.
    pub pid: Option<u32>,
    /// The log that the note goes to, and where its parts stand.
    pub log: Option<(String, BTreeMap<Part, String>)>,
}

/// What goes into the steps.
pub(super) struct Scheme<'a> {
    pub service: &'a Service,
    pub restart: &'a Restart,
    pub environment: &'a str,
    /// The versions.
    pub from: &'a str,
    pub to: &'a str,
    pub places: &'a [Place],
    pub panels: Vec<String>,
    /// The target of an own step.
    pub target_of: &'a dyn Fn(&OwnAct) -> usize,
    /// The target of what only looks.
    pub outside: Option<usize>,
}

/// All steps, in an order in which each comes after what it needs.
pub(super) fn steps(scheme: &Scheme<'_>) -> Vec<Step> {
    let mut all = Vec::new();
    let mut last: Vec<String> = Vec::new();
    for own in &scheme.service.rollback.before {
        last = vec![push(&mut all, self::own(scheme, "before", own), &last)];
    }
    let batch = usize::try_from(scheme.service.rollback.batch.max(1)).unwrap_or(1);
    for (number, places) in scheme.places.chunks(batch).enumerate() {
        let mut ends: Vec<String> = places.iter().map(|place| host(&mut all, scheme, place, &last)).collect();
        if let (Some(guard), Some(outside)) = (scheme.service.rollback.guard, scheme.outside) {
            let seconds = u64::try_from(guard.as_secs()).unwrap_or(0);
            ends = vec![push(&mut all, judged(&scheme.service.name, &scheme.panels, seconds, number + 1, outside), &ends)];
        }
        last = ends;
    }
    for own in &scheme.service.rollback.after {
        last = vec![push(&mut all, self::own(scheme, "after", own), &last)];
    }
    for place in scheme.places.iter().filter(|_| scheme.service.rollback.note) {
        let Some((path, fields)) = &place.log else { continue };
        let act = Act::AppendLog { path: path.clone(), line: line(scheme, place, fields) };
        let title = format!("add a line to {path}");
        let mut note = step(format!("{}/note", place.host), title, place.target, act, None, Repeat::Once, SHORT);
        note.on_failure = OnFailure::Continue;
        push(&mut all, note, &last);
    }
    all
}

/// The guard window after a batch.
pub(super) fn judged(service: &str, panels: &[String], seconds: u64, batch: usize, outside: usize) -> Step {
    let act = Act::Guard { service: service.to_owned(), seconds, panels: panels.to_vec() };
    let title = format!("watch {} for {seconds} s and judge them against the days before", panels.join(", "));
    let timeout = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(120);
    // Where its end is not known, or it could not be judged, a person is asked.
    step(format!("batch-{batch}/guard"), title, outside, act, None, Repeat::Ask, timeout)
}

/// The look for good answers of a host.
pub(super) fn well(id: String, health: &Health, names: &[(&str, &str)], target: usize) -> Step {
    let (act, timeout) = healthy(health, names);
    let title = match health.times {
        1 => "see one good answer of the health check".to_owned(),
        times => format!("see {times} good answers of the health check in a row"),
    };
    step(id, title, target, act, None, Repeat::Repeatable, timeout)
}

/// The steps of one host; gives back the last one's name.
fn host(all: &mut Vec<Step>, scheme: &Scheme<'_>, place: &Place, after: &[String]) -> String {
    let name = |verb: &str| format!("{}/{verb}", place.host);
    let of = |verb: &str, title: String, act: Act, undo: Option<Act>, repeat: Repeat, timeout: u32| {
        step(name(verb), title, place.target, act, undo, repeat, timeout)
    };
    let names = [("host", place.host.as_str()), ("site", place.site.as_deref().unwrap_or_default())];
    let switch = Act::SwitchLink { from: place.from.clone(), to: place.to.clone() };
    let back = Act::SwitchLink { from: place.to.clone(), to: place.from.clone() };
    let switched = format!("switch current from {} to {}", short(&place.from), short(&place.to));
    let switch = of("switch", switched, switch, Some(back), Repeat::Once, SHORT);
    let (mut last, serving) = match scheme.restart {
        Restart::Unit { unit, sudo } => {
            let stop = Act::StopUnit { unit: unit.clone(), sudo: *sudo };
            let start = Act::StartUnit { unit: unit.clone(), sudo: *sudo };
            let stopping = of("stop", format!("stop {unit}"), stop.clone(), Some(start.clone()), Repeat::Repeatable, UNIT);
            let starting = of("start", format!("start {unit}"), start, Some(stop), Repeat::Repeatable, UNIT);
            let stopped = push(all, stopping, after);
            let switched = push(all, switch, &[stopped]);
            // The unit was stopped: any main process is a new one. Its number before is no part of what is expected, as
            // that of a service that falls over again and again never stays.
            (push(all, starting, &[switched]), Some(Serving::Unit { unit: unit.clone(), before: None }))
        }
        Restart::Command { command, pid_file } => {
            let argv: Vec<String> = command.iter().map(|word| filled(word, &names)).collect();
            // What takes a switch back takes effect when the service starts again after it, so that must be what is done
            // last: it is the undo of a step that stands before the switch and does nothing.
            let still = Act::Run { argv: vec!["true".to_owned()] };
            let run = Act::Run { argv };
            let title = "change nothing yet: taking this host back ends with a start here".to_owned();
            let ready = push(all, of("ready", title, still, Some(run.clone()), Repeat::Repeatable, RESTART), after);
            let switched = push(all, switch, std::slice::from_ref(&ready));
            let mut restart = of("restart", "start it again".to_owned(), run, None, Repeat::Repeatable, RESTART);
            restart.undone_with = Some(ready);
            let serving = pid_file.as_ref().map(|file| Serving::PidFile { path: filled(file, &names), before: place.pid });
            (push(all, restart, &[switched]), serving)
        }
    };
    if let Some(serving) = serving {
        let act = Act::Running { release: Some(place.to.clone()), serving };
        let runs = of("runs", format!("see that it runs from {}", short(&place.to)), act, None, Repeat::Repeatable, 2 * SHORT);
        last = push(all, runs, &[last]);
    }
    if let Some(health) = &scheme.service.health {
        last = push(all, well(name("health"), health, &names, place.target), &[last]);
    }
    last
}

fn healthy(health: &Health, names: &[(&str, &str)]) -> (Act, u32) {
    let ask = match &health.ask {
        HealthAsk::Http { url, status, body } => HealthAsk::Http { url: filled(url, names), status: *status, body: body.clone() },
        HealthAsk::Command { command } => HealthAsk::Command { command: command.iter().map(|word| filled(word, names)).collect() },
    };
    let every_ms = u64::try_from(health.every.as_millis()).unwrap_or(1_000);
    let within = u32::try_from(health.within.as_secs()).unwrap_or(u32::MAX);
    (Act::Healthy { ask, times: health.times, every_ms }, within.max(1))
}

/// A step of the estate's own.
fn own(scheme: &Scheme<'_>, when: &str, own: &OwnStep) -> Step {
    let act = own_act(scheme, &own.does);
    let title = match &own.does {
        OwnAct::Command { host, command } => {
            let host = host.as_deref().unwrap_or("this machine");
            format!("run {} on {host}", command.first().map_or("", String::as_str))
        }
        OwnAct::Http { method, url, .. } => format!("{method} {}", filled(url, &versions(scheme))),
        OwnAct::Manual { what } => filled(what, &versions(scheme)),
    };
    let repeat = if own.repeatable { Repeat::Repeatable } else { Repeat::Ask };
    let timeout = u32::try_from(own.timeout.as_secs()).unwrap_or(u32::MAX).max(1);
    let undo = own.undo.as_ref().map(|undo| own_act(scheme, undo));
    let made = step(format!("{when}/{}", own.name), title, (scheme.target_of)(&own.does), act, undo, repeat, timeout);
    Step { point_of_no_return: own.point_of_no_return, ..made }
}

fn own_act(scheme: &Scheme<'_>, act: &OwnAct) -> Act {
    let names = versions(scheme);
    match act {
        OwnAct::Command { command, .. } => Act::Run { argv: command.iter().map(|word| filled(word, &names)).collect() },
        OwnAct::Http { method, url, body, status, http_config } => Act::Http {
            method: method.clone(),
            url: filled(url, &names),
            body: body.as_ref().map(|body| filled(body, &names)),
            status: *status,
            http_config: http_config.clone(),
        },
        OwnAct::Manual { what } => Act::Manual { what: filled(what, &names) },
    }
}

fn versions<'a>(scheme: &Scheme<'a>) -> [(&'a str, &'a str); 2] {
    [("from", scheme.from), ("to", scheme.to)]
}

/// The deploy log's line, its parts where the estate file says that they stand. `$run` and `$time` are put in when it is
/// written: a line with a time of its own would make each look another plan.
fn line(scheme: &Scheme<'_>, place: &Place, fields: &BTreeMap<Part, String>) -> String {
    let mut object = Map::new();
    let mut part = |part: Part, value: &str| {
        let own = Part::ALL.into_iter().find(|(one, _)| *one == part).map_or("", |(_, word)| word);
        put(&mut object, fields.get(&part).map_or(own, String::as_str), value);
    };
    part(Part::Id, "$run");
    part(Part::Time, "$time");
    part(Part::Service, &scheme.service.name);
    if let Some(site) = &place.site {
        part(Part::Site, site);
    }
    part(Part::Environment, scheme.environment);
    part(Part::From, short(&place.from));
    part(Part::Version, short(&place.to));
    part(Part::Source, "rollback");
    part(Part::Result, "succeeded");
    Value::Object(object).to_string()
}

/// Puts a value at `a.b.c`.
fn put(object: &mut Map<String, Value>, place: &str, value: &str) {
    match place.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
        None => {
            object.insert(place.to_owned(), Value::String(value.to_owned()));
        }
    }
}

/// The last name of what a link holds.
pub(super) fn short(link: &str) -> &str {
    link.trim_end_matches('/').rsplit('/').next().unwrap_or(link)
}

pub(super) fn step(id: String, title: String, target: usize, act: Act, undo: Option<Act>, repeat: Repeat, timeout: u32) -> Step {
    let (needs, on_failure) = (Vec::new(), OnFailure::Ask);
    Step { id, title, target, needs, act, undo, undone_with: None, repeat, timeout, on_failure, point_of_no_return: false }
}

pub(super) fn push(all: &mut Vec<Step>, mut step: Step, needs: &[String]) -> String {
    step.needs = needs.to_vec();
    let id = step.id.clone();
    all.push(step);
    id
}
