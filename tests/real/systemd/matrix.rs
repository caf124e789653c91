//! The runner killed at every boundary of every call that changes something on one host, and taken up by `qd resume`. This
//! test program, started again, is the runner that ends or stops itself where it is told to.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::journal::{Hand, Journal, actor};
use quarterdeck::link::ssh::Hosts as Links;
use quarterdeck::model::check::Override;
use quarterdeck::model::plan::Plan;
use quarterdeck::model::run::{Agreement, Call, Ending};
use quarterdeck::operate::ground::Ground;
use quarterdeck::operate::order::{Order, id};
use quarterdeck::operate::runner::{Begin, Book, Boundary, Folder, Hooks, Pace, begin};
use quarterdeck::watch::no_past;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::hosts;
use super::operator::{Operator, reset, used};
use super::rollback::serves;

const WHAT: &str = "QD_TEST_HOST_RUNNER";
const BOUNDARIES: [&str; 4] = ["BeforeIntent", "AfterIntent", "AfterCall", "AfterResult"];

/// What such a process is told.
#[derive(Serialize, Deserialize)]
pub struct Task {
    pub estate: PathBuf,
    pub journal: PathBuf,
    pub runs: PathBuf,
    pub order: Order,
    pub at: At,
    /// Made once it may go on after it was frozen.
    pub thawed: PathBuf,
}

/// Where it sends itself which signal.
#[derive(Clone, Serialize, Deserialize)]
pub struct At {
    pub boundary: String,
    pub step: String,
    pub freeze: bool,
}

struct Deadly(At, PathBuf);

