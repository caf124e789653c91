//! The journal: what is added, what is refused, and what was done to it behind its back.

mod disk;
mod heads;
mod tail;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::model::backup::{Method, Outcome, Verification};
use crate::model::event::Process;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + secs).unwrap()
}

fn hand() -> Hand {
    let process = Process { id: 7, began: 9 };
    let actor = Actor {
        user: "root".into(),
        uid: 0,
        login: Some("ann".into()),
        host: "jump".into(),
        terminal: None,
        ssh: Some("192.0.2.1".into()),
        process,
    };
    Hand { actor, version: "0.1.0".into(), estate: Some(digest(b"estate")) }
}

fn event(secs: i64) -> Event {
    Event::Verification(Verification {
        source: "files".into(),
        target: "/backups".into(),
        method: Method::Files,
        started: at(secs),
        ended: None,
        outcome: Outcome::Begun,
        points: vec![],
        evidence: vec!["zażółć".into()],
    })
}

struct Room {
    _folder: TempDir,
    path: PathBuf,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/journal.db");
        Room { _folder: folder, path }
    }

    /// A journal with so many events, one a second.
    fn with(events: i64) -> Room {
        let room = Room::new();
        let mut journal = Journal::open(&room.path).unwrap();
        for n in 1..=events {
            journal.append(&hand(), at(n), event(n), at(n)).unwrap();
        }
        room
    }

    fn verify(&self) -> Verdict {
        Journal::read(&self.path).unwrap().unwrap().verify()
    }

    /// As someone with the file in their hands would.
    fn meddle(&self, sql: &str) -> rusqlite::Result<()> {
        Connection::open(&self.path).unwrap().execute_batch(sql)
    }

    fn meddle_without_triggers(&self, sql: &str) {
        let drop = "DROP TRIGGER event_is_not_changed; DROP TRIGGER event_is_not_removed; DROP TRIGGER event_is_added_last;";
        self.meddle(&format!("{drop}{sql}")).unwrap();
    }

    fn broken(&self) -> String {
        self.verify().broken.unwrap().to_string()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_appended_is_read_back_and_is_for_this_person_only() {
    let room = Room::with(3);
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let records = journal.records(None).unwrap();
    assert_eq!((records.len(), records[2].seq, records[0].prev.as_str()), (3, 3, GENESIS));
    assert_eq!((&records[1].event, &records[1].actor, records[1].actor.name()), (&event(2), &hand().actor, "ann as root@jump".into()));
    assert_eq!(journal.records(Some(at(3))).unwrap().len(), 1);
    let verdict = journal.verify();
    assert_eq!((verdict.good, &verdict.broken, &verdict.notes, verdict.clock.len()), (3, &None, &vec![], 0));
    assert_eq!(verdict.head, journal.head().unwrap());
    assert_eq!(head::kept(&room.path), Some(verdict.head));
    for file in [room.path.clone(), head::path(&room.path)] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(room.path.parent().unwrap()), 0o700);
    assert!(Journal::read(&room.path.with_extension("none")).unwrap().is_none());
}

