//! What acts on production without a screen: a run is begun, shown, attached to, and asked for something.

mod ask;
mod follow;
mod run;
pub mod runner;
mod runs;
mod show;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use color_eyre::eyre::eyre;

use crate::journal::actor;
use crate::model::estate::Estate;
use crate::model::event::{Actor, Record};
use crate::model::plan::{self as model_plan, Plan};
use crate::model::run::RunState;
use crate::operate::attach::{self, NameError, One, Runs};
use crate::operate::runner::process::Prepare;

use super::failure::Failure;
use super::plan::{self, service, silence};
use super::settings::Settings;

pub use run::{Confirmed, carry_out};

/// A person must decide.
pub const PERSON: u8 = 6;

/// Examples for `qd run --help`.
pub const EXAMPLES: &str = "\
Examples:
  qd plan rollback web                                                  what would be done; `confirm` is its phrase
  qd run rollback web --reason 'errors since 2.5.0' --confirm 'web 4f2a91'
  qd run rollback web --to 2.4.0 --reason '...' --confirm '...' --override window='agreed with ann' --detach
  qd run restart web --host web2 --reason 'it leaks' --confirm 'web 1d20fe'
  qd run ack DiskFull --until 2026-11-21T16:30:00Z --reason '...' --confirm 'DiskFull 9b21cc'
  qd run silence --matcher zone=b --until 2026-11-21T18:00:00Z --reason '...' --confirm 'DiskFull+36 0c77d1' --override broad='all of b moves'
  qd run expire 2b614108 --reason '...' --confirm 'silence-2b614108 51ee0a'

The plan is made anew: where the world has changed since `qd plan`, its phrase is another one and nothing is done.
Exits 0 done, 4 refused by a check or the phrase, 5 failed or taken back, 6 needs a person.";

