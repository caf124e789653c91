//! The scripts themselves, under every shell that is here: the order of what a job writes down, and a whole life of a
//! lease and a job with the programs of BusyBox alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::shell::{ATTACH, COMMON, JOB, KEEP, START, TAKE};

/// Those that are here.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["/bin/sh"], vec!["/bin/bash"], vec!["/bin/busybox", "sh"]];
    all.into_iter().filter(|shell| Path::new(shell[0]).exists()).collect()
}

/// What a job did, one after the other, where `sync` only writes down that it was called.
fn order(shell: &[&str], script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let job = folder.path().join("jobs/R1/a.1");
    fs::create_dir_all(&job).unwrap();
    let told = folder.path().join("told");
    let counting = format!("qd_told={}\nsync() {{ printf 'sync %s\\n' \"${{1##*/}}\" >>\"$qd_told\"; }}\n{script}", told.display());
    let runs = "[ -s \"$1/jobs/R1/a.1/began\" ] && echo runs >>\"$qd_told\"";
    let status = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", &counting, "quarterdeck"])
        .args([folder.path(), &job])
        .args(["022", "", runs])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success(), "{shell:?}");
    assert_eq!(fs::read_to_string(job.join("rc")).unwrap(), "0\n", "{shell:?}");
    fs::read_to_string(told).unwrap().lines().map(str::to_owned).collect()
}

/// Promise 1 where the power goes: a job that ran is never read as one that never began.
#[test]
fn that_a_job_began_is_synced_once_before_its_script_runs() {
    for shell in shells() {
        assert_eq!(order(&shell, JOB), ["sync began", "runs", "sync log", "sync a.1"], "{shell:?}");
        // A planted break: without that line the order tells it.
        let broken: String =
            JOB.lines().filter(|line| !line.starts_with("sync \"$qd_job/began\"")).map(|line| format!("{line}\n")).collect();
        assert_ne!(broken, JOB);
        assert_eq!(order(&shell, &broken)[0], "runs", "{shell:?}");
    }
}

/// Programs of one BusyBox, and nothing else but a `flock` where it has none, as that of Debian.
struct Busy {
    folder: TempDir,
    path: PathBuf,
}

impl Busy {
    fn new() -> Option<Busy> {
        let busybox = Path::new("/bin/busybox");
        if !busybox.exists() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        fs::create_dir(&path).unwrap();
        let list = Command::new(busybox).arg("--list").output().unwrap();
        for name in String::from_utf8(list.stdout).unwrap().lines() {
            symlink(busybox, path.join(name)).unwrap();
        }
        fs::create_dir(folder.path().join("web")).unwrap();
        Some(Busy { folder, path })
    }

    /// Its own `flock`, or the one of this machine.
    fn lend_flock(&self) {
        if !self.path.join("flock").exists() {
            symlink("/usr/bin/flock", self.path.join("flock")).unwrap();
        }
    }

