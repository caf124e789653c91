//! Finds out what a view asks, beside the loop.

pub mod charts;
pub mod deployments;
mod did;
mod export;
pub mod logs;
mod looks;
pub mod proofs;
mod queries;
mod timeline;
pub mod verify;
pub mod wizard;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::ask::{Ask, Told};
use crate::app::message::Message;
use crate::app::verifying::News;
use crate::model::backup::Order;
use crate::model::deployment::dora;
use crate::model::estate::Estate;
use crate::watch::{self, Past};

use super::archive::Archive;
use super::clipboard;
use super::contexts::Switcher;
use deployments::Index;
use verify::{Ended, Verifier};
use wizard::Operator;

/// Deployments that DORA's measures are made from, the newest: some tens of megabytes while they are measured.
pub const MEASURED: usize = 50_000;

/// How long two releases are compared.
const COMPARED: Duration = Duration::from_secs(30);

/// How long the cache may take to answer.
const CACHE_LIMIT: Duration = Duration::from_secs(2);

/// All that answers are made from.
#[derive(Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// What was deployed.
    pub deployments: Index,
    /// Where what is known early is told before the answer.
    pub early: Arc<dyn Fn(Told) + Send + Sync>,
    /// What earlier polls saw.
    pub past: Past,
    /// The index of what was deployed. Asking it may block: on a thread for that.
    pub archive: Arc<Archive>,
    /// Carries out verifications.
    pub verifier: Arc<Verifier>,
    /// Makes plans and has them carried out; `None` where there is no folder for what that leaves.
    pub operator: Option<Arc<dyn Operator>>,
    /// Where news goes of what takes its time, before its answer.
    pub out: mpsc::Sender<Message>,
    /// The file of the cache, where there is one.
    pub cache: Option<PathBuf>,
    /// What reads logs, while they are looked at.
    pub logs: Arc<logs::Reads>,
    /// What charts asked last.
    pub charts: charts::Charts,
    /// The file of the queries that were typed, where there is one.
    pub queries: Option<PathBuf>,
    /// Opens other estates; `None` where there are none.
    pub switcher: Option<Arc<Switcher>>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("estate", &self.estate).finish_non_exhaustive()
    }
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Deployments(question) => self.deployments.piece(question, self.early.clone()).await,
            Ask::DeploymentCount { number, plan } => self.deployments.count(number, plan, self.early.clone()).await,
            Ask::DeploymentNeighbours(of) => self.deployments.neighbours(of).await,
            Ask::Export(export) => self.deployments.export(export, self.early.clone()).await,
            Ask::StopExport => self.deployments.stop_export(),
            Ask::Did(asked) => did::answer(self, asked).await,
            Ask::Diff { from, to } => {
                let found = watch::compare(&self.estate, &from, &to, COMPARED).await;
                Told::Diff { from: from.key.clone(), to: to.key.clone(), found: Arc::new(found) }
            }
            Ask::Dora { days, now, rows } => {
                let desk = self.clone();
                let work = tokio::task::spawn_blocking(move || {
                    // The index reaches as far back as the sources do. Before they told it anything, what is shown counts.
                    let since = dora::Window::before(days, now).from;
                    let told = desk.archive.read(|index, estate| index.between(estate, None, since, now, MEASURED));
                    let (told, more) = told.unwrap_or_default();
                    let rows = if told.is_empty() { &*rows } else { &told };
                    let read_since = told.last().filter(|_| more).map(|oldest| oldest.at);
                    dora::Table { read_since, ..dora::table(rows.iter(), &desk.estate.environment, days, now) }
                });
                // It ends: the rows have an end. Only a defect makes it fail.
                let none = dora::Table { days, now, rows: Vec::new(), more: 0, read_since: None };
                Told::Dora { table: Arc::new(work.await.unwrap_or(none)) }
            }
            Ask::Logs(asked) => logs::answer(self, asked).await,
            Ask::CloseLogs(view) => {
                self.logs.close(view).await;
                Told::Closed
            }
            Ask::Timeline(from, to) => Told::Timeline(from, to, timeline::past(&self.estate, self.cache.as_deref(), from, to).await),
            Ask::Request { run, request } => {
                let (journal, hand) = (self.verifier.journal().cloned(), self.verifier.hand().clone());
                Told::Requested { end: super::runs::request(journal, hand, run.clone(), request).await, run }
            }
            Ask::TakeUp { run, reason } => self.take_up(run, reason).await,
            Ask::Plan { number, wish } => self.plan(number, &wish).await,
            Ask::Check { number, plan, wish } => self.check(number, &plan, &wish).await,
            Ask::Start { number, plan, agreement } => self.start(number, plan, agreement).await,
            Ask::KeepTheme { file, theme } => looks::keep(file, theme).await,
            Ask::SaveView { file, view } => super::views::save(file, view).await,
            Ask::Contexts => match &self.switcher {
                Some(switcher) => switcher.look().await,
                None => Told::Contexts(Vec::new()),
            },
            Ask::Context(name) => match &self.switcher {
                Some(switcher) => switcher.read(name).await,
                None => Told::Context(name, Err(vec!["no other estate can be opened here".to_owned()])),
            },
            // It was done at once: a plan that is asked for afterwards must not lose what is made ready for it.
            Ask::Close => Told::Closed,
            Ask::Copy(text) => Told::Copied(clipboard::tmux(&text).await),
            Ask::Chart { slot, number, ask } => charts::answer(self, slot, number, ask).await,
            Ask::Queries => queries::answer(self.queries.clone(), None).await,
            Ask::KeepQuery(query) => queries::answer(self.queries.clone(), Some(query)).await,
            Ask::Names(source) => charts::names(self, source).await,
            Ask::Words(of) => charts::words(self, of).await,
            Ask::ExportChart { number, path, text, folder, replace } => export::chart(number, path, text, folder, replace).await,
            Ask::StopCharts(number) => {
                self.charts.stop(number);
                Told::Closed
            }
            Ask::Verify(order) => self.verify(*order).await,
            Ask::StopVerification(source) => {
                self.verifier.stop(source);
                Told::Verification(source, Box::new(News::Stopping))
            }
        }
    }

    async fn verify(&self, order: Order) -> Told {
        let (source, out) = (order.source, self.out.clone());
        let progress = move |progress| {
            // Only the newest matters: where the loop is busy, this one is left out.
            let _ = out.try_send(Message::Told(Box::new(Told::Verification(source, Box::new(News::Progress(progress))))));
        };
        let news = match self.verifier.carry_out(order, progress).await {
            Ok(Ended { verification, proofs, unrecorded }) => News::Ended { outcome: verification.outcome, proofs, unrecorded },
            Err(why) => News::Refused(why),
        };
        Told::Verification(source, Box::new(news))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    use crate::app::ask::AskDid;
    use crate::model::deployment::did::{Found, Span};
    use crate::model::deployment::{Dated, Deployment, Ending};
    use crate::model::estate::tests::{bare, source};
    use crate::model::estate::{Probe, SourceKind};
    use crate::model::label::Labels;
    use crate::model::panel::{self, Form, Panel, Shape, Unit};
    use crate::model::selector::Selector;
    use crate::model::source::Scrape;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(20_000 + minutes)
    }

    /// A probe that keeps ten days of a sample a minute: 0.2 all along, 0.9 from `at(0)` on.
    pub(crate) fn desk() -> Desk {
        let kind = SourceKind::Probe { probe: Probe::Tcp { address: "a:1".into() }, keep: SignedDuration::from_hours(240) };
        let mut estate = bare(vec![source("p", kind)]);
        estate.sources[0].every = SignedDuration::from_mins(1);
        let form = Form { shape: Shape::Value, of: Selector::parse("took").unwrap(), by: None };
        let of = |name: &str, source: &str| Panel {
            name: name.into(),
            service: None,
            site: None,
            source: source.into(),
            ask: panel::Ask::Form(form.clone()),
            unit: Unit::Seconds,
            warn: None,
            critical: None,
        };
        estate.panels = vec![of("took", "p"), of("lost", "gone")];
        let labels = Labels::new([("__name__", "took")]);
        let past: Past = Arc::new(move |_| {
            let value = |minute| if minute < 0 { 0.2 } else { 0.9 };
            (-14_000..60).map(|minute| Scrape { at: at(minute), samples: vec![(labels.clone(), value(minute))] }).collect()
        });
        let estate = Arc::new(estate);
        let archive = Arc::new(Archive::new(estate.clone(), None));
        Desk {
            logs: Default::default(),
            deployments: Index::new(estate.clone(), archive.clone()),
            early: Arc::new(|_| ()),
            archive,
            estate,
            past,
            verifier: verify::tests::nobody(),
            operator: None,
            out: mpsc::channel(1).0,
            cache: None,
            charts: charts::Charts::default(),
            queries: None,
            switcher: None,
        }
    }

    #[tokio::test]
    async fn what_a_deployment_did_is_found_out_of_what_is_kept() {
        let (span, every) = (Span { from: at(1), to: at(31) }, SignedDuration::from_mins(1));
        let asked = AskDid { key: "k".into(), span, ended: true, panels: vec![(0, every), (1, every)], left: 3 };
        let Told::Did { key, did } = desk().answer(Ask::Did(asked)).await else { panic!() };
        assert_eq!((&*key, did.span, did.ended, did.left, did.short("web").as_str()), ("k", span, true, 3, "took 4.5x"));
        let Found::Deviates(change) = &did.metrics[0].found else { panic!("{did:?}") };
        assert_eq!((change.before, change.after, change.windows), (0.2, 0.9, 7));
        assert_eq!(did.metrics[1].found, Found::Failed("there is no such source".into()));
    }

    #[tokio::test]
    async fn two_are_compared_and_measures_are_computed_beside_the_loop() {
        let one = |version: &str, minutes: i64| {
            let one = Deployment::new("web", at(minutes), Dated::Record, "log");
            Arc::new(Deployment { to: Some(version.into()), key: version.into(), result: Some(Ending::Succeeded), ..one })
        };
        let Told::Diff { from, to, found } = desk().answer(Ask::Diff { from: one("1", 0), to: one("2", 1) }).await else { panic!() };
        assert_eq!((&*from, &*to), ("1", "2"));
        assert!(found.commits.is_err() && found.configs.is_err(), "no clone and no folders are known");
        let rows = Arc::new(vec![one("2", -2), one("1", -3)]);
        let Told::Dora { table } = desk().answer(Ask::Dora { days: 7, now: at(0), rows }).await else { panic!() };
        assert_eq!((table.days, table.rows.len(), table.rows[1].now.completed), (7, 2, 2));
    }

    #[tokio::test]
    async fn measures_come_from_the_index_where_it_is_filled() {
        use crate::model::deployment::news::News;
        use crate::watch::Ledger;
        let mut desk = desk();
        let mut estate = (*desk.estate).clone();
        let log = crate::model::estate::History::DeployLog { path: "l".into(), fields: Default::default() };
        estate.sources.push(source("log", SourceKind::History(log)));
        desk.estate = Arc::new(estate);
        desk.archive = Arc::new(Archive::new(desk.estate.clone(), None));
        let one = |version: String, minutes: i64| {
            let one = Deployment::new("web", at(minutes), Dated::Record, "log");
            Deployment { to: Some(version), result: Some(Ending::Succeeded), ..one }
        };
        let day = 24 * 60;
        let all: Vec<Arc<Deployment>> = (1..=40).map(|n| Arc::new(one(format!("v{n}"), -n * day / 2))).collect();
        assert!(desk.archive.take(1, &News { rows: all.clone(), ..News::default() }).unwrap());
        // The view knows the newest only.
        let rows = Arc::new(all[..3].to_vec());
        let measured = async |days| {
            let Told::Dora { table } = desk.answer(Ask::Dora { days, now: at(0), rows: rows.clone() }).await else { panic!() };
            (table.days, table.rows.iter().map(|row| (row.service.clone(), row.now.completed, row.before.completed)).collect::<Vec<_>>())
        };
        let web = Some("web".to_owned());
        assert_eq!(measured(7).await, (7, vec![(None, 14, 14), (web.clone(), 14, 14)]));
        assert_eq!(measured(28).await, (28, vec![(None, 40, 0), (web, 40, 0)]));
    }
}
