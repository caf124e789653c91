//! Which commits and files lie between two releases, asked of a local clone: it is read, runs no hook and reaches no
//! server, whatever is configured in it.

use std::path::Path;

use jiff::Timestamp;
use tokio::time::Instant;

use super::git::PREFIX;
use crate::link::process::capture::capture;
use crate::model::deployment::Deployment;
use crate::model::deployment::diff::{COMMITS, Commit, Commits, FILES, FileChange, Files, Part};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Bytes that `git` may write.
const OUTPUT: usize = 8 << 20;
/// Nothing is fetched, no program that the clone's configuration names is run.
const GUARDS: [&str; 11] = [
    "git",
    "--no-pager",
    "--no-replace-objects",
    "-c",
    "protocol.allow=never",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "log.showSignature=false",
];
/// Hash, time, who, subject; between them a NUL, which none of them can hold.
const FORMAT: &str = "--format=%h%x00%ct%x00%an%x00%s";

/// A clone of a service's source.
pub(super) struct Clone<'a> {
    /// The source's name.
    pub name: &'a str,
    /// Its folder.
    pub path: &'a Path,
    /// The pattern of its tags.
    pub tags: &'a str,
    /// When asking ends.
    pub until: Instant,
}

impl Clone<'_> {
    /// The commits and the files between the two.
    pub async fn compare(&self, from: &Deployment, to: &Deployment) -> (Part<Commits>, Part<Files>) {
        let ends = match (self.revision(from).await, self.revision(to).await) {
            (Ok(from), Ok(to)) => [from, to],
            (Err(why), _) | (_, Err(why)) => return (Err(why.clone()), Err(why)),
        };
        let [a, b] = [&ends[0].0, &ends[1].0];
        let (added, removed, files) = tokio::join!(self.log(a, b), self.log(b, a), self.files(a, b));
        let commits = added.and_then(|(added, more_added)| {
            let (removed, more_removed) = removed?;
            let of = ends.each_ref().map(|(hash, name)| clean(&format!("{name} = {}", short(hash)), LABEL_CAP).into_owned());
            Ok(Commits { added, more_added, removed, more_removed, of, told_by: self.name.to_owned() })
        });
        (commits, files)
    }

    /// The whole hash of a release's commit, and what it was found by: its commit, else the tag of its version.
    async fn revision(&self, of: &Deployment) -> Result<(String, String), String> {
        let mut tried = Vec::new();
        if let Some(commit) = of.commit.as_deref().filter(|commit| is_hash(commit)) {
            tried.push((commit.to_owned(), format!("commit {commit}")));
        }
        let before = self.tags.split('*').next().unwrap_or_default();
        if let Some(version) = of.to.as_deref().filter(|version| is_name(version)) {
            for tag in [format!("{before}{version}"), version.to_owned()] {
                tried.push((format!("refs/tags/{tag}"), format!("tag {tag}")));
            }
        }
        tried.dedup();
        if tried.is_empty() {
            return Err(format!("of {} neither a commit nor a version is known that could be a tag", shown(of)));
        }
        for (revision, name) in &tried {
            let wanted = format!("{revision}^{{commit}}");
            let said = self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]).await;
            match said {
                Ok(text) if is_hash(text.trim()) => return Ok((text.trim().to_owned(), name.clone())),
                Ok(_) => {}
                // It says nothing where there is no such revision, and something where it is no clone.
                Err(why) if why.is_empty() => {}
                Err(why) => return Err(why),
            }
        }
        let names: Vec<&str> = tried.iter().map(|(_, name)| name.as_str()).collect();
        Err(clean(&format!("the clone has no {}: it may have to be fetched", names.join(" and no ")), NOTE_CAP).into_owned())
    }

    /// What `b` has and `a` has not, and whether there is more.
    async fn log(&self, a: &str, b: &str) -> Result<(Vec<Commit>, bool), String> {
        let (most, range) = (format!("--max-count={}", COMMITS + 1), format!("{a}..{b}"));
        let text =
            self.git(&["log", "--no-color", "--no-show-signature", "--no-notes", &most, FORMAT, "--end-of-options", &range, "--"]).await?;
        let mut all: Vec<Commit> = text.lines().filter_map(commit).collect();
        let more = all.len() > COMMITS;
        all.truncate(COMMITS);
        Ok((all, more))
    }

    async fn files(&self, a: &str, b: &str) -> Result<Files, String> {
        let diff = ["diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty"];
        let ends = ["--end-of-options", a, b, "--"];
        let text = self.git(&diff.into_iter().chain(ends).collect::<Vec<_>>()).await?;
        let mut files = Files::default();
        for entry in text.split('\0') {
            let mut parts = entry.splitn(3, '\t');
            let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let lines = added.trim().parse().ok().zip(removed.parse().ok());
            files.all += 1;
            if let Some((added, removed)) = lines {
                (files.added, files.removed) = (files.added.saturating_add(added), files.removed.saturating_add(removed));
            }
            if files.some.len() < FILES {
                files.some.push(FileChange { path: clean(path, LABEL_CAP).into_owned(), lines });
            }
        }
        Ok(files)
    }

    /// What `git` prints; `Err` says why not, and is empty where it says nothing.
    async fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let folder = self.path.to_string_lossy();
        let place = ["-C", &folder];
        let words = PREFIX.iter().chain(&["GIT_NO_LAZY_FETCH=1"]).chain(&GUARDS).chain(&place).chain(arguments);
        let argv: Vec<String> = words.map(|word| (*word).to_owned()).collect();
        let said = capture(&argv, self.until, OUTPUT).await.map_err(|error| clean(&error.to_string(), NOTE_CAP).into_owned())?;
        if said.code == Some(0) {
            return Ok(String::from_utf8_lossy(&said.out).into_owned());
        }
        let errors = String::from_utf8_lossy(&said.errors);
        let why = errors.lines().find(|line| !line.trim().is_empty());
        Err(why.map_or(String::new(), |why| clean(&format!("git: {why}"), NOTE_CAP).into_owned()))
    }
}

fn commit(line: &str) -> Option<Commit> {
    let mut parts = line.split('\0');
    let (hash, at, who, what) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let text = |text: &str| clean(text, LABEL_CAP).into_owned();
    let at = at.parse().ok().and_then(|at| Timestamp::from_second(at).ok());
    Some(Commit { hash: text(hash), at, who: text(who), what: text(what) })
}

fn shown(of: &Deployment) -> String {
    format!("{} {}", of.service, of.to.as_deref().unwrap_or("?"))
}

/// A commit as its hash: nothing that `git` could take for an option or for another revision.
fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A version that can be a part of a tag's name: `git check-ref-format`, and narrower.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-+/".contains(c);
    !text.is_empty() && text.len() <= 200 && text.chars().all(plain) && !text.contains("..") && !text.contains("//")
}

fn short(hash: &str) -> &str {
    hash.get(..9).unwrap_or(hash)
}
