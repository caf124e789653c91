//! A rollback of three hosts through a real sshd on loopback, each with release folders of its own, and the same commands
//! and probes as a shell script. The connections stand before either begins, and there is no guard window.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::config;
use quarterdeck::journal::Journal;
use quarterdeck::link::ssh::Hosts;
use quarterdeck::model::check::Override;
use quarterdeck::model::estate::Estate;
use quarterdeck::model::event::{Event, Record};
use quarterdeck::model::plan::Plan;
use quarterdeck::model::run::{Agreement, Ending, Happened};
use quarterdeck::operate::attach::{Runs, prepare};
use quarterdeck::operate::order::{Order, id};
use quarterdeck::operate::plan::rollback::{Desk, rollback};
use quarterdeck::operate::preflight::{look, unheard};
use quarterdeck::operate::runner::process::Prepare;
use tempfile::TempDir;

use super::{median, step};

const HOSTS: [&str; 3] = ["web1", "web2", "web3"];
const TIMES: usize = 7;
/// Until connections stand, which nothing tells a program outside.
const CONNECT: Duration = Duration::from_secs(3);

/// An sshd, the folders, and the estate.
struct Ground {
    folder: TempDir,
    children: Vec<Child>,
}

impl Drop for Ground {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::Builder::new().prefix("qd-bench-").tempdir().unwrap();
        let at = folder.path();
        for key in ["userkey", "hostkey"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at.join(key)).status();
            assert!(made.unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let show = at.display();
        // Its log at this level has a line for each command.
        let sshd = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {show}/hostkey\nPidFile {show}/pid\nAuthorizedKeysFile {show}/userkey.pub\n\
             PasswordAuthentication no\nUsePAM no\nStrictModes no\nPrintMotd no\nMaxSessions 100\nLogLevel VERBOSE\n"
        );
        fs::write(at.join("sshd_config"), sshd).unwrap();
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
        let client = format!(
            "Host web*\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {show}/userkey\n IdentitiesOnly yes\n\
             IdentityAgent none\n HostKeyAlias box\n UserKnownHostsFile {show}/known_hosts\n GlobalKnownHostsFile /dev/null\n LogLevel ERROR\n"
        );
        fs::write(at.join("ssh_config"), client).unwrap();
        fs::write(at.join("known_hosts"), format!("box {}", fs::read_to_string(at.join("hostkey.pub")).unwrap())).unwrap();
        let _ = fs::create_dir_all("/run/sshd");
        let log = File::create(at.join("log")).unwrap();
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.args(["-D", "-e", "-f"]).arg(at.join("sshd_config")).stdin(Stdio::null()).stderr(log);
        let child = sshd.spawn().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            sleep(Duration::from_millis(20));
        }
        let mut text = String::from("version = 1\n[estate]\nname = \"yard\"\nenvironment = \"test\"\n");
        for host in HOSTS {
            let app = at.join(host);
            fs::create_dir_all(app.join("releases/1")).unwrap();
            fs::create_dir_all(app.join("releases/2")).unwrap();
            text += &format!("[[host]]\nname = \"{host}\"\nssh = \"{host}\"\nssh_config = {:?}\n", at.join("ssh_config"));
            text += &format!(
                "[[history]]\nname = \"folders-{host}\"\nkind = \"releases\"\nservice = \"web\"\npath = {app:?}\nhosts = [\"{host}\"]\n"
            );
        }
        text += "[[service]]\nname = \"web\"\nhosts = [\"web1\", \"web2\", \"web3\"]\nrestart = { command = [\"true\"] }\n\
                 health = { command = [\"true\"], times = 2, every = \"1s\", within = \"1m\" }\n";
        fs::write(at.join("estate.toml"), text).unwrap();
        let ground = Ground { folder, children: vec![child] };
        ground.reset();
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The newer release runs everywhere.
    fn reset(&self) {
        for host in HOSTS {
            let _ = fs::remove_file(self.at(host).join("current"));
            symlink("releases/2", self.at(host).join("current")).unwrap();
        }
    }

    fn is_back(&self) -> bool {
        HOSTS.iter().all(|host| fs::read_link(self.at(host).join("current")).unwrap() == Path::new("releases/1"))
    }

    /// Commands that were begun there since the sshd was.
    fn commands(&self) -> usize {
        fs::read_to_string(self.at("log")).unwrap().matches("Starting session: command").count()
    }

    /// The master of a control socket for each host.
    fn masters(&mut self) {
        for host in HOSTS {
            let socket = self.at(&format!("{host}.sock"));
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg(self.at("ssh_config")).args(["-o", "ControlMaster=yes", "-o"]);
            ssh.arg(format!("ControlPath={}", socket.display())).args(["-N", "-T", host]).stdin(Stdio::null());
            self.children.push(ssh.spawn().unwrap());
            while !socket.exists() {
                sleep(Duration::from_millis(20));
            }
        }
    }

    /// What a person would write: each command in its own ssh, through the masters.
    fn script(&self) -> PathBuf {
        let at = self.folder.path().display();
        let mut text = format!("#!/bin/sh\nset -e\non() {{ h=$1; shift; ssh -F {at}/ssh_config -S {at}/$h.sock $h \"$@\"; }}\n");
        for host in HOSTS {
            let switch = format!(
                "cd {at}/{host} && [ \"$(readlink current)\" = releases/2 ] && ln -s releases/1 .next && mv -T .next current && sync . && readlink current"
            );
            text += &format!("on {host} true\non {host} '{switch}'\non {host} true\non {host} true\nsleep 1\non {host} true\n");
        }
        let path = self.at("script");
        fs::write(&path, text).unwrap();
        path
    }
}

