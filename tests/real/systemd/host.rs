//! One host: what a test does to it, and what it sees on it past everything that is tested.

use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use super::ground::{Ground, ip, stop};
use super::new_key;
use crate::http;
use crate::servers::until;

/// The user `deploy` on the hosts; tests/rootfs makes it.
const DEPLOY: u32 = 1000;

/// How a release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It starts and answers 200.
    Good,
    /// Its process starts and ends at once with 1: `systemctl start` says 0, the unit is `failed` a moment later.
    Exits,
    /// There is no program to start: `systemctl start` itself fails.
    Empty,
    /// It starts and answers 500.
    Answers500,
    /// It starts and takes a second for each answer.
    Slow,
}

/// What a command on a host came to.
#[derive(Debug)]
pub struct Said {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output, without the white space at its end.
    pub out: String,
    /// Standard error, the same.
    pub errors: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Said { code: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
    }
}

/// What systemd says of `app.service`.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit {
    /// `active`, `failed`, `inactive`, ...
    pub active: String,
    /// `success`, `exit-code`, `signal`, ...
    pub result: String,
    /// The pid of its main process as the host counts; 0 without one.
    pub pid: u32,
    /// The release that this process runs from, by its working directory; empty without a process.
    pub runs: String,
}

/// One host. [`super::Hosts`] stops it.
pub struct Host {
    /// `web1`, `web2` or `web3`: in the estate, for ssh, and as its own host name.
    pub name: String,
    /// Where this machine and the other hosts reach it.
    pub address: Ipv4Addr,
    /// What its /etc/machine-id holds.
    pub machine_id: String,
    /// Its name on this machine.
    machine: String,
    /// Its end of the cable here.
    cable: String,
    cgroups: Vec<PathBuf>,
    /// What is kept of it here: `root` is its file system.
    folder: PathBuf,
    ssh_config: PathBuf,
    /// systemd-nspawn, and its child that is the host's pid 1.
    running: Option<(Child, u32)>,
}

impl Host {
    /// A host that is not started: its cable, its file system, its keys and its app.
    pub(super) fn furnish(ground: &Ground, place: usize, rootfs: &Path) -> Host {
        let name = format!("web{place}");
        let folder = ground.folder().join(&name);
        let host = Host {
            address: ground.address(place),
            machine_id: format!("{place}{:031x}", u128::from(std::process::id())),
            machine: ground.name(place),
            cable: ground.cable(place),
            cgroups: ground.cgroups(place),
            ssh_config: ground.folder().join("ssh_config"),
            running: None,
            name,
            folder,
        };
        ground.wire(place);
        fs::create_dir(&host.folder).expect("a folder for the host");
        // In memory and of one size: its disk is quick, can be full, and is gone with the host.
        mount(&["-t", "tmpfs", "-o", "size=200m,mode=755", "qd-tests"], &host.folder);
        for part in ["disk", "work", "root"] {
            fs::create_dir(host.folder.join(part)).expect("a folder in a new file system");
        }
        let at = host.folder.display();
        let layers = format!("lowerdir={},upperdir={at}/disk,workdir={at}/work", rootfs.display());
        mount(&["-t", "overlay", "-o", &layers, "qd-tests"], &host.path("/"));
        fs::write(host.path("/etc/machine-id"), format!("{}\n", host.machine_id)).expect("the machine-id is written");
        fs::create_dir(host.path("/etc/ssh/lab")).expect("a folder for keys");
        new_key(&host.path("/etc/ssh/lab/host_key"));
        fs::copy(ground.folder().join("userkey.pub"), host.path("/etc/ssh/lab/authorized_keys")).expect("the key is taken");
        fs::create_dir_all(host.path("/opt/app/releases")).expect("a folder for releases");
        for folder in ["/opt/app", "/opt/app/releases"] {
            chown(host.path(folder), Some(DEPLOY), Some(DEPLOY)).expect("root gives it away");
        }
        for (version, hours) in [("1.0", 2), ("1.1", 1)] {
            host.release(version, Kind::Good);
            let then = SystemTime::now() - Duration::from_secs(3_600 * hours);
            let folder = File::open(host.path("/opt/app/releases").join(version)).expect("the release is there");
            folder.set_modified(then).expect("a folder of ours takes a time");
        }
        host.point_at("1.1");
        host
    }

