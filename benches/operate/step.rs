//! A step in the runner and the journal alone: its calls are done as soon as they are made.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use quarterdeck::act::Called;
use quarterdeck::journal::{self, Hand, Journal};
use quarterdeck::link::permit::Permit;
use quarterdeck::model::check::Check;
use quarterdeck::model::event::{Event, Record};
use quarterdeck::model::plan::{Act, Deed, FORMAT, Found, Impact, OnFailure, Plan, Repeat, Step, Target, TargetKind};
use quarterdeck::model::run::{Agreement, Call, CallEnd, Ending, Happened};
use quarterdeck::operate::order::Order;
use quarterdeck::operate::runner::{Begin, Book, Folder, NoHooks, Outcome, Pace, begin};
use quarterdeck::operate::world::{Leased, Own, World};
use tokio::sync::watch;

use super::median;

/// Steps of the plan, one after another.
const STEPS: usize = 300;

/// Where all is done at once.
struct Memory;

impl World for Memory {
    async fn check(&self, _: Arc<Plan>, _: Own) -> Vec<Check> {
        Vec::new()
    }

    async fn take_lease(&self, _: Permit, _: Arc<Plan>, _: usize) -> Option<Leased> {
        Some(Leased::Held(1))
    }

    async fn renew_lease(&self, _: Arc<Plan>, _: usize, _: String, fence: u64) -> Leased {
        Leased::Held(fence)
    }

    async fn give_lease(&self, _: Arc<Plan>, _: usize, _: String, _: u64) -> Result<(), String> {
        Ok(())
    }

    async fn call(&self, _: Permit, _: Arc<Plan>, _: usize, _: Call) -> Called {
        Called { end: CallEnd::Done { seen: "current leads to releases/1".into() }, output: Vec::new() }
    }

    async fn observe(&self, _: Arc<Plan>, _: usize, _: Call, _: String, _: u32) -> Found {
        Found::Done { seen: "current leads to releases/1".into() }
    }
}

pub fn plan() -> Plan {
    let step = |n: usize| Step {
        id: format!("web1/switch-{n}"),
        title: "switch current from 2 to 1".into(),
        target: 0,
        needs: n.checked_sub(1).map(|before| format!("web1/switch-{before}")).into_iter().collect(),
        act: Act::SwitchLink { from: "releases/2".into(), to: "releases/1".into() },
        undo: None,
        repeat: Repeat::Once,
        timeout: 60,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    };
    let kind = TargetKind::Releases { host: "web1".into(), ssh: None, machine_id: "0".repeat(32), folder: "/srv/web".into(), mark: None };
    let now = Timestamp::now();
    Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "yard".into(),
        environment: "test".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2".into()),
        to: Some("1".into()),
        targets: vec![Target { name: "web1".into(), kind }],
        steps: (0..STEPS).map(step).collect(),
        impact: Impact::default(),
        evidence: Vec::new(),
        made_at: now,
        expires_at: now + SignedDuration::from_mins(60),
    }
}

pub fn agreement(plan: &Plan) -> Agreement {
    Agreement { phrase: plan.phrase(), reason: "a measurement".into(), overrides: Vec::new(), glass: None, at: Timestamp::now() }
}

pub fn hand() -> Hand {
    Hand { actor: journal::actor(&|_| None), version: env!("CARGO_PKG_VERSION").to_owned(), estate: None }
}

pub fn measure() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("operate-step");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    let before = sync(&root);
    let steps = run(&root);
    let sync = median(vec![before, sync(&root)]).max(before);
    let bound = 2 * sync + Duration::from_millis(3);
    println!("a step, of {STEPS} one after another: median {steps:.2?}; two syncs of 4 KiB ({sync:.2?} each) and 3 ms are {bound:.2?}");
    fs::remove_dir_all(&root).unwrap();
}

/// 4 KiB written to a plain file and synced.
pub fn sync(root: &Path) -> Duration {
    let mut file = File::create(root.join("plain")).unwrap();
    let timed = (0..200).map(|_| {
        let begun = Instant::now();
        file.write_all(&[b'x'; 4_096]).unwrap();
        file.sync_data().unwrap();
        begun.elapsed()
    });
    median(timed.collect())
}

fn run(root: &Path) -> Duration {
    let (path, run) = (root.join("journal.db"), "web-20261121T140455Z-0001");
    let plan = plan();
    let (agreement, hash) = (agreement(&plan), plan.hash());
    let order = Order { run: run.into(), hash, plan, agreement, by: hand().actor, estate: None, lease: 600 };
    let folder = Folder::hold(&root.join("runs"), run, hand().actor.process).unwrap();
    let book = Book::new(Journal::open(&path).unwrap(), hand());
    let (_tell, stop) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let what = Begin::New(Box::new(order));
        begin(what, Arc::new(Memory), Arc::new(NoHooks), book, folder, Pace::default(), stop).unwrap().carry_out().await
    });
    assert_eq!(outcome, Outcome::Ended(Ending::Done));
    let records = Journal::read(&path).unwrap().unwrap().run(run).unwrap();
    let intents: Vec<Timestamp> = records.iter().filter(|record| is_intent(record)).map(|record| record.said_at).collect();
    assert_eq!(intents.len(), STEPS);
    median(intents.windows(2).map(|two| two[1].duration_since(two[0]).unsigned_abs()).collect())
}

pub fn is_intent(record: &Record) -> bool {
    matches!(&record.event, Event::Run(of) if matches!(of.what, Happened::Intent(_)))
}
