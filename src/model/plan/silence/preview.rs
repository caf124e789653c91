//! What a silence would mute now: how many alerts, how bad, whose, and who would not be told of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Ground, end_in_words, listed};
use crate::model::estate::{Estate, Severity};
use crate::model::label::Labels;
use crate::model::plan::Impact;
use crate::model::silence::{Muting, SilenceMatcher};

/// Characters of a name that is typed.
const SUBJECT: usize = 32;
/// Names that are told one by one.
const NAMED: usize = 5;

/// What matches now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// Alerts that match.
    pub alerts: usize,
    /// Those of them that something mutes already.
    pub quiet: usize,
    /// How many of each severity, the worst first.
    pub severities: Vec<(Severity, usize)>,
    /// How many of each service, the most first; the empty name for those of none.
    pub services: Vec<(String, usize)>,
    /// How many of each name, the most first.
    pub names: Vec<(String, usize)>,
    /// Who is told of them now and would not be.
    pub receivers: Vec<String>,
    /// Services with alerts of two names or more, all of which match.
    pub whole: Vec<String>,
    /// True where the dead man's switch is among them.
    pub dead_man: bool,
}

impl Preview {
    /// Of what fires now.
    pub fn of(ground: &Ground<'_>, muting: &Muting) -> Preview {
        Preview::of_all(ground, std::slice::from_ref(muting))
    }

    /// Of what fires now and at least one of these mutes.
    pub fn of_all(ground: &Ground<'_>, mutings: &[Muting]) -> Preview {
        let mut preview = Preview::default();
        let mut severities: BTreeMap<Reverse<Severity>, usize> = BTreeMap::new();
        let (mut services, mut names) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        let mut receivers: BTreeSet<&str> = BTreeSet::new();
        let mut rest: BTreeSet<String> = BTreeSet::new();
        let mut kinds: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for alert in &ground.answer.alerts {
            let service = service_of(ground.estate, &alert.labels);
            if !mutings.iter().any(|muting| muting.mutes(&alert.labels)) {
                rest.insert(service);
                continue;
            }
            preview.alerts += 1;
            preview.quiet += usize::from(alert.state.is_quiet());
            preview.dead_man |= ground.estate.is_dead_man(&alert.labels);
            *severities.entry(Reverse(alert.severity)).or_default() += 1;
            *names.entry(alert.name().to_owned()).or_default() += 1;
            kinds.entry(service.clone()).or_default().insert(alert.name());
            *services.entry(service).or_default() += 1;
            receivers.extend(alert.receivers.iter().map(|receiver| &**receiver));
        }
        preview.severities = severities.into_iter().map(|(Reverse(severity), count)| (severity, count)).collect();
        preview.whole = kinds
            .into_iter()
            .filter(|(service, kinds)| !service.is_empty() && kinds.len() > 1 && !rest.contains(service))
            .map(|(service, _)| service)
            .collect();
        preview.services = most_first(services);
        preview.names = most_first(names);
        preview.receivers = receivers.into_iter().map(str::to_owned).collect();
        preview
    }

    /// What is typed before the hash: the name that most of them have and how many more they are, `NodeDown+36`; where none
    /// fires, the name that is matched, or the first value. It has no spaces and nothing that is hard to type.
    pub fn subject(&self, matchers: &[SilenceMatcher]) -> String {
        let matched = || {
            let named = matchers.iter().find(|of| of.name == "alertname").or_else(|| matchers.first());
            named.map(|of| typeable(&of.value)).unwrap_or_default()
        };
        let name = self.names.first().map(|(name, _)| typeable(name)).filter(|name| !name.is_empty()).unwrap_or_else(matched);
        let name = if name.is_empty() { "silence".to_owned() } else { name };
        if self.alerts > 1 { format!("{name}+{}", self.alerts - 1) } else { name }
    }

    /// The service, where all are of one.
    pub fn only_service(&self) -> Option<String> {
        match self.services.as_slice() {
            [(only, _)] if !only.is_empty() => Some(only.clone()),
            _ => None,
        }
    }

    /// `3 alerts HOW: 2 critical, 1 warning; DiskFull 2, CpuHigh 1; web 2, of no service 1`; nothing where there is none.
    pub(super) fn counted(&self, how: &str) -> Option<String> {
        if self.alerts == 0 {
            return None;
        }
        let counts = |of: &[(String, usize)]| {
            let named =
                of.iter().take(NAMED).map(|(name, count)| format!("{} {count}", if name.is_empty() { "of no service" } else { name }));
            let more = of.len().saturating_sub(NAMED);
            named.chain((more > 0).then(|| format!("and {more} more"))).collect::<Vec<_>>().join(", ")
        };
        let severities: Vec<String> = self.severities.iter().map(|(severity, count)| format!("{count} {}", severity.word())).collect();
        let alerts = if self.alerts == 1 { "1 alert".to_owned() } else { format!("{} alerts", self.alerts) };
        Some(format!("{alerts} {how}: {}; {}; {}", severities.join(", "), counts(&self.names), counts(&self.services)))
    }

    /// The receivers, in words; nothing where there is none.
    pub(super) fn receivers(&self) -> Option<String> {
        let more = self.receivers.len().saturating_sub(NAMED);
        let named = self.receivers.iter().take(NAMED).cloned().chain((more > 0).then(|| format!("{more} more")));
        let named: Vec<String> = named.collect();
        (!named.is_empty()).then(|| named.join(", "))
    }

    /// What muting these means.
    pub(super) fn impact(&self, ground: &Ground<'_>, matchers: &[SilenceMatcher], ends_at: jiff::Timestamp) -> Impact {
        let mut does = vec![match self.counted(if self.alerts == 1 { "that fires now is muted" } else { "that fire now are muted" }) {
            Some(told) => format!("{told}."),
            None => "No alert that fires now matches: it mutes only what begins to fire.".to_owned(),
        }];
        if self.quiet > 0 {
            does.push(format!("{} of them {} muted already.", self.quiet, if self.quiet == 1 { "is" } else { "are" }));
        }
        does.push(format!("It lasts {}.", end_in_words(ground.estate, ends_at, ground.now)));
        let mut costs: Vec<String> = self.receivers().map(|told| format!("Not told of them until then: {told}.")).into_iter().collect();
        costs.push(format!("Whatever begins to fire until then and matches {} is muted too.", listed(matchers)));
        let keeps = vec!["What a receiver was told already is not taken back.".to_owned()];
        Impact { does, costs, keeps, seconds: None, doubts: Vec::new() }
    }
}

/// `1 ONE`, `2 MANY`.
pub(super) fn count(of: usize, one: &str, many: &str) -> String {
    format!("{of} {}", if of == 1 { one } else { many })
}

/// A name as it is easily typed: letters, digits and a few marks, the others as single dashes.
fn typeable(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        let plain = c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        if plain {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() == SUBJECT {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// The estate's service whose alert it is; else the one that its label names; else the empty name.
pub(super) fn service_of(estate: &Estate, labels: &Labels) -> String {
    let own = estate.services.iter().find(|service| service.labels.covers(labels)).map(|service| service.name.as_str());
    own.or_else(|| labels.get("service")).unwrap_or_default().to_owned()
}

fn most_first(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = counts.into_iter().collect();
    all.sort_by_key(|(_, count)| Reverse(*count));
    all
}
