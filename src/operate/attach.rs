//! Starts runners and attaches to runs: whoever attaches folds the journal, as the runner itself does.

use std::collections::{BTreeSet, HashMap};
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
    #[error("the runner cannot be told what to do, nothing was begun: {0}; `qd paths` names the folder of runs: is there room?")]
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

/// What the run's last runner said as it left, where it did: a full disk, a journal that cannot be written. One that was
/// killed said nothing.
pub fn last_words(state: &RunState, runs: &Path) -> Option<String> {
    let runner = state.runner.as_ref().filter(|_| state.ended.is_none())?;
    let beat = Folder::last_beat(&runs.join(&state.run)).filter(|beat| beat.left && beat.process == runner.process)?;
    beat.said.map(|said| clean(&said, NOTE_CAP).into_owned())
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
        self.take(&new);
        Ok(new)
    }

    fn take(&mut self, new: &[Record]) {
        let mut grown = BTreeSet::new();
        for record in new {
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
            let what = clean(&of.what.told(&self.states[place].plan), NOTE_CAP).into_owned();
            entries.push(Entry { seq: record.seq, at: record.said_at, who: record.actor.name(), what });
            // Not one by one: each removal at the front moves all the others.
            if entries.len() >= 2 * ENTRIES {
                *left_out += newest(entries);
            }
            grown.insert(place);
        }
        for place in grown {
            let (entries, left_out) = &mut self.entries[place];
            if entries.len() > ENTRIES {
                *left_out += newest(Arc::make_mut(entries));
            }
        }
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
}

/// Leaves the newest [`ENTRIES`]; how many are left out.
fn newest(entries: &mut Vec<Entry>) -> usize {
    let over = entries.len().saturating_sub(ENTRIES);
    entries.drain(..over).len()
}

/// One run of a journal, as far as it was read: the events of all others are not looked at.
#[derive(Debug)]
pub struct One {
    run: String,
    seq: u64,
    state: Option<RunState>,
}

impl One {
    /// The run of that id, of which nothing was read yet.
    pub fn of(run: &str) -> One {
        One { run: run.to_owned(), seq: 0, state: None }
    }

    /// Reads on, and gives back what is new, the oldest first.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn read(&mut self, journal: &Path) -> Result<Vec<Record>, JournalError> {
        let Some(journal) = Journal::read(journal)? else { return Ok(Vec::new()) };
        let new = journal.run_after(&self.run, self.seq)?;
        for record in &new {
            self.seq = record.seq;
            match &mut self.state {
                Some(state) => state.take(record),
                None => self.state = RunState::of(record),
            }
        }
        Ok(new)
    }

    /// How it stands; `None` as long as it was not planned.
    pub fn state(&self) -> Option<&RunState> {
        self.state.as_ref()
    }

    /// How it stood when it was read last.
    pub fn into_state(self) -> Option<RunState> {
        self.state
    }
}

