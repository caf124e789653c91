//! Verifying a backup, as hands ask for it.

use super::*;
use crate::app::ask::{Ask as Question, Told};
use crate::app::verifying::News;
use crate::model::backup::{Backup, BackupAnswer, BackupOf, Evidence, Outcome as End, PointKind, Progress, RecoveryPoint};
use crate::model::estate::tests::{bare, source};

/// One backup with a point, on its pane.
fn backups() -> State {
    let of = BackupOf::Directory { folder: "/backups".into() };
    let kind = SourceKind::Backup(Backup::new(of));
    let mut state = console();
    let estate = bare(vec![source("store", kind), source("am", SourceKind::Alertmanager { urls: vec![], dead_man: None })]);
    state = State::new(Arc::new(estate), Identity::default(), state.look, Arc::new(keymap()), at(1_000), (80, 24));
    let point = RecoveryPoint {
        id: "p".into(),
        restores_to: at(900),
        finished: Some(at(901)),
        usable_from: None,
        kind: PointKind::Full,
        needs: vec![],
        size: Some(5),
        evidence: Evidence { job: true, ..Default::default() },
        broken: None,
        hold: None,
        part: Default::default(),
        checked: None,
    };
    let answer = BackupAnswer { points: vec![Arc::new(point)], total: 1, ..Default::default() };
    read(&mut state, 0, Answer::Backup(Arc::new(answer)));
    press(&mut state, "4");
    state
}

fn tell(state: &mut State, news: News) {
    update(state, Message::Told(Box::new(Told::Verification(0, Box::new(news)))));
}

fn screen(state: &State) -> String {
    let layer = state.layers.last().unwrap();
    let (title, rows) = crate::app::page::lines(state, layer, 80);
    rows.iter().fold(title, |all, row| format!("{all}\n{row}"))
}

#[test]
fn v_shows_what_would_be_run_enter_begins_it_and_esc_leaves_it_running() {
    let mut state = backups();
    assert!(press(&mut state, "v").is_empty(), "nothing is run by it");
    assert!(matches!(state.layers[..], [Layer::Verify { index: 0, choice: 0 }]));
    let shown = screen(&state);
    for part in ["> start        the point p, every file", "reads about 5", "V3 read back", "reads the files in /backups itself", "? never"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let effects = press(&mut state, "enter");
    let [Effect::Ask(ask)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(matches!(&**ask, Question::Verify(order) if order.points.len() == 1 && order.name == "store"));
    assert!(press(&mut state, "enter").is_empty(), "one at a time");
    tell(&mut state, News::Progress(Progress { done: 41, total: Some(100), what: "p/a".into() }));
    assert!(screen(&state).contains("verifying 41 %"), "{}", screen(&state));
    assert!(press(&mut state, "esc").is_empty() && state.layers.is_empty());
    assert_eq!(state.verifying.running[&0].cell(), "verifying 41 %");
    let stop = press(&mut state, "v x");
    assert_eq!(stop, [Effect::Ask(Box::new(Question::StopVerification(0)))]);
    tell(&mut state, News::Stopping);
    assert!(press(&mut state, "x").is_empty(), "asked once");
    assert_eq!(state.verifying.running[&0].cell(), "stopping");
    let ended = News::Ended { outcome: End::Cancelled, proofs: Default::default(), unrecorded: None };
    tell(&mut state, ended.clone());
    assert!(state.verifying.running.is_empty());
    assert_eq!(state.changes[0].what, "store: verification cancelled");
    tell(&mut state, ended);
    assert_eq!(state.changes.len(), 1, "news of one that is not under way is old");
}

#[test]
fn a_refusal_and_a_result_that_is_not_recorded_are_shown_and_prove_nothing() {
    let mut state = backups();
    press(&mut state, "v enter");
    tell(&mut state, News::Refused("the disk of the journal is full".into()));
    assert!(screen(&state).contains("! the disk of the journal is full"), "{}", screen(&state));
    press(&mut state, "enter");
    let unrecorded = Some("the disk of the journal is full".to_owned());
    tell(&mut state, News::Ended { outcome: End::Passed, proofs: Default::default(), unrecorded });
    assert!(screen(&state).contains("could not be recorded and proves"), "{}", screen(&state));
    assert_eq!(state.view.backups[0].newest.as_ref().unwrap().proof().word(), "V1");
}

#[test]
fn what_is_no_backup_is_not_verified_and_neither_is_what_was_never_read() {
    let mut state = backups();
    state.layers.push(Layer::Source { index: 1, spot: Spot::default() });
    assert!(press(&mut state, "v").is_empty() && state.layers.len() == 1);
    let mut state = backups();
    state.newest[0].held = None;
    press(&mut state, "v");
    assert!(press(&mut state, "enter").is_empty());
    assert!(screen(&state).contains("NOTHING TO VERIFY"));
}

#[test]
fn what_another_console_verified_is_taken_in_unless_more_is_known_here() {
    use crate::model::backup::Proofs;
    let mut state = backups();
    let mut tell = |upto, problem: Option<&str>| {
        let mut proofs = Proofs::of(&[]);
        proofs.upto = upto;
        let known = Told::Proofs(Arc::new(proofs), problem.map(str::to_owned));
        update(&mut state, Message::Told(Box::new(known)));
        (state.verifying.proofs.upto, state.verifying.problem.clone())
    };
    assert_eq!(tell(4, None), (4, None));
    assert_eq!(tell(4, None), (4, None), "nothing is new");
    assert_eq!(tell(2, None), (4, None), "it was read before the newest event here");
    assert_eq!(tell(2, Some("cut")), (2, Some("cut".into())), "what was lost proves nothing");
}
