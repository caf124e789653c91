//! What happened.

use jiff::Timestamp;

use crate::model::preferences::Ground;
use crate::model::reading::{Held, Outcome};
use crate::model::run::known::Runs;
use crate::model::source::Answer;

use super::ask::Told;
use super::derive::Derived;
use super::key::Key;
use super::target::Target;
use super::timeline::Merged;

/// One thing that happened. Time stands beside it, in `State::now`.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// The terminal's window came to the front, or went away from it.
    Focus(bool),
    /// Text was pasted: it never reaches the keymap.
    Paste(String),
    /// What the screen showed there was clicked on.
    Click(Target),
    /// The wheel was turned by so many lines, downwards where positive.
    Wheel {
        /// Lines.
        by: i16,
        /// True over the right one of two columns.
        right: bool,
    },
    /// The terminal has this size now: columns, rows.
    Resize(u16, u16),
    /// Time has passed.
    Tick,
    /// A source is being tried.
    Polling(usize),
    /// A try ended.
    Read {
        /// The source's place in the estate.
        source: usize,
        /// How.
        outcome: Outcome<Answer>,
        /// When it is tried next.
        next_try: Timestamp,
    },
    /// What the newest readings come to.
    Derived(Box<Derived>),
    /// What happened in the time that the screen shows.
    Merged(Box<Merged>),
    /// What an earlier start of the console knew, in the order of the estate's sources.
    Cached(Vec<Option<Held<Answer>>>),
    /// The index of deployments holds others now: whoever shows of it asks again. The number grows with each change.
    HistoryChanged(u64),
    /// The terminal told what it writes on.
    Ground(Ground),
    /// Something about this console itself that a person must know once, one line.
    Notice(String),
    /// The runs that the journal tells of, as they are now.
    Runs(Box<Runs>),
    /// The answer to what a view asked.
    Told(Box<Told>),
}
