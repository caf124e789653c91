//! A plan for tests: `web` goes back from 2.5.0 to 2.4.0 on hosts, one after the other.

use jiff::{SignedDuration, Timestamp};

use crate::model::check::{Check, Verdict};
use crate::model::deployment::Ending;

use super::*;

/// One check.
pub fn check(id: &str, verdict: Verdict, seen: &str, now: Timestamp) -> Check {
    let overridable = verdict == Verdict::Warn;
    Check { id: id.into(), title: title(id), verdict, seen: seen.into(), overridable, glass: false, as_of: now }
}

fn title(id: &str) -> String {
    let (what, of) = id.split_once('/').unwrap_or((id, ""));
    match what {
        "identity" => format!("{of} is the machine that it was"),
        "release" => format!("the release is whole on {of}"),
        "disk" => format!("{of} has room for the jobs"),
        "freeze" => "no change freeze is in force".to_owned(),
        other => format!("{other} {of}"),
    }
}

/// One release to go back to.
pub fn candidate(version: &str, days: i64, chosen: bool, now: Timestamp) -> Candidate {
    Candidate {
        version: version.into(),
        last_ran: Some(now - SignedDuration::from_hours(24 * days)),
        who: Some("jl".into()),
        result: Some(Ending::Succeeded),
        hosts_missing: Vec::new(),
        not_reverted: Vec::new(),
        chosen,
    }
}

/// The plan of a restart of these hosts, likewise.
pub fn restart(hosts: &[&str], now: Timestamp) -> Planned {
    let mut planned = rollback("2.4.0", hosts, now);
    planned.candidates.clear();
    let plan = &mut planned.plan;
    (plan.deed, plan.from, plan.to) = (super::Deed::Restart, None, None);
    plan.steps.retain(|step| step.id.ends_with("/stop"));
    for (step, host) in plan.steps.iter_mut().zip(hosts) {
        (step.id, step.title) = (format!("{host}/restart"), "restart web.service".into());
        step.act = Act::RestartUnit { unit: "web.service".into(), sudo: true, before: Some("5f3e".into()) };
        step.needs.clear();
    }
    plan.impact.does = vec![format!("{} is stopped and started again on {}.", plan.subject, hosts.join(", "))];
    plan.impact.costs = vec!["1 of 3 hosts at a time does not serve while it starts again; the others carry its load.".into()];
    plan.impact.keeps = vec!["Requests in flight on a host are cut off, and what it holds in memory is lost.".into()];
    planned
}

/// The plan, made now, valid for ten minutes.
pub fn rollback(to: &str, hosts: &[&str], now: Timestamp) -> Planned {
    let link = |version: &str| format!("releases/{version}");
    let mut steps: Vec<Step> = Vec::new();
    for (target, host) in hosts.iter().enumerate() {
        let unit = || "web.service".to_owned();
        let acts = [
            ("stop", "stop web.service", Act::StopUnit { unit: unit(), sudo: true }),
            ("switch", "switch current from 2.5.0", Act::SwitchLink { from: link("2.5.0"), to: link(to) }),
            ("start", "start web.service", Act::StartUnit { unit: unit(), sudo: true }),
            (
                "running",
                "see that it runs from it",
                Act::Running { release: Some(link(to)), serving: Serving::Unit { unit: unit(), before: Some(812) } },
            ),
        ];
        for (name, title, act) in acts {
            let needs = steps.last().map(|step| step.id.clone()).into_iter().collect();
            let undo = match &act {
                Act::SwitchLink { from, to } => Some(Act::SwitchLink { from: to.clone(), to: from.clone() }),
                _ => None,
            };
            steps.push(Step {
                id: format!("{host}/{name}"),
                title: title.into(),
                target,
                needs,
                act,
                undo,
                repeat: Repeat::Repeatable,
                timeout: 30,
                on_failure: OnFailure::Ask,
                undone_with: None,
                point_of_no_return: false,
            });
        }
    }
    let target = |host: &&str| Target {
        name: (*host).into(),
        kind: TargetKind::Releases {
            host: (*host).into(),
            ssh: Some(format!("{host}.example.org")),
            machine_id: "0f".repeat(16),
            folder: "/srv/web".into(),
            mark: None,
        },
    };
    let evidence = |host: &&str| Evidence {
        what: "current leads to releases/2.5.0, web.service runs as 812".into(),
        from: (*host).into(),
        as_of: now - SignedDuration::from_secs(3),
    };
    let plan = Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "shop".into(),
        environment: "production".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2.5.0".into()),
        to: Some(to.into()),
        targets: hosts.iter().map(target).collect(),
        steps,
        impact: Impact {
            does: vec![format!("web goes from 2.5.0 back to {to} on {} hosts, one after the other", hosts.len())],
            costs: vec!["each host serves nothing while its unit restarts: about 4 s".into()],
            keeps: vec!["2 migrations since 2.4.0 stay: 0041_baskets, 0042_prices".into(), "app.toml stays as it is".into()],
            seconds: Some((21, 48)),
            doubts: vec![],
        },
        evidence: hosts.iter().map(evidence).collect(),
        made_at: now,
        expires_at: now + SignedDuration::from_mins(10),
    };
    let mut old = candidate("2.3.1", 40, to == "2.3.1", now);
    old.not_reverted = vec!["5 migrations since".into()];
    let mut before = candidate("2.4.0", 9, to == "2.4.0", now);
    before.not_reverted = vec!["2 migrations since: 0041_baskets, 0042_prices".into(), "app.toml was changed 3d ago".into()];
    let mut missing = candidate("2.3.0", 61, false, now);
    missing.hosts_missing = vec!["web2".into()];
    let checks = hosts.iter().map(|host| check(&format!("identity/{host}"), Verdict::Pass, "the same machine-id", now)).collect();
    Planned { plan, checks, candidates: vec![before, old, missing] }
}
