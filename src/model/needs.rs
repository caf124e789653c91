//! What needs a person now: the first thing that the overview says.

mod changed;
mod promised;

pub use self::changed::{can_go_back, suspect, suspect_of, with_change};
pub use self::promised::with_due;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::alert::{Alert, AlertId, AlertState, Origin};
use super::database::TroubleKind;
use super::estate::{Estate, Severity};
use super::finding::{self, Undecided};
use super::health::{PanelView, Readings, panels};
use super::reading::{FailureKind, Freshness};
use super::silence::{Silence, SilenceState};
use super::source::Answer;

/// A silence that ends sooner than this is told: what it mutes will page. Of a short one it is its `LAST_PART`, else it
/// would be told of from its first second on.
pub const SILENCE_ENDS_SOON: SignedDuration = SignedDuration::from_mins(30);
/// Which part of a silence is its end: a sixth.
const LAST_PART: i32 = 6;
/// The least of that: a person needs some minutes.
const SILENCE_ENDS_AT_LEAST: SignedDuration = SignedDuration::from_mins(5);
/// What began so soon after something else may follow from it: the two are told in the order in which they began.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);
/// Matchers of a silence that are named.
const MATCHERS: usize = 2;
/// A clock that differs by more than this makes every age a lie. Seconds.
pub const CLOCK_SKEW: i64 = 5;

/// One thing that needs a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// How bad.
    pub severity: Severity,
    /// What it is about: an alert, a source, a panel, a silence.
    pub about: About,
    /// What is wrong, one line.
    pub what: String,
    /// What to do about it, a few words.
    pub action: String,
    /// Since when, where that is known (UTC).
    pub since: Option<Timestamp>,
    /// When it will happen, for what has not happened yet (UTC).
    pub due: Option<Timestamp>,
    /// True where it rests on values that are not fresh.
    pub stale: bool,
}

/// What a need is about; it is also what tells one from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum About {
    /// All firing alerts of one name: their ids, the worst first, at most a hundred.
    Alerts(String, Vec<AlertId>),
    /// A source, by name.
    Source(String),
    /// The dead man's switch of a source.
    DeadMan(String),
    /// A panel, by name.
    Panel(String),
    /// A silence, by id.
    Silence(String),
    /// A drill, by name.
    Drill(String),
}

/// All that needs a person, the worst first, then the newest; of what began together, what began first. Before all stands a
/// dead man's switch that stopped: where alerts do not arrive, what is missing below it is no good news. Alerts of one name
/// are one line that counts them.
pub fn needs(estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>], now: Timestamp) -> Vec<Need> {
    let mut needs = Vec::new();
    for (source, reading) in estate.sources.iter().zip(readings) {
        let about = About::Source(source.name.clone());
        if let Some(failure) = &reading.failure {
            let (severity, action) = match failure.kind {
                FailureKind::Refused => (Severity::Warning, "mend the credentials"),
                FailureKind::Unreachable => (Severity::Warning, "check the server"),
            };
            let state = reading.freshness(now).word();
            let what = format!("{} {state}: {}", source.name, failure.what);
            needs.push(Need { severity, about, what, action: action.into(), since: Some(failure.since), due: None, stale: false });
        } else if reading.held.is_some() && reading.freshness(now) == Freshness::Stale {
            let what = format!("{} stale: no answer for two intervals", source.name);
            needs.push(Need {
                severity: Severity::Unknown,
                about,
                what,
                action: "wait".into(),
                since: reading.held.as_ref().map(|h| h.as_of),
                due: None,
                stale: true,
            });
        }
        if let Some(held) = &reading.held {
            of_answer(&source.name, &held.value, reading.freshness(now) != Freshness::Fresh, now, &mut needs);
        }
    }
    of_alerts(estate, readings, alerts, now, &mut needs);
    of_rules(estate, readings, alerts, now, &mut needs);
    sort(&mut needs);
    needs
}

/// The alerts by their ids: each of ten thousand needs looks for its own.
fn by_id(alerts: &[Arc<Alert>]) -> HashMap<&AlertId, &Arc<Alert>> {
    alerts.iter().map(|alert| (&alert.id, alert)).collect()
}

