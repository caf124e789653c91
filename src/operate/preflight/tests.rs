//! Each check on a world that is made up: what holds, and what does not.

use jiff::SignedDuration;

use super::*;
use crate::config::load::estate_from;
use crate::link::ssh::Lease;
use crate::model::plan::{Deed, FORMAT, Impact, OnFailure, Repeat, Step};
use crate::operate::survey::{Folder, Unit};

fn now() -> Timestamp {
    // A Saturday.
    "2026-11-21T14:00:00Z".parse().unwrap()
}

fn estate(more: &str) -> Estate {
    let text = format!(
        "version = 1\n[estate]\nname = 'e'\nenvironment = 'test'\n[[source]]\nname = 'p'\nkind = 'prometheus'\nurl = 'http://p'\n[[service]]\nname = 'web'\n{more}"
    );
    estate_from(std::path::Path::new("e.toml"), &text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn step(id: &str, act: Act) -> Step {
    Step {
        id: id.into(),
        title: String::new(),
        target: 0,
        needs: vec![],
        act,
        undo: None,
        repeat: Repeat::Once,
        timeout: 1,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    }
}

fn plan() -> Plan {
    let kind =
        TargetKind::Releases { host: "web1".into(), ssh: None, machine_id: "m1".into(), folder: "/srv".into(), mark: Some("w".into()) };
    Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "e".into(),
        environment: "test".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2".into()),
        to: Some("1".into()),
        targets: vec![Target { name: "web1".into(), kind }],
        steps: vec![
            step("web1/stop", Act::StopUnit { unit: "web.service".into(), sudo: true }),
            step("web1/switch", Act::SwitchLink { from: "releases/2".into(), to: "releases/1".into() }),
        ],
        impact: Impact::default(),
        evidence: vec![],
        made_at: now(),
        expires_at: now() + SignedDuration::from_mins(15),
    }
}

fn well() -> Survey {
    Survey {
        as_of: now(),
        skew: SignedDuration::ZERO,
        machine_id: "m1".into(),
        hostname: "web1".into(),
        user: "deploy".into(),
        boot: "b".into(),
        uptime: 9,
        systemd: true,
        kills: Some(false),
        lacks: vec![],
        folder: Some(Folder {
            there: true,
            current: Some(Ok("releases/2".into())),
            releases: vec!["1".into(), "2".into()],
            writable: true,
            free: Some(1 << 40),
            inodes: Some(1 << 20),
            mark: Some("w".into()),
            ..Folder::default()
        }),
        unit: Some(Unit { load: "loaded".into(), active: "active".into(), sub: "running".into(), ..Unit::default() }),
        sudo: Some(true),
        alive: None,
        pid: None,
        log: Some(true),
        alone: vec![],
    }
}

/// The checks that do not pass: id and verdict.
fn wrong(estate: &Estate, plan: &Plan, survey: Survey, run: Option<&str>, going: &[Going]) -> Vec<(String, Verdict)> {
    let seen = [Some(Ok(survey))];
    let own = Own { begun: run.is_some(), fences: vec![1] };
    let all = judge(&Case { plan, estate, seen: &seen, heads: &[Told::Nothing], going: Ok(going), now: now(), run, own: &own });
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "a check is overridden by its name");
    assert!(all.iter().all(|check| !check.seen.is_empty()));
    all.into_iter().filter(|check| !check.passes()).map(|check| (check.id, check.verdict)).collect()
}

#[test]
fn two_names_of_one_machine_are_not_two_hosts() {
    let mut two = plan();
    two.targets.push(Target { name: "web2".into(), ..two.targets[0].clone() });
    let judged = |change: fn(&mut Survey)| {
        let mut other = well();
        change(&mut other);
        let (seen, estate) = ([Some(Ok(well())), Some(Ok(other))], estate(""));
        let own = Own::default();
        let all = judge(&usual(&two, &estate, &seen, &own));
        all.into_iter().find(|check| check.id == "one-host")
    };
    let found = judged(|_| {}).unwrap();
    assert!(found.verdict == Verdict::Block && !found.overridable && found.seen.contains("web1 and web2 are one machine"), "{found:?}");
    // A clone keeps the machine-id, and containers of one machine its boot.
    for other in [(|survey| survey.boot = "c".into()) as fn(&mut Survey), |survey| survey.hostname = "web2".into()] {
        assert_eq!(judged(other), None);
    }
}

