//! The scripts themselves, under every shell that is here, with programs of our own before those of the machine: a
//! `systemctl` that tells what a test wants, a `mv` that knows no `-T`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::job::COMMON;
use super::unit::SHOW;
use super::{release, restart, running, unit};
use crate::link::ssh::Script;

/// Keeps how the unit stands in the file `state`; `start` makes it what `started` holds.
const SYSTEMCTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
printf '%s\n' "$*" >>"$here/calls"
case $1 in
  show) cat "$here/state";;
  stop) [ -e "$here/denied" ] && { echo 'Interactive authentication required.' >&2; exit 1; }
    printf '%s\n' Type=simple LoadState=loaded ActiveState=inactive SubState=dead MainPID=0 NRestarts=0 Result=success >"$here/state";;
  start|restart) cat "$here/started" >"$here/state"; [ ! -e "$here/ends" ] || exit "$(cat "$here/ends")";;
esac
"#;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Bench { folder }
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.folder.path().join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("bin").join(name), text).unwrap();
    }

    fn get(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("bin").join(name)).unwrap_or_default()
    }

    fn run(&self, shell: &[&str], script: Script, words: &[&str]) -> (i32, String) {
        let machine = fs::read_to_string("/etc/machine-id").map(|id| id.trim().to_owned()).unwrap_or_else(|_| "-".into());
        let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", self.folder.path().join("bin").display());
        let out = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", script.0, "sh", COMMON, &machine])
            .args(words)
            .env("PATH", path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).trim_end().to_owned();
        (out.status.code().unwrap(), text)
    }
}

/// Those that are here.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["/bin/sh"], vec!["/bin/bash"], vec!["/bin/busybox", "sh"]];
    all.into_iter().filter(|shell| Path::new(shell[0]).exists()).collect()
}

fn state(active: &str, sub: &str, pid: u32) -> String {
    // Its order is systemd's own, not that of the question.
    format!("Result=success\nMainPID={pid}\nType=simple\nNRestarts=0\nLoadState=loaded\nActiveState={active}\nSubState={sub}\n")
}

#[test]
fn a_unit_is_stopped_and_started_once_and_read_back() {
    for shell in shells() {
        let bench = Bench::new();
        bench.program("systemctl", SYSTEMCTL);
        bench.program("journalctl", "#!/bin/sh\necho 'bind: address already in use'\n");
        bench.put("state", &state("active", "running", 7));
        bench.put("started", &state("active", "running", 8));
        let change = |verb: &str| bench.run(&shell, unit::CHANGE, &[SHOW, "-", "app.service", verb]);
        let look = |verb: &str| bench.run(&shell, unit::LOOK, &[SHOW, verb, "app.service"]);
        let calls = || bench.get("calls").lines().filter(|call| !call.starts_with("show")).map(str::to_owned).collect::<Vec<_>>();

        assert_eq!(look("stop"), (12, "app.service is active (running)".into()));
        assert_eq!(change("stop"), (0, "app.service is inactive (dead)".into()));
        assert_eq!(look("stop").0, 0);
        assert_eq!(change("stop"), (10, "app.service is inactive (dead) already".into()));
        assert_eq!(look("start").0, 12);
        assert_eq!(change("start"), (0, "app.service is active (running), process 8".into()));
        assert_eq!(change("start").0, 10);
        assert_eq!(calls(), ["stop app.service", "start app.service"], "{shell:?}");

        // It dies at once, and systemctl says nothing of it.
        for (active, sub) in [("failed", "failed"), ("activating", "auto-restart"), ("inactive", "dead")] {
            change("stop");
            bench.put("started", &state(active, sub, 0));
            let (code, said) = change("start");
            assert_eq!(code, 1, "{said}");
            assert!(said.starts_with("bind: address already in use\n"), "{said}");
            assert!(
                said.ends_with(&format!("app.service is {active} ({sub}) after start (systemctl ended by 0, result success)")),
                "{said}"
            );
        }
        bench.put("started", &state("inactive", "dead", 0).replace("simple", "oneshot"));
        assert_eq!(change("start").0, 0, "one that runs to its end");
        bench.put("state", &state("active", "running", 7));
        bench.put("denied", "");
        let (code, said) = change("stop");
        assert!(code == 1 && said.contains("is active (running) after stop (systemctl ended by 1"), "{said}");
        for (active, sub, verb, code) in [
            ("deactivating", "stop-sigterm", "stop", 13),
            ("activating", "start-pre", "start", 13),
            ("activating", "auto-restart", "start", 11),
            ("failed", "failed", "stop", 0),
            ("failed", "failed", "start", 12),
        ] {
            bench.put("state", &state(active, sub, 0));
            assert_eq!(look(verb).0, code, "{active} {verb}");
        }
    }
}

