//! Verifications as the console knows them: what they proved, those under way, and what was said of the last.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::backup::{Outcome, Progress, Proofs};

/// All verifications of this console.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verifying {
    /// What the journal says of all backups.
    pub proofs: Arc<Proofs>,
    /// Those under way, by the source's place.
    pub running: BTreeMap<usize, Running>,
    /// Why the last try of a source came to nothing.
    pub refused: BTreeMap<usize, String>,
    /// Why the journal cannot be used.
    pub problem: Option<String>,
}

/// One that is under way here.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Since when (UTC).
    pub since: Timestamp,
    /// What it looks at.
    pub words: String,
    /// How far it is.
    pub progress: Progress,
    /// True once it was asked to stop.
    pub stopping: bool,
}

impl Running {
    /// In a few cells: `verifying 41 %`.
    pub fn cell(&self) -> String {
        match (self.stopping, self.progress.percent()) {
            (true, _) => "stopping".to_owned(),
            (false, Some(percent)) => format!("verifying {percent} %"),
            (false, None) => "verifying".to_owned(),
        }
    }
}

/// What is new of one verification.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// It is so far.
    Progress(Progress),
    /// It was asked to stop.
    Stopping,
    /// It was not begun, and nothing was done.
    Refused(String),
    /// It ended, and this is what the journal now says of all backups.
    Ended {
        /// How.
        outcome: Outcome,
        /// What verifications prove now.
        proofs: Arc<Proofs>,
        /// Why its result could not be recorded: then it proves nothing.
        unrecorded: Option<String>,
    },
}
