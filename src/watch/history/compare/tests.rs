//! Two releases of a real clone and of real folders.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::model::deployment::diff::{Commit, How};
use crate::model::deployment::{Dated, Ending};
use crate::model::estate::tests::{bare, source};
use crate::model::host::Host;

const PATIENCE: Duration = Duration::from_secs(60);

fn git(folder: &Path, words: &[&str]) -> String {
    let identity = [("GIT_AUTHOR_NAME", "jl"), ("GIT_AUTHOR_EMAIL", "jl@x"), ("GIT_COMMITTER_NAME", "jl"), ("GIT_COMMITTER_EMAIL", "jl@x")];
    let done = Command::new("git").arg("-C").arg(folder).args(words).envs(identity).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn commit(folder: &Path, name: &str, text: &[u8], message: &str) -> String {
    fs::write(folder.join(name), text).unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", message]);
    git(folder, &["rev-parse", "HEAD"])
}

/// A clone with v1, two commits, v2 of the second, and one commit beside them.
fn clone() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    git(at, &["init", "-q", "-b", "main"]);
    commit(at, "web.rs", b"a\nb\n", "Begin");
    git(at, &["tag", "v1"]);
    commit(at, "web.rs", b"a\nB\nc\n", "Faster \x1b[31mbaskets");
    commit(at, "logo.png", b"\0\x01\x02", "A logo");
    git(at, &["tag", "-a", "v2", "-m", "Two"]);
    git(at, &["checkout", "-q", "-b", "hotfix", "v1"]);
    let hotfix = commit(at, "fix.rs", b"x\n", "A fix beside it");
    (folder, hotfix)
}

fn estate(clone: Option<&Path>, folders: Option<&Path>) -> Estate {
    let mut sources = vec![];
    let of = |name: &str, kind| Source { service: Some("web".into()), ..source(name, SourceKind::History(kind)) };
    sources.extend(clone.map(|path| of("clone", History::Git { path: path.to_owned(), tags: "v*".into() })));
    let config = ["config/*.toml", ".env*", "blob"].map(str::to_owned).to_vec();
    sources.extend(folders.map(|path| {
        of("folders", History::Releases { path: path.to_owned(), hosts: vec![], log: None, fields: Default::default(), config })
    }));
    bare(sources)
}

fn release(version: &str, commit: Option<&str>) -> Deployment {
    Deployment {
        to: Some(version.into()),
        commit: commit.map(str::to_owned),
        result: Some(Ending::Succeeded),
        ..Deployment::new("web", Timestamp::UNIX_EPOCH, Dated::Record, "log")
    }
}

fn words(all: &[Commit]) -> Vec<&str> {
    all.iter().map(|commit| commit.what.as_str()).collect()
}

#[tokio::test]
async fn the_commits_and_files_between_two_tags_both_ways_and_of_two_lines() {
    let (folder, hotfix) = clone();
    let estate = estate(Some(folder.path()), None);
    let on = compare(&estate, &release("1", None), &release("2", None), PATIENCE).await;
    let commits = on.commits.unwrap();
    assert_eq!((words(&commits.added), commits.removed.len(), commits.more_added), (vec!["A logo", "Faster [31mbaskets"], 0, false));
    assert_eq!((commits.added[0].who.as_str(), commits.told_by.as_str()), ("jl", "clone"));
    assert!(commits.of[0].starts_with("tag v1 = "), "{:?}", commits.of);
    let files = on.files.unwrap();
    let some: Vec<_> = files.some.iter().map(|file| (file.path.as_str(), file.lines)).collect();
    assert_eq!((some, files.all, files.added, files.removed), (vec![("logo.png", None), ("web.rs", Some((2, 1)))], 2, 2, 1));
    assert_eq!(on.configs, Err("no [[history]] of kind `releases` tells of web".into()));

    let back = compare(&estate, &release("2", None), &release("1", None), PATIENCE).await.commits.unwrap();
    assert_eq!((back.added.len(), words(&back.removed)), (0, vec!["A logo", "Faster [31mbaskets"]), "a step back removes them again");
    // The commit goes before the tag of the version.
    let beside = compare(&estate, &release("2", None), &release("1", Some(&hotfix)), PATIENCE).await.commits.unwrap();
    assert_eq!((words(&beside.added), beside.removed.len()), (vec!["A fix beside it"], 2));
    let same = compare(&estate, &release("2", None), &release("2", None), PATIENCE).await;
    assert_eq!((same.commits.unwrap().added.len(), same.files.unwrap().all), (0, 0));
}

#[tokio::test]
async fn what_the_clone_does_not_have_is_said_and_no_name_is_an_option() {
    let (folder, _) = clone();
    let known = estate(Some(folder.path()), None);
    let told =
        |from: Deployment, to: Deployment, estate: Estate| async move { compare(&estate, &from, &to, PATIENCE).await.commits.unwrap_err() };
    let missing = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(
        told(release("1", None), release("9", Some(missing)), known.clone()).await,
        format!("the clone has no commit {missing} and no tag v9 and no tag 9: it may have to be fetched")
    );
    for hostile in ["--output=x", "2..1", "@{-1}", "2^{/x}", ":web.rs", ""] {
        let why = told(release("1", None), release(hostile, Some("--all")), known.clone()).await;
        assert!(why.contains("neither a commit nor a version"), "{hostile}: {why}");
    }
    assert!(!folder.path().join("x").exists());
    let none = told(release("1", None), release("2", None), estate(None, None)).await;
    assert_eq!(none, "no [[history]] of kind `git` tells of web");
    let nowhere = tempfile::tempdir().unwrap();
    assert!(told(release("1", None), release("2", None), estate(Some(nowhere.path()), None)).await.contains("not a git repository"));
}

