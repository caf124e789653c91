//! The Timeline pane: what happened, of one service or of all, in a window of time. What the newest readings tell is there
//! as soon as it is merged, which is done beside the loop; what consoles saw and what a Prometheus remembers comes after it.

mod fold;
mod merging;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::Alert;
use crate::model::estate::{Estate, Severity};
use crate::model::health::PanelView;
use crate::model::label::Labels;
use crate::model::metric::Plot;
use crate::model::panel::Panel;
use crate::model::timeline::{Event, Kind, Link, acts};

use super::ask::{Ask, Past};
use super::effect::Effect;
use super::layer::{Layer, Pane};
use super::state::{AlertRow, OverviewRow, PaneList, State};
use crate::model::needs::About;

pub use fold::{Fold, said};
pub(crate) use merging::Question;
pub use merging::{Merged, Merging};

/// Events of this run that are kept in memory.
pub const SEEN_CAP: usize = 2_000;
/// How long after an alert's begin a window around it goes on.
const AFTER: SignedDuration = SignedDuration::from_mins(30);

/// How much time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// Half an hour.
    Half,
    /// Two hours.
    #[default]
    Hours,
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Window {
    /// `30m`, `2h`, `24h` or `7d`.
    pub fn word(self) -> &'static str {
        match self {
            Window::Half => "30m",
            Window::Hours => "2h",
            Window::Day => "24h",
            Window::Week => "7d",
        }
    }

    /// How long it is.
    pub fn length(self) -> SignedDuration {
        match self {
            Window::Half => SignedDuration::from_mins(30),
            Window::Hours => SignedDuration::from_hours(2),
            Window::Day => SignedDuration::from_hours(24),
            Window::Week => SignedDuration::from_hours(7 * 24),
        }
    }

    /// The next longer or shorter one; at the end it stays.
    pub fn next(self, longer: bool) -> Window {
        match (self, longer) {
            (Window::Half, true) | (Window::Day, false) => Window::Hours,
            (Window::Hours, true) | (Window::Week, false) => Window::Day,
            (Window::Day | Window::Week, true) => Window::Week,
            (Window::Half | Window::Hours, false) => Window::Half,
        }
    }
}

/// What tells one event from others.
pub type EventId = (Timestamp, Kind, String);

/// The Timeline pane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Selection and filter.
    pub list: PaneList<EventId>,
    /// The service; all of them where `None`.
    pub service: Option<String>,
    /// The service that is shown again after all were.
    pub last_service: Option<String>,
    /// How much time.
    pub window: Window,
    /// The window's end (UTC); it moves with the time where `None`.
    pub end: Option<Timestamp>,
    /// The alert that it is about, by its labels.
    pub marked: Option<Labels>,
    /// The time under the cursor.
    pub cursor: Option<Timestamp>,
    /// What happened in the window, the newest first.
    pub events: Vec<Event>,
    /// The window's end (UTC) when they were computed: what is known only to have happened by then has no time yet.
    pub(crate) until: Timestamp,
    /// Events that there are more.
    pub more: usize,
    /// Places in `events` that service and filter leave.
    pub passing: Vec<usize>,
    /// Those of them that have a row: without a filter, recovery points in a row have one together, and alerts of one name.
    pub rows: Vec<usize>,
    /// For each row, what it stands for besides its own event.
    pub folds: Vec<Option<Fold>>,
    /// The window that the events are of; `None` until they are merged.
    pub(crate) of: Option<Question>,
    /// Once they are merged, the begin of this alert is selected.
    pub(crate) seeks: Option<Labels>,
    /// True where a person did what they are merged for.
    pub(crate) by_hand: bool,
    /// What was asked for: the window and its end.
    pub(crate) asked: Option<Question>,
    /// The times of that question.
    pub(crate) waits_for: Option<(Timestamp, Timestamp)>,
    /// The answer to the last question.
    pub past: Option<Arc<Past>>,
    /// The range of charts before, and the one that is wanted here.
    pub(crate) ranges: Option<(SignedDuration, SignedDuration)>,
}

impl Timeline {
    /// True while the answer to a question is not there yet.
    pub fn waits(&self) -> bool {
        self.past.is_none() || self.of.is_none()
    }
}

/// The first and the last moment of the window.
pub fn bounds(state: &State) -> (Timestamp, Timestamp) {
    let to = state.timeline.end.unwrap_or_else(|| state.frozen.as_ref().map_or(state.now, |frozen| frozen.at));
    (to.checked_sub(state.timeline.window.length()).unwrap_or(Timestamp::MIN), to)
}

