//! What people did, as events: runs, from their begin over each wait for a person to their end, and silences. What one act
//! is told of twice, by the journal and by the world, stands once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Event, Kind, Link};
use crate::model::deployment::Deployment;
use crate::model::estate::{Estate, Severity};
use crate::model::plan::{Act, Deed};
use crate::model::reading::Reading;
use crate::model::run::deployed::JOURNAL;
use crate::model::run::known::Runs;
use crate::model::run::{Ending, RunState};
use crate::model::silence::Silence;
use crate::model::source::Answer;

/// Runs whose events are told, the newest.
const RUNS: usize = 500;
/// Begins and ends of silences that are told, the newest.
const SILENCES: usize = 2_000;
/// A silence that a run made or ended began or ended no farther from the run than this: clocks differ.
const NEAR: SignedDuration = SignedDuration::from_mins(5);

/// The begins and ends of silences, as the Alertmanagers tell of them, the newest first. What would have ended since one was
/// last heard may have been made longer, and is not told as ended.
pub fn of_silences(estate: &Estate, readings: &[Reading<Answer>], now: Timestamp) -> Vec<Event> {
    let mut all = Vec::new();
    for (source, reading) in estate.sources.iter().zip(readings) {
        let Some(held) = &reading.held else { continue };
        let Answer::Alertmanager(answer) = &held.value else { continue };
        let heard = held.as_of.min(now);
        for silence in &answer.silences {
            // One that was ended before it began never muted.
            if silence.starts_at <= now && silence.ends_at > silence.starts_at {
                all.push((silence.starts_at, Kind::Muted, source, silence));
            }
            if silence.ends_at <= heard {
                all.push((silence.ends_at, Kind::Unmuted, source, silence));
            }
        }
    }
    all.sort_by_key(|told| std::cmp::Reverse(told.0));
    all.truncate(SILENCES);
    let told = all.into_iter().map(|(at, kind, source, silence)| Event {
        at,
        after: None,
        kind,
        severity: if kind == Kind::Muted { Severity::Info } else { Severity::Ok },
        what: silence.line(),
        service: None,
        via: vec![source.name.as_str().into()],
        link: Link::Silence {
            source: source.name.clone(),
            id: silence.id.clone(),
            run: silence.run().filter(|_| kind == Kind::Muted).map(str::to_owned),
            services: services(estate, silence),
        },
    });
    told.collect()
}

/// The services that a silence names by all of their labels.
fn services(estate: &Estate, silence: &Silence) -> Vec<String> {
    let named = |name: &str, value: &str| silence.matchers.iter().any(|of| of.name == name && of.names(value));
    let of = estate.services.iter().filter(|service| !service.labels.is_empty());
    of.filter(|service| service.labels.iter().all(|(name, value)| named(name, value))).map(|service| service.name.clone()).collect()
}

/// What was done to this estate, the newest first: what its runs tell, and its silences, each joined with the run that made
/// or ended it. A rollback whose deployments are `made` begins with these.
pub fn acts(estate: &Estate, runs: &Runs, made: &[Arc<Deployment>], silences: &[Event]) -> Vec<Event> {
    let mut all = silences.to_vec();
    let (mut muted, mut unmuted) = (HashMap::new(), HashMap::new());
    for (place, event) in all.iter_mut().enumerate() {
        if let Link::Silence { id, run, .. } = &mut event.link {
            match event.kind {
                // It is known to be that run's once the run says so too.
                Kind::Muted => drop(run.take().map(|run| muted.insert(run, place))),
                _ => drop(unmuted.insert(id.clone(), place)),
            }
        }
    }
    let deployed: HashSet<&str> = made.iter().filter_map(|one| one.id.as_deref()).collect();
    let here = |run: &&RunState| run.plan.estate == estate.name && run.plan.environment == estate.environment;
    for run in runs.all.iter().map(|known| &*known.state).filter(here).take(RUNS) {
        if run.plan.deed == Deed::Silence && matches!(run.ended, Some((_, Ending::Done))) {
            let begins = muted.get(&run.run).copied();
            let ends = ended_by(run).and_then(|id| unmuted.get(id)).copied();
            let joined: Vec<usize> = [begins, ends].into_iter().flatten().filter(|place| is_near(run, all[*place].at)).collect();
            for place in &joined {
                join(&mut all[*place], run);
            }
            if joined.is_empty() {
                all.extend(ended(run));
            }
            continue;
        }
        if !deployed.contains(run.run.as_str()) {
            let at = run.begun_at.map(|at| event(run, at, Kind::RunBegan, Severity::Info, format!("{} by {}", named(run), run.by.name())));
            all.extend(at);
        }
        all.extend(
            run.waits.iter().map(|(at, why)| event(run, *at, Kind::RunWaits, Severity::Warning, format!("{} waits: {why}", named(run)))),
        );
        all.extend(ended(run));
    }
    all.sort_by_key(|event| std::cmp::Reverse(event.at));
    all
}

/// `rollback of web from 2.5.0 to 2.4.0`, `restart of web`.
fn named(run: &RunState) -> String {
    let plan = &run.plan;
    let way = plan.from.as_ref().zip(plan.to.as_ref()).map_or_else(String::new, |(from, to)| format!(" from {from} to {to}"));
    format!("{} of {}{way}", plan.deed.word(), plan.subject)
}

fn ended(run: &RunState) -> Option<Event> {
    let (at, ending) = run.ended.as_ref()?;
    let severity = match ending {
        Ending::Done => Severity::Ok,
        Ending::Refused { .. } | Ending::Aborted { .. } => Severity::Warning,
        Ending::Failed { .. } => Severity::Critical,
    };
    Some(event(run, *at, Kind::RunEnded, severity, format!("{}: {ending}", named(run))))
}

fn event(run: &RunState, at: Timestamp, kind: Kind, severity: Severity, what: String) -> Event {
    Event {
        at,
        after: None,
        kind,
        severity,
        what,
        service: run.plan.service.clone(),
        via: vec![JOURNAL.into()],
        link: Link::Run(run.run.clone()),
    }
}

/// The silence that a run ended, or made another one of.
fn ended_by(run: &RunState) -> Option<&str> {
    run.plan.steps.iter().find_map(|step| match &step.act {
        Act::ExpireSilence { silence } => silence.id.as_deref(),
        Act::Silence { replaces: Some(former), .. } => former.id.as_deref(),
        _ => None,
    })
}

fn is_near(run: &RunState, at: Timestamp) -> bool {
    let end = run.ended.as_ref().map_or(run.planned_at, |(at, _)| *at);
    run.planned_at.duration_since(at) <= NEAR && at.duration_since(end) <= NEAR
}

fn join(event: &mut Event, of: &RunState) {
    event.via.push(JOURNAL.into());
    if let Link::Silence { run, .. } = &mut event.link {
        *run = Some(of.run.clone());
    }
}

#[cfg(test)]
mod tests;
