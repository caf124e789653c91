//! Finds out what a view asks, beside the loop.

mod did;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::app::ask::{Ask, Told};
use crate::model::deployment::dora;
use crate::model::estate::Estate;
use crate::watch::{self, Past};

/// How long two releases are compared.
const COMPARED: Duration = Duration::from_secs(30);

/// All that answers are made from.
#[derive(Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// What earlier polls saw.
    pub past: Past,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("estate", &self.estate).finish_non_exhaustive()
    }
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Did(asked) => did::answer(self, asked).await,
            Ask::Diff { from, to } => {
                let found = watch::compare(&self.estate, &from, &to, COMPARED).await;
                Told::Diff { from: from.key.clone(), to: to.key.clone(), found: Arc::new(found) }
            }
            Ask::Dora { days, now, rows } => {
                let environment = self.estate.environment.clone();
                let work = tokio::task::spawn_blocking(move || dora::table(rows.iter(), &environment, days, now));
                // It ends: the rows have an end. Only a defect makes it fail.
                let none = dora::Table { days, now, rows: Vec::new(), more: 0 };
                Told::Dora { table: Arc::new(work.await.unwrap_or(none)) }
            }
        }
    }
}
