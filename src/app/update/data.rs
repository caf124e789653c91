//! Data: readings come in, and what they come to is shown once that is derived.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::attention;
use crate::app::derive::Derived;
use crate::app::effect::Effect;
use crate::app::pane;
use crate::app::state::State;
use crate::app::timeline::{self, SEEN_CAP};
use crate::model::change::{CHANGES_CAP, Change};
use crate::model::estate::Severity;
use crate::model::health;
use crate::model::reading::{Freshness, Held, Outcome};
use crate::model::source::Answer;

/// A source is being tried.
pub(super) fn polling(state: &mut State, source: usize) {
    if let Some(polling) = state.polling.get_mut(source) {
        *polling = true;
    }
}

/// A try ended. Nothing of it is shown before it is derived: a row never shows the age of an answer that is not the
/// row's.
pub(super) fn read(state: &mut State, source: usize, outcome: Outcome<Answer>, next_try: Timestamp) -> Vec<Effect> {
    let Some(reading) = state.newest.get_mut(source) else { return Vec::new() };
    let mut outcome = outcome;
    if let Outcome::Value { value, .. } = &mut outcome {
        state.verifying.proofs.apply(&state.estate, source, value);
    }
    reading.take(outcome, Some(next_try));
    if let Some(polling) = state.polling.get_mut(source) {
        *polling = false;
    }
    vec![Effect::Derive]
}

/// The newest readings are derived.
pub(super) fn derived(state: &mut State, derived: Derived) -> Vec<Effect> {
    let Derived { readings, view, changes, seen, rang } = derived;
    if !seen.is_empty() {
        let kept = Arc::make_mut(&mut state.seen);
        kept.extend(seen);
        let over = kept.len().saturating_sub(SEEN_CAP);
        kept.drain(..over);
    }
    let other = view.silences.mutes != state.view.silences.mutes;
    (state.readings, state.view) = (readings, view);
    state.aged.clear();
    if other {
        timeline::renew_acts(state);
    }
    note(state, changes);
    attention::critical(state, rang);
    pane::refresh(state);
    due(state)
}

/// What an earlier start knew: it fills only what was not read meanwhile. Shown at once, it is the first that is seen.
pub(super) fn cached(state: &mut State, all: Vec<Option<Held<Answer>>>) {
    for (reading, held) in state.newest.iter_mut().zip(all) {
        if reading.held.is_none() {
            reading.held = held.map(|held| Held { cached: true, ..held });
        }
    }
    state.verifying.proofs.apply_all(&state.estate, &mut state.newest);
    state.see(state.newest.clone());
    pane::refresh(state);
}

/// Time has passed: readings may have gone stale.
pub(super) fn tick(state: &mut State) -> Vec<Effect> {
    if [&state.overview.filter, &state.alerts.filter, &state.metrics.filter, &state.backups.filter, &state.deployments.filter]
        .into_iter()
        .any(|filter| filter.has_age())
    {
        pane::refresh(state);
    }
    if state.deployments.filter.has_age() {
        state.window.outdate();
    }
    due(state)
}

/// Marks what rests on a reading that went stale since the view was derived: with many alerts, or under load, it takes
/// its time until all is derived anew, and what is drawn meanwhile must not look live. Costs nothing where nothing did.
pub(super) fn age(state: &mut State) {
    let now: Vec<Freshness> = state.readings.iter().map(|reading| reading.freshness(state.now)).collect();
    let known = if state.aged.is_empty() { &state.view.freshness } else { &state.aged };
    if now == *known {
        return;
    }
    let sources = state.estate.sources.iter().zip(state.view.freshness.iter().zip(&now));
    let lost: Vec<&str> = (sources)
        .filter(|(_, (was, is))| **was == Freshness::Fresh && **is != Freshness::Fresh)
        .map(|(source, _)| source.name.as_str())
        .collect();
    if !lost.is_empty() {
        let services = health::services_aged(&state.estate, &state.readings, &state.view.services, &lost, state.now);
        let view = Arc::make_mut(&mut state.view);
        view.services = services;
        health::age_needs(&state.estate, &state.readings, &view.alerts, &mut view.needs, state.now);
    }
    state.aged = now;
    pane::refresh(state);
}

/// Where a reading is in another state than the view was derived with, the view is out of date.
fn due(state: &State) -> Vec<Effect> {
    let same = state.readings.iter().map(|r| r.freshness(state.now)).eq(state.view.freshness.iter().copied());
    if same { Vec::new() } else { vec![Effect::Derive] }
}

/// A line about this console stands among what changed.
pub(super) fn notice(state: &mut State, what: String) {
    let change = Change { at: state.now, severity: Severity::Info, what, alert: None, source: None };
    note(state, vec![change]);
    pane::refresh(state);
}

/// The worst of one poll is its first line: they are told in their order, the newest poll on top.
fn note(state: &mut State, changes: Vec<Change>) {
    for change in changes.into_iter().rev() {
        state.changes.push_front(change);
    }
    state.changes.truncate(CHANGES_CAP);
}
