//! The runner as it is started from a console: told line by line, in a session of its own, outliving whoever started it.

use std::io::{BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};
use quarterdeck::journal::Journal;
use quarterdeck::model::event::Actor;
use quarterdeck::model::run::known::{Liveness, Standing};
use quarterdeck::model::run::{Ending, RunState};
use quarterdeck::operate::attach::{AttachError, Prepared, Runs, liveness, named, prepare};
use quarterdeck::operate::known::Seen;
use quarterdeck::operate::runner::Outcome;
use quarterdeck::operate::runner::process::{Prepare, serve};

use super::fixture::{LONG, Room, done, effects, me, order, pace, plan};
use super::world::{Fault, Files};

const RUN: &str = "web-20261121T140455Z-0005";
/// Tells this program that it is to be a runner.
const MARK: &str = "as-a-runner";

/// As `qd runner` would be: a world, and standard input.
#[test]
fn a_runner_serves_what_it_is_told() {
    if !std::env::args().any(|argument| argument == MARK) {
        return assert_eq!(MARK.len(), 11, "nobody told it anything");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let answer = |line: &str| {
        let mut out = std::io::stdout();
        writeln!(out, "\n{line}").unwrap();
        out.flush().unwrap();
    };
    let make = |prepare: Prepare| async move { Ok(move |_: &str, _: &Actor| Files::at(prepare.estate.parent().unwrap(), LONG)) };
    let served = runtime.block_on(serve(BufReader::new(std::io::stdin()), answer, make, pace()));
    runtime.shutdown_background();
    assert!(matches!(served, Ok(None | Some(Outcome::Ended(_)))), "{served:?}");
}

fn ready(room: &Room) -> Prepared {
    let what =
        Prepare { estate: room.root.join("estate.toml"), hosts: vec![], journal: room.journal(), runs: room.runs(), lease: LONG.as_secs() };
    let arguments = ["--exact", "process::a_runner_serves_what_it_is_told", MARK, "--nocapture"];
    prepare(&arguments, what, &room.root.join("log/runner.log")).unwrap()
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let last = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < last, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn live(room: &Room) -> Liveness {
    liveness(&room.state(RUN), &room.runs(), &me().host, Timestamp::now())
}

fn ending(room: &Room) -> Option<Ending> {
    RunState::all(&room.records()).pop()?.ended.map(|(_, ending)| ending)
}

/// Why that process would not outlive a terminal: its session is not its own, it has one, or the hangup ends it.
fn dies_with_a_terminal(process: Pid) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if getsid(Some(process)).unwrap() != process {
        wrong.push("it is in the session of whoever started it");
    }
    let mut open =
        std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    if open.any(|file| file.starts_with("/dev/pts") || file.starts_with("/dev/tty")) {
        wrong.push("it has a terminal open");
    }
    kill(process, Signal::SIGHUP).unwrap();
    // The signal is taken before the state is read: it was sent by this very process, and is looked at when it is woken.
    let gone = || {
        std::fs::read_to_string(format!("/proc/{process}/stat"))
            .map_or(true, |stat| stat.rsplit(") ").next().unwrap().starts_with(['Z', 'X']))
    };
    let pending = || std::fs::read_to_string(format!("/proc/{process}/status")).is_ok_and(|text| pends_hangup(&text));
    until("the hangup", || gone() || !pending());
    if gone() {
        wrong.push("the hangup ended it");
    }
    wrong
}

/// A hangup that was sent and not yet taken: bit 0 of the pending signals.
fn pends_hangup(status: &str) -> bool {
    let masks = status.lines().filter(|line| line.starts_with("SigPnd:") || line.starts_with("ShdPnd:"));
    masks.filter_map(|line| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()).any(|mask| mask & 1 == 1)
}

/// A planted break: a runner that is a plain child of the console.
#[test]
fn a_runner_that_is_not_detached_is_seen() {
    let mut plain = std::process::Command::new("sleep").arg("1000").stdin(std::process::Stdio::null()).spawn().unwrap();
    let wrong = dies_with_a_terminal(Pid::from_raw(plain.id().try_into().unwrap()));
    plain.kill().unwrap();
    plain.wait().unwrap();
    assert!(wrong.contains(&"it is in the session of whoever started it") && wrong.contains(&"the hangup ended it"), "{wrong:?}");
}

#[test]
fn it_says_started_after_its_first_heartbeat_and_outlives_hangups() {
    let room = Room::new();
    room.world.fault(&[Fault::Held("web1/switch".into())]);
    let started = ready(&room).go(order(plan(), RUN)).unwrap();
    assert_eq!((started.run.as_str(), live(&room).word()), (RUN, "live"));
    let process = Pid::from_raw(started.process.try_into().unwrap());
    assert!(order_of(&room).exists());
    assert_eq!(dies_with_a_terminal(process), Vec::<&str>::new());
    until("the call", || !room.world.calls().is_empty());
    assert_eq!(live(&room).word(), "live");
    room.world.release();
    until("its end", || ending(&room).is_some());
    assert_eq!((ending(&room), effects(&room.world.places())), (Some(Ending::Done), done()));
    assert_eq!(live(&room), Liveness::Over);
    let state = room.state(RUN);
    assert_eq!(state.runner.map(|runner| (runner.user, runner.process.id)), Some((me().user, started.process)));
    room.is_sound();
}

fn order_of(room: &Room) -> std::path::PathBuf {
    room.runs().join(RUN).join("order.json")
}

#[test]
fn one_that_is_killed_is_orphaned_and_another_one_takes_it_up() {
    let room = Room::new();
    room.world.fault(&[Fault::Held("web1/switch".into())]);
    let started = ready(&room).go(order(plan(), RUN)).unwrap();
    // A second one does not get it while the first one lives.
    let Err(AttachError::Refused(why)) = ready(&room).resume(RUN, me(), None) else { panic!("two runners") };
    assert!(why.contains("carries out"), "{why}");
    until("the call", || !room.world.calls().is_empty());
    kill(Pid::from_raw(started.process.try_into().unwrap()), Signal::SIGKILL).unwrap();
    until("its end", || live(&room) == Liveness::Orphaned);
    room.world.release();
    let second = ready(&room).resume(RUN, me(), None).unwrap();
    assert_ne!(second.process, started.process);
    until("the run's end", || ending(&room).is_some());
    assert_eq!((ending(&room), effects(&room.world.places())), (Some(Ending::Done), done()));
    room.is_sound();
}

#[test]
fn without_an_order_it_ends_without_a_trace_and_what_it_refuses_it_says() {
    let room = Room::new();
    drop(ready(&room));
    let mut other = order(plan(), RUN);
    other.hash = "0".repeat(64);
    let Err(AttachError::Refused(why)) = ready(&room).go(other) else { panic!("it was begun") };
    assert!(why.contains("not the one that was agreed to"), "{why}");
    let Err(AttachError::Refused(why)) = ready(&room).resume("web-none", me(), None) else { panic!("it was begun") };
    assert!(why.contains("no such run"), "{why}");
    assert!(room.records().is_empty() && room.world.seen().is_empty() && nothing_in(&room.runs()));
}

fn nothing_in(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

#[test]
fn whoever_attaches_sees_what_is_new_and_finds_a_run_by_the_beginning_of_its_id() {
    let room = Room::new();
    let mut runs = Runs::default();
    assert!(runs.read(&room.journal()).unwrap().is_empty());
    ready(&room).go(order(plan(), RUN)).unwrap();
    until("its end", || ending(&room).is_some());
    let told = runs.read(&room.journal()).unwrap();
    assert_eq!(told.len(), room.records().len());
    assert_eq!(runs.get(RUN), Some(&room.state(RUN)), "whoever attaches folds the same");
    assert!(runs.read(&room.journal()).unwrap().is_empty());
    let mut seen = Seen::default();
    let mut look = || seen.look(&room.journal(), &room.runs(), &me().host, Timestamp::now());
    let known = look().unwrap();
    assert_eq!((look(), known.all[0].alive), (None, Liveness::Over), "nothing is new");
    assert_eq!((known.all.len(), known.all[0].entries.len(), known.all[0].standing()), (1, told.len(), Standing::Past));
    assert_eq!(named(&room.journal(), "web-2026").unwrap(), RUN);
    assert!(named(&room.journal(), "web-2027").is_err());
    assert_eq!(Journal::read(&room.journal()).unwrap().unwrap().verify().broken, None);
}
