//! Where the runner writes what it does: the journal, or what a test breaks in its place.

use jiff::Timestamp;

use crate::journal::{Hand, Journal};
use crate::model::event::{Actor, Event, Record};
use crate::model::run::{Happened, RunEvent};
use crate::operate::heads;

/// One event as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// It, without its predecessor's hash.
    pub record: Record,
    /// The journal's head with it and whose it is: `PLACE HASH JOURNAL`.
    pub head: String,
}

/// Where events are written.
pub trait Ledger: Send + 'static {
    /// Adds one event of that run; it is on the disk when this comes back.
    ///
    /// # Errors
    /// Why nothing was added.
    fn append(&mut self, run: &str, what: Happened, said_at: Timestamp) -> Result<Entry, String>;

    /// Who writes.
    fn actor(&self) -> &Actor;
}

/// The journal of this person.
#[derive(Debug)]
pub struct Book {
    journal: Journal,
    hand: Hand,
    /// The hash of the first event, once it is known.
    first: Option<String>,
}

impl Book {
    /// Writes there, as that hand.
    pub fn new(journal: Journal, hand: Hand) -> Book {
        Book { journal, hand, first: None }
    }

    /// The events of that run, the oldest first.
    ///
    /// # Errors
    /// Where the journal is broken: nobody goes on from a record that proves nothing.
    pub fn of(&self, run: &str) -> Result<Vec<Record>, String> {
        let (mut all, verdict) = self.journal.trusted();
        if let Some(broken) = verdict.broken {
            return Err(format!("the journal is broken, `qd journal verify` says more: {broken}"));
        }
        all.retain(|record| matches!(&record.event, Event::Run(of) if of.run == run));
        Ok(all)
    }
}

impl Ledger for Book {
    fn append(&mut self, run: &str, what: Happened, said_at: Timestamp) -> Result<Entry, String> {
        let (event, written_at) = (Event::Run(RunEvent { run: run.to_owned(), what }), Timestamp::now());
        let head = self.journal.append(&self.hand, said_at, event.clone(), written_at).map_err(|error| error.to_string())?;
        let record = Record {
            seq: head.count,
            prev: String::new(),
            said_at,
            written_at,
            actor: self.hand.actor.clone(),
            version: self.hand.version.clone(),
            estate: self.hand.estate.clone(),
            event,
        };
        if self.first.is_none() {
            self.first = self.journal.first().map_err(|error| error.to_string())?;
        }
        Ok(Entry { record, head: heads::written(&head, self.first.as_deref().unwrap_or(&head.hash)) })
    }

    fn actor(&self) -> &Actor {
        &self.hand.actor
    }
}
