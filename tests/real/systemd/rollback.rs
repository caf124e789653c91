//! A release of three hosts is rolled back by `qd` alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::operator::Operator;
use super::{Host, hosts, judge};
use crate::servers::{PATIENCE, until};

/// The host runs that release, and answers with it.
#[track_caller]
pub fn serves(host: &Host, version: &str) {
    let unit = host.unit();
    let is = (host.current(), unit.active, unit.runs);
    assert_eq!((is.0.as_str(), is.1.as_str(), is.2.as_str()), (version, "active", version), "{}", host.name);
    until("the app answers", || (host.get("/healthz")? == (200, format!("{version}\n"))).then_some(()));
}

/// A client that goes on writing until it is told to end and the release `last` took a write: what it was told is kept.
fn written(host: &Host, last: &str, ends: &AtomicBool, first: &mpsc::Sender<()>) -> Vec<String> {
    let (mut acked, mut by) = (Vec::new(), String::new());
    for write in 0.. {
        let over = ends.load(Ordering::SeqCst);
        if over && (by == last || host.current() != last) {
            break;
        }
        match host.get(&format!("/write/{write}")) {
            Some((200, version)) => {
                acked.push(write.to_string());
                by = version.trim().to_owned();
                // Whoever waited for the first one may be gone.
                let _ = first.send(());
            }
            // It is stopped just now, or it ended before it answered: whether it kept that one is not known.
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
    acked
}

/// What was acknowledged to whoever wrote while three hosts went back, one after the other, is kept: the acts that stop,
/// switch and start state no loss.
#[test]
fn no_acknowledged_write_is_lost_while_three_hosts_go_back() {
    let Some(hosts) = hosts("no_acknowledged_write_is_lost_while_three_hosts_go_back", 3) else { return };
    super::operator::reset(&hosts);
    hosts[..].iter().for_each(|host| serves(host, "1.1"));
    let operator = Operator::new(&hosts, "deploy");
    let ends = AtomicBool::new(false);
    let ((code, out, errors), acked) = thread::scope(|scope| {
        let (mut firsts, mut writers) = (Vec::new(), Vec::new());
        for host in &hosts[..] {
            let (tell, first) = mpsc::channel();
            let ends = &ends;
            writers.push(scope.spawn(move || written(host, "1.0", ends, &tell)));
            firsts.push(first);
        }
        let writes = firsts.iter().all(|first| first.recv_timeout(PATIENCE).is_ok());
        let ended = if writes { operator.roll_back() } else { (None, String::new(), "nobody could write".to_owned()) };
        ends.store(true, Ordering::SeqCst);
        (ended, writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>())
    });
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(acked.iter().all(|of| of.len() > 1), "each host took writes before and after: {acked:?}");
    let journal = operator.journal();
    let wrong = judge::judged_with(&hosts[..], &journal, &[&journal], acked);
    assert!(wrong.is_empty(), "{wrong:#?}");
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
