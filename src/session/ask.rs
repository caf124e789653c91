//! Finds out what a view asks, beside the loop.

use std::sync::Arc;

use crate::app::ask::{Ask, Told};
use crate::model::estate::Estate;

use super::archive::Archive;

/// All that answers are made from.
#[derive(Debug, Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// The index of what was deployed. Asking it may block: on a thread for that.
    pub archive: Arc<Archive>,
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {}
    }
}
