//! Finds out what a view asks, beside the loop.

pub mod deployments;
mod export;

use std::sync::Arc;

use crate::app::ask::{Ask, Told};
use crate::model::estate::Estate;

use deployments::Index;

/// All that answers are made from.
#[derive(Clone)]
pub struct Desk {
    /// What the console watches.
    pub estate: Arc<Estate>,
    /// What was deployed.
    pub deployments: Index,
    /// Where what is known early is told before the answer.
    pub early: Arc<dyn Fn(Told) + Send + Sync>,
}

impl Desk {
    /// The answer. Ends by its own deadline.
    pub async fn answer(&self, ask: Ask) -> Told {
        match ask {
            Ask::Deployments(question) => self.deployments.piece(question, self.early.clone()).await,
            Ask::DeploymentCount { number, plan } => self.deployments.count(number, plan, self.early.clone()).await,
            Ask::DeploymentNeighbours(of) => self.deployments.neighbours(of).await,
            Ask::Export(export) => self.deployments.export(export, self.early.clone()).await,
            Ask::StopExport => self.deployments.stop_export(),
        }
    }
}
