//! What happened, on one time axis: deployments, alerts and findings that began and ended, backups made and missed,
//! databases that changed roles, sources that came and went, runs and silences. Each event says who tells of it, and how exactly its time
//! is known. Pure: the time is passed in.

mod acts;
mod known;
mod same;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertState, Origin};
use super::estate::{Estate, Severity};
use super::label::Labels;
use super::metric::Plot;

pub use acts::{acts, of_silences};
pub use known::known;
use same::Tellings;

/// Events of one timeline; more are counted, and the newest are kept.
pub const EVENTS_CAP: usize = 2_000;
/// A console that was not heard of for longer than this did not run.
pub const SILENT: SignedDuration = SignedDuration::from_mins(3);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A service was deployed.
    Deployment,
    /// An alert of others began to fire.
    AlertBegan,
    /// It ended.
    AlertEnded,
    /// Quarterdeck found something.
    FindingBegan,
    /// It is no longer so.
    FindingEnded,
    /// A recovery point was made.
    BackupMade,
    /// One was due and was not made.
    BackupMissed,
    /// A database's node has another role.
    Role,
    /// A source is in another state.
    Source,
    /// A run was begun.
    RunBegan,
    /// It came to wait for a person.
    RunWaits,
    /// It ended.
    RunEnded,
    /// A silence began to mute.
    Muted,
    /// It no longer does.
    Unmuted,
    /// A time in which nobody looked.
    Unseen,
}

impl Kind {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Deployment => "deployed",
            Kind::AlertBegan => "began",
            Kind::AlertEnded => "ended",
            Kind::FindingBegan => "found",
            Kind::FindingEnded => "cleared",
            Kind::BackupMade => "backup",
            Kind::BackupMissed => "missed",
            Kind::Role => "role",
            Kind::Source => "source",
            Kind::RunBegan => "run",
            Kind::RunWaits => "waits",
            Kind::RunEnded => "run over",
            Kind::Muted => "muted",
            Kind::Unmuted => "unmuted",
            Kind::Unseen => "unseen",
        }
    }
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// An alert, by its labels.
    Alert(Labels),
    /// A deployment, by its key.
    Deployment(Arc<str>),
    /// A source, by name.
    Source(String),
    /// A run, by its id.
    Run(String),
    /// A silence.
    Silence {
        /// The source that tells of it, by name.
        source: String,
        /// Alertmanager's id.
        id: String,
        /// The run that began or ended it, where it was one that is known.
        run: Option<String>,
        /// The services whose alerts it is about, by name.
        services: Vec<String>,
    },
    /// Nothing that can be opened.
    Nothing,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When (UTC); the latest that it can have been.
    pub at: Timestamp,
    /// The earliest that it can have been (UTC); `None` where `at` is exact.
    pub after: Option<Timestamp>,
    /// What.
    pub kind: Kind,
    /// How bad; `Ok` for an end of something bad.
    pub severity: Severity,
    /// One cleaned line.
    pub what: String,
    /// The service, where it is of one by name; of an alert its labels tell.
    pub service: Option<String>,
    /// Who tells of it: sources by name, or `seen` for what a console saw itself.
    pub via: Vec<Arc<str>>,
    /// What it is about.
    pub link: Link,
}

/// The word of `via` for what a console saw itself.
pub const SEEN: &str = "seen";

impl Event {
    /// The begin of an alert's firing, as its own time tells; of one that only a Prometheus knows the time at which its
    /// condition began, which is before it fired.
    pub fn began(alert: &Alert, via: Arc<str>) -> Event {
        let found = alert.origin == Origin::Quarterdeck;
        Event {
            at: alert.starts_at,
            after: None,
            kind: if found { Kind::FindingBegan } else { Kind::AlertBegan },
            severity: alert.severity,
            what: line(alert),
            service: None,
            via: vec![via],
            link: Link::Alert(alert.labels.clone()),
        }
    }

