//! The rows of the Deployments pane that are held: a window around what is looked at, of a list that may be a million
//! long. What is wanted beyond it is asked for before its edge is reached.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::ask::{Ask, Question, Rows, Want, Whole};
use crate::app::filter::{Filter, Plan};
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::model::deployment::list::Place;
use crate::model::deployment::{self, Deployment};

use super::local;

/// Screens that a piece is long, and screens beyond the one that is seen from which on more is asked for.
const PIECE: usize = 4;
const NEAR: usize = 2;
/// Screens that are held at the most on each side of the one that is seen.
const HELD: usize = 8;
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

/// What was deployed before and after the deployment whose detail is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Its key.
    pub key: Arc<str>,
    /// The older one, then the newer one; `None` while nobody has told.
    pub told: Option<(Option<Arc<Deployment>>, Option<Arc<Deployment>>)>,
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

/// What is to be asked now, so that the window fits what is looked at. Where nothing is indexed it is answered here.
pub fn go_on(state: &mut State) -> Vec<Ask> {
    let mut asks = Vec::new();
    loop {
        let found = next(state);
        if state.window.indexed || found.is_empty() {
            asks.extend(found);
            return asks;
        }
        for ask in found {
            answer(state, ask);
        }
    }
}

/// Answers from the view's own rows.
fn answer(state: &mut State, ask: Ask) {
    let (all, filter) = (state.shown().deployments.all.clone(), state.deployments.filter.clone());
    match ask {
        Ask::Deployments(question) => {
            let rows = local::rows(&all, &filter, state.now, &question);
            take(state, rows);
        }
        Ask::DeploymentCount { number, .. } => {
            let count = all.iter().filter(|one| filter.is_empty() || filter.matches(&***one, state.now)).count();
            count_is(state, number, count, true);
        }
        Ask::DeploymentNeighbours(of) => {
            let (before, after) = deployment::neighbours(&all, &of);
            neighbours_are(state, &of.key, (before.cloned(), after.cloned()));
        }
        // No other question is asked from here.
        _ => {}
    }
}

fn next(state: &mut State) -> Vec<Ask> {
    let height = height(state);
    let mut asks = Vec::new();
    let frozen = state.frozen.as_ref().map(|frozen| frozen.at);
    // Without an index what the view holds is the list; with one, whoever writes it tells of its changes.
    let all = state.shown().deployments.all.clone();
    if !state.window.indexed && !Arc::ptr_eq(&all, &state.window.seen) {
        (state.window.seen, state.window.stale) = (all, true);
    }
    if state.window.filter != state.deployments.filter {
        refilter(state);
    }
    if state.window.stale && (frozen.is_none() || !state.window.indexed) {
        let jump = stay(state, None);
        let window = &mut state.window;
        (window.stale, window.uncounted, window.error) = (false, true, None);
        // Where a jump is under way, it is asked for again.
        let under_way = window.asked.take().filter(|asked| asked.aim != Aim::Stay);
        window.jump = window.jump.take().or(under_way).or(Some(jump));
    }
    let offset = state.deployments.list.offset;
    let window = &mut state.window;
    if let Some(jump) = window.jump.take() {
        window.asked = Some(jump);
    } else if window.asked.is_none() && window.error.is_none() {
        let below = window.rows.len().saturating_sub(offset + height);
        let want = match (window.rows.last(), window.rows.first()) {
            (Some(last), _) if window.older && below < NEAR * height => Some(Want::After(Place::of(last))),
            (_, Some(first)) if window.newer && offset < NEAR * height => Some(Want::Before(Place::of(first))),
            _ => None,
        };
        window.asked = want.map(|want| Asked { want, aim: Aim::Stay });
        if window.asked.is_none() {
            count(state, frozen, &mut asks);
            neighbours(state, &mut asks);
            return asks;
        }
    } else {
        neighbours(state, &mut asks);
        return asks;
    }
    let plan = plan(state, frozen);
    let window = &mut state.window;
    if let Some(asked) = &window.asked {
        window.number += 1;
        let want = asked.want.clone();
        asks.push(Ask::Deployments(Question { number: window.number, plan, want, rows: PIECE * height }));
    }
    neighbours(state, &mut asks);
    asks
}

