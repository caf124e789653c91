//! What a probe takes for the right answer, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Key;

/// The answer that is right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawExpect {
    /// The HTTP status.
    #[schemars(with = "Option<i64>", extend("minimum" = 100, "maximum" = 599))]
    pub status: Key<i64>,
    /// Text that the body must hold.
    #[schemars(with = "Option<String>")]
    pub body: Key<String>,
}
