//! What a person chose of a silence before there is a plan: which labels, which silence, how long. The end is a moment from
//! then on at which the choice is left: a plan that is made anew has the same.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::many::Many;
use crate::app::state::State;
use crate::model::alert::{Alert, Origin};
use crate::model::plan::silence::{Wish, matchers_of};
use crate::model::silence::{Muting, Silence, SilenceMatcher, SilenceState, is_id};
use crate::model::source::Answer;

/// How long it may last, as it is offered.
pub const LASTS: [(SignedDuration, &str); 6] = [
    (SignedDuration::from_mins(30), "30m"),
    (SignedDuration::from_hours(1), "1h"),
    (SignedDuration::from_hours(2), "2h"),
    (SignedDuration::from_hours(4), "4h"),
    (SignedDuration::from_hours(8), "8h"),
    (SignedDuration::from_hours(24), "1d"),
];
/// The place of 2h: what a silence lasts where nothing else is chosen. An ack lasts the first.
const USUAL: usize = 2;
/// Labels that are chosen at first for a silence, where the alert has them: it and those of its kind at the same place.
pub(super) const NARROW: [&str; 3] = ["alertname", "service", "instance"];

/// What is done with a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One alert is muted, and nothing else.
    Ack,
    /// What matches is muted.
    Silence,
    /// A silence gets another end.
    Extend,
    /// A silence ends now.
    Expire,
}

impl Verb {
    /// What `qd plan` calls it.
    pub fn command(self) -> &'static str {
        match self {
            Verb::Ack => "ack",
            Verb::Silence => "silence",
            Verb::Extend => "silence --extend",
            Verb::Expire => "expire",
        }
    }

    /// Its word at the head of the wizard.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Ack => "ACK",
            Verb::Silence => "SILENCE",
            Verb::Extend => "EXTEND A SILENCE OF",
            Verb::Expire => "END A SILENCE OF",
        }
    }

    /// True where a silence that is there is meant.
    pub fn is_of_silence(self) -> bool {
        matches!(self, Verb::Extend | Verb::Expire)
    }
}

/// One label of the alert as a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The condition.
    pub matcher: SilenceMatcher,
    /// True where it must hold.
    pub on: bool,
}

/// All that is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What is done.
    pub verb: Verb,
    /// The Alertmanager, by its name in the estate file.
    pub source: String,
    /// The alert's fingerprint.
    pub fingerprint: String,
    /// The alert's name.
    pub about: String,
    /// The alert's labels; none where a silence is meant.
    pub choices: Vec<Choice>,
    /// The silences that mute the alert, those that last longest first; none where none is meant.
    pub silences: Vec<Silence>,
    /// The line that is selected.
    pub selected: usize,
    /// The place of how long it lasts in [`LASTS`].
    pub lasts: usize,
    /// Its end (UTC), from when the choice was left until it is changed.
    pub until: Option<Timestamp>,
    /// What is chosen of several marked alerts, where they are meant; then there are no labels and no silences above.
    pub many: Option<Many>,
}

impl Draft {
    /// What can be done so with that alert, and why it cannot be gone through, as a sentence; `None` where nothing can.
    pub fn of(state: &State, alert: &Alert, verb: Verb) -> Option<(Draft, Option<String>)> {
        if alert.origin != Origin::Alertmanager || alert.fingerprint.is_empty() {
            return None;
        }
        let silences = if verb.is_of_silence() { silences(state, alert) } else { Vec::new() };
        if verb.is_of_silence() && silences.is_empty() {
            return None;
        }
        let mut draft = Draft {
            verb,
            source: alert.source.to_string(),
            fingerprint: alert.fingerprint.to_string(),
            about: alert.name().to_owned(),
            choices: Vec::new(),
            silences,
            selected: 0,
            lasts: usual(verb),
            until: None,
            many: None,
        };
        if verb.is_of_silence() {
            return Some((draft, None));
        }
        match matchers_of(alert) {
            Ok(matchers) => {
                let on = |name: &str| verb == Verb::Ack || NARROW.contains(&name);
                draft.choices = matchers.into_iter().map(|matcher| Choice { on: on(&matcher.name), matcher }).collect();
                Some((draft, None))
            }
            Err(why) => Some((draft, Some(format!("{why}: `qd plan silence --matcher`")))),
        }
    }

    /// What can be done so with a silence of that source; `None` where it has ended, or where that is nothing to do with one.
    pub fn of_silence(source: &str, silence: &Silence, verb: Verb, now: Timestamp) -> Option<Draft> {
        let lives = silence.stands(now) != SilenceState::Expired && is_id(&silence.id);
        (verb.is_of_silence() && lives).then(|| Draft {
            verb,
            source: source.to_owned(),
            fingerprint: String::new(),
            about: silence.what(),
            choices: Vec::new(),
            silences: vec![silence.clone()],
            selected: 0,
            lasts: usual(verb),
            until: None,
            many: None,
        })
    }

    /// What can be done so with these marked alerts; `None` where nothing can. Those of one Alertmanager go together.
    pub fn of_marked(state: &State, alerts: &[Arc<Alert>], verb: Verb) -> Option<Draft> {
        let many = Many::of(state, alerts, verb)?;
        let about = format!("{} marked alerts", alerts.len());
        let (source, lasts) = (many.source.clone(), usual(verb));
        let (choices, silences) = (Vec::new(), Vec::new());
        Some(Draft {
            verb,
            source,
            fingerprint: String::new(),
            about,
            choices,
            silences,
            selected: 0,
            lasts,
            until: None,
            many: Some(many),
        })
    }

