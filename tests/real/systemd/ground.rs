//! The ground that hosts stand on: a number that nobody else has, and by it a network, cgroups and a folder for up to three
//! hosts. All of it is found by its name, so that what a killed test left is swept away by the next that has the number.

use std::fs::{self, File, TryLockError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::servers::until;

/// How many hosts a ground has room for.
pub const ROOM: usize = 3;

/// Where hosts may stand. Cleared when it is dropped, whatever stands there.
pub struct Ground {
    number: u8,
    /// The kernel lets go of it when this process ends, however it ends.
    _lock: File,
}

impl Ground {
    /// Takes the first that is free, clears it and makes its bridge.
    pub fn claim() -> Ground {
        for number in 0..=250 {
            let lock = File::create(format!("/run/qd-tests-{number}.lock")).expect("a lock in /run");
            match lock.try_lock() {
                Ok(()) => {
                    let ground = Ground { number, _lock: lock };
                    ground.clear();
                    fs::create_dir(ground.folder()).expect("a folder in /run");
                    let bridge = ground.bridge();
                    ip(&format!("link add {bridge} type bridge"));
                    ip(&format!("addr add {}/24 dev {bridge}", ground.address(0)));
                    ip(&format!("link set {bridge} up"));
                    return ground;
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => panic!("no lock: {error}"),
            }
        }
        panic!("251 tests have hosts at once");
    }

    /// Files of the hosts. A short path, and known by the number alone.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/run/qd-tests-{}", self.number))
    }

    /// The address of a host by its place, from 1; 0 is this machine. 198.18.0.0/15 is for tests of networks (RFC 2544).
    pub fn address(&self, place: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.number, if place == 0 { 1 } else { 10 + place as u8 })
    }

    /// The name of what a host has here: network namespace, machine, cgroups.
    pub fn name(&self, place: usize) -> String {
        format!("qd-{}-web{place}", self.number)
    }

    fn bridge(&self) -> String {
        format!("qdbr{}", self.number)
    }

    /// The end of a host's cable here. At most 15 letters, says the kernel.
    pub fn cable(&self, place: usize) -> String {
        format!("qd{}w{place}", self.number)
    }

    /// A network namespace with `host0` in it, on the bridge.
    pub fn wire(&self, place: usize) {
        let (space, cable, bridge) = (self.name(place), self.cable(place), self.bridge());
        ip(&format!("netns add {space}"));
        ip(&format!("link add {cable} type veth peer name host0 netns {space}"));
        ip(&format!("link set {cable} master {bridge} up"));
        ip(&format!("-n {space} link set lo up"));
        ip(&format!("-n {space} addr add {}/24 dev host0", self.address(place)));
        ip(&format!("-n {space} link set host0 up"));
    }

    /// The cgroups of a host, by hierarchy; systemd-nspawn would put its own into the root's.
    pub fn cgroups(&self, place: usize) -> Vec<PathBuf> {
        hierarchies().into_iter().map(|root| root.join(self.name(place))).collect()
    }

    fn clear(&self) {
        let all: Vec<_> = (1..=ROOM).flat_map(|place| self.cgroups(place)).collect();
        stop(&all);
        for place in 1..=ROOM {
            let folder = self.folder().join(format!("web{place}"));
            for mount in [folder.join("root"), folder] {
                // Lazily: a shell that stands in it must not keep a test from its end.
                let _ = Command::new("umount").arg("--lazy").arg(mount).output();
            }
            if Path::new("/run/netns").join(self.name(place)).exists() {
                ip(&format!("netns del {}", self.name(place)));
            }
            // Its other end went with the namespace, and it with that; not at once.
            if Path::new("/sys/class/net").join(self.cable(place)).exists() {
                let _ = Command::new("ip").args(["link", "del", &self.cable(place)]).output();
            }
        }
        if Path::new("/sys/class/net").join(self.bridge()).exists() {
            ip(&format!("link del {}", self.bridge()));
        }
        match fs::remove_dir_all(self.folder()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{}: {error}", self.folder().display()),
            _ => {}
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What is missing on this machine for hosts, such as a right in a container: the same is tried where it leaves nothing.
pub fn cannot() -> Option<String> {
    const TRIED: &str = "mount -t tmpfs qd-tests /run && cd /run && mkdir low up work all && \
        mount -t overlay -o lowerdir=low,upperdir=up,workdir=work qd-tests all && \
        ip link add qdbr type bridge && ip link add qdw type veth peer name host0";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "sh", "-c", TRIED]);
    let tried = unshare.output().expect("unshare starts");
    let told = String::from_utf8_lossy(&tried.stderr);
    let group = hierarchies().first().map(|root| root.join(format!("qd-tests-{}", std::process::id())));
    match group {
        None => Some("no cgroups of the second version, and none of systemd".to_owned()),
        Some(group) => match fs::create_dir(&group).and_then(|()| fs::remove_dir(&group)) {
            Err(error) => Some(format!("{}: {error}", group.display())),
            Ok(()) => (!tried.status.success()).then(|| told.trim().to_owned()),
        },
    }
}

/// Where cgroups are made: the second version, alone or beside the first, and systemd's own of the first.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").is_file() {
        return vec![root.to_owned()];
    }
    ["unified", "systemd"].map(|one| root.join(one)).into_iter().filter(|one| one.is_dir()).collect()
}

/// `ip`, which must succeed.
pub fn ip(words: &str) {
    let done = Command::new("ip").args(words.split_whitespace()).output().expect("ip starts");
    assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
}

/// SIGKILL for all that runs in these cgroups, again until nothing does; they are gone then.
pub fn stop(groups: &[PathBuf]) {
    until(&format!("nothing runs in {groups:?}"), || {
        for pid in groups.iter().flat_map(|group| inhabitants(group)) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        // All of them, also where the first is not empty yet.
        let left = groups.iter().filter(|group| !removed(group)).count();
        (left == 0).then_some(())
    });
}

/// The processes in a cgroup and below it.
fn inhabitants(group: &Path) -> Vec<i32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut all: Vec<i32> = own.lines().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid > 1).collect();
    all.extend(below(group).iter().flat_map(|group| inhabitants(group)));
    all
}

/// Removes an empty cgroup and what is below it; false while somebody is in it.
fn removed(group: &Path) -> bool {
    below(group).iter().all(|group| removed(group)) && (fs::remove_dir(group).is_ok() || !group.exists())
}

fn below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}
