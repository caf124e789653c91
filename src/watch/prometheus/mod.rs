//! Reads one Prometheus, or what speaks its HTTP API: alerts and the panels' newest values at each poll, plots when their
//! window moved, rules, targets and version now and then. Only the alerts are the heart of it: a panel that fails says
//! so itself, and parts that Thanos, Mimir or VictoriaMetrics do not have are simply not there.

mod alerts;
pub(crate) mod charts;
pub mod discover;
mod envelope;
pub(crate) mod fired;
mod plan;
mod query;
mod rules;
mod targets;
pub(crate) mod windows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::envelope::Answered;
use self::plan::{Drawn, Plan, as_typed, plan};
use super::wire::Fault;
use crate::link::http::{Body, Limits, LinkError, Reader};
use crate::model::alert::Alert;
use crate::model::estate::{Source, SourceKind};
use crate::model::metric::{Demand, PanelAnswer, Plot};
use crate::model::panel::{Panel, Rule};
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::{Answer, PrometheusAnswer, Rules, Targets};
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::limits;

/// Requests of one source that may be on their way at once: a console must not be what a struggling server dies of.
const IN_FLIGHT: usize = 4;
/// A longer query goes by POST: servers and proxies in between cap addresses, some at 2,048 bytes after escaping.
const QUERY_IN_ADDRESS: usize = 1_500;
/// Rules, targets and version are read at every so many polls.
const SLOW_EVERY: u64 = 4;

/// The time as this machine tells it.
type Clock<'c> = &'c (dyn Fn() -> Timestamp + Send + Sync);

/// Reads one Prometheus.
#[derive(Debug)]
pub(crate) struct Prometheus {
    name: Arc<str>,
    url: String,
    panels: Vec<Panel>,
    every: SignedDuration,
    http_config: Option<PathBuf>,
    limits: Limits,
    /// Built at the first try and again until it works: a credentials file may come later than the console.
    reader: OnceLock<Reader>,
    memory: Mutex<Memory>,
    rules: Vec<Rule>,
}

/// What is kept from poll to poll.
#[derive(Debug, Clone, Default)]
struct Memory {
    /// Polls that gave a value.
    polls: u64,
    slow: Slow,
    /// By the panel's place.
    plots: BTreeMap<(usize, For), (Drawn, Plot, Vec<String>)>,
}

/// The parts that change seldom.
#[derive(Debug, Clone, Default)]
struct Slow {
    version: Option<String>,
    rules: Option<Rules>,
    targets: Option<Targets>,
    notes: Vec<String>,
}

/// What one request of the second wave brought.
enum Part {
    Now(usize, Result<Answered<query::Now>, Fault>),
    Plot(usize, For, Drawn, Result<Answered<Plot>, Fault>),
}

/// Whom a plot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum For {
    Screen,
    Rules,
}

impl Prometheus {
    /// A reader of that source and its panels; `None` where it is something else.
    pub(crate) fn new(source: &Source, panels: &[Panel]) -> Option<Prometheus> {
        let SourceKind::Prometheus { url } = &source.kind else { return None };
        Some(Prometheus {
            name: source.name.as_str().into(),
            url: url.clone(),
            panels: panels.iter().filter(|panel| panel.source == source.name).cloned().collect(),
            every: source.every,
            http_config: source.http_config.clone(),
            limits: limits(source),
            reader: OnceLock::new(),
            memory: Mutex::default(),
            rules: vec![],
        })
    }

    /// The same, whose panels are judged by these rules.
    pub(crate) fn judging(mut self, rules: &[Rule]) -> Prometheus {
        self.rules = rules.to_vec();
        self
    }

    /// One try, which ends before `until` whatever the server does: what was not answered by then says so.
    pub(crate) async fn poll(&self, demand: Demand, until: Instant, clock: Clock<'_>) -> Outcome<Answer> {
        let as_of = clock();
        match self.read(demand, until, as_of, clock).await {
            Ok(answer) => Outcome::Value { value: Answer::Prometheus(Arc::new(answer)), as_of },
            Err(fault) => Outcome::Failed { kind: fault.kind, what: clean(&fault.what, NOTE_CAP).into_owned(), at: clock() },
        }
    }

