//! Reads what was deployed: a deploy log, a folder of releases here or on hosts, the tags of a clone, a query of a PostgreSQL.

mod commits;
pub(super) mod compare;
mod configs;
mod follow;
mod git;
mod line;
mod log;
mod noted;
mod releases;
mod sql;
mod there;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use self::log::Log;
use self::noted::Noted;
use super::Ledger;
use crate::link::http::LinkError;
use crate::link::ssh::{self, Hosts};
use crate::model::deployment::Deployment;
use crate::model::deployment::news::News;
use crate::model::estate::{History, Part, Source, SourceKind};
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::{Answer, HistoryAnswer};
use crate::model::text::{NOTE_CAP, clean};

/// Deployments of one source that an answer holds, the newest. All are in the index.
const KEPT: usize = 5_000;
/// How long one try may read on for the index. Someone waits for its answer.
const ON: Duration = Duration::from_millis(250);

/// The time as this machine tells it.
type Clock<'c> = &'c (dyn Fn() -> Timestamp + Send + Sync);

/// Reads one history.
#[derive(Debug)]
pub(crate) struct Historian {
    reader: Arc<Reader>,
    /// Where it is read, where that is not here.
    hosts: Vec<Arc<ssh::Reader>>,
}

#[derive(Debug)]
struct Reader {
    /// Whose it is.
    of: Of,
    kind: History,
    deadline: Duration,
    /// What is known of a log that grows.
    log: Mutex<Log>,
    /// The index, and the source's number in it.
    ledger: Option<(usize, Arc<dyn Ledger>)>,
    /// True where the index has not all of the log yet.
    more: AtomicBool,
    /// The newest answer: while nothing changes it is the very same one, and nothing is derived from it again.
    newest: Mutex<Option<Arc<HistoryAnswer>>>,
}

/// What the estate file says of the whole history.
#[derive(Debug, Clone)]
struct Of {
    name: String,
    service: Option<String>,
    site: Option<String>,
}

impl Historian {
    /// A reader of that source; `None` where it is something else.
    pub(crate) fn new(source: &Source) -> Option<Historian> {
        let SourceKind::History(kind) = &source.kind else { return None };
        let reader = Reader {
            of: Of { name: source.name.clone(), service: source.service.clone(), site: source.site.clone() },
            kind: kind.clone(),
            deadline: source.timeout.unsigned_abs(),
            log: Mutex::new(Log::default()),
            ledger: None,
            more: AtomicBool::new(false),
            newest: Mutex::new(None),
        };
        Some(Historian { reader: Arc::new(reader), hosts: Vec::new() })
    }

    /// The same, with the hosts that the estate names.
    pub(crate) fn on(self, hosts: &Hosts) -> Historian {
        let hosts = self.reader.kind.hosts().iter().filter_map(|name| hosts.reader(name)).collect();
        Historian { hosts, ..self }
    }

    /// Writes all that it reads into that index, where it is the source with this number.
    pub(crate) fn writing(mut self, source: usize, ledger: Option<Arc<dyn Ledger>>) -> Historian {
        // Nobody else has it yet.
        if let Some(reader) = Arc::get_mut(&mut self.reader) {
            reader.ledger = ledger.map(|ledger| (source, ledger));
        }
        self
    }

    /// True where the last try left some of it unread.
    pub(crate) fn has_more(&self) -> bool {
        self.reader.more.load(Ordering::Acquire)
    }

    /// One try. A disk that hangs holds up a thread and nothing else: who polls has a deadline.
    pub(crate) async fn poll(&self, clock: Clock<'_>) -> Outcome<Answer> {
        let (as_of, reader) = (clock(), self.reader.clone());
        let failed = |kind, what: &str| Outcome::Failed { kind, what: clean(what, NOTE_CAP).into_owned(), at: clock() };
        let (of, until) = (&reader.of, Instant::now() + reader.deadline);
        let far = match &reader.kind {
            History::Sql { conninfo, query, fields } => Some(sql::read(conninfo, query, fields, of, reader.deadline).await),
            History::Releases { path, hosts, log, fields, .. } if !hosts.is_empty() => {
                let log = log.as_deref().map(|log| Noted { log, fields });
                Some(there::releases(&self.hosts, path, log, of, until).await.map(|answer| (answer, Timestamp::MIN)))
            }
            // Not on a thread that waits for it: that would go on while the runtime ends, which a timer there answers with a panic.
            History::Git { path, tags } => Some(git::read(path, tags, of, reader.deadline).await.map(|answer| (answer, Timestamp::MIN))),
            History::Releases { .. } | History::DeployLog { .. } => None,
        };
        if let Some(far) = far {
            let (answer, since) = match far {
                Ok(told) => told,
                Err((kind, what)) => return failed(kind, &what),
            };
            // The index is on a disk.
            let reader = reader.clone();
            return match tokio::task::spawn_blocking(move || reader.same_or(answer, since)).await {
                Ok(answer) => Outcome::Value { value: Answer::History(answer), as_of },
                Err(_) => failed(FailureKind::Unreachable, "reading it ended in a defect of qd"),
            };
        }
        let read = tokio::task::spawn_blocking(move || reader.read());
        match tokio::time::timeout(self.reader.deadline, read).await {
            Ok(Ok(Ok(answer))) => Outcome::Value { value: Answer::History(answer), as_of },
            Ok(Ok(Err((kind, what)))) => failed(kind, &what),
            Ok(Err(_)) => failed(FailureKind::Unreachable, "reading it ended in a defect of qd"),
            Err(_) => failed(FailureKind::Unreachable, "reading it took too long"),
        }
    }
}

