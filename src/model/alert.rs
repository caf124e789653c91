//! Alerts: those of an Alertmanager, and those that only a Prometheus knows.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::estate::Severity;
use super::label::Labels;

/// Tells one alert from all others, over polls: the source's name and Alertmanager's fingerprint,
/// or the source's name and the labels for an alert that only Prometheus knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertId(pub Arc<str>);

/// What happens with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// It fires and is notified.
    Firing,
    /// It fires at Prometheus, and no Alertmanager that is read has it.
    Undelivered,
    /// Its condition holds, but not yet long enough.
    Pending,
    /// Alertmanager has it and has not looked at it yet.
    Unprocessed,
    /// A silence mutes it.
    Silenced,
    /// Another alert mutes it.
    Inhibited,
    /// A time interval of its route mutes it.
    Muted,
}

impl AlertState {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            AlertState::Firing => "firing",
            AlertState::Undelivered => "undelivered",
            AlertState::Pending => "pending",
            AlertState::Unprocessed => "unprocessed",
            AlertState::Silenced => "silenced",
            AlertState::Inhibited => "inhibited",
            AlertState::Muted => "muted",
        }
    }

    /// True where nobody is notified because something mutes it.
    pub fn is_quiet(self) -> bool {
        matches!(self, AlertState::Silenced | AlertState::Inhibited | AlertState::Muted)
    }
}

/// Who raised an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An Alertmanager has it.
    #[default]
    Alertmanager,
    /// Only a Prometheus knows it.
    Prometheus,
    /// Quarterdeck found it by itself: a finding.
    Quarterdeck,
}

impl Origin {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            Origin::Alertmanager => "alertmanager",
            Origin::Prometheus => "prometheus",
            Origin::Quarterdeck => "quarterdeck",
        }
    }
}

/// One alert, or one finding of Quarterdeck's own rules. All text in it is cleaned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it from all others.
    pub id: AlertId,
    /// The source that told of it; of a finding the source whose reading it judges.
    pub source: Arc<str>,
    /// Who raised it.
    #[serde(default)]
    pub origin: Origin,
    /// Alertmanager's fingerprint; empty for an alert that only Prometheus knows.
    pub fingerprint: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// By its `severity` label, see [`severity_of`].
    pub severity: Severity,
    /// What happens with it.
    pub state: AlertState,
    /// When it began (UTC).
    pub starts_at: Timestamp,
    /// When it was last told (UTC).
    pub updated_at: Option<Timestamp>,
    /// Ids of the silences that mute it.
    pub silenced_by: Vec<Arc<str>>,
    /// Fingerprints of the alerts that inhibit it.
    pub inhibited_by: Vec<Arc<str>>,
    /// Names of the time intervals that mute it; told only by `/alerts/groups`.
    pub muted_by: Vec<Arc<str>>,
    /// Who is notified.
    pub receivers: Vec<Arc<str>>,
    /// Where its rule is shown.
    pub generator_url: Option<Arc<str>>,
    /// Indexes into the answer's peers: who has it.
    pub seen_by: Vec<usize>,
}

impl Alert {
    /// The `alertname` label, or `(no alertname)`.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").unwrap_or("(no alertname)")
    }

    /// One line that tells a person what it is: summary, else message, else description, else the other labels.
    pub fn summary(&self) -> String {
        ["summary", "message", "description"]
            .into_iter()
            .find_map(|name| self.annotations.get(name).filter(|text| !text.is_empty()))
            .map_or_else(
                || self.labels.iter().filter(|(n, _)| *n != "alertname").map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" "),
                str::to_owned,
            )
    }

    /// The address of what to do: `runbook_url`, else `runbook`.
    pub fn runbook(&self) -> Option<&str> {
        self.annotations.get("runbook_url").or_else(|| self.annotations.get("runbook")).filter(|url| !url.is_empty())
    }
}

/// At most so many labels are shown to tell alerts of one name apart: there is no room for more.
const TELLING: usize = 2;
/// What says least where another label says it too: a severity has a column, and a job comes with its instances.
const LAST: [&str; 4] = ["severity", "job", "service", "prometheus"];

/// Per name that several alerts have, the names of the labels that tell these apart, at most two; a label that says
/// where (`instance`) before others. One pass: each alert is compared with the first of its name only, so that thousands
/// cost no more than a look at each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Apart(HashMap<String, Vec<String>>);

