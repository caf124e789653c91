//! What is chosen of several marked alerts before there is a plan: a silence for each of them, one for all where their
//! common labels are those of no other alert, or the silences that mute them.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::draft::{NARROW, Verb, silences};
use crate::app::state::State;
use crate::model::alert::{Alert, AlertState, Origin};
use crate::model::plan::silence::{MOST, Which, Wish, matchers_of};
use crate::model::silence::{Muting, SilenceMatcher};

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct One {
    /// The alert's fingerprint, or the silence's id.
    pub id: String,
    /// It, in a line.
    pub told: String,
    /// What is muted, or what the silence mutes.
    pub matchers: Vec<SilenceMatcher>,
    /// True where it is taken in.
    pub on: bool,
}

/// All that is chosen of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Many {
    /// The Alertmanager, by its name in the estate file.
    pub source: String,
    /// The alerts in the order of the list, or the silences that mute them.
    pub all: Vec<One>,
    /// The labels that all of them have and no other alert of that Alertmanager; empty where there are none.
    pub common: Vec<SilenceMatcher>,
    /// True where one silence is made, of these labels.
    pub together: bool,
    /// What is not there, with how many, and why.
    pub left: Vec<String>,
}

impl Many {
    /// Of these alerts; `None` where nothing can be done so with any of them.
    pub(super) fn of(state: &State, alerts: &[Arc<Alert>], verb: Verb) -> Option<Many> {
        let named = |alert: &&Arc<Alert>| alert.origin == Origin::Alertmanager && !alert.fingerprint.is_empty();
        let source = alerts.iter().find(named)?.source.to_string();
        let (here, elsewhere): (Vec<&Arc<Alert>>, Vec<&Arc<Alert>>) = alerts.iter().filter(named).partition(|of| *of.source == *source);
        let mut left = Vec::new();
        let mut leave = |count: usize, why: &str| {
            if count > 0 {
                left.push(format!("{count} {why}"));
            }
        };
        leave(alerts.iter().filter(|alert| !named(alert)).count(), "that no Alertmanager has");
        leave(elsewhere.len(), "of another Alertmanager: theirs is a plan of its own");
        let (mut all, mut common, mut together) = (Vec::new(), Vec::new(), false);
        if verb.is_of_silence() {
            let mut bare = 0;
            for alert in &here {
                let muting = silences(state, alert);
                bare += usize::from(muting.is_empty());
                for silence in muting {
                    if !all.iter().any(|one: &One| one.id == silence.id) {
                        let id = silence.id.get(..8).unwrap_or(&silence.id);
                        let told = format!("{id} by {}: {}", silence.created_by, silence.comment);
                        all.push(One { id: silence.id.clone(), told, matchers: silence.matchers, on: true });
                    }
                }
            }
            leave(bare, "that no silence mutes");
            leave(all.len().saturating_sub(MOST), &format!("silences more than the {MOST} of one plan: theirs is another"));
            all.truncate(MOST);
        } else {
            let (mut muted, mut unshown) = (0, 0);
            for alert in &here {
                let Ok(matchers) = matchers_of(alert) else {
                    unshown += 1;
                    continue;
                };
                let on = alert.state != AlertState::Silenced;
                muted += usize::from(!on);
                let told = format!("{}{}", if on { "" } else { "~ muted already: " }, alert.name());
                all.push(One { id: alert.fingerprint.to_string(), told, matchers, on });
            }
            tell_apart(&mut all);
            leave(unshown, "whose labels hold characters that cannot be shown");
            leave(muted, "that a silence mutes already");
            if verb == Verb::Silence && unshown == 0 {
                common = shared(state, &source, &all);
                together = !common.is_empty() && muted == 0;
            }
        }
        (!all.is_empty()).then_some(Many { source, all, common, together, left })
    }

    /// Those that are taken in.
    pub fn taken(&self) -> impl Iterator<Item = &One> {
        self.all.iter().filter(|one| one.on)
    }

