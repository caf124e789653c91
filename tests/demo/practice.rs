//! One practice estate of a test: `qd demo --no-console` in a home of its own, and what its pages say.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// No test asserts on time: this only ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until there is something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let last = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < last, "it never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A command of the finished binary, in that home and nowhere else.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qd"));
    command.env_clear().env("HOME", home).env("TMPDIR", home).env("PATH", "/usr/bin:/bin").current_dir(home);
    command
}

/// Runs it to its end: its exit code, and all that it said.
pub fn qd(home: &Path, arguments: &[&str]) -> (i32, String) {
    let out = command(home).args(arguments).stdin(Stdio::null()).output().unwrap();
    (out.status.code().unwrap(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

/// The command lines of processes that name this home, or of PostgreSQL's that were started with it: its marker is
/// unique among all tests.
pub fn leftovers(home: &Path) -> Vec<String> {
    let marker = home.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    // One that ends while we look has none.
    let read = |path: PathBuf| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " ")).unwrap_or_default();
    let lines = processes.filter_map(|entry| {
        let (line, name) = (read(entry.path().join("cmdline")), read(entry.path().join("comm")));
        // Its data may lie elsewhere, and the words of its own processes are their state.
        let database =
            ["postgres", "initdb", "pg_basebackup"].contains(&name.trim()) && read(entry.path().join("environ")).contains(marker);
        (line.contains(marker) || database).then_some(line)
    });
    lines.collect()
}

/// Those of them that are the practice estate's own services: the ledger comes later, where there is one.
pub fn services(home: &Path) -> Vec<String> {
    let mut lines = leftovers(home);
    lines.retain(|line| line.contains(" lab serve ") && !line.contains(" lab serve ledger "));
    lines
}

/// Waits until no process names this home.
pub fn until_gone(home: &Path) {
    until("the end of every process", || leftovers(home).is_empty().then_some(()));
}

/// Says that a test did not run. Counted by `tests/run`; in CI a failure unless `tests/allowed-skips` names the test.
#[allow(clippy::print_stderr, reason = "a test that did not run is told")]
fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    if let Some(list) = std::env::var_os("QD_TEST_SKIPS") {
        let mut file = fs::File::options().append(true).create(true).open(list).unwrap();
        file.write_all(format!("{test}\t{why}\n").as_bytes()).unwrap();
    }
    let allowed = include_str!("../allowed-skips").lines().any(|line| line.split_whitespace().next() == Some(test));
    assert!(allowed || std::env::var("CI").as_deref() != Ok("true"), "{test} is skipped in CI: {why}");
}

/// True where PostgreSQL's programs are on this machine; else the test is skipped.
pub fn have_postgres(test: &str) -> bool {
    let there = fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| versions.next().is_some());
    if !there {
        skip(test, "not installed: postgresql");
    }
    there
}

/// A practice estate that runs.
pub struct Practice {
    pub home: TempDir,
    pub folder: PathBuf,
    estate: toml::Table,
    child: Option<Child>,
}

impl Practice {
    pub fn start(arguments: &[&str]) -> Practice {
        Practice::start_at(tempfile::Builder::new().prefix("qd-demo-").tempdir().unwrap(), arguments)
    }

