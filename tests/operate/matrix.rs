//! The whole of it on hosts of this machine, through the real links, scripts and plans: a runner is killed by SIGKILL at
//! every boundary of every step that changes something, there and back, and the next one brings the run to its end.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Mutex;

use quarterdeck::link::permit::Permit;
use quarterdeck::model::plan::{OnFailure, Plan};
use quarterdeck::model::run::{Call, Ending};
use quarterdeck::operate::order::Order;
use quarterdeck::operate::world::{Leased, World};

use super::child::{At, Task, finish, passed, start};
use super::fixture::{LONG, NEW, OLD};
use super::yard::{HOSTS, Yard, ran, started_twice};

pub const RUN: &str = "web-20261121T140455Z-0006";
pub const BOUNDARIES: [&str; 4] = ["BeforeIntent", "AfterIntent", "AfterCall", "AfterResult"];

/// Cases that are carried out side by side: they wait for disks more than they compute.
const SIDE_BY_SIDE: usize = 4;

pub fn task(yard: &Yard, order: Option<Order>, signal: Option<At>) -> Task {
    Task {
        root: yard.room.root.clone(),
        order,
        again: RUN.to_owned(),
        signal,
        ttl_ms: u64::try_from(LONG.as_millis()).unwrap(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        real: true,
        forgets: false,
    }
}

/// A yard, and the order to roll it back; of an abort one whose last look fails, so that all of it is taken back.
async fn case(call: Call) -> (Yard, Order) {
    let yard = Yard::new();
    if call == Call::Undo {
        fs::remove_file(yard.at("web2/well")).unwrap();
    }
    let stop = |plan: &mut Plan| plan.steps.iter_mut().for_each(|step| step.on_failure = OnFailure::Stop);
    let order = yard.order(RUN, stop).await;
    (yard, order)
}

/// The steps whose call of that kind changes something.
pub fn changing(plan: &Plan, call: Call) -> Vec<String> {
    let all = plan.changing().filter(|step| call == Call::Apply || step.undo.is_some());
    all.map(|step| step.id.clone()).collect()
}

fn came_to_its_end(yard: &Yard, call: Call, what: &str) {
    let state = yard.room.state(RUN);
    assert_eq!(yard.judged(RUN), Vec::<String>::new(), "{what}");
    let (release, told) = match call {
        Call::Apply => (OLD, "done"),
        Call::Undo => (NEW, "undone"),
    };
    match (call, state.ended.as_ref().map(|(_, ending)| ending)) {
        (Call::Apply, Some(Ending::Done)) => {}
        (Call::Undo, Some(Ending::Aborted { stays })) => assert_eq!(stays, &Vec::<String>::new(), "{what}"),
        (_, other) => panic!("{what}: {other:?}"),
    }
    for host in HOSTS {
        let all = (yard.link(host), yard.serves(host));
        assert_eq!(all, (release.to_owned(), Some(release.to_owned())), "{what}: the link and the process of {host}");
        let notes = fs::read_to_string(yard.at(host).join("log")).unwrap_or_default();
        assert_eq!(notes.matches(RUN).count(), usize::from(call == Call::Apply), "{what}: {notes}");
    }
    let ran = fs::read_to_string(yard.at("ran")).unwrap();
    let words: Vec<&str> = ran.lines().filter(|line| line.starts_with("tell")).map(|line| line.split(' ').nth(1).unwrap()).collect();
    let wanted: &[&str] = if call == Call::Apply { &["done"] } else { &["done", "undone"] };
    assert_eq!(words, wanted, "{what}");
    assert_eq!(words.last(), Some(&told));
}

/// Before its first intent a run has done nothing but take leases, and so made marks in job folders that had none. Where
/// another run had them before it is taken up, its plan is not of this world any more, and all stays as it was.
#[tokio::test]
async fn a_run_that_is_taken_up_before_its_first_call_is_refused_where_another_was_there_meanwhile() {
    let (yard, order) = case(Call::Apply).await;
    let plan = std::sync::Arc::new(order.plan.clone());
    let first = plan.changing().next().unwrap().id.clone();
    let at = At { boundary: BOUNDARIES[0].to_owned(), step: first, call: Call::Apply, freeze: false };
    assert_eq!(finish(&task(&yard, Some(order), Some(at))).signal(), Some(9));
    let other = yard.ground("another");
    for host in HOSTS {
        // Its lease ran out while nobody proved it.
        fs::remove_file(yard.at(host).join(".quarterdeck/lease")).unwrap();
        let place = plan.targets.iter().position(|target| target.name == host).unwrap();
        let permit = Permit::mint("another", "lease", 1, None, &format!("1 {}", "0".repeat(64)));
        let Some(Leased::Held(fence)) = other.take_lease(permit, plan.clone(), place).await else { panic!("no lease") };
        assert_eq!(fence, 2);
        other.give_lease(plan.clone(), place, "another".to_owned(), fence).await.unwrap();
    }
    assert!(finish(&task(&yard, None, None)).success());
    let state = yard.room.state(RUN);
    let Some((_, Ending::Refused { why })) = &state.ended else { panic!("{:?}", state.ended) };
    assert!(why.contains("make the plan anew") && !yard.at("ran").exists(), "{why}");
    for host in HOSTS {
        assert_eq!((yard.link(host), yard.serves(host)), (NEW.to_owned(), Some(NEW.to_owned())));
    }
}

/// One person, two consoles, one journal: whichever has the leases goes on, and the other one learns of it. At once, again
/// and again, as it is a matter of moments which of them asks first.
#[tokio::test]
async fn of_two_that_are_begun_at_once_from_one_journal_one_is_done_and_the_other_is_refused() {
    for _ in 0..5 {
        let yard = Yard::new();
        let runs = [RUN, "web-20261121T140455Z-0007"];
        let orders = [yard.order(runs[0], |_| {}).await, yard.order(runs[1], |_| {}).await];
        let tasks = orders.map(|order| Task { again: order.run.clone(), ..task(&yard, Some(order), None) });
        let both = tasks.each_ref().map(start);
        let errors = || fs::read_to_string(yard.at("stderr")).unwrap();
        for mut child in both {
            assert!(child.wait().unwrap().success(), "{}", errors());
        }
        let ends = runs.map(|run| yard.room.state(run).ended.unwrap().1);
        let done = ends.iter().position(|end| *end == Ending::Done).unwrap_or_else(|| panic!("none was done: {ends:?}"));
        assert!(matches!(&ends[1 - done], Ending::Refused { .. }), "{ends:?}");
        assert_eq!(yard.judged(runs[done]), Vec::<String>::new());
        assert!(HOSTS.iter().all(|host| yard.link(host) == OLD));
    }
}

async fn killed_at(call: Call, step: &str, boundary: &str) {
    let what = format!("{boundary} {step} {call:?}");
    let (yard, order) = case(call).await;
    let at = At { boundary: boundary.to_owned(), step: step.to_owned(), call, freeze: false };
    let first = task(&yard, Some(order), Some(at));
    let ended = finish(&first);
    assert_eq!(ended.signal(), Some(9), "{what} was not passed: {}", fs::read_to_string(yard.at("stderr")).unwrap());
    let half = yard.room.state(RUN);
    assert!(half.ended.is_none() && half.runners == 1, "{what}");
    assert_eq!((yard.untrue(&half), started_twice(&yard.room.root, RUN)), (vec![], vec![]), "{what}");
    let again = finish(&task(&yard, None, None));
    assert!(again.success(), "{what}: {}", fs::read_to_string(yard.at("stderr")).unwrap());
    assert_eq!(yard.room.state(RUN).runners, 2, "{what}");
    came_to_its_end(&yard, call, &what);
}

/// Every boundary of these steps. Gives back how many kills that were.
fn matrix(call: Call, of: impl Fn(&str) -> bool) -> (usize, usize) {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (yard, order) = runtime().block_on(case(call));
    let steps: Vec<String> = changing(&order.plan, call).into_iter().filter(|step| of(step)).collect();
    drop(yard);
    let killed = at_each_boundary(&steps, &|step, boundary| runtime().block_on(killed_at(call, step, boundary)));
    (killed, steps.len())
}

/// Every boundary of these steps, some side by side. Gives back how many kills that were.
pub fn at_each_boundary(steps: &[String], one: &(dyn Fn(&str, &str) + Sync)) -> usize {
    let all = steps.iter().flat_map(|step| BOUNDARIES.map(|boundary| (step.clone(), boundary)));
    let (open, killed) = (Mutex::new(all.collect::<Vec<_>>()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some((step, boundary)) = open.lock().unwrap().pop() else { return };
                    one(&step, boundary);
                    *killed.lock().unwrap() += 1;
                }
            });
        }
    });
    killed.into_inner().unwrap()
}

