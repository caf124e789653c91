//! Verification of real backups by the finished binary: what is whole passes, what is damaged is named, what is stopped
//! proves nothing, and the journal tells all of it.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::journal::Journal;
use quarterdeck::model::backup::Outcome;
use quarterdeck::model::event::Event;
use quarterdeck::session::ask::verify::known;
use tempfile::{TempDir, tempdir};

use crate::backups::{Cluster, POSTGRES, done, sources};
use crate::servers::{have, skip, until};

/// An estate file in a home of its own.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new(rest: &str) -> Desk {
        let home = tempdir().unwrap();
        let text = format!("version = 1\n\n[estate]\nname = \"lab\"\nenvironment = \"test\"\n\n{rest}");
        fs::write(home.path().join("estate.toml"), text).unwrap();
        Desk { home }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qd"));
        command.arg("--estate").arg(self.home.path().join("estate.toml")).args(arguments);
        command.env("HOME", self.home.path()).env_remove("XDG_STATE_HOME").env_remove("XDG_CACHE_HOME").env_remove("XDG_CONFIG_HOME");
        command
    }

    fn qd(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }

    fn journal(&self) -> PathBuf {
        self.home.path().join(".local/state/quarterdeck/journal.db")
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let Some(journal) = Journal::read(&self.journal()).unwrap() else { return vec![] };
        let of = |record: &quarterdeck::model::event::Record| match &record.event {
            Event::Verification(of) => of.outcome,
            Event::Run(_) | Event::Healed(_) => panic!("nothing else was done"),
        };
        journal.records(None).unwrap().iter().map(of).collect()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }
}

fn flip(path: &Path, at: u64) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(b"XXXX").unwrap();
}

/// The largest file under a folder.
fn largest(folder: &Path) -> PathBuf {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push((entry.metadata().unwrap().len(), entry.path())),
            }
        }
    }
    found.into_iter().max().unwrap().1
}

