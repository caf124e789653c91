//! What a view asks of the world once, beside the polls: each question ends in one answer, unless the console ends first.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::deployment::Deployment;
use crate::model::deployment::did::{Did, Span};
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::Table;

/// A question. The session finds the answer out beside the loop, with a deadline; a view that asks again ignores the
/// answers to what it asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What a deployment did.
    Did(AskDid),
    /// What is different between two releases.
    Diff {
        /// The first.
        from: Arc<Deployment>,
        /// The second.
        to: Arc<Deployment>,
    },
    /// DORA's measures of all services.
    Dora {
        /// The days of the window.
        days: u16,
        /// Its end.
        now: Timestamp,
        /// What is known, the newest first.
        rows: Arc<Vec<Arc<Deployment>>>,
    },
}

/// Which deployment, and what of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AskDid {
    /// Its key.
    pub key: Arc<str>,
    /// The time that is judged.
    pub span: Span,
    /// True where nothing will add to it.
    pub ended: bool,
    /// Panels as places in the estate, each with the time between two of its samples.
    pub panels: Vec<(usize, SignedDuration)>,
    /// Panels beyond those.
    pub left: usize,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What a deployment did.
    Did {
        /// Its key.
        key: Arc<str>,
        /// It.
        did: Arc<Did>,
    },
    /// What is different between two releases.
    Diff {
        /// The first's key.
        from: Arc<str>,
        /// The second's.
        to: Arc<str>,
        /// It.
        found: Arc<Comparison>,
    },
    /// DORA's measures.
    Dora {
        /// Them; without any row where computing them failed.
        table: Arc<Table>,
    },
}
