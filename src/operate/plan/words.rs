//! What a rollback means, in words: what it does, what it costs, what it does not take back.

use std::sync::Arc;

use crate::model::age;
use crate::model::deployment::Deployment;
use crate::model::estate::Service;
use crate::model::operations::{OwnAct, OwnStep, Restart, Rollback};
use crate::model::plan::{Candidate, Evidence, Impact};
use crate::operate::survey::Survey;

use super::steps::Place;

/// Of these hosts. `same` are those that run it already and stay as they are, `without` those that are left out.
pub(super) fn impact(
    service: &Service,
    to: &str,
    places: &[Place],
    same: &[String],
    without: &[String],
    chosen: Option<&Candidate>,
) -> Impact {
    let name = |link: &str| link.trim_end_matches('/').rsplit('/').next().unwrap_or(link).to_owned();
    let (mut does, mut costs, mut keeps) = (Vec::new(), Vec::new(), Vec::new());
    let mut froms: Vec<(String, Vec<&str>)> = Vec::new();
    for place in places {
        let from = name(&place.from);
        match froms.iter_mut().find(|(known, _)| *known == from) {
            Some((_, hosts)) => hosts.push(&place.host),
            None => froms.push((from, vec![&place.host])),
        }
    }
    for (from, hosts) in &froms {
        does.push(format!("{} goes from {from} to {to} on {}.", service.name, hosts.join(", ")));
    }
    if froms.len() > 1 {
        does.push("The hosts do not run the same release now: each goes back from its own.".to_owned());
    }
    if !same.is_empty() {
        does.push(format!("{} runs {to} already and stays as it is.", same.join(", ")));
    }
    let own = service.rollback.before.len() + service.rollback.after.len();
    if own > 0 {
        let names: Vec<&str> = service.rollback.before.iter().chain(&service.rollback.after).map(|step| step.name.as_str()).collect();
        does.push(format!("It also does the steps that the estate file adds: {}.", names.join(", ")));
    }
    let batch = usize::try_from(service.rollback.batch.max(1)).unwrap_or(1).min(places.len());
    let total = places.len() + same.len() + without.len();
    let how = if matches!(service.restart, Some(Restart::Unit { .. })) {
        "from its stop until it is started again"
    } else {
        "while it starts again"
    };
    let others = match total - batch {
        1 => "the other host carries the load".to_owned(),
        others => format!("the other {others} hosts carry the load"),
    };
    costs.push(match places {
        [one] if total == 1 => format!("{} is the only host: nobody is served {how}.", one.host),
        [one] => format!("{} is out of service {how}; {others}.", one.host),
        _ if batch >= total => format!("All {total} hosts are out of service together, {how}: nobody is served then."),
        _ if batch == 1 => format!("One host at a time is out of service, {how}; {others}."),
        _ => format!("{batch} of {total} hosts at a time are out of service, {how}; {others}."),
    });
    if let Some(guard) = service.rollback.guard {
        let watched = format!("it waits {} and judges the panels", age::exact(guard));
        costs.push(match places.len().div_ceil(batch.max(1)) {
            1 => format!("Afterwards {watched}."),
            batches => format!("After each of the {batches} batches {watched}, before it goes on."),
        });
    }
    keeps.extend(without.iter().map(|host| format!("{host} is left out: what runs there stays, and was not looked at.")));
    keeps.extend(chosen.into_iter().flat_map(|chosen| chosen.not_reverted.iter().cloned()));
    for (step, early) in own_steps(service).filter(|(step, _)| step.undo.is_none()) {
        match (step.point_of_no_return, early) {
            (true, true) => keeps.push(format!(
                "The step {} is a point of no return: once it has begun, neither it nor a step before it is taken back. The hosts come after it and still are.",
                step.name
            )),
            (true, false) => keeps.push(format!(
                "The step {} is a point of no return: once it has begun, an abort leaves it and all that was done before it, {to} on the hosts too.",
                step.name
            )),
            (false, _) if matches!(step.does, OwnAct::Manual { .. }) => {}
            (false, _) => keeps.push(format!("The step {} cannot be taken back.", step.name)),
        }
    }
    if service.health.is_none() {
        keeps.push("The estate file names no health check: whether a host works afterwards is not looked at.".to_owned());
    }
    Impact { does, costs, keeps, seconds: None, doubts: Vec::new() }
}

/// The estate's own steps, each with whether it stands before the hosts.
fn own_steps(service: &Service) -> impl Iterator<Item = (&OwnStep, bool)> {
    let Rollback { before, after, .. } = &service.rollback;
    before.iter().map(|step| (step, true)).chain(after.iter().map(|step| (step, false)))
}

/// The readings that the plan is made from: of each host by its name, and of the history.
pub(super) fn evidence(service: &str, looks: &[(&str, &Survey)], chosen: Option<&Candidate>, history: &[Arc<Deployment>]) -> Vec<Evidence> {
    let mut all: Vec<Evidence> = looks
        .iter()
        .map(|(host, survey)| {
            let found = survey.folder.as_ref();
            let link = found.and_then(|found| found.current.clone()?.ok()).unwrap_or_default();
            let releases = found.map_or(0, |found| found.releases.len());
            let unit = survey.unit.as_ref().map_or(String::new(), |unit| {
                let times = unit.restarts.filter(|n| *n > 0).map_or(String::new(), |n| format!(", started again {n} times by itself"));
                format!("; the unit is {} ({}){times}", unit.active, unit.sub)
            });
            let there = if releases == 1 { "release is" } else { "releases are" };
            let what = format!("current holds {link}; {releases} {there} there{unit}");
            Evidence { what, from: (*host).to_owned(), as_of: survey.as_of }
        })
        .collect();
    if let Some(chosen) = chosen
        && let Some(one) = history.iter().find(|one| one.service == service && one.to.as_deref() == Some(&chosen.version) && one.is_act())
    {
        let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
        let result = one.result.map_or("; how it ended is not known".to_owned(), |result| format!("; it {}", result.word()));
        let what = format!("{} was deployed last{who}{result} (its time {})", chosen.version, one.dated.word());
        all.push(Evidence { what, from: one.told_by.iter().map(|name| &**name).collect::<Vec<_>>().join(", "), as_of: one.at });
    }
    all
}