#[test]
fn events_are_added_and_never_changed_removed_or_replaced() {
    let room = Room::with(2);
    for sql in [
        "UPDATE event SET body = x'00' WHERE seq = 1",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event (seq, hash, body) VALUES (1, 'a', x'00')",
        "INSERT INTO event (seq, hash, body) VALUES (9, 'a', x'00')",
        "INSERT INTO event (seq, hash, body) VALUES (-1, 'a', x'00')",
    ] {
        let error = room.meddle(sql).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(room.verify().good, 2);
}

#[test]
fn a_flipped_bit_is_named_wherever_it_is() {
    for (column, seq, says) in [("body", 3, "event 3 was changed"), ("hash", 2, "event 2 was changed")] {
        let room = Room::with(5);
        let flip = if column == "body" {
            "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), '\"files\"', '\"filez\"') AS BLOB) WHERE seq = 3;".to_owned()
        } else {
            format!("UPDATE event SET hash = '{GENESIS}' WHERE seq = 2;")
        };
        room.meddle_without_triggers(&flip);
        assert!(room.broken().starts_with(says), "{column} {seq}: {}", room.broken());
        assert_eq!(room.verify().good, seq - 1);
    }
    // And whoever computes the hash anew breaks the next link.
    let room = Room::with(5);
    let body: Vec<u8> =
        Connection::open(&room.path).unwrap().query_row("SELECT body FROM event WHERE seq = 3", [], |row| row.get(0)).unwrap();
    let forged = String::from_utf8(body).unwrap().replace("\"source\":\"files\"", "\"source\":\"other\"");
    room.meddle_without_triggers(&format!(
        "UPDATE event SET body = CAST('{forged}' AS BLOB), hash = '{}' WHERE seq = 3;",
        digest(forged.as_bytes())
    ));
    assert!(room.broken().starts_with("event 4 does not follow"), "{}", room.broken());
    let journal = Journal::read(&room.path).unwrap().unwrap();
    assert_eq!(journal.trusted().0.len(), 3, "what follows a broken link proves nothing");
    assert_eq!(journal.verifications().0, journal.trusted().0);
}

#[test]
fn verifications_are_found_among_all_events_and_all_are_held_against_the_chain() {
    let room = Room::new();
    let mut journal = Journal::open(&room.path).unwrap();
    for n in 1..=9 {
        // What a person wrote may look like another event.
        let event = if n % 3 == 0 { event(n) } else { tail::of_run("web-1", "\"kind\":\"verification\"") };
        journal.append(&hand(), at(n), event, at(n)).unwrap();
    }
    let (found, verdict) = journal.verifications();
    let (mut all, whole) = journal.trusted();
    all.retain(|record| matches!(record.event, Event::Verification(_)));
    assert_eq!((found.len(), &found, &verdict), (3, &all, &whole));
    assert_eq!((verdict.head.count, verdict.broken), (9, None));
    room.meddle_without_triggers(&format!("UPDATE event SET hash = '{GENESIS}' WHERE seq = 5;"));
    let (found, verdict) = journal.verifications();
    assert_eq!((found.len(), verdict.broken), (1, Some(Broken::Changed { seq: 5 })), "what follows a broken event proves nothing");
}

#[test]
fn removed_moved_and_cut_off_events_are_named() {
    let removed = Room::with(5);
    removed.meddle_without_triggers("DELETE FROM event WHERE seq IN (2, 3);");
    assert_eq!(removed.broken(), "events 2 to 3 were removed");

    let moved = Room::with(5);
    moved.meddle_without_triggers(
        "UPDATE event SET seq = 99 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 99;",
    );
    assert_eq!(moved.broken(), "event 2 was moved: it was written as event 3");

    let cut = Room::with(5);
    cut.meddle_without_triggers("DELETE FROM event WHERE seq > 3;");
    assert_eq!(cut.broken(), "the end was cut off: 3 events are there, 5 were");
    let error = Journal::open(&cut.path).unwrap_err();
    assert!(matches!(error, JournalError::Cut { there: 3, known: 5, .. }), "nothing is added to a journal that lost its end: {error}");

    let replaced = Room::with(5);
    replaced.meddle_without_triggers("DELETE FROM event WHERE seq = 5;");
    fs::remove_file(head::path(&replaced.path)).unwrap();
    Journal::open(&replaced.path).unwrap().append(&hand(), at(6), event(6), at(6)).unwrap();
    let good = replaced.verify().head;
    let other = Head { count: 5, hash: digest(b"the one that was there") };
    fs::write(head::path(&replaced.path), format!("{:020} {}\n", other.count, other.hash)).unwrap();
    assert_eq!(replaced.broken(), "event 5 is not the one that was written there: the end was replaced");
    fs::write(head::path(&replaced.path), format!("{:020} {}\n", good.count, good.hash)).unwrap();
    assert_eq!(replaced.verify().broken, None);

    let gone = Room::with(2);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", gone.path.display()));
    }
    assert!(matches!(Journal::open(&gone.path), Err(JournalError::Cut { there: 0, known: 2, .. })), "an empty one would hide that");
    assert!(!gone.path.exists(), "it is not begun anew");
    fs::File::create(&gone.path).unwrap().set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(Journal::open(&gone.path), Err(JournalError::Cut { there: 0, known: 2, .. })), "nor is an empty file filled");
}

