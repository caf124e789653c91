//! A journal that is put back to an older copy, its own head with it: what its later runs left at the hosts is ahead of it,
//! and nothing is begun from it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use quarterdeck::act::Called;
use quarterdeck::journal::{Broken, Head, Journal};
use quarterdeck::link::permit::Permit;
use quarterdeck::model::check::{Check, Verdict};
use quarterdeck::model::plan::{Deed, Found, Plan};
use quarterdeck::model::run::{Call, Ending};
use quarterdeck::operate::order::Order;
use quarterdeck::operate::runner::{Begin, NoHooks};
use quarterdeck::operate::world::{Leased, Own, World};

use super::yard::{HOSTS, Watched, Yard};

const FIRST: &str = "web-20261121T140455Z-00a1";
const SECOND: &str = "web-20261121T140455Z-00a2";
const THIRD: &str = "web-20261121T140455Z-00a3";

async fn restart(yard: &Yard, run: &str) -> Order {
    yard.order_of(Deed::Restart, run, |_| {}).await
}

async fn carried_out(yard: &Yard, world: impl World, order: Order) -> Ending {
    let run = order.run.clone();
    yard.room.run_with(Begin::New(Box::new(order)), world, NoHooks, yard.room.book()).await.unwrap();
    yard.room.state(&run).ended.expect("it has ended").1
}

fn copy(from: &Path, to: &Path) {
    for name in ["journal.db", "journal.db.head"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    for name in ["journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(to.join(name));
    }
}

fn left(yard: &Yard, host: &str) -> String {
    fs::read_to_string(yard.at(host).join(".quarterdeck/head")).unwrap()
}

fn ran(yard: &Yard) -> String {
    fs::read_to_string(yard.at("ran")).unwrap()
}

/// A yard in which two runs went well, a third one is agreed to, and the journal is as it was after the first.
async fn cut() -> (Yard, Order) {
    let (yard, older) = (Yard::new(), tempfile::tempdir().unwrap());
    let order = restart(&yard, FIRST).await;
    assert_eq!(carried_out(&yard, yard.watched(FIRST), order).await, Ending::Done);
    let state = yard.room.journal().parent().unwrap().to_owned();
    copy(&state, older.path());
    let order = restart(&yard, SECOND).await;
    assert_eq!(carried_out(&yard, yard.watched(SECOND), order).await, Ending::Done);
    let order = restart(&yard, THIRD).await;
    let checks = yard.ground(THIRD).check(Arc::new(order.plan.clone()), Own::default()).await;
    let told: Vec<&Check> = checks.iter().filter(|check| check.id.starts_with("head/")).collect();
    assert_eq!(told.len(), HOSTS.len());
    assert!(told.iter().all(|check| check.passes() && check.seen.contains("is there as it was left")), "{told:?}");
    copy(older.path(), &state);
    (yard, order)
}

#[tokio::test]
async fn nothing_is_begun_from_a_journal_that_ends_before_what_its_runs_left_at_the_hosts() {
    let (yard, order) = cut().await;
    // By itself it is whole: its own head was put back with it.
    assert_eq!(Journal::read(&yard.room.journal()).unwrap().unwrap().verify().broken, None);
    let (before, plan) = (ran(&yard), Arc::new(order.plan.clone()));
    let blocked = |checks: Vec<Check>, how: &str| {
        for host in HOSTS {
            let check = checks.iter().find(|check| check.id == format!("head/{host}")).unwrap();
            assert!(check.verdict == Verdict::Block && !check.overridable && check.seen.contains(how), "{check:?}");
            let head = left(&yard, host).split_whitespace().skip(1).take(2).collect::<Vec<_>>().join(" ");
            assert!(check.seen.contains(&format!("`qd journal verify --head \"{head}\"`")), "the command is whole: {check:?}");
        }
    };
    blocked(yard.ground(THIRD).check(plan.clone(), Own::default()).await, "its end was cut off, or it is an older copy");
    let Ending::Refused { why } = carried_out(&yard, yard.watched(THIRD), order).await else { panic!() };
    assert!(why.contains("qd journal verify --head"), "{why}");
    assert_eq!(ran(&yard), before, "nothing was done");
    // The journal goes on, and whatever it says in that place then is something else.
    for number in 0..3 {
        let run = format!("web-20261121T140455Z-01{number:02}");
        let order = super::fixture::order(Plan::clone(&plan), &run);
        assert!(matches!(carried_out(&yard, yard.watched(&run), order).await, Ending::Refused { .. }));
    }
    blocked(yard.ground(THIRD).check(plan, Own::default()).await, "is not the one that was left there");
    assert_eq!(ran(&yard), before);
}

/// A planted break: the check is made and nobody hears of it.
struct Deaf(Watched);

impl World for Deaf {
    async fn check(&self, plan: Arc<Plan>, own: Own) -> Vec<Check> {
        let mut all = self.0.check(plan, own).await;
        all.retain(|check| !check.id.starts_with("head/"));
        all
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        self.0.take_lease(permit, plan, target).await
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        self.0.renew_lease(plan, target, run, fence).await
    }

    async fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        self.0.give_lease(plan, target, run, fence).await
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        self.0.call(permit, plan, step, call).await
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Found {
        self.0.observe(plan, step, call, run, attempt).await
    }
}

#[tokio::test]
async fn without_that_check_a_run_goes_on_from_a_cut_journal_and_nothing_else_sees_it() {
    let (yard, order) = cut().await;
    let head: Head = left(&yard, "web1").split_whitespace().skip(1).take(2).collect::<Vec<_>>().join(" ").parse().unwrap();
    let before = ran(&yard);
    assert_eq!(carried_out(&yard, Deaf(yard.watched(THIRD)), order).await, Ending::Done);
    assert_ne!(ran(&yard), before, "it acted");
    let journal = Journal::read(&yard.room.journal()).unwrap().unwrap();
    assert_eq!(journal.verify().broken, None);
    let broken = journal.verify_against(std::slice::from_ref(&head)).broken;
    assert!(matches!(broken, Some(Broken::Rewritten { .. } | Broken::Cut { .. })), "{broken:?}");
}
