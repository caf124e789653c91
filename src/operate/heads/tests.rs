//! A head at a target against journals that hold it, that were cut behind it, and that are others.

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::journal::{Hand, actor};
use crate::model::event::Event;
use crate::model::run::{Happened, RunEvent};

const RUN: &str = "web-20261121T140455Z-3f2a";

/// A journal with so many events of that run; gives back the head after each, as it goes to a target.
fn filled(path: &Path, events: u64, run: &str) -> Vec<String> {
    let hand = Hand { actor: actor(&|_| None), version: "0.1.0".into(), estate: None };
    let mut journal = Journal::open(path).unwrap();
    let mut add = |at: u64| {
        let now = Timestamp::from_second(1_795_269_895 + i64::try_from(at).unwrap()).unwrap();
        let what = Event::Run(RunEvent { run: run.to_owned(), what: Happened::Reviewed { note: at.to_string() } });
        let head = journal.append(&hand, now, what, now).unwrap();
        format!("{run} {}", written(&head, &journal.first().unwrap().unwrap()))
    };
    (1..=events).map(&mut add).collect()
}

/// The file as it was after so many events, with a head beside it that says the same: an older copy put in its place.
fn cut(path: &Path, copy: &Path, events: u64) {
    let journal = Journal::read(path).unwrap().unwrap();
    let hand = Hand { actor: actor(&|_| None), version: "0.1.0".into(), estate: None };
    let mut other = Journal::open(copy).unwrap();
    for record in journal.records(None).unwrap().into_iter().take(usize::try_from(events).unwrap()) {
        other.append(&hand, record.said_at, record.event, record.written_at).unwrap();
    }
}

fn told(journal: &Path, head: &str) -> Told {
    judge(Some(journal.to_owned()), &[Some(head.to_owned())]).remove(0)
}

#[test]
fn a_journal_that_ends_before_what_lies_at_a_target_or_holds_another_event_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("journal.db"), folder.path().join("copy.db"));
    let heads = filled(&path, 5, RUN);
    for (at, head) in heads.iter().enumerate() {
        assert_eq!(told(&path, head), Told::Same(at as u64 + 1), "each was the head once");
    }
    // Nothing of that run is left but its first events; then none of them, as it began later.
    cut(&path, &copy, 3);
    assert_eq!(told(&copy, &heads[2]), Told::Same(3));
    let Told::Short { head, there } = told(&copy, &heads[4]) else { panic!("{:?}", told(&copy, &heads[4])) };
    assert_eq!((head.count, there), (5, 3));
    let later = heads[4].replace(RUN, "web-later");
    assert!(matches!(told(&copy, &later), Told::Short { there: 3, .. }), "known by its first event, though nothing of the run is left");
    // Whoever goes on from there writes another history.
    filled(&copy, 3, "db-1");
    let Told::Other(head) = told(&copy, &heads[4]) else { panic!("{:?}", told(&copy, &heads[4])) };
    assert_eq!(head.count, 5);
}

#[test]
fn a_head_of_another_journal_is_no_fault_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, theirs) = (folder.path().join("mine.db"), folder.path().join("theirs.db"));
    filled(&mine, 2, RUN);
    let heads = filled(&theirs, 9, "web-theirs");
    assert_eq!(told(&mine, &heads[8]), Told::Foreign("web-theirs".into()));
    assert_eq!(told(&folder.path().join("none.db"), &heads[8]), Told::Foreign("web-theirs".into()));
    // What an older version left has no word of its journal: the run's name says whose it is.
    let old = |head: &str| head.rsplit_once(' ').unwrap().0.to_owned();
    assert_eq!(told(&mine, &old(&heads[8])), Told::Foreign("web-theirs".into()));
    assert_eq!(told(&theirs, &old(&heads[8])), Told::Same(9));
    let unknown = old(&heads[8]).replace("web-theirs", RUN);
    assert!(matches!(told(&mine, &unknown), Told::Short { there: 2, .. }));
}

#[test]
fn what_is_no_head_and_a_journal_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let heads = filled(&path, 2, RUN);
    let long = format!("{} x", heads[1]);
    for odd in ["", RUN, "web-1 7 abc", long.as_str(), "web-1 -1 0000000000000000000000000000000000000000000000000000000000000000"] {
        assert_eq!(told(&path, odd), Told::Odd, "{odd}");
    }
    assert_eq!(judge(Some(path.clone()), &[None]), [Told::Nothing]);
    std::fs::write(&path, "no journal").unwrap();
    assert!(matches!(told(&path, &heads[1]), Told::Unknown(_)));
}