fn sort(needs: &mut [Need]) {
    // Two primaries lose more with every second than anything else can; then a stopped dead man's switch, without which
    // nothing else can be believed.
    let place = |need: &Need| match &need.about {
        About::Alerts(name, _) if name.as_str() == TroubleKind::TwoPrimaries.name() => 0,
        About::DeadMan(_) => 1,
        _ => 2,
    };
    needs.sort_by(|a, b| place(a).cmp(&place(b)).then(b.severity.cmp(&a.severity)).then(b.since.cmp(&a.since)));
    // What follows from a trouble begins after it, and would stand above it.
    for same in needs.chunk_by_mut(|a, b| place(a) == place(b) && a.severity == b.severity) {
        let mut began: BTreeMap<Timestamp, Timestamp> = BTreeMap::new();
        for since in same.iter().rev().filter_map(|need| need.since) {
            let first = began.last_key_value().map(|(_, first)| *first).filter(|first| since.duration_since(*first) <= TOGETHER);
            began.insert(since, first.unwrap_or(since));
        }
        let first = |need: &Need| need.since.and_then(|since| began.get(&since).copied());
        same.sort_by(|a, b| first(b).cmp(&first(a)).then(a.since.cmp(&b.since)));
    }
}

fn of_answer(source: &str, answer: &Answer, stale: bool, now: Timestamp, needs: &mut Vec<Need>) {
    let need =
        |severity, about, what: String, action: &str| Need { severity, about, what, action: action.into(), since: None, due: None, stale };
    let skewed = |whose: &str, ahead: Option<i64>| {
        let ahead = ahead.filter(|s| s.abs() > CLOCK_SKEW)?;
        let (by, way) = (ahead.abs(), if ahead > 0 { "ahead of" } else { "behind" });
        let what = format!("{source}: {whose} clock is {by} s {way} this machine's: ages are off by that");
        Some(need(Severity::Warning, About::Source(source.into()), what, "set the clocks right"))
    };
    match answer {
        Answer::Exposition(answer) => needs.extend(skewed("its", answer.clock_ahead)),
        // That a probe fails, and what is wrong with a backup or a database, is a finding; what a history cannot read
        // stands in its notes.
        Answer::Backup(_) | Answer::Database(_) | Answer::History(_) | Answer::Probe(_) => {}
        Answer::Alertmanager(answer) => {
            if let Some(switch) = answer.dead_man.as_ref().filter(|switch| !switch.firing) {
                let what = format!("dead man's switch {} stopped: alerts may not arrive", switch.labels.short());
                needs.push(need(Severity::Critical, About::DeadMan(source.into()), what, "check Prometheus"));
            }
            let lost: Vec<&str> = answer.peers.iter().filter(|p| p.error.is_some()).map(|p| p.url.as_str()).collect();
            if !lost.is_empty() && lost.len() < answer.peers.len() {
                let what = format!("{source}: {} of {} peers lost: {}", lost.len(), answer.peers.len(), lost.join(" "));
                needs.push(need(Severity::Warning, About::Source(source.into()), what, "bring the peer back"));
            }
            for peer in &answer.peers {
                needs.extend(skewed(&format!("the peer {}'s", peer.url), peer.clock_ahead));
            }
            for silence in answer.silences.iter().filter(|s| s.state == SilenceState::Active && s.ends_at > now) {
                let muted = || answer.alerts.iter().filter(|a| a.silenced_by.iter().any(|id| **id == *silence.id));
                let muting = muted().count();
                if muting > 0 && silence.ends_at.duration_since(now) <= soon(silence) {
                    // What will page is named first: the rest may be cut off.
                    let names: BTreeSet<&str> = muted().map(|alert| alert.name()).take(1_000).collect();
                    let of = match (names.first(), names.len()) {
                        (Some(only), 1) if muting == 1 => (*only).to_owned(),
                        (Some(only), 1) => format!("{only} x{muting}"),
                        _ => format!("{}: {muting} alerts", matched(silence)),
                    };
                    let what = format!("{of} pages again: the silence of {} ends soon: {}", silence.created_by, silence.comment);
                    let mut need = need(Severity::Warning, About::Silence(silence.id.clone()), what, "extend it, or mend");
                    need.due = Some(silence.ends_at);
                    needs.push(need);
                }
            }
        }
        Answer::Prometheus(answer) => {
            needs.extend(skewed("its", answer.clock_ahead));
            if let Some(rules) = answer.rules.as_ref().filter(|r| !r.failing.is_empty()) {
                let rule = if rules.failing.len() == 1 { "1 rule fails" } else { &format!("{} rules fail", rules.failing.len()) };
                let what = format!("{source}: {rule} and cannot fire: {}", rules.failing[0]);
                needs.push(need(Severity::Warning, About::Source(source.into()), what, "mend the rule"));
            }
        }
    }
}

