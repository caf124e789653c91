//! Calls on this machine through the same writer as on a host: the real scripts, the real jobs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::link::ssh::Hosts;
use crate::model::estate::Host;
use crate::model::operations::HealthAsk;
use crate::model::plan::{Deed, FORMAT, Impact, OnFailure, Repeat, Target, TargetKind};

/// The run of all calls here.
const RUN: &str = "web-20261121T140455Z-3f2a";

/// A release folder with the releases 1.0 and 1.1, of which the latter runs.
struct Ground {
    folder: TempDir,
    reach: Reach,
    machine: String,
    seconds: u32,
}

impl Ground {
    fn new() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        for release in ["1.0", "1.1"] {
            fs::create_dir_all(folder.path().join("releases").join(release)).unwrap();
            fs::write(folder.path().join("releases").join(release).join("app"), release).unwrap();
        }
        symlink("releases/1.1", folder.path().join("current")).unwrap();
        let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: None };
        let machine = fs::read_to_string("/etc/machine-id").map(|id| id.trim().to_owned()).unwrap_or_default();
        Ground { folder, reach: Reach::new(Arc::new(Hosts::new(&[host]))), machine, seconds: 30 }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn text(&self, below: &str) -> String {
        self.path(below).display().to_string()
    }

    fn plan(&self, act: Act, undo: Option<Act>) -> Plan {
        let kind = TargetKind::Releases {
            host: "web1".into(),
            ssh: None,
            machine_id: self.machine.clone(),
            folder: self.folder.path().display().to_string(),
            mark: None,
        };
        let step = Step {
            id: "web1/step".into(),
            title: "a step".into(),
            target: 0,
            needs: vec![],
            act,
            undo,
            repeat: Repeat::Ask,
            timeout: self.seconds,
            on_failure: OnFailure::Ask,
            undone_with: None,
            point_of_no_return: false,
        };
        Plan {
            format: FORMAT,
            deed: Deed::Rollback,
            estate: "e".into(),
            environment: "test".into(),
            subject: "web".into(),
            service: None,
            from: None,
            to: None,
            targets: vec![Target { name: "web1".into(), kind }],
            steps: vec![step],
            impact: Impact::default(),
            evidence: vec![],
            made_at: jiff::Timestamp::UNIX_EPOCH,
            expires_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    async fn call(&self, plan: &Plan, call: Call, attempt: u32) -> Called {
        let step = if call == Call::Apply { "web1/step" } else { "web1/step/undo" };
        apply(&self.reach, Permit::mint(RUN, step, attempt, None, "1 abc"), plan, 0, call).await
    }

    async fn apply(&self, act: Act, attempt: u32) -> Called {
        self.call(&self.plan(act, None), Call::Apply, attempt).await
    }

    async fn observe(&self, act: Act, attempt: u32) -> Found {
        observe(&self.reach, &self.plan(act, None), 0, Call::Apply, RUN, attempt).await
    }

    /// All that lies there but the job folder: files and what is in them, links and where they lead.
    fn world(&self) -> BTreeMap<PathBuf, String> {
        let mut all = BTreeMap::new();
        walk(self.folder.path(), &mut all);
        all
    }
}

fn walk(folder: &Path, all: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if entry.file_name() == ".quarterdeck" {
            continue;
        }
        if kind.is_symlink() {
            all.insert(path.clone(), format!("-> {}", fs::read_link(&path).unwrap().display()));
        } else if kind.is_dir() {
            all.insert(path.clone(), "/".into());
            walk(&path, all);
        } else {
            all.insert(path.clone(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn switch(from: &str, to: &str) -> Act {
    Act::SwitchLink { from: from.into(), to: to.into() }
}

fn run(argv: &[&str]) -> Act {
    Act::Run { argv: argv.iter().map(|word| (*word).to_owned()).collect() }
}

fn done(called: &Called) -> &str {
    match &called.end {
        CallEnd::Done { seen } => seen,
        other => panic!("{other:?}, {:?}", called.output),
    }
}

fn refused(called: &Called) -> &str {
    match &called.end {
        CallEnd::Refused { why } => why,
        other => panic!("{other:?}, {:?}", called.output),
    }
}

fn failed(called: &Called) -> &str {
    match &called.end {
        CallEnd::Failed { why } => why,
        other => panic!("{other:?}, {:?}", called.output),
    }
}

/// What each act that changes something holds: done once; a second time it changes nothing; taken back, the world is as
/// before; where the world moved, nothing is changed.
#[tokio::test]
async fn each_act_is_done_once_taken_back_and_never_done_to_a_world_that_moved() {
    type Moved = fn(&Ground);
    type Case = (&'static str, fn(&Ground) -> (Act, Option<Act>), Moved);
    let cases: [Case; 2] = [
        (
            "switch",
            |_| (switch("releases/1.1", "releases/1.0"), Some(switch("releases/1.0", "releases/1.1"))),
            |ground| {
                fs::create_dir(ground.path("releases/1.2")).unwrap();
                fs::remove_file(ground.path("current")).unwrap();
                symlink("releases/1.2", ground.path("current")).unwrap();
            },
        ),
        (
            "append",
            |ground| (Act::AppendLog { path: ground.text("deploys.jsonl"), line: r#"{"run":"$run"}"#.into() }, None),
            |ground| fs::create_dir(ground.path("deploys.jsonl")).unwrap(),
        ),
    ];
    for (name, acts, moved) in cases {
        let ground = Ground::new();
        let (act, undo) = acts(&ground);
        let plan = ground.plan(act.clone(), undo.clone());
        let before = ground.world();
        let not_done = ground.observe(act.clone(), 1).await;
        assert!(matches!(not_done, Found::NotDone { .. }), "{name}: {not_done:?}");
        assert_eq!(ground.world(), before, "{name}: a reading changed something");

        done(&ground.call(&plan, Call::Apply, 1).await);
        let after = ground.world();
        assert_ne!(after, before, "{name}");
        let found = ground.observe(act.clone(), 1).await;
        assert!(matches!(found, Found::Done { .. }), "{name}: {found:?}");

        let again = ground.call(&plan, Call::Apply, 2).await;
        assert!(done(&again).contains("already"), "{name}: {again:?}");
        assert_eq!(ground.world(), after, "{name}: the second time changed something");

        if undo.is_some() {
            done(&ground.call(&plan, Call::Undo, 3).await);
            assert_eq!(ground.world(), before, "{name}: taken back");
            let back = observe(&ground.reach, &plan, 0, Call::Undo, RUN, 3).await;
            assert!(matches!(back, Found::Done { .. }), "{name}: {back:?}");
        }

        let other = Ground::new();
        let (act, undo) = acts(&other);
        moved(&other);
        let before = other.world();
        refused(&other.call(&other.plan(act, undo), Call::Apply, 1).await);
        assert_eq!(other.world(), before, "{name}: it changed a world that had moved");
    }
}

#[tokio::test]
async fn a_link_is_compared_byte_by_byte_and_what_is_no_link_is_left_alone() {
    let links: [(&str, &[u8]); 4] = [
        ("a slash", b"releases/1.1/"),
        ("a line break", b"releases/1.1\n"),
        ("another release", b"releases/1.2"),
        ("an absolute path", b"/srv/web/releases/1.1"),
    ];
    for (name, leads) in links {
        let ground = Ground::new();
        fs::remove_file(ground.path("current")).unwrap();
        symlink(std::str::from_utf8(leads).unwrap(), ground.path("current")).unwrap();
        let before = ground.world();
        let called = ground.apply(switch("releases/1.1", "releases/1.0"), 1).await;
        assert!(refused(&called).contains("expected releases/1.1"), "{name}: {called:?}");
        assert!(matches!(ground.observe(switch("releases/1.1", "releases/1.0"), 1).await, Found::Moved { .. }), "{name}");
        assert_eq!(ground.world(), before, "{name}");
    }
    for what in ["a folder", "a file", "nothing"] {
        let ground = Ground::new();
        fs::remove_file(ground.path("current")).unwrap();
        match what {
            "a folder" => fs::create_dir(ground.path("current")).unwrap(),
            "a file" => fs::write(ground.path("current"), "releases/1.1").unwrap(),
            _ => {}
        }
        let before = ground.world();
        refused(&ground.apply(switch("releases/1.1", "releases/1.0"), 1).await);
        assert!(matches!(ground.observe(switch("releases/1.1", "releases/1.0"), 1).await, Found::Moved { .. }), "{what}");
        assert_eq!(ground.world(), before, "{what}");
    }
    let ground = Ground::new();
    let before = ground.world();
    let called = ground.apply(switch("releases/1.1", "releases/0.9"), 1).await;
    assert_eq!(refused(&called), "web1: the release releases/0.9 is not there (current leads to releases/1.1)");
    assert_eq!(ground.world(), before);
}

#[tokio::test]
async fn a_release_of_any_name_is_switched_to_and_a_temporary_link_of_before_is_no_hindrance() {
    for release in ["a b", "$(touch x)", "-rf", "'\"", "*", "é"] {
        let ground = Ground::new();
        let to = format!("releases/{release}");
        fs::create_dir(ground.path(&to)).unwrap();
        symlink("nowhere", ground.path(&format!(".qd-tmp.{RUN}"))).unwrap();
        done(&ground.apply(switch("releases/1.1", &to), 1).await);
        assert_eq!(fs::read_link(ground.path("current")).unwrap(), Path::new(&to));
        let entries: Vec<_> = ground.world().into_keys().filter(|path| path.to_string_lossy().contains("qd-tmp")).collect();
        assert!(entries.is_empty(), "{entries:?}");
        assert!(!ground.path("x").exists());
    }
}

#[tokio::test]
async fn another_machine_and_a_host_that_is_reached_otherwise_are_refused() {
    let mut ground = Ground::new();
    let marker = ground.text("ran");
    ground.machine = "0".repeat(32);
    let before = ground.world();
    let log = Act::AppendLog { path: ground.text("log"), line: "x".into() };
    for (act, attempt) in [switch("releases/1.1", "releases/1.0"), run(&["touch", &marker]), log].into_iter().zip(1..) {
        let called = ground.apply(act.clone(), attempt).await;
        assert!(refused(&called).contains("another machine"), "{called:?}");
        assert_eq!(ground.world(), before);
        // A command that was kept from running says so to a later runner too.
        if let Act::Run { .. } = act {
            let found = ground.observe(act, attempt).await;
            assert!(matches!(&found, Found::NotDone { seen } if seen.contains("nothing was run")), "{found:?}");
        }
    }
    let mut plan = ground.plan(run(&["touch", &marker]), None);
    let was = plan.targets[0].kind.clone();
    if let TargetKind::Releases { ssh, .. } = &mut plan.targets[0].kind {
        *ssh = Some("deploy@web1".into());
    }
    assert!(refused(&ground.call(&plan, Call::Apply, 5).await).contains("the plan reaches it as deploy@web1"));
    plan.targets[0].kind = was;
    if let TargetKind::Releases { host, .. } = &mut plan.targets[0].kind {
        *host = "web9".into();
    }
    assert!(refused(&ground.call(&plan, Call::Apply, 6).await).contains("no such host"));
    assert_eq!(ground.world(), before);
}

#[tokio::test]
async fn a_programs_exit_codes_are_its_own_and_its_words_reach_it_as_they_are() {
    let ground = Ground::new();
    let called = ground.apply(run(&["printf", "%s|", "a b", "$(touch x)", "*", "\u{1b}[2J"]), 1).await;
    assert_eq!(done(&called), "a b|$(touch x)|*|[2J|");
    for (attempt, code) in [(2, 10), (3, 11), (4, 7)] {
        let act = run(&["sh", "-c", &format!("echo PASSWORD=hunter2; echo why; exit {code}")]);
        let called = ground.apply(act.clone(), attempt).await;
        assert_eq!(failed(&called), format!("web1: it ended by {code}: why"));
        assert_eq!(called.output, ["PASSWORD=(taken out)", "why"]);
        let found = ground.observe(act, attempt).await;
        assert_eq!(found, Found::Moved { seen: format!("web1: it ended by {code}: why") });
    }
    assert!(failed(&ground.apply(run(&["no-such-program"]), 5).await).contains("127"));
    // A builtin of the shell is no program of that name.
    assert!(failed(&ground.apply(run(&["eval", "echo ran"]), 6).await).contains("127"));
    assert!(failed(&ground.apply(run(&["qd_end", "0", "ran"]), 7).await).contains("127"));
    assert!(refused(&ground.apply(run(&[]), 8).await).contains("no program"));
    assert_eq!(ground.observe(run(&["true"]), 9).await, Found::NotDone { seen: "web1: it never began there".into() });
}

#[tokio::test]
async fn a_program_that_goes_on_is_unknown_then_underway_then_what_it_ended_by() {
    let mut ground = Ground::new();
    ground.seconds = 1;
    let go = ground.text("go");
    assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
    let act = run(&["sh", "-c", "echo waits; read x <\"$0\"; echo \"got $x\"", &go]);
    let called = ground.apply(act.clone(), 1).await;
    assert_eq!(called.end, CallEnd::Unknown { why: "web1: still running after 1 s".into() });
    assert_eq!(called.output, ["waits"]);
    // One reading, without the patience of a runner.
    let plan = ground.plan(act.clone(), None);
    let left = job::Left { run: RUN, step: "web1/step", attempt: 1 };
    let found = once(&ground.reach, &plan, &plan.steps[0], &act, left).await;
    assert!(matches!(found, Found::Underway { .. }), "{found:?}");
    fs::write(&go, "it\n").unwrap();
    assert_eq!(ground.observe(act.clone(), 1).await, Found::Done { seen: "got it".into() });
    // Its reply came late: the same call never starts it again.
    assert_eq!(done(&ground.apply(act, 1).await), "got it");
}

#[tokio::test]
async fn a_line_is_added_whole_once_and_after_a_line_without_an_end() {
    let ground = Ground::new();
    let log = ground.path("deploys.jsonl");
    fs::write(&log, "{\"a\":1}\n{\"torn").unwrap();
    let act = |line: &str| Act::AppendLog { path: log.display().to_string(), line: line.into() };
    let line = r#"{"run":"$run","why":"a 'b' $(c) \\ %s"}"#;
    done(&ground.apply(act(line), 1).await);
    let whole = line.replace("$run", RUN);
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("{{\"a\":1}}\n{{\"torn\n{whole}\n"));
    // A part of it, such as a full disk leaves, is not it.
    fs::write(&log, &whole[..20]).unwrap();
    assert!(matches!(ground.observe(act(line), 2).await, Found::NotDone { .. }));
    done(&ground.apply(act(line), 2).await);
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("{}\n{whole}\n", &whole[..20]));
    for bad in [
        Act::AppendLog { path: "log".into(), line: "x".into() },
        Act::AppendLog { path: ground.text("none/log"), line: "x".into() },
        act("two\nlines"),
    ] {
        let before = ground.world();
        refused(&ground.apply(bad, 3).await);
        assert_eq!(ground.world(), before);
    }
}

/// A process that is ended with the test.
struct Process(Child);

impl Process {
    fn in_folder(folder: &Path) -> Process {
        Process(Command::new("sleep").arg("1000").current_dir(folder).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_runs_where_a_new_process_works_in_the_release() {
    let mut ground = Ground::new();
    let new = Process::in_folder(&ground.path("current"));
    let id = new.0.id();
    let file = ground.path("pid");
    let running = |release: &str, before: Option<u32>| Act::Running {
        release: Some(release.into()),
        serving: Serving::PidFile { path: file.display().to_string(), before },
    };
    fs::write(&file, format!("{id}\n")).unwrap();
    let called = ground.apply(running("releases/1.1", Some(1)), 1).await;
    assert!(done(&called).starts_with(&format!("web1: process {id} works in /")), "{called:?}");
    fs::write(&file, id.to_string()).unwrap();
    done(&ground.apply(running("releases/1.1", None), 2).await);

    ground.seconds = 1;
    let why = |called: Called| failed(&called).to_owned();
    assert!(why(ground.apply(running("releases/1.0", None), 3).await).contains("neither lies in"));
    // The name of a release may begin as another's does.
    fs::create_dir(ground.path("releases/1")).unwrap();
    assert!(why(ground.apply(running("releases/1", None), 4).await).contains("neither lies in"));
    assert!(why(ground.apply(running("releases/1.1", Some(id)), 5).await).contains("is the one of before"));
    assert!(why(ground.apply(running("releases/0.9", None), 6).await).contains("is not there"));
    for (number, told) in [("", "tells no process"), ("0", "tells no process"), ("-1", "tells no process"), ("x", "tells no process")] {
        fs::write(&file, number).unwrap();
        assert!(why(ground.apply(running("releases/1.1", None), 7).await).contains(told), "{number}");
    }
    fs::remove_file(&file).unwrap();
    assert!(why(ground.apply(running("releases/1.1", None), 8).await).contains("is not there"));
    fs::write(&file, id.to_string()).unwrap();
    fs::remove_dir_all(ground.path("releases/1.1")).unwrap();
    fs::create_dir(ground.path("releases/1.1")).unwrap();
    let gone = why(ground.apply(running("releases/1.1", None), 9).await);
    assert!(gone.contains("(deleted)"), "{gone}");
    drop(new);
    assert!(why(ground.apply(running("releases/1.1", None), 10).await).contains("there is no process"));
    assert!(matches!(ground.observe(running("releases/1.1", None), 10).await, Found::NotDone { .. }));
}

/// Answers requests by these, the last of them again and again; nothing stands for a connection that is cut.
async fn server(answers: Vec<Option<&'static str>>) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/health", listener.local_addr().unwrap());
    let serve = async move {
        let mut asked = 0;
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            let mut part = [0; 1024];
            while !all.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part).await {
                    Ok(n @ 1..) => all.extend_from_slice(&part[..n]),
                    _ => break,
                }
            }
            if let Some(answer) = answers[asked.min(answers.len() - 1)] {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            let _ = stream.shutdown().await;
            asked += 1;
        }
    };
    (address, tokio::spawn(serve))
}

const WELL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
const ILL: &str = "HTTP/1.1 503 No\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwait";

#[tokio::test]
async fn it_is_well_after_so_many_good_answers_in_a_row() {
    let mut ground = Ground::new();
    let healthy = |ask: HealthAsk, times: u32| Act::Healthy { ask, times, every_ms: 1 };
    let http = |url: &str, body: Option<&str>| HealthAsk::Http { url: url.into(), status: None, body: body.map(str::to_owned) };
    let (url, serves) = server(vec![None, Some(ILL), Some(WELL), Some(ILL), Some(WELL)]).await;
    let called = ground.apply(healthy(http(&url, Some("ok")), 3), 1).await;
    assert_eq!(done(&called), "web1: well 3 times in a row: answered 200");
    let told = ["not well: answered 503, expected 200 to 299", "1 of 3: answered 200"];
    assert_eq!(called.output[1..3], told);
    assert_eq!(called.output[3..], [told[0], told[1], "2 of 3: answered 200", "3 of 3: answered 200"]);

    ground.seconds = 1;
    let called = ground.apply(healthy(http(&url, Some("fine")), 1), 2).await;
    assert!(failed(&called).ends_with("within 1 s; the last answer: answered 200 without `fine`"), "{called:?}");
    serves.abort();
    let _ = serves.await;
    let called = ground.apply(healthy(http(&url, None), 1), 3).await;
    assert!(failed(&called).contains("the last answer: "), "{called:?}");

    let command = |argv: &[&str]| HealthAsk::Command { command: argv.iter().map(|word| (*word).to_owned()).collect() };
    done(&ground.apply(healthy(command(&["echo", "fine"]), 2), 4).await);
    let called = ground.apply(healthy(command(&["sh", "-c", "echo ill >&2; exit 3"]), 2), 5).await;
    assert!(failed(&called).ends_with("it ended by 3: ill"), "{called:?}");
}

#[tokio::test]
async fn a_request_is_sent_once_and_one_whose_answer_is_lost_is_for_a_person() {
    let ground = Ground::new();
    let post = |url: &str, status: Option<u16>| Act::Http {
        method: "POST".into(),
        url: url.into(),
        body: Some("{}".into()),
        status,
        http_config: None,
    };
    let (url, serves) = server(vec![Some(WELL), Some(WELL), Some(ILL), None]).await;
    assert_eq!(done(&ground.apply(post(&url, None), 1).await), "answered 200");
    assert_eq!(failed(&ground.apply(post(&url, Some(204)), 2).await), "answered 200, expected 204");
    let called = ground.apply(post(&url, None), 3).await;
    assert_eq!((failed(&called), called.output.as_slice()), ("answered 503, expected 200 to 299", &["wait".to_owned()][..]));
    let lost = ground.apply(post(&url, None), 4).await;
    assert!(matches!(lost.end, CallEnd::Unknown { .. }), "{lost:?}");
    assert!(matches!(ground.observe(post(&url, None), 4).await, Found::Untold { .. }));
    serves.abort();
    let _ = serves.await;
    assert!(failed(&ground.apply(post(&url, None), 5).await).contains("nothing was sent"));
    refused(&ground.apply(Act::Http { method: "BREW".into(), url, body: None, status: None, http_config: None }, 6).await);
}

#[tokio::test]
async fn what_a_person_does_is_told_and_what_is_not_there_is_refused() {
    let ground = Ground::new();
    let manual = Act::Manual { what: "drain the balancer".into() };
    let why = "a person does it: drain the balancer".to_owned();
    assert_eq!(ground.apply(manual.clone(), 1).await.end, CallEnd::Unknown { why: why.clone() });
    assert_eq!(ground.observe(manual.clone(), 1).await, Found::Untold { why });
    let plan = ground.plan(manual, None);
    refused(&ground.call(&plan, Call::Undo, 2).await);
    refused(&apply(&ground.reach, Permit::mint(RUN, "x", 1, None, "1 a"), &plan, 7, Call::Apply).await);
}
