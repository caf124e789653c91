//! What goes wrong around a runner, and what persons ask of it meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use quarterdeck::model::event::Actor;
use quarterdeck::model::plan::{OnFailure, Plan};
use quarterdeck::model::run::{Call, Ending, Happened, Lease, Phase, Request, RunState, StepState};
use quarterdeck::operate::order::{Order, OrderError};
use quarterdeck::operate::runner::{Begin, BeginError, Book, Entry, Folder, FolderError, Ledger, NoHooks, Outcome};
use tokio::sync::watch;

use super::child::{At, Task, start};
use super::fixture::{LONG, Room, before, done, effects, me, order, plan, programs};
use super::world::{Fault, Files, now};

const RUN: &str = "web-20261121T140455Z-0002";
const OTHER: &str = "web-20261121T140455Z-0003";

fn new(plan: Plan) -> Begin {
    Begin::New(Box::new(order(plan, RUN)))
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} did not come");
}

/// A run that goes on in this process while the test looks at it.
fn going(room: &Room, what: Begin) -> tokio::task::JoinHandle<Outcome> {
    let room = Room::of(room.root.clone(), LONG);
    tokio::spawn(async move { room.run(what).await.unwrap() })
}

fn phase(room: &Room) -> Option<Phase> {
    RunState::all(&room.records()).first().map(RunState::phase)
}

fn called(world: &Files, step: &str) -> usize {
    world.calls().iter().filter(|seen| seen.step == step).count()
}

#[tokio::test]
async fn a_reply_that_is_lost_is_read_back_and_never_written_again() {
    let room = Room::new();
    room.world.fault(&[Fault::LostReply("web1/switch".into()), Fault::LostCall("web2/stop".into()), Fault::Dark("web1/switch".into(), 3)]);
    assert_eq!(room.run(new(plan())).await.unwrap(), Outcome::Ended(Ending::Done));
    assert_eq!((called(&room.world, "web1/switch"), called(&room.world, "web2/stop")), (1, 2));
    assert_eq!(effects(&room.world.places()), done());
    room.is_sound();
}

#[tokio::test]
async fn an_outcome_that_stays_dark_is_a_persons_question_until_it_is_read_after_all() {
    let room = Room::new();
    room.world.fault(&[Fault::LostReply("web1/switch".into()), Fault::Dark("web1/switch".into(), 150)]);
    assert_eq!(room.run(new(plan())).await.unwrap(), Outcome::Ended(Ending::Done));
    let asked = room.records().iter().any(|record| format!("{:?}", record.event).contains("Asked"));
    assert!(asked, "a person was told");
    assert_eq!((called(&room.world, "web1/switch"), effects(&room.world.places())), (1, done()));
    room.is_sound();
}

/// A host that burns down in the middle of a step: nobody will ever read back how that ended. The run is no prisoner of it.
#[tokio::test]
async fn a_host_that_never_comes_back_is_passed_over_by_a_person_and_the_rest_goes_on_or_back() {
    for abort in [false, true] {
        let room = Room::new();
        let dark = ["web2/switch", "web2/start", "web2/stop"].map(|step| Fault::Dark(step.into(), u32::MAX));
        room.world.fault(&[&[Fault::LostReply("web2/switch".into())], &dark[..]].concat());
        let run = going(&room, new(plan()));
        until("the question", || asks(&room, "web2/switch")).await;
        if abort {
            room.ask(RUN, &Request::Abort { reason: "web2 burnt down".into() });
            until("the abort", || room.state(RUN).aborting.is_some() && asks(&room, "web2/switch")).await;
            assert_eq!(effects(&room.world.places())[0], done()[0], "nothing is taken back before it is known");
        }
        room.ask(RUN, &Request::Skip { step: "web2/switch".into(), reason: "web2 burnt down".into() });
        let Outcome::Ended(ending) = run.await.unwrap() else { panic!("it did not end") };
        let state = room.state(RUN);
        assert_eq!(state.steps[state.place("web2/switch").unwrap()].state, StepState::Skipped);
        assert_eq!(called(&room.world, "web2/switch"), 1, "it is not done again");
        if abort {
            let Ending::Aborted { stays } = ending else { panic!("{ending:?}") };
            assert!(stays.iter().any(|line| line.starts_with("web2/switch: ")), "{stays:?}");
            assert_eq!(effects(&room.world.places())[0], effects(&before())[0], "the other host is taken back");
        } else {
            assert_eq!((ending, effects(&room.world.places())), (Ending::Done, done()));
        }
        room.is_sound();
    }
}

