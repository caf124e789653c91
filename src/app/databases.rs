//! The Databases pane: a head for each database, below it its nodes, each as it told of itself.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::model::database::{Database, DatabaseAnswer, Node, NodeAt};
use crate::model::estate::{Source, SourceKind};
use crate::model::reading::Freshness;
use crate::model::source::Answer;

use super::state::State;
use super::subject::Subject;

/// One line of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseRow {
    /// A database, by its place among the estate's sources.
    Head(usize),
    /// A node of it, by its place in the estate file.
    Node(usize, usize),
}

/// A database with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The source.
    pub source: &'a Source,
    /// What the estate file says.
    pub database: &'a Database,
    /// The last answer, however old.
    pub answer: Option<&'a DatabaseAnswer>,
    /// How old.
    pub freshness: Freshness,
}

impl<'a> Known<'a> {
    /// The node at that place of the estate file, with what it said last.
    pub fn node(&self, place: usize) -> Option<(&'a NodeAt, Option<&'a Node>)> {
        let at = self.database.nodes.get(place)?;
        let said = self.answer.and_then(|answer| answer.nodes.get(place)).filter(|node| node.name == at.name);
        Some((at, said))
    }
}

/// The database at that place among the sources; `None` where it is something else.
pub fn known(state: &State, index: usize) -> Option<Known<'_>> {
    let (source, reading) = (state.estate.sources.get(index)?, state.shown_readings().get(index)?);
    let SourceKind::Database(database) = &source.kind else { return None };
    let answer = match reading.held.as_ref().map(|held| &held.value) {
        Some(Answer::Database(answer)) => Some(&**answer),
        _ => None,
    };
    Some(Known { source, database, answer, freshness: reading.freshness(state.now) })
}

/// The lines that the filter leaves: a database without a node that matches has no head either.
pub fn rows(state: &State) -> Vec<DatabaseRow> {
    let mut rows = Vec::new();
    for index in 0..state.estate.sources.len() {
        let Some(known) = known(state, index) else { continue };
        let left = |place: &usize| {
            known.node(*place).is_some_and(|(at, node)| {
                let freshness = known.freshness;
                state.databases.filter.matches(&OfNode { source: known.source, at, node, freshness }, state.now)
            })
        };
        let nodes: Vec<usize> = (0..known.database.nodes.len()).filter(left).collect();
        if !nodes.is_empty() {
            rows.push(DatabaseRow::Head(index));
            rows.extend(nodes.into_iter().map(|place| DatabaseRow::Node(index, place)));
        }
    }
    rows
}

/// What tells a line from others: the database's and the node's names. A head cannot be selected.
pub fn id(state: &State, row: usize) -> Option<(String, String)> {
    let DatabaseRow::Node(index, place) = *state.database_rows.get(row)? else { return None };
    let known = known(state, index)?;
    let (at, _) = known.node(place)?;
    Some((known.source.name.clone(), at.name.clone()))
}

/// One node, as a filter sees it.
#[derive(Debug, Clone, Copy)]
pub struct OfNode<'a> {
    source: &'a Source,
    at: &'a NodeAt,
    node: Option<&'a Node>,
    freshness: Freshness,
}

impl OfNode<'_> {
    fn role(&self) -> &'static str {
        self.node.map_or("?", Node::role)
    }

    fn state(&self) -> &'static str {
        match self.node {
            _ if self.freshness != Freshness::Fresh => self.freshness.word(),
            Some(Node { said: Some(_), .. }) => "ok",
            _ => "gone",
        }
    }
}

impl Subject for OfNode<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        test(&self.at.name) || test(&self.source.name) || test(self.role()) || test(self.state())
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" => Some(self.at.name.as_str().into()),
            "source" => Some(self.source.name.as_str().into()),
            "service" => self.source.service.as_deref().map(Cow::Borrowed),
            "role" => Some(self.role().into()),
            "state" => Some(self.state().into()),
            _ => None,
        }
    }

    fn label(&self, _name: &str) -> Option<&str> {
        None
    }

    fn age(&self, _now: Timestamp) -> Option<SignedDuration> {
        None
    }
}
