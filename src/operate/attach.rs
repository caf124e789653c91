//! Starts runners and attaches to runs: whoever attaches folds the journal, as the runner itself does.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::order::Order;
use super::requests;
use super::runner::Folder;
use super::runner::process::{Prepare, REFUSED, STARTED, Told};
use crate::journal::{Journal, JournalError, is_alive};
use crate::link::process::ProcessError;
use crate::link::process::detached::Detached;
use crate::model::event::{Actor, Event, Record};
use crate::model::run::known::{ENTRIES, Entry, Liveness};
use crate::model::run::{Request, RunState};
use crate::model::text::{NOTE_CAP, clean};

/// How long a runner has until its first heartbeat.
const START: Duration = Duration::from_secs(10);
/// A runner that did not beat for so long may be frozen.
const SILENT: i64 = 10;
/// This very program, also where its file was replaced meanwhile.
const SELF: &str = "/proc/self/exe";

/// Why no runner works.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// It was not started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It began nothing and says why.
    #[error("{0}")]
    Refused(String),
    /// It ended before it said anything.
    #[error("the runner ended before it began; {} says why", log.display())]
    Ended {
        /// Its log.
        log: PathBuf,
    },
    /// It says nothing.
    #[error("the runner (process {process}) did not say within 10 s that it began: whether it did is not known; `qd show {run}` tells")]
    Silent {
        /// The run.
        run: String,
        /// The process.
        process: u32,
    },
    /// It cannot be told anything.
    #[error("the runner cannot be told what to do: {0}")]
    Tell(#[from] io::Error),
    /// What it is to be told is no JSON.
    #[error("the order cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

/// A runner that makes ready and waits for its order. Dropped without one it ends, and nothing was done.
#[derive(Debug)]
pub struct Prepared {
    process: Detached,
    prepare: Prepare,
    log: PathBuf,
}

/// A run that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub run: String,
    /// The runner's process.
    pub process: u32,
}

/// Starts a runner that opens its connections and waits. `arguments` make this program one, `log` is where it writes until
/// it has a run.
///
/// # Errors
/// Where it is not started.
pub fn prepare(arguments: &[&str], mut prepare: Prepare, log: &Path) -> Result<Prepared, AttachError> {
    // It does not run in this folder.
    prepare.estate = std::path::absolute(&prepare.estate)?;
    if let Some(folder) = log.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let argv: Vec<String> = std::iter::once(SELF).chain(arguments.iter().copied()).map(str::to_owned).collect();
    let mut process = Detached::start(&argv, log)?;
    process.tell(&serde_json::to_string(&prepare)?)?;
    Ok(Prepared { process, prepare, log: log.to_owned() })
}

impl Prepared {
    /// Has it carry out the order, and waits for its first heartbeat. It blocks, ten seconds at the most.
    ///
    /// # Errors
    /// Where it did not begin, or nobody knows whether it did.
    pub fn go(self, order: Order) -> Result<Started, AttachError> {
        let run = order.run.clone();
        self.told(&Told::Carry(Box::new(order)), run)
    }

    /// Has it take up a run whose runner is gone.
    ///
    /// # Errors
    /// Where it did not begin, or nobody knows whether it did.
    pub fn resume(self, run: &str, by: Actor, estate: Option<String>) -> Result<Started, AttachError> {
        self.told(&Told::Resume { run: run.to_owned(), by, estate }, run.to_owned())
    }

    fn told(mut self, told: &Told, run: String) -> Result<Started, AttachError> {
        // One that ended already says why it did.
        let telling = self.process.tell(&serde_json::to_string(told)?);
        let until = Instant::now() + START;
        loop {
            match self.process.answer(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(why) = line.strip_prefix(REFUSED) {
                        return Err(AttachError::Refused(clean(why, NOTE_CAP).into_owned()));
                    }
                    let beats = Folder::last_beat(&self.prepare.runs.join(&run)).is_some_and(|beat| beat.process.id == self.process.id());
                    if line.strip_prefix(STARTED) == Some(run.as_str()) && beats {
                        return Ok(Started { run, process: self.process.id() });
                    }
                }
                Err(true) => {
                    telling?;
                    return Err(AttachError::Ended { log: self.log });
                }
                Err(false) => return Err(AttachError::Silent { run, process: self.process.id() }),
            }
        }
    }
}