/// The question about that step, where the run asks one that names the way on.
fn asks(room: &Room, step: &str) -> bool {
    let asked = RunState::all(&room.records()).pop().and_then(|state| state.asked);
    asked.is_some_and(|(of, why)| of.as_deref() == Some(step) && why.contains("`qd skip"))
}

/// A host that dies while others are at work: its lease cannot be proven, so nothing is begun there. A person is told, and it
/// goes on by itself when the host is back.
#[tokio::test]
async fn a_host_that_is_gone_before_its_turn_is_asked_about_and_goes_on_when_it_is_back() {
    for back in [true, false] {
        let room = Room::new();
        room.world.fault(&[Fault::Held("web1/start".into())]);
        let mut short = order(plan(), RUN);
        short.lease = 1;
        let run = going(&room, Begin::New(Box::new(short)));
        until("the call", || called(&room.world, "web1/switch") == 1).await;
        room.world.fault(&[Fault::Held("web1/start".into()), Fault::Gone("web2".into())]);
        let lost = || matches!(room.state(RUN).leases[1], Lease::Lost(_));
        until("the lost lease", lost).await;
        room.world.release();
        until("the question", || asks(&room, "web2/stop")).await;
        assert_eq!(called(&room.world, "web2/stop"), 0);
        if back {
            room.world.fault(&[]);
            assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Done));
            assert_eq!(effects(&room.world.places()), done());
        } else {
            room.ask(RUN, &Request::Abort { reason: "web2 is gone".into() });
            assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Aborted { stays: vec![] }));
            assert_eq!(effects(&room.world.places()), effects(&before()));
        }
        room.is_sound();
    }
}

/// The same where the runner was ended, too: the next one is no prisoner of the lease of a host that does not answer.
#[tokio::test]
async fn a_run_is_taken_up_though_a_host_is_gone_and_its_lease_is_taken_when_it_is_back() {
    let room = Room::new();
    room.world.fault(&[Fault::Held("web1/switch".into())]);
    let (tell, stop) = watch::channel(false);
    let other = Room::of(room.root.clone(), LONG);
    let run = tokio::spawn(async move { other.run_until(new(plan()), other.world.clone(), NoHooks, other.book(), stop).await.unwrap() });
    until("the call", || called(&room.world, "web1/stop") == 1).await;
    tell.send(true).unwrap();
    room.world.release();
    assert!(matches!(run.await.unwrap(), Outcome::Stopped(_)));
    room.world.fault(&[Fault::Gone("web2".into())]);
    let again = going(&room, room.again(RUN));
    until("the question", || asks(&room, "web2/stop")).await;
    assert_eq!((called(&room.world, "web2/stop"), effects(&room.world.places())[0].clone()), (0, done()[0].clone()));
    room.world.fault(&[]);
    assert_eq!(again.await.unwrap(), Outcome::Ended(Ending::Done));
    assert_eq!(effects(&room.world.places()), done());
    room.is_sound();
}

#[tokio::test]
async fn what_nobody_can_tell_is_asked_and_done_once() {
    let room = Room::new();
    room.world.fault(&[Fault::LostReply("web1/migrate".into())]);
    let run = going(&room, new(programs()));
    until("the question", || phase(&room) == Some(Phase::Asking)).await;
    room.is_sound();
    room.ask(RUN, &Request::Confirm { step: "web1/migrate".into(), reason: "the table is there".into() });
    assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Done));
    assert_eq!(room.world.places().iter().map(|place| place.ran).collect::<Vec<_>>(), [1, 1]);
    room.is_sound();
}