/// How long before its end a silence is told of.
fn soon(silence: &Silence) -> SignedDuration {
    let part = silence.ends_at.duration_since(silence.starts_at) / LAST_PART;
    part.clamp(SILENCE_ENDS_AT_LEAST, SILENCE_ENDS_SOON)
}

/// The first matchers of a silence.
fn matched(silence: &Silence) -> String {
    let named = silence.matchers.iter().take(MATCHERS).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let more = silence.matchers.len().saturating_sub(MATCHERS);
    if more > 0 { format!("{named} and {more} more") } else { named }
}

fn of_alerts(estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>], now: Timestamp, needs: &mut Vec<Need>) {
    let fresh: std::collections::HashSet<&str> =
        estate.sources.iter().zip(readings).filter(|(_, r)| r.freshness(now) == Freshness::Fresh).map(|(s, _)| s.name.as_str()).collect();
    let mut by_name: std::collections::BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Arc<Alert>>> = Default::default();
    for alert in alerts {
        if calls(estate, alert) {
            by_name.entry((std::cmp::Reverse(alert.severity), alert.name())).or_default().push(alert);
        }
    }
    for ((severity, name), same) in by_name {
        let newest = same.iter().map(|a| a.starts_at).max();
        let what = match same.as_slice() {
            [one] if one.origin == Origin::Quarterdeck => format!("{name}: {}", judged(one)),
            [one] => format!("{name} {}", one.summary()),
            many => format!("{name} x{}: {}", many.len(), judged(many[0])),
        };
        let action = match (same[0].state, same.iter().find_map(|a| a.runbook())) {
            (AlertState::Undelivered, _) => "nobody is notified".to_owned(),
            (_, Some(_)) => "open its runbook".to_owned(),
            (_, None) => "look closer".to_owned(),
        };
        needs.push(Need {
            severity: severity.0,
            about: About::Alerts(name.to_owned(), same.iter().take(100).map(|a| a.id.clone()).collect()),
            what,
            action,
            since: newest,
            due: None,
            stale: !same.iter().any(|a| fresh.contains(&*a.source)),
        });
    }
}

/// True of an alert that needs a person: it is one of a need's. What a source's own state comes to is told with the source.
pub fn calls(estate: &Estate, alert: &Alert) -> bool {
    let acts = !alert.state.is_quiet() && alert.state != AlertState::Pending && alert.severity >= Severity::Warning;
    acts && !estate.is_dead_man(&alert.labels) && !finding::tells_of_source(alert)
}

/// What was found, without the name of the panel where the text begins with it: the rule's name stands before it, and on a
/// narrow screen the value would be cut off.
fn judged(alert: &Alert) -> String {
    let found = alert.summary();
    let panel = alert.annotations.get("panel").filter(|_| alert.origin == Origin::Quarterdeck);
    let short = panel.and_then(|panel| found.strip_prefix(panel)?.strip_prefix(" is ")).map(str::to_owned);
    short.unwrap_or(found)
}

