//! The journal on file systems that take no more: a full one and a read-only one, each mounted for its test alone. Mounts
//! need root, in a name space of their own.

use std::path::Path;
use std::process::Command;

use quarterdeck::journal::Journal;

use crate::servers::skip;

/// The child of the test below, in whose name space that file system is mounted; by itself it does nothing.
#[test]
fn journal_says_why_it_is_not_opened() {
    let Some(path) = std::env::var_os("QD_TEST_JOURNAL") else { return };
    let error = Journal::open(Path::new(&path)).unwrap_err();
    eprintln!("told: {error}");
}

#[test]
fn journal_on_a_full_or_read_only_file_system_is_told_before_anything_is_done() {
    const NAME: &str = "journal_on_a_full_or_read_only_file_system_is_told_before_anything_is_done";
    const MOUNT: &str = "mount -t tmpfs -o size=\"$QD_TEST_SIZE\",mode=700 journal \"$QD_TEST_FOLDER\"";
    let may_mount = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs -o size=64k try /mnt"]).output();
    if !may_mount.is_ok_and(|tried| tried.status.success()) {
        return skip(NAME, "this process may not mount a file system in a name space of its own");
    }
    let told = |size: &str, then: &str| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("{MOUNT} && {then} exec \"$0\" --exact journal::journal_says_why_it_is_not_opened --nocapture");
        let child = Command::new("unshare")
            .args(["-m", "sh", "-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env("QD_TEST_FOLDER", folder.path())
            .env("QD_TEST_JOURNAL", folder.path().join("journal.db"))
            .env("QD_TEST_SIZE", size)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
        assert!(child.status.success(), "{said}");
        said
    };
    // Room for the file itself, and for nothing beside it; for those too, but not for what happens next.
    for size in ["4k", "16k", "64k", "256k"] {
        let said = told(size, "");
        assert!(said.contains("journal.db is full: nothing was done") || said.contains("journal.db cannot grow"), "{size}: {said}");
    }
    let said = told("2m", "mount -o remount,ro \"$QD_TEST_FOLDER\" &&");
    assert!(said.contains("is read-only: nothing was done"), "{said}");
}
