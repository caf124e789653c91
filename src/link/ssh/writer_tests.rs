//! Writing on this machine through the same interface as on a host: the lease and its fence, jobs that are run once, and
//! each way in which one is refused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::link::permit::Permit;

const TTL: Duration = Duration::from_secs(60);

/// A release folder and a writer of this machine.
struct Place {
    folder: TempDir,
    writer: Arc<Writer>,
}

impl Place {
    fn new() -> Place {
        Place::of(None)
    }

    fn of(machine: Option<&str>) -> Place {
        let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: machine.map(str::to_owned) };
        Place { folder: tempfile::tempdir().unwrap(), writer: Hosts::new(&[host]).writer("web1").unwrap() }
    }

    fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(".quarterdeck").join(name)).unwrap()
    }

    async fn take(&self, run: &str, ttl: Duration) -> LeaseAnswer {
        let permit = Permit::mint(run, "lease", 1, None, "7 abc");
        self.writer.take_lease(permit, self.folder(), "anna on jump1\n", ttl, soon()).await.unwrap()
    }

    /// The fence number.
    async fn held(&self, run: &str) -> u64 {
        match self.take(run, TTL).await {
            LeaseAnswer::Held { fence, .. } => fence,
            other => panic!("{other:?}"),
        }
    }

    async fn mark(&self) -> String {
        self.writer.reader().standing(self.folder(), soon()).await.unwrap().mark.unwrap()
    }

    async fn start(&self, run: &str, step: &str, attempt: u32, fence: Option<u64>, script: &'static str) -> JobState {
        self.until(run, step, attempt, fence, script, soon()).await
    }

    async fn until(&self, run: &str, step: &str, attempt: u32, fence: Option<u64>, script: &'static str, until: Instant) -> JobState {
        let job = Job { folder: self.folder(), script: Script(script), arguments: &[self.folder()] };
        self.writer.start(Permit::mint(run, step, attempt, fence, "9 def"), None, job, until).await.unwrap()
    }

    /// Lets the lease run out: what stands in its file is moved back in time, as the host's clock would move on.
    fn run_out(&self) {
        let file = self.path(".quarterdeck/lease");
        let text = std::fs::read_to_string(&file).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines[4] = "0";
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    }

    /// Starts a job that goes on until [`Place::release`].
    async fn long(&self, run: &str, step: &str, fence: u64) {
        let script = r#"mkfifo "$1/gate"; echo begun; read -r word <"$1/gate"; echo "$word"; exit 3"#;
        let state = self.until(run, step, 1, Some(fence), script, Instant::now() + Duration::from_millis(500)).await;
        assert!(matches!(&state, JobState::Running { .. }), "{state:?}");
    }

    fn release(&self) {
        until_there(&self.path("gate"));
        std::fs::write(self.path("gate"), "go on\n").unwrap();
    }
}