impl Apart {
    /// Of these alerts.
    pub fn of<'a>(alerts: impl IntoIterator<Item = &'a Arc<Alert>>) -> Apart {
        let mut firsts: HashMap<&str, (&Alert, Vec<String>)> = HashMap::new();
        for alert in alerts {
            let (first, telling) = firsts.entry(alert.name()).or_insert_with(|| (alert, Vec::new()));
            // What only one of them has may have been added on its way: that is no other alert.
            let differs = |name: &str, value: &str| first.labels.get(name).is_some_and(|of| of != value);
            let told = |name: &String| alert.labels.get(name).is_some_and(|value| differs(name, value));
            if telling.len() == TELLING || telling.iter().any(told) {
                continue;
            }
            let other = |(name, value): &(&str, &str)| differs(name, value);
            let place = |(name, _): &(&str, &str)| match LAST.iter().position(|last| last == name) {
                Some(place) => 2 + place,
                None => usize::from(*name != "instance"),
            };
            // Of two as good, the first by name: `min_by_key` keeps it.
            if let Some((name, _)) = alert.labels.iter().filter(other).min_by_key(place) {
                telling.push(name.to_owned());
            }
        }
        Apart(firsts.into_iter().filter(|(_, (_, telling))| !telling.is_empty()).map(|(name, (_, t))| (name.to_owned(), t)).collect())
    }

    /// The names of the labels that tell alerts of that name apart; none where there is one alert, or nothing is known.
    pub fn labels(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// What tells this alert from others of its name: labels and their values; empty where nothing needs to.
    pub fn telling<'a>(&'a self, alert: &'a Alert) -> impl Iterator<Item = (&'a str, &'a str)> {
        let labels = self.labels(alert.name()).iter().map(String::as_str);
        labels.filter_map(|name| Some((name, alert.labels.get(name).filter(|value| !value.is_empty())?)))
    }

    /// The same for people: `web3:9100 device=sda`.
    pub fn line(&self, alert: &Alert) -> String {
        self.telling(alert).map(|(name, value)| Apart::word(name, value)).collect::<Vec<_>>().join(" ")
    }

    /// One such label for people: `device=sda`. What an `instance` is needs no word.
    pub fn word(name: &str, value: &str) -> String {
        if name == "instance" { value.to_owned() } else { format!("{name}={value}") }
    }
}

/// What a `severity` label means. Prometheus leaves the words to its users; these are the common ones.
/// A word that is not known, or none, is a warning: it was worth an alert to someone.
pub fn severity_of(labels: &Labels) -> Severity {
    match labels.get("severity").map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "crit" | "page" | "fatal" | "emergency" | "disaster" | "p1" | "sev1" | "sev-1") => Severity::Critical,
        Some("info" | "information" | "informational" | "notice" | "none" | "debug" | "ok") => Severity::Info,
        _ => Severity::Warning,
    }
}

/// The order of an alert list: worst first, those that mute nothing before the muted, then the newest first,
/// then by id so that equal ones keep their places.
pub fn sort(alerts: &mut [Arc<Alert>]) {
    alerts.sort_by(|a, b| rank(a).cmp(&rank(b)));
}

/// The key that [`sort`] sorts by.
pub fn rank(alert: &Alert) -> (bool, std::cmp::Reverse<Severity>, std::cmp::Reverse<Timestamp>, &AlertId) {
    (alert.state.is_quiet(), std::cmp::Reverse(alert.severity), std::cmp::Reverse(alert.starts_at), &alert.id)
}

