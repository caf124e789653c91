//! Logs that grow, break, rotate and are written anew; folders of releases; the tags of a real clone.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;

use super::*;
use crate::model::deployment::{Dated, Ending, Trigger, join};
use crate::model::estate::Part;

fn source(history: History, service: Option<&str>) -> Source {
    Source {
        name: "deploys".into(),
        every: SignedDuration::from_secs(60),
        timeout: SignedDuration::from_secs(60),
        http_config: None,
        service: service.map(str::to_owned),
        site: None,
        kind: SourceKind::History(history),
    }
}

fn log(path: &Path) -> Historian {
    Historian::new(&source(History::DeployLog { path: path.to_owned(), fields: Default::default() }, None)).unwrap()
}

async fn told(historian: &Historian) -> Arc<HistoryAnswer> {
    match historian.poll(&Timestamp::now).await {
        Outcome::Value { value: Answer::History(answer), .. } => answer,
        other => panic!("{other:?}"),
    }
}

async fn refused(historian: &Historian) -> String {
    match historian.poll(&Timestamp::now).await {
        Outcome::Failed { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

/// The versions, the newest first.
fn versions(answer: &HistoryAnswer) -> String {
    answer.deployments.iter().map(|one| one.to.clone().unwrap_or("?".into())).collect::<Vec<_>>().join(" ")
}

fn line(minute: u32, version: &str) -> String {
    format!("{{\"time\":\"2026-11-12T13:{minute:02}:00Z\",\"service\":\"web\",\"version\":\"{version}\"}}\n")
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[tokio::test]
async fn every_part_of_a_line_is_read_from_where_the_estate_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    append(
        &path,
        "{\"id\":\"D-1187\",\"app\":\"checkout\",\"site\":\"fra1\",\"environment\":\"production\",\"from\":\"4.17.2\",\"release\":{\"tag\":\"4.18.0\"},\
         \"who\":\"jl\\u001b[31m\",\"time\":1794491040,\"took\":192,\"source\":\"ci\",\"result\":\"success\",\"commit\":\"9c1f\",\
         \"first_commit\":\"2026-11-11T18:44:00Z\",\"links\":\"https://ci/1\",\"reason\":\"faster\",\"approvals\":[\"mk\",\"an\"],\
         \"incidents\":[\"INC-412\"],\"restored\":\"2026-11-12T15:00:00Z\",\"fixes\":\"D-1\",\"unplanned\":true}\n",
    );
    let fields = [(Part::Service, "app".to_owned()), (Part::Version, "release.tag".to_owned())].into();
    let historian = Historian::new(&source(History::DeployLog { path, fields }, None)).unwrap();
    let answer = told(&historian).await;
    let [one] = answer.deployments.as_slice() else { panic!("{answer:?}") };
    let expected = Deployment {
        id: Some("D-1187".into()),
        site: Some("fra1".into()),
        environment: Some("production".into()),
        from: Some("4.17.2".into()),
        to: Some("4.18.0".into()),
        who: Some("jl[31m".into()),
        took: Some(SignedDuration::from_secs(192)),
        trigger: Some(Trigger::Pipeline),
        result: Some(Ending::Succeeded),
        commit: Some("9c1f".into()),
        first_commit: Some("2026-11-11T18:44:00Z".parse().unwrap()),
        links: vec!["https://ci/1".into()],
        reason: Some("faster".into()),
        approvals: vec!["mk".into(), "an".into()],
        incidents: vec!["INC-412".into()],
        restored: Some("2026-11-12T15:00:00Z".parse().unwrap()),
        fixes: Some("D-1".into()),
        unplanned: Some(true),
        ..Deployment::new("checkout", Timestamp::from_second(1_794_491_040).unwrap(), Dated::Record, "deploys")
    };
    assert_eq!(**one, expected);
}

#[tokio::test]
async fn broken_lines_are_counted_and_said_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(100_000));
    append(&path, &format!("{}not json\x1b[2J\n[]\n{{\"service\":\"web\"}}\n{{\"time\":0}}\n\n{long}{}", line(1, "1"), line(2, "2")));
    let answer = told(&log(&path)).await;
    assert_eq!((versions(&answer).as_str(), answer.broken), ("2 1", 5));
    assert_eq!(
        answer.notes,
        [
            "5 of 8 lines tell of no deployment",
            "line 2 is no JSON: not json[2J",
            "line 3 is no JSON object: []",
            "line 4 has no time: {\"service\":\"web\"}"
        ]
    );
}

#[tokio::test]
async fn a_growing_log_is_read_on_and_an_unchanged_one_gives_the_very_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    append(&path, &line(1, "1"));
    let historian = log(&path);
    let first = told(&historian).await;
    assert!(Arc::ptr_eq(&first, &told(&historian).await));
    // Half a line is not a broken one: it is being written.
    let next = line(2, "2");
    append(&path, &next[..20]);
    let half = told(&historian).await;
    assert_eq!((versions(&half).as_str(), half.broken), ("1", 0));
    append(&path, &next[20..]);
    assert_eq!(versions(&*told(&historian).await), "2 1");
    append(&path, &line(2, "2b"));
    assert_eq!(versions(&*told(&historian).await), "2b 2 1", "of one moment the later line is newer");
}

