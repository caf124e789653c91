//! Hand-made readings in, JSON, table and exit codes out.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::model::alert::{Alert, AlertId, AlertState, Origin, severity_of};
use crate::model::database::{Archiver, BUSY, Database, DatabaseAnswer, Limit, Lsn, Node, NodeAt, Receiver, Said, Slot, Standby};
use crate::model::estate::tests::service as bare_service;
use crate::model::estate::{KEEP, Probe, Role, Service, Site, Source, SourceKind};
use crate::model::label::Labels;
use crate::model::metric::{PanelAnswer, Sample};
use crate::model::panel::{Ask, Panel, Rule, Unit, When};
use crate::model::reading::{FailureKind, Outcome};
use crate::model::silence::{Silence, SilenceMatcher, SilenceState};
use crate::model::source::{
    AlertmanagerAnswer, Certificate, DeadMan, ExpositionAnswer, History, Peer, ProbeAnswer, PrometheusAnswer, Rules, Targets,
};

const EVERY: SignedDuration = SignedDuration::from_secs(15);

fn at(secs: i64) -> Timestamp {
    "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(secs)
}

fn estate() -> Estate {
    let site = |name: &str, role| Site { name: name.into(), role, labels: Labels::new([("site", name)]) };
    let service = |name: &str, sites: &[&str]| Service {
        sites: sites.iter().map(|s| (*s).into()).collect(),
        labels: Labels::new([("job", name)]),
        ..bare_service(name)
    };
    let source =
        |name: &str, kind| Source { name: name.into(), every: EVERY, timeout: EVERY, http_config: None, service: None, site: None, kind };
    let panel = |name: &str, unit| Panel {
        name: name.into(),
        service: Some("web".into()),
        source: "prom".into(),
        site: None,
        ask: Ask::Promql("up".into()),
        unit,
        warn: Some(0.01),
        critical: Some(0.05),
    };
    Estate {
        path: "estate.toml".into(),
        name: "storefront".into(),
        environment: "test".into(),
        zone: None,
        note: None,
        sites: vec![site("fra1", Role::Primary), site("ams3", Role::Standby)],
        services: vec![service("web", &["fra1", "ams3"]), service("mail", &["fra1"])],
        sources: vec![
            source("prom", SourceKind::Prometheus { url: "http://prom:9090".into() }),
            source("alerts", SourceKind::Alertmanager { urls: vec!["http://am1:9093".into(), "http://am2:9093".into()], dead_man: None }),
        ],
        panels: vec![panel("errors", Unit::Ratio), panel("p95", Unit::Seconds), panel("queue", Unit::Count)],
        rules: vec![],
        objectives: vec![],
        hosts: vec![],
        calendar: Default::default(),
    }
}

fn alert(name: &str, severity: &str, state: AlertState) -> Alert {
    let labels = Labels::new([("alertname", name), ("job", "web"), ("severity", severity), ("site", "fra1")]);
    Alert {
        id: AlertId(format!("alerts/{name}").into()),
        source: "alerts".into(),
        origin: Origin::Alertmanager,
        fingerprint: name.into(),
        severity: severity_of(&labels),
        labels,
        annotations: Labels::new([("summary", "it is down"), ("runbook_url", "https://runbooks/down")]),
        state,
        starts_at: at(-300),
        updated_at: Some(at(-5)),
        silenced_by: vec![],
        inhibited_by: vec![],
        muted_by: vec![],
        receivers: vec!["ops".into()],
        generator_url: Some("http://prom:9090/graph".into()),
        seen_by: vec![0],
    }
}

