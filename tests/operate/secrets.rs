//! Promise 9, end to end with the program itself: secrets are planted in the estate's own files, in the environment, and in
//! what a step of the runbook and a server print; and looked for in everything that a run leaves, tells and shows.
//!
//! One place may hold them: a job's own log on its host. It is what the estate's program printed, as it printed it, where
//! any other log of that program would lie; nobody but the owner (and the group of the release folder) reads it, and what
//! is taken from there is cleaned of secrets before it goes anywhere.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use quarterdeck::journal::Journal;
use serde_json::Value;

const TOKEN: &str = "FAKE-of-the-environment";
const PASSWORD: &str = "FAKE-pass-of-environment";
const HTTP: &str = "FAKE-of-http-config";
const DATABASE: &str = "FAKE-of-the-database";
const BEARER: &str = "FAKE-bearer-of-the-hook";
/// What HTTP is rotated to while a run goes on.
const ROTATED: &str = "FAKE-of-tomorrow";
const ALL: [&str; 5] = [TOKEN, PASSWORD, HTTP, DATABASE, BEARER];

fn holds(bytes: &[u8]) -> Option<&'static str> {
    ALL.into_iter().chain([ROTATED]).find(|secret| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()))
}

/// Characters that no report and no screen may hold (promise 10): of control, escape, and of direction.
fn hostile(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
}

/// Every file below a folder that holds one, but for the folder in which they belong.
fn leaks(folder: &Path, home_of_secrets: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() && path != home_of_secrets {
            found.extend(leaks(&path, home_of_secrets));
        } else if meta.is_file() && holds(&fs::read(&path).unwrap()).is_some() {
            found.push(path);
        }
    }
    found
}

/// Command lines of this machine that hold one, as `ps` lists them. Those of whoever runs this test are not among them.
fn listed() -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    all.filter(|line| holds(line).is_some()).map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

/// A server that tells each request back, its credentials with it.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut all, mut part) = (Vec::new(), [0; 4096]);
            while !all.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(read @ 1..) => all.extend_from_slice(&part[..read]),
                    _ => break,
                }
            }
            let body = format!("{} and the word itself: {BEARER}", String::from_utf8_lossy(&all));
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        }
    });
    format!("http://{at}/hook")
}

