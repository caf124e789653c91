//! Data: readings come in, the view is made of them, and what changed is noted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::pane;
use crate::app::state::{State, View};
use crate::model::alert::{Alert, AlertId};
use crate::model::change::{self, CHANGES_CAP, Change};
use crate::model::estate::Severity;
use crate::model::finding;
use crate::model::reading::{Freshness, Held, Outcome};
use crate::model::source::Answer;

/// Changes of one poll that are listed; more of them are counted.
const CHANGES_OF_ONE_POLL: usize = 20;

/// A source is being tried.
pub(super) fn polling(state: &mut State, source: usize) {
    if let Some(polling) = state.polling.get_mut(source) {
        *polling = true;
    }
}

/// A try ended.
pub(super) fn read(state: &mut State, source: usize, outcome: Outcome<Answer>, next_try: Timestamp) {
    let Some(reading) = state.readings.get_mut(source) else { return };
    if let Some(polling) = state.polling.get_mut(source) {
        *polling = false;
    }
    let known = reading.held.is_some();
    let from_cache = reading.held.as_ref().is_some_and(|held| held.cached);
    let answered = matches!(outcome, Outcome::Value { .. });
    reading.take(outcome, Some(next_try));
    let before = renew(state);
    if answered && known {
        // The first answer of a source is how things stand; only from the second one on is a difference a change.
        let old = carried(&before.alerts, &state.view.alerts);
        let mut changes = change::alerts(&old, &state.view.alerts, state.now, CHANGES_OF_ONE_POLL);
        // How a source does is noted as that.
        let of_source = |id: &AlertId| {
            let found = state.view.alerts.iter().chain(&old).find(|a| a.id == *id);
            found.is_some_and(|alert| finding::tells_of_source(alert))
        };
        changes.retain(|change| !change.alert.as_ref().is_some_and(of_source));
        note(state, changes);
    }
    // That a source answers at last after the start is no news, that it fails is.
    let first = answered && (!known || from_cache);
    note_sources(state, &before.freshness, if first { Some(source) } else { None });
    if first { pane::refresh_at_start(state) } else { pane::refresh(state) }
}

/// What an earlier start knew: it fills only what was not read meanwhile.
pub(super) fn cached(state: &mut State, all: Vec<Option<Held<Answer>>>) {
    for (reading, held) in state.readings.iter_mut().zip(all) {
        if reading.held.is_none() {
            reading.held = held.map(|held| Held { cached: true, ..held });
        }
    }
    renew(state);
    pane::refresh_at_start(state);
}

/// Time has passed: readings may have gone stale.
pub(super) fn tick(state: &mut State) {
    let same = state.readings.iter().map(|r| r.freshness(state.now)).eq(state.view.freshness.iter().copied());
    if !same {
        let before = renew(state);
        note_sources(state, &before.freshness, None);
    }
    let aged = [&state.overview.filter, &state.alerts.filter, &state.metrics.filter].into_iter().any(|filter| filter.has_age());
    if !same || aged {
        pane::refresh(state);
    }
}

/// Makes the view anew and gives the old one back.
fn renew(state: &mut State) -> View {
    let view = View::of(&state.estate, &state.readings, &state.view, state.now);
    std::mem::replace(&mut state.view, view)
}

/// An alert that only Prometheus knew has another id once an Alertmanager has it. These old alerts get the new ids,
/// so that one that goes from pending to firing is told as that, not as the end of one and the begin of another.
fn carried(before: &[Arc<Alert>], after: &[Arc<Alert>]) -> Vec<Arc<Alert>> {
    let old_ids: HashSet<&AlertId> = before.iter().map(|a| &a.id).collect();
    let new_ids: HashSet<&AlertId> = after.iter().map(|a| &a.id).collect();
    let mut new: HashMap<&str, Vec<&Arc<Alert>>> = HashMap::new();
    for alert in after.iter().filter(|a| !old_ids.contains(&a.id)) {
        new.entry(alert.name()).or_default().push(alert);
    }
    let same = |old: &Arc<Alert>, candidates: &mut Vec<&Arc<Alert>>| {
        let fits = |a: &&Arc<Alert>| a.source != old.source && (old.labels.covers(&a.labels) || a.labels.covers(&old.labels));
        // In a storm of one name the search is cut short: its changes are counted then, not listed.
        candidates.iter().take(200).position(fits).map(|at| candidates.swap_remove(at).id.clone())
    };
    before
        .iter()
        .map(|old| {
            let id = if new_ids.contains(&old.id) { None } else { new.get_mut(old.name()).and_then(|candidates| same(old, candidates)) };
            id.map_or_else(|| old.clone(), |id| Arc::new(Alert { id, ..(**old).clone() }))
        })
        .collect()
}

/// Notes each source whose reading is in another state than before.
fn note_sources(state: &mut State, before: &[Freshness], except: Option<usize>) {
    let mut changes = Vec::new();
    for (place, (source, (was, is))) in state.estate.sources.iter().zip(before.iter().zip(&state.view.freshness)).enumerate() {
        if was == is || except == Some(place) {
            continue;
        }
        let severity = match is {
            Freshness::Fresh => Severity::Ok,
            Freshness::Stale | Freshness::Never => Severity::Unknown,
            Freshness::Unreachable | Freshness::Refused => Severity::Warning,
        };
        let why = state.readings[place].failure.as_ref().map_or_else(String::new, |failure| format!(": {}", failure.what));
        changes.push(Change {
            at: state.now,
            severity,
            what: format!("{} {} -> {}{why}", source.name, was.word(), is.word()),
            alert: None,
        });
    }
    note(state, changes);
}

/// The worst of one poll is its first line: they are told in their order, the newest poll on top.
fn note(state: &mut State, changes: Vec<Change>) {
    for change in changes.into_iter().rev() {
        state.changes.push_front(change);
    }
    state.changes.truncate(CHANGES_CAP);
}