fn prometheus() -> PrometheusAnswer {
    let value = |value: f64| PanelAnswer { now: vec![Sample { labels: Labels::default(), value }], ..PanelAnswer::default() };
    let failed = PanelAnswer { error: Some("parse error".into()), notes: vec!["a note".into()], ..PanelAnswer::default() };
    PrometheusAnswer {
        version: Some("3.0.0".into()),
        rules: Some(Rules { alerting: 3, recording: 1, failing: vec![] }),
        targets: Some(Targets { up: 4, ..Targets::default() }),
        panels: [("errors".into(), value(0.0213)), ("p95".into(), value(f64::NAN)), ("queue".into(), failed)].into(),
        clock_ahead: Some(0),
        ..PrometheusAnswer::default()
    }
}

fn alertmanager(alerts: Vec<Alert>) -> AlertmanagerAnswer {
    let peer = |url: &str, error: Option<&str>| Peer {
        url: url.into(),
        version: error.is_none().then(|| "0.28.0".into()),
        cluster: error.is_none().then(|| "ready".into()),
        error: error.map(str::to_owned),
        as_of: error.is_none().then(|| at(-2)),
        clock_ahead: error.is_none().then_some(0),
    };
    AlertmanagerAnswer {
        peers: vec![peer("http://am1:9093", None), peer("http://am2:9093", Some("connection refused"))],
        alerts: alerts.into_iter().map(Arc::new).collect(),
        silences: vec![Silence {
            id: "s1".into(),
            state: SilenceState::Active,
            matchers: vec![SilenceMatcher { name: "alertname".into(), value: "Slow".into(), is_regex: false, is_equal: true }],
            starts_at: at(-600),
            ends_at: at(7_200),
            created_by: "ann".into(),
            comment: "INC-7".into(),
            seen_by: vec![0],
        }],
        receivers: vec!["ops".into()],
        dead_man: Some(DeadMan { labels: Labels::new([("alertname", "Watchdog")]), firing: true }),
        ..AlertmanagerAnswer::default()
    }
}

fn reading(outcome: Option<Outcome<Answer>>) -> Reading<Answer> {
    let mut reading = Reading::never(EVERY);
    if let Some(outcome) = outcome {
        reading.take(outcome, None);
    }
    reading
}

fn value(value: Answer, secs: i64) -> Reading<Answer> {
    reading(Some(Outcome::Value { value, as_of: at(secs) }))
}

fn full() -> Vec<Reading<Answer>> {
    let mut silenced = alert("Slow", "warning", AlertState::Silenced);
    silenced.silenced_by = vec!["s1".into()];
    let answer = alertmanager(vec![alert("Down", "critical", AlertState::Firing), silenced]);
    vec![value(Answer::Prometheus(Arc::new(prometheus())), -1), value(Answer::Alertmanager(Arc::new(answer)), -2)]
}

/// The estate without a server: a page, whose rule finds something, and a probe that fails.
fn alone() -> (Estate, Vec<Reading<Answer>>) {
    let mut estate = estate();
    let probe = Probe::Tls { address: "shop:443".into() };
    estate.sources[0].kind = SourceKind::Exposition { url: "http://web:8000/metrics".into(), keep: KEEP };
    estate.sources[1].kind = SourceKind::Probe { probe, keep: KEEP };
    for source in &mut estate.sources {
        (source.service, source.site) = (Some("web".into()), Some("fra1".into()));
    }
    estate.panels.truncate(1);
    (estate.panels[0].warn, estate.panels[0].critical) = (None, None);
    let when = When::Above(0.02);
    let rule =
        Rule { name: "too many errors".into(), panel: "errors".into(), when, holds: SignedDuration::ZERO, severity: Severity::Warning };
    estate.rules.push(rule);
    let history = History { since: Some(at(-3_600)), samples: 720, bytes: 11_520, pauses: vec![] };
    let page = ExpositionAnswer {
        format: "OpenMetrics 1.0.0".into(),
        bytes: 5_000,
        took: 0.01,
        series: 3,
        history: history.clone(),
        panels: [("errors".into(), prometheus().panels["errors"].clone())].into(),
        clock_ahead: Some(0),
        ..ExpositionAnswer::default()
    };
    let certificate = Certificate {
        subject: "CN=shop".into(),
        names: vec!["shop".into()],
        issuer: "CN=lab".into(),
        not_before: at(-90 * 86_400),
        not_after: at(-86_400),
        untrusted: Some("it has expired".into()),
        name_matches: true,
    };
    let probe = ProbeAnswer {
        why: Some("certificate expired".into()),
        since: Some(at(-60)),
        took: 0.02,
        certificate: Some(certificate),
        history,
        ..ProbeAnswer::default()
    };
    (estate, vec![value(Answer::Exposition(Arc::new(page)), -1), value(Answer::Probe(Arc::new(probe)), -2)])
}