/// A home, an estate with one release folder of this machine, and its secrets.
pub struct Place {
    pub root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let place = Place { root: tempfile::tempdir().unwrap() };
        let root = place.root.path().display().to_string();
        fs::create_dir_all(place.at("home")).unwrap();
        fs::create_dir_all(place.at("secret")).unwrap();
        let put = |name: &str, text: &str, mode: u32| {
            fs::write(place.at(name), text).unwrap();
            fs::set_permissions(place.at(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        put("secret/pw", HTTP, 0o600);
        put("secret/bearer", BEARER, 0o600);
        put("secret/pass", &format!("*:*:*:qd:{DATABASE}\n"), 0o600);
        put("secret/http.yml", "basic_auth: {username: qd, password_file: pw}\n", 0o600);
        put("secret/hook.yml", "authorization: {credentials_file: bearer}\n", 0o600);
        let tell = format!(
            "#!/bin/sh\nprintf 'FAKE \\033]0;title\\007\\033[2Jgone \\342\\200\\256 backwards\\n'\necho \"the token is $QD_TEST_API_TOKEN, $DB_PASSWORD\"\ncat {root}/secret/*\necho \"password=$DB_PASSWORD\"\n\
             until [ -e {root}/sampled ]; do sleep 0.05; done\n"
        );
        put("tell", &tell, 0o755);
        for release in ["1", "2"] {
            fs::create_dir_all(place.at("web1/releases").join(release)).unwrap();
        }
        symlink("releases/2", place.at("web1/current")).unwrap();
        let hook = echo();
        let estate = format!(
            "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n\
             [[source]]\nname = 'metrics'\nkind = 'prometheus'\nurl = 'http://127.0.0.1:1'\nhttp_config = 'secret/http.yml'\n\
             [[database]]\nname = 'db'\nkind = 'postgres'\n\
             nodes = ['host=127.0.0.1 port=1 user=qd dbname=d passfile={root}/secret/pass']\n\
             [[service]]\nname = 'web'\nrestart = {{ command = ['true'] }}\n\
             rollback = {{ before = [{{ name = 'tell', command = ['{root}/tell'] }}, \
             {{ name = 'hook', http = {{ url = '{hook}', http_config = 'secret/hook.yml' }} }}] }}\n\
             [[host]]\nname = 'web1'\n[[history]]\nname = 'of web1'\nkind = 'releases'\npath = '{root}/web1'\nhost = 'web1'\n\
             service = 'web'\n"
        );
        fs::write(place.at("estate.toml"), estate).unwrap();
        place
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn qd(&self, args: &[&str]) -> Command {
        let mut qd = Command::new(env!("CARGO_BIN_EXE_qd"));
        qd.args(args).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", self.at("home"));
        qd.env("QD_ESTATE", self.at("estate.toml")).env("QD_LOG", "trace").env("QD_TEST_API_TOKEN", TOKEN).env("DB_PASSWORD", PASSWORD);
        qd.stdin(Stdio::null());
        qd
    }

    /// Plans, and gives back the words of `qd` that confirm that plan.
    pub fn confirmed(&self) -> Vec<String> {
        let out = self.qd(&["plan", "rollback", "web", "--to", "1", "-o", "json"]).output().unwrap();
        assert_eq!((holds(&out.stdout), holds(&out.stderr)), (None, None));
        let told = String::from_utf8_lossy(&out.stderr);
        let planned: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
        let phrase = planned["confirm"].as_str().unwrap();
        let mut args = ["run", "rollback", "web", "--to", "1", "--reason", "a test", "--confirm", phrase].map(str::to_owned).to_vec();
        for check in planned["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] != "pass") {
            args.extend(["--override".to_owned(), format!("{}=this machine is what it is", check["id"].as_str().unwrap())]);
        }
        args
    }

    /// Exit code, and all that it printed.
    pub fn said(&self, args: &[&str]) -> (Option<i32>, Vec<u8>) {
        let out = self.qd(args).output().unwrap();
        (out.status.code(), [out.stdout, out.stderr].concat())
    }
}

/// The log of the job that printed all of them, once it did.
fn log_with(place: &Place, run: &mut Child, secrets: &[&str]) -> PathBuf {
    loop {
        let jobs = place.at("home/.local/state/quarterdeck/jobs");
        let logs = fs::read_dir(&jobs).into_iter().flatten().flat_map(|run| fs::read_dir(run.unwrap().path()).unwrap());
        let mut logs = logs.map(|job| job.unwrap().path().join("log"));
        let has = |log: &PathBuf| fs::read(log).is_ok_and(|text| secrets.iter().all(|s| String::from_utf8_lossy(&text).contains(s)));
        if let Some(log) = logs.find(has) {
            return log;
        }
        assert!(run.try_wait().unwrap().is_none(), "it ended before that step");
        std::thread::yield_now();
    }
}

/// What a run shows of its steps while they go on, once that stands there.
fn live_with(place: &Place, run: &mut Child, part: &str) -> String {
    loop {
        let runs = fs::read_dir(place.at("home/.local/state/quarterdeck/runs")).into_iter().flatten().flatten();
        let files = runs.flat_map(|run| fs::read_dir(run.path().join("live")).into_iter().flatten().flatten());
        let mut texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
        if let Some(text) = texts.find(|text| text.contains(part)) {
            return text;
        }
        assert!(run.try_wait().unwrap().is_none(), "it ended before that was shown");
        std::thread::yield_now();
    }
}

#[test]
fn a_secret_that_is_rotated_while_a_run_is_on_is_hidden_as_the_one_before_is() {
    let place = Place::new();
    let root = place.root.path().display().to_string();
    let pause = |file: &str| format!("until [ -e {root}/{file} ]; do sleep 0.05; done\n");
    let say = |word: &str| format!("echo \"{word} it is $(cat {root}/secret/pw)\"\n");
    let tell =
        ["#!/bin/sh\n", &say("first"), &pause("rotated"), &format!("echo 'it was {HTTP}'\n"), &say("then"), &pause("sampled")].concat();
    fs::write(place.at("tell"), tell).unwrap();
    let args = place.confirmed();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut run = place.qd(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    log_with(&place, &mut run, &[HTTP]);
    fs::write(place.at("secret/pw"), ROTATED).unwrap();
    fs::write(place.at("rotated"), "").unwrap();
    let log = log_with(&place, &mut run, &[HTTP, ROTATED]);
    // While it goes on, and afterwards.
    let live = live_with(&place, &mut run, "then it is");
    assert!(holds(live.as_bytes()).is_none() && live.contains("then it is (taken out)"), "{live}");
    fs::write(place.at("sampled"), "").unwrap();
    let ended = run.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert_eq!((ended.status.code(), holds(text.as_bytes())), (Some(0), None), "{text}");
    let runs: Value = serde_json::from_slice(&place.qd(&["runs", "-o", "json"]).output().unwrap().stdout).unwrap();
    let id = runs[0]["run"].as_str().unwrap().to_owned();
    for report in [&["show", &id][..], &["show", &id, "--report"], &["show", &id, "-o", "json"], &["attach", &id], &["journal", "export"]] {
        let (_, said) = place.said(report);
        assert_eq!(holds(&said), None, "{report:?}: {}", String::from_utf8_lossy(&said));
    }
    let told = String::from_utf8(place.said(&["show", &id, "-o", "json"]).1).unwrap();
    for line in ["first it is (taken out)", "it was (taken out)", "then it is (taken out)"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    fs::remove_file(place.at("tell")).unwrap();
    assert_eq!(leaks(place.root.path(), &place.at("secret")), [log], "but for the log of the program on its host");
}

#[test]
fn secrets_that_are_planted_are_in_nothing_that_a_run_leaves_tells_or_shows() {
    let place = Place::new();
    let args = place.confirmed();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut run = place.qd(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The step goes on until its processes were looked at.
    let log = log_with(&place, &mut run, &ALL);
    assert_eq!(listed(), Vec::<String>::new(), "of the runner, its scripts, and the step");
    fs::write(place.at("sampled"), "").unwrap();
    let ended = run.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{text}");
    assert_eq!((holds(&ended.stdout), holds(&ended.stderr)), (None, None), "{text}");

    let runs: Value = serde_json::from_slice(&place.qd(&["runs", "-o", "json"]).output().unwrap().stdout).unwrap();
    let id = runs[0]["run"].as_str().or_else(|| runs[0]["id"].as_str()).unwrap().to_owned();
    for report in [
        &["show", &id][..],
        &["show", &id, "--report"],
        &["show", &id, "-o", "json"],
        &["runs"],
        &["attach", &id],
        &["journal", "export"],
        &["snapshot", "--pane", "operations"],
        &["check"],
    ] {
        let (_, said) = place.said(report);
        assert!(!said.is_empty(), "{report:?}");
        assert_eq!(holds(&said), None, "{report:?}: {}", String::from_utf8_lossy(&said));
        assert!(!hostile(&said), "{report:?}: {:?}", String::from_utf8_lossy(&said));
    }
    let told = String::from_utf8(place.said(&["show", &id, "-o", "json"]).1).unwrap();
    assert!(told.contains("the token is (taken out)"), "the step's output is kept, or this shows nothing: {told}");
    assert!(told.contains("2Jgone"), "what was hostile is there, without what made it so: {told}");
    // Planted: the log on the host holds it as it was printed, and so would a report that does not clean it.
    assert!(hostile(&fs::read(&log).unwrap()));
    assert!(place.at("home/.local/state/quarterdeck/runs").join(&id).join("order.json").exists());

    // What is left on the disk: the journal, logs, the run's folder with its order and what steps printed.
    assert_eq!(leaks(place.root.path(), &place.at("secret")), [log.clone()], "and one log of a program on its host");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o007, 0, "which others cannot read");

    // Planted breaks: a journal, a log and a command line that hold one are found.
    let journal = place.at("home/.local/state/quarterdeck/journal.db");
    assert!(Journal::read(&journal).unwrap().unwrap().verify().broken.is_none());
    let planted = place.at("home/planted.db");
    fs::copy(&journal, &planted).unwrap();
    let database = rusqlite::Connection::open(&planted).unwrap();
    database.execute_batch(&format!("CREATE TABLE planted (said TEXT); INSERT INTO planted VALUES ('{DATABASE}')")).unwrap();
    drop(database);
    assert!(leaks(place.root.path(), &place.at("secret")).contains(&planted));
    fs::write(place.at("home/planted.log"), format!("connecting with {HTTP}")).unwrap();
    assert!(leaks(place.root.path(), &place.at("secret")).contains(&place.at("home/planted.log")));
    let mut careless = Command::new("sleep").arg("1000").arg0(format!("psql {PASSWORD}")).spawn().unwrap();
    // A process that was made just now has no arguments yet for a moment.
    let seen = loop {
        let seen = listed();
        if !seen.is_empty() || careless.try_wait().unwrap().is_some() {
            break seen;
        }
    };
    careless.kill().unwrap();
    careless.wait().unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
}
