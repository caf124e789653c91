//! A plan: what will be done, to what, from which state, in which order. It is frozen: what is confirmed by its hash is
//! what a runner carries out.

mod act;
mod impact;
mod planned;
#[cfg(test)]
pub(crate) mod sample;
pub mod silence;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use act::{Act, Former, Found, Serving};
pub use impact::{Doubt, Evidence, Impact};
pub use planned::{Candidate, Planned};

/// The shape of plans that this version makes and carries out. A runner that meets another one says that it cannot.
pub const FORMAT: u32 = 1;
/// Hex digits of the hash that are typed.
const SHORT: usize = 6;

/// What is done with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// A service goes back to an earlier release.
    Rollback,
    /// Alerts are muted, or a mute is made longer or ended.
    Silence,
    /// What runs of a service is stopped and started again.
    Restart,
    /// A service is stopped.
    Stop,
    /// A service that does not run is started.
    Start,
}

impl Deed {
    /// Those that are done to the processes of a service, and to nothing else of it.
    pub const SERVICE: [Deed; 3] = [Deed::Restart, Deed::Stop, Deed::Start];

    /// `rollback`, `silence`, `restart`, `stop`, `start`.
    pub fn word(self) -> &'static str {
        match self {
            Deed::Rollback => "rollback",
            Deed::Silence => "silence",
            Deed::Restart => "restart",
            Deed::Stop => "stop",
            Deed::Start => "start",
        }
    }

    /// True of a restart, a stop and a start.
    pub fn is_of_processes(self) -> bool {
        Deed::SERVICE.contains(&self)
    }
}

/// A plan. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`] when it was made.
    pub format: u32,
    /// What it is for.
    pub deed: Deed,
    /// The estate's name.
    pub estate: String,
    /// Its environment.
    pub environment: String,
    /// What is typed before the hash: the service, or what is muted in one word.
    pub subject: String,
    /// The service, where it is about one.
    pub service: Option<String>,
    /// The release that runs, of a rollback.
    pub from: Option<String>,
    /// The release that it goes back to.
    pub to: Option<String>,
    /// What is changed, each named once.
    pub targets: Vec<Target>,
    /// The steps, in an order in which each comes after all that it needs.
    pub steps: Vec<Step>,
    /// What it does, costs and cannot undo, in words.
    pub impact: Impact,
    /// The readings that it was made from.
    pub evidence: Vec<Evidence>,
    /// When it was made (UTC).
    pub made_at: Timestamp,
    /// From then on it is not begun any more (UTC). A run that began before goes on.
    pub expires_at: Timestamp,
}

/// One thing that steps change, with the identity that it must prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name: that of the host, or of the source.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
}

/// What a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetKind {
    /// A service's release folder on a host of the estate. The job folder is `.quarterdeck` in it: whoever may switch
    /// the release may write there, and all who may do so meet there.
    Releases {
        /// The host's name in the estate file.
        host: String,
        /// Where ssh finds it; this machine where `None`.
        ssh: Option<String>,
        /// What its `/etc/machine-id` holds: the estate file's, else what it said when the plan was made.
        machine_id: String,
        /// The release folder there.
        folder: String,
        /// What the file `mark` of the job folder holds: a word of ours from the first run on. `None` where there was none.
        mark: Option<String>,
    },
    /// The processes of a service on a host where it has no release folder. The job folder lies in the state folder of the
    /// user who logs in there: two operators with the same user meet in it, two with different users do not.
    Service {
        /// The host's name in the estate file.
        host: String,
        /// Where ssh finds it; this machine where `None`.
        ssh: Option<String>,
        /// What its `/etc/machine-id` holds: the estate file's, else what it said when the plan was made.
        machine_id: String,
        /// `~/services/NAME`: below `~/.local/state/quarterdeck` of that user.
        folder: String,
        /// What the file `mark` of the job folder holds. `None` where there was none.
        mark: Option<String>,
    },
    /// A machine on which programs of the estate's own are run; a lease is taken only of release folders and services.
    Host {
        /// The host's name; this machine where `None`.
        host: Option<String>,
        /// What its `/etc/machine-id` holds.
        machine_id: String,
    },
    /// An Alertmanager, or the peers of one HA set.
    Alertmanager {
        /// The source's name.
        source: String,
        /// The peers' root addresses.
        urls: Vec<String>,
    },
    /// What an HTTP request reaches, or a person.
    Outside,
}

