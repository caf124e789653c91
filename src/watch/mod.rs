//! Reads upstream systems on a schedule. Cannot write to any of them.

mod alertmanager;
mod backup;
mod charts;
pub mod exposition;
mod history;
pub mod logs;
mod poll;
mod postgres;
mod probe;
mod prometheus;
mod windows;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::alertmanager::Alertmanager;
use self::backup::Asker;
pub use self::backup::verify;
pub use self::charts::{chart, label_words, metric_names};
use self::exposition::Exposition;
use self::history::Historian;
pub use self::history::compare::compare;
use self::poll::{Clock, Fetch, Jitter, Pace};
use self::postgres::Postgres;
use self::probe::Prober;
use self::prometheus::Prometheus;
pub use self::prometheus::discover;
pub use self::prometheus::fired::Fired;
pub use self::windows::windows;
use crate::link::http::Limits;
use crate::link::ssh::Hosts;
use crate::model::deployment::news::{Mark, News};
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::metric::Demand;
use crate::model::reading::{FailureKind, Outcome, Reading};
use crate::model::source::{AlertmanagerAnswer, Answer, Scrape};

/// Bytes of one answer: room for ten thousand verbose alerts or a plot of many series, and an end to it.
const BODY_CAP: usize = 32 << 20;

/// Between the first two pages of a source: the least that gives a rate.
const SECOND: Duration = Duration::from_secs(1);

/// What the peers of an Alertmanager say now: one try, outside any schedule.
///
/// # Errors
/// Why none of them says anything, or that the source is no Alertmanager.
pub async fn alertmanager(source: &Source, clock: &(dyn Fn() -> jiff::Timestamp + Send + Sync)) -> Result<Arc<AlertmanagerAnswer>, String> {
    let Some(reader) = Alertmanager::new(source) else { return Err(format!("{} is no alertmanager", source.name)) };
    match reader.poll(clock).await {
        Outcome::Value { value: Answer::Alertmanager(answer), .. } => Ok(answer),
        Outcome::Value { .. } => Err(format!("{} is no alertmanager", source.name)),
        Outcome::Failed { what, .. } => Err(format!("{}: {what}", source.name)),
    }
}

/// What one request of this source may cost.
fn limits(source: &Source) -> Limits {
    Limits { deadline: source.timeout.unsigned_abs(), body_cap: BODY_CAP }
}

/// Reads the answer of a range query onto the grid from `start` to `end`, seconds, and gives back how many series it
/// has: for measuring it.
pub fn range_reply(bytes: &[u8], start: i64, end: i64, step: i64) -> Result<usize, String> {
    prometheus::range_reply(bytes, start, end, step)
}

/// Which alerts fired between two moments, as the estate's source with this index remembers; nothing where it is no
/// Prometheus. Ends by a deadline of its own.
pub async fn fired(estate: &Estate, source: usize, from: Timestamp, to: Timestamp) -> Fired {
    match estate.sources.get(source) {
        Some(source) => prometheus::fired::fired(source, from, to).await,
        None => Fired::default(),
    }
}

/// What an earlier start kept of a source's samples, oldest first, by the source's index. Called at the first page of
/// the source, on a thread that may block.
pub type Past = Arc<dyn Fn(usize) -> Vec<Scrape> + Send + Sync>;

/// A past with nothing in it.
pub fn no_past() -> Past {
    Arc::new(|_| Vec::new())
}

/// The index of what was deployed, as the readers of histories see it. Each call may block.
pub trait Ledger: std::fmt::Debug + Send + Sync {
    /// Up to where the log of the source with this index was taken in; `None` where nothing was.
    ///
    /// # Errors
    /// One line, where the index cannot be used: reading goes on without it.
    fn mark(&self, source: usize) -> Result<Option<Mark>, String>;

    /// Takes in what the source tells anew; false where that changes nothing or does not begin at the mark.
    ///
    /// # Errors
    /// As above.
    fn take(&self, source: usize, news: &News) -> Result<bool, String>;
}

/// News of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Index into the estate's sources.
    pub source: usize,
    /// What is new.
    pub kind: ReportKind,
}

/// What is new of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportKind {
    /// A try began.
    Started,
    /// That try ended.
    Ended {
        /// How.
        outcome: Outcome<Answer>,
        /// When the source is tried next (UTC), unless someone wishes it sooner.
        next_try: Timestamp,
    },
}

