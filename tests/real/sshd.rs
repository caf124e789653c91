//! A real sshd on loopback: host key, user key, port and configuration of its own. Nothing of the tests' own user's
//! `~/.ssh` is read or written.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::servers::{free_port, skip, until};

const SSHD: &str = "/usr/sbin/sshd";

/// True where sshd and its client are installed; else the test is skipped.
pub fn have_sshd(test: &str) -> bool {
    let there = Path::new(SSHD).is_file() && Path::new("/usr/bin/ssh").is_file();
    if !there {
        skip(test, "not installed: openssh-server openssh-client");
    }
    there
}

/// One sshd. It and its sessions are killed and waited for when it is dropped.
pub struct Sshd {
    port: u16,
    folder: TempDir,
    child: Option<Child>,
}

impl Sshd {
    /// A started one that takes the key of this folder.
    pub fn start() -> Sshd {
        // A short path: the name of a socket has an end.
        let folder = tempfile::Builder::new().prefix("qd-ssh-").tempdir().expect("a folder for sshd");
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("the folder is open");
        let mut sshd = Sshd { port: free_port(), folder, child: None };
        sshd.new_key("userkey");
        sshd.new_key("hostkey");
        fs::copy(sshd.path("userkey.pub"), sshd.path("authorized_keys")).expect("the key is taken");
        sshd.know("hostkey");
        let at = sshd.folder.path().display();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {at}/hostkey\nPidFile {at}/pid\nAuthorizedKeysFile {at}/authorized_keys\n\
             PasswordAuthentication no\nUsePAM no\nStrictModes no\nPrintMotd no\nBanner {at}/banner\n",
            sshd.port
        );
        fs::write(sshd.path("sshd_config"), config).expect("sshd_config is written");
        fs::write(sshd.path("banner"), "Welcome \x1b[2J to this machine\n").expect("the banner is written");
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users are known").expect("this user has a name").name;
        let config = format!(
            "Host box\n HostName 127.0.0.1\n Port {}\n User {user}\n IdentityFile {at}/userkey\n IdentitiesOnly yes\n IdentityAgent none\n\
             UserKnownHostsFile {at}/known_hosts\n GlobalKnownHostsFile /dev/null\n LocalForward 127.0.0.1:1 127.0.0.1:1\n",
            sshd.port
        );
        fs::write(sshd.path("ssh_config"), config).expect("ssh_config is written");
        sshd.again();
        sshd
    }

    /// Starts it, or starts it again, and waits until it listens.
    pub fn again(&mut self) {
        // Debian's unit makes it; without it sshd does not start.
        let _ = fs::create_dir_all("/run/sshd");
        let log = File::options().append(true).create(true).open(self.path("log")).expect("the log opens");
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(self.path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log opens twice"))
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        self.child = Some(child);
        until("sshd listens", || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().expect("sshd is a child")) {
                panic!("sshd ended with {status}:\n{}", fs::read_to_string(self.path("log")).unwrap_or_default());
            }
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    /// SIGKILL for it and for each of its sessions: the links are cut.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        self.cut(child.id());
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Kills the sessions and leaves it running.
    pub fn cut_sessions(&self) {
        self.cut(self.child.as_ref().expect("sshd runs").id());
    }

    fn cut(&self, of: u32) {
        for (pid, parent) in processes().into_iter().filter_map(|pid| Some((pid, parent(pid)?))) {
            if parent == of {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL);
            }
        }
    }

    /// `[[host]]` of that name, reached with this folder's configuration.
    pub fn host(&self, name: &str, more: &str) -> String {
        format!("[[host]]\nname = \"{name}\"\nssh = \"box\"\nssh_config = {:?}\n{more}\n", self.path("ssh_config"))
    }

    /// Makes a key pair, where there is one another.
    pub fn new_key(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.path(name)).status();
        assert!(made.expect("ssh-keygen starts").success());
    }

    /// Writes the host's key down as known.
    pub fn know(&self, key: &str) {
        let key = fs::read_to_string(self.path(&format!("{key}.pub"))).expect("the key is there");
        fs::write(self.path("known_hosts"), format!("[127.0.0.1]:{} {key}", self.port)).expect("known_hosts is written");
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until no ssh runs that was given this folder's configuration.
    #[track_caller]
    pub fn nothing_is_left(&self) {
        let config = self.path("ssh_config").display().to_string();
        until("no ssh is left", || {
            let left = processes().into_iter().filter(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).contains(&config)
            });
            (left.count() == 0).then_some(())
        });
    }

    /// How many processes of its own serve connections.
    pub fn sessions(&self) -> usize {
        let of = self.child.as_ref().expect("sshd runs").id();
        processes().into_iter().filter(|pid| parent(*pid) == Some(of)).count()
    }

    /// Connections to its port that stand, or are begun.
    pub fn connections(&self) -> usize {
        let to = format!("0100007F:{:04X}", self.port);
        let table = fs::read_to_string("/proc/net/tcp").expect("connections are listed");
        // Local and remote address, and the state: 01 is ESTABLISHED, 02 SYN_SENT.
        let is = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(2) == Some(&to.as_str()) && matches!(words.get(3), Some(&("01" | "02")))
        };
        table.lines().filter(is).count()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// How many ssh run as the master of a connection.
    pub fn masters(&self) -> usize {
        self.lines().len()
    }

    /// The folders of their control sockets.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let path = |line: &String| Some(PathBuf::from(line.split('\0').find_map(|word| word.strip_prefix("ControlPath="))?));
        self.lines().iter().filter_map(path).filter_map(|path| path.parent().map(PathBuf::from)).collect()
    }

    /// The command lines of those, a NUL after each word.
    fn lines(&self) -> Vec<String> {
        let config = self.path("ssh_config").display().to_string();
        let line = |pid: u32| String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned();
        let is = |line: &String| line.contains(&config) && line.contains("ControlMaster=yes");
        processes().into_iter().map(line).filter(is).collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The fourth word of `stat`; the second stands in brackets and may hold spaces.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
