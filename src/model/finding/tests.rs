//! Every condition, what ends a finding and what does not, and that ids and `for` keep what they promise.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::estate::{KEEP, Probe, Role, Service, Site, SourceKind};
use crate::model::metric::Sample;
use crate::model::panel::Ask;
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::{Certificate, ExpositionAnswer, History, ProbeAnswer};

const NOW: i64 = 1_000_000;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn at(secs: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
}

fn source(name: &str, kind: SourceKind) -> Source {
    let every = SignedDuration::from_secs(5);
    Source { name: name.into(), every, timeout: every, http_config: None, service: Some("web".into()), site: Some("fra1".into()), kind }
}

fn estate(when: When, holds: SignedDuration) -> Estate {
    Estate {
        path: "e".into(),
        name: "e".into(),
        environment: "t".into(),
        zone: None,
        note: None,
        sites: vec![Site { name: "fra1".into(), role: Role::Primary, labels: Labels::new([("site", "fra1")]) }],
        services: vec![Service {
            name: "web".into(),
            sites: vec!["fra1".into()],
            depends_on: vec![],
            hosts: vec![],
            labels: Labels::new([("job", "web")]),
            runbook: Some("runbooks/web.md".into()),
            start: None,
            stop: None,
            restart: None,
            health: None,
            rollback: Default::default(),
            logs: None,
        }],
        sources: vec![source("page", SourceKind::Exposition { url: "http://web/metrics".into(), keep: KEEP })],
        panels: vec![Panel {
            name: "errors".into(),
            service: Some("web".into()),
            site: Some("fra1".into()),
            source: "page".into(),
            ask: Ask::Promql("unused".into()),
            unit: Unit::Ratio,
            warn: None,
            critical: None,
        }],
        rules: vec![Rule { name: "too many errors".into(), panel: "errors".into(), when, holds, severity: Severity::Critical }],
        objectives: vec![],
        hosts: vec![],
        calendar: Default::default(),
    }
}

fn above() -> Estate {
    estate(When::Above(0.05), MINUTE * 3)
}

fn instance(name: &str) -> Labels {
    Labels::new([("instance", name), ("__name__", "errors")])
}

/// An answer of one series: its value now, and its past in steps of a minute that end now.
fn answer(value: f64, past: &[Option<f64>]) -> PanelAnswer {
    let plot = Plot {
        start: at(NOW - 60 * (past.len() as i64 - 1)),
        step: 60,
        len: past.len(),
        series: vec![Series { labels: instance("a"), points: past.to_vec() }],
        dropped: 0,
        histograms: 0,
    };
    let plot = (!past.is_empty()).then_some(plot);
    PanelAnswer { now: vec![Sample { labels: instance("a"), value }], judged: plot, ..PanelAnswer::default() }
}

fn read(panel: PanelAnswer, as_of: i64) -> Vec<Reading<Answer>> {
    let history = History { since: Some(at(0)), ..History::default() };
    let answer = ExpositionAnswer { panels: BTreeMap::from([("errors".into(), panel)]), history, ..ExpositionAnswer::default() };
    let mut reading = Reading::never(SignedDuration::from_secs(5));
    reading.take(Outcome::Value { value: Answer::Exposition(Arc::new(answer)), as_of: at(as_of) }, None);
    vec![reading]
}

fn failing(mut readings: Vec<Reading<Answer>>, kind: FailureKind, secs: i64) -> Vec<Reading<Answer>> {
    readings[0].take(Outcome::Failed { kind, what: "connection refused".into(), at: at(secs) }, None);
    readings
}

/// The findings of the rule, without those about the source.
fn of_rule(estate: &Estate, readings: &Readings, before: &[Arc<Alert>], now: i64) -> Vec<Arc<Alert>> {
    let mut found = findings(estate, readings, before, at(now));
    found.retain(|a| !tells_of_source(a));
    found
}

fn one(when: When, panel: PanelAnswer) -> Option<Arc<Alert>> {
    of_rule(&estate(when, SignedDuration::ZERO), &read(panel, NOW), &[], NOW).into_iter().next()
}

