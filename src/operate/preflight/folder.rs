//! Checks of a release folder: that it is the one that was meant, in the state that the plan expects, and nobody else's.

use super::{Case, On};
use crate::journal::Head;
use crate::model::check::{Check, Verdict};
use crate::model::plan::{Act, Leasable, TargetKind};
use crate::operate::heads::Told;
use crate::operate::survey::Folder;

/// Free bytes below which nothing is begun: a link, a lease and a log must fit.
const LEAST: u64 = 4 << 20;
/// Free bytes below which it is worth a word.
const LITTLE: u64 = 64 << 20;
/// The same in inodes.
const INODES: u64 = 64;

/// What the process is expected to run from, where it is not switched.
fn from<'a>(case: &Case<'a>, at: &On<'_>) -> Option<&'a str> {
    case.plan.steps.iter().filter(|step| step.target == at.place).find_map(|step| match &step.act {
        Act::Running { release, .. } => release.as_deref(),
        _ => None,
    })
}

/// What the switch of that target expects.
fn switch<'a>(case: &Case<'a>, at: &On<'_>) -> Option<(&'a str, &'a str)> {
    case.plan.steps.iter().filter(|step| step.target == at.place).find_map(|step| match &step.act {
        Act::SwitchLink { from, to } => Some((from.as_str(), to.as_str())),
        _ => None,
    })
}

