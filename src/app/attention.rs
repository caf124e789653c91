//! Calling for a person who looks elsewhere, and telling one who comes back what happened meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::AlertId;
use crate::model::attention::{self, Cause, Notify};
use crate::model::reading::Freshness;
use crate::model::run::known::Runs;
use crate::model::text::clean;
use crate::model::timeline::Kind;

use super::state::State;

/// Between two calls: whatever comes meanwhile is one call after it.
pub const GAP: SignedDuration = SignedDuration::from_secs(30);
/// An alert that ends and fires again within this is not called for again.
pub const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// Alerts that are remembered for that.
pub const REMEMBERED: usize = 2_000;
/// Names in one call; more are counted.
pub const NAMES: usize = 3;
/// Bytes of a call's text: notifications are small.
const TEXT_CAP: usize = 200;
/// Whoever did nothing for longer was away.
const AWAY: SignedDuration = SignedDuration::from_mins(5);
/// Moments at which criticals began that are remembered for those who were away.
const MOMENTS: usize = 2_000;

/// A call for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The terminal's bell.
    pub bell: bool,
    /// The terminal's own notification.
    pub notify: Notify,
    /// A program with its arguments; the text is added as the last one. None where it is empty.
    pub command: Vec<String>,
    /// What happened, one line without control characters: `shop: 2 critical: NodeDown, DiskFull`.
    pub text: String,
}

/// What is to be called for and was not yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Waiting {
    /// Criticals: how many, and the first names.
    pub criticals: (usize, Vec<String>),
    /// Runs that need a person, and runs that ended, a few words each.
    pub runs: Vec<(Cause, String)>,
}

/// What is known of the person at this console.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attention {
    /// What the person wishes.
    pub wishes: attention::Attention,
    /// When a person was last called for (UTC).
    pub called: Option<Timestamp>,
    /// What waits for the next call.
    pub waiting: Waiting,
    /// Criticals that were called for, the oldest first.
    pub rung: VecDeque<(AlertId, Timestamp)>,
    /// True once the journal was read: what it told first is how things stand.
    pub runs_known: bool,
    /// The title that the terminal has.
    pub title: Option<String>,
    /// When a person last did something here (UTC); the opening of the console before that.
    pub looked: Option<Timestamp>,
    /// When criticals began, and how many, the oldest first.
    pub began: VecDeque<(Timestamp, usize)>,
    /// What happened while the person was away; shown until it is dismissed.
    pub since: Option<Since>,
}

/// What happened while nobody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Since when nobody did (UTC).
    pub at: Timestamp,
    /// Criticals that began.
    pub critical: usize,
    /// Alerts that ended.
    pub resolved: usize,
    /// Runs that ended.
    pub ended: usize,
}

/// Critical alerts that began to fire in one derivation: the first of them, and how many they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rang {
    /// Which, and their names.
    pub first: Vec<(AlertId, Arc<str>)>,
    /// How many in all.
    pub count: usize,
}

/// Takes note of criticals that began.
pub fn critical(state: &mut State, rang: Rang) {
    let now = state.now;
    let of = &mut state.attention;
    of.rung.retain(|(_, at)| now.duration_since(*at) < AGAIN);
    if rang.count == 0 {
        return;
    }
    of.began.push_back((now, rang.count));
    while of.began.len() > MOMENTS {
        of.began.pop_front();
    }
    let more = rang.count - rang.first.len();
    let mut new = more;
    for (id, name) in rang.first {
        if of.rung.iter().any(|(known, _)| *known == id) {
            continue;
        }
        new += 1;
        if of.waiting.criticals.1.len() < NAMES && !of.waiting.criticals.1.iter().any(|known| **known == *name) {
            of.waiting.criticals.1.push(name.to_string());
        }
        of.rung.push_back((id, now));
    }
    while of.rung.len() > REMEMBERED {
        of.rung.pop_front();
    }
    of.waiting.criticals.0 += new;
}

