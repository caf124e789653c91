//! Who makes plans for the wizard and has them carried out: the same code as without a screen. The runner is made ready
//! when there is a plan, so that its connections stand before anybody confirms.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::app::ask::WishOf;
use crate::journal::{Hand, Journal};
use crate::link::ssh::Hosts;
use crate::model::check::Check;
use crate::model::deployment::list::{Column, Narrow};
use crate::model::deployment::{Deployment, Ending};
use crate::model::estate::Estate;
use crate::model::plan::{Candidate, Deed, Doubt, Plan, Planned};
use crate::model::run::estimate::seconds;
use crate::model::run::{Agreement, Request, RunState};
use crate::operate::attach::{AttachError, One, Prepared, Started, ask, liveness, prepare};
use crate::operate::heads;
use crate::operate::history;
use crate::operate::order::{LEASE, Order, id};
use crate::operate::plan::rollback::{Desk, PlanError, rollback};
use crate::operate::plan::{service, silence};
use crate::operate::preflight::{Case, Going, Heard, going, here, judge, look_each};
use crate::operate::runner::process::Prepare;
use crate::operate::world::Own;
use crate::watch::{self, Ledger, Past};

use super::archive::Archive;
use super::ask::wizard::Operator;
use super::runs;

/// The word of the command line that makes this program a runner.
pub const RUNNER: &str = "runner";
/// How long the hosts may take to answer, all side by side.
const HOSTS: Duration = Duration::from_secs(20);
/// How long the histories may take before the wizard's plan is made without what they did not tell.
const HISTORIES: Duration = Duration::from_secs(25);
/// Deployments of the service that are looked through for its releases: the newest.
const HISTORY: usize = 20_000;

/// Plans from what this console knows, and starts runners.
pub struct Bridge {
    estate: Arc<Estate>,
    hosts: Arc<Hosts>,
    archive: Arc<Archive>,
    past: Past,
    journal: PathBuf,
    hand: Hand,
    /// The runner that makes ready, and the plan's hosts that it was told of.
    ready: Mutex<Option<(Vec<String>, Prepared)>>,
}

impl Bridge {
    /// For that estate and that journal, beside which the runs lie. `past` is what earlier starts kept of pages and probes.
    pub fn new(estate: Arc<Estate>, archive: Arc<Archive>, past: Past, journal: PathBuf, hand: Hand) -> Bridge {
        let hosts = Arc::new(Hosts::new(&estate.hosts));
        Bridge { estate, hosts, archive, past, journal, hand, ready: Mutex::new(None) }
    }

    async fn planned(&self, wish: &WishOf, heard: &Heard) -> Result<Planned, String> {
        let planned = match wish {
            WishOf::Rollback { service, to, without } => self.rollback(service, to.as_deref(), without, heard).await?,
            WishOf::Processes { deed, service, hosts } => self.processes(*deed, service, hosts, heard).await?,
            WishOf::Silence { source, wish, reason } => {
                let made = silence::silence(&self.estate, Some(source), wish, &self.hand.actor.name(), reason).await;
                made.map_err(|error| format!("{error}; nothing was planned"))?
            }
        };
        self.make_ready(&planned.plan)?;
        Ok(planned)
    }

    /// What plans are made with.
    fn bench<'a>(&'a self, heard: &'a Heard) -> Bench<'a> {
        Bench {
            estate: &self.estate,
            hosts: &self.hosts,
            archive: &self.archive,
            journal: Some(self.journal.as_path()),
            within: HOSTS,
            heard,
        }
    }