fn until_there(path: &Path) {
    while !path.exists() {
        std::thread::yield_now();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn why(state: JobState) -> String {
    match state {
        JobState::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_job_is_run_and_its_end_output_and_traces_told() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let state = place.start("R1", "web1/switch", 1, Some(fence), "echo out; echo err >&2; exit 7").await;
    assert_eq!(state, JobState::Ended { code: 7, out: b"out\nerr\n".to_vec() });
    assert_eq!(place.own("jobs/R1/web1.switch.1/rc"), "7\n");
    assert_eq!(place.own("jobs/R1/web1.switch.1/log"), "out\nerr\n");
    assert_eq!(place.own("head"), "R1 9 def\n", "the journal's head as of the newest permit");
    assert_eq!(place.writer.reader().job(place.folder(), "R1", "web1/switch", 1).await.unwrap(), state);
    assert_eq!(place.writer.reader().job(place.folder(), "R1", "web1/switch", 2).await.unwrap(), JobState::Never);
    assert_eq!(place.writer.reader().job("/nonexistent", "R1", "web1/switch", 1).await.unwrap(), JobState::Never);
    for code in [0, 10, 11, 255] {
        let script = match code {
            0 => "true",
            10 => "exit 10",
            11 => "exit 11",
            _ => "exit 255",
        };
        let state = place.start("R1", "s", code + 1, Some(fence), script).await;
        assert!(matches!(state, JobState::Ended { code: said, .. } if said == code as i32), "{code}: {state:?}");
    }
}

#[tokio::test]
async fn a_job_is_started_once_however_often_it_is_asked_for() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let count = r#"echo x >>"$1/count"; exit 4"#;
    let (one, two) = tokio::join!(place.start("R1", "a", 1, Some(fence), count), place.start("R1", "a", 1, Some(fence), count));
    assert_eq!((&one, &two), (&JobState::Ended { code: 4, out: vec![] }, &one));
    // Even when its lease is another's by now: this is only how it stands.
    assert_eq!(place.start("R1", "a", 1, Some(fence + 9), count).await, one);
    assert_eq!(std::fs::read_to_string(place.path("count")).unwrap(), "x\n");
    // One that was under way while its successor began comes too late.
    place.start("R1", "b", 2, Some(fence), count).await;
    assert!(why(place.start("R1", "b", 1, Some(fence), count).await).contains("try 2 of this step began"));
    assert_eq!(std::fs::read_to_string(place.path("count")).unwrap(), "x\nx\n");
    // Names that look alike in a folder are two jobs.
    place.start("R1", "a.b/c", 1, Some(fence), count).await;
    place.start("R1", "a/b/c", 1, Some(fence), count).await;
    assert_eq!(std::fs::read_to_string(place.path("count")).unwrap().lines().count(), 4);
}

/// Whoever asks how a job stands shares its lock for a moment; a start in that moment was refused once.
#[tokio::test]
async fn a_job_that_is_looked_at_while_it_is_started_is_started() {
    let place = Place::new();
    let fence = place.held("r1").await;
    let job = place.path(".quarterdeck/jobs/r1/a.1");
    std::fs::create_dir_all(&job).unwrap();
    let (lock, go) = (job.join("lock"), place.path("go"));
    // It looks until the start waits for it.
    let looks = r#"exec 7>>"$0"; flock -s 7; : >"$1.has"; while [ ! -e "$1" ]; do sleep 0.02; done"#;
    let mut looking = std::process::Command::new("sh").args(["-c", looks]).arg(&lock).arg(&go).spawn().unwrap();
    until_there(&place.path("go.has"));
    let mut start = std::pin::pin!(place.start("r1", "a", 1, Some(fence), "echo done"));
    let waiting = async {
        // `flock` waits for the lock as a process of its own, by the lock's place in the kernel's list.
        let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&lock).unwrap()).to_string();
        let waits =
            || std::fs::read_to_string("/proc/locks").unwrap().lines().any(|line| line.contains("-> FLOCK") && line.contains(&inode));
        while !waits() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let early = tokio::select! {
        state = &mut start => Some(state),
        () = waiting => None,
    };
    std::fs::write(&go, "").unwrap();
    assert_eq!(early, None, "it waits for whoever looks");
    assert_eq!(start.await, JobState::Ended { code: 0, out: b"done\n".to_vec() });
    looking.wait().unwrap();
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let nasty = ["a b", "$(touch pwned)", "'\"`\n", "-n", "\u{1b}[2J", "é", "*", "; exit 9", "\\"];
    let job = Job { folder: place.folder(), script: Script(r#"printf '%s|' "$@""#), arguments: &nasty };
    let state = place.writer.start(Permit::mint("R1", "a", 1, Some(fence), "1 a"), None, job, soon()).await.unwrap();
    let told = nasty.map(|word| format!("{word}|")).concat();
    assert_eq!(state, JobState::Ended { code: 0, out: told.into_bytes() }, "and hostile output is the caller's to clean");
}

#[tokio::test]
async fn another_run_or_fence_or_none_or_a_lease_that_ran_out_is_refused() {
    let place = Place::new();
    let touch = r#"touch "$1/changed""#;
    assert!(why(place.start("R1", "a", 1, Some(1), touch).await).contains("nobody holds the lease"));
    let old = place.held("R1").await;
    assert!(why(place.start("R2", "a", 1, Some(old), touch).await).contains("held by run R1 (anna on jump1)"));
    let new = place.held("R1").await;
    assert!(new > old, "the same run again: its runner was lost");
    assert!(why(place.start("R1", "a", 1, Some(old), touch).await).contains("another took the run over"));
    place.run_out();
    assert!(why(place.start("R1", "a", 1, Some(new), touch).await).contains("has run out"));
    // Nobody took it meanwhile.
    let kept = place.writer.renew_lease("R1", new, place.folder(), TTL, soon()).await.unwrap();
    assert!(matches!(kept, LeaseAnswer::Held { fence, .. } if fence == new), "{kept:?}");
    assert!(!place.path("changed").exists());
    assert_eq!(place.start("R1", "a", 1, Some(new), touch).await, JobState::Ended { code: 0, out: vec![] });
}

#[tokio::test]
async fn a_runner_that_was_frozen_changes_nothing_after_the_take_over() {
    let place = Place::new();
    let frozen = place.held("R1").await;
    assert!(matches!(place.take("R2", TTL).await, LeaseAnswer::Other { run, seconds: 1.., .. } if run == "R1"));
    place.run_out();
    let taken = place.held("R2").await;
    assert!(taken > frozen);
    let touch = r#"touch "$1/changed""#;
    assert!(why(place.start("R1", "a", 1, Some(frozen), touch).await).contains("held by run R2"));
    let kept = place.writer.renew_lease("R1", frozen, place.folder(), TTL, soon()).await.unwrap();
    assert!(matches!(&kept, LeaseAnswer::Other { run, .. } if run == "R2"), "{kept:?}");
    let given = place.writer.give_lease("R1", frozen, place.folder(), soon()).await.unwrap();
    assert!(matches!(&given, LeaseAnswer::Other { run, .. } if run == "R2"), "{given:?}");
    assert!(!place.path("changed").exists());
    let standing = place.writer.reader().standing(place.folder(), soon()).await.unwrap();
    assert_eq!(standing.lease.map(|lease| (lease.run, lease.fence)), Some(("R2".into(), taken)));
    assert!(matches!(place.writer.give_lease("R2", taken, place.folder(), soon()).await.unwrap(), LeaseAnswer::Held { .. }));
    assert!(place.held("R3").await > taken, "a lease that was given back takes no number back");
}

#[tokio::test]
async fn while_a_job_of_another_run_goes_on_nobody_takes_over() {
    let place = Place::new();
    let fence = place.held("R1").await;
    place.long("R1", "web1/restart", fence).await;
    place.run_out();
    let other = place.take("R2", TTL).await;
    assert!(matches!(&other, LeaseAnswer::Other { run, who, .. } if run == "R1" && who.contains("web1.restart.1 still runs")), "{other:?}");
    let reader = place.writer.reader();
    let mut seen = reader.follow(place.folder(), "R1", "web1/restart", 1, 0, Duration::from_secs(60)).await.unwrap();
    assert_eq!(seen, Followed { state: JobState::Running { out: b"begun\n".to_vec() }, next: 6 });
    place.release();
    let mut all = Vec::new();
    while !(matches!(seen.state, JobState::Ended { .. }) && seen.state.out().is_empty()) {
        seen = reader.follow(place.folder(), "R1", "web1/restart", 1, seen.next, Duration::from_secs(60)).await.unwrap();
        all.extend_from_slice(seen.state.out());
    }
    assert_eq!((seen.state, String::from_utf8(all).unwrap().as_str()), (JobState::Ended { code: 3, out: vec![] }, "go on\n"));
    place.held("R2").await;
}

#[tokio::test]
async fn two_runs_at_once_are_one_run() {
    let place = Place::new();
    let (one, two) = tokio::join!(place.take("R1", TTL), place.take("R2", TTL));
    let held = [&one, &two].iter().filter(|answer| matches!(answer, LeaseAnswer::Held { .. })).count();
    assert_eq!(held, 1, "{one:?} {two:?}");
}

#[tokio::test]
async fn another_target_or_machine_is_refused() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let mark = place.mark().await;
    let script = r#"touch "$1/changed""#;
    for (step, mark, right) in [("a", "another", false), ("b", mark.as_str(), true)] {
        let job = Job { folder: place.folder(), script: Script(script), arguments: &[place.folder()] };
        let state = place.writer.start(Permit::mint("R1", step, 1, Some(fence), "1 a"), Some(mark), job, soon()).await.unwrap();
        assert_eq!(matches!(state, JobState::Ended { code: 0, .. }), right, "{state:?}");
        assert_eq!(place.path("changed").exists(), right);
    }
    let other = Place::of(Some(&"0".repeat(32)));
    let job = Job { folder: other.folder(), script: Script(script), arguments: &[other.folder()] };
    let error = other.writer.start(Permit::mint("R1", "a", 1, None, "1 a"), None, job, soon()).await.unwrap_err();
    assert!(matches!(&error, LinkError::Refused(what) if what.contains("another machine")), "{error:?}");
    let error = other.writer.take_lease(Permit::mint("R1", "lease", 1, None, "1 a"), other.folder(), "anna", TTL, soon()).await;
    assert!(matches!(error, Err(LinkError::Refused(_))), "{error:?}");
    assert!(!other.path(".quarterdeck").exists() && !other.path("changed").exists());
}

/// Each proof taken out once: without it the same call changes something, so that it is that line which holds the promise.
#[tokio::test]
async fn without_its_proof_each_refused_job_would_have_run() {
    for (proof, run, mark, older, late) in [
        (r#"[ "$l_run" = "$qd_run" ]"#, "R2", "-", false, false),
        (r#"[ "$l_fence" = "$qd_fence" ]"#, "R1", "-", true, false),
        (r#"[ "$l_left" -gt 0 ]"#, "R1", "-", false, true),
        (r#"[ "$qd_c" = "$qd_plan" ]"#, "R1", "another", false, false),
    ] {
        let place = Place::new();
        let first = place.held("R1").await;
        let second = place.held("R1").await;
        let fence = if older { first } else { second }.to_string();
        if late {
            place.run_out();
        }
        let broken: Vec<&str> = shell::START.lines().filter(|line| !line.contains(proof)).collect();
        assert_eq!(broken.len() + 1, shell::START.lines().count(), "{proof}");
        let broken: &'static str = broken.join("\n").leak();
        for (script, changed) in [(shell::START, false), (broken, true)] {
            let touch = r#"touch "$1/changed""#;
            let words = [shell::COMMON, place.folder(), run, "a", "1", &fence, mark, "1 a", "60", shell::JOB, touch, place.folder()];
            let reader = place.writer.reader();
            let printed = reader.run(Script(script), &words, soon(), 1 << 20).await.unwrap();
            let state = reader.state(printed.code, &printed.out, &printed.errors).unwrap();
            assert_eq!(matches!(state, JobState::Refused(_)), !changed, "{proof}: {state:?}");
            assert_eq!(place.path("changed").exists(), changed, "{proof}");
        }
    }
}

#[tokio::test]
async fn what_a_job_runs_has_the_users_own_locale() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let own = std::env::var("LC_ALL").unwrap_or_else(|_| "none".to_owned());
    let state = place.start("R1", "a", 1, Some(fence), r#"echo "${LC_ALL-none}""#).await;
    assert_eq!(state, JobState::Ended { code: 0, out: format!("{own}\n").into_bytes() });
}

#[tokio::test]
async fn a_job_whose_process_is_gone_is_lost_and_is_not_run_again() {
    let place = Place::new();
    let fence = place.held("R1").await;
    place.long("R1", "a", fence).await;
    // Its session: the job's shell and all that it started.
    let pid: i32 = place.own("jobs/R1/a.1/pid").trim().parse().unwrap();
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    let mut state = place.writer.reader().job(place.folder(), "R1", "a", 1).await.unwrap();
    while matches!(state, JobState::Running { .. }) {
        state = place.writer.reader().job(place.folder(), "R1", "a", 1).await.unwrap();
    }
    assert_eq!(state, JobState::Lost { out: b"begun\n".to_vec() });
    assert_eq!(place.start("R1", "a", 1, Some(fence), "true").await, state);
    // A process of that number that is not the one that began, and one of another boot, are not it either.
    let began = place.path(".quarterdeck/jobs/R1/a.1/began");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for text in [format!("{} 1 {boot}", std::process::id()), format!("{pid} 1 other\n"), "x\n".into()] {
        std::fs::write(&began, text).unwrap();
        assert_eq!(place.writer.reader().job(place.folder(), "R1", "a", 1).await.unwrap(), state);
    }
}

#[tokio::test]
async fn a_server_that_a_job_starts_holds_no_lock_and_takes_signals() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let script = r#"setsid sleep 1000 >/dev/null 2>&1 & echo $! >"$1/server"; grep SigIgn /proc/self/status"#;
    let state = place.start("R1", "a", 1, Some(fence), script).await;
    let ignored = String::from_utf8_lossy(state.out()).trim().rsplit_once('\t').map(|(_, mask)| u64::from_str_radix(mask, 16).unwrap());
    assert_eq!(ignored.map(|mask| mask & 0b110), Some(0), "neither SIGINT nor SIGQUIT: {state:?}");
    place.writer.give_lease("R1", fence, place.folder(), soon()).await.unwrap();
    place.held("R2").await;
    let pid: i32 = std::fs::read_to_string(place.path("server")).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn of_much_output_the_last_comes_back_and_all_of_it_part_by_part() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let state = place.start("R1", "a", 1, Some(fence), "head -c 200000 /dev/zero | tr '\\0' x; echo end").await;
    assert!(state.out().len() == OUTPUT && state.out().ends_with(b"xend\n"), "{}", state.out().len());
    let (mut next, mut all) = (0, 0);
    loop {
        let seen = place.writer.reader().follow(place.folder(), "R1", "a", 1, next, Duration::from_secs(60)).await.unwrap();
        if seen.state.out().is_empty() {
            break;
        }
        (next, all) = (seen.next, all + seen.state.out().len());
    }
    assert_eq!(all, 200_004);
}

#[tokio::test]
async fn a_damaged_lease_is_told_and_not_taken_for_a_free_one() {
    let place = Place::new();
    place.held("R1").await;
    for text in ["", "R1\n", "R1\nx\nanna\nb\n1\n1\n", "R1\n1\nanna\nb\n1;reboot\n1\n"] {
        std::fs::write(place.path(".quarterdeck/lease"), text).unwrap();
        let permit = Permit::mint("R2", "lease", 1, None, "7 abc");
        let error = place.writer.take_lease(permit, place.folder(), "bob", TTL, soon()).await.unwrap_err();
        assert!(matches!(&error, LinkError::Refused(what) if what.contains("is damaged")), "{text:?}: {error:?}");
        assert!(place.writer.reader().standing(place.folder(), soon()).await.is_err());
    }
}

#[tokio::test]
async fn a_lease_of_another_boot_ends_with_its_time_after_the_start() {
    let place = Place::new();
    place.held("R1").await;
    // This machine has been up for more than a second, and not for a million years.
    for (ttl, free) in [("1", true), ("31557600000000", false)] {
        std::fs::write(place.path(".quarterdeck/lease"), format!("R1\n1\nanna\nanother-boot\n9999999999999\n{ttl}\n")).unwrap();
        assert_eq!(matches!(place.take("R2", TTL).await, LeaseAnswer::Held { .. }), free, "{ttl}");
    }
}

#[tokio::test]
async fn the_job_folder_is_the_owners_or_its_groups_as_the_release_folder_is() {
    use std::os::unix::fs::PermissionsExt;
    for (mode, folder, file) in [(0o755, 0o700, 0o600), (0o775, 0o2770, 0o660)] {
        let place = Place::new();
        std::fs::set_permissions(place.folder.path(), PermissionsExt::from_mode(mode)).unwrap();
        let fence = place.held("R1").await;
        let state = place.start("R1", "a", 1, Some(fence), "umask").await;
        let mode = |name: &str| std::fs::metadata(place.path(".quarterdeck").join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(""), folder);
        assert_eq!(mode("jobs/R1/a.1"), folder);
        for name in ["mark", "lease", "fence", "head", "lease.lock", "job.lock", "jobs/R1/a.1/log", "jobs/R1/a.1/rc"] {
            assert_eq!(mode(name), file, "{name}");
        }
        let own = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap().stdout;
        assert_eq!(state, JobState::Ended { code: 0, out: own }, "what it runs keeps the user's own umask");
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_told_and_nothing_is_run() {
    let place = Place::new();
    for folder in ["relative", "/nonexistent/folder"] {
        let permit = Permit::mint("R1", "lease", 1, None, "7 abc");
        let error = place.writer.take_lease(permit, folder, "anna", TTL, soon()).await.unwrap_err();
        assert!(matches!(&error, LinkError::Refused(what) if what.contains(folder)), "{error:?}");
    }
    let reader = place.writer.reader();
    let gone = reader.standing("/nonexistent/folder", soon()).await.unwrap();
    assert_eq!(gone, Standing::default());
    assert!(reader.standing(place.folder(), soon()).await.unwrap().writable);
    assert!(!place.path(".quarterdeck").exists(), "a look makes nothing");
    let without = format!("PATH=/nonexistent; export PATH\n{}", shell::COMMON);
    let printed = reader.run(Script(shell::TAKE), &[&without, place.folder(), "R1", "anna", "60"], soon(), 1 << 16).await.unwrap();
    let error = reader.state(printed.code, &printed.out, &printed.errors).unwrap_err();
    assert!(error.to_string().contains("these programs are not there: flock setsid timeout sync"), "{error}");
}

#[tokio::test]
async fn of_old_runs_the_newest_are_kept() {
    let place = Place::new();
    let fence = place.held("R1").await;
    let jobs = place.path(".quarterdeck/jobs");
    for run in 0..60 {
        std::fs::create_dir_all(jobs.join(format!("old{run}"))).unwrap();
    }
    place.start("R1", "a", 1, Some(fence), "true").await;
    assert_eq!(std::fs::read_dir(&jobs).unwrap().count(), 50);
    assert!(jobs.join("R1/a.1/rc").exists());
}

#[tokio::test]
async fn connections_to_this_machine_need_nothing() {
    let host = |name: &str| Host { name: name.into(), site: None, ssh: None, ssh_config: None, machine_id: None };
    let hosts = Hosts::new(&[host("web2"), host("web1")]);
    let told = hosts.connect_all(soon()).await;
    assert_eq!(told, [("web2".to_owned(), Ok(())), ("web1".to_owned(), Ok(()))]);
    assert!(hosts.reader("web1").unwrap().alone().await.is_empty());
}
