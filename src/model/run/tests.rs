//! Every transition that went wrong in one's head once, and the simulated runner that meets the rest.

mod simulated;

use super::sample::{Log, done, failed, plan, refused, step, unknown};
use super::*;
use crate::model::plan::{Act, OnFailure, Repeat, Step};

/// Three steps of one host, one after another, and one of another host that needs nothing.
fn chain() -> Log {
    let after = |id: &str, need: &str| Step { needs: vec![need.to_owned()], ..step(id) };
    let steps = vec![
        step("web1/stop"),
        after("web1/switch", "web1/stop"),
        after("web1/start", "web1/switch"),
        Step { target: 1, ..step("web2/stop") },
    ];
    Log::begun("r", &plan(&["web1", "web2"], steps))
}

fn calls(state: &RunState, busy: &[usize]) -> Vec<(usize, Call)> {
    let call = |found: Move| match found {
        Move::Call { step, call, .. } => Some((step, call)),
        _ => None,
    };
    next(state, busy).into_iter().filter_map(call).collect()
}

fn reason() -> String {
    "because".to_owned()
}

fn abort() -> Request {
    Request::Abort { reason: reason() }
}

fn retry(step: &str) -> Request {
    Request::Retry { step: step.to_owned(), reason: reason() }
}

fn asks(state: &RunState, about: usize) -> bool {
    next(state, &[]).iter().any(|found| matches!(found, Move::Ask { step, .. } if *step == about))
}

#[test]
fn what_needs_nothing_is_begun_side_by_side_and_the_rest_after_it() {
    let mut log = chain();
    assert_eq!(calls(&log.state(), &[]), [(0, Call::Apply), (3, Call::Apply)]);
    assert_eq!(calls(&log.state(), &[3]), [(0, Call::Apply)]);
    log.done("web1/stop");
    assert_eq!(calls(&log.state(), &[3]), [(1, Call::Apply)]);
}

#[test]
fn a_runner_that_was_killed_after_an_intent_reads_before_it_calls_again() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    log.add(Happened::Begun { resumed: true });
    let moves = next(&log.state(), &[]);
    assert_eq!(moves[0], Move::Observe { step: 0, call: Call::Apply });
    assert_eq!(calls(&log.state(), &[]), [(3, Call::Apply)], "the other host does not wait for it");
    log.found("web1/stop", Call::Apply, Found::NotDone { seen: String::new() });
    assert_eq!(next(&log.state(), &[3]), [Move::Call { step: 0, call: Call::Apply, attempt: 2 }]);
}

#[test]
fn an_intent_that_nobody_works_on_is_read_back_without_a_new_runner() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    assert_eq!(next(&log.state(), &[3]), [Move::Observe { step: 0, call: Call::Apply }]);
    assert_eq!(next(&log.state(), &[0, 3]), []);
}

#[test]
fn an_abort_waits_for_the_call_that_is_under_way_and_takes_it_back_too() {
    let mut log = chain();
    log.done("web1/stop");
    log.intent("web1/switch", 1, Call::Apply);
    log.request(abort());
    assert_eq!(next(&log.state(), &[1]), [], "the stop is needed by the switch that is under way");
    log.result("web1/switch", 1, Call::Apply, done());
    assert_eq!(calls(&log.state(), &[]), [(1, Call::Undo)]);
    log.intent("web1/switch", 2, Call::Undo);
    log.result("web1/switch", 2, Call::Undo, done());
    assert_eq!(calls(&log.state(), &[]), [(0, Call::Undo)]);
    log.intent("web1/stop", 2, Call::Undo);
    log.result("web1/stop", 2, Call::Undo, done());
    assert_eq!(next(&log.state(), &[]), [Move::End(Ending::Aborted { stays: Vec::new() })]);
}

#[test]
fn an_abort_does_not_hold_one_host_for_the_other() {
    let mut log = chain();
    log.done("web1/stop");
    log.intent("web2/stop", 1, Call::Apply);
    log.request(abort());
    assert_eq!(calls(&log.state(), &[3]), [(0, Call::Undo)]);
}

#[test]
fn an_abort_before_the_first_call_ends_with_nothing_left() {
    let mut log = chain();
    log.request(abort());
    assert_eq!(next(&log.state(), &[]), [Move::End(Ending::Aborted { stays: Vec::new() })]);
}

