//! The plan of a rollback: a service goes back to an earlier release on its hosts. Made from one look at each host and the
//! deployment history; the same world makes the same plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::candidates::{self, Has};
use super::folders::{Folder, folders, leave_out};
use super::steps::{Place, Scheme};
use super::{machine, steps, words};
use crate::link::ssh::Hosts;
use crate::model::deployment::{Deployment, did};
use crate::model::estate::{Estate, Host, Service};
use crate::model::operations::{OwnAct, Restart, filled};
use crate::model::plan::{Candidate, Deed, Doubt, FORMAT, Impact, Plan, Planned, Target, TargetKind};
use crate::operate::heads;
use crate::operate::preflight::{self, Going, Heard, Seen};
use crate::operate::survey::{Look, Survey, survey};
use crate::operate::world::Own;

/// How long a plan may be begun.
pub(super) const EXPIRES: SignedDuration = SignedDuration::from_mins(15);

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Its hosts.
    pub hosts: &'a Hosts,
    /// The deployments, the newest first.
    pub history: &'a [Arc<Deployment>],
    /// The runs that are under way, by our journal.
    pub going: &'a [Going],
    /// Our journal, against which the heads at the hosts are held; `None` where there is none yet.
    pub journal: Option<&'a Path>,
    /// Hosts that are left out, whatever runs there: nothing is asked of them and nothing is done.
    pub without: &'a [String],
    /// When all hosts must have answered.
    pub until: Instant,
    /// Told of each host as it answers.
    pub heard: &'a Heard,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The estate has no such service.
    #[error("the estate has no service `{name}`; it has {known}")]
    NoService {
        /// What was asked for.
        name: String,
        /// The services that can be rolled back, or all.
        known: String,
    },
    /// A host is to be left out that is none of the service's, or none is left.
    #[error("{0}")]
    Without(String),
    /// The estate file does not say enough.
    #[error("{0}")]
    Unsaid(String),
    /// A host could not be asked, or its state is none that a plan can be made from.
    #[error("{}", .0.join("; "))]
    Hosts(Vec<String>),
    /// Some hosts could not be asked, and others could: the plan can be made without them.
    #[error("{}; a host can be left out", .0.join("; "))]
    Some(Vec<String>),
    /// Nothing says where to go back to.
    #[error("{why}; name one with --to: {}", named(.candidates))]
    NoDefault {
        /// Why.
        why: String,
        /// What can be named.
        candidates: Vec<Candidate>,
    },
    /// No host has that release.
    #[error("no host has the release `{version}`; there are {}", named(.candidates))]
    NoRelease {
        /// What was asked for.
        version: String,
        /// What can be named.
        candidates: Vec<Candidate>,
    },
    /// It is so already.
    #[error("{0}")]
    Nothing(String),
    /// All hosts that take part run it.
    #[error("{}", same(.version, *.without))]
    Same {
        /// What was asked for, or what the service goes back to.
        version: String,
        /// True where hosts are left out: those may need it.
        without: bool,
        /// What can be named.
        candidates: Vec<Candidate>,
    },
}

fn same(version: &str, without: bool) -> String {
    match without {
        false => format!("{version} runs on all hosts already: nothing is to be done"),
        true => {
            format!("{version} runs on all hosts that take part already: no host that takes part needs it, nothing to do")
        }
    }
}

/// The first candidates, for people.
fn named(candidates: &[Candidate]) -> String {
    let names: Vec<&str> = candidates.iter().take(10).map(|one| one.version.as_str()).collect();
    match (names.is_empty(), candidates.len() > 10) {
        (true, _) => "none".to_owned(),
        (false, true) => format!("{} and {} more", names.join(", "), candidates.len() - 10),
        (false, false) => names.join(", "),
    }
}

