//! Verifying a backup: asked, begun, followed, stopped.

use std::sync::Arc;

use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane};
use crate::app::pane;
use crate::app::state::State;
use crate::app::verifying::{News, Running};
use crate::model::backup::{Order, Progress, Proofs, orders};
use crate::model::change::{CHANGES_CAP, Change};
use crate::model::estate::{Severity, SourceKind};
use crate::model::source::Answer;

use super::layers;

/// The backup that a key is about: the one whose page is on top, or the selected row.
fn chosen(state: &State) -> Option<usize> {
    let index = match state.layers.last() {
        Some(Layer::Source { index, .. }) => Some(*index),
        None if state.pane == Pane::Backups => pane::backup_id(state, state.backups.list.row),
        _ => None,
    }?;
    matches!(state.estate.sources.get(index)?.kind, SourceKind::Backup(_)).then_some(index)
}

/// What can be asked of the source at that place, from its newest answer.
pub(crate) fn choices(state: &State, index: usize) -> Vec<Order> {
    let answer = state.newest.get(index).and_then(|reading| reading.held.as_ref()).and_then(|held| match &held.value {
        Answer::Backup(answer) => Some(answer),
        _ => None,
    });
    state.estate.sources.get(index).map_or_else(Vec::new, |source| orders(index, source, answer.map(|answer| &**answer)))
}

/// Shows what would be run; nothing is run yet.
pub(super) fn open(state: &mut State) {
    if let Some(index) = chosen(state) {
        layers::lay(state, Layer::Verify { index, choice: 0 });
    }
}

/// Moves among the choices.
pub(super) fn step(state: &mut State, by: isize) {
    let Some(Layer::Verify { index, choice }) = state.layers.last() else { return };
    let (index, choice) = (*index, *choice);
    let last = choices(state, index).len().saturating_sub(1);
    if let Some(Layer::Verify { choice: moved, .. }) = state.layers.last_mut() {
        *moved = choice.saturating_add_signed(by).min(last);
    }
}

/// Selects that choice. Where one is under way there is nothing to choose.
pub(super) fn choose(state: &mut State, place: usize) {
    let Some(Layer::Verify { index, .. }) = state.layers.last() else { return };
    if state.verifying.running.contains_key(index) || place >= choices(state, *index).len() {
        return;
    }
    if let Some(Layer::Verify { choice, .. }) = state.layers.last_mut() {
        *choice = place;
    }
}

/// Begins the selected one, unless one is under way.
pub(super) fn start(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Verify { index, choice }) = state.layers.last() else { return Vec::new() };
    let (index, choice) = (*index, *choice);
    if state.verifying.running.contains_key(&index) {
        return Vec::new();
    }
    let Some(order) = choices(state, index).into_iter().nth(choice) else { return Vec::new() };
    let running = Running { since: state.now, words: order.words(), progress: Progress::default(), stopping: false };
    state.verifying.running.insert(index, running);
    state.verifying.refused.remove(&index);
    vec![Effect::Ask(Box::new(Ask::Verify(Box::new(order))))]
}

/// Asks the one whose layer is on top to stop.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    let Some(Layer::Verify { index, .. }) = state.layers.last() else { return Vec::new() };
    let index = *index;
    match state.verifying.running.get(&index) {
        Some(running) if !running.stopping => vec![Effect::Ask(Box::new(Ask::StopVerification(index)))],
        _ => Vec::new(),
    }
}

/// The journal was read again: another console may have verified something.
pub(super) fn known(state: &mut State, proofs: Arc<Proofs>, problem: Option<String>) -> Vec<Effect> {
    // One that ended here meanwhile is in what is known already. A journal that is broken may have lost events.
    let older = proofs.upto < state.verifying.proofs.upto && problem.is_none();
    if older || (proofs == state.verifying.proofs && problem == state.verifying.problem) {
        return Vec::new();
    }
    state.verifying.proofs = proofs.clone();
    state.verifying.problem = problem;
    proofs.apply_all(&state.estate, &mut state.newest);
    vec![Effect::Derive]
}

/// News came. News of one that is not under way any more is old.
pub(super) fn told(state: &mut State, source: usize, news: News) -> Vec<Effect> {
    let Some(running) = state.verifying.running.get_mut(&source) else { return Vec::new() };
    match news {
        News::Progress(progress) => running.progress = progress,
        News::Stopping => running.stopping = true,
        News::Refused(why) => {
            state.verifying.running.remove(&source);
            state.verifying.refused.insert(source, why);
        }
        News::Ended { outcome, proofs, unrecorded } => {
            state.verifying.running.remove(&source);
            note(state, source, &format!("verification {}", outcome.word()));
            match unrecorded {
                Some(why) => {
                    let why = format!("it {}, but that could not be recorded and proves nothing: {why}", outcome.word());
                    state.verifying.refused.insert(source, why);
                }
                // Where the journal was read again meanwhile, that may know more.
                None if proofs.upto < state.verifying.proofs.upto => {}
                None => state.verifying.proofs = proofs,
            }
            let proofs = state.verifying.proofs.clone();
            proofs.apply_all(&state.estate, &mut state.newest);
            return vec![Effect::Derive];
        }
    }
    Vec::new()
}

fn note(state: &mut State, source: usize, what: &str) {
    let Some(name) = state.estate.sources.get(source).map(|s| s.name.clone()) else { return };
    let what = format!("{name}: {what}");
    state.changes.push_front(Change { at: state.now, severity: Severity::Info, what, alert: None, source: Some(name) });
    state.changes.truncate(CHANGES_CAP);
}
