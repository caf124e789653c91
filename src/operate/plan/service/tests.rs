//! Plans of service acts from this machine: hosts without `ssh`, with and without release folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::config::load::estate_from;
use crate::link::ssh::Hosts;
use crate::model::check::Verdict;
use crate::model::estate::Estate;
use crate::model::plan::{Act, Serving};
use crate::operate::preflight::unheard;

const NOW: &str = "2026-11-21T14:00:00Z";
const EDGE: &str = "[[service]]\nname = 'edge'\ndepends_on = ['web']\n[[service]]\nname = 'people'\ndepends_on = ['edge']\n";

struct World {
    folder: tempfile::TempDir,
    text: String,
}

impl World {
    /// Two hosts, which are this machine; the tables of the service `web` come after its name and hosts.
    fn new(service: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        let text = format!(
            "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n[[host]]\nname = 'web1'\n[[host]]\nname = 'web2'\n\
             [[source]]\nname = 'p'\nkind = 'prometheus'\nurl = 'http://127.0.0.1:1'\n\
             [[service]]\nname = 'web'\nhosts = ['web1', 'web2']\n{}\n{EDGE}",
            service.replace("ROOT", &root)
        );
        World { folder, text }
    }

    fn programs() -> World {
        World::new(
            "restart = { command = ['restart-it', '$host'], pid_file = 'ROOT/$host.pid' }\nstart = ['start-it', '$host']\nstop = ['stop-it', '$host']\n\
             health = { command = ['true'], times = 2, every = '1s', within = '5s' }",
        )
    }

    /// That process serves there, by its file.
    fn serves(&self, host: &str, pid: u32) {
        fs::write(self.folder.path().join(format!("{host}.pid")), format!("{pid}\n")).unwrap();
    }

