//! Silences as acts on two real Alertmanagers that are one set: made once, found on both, lengthened, ended.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::act::{self, Called, Reach};
use quarterdeck::journal::{self, Hand, Journal};
use quarterdeck::link::permit::Permit;
use quarterdeck::link::ssh::Hosts;
use quarterdeck::model::check::{Override, Verdict};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::plan::silence::{Which, Wish};
use quarterdeck::model::plan::{Found, Plan, Planned};
use quarterdeck::model::run::{Agreement, Call, CallEnd, Ending};
use quarterdeck::model::silence::SilenceMatcher;
use quarterdeck::operate::ground::Ground;
use quarterdeck::operate::order::Order;
use quarterdeck::operate::plan::silence::{checks, silence};
use quarterdeck::operate::runner::{Begin, Book, Folder, NoHooks, Outcome, Pace, begin};
use quarterdeck::watch;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::estate::{estate, source};
use crate::http;
use crate::servers::{self, Server, have, until};
use crate::systemd;

const NEEDS: &[&str] = &["prometheus-alertmanager"];
const RUN: &str = "1-alert-20261121T140455Z-3f2a";

struct Set {
    estate: Arc<Estate>,
    reach: Reach,
    _folder: TempDir,
}

impl Set {
    fn of(urls: &[String]) -> Set {
        let folder = tempdir().unwrap();
        let estate = estate(folder.path() as &Path, &source("am", "alertmanager", urls, "dead_man = { alertname = \"Watchdog\" }"));
        let reach = Reach::new(Arc::new(Hosts::new(&[]))).with(estate.clone());
        Set { estate, reach, _folder: folder }
    }

    async fn planned(&self, wish: &Wish, reason: &str) -> Planned {
        silence(&self.estate, None, wish, "ann@jump", reason).await.unwrap()
    }

    async fn muted(&self, alertname: &str) -> Plan {
        let matchers = vec![SilenceMatcher::equal("alertname", alertname)];
        self.planned(&Wish::Mute { matchers, until: hours(2) }, "the disk is being replaced").await.plan
    }

    async fn call(&self, plan: &Plan, run: &str, call: Call) -> Called {
        let permit = Permit::mint(run, &plan.steps[0].id, 1, None, "1 a");
        act::apply(&self.reach, permit, plan, 0, call).await
    }

    async fn observe(&self, plan: &Plan, call: Call) -> Found {
        act::observe(&self.reach, plan, 0, call, RUN, 1).await
    }
}

fn hours(hours: i64) -> Timestamp {
    Timestamp::from_second((Timestamp::now() + SignedDuration::from_hours(hours)).as_second()).unwrap()
}

fn urls(pair: &[Server; 2]) -> Vec<String> {
    pair.iter().map(Server::url).collect()
}

/// Silences of this peer that have not ended.
fn live(port: u16) -> Vec<Value> {
    let all = http::get(port, "/api/v2/silences").unwrap();
    all.as_array().unwrap().iter().filter(|silence| silence["status"]["state"] != "expired").cloned().collect()
}

