//! The runner's own files in the run's folder: the order, the lock, the heartbeat, and what steps print meanwhile. The
//! record of the run is the journal alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::event::Process;
use crate::model::text::{NOTE_CAP, clean};
use crate::operate::order::is_id;
use crate::operate::rights;

/// Between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// Bytes of a heartbeat that are read.
const CAP: u64 = 16 << 10;
/// Bytes of a step's output that are kept while it goes on: the last ones.
const LIVE_CAP: usize = 256 << 10;

/// Why a run's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// No run has such an id.
    #[error("{0:?} is no id of a run")]
    Name(String),
    /// Another runner is at it.
    #[error("a runner carries out {0} already")]
    Held(String),
    /// It cannot be made or written.
    #[error("{}: {error}", path.display())]
    File {
        /// What.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What the heartbeat file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The runner.
    pub process: Process,
    /// When it beat (UTC).
    pub at: Timestamp,
    /// What hinders it.
    pub said: Option<String>,
}

/// The folder of one run, with its lock held.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    said: Arc<Mutex<Option<String>>>,
    process: Process,
    _lock: File,
}

impl Folder {
    /// The folder of that run below `runs`: makes it and takes its lock, which no other runner then gets.
    ///
    /// # Errors
    /// Where another runner has the lock, or it cannot be made.
    pub fn hold(runs: &Path, run: &str, process: Process) -> Result<Folder, FolderError> {
        if !is_id(run) {
            return Err(FolderError::Name(clean(run, NOTE_CAP).into_owned()));
        }
        let path = runs.join(run);
        let failed = |error| FolderError::File { path: path.clone(), error };
        for folder in [runs, &path, &path.join("requests"), &path.join("live")] {
            rights::make(folder).map_err(failed)?;
        }
        // Whoever resumes the run goes on in the same log.
        rights::open(&path.join("log"), false).map_err(failed)?;
        let lock = rights::open(&path.join("runner.lock"), false).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Folder { said: Arc::default(), process, _lock: lock, path }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Held(run.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of it by rename.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, name: &str, body: &[u8]) -> Result<(), FolderError> {
        write(&self.path, name, body).map_err(|error| FolderError::File { path: self.path.join(name), error })
    }

    /// Tells it with the next heartbeats, and at once.
    pub fn say(&self, what: &str) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(clean(what, NOTE_CAP).into_owned());
        self.beat();
    }

    /// Beats once. Where it cannot be written the run goes on: the heartbeat is no part of the record.
    pub fn beat(&self) {
        beat(&self.path, self.process, &self.said);
    }

    /// Beats each second for as long as the task is not ended.
    pub fn beats(&self) -> tokio::task::JoinHandle<()> {
        let (path, process, said) = (self.path.clone(), self.process, self.said.clone());
        tokio::spawn(async move {
            loop {
                beat(&path, process, &said);
                tokio::time::sleep(BEAT).await;
            }
        })
    }

    /// Keeps what a step has printed so far.
    pub fn live(&self, step: &str, printed: &[u8]) {
        let from = printed.len().saturating_sub(LIVE_CAP);
        if let Err(error) = write(&self.path.join("live"), &step.replace('/', "."), &printed[from..]) {
            tracing::warn!(step, %error, "what it prints cannot be kept");
        }
    }

    /// The newest heartbeat of the run with that folder.
    pub fn last_beat(path: &Path) -> Option<Beat> {
        let mut body = Vec::new();
        File::open(path.join("heartbeat")).ok()?.take(CAP).read_to_end(&mut body).ok()?;
        serde_json::from_slice(&body).ok()
    }
}

fn beat(path: &Path, process: Process, said: &Mutex<Option<String>>) {
    let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let body = serde_json::to_vec(&Beat { process, at: Timestamp::now(), said }).unwrap_or_default();
    if let Err(error) = write(path, "heartbeat", &body) {
        tracing::warn!(%error, "no heartbeat can be written");
    }
}

fn write(folder: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    let open = folder.join(format!(".{name}.new"));
    rights::open(&open, true)?.write_all(body)?;
    fs::rename(open, folder.join(name))
}