pub fn measure() {
    if !Path::new("/usr/sbin/sshd").is_file() {
        println!("hosts: skipped, there is no sshd");
        return;
    }
    let mut ground = Ground::new();
    let estate = config::load::estate(&ground.at("estate.toml")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();

    let hosts = Arc::new(Hosts::new(&estate.hosts));
    let soon = || tokio::time::Instant::now() + Duration::from_secs(60);
    let (plan, overrides) = runtime.block_on(planned(&estate, &hosts));
    let (mut took, begun) = (Vec::new(), ground.commands());
    for _ in 0..TIMES {
        let started = Instant::now();
        runtime.block_on(look(&plan, &hosts, soon()));
        took.push(started.elapsed());
    }
    let commands = (ground.commands() - begun) as f64 / TIMES as f64;
    println!("all checks of {} hosts: {commands} remote commands, median {:.1?}", HOSTS.len(), median(took));

    ground.masters();
    let (script, mut trips, mut scripts) = (ground.script(), Vec::new(), Vec::new());
    for _ in 0..3 * TIMES {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(ground.at("ssh_config")).arg("-S").arg(ground.at("web1.sock")).args(["web1", "true"]);
        let started = Instant::now();
        assert!(ssh.stdin(Stdio::null()).status().unwrap().success());
        trips.push(started.elapsed());
    }
    let (mut firsts, mut steps, mut wholes, mut parts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut commands = 0;
    for _ in 0..TIMES {
        ground.reset();
        let started = Instant::now();
        assert!(Command::new("sh").arg(&script).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
        scripts.push(started.elapsed());
        assert!(ground.is_back());
        ground.reset();
        let begun = ground.commands();
        let timed = runtime.block_on(async {
            let (plan, _) = planned(&estate, &hosts).await;
            rolled_back(&ground, plan, overrides.clone())
        });
        assert!(ground.is_back());
        commands = ground.commands() - begun;
        firsts.push(timed.first);
        steps.push(timed.step);
        wholes.push(timed.whole);
        parts.push(timed.steps);
    }
    let (trip, script, count) = (median(trips), median(scripts), plan.steps.len());
    let bound = script + trip * u32::try_from(count).unwrap();
    println!("from the order to the first synced intent, that of a lease: median {:.1?}", median(firsts));
    println!("from the order to the first step's intent, after leases and checks: median {:.1?}", median(steps));
    println!("a round trip of one command (`ssh -S`, `true`): median {trip:.1?}");
    println!("the script: median {script:.1?}; with a round trip for each of the {count} steps {bound:.1?}");
    println!("a rollback, first step's intent to the last one's result: median {:.1?}", median(parts));
    println!("the same from the order to the end, with leases and checks: median {:.1?}", median(wholes));
    println!("remote commands of planning and of the run together: {commands}");
}

/// A plan to the older release, and what its warnings are passed over with.
async fn planned(estate: &Estate, hosts: &Hosts) -> (Plan, Vec<Override>) {
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    let desk = Desk { estate, hosts, history: &[], going: &[], journal: None, without: &[], until, heard: &unheard };
    let planned = rollback(desk, "web", Some("1"), Timestamp::now()).await.unwrap();
    let open = planned.checks.iter().filter(|check| !check.passes());
    let overrides = open.map(|check| Override { check: check.id.clone(), reason: "a measurement".into() }).collect();
    (planned.plan, overrides)
}

struct Timed {
    first: Duration,
    step: Duration,
    /// From the first step's intent to the last one's result.
    steps: Duration,
    whole: Duration,
}

fn rolled_back(ground: &Ground, plan: Plan, overrides: Vec<Override>) -> Timed {
    let (journal, runs) = (ground.at("state/journal.db"), ground.at("state/runs"));
    let hosts = plan.hosts();
    let what = Prepare { estate: ground.at("estate.toml"), hosts, journal: journal.clone(), runs, lease: 60 };
    let prepared = prepare(&["runner"], what, &ground.at("state/log/runner.log")).unwrap();
    sleep(CONNECT);
    let (now, by) = (Timestamp::now(), step::hand().actor);
    let agreement = Agreement { overrides, ..step::agreement(&plan) };
    let order = Order { run: id("web", now), hash: plan.hash(), plan, agreement, by, estate: None, lease: 60 };
    let run = order.run.clone();
    let begun = Timestamp::now();
    prepared.go(order).unwrap();
    let mut read = Runs::default();
    let ended = loop {
        read.read(&journal).unwrap();
        match read.get(&run).and_then(|state| state.ended.clone()) {
            Some((at, Ending::Done)) => break at,
            Some((_, other)) => assert_eq!(other, Ending::Done),
            None => sleep(Duration::from_millis(20)),
        }
    };
    let records = Journal::read(&journal).unwrap().unwrap().run(&run).unwrap();
    let place = |is: &dyn Fn(&Happened) -> bool| records.iter().position(|record| happened(record).is_some_and(is)).unwrap();
    let wanted = place(&|what| matches!(what, Happened::LeaseWanted { .. }));
    let intent = place(&|what| matches!(what, Happened::Intent(_)));
    let last = records.iter().rposition(|record| happened(record).is_some_and(|what| matches!(what, Happened::Result { .. }))).unwrap();
    let since = |from: Timestamp, at: Timestamp| at.duration_since(from).unsigned_abs();
    Timed {
        // The next event is written once this one is on the disk.
        first: since(begun, records[wanted + 1].written_at),
        step: since(begun, records[intent].written_at),
        steps: since(records[intent].written_at, records[last].written_at),
        whole: since(begun, ended),
    }
}

fn happened(record: &Record) -> Option<&Happened> {
    match &record.event {
        Event::Run(of) => Some(&of.what),
        _ => None,
    }
}
