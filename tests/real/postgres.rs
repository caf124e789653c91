//! A real PostgreSQL primary with a real standby: in a folder of their own, on ports of their own, by a user that is not
//! root, as the server wants it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::servers::{free_port, skip, until};

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// True where PostgreSQL 15 is installed; else the test is skipped.
pub fn have_postgres(test: &str) -> bool {
    let there = Path::new(PROGRAMS).join("postgres").is_file();
    if !there {
        skip(test, "not installed: postgresql-15");
    }
    there
}

/// One server.
pub struct Server {
    /// Its port on 127.0.0.1.
    pub port: u16,
    name: &'static str,
    folder: PathBuf,
}

/// A primary and, once it was made, its standby. Stopped and waited for when it is dropped.
pub struct Pair {
    /// The first primary.
    pub a: Server,
    /// What was made from it.
    pub b: Server,
    folder: TempDir,
}

impl Pair {
    /// A started primary with a table, an archive that takes files, and a standby that streams over the slot `s2`.
    pub fn start() -> Pair {
        let folder = tempfile::Builder::new().prefix("qd-real-pg-").tempdir().expect("a folder for the servers");
        let server = |name| Server { port: free_port(), name, folder: folder.path().to_owned() };
        let pair = Pair { a: server("a"), b: server("b"), folder };
        let place = pair.folder.path();
        fs::set_permissions(place, PermissionsExt::from_mode(0o755)).expect("the folder is open to the servers' user");
        if nix::unistd::geteuid().is_root() {
            let user = nix::unistd::User::from_name("postgres").expect("users are known").expect("Debian's package makes the user");
            chown(place, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("the folder is given to that user");
        }
        fs::create_dir(place.join("archive")).expect("the archive");
        fs::set_permissions(place.join("archive"), PermissionsExt::from_mode(0o777)).expect("the archive is open");
        let a = place.join("a");
        run("initdb", &["-D", &text(&a), "-U", "postgres", "-A", "trust", "--no-sync"]);
        pair.a.configure(&format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{0}'\nwal_level = replica\nhot_standby = on\nfsync = off\n\
             wal_keep_size = 64MB\narchive_mode = on\narchive_command = 'cp %p {0}/archive/%f'\nwal_receiver_status_interval = 1s\n\
             wal_retrieve_retry_interval = 200ms\nport = {1}\n",
            place.display(),
            pair.a.port
        ));
        // Only this user must show a password.
        pair.a.admit("host all locked 127.0.0.1/32 scram-sha-256\n");
        pair.a.start();
        pair.a.sql("create table t(id serial primary key, at timestamptz default now())");
        pair.a.sql("create role qd login in role pg_monitor");
        pair.a.sql("create role plain login");
        pair.a.sql("create role locked login password 'correct' in role pg_monitor");
        pair.a.insert();
        let from = format!("host=127.0.0.1 port={} user=postgres application_name=n2", pair.a.port);
        run("pg_basebackup", &["-d", &from, "-D", &text(&place.join("b")), "-R", "-X", "stream", "-C", "-S", "s2", "-c", "fast"]);
        pair.b.configure(&format!("port = {}\n", pair.b.port));
        pair.b.start();
        until("the standby streams", || {
            (pair.a.sql("select count(*) from pg_stat_replication where state = 'streaming'") == "1").then_some(())
        });
        pair
    }

    /// `nodes = [...]` of both, for that user.
    pub fn nodes(&self, user: &str) -> String {
        format!("nodes = [\"{}\", \"{}\"]", self.a.node(user), self.b.node(user))
    }

    /// Writes a file that only the servers' user reads.
    pub fn give(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("the file is written");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("the file is closed to others");
        if nix::unistd::geteuid().is_root() {
            let user = nix::unistd::User::from_name("postgres").expect("users are known").expect("the user");
            chown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("the file is given to that user");
        }
    }

    /// A server more, not started: a copy of that one that streams from it by this name, over the slot of the same name.
    pub fn copy_of(&self, from: &Server, name: &'static str) -> Server {
        let server = Server { port: free_port(), name, folder: self.folder.path().to_owned() };
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={name}", from.port);
        run("pg_basebackup", &["-d", &source, "-D", &text(&server.data()), "-R", "-X", "stream", "-C", "-S", name, "-c", "fast"]);
        server.configure(&format!("port = {}\n", server.port));
        server
    }

    /// A file in their folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.b.stop("immediate");
        self.a.stop("immediate");
    }
}

impl Server {
    /// Writes the rules about who may connect, before those that there are.
    pub fn admit(&self, rules: &str) {
        let hba = self.data().join("pg_hba.conf");
        let before = fs::read_to_string(&hba).expect("pg_hba.conf");
        fs::write(&hba, format!("{rules}{before}")).expect("pg_hba.conf is written");
    }

    /// How the estate file says where it is.
    pub fn node(&self, user: &str) -> String {
        format!("host=127.0.0.1 port={} user={user} dbname=postgres", self.port)
    }

    /// More settings, of which the last of a name counts.
    pub fn configure(&self, lines: &str) {
        use std::io::Write as _;
        let mut file = fs::File::options().append(true).open(self.data().join("postgresql.conf")).expect("postgresql.conf opens");
        file.write_all(lines.as_bytes()).expect("postgresql.conf is written");
    }

    /// Starts it and waits until it answers.
    pub fn start(&self) {
        let log = self.folder.join(format!("{}.log", self.name));
        run("pg_ctl", &["-D", &text(&self.data()), "-l", &text(&log), "-w", "-t", "60", "start"]);
    }

    /// Stops it and waits until it is gone; nothing where it does not run.
    pub fn stop(&self, mode: &str) {
        if self.data().join("postmaster.pid").exists() {
            try_run("pg_ctl", &["-D", &text(&self.data()), "-m", mode, "-w", "stop"]);
        }
    }

    /// Reads its settings again.
    pub fn reload(&self) {
        run("pg_ctl", &["-D", &text(&self.data()), "reload"]);
    }

    /// Makes a standby a primary.
    pub fn promote(&self) {
        run("pg_ctl", &["-D", &text(&self.data()), "-w", "promote"]);
    }

    /// What a statement says, trimmed.
    pub fn sql(&self, statement: &str) -> String {
        let port = self.port.to_string();
        let said = run("psql", &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", "postgres", "-qAtX", "-c", statement]);
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// One more row.
    pub fn insert(&self) {
        self.sql("insert into t default values");
    }

    fn data(&self) -> PathBuf {
        self.folder.join(self.name)
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs one of PostgreSQL's programs as a user that it accepts.
fn try_run(program: &str, arguments: &[&str]) -> Output {
    let program = Path::new(PROGRAMS).join(program);
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("/usr/sbin/runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // A file for what it prints, no pipe: a server that it starts would hold the pipe open.
    let (out, err) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    let status = command
        .args(arguments)
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .stdout(out.try_clone().expect("the file opens twice"))
        .stderr(err.try_clone().expect("the file opens twice"))
        .status()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    Output { status, stdout: whole(out), stderr: whole(err) }
}

fn whole(mut file: fs::File) -> Vec<u8> {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("the file is read");
    bytes
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = try_run(program, arguments);
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
