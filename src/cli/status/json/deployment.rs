//! The newest deployments in the JSON of `qd status`.

pub(super) use crate::model::deployment::record::{Record as DeploymentOut, record as deployment};

/// Deployments told, the newest; `deployments_total` says how many are known.
pub(super) const TOLD: usize = 100;
