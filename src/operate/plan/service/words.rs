//! What a service act means, in words: what it does, whom it costs what, what it does not take back.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::super::steps::short;
use super::{Place, Runs, Way};
use crate::model::age;
use crate::model::estate::{Estate, Service, SourceKind};
use crate::model::plan::{Deed, Doubt, Evidence, Impact};
use crate::operate::survey::Survey;

/// Services that are named in a line; more are counted.
const NAMED: usize = 8;

/// Of what is done there, and of the hosts that are left as they are.
pub(super) fn impact(
    estate: &Estate,
    service: &Service,
    deed: Deed,
    todo: &[(&Place<'_>, &Survey)],
    left: &[&Place<'_>],
    guard: Option<SignedDuration>,
) -> Impact {
    let name = &service.name;
    let hosts: Vec<&str> = todo.iter().map(|(place, _)| place.host.name.as_str()).collect();
    let (mut does, mut costs, mut keeps) = (Vec::new(), Vec::new(), Vec::new());
    let how = match deed {
        Deed::Restart => "is stopped and started again",
        Deed::Stop => "is stopped",
        _ => "is started",
    };
    does.push(format!("{name} {how} on {}.", hosts.join(", ")));
    for (place, _) in todo {
        if let Some(release) = place.current().filter(|_| deed != Deed::Stop) {
            does.push(format!("On {} it runs {} afterwards, as `current` says now.", place.host.name, short(&release)));
        }
    }
    does.extend(left.iter().map(|place| stays(place, deed)));

    let serves: Vec<&&Place<'_>> = left.iter().filter(|place| place.runs() == Runs::Yes).collect();
    let unsure: Vec<&str> = left.iter().filter(|place| place.runs() == Runs::Unknown).map(|place| place.host.name.as_str()).collect();
    let down: Vec<&str> = todo.iter().filter(|(place, _)| place.runs() != Runs::Yes).map(|(place, _)| place.host.name.as_str()).collect();
    let batch = usize::try_from(service.rollback.batch.max(1)).unwrap_or(1).min(todo.len());
    let total = todo.len() + left.len();
    let needing = needing(estate, name);
    let theirs = || (!needing.is_empty()).then(|| format!("These depend on it: {}.", listed(&needing)));
    match deed {
        Deed::Restart => {
            match hosts.as_slice() {
                [one] if serves.is_empty() && unsure.is_empty() => {
                    costs.push(format!("{one} does not serve while it starts again, and no other host does: nobody is served then."));
                    costs.extend(theirs());
                }
                _ if batch >= todo.len() && serves.is_empty() => {
                    costs.push(format!("All {} hosts at once do not serve while they start again.", todo.len()));
                    costs.extend(theirs());
                }
                _ => {
                    let (verb, it) = if batch == 1 { ("does", "it starts") } else { ("do", "they start") };
                    let others = if total - batch == 1 { "the other carries" } else { "the others carry" };
                    let whose = if batch == 1 { "its" } else { "their" };
                    costs.push(format!("{batch} of {total} hosts at a time {verb} not serve while {it} again; {others} {whose} load."));
                }
            }
            if let Some(guard) = guard {
                let batches = todo.len().div_ceil(batch.max(1));
                costs.push(format!("After each of {batches} batches the panels are judged for {}.", age::exact(guard)));
            }
            keeps.push(
                "Requests in flight on a host are cut off, and what it holds in memory is lost: nothing brings that back.".to_owned(),
            );
            keeps.push("A restart itself needs no way back: an abort leaves done what is done.".to_owned());
        }
        Deed::Stop => {
            match (serves.len(), unsure.as_slice()) {
                (0, []) => costs.push(format!("{name} is served by nobody afterwards, until it is started again.")),
                (0, some) => {
                    costs.push(format!("Whether anybody serves {name} afterwards is not known: {} does not tell.", some.join(", ")))
                }
                (some, _) => costs.push(format!("{some} of {total} hosts carry all the load of {name} afterwards.")),
            }
            costs.extend(theirs());
            costs.push("Requests in flight are cut off, and what it holds in memory is lost.".to_owned());
            if estate.sources.iter().any(|source| matches!(source.kind, SourceKind::Alertmanager { .. })) {
                costs.push("Its alerts fire then, and those of what depends on it.".to_owned());
            }
            let program = matches!(todo.first(), Some((Place { way: Way::Programs { .. }, .. }, _)));
            if program {
                keeps.push("That it stopped, only the exit code of its program tells.".to_owned());
            }
            keeps.push(format!("It stays stopped until it is started: `qd plan start {name}`."));
            if !program {
                keeps.push("Where its unit is enabled it starts again with its host.".to_owned());
            }
        }
        _ => {
            costs.push("Nothing that serves is stopped.".to_owned());
            keeps.push("An abort stops again what this started.".to_owned());
        }
    }
    let own = service.rollback.before.len() + service.rollback.after.len();
    if own > 0 {
        keeps.push("The estate's own steps around a rollback are not done here.".to_owned());
    }
    if service.health.is_none() && deed != Deed::Stop {
        keeps.push("The estate file names no health check: that a host is well is not looked at.".to_owned());
    }
    Impact {
        does,
        costs,
        keeps,
        seconds: None,
        doubts: doubts(service, deed, todo, &serves.iter().map(|place| **place).collect::<Vec<_>>(), &unsure, &down),
    }
}

/// What must be passed over knowingly.
fn doubts(
    service: &Service,
    deed: Deed,
    todo: &[(&Place<'_>, &Survey)],
    serves: &[&Place<'_>],
    unsure: &[&str],
    down: &[&str],
) -> Vec<Doubt> {
    let doubt = |id: &str, title: &str, what: String| Doubt { id: id.to_owned(), title: title.to_owned(), what };
    let mut all = Vec::new();
    if deed == Deed::Stop && serves.is_empty() {
        let what = match unsure {
            [] => format!("no other host runs {}: nobody serves it then", service.name),
            some => format!("no other host is known to run {}: {} does not tell", service.name, some.join(", ")),
        };
        all.push(doubt("last-host", "another host goes on serving", what));
    }
    if deed == Deed::Start {
        for (place, _) in todo.iter().filter(|(place, _)| place.runs() == Runs::Unknown) {
            let what = format!("nothing tells whether it runs on {} already: a second start may make a second process", place.host.name);
            all.push(doubt(&format!("runs-already/{}", place.host.name), "it does not run there yet", what));
        }
    }
    if deed == Deed::Restart && !down.is_empty() && todo.iter().any(|(place, _)| place.runs() == Runs::No) {
        let what = format!("nothing runs on {}: this starts it there", down.join(", "));
        all.push(doubt("runs-not", "it runs where it is restarted", what));
    }
    all
}

/// Why that host is left as it is.
fn stays(place: &Place<'_>, deed: Deed) -> String {
    let host = &place.host.name;
    match (place.chosen, place.runs(), deed) {
        (false, Runs::Yes, _) => format!("{host} is not touched, and runs."),
        (false, Runs::Unknown, _) => match &place.seen {
            Err(why) => format!("{host} is not touched, and was not heard: {why}"),
            Ok(_) => format!("{host} is not touched; whether it runs there, nothing tells."),
        },
        (false, ..) => format!("{host} is not touched, and does not run."),
        (true, _, Deed::Start) => format!("On {host} it runs already: nothing is done there."),
        (true, _, Deed::Stop) => format!("On {host} it does not run: nothing is done there."),
        (true, ..) => format!("On {host} it was stopped, and is left so: `qd plan start` starts it."),
    }
}

/// Why there is nothing to be done at all.
pub(super) fn nothing(service: &Service, deed: Deed, places: &[Place<'_>]) -> String {
    let hosts: Vec<&str> = places.iter().filter(|place| place.chosen).map(|place| place.host.name.as_str()).collect();
    let (name, hosts) = (&service.name, hosts.join(", "));
    match deed {
        Deed::Start => format!("{name} runs already on {hosts}: nothing is to be done"),
        Deed::Stop => format!("{name} does not run on {hosts}: nothing is to be done"),
        _ => format!("{name} was stopped on {hosts}, and a restart does not start it: `qd plan start {name}`"),
    }
}

/// The services that cannot do without it, also by way of others.
fn needing<'a>(estate: &'a Estate, name: &str) -> Vec<&'a str> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![name];
    while let Some(of) = open.pop() {
        for service in estate.services.iter().filter(|service| service.depends_on.iter().any(|on| on == of)) {
            if service.name != name && known.insert(&service.name) {
                open.push(&service.name);
            }
        }
    }
    known.into_iter().collect()
}

fn listed(names: &[&str]) -> String {
    match names.len() > NAMED {
        true => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
        false => names.join(", "),
    }
}

/// The readings that the plan is made from.
pub(super) fn evidence(todo: &[(&Place<'_>, &Survey)]) -> Vec<Evidence> {
    let one = |(place, survey): &(&Place<'_>, &Survey)| {
        let runs = match (&place.way, &survey.unit) {
            (Way::Unit { unit, .. }, Some(is)) => {
                let times = is.restarts.filter(|n| *n > 0).map_or(String::new(), |n| format!(", started again {n} times by itself"));
                let main = is.main.map_or(String::new(), |pid| format!(", process {pid}"));
                format!("{unit} is {} ({}){main}{times}", is.active, is.sub)
            }
            (Way::Programs { pid_file: Some(file), .. }, _) => match (survey.pid, survey.alive) {
                (Some(pid), Some(true)) => format!("process {pid} runs, by {file}"),
                (Some(pid), _) => format!("{file} names process {pid}, which is not there"),
                (None, _) => format!("{file} is not there, or names no process"),
            },
            _ => "whether it runs, nothing there tells".to_owned(),
        };
        let release = place.current().map_or(String::new(), |release| format!("; current holds {release}"));
        Evidence { what: format!("{runs}{release}"), from: place.host.name.clone(), as_of: survey.as_of }
    };
    todo.iter().map(one).collect()
}