/// The window of that length that ends now, or around a moment where that is not in it.
pub fn around(state: &State, at: Timestamp, window: Window) -> Option<Timestamp> {
    // Half of the window at the most: what was before it matters too.
    let after = AFTER.min(window.length() / 2);
    let end = at.checked_add(after).unwrap_or(at);
    let far = state.now.duration_since(at) > window.length().checked_sub(after).unwrap_or_default();
    (end < state.now && far).then_some(end)
}

/// Everything that is known of a time, without asking anyone.
pub fn at_hand(state: &State, times: (Timestamp, Timestamp)) -> Vec<Event> {
    merging::gathered(&state.estate, (state.shown(), state.shown_readings()), acts_between(state, times), &state.seen, times, state.now)
}

/// Computes anew what runs and silences tell, where one of them is another.
pub fn renew_acts(state: &mut State) {
    state.acts = Arc::new(acts(&state.estate, &state.runs, &state.made, &state.view.silences.mutes));
}

/// What runs and silences tell of that time, the newest first.
pub fn acts_between(state: &State, times: (Timestamp, Timestamp)) -> &[Event] {
    acts_in(&state.acts, times)
}

fn acts_in(all: &[Event], (from, to): (Timestamp, Timestamp)) -> &[Event] {
    let (first, last) = (all.partition_point(|event| event.at > to), all.partition_point(|event| event.at >= from));
    all.get(first..last).unwrap_or_default()
}

/// What was done to a panel's service by runs, and muted of it, in the time of that plot: a rollback's begin is its deployment.
pub fn acts_on_chart<'a>(state: &'a State, panel: &Panel, plot: &Plot) -> Vec<&'a Event> {
    let Some(service) = &panel.service else { return Vec::new() };
    let drawn = |event: &&Event| matches!(event.kind, Kind::RunBegan | Kind::RunEnded | Kind::Muted) && event.is_of(&state.estate, service);
    acts_between(state, (plot.start, plot.time(plot.len.saturating_sub(1)))).iter().filter(drawn).collect()
}

/// Wants the events merged again, and meanwhile computes the rows of those that there are.
pub fn renew(state: &mut State) {
    if state.pane == Pane::Timeline {
        state.merge = true;
        arrange(state);
    }
}

/// Takes in what was merged. Events of a window that is no longer shown are passed over: those of the new one are wanted.
pub fn merged(state: &mut State, merged: Merged) {
    if let Some(near) = merged.near {
        state.focus.events = near;
    }
    let question = (state.timeline.window, state.timeline.end);
    if let Some(new) = merged.timeline
        && state.pane == Pane::Timeline
        && new.question == question
    {
        let timeline = &mut state.timeline;
        (timeline.of, timeline.until, timeline.events, timeline.more) = (Some(question), new.until, new.events, new.more);
        arrange(state);
    }
}

/// Merges at once, where no loop waits: for one frame that is printed.
pub fn merge_now(state: &mut State) {
    state.merge = false;
    let new = Merging::of(state).carry_out();
    merged(state, new);
}

/// Computes the rows of the events, where they are those of the window that is shown.
fn arrange(state: &mut State) {
    if state.timeline.of != Some((state.timeline.window, state.timeline.end)) {
        return;
    }
    let timeline = &state.timeline;
    let services = timeline.service.as_deref().map(|service| with_needed(&state.estate, service)).unwrap_or_default();
    let wanted = |event: &Event| {
        let of = services.is_empty() || services.iter().any(|service| of_service(&state.estate, event, service));
        of && (timeline.list.filter.is_empty() || timeline.list.filter.matches(event, state.now))
    };
    let rows: Vec<usize> = timeline.events.iter().enumerate().filter(|(_, event)| wanted(event)).map(|(place, _)| place).collect();
    let alone = || (rows.clone(), vec![None; rows.len()]);
    // Whoever filters wants each of them.
    let (shown, folds) =
        if timeline.list.filter.is_empty() { fold::folded(&timeline.events, &rows, timeline.marked.as_ref()) } else { alone() };
    (state.timeline.rows, state.timeline.folds, state.timeline.passing) = (shown, folds, rows);
    let height = height(state);
    let mut list = std::mem::take(&mut state.timeline.list.list);
    list.settle(state.timeline.rows.len(), |row| id(state, row), height);
    state.timeline.list.list = list;
}