    /// Starts it, without waiting.
    pub(super) fn power_on(&mut self) {
        assert!(self.running.is_none(), "{} runs already", self.name);
        for group in &self.cgroups {
            fs::create_dir_all(group).expect("cgroups can be made");
        }
        let log = File::options().append(true).create(true).open(self.log()).expect("the log opens");
        let child = Command::new("sh")
            .args(["-c", r#"while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit; shift; done; shift; exec "$@""#, "sh"])
            .args(&self.cgroups)
            .args(["--", "systemd-nspawn", "--boot", "--register=no", "--keep-unit", "--console=read-only", "--link-journal=no"])
            .args(["--resolv-conf=off", "--timezone=off"])
            .arg("--directory")
            .arg(self.path("/"))
            .arg(format!("--network-namespace-path=/run/netns/{}", self.machine))
            .arg(format!("--machine={}", self.machine))
            .arg(format!("--hostname={}", self.name))
            // One for programs of before systemd 254 and one for those since: no old cgroups in it.
            .envs([("UNIFIED_CGROUP_HIERARCHY", "1"), ("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log opens twice"))
            .stderr(log)
            .spawn()
            .expect("sh starts");
        self.running = Some((child, 0));
    }

    /// Waits until it has booted and sshd answers.
    pub(super) fn await_ready(&mut self) {
        until(&format!("{} has booted", self.name), || {
            let (child, leader) = self.running.as_mut().expect("it is started");
            if let Some(status) = child.try_wait().expect("systemd-nspawn is a child") {
                panic!("{} ended with {status}:\n{}", self.name, fs::read_to_string(self.log()).unwrap_or_default());
            }
            if *leader == 0 {
                *leader = first_of(child.id())?;
            }
            let mut greeting = [0; 4];
            let mut stream = TcpStream::connect_timeout(&self.at(22), Duration::from_secs(1)).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            stream.read_exact(&mut greeting).ok()?;
            // Until then it lets nobody but root in. `degraded` is a unit that failed, such as a bad release.
            let state = self.run("systemctl is-system-running --wait").out;
            (greeting == *b"SSH-" && ["running", "degraded"].contains(&state.as_str())).then_some(())
        });
    }

    /// Takes its power away: SIGKILL for everything on it. Its files stay.
    pub fn power_off(&mut self) {
        let Some((mut child, _)) = self.running.take() else { return };
        stop(&self.cgroups);
        let _ = child.wait();
    }

    /// Takes its power away and gives it back; waits until it has booted. Its app is started as at every boot.
    pub fn reboot(&mut self) {
        self.power_off();
        self.power_on();
        self.await_ready();
    }

    /// Pulls its cable: packets are lost both ways, and nobody is told.
    pub fn cut(&self) {
        ip(&format!("link set {} down", self.cable));
    }

    /// Puts its cable back.
    pub fn mend(&self) {
        ip(&format!("link set {} up", self.cable));
    }

    /// Runs a script of sh on it as root, past network and ssh: it works on a host that is cut.
    pub fn run(&self, script: &str) -> Said {
        let leader = self.running.as_ref().map(|(_, leader)| *leader).filter(|leader| *leader != 0).expect("the host runs");
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={leader}")).args(["--mount", "--uts", "--ipc", "--net", "--pid", "--", "sh", "-c", script]);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command.output().expect("nsenter starts").into()
    }

    /// [`Host::run`] that must succeed; its output.
    #[track_caller]
    pub fn ok(&self, script: &str) -> String {
        let said = self.run(script);
        assert_eq!(said.code, Some(0), "{}: {script}: {said:?}", self.name);
        said.out
    }

    /// Runs a command by a real ssh of its own, as `deploy` or `root`.
    pub fn ssh(&self, login: &str, command: &str) -> Said {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&self.ssh_config).args(["-o", "ConnectTimeout=5", "-l", login, &self.name, command]).stdin(Stdio::null());
        ssh.output().expect("ssh starts").into()
    }

    /// Puts a release there, or another in its place; `current` stays.
    pub fn release(&self, version: &str, kind: Kind) {
        let folder = self.path("/opt/app/releases").join(version);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder for the release");
        let broken = match kind {
            Kind::Good | Kind::Empty => None,
            Kind::Exits => Some("exits"),
            Kind::Answers500 => Some("500"),
            Kind::Slow => Some("slow"),
        };
        if let Some(how) = broken {
            fs::write(folder.join("broken"), how).expect("the release is written");
        }
        if kind != Kind::Empty {
            let program = folder.join("server");
            fs::write(&program, include_str!("server.py")).expect("the release is written");
            fs::set_permissions(program, Permissions::from_mode(0o755)).expect("the program can be started");
        }
        chown(folder, Some(DEPLOY), Some(DEPLOY)).expect("root gives it away");
    }

    /// Points `current` at a release, as a deployment by hand would; the unit goes on as it is.
    pub fn point_at(&self, version: &str) {
        let fresh = self.path("/opt/app/.current.new");
        symlink(format!("releases/{version}"), &fresh).expect("a link is made");
        fs::rename(fresh, self.path("/opt/app/current")).expect("the link is switched");
    }

    /// The release that `current` points at: what the link holds, without `releases/`.
    pub fn current(&self) -> String {
        let link = fs::read_link(self.path("/opt/app/current")).expect("current is a link");
        link.strip_prefix("releases").unwrap_or(&link).display().to_string()
    }

    /// What is of `app.service` now.
    pub fn unit(&self) -> Unit {
        let said = self.ok("for part in ActiveState Result MainPID; do systemctl show -P $part app.service; done; \
             readlink /proc/$(systemctl show -P MainPID app.service)/cwd || true");
        let mut lines = said.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        let (active, result, pid) = (next(), next(), next().parse().expect("a pid"));
        let runs = next().strip_prefix("/opt/app/releases/").unwrap_or_default().to_owned();
        Unit { active, result, pid, runs }
    }

    /// SIGKILL for the app; its unit fails and stays so.
    pub fn kill_unit(&self) {
        self.ok("systemctl kill --signal=KILL app.service");
        until("the unit has failed", || (self.unit().active == "failed").then_some(()));
    }

    /// What the app answers to a GET over the network; `None` where nobody does.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        http::request_at(self.at(8000), "GET", path, None).ok()
    }

    /// Another one after each boot.
    pub fn boot_id(&self) -> String {
        self.ok("cat /proc/sys/kernel/random/boot_id")
    }

    /// A file of the host, from here. Not what lies in its /run, /tmp, /dev or /proc: it has those for itself.
    pub fn path(&self, there: &str) -> PathBuf {
        self.folder.join("root").join(there.trim_start_matches('/'))
    }

    pub(super) fn cgroups(&self) -> &[PathBuf] {
        &self.cgroups
    }

    fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

fn mount(arguments: &[&str], at: &Path) {
    let done = Command::new("mount").args(arguments).arg(at).output().expect("mount starts");
    assert!(done.status.success(), "mount {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The child of this process that is pid 1 in a namespace of its own.
fn first_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let mut children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children.find(|pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        pids.split_whitespace().count() == 2 && pids.split_whitespace().last() == Some("1")
    })
}
