//! Checks of the service as a whole: no other run changes it, and whether its data fits the release is asked.

use std::collections::BTreeMap;

use super::Case;
use crate::model::check::{Check, Verdict};
use crate::model::plan::{Deed, Leasable};
use crate::operate::plan::candidates;

/// No run of our journal changes the same service or one of its hosts. A runner has its leases when it asks: of two that are
/// begun at once the one that has none yet is no reason to end for the other, or both would. Whoever comes to ask later
/// finds the other's leases in the journal.
pub(super) fn other_run(case: &Case<'_>) -> Check {
    let title = "no other run of ours is under way";
    let hosts: Vec<&str> = case.plan.targets.iter().filter_map(|target| target.kind.leasable().map(|place| place.host)).collect();
    let going = match case.going {
        Ok(going) => going,
        Err(why) => return case.check("other-run", title, Verdict::Unknown, why),
    };
    let touches = |host: &String| hosts.contains(&host.as_str());
    let other = going.iter().find(|going| {
        let same = going.service.is_some() && going.service == case.plan.service;
        case.run != Some(going.run.as_str()) && (going.holds || case.run.is_none()) && (same || going.hosts.iter().any(touches))
    });
    match other {
        Some(going) => {
            let seen = format!(
                "the run {} of {} has not ended: `qd attach {}` follows it, `qd abort {} --reason WHY` takes it back",
                going.run, going.who, going.run, going.run
            );
            case.check("other-run", title, Verdict::Block, seen)
        }
        None => case.check("other-run", title, Verdict::Pass, "none is"),
    }
}

/// Two names of the estate file that lead to one release folder of one machine: what is said of the host that carries the
/// load meanwhile would not be true. Clones may share a machine-id, and containers of one machine its boot.
pub(super) fn distinct(case: &Case<'_>) -> Option<Check> {
    let mut known = BTreeMap::new();
    let both = case.plan.targets.iter().zip(case.seen).find_map(|(target, seen)| {
        let (Leasable { folder, .. }, Some(Ok(survey))) = (target.kind.leasable()?, seen) else { return None };
        let place = (&survey.machine_id, &survey.boot, &survey.hostname, folder);
        known.insert(place, &target.name).map(|other| (other, &target.name, &survey.hostname, folder))
    });
    let (one, other, machine, folder) = both?;
    let seen =
        format!("{one} and {other} are one machine, {machine}, with one folder, {folder}: correct `ssh` of one of them, or leave it out");
    Some(case.check("one-host", "each host is a machine of its own", Verdict::Block, seen))
}

/// Whether the data that the service leaves behind fits the earlier release: nothing that is read tells.
pub(super) fn migrations(case: &Case<'_>) -> Option<Check> {
    if case.plan.deed != Deed::Rollback {
        return None;
    }
    let title = "the data fits the earlier release";
    let service = case.estate.service(case.plan.service.as_deref()?)?;
    let data = candidates::data(case.estate, service);
    Some(match data.as_slice() {
        [] => case.check("migrations", title, Verdict::Pass, "the estate file names no database that it depends on"),
        data => {
            let seen = format!(
                "no history tells whether migrations ran on {} since {}: ask whoever deployed, and say so in the reason",
                data.join(", "),
                case.plan.to.as_deref().unwrap_or("then")
            );
            case.check("migrations", title, Verdict::Warn, seen)
        }
    })
}
