//! Backups as they are: pgBackRest with a PostgreSQL of its own, restic with a repository of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::backup::{BackupAnswer, Exposure, PointKind, Proof, views};
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Reading};
use quarterdeck::model::source::Answer;
use quarterdeck::watch;
use tempfile::tempdir;

use crate::estate::estate;
use crate::servers::{free_port, have, skip, until};
use crate::sshd::{Sshd, have_sshd};

/// Debian keeps PostgreSQL's own programs outside the path.
pub const POSTGRES: &str = "/usr/lib/postgresql/15/bin";

fn answer(reading: &Reading<Answer>) -> &BackupAnswer {
    match &reading.held.as_ref().unwrap_or_else(|| panic!("{reading:?}")).value {
        Answer::Backup(answer) => answer,
        other => panic!("{other:?}"),
    }
}

pub fn done(mut command: Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

/// A PostgreSQL that archives to a pgBackRest repository. PostgreSQL refuses to be root, so that root is `postgres` here.
pub struct Cluster {
    pub folder: PathBuf,
    root: bool,
    _temp: tempfile::TempDir,
}

impl Cluster {
    fn argv(&self, program: &str) -> Vec<String> {
        let who: &[&str] = if self.root { &["runuser", "-u", "postgres", "--"] } else { &[] };
        who.iter().copied().chain([program]).map(str::to_owned).collect()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let argv = self.argv(program);
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).args(arguments).current_dir(&self.folder);
        done(command)
    }

    fn postgres(&self, program: &str, arguments: &[&str]) -> Output {
        self.run(&format!("{POSTGRES}/{program}"), arguments)
    }

    pub fn backrest(&self, arguments: &[&str]) {
        let config = format!("--config={}", self.config().display());
        let all: Vec<&str> = [config.as_str(), "--stanza=main"].into_iter().chain(arguments.iter().copied()).collect();
        self.run("pgbackrest", &all);
    }

    /// How the estate file says where it is.
    fn node(&self) -> String {
        fs::read_to_string(self.folder.join("node")).unwrap()
    }

    fn sql(&self, statement: &str) -> String {
        let output = self.run("psql", &["-qAtX", "-d", &self.node(), "-c", statement]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn config(&self) -> PathBuf {
        self.folder.join("pgbackrest.conf")
    }

    pub fn start() -> Cluster {
        let temp = tempfile::Builder::new().prefix("qd-real-").tempdir().unwrap();
        let id = done({
            let mut id = Command::new("id");
            id.arg("-u");
            id
        });
        let root = String::from_utf8_lossy(&id.stdout).trim() == "0";
        let cluster = Cluster { folder: temp.path().to_owned(), root, _temp: temp };
        let (w, port) = (cluster.folder.display().to_string(), free_port());
        for folder in ["repo", "repo2", "log", "lock", "spool", "sock"] {
            fs::create_dir(cluster.folder.join(folder)).unwrap();
        }
        let config = format!(
            "[global]\nrepo1-path={w}/repo\nrepo1-retention-full=2\nrepo2-path={w}/repo2\nrepo2-retention-full=2\nlog-path={w}/log\nlock-path={w}/lock\nspool-path={w}/spool\nstart-fast=y\n\
             log-level-console=warn\n[main]\npg1-path={w}/data\npg1-port={port}\npg1-socket-path={w}/sock\n"
        );
        fs::write(cluster.config(), config).unwrap();
        if root {
            let mut chown = Command::new("chown");
            chown.args(["-R", "postgres", &w]);
            done(chown);
        }
        cluster.postgres("initdb", &["-D", "data", "-A", "trust", "-U", "postgres", "--no-sync"]);
        let (host, port) = (cluster.folder.join("sock").display().to_string(), port.to_string());
        fs::write(cluster.folder.join("node"), format!("host={host} port={port} user=postgres dbname=postgres")).unwrap();
        let settings = format!(
            "listen_addresses=''\nunix_socket_directories='{w}/sock'\nport={port}\nwal_level=replica\narchive_mode=on\n\
             archive_command='pgbackrest --config={w}/pgbackrest.conf --stanza=main archive-push %p'\n"
        );
        let file = cluster.folder.join("data/postgresql.conf");
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{before}\n{settings}")).unwrap();
        cluster.postgres("pg_ctl", &["-D", "data", "-l", "log/postgres.log", "-w", "start"]);
        cluster
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let argv = self.argv(&format!("{POSTGRES}/pg_ctl"));
        let _ = Command::new(&argv[0])
            .args(&argv[1..])
            .args(["-D", "data", "-m", "immediate", "-w", "stop"])
            .current_dir(&self.folder)
            .output();
    }
}

pub fn sources(cluster: &Cluster, stanza: &str) -> String {
    let (program, config) = (cluster.argv("pgbackrest"), cluster.config());
    format!(
        "[[site]]\nname = \"fra1\"\nrole = \"primary\"\n[[site]]\nname = \"ams3\"\nrole = \"standby\"\n[[service]]\nname = \"postgres\"\n\
         [[backup]]\nname = \"pg\"\nkind = \"pgbackrest\"\nprogram = {program:?}\nstanza = \"{stanza}\"\nconfig = {config:?}\n\
         service = \"postgres\"\nsite = \"fra1\"\nschedule = \"1h\"\n\
         copies = [{{ repo = 1, site = \"fra1\" }}, {{ repo = 2, site = \"ams3\" }}]\n\
         [[backup]]\nname = \"log\"\nkind = \"archiver\"\nnodes = [\"{}\"]\nservice = \"postgres\"\n[[objective]]\nservice = \"postgres\"\nrpo = \"2h\"\n",
        cluster.node()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbackrest_tells_its_backups_and_a_missing_stanza_although_it_exits_with_0() {
    let test = "pgbackrest_tells_its_backups_and_a_missing_stanza_although_it_exits_with_0";
    if !have(test, &["pgbackrest"]) {
        return;
    }
    if !Path::new(POSTGRES).join("initdb").is_file() {
        return skip(test, "PostgreSQL 15 is not installed");
    }
    let began = Timestamp::now();
    let cluster = Cluster::start();
    let folder = tempdir().unwrap();
    let of_main = estate(folder.path(), &sources(&cluster, "main"));
    let once = async || watch::once(&of_main, Demand::default(), &watch::no_past()).await;
    let none = once().await;
    let failure = none[0].failure.as_ref().unwrap_or_else(|| panic!("{none:?}"));
    assert!(failure.what.contains("main"), "{failure:?}");

    cluster.backrest(&["stanza-create"]);
    let empty = once().await;
    assert_eq!(answer(&empty[0]).points.len(), 0, "a stanza without a backup is an answer");

    cluster.backrest(&["--type=full", "backup"]);
    cluster.backrest(&["--type=incr", "backup"]);
    let readings = once().await;
    let told = answer(&readings[0]);
    assert!(told.by.starts_with("pgBackRest 2."), "{told:?}");
    let kinds: Vec<PointKind> = told.points.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [PointKind::Incremental, PointKind::Full]);
    assert_eq!(told.points[0].needs, [told.points[1].id.clone()]);
    assert!(told.points.iter().all(|p| p.proof() == Proof::V1 && p.size > Some(0) && p.finished.is_some()), "{told:?}");
    let now = Timestamp::now();
    let states = views(&of_main, &readings, now);
    let exposed = states[0].exposure.span(now).unwrap();
    assert!(exposed <= now.duration_since(began) + SignedDuration::from_secs(1), "{exposed:?}");

    // The log goes on after the newest backup: up to which time, the archiver of the service tells.
    assert_eq!((states[0].wal.len(), states[0].copies.len()), (2, 2));
    assert_eq!(states[0].copies[1].exposure, Exposure::Everything, "the second repository has a log and no base for it");
    assert_eq!(states[0].loss.sites[0], ("fra1".to_owned(), Exposure::Everything));
    cluster.backrest(&["--type=full", "--repo=2", "backup"]);
    cluster.sql("create table t as select 1");
    let file = cluster.sql("select pg_walfile_name(pg_switch_wal())");
    until("the file is archived", || (cluster.sql("select last_archived_wal from pg_stat_archiver") == file).then_some(()));
    let readings = once().await;
    let now = Timestamp::now();
    let states = views(&of_main, &readings, now);
    let newest = states[0].newest.as_ref().unwrap();
    assert_eq!((newest.kind, newest.needs.len()), (PointKind::Wal, 1), "{newest:?}");
    assert_eq!((states[0].wal[0].file.as_str(), states[0].wal[0].by.as_str()), (file.as_str(), "the archiver log"));
    assert!(newest.restores_to <= now && newest.restores_to > told.points[0].restores_to, "{newest:?}");
    let copies: Vec<(Option<u32>, Exposure)> = states[0].copies.iter().map(|copy| (copy.repo, copy.exposure.clone())).collect();
    assert_eq!(copies, [(Some(1), states[0].exposure.clone()), (Some(2), states[0].exposure.clone())], "both have the log and a base");
    assert_eq!(states[0].loss.sites[0], ("fra1".to_owned(), states[0].exposure.clone()));
    assert_eq!(states[1].exposure, states[0].exposure, "the archiver shows what its log is worth there");
    assert_eq!(states[0].worst, None, "without archive_timeout nothing bounds how long a file waits");

    let other = tempdir().unwrap();
    let wrong = estate(other.path(), &sources(&cluster, "mian"));
    let readings = watch::once(&wrong, Demand::default(), &watch::no_past()).await;
    let failure = readings[0].failure.as_ref().unwrap();
    assert!(failure.what.contains("mian"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbackrest_is_asked_on_a_host_and_its_exit_code_is_not_believed() {
    let test = "pgbackrest_is_asked_on_a_host_and_its_exit_code_is_not_believed";
    if !have(test, &["pgbackrest", "ssh"]) || !have_sshd(test) {
        return;
    }
    if !Path::new(POSTGRES).join("initdb").is_file() {
        return skip(test, "PostgreSQL 15 is not installed");
    }
    let (cluster, sshd) = (Cluster::start(), Sshd::start());
    cluster.backrest(&["stanza-create"]);
    cluster.backrest(&["backup", "--type=full"]);
    let folder = tempdir().unwrap();
    let on = |stanza: &str, config: &str| {
        let (program, host) = (cluster.argv("pgbackrest"), sshd.host("db1", ""));
        format!(
            "{host}[[backup]]\nname = \"pg\"\nkind = \"pgbackrest\"\nprogram = {program:?}\nstanza = \"{stanza}\"\nconfig = {config:?}\nhost = \"db1\"\n"
        )
    };
    let config = cluster.config().display().to_string();
    let once = async |text: String| {
        let estate = estate(folder.path(), &text);
        watch::once(&estate, Demand::default(), &watch::no_past()).await
    };
    let readings = once(on("main", &config)).await;
    let told = answer(&readings[0]);
    assert_eq!((told.total, told.points[0].kind, told.points[0].proof()), (1, PointKind::Full, Proof::V1), "{told:?}");
    let failure = async |text: String| once(text).await[0].failure.clone().unwrap();
    let missing = failure(on("other", &config)).await;
    assert!(missing.what.contains("other"), "{missing:?}");
    let nowhere = failure(on("main", "/nonexistent/pgbackrest.conf")).await;
    assert!(nowhere.what.contains("/nonexistent/pgbackrest.conf"), "{nowhere:?}");
    let none = failure(on("main", &config).replace("pgbackrest\"]", "no-such-program\"]")).await;
    assert!(none.what.contains("no-such-program"), "{none:?}");
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_tells_its_snapshots_and_refuses_a_wrong_password() {
    let test = "restic_tells_its_snapshots_and_refuses_a_wrong_password";
    if !have(test, &["restic"]) {
        return;
    }
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("password"), "secret\n").unwrap();
    fs::write(at("wrong"), "other\n").unwrap();
    fs::create_dir(at("data")).unwrap();
    fs::write(at("data/a"), "hello").unwrap();
    let restic = |arguments: &[&str]| {
        let mut command = Command::new("restic");
        command.arg(format!("--repo={}", at("repo").display())).arg(format!("--password-file={}", at("password").display()));
        command.args(["--no-cache"]).args(arguments).current_dir(folder.path());
        done(command);
    };
    restic(&["init"]);
    let backup = |name: &str, password: &str| {
        format!(
            "[[backup]]\nname = \"{name}\"\nkind = \"restic\"\nprogram = [\"restic\", \"--no-cache\"]\nrepository = \"repo\"\npassword_file = \"{password}\"\n"
        )
    };
    let estate = estate(folder.path(), &(backup("files", "password") + &backup("locked out", "wrong")));
    let once = async || watch::once(&Arc::clone(&estate), Demand::default(), &watch::no_past()).await;
    assert_eq!(answer(&once().await[0]).points.len(), 0);
    restic(&["backup", "data"]);
    fs::write(at("data/b"), "again").unwrap();
    restic(&["backup", "data", "--time", "2026-01-02 03:04:05"]);
    let readings = once().await;
    let told = answer(&readings[0]);
    assert_eq!((told.total, told.points[0].proof(), told.points[0].kind), (2, Proof::V1, PointKind::Full), "{told:?}");
    assert!(told.points[0].restores_to > told.points[1].restores_to);
    let refused = readings[1].failure.as_ref().unwrap();
    assert_eq!(refused.kind, FailureKind::Refused, "{refused:?}");
    assert!(refused.what.contains("wrong password"), "{refused:?}");
    assert!(!at("repo/locks").read_dir().unwrap().any(|_| true), "watching leaves no lock");

    // Another host in the same repository is judged apart: its only snapshot is old, and that is what would be lost.
    restic(&["backup", "data", "--host", "other", "--time", "2026-01-02 03:04:05"]);
    let now = Timestamp::now();
    let states = views(&estate, &once().await, now);
    assert!(states[0].exposure.span(now).unwrap() > SignedDuration::from_hours(24), "{:?}", states[0].exposure);
    assert_eq!(states[0].newest.as_ref().unwrap().part.of.as_deref().unwrap().split(':').next(), Some("other"));
    let only_folder = tempdir().unwrap();
    let only_text = backup("files", "password")
        .replace("\"repo\"", &format!("{:?}", at("repo")))
        .replace("\"password\"", &format!("{:?}", at("password")));
    let only = self::estate(only_folder.path(), &format!("{only_text}made_on = \"other\"\n"));
    let readings = watch::once(&only, Demand::default(), &watch::no_past()).await;
    assert_eq!(answer(&readings[0]).total, 1, "{readings:?}");

    // A lock that a dead backup left behind hides nothing, and is told.
    let mut held = Command::new("restic")
        .arg(format!("--repo={}", at("repo").display()))
        .arg(format!("--password-file={}", at("password").display()))
        .args(["--no-cache", "backup", "--stdin"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // While it is written it has another name.
    let lock = || at("repo/locks").read_dir().unwrap().flatten().find(|entry| entry.file_name().len() == 64).map(|_| ());
    until("the repository is locked", lock);
    held.kill().unwrap();
    held.wait().unwrap();
    let readings = once().await;
    let told = answer(&readings[0]);
    assert_eq!(told.total, 3, "{told:?}");
    assert!(told.notes.iter().any(|note| note.contains("is locked (1)")), "{:?}", told.notes);
}
