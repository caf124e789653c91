//! What the journal records: one event each, with who did it and when. Later kinds of events are further variants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::backup::Verification;
use super::run::RunEvent;

/// Who did something, and from where. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The name of the user that the program ran as.
    pub user: String,
    /// That user's number.
    pub uid: u32,
    /// Who that was before `sudo`; `None` where `sudo` was not used.
    pub login: Option<String>,
    /// The machine.
    pub host: String,
    /// The terminal; `None` where there was none.
    pub terminal: Option<String>,
    /// The address that the SSH connection came from; `None` where there was none, or `sudo` took the variable away.
    pub ssh: Option<String>,
    /// The process.
    pub process: Process,
}

impl Actor {
    /// Who it was and where: `ann@jump`, `ann as root@jump`.
    pub fn name(&self) -> String {
        match &self.login {
            Some(login) => format!("{login} as {}@{}", self.user, self.host),
            None => format!("{}@{}", self.user, self.host),
        }
    }
}

/// One process of one machine: its number alone is given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// When it began, in the kernel's ticks since the machine was started (`/proc/PID/stat`, field 22); 0 where that is
    /// not told.
    pub began: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A backup's verification began or ended.
    Verification(Verification),
    /// Something happened to a run.
    Run(RunEvent),
    /// The newest event was lost while it was written, and the journal went on without it.
    Healed(Lost),
}

/// An event of which only the hash is known. What it told is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// The place that it had, which the event that tells of it has now.
    pub seq: u64,
    /// Its SHA-256, 64 hex digits.
    pub hash: String,
}

/// One event of the journal with all that is recorded about it. Its JSON, in this order of fields, is what is hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its place, from 1 on.
    pub seq: u64,
    /// The SHA-256 of the event before it, 64 hex digits; zeros before the first.
    pub prev: String,
    /// The moment that it is about (UTC).
    pub said_at: Timestamp,
    /// The moment that it was written (UTC).
    pub written_at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The version of this program.
    pub version: String,
    /// The SHA-256 of the estate file at that time, 64 hex digits; `None` where none was read.
    pub estate: Option<String>,
    /// What.
    pub event: Event,
}

impl Event {
    /// The word of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Verification(_) => "verification",
            Event::Run(_) => "run",
            Event::Healed(_) => "healed",
        }
    }
}