/// What is done with runs.
#[derive(Debug, Subcommand)]
pub enum Deed {
    /// List the runs of this person's journal, the newest first.
    #[command(after_help = "Examples:\n  qd runs\n  qd runs -o json | jq '.[] | select(.live == \"orphaned\")'")]
    Runs,
    /// Show one run: what was agreed to, its steps, and all that happened.
    #[command(
        after_help = "Examples:\n  qd show web-20261121T140455Z-3f2a\n  qd show web-2026 -o json\n  qd show web-2026 --report > run.md\n\nRUN may be the beginning of an id that no other has."
    )]
    Show {
        /// The run's id, or its beginning.
        run: String,
        /// The whole record as Markdown, for a ticket or a postmortem.
        #[arg(long)]
        report: bool,
    },
    /// Follow a run that goes on; Ctrl-C leaves it going.
    #[command(
        after_help = "Examples:\n  qd attach web-2026\n\nExits 0 done, 4 refused by a check, 5 failed or taken back, 6 needs a person."
    )]
    Attach {
        /// The run's id, or its beginning.
        run: String,
    },
    /// Begin nothing new in a run; what is under way goes on.
    #[command(after_help = "Examples:\n  qd pause web-2026 --reason 'the error rate looks odd'")]
    Pause(OfRun),
    /// Go on with a paused run, or take up one whose runner is gone.
    #[command(after_help = "Examples:\n  qd resume web-2026 --reason 'it was the probe'")]
    Resume(OfRun),
    /// Take back what can be taken back of a run, and end it.
    #[command(after_help = "Examples:\n  qd abort web-2026 --reason 'web2 stays broken'")]
    Abort(OfRun),
    /// Try a failed step again.
    #[command(after_help = "Examples:\n  qd retry web-2026 web2/start --reason 'the disk has room now'")]
    Retry(OfStep),
    /// Go on as if a step were done.
    #[command(after_help = "Examples:\n  qd skip web-2026 web2/health --reason 'the probe itself is broken'")]
    Skip(OfStep),
    /// Say that a step is done: one that a person does, or whose outcome nobody could tell.
    #[command(after_help = "Examples:\n  qd confirm web-2026 drain --reason 'no sessions left on web1'")]
    Confirm(OfStep),
    /// Take back what was done at one target, and go on with the others.
    #[command(after_help = "Examples:\n  qd take-back web-2026 web2 --reason 'web2 has the wrong kernel'")]
    TakeBack {
        /// The run's id, or its beginning.
        run: String,
        /// The target's name.
        target: String,
        /// Why.
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    /// Say that a run for which the glass was broken was looked at.
    #[command(after_help = "Examples:\n  qd review web-2026 --note 'agreed with the owner of the freeze afterwards'")]
    Review {
        /// The run's id, or its beginning.
        run: String,
        /// What was found.
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// A run, and why.
#[derive(Debug, Args)]
pub struct OfRun {
    /// The run's id, or its beginning.
    run: String,
    /// Why.
    #[arg(long, value_name = "WHY")]
    reason: String,
}

/// A step of a run, and why.
#[derive(Debug, Args)]
pub struct OfStep {
    /// The run's id, or its beginning.
    run: String,
    /// The step's name.
    step: String,
    /// Why, or what was seen.
    #[arg(long, value_name = "WHY")]
    reason: String,
}

/// What is agreed to on the command line.
#[derive(Debug, Clone, Args)]
pub struct Agree {
    /// Why it is done; it is kept.
    #[arg(long, value_name = "WHY")]
    pub reason: String,
    /// The plan's phrase, as `qd plan` showed it: what is confirmed is what is run.
    #[arg(long, value_name = "PHRASE")]
    pub confirm: String,
    /// A check that warns, and why it may.
    #[arg(long = "override", value_name = "CHECK=WHY")]
    pub overrides: Vec<String>,
    /// Why the glass is broken: a freeze or a window is passed over. It shows red until it is reviewed.
    #[arg(long, value_name = "WHY")]
    pub break_glass: Option<String>,
    /// Print the run's id and leave it going.
    #[arg(long)]
    pub detach: bool,
    /// Seconds after which a lease is taken for lost that was not renewed: never more than it lasts at the target.
    #[arg(long, hide = true, default_value_t = crate::operate::order::LEASE, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub lease: u64,
}

/// What `qd run` carries out.
#[derive(Debug, Clone, Subcommand)]
pub enum Carry {
    /// A service goes back to an earlier release.
    Rollback {
        /// Which service, and to what.
        #[command(flatten)]
        back: plan::Back,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// What runs of a service is stopped and started again, host by host.
    Restart {
        /// Which service, and where.
        #[command(flatten)]
        what: service::Processes,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// A service is stopped.
    Stop {
        /// Which service, and where.
        #[command(flatten)]
        what: service::Processes,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// A service that does not run is started.
    Start {
        /// Which service, and where.
        #[command(flatten)]
        what: service::Processes,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// Alerts are muted for a while, or a silence is made longer.
    Silence {
        /// Which, and until when.
        #[command(flatten)]
        what: silence::Silence,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// One alert is muted for a short while, with your name on it.
    Ack {
        /// Which, and until when.
        #[command(flatten)]
        what: silence::Ack,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
    /// A silence ends now.
    Expire {
        /// Which.
        #[command(flatten)]
        what: silence::Expire,
        /// What is agreed to.
        #[command(flatten)]
        agree: Agree,
    },
}

/// Does it.
pub fn run(settings: &Settings<'_>, deed: &Deed, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match deed {
        Deed::Runs => runs::run(settings, out),
        Deed::Show { run, report } => show::run(settings, run, *report, out),
        Deed::Attach { run } => follow::run(settings, run, out, err),
        deed => ask::run(settings, deed, out, err),
    }
}

/// Makes the plan anew and carries it out.
pub fn carry(settings: &Settings<'_>, what: &Carry, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match what {
        Carry::Rollback { back, agree } => {
            let make = |estate: &Arc<Estate>, err: &mut dyn Write| Ok(plan::planned(settings, estate, back, err)?.plan);
            carry_out(settings, agree, make, out, err)
        }
        Carry::Restart { what, agree } => processes(settings, model_plan::Deed::Restart, what, agree, out, err),
        Carry::Stop { what, agree } => processes(settings, model_plan::Deed::Stop, what, agree, out, err),
        Carry::Start { what, agree } => processes(settings, model_plan::Deed::Start, what, agree, out, err),
        Carry::Silence { what, agree } => mute(settings, what, agree, out, err),
        Carry::Ack { what, agree } => mute(settings, what, agree, out, err),
        Carry::Expire { what, agree } => mute(settings, what, agree, out, err),
    }
}

fn processes(
    settings: &Settings<'_>,
    deed: model_plan::Deed,
    what: &service::Processes,
    agree: &Agree,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let make = |estate: &Arc<Estate>, _: &mut dyn Write| Ok(service::planned(settings, estate, deed, what)?.plan);
    carry_out(settings, agree, make, out, err)
}

fn mute(
    settings: &Settings<'_>,
    what: &impl silence::Asked,
    agree: &Agree,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    let make = |estate: &Arc<Estate>, _: &mut dyn Write| Ok(silence::planned(settings, estate, what, &agree.reason)?.plan);
    carry_out(settings, agree, make, out, err)
}

/// Where runs are recorded, and where their runners keep what they need.
struct Ground {
    journal: PathBuf,
    runs: PathBuf,
}

impl Ground {
    fn of(settings: &Settings<'_>) -> Result<Ground, Failure> {
        let nowhere = || eyre!("there is no folder for the journal: set HOME or XDG_STATE_HOME");
        let journal = settings.paths.journal().ok_or_else(nowhere)?;
        let runs = settings.paths.runs().ok_or_else(nowhere)?;
        Ok(Ground { journal, runs })
    }

    /// All runs.
    fn all(&self) -> Result<Runs, Failure> {
        let mut all = Runs::default();
        all.read(&self.journal).map_err(color_eyre::Report::from)?;
        Ok(all)
    }

    /// The id of the one run that is meant by what was written.
    fn named(&self, run: &str) -> Result<String, Failure> {
        attach::named(&self.journal, run).map_err(|error| match error {
            NameError::Which(why) => Failure::Usage(why),
            NameError::Journal(error) => color_eyre::Report::from(error).into(),
        })
    }

    /// How that run stands, and all its events. Those of other runs are not read.
    fn one(&self, run: &str) -> Result<(RunState, Vec<Record>), Failure> {
        let mut one = One::of(&self.named(run)?);
        let events = one.read(&self.journal).map_err(color_eyre::Report::from)?;
        let state = one.into_state().ok_or_else(|| unplanned(run))?;
        Ok((state, events))
    }

    /// What a runner of that plan needs before it is told what to do.
    fn prepare(&self, estate: PathBuf, plan: &Plan, lease: u64) -> Prepare {
        Prepare { estate, hosts: plan.hosts(), journal: self.journal.clone(), runs: self.runs.clone(), lease }
    }
}

/// There are events of it, and not the one that says what it is.
fn unplanned(run: &str) -> Failure {
    Failure::Usage(format!("the journal tells nowhere what {run} should have done: `qd runs` lists the runs"))
}

fn me(settings: &Settings<'_>) -> Actor {
    actor(settings.outside.env)
}

/// Promise 11: before anything else is looked at.
fn may_write(settings: &Settings<'_>) -> Result<(), Failure> {
    if settings.global.read_only {
        return Err(Failure::Usage("--read-only: nothing was done; leave it away to change something".to_owned()));
    }
    Ok(())
}
