//! Backups as they are: pgBackRest with a PostgreSQL of its own, restic with a repository of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::backup::{BackupAnswer, PointKind, Proof, views};
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Reading};
use quarterdeck::model::source::Answer;
use quarterdeck::watch;
use tempfile::tempdir;

use crate::estate::estate;
use crate::servers::{free_port, have, skip};

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
        for folder in ["repo", "log", "lock", "spool", "sock"] {
            fs::create_dir(cluster.folder.join(folder)).unwrap();
        }
        let config = format!(
            "[global]\nrepo1-path={w}/repo\nrepo1-retention-full=2\nlog-path={w}/log\nlock-path={w}/lock\nspool-path={w}/spool\nstart-fast=y\n\
             log-level-console=warn\n[main]\npg1-path={w}/data\npg1-port={port}\npg1-socket-path={w}/sock\n"
        );
        fs::write(cluster.config(), config).unwrap();
        if root {
            let mut chown = Command::new("chown");
            chown.args(["-R", "postgres", &w]);
            done(chown);
        }
        cluster.postgres("initdb", &["-D", "data", "-A", "trust", "-U", "postgres", "--no-sync"]);
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
        "[[site]]\nname = \"fra1\"\nrole = \"primary\"\n[[service]]\nname = \"postgres\"\n\
         [[backup]]\nname = \"pg\"\nkind = \"pgbackrest\"\nprogram = {program:?}\nstanza = \"{stanza}\"\nconfig = {config:?}\n\
         service = \"postgres\"\nsite = \"fra1\"\nschedule = \"1h\"\n[[objective]]\nservice = \"postgres\"\nrpo = \"2h\"\n"
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

    let other = tempdir().unwrap();
    let wrong = estate(other.path(), &sources(&cluster, "mian"));
    let readings = watch::once(&wrong, Demand::default(), &watch::no_past()).await;
    let failure = readings[0].failure.as_ref().unwrap();
    assert!(failure.what.contains("mian"), "{failure:?}");
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
}