fn of(change: impl FnOnce(&mut Survey)) -> Vec<(String, Verdict)> {
    let mut survey = well();
    change(&mut survey);
    wrong(&estate(""), &plan(), survey, None, &[])
}

fn one(id: &str, verdict: Verdict) -> Vec<(String, Verdict)> {
    vec![(id.to_owned(), verdict)]
}

fn folder(survey: &mut Survey) -> &mut Folder {
    survey.folder.as_mut().unwrap()
}

#[test]
fn a_world_that_is_well_passes_all_of_them() {
    assert_eq!(of(|_| {}), []);
}

#[test]
fn each_check_tells_what_is_wrong() {
    use Verdict::{Block, Unknown, Warn};
    assert_eq!(of(|s| s.machine_id = "m2".into()), one("identity/web1", Block));
    assert_eq!(of(|s| s.machine_id.clear()), one("identity/web1", Block));
    assert_eq!(of(|s| folder(s).mark = None), one("mark/web1", Block));
    assert_eq!(of(|s| folder(s).mark = Some("x".into())), one("mark/web1", Block));
    assert_eq!(of(|s| folder(s).current = Some(Ok("releases/3".into()))), one("current/web1", Block));
    assert_eq!(of(|s| folder(s).current = Some(Ok("releases/1".into()))), one("current/web1", Block));
    assert_eq!(of(|s| folder(s).current = Some(Err("x".into()))), one("current/web1", Block));
    assert_eq!(of(|s| drop(folder(s).releases.remove(0))), one("release/web1", Block));
    assert_eq!(of(|s| folder(s).damaged = true), one("lease/web1", Block));
    assert_eq!(of(|s| folder(s).busy = Some("run-9 web1/switch".into())), one("lease/web1", Block));
    assert_eq!(of(|s| folder(s).writable = false), one("folder/web1", Block));
    assert_eq!(of(|s| folder(s).free = Some(1 << 20)), one("disk/web1", Block));
    assert_eq!(of(|s| folder(s).free = Some(32 << 20)), one("disk/web1", Warn));
    assert_eq!(of(|s| folder(s).inodes = Some(3)), one("disk/web1", Block));
    assert_eq!(of(|s| folder(s).inodes = None), []);
    assert_eq!(of(|s| folder(s).free = None), one("disk/web1", Unknown));
    assert_eq!(of(|s| s.unit.as_mut().unwrap().load = "masked".into()), one("unit/web1", Block));
    assert_eq!(of(|s| s.unit.as_mut().unwrap().load = "not-found".into()), one("unit/web1", Block));
    assert_eq!(of(|s| s.unit.as_mut().unwrap().load.clear()), one("unit/web1", Unknown));
    assert_eq!(of(|s| s.systemd = false), one("unit/web1", Block));
    assert_eq!(of(|s| s.sudo = Some(false)), one("sudo/web1", Block));
    assert_eq!(of(|s| s.log = Some(false)), one("log/web1", Warn));
    assert_eq!(of(|s| s.lacks.push("flock".into())), one("tools/web1", Block));
    assert_eq!(of(|s| s.skew = SignedDuration::from_secs(-3)), one("clock/web1", Warn));
    assert_eq!(of(|s| s.alone.push("its key must be touched".into())), one("reach/web1", Warn));
    assert_eq!(of(|s| s.kills = Some(true)), one("logind/web1", Warn));
    assert_eq!(of(|s| s.as_of = now() - SignedDuration::from_mins(2)), one("freshness", Unknown));
}

/// Before the run of that plan is begun, with nothing else under way and no head at its host.
fn usual<'a>(plan: &'a Plan, estate: &'a Estate, seen: &'a [Seen], own: &'a Own) -> Case<'a> {
    Case { plan, estate, seen, heads: &[Told::Nothing], going: Ok(&[]), now: now(), run: None, own }
}