#[test]
fn a_finding_is_an_alert_that_health_and_filters_can_place() {
    let found = of_rule(&above(), &read(answer(0.12, &[Some(0.01), Some(0.12), Some(0.12), Some(0.12), Some(0.12)]), NOW), &[], NOW);
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    let labels = [("alertname", "too many errors"), ("instance", "a"), ("job", "web"), ("severity", "critical"), ("site", "fra1")];
    assert_eq!(finding.labels, Labels::new(labels));
    assert_eq!(finding.summary(), "errors is 12%, above 5% for 3m (instance=a)");
    assert_eq!((finding.annotations.get("panel"), finding.runbook()), (Some("errors"), Some("runbooks/web.md")));
    assert_eq!((finding.origin, finding.state, finding.severity), (Origin::Quarterdeck, AlertState::Firing, Severity::Critical));
    assert_eq!((&*finding.source, finding.starts_at, finding.updated_at), ("page", at(NOW - 180), Some(at(NOW))));
    assert_eq!(rule_of(&above(), finding).map(|r| r.name.as_str()), Some("too many errors"));
    assert!(!tells_of_source(finding));
}

#[test]
fn above_and_below_are_strict_and_nan_never_holds() {
    for (value, is_above, is_below) in [(0.04, false, true), (0.05, false, false), (0.06, true, false), (f64::INFINITY, true, false)] {
        assert_eq!(one(When::Above(0.05), answer(value, &[])).is_some(), is_above, "{value}");
        assert_eq!(one(When::Below(0.05), answer(value, &[])).is_some(), is_below, "{value}");
    }
    for when in [When::Above(0.0), When::Below(0.0), When::OlderThan(MINUTE), When::FullWithin { full: 1.0, within: MINUTE }] {
        assert_eq!(one(when, answer(f64::NAN, &[Some(0.5), Some(0.6), Some(f64::NAN)])), None, "{when:?}");
    }
    assert_eq!(one(When::Below(0.05), answer(0.01, &[])).unwrap().summary(), "errors is 1%, below 5% for <1m (instance=a)");
}

#[test]
fn pending_until_it_held_long_enough_by_the_plot_alone() {
    // A fresh start, as `qd status` is one: only the plot tells how long it has been so.
    let state = |past: &[Option<f64>]| of_rule(&above(), &read(answer(0.12, past), NOW), &[], NOW)[0].state;
    let (over, under) = (Some(0.12), Some(0.01));
    assert_eq!(state(&[]), AlertState::Pending);
    assert_eq!(state(&[over, under, over, over, over]), AlertState::Pending, "it held for two minutes");
    assert_eq!(state(&[under, over, over, over, over]), AlertState::Firing);
    assert_eq!(state(&[over, over, None, over, over]), AlertState::Firing, "one missed scrape ends nothing");
    assert_eq!(state(&[over, over, Some(f64::NAN), over, over]), AlertState::Firing);
    assert_eq!(state(&[over, over, None, None, over, over]), AlertState::Pending, "two in a row do");
    let mut coarse = answer(0.12, &[over; 20]);
    coarse.judged.as_mut().unwrap().step = 600;
    coarse.judged.as_mut().unwrap().start = at(NOW - 600 * 19);
    assert_eq!(of_rule(&above(), &read(coarse, NOW), &[], NOW)[0].state, AlertState::Pending, "nobody looked for ten minutes");
    let (mut old, estate) = (answer(0.12, &[over; 20]), above());
    old.judged.as_mut().unwrap().start = at(NOW - 10_000);
    assert_eq!(of_rule(&estate, &read(old, NOW), &[], NOW)[0].state, AlertState::Pending, "the plot ends long ago");
}

#[test]
fn what_was_pending_before_goes_on_without_a_plot() {
    let estate = above();
    let first = of_rule(&estate, &read(answer(0.12, &[]), NOW), &[], NOW);
    let later = of_rule(&estate, &read(answer(0.2, &[]), NOW + 180), &first, NOW + 181);
    assert_eq!((first[0].state, later[0].state), (AlertState::Pending, AlertState::Firing));
    assert_eq!((later[0].starts_at, &later[0].id), (at(NOW), &first[0].id));
    assert!(of_rule(&estate, &read(answer(0.01, &[]), NOW + 200), &later, NOW + 200).is_empty(), "it ended");
}