#[tokio::test]
async fn steps_that_need_nothing_of_each_other_go_side_by_side() {
    let room = Room::new();
    room.world.fault(&["web1/migrate", "web2/migrate"].map(|step| Fault::Held(step.into())));
    let run = going(&room, new(programs()));
    let intents = || room.records().iter().filter(|record| format!("{:?}", record.event).contains("Intent(")).count();
    until("both intents", || intents() == 2).await;
    room.world.release();
    assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Done));
    room.is_sound();
}

#[tokio::test]
async fn pause_resume_abort_retry_and_skip_are_taken_up_and_recorded_with_who_asked() {
    let room = Room::new();
    room.world.fault(&[Fault::Held("web1/switch".into())]);
    let run = going(&room, new(plan()));
    until("the call", || phase(&room) == Some(Phase::Going) && room.state(RUN).steps[1].state == StepState::Underway(Call::Apply)).await;
    room.ask(RUN, &Request::Pause { reason: "wait".into() });
    until("the pause", || room.state(RUN).paused.is_some()).await;
    room.world.release();
    until("its result", || room.state(RUN).steps[1].state == StepState::Done).await;
    assert_eq!(called(&room.world, "web1/start"), 0, "nothing new is begun");
    room.ask(RUN, &Request::Resume { reason: "go on".into() });
    assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Done));
    let state = room.state(RUN);
    assert_eq!(state.requests.iter().map(|(_, by, _)| by.clone()).collect::<Vec<Actor>>(), [me(), me()]);
    assert_eq!(std::fs::read_dir(room.runs().join(RUN).join("requests")).unwrap().count(), 0);
    room.is_sound();
}

#[tokio::test]
async fn a_failed_step_asks_and_is_tried_again_or_all_is_taken_back() {
    for abort in [false, true] {
        let room = Room::new();
        room.world.fault(&[Fault::Fails("web2/start".into())]);
        let run = going(&room, new(plan()));
        until("the question", || phase(&room) == Some(Phase::Asking)).await;
        room.world.fault(&[]);
        let (request, ending, world) = if abort {
            (Request::Abort { reason: "no".into() }, Ending::Aborted { stays: vec![] }, effects(&before()))
        } else {
            (Request::Retry { step: "web2/start".into(), reason: "now".into() }, Ending::Done, done())
        };
        room.ask(RUN, &request);
        assert_eq!(run.await.unwrap(), Outcome::Ended(ending));
        assert_eq!(effects(&room.world.places()), world);
        room.is_sound();
    }
}

#[tokio::test]
async fn a_check_that_blocks_ends_it_before_anything_is_changed() {
    let room = Room::new();
    room.world.fault(&[Fault::Blocks("freeze".into())]);
    let Outcome::Ended(Ending::Refused { why }) = room.run(new(plan())).await.unwrap() else { panic!("it was begun") };
    assert!(why.contains("freeze"), "{why}");
    assert_eq!((room.world.calls().len(), effects(&room.world.places())), (0, effects(&before())));
    assert!(room.world.places().iter().all(|place| place.lease.is_none()));
    room.is_sound();
}

#[tokio::test]
async fn two_runners_with_two_journals_on_one_world_make_one_run() {
    let (one, mut two) = (Room::new(), Room::new());
    two.world = one.world.clone();
    one.world.fault(&[Fault::Held("web1/stop".into())]);
    let run = going(&one, new(plan()));
    until("the first call", || phase(&one) == Some(Phase::Going)).await;
    let second = two.run(Begin::New(Box::new(order(plan(), OTHER)))).await.unwrap();
    let Outcome::Ended(Ending::Refused { why }) = second else { panic!("two runs went: {second:?}") };
    assert!(why.contains(RUN), "{why}");
    one.world.release();
    assert_eq!(run.await.unwrap(), Outcome::Ended(Ending::Done));
    assert!(one.world.calls().iter().all(|seen| seen.run == RUN));
    one.is_sound();
    two.is_sound();
}

