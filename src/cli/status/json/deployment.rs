//! The newest deployments in the JSON of `qd status`.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::deployment::{Dated, Deployment, Ending, Trigger};

/// Deployments told, the newest; `deployments_total` says how many are known.
pub(super) const TOLD: usize = 100;

/// One of `deployments`.
#[derive(Serialize)]
pub struct DeploymentOut<'a> {
    id: Option<&'a str>,
    service: &'a str,
    site: Option<&'a str>,
    environment: Option<&'a str>,
    from: Option<&'a str>,
    version: Option<&'a str>,
    who: Option<&'a str>,
    time: Timestamp,
    time_from: Dated,
    took_seconds: Option<f64>,
    source: Option<Trigger>,
    result: Option<Ending>,
    commit: Option<&'a str>,
    first_commit: Option<Timestamp>,
    links: &'a [String],
    reason: Option<&'a str>,
    approvals: &'a [String],
    incidents: &'a [String],
    restored: Option<Timestamp>,
    fixes: Option<&'a str>,
    unplanned: Option<bool>,
    told_by: Vec<&'a str>,
    differs: &'a [String],
}

/// One of `deployments`.
pub(super) fn deployment(of: &Deployment) -> DeploymentOut<'_> {
    DeploymentOut {
        id: of.id.as_deref(),
        service: &of.service,
        site: of.site.as_deref(),
        environment: of.environment.as_deref(),
        from: of.from.as_deref(),
        version: of.to.as_deref(),
        who: of.who.as_deref(),
        time: of.at,
        time_from: of.dated,
        took_seconds: of.took.map(|took| took.as_secs_f64()),
        source: of.trigger,
        result: of.result,
        commit: of.commit.as_deref(),
        first_commit: of.first_commit,
        links: &of.links,
        reason: of.reason.as_deref(),
        approvals: &of.approvals,
        incidents: &of.incidents,
        restored: of.restored,
        fixes: of.fixes.as_deref(),
        unplanned: of.unplanned,
        told_by: of.told_by.iter().map(|name| &**name).collect(),
        differs: &of.differs,
    }
}
