//! What a run comes to as deployments: at each site, by how its own steps ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::model::deployment::Ending::{Failed, Succeeded};
use crate::model::estate::tests::{bare, source};
use crate::model::host::Host;
use crate::model::plan::{Step as PlanStep, Target};
use crate::model::run::sample::{Log, plan, step};
use crate::model::run::{Call, CallEnd, Ending, Happened};

/// Two sites: `web1` and `web2` at one, `web3` at the other.
fn estate() -> Estate {
    let hosts = ["web1", "web2", "web3"].map(str::to_owned).to_vec();
    let kind = SourceKind::History(History::Releases {
        path: PathBuf::from("/srv/web"),
        hosts,
        config: Vec::new(),
        log: None,
        fields: BTreeMap::new(),
    });
    let host = |name: &str, site: &str| Host { name: name.into(), site: Some(site.into()), ssh: None, ssh_config: None, machine_id: None };
    let folders = crate::model::estate::Source { service: Some("web".into()), ..source("folders", kind) };
    Estate { name: "shop".into(), hosts: vec![host("web1", "fra1"), host("web2", "fra1"), host("web3", "ams3")], ..bare(vec![folders]) }
}

/// One switch on each of the three, one after another.
fn log() -> Log {
    let on = |target: usize, id: &str| PlanStep { target, ..step(id) };
    let steps = vec![on(0, "web1/switch"), on(1, "web2/switch"), on(2, "web3/switch")];
    Log::begun("web-1", &plan(&["web1", "web2", "web3"], steps))
}

/// Site, result and duration of each.
fn told(log: &Log) -> Vec<(String, Option<deployment::Ending>, bool)> {
    let all = deployments(&log.state(), &estate());
    all.into_iter().map(|one| (one.site.unwrap_or_default(), one.result, one.took.is_some())).collect()
}

#[test]
fn a_run_is_a_rollback_at_each_of_its_sites_with_its_reason_and_its_id() {
    let mut log = log();
    assert_eq!(told(&log), [], "nothing was changed yet");
    log.done("web1/switch");
    assert_eq!(told(&log), [("fra1".into(), None, false)], "how it ends is not known");
    log.done("web2/switch");
    log.done("web3/switch");
    log.add(Happened::Ended(Ending::Done));
    assert_eq!(told(&log), [("ams3".into(), Some(Succeeded), true), ("fra1".into(), Some(Succeeded), true)]);
    let one = &deployments(&log.state(), &estate())[0];
    assert_eq!(
        (one.id.as_deref(), one.trigger, one.reason.as_deref()),
        (Some("web-1"), Some(Trigger::Rollback), Some("errors since 2.5.0"))
    );
    assert_eq!(
        (one.versions().as_str(), one.who.as_deref(), one.environment.as_deref()),
        ("2.5.0 -> 2.4.0", Some("ann"), Some("production"))
    );
    assert_eq!((one.at, &*one.told_by[0], one.dated), (log.state().planned_at, JOURNAL, Dated::Record));
    assert!(deployments(&log.state(), &Estate { name: "another".into(), ..estate() }).is_empty());
}

#[test]
fn what_was_taken_back_failed_and_a_site_that_was_done_before_did_not() {
    let mut log = log();
    log.done("web1/switch");
    log.done("web2/switch");
    log.intent("web3/switch", 1, Call::Apply);
    log.result("web3/switch", 1, Call::Apply, CallEnd::Failed { why: "no space".into() });
    log.add(Happened::Ended(Ending::Failed { why: "no space".into(), stays: vec![] }));
    assert_eq!(told(&log), [("ams3".into(), Some(Failed), true), ("fra1".into(), Some(Succeeded), true)]);

    let mut log = self::log();
    log.done("web1/switch");
    log.intent("web1/switch", 2, Call::Undo);
    log.result("web1/switch", 2, Call::Undo, CallEnd::Done { seen: "2.5.0 again".into() });
    log.add(Happened::Ended(Ending::Aborted { stays: vec![] }));
    assert_eq!(told(&log), [("fra1".into(), Some(Failed), true)], "the other site was never touched");
}

#[test]
fn what_was_refused_is_no_deployment_and_one_that_a_person_passed_over_is_not_there() {
    let mut log = log();
    log.intent("web1/switch", 1, Call::Apply);
    log.result("web1/switch", 1, Call::Apply, CallEnd::Refused { why: "current leads elsewhere".into() });
    log.add(Happened::Ended(Ending::Refused { why: "the world moved".into() }));
    assert_eq!(told(&log), []);

    let mut log = self::log();
    log.done("web1/switch");
    let by = crate::model::run::sample::actor();
    let request = crate::model::run::Request::Skip { step: "web2/switch".into(), reason: "it is gone".into() };
    log.intent("web2/switch", 1, Call::Apply);
    log.result("web2/switch", 1, Call::Apply, CallEnd::Failed { why: "gone".into() });
    log.add(Happened::Requested { request, by });
    log.done("web3/switch");
    log.add(Happened::Ended(Ending::Done));
    assert_eq!(told(&log), [("ams3".into(), Some(Succeeded), true), ("fra1".into(), Some(Failed), true)]);
}

#[test]
fn other_targets_make_no_deployment() {
    let mut plan = plan(&["web1"], vec![step("own/do")]);
    plan.targets = vec![Target { name: "outside".into(), kind: TargetKind::Outside }];
    let mut log = Log::begun("web-1", &plan);
    log.done("own/do");
    log.add(Happened::Ended(Ending::Done));
    assert_eq!(told(&log), []);
}
