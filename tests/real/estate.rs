//! The console's side of a test: an estate file, and what its sources answer, once or as it goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use quarterdeck::journal::{self, Hand};
use quarterdeck::model::alert::{Alert, AlertState};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::metric::Demand;
use quarterdeck::model::reading::{Outcome, Reading};
use quarterdeck::model::source::{AlertmanagerAnswer, Answer, PrometheusAnswer};
use quarterdeck::session::archive::Archive;
use quarterdeck::session::ask::Desk;
use quarterdeck::session::ask::deployments::Index;
use quarterdeck::session::ask::verify::Verifier;
use quarterdeck::watch::{self, Report, ReportKind, Watchers};
use tokio::sync::mpsc;

use crate::servers::PATIENCE;

/// The estate of a file with these sources and panels.
pub fn estate(folder: &Path, rest: &str) -> Arc<Estate> {
    let file = folder.join("estate.toml");
    fs::write(&file, format!("version = 1\n\n[estate]\nname = \"lab\"\nenvironment = \"test\"\n\n{rest}")).expect("the estate is written");
    match quarterdeck::config::load::estate(&file) {
        Ok(estate) => Arc::new(estate),
        Err(problems) => panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// What answers the questions of a view, over that cache.
pub fn desk(estate: &Arc<Estate>, cache: PathBuf) -> Desk {
    let archive = Arc::new(Archive::new(estate.clone(), None));
    Desk {
        estate: estate.clone(),
        deployments: Index::new(estate.clone(), archive.clone()),
        early: Arc::new(drop),
        past: watch::no_past(),
        archive,
        operator: None,
        verifier: nobody(),
        out: mpsc::channel(1).0,
        cache: Some(cache),
        logs: Default::default(),
        charts: Default::default(),
        queries: None,
        switcher: None,
    }
}

/// Nothing is verified here.
pub fn nobody() -> Arc<Verifier> {
    let hand = Hand { actor: journal::actor(&|_| None), version: String::new(), estate: None };
    Arc::new(Verifier::new(None, hand))
}

/// A `[[source]]` that is read once a second. `rest` is more lines of it.
pub fn source(name: &str, kind: &str, urls: &[String], rest: &str) -> String {
    let urls = match (kind, urls) {
        ("prometheus" | "exposition", [url]) => format!("url = \"{url}\""),
        _ => format!("urls = {urls:?}"),
    };
    format!("[[source]]\nname = \"{name}\"\nkind = \"{kind}\"\n{urls}\nevery = \"1s\"\n{rest}\n")
}

/// A `[[panel]]` of the source `prom`.
pub fn panel(name: &str, query: &str) -> String {
    format!("[[panel]]\nname = \"{name}\"\nsource = \"prom\"\nquery = '{query}'\n\n")
}

/// What an Alertmanager last said.
pub fn alertmanager(reading: &Reading<Answer>) -> Option<&AlertmanagerAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::Alertmanager(answer) => Some(answer),
        _ => None,
    }
}

/// What a Prometheus last said.
pub fn prometheus(reading: &Reading<Answer>) -> Option<&PrometheusAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::Prometheus(answer) => Some(answer),
        _ => None,
    }
}

/// All alerts of this name.
pub fn named<'a>(answer: &'a AlertmanagerAnswer, name: &str) -> Vec<&'a Alert> {
    answer.alerts.iter().map(|alert| &**alert).filter(|alert| alert.name() == name).collect()
}

/// The one alert of this name, where there is exactly one and it is in this state.
pub fn one<'a>(answer: &'a AlertmanagerAnswer, name: &str, state: AlertState) -> Option<&'a Alert> {
    match named(answer, name).as_slice() {
        [alert] if alert.state == state => Some(alert),
        _ => None,
    }
}

/// Reads all sources once, again and again until the condition holds.
pub async fn once_until(estate: &Arc<Estate>, what: &str, condition: impl Fn(&[Reading<Answer>]) -> bool) -> Vec<Reading<Answer>> {
    let again = async {
        loop {
            let readings = watch::once(estate, Demand::default(), &watch::no_past()).await;
            if condition(&readings) {
                return readings;
            }
            // The servers' own second: nothing tells when a server has come to something.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, again).await {
        Ok(readings) => readings,
        Err(_) => panic!("never came: {what}; last: {:#?}", watch::once(estate, Demand::default(), &watch::no_past()).await),
    }
}

/// The watchers at work, and the readings that their reports come to, as a console folds them.
pub struct Console {
    /// By the estate's sources.
    pub readings: Vec<Reading<Answer>>,
    reports: mpsc::Receiver<Report>,
    _demand: tokio::sync::watch::Sender<Demand>,
    _watchers: Watchers,
}

impl Console {
    /// Starts to watch.
    pub fn open(estate: &Arc<Estate>) -> Console {
        let (demand, wanted) = tokio::sync::watch::channel(Demand::default());
        let (out, reports) = mpsc::channel(64);
        let watchers = watch::start(estate, wanted, out, &watch::no_past());
        let readings = estate.sources.iter().map(|source| Reading::never(source.every)).collect();
        Console { readings, reports, _demand: demand, _watchers: watchers }
    }

    /// Takes in the next report; gives back the source and how its try ended, or `None` for one that began.
    pub async fn next(&mut self) -> (usize, Option<(Outcome<Answer>, Timestamp)>) {
        let report = tokio::time::timeout(PATIENCE, self.reports.recv()).await.expect("a report comes").expect("the watchers go on");
        match report.kind {
            ReportKind::Started => (report.source, None),
            ReportKind::Ended { outcome, next_try } => {
                self.readings[report.source].take(outcome.clone(), Some(next_try));
                (report.source, Some((outcome, next_try)))
            }
        }
    }

    /// Takes in reports until the condition holds for the readings.
    pub async fn until(&mut self, what: &str, condition: impl Fn(&[Reading<Answer>]) -> bool) {
        let all = async {
            while !condition(&self.readings) {
                self.next().await;
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            panic!("never came: {what}; last: {:#?}", self.readings);
        }
    }

    /// Takes in one whole poll of a source: the first that begins after this call. Gives back how it ended.
    pub async fn one_poll(&mut self, source: usize) -> (Outcome<Answer>, Timestamp) {
        // What was told before this call belongs to polls that began before it.
        while let Ok(report) = self.reports.try_recv() {
            if let ReportKind::Ended { outcome, next_try } = report.kind {
                self.readings[report.source].take(outcome, Some(next_try));
            }
        }
        while !matches!(self.next().await, (which, None) if which == source) {}
        loop {
            if let (which, Some(end)) = self.next().await
                && which == source
            {
                return end;
            }
        }
    }
}
