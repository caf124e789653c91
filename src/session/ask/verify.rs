//! Verifications of this process: each is recorded before it begins and when it ended, can be stopped, and ends with the
//! process.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::journal::{self, Hand, Journal, JournalError};
use crate::model::backup::{Order, Outcome, Progress, Proofs, Verification};
use crate::model::event::Event;
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::verify::{Finding, verify};

/// How long the end of the program waits for verifications to stop and be recorded.
const FAREWELL: Duration = Duration::from_secs(8);

/// Carries out verifications, one of each source at a time.
#[derive(Debug)]
pub struct Verifier {
    journal: Option<PathBuf>,
    hand: Hand,
    running: Mutex<HashMap<usize, watch::Sender<bool>>>,
    ended: Notify,
}

/// How one ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What the journal's event says.
    pub verification: Verification,
    /// What the journal now says of all backups.
    pub proofs: Arc<Proofs>,
    /// Why the result could not be recorded.
    pub unrecorded: Option<String>,
}

impl Verifier {
    /// Records in that journal, as that person; without a journal nothing is verified.
    pub fn new(journal: Option<PathBuf>, hand: Hand) -> Verifier {
        Verifier { journal, hand, running: Mutex::default(), ended: Notify::new() }
    }

    /// Where it records.
    pub fn journal(&self) -> Option<&PathBuf> {
        self.journal.as_ref()
    }

    /// Who records.
    pub fn hand(&self) -> &Hand {
        &self.hand
    }

    /// Carries it out. `Err` says why it was not begun; then nothing was done.
    pub async fn carry_out(&self, order: Order, progress: impl Fn(Progress) + Send + Sync + 'static) -> Result<Ended, String> {
        let Some(journal) = &self.journal else {
            return Err("there is no folder for the journal: set HOME or XDG_STATE_HOME".to_owned());
        };
        let stop = self.enter(order.source)?;
        let _place = Place { verifier: self, source: order.source };
        let mut verification = Verification {
            source: order.name.clone(),
            target: order.of.to_string(),
            method: order.method,
            started: Timestamp::now(),
            ended: None,
            outcome: Outcome::Begun,
            points: Vec::new(),
            evidence: Vec::new(),
        };
        self.record(journal, verification.clone()).await?;
        let Finding { outcome, points, evidence } = verify(&order, stop, Arc::new(progress)).await;
        verification = Verification { ended: Some(Timestamp::now()), outcome, points, evidence, ..verification };
        let unrecorded = self.record(journal, verification.clone()).await.err();
        let path = journal.clone();
        let known = tokio::task::spawn_blocking(move || known(&path)).await.map_err(|error| error.to_string())?;
        Ok(Ended { verification, proofs: Arc::new(known.0), unrecorded: unrecorded.or(known.1) })
    }

    /// Asks the verification of that source to stop; false where none is under way.
    pub fn stop(&self, source: usize) -> bool {
        self.places().get(&source).is_some_and(|stop| stop.send(true).is_ok())
    }

    /// Stops all and waits a short while until they are recorded.
    pub async fn finish(&self) {
        let end = tokio::time::Instant::now() + FAREWELL;
        loop {
            let ended = self.ended.notified();
            {
                let places = self.places();
                if places.is_empty() {
                    return;
                }
                places.values().for_each(|stop| {
                    stop.send_replace(true);
                });
            }
            if tokio::time::timeout_at(end, ended).await.is_err() {
                return;
            }
        }
    }

    fn places(&self) -> MutexGuard<'_, HashMap<usize, watch::Sender<bool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, source: usize) -> Result<watch::Receiver<bool>, String> {
        let mut places = self.places();
        if places.contains_key(&source) {
            return Err("it is being verified already".to_owned());
        }
        let (stop, stopped) = watch::channel(false);
        places.insert(source, stop);
        Ok(stopped)
    }

    async fn record(&self, journal: &Path, verification: Verification) -> Result<(), String> {
        let (path, hand) = (journal.to_owned(), self.hand.clone());
        let write = move || {
            let said_at = verification.ended.unwrap_or(verification.started);
            Journal::open(&path)?.append(&hand, said_at, Event::Verification(verification), Timestamp::now())
        };
        let written = tokio::task::spawn_blocking(write).await.map_err(|error| error.to_string())?;
        written.map(drop).map_err(|error| told(&error))
    }
}

