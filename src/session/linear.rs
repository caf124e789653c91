//! Watches as the console does and tells line by line what is new, for people who listen or read by touch, and for pipes.
//! There is no screen: nothing is drawn, and no terminal is set.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use color_eyre::eyre::WrapErr;

use crate::app::linear::{Line, Teller};
use crate::app::message::Message;
use crate::app::pane::next_wake;
use crate::app::state::State;
use crate::app::update::update;
use crate::app::verdict::verdict;
use crate::journal::Hand;
use crate::model::change::Change;
use crate::model::estate::Severity;
use crate::model::reading::Freshness;

use super::archive::Archive;
use super::ask::verify::{Verifier, known};
use super::clock::{Clock, Wall};
use super::derive::Deriver;
use super::effects::carry_out;
use super::feed::{Feed, ROOM, Sources};
use super::past;

/// How long the first telling waits for sources that were not tried to the end.
const FIRST: Duration = Duration::from_secs(10);
/// The longest sleep: a machine may have slept meanwhile.
const NAP: Duration = Duration::from_secs(10);

/// How long it listens, and how often it says that it still does.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two lines that tell how all of it stands, where nothing else is told.
    pub still: Duration,
    /// It ends by itself after that; `None`: when it is stopped.
    pub limit: Option<Duration>,
}

/// Where things are kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The last known readings; `None` keeps none.
    pub cache: Option<PathBuf>,
    /// The journal, which is only read.
    pub journal: Option<PathBuf>,
    /// Who looks.
    pub hand: Hand,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By a signal, with that exit code.
    Stopped(u8),
    /// After its time; how it all stood then.
    After(Severity),
}

/// Watches and hands what is to be told to `tell`, some lines at a time.
///
/// # Errors
/// Where the runtime does not start, or `tell` fails: its reader is gone.
pub fn listen(
    mut state: State,
    kept: Kept,
    pace: Pace,
    tell: &mut dyn FnMut(&[Line]) -> io::Result<()>,
) -> color_eyre::Result<io::Result<Ended>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().wrap_err("cannot start the runtime")?;
    if let Some(journal) = &kept.journal {
        let (proofs, problem) = known(journal);
        (state.verifying.proofs, state.verifying.problem) = (Arc::new(proofs), problem);
    }
    let estate = state.estate.clone();
    let past = past::past(estate.clone(), kept.cache.clone());
    let archive = Arc::new(Archive::new(estate.clone(), kept.cache.clone()));
    let verifier = Arc::new(Verifier::new(kept.journal, kept.hand));
    let feed = Sources::new(estate, past, archive, verifier).reading(kept.cache);
    let ended = runtime.block_on(async {
        let (mut hangup, mut interrupt, mut end) =
            (signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stop = async move {
            tokio::select! {
                _ = hangup.recv() => super::signals::HUNG_UP,
                _ = interrupt.recv() => 130,
                _ = end.recv() => 143,
            }
        };
        follow(&mut state, feed, &Wall, stop, pace, tell).await
    });
    runtime.shutdown_background();
    Ok(ended)
}

/// The loop: a function of sources, clock and what stops it.
async fn follow<F: Feed>(
    state: &mut State,
    mut feed: F,
    clock: &impl Clock,
    stop: impl Future<Output = u8>,
    pace: Pace,
    tell: &mut dyn FnMut(&[Line]) -> io::Result<()>,
) -> io::Result<Ended> {
    let (demand, wanted) = watch::channel(state.demand);
    let (out, mut reports) = mpsc::channel(ROOM);
    let (mut deriver, mut teller) = (Deriver::new(), Teller::default());
    let began = Instant::now();
    let (mut begun, mut still) = (false, began + pace.still);
    feed.start(wanted, out);
    tokio::pin!(stop);
    loop {
        deriver.begin(state);
        let wake = Instant::now() + Duration::try_from(next_wake(state).duration_since(clock.now())).unwrap_or_default().min(NAP);
        let wake = wake.max(Instant::now() + Duration::from_millis(100));
        let first = if begun { wake } else { began + FIRST };
        let limit = pace.limit.map_or(wake + NAP, |limit| began + limit);
        let mut changes = Vec::new();
        let message = tokio::select! {
            biased;
            code = &mut stop => return Ok(Ended::Stopped(code)),
            derived = deriver.ended() => {
                changes.clone_from(&derived.changes);
                Message::Derived(Box::new(derived))
            }
            Some(report) = reports.recv() => report,
            () = sleep_until(wake.min(still).min(limit).min(first)) => Message::Tick,
        };
        state.now = clock.now();
        if let Message::Notice(what) = &message {
            changes.push(Change { at: state.now, severity: Severity::Info, what: what.clone(), alert: None, source: None });
        }
        let shown = matches!(message, Message::Derived(_) | Message::Notice(_) | Message::Runs(_));
        let left = carry_out(update(state, message), &feed, &demand);
        if left.derive {
            deriver.want();
        }
        let mut lines = Vec::new();
        if !begun {
            let tried = state.readings.iter().all(|reading| reading.freshness(state.now) != Freshness::Never);
            if (tried && shown) || began.elapsed() >= FIRST {
                begun = true;
                lines = teller.all(state);
            }
        } else if shown {
            lines = teller.news(state, &changes);
        }
        if begun && lines.is_empty() && Instant::now() >= still {
            lines.push(teller.summary(state));
        }
        if !lines.is_empty() {
            still = Instant::now() + pace.still;
            tell(&lines)?;
        }
        if pace.limit.is_some_and(|limit| began.elapsed() >= limit) {
            return Ok(Ended::After(verdict(&state.view, &state.readings, state.now)));
        }
    }
}
