//! Which tellings are of one thing: what an Alertmanager, a Prometheus and a console tell of one alert is one event. Of
//! thousands of one name each finds its own at once, by the labels that both have.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::SignedDuration;

use super::{Event, Kind, Link};
use crate::model::label::Labels;

/// Two tellings of one alert's begin or end are one where their times are no farther apart than this: a rule is judged
/// at intervals, and its result takes time to be told.
const SAME: SignedDuration = SignedDuration::from_secs(90);
/// Tellings that one is compared with: where more look alike, the search is cut short.
const COMPARED: usize = 200;
/// Ways of being labelled that are told apart under one name: each source has its own, and there are few.
const WAYS: usize = 8;

/// The tellings that are kept so far, by what those of one thing have in common.
#[derive(Debug, Default)]
pub(super) struct Tellings {
    of: HashMap<(Kind, String), Alike>,
}

/// Tellings that have a name in common.
#[derive(Debug, Default)]
struct Alike {
    /// All of them, in the order in which they came.
    all: Vec<usize>,
    /// The names of labels that they have, each way once.
    ways: Vec<Vec<String>>,
    /// By way and by the values of its labels: those that have exactly these labels.
    exactly: HashMap<(usize, u64), Vec<usize>>,
    /// The same of those that have at least these labels.
    at_least: HashMap<(usize, u64), Vec<usize>>,
}

impl Tellings {
    /// The place in `kept` of what tells of the same; else the event is to be kept at the place that comes next.
    pub fn find(&mut self, kept: &[Event], event: &Event) -> Option<usize> {
        let alike = self.of.entry((event.kind, key(event))).or_default();
        let same = |places: &[usize]| places.iter().rev().take(COMPARED).copied().find(|at| is_same(&kept[*at], event));
        let next = kept.len();
        let Link::Alert(labels) = &event.link else {
            let found = same(&alike.all);
            if found.is_none() {
                alike.all.push(next);
            }
            return found;
        };
        let labels = judged(event.kind, labels);
        let way = alike.way(kept, &labels);
        let values = |way: &[String]| values(&labels, way);
        // Those with more labels than this one has, or the same.
        let more = way.and_then(|way| same(alike.at_least.get(&(way, values(&alike.ways[way])?))?));
        // Those with fewer.
        let fewer = || {
            let all = alike.ways.iter().enumerate().filter(|(place, _)| Some(*place) != way);
            all.filter_map(|(place, way)| alike.exactly.get(&(place, values(way)?))).find_map(|places| same(places))
        };
        let found = more.or_else(fewer);
        if found.is_none() {
            alike.keep(&labels, way, next);
        }
        found
    }
}

impl Alike {
    /// The way in which that is labelled, which may be a new one; `None` where there are too many.
    fn way(&mut self, kept: &[Event], labels: &Labels) -> Option<usize> {
        let known = |way: &Vec<String>| way.len() == labels.len() && way.iter().zip(labels.iter()).all(|(known, (name, _))| known == name);
        if let Some(at) = self.ways.iter().position(known) {
            return Some(at);
        }
        if self.ways.len() >= WAYS {
            return None;
        }
        let (place, way) = (self.ways.len(), labels.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>());
        for at in &self.all {
            if let Link::Alert(of) = &kept[*at].link
                && let Some(values) = values(&judged(kept[*at].kind, of), &way)
            {
                self.at_least.entry((place, values)).or_default().push(*at);
            }
        }
        self.ways.push(way);
        Some(place)
    }

    fn keep(&mut self, labels: &Labels, own: Option<usize>, at: usize) {
        self.all.push(at);
        for (place, way) in self.ways.iter().enumerate() {
            if let Some(values) = values(labels, way) {
                self.at_least.entry((place, values)).or_default().push(at);
                if Some(place) == own {
                    self.exactly.entry((place, values)).or_default().push(at);
                }
            }
        }
    }
}

/// The values of these labels as one number; `None` where one of them is missing. Those that are equal are looked at.
fn values(labels: &Labels, names: &[String]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for name in names {
        labels.get(name)?.hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// A finding that gets worse is the same one with another severity.
fn judged(kind: Kind, labels: &Labels) -> Labels {
    match kind {
        Kind::FindingBegan | Kind::FindingEnded => labels.without("severity"),
        _ => labels.clone(),
    }
}

/// What tellings of one thing have in common, for sure.
fn key(event: &Event) -> String {
    match &event.link {
        Link::Alert(labels) => labels.get("alertname").unwrap_or_default().to_owned(),
        Link::Deployment(key) => key.to_string(),
        Link::Source(name) => format!("{name} {}", event.what),
        Link::Run(run) => format!("{run} {}", event.what),
        Link::Silence { id, .. } => id.clone(),
        Link::Nothing => event.what.clone(),
    }
}

fn is_same(kept: &Event, other: &Event) -> bool {
    let begin = |event: &Event| event.after.unwrap_or(event.at);
    let near = begin(kept).duration_since(other.at) <= SAME && begin(other).duration_since(kept.at) <= SAME;
    near && match (&kept.link, &other.link) {
        // Alertmanager has the external labels of its Prometheus too.
        (Link::Alert(one), Link::Alert(two)) => {
            let (one, two) = (judged(kept.kind, one), judged(kept.kind, two));
            one.covers(&two) || two.covers(&one)
        }
        (Link::Silence { id: one, .. }, Link::Silence { id: two, .. }) => one == two,
        (one, two) => one == two,
    }
}
