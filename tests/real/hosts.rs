//! Hosts as they are, over a real sshd: release folders, names that would hurt a shell, keys that are not taken, links
//! that are cut, and nothing left behind.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quarterdeck::link::http::LinkError;
use quarterdeck::link::ssh::{Hosts, Script};
use quarterdeck::model::deployment::{Dated, Ending, join};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{FailureKind, Freshness, Reading};
use quarterdeck::model::source::{Answer, HistoryAnswer};
use quarterdeck::watch;
use tempfile::tempdir;
use tokio::time::Instant;

use crate::estate::estate;
use crate::servers::until;
use crate::sshd::{Sshd, have_sshd};

fn releases(folder: &Path) -> String {
    format!(
        "[[site]]\nname = \"fra1\"\nrole = \"primary\"\n[[service]]\nname = \"web\"\n\
         [[history]]\nname = \"folders\"\nkind = \"releases\"\nservice = \"web\"\npath = {folder:?}\nhosts = [\"web1\"]\nevery = \"1s\"\ntimeout = \"30s\"\n"
    )
}

fn answer(reading: &Reading<Answer>) -> &HistoryAnswer {
    match &reading.held.as_ref().unwrap_or_else(|| panic!("{reading:?}")).value {
        Answer::History(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn once(estate: &Arc<Estate>) -> Vec<Reading<Answer>> {
    watch::once(estate, Demand::default(), &watch::no_past()).await
}

async fn failure(estate: &Arc<Estate>) -> (FailureKind, String) {
    let readings = once(estate).await;
    let failure = readings[0].failure.as_ref().unwrap_or_else(|| panic!("{readings:?}"));
    (failure.kind, failure.what.clone())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_on_a_host_are_told_whatever_their_names_hold_and_dated_by_the_log() {
    if !have_sshd("releases_on_a_host_are_told_whatever_their_names_hold_and_dated_by_the_log") {
        return;
    }
    let sshd = Sshd::start();
    let (folder, tree) = (tempdir().unwrap(), tempdir().unwrap());
    for name in ["1.0", "1.1", "a\nb", "$(touch pwned)", "'\"`touch pwned`", "\u{1b}[2Jx", "-n"] {
        fs::create_dir_all(tree.path().join("releases").join(name)).unwrap();
    }
    symlink("releases/1.1", tree.path().join("current")).unwrap();
    fs::write(folder.path().join("log"), "{\"time\":\"2026-11-12T13:01:00Z\",\"service\":\"web\",\"version\":\"1.1\"}\n").unwrap();
    let log = "[[history]]\nname = \"log\"\nkind = \"deploy-log\"\npath = \"log\"\n";
    let estate = estate(folder.path(), &(sshd.host("web1", "site = \"fra1\"") + &releases(tree.path()) + log));
    let readings = once(&estate).await;
    let told = answer(&readings[0]);
    let mut names: Vec<&str> = told.deployments.iter().map(|one| one.to.as_deref().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["$(touch pwned)", "'\"`touch pwned`", "-n", "1.0", "1.1", "[2Jx", "a b"]);
    assert_eq!(told.notes, Vec::<String>::new());
    let runs: Vec<_> = told.deployments.iter().filter(|one| one.result == Some(Ending::Succeeded)).collect();
    assert_eq!((runs.len(), runs[0].to.as_deref(), runs[0].site.as_deref()), (1, Some("1.1"), Some("fra1")));
    let rows = join([told.deployments.as_slice(), answer(&readings[1]).deployments.as_slice()]);
    let one = rows.iter().find(|one| one.to.as_deref() == Some("1.1")).unwrap();
    assert_eq!((one.dated, one.at.to_string().as_str(), one.result), (Dated::Record, "2026-11-12T13:01:00Z", Some(Ending::Succeeded)));
    for place in [tree.path(), &tree.path().join("releases")] {
        assert!(!place.join("pwned").exists());
    }
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys_that_are_not_known_and_keys_that_are_not_taken_are_refusals() {
    if !have_sshd("host_keys_that_are_not_known_and_keys_that_are_not_taken_are_refusals") {
        return;
    }
    let sshd = Sshd::start();
    let (folder, tree) = (tempdir().unwrap(), tempdir().unwrap());
    fs::create_dir_all(tree.path().join("releases/1.0")).unwrap();
    let estate = estate(folder.path(), &(sshd.host("web1", "") + &releases(tree.path())));
    assert_eq!(answer(&once(&estate).await[0]).deployments.len(), 1);

    fs::write(sshd.path("known_hosts"), "").unwrap();
    let (kind, what) = failure(&estate).await;
    assert_eq!(kind, FailureKind::Refused, "{what}");
    assert!(what.contains("host key is not known") && what.contains("compare the fingerprint"), "{what}");
    assert_eq!(fs::read_to_string(sshd.path("known_hosts")).unwrap(), "", "no key is taken on trust");

    sshd.new_key("other");
    sshd.know("other");
    let (kind, what) = failure(&estate).await;
    assert_eq!(kind, FailureKind::Refused, "{what}");
    assert!(what.contains("is not the one that is known"), "{what}");

    sshd.know("hostkey");
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let (kind, what) = failure(&estate).await;
    assert_eq!(kind, FailureKind::Refused, "{what}");
    assert!(what.contains("no key of ours was accepted"), "{what}");
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_behind_the_address_is_refused() {
    if !have_sshd("another_machine_behind_the_address_is_refused") {
        return;
    }
    let sshd = Sshd::start();
    let (folder, tree) = (tempdir().unwrap(), tempdir().unwrap());
    fs::create_dir_all(tree.path().join("releases/1.0")).unwrap();
    let id = format!("machine_id = \"{}\"", "0".repeat(32));
    let estate = estate(folder.path(), &(sshd.host("web1", &id) + &releases(tree.path())));
    let (kind, what) = failure(&estate).await;
    assert!(kind == FailureKind::Refused && what.contains("another machine"), "{what}");
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_shared_and_made_again_when_it_was_cut() {
    if !have_sshd("one_connection_is_shared_and_made_again_when_it_was_cut") {
        return;
    }
    let mut sshd = Sshd::start();
    let folder = tempdir().unwrap();
    let text = sshd.host("web1", "") + &releases(Path::new("/srv"));
    let estate = estate(folder.path(), &text);
    let hosts = Hosts::new(&estate.hosts);
    let web1 = hosts.reader("web1").unwrap();
    let echo = Script(r#"printf '%s' "$1""#);
    let all = futures_util::future::join_all((0..12).map(|_| web1.run(echo, &["a $(b) \u{1b}"], soon(), 1_000))).await;
    for said in all {
        let said = said.unwrap();
        assert_eq!((said.code, said.out.as_slice()), (Some(0), "a $(b) \u{1b}".as_bytes()));
        assert!(!String::from_utf8_lossy(&said.errors).contains("Welcome"));
    }
    assert_eq!(sshd.masters(), 1);
    // The exit code of ssh for its own troubles is a script's right too.
    assert_eq!(web1.run(Script("exit 255"), &["x"], soon(), 1_000).await.unwrap().code, Some(255));
    // Cut in the middle: the script has said that it runs, and its end never comes.
    let mark = folder.path().join("runs");
    let path = mark.display().to_string();
    let arguments = [path.as_str()];
    let (long, ()) = tokio::join!(web1.run(Script(r#"echo half; touch "$1"; sleep 1000"#), &arguments, soon(), 1_000), async {
        while !mark.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sshd.cut_sessions();
    });
    assert!(matches!(&long, Err(LinkError::Unreachable(_))), "{long:?}");
    // Another is made for whoever asks next.
    assert_eq!(web1.run(echo, &["again"], soon(), 1_000).await.unwrap().out, b"again");
    // The folder of its socket goes with the last session of its user, when logind clears XDG_RUNTIME_DIR; a run goes on.
    // A client of a connection that is just dying makes one of its own: the next finds that out.
    let mut sockets = None;
    while sockets.is_none() {
        assert!(web1.run(echo, &["once more"], soon(), 1_000).await.is_ok());
        sockets = sshd.sockets().pop();
    }
    let sockets = sockets.unwrap();
    fs::remove_dir_all(&sockets).unwrap();
    assert_eq!(web1.run(echo, &["elsewhere"], soon(), 1_000).await.unwrap().out, b"elsewhere");
    until("the one whose folder is gone has ended", || (!sshd.sockets().contains(&sockets)).then_some(()));
    let much = web1.run(Script("cat /dev/zero"), &["x"], soon(), 1 << 20).await.unwrap_err();
    assert!(much.to_string().contains("printed too much"), "{much}");
    let late = web1.run(Script("sleep 1000"), &["x"], Instant::now() + Duration::from_millis(300), 10).await.unwrap_err();
    assert!(late.to_string().contains("did not end within"), "{late}");
    assert_eq!(web1.run(echo, &["still"], soon(), 1_000).await.unwrap().out, b"still");
    sshd.kill();
    let gone = web1.run(echo, &["x"], soon(), 1_000).await.unwrap_err();
    assert!(matches!(&gone, LinkError::Unreachable(what) if what.contains("does sshd run") || what.contains("failed")), "{gone:?}");
    drop((hosts, web1));
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_goes_away_is_unreachable_with_a_next_try_and_fresh_when_it_is_back() {
    if !have_sshd("a_host_that_goes_away_is_unreachable_with_a_next_try_and_fresh_when_it_is_back") {
        return;
    }
    let mut sshd = Sshd::start();
    let (folder, tree) = (tempdir().unwrap(), tempdir().unwrap());
    fs::create_dir_all(tree.path().join("releases/1.0")).unwrap();
    let estate = estate(folder.path(), &(sshd.host("web1", "") + &releases(tree.path())));
    let (_demand, wanted) = tokio::sync::watch::channel(Demand::default());
    let (out, mut reports) = tokio::sync::mpsc::channel(16);
    let watchers = watch::start(&estate, wanted, out, &watch::no_past());
    let mut reading = Reading::never(estate.sources[0].every);
    let mut when = async |reading: &mut Reading<Answer>, wanted: &dyn Fn(&Reading<Answer>) -> bool| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !wanted(reading) {
            let report = tokio::time::timeout_at(deadline, reports.recv()).await.expect("the reading changes").unwrap();
            if let watch::ReportKind::Ended { outcome, next_try } = report.kind {
                reading.take(outcome, Some(next_try));
            }
        }
    };
    when(&mut reading, &|r| r.held.is_some() && r.failure.is_none()).await;
    assert_eq!(reading.freshness(jiff::Timestamp::now()), Freshness::Fresh);
    sshd.kill();
    when(&mut reading, &|r| r.failure.is_some()).await;
    let failure = reading.failure.clone().unwrap();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(reading.next_try.is_some() && reading.held.is_some(), "what was known stays, and when it is tried again is told");
    sshd.again();
    when(&mut reading, &|r| r.failure.is_none()).await;
    drop(watchers);
    sshd.nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_one_site_are_compared() {
    if !have_sshd("hosts_of_one_site_are_compared") {
        return;
    }
    let (one, mut other) = (Sshd::start(), Sshd::start());
    let (folder, tree) = (tempdir().unwrap(), tempdir().unwrap());
    fs::create_dir_all(tree.path().join("releases/1.0")).unwrap();
    symlink("releases/1.0", tree.path().join("current")).unwrap();
    let text = releases(tree.path()).replace("[\"web1\"]", "[\"web1\", \"web2\", \"here\"]");
    let here = "[[host]]\nname = \"here\"\n";
    let estate = estate(folder.path(), &(one.host("web1", "") + &other.host("web2", "") + here + &text));
    let readings = once(&estate).await;
    assert_eq!((answer(&readings[0]).deployments.len(), answer(&readings[0]).notes.len()), (1, 0));
    other.kill();
    let readings = once(&estate).await;
    let told = answer(&readings[0]);
    assert_eq!(told.deployments.len(), 1);
    assert!(told.notes[0].starts_with("web2: "), "a host that does not answer is told, and hides no other: {:?}", told.notes);
    // The log on each of them says when; told by both, it is one deployment.
    fs::write(tree.path().join("log"), "{\"time\":\"2026-11-12T13:01:00Z\",\"version\":\"1.0\"}\n").unwrap();
    other.again();
    let text = text.replace("hosts =", &format!("log = {:?}\nhosts =", tree.path().join("log")));
    let estate = crate::estate::estate(folder.path(), &(one.host("web1", "") + &other.host("web2", "") + here + &text));
    let readings = once(&estate).await;
    let told: Vec<_> = answer(&readings[0]).deployments.iter().map(|one| (one.dated, one.at.to_string(), one.result)).collect();
    assert_eq!(told, [(Dated::Record, "2026-11-12T13:01:00Z".to_owned(), Some(Ending::Succeeded))]);
    until("no session is left", || (one.masters() + other.masters() == 0).then_some(()));
}

#[test]
fn where_qd_is_killed_its_connection_ends_too() {
    if !have_sshd("where_qd_is_killed_its_connection_ends_too") {
        return;
    }
    let sshd = Sshd::start();
    let folder = tempdir().unwrap();
    let mark = folder.path().join("runs");
    let program = format!("touch {}; sleep 2", mark.display());
    let backup = format!(
        "[[backup]]\nname = \"b\"\nkind = \"pgbackrest\"\nstanza = \"s\"\nhost = \"web1\"\nprogram = [\"sh\", \"-c\", {program:?}]\n"
    );
    let estate = estate(folder.path(), &(sshd.host("web1", "") + &backup));
    let mut qd = std::process::Command::new(env!("CARGO_BIN_EXE_qd"))
        .args(["status", "--estate"])
        .arg(&estate.path)
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the program runs there", || mark.exists().then_some(()));
    assert_eq!(sshd.masters(), 1);
    // SIGKILL: nothing of ours can tidy up.
    qd.kill().unwrap();
    qd.wait().unwrap();
    sshd.nothing_is_left();
}