/// Makes the plan that takes the service back to that version; without one, to the release that ran before. Nothing is
/// changed anywhere.
///
/// # Errors
/// See [`PlanError`].
pub async fn rollback(desk: Desk<'_>, service: &str, to: Option<&str>, now: Timestamp) -> Result<Planned, PlanError> {
    let service = find(desk.estate, service)?;
    let unsaid = || PlanError::Unsaid(desk.estate.no_rollback(service).unwrap_or_default());
    let restart = service.restart.as_ref().filter(|_| desk.estate.no_rollback(service).is_none()).ok_or_else(unsaid)?;
    let folders = folders(desk.estate, service)?;
    let unasked = folders.iter().filter(|folder| desk.without.contains(&folder.host.name)).map(|folder| folder.site.clone());
    let unasked: Vec<Option<String>> = unasked.collect();
    let folders = leave_out(folders, desk.without, &service.name)?;
    let asked = folders.iter().map(|folder| async move {
        let seen = look(desk, service, restart, folder).await;
        (desk.heard)(&folder.host.name, seen.as_ref().map(|_| ()).map_err(String::as_str));
        seen
    });
    let surveys = gather(join_all(asked).await)?;
    let all: Vec<Has<'_>> = folders.iter().zip(&surveys).map(|(folder, survey)| has(folder.host, survey)).collect::<Result<_, _>>()?;
    let mut candidates = candidates::candidates(desk.estate, service, &all, desk.history);
    let runs: BTreeSet<&str> = all.iter().map(|host| host.runs).collect();
    let (from, to) = choose(desk, service, &runs, &unasked, to, &candidates)?;
    if candidates.iter().all(|one| one.version != to) {
        return Err(match runs.contains(to.as_str()) {
            true => PlanError::Same { version: to, without: !desk.without.is_empty(), candidates },
            false => PlanError::NoRelease { version: to, candidates },
        });
    }
    candidates.iter_mut().for_each(|one| one.chosen = one.version == to);

    let (mut targets, mut places, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for ((folder, survey), has) in folders.iter().zip(&surveys).zip(&all) {
        if has.runs == to {
            same.push(folder.host.name.clone());
            continue;
        }
        places.push(place(folder, survey, targets.len(), &to));
        targets.push(Target { name: folder.host.name.clone(), kind: releases(folder, survey) });
    }
    let own = own_targets(desk, service, &mut targets).await?;
    let here = preflight::here().await;
    let panels = panels(desk.estate, service);
    let outside = (!panels.is_empty() && service.rollback.guard.is_some()).then(|| outside(&mut targets));
    let target_of = |act: &OwnAct| match act {
        OwnAct::Command { host, .. } => own.get(host).copied().unwrap_or(0),
        OwnAct::Http { .. } | OwnAct::Manual { .. } => targets.iter().position(|target| target.kind == TargetKind::Outside).unwrap_or(0),
    };
    let steps = steps::steps(&Scheme {
        service,
        restart,
        environment: &desk.estate.environment,
        from: &from,
        to: &to,
        places: &places,
        panels,
        target_of: &target_of,
        outside,
    });
    let chosen = candidates.iter().find(|one| one.chosen);
    let impact = Impact {
        doubts: desk.without.iter().map(|host| Doubt::left_out(host)).collect(),
        ..words::impact(service, &to, &places, &same, desk.without, chosen)
    };
    let plan = Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: desk.estate.name.clone(),
        environment: desk.estate.environment.clone(),
        subject: service.name.clone(),
        service: Some(service.name.clone()),
        from: Some(from.clone()),
        to: Some(to.clone()),
        impact,
        evidence: words::evidence(&service.name, &looks(&folders, &surveys), chosen, desk.history),
        steps,
        targets,
        made_at: now,
        expires_at: now.checked_add(EXPIRES).unwrap_or(Timestamp::MAX),
    };
    let of_target = |target: &Target| match &target.kind {
        TargetKind::Releases { host, .. } => folders.iter().position(|folder| folder.host.name == *host),
        _ => None,
    };
    let seen: Vec<Seen> = plan.targets.iter().map(|target| of_target(target).and_then(|at| surveys.get(at).cloned()).map(Ok)).collect();
    let heads = heads::held(desk.journal.map(Path::to_owned), &seen).await;
    let mut checks = preflight::judge(&preflight::Case {
        plan: &plan,
        estate: desk.estate,
        seen: &seen,
        heads: &heads,
        going: Ok(desk.going),
        now,
        run: None,
        own: &Own::default(),
    });
    checks.push(here);
    Ok(Planned { plan, checks, candidates })
}