#[test]
fn a_host_that_is_silent_is_no_pass_and_cannot_be_overridden() {
    let (estate, plan) = (estate(""), plan());
    let seen = [Some(Err("web1: no route".to_owned()))];
    let all = judge(&usual(&plan, &estate, &seen, &Own::default()));
    let open: Vec<&str> = all.iter().filter(|check| !check.passes()).map(|check| check.id.as_str()).collect();
    assert_eq!(open, ["freshness", "reach/web1"]);
    assert!(all.iter().filter(|check| !check.passes()).all(|check| !check.overridable && !check.glass));
}

#[test]
fn a_journal_that_cannot_be_read_is_no_pass_and_cannot_be_overridden() {
    let (estate, plan) = (estate(""), plan());
    let seen = [Some(Ok(well()))];
    let all = judge(&Case { going: Err("no"), ..usual(&plan, &estate, &seen, &Own::default()) });
    let open: Vec<_> =
        all.iter().filter(|check| !check.passes()).map(|check| (check.id.as_str(), check.verdict, check.overridable)).collect();
    assert_eq!(open, [("other-run", Verdict::Unknown, false)]);
}

#[test]
fn what_the_plans_own_run_did_is_no_fault_and_what_another_does_is() {
    let lease = |run: &str| Some(Lease { run: run.into(), fence: 1, who: "bob@jump".into(), seconds: 20 });
    let mut mine = well();
    (folder(&mut mine).current, folder(&mut mine).lease) = (Some(Ok("releases/1".into())), lease("run-1"));
    let mut late = plan();
    late.expires_at = now() - SignedDuration::from_secs(1);
    let going = [Going { run: "run-1".into(), service: Some("web".into()), hosts: vec!["web1".into()], who: "ann".into(), holds: true }];
    assert_eq!(wrong(&estate(""), &late, mine.clone(), Some("run-1"), &going), []);
    let all: Vec<String> = wrong(&estate(""), &late, mine, None, &going).into_iter().map(|(id, _)| id).collect();
    assert_eq!(all, ["plan", "other-run", "current/web1", "lease/web1"]);
    let of_host = [Going { service: Some("api".into()), ..going[0].clone() }];
    assert_eq!(wrong(&estate(""), &plan(), well(), None, &of_host), one("other-run", Verdict::Block));
    let idle = [Going { run: "run-2".into(), holds: false, ..going[0].clone() }];
    assert_eq!(wrong(&estate(""), &plan(), well(), Some("run-1"), &idle), [], "it is the other one that ends");
    assert_eq!(wrong(&estate(""), &plan(), well(), None, &idle), one("other-run", Verdict::Block), "but nobody begins a second one");
    let elsewhere = [Going { hosts: vec!["db1".into()], ..of_host[0].clone() }];
    assert_eq!(wrong(&estate(""), &plan(), well(), None, &elsewhere), []);
}

#[test]
fn a_mark_that_was_not_there_is_its_own_where_no_more_had_the_lease_than_its_own_runners() {
    let mut first = plan();
    let TargetKind::Releases { mark, .. } = &mut first.targets[0].kind else { panic!() };
    *mark = None;
    let told = |fence: u64, holder: &str, fences: Vec<u64>| {
        let mut survey = well();
        folder(&mut survey).fence = fence;
        folder(&mut survey).lease = Some(Lease { run: holder.into(), fence, who: "ann@jump".into(), seconds: 20 });
        let (seen, own) = ([Some(Ok(survey))], Own { begun: false, fences });
        let of = estate("");
        let all = judge(&Case { run: Some("run-1"), ..usual(&first, &of, &seen, &own) });
        all.into_iter().filter(|check| !check.passes()).map(|check| check.id).collect::<Vec<_>>()
    };
    assert_eq!(told(1, "run-1", vec![1]), Vec::<String>::new(), "the first runner");
    assert_eq!(told(2, "run-1", vec![2]), Vec::<String>::new(), "the one that took it up");
    assert_eq!(told(1, "run-1", vec![2]), Vec::<String>::new(), "one that was lost before it asked");
    assert_eq!(told(3, "run-1", vec![2]), ["mark/web1"], "another run had it in between");
    assert_eq!(told(2, "run-2", vec![2]), ["mark/web1", "lease/web1"], "another run has it");
}