#[test]
fn nothing_that_is_not_known_ends_a_finding() {
    let estate = estate(When::Above(0.05), SignedDuration::ZERO);
    let fired = read(answer(0.12, &[]), NOW);
    let before = of_rule(&estate, &fired, &[], NOW);
    let failed = PanelAnswer { error: Some("no".into()), ..PanelAnswer::default() };
    for (why, panel) in
        [("the query failed", failed), ("there is no series", PanelAnswer::default()), ("there is only NaN", answer(f64::NAN, &[]))]
    {
        assert_eq!(of_rule(&estate, &read(panel, NOW + 5), &before, NOW + 5), before, "{why}");
    }
    let mut others = answer(f64::NAN, &[]);
    others.now.push(Sample { labels: instance("b"), value: 0.0 });
    assert_eq!(of_rule(&estate, &read(others.clone(), NOW + 5), &before, NOW + 5), before, "the series has no number");
    others.now.remove(0);
    assert!(of_rule(&estate, &read(others, NOW + 5), &before, NOW + 5).is_empty(), "the series is gone");
    for kind in [FailureKind::Unreachable, FailureKind::Refused] {
        assert_eq!(of_rule(&estate, &failing(fired.clone(), kind, NOW + 9), &before, NOW + 9), before);
    }
    assert_eq!(of_rule(&estate, &fired, &before, NOW + 5_000), before, "a stale reading says the same as when it was fresh");
    let never = [Reading::never(MINUTE)];
    assert_eq!(of_rule(&estate, &never, &before, NOW), before);
    let elses = crate::model::alert::tests::alert(&[("alertname", "too many errors")], AlertState::Firing, 5);
    assert!(of_rule(&estate, &never, &[elses], NOW).is_empty(), "alerts of others are not ours to keep");
}

#[test]
fn an_event_ages_while_nobody_looks() {
    let when = When::OlderThan(MINUTE * 5);
    let estate = estate(when, SignedDuration::ZERO);
    let newest = read(answer((NOW - 100) as f64, &[]), NOW);
    assert!(of_rule(&estate, &newest, &[], NOW).is_empty());
    let stale = failing(newest, FailureKind::Unreachable, NOW + 10);
    assert!(of_rule(&estate, &stale, &[], NOW + 199).is_empty());
    let found = of_rule(&estate, &stale, &[], NOW + 401);
    assert_eq!(found[0].summary(), "errors: the newest event is 8m 21s old, over the limit of 5m (instance=a)");
    assert_eq!(found[0].starts_at, at(NOW + 200), "when it became too old, not when it was seen");
    // A newer event that is too old again began anew.
    let again = of_rule(&estate, &read(answer((NOW + 300) as f64, &[]), NOW + 900), &found, NOW + 900);
    assert_eq!((again[0].starts_at, &again[0].id), (at(NOW + 600), &found[0].id));
    assert!(of_rule(&estate, &read(answer((NOW + 5_000) as f64, &[]), NOW), &found, NOW).is_empty(), "an event of the future");
    assert_eq!(one(when, answer(0.0, &[])).unwrap().summary(), "errors: there was no event yet for <1m (instance=a)");
    assert_eq!(one(when, answer(f64::INFINITY, &[])), None);
}

