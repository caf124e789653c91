//! Plans and journals for tests.

use std::sync::Arc;

use jiff::Timestamp;

use super::known::{KnownRun, Liveness};
use super::{Agreement, Call, CallEnd, Happened, Intent, Request, RunEvent, RunState};
use crate::model::event::{Actor, Event, Process, Record};
use crate::model::plan::{Act, Deed, Evidence, FORMAT, Found, Impact, OnFailure, Plan, Repeat, Step, Target, TargetKind};

/// A moment, so many seconds after a fixed one.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_269_895 + seconds).unwrap()
}

pub fn actor() -> Actor {
    Actor {
        user: "ann".to_owned(),
        uid: 1000,
        login: None,
        host: "jump".to_owned(),
        terminal: Some("pts/3".to_owned()),
        ssh: Some("198.51.100.7".to_owned()),
        process: Process { id: 4242, began: 77 },
    }
}

/// A step that switches, of the first target, that needs nothing and that can be taken back.
pub fn step(id: &str) -> Step {
    let (from, to) = ("releases/2.5.0".to_owned(), "releases/2.4.0".to_owned());
    Step {
        id: id.to_owned(),
        title: "switch current from 2.5.0 to 2.4.0".to_owned(),
        target: 0,
        needs: Vec::new(),
        act: Act::SwitchLink { from: from.clone(), to: to.clone() },
        undo: Some(Act::SwitchLink { from: to, to: from }),
        repeat: Repeat::Once,
        timeout: 60,
        on_failure: OnFailure::Ask,
        undone_with: None,
        point_of_no_return: false,
    }
}

pub fn plan(targets: &[&str], steps: Vec<Step>) -> Plan {
    let target = |name: &&str| Target {
        name: (*name).to_owned(),
        kind: TargetKind::Releases {
            host: (*name).to_owned(),
            ssh: Some((*name).to_owned()),
            machine_id: "5f1c".to_owned(),
            folder: "/srv/web".to_owned(),
            mark: None,
        },
    };
    Plan {
        format: FORMAT,
        deed: Deed::Rollback,
        estate: "shop".to_owned(),
        environment: "production".to_owned(),
        subject: "web".to_owned(),
        service: Some("web".to_owned()),
        from: Some("2.5.0".to_owned()),
        to: Some("2.4.0".to_owned()),
        targets: targets.iter().map(target).collect(),
        steps,
        impact: Impact {
            does: vec!["web goes back from 2.5.0 to 2.4.0 on 3 hosts, one after another".to_owned()],
            costs: vec!["each host does not serve for some seconds".to_owned()],
            keeps: vec!["the migration 0042 stays in the database".to_owned()],
            seconds: Some((40, 180)),
            doubts: vec![],
        },
        evidence: vec![Evidence { what: "web1 runs 2.5.0".to_owned(), from: "web1".to_owned(), as_of: at(-12) }],
        made_at: at(-10),
        expires_at: at(890),
    }
}

/// A journal that is written by hand.
#[derive(Debug, Clone)]
pub struct Log {
    pub run: String,
    pub records: Vec<Record>,
    pub now: i64,
}

impl Log {
    pub fn of(run: &str, plan: &Plan) -> Log {
        let mut log = Log { run: run.to_owned(), records: Vec::new(), now: 0 };
        log.add(Happened::Planned { plan: Box::new(plan.clone()), hash: plan.hash() });
        log
    }

    /// Planned, agreed to and begun.
    pub fn begun(run: &str, plan: &Plan) -> Log {
        let mut log = Log::of(run, plan);
        log.add(Happened::Agreed(Agreement {
            phrase: plan.phrase(),
            reason: "errors since 2.5.0".to_owned(),
            overrides: Vec::new(),
            glass: None,
            at: at(0),
        }));
        log.add(Happened::Begun { resumed: false });
        log
    }

    pub fn add(&mut self, what: Happened) -> &Record {
        self.now += 1;
        self.records.push(Record {
            seq: self.records.len() as u64 + 1,
            prev: "0".repeat(64),
            said_at: at(self.now),
            written_at: at(self.now),
            actor: actor(),
            version: "0.1.0".to_owned(),
            estate: None,
            event: Event::Run(RunEvent { run: self.run.clone(), what }),
        });
        self.records.last().unwrap()
    }

    pub fn intent(&mut self, step: &str, attempt: u32, call: Call) {
        self.add(Happened::Intent(Intent { step: step.to_owned(), attempt, call, fence: Some(7), plan: "4f2a91".to_owned() }));
    }

    pub fn result(&mut self, step: &str, attempt: u32, call: Call, end: CallEnd) {
        self.add(Happened::Result { step: step.to_owned(), attempt, call, end, output: Vec::new() });
    }

    /// An intent and a result that it is done.
    pub fn done(&mut self, step: &str) {
        self.intent(step, 1, Call::Apply);
        self.result(step, 1, Call::Apply, done());
    }

    pub fn found(&mut self, step: &str, call: Call, found: Found) {
        self.add(Happened::Observed { step: step.to_owned(), call, found });
    }

    pub fn request(&mut self, request: Request) {
        self.add(Happened::Requested { request, by: actor() });
    }

    /// The run as a console knows it, of which nothing is told but the journal.
    pub fn known(&self, alive: Liveness) -> Arc<KnownRun> {
        let (state, entries) = (Arc::new(self.state()), Arc::default());
        Arc::new(KnownRun { state, alive, live: vec![], entries, left_out: 0, file: None, words: None })
    }

    pub fn state(&self) -> RunState {
        RunState::all(&self.records).remove(0)
    }
}

pub fn done() -> CallEnd {
    CallEnd::Done { seen: "current leads to releases/2.4.0".to_owned() }
}

pub fn failed(why: &str) -> CallEnd {
    CallEnd::Failed { why: why.to_owned() }
}

pub fn refused(why: &str) -> CallEnd {
    CallEnd::Refused { why: why.to_owned() }
}

pub fn unknown(why: &str) -> CallEnd {
    CallEnd::Unknown { why: why.to_owned() }
}