/// A target of which a lease is taken: a job folder on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leasable<'a> {
    /// The host's name in the estate file.
    pub host: &'a str,
    /// Where ssh finds it; this machine where `None`.
    pub ssh: Option<&'a str>,
    /// What its `/etc/machine-id` must hold.
    pub machine_id: &'a str,
    /// The release folder, or `~/services/NAME`.
    pub folder: &'a str,
    /// What its mark must hold.
    pub mark: Option<&'a str>,
}

impl TargetKind {
    /// Where its lease lies; `None` of one without.
    pub fn leasable(&self) -> Option<Leasable<'_>> {
        match self {
            TargetKind::Releases { host, ssh, machine_id, folder, mark } | TargetKind::Service { host, ssh, machine_id, folder, mark } => {
                Some(Leasable { host, ssh: ssh.as_deref(), machine_id, folder, mark: mark.as_deref() })
            }
            TargetKind::Host { .. } | TargetKind::Alertmanager { .. } | TargetKind::Outside => None,
        }
    }
}

/// Whether a step may be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Without harm.
    Repeatable,
    /// Never, unless the world says that it was not done.
    Once,
    /// A person is asked.
    Ask,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing new is begun, and a person is asked.
    Ask,
    /// The run stops and takes back what can be taken back.
    Stop,
    /// It is told and the run goes on.
    Continue,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the plan: `web1/switch`.
    pub id: String,
    /// What it does, for people: `switch current from 2.5.0 to 2.4.0`.
    pub title: String,
    /// Its target's place in `targets`.
    pub target: usize,
    /// The steps that must be done before, by their names.
    pub needs: Vec<String>,
    /// What is done.
    pub act: Act,
    /// How it is taken back; nothing where `None`.
    pub undo: Option<Act>,
    /// The step whose undo takes this one back too, by its name: a service that was started again by a program is started
    /// again once more when its release is switched back. Only of a step without an undo of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_with: Option<String>,
    /// Whether it may be done twice.
    pub repeat: Repeat,
    /// How long one try may take, in seconds.
    pub timeout: u32,
    /// What follows its failure.
    pub on_failure: OnFailure,
    /// True where nothing before it is taken back once it was begun.
    pub point_of_no_return: bool,
}

/// The parts that are confirmed: not the times, not what was read, not the words about it.
#[derive(Serialize)]
struct Confirmed<'a> {
    format: u32,
    deed: Deed,
    estate: &'a str,
    environment: &'a str,
    subject: &'a str,
    service: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    targets: &'a [Target],
    steps: &'a [Step],
}

impl Plan {
    /// The canonical form of what is confirmed: steps, targets and the state that they expect, as JSON in the order of
    /// the fields. A plan that is made anew from the same world has the same.
    ///
    /// # Errors
    /// None that a plan can cause: all its maps have texts as keys.
    pub fn canonical(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Confirmed {
            format: self.format,
            deed: self.deed,
            estate: &self.estate,
            environment: &self.environment,
            subject: &self.subject,
            service: self.service.as_deref(),
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            targets: &self.targets,
            steps: &self.steps,
        })
    }

    /// The SHA-256 of the canonical form, 64 hex digits.
    pub fn hash(&self) -> String {
        let canonical = self.canonical().unwrap_or_default();
        Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a person types to confirm it: the subject and the first digits of the hash, such as `web 4f2a91`.
    pub fn phrase(&self) -> String {
        let hash = self.hash();
        format!("{} {}", self.subject, &hash[..SHORT.min(hash.len())])
    }

    /// The step of that name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The target of a step.
    pub fn target_of(&self, step: &Step) -> Option<&Target> {
        self.targets.get(step.target)
    }

    /// The hosts that it names, each once.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = Vec::new();
        for target in &self.targets {
            let host = match &target.kind {
                TargetKind::Releases { host, .. } | TargetKind::Service { host, .. } => Some(host),
                TargetKind::Host { host, .. } => host.as_ref(),
                TargetKind::Alertmanager { .. } | TargetKind::Outside => None,
            };
            if let Some(host) = host.filter(|host| !hosts.contains(host)) {
                hosts.push(host.clone());
            }
        }
        hosts
    }

    /// Steps that change something.
    pub fn changing(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.act.changes())
    }
}