/// A primary with a standby that lags, and a node that is gone.
fn replicated() -> (Estate, Vec<Reading<Answer>>) {
    let mut estate = estate();
    let node = |name: &str| NodeAt { name: name.into(), conninfo: format!("host={name}") };
    estate.sources.truncate(1);
    estate.sources[0].kind = SourceKind::Database(Database {
        nodes: vec![node("db1"), node("db2"), node("db3")],
        warn: Limit::Bytes(4_096),
        critical: None,
        slot_limit: 1 << 30,
        busy: BUSY,
    });
    estate.sources[0].service = Some("web".into());
    estate.panels.clear();
    let primary = Said {
        version: "15.8".into(),
        timeline: Some(1),
        written: Some(Lsn(0x5000)),
        standbys: vec![Standby { name: "n2".into(), state: Some("streaming".into()), replay_lag: Some(1.5), ..Standby::default() }],
        slots: vec![Slot { name: "s2".into(), active: true, retained: Some(4_096), ..Slot::default() }],
        archiver: Some(Archiver { archived: 3, last_archived_at: Some(at(-30)), ..Archiver::default() }),
        sizes: vec![("shop".into(), Some(1 << 30))],
        ..Said::default()
    };
    let receiver = Receiver { status: Some("streaming".into()), receipt_age: Some(0.5), ..Receiver::default() };
    let standby = Said {
        in_recovery: true,
        timeline: Some(1),
        received: Some(Lsn(0x4000)),
        replayed: Some(Lsn(0x3000)),
        newest_commit: Some(at(-9)),
        receiver: Some(receiver),
        ..Said::default()
    };
    let node = |name: &str, said| Node { name: name.into(), said, ..Node::default() };
    let mut nodes = vec![node("db1", Some(primary)), node("db2", Some(standby)), node("db3", None)];
    nodes[2].error = Some("db3: connection refused".into());
    (estate, vec![value(Answer::Database(Arc::new(DatabaseAnswer { nodes, last_primary: None })), -1)])
}

#[test]
fn a_database_is_told_node_by_node_and_makes_its_service_worse() {
    let (estate, readings) = replicated();
    let report = Report::of(&estate, &readings, &Made::default(), at(0));
    assert_eq!(exit(report.verdict()), WARNING);
    let told = serde_json::to_value(json::status(&report)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&told["sources"][0]["database"]).unwrap());
    let mut table = Vec::new();
    table::write(&report, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    let databases: Vec<&str> = table.split("\n\n").filter(|section| section.starts_with("databases")).collect();
    insta::assert_snapshot!("databases_as_a_table", databases.concat());
    let web = told["services"].as_array().unwrap().iter().find(|service| service["name"] == "web").unwrap().clone();
    assert_eq!((&web["state"], &web["worst"]), (&"warning".into(), &"database node gone".into()));
    let mut out = Vec::new();
    table::write(&report, &mut out).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(table.contains("standby lags"), "{table}");
}

