//! The runner is killed while a job of it runs on a host. The job goes on; whoever takes the run up attaches to it.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quarterdeck::model::event::Event;
use quarterdeck::model::run::{Call, Happened, StepState};

use super::cut::done;
use super::judge::FOLDER;
use super::operator::{Operator, hold_start, is_held, let_start, reset};
use super::{Host, hosts};

/// The job folders of that run on that host, each with its exit code.
fn jobs(host: &Host, run: &str) -> Vec<(String, Option<String>)> {
    let all = fs::read_dir(host.path(FOLDER).join("jobs").join(run)).unwrap();
    let mut all: Vec<_> = all
        .map(|job| job.unwrap())
        .filter(|job| job.path().join("began").exists())
        .map(|job| {
            let rc = fs::read_to_string(job.path().join("rc")).ok().map(|rc| rc.trim().to_owned());
            (job.file_name().into_string().unwrap(), rc)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_job_that_outlives_its_runner_is_attached_to_and_never_begun_again() {
    let Some(hosts) = hosts("a_job_that_outlives_its_runner_is_attached_to_and_never_begun_again", 3) else { return };
    reset(&hosts);
    hold_start(&hosts[1]);
    let operator = Operator::new(&hosts, "deploy");
    let run = operator.roll_back_detached();
    is_held(&hosts[1]);
    let state = operator.states().pop().unwrap();
    let runner = state.runner.unwrap().process.id;
    kill(Pid::from_raw(runner.try_into().unwrap()), Signal::SIGKILL).unwrap();
    let orphaned = || operator.json(&["runs"])[0]["live"] == "orphaned";
    crate::servers::until("it is known to be orphaned", || orphaned().then_some(()));
    let start = |rc: Option<&str>| ("web2.start.1".to_owned(), rc.map(str::to_owned));
    assert!(jobs(&hosts[1], &run).contains(&start(None)), "the job goes on without it: {:?}", jobs(&hosts[1], &run));

    operator.ask("resume", &run, &[]);
    let state = operator.run_that("another runner has it", |state| state.runners == 2);
    let step = &state.steps[state.place("web2/start").unwrap()];
    assert!(matches!(step.state, StepState::Unknown(Call::Apply)), "the job still runs, so nobody can know: {:?}", step.state);
    assert!(jobs(&hosts[1], &run).contains(&start(None)));
    let_start(&hosts[1]);
    done(&operator, &hosts, &run);
    let there = jobs(&hosts[1], &run);
    assert!(there.contains(&start(Some("0"))), "its exit code is in its file: {there:?}");
    assert_eq!(there.iter().filter(|(name, _)| name.starts_with("web2.start.")).count(), 1, "{there:?}");
    let told = operator.records().into_iter().filter_map(|record| match record.event {
        Event::Run(of) => Some(of.what),
        _ => None,
    });
    let intents = told.filter(|what| matches!(what, Happened::Intent(intent) if intent.step == "web2/start")).count();
    assert_eq!(intents, 1, "no second call");
}