#[test]
fn a_failed_step_that_is_taken_back_names_what_could_not_be() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    log.result("web1/stop", 1, Call::Apply, failed("timed out"));
    log.request(abort());
    assert_eq!(calls(&log.state(), &[]), [(0, Call::Undo)], "a failed call may have changed something");
    log.intent("web1/stop", 2, Call::Undo);
    log.result("web1/stop", 2, Call::Undo, failed("no such unit"));
    assert!(asks(&log.state(), 0));
    log.request(Request::Skip { step: "web1/stop".to_owned(), reason: reason() });
    let [Move::End(Ending::Aborted { stays })] = &next(&log.state(), &[])[..] else { panic!("{:?}", next(&log.state(), &[])) };
    assert_eq!(stays.len(), 1, "{stays:?}");
    assert!(stays[0].contains("passed over") && stays[0].contains("because"), "{stays:?}");
}

/// A host that is started by a program: `ready` does nothing, and its undo starts it again after the switch is taken back.
fn restarted() -> Log {
    let run = |word: &str| Act::Run { argv: vec![word.to_owned()] };
    let ready = Step { act: run("true"), undo: Some(run("restart-web")), ..step("web1/ready") };
    let switch = Step { needs: vec![ready.id.clone()], ..step("web1/switch") };
    let restart = Step {
        act: run("restart-web"),
        undo: None,
        undone_with: Some(ready.id.clone()),
        needs: vec![switch.id.clone()],
        repeat: Repeat::Repeatable,
        ..step("web1/restart")
    };
    let mut log = Log::begun("r", &plan(&["web1"], vec![ready, switch, restart]));
    log.done("web1/ready");
    log.done("web1/switch");
    log
}

#[test]
fn a_restart_by_a_program_is_taken_back_with_the_last_restart_and_only_by_it() {
    let mut log = restarted();
    log.done("web1/restart");
    log.request(abort());
    log.intent("web1/switch", 2, Call::Undo);
    log.result("web1/switch", 2, Call::Undo, done());
    let stays = log.state().stays();
    assert_eq!(stays.len(), 1, "what does nothing changed nothing: {stays:?}");
    assert!(stays[0].starts_with("web1/restart:"), "as long as it runs what was switched to: {stays:?}");
    log.intent("web1/ready", 2, Call::Undo);
    let mut failing = log.clone();
    log.result("web1/ready", 2, Call::Undo, done());
    let state = log.state();
    assert_eq!((state.steps[2].state, state.steps[2].touched), (StepState::Undone, false), "{:?}", state.steps[2]);
    assert!(state.steps[2].said.starts_with("taken back together with web1/ready"), "{:?}", state.steps[2]);
    assert_eq!(next(&state, &[]), [Move::End(Ending::Aborted { stays: vec![] })]);
    assert_eq!(state.progress(), (3, 3));

    // Where it could not be started again it still runs what was switched to, whatever a person passes over.
    failing.result("web1/ready", 2, Call::Undo, failed("no such program"));
    failing.request(Request::Skip { step: "web1/ready".to_owned(), reason: reason() });
    let [Move::End(Ending::Aborted { stays })] = &next(&failing.state(), &[])[..] else { panic!("{:?}", next(&failing.state(), &[])) };
    assert!(stays.iter().any(|line| line.starts_with("web1/restart:")), "{stays:?}");
}

#[test]
fn a_restart_that_failed_or_was_passed_over_is_made_good_by_the_last_restart_too() {
    for skip in [false, true] {
        let mut log = restarted();
        log.intent("web1/restart", 1, Call::Apply);
        log.result("web1/restart", 1, Call::Apply, failed("exit 1"));
        if skip {
            log.request(Request::Skip { step: "web1/restart".to_owned(), reason: reason() });
        }
        log.request(abort());
        for id in ["web1/switch", "web1/ready"] {
            log.intent(id, 2, Call::Undo);
            log.result(id, 2, Call::Undo, done());
        }
        let state = log.state();
        assert_eq!(state.steps[2].state, if skip { StepState::Skipped } else { StepState::Undone });
        assert_eq!(state.stays(), Vec::<String>::new());
    }
}