#[test]
fn a_judged_figure_that_is_nan_makes_its_service_unknown_in_every_form() {
    let mut estate = estate();
    estate.panels.truncate(1);
    let mut answer = prometheus();
    answer.panels.get_mut("errors").unwrap().now[0].value = f64::NAN;
    let quiet = AlertmanagerAnswer { peers: vec![], silences: vec![], ..alertmanager(vec![]) };
    let readings = vec![value(Answer::Prometheus(Arc::new(answer)), -1), value(Answer::Alertmanager(Arc::new(quiet)), -2)];
    let report = Report::of(&estate, &readings, &Made::default(), at(0));
    assert_eq!(exit(report.verdict()), UNKNOWN);
    let told = serde_json::to_value(json::status(&report)).unwrap();
    let states: Vec<_> = told["services"].as_array().unwrap().iter().map(|of| (of["state"].clone(), of["worst"].clone())).collect();
    assert_eq!(states, [("unknown".into(), "errors".into()), ("ok".into(), serde_json::Value::Null)], "mail has no such figure");
    assert_eq!(told["state"], "unknown");
    let mut out = Vec::new();
    table::write(&report, &mut out).unwrap();
    let table = String::from_utf8(out).unwrap();
    let web = |line: &&str| line.split_whitespace().any(|word| word == "web");
    let row = table.split("\n\n").find(|section| section.starts_with("services")).and_then(|of| of.lines().find(web)).unwrap_or_default();
    assert!(row.contains("unknown") && row.contains("errors"), "{table}");
}

#[test]
fn an_estate_without_a_server_has_sources_findings_and_health() {
    let (estate, readings) = alone();
    let report = Report::of(&estate, &readings, &Made::default(), at(0));
    assert_eq!(exit(report.verdict()), CRITICAL);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::status(&report)).unwrap());
    let mut out = Vec::new();
    table::write(&report, &mut out).unwrap();
    insta::assert_snapshot!("an_estate_without_a_server_as_a_table", String::from_utf8(out).unwrap());
}

#[test]
fn the_json_is_the_documented_shape() {
    let (estate, readings) = (estate(), full());
    let report = Report::of(&estate, &readings, &Made::default(), at(0));
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::status(&report)).unwrap());
}

#[test]
fn every_key_is_there_where_nothing_was_read_and_every_key_is_documented() {
    let (estate, full) = (estate(), full());
    let never = [reading(None), reading(None)];
    let document = include_str!("../../../docs/status-json.md");
    let as_json =
        |readings: &[Reading<Answer>]| serde_json::to_value(json::status(&Report::of(&estate, readings, &Made::default(), at(0)))).unwrap();
    let (full, never) = (as_json(&full), as_json(&never));
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&full), keys(&never));
    for list in ["sources", "services", "panels"] {
        assert_eq!(keys(&full[list][0]), keys(&never[list][0]), "{list}");
    }
    let mut all = keys(&full);
    for list in ["sources", "services", "alerts", "needs", "panels", "silences"] {
        all.extend(keys(&full[list][0]));
    }
    all.extend(keys(&full["sources"][0]["prometheus"]).into_iter().chain(keys(&full["sources"][1]["alertmanager"])));
    all.extend(keys(&full["sources"][1]["alertmanager"]["peers"][0]).into_iter().chain(keys(&full["silences"][0]["matchers"][0])));
    let (estate, readings) = alone();
    let alone = serde_json::to_value(json::status(&Report::of(&estate, &readings, &Made::default(), at(0)))).unwrap();
    let (page, probe) = (&alone["sources"][0]["exposition"], &alone["sources"][1]["probe"]);
    all.extend(keys(page).into_iter().chain(keys(probe)).chain(keys(&probe["certificate"])));
    let (estate, readings) = replicated();
    let replicated = serde_json::to_value(json::status(&Report::of(&estate, &readings, &Made::default(), at(0)))).unwrap();
    let database = &replicated["sources"][0]["database"];
    let node = &database["nodes"][0];
    all.extend(keys(database).into_iter().chain(keys(node)).chain(keys(&node["archiver"])));
    for list in ["standbys", "slots", "databases"] {
        all.extend(keys(&node[list][0]));
    }
    assert_eq!(keys(node), keys(&database["nodes"][2]), "a node that is gone has every key");
    let one = crate::model::deployment::Deployment::new("web", at(0), crate::model::deployment::Dated::Record, "log");
    let history = crate::model::source::HistoryAnswer { deployments: vec![Arc::new(one)], ..Default::default() };
    let told = as_json(&[value(Answer::History(Arc::new(history)), -1), reading(None)]);
    assert_eq!((&told["deployments"][0]["service"], &told["deployments_total"]), (&serde_json::json!("web"), &serde_json::json!(1)));
    all.extend(keys(&told["deployments"][0]).into_iter().chain(keys(&told["sources"][0]["history"])));
    all.extend(keys(&measured()["dora"][0]));
    for key in all {
        assert!(document.contains(&format!("`{key}`")), "docs/status-json.md does not tell of `{key}`");
    }
}

