//! What would be refused later is told when the journal is opened: no room, a lock, a group's file that is none.

use std::os::unix::fs::chown;
use std::process::Command;

use super::*;

/// Why an event could be lost that its append came back of, where the power goes.
fn unsynced(journal: &Journal) -> Vec<&'static str> {
    let number: i64 = journal.database.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
    let mode: String = journal.database.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    let wrong = [(number != 2, "it does not sync each commit"), (mode != "wal", "it keeps no log before it writes")];
    wrong.into_iter().filter_map(|(is, why)| is.then_some(why)).collect()
}

#[test]
fn an_event_is_synced_before_its_append_comes_back() {
    let room = Room::with(1);
    let mut journal = Journal::open(&room.path).unwrap();
    assert_eq!(unsynced(&journal), Vec::<&str>::new());
    let pages: i64 = journal.database.pragma_query_value(None, "cache_size", |row| row.get(0)).unwrap();
    assert!(pages != 8, "the cache is as it was before the trial");
    journal.append(&hand(), at(7), event(7), at(7)).unwrap();
    assert_eq!(unsynced(&journal), Vec::<&str>::new(), "nor does an append change that");
    // Planted breaks: what SQLite does by itself with such a log, and not at all.
    for setting in ["NORMAL", "OFF"] {
        journal.database.pragma_update(None, "synchronous", setting).unwrap();
        assert_eq!(unsynced(&journal), ["it does not sync each commit"], "{setting}");
    }
}

#[test]
fn opening_takes_the_room_that_the_next_events_need() {
    let room = Room::with(1);
    let journal = Journal::open(&room.path).unwrap();
    let log = fs::metadata(room.path.with_extension("db-wal")).unwrap().len();
    assert!(log >= 256 << 10, "{log} bytes of the log are there before the first event");
    let tables: i64 = journal.database.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'room'", [], |row| row.get(0)).unwrap();
    assert_eq!((tables, room.verify().good), (0, 1), "and nothing of it is in the journal");
}

/// The child of the test below; by itself it does nothing.
#[test]
fn opens_the_journal_that_is_named() {
    let Some(path) = std::env::var_os("QD_TEST_JOURNAL") else { return };
    let error = Journal::open(Path::new(&path)).unwrap_err();
    assert!(matches!(error, JournalError::NoRoom { .. } | JournalError::Full { .. }), "{error:?}");
}

/// This test program again, for that one test alone, with so many bytes a file may have.
fn limited(path: &Path, before: &str) -> (bool, String) {
    let script = format!("{before}; exec \"$0\" --exact journal::tests::disk::opens_the_journal_that_is_named --nocapture");
    let child =
        Command::new("sh").arg("-c").arg(script).arg(std::env::current_exe().unwrap()).env("QD_TEST_JOURNAL", path).output().unwrap();
    (child.status.success(), format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr)))
}

#[test]
fn where_the_journal_cannot_grow_that_is_told_before_anything_is_done() {
    let room = Room::with(3);
    let head = fs::read(head::path(&room.path)).unwrap();
    // 64 KiB hold the journal and its log, but not what an open journal must be able to take.
    let (well, said) = limited(&room.path, "trap '' XFSZ; ulimit -f 128");
    assert!(well && said.contains("1 passed"), "{said}");
    assert_eq!((room.verify().good, room.verify().broken), (3, None));
    assert_eq!(fs::read(head::path(&room.path)).unwrap(), head);
    Journal::open(&room.path).unwrap().append(&hand(), at(4), event(4), at(4)).unwrap();
}

/// A folder of the group that a file would have which this process makes, with a journal in it.
fn shared() -> Room {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o2770)).unwrap();
    let path = state.join("journal.db");
    fs::File::create(&path).unwrap().set_permissions(fs::Permissions::from_mode(0o660)).unwrap();
    Room { _folder: folder, path }
}

