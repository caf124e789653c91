//! The runner as a process: it is told what it will need, makes ready, is told what to do, records that it began, and
//! lets go of whoever started it.

use std::future::Future;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Begin, BeginError, Book, Folder, FolderError, NoHooks, Outcome, Pace, begin};
use crate::journal::{Hand, Journal, JournalError, actor};
use crate::link::process::detached;
use crate::model::event::Actor;
use crate::operate::order::Order;
use crate::operate::rights::make_runs;
use crate::operate::world::World;

/// Bytes of one line that it is told.
const LINE: u64 = 16 << 20;
/// What it answers before the id, once it began.
pub const STARTED: &str = "started ";
/// What it answers before the reason why it does not.
pub const REFUSED: &str = "refused ";

/// The first line: what it needs before a person has confirmed anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepare {
    /// The estate file.
    pub estate: PathBuf,
    /// The hosts that the plan names: connections to them are opened at once.
    pub hosts: Vec<String>,
    /// The journal.
    pub journal: PathBuf,
    /// The folder of the runs.
    pub runs: PathBuf,
    /// Seconds that a lease lasts.
    pub lease: u64,
}

/// The second line: what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Told {
    /// Carries out a new run.
    Carry(Box<Order>),
    /// Takes up a run whose runner is gone.
    Resume {
        /// Its id.
        run: String,
        /// Who wants it.
        by: Actor,
        /// The SHA-256 of the estate file, 64 hex digits.
        estate: Option<String>,
    },
}

/// Why it does nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// What it was told makes no sense to it.
    #[error("the runner was told what it does not understand: {0}")]
    Told(#[from] serde_json::Error),
    /// It cannot be told anything.
    #[error("the runner: {0}")]
    Input(#[from] io::Error),
    /// The world cannot be reached at all.
    #[error("{0}")]
    World(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run's folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The run.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// The record.
    #[error("{0}")]
    Record(String),
}

/// Reads one line; `None` at the end.
///
/// # Errors
/// Where it cannot be read.
pub fn line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = io::Read::take(input, LINE).read_line(&mut line)?;
    Ok((length > 0 && line.ends_with('\n')).then_some(line))
}

/// Makes ready by the first line, and carries out what the second one says. `None` where it ended without being told to
/// do anything: then nothing was done. `make` opens the connections meanwhile, and gives what makes the world of a run of
/// that person; `answer` tells whoever started it.
///
/// # Errors
/// Why nothing was begun. It is answered too.
pub async fn serve<W: World, M: FnOnce(&str, &Actor) -> W, F: Future<Output = Result<M, String>>>(
    mut input: impl BufRead + Send + 'static,
    answer: impl Fn(&str),
    make: impl FnOnce(Prepare) -> F,
    pace: Pace,
) -> Result<Option<Outcome>, ProcessError> {
    detached::own_session();
    let told = async {
        let Some(first) = line(&mut input)? else { return Ok(None) };
        let prepare: Prepare = serde_json::from_str(&first)?;
        let world = make(prepare.clone()).await.map_err(ProcessError::World)?;
        let second = tokio::task::spawn_blocking(move || line(&mut input)).await.map_err(io::Error::other)??;
        let Some(second) = second else { return Ok(None) };
        let runner = take_up(&prepare, serde_json::from_str(&second)?, world, pace)?;
        Ok(Some((prepare, runner)))
    };
    let (prepare, (runner, stops)) = match told.await {
        Ok(Some(ready)) => ready,
        Ok(None) => return Ok(None),
        Err(error) => {
            let error: ProcessError = error;
            answer(&format!("{REFUSED}{}", error.to_string().replace('\n', " ")));
            return Err(error);
        }
    };
    runner.beat();
    answer(&format!("{STARTED}{}", runner.run()));
    // The run is on its way: a log that cannot be written does not end it.
    if let Err(error) = detached::let_go(&prepare.runs.join(runner.run()).join("log")) {
        tracing::warn!(%error, "the runner's log cannot be written");
    }
    let outcome = runner.carry_out().await;
    stops.abort();
    Ok(Some(outcome))
}

/// The file of a run's folder in which the path of its estate file stands.
pub const ESTATE: &str = "estate";

type Ready<W> = (super::Runner<W, NoHooks, Book>, tokio::task::JoinHandle<()>);

fn take_up<W: World>(prepare: &Prepare, told: Told, world: impl FnOnce(&str, &Actor) -> W, pace: Pace) -> Result<Ready<W>, ProcessError> {
    let own = actor(&|_| None).process;
    let (run, by, estate) = match &told {
        Told::Carry(order) => (&order.run, &order.by, &order.estate),
        Told::Resume { run, by, estate } => (run, by, estate),
    };
    let hand = Hand { actor: Actor { process: own, ..by.clone() }, version: env!("CARGO_PKG_VERSION").to_owned(), estate: estate.clone() };
    let book = Book::new(Journal::open(&prepare.journal)?, hand);
    let what = match &told {
        Told::Carry(order) => {
            // Before there is anything of it: what is refused leaves nothing behind.
            order.judge(jiff::Timestamp::now()).map_err(BeginError::from)?;
            Begin::New(order.clone())
        }
        Told::Resume { run, .. } => {
            let records = book.of(run).map_err(ProcessError::Record)?;
            if records.is_empty() {
                return Err(BeginError::Unknown.into());
            }
            Begin::Again { records, lease: prepare.lease }
        }
    };
    make_runs(&prepare.runs, &prepare.journal)?;
    let folder = Folder::hold(&prepare.runs, run, own)?;
    if let Told::Carry(order) = &told {
        folder.write("order.json", &serde_json::to_vec(order)?)?;
    }
    // Only for whoever looks at it from another estate: the run does without it.
    if let Err(error) = folder.write(ESTATE, prepare.estate.as_os_str().as_encoded_bytes()) {
        tracing::warn!(%error, "the run's folder does not tell of its estate file");
    }
    // Held from before the first event on: a signal in between does not tear it.
    let (mut hangup, mut term) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let (tell, stop) = watch::channel(false);
    let stops = tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {}
                _ = term.recv() => drop(tell.send(true)),
            }
        }
    });
    let world = Arc::new(world(run, by));
    let runner = begin(what, world, Arc::new(NoHooks), book, folder, pace, stop)?;
    Ok((runner, stops))
}