/// Adds to Alertmanagers' alerts those of Prometheus that none of them has, sorted. A Prometheus alert is the same as
/// an Alertmanager's when its name is the same and all its labels are there: Prometheus adds its external labels on
/// the way. Where there is no Alertmanager, or not all of them were heard (`all_heard` false), a firing alert is plainly
/// firing: nobody knows that it was not delivered.
pub fn merge(alertmanager: &[Arc<Alert>], prometheus: &[Arc<Alert>], all_heard: bool) -> Vec<Arc<Alert>> {
    let mut by_name: HashMap<&str, Vec<&Arc<Alert>>> = HashMap::new();
    for alert in alertmanager {
        by_name.entry(alert.name()).or_default().push(alert);
    }
    let mut all = alertmanager.to_vec();
    for alert in prometheus {
        let known = by_name.get(alert.name()).is_some_and(|same| same.iter().any(|other| alert.labels.covers(&other.labels)));
        if !known {
            let mut alert = alert.clone();
            if !all_heard && alert.state == AlertState::Undelivered {
                Arc::make_mut(&mut alert).state = AlertState::Firing;
            }
            all.push(alert);
        }
    }
    sort(&mut all);
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An alert for tests: firing since `secs` after the epoch.
    pub(crate) fn alert(labels: &[(&str, &str)], state: AlertState, secs: i64) -> Arc<Alert> {
        let labels = Labels::new(labels.iter().copied());
        Arc::new(Alert {
            id: AlertId(format!("am/{}", labels.short()).into()),
            source: "am".into(),
            origin: Origin::Alertmanager,
            fingerprint: labels.short().into(),
            severity: severity_of(&labels),
            labels,
            annotations: Labels::default(),
            state,
            starts_at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(secs),
            updated_at: None,
            silenced_by: vec![],
            inhibited_by: vec![],
            muted_by: vec![],
            receivers: vec![],
            generator_url: None,
            seen_by: vec![0],
        })
    }

    #[test]
    fn alerts_of_one_name_are_told_apart_by_the_labels_that_differ_where_they_are_first() {
        let disk = |instance: &str, device: &str| {
            let labels = [("alertname", "Disk"), ("device", device), ("instance", instance), ("job", instance), ("severity", "page")];
            alert(&labels, AlertState::Firing, 1)
        };
        let one = [disk("db1:9100", "sda"), alert(&[("alertname", "Down"), ("instance", "a")], AlertState::Firing, 1)];
        assert_eq!(Apart::of(&one).line(&one[0]), "", "one alert of a name needs nothing");
        let hosts = [disk("db1:9100", "sda"), disk("db2:9100", "sdb")];
        assert_eq!(Apart::of(&hosts).line(&hosts[1]), "db2:9100", "where it is, before what else differs");
        let both = [disk("db1:9100", "sda"), disk("db2:9100", "sda"), disk("db1:9100", "sdb")];
        assert_eq!(Apart::of(&both).line(&both[2]), "db1:9100 device=sdb");
        assert_eq!(Apart::of(&both).line(&both[0]), "db1:9100 device=sda");
        let jobs = [("web", "a"), ("api", "b")]
            .map(|(job, zone)| alert(&[("alertname", "Up"), ("job", job), ("zone", zone)], AlertState::Firing, 1));
        let sent =
            [&[("alertname", "Down")][..], &[("alertname", "Down"), ("cluster", "c")]].map(|labels| alert(labels, AlertState::Firing, 1));
        assert_eq!(Apart::of(&sent).line(&sent[1]), "", "a label that was added on the way tells of no other");
        assert_eq!(Apart::of(&jobs).line(&jobs[0]), "zone=a", "a job last");
    }

    #[test]
    fn unknown_severities_are_never_ok() {
        let of = |word: &str| severity_of(&Labels::new([("severity", word)]));
        assert_eq!(of("PAGE"), Severity::Critical);
        assert_eq!(of("none"), Severity::Info);
        assert_eq!(of("strange"), Severity::Warning);
        assert_eq!(severity_of(&Labels::default()), Severity::Warning);
    }

    #[test]
    fn a_prometheus_alert_with_external_labels_added_is_the_same_alert() {
        let at_am = alert(&[("alertname", "Down"), ("job", "web"), ("cluster", "lab")], AlertState::Silenced, 5);
        let at_prom = alert(&[("alertname", "Down"), ("job", "web")], AlertState::Undelivered, 5);
        let other = alert(&[("alertname", "Down"), ("job", "api")], AlertState::Undelivered, 9);
        let all = merge(&[at_am.clone()], &[at_prom, other.clone()], true);
        assert_eq!(all, [other.clone(), at_am]);
        assert_eq!(merge(&[], &[other], false)[0].state, AlertState::Firing, "nothing to deliver to");
    }

    #[test]
    fn the_worst_and_newest_comes_first_and_the_muted_last() {
        let mut all = vec![
            alert(&[("alertname", "A"), ("severity", "critical")], AlertState::Silenced, 50),
            alert(&[("alertname", "B"), ("severity", "warning")], AlertState::Firing, 40),
            alert(&[("alertname", "C"), ("severity", "critical")], AlertState::Firing, 10),
            alert(&[("alertname", "D"), ("severity", "critical")], AlertState::Firing, 20),
        ];
        sort(&mut all);
        assert_eq!(all.iter().map(|a| a.name()).collect::<String>(), "DCBA");
    }
}