fn plan(state: &State, frozen: Option<Timestamp>) -> Plan {
    let mut plan = state.deployments.filter.plan(state.now);
    // What came after the view was frozen is not shown.
    if let Some(at) = frozen {
        plan.narrow.until = Some(plan.narrow.until.map_or(at, |until| until.min(at)));
    }
    plan
}

/// Counts where the window is not all of it.
fn count(state: &mut State, frozen: Option<Timestamp>, asks: &mut Vec<Ask>) {
    if !std::mem::take(&mut state.window.uncounted) {
        return;
    }
    let plan = plan(state, frozen);
    let window = &mut state.window;
    if !window.newer && !window.older {
        window.hits = Hits::All(window.rows.len());
    } else if plan.is_all() {
        window.hits = Hits::All(window.whole.total);
    } else {
        (window.counting, window.hits) = (window.number, Hits::AtLeast(window.rows.len()));
        asks.push(Ask::DeploymentCount { number: window.number, plan });
    }
}

fn neighbours(state: &mut State, asks: &mut Vec<Ask>) {
    let Some(Layer::Deployment { deployment, .. }) = state.layers.last() else { return };
    if state.window.neighbours.as_ref().is_none_or(|near| near.key != deployment.key) {
        asks.push(Ask::DeploymentNeighbours(deployment.clone()));
        let key = deployment.key.clone();
        state.window.neighbours = Some(Neighbours { key, told: None });
    }
}

/// Another filter: what is held and passes is seen at once, and the rest is asked for. Who stood on a row that passes,
/// stays there.
fn refilter(state: &mut State) {
    let (filter, now) = (state.deployments.filter.clone(), state.now);
    let jump = stay(state, Some(&filter));
    let window = &mut state.window;
    window.rows.retain(|one| filter.is_empty() || filter.matches(&**one, now));
    window.hits = Hits::AtLeast(window.rows.len());
    (window.newer, window.older, window.uncounted, window.stale, window.error) = (true, true, true, false, None);
    window.filter = filter;
    window.kept.clear();
    window.asked = None;
    window.jump = Some(jump);
    settle(state);
}

/// What keeps the cursor where it is: nothing is held still on the first screen of the list, where the newest is wanted.
fn stay(state: &State, filter: Option<&Filter>) -> Asked {
    let (list, window) = (&state.deployments.list, &state.window);
    let top = list.offset == 0 && list.row == 0 && !window.newer;
    let passes = |one: &&Arc<Deployment>| filter.is_none_or(|filter| filter.is_empty() || filter.matches(&***one, state.now));
    let place = window.rows.get(list.row).filter(passes).filter(|_| !top && state.touched).map(|one| Place::of(one));
    Asked { want: place.map_or(Want::Newest, Want::Around), aim: Aim::Stay }
}