#[test]
fn saturation_tells_the_time_to_full() {
    let hours = SignedDuration::from_hours;
    let when = When::FullWithin { full: 1.0, within: hours(4) };
    // An hour from 0.62 to 0.80: 0.003 a minute, 0.2 are left.
    let rising: Vec<_> = (0..=60).map(|i| Some(0.62 + 0.003 * f64::from(i))).collect();
    let found = one(when, answer(0.8, &rising)).unwrap();
    assert_eq!(found.summary(), "errors is 80%: full (100%) in about 1h 6m at the pace of the last hour (instance=a)");
    assert!(found.starts_at < at(NOW - 3_000), "its pace was the same all the time: {}", found.starts_at);
    assert_eq!(one(When::FullWithin { full: 1.0, within: hours(1) }, answer(0.8, &rising)), None, "there is more time left");
    let falling: Vec<_> = rising.iter().rev().copied().collect();
    assert_eq!(one(when, answer(0.62, &falling)), None);
    assert_eq!(one(when, answer(0.8, &[Some(0.8); 60])), None, "it stands still");
    assert_eq!(one(when, answer(0.8, &[Some(0.6), Some(0.8)])), None, "two points make any line");
    assert!(one(when, answer(0.8, &[Some(0.6), Some(0.7), None, Some(f64::NAN), Some(0.8)])).is_some());
    assert_eq!(one(when, answer(0.8, &[])), None, "nothing is known of its pace");
    let full = one(when, answer(1.0, &falling)).unwrap();
    assert_eq!(full.summary(), "errors is FULL: 100% of 100% for <1m (instance=a)");
    // What is left of something falls to nothing, and is not full while there is some of it.
    let left = When::FullWithin { full: 0.0, within: hours(4) };
    let used: Vec<_> = (0..=60).map(|i| Some(0.38 - 0.003 * f64::from(i))).collect();
    let found = one(left, answer(0.2, &used)).unwrap();
    assert_eq!(found.summary(), "errors is 20%: used up (0%) in about 1h 6m at the pace of the last hour (instance=a)");
    assert_eq!(one(left, answer(0.8, &rising)), None, "it grows");
    assert_eq!(one(left, answer(0.0, &used)).unwrap().summary(), "errors is USED UP: 0% left for <1m (instance=a)");
    // Large numbers that differ by little: bytes of a disk.
    let bytes: Vec<_> = (0..60).map(|i| Some(9e15 + f64::from(i) * 64.0)).collect();
    assert!(one(When::FullWithin { full: 9e15 + 7_680.0, within: hours(4) }, answer(9e15 + 3_776.0, &bytes)).is_some());
}

fn probed(answer: ProbeAnswer, probe: Probe) -> Vec<Arc<Alert>> {
    let mut estate = above();
    estate.rules.clear();
    estate.sources = vec![source("shop", SourceKind::Probe { probe, keep: KEEP })];
    let mut reading = Reading::never(SignedDuration::from_secs(5));
    reading.take(Outcome::Value { value: Answer::Probe(Arc::new(answer)), as_of: at(NOW) }, None);
    findings(&estate, &[reading], &[], at(NOW))
}

#[test]
fn a_failing_probe_is_critical_and_says_why_and_since_when() {
    let http = || Probe::Http { url: "http://shop/healthz".into(), status: None, body: None };
    let failed = ProbeAnswer { why: Some("status 503 instead of 200".into()), since: Some(at(NOW - 200)), ..ProbeAnswer::default() };
    let found = probed(failed, http());
    assert_eq!((found[0].name(), found[0].severity, found[0].starts_at), ("probe fails", Severity::Critical, at(NOW - 200)));
    assert_eq!(found[0].summary(), "shop: status 503 instead of 200, for 3m");
    assert!(Labels::new([("job", "web"), ("site", "fra1")]).covers(&found[0].labels));
    assert!(probed(ProbeAnswer { up: true, ..ProbeAnswer::default() }, http()).is_empty());
}