    async fn read(&self, demand: Demand, until: Instant, as_of: Timestamp, clock: Clock<'_>) -> Result<PrometheusAnswer, Fault> {
        let reader = match self.reader.get() {
            Some(reader) => reader,
            None => {
                let new = Reader::new(&self.url, self.http_config.as_deref(), self.limits)?;
                self.reader.get_or_init(|| new)
            }
        };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut answer = PrometheusAnswer::default();

        let due = memory.polls.is_multiple_of(SLOW_EVERY);
        let (alerts, slow) =
            tokio::join!(self.alerts(reader, until, clock), async { if due { Some(slow(reader, until).await) } else { None } });
        memory.slow = slow.unwrap_or(memory.slow);
        let lacks_alerts = match alerts {
            Ok((alerts, ahead)) => {
                (answer.alerts, answer.clock_ahead) = (alerts.data, ahead);
                answer.notes.extend(alerts.notes);
                None
            }
            Err(fault) if fault.absent => Some(fault),
            Err(fault) => return Err(fault),
        };

        let scrape = memory.slow.targets.as_ref().and_then(|targets| targets.scrape).unwrap_or(self.every);
        let plans: Vec<Plan> = self.panels.iter().map(|panel| plan(panel, demand, &self.rules, scrape, as_of)).collect();
        let parts = self.panels(reader, &plans, &memory, until).await;
        let first_fault = self.assemble(parts, &plans, &mut memory, &mut answer);

        if let Some(fault) = lacks_alerts {
            let nothing = memory.slow.version.is_none() && memory.slow.rules.is_none() && memory.slow.targets.is_none();
            // It has no alerts, and nothing else either: it is no Prometheus, or it is not there.
            if nothing && (self.panels.is_empty() || (first_fault.is_some() && answer.panels.values().all(|p| p.error.is_some()))) {
                let cause = first_fault.filter(|f| !f.absent || f.kind == FailureKind::Refused).unwrap_or(fault);
                return Err(Fault { absent: false, ..cause });
            }
            answer.notes.push(format!("it has no alerts to tell: {}", fault.what));
        }
        memory.polls += 1;
        answer.version = memory.slow.version.clone();
        answer.rules = memory.slow.rules.clone();
        answer.targets = memory.slow.targets.clone();
        answer.notes.extend(memory.slow.notes.iter().cloned());
        answer.notes.iter_mut().for_each(|note| *note = clean(note, NOTE_CAP).into_owned());
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
        Ok(answer)
    }

    async fn alerts(&self, reader: &Reader, until: Instant, clock: Clock<'_>) -> Result<(Answered<Vec<Arc<Alert>>>, Option<i64>), Fault> {
        let sent = clock();
        let body = get(reader, "/api/v1/alerts", &[], until).await?;
        let ahead = body.date.map(|date| ahead(date, sent, clock()));
        match alerts::alerts(body.status, &body.bytes, &self.name) {
            // Servers without a ruler say 404, 405, 501, and VictoriaMetrics 400.
            Err(fault) => Err(Fault { absent: fault.absent || body.status == 400, ..fault }),
            Ok(alerts) => Ok((alerts, ahead)),
        }
    }

    async fn panels(&self, reader: &Reader, plans: &[Plan], memory: &Memory, until: Instant) -> Vec<Part> {
        let mut requests: Vec<BoxFuture<'_, Part>> = Vec::with_capacity(plans.len() * 2);
        // The values of all panels first: they tell the health, plots only its past.
        for (index, plan) in plans.iter().enumerate() {
            requests.push(Box::pin(async move { Part::Now(index, instant(reader, &plan.now, until).await) }));
        }
        for (index, plan) in plans.iter().enumerate() {
            let rules = plan.judged.as_ref().filter(|judged| **judged != plan.shown).map(|judged| (For::Rules, judged));
            for (whom, drawn) in [(For::Screen, &plan.shown)].into_iter().chain(rules) {
                let kept = memory.plots.get(&(index, whom)).is_some_and(|(known, ..)| known == drawn);
                if !kept {
                    let drawn = drawn.clone();
                    requests.push(Box::pin(async move {
                        let plot = range(reader, &drawn, until).await;
                        Part::Plot(index, whom, drawn, plot)
                    }));
                }
            }
        }
        stream::iter(requests).buffer_unordered(IN_FLIGHT).collect().await
    }

    /// Puts the parts together; returns the fault of the first panel that failed.
    fn assemble(&self, parts: Vec<Part>, plans: &[Plan], memory: &mut Memory, answer: &mut PrometheusAnswer) -> Option<Fault> {
        let mut faults: BTreeMap<usize, Fault> = BTreeMap::new();
        let mut panels: Vec<PanelAnswer> = vec![PanelAnswer::default(); plans.len()];
        let mut failed_plots = BTreeMap::new();
        for part in parts {
            match part {
                Part::Now(index, Ok(now)) => {
                    let panel = &mut panels[index];
                    (panel.now, panel.now_dropped) = (now.data.samples, now.data.dropped);
                    panel.notes.extend(now.notes);
                    if now.data.histograms > 0 {
                        panel.notes.push(format!("{} series are native histograms and have no one value", now.data.histograms));
                    }
                }
                Part::Now(index, Err(mut fault)) => {
                    fault.what = as_typed(&self.panels[index], &plans[index].now, fault.what);
                    panels[index].error = Some(clean(&fault.what, NOTE_CAP).into_owned());
                    faults.insert(index, fault);
                }
                Part::Plot(index, whom, drawn, Ok(plot)) => {
                    memory.plots.insert((index, whom), (drawn, plot.data, plot.notes));
                }
                Part::Plot(index, whom, drawn, Err(fault)) => {
                    memory.plots.remove(&(index, whom));
                    failed_plots.insert(index, as_typed(&self.panels[index], &drawn.query, fault.what));
                }
            }
        }
        for (index, mut panel) in panels.into_iter().enumerate() {
            let name = &self.panels[index].name;
            if let Some((_, plot, notes)) = memory.plots.get(&(index, For::Screen)) {
                panel.plot = Some(plot.clone());
                panel.notes.extend(notes.iter().cloned());
            }
            panel.judged = match &plans[index].judged {
                Some(judged) if *judged == plans[index].shown => panel.plot.clone(),
                Some(_) => memory.plots.get(&(index, For::Rules)).map(|(_, plot, _)| plot.clone()),
                None => None,
            };
            panel.lay_newest();
            // A value that is known stays one where only its past could not be read.
            if let Some(what) = failed_plots.remove(&index).filter(|_| panel.error.is_none()) {
                panel.notes.push(clean(&format!("no plot: {what}"), NOTE_CAP).into_owned());
            }
            let mut seen = std::collections::HashSet::new();
            panel.notes.retain(|note| seen.insert(note.clone()));
            answer.panels.insert(name.clone(), panel);
        }
        faults.into_values().next()
    }
}

