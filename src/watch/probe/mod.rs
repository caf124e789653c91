//! Asks a service itself: one GET, one connection or one TLS handshake. That it is down is a fresh reading, not a failed
//! one: a try fails only where nothing could be asked.

mod certificate;
mod judge;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use self::judge::Found;
use super::Past;
use super::wire::Fault;
use crate::link::http::{Limits, Miss, Reader};
use crate::link::probe::Knocker;
use crate::model::estate::{Probe as Asked, Source, SourceKind};
use crate::model::form;
use crate::model::history::Ring;
use crate::model::label::Labels;
use crate::model::metric::Demand;
use crate::model::panel::{self, Ask, Form, Panel, Rule};
use crate::model::reading::Outcome;
use crate::model::source::{Answer, ProbeAnswer, Scrape};
use crate::model::text::{NOTE_CAP, clean};

/// Bytes of a body that are read: what is looked for stands at its beginning.
const BODY_CAP: usize = 1 << 20;
/// Bytes of the kept past of one probe: at most four series.
const HISTORY_CAP: usize = 8 << 20;

/// How long the first try waits for the past: a home on a hung file server must not blind the console.
const PAST_LIMIT: Duration = Duration::from_secs(1);

/// The names of `blackbox_exporter`, so that a panel made for it fits here.
const SUCCESS: &str = "probe_success";
const DURATION: &str = "probe_duration_seconds";
const STATUS: &str = "probe_http_status_code";
const EXPIRY: &str = "probe_ssl_earliest_cert_expiry";

/// The time as this machine tells it.
type Clock<'c> = &'c (dyn Fn() -> Timestamp + Send + Sync);

/// Asks one service.
#[derive(Debug)]
pub(crate) struct Prober {
    asked: Asked,
    http_config: Option<PathBuf>,
    limits: Limits,
    every: SignedDuration,
    panels: Vec<(String, Form)>,
    rules: Vec<Rule>,
    /// Built at the first try and again until it works.
    link: OnceLock<Link>,
    memory: Mutex<Memory>,
    past: Remembered,
}

