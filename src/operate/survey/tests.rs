//! The look at real folders of this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use super::*;
use crate::link::ssh::Hosts;
use crate::model::estate::Host;

async fn here(look: &Look) -> Result<Survey, String> {
    let host = Host { name: "web1".into(), site: None, ssh: None, ssh_config: None, machine_id: None };
    let reader = Hosts::new(&[host]).reader("web1").unwrap();
    survey(&reader, look, Instant::now() + Duration::from_secs(60)).await
}

#[tokio::test]
async fn a_release_folder_is_told_whole_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["2.5.0", "2.4.0", "$(touch x)", "a\nb"] {
        fs::create_dir_all(at("releases").join(name)).unwrap();
    }
    symlink("releases/2.5.0", at("current")).unwrap();
    fs::create_dir(at(".quarterdeck")).unwrap();
    fs::write(at(".quarterdeck/mark"), "m-1\n").unwrap();
    fs::write(at(".quarterdeck/fence"), "4\n").unwrap();
    fs::write(at(".quarterdeck/job.lock"), "run-1 web1/switch\n").unwrap();
    let uptime: f64 = fs::read_to_string("/proc/uptime").unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(at(".quarterdeck/lease"), format!("run-1\n4\nann@jump\n{}\n{}\n600\n", boot.trim(), uptime as u64 + 600)).unwrap();
    fs::write(at("pid"), "77\n").unwrap();
    let path = |name: &str| Some(at(name).to_str().unwrap().to_owned());
    let look = Look { folder: path(""), pid_file: path("pid"), log: path("log"), ..Look::default() };
    let said = here(&look).await.unwrap();
    let found = said.folder.clone().unwrap();
    assert_eq!((found.runs(), found.releases.join("|"), found.odd), (Some("2.5.0"), "$(touch x)|2.4.0|2.5.0".into(), 1));
    assert!(found.there && found.writable && found.free.unwrap() > 0 && found.has("2.4.0") && !found.damaged);
    assert_eq!((found.mark.as_deref(), found.fence, found.busy), (Some("m-1"), 4, None));
    let lease = found.lease.unwrap();
    assert_eq!((lease.run.as_str(), lease.who.as_str(), lease.seconds > 500), ("run-1", "ann@jump", true));
    assert_eq!((said.pid, said.log, said.skew), (Some(77), Some(true), SignedDuration::ZERO));
    assert!(!at("x").exists() && !at("log").exists());
}

#[tokio::test]
async fn a_folder_without_current_and_one_that_is_not_there_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let look = Look { folder: folder.path().to_str().map(str::to_owned), ..Look::default() };
    assert!(!here(&look).await.unwrap().folder.unwrap().there, "it has no `releases`");
    fs::create_dir(folder.path().join("releases")).unwrap();
    let found = here(&look).await.unwrap().folder.unwrap();
    assert_eq!((found.there, found.runs(), found.current.clone()), (true, None, Some(Err("it is not there".to_owned()))));
}

#[tokio::test]
async fn ten_thousand_releases_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..10_000 {
        fs::create_dir_all(folder.path().join(format!("releases/2026-11-21T14-00-00Z-build-{n:05}-0123456789abcdef0123456789abcdef")))
            .unwrap();
    }
    symlink("releases/none", folder.path().join("current")).unwrap();
    let look = Look { folder: folder.path().to_str().map(str::to_owned), ..Look::default() };
    assert_eq!(here(&look).await.unwrap().folder.unwrap().releases.len(), 10_000);
}
