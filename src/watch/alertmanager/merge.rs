//! One answer out of those of several peers. Prometheus sends to every peer and silences travel by gossip, so peers may
//! differ for a while: each alert and silence is kept once, the louder state wins, and what differs is told. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::decode::{Decoded, Groups, Status, state};
use crate::model::alert::{self, Alert, AlertState};
use crate::model::label::Labels;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::{AlertmanagerAnswer, DeadMan, Peer};
use crate::model::text::{NOTE_CAP, clean};

/// Names told in one line of disagreement; the rest is counted.
const NAMES: usize = 5;
/// How long an expired silence is still worth showing.
const EXPIRED_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What one peer said in one poll.
#[derive(Debug)]
pub(crate) struct PeerView {
    /// `/alerts`.
    pub alerts: Decoded<Alert>,
    /// `/alerts/groups`; `Err` says why it could not be read.
    pub groups: Result<Groups, String>,
    /// `/silences`.
    pub silences: Decoded<Silence>,
    /// `/status`.
    pub status: Result<Status, String>,
    /// `/receivers`.
    pub receivers: Result<Vec<String>, String>,
    /// When it had answered.
    pub as_of: Timestamp,
    /// How far its clock is ahead of this machine's, seconds.
    pub clock_ahead: Option<i64>,
}

/// Merges what the peers said, in the order of the estate file: address and view, or why there is none.
pub(crate) fn merge(peers: Vec<(String, Result<PeerView, String>)>, dead_man: Option<&Labels>, now: Timestamp) -> AlertmanagerAnswer {
    let names: Vec<String> = peers.iter().map(|(url, _)| super::super::wire::short_url(url)).collect();
    let mut answer = AlertmanagerAnswer::default();
    let mut alerts = Alerts::default();
    let mut silences: Vec<Held> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut reachable = Vec::new();
    let mut notes = Vec::new();
    let mut groups = None;
    for (index, (url, view)) in peers.into_iter().enumerate() {
        let mut peer =
            Peer { url: super::super::wire::shown_url(&url), version: None, cluster: None, error: None, as_of: None, clock_ahead: None };
        match view {
            Err(error) => peer.error = Some(clean(&error, NOTE_CAP).into_owned()),
            Ok(view) => {
                reachable.push(index);
                (peer.as_of, peer.clock_ahead) = (Some(view.as_of), view.clock_ahead);
                let mut told = |part: &str, why: &str| notes.push(format!("{} did not tell its {part}: {why}", names[index]));
                match view.status {
                    Ok(status) => (peer.version, peer.cluster) = (status.version, status.cluster),
                    Err(why) => told("status", &why),
                }
                match view.receivers {
                    Ok(receivers) => answer.receivers.extend(receivers),
                    Err(why) => told("receivers", &why),
                }
                let muted = match view.groups {
                    Ok(told) => {
                        let muted = told.muted;
                        groups.get_or_insert(told.groups);
                        muted
                    }
                    Err(why) => {
                        told("groups", &why);
                        HashMap::new()
                    }
                };
                for (part, skipped) in [("alert", view.alerts.skipped), ("silence", view.silences.skipped)] {
                    if skipped > 0 {
                        notes.push(format!("{}: {} without a time that can be read left out", names[index], count(skipped, part)));
                    }
                }
                for mut alert in view.alerts.entries {
                    if let Some(by) = muted.get(&alert.fingerprint) {
                        alert.muted_by.clone_from(by);
                        alert.state = state(&alert, alert.state == AlertState::Unprocessed);
                    }
                    alerts.add(alert, index);
                }
                for silence in view.silences.entries {
                    add_silence(&mut silences, &mut known, silence, index);
                }
            }
        }
        answer.peers.push(peer);
    }
    silences.retain(|held| held.silence.state != SilenceState::Expired || now.duration_since(held.silence.ends_at) <= EXPIRED_KEPT);
    answer.disagreements = disagreements(&alerts, &silences, &reachable, &names);
    answer.disagreements.extend(notes.into_iter().map(|note| clean(&note, NOTE_CAP).into_owned()));
    answer.alerts = alerts.all.into_iter().map(Arc::new).collect();
    alert::sort(&mut answer.alerts);
    answer.silences = silences.into_iter().map(|held| held.silence).collect();
    answer.silences.sort_by(|a, b| (order(a.state), a.ends_at, &a.id).cmp(&(order(b.state), b.ends_at, &b.id)));
    answer.groups = groups.unwrap_or_default();
    answer.receivers.sort();
    answer.receivers.dedup();
    answer.dead_man =
        dead_man.map(|labels| DeadMan { labels: labels.clone(), firing: answer.alerts.iter().any(|a| labels.covers(&a.labels)) });
    answer
}

/// The alerts so far, and by their indexes the states that a later peer told differently.
#[derive(Default)]
struct Alerts {
    all: Vec<Alert>,
    by_id: HashMap<alert::AlertId, usize>,
    states: HashMap<usize, Vec<(usize, AlertState)>>,
}

