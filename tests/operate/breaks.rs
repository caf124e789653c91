//! Planted breaks of the promises: the oracles must see each of them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::act::Called;
use quarterdeck::link::permit::Permit;
use quarterdeck::model::check::Check;
use quarterdeck::model::event::{Actor, Event, Record};
use quarterdeck::model::plan::{Found, Plan};
use quarterdeck::model::run::{Call, CallEnd, Ending, Happened, RunEvent};
use quarterdeck::operate::runner::{Begin, Book, Entry, Ledger, NoHooks};
use quarterdeck::operate::world::{Leased, Own, World};

use super::fixture::{LONG, Room, me, order, plan, programs};
use super::world::{Fault, Files};

const RUN: &str = "web-20261121T140455Z-0004";

fn new(plan: Plan) -> Begin {
    Begin::New(Box::new(order(plan, RUN)))
}

fn sees(room: &Room, what: &str) {
    let judged = room.judged();
    assert!(judged.iter().any(|wrong| wrong.starts_with(what)), "{what} was not seen: {judged:?}");
}

/// What is done to events on their way into the journal; `None` is not written, and said to be.
struct Bent<F = fn(Happened) -> Option<Happened>>(Book, F);

impl<F: Fn(Happened) -> Option<Happened> + Send + 'static> Ledger for Bent<F> {
    fn append(&mut self, run: &str, what: Happened, at: Timestamp) -> Result<Entry, String> {
        if let Some(what) = (self.1)(what.clone()) {
            return self.0.append(run, what, at);
        }
        let record = Record {
            seq: 0,
            prev: String::new(),
            said_at: at,
            written_at: at,
            actor: me(),
            version: String::new(),
            estate: None,
            event: Event::Run(RunEvent { run: run.to_owned(), what }),
        };
        Ok(Entry { record, head: format!("0 {}", "0".repeat(64)) })
    }

    fn actor(&self) -> &Actor {
        self.0.actor()
    }
}

async fn bent(how: fn(Happened) -> Option<Happened>) -> Room {
    let room = Room::new();
    room.run_with(new(plan()), room.world.clone(), NoHooks, Bent(room.book(), how)).await.unwrap();
    room
}

#[tokio::test]
async fn an_intent_that_is_not_on_the_disk_is_seen() {
    let dropped = bent(|what| (!matches!(what, Happened::Intent(_))).then_some(what)).await;
    sees(&dropped, "I2");
    let lease = bent(|what| (!matches!(what, Happened::LeaseWanted { .. })).then_some(what)).await;
    sees(&lease, "I2");
}

#[tokio::test]
async fn a_result_that_is_not_recorded_is_seen() {
    let dropped = bent(|what| (!matches!(&what, Happened::Result { step, .. } if step == "web2/start")).then_some(what)).await;
    sees(&dropped, "P1");
}

#[tokio::test]
async fn another_plan_than_was_agreed_to_is_seen() {
    let other = bent(|what| {
        Some(match what {
            Happened::Intent(mut intent) => {
                intent.plan = "0".repeat(64);
                Happened::Intent(intent)
            }
            what => what,
        })
    });
    sees(&other.await, "I3");
    let changed = bent(|what| {
        Some(match what {
            Happened::Planned { mut plan, hash } => {
                plan.steps[0].title = "something else".into();
                Happened::Planned { plan, hash }
            }
            what => what,
        })
    });
    sees(&changed.await, "I3");
    let typed = bent(|what| {
        Some(match what {
            Happened::Agreed(mut agreement) => {
                agreement.phrase = "yes".into();
                Happened::Agreed(agreement)
            }
            what => what,
        })
    });
    sees(&typed.await, "I3");
}

#[tokio::test]
async fn a_plan_that_is_begun_too_late_is_seen() {
    let late = bent(|what| {
        Some(match what {
            Happened::Planned { mut plan, hash } => {
                plan.expires_at = plan.made_at - SignedDuration::from_secs(1);
                Happened::Planned { plan, hash }
            }
            what => what,
        })
    });
    sees(&late.await, "I3");
}

