//! What the wizard asks: a plan, its checks anew, a start. How that is done is told by who carries it out; here each
//! question has a deadline and ends in an answer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::app::ask::{Told, WishOf};
use crate::model::check::{Check, Verdict};
use crate::model::plan::{Plan, Planned};
use crate::model::run::Agreement;
use crate::operate::preflight::{Heard, unheard};

use super::Desk;

/// How long a plan may take: hosts are reached for the first time then.
const PLAN_LIMIT: Duration = Duration::from_secs(60);
/// How long the checks may take: older ones say nothing any more.
const CHECK_LIMIT: Duration = Duration::from_secs(25);
/// How long a runner may take until it lives.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Without anyone who carries it out.
const NOBODY: &str = "there is no folder for the journal and the runs: set HOME or XDG_STATE_HOME, and open the console again";

/// Who makes plans and has them carried out. What it waits for ends by deadlines of its own.
pub trait Operator: Send + Sync {
    /// Makes the plan of that, with its checks, and makes ready what would carry it out. Changes nothing. `heard` is told of
    /// each host as it answers.
    fn plan<'a>(&'a self, wish: &'a WishOf, heard: &'a Heard) -> BoxFuture<'a, Result<Planned, String>>;

    /// Makes all checks of the plan anew. `heard` is told of each host as it answers.
    fn check<'a>(&'a self, plan: &'a Plan, heard: &'a Heard) -> BoxFuture<'a, Vec<Check>>;

    /// Has the plan carried out, and waits for the runner's first sign of life. The run's id; `Err` is a sentence or two
    /// with the exact next command.
    fn start(&self, plan: Arc<Plan>, agreement: Agreement) -> BoxFuture<'_, Result<String, String>>;

    /// Has a new runner take up the run of that id, whose own is gone, and waits for its first sign of life. `Err` is a
    /// sentence or two.
    fn take_up(&self, run: String, reason: String) -> BoxFuture<'_, Result<(), String>>;

    /// Drops what was made ready. Never waits.
    fn close(&self);
}

impl Desk {
    /// Tells early of each host that it answered, or why it could not be asked.
    fn heard(&self, number: u64) -> impl Fn(&str, Result<(), &str>) + Send + Sync + use<> {
        let early = self.early.clone();
        move |host, end| early(Told::Heard { number, host: host.to_owned(), end: end.map_err(str::to_owned) })
    }

    /// A plan, or why there is none.
    pub(super) async fn plan(&self, number: u64, wish: &WishOf) -> Told {
        let result = match &self.operator {
            Some(operator) => made(operator.as_ref(), wish, &self.heard(number)).await,
            None => Err(NOBODY.to_owned()),
        };
        Told::Plan { number, result }
    }

    /// The checks of the plan; where a plan that is made anew is another one, that.
    pub(super) async fn check(&self, number: u64, plan: &Plan, wish: &WishOf) -> Told {
        let Some(operator) = self.operator.as_deref() else {
            return Told::Plan { number, result: Err(NOBODY.to_owned()) };
        };
        let heard = self.heard(number);
        let checks = timeout(CHECK_LIMIT, operator.check(plan, &heard));
        let (checks, again) = tokio::join!(checks, made(operator, wish, &unheard));
        match again {
            Ok(again) if again.plan.hash() == plan.hash() => {
                Told::Checks { number, checks: checks.unwrap_or_else(|_| vec![untold(Timestamp::now())]) }
            }
            moved => Told::Plan { number, result: moved },
        }
    }

    /// Whether it began.
    pub(super) async fn start(&self, number: u64, plan: Arc<Plan>, agreement: Agreement) -> Told {
        let result = match &self.operator {
            Some(operator) => timeout(START_LIMIT, operator.start(plan, agreement)).await.unwrap_or_else(|_| {
                Err(format!(
                    "no runner showed within {} s that it lives, and nobody knows whether one began: `qd runs` lists what did",
                    START_LIMIT.as_secs()
                ))
            }),
            None => Err(NOBODY.to_owned()),
        };
        Told::Started { number, result }
    }
}

impl Desk {
    /// Whether a new runner took the run up.
    pub(super) async fn take_up(&self, run: String, reason: String) -> Told {
        let silent = || {
            let secs = START_LIMIT.as_secs();
            Err(format!("no runner showed within {secs} s that it lives, and nobody knows whether one began: `qd runs` tells"))
        };
        let end = match &self.operator {
            Some(operator) => timeout(START_LIMIT, operator.take_up(run.clone(), reason)).await.unwrap_or_else(|_| silent()),
            None => Err(NOBODY.to_owned()),
        };
        Told::Requested { run, end }
    }
}

async fn made(operator: &dyn Operator, wish: &WishOf, heard: &Heard) -> Result<Arc<Planned>, String> {
    match timeout(PLAN_LIMIT, operator.plan(wish, heard)).await {
        Ok(planned) => planned.map(Arc::new),
        Err(_) => Err(format!("no plan was made within {} s: {} is slow or cannot be reached", PLAN_LIMIT.as_secs(), who(wish))),
    }
}

/// Who is asked for a plan of that.
fn who(wish: &WishOf) -> &str {
    match wish {
        WishOf::Rollback { .. } | WishOf::Processes { .. } => "a host",
        WishOf::Silence { source, .. } => source,
    }
}

/// Checks that took too long are not passed by silence.
fn untold(now: Timestamp) -> Check {
    Check {
        id: "checks".to_owned(),
        title: "the checks can be made".to_owned(),
        verdict: Verdict::Unknown,
        seen: format!("they took more than {} s: what they ask is slow or cannot be reached", CHECK_LIMIT.as_secs()),
        overridable: false,
        glass: false,
        as_of: now,
    }
}

#[cfg(test)]
mod tests;