impl Hooks for Deadly {
    fn at(&self, boundary: Boundary, step: &str, call: Call) {
        let Deadly(at, thawed) = self;
        if at.boundary == format!("{boundary:?}") && at.step == step && call == Call::Apply {
            kill(Pid::this(), if at.freeze { Signal::SIGSTOP } else { Signal::SIGKILL }).unwrap();
            // Another thread may take the signal: this one must not get past this place before all are stopped.
            while !thawed.exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// The order of that operator's plan of now, agreed to with whatever warns.
pub fn order(operator: &Operator, lease: u64) -> Order {
    let told = operator.json(&["plan", "rollback", "web", "--to", "1.0"]);
    let plan: Plan = serde_json::from_value(told["plan"].clone()).unwrap();
    let warns = told["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] != "pass");
    let overrides = warns.map(|check| Override { check: check["id"].as_str().unwrap().to_owned(), reason: "a test's".into() }).collect();
    let now = Timestamp::now();
    let agreement = Agreement { phrase: plan.phrase(), reason: "it is broken".into(), overrides, glass: None, at: now };
    Order { run: id("web", now), hash: plan.hash(), plan, agreement, by: actor(&|_| None), estate: None, lease }
}

/// A runner with that order that ends or freezes there.
pub fn runner(operator: &Operator, order: Order, at: At) -> (Child, PathBuf) {
    let thawed = operator.journal().with_file_name("thawed");
    let task = Task { estate: operator.estate(), journal: operator.journal(), runs: operator.runs(), order, at, thawed: thawed.clone() };
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "systemd::matrix::a_runner_carries_out_what_its_task_says", "--nocapture"])
        .env(WHAT, serde_json::to_string(&task).unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (child, thawed)
}

#[test]
fn a_runner_carries_out_what_its_task_says() {
    let Some(task) = std::env::var_os(WHAT) else {
        // Nobody told it anything.
        return assert_eq!(
            BOUNDARIES,
            [Boundary::BeforeIntent, Boundary::AfterIntent, Boundary::AfterCall, Boundary::AfterResult].map(|at| format!("{at:?}"))
        );
    };
    let Task { estate, journal, runs, order, at, thawed } = serde_json::from_str(task.to_str().unwrap()).unwrap();
    let estate = Arc::new(quarterdeck::config::load::estate(&estate).unwrap());
    let me = actor(&|_| None);
    let folder = Folder::hold(&runs, &order.run, me.process).unwrap();
    let hand = Hand { actor: me, version: env!("CARGO_PKG_VERSION").to_owned(), estate: None };
    let book = Book::new(Journal::open(&journal).unwrap(), hand);
    let lease = Duration::from_secs(order.lease);
    let links = Arc::new(Links::new(&estate.hosts));
    let ground =
        Ground::new(estate, links, no_past(), Arc::new(|| Ok(Vec::new())), lease, order.run.clone(), "anna".into()).holding(journal);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (_tell, stop) = watch::channel(false);
        let what = Begin::New(Box::new(order));
        let begun = begin(what, Arc::new(ground), Arc::new(Deadly(at, thawed)), book, folder, Pace::default(), stop).unwrap();
        begun.carry_out().await
    });
}

#[test]
fn a_run_that_is_killed_at_any_boundary_on_a_host_is_taken_up_and_done() {
    let Some(hosts) = hosts("a_run_that_is_killed_at_any_boundary_on_a_host_is_taken_up_and_done", 1) else { return };
    used(&hosts);
    let steps: Vec<String> = order(&Operator::new(&hosts, "deploy"), 60).plan.changing().map(|step| step.id.clone()).collect();
    assert_eq!(steps, ["web1/stop", "web1/switch", "web1/start", "web1/note"]);
    let mut killed = 0;
    for step in &steps {
        for boundary in BOUNDARIES {
            reset(&hosts);
            let operator = Operator::new(&hosts, "deploy");
            let order = order(&operator, 60);
            let run = order.run.clone();
            let before = hosts[0].unit().pid;
            let (mut child, _) = runner(&operator, order, At { boundary: boundary.into(), step: step.clone(), freeze: false });
            assert_eq!(child.wait().unwrap().signal(), Some(9), "{boundary} {step} was not passed");
            killed += 1;
            let told = operator.json(&["runs"]);
            assert_eq!((&told[0]["run"], &told[0]["live"]), (&run.as_str().into(), &"orphaned".into()), "{boundary} {step}: {told}");
            let next = operator.json(&["show", &run])["next"].to_string();
            assert!(next.contains(&format!(" resume {run}")), "{next}");
            operator.ask("resume", &run, &[]);
            let (code, out) = operator.attach(&run);
            assert_eq!(code, Some(0), "{boundary} {step}: {out}");
            let state = operator.states().pop().unwrap();
            assert_eq!((state.ended.map(|(_, ending)| ending), state.runners), (Some(Ending::Done), 2), "{boundary} {step}");
            serves(&hosts[0], "1.0");
            assert_ne!(hosts[0].unit().pid, before);
            let notes = hosts[0].ok("cat /opt/app/deploys.jsonl");
            assert_eq!(notes.lines().filter(|line| line.contains(&run)).count(), 1, "{boundary} {step}: {notes}");
            operator.is_sound(&hosts[..]);
        }
    }
    assert_eq!(killed, 4 * steps.len());
}

/// The first run of all on a host gives it its mark, which its plan does not name. Where its runner ends before its first
/// call, the next one knows by the fence numbers that nobody else was there, and goes on.
#[test]
fn the_first_run_of_all_that_is_killed_before_its_first_call_is_taken_up_and_done() {
    let test = "the_first_run_of_all_that_is_killed_before_its_first_call_is_taken_up_and_done";
    let Some(hosts) = hosts(test, 1) else { return };
    reset(&hosts);
    let operator = Operator::new(&hosts, "deploy");
    let (order, before) = (order(&operator, 60), hosts[0].unit());
    let run = order.run.clone();
    let (mut child, _) = runner(&operator, order, At { boundary: "BeforeIntent".into(), step: "web1/stop".into(), freeze: false });
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    operator.ask("resume", &run, &[]);
    let (code, out) = operator.attach(&run);
    assert_eq!(code, Some(0), "{out}");
    let state = operator.states().pop().unwrap();
    assert_eq!((state.ended.map(|(_, ending)| ending), state.runners), (Some(Ending::Done), 2));
    serves(&hosts[0], "1.0");
    assert_ne!(hosts[0].unit().pid, before.pid);
    operator.is_sound(&hosts[..]);
}
