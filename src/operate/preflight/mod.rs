//! The checks of a plan, each of them named. They are made when the plan is, and again at the moment of acting: one look
//! at each host, hosts side by side, then one function for each check.

mod folder;
mod host;
mod service;
mod times;

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::link::ssh::{Hosts, ended_at_logout};
use crate::model::check::{Check, Verdict};
use crate::model::estate::Estate;
use crate::model::event::Record;
use crate::model::plan::{Act, Deed, Plan, Serving, Target, TargetKind};
use crate::model::run::{Lease, Phase, RunState};

use super::heads::Told;
use super::survey::{Look, Survey, survey};
use super::world::Own;

/// What was seen of a target: `None` where nothing of it is looked at.
pub type Seen = Option<Result<Survey, String>>;

/// Told of each host at once that it answered, or why it could not be asked.
pub type Heard = dyn Fn(&str, Result<(), &str>) + Send + Sync;

/// Where nobody listens.
pub fn unheard(_: &str, _: Result<(), &str>) {}

/// A run that is under way, by our journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// Its id.
    pub run: String,
    /// Its service.
    pub service: Option<String>,
    /// The hosts whose releases it changes.
    pub hosts: Vec<String>,
    /// Who began it.
    pub who: String,
    /// True where it has a lease or made a call, by the journal: what has neither cannot change anything yet.
    pub holds: bool,
}

/// The runs that these events tell of and that are not at their end. One that was planned and never taken up holds nobody.
pub fn going<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Going> {
    let all = RunState::all(records).into_iter().filter(|run| !matches!(run.phase(), Phase::Planned | Phase::Ended));
    // A silence changes nothing of the service whose alerts it mutes.
    let all = all.filter(|run| run.plan.deed != Deed::Silence);
    let host = |target: &Target| target.kind.leasable().map(|place| place.host.to_owned());
    let one = |run: RunState| Going {
        hosts: run.plan.targets.iter().filter_map(host).collect(),
        service: run.plan.service.clone(),
        who: run.by.name(),
        holds: run.leases.iter().any(|lease| matches!(lease, Lease::Held(_))) || run.steps.iter().any(|step| step.attempt > 0),
        run: run.run,
    };
    all.map(one).collect()
}

/// What is judged.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The estate.
    pub estate: &'a Estate,
    /// What was seen of each target, in the plan's order.
    pub seen: &'a [Seen],
    /// The head that lies at each target, held against this journal, in the plan's order.
    pub heads: &'a [Told],
    /// The runs that are under way; `Err` says why nobody knows.
    pub going: Result<&'a [Going], &'a str>,
    /// Now (UTC).
    pub now: Timestamp,
    /// The plan's own run, where there is one: its leases are no fault.
    pub run: Option<&'a str>,
    /// What that run did so far: none of it is a fault.
    pub own: &'a Own,
}

impl Case<'_> {
    /// A check that holds, or does not.
    fn check(&self, id: impl Into<String>, title: &str, verdict: Verdict, seen: impl Into<String>) -> Check {
        Check {
            id: id.into(),
            title: title.to_owned(),
            verdict,
            seen: seen.into(),
            overridable: verdict == Verdict::Warn,
            glass: false,
            as_of: self.now,
        }
    }

    /// The same of a host, with the time of its survey.
    fn of(&self, at: &On<'_>, name: &str, title: &str, verdict: Verdict, seen: impl Into<String>) -> Check {
        Check { as_of: at.survey.as_of, ..self.check(format!("{name}/{}", at.target.name), title, verdict, seen) }
    }
}

/// One target that was looked at.
pub(in crate::operate) struct On<'a> {
    place: usize,
    target: &'a Target,
    survey: &'a Survey,
}

/// Looks at each target of the plan once, side by side.
pub async fn look(plan: &Plan, hosts: &Hosts, until: Instant) -> Vec<Seen> {
    look_each(plan, hosts, until, &unheard).await
}

/// The same, telling of each as it answers.
pub async fn look_each(plan: &Plan, hosts: &Hosts, until: Instant, heard: &Heard) -> Vec<Seen> {
    let looks = plan.targets.iter().enumerate().map(|(place, target)| async move {
        let seen = one(plan, place, hosts, until).await;
        if let Some(seen) = &seen {
            heard(&target.name, seen.as_ref().map(|_| ()).map_err(String::as_str));
        }
        seen
    });
    join_all(looks).await
}

