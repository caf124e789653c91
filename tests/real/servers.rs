//! Starts and stops real servers: each in a folder of its own, on loopback ports of its own, stopped by its own process.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use crate::http::{self, BCRYPT, USER};

/// How long a server may take for what takes it a second or two. A deadline, not a measure: a slow machine does not fail.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Says that a test did not run. Counted by `tests/run`; in CI a failure unless `tests/allowed-skips` names the test.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
    if let Some(list) = std::env::var_os("QD_TEST_SKIPS") {
        // One write, so that two tests at once do not mix their lines.
        let line = format!("{test}\t{why}\n");
        let mut file = File::options().append(true).create(true).open(list).expect("the list of skips opens");
        file.write_all(line.as_bytes()).expect("the list of skips is written");
    }
    let allowed = include_str!("../allowed-skips").lines().any(|line| line.split_whitespace().next() == Some(test));
    assert!(allowed || std::env::var("CI").as_deref() != Ok("true"), "{test} is skipped in CI: {why}");
}

/// True where all these servers are installed; else the test is skipped.
pub fn have(test: &str, binaries: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = |binary: &str| std::env::split_paths(&path).any(|folder| folder.join(binary).is_file());
    let missing: Vec<&str> = binaries.iter().copied().filter(|binary| !installed(binary)).collect();
    if !missing.is_empty() {
        skip(test, &format!("not installed: {}", missing.join(" ")));
    }
    missing.is_empty()
}

/// Waits until the condition gives a value.
#[track_caller]
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A loopback port that nobody has, for TCP and UDP. Below the kernel's ephemeral ports, so that no outgoing connection
/// takes it while its server is stopped; each test process begins elsewhere.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id() % 1_000) as u16 * 12;
    for _ in 0..12_000 {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between 20000 and 32000");
}

/// One server. Killed and waited for when it is dropped.
pub struct Server {
    /// Its HTTP port on 127.0.0.1.
    pub port: u16,
    binary: &'static str,
    arguments: Vec<String>,
    ready: &'static str,
    child: Option<Child>,
    folder: TempDir,
}

impl Server {
    fn new(binary: &'static str, ready: &'static str) -> Server {
        let folder = tempfile::Builder::new().prefix("qd-real-").tempdir().expect("a folder for the server");
        Server { port: free_port(), binary, arguments: Vec::new(), ready, child: None, folder }
    }

    /// Its root address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, or starts it again on the same port with the data that it had, and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.binary);
        let log = File::options().append(true).create(true).open(self.path("log")).expect("the log opens");
        let child = Command::new(self.binary)
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log opens twice"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.binary));
        self.child = Some(child);
        until(&format!("{} answers", self.binary), || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().expect("the server is a child")) {
                panic!("{} ended with {status}:\n{}", self.binary, fs::read_to_string(self.path("log")).unwrap_or_default());
            }
            matches!(http::request(self.port, "GET", self.ready, None), Ok((200, _))).then_some(())
        });
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn argument(&mut self, argument: String) {
        self.arguments.push(argument);
    }

    fn with_password(&mut self) {
        fs::write(self.path("web.yml"), format!("basic_auth_users:\n  {USER}: {BCRYPT}\n")).expect("web.yml is written");
        self.argument("--web.config.file=web.yml".into());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a server wants [`http::PASSWORD`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// The one user.
    Password,
}

/// A started Alertmanager without peers. It notifies nobody.
pub fn alertmanager(access: Access) -> Server {
    let mut server = alertmanager_stopped(access);
    server.argument("--cluster.listen-address=".into());
    server.start();
    server
}

/// A started pair of Alertmanagers that know each other; the cluster is ready.
pub fn alertmanager_pair() -> [Server; 2] {
    let mut pair = [alertmanager_stopped(Access::Open), alertmanager_stopped(Access::Open)];
    let ports = [free_port(), free_port()];
    for (i, server) in pair.iter_mut().enumerate() {
        server.argument(format!("--cluster.listen-address=127.0.0.1:{}", ports[i]));
        server.argument(format!("--cluster.peer=127.0.0.1:{}", ports[1 - i]));
        // A test's second is a cluster's minute.
        for quick in ["gossip-interval=50ms", "pushpull-interval=1s", "settle-timeout=10s", "reconnect-interval=1s"] {
            server.argument(format!("--cluster.{quick}"));
        }
        // The first answers before the second looks for it.
        server.start();
    }
    for server in &pair {
        until("the cluster is ready and has two peers", || {
            let status = http::get(server.port, "/api/v2/status")?;
            let peers = status["cluster"]["peers"].as_array()?.len();
            (status["cluster"]["status"] == "ready" && peers == 2).then_some(())
        });
    }
    pair
}

fn alertmanager_stopped(access: Access) -> Server {
    let mut server = Server::new("prometheus-alertmanager", "/-/ready");
    let config = "route: {receiver: nobody, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n\
                  receivers: [{name: nobody}]\n";
    fs::write(server.path("am.yml"), config).expect("am.yml is written");
    let port = server.port;
    server.argument("--config.file=am.yml".into());
    server.argument("--storage.path=data".into());
    server.argument(format!("--web.listen-address=127.0.0.1:{port}"));
    if access == Access::Password {
        server.with_password();
    }
    server
}

/// What a Prometheus scrapes and whom it tells.
#[derive(Default)]
pub struct Lab<'a> {
    /// Ports to scrape as job `node`.
    pub targets: &'a [u16],
    /// Ports of Alertmanagers.
    pub alertmanagers: &'a [u16],
    /// Rules as YAML; see [`rule`].
    pub rules: String,
}

