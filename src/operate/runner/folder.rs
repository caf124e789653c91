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
    /// True of what it said last of all: it ended and left the run to another one.
    #[serde(default)]
    pub left: bool,
}

/// What a runner has to say besides that it is there.
#[derive(Debug, Default)]
struct Word {
    said: Option<String>,
    left: bool,
}

/// The folder of one run, with its lock held.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    word: Arc<Mutex<Word>>,
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
            Ok(()) => Ok(Folder { word: Arc::default(), process, _lock: lock, path }),
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
        self.tell(what, false);
    }

    /// Tells why it ends and leaves the run to another runner: whoever finds the run left reads it.
    pub fn leave(&self, why: &str) {
        self.tell(why, true);
    }

    fn tell(&self, what: &str, left: bool) {
        *self.word.lock().unwrap_or_else(PoisonError::into_inner) = Word { said: Some(clean(what, NOTE_CAP).into_owned()), left };
        self.beat();
    }

    /// Beats once. Where it cannot be written the run goes on: the heartbeat is no part of the record.
    pub fn beat(&self) {
        beat(&self.path, self.process, &self.word);
    }

    /// Beats each second for as long as the task is not ended.
    pub fn beats(&self) -> tokio::task::JoinHandle<()> {
        let (path, process, word) = (self.path.clone(), self.process, self.word.clone());
        tokio::spawn(async move {
            loop {
                beat(&path, process, &word);
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

fn beat(path: &Path, process: Process, word: &Mutex<Word>) {
    // Held while it is written: the beat of each second never goes over what was said last of all.
    let word = word.lock().unwrap_or_else(PoisonError::into_inner);
    let body = serde_json::to_vec(&Beat { process, at: Timestamp::now(), said: word.said.clone(), left: word.left }).unwrap_or_default();
    if let Err(error) = write(path, "heartbeat", &body).or_else(|_| over(&path.join("heartbeat"), body)) {
        tracing::warn!(%error, "no heartbeat can be written");
    }
}

/// Writes over what stands in the file: where the disk is full a new one has no room, and the block of the old one has. It
/// is one call that also covers what was longer, so that whoever reads meanwhile finds one or the other.
fn over(file: &Path, mut body: Vec<u8>) -> io::Result<()> {
    let mut open = File::options().write(true).open(file)?;
    let old = open.metadata()?.len().min(CAP);
    body.resize(body.len().max(usize::try_from(old).unwrap_or_default()), b' ');
    open.write_all(&body)
}

fn write(folder: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    let open = folder.join(format!(".{name}.new"));
    rights::open(&open, true)?.write_all(body)?;
    fs::rename(open, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_new_file_has_room_its_last_words_stand_over_the_old_heartbeat() {
        let runs = tempfile::tempdir().unwrap();
        let process = Process { id: 7, began: 1 };
        let folder = Folder::hold(runs.path(), "web-1", process).unwrap();
        folder.say(&"waits for the lease ".repeat(20));
        let first = Folder::last_beat(folder.path()).unwrap();
        assert!(first.said.unwrap().starts_with("waits") && !first.left);
        // What a full disk does: the new file cannot be made.
        fs::create_dir(folder.path().join(".heartbeat.new")).unwrap();
        folder.leave("the journal cannot be written: No space left on device");
        folder.beat();
        let last = Folder::last_beat(folder.path()).unwrap();
        assert_eq!((last.said.as_deref(), last.left), (Some("the journal cannot be written: No space left on device"), true));
        assert_eq!(last.process, process);
    }

    #[test]
    fn a_heartbeat_of_an_earlier_qd_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("heartbeat"), r#"{"process":{"id":7,"began":1},"at":"2026-11-21T13:14:30Z","said":null}"#).unwrap();
        assert!(!Folder::last_beat(folder.path()).unwrap().left);
    }
}
