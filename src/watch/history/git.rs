//! The tags of a local clone, by `git for-each-ref`: it reads the clone, runs no hook and reaches no server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Fault, Of, answer};
use crate::link::process::capture::{CaptureError, capture};
use crate::model::deployment::{Dated, Deployment};
use crate::model::reading::FailureKind;
use crate::model::source::HistoryAnswer;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Bytes that `git` may write.
const OUTPUT: usize = 16 << 20;
/// Tags that are asked for, the newest.
const MANY: &str = "--count=20000";
/// Nothing asks, nothing pages, nothing is translated, and nothing is written to the clone.
pub(super) const PREFIX: [&str; 7] =
    ["env", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "PAGER=cat", "GIT_OPTIONAL_LOCKS=0", "GIT_ASKPASS=/bin/false", "LC_ALL=C"];
/// Name, time, who, commit of an annotated tag, commit, subject; between them a NUL, which none of them can hold.
const FORMAT: &str =
    "--format=%(refname:strip=2)%00%(creatordate:unix)%00%(taggername)%00%(*objectname)%00%(objectname)%00%(contents:subject)";

/// The tags as versions of the service.
pub(super) async fn read(path: &Path, tags: &str, of: &Of, deadline: Duration) -> Result<HistoryAnswer, Fault> {
    let folder = path.to_string_lossy();
    // With a folder before it a pattern is never an option.
    let pattern = format!("refs/tags/{tags}");
    let git = ["git", "--no-pager", "-C", &folder, "for-each-ref", "--sort=-creatordate", MANY, FORMAT, &pattern];
    let argv: Vec<String> = PREFIX.into_iter().chain(git).map(str::to_owned).collect();
    let said = capture(&argv, Instant::now() + deadline, OUTPUT).await.map_err(|error| match error {
        CaptureError::Start(_) => (FailureKind::Unreachable, format!("{error}; this kind of history needs git")),
        error => (FailureKind::Unreachable, error.to_string()),
    })?;
    if said.code != Some(0) {
        let errors = String::from_utf8_lossy(&said.errors);
        let why = errors.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing").to_owned();
        let kind = if why.contains("dubious ownership") || why.contains("Permission denied") {
            FailureKind::Refused
        } else {
            FailureKind::Unreachable
        };
        return Err((kind, format!("git: {why}")));
    }
    let text = String::from_utf8_lossy(&said.out);
    let before = tags.split('*').next().unwrap_or_default();
    let (mut all, mut broken) = (Vec::new(), 0);
    for line in text.lines() {
        match tag(line, before, of) {
            Some(one) => all.push(Arc::new(one)),
            None => broken += 1,
        }
    }
    let notes = if broken > 0 { vec![format!("{broken} tags have no time")] } else { Vec::new() };
    Ok(answer(all, broken, notes))
}

fn tag(line: &str, before: &str, of: &Of) -> Option<Deployment> {
    let mut parts = line.split('\0');
    let mut part = || parts.next().map(str::trim).unwrap_or_default();
    let (name, at, who, within, commit, subject) = (part(), part(), part(), part(), part(), part());
    let at = Timestamp::from_second(at.parse().ok()?).ok()?;
    let text = |text: &str, cap| Some(clean(text, cap).into_owned()).filter(|text| !text.is_empty());
    let mut one = Deployment::new(of.service.as_deref().unwrap_or_default(), at, Dated::Tag, &of.name);
    one.site.clone_from(&of.site);
    one.to = text(name.strip_prefix(before).filter(|rest| !rest.is_empty()).unwrap_or(name), LABEL_CAP);
    one.who = text(who, LABEL_CAP);
    one.commit = text(if within.is_empty() { commit } else { within }, LABEL_CAP);
    one.reason = text(subject, NOTE_CAP);
    Some(one)
}
