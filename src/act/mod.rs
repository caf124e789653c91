//! What a step does to the world: observe, apply, verify and undo, one file per system. `apply` makes exactly one call
//! that changes something, and every such call carries what it expects to find.
//!
//! A call on a host is one remote command: it proves the machine, compares what it expects, changes, and reads back. A step
//! is taken back by a call of its own, the plan's `undo`, which is an act like every other.

mod command;
mod health;
mod http;
mod job;
mod log;
mod printed;
mod reach;
mod release;
mod restart;
mod running;
#[cfg(test)]
mod scripts_tests;
mod silence;
#[cfg(test)]
mod tests;
mod unit;

use std::time::Duration;

use tokio::time::Instant;

use self::job::Job;
pub use self::reach::Reach;
use crate::link::permit::Permit;
use crate::model::plan::{Act, Found, Plan, Serving, Step};
use crate::model::run::{Call, CallEnd};

/// How long a reading of the world goes on while it says that nothing is decided yet.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two readings.
const PAUSE: Duration = Duration::from_secs(1);

/// How a call ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// How it ended.
    pub end: CallEnd,
    /// The last lines of what it printed: cleaned, capped, without secrets.
    pub output: Vec<String>,
}

impl Called {
    /// Without output.
    fn bare(end: CallEnd) -> Called {
        Called { end, output: Vec::new() }
    }

    /// Nothing was done.
    fn refused(why: impl Into<String>) -> Called {
        Called::bare(CallEnd::Refused { why: why.into() })
    }
}

/// Makes one call of a step, within the step's timeout. It uses the permit up, whether it changes something or only looks.
pub async fn apply(reach: &Reach, permit: Permit, plan: &Plan, step: usize, call: Call) -> Called {
    let Some((step, act)) = asked(plan, step, call) else {
        return Called::refused("the plan has no such call");
    };
    let until = Instant::now() + Duration::from_secs(u64::from(step.timeout));
    match act {
        Act::StopUnit { .. }
        | Act::StartUnit { .. }
        | Act::RestartUnit { .. }
        | Act::SwitchLink { .. }
        | Act::Run { .. }
        | Act::AppendLog { .. }
        | Act::Running { .. }
        | Act::Healthy { .. } => {
            let place = match reach.place(plan, step) {
                Ok(place) => place,
                Err(why) => return Called::refused(why),
            };
            let job = Job { reach, place, until, seconds: step.timeout };
            match act {
                Act::StopUnit { unit, sudo } => unit::apply(job, permit, unit, unit::Want::Stopped, *sudo).await,
                Act::StartUnit { unit, sudo } => unit::apply(job, permit, unit, unit::Want::Started, *sudo).await,
                Act::RestartUnit { unit, sudo, before } => restart::apply(job, permit, unit, before.as_deref(), *sudo).await,
                Act::SwitchLink { from, to } => release::apply(job, permit, from, to).await,
                Act::Run { argv } => command::apply(job, permit, argv).await,
                Act::AppendLog { path, line } => log::apply(job, permit, path, line).await,
                Act::Running { release, serving } => running::look(job, release.as_deref(), serving, sudo_of(plan, step, serving)).await,
                Act::Healthy { ask, times, every_ms } => health::look(job, ask, *times, Duration::from_millis(*every_ms)).await,
                _ => Called::refused("the plan has no such call"),
            }
        }
        Act::Manual { what } => Called::bare(CallEnd::Unknown { why: format!("a person does it: {what}") }),
        Act::Http { method, url, body, status, http_config } => {
            let (body, http_config) = (body.as_deref(), http_config.as_deref());
            http::apply(reach, permit, http::Request { method, url, body, status: *status, http_config }, until).await
        }
        Act::Silence { .. } | Act::ExpireSilence { .. } => match reach.peers(plan, step) {
            Ok(peers) => silence::apply(&peers, permit, act, until).await,
            Err(why) => Called::refused(why),
        },
        Act::Guard { .. } => Called::refused("a guard window is judged, not called"),
    }
}

