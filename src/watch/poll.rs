//! When a source is read: one try in flight, the latest wish wins, every try ends in a report, and a failing source is
//! left more and more in peace. One task per source; the network is behind [`Fetch`].

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Report, ReportKind};
use crate::model::metric::Demand;
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::Answer;
use crate::model::text::{NOTE_CAP, clean};

/// The time as this machine tells it; tests bring their own.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The first pause after a failure: a restarted server is seen soon.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries, unless the source is read more seldom anyway.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One try of one source.
pub(crate) trait Fetch: Send + Sync + 'static {
    /// Reads the source; should be done by `until`, and is dropped some time after it.
    fn fetch(&self, demand: Demand, until: Instant) -> impl Future<Output = Outcome<Answer>> + Send;

    /// How long after the start of the last try the next one follows, where its answer calls for another one sooner than
    /// the pace has it: at once, where it left some of the source unread.
    fn soon(&self) -> Option<Duration> {
        None
    }

    /// True where a changed demand changes what is asked.
    fn uses_demand(&self) -> bool;
}

/// How often one source is read, and how long a try may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// From the start of one try to the start of the next, when all is well.
    pub every: Duration,
    /// How long a whole try may take.
    pub deadline: Duration,
}

impl Pace {
    /// The pace of a source with this interval and this time for one request.
    pub(crate) fn new(every: SignedDuration, timeout: SignedDuration) -> Pace {
        // An interval of zero would be a busy loop against someone's production.
        let every = every.unsigned_abs().clamp(Duration::from_millis(100), Duration::from_secs(86_400));
        Pace { every, deadline: timeout.unsigned_abs().clamp(Duration::from_millis(10), Duration::from_secs(3_600)) * 2 }
    }

    /// The pause after this many failures in a row, before its jitter: 1 s, 2 s, 4 s...
    fn pause(self, failures: u32) -> Duration {
        let first = self.every.min(FIRST_PAUSE);
        first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.every.max(LONGEST_PAUSE))
    }
}

/// Spreads tries by a tenth up or down, so that many consoles do not ask in step.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// A jitter that differs from start to start.
    pub(crate) fn random() -> Jitter {
        Jitter(std::collections::hash_map::RandomState::new().build_hasher().finish() | 1)
    }

    fn spread(&mut self, wait: Duration) -> Duration {
        // xorshift64: not for secrets, only for spreading.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        wait.mul_f64(0.9 + 0.2 * ((self.0 >> 11) as f64 / (1u64 << 53) as f64))
    }
}

/// Which source is read, how often, and how it is told to be read at once.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Index into the estate's sources.
    pub source: usize,
    /// How often.
    pub pace: Pace,
    /// Holds at most one wish: more of them are the same wish.
    pub poke: Arc<Notify>,
}

/// Reads one source until nobody listens any more.
pub(crate) async fn run<F: Fetch>(
    watched: Watched,
    fetch: Arc<F>,
    mut demand: watch::Receiver<Demand>,
    out: mpsc::Sender<Report>,
    clock: Clock,
    mut jitter: Jitter,
) {
    let Watched { source, pace, poke } = watched;
    let mut failures: u32 = 0;
    loop {
        if out.send(Report { source, kind: ReportKind::Started }).await.is_err() {
            return;
        }
        // What is wished up to here this try fulfils; what is wished from here on is one more try after it.
        let wanted = *demand.borrow_and_update();
        poke.notified().now_or_never();
        let started = Instant::now();
        let outcome = one(&fetch, wanted, pace.deadline, &clock).await;
        let due = match outcome {
            Outcome::Value { .. } => {
                failures = 0;
                let wait = jitter.spread(pace.every);
                started + fetch.soon().map_or(wait, |soon| soon.min(wait))
            }
            Outcome::Failed { .. } => {
                failures = failures.saturating_add(1);
                Instant::now() + jitter.spread(pace.pause(failures))
            }
        };
        let wait = SignedDuration::try_from(due.saturating_duration_since(Instant::now())).unwrap_or(SignedDuration::ZERO);
        let next_try = clock().checked_add(wait).unwrap_or(Timestamp::MAX);
        if out.send(Report { source, kind: ReportKind::Ended { outcome, next_try } }).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            () = poke.notified() => {}
            () = changed(&mut demand, fetch.uses_demand()) => {}
            () = out.closed() => return,
        }
    }
}

/// Ends when the demand changes; never, where that changes nothing or nobody can change it any more.
async fn changed(demand: &mut watch::Receiver<Demand>, matters: bool) {
    if !matters || demand.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One try, in a task of its own so that a panic in it is a failure of this try and not the end of its source.
pub(crate) async fn one<F: Fetch>(fetch: &Arc<F>, demand: Demand, deadline: Duration, clock: &Clock) -> Outcome<Answer> {
    let failed = |what: String| Outcome::Failed { kind: FailureKind::Unreachable, what: clean(&what, NOTE_CAP).into_owned(), at: clock() };
    let until = Instant::now() + deadline;
    // Dropped with this future: nothing is read for a console that is gone.
    let mut task = JoinSet::new();
    let fetch = fetch.clone();
    // A little before the deadline, so that a try that ran out of time can still tell what it has.
    task.spawn(async move { fetch.fetch(demand, until - deadline / 10).await });
    match tokio::time::timeout_at(until, task.join_next()).await {
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(error))) => failed(format!("a fault of this program while reading it ({error}): please report it")),
        Ok(None) => failed("nothing was read".to_owned()),
        Err(_) => failed(format!("no answer within {} s, the time that one try has", deadline.as_secs_f64())),
    }
}

#[cfg(test)]
mod tests;