#[test]
fn a_unit_that_is_not_there_is_masked_or_no_unit_is_refused_before_anything_is_done() {
    for shell in shells() {
        let bench = Bench::new();
        bench.program("systemctl", SYSTEMCTL);
        for load in ["not-found", "masked", "bad-setting"] {
            bench.put("state", &state("inactive", "dead", 0).replace("LoadState=loaded", &format!("LoadState={load}")));
            for verb in ["stop", "start"] {
                let said = bench.run(&shell, unit::CHANGE, &[SHOW, "-", "app.service", verb]);
                assert_eq!(said, (11, format!("app.service is {load}")));
                assert_eq!(bench.run(&shell, unit::LOOK, &[SHOW, verb, "app.service"]).0, 11);
            }
        }
        assert_eq!(bench.run(&shell, unit::CHANGE, &[SHOW, "-", "--now", "start"]).0, 11);
        assert!(bench.get("calls").lines().all(|call| call.starts_with("show")), "{}", bench.get("calls"));
        // What is no answer is no state.
        bench.put("state", "");
        assert_eq!(bench.run(&shell, unit::CHANGE, &[SHOW, "-", "app.service", "start"]).0, 1);
    }
}

#[test]
fn with_sudo_the_command_is_the_one_that_a_rule_of_sudoers_names() {
    let bench = Bench::new();
    bench.program("systemctl", SYSTEMCTL);
    bench.program("sudo", "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$(dirname \"$0\")/sudo.calls\"\nshift\nexec \"$@\"\n");
    bench.put("state", &state("active", "running", 7));
    assert_eq!(bench.run(&["/bin/sh"], unit::CHANGE, &[SHOW, "sudo", "app.service", "stop"]).0, 0);
    assert_eq!(bench.get("sudo.calls"), "-n systemctl stop app.service\n");
}