#[test]
fn a_real_run_that_is_killed_at_any_boundary_of_its_own_steps_and_first_host_is_done() {
    let (killed, steps) = matrix(Call::Apply, |step| !step.starts_with("web2/"));
    assert_eq!((killed, steps), (4 * 5, 5), "tell, and of the host ready, switch, restart, note");
}

#[test]
fn a_real_run_that_is_killed_at_any_boundary_of_its_second_host_is_done() {
    let (killed, steps) = matrix(Call::Apply, |step| step.starts_with("web2/"));
    assert_eq!((killed, steps), (4 * 4, 4), "ready, switch, restart, note");
}

#[test]
fn a_real_run_that_is_killed_at_any_boundary_of_its_abort_is_taken_back() {
    let (killed, steps) = matrix(Call::Undo, |_| true);
    assert_eq!((killed, steps), (4 * 5, 5), "tell, and of each host ready and switch");
}

/// Without a kill each boundary of each call is passed once: that is what the matrices go through.
#[tokio::test]
async fn every_real_call_passes_four_boundaries() {
    for call in [Call::Apply, Call::Undo] {
        let (yard, order) = case(call).await;
        let plan = order.plan.clone();
        let ended = finish(&task(&yard, Some(order), None));
        assert!(ended.success(), "{}", fs::read_to_string(yard.at("stderr")).unwrap());
        came_to_its_end(&yard, call, "whole");
        let told = serde_json::to_string(&yard.room.records()).unwrap();
        assert!(told.contains("told done with (taken out)"), "its output is kept, or no secret could be in it: {told}");
        let (all, steps) = (passed(&yard.room.root), changing(&plan, call));
        for step in &steps {
            for boundary in BOUNDARIES {
                let wanted = format!("{boundary} {step} {call:?}");
                assert_eq!(all.iter().filter(|passed| **passed == wanted).count(), 1, "{wanted}");
            }
        }
        assert_eq!(steps.len(), if call == Call::Apply { 9 } else { 5 });
    }
}