#[test]
fn a_truncated_file_is_told_and_never_begun_anew() {
    let room = Room::with(400);
    Connection::open(&room.path).unwrap().pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    let length = fs::metadata(&room.path).unwrap().len();
    fs::File::options().write(true).open(&room.path).unwrap().set_len(length / 2).unwrap();
    let told = match Journal::read(&room.path) {
        Ok(journal) => journal.unwrap().verify().broken.unwrap().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(told.contains("malformed") || told.contains("damaged"), "{told}");
    assert!(Journal::open(&room.path).is_err());
    assert_eq!(fs::metadata(&room.path).unwrap().len(), length / 2, "it is kept as evidence");

    fs::write(&room.path, b"not a database at all, but long enough to be looked at by SQLite").unwrap();
    assert!(matches!(Journal::open(&room.path), Err(JournalError::Damaged { .. })));
}

#[test]
fn a_clock_that_was_set_back_is_named_and_breaks_nothing() {
    let room = Room::with(2);
    let mut journal = Journal::open(&room.path).unwrap();
    journal.append(&hand(), at(2), event(2), at(2) - SignedDuration::from_millis(900)).unwrap();
    journal.append(&hand(), at(2), event(3), at(-3_600)).unwrap();
    let verdict = journal.verify();
    assert_eq!((verdict.broken, verdict.clock.len(), verdict.clock[0].seq), (None, 1, 4));
    assert!(verdict.clock[0].to_string().starts_with("the clock was set back by 1h"), "{}", verdict.clock[0]);
}

#[test]
fn files_of_other_versions_other_programs_and_other_people_are_refused_and_kept() {
    let room = Room::with(1);
    room.meddle("PRAGMA user_version = 7").unwrap();
    for error in [Journal::open(&room.path).unwrap_err(), Journal::read(&room.path).unwrap_err()] {
        assert!(matches!(error, JournalError::OtherVersion { found: 7, ours: 2, .. }), "{error}");
    }
    room.meddle("PRAGMA user_version = 2").unwrap();
    assert_eq!(room.verify().good, 1, "it was kept as it was");

    let foreign = Room::new();
    fs::create_dir_all(foreign.path.parent().unwrap()).unwrap();
    foreign.meddle("CREATE TABLE a (b)").unwrap();
    fs::set_permissions(&foreign.path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(Journal::open(&foreign.path), Err(JournalError::Foreign { .. })));

    let open = Room::with(1);
    fs::set_permissions(&open.path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Journal::open(&open.path), Err(JournalError::OthersCanUse { mode: 0o640, .. })));
}

#[test]
fn a_journal_of_another_person_is_refused() {
    let room = Room::with(1);
    let path = if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(&room.path, Some(12_345), None).unwrap();
        room.path.clone()
    } else {
        "/etc/passwd".into()
    };
    for error in [Journal::open(&path).unwrap_err(), Journal::read(&path).unwrap_err()] {
        assert!(matches!(error, JournalError::OfAnother { .. }), "{error}");
    }
}

#[test]
fn a_lock_a_full_disk_and_a_read_only_file_are_told_before_anything_is_done() {
    let room = Room::with(1);
    let holder = Connection::open(&room.path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(Journal::open(&room.path), Err(JournalError::Locked { .. })));
    holder.execute_batch("ROLLBACK").unwrap();

    let mut journal = Journal::open(&room.path).unwrap();
    // SQLite gives the same answer where the file may not grow and where the disk has no room.
    let pages: i64 = journal.database.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    journal.database.pragma_update(None, "max_page_count", pages).unwrap();
    let Event::Verification(mut large) = event(2) else { panic!() };
    large.evidence = vec!["x".repeat(100_000)];
    let error = journal.append(&hand(), at(2), Event::Verification(large), at(2)).unwrap_err();
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert_eq!(room.verify().good, 1, "nothing half is there");
    drop(journal);

    // A read-only file system answers so to root too, which rights do not stop.
    assert!(matches!(
        Journal::open(Path::new("/proc/quarterdeck/journal.db")),
        Err(JournalError::File { .. } | JournalError::ReadOnly { .. })
    ));
    if !nix::unistd::geteuid().is_root() {
        fs::set_permissions(&room.path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(matches!(Journal::open(&room.path), Err(JournalError::ReadOnly { .. })));
    }
    let error = JournalError::of(&room.path, rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(8), None));
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error}");
}

#[test]
fn many_writers_at_once_make_one_chain() {
    let room = Room::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &room.path;
            scope.spawn(move || {
                let mut journal = Journal::open(path).unwrap();
                for n in 0..25 {
                    journal.append(&hand(), at(n), event(writer * 100 + n), Timestamp::now()).unwrap();
                }
            });
        }
    });
    let verdict = room.verify();
    assert_eq!((verdict.good, verdict.broken), (100, None));
    assert_eq!(head::kept(&room.path).unwrap().count, 100);
}