/// Whether somebody carries that run out, as its process and its heartbeat tell. `here` is this machine's name as the
/// journal writes it.
pub fn liveness(state: &RunState, runs: &Path, here: &str, now: Timestamp) -> Liveness {
    let Some(runner) = state.runner.as_ref().filter(|_| state.ended.is_none()) else {
        return if state.ended.is_some() { Liveness::Over } else { Liveness::Orphaned };
    };
    if runner.host != here {
        return Liveness::Elsewhere { since: state.last.1 };
    }
    if !is_alive(runner) {
        return Liveness::Orphaned;
    }
    match Folder::last_beat(&runs.join(&state.run)).filter(|beat| beat.process == runner.process) {
        Some(beat) if now.duration_since(beat.at).as_secs() < SILENT => Liveness::Live { heartbeat: beat.at },
        Some(beat) => Liveness::Silent { since: beat.at },
        None => Liveness::Silent { since: state.last.1 },
    }
}

/// Asks it of a run; its runner takes it up within a second, or the next one first of all.
///
/// # Errors
/// Where it cannot be written.
pub fn ask(runs: &Path, run: &str, request: &Request, by: &Actor) -> io::Result<()> {
    requests::put(&runs.join(run), request, by, Timestamp::now())
}

/// All runs of a journal, as far as it was read.
#[derive(Debug, Default)]
pub struct Runs {
    seq: u64,
    head: String,
    states: Vec<Arc<RunState>>,
    entries: Vec<(Arc<Vec<Entry>>, usize)>,
    places: HashMap<String, usize>,
}

impl Runs {
    /// Reads on, and gives back what is new, the oldest first: events of runs.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn read(&mut self, journal: &Path) -> Result<Vec<Record>, JournalError> {
        let Some(journal) = Journal::read(journal)? else { return Ok(Vec::new()) };
        // Most looks find nothing new.
        let head = journal.head()?;
        if head.count <= self.seq {
            return Ok(Vec::new());
        }
        self.head = head.to_string();
        let mut new = journal.after(self.seq, usize::MAX)?;
        self.seq = new.last().map_or(self.seq, |record| record.seq);
        new.retain(|record| matches!(record.event, Event::Run(_)));
        for record in &new {
            let Event::Run(of) = &record.event else { continue };
            let place = match self.places.get(&of.run) {
                Some(&place) => {
                    Arc::make_mut(&mut self.states[place]).take(record);
                    place
                }
                None => {
                    let Some(state) = RunState::of(record) else { continue };
                    let place = self.states.len();
                    self.places.insert(of.run.clone(), place);
                    self.states.push(Arc::new(state));
                    self.entries.push((Arc::default(), 0));
                    place
                }
            };
            let (entries, left_out) = &mut self.entries[place];
            let entries = Arc::make_mut(entries);
            let what = clean(&of.what.to_string(), NOTE_CAP).into_owned();
            entries.push(Entry { seq: record.seq, at: record.said_at, who: record.actor.name(), what });
            if entries.len() > ENTRIES {
                entries.remove(0);
                *left_out += 1;
            }
        }
        Ok(new)
    }

    /// All, the oldest first.
    pub fn all(&self) -> &[Arc<RunState>] {
        &self.states
    }

    /// The events of each in lines, the newest, and how many were left out, in the order of [`Runs::all`].
    pub fn entries(&self) -> &[(Arc<Vec<Entry>>, usize)] {
        &self.entries
    }

    /// The head of the journal that they were read from: `COUNT HASH`.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The place of the run of that id in [`Runs::all`].
    pub fn place(&self, run: &str) -> Option<usize> {
        self.places.get(run).copied()
    }

    /// The run of that id.
    pub fn get(&self, run: &str) -> Option<&RunState> {
        self.place(run).map(|place| &*self.states[place])
    }

    /// The one run whose id begins so.
    ///
    /// # Errors
    /// What to write instead.
    pub fn named(&self, prefix: &str) -> Result<&RunState, String> {
        if let Some(exact) = self.get(prefix) {
            return Ok(exact);
        }
        let found: Vec<&RunState> = self.states.iter().map(|state| &**state).filter(|state| state.run.starts_with(prefix)).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(format!("no run begins with {prefix:?}: `qd runs` lists them")),
            [first, .., last] => {
                Err(format!("{} runs begin with {prefix:?}, {} to {}: write more of it", found.len(), first.run, last.run))
            }
        }
    }
}
