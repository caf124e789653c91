//! What must hold of every run, whatever happened to it: functions over the journal and over what the world saw.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use quarterdeck::journal::Journal;
use quarterdeck::model::check::Verdict;
use quarterdeck::model::event::{Event, Record};
use quarterdeck::model::plan::{Act, Deed, Found, OnFailure, Plan, Repeat, Step, TargetKind};
use quarterdeck::model::run::{Call, CallEnd, Ending, Happened, Request, RunState, StepRun, StepState};

use super::world::Seen;

/// What the world shows.
pub struct Shown {
    /// What was asked of it.
    pub seen: Vec<Seen>,
    /// The runs that hold a lease.
    pub holds: Vec<String>,
    /// Of each target where its link leads and whether it serves: before the run, and now.
    pub before: Vec<(String, bool)>,
    pub now: Vec<(String, bool)>,
    /// Of each target the writes that its clients were told are kept, and those that are.
    pub acked: Vec<Vec<String>>,
    pub kept: Vec<Vec<String>>,
}

/// The secret of every world that has one.
pub const SECRET: &str = "FAKE-of-the-yard";

/// All of them. `state` is the folder with all that a run leaves here: the journal, orders, heartbeats, what steps printed.
pub fn judge(journal: &Journal, state: &Path, world: &Shown) -> Vec<String> {
    let records = journal.records(None).unwrap();
    let mut wrong = Vec::new();
    if let Some(broken) = journal.verify().broken {
        wrong.push(format!("I6: {broken}"));
    }
    let mut heads: HashMap<u64, String> = records.iter().skip(1).map(|record| (record.seq - 1, record.prev.clone())).collect();
    let head = journal.head().unwrap();
    heads.insert(head.count, head.hash);
    let seen = &world.seen;
    writers(seen, &mut wrong);
    intents(&records, &heads, seen, &mut wrong);
    fences(&records, seen, &mut wrong);
    agreed(&records, &mut wrong);
    late(&records, &mut wrong);
    blind(&records, seen, &mut wrong);
    leases(&records, &mut wrong);
    endings(&records, world, &mut wrong);
    losses(world, &mut wrong);
    secrets(&records, state, &mut wrong);
    wrong
}

/// I1: never two that change one target: whoever changes it is the last one that got its lease there, by whatever numbers
/// and journals the others go.
fn writers(seen: &[Seen], wrong: &mut Vec<String>) {
    let mut holders: HashMap<usize, &str> = HashMap::new();
    for of in seen {
        match of.kind.as_str() {
            "take" if of.fence.is_some() => drop(holders.insert(of.target, &of.run)),
            "call" if of.changed => {
                if let Some(holder) = holders.get(&of.target).filter(|holder| **holder != of.run) {
                    wrong.push(format!("I1: {} of {} changed what {holder} has the lease of", of.step, of.run));
                }
            }
            _ => {}
        }
    }
}

/// How many acknowledged writes the acts of now may lose: none of them states a loss, so none may have one. An act that can
/// lose data brings its bound with its plan.
const STATED: usize = 0;

/// I7: no more is lost than was stated before.
fn losses(world: &Shown, wrong: &mut Vec<String>) {
    for (target, (acked, kept)) in world.acked.iter().zip(&world.kept).enumerate() {
        let lost = acked.iter().filter(|write| !kept.contains(write)).count();
        if lost > STATED {
            wrong.push(format!("I7: {lost} acknowledged writes of target {target} are gone, {STATED} were stated"));
        }
    }
}

/// I9: no byte of a secret is in the record, nor in anything that lies beside it.
fn secrets(records: &[Record], state: &Path, wrong: &mut Vec<String>) {
    let told = records.iter().filter(|record| serde_json::to_string(record).unwrap().contains(SECRET));
    wrong.extend(told.map(|record| format!("I9: event {} holds a secret", record.seq)));
    let mut folders = vec![state.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())) {
                wrong.push(format!("I9: {} holds a secret", path.display()));
            }
        }
    }
}

fn runs(records: &[Record]) -> impl Iterator<Item = (u64, &str, &Happened)> {
    records.iter().filter_map(|record| match &record.event {
        Event::Run(of) => Some((record.seq, of.run.as_str(), &of.what)),
        Event::Verification(_) | Event::Healed(_) => None,
    })
}