/// Panels, and rules that cannot be judged. A panel of which a rule tells the same or worse is told by the rule only:
/// that says more.
fn of_rules(estate: &Estate, readings: &Readings, alerts: &[Arc<Alert>], now: Timestamp, needs: &mut Vec<Need>) {
    let mut told: std::collections::BTreeMap<&str, Severity> = Default::default();
    for alert in alerts.iter().filter(|a| a.origin == Origin::Quarterdeck && a.state == AlertState::Firing) {
        if let Some(panel) = alert.annotations.get("panel") {
            let worst = told.entry(panel).or_insert(alert.severity);
            *worst = alert.severity.max(*worst);
        }
    }
    for Undecided { rule, why, idle } in finding::undecidable(estate, readings, now) {
        told.entry(&rule.panel).or_insert(Severity::Unknown);
        // Where nobody asks anything of a service, nothing is wrong with the panel; but nothing is known either.
        let (severity, action) = if idle { (Severity::Unknown, "wait") } else { (Severity::Warning, "mend the panel") };
        needs.push(Need {
            severity,
            about: About::Panel(rule.panel.clone()),
            what: format!("rule {} cannot be judged: {why}", rule.name),
            action: action.into(),
            since: None,
            due: None,
            stale: false,
        });
    }
    let of_panels = panels(estate, readings, now);
    let news = of_panels
        .iter()
        .filter_map(|view| of_panel(view, now).filter(|need| told.get(&*view.panel.name).is_none_or(|known| need.severity > *known)));
    needs.extend(news);
}

