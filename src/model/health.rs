//! The health of services, judged from alerts and panels: per service and site, and never better than what is known.

mod aged;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::alert::{Alert, AlertState};
use super::estate::{Estate, Severity, Site, Source, SourceKind};
use super::finding;
use super::metric::PanelAnswer;
use super::panel::Panel;
use super::reading::{Freshness, Reading};
use super::source::Answer;

pub use aged::{age_needs, services_aged};

/// How a service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The worst that is known; `Unknown` where too little is known to say ok.
    pub severity: Severity,
    /// True where the worst comes from values that are not fresh.
    pub stale: bool,
    /// Alerts of it that are not muted.
    pub alerts: usize,
    /// Alerts of it that are muted.
    pub muted: usize,
}

impl Health {
    const NOTHING: Health = Health { severity: Severity::Unknown, stale: false, alerts: 0, muted: 0 };
}

/// The health of one service, whole and by site.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceHealth {
    /// The service's name.
    pub service: String,
    /// Over all sites, and alerts that name no site.
    pub overall: Health,
    /// By the estate's sites in their order; `None` where the service does not run.
    pub sites: Vec<Option<Health>>,
    /// The moment the newest of its troubles began.
    pub since: Option<Timestamp>,
    /// What is worst: an alert's or a panel's name; of what is unknown the panel of which no value is known.
    pub worst: Option<String>,
}

/// One panel with what its source last said about it.
#[derive(Debug, Clone, Copy)]
pub struct PanelView<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// What its source last said; `None` before the first answer.
    pub answer: Option<&'a PanelAnswer>,
    /// The state of that source's reading.
    pub freshness: Freshness,
    /// When the answer was true.
    pub as_of: Option<Timestamp>,
}

impl PanelView<'_> {
    /// The value that speaks for the panel, see [`PanelAnswer::worst`].
    pub fn value(&self) -> Option<f64> {
        self.answer.and_then(|answer| answer.worst(self.panel))
    }

    /// What that value means; `Unknown` where there is no value or its query failed.
    pub fn severity(&self) -> Severity {
        match self.answer {
            Some(PanelAnswer { error: None, .. }) => self.value().map_or(Severity::Unknown, |v| self.panel.judge(v)),
            _ => Severity::Unknown,
        }
    }
}

/// The readings of an estate, in the order of its sources.
pub type Readings = [Reading<Answer>];

/// All panels of the estate with what is known about each, in the estate's order.
pub fn panels<'a>(estate: &'a Estate, readings: &'a Readings, now: Timestamp) -> Vec<PanelView<'a>> {
    let by_name: BTreeMap<&str, &Reading<Answer>> = estate.sources.iter().map(|s| s.name.as_str()).zip(readings).collect();
    estate
        .panels
        .iter()
        .map(|panel| {
            let reading = by_name.get(panel.source.as_str());
            let held = reading.and_then(|r| r.held.as_ref());
            let answer = held.and_then(|h| h.value.panel(&panel.name));
            PanelView { panel, answer, freshness: reading.map_or(Freshness::Never, |r| r.freshness(now)), as_of: held.map(|h| h.as_of) }
        })
        .collect()
}

