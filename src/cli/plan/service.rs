//! What is said of a service act on the command line, by `qd plan` and `qd run` alike, and the plan that is made of it.

use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::eyre;
use jiff::Timestamp;
use tokio::time::Instant;

use super::HOSTS;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::link::ssh::Hosts;
use crate::model::estate::Estate;
use crate::model::plan::{Deed, Planned};
use crate::model::run::estimate::seconds;
use crate::operate::plan::rollback::{Desk, PlanError};
use crate::operate::plan::service::service;
use crate::session::operator::recorded;

/// Which service, and where.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Processes {
    /// The service, by its name in the estate file.
    service: String,
    /// A host on which it is done; on all of the service where none is named. May be given again.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
}

/// The plan, made anew from the journal and one look at each host.
///
/// # Errors
/// Why there is none.
pub fn planned(settings: &Settings<'_>, estate: &Arc<Estate>, deed: Deed, what: &Processes) -> Result<Planned, Failure> {
    let failed = |why: String| Failure::Other(eyre!(why));
    let (going, runs) = settings.paths.journal().map_or(Ok(Default::default()), |journal| recorded(&journal)).map_err(failed)?;
    let hosts = Hosts::new(&estate.hosts);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(color_eyre::Report::from)?;
    let made = runtime.block_on(async {
        let desk = Desk { estate, hosts: &hosts, history: &[], going: &going, without: &[], until: Instant::now() + HOSTS };
        service(desk, deed, &what.service, &what.hosts, Timestamp::now()).await
    });
    drop(hosts);
    runtime.shutdown_background();
    let mut planned = made.map_err(|error| match error {
        PlanError::Without(_) | PlanError::NoService { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Other(eyre!("{error}; nothing was planned")),
    })?;
    planned.plan.impact.seconds = seconds(&planned.plan, &runs.iter().collect::<Vec<_>>());
    Ok(planned)
}