#[tokio::test]
async fn a_rotated_log_keeps_its_past_with_the_last_lines_and_a_rewritten_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    append(&path, &line(1, "1"));
    let historian = log(&path);
    told(&historian).await;
    // Written after our last look, then rotated away.
    append(&path, &line(2, "2"));
    fs::rename(&path, folder.path().join("log.1")).unwrap();
    append(&path, &line(3, "3"));
    assert_eq!(versions(&*told(&historian).await), "3 2 1");
    // An editor writes the same log anew without its last line, in a new file.
    append(&path, &line(4, "4"));
    assert_eq!(versions(&*told(&historian).await), "4 3 2 1");
    let new = folder.path().join("new");
    append(&new, &line(3, "3"));
    fs::rename(&new, &path).unwrap();
    assert!(!versions(&*told(&historian).await).contains('4'));
    // Cut off in place, as `copytruncate` does.
    File::create(&path).unwrap();
    append(&path, &line(9, "9"));
    assert!(versions(&*told(&historian).await).starts_with("9 3"));
}

#[tokio::test]
async fn what_is_no_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let gone = refused(&log(&folder.path().join("gone"))).await;
    assert!(gone.contains("gone") && gone.contains("No such file"), "{gone}");
    assert!(refused(&log(folder.path())).await.ends_with("is no file"));
    // Opening a pipe would wait for its writer for ever.
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(refused(&log(&pipe)).await.ends_with("is no file"));
}

#[tokio::test]
async fn ten_thousand_lines_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    append(
        &path,
        &(0..10_000).map(|n| format!("{{\"time\":{},\"service\":\"web\",\"version\":\"{n}\"}}\n", 1_700_000_000 + n)).collect::<String>(),
    );
    let answer = told(&log(&path)).await;
    assert_eq!((answer.deployments.len(), answer.deployments[0].to.as_deref()), (KEPT, Some("9999")));
    assert_eq!(answer.dropped, 10_000 - KEPT, "these are in the index only");
    assert_eq!(join([answer.deployments.as_slice()]).len(), KEPT);
}

fn releases(folder: &Path) -> PathBuf {
    for version in ["1.0", "1.1"] {
        fs::create_dir_all(folder.join("releases").join(version)).unwrap();
    }
    symlink("releases/1.1", folder.join("current")).unwrap();
    folder.to_owned()
}

