//! What keys and pages say where they do nothing, or not what one may think: mends of what was unclear, each held.

use super::*;
use crate::model::deployment::{Dated, Deployment};
use crate::model::plan::{Act, TargetKind};
use crate::model::run::known::{KnownRun, Liveness, Runs};
use crate::model::run::sample::{Log, plan, step};
use crate::model::run::{Call, Happened};

fn page(state: &State) -> String {
    let (title, rows) = crate::app::page::lines(state, state.layers.last().unwrap(), state.size.0);
    let rows = rows.iter().map(|row| row.spans.iter().map(|(text, _)| text.as_str()).collect::<String>());
    std::iter::once(title).chain(rows).collect::<Vec<_>>().join("\n")
}

fn known(log: &Log, alive: Liveness) -> Arc<KnownRun> {
    log.known(alive)
}

fn tell(state: &mut State, runs: Vec<Arc<KnownRun>>) {
    update(state, Message::Runs(Box::new(Runs::of(runs, "1 ab".into(), None))));
}

#[test]
fn the_help_of_a_console_that_only_reads_says_that_its_keys_change_nothing() {
    let mut state = console();
    press(&mut state, "2 ?");
    assert!(!page(&state).contains("--read-only"));
    state.read_only = true;
    let page = page(&state).replace('\n', " ");
    assert!(page.contains("keys that change something in production do nothing here"), "{page}");
}

#[test]
fn r_on_a_row_of_no_service_says_why_nothing_opens() {
    let mut state = console();
    let other = alert(&[("alertname", "Alone"), ("job", "other")], AlertState::Firing, 30);
    read(&mut state, 0, alertmanager(vec![other]));
    press(&mut state, "2 R");
    assert!(state.layers.is_empty());
    assert!(state.said.as_deref().unwrap().starts_with("no rollback from here: no service of the estate"), "{:?}", state.said);
    press(&mut state, ".");
    let Some(Layer::Menu(menu)) = state.layers.last() else { panic!("{:?}", state.layers) };
    let line = menu.items.iter().find(|item| item.action == Action::Rollback).unwrap();
    assert_eq!(line.why.as_deref(), Some("no service of the estate has its labels"));
}

#[test]
fn a_step_of_an_orphaned_run_that_was_begun_is_interrupted_and_nothing_counts_down() {
    let mut log = Log::begun("web-1", &plan(&["web1"], vec![step("web1/switch"), step("web1/start")]));
    log.intent("web1/switch", 1, Call::Apply);
    let mut state = console();
    tell(&mut state, vec![known(&log, Liveness::Orphaned)]);
    press(&mut state, "7 enter");
    assert!(page(&state).contains("? cut off: not known"), "{}", page(&state));
    tell(&mut state, vec![known(&log, Liveness::Live { heartbeat: at(1_000) })]);
    assert!(!page(&state).contains("cut off"));
}

#[test]
fn take_back_of_a_step_on_no_host_says_that_a_host_is_to_be_selected() {
    let mut steps = vec![step("web1/switch"), step("web2/switch"), step("watch")];
    steps[1].target = 1;
    steps[2].target = 2;
    (steps[2].act, steps[2].undo) = (Act::Guard { service: "web".into(), seconds: 300, panels: vec![] }, None);
    let mut plan = plan(&["web1", "web2", "outside"], steps);
    plan.targets[2].kind = TargetKind::Outside;
    let mut log = Log::begun("web-1", &plan);
    log.done("web1/switch");
    log.done("web2/switch");
    log.intent("watch", 1, Call::Apply);
    log.add(Happened::Asked { step: Some("watch".into()), why: "nobody saw it".into() });
    let mut state = console();
    tell(&mut state, vec![known(&log, Liveness::Live { heartbeat: at(0) })]);
    press(&mut state, "7 enter .");
    let Some(Layer::Menu(menu)) = state.layers.last() else { panic!("{:?}", state.layers) };
    let line = menu.items.iter().find(|item| item.action == Action::TakeBack).unwrap();
    assert_eq!(line.why.as_deref(), Some("several hosts could be taken back: select a step of the one that is meant"));
}

#[test]
fn until_a_key_is_pressed_on_the_operations_pane_its_first_row_stays_selected() {
    let one = |run: &str| Log::begun(run, &plan(&["web1"], vec![step("web1/switch")]));
    let live = Liveness::Live { heartbeat: at(0) };
    let mut state = console();
    press(&mut state, "2 1");
    tell(&mut state, vec![known(&one("web-1"), live)]);
    // A worse one stands above it by the time that somebody looks.
    tell(&mut state, vec![known(&one("web-1"), live), known(&one("web-2"), Liveness::Orphaned)]);
    press(&mut state, "7");
    assert_eq!(state.operations.list.selected.as_deref(), Some("web-2"));
    press(&mut state, "j k");
    tell(&mut state, vec![known(&one("web-1"), live), known(&one("web-2"), Liveness::Orphaned), known(&one("web-0"), Liveness::Orphaned)]);
    assert_eq!(state.operations.list.selected.as_deref(), Some("web-2"), "from then on it stays with its run");
}

#[test]
fn a_rollback_says_so_wherever_a_deployment_is_a_line() {
    use crate::model::deployment::Trigger;
    let one = Deployment {
        to: Some("2.4.0".into()),
        from: Some("2.5.0".into()),
        trigger: Some(Trigger::Rollback),
        who: Some("ann".into()),
        ..Deployment::new("web", at(900), Dated::Record, "log")
    };
    let state = console();
    let all = crate::model::timeline::known(&state.estate, &[], &[], &[Arc::new(one)], &[], (at(0), at(1_000)), at(1_000));
    assert_eq!(all[0].what, "web rollback 2.5.0 -> 2.4.0 by ann, result unknown");
}
