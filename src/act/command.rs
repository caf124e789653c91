//! Runs a program of the estate's own as a job on the target's host. Whether it did what it should, its exit code says, and
//! nothing else can: one that was cut off is for a person to judge.

use super::Called;
use super::job::{self, Job, Left};
use super::printed;
use crate::link::permit::Permit;
use crate::link::ssh::{JobState, Script};
use crate::model::plan::Found;
use crate::model::run::CallEnd;

/// What stands before the words of a refusal of ours, so that no exit code of a program is taken for one.
const OURS: &str = "qd: nothing was run: ";

/// The words of ours, the program, its arguments. `exec` takes programs only: no builtin, no function of ours.
const RUN: Script = Script(
    r#"eval "$1"; shift; qd_as=$2; qd_machine "$1"; shift 2
exec "$@""#,
);

/// Runs it.
pub(super) async fn apply(job: Job<'_>, permit: Permit, argv: &[String]) -> Called {
    let name = job.place.name.clone();
    if argv.is_empty() {
        return Called::refused(format!("{name}: there is no program to run"));
    }
    let words: Vec<&str> = std::iter::once(OURS).chain(argv.iter().map(String::as_str)).collect();
    let (state, output) = match job.start(permit, RUN, &words).await {
        Ok(ended) => ended,
        Err(called) => return called,
    };
    let end = match state {
        JobState::Ended { code, .. } => match judged(&name, code, &output) {
            Judged::Well(seen) => CallEnd::Done { seen },
            Judged::NotRun(why) => CallEnd::Refused { why },
            Judged::Badly(why) => CallEnd::Failed { why },
        },
        other => job.without_end(other),
    };
    Called { end, output }
}

/// What became of it.
pub(super) async fn observe(job: Job<'_>, left: Left<'_>) -> Found {
    let name = &job.place.name;
    match job.left(left).await {
        Ok(JobState::Running { .. }) => Found::Underway { seen: job::runs(name) },
        Ok(JobState::Never) => Found::NotDone { seen: format!("{name}: it never began there") },
        Ok(JobState::Ended { code, out }) => match judged(name, code, &printed::lines(&out, &job.reach.secrets().await)) {
            Judged::Well(seen) => Found::Done { seen },
            Judged::NotRun(seen) => Found::NotDone { seen },
            Judged::Badly(seen) => Found::Moved { seen },
        },
        Ok(JobState::Lost { .. }) => Found::Untold { why: job::lost(name) },
        Ok(JobState::Refused(why)) => Found::Untold { why },
        Err(found) => found,
    }
}

enum Judged {
    Well(String),
    Badly(String),
    /// It was kept from being run.
    NotRun(String),
}

/// Its codes are its own: 10 and 11 mean nothing here, unless we said so and it said nothing.
fn judged(name: &str, code: i32, lines: &[String]) -> Judged {
    match (code, lines) {
        (0, lines) => Judged::Well(printed::last(lines).unwrap_or("it ended well").to_owned()),
        (11, [only]) if only.starts_with(OURS.trim_end()) => Judged::NotRun(format!("{name}: {only}")),
        (code, lines) => Judged::Badly(job::failed(name, code, printed::last(lines))),
    }
}