/// What earlier starts saw of it, taken in before the first try.
struct Remembered {
    index: usize,
    past: Past,
    done: OnceCell<()>,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("done", &self.done.initialized()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Link {
    Http(Reader),
    Bare(Knocker),
}

/// What is kept from try to try.
#[derive(Debug)]
struct Memory {
    ring: Ring,
    /// Whether it was up at the newest try, and since when that is so.
    state: Option<(bool, Timestamp)>,
}

impl Memory {
    fn add(&mut self, scrape: &Scrape) {
        self.ring.add(scrape);
        let success = scrape.samples.iter().find(|(labels, _)| labels.get("__name__") == Some(SUCCESS));
        let Some(up) = success.map(|(_, value)| *value > 0.0) else { return };
        if self.state.is_none_or(|(was, _)| was != up) {
            self.state = Some((up, scrape.at));
        }
    }
}

impl Prober {
    /// A prober of that source, the estate's with this index, and of its panels; `None` where it is something else.
    pub(crate) fn new(index: usize, source: &Source, panels: &[Panel], past: &Past) -> Option<Prober> {
        let SourceKind::Probe { probe, keep } = &source.kind else { return None };
        let own = panels.iter().filter(|panel| panel.source == source.name);
        let panels = own.filter_map(|panel| match &panel.ask {
            Ask::Form(form) => Some((panel.name.clone(), form.clone())),
            Ask::Promql(_) => None,
        });
        Some(Prober {
            asked: probe.clone(),
            http_config: source.http_config.clone(),
            limits: Limits { deadline: source.timeout.unsigned_abs(), body_cap: BODY_CAP },
            every: source.every,
            panels: panels.collect(),
            rules: vec![],
            link: OnceLock::new(),
            memory: Mutex::new(Memory { ring: Ring::new(*keep, HISTORY_CAP), state: None }),
            past: Remembered { index, past: past.clone(), done: OnceCell::new() },
        })
    }

    /// The same, whose panels are judged by these rules.
    pub(crate) fn judging(mut self, rules: &[Rule]) -> Prober {
        self.rules = rules.to_vec();
        self
    }

    /// One try. It ends within twice the source's timeout whatever the service does.
    pub(crate) async fn poll(&self, demand: Demand, until: tokio::time::Instant, clock: Clock<'_>) -> Outcome<Answer> {
        self.past.done.get_or_init(|| self.remember(until)).await;
        let as_of = clock();
        match self.find(as_of).await {
            Ok(found) => Outcome::Value { value: Answer::Probe(Arc::new(self.answer(found, as_of, demand))), as_of },
            Err(Fault { kind, what, .. }) => Outcome::Failed { kind, what: clean(&what, NOTE_CAP).into_owned(), at: clock() },
        }
    }

    /// Takes in what earlier starts saw. A try that must be done by `until` has most of its time left after it.
    async fn remember(&self, until: tokio::time::Instant) {
        let (past, index) = (self.past.past.clone(), self.past.index);
        let read = tokio::task::spawn_blocking(move || past(index));
        let limit = PAST_LIMIT.min(until.saturating_duration_since(tokio::time::Instant::now()) / 4);
        match tokio::time::timeout(limit, read).await {
            Ok(Ok(scrapes)) => {
                let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                scrapes.iter().for_each(|scrape| memory.add(scrape));
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("what earlier starts saw took too long to read; a probe begins without it"),
        }
    }

    async fn find(&self, now: Timestamp) -> Result<Found, Fault> {
        let link = match self.link.get() {
            Some(link) => link,
            None => {
                let new = self.connect()?;
                self.link.get_or_init(|| new)
            }
        };
        let started = Instant::now();
        let found = match (link, &self.asked) {
            (Link::Http(reader), Asked::Http { status, body, .. }) => match reader.look().await {
                Err(Miss::Certificate(why)) => Ok(self.shown(reader, why, started, now).await),
                other => other.map(|look| judge::http(&look, *status, body.as_deref())),
            },
            (Link::Bare(knocker), Asked::Tls { .. }) => knocker.handshake().await.map(|shaken| judge::tls(&shaken, now)),
            (Link::Bare(knocker), _) => knocker.connect().await.map(|took| Found { took, ..Found::default() }),
            (Link::Http(_), _) => Err(Miss::Failed("this probe has no reader".to_owned())),
        };
        match found {
            Ok(found) => Ok(found),
            Err(Miss::Failed(why) | Miss::Certificate(why)) => Ok(Found { why: Some(why), took: started.elapsed(), ..Found::default() }),
            Err(Miss::NotAsked(error)) => Err(error.into()),
        }
    }

    /// What is wrong with the certificate that kept a GET from being sent, looked at in the time that is left.
    async fn shown(&self, reader: &Reader, why: String, started: Instant, now: Timestamp) -> Found {
        let took = started.elapsed();
        match reader.handshake(self.limits.deadline.saturating_sub(took)).await {
            Ok(shaken) => {
                let seen = judge::tls(&shaken, now);
                Found { why: Some(seen.why.unwrap_or(why)), took, ..seen }
            }
            Err(_) => Found { why: Some(why), took, ..Found::default() },
        }
    }

    fn connect(&self) -> Result<Link, Fault> {
        let http_config = self.http_config.as_deref();
        Ok(match &self.asked {
            Asked::Http { url, .. } => Link::Http(Reader::alone(url, http_config, self.limits)?),
            Asked::Tcp { address } | Asked::Tls { address } => Link::Bare(Knocker::new(address, http_config, self.limits.deadline)?),
        })
    }

    fn answer(&self, found: Found, now: Timestamp, demand: Demand) -> ProbeAnswer {
        let scrape = scrape(&found, now);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.add(&scrape);
        let panels = self.panels.iter().map(|(name, form)| {
            let judged = panel::judged(&self.rules, name);
            (name.clone(), form::answer_judged(&memory.ring, form, now, demand, judged, self.every))
        });
        ProbeAnswer {
            up: found.why.is_none(),
            why: found.why,
            since: memory.state.map(|(_, since)| since),
            took: found.took.as_secs_f64(),
            status: found.status,
            certificate: found.certificate,
            history: form::history(&memory.ring, self.every),
            panels: panels.collect(),
            scrape: Some(Arc::new(scrape)),
        }
    }
}

/// The samples of one try. What was not seen has no sample: absent is not zero.
fn scrape(found: &Found, at: Timestamp) -> Scrape {
    let samples = [
        (SUCCESS, Some(f64::from(u8::from(found.why.is_none())))),
        (DURATION, Some(found.took.as_secs_f64())),
        (STATUS, found.status.map(f64::from)),
        (EXPIRY, found.earliest.map(|end| end.as_second() as f64)),
    ];
    let known = samples.into_iter().filter_map(|(name, value)| Some((Labels::new([("__name__", name)]), value?)));
    Scrape { at, samples: known.collect() }
}

#[cfg(test)]
mod tests;
