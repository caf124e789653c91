//! What a runner is told to do: one plan, what a person agreed to, and who that is.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::event::Actor;
use crate::model::plan::{self, Plan};
use crate::model::run::Agreement;

/// Seconds that a lease lasts where nothing else is said.
pub const LEASE: u64 = 60;

/// What a runner is told to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The run's id.
    pub run: String,
    /// The plan.
    pub plan: Plan,
    /// The hash that was agreed to, 64 hex digits.
    pub hash: String,
    /// What was agreed to.
    pub agreement: Agreement,
    /// Who agreed.
    pub by: Actor,
    /// The SHA-256 of the estate file, 64 hex digits; `None` where none was read.
    pub estate: Option<String>,
    /// Seconds that a lease lasts; it is renewed at each third of them.
    pub lease: u64,
}

/// Why an order is not taken up. Nothing was recorded and nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// A newer program made the plan.
    #[error("cannot: the plan is of format {0}, made by another qd; this one knows {known}: use the qd that made it, or plan anew", known = plan::FORMAT)]
    Format(u32),
    /// The plan is not the one that was agreed to.
    #[error("the plan is not the one that was agreed to: {agreed} was, this is {found}: plan anew")]
    Hash {
        /// The first digits of what was agreed to.
        agreed: String,
        /// Those of the plan.
        found: String,
    },
    /// Something else was typed.
    #[error("what was typed is not the plan's phrase `{0}`: nothing was begun")]
    Phrase(String),
    /// It is too old.
    #[error("the plan expired at {0}: plan anew")]
    Expired(Timestamp),
    /// A reason is missing.
    #[error("no reason was given: nothing was begun")]
    Reason,
}

impl Order {
    /// Judges whether it may be begun at that time (UTC).
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, now: Timestamp) -> Result<(), OrderError> {
        if self.plan.format != plan::FORMAT {
            return Err(OrderError::Format(self.plan.format));
        }
        let found = self.plan.hash();
        if found != self.hash {
            return Err(OrderError::Hash { agreed: short(&self.hash), found: short(&found) });
        }
        if self.agreement.phrase != self.plan.phrase() {
            return Err(OrderError::Phrase(self.plan.phrase()));
        }
        if self.agreement.reason.trim().is_empty() {
            return Err(OrderError::Reason);
        }
        if now >= self.plan.expires_at {
            return Err(OrderError::Expired(self.plan.expires_at));
        }
        Ok(())
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(6).collect()
}

/// A new run's id, such as `web-20261121T140455Z-3f2a`: the subject as a file's name, the time (UTC) and chance.
pub fn id(subject: &str, now: Timestamp) -> String {
    let chance = RandomState::new().build_hasher().finish() & 0xffff;
    let name: String = subject.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(40).collect();
    format!("{name}-{}-{chance:04x}", now.strftime("%Y%m%dT%H%M%SZ"))
}

/// True of what [`id`] can have made: safe as a file's name.
pub fn is_id(text: &str) -> bool {
    let name = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name && (1..=80).contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_file_name_whatever_the_subject_is() {
        let at: Timestamp = "2026-11-21T14:04:55Z".parse().unwrap();
        let of = id("we b/../1", at);
        assert!(of.starts_with("we-b----1-20261121T140455Z-"), "{of}");
        assert!(is_id(&of) && is_id(&id(&"x".repeat(200), at)));
        assert!(!is_id("../x") && !is_id("") && !is_id("a b"));
    }
}