#[test]
fn a_certificate_is_told_by_the_share_of_its_life_and_by_what_is_wrong_with_it() {
    let tls = || Probe::Tls { address: "shop:443".into() };
    let day = 86_400;
    // Ninety days of life, of which so many days are left.
    let certificate = |left: i64| Certificate {
        subject: "CN=shop".into(),
        names: vec!["shop.example".into()],
        not_before: at(NOW + (left - 90) * day),
        not_after: at(NOW + left * day),
        name_matches: true,
        ..Certificate::default()
    };
    let told = |up: bool, certificate: Certificate| {
        let why = (!up).then(|| "handshake failed".to_owned());
        let found = probed(ProbeAnswer { up, why, certificate: Some(certificate), ..ProbeAnswer::default() }, tls());
        found.iter().map(|a| format!("{} {}: {}", a.severity.word(), a.name(), a.summary())).collect::<Vec<_>>()
    };
    assert!(told(true, certificate(30)).is_empty(), "a third is left");
    let ends = |severity: &str, days: i64, share: i64| {
        format!("{severity} certificate ends: shop.example: {days} days left, {share}% of the certificate's life")
    };
    assert_eq!(told(true, certificate(29)), [ends("warning", 29, 32)]);
    assert_eq!(told(true, certificate(9)), [ends("warning", 9, 10)]);
    assert_eq!(told(true, certificate(8)), [ends("critical", 8, 8)]);
    let expired = ["critical certificate expired: shop.example: the certificate expired 2 days ago"];
    assert_eq!(told(false, Certificate { untrusted: Some("it has expired".into()), ..certificate(-2) }), expired, "told once");
    let untrusted = Certificate { untrusted: Some("unknown issuer".into()), ..certificate(60) };
    let what = ["critical certificate not trusted: shop.example: the certificate is not trusted: unknown issuer (60 days left)"];
    assert_eq!(told(false, untrusted), what);
    let other = Certificate { name_matches: false, ..certificate(60) };
    let what = ["critical certificate for another name: shop: the certificate is for another name: shop.example (60 days left)"];
    assert_eq!(told(false, other), what);
    assert_eq!(told(false, certificate(8)).len(), 2, "that it soon ends is not why the probe fails");
}

#[test]
fn a_source_that_is_not_read_is_a_finding_that_is_live() {
    let (estate, fresh) = (above(), read(answer(0.0, &[]), NOW));
    let told = |readings: &Readings, now: i64| {
        let found = findings(&estate, readings, &[], at(now));
        assert!(found.iter().all(|a| tells_of_source(a) && a.severity == Severity::Warning && rule_of(&estate, a).is_none()));
        found.iter().map(|a| format!("{}: {}", a.name(), a.summary())).collect::<Vec<_>>()
    };
    assert!(told(&fresh, NOW + 5).is_empty());
    assert_eq!(told(&fresh, NOW + 60), ["source stale: page is stale; its newest values are 1m old"]);
    let refused = failing(fresh.clone(), FailureKind::Refused, NOW + 9);
    assert_eq!(told(&refused, NOW + 10), ["source refused: page is refused: connection refused; its newest values are 10s old"]);
    let never = failing(vec![Reading::never(MINUTE)], FailureKind::Unreachable, NOW);
    assert_eq!(told(&never, NOW), ["source unreachable: page is unreachable: connection refused; nothing was ever read"]);
    let mut cached = fresh;
    cached[0].held.as_mut().unwrap().cached = true;
    assert!(told(&cached, NOW + 60).is_empty(), "the first try is on its way");
}

#[test]
fn a_rule_that_cannot_be_judged_says_why() {
    let estate = above();
    let told = |panel: PanelAnswer| undecidable(&estate, &read(panel, NOW), at(NOW)).into_iter().map(|one| one.why).collect::<Vec<_>>();
    assert!(told(answer(0.0, &[])).is_empty());
    assert_eq!(told(PanelAnswer::default()), ["the panel errors has no series"]);
    assert_eq!(told(answer(f64::NAN, &[])), ["no traffic to judge, the panel errors is NaN"]);
    let failed = PanelAnswer { error: Some("parse error".into()), ..PanelAnswer::default() };
    assert_eq!(told(failed.clone()), ["the query of the panel errors failed: parse error"]);
    assert_eq!(told(PanelAnswer { now_dropped: 9, ..answer(0.0, &[]) }), ["the panel errors has 10 series, of which 1 are judged"]);
    let mut other = read(failed, NOW);
    assert!(undecidable(&estate, &other, at(NOW + 500)).is_empty(), "a stale source is told as that");
    if let Some(Answer::Exposition(answer)) = other[0].held.as_mut().map(|h| &mut h.value) {
        Arc::make_mut(answer).history.since = Some(at(NOW - 5));
    }
    assert!(undecidable(&estate, &other, at(NOW)).is_empty(), "too few samples are kept yet");
}

