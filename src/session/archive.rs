//! The index of what was deployed: sources write into it as they read, views ask it. It may be deleted while the console
//! runs: it is made again, and the sources tell all of it again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::cache::deployments::{Deployments, JOURNAL};
use crate::cache::{CacheError, Opened};
use crate::model::deployment::news::{Mark, News};
use crate::model::estate::Estate;
use crate::watch::Ledger;

/// What is said where no index could be opened.
const CLOSED: &str = "the history cache is not open";

/// How the index stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Grows whenever the deployments are others.
    pub changes: u64,
    /// One line about its file, which is said once: it was begun anew, or it cannot be written.
    pub notice: Option<String>,
}

/// The index of one estate. Each call may block: it belongs on a thread for that.
#[derive(Debug)]
pub struct Archive {
    estate: Arc<Estate>,
    path: Option<PathBuf>,
    /// One writer at a time. Readers have a handle of their own where there is a file, and so never wait for it.
    writer: Mutex<Option<Deployments>>,
    reader: Mutex<Option<Deployments>>,
    /// True where the file cannot be used: then there is only the writer's.
    nameless: AtomicBool,
    /// What others wrote, as the writer saw it last.
    writings: Mutex<Option<i64>>,
    standing: watch::Sender<Standing>,
}

impl Archive {
    /// The index of that estate in `history.db` beside the cache; where there is no cache, in a file without a name.
    /// Nothing is opened yet.
    pub fn new(estate: Arc<Estate>, cache: Option<PathBuf>) -> Archive {
        let path = cache.map(|cache| cache.with_file_name("history.db"));
        let standing = watch::channel(Standing::default()).0;
        let nameless = AtomicBool::new(path.is_none());
        let (writer, reader, writings) = Default::default();
        Archive { estate, path, writer, reader, nameless, writings, standing }
    }

    /// The file, where there is one that can be used.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| !self.nameless.load(Ordering::Acquire))
    }

    /// How it stands, and every change of that.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// A handle of its own to read through; `None` where there is no file that can be used. Whoever opens the file first
    /// finds it damaged, and that is said.
    pub fn handle(&self) -> Option<Deployments> {
        match Deployments::open(self.path()?) {
            Ok((deployments, Opened::Rebuilt(why))) => {
                self.say(format!("the history cache {why}: rebuilt"));
                Some(deployments)
            }
            Ok((deployments, _)) => Some(deployments),
            // Reading through the archive's own tells why.
            Err(_) => None,
        }
    }

    /// Asks the index something.
    ///
    /// # Errors
    /// One line that says why it cannot be asked.
    pub fn read<T>(&self, ask: impl FnOnce(&Deployments, &Estate) -> Result<T, CacheError>) -> Result<T, String> {
        // Looked at by turns: who writes may hold both.
        if !self.nameless.load(Ordering::Acquire) {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(deployments) = self.there(&mut reader, false)? {
                return ask(deployments, &self.estate).map_err(|error| self.failed(&error));
            }
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let deployments = self.there(&mut writer, true)?.ok_or(CLOSED)?;
        ask(deployments, &self.estate).map_err(|error| self.failed(&error))
    }

    /// Takes in what the journal tells of deployments: all of it, each time. Where the index cannot be used that is said as
    /// with any source, and nothing is held up.
    pub fn recorded(&self, news: &News) {
        if let Err(error) = self.take(JOURNAL, news) {
            tracing::debug!(%error, "the index did not take what the journal tells");
        }
    }

    fn write<T>(&self, work: impl FnOnce(&mut Deployments, &Estate) -> Result<T, CacheError>) -> Result<T, String> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let deployments = self.there(&mut writer, true)?.ok_or(CLOSED)?;
        let done = work(deployments, &self.estate);
        self.look_around(deployments);
        if let (Err(error), Some(path)) = (&done, &self.path)
            && error.is_broken()
        {
            // It was whole when it was opened. The sources tell it again.
            *writer = None;
            *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if let Ok(anew) = Deployments::anew(path) {
                *writer = Some(anew);
                self.say("the history cache was damaged: rebuilt".to_owned());
            }
        }
        done.map_err(|error| self.failed(&error))
    }

    /// What another console wrote is not in what this one shows: the news that this one reads itself change nothing then.
    /// At the first look it is not known what was there when the views were filled.
    fn look_around(&self, deployments: &Deployments) {
        let Ok(now) = deployments.writings() else { return };
        let before = self.writings.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if before != Some(now) {
            self.standing.send_modify(|standing| standing.changes += 1);
        }
    }

    /// The open index; opened again where its file is another one by now, or none. `None` of a reader where there is no
    /// file to read.
    fn there<'d>(&self, open: &'d mut Option<Deployments>, writes: bool) -> Result<Option<&'d mut Deployments>, String> {
        if open.as_ref().is_some_and(|open| !open.is_there()) {
            *open = None;
            // What is shown is not in the new one.
            self.standing.send_modify(|standing| standing.changes += 1);
        }
        if open.is_none() {
            *open = self.open(writes)?;
        }
        Ok(open.as_mut())
    }

    fn open(&self, writes: bool) -> Result<Option<Deployments>, String> {
        if let Some(path) = self.path.as_ref().filter(|_| !self.nameless.load(Ordering::Acquire)) {
            match Deployments::open(path) {
                Ok((deployments, Opened::Rebuilt(why))) => {
                    self.say(format!("the history cache {why}: rebuilt"));
                    return Ok(Some(deployments));
                }
                Ok((deployments, _)) => return Ok(Some(deployments)),
                Err(error) => {
                    self.failed(&error);
                    self.nameless.store(true, Ordering::Release);
                }
            }
        }
        // A file without a name has one handle.
        writes.then(Deployments::in_memory).transpose().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &CacheError) -> String {
        let line = format!("the history cache cannot be used: {error}");
        tracing::warn!(%error, "the history cache cannot be used");
        self.say(line.clone());
        line
    }

    /// Says it where it is not what was said last.
    fn say(&self, line: String) {
        self.standing.send_if_modified(|standing| {
            let new = standing.notice.as_ref() != Some(&line);
            standing.notice = Some(line);
            new
        });
    }
}

impl Ledger for Archive {
    fn mark(&self, source: usize) -> Result<Option<Mark>, String> {
        self.write(|deployments, estate| deployments.mark(estate, source))
    }

    fn take(&self, source: usize, news: &News) -> Result<bool, String> {
        let changed = self.write(|deployments, estate| deployments.take(estate, source, news))?;
        if changed {
            self.standing.send_modify(|standing| standing.changes += 1);
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
