//! A rollback that was run, in the history of deployments: once, whoever else tells of it, with its reason and its run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Release folders of this machine at a site, with `current` on the newer of two; the service does not start again from
/// the older one where `broken`.
struct Place {
    folder: TempDir,
    estate: PathBuf,
}

impl Place {
    fn new(log: bool, broken: bool) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        for release in ["2.4.0", "2.5.0"] {
            fs::create_dir_all(app.join("releases").join(release)).unwrap();
        }
        symlink("releases/2.5.0", app.join("current")).unwrap();
        let restart = folder.path().join("restart");
        let is_broken = if broken { "[ \"$(readlink app/current)\" != releases/2.4.0 ]" } else { "true" };
        fs::write(&restart, format!("#!/bin/sh\ncd \"${{0%/*}}\" && {is_broken}\n")).unwrap();
        fs::set_permissions(&restart, PermissionsExt::from_mode(0o755)).unwrap();
        let own = if log {
            let line = |time: &str, from: &str, to: &str| {
                format!(
                    "{{\"time\":\"{time}\",\"service\":\"web\",\"site\":\"here\",\"from\":\"{from}\",\"version\":\"{to}\",\"who\":\"ann\",\"result\":\"succeeded\"}}\n"
                )
            };
            let lines = line("2026-01-01T10:00:00Z", "2.3.0", "2.4.0") + &line("2026-01-02T10:00:00Z", "2.4.0", "2.5.0");
            fs::write(app.join("deploys.jsonl"), lines).unwrap();
            format!("log = {:?}\n", app.join("deploys.jsonl"))
        } else {
            String::new()
        };
        let text = format!(
            "version = 1\n[estate]\nname = \"yard\"\nenvironment = \"test\"\n[[site]]\nname = \"here\"\nrole = \"primary\"\n\
             [[host]]\nname = \"web1\"\nsite = \"here\"\n\
             [[service]]\nname = \"web\"\nhosts = [\"web1\"]\nrestart = {{ command = [{restart:?}] }}\n[service.rollback]\nnote = {log}\n\
             [[history]]\nname = \"folders\"\nkind = \"releases\"\nservice = \"web\"\npath = {app:?}\nhosts = [\"web1\"]\n{own}"
        );
        let estate = folder.path().join("estate.toml");
        fs::write(&estate, text).unwrap();
        Place { folder, estate }
    }

    fn qd(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qd"));
        command.arg("--estate").arg(&self.estate).args(arguments).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        let out = command.env("HOME", self.home()).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (_, out, err) = self.qd(arguments);
        let json = serde_json::from_str(&out);
        assert!(json.is_ok(), "{out}{err}");
        json.unwrap()
    }

    /// Begins the way back to the older release.
    fn roll_back(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let plan = self.json(&["plan", "rollback", "web", "--to", "2.4.0", "-o", "json"]);
        let phrase = plan["confirm"].as_str().expect("a plan has a phrase");
        let mut arguments = vec!["run", "rollback", "web", "--to", "2.4.0", "--reason", "errors since 2.5.0", "--confirm", phrase];
        for check in plan["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "warn") {
            arguments.extend(["--override", String::leak(format!("{}=a test", check["id"].as_str().unwrap()))]);
        }
        arguments.extend(more);
        self.qd(&arguments)
    }

    fn deployments(&self) -> Vec<Value> {
        self.json(&["deployments", "-o", "json"]).as_array().unwrap().clone()
    }
}

fn rollbacks(all: &[Value]) -> Vec<&Value> {
    all.iter().filter(|one| one["source"] == "rollback").collect()
}

#[test]
fn a_rollback_is_in_the_history_once_with_its_reason_and_its_run() {
    for log in [true, false] {
        let place = Place::new(log, false);
        let before = place.deployments();
        let (code, out, err) = place.roll_back(&[]);
        assert_eq!(code, Some(0), "{out}{err}");
        let runs = place.json(&["runs", "-o", "json"]);
        let run = runs[0]["run"].as_str().unwrap_or_else(|| panic!("{runs}"));
        let all = place.deployments();
        // Without a log the older release was known by its folder alone, which is now known to have been put there.
        assert_eq!(all.len(), before.len() + usize::from(log), "{all:#?}");
        let [one] = rollbacks(&all)[..] else { panic!("{all:#?}") };
        assert_eq!(one, &all[0], "the newest");
        assert_eq!((&one["id"], &one["reason"], &one["result"]), (&run.into(), &"errors since 2.5.0".into(), &"succeeded".into()));
        assert_eq!((&one["from"], &one["version"], &one["site"]), (&"2.5.0".into(), &"2.4.0".into(), &"here".into()));
        assert_eq!((&one["environment"], &one["told_by"]), (&"test".into(), &serde_json::json!(["journal", "folders"])));
        assert!(one["took_seconds"].as_f64().is_some() && one["who"].as_str().is_some(), "{one}");
        assert_eq!((&one["differs"], &one["time_from"]), (&serde_json::json!([]), &"record".into()), "{one}");
        assert_eq!(place.qd(&["show", one["id"].as_str().unwrap()]).0, Some(0), "its id is what shows the run");
        let status = place.json(&["status", "-o", "json"]);
        assert_eq!(rollbacks(status["deployments"].as_array().unwrap()), [one], "{status:#}");
        // Read once more, nothing is there twice; and all of it again where the index is gone.
        assert_eq!(place.deployments(), all);
        fs::remove_dir_all(place.home().join(".cache")).unwrap();
        assert_eq!(place.deployments(), all);
        // The next way back does not lead to what was just left.
        let (code, _, err) = place.qd(&["plan", "rollback", "web"]);
        assert_eq!(code, Some(64), "{err}");
    }
}

#[test]
fn a_rollback_that_was_taken_back_is_a_failed_deployment() {
    let place = Place::new(true, true);
    let (code, out, err) = place.roll_back(&[]);
    assert_eq!(code, Some(6), "it does not start from there, and a person is asked: {out}{err}");
    let run = place.json(&["runs", "-o", "json"])[0]["run"].as_str().unwrap().to_owned();
    let all = place.deployments();
    let [one] = rollbacks(&all)[..] else { panic!("{all:#?}") };
    assert_eq!((&one["id"], &one["took_seconds"]), (&run.as_str().into(), &Value::Null), "it goes on");
    let (code, _, err) = place.qd(&["abort", &run, "--reason", "it does not start"]);
    assert_eq!(code, Some(0), "{err}");
    let until = Instant::now() + Duration::from_secs(60);
    let taken_back = || rollbacks(&place.deployments()).iter().any(|one| one["result"] == "failed");
    while !taken_back() {
        assert!(Instant::now() < until, "{}", place.qd(&["show", &run]).1);
    }
    let all = place.deployments();
    let [one] = rollbacks(&all)[..] else { panic!("{all:#?}") };
    assert_eq!((&one["id"], &one["reason"]), (&run.as_str().into(), &"errors since 2.5.0".into()));
    assert_eq!((all.len(), fs::read_link(place.home().join("app/current")).unwrap()), (3, "releases/2.5.0".into()));
}