/// The service, and all that it depends on, itself or through others: what breaks a service often happens below it.
pub fn with_needed<'a>(estate: &'a Estate, service: &'a str) -> Vec<&'a str> {
    let mut all = vec![service];
    let mut next = 0;
    while let Some(name) = all.get(next).copied() {
        for other in estate.service(name).map(|of| of.depends_on.as_slice()).unwrap_or_default() {
            if !all.contains(&other.as_str()) {
                all.push(other);
            }
        }
        next += 1;
    }
    all
}

/// True where an event tells of that service; one of a source by the source's service.
fn of_service(estate: &Estate, event: &Event, service: &str) -> bool {
    let by_source = match &event.link {
        Link::Source(name) => estate.source(name).is_some_and(|source| source.service.as_deref() == Some(service)),
        _ => false,
    };
    by_source || event.is_of(estate, service)
}

/// What tells a row from others.
pub fn id(state: &State, row: usize) -> Option<EventId> {
    event(state, row).map(|event| (moment(state, event), event.kind, event.what.clone()))
}

/// True where an alert fires and nothing tells since when: it has no column of time.
pub fn is_open(state: &State, event: &Event) -> bool {
    event.is_open(state.timeline.until)
}

/// The moment of an event that a cursor stands on. Of one that is open it is the earliest: the latest is another one at
/// each look.
pub fn moment(state: &State, event: &Event) -> Timestamp {
    if is_open(state, event) { event.begun() } else { event.at }
}

/// The event of a row.
pub fn event(state: &State, row: usize) -> Option<&Event> {
    state.timeline.rows.get(row).and_then(|place| state.timeline.events.get(*place))
}

/// When the oldest event of a row was.
pub fn oldest(state: &State, row: usize) -> Option<Timestamp> {
    let fold = state.timeline.folds.get(row).and_then(Option::as_ref);
    fold.map(|fold| fold.from).or_else(|| event(state, row).map(|event| event.at))
}

/// Panels drawn over the list: those of the service and of what it depends on that are worst, of equal ones its own, in the
/// estate's order; of all services likewise. The events below are of the same services.
pub fn panels(state: &State) -> Vec<PanelView<'_>> {
    let room = charts(state.body_height()).0;
    let of = state.timeline.service.as_deref();
    let services = of.map(|service| with_needed(&state.estate, service));
    let is_of = |view: &PanelView| match (&services, &view.panel.service) {
        (None, _) => true,
        (Some(services), Some(service)) => services.contains(&service.as_str()),
        (Some(_), None) => false,
    };
    let mut all: Vec<(usize, PanelView<'_>)> = state.panels().into_iter().enumerate().filter(|(_, view)| is_of(view)).collect();
    let own = |view: &PanelView| of.is_none() || view.panel.service.as_deref() == of;
    // One without a line would take the place of one that has it.
    let drawn = |view: &PanelView| view.answer.is_some_and(|answer| answer.plot.is_some());
    all.sort_by_key(|(place, view)| {
        let bad = view.severity().max(Severity::Info);
        (std::cmp::Reverse(drawn(view)), std::cmp::Reverse(bad), std::cmp::Reverse(own(view)), *place)
    });
    all.truncate(room);
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, view)| view).collect()
}

/// How many charts there are at the most, and how many lines each has with its title.
pub fn charts(body: usize) -> (usize, usize) {
    match body {
        ..14 => (0, 0),
        14..18 => (1, 4),
        18..30 => (1, 6),
        30..50 => (3, 5),
        _ => (4, 6),
    }
}

/// Lines of the list.
pub fn height(state: &State) -> usize {
    let (_, lines) = charts(state.body_height());
    // Under the charts stand the events' lane and the times.
    state.body_height().saturating_sub(panels(state).len() * lines + 2 + usize::from(note(state).is_some())).max(1)
}

/// One line about what is not known: nothing was answered yet, or something could not be read.
pub fn note(state: &State) -> Option<String> {
    let timeline = &state.timeline;
    let more = if timeline.more > 0 { Some(format!("{} older events are not listed", timeline.more)) } else { None };
    let said = match &timeline.past {
        None => Some("asking Prometheus and the cache for what is over...".to_owned()),
        Some(past) if past.notes.is_empty() => None,
        Some(past) => Some(past.notes.join("; ")),
    };
    match (more, said) {
        (None, None) => None,
        (more, said) => Some([more, said].into_iter().flatten().collect::<Vec<_>>().join("; ")),
    }
}

