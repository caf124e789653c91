//! A plan of two hosts, a folder with a world and a journal, and a runner in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::journal::{Hand, Journal, actor};
use quarterdeck::model::event::{Actor, Record};
use quarterdeck::model::plan::{Act, Deed, FORMAT, Impact, OnFailure, Plan, Repeat, Serving, Step, Target, TargetKind};
use quarterdeck::model::run::{Agreement, Request, RunState};
use quarterdeck::operate::order::Order;
use quarterdeck::operate::requests;
use quarterdeck::operate::runner::{Begin, BeginError, Book, Folder, Hooks, Ledger, NoHooks, Outcome, Pace, begin};
use quarterdeck::operate::world::World;
use tempfile::TempDir;
use tokio::sync::watch;

use super::oracles::{self, Shown};
use super::world::{Files, Place};

pub const OLD: &str = "releases/1";
pub const NEW: &str = "releases/2";
/// Long enough that no lease ends by itself where it is not what is tested.
pub const LONG: Duration = Duration::from_secs(600);

fn step(host: usize, what: &str, needs: &[String], act: Act, undo: Option<Act>) -> Step {
    Step {
        id: format!("web{}/{what}", host + 1),
        title: what.to_owned(),
        target: host,
        needs: needs.to_vec(),
        repeat: Repeat::Repeatable,
        timeout: 1,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
        act,
        undo,
    }
}

pub fn target(host: usize) -> Target {
    Target {
        name: format!("web{}", host + 1),
        kind: TargetKind::Releases {
            host: format!("web{}", host + 1),
            ssh: None,
            machine_id: "0".repeat(32),
            folder: "/srv/web".into(),
            mark: None,
        },
    }
}

/// Back from 2 to 1 on two hosts, one after the other: stop, switch, start, look.
pub fn plan() -> Plan {
    let (unit, sudo) = ("app.service".to_owned(), false);
    let (stop, start) =
        (|unit: &str| Act::StopUnit { unit: unit.to_owned(), sudo }, |unit: &str| Act::StartUnit { unit: unit.to_owned(), sudo });
    let mut steps: Vec<Step> = Vec::new();
    for host in 0..2 {
        let before: Vec<String> = steps.last().map(|step| step.id.clone()).into_iter().collect();
        let name = |what: &str| vec![format!("web{}/{what}", host + 1)];
        steps.push(step(host, "stop", &before, stop(&unit), Some(start(&unit))));
        let switch = |from: &str, to: &str| Act::SwitchLink { from: from.to_owned(), to: to.to_owned() };
        steps.push(step(host, "switch", &name("stop"), switch(NEW, OLD), Some(switch(OLD, NEW))));
        steps.push(step(host, "start", &name("switch"), start(&unit), Some(stop(&unit))));
        let serving = Serving::Unit { unit: unit.clone(), before: None };
        steps.push(step(host, "look", &name("start"), Act::Running { release: Some(OLD.into()), serving }, None));
    }
    let now = Timestamp::now();
    Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "shop".into(),
        environment: "test".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2".into()),
        to: Some("1".into()),
        targets: vec![target(0), target(1)],
        steps,
        impact: Impact::default(),
        evidence: vec![],
        made_at: now,
        expires_at: now + SignedDuration::from_mins(10),
    }
}

/// The units of two hosts are restarted, one after the other.
pub fn restart() -> Plan {
    let mut plan = Plan { deed: Deed::Restart, from: None, to: None, ..plan() };
    plan.steps.clear();
    for host in 0..2 {
        let before: Vec<String> = plan.steps.last().map(|step| step.id.clone()).into_iter().collect();
        let act = Act::RestartUnit { unit: "app.service".into(), sudo: false, before: Some("0".into()) };
        plan.steps.push(step(host, "restart", &before, act, None));
        let serving = Serving::Unit { unit: "app.service".into(), before: None };
        let needs = [format!("web{}/restart", host + 1)];
        plan.steps.push(step(host, "look", &needs, Act::Running { release: None, serving }, None));
    }
    plan
}

/// Two hosts side by side, each with one program that leaves nothing to read back.
pub fn programs() -> Plan {
    let mut plan = plan();
    let run = |host| Step { repeat: Repeat::Once, ..step(host, "migrate", &[], Act::Run { argv: vec!["migrate".into()] }, None) };
    plan.steps = vec![run(0), run(1)];
    plan
}

pub fn me() -> Actor {
    actor(&|_| None)
}