/// A history of two deployments of one service.
fn measured() -> serde_json::Value {
    use crate::model::deployment::{Dated, Deployment, Ending};
    let mut estate = estate();
    estate.panels.clear();
    estate.sources.truncate(1);
    estate.sources[0].kind = SourceKind::History(crate::model::estate::History::Releases {
        path: "r".into(),
        hosts: vec![],
        log: None,
        fields: Default::default(),
        config: vec![],
    });
    let of = |days: i64| {
        let one = Deployment::new("web", at(-86_400 * days), Dated::Record, "prom");
        Arc::new(Deployment { to: Some(days.to_string()), result: Some(Ending::Succeeded), first_commit: Some(at(-86_400 * 60)), ..one })
    };
    let history = crate::model::source::HistoryAnswer { deployments: vec![of(2), of(20)], ..Default::default() };
    let readings = [value(Answer::History(Arc::new(history)), -1)];
    serde_json::to_value(json::status(&Report::of(&estate, &readings, &Made::default(), at(0)))).unwrap()
}

#[test]
fn doras_measures_are_told_for_three_windows_of_all_and_of_each_service() {
    let told = measured();
    let rows: Vec<String> =
        told["dora"].as_array().unwrap().iter().map(|row| format!("{} {} {}", row["days"], row["service"], row["deployments"])).collect();
    assert_eq!(rows, ["7 null 1", "7 \"web\" 1", "28 null 2", "28 \"web\" 2", "90 null 2", "90 \"web\" 2"]);
    let of = &told["dora"][3];
    assert_eq!((&of["judged"], &of["failed"], &of["lead_n"]), (&serde_json::json!(2), &serde_json::json!(0), &serde_json::json!(2)));
    assert_eq!(of["lead_p50_seconds"], serde_json::json!(86_400.0 * 49.0));
    assert_eq!(of["recovery_p50_seconds"], serde_json::Value::Null);
}

#[test]
fn what_is_left_out_of_the_deployments_is_told_and_the_index_tells_all() {
    use crate::model::deployment::{Dated, Deployment};
    let mut estate = estate();
    estate.sources.truncate(1);
    estate.sources[0].kind = SourceKind::History(crate::model::estate::History::DeployLog { path: "l".into(), fields: Default::default() });
    estate.panels.clear();
    let of = |days: i64| {
        let one = Deployment::new("web", at(-86_400 * days), Dated::Record, "prom");
        Arc::new(Deployment { to: Some(days.to_string()), result: Some(crate::model::deployment::Ending::Succeeded), ..one })
    };
    let history = crate::model::source::HistoryAnswer { deployments: vec![of(2), of(10)], dropped: 7, ..Default::default() };
    let readings = [value(Answer::History(Arc::new(history)), -1)];
    let mut report = Report::of(&estate, &readings, &Made::default(), at(0));
    let told = serde_json::to_value(json::status(&report)).unwrap();
    assert_eq!((&told["deployments_total"], &told["deployments_left_out"]), (&2.into(), &7.into()));
    let whole = |told: &serde_json::Value| -> Vec<String> {
        let rows = told["dora"].as_array().unwrap().iter().filter(|row| row["service"].is_null());
        rows.map(|row| format!("{} {} {}", row["days"], row["whole"], row["deployments"])).collect()
    };
    assert_eq!(whole(&told), ["7 true 1", "28 false 2", "90 false 2"], "what is known reaches ten days back");
    report.indexed = Some(Indexed { total: 9, measured: vec![of(2), of(10), of(12), of(30)], more: false });
    let told = serde_json::to_value(json::status(&report)).unwrap();
    assert_eq!((&told["deployments_total"], &told["deployments_left_out"]), (&9.into(), &0.into()));
    assert_eq!(whole(&told), ["7 true 1", "28 true 3", "90 true 4"]);
}

