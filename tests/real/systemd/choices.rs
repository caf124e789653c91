//! A unit that does not start on the second of three hosts: the run asks and begins nothing more, and each answer that a
//! person can give leads where it says.

use quarterdeck::model::run::{Ending, RunState};

use super::operator::{BROKEN, Operator, PERSON, reset};
use super::rollback::serves;
use super::{Hosts, Kind, hosts};
use crate::servers::until;

/// A rollback that asks about web2, and nothing more. The step that it asks about comes back with it.
fn asking(hosts: &Hosts, kind: Kind) -> (Operator, RunState, String) {
    reset(hosts);
    hosts[1].release("1.0", kind);
    let (operator, third) = (Operator::new(hosts, "deploy"), hosts[2].unit());
    let (code, out, errors) = operator.roll_back();
    assert_eq!(code, PERSON, "{out}{errors}");
    let state = operator.states().pop().unwrap();
    let step = state.asked.clone().unwrap().0.unwrap();
    assert!(["web2/start", "web2/runs"].contains(&step.as_str()), "{step}");
    assert!(state.plan.steps.iter().zip(&state.steps).all(|(plan, step)| !plan.id.starts_with("web3/") || step.attempt == 0));
    assert_eq!((hosts[2].current().as_str(), hosts[2].unit()), ("1.1", third), "nothing is begun there");
    assert_eq!((hosts[1].current().as_str(), hosts[1].unit().active.as_str()), ("1.0", "failed"));
    serves(&hosts[0], "1.0");
    assert_eq!(operator.attach(&state.run).0, PERSON);
    let told = operator.json(&["show", &state.run]);
    for verb in ["retry", "skip", "take-back", "abort"] {
        let next = told["next"].as_array().unwrap();
        let is_it = |line: &str| line.starts_with("qd --estate ") && line.contains(&format!(" {verb} {}", state.run));
        assert!(next.iter().any(|line| is_it(line.as_str().unwrap())), "{verb}: {told}");
    }
    operator.is_sound(&hosts[..]);
    (operator, state, step)
}

fn ended(operator: &Operator) -> Ending {
    operator.states().pop().unwrap().ended.unwrap().1
}

fn retried(hosts: &Hosts, kind: Kind) {
    let (operator, state, step) = asking(hosts, kind);
    hosts[1].release("1.0", Kind::Good);
    if step == "web2/runs" {
        // That step only looks.
        hosts[1].ok("systemctl start app.service");
    }
    operator.ask("retry", &state.run, &[&step]);
    let (code, out) = operator.attach(&state.run);
    assert_eq!((code, ended(&operator)), (Some(0), Ending::Done), "{out}");
    hosts[..].iter().for_each(|host| serves(host, "1.0"));
    operator.is_sound(&hosts[..]);
}

fn skipped(hosts: &Hosts, kind: Kind) {
    let (operator, state, mut step) = asking(hosts, kind);
    let mut passed = 0;
    loop {
        operator.ask("skip", &state.run, &[&step]);
        passed += 1;
        let (code, out) = operator.attach(&state.run);
        if code == Some(0) {
            break;
        }
        assert_eq!(code, PERSON, "{out}");
        let next = operator.states().pop().unwrap().asked.unwrap().0.unwrap();
        assert!(next != step && next.starts_with("web2/"), "{next}: {out}");
        step = next;
    }
    assert!(passed >= 2 && ended(&operator) == Ending::Done);
    assert_eq!((hosts[1].current().as_str(), hosts[1].unit().active.as_str()), ("1.0", "failed"), "it stays as it is");
    [0, 2].iter().for_each(|place: &usize| serves(&hosts[*place], "1.0"));
    let (_, report, _) = operator.qd(&["show", &state.run, "--report"]);
    assert!(report.contains("as the test wants"), "{report}");
    operator.is_sound(&hosts[..]);
}

fn taken_back(hosts: &Hosts, kind: Kind) {
    let (operator, state, _) = asking(hosts, kind);
    operator.ask("take-back", &state.run, &["web2"]);
    let (code, out) = operator.attach(&state.run);
    assert_eq!(code, BROKEN, "{out}");
    let Ending::Failed { why, stays } = ended(&operator) else { panic!("{out}") };
    assert!(why.contains("web2") && stays.iter().all(|line| !line.starts_with("web2/")), "{why}: {stays:?}");
    serves(&hosts[1], "1.1");
    [0, 2].iter().for_each(|place: &usize| serves(&hosts[*place], "1.0"));
    operator.is_sound(&hosts[..]);
}

fn aborted(hosts: &Hosts, kind: Kind) {
    let (operator, state, _) = asking(hosts, kind);
    operator.ask("abort", &state.run, &[]);
    let (code, out) = operator.attach(&state.run);
    assert_eq!((code, ended(&operator)), (BROKEN, Ending::Aborted { stays: vec![] }), "{out}");
    hosts[..].iter().for_each(|host| serves(host, "1.1"));
    assert_eq!(operator.json(&["show", &state.run])["stays"], serde_json::json!([]));
    operator.is_sound(&hosts[..]);
}

#[test]
fn a_unit_that_ends_as_it_starts_is_a_question_with_true_answers() {
    let Some(hosts) = hosts("a_unit_that_ends_as_it_starts_is_a_question_with_true_answers", 3) else { return };
    for answer in [retried, taken_back, aborted] {
        answer(&hosts, Kind::Exits);
    }
}

#[test]
fn a_unit_that_cannot_be_started_is_a_question_with_true_answers() {
    let Some(hosts) = hosts("a_unit_that_cannot_be_started_is_a_question_with_true_answers", 3) else { return };
    for answer in [retried, skipped, taken_back, aborted] {
        answer(&hosts, Kind::Empty);
    }
}

/// What cannot be taken back is told, and is true.
#[test]
fn an_abort_tells_what_stays_where_a_host_cannot_be_taken_back() {
    let Some(hosts) = hosts("an_abort_tells_what_stays_where_a_host_cannot_be_taken_back", 3) else { return };
    let (operator, state, _) = asking(&hosts, Kind::Empty);
    // The release that it came from is gone from the first host.
    hosts[0].release("1.1", Kind::Empty);
    operator.ask("abort", &state.run, &[]);
    let (mut code, mut out) = operator.attach(&state.run);
    let mut passed = 0;
    while code == PERSON && passed < 3 {
        let step = operator.states().pop().unwrap().asked.unwrap().0.unwrap();
        assert!(step.starts_with("web1/"), "{step}: {out}");
        operator.ask("skip", &state.run, &[&step]);
        passed += 1;
        (code, out) = operator.attach(&state.run);
    }
    assert_eq!((code, passed), (BROKEN, 1), "{out}");
    let Ending::Aborted { stays } = ended(&operator) else { panic!("{out}") };
    assert!(!stays.is_empty() && stays.iter().all(|line| line.starts_with("web1/stop: ")), "{stays:?}");
    until("its unit has failed", || (hosts[0].unit().active == "failed").then_some(()));
    assert_eq!(hosts[0].current(), "1.1");
    [1, 2].iter().for_each(|place: &usize| serves(&hosts[*place], "1.1"));
    operator.is_sound(&hosts[..]);
}