/// Why it was not read.
type Fault = (FailureKind, String);

/// An error of a file: one that we may not read is refused.
fn fault(path: &Path, error: &std::io::Error) -> Fault {
    let kind = if error.kind() == std::io::ErrorKind::PermissionDenied { FailureKind::Refused } else { FailureKind::Unreachable };
    (kind, format!("cannot read {}: {error}", path.display()))
}

/// The same of a link.
fn far(error: LinkError) -> Fault {
    match error {
        LinkError::Refused(what) => (FailureKind::Refused, what),
        LinkError::Unreachable(what) => (FailureKind::Unreachable, what),
        LinkError::TooLarge { .. } => (FailureKind::Unreachable, error.to_string()),
    }
}

impl Reader {
    fn read(&self) -> Result<Arc<HistoryAnswer>, Fault> {
        let answer = match &self.kind {
            History::DeployLog { path, fields } => {
                // A try that hangs must not make the later ones wait, each in a thread of its own.
                let Ok(mut log) = self.log.try_lock() else {
                    return Err((FailureKind::Unreachable, "an earlier try still reads it".to_owned()));
                };
                let answer = log.read(path, fields, &self.of)?;
                self.follow(path, fields);
                answer
            }
            History::Releases { path, log, fields, .. } => releases::read(path, log.as_deref().map(|log| Noted { log, fields }), &self.of)?,
            History::Git { .. } | History::Sql { .. } => {
                return Err((FailureKind::Unreachable, "neither a query nor a clone is read from a disk".to_owned()));
            }
        };
        Ok(self.same_or(answer, Timestamp::MIN))
    }

    /// Tells the index what was read, which is all since that moment, and gives the newest of it: the very same answer as before where nothing changed.
    fn same_or(&self, mut answer: HistoryAnswer, since: Timestamp) -> Arc<HistoryAnswer> {
        if !matches!(self.kind, History::DeployLog { .. })
            && let Some((source, ledger)) = &self.ledger
            && let Err(error) = ledger.take(*source, &News::since(since, answer.deployments.clone()))
        {
            tracing::debug!(%error, "the index did not take a history");
        }
        shorten(&mut answer);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = newest.as_ref().filter(|known| ***known == answer) {
            return known.clone();
        }
        let answer = Arc::new(answer);
        *newest = Some(answer.clone());
        answer
    }
}

impl Reader {
    /// Reads on for the index. The answer does not depend on it, and the first one is not held up by it.
    fn follow(&self, path: &Path, fields: &BTreeMap<Part, String>) {
        let Some((source, ledger)) = &self.ledger else { return };
        let first = self.newest.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        let follower = follow::Follower { path, fields, of: &self.of, source: *source, ledger: &**ledger };
        let more = first
            || follower.on(std::time::Instant::now() + ON).unwrap_or_else(|why| {
                tracing::debug!(%why, "a deploy log was not read on");
                false
            });
        self.more.store(more, Ordering::Release);
    }
}

/// Keeps the newest.
fn shorten(answer: &mut HistoryAnswer) {
    answer.dropped += answer.deployments.len().saturating_sub(KEPT);
    answer.deployments.truncate(KEPT);
}

/// The answer of these deployments.
fn answer(mut deployments: Vec<Arc<Deployment>>, broken: usize, notes: Vec<String>) -> HistoryAnswer {
    // Of two at one moment the line that was written later is the newer one.
    deployments.reverse();
    deployments.sort_by_key(|one| std::cmp::Reverse(one.at));
    HistoryAnswer { deployments, dropped: 0, broken, notes }
}

#[cfg(test)]
mod tests;
