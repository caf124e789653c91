//! The Timeline pane: opened for what is selected, moved through in time, and what its rows lead to.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::action::Action;
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::pane;
use crate::app::state::{AlertRow, State};
use crate::app::timeline::{self, Merged, Timeline, Window};
use crate::model::alert::{Alert, AlertId, AlertState, Origin, severity_of};
use crate::model::label::Labels;
use crate::model::timeline::{Event, Kind, Link};

use super::{layers, runs, silences};

/// Opens the timeline of the service that is looked at, or of all; on the timeline itself it goes from one to the other.
pub(super) fn open(state: &mut State) {
    if state.pane == Pane::Timeline && state.layers.is_empty() {
        let timeline = &mut state.timeline;
        timeline.service = match timeline.service.take() {
            Some(service) => {
                timeline.last_service = Some(service);
                None
            }
            None => timeline.last_service.take(),
        };
        return pane::refresh(state);
    }
    let service = timeline::context(state);
    // What happened meanwhile is told of all services, and so is shown of all first.
    if state.pane == Pane::Overview && state.layers.is_empty() && state.attention.since.take().is_some() {
        return show(state, Timeline { last_service: service, ..Timeline::default() });
    }
    show(state, Timeline { service, ..Timeline::default() });
}

/// The timeline of that service.
pub(super) fn of_service(state: &mut State, service: String) {
    show(state, Timeline { service: Some(service), ..Timeline::default() });
}

/// Shows what happened around the time at which the selected alert began, of all services: the cause is often elsewhere.
/// The alert itself is marked. Going back leads to the alert.
pub(super) fn near(state: &mut State) {
    let alert = match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => alert.clone(),
        None if state.pane == Pane::Alerts => {
            let Some(AlertRow::Alert(place)) = state.alert_rows.get(state.alerts.list.row) else { return };
            let Some(alert) = state.shown().alerts.get(*place) else { return };
            alert.clone()
        }
        _ => return,
    };
    let end = timeline::around(state, alert.starts_at, Window::Hours);
    let last_service = timeline::service_of(&state.estate, &alert);
    let (marked, seeks) = (Some(alert.labels.clone()), Some(alert.labels.clone()));
    show(state, Timeline { end, marked, seeks, last_service, cursor: Some(alert.starts_at), ..Timeline::default() });
}

/// The events are merged: what was gone to in them is selected.
pub(super) fn merged(state: &mut State, merged: Merged) {
    timeline::merged(state, merged);
    let sought = if state.timeline.of.is_some() { state.timeline.seeks.take() } else { None };
    if let Some(labels) = sought {
        let row = (0..state.timeline.rows.len()).find(|row| timeline::event(state, *row).is_some_and(|event| is_begin(event, &labels)));
        if let Some(row) = row {
            select(state, row);
        }
    }
}

/// What happened around that moment, to that service or to all.
pub(super) fn at_moment(state: &mut State, service: Option<String>, at: Timestamp) {
    let end = timeline::around(state, at, Window::Hours);
    show(state, Timeline { end, service, cursor: Some(at), ..Timeline::default() });
}

fn is_begin(event: &Event, labels: &Labels) -> bool {
    matches!((&event.link, event.kind), (Link::Alert(of), Kind::AlertBegan | Kind::FindingBegan) if of == labels)
}

fn show(state: &mut State, mut new: Timeline) {
    let way = layers::way_here(state);
    // The range of charts that was before stays known.
    std::mem::swap(&mut new.ranges, &mut state.timeline.ranges);
    state.timeline = new;
    layers::show(state, Pane::Timeline);
    state.way_back = Some(way);
    pane::refresh(state);
}

fn select(state: &mut State, row: usize) {
    let height = timeline::height(state);
    let mut list = std::mem::take(&mut state.timeline.list.list);
    let len = state.timeline.rows.len();
    list.select(len, |row| timeline::id(state, row), row);
    list.step(len, |row| timeline::id(state, row), 0, height);
    state.timeline.list.list = list;
}

/// A longer or a shorter window. The cursor stays in it.
pub(super) fn window(state: &mut State, longer: bool) {
    let window = state.timeline.window.next(longer);
    state.timeline.window = window;
    if let Some(at) = state.timeline.cursor.filter(|_| state.timeline.end.is_some()) {
        state.timeline.end = timeline::around(state, at, window);
    }
    pane::refresh(state);
}

/// Back to the newest time.
pub(super) fn live(state: &mut State) {
    (state.timeline.end, state.timeline.cursor) = (None, None);
    pane::refresh(state);
}

