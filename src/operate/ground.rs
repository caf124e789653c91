//! The world as it is: the hosts of the estate over their connections, its sources, and the checks of a plan.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::guard;
use super::heads;
use super::plan::silence;
use super::preflight::{Case, Going, here, judge, look};
use super::world::{Leased, Own, World};
use crate::act::{self, Called, Reach};
use crate::link::http::LinkError;
use crate::link::known_secrets::of_estate;
use crate::link::permit::Permit;
use crate::link::ssh::{Hosts, LeaseAnswer, Writer};
use crate::model::check::Check;
use crate::model::estate::Estate;
use crate::model::plan::{Act, Found, Leasable, Plan};
use crate::model::run::Call;
use crate::watch::Past;

/// How long asking for one may take.
const LEASE: Duration = Duration::from_secs(20);
/// How long the hosts may take to answer for the checks, all side by side.
const LOOK: Duration = Duration::from_secs(60);

/// The runs that are under way by our journal, asked anew whenever checks are made. It may block.
pub type Others = Arc<dyn Fn() -> Result<Vec<Going>, String> + Send + Sync>;

/// The world of one run.
pub struct Ground {
    estate: Arc<Estate>,
    hosts: Arc<Hosts>,
    reach: Reach,
    past: Past,
    others: Others,
    journal: Option<PathBuf>,
    lease: Duration,
    run: String,
    who: String,
    /// How each guard window stands that goes on, by its step's place.
    standing: Mutex<HashMap<usize, String>>,
}

impl Ground {
    /// Of that run, over connections that may stand already. Its leases last for `lease`; `who` is told to those who find
    /// them.
    pub fn new(estate: Arc<Estate>, hosts: Arc<Hosts>, past: Past, others: Others, lease: Duration, run: String, who: String) -> Ground {
        let files = estate.clone();
        let reach = Reach::new(hosts.clone()).with(estate.clone()).hiding(move || of_estate(&files));
        Ground { estate, hosts, reach, past, others, journal: None, lease, run, who, standing: Mutex::default() }
    }

    /// The journal that the run is written to: what lies at the targets is held against it whenever the checks are made.
    #[must_use]
    pub fn holding(self, journal: PathBuf) -> Ground {
        Ground { journal: Some(journal), ..self }
    }

    /// Where the lease of that target lies; `None` of one without.
    fn leased<'p>(&self, plan: &'p Plan, target: usize) -> Option<(Result<Arc<Writer>, String>, &'p str)> {
        let Leasable { host, folder, .. } = plan.targets.get(target)?.kind.leasable()?;
        let writer = self.hosts.writer(host).ok_or_else(|| format!("{host}: the estate file has no such host any more"));
        Some((writer, folder))
    }
}

fn answered(answer: Result<LeaseAnswer, LinkError>) -> Leased {
    match answer {
        Ok(LeaseAnswer::Held { fence, .. }) => Leased::Held(fence),
        Ok(LeaseAnswer::Other { run, who, seconds }) => Leased::Other(format!("the run {run} of {who}, for {seconds} s more")),
        Err(error) => Leased::Unknown(error.to_string()),
    }
}

impl World for Ground {
    async fn check(&self, plan: Arc<Plan>, own: Own) -> Vec<Check> {
        if silence::is(&plan) {
            return silence::checks(&self.estate, &plan, own.begun.then_some(self.run.as_str())).await;
        }
        let others = self.others.clone();
        // The journal is read on a thread that may block.
        let going = tokio::task::spawn_blocking(move || others());
        let seen = look(&plan, &self.hosts, Instant::now() + LOOK).await;
        let going = going.await.unwrap_or_else(|error| Err(error.to_string()));
        let going = going.as_deref().map_err(String::as_str);
        let heads = heads::held(self.journal.clone(), &seen).await;
        let now = Timestamp::now();
        let run = Some(self.run.as_str());
        let mut all = judge(&Case { plan: &plan, estate: &self.estate, seen: &seen, heads: &heads, going, now, run, own: &own });
        all.push(here().await);
        all
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        let (writer, folder) = self.leased(&plan, target)?;
        Some(match writer {
            Ok(writer) => answered(writer.take_lease(permit, folder, &self.who, self.lease, Instant::now() + LEASE).await),
            Err(why) => Leased::Unknown(why),
        })
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        match self.leased(&plan, target) {
            Some((Ok(writer), folder)) => answered(writer.renew_lease(&run, fence, folder, self.lease, Instant::now() + LEASE).await),
            Some((Err(why), _)) => Leased::Unknown(why),
            None => Leased::Unknown("the target has no lease".to_owned()),
        }
    }

    async fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        let Some((writer, folder)) = self.leased(&plan, target) else { return Ok(()) };
        let given = writer?.give_lease(&run, fence, folder, Instant::now() + LEASE).await;
        given.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        if let (Some(Act::Guard { panels, seconds, .. }), Call::Apply) = (plan.steps.get(step).map(|step| &step.act), call) {
            let standing = || self.standing.lock().unwrap_or_else(PoisonError::into_inner);
            let say = |text| drop(standing().insert(step, text));
            let called = guard::guard(&self.estate, panels, *seconds, &self.past, say).await;
            standing().remove(&step);
            return called;
        }
        act::apply(&self.reach, permit, &plan, step, call).await
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Found {
        if let Some(Act::Guard { seconds, .. }) = plan.steps.get(step).map(|step| &step.act) {
            let why =
                format!("whether {seconds} s of the panels were well is told by nothing that is kept: retry it, or skip it with a reason");
            return Found::Untold { why };
        }
        act::observe(&self.reach, &plan, step, call, &run, attempt).await
    }

    async fn printed(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Option<Vec<u8>> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).get(&step).cloned();
        match standing {
            Some(text) => Some(text.into_bytes()),
            None => act::printed(&self.reach, &plan, step, call, &run, attempt).await,
        }
    }
}

#[cfg(test)]
mod tests;
