//! `qd plan`: makes a plan and its checks, prints them, and changes nothing.

pub mod service;
pub mod silence;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use color_eyre::eyre::eyre;
use serde::Serialize;

use crate::link::ssh::Hosts;
use crate::model::check::{Check, open};
use crate::model::estate::Estate;
use crate::model::plan::{Act, Candidate, Deed, Found, Plan, Planned};
use crate::operate;
use crate::operate::plan::rollback::PlanError;
use crate::operate::preflight::unheard;
use crate::session::archive::Archive;
use crate::session::operator::{BackError, Bench, unread_words};

use self::service::Processes;
use self::silence::{Ack, Expire, Silence};
use super::args::Output;
use super::failure::Failure;
use super::settings::Settings;
use super::wait;
use super::{OK, REFUSED};

/// How long the hosts may take to answer, all side by side.
const HOSTS: Duration = Duration::from_secs(60);
/// Releases that a table lists; JSON has all.
const LISTED: usize = 10;

/// Which service goes back, to what, and where.
#[derive(Debug, Clone, Args)]
pub struct Back {
    /// The service, by its name in the estate file.
    service: String,
    /// The release to go back to; without it the one that ran before the one that runs now.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// A host that is left out, such as one that cannot be reached: it keeps what runs there. May be given again.
    #[arg(long, value_name = "HOST")]
    without: Vec<String>,
}