    async fn rollback(&self, service: &str, to: Option<&str>, without: &[String], heard: &Heard) -> Result<Planned, String> {
        let unread = histories(&self.estate, &self.archive, &self.past, Some(self.journal.as_path()), Some(HISTORIES)).await;
        let bench = self.bench(heard);
        let mut planned = bench.rollback(service, to, without, &unread).await;
        // On a screen the release is chosen from what a plan knows of all of them: where none is told for certain to have run
        // before, one that did is planned, and the plan says so.
        if let Err(BackError::Plan(PlanError::NoDefault { why, candidates })) = &planned
            && let Some(one) = likely(candidates).filter(|_| unread.is_empty())
            && let Ok(mut instead) = bench.rollback(service, Some(&one.version), without, &unread).await
        {
            let said = format!("Which release ran before is not certain: {why}. {} is one that ran: choose it knowingly.", one.version);
            instead.plan.impact.keeps.insert(0, said);
            planned = Ok(instead);
        }
        // Where there is no plan, what could not be read may be why.
        let also: String = unread.iter().map(|(name, why)| format!("; {}", unread_words(name, why))).collect();
        planned.map_err(|error| match error {
            BackError::Plan(error @ PlanError::Some(_)) => format!("{error} on the first page; nothing was planned{also}"),
            error => format!("{error}; nothing was planned{also}"),
        })
    }

    async fn processes(&self, deed: Deed, service: &str, hosts: &[String], heard: &Heard) -> Result<Planned, String> {
        self.bench(heard).service(deed, service, hosts).await.map_err(|error| match error {
            BackError::Plan(PlanError::Some(why)) => {
                format!("{}; the host can be left as it is, on the first page; nothing was planned", why.join("; "))
            }
            error => format!("{error}; nothing was planned"),
        })
    }

    /// A runner with connections to these hosts; the one that is there where it has them.
    fn make_ready(&self, plan: &Plan) -> Result<(), String> {
        let hosts = plan.hosts();
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.as_ref().is_some_and(|(known, _)| *known == hosts) {
            return Ok(());
        }
        *ready = None;
        let what = Prepare {
            estate: self.estate.path.clone(),
            hosts: hosts.clone(),
            journal: self.journal.clone(),
            runs: runs::folder(&self.journal),
            lease: LEASE,
        };
        *ready = Some((hosts, prepare(&[RUNNER], what, &runner_log(&self.journal)).map_err(|error| error.to_string())?));
        Ok(())
    }
}

