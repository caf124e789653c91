//! Checks of a host itself: that it is the one that was meant, and that it can do what is asked of it.

use jiff::SignedDuration;

use super::{Case, On};
use crate::model::check::{Check, Verdict};
use crate::model::plan::TargetKind;

/// Beyond this, times that are compared between hosts mean little.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// It is the machine that the plan was made for.
pub(super) fn identity(case: &Case<'_>, at: &On<'_>) -> Check {
    let title = "it is the machine that the plan names";
    let (TargetKind::Releases { machine_id, .. } | TargetKind::Service { machine_id, .. } | TargetKind::Host { machine_id, .. }) =
        &at.target.kind
    else {
        return case.of(at, "identity", title, Verdict::Pass, "it is no machine");
    };
    let is = &at.survey.machine_id;
    match (is.is_empty(), is == machine_id) {
        (true, _) => {
            let seen = "it has no /etc/machine-id, by which it is told from others: run `systemd-machine-id-setup` there";
            case.of(at, "identity", title, Verdict::Block, seen)
        }
        (false, true) => {
            let seen = format!("it is {}, machine-id {is}, as {}", at.survey.hostname, at.survey.user);
            case.of(at, "identity", title, Verdict::Pass, seen)
        }
        (false, false) => {
            let seen =
                format!("it is another machine: {}, machine-id {is}, not {machine_id}; correct `ssh` or `machine_id`", at.survey.hostname);
            case.of(at, "identity", title, Verdict::Block, seen)
        }
    }
}

/// A run can connect to it again when nobody is there.
pub(super) fn reach(case: &Case<'_>, at: &On<'_>) -> Check {
    let title = "a run can reach it again by itself";
    match at.survey.alone.as_slice() {
        [] => case.of(at, "reach", title, Verdict::Pass, "nothing speaks against it"),
        reasons => case.of(at, "reach", title, Verdict::Warn, reasons.join(" ")),
    }
}

/// Its unit is there and may be started.
pub(super) fn unit(case: &Case<'_>, at: &On<'_>) -> Option<Check> {
    let unit = at.survey.unit.as_ref()?;
    let title = "its unit is loaded";
    let check = |verdict, seen: String| Some(case.of(at, "unit", title, verdict, seen));
    if !at.survey.systemd {
        return check(Verdict::Block, "systemd does not run there: give the service a `command` in `restart`".to_owned());
    }
    match unit.load.as_str() {
        "loaded" => {
            let times = unit.restarts.filter(|n| *n > 0).map_or(String::new(), |n| format!("; systemd started it again {n} times"));
            check(Verdict::Pass, format!("{} ({}), {}{times}", unit.active, unit.sub, or_unsaid(&unit.file)))
        }
        "masked" => check(Verdict::Block, "it is masked: it could be stopped and not started; `systemctl unmask` it first".to_owned()),
        "not-found" => check(Verdict::Block, "systemd knows no such unit: correct `unit` in `restart`".to_owned()),
        "" => check(Verdict::Unknown, "`systemctl show` there says nothing of it".to_owned()),
        other => check(Verdict::Block, format!("systemd calls it {other}: `systemctl status` says why")),
    }
}

fn or_unsaid(word: &str) -> &str {
    if word.is_empty() { "not installed for the start" } else { word }
}

/// Sudo lets us do without a password what is to be done to it: the words of `systemctl`.
pub(super) fn sudo(case: &Case<'_>, at: &On<'_>, verbs: &[&str]) -> Option<Check> {
    let title = "sudo lets systemctl be told what is needed";
    let verbs = verbs.join(" and ");
    Some(match at.survey.sudo? {
        true => case.of(at, "sudo", title, Verdict::Pass, format!("sudo -l names {verbs} for {}", at.survey.user)),
        false => {
            let seen = format!(
                "`sudo -n -l systemctl ... UNIT` is refused to {} for {verbs}: add a rule with NOPASSWD to sudoers there",
                at.survey.user
            );
            case.of(at, "sudo", title, Verdict::Block, seen)
        }
    })
}

/// The deploy log can be written.
pub(super) fn log(case: &Case<'_>, at: &On<'_>) -> Option<Check> {
    let title = "the deploy log can be written";
    Some(match at.survey.log? {
        true => case.of(at, "log", title, Verdict::Pass, "it can"),
        false => {
            case.of(at, "log", title, Verdict::Warn, format!("{} may not write it: the rollback would not be noted there", at.survey.user))
        }
    })
}

/// What our scripts need is there.
pub(super) fn tools(case: &Case<'_>, at: &On<'_>) -> Check {
    let title = "the programs that are needed are there";
    match at.survey.lacks.as_slice() {
        [] => case.of(at, "tools", title, Verdict::Pass, "flock, setsid, timeout, sync, readlink, mv -T"),
        lacks => {
            let seen = format!("these are not: {}; install util-linux and coreutils", lacks.join(", "));
            case.of(at, "tools", title, Verdict::Block, seen)
        }
    }
}

/// Its clock is ours.
pub(super) fn clock(case: &Case<'_>, at: &On<'_>) -> Check {
    let title = "its clock agrees with this machine's";
    let skew = at.survey.skew;
    if skew.abs() <= SKEW {
        return case.of(at, "clock", title, Verdict::Pass, format!("within {} s", SKEW.as_secs()));
    }
    let way = if skew.is_negative() { "behind" } else { "ahead of" };
    let seen = format!("it is {:.1} s {way} this machine's: do not trust the times in its logs", skew.abs().as_secs_f64());
    case.of(at, "clock", title, Verdict::Warn, seen)
}

/// Nothing ends our jobs there when the connection does.
pub(super) fn logind(case: &Case<'_>, at: &On<'_>) -> Option<Check> {
    let title = "a job there goes on when the link breaks";
    Some(match at.survey.kills? {
        false => case.of(at, "logind", title, Verdict::Pass, "logind does not end it"),
        true => {
            let seen = format!(
                "logind ends all processes of a user with the last session (KillUserProcesses): if the link breaks, a job is killed half-way; `loginctl enable-linger {}` there prevents it",
                at.survey.user
            );
            case.of(at, "logind", title, Verdict::Warn, seen)
        }
    })
}
