//! Restart, stop and start of a service on hosts of this machine, through the real links, scripts and plans: a runner is
//! killed at every boundary of every step that changes something, and the next one brings the run to its end. Nothing is
//! restarted, stopped or started twice.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use quarterdeck::model::plan::{Deed, OnFailure, Plan};
use quarterdeck::model::run::{Call, Ending};
use quarterdeck::operate::order::Order;

use super::child::{At, finish, passed};
use super::fixture::NEW;
use super::matrix::{BOUNDARIES, RUN, at_each_boundary, changing, task};
use super::yard::{HOSTS, Yard, started_twice};

/// A yard whose processes run, or do not where they are to be started, with the numbers that they have; and the order. One
/// that is to be taken back fails at its last look.
async fn case(deed: Deed, call: Call) -> (Yard, Vec<String>, Order) {
    let yard = Yard::new();
    let before = HOSTS.map(|host| fs::read_to_string(yard.at(host).join("pid")).unwrap()).to_vec();
    if deed == Deed::Start {
        HOSTS.iter().for_each(|host| yard.by_hand("stop", host));
    }
    if call == Call::Undo {
        fs::remove_file(yard.at("web2/well")).unwrap();
    }
    let stop = |plan: &mut Plan| plan.steps.iter_mut().for_each(|step| step.on_failure = OnFailure::Stop);
    let order = yard.order_of(deed, RUN, stop).await;
    (yard, before, order)
}

fn came_to_its_end(yard: &Yard, before: &[String], deed: Deed, call: Call, what: &str) {
    assert_eq!(yard.judged(RUN), Vec::<String>::new(), "{what}");
    let state = yard.room.state(RUN);
    match (call, state.ended.as_ref().map(|(_, ending)| ending)) {
        (Call::Apply, Some(Ending::Done)) => {}
        (Call::Undo, Some(Ending::Aborted { stays })) => assert_eq!(stays, &Vec::<String>::new(), "{what}"),
        (_, other) => panic!("{what}: {other:?}"),
    }
    let runs = (deed, call) != (Deed::Stop, Call::Apply) && (deed, call) != (Deed::Start, Call::Undo);
    for (host, before) in HOSTS.iter().zip(before) {
        assert_eq!(yard.serves(host), runs.then(|| NEW.to_owned()), "{what}: the process of {host}");
        if runs {
            assert_ne!(fs::read_to_string(yard.at(host).join("pid")).unwrap(), *before, "{what}: {host} has a new process");
        }
    }
    // Each program once for each host, and none else.
    let ran = fs::read_to_string(yard.at("ran")).unwrap();
    let mut words: Vec<String> = ran.lines().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
    words.sort();
    let verbs: &[&str] = match (deed, call) {
        (deed, Call::Apply) => &[deed.word()],
        (_, Call::Undo) => &["start", "stop"],
    };
    let wanted: Vec<String> = verbs.iter().flat_map(|verb| HOSTS.map(|host| format!("{verb} {host}"))).collect();
    assert_eq!(words, wanted, "{what}");
}

async fn killed_at(deed: Deed, call: Call, step: &str, boundary: &str) {
    let what = format!("{boundary} {step} {call:?}");
    let (yard, before, order) = case(deed, call).await;
    let at = At { boundary: boundary.to_owned(), step: step.to_owned(), call, freeze: false };
    let told = || fs::read_to_string(yard.at("stderr")).unwrap();
    assert_eq!(finish(&task(&yard, Some(order), Some(at))).signal(), Some(9), "{what} was not passed: {}", told());
    let half = yard.room.state(RUN);
    assert!(half.ended.is_none() && half.runners == 1, "{what}");
    assert_eq!((yard.untrue(&half), started_twice(&yard.room.root, RUN)), (vec![], vec![]), "{what}");
    assert!(finish(&task(&yard, None, None)).success(), "{what}: {}", told());
    assert_eq!(yard.room.state(RUN).runners, 2, "{what}");
    came_to_its_end(&yard, &before, deed, call, &what);
}

/// Killed at each boundary; gives back how many kills that were, and of how many steps.
fn matrix(deed: Deed, call: Call) -> (usize, usize) {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // First as a whole: that is what the matrix goes through.
    let (yard, before, order) = runtime().block_on(case(deed, call));
    let steps = changing(&order.plan, call);
    assert!(finish(&task(&yard, Some(order), None)).success(), "{}", fs::read_to_string(yard.at("stderr")).unwrap());
    came_to_its_end(&yard, &before, deed, call, "whole");
    let all = passed(&yard.room.root);
    for wanted in steps.iter().flat_map(|step| BOUNDARIES.map(|boundary| format!("{boundary} {step} {call:?}"))) {
        assert_eq!(all.iter().filter(|passed| **passed == wanted).count(), 1, "{wanted}");
    }
    drop(yard);
    (at_each_boundary(&steps, &|step, boundary| runtime().block_on(killed_at(deed, call, step, boundary))), steps.len())
}

#[test]
fn a_real_restart_that_is_killed_at_any_boundary_is_done_once() {
    assert_eq!(matrix(Deed::Restart, Call::Apply), (4 * 2, 2), "the one call of each host");
}

#[test]
fn a_real_stop_that_is_killed_at_any_boundary_is_done_once() {
    assert_eq!(matrix(Deed::Stop, Call::Apply), (4 * 2, 2), "the one call of each host");
}

#[test]
fn a_real_start_that_is_killed_at_any_boundary_is_done_once() {
    assert_eq!(matrix(Deed::Start, Call::Apply), (4 * 2, 2), "the one call of each host");
}

#[test]
fn a_real_start_that_is_killed_at_any_boundary_of_its_abort_is_taken_back() {
    assert_eq!(matrix(Deed::Start, Call::Undo), (4 * 2, 2), "both are stopped again");
}
