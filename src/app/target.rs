//! What lies under the mouse, told by what it is and never by where it is: rows that moved between the click and its
//! taking are found again by their ids, or not at all.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertId;

use super::action::Action;
use super::layer::Scope;
use super::palette::Goal;
use super::row::OverviewId;
use super::silences::SilenceId;
use super::timeline::EventId;

/// What tells a row of a pane's list from all others.
#[derive(Debug, Clone, PartialEq)]
pub enum RowId {
    /// Of the Overview.
    Overview(OverviewId),
    /// Of the Alerts pane.
    Alert(AlertId),
    /// A panel of the Metrics pane, by name.
    Panel(String),
    /// A node of the Databases pane: its database and its name.
    Node((String, String)),
    /// Of the Backups pane, by the place of its source in the estate.
    Backup(usize),
    /// Of the Deployments pane, by its key.
    Deployment(Arc<str>),
    /// Of the Operations pane, by the run's id.
    Run(String),
    /// Of the Timeline pane.
    Event(EventId),
    /// Of the list of silences.
    Silence(SilenceId),
}

/// One of the things that a step of a wizard lets a person choose from.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// A release, by its version.
    Release(String),
    /// A check, by its id.
    Check(String),
    /// A label, a silence, an alert or an act, by its place; these do not change while the wizard is open.
    Label(usize),
    /// A host, by its name.
    Host(String),
}

/// What a click hits.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A row of the pane.
    Row(RowId),
    /// A line of the page on top, by where it leads.
    Line(Goal),
    /// A line of the palette, by where it leads.
    Found(Goal),
    /// A choice of the wizard.
    Choice(Choice),
    /// A verification that can be started, by its place.
    Order(usize),
    /// A row of the logs: the number of its line, if it is one, and its time (UTC).
    Log(Option<u64>, Timestamp),
    /// A key in the footer: where it stood there, and what it does.
    Key(Scope, Action),
}