/// Asks for what is over, once for each window, and has the charts reach back as far as the window does.
pub(super) fn wanted(state: &mut State) -> Option<Effect> {
    if state.pane != Pane::Timeline {
        if let Some((before, _)) = state.timeline.ranges.take() {
            state.demand.range = before;
        }
        // Whoever comes back asks anew.
        (state.timeline.asked, state.timeline.waits_for, state.timeline.past) = (None, None, None);
        state.timeline.of = None;
        return None;
    }
    let (from, to) = bounds(state);
    let back = state.now.duration_since(from).max(state.timeline.window.length());
    // Whole hours, so that a window around an alert does not ask for another range at every minute.
    let wanted = if state.timeline.end.is_none() && state.frozen.is_none() {
        state.timeline.window.length()
    } else {
        SignedDuration::from_hours(back.as_secs() / 3_600 + 1)
    };
    match state.timeline.ranges {
        Some((_, last)) if last == wanted => {}
        before => {
            let former = before.map_or(state.demand.range, |(former, _)| former);
            state.timeline.ranges = Some((former, wanted));
            state.demand.range = wanted;
        }
    }
    let question = (state.timeline.window, state.timeline.end);
    if state.timeline.asked == Some(question) {
        return None;
    }
    state.timeline.asked = Some(question);
    state.timeline.waits_for = Some((from, to));
    state.timeline.past = None;
    Some(Effect::Ask(Box::new(Ask::Timeline(from, to))))
}

/// Takes in an answer; one to an older question is passed over.
pub(super) fn told(state: &mut State, from: Timestamp, to: Timestamp, past: Past) {
    if state.timeline.waits_for == Some((from, to)) {
        state.timeline.past = Some(Arc::new(past));
        renew(state);
    }
}

/// What the timeline is to show, by what is selected: a service, and a moment.
pub(super) fn context(state: &State) -> Option<String> {
    let of_panel = |name: &str| state.estate.panel(name).and_then(|panel| panel.service.clone());
    match state.layers.iter().rev().find(|layer| !matches!(layer, Layer::Filter | Layer::Palette(_) | Layer::Help { .. })) {
        Some(Layer::Service { name, .. }) => return Some(name.clone()),
        Some(Layer::Chart { panel, .. }) => return of_panel(panel),
        Some(Layer::Alert { alert, .. }) => return service_of(&state.estate, alert),
        Some(Layer::Deployment { deployment, .. }) => return Some(deployment.service.clone()),
        Some(Layer::Source { index, .. }) => return state.estate.sources.get(*index).and_then(|source| source.service.clone()),
        _ => {}
    }
    match state.pane {
        Pane::Overview => match state.overview_rows.get(state.overview.list.row)? {
            OverviewRow::Service(place) => state.estate.services.get(*place).map(|service| service.name.clone()),
            OverviewRow::Panel(place) => state.estate.panels.get(*place).and_then(|panel| panel.service.clone()),
            OverviewRow::Source(place) => state.estate.sources.get(*place).and_then(|source| source.service.clone()),
            OverviewRow::Need(place) => match &state.shown().needs.get(*place)?.about {
                About::Alerts(_, ids) => {
                    let alert = state.shown().alerts.iter().find(|alert| Some(&alert.id) == ids.first())?;
                    service_of(&state.estate, alert)
                }
                About::Panel(name) => of_panel(name),
                About::Source(name) | About::DeadMan(name) => state.estate.source(name).and_then(|source| source.service.clone()),
                _ => None,
            },
            _ => None,
        },
        Pane::Alerts => match state.alert_rows.get(state.alerts.list.row)? {
            AlertRow::Alert(place) => state.shown().alerts.get(*place).and_then(|alert| service_of(&state.estate, alert)),
            AlertRow::Group(_) => None,
        },
        Pane::Metrics => state.metrics.list.selected.as_deref().and_then(of_panel),
        Pane::Backups => {
            state.backups.list.selected.and_then(|place| state.estate.sources.get(place)).and_then(|source| source.service.clone())
        }
        _ => None,
    }
}

/// The first service whose alert it is.
pub fn service_of(estate: &Estate, alert: &Alert) -> Option<String> {
    estate.services.iter().find(|service| service.labels.covers(&alert.labels)).map(|service| service.name.clone())
}