/// Why no one run is meant by what was written.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// None, or more than one: what to write instead.
    #[error("{0}")]
    Which(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The id of the one run whose id is this, or begins so.
///
/// # Errors
/// Where there is none, or more than one.
pub fn named(journal: &Path, prefix: &str) -> Result<String, NameError> {
    let mut found = match Journal::read(journal)? {
        Some(journal) => journal.runs_named(prefix)?,
        None => Vec::new(),
    };
    // They are in their order: the exact one stands before those that go on after it.
    match found.as_slice() {
        [] => Err(NameError::Which(format!("no run begins with {prefix:?}: `qd runs` lists them"))),
        [first, .., last] if first != prefix => {
            Err(NameError::Which(format!("{} runs begin with {prefix:?}, {first} to {last}: write more of it", found.len())))
        }
        _ => Ok(found.swap_remove(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Hand, actor};
    use crate::model::run::sample::{Log, plan, step};
    use crate::model::run::{Ending, Happened};

    /// A journal to which runs are written by turns.
    struct Book(tempfile::TempDir, Journal, Hand);

    impl Book {
        fn new() -> Book {
            let folder = tempfile::tempdir().unwrap();
            let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
            Book(folder, journal, Hand { actor: actor(&|_| None), version: "test".into(), estate: None })
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("journal.db")
        }

        fn write(&mut self, records: &[Record]) {
            for record in records {
                self.1.append(&self.2, record.said_at, record.event.clone(), record.said_at).unwrap();
            }
        }
    }

    fn begun(run: &str) -> Log {
        Log::begun(run, &plan(&["web1"], vec![step("web1/stop")]))
    }

    #[test]
    fn one_run_read_alone_and_in_parts_stands_as_it_does_among_all() {
        let mut book = Book::new();
        let (mut web, other) = (begun("web-1"), begun("web-2"));
        book.write(&web.records[..1]);
        book.write(&other.records);
        let (mut one, path) = (One::of("web-1"), book.path());
        assert_eq!(one.read(&path).unwrap().len(), 1);
        assert_eq!(one.read(&path).unwrap(), []);
        // What comes in between two looks is read at the next, whatever other runs write meanwhile.
        web.request(Request::Pause { reason: "lunch".into() });
        book.write(&web.records[1..]);
        book.write(&begun("web-3").records);
        assert_eq!(one.read(&path).unwrap().len(), web.records.len() - 1);
        web.add(Happened::Ended(Ending::Done));
        book.write(&web.records[web.records.len() - 1..]);
        assert_eq!(one.read(&path).unwrap().len(), 1);
        let mut all = Runs::default();
        all.read(&path).unwrap();
        assert_eq!((all.all().len(), one.state()), (3, all.get("web-1")));
        assert!(one.state().is_some_and(|state| state.ended.is_some()));
        let mut none = One::of("web");
        assert!(none.read(&path).unwrap().is_empty() && none.state().is_none(), "a beginning of an id is no id");
        assert_eq!(One::of("web-1").read(&book.0.path().join("none.db")).unwrap(), []);
    }

    #[test]
    fn a_run_is_named_by_its_id_or_by_how_no_other_begins() {
        let mut book = Book::new();
        let name = |book: &Book, prefix: &str| named(&book.path(), prefix).map_err(|error| error.to_string());
        assert!(name(&book, "web").unwrap_err().contains("no run begins with \"web\""));
        for run in ["web-1", "web-10", "db-1"] {
            book.write(&begun(run).records);
        }
        assert_eq!(name(&book, "web-1").unwrap(), "web-1", "it is one, though another one begins so");
        assert_eq!((name(&book, "web-10").unwrap(), name(&book, "d").unwrap()), ("web-10".into(), "db-1".into()));
        assert_eq!(name(&book, "web-").unwrap_err(), "2 runs begin with \"web-\", web-1 to web-10: write more of it");
        assert!(name(&book, "web-2").unwrap_err().contains("`qd runs` lists them"));
    }

    #[test]
    fn of_a_long_run_the_newest_lines_are_kept_however_it_is_read() {
        let mut log = begun("web-1");
        while log.records.len() < 4 * ENTRIES + 700 {
            log.add(Happened::Reviewed { note: format!("note {}", log.records.len()) });
        }
        let (mut by_parts, mut from) = (Runs::default(), 0);
        for part in [ENTRIES - 1, ENTRIES, ENTRIES + 1, 2 * ENTRIES + 1, 2 * ENTRIES + 2, log.records.len()] {
            by_parts.take(&log.records[from..part]);
            from = part;
            let (entries, left_out) = &by_parts.entries()[0];
            assert_eq!((entries.len(), entries.len() + left_out), (part.min(ENTRIES), part));
        }
        let mut at_once = Runs::default();
        at_once.take(&log.records);
        assert_eq!(at_once.entries(), by_parts.entries());
        let last = log.records.last().unwrap();
        assert_eq!((at_once.entries()[0].0.last().unwrap().seq, &at_once.all()[0].last.0), (last.seq, &last.seq));
    }
}
