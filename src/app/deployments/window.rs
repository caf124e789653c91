//! The rows of the Deployments pane that are held: a window around what is looked at, of a list that may be a million
//! long. What is wanted beyond it is asked for before its edge is reached.

mod asking;
mod taking;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::ask::{Want, Whole};
use crate::app::filter::Filter;
use crate::app::state::State;
use crate::model::deployment::Deployment;

pub use asking::go_on;
pub use taking::{count_is, go_to, kept, neighbours_are, settle, take, walk};

/// Keys that wait for a piece; more are a key that got stuck.
const KEPT: usize = 100;

/// What the cursor does when a piece is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Stays with its row; goes to that row's neighbour where it is gone.
    Stay,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// To the first row that is no newer.
    At(Timestamp),
}

/// What is being asked.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    want: Want,
    aim: Aim,
}

/// How many rows pass the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hits {
    /// So many at the least: they are still being counted.
    AtLeast(usize),
    /// So many.
    All(usize),
}

/// The older one, then the newer one.
pub type Pair = (Option<Arc<Deployment>>, Option<Arc<Deployment>>);

/// What was deployed before and after the deployment whose detail is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Its key.
    pub key: Arc<str>,
    /// The older one, then the newer one; `None` while nobody has told.
    pub told: Option<Pair>,
}

/// The window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its rows, the newest first.
    pub rows: Vec<Arc<Deployment>>,
    /// True where newer rows pass, or may pass, that are not in it.
    pub newer: bool,
    /// The same of older rows.
    pub older: bool,
    /// How many rows pass.
    pub hits: Hits,
    /// The whole list, whatever passes.
    pub whole: Whole,
    /// Why there is no answer, where there is none.
    pub error: Option<String>,
    /// Of the open detail.
    pub neighbours: Option<Neighbours>,
    /// True where something indexed answers; else the view's own rows do.
    pub indexed: bool,
    /// The number of the last export, and whether it is under way.
    pub exports: u64,
    /// True while it is being written.
    pub exporting: bool,
    filter: Filter,
    /// The view's rows that it was filled from.
    seen: Arc<Vec<Arc<Deployment>>>,
    /// True where the rows may be out of date.
    stale: bool,
    /// True where the rows that pass are to be counted anew.
    uncounted: bool,
    /// The number of the last question, and of the one that counts.
    number: u64,
    counting: u64,
    asked: Option<Asked>,
    jump: Option<Asked>,
    kept: VecDeque<Action>,
}

impl Default for Window {
    fn default() -> Self {
        Window {
            rows: Vec::new(),
            newer: false,
            older: true,
            hits: Hits::AtLeast(0),
            whole: Whole::default(),
            error: None,
            neighbours: None,
            indexed: false,
            exports: 0,
            exporting: false,
            filter: Filter::default(),
            seen: Arc::default(),
            stale: true,
            uncounted: true,
            number: 0,
            counting: 0,
            asked: None,
            jump: None,
            kept: VecDeque::new(),
        }
    }
}

impl Window {
    /// True where no filter leaves any row out between those that are held.
    pub fn is_whole(&self) -> bool {
        self.filter.is_empty() && !self.rows.is_empty()
    }

    /// A window of which nothing is known yet, and which an index answers.
    pub fn over_index() -> Window {
        Window { indexed: true, ..Window::default() }
    }

    /// True while an answer is awaited without which what is seen is not all there.
    pub fn waits(&self) -> bool {
        let beyond = |asked: &Asked| !matches!(asked.want, Want::After(_) | Want::Before(_));
        let unasked = self.indexed && self.stale && self.rows.is_empty();
        unasked || self.asked.as_ref().or(self.jump.as_ref()).is_some_and(beyond) || !self.kept.is_empty()
    }

    /// The row with that key, where it is held.
    pub fn find(&self, key: &str) -> Option<&Arc<Deployment>> {
        let near = self.neighbours.iter().filter_map(|near| near.told.as_ref()).flat_map(|(before, after)| [before, after]).flatten();
        self.rows.iter().chain(near).find(|one| &*one.key == key)
    }

    /// The history may have changed.
    pub fn outdate(&mut self) {
        self.stale = true;
        // What came before and after the one that is looked at may be another now: it is asked again.
        self.neighbours = None;
    }

    /// What is being asked is asked again: nobody answers.
    pub fn ask_again(&mut self) {
        self.jump = self.asked.take().or(self.jump.take());
        self.uncounted = true;
    }

    /// True while the rows that the cursor is to go to are not there: what is done meanwhile waits.
    pub fn holds(&self) -> bool {
        !self.kept.is_empty() || [&self.asked, &self.jump].into_iter().flatten().any(|asked| asked.aim != Aim::Stay)
    }

    /// Keeps an action until the rows are there; false where they are.
    pub fn keep(&mut self, action: Action) -> bool {
        let holds = self.holds();
        if holds && self.kept.len() < KEPT {
            self.kept.push_back(action);
        }
        holds
    }
}

/// Lines of the list: the last line of the pane tells where one is.
pub fn height(state: &State) -> usize {
    state.body_height().saturating_sub(1).max(1)
}