    fn estate(&self) -> Estate {
        estate_from(Path::new("/e/estate.toml"), &self.text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    async fn plan(&self, deed: Deed, hosts: &[&str]) -> Result<Planned, PlanError> {
        let estate = self.estate();
        let over = Hosts::new(&estate.hosts);
        let until = Instant::now() + Duration::from_secs(60);
        let desk = Desk { estate: &estate, hosts: &over, history: &[], going: &[], journal: None, without: &[], until, heard: &unheard };
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        service(desk, deed, "web", &hosts, NOW.parse().unwrap()).await
    }
}

fn ids(planned: &Planned) -> Vec<&str> {
    planned.plan.steps.iter().map(|step| step.id.as_str()).collect()
}

fn run(words: &[&str]) -> Act {
    Act::Run { argv: words.iter().map(|word| (*word).to_owned()).collect() }
}

/// A number that no process has.
const NOBODY: u32 = 4_194_304;

#[tokio::test]
async fn a_restart_goes_host_by_host_and_each_must_be_a_new_process_that_is_well() {
    let world = World::programs();
    let me = std::process::id();
    world.serves("web1", me);
    world.serves("web2", me);
    let planned = world.plan(Deed::Restart, &[]).await.unwrap();
    assert_eq!(ids(&planned), ["web1/restart", "web1/runs", "web1/health", "web2/restart", "web2/runs", "web2/health"]);
    let plan = &planned.plan;
    assert_eq!(plan.steps[3].needs, ["web1/health"], "the second host waits for the first");
    assert_eq!((&plan.steps[0].act, &plan.steps[0].undo), (&run(&["restart-it", "web1"]), &None));
    let serving = Serving::PidFile { path: world.folder.path().join("web1.pid").display().to_string(), before: Some(me) };
    assert_eq!(plan.steps[1].act, Act::Running { release: None, serving });
    let again = world.plan(Deed::Restart, &[]).await.unwrap().plan;
    assert_eq!((again.hash(), again.phrase()), (plan.hash(), plan.phrase()), "the same world makes the same plan");
    assert!(plan.phrase().starts_with("web "));
    let told = plan.impact.costs.join(" ") + &plan.impact.keeps.join(" ");
    assert!(
        told.contains("1 of 2 hosts at a time does not serve while it starts again; the other carries its load.")
            && told.contains("Requests in flight"),
        "{told}"
    );
    let without_batch = plan.hash();
    world.serves("web2", NOBODY);
    let moved = world.plan(Deed::Restart, &[]).await.unwrap().plan;
    assert_ne!(moved.hash(), without_batch, "another process serves: it is another plan");
    assert!(moved.impact.doubts.iter().any(|doubt| doubt.id == "runs-not"), "{:?}", moved.impact.doubts);
}

#[tokio::test]
async fn named_hosts_alone_are_restarted_and_the_others_are_told_of() {
    let world = World::programs();
    world.serves("web1", std::process::id());
    world.serves("web2", std::process::id());
    let planned = world.plan(Deed::Restart, &["web2"]).await.unwrap();
    assert!(ids(&planned).iter().all(|id| id.starts_with("web2/")), "{:?}", ids(&planned));
    assert_eq!(planned.plan.hosts(), ["web2"]);
    assert!(planned.plan.impact.does.contains(&"web1 is not touched, and runs.".to_owned()), "{:?}", planned.plan.impact.does);
    assert_ne!(planned.plan.hash(), world.plan(Deed::Restart, &[]).await.unwrap().plan.hash());
    let wrong = world.plan(Deed::Restart, &["web9"]).await.unwrap_err().to_string();
    assert_eq!(wrong, "`web` has no host `web9`; it has web1, web2");
}

#[tokio::test]
async fn a_stop_says_who_is_not_served_any_more_and_the_last_host_must_be_passed_over_knowingly() {
    let world = World::programs();
    world.serves("web1", std::process::id());
    world.serves("web2", std::process::id());
    let one = world.plan(Deed::Stop, &["web1"]).await.unwrap();
    assert_eq!(ids(&one), ["web1/stop"]);
    assert_eq!((&one.plan.steps[0].act, &one.plan.steps[0].undo), (&run(&["stop-it", "web1"]), &Some(run(&["start-it", "web1"]))));
    assert!(one.plan.impact.costs[0].starts_with("1 of 2 hosts carry all the load"), "{:?}", one.plan.impact.costs);
    assert!(one.plan.impact.doubts.is_empty());
    let all = world.plan(Deed::Stop, &[]).await.unwrap();
    let costs = all.plan.impact.costs.join(" ");
    assert!(costs.contains("served by nobody afterwards") && costs.contains("These depend on it: edge, people."), "{costs}");
    let check = all.checks.iter().find(|check| check.id == "last-host").unwrap();
    assert!(check.verdict == Verdict::Warn && check.overridable, "{check:?}");
    // The other one is down already: what is left is the last.
    world.serves("web2", NOBODY);
    let last = world.plan(Deed::Stop, &["web1"]).await.unwrap();
    assert!(last.checks.iter().any(|check| check.id == "last-host"), "{:?}", last.plan.impact);
    let rest = world.plan(Deed::Stop, &[]).await.unwrap();
    assert_eq!(ids(&rest), ["web1/stop"], "what does not run is not stopped");
    assert!(rest.plan.impact.does.contains(&"On web2 it does not run: nothing is done there.".to_owned()));
    let nothing = world.plan(Deed::Stop, &["web2"]).await.unwrap_err();
    assert_eq!(nothing, PlanError::Nothing("web does not run on web2: nothing is to be done".into()));
}

#[tokio::test]
async fn what_runs_is_not_started_a_second_time() {
    let world = World::programs();
    world.serves("web1", std::process::id());
    world.serves("web2", NOBODY);
    let planned = world.plan(Deed::Start, &[]).await.unwrap();
    assert_eq!(ids(&planned), ["web2/start", "web2/runs", "web2/health"]);
    assert!(planned.plan.impact.does.contains(&"On web1 it runs already: nothing is done there.".to_owned()));
    let nothing = world.plan(Deed::Start, &["web1"]).await.unwrap_err().to_string();
    assert_eq!(nothing, "web runs already on web1: nothing is to be done");
    // Where nothing tells whether it runs, a person must know.
    let blind = World::new("start = ['start-it']\nstop = ['stop-it']");
    let planned = blind.plan(Deed::Start, &["web1"]).await.unwrap();
    let check = planned.checks.iter().find(|check| check.id == "runs-already/web1").unwrap();
    assert!(check.verdict == Verdict::Warn && check.seen.contains("second process"), "{check:?}");
    assert_eq!(planned.plan.steps[0].repeat, crate::model::plan::Repeat::Ask, "and it is not begun twice by itself");
}

#[tokio::test]
async fn what_the_estate_file_does_not_say_is_told_with_how_to_say_it() {
    for (text, deed, told) in [
        ("", Deed::Restart, "restart = { unit = \"web.service\" }` or `restart = { command = [...] }`"),
        ("restart = { command = ['x'] }", Deed::Stop, "or `stop = [...]`"),
        ("restart = { command = ['x'] }", Deed::Start, "or `start = [...]`"),
    ] {
        let why = World::new(text).plan(deed, &[]).await.unwrap_err().to_string();
        assert!(why.contains(told), "{why}");
    }
    let mut world = World::new("restart = { command = ['x'] }");
    world.text = world.text.replace("hosts = ['web1', 'web2']\n", "");
    assert!(world.plan(Deed::Restart, &[]).await.unwrap_err().to_string().contains("does not say on which hosts it runs"));
}

#[tokio::test]
async fn a_restart_and_a_rollback_meet_in_the_release_folder_and_without_one_each_host_has_a_lease_of_its_own() {
    let mut world = World::programs();
    let path = world.folder.path().join("web1");
    fs::create_dir_all(path.join("releases/2.5.0")).unwrap();
    symlink("releases/2.5.0", path.join("current")).unwrap();
    world.text +=
        &format!("[[history]]\nname = 'folders'\nkind = 'releases'\npath = '{}'\nhost = 'web1'\nservice = 'web'\n", path.display());
    let plan = world.plan(Deed::Restart, &[]).await.unwrap().plan;
    let folders: Vec<&str> = plan.targets.iter().filter_map(|target| target.kind.leasable()).map(|place| place.folder).collect();
    assert_eq!(folders, [path.to_str().unwrap(), "~/services/web.web2"], "two hosts of one machine do not share one");
    assert!(matches!(plan.targets[0].kind, TargetKind::Releases { .. }) && matches!(plan.targets[1].kind, TargetKind::Service { .. }));
    // What it will run is a part of what is confirmed: a switched link is another plan.
    assert!(matches!(&plan.step("web1/runs").unwrap().act, Act::Running { release: Some(release), .. } if release == "releases/2.5.0"));
    fs::create_dir_all(path.join("releases/2.6.0")).unwrap();
    fs::remove_file(path.join("current")).unwrap();
    symlink("releases/2.6.0", path.join("current")).unwrap();
    assert_ne!(world.plan(Deed::Restart, &[]).await.unwrap().plan.hash(), plan.hash());
}

#[test]
fn a_job_folder_is_named_by_the_service_and_by_the_host_only_where_two_share_a_machine() {
    let estate = World::programs().estate();
    let (mut all, service) = (estate.hosts.clone(), estate.service("web").unwrap());
    assert_eq!(job_folder(&all, service, &all[0]), "~/services/web.web1");
    all[0].ssh = Some("deploy@web1".into());
    assert_eq!(job_folder(&all, service, &all[0]), "~/services/web");
    let mut odd = service.clone();
    odd.name = "../a b".into();
    assert_eq!(job_folder(&all, &odd, &all[0]), "~/services/%2E%2E%2Fa%20b");
}

#[test]
fn a_unit_is_expected_as_it_was_only_while_it_is_steady() {
    let unit = |active: &str, restarts, since| crate::operate::survey::Unit {
        active: active.into(),
        restarts: Some(restarts),
        since: Some(since),
        ..Default::default()
    };
    assert!(steps::is_steady(&unit("active", 0, 1_000), 1_001), "nobody but a person started it");
    assert!(!steps::is_steady(&unit("active", 3, 1_000), 1_030), "systemd starts it again and again");
    assert!(steps::is_steady(&unit("active", 3, 1_000), 1_700), "it fell over once, long ago");
    assert!(!steps::is_steady(&unit("failed", 0, 1_000), 9_000));
}