/// Reads the world back: is that call of that step done? `run` and `attempt` name the job that may have been left. A host
/// that cannot be asked is told as [`Found::Underway`], with words that say so: only it knows, and it is asked again.
pub async fn observe(reach: &Reach, plan: &Plan, step: usize, call: Call, run: &str, attempt: u32) -> Found {
    let Some((step, act)) = asked(plan, step, call) else {
        return Found::Untold { why: "the plan has no such call".to_owned() };
    };
    let name = name(step, call);
    let left = job::Left { run, step: &name, attempt };
    let until = Instant::now() + PATIENCE;
    loop {
        let found = once(reach, plan, step, act, left).await;
        if !matches!(found, Found::Underway { .. }) || Instant::now() + PAUSE >= until {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What a call of that step on an Alertmanager would find now, with the write left out; `None` of every other step.
pub async fn foresee(reach: &Reach, plan: &Plan, step: usize) -> Option<Found> {
    let step = plan.steps.get(step).filter(|step| matches!(step.act, Act::Silence { .. } | Act::ExpireSilence { .. }))?;
    Some(match reach.peers(plan, step) {
        Ok(peers) => silence::foresee(&peers, &step.act).await,
        Err(why) => Found::Untold { why },
    })
}

/// What the job of that try printed so far, cleaned and without secrets; `None` where it has no job, or the host does not
/// tell. It changes nothing.
pub async fn printed(reach: &Reach, plan: &Plan, step: usize, call: Call, run: &str, attempt: u32) -> Option<Vec<u8>> {
    let (step, act) = asked(plan, step, call)?;
    if !matches!(
        act,
        Act::StopUnit { .. }
            | Act::StartUnit { .. }
            | Act::RestartUnit { .. }
            | Act::SwitchLink { .. }
            | Act::Run { .. }
            | Act::AppendLog { .. }
    ) {
        return None;
    }
    let place = reach.place(plan, step).ok()?;
    let state = place.writer.reader().job(place.folder, run, &name(step, call), attempt).await.ok()?;
    Some(printed::lines(state.out(), &reach.secrets().await).join("\n").into_bytes())
}

/// The step's name as a job has it.
fn name(step: &Step, call: Call) -> String {
    match call {
        Call::Apply => step.id.clone(),
        Call::Undo => format!("{}/undo", step.id),
    }
}

async fn once(reach: &Reach, plan: &Plan, step: &Step, act: &Act, left: job::Left<'_>) -> Found {
    let until = Instant::now() + job::LOOK;
    let job = || reach.place(plan, step).map(|place| Job { reach, place, until, seconds: step.timeout });
    let untold = |why| Found::Untold { why };
    match act {
        Act::StopUnit { unit, .. } => match job() {
            Ok(job) => unit::observe(job, left, unit, unit::Want::Stopped).await,
            Err(why) => untold(why),
        },
        Act::StartUnit { unit, .. } => match job() {
            Ok(job) => unit::observe(job, left, unit, unit::Want::Started).await,
            Err(why) => untold(why),
        },
        Act::RestartUnit { unit, before, .. } => match job() {
            Ok(job) => restart::observe(job, left, unit, before.as_deref()).await,
            Err(why) => untold(why),
        },
        Act::SwitchLink { from, to } => match job() {
            Ok(job) => release::observe(job, left, from, to).await,
            Err(why) => untold(why),
        },
        Act::Run { .. } => match job() {
            Ok(job) => command::observe(job, left).await,
            Err(why) => untold(why),
        },
        Act::AppendLog { path, line } => match job() {
            Ok(job) => log::observe(job, left, path, line).await,
            Err(why) => untold(why),
        },
        Act::Manual { what } => untold(format!("a person does it: {what}")),
        Act::Http { .. } => untold("an answer that was lost cannot be asked for again".to_owned()),
        Act::Silence { .. } | Act::ExpireSilence { .. } => match reach.peers(plan, step) {
            Ok(peers) => silence::observe(&peers, act, left.run).await,
            Err(why) => untold(why),
        },
        Act::Running { .. } | Act::Healthy { .. } | Act::Guard { .. } => {
            Found::NotDone { seen: "it only looks, and looks again".to_owned() }
        }
    }
}

/// The step, and what that call of it does.
fn asked(plan: &Plan, step: usize, call: Call) -> Option<(&Step, &Act)> {
    let step = plan.steps.get(step)?;
    let act = match call {
        Call::Apply => &step.act,
        Call::Undo => step.undo.as_ref()?,
    };
    Some((step, act))
}

/// Whether `sudo -n` may be used to look at a process: where the plan starts its unit so.
fn sudo_of(plan: &Plan, step: &Step, serving: &Serving) -> bool {
    let Serving::Unit { unit, .. } = serving else { return false };
    let by_sudo = |act: &Act| matches!(act, Act::StartUnit { unit: other, sudo: true } | Act::RestartUnit { unit: other, sudo: true, .. } if other == unit);
    plan.steps.iter().any(|other| other.target == step.target && by_sudo(&other.act))
}