/// Takes note of what changed of runs: those that need a person now, and those that ended.
pub fn runs(state: &mut State, new: &Runs) {
    use crate::model::run::Phase;
    use crate::model::run::known::{KnownRun, Liveness, Standing};
    // A run that a person paused needs nobody: they know.
    let needs = |known: &KnownRun| match known.standing() {
        Standing::Orphaned if matches!(known.alive, Liveness::Silent { .. }) => Some("says nothing any more"),
        Standing::Orphaned => Some("is orphaned: its runner is gone"),
        Standing::Waiting if known.state.phase() == Phase::Asking => Some("needs you"),
        _ => None,
    };
    if !std::mem::replace(&mut state.attention.runs_known, true) {
        return;
    }
    let mut found = Vec::new();
    for known in new.open() {
        let Some(what) = needs(known) else { continue };
        let before = state.runs.find(&known.state.run);
        if before.is_none_or(|before| needs(before) != Some(what)) {
            found.push((Cause::Person, format!("run {} {what}", known.state.run)));
        }
    }
    for before in state.runs.open() {
        if let Some(known) = new.find(&before.state.run).filter(|known| known.state.ended.is_some()) {
            let (_, word, _) = super::operations::mark(known);
            found.push((Cause::Ended, format!("run {} {word}", known.state.run)));
        }
    }
    let waiting = &mut state.attention.waiting.runs;
    waiting.extend(found);
    waiting.truncate(50);
}

/// The call that is due now. What a quiet hour holds back is not told later: who looks sees it.
pub fn due(state: &mut State) -> Option<Call> {
    let now = state.now;
    let of = &state.attention;
    let none = of.waiting.criticals.0 == 0 && of.waiting.runs.is_empty();
    if none || of.called.is_some_and(|called| now.duration_since(called) < GAP) {
        return None;
    }
    let zone = state.zone();
    let of = &mut state.attention;
    let Waiting { criticals: (count, names), runs } = std::mem::take(&mut of.waiting);
    let hears = |cause| of.wishes.hears(cause, now, &zone);
    let mut parts = Vec::new();
    if count > 0 && hears(Cause::Critical) {
        let more = if count > names.len() && !names.is_empty() { ", ..." } else { "" };
        parts.push(format!("{count} critical: {}{more}", names.join(", ")));
    }
    parts.extend(runs.into_iter().filter(|(cause, _)| hears(*cause)).map(|(_, what)| what).take(NAMES));
    if parts.is_empty() {
        return None;
    }
    of.called = Some(now);
    let text = clean(&format!("{}: {}", state.estate.name, parts.join("; ")), TEXT_CAP).into_owned();
    let wishes = &state.attention.wishes;
    Some(Call { bell: wishes.bell, notify: wishes.notify, command: wishes.command.clone(), text })
}

/// The title that the terminal is to have, where it has another.
pub fn title(state: &mut State) -> Option<String> {
    if !state.attention.wishes.title {
        return None;
    }
    let fresh = state.view.freshness.contains(&Freshness::Fresh);
    let what = match state.view.counts[0] {
        _ if !fresh => ": ? nothing is fresh".to_owned(),
        0 => String::new(),
        count => format!(": X {count} critical"),
    };
    let title = clean(&format!("qd {}{what}", state.estate.name), TEXT_CAP).into_owned();
    let other = state.attention.title.as_ref() != Some(&title);
    other.then(|| state.attention.title.insert(title).clone())
}

/// A person is here: whoever was away is told what happened meanwhile.
pub fn looks(state: &mut State) {
    let now = state.now;
    let at = state.attention.looked.replace(now).unwrap_or(state.started);
    if now.duration_since(at) <= AWAY {
        return;
    }
    // An older line that was not dismissed goes on.
    let at = state.attention.since.map_or(at, |since| since.at);
    let critical = state.attention.began.iter().filter(|(began, _)| *began > at).map(|(_, count)| count).sum();
    let resolved = state.seen.iter().rev().take_while(|event| event.at > at);
    let resolved = resolved.filter(|event| matches!(event.kind, Kind::AlertEnded | Kind::FindingEnded)).count();
    let ended = state.runs.all.iter().filter(|known| known.state.ended.as_ref().is_some_and(|(ended, _)| *ended > at)).count();
    let since = Since { at, critical, resolved, ended };
    state.attention.since = (critical + resolved + ended > 0).then_some(since);
}

impl Since {
    /// In words: `2 new critical, 1 resolved, 1 run ended`.
    pub fn words(&self) -> String {
        let runs = if self.ended == 1 { "run" } else { "runs" };
        let parts = [
            (self.critical, format!("{} new critical", self.critical)),
            (self.resolved, format!("{} resolved", self.resolved)),
            (self.ended, format!("{} {runs} ended", self.ended)),
        ];
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
    }
}