    /// `2 of the `, where some of the marked alerts were left out; else nothing.
    pub fn part(&self) -> String {
        match &self.many {
            Some(many) if !self.verb.is_of_silence() && many.taken().count() < many.all.len() => {
                format!("{} of the ", many.taken().count())
            }
            _ => String::new(),
        }
    }

    /// The conditions that must hold.
    pub fn matchers(&self) -> Vec<SilenceMatcher> {
        self.choices.iter().filter(|choice| choice.on).map(|choice| choice.matcher.clone()).collect()
    }

    /// The silence that is meant.
    pub fn silence(&self) -> Option<&Silence> {
        self.silences.get(self.selected)
    }

    /// Its end as it would be now (UTC); `None` where it ends now.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        if self.verb == Verb::Expire {
            return None;
        }
        let (lasts, _) = LASTS.get(self.lasts)?;
        // Alertmanager keeps whole seconds of it here.
        let fresh = || Timestamp::from_second(now.checked_add(*lasts).ok()?.as_second()).ok();
        self.until.filter(|until| *until > now).or_else(fresh)
    }

    /// Takes the end as it is now for good.
    ///
    /// # Errors
    /// What must be chosen first, as a sentence.
    pub fn settle(&mut self, now: Timestamp) -> Result<(), String> {
        if self.many.is_none() && self.verb == Verb::Silence && self.choices.iter().all(|choice| !choice.on) {
            return Err("choose a label: without any it would mute everything".to_owned());
        }
        if self.many.as_ref().is_some_and(|many| many.taken().next().is_none()) {
            return Err("none is taken in: there is nothing to do".to_owned());
        }
        self.until = self.end(now);
        Ok(())
    }

    /// What a plan is to be made of; `None` before the choice was left.
    pub fn wish(&self) -> Option<Wish> {
        let id = || self.silence().map(|silence| silence.id.clone());
        if let Some(many) = &self.many {
            return many.wish(self.verb, self.until);
        }
        Some(match self.verb {
            Verb::Ack => Wish::Ack { alert: self.fingerprint.clone(), until: self.until? },
            Verb::Silence => Wish::Mute { matchers: self.matchers(), until: self.until? },
            Verb::Extend => Wish::Extend { id: id()?, until: self.until? },
            Verb::Expire => Wish::Expire { id: id()? },
        })
    }

    /// Lines that can be selected.
    pub fn len(&self) -> usize {
        if let Some(many) = &self.many {
            return many.len();
        }
        if self.verb.is_of_silence() { self.silences.len() } else { self.choices.len() }
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Selects another line.
    pub fn walk(&mut self, by: isize) {
        let at = self.selected.saturating_add_signed(by).min(self.len().saturating_sub(1));
        if at != self.selected && self.verb.is_of_silence() && self.many.is_none() {
            self.until = None;
        }
        self.selected = at;
    }

    /// Takes the selected label in, or leaves it out.
    ///
    /// # Errors
    /// Why that cannot be, as a sentence.
    pub fn toggle(&mut self) -> Result<(), String> {
        if let Some(many) = &mut self.many {
            self.until = None;
            return many.toggle(self.selected);
        }
        match self.verb {
            Verb::Silence => {
                if let Some(choice) = self.choices.get_mut(self.selected) {
                    choice.on = !choice.on;
                    self.until = None;
                }
                Ok(())
            }
            Verb::Ack => Err("an ack mutes this alert and nothing else: a silence lets you choose labels".to_owned()),
            Verb::Extend | Verb::Expire => Err("a silence that is there keeps its labels".to_owned()),
        }
    }

    /// Lets it last longer, or shorter.
    pub fn stretch(&mut self, longer: bool) {
        let by = if longer { 1 } else { -1 };
        let at = self.lasts.saturating_add_signed(by).min(LASTS.len() - 1);
        if at != self.lasts {
            (self.lasts, self.until) = (at, None);
        }
    }

    /// The alerts of the Alertmanager that it mutes, or mutes now, as the last poll told of them.
    pub fn matched<'a>(&self, state: &'a State) -> Vec<&'a Alert> {
        if let Some(many) = &self.many {
            return many.matched(state, self.verb);
        }
        let matchers = match self.silence() {
            Some(silence) => silence.matchers.clone(),
            None => self.matchers(),
        };
        let Some(muting) = Muting::of(&matchers).ok().filter(|_| !matchers.is_empty()) else { return Vec::new() };
        let here = |alert: &&Alert| alert.origin == Origin::Alertmanager && *alert.source == *self.source;
        state.shown().alerts.iter().map(|alert| &**alert).filter(here).filter(|alert| muting.mutes(&alert.labels)).collect()
    }
}

/// The place of how long it lasts where nothing else is chosen.
fn usual(verb: Verb) -> usize {
    if verb == Verb::Ack { 0 } else { USUAL }
}

/// The silences that mute that alert and have not ended, those that last longest first.
pub(super) fn silences(state: &State, alert: &Alert) -> Vec<Silence> {
    let place = state.estate.sources.iter().position(|source| *source.name == *alert.source);
    let held = place.and_then(|place| state.shown_readings().get(place)).and_then(|reading| reading.held.as_ref());
    let Some(Answer::Alertmanager(answer)) = held.map(|held| &held.value) else { return Vec::new() };
    let mutes = |silence: &&Silence| {
        silence.state != SilenceState::Expired && is_id(&silence.id) && alert.silenced_by.iter().any(|id| **id == *silence.id)
    };
    let mut found: Vec<Silence> = answer.silences.iter().filter(mutes).cloned().collect();
    found.sort_by_key(|silence| std::cmp::Reverse(silence.ends_at));
    found
}
