//! Real hosts with systemd, reached by real ssh: Debian in systemd-nspawn, each in a network namespace, a file system and
//! cgroups of its own. They run a small real app as a unit, from release folders behind a link.
//!
//! ```text
//! let Some(hosts) = systemd::hosts("name_of_the_test", 3) else { return };      // None: skipped, and counted
//! let estate = estate(folder.path(), &hosts.estate("deploy"));                  // or "root"
//! let web1 = &hosts[0];                                                         // web1, web2, web3; &hosts[..] are all
//! web1.release("1.2", Kind::Exits);                                             // a release that cannot start
//! web1.cut();  web1.mend();                                                     // its cable
//! assert_eq!((web1.current().as_str(), web1.unit().active.as_str()), ("1.1", "active"));  // seen past the network
//! let (code, out, errors) = systemd::qd(folder.path(), &file, &["status"]);     // the program, with a home of its own
//! ```
//!
//! A host begins with the releases 1.0 and 1.1, both good, `current` at 1.1, and `app.service` running as the user
//! `deploy` on port 8000 (`Restart=no`, working directory `current`). `root` and `deploy` log in by key; `deploy` owns
//! /opt/app and may `sudo -n systemctl`. What a host writes outlives [`Host::reboot`], and nothing outlives [`Hosts`], also
//! when the test panics. `qd` and any other program of this machine reach the hosts at [`Host::address`]: give them
//! [`Hosts::ssh_config`], which [`Hosts::estate`] does.
//!
//! Tests with hosts stand in modules below this one: .config/nextest.toml runs one of them at a time, by that name.

mod breaks;
mod choices;
mod cut;
mod ground;
mod host;
mod judge;
mod logs;
mod matrix;
mod operator;
mod proof;
mod restart;
mod rollback;
mod taken_up;
mod terminal;
mod two;

use std::fmt::Write as _;
use std::fs;
use std::ops::Index;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::slice::SliceIndex;

pub use host::{Host, Kind};

use crate::servers::{have, skip};
use ground::Ground;

/// Hosts that run. Stopped and removed when they are dropped.
pub struct Hosts {
    all: Vec<Host>,
    ground: Ground,
}

/// This many hosts, 1 to 3, booted and ready for ssh, their app running. `None` where they cannot be: the test is skipped.
pub fn hosts(test: &str, count: usize) -> Option<Hosts> {
    let root = rootfs();
    if !have(test, &["systemd-nspawn", "ip", "nsenter", "ssh", "ssh-keygen"]) {
        return None;
    }
    if !nix::unistd::geteuid().is_root() {
        skip(test, "hosts are started by root alone");
        return None;
    }
    if let Some(why) = ground::cannot() {
        skip(test, &format!("hosts cannot be started here: {why}"));
        return None;
    }
    if !root.join("etc/recipe").is_file() {
        skip(test, "the root file system of the hosts is not built: tests/run does it");
        return None;
    }
    assert!((1..=ground::ROOM).contains(&count));
    let ground = Ground::claim();
    let folder = ground.folder();
    new_key(&folder.join("userkey"));
    // The ground is cleared also where one of them does not come up.
    let mut hosts = Hosts { all: Vec::new(), ground };
    for place in 1..=count {
        let host = Host::furnish(&hosts.ground, place, &root);
        hosts.all.push(host);
    }
    hosts.write_ssh_config();
    hosts.all.iter_mut().for_each(Host::power_on);
    hosts.all.iter_mut().for_each(Host::await_ready);
    Some(hosts)
}

/// Runs `qd` itself with a home of its own; gives back the exit code, its output, and its errors.
pub fn qd(home: &Path, estate: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
    qd.args(arguments).arg("--estate").arg(estate).stdin(Stdio::null());
    for place in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        qd.env(place, home);
    }
    let output = qd.output().expect("qd starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("qd prints text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Where `tests/run` has it built; see tests/rootfs.
fn rootfs() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-hosts").join("rootfs")
}

/// Makes a key pair.
fn new_key(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen starts").success());
}

impl Hosts {
    /// To change one, such as [`Host::reboot`].
    pub fn host(&mut self, index: usize) -> &mut Host {
        &mut self.all[index]
    }

    /// The tables of an estate file: the site `fra1`, the service `web` on all hosts, a `[[host]]` each with this login and
    /// its machine-id, and the history `folders` of their releases, read every second.
    pub fn estate(&self, login: &str) -> String {
        let mut text = String::from("[[site]]\nname = \"fra1\"\nrole = \"primary\"\n\n");
        let names: Vec<&str> = self.all.iter().map(|host| host.name.as_str()).collect();
        writeln!(text, "[[service]]\nname = \"web\"\nsites = [\"fra1\"]\nhosts = {names:?}\n").expect("text grows");
        for host in &self.all {
            text += &self.table(host, login, &host.machine_id);
        }
        text + &self.history("folders", &names)
    }

    /// A `[[history]]` of the releases on these hosts.
    pub fn history(&self, name: &str, hosts: &[&str]) -> String {
        format!(
            "[[history]]\nname = \"{name}\"\nkind = \"releases\"\nservice = \"web\"\npath = \"/opt/app\"\nhosts = {hosts:?}\n\
             every = \"1s\"\ntimeout = \"10s\"\n\n"
        )
    }

    /// The `[[host]]` of one, with whatever machine-id.
    pub fn table(&self, host: &Host, login: &str, machine_id: &str) -> String {
        let (name, config) = (&host.name, self.ssh_config());
        format!(
            "[[host]]\nname = \"{name}\"\nsite = \"fra1\"\nssh = \"{login}@{name}\"\nssh_config = {config:?}\nmachine_id = \"{machine_id}\"\n\n"
        )
    }

    /// The configuration with which ssh finds the hosts by their names, has a key that they take, and knows theirs.
    pub fn ssh_config(&self) -> PathBuf {
        self.ground.folder().join("ssh_config")
    }

    fn write_ssh_config(&self) {
        let at = self.ground.folder();
        let (mut config, mut known) = (String::new(), String::new());
        for host in &self.all {
            writeln!(config, "Host {}\n HostName {}", host.name, host.address).expect("text grows");
            let key = fs::read_to_string(host.path("/etc/ssh/lab/host_key.pub")).expect("the host has a key");
            write!(known, "{} {key}", host.address).expect("text grows");
        }
        write!(
            config,
            "Host *\n IdentityFile {at}/userkey\n IdentitiesOnly yes\n IdentityAgent none\n BatchMode yes\n StrictHostKeyChecking yes\n \
             UserKnownHostsFile {at}/known_hosts\n GlobalKnownHostsFile /dev/null\n",
            at = at.display()
        )
        .expect("text grows");
        fs::write(self.ssh_config(), config).expect("ssh_config is written");
        fs::write(at.join("known_hosts"), known).expect("known_hosts is written");
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // All at once: the kernel takes a second to take one apart, and no longer for three. The ground clears the rest.
        let cgroups: Vec<_> = self.all.iter().flat_map(|host| host.cgroups()).cloned().collect();
        ground::stop(&cgroups);
        self.all.iter_mut().for_each(Host::power_off);
    }
}

impl<I: SliceIndex<[Host]>> Index<I> for Hosts {
    type Output = I::Output;

    fn index(&self, index: I) -> &I::Output {
        &self.all[index]
    }
}