fn of_panel(view: &PanelView<'_>, now: Timestamp) -> Option<Need> {
    let severity = view.severity();
    let about = About::Panel(view.panel.name.clone());
    let error = view.answer.and_then(|a| a.error.as_ref());
    let stale = view.freshness != Freshness::Fresh;
    let need = |severity, what, action: &str| Some(Need { severity, about, what, action: action.into(), since: None, due: None, stale });
    match (severity, error) {
        (_, Some(error)) => need(Severity::Unknown, format!("panel {}: query failed: {error}", view.panel.name), "mend the query"),
        (Severity::Warning | Severity::Critical, None) => {
            let value = super::metric::show_at(view.value().unwrap_or(f64::NAN), view.panel.unit, now);
            let of = view.panel.service.as_deref().map_or(String::new(), |s| format!(" of {s}"));
            need(severity, format!("{}{of} is {value}", view.panel.name), "see its chart")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::tests::alert;
    use super::super::estate::tests::{bare, source};
    use super::super::estate::{Source, SourceKind};
    use super::super::label::Labels;
    use super::super::metric::{PanelAnswer, Sample};
    use super::super::panel::{Ask, Panel, Rule, Unit, When};
    use super::super::reading::{Outcome, Reading};
    use super::super::source::{AlertmanagerAnswer, DeadMan, Peer, PrometheusAnswer};
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn of(answer: AlertmanagerAnswer, now: i64) -> Vec<Need> {
        let every = SignedDuration::from_secs(5);
        let dead_man = answer.dead_man.as_ref().map(|switch| switch.labels.clone());
        let estate = Estate {
            path: "e".into(),
            name: "e".into(),
            environment: "t".into(),
            zone: None,
            note: None,
            sites: vec![],
            services: vec![],
            panels: vec![],
            rules: vec![],
            objectives: vec![],
            hosts: vec![],
            calendar: Default::default(),
            sources: vec![Source {
                name: "am".into(),
                every,
                timeout: every,
                http_config: None,
                service: None,
                site: None,
                kind: SourceKind::Alertmanager { urls: vec![], dead_man },
            }],
        };
        let alerts = answer.alerts.clone();
        let mut reading = Reading::never(every);
        reading.take(Outcome::Value { value: Answer::Alertmanager(Arc::new(answer)), as_of: at(now) }, None);
        needs(&estate, &[reading], &alerts, at(now))
    }

    #[test]
    fn a_stopped_dead_mans_switch_is_critical_and_a_firing_one_is_nothing() {
        let labels = Labels::new([("alertname", "Watchdog")]);
        let stopped = AlertmanagerAnswer { dead_man: Some(DeadMan { labels: labels.clone(), firing: false }), ..Default::default() };
        let told = of(stopped, 10);
        assert_eq!((told.len(), told[0].severity), (1, Severity::Critical));
        let firing = AlertmanagerAnswer {
            dead_man: Some(DeadMan { labels, firing: true }),
            alerts: vec![alert(&[("alertname", "Watchdog")], AlertState::Firing, 1)],
            ..Default::default()
        };
        assert!(of(firing, 10).is_empty());
    }

    #[test]
    fn a_stopped_dead_mans_switch_comes_before_a_storm() {
        let labels = Labels::new([("alertname", "Watchdog")]);
        let alerts = (0..30)
            .map(|i| {
                let mut storm = alert(&[("alertname", &format!("Down{i}")), ("severity", "critical")], AlertState::Firing, i);
                Arc::make_mut(&mut storm).severity = Severity::Critical;
                storm
            })
            .collect();
        let stopped = AlertmanagerAnswer { dead_man: Some(DeadMan { labels, firing: false }), alerts, ..Default::default() };
        let told = of(stopped, 50);
        assert_eq!((told.len(), &told[0].about), (31, &About::DeadMan("am".into())));
    }

    #[test]
    fn of_what_began_together_the_first_comes_first_and_of_the_rest_the_newest() {
        let critical = |name: &str, secs| {
            let mut one = alert(&[("alertname", name), ("severity", "critical")], AlertState::Firing, secs);
            Arc::make_mut(&mut one).severity = Severity::Critical;
            one
        };
        let all = [("Old", 0), ("Root", 1_000), ("Follows", 1_030), ("FollowsToo", 1_100), ("Other", 1_121), ("Last", 9_000)];
        let alerts =
            all.map(|(name, secs)| critical(name, secs)).into_iter().chain([alert(&[("alertname", "Less")], AlertState::Firing, 9_500)]);
        let told = of(AlertmanagerAnswer { alerts: alerts.collect(), ..Default::default() }, 10_000);
        let names: Vec<&str> = told.iter().map(|need| need.what.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(names, ["Last", "Other", "Root", "Follows", "FollowsToo", "Old", "Less"]);
    }

    #[test]
    fn the_clock_of_a_peer_that_differs_is_told() {
        let peer = |url: &str, ahead| Peer {
            url: url.into(),
            version: None,
            cluster: None,
            error: None,
            as_of: Some(at(10)),
            clock_ahead: Some(ahead),
        };
        let told = of(AlertmanagerAnswer { peers: vec![peer("http://a", 2), peer("http://b", -90)], ..Default::default() }, 10);
        assert_eq!(
            told.iter().map(|n| n.what.as_str()).collect::<Vec<_>>(),
            ["am: the peer http://b's clock is 90 s behind this machine's: ages are off by that"]
        );
    }

    #[test]
    fn alerts_of_one_name_are_one_line_and_muted_ones_none() {
        let mut alerts: Vec<_> = (0..30).map(|i| alert(&[("alertname", "Down"), ("i", &i.to_string())], AlertState::Firing, i)).collect();
        alerts.push(alert(&[("alertname", "Quiet")], AlertState::Silenced, 1));
        alerts.push(alert(&[("alertname", "Soon")], AlertState::Pending, 1));
        let told = of(AlertmanagerAnswer { alerts, ..Default::default() }, 50);
        assert_eq!(told.len(), 1);
        assert!(told[0].what.starts_with("Down x30"));
        assert_eq!(told[0].since, Some(at(29)));
    }

    #[test]
    fn a_silence_about_to_end_over_a_firing_alert_is_told_with_its_due_time() {
        let mut muted = alert(&[("alertname", "Down")], AlertState::Silenced, 1);
        Arc::make_mut(&mut muted).silenced_by = vec!["s1".into()];
        let silence = |ends| Silence {
            id: "s1".into(),
            state: SilenceState::Active,
            matchers: vec![],
            starts_at: at(0),
            ends_at: at(ends),
            created_by: "ann".into(),
            comment: "INC-1".into(),
            seen_by: vec![0],
        };
        let answer = |ends| AlertmanagerAnswer { alerts: vec![muted.clone()], silences: vec![silence(ends)], ..Default::default() };
        assert_eq!(of(answer(1_000), 800)[0].due, Some(at(1_000)));
        assert!(of(answer(100_000), 10).is_empty());
        assert!(of(answer(1_000), 800)[0].what.starts_with("Down pages again: the silence of ann ends soon"));
        // Of half an hour the last five minutes, of two hours a sixth.
        assert!(of(answer(1_800), 1_499).is_empty() && !of(answer(1_800), 1_500).is_empty());
        assert!(of(answer(7_200), 5_999).is_empty() && !of(answer(7_200), 6_000).is_empty());
    }

    fn ruled(answer: PanelAnswer) -> Vec<Need> {
        let every = SignedDuration::from_secs(5);
        let panel = Panel {
            name: "errors".into(),
            service: None,
            site: None,
            source: "prom".into(),
            ask: Ask::Promql("x".into()),
            unit: Unit::Count,
            warn: Some(1.0),
            critical: Some(5.0),
        };
        let when = When::Above(1.0);
        let rule = Rule { name: "too many".into(), panel: "errors".into(), when, holds: SignedDuration::ZERO, severity: Severity::Warning };
        let kind = SourceKind::Prometheus { url: String::new() };
        let estate = Estate { panels: vec![panel], rules: vec![rule], ..bare(vec![source("prom", kind)]) };
        let answer = PrometheusAnswer { panels: [("errors".to_owned(), answer)].into(), ..Default::default() };
        let mut reading = Reading::never(every);
        reading.take(Outcome::Value { value: Answer::Prometheus(Arc::new(answer)), as_of: at(10) }, None);
        let readings = [reading];
        let alerts = finding::findings(&estate, &readings, &[], at(10));
        needs(&estate, &readings, &alerts, at(10))
    }

    fn sample(value: f64) -> PanelAnswer {
        PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], ..PanelAnswer::default() }
    }

    #[test]
    fn a_rule_and_a_panel_that_tell_the_same_are_told_once() {
        let told = |value| ruled(sample(value)).into_iter().map(|n| (n.severity, n.what)).collect::<Vec<_>>();
        assert!(told(0.5).is_empty());
        assert_eq!(told(2.0), [(Severity::Warning, "too many: 2, above 1 for <1m".to_owned())]);
        let worse = told(7.0);
        assert_eq!(worse[0], (Severity::Critical, "errors is 7".to_owned()), "the panel says worse than the rule");
        assert_eq!((worse.len(), worse[1].0), (2, Severity::Warning));
    }

    #[test]
    fn a_rule_that_cannot_be_judged_is_a_warning_that_says_why() {
        let failed = PanelAnswer { error: Some("parse error".into()), ..PanelAnswer::default() };
        let told = |answer| ruled(answer).into_iter().map(|n| (n.severity, n.what)).collect::<Vec<_>>();
        let why = "rule too many cannot be judged: the query of the panel errors failed: parse error";
        assert_eq!(told(failed), [(Severity::Warning, why.to_owned())], "and the panel's failure is not told twice");
        let idle = "rule too many cannot be judged: no traffic to judge, the panel errors is NaN";
        assert_eq!(told(sample(f64::NAN)), [(Severity::Unknown, idle.to_owned())]);
        assert_eq!(ruled(sample(f64::NAN))[0].action, "wait", "nothing is there to be mended");
    }

    #[test]
    fn a_source_that_is_not_read_is_told_once() {
        let every = SignedDuration::from_secs(5);
        let mut reading: Reading<Answer> = Reading::never(every);
        reading.take(Outcome::Failed { kind: FailureKind::Refused, what: "401".into(), at: at(1) }, None);
        let kind = SourceKind::Prometheus { url: String::new() };
        let estate = bare(vec![source("prom", kind)]);
        let readings = [reading];
        let found = finding::findings(&estate, &readings, &[], at(2));
        assert_eq!(found.len(), 1);
        let told = needs(&estate, &readings, &found, at(2));
        assert_eq!(told.iter().map(|n| n.what.as_str()).collect::<Vec<_>>(), ["prom refused: 401"]);
    }
}