impl Alerts {
    fn add(&mut self, mut alert: Alert, peer: usize) {
        let Some(&at) = self.by_id.get(&alert.id) else {
            self.by_id.insert(alert.id.clone(), self.all.len());
            alert.seen_by = vec![peer];
            self.all.push(alert);
            return;
        };
        let known = &mut self.all[at];
        if known.seen_by.contains(&peer) {
            return;
        }
        if known.state != alert.state {
            let told = self.states.entry(at).or_insert_with(|| known.seen_by.iter().map(|p| (*p, known.state)).collect());
            told.push((peer, alert.state));
        } else if let Some(told) = self.states.get_mut(&at) {
            told.push((peer, alert.state));
        }
        let mut seen_by = std::mem::take(&mut known.seen_by);
        seen_by.push(peer);
        let updated_at = known.updated_at.max(alert.updated_at);
        if louder(alert.state) < louder(known.state) {
            *known = alert;
        }
        known.seen_by = seen_by;
        known.updated_at = updated_at;
    }
}

/// Smaller is louder: where one peer still notifies, someone is notified.
fn louder(state: AlertState) -> u8 {
    match state {
        AlertState::Firing | AlertState::Undelivered => 0,
        AlertState::Unprocessed | AlertState::Pending => 1,
        AlertState::Muted => 2,
        AlertState::Inhibited => 3,
        AlertState::Silenced => 4,
    }
}

struct Held {
    silence: Silence,
    differs: bool,
}

fn order(state: SilenceState) -> u8 {
    match state {
        SilenceState::Active => 0,
        SilenceState::Pending => 1,
        SilenceState::Expired => 2,
    }
}

fn add_silence(all: &mut Vec<Held>, known: &mut HashMap<String, usize>, mut silence: Silence, peer: usize) {
    let Some(&at) = known.get(&silence.id) else {
        known.insert(silence.id.clone(), all.len());
        silence.seen_by = vec![peer];
        all.push(Held { silence, differs: false });
        return;
    };
    let held = &mut all[at];
    if held.silence.seen_by.contains(&peer) {
        return;
    }
    let same = (held.silence.state, held.silence.ends_at) == (silence.state, silence.ends_at) && held.silence.matchers == silence.matchers;
    held.differs |= !same;
    let mut seen_by = std::mem::take(&mut held.silence.seen_by);
    seen_by.push(peer);
    // The one that mutes less, or ends sooner, promises less quiet.
    if (std::cmp::Reverse(order(silence.state)), silence.ends_at) < (std::cmp::Reverse(order(held.silence.state)), held.silence.ends_at) {
        held.silence = silence;
    }
    held.silence.seen_by = seen_by;
}

fn disagreements(alerts: &Alerts, silences: &[Held], reachable: &[usize], names: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for &peer in reachable {
        let lacking = alerts.all.iter().filter(|a| !a.seen_by.contains(&peer)).map(|a| a.name().to_owned());
        lines.extend(line(lacking, |n, which| format!("{} lacks {} that another peer has: {which}", names[peer], count(n, "alert"))));
        let lacking = silences.iter().filter(|h| !h.silence.seen_by.contains(&peer)).map(|h| title(&h.silence));
        lines.extend(line(lacking, |n, which| format!("{} lacks {} that another peer has: {which}", names[peer], count(n, "silence"))));
    }
    let mut differing: Vec<_> = alerts.states.iter().collect();
    differing.sort_by_key(|(at, _)| **at);
    let differing = differing.into_iter().map(|(at, told)| {
        let told: Vec<String> = told.iter().map(|(peer, state)| format!("{} at {}", state.word(), names[*peer])).collect();
        format!("{} ({})", alerts.all[*at].name(), told.join(", "))
    });
    lines
        .extend(line(differing, |n, which| format!("peers differ about the state of {}, the louder is shown: {which}", count(n, "alert"))));
    let differing = silences.iter().filter(|h| h.differs).map(|h| title(&h.silence));
    lines.extend(line(differing, |n, which| {
        format!("peers differ about {}, the one that mutes less is shown: {which}", count(n, "silence"))
    }));
    lines.iter().map(|text| clean(text, NOTE_CAP).into_owned()).collect()
}

/// One line for all of these, or none where there are none.
fn line(items: impl Iterator<Item = String>, say: impl Fn(usize, &str) -> String) -> Option<String> {
    let mut named: Vec<String> = Vec::new();
    let mut all = 0;
    for item in items {
        all += 1;
        // Ten instances of one alert need no ten names.
        if named.len() < NAMES && !named.contains(&item) {
            named.push(item);
        }
    }
    let more = if all > named.len() { ", ..." } else { "" };
    (all > 0).then(|| say(all, &format!("{}{more}", named.join(", "))))
}

fn title(silence: &Silence) -> String {
    let why = clean(&silence.comment, 40);
    let id: String = silence.id.chars().take(8).collect();
    format!("{id} \"{why}\"")
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