#[test]
fn a_restart_that_was_never_made_is_taken_back_by_nothing() {
    let mut log = restarted();
    log.request(abort());
    for id in ["web1/switch", "web1/ready"] {
        log.intent(id, 2, Call::Undo);
        log.result(id, 2, Call::Undo, done());
    }
    assert_eq!(log.state().steps[2].state, StepState::Waiting);
    assert_eq!(log.state().stays(), Vec::<String>::new());
}

#[test]
fn a_step_that_is_retried_and_then_not_done_still_counts_as_touched() {
    let steps = vec![Step { repeat: Repeat::Repeatable, ..step("a") }];
    let mut log = Log::begun("r", &plan(&["web1"], steps));
    log.intent("a", 1, Call::Apply);
    log.result("a", 1, Call::Apply, failed("half of it"));
    log.request(retry("a"));
    assert_eq!(log.state().steps[0].state, StepState::Waiting);
    log.request(abort());
    assert_eq!(calls(&log.state(), &[]), [(0, Call::Undo)]);
    assert_eq!(log.state().stays().len(), 1);
}

#[test]
fn a_refused_step_asks_a_person_and_stays_nowhere_whatever_the_plan_says_of_failures() {
    let mut log = Log::begun("r", &plan(&["web1"], vec![Step { on_failure: OnFailure::Stop, ..step("a") }]));
    log.intent("a", 1, Call::Apply);
    log.result("a", 1, Call::Apply, refused("current leads to releases/2.6.0"));
    assert!(asks(&log.state(), 0));
    assert_eq!(log.state().stays(), [""; 0]);
    log.request(abort());
    assert_eq!(next(&log.state(), &[]), [Move::End(Ending::Aborted { stays: Vec::new() })]);
}

#[test]
fn a_failure_stops_asks_or_is_told_as_the_plan_says() {
    let of = |on_failure| {
        let mut log = Log::begun("r", &plan(&["web1"], vec![Step { on_failure, ..step("a") }]));
        log.intent("a", 1, Call::Apply);
        log.result("a", 1, Call::Apply, failed("no"));
        log
    };
    assert_eq!(next(&of(OnFailure::Ask).state(), &[]), [Move::Ask { step: 0, why: "a: no".to_owned() }]);
    assert_eq!(next(&of(OnFailure::Continue).state(), &[]), [Move::End(Ending::Done)]);
    let mut stop = of(OnFailure::Stop);
    assert_eq!(next(&stop.state(), &[]), [Move::Abort { why: "a: no".to_owned() }]);
    stop.request(Request::Pause { reason: reason() });
    assert_eq!(next(&stop.state(), &[]), [], "who paused it wants nothing begun");
    stop.request(Request::Resume { reason: reason() });
    assert_eq!(next(&stop.state(), &[]), [Move::Abort { why: "a: no".to_owned() }]);
}

#[test]
fn a_pause_holds_taking_back_too_but_not_reading() {
    let mut log = chain();
    log.done("web1/stop");
    log.intent("web2/stop", 1, Call::Apply);
    log.result("web2/stop", 1, Call::Apply, unknown("the link was lost"));
    log.request(abort());
    log.request(Request::Pause { reason: reason() });
    assert_eq!(next(&log.state(), &[]), [Move::Observe { step: 3, call: Call::Apply }]);
    assert_eq!(log.state().phase(), Phase::Paused);
}

#[test]
fn what_must_not_be_done_twice_is_looked_at_before_a_person_s_retry() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    log.result("web1/stop", 1, Call::Apply, failed("timed out"));
    log.request(retry("web1/stop"));
    assert!(next(&log.state(), &[3]).contains(&Move::Observe { step: 0, call: Call::Apply }));
    assert_eq!(calls(&log.state(), &[3]), []);
    log.found("web1/stop", Call::Apply, Found::Done { seen: "inactive".to_owned() });
    assert_eq!(calls(&log.state(), &[3]), [(1, Call::Apply)]);
}