/// Moves: by rows, or by a column of time, which selects the event that is nearest before it.
pub(super) fn walk(state: &mut State, action: Action, by: isize) {
    let (from, to) = timeline::bounds(state);
    if matches!(action, Action::Left | Action::Right) {
        let columns = i64::from(state.size.0.max(20)) - 10;
        let step = SignedDuration::from_secs((to.duration_since(from).as_secs() / columns).max(1));
        let at = state.timeline.cursor.unwrap_or(to);
        let moved = if action == Action::Left { at.checked_sub(step) } else { at.checked_add(step) };
        let at = moved.unwrap_or(at).clamp(from, to);
        state.timeline.cursor = Some(at);
        let row = (0..state.timeline.rows.len()).find(|row| timeline::oldest(state, *row).is_some_and(|oldest| oldest <= at));
        return select(state, row.unwrap_or(state.timeline.rows.len()));
    }
    let height = timeline::height(state);
    let mut list = std::mem::take(&mut state.timeline.list.list);
    list.step(state.timeline.rows.len(), |row| timeline::id(state, row), by, height);
    state.timeline.list.list = list;
    state.timeline.cursor = timeline::event(state, state.timeline.list.list.row).map(|event| timeline::moment(state, event));
}

/// What the selected event is about.
pub(super) enum Leads {
    /// An alert, as it is or as it was.
    Alert(Arc<Alert>),
    /// A deployment, by its key.
    Deployment(Arc<str>),
    /// A source, by its place.
    Source(usize),
    /// A run, by its id.
    Run(String),
    /// A silence: the source that tells of it, and its id.
    Silence(String, String),
}

/// Where the selected event leads; `None` where it leads nowhere.
pub(super) fn leads(state: &State) -> Option<Leads> {
    let event = timeline::event(state, state.timeline.list.list.row)?;
    match &event.link {
        Link::Alert(labels) => {
            let same = |alert: &&Arc<Alert>| alert.labels == *labels || labels.covers(&alert.labels) || alert.labels.covers(labels);
            let now = state.shown().alerts.iter().find(same).cloned();
            now.or_else(|| was(state, event, labels)).map(Leads::Alert)
        }
        Link::Deployment(key) => Some(Leads::Deployment(key.clone())),
        Link::Source(name) => state.estate.sources.iter().position(|source| source.name == *name).map(Leads::Source),
        Link::Run(run) if state.runs.find(run).is_some() => Some(Leads::Run(run.clone())),
        Link::Run(run) => {
            // Of a run that nothing tells of any more, its deployment may still be told.
            let made = state.shown().deployments.all.iter().find(|one| one.id.as_deref() == Some(run));
            made.map(|one| Leads::Deployment(one.key.clone()))
        }
        Link::Silence { run: Some(run), .. } if state.runs.find(run).is_some() => Some(Leads::Run(run.clone())),
        Link::Silence { source, id, .. } => Some(Leads::Silence(source.clone(), id.clone())),
        Link::Nothing => None,
    }
}

/// An alert that has ended, as far as its events tell of it; `None` where nobody knows when it began.
fn was(state: &State, event: &Event, labels: &Labels) -> Option<Arc<Alert>> {
    let began = state.timeline.events.iter().find(|other| other.at <= event.at && is_begin(other, labels))?;
    let via = event.via.first().cloned().unwrap_or_else(|| "".into());
    Some(Arc::new(Alert {
        id: AlertId(format!("timeline/{}", labels.short()).into()),
        source: via,
        origin: Origin::Prometheus,
        fingerprint: "".into(),
        labels: labels.clone(),
        annotations: Labels::new([("summary", event.what.as_str())]),
        severity: severity_of(labels),
        state: AlertState::Firing,
        starts_at: began.at,
        updated_at: Some(event.at),
        silenced_by: vec![],
        inhibited_by: vec![],
        muted_by: vec![],
        receivers: vec![],
        generator_url: None,
        seen_by: vec![],
    }))
}

/// Looks closer at the selected event.
pub(super) fn closer(state: &mut State) {
    match leads(state) {
        Some(Leads::Alert(alert)) => layers::lay(state, Layer::Alert { alert, spot: Spot::default() }),
        Some(Leads::Deployment(key)) => layers::deployment(state, &key),
        Some(Leads::Source(index)) => layers::lay(state, Layer::Source { index, spot: Spot::default() }),
        Some(Leads::Run(run)) => runs::show(state, run),
        Some(Leads::Silence(source, id)) => silences::show(state, Some((source, id))),
        None => {}
    }
}
