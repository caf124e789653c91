//! Two hosts without ssh, which are release folders of this machine with a small real process each: the plan is made from
//! them, and the runner meets them through the very links and scripts that a host over ssh gets.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::act::Called;
use quarterdeck::config::load::estate_from;
use quarterdeck::journal::Journal;
use quarterdeck::link::permit::Permit;
use quarterdeck::link::ssh::Hosts;
use quarterdeck::model::check::{Check, Override, open};
use quarterdeck::model::deployment::{Dated, Deployment, Ending};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::plan::{Act, Deed, Found, Plan, TargetKind};
use quarterdeck::model::run::{Call, RunState, StepState};
use quarterdeck::operate::ground::Ground;
use quarterdeck::operate::order::Order;
use quarterdeck::operate::plan::rollback::{Desk, rollback};
use quarterdeck::operate::plan::service::service;
use quarterdeck::operate::preflight::going;
use quarterdeck::operate::world::{Leased, Own, World};
use quarterdeck::watch::no_past;
use tokio::time::Instant;

use super::fixture::{LONG, NEW, OLD, Room, order};
use super::oracles::{SECRET, Shown};
use super::world::{Files, Seen};

pub const HOSTS: [&str; 2] = ["web1", "web2"];

/// Starts a host's process from its current release; the one before is ended, and gone before the new one is there. The new
/// one keeps a write, beside the releases, and says so. `$1` is the yard, `$2` the host.
const RESTART: &str = r#"#!/bin/sh
printf 'restart %s %s\n' "$2" "$PPID" >>"$1/ran"
cd -P "$1/$2/current" || exit 1
old=; [ ! -s "$1/$2/pid" ] || read -r old <"$1/$2/pid"
[ -z "$old" ] || kill "$old" 2>/dev/null
while [ -n "$old" ] && [ -e "/proc/$old/cwd" ]; do sleep 0.02; done
setsid -f sh -c 'echo "$$" >"$0/pid.new" && mv "$0/pid.new" "$0/pid" && exec sleep 100000' "$1/$2" </dev/null >/dev/null 2>&1
while read -r new <"$1/$2/pid"; [ "$new" = "$old" ]; do sleep 0.02; done
echo "order $new" >>"$1/$2/kept"
echo "order $new" >>"$1/$2/acked"
echo "process $new"
"#;

/// Ends a host's process. `$1` is the yard, `$2` the host.
const STOP: &str = r#"#!/bin/sh
printf 'stop %s %s\n' "$2" "$PPID" >>"$1/ran"
read -r old <"$1/$2/pid" || exit 1
kill "$old" && rm "$1/$2/pid" || exit 1
while readlink "/proc/$old/exe" >/dev/null 2>&1; do sleep 0.02; done
echo "no process $old"
"#;

/// A step of the estate's own: adds a word to a file, and prints a secret. `$1` is the yard.
const TELL: &str = r#"#!/bin/sh
printf 'tell %s %s\n' "$2" "$PPID" >>"$1/ran"
echo "told $2 with $(cat "$1/password")"
"#;

/// A folder with all of it.
pub struct Yard {
    pub room: Room,
    pub estate: Arc<Estate>,
}