/// The tasks that read an estate's sources. Dropping it stops them.
#[derive(Debug)]
pub struct Watchers {
    pokes: Vec<Arc<Notify>>,
    _tasks: JoinSet<()>,
}

impl Watchers {
    /// Tries a source now, or all of them. During a try it means one more after it, however often it is said.
    pub fn poke(&self, source: Option<usize>) {
        match source {
            Some(index) => self.pokes.get(index).into_iter().for_each(|poke| poke.notify_one()),
            None => self.pokes.iter().for_each(|poke| poke.notify_one()),
        }
    }
}

/// Reads every source of the estate from now on, each in a task of its own on the current runtime. Every try is told
/// through `out`, its start and its end; a full `out` makes the sources wait.
pub fn start(estate: &Arc<Estate>, demand: tokio::sync::watch::Receiver<Demand>, out: mpsc::Sender<Report>, past: &Past) -> Watchers {
    start_with(estate, demand, out, past, None)
}

/// The same; all that histories tell is written into that index.
pub fn start_with(
    estate: &Arc<Estate>,
    demand: tokio::sync::watch::Receiver<Demand>,
    out: mpsc::Sender<Report>,
    past: &Past,
    ledger: Option<Arc<dyn Ledger>>,
) -> Watchers {
    let clock: Clock = Arc::new(Timestamp::now);
    let mut tasks = JoinSet::new();
    let mut pokes = Vec::with_capacity(estate.sources.len());
    let hosts = Hosts::new(&estate.hosts);
    for (index, source) in estate.sources.iter().enumerate() {
        let poke = Arc::new(Notify::new());
        let watched = poll::Watched { source: index, pace: Pace::new(source.every, source.timeout), poke: poke.clone() };
        let upstream = Arc::new(Upstream::new(estate, index, &clock, past, &hosts, ledger.clone()));
        tasks.spawn(poll::run(watched, upstream, demand.clone(), out.clone(), clock.clone(), Jitter::random()));
        pokes.push(poke);
    }
    Watchers { pokes, _tasks: tasks }
}

/// One try of every source, all at once, in the order of the estate's sources.
pub async fn once(estate: &Arc<Estate>, demand: Demand, past: &Past) -> Vec<Reading<Answer>> {
    let mut readings: Vec<_> = estate.sources.iter().map(|source| Reading::never(source.every)).collect();
    each(estate, demand, past, |tried| readings[tried.source] = tried.reading).await;
    readings
}

/// How one try of one source went.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// Index into the estate's sources.
    pub source: usize,
    /// What it said, or why it did not.
    pub reading: Reading<Answer>,
    /// From the start of the try to its end.
    pub took: Duration,
}

/// One try of every source, all at once; each is told as soon as it ended, so that a slow one holds up none. A page
/// without a past of which a rate is wanted is read a second time a second later.
pub async fn each(estate: &Arc<Estate>, demand: Demand, past: &Past, mut tell: impl FnMut(Tried)) {
    let clock: Clock = Arc::new(Timestamp::now);
    let hosts = Hosts::new(&estate.hosts);
    let mut tries: FuturesUnordered<_> = estate
        .sources
        .iter()
        .enumerate()
        .map(|(index, source)| {
            let (upstream, clock) = (Arc::new(Upstream::new(estate, index, &clock, past, &hosts, None)), clock.clone());
            async move {
                let (started, mut reading) = (Instant::now(), Reading::never(source.every));
                let deadline = Pace::new(source.every, source.timeout).deadline;
                reading.take(poll::one(&upstream, demand, deadline, &clock).await, None);
                let took = started.elapsed();
                if upstream.wants_second() {
                    tokio::time::sleep(SECOND).await;
                    let second = poll::one(&upstream, demand, deadline, &clock).await;
                    // Where it failed, the first still tells more.
                    if matches!(second, Outcome::Value { .. }) {
                        reading.take(second, None);
                    }
                }
                Tried { source: index, reading, took }
            }
        })
        .collect();
    while let Some(tried) = tries.next().await {
        tell(tried);
    }
}

