//! Where readings come from, as the loop sees it: started once, asked to hurry, told what the screen wants.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::app::ask::Ask;
use crate::app::message::Message;
use crate::model::estate::Estate;
use crate::model::metric::Demand;
use crate::watch::{Past, Report, ReportKind, Watchers};

use super::ask::Desk;

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
}

/// The sources of an estate.
pub struct Sources {
    estate: Arc<Estate>,
    past: Past,
    watchers: Option<Watchers>,
    cache: Option<PathBuf>,
    out: Option<mpsc::Sender<Message>>,
}

impl Sources {
    /// The sources of that estate, not yet tried, with what earlier starts saw of them.
    pub fn new(estate: Arc<Estate>, past: Past) -> Sources {
        Sources { estate, past, watchers: None, out: None, cache: None }
    }

    /// The same, with the cache that what consoles saw is read from.
    pub fn reading(mut self, cache: Option<PathBuf>) -> Sources {
        self.cache = cache;
        self
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
        self.watchers = Some(crate::watch::start(&self.estate, demand, reports, &self.past));
    }

    fn poke(&self, source: Option<usize>) {
        if let Some(watchers) = &self.watchers {
            watchers.poke(source);
        }
    }

    fn ask(&self, ask: Ask) {
        let Some(out) = self.out.clone() else { return };
        let desk = Desk { estate: self.estate.clone(), cache: self.cache.clone() };
        tokio::spawn(async move {
            // Where the loop has ended meanwhile, nobody wants it.
            let _ = out.send(Message::Told(Box::new(desk.answer(ask).await))).await;
        });
    }
}

fn message(Report { source, kind }: Report) -> Message {
    match kind {
        ReportKind::Started => Message::Polling(source),
        ReportKind::Ended { outcome, next_try } => Message::Read { source, outcome, next_try },
    }
}