#[tokio::test]
async fn a_runner_that_was_frozen_longer_than_its_lease_changes_nothing_when_it_goes_on() {
    for boundary in ["BeforeIntent", "AfterIntent", "AfterCall"] {
        let (one, mut two) = (Room::new(), Room::new());
        two.world = one.world.clone();
        let at = At { boundary: boundary.into(), step: "web1/switch".into(), call: Call::Apply, freeze: true };
        let mut order_of = order(plan(), RUN);
        order_of.lease = 1;
        let task = Task {
            root: one.root.clone(),
            order: Some(order_of),
            again: String::new(),
            signal: Some(at),
            ttl_ms: 1_000,
            real: false,
            forgets: false,
            version: "1".into(),
        };
        let mut frozen = start(&task);
        let pid = Pid::from_raw(frozen.id().try_into().unwrap());
        assert!(matches!(waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap(), WaitStatus::Stopped(..)));
        until("the end of its leases", || {
            one.world.places().iter().all(|place| place.lease.as_ref().is_some_and(|held| held.until < now()))
        })
        .await;
        // Another one takes over and does all of it.
        assert_eq!(two.run(Begin::New(Box::new(order(plan(), OTHER)))).await.unwrap(), Outcome::Ended(Ending::Done));
        let (calls, world) = (one.world.calls().len(), effects(&one.world.places()));
        std::fs::write(one.root.join("thawed"), "").unwrap();
        kill(pid, Signal::SIGCONT).unwrap();
        assert!(frozen.wait().unwrap().success());
        assert_eq!((one.world.calls().len(), effects(&one.world.places())), (calls, world), "{boundary}");
        let Some((_, Ending::Failed { why, .. })) = one.state(RUN).ended else { panic!("{boundary}: it did not end") };
        assert!(why.contains("`qd show") && why.contains("web1") || why.contains("web2"), "{why}");
        one.is_sound();
        two.is_sound();
    }
}

/// The journal's disk is full after so many events.
struct Full(Book, u32);

impl Ledger for Full {
    fn append(&mut self, run: &str, what: Happened, at: Timestamp) -> Result<Entry, String> {
        self.1 = self.1.checked_sub(1).ok_or("the disk is full")?;
        self.0.append(run, what, at)
    }

    fn actor(&self) -> &Actor {
        self.0.actor()
    }
}

#[tokio::test]
async fn a_journal_that_is_full_after_any_event_stops_the_runner_and_the_run_goes_on_later() {
    let (mut stopped, mut events) = (0, 0);
    loop {
        let room = Room::new();
        let outcome = room.run_with(new(plan()), room.world.clone(), NoHooks, Full(room.book(), events)).await;
        match outcome {
            Err(BeginError::Journal(why)) => assert!(why.contains("full") && room.world.calls().is_empty(), "{why}"),
            Err(other) => panic!("{other}"),
            Ok(Outcome::Ended(ending)) => {
                assert_eq!((ending, room.records().len()), (Ending::Done, usize::try_from(events).unwrap()), "all was recorded");
                break;
            }
            Ok(Outcome::Stopped(why)) => {
                assert!(why.contains("qd resume") || why.contains("disk is full"), "{why}");
                let beat = Folder::last_beat(&room.runs().join(RUN)).unwrap();
                assert!(
                    beat.left && beat.said.as_deref().is_some_and(|said| said.contains("journal")),
                    "after {events} events: {why} / {beat:?}"
                );
                assert_eq!(room.run(room.again(RUN)).await.unwrap(), Outcome::Ended(Ending::Done), "after {events} events");
                assert_eq!(effects(&room.world.places()), done());
                room.is_sound();
                stopped += 1;
            }
        }
        events += 1;
    }
    // But for the first three, before which nothing is begun.
    assert_eq!(stopped, events - 3);
}