#[test]
fn a_journal_of_ones_group_is_accepted_with_all_that_lies_beside_it() {
    let room = shared();
    let mut journal = Journal::open(&room.path).unwrap();
    journal.append(&hand(), at(1), event(1), at(1)).unwrap();
    for ending in ["", "-wal", "-shm", ".head"] {
        let file = PathBuf::from(format!("{}{ending}", room.path.display()));
        assert_eq!(mode(&file), 0o660, "{}", file.display());
    }
    drop(journal);
    // Of another operator of that group: only root can give a file away.
    if nix::unistd::geteuid().is_root() {
        for file in [room.path.clone(), head::path(&room.path)] {
            chown(&file, Some(54_321), None).unwrap();
        }
    }
    Journal::open(&room.path).unwrap().append(&hand(), at(2), event(2), at(2)).unwrap();
    assert_eq!((room.verify().good, room.verify().broken), (2, None));
    assert_eq!(head::kept(&room.path).unwrap().count, 2);
}

#[test]
fn a_link_to_a_journal_leads_to_the_file_and_to_what_lies_beside_that() {
    let room = shared();
    let own = Room::new();
    fs::create_dir_all(own.path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&room.path, &own.path).unwrap();
    Journal::open(&own.path).unwrap().append(&hand(), at(1), event(1), at(1)).unwrap();
    assert_eq!((room.verify().good, head::path(&own.path).exists(), head::path(&room.path).exists()), (1, false, true));

    fs::remove_file(&own.path).unwrap();
    std::os::unix::fs::symlink(room.path.with_extension("none"), &own.path).unwrap();
    assert!(matches!(Journal::open(&own.path), Err(JournalError::File { .. })), "it leads to nothing");
    assert!(matches!(Journal::read(&own.path), Err(JournalError::File { .. })));
}

#[test]
fn a_group_s_journal_that_others_could_change_is_refused() {
    let refused = |break_it: &dyn Fn(&Room)| {
        let room = shared();
        drop(Journal::open(&room.path).unwrap().append(&hand(), at(1), event(1), at(1)).unwrap());
        break_it(&room);
        let error = Journal::open(&room.path).unwrap_err().to_string();
        assert_eq!(Journal::read(&room.path).unwrap_err().to_string(), error);
        error
    };
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = |room: &Room| room.path.parent().unwrap().to_owned();
    for mode in [0o770, 0o2775, 0o2777, 0o3770, 0o2750] {
        let said = refused(&|room: &Room| set(&folder(room), mode));
        assert!(said.contains(&format!("mode {mode:o}")) && said.contains("it wants 2770"), "{said}");
    }
    assert!(refused(&|room: &Room| set(&room.path, 0o664)).contains("others may read or write it (mode 664)"));
    assert!(refused(&|room: &Room| set(&head::path(&room.path), 0o666)).contains("journal.db.head: others may"));
    if nix::unistd::geteuid().is_root() {
        let give = |path: &Path, user, group| chown(path, user, group).unwrap();
        assert!(refused(&|room: &Room| give(&room.path, None, Some(54_321))).contains("you are not in its group (number 54321)"));
        let third = |room: &Room| {
            give(&folder(room), Some(54_321), None);
            set(&folder(room), 0o2770);
        };
        assert!(refused(&third).contains("belongs to a third user (number 54321)"));
        assert!(refused(&|room: &Room| give(&head::path(&room.path), None, Some(54_321))).contains("its group is 54321 and not"));
    }
}

#[test]
fn what_lies_beside_one_s_own_journal_is_one_s_own_too() {
    let room = Room::with(1);
    fs::set_permissions(head::path(&room.path), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Journal::open(&room.path), Err(JournalError::OthersCanUse { mode: 0o644, .. })));
    fs::remove_file(head::path(&room.path)).unwrap();
    std::os::unix::fs::symlink("/dev/null", head::path(&room.path)).unwrap();
    assert!(matches!(Journal::open(&room.path), Err(JournalError::File { .. })), "a link in its place leads elsewhere");
}