    /// In a home where there was one before.
    pub fn start_at(home: TempDir, arguments: &[&str]) -> Practice {
        let mut child = command(home.path())
            .args(["demo", "--no-console"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(home.path().join("errors")).unwrap())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Some(path) = first.strip_prefix("estate: ") else {
            let _ = child.wait();
            panic!("its first line is {first:?}; {}", fs::read_to_string(home.path().join("errors")).unwrap());
        };
        let path = PathBuf::from(path.trim_end());
        let estate = fs::read_to_string(&path).unwrap().parse().unwrap();
        Practice { folder: path.parent().unwrap().to_owned(), home, estate, child: Some(child) }
    }

    /// The processes that run for it, without the ledger's.
    pub fn processes(&self) -> Vec<String> {
        services(self.home.path())
    }

    /// The folder of the ledger's servers.
    pub fn ledger(&self) -> PathBuf {
        fs::read_to_string(self.folder.join("ledger-folder")).map_or_else(|_| self.folder.join("ledger"), PathBuf::from)
    }

    /// What the console would say of the ledger: its nodes, asked once.
    pub fn ledger_nodes(&self) -> Vec<serde_json::Value> {
        let estate = self.folder.join("estate.toml");
        let out = command(self.home.path()).args(["--estate", estate.to_str().unwrap(), "status", "-o", "json"]).output().unwrap();
        let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let ledger = told["sources"].as_array().unwrap().iter().find(|source| source["name"] == "ledger").unwrap();
        ledger["database"]["nodes"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until the ledger's standby streams from its primary.
    pub fn until_the_ledger_streams(&self) {
        until("the standby streams", || {
            let nodes = self.ledger_nodes();
            let is = |n: usize, key: &str, word: &str| nodes.get(n).is_some_and(|node| node[key] == word);
            (is(0, "role", "primary") && is(1, "receiver_status", "streaming")).then_some(())
        });
    }

    /// Sends that signal to the one process that holds all, and waits until it is gone.
    pub fn signal_and_wait(mut self, signal: Signal, code: Option<i32>) -> TempDir {
        let mut child = self.child.take().unwrap();
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), code);
        std::mem::replace(&mut self.home, tempfile::tempdir().unwrap())
    }

    /// `qd lab ...` without naming the folder: there is one that runs.
    pub fn lab(&self, words: &[&str]) {
        let (code, said) = qd(self.home.path(), &[&["lab"], words].concat());
        assert_eq!(code, 0, "{words:?}: {said}");
    }

    /// Runs the command that the estate file names for a service, as it stands there.
    pub fn command(&self, service: &str, verb: &str, site: &str) {
        let argv = named(&self.estate, "service", service)[verb].as_array().unwrap();
        let argv: Vec<String> = argv.iter().map(|word| word.as_str().unwrap().replace("$site", site)).collect();
        let done = Command::new(&argv[0]).args(&argv[1..]).stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The address of a page.
    pub fn url(&self, source: &str) -> String {
        named(&self.estate, "source", source)["url"].as_str().unwrap().to_owned()
    }

    /// What a probe asks.
    pub fn probe(&self, source: &str) -> String {
        let source = named(&self.estate, "source", source);
        ["http", "tcp", "tls"].iter().find_map(|key| source.get(*key)).unwrap().as_str().unwrap().to_owned()
    }

    /// What a page says; none where nobody answers.
    pub fn page(&self, source: &str) -> Option<String> {
        get(&self.url(source)).map(|(code, text)| {
            assert_eq!(code, 200, "{source}: {text}");
            text
        })
    }

    /// The value of the series with exactly these labels.
    pub fn value(&self, source: &str, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        series(&self.page(source)?, metric).into_iter().find(|(own, _)| *own == map(labels)).map(|(_, value)| value)
    }

    /// All requests that a page has counted.
    pub fn served(&self, source: &str) -> Option<f64> {
        Some(series(&self.page(source)?, "http_requests_total").iter().map(|(_, value)| value).sum())
    }

    /// Those of them that the server failed.
    pub fn failed(&self, source: &str) -> f64 {
        let counted = series(&self.page(source).unwrap(), "http_requests_total");
        counted.iter().filter(|(labels, _)| labels["code"].starts_with('5')).map(|(_, value)| value).sum()
    }

    /// Waits until a site's edge has served so many.
    pub fn until_served(&self, site: &str, wanted: f64) {
        until("people are served", || self.served(&format!("{site} edge page")).filter(|all| *all >= wanted));
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        // Our own child, by its own number; its processes end with it, which another test holds.
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            until_gone(self.home.path());
        }
    }
}

fn named<'a>(estate: &'a toml::Table, kind: &str, name: &str) -> &'a toml::Table {
    let found = estate[kind].as_array().unwrap().iter().filter_map(toml::Value::as_table).find(|t| t["name"].as_str() == Some(name));
    found.unwrap_or_else(|| panic!("there is no {kind} {name:?}"))
}

fn map(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Every series of a metric; the values of these pages have no comma and no quote in them.
fn series(page: &str, metric: &str) -> Vec<(BTreeMap<String, String>, f64)> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(metric)).filter(|rest| rest.starts_with(['{', ' ']));
    lines
        .map(|rest| {
            let (labels, value) = rest.rsplit_once(' ').unwrap();
            let labels = labels.trim_start_matches('{').trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
            (labels.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect(), value.parse().unwrap())
        })
        .collect()
}

/// GET: the status and the body; none where nobody answers.
pub fn get(url: &str) -> Option<(u16, String)> {
    get_as(url, "*/*")
}

/// GET for a reader that wants this.
pub fn get_as(url: &str, accept: &str) -> Option<(u16, String)> {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
