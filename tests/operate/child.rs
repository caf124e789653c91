//! The runner as a process of its own: this test program, started again, which ends or stops itself where it is told to.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::model::run::Call;
use quarterdeck::operate::order::Order;
use quarterdeck::operate::runner::{Begin, Boundary, Hooks, Outcome};
use serde::{Deserialize, Serialize};

use super::fixture::{Room, plan};
use super::yard::Yard;

const WHAT: &str = "QD_TEST_RUNNER";

/// What such a process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    pub root: PathBuf,
    /// A new run; else the one of `again`.
    pub order: Option<Order>,
    pub again: String,
    pub signal: Option<At>,
    pub ttl_ms: u64,
    pub version: String,
    /// On the folders of a yard, through the real links.
    pub real: bool,
    /// The runner does not know the estate's secrets: a planted break.
    #[serde(default)]
    pub forgets: bool,
}

/// Where it sends itself which signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    pub boundary: String,
    pub step: String,
    pub call: Call,
    pub freeze: bool,
}

struct Deadly {
    at: Option<At>,
    passed: PathBuf,
}

pub fn name(boundary: Boundary, step: &str, call: Call) -> String {
    format!("{boundary:?} {step} {call:?}")
}

impl Hooks for Deadly {
    fn at(&self, boundary: Boundary, step: &str, call: Call) {
        let mut file = File::options().append(true).create(true).open(&self.passed).unwrap();
        writeln!(file, "{}", name(boundary, step, call)).unwrap();
        if let Some(at) = &self.at
            && at.boundary == format!("{boundary:?}")
            && at.step == step
            && at.call == call
        {
            kill(Pid::this(), if at.freeze { Signal::SIGSTOP } else { Signal::SIGKILL }).unwrap();
            // Another thread may take the signal: this one must not get past this place before all are stopped.
            while !self.passed.with_file_name("thawed").exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// The boundaries that were passed in that room.
pub fn passed(root: &Path) -> Vec<String> {
    fs::read_to_string(root.join("passed")).unwrap_or_default().lines().map(str::to_owned).collect()
}

pub fn start(task: &Task) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::a_runner_carries_out_what_its_task_says", "--nocapture"])
        .env(WHAT, serde_json::to_string(task).unwrap())
        // Where jobs lie that belong to no release.
        .env("HOME", &task.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::options().append(true).create(true).open(task.root.join("stderr")).unwrap())
        .spawn()
        .unwrap()
}

pub fn finish(task: &Task) -> ExitStatus {
    start(task).wait().unwrap()
}

#[test]
fn a_runner_carries_out_what_its_task_says() {
    let Some(task) = std::env::var_os(WHAT) else {
        // Nobody told it anything: only what it would carry out is looked at.
        let plan = plan();
        return assert_eq!((plan.changing().count(), plan.steps.len()), (6, 8));
    };
    let task: Task = serde_json::from_str(task.to_str().unwrap()).unwrap();
    let room = Room::of(task.root.clone(), Duration::from_millis(task.ttl_ms));
    let what = match task.order {
        Some(order) => Begin::New(Box::new(order)),
        None => Begin::Again { records: room.book().of(&task.again).unwrap(), lease: task.ttl_ms.div_ceil(1000) },
    };
    let hooks = Deadly { at: task.signal, passed: task.root.join("passed") };
    // One that is frozen has one thread: another one could be stopped with the lock of the world's file in its hands, for which
    // everybody else would wait.
    let freezes = hooks.at.as_ref().is_some_and(|at| at.freeze);
    let mut runtime = match freezes {
        true => tokio::runtime::Builder::new_current_thread(),
        false => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().unwrap();
    let book = room.book_of(&task.version);
    let outcome = if task.real {
        let mut yard = Yard::of(room);
        if task.forgets {
            yard.forget_secrets();
        }
        runtime.block_on(yard.room.run_with(what, yard.watched(&task.again), hooks, book)).unwrap()
    } else {
        runtime.block_on(room.run_with(what, room.world.clone(), hooks, book)).unwrap()
    };
    fs::write(task.root.join("outcome"), format!("{outcome:?}")).unwrap();
    assert!(matches!(outcome, Outcome::Ended(_)), "{outcome:?}");
}