async fn one(plan: &Plan, place: usize, hosts: &Hosts, until: Instant) -> Seen {
    let target = plan.targets.get(place)?;
    let name = match &target.kind {
        TargetKind::Releases { host, .. } | TargetKind::Service { host, .. } | TargetKind::Host { host: Some(host), .. } => host,
        TargetKind::Host { host: None, .. } | TargetKind::Alertmanager { .. } | TargetKind::Outside => return None,
    };
    let Some(reader): Option<Arc<_>> = hosts.reader(name) else {
        return Some(Err(format!("{name}: the estate file has no such host any more")));
    };
    Some(survey(&reader, &wanted(plan, place), until).await)
}

/// What is looked at there: what the steps of that target touch.
fn wanted(plan: &Plan, place: usize) -> Look {
    let mut look = Look::default();
    if let Some(at) = plan.targets.get(place).and_then(|target| target.kind.leasable()) {
        look.folder = Some(at.folder.to_owned());
    }
    for step in plan.steps.iter().filter(|step| step.target == place) {
        for act in [Some(&step.act), step.undo.as_ref()].into_iter().flatten() {
            if let Some((verb, unit, sudo)) = verb(act) {
                look.unit = Some(unit.to_owned());
                if sudo && !look.sudo.contains(&verb) {
                    look.sudo.push(verb);
                }
            }
        }
        match &step.act {
            Act::Running { serving: Serving::PidFile { path, .. }, .. } => look.pid_file = Some(path.clone()),
            Act::AppendLog { path, .. } => look.log = Some(path.clone()),
            _ => {}
        }
    }
    look
}

/// What `systemctl` is told by an act, of which unit, and whether by sudo.
fn verb(act: &Act) -> Option<(&'static str, &str, bool)> {
    match act {
        Act::StopUnit { unit, sudo } => Some(("stop", unit, *sudo)),
        Act::StartUnit { unit, sudo } => Some(("start", unit, *sudo)),
        Act::RestartUnit { unit, sudo, .. } => Some(("restart", unit, *sudo)),
        _ => None,
    }
}

/// That a run goes on when the session in which this process is ends: by this machine's own logind.
pub async fn here() -> Check {
    let ended = ended_at_logout().await;
    Check {
        id: "logind".to_owned(),
        title: "a run goes on here when this session ends".to_owned(),
        verdict: if ended.is_some() { Verdict::Warn } else { Verdict::Pass },
        overridable: ended.is_some(),
        seen: ended.unwrap_or_else(|| "nothing here ends it".to_owned()),
        glass: false,
        as_of: Timestamp::now(),
    }
}

/// All checks: what is about the plan first, then host by host.
pub fn judge(case: &Case<'_>) -> Vec<Check> {
    let mut all = vec![times::plan(case), service::other_run(case), times::freshness(case)];
    all.push(times::freeze(case));
    all.extend(times::window(case));
    all.extend(service::migrations(case));
    all.extend(service::distinct(case));
    all.extend(case.plan.impact.doubts.iter().map(|doubt| doubt.check(case.plan.made_at)));
    for (place, (target, seen)) in case.plan.targets.iter().zip(case.seen).enumerate() {
        match seen {
            None => {}
            Some(Err(why)) => {
                let title = "the host can be asked";
                all.push(case.check(format!("reach/{}", target.name), title, Verdict::Unknown, why.clone()));
            }
            Some(Ok(survey)) => on(case, &On { place, target, survey }, &mut all),
        }
    }
    all
}

fn on(case: &Case<'_>, at: &On<'_>, all: &mut Vec<Check>) {
    all.push(host::identity(case, at));
    all.push(host::reach(case, at));
    if let Some(found) = &at.survey.folder {
        all.push(folder::mark(case, at, found));
        all.push(folder::head(case, at, found));
        all.extend(folder::current(case, at, found));
        all.extend(folder::release(case, at, found));
        all.push(folder::lease(case, at, found));
        all.push(folder::writable(case, at, found));
        all.push(folder::disk(case, at, found));
    }
    all.extend(host::unit(case, at));
    all.extend(host::sudo(case, at, &wanted(case.plan, at.place).sudo));
    all.extend(host::log(case, at));
    all.push(host::tools(case, at));
    all.push(host::clock(case, at));
    all.extend(host::logind(case, at));
}

#[cfg(test)]
mod tests;
