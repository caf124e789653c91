//! Jobs on a host over a real sshd: they outlive the link, the client and the connection's master, and their exit code is
//! their own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::link::http::LinkError;
use quarterdeck::link::permit::Permit;
use quarterdeck::link::ssh::{Hosts, Job, JobState, LeaseAnswer, Script, Writer};
use quarterdeck::model::estate::Host;
use tempfile::tempdir;
use tokio::time::Instant;

use crate::sshd::{Sshd, have_sshd};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn host(name: &str, sshd: Option<&Sshd>) -> Host {
    let ssh = sshd.map(|_| "box".to_owned());
    Host { name: name.into(), site: None, ssh, ssh_config: sshd.map(|sshd| sshd.path("ssh_config")), machine_id: None }
}

fn permit(step: &str, fence: u64) -> Permit {
    Permit::mint("R1", step, 1, Some(fence), "1 a")
}

async fn there(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn taken(writer: &Writer, folder: &str) -> u64 {
    let permit = Permit::mint("R1", "lease", 1, None, "1 a");
    match writer.take_lease(permit, folder, "anna", Duration::from_secs(600), soon()).await.unwrap() {
        LeaseAnswer::Held { fence, .. } => fence,
        other => panic!("{other:?}"),
    }
}

/// Waits for the end of a job, asking anew as a runner does.
async fn ended(hosts: &Hosts, folder: &str, step: &str) -> JobState {
    let reader = hosts.reader("web1").unwrap();
    let mut from = 0;
    loop {
        let seen = reader.follow(folder, "R1", step, 1, from, Duration::from_secs(10)).await.unwrap();
        from = seen.next;
        if !matches!(seen.state, JobState::Running { .. }) {
            return reader.job(folder, "R1", step, 1).await.unwrap();
        }
    }
}

/// Says much until it is told to end.
const CHATTY: Script = Script(r#"while [ ! -e "$1/stop" ]; do echo chatter; touch "$1/runs"; sleep 0.02; done; echo last; exit 42"#);

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_when_the_link_is_cut_and_its_exit_code_is_read_over_another() {
    if !have_sshd("a_job_goes_on_when_the_link_is_cut_and_its_exit_code_is_read_over_another") {
        return;
    }
    let sshd = Sshd::start();
    let place = tempdir().unwrap();
    let folder = place.path().to_str().unwrap();
    let hosts = Hosts::new(&[host("web1", Some(&sshd))]);
    assert!(hosts.connect_all(soon()).await.iter().all(|(name, made)| name == "web1" && made.is_ok()));
    assert_eq!(sshd.masters(), 1, "it stands before anything is asked");
    let writer = hosts.writer("web1").unwrap();
    let fence = taken(&writer, folder).await;

    // Its 255 is not that of ssh.
    let job = |script| Job { folder, script, arguments: std::slice::from_ref(&folder) };
    let state = writer.start(permit("a", fence), None, job(Script("echo x; exit 255")), soon()).await.unwrap();
    assert_eq!(state, JobState::Ended { code: 255, out: b"x\n".to_vec() });

    // The sessions are killed while it runs: nothing is known then, and it goes on.
    let (cut, ()) = tokio::join!(writer.start(permit("b", fence), None, job(CHATTY), soon()), async {
        there(&place.path().join("runs")).await;
        sshd.cut_sessions();
    });
    assert!(matches!(&cut, Err(LinkError::Unreachable(_))), "{cut:?}");
    let state = writer.reader().job(folder, "R1", "b", 1).await.unwrap();
    assert!(matches!(&state, JobState::Running { out } if out.starts_with(b"chatter\n")), "{state:?}");
    fs::write(place.path().join("stop"), "").unwrap();
    let state = ended(&hosts, folder, "b").await;
    assert!(matches!(&state, JobState::Ended { code: 42, out } if out.ends_with(b"chatter\nlast\n")), "{state:?}");
    drop((hosts, writer));
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_when_its_client_and_the_master_are_killed() {
    if !have_sshd("a_job_goes_on_when_its_client_and_the_master_are_killed") {
        return;
    }
    let sshd = Sshd::start();
    let place = tempdir().unwrap();
    let folder = place.path().to_str().unwrap().to_owned();
    let hosts = Arc::new(Hosts::new(&[host("web1", Some(&sshd))]));
    let fence = taken(&hosts.writer("web1").unwrap(), &folder).await;
    let start = tokio::spawn({
        let (writer, folder) = (hosts.writer("web1").unwrap(), folder.clone());
        async move {
            let job = Job { folder: &folder, script: CHATTY, arguments: &[&folder] };
            writer.start(permit("a", fence), None, job, soon()).await
        }
    });
    there(&place.path().join("runs")).await;
    // Nobody waits any more: ssh is killed, and so is the master.
    start.abort();
    let _ = start.await;
    drop(hosts);
    sshd.nothing_is_left();
    let before = fs::metadata(place.path().join(".quarterdeck/jobs/R1/a.1/log")).unwrap().len();
    while fs::metadata(place.path().join(".quarterdeck/jobs/R1/a.1/log")).unwrap().len() <= before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    // The connection first, with its own time: what little the start is given is for the job.
    let hosts = Hosts::new(&[host("web1", Some(&sshd))]);
    assert!(hosts.connect_all(soon()).await.iter().all(|(_, made)| made.is_ok()));
    let writer = hosts.writer("web1").unwrap();
    // Asked for again, it is not started again.
    let job = Job { folder: &folder, script: CHATTY, arguments: &[&folder] };
    let state = writer.start(permit("a", fence), None, job, Instant::now() + Duration::from_millis(300)).await.unwrap();
    assert!(matches!(state, JobState::Running { .. }), "{state:?}");
    fs::write(place.path().join("stop"), "").unwrap();
    let state = ended(&hosts, &folder, "a").await;
    assert!(matches!(&state, JobState::Ended { code: 42, out } if out.ends_with(b"last\n")), "{state:?}");
    let text = String::from_utf8(state.out().to_vec()).unwrap();
    assert_eq!(text.matches("last").count(), 1, "it ran once");
    drop((hosts, writer));
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_reached_is_told_among_those_that_can() {
    if !have_sshd("a_host_that_cannot_be_reached_is_told_among_those_that_can") {
        return;
    }
    let (sshd, mut dead) = (Sshd::start(), Sshd::start());
    dead.kill();
    let hosts = Hosts::new(&[host("web1", Some(&sshd)), host("web2", Some(&dead)), host("here", None)]);
    let told = hosts.connect_all(soon()).await;
    let told: Vec<(&str, bool)> = told.iter().map(|(name, made)| (name.as_str(), made.is_ok())).collect();
    assert_eq!(told, [("web1", true), ("web2", false), ("here", true)]);
    // The key of these tests has no passphrase, and no agent is asked.
    assert_eq!(hosts.reader("web1").unwrap().alone().await, Vec::<String>::new());
    drop(hosts);
    sshd.nothing_is_left();
}
