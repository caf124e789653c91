//! The logs of a service or a host as they are shown: what was told, what of it passes the filter, where one reads, and
//! what is asked for next. New lines never move what a person reads.

pub mod line;
mod rows;
mod search;
mod text;

use jiff::{SignedDuration, Timestamp};

use crate::model::log::{Heard, Level, Lines, Mark, Of, Place, Wanted, places};
use crate::model::timeline::Event;

use super::ask::{Ask, AskLogs};
use super::effect::Effect;
use super::filter::Filter;
use super::layer::{Layer, Scope};
use super::state::State;

pub use rows::{Row, foot, head, height, jump, level, notes, pick, refresh, renew, walk};
pub use search::{hit, position, seek};
pub use text::text;

/// Between two questions to a place while it is followed.
const LOOK: SignedDuration = SignedDuration::from_secs(1);
/// The same of a place that could not be read.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Places that are asked side by side.
const AT_ONCE: usize = 16;
/// Lines of the first answer of a place.
const FIRST: usize = 500;
/// Lines of each answer after it.
const NEXT: usize = 1_000;
/// Full answers in a row after which lines are passed over: it prints faster than it is read.
const FULL: u8 = 3;
/// How far before and after a moment it is read.
const AROUND: SignedDuration = SignedDuration::from_mins(5);
/// Notes of one place.
const NOTES: usize = 4;

/// What the layer on the stack says: whose logs, and around which moment.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Whose.
    pub of: Of,
    /// Around this moment (UTC); the newest where `None`.
    pub at: Option<Timestamp>,
}

/// One place, as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceView {
    /// It.
    pub place: Place,
    /// Why its last answer is none.
    pub fault: Option<String>,
    /// What must be known of it.
    pub notes: Vec<String>,
    /// How far its clock is ahead, in milliseconds.
    pub ahead: Option<i64>,
    /// True once it answered.
    pub heard: bool,
    /// The time of its newest line.
    newest: Option<Timestamp>,
    mark: Option<Mark>,
    asked: bool,
    next: Timestamp,
    full: u8,
}

impl PlaceView {
    /// Nothing was asked of it.
    fn new(place: Place, now: Timestamp) -> PlaceView {
        PlaceView {
            place,
            fault: None,
            notes: Vec::new(),
            ahead: None,
            heard: false,
            newest: None,
            mark: None,
            asked: false,
            next: now,
            full: 0,
        }
    }
}

/// The logs that are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Logs {
    /// Tells its questions from those of views before.
    number: u64,
    /// Whose.
    pub view: View,
    /// Where they are; `Err` is a sentence that says which key to add.
    pub places: Result<Vec<PlaceView>, String>,
    /// What they told.
    pub lines: Lines,
    /// True while new lines are asked for.
    pub following: bool,
    /// True where only errors are shown: the places are asked for them.
    pub errors: bool,
    /// Meanwhile, how far all lines were read, and they.
    aside: Option<Box<(Vec<PlaceView>, Lines)>>,
    /// True where all lines are shown, and those that match the filter are marked.
    pub among: bool,
    /// Which lines are shown.
    pub filter: Filter,
    /// The filter as it is typed.
    pub typed: String,
    /// Why that is none.
    pub error: Option<String>,
    /// True while it is typed.
    pub typing: bool,
    /// The filter before it was typed.
    pub former: Filter,
    /// True where the selected line is shown whole.
    pub whole: bool,
    /// What else happened in that time, the oldest first.
    events: Vec<Event>,
    /// When that was last looked at.
    looked: Option<Timestamp>,
    /// What is shown, the oldest first.
    pub rows: Vec<Row>,
    /// The selected row; the last one where one stands at the end.
    pub row: usize,
    /// The first row on the screen.
    pub offset: usize,
    /// Where a filter is on: the places of the rows that match it.
    pub hits: Vec<usize>,
    /// True where one stands at the end: what comes moves the screen.
    pub at_end: bool,
    /// The number of the newest line when the end was left.
    seen: u64,
}

impl Logs {
    fn new(state: &State, number: u64, view: View) -> Logs {
        let all = places(&state.estate, &view.of);
        let of = |place| PlaceView::new(place, state.now);
        Logs {
            number,
            following: view.at.is_none(),
            at_end: view.at.is_none(),
            view,
            places: all.map(|all| all.into_iter().map(of).collect()),
            lines: Lines::default(),
            errors: false,
            aside: None,
            among: false,
            filter: Filter::default(),
            typed: String::new(),
            error: None,
            typing: false,
            former: Filter::default(),
            whole: false,
            events: Vec::new(),
            looked: None,
            rows: Vec::new(),
            row: 0,
            offset: 0,
            hits: Vec::new(),
            seen: 0,
        }
    }

    /// The places; none where nothing says where they are.
    pub fn all(&self) -> &[PlaceView] {
        self.places.as_deref().unwrap_or_default()
    }

    /// How many lines came below since the end was left.
    pub fn below(&self) -> usize {
        if self.at_end || self.view.at.is_some() {
            0
        } else {
            self.rows.iter().rev().filter(|row| row.number().is_some_and(|number| number > self.seen)).count()
        }
    }

    /// True where no place answered yet, and none has failed.
    pub fn waits(&self) -> bool {
        self.all().iter().all(|place| !place.heard && place.fault.is_none())
    }
}

/// The view on top of the stack or below what lies on it.
pub fn view(state: &State) -> Option<&View> {
    state.layers.iter().rev().find_map(|layer| match layer {
        Layer::Logs(view) => Some(view),
        _ => None,
    })
}

/// The scope while their filter is typed: arrows go on to scroll.
pub fn typing(state: &State) -> Option<Scope> {
    let typing = state.logs.as_ref().is_some_and(|logs| logs.typing);
    (typing && matches!(state.layers.last(), Some(Layer::Logs(_)))).then_some(Scope::Palette)
}