/// The health of every service, in the estate's order.
///
/// A service is ok only when something fresh could have said otherwise: a fresh Alertmanager or Prometheus, or a fresh
/// panel, probe or database of its own. Muted alerts do not make it worse; what names none of the estate's sites, be it an alert,
/// a panel or a probe, counts for the service as a whole only. A figure that is judged, by a threshold or a rule, and of which
/// no value is known now makes the service unknown: what else is heard of it does not say what that figure would.
pub fn services(estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>], now: Timestamp) -> Vec<ServiceHealth> {
    let fresh = |r: &Reading<Answer>| r.freshness(now) == Freshness::Fresh;
    let alerting: Vec<bool> = estate.sources.iter().zip(readings).filter(|(s, _)| tells_alerts(&s.kind)).map(|(_, r)| fresh(r)).collect();
    let heard = !alerting.is_empty() && alerting.iter().all(|fresh| *fresh);
    let freshness_of: BTreeMap<&str, Freshness> =
        estate.sources.iter().zip(readings).map(|(s, r)| (s.name.as_str(), r.freshness(now))).collect();
    let panels = panels(estate, readings, now);
    let judged = |panel: &Panel| panel.is_limited() || estate.rules.iter().any(|rule| rule.panel == panel.name);
    estate
        .services
        .iter()
        .map(|service| {
            let own: Vec<&Arc<Alert>> =
                alerts.iter().filter(|a| service.labels.covers(&a.labels) && !estate.is_dead_man(&a.labels)).collect();
            let mut whole = Judge { health: Health::NOTHING, since: None, worst: None, heard };
            let is_own = |of: &Option<String>| of.as_deref() == Some(service.name.as_str());
            // That a probe fails or a database lags is a finding among the alerts; that it is there to be asked makes silence mean something.
            let probes: Vec<&Source> = (estate.sources.iter().zip(readings))
                .filter(|(source, reading)| {
                    matches!(source.kind, SourceKind::Probe { .. } | SourceKind::Database(_)) && is_own(&source.service) && fresh(reading)
                })
                .map(|(source, _)| source)
                .collect();
            whole.heard |= !probes.is_empty();
            for alert in &own {
                whole.alert(alert, freshness_of.get(&*alert.source).copied());
            }
            let panels: Vec<(&PanelView, bool)> =
                panels.iter().filter(|v| is_own(&v.panel.service)).map(|view| (view, judged(view.panel))).collect();
            for (view, judged) in &panels {
                whole.panel(view, *judged);
            }
            let site_health = |site: &Site| {
                let there = |of: &Option<String>| of.as_deref() == Some(site.name.as_str());
                let heard = heard || probes.iter().any(|probe| there(&probe.site));
                let mut judge = Judge { health: Health::NOTHING, since: None, worst: None, heard };
                for alert in own.iter().filter(|a| site.labels.covers(&a.labels)) {
                    judge.alert(alert, freshness_of.get(&*alert.source).copied());
                }
                for (view, judged) in panels.iter().filter(|(view, _)| there(&view.panel.site)) {
                    judge.panel(view, *judged);
                }
                judge.health()
            };
            let sites = estate.sites.iter().map(|site| service.sites.contains(&site.name).then(|| site_health(site))).collect();
            ServiceHealth { service: service.name.clone(), overall: whole.health(), sites, since: whole.since, worst: whole.worst }
        })
        .collect()
}

fn tells_alerts(kind: &SourceKind) -> bool {
    matches!(kind, SourceKind::Alertmanager { .. } | SourceKind::Prometheus { .. })
}

struct Judge {
    health: Health,
    since: Option<Timestamp>,
    worst: Option<String>,
    heard: bool,
}

impl Judge {
    fn alert(&mut self, alert: &Alert, freshness: Option<Freshness>) {
        if alert.state.is_quiet() {
            self.health.muted += 1;
            return;
        }
        self.health.alerts += 1;
        // A pending alert is on its way to firing: worth a look, not yet what its severity says.
        let severity = if alert.state == AlertState::Pending { alert.severity.min(Severity::Info) } else { alert.severity };
        let stale = freshness != Some(Freshness::Fresh) && !finding::tells_of_source(alert);
        self.raise(severity, stale, || alert.name().to_owned(), Some(alert.starts_at));
    }

    fn panel(&mut self, view: &PanelView<'_>, judged: bool) {
        let fresh = view.freshness == Freshness::Fresh;
        let name = || view.panel.name.clone();
        match view.severity() {
            Severity::Unknown if judged => self.raise(Severity::Unknown, false, name, None),
            Severity::Unknown => {}
            // What was good once says nothing of now.
            Severity::Ok | Severity::Info if judged && !fresh => self.raise(Severity::Unknown, false, name, None),
            severity => {
                self.heard |= fresh;
                self.raise(severity, !fresh, name, None);
            }
        }
    }

    fn raise(&mut self, severity: Severity, stale: bool, what: impl Fn() -> String, since: Option<Timestamp>) {
        if severity <= Severity::Info {
            return;
        }
        let first = self.worst.is_none();
        if first || severity > self.health.severity || (severity == self.health.severity && self.health.stale && !stale) {
            self.health.severity = severity;
            self.health.stale = stale;
            self.worst = Some(what());
        }
        self.since = self.since.max(since);
    }

