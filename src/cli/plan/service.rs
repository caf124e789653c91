//! What is said of a service act on the command line, by `qd plan` and `qd run` alike, and the plan that is made of it.

use std::sync::Arc;

use clap::Args;
use color_eyre::eyre::eyre;

use super::HOSTS;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::cli::wait;
use crate::link::ssh::Hosts;
use crate::model::estate::Estate;
use crate::model::plan::{Deed, Planned};
use crate::operate::plan::rollback::PlanError;
use crate::operate::preflight::unheard;
use crate::session::archive::Archive;
use crate::session::operator::{BackError, Bench};

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
    let (archive, journal) = (Arc::new(Archive::new(estate.clone(), settings.paths.readings())), settings.paths.journal());
    let made = wait::side_by_side(async {
        let hosts = Hosts::new(&estate.hosts);
        let bench = Bench { estate, hosts: &hosts, archive: &archive, journal: journal.as_deref(), within: HOSTS, heard: &unheard };
        bench.service(deed, &what.service, &what.hosts).await
    })?;
    made.map_err(|error| match error {
        BackError::Plan(error @ (PlanError::Without(_) | PlanError::NoService { .. })) => Failure::Usage(error.to_string()),
        BackError::Plan(PlanError::Some(why)) => Failure::Other(eyre!(
            "{}; the others can be named: `qd plan {} {} --host HOST`; nothing was planned",
            why.join("; "),
            deed.word(),
            what.service
        )),
        BackError::Plan(error) => Failure::Other(eyre!("{error}; nothing was planned")),
        BackError::Record(why) => Failure::Other(eyre!(why)),
    })
}