impl Yard {
    /// Both hosts run release 2, and release 1 is there.
    pub fn new() -> Yard {
        let room = Room::new();
        for (name, text) in [("password", SECRET), ("http.yml", "basic_auth: {username: qd, password_file: password}\n")] {
            fs::write(room.root.join(name), text).unwrap();
            fs::set_permissions(room.root.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let yard = Yard::of(room);
        // A start ends nothing: one too many would be a second process.
        let start = RESTART.replace("'restart ", "'start ").replace("kill \"$old\"", "false");
        for (name, text) in [("restart", RESTART), ("start", start.as_str()), ("stop", STOP), ("tell", TELL)] {
            fs::write(yard.at(name), text).unwrap();
            fs::set_permissions(yard.at(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        for host in HOSTS {
            for release in [OLD, NEW] {
                fs::create_dir_all(yard.at(host).join(release)).unwrap();
            }
            symlink(NEW, yard.at(host).join("current")).unwrap();
            fs::write(yard.at(host).join("well"), "").unwrap();
            assert!(std::process::Command::new(yard.at("restart")).arg(&yard.room.root).arg(host).status().unwrap().success());
        }
        fs::remove_file(yard.at("ran")).unwrap();
        yard
    }

    /// One that is there already.
    pub fn of(room: Room) -> Yard {
        let root = room.root.display().to_string();
        let mut text = format!(
            "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n\
             [[source]]\nname = 'metrics'\nkind = 'prometheus'\nurl = 'http://127.0.0.1:1'\nhttp_config = '{root}/http.yml'\n\
             [[service]]\nname = 'web'\n\
             start = ['{root}/start', '{root}', '$host']\nstop = ['{root}/stop', '{root}', '$host']\n\
             restart = {{ command = ['{root}/restart', '{root}', '$host'], pid_file = '{root}/$host/pid' }}\n\
             health = {{ command = ['test', '-e', '{root}/$host/well'], times = 1, every = '100ms', within = '1s' }}\n\
             rollback = {{ note = true, before = [{{ name = 'tell', command = ['{root}/tell', '{root}', 'done'], \
             undo = {{ command = ['{root}/tell', '{root}', 'undone'] }} }}] }}\n"
        );
        for host in HOSTS {
            text += &format!(
                "[[host]]\nname = '{host}'\n[[history]]\nname = 'of {host}'\nkind = 'releases'\npath = '{root}/{host}'\n\
                 host = '{host}'\nlog = '{root}/{host}/log'\nservice = 'web'\n"
            );
        }
        let estate = estate_from(&room.root.join("estate.toml"), &text).unwrap_or_else(|problems| panic!("{problems:?}"));
        Yard { room, estate: Arc::new(estate) }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.room.root.join(name)
    }

    /// A planted break: the world of a runner that knows nothing of the estate's secrets.
    pub fn forget_secrets(&mut self) {
        Arc::make_mut(&mut self.estate).sources.iter_mut().for_each(|source| source.http_config = None);
    }

    /// The processes that work in a release of that host.
    pub fn serving(&self, host: &str) -> Vec<u32> {
        let releases = self.at(host).canonicalize().unwrap().join("releases");
        let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        processes.filter(|pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(&releases))).collect()
    }

    fn lines(&self, host: &str, name: &str) -> Vec<String> {
        fs::read_to_string(self.at(host).join(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Runs one of its programs by hand, which leaves no trace.
    pub fn by_hand(&self, program: &str, host: &str) {
        assert!(std::process::Command::new(self.at(program)).arg(&self.room.root).arg(host).status().unwrap().success());
        fs::remove_file(self.at("ran")).unwrap();
    }

    /// The plan of a rollback as `qd plan` makes it, and what a person agrees to who passes over what warns.
    pub async fn order(&self, run: &str, change: impl FnOnce(&mut Plan)) -> Order {
        self.order_of(Deed::Rollback, run, change).await
    }

    /// The same of a deed.
    pub async fn order_of(&self, deed: Deed, run: &str, change: impl FnOnce(&mut Plan)) -> Order {
        let act = |second: i64, to: &str| {
            let told = Deployment::new("web", Timestamp::from_second(second).unwrap(), Dated::Record, "log");
            Arc::new(Deployment { to: Some(to.into()), result: Some(Ending::Succeeded), who: Some("ann".into()), ..told })
        };
        let (hosts, until) = (Hosts::new(&self.estate.hosts), Instant::now() + Duration::from_secs(60));
        let history = [act(200, "2"), act(100, "1")];
        let desk = Desk {
            estate: &self.estate,
            hosts: &hosts,
            history: &history,
            going: &[],
            journal: Some(&self.room.journal()),
            without: &[],
            until,
            heard: &quarterdeck::operate::preflight::unheard,
        };
        let planned = match deed {
            Deed::Rollback => rollback(desk, "web", None, Timestamp::now()).await,
            deed => service(desk, deed, "web", &[], Timestamp::now()).await,
        };
        let mut plan = planned.unwrap().plan;
        change(&mut plan);
        plan.expires_at = plan.made_at + SignedDuration::from_mins(10);
        let checks = self.ground(run).check(Arc::new(plan.clone()), Own::default()).await;
        let overrides = open(&checks, &[], false).map(|check| {
            assert!(check.overridable, "{check:?}");
            Override { check: check.id.clone(), reason: "this machine is what it is".into() }
        });
        let overrides = overrides.collect();
        let mut order = order(plan, run);
        order.agreement.overrides = overrides;
        order
    }

    pub fn ground(&self, run: &str) -> Ground {
        let hosts = Arc::new(Hosts::new(&self.estate.hosts));
        let (journal, held) = (self.room.journal(), self.room.journal());
        let others = move || {
            let known = Journal::read(&journal).map_err(|error| error.to_string())?;
            Ok(known.map(|journal| going(&journal.records(None).unwrap())).unwrap_or_default())
        };
        Ground::new(self.estate.clone(), hosts, no_past(), Arc::new(others), LONG, run.to_owned(), "ann@jump".to_owned()).holding(held)
    }

    /// The same, which writes down what is asked of it.
    pub fn watched(&self, run: &str) -> Watched {
        Watched { ground: self.ground(run), root: self.room.root.clone(), log: self.room.world.clone() }
    }

    pub fn link(&self, host: &str) -> String {
        fs::read_link(self.at(host).join("current")).unwrap().to_str().unwrap().to_owned()
    }

    /// The release that its process works in; `None` where there is none.
    pub fn serves(&self, host: &str) -> Option<String> {
        let pid = fs::read_to_string(self.at(host).join("pid")).ok()?;
        let folder = fs::read_link(format!("/proc/{}/cwd", pid.trim())).ok()?;
        Some(folder.strip_prefix(self.at(host).canonicalize().unwrap()).ok()?.to_str()?.to_owned())
    }

    /// What the oracles judge. Targets that are no release folder are told as nothing.
    pub fn shown(&self, plan: &Plan) -> Shown {
        let of = |now: &dyn Fn(&str) -> (String, bool)| {
            let one = |target: &quarterdeck::model::plan::Target| match &target.kind {
                TargetKind::Releases { host, .. } => now(host),
                _ => (String::new(), true),
            };
            plan.targets.iter().map(one).collect()
        };
        let holds = HOSTS.iter().filter_map(|host| {
            let lease = fs::read_to_string(self.at(host).join(".quarterdeck/lease")).ok()?;
            Some(lease.lines().next()?.to_owned())
        });
        Shown {
            seen: self.room.world.seen(),
            holds: holds.collect(),
            before: of(&|_| (NEW.to_owned(), plan.deed != Deed::Start)),
            now: of(&|host| (self.link(host), self.serves(host).is_some())),
            acked: HOSTS.map(|host| self.lines(host, "acked")).into(),
            kept: HOSTS.map(|host| self.lines(host, "kept")).into(),
        }
    }

    /// All oracles, and those of this yard. Empty where all holds.
    pub fn judged(&self, run: &str) -> Vec<String> {
        let state = self.room.state(run);
        let mut wrong = self.room.judged_by(&self.shown(&state.plan));
        wrong.extend(started_twice(&self.room.root, run));
        let twice = HOSTS.iter().filter(|host| self.serving(host).len() > 1);
        wrong.extend(twice.map(|host| format!("I1: {} processes serve {host}", self.serving(host).len())));
        wrong.extend(self.untrue(&state));
        wrong
    }

    /// Links that lead elsewhere than the record says, also while it goes on: a call under way leaves both open.
    pub fn untrue(&self, state: &RunState) -> Vec<String> {
        let mut wrong = Vec::new();
        for host in HOSTS {
            let switch = state.plan.steps.iter().enumerate().find(|(_, step)| step.id == format!("{host}/switch"));
            assert_eq!(switch.is_some(), state.plan.deed == Deed::Rollback, "a rollback switches each host, and nothing else does");
            let may: Vec<&str> = match switch {
                None => vec![NEW],
                Some((place, step)) => {
                    let Act::SwitchLink { from, to } = &step.act else { panic!("{step:?}") };
                    match state.steps[place].state {
                        StepState::Done | StepState::UndoFailed => vec![to],
                        StepState::Waiting | StepState::Undone => vec![from],
                        _ => vec![from, to],
                    }
                }
            };
            if !may.contains(&self.link(host).as_str()) {
                wrong.push(format!("I5: {host}: current leads to {}, by the record to {may:?}", self.link(host)));
            }
        }
        wrong
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if !self.room.is_owned() {
            return;
        }
        for host in HOSTS {
            // Only one that still works in this yard.
            if self.serves(host).is_some()
                && let Ok(pid) = fs::read_to_string(self.at(host).join("pid"))
                && let Ok(pid) = pid.trim().parse()
            {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }
}

/// The numbers of the job shells of that run, as each wrote down that it began.
fn began(root: &Path, run: &str) -> Vec<String> {
    let folders =
        HOSTS.map(|host| root.join(host).join(".quarterdeck/jobs")).into_iter().chain([root.join(".local/state/quarterdeck/jobs")]);
    let jobs = folders.filter_map(|jobs| fs::read_dir(jobs.join(run)).ok()).flatten();
    let one = |job: std::io::Result<fs::DirEntry>| fs::read_to_string(job.unwrap().path().join("began")).ok();
    let mut all: Vec<String> = jobs.filter_map(one).map(|text| text.split(' ').next().unwrap().to_owned()).collect();
    all.sort();
    all
}

/// I4 on the disk: each program that was run belongs to one job, and no job ran one twice.
pub fn started_twice(root: &Path, run: &str) -> Vec<String> {
    let (jobs, mut known, mut wrong) = (began(root, run), BTreeSet::new(), Vec::new());
    for line in fs::read_to_string(root.join("ran")).unwrap_or_default().lines() {
        let job = line.rsplit(' ').next().unwrap();
        if !jobs.iter().any(|of| of == job) {
            wrong.push(format!("I4: `{line}` was run by no job of {run}"));
        }
        if !known.insert(job.to_owned()) {
            wrong.push(format!("I4: `{line}` was run a second time by its job"));
        }
    }
    wrong
}

/// The real world, and what was asked of it.
pub struct Watched {
    ground: Ground,
    root: PathBuf,
    log: Files,
}

impl Watched {
    /// Links, processes, and what programs and notes left: whatever a step changes.
    fn print(&self) -> Vec<Option<Vec<u8>>> {
        let of = |host: &str| {
            let place = self.root.join(host);
            let link = fs::read_link(place.join("current")).ok().map(|link| link.into_os_string().into_encoded_bytes());
            [link, fs::read(place.join("pid")).ok(), fs::read(place.join("log")).ok()]
        };
        HOSTS.iter().flat_map(|host| of(host)).chain([fs::read(self.root.join("ran")).ok()]).collect()
    }
}

fn seen(kind: &str, permit: &Permit, plan: &Plan, target: usize) -> Seen {
    Seen {
        kind: kind.into(),
        run: permit.run().to_owned(),
        step: permit.step().to_owned(),
        target,
        call: None,
        attempt: permit.attempt(),
        fence: permit.fence(),
        plan: plan.hash(),
        head: permit.head().to_owned(),
        changed: false,
        said: String::new(),
    }
}

impl World for Watched {
    async fn check(&self, plan: Arc<Plan>, own: Own) -> Vec<Check> {
        self.ground.check(plan, own).await
    }

    async fn take_lease(&self, permit: Permit, plan: Arc<Plan>, target: usize) -> Option<Leased> {
        let mut seen = seen("take", &permit, &plan, target);
        let leased = self.ground.take_lease(permit, plan, target).await;
        if let Some(Leased::Held(fence)) = &leased {
            (seen.fence, seen.changed) = (Some(*fence), true);
        }
        self.log.log(&Seen { said: format!("{leased:?}"), ..seen });
        leased
    }

    async fn renew_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Leased {
        self.ground.renew_lease(plan, target, run, fence).await
    }

    async fn give_lease(&self, plan: Arc<Plan>, target: usize, run: String, fence: u64) -> Result<(), String> {
        self.ground.give_lease(plan, target, run, fence).await
    }

    async fn call(&self, permit: Permit, plan: Arc<Plan>, step: usize, call: Call) -> Called {
        let mut seen = seen("call", &permit, &plan, plan.steps[step].target);
        (seen.step, seen.call) = (plan.steps[step].id.clone(), Some(call));
        let before = self.print();
        let called = self.ground.call(permit, plan, step, call).await;
        self.log.log(&Seen { changed: self.print() != before, said: called.end.to_string(), ..seen });
        called
    }

    async fn observe(&self, plan: Arc<Plan>, step: usize, call: Call, run: String, attempt: u32) -> Found {
        self.ground.observe(plan, step, call, run, attempt).await
    }
}

/// Adds a line to what programs left, as if one had run: for planted breaks.
pub fn ran(yard: &Yard, line: &str) {
    writeln!(File::options().append(true).create(true).open(yard.at("ran")).unwrap(), "{line}").unwrap();
}