/// One try of every history, one after the other, into that index: each with its place among the estate's sources, and
/// why it could not be read.
pub async fn histories(estate: &Arc<Estate>, past: &Past, ledger: &Arc<dyn Ledger>) -> Vec<(usize, Option<String>)> {
    let clock: Clock = Arc::new(Timestamp::now);
    let hosts = Hosts::new(&estate.hosts);
    let mut read = Vec::new();
    let all = estate.sources.iter().enumerate().filter(|(_, source)| matches!(source.kind, SourceKind::History(_)));
    for (index, source) in all {
        let upstream = Arc::new(Upstream::new(estate, index, &clock, past, &hosts, Some(ledger.clone())));
        let deadline = Pace::new(source.every, source.timeout).deadline;
        let mut reading = Reading::never(source.every);
        // A long log is read in parts; a part that brings it no further ends it.
        loop {
            reading.take(poll::one(&upstream, Demand::default(), deadline, &clock).await, None);
            if reading.failure.is_some() || !upstream.has_more() {
                break;
            }
        }
        read.push((index, reading.failure.map(|failure| failure.what)));
    }
    read
}

/// One source, ready to be read.
struct Upstream {
    system: System,
    clock: Clock,
    /// True once a second page was wanted soon: once is enough. A page of which only the newest is kept, because it is so
    /// large or the clock went back, would be read again and again otherwise.
    hurried: AtomicBool,
}

enum System {
    Prometheus(Box<Prometheus>),
    Alertmanager(Alertmanager),
    Database(Postgres),
    Backup(Box<Asker>),
    History(Historian),
    Probe(Box<Prober>),
    Exposition(Box<Exposition>),
    /// No reader fits the source: told at every try instead of never.
    Unknown,
}

impl Upstream {
    fn new(estate: &Estate, index: usize, clock: &Clock, past: &Past, hosts: &Hosts, ledger: Option<Arc<dyn Ledger>>) -> Upstream {
        let source = &estate.sources[index];
        let system = match source.kind {
            SourceKind::Prometheus { .. } => {
                Prometheus::new(source, &estate.panels).map(|p| Box::new(p.judging(&estate.rules))).map(System::Prometheus)
            }
            SourceKind::Alertmanager { .. } => Alertmanager::new(source).map(System::Alertmanager),
            SourceKind::Probe { .. } => {
                let prober = Prober::new(index, source, &estate.panels, past).map(|p| p.judging(&estate.rules));
                prober.map(Box::new).map(System::Probe)
            }
            SourceKind::Exposition { .. } => {
                let exposition = Exposition::new(index, source, &estate.panels, &estate.rules, past);
                exposition.map(Box::new).map(System::Exposition)
            }
            SourceKind::Database(_) => Postgres::new(source).map(System::Database),
            SourceKind::Backup(_) => Asker::new(source).map(|a| Box::new(a.on(hosts))).map(System::Backup),
            SourceKind::History(_) => Historian::new(source).map(|h| System::History(h.on(hosts).writing(index, ledger))),
        };
        Upstream { system: system.unwrap_or(System::Unknown), clock: clock.clone(), hurried: AtomicBool::new(false) }
    }
}

impl Upstream {
    /// True where what was read is one page without a past, of which a rate is wanted.
    fn wants_second(&self) -> bool {
        matches!(&self.system, System::Exposition(exposition) if exposition.wants_second())
    }

    /// True where the last try left some of the source unread.
    fn has_more(&self) -> bool {
        matches!(&self.system, System::History(historian) if historian.has_more())
    }
}

impl Fetch for Upstream {
    async fn fetch(&self, demand: Demand, until: Instant) -> Outcome<Answer> {
        match &self.system {
            System::Prometheus(prometheus) => prometheus.poll(demand, until, &*self.clock).await,
            System::Alertmanager(alertmanager) => alertmanager.poll(&*self.clock).await,
            System::Database(postgres) => postgres.poll(&*self.clock).await,
            System::Backup(asker) => asker.poll(until, &*self.clock).await,
            System::History(historian) => historian.poll(&*self.clock).await,
            System::Probe(prober) => prober.poll(demand, until, &*self.clock).await,
            System::Exposition(exposition) => exposition.poll(demand, until, &*self.clock).await,
            System::Unknown => {
                Outcome::Failed { kind: FailureKind::Unreachable, what: "no reader fits this source".into(), at: (self.clock)() }
            }
        }
    }

