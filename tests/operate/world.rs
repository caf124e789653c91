//! A world of files: what is in it survives whoever changes it, and every call is written down.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use quarterdeck::act::Called;
use quarterdeck::link::permit::Permit;
use quarterdeck::model::check::{Check, Verdict};
use quarterdeck::model::plan::{Act, Found, Plan};
use quarterdeck::model::run::{Call, CallEnd};
use quarterdeck::operate::world::{Leased, Own, World};
use serde::{Deserialize, Serialize};

use super::fixture::{before, effects};
use super::oracles::Shown;
pub use super::seen::Seen;

/// One release folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Place {
    pub current: String,
    pub running: bool,
    /// How often the program of the estate's own was run.
    pub ran: u32,
    /// The writes that clients were told are kept, and those that are: one comes in before each call while it runs.
    #[serde(default)]
    pub acked: Vec<u32>,
    #[serde(default)]
    pub kept: Vec<u32>,
    pub lease: Option<Held>,
    pub fence: u64,
}

/// Who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub run: String,
    pub fence: u64,
    /// Milliseconds since the machine was started.
    pub until: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// It is done, and nobody is told; once.
    LostReply(String),
    /// It is not done, and nobody is told; once.
    LostCall(String),
    /// It fails each time.
    Fails(String),
    /// Reading it back tells nothing for so many times.
    Dark(String, u32),
    /// Nobody can tell it from outside.
    Untold(String),
    /// The call waits until the file `release` is there.
    Held(String),
    /// That host does not answer: neither to calls nor to whoever asks for its lease.
    Gone(String),
    /// This check blocks.
    Blocks(String),
    /// Fence numbers are not looked at: a planted break.
    NoFence,
    /// A switched link leaves behind what was written: a planted break.
    Loses,
    /// Reading back always says that it was not done: a planted break.
    Blind,
}

#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
    ttl: Duration,
}

pub fn now() -> u64 {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap());
    u64::try_from(now.as_millis()).unwrap()
}

impl Files {
    pub fn at(root: &Path, ttl: Duration) -> Files {
        let folder = root.join("world");
        fs::create_dir_all(&folder).unwrap();
        Files { folder, ttl }
    }

