//! What readings come to: the view, and what changed since the one before. Ten thousand alerts take their time, so the
//! session carries this out beside the loop, on cheap copies; the state shows readings and their view together or not
//! at all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{Alert, AlertId, AlertState};
use crate::model::change::{self, Change};
use crate::model::estate::{Estate, Severity};
use crate::model::finding;
use crate::model::reading::{Freshness, Reading};
use crate::model::source::Answer;
use crate::model::timeline::{self, Event, Kind, Link};

use super::attention::Rang;
use super::deployments::Made;
use super::state::{State, View};

/// Changes of one derivation that are listed; more of them are counted.
const CHANGES_AT_ONCE: usize = 20;
/// Criticals of one derivation that are told one by one.
const RANG: usize = 200;
/// Alerts of one derivation whose begin or end is kept.
const SEEN_AT_ONCE: usize = 500;

/// All that a view is made of.
#[derive(Debug, Clone)]
pub struct Derivation {
    estate: Arc<Estate>,
    /// The readings that the screen shows, with their view.
    before: (Vec<Reading<Answer>>, Arc<View>),
    /// The newest readings.
    readings: Vec<Reading<Answer>>,
    /// The deployments that runs made.
    made: Made,
    now: Timestamp,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The readings that the view rests on.
    pub readings: Vec<Reading<Answer>>,
    /// What they come to.
    pub view: Arc<View>,
    /// What changed, the first of them to stand on top.
    pub changes: Vec<Change>,
    /// The same as events of the timeline, which are kept.
    pub seen: Vec<Event>,
    /// Critical alerts that began to fire.
    pub rang: Rang,
}

impl Derivation {
    /// Of the newest readings, as they are now. Cheap: what is large is shared.
    pub fn of(state: &State) -> Derivation {
        Derivation {
            estate: state.estate.clone(),
            before: (state.readings.clone(), state.view.clone()),
            readings: state.newest.clone(),
            made: state.made.clone(),
            now: state.now,
        }
    }

    /// Computes it.
    pub fn carry_out(self) -> Derived {
        let Derivation { estate, before: (old_readings, before), readings, made, now } = self;
        let view = View::of(&estate, &readings, &made, &before, now);
        let steps: Vec<Step> = old_readings.iter().zip(&readings).map(|(old, new)| Step::of(old, new)).collect();
        let mut rang = Rang::default();
        let mut changes = of_sources(&estate, &readings, &before.freshness, &view.freshness, &steps, now);
        let heard = |name: &str| heard(&estate, &old_readings, name);
        let mut seen: Vec<Event> = changes.iter().map(|change| event(change, Kind::Source, None)).collect();
        let roles = of_roles(&estate, &old_readings, &readings, &steps, now);
        seen.extend(roles.iter().map(|change| event(change, Kind::Role, change.source.as_deref().and_then(heard))));
        changes.extend(roles);
        if steps.contains(&Step::Again) || steps.contains(&Step::AfterCached) {
            let new: HashSet<&str> = estate
                .sources
                .iter()
                .zip(&steps)
                .filter(|(_, step)| **step == Step::First)
                .map(|(source, _)| source.name.as_str())
                .collect();
            let old = told(carried(&before.alerts, &view.alerts), &view.alerts, &new);
            let begun = timeline::differences(&old, &view.alerts, |alert| heard(&alert.source), now, SEEN_AT_ONCE);
            // How a source does is seen as that.
            seen.extend(begun.into_iter().filter(|event| !is_of_source(event, &old, &view.alerts)));
            rang = rings(&estate, &old, &view.alerts, &steps);
            let mut told = change::alerts(&old, &view.alerts, (&before.silences.acks, &view.silences.acks), now, CHANGES_AT_ONCE);
            // How a source does is noted as that.
            told.retain(|change| !change.alert.as_ref().is_some_and(|alert| finding::tells_of_source(alert)));
            changes.extend(told);
        }
        Derived { readings, view: Arc::new(view), changes, seen, rang }
    }
}

/// Criticals that fire now and did not before. What a source tells first after the start is how things stand.
fn rings(estate: &Estate, before: &[Arc<Alert>], after: &[Arc<Alert>], steps: &[Step]) -> Rang {
    let fires = |alert: &&Arc<Alert>| alert.severity == Severity::Critical && alert.state == AlertState::Firing;
    let old: HashSet<&AlertId> = before.iter().filter(fires).map(|alert| &alert.id).collect();
    let first = |source: &str| {
        let step = estate.sources.iter().position(|known| known.name == source).and_then(|place| steps.get(place));
        matches!(step, Some(Step::First | Step::AfterCached))
    };
    let mut rang = Rang::default();
    for alert in after.iter().filter(fires).filter(|alert| !old.contains(&alert.id)) {
        if first(&alert.source) || estate.is_dead_man(&alert.labels) {
            continue;
        }
        rang.count += 1;
        if rang.first.len() < RANG {
            rang.first.push((alert.id.clone(), alert.name().into()));
        }
    }
    rang
}

/// When that source was heard before.
fn heard(estate: &Estate, readings: &[Reading<Answer>], name: &str) -> Option<Timestamp> {
    let place = estate.sources.iter().position(|source| source.name == name)?;
    readings.get(place)?.held.as_ref().map(|held| held.as_of)
}

/// A change of a source as an event.
fn event(change: &Change, kind: Kind, after: Option<Timestamp>) -> Event {
    Event {
        at: change.at,
        after,
        kind,
        severity: change.severity,
        what: change.what.clone(),
        service: None,
        via: vec![timeline::SEEN.into()],
        link: change.source.clone().map_or(Link::Nothing, Link::Source),
    }
}

