//! The lines of the Overview and of the Alerts pane, and what tells them apart.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertId;
use crate::model::due::DueKind;
use crate::model::needs::About;

/// What tells one selectable row of the Overview from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OverviewId {
    /// A need, without the ids of its alerts, which come and go; and how many needs before it are about the same.
    Need(About, usize),
    /// A run, by its id.
    Run(String),
    /// A service, by name.
    Service(String),
    /// A source, by its place.
    Source(usize),
    /// A panel, by name.
    Panel(String),
    /// What would be lost, by the place of a backup's source.
    Exposure(usize),
    /// What is due, by its kind and name.
    Due(DueKind, String),
    /// A deployment, by its key.
    Deployment(Arc<str>),
    /// What happened while nobody looked.
    Since,
    /// A change: when, what, and of which alert.
    Change(Timestamp, String, Option<AlertId>),
}

/// One line of the Alerts pane.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertRow {
    /// A group's head: what it is grouped by, receiver, how many.
    Group(String),
    /// An alert, by its place in the shown view's `alerts`.
    Alert(usize),
}

/// One line of the Overview.
#[derive(Debug, Clone, PartialEq)]
pub enum OverviewRow {
    /// A line of the estate's note.
    Note(String),
    /// What happened while nobody looked: it leads to the timeline, and going back dismisses it.
    Since(String),
    /// A section's head.
    Head(&'static str),
    /// A run that waits for a person, by its place among the runs.
    Run(usize),
    /// A need, by its place in the shown view's `needs`.
    Need(usize),
    /// The second line of a need on a wide screen: what to do.
    NeedAction(usize),
    /// Needs that there is no room for.
    MoreNeeds(usize),
    /// A sentence where a section is empty.
    Empty(&'static str),
    /// A service, by its place in the estate.
    Service(usize),
    /// A panel, by its place in the estate; on a wide screen only.
    Panel(usize),
    /// A source, by its place in the estate.
    Source(usize),
    /// The second line of a source on a wide screen: what it says, or why it fails.
    SourceSaid(usize),
    /// What would be lost of a service, by the place of one of its backups in the shown view.
    Exposure(usize),
    /// What is due, by its place in the shown view.
    Due(usize),
    /// A change, by its place from the newest.
    Change(usize),
    /// A deployment, by its place from the newest in the shown view.
    Deployment(usize),
}
