//! Tails, the events of one run, and files of version 1, which have no index of runs.

use std::collections::BTreeMap;

use super::super::tail::{FROM, NEXT, OF_RUN};
use super::*;
use crate::model::run::{Happened, RunEvent};

pub(super) fn of_run(run: &str, note: &str) -> Event {
    Event::Run(RunEvent { run: run.into(), what: Happened::Reviewed { note: note.into() } })
}

/// Three runs by turns, and a verification now and then.
fn mixed(events: i64) -> Room {
    let room = Room::new();
    let mut journal = Journal::open(&room.path).unwrap();
    for n in 1..=events {
        let event = if n % 4 == 0 { event(n) } else { of_run(&format!("web-{}", n % 3), &format!("note {n}")) };
        journal.append(&hand(), at(n), event, at(n)).unwrap();
    }
    room
}

fn places(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.seq).collect()
}

#[test]
fn a_tail_and_the_events_of_one_run_are_those_that_a_reading_of_all_finds() {
    let room = mixed(24);
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let all = journal.records(None).unwrap();
    assert_eq!(journal.after(0, 100).unwrap(), all);
    assert_eq!(journal.after(20, 3).unwrap(), all[20..23]);
    assert!(journal.after(24, 9).unwrap().is_empty() && journal.after(u64::MAX, 9).unwrap().is_empty());
    let mut runs: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in &all {
        if let Event::Run(of) = &record.event {
            runs.entry(of.run.clone()).or_default().push(record.clone());
        }
    }
    assert_eq!(runs.len(), 3);
    for (run, records) in &runs {
        assert_eq!(&journal.run(run).unwrap(), records);
        assert_eq!(journal.run_after(run, 10).unwrap(), records.iter().filter(|r| r.seq > 10).cloned().collect::<Vec<_>>());
    }
    for none in ["", "web", "web-_", "' OR 1 --"] {
        assert!(journal.run(none).unwrap().is_empty(), "{none}");
    }
    let stretches = journal.runs().unwrap();
    assert!(stretches.is_sorted_by(|a, b| a.first > b.first));
    for stretch in stretches {
        let records = runs.remove(&stretch.run).unwrap();
        assert_eq!((stretch.first, stretch.last), (records[0].seq, records.last().unwrap().seq));
    }
    assert!(runs.is_empty(), "all are told");
}

#[test]
fn runs_are_found_by_how_their_ids_begin() {
    let room = Room::new();
    let mut journal = Journal::open(&room.path).unwrap();
    for (n, run) in (1..).zip(["web-2", "db-1", "web-1", "web-10", "webby", "web-1", "wea"]) {
        journal.append(&hand(), at(n), of_run(run, "x"), at(n)).unwrap();
    }
    let named = |prefix: &str| journal.runs_named(prefix).unwrap();
    assert_eq!(named("web-"), ["web-1", "web-10", "web-2"]);
    assert_eq!(named("web-1"), ["web-1", "web-10"]);
    assert_eq!(named("db"), ["db-1"]);
    assert_eq!(named("").len(), 6);
    for none in ["x", "WEB", "web-3", "web-%", "a", "\u{10ffff}"] {
        assert!(named(none).is_empty(), "{none}");
    }
    let old = version_1();
    let old = Journal::read(&old.path).unwrap().unwrap();
    let mut all: Vec<String> = old.runs().unwrap().into_iter().map(|stretch| stretch.run).collect();
    all.sort_unstable();
    assert_eq!(old.runs_named("web-2027").unwrap(), all);
    assert!(!all.is_empty() && old.runs_named("db").unwrap().is_empty());
}

#[test]
fn one_run_is_found_by_the_index_and_not_by_reading_the_others() {
    let room = mixed(4);
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let plan = |sql: &str| -> String {
        let mut explain = journal.database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let given = vec!["1"; explain.parameter_count()];
        let mut rows = explain.query(rusqlite::params_from_iter(given)).unwrap();
        rows.next().unwrap().unwrap().get(3).unwrap()
    };
    assert_eq!(plan(OF_RUN), "SEARCH event USING INDEX event_of_run (run=? AND seq>?)");
    assert!(plan(FROM).starts_with("SEARCH event USING INDEX event_of_run (run>?)"), "{}", plan(FROM));
    assert!(plan(NEXT).starts_with("SEARCH event USING INDEX event_of_run (run>?)"), "{}", plan(NEXT));
}

#[test]
fn what_was_changed_is_not_handed_to_those_who_act_by_it() {
    let room = mixed(6);
    room.meddle_without_triggers("UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'note 5', 'note 6') AS BLOB) WHERE seq = 5;");
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let error = journal.run("web-2").unwrap_err();
    assert!(error.to_string().contains("event 5 was changed"), "{error}");
    assert!(journal.after(4, 1).is_err() && journal.after(5, 1).is_ok());
}

/// Made by the first version of the program that had a journal: two verifications, then events of two runs by turns.
fn version_1() -> Room {
    let room = Room::new();
    fs::create_dir_all(room.path.parent().unwrap()).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/journal-version-1.db"), &room.path).unwrap();
    fs::set_permissions(&room.path, fs::Permissions::from_mode(0o600)).unwrap();
    room
}

#[test]
fn a_file_of_version_1_is_read_as_it_is_and_carried_on_when_it_is_written_to() {
    const ONE: &str = "web-20270115T080003Z-0001";
    let room = version_1();
    let version = |journal: &Journal| -> i32 { journal.database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap() };
    let read = || Journal::read(&room.path).unwrap().unwrap();
    let before = read();
    assert_eq!((version(&before), before.verify().good, before.verify().broken), (1, 5, None));
    assert_eq!(places(&before.run(ONE).unwrap()), [3, 5]);
    let runs = before.runs().unwrap();
    assert_eq!(version(&before), 1, "whoever reads changes nothing");

    let mut journal = Journal::open(&room.path).unwrap();
    assert_eq!(version(&journal), 2);
    journal.append(&hand(), at(9), of_run(ONE, "later"), at(9)).unwrap();
    let after = read();
    assert_eq!((places(&after.run(ONE).unwrap()), after.verify().good, after.verify().broken), (vec![3, 5, 6], 6, None));
    assert_eq!(places(&before.run(ONE).unwrap()), [3, 5, 6], "one that was open meanwhile goes on");
    let later = after.runs().unwrap();
    assert_eq!(later.iter().map(|s| (&s.run, s.first)).collect::<Vec<_>>(), runs.iter().map(|s| (&s.run, s.first)).collect::<Vec<_>>());
    assert!(room.meddle("DELETE FROM event").is_err() && room.meddle("UPDATE event SET seq = 9 WHERE seq = 6").is_err());
    // The same again changes nothing more.
    drop((journal, Journal::open(&room.path).unwrap()));
    assert_eq!(room.verify().good, 6);
}