#[test]
fn one_target_is_taken_back_and_the_others_go_on() {
    let mut log = chain();
    log.done("web1/stop");
    log.intent("web1/switch", 1, Call::Apply);
    log.result("web1/switch", 1, Call::Apply, failed("no"));
    assert!(asks(&log.state(), 1));
    log.add(Happened::Asked { step: Some("web1/switch".to_owned()), why: "no".to_owned() });
    assert_eq!(next(&log.state(), &[]), []);
    log.request(Request::TakeBack { target: "web1".to_owned(), reason: reason() });
    assert_eq!(calls(&log.state(), &[]), [(1, Call::Undo), (3, Call::Apply)]);
    for id in ["web1/switch", "web1/stop"] {
        log.intent(id, 2, Call::Undo);
        log.result(id, 2, Call::Undo, done());
    }
    log.done("web2/stop");
    let [Move::End(Ending::Failed { why, stays })] = &next(&log.state(), &[])[..] else { panic!() };
    assert!(why.contains("web1"), "{why}");
    assert_eq!(stays.len(), 1, "web2 stays: {stays:?}");
}

#[test]
fn a_guard_window_whose_hosts_are_all_taken_back_is_not_begun_and_one_that_has_a_host_left_is() {
    let guard = Act::Guard { service: "web".to_owned(), seconds: 15, panels: Vec::new() };
    let judged = |needs: &[&str]| Step {
        target: 2,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        undo: None,
        act: guard.clone(),
        ..step("batch-1/guard")
    };
    for (needs, wanted) in [(&["web1/switch"][..], vec![]), (&["web1/switch", "web2/switch"], vec![(2, Call::Apply)])] {
        let steps = vec![step("web1/switch"), Step { target: 1, ..step("web2/switch") }, judged(needs)];
        let mut log = Log::begun("r", &plan(&["web1", "web2", "the run"], steps));
        log.done("web1/switch");
        log.done("web2/switch");
        log.request(Request::TakeBack { target: "web1".to_owned(), reason: reason() });
        log.intent("web1/switch", 2, Call::Undo);
        log.result("web1/switch", 2, Call::Undo, done());
        assert_eq!(calls(&log.state(), &[]), wanted);
        let over = matches!(&next(&log.state(), &[])[..], [Move::End(Ending::Failed { .. })]);
        assert_eq!(over, wanted.is_empty());
    }
}

#[test]
fn a_target_that_failed_where_nothing_can_be_taken_back_does_not_hold_the_run() {
    let steps =
        vec![Step { undo: None, ..step("web1/health") }, Step { target: 1, needs: vec!["web1/health".to_owned()], ..step("web2/stop") }];
    let mut log = Log::begun("r", &plan(&["web1", "web2"], steps));
    log.intent("web1/health", 1, Call::Apply);
    log.result("web1/health", 1, Call::Apply, failed("503"));
    log.request(Request::TakeBack { target: "web1".to_owned(), reason: reason() });
    assert_eq!(calls(&log.state(), &[]), [(1, Call::Apply)]);
    log.request(Request::TakeBack { target: "no such target".to_owned(), reason: reason() });
    assert_eq!(log.state().taken_back, ["web1"]);
}