#[tokio::test]
async fn releases_are_dated_by_their_files_and_by_the_log_where_it_tells_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let historian = Historian::new(&source(
        History::Releases { path: releases(folder.path()), hosts: vec![], log: None, fields: Default::default(), config: vec![] },
        Some("web"),
    ))
    .unwrap();
    let old = File::open(folder.path().join("releases/1.0")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
    let answer = told(&historian).await;
    let parts: Vec<_> = answer.deployments.iter().map(|one| (one.to.as_deref().unwrap(), one.result, one.dated)).collect();
    assert_eq!(parts, [("1.1", Some(Ending::Succeeded), Dated::File), ("1.0", None, Dated::File)]);
    assert_eq!(answer.deployments[1].at.as_second(), 1_600_000_000);

    let path = folder.path().join("log");
    append(&path, &line(1, "1.0"));
    let mut told_by_log = (*told(&log(&path)).await).clone();
    Arc::make_mut(&mut told_by_log.deployments[0]).told_by = vec!["log".into()];
    let rows = join([answer.deployments.as_slice(), told_by_log.deployments.as_slice()]);
    let one = rows.iter().find(|one| one.to.as_deref() == Some("1.0")).unwrap();
    assert_eq!((rows.len(), one.dated, one.at.to_string().as_str()), (2, Dated::Record, "2026-11-12T13:01:00Z"));

    fs::remove_file(folder.path().join("current")).unwrap();
    symlink("releases/2.0", folder.path().join("current")).unwrap();
    assert_eq!(told(&historian).await.notes, ["`current` leads to 2.0, which is none of the releases"]);
    fs::remove_file(folder.path().join("current")).unwrap();
    assert!(told(&historian).await.notes[0].starts_with("which release runs is not known"));
    fs::remove_dir_all(folder.path().join("releases")).unwrap();
    assert!(refused(&historian).await.contains("releases"));
}

fn git(folder: &Path, words: &[&str]) {
    let identity = [("GIT_AUTHOR_NAME", "jl"), ("GIT_AUTHOR_EMAIL", "jl@x"), ("GIT_COMMITTER_NAME", "jl"), ("GIT_COMMITTER_EMAIL", "jl@x")];
    let dates = [("GIT_AUTHOR_DATE", "1794491040 +0000"), ("GIT_COMMITTER_DATE", "1794491040 +0000")];
    let done = Command::new("git").arg("-C").arg(folder).args(words).envs(identity).envs(dates).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn tags_of_a_clone_are_versions_and_none_is_a_deployment() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["commit", "-q", "--allow-empty", "-m", "Faster"]);
    git(folder.path(), &["tag", "v1.0"]);
    git(folder.path(), &["tag", "-a", "v1.1", "-m", "Much faster\n\nAnd more."]);
    git(folder.path(), &["tag", "other"]);
    let tags = |tags: &str| {
        let kind = History::Git { path: folder.path().to_owned(), tags: tags.into() };
        Historian::new(&source(kind, Some("web"))).unwrap()
    };
    let answer = told(&tags("v*")).await;
    let of = |version: &str| answer.deployments.iter().find(|one| one.to.as_deref() == Some(version)).unwrap();
    assert_eq!(
        (answer.deployments.len(), of("1.0").dated, of("1.0").result, of("1.0").at.as_second()),
        (2, Dated::Tag, None, 1_794_491_040)
    );
    assert_eq!((of("1.1").who.as_deref(), of("1.1").reason.as_deref()), (Some("jl"), Some("Much faster")));
    assert_eq!(of("1.0").commit, of("1.1").commit, "the commit, not the object of the tag");
    assert_eq!(told(&tags("*")).await.deployments.len(), 3);
    assert!(told(&tags("--upload-pack=x")).await.deployments.is_empty(), "a pattern is no option");
    let nowhere = History::Git { path: folder.path().join("none"), tags: "*".into() };
    assert!(refused(&Historian::new(&source(nowhere, Some("web"))).unwrap()).await.starts_with("git: fatal: "));
}