#[test]
fn an_export_verifies_elsewhere_and_shows_what_was_done_to_it() {
    let room = Room::with(6);
    let journal = Journal::read(&room.path).unwrap().unwrap();
    let export = |since| {
        let mut out = Vec::new();
        let count = journal.export(since, &mut out).unwrap();
        (count, String::from_utf8(out).unwrap())
    };
    let (count, whole) = export(None);
    let verdict = verify_export(whole.as_bytes()).unwrap();
    assert_eq!((count, verdict.good, &verdict.broken, &verdict.head), (6, 6, &None, &journal.head().unwrap()));
    let (count, part) = export(Some(at(4)));
    let verdict = verify_export(part.as_bytes()).unwrap();
    assert_eq!((count, verdict.first, &verdict.broken, verdict.notes.len()), (3, Some(4), &None, 1));
    let (none, nothing) = export(Some(at(99)));
    assert_eq!((none, verify_export(nothing.as_bytes()).unwrap().broken), (0, None));

    let lines: Vec<&str> = whole.lines().collect();
    let without = |skip: usize| lines.iter().enumerate().filter(|(n, _)| *n != skip).map(|(_, l)| format!("{l}\n")).collect::<String>();
    let says = |text: &str| verify_export(text.as_bytes()).unwrap().broken.unwrap().to_string();
    assert_eq!(says(&without(3)), "event 3 was removed");
    assert!(says(&without(6)).starts_with("the end was cut off: 5 events are there, 6 were"), "{}", says(&without(6)));
    assert!(says(&without(7)).contains("it was cut off"));
    assert!(says(&whole.replacen("files", "filez", 1)).starts_with("event 1 was changed"));
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert_eq!(says(&swapped.join("\n")), "event 2 was removed", "what comes where the second stood is the third");
    // Numbered anew, as they stand; what is hashed has its own number.
    let (second, third) = (lines[3].replacen("\"seq\":3", "\"seq\":2", 1), lines[2].replacen("\"seq\":2", "\"seq\":3", 1));
    swapped[2..4].copy_from_slice(&[&second, &third]);
    assert_eq!(says(&swapped.join("\n")), "event 2 was moved: it was written as event 3");
    let half = &whole[..whole.find("\"seq\":4").unwrap() + 99];
    assert!(says(half).starts_with("nothing can be read after event 3"), "{}", says(half));
    let mut journal = Journal::open(&room.path).unwrap();
    journal.append(&hand(), at(7), event(7), at(-3_600)).unwrap();
    let mut out = Vec::new();
    journal.export(None, &mut out).unwrap();
    let verdict = verify_export(out.as_slice()).unwrap();
    assert_eq!((verdict.broken, verdict.clock.len(), verdict.clock[0].seq), (None, 1, 7));
    for none in ["", "hello", "{}", "\u{0}"] {
        assert!(verify_export(none.as_bytes()).is_err(), "{none}");
    }
    assert!(verify_export(format!("{whole}{{}}").as_bytes()).is_err(), "something after its end");
    // Whoever made the file wrote its first and last line too: what is in them is shown and counted on.
    let opening = |from: u64, prev: &str| format!("{{\"format\":\"quarterdeck-journal-1\",\"from\":{from},\"prev\":\"{prev}\"}}\n");
    let hash = "0".repeat(64);
    for none in [opening(1, "\\u001b[2J"), opening(0, &hash), opening(u64::MAX, &hash)] {
        assert!(verify_export(none.as_bytes()).is_err(), "{none}");
    }
    let closing = format!("{}{{\"count\":{},\"hash\":\"{hash}\"}}\n", opening(7, &hash), u64::MAX);
    assert!(says(&closing).starts_with("the end was cut off: 6 events are there"), "{}", says(&closing));
}

#[test]
fn an_actor_is_alive_as_long_as_the_very_process_is() {
    let here = actor(&|name| (name == "SUDO_USER").then(|| "ann\u{1b}[31m".into()));
    assert!(is_alive(&here));
    assert_eq!(here.login.as_deref(), Some("ann[31m"));
    let mut other = here.clone();
    other.process.began += 1;
    assert!(!is_alive(&other), "its number was given to another process");
    let elsewhere = Actor { host: "elsewhere".into(), ..here };
    assert!(!is_alive(&elsewhere));
}
