//! The answers to what views asked.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::backup::Proofs;
use crate::model::check::Check;
use crate::model::deployment::Deployment;
use crate::model::deployment::did::Did;
use crate::model::deployment::diff::Comparison;
use crate::model::deployment::dora::Table;
use crate::model::deployment::list::Piece;
use crate::model::log::Heard;
use crate::model::plan::Planned;
use crate::model::timeline::Event;
use crate::model::window::{Names, RangeTold};

use super::chart::Slot;
use super::contexts::Looked;
use super::prompt::WordsOf;
use super::verifying::News;
use super::views::View;

use super::ask::Exported;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What the files of estates say, by name; else why one cannot be used.
    Contexts(Vec<(String, Result<Looked, String>)>),
    /// The estate of that name can be opened, or why not, a line each.
    Context(String, Result<(), Vec<String>>),
    /// A piece of the list.
    Deployments(Rows),
    /// How many pass.
    DeploymentCount {
        /// The question's number.
        number: u64,
        /// So many, at the least.
        count: usize,
        /// True where it is all of them.
        done: bool,
    },
    /// What was deployed before and after one, where anything was.
    DeploymentNeighbours {
        /// The key of that one.
        key: Arc<str>,
        /// The one before it, which is older.
        before: Option<Arc<Deployment>>,
        /// The one after it, which is newer.
        after: Option<Arc<Deployment>>,
    },
    /// How far the export of that number is.
    Export(u64, Exported),
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
    /// News of the verification of the source at that place.
    Verification(usize, Box<News>),
    /// What the journal now says of all backups, and why it cannot be read, or not to its end.
    Proofs(Arc<Proofs>, Option<String>),
    /// A request lies before the runner of that run; `Err` says why it does not.
    Requested {
        /// The run.
        run: String,
        /// How it ended.
        end: Result<(), String>,
    },
    /// What one place logs.
    Logs {
        /// The view's number.
        view: u64,
        /// The place's number in it.
        index: usize,
        /// Its lines; `Err` is why there are none.
        heard: Result<Heard, String>,
    },
    /// What happened between the two moments that were asked for.
    Timeline(Timestamp, Timestamp, Past),
    /// A plan, or why there is none.
    Plan {
        /// Its number.
        number: u64,
        /// It; `Err` is a sentence.
        result: Result<Arc<Planned>, String>,
    },
    /// One of the hosts that are asked for a plan or its checks answered. It may be left out: the whole follows.
    Heard {
        /// The plan's number.
        number: u64,
        /// The host.
        host: String,
        /// Why it could not be asked.
        end: Result<(), String>,
    },
    /// The checks of a plan, all of them.
    Checks {
        /// The plan's number.
        number: u64,
        /// Them.
        checks: Vec<Check>,
    },
    /// The runner of a plan lives, or why not and what to do next.
    Started {
        /// The plan's number.
        number: u64,
        /// The run's id; `Err` is a sentence or two.
        result: Result<String, String>,
    },
    /// A view is in the file, or why not.
    ViewSaved {
        /// It.
        view: Box<View>,
        /// `Err` is a sentence; the file is then as it was.
        end: Result<(), String>,
    },
    /// What was made ready is dropped.
    Closed,
    /// What came of copying a text, as a sentence.
    Copied(String),
    /// The theme is kept for the next start; else why not.
    ThemeKept(Result<(), String>),
    /// The queries that this person typed, the newest first; `Err` says why they are not known or not kept.
    Queries(Result<Vec<String>, String>),
    /// The names of the metrics of one source.
    Names {
        /// Its name.
        source: String,
        /// Them; `Err` is one line.
        result: Result<Names, String>,
    },
    /// The labels of some series, or the values of one.
    Words {
        /// Which.
        of: WordsOf,
        /// Them; `Err` is one line.
        result: Result<Names, String>,
    },
    /// A window of a panel, or why there is none.
    Chart {
        /// What for.
        slot: Slot,
        /// The question's number.
        number: u64,
        /// It; `Err` is one line.
        result: Result<Arc<RangeTold>, String>,
    },
}

/// A piece of the list of deployments.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The question's number.
    pub number: u64,
    /// True where it is all that was asked for; else more of it follows.
    pub done: bool,
    /// The rows; `Err` says why there are none, as a sentence.
    pub piece: Result<Piece, String>,
    /// The whole list, whatever is let through.
    pub whole: Whole,
}

/// A whole list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whole {
    /// Its rows.
    pub total: usize,
    /// When the oldest and the newest of them began; `None` where there is none.
    pub reach: Option<(Timestamp, Timestamp)>,
}

/// What the newest readings do not tell of a time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// What consoles saw, and what a Prometheus tells of alerts, with the times in which neither looked.
    pub events: Vec<Event>,
    /// What could not be read, and what there was more of than is told: each a cleaned line that names the source.
    pub notes: Vec<Arc<str>>,
}
