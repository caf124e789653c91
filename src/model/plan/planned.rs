//! A plan as it comes back to whoever asked for one: with its checks, and with the releases that could have been chosen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::check::Check;
use crate::model::deployment::Ending;

use super::{Doubt, Plan};

/// A plan with all that is needed to judge it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Its checks, made with it.
    pub checks: Vec<Check>,
    /// The releases to choose from, the newest first; none of a plan that chooses no release.
    pub candidates: Vec<Candidate>,
}

impl Planned {
    /// Takes up what the plan could not take into account.
    pub fn doubt(&mut self, doubt: Doubt) {
        self.checks.push(doubt.check(self.plan.made_at));
        self.plan.impact.doubts.push(doubt);
    }
}

/// A release that a service can go back to, or why not. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The version.
    pub version: String,
    /// When it was put there for the last time (UTC); `None` where no history tells.
    pub last_ran: Option<Timestamp>,
    /// Who put it there.
    pub who: Option<String>,
    /// How that ended.
    pub result: Option<Ending>,
    /// The hosts that do not have it: with any of them it cannot be chosen.
    pub hosts_missing: Vec<String>,
    /// What going back to it does not take back, a line each: migrations since, configuration.
    pub not_reverted: Vec<String>,
    /// True for the one that the plan goes back to.
    pub chosen: bool,
}
