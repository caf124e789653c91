//! Plans from real folders of this machine: hosts without `ssh`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::load::estate_from;
use crate::model::check::Verdict;
use crate::model::deployment::{Dated, Ending, Trigger};
use crate::model::plan::Act;

/// Two hosts of one service, each with its own folder: two histories, as a path is one for all hosts of a history.
struct World {
    folder: tempfile::TempDir,
    more: String,
    history: Vec<Arc<Deployment>>,
    without: Vec<String>,
}

const NOW: &str = "2026-11-21T14:00:00Z";

fn act(second: i64, to: &str, result: Option<Ending>) -> Arc<Deployment> {
    let told = Deployment::new("web", Timestamp::from_second(second).unwrap(), Dated::Record, "log");
    Arc::new(Deployment { to: Some(to.into()), result, who: Some("ann".into()), ..told })
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let world = World { folder, more: String::new(), history: Vec::new(), without: Vec::new() };
        for host in ["web1", "web2"] {
            for name in ["2.3.0", "2.4.0", "2.5.0"] {
                fs::create_dir_all(world.at(host).join("releases").join(name)).unwrap();
            }
            symlink("releases/2.5.0", world.at(host).join("current")).unwrap();
        }
        let ok = Some(Ending::Succeeded);
        World { history: vec![act(300, "2.5.0", ok), act(200, "2.4.0", ok), act(100, "2.3.0", ok)], ..world }
    }

    fn at(&self, host: &str) -> PathBuf {
        self.folder.path().join(host)
    }

    fn switch(&self, host: &str, to: &str) {
        fs::remove_file(self.at(host).join("current")).unwrap();
        symlink(to, self.at(host).join("current")).unwrap();
    }

    fn estate(&self) -> Estate {
        let mut text = "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n".to_owned();
        for host in ["web1", "web2"] {
            let path = self.at(host).display().to_string();
            text += &format!(
                "[[host]]\nname = '{host}'\n[[history]]\nname = 'of {host}'\nkind = 'releases'\npath = '{path}'\nhost = '{host}'\nlog = '{path}/log'\nservice = 'web'\n"
            );
        }
        text += &self.more;
        estate_from(Path::new("/e/estate.toml"), &text).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    async fn plan(&self, to: Option<&str>) -> Result<Planned, PlanError> {
        self.plan_at(to, NOW).await
    }

    async fn plan_at(&self, to: Option<&str>, now: &str) -> Result<Planned, PlanError> {
        let estate = self.estate();
        let hosts = Hosts::new(&estate.hosts);
        let until = Instant::now() + Duration::from_secs(60);
        let desk = Desk {
            estate: &estate,
            hosts: &hosts,
            history: &self.history,
            going: &[],
            journal: None,
            without: &self.without,
            until,
            heard: &preflight::unheard,
        };
        rollback(desk, "web", to, now.parse().unwrap()).await
    }
}

const COMMAND: &str = "[[service]]\nname = 'web'\nrestart = { command = ['restart-it', '$host'], pid_file = '/nonexistent/pid' }\n";
const UNIT: &str = "[[service]]\nname = 'web'\nrestart = { unit = 'web.service', sudo = true }\nhealth = { http = 'http://$host:8000/' }\n";

fn ids(planned: &Planned) -> Vec<&str> {
    planned.plan.steps.iter().map(|step| step.id.as_str()).collect()
}

