//! A release of three hosts is rolled back by `qd` alone.

use super::operator::Operator;
use super::{Host, hosts};
use crate::servers::until;

/// The host runs that release, and answers with it.
#[track_caller]
pub fn serves(host: &Host, version: &str) {
    let unit = host.unit();
    let is = (host.current(), unit.active, unit.runs);
    assert_eq!((is.0.as_str(), is.1.as_str(), is.2.as_str()), (version, "active", version), "{}", host.name);
    until("the app answers", || (host.get("/healthz")? == (200, format!("{version}\n"))).then_some(()));
}

fn three_hosts_go_back(test: &str, login: &str) {
    let Some(hosts) = hosts(test, 3) else { return };
    for host in &hosts[..] {
        host.ok(
            "echo '{\"id\":\"1\",\"service\":\"web\",\"version\":\"1.1\"}' >/opt/app/deploys.jsonl; chown deploy: /opt/app/deploys.jsonl",
        );
    }
    let operator = Operator::new(&hosts, login);
    let (code, out, errors) = operator.roll_back();
    assert_eq!(code, Some(0), "{out}{errors}");
    let [state] = operator.states().try_into().unwrap();
    for host in &hosts[..] {
        serves(host, "1.0");
        let log = host.ok("cat /opt/app/deploys.jsonl");
        let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        assert_eq!((&last["id"], &last["version"], &last["source"]), (&state.run.as_str().into(), &"1.0".into(), &"rollback".into()));
        assert!(out.contains(&format!("{}/start", host.name)), "{out}");
    }
    operator.is_sound(&hosts[..]);

    let (code, report, errors) = operator.qd(&["show", &state.run, "--report"]);
    assert_eq!(code, Some(0), "{errors}");
    for part in ["# Rollback of web", "errors since 1.1", "web3/start", state.run.as_str()] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let told = operator.json(&["show", &state.run]);
    assert!(told["steps"].as_array().unwrap().iter().all(|step| step["state"] == "done"), "{told}");
    // It stands in the history as what it was.
    let rows = operator.json(&["deployments"]);
    assert!(rows.as_array().unwrap().iter().any(|row| row["version"] == "1.0" && row["source"] == "rollback"), "{rows}");
}

#[test]
fn three_hosts_go_back_to_the_release_before_by_a_user_with_sudo() {
    three_hosts_go_back("three_hosts_go_back_to_the_release_before_by_a_user_with_sudo", "deploy");
}

#[test]
fn three_hosts_go_back_to_the_release_before_by_root() {
    three_hosts_go_back("three_hosts_go_back_to_the_release_before_by_root", "root");
}