impl Operator for Bridge {
    fn plan<'a>(&'a self, wish: &'a WishOf, heard: &'a Heard) -> BoxFuture<'a, Result<Planned, String>> {
        Box::pin(self.planned(wish, heard))
    }

    fn check<'a>(&'a self, plan: &'a Plan, heard: &'a Heard) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(async move {
            if silence::is(plan) {
                return silence::checks(&self.estate, plan, None).await;
            }
            let journal = self.journal.clone();
            let read = spawn_blocking(move || under_way(&journal));
            let seen = look_each(plan, &self.hosts, Instant::now() + HOSTS, heard).await;
            let going = read.await.unwrap_or_else(|error| Err(error.to_string()));
            let going = going.as_deref().map_err(String::as_str);
            let heads = heads::held(Some(self.journal.clone()), &seen).await;
            let (now, own) = (Timestamp::now(), Own::default());
            let mut all = judge(&Case { plan, estate: &self.estate, seen: &seen, heads: &heads, going, now, run: None, own: &own });
            all.push(here().await);
            all
        })
    }

    fn start(&self, plan: Arc<Plan>, agreement: Agreement) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            self.make_ready(&plan)?;
            let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some((_, prepared)) = ready else { return Err("no runner could be made ready; try again".to_owned()) };
            let order = Order {
                run: id(&plan.subject, Timestamp::now()),
                hash: plan.hash(),
                plan: (*plan).clone(),
                agreement,
                by: self.hand.actor.clone(),
                estate: self.hand.estate.clone(),
                lease: LEASE,
            };
            let begun = spawn_blocking(move || prepared.go(order)).await.map_err(|error| error.to_string())?;
            begun.map(|started| started.run).map_err(|error| error.to_string())
        })
    }

    fn take_up(&self, run: String, reason: String) -> BoxFuture<'_, Result<(), String>> {
        let (estate, journal, hand) = (self.estate.path.clone(), self.journal.clone(), self.hand.clone());
        let work = move || {
            let mut one = One::of(&run);
            one.read(&journal).map_err(|error| format!("the journal cannot be read: {error}"))?;
            let state = one.state().ok_or("the journal does not tell of this run")?;
            let alive = liveness(state, &runs::folder(&journal), &hand.actor.host, Timestamp::now());
            if let Some(why) = alive.keeps_from_taking_up(state) {
                return Err(why);
            }
            let began = take_up(estate, &journal, state, &Request::Resume { reason }, &hand);
            began.map(|_| ()).map_err(|error| error.to_string())
        };
        Box::pin(async move { spawn_blocking(work).await.map_err(|error| error.to_string())? })
    }

    fn close(&self) {
        // Dropped without an order it ends, and nothing was done.
        drop(self.ready.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Reads each history and the journal once into the index, as long as that may take; those that failed, with why. What is
/// not read may hide later deployments, so that a plan says it among its checks.
pub async fn histories(
    estate: &Arc<Estate>,
    archive: &Arc<Archive>,
    past: &Past,
    journal: Option<&Path>,
    within: Option<Duration>,
) -> Vec<(String, String)> {
    let ledger: Arc<dyn Ledger> = archive.clone();
    let read = watch::histories(estate, past, &ledger);
    let read = match within {
        Some(within) => timeout(within, read).await.map_err(|_| within),
        None => Ok(read.await),
    };
    let named = |index: usize| estate.sources.get(index).map_or("?", |source| source.name.as_str()).to_owned();
    let mut failed: Vec<(String, String)> = match read {
        Ok(read) => read.into_iter().filter_map(|(index, why)| Some((named(index), why?))).collect(),
        Err(within) => vec![("the histories".to_owned(), format!("they took more than {} s", within.as_secs()))],
    };
    let Some(journal) = journal.map(Path::to_owned) else { return failed };
    let (archive, estate) = (archive.clone(), estate.clone());
    let recorded = spawn_blocking(move || history::read(&journal, &estate).map(|news| archive.recorded(&news)));
    match recorded.await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => failed.push(("the journal".to_owned(), why.to_string())),
        Err(why) => failed.push(("the journal".to_owned(), why.to_string())),
    }
    failed
}

/// What follows from a history that could not be read.
pub fn unread_words(name: &str, why: &str) -> String {
    format!("{name} cannot be read: {why}; the newest of it may be missing")
}

/// Why a rollback is not planned.
#[derive(Debug, thiserror::Error)]
pub enum BackError {
    /// The index or the journal cannot be read.
    #[error("{0}")]
    Record(String),
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// What a rollback is planned with, by the wizard and by the command line alike.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    /// The estate.
    pub estate: &'a Arc<Estate>,
    /// Its hosts.
    pub hosts: &'a Hosts,
    /// The index of deployments.
    pub archive: &'a Arc<Archive>,
    /// The journal, where there is a folder for it.
    pub journal: Option<&'a Path>,
    /// How long the hosts may take to answer, all side by side.
    pub within: Duration,
    /// Who is told of each host that answered.
    pub heard: &'a Heard,
}

impl Bench<'_> {
    /// Makes the plan and its checks. `unread` are the histories that [`histories`] could not read: a check for each.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn rollback(
        self,
        service: &str,
        to: Option<&str>,
        without: &[String],
        unread: &[(String, String)],
    ) -> Result<Planned, BackError> {
        let (archive, named, journal) = (self.archive.clone(), service.to_owned(), self.journal.map(Path::to_owned));
        let read = spawn_blocking(move || {
            let recorded = journal.map_or(Ok(Default::default()), |journal| recorded(&journal))?;
            Ok::<_, String>((history(&archive, &named)?, recorded))
        });
        let read = read.await.map_err(|error| BackError::Record(error.to_string()))?;
        let (history, (going, runs)) = read.map_err(BackError::Record)?;
        let until = Instant::now() + self.within;
        let desk = Desk {
            estate: self.estate,
            hosts: self.hosts,
            history: &history,
            going: &going,
            journal: self.journal,
            without,
            until,
            heard: self.heard,
        };
        let mut planned = rollback(desk, service, to, Timestamp::now()).await?;
        planned.plan.impact.seconds = seconds(&planned.plan, &runs.iter().collect::<Vec<_>>());
        for (name, why) in unread {
            let (id, title) = (format!("history/{name}"), "the histories could be read".to_owned());
            planned.doubt(Doubt { id, title, what: unread_words(name, why) });
        }
        Ok(planned)
    }

    /// Makes the plan of a restart, a stop or a start on these hosts, on all of the service where none is named.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn service(self, deed: Deed, service: &str, hosts: &[String]) -> Result<Planned, BackError> {
        let journal = self.journal.map(Path::to_owned);
        let read = spawn_blocking(move || journal.map_or(Ok(Default::default()), |journal| recorded(&journal)));
        let (going, runs) = read.await.map_err(|error| BackError::Record(error.to_string()))?.map_err(BackError::Record)?;
        let until = Instant::now() + self.within;
        let desk = Desk {
            estate: self.estate,
            hosts: self.hosts,
            history: &[],
            going: &going,
            journal: self.journal,
            without: &[],
            until,
            heard: self.heard,
        };
        let mut planned = service::service(desk, deed, service, hosts, Timestamp::now()).await?;
        planned.plan.impact.seconds = seconds(&planned.plan, &runs.iter().collect::<Vec<_>>());
        Ok(planned)
    }
}