    fn health(&self) -> Health {
        let severity = if self.worst.is_none() && self.heard { Severity::Ok } else { self.health.severity };
        Health { severity, ..self.health }
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::tests::alert;
    use super::super::estate::{KEEP, Probe, Role, Service};
    use super::super::label::Labels;
    use super::super::metric::Sample;
    use super::super::panel::{Ask, Rule, Unit, When};
    use super::super::reading::Outcome;
    use super::super::source::{AlertmanagerAnswer, ExpositionAnswer, ProbeAnswer};
    use super::*;
    use jiff::SignedDuration;

    fn estate() -> Estate {
        let site = |name: &str, role| Site { name: name.into(), role, labels: Labels::new([("site", name)]) };
        Estate {
            path: "e.toml".into(),
            name: "e".into(),
            environment: "test".into(),
            zone: None,
            note: None,
            sites: vec![site("a", Role::Primary), site("b", Role::Standby)],
            services: vec![Service {
                name: "web".into(),
                sites: vec!["a".into()],
                depends_on: vec![],
                hosts: vec![],
                labels: Labels::new([("job", "web")]),
                runbook: None,
                start: None,
                stop: None,
                restart: None,
                health: None,
                rollback: Default::default(),
                logs: None,
            }],
            sources: vec![Source {
                name: "am".into(),
                every: SignedDuration::from_secs(5),
                timeout: SignedDuration::from_secs(5),
                http_config: None,
                service: None,
                site: None,
                kind: SourceKind::Alertmanager { urls: vec![], dead_man: None },
            }],
            panels: vec![],
            rules: vec![],
            objectives: vec![],
            hosts: vec![],
            calendar: Default::default(),
        }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn reading(as_of: i64) -> Vec<Reading<Answer>> {
        let mut reading = Reading::never(SignedDuration::from_secs(5));
        reading.take(Outcome::Value { value: Answer::Alertmanager(Arc::new(AlertmanagerAnswer::default())), as_of: at(as_of) }, None);
        vec![reading]
    }

    fn judged(readings: &Readings, alerts: &[Arc<Alert>], now: i64) -> ServiceHealth {
        services(&estate(), readings, alerts, at(now)).remove(0)
    }

    #[test]
    fn silence_of_the_sources_is_never_ok() {
        let never = vec![Reading::never(SignedDuration::from_secs(5))];
        assert_eq!(judged(&never, &[], 0).overall.severity, Severity::Unknown);
        assert_eq!(judged(&reading(100), &[], 100).overall.severity, Severity::Ok);
        assert_eq!(judged(&reading(100), &[], 200).overall.severity, Severity::Unknown, "a stale answer says nothing of now");
    }

    #[test]
    fn an_alert_counts_for_its_site_and_a_stale_one_says_so() {
        let critical = alert(&[("alertname", "Down"), ("job", "web"), ("severity", "critical"), ("site", "a")], AlertState::Firing, 50);
        let muted = alert(&[("alertname", "Slow"), ("job", "web"), ("severity", "critical")], AlertState::Silenced, 60);
        let health = judged(&reading(100), &[critical.clone(), muted.clone()], 100);
        assert_eq!(health.overall, Health { severity: Severity::Critical, stale: false, alerts: 1, muted: 1 });
        assert_eq!(health.sites[0].map(|h| h.severity), Some(Severity::Critical));
        assert_eq!(health.sites[1], None, "it does not run there");
        assert_eq!(health.worst.as_deref(), Some("Down"));
        let late = judged(&reading(100), &[critical], 200).overall;
        assert!(late.stale && late.severity == Severity::Critical, "still critical, and marked as old");
        assert_eq!(judged(&reading(100), &[muted], 100).overall.severity, Severity::Ok);
    }

    /// An estate without any server: a page with a panel and a probe, each of site a where it is said.
    fn alone(site: Option<&str>) -> (Estate, Vec<Reading<Answer>>) {
        let mut estate = estate();
        estate.sites.truncate(2);
        estate.services[0].sites.push("b".into());
        let probe = Probe::Tcp { address: "web:80".into() };
        let kinds = [SourceKind::Exposition { url: "http://web".into(), keep: KEEP }, SourceKind::Probe { probe, keep: KEEP }];
        let of = |kind| Source {
            service: Some("web".into()),
            site: site.map(str::to_owned),
            name: "x".into(),
            kind,
            ..estate.sources[0].clone()
        };
        let mut sources = kinds.map(of).to_vec();
        sources[1].name = "probe".into();
        estate.sources = sources;
        estate.panels = vec![Panel {
            name: "errors".into(),
            service: Some("web".into()),
            site: site.map(str::to_owned),
            source: "x".into(),
            ask: Ask::Promql(String::new()),
            unit: Unit::Count,
            warn: Some(1.0),
            critical: Some(5.0),
        }];
        (estate, vec![Reading::never(SignedDuration::from_secs(5)), Reading::never(SignedDuration::from_secs(5))])
    }

    fn page(value: f64) -> Outcome<Answer> {
        let panel = PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], ..PanelAnswer::default() };
        let answer = ExpositionAnswer { panels: BTreeMap::from([("errors".into(), panel)]), ..ExpositionAnswer::default() };
        Outcome::Value { value: Answer::Exposition(Arc::new(answer)), as_of: at(100) }
    }