#[tokio::test]
async fn a_runner_that_is_told_to_end_begins_nothing_more_and_the_run_goes_on_later() {
    let room = Room::new();
    room.world.fault(&[Fault::Held("web1/switch".into())]);
    let (tell, stop) = watch::channel(false);
    let other = Room::of(room.root.clone(), LONG);
    let run = tokio::spawn(async move { other.run_until(new(plan()), other.world.clone(), NoHooks, other.book(), stop).await.unwrap() });
    until("the call", || phase(&room) == Some(Phase::Going) && called(&room.world, "web1/stop") == 1).await;
    tell.send(true).unwrap();
    room.world.release();
    assert!(matches!(run.await.unwrap(), Outcome::Stopped(_)));
    assert_eq!(called(&room.world, "web2/stop"), 0);
    assert_eq!(room.run(room.again(RUN)).await.unwrap(), Outcome::Ended(Ending::Done));
    room.is_sound();
}

type Is = fn(&OrderError) -> bool;

#[tokio::test]
async fn an_order_that_is_not_what_was_agreed_to_leaves_no_trace() {
    let good = order(plan(), RUN);
    let mut wrong: Vec<(Order, Is)> = Vec::new();
    let mut other = good.clone();
    other.plan.steps[1].title.push('!');
    wrong.push((other, |error| matches!(error, OrderError::Hash { .. })));
    let mut other = good.clone();
    other.agreement.phrase = "web 000000".into();
    wrong.push((other, |error| matches!(error, OrderError::Phrase(_))));
    let mut other = good.clone();
    other.plan.expires_at = Timestamp::now() - SignedDuration::from_secs(1);
    wrong.push((other, |error| matches!(error, OrderError::Expired(_))));
    let mut other = good.clone();
    other.agreement.reason = " ".into();
    wrong.push((other, |error| matches!(error, OrderError::Reason)));
    let mut newer = plan();
    newer.format += 1;
    wrong.push((order(newer, RUN), |error| matches!(error, OrderError::Format(_)) && error.to_string().contains("made by another qd")));
    for (order, is) in wrong {
        let room = Room::new();
        let Err(BeginError::Order(error)) = room.run(Begin::New(Box::new(order))).await else { panic!("it was begun") };
        assert!(is(&error), "{error}");
        assert!(room.records().is_empty() && room.world.seen().is_empty());
    }
}

#[tokio::test]
async fn a_run_of_a_newer_format_is_not_taken_up() {
    let room = Room::new();
    let mut newer = plan();
    newer.format += 1;
    let of = order(newer, RUN);
    let mut book = room.book();
    book.append(RUN, Happened::Planned { plan: Box::new(of.plan), hash: of.hash }, Timestamp::now()).unwrap();
    book.append(RUN, Happened::Agreed(of.agreement), Timestamp::now()).unwrap();
    let Err(error) = room.run(room.again(RUN)).await else { panic!("it was taken up") };
    assert!(error.to_string().starts_with("cannot: "), "{error}");
    assert_eq!((room.records().len(), room.world.seen().len()), (2, 0));
}

#[tokio::test]
async fn a_run_has_one_runner_and_ends_once() {
    let room = Room::new();
    let held = Folder::hold(&room.runs(), RUN, me().process).unwrap();
    assert!(matches!(Folder::hold(&room.runs(), RUN, me().process), Err(FolderError::Held(_))));
    drop(held);
    assert!(matches!(Folder::hold(&room.runs(), "../x", me().process), Err(FolderError::Name(_))));
    let mut plan = plan();
    plan.steps.iter_mut().for_each(|step| step.on_failure = OnFailure::Stop);
    assert_eq!(room.run(new(plan)).await.unwrap(), Outcome::Ended(Ending::Done));
    assert!(matches!(room.run(room.again(RUN)).await, Err(BeginError::Ended(..))));
}