/// A piece has come.
pub fn take(state: &mut State, told: Rows) {
    let height = height(state);
    let list = &mut state.deployments.list;
    let window = &mut state.window;
    if told.number != window.number {
        return;
    }
    let Some(Asked { want, aim }) = window.asked.clone() else { return };
    window.whole = told.whole;
    if told.done {
        window.asked = None;
    }
    let piece = match told.piece {
        Ok(piece) => piece,
        Err(why) => {
            (window.error, window.asked) = (Some(why), None);
            window.kept.clear();
            return;
        }
    };
    match want {
        Want::After(_) => {
            window.rows.extend(piece.rows);
            window.older = piece.older;
            let over = list.offset.saturating_sub(HELD * height);
            if over > 0 {
                window.rows.drain(..over);
                window.newer = true;
                (list.row, list.offset) = (list.row - over.min(list.row), list.offset - over);
            }
        }
        Want::Before(_) => {
            let more = piece.rows.len();
            window.rows.splice(0..0, piece.rows);
            window.newer = piece.newer;
            (list.row, list.offset) = (list.row + more, list.offset + more);
            let end = list.offset + (HELD + 1) * height;
            if window.rows.len() > end {
                window.rows.truncate(end);
                window.older = true;
            }
        }
        Want::Newest | Want::Oldest | Want::At(_) | Want::Around(_) => {
            let was = window.rows.get(list.row).map(|one| Place::of(one));
            (window.rows, window.newer, window.older) = (piece.rows, piece.newer, piece.older);
            if let Hits::AtLeast(known) = window.hits {
                window.hits = Hits::AtLeast(known.max(window.rows.len()));
            }
            let held = list.selected.as_ref().and_then(|key| window.rows.iter().position(|one| one.key == *key));
            let near = |place: &Place| window.rows.partition_point(|one| Place::of(one) > *place);
            let row = match aim {
                Aim::Stay if !state.touched => 0,
                // Its own place on the screen is found by the list itself.
                Aim::Stay => match (held, &was) {
                    (Some(row), _) => {
                        let untouched = want == Want::Newest && list.offset == 0 && list.row == 0;
                        list.offset = if untouched { 0 } else { (list.offset + row).saturating_sub(list.row) };
                        row
                    }
                    (None, Some(place)) => near(place),
                    (None, None) => 0,
                },
                Aim::First => 0,
                Aim::Last => window.rows.len().saturating_sub(1),
                Aim::At(at) => {
                    let row = window.rows.partition_point(|one| one.at > at);
                    list.offset = row;
                    row
                }
            };
            let row = row.min(window.rows.len().saturating_sub(1));
            list.row = row;
            list.selected = window.rows.get(row).map(|one| one.key.clone());
        }
    }
    settle(state);
}

/// The actions that waited for rows: they are done again, in their order.
pub fn kept(state: &mut State) -> VecDeque<Action> {
    if state.window.asked.as_ref().is_some_and(|asked| asked.aim != Aim::Stay) {
        return VecDeque::new();
    }
    std::mem::take(&mut state.window.kept)
}

/// So many pass.
pub fn count_is(state: &mut State, number: u64, count: usize, done: bool) {
    let window = &mut state.window;
    if number == window.counting && !window.uncounted {
        window.hits = if done { Hits::All(count) } else { Hits::AtLeast(count.max(window.rows.len())) };
    }
}

/// These stand before and after the deployment with that key.
pub fn neighbours_are(state: &mut State, key: &str, told: (Option<Arc<Deployment>>, Option<Arc<Deployment>>)) {
    if let Some(near) = state.window.neighbours.as_mut().filter(|near| &*near.key == key) {
        near.told = Some(told);
    }
}

/// Finds the selection again after the rows changed.
pub fn settle(state: &mut State) {
    let height = height(state);
    if !state.touched {
        state.deployments.list = Default::default();
    }
    let rows = &state.window.rows;
    state.deployments.list.settle(rows.len(), |row| rows.get(row).map(|one| one.key.clone()), height);
}

/// Goes to the rows of that time.
pub fn go_to(state: &mut State, at: Timestamp) {
    jump(state, Want::At(at), Aim::At(at));
}

fn jump(state: &mut State, want: Want, aim: Aim) {
    state.touched = true;
    let window = &mut state.window;
    (window.error, window.asked) = (None, None);
    window.kept.clear();
    window.jump = Some(Asked { want, aim });
}

/// Moves by that action, or keeps it until the rows are there.
pub fn walk(state: &mut State, action: Action, by: isize) {
    let height = height(state);
    let rows = state.window.rows.len();
    match action {
        Action::Top if state.window.newer || state.window.holds() => return jump(state, Want::Newest, Aim::First),
        Action::Bottom if state.window.older || state.window.holds() => return jump(state, Want::Oldest, Aim::Last),
        _ => {}
    }
    if state.window.keep(action) {
        return;
    }
    let window = &mut state.window;
    window.error = None;
    let target = state.deployments.list.row.saturating_add_signed(by);
    let short = (by > 0 && target >= rows && window.older) || (by < 0 && state.deployments.list.row < by.unsigned_abs() && window.newer);
    if short && !matches!(action, Action::Top | Action::Bottom) {
        window.kept.push_back(action);
        return;
    }
    let rows = &state.window.rows;
    state.deployments.list.step(rows.len(), |row| rows.get(row).map(|one| one.key.clone()), by, height);
}
