//! Where readings come from, as the loop sees it: started once, asked to hurry, told what the screen wants.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::app::ask::Ask;
use crate::app::attention::Call;
use crate::app::message::Message;
use crate::model::estate::Estate;
use crate::model::metric::Demand;
use crate::operate::history;
use crate::watch::{Ledger, Past, Report, ReportKind, Watchers};

use super::archive::{Archive, Standing};
use super::ask::Desk;
use super::ask::charts::Charts;
use super::ask::deployments::Index;
use super::ask::logs::Reads;
use super::ask::proofs::{LOOK, follow};
use super::ask::verify::Verifier;
use super::ask::wizard::Operator;
use super::attend;
use super::contexts::Switcher;
use super::runs;

/// Reports that may wait for the loop; a source has one try in flight, so that a full channel only slows the sources.
pub const ROOM: usize = 64;

/// A stream of messages about sources.
pub trait Feed {
    /// Begins. The loop calls it once, after the first frame was handed out.
    fn start(&mut self, demand: watch::Receiver<Demand>, out: mpsc::Sender<Message>);
    /// Tries a source now; all of them where `None`.
    fn poke(&self, source: Option<usize>);
    /// Finds this out; the answer comes as one more message.
    fn ask(&self, ask: Ask);
    /// Calls for a person by their own program, where the call has one.
    fn call(&self, call: Call) {
        let _ = call;
    }
}

/// The sources of an estate.
pub struct Sources {
    estate: Arc<Estate>,
    past: Past,
    deployments: Index,
    archive: Arc<Archive>,
    watchers: Option<Watchers>,
    cache: Option<PathBuf>,
    out: Option<mpsc::Sender<Message>>,
    /// What was asked before the begin.
    asked: Mutex<Vec<Ask>>,
    verifier: Arc<Verifier>,
    operator: Option<Arc<dyn Operator>>,
    charts: Charts,
    logs: Arc<Reads>,
    queries: Option<PathBuf>,
    switcher: Option<Arc<Switcher>>,
    /// True once it was told that the person's own program cannot be run.
    failed: Arc<AtomicBool>,
}

impl Sources {
    /// The sources of that estate, not yet tried, with what earlier starts saw of them, and the index that histories are
    /// written into, and who verifies backups.
    pub fn new(estate: Arc<Estate>, past: Past, archive: Arc<Archive>, verifier: Arc<Verifier>) -> Sources {
        let deployments = Index::new(estate.clone(), archive.clone());
        Sources {
            estate,
            past,
            deployments,
            archive,
            watchers: None,
            cache: None,
            out: None,
            asked: Mutex::default(),
            verifier,
            operator: None,
            charts: Charts::default(),
            logs: Arc::default(),
            queries: None,
            switcher: None,
            failed: Arc::default(),
        }
    }

    /// The same, with the cache that what consoles saw is read from.
    pub fn reading(mut self, cache: Option<PathBuf>) -> Sources {
        self.cache = cache;
        self
    }

    /// The same, with the file that keeps the queries that were typed.
    pub fn querying(mut self, queries: Option<PathBuf>) -> Sources {
        self.queries = queries;
        self
    }

    /// The same, with who makes plans and has them carried out.
    pub fn operated(mut self, operator: Option<Arc<dyn Operator>>) -> Sources {
        self.operator = operator;
        self
    }

    /// The same, with who opens other estates.
    pub fn switched(mut self, switcher: Arc<Switcher>) -> Sources {
        self.switcher = Some(switcher);
        self
    }

    /// What answers questions about deployments.
    pub fn deployments(&self) -> &Index {
        &self.deployments
    }
}

impl Feed for Sources {
    fn start(&mut self, demand: watch::Receiver<Demand>, out: mpsc::Sender<Message>) {
        self.out = Some(out.clone());
        let (reports, mut incoming) = mpsc::channel(ROOM);
        tokio::spawn(async move {
            while let Some(report) = incoming.recv().await {
                if out.send(message(report)).await.is_err() {
                    return;
                }
            }
        });
        if let Some(out) = self.out.clone() {
            tokio::spawn(tell(self.archive.standing(), out));
        }
        if let (Some(journal), Some(out)) = (self.verifier.journal(), self.out.clone()) {
            tokio::spawn(follow(journal.clone(), LOOK, out.clone()));
            let (archive, estate) = (self.archive.clone(), self.estate.clone());
            let index = move |read: &crate::operate::attach::Runs| archive.recorded(&history::news(read, &estate));
            tokio::spawn(runs::follow(journal.clone(), self.verifier.hand().actor.host.clone(), runs::LOOK, Arc::new(index), out));
        }
        let archive: Arc<dyn Ledger> = self.archive.clone();
        self.watchers = Some(crate::watch::start_with(&self.estate, demand, reports, &self.past, Some(archive)));
        let asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        asked.into_iter().for_each(|ask| self.ask(ask));
    }

    fn poke(&self, source: Option<usize>) {
        if let Some(watchers) = &self.watchers {
            watchers.poke(source);
        }
    }

    fn call(&self, call: Call) {
        let Some(out) = self.out.clone().filter(|_| !call.command.is_empty()) else { return };
        let failed = self.failed.clone();
        tokio::spawn(async move {
            let Err(why) = attend::run(&call).await else { return };
            tracing::warn!(%why, "the command of [attention] failed");
            // Once: it may fail each time.
            if !failed.swap(true, Ordering::SeqCst) {
                let _ = out.send(Message::Notice(why)).await;
            }
        });
    }

    fn ask(&self, ask: Ask) {
        let Some(out) = self.out.clone() else {
            return self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(ask);
        };
        // In the order in which they are asked: what a later plan makes ready stays.
        if let (Ask::Close, Some(operator)) = (&ask, &self.operator) {
            operator.close();
        }
        let room = out.clone();
        // What is told early may be left out: the answer follows.
        let early = Arc::new(move |told| drop(room.try_send(Message::Told(Box::new(told)))));
        let desk = Desk {
            estate: self.estate.clone(),
            deployments: self.deployments.clone(),
            early,
            past: self.past.clone(),
            archive: self.archive.clone(),
            verifier: self.verifier.clone(),
            operator: self.operator.clone(),
            out: out.clone(),
            cache: self.cache.clone(),
            logs: self.logs.clone(),
            charts: self.charts.clone(),
            queries: self.queries.clone(),
            switcher: self.switcher.clone(),
        };
        tokio::spawn(async move {
            // Where the loop has ended meanwhile, nobody wants it.
            let _ = out.send(Message::Told(Box::new(desk.answer(ask).await))).await;
        });
    }
}

/// Tells how the index stands whenever that changes. A loop that is busy hears of the newest only.
async fn tell(mut standing: watch::Receiver<Standing>, out: mpsc::Sender<Message>) {
    let (mut changes, mut notice) = (0, None);
    loop {
        let now = standing.borrow_and_update().clone();
        let mut news = Vec::new();
        if now.changes != changes {
            changes = now.changes;
            news.push(Message::HistoryChanged(changes));
        }
        if now.notice != notice {
            notice.clone_from(&now.notice);
            news.extend(now.notice.map(Message::Notice));
        }
        for message in news {
            if out.send(message).await.is_err() {
                return;
            }
        }
        if standing.changed().await.is_err() {
            return;
        }
    }
}

fn message(Report { source, kind }: Report) -> Message {
    match kind {
        ReportKind::Started => Message::Polling(source),
        ReportKind::Ended { outcome, next_try } => Message::Read { source, outcome, next_try },
    }
}
