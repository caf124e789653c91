//! The practice estate of `qd demo`: real small processes on loopback, in two sites, that can be broken and mended.
//!
//! Each process is this same binary (`qd lab serve ROLE`). They are told apart by their role and site, live in one
//! folder, and end with the process that started them.

mod certificate;
mod clients;
pub mod control;
mod copies;
mod crew;
mod edge;
mod estate;
mod history;
pub mod layout;
mod ledger;
mod page;
pub mod release;
mod serve;
mod store;
mod supervisor;
mod web;

use std::io;
use std::path::PathBuf;

pub use ledger::forget;
pub use serve::{Duty, run as serve};
pub use supervisor::{LONGEST_FOLDER, Lab, Options};

/// The site that serves.
pub const PRIMARY: &str = "north";
/// The site that can take over.
pub const STANDBY: &str = "south";

/// In a practice estate's folder: locked as long as the practice lasts.
pub const RUNNING: &str = "running";

/// The folder of the practice estate that this is the file of, with its whole path; `None` of any other estate file.
pub fn practice(estate: &std::path::Path) -> Option<PathBuf> {
    let folder = std::path::absolute(estate).ok()?.parent()?.to_owned();
    folder.join(RUNNING).is_file().then_some(folder)
}

/// What can go wrong in practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing.
    Steady,
    /// A release is deployed that fails a share of its requests.
    BadRelease,
    /// The document store answers late.
    SlowDependency,
    /// The edge's certificate has little of its life left.
    Certificate,
    /// Thousands of findings from one rule.
    Storm,
    /// The store's backup job stops.
    StaleBackup,
    /// The ledger's standby stops replaying what it receives.
    ReplicaLag,
    /// The primary site's edge has lost all of its connections, until it is restarted.
    Stuck,
}

impl Scenario {
    /// All of them, in the order of the help.
    pub const ALL: [Scenario; 8] = [
        Scenario::Steady,
        Scenario::BadRelease,
        Scenario::SlowDependency,
        Scenario::Certificate,
        Scenario::Storm,
        Scenario::StaleBackup,
        Scenario::ReplicaLag,
        Scenario::Stuck,
    ];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Scenario::Steady => "steady",
            Scenario::BadRelease => "bad-release",
            Scenario::SlowDependency => "slow-dependency",
            Scenario::Certificate => "certificate",
            Scenario::Storm => "storm",
            Scenario::StaleBackup => "stale-backup",
            Scenario::ReplicaLag => "replica-lag",
            Scenario::Stuck => "stuck",
        }
    }

    /// What happens in it, for the help.
    pub fn about(self) -> &'static str {
        match self {
            Scenario::Steady => "nothing goes wrong by itself",
            Scenario::BadRelease => "a release that fails a share of its requests is deployed",
            Scenario::SlowDependency => "the document store answers late",
            Scenario::Certificate => "the edges' certificate has little of its life left",
            Scenario::Storm => "one rule finds thousands",
            Scenario::StaleBackup => "the store's backup job stops",
            Scenario::ReplicaLag => "the ledger's standby stops replaying; needs PostgreSQL on this machine",
            Scenario::Stuck => "an edge has given away all of its connections; a restart brings them back",
        }
    }
}

/// What a process of the practice estate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The proxy that people reach.
    Edge,
    /// The web service, run from a release folder.
    Web,
    /// The document store.
    Store,
    /// The people: they make the load.
    Clients,
    /// The guardian of a PostgreSQL, where its programs are on this machine.
    Ledger,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 5] = [Role::Edge, Role::Web, Role::Store, Role::Clients, Role::Ledger];

    /// The name of the service in the estate file and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Role::Edge => "edge",
            Role::Web => "web",
            Role::Store => "store",
            Role::Clients => "clients",
            Role::Ledger => "ledger",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == name)
    }
}

/// Why the practice estate does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file of it.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] io::Error),
    /// A file of it that does not say what it should.
    #[error("{0}: {1}")]
    Content(PathBuf, String),
    /// A process that does not start.
    #[error(transparent)]
    Process(#[from] crate::link::process::ProcessError),
    /// Anything else, in a line that says what to do.
    #[error("{0}")]
    Other(String),
}

/// Adds the file's name to an error about it.
fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> LabError {
    let path = path.to_owned();
    move |error| LabError::File(path, error)
}