/// I2: no call without an intent that was on the disk, and its head goes with it.
fn intents(records: &[Record], heads: &HashMap<u64, String>, seen: &[Seen], wrong: &mut Vec<String>) {
    // What a run of another journal did is judged by that one.
    let ours = |run: &str| runs(records).any(|(_, of, _)| of == run);
    for call in seen.iter().filter(|seen| (seen.kind == "call" || seen.kind == "take") && ours(&seen.run)) {
        let found = runs(records).find(|(seq, run, what)| {
            *run == call.run
                && heads.get(seq).is_some_and(|hash| call.head.split(' ').take(2).eq([&*seq.to_string(), hash]))
                && match what {
                    Happened::Intent(intent) => {
                        call.kind == "call"
                            && intent.step == call.step.trim_end_matches("/undo")
                            && Some(intent.call) == call.call
                            && intent.attempt == call.attempt
                            && intent.fence == call.fence
                    }
                    Happened::LeaseWanted { target } => call.kind == "take" && *target == call.target,
                    _ => false,
                }
        });
        if found.is_none() {
            wrong.push(format!("I2: {} of {} has no intent on the disk", call.kind, call.step));
        }
    }
    let made = |run: &str, step: &str, attempt: u32| {
        seen.iter().any(|s| s.kind == "call" && s.run == run && s.step == step && s.attempt == attempt)
    };
    for (_, run, what) in runs(records) {
        if let Happened::Result { step, attempt, end: CallEnd::Done { .. }, .. } = what
            && !made(run, step, *attempt)
        {
            wrong.push(format!("I2: a result of {step} is recorded that no call had"));
        }
    }
}

/// I3: nothing is changed with an older fence number than the target gave out, nor by another plan than was agreed to.
fn fences(records: &[Record], seen: &[Seen], wrong: &mut Vec<String>) {
    let plans: HashMap<&str, &str> = runs(records)
        .filter_map(|(_, run, what)| match what {
            Happened::Planned { hash, .. } => Some((run, hash.as_str())),
            _ => None,
        })
        .collect();
    let mut newest: HashMap<usize, u64> = HashMap::new();
    for of in seen {
        if of.kind == "take"
            && let Some(fence) = of.fence
            && newest.insert(of.target, fence).is_some_and(|before| before >= fence)
        {
            wrong.push(format!("I3: the fence number {fence} was given out twice"));
        }
        if of.kind != "call" {
            continue;
        }
        if of.changed && of.fence != newest.get(&of.target).copied() {
            wrong.push(format!(
                "I3: {} changed something with the fence number {:?}, {:?} was given out",
                of.step,
                of.fence,
                newest.get(&of.target)
            ));
        }
        if plans.get(of.run.as_str()).is_some_and(|plan| *plan != of.plan) {
            wrong.push(format!("I3: {} belongs to another plan than was agreed to", of.step));
        }
    }
    for (_, run, what) in runs(records) {
        if let Happened::Intent(intent) = what
            && plans.get(run) != Some(&intent.plan.as_str())
        {
            wrong.push(format!("I3: the intent of {} names another plan", intent.step));
        }
    }
}

/// Promise 5: what was typed is the phrase of what is carried out.
fn agreed(records: &[Record], wrong: &mut Vec<String>) {
    for state in RunState::all(records) {
        if state.hash != state.plan.hash() {
            wrong.push(format!("I3: the plan of {} is not the one whose hash is recorded", state.run));
        }
        let typed = state.agreement.as_ref().map(|agreement| agreement.phrase.as_str());
        if state.steps.iter().any(|step| step.attempt > 0) && typed != Some(state.plan.phrase().as_str()) {
            wrong.push(format!("I3: nobody agreed to the plan of {}", state.run));
        }
    }
}

/// How old a reading may be that a check passes by.
const FRESH: i64 = 60;

/// Promise 5: a plan is not begun when it has expired. Promise 8: no check passes by a reading that is stale.
fn late(records: &[Record], wrong: &mut Vec<String>) {
    let states = RunState::all(records);
    for record in records {
        let Event::Run(of) = &record.event else { continue };
        let Some(state) = states.iter().find(|state| state.run == of.run) else { continue };
        match &of.what {
            Happened::Begun { resumed: false } if record.said_at >= state.plan.expires_at => {
                wrong.push(format!("I3: {} was begun when its plan had expired", of.run));
            }
            Happened::Checked { checks } => {
                let stale = checks.iter().filter(|check| check.verdict == Verdict::Pass);
                let stale = stale.filter(|check| record.said_at.duration_since(check.as_of).as_secs() > FRESH);
                wrong.extend(stale.map(|check| format!("P8: {} passed by a reading of {}", check.id, check.as_of)));
            }
            _ => {}
        }
    }
}