pub(super) fn find<'a>(estate: &'a Estate, name: &str) -> Result<&'a Service, PlanError> {
    estate.service(name).ok_or_else(|| {
        let can: Vec<&str> = estate.services.iter().map(|service| service.name.as_str()).take(20).collect();
        PlanError::NoService { name: crate::model::text::clean(name, 64).into_owned(), known: can.join(", ") }
    })
}

async fn look(desk: Desk<'_>, service: &Service, restart: &Restart, folder: &Folder<'_>) -> Result<Survey, String> {
    let site = folder.site.as_deref().unwrap_or_default();
    let (unit, sudo, pid_file) = match restart {
        Restart::Unit { unit, sudo } => (Some(unit.clone()), if *sudo { vec!["stop", "start"] } else { Vec::new() }, None),
        Restart::Command { pid_file, .. } => {
            (None, Vec::new(), pid_file.as_ref().map(|file| filled(file, &[("host", &folder.host.name), ("site", site)])))
        }
    };
    let log = folder.log.as_ref().filter(|_| service.rollback.note).map(|(path, _)| path.clone());
    let look = Look { folder: Some(folder.path.clone()), unit, sudo, pid_file, log };
    let reader = desk.hosts.reader(&folder.host.name).ok_or_else(|| format!("{}: there is no such host", folder.host.name))?;
    survey(&reader, &look, desk.until).await
}

/// All of them, or all that went wrong.
fn gather(asked: Vec<Result<Survey, String>>) -> Result<Vec<Survey>, PlanError> {
    let (good, bad): (Vec<_>, Vec<_>) = asked.into_iter().partition(Result::is_ok);
    match bad.is_empty() {
        true => Ok(good.into_iter().flatten().collect()),
        // Where all are silent, leaving some out is no way.
        false if good.is_empty() => Err(PlanError::Hosts(bad.into_iter().filter_map(Result::err).collect())),
        false => Err(PlanError::Some(bad.into_iter().filter_map(Result::err).collect())),
    }
}

pub(super) fn has<'a>(host: &'a Host, survey: &'a Survey) -> Result<Has<'a>, PlanError> {
    let wrong = |what: &str| PlanError::Hosts(vec![format!("{}: {what}", host.name)]);
    let folder = survey
        .folder
        .as_ref()
        .filter(|folder| folder.there)
        .ok_or_else(|| wrong("its release folder is not there, or may not be looked into: it holds `releases` and a link `current`"))?;
    if let Some(Err(why)) = &folder.current {
        return Err(wrong(&format!("what runs there cannot be told from `current`: {why}")));
    }
    let runs = folder.runs().ok_or_else(|| wrong("`current` leads nowhere"))?;
    Ok(Has { host: &host.name, releases: &folder.releases, runs })
}

/// From which version, and to which.
fn choose(
    desk: Desk<'_>,
    service: &Service,
    runs: &BTreeSet<&str>,
    unasked: &[Option<String>],
    to: Option<&str>,
    candidates: &[Candidate],
) -> Result<(String, String), PlanError> {
    // A version that is named leaves nothing to decide: the plan comes from what those that take part run.
    let unasked: Vec<Option<&str>> = unasked.iter().filter(|_| to.is_none()).map(Option::as_deref).collect();
    let before = candidates::before(service, runs, &unasked, desk.history);
    match (to, before) {
        (None, Ok((from, to))) => {
            // What only a host that is left out runs is not what the others come from.
            let own = runs.iter().find(|run| **run != to).filter(|_| !runs.contains(from.as_str())).map(|run| (*run).to_owned());
            Ok((own.unwrap_or(from), to))
        }
        (None, Err(why)) => Err(PlanError::NoDefault { why, candidates: candidates.to_vec() }),
        (Some(to), before) => {
            // What the history calls current; else what runs and is not the one that is gone back to.
            let from = before.ok().map(|(from, _)| from).filter(|from| from != to);
            let from = from.or_else(|| runs.iter().find(|run| **run != to).map(|run| (*run).to_owned()));
            let from = from.ok_or_else(|| PlanError::Same {
                version: to.to_owned(),
                without: !desk.without.is_empty(),
                candidates: candidates.to_vec(),
            })?;
            Ok((from, to.to_owned()))
        }
    }
}

