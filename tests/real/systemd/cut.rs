//! What is cut off in the middle of a step: a host from the network, the console from its run.

use std::os::unix::process::CommandExt as _;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use quarterdeck::model::event::Event;
use quarterdeck::model::plan::Found;
use quarterdeck::model::run::{Call, CallEnd, Ending, Happened, Lease, RunState, StepState};

use super::operator::{Operator, hold_start, is_held, let_start, reset};
use super::rollback::serves;
use super::{Hosts, hosts};

fn step<'a>(state: &'a RunState, id: &str) -> &'a StepState {
    &state.steps[state.place(id).unwrap()].state
}

/// All three are back at 1.0, and web2's unit was started once.
pub fn done(operator: &Operator, hosts: &Hosts, run: &str) {
    let (code, out) = operator.attach(run);
    assert_eq!(code, Some(0), "{out}");
    let state = operator.states().pop().unwrap();
    assert_eq!((state.run.as_str(), state.ended.map(|(_, ending)| ending)), (run, Some(Ending::Done)));
    hosts[..].iter().for_each(|host| serves(host, "1.0"));
    assert_eq!(hosts[1].ok("cat /opt/app/starts"), "start", "once");
    operator.is_sound(&hosts[..]);
}

#[test]
fn a_host_that_is_cut_in_a_step_longer_than_its_lease_is_read_back_when_it_returns() {
    let test = "a_host_that_is_cut_in_a_step_longer_than_its_lease_is_read_back_when_it_returns";
    let Some(hosts) = hosts(test, 3) else { return };
    reset(&hosts);
    hold_start(&hosts[1]);
    let operator = Operator::new(&hosts, "deploy").leasing(3);
    let run = operator.roll_back_detached();
    is_held(&hosts[1]);
    hosts[1].cut();
    let state = operator.run_that("the outcome is not known, and the lease is not proven", |state| {
        *step(state, "web2/start") == StepState::Unknown(Call::Apply) && matches!(state.leases[1], Lease::Lost(_))
    });
    assert!(state.steps.iter().zip(&state.plan.steps).all(|(step, plan)| !plan.id.starts_with("web3/") || step.attempt == 0));
    assert_eq!(hosts[2].unit().runs, "1.1", "what comes after it waits");
    // The job goes on without anybody.
    let_start(&hosts[1]);
    hosts[1].mend();
    done(&operator, &hosts, &run);
    let told: Vec<Happened> = operator
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Run(of) => Some(of.what),
            _ => None,
        })
        .collect();
    let unknown = |what: &Happened| matches!(what, Happened::Result { step, end: CallEnd::Unknown { .. }, .. } if step == "web2/start");
    let read = |what: &Happened| matches!(what, Happened::Observed { step, found: Found::Done { .. }, .. } if step == "web2/start");
    let (lost, found) = (told.iter().position(unknown), told.iter().position(read));
    assert!(lost.is_some() && lost < found, "{told:?}");
    let intents = told.iter().filter(|what| matches!(what, Happened::Intent(intent) if intent.step == "web2/start")).count();
    assert_eq!(intents, 1);
}

#[test]
fn a_run_goes_on_when_its_console_is_killed_or_its_terminal_hung_up() {
    let Some(hosts) = hosts("a_run_goes_on_when_its_console_is_killed_or_its_terminal_hung_up", 3) else { return };
    for signal in [Signal::SIGKILL, Signal::SIGHUP] {
        reset(&hosts);
        hold_start(&hosts[1]);
        let operator = Operator::new(&hosts, "deploy");
        let words = operator.words();
        let mut console = operator.command(&words).process_group(0).spawn().unwrap();
        is_held(&hosts[1]);
        // A terminal that hangs up tells its whole foreground group.
        let group = Pid::from_raw(console.id().try_into().unwrap());
        killpg(group, signal).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&console.wait().unwrap()), Some(signal as i32));
        let runs = operator.json(&["runs"]);
        assert_eq!((runs.as_array().unwrap().len(), &runs[0]["live"]), (1, &"live".into()), "{signal}: {runs}");
        let runner = operator.states().pop().unwrap().runner.unwrap();
        kill(Pid::from_raw(runner.process.id.try_into().unwrap()), None).unwrap();
        let_start(&hosts[1]);
        done(&operator, &hosts, runs[0]["run"].as_str().unwrap());
    }
}
