//! What the journal costs: adding an event next to an `fsync` of the same disk, verifying a long chain, and attaching to
//! a run of 10,000 events among as many others. `cargo bench --bench journal`. Reading is best of five, warm, from memory
//! where this machine has `/dev/shm`; `-- append 1000` adds so many events and does nothing else, to be counted by
//! `strace -f -c -e trace=fsync,fdatasync`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may stop where it stands and prints what it found")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::journal::{self, Hand, Journal};
use quarterdeck::model::event::Event;
use quarterdeck::model::plan::{Act, Deed, FORMAT, Impact, OnFailure, Plan, Repeat, Step, Target, TargetKind};
use quarterdeck::model::run::{Call, CallEnd, Happened, Intent, RunEvent, RunState};

/// The run that is attached to, and how many events it has.
const RUN: &str = "web-20261121T140455Z-3f2a";
const EVENTS: usize = 10_000;
/// Events of the long chain.
const CHAIN: usize = 100_000;
/// Steps of the plan.
const STEPS: usize = 15;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let disk = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("journal");
    let _ = fs::remove_dir_all(&disk);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["append", count] => drop(appended(&disk, count.parse().unwrap())),
        _ => {
            append(&disk);
            let memory = Path::new("/dev/shm");
            let folder = if memory.is_dir() { memory.join(format!("quarterdeck-bench-{}", std::process::id())) } else { disk.clone() };
            read(&folder);
            fs::remove_dir_all(&folder).unwrap();
        }
    }
    let _ = fs::remove_dir_all(&disk);
}

/// An event, and the same bytes written to a plain file and synced, by turns.
fn append(folder: &Path) {
    let mut journal = appended(folder, 10);
    let mut file = File::create(folder.join("plain")).unwrap();
    let (mut events, mut syncs) = (Vec::new(), Vec::new());
    for n in 0..1_000 {
        let bytes = vec![b'x'; 4_096];
        let begun = Instant::now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        syncs.push(begun.elapsed());
        let (hand, event, now) = (hand(), event(RUN, n), Timestamp::now());
        let begun = Instant::now();
        journal.append(&hand, now, event, now).unwrap();
        events.push(begun.elapsed());
    }
    for (what, mut all) in [("an event is added", events), ("4 KiB are written to a plain file and synced", syncs)] {
        all.sort();
        println!("{what}: median {:.2?}, 99th percentile {:.2?}", all[all.len() / 2], all[all.len() * 99 / 100]);
    }
    let begun = Instant::now();
    drop(Journal::open(&folder.join("journal.db")).unwrap());
    println!("opened to write, and closed again: {:.2?}", begun.elapsed());
}

fn appended(folder: &Path, count: usize) -> Journal {
    let mut journal = Journal::open(&folder.join("journal.db")).unwrap();
    for n in 0..count {
        let now = Timestamp::now();
        journal.append(&hand(), now, event(RUN, n), now).unwrap();
    }
    journal
}

fn read(folder: &Path) {
    let path = folder.join("journal.db");
    let mut journal = Journal::open(&path).unwrap();
    let (hand, now) = (hand(), Timestamp::now());
    let mut of_run = 0;
    for n in 0..CHAIN {
        // The events of the one run stand among those of others.
        let run = if n % (CHAIN / EVENTS) == 0 { RUN.to_owned() } else { format!("other-{}", n % 97) };
        let event = if run == RUN { event(RUN, of_run) } else { event(&run, n) };
        of_run += usize::from(run == RUN);
        journal.append(&hand, now, event, now).unwrap();
    }
    drop(journal);
    let bytes = fs::metadata(&path).unwrap().len();
    let took = best(|| assert_eq!(Journal::read(&path).unwrap().unwrap().verify().good, CHAIN as u64));
    let rate = CHAIN as f64 / took.as_secs_f64();
    println!("verify: {CHAIN} events, {} bytes of file each, in {took:.1?}: {rate:.0} events/s", bytes / CHAIN as u64);
    let mut journal = Journal::read(&path).unwrap().unwrap();
    let took = best(|| assert_eq!(journal.run(RUN).unwrap().len(), EVENTS));
    println!("a run of {EVENTS} events among {CHAIN}: read in {took:.1?}");
    let took = best(|| {
        journal = Journal::read(&path).unwrap().unwrap();
        let records = journal.run(RUN).unwrap();
        let state = RunState::all(&records).pop().unwrap();
        assert_eq!(state.last.0, records.last().unwrap().seq);
    });
    println!("opened, read and folded in {took:.1?}");
    let took = best(|| assert_eq!(journal.after(CHAIN as u64 - 3, 100).unwrap().len(), 3));
    println!("three new events behind {CHAIN}: read in {took:.1?}");
    let took = best(|| assert!(journal.runs().unwrap().len() > 90));
    println!("all runs told in {took:.1?}");
}

fn best(mut work: impl FnMut()) -> Duration {
    let timed = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..5).map(|_| timed(&mut work)).min().unwrap()
}

fn hand() -> Hand {
    Hand { actor: journal::actor(&|_| None), version: env!("CARGO_PKG_VERSION").to_owned(), estate: Some(journal::digest(b"estate")) }
}

/// A run's events as they come: the plan first, then intents and results by turns.
fn event(run: &str, n: usize) -> Event {
    let step = format!("web{}/switch", n / 2 % STEPS);
    let what = match n {
        0 => {
            let plan = plan();
            Happened::Planned { hash: plan.hash(), plan: Box::new(plan) }
        }
        _ if n % 2 == 1 => Happened::Intent(Intent { step, attempt: 1, call: Call::Apply, fence: Some(7), plan: journal::digest(b"plan") }),
        _ => Happened::Result {
            step,
            attempt: 1,
            call: Call::Apply,
            end: CallEnd::Done { seen: "current leads to 2.4.0, the unit runs from there since 14:05:03".into() },
            output: vec!["switched".into(), "started".into()],
        },
    };
    Event::Run(RunEvent { run: run.to_owned(), what })
}

fn plan() -> Plan {
    let step = |n: usize| Step {
        id: format!("web{n}/switch"),
        title: "switch current from 2.5.0 to 2.4.0".into(),
        target: 0,
        needs: Vec::new(),
        act: Act::Manual { what: "switch it".into() },
        undo: None,
        undone_with: None,
        repeat: Repeat::Repeatable,
        timeout: 60,
        on_failure: OnFailure::Stop,
        point_of_no_return: false,
    };
    Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "shop".into(),
        environment: "production".into(),
        subject: "web".into(),
        service: Some("web".into()),
        from: Some("2.5.0".into()),
        to: Some("2.4.0".into()),
        targets: vec![Target { name: "web1".into(), kind: TargetKind::Outside }],
        steps: (0..STEPS).map(step).collect(),
        impact: Impact::default(),
        evidence: Vec::new(),
        made_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}
