//! `[estate]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Key;

/// What the estate is called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawIdentity {
    /// Its name, on the first line of every screen.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `production`, `staging`...: on the first line of every screen.
    #[schemars(with = "String")]
    pub environment: Key<String>,
    /// The IANA zone that its people think in, such as `Europe/Warsaw`.
    #[schemars(with = "Option<String>")]
    pub zone: Key<String>,
    /// What everyone who opens it should know, at most 400 characters; on the Overview.
    #[schemars(with = "Option<String>")]
    pub note: Key<String>,
}