/// Planted breaks: what these oracles must see.
#[tokio::test]
async fn a_job_that_ran_twice_and_a_link_that_the_record_does_not_know_are_seen() {
    let (yard, order) = case(Call::Apply).await;
    assert!(finish(&task(&yard, Some(order), None)).success());
    assert_eq!(yard.judged(RUN), Vec::<String>::new());
    let last = fs::read_to_string(yard.at("ran")).unwrap().lines().last().unwrap().to_owned();
    ran(&yard, &last);
    assert!(yard.judged(RUN).iter().any(|wrong| wrong.starts_with("I4") && wrong.contains("second time")), "{:?}", yard.judged(RUN));
    ran(&yard, "restart web1 1");
    assert!(yard.judged(RUN).iter().any(|wrong| wrong.contains("by no job")));
    fs::remove_file(yard.at("web1/current")).unwrap();
    std::os::unix::fs::symlink(NEW, yard.at("web1/current")).unwrap();
    assert!(yard.judged(RUN).iter().any(|wrong| wrong.starts_with("I5: web1: current leads to releases/2")), "{:?}", yard.judged(RUN));
}

#[tokio::test]
async fn a_second_process_a_write_that_is_gone_and_a_secret_that_was_printed_are_seen() {
    let (yard, order) = case(Call::Apply).await;
    let leaky = Task { forgets: true, ..task(&yard, Some(order), None) };
    assert!(finish(&leaky).success(), "{}", fs::read_to_string(yard.at("stderr")).unwrap());
    let sees = |what: &str| {
        let judged = yard.judged(RUN);
        assert!(judged.iter().any(|wrong| wrong.starts_with(what)), "{what} was not seen: {judged:?}");
    };
    sees("I9: event");
    assert!(yard.judged(RUN).iter().all(|wrong| wrong.starts_with("I9")), "and nothing else: {:?}", yard.judged(RUN));
    // The process of the release before was not ended.
    let mut second = Command::new("sleep").arg("1000").current_dir(yard.at("web1").join(NEW)).spawn().unwrap();
    let both = yard.serving("web1").len();
    let judged = yard.judged(RUN);
    second.kill().unwrap();
    second.wait().unwrap();
    assert!(both == 2 && judged.contains(&"I1: 2 processes serve web1".to_owned()), "{judged:?}");
    // A write was acknowledged by the release before, and lies in no place that the next one reads.
    fs::remove_file(yard.at("web2/kept")).unwrap();
    sees("I7: 2 acknowledged writes of target 1 are gone");
}
