//! What a runner needs of the world: the seam at which a test puts a world that it can break.

use std::future::Future;
use std::sync::Arc;

use crate::act::Called;
use crate::link::permit::Permit;
use crate::model::check::Check;
use crate::model::plan::{Found, Plan};
use crate::model::run::Call;

/// How asking for a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leased {
    /// It is held, with this fence number.
    Held(u64),
    /// Another run holds it; who and since when, for people.
    Other(String),
    /// Nobody knows: the target could not be asked; why.
    Unknown(String),
}

/// What a run did so far by its record: none of it is a fault of the world.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Own {
    /// True where a call was begun.
    pub begun: bool,
    /// How many fence numbers of each target may be its own.
    pub fences: Vec<u64>,
}

/// The world as a runner meets it. Every call ends by a deadline of its own.
pub trait World: Send + Sync + 'static {
    /// Makes all checks of the plan anew, hosts side by side, one round trip to each. What the run itself did is no fault.
    fn check(&self, plan: Arc<Plan>, own: Own) -> impl Future<Output = Vec<Check>> + Send;

    /// Takes the lease of a target for the run of the permit, or takes it over from an earlier runner of that same run:
    /// in both cases with a fence number greater than every one before. Targets without a lease give `None`.
    fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> impl Future<Output = Option<Leased>> + Send;

    /// Makes the lease last longer, if it is still this run's with this fence number.
    fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> impl Future<Output = Leased> + Send;

    /// Gives the lease back, if it is still this run's.
    fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> impl Future<Output = Result<(), String>> + Send;

    /// Makes one call of a step: proves the target, checks what it expects, changes, and looks whether it is so.
    fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> impl Future<Output = Called> + Send;

    /// Reads the world back: is that call of that step done? `run` and `attempt` name the job that may have been left.
    fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> impl Future<Output = Found> + Send;

    /// What the job of that try has printed so far, while it goes on; nothing where that is not told. It changes nothing.
    fn printed(
        &self,
        _plan: Arc<Plan>,
        _step: usize,
        _call: Call,
        _run: String,
        _attempt: u32,
    ) -> impl Future<Output = Option<Vec<u8>>> + Send {
        async { None }
    }
}
