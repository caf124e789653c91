//! Finds out what a view asks, beside the loop.

mod timeline;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::ask::{Ask, Told};
use crate::model::estate::Estate;

/// How long the cache may take to answer.
const CACHE_LIMIT: Duration = Duration::from_secs(2);

/// All that answers are made from.
#[derive(Debug, Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// The file of the cache, where there is one.
    pub cache: Option<PathBuf>,
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Timeline(from, to) => Told::Timeline(from, to, timeline::past(&self.estate, self.cache.as_deref(), from, to).await),
        }
    }
}
