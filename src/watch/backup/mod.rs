//! Asks for recovery points: a folder of snapshots, pgBackRest, restic, PostgreSQL's archiver, or a command that prints our
//! own JSON. Reads only.

mod archiver;
mod command;
mod directory;
mod pgbackrest;
mod restic;
#[cfg(test)]
mod tests;
pub mod verify;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::wire::{Fault, excerpt};
use crate::link::process::capture::{Printed, capture};
use crate::link::ssh::{Hosts, Reader, Script};
use crate::model::backup::{Backup, BackupAnswer, BackupOf, POINTS_CAP, RecoveryPoint};
use crate::model::estate::{Source, SourceKind};
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::Answer;
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// Bytes of an answer: room for tens of thousands of backups, and an end to it.
const OUTPUT_CAP: usize = 64 << 20;

/// Runs its arguments as a program with arguments.
const PROGRAM: Script = Script(r#"exec "$@""#);

/// Asks about one backup.
#[derive(Debug)]
pub(crate) struct Asker {
    of: Backup,
    /// Where it is asked, where that is not here.
    host: Option<Arc<Reader>>,
    folders: Arc<directory::Known>,
    nodes: Option<archiver::Nodes>,
}

impl Asker {
    /// Of that source; `None` where it is something else.
    pub(crate) fn new(source: &Source) -> Option<Asker> {
        let SourceKind::Backup(of) = &source.kind else { return None };
        let nodes = match &of.of {
            BackupOf::Archiver { nodes, .. } => Some(archiver::Nodes::new(nodes, source.timeout.unsigned_abs())),
            _ => None,
        };
        Some(Asker { of: of.clone(), host: None, folders: Arc::default(), nodes })
    }

    /// The same, with the hosts that the estate names.
    pub(crate) fn on(self, hosts: &Hosts) -> Asker {
        let host = self.of.of.host().and_then(|name| hosts.reader(name));
        Asker { host, ..self }
    }

    /// One try.
    pub(crate) async fn poll(&self, until: Instant, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Outcome<Answer> {
        let asked = match &self.of.of {
            BackupOf::Directory { folder } => {
                let (folder, known) = (folder.clone(), self.folders.clone());
                // A hung file server holds a thread, never the loop.
                match tokio::task::spawn_blocking(move || directory::read(&folder, &known, until.into_std())).await {
                    Ok(read) => read,
                    Err(error) => Err(Fault::unusable(format!("a fault of this program while reading it ({error}): please report it"))),
                }
            }
            BackupOf::PgBackRest { program, stanza, config, host } => {
                let argv = pgbackrest::argv(program, stanza, config.as_deref());
                let printed = match (&self.host, host) {
                    (Some(reader), _) => there(reader, &argv, until).await,
                    (None, None) => run(&argv, until).await,
                    (None, Some(name)) => Err(Fault::unusable(format!("nothing is known of the host {name}"))),
                };
                printed.and_then(|p| pgbackrest::judge(&p, stanza))
            }
            BackupOf::Restic { program, repository, password_file, only } => {
                let argv = |what: restic::What<'_>| restic::argv(program, repository, password_file.as_deref(), what);
                match run(&argv(restic::What::Snapshots(only)), until).await.and_then(|p| restic::judge(&p)) {
                    // A lock that was left behind stops the next backup: what is there can be read all the same.
                    Ok(mut answer) => {
                        answer.notes.extend(run(&argv(restic::What::Locks), until).await.map_or(None, |p| restic::locked(&p)));
                        Ok(answer)
                    }
                    failed => failed,
                }
            }
            BackupOf::Archiver { slot, .. } => match &self.nodes {
                Some(nodes) => nodes.ask(slot.as_deref(), clock).await,
                None => Err(Fault::unusable("no node of it is known".to_owned())),
            },
            BackupOf::Command { argv } => run(argv, until).await.and_then(|p| command::judge(&p)),
        };
        match asked {
            Ok(answer) => Outcome::Value { value: Answer::Backup(Arc::new(newest_first(answer))), as_of: clock() },
            Err(fault) => Outcome::Failed { kind: fault.kind, what: clean(&fault.what, NOTE_CAP).into_owned(), at: clock() },
        }
    }
}

async fn run(argv: &[String], until: Instant) -> Result<Printed, Fault> {
    capture(argv, until, OUTPUT_CAP).await.map_err(|error| Fault::unusable(error.to_string()))
}

/// Runs the program on a host.
async fn there(host: &Reader, argv: &[String], until: Instant) -> Result<Printed, Fault> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    Ok(host.run(PROGRAM, &words, until, OUTPUT_CAP).await?)
}

/// Puts the newest first and keeps the newest only, all of them counted.
fn newest_first(mut answer: BackupAnswer) -> BackupAnswer {
    answer.points.sort_by(|a, b| b.restores_to.cmp(&a.restores_to).then_with(|| b.id.cmp(&a.id)));
    answer.total = answer.points.len();
    if answer.total > POINTS_CAP {
        answer.points.truncate(POINTS_CAP);
        answer.notes.push(format!("{} recovery points, of which the newest {POINTS_CAP} are looked at", answer.total));
    }
    answer.notes.truncate(100);
    answer
}

/// What a program that failed says of itself: the end of its errors, or of its output where it has none.
fn complaint(printed: &Printed, program: &str) -> Fault {
    let said = if printed.errors.iter().all(u8::is_ascii_whitespace) { &printed.out } else { &printed.errors };
    let text = String::from_utf8_lossy(said);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it says nothing");
    let code = printed.code.map_or_else(|| "was killed".to_owned(), |code| format!("ended with {code}"));
    Fault::unusable(format!("{program} {code}: {}", clean(last, LABEL_CAP)))
}

/// Decodes what a program printed.
fn decode<'a, T: serde::Deserialize<'a>>(printed: &'a Printed, program: &str) -> Result<T, Fault> {
    serde_json::from_slice(&printed.out).map_err(|error| {
        if printed.code != Some(0) {
            return complaint(printed, program);
        }
        let said = excerpt(&printed.out);
        Fault::unusable(format!("{program} printed no JSON that is known ({error}): \"{said}\""))
    })
}

/// A name from outside.
fn name(text: &str) -> String {
    clean(text, LABEL_CAP).into_owned()
}

/// Credentials were refused.
fn refused(what: String) -> Fault {
    Fault { kind: FailureKind::Refused, absent: false, what }
}

/// A point about which nothing is known but its moment.
fn bare(id: &str, restores_to: Timestamp) -> RecoveryPoint {
    RecoveryPoint {
        id: name(id),
        restores_to,
        finished: None,
        usable_from: None,
        kind: crate::model::backup::PointKind::Full,
        needs: Vec::new(),
        size: None,
        evidence: Default::default(),
        broken: None,
        hold: None,
        part: Default::default(),
        checked: None,
    }
}