/// Ten thousand series and two more, of which every one holds.
fn storm(over: usize) -> Vec<Reading<Answer>> {
    let now = (0..CAP + over).map(|n| Sample { labels: instance(&format!("web-{n}")), value: 0.5 }).collect();
    read(PanelAnswer { now, ..PanelAnswer::default() }, NOW)
}

#[test]
fn a_storm_is_listed_up_to_its_cap_and_counted_beyond() {
    let estate = estate(When::Above(0.05), SignedDuration::ZERO);
    let found = of_rule(&estate, &storm(0), &[], NOW);
    assert_eq!(found.len(), CAP);
    let ids: std::collections::HashSet<&AlertId> = found.iter().map(|a| &a.id).collect();
    assert_eq!(ids.len(), CAP);
    let more = of_rule(&estate, &storm(2), &found, NOW + 1);
    assert_eq!(more.len(), CAP + 1);
    assert_eq!(more[CAP].summary(), "2 more series of errors are above 5%: too many to list");
    assert_eq!((more[CAP].name(), more[CAP].state), ("too many errors", AlertState::Firing));
    let failed = read(PanelAnswer { error: Some("no".into()), ..PanelAnswer::default() }, NOW + 5);
    assert_eq!(of_rule(&estate, &failed, &more, NOW + 5), more, "all of it stays while nothing is known");
}

#[test]
fn names_and_labels_of_others_cannot_make_two_findings_one() {
    let mut estate = estate(When::Above(0.05), SignedDuration::ZERO);
    let odd = Rule { name: "too many errors\" {".into(), ..estate.rules[0].clone() };
    estate.rules.push(odd);
    let labels = [Labels::new([("a", "1\",b=\"2")]), Labels::new([("a", "1"), ("b", "2")]), Labels::default()];
    let now = labels.into_iter().map(|labels| Sample { labels, value: 1.0 }).collect();
    let found = of_rule(&estate, &read(PanelAnswer { now, ..PanelAnswer::default() }, NOW), &[], NOW);
    let ids: std::collections::HashSet<&AlertId> = found.iter().map(|a| &a.id).collect();
    assert_eq!((found.len(), ids.len()), (6, 6));
    assert_eq!(found.iter().filter(|a| rule_of(&estate, a).is_some_and(|r| r.name == "too many errors")).count(), 3);
}

proptest! {
    #[test]
    fn ids_do_not_depend_on_polls_or_on_the_order_of_labels(
        pairs in prop::collection::btree_map("[a-z]{1,6}", ".{0,12}", 0..6),
        values in prop::collection::vec(0.06f64..1e6, 1..6),
    ) {
        let estate = estate(When::Above(0.05), MINUTE);
        let ordered = Labels::new(&pairs);
        let reversed = Labels::new(pairs.iter().rev());
        let mut before = vec![];
        let mut ids = std::collections::HashSet::new();
        for (poll, value) in values.into_iter().enumerate() {
            let labels = if poll % 2 == 0 { ordered.clone() } else { reversed.clone() };
            let panel = PanelAnswer { now: vec![Sample { labels, value }], ..PanelAnswer::default() };
            let now = NOW + poll as i64 * 5;
            before = of_rule(&estate, &read(panel, now), &before, now);
            prop_assert_eq!(before.len(), 1);
            ids.insert(before[0].id.clone());
        }
        prop_assert_eq!(ids.len(), 1);
    }

    #[test]
    fn a_finding_never_fires_before_its_time(
        values in prop::collection::vec(prop::sample::select(vec![0.01, 0.2, f64::NAN]), 1..60),
        every in 1i64..120,
        holds in 0i64..900,
        from_plot in any::<bool>(),
    ) {
        let estate = estate(When::Above(0.05), SignedDuration::from_secs(holds));
        let mut before: Vec<Arc<Alert>> = vec![];
        let (mut since, mut past) = (None, vec![]);
        for (poll, value) in values.into_iter().enumerate() {
            let now = NOW + poll as i64 * every;
            past.push(Some(value));
            let mut panel = answer(value, &past);
            if let Some(plot) = &mut panel.judged {
                (plot.start, plot.step) = (at(NOW), every);
            }
            if !from_plot {
                panel.judged = None;
            }
            // Since when nothing was seen that does not hold: what is not a number neither begins nor ends it.
            since = if value < 0.05 { None } else { since.or(if value.is_nan() { None } else { Some(now) }) };
            before = of_rule(&estate, &read(panel, now), &before, now);
            for finding in before.iter().filter(|a| a.state == AlertState::Firing) {
                prop_assert!(since.is_some_and(|since| now - since >= holds), "{:?} at {now}, since {since:?}", finding.summary());
            }
        }
    }
}