    /// Lines that can be selected: one for all of them first, where that can be.
    pub fn len(&self) -> usize {
        self.all.len() + self.ahead()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lines before the first of them.
    pub fn ahead(&self) -> usize {
        usize::from(!self.common.is_empty())
    }

    /// Silences that are made, or ended.
    pub fn silences(&self) -> usize {
        if self.together { 1 } else { self.taken().count() }
    }

    /// Takes the selected one in or leaves it out, or makes one silence of all of them, or one of each.
    ///
    /// # Errors
    /// Why that cannot be, as a sentence.
    pub(super) fn toggle(&mut self, selected: usize) -> Result<(), String> {
        match selected.checked_sub(self.ahead()).map(|at| self.all.get_mut(at)) {
            None => {
                self.together = !self.together;
                // The labels are those of all of them and of nothing else.
                self.all.iter_mut().for_each(|one| one.on |= self.together);
            }
            Some(_) if self.together => return Err("one silence is for all of them: take it out first, then each has its own".to_owned()),
            Some(Some(one)) => one.on = !one.on,
            Some(None) => {}
        }
        Ok(())
    }

    /// What a plan is to be made of; `None` before the choice was left.
    pub(super) fn wish(&self, verb: Verb, until: Option<Timestamp>) -> Option<Wish> {
        let labels = || self.taken().map(|one| Which::Labels(one.matchers.clone())).collect();
        Some(match verb {
            Verb::Silence if self.together => Wish::Mute { matchers: self.common.clone(), until: until? },
            Verb::Ack | Verb::Silence => Wish::Each { alerts: labels(), until: until?, ack: verb == Verb::Ack },
            Verb::Extend => return None,
            Verb::Expire => Wish::ExpireEach { ids: self.taken().map(|one| one.id.clone()).collect() },
        })
    }

    /// The alerts that it mutes, or that fire again, as the last poll told of them.
    pub(super) fn matched<'a>(&self, state: &'a State, verb: Verb) -> Vec<&'a Alert> {
        let ids: HashSet<&str> = self.taken().map(|one| one.id.as_str()).collect();
        let is_meant = |alert: &&Alert| match verb {
            Verb::Ack | Verb::Silence => ids.contains(&*alert.fingerprint),
            Verb::Extend | Verb::Expire => alert.silenced_by.iter().any(|id| ids.contains(&**id)),
        };
        of_source(state, &self.source).filter(is_meant).collect()
    }
}

/// The alerts of that Alertmanager.
fn of_source<'a>(state: &'a State, source: &str) -> impl Iterator<Item = &'a Alert> {
    let here = move |alert: &&Alert| alert.origin == Origin::Alertmanager && *alert.source == *source;
    state.shown().alerts.iter().map(|alert| &**alert).filter(here)
}

/// Adds to each the labels in which they differ: those that all have tell none from another.
fn tell_apart(all: &mut [One]) {
    let alike = in_all(all);
    for one in all {
        let name = |matcher: &&SilenceMatcher| matcher.name == "alertname";
        for matcher in one.matchers.iter().filter(|of| !name(of) && !alike.contains(of)) {
            one.told += &format!("  {}={}", matcher.name, matcher.value);
        }
    }
}

/// The labels that all of these have.
fn in_all(all: &[One]) -> Vec<SilenceMatcher> {
    let Some((first, rest)) = all.split_first() else { return Vec::new() };
    first.matchers.iter().filter(|matcher| rest.iter().all(|one| one.matchers.contains(matcher))).cloned().collect()
}

/// The labels that all of these have, where no other alert has them all and one of them says what or where it is.
fn shared(state: &State, source: &str, all: &[One]) -> Vec<SilenceMatcher> {
    if all.len() < 2 {
        return Vec::new();
    }
    let common = in_all(all);
    let says = common.iter().any(|matcher| NARROW.contains(&matcher.name.as_str()));
    let Some(muting) = Muting::of(&common).ok().filter(|_| says) else { return Vec::new() };
    let covered = of_source(state, source).filter(|alert| muting.mutes(&alert.labels)).take(all.len() + 1).count();
    if covered == all.len() { common } else { Vec::new() }
}
