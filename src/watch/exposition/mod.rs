//! Reads a `/metrics` page without any server between: the page is fetched, the samples that the estate's panels want are
//! picked and kept, and the panels are answered from what is kept.

mod line;
pub mod page;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::page::Wanted;
use super::Past;
use super::prometheus::ahead;
use super::wire::{Fault, status_fault};
use crate::link::http::{Body, Limits, Reader};
use crate::model::estate::{Source, SourceKind};
use crate::model::form;
use crate::model::history::{BYTES_MOST, Ring};
use crate::model::metric::Demand;
use crate::model::panel::{self, Ask, Panel, Rule, Shape};
use crate::model::reading::Outcome;
use crate::model::source::{Answer, ExpositionAnswer};
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::limits;

/// The time as this machine tells it.
type Clock<'c> = &'c (dyn Fn() -> Timestamp + Send + Sync);

/// Reads one page.
pub(crate) struct Exposition {
    url: String,
    http_config: Option<PathBuf>,
    limits: Limits,
    /// Built at the first try and again until it works: a credentials file may come later than the console.
    reader: OnceLock<Reader>,
    core: Arc<Core>,
}

/// What works on a thread that may block.
pub(crate) struct Core {
    index: usize,
    every: SignedDuration,
    keep: SignedDuration,
    panels: Vec<Panel>,
    rules: Vec<Rule>,
    wanted: Wanted,
    past: Past,
    /// `None` until the first page was read.
    ring: Mutex<Option<Ring>>,
}

impl Exposition {
    /// A reader of that source, the `index`th of the estate; `None` where it is something else.
    pub(crate) fn new(index: usize, source: &Source, panels: &[Panel], rules: &[Rule], past: &Past) -> Option<Exposition> {
        let SourceKind::Exposition { url, keep } = &source.kind else { return None };
        Some(Exposition {
            url: url.clone(),
            http_config: source.http_config.clone(),
            limits: limits(source),
            reader: OnceLock::new(),
            core: Arc::new(Core { rules: rules.to_vec(), ..Core::new(index, source, *keep, panels, past) }),
        })
    }

    /// One try, which ends before `until` whatever the server does.
    pub(crate) async fn poll(&self, demand: Demand, until: Instant, clock: Clock<'_>) -> Outcome<Answer> {
        let as_of = clock();
        match tokio::time::timeout_at(until, self.read(demand, as_of, clock)).await {
            Ok(Ok(answer)) => Outcome::Value { value: Answer::Exposition(Arc::new(answer)), as_of },
            Ok(Err(fault)) => Outcome::Failed { kind: fault.kind, what: clean(&fault.what, NOTE_CAP).into_owned(), at: clock() },
            Err(_) => {
                let fault = Fault::unusable("the page was not read in the time that one poll has: raise `timeout`");
                Outcome::Failed { kind: fault.kind, what: fault.what, at: clock() }
            }
        }
    }

    /// True where a second page, read soon, would tell more: a rate needs two and there is one.
    pub(crate) fn wants_second(&self) -> bool {
        let counts = |panel: &Panel| matches!(&panel.ask, Ask::Form(form) if form.shape != Shape::Value);
        let ring = self.core.ring.lock().unwrap_or_else(PoisonError::into_inner);
        self.core.panels.iter().any(counts) && ring.as_ref().is_some_and(|ring| ring.scrapes() == 1)
    }

    async fn read(&self, demand: Demand, as_of: Timestamp, clock: Clock<'_>) -> Result<ExpositionAnswer, Fault> {
        let reader = match self.reader.get() {
            Some(reader) => reader,
            None => {
                let new = Reader::page(&self.url, page::ACCEPT, self.http_config.as_deref(), self.limits)?;
                self.reader.get_or_init(|| new)
            }
        };
        let sent = Instant::now();
        let body = reader.get_page().await?;
        let took = sent.elapsed().as_secs_f64();
        let clock_ahead = body.date.map(|date| ahead(date, as_of, clock()));
        let core = self.core.clone();
        // A large page is work for a while, and the past comes from a file.
        match tokio::task::spawn_blocking(move || core.answer(&body, demand, as_of)).await {
            Ok(answer) => answer.map(|answer| ExpositionAnswer { took, clock_ahead, ..answer }),
            Err(_) => Err(Fault::unusable("a fault of this program while reading the page: please report it")),
        }
    }
}

impl Core {
    pub(crate) fn new(index: usize, source: &Source, keep: SignedDuration, panels: &[Panel], past: &Past) -> Core {
        let panels: Vec<Panel> = panels.iter().filter(|panel| panel.source == source.name).cloned().collect();
        let wanted = Wanted::new(&panels);
        Core { index, every: source.every, keep, panels, rules: vec![], wanted, past: past.clone(), ring: Mutex::default() }
    }

    /// Takes in a page that was asked for at `as_of`.
    pub(crate) fn answer(&self, body: &Body, demand: Demand, as_of: Timestamp) -> Result<ExpositionAnswer, Fault> {
        if !(200..300).contains(&body.status) {
            return Err(status_fault(body.status, &body.bytes, "a /metrics page"));
        }
        let mut page = page::read(&body.content_type, &body.parameters, &body.bytes, &self.wanted, as_of)?;
        let scrape = Arc::new(page.scrape(as_of));
        let mut held = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back would make every page older than the newest: begin again.
        if held.as_ref().and_then(Ring::newest).is_some_and(|newest| newest > as_of) {
            *held = Some(Ring::new(self.keep, BYTES_MOST));
        }
        let ring = held.get_or_insert_with(|| {
            let mut ring = Ring::new(self.keep, BYTES_MOST);
            (self.past)(self.index).iter().filter(|scrape| scrape.at < as_of).for_each(|scrape| ring.add(scrape));
            ring
        });
        ring.add(&scrape);
        let mut panels = BTreeMap::new();
        for panel in &self.panels {
            let Ask::Form(form) = &panel.ask else { continue };
            let mut answer = form::answer_judged(ring, form, as_of, demand, panel::judged(&self.rules, &panel.name), self.every);
            answer.error = missing(panel, &page.present, &body.bytes);
            panels.insert(panel.name.clone(), answer);
        }
        Ok(ExpositionAnswer {
            format: page.format,
            bytes: body.bytes.len(),
            took: 0.0,
            series: scrape.samples.len() + page.dropped,
            dropped: page.dropped + ring.dropped(),
            history: form::history(ring, self.every),
            panels,
            notes: page.notes,
            clock_ahead: None,
            scrape: Some(scrape),
        })
    }
}

/// Says which metric of this panel the page does not have, and what it has instead.
fn missing(panel: &Panel, present: &std::collections::HashSet<String>, bytes: &[u8]) -> Option<String> {
    let group = page::names(panel).into_iter().find(|names| !names.iter().any(|name| present.contains(name)))?;
    let name = group.first()?;
    let near = page::near(bytes, name);
    let shown = clean(name, NOTE_CAP);
    Some(if near.is_empty() {
        format!("the page has no metric {shown}")
    } else {
        format!("the page has no metric {shown}; it has {}", near.join(", "))
    })
}

#[cfg(test)]
mod tests;
