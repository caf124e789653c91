//! What lies beside a chart's own series: their newest values, the same ones a day or a week before, and the panels that can be laid over it.

use jiff::Timestamp;

use crate::app::state::State;
use crate::app::when;
use crate::model::metric::{Plot, Series};
use crate::model::panel::Panel;

use super::{Shown, Slot, panel, said};

/// The same panel earlier, moved onto these steps.
#[derive(Debug)]
pub struct Before {
    /// The series; `None` where nothing is known.
    pub plot: Option<Plot>,
    /// What is to be said of it, the first before the rest.
    pub notes: Vec<String>,
}

/// What the plot is compared with.
pub fn before(state: &State, name: &str, plot: &Plot) -> Option<Before> {
    let by = state.chart.compare.by()?;
    let word = state.chart.compare.word();
    let (panel, part) = (panel(state, name)?, &state.chart.parts[Slot::Before as usize]);
    let from = plot.start.checked_sub(by).unwrap_or(Timestamp::MIN);
    // Moved on by less than it is long it still tells of most of it; moved on by more it is of another time.
    let held =
        part.of(panel).filter(|(ask, ..)| ask.window.from() < plot.end().checked_sub(by).unwrap_or(Timestamp::MIN) && ask.window.to > from);
    let mut notes = Vec::new();
    if part.asked.is_some() && held.is_none() {
        notes.push(format!("{word}: loading"));
    }
    if let Some((_, why)) = &part.failed {
        notes.push(format!("? {word} could not be read: {why}"));
    }
    let moved = held.map(|(.., told)| told.plot.onto(from, plot.step, plot.len));
    let nothing = |plot: &Plot| plot.series.iter().all(|one| one.points.iter().all(Option::is_none));
    if let (Some((.., told)), Some(moved)) = (held, &moved) {
        let to = moved.end();
        if nothing(moved) {
            let what = match told.kept {
                Some(kept) => said(state, kept),
                None => "it keeps nothing that old, or the series did not exist".to_owned(),
            };
            let (from, to) = (when::full(state, from), when::full(state, to));
            notes.push(format!("? {word}: {} has no sample between {from} and {to}: {what}", panel.source));
        }
        notes.extend(told.notes.iter().map(|note| format!("! {word}: {note}")));
    }
    let plot = moved.map(|moved| Plot { start: plot.start, ..moved });
    Some(Before { plot, notes })
}

impl Shown<'_> {
    /// The newest value of a series; `from` is where the search in the newest samples begins, and moves on.
    pub fn newest(&self, one: &Series, from: &mut usize) -> Option<f64> {
        if self.now.is_empty() {
            return one.points.last().copied().flatten();
        }
        // Both have the same order as a rule: then each is found at once.
        let (before, after) = self.now.split_at((*from).min(self.now.len()));
        let Some(at) = after.iter().chain(before).position(|sample| sample.labels == one.labels) else {
            return one.points.last().copied().flatten();
        };
        let at = (*from + at) % self.now.len();
        *from = at + 1;
        Some(self.now[at].value)
    }

    /// The newest value that speaks for the whole chart, of what was asked apart from the polls.
    pub fn worst(&self) -> Option<f64> {
        let newest = self.plot.as_deref()?.series.iter().filter_map(|one| one.points.last().copied().flatten());
        newest.reduce(|a, b| if a.is_nan() || b > a { b } else { a })
    }
}

/// The panels that can be laid over a chart, and whether one has its unit.
pub fn candidates<'a>(state: &'a State, name: &str) -> Vec<(&'a Panel, bool)> {
    let unit = panel(state, name).map(|panel| panel.unit);
    let others = state.estate.panels.iter().filter(|panel| panel.name != name);
    others.map(|panel| (panel, Some(panel.unit) == unit)).collect()
}