/// A rate over a minute of a page that is read every 5 s and was not looked at from 600 s to 20 s ago.
fn paused(panel: PanelAnswer) -> (Estate, Vec<Reading<Answer>>) {
    let mut estate = above();
    let of = crate::model::selector::Selector::parse("errors").unwrap();
    let shape = crate::model::panel::Shape::Rate { over: MINUTE };
    estate.panels[0].ask = Ask::Form(crate::model::panel::Form { shape, of, by: None });
    let mut readings = read(panel, NOW);
    if let Some(Answer::Exposition(answer)) = readings[0].held.as_mut().map(|h| &mut h.value) {
        Arc::make_mut(answer).history.pauses = vec![(at(NOW - 600), at(NOW - 20))];
    }
    (estate, readings)
}

#[test]
fn after_a_time_in_which_nobody_looked_no_rule_is_called_broken_before_its_window_is_full() {
    let (mut estate, readings) = paused(PanelAnswer::default());
    assert_eq!(undecidable(&estate, &readings, at(NOW)), [], "a rate has no value yet");
    estate.panels[0].ask = Ask::Promql("unused".into());
    assert_eq!(undecidable(&estate, &readings, at(NOW)).len(), 1, "a sample would be there by now");
    let (estate, mut later) = paused(PanelAnswer::default());
    later[0].held.as_mut().unwrap().as_of = at(NOW + 60);
    assert_eq!(undecidable(&estate, &later, at(NOW + 60)).len(), 1, "by then it has had its time");
}

#[test]
fn what_held_before_and_after_nobody_looked_has_lasted_and_the_first_samples_end_nothing() {
    // Bad until 10 minutes ago, then nobody looked; of the newest samples one seems well.
    let mut past = vec![Some(0.5); 11];
    past.extend([None; 9]);
    past.extend([Some(0.01), Some(0.5)]);
    let (estate, readings) = paused(answer(0.5, &past));
    let found = of_rule(&estate, &readings, &[], NOW);
    assert_eq!((found[0].starts_at, found[0].state), (at(NOW - 21 * 60), AlertState::Firing));
    let (_, well) = paused(answer(0.01, &past));
    assert_eq!(of_rule(&estate, &well, &found, NOW), found, "a window that is not full ends nothing");
    let (_, gone) = paused(PanelAnswer { now: vec![Sample { labels: instance("b"), value: 0.0 }], ..PanelAnswer::default() });
    assert_eq!(of_rule(&estate, &gone, &found, NOW), found, "nor does a series that is not there yet");
    let mut full = well;
    full[0].held.as_mut().unwrap().as_of = at(NOW + 60);
    assert_eq!(of_rule(&estate, &full, &found, NOW + 60), [], "a full one does");
}

#[test]
fn what_nobody_saw_for_more_than_an_hour_begins_anew() {
    let estate = above();
    let found = of_rule(&estate, &read(answer(0.5, &[Some(0.5); 11]), NOW), &[], NOW);
    let again = |secs: i64| of_rule(&estate, &read(answer(0.5, &[]), NOW + secs), &found, NOW + secs)[0].starts_at;
    assert_eq!(again(3_600), found[0].starts_at);
    assert_eq!(again(3_601), at(NOW + 3_601));
}
