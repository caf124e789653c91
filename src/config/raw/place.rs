//! `[[site]]` and `[[host]]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::check::ROLES;
use super::{Key, Map, RawLabels};

/// A place that can serve: a region, data centre, cluster or host group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawSite {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// `primary`: it serves. `standby`: it can take over.
    #[schemars(with = "String", extend("enum" = ROLES))]
    pub role: Key<String>,
    /// Which alerts and series are its own; `{ site = "<name>" }` without this key.
    #[schemars(with = "Map")]
    pub labels: RawLabels,
}

/// A machine: what is read on it is read there, by ssh or here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(in crate::config) struct RawHost {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Key<String>,
    /// The site that it stands at.
    #[schemars(with = "Option<String>")]
    pub site: Key<String>,
    /// Where OpenSSH finds it: a name of `~/.ssh/config`, `user@name`, or `ssh://user@name:port`. This machine without this key.
    #[schemars(with = "Option<String>")]
    pub ssh: Key<String>,
    /// The configuration that ssh reads instead of `~/.ssh/config`; a path beside the estate file.
    #[schemars(with = "Option<String>")]
    pub ssh_config: Key<String>,
    /// What its `/etc/machine-id` holds. Whatever Quarterdeck runs there proves it first; another machine is refused.
    #[schemars(with = "Option<String>")]
    pub machine_id: Key<String>,
}