#[test]
fn a_freeze_blocks_until_the_glass_is_broken_and_wins_over_an_open_window() {
    let freeze = "[[freeze]]\nname = 'f'\nfrom = '2026-11-20'\nto = '2026-11-21'\nservices = ['web']\n";
    let open = "[[window]]\nname = 'w'\nwhen = 'Sat 13:00-15:00'\n";
    let closed = "[[window]]\nname = 'w'\nwhen = 'Sun 13:00-15:00'\n";
    let told = |more: &str| wrong(&estate(more), &plan(), well(), None, &[]);
    assert_eq!(told(&format!("{freeze}{open}")), one("freeze", Verdict::Block));
    assert_eq!(told(open), []);
    assert_eq!(told(closed), one("window", Verdict::Warn));
    assert_eq!(told("[[window]]\nname = 'w'\nwhen = 'Sun 13:00-15:00'\nservices = ['db']\n[[service]]\nname = 'db'\n"), []);
    let (estate, plan) = (estate(freeze), plan());
    let seen = [Some(Ok(well()))];
    let all = judge(&usual(&plan, &estate, &seen, &Own::default()));
    let check = all.iter().find(|check| check.id == "freeze").unwrap();
    assert!(!check.is_settled(&[], false) && check.is_settled(&[], true), "{check:?}");
    assert_eq!(check.title, "a freeze holds", "beside `block` the title says what is so");
}

#[test]
fn whether_the_data_fits_is_asked_where_there_is_data() {
    let with = "depends_on = ['db']\n[[service]]\nname = 'db'\n[[database]]\nname = 'm'\nkind = 'postgres'\nnodes = ['host=db1']\nservice = 'db'\n";
    assert_eq!(wrong(&estate(with), &plan(), well(), None, &[]), one("migrations", Verdict::Warn));
}

#[test]
fn what_a_run_left_at_a_host_and_the_journal_does_not_hold_stops_everything() {
    let head = || crate::journal::Head { count: 9, hash: "a".repeat(64) };
    let judged = |left: bool, told: Option<Told>| {
        let (mut survey, plan, estate, own) = (well(), plan(), estate(""), Own::default());
        folder(&mut survey).head = left.then(|| "web-1 9 x".to_owned());
        let (seen, heads) = ([Some(Ok(survey))], Vec::from_iter(told));
        let case = Case { plan: &plan, estate: &estate, seen: &seen, heads: &heads, going: Ok(&[]), now: now(), run: None, own: &own };
        let check = judge(&case).into_iter().find(|check| check.id == "head/web1").unwrap();
        (check.verdict, check.overridable, check.seen)
    };
    assert_eq!(judged(false, Some(Told::Nothing)).0, Verdict::Pass);
    for told in [Told::Same(9), Told::Lost(9), Told::Foreign("web-1".into())] {
        assert_eq!(judged(true, Some(told)).0, Verdict::Pass);
    }
    for told in [Told::Short { head: head(), there: 4 }, Told::Other(head())] {
        let (verdict, overridable, seen) = judged(true, Some(told));
        assert_eq!((verdict, overridable), (Verdict::Block, false));
        assert!(seen.contains(&format!("`qd journal verify --head \"9 {}\"`", "a".repeat(64))), "{seen}");
    }
    // Where nobody held it against the journal, nobody knows: that is no pass.
    for told in [None, Some(Told::Nothing), Some(Told::Unknown("locked".into()))] {
        let (verdict, overridable, _) = judged(true, told);
        assert_eq!((verdict, overridable), (Verdict::Unknown, false));
    }
    assert_eq!((judged(true, Some(Told::Odd)).0, judged(true, Some(Told::Odd)).1), (Verdict::Warn, true));
}