#[test]
fn a_units_process_must_be_new_active_and_in_the_release() {
    let release = tempfile::tempdir().unwrap();
    fs::create_dir_all(release.path().join("releases/1.0")).unwrap();
    let folder = release.path().display().to_string();
    let mut process = Command::new("sleep").arg("1000").current_dir(release.path().join("releases/1.0")).spawn().unwrap();
    let id = process.id();
    for shell in shells() {
        let bench = Bench::new();
        bench.program("systemctl", SYSTEMCTL);
        let look = |before: &str| bench.run(&shell, running::LOOK, &[SHOW, &folder, "releases/1.0", "unit", "app.service", before, "-"]);
        bench.put("state", &state("active", "running", id));
        let (code, said) = look("1");
        assert!(code == 0 && said.starts_with(&format!("process {id} works in ")), "{said}");
        assert_eq!(look(&id.to_string()), (12, format!("process {id} is the one of before")));
        bench.put("state", &state("activating", "auto-restart", 0));
        assert_eq!(look("-").0, 12);
        bench.put("state", &state("failed", "failed", 0));
        assert_eq!(look("-"), (11, "app.service is failed (failed)".into()));
        // It is started again between the two looks.
        let restarts =
            "#!/bin/sh\nhere=$(dirname \"$0\")\necho x >>\"$here/n\"\ncat \"$here/state\"\necho NRestarts=$(wc -l <\"$here/n\")\n";
        bench.program("systemctl", restarts);
        bench.put("state", &state("active", "running", id));
        let (code, said) = look("-");
        assert!(code == 12 && said.contains("started again meanwhile"), "{said}");
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

/// `mv` of a system that has neither `-T` nor `-h`.
const OLD_MV: &str = r#"#!/bin/sh
case $1 in -*T*|-*h*) echo "mv: invalid option" >&2; exit 1;; esac
exec /bin/mv "$@"
"#;

#[test]
fn the_link_is_renamed_and_never_moved_into_the_folder_that_it_leads_to() {
    for shell in shells() {
        for mv in [None, Some(OLD_MV)] {
            let bench = Bench::new();
            if let Some(mv) = mv {
                bench.program("mv", mv);
            }
            let folder = bench.folder.path().join("web");
            for release in ["1.0", "1.1"] {
                fs::create_dir_all(folder.join("releases").join(release)).unwrap();
            }
            symlink("releases/1.1", folder.join("current")).unwrap();
            let words = ["run-1", &folder.display().to_string(), "releases/1.1", "releases/1.0"];
            assert_eq!(
                bench.run(&shell, release::SWITCH, &words),
                (0, "current leads to releases/1.0, before to releases/1.1".into()),
                "{shell:?}"
            );
            assert_eq!(fs::read_link(folder.join("current")).unwrap(), Path::new("releases/1.0"));
            for release in ["1.0", "1.1"] {
                assert_eq!(fs::read_dir(folder.join("releases").join(release)).unwrap().count(), 0, "{shell:?}");
            }
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
            assert_eq!(bench.run(&shell, release::SWITCH, &words).0, 10);
        }
    }
}

#[test]
fn where_nothing_can_rename_the_link_stays_and_nothing_is_left_behind() {
    let bench = Bench::new();
    for name in ["mv", "perl", "python3"] {
        bench.program(name, "#!/bin/sh\necho 'no: it is not to be' >&2\nexit 1\n");
    }
    let folder = bench.folder.path().join("web");
    for release in ["1.0", "1.1"] {
        fs::create_dir_all(folder.join("releases").join(release)).unwrap();
    }
    symlink("releases/1.1", folder.join("current")).unwrap();
    let words = ["run-1", &folder.display().to_string(), "releases/1.1", "releases/1.0"];
    let said = bench.run(&["/bin/sh"], release::SWITCH, &words);
    assert_eq!(said, (1, "the link cannot be put in place: no: it is not to be".into()));
    assert_eq!(fs::read_link(folder.join("current")).unwrap(), Path::new("releases/1.1"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

/// The world moved since the plan was made: a switch says so and changes nothing. And a planted break: the same script
/// without its expectation changes it, which the same look tells.
#[test]
fn a_switch_of_a_link_that_moved_is_refused_and_one_without_its_expectation_is_seen() {
    let expects = r#"[ "$qd_now" = "$qd_from" ] || "#;
    let careless: &'static str =
        release::SWITCH.0.lines().filter(|line| !line.starts_with(expects)).map(|line| format!("{line}\n")).collect::<String>().leak();
    assert!(careless.lines().count() + 1 == release::SWITCH.0.lines().count());
    for shell in shells() {
        let after = |script: Script| {
            let bench = Bench::new();
            let folder = bench.folder.path().join("web");
            for release in ["1.0", "1.1", "1.2"] {
                fs::create_dir_all(folder.join("releases").join(release)).unwrap();
            }
            symlink("releases/1.2", folder.join("current")).unwrap();
            let (code, said) = bench.run(&shell, script, &["run-1", &folder.display().to_string(), "releases/1.1", "releases/1.0"]);
            (code, said, fs::read_link(folder.join("current")).unwrap())
        };
        let (code, said, leads) = after(release::SWITCH);
        assert_eq!((code, said.as_str()), (11, "current leads to releases/1.2, expected releases/1.1"), "{shell:?}");
        assert_eq!(leads, Path::new("releases/1.2"));
        let (code, _, leads) = after(Script(careless));
        assert_eq!((code, leads.as_path()), (0, Path::new("releases/1.0")), "the break is seen");
    }
}

#[test]
fn a_unit_is_restarted_once_and_never_where_it_was_stopped_or_started_anew() {
    let of = |active: &str, sub: &str, pid: u32, id: &str| format!("{}InvocationID={id}\nJob=0\n", state(active, sub, pid));
    for shell in shells() {
        let bench = Bench::new();
        bench.program("systemctl", SYSTEMCTL);
        bench.program("journalctl", "#!/bin/sh\necho 'bind: address already in use'\n");
        bench.put("state", &of("active", "running", 7, "aa"));
        bench.put("started", &of("active", "running", 8, "bb"));
        let change = |before: &str| bench.run(&shell, restart::CHANGE, &[SHOW, "-", "app.service", before]);
        let look = |before: &str| bench.run(&shell, restart::LOOK, &[SHOW, "app.service", before]);
        let calls = || bench.get("calls").lines().filter(|call| !call.starts_with("show")).count();

        assert_eq!(look("aa"), (12, "app.service is active (running), started before the plan was made".into()));
        assert_eq!(change("aa"), (0, "app.service is active (running) anew, process 8".into()));
        assert_eq!(look("aa"), (0, "app.service is active (running), started anew: process 8".into()));
        let (code, said) = change("aa");
        assert!(code == 10 && said.contains("started anew since the plan was made"), "{code} {said}");
        assert_eq!(calls(), 1, "{shell:?}: it is not restarted twice");
        // Somebody stopped it on purpose; systemd is at it; it fell over and systemd starts it again and again.
        for (now, code) in [(of("inactive", "dead", 0, "bb"), 11), (of("deactivating", "stop-sigterm", 8, "bb"), 11)] {
            bench.put("state", &now);
            assert_eq!((change("-").0, calls()), (code, 1), "{now}");
        }
        bench.put("state", &of("activating", "start", 9, "cc").replace("Job=0", "Job=41"));
        assert_eq!(look("aa").0, 13);
        bench.put("state", &of("failed", "failed", 0, "cc"));
        assert_eq!(look("aa").0, 11, "it was started anew, and failed");
        // What failed is restarted, whatever it was before; one that fails again says why.
        bench.put("started", &of("failed", "failed", 0, "dd"));
        let (code, said) = change("aa");
        assert!(code == 1 && said.starts_with("bind: address already in use\n"), "{code} {said}");
        assert_eq!(calls(), 2, "{shell:?}");
    }
}

/// Planted breaks: a restart without what it expects restarts what was started anew meanwhile, and starts what somebody
/// stopped, which the same look tells.
#[test]
fn a_restart_without_what_it_expects_is_seen() {
    let without = |part: &str| -> &'static str {
        let kept = restart::CHANGE.0.lines().filter(|line| !line.contains(part));
        let careless = kept.map(|line| format!("{line}\n")).collect::<String>();
        assert!(careless.lines().count() + 1 == restart::CHANGE.0.lines().count(), "{part}");
        careless.leak()
    };
    let anew = format!("{}InvocationID=bb\nJob=0\n", state("active", "running", 8));
    let stopped = format!("{}InvocationID=aa\nJob=0\n", state("inactive", "dead", 0));
    for (now, part) in [(anew, "started anew since the plan was made"), (stopped, "it was stopped, and is not started by a restart")] {
        for (script, restarted) in [(restart::CHANGE, 0), (Script(without(part)), 1)] {
            let bench = Bench::new();
            bench.program("systemctl", SYSTEMCTL);
            bench.put("state", &now);
            bench.put("started", &format!("{}InvocationID=cc\nJob=0\n", state("active", "running", 9)));
            bench.run(&["/bin/sh"], script, &[SHOW, "-", "app.service", "aa"]);
            let calls = bench.get("calls").lines().filter(|call| call.starts_with("restart")).count();
            assert_eq!(calls, restarted, "{part}");
        }
    }
}
