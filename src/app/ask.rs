//! What a view asks of the world once, beside the polls: each question ends in one answer, unless the console ends first.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::backup::Order;
use crate::model::deployment::Deployment;
use crate::model::deployment::did::Span;
use crate::model::deployment::list;
use crate::model::log::{Place, Wanted};
use crate::model::plan::silence::Wish;
use crate::model::plan::{Deed as Act, Plan as Deed};
use crate::model::run::{Agreement, Request};
use crate::model::window::RangeAsk;

use super::chart::Slot;
use super::filter::Plan;
use super::prompt::WordsOf;
use super::views::View;

pub use super::told::{Past, Rows, Told, Whole};

/// A question. The session finds the answer out beside the loop, with a deadline; a view that asks again ignores the
/// answers to what it asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A piece of the list of deployments. What is found early may be told before the rest.
    Deployments(Question),
    /// How many deployments pass. May be told as it grows.
    DeploymentCount {
        /// Its number.
        number: u64,
        /// Which.
        plan: Plan,
    },
    /// The deployments of the same service and place before and after this one.
    DeploymentNeighbours(Arc<Deployment>),
    /// Writes deployments to a file. Its progress is told on the way.
    Export(Export),
    /// Stops the writing; the file is not there then.
    StopExport,
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
    /// Verify a backup; it is told as it goes on.
    Verify(Box<Order>),
    /// Stop verifying the source at that place.
    StopVerification(usize),
    /// Ask this of the run of that id: its runner takes it up, and the journal tells what came of it.
    Request {
        /// The run.
        run: String,
        /// What.
        request: Request,
    },
    /// Have a new runner take up the run of that id, whose own is gone. It ends in [`Told::Requested`].
    TakeUp {
        /// The run.
        run: String,
        /// Why.
        reason: String,
    },
    /// What one place logs. A question of a later view ends those of earlier ones.
    Logs(AskLogs),
    /// The view of that number is left: its questions end, and what was opened for them.
    CloseLogs(u64),
    /// What happened between two moments (UTC), as far as the newest readings do not tell it.
    Timeline(Timestamp, Timestamp),
    /// Make a plan, and make ready what would carry it out. Nothing is changed.
    Plan {
        /// Its number.
        number: u64,
        /// Of what.
        wish: WishOf,
    },
    /// Make the checks of a plan anew, and the plan too: where that is another one now, it is told with the same number.
    Check {
        /// The plan's number.
        number: u64,
        /// It.
        plan: Arc<Deed>,
        /// What it is made anew of.
        wish: WishOf,
    },
    /// Carry out a plan that was agreed to.
    Start {
        /// The plan's number.
        number: u64,
        /// It.
        plan: Arc<Deed>,
        /// What the person agreed to.
        agreement: Agreement,
    },
    /// Give this text to tmux.
    Copy(String),
    /// Add a view to the file of views.
    SaveView {
        /// The file.
        file: String,
        /// It.
        view: Box<View>,
    },
    /// Keep this theme for the next start.
    KeepTheme {
        /// The file.
        file: String,
        /// Its name, or `auto`.
        theme: String,
    },
    /// What the files of the estates that have a name say.
    Contexts,
    /// Read the estate file of that name, to open it.
    Context(String),
    /// Drop what was made ready: nothing follows from the plans that were asked for.
    Close,
    /// A window of a panel. Whatever was asked before for the same slot is given up.
    Chart {
        /// What for.
        slot: Slot,
        /// Its number: they rise.
        number: u64,
        /// Which.
        ask: RangeAsk,
    },
    /// Give up what was asked for charts by numbers below this.
    StopCharts(u64),
    /// What queries this person typed before.
    Queries,
    /// Keep this query among them.
    KeepQuery(String),
    /// The names of the metrics of the Prometheus of that name.
    Names(String),
    /// The labels of some series, or the values of one.
    Words(WordsOf),
    /// Writes the numbers of a chart to a file; told as an export is.
    ExportChart {
        /// Its number.
        number: u64,
        /// The whole path; it ends in `.csv`.
        path: String,
        /// What is written.
        text: Arc<str>,
        /// The one folder that is made where it is not there.
        folder: Option<String>,
        /// True where a file of that name is replaced.
        replace: bool,
    },
}

/// Asks what one place logs.
#[derive(Debug, Clone, PartialEq)]
pub struct AskLogs {
    /// The view's number.
    pub view: u64,
    /// The place's number in it.
    pub index: usize,
    /// It.
    pub place: Place,
    /// Which lines.
    pub wanted: Wanted,
}

/// What a plan is to be made of.
#[derive(Debug, Clone, PartialEq)]
pub enum WishOf {
    /// A service goes back to an earlier release.
    Rollback {
        /// The service.
        service: String,
        /// The version to go back to; `None` leaves it to the plan.
        to: Option<String>,
        /// Hosts that are left out, as by `--without` on the command line.
        without: Vec<String>,
    },
    /// What runs of a service is restarted, stopped or started.
    Processes {
        /// Which of the three.
        deed: Act,
        /// The service.
        service: String,
        /// The hosts on which it is done; all where none is named.
        hosts: Vec<String>,
    },
    /// Alerts are muted, or a mute gets another end.
    Silence {
        /// The Alertmanager, by its name in the estate file.
        source: String,
        /// What is to be done. It names the end as a moment, so that the same plan can be made again.
        wish: Wish,
        /// Why: it is written into the silence.
        reason: String,
    },
}

/// Asks for deployments in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Its number.
    pub number: u64,
    /// The whole path; its ending says the format: `.csv`, `.json` or `.jsonl`.
    pub path: String,
    /// Which are written.
    pub plan: Plan,
    /// These are written where nothing is indexed.
    pub rows: Option<Vec<Arc<Deployment>>>,
    /// The one folder that is made where it is not there.
    pub folder: Option<String>,
    /// True where a file of that name is replaced.
    pub replace: bool,
}

/// How far an export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// So many are written.
    Rows(usize),
    /// All of them, so many.
    Done(usize),
    /// There is such a file, and it is as it was.
    Exists,
    /// Nothing is there; why, as a sentence.
    Failed(String),
    /// It was stopped, and nothing is there.
    Stopped,
}

/// Asks for a piece of the list of deployments.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its number: of several only the answer to the last is wanted.
    pub number: u64,
    /// Which rows are let through.
    pub plan: Plan,
    /// Which of them.
    pub want: Want,
    /// How many.
    pub rows: usize,
}

/// Which rows of a list are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
    /// Those no newer than this.
    At(Timestamp),
    /// Those on both sides of this place, and the one there.
    Around(list::Place),
    /// Those just older than this place.
    After(list::Place),
    /// Those just newer than this place.
    Before(list::Place),
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
