//! `qd attach` to a run of 10,000 events, from its start to its end.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use jiff::Timestamp;
use quarterdeck::journal::{self, Journal};
use quarterdeck::model::event::Event;
use quarterdeck::model::run::{Call, CallEnd, Ending, Happened, Intent, RunEvent};

use super::{median, step};

const RUN: &str = "web-20261121T140455Z-0001";
const EVENTS: usize = 10_000;

pub fn measure() {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("operate-attach");
    let _ = std::fs::remove_dir_all(&home);
    let mut journal = Journal::open(&home.join("quarterdeck/journal.db")).unwrap();
    let plan = step::plan();
    for n in 0..EVENTS {
        let id = plan.steps[n / 2 % plan.steps.len()].id.clone();
        let what = match n {
            0 => Happened::Planned { hash: plan.hash(), plan: Box::new(plan.clone()) },
            1 => Happened::Agreed(step::agreement(&plan)),
            2 => Happened::Begun { resumed: false },
            _ if n + 1 == EVENTS => Happened::Ended(Ending::Done),
            _ if n % 2 == 1 => {
                Happened::Intent(Intent { step: id, attempt: 1, call: Call::Apply, fence: Some(1), plan: journal::digest(b"plan") })
            }
            _ => {
                let end = CallEnd::Done { seen: "current leads to releases/1".into() };
                Happened::Result { step: id, attempt: 1, call: Call::Apply, end, output: vec!["switched".into()] }
            }
        };
        let now = Timestamp::now();
        journal.append(&step::hand(), now, Event::Run(RunEvent { run: RUN.into(), what }), now).unwrap();
    }
    drop(journal);
    let timed = (0..11).map(|_| {
        let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
        qd.args(["attach", RUN]).env_clear().env("HOME", &home).env("XDG_STATE_HOME", &home);
        let begun = Instant::now();
        let done = qd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).status().unwrap();
        let took = begun.elapsed();
        assert!(done.success());
        took
    });
    println!("`qd attach` to a run of {EVENTS} events that ended, from exec to exit: median {:.1?}", median(timed.collect()));
    std::fs::remove_dir_all(&home).unwrap();
}