    fn locked<T>(&self, of: impl FnOnce(&mut Vec<Place>) -> T) -> T {
        let lock = File::options().create(true).truncate(false).write(true).open(self.folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let path = self.folder.join("state.json");
        let mut state: Vec<Place> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let told = of(&mut state);
        // By rename: a runner that is killed at a boundary may have another thread just here.
        let new = self.folder.join("state.new");
        fs::write(&new, serde_json::to_vec(&state).unwrap()).unwrap();
        fs::rename(new, path).unwrap();
        told
    }

    pub fn begin(&self, places: &[Place]) {
        fs::write(self.folder.join("state.json"), serde_json::to_vec(places).unwrap()).unwrap();
    }

    pub fn places(&self) -> Vec<Place> {
        self.locked(|places| places.clone())
    }

    pub fn fault(&self, faults: &[Fault]) {
        fs::write(self.folder.join("faults.json"), serde_json::to_vec(faults).unwrap()).unwrap();
    }

    pub fn release(&self) {
        fs::write(self.folder.join("release"), "").unwrap();
    }

    fn faults(&self) -> Vec<Fault> {
        fs::read(self.folder.join("faults.json")).ok().map(|body| serde_json::from_slice(&body).unwrap()).unwrap_or_default()
    }

    fn is_gone(&self, plan: &Plan, target: usize) -> bool {
        self.faults().contains(&Fault::Gone(plan.targets[target].name.clone()))
    }

    /// True the first time.
    fn once(&self, name: &str) -> bool {
        File::options().write(true).create_new(true).open(self.folder.join(format!("once-{}", name.replace('/', ".")))).is_ok()
    }

    /// How often that was asked before.
    fn count(&self, name: &str) -> u32 {
        let path = self.folder.join(format!("count-{}", name.replace('/', ".")));
        let before = fs::read(&path).map_or(0, |body| u32::try_from(body.len()).unwrap());
        File::options().append(true).create(true).open(&path).unwrap().write_all(b".").unwrap();
        before
    }

    /// What it shows to the oracles.
    pub fn shown(&self) -> Shown {
        let places = self.places();
        Shown {
            seen: self.seen(),
            holds: places.iter().filter_map(|place| Some(place.lease.as_ref()?.run.clone())).collect(),
            before: effects(&before()),
            now: effects(&places),
            acked: places.iter().map(|place| place.acked.iter().map(u32::to_string).collect()).collect(),
            kept: places.iter().map(|place| place.kept.iter().map(u32::to_string).collect()).collect(),
        }
    }

    pub fn log(&self, seen: &Seen) {
        let mut line = serde_json::to_vec(seen).unwrap();
        line.push(b'\n');
        File::options().append(true).create(true).open(self.folder.join("calls.jsonl")).unwrap().write_all(&line).unwrap();
    }

    pub fn seen(&self) -> Vec<Seen> {
        let text = fs::read_to_string(self.folder.join("calls.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.kind == "call").collect()
    }

    fn act(plan: &Plan, step: usize, call: Call) -> &Act {
        let step = &plan.steps[step];
        match call {
            Call::Apply => &step.act,
            Call::Undo => step.undo.as_ref().expect("only what has an undo is taken back"),
        }
    }

    /// Does it: whether something changed, and how it ended.
    fn apply(act: &Act, place: &mut Place) -> (bool, CallEnd) {
        let done = |seen: &str| CallEnd::Done { seen: seen.to_owned() };
        match act {
            Act::StopUnit { .. } => (std::mem::replace(&mut place.running, false), done("it is stopped")),
            Act::StartUnit { .. } => (!std::mem::replace(&mut place.running, true), done("it runs")),
            // What it was before is how often it was started anew until then.
            Act::RestartUnit { before, .. } if before.as_deref() == Some(&*place.ran.to_string()) => {
                place.ran += 1;
                (true, done("it runs anew"))
            }
            Act::RestartUnit { .. } => (false, done("it was started anew since the plan was made")),
            Act::SwitchLink { to, .. } if place.current == *to => (false, done("it was so already")),
            Act::SwitchLink { from, to } if place.current == *from => {
                place.current.clone_from(to);
                (true, done("current is switched"))
            }
            Act::SwitchLink { from, .. } => (false, CallEnd::Refused { why: format!("expected {from}, found {}", place.current) }),
            Act::Run { .. } => {
                place.ran += 1;
                (true, done("it exited with 0"))
            }
            Act::Running { release, .. } if place.running && release.as_deref().is_none_or(|release| place.current == release) => {
                (false, done("it serves from there"))
            }
            Act::Running { .. } => (false, CallEnd::Failed { why: "it does not serve from there".into() }),
            other => panic!("{other:?} is not of this world"),
        }
    }

    fn read(act: &Act, place: &Place) -> Found {
        let seen = format!("current {}, running {}", place.current, place.running);
        let of = |done: bool| if done { Found::Done { seen: seen.clone() } } else { Found::NotDone { seen: seen.clone() } };
        match act {
            Act::StopUnit { .. } => of(!place.running),
            Act::StartUnit { .. } => of(place.running),
            Act::RestartUnit { before, .. } => of(place.running && before.as_deref() != Some(&*place.ran.to_string())),
            Act::SwitchLink { to, .. } if place.current == *to => of(true),
            Act::SwitchLink { from, .. } if place.current == *from => of(false),
            Act::SwitchLink { .. } => Found::Moved { seen },
            Act::Running { release, .. } => of(place.running && release.as_deref().is_none_or(|release| place.current == release)),
            _ => Found::Untold { why: "a program leaves nothing that could be read".into() },
        }
    }
}

impl World for Files {
    async fn check(&self, plan: Arc<Plan>, _own: Own) -> Vec<Check> {
        let check = |id: &str, verdict| Check {
            id: id.to_owned(),
            title: id.to_owned(),
            verdict,
            seen: "as it was read".into(),
            overridable: verdict == Verdict::Warn,
            glass: false,
            as_of: jiff::Timestamp::now(),
        };
        let mut all: Vec<Check> = plan.targets.iter().map(|target| check(&format!("identity/{}", target.name), Verdict::Pass)).collect();
        all.extend(self.faults().iter().filter_map(|fault| match fault {
            Fault::Blocks(id) => Some(check(id, Verdict::Block)),
            _ => None,
        }));
        all
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        if self.is_gone(&plan, target) {
            return Some(Leased::Unknown("no route to it".into()));
        }
        let leased = self.locked(|places| {
            let place = &mut places[target];
            match &place.lease {
                Some(held) if held.run != permit.run() && held.until > now() => Leased::Other(format!("the run {}", held.run)),
                _ => {
                    place.fence += 1;
                    let until = now() + u64::try_from(self.ttl.as_millis()).unwrap();
                    place.lease = Some(Held { run: permit.run().to_owned(), fence: place.fence, until });
                    Leased::Held(place.fence)
                }
            }
        });
        let fence = match &leased {
            Leased::Held(fence) => Some(*fence),
            _ => None,
        };
        self.log(&Seen {
            kind: "take".into(),
            run: permit.run().to_owned(),
            step: permit.step().to_owned(),
            target,
            call: None,
            attempt: permit.attempt(),
            fence,
            plan: plan.hash(),
            head: permit.head().to_owned(),
            changed: fence.is_some(),
            said: format!("{leased:?}"),
        });
        Some(leased)
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        if self.is_gone(&plan, target) {
            return Leased::Unknown("no route to it".into());
        }
        self.locked(|places| match &mut places[target].lease {
            Some(held) if held.run == run && held.fence == fence => {
                held.until = now() + u64::try_from(self.ttl.as_millis()).unwrap();
                Leased::Held(fence)
            }
            Some(held) => Leased::Other(format!("the run {}", held.run)),
            None => Leased::Other("nobody, and another run had it since".into()),
        })
    }

    async fn give_lease(&self, _plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        self.locked(|places| {
            let lease = &mut places[target].lease;
            if lease.as_ref().is_some_and(|held| held.run == run && held.fence == fence) {
                *lease = None;
            }
        });
        Ok(())
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        let (id, target, act) = (plan.steps[step].id.clone(), plan.steps[step].target, Files::act(&plan, step, call));
        let faults = self.faults();
        let named = if call == Call::Apply { id.clone() } else { format!("{id}/undo") };
        let is = |fault: &Fault| faults.contains(fault);
        if is(&Fault::Held(named.clone())) {
            while !self.folder.join("release").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let lost = is(&Fault::LostCall(named.clone())) && self.once(&named);
        let (changed, end) = self.locked(|places| {
            let place = &mut places[target];
            if place.running {
                let write = u32::try_from(place.acked.len()).unwrap();
                place.kept.push(write);
                place.acked.push(write);
            }
            let ours = place.lease.as_ref().is_some_and(|held| held.run == permit.run() && Some(held.fence) == permit.fence());
            if lost {
                (false, CallEnd::Unknown { why: "the link broke".into() })
            } else if !ours && !is(&Fault::NoFence) {
                (false, CallEnd::Refused { why: "the lease is not this runner's".into() })
            } else if is(&Fault::Fails(named.clone())) {
                (false, CallEnd::Failed { why: "it failed".into() })
            } else {
                let done = Files::apply(act, place);
                if done.0 && matches!(act, Act::SwitchLink { .. }) && is(&Fault::Loses) {
                    place.kept.clear();
                }
                done
            }
        });
        let quiet = is(&Fault::LostReply(named.clone())) && self.once(&named);
        let end = if quiet { CallEnd::Unknown { why: "the reply was lost".into() } } else { end };
        self.log(&Seen {
            kind: "call".into(),
            run: permit.run().to_owned(),
            step: id,
            target,
            call: Some(call),
            attempt: permit.attempt(),
            fence: permit.fence(),
            plan: plan.hash(),
            head: permit.head().to_owned(),
            changed,
            said: end.to_string(),
        });
        Called { end, output: vec![format!("{named} was here")] }
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, _run: String, _attempt: u32) -> Found {
        let (id, target, act) = (plan.steps[step].id.clone(), plan.steps[step].target, Files::act(&plan, step, call));
        for fault in self.faults() {
            match fault {
                Fault::Dark(of, times) if of == id && self.count(&format!("dark-{id}")) < times => {
                    return Found::Underway { seen: "it cannot be reached".into() };
                }
                Fault::Untold(of) if of == id => return Found::Untold { why: "it leaves nothing to read".into() },
                Fault::Blind => return Found::NotDone { seen: "nobody looked".into() },
                _ => {}
            }
        }
        self.locked(|places| Files::read(act, &places[target]))
    }
}
