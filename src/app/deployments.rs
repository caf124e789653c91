//! What was deployed, as the console holds it: joined from all sources, and which of it belongs to a chart.

mod local;
pub mod made;
pub mod share;
pub mod window;

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::deployment::{self, Deployment};
use crate::model::estate::SourceKind;
use crate::model::metric::Plot;
use crate::model::panel::Panel;
use crate::model::reading::{Freshness, Reading};
use crate::model::source::{Answer, HistoryAnswer};

use super::state::State;

/// Deployments that runs made, by the journal, the newest first.
pub type Made = Arc<Vec<Arc<Deployment>>>;

/// What all sources together tell of deployments.
#[derive(Debug, Clone, Default)]
pub struct Deployments {
    /// What they were joined from.
    answers: Vec<Arc<HistoryAnswer>>,
    /// Those that runs made.
    made: Made,
    /// Each once, the newest first.
    pub all: Arc<Vec<Arc<Deployment>>>,
}

impl PartialEq for Deployments {
    fn eq(&self, other: &Deployments) -> bool {
        Arc::ptr_eq(&self.all, &other.all) || self.all == other.all
    }
}

impl Deployments {
    /// Joined anew only where a source told something else than the last time: there are thousands of them.
    pub(super) fn of(readings: &[Reading<Answer>], made: &Made, before: &Deployments) -> Deployments {
        let answers: Vec<Arc<HistoryAnswer>> = readings
            .iter()
            .filter_map(|reading| match &reading.held.as_ref()?.value {
                Answer::History(answer) => Some(answer.clone()),
                _ => None,
            })
            .collect();
        let same = answers.len() == before.answers.len() && answers.iter().zip(&before.answers).all(|(a, b)| Arc::ptr_eq(a, b));
        if same && (Arc::ptr_eq(made, &before.made) || made == &before.made) {
            return before.clone();
        }
        let mut all = deployment::join(std::iter::once(made.as_slice()).chain(answers.iter().map(|answer| answer.deployments.as_slice())));
        // In the order in which they are read by key.
        all.sort_by(|a, b| Reverse((a.at, &a.key)).cmp(&Reverse((b.at, &b.key))));
        Deployments { answers, made: made.clone(), all: Arc::new(all) }
    }

    /// The deployment with that key, and its place.
    pub fn find(&self, key: &str) -> Option<(usize, &Arc<Deployment>)> {
        self.all.iter().enumerate().find(|(_, one)| &*one.key == key)
    }
}

/// The deployments of a panel's service in the time of its plot, the newest first; none of a panel without a service. A
/// version that is only there was not deployed.
pub fn on_chart<'a>(state: &'a State, panel: &Panel, plot: &Plot) -> Vec<&'a Arc<Deployment>> {
    let Some(service) = &panel.service else { return Vec::new() };
    let end = plot.time(plot.len.saturating_sub(1));
    let within = deployment::between(&state.shown().deployments.all, plot.start, end);
    within.iter().filter(|one| one.is_act() && one.is_of(service, panel.site.as_deref())).collect()
}

/// The one of these that is nearest to a chart's cursor, where one is within three steps of the plot.
pub fn at_cursor<'a>(marks: &[&'a Arc<Deployment>], plot: &Plot, at: Timestamp) -> Option<&'a Arc<Deployment>> {
    let reach = SignedDuration::from_secs(plot.step.max(1).saturating_mul(3));
    let away = |one: &Deployment| one.at.duration_since(at).abs();
    marks.iter().filter(|one| away(one) <= reach).min_by_key(|one| away(one)).copied()
}

impl State {
    /// What of the same service and place was deployed before this one and after it, as far as it is known here: told by
    /// the index for the one that is looked at, else among the rows that are held.
    pub fn beside(&self, of: &Deployment) -> window::Pair {
        let told = self.window.neighbours.as_ref().filter(|near| near.key == of.key).and_then(|near| near.told.clone());
        told.unwrap_or_else(|| {
            let all = if self.window.is_whole() { &self.window.rows } else { &*self.shown().deployments.all };
            let (before, after) = deployment::neighbours(all, of);
            (before.cloned(), after.cloned())
        })
    }

    /// The deployment with that key, among the rows of the pane and the newest ones.
    pub fn deployment(&self, key: &str) -> Option<&Arc<Deployment>> {
        let listed = self.window.rows.iter().find(|one| &*one.key == key);
        listed.or_else(|| self.shown().deployments.find(key).map(|(_, one)| one))
    }

    /// True where the estate has a source of deployments.
    pub fn tells_of_deployments(&self) -> bool {
        self.estate.sources.iter().any(|source| matches!(source.kind, SourceKind::History(_)))
    }

    /// The sources of deployments that are not fresh: what is listed may lack the newest of theirs.
    pub fn silent_histories(&self) -> Vec<&str> {
        let stale = |reading: &Reading<Answer>| reading.freshness(self.now) != Freshness::Fresh;
        let all = self.estate.sources.iter().zip(self.shown_readings());
        all.filter(|(source, reading)| matches!(source.kind, SourceKind::History(_)) && stale(reading))
            .map(|(s, _)| s.name.as_str())
            .collect()
    }
}
