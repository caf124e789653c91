//! Another estate is opened while the former one is read over a real ssh: its master ends, at both ends, and nothing goes
//! to its host any more.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use tempfile::tempdir;

use crate::console::Console;
use crate::servers::until;
use crate::sshd::{Sshd, have_sshd};

/// An estate whose releases are read each second on a host of that sshd.
fn estate(name: &str, sshd: &Sshd, tree: &Path) -> String {
    format!(
        "version = 1\n[estate]\nname = \"{name}\"\nenvironment = \"test\"\n[[site]]\nname = \"fra1\"\nrole = \"primary\"\n\
         [[service]]\nname = \"web\"\n[[history]]\nname = \"folders\"\nkind = \"releases\"\nservice = \"web\"\npath = {tree:?}\n\
         hosts = [\"web1\"]\nevery = \"1s\"\ntimeout = \"30s\"\n{}",
        sshd.host("web1", "site = \"fra1\"")
    )
}

/// Puts a release there and makes it the current one.
fn release(tree: &Path, version: &str) {
    fs::create_dir_all(tree.join("releases").join(version)).unwrap();
    let _ = fs::remove_file(tree.join("current"));
    symlink(format!("releases/{version}"), tree.join("current")).unwrap();
}

/// The sockets below a folder.
fn sockets(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let count = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => sockets(&entry.path()),
        Ok(kind) => usize::from(kind.is_socket()),
        Err(_) => 0,
    };
    entries.flatten().map(count).sum()
}

#[test]
fn another_estate_ends_the_ssh_of_the_former_at_both_ends_and_nothing_goes_there_any_more() {
    if !have_sshd("another_estate_ends_the_ssh_of_the_former_at_both_ends_and_nothing_goes_there_any_more") {
        return;
    }
    let (near, far) = (Sshd::start(), Sshd::start());
    let (near_tree, far_tree) = (tempdir().unwrap(), tempdir().unwrap());
    release(near_tree.path(), "near-1");
    release(far_tree.path(), "far-1");
    // A short path: the name of a socket has an end.
    let home = tempfile::Builder::new().prefix("qd-").tempdir().unwrap();
    let estates = home.path().join(".config/quarterdeck/estates");
    fs::create_dir_all(&estates).unwrap();
    fs::write(estates.join("near.toml"), estate("near", &near, near_tree.path())).unwrap();
    fs::write(estates.join("far.toml"), estate("far", &far, far_tree.path())).unwrap();
    let run = home.path().join("run");
    fs::create_dir(&run).unwrap();
    let argv = ["sh", "-c", "exec \"$QD\" --context near --pane deployments"];
    let mut console = Console::over(home, "", &argv, &[("XDG_RUNTIME_DIR", run.to_str().unwrap())], (120, 30));
    console.until("the release on the host of near", |screen| screen.contents().contains("near-1"));
    assert_eq!((near.masters(), near.sessions() > 0, sockets(&run)), (1, true, 1), "one connection, which stays");
    assert_eq!((far.masters(), far.connections()), (0, 0), "the other estate is not contacted");

    console.press(b":open estate far\r");
    console.until("the estate far", |screen| screen.contents().lines().next().is_some_and(|line| line.contains(" far ")));
    console.press(b"5");
    console.until("the release on the host of far", |screen| screen.contents().contains("far-1"));
    near.nothing_is_left();
    until("the end of its session there", || (near.sessions() == 0 && near.connections() == 0).then_some(()));
    assert_eq!((far.masters(), sockets(&run)), (1, 1), "the socket of the former is gone");
    let said = near.log();
    for version in ["far-2", "far-3"] {
        release(far_tree.path(), version);
        console.until("polls of far go on", |screen| screen.contents().contains(version));
        assert_eq!((near.connections(), near.masters(), near.sessions()), (0, 0, 0), "nothing goes to the former");
    }
    assert_eq!(near.log(), said, "nobody knocked there");

    // And the same back again.
    console.press(b":open estate near\r");
    console.until("the estate near", |screen| screen.contents().lines().next().is_some_and(|line| line.contains(" near ")));
    console.press(b"5");
    console.until("the release on the host of near again", |screen| screen.contents().contains("near-1"));
    far.nothing_is_left();
    until("the end of the session of far", || (far.sessions() == 0 && far.connections() == 0).then_some(()));
    assert_eq!(near.masters(), 1);
    console.press(b"\x03");
    console.ends_with(130);
    near.nothing_is_left();
    until("no socket", || (sockets(&run) == 0).then_some(()));
}