pub fn order(plan: Plan, run: &str) -> Order {
    let agreement =
        Agreement { phrase: plan.phrase(), reason: "it is broken".into(), overrides: vec![], glass: None, at: Timestamp::now() };
    Order { run: run.to_owned(), hash: plan.hash(), plan, agreement, by: me(), estate: None, lease: LONG.as_secs() }
}

/// A folder with all that outlives a runner.
pub struct Room {
    _folder: Option<TempDir>,
    pub root: PathBuf,
    pub world: Files,
}

impl Room {
    pub fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let world = Files::at(&root, LONG);
        world.begin(&before());
        Room { root, world, _folder: Some(folder) }
    }

    /// One that is there already.
    pub fn of(root: PathBuf, ttl: Duration) -> Room {
        Room { world: Files::at(&root, ttl), root, _folder: None }
    }

    /// True where it goes when this is dropped.
    pub fn is_owned(&self) -> bool {
        self._folder.is_some()
    }

    pub fn journal(&self) -> PathBuf {
        self.root.join("state/journal.db")
    }

    pub fn runs(&self) -> PathBuf {
        self.root.join("state/runs")
    }

    pub fn records(&self) -> Vec<Record> {
        Journal::read(&self.journal()).unwrap().map(|journal| journal.records(None).unwrap()).unwrap_or_default()
    }

    pub fn state(&self, run: &str) -> RunState {
        RunState::all(&self.records()).into_iter().find(|state| state.run == run).expect("the run is recorded")
    }

    pub fn ask(&self, run: &str, request: &Request) {
        requests::put(&self.runs().join(run), request, &me(), Timestamp::now()).unwrap();
    }

    pub fn book(&self) -> Book {
        self.book_of(env!("CARGO_PKG_VERSION"))
    }

    pub fn book_of(&self, version: &str) -> Book {
        let hand = Hand { actor: me(), version: version.to_owned(), estate: None };
        Book::new(Journal::open(&self.journal()).unwrap(), hand)
    }

    pub fn again(&self, run: &str) -> Begin {
        Begin::Again { records: self.book().of(run).unwrap(), lease: LONG.as_secs() }
    }

    /// A runner in this process, until it ends.
    pub async fn run(&self, what: Begin) -> Result<Outcome, BeginError> {
        self.run_with(what, self.world.clone(), NoHooks, self.book()).await
    }

    pub async fn run_with<W: World, H: Hooks, L: Ledger>(&self, what: Begin, world: W, hooks: H, ledger: L) -> Result<Outcome, BeginError> {
        let (_tell, stop) = watch::channel(false);
        self.run_until(what, world, hooks, ledger, stop).await
    }

    pub async fn run_until<W: World, H: Hooks, L: Ledger>(
        &self,
        what: Begin,
        world: W,
        hooks: H,
        ledger: L,
        stop: watch::Receiver<bool>,
    ) -> Result<Outcome, BeginError> {
        let run = match &what {
            Begin::New(order) => order.run.clone(),
            Begin::Again { records, .. } => RunState::all(records)[0].run.clone(),
        };
        let folder = Folder::hold(&self.runs(), &run, me().process).expect("no other runner is at it");
        let runner = begin(what, Arc::new(world), Arc::new(hooks), ledger, folder, pace(), stop)?;
        Ok(runner.carry_out().await)
    }

    /// What the oracles say of all that happened here.
    pub fn judged(&self) -> Vec<String> {
        self.judged_by(&self.world.shown())
    }

    pub fn judged_by(&self, shown: &Shown) -> Vec<String> {
        oracles::judge(&Journal::read(&self.journal()).unwrap().unwrap(), &self.root.join("state"), shown)
    }

    pub fn is_sound(&self) {
        assert_eq!(self.judged(), Vec::<String>::new());
    }
}

pub fn before() -> [Place; 2] {
    [0, 1].map(|_| Place { current: NEW.into(), running: true, ..Place::default() })
}

/// Without the leases.
pub fn effects(places: &[Place]) -> Vec<(String, bool)> {
    places.iter().map(|place| (place.current.clone(), place.running)).collect()
}

pub fn done() -> Vec<(String, bool)> {
    vec![(OLD.into(), true), (OLD.into(), true)]
}

/// Nothing waits for long in a test.
pub fn pace() -> Pace {
    Pace {
        poll: Duration::from_millis(5),
        look: Duration::from_millis(5),
        look_most: Duration::from_millis(20),
        ask_after: Duration::from_millis(50),
        farewell: Duration::from_millis(500),
        tries: 2,
    }
}
