//! What a plan means, in words, and what it was made from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a plan does, for whoever agrees to it. Each is a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// What it does.
    pub does: Vec<String>,
    /// What it costs: what stands still, for how long.
    pub costs: Vec<String>,
    /// What it does not take back, and what cannot be taken back of it.
    pub keeps: Vec<String>,
    /// How long it takes by what is known, in seconds: shortest and longest; `None` where nothing is known.
    pub seconds: Option<(u64, u64)>,
}

/// One reading that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it says.
    pub what: String,
    /// Who told it: a host, a source.
    pub from: String,
    /// When it was true (UTC).
    pub as_of: Timestamp,
}