fn done(called: &Called) -> &str {
    match &called.end {
        CallEnd::Done { seen } => seen,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_made_once_and_read_back_on_both_peers() {
    if !have("a_silence_is_made_once_and_read_back_on_both_peers", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("service", "web")]);
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "active");
    }
    let set = Set::of(&urls(&pair));
    let hostile = "down\u{1b}[2J for \"work\" \\ \u{202e}; DROP TABLE\n</script> 'x'";
    let wish = Wish::Ack { alert: "DiskFull".to_owned(), until: hours(2) };
    let Planned { plan, checks, .. } = set.planned(&wish, hostile).await;
    assert!(checks.iter().all(|check| check.verdict == Verdict::Pass), "{checks:?}");
    assert!(plan.phrase().starts_with("DiskFull "), "{}", plan.phrase());
    assert_eq!(plan.impact.costs[0], "Not told of them until then: nobody.");

    let called = set.call(&plan, RUN, Call::Apply).await;
    let names: Vec<String> = pair.iter().map(|peer| format!("127.0.0.1:{}", peer.port)).collect();
    assert!(done(&called).ends_with(&format!("read back on {}", names.join(", "))), "{called:?}");
    for peer in &pair {
        let there = live(peer.port);
        assert_eq!(there.len(), 1, "{there:?}");
        assert_eq!(there[0]["createdBy"], "ann@jump");
        assert_eq!(there[0]["comment"], format!("ack: down[2J for \"work\" \\ ; DROP TABLE </script> 'x' [qd {RUN}]"));
        servers::wait_for_alert(peer, "DiskFull", "suppressed");
    }
    assert!(matches!(set.observe(&plan, Call::Apply).await, Found::Done { .. }));

    // The same run again, and another one that wants the same: nothing is made.
    done(&set.call(&plan, RUN, Call::Apply).await);
    assert!(done(&set.call(&plan, "another", Call::Apply).await).starts_with("it was so already"));
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (1, 1));

    // Taken back: by the run's id, and once.
    assert!(done(&set.call(&plan, RUN, Call::Undo).await).contains("has ended"));
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (0, 0));
    assert!(matches!(set.observe(&plan, Call::Undo).await, Found::Done { .. }));
    assert!(matches!(set.observe(&plan, Call::Apply).await, Found::Moved { .. }));
    assert!(done(&set.call(&plan, RUN, Call::Undo).await).contains("has ended already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_down_is_passed_over_and_told() {
    if !have("a_peer_that_is_down_is_passed_over_and_told", NEEDS) {
        return;
    }
    let mut pair = servers::alertmanager_pair();
    let set = Set::of(&urls(&pair));
    let plan = set.muted("DiskFull").await;
    pair[0].kill();
    let found = checks(&set.estate, &plan, None).await;
    let peers = found.iter().find(|check| check.id == "peers").unwrap();
    assert!(peers.verdict == Verdict::Warn && peers.seen.contains("cut off"), "{peers:?}");
    let untold = set.observe(&plan, Call::Apply).await;
    assert!(matches!(&untold, Found::Untold { why } if why.contains(&pair[0].port.to_string())), "{untold:?}");

    let called = set.call(&plan, RUN, Call::Apply).await;
    assert!(done(&called).contains(&format!("not known of 127.0.0.1:{}", pair[0].port)), "{called:?}");
    assert_eq!(live(pair[1].port).len(), 1);
    // When it is back it has it from the other.
    pair[0].start();
    until("the peer that was down has it too", || (live(pair[0].port).len() == 1).then_some(()));

    pair[0].kill();
    pair[1].kill();
    let called = set.call(&plan, "another", Call::Apply).await;
    assert!(matches!(&called.end, CallEnd::Refused { why } if why.starts_with("nothing was sent")), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_swallowed_is_found_again_and_nothing_is_sent_twice() {
    if !have("an_answer_that_is_swallowed_is_found_again_and_nothing_is_sent_twice", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    let (proxy, writes) = fake_proxy_that_swallows(pair[0].port);
    let set = Set::of(&[proxy, pair[1].url()]);
    let plan = set.muted("DiskFull").await;
    let called = set.call(&plan, RUN, Call::Apply).await;
    assert!(matches!(called.end, CallEnd::Unknown { .. }), "{called:?}");
    let found = set.observe(&plan, Call::Apply).await;
    assert!(matches!(&found, Found::Done { seen } if seen.contains("of this run")), "{found:?}");
    done(&set.call(&plan, RUN, Call::Apply).await);
    assert_eq!(writes.load(Ordering::SeqCst), 1, "one POST");
    until("both peers have one", || (live(pair[0].port).len() == 1 && live(pair[1].port).len() == 1).then_some(()));

    let called = set.call(&plan, RUN, Call::Undo).await;
    assert!(matches!(called.end, CallEnd::Unknown { .. }), "{called:?}");
    let found = until_found(&set, &plan).await;
    assert!(matches!(found, Found::Done { .. }), "{found:?}");
    assert_eq!(writes.load(Ordering::SeqCst), 2, "one POST and one DELETE");
}

async fn until_found(set: &Set, plan: &Plan) -> Found {
    loop {
        match set.observe(plan, Call::Undo).await {
            Found::Underway { .. } => {}
            found => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_lengthened_in_place_goes_back_and_ends() {
    if !have("a_silence_is_lengthened_in_place_goes_back_and_ends", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    let set = Set::of(&urls(&pair));
    let id = servers::silence(&pair[0], "DiskFull");
    servers::wait_for_silence(&pair[1], &id);
    let plan = set.planned(&Wish::Extend { id: id[..8].to_owned(), until: hours(5) }, "it takes longer").await.plan;
    assert!(matches!(set.observe(&plan, Call::Apply).await, Found::NotDone { .. }));
    let called = set.call(&plan, RUN, Call::Apply).await;
    assert!(done(&called).starts_with(&format!("silence {id} keeps its id")), "{called:?}");
    for peer in &pair {
        let there = live(peer.port);
        assert_eq!((there.len(), &there[0]["id"]), (1, &Value::from(id.as_str())), "{there:?}");
        assert_eq!(there[0]["comment"], format!("it takes longer; before: ann: INC-1 [qd {RUN}]"));
    }
    let called = set.call(&plan, "another", Call::Apply).await;
    assert!(matches!(&called.end, CallEnd::Refused { why } if why.contains("someone changed it")), "{called:?}");
    assert!(done(&set.call(&plan, RUN, Call::Undo).await).starts_with(&format!("silence {id} keeps its id")));

    let plan = set.planned(&Wish::Expire { id: id.clone() }, "the disk is new").await.plan;
    assert!(done(&set.call(&plan, RUN, Call::Apply).await).contains("has ended"));
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_someone_ended_or_changed_meanwhile_is_left_alone() {
    if !have("what_someone_ended_or_changed_meanwhile_is_left_alone", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    let set = Set::of(&urls(&pair));
    let id = servers::silence(&pair[0], "DiskFull");
    servers::wait_for_silence(&pair[1], &id);
    let end = set.planned(&Wish::Expire { id: id.clone() }, "done").await.plan;
    let longer = set.planned(&Wish::Extend { id: id.clone(), until: hours(5) }, "longer").await.plan;
    servers::expire(&pair[0], &id);
    for plan in [&end, &longer] {
        let called = set.call(plan, RUN, Call::Apply).await;
        assert!(matches!(&called.end, CallEnd::Refused { why } if why.contains("someone ended it")), "{called:?}");
        let found = checks(&set.estate, plan, None).await;
        assert!(found.iter().any(|check| check.id == "still" && check.verdict == Verdict::Block), "{found:?}");
    }
    until("it has ended on both", || (live(pair[0].port).is_empty() && live(pair[1].port).is_empty()).then_some(()));

    // The estate file leads elsewhere by now.
    let elsewhere = Set::of(&[pair[1].url()]);
    let called = elsewhere.call(&end, RUN, Call::Apply).await;
    assert!(matches!(&called.end, CallEnd::Refused { why } if why.contains("other peers")), "{called:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broad_silence_is_seen_on_a_real_set() {
    if !have("a_broad_silence_is_seen_on_a_real_set", NEEDS) {
        return;
    }
    let am = servers::alertmanager(servers::Access::Open);
    for i in 0..12 {
        servers::post_alert(&[&am], &[("alertname", "DiskFull"), ("host", &format!("h{i}"))]);
    }
    until("all of them fire", || (http::get(am.port, "/api/v2/alerts")?.as_array()?.len() == 12).then_some(()));
    let set = Set::of(&[am.url()]);
    let matchers = |text: &str| vec![SilenceMatcher::parse(text).unwrap()];
    let wish = Wish::Mute { matchers: matchers("alertname=DiskFull"), until: hours(2) };
    let planned = set.planned(&wish, "all of them").await;
    assert!(planned.plan.phrase().starts_with("DiskFull+11 "));
    let broad = planned.checks.iter().find(|check| check.id == "broad").unwrap();
    assert!(broad.verdict == Verdict::Warn && broad.overridable && broad.seen.starts_with("12 alerts match"), "{broad:?}");
    // Alertmanager itself judges the same matchers alike.
    let filter = "/api/v2/alerts?filter=host%3D~%22h1%7Ch.0%22";
    let its = http::get(am.port, filter).unwrap().as_array().unwrap().len();
    let ours = set.planned(&Wish::Mute { matchers: matchers("host=~\"h1|h.0\""), until: hours(2) }, "some").await;
    assert_eq!(ours.plan.subject, if its == 1 { "DiskFull".to_owned() } else { format!("DiskFull+{}", its - 1) });
    let watchdog = set.planned(&Wish::Mute { matchers: matchers("alertname=~Watch.*"), until: hours(2) }, "no").await;
    assert!(watchdog.checks.iter().any(|check| check.id == "dead-man" && check.verdict == Verdict::Block));
}

/// Carries the plan out by a runner of this process, with a journal of its own; how the run ended.
async fn carried(set: &Set, plan: &Plan, run: &str, overrides: Vec<Override>) -> Ending {
    let state = tempdir().unwrap();
    let by = journal::actor(&|_| None);
    let hand = Hand { actor: by.clone(), version: String::new(), estate: None };
    let book = Book::new(Journal::open(&state.path().join("journal.db")).unwrap(), hand);
    let agreement = Agreement { phrase: plan.phrase(), reason: "a test".into(), overrides, glass: None, at: Timestamp::now() };
    let (hash, plan) = (plan.hash(), plan.clone());
    let order = Order { run: run.to_owned(), hash, plan, agreement, by: by.clone(), estate: None, lease: 60 };
    let folder = Folder::hold(&state.path().join("runs"), run, by.process).unwrap();
    let hosts = Arc::new(Hosts::new(&[]));
    let world = Ground::new(
        set.estate.clone(),
        hosts,
        watch::no_past(),
        Arc::new(|| Ok(Vec::new())),
        Duration::from_secs(60),
        run.to_owned(),
        by.name(),
    );
    let (_tell, stop) = tokio::sync::watch::channel(false);
    let runner = begin(Begin::New(Box::new(order)), Arc::new(world), Arc::new(NoHooks), book, folder, Pace::default(), stop).unwrap();
    match runner.carry_out().await {
        Outcome::Ended(ending) => ending,
        Outcome::Stopped(why) => panic!("{why}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_makes_one_silence_though_the_answer_is_swallowed() {
    if !have("a_runner_makes_one_silence_though_the_answer_is_swallowed", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    let (proxy, writes) = fake_proxy_that_swallows(pair[0].port);
    let set = Set::of(&[proxy, pair[1].url()]);
    let plan = set.muted("DiskFull").await;
    assert_eq!(carried(&set, &plan, RUN, vec![]).await, Ending::Done);
    assert_eq!(writes.load(Ordering::SeqCst), 1, "one POST");
    until("both peers have one", || (live(pair[0].port).len() == 1 && live(pair[1].port).len() == 1).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_makes_no_broad_silence_without_a_reason_for_that() {
    if !have("a_runner_makes_no_broad_silence_without_a_reason_for_that", NEEDS) {
        return;
    }
    let am = servers::alertmanager(servers::Access::Open);
    let set = Set::of(&[am.url()]);
    let matchers = vec![SilenceMatcher::parse("alertname=~\"Disk.*\"").unwrap()];
    let plan = set.planned(&Wish::Mute { matchers, until: hours(2) }, "all disks").await.plan;
    let refused = carried(&set, &plan, RUN, vec![]).await;
    assert!(matches!(&refused, Ending::Refused { why } if why.contains("broad")), "{refused:?}");
    assert_eq!(live(am.port).len(), 0);
    let why = Override { check: "broad".into(), reason: "all of them are replaced".into() };
    assert_eq!(carried(&set, &plan, "another", vec![why]).await, Ending::Done);
    assert_eq!(live(am.port).len(), 1);
}

/// Three disks, and a service that is none of them, on both peers.
fn three_disks(pair: &[Server; 2]) {
    for device in ["sda", "sdb", "sdc"] {
        servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("device", device), ("service", "web")]);
    }
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "Slow"), ("service", "web")]);
    for peer in pair {
        until("all of them fire", || (http::get(peer.port, "/api/v2/alerts")?.as_array()?.len() == 4).then_some(()));
    }
}

/// The fingerprints of the disks.
fn disks(port: u16) -> Vec<String> {
    let all = http::get(port, "/api/v2/alerts").unwrap();
    let disks = all.as_array().unwrap().iter().filter(|alert| alert["labels"]["alertname"] == "DiskFull");
    disks.map(|alert| alert["fingerprint"].as_str().unwrap().to_owned()).collect()
}

fn suppressed(port: u16) -> usize {
    let all = http::get(port, "/api/v2/alerts").unwrap();
    all.as_array().unwrap().iter().filter(|alert| alert["status"]["state"] == "suppressed").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_alerts_are_muted_by_one_plan_and_after_a_failure_half_way_the_rest_only() {
    if !have("several_alerts_are_muted_by_one_plan_and_after_a_failure_half_way_the_rest_only", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    three_disks(&pair);
    let set = Set::of(&urls(&pair));
    let which = |port: u16| disks(port).into_iter().map(Which::Named).collect::<Vec<_>>();
    let wish = Wish::Each { alerts: which(pair[0].port), until: hours(2), ack: true };
    let plan = set.planned(&wish, "all are mine").await.plan;
    assert_eq!((plan.subject.as_str(), plan.steps.len()), ("ack-3-alerts", 3));

    // Two of three are done, and the set goes away before the third: which are done is known of each.
    let call = |step: usize, call: Call| {
        let (plan, set) = (&plan, &set);
        async move {
            let permit = Permit::mint(RUN, &plan.steps[step].id, 1, None, "1 a");
            act::apply(&set.reach, permit, plan, step, call).await
        }
    };
    for step in [0, 1] {
        assert!(done(&call(step, Call::Apply).await).contains("read back on"));
    }
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (2, 2));
    for (step, is_done) in [(0, true), (1, true), (2, false)] {
        let found = act::observe(&set.reach, &plan, step, Call::Apply, RUN, 1).await;
        assert_eq!(matches!(found, Found::Done { .. }), is_done, "{step}: {found:?}");
    }
    // The same wish again is the rest only, and the same run again makes nothing twice.
    let rest = set.planned(&wish, "all are mine").await.plan;
    assert_eq!(rest.steps.len(), 1, "{:?}", rest.impact);
    assert!(rest.impact.does.iter().any(|line| line.starts_with("2 alerts are left out")), "{:?}", rest.impact);
    done(&call(0, Call::Apply).await);
    assert_eq!(live(pair[0].port).len(), 2);
    assert_eq!(carried(&set, &rest, "another", vec![]).await, Ending::Done);
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (3, 3));
    until("the disks are muted, and nothing else", || (suppressed(pair[0].port) == 3).then_some(()));

    // Taking one back leaves the others.
    assert!(done(&call(1, Call::Undo).await).contains("has ended"));
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (2, 2));
    let found = act::observe(&set.reach, &plan, 0, Call::Apply, RUN, 1).await;
    assert!(matches!(found, Found::Done { .. }), "{found:?}");
}

#[test]
fn without_a_screen_several_alerts_are_acked_and_their_silences_ended_each_in_one_run() {
    if !have("without_a_screen_several_alerts_are_acked_and_their_silences_ended_each_in_one_run", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    three_disks(&pair);
    let set = Set::of(&urls(&pair));
    let home = tempdir().unwrap();
    let qd = |arguments: &[&str]| systemd::qd(home.path(), &set.estate.path, arguments);
    let run = |deed: &[&str]| {
        let (code, out, err) = qd(&[&["plan"], deed, &["-o", "json"]].concat());
        assert_eq!(code, Some(0), "{out} {err}");
        let confirm = serde_json::from_str::<Value>(&out).unwrap()["confirm"].as_str().unwrap().to_owned();
        let (code, out, err) = qd(&[&["run"], deed, &["--confirm", &confirm]].concat());
        assert_eq!(code, Some(0), "{out} {err}");
        confirm
    };
    let (until, disks) = (hours(2).to_string(), disks(pair[0].port));
    let disks: Vec<&str> = disks.iter().map(String::as_str).collect();
    let confirm = run(&[&["ack"], &disks[..], &["--until", &until, "--reason", "I look at them"]].concat());
    assert!(confirm.starts_with("ack-3-alerts "), "{confirm}");
    let there = live(pair[1].port);
    assert_eq!(there.len(), 3, "{there:?}");
    let ids: Vec<&str> = there.iter().map(|silence| silence["id"].as_str().unwrap()).collect();
    let confirm = run(&[&["expire"], &ids[..], &["--reason", "they are well"]].concat());
    assert!(confirm.starts_with("end-3-silences "), "{confirm}");
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (0, 0));
    let (code, out, _) = qd(&["journal", "export"]);
    // Each is an act of its own: an intent and an outcome, twice three times.
    assert_eq!(code, Some(0));
    for step in 1..=3 {
        assert!(out.contains(&format!("am/silence-{step}")) && out.contains(&format!("am/expire-{step}")), "{out}");
    }
    let (code, out, _) = qd(&["journal", "verify"]);
    assert_eq!(code, Some(0), "{out}");
}

#[test]
fn without_a_screen_an_alert_is_acked_and_the_silence_ended() {
    if !have("without_a_screen_an_alert_is_acked_and_the_silence_ended", NEEDS) {
        return;
    }
    let pair = servers::alertmanager_pair();
    servers::post_alert(&[&pair[0], &pair[1]], &[("alertname", "DiskFull"), ("service", "web")]);
    for peer in &pair {
        servers::wait_for_alert(peer, "DiskFull", "active");
    }
    let set = Set::of(&urls(&pair));
    let home = tempdir().unwrap();
    let qd = |arguments: &[&str]| systemd::qd(home.path(), &set.estate.path, arguments);
    let until = hours(2).to_string();
    let ack = ["ack", "DiskFull", "--until", &until, "--reason", "I look at it"];
    let (code, out, err) = qd(&[&["plan"], &ack[..], &["-o", "json"]].concat());
    assert_eq!(code, Some(0), "{out} {err}");
    let confirm = serde_json::from_str::<Value>(&out).unwrap()["confirm"].as_str().unwrap().to_owned();
    let (_, out, _) = qd(&[&["plan"], &ack[..]].concat());
    assert!(
        out.contains(&format!("confirm: {confirm}\n")) && out.contains("1 alert that fires now is muted") && !out.contains("RELEASES"),
        "{out}"
    );

    let (code, out, err) = qd(&[&["run"], &ack[..], &["--confirm", "another 000000"]].concat());
    assert!(code == Some(4) && live(pair[0].port).is_empty(), "another phrase: {code:?} {out} {err}");
    let (code, out, err) = qd(&[&["--read-only", "run"], &ack[..], &["--confirm", &confirm]].concat());
    assert!(code != Some(0) && live(pair[0].port).is_empty(), "read-only: {code:?} {out} {err}");
    let (code, out, err) = qd(&[&["run"], &ack[..], &["--confirm", &confirm]].concat());
    assert_eq!(code, Some(0), "{out} {err}");
    let there = live(pair[1].port);
    assert!(there.len() == 1 && there[0]["comment"].as_str().unwrap().starts_with("ack: I look at it [qd DiskFull"), "{there:?}");

    let id = there[0]["id"].as_str().unwrap();
    let expire = ["expire", id, "--reason", "it is well"];
    let (_, out, _) = qd(&[&["plan"], &expire[..], &["-o", "json"]].concat());
    let confirm = serde_json::from_str::<Value>(&out).unwrap()["confirm"].as_str().unwrap().to_owned();
    let (code, out, err) = qd(&[&["run"], &expire[..], &["--confirm", &confirm]].concat());
    assert_eq!(code, Some(0), "{out} {err}");
    assert_eq!((live(pair[0].port).len(), live(pair[1].port).len()), (0, 0));
    let (code, out, _) = qd(&["journal", "verify"]);
    assert_eq!(code, Some(0), "{out}");
}

/// A FAKE: passes requests on to that port, and closes the line in place of the answer to a write. Gives back its address
/// and how many writes it passed on.
fn fake_proxy_that_swallows(port: u16) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(client) = client else { break };
            let seen = seen.clone();
            std::thread::spawn(move || pass(client, port, &seen));
        }
    });
    (address, count)
}

/// One request of one connection: what comes is read to its end, and the other side closes after its answer.
fn pass(mut client: TcpStream, port: u16, writes: &AtomicUsize) {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    let (head, length) = loop {
        let Ok(n @ 1..) = client.read(&mut part) else { return };
        all.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let length = text[..end].lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        break (end + 4, length.unwrap_or(0_usize));
    };
    while all.len() < head + length {
        let Ok(n @ 1..) = client.read(&mut part) else { return };
        all.extend_from_slice(&part[..n]);
    }
    let mut lines = String::from_utf8_lossy(&all[..head]).into_owned();
    let write = !lines.starts_with("GET ");
    lines = lines.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let _ = server.write_all(lines.as_bytes()).and_then(|()| server.write_all(&all[head..]));
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    match write {
        true => {
            writes.fetch_add(1, Ordering::SeqCst);
        }
        false => {
            let _ = client.write_all(&answer);
        }
    }
}