    /// The end of an alert, which was last there at `after` and no longer at `at`.
    pub fn ended(alert: &Alert, after: Option<Timestamp>, at: Timestamp, via: Arc<str>) -> Event {
        let found = alert.origin == Origin::Quarterdeck;
        let kind = if found { Kind::FindingEnded } else { Kind::AlertEnded };
        Event { at, after, kind, severity: Severity::Ok, ..Event::began(alert, via) }
    }

    /// When it began at the earliest: what only a Prometheus knows fired at some time since its condition began, and the
    /// end of that time is now at each look.
    pub fn begun(&self) -> Timestamp {
        self.after.filter(|_| self.kind == Kind::AlertBegan).unwrap_or(self.at)
    }

    /// True of the begin of an alert that fires, where nothing tells when it began to: `until` is the moment up to which
    /// this was computed.
    pub fn is_open(&self, until: Timestamp) -> bool {
        self.kind == Kind::AlertBegan && self.after.is_some() && self.at >= until
    }

    /// The same for a list that is not made anew at each look: an open one stands at the earliest moment that it can have
    /// begun, and [`Event::is_after`] is true of it.
    #[must_use]
    pub fn still(self, until: Timestamp) -> Event {
        if self.is_open(until) { Event { at: self.begun(), ..self } } else { self }
    }

    /// True of the begin of an alert of which only that is known: it was after that moment.
    pub fn is_after(&self) -> bool {
        self.kind == Kind::AlertBegan && self.after == Some(self.at)
    }

    /// True where it tells of that service.
    pub fn is_of(&self, estate: &Estate, service: &str) -> bool {
        match &self.link {
            Link::Alert(labels) => estate.service(service).is_some_and(|of| of.labels.covers(labels)),
            Link::Silence { services, .. } => services.iter().any(|of| of == service),
            // That nobody looked matters for each of them.
            _ => self.kind == Kind::Unseen || self.service.as_deref() == Some(service),
        }
    }

    /// The width of the time in which it happened.
    fn doubt(&self) -> SignedDuration {
        self.after.map_or(SignedDuration::ZERO, |after| self.at.duration_since(after))
    }
}

/// An alert in one line.
fn line(alert: &Alert) -> String {
    let summary = alert.summary();
    if summary.is_empty() { alert.name().to_owned() } else { format!("{}: {summary}", alert.name()) }
}

/// What differs between two lists of alerts, told as begins and ends; at most `cap` of them. `last` tells when an alert's
/// source was heard before.
pub fn differences(
    before: &[Arc<Alert>],
    after: &[Arc<Alert>],
    last: impl Fn(&Alert) -> Option<Timestamp>,
    now: Timestamp,
    cap: usize,
) -> Vec<Event> {
    let fires = |alert: &&Arc<Alert>| alert.state != AlertState::Pending;
    let old: HashMap<_, _> = before.iter().filter(fires).map(|a| (&a.id, a)).collect();
    let new: HashMap<_, _> = after.iter().filter(fires).map(|a| (&a.id, a)).collect();
    let seen: Arc<str> = SEEN.into();
    let began = after.iter().filter(fires).filter(|a| !old.contains_key(&a.id)).map(|alert| {
        let event = Event::began(alert, seen.clone());
        // What a Prometheus alone knows tells since when its condition holds, not since when it fires.
        if alert.origin == Origin::Prometheus { Event { at: now, after: last(alert), ..event } } else { event }
    });
    let ended = before.iter().filter(fires).filter(|a| !new.contains_key(&a.id));
    began.chain(ended.map(|alert| Event::ended(alert, last(alert), now, seen.clone()))).take(cap).collect()
}

