//! The list of all silences: who muted what, why and until when, and how much each mutes now.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::reading::{Freshness, Reading};
use crate::model::silence::{self, Acked, Acks, Listed, Silence, SilenceState, acks, listed};
use crate::model::source::Answer;
use crate::model::timeline::{Event, of_silences};

use super::layer::Layer;
use super::state::{PaneList, State};
use super::subject::Subject;
use super::when;
use super::wrap::wrap;

/// Fields that a silence can be filtered by.
pub const SILENCE_FIELDS: &[&str] = &["state", "who", "why", "matcher", "source", "kind", "silence", "run", "age"];
/// Lines below the list that tell of the selected one; none on a low screen.
pub const WHOLE: usize = 6;
/// Body lines from which on these have room.
const LOW: usize = 14;
/// Sources that cannot be read that are named above the list.
const NOTES: usize = 3;

/// What tells a silence from others: its source's name and its id.
pub type SilenceId = (String, String);

/// All silences that the readings tell of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Silences {
    /// Each of them, in the order of the list.
    pub all: Vec<Listed>,
    /// The acks that mute now, by the ids of their silences.
    pub acks: Acks,
    /// When silences began and ended, the newest first.
    pub mutes: Vec<Event>,
}

impl Silences {
    /// Those of these readings.
    pub fn of(estate: &Estate, readings: &[Reading<Answer>], now: Timestamp) -> Silences {
        Silences { all: listed(readings, now), acks: acks(readings, now), mutes: of_silences(estate, readings, now) }
    }
}

/// The list under hands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SilenceList {
    /// Selection and filter.
    pub list: PaneList<SilenceId>,
    /// Places in the view's silences that the filter leaves.
    pub rows: Vec<usize>,
    /// How many stand how: `2 active, 1 expired`.
    pub counted: String,
    /// True while the filter is being typed.
    pub typing: bool,
}

/// A silence with what the list tells of it.
#[derive(Debug, Clone, Copy)]
pub struct OfSilence<'a> {
    /// Its source.
    pub source: &'a Source,
    /// It.
    pub silence: &'a Silence,
    /// Alerts that it mutes now.
    pub mutes: usize,
    /// The moment at which it is judged.
    pub now: Timestamp,
}

impl OfSilence<'_> {
    /// `ack` or `silence`.
    pub fn kind(&self) -> &'static str {
        if self.silence.is_ack() { "ack" } else { "silence" }
    }
}

impl Subject for OfSilence<'_> {
    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let silence = self.silence;
        test(&silence.created_by)
            || test(&silence.comment)
            || test(&self.source.name)
            || test(&silence.id)
            || test(silence.stands(self.now).word())
            || test(self.kind())
            || silence.matchers.iter().any(|of| test(&of.to_string()))
    }

    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let silence = self.silence;
        match name {
            "state" => Some(silence.stands(self.now).word().into()),
            "who" => Some(silence.created_by.as_str().into()),
            "why" => Some(silence.comment.as_str().into()),
            "matcher" => Some(silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ").into()),
            "source" => Some(self.source.name.as_str().into()),
            "kind" => Some(self.kind().into()),
            "silence" => Some(silence.id.as_str().into()),
            "run" => silence.run().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.silence.matchers.iter().find(|of| of.name == name && of.is_equal && !of.is_regex).map(|of| of.value.as_str())
    }

    fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        Some(now.duration_since(self.silence.starts_at))
    }
}

/// The list, where it lies on top, or below what was opened from it.
pub fn shown(state: &State) -> Option<&SilenceList> {
    state.layers.iter().rev().find_map(|layer| match layer {
        Layer::Silences(list) => Some(&**list),
        _ => None,
    })
}

/// A silence of the view, by its place there.
pub fn at(state: &State, place: usize) -> Option<OfSilence<'_>> {
    let listed: &Listed = state.shown().silences.all.get(place)?;
    let silence = listed.silence(state.shown_readings())?;
    Some(OfSilence { source: state.estate.sources.get(listed.source)?, silence, mutes: listed.mutes, now: state.now })
}

/// What tells a row of the list from others.
pub fn id(state: &State, rows: &[usize], row: usize) -> Option<SilenceId> {
    let of = at(state, *rows.get(row)?)?;
    Some((of.source.name.clone(), of.silence.id.clone()))
}

