//! The real world on a folder of this machine: checks, the lease, a switch, and its reading back.

use std::fs;
use std::os::unix::fs::symlink;

use jiff::SignedDuration;

use super::*;
use crate::model::check::open;
use crate::model::estate::Host;
use crate::model::estate::tests::bare;
use crate::model::plan::TargetKind;
use crate::model::plan::{Deed, FORMAT, Impact, OnFailure, Repeat, Step, Target};
use crate::model::run::CallEnd;

fn machine_id() -> String {
    fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned()
}

/// A release folder with two releases, and the plan that takes it from the one to the other.
fn world(folder: &std::path::Path, run: &str) -> (Ground, Arc<Plan>) {
    let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: None };
    let estate = Estate { hosts: vec![host], ..bare(vec![]) };
    let act = Act::SwitchLink { from: "releases/2".into(), to: "releases/1".into() };
    let step = Step {
        id: "web1/switch".into(),
        title: "switch".into(),
        target: 0,
        needs: vec![],
        act,
        undo: None,
        repeat: Repeat::Once,
        timeout: 30,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    };
    let kind = TargetKind::Releases {
        host: "web1".into(),
        ssh: None,
        machine_id: machine_id(),
        folder: folder.to_str().unwrap().to_owned(),
        mark: None,
    };
    let plan = Plan {
        format: FORMAT,
        deed: Deed::Silence,
        estate: "e".into(),
        environment: "test".into(),
        subject: "web".into(),
        service: None,
        from: Some("2".into()),
        to: Some("1".into()),
        targets: vec![Target { name: "web1".into(), kind }],
        steps: vec![step],
        impact: Impact::default(),
        evidence: vec![],
        made_at: Timestamp::now(),
        expires_at: Timestamp::now() + SignedDuration::from_mins(15),
    };
    let hosts = Arc::new(Hosts::new(&estate.hosts));
    let ground = Ground::new(
        Arc::new(estate),
        hosts,
        crate::watch::no_past(),
        Arc::new(|| Ok(Vec::new())),
        std::time::Duration::from_secs(60),
        run.into(),
        "ann@jump".into(),
    );
    (ground, Arc::new(plan))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1", "2"] {
        fs::create_dir_all(folder.path().join("releases").join(name)).unwrap();
    }
    symlink("releases/2", folder.path().join("current")).unwrap();
    folder
}

/// Ids of the checks that stand in the way, but for the disk and the identity of the machine that the test runs on.
async fn stand(ground: &Ground, plan: &Arc<Plan>, own: Own) -> Vec<String> {
    let checks = ground.check(plan.clone(), own).await;
    let own = |id: &str| !["disk/", "identity/", "logind", "tools/"].iter().any(|kind| id.starts_with(kind));
    open(&checks, &[], false).filter(|check| own(&check.id)).map(|check| check.id.clone()).collect()
}

#[tokio::test]
async fn a_switch_is_checked_leased_made_and_read_back_and_another_run_is_kept_out() {
    let folder = folder();
    let (ground, plan) = world(folder.path(), "run-1");
    assert_eq!(stand(&ground, &plan, Own::default()).await, Vec::<String>::new());
    let permit = |step: &str, fence| Permit::mint("run-1", step, 1, fence, &format!("1 {}", "0".repeat(64)));
    let Some(Leased::Held(fence)) = ground.take_lease(permit("lease", None), plan.clone(), 0).await else { panic!("no lease") };
    let before = ground.observe(plan.clone(), 0, Call::Apply, "run-1".into(), 1).await;
    assert!(matches!(before, Found::NotDone { .. }), "{before:?}");

    let (other, _) = world(folder.path(), "run-2");
    assert_eq!(stand(&other, &plan, Own::default()).await, ["mark/web1", "lease/web1"], "the lease of run-1 made a mark");
    let taken = other.take_lease(Permit::mint("run-2", "lease", 1, None, &format!("1 {}", "0".repeat(64))), plan.clone(), 0).await;
    assert!(matches!(&taken, Some(Leased::Other(who)) if who.contains("run-1") && who.contains("ann@jump")), "{taken:?}");

    let called = ground.call(permit("web1/switch", Some(fence)), plan.clone(), 0, Call::Apply).await;
    assert!(matches!(called.end, CallEnd::Done { .. }), "{called:?}");
    assert_eq!(fs::read_link(folder.path().join("current")).unwrap(), std::path::Path::new("releases/1"));
    assert!(matches!(ground.observe(plan.clone(), 0, Call::Apply, "run-1".into(), 1).await, Found::Done { .. }));
    assert_eq!(stand(&ground, &plan, Own { begun: true, fences: vec![1] }).await, Vec::<String>::new(), "what its own run did is no fault");
    assert_eq!(ground.renew_lease(plan.clone(), 0, "run-1".into(), fence).await, Leased::Held(fence));
    assert_eq!(ground.give_lease(plan.clone(), 0, "run-1".into(), fence).await, Ok(()));
    assert!(matches!(ground.renew_lease(plan, 0, "run-1".into(), fence).await, Leased::Other(_)));
}

#[tokio::test]
async fn what_a_slow_command_prints_is_told_while_it_runs_and_without_secrets() {
    let folder = folder();
    let (ground, plan) = world(folder.path(), "run-1");
    let mut slow = (*plan).clone();
    let script = "echo first; echo DB_PASSWORD=hunter2; while [ ! -e \"$0\" ]; do sleep 0.05; done; echo last";
    let stop = folder.path().join("stop").to_str().unwrap().to_owned();
    slow.steps[0].act = Act::Run { argv: vec!["sh".into(), "-c".into(), script.into(), stop.clone()] };
    let (ground, plan) = (Arc::new(ground), Arc::new(slow));
    let permit = |step: &str, fence| Permit::mint("run-1", step, 1, fence, &format!("1 {}", "0".repeat(64)));
    let Some(Leased::Held(fence)) = ground.take_lease(permit("lease", None), plan.clone(), 0).await else { panic!("no lease") };
    let of = (ground.clone(), plan.clone(), permit("web1/switch", Some(fence)));
    let call = tokio::spawn(async move { of.0.call(of.2, of.1, 0, Call::Apply).await });
    let printed = loop {
        assert!(!call.is_finished(), "it ended before it was told to");
        let printed = ground.printed(plan.clone(), 0, Call::Apply, "run-1".into(), 1).await.unwrap_or_default();
        let printed = String::from_utf8(printed).unwrap();
        if printed.lines().count() == 2 {
            break printed;
        }
    };
    assert_eq!(printed, "first\nDB_PASSWORD=(taken out)");
    fs::write(stop, "").unwrap();
    let called = call.await.unwrap();
    assert_eq!(called.output.last().unwrap(), "last");
}
