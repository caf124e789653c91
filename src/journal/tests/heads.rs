//! Heads that lie elsewhere, and the newest event that was lost while it was written.

use super::tail::of_run;
use super::*;

fn against(room: &Room, heads: &[Head]) -> Verdict {
    Journal::read(&room.path).unwrap().unwrap().verify_against(heads)
}

/// All heads that a journal had, one for each event.
fn heads(room: &Room) -> Vec<Head> {
    let all = Connection::open(&room.path).unwrap();
    let mut select = all.prepare("SELECT seq, hash FROM event ORDER BY seq").unwrap();
    let head = |row: &rusqlite::Row<'_>| Ok(Head { count: row.get::<_, i64>(0)?.cast_unsigned(), hash: row.get(1)? });
    select.query_map([], head).unwrap().collect::<Result<_, _>>().unwrap()
}

/// As if the disk had lost the newest events, though their head was written.
fn lose(room: &Room, from: u64) {
    let rules = "CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;";
    room.meddle(&format!("DROP TRIGGER event_is_not_removed; DELETE FROM event WHERE seq >= {from}; {rules}")).unwrap();
}

#[test]
fn a_head_is_a_number_and_a_hash_as_text_and_back() {
    let head = Head { count: 12, hash: digest(b"a") };
    assert_eq!(head.to_string(), format!("12 {}", digest(b"a")));
    for text in [head.to_string(), format!("  {head}\n"), format!("{:020} {}", 12, head.hash)] {
        assert_eq!(text.parse(), Ok(head.clone()), "{text}");
    }
    assert_eq!(format!("0 {GENESIS}").parse(), Ok(Head { count: 0, hash: GENESIS.into() }));
    let hash = digest(b"a");
    let none = [
        String::new(),
        "12".into(),
        hash.clone(),
        format!("12  {hash}"),
        format!("+12 {hash}"),
        format!("-1 {hash}"),
        format!("12 {hash}0"),
        format!("12 {}", hash.to_uppercase()),
        format!("12 {}", &hash[1..]),
        format!("{} {hash}", u64::MAX),
        format!("0 {hash}"),
        format!(" {hash}"),
    ];
    for text in none {
        assert_eq!(text.parse::<Head>(), Err(NoHead), "{text}");
    }
}

#[test]
fn a_cut_end_is_seen_by_a_head_elsewhere_even_where_the_own_one_was_cut_too() {
    let room = Room::with(6);
    let all = heads(&room);
    assert_eq!(against(&room, &all).broken, None, "each of them was the head once");
    assert_eq!(against(&room, &[format!("0 {GENESIS}").parse().unwrap()]).broken, None);

    lose(&room, 5);
    fs::write(head::path(&room.path), format!("{}\n", all[3])).unwrap();
    assert_eq!(room.verify().broken, None, "the file and its head agree");
    assert_eq!(against(&room, &all[..4]).broken, None);
    assert_eq!(against(&room, &[all[1].clone(), all[5].clone(), all[4].clone()]).broken, Some(Broken::Cut { there: 4, known: 6 }));

    // Whoever goes on from there writes another history.
    let mut journal = Journal::open(&room.path).unwrap();
    for n in 5..=7 {
        journal.append(&hand(), at(n + 50), event(n + 50), at(n + 50)).unwrap();
    }
    assert_eq!(room.verify().broken, None);
    let verdict = against(&room, &all);
    assert_eq!((verdict.broken, verdict.good), (Some(Broken::Rewritten { seq: 5 }), 4));
}

#[test]
fn an_export_is_held_against_a_head_elsewhere_too() {
    let room = Room::with(6);
    let all = heads(&room);
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let mut out = Vec::new();
    journal.export(Some(at(4)), &mut out).unwrap();
    let verify = |head: &Head| verify_export_against(out.as_slice(), std::slice::from_ref(head)).unwrap();
    for known in &all[2..] {
        assert_eq!((verify(known).broken, verify(known).notes.len()), (None, 1), "{known}");
    }
    assert!(verify(&all[1]).notes[0].contains("event 2 is not in it"), "{:?}", verify(&all[1]).notes);
    let other = |count| verify(&Head { count, hash: digest(b"other") }).broken;
    assert_eq!(other(3), Some(Broken::Rewritten { seq: 3 }), "its first line names that one");
    assert_eq!((other(5), other(9)), (Some(Broken::Rewritten { seq: 5 }), Some(Broken::Cut { there: 6, known: 9 })));
}

#[test]
fn one_lost_event_is_healed_with_a_note_and_the_journal_goes_on() {
    let room = Room::with(5);
    let all = heads(&room);
    lose(&room, 5);
    let verdict = room.verify();
    assert_eq!((verdict.broken, verdict.notes.len()), (Some(Broken::Cut { there: 4, known: 5 }), 1), "nothing is healed by looking");

    let mut journal = Journal::open(&room.path).unwrap();
    let head = journal.append(&hand(), at(9), of_run("web-1", "on"), at(10)).unwrap();
    assert_eq!(head.count, 6);
    let records = journal.records(None).unwrap();
    assert_eq!(records[4].event, Event::Healed(crate::model::event::Lost { seq: 5, hash: all[4].hash.clone() }));
    assert_eq!((records[4].said_at, records[4].written_at, records[5].seq), (at(10), at(10), 6));
    // Neither the head that was kept here nor one elsewhere calls that broken, and it is told for ever.
    for verdict in [room.verify(), against(&room, &all)] {
        assert_eq!((verdict.broken, verdict.good), (None, 6));
        assert!(verdict.notes.len() == 1 && verdict.notes[0].starts_with("event 5 tells"), "{:?}", verdict.notes);
    }
    let mut out = Vec::new();
    journal.export(None, &mut out).unwrap();
    assert_eq!(verify_export_against(out.as_slice(), &all).unwrap().broken, None);
    // It heals the event that was lost, and no other one.
    let other = Head { count: 5, hash: digest(b"other") };
    assert_eq!(against(&room, &[other]).broken, Some(Broken::Rewritten { seq: 5 }));
}

#[test]
fn another_process_that_comes_between_the_healing_and_its_head_goes_on_too() {
    let room = Room::with(5);
    let old = fs::read(head::path(&room.path)).unwrap();
    lose(&room, 5);
    Journal::open(&room.path).unwrap().append(&hand(), at(9), event(9), at(9)).unwrap();
    // The first one was killed before it wrote the head.
    fs::write(head::path(&room.path), old).unwrap();
    assert_eq!(room.verify().broken, None);
    let head = Journal::open(&room.path).unwrap().append(&hand(), at(9), event(9), at(9)).unwrap();
    assert_eq!((head.count, room.verify().broken), (7, None), "healed once");
}

#[test]
fn more_than_one_lost_event_is_refused() {
    let room = Room::with(5);
    lose(&room, 4);
    assert!(matches!(Journal::open(&room.path), Err(JournalError::Cut { there: 3, known: 5, .. })));
    let mut open = {
        let room = Room::with(5);
        let journal = Journal::open(&room.path).unwrap();
        lose(&room, 4);
        (room, journal)
    };
    let error = open.1.append(&hand(), at(9), event(9), at(9)).unwrap_err();
    assert!(matches!(error, JournalError::Cut { there: 3, known: 5, .. }), "nor by one that was open already: {error}");
    assert_eq!(heads(&open.0).len(), 3);
}
