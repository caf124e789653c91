//! Verifies a backup: reads what is kept and says what is broken. It changes nothing where it reads. The journal's event of
//! it is written by whoever asked.

mod files;
mod pgbackrest;
mod restic;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::link::process::capture::CaptureError;
use crate::link::process::follow::{Ended, follow};
use crate::model::backup::{BackupOf, Order, Outcome, PointCheck, Progress, Proof};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Lines of evidence that are kept.
const EVIDENCE: usize = 100;
/// Bytes that a program may print.
const OUTPUT_CAP: usize = 64 << 20;
/// The longest that a verification may take: large repositories on slow stores take hours.
const DEADLINE: Duration = Duration::from_secs(24 * 3_600);

/// How long `pgbackrest info` may take.
const INFO: Duration = Duration::from_secs(60);

/// How a verification ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In one word.
    pub outcome: Outcome,
    /// Of each point that was judged.
    pub points: Vec<PointCheck>,
    /// What was seen, at most a hundred cleaned lines.
    pub evidence: Vec<String>,
}

/// Evidence being gathered.
#[derive(Debug, Default)]
struct Notes {
    lines: Vec<String>,
    more: usize,
}

impl Notes {
    fn push(&mut self, line: &str) {
        if self.lines.len() < EVIDENCE - 1 {
            self.lines.push(clean(line, LABEL_CAP).into_owned());
        } else {
            self.more += 1;
        }
    }

    fn done(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("{} more of such lines", self.more));
        }
        self.lines
    }
}

/// Carries out one verification. It ends early once `stop` is true. `progress` is called often, and must not wait.
pub async fn verify(order: &Order, stop: watch::Receiver<bool>, progress: Arc<dyn Fn(Progress) + Send + Sync>) -> Finding {
    let until = Instant::now() + DEADLINE;
    match (&order.of, order.argv()) {
        (BackupOf::Directory { folder }, _) => {
            let (folder, points) = (folder.clone(), order.points.clone());
            let work = move || files::verify(&folder, &points, &stop, until.into_std(), &*progress);
            // A hung file server holds a thread, never the loop.
            match tokio::task::spawn_blocking(work).await {
                Ok(finding) => finding,
                Err(error) => unknown(format!("a fault of this program ({error}): please report it")),
            }
        }
        (BackupOf::PgBackRest { stanza, program, config, .. }, Some(argv)) => {
            let mut report = pgbackrest::Report::default();
            // Up to which file the log was there before: without it nothing is said of the log.
            let before = super::pgbackrest::argv(program, stanza, config.as_deref());
            let mut stopped = stop.clone();
            let before = tokio::select! {
                printed = super::run(&before, until.min(Instant::now() + INFO)) => printed.and_then(|p| super::pgbackrest::judge(&p, stanza)).ok(),
                _ = stopped.wait_for(|stop| *stop) => None,
            };
            let ended = follow(&argv, &[], until, OUTPUT_CAP, stop, |line| report.line(line)).await;
            judged(ended, |code| report.finding(stanza, before.as_ref(), code))
        }
        (BackupOf::Restic { .. }, Some(argv)) => {
            let whole = order.method.proves() >= Proof::V3;
            let mut report = restic::Report::default();
            let ended = follow(&argv, restic::ENVIRONMENT, until, OUTPUT_CAP, stop, |line| {
                if let Some(done) = report.line(line) {
                    progress(done);
                }
            })
            .await;
            judged(ended, |code| report.finding(&order.points, whole, code))
        }
        _ => unknown("a backup of the kind `command` says itself what is proved of it".to_owned()),
    }
}

fn judged(ended: Result<Ended, CaptureError>, finding: impl FnOnce(Option<i32>) -> Finding) -> Finding {
    match ended {
        Ok(Ended::Exit(code)) => finding(code),
        Ok(Ended::Stopped) => Finding { outcome: Outcome::Cancelled, points: Vec::new(), evidence: Vec::new() },
        Err(error) => unknown(error.to_string()),
    }
}

fn unknown(what: String) -> Finding {
    Finding { outcome: Outcome::Unknown, points: Vec::new(), evidence: vec![clean(&what, NOTE_CAP).into_owned()] }
}
