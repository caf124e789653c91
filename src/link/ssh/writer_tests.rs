//! Writing on this machine through the same interface as on a host.

use std::time::Duration;

use super::*;
use crate::link::permit::Permit;

const TTL: Duration = Duration::from_secs(60);

fn writer() -> Arc<Writer> {
    let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: None };
    Hosts::new(&[host]).writer("web1").unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn permit(run: &str, step: &str, attempt: u32, fence: Option<u64>) -> Permit {
    Permit::mint(run, step, attempt, fence, "7 abc")
}

#[tokio::test]
async fn a_job_is_run_and_its_end_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let writer = writer();
    let held = writer.take_lease(permit("R1", "lease", 1, None), folder, "anna", TTL, soon()).await.unwrap();
    let LeaseAnswer::Held { fence: 1, mark } = held else { panic!("{held:?}") };
    let job = Job { folder, script: Script("echo \"[$1]\"; exit 7"), arguments: &["a"] };
    let state = writer.start(permit("R1", "web1/switch", 1, Some(1)), Some(&mark), job, soon()).await.unwrap();
    assert_eq!(state, JobState::Ended { code: 7, out: b"[a]\n".to_vec() });
}