#[tokio::test]
async fn a_write_that_is_made_again_blindly_is_seen() {
    let room = Room::new();
    room.world.fault(&[Fault::LostReply("web1/migrate".into()), Fault::Blind]);
    room.run(new(programs())).await.unwrap();
    assert_eq!(room.world.places()[0].ran, 2);
    sees(&room, "I4");
    // Without a word of a reading in the record.
    let silent = Room::new();
    silent.world.fault(&[Fault::LostReply("web1/migrate".into()), Fault::Blind]);
    let ledger = Bent(silent.book(), |what| (!matches!(what, Happened::Observed { .. })).then_some(what));
    silent.run_with(new(programs()), silent.world.clone(), NoHooks, ledger).await.unwrap();
    assert!(silent.judged().iter().any(|wrong| wrong.contains("blindly")), "{:?}", silent.judged());
}

#[derive(Clone, Copy, PartialEq)]
enum Lie {
    /// Every lease is ours for ever.
    Leases,
    /// Nothing is given back.
    Keeps,
    /// It is done, and nothing was done.
    Done,
    /// What was read an hour ago is so now.
    Stale,
}

/// A world that lies.
struct Liar(Files, Lie);

impl World for Liar {
    async fn check(&self, plan: Arc<Plan>, own: Own) -> Vec<Check> {
        let mut checks = self.0.check(plan, own).await;
        if self.1 == Lie::Stale {
            checks.iter_mut().for_each(|check| check.as_of -= SignedDuration::from_hours(1));
        }
        checks
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        let taken = self.0.take_lease(permit, plan.clone(), target).await;
        if self.1 == Lie::Leases {
            // Another run comes in between, and this one is not told.
            let other = Permit::mint("other", "lease", 1, None, "0 0");
            let places: Vec<_> = self.0.places().into_iter().map(|place| super::world::Place { lease: None, ..place }).collect();
            self.0.begin(&places);
            self.0.take_lease(other, plan, target).await;
        }
        taken
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        if self.1 == Lie::Leases { Leased::Held(fence) } else { self.0.renew_lease(plan, target, run, fence).await }
    }

    async fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        if self.1 == Lie::Keeps { Ok(()) } else { self.0.give_lease(plan, target, run, fence).await }
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        if self.1 == Lie::Done && plan.steps[step].id == "web1/switch" {
            return Called { end: CallEnd::Done { seen: "trust me".into() }, output: vec![] };
        }
        self.0.call(permit, plan, step, call).await
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Found {
        self.0.observe(plan, step, call, run, attempt).await
    }
}

