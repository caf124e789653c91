//! That the hosts are what they say, and that the console reads them: releases of three of them over real ssh, one that is
//! cut and comes back, and one that is another machine.

use std::fs;
use std::path::Path;

use quarterdeck::model::reading::{FailureKind, Reading};
use quarterdeck::model::source::{Answer, HistoryAnswer};
use serde_json::Value;
use tempfile::tempdir;

use super::{Kind, hosts, qd};
use crate::estate::{Console, estate};
use crate::servers::until;

fn answer(reading: &Reading<Answer>) -> Option<&HistoryAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::History(answer) => Some(answer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_is_a_real_one_and_nothing_of_it_is_left() {
    let Some(mut hosts) = hosts("a_host_is_a_real_one_and_nothing_of_it_is_left", 1) else { return };
    let web1 = &hosts[0];
    assert_eq!(web1.ssh("deploy", "hostname; cat /etc/machine-id").out, format!("web1\n{}", web1.machine_id));
    assert_eq!(web1.ssh("root", "systemctl is-system-running").out, "running");
    let unit = web1.unit();
    assert_eq!((unit.active.as_str(), unit.runs.as_str(), web1.current().as_str()), ("active", "1.1", "1.1"));
    let healthy = |version: &str| until("the app answers", || (web1.get("/healthz")? == (200, format!("{version}\n"))).then_some(()));
    healthy("1.1");
    assert!(web1.get("/metrics").unwrap().1.contains("http_request_duration_seconds_count "));

    let restart = || web1.ssh("deploy", "sudo -n systemctl restart app.service").code;
    web1.point_at("1.0");
    assert_eq!((restart(), web1.unit().runs.as_str()), (Some(0), "1.0"));
    healthy("1.0");
    let refused = web1.ssh("deploy", "sudo -n id");
    assert!(refused.code == Some(1) && refused.errors.contains("password is required"), "it may do nothing else: {refused:?}");
    web1.release("1.2", Kind::Exits);
    web1.point_at("1.2");
    assert_eq!(restart(), Some(0), "systemd has started it");
    until("the unit has failed", || (web1.unit().active == "failed").then_some(()));
    assert_eq!((web1.unit().result.as_str(), web1.get("/healthz")), ("exit-code", None));
    web1.release("1.2", Kind::Empty);
    assert_eq!(restart(), Some(1), "there is nothing to start");
    web1.release("1.2", Kind::Answers500);
    assert_eq!(restart(), Some(0));
    until("the app answers", || (web1.get("/healthz")?.0 == 500).then_some(()));
    assert!(web1.get("/metrics").unwrap().1.contains("http_requests_total{code=\"500\"} 1\n"));
    web1.release("1.2", Kind::Slow);
    assert_eq!(restart(), Some(0));
    until("the app answers", || (web1.get("/healthz")?.0 == 200).then_some(()));
    assert!(web1.get("/metrics").unwrap().1.contains("http_request_duration_seconds_bucket{le=\"0.5\"} 0\n"));
    web1.kill_unit();
    assert_eq!((web1.unit().result.as_str(), web1.unit().pid, web1.current().as_str()), ("signal", 0, "1.2"));

    let (before, kept) = (web1.boot_id(), "/home/deploy/kept");
    web1.point_at("1.1");
    web1.ok(&format!("echo told >{kept}"));
    let host = hosts.host(0);
    host.reboot();
    assert_ne!(host.boot_id(), before);
    assert_eq!((host.ok(&format!("cat {kept}")).as_str(), host.unit().runs.as_str()), ("told", "1.1"));

    let mark = hosts.ssh_config().parent().unwrap().to_owned();
    drop(hosts);
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mark.exists() && !mounts.contains(mark.to_str().unwrap()), "{mounts}");
}

/// What `qd deployments` tells of: version, site and result; and the exit code with everything that was printed.
fn told(folder: &Path) -> (Vec<[String; 3]>, Option<i32>, String) {
    let (code, out, errors) = qd(folder, &folder.join("estate.toml"), &["deployments", "-o", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{errors}"));
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    (rows.iter().map(|row| ["version", "site", "result"].map(|key| word(row, key))).collect(), code, out + &errors)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_releases_of_three_hosts_are_told_and_a_host_that_is_cut_is_missed_until_it_is_back() {
    let test = "the_releases_of_three_hosts_are_told_and_a_host_that_is_cut_is_missed_until_it_is_back";
    let Some(hosts) = hosts(test, 3) else { return };
    let folder = tempdir().unwrap();
    let tables = hosts.estate("deploy") + &hosts.history("alone", &["web2"]);
    estate(folder.path(), &tables);
    let (rows, code, text) = told(folder.path());
    assert_eq!(rows, [["1.1", "fra1", "succeeded"], ["1.0", "fra1", "-"]], "{text}");
    assert_eq!(code, Some(0), "{text}");
    let status = |source: usize| {
        let (_, out, errors) = qd(folder.path(), &folder.path().join("estate.toml"), &["status", "-o", "json"]);
        let all: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{errors}"));
        all["sources"][source].clone()
    };
    assert_eq!((&status(0)["state"], &status(0)["history"]["notes"]), (&"fresh".into(), &Value::Array(Vec::new())));

    // They are read each for itself.
    hosts[2].ok("rm -r /opt/app/releases/1.0");
    let notes = status(0)["history"]["notes"].to_string();
    assert!(notes.contains("web3 has not the releases 1.0"), "{notes}");
    hosts[2].release("1.0", Kind::Good);

    // A host that says nothing is given up soon.
    let mut console = Console::open(&estate(folder.path(), &tables.replace("\"10s\"", "\"5s\"")));
    let whole = |readings: &[Reading<Answer>]| {
        readings.iter().all(|reading| reading.failure.is_none() && answer(reading).is_some_and(|told| told.notes.is_empty()))
    };
    console.until("all three are read", whole).await;
    hosts[1].cut();
    console
        .until("the host that is cut is missed, and its own history is unreachable", |readings| {
            let missed = answer(&readings[0]).is_some_and(|told| told.notes.iter().any(|note| note.starts_with("web2: ")));
            missed && readings[1].failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Unreachable)
        })
        .await;
    assert_eq!(answer(&console.readings[0]).unwrap().deployments.len(), 2, "the others are told all the same");
    let (rows, code, text) = told(folder.path());
    assert_eq!((rows.len(), code), (2, Some(1)), "what is known is told, and that something is missing: {text}");
    assert!(text.contains("alone cannot be read"), "{text}");
    assert_eq!(hosts[1].unit().active, "active", "it runs on, by itself");
    hosts[1].mend();
    console.until("all three are read again", whole).await;
}

#[test]
fn a_host_with_another_machine_id_is_refused() {
    let Some(hosts) = hosts("a_host_with_another_machine_id_is_refused", 2) else { return };
    let folder = tempdir().unwrap();
    // The estate file has them the wrong way round: web1's address leads to web2.
    let swapped = hosts.estate("root").replace(&hosts[0].machine_id, "0").replace(&hosts[1].machine_id, &hosts[0].machine_id);
    estate(folder.path(), &swapped.replace("\"0\"", &format!("{:?}", hosts[1].machine_id)));
    let (rows, code, text) = told(folder.path());
    assert_eq!((rows.len(), code), (0, Some(1)), "{text}");
    assert!(text.contains("another machine"), "{text}");
}
