//! The journal's head, which every call leaves in the job folder of its target, held against the journal: whoever cut off
//! the journal's end, or put an older copy in its place, can hardly have changed what lies on the hosts.

use std::path::PathBuf;

use tokio::task::spawn_blocking;

use super::preflight::Seen;
use crate::journal::{Head, Held, Journal};

/// Digits of the first event's hash that stand behind a head: by them one journal is told from another.
const MARK: usize = 16;

/// The words of a head as they go to a target: `PLACE HASH JOURNAL`.
pub fn written(head: &Head, first: &str) -> String {
    format!("{head} {}", mark(first))
}

fn mark(first: &str) -> &str {
    first.get(..MARK).unwrap_or(first)
}

/// What was found at one target, held against the journal of this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// No head lies there, or the target has no job folder.
    Nothing,
    /// Its event is in this journal.
    Same(u64),
    /// Its event was lost while it was written, as the journal itself says.
    Lost(u64),
    /// It is of another journal, with a run of that name.
    Foreign(String),
    /// This journal ends before it.
    Short {
        /// What lies there.
        head: Head,
        /// Events of this journal.
        there: u64,
    },
    /// Another event stands in its place in this journal.
    Other(Head),
    /// It cannot be read.
    Odd,
    /// The journal cannot be asked: why.
    Unknown(String),
}

/// One head as it lies there: `RUN PLACE HASH [JOURNAL]`. One that an older version left has no last word.
struct Left {
    run: String,
    head: Head,
    journal: Option<String>,
}

impl Left {
    fn parse(text: &str) -> Option<Left> {
        let mut words = text.split_whitespace();
        let (run, place, hash, journal) = (words.next()?, words.next()?, words.next()?, words.next());
        let head = format!("{place} {hash}").parse().ok()?;
        words.next().is_none().then(|| Left { run: run.to_owned(), head, journal: journal.map(str::to_owned) })
    }
}

/// Holds what lies at each target against the journal, in the order of the targets. The journal is read after the hosts
/// were: what a run wrote meanwhile is in it. Nobody is asked anything anew.
pub async fn held(journal: Option<PathBuf>, seen: &[Seen]) -> Vec<Told> {
    let head = |seen: &Seen| seen.as_ref()?.as_ref().ok()?.folder.as_ref()?.head.clone();
    let heads: Vec<Option<String>> = seen.iter().map(head).collect();
    if heads.iter().all(Option::is_none) {
        return vec![Told::Nothing; heads.len()];
    }
    let count = heads.len();
    let judged = spawn_blocking(move || judge(journal, &heads)).await;
    judged.unwrap_or_else(|error| vec![Told::Unknown(error.to_string()); count])
}

fn judge(journal: Option<PathBuf>, heads: &[Option<String>]) -> Vec<Told> {
    let opened = journal.map_or(Ok(None), |path| Journal::read(&path)).map_err(|error| error.to_string());
    let one = |head: &Option<String>| match (head, &opened) {
        (None, _) => Told::Nothing,
        (Some(_), Err(why)) => Told::Unknown(why.clone()),
        (Some(text), Ok(journal)) => match Left::parse(text) {
            None => Told::Odd,
            Some(left) => against(journal.as_ref(), left).unwrap_or_else(|error| Told::Unknown(error.to_string())),
        },
    };
    heads.iter().map(one).collect()
}

fn against(journal: Option<&Journal>, left: Left) -> Result<Told, crate::journal::JournalError> {
    let Some(journal) = journal else { return Ok(Told::Foreign(left.run)) };
    // The word behind it says whose it is, also where the events of that run are gone; without one, the run's name does.
    let same = match (journal.first()?, &left.journal) {
        (Some(first), Some(word)) => mark(&first) == word,
        _ => false,
    };
    if !same && !journal.runs_named(&left.run)?.contains(&left.run) {
        return Ok(Told::Foreign(left.run));
    }
    Ok(match journal.holds(&left.head)? {
        Held::Same => Told::Same(left.head.count),
        Held::Lost => Told::Lost(left.head.count),
        Held::Short(there) => Told::Short { head: left.head, there },
        Held::Other => Told::Other(left.head),
    })
}

#[cfg(test)]
mod tests;