/// The series of a range query's answer, counted once they are laid on their grid.
pub(crate) fn range_reply(bytes: &[u8], start: i64, end: i64, step: i64) -> Result<usize, String> {
    let plot = query::range(200, bytes, query::Grid { start, end, step }).map_err(|fault| fault.what)?;
    Ok(plot.data.series.len())
}

/// How far the server's clock is ahead, seconds. Its date is in whole seconds, so anything between asking and hearing
/// the answer is no difference.
pub(crate) fn ahead(date: Timestamp, sent: Timestamp, heard: Timestamp) -> i64 {
    let (date, sent, heard) = (date.as_second(), sent.as_second(), heard.as_second());
    if date < sent { date - sent } else { (date - heard).max(0) }
}

/// Reads the parts that change seldom, those that are not there as `None` with a note.
async fn slow(reader: &Reader, until: Instant) -> Slow {
    let part = |path, query: &'static [(&'static str, &'static str)]| async move { get(reader, path, query, until).await };
    let (version, rules, targets) =
        tokio::join!(part("/api/v1/status/buildinfo", &[]), part("/api/v1/rules", &[]), part("/api/v1/targets", &[("state", "active")]));
    let mut notes = Vec::new();
    let version = noted("version", version.and_then(|body| rules::version(body.status, &body.bytes)), &mut notes).flatten();
    let rules = noted("rules", rules.and_then(|body| rules::rules(body.status, &body.bytes)), &mut notes);
    let targets = noted("targets", targets.and_then(|body| targets::targets(body.status, &body.bytes)), &mut notes);
    Slow { version, rules, targets, notes }
}

fn noted<T>(part: &str, answered: Result<Answered<T>, Fault>, notes: &mut Vec<String>) -> Option<T> {
    match answered {
        Ok(answered) => {
            notes.extend(answered.notes);
            Some(answered.data)
        }
        Err(fault) => {
            notes.push(format!("its {part} could not be read: {}", fault.what));
            None
        }
    }
}

async fn instant(reader: &Reader, query: &str, until: Instant) -> Result<Answered<query::Now>, Fault> {
    let body = ask(reader, "/api/v1/query", query, &[], until).await?;
    query::now(body.status, &body.bytes)
}

async fn range(reader: &Reader, drawn: &Drawn, until: Instant) -> Result<Answered<Plot>, Fault> {
    let [start, end, step] = [drawn.grid.start, drawn.grid.end, drawn.grid.step].map(|secs| secs.to_string());
    let body = ask(reader, "/api/v1/query_range", &drawn.query, &[("start", &start), ("end", &end), ("step", &step)], until).await?;
    query::range(body.status, &body.bytes, drawn.grid)
}

async fn ask(reader: &Reader, path: &str, query: &str, more: &[(&str, &str)], until: Instant) -> Result<Body, Fault> {
    let mut all = vec![("query", query)];
    all.extend(more);
    let asking = async {
        let body = if query.len() <= QUERY_IN_ADDRESS { reader.get(path, &all).await } else { reader.post_form(path, &all).await };
        Ok(body.map_err(|error| match error {
            LinkError::TooLarge { at, cap } => Fault::unusable(format!(
                "{at}: the answer is larger than {} MiB; let the query give fewer series, such as `sum by (service) (...)` or `topk(20, ...)`",
                cap >> 20
            )),
            error => error.into(),
        }))
    };
    in_time(asking, until).await?
}

async fn get(reader: &Reader, path: &str, query: &[(&str, &str)], until: Instant) -> Result<Body, Fault> {
    in_time(reader.get(path, query), until).await
}

async fn in_time<T>(request: impl Future<Output = Result<T, LinkError>>, until: Instant) -> Result<T, Fault> {
    match tokio::time::timeout_at(until, request).await {
        Ok(body) => Ok(body?),
        Err(_) => Err(Fault::unusable("not answered in the time that one poll has: raise `timeout` or ask for less")),
    }
}

#[cfg(test)]
mod tests;