/// The alerts that fired, of the plot of `ALERTS{alertstate="firing"}`: each begin and end between two steps. `heard` is the
/// plot of something that is always there while the server reads anything; where that is missing, nothing is known.
/// Returns the events, and the times in which the server knew nothing.
pub fn of_plot(plot: &Plot, heard: &[bool], via: &Arc<str>) -> (Vec<Event>, Vec<(Timestamp, Timestamp)>) {
    let known = |step: usize| heard.get(step).copied().unwrap_or(true);
    let mut events = Vec::new();
    for series in &plot.series {
        let labels = Labels::new(series.labels.iter().filter(|(name, _)| !matches!(*name, "__name__" | "alertstate")));
        let fires = |step: usize| series.points.get(step).copied().flatten().is_some();
        let what = {
            let name = labels.get("alertname").unwrap_or("(no alertname)");
            let rest: Vec<String> = labels.iter().filter(|(n, _)| *n != "alertname").map(|(n, v)| format!("{n}={v}")).collect();
            if rest.is_empty() { name.to_owned() } else { format!("{name} {}", rest.join(" ")) }
        };
        for step in 1..plot.len {
            // Beside a step of which nothing is known, an edge is no edge.
            if fires(step) == fires(step - 1) || !known(step) || !known(step - 1) {
                continue;
            }
            let (kind, severity) =
                if fires(step) { (Kind::AlertBegan, super::alert::severity_of(&labels)) } else { (Kind::AlertEnded, Severity::Ok) };
            events.push(Event {
                at: plot.time(step),
                after: Some(plot.time(step - 1)),
                kind,
                severity,
                what: what.clone(),
                service: None,
                via: vec![via.clone()],
                link: Link::Alert(labels.clone()),
            });
        }
    }
    let mut gaps: Vec<(Timestamp, Timestamp)> = Vec::new();
    for step in (0..plot.len).filter(|step| !known(*step)) {
        let (from, to) = (plot.time(step.saturating_sub(1)), plot.time((step + 1).min(plot.len.saturating_sub(1))));
        match gaps.last_mut() {
            Some(last) if last.1 >= from => last.1 = to,
            _ => gaps.push((from, to)),
        }
    }
    (events, gaps)
}

/// The times between `from` and `to` in which no console ran, of the times in which one did.
pub fn unseen(runs: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut runs: Vec<_> = runs.iter().filter(|(begin, end)| *end >= from && *begin <= to).collect();
    runs.sort_unstable();
    let (mut gaps, mut until) = (Vec::new(), from);
    for (begin, end) in runs {
        if begin.duration_since(until) > SILENT {
            gaps.push((until, *begin));
        }
        until = until.max(*end);
    }
    if to.duration_since(until) > SILENT {
        gaps.push((until, to));
    }
    gaps
}

/// A time in which nobody looked, as an event at its end.
pub fn gap((from, to): (Timestamp, Timestamp), what: String, via: Arc<str>) -> Event {
    Event {
        at: to,
        after: Some(from),
        kind: Kind::Unseen,
        severity: Severity::Unknown,
        what,
        service: None,
        via: vec![via],
        link: Link::Nothing,
    }
}

/// All tellings on one axis from `from` to `to`, the newest first: what two tell of is there once, with the more exact time
/// and both names. Gives back how many more there were than [`EVENTS_CAP`].
pub fn merge(all: impl IntoIterator<Item = Event>, from: Timestamp, to: Timestamp) -> (Vec<Event>, usize) {
    let mut all: Vec<Event> = all.into_iter().filter(|e| e.at >= from && e.after.unwrap_or(e.at) <= to).collect();
    // The more exact first, so that it is the one that stays.
    all.sort_by_key(|event| (event.doubt(), event.at));
    let mut kept: Vec<Event> = Vec::with_capacity(all.len());
    let mut tellings = Tellings::default();
    for event in all {
        match tellings.find(&kept, &event) {
            Some(at) => {
                for via in event.via {
                    if !kept[at].via.contains(&via) {
                        kept[at].via.push(via);
                    }
                }
                // What got worse is told as it is now.
                if event.severity > kept[at].severity {
                    (kept[at].severity, kept[at].what, kept[at].link) = (event.severity, event.what, event.link);
                }
            }
            None => kept.push(event),
        }
    }
    kept.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.kind.cmp(&b.kind)).then_with(|| a.what.cmp(&b.what)));
    let more = kept.len().saturating_sub(EVENTS_CAP);
    kept.truncate(EVENTS_CAP);
    (kept, more)
}
