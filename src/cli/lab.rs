//! `qd lab`: the processes of a practice estate, and the commands that start and stop them.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use crate::lab::control::{Request, Which, ask};
use crate::lab::{self, Duty, LabError, Role};

use super::failure::Failure;
use super::settings::Settings;
use super::{OK, demo};

/// What to do with a practice estate that runs.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Start a service at a site, a whole site, or the clients.
    #[command(after_help = "Examples:\n  qd lab start web north\n  qd lab start north")]
    Start {
        /// `SERVICE SITE`, `SITE` or `clients`.
        #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
        names: Vec<String>,
        /// The folder of the practice estate; without it the one that runs.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Stop a service at a site; a whole site is killed.
    #[command(after_help = "Examples:\n  qd lab stop store north\n  qd lab stop north")]
    Stop {
        /// `SERVICE SITE`, `SITE` or `clients`.
        #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
        names: Vec<String>,
        /// The folder of the practice estate; without it the one that runs.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Stop a service at a site and start it again.
    #[command(after_help = "Examples:\n  qd lab restart web north")]
    Restart {
        /// `SERVICE SITE`, `SITE` or `clients`.
        #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
        names: Vec<String>,
        /// The folder of the practice estate; without it the one that runs.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Say whether a service at a site can do its work: 0 where it can.
    #[command(after_help = "Examples:\n  qd lab ready web north")]
    Ready {
        /// `SERVICE SITE`, `SITE` or `clients`.
        #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
        names: Vec<String>,
        /// The folder of the practice estate; without it the one that runs.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Make a release the one that runs at a site.
    #[command(after_help = "Examples:\n  qd lab deploy 2.4.0 north")]
    Deploy {
        /// The version.
        version: String,
        /// The site.
        site: String,
        /// The folder of the practice estate; without it the one that runs.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Be one of its processes; the practice estate starts them itself.
    #[command(hide = true)]
    Serve {
        /// Its role.
        role: String,
        /// Its folder.
        #[arg(long)]
        home: PathBuf,
        /// The address of its pages.
        #[arg(long)]
        listen: String,
        /// Of the edge: where people come in.
        #[arg(long)]
        front: Option<String>,
        /// Of the web service: the store's address.
        #[arg(long)]
        store: Option<String>,
        /// Of the edge: the folder of its certificate.
        #[arg(long)]
        certificate: Option<PathBuf>,
    },
}

/// Does it.
pub fn run(settings: &Settings<'_>, lab: &Lab, out: &mut dyn Write) -> Result<u8, Failure> {
    let (folder, request) = match lab {
        Lab::Start { names, folder } => (folder, Request::Start(Which::named(names).map_err(told)?)),
        Lab::Stop { names, folder } => (folder, Request::Stop(Which::named(names).map_err(told)?)),
        Lab::Restart { names, folder } => (folder, Request::Restart(Which::named(names).map_err(told)?)),
        Lab::Ready { names, folder } => (folder, Request::Ready(Which::named(names).map_err(told)?)),
        Lab::Deploy { version, site, folder } => (folder, Request::Deploy { version: version.clone(), site: site.clone() }),
        Lab::Serve { role, home, listen, front, store, certificate } => {
            let role = Role::named(role).ok_or_else(|| told(LabError::Other(format!("there is no role {role:?}"))))?;
            let duty = Duty {
                role,
                home: home.clone(),
                listen: listen.clone(),
                front: front.clone(),
                store: store.clone(),
                certificate: certificate.clone(),
            };
            lab::serve(duty).map_err(told)?;
            return Ok(OK);
        }
    };
    let folder = match folder {
        Some(folder) => folder.clone(),
        None => the_one(settings)?,
    };
    writeln!(out, "{}", ask(&folder, &request).map_err(told)?)?;
    Ok(OK)
}

/// The practice estate that runs, where there is exactly one.
fn the_one(settings: &Settings<'_>) -> Result<PathBuf, Failure> {
    let mut running = demo::running(&demo::base(settings));
    match (running.pop(), running.pop()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(told(LabError::Other("no practice estate runs; start one with `qd demo`".to_owned()))),
        (Some(a), Some(b)) => {
            let two = format!("more than one practice estate runs; choose with --folder: {}, {}", a.display(), b.display());
            Err(told(LabError::Other(two)))
        }
    }
}

fn told(error: LabError) -> Failure {
    Failure::Other(color_eyre::Report::new(error))
}