fn place(folder: &Folder<'_>, survey: &Survey, target: usize, to: &str) -> Place {
    let from = survey.folder.as_ref().and_then(|folder| folder.current.clone()?.ok()).unwrap_or_default();
    // As the link is written now: relative stays relative.
    let above = from.trim_end_matches('/').rsplit_once('/').map_or("releases", |(above, _)| above);
    Place {
        host: folder.host.name.clone(),
        site: folder.site.clone(),
        target,
        to: format!("{above}/{to}"),
        from,
        pid: survey.pid,
        log: folder.log.clone(),
    }
}

pub(super) fn releases(folder: &Folder<'_>, survey: &Survey) -> TargetKind {
    TargetKind::Releases {
        host: folder.host.name.clone(),
        ssh: folder.host.ssh.clone(),
        machine_id: folder.host.machine_id.clone().unwrap_or_else(|| survey.machine_id.clone()),
        folder: folder.path.clone(),
        mark: survey.folder.as_ref().and_then(|folder| folder.mark.clone()),
    }
}

/// The targets of the estate's own steps, by the host of each.
async fn own_targets(desk: Desk<'_>, service: &Service, targets: &mut Vec<Target>) -> Result<BTreeMap<Option<String>, usize>, PlanError> {
    let mut known = BTreeMap::new();
    for step in service.rollback.before.iter().chain(&service.rollback.after) {
        for act in [Some(&step.does), step.undo.as_ref()].into_iter().flatten() {
            match act {
                OwnAct::Command { host, .. } if !known.contains_key(host) => {
                    let (name, machine_id) = match host {
                        Some(name) => (name.clone(), identity(desk, name).await?),
                        None => ("this machine".to_owned(), machine::id().map_err(|why| PlanError::Hosts(vec![why]))?),
                    };
                    known.insert(host.clone(), targets.len());
                    // A host may be there with its releases too: a target is named once.
                    let taken = targets.iter().any(|target| target.name == name);
                    let name = if taken { format!("{name} (commands)") } else { name };
                    targets.push(Target { name, kind: TargetKind::Host { host: host.clone(), machine_id } });
                }
                OwnAct::Command { .. } => {}
                OwnAct::Http { .. } | OwnAct::Manual { .. } => {
                    outside(targets);
                }
            }
        }
    }
    Ok(known)
}

/// The machine-id of a host: the estate file's, else what it says.
async fn identity(desk: Desk<'_>, name: &str) -> Result<String, PlanError> {
    if let Some(id) = desk.estate.host(name).and_then(|host| host.machine_id.clone()) {
        return Ok(id);
    }
    let wrong = |why: String| PlanError::Hosts(vec![why]);
    let reader = desk.hosts.reader(name).ok_or_else(|| wrong(format!("{name}: there is no such host")))?;
    let said = survey(&reader, &Look::default(), desk.until).await.map_err(wrong)?;
    match said.machine_id.is_empty() {
        true => Err(PlanError::Hosts(vec![format!("{name}: it has no /etc/machine-id, by which it is told from others")])),
        false => Ok(said.machine_id),
    }
}

pub(super) fn outside(targets: &mut Vec<Target>) -> usize {
    match targets.iter().position(|target| target.kind == TargetKind::Outside) {
        Some(at) => at,
        None => {
            targets.push(Target { name: "outside".to_owned(), kind: TargetKind::Outside });
            targets.len() - 1
        }
    }
}

fn looks<'a>(folders: &'a [Folder<'_>], surveys: &'a [Survey]) -> Vec<(&'a str, &'a Survey)> {
    folders.iter().map(|folder| folder.host.name.as_str()).zip(surveys).collect()
}

/// The panels that are judged: those that tell of the service.
pub(super) fn panels(estate: &Estate, service: &Service) -> Vec<String> {
    let own = estate.panels.iter().filter(|panel| panel.service.as_deref() == Some(&service.name));
    own.take(did::PANELS).map(|panel| panel.name.clone()).collect()
}

#[cfg(test)]
mod tests;