/// I4: nothing is called twice unless a reading said that it was not done, or a person wanted it; and what may be done
/// once only is never done twice.
fn blind(records: &[Record], seen: &[Seen], wrong: &mut Vec<String>) {
    for state in RunState::all(records) {
        for step in &state.plan.steps {
            let mut open: Option<Call> = None;
            let mut may = true;
            for (_, run, what) in runs(records) {
                if run != state.run {
                    continue;
                }
                match what {
                    Happened::Intent(intent) if intent.step == step.id => {
                        if open == Some(intent.call) && !may {
                            wrong.push(format!("I4: {} was called again blindly, try {}", step.id, intent.attempt));
                        }
                        (open, may) = (Some(intent.call), false);
                    }
                    Happened::Observed { step: of, found, .. } if *of == step.id => {
                        may |= matches!(found, Found::NotDone { .. });
                        may |= matches!(found, Found::Untold { .. }) && step.repeat == Repeat::Repeatable;
                    }
                    Happened::Requested { request: Request::Retry { step: of, .. }, .. } if *of == step.id => may = true,
                    _ => {}
                }
            }
            let did = |call| seen.iter().filter(|s| s.run == state.run && s.step == step.id && s.call == Some(call) && s.changed).count();
            if did(Call::Apply) > did(Call::Undo) + 1 {
                wrong.push(format!("I4: {} changed the world {} times", step.id, did(Call::Apply)));
            }
        }
    }
}

/// A runner that lost a lease begins nothing at that target until it has it again.
fn leases(records: &[Record], wrong: &mut Vec<String>) {
    for state in RunState::all(records) {
        let mut held = vec![false; state.plan.targets.len()];
        for (_, run, what) in runs(records) {
            if run != state.run {
                continue;
            }
            match what {
                Happened::Begun { .. } => held.fill(false),
                Happened::LeaseTaken { target, .. } => held[*target] = true,
                Happened::LeaseLost { target, .. } | Happened::LeaseGiven { target } => held[*target] = false,
                Happened::Intent(intent) => {
                    let target = state.plan.step(&intent.step).unwrap().target;
                    // A program of the estate's own on a host without a release needs none.
                    let leased = matches!(state.plan.targets[target].kind, TargetKind::Releases { .. });
                    if leased && !held[target] {
                        wrong.push(format!("I3: {} was begun without the lease of its target", intent.step));
                    }
                }
                _ => {}
            }
        }
    }
}

/// I5 and I8: it ended as it says, or names the next command; the world is as the record says; no lease is left.
fn endings(records: &[Record], world: &Shown, wrong: &mut Vec<String>) {
    let states = RunState::all(records);
    for state in &states {
        match &state.ended {
            None => match &state.asked {
                Some((_, why))
                    if why.contains("qd ")
                        || state.steps.iter().any(|s| {
                            matches!(s.state, StepState::Failed | StepState::Refused | StepState::Untold(_) | StepState::UndoFailed)
                        }) => {}
                _ => wrong.push(format!("I5: {} neither ended nor waits for a person", state.run)),
            },
            Some((_, ending)) => {
                let open = |step: &Step, run: &StepRun| match run.state {
                    StepState::Done | StepState::Skipped => false,
                    StepState::Failed | StepState::Refused => step.on_failure != OnFailure::Continue,
                    _ => true,
                };
                if *ending == Ending::Done
                    && state.taken_back.is_empty()
                    && let Some((step, _)) = state.plan.steps.iter().zip(&state.steps).find(|(step, run)| open(step, run))
                {
                    wrong.push(format!("P1: {} is told as done, and no record says that {} is", state.run, step.id));
                }
                if world.holds.contains(&state.run) {
                    wrong.push(format!("I8: {} ended and holds a lease", state.run));
                }
                if let Ending::Failed { why, .. } = ending
                    && !why.contains("`qd ")
                    && state.taken_back.is_empty()
                {
                    wrong.push(format!("I5: {} names no next command: {why}", state.run));
                }
                if let Ending::Refused { .. } = ending
                    && state.steps.iter().any(|step| step.attempt > 0)
                {
                    wrong.push(format!("I5: {} says that nothing was changed, and called", state.run));
                }
            }
        }
    }
    // What the record says is done is what the world shows; only where all is known, and nobody else was there.
    if let [state] = states.as_slice()
        && world.seen.iter().filter(|seen| seen.kind == "call").all(|call| call.run == state.run)
        && state.steps.iter().all(|s| matches!(s.state, StepState::Done | StepState::Undone | StepState::Waiting | StepState::Refused))
    {
        let told = told(&state.plan, state, &world.before);
        if told != world.now {
            wrong.push(format!("I5: the record says {told:?}, the world is {:?}", world.now));
        }
    }
}

fn told(plan: &Plan, state: &RunState, before: &[(String, bool)]) -> Vec<(String, bool)> {
    let mut places = before.to_vec();
    for (step, run) in plan.steps.iter().zip(&state.steps) {
        if run.state == StepState::Done {
            match &step.act {
                Act::StopUnit { .. } => places[step.target].1 = false,
                Act::StartUnit { .. } => places[step.target].1 = true,
                Act::SwitchLink { to, .. } => places[step.target].0.clone_from(to),
                Act::Run { .. } if plan.deed == Deed::Stop => places[step.target].1 = false,
                Act::Run { .. } if plan.deed == Deed::Start => places[step.target].1 = true,
                _ => {}
            }
        }
    }
    places
}