/// What is to be asked now; opens what came onto the stack, and ends what left it.
pub fn wanted(state: &mut State) -> Vec<Effect> {
    let view = view(state).cloned();
    match (&view, &state.logs) {
        (None, None) => return Vec::new(),
        (None, Some(logs)) => {
            let number = logs.number;
            state.logs = None;
            return vec![Effect::Ask(Box::new(Ask::CloseLogs(number)))];
        }
        (Some(view), logs) if logs.as_ref().is_none_or(|logs| logs.view != *view) => {
            state.log_views += 1;
            state.logs = Some(Box::new(Logs::new(state, state.log_views, view.clone())));
            refresh(state);
        }
        _ => {}
    }
    let (now, frozen) = (state.now, state.frozen.is_some());
    let Some(logs) = &mut state.logs else { return Vec::new() };
    let (number, following, at) = (logs.number, logs.following && !frozen, logs.view.at);
    let worst = logs.errors.then_some(Level::Error);
    let Ok(places) = &mut logs.places else { return Vec::new() };
    let mut room = AT_ONCE.saturating_sub(places.iter().filter(|place| place.asked).count());
    let mut effects = Vec::new();
    for (index, place) in places.iter_mut().enumerate() {
        let due = !place.asked && place.next <= now && (following || !(place.heard || place.fault.is_some()));
        if !due || room == 0 {
            continue;
        }
        room -= 1;
        place.asked = true;
        let around = |by: SignedDuration| at.and_then(|at| at.checked_add(by).ok());
        let wanted = Wanted {
            lines: if place.mark.is_some() { NEXT } else { if at.is_some() || worst.is_some() { NEXT } else { FIRST } },
            after: place.mark.clone(),
            since: around(-AROUND),
            until: around(AROUND),
            worst,
        };
        effects.push(Effect::Ask(Box::new(Ask::Logs(AskLogs { view: number, index, place: place.place.clone(), wanted }))));
    }
    effects
}

/// Asks for errors only, or goes on with all lines where they were left. What is known of either is shown at once; answers
/// to what was asked before come to nobody.
pub fn ask_errors(state: &mut State, on: bool) {
    let now = state.now;
    let Some(logs) = state.logs.as_mut().filter(|logs| logs.errors != on) else { return };
    state.log_views += 1;
    (logs.errors, logs.number) = (on, state.log_views);
    if let Ok(places) = &mut logs.places {
        if on {
            let errors = logs.lines.only(line::is_error);
            let anew = places.iter().map(|place| PlaceView::new(place.place.clone(), now)).collect();
            let before = (std::mem::replace(places, anew), std::mem::replace(&mut logs.lines, errors));
            logs.aside = Some(Box::new(before));
        } else if let Some(before) = logs.aside.take() {
            (*places, logs.lines) = *before;
            for place in places {
                (place.asked, place.next) = (false, now);
            }
        }
    }
    refresh(state);
}

/// When a place is asked next.
pub fn wake(state: &State) -> Option<Timestamp> {
    let logs = state.logs.as_ref().filter(|logs| logs.following && state.frozen.is_none())?;
    logs.all().iter().filter(|place| !place.asked).map(|place| place.next).min()
}

/// A place answered.
pub fn told(state: &mut State, number: u64, index: usize, heard: Result<Heard, String>) {
    let now = state.now;
    let Some(logs) = state.logs.as_mut().filter(|logs| logs.number == number) else { return };
    let Some(place) = logs.places.as_mut().ok().and_then(|places| places.get_mut(index)) else { return };
    place.asked = false;
    match heard {
        Err(why) => {
            place.fault = Some(why);
            place.next = now.checked_add(AGAIN).unwrap_or(now);
        }
        Ok(heard) => take(place, &mut logs.lines, logs.errors, heard, now),
    }
    renew(state);
}

fn take(place: &mut PlaceView, all: &mut Lines, errors: bool, heard: Heard, now: Timestamp) {
    let first = !place.heard;
    if first && errors {
        // They were shown until it answered, and are told again.
        all.forget(&place.place.name);
    }
    (place.fault, place.heard) = (None, true);
    place.ahead = heard.ahead.or(place.ahead.filter(|_| heard.lines.is_empty()));
    for note in heard.notes {
        note_once(&mut place.notes, note);
    }
    // A mark of a second, and not of a line: what was told before it is told again.
    let again = matches!(place.mark, Some(Mark::Since(_)));
    let mut lines = heard.lines;
    if let Some(newest) = place.newest.filter(|_| again) {
        lines.retain(|line| line.at > newest);
    }
    place.newest = lines.last().map(|line| line.at).max(place.newest);
    place.mark = heard.mark;
    all.take(&place.place.name.clone(), lines);
    place.next = now.checked_add(LOOK).unwrap_or(now);
    place.full = if heard.passed && !first { place.full.saturating_add(1) } else { 0 };
    if place.full == 0 {
        return;
    }
    // More is there: it is asked for at once, and where that never ends, the newest are.
    place.next = now;
    if place.full >= FULL {
        (place.full, place.next) = (0, now.checked_add(LOOK).unwrap_or(now));
        if let (Some(newest), Some(Mark::Cursor(_))) = (place.newest, &place.mark) {
            place.mark = Some(Mark::Since(newest.as_second()));
        }
        note_once(&mut place.notes, format!("{}: prints faster than it can be read: some lines are missing", place.place.name));
    }
}

fn note_once(notes: &mut Vec<String>, note: String) {
    notes.retain(|one| *one != note);
    notes.push(note);
    let more = notes.len().saturating_sub(NOTES);
    notes.drain(..more);
}
