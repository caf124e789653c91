//! Killed at every boundary of every step that changes something, on the way there and on the way back, and taken up
//! again until the run ends.

use std::os::unix::process::ExitStatusExt;

use quarterdeck::model::plan::{OnFailure, Plan};
use quarterdeck::model::run::{Call, Ending};

use super::child::{self, At, Task, finish, passed};
use super::fixture::{LONG, Room, before, done, effects, order, plan, restart};
use super::world::{Fault, Place};

const RUN: &str = "web-20261121T140455Z-0001";
const BOUNDARIES: [&str; 4] = ["BeforeIntent", "AfterIntent", "AfterCall", "AfterResult"];

fn task(room: &Room, plan: Option<Plan>, signal: Option<At>) -> Task {
    Task {
        root: room.root.clone(),
        order: plan.map(|plan| order(plan, RUN)),
        again: RUN.to_owned(),
        signal,
        ttl_ms: u64::try_from(LONG.as_millis()).unwrap(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        real: false,
        forgets: false,
    }
}

/// The plan whose last look fails, so that all of it is taken back.
fn failing() -> (Plan, Vec<Fault>) {
    let mut plan = plan();
    let last = plan.steps.last_mut().unwrap();
    last.on_failure = OnFailure::Stop;
    let fault = Fault::Fails(last.id.clone());
    (plan, vec![fault])
}

fn changing(plan: &Plan, call: Call) -> Vec<String> {
    plan.changing().flat_map(|step| BOUNDARIES.map(|boundary| format!("{boundary} {} {call:?}", step.id))).collect()
}

/// Without a kill each boundary of each call is passed once: that is what the matrices go through.
#[test]
fn every_call_passes_four_boundaries() {
    let room = Room::new();
    let (plan, faults) = failing();
    room.world.fault(&faults);
    assert!(finish(&task(&room, Some(plan.clone()), None)).success());
    let all = passed(&room.root);
    for wanted in [changing(&plan, Call::Apply), changing(&plan, Call::Undo)] {
        assert_eq!(wanted.len(), 4 * plan.changing().count());
        for boundary in wanted {
            assert_eq!(all.iter().filter(|passed| **passed == boundary).count(), 1, "{boundary}");
        }
    }
    assert_eq!(effects(&room.world.places()), effects(&before()));
    room.is_sound();
}

fn matrix(call: Call) {
    let base = match call {
        Call::Apply => (plan(), vec![]),
        Call::Undo => failing(),
    };
    let world = match call {
        Call::Apply => done(),
        Call::Undo => effects(&before()),
    };
    matrix_of(&base, call, &|places| assert_eq!(effects(places), world));
}

/// Every boundary of that plan; gives back how many kills that were.
fn matrix_of(base: &(Plan, Vec<Fault>), call: Call, is_right: &dyn Fn(&[Place])) -> usize {
    let (mut killed, mut steps) = (0, 0);
    for step in base.0.changing() {
        steps += 1;
        for boundary in BOUNDARIES {
            let room = Room::new();
            room.world.fault(&base.1);
            let at = At { boundary: boundary.to_owned(), step: step.id.clone(), call, freeze: false };
            let ended = finish(&task(&room, Some(base.0.clone()), Some(at)));
            assert_eq!(ended.signal(), Some(9), "{boundary} {} was not passed", step.id);
            killed += 1;
            let half = room.state(RUN);
            assert!(half.ended.is_none() && half.runners == 1);
            assert!(finish(&task(&room, None, None)).success(), "{boundary} {}", step.id);
            let state = room.state(RUN);
            let ending = match call {
                Call::Apply => Ending::Done,
                Call::Undo => Ending::Aborted { stays: vec![] },
            };
            assert_eq!(state.ended.map(|(_, ending)| ending), Some(ending), "{boundary} {}", step.id);
            assert_eq!(state.runners, 2, "{boundary} {}", step.id);
            is_right(&room.world.places());
            assert_eq!(room.judged(), Vec::<String>::new(), "{boundary} {}", step.id);
        }
    }
    assert_eq!((killed, steps), (4 * steps, base.0.changing().count()));
    killed
}

#[test]
fn a_restart_that_is_killed_at_any_boundary_is_done_and_nothing_is_restarted_twice() {
    let once = |places: &[Place]| {
        let all: Vec<(u32, bool)> = places.iter().map(|place| (place.ran, place.running)).collect();
        assert_eq!(all, [(1, true), (1, true)]);
    };
    assert_eq!(matrix_of(&(restart(), vec![]), Call::Apply, &once), 2 * 4, "each host's one call, at each boundary");
}

/// A planted break: a runner that cannot read back whether it was restarted does it a second time, and is seen.
#[test]
fn a_restart_whose_reading_back_is_blind_is_left_alone_by_what_it_expects() {
    let room = Room::new();
    room.world.fault(&[Fault::Blind]);
    let at = At { boundary: "AfterCall".into(), step: "web1/restart".into(), call: Call::Apply, freeze: false };
    finish(&task(&room, Some(restart()), Some(at)));
    assert!(finish(&task(&room, None, None)).success());
    let ran: Vec<u32> = room.world.places().iter().map(|place| place.ran).collect();
    assert_eq!(ran, [1, 1], "the call itself compares what was started before the plan was made");
}

#[test]
fn a_run_that_is_killed_at_any_boundary_is_taken_up_and_done() {
    matrix(Call::Apply);
}

#[test]
fn a_run_that_is_killed_at_any_boundary_of_its_abort_is_taken_back() {
    matrix(Call::Undo);
}

#[test]
fn a_run_that_is_taken_up_by_another_version_says_so() {
    let room = Room::new();
    let at = At { boundary: "AfterCall".into(), step: "web1/switch".into(), call: Call::Apply, freeze: false };
    finish(&task(&room, Some(plan()), Some(at)));
    assert_eq!(room.state(RUN).runner_version, env!("CARGO_PKG_VERSION"));
    assert!(finish(&Task { version: "9.9.9".into(), ..task(&room, None, None) }).success());
    assert_eq!(room.state(RUN).runner_version, "9.9.9");
    assert_eq!(child::passed(&room.root).iter().filter(|passed| *passed == "AfterCall web1/switch Apply").count(), 1, "it was read back");
    room.is_sound();
}
