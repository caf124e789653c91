//! Two people with homes and journals of their own at the same hosts.

use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use quarterdeck::model::run::Ending;

use super::matrix::{At, order, runner};
use super::operator::{Operator, REFUSED, reset, used};
use super::rollback::serves;
use super::{hosts, judge};
use crate::servers::until;

#[test]
fn of_two_who_start_the_same_rollback_at_once_one_does_it_and_the_other_learns_who() {
    let test = "of_two_who_start_the_same_rollback_at_once_one_does_it_and_the_other_learns_who";
    let Some(hosts) = hosts(test, 3) else { return };
    for _ in 0..3 {
        reset(&hosts);
        let both = [Operator::new(&hosts, "deploy"), Operator::new(&hosts, "deploy")];
        let orders = both.each_ref().map(|operator| order(operator, 60));
        let ids = orders.each_ref().map(|order| order.run.clone());
        // At the very same moment, with plans that are both good.
        let never = At { boundary: String::new(), step: String::new(), freeze: false };
        let mut orders = orders.into_iter();
        thread::scope(|scope| {
            for operator in &both {
                let (order, never) = (orders.next().unwrap(), never.clone());
                scope.spawn(move || assert!(runner(operator, order, never).0.wait().unwrap().success()));
            }
        });
        let ends = both.each_ref().map(|operator| operator.states().pop().unwrap().ended.unwrap().1);
        let (winner, why) = match &ends {
            [Ending::Done, Ending::Refused { why }] => (0, why),
            [Ending::Refused { why }, Ending::Done] => (1, why),
            other => panic!("{other:?}"),
        };
        assert!(why.contains(&ids[winner]) && why.contains("anna"), "{why}");
        hosts[..].iter().for_each(|host| serves(host, "1.0"));
        let journals = both.each_ref().map(Operator::journal);
        for journal in &journals {
            judge::is_sound(&hosts[..], journal, &[&journals[0], &journals[1]]);
        }
    }
}

#[test]
fn a_rollback_is_refused_with_the_name_of_whoever_is_at_it() {
    let Some(hosts) = hosts("a_rollback_is_refused_with_the_name_of_whoever_is_at_it", 1) else { return };
    used(&hosts);
    let (one, two) = (Operator::new(&hosts, "deploy"), Operator::new(&hosts, "deploy"));
    let order = order(&one, 60);
    let run = order.run.clone();
    let words = two.words();
    // Frozen before it does anything, with the lease of the host.
    let (mut frozen, thawed) = runner(&one, order, At { boundary: "BeforeIntent".into(), step: "web1/stop".into(), freeze: true });
    stopped(&frozen);
    let plan = two.json(&["plan", "rollback", "web", "--to", "1.0"]).to_string();
    assert!(plan.contains(&run) && plan.contains("anna"), "the plan tells it: {plan}");
    let (code, out, errors) = two.qd(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, REFUSED, "{out}{errors}");
    assert!((out + &errors).contains(&run), "the name of the holder");
    assert_eq!((hosts[0].current().as_str(), hosts[0].unit().runs.as_str()), ("1.1", "1.1"));
    std::fs::write(thawed, "").unwrap();
    kill(Pid::from_raw(frozen.id().try_into().unwrap()), Signal::SIGCONT).unwrap();
    assert!(frozen.wait().unwrap().success());
    serves(&hosts[0], "1.0");
}

fn stopped(child: &std::process::Child) {
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    assert!(matches!(waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap(), WaitStatus::Stopped(..)));
}

#[test]
fn a_runner_that_was_frozen_longer_than_its_lease_changes_nothing_on_a_host_when_it_goes_on() {
    let test = "a_runner_that_was_frozen_longer_than_its_lease_changes_nothing_on_a_host_when_it_goes_on";
    let Some(hosts) = hosts(test, 1) else { return };
    for boundary in ["BeforeIntent", "AfterIntent"] {
        reset(&hosts);
        let (one, two) = (Operator::new(&hosts, "deploy"), Operator::new(&hosts, "deploy"));
        let order = order(&one, 2);
        let run = order.run.clone();
        let (mut frozen, thawed) = runner(&one, order, At { boundary: boundary.into(), step: "web1/stop".into(), freeze: true });
        stopped(&frozen);
        // By the host's own clock.
        until("its lease has run out", || {
            let script = "read -r up rest </proc/uptime; [ \"${up%%.*}\" -gt \"$(sed -n 5p /opt/app/.quarterdeck/lease)\" ]";
            (hosts[0].run(script).code == Some(0)).then_some(())
        });
        let (code, out, errors) = two.roll_back();
        assert_eq!(code, Some(0), "{out}{errors}");
        let before = (hosts[0].current(), hosts[0].unit());
        std::fs::write(thawed, "").unwrap();
        kill(Pid::from_raw(frozen.id().try_into().unwrap()), Signal::SIGCONT).unwrap();
        assert!(frozen.wait().unwrap().success());
        assert_eq!((hosts[0].current(), hosts[0].unit()), before, "{boundary}");
        let state = one.states().pop().unwrap();
        let Some((_, Ending::Failed { why, .. } | Ending::Refused { why })) = &state.ended else { panic!("{:?}", state.ended) };
        assert!(why.contains("web1"), "{why}");
        assert!(!hosts[0].path("/opt/app/.quarterdeck/jobs").join(&run).exists(), "no job of it was begun");
        let journals = [one.journal(), two.journal()];
        for journal in &journals {
            judge::is_sound(&hosts[..], journal, &[&journals[0], &journals[1]]);
        }
    }
}
