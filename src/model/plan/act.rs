//! What a step does, with all that it expects to find.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::operations::HealthAsk;
use crate::model::silence::SilenceMatcher;

/// One act. Each that changes something makes exactly one call that does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// `systemctl stop UNIT`.
    StopUnit {
        /// The unit.
        unit: String,
        /// True with `sudo -n`.
        sudo: bool,
    },
    /// `systemctl start UNIT`.
    StartUnit {
        /// The unit.
        unit: String,
        /// True with `sudo -n`.
        sudo: bool,
    },
    /// `systemctl restart UNIT`, unless it was started anew since the plan was made.
    RestartUnit {
        /// The unit.
        unit: String,
        /// True with `sudo -n`.
        sudo: bool,
        /// systemd's `InvocationID` before: what is restarted. `None` of a unit that failed or that systemd starts again and
        /// again by itself: then whatever runs is.
        before: Option<String>,
    },
    /// One rename of a new link over `current` in the release folder, if it still leads where it is expected to.
    SwitchLink {
        /// What the link holds before, such as `releases/2.5.0`.
        from: String,
        /// What it holds after.
        to: String,
    },
    /// A program is run as a job on the target's host: detached, with its exit code in a file.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
    },
    /// One HTTP request.
    Http {
        /// The method.
        method: String,
        /// The address.
        url: String,
        /// What is sent.
        body: Option<String>,
        /// The status that is right; any of 200 to 299 where `None`.
        status: Option<u16>,
        /// Prometheus' own `http_config` file.
        http_config: Option<String>,
    },
    /// A line is added to a file of JSON lines on the target's host, unless its last lines hold it already.
    AppendLog {
        /// The file.
        path: String,
        /// The line, without its end. `$run` in it is the run's id, `$time` when that run was planned.
        line: String,
    },
    /// A person does it and says so.
    Manual {
        /// What is to be done.
        what: String,
    },
    /// A silence is made, or one is changed: Alertmanager then ends the old one and makes another.
    Silence {
        /// The one that is replaced, which must be as it is told here.
        replaces: Option<Former>,
        /// What it mutes.
        matchers: Vec<SilenceMatcher>,
        /// When it begins (UTC); at once where `None`.
        starts_at: Option<Timestamp>,
        /// When it ends (UTC).
        ends_at: Timestamp,
        /// Who makes it.
        created_by: String,
        /// Why. The run's id is added to it, by which it is found again.
        comment: String,
    },
    /// A silence ends now.
    ExpireSilence {
        /// Which, and how it must be.
        silence: Former,
    },
    /// Looks whether the service runs: a new process, whose working folder or program lies in the release.
    Running {
        /// What the link `current` holds; any process will do where `None`.
        release: Option<String>,
        /// How the process is found.
        serving: Serving,
    },
    /// Asks for the health of the target's host.
    Healthy {
        /// What is asked.
        ask: HealthAsk,
        /// So many good answers in a row.
        times: u32,
        /// Milliseconds between two of them.
        every_ms: u64,
    },
    /// Judges the service's panels against before, for so long.
    Guard {
        /// The service.
        service: String,
        /// Seconds.
        seconds: u64,
        /// The panels, by name.
        panels: Vec<String>,
    },
}

/// A silence that is there before the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// Alertmanager's id; the one that the run itself made where `None`.
    pub id: Option<String>,
    /// When it ends (UTC); one that ends otherwise was changed by someone and is left alone.
    pub ends_at: Timestamp,
    /// What it mutes, of one that the run itself made: a run may make several. Where it is empty it makes one only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<SilenceMatcher>,
}

/// How the process is found that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Serving {
    /// The main process of a unit.
    Unit {
        /// The unit.
        unit: String,
        /// Its main process before; `None` where it did not run.
        before: Option<u32>,
    },
    /// The number in a file.
    PidFile {
        /// The file on the host.
        path: String,
        /// What it held before.
        before: Option<u32>,
    },
}

/// What reading the world back says of an act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case", deny_unknown_fields)]
pub enum Found {
    /// It is done; what was seen.
    Done {
        /// In words.
        seen: String,
    },
    /// It is not done: the world is as it is expected to be before.
    NotDone {
        /// In words.
        seen: String,
    },
    /// It is still being done.
    Underway {
        /// In words.
        seen: String,
    },
    /// The world is in neither of the two states.
    Moved {
        /// What was expected and what was found.
        seen: String,
    },
    /// Nobody can tell from outside: a command that was cut off, a request whose answer was lost.
    Untold {
        /// Why.
        why: String,
    },
}

impl Act {
    /// False of what only looks.
    pub fn changes(&self) -> bool {
        match self {
            Act::Running { .. } | Act::Healthy { .. } | Act::Guard { .. } => false,
            Act::StopUnit { .. }
            | Act::StartUnit { .. }
            | Act::RestartUnit { .. }
            | Act::SwitchLink { .. }
            | Act::Run { .. }
            | Act::Http { .. }
            | Act::AppendLog { .. }
            | Act::Manual { .. }
            | Act::Silence { .. }
            | Act::ExpireSilence { .. } => true,
        }
    }

    /// True of the program that does nothing: such a step is there for what takes it back.
    pub fn does_nothing(&self) -> bool {
        matches!(self, Act::Run { argv } if argv.as_slice() == ["true"])
    }
}
