//! A unit of a real host is restarted, stopped and started by `qd`: what is told by systemd, and what a person sees.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::model::run::Ending;

use super::operator::{Operator, PERSON, REFUSED, hold_start, is_held, let_start, reset};
use super::rollback::serves;
use super::{Kind, hosts};

/// How the newest run ended.
fn ended(operator: &Operator) -> Option<Ending> {
    operator.states().pop().and_then(|state| state.ended).map(|(_, ending)| ending)
}

#[test]
fn a_unit_is_restarted_once_stopped_and_started_by_a_user_with_sudo() {
    let Some(hosts) = hosts("a_unit_is_restarted_once_stopped_and_started_by_a_user_with_sudo", 2) else { return };
    reset(&hosts);
    let operator = Operator::new(&hosts, "deploy");
    let before = [hosts[0].unit().pid, hosts[1].unit().pid];
    let words = operator.words_of(&["restart", "web", "--host", "web2"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, out, errors) = operator.qd(&words);
    assert_eq!(code, Some(0), "{out}{errors}");
    serves(&hosts[1], "1.1");
    assert_eq!(hosts[0].unit().pid, before[0], "web1 was not named");
    assert_ne!(hosts[1].unit().pid, before[1]);
    assert_eq!(ended(&operator), Some(Ending::Done));
    let now = hosts[1].unit().pid;
    // The same words again are about what is not there any more.
    let (code, out, errors) = operator.qd(&words);
    assert!(code == REFUSED && errors.contains("plan restart web --host web2"), "{code:?} {out}{errors}");
    assert_eq!(hosts[1].unit().pid, now, "it is not restarted a second time");

    let (code, out, errors) = operator.does(&["stop", "web", "--host", "web2"]);
    assert_eq!(code, Some(0), "{out}{errors}");
    assert_eq!(hosts[1].unit().active, "inactive");
    let (code, _, errors) = operator.qd(&["plan", "stop", "web", "--host", "web2"]);
    assert!(code != Some(0) && errors.contains("web does not run on web2: nothing is to be done"), "{code:?} {errors}");
    // What somebody stopped on purpose is not started by a restart, and the plan says so of the whole.
    let plan = operator.json(&["plan", "restart", "web"]);
    assert_eq!(plan["plan"]["targets"].as_array().unwrap().len(), 1, "{plan}");
    assert!(plan["plan"]["impact"]["does"].to_string().contains("On web2 it was stopped, and is left so"), "{plan}");
    let last = operator.json(&["plan", "stop", "web"]);
    assert!(last["checks"].as_array().unwrap().iter().any(|check| check["id"] == "last-host"), "{last}");
    let (code, out, errors) = operator.does(&["start", "web", "--host", "web2"]);
    assert_eq!(code, Some(0), "{out}{errors}");
    serves(&hosts[1], "1.1");
    // The runs were about web2 alone.
    operator.is_sound(&hosts[1..]);
    let (code, report, errors) = operator.qd(&["show", &operator.states()[0].run, "--report"]);
    assert!(code == Some(0) && report.contains("# Restart of web") && report.contains("web2/restart"), "{report}{errors}");
}

#[test]
fn a_unit_that_does_not_start_again_asks_a_person_and_is_restarted_once_it_can() {
    let Some(hosts) = hosts("a_unit_that_does_not_start_again_asks_a_person_and_is_restarted_once_it_can", 1) else { return };
    reset(&hosts);
    hosts[0].release("1.1", Kind::Exits);
    let operator = Operator::new(&hosts, "deploy");
    let (code, out, errors) = operator.does(&["restart", "web"]);
    assert_eq!(code, PERSON, "{out}{errors}");
    let state = operator.states().pop().unwrap();
    let (run, step) = (state.run, state.asked.unwrap().0.unwrap());
    hosts[0].release("1.1", Kind::Good);
    if step == "web1/runs" {
        // It took longer to end than the restart looked at it; that step only looks.
        hosts[0].ok("systemctl start app.service");
    } else {
        assert_eq!(step, "web1/restart");
    }
    operator.ask("retry", &run, &[&step]);
    let (code, out) = operator.attach(&run);
    assert_eq!(code, Some(0), "{out}");
    serves(&hosts[0], "1.1");
    operator.is_sound(&hosts[..]);
}

#[test]
fn a_restart_goes_on_without_its_runner_and_is_done_once() {
    let Some(hosts) = hosts("a_restart_goes_on_without_its_runner_and_is_done_once", 1) else { return };
    reset(&hosts);
    hold_start(&hosts[0]);
    let operator = Operator::new(&hosts, "deploy");
    let mut words = operator.words_of(&["restart", "web"]);
    words.push("--detach".to_owned());
    let (code, out, errors) = operator.qd(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, Some(0), "{out}{errors}");
    let run = out.trim().to_owned();
    is_held(&hosts[0]);
    let runner = operator.states().pop().unwrap().runner.unwrap().process.id;
    kill(Pid::from_raw(runner.try_into().unwrap()), Signal::SIGKILL).unwrap();
    let orphaned = || operator.json(&["runs"])[0]["live"] == "orphaned";
    crate::servers::until("it is known to be orphaned", || orphaned().then_some(()));
    // Nobody is needed for the service to come up again.
    let_start(&hosts[0]);
    operator.ask("resume", &run, &[]);
    let (code, out) = operator.attach(&run);
    assert_eq!(code, Some(0), "{out}");
    serves(&hosts[0], "1.1");
    assert_eq!(hosts[0].ok("cat /opt/app/starts"), "start", "once");
    operator.is_sound(&hosts[..]);
}