#[test]
fn the_table_tells_needs_services_sources_and_panels() {
    let (estate, readings) = (estate(), full());
    let mut out = Vec::new();
    table::write(&Report::of(&estate, &readings, &Made::default(), at(0)), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn nothing_is_said_to_be_well_before_anything_was_read() {
    let (estate, never) = (estate(), [reading(None), reading(None)]);
    let mut out = Vec::new();
    table::write(&Report::of(&estate, &never, &Made::default(), at(0)), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("storefront test: unknown") && text.contains("nothing known"), "{text}");
    assert!(!text.contains("ok"), "{text}");
}

#[test]
fn the_exit_code_is_the_worst_of_services_needs_and_sources() {
    let mut estate = estate();
    estate.panels.clear();
    let prom = |secs| value(Answer::Prometheus(Arc::new(prometheus())), secs);
    let alerts = |alerts: Vec<Alert>, secs| {
        let mut answer = alertmanager(alerts);
        answer.peers.truncate(1);
        value(Answer::Alertmanager(Arc::new(answer)), secs)
    };
    let failed = |kind| reading(Some(Outcome::Failed { kind, what: "no".into(), at: at(-1) }));
    let (warning, critical) = (alert("Slow", "warning", AlertState::Firing), alert("Down", "critical", AlertState::Firing));
    let info = alert("Note", "info", AlertState::Firing);
    let muted = alert("Down", "critical", AlertState::Silenced);
    let mut stranger = alert("Odd", "critical", AlertState::Firing);
    stranger.labels = Labels::new([("alertname", "Odd"), ("job", "nobody's")]);
    let table = [
        ("all is well", vec![prom(-1), alerts(vec![], -1)], 0),
        ("worth knowing only", vec![prom(-1), alerts(vec![info], -1)], 0),
        ("critical but muted", vec![prom(-1), alerts(vec![muted], -1)], 0),
        ("a warning", vec![prom(-1), alerts(vec![warning.clone()], -1)], 1),
        ("critical beats warning", vec![prom(-1), alerts(vec![warning.clone(), critical.clone()], -1)], 2),
        ("critical of no service", vec![prom(-1), alerts(vec![stranger], -1)], 2),
        ("nothing was read", vec![reading(None), reading(None)], 3),
        ("one source was never read", vec![prom(-1), reading(None)], 3),
        ("one source is stale", vec![prom(-1), alerts(vec![], -500)], 3),
        ("warning beats unknown", vec![reading(None), alerts(vec![warning], -1)], 1),
        ("critical beats unknown", vec![reading(None), alerts(vec![critical.clone()], -1)], 2),
        ("critical of a stale source", vec![prom(-1), alerts(vec![critical], -500)], 2),
        ("unreachable", vec![prom(-1), failed(FailureKind::Unreachable)], 1),
        ("refused", vec![failed(FailureKind::Refused), alerts(vec![], -1)], 1),
    ];
    for (name, readings, code) in table {
        assert_eq!(exit(Report::of(&estate, &readings, &Made::default(), at(0)).verdict()), code, "{name}");
    }
}
