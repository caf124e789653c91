//! The checks of a plan: each has a name, is made again at the moment of acting, and is never passed by silence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not hold, and a person may go on with a reason.
    Warn,
    /// Nobody could tell; counts as `Block` unless the check says that it may be overridden.
    Unknown,
    /// It does not hold, and nothing is begun.
    Block,
}

impl Verdict {
    /// `pass`, `warn`, `unknown`, `block`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Unknown => "unknown",
            Verdict::Block => "block",
        }
    }
}

/// The result of one check. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, by which it is overridden: `identity/web1`, `freeze`, `disk/web2`.
    pub id: String,
    /// What is checked, for people.
    pub title: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen, and what to do where it does not hold.
    pub seen: String,
    /// True where a person may override it with a reason: every `Warn`, and an `Unknown` that says so.
    pub overridable: bool,
    /// True where it may be overridden only by breaking the glass: a freeze.
    pub glass: bool,
    /// When what it follows from was true (UTC).
    pub as_of: Timestamp,
}

/// A check that a person overrode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The check's name.
    pub check: String,
    /// Why.
    pub reason: String,
}

impl Check {
    /// True where nothing need be said about it.
    pub fn passes(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// True where it holds, or is overridden by one of these with a reason, or by broken glass where that is what it asks.
    pub fn is_settled(&self, overrides: &[Override], glass: bool) -> bool {
        let named = || overrides.iter().any(|o| o.check == self.id && !o.reason.trim().is_empty());
        match self.verdict {
            Verdict::Pass => true,
            Verdict::Warn => named(),
            Verdict::Unknown => self.overridable && named(),
            Verdict::Block => self.glass && glass,
        }
    }
}

/// The checks that stand in the way, in their order.
pub fn open<'a>(checks: &'a [Check], overrides: &'a [Override], glass: bool) -> impl Iterator<Item = &'a Check> {
    checks.iter().filter(move |check| !check.is_settled(overrides, glass))
}
