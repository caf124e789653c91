//! A person with a home of their own who uses `qd` on the hosts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quarterdeck::journal::Journal;
use quarterdeck::model::event::Record;
use quarterdeck::model::run::RunState;
use serde_json::Value;
use tempfile::TempDir;

use super::{Host, Hosts, Kind, judge, qd};
use crate::estate::estate;
use crate::servers::until;

/// What exit codes mean.
pub const REFUSED: Option<i32> = Some(4);
pub const BROKEN: Option<i32> = Some(5);
pub const PERSON: Option<i32> = Some(6);

/// The service as it can be rolled back: `sudo` before systemctl for one who is not root.
pub fn tables(hosts: &Hosts, login: &str) -> String {
    let health = r#"exec 3<>/dev/tcp/127.0.0.1/8000; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; grep -q ' 200 ' <&3"#;
    let service = format!(
        "[[service]]\nname = \"web\"\nrestart = {{ unit = \"app.service\", sudo = {} }}\n\
         health = {{ command = [\"bash\", \"-c\", \"{health}\"], times = 2, every = \"100ms\", within = \"10s\" }}\n\
         rollback = {{ note = true }}\n",
        login != "root"
    );
    let log = "path = \"/opt/app\"\nlog = \"/opt/app/deploys.jsonl\"\n";
    hosts.estate(login).replace("[[service]]\nname = \"web\"\n", &service).replace("path = \"/opt/app\"\n", log)
}

/// All hosts serve 1.1 and have 1.0 and a deploy log, whatever was before.
pub fn reset(hosts: &Hosts) {
    for host in &hosts[..] {
        host.release("1.0", Kind::Good);
        host.point_at("1.1");
        host.ok("rm -f /opt/app/go /opt/app/starts /opt/app/writes; touch /opt/app/deploys.jsonl; chown deploy: /opt/app/deploys.jsonl; \
                 rm -rf /etc/systemd/system/app.service.d; systemctl daemon-reload; systemctl restart app.service");
    }
}

/// The same, and a run was there before: the first one of all gives each folder its mark, which later plans name.
pub fn used(hosts: &Hosts) {
    reset(hosts);
    let (code, out, errors) = Operator::new(hosts, "deploy").roll_back();
    assert_eq!(code, Some(0), "{out}{errors}");
    reset(hosts);
}

/// From now on its unit writes down each start in /opt/app/starts, and starts only once /opt/app/go is there.
pub fn hold_start(host: &Host) {
    host.ok("mkdir -p /etc/systemd/system/app.service.d; printf '%s\n' '[Service]' \
             \"ExecStartPre=/bin/sh -c 'echo start >>/opt/app/starts; while [ ! -e /opt/app/go ]; do sleep 0.05; done'\" \
             >/etc/systemd/system/app.service.d/held.conf; systemctl daemon-reload");
}

/// It waits to be started.
pub fn is_held(host: &Host) {
    until("the unit waits for its start", || host.path("/opt/app/starts").exists().then_some(()));
}

/// It starts now.
pub fn let_start(host: &Host) {
    std::fs::write(host.path("/opt/app/go"), "").unwrap();
    until("the unit is up", || (host.unit().active == "active").then_some(()));
}

/// One person.
pub struct Operator {
    home: TempDir,
    /// Seconds.
    lease: u64,
}

impl Operator {
    /// With the estate of these hosts.
    pub fn new(hosts: &Hosts, login: &str) -> Operator {
        Operator::with(&tables(hosts, login))
    }

    pub fn with(tables: &str) -> Operator {
        let operator = Operator { home: tempfile::Builder::new().prefix("qd").tempdir_in("/tmp").unwrap(), lease: 60 };
        estate(operator.home.path(), tables);
        operator
    }

    /// Whose runners take leases of so many seconds.
    pub fn leasing(self, lease: u64) -> Operator {
        Operator { lease, ..self }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn estate(&self) -> PathBuf {
        self.home.path().join("estate.toml")
    }

    pub fn journal(&self) -> PathBuf {
        self.home.path().join("quarterdeck/journal.db")
    }

    pub fn runs(&self) -> PathBuf {
        self.home.path().join("quarterdeck/runs")
    }

    /// Exit code, output, errors.
    pub fn qd(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        qd(self.home.path(), &self.estate(), arguments)
    }

    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let (code, out, errors) = self.qd(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}, {code:?}: {out}{errors}"))
    }

    /// `qd run rollback web` with the phrase of the plan of now, and what warns passed over.
    pub fn words(&self) -> Vec<String> {
        self.words_of(&["rollback", "web", "--to", "1.0"])
    }

    /// The same of any deed.
    pub fn words_of(&self, deed: &[&str]) -> Vec<String> {
        let plan = self.json(&[&["plan"], deed].concat());
        let mut words: Vec<String> =
            [&["run"], deed, &["--reason", "errors since 1.1", "--confirm"]].concat().into_iter().map(str::to_owned).collect();
        words.push(plan["confirm"].as_str().unwrap().to_owned());
        words.extend(["--lease".to_owned(), self.lease.to_string()]);
        for check in plan["checks"].as_array().unwrap() {
            match check["verdict"].as_str().unwrap() {
                "pass" => {}
                "warn" => words.extend(["--override".to_owned(), format!("{}=these hosts are a test's", check["id"].as_str().unwrap())]),
                other => panic!("{other}: {check}"),
            }
        }
        words
    }

    /// It, followed to its end.
    pub fn roll_back(&self) -> (Option<i32>, String, String) {
        let words = self.words();
        self.qd(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Any deed, followed to its end.
    pub fn does(&self, deed: &[&str]) -> (Option<i32>, String, String) {
        let words = self.words_of(deed);
        self.qd(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// `qd` with these words, not started yet.
    pub fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qd"));
        command.args(words).arg("--estate").arg(self.estate()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for place in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(place, self.home.path());
        }
        command
    }

    /// It, left going; the run's id.
    pub fn roll_back_detached(&self) -> String {
        let mut words = self.words();
        words.push("--detach".to_owned());
        let (code, out, errors) = self.qd(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code, Some(0), "{out}{errors}");
        out.trim().to_owned()
    }

    /// Asks something of a run: the verb, and the step or target.
    #[track_caller]
    pub fn ask(&self, verb: &str, run: &str, of: &[&str]) {
        let (code, out, errors) = self.qd(&[&[verb, run], of, &["--reason", "as the test wants"]].concat());
        assert_eq!(code, Some(0), "{verb}: {out}{errors}");
    }

    /// Follows to the end or the next question.
    pub fn attach(&self, run: &str) -> (Option<i32>, String) {
        let (code, out, errors) = self.qd(&["attach", run]);
        (code, out + &errors)
    }

    pub fn records(&self) -> Vec<Record> {
        Journal::read(&self.journal()).unwrap().map(|journal| journal.records(None).unwrap()).unwrap_or_default()
    }

    /// All its runs.
    pub fn states(&self) -> Vec<RunState> {
        RunState::all(&self.records())
    }

    /// The newest run, once it is recorded and so.
    pub fn run_that(&self, what: &str, is: impl Fn(&RunState) -> bool) -> RunState {
        until(what, || self.states().pop().filter(|state| is(state)))
    }

    /// The oracles hold, and `qd` itself finds the journal whole.
    #[track_caller]
    pub fn is_sound(&self, hosts: &[Host]) {
        judge::is_sound(hosts, &self.journal(), &[&self.journal()]);
        let (code, out, errors) = self.qd(&["journal", "verify"]);
        assert_eq!(code, Some(0), "{out}{errors}");
    }
}