#[test]
fn pgbackrest_verifies_a_chain_and_names_a_damaged_file_although_it_exits_with_0() {
    let test = "pgbackrest_verifies_a_chain_and_names_a_damaged_file_although_it_exits_with_0";
    if !have(test, &["pgbackrest"]) {
        return;
    }
    if !Path::new(POSTGRES).join("initdb").is_file() {
        return skip(test, "PostgreSQL 15 is not installed");
    }
    let cluster = Cluster::start();
    cluster.backrest(&["stanza-create"]);
    cluster.backrest(&["--type=full", "backup"]);
    cluster.backrest(&["--type=incr", "backup"]);
    let desk = Desk::new(&sources(&cluster, "main"));
    let (code, told) = desk.qd(&["verify", "pg"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("pg: passed (pgbackrest verify)") && told.matches("  V2 checksum").count() == 3,
        "two backups and the log: {told}"
    );
    assert!(told.contains("  WAL 0000"), "{told}");
    let backup = |status: &str| serde_json::from_str::<serde_json::Value>(status).unwrap()["backups"][0].clone();
    let (_, status) = desk.qd(&["status", "-o", "json"]);
    // The newest point is that of the log: nothing was archived since.
    assert_eq!((&backup(&status)["proof"], backup(&status)["log"][0]["why"].is_null()), (&"V2".into(), true), "{status}");

    let full = fs::read_dir(cluster.folder.join("repo/backup/main")).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    let full = full.filter(|name| name.ends_with('F')).max().unwrap();
    let file = largest(&cluster.folder.join("repo/backup/main").join(&full).join("pg_data"));
    flip(&file, 1_000);
    let (code, told) = desk.qd(&["verify", "pg"]);
    assert_eq!(code, Some(5), "{told}");
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(told.contains(&format!("X {full}  invalid, 1 files are damaged: ")) && told.contains(name), "{name}: {told}");
    let (code, status) = desk.qd(&["status"]);
    assert!(code == Some(2) && status.contains("verification found") && status.contains("broken"), "{code:?} {status}");
    let (code, status) = desk.qd(&["status", "-o", "json"]);
    let all: serde_json::Value = serde_json::from_str(&status).unwrap();
    let finding = all["alerts"].as_array().unwrap().iter().find(|alert| alert["name"] == "backup is broken").unwrap();
    assert_eq!(
        (code, &finding["severity"], &finding["state"], &finding["source"]),
        (Some(2), &"critical".into(), &"firing".into(), &"pg".into())
    );
    assert_eq!(backup(&status)["newest"], serde_json::Value::Null, "a log over a broken base cannot be used: {status}");
    let (code, told) = desk.qd(&["journal", "verify"]);
    assert!(code == Some(0) && told.contains(": 4 events are as they were written"), "{told}");
    assert_eq!(desk.outcomes(), [Outcome::Begun, Outcome::Passed, Outcome::Begun, Outcome::Failed]);
}

#[test]
fn restic_reads_all_data_back_and_a_damaged_pack_makes_no_point_sure() {
    let test = "restic_reads_all_data_back_and_a_damaged_pack_makes_no_point_sure";
    if !have(test, &["restic"]) {
        return;
    }
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("password"), "kept-secret\n").unwrap();
    fs::create_dir(at("data")).unwrap();
    let noise: Vec<u8> = (0..2_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::write(at("data/a"), noise).unwrap();
    let restic = |arguments: &[&str]| {
        let mut command = Command::new("restic");
        command.arg(format!("--repo={}", at("repo").display())).arg(format!("--password-file={}", at("password").display()));
        command.args(["--no-cache"]).args(arguments).current_dir(folder.path());
        done(command);
    };
    restic(&["init"]);
    restic(&["backup", "data"]);
    let desk = Desk::new(&format!(
        "[[backup]]\nname = \"files\"\nkind = \"restic\"\nrepository = {:?}\npassword_file = {:?}\n",
        at("repo"),
        at("password")
    ));
    let (code, told) = desk.qd(&["verify", "files", "--percent", "50"]);
    assert!(code == Some(0) && told.contains("  V2 checksum"), "{told}");
    let (code, told) = desk.qd(&["verify", "files"]);
    assert!(code == Some(0) && told.contains("  V3 read back") && told.contains("100 %  packs"), "{told}");
    flip(&largest(&at("repo/data")), 1_000);
    let (code, told) = desk.qd(&["verify", "files"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("X ") && told.contains("the repository is damaged"), "{told}");
    let (_, status) = desk.qd(&["status"]);
    assert!(status.contains("no recovery point can be used"), "{status}");
    assert!(!at("repo/locks").read_dir().unwrap().any(|_| true), "it leaves no lock");
    let (code, shown) = desk.qd(&["journal", "export"]);
    assert!(code == Some(0) && !shown.contains("kept-secret"), "secrets are references");
    fs::write(at("export"), shown).unwrap();
    let (code, told) = desk.qd(&["journal", "verify", "--file", at("export").to_str().unwrap()]);
    assert!(code == Some(0) && told.contains(": 6 events"), "{told}");
}

/// A store with one snapshot whose file is a hole of a terabyte: it takes no room, and longer to read than anyone waits.
fn endless() -> (TempDir, Desk) {
    let store = tempdir().unwrap();
    let snapshot = store.path().join("2026-11-20T06:00:00Z");
    fs::create_dir(&snapshot).unwrap();
    fs::File::create(snapshot.join("a")).unwrap().set_len(1 << 40).unwrap();
    fs::write(snapshot.join("SHA256SUMS"), format!("{}  a\n", "0".repeat(64))).unwrap();
    let desk = Desk::new(&format!("[[backup]]\nname = \"store\"\nkind = \"directory\"\nfolder = {:?}\n", store.path()));
    (store, desk)
}

#[test]
fn one_that_is_interrupted_is_recorded_as_cancelled() {
    let (_store, desk) = endless();
    let mut child = desk.start(&["verify", "store"]);
    until("it is recorded that it began", || (desk.outcomes() == [Outcome::Begun]).then_some(()));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(desk.outcomes(), [Outcome::Begun, Outcome::Cancelled]);
}

#[test]
fn one_that_was_killed_is_known_as_not_finished_and_proves_nothing() {
    let (_store, desk) = endless();
    let mut child = desk.start(&["verify", "store"]);
    until("it is recorded that it began", || (desk.outcomes() == [Outcome::Begun]).then_some(()));
    let open = |desk: &Desk| {
        let (proofs, problem) = known(&desk.journal());
        assert_eq!(problem, None);
        let target = fs::read_to_string(desk.home.path().join("estate.toml")).unwrap();
        let target = target.lines().find_map(|line| line.strip_prefix("folder = \"")).unwrap().trim_end_matches('"').to_owned();
        proofs.of_backup("store", &target).unwrap().open.iter().map(|open| open.alive).collect::<Vec<_>>()
    };
    assert_eq!(open(&desk), [true], "it runs elsewhere");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(open(&desk), [false]);
    let (code, told) = desk.qd(&["journal", "verify"]);
    assert!(code == Some(0) && told.contains(": 1 events"), "{told}");
}

#[test]
fn processes_that_record_at_once_make_one_chain() {
    let stores: Vec<TempDir> = (0..2).map(|_| tempdir().unwrap()).collect();
    let mut sources = String::new();
    for (n, store) in stores.iter().enumerate() {
        let snapshot = store.path().join("2026-11-20T06:00:00Z");
        fs::create_dir(&snapshot).unwrap();
        fs::write(snapshot.join("a"), "").unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        fs::write(snapshot.join("SHA256SUMS"), format!("{empty}  a\n")).unwrap();
        sources += &format!("[[backup]]\nname = \"store{n}\"\nkind = \"directory\"\nfolder = {:?}\n", store.path());
    }
    let desk = Desk::new(&sources);
    const ROUNDS: usize = 5;
    for _ in 0..ROUNDS {
        let all: Vec<Child> = ["store0", "store1", "store0", "store1"].map(|name| desk.start(&["verify", name])).into();
        for child in all {
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
        }
    }
    let (code, told) = desk.qd(&["journal", "verify"]);
    let events = ROUNDS * 4 * 2;
    assert!(code == Some(0) && told.contains(&format!(": {events} events are as they were written")), "{told}");
    let passed = desk.outcomes().iter().filter(|outcome| **outcome == Outcome::Passed).count();
    assert_eq!(passed * 2, events, "each begins and passes");
    let (_, status) = desk.qd(&["status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    for place in 0..2 {
        let of = &status["backups"][place];
        assert_eq!((&of["proof"], &of["verification"]["outcome"]), (&"V3".into(), &"passed".into()), "{of}");
        assert!(of["verification"]["ended"].is_string(), "{of}");
    }
}