/// Every file and link below a folder with what it holds and when it was changed.
fn tree(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let holds = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let leads = fs::read_link(&path).ok();
            all.push(format!("{} {:?} {:?} {holds:?} {leads:?}", path.display(), meta.modified().unwrap(), meta.permissions()));
            if meta.is_dir() {
                open.push(path);
            }
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_unit_is_stopped_switched_started_and_looked_at_one_host_after_the_other() {
    let world = World { more: UNIT.to_owned(), ..World::new() };
    let before = tree(world.folder.path());
    let planned = world.plan(None).await.unwrap();
    assert_eq!(tree(world.folder.path()), before, "planning changes nothing");
    let steps = ["stop", "switch", "start", "runs", "health"];
    let all: Vec<String> = ["web1", "web2"].iter().flat_map(|host| steps.map(|step| format!("{host}/{step}"))).collect();
    assert_eq!(ids(&planned), all);
    let plan = &planned.plan;
    assert_eq!((plan.from.as_deref(), plan.to.as_deref()), (Some("2.5.0"), Some("2.4.0")));
    assert_eq!(plan.steps[5].needs, ["web1/health"], "the second host waits for the first");
    let switch = plan.step("web2/switch").unwrap();
    assert_eq!(switch.act, Act::SwitchLink { from: "releases/2.5.0".into(), to: "releases/2.4.0".into() });
    assert_eq!(switch.undo, Some(Act::SwitchLink { from: "releases/2.4.0".into(), to: "releases/2.5.0".into() }));
    assert!(
        matches!(&plan.step("web1/health").unwrap().act, Act::Healthy { ask: crate::model::operations::HealthAsk::Http { url, .. }, .. } if url == "http://web1:8000/")
    );
    assert!(plan.impact.does[0].contains("from 2.5.0 to 2.4.0 on web1, web2"), "{:?}", plan.impact);
    assert_eq!(plan.expires_at.duration_since(plan.made_at), SignedDuration::from_mins(15));
    let chosen = planned.candidates.iter().find(|one| one.chosen).unwrap();
    assert_eq!((chosen.version.as_str(), chosen.who.as_deref(), planned.candidates.len()), ("2.4.0", Some("ann"), 2));
    assert!(plan.evidence.iter().any(|one| one.from == "web1" && one.what.contains("current holds releases/2.5.0")));
}

#[tokio::test]
async fn the_same_world_makes_the_same_plan_and_another_one_does_not() {
    let mut world = World { more: UNIT.to_owned(), ..World::new() };
    let first = world.plan(None).await.unwrap().plan;
    let later = world.plan_at(None, "2026-11-21T14:09:00Z").await.unwrap().plan;
    assert_eq!(first.phrase(), later.phrase(), "the time is no part of it");
    let mut seen = vec![first.hash()];
    let mut other = async |world: &World, what: &str| {
        let hash = world.plan(None).await.unwrap().plan.hash();
        assert!(!seen.contains(&hash), "{what}");
        seen.push(hash);
    };
    fs::create_dir(world.at("web1").join(".quarterdeck")).unwrap();
    fs::write(world.at("web1").join(".quarterdeck/mark"), "m\n").unwrap();
    other(&world, "a mark").await;
    world.switch("web2", "releases/2.3.0");
    other(&world, "a link of one host").await;
    world.switch("web2", world.at("web2").join("releases/2.5.0").to_str().unwrap());
    other(&world, "the same link, written otherwise").await;
    world.more = UNIT.replace("sudo = true", "sudo = false");
    other(&world, "no sudo").await;
    world.more = format!("{UNIT}rollback = {{ batch = 2 }}\n");
    other(&world, "another order").await;
    let own = |more: &str| format!("{UNIT}[[service.rollback.after]]\nname = 'migrate'\ncommand = ['true']\n{more}");
    world.more = own("");
    other(&world, "a step of its own").await;
    world.more = own("point_of_no_return = true\n");
    other(&world, "a point of no return").await;
    let plan = world.plan(None).await.unwrap().plan;
    assert!(
        plan.step("after/migrate").unwrap().point_of_no_return && plan.steps.iter().filter(|step| step.point_of_no_return).count() == 1
    );
    let keeps = &plan.impact.keeps;
    assert!(
        keeps.iter().any(|line| line.contains("an abort leaves it and all that was done before it, 2.4.0 on the hosts too")),
        "{keeps:?}"
    );
    world.more = own("point_of_no_return = true\n").replace("after", "before");
    let keeps = world.plan(None).await.unwrap().plan.impact.keeps;
    assert!(keeps.iter().any(|line| line.contains("The hosts come after it and still are.")), "{keeps:?}");
}

#[tokio::test]
async fn hosts_that_differ_each_go_from_their_own_and_one_that_is_there_stays() {
    let world = World { more: UNIT.to_owned(), ..World::new() };
    world.switch("web2", "releases/2.4.0");
    let planned = world.plan(None).await.unwrap();
    assert!(ids(&planned).iter().all(|id| id.starts_with("web1/")), "{:?}", ids(&planned));
    assert!(planned.plan.impact.does.iter().any(|line| line.contains("web2 runs 2.4.0 already")));
    world.switch("web2", "releases/2.3.0");
    let planned = world.plan(None).await.unwrap();
    assert_eq!(
        planned.plan.step("web2/switch").unwrap().act,
        Act::SwitchLink { from: "releases/2.3.0".into(), to: "releases/2.4.0".into() }
    );
    assert!(planned.plan.impact.does.iter().any(|line| line.contains("do not run the same release")));
}

#[tokio::test]
async fn where_there_is_no_systemd_a_program_starts_it_and_taking_back_starts_it_last() {
    let world = World { more: COMMAND.to_owned(), ..World::new() };
    let planned = world.plan(Some("2.3.0")).await.unwrap();
    assert_eq!(ids(&planned)[..4], ["web1/ready", "web1/switch", "web1/restart", "web1/runs"]);
    let argv = vec!["restart-it".to_owned(), "web1".to_owned()];
    assert_eq!(planned.plan.step("web1/restart").unwrap().act, Act::Run { argv: argv.clone() });
    assert_eq!(planned.plan.step("web1/ready").unwrap().undo, Some(Act::Run { argv }), "undone after the switch is");
    let restart = planned.plan.step("web1/restart").unwrap();
    assert_eq!((&restart.undo, restart.undone_with.as_deref()), (&None, Some("web1/ready")));
    assert!(planned.plan.impact.keeps.iter().any(|line| line.contains("names no health check")));
}

#[tokio::test]
async fn own_steps_the_guard_and_the_note_stand_where_they_belong() {
    let own = "[service.rollback]\nbatch = 2\nguard = '30s'\nnote = true\n[[service.rollback.before]]\nname = 'page'\ncommand = ['page', 'on', '$from', '$to']\nundo = { command = ['page', 'off'] }\n[[service.rollback.after]]\nname = 'ask'\nmanual = 'Is $to well?'\n[[source]]\nname = 'p'\nkind = 'prometheus'\nurl = 'http://127.0.0.1:1'\n[[panel]]\nname = 'errors'\nsource = 'p'\nservice = 'web'\nquery = 'up'\n";
    let world = World { more: format!("{UNIT}{own}"), ..World::new() };
    let planned = world.plan(None).await.unwrap();
    let all = ids(&planned);
    assert_eq!((all[0], all[11], all[12], all[13], all[14]), ("before/page", "batch-1/guard", "after/ask", "web1/note", "web2/note"));
    let plan = &planned.plan;
    assert_eq!(
        (plan.steps[1].needs.join(" "), plan.steps[6].needs.join(" ")),
        ("before/page".into(), "before/page".into()),
        "side by side"
    );
    assert_eq!(plan.steps[11].needs, ["web1/health", "web2/health"]);
    assert_eq!(plan.steps[0].act, Act::Run { argv: ["page", "on", "2.5.0", "2.4.0"].map(str::to_owned).to_vec() });
    assert_eq!(plan.steps[12].act, Act::Manual { what: "Is 2.4.0 well?".into() });
    assert!(matches!(&plan.steps[11].act, Act::Guard { seconds: 30, panels, .. } if panels == &["errors"]));
    let Act::AppendLog { line, .. } = &plan.steps[13].act else { panic!("{:?}", plan.steps[13]) };
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((line["id"].as_str(), line["version"].as_str(), line["source"].as_str()), (Some("$run"), Some("2.4.0"), Some("rollback")));
    for step in &plan.steps {
        let place = plan.steps.iter().position(|other| other.id == step.id).unwrap();
        assert!(step.needs.iter().all(|need| plan.steps[..place].iter().any(|before| before.id == *need)), "{}", step.id);
        assert!(plan.targets.get(step.target).is_some(), "{}", step.id);
    }
}

#[tokio::test]
async fn a_release_that_one_host_lacks_blocks_and_names_it() {
    let world = World { more: UNIT.to_owned(), ..World::new() };
    fs::remove_dir(world.at("web2").join("releases/2.4.0")).unwrap();
    let planned = world.plan(None).await.unwrap();
    let lacks: Vec<&str> = planned.candidates[0].hosts_missing.iter().map(String::as_str).collect();
    assert_eq!((planned.candidates[0].version.as_str(), lacks), ("2.4.0", vec!["web2"]));
    let check = planned.checks.iter().find(|check| check.id == "release/web2").unwrap();
    assert!(check.verdict == Verdict::Block && check.seen.contains("web2 does not have 2.4.0"), "{check:?}");
    assert!(planned.checks.iter().any(|check| check.id == "release/web1" && check.passes()));
}

#[tokio::test]
async fn without_a_plan_the_reason_says_what_can_be_named() {
    let mut world = World { more: UNIT.to_owned(), ..World::new() };
    let same = world.plan(Some("2.5.0")).await.unwrap_err();
    assert!(matches!(&same, PlanError::Same { .. }) && same.to_string().contains("runs on all hosts already"), "{same}");
    let none = world.plan(Some("9")).await.unwrap_err().to_string();
    assert_eq!(none, "no host has the release `9`; there are 2.4.0, 2.3.0");
    world.history.remove(1);
    world.history.insert(1, act(200, "2.4.0", Some(Ending::Failed)));
    let failed = world.plan(None).await.unwrap_err().to_string();
    assert_eq!(failed, "the deployment before it, of 2.4.0, failed; name one with --to: 2.4.0, 2.3.0");
    world.history.clear();
    assert!(world.plan(None).await.unwrap_err().to_string().starts_with("no history tells when 2.5.0 was deployed; name one"));
    assert!(world.plan(Some("2.4.0")).await.is_ok());
    world.more = "[[service]]\nname = 'web'\n".to_owned();
    assert!(world.plan(None).await.unwrap_err().to_string().contains("does not say how it is started again"));
    fs::remove_file(world.at("web2").join("current")).unwrap();
    world.more = UNIT.to_owned();
    assert_eq!(world.plan(None).await.unwrap_err().to_string(), "web2: what runs there cannot be told from `current`: it is not there");
    let estate = world.estate();
    let hosts = Hosts::new(&estate.hosts);
    let until = Instant::now();
    let desk =
        Desk { estate: &estate, hosts: &hosts, history: &[], going: &[], journal: None, without: &[], until, heard: &preflight::unheard };
    assert!(rollback(desk, "wbe", None, NOW.parse().unwrap()).await.unwrap_err().to_string().contains("it has web"));
}

#[tokio::test]
async fn a_host_that_is_left_out_is_not_asked_and_must_be_passed_over_knowingly() {
    let mut world = World { more: UNIT.to_owned(), ..World::new() };
    let whole = world.plan(None).await.unwrap().plan;
    fs::remove_file(world.at("web2").join("current")).unwrap();
    assert!(world.plan(None).await.is_err());
    world.without = vec!["web2".into()];
    let planned = world.plan(None).await.unwrap();
    assert!(ids(&planned).iter().all(|id| id.starts_with("web1/")) && planned.plan.hash() != whole.hash());
    assert!(planned.plan.impact.keeps[0].starts_with("web2 is left out: what runs there stays"), "{:?}", planned.plan.impact);
    assert_eq!((planned.plan.from.as_deref(), planned.plan.to.as_deref()), (whole.from.as_deref(), whole.to.as_deref()));
    let costs = "web1 is out of service from its stop until it is started again; the other host carries the load.";
    assert_eq!(planned.plan.impact.costs[0], costs);
    let check = planned.checks.iter().find(|check| check.id == "left-out/web2").unwrap();
    assert!(check.verdict == Verdict::Warn && check.overridable, "{check:?}");
    world.without.push("web1".into());
    assert!(world.plan(None).await.unwrap_err().to_string().contains("all hosts of `web` are left out"));
    world.without = vec!["web9".into()];
    assert!(world.plan(None).await.unwrap_err().to_string().ends_with("it has web1, web2"));
}

#[tokio::test]
async fn after_a_rollback_the_default_is_not_what_was_fled_from() {
    let mut world = World { more: UNIT.to_owned(), ..World::new() };
    world.switch("web1", "releases/2.4.0");
    world.switch("web2", "releases/2.4.0");
    let mut back = Deployment::clone(&world.history[1]);
    (back.at, back.trigger, back.from) = (Timestamp::from_second(400).unwrap(), Some(Trigger::Rollback), Some("2.5.0".into()));
    world.history.insert(0, Arc::new(back));
    assert_eq!(world.plan(None).await.unwrap().plan.to.as_deref(), Some("2.3.0"));
}

#[test]
fn where_hosts_are_left_out_nothing_to_do_is_said_of_those_that_take_part() {
    let same = |without| PlanError::Same { version: "2.4.0".into(), without, candidates: vec![] }.to_string();
    assert_eq!(same(false), "2.4.0 runs on all hosts already: nothing is to be done");
    assert!(same(true).contains("on all hosts that take part already"), "those that are left out may need it");
}