/// The selected silence of the list on top.
pub fn selected(state: &State) -> Option<OfSilence<'_>> {
    let Some(Layer::Silences(of)) = state.layers.last() else { return None };
    of.list.list.selected.as_ref()?;
    at(state, *of.rows.get(of.list.list.row)?)
}

/// Computes the rows again.
pub fn renew(state: &mut State) {
    let Some(place) = state.layers.iter().rposition(|layer| matches!(layer, Layer::Silences(_))) else { return };
    let Some(Layer::Silences(of)) = state.layers.get_mut(place) else { return };
    let mut of = std::mem::take(&mut **of);
    let all = 0..state.shown().silences.all.len();
    of.rows = all.filter(|row| at(state, *row).is_some_and(|one| of.list.filter.matches(&one, state.now))).collect();
    of.counted = counted(state);
    let height = room(state);
    of.list.list.settle(of.rows.len(), |row| id(state, &of.rows, row), height);
    if let Some(Layer::Silences(list)) = state.layers.get_mut(place) {
        **list = of;
    }
}

/// Lines below the list that tell of the selected silence.
pub fn whole(state: &State) -> usize {
    if state.body_height() < LOW { 0 } else { WHOLE }
}

/// Rows of the list that the screen has room for.
pub fn room(state: &State) -> usize {
    state.body_height().saturating_sub(whole(state) + notes(state).len()).max(1)
}

/// What is not known: the Alertmanagers that cannot be read now, a line each; of one alone why stands on further lines too.
pub fn notes(state: &State) -> Vec<String> {
    let mut all = Vec::new();
    for (source, reading) in state.estate.sources.iter().zip(state.shown_readings()) {
        let word = reading.freshness(state.now);
        if !matches!(source.kind, SourceKind::Alertmanager { .. }) || word == Freshness::Fresh {
            continue;
        }
        let as_of = reading
            .held
            .as_ref()
            .map_or("nothing was read of it yet".to_owned(), |held| format!("its silences are as of {}", when::both(state, held.as_of)));
        let why = reading.failure.as_ref().map_or_else(String::new, |failure| format!("; {}", failure.what));
        all.push(format!("{} is {}: {as_of}{why}", source.name, word.word()));
    }
    let more = all.len().saturating_sub(NOTES);
    all.truncate(NOTES);
    if more > 0
        && let Some(last) = all.last_mut()
    {
        *last = format!("{last}; and {more} more");
    }
    let lines = |text: &String| -> Vec<String> {
        let width = usize::from(state.size.0).saturating_sub(4);
        let told = wrap(text, width).into_iter().take(NOTES);
        told.enumerate().map(|(line, text)| format!("{} {text}", if line == 0 { '?' } else { ' ' })).collect()
    };
    match all.as_slice() {
        [only] => lines(only),
        _ => all.iter().map(|text| format!("? {text}")).collect(),
    }
}

/// What stands where no row is.
pub fn empty(state: &State) -> &'static str {
    let is_one = |source: &Source| matches!(source.kind, SourceKind::Alertmanager { .. });
    let heard = |place: usize| state.shown_readings().get(place).is_some_and(|reading| reading.held.is_some());
    let (any, known) = state
        .estate
        .sources
        .iter()
        .enumerate()
        .filter(|(_, source)| is_one(source))
        .fold((false, true), |(_, known), (at, _)| (true, known && heard(at)));
    match (state.shown().silences.all.is_empty(), any, known) {
        (false, ..) => "no silence matches",
        (true, false, _) => "the estate names no Alertmanager, which would have the silences",
        (true, true, false) => "? no silence is known: an Alertmanager was not read yet",
        (true, true, true) => "no silence is there, and none ended in the last day",
    }
}

fn counted(state: &State) -> String {
    let mut counts = [(SilenceState::Active, 0), (SilenceState::Pending, 0), (SilenceState::Expired, 0)];
    let all = state.shown().silences.all.len();
    for one in (0..all).filter_map(|place| at(state, place)) {
        let stands = one.silence.stands(state.now);
        counts.iter_mut().filter(|(of, _)| *of == stands).for_each(|(_, count)| *count += 1);
    }
    let told: Vec<String> = counts.iter().filter(|(_, count)| *count > 0).map(|(of, count)| format!("{count} {}", of.word())).collect();
    told.join(", ")
}

/// The ack that mutes an alert now.
pub fn ack_of<'a>(state: &'a State, silenced_by: &[std::sync::Arc<str>]) -> Option<&'a Acked> {
    silence::ack_of(&state.shown().silences.acks, silenced_by)
}