/// Our word in its job folder is that of the plan.
pub(super) fn mark(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Check {
    let title = "its job folder is the one that the plan was made with";
    let Some(Leasable { mark: wanted, .. }) = at.target.kind.leasable() else {
        return case.of(at, "mark", title, Verdict::Pass, "it has none");
    };
    match (wanted, found.mark.as_deref()) {
        (Some(wanted), Some(is)) if wanted == is => case.of(at, "mark", title, Verdict::Pass, "it is"),
        (None, None) => case.of(at, "mark", title, Verdict::Pass, "no run was there before"),
        // The first fence number is given out with the mark, each later one to whoever had it next.
        (None, Some(_)) if case.own.begun || (is_own(case, found) && found.fence <= fences(case, at)) => {
            case.of(at, "mark", title, Verdict::Pass, "this run made it")
        }
        (None, Some(_)) => case.of(at, "mark", title, Verdict::Block, "another run was there since the plan was made: make the plan anew"),
        (Some(_), _) => {
            let seen = "`.quarterdeck/mark` there is not what it was: it is another folder, or someone removed the mark; look, then make the plan anew";
            case.of(at, "mark", title, Verdict::Block, seen)
        }
    }
}

/// What this journal wrote down at that target is still in it: whoever cut off its end, or put an older copy in its place,
/// did not change that.
pub(super) fn head(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Check {
    let title = "the journal still holds what its runs left there";
    let of = |verdict, seen: String| case.of(at, "head", title, verdict, seen);
    let Some(head) = &found.head else { return of(Verdict::Pass, "no run left anything there".to_owned()) };
    // What comes next is the same whichever way it is broken: to see where, and only then to take the word there away.
    let next = |head: &Head| {
        format!(
            "`qd journal verify --head \"{head}\"` says where; nothing is begun from a record that lost something. Put the whole journal back; where it is lost for good, remove `.quarterdeck/head` there"
        )
    };
    match case.heads.get(at.place) {
        Some(Told::Same(count)) => of(Verdict::Pass, format!("event {count} is there as it was left")),
        Some(Told::Lost(count)) => of(Verdict::Pass, format!("event {count} was lost while it was written, and the journal says so")),
        Some(Told::Foreign(run)) => {
            of(Verdict::Pass, format!("what lies there is another journal's, of the run {run}: it says nothing of this one"))
        }
        Some(Told::Short { head, there }) => {
            let more = format!(
                "this journal ends at event {there}, and event {} was left there: its end was cut off, or it is an older copy",
                head.count
            );
            of(Verdict::Block, format!("{more}. {}", next(head)))
        }
        Some(Told::Other(head)) => {
            let more = format!(
                "event {} of this journal is not the one that was left there: it was written anew behind an older copy",
                head.count
            );
            of(Verdict::Block, format!("{more}. {}", next(head)))
        }
        Some(Told::Unknown(why)) => of(Verdict::Unknown, format!("the journal cannot be asked: {why}")),
        Some(Told::Odd) => {
            let seen =
                format!("`.quarterdeck/head` there is none of ours (`{head}`): `qd journal verify` says whether the journal is whole");
            Check { overridable: true, ..of(Verdict::Warn, seen) }
        }
        Some(Told::Nothing) | None => of(Verdict::Unknown, "what lies there was not held against the journal".to_owned()),
    }
}

/// How many of the fence numbers there may be those of the plan's own run.
fn fences(case: &Case<'_>, at: &On<'_>) -> u64 {
    case.own.fences.get(at.place).copied().unwrap_or(0)
}

/// The lease is held by the plan's own run.
fn is_own(case: &Case<'_>, found: &Folder) -> bool {
    found.lease.as_ref().is_some_and(|lease| case.run == Some(lease.run.as_str()))
}

/// The link still leads where the plan says.
pub(super) fn current(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Option<Check> {
    let (from, to) = match switch(case, at) {
        Some(switch) => switch,
        None => from(case, at).map(|from| (from, from))?,
    };
    let title = "`current` leads where the plan expects it";
    Some(match &found.current {
        Some(Ok(is)) if is == from => case.of(at, "current", title, Verdict::Pass, format!("it leads to {is}")),
        Some(Ok(is)) if is == to && case.own.begun => {
            case.of(at, "current", title, Verdict::Pass, format!("it leads to {is}: this run switched it"))
        }
        Some(Ok(is)) => {
            let seen = format!("it leads to {is}, the plan expects {from}: someone deployed meanwhile; make the plan anew");
            case.of(at, "current", title, Verdict::Block, seen)
        }
        Some(Err(why)) => case.of(at, "current", title, Verdict::Block, format!("where it leads cannot be told: {why}")),
        None => case.of(at, "current", title, Verdict::Block, "the release folder is not there, or may not be looked into"),
    })
}

/// The release is there.
pub(super) fn release(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Option<Check> {
    let (_, to) = switch(case, at)?;
    let name = to.rsplit('/').next().unwrap_or(to);
    let title = "the release is there";
    Some(match found.has(name) {
        true => case.of(at, "release", title, Verdict::Pass, format!("{name} is one of {}", found.releases.len())),
        false => {
            let seen = format!("{} does not have {name}: choose one that all hosts have, or put it there again", at.target.name);
            case.of(at, "release", title, Verdict::Block, seen)
        }
    })
}

/// Nobody else changes it.
pub(super) fn lease(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Check {
    let title = "no other run has this host";
    if found.damaged {
        let seen = "the file `.quarterdeck/lease` there is damaged: make sure that no run is under way, then remove it";
        return case.of(at, "lease", title, Verdict::Block, seen);
    }
    match (&found.lease, &found.busy) {
        (Some(_), _) if is_own(case, found) => case.of(at, "lease", title, Verdict::Pass, "this run has it"),
        (Some(lease), _) => {
            let seen = format!("the run {} of {} has it for {} s more: follow that run, or wait", lease.run, lease.who, lease.seconds);
            case.of(at, "lease", title, Verdict::Block, seen)
        }
        (None, Some(job)) if case.run.is_none_or(|run| !job.starts_with(run)) => {
            case.of(at, "lease", title, Verdict::Block, format!("a job of another run still goes on there: {job}; wait until it ends"))
        }
        (None, _) => case.of(at, "lease", title, Verdict::Pass, "it is free"),
    }
}

/// A link may be renamed in it.
pub(super) fn writable(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Check {
    if matches!(at.target.kind, TargetKind::Service { .. }) {
        let title = "its job folder can be written";
        return match found.writable {
            true => case.of(at, "folder", title, Verdict::Pass, format!("{} may", at.survey.user)),
            false => {
                let seen = format!("{} may not write below ~/.local/state/quarterdeck there: no lease could be taken", at.survey.user);
                case.of(at, "folder", title, Verdict::Block, seen)
            }
        };
    }
    let title = "the release folder can be written";
    match found.writable {
        true => case.of(at, "folder", title, Verdict::Pass, format!("{} may", at.survey.user)),
        false => {
            let seen =
                format!("{} may not make and rename a link in it: give it to that user's group, or use another user", at.survey.user);
            case.of(at, "folder", title, Verdict::Block, seen)
        }
    }
}

/// Its disk has room for a link, a lease and a log.
pub(super) fn disk(case: &Case<'_>, at: &On<'_>, found: &Folder) -> Check {
    let title = "its disk has room";
    let Some(free) = found.free else {
        let unknown = case.of(at, "disk", title, Verdict::Unknown, "how much is free is not known: `df` there says nothing");
        return Check { overridable: true, ..unknown };
    };
    let inodes = found.inodes.unwrap_or(u64::MAX);
    let mebibytes = free >> 20;
    if free < LEAST || inodes < INODES {
        let seen = format!("{mebibytes} MiB and {inodes} inodes are free: neither lease nor link could be written; make room first");
        return case.of(at, "disk", title, Verdict::Block, seen);
    }
    if free < LITTLE {
        return case.of(at, "disk", title, Verdict::Warn, format!("only {mebibytes} MiB are free"));
    }
    case.of(at, "disk", title, Verdict::Pass, format!("{mebibytes} MiB are free"))
}