    fn severities(estate: &Estate, readings: &Readings, now: i64) -> [Severity; 3] {
        let of = services(estate, readings, &[], at(now)).remove(0);
        [of.overall.severity, of.sites[0].unwrap().severity, of.sites[1].unwrap().severity]
    }

    #[test]
    fn panels_and_probes_are_heard_where_no_server_is() {
        use Severity::{Critical, Ok, Unknown, Warning};
        let up = || Outcome::Value { value: Answer::Probe(Arc::new(ProbeAnswer { up: true, ..ProbeAnswer::default() })), as_of: at(100) };
        let (estate, mut readings) = alone(Some("a"));
        assert_eq!(severities(&estate, &readings, 100), [Unknown; 3]);
        readings[1].take(up(), None);
        assert_eq!(severities(&estate, &readings, 100), [Unknown; 3], "its judged figure was never read");
        readings[0].take(page(0.0), None);
        assert_eq!(severities(&estate, &readings, 100), [Ok, Ok, Unknown], "nobody was asked about b");
        readings[0].take(page(2.0), None);
        assert_eq!(severities(&estate, &readings, 100), [Warning, Warning, Unknown]);
        assert_eq!(severities(&estate, &readings, 500), [Warning, Warning, Unknown], "the last that was known");
        assert!(services(&estate, &readings, &[], at(500))[0].sites[0].unwrap().stale);
        let (estate, mut readings) = alone(None);
        readings[1].take(up(), None);
        readings[0].take(page(7.0), None);
        assert_eq!(severities(&estate, &readings, 100), [Critical, Unknown, Unknown], "they say of no site how it does");
        readings[0].take(page(0.0), None);
        assert_eq!(severities(&estate, &readings, 100), [Ok, Unknown, Unknown]);
        assert_eq!(severities(&estate, &readings, 500), [Unknown; 3]);
    }
    #[test]
    fn a_judged_figure_without_a_value_is_never_ok() {
        use Severity::{Critical, Ok, Unknown, Warning};
        let (mut estate, mut readings) = alone(Some("a"));
        estate.sources.push(Source { name: "am".into(), service: None, site: None, ..self::estate().sources[0].clone() });
        readings.push(reading(100).remove(0));
        let judged = |estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>]| services(estate, readings, alerts, at(100)).remove(0);
        readings[0].take(page(f64::NAN), None);
        let of = judged(&estate, &readings, &[]);
        assert_eq!((of.overall.severity, of.sites[0].unwrap().severity), (Unknown, Unknown), "the Alertmanager is fresh and quiet");
        assert_eq!((of.worst.as_deref(), of.overall.stale), (Some("errors"), false), "what is not known is named");
        assert_eq!(of.sites[1].unwrap().severity, Ok, "nothing is judged there");
        // What is known to be bad is more than what is not known.
        let down = alert(&[("alertname", "Down"), ("job", "web"), ("severity", "warning"), ("site", "a")], AlertState::Firing, 50);
        let of = judged(&estate, &readings, &[down]);
        assert_eq!((of.overall.severity, of.worst.as_deref()), (Warning, Some("Down")));
        // A figure that nothing judges may be anything; one of a rule is judged too.
        (estate.panels[0].warn, estate.panels[0].critical) = (None, None);
        assert_eq!(judged(&estate, &readings, &[]).overall.severity, Ok);
        let rule =
            Rule { name: "r".into(), panel: "errors".into(), when: When::Above(1.0), holds: SignedDuration::ZERO, severity: Critical };
        estate.rules.push(rule);
        assert_eq!(judged(&estate, &readings, &[]).overall.severity, Unknown);
        // No series at all, and a query that failed.
        let none = PanelAnswer::default();
        let failed = PanelAnswer { error: Some("no such metric".into()), ..PanelAnswer::default() };
        for answer in [none, failed] {
            let answer = ExpositionAnswer { panels: BTreeMap::from([("errors".into(), answer)]), ..ExpositionAnswer::default() };
            readings[0].take(Outcome::Value { value: Answer::Exposition(Arc::new(answer)), as_of: at(100) }, None);
            assert_eq!(judged(&estate, &readings, &[]).overall.severity, Unknown);
        }
    }
}
