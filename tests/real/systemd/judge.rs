//! What the oracles of runs say of hosts: the job folders on them, as they lie there, against the journals of those who were
//! at them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quarterdeck::journal::Journal;
use quarterdeck::model::event::{Event, Record};
use quarterdeck::model::run::{Call, CallEnd, Happened, RunState};

use self::oracles::{Shown, judge};
use self::world::Seen;
use super::Host;

#[path = "../../operate/oracles.rs"]
mod oracles;
/// As the oracles call it.
#[path = "../../operate/seen.rs"]
mod world;

/// Where a run's traces lie on a host.
pub const FOLDER: &str = "/opt/app/.quarterdeck";

/// Asserts that all oracles hold: the record of that journal is true of these hosts, which all began at 1.1 and were up.
/// Each host's head is an event of one of `journals`.
#[track_caller]
pub fn is_sound(hosts: &[Host], journal: &Path, journals: &[&Path]) {
    let wrong = judged(hosts, journal, journals);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What of the record is not true of these hosts, to whose services nobody writes.
pub fn judged(hosts: &[Host], journal: &Path, journals: &[&Path]) -> Vec<String> {
    judged_with(hosts, journal, journals, Vec::new())
}

/// The same, with the writes that the clients of each host were told are kept.
pub fn judged_with(hosts: &[Host], journal: &Path, journals: &[&Path], acked: Vec<Vec<String>>) -> Vec<String> {
    let read = |path: &Path| Journal::read(path).unwrap().expect("a journal");
    let (own, mut wrong) = (read(journal), Vec::new());
    let records = own.records(None).unwrap();
    let mut newest: BTreeMap<usize, u64> = BTreeMap::new();
    let (mut heads, mut all) = (Vec::new(), Vec::new());
    for path in journals {
        let journal = read(path);
        let records = journal.records(None).unwrap();
        heads.extend(self::heads(&journal, &records));
        all.extend(RunState::all(&records).into_iter().map(|state| state.run));
        for record in &records {
            if let Event::Run(of) = &record.event
                && let Happened::LeaseTaken { target, fence } = &of.what
            {
                let most = newest.entry(*target).or_default();
                *most = (*most).max(*fence);
            }
        }
    }
    for (place, host) in hosts.iter().enumerate() {
        let file = |name: &str| fs::read_to_string(host.path(FOLDER).join(name)).unwrap_or_default().trim().to_owned();
        // I6: what the host keeps is a place of a journal that was not cut, or names another journal as its own.
        let head = file("head");
        let words: Vec<&str> = head.split(' ').skip(1).collect();
        let known = heads.iter().any(|known| words.iter().copied().take(2).eq(known.split(' ')));
        let others = words.get(2).is_some_and(|mark| !heads.iter().any(|known| known.starts_with(&format!("1 {mark}"))));
        if !head.is_empty() && !known && !others {
            wrong.push(format!("I6: {} has the head {head}, and no journal has", host.name));
        }
        // I3: the newest fence number of the host is in a record; one that was given out as its runner died may be in none.
        let fence: u64 = file("fence").parse().unwrap_or(0);
        let known = newest.get(&place).copied().unwrap_or(0);
        if fence < known {
            wrong.push(format!("I3: {} gave out the fence number {known} and keeps {fence}", host.name));
        }
    }
    let shown = Shown {
        seen: seen(hosts, &records, &own, &all, &mut wrong),
        holds: hosts.iter().filter_map(holds).collect(),
        before: hosts.iter().map(|_| ("releases/1.1".to_owned(), true)).collect(),
        now: hosts.iter().map(|host| (format!("releases/{}", host.current()), host.unit().active == "active")).collect(),
        acked,
        kept: hosts.iter().map(kept).collect(),
    };
    wrong.extend(judge(&own, journal.parent().unwrap(), &shown));
    wrong
}

/// `PLACE HASH` of each event.
fn heads(journal: &Journal, records: &[Record]) -> Vec<String> {
    let mut all: Vec<String> = records.iter().skip(1).map(|record| format!("{} {}", record.seq - 1, record.prev)).collect();
    let head = journal.head().unwrap();
    all.push(format!("{} {}", head.count, head.hash));
    all
}

/// What is kept of what was written to its service.
fn kept(host: &Host) -> Vec<String> {
    let text = fs::read_to_string(host.path("/opt/app/writes")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// The run that holds its lease; one that has run out is nobody's, and is told all the same.
fn holds(host: &Host) -> Option<String> {
    fs::read_to_string(host.path(FOLDER).join("lease")).ok()?.lines().next().map(str::to_owned)
}

/// The jobs that began on the hosts, each with what the journal has of it, in the order of the journal; what only looks
/// leaves no job, and is taken from the journal. A lease that was recorded was taken.
fn seen(hosts: &[Host], records: &[Record], journal: &Journal, runs: &[String], wrong: &mut Vec<String>) -> Vec<Seen> {
    let heads = heads(journal, records);
    let head_of = |seq: u64| heads.iter().find(|head| head.starts_with(&format!("{seq} "))).cloned().unwrap_or_default();
    let mut jobs = jobs(hosts);
    let states = RunState::all(records);
    let mut all = Vec::new();
    let mut wanted: BTreeMap<(String, usize), String> = BTreeMap::new();
    for record in records {
        let Event::Run(of) = &record.event else { continue };
        let Some(state) = states.iter().find(|state| state.run == of.run) else { continue };
        let make = |kind: &str, step: &str, target: usize| Seen {
            kind: kind.to_owned(),
            run: of.run.clone(),
            step: step.to_owned(),
            target,
            call: None,
            attempt: 0,
            fence: None,
            plan: state.hash.clone(),
            head: head_of(record.seq),
            changed: false,
            said: String::new(),
        };
        match &of.what {
            Happened::LeaseWanted { target } => drop(wanted.insert((of.run.clone(), *target), head_of(record.seq))),
            Happened::LeaseTaken { target, fence } => {
                // Proven again it is the same one.
                if let Some(head) = wanted.remove(&(of.run.clone(), *target)) {
                    all.push(Seen { fence: Some(*fence), head, ..make("take", "lease", *target) });
                }
            }
            Happened::Intent(intent) => {
                let Some(step) = state.plan.step(&intent.step) else { continue };
                let (name, act) = match intent.call {
                    Call::Apply => (step.id.clone(), Some(&step.act)),
                    Call::Undo => (format!("{}/undo", step.id), step.undo.as_ref()),
                };
                let call =
                    Seen { call: Some(intent.call), attempt: intent.attempt, fence: intent.fence, ..make("call", &step.id, step.target) };
                if act.is_some_and(|act| !act.changes()) {
                    all.push(call);
                } else if let Some(rc) = jobs.remove(&(of.run.clone(), name, intent.attempt)) {
                    all.push(Seen { changed: rc.as_deref() == Some("0"), ..call });
                }
            }
            Happened::Result { step, attempt, call, end: CallEnd::Refused { .. }, .. } => {
                if let Some(job) = jobs.remove(&(of.run.clone(), step.clone(), *attempt)) {
                    wrong.push(format!("I2: {call:?} of {step} is told as refused, its job ended by {job:?}"));
                }
            }
            _ => {}
        }
    }
    let ours = |run: &str| states.iter().any(|state| state.run == run);
    let stray: Vec<_> = jobs.keys().filter(|(run, ..)| ours(run)).collect();
    if !stray.is_empty() {
        wrong.push(format!("I2: jobs without an intent: {stray:?}"));
    }
    // Those of another journal are judged by that one; here they say that somebody else was there too.
    for (run, step, attempt) in jobs.into_keys().filter(|(run, ..)| runs.contains(run) && !ours(run)) {
        let (kind, plan, head, said) = ("call".to_owned(), String::new(), String::new(), String::new());
        all.push(Seen { kind, run, step, target: 0, call: None, attempt, fence: None, plan, head, changed: false, said });
    }
    all
}

/// Run, step and try of each job that began, with its exit code.
fn jobs(hosts: &[Host]) -> BTreeMap<(String, String, u32), Option<String>> {
    let mut all = BTreeMap::new();
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
    for host in hosts {
        for run in entries(&host.path(FOLDER).join("jobs")) {
            for job in entries(&run.path()).into_iter().filter(|job| job.path().join("began").exists()) {
                let name = job.file_name().into_string().unwrap();
                let (step, attempt) = name.rsplit_once('.').unwrap();
                // The steps of these tests have no dots of their own.
                let step = step.replace('.', "/");
                let rc = fs::read_to_string(job.path().join("rc")).ok().map(|rc| rc.trim().to_owned());
                all.insert((run.file_name().into_string().unwrap(), step, attempt.parse().unwrap()), rc);
            }
        }
    }
    all
}
