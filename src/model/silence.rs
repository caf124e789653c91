//! Silences of an Alertmanager: who muted what, why and until when.

mod matching;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use matching::{Muting, fingerprint, is_id, same};

/// The state that Alertmanager gives a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It mutes now.
    Active,
    /// It will mute from its start on.
    Pending,
    /// It no longer mutes; kept by Alertmanager for some days.
    Expired,
}

/// One matcher of a silence. A missing `isEqual` in the API means true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceMatcher {
    /// Label name.
    pub name: String,
    /// Value or anchored regular expression.
    pub value: String,
    /// True where `value` is a regular expression.
    pub is_regex: bool,
    /// False where the matcher is negated.
    pub is_equal: bool,
}

impl std::fmt::Display for SilenceMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let op = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{op}\"{}\"", self.name, self.value)
    }
}

/// One silence, merged over the peers of an HA set by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Alertmanager's id.
    pub id: String,
    /// Its state as the peers told it.
    pub state: SilenceState,
    /// What it mutes.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins (UTC).
    pub starts_at: Timestamp,
    /// When it ends (UTC).
    pub ends_at: Timestamp,
    /// Who says they made it: free text, not proved.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Indexes into the answer's peers: who knows it.
    pub seen_by: Vec<usize>,
}
