//! A run as a console knows it: how it stands by the journal, and what the folder of the run tells of its runner.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Phase, RunState};

/// Events of one run that are kept as lines, the newest.
pub const ENTRIES: usize = 2_000;

/// Whether somebody carries a run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It ended: nobody has to.
    Over,
    /// Its runner is there, and said so at that moment (UTC).
    Live {
        /// When.
        heartbeat: Timestamp,
    },
    /// Its runner is there and has said nothing since then (UTC): it is stopped, or its disk hangs.
    Silent {
        /// The last sign of it.
        since: Timestamp,
    },
    /// Nobody does: its runner is gone.
    Orphaned,
    /// Its runner is on another machine: nothing newer is known than its newest event (UTC).
    Elsewhere {
        /// When that was.
        since: Timestamp,
    },
}

impl Liveness {
    /// Why no new runner can take up a run that stands so; `None` where one can.
    pub fn keeps_from_taking_up(self, state: &RunState) -> Option<String> {
        let runner = state.runner.as_ref();
        let host = runner.map_or("another machine", |runner| runner.host.as_str());
        match self {
            Liveness::Orphaned if state.runners == 0 => Some("it was never begun: there is nothing to take up".to_owned()),
            Liveness::Orphaned => None,
            Liveness::Over => Some("it has ended".to_owned()),
            Liveness::Live { .. } => Some("its runner lives: no other one may take it up".to_owned()),
            Liveness::Silent { .. } => {
                let kill = runner.map_or_else(String::new, |runner| format!("; `kill -9 {}` there ends it", runner.process.id));
                Some(format!("its runner is still there on {host}, and says nothing: no other one may take the run up{kill}"))
            }
            Liveness::Elsewhere { .. } => Some(format!("its runner is on {host}: take it up there")),
        }
    }

    /// `over`, `live`, `silent`, `orphaned`, `elsewhere`.
    pub fn word(self) -> &'static str {
        match self {
            Liveness::Over => "over",
            Liveness::Live { .. } => "live",
            Liveness::Silent { .. } => "silent",
            Liveness::Orphaned => "orphaned",
            Liveness::Elsewhere { .. } => "elsewhere",
        }
    }
}

/// One event of a run in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal.
    pub seq: u64,
    /// When (UTC).
    pub at: Timestamp,
    /// Who: `ann@jump`.
    pub who: String,
    /// What.
    pub what: String,
}

/// A run as a console knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownRun {
    /// What its events come to.
    pub state: Arc<RunState>,
    /// Whether somebody carries it out.
    pub alive: Liveness,
    /// What running jobs printed so far: the step, and the last lines.
    pub live: Vec<(String, Vec<String>)>,
    /// Its events, the newest [`ENTRIES`] of them, the oldest first.
    pub entries: Arc<Vec<Entry>>,
    /// Events before those.
    pub left_out: usize,
    /// The estate file that its runner read, as a shell takes it; `None` where that is not known.
    pub file: Option<String>,
    /// Of a run whose runner is gone: what that said as it left; `None` where it said nothing.
    pub words: Option<String>,
}

/// What a run wants of whoever sees it, in the order in which runs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It did not end, and nobody carries it out, or its runner is silent.
    Orphaned,
    /// A person must decide.
    Waiting,
    /// It goes on.
    Running,
    /// It ended, or was never begun.
    Past,
}

impl Standing {
    /// The head of its part of a list.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Orphaned => "orphaned",
            Standing::Waiting => "waiting for a person",
            Standing::Running => "running",
            Standing::Past => "past",
        }
    }
}

impl KnownRun {
    /// What it wants of whoever sees it.
    pub fn standing(&self) -> Standing {
        match (self.state.phase(), self.alive) {
            (Phase::Ended | Phase::Planned, _) => Standing::Past,
            (_, Liveness::Orphaned | Liveness::Over | Liveness::Silent { .. }) => Standing::Orphaned,
            (Phase::Asking | Phase::Paused, Liveness::Live { .. } | Liveness::Elsewhere { .. }) => Standing::Waiting,
            (Phase::Preparing | Phase::Going | Phase::Aborting, Liveness::Live { .. } | Liveness::Elsewhere { .. }) => Standing::Running,
        }
    }

    /// What is said of it in one line of every screen: `run web-2026... 3/9 steps`.
    pub fn line(&self) -> String {
        let (done, all) = self.state.progress();
        let what = match self.standing() {
            Standing::Orphaned => match self.alive {
                Liveness::Silent { .. } => " silent",
                _ => " orphaned",
            },
            Standing::Waiting if self.state.phase() == Phase::Paused => " paused",
            Standing::Waiting => " asks",
            Standing::Running if self.state.aborting.is_some() => " aborting",
            Standing::Running | Standing::Past => "",
        };
        format!("run {} {done}/{all} steps{what}", self.state.run)
    }
}

/// All runs that a journal tells of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Runs {
    /// The one that wants most first; among equals the newest.
    pub all: Vec<Arc<KnownRun>>,
    /// Why they cannot be read, or not to the end.
    pub problem: Option<String>,
    /// The head of the journal: `COUNT HASH`.
    pub head: String,
}

impl Runs {
    /// Puts them in their order.
    pub fn of(mut all: Vec<Arc<KnownRun>>, head: String, problem: Option<String>) -> Runs {
        all.sort_by(|a, b| {
            a.standing().cmp(&b.standing()).then(b.state.planned_at.cmp(&a.state.planned_at)).then(a.state.run.cmp(&b.state.run))
        });
        Runs { all, problem, head }
    }

    /// The run of that id.
    pub fn find(&self, run: &str) -> Option<&Arc<KnownRun>> {
        self.all.iter().find(|known| known.state.run == run)
    }

    /// Those that go on, or should. Past ones come last and are not looked at: there may be thousands.
    pub fn open(&self) -> impl Iterator<Item = &Arc<KnownRun>> {
        self.all.iter().take_while(|known| known.standing() != Standing::Past)
    }
}
