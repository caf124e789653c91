//! What a wizard is about, and by which steps it is gone through.

use jiff::Timestamp;

use crate::app::ask::WishOf;
use crate::model::plan::Deed;

use super::draft::{Draft, Verb};
use super::service::Processes;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A service goes back to an earlier release.
    Rollback {
        /// The service.
        service: String,
        /// Hosts that are left out, in the order in which the estate file names them.
        without: Vec<String>,
    },
    /// Alerts are muted, or a mute gets another end.
    Silence(Draft),
    /// What runs of a service is restarted, stopped or started.
    Processes(Processes),
}

impl Subject {
    /// The service, where it is about one.
    pub fn service(&self) -> Option<&str> {
        match self {
            Subject::Rollback { service, .. } => Some(service),
            Subject::Processes(of) => Some(&of.service),
            Subject::Silence(_) => None,
        }
    }

    /// What it is about: the service, or the alert.
    pub fn name(&self) -> &str {
        match self {
            Subject::Rollback { service, .. } => service,
            Subject::Silence(draft) => &draft.about,
            Subject::Processes(of) => &of.service,
        }
    }

    /// The hosts that are left out.
    pub fn without(&self) -> &[String] {
        match self {
            Subject::Rollback { without, .. } => without,
            Subject::Silence(_) | Subject::Processes(_) => &[],
        }
    }

    /// What a plan is asked for; `None` before enough is said. `to` is the version, `reason` why.
    pub fn wish(&self, to: Option<&str>, reason: &str) -> Option<WishOf> {
        match self {
            Subject::Rollback { service, without } => {
                Some(WishOf::Rollback { service: service.clone(), to: to.map(str::to_owned), without: without.clone() })
            }
            Subject::Processes(of) => of.wish(),
            Subject::Silence(draft) => {
                let reason = reason.trim().to_owned();
                let wish = draft.wish().filter(|_| !reason.is_empty())?;
                Some(WishOf::Silence { source: draft.source.clone(), wish, reason })
            }
        }
    }

    /// All steps in their order. The reason of a silence is written into the silence itself, so that it is a part of the
    /// plan: it is asked before there is one.
    pub fn steps(&self) -> &'static [Step] {
        match self {
            Subject::Rollback { .. } => &[Step::Target, Step::Release, Step::Impact, Step::Checks, Step::Reason, Step::Confirm],
            Subject::Processes(_) => &[Step::What, Step::Impact, Step::Checks, Step::Reason, Step::Confirm],
            Subject::Silence(_) => &[Step::What, Step::Reason, Step::Impact, Step::Checks, Step::Confirm],
        }
    }

    /// The place of a step in their order; the end where it is none of them.
    pub fn place(&self, step: Step) -> usize {
        self.steps().iter().position(|one| *one == step).unwrap_or(self.steps().len())
    }

    /// Why it cannot be gone through from a console that only reads.
    pub fn read_only(&self) -> String {
        let plan = match self {
            Subject::Rollback { service, .. } => format!("rollback {service}"),
            Subject::Silence(draft) => draft.verb.command().to_owned(),
            Subject::Processes(of) => format!("{} {}", of.deed.map_or("restart", Deed::word), of.service),
        };
        format!("This console was opened with --read-only: nothing in production is changed from here. `qd plan {plan}` shows the plan.")
    }

    /// Its end (UTC), once that is chosen.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Subject::Rollback { .. } | Subject::Processes(_) => None,
            Subject::Silence(draft) => draft.until.filter(|_| draft.verb != Verb::Expire),
        }
    }
}

/// One page of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The service, its hosts, what runs where.
    Target,
    /// What is gone back to.
    Release,
    /// What is muted and until when, or which mute ends when.
    What,
    /// What that does, costs and keeps.
    Impact,
    /// What stands in its way.
    Checks,
    /// Why.
    Reason,
    /// The typed agreement.
    Confirm,
}

impl Step {
    /// Its word in the line of steps.
    pub fn word(self) -> &'static str {
        match self {
            Step::Target => "target",
            Step::Release => "release",
            Step::What => "what",
            Step::Impact => "impact",
            Step::Checks => "checks",
            Step::Reason => "reason",
            Step::Confirm => "confirm",
        }
    }
}
