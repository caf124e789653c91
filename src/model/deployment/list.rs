//! A window of a long list of deployments: what is wanted of it, and the piece that is there. The list stands from the
//! newest to the oldest, and is read by key, never by number.

use std::sync::Arc;

use jiff::Timestamp;

use super::Deployment;

/// Where a row stands in the list: by its time, then by its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it began (UTC).
    pub at: Timestamp,
    /// [`Deployment::key`].
    pub key: Arc<str>,
}

impl Place {
    /// Where that deployment stands.
    pub fn of(deployment: &Deployment) -> Place {
        Place { at: deployment.at, key: deployment.key.clone() }
    }
}

/// From where on rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The newest row on.
    Newest,
    /// The oldest row, and those before it.
    Oldest,
    /// The first row after this place, which is older.
    After(Place),
    /// The rows just before this place, which are newer.
    Before(Place),
    /// The first row that is no newer than this on.
    At(Timestamp),
}

/// A column that is looked up by an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    /// [`Deployment::service`].
    Service,
    /// [`Deployment::site`].
    Site,
    /// [`Deployment::environment`].
    Environment,
    /// [`Deployment::to`].
    Version,
    /// [`Deployment::who`].
    Who,
    /// The word of [`Deployment::result`].
    Result,
    /// [`Deployment::id`].
    Id,
    /// [`Deployment::commit`].
    Commit,
}

/// What rows are let through: those that pass all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Columns that must have just this value.
    pub equal: Vec<(Column, String)>,
    /// Texts of which each must stand in some column, in whichever case. The empty text stands everywhere.
    pub words: Vec<String>,
    /// No older than this (UTC).
    pub since: Option<Timestamp>,
    /// No newer than this (UTC).
    pub until: Option<Timestamp>,
}

/// A piece of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Piece {
    /// The rows, the newest first.
    pub rows: Vec<Arc<Deployment>>,
    /// True where a newer row that passes stands before them.
    pub newer: bool,
    /// True where an older row that passes stands after them.
    pub older: bool,
}