/// What is planned.
#[derive(Debug, Clone, Subcommand)]
pub enum Wanted {
    /// A service goes back to an earlier release.
    Rollback {
        /// Which service, and to what.
        #[command(flatten)]
        back: Back,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// What runs of a service is stopped and started again, host by host.
    Restart {
        /// Which service, and where.
        #[command(flatten)]
        what: Processes,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// A service is stopped.
    Stop {
        /// Which service, and where.
        #[command(flatten)]
        what: Processes,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// A service that does not run is started.
    Start {
        /// Which service, and where.
        #[command(flatten)]
        what: Processes,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Alerts are muted for a while, or a silence is made longer.
    Silence {
        /// Which, and until when.
        #[command(flatten)]
        what: Silence,
        /// Why; it stands in the silence's comment.
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// One alert is muted for a short while, with your name on it.
    Ack {
        /// Which, and until when.
        #[command(flatten)]
        what: Ack,
        /// Why, or what you are doing about it.
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
    /// A silence ends now.
    Expire {
        /// Which.
        #[command(flatten)]
        what: Expire,
        /// Why.
        #[arg(long, value_name = "WHY")]
        reason: String,
        /// Then look at what each step would find, with nothing done.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Examples for `qd plan --help`.
pub const EXAMPLES: &str = "\
Examples:
  qd plan rollback web
  qd plan rollback web --to 2.4.0 --dry-run
  qd plan rollback web --without web3
  qd plan rollback web -o json | jq '.checks[] | select(.verdict != \"pass\")'
  qd plan rollback web -o json | jq -r .confirm
  qd plan restart web
  qd plan restart web --host web2
  qd plan stop web --host web2
  qd plan start web --host web2
  qd plan silence --matcher alertname=DiskFull --matcher 'host=~web.*' --for 2h --reason 'new disks'
  qd plan silence --extend 2b614108 --for 4h --reason 'it takes longer'
  qd plan ack DiskFull --reason 'I am looking at it' --dry-run
  qd plan ack DiskFull 9a1c47e2b0d3f586 --reason 'both are mine'
  qd plan expire 2b614108 --reason 'the disks are in'

It reads the histories, each host or the Alertmanager once; nothing is changed anywhere. `confirm` is what `qd run` wants typed.
Exits 0 where the plan may be begun (warnings are overridden one by one), 4 where a check stands in its way.";

/// What is printed as JSON.
#[derive(Serialize)]
struct Told<'a> {
    confirm: String,
    hash: String,
    plan: &'a Plan,
    checks: &'a [Check],
    candidates: &'a [Candidate],
    /// What each step would find now, in the plan's order; only with `--dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a [Found]>,
}

/// Makes it and prints it.
pub fn run(settings: &Settings<'_>, wanted: &Wanted, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let estate = Arc::new(settings.estate()?);
    let _log = settings.log(err);
    let (planned, dry_run) = match wanted {
        Wanted::Rollback { back, dry_run } => (planned(settings, &estate, back, err)?, *dry_run),
        Wanted::Restart { what, dry_run } => (service::planned(settings, &estate, Deed::Restart, what)?, *dry_run),
        Wanted::Stop { what, dry_run } => (service::planned(settings, &estate, Deed::Stop, what)?, *dry_run),
        Wanted::Start { what, dry_run } => (service::planned(settings, &estate, Deed::Start, what)?, *dry_run),
        Wanted::Silence { what, reason, dry_run } => (silence::planned(settings, &estate, what, reason)?, *dry_run),
        Wanted::Ack { what, reason, dry_run } => (silence::planned(settings, &estate, what, reason)?, *dry_run),
        Wanted::Expire { what, reason, dry_run } => (silence::planned(settings, &estate, what, reason)?, *dry_run),
    };
    let found = if dry_run { Some(dry(&estate, &planned.plan)?) } else { None };
    match settings.global.output {
        Output::Json => {
            let Planned { plan, checks, candidates } = &planned;
            let told = Told { confirm: plan.phrase(), hash: plan.hash(), plan, checks, candidates, found: found.as_deref() };
            serde_json::to_writer_pretty(&mut *out, &told).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Output::Table | Output::Csv => table(settings, &planned, found.as_deref(), out)?,
    }
    Ok(if stands_in_the_way(&planned.checks) { REFUSED } else { OK })
}

/// What each step would find.
fn dry(estate: &Arc<Estate>, plan: &Plan) -> Result<Vec<Found>, Failure> {
    wait::side_by_side(operate::plan::dry::dry(plan, estate))
}

fn told(found: &Found) -> (&'static str, &str) {
    match found {
        Found::Done { seen } => ("is so already", seen),
        Found::NotDone { seen } => ("would be done", seen),
        Found::Underway { seen } => ("is not known yet", seen),
        Found::Moved { seen } => ("would be refused", seen),
        Found::Untold { why } => ("cannot be told", why),
    }
}

/// True where a check cannot be overridden, not even with a reason.
fn stands_in_the_way(checks: &[Check]) -> bool {
    open(checks, &[], false).any(|check| !check.overridable)
}

/// The plan of a rollback, made anew from the histories, the journal and one look at each host.
pub(super) fn planned(settings: &Settings<'_>, estate: &Arc<Estate>, back: &Back, err: &mut dyn Write) -> Result<Planned, Failure> {
    let Back { service, to, without } = back;
    let archive = Arc::new(Archive::new(estate.clone(), settings.paths.readings()));
    let unread = super::deployments::read(settings, estate, &archive)?;
    // Also where there is no plan: then this may be why.
    for (name, why) in &unread {
        writeln!(err, "qd: {}", unread_words(name, why))?;
    }
    let journal = settings.paths.journal();
    let made = wait::side_by_side(async {
        let hosts = Hosts::new(&estate.hosts);
        let bench = Bench { estate, hosts: &hosts, archive: &archive, journal: journal.as_deref(), within: HOSTS, heard: &unheard };
        bench.rollback(service, to.as_deref(), without, &unread).await
    })?;
    made.map_err(|error| match error {
        BackError::Plan(
            PlanError::Without(_) | PlanError::NoService { .. } | PlanError::NoDefault { .. } | PlanError::NoRelease { .. },
        ) => Failure::Usage(error.to_string()),
        BackError::Plan(PlanError::Unsaid(_) | PlanError::Hosts(_) | PlanError::Nothing(_) | PlanError::Same { .. }) => {
            Failure::Other(eyre!("{error}; nothing was planned"))
        }
        BackError::Plan(error @ PlanError::Some(_)) => {
            Failure::Other(eyre!("{error}: `qd plan rollback {service} --without HOST`; nothing was planned"))
        }
        BackError::Record(why) => Failure::Other(eyre!(why)),
    })
}

/// For people: what it does, its steps, its checks, and what to type.
fn table(settings: &Settings<'_>, planned: &Planned, found: Option<&[Found]>, out: &mut dyn Write) -> io::Result<()> {
    let plan = &planned.plan;
    let word = |version: &Option<String>| version.clone().unwrap_or_else(|| "?".to_owned());
    match plan.deed {
        Deed::Rollback => writeln!(out, "{} of {} from {} to {}", plan.deed.word(), plan.subject, word(&plan.from), word(&plan.to))?,
        Deed::Silence | Deed::Restart | Deed::Stop | Deed::Start => writeln!(out, "{} of {}", plan.deed.word(), plan.subject)?,
    }
    for (head, lines) in [("does", &plan.impact.does), ("costs", &plan.impact.costs), ("stays", &plan.impact.keeps)] {
        for (at, line) in lines.iter().enumerate() {
            writeln!(out, "  {:<7}{line}", if at == 0 { head } else { "" })?;
        }
    }
    if plan.impact.seconds.is_some() {
        writeln!(out, "  {:<7}{}", "takes", plan.impact.takes())?;
    }
    writeln!(out, "\nSTEPS")?;
    let wide = plan.steps.iter().map(|step| step.id.chars().count()).max().unwrap_or(0);
    for (place, step) in plan.steps.iter().enumerate() {
        writeln!(out, "  {:<wide$}  {}", step.id, step.title)?;
        if let Some(found) = found.and_then(|found| found.get(place)) {
            let (word, seen) = told(found);
            writeln!(out, "  {:<wide$}  {word}: {seen}", "")?;
        }
    }
    writeln!(out, "\nCHECKS")?;
    let passed = planned.checks.iter().filter(|check| check.passes()).count();
    for check in planned.checks.iter().filter(|check| !check.passes()) {
        writeln!(out, "  {:<8}{}: {}", check.verdict.word(), check.id, settings.typed(&check.seen))?;
    }
    writeln!(out, "  {passed} of {} pass", planned.checks.len())?;
    if !planned.candidates.is_empty() {
        writeln!(out, "\nRELEASES")?;
    }
    for one in planned.candidates.iter().take(LISTED) {
        let chosen = if one.chosen { ">" } else { " " };
        let ran = one.last_ran.map_or("no history tells when it ran".to_owned(), |at| format!("deployed {at:.0}"));
        let who = one.who.as_ref().map_or(String::new(), |who| format!(" by {who}"));
        let result = one.result.map_or(String::new(), |result| format!(", {}", result.word()));
        let lacks = if one.hosts_missing.is_empty() { String::new() } else { format!("; not on {}", one.hosts_missing.join(", ")) };
        writeln!(out, "{chosen} {}  {ran}{who}{result}{lacks}", one.version)?;
    }
    if planned.candidates.len() > LISTED {
        writeln!(out, "  and {} more", planned.candidates.len() - LISTED)?;
    }
    // The phrase is alone on its line: whoever copies the whole line after the colon has it.
    writeln!(out, "\nconfirm: {}", plan.phrase())?;
    writeln!(out, "until: {:.0}", plan.expires_at)?;
    if let Some(Act::Silence { ends_at, .. }) = plan.steps.first().map(|step| &step.act) {
        writeln!(out, "with --until {ends_at}: each --for makes another end, and so another plan")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