#[test]
fn nothing_before_a_point_of_no_return_is_taken_back_once_it_was_passed() {
    let mut steps = vec![step("a"), Step { point_of_no_return: true, undo: None, ..step("b") }, step("c")];
    steps[1].needs = vec!["a".to_owned()];
    steps[2].needs = vec!["b".to_owned()];
    let mut log = Log::begun("r", &plan(&["web1"], steps));
    log.done("a");
    log.intent("b", 1, Call::Apply);
    let mut refusal = log.clone();
    refusal.result("b", 1, Call::Apply, refused("it is another machine"));
    refusal.request(abort());
    assert_eq!(calls(&refusal.state(), &[]), [(0, Call::Undo)], "a refused call passed no point");
    log.result("b", 1, Call::Apply, done());
    log.done("c");
    log.request(abort());
    assert_eq!(calls(&log.state(), &[]), [(2, Call::Undo)]);
    log.intent("c", 2, Call::Undo);
    log.result("c", 2, Call::Undo, done());
    let [Move::End(Ending::Aborted { stays })] = &next(&log.state(), &[])[..] else { panic!() };
    assert_eq!(stays.iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_lost_taking_back_is_read_and_then_tried_again_or_left_to_a_person() {
    let mut log = chain();
    log.done("web1/stop");
    log.request(abort());
    log.intent("web1/stop", 2, Call::Undo);
    log.add(Happened::Begun { resumed: true });
    assert_eq!(next(&log.state(), &[]), [Move::Observe { step: 0, call: Call::Undo }]);
    let mut untold = log.clone();
    log.found("web1/stop", Call::Undo, Found::NotDone { seen: String::new() });
    assert_eq!(next(&log.state(), &[]), [Move::Call { step: 0, call: Call::Undo, attempt: 3 }]);
    untold.found("web1/stop", Call::Undo, Found::Untold { why: "cut off".to_owned() });
    assert!(asks(&untold.state(), 0));
    untold.request(Request::Confirm { step: "web1/stop".to_owned(), reason: "it runs".to_owned() });
    assert_eq!(next(&untold.state(), &[]), [Move::End(Ending::Aborted { stays: Vec::new() })]);
}

#[test]
fn a_late_answer_of_a_replaced_runner_changes_nothing() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    log.add(Happened::Begun { resumed: true });
    log.found("web1/stop", Call::Apply, Found::Done { seen: "inactive".to_owned() });
    let before = log.state();
    log.result("web1/stop", 1, Call::Apply, failed("lease lost"));
    assert_eq!(log.state().steps, before.steps);
    log.add(Happened::Ended(Ending::Done));
    let before = log.state();
    log.intent("web1/switch", 1, Call::Apply);
    assert_eq!(log.state().steps, before.steps, "nothing comes after the end");
}

#[test]
fn a_step_that_is_never_done_is_not_tried_for_ever() {
    let mut log = Log::begun("r", &plan(&["web1"], vec![Step { repeat: Repeat::Repeatable, ..step("a") }]));
    for attempt in 1..=TRIES {
        assert_eq!(next(&log.state(), &[]), [Move::Call { step: 0, call: Call::Apply, attempt }]);
        log.intent("a", attempt, Call::Apply);
        log.result("a", attempt, Call::Apply, unknown("no answer"));
        log.found("a", Call::Apply, Found::Untold { why: "no answer".to_owned() });
    }
    assert!(asks(&log.state(), 0));
}

#[test]
fn a_job_that_still_runs_after_its_time_asks_and_is_heard_when_it_ends() {
    let mut log = chain();
    log.intent("web1/stop", 1, Call::Apply);
    log.result("web1/stop", 1, Call::Apply, unknown("no answer in 60 s"));
    log.found("web1/stop", Call::Apply, Found::Underway { seen: "pid 77".to_owned() });
    assert!(!asks(&log.state(), 0));
    log.now += 200;
    log.found("web1/stop", Call::Apply, Found::Underway { seen: "pid 77".to_owned() });
    assert!(asks(&log.state(), 0));
    log.add(Happened::Asked { step: Some("web1/stop".to_owned()), why: "it still runs".to_owned() });
    assert_eq!(next(&log.state(), &[]), [Move::Observe { step: 0, call: Call::Apply }]);
    log.found("web1/stop", Call::Apply, Found::Done { seen: "inactive".to_owned() });
    assert_eq!(log.state().asked, None);
}

#[test]
fn a_step_of_a_person_is_asked_for_and_confirmed() {
    let steps = vec![Step { act: Act::Manual { what: "tell support".to_owned() }, undo: None, repeat: Repeat::Repeatable, ..step("tell") }];
    let mut log = Log::begun("r", &plan(&["web1"], steps));
    log.intent("tell", 1, Call::Apply);
    log.result("tell", 1, Call::Apply, unknown("a person does it"));
    log.found("tell", Call::Apply, Found::Untold { why: "a person says so".to_owned() });
    assert!(asks(&log.state(), 0));
    log.request(Request::Confirm { step: "tell".to_owned(), reason: "told".to_owned() });
    assert_eq!(next(&log.state(), &[]), [Move::End(Ending::Done)]);
}

#[test]
fn needs_that_cannot_be_met_are_a_question_and_not_a_silence() {
    let steps = vec![Step { needs: vec!["b".to_owned()], ..step("a") }];
    let state = Log::begun("r", &plan(&["web1"], steps)).state();
    let [Move::Ask { why, .. }] = &next(&state, &[])[..] else { panic!() };
    assert!(why.contains("does not have"), "{why}");
}
