//! What a source tells anew of deployments, and up to where it was read.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Deployment;

/// Up to where a log was read: the end of a whole line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The device and the number of the file.
    pub file: (u64, u64),
    /// A number for its first line, by which a log that was written anew is told from one that was rotated; `None` while
    /// that line is still being written.
    pub first: Option<u64>,
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it, those of earlier files included.
    pub lines: u64,
    /// Of these, lines that tell of no deployment.
    pub broken: u64,
}

impl Mark {
    /// True where both are of one file that was only added to.
    pub fn same_file(&self, other: &Mark) -> bool {
        self.file == other.file && (self.first == other.first || self.first.is_none() || other.first.is_none())
    }
}

/// What a source tells anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct News {
    /// What it told of this time (UTC) and later is replaced by these rows; `None` adds to it.
    pub since: Option<Timestamp>,
    /// As it tells of them, the newest first.
    pub rows: Vec<Arc<Deployment>>,
    /// Where in a log these rows begin: they are taken only by who read just up to there. `None` where it is no log, or
    /// where the log is read from its begin.
    pub begins: Option<Mark>,
    /// Where in a log they end; `None` where it is no log.
    pub ends: Option<Mark>,
}

impl News {
    /// All that a source tells.
    pub fn whole(rows: Vec<Arc<Deployment>>) -> News {
        News::since(Timestamp::MIN, rows)
    }

    /// All that a source tells of that moment and later (UTC); what it told of earlier ones stays.
    pub fn since(since: Timestamp, rows: Vec<Arc<Deployment>>) -> News {
        News { since: Some(since), rows, begins: None, ends: None }
    }
}