/// Has a new runner take up a run whose own is gone. What is asked lies before it, and is the first thing that it finds.
/// It blocks, ten seconds at the most.
///
/// # Errors
/// Where it did not begin, or nobody knows whether it did.
pub fn take_up(estate: PathBuf, journal: &Path, state: &RunState, request: &Request, hand: &Hand) -> Result<Started, AttachError> {
    let runs = runs::folder(journal);
    let what = Prepare { estate, hosts: state.plan.hosts(), journal: journal.to_owned(), runs: runs.clone(), lease: LEASE };
    let prepared = prepare(&[RUNNER], what, &runner_log(journal))?;
    ask(&runs, &state.run, request, &hand.actor)?;
    prepared.resume(&state.run, hand.actor.clone(), hand.estate.clone())
}

/// Where a runner writes until it has a run.
fn runner_log(journal: &Path) -> PathBuf {
    journal.with_file_name("log").join("runner.log")
}

/// The service's deployments, the newest first. It blocks.
///
/// # Errors
/// Where the index cannot be read.
pub fn history(archive: &Archive, service: &str) -> Result<Vec<Arc<Deployment>>, String> {
    let narrow = Narrow { equal: vec![(Column::Service, service.to_owned())], ..Narrow::default() };
    let (stop, mut all) = (AtomicBool::new(false), Vec::new());
    let mut add = |one: Deployment| {
        all.push(Arc::new(one));
        if all.len() == HISTORY {
            stop.store(true, Ordering::Relaxed);
        }
    };
    archive.read(|index, estate| index.each(estate, &narrow, &mut |_| true, &stop, &mut add))?;
    Ok(all)
}

/// The runs of that journal that are not at their end; none where there is no journal. It blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn under_way(journal: &Path) -> Result<Vec<Going>, String> {
    Ok(recorded(journal)?.0)
}

/// The same, and all runs of that journal. It blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn recorded(journal: &Path) -> Result<(Vec<Going>, Vec<RunState>), String> {
    let failed = |error| format!("the journal cannot be read, so which runs are under way is not known: {error}");
    let Some(journal) = Journal::read(journal).map_err(failed)? else { return Ok(Default::default()) };
    let records = journal.records(None).map_err(failed)?;
    Ok((going(&records), RunState::all(&records)))
}

