//! A head that lies elsewhere, held against this journal without walking it: two look-ups.

use rusqlite::OptionalExtension;

use super::head::{is_of, kept, lost};
use super::{Head, Journal, JournalError, last};

/// How such a head stands to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The event is there with that hash.
    Same,
    /// It was lost while it was written, and that is recorded, or will be with the next event.
    Lost,
    /// The journal ends before it, after so many events.
    Short(u64),
    /// Another event stands in its place.
    Other,
}

impl Journal {
    /// The hash of the first event, by which one journal is told from another; `None` of an empty one.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn first(&self) -> Result<Option<String>, JournalError> {
        let first = self.database.query_row("SELECT hash FROM event WHERE seq = 1", [], |row| row.get(0)).optional();
        first.map_err(|error| JournalError::of(&self.path, error))
    }

    /// Holds a head of this journal, which was kept elsewhere, against what is there now.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn holds(&self, head: &Head) -> Result<Held, JournalError> {
        let refused = |error| JournalError::of(&self.path, error);
        let end = last(&self.database).map_err(refused)?;
        let there: Option<(String, Vec<u8>)> = self
            .database
            .query_row("SELECT hash, body FROM event WHERE seq = ?1", [head.count.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(refused)?;
        Ok(match there {
            Some((hash, _)) if hash == head.hash => Held::Same,
            Some((_, body)) if lost(&body).is_some_and(|lost| is_of(&lost, head)) => Held::Lost,
            Some(_) => Held::Other,
            None if head.count == end.count + 1 && kept(&self.path).as_ref() == Some(head) => Held::Lost,
            None => Held::Short(end.count),
        })
    }
}