/// A started Prometheus that scrapes nothing and has this history, which is OpenMetrics text.
pub fn prometheus_with(history: &str) -> Server {
    let mut server = prometheus_stopped(&Lab::default(), Access::Open);
    crate::deeds::backfill(&server.path(""), history);
    server.start();
    server
}

/// A started Prometheus that scrapes and evaluates once a second.
pub fn prometheus(lab: &Lab<'_>, access: Access) -> Server {
    let mut server = prometheus_stopped(lab, access);
    server.start();
    server
}

fn prometheus_stopped(lab: &Lab<'_>, access: Access) -> Server {
    let mut server = Server::new("prometheus", "/-/ready");
    let hosts = |ports: &[u16]| ports.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect::<Vec<_>>().join(", ");
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: [{}]}}]}}]}}\n\
         scrape_configs: [{{job_name: node, static_configs: [{{targets: [{}]}}]}}]\n",
        hosts(lab.alertmanagers),
        hosts(lab.targets)
    );
    fs::write(server.path("prom.yml"), config).expect("prom.yml is written");
    write_rules(&server, &lab.rules);
    let port = server.port;
    server.argument("--config.file=prom.yml".into());
    server.argument("--storage.tsdb.path=data".into());
    server.argument("--web.enable-lifecycle".into());
    // It finds its Alertmanagers five seconds after a start or a reload, and what fires before is told to none of them: tell it
    // again each second instead of each minute.
    server.argument("--rules.alert.resend-delay=1s".into());
    server.argument(format!("--web.listen-address=127.0.0.1:{port}"));
    if access == Access::Password {
        server.with_password();
    }
    server
}

/// One alerting rule as YAML.
pub fn rule(name: &str, expression: &str, severity: &str) -> String {
    format!(
        "  - {{alert: {name}, expr: '{expression}', labels: {{severity: {severity}, service: web}}, annotations: {{summary: a test}}}}\n"
    )
}

/// Gives a running Prometheus other rules.
pub fn rewrite_rules(server: &Server, rules: &str) {
    write_rules(server, rules);
    let (status, answer) = http::request(server.port, "POST", "/-/reload", None).expect("Prometheus takes a request");
    assert_eq!(status, 200, "reload: {answer}");
}

fn write_rules(server: &Server, rules: &str) {
    let rules =
        if rules.is_empty() { "groups: []\n".to_owned() } else { format!("groups:\n- name: lab\n  interval: 1s\n  rules:\n{rules}") };
    fs::write(server.path("rules.yml"), rules).expect("rules.yml is written");
}

/// A started node_exporter.
pub fn node_exporter() -> Server {
    let mut server = Server::new("prometheus-node-exporter", "/");
    let port = server.port;
    server.arguments = ["--collector.disable-defaults", "--collector.cpu", "--collector.loadavg"].map(str::to_owned).to_vec();
    server.argument(format!("--web.listen-address=127.0.0.1:{port}"));
    server.start();
    server
}

/// Posts an alert that goes on for an hour, as Prometheus does: to every peer, the same.
pub fn post_alert(peers: &[&Server], labels: &[(&str, &str)]) {
    let now = Timestamp::now();
    let labels: serde_json::Map<_, _> = labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let alert = json!([{
        "labels": labels,
        "annotations": { "summary": "a test" },
        "startsAt": now.to_string(),
        "endsAt": (now + SignedDuration::from_hours(1)).to_string(),
    }]);
    for peer in peers {
        http::post(peer.port, "/api/v2/alerts", &alert);
    }
}

/// Silences all alerts of this name for an hour, as another console would; gives back the silence's id.
pub fn silence(peer: &Server, alertname: &str) -> String {
    let now = Timestamp::now();
    let silence = json!({
        "matchers": [{ "name": "alertname", "value": alertname, "isRegex": false, "isEqual": true }],
        "startsAt": now.to_string(),
        "endsAt": (now + SignedDuration::from_hours(1)).to_string(),
        "createdBy": "ann",
        "comment": "INC-1",
    });
    let answer: serde_json::Value = serde_json::from_str(&http::post(peer.port, "/api/v2/silences", &silence)).expect("JSON");
    answer["silenceID"].as_str().expect("the id of the silence").to_owned()
}

/// Ends a silence now.
pub fn expire(peer: &Server, id: &str) {
    let (status, answer) =
        http::request(peer.port, "DELETE", &format!("/api/v2/silence/{id}"), None).expect("Alertmanager takes a request");
    assert_eq!(status, 200, "expire: {answer}");
}

/// Waits until this Alertmanager itself says that it has an alert of this name in this state (`active`, `suppressed`).
pub fn wait_for_alert(peer: &Server, alertname: &str, state: &str) {
    until(&format!("{alertname} is {state}"), || {
        let alerts = http::get(peer.port, "/api/v2/alerts")?;
        let is = |alert: &serde_json::Value| alert["labels"]["alertname"] == alertname && alert["status"]["state"] == state;
        alerts.as_array()?.iter().any(is).then_some(())
    });
}

/// Waits until this Alertmanager knows the silence.
pub fn wait_for_silence(peer: &Server, id: &str) {
    until("the silence is known", || http::get(peer.port, &format!("/api/v2/silence/{id}")).map(drop));
}

/// Writes a Prometheus `http_config` file with a password file beside it; gives back the file's path.
pub fn http_config(folder: &Path, password: &str) -> PathBuf {
    write_password(folder, password);
    let file = folder.join("http.yml");
    fs::write(&file, format!("basic_auth: {{username: {USER}, password_file: password}}\n")).expect("http.yml is written");
    file
}

/// Writes the password file of [`http_config`].
pub fn write_password(folder: &Path, password: &str) {
    fs::write(folder.join("password"), password).expect("the password is written");
}