/// A source's place among those that run, as long as one does.
struct Place<'a> {
    verifier: &'a Verifier,
    source: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.verifier.places().remove(&self.source);
        // One that begins to wait later finds it gone.
        self.verifier.ended.notify_waiters();
        self.verifier.ended.notify_one();
    }
}

fn told(error: &JournalError) -> String {
    clean(&error.to_string(), NOTE_CAP).into_owned()
}

/// What the journal says of all backups, and why it cannot be read, or not to its end. What comes after a broken event
/// proves nothing.
pub fn known(path: &Path) -> (Proofs, Option<String>) {
    match Journal::read(path) {
        Ok(None) => (Proofs::default(), None),
        Ok(Some(journal)) => {
            let (records, verdict) = journal.verifications();
            let mut proofs = Proofs::of(&records);
            // All events before it were looked at.
            proofs.upto = verdict.head.count;
            proofs.look(journal::is_alive);
            (proofs, verdict.broken.map(|broken| format!("the journal is broken: {broken}; `qd journal verify`")))
        }
        Err(error) => (Proofs::default(), Some(told(&error))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::backup::{BackupOf, Extent, Method};

    /// Who records nothing, and so verifies nothing.
    pub(crate) fn nobody() -> Arc<Verifier> {
        Arc::new(Verifier::new(None, hand()))
    }

    fn hand() -> Hand {
        Hand { actor: journal::actor(&|_| None), version: "test".into(), estate: None }
    }

    /// Looks at nothing, and says so at once.
    fn order(source: usize) -> Order {
        let of = BackupOf::Directory { folder: "/nonexistent".into() };
        Order { source, name: "store".into(), of, method: Method::Files, extent: Extent::All, points: Vec::new() }
    }

    #[tokio::test]
    async fn it_is_recorded_before_it_begins_and_when_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let verifier = Verifier::new(Some(path.clone()), hand());
        let ended = verifier.carry_out(order(0), |_| {}).await.unwrap();
        assert_eq!((ended.verification.outcome, &ended.unrecorded), (Outcome::Passed, &None));
        let records = Journal::read(&path).unwrap().unwrap().records(None).unwrap();
        let outcomes: Vec<Outcome> = records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Verification(of) => Some(of.outcome),
                Event::Run(_) | Event::Healed(_) => None,
            })
            .collect();
        assert_eq!(outcomes, [Outcome::Begun, Outcome::Passed]);
        assert!(ended.proofs.of_backup("store", "/nonexistent").unwrap().open.is_empty());
        assert!(!verifier.stop(0), "nothing is under way");
        verifier.finish().await;
    }

    #[tokio::test]
    async fn without_a_journal_that_can_be_written_nothing_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let why = Verifier::new(None, hand()).carry_out(order(0), |_| {}).await.unwrap_err();
        assert!(why.contains("no folder for the journal"), "{why}");
        let path = folder.path().join("journal.db");
        std::fs::write(&path, "not a journal at all, but something else that is long enough").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let why = Verifier::new(Some(path.clone()), hand()).carry_out(order(0), |_| panic!("it began")).await.unwrap_err();
        assert!(why.contains("journal"), "{why}");
        assert!(known(&path).1.is_some() && known(&folder.path().join("none")) == (Proofs::default(), None));
    }

    #[tokio::test]
    async fn the_end_of_the_program_stops_what_runs_and_that_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let verifier = Arc::new(Verifier::new(Some(path.clone()), hand()));
        let program = vec!["/bin/sh".into(), "-c".into(), "sleep 1000".into()];
        let of = BackupOf::PgBackRest { program, stanza: "main".into(), config: None, host: None };
        let long = Order { of, method: Method::PgBackRest, ..order(3) };
        let work = tokio::spawn({
            let (verifier, long) = (verifier.clone(), long.clone());
            async move { verifier.carry_out(long, |_| {}).await }
        });
        while !verifier.places().contains_key(&3) {
            tokio::task::yield_now().await;
        }
        assert_eq!(verifier.carry_out(long, |_| {}).await.unwrap_err(), "it is being verified already");
        verifier.finish().await;
        assert_eq!(work.await.unwrap().unwrap().verification.outcome, Outcome::Cancelled);
        assert!(verifier.places().is_empty());
    }
}
