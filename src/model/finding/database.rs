//! Findings about databases: each trouble that the nodes' answers come to.

use std::sync::Arc;

use jiff::Timestamp;

use super::builtin::About;
use crate::model::alert::Alert;
use crate::model::database::{DatabaseAnswer, troubles};
use crate::model::estate::SourceKind;

impl About<'_> {
    /// What is found of a database. A lag is judged as of the poll that saw it: an old one is no less and no more.
    pub(super) fn database(&self, answer: &DatabaseAnswer, as_of: Timestamp, all: &mut Vec<Arc<Alert>>) {
        let SourceKind::Database(database) = &self.source.kind else { return };
        let name = &self.source.name;
        for trouble in troubles(database, answer) {
            // A trouble that grows worse is the same one.
            let id = format!("database {name:?} {:?} {:?}", trouble.kind.name(), trouble.of);
            let summary = format!("{name}: {}", trouble.what);
            let since = trouble.since.unwrap_or(as_of).min(as_of);
            self.push(id, trouble.kind.name(), trouble.severity, &summary, since, as_of, all);
        }
    }
}