    fn run(&self, script: &str, words: &[&str]) -> String {
        let web = self.folder.path().join("web");
        let out = Command::new(self.path.join("sh"))
            .args(["-c", script, "sh", COMMON])
            .arg(web)
            .args(words)
            .env_clear()
            .envs([("PATH", self.path.as_os_str()), ("HOME", self.folder.path().as_os_str())])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

#[test]
fn a_host_with_the_programs_of_busybox_keeps_leases_and_runs_jobs_once() {
    // Without it tests/run says that it is missing, which fails in CI.
    let Some(busy) = Busy::new() else { return };
    if !busy.path.join("flock").exists() {
        let told = busy.run(TAKE, &["R1", "ann@jump", "60"]);
        assert!(told.starts_with("broken these programs are not there: flock;"), "{told}");
        busy.lend_flock();
    }
    let taken = busy.run(TAKE, &["R1", "ann@jump", "60"]);
    assert!(taken.starts_with("held\n1\n"), "{taken}");
    assert!(busy.run(TAKE, &["R2", "ben@jump", "60"]).starts_with("other R1\nother ann@jump\n"));
    let start =
        |fence: &str| busy.run(START, &["R1", "a", "1", fence, "-", "9 def", "30", JOB, r#"echo "$1" | tee -a "$HOME/count""#, "told"]);
    assert!(start("9").starts_with("refused the lease there has fence number 1"), "{}", start("9"));
    assert_eq!(start("1"), "ended 0\ntold\n");
    assert_eq!(start("1"), "ended 0\ntold\n", "it is never started again");
    assert_eq!(fs::read_to_string(busy.folder.path().join("count")).unwrap(), "told\n");
    assert_eq!(busy.run(ATTACH, &["R1", "a.1", "-", "0"]), "ended 0\ntold\n");
    assert_eq!(busy.run(ATTACH, &["R1", "a.2", "-", "0"]), "never\n");
    assert!(busy.run(KEEP, &["R1", "1", "60"]).starts_with("held\n1\n"));
    assert!(busy.run(KEEP, &["R1", "1", "0"]).starts_with("held\n1\n"), "given back");
    assert!(busy.run(TAKE, &["R2", "ben@jump", "60"]).starts_with("held\n2\n"));
}

/// Runs a script of ours on a release folder of this machine, as it is.
fn here(folder: &Path, script: &str, words: &[&str]) -> String {
    let out = Command::new("sh").args(["-c", script, "sh", COMMON]).arg(folder).args(words).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// A runner that was overtaken comes with an old fence number. Planted breaks: a start that does not look at the fence
/// number, or at no lease at all, changes something, which the same look tells.
#[test]
fn a_job_without_the_proof_of_its_lease_is_seen() {
    let without = |what: &[&str]| {
        let kept = START.lines().filter(|line| !what.iter().any(|what| line.trim_start().starts_with(what)));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let (fence, run) = (r#"[ "$l_fence" = "$qd_fence" ] ||"#, r#"[ "$l_run" = "$qd_run" ] ||"#);
    let changed = |script: &str, of: &str, number: &str| {
        let folder = tempfile::tempdir().unwrap();
        for (run, word) in [("R1", "held\n1\n"), ("R1", "held\n2\n")] {
            assert!(here(folder.path(), TAKE, &[run, "ann@jump", "60"]).starts_with(word));
        }
        let touch = r#"touch "$1""#;
        let mark = folder.path().join("changed");
        let words = [of, "a", "1", number, "-", "9 def", "30", JOB, touch, mark.to_str().unwrap()];
        let said = here(folder.path(), script, &words);
        (mark.exists(), said)
    };
    for (of, number, why) in [("R1", "1", "fence number 2"), ("R2", "2", "held by run R1"), ("R9", "9", "held by run R1")] {
        let (did, said) = changed(START, of, number);
        assert!(!did && said.starts_with("refused ") && said.contains(why), "{said}");
    }
    assert!(changed(START, "R1", "2").0);
    assert!(changed(&without(&[fence]), "R1", "1").0, "the break is seen");
    assert!(changed(&without(&[run]), "R2", "2").0, "the break is seen");
    assert!(changed(&without(&[run, fence]), "R9", "9").0, "the break is seen");
}

/// Arguments that a shell would read as its own words reach a job as they are. A planted break: a job whose shell parses
/// them does what they say, which the same look tells.
#[test]
fn an_argument_that_a_shell_parses_is_seen() {
    let parsed = |script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("changed");
        let nasty = format!("$(touch {})", mark.display());
        let said = here(folder.path(), START, &["R1", "a", "1", "-", "-", "9 def", "30", JOB, script, "x y", &nasty, "; exit 9", "*"]);
        (mark.exists(), said.contains(&format!("<x y><{nasty}><; exit 9><*>")), said)
    };
    let (did, whole, said) = parsed(r#"printf '<%s>' "$@""#);
    assert!(!did && whole, "{said}");
    let (did, whole, _) = parsed(r#"eval "printf '<%s>' $*""#);
    assert!(did && !whole, "the break is seen");
}
