//! What was asked of a world, as the oracles judge it.

use quarterdeck::model::run::Call;
use serde::{Deserialize, Serialize};

/// What was asked of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// `call`, `take`, `renew`, `give`, `observe`, `check`.
    pub kind: String,
    pub run: String,
    pub step: String,
    pub target: usize,
    pub call: Option<Call>,
    pub attempt: u32,
    pub fence: Option<u64>,
    /// The hash of the plan that was carried out.
    pub plan: String,
    pub head: String,
    /// True where something is otherwise than before.
    pub changed: bool,
    pub said: String,
}