#[tokio::test]
async fn no_program_that_a_clone_names_is_run() {
    let (folder, _) = clone();
    let (ran, program) = (folder.path().join("ran"), folder.path().join("program"));
    fs::write(&program, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.display().to_string();
    for key in ["diff.external", "diff.x.textconv", "diff.x.command", "core.pager", "core.fsmonitor", "gpg.program"] {
        git(folder.path(), &["config", key, &program]);
    }
    git(folder.path(), &["config", "log.showSignature", "true"]);
    fs::write(folder.path().join(".git/info/attributes"), "* diff=x\n").unwrap();
    let found = compare(&estate(Some(folder.path()), None), &release("1", None), &release("2", None), PATIENCE).await;
    assert_eq!((found.files.unwrap().all, found.commits.unwrap().added.len()), (2, 2));
    assert!(!ran.exists());
}

/// Two releases: a file that differs, one that is the same, one that came, one that went, a binary, links.
fn folders() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |version: &str, name: &str, text: &[u8]| {
        let path = folder.path().join("releases").join(version).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for version in ["1", "2"] {
        write(version, "config/web.toml", format!("workers = {version}\npassword = \"hunter{version}\"\n").as_bytes());
        write(version, "config/same.toml", b"x = 1\n");
        write(version, "config/web.ini", version.as_bytes());
        write(version, "blob", &[0, version.as_bytes()[0]]);
    }
    write("1", "config/old.toml", b"x = 1\n");
    write("2", ".env.example", b"PORT=1\n");
    fs::write(folder.path().join("secret"), "hunter").unwrap();
    symlink("../../../secret", folder.path().join("releases/1/config/link.toml")).unwrap();
    symlink("../../../other", folder.path().join("releases/2/config/link.toml")).unwrap();
    symlink("../../..", folder.path().join("releases/2/config/up")).unwrap();
    folder
}

#[tokio::test]
async fn folders_on_a_host_that_is_this_machine_are_compared_and_no_others() {
    let folder = folders();
    let mut known = estate(None, Some(folder.path()));
    for source in &mut known.sources {
        if let SourceKind::History(History::Releases { hosts, .. }) = &mut source.kind {
            *hosts = vec!["web1".into()];
        }
    }
    let host =
        |ssh: Option<&str>| Host { name: "web1".into(), site: None, ssh: ssh.map(str::to_owned), ssh_config: None, machine_id: None };
    for (hosts, here) in [(vec![host(None)], true), (vec![host(Some("deploy@web1"))], false), (vec![], false)] {
        known.hosts = hosts;
        let found = compare(&known, &release("1", None), &release("2", None), PATIENCE).await.configs;
        match here {
            true => assert_eq!(found.unwrap().differ.len(), 5),
            false => assert!(found.unwrap_err().contains("are on web1: only those of this machine"), "{:?}", known.hosts),
        }
    }
}

#[tokio::test]
async fn configuration_is_compared_line_by_line_without_secrets_and_without_links() {
    let folder = folders();
    let known = estate(None, Some(folder.path()));
    let found = compare(&known, &release("1", None), &release("2", None), PATIENCE).await;
    let configs = found.configs.unwrap();
    assert!(!format!("{configs:?}").contains("hunter"));
    let how = |path: &str| configs.differ.iter().find(|config| config.path == path).map(|config| config.how.clone());
    assert_eq!((configs.differ.len(), configs.same, configs.left), (5, 1, 0), "{configs:?}");
    assert_eq!((how(".env.example"), how("config/old.toml"), how("blob")), (Some(How::Added), Some(How::Removed), Some(How::Binary)));
    assert!(matches!(how("config/link.toml"), Some(How::Not(why)) if why.contains("no link is followed")));
    let Some(How::Lines(lines, 0)) = how("config/web.toml") else { panic!("{configs:?}") };
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(text, ["workers = 1", "password = (taken out)", "workers = 2", "password = (taken out)"]);

    // A host without ssh is this machine; where ssh leads to it, it is another one.
    let on = |ssh: Option<&str>| {
        let mut known = known.clone();
        let SourceKind::History(History::Releases { hosts, .. }) = &mut known.sources[0].kind else { panic!() };
        hosts.push("web1".into());
        let host =
            crate::model::host::Host { name: "web1".into(), site: None, ssh: ssh.map(str::to_owned), ssh_config: None, machine_id: None };
        known.hosts.push(host);
        known
    };
    let (first, second) = (release("1", None), release("2", None));
    assert_eq!(compare(&on(None), &first, &second, PATIENCE).await.configs.unwrap().differ.len(), 5);
    let why = compare(&on(Some("web1")), &first, &second, PATIENCE).await.configs.unwrap_err();
    assert_eq!(why, "the folders of [[history]] folders are on web1: only those of this machine are compared");

    for n in 0..=crate::model::deployment::diff::CONFIGS * 10 {
        fs::write(folder.path().join(format!("releases/1/config/many{n}.toml")), "x = 1\n").unwrap();
    }
    let found = compare(&known, &release("1", None), &release("2", None), PATIENCE).await;
    let configs = found.configs.unwrap();
    assert!(configs.more && configs.left > 0, "what is counted is a bound: {configs:?}");

    for version in ["9", "..", ".", "", "../releases/1"] {
        let found = compare(&known, &release("1", None), &release(version, None), PATIENCE).await;
        assert!(found.configs.unwrap_err().contains("is not there"), "{version}");
    }
}