    fn soon(&self) -> Option<Duration> {
        if self.has_more() {
            return Some(Duration::ZERO);
        }
        (self.wants_second() && !self.hurried.swap(true, Ordering::Relaxed)).then_some(SECOND)
    }

    fn uses_demand(&self) -> bool {
        matches!(self.system, System::Prometheus(_) | System::Probe(_) | System::Exposition(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::estate::tests::{bare, source};
    use crate::model::panel::{Ask, Form, Panel, Shape, Unit};
    use crate::model::selector::Selector;

    fn estate(kind: SourceKind) -> Arc<Estate> {
        Arc::new(bare(vec![source("s", kind)]))
    }

    #[tokio::test]
    async fn a_source_that_nobody_answers_for_ends_in_a_report_and_stops_with_its_watchers() {
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let estate = estate(SourceKind::Prometheus { url: format!("http://{refused}") });
        let (_demand, wanted) = tokio::sync::watch::channel(Demand::default());
        let (out, mut reports) = mpsc::channel(4);
        let watchers = start(&estate, wanted, out, &no_past());
        assert_eq!(reports.recv().await, Some(Report { source: 0, kind: ReportKind::Started }));
        let Some(Report { kind: ReportKind::Ended { outcome, .. }, .. }) = reports.recv().await else { panic!() };
        assert!(matches!(outcome, Outcome::Failed { kind: FailureKind::Unreachable, .. }), "{outcome:?}");
        watchers.poke(None);
        watchers.poke(Some(99));
        drop(watchers);
        while reports.recv().await.is_some() {}
    }

    #[tokio::test]
    async fn once_reads_each_source_once() {
        let readings = once(&estate(SourceKind::Alertmanager { urls: vec![], dead_man: None }), Demand::default(), &no_past()).await;
        assert_eq!(readings[0].failure.as_ref().map(|f| f.tries), Some(1));
    }

    #[tokio::test]
    async fn a_second_page_is_wanted_soon_once_even_where_one_alone_is_kept() {
        let server = wiremock::MockServer::start().await;
        let page =
            wiremock::ResponseTemplate::new(200).set_body_raw("# TYPE hits_total counter\nhits_total 1\n", "text/plain; version=0.0.4");
        wiremock::Mock::given(wiremock::matchers::any()).respond_with(page).mount(&server).await;
        let mut estate = bare(vec![source("s", SourceKind::Exposition { url: server.uri(), keep: jiff::SignedDuration::from_hours(1) })]);
        let of = Selector { text: "hits_total".into(), metric: "hits_total".into(), matchers: vec![] };
        let ask = Ask::Form(Form { shape: Shape::Rate { over: jiff::SignedDuration::from_mins(1) }, of, by: None });
        let (service, site, warn, critical) = (None, None, None, None);
        estate.panels = vec![Panel { name: "p".into(), service, site, source: "s".into(), ask, unit: Unit::Count, warn, critical }];
        // A clock that stands: the second page is no later than the first, and none is added.
        let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
        let upstream = Upstream::new(&estate, 0, &clock, &no_past(), &Hosts::new(&[]), None);
        for soon in [Some(SECOND), None, None] {
            let outcome = upstream.fetch(Demand::default(), Instant::now() + Duration::from_secs(20)).await;
            assert!(matches!(outcome, Outcome::Value { .. }), "{outcome:?}");
            assert!(upstream.wants_second(), "one page alone is kept");
            assert_eq!(upstream.soon(), soon);
        }
    }

    #[tokio::test]
    async fn a_probe_goes_on_from_what_earlier_starts_saw() {
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let probe = crate::model::estate::Probe::Tcp { address: refused.to_string() };
        let estate = estate(SourceKind::Probe { probe, keep: jiff::SignedDuration::from_hours(6) });
        let then = Timestamp::now() - jiff::SignedDuration::from_hours(1);
        let down = crate::model::label::Labels::new([("__name__", "probe_success")]);
        let past: Past = Arc::new(move |index| {
            assert_eq!(index, 0);
            vec![Scrape { at: then, samples: vec![(down.clone(), 0.0)] }]
        });
        let readings = once(&estate, Demand::default(), &past).await;
        let Some(Answer::Probe(answer)) = readings[0].fresh(Timestamp::now()) else { panic!("{readings:?}") };
        assert_eq!((answer.up, answer.since, answer.history.samples), (false, Some(then), 3));
    }
}