/// True for an alert's event where the alert is the state of a source.
fn is_of_source(event: &Event, before: &[Arc<Alert>], after: &[Arc<Alert>]) -> bool {
    let Link::Alert(labels) = &event.link else { return false };
    matches!(event.kind, Kind::FindingBegan | Kind::FindingEnded)
        && before.iter().chain(after).filter(|alert| finding::tells_of_source(alert)).any(|alert| alert.labels == *labels)
}

/// Each node of a database that has another role than in the answer before, which may be one of an earlier start.
fn of_roles(estate: &Estate, before: &[Reading<Answer>], after: &[Reading<Answer>], steps: &[Step], now: Timestamp) -> Vec<Change> {
    let mut changes = Vec::new();
    for (source, ((old, new), step)) in estate.sources.iter().zip(before.iter().zip(after).zip(steps)) {
        let (Some(old), Some(new)) = (&old.held, &new.held) else { continue };
        if let (Answer::Database(old), Answer::Database(new), Step::Again | Step::AfterCached) = (&old.value, &new.value, step) {
            let name = &source.name;
            let change = |what| Change {
                at: now,
                severity: Severity::Warning,
                what: format!("{name}: {what}"),
                alert: None,
                source: Some(name.clone()),
            };
            changes.extend(new.turned(old).into_iter().map(change));
        }
    }
    changes
}

/// What happened to one reading between two views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// No answer came.
    None,
    /// The first answer: it is how things stand, and no change.
    First,
    /// The first answer since the start, but an earlier start knew one.
    AfterCached,
    /// One more answer.
    Again,
}

impl Step {
    fn of(old: &Reading<Answer>, new: &Reading<Answer>) -> Step {
        match (&old.held, &new.held) {
            (None, Some(_)) => Step::First,
            (Some(old), Some(new)) if old.cached && !new.cached => Step::AfterCached,
            (Some(old), Some(new)) if !same(&old.value, &new.value) => Step::Again,
            _ => Step::None,
        }
    }
}

/// True where it is the very same answer, not one that says the same.
fn same(old: &Answer, new: &Answer) -> bool {
    match (old, new) {
        (Answer::Prometheus(old), Answer::Prometheus(new)) => Arc::ptr_eq(old, new),
        (Answer::Alertmanager(old), Answer::Alertmanager(new)) => Arc::ptr_eq(old, new),
        (Answer::Exposition(old), Answer::Exposition(new)) => Arc::ptr_eq(old, new),
        (Answer::Backup(old), Answer::Backup(new)) => Arc::ptr_eq(old, new),
        (Answer::History(old), Answer::History(new)) => Arc::ptr_eq(old, new),
        (Answer::Probe(old), Answer::Probe(new)) => Arc::ptr_eq(old, new),
        (Answer::Database(old), Answer::Database(new)) => Arc::ptr_eq(old, new),
        _ => false,
    }
}

/// Each source whose reading is in another state than before. That a source answers at last after the start is no
/// news, that it fails is.
fn of_sources(
    estate: &Estate,
    readings: &[Reading<Answer>],
    before: &[Freshness],
    after: &[Freshness],
    steps: &[Step],
    now: Timestamp,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (place, source) in estate.sources.iter().enumerate() {
        let (Some(was), Some(is), Some(step)) = (before.get(place), after.get(place), steps.get(place)) else { continue };
        if was == is || matches!(step, Step::First | Step::AfterCached) && *is == Freshness::Fresh {
            continue;
        }
        let severity = match is {
            Freshness::Fresh => Severity::Ok,
            Freshness::Stale | Freshness::Never => Severity::Unknown,
            Freshness::Unreachable | Freshness::Refused => Severity::Warning,
        };
        let why = readings.get(place).and_then(|r| r.failure.as_ref()).map_or_else(String::new, |failure| format!(": {}", failure.what));
        changes.push(Change {
            at: now,
            severity,
            what: format!("{} {} -> {}{why}", source.name, was.word(), is.word()),
            alert: None,
            source: Some(source.name.clone()),
        });
    }
    changes
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

/// The old alerts, as if those of the sources that answered for the first time had been known before.
fn told(mut before: Vec<Arc<Alert>>, after: &[Arc<Alert>], new: &HashSet<&str>) -> Vec<Arc<Alert>> {
    if !new.is_empty() {
        let known: Vec<&Arc<Alert>> = after.iter().filter(|a| new.contains(&*a.source)).collect();
        let ids: HashSet<&AlertId> = known.iter().map(|a| &a.id).collect();
        before.retain(|alert| !ids.contains(&alert.id));
        before.extend(known.into_iter().cloned());
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::AlertState;
    use crate::model::alert::tests::alert;

    #[test]
    fn what_a_source_tells_first_is_no_change_even_where_another_tells_more_in_the_same_moment() {
        let named = |name: &str, source: &str| {
            let mut alert = alert(&[("alertname", name)], AlertState::Firing, 1);
            Arc::make_mut(&mut alert).source = source.into();
            alert
        };
        let (before, after) = (vec![named("Old", "a")], vec![named("Old", "a"), named("New", "a"), named("Known", "b")]);
        let new = HashSet::from(["b"]);
        let none = Default::default();
        let changes = change::alerts(&told(carried(&before, &after), &after, &new), &after, (&none, &none), Timestamp::UNIX_EPOCH, 10);
        assert_eq!(changes.iter().map(|c| c.what.as_str()).collect::<Vec<_>>(), ["New began"]);
    }
}