async fn lied(lie: Lie, faults: &[Fault]) -> Room {
    let room = Room::new();
    room.world.fault(faults);
    let other = Room::of(room.root.clone(), LONG);
    let run = tokio::spawn(async move { other.run_with(new(plan()), Liar(other.world.clone(), lie), NoHooks, other.book()).await });
    // It ends, or asks; then it is left.
    for _ in 0..6_000 {
        let waits = room.records().iter().any(|record| format!("{:?}", record.event).contains("Asked"));
        if run.is_finished() || waits {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    run.abort();
    room
}

#[tokio::test]
async fn a_fence_number_that_is_ignored_is_seen() {
    sees(&lied(Lie::Leases, &[Fault::NoFence]).await, "I3");
}

#[tokio::test]
async fn the_same_runner_changes_nothing_where_the_fence_is_looked_at() {
    let room = lied(Lie::Leases, &[]).await;
    assert!(room.world.calls().iter().all(|seen| !seen.changed));
}

/// A world whose leases lie elsewhere than what they are the right to: with whoever asks, as on two jump boxes.
struct Apart {
    world: Files,
    leases: Files,
}

impl World for Apart {
    async fn check(&self, plan: Arc<Plan>, own: Own) -> Vec<Check> {
        self.world.check(plan, own).await
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        self.leases.take_lease(permit, plan, target).await
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        self.leases.renew_lease(plan, target, run, fence).await
    }

    async fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        self.leases.give_lease(plan, target, run, fence).await
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        self.world.call(permit, plan, step, call).await
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Found {
        self.world.observe(plan, step, call, run, attempt).await
    }
}

/// Both got the fence number 1, so that no number tells them apart.
#[tokio::test]
async fn two_runs_that_change_one_target_at_once_are_seen() {
    let (one, two) = (Room::new(), Room::new());
    one.world.fault(&[Fault::Held("web2/stop".into()), Fault::NoFence]);
    let first = Room::of(one.root.clone(), LONG);
    let run = tokio::spawn(async move { first.run_with(new(plan()), first.world.clone(), NoHooks, first.book()).await.unwrap() });
    while one.world.calls().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(one.judged().iter().find(|wrong| wrong.starts_with("I1")), None);
    let apart = Apart { world: one.world.clone(), leases: two.world.clone() };
    let other = Begin::New(Box::new(order(plan(), "web-20261121T140455Z-0005")));
    let second = async { two.run_with(other, apart, NoHooks, two.book()).await.unwrap() };
    let release = async {
        while one.world.calls().len() < 4 {
            tokio::task::yield_now().await;
        }
        one.world.release();
    };
    tokio::join!(second, release);
    run.await.unwrap();
    let judged = one.judged();
    assert!(judged.iter().any(|wrong| wrong.starts_with("I1: web1/stop of web-20261121T140455Z-0005 changed what")), "{judged:?}");
    assert!(!judged.iter().any(|wrong| wrong.starts_with("I3")), "by numbers and plans nothing is to be seen: {judged:?}");
}

#[tokio::test]
async fn acknowledged_writes_that_are_gone_are_seen() {
    let kept = Room::new();
    kept.run(new(plan())).await.unwrap();
    assert!(kept.world.shown().acked.iter().all(|writes| !writes.is_empty()), "somebody wrote");
    kept.is_sound();
    let lost = Room::new();
    lost.world.fault(&[Fault::Loses]);
    lost.run(new(plan())).await.unwrap();
    sees(&lost, "I7");
}

#[tokio::test]
async fn an_end_that_is_none_or_not_true_is_seen() {
    let ended = |ending: fn() -> Option<Ending>| {
        move |what| match what {
            Happened::Ended(_) => ending().map(Happened::Ended),
            what => Some(what),
        }
    };
    let dumb = || Some(Ending::Failed { why: "it failed".into(), stays: vec![] });
    let modest = || Some(Ending::Refused { why: "a check".into() });
    for (ending, what) in
        [(dumb as fn() -> _, "names no next command"), (modest, "nothing was changed"), (|| None, "neither ended nor waits")]
    {
        let room = Room::new();
        room.run_with(new(plan()), room.world.clone(), NoHooks, Bent(room.book(), ended(ending))).await.unwrap();
        let judged = room.judged();
        assert!(judged.iter().any(|wrong| wrong.starts_with("I5") && wrong.contains(what)), "{what} was not seen: {judged:?}");
    }
    // And a world that is otherwise than the record says.
    let room = Room::new();
    room.run(new(plan())).await.unwrap();
    let moved: Vec<_> = room.world.places().into_iter().map(|place| super::world::Place { running: false, ..place }).collect();
    room.world.begin(&moved);
    sees(&room, "I5: the record says");
}

#[tokio::test]
async fn a_lease_that_is_kept_is_seen() {
    sees(&lied(Lie::Keeps, &[]).await, "I8");
}

#[tokio::test]
async fn a_check_that_takes_a_stale_reading_as_true_is_seen() {
    sees(&lied(Lie::Stale, &[]).await, "P8");
}

#[tokio::test]
async fn a_result_that_is_not_true_is_seen() {
    sees(&lied(Lie::Done, &[]).await, "I2");
}

#[tokio::test]
async fn an_event_that_was_changed_is_seen() {
    let room = Room::new();
    room.run(new(plan())).await.unwrap();
    room.is_sound();
    let database = rusqlite::Connection::open(room.journal()).unwrap();
    database.execute_batch("DROP TRIGGER event_is_not_changed; UPDATE event SET hash = replace(hash, 'a', 'b') WHERE seq = 5").unwrap();
    drop(database);
    sees(&room, "I6");
}
