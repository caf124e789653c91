//! The runner: carries out one plan. Every call that changes something follows an intent that is on the disk, every
//! result is recorded, and what it does next follows from the record alone, so that it may be killed at any instant and
//! another one goes on.

mod begin;
mod call;
mod finish;
mod folder;
mod lease;
mod ledger;
pub mod process;
mod turn;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::act::Called;
use crate::model::plan::{Found, Plan};
use crate::model::run::{Call, Ending, Happened, RunState};

use super::world::{Leased, World};

pub use begin::{Begin, BeginError, begin};
pub use folder::{Beat, Folder, FolderError};
pub use lease::Moment;
pub use ledger::{Book, Entry, Ledger};

/// The four places around each call at which a test ends the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Boundary {
    /// Nothing is recorded.
    BeforeIntent,
    /// The intent is on the disk; the call was not made.
    AfterIntent,
    /// The call was made; its result is not recorded.
    AfterCall,
    /// The result is on the disk.
    AfterResult,
}

/// What is told of each boundary as it is passed.
pub trait Hooks: Send + Sync + 'static {
    /// Does nothing; a test ends the process here.
    fn at(&self, _boundary: Boundary, _step: &str, _call: Call) {}
}

/// Nothing is told.
#[derive(Debug, Clone, Copy)]
pub struct NoHooks;

impl Hooks for NoHooks {}

/// The runner's own times.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks at the requests and the leases.
    pub poll: Duration,
    /// Before the second reading of an outcome that is not known; each further one waits twice as long.
    pub look: Duration,
    /// The longest wait between two readings.
    pub look_most: Duration,
    /// A person is asked when an outcome is not known for so long; readings go on.
    pub ask_after: Duration,
    /// How long calls that are under way may take when the runner is told to end.
    pub farewell: Duration,
    /// How often a new run asks for a lease whose target cannot be asked.
    pub tries: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            poll: Duration::from_millis(200),
            look: Duration::from_millis(250),
            look_most: Duration::from_secs(5),
            ask_after: Duration::from_secs(60),
            farewell: Duration::from_secs(5),
            tries: 3,
        }
    }
}

/// How a runner ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The run is over.
    Ended(Ending),
    /// The runner is: the run may be resumed. Why.
    Stopped(String),
}

/// Why nothing more is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Halt {
    /// The journal cannot be written.
    Journal(String),
    /// Somebody ended the runner.
    Signal,
    /// A target is another run's now.
    Lost(String),
    /// A person must look before a runner goes on.
    Person(String),
}

/// One thing that was under way.
#[derive(Debug)]
enum Came {
    Called { step: usize, call: Call, attempt: u32, called: Called },
    Read { step: usize, call: Call, found: Found },
    Renewed { target: usize, sent: Moment, leased: Leased },
    Taken { target: usize, sent: Moment, leased: Option<Leased> },
    Printed { step: usize, printed: Option<Vec<u8>> },
}

/// What is known of the reading back of one step.
#[derive(Debug, Clone, Default)]
struct Look {
    times: u32,
    since: Option<Moment>,
    last: Option<Found>,
}

/// A runner at work.
pub struct Runner<W, H, L> {
    world: Arc<W>,
    hooks: Arc<H>,
    ledger: L,
    state: RunState,
    plan: Arc<Plan>,
    folder: Folder,
    pace: Pace,
    /// How long a lease lasts.
    ttl: Duration,
    /// The fence numbers of the leases that this runner took and that are not another's.
    fences: Vec<Option<u64>>,
    /// When each target's lease was last proven to be ours: the moment before it was asked.
    proofs: Vec<Option<Moment>>,
    renewing: Vec<bool>,
    tried: Vec<Option<Moment>>,
    /// Targets whose lease could not be asked for when a run was taken up again, each with when it is asked for next.
    dark: Vec<Option<(Moment, Duration)>>,
    looks: Vec<Look>,
    /// Since when each step's call waits for its target's lease.
    waits: Vec<Option<Moment>>,
    work: JoinSet<Came>,
    /// The steps whose call or reading is under way.
    busy: Vec<usize>,
    calls: usize,
    printing: Option<Moment>,
    /// Steps whose output is being asked for: a slow host is not asked again meanwhile.
    prints: Vec<usize>,
    stop: watch::Receiver<bool>,
    halt: Option<(Halt, Moment)>,
}

impl<W: World, H: Hooks, L: Ledger> Runner<W, H, L> {
    /// Its run's id.
    pub fn run(&self) -> &str {
        &self.state.run
    }

    /// Writes the heartbeat.
    pub fn beat(&self) {
        self.folder.beat();
    }

    /// How the run stands.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Writes it down, synced, and takes it into the state. The journal's head is given back; `None` where it could not
    /// be written, and then nothing more is begun.
    fn record(&mut self, what: Happened) -> Option<String> {
        self.record_at(what, jiff::Timestamp::now())
    }

    fn record_at(&mut self, what: Happened, at: jiff::Timestamp) -> Option<String> {
        match self.ledger.append(&self.state.run, what, at) {
            Ok(entry) => {
                self.state.take(&entry.record);
                Some(entry.head)
            }
            Err(why) => {
                tracing::error!(%why, "the journal cannot be written: nothing more is begun");
                self.folder.say(&format!("the journal cannot be written, nothing more is begun: {why}"));
                self.halt(Halt::Journal(why));
                None
            }
        }
    }

    fn halt(&mut self, halt: Halt) {
        if self.halt.is_none() {
            self.halt = Some((halt, Moment::now()));
        }
    }

    fn folder_path(&self) -> &Path {
        self.folder.path()
    }
}
