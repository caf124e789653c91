//! The practice estate's PostgreSQL: a real primary and standby, and that neither they nor their folder are left.

use std::fs;

use nix::sys::signal::Signal;

use crate::practice::{Practice, have_postgres, leftovers, until, until_gone};

#[test]
fn the_ledger_is_a_primary_with_a_standby_and_an_archive_that_moves() {
    if !have_postgres("the_ledger_is_a_primary_with_a_standby_and_an_archive_that_moves") {
        return;
    }
    let practice = Practice::start(&[]);
    practice.until_the_ledger_streams();
    let position = || practice.ledger_nodes()[0]["position"].as_str().map(str::to_owned);
    let before = position();
    until("someone writes", || (position() > before).then_some(()));
    let archive = practice.ledger().join("archive");
    until("a file is archived", || fs::read_dir(&archive).unwrap().next().map(drop));
    assert!(practice.ledger_nodes()[1]["newest_commit"].is_string());

    // The primary's site is lost, and comes back as it was.
    practice.lab(&["stop", "north"]);
    let nodes = practice.ledger_nodes();
    assert_eq!((nodes[0]["role"].as_str(), nodes[1]["role"].as_str()), (None, Some("standby")));
    practice.lab(&["start", "north"]);
    practice.until_the_ledger_streams();
}

#[test]
fn nothing_of_the_ledger_is_left_whatever_ends_the_practice() {
    if !have_postgres("nothing_of_the_ledger_is_left_whatever_ends_the_practice") {
        return;
    }
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let practice = Practice::start(&[]);
        practice.until_the_ledger_streams();
        let ledger = practice.ledger();
        assert!(ledger.join("north/data").exists());
        let home = practice.signal_and_wait(signal, Some(code));
        assert_eq!(leftovers(home.path()), Vec::<String>::new(), "{signal}");
        assert!(!ledger.exists(), "{signal}: {}", ledger.display());
    }
    let practice = Practice::start(&[]);
    practice.until_the_ledger_streams();
    let ledger = practice.ledger();
    let elsewhere = !ledger.starts_with(&practice.folder);
    let home = practice.signal_and_wait(Signal::SIGKILL, None);
    until_gone(home.path());
    if elsewhere {
        assert!(!ledger.exists(), "its guardians remove what lies elsewhere");
    }
    let next = Practice::start_at(home, &[]);
    assert!(!ledger.exists() && next.folder.exists());
}

#[test]
fn a_practice_that_ends_while_its_ledger_begins_leaves_nothing() {
    if !have_postgres("a_practice_that_ends_while_its_ledger_begins_leaves_nothing") {
        return;
    }
    let practice = Practice::start(&[]);
    let ledger = practice.ledger();
    until("initdb is at work", || ledger.join("north/data").exists().then_some(()));
    let home = practice.signal_and_wait(Signal::SIGTERM, Some(143));
    until_gone(home.path());
    assert!(!ledger.exists());
}