/// The release that a person would look at first: the newest that all hosts have and that ended well, else the newest that
/// they have and that a history tells of.
fn likely(candidates: &[Candidate]) -> Option<&Candidate> {
    let ran = |one: &&Candidate| one.hosts_missing.is_empty() && one.last_ran.is_some();
    let well = candidates.iter().filter(ran).find(|one| one.result == Some(Ending::Succeeded));
    well.or_else(|| candidates.iter().find(ran))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::estate_from;
    use crate::journal::actor;
    use crate::operate::preflight::unheard;
    use crate::watch::no_past;

    /// A service on one host with two releases, of which the newer one runs; `more` goes on with the table of their history.
    fn bridge(folder: &Path, more: &str) -> Bridge {
        let app = folder.join("app");
        for release in ["2.4.0", "2.5.0"] {
            std::fs::create_dir_all(app.join("releases").join(release)).unwrap();
        }
        std::os::unix::fs::symlink("releases/2.5.0", app.join("current")).unwrap();
        let text = format!(
            "version = 1\n[estate]\nname = 'shop'\nenvironment = 'test'\n[[host]]\nname = 'web1'\n\
             [[service]]\nname = 'web'\nrestart = {{ command = ['true'] }}\n\
             [[history]]\nname = 'releases'\nkind = 'releases'\npath = '{}'\nhost = 'web1'\nservice = 'web'\n{more}",
            app.display()
        );
        let estate = estate_from(&folder.join("estate.toml"), &text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (estate, journal) = (Arc::new(estate), folder.join("journal.db"));
        let archive = Arc::new(Archive::new(estate.clone(), None));
        let hand = Hand { actor: actor(&|_| None), version: "0.1.0".to_owned(), estate: None };
        Bridge::new(estate, archive, no_past(), journal, hand)
    }

    #[tokio::test]
    async fn the_wizards_plan_says_which_history_could_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let gone = "[[history]]\nname = 'gone'\nkind = 'deploy-log'\npath = '/nonexistent/log'\nservice = 'web'\n";
        let bridge = bridge(folder.path(), gone);
        let planned = bridge.rollback("web", Some("2.4.0"), &[], &unheard).await.unwrap();
        let told: Vec<_> = planned.checks.iter().filter(|check| check.id.starts_with("history/")).collect();
        assert!(matches!(told[..], [check] if check.id == "history/gone" && check.overridable && !check.passes()), "{told:?}");
        assert!(planned.plan.impact.doubts.iter().any(|doubt| doubt.id == "history/gone"), "a runner makes that check again");
        let error = bridge.rollback("web", None, &[], &unheard).await.unwrap_err();
        assert!(error.contains("nothing was planned; gone cannot be read"), "{error}");
    }

    #[tokio::test]
    async fn where_the_deployment_before_failed_the_wizard_has_a_plan_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let act = |hour: u32, version: &str, result: &str| {
            format!("{{\"time\":\"2026-11-20T0{hour}:00:00Z\",\"version\":\"{version}\",\"who\":\"ann\",\"result\":\"{result}\"}}\n")
        };
        let log = [act(1, "2.4.0", "succeeded"), act(2, "2.5.0", "succeeded"), act(3, "2.4.0", "failed"), act(4, "2.5.0", "succeeded")];
        let told = folder.path().join("log");
        std::fs::write(&told, log.concat()).unwrap();
        let bridge = bridge(folder.path(), &format!("log = '{}'\n", told.display()));
        let planned = bridge.rollback("web", None, &[], &unheard).await.unwrap();
        assert_eq!(planned.plan.to.as_deref(), Some("2.4.0"));
        let said = &planned.plan.impact.keeps[0];
        assert!(said.starts_with("Which release ran before is not certain: ") && said.contains("failed"), "{said}");
        let named = bridge.rollback("web", Some("2.4.0"), &[], &unheard).await.unwrap();
        assert_eq!(named.plan.hash(), planned.plan.hash(), "it is the plan of whoever names it");
    }
}
