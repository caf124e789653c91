//! Runs seen as deployments: what the journal tells the index of deployments, beside the sources.

use std::path::Path;
use std::sync::Arc;

use super::attach::Runs;
use crate::journal::JournalError;
use crate::model::deployment::Deployment;
use crate::model::deployment::news::News;
use crate::model::estate::Estate;
use crate::model::run::deployed::deployments;

/// All that these runs did to the estate's services, the newest first. It replaces what the journal told before: how a run
/// ended is known later than that it began.
pub fn news(runs: &Runs, estate: &Estate) -> News {
    let mut rows: Vec<Arc<Deployment>> = runs.all().iter().rev().flat_map(|state| deployments(state, estate)).map(Arc::new).collect();
    rows.sort_by_key(|one| std::cmp::Reverse(one.at));
    News::whole(rows)
}

/// The same, read from the journal at that path; nothing where there is none. It blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn read(journal: &Path, estate: &Estate) -> Result<News, JournalError> {
    let mut runs = Runs::default();
    runs.read(journal)?;
    Ok(news(&runs, estate))
}
