//! All silences of an estate as a list: those that end first stand first, those that have ended come last.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Silence, SilenceState};
use crate::model::reading::Reading;
use crate::model::source::{AlertmanagerAnswer, Answer};

/// One silence of one source, by their places, and how much it mutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The source's place in the estate.
    pub source: usize,
    /// The silence's place in the source's answer.
    pub place: usize,
    /// Alerts that it mutes now.
    pub mutes: usize,
}

impl Listed {
    /// The silence, out of the readings that it was listed from.
    pub fn silence<'a>(&self, readings: &'a [Reading<Answer>]) -> Option<&'a Silence> {
        answer(readings.get(self.source)?)?.silences.get(self.place)
    }
}

/// Who acked an alert, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acked {
    /// Who, without their machine.
    pub who: String,
    /// When (UTC).
    pub at: Timestamp,
}

/// The acks that mute now, by the ids of their silences.
pub type Acks = HashMap<String, Acked>;

fn answer(reading: &Reading<Answer>) -> Option<&AlertmanagerAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::Alertmanager(answer) => Some(answer),
        _ => None,
    }
}

/// All of them, in the order of the list.
pub fn listed(readings: &[Reading<Answer>], now: Timestamp) -> Vec<Listed> {
    let mut all = Vec::new();
    for (source, reading) in readings.iter().enumerate() {
        let Some(answer) = answer(reading) else { continue };
        let mut muted: HashMap<&str, usize> = HashMap::new();
        for id in answer.alerts.iter().flat_map(|alert| &alert.silenced_by) {
            *muted.entry(id).or_default() += 1;
        }
        for (place, silence) in answer.silences.iter().enumerate() {
            let over = silence.stands(now) == SilenceState::Expired;
            let end = silence.ends_at.as_second();
            let mutes = if over { 0 } else { muted.get(silence.id.as_str()).copied().unwrap_or(0) };
            // Of those that are over the newest end comes first.
            all.push(((over, if over { -end } else { end }, &silence.id), Listed { source, place, mutes }));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().map(|(_, listed)| listed).collect()
}

/// Those that these readings tell of.
pub fn acks(readings: &[Reading<Answer>], now: Timestamp) -> Acks {
    let silences = readings.iter().filter_map(answer).flat_map(|answer| &answer.silences);
    let acks = silences.filter(|silence| silence.is_ack() && silence.stands(now) == SilenceState::Active);
    acks.map(|silence| (silence.id.clone(), Acked { who: silence.who().to_owned(), at: silence.starts_at })).collect()
}

/// The newest ack of those silences.
pub fn ack_of<'a>(acks: &'a Acks, silenced_by: &[Arc<str>]) -> Option<&'a Acked> {
    silenced_by.iter().filter_map(|id| acks.get(&**id)).max_by_key(|acked| acked.at)
}
