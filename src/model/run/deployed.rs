//! The deployments that a run made: a rollback puts a release at each site where its hosts stand. One that was taken back,
//! or stopped half way, was a deployment all the same and failed: the service did not run as before meanwhile.

use std::collections::BTreeMap;

use super::{RunState, StepRun, StepState};
use crate::model::deployment::{self, Dated, Deployment, Trigger};
use crate::model::estate::{Estate, History, SourceKind};
use crate::model::plan::{Act, Deed, Step, TargetKind};

/// Who tells of them, beside the sources of the estate.
pub const JOURNAL: &str = "journal";

/// The estate's deployments that this run made, one for each site; none as long as it changed nothing there, and of a run
/// of another estate. How it ended is not known before the run did. Their `id` is the run's.
pub fn deployments(state: &RunState, estate: &Estate) -> Vec<Deployment> {
    let plan = &state.plan;
    let (Deed::Rollback, Some(service), Some(to)) = (plan.deed, &plan.service, &plan.to) else { return Vec::new() };
    if plan.estate != estate.name {
        return Vec::new();
    }
    let mut sites: BTreeMap<Option<String>, Vec<(&Step, &StepRun)>> = BTreeMap::new();
    for (step, run) in plan.steps.iter().zip(&state.steps) {
        if let Some(TargetKind::Releases { host, .. }) = plan.target_of(step).map(|target| &target.kind) {
            sites.entry(site(estate, service, host)).or_default().push((step, run));
        }
    }
    let begun = sites.into_iter().filter(|(_, steps)| steps.iter().any(|(step, run)| serves(&step.act) && was_begun(run)));
    begun.map(|(site, steps)| Deployment { site, ..deployed(state, service, to, &steps) }).collect()
}

fn deployed(state: &RunState, service: &str, to: &str, steps: &[(&Step, &StepRun)]) -> Deployment {
    let before = steps.iter().find_map(|(step, _)| match &step.act {
        Act::SwitchLink { from, .. } => from.trim_end_matches('/').rsplit('/').next().map(str::to_owned),
        _ => None,
    });
    Deployment {
        id: Some(state.run.clone()),
        environment: Some(state.plan.environment.clone()),
        from: before.or_else(|| state.plan.from.clone()),
        to: Some(to.to_owned()),
        who: Some(state.by.login.clone().unwrap_or_else(|| state.by.user.clone())),
        took: state.ended.as_ref().map(|(at, _)| at.duration_since(state.planned_at)).filter(|took| !took.is_negative()),
        trigger: Some(Trigger::Rollback),
        result: state.ended.as_ref().map(|_| result(steps)),
        reason: state.agreement.as_ref().map(|agreement| agreement.reason.clone()),
        // The moment that the note in a deploy log has too: both are then known for one.
        ..Deployment::new(service, state.planned_at, Dated::Record, JOURNAL)
    }
}

/// A site where every step is done has the release, also where the run failed at another one afterwards.
fn result(steps: &[(&Step, &StepRun)]) -> deployment::Ending {
    let there = |(step, run): &(&Step, &StepRun)| match (&step.act, run.state) {
        (Act::AppendLog { .. }, _) | (_, StepState::Done) => true,
        // What a person passed over is well, but a release that was not switched to is not there.
        (act, StepState::Skipped) => !matches!(act, Act::SwitchLink { .. }),
        _ => false,
    };
    if steps.iter().all(there) { deployment::Ending::Succeeded } else { deployment::Ending::Failed }
}

/// True of what the service itself feels.
fn serves(act: &Act) -> bool {
    matches!(act, Act::SwitchLink { .. } | Act::StopUnit { .. } | Act::StartUnit { .. })
}

/// True where something was changed, or may have been.
fn was_begun(run: &StepRun) -> bool {
    match run.state {
        StepState::Waiting | StepState::Refused | StepState::Skipped => run.touched,
        StepState::Underway(_)
        | StepState::Unknown(_)
        | StepState::Untold(_)
        | StepState::Done
        | StepState::Failed
        | StepState::Undone
        | StepState::UndoFailed => true,
    }
}

/// The site under which the releases of that host are told of: that of their history, else the host's.
fn site(estate: &Estate, service: &str, host: &str) -> Option<String> {
    let source = estate.sources.iter().find(|source| {
        let there = matches!(&source.kind, SourceKind::History(History::Releases { hosts, .. }) if hosts.iter().any(|name| name == host));
        there && source.service.as_deref() == Some(service)
    });
    source.and_then(|source| source.site.clone()).or_else(|| estate.host(host)?.site.clone())
}

#[cfg(test)]
mod tests;
