//! Real answers of Prometheus 2.42, hostile ones, and whole polls over HTTP.

use std::time::Duration;

use proptest::prelude::*;
use wiremock::matchers::{body_string_contains, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::query::Grid;
use super::*;
use crate::model::alert::AlertState;
use crate::model::metric::{NOW_CAP, SERIES_CAP};
use crate::model::panel::{Ask, Unit};

const ALERTS: &str = include_str!("../../../tests/fixtures/prometheus/alerts.json");
const RULES: &str = include_str!("../../../tests/fixtures/prometheus/rules.json");
const TARGETS: &str = include_str!("../../../tests/fixtures/prometheus/targets.json");
const QUERY: &str = include_str!("../../../tests/fixtures/prometheus/query.json");
const RANGE: &str = include_str!("../../../tests/fixtures/prometheus/query_range.json");
const BUILD: &str = include_str!("../../../tests/fixtures/prometheus/buildinfo.json");
const INFOS: &str = include_str!("../../../tests/fixtures/prometheus/FAKE-query-infos.json");

const GRID: Grid = Grid { start: 1_795_187_773, end: 1_795_187_788, step: 5 };

fn result(kind: &str, result: &str) -> Vec<u8> {
    format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#).into_bytes()
}

#[test]
fn real_answers_are_read() {
    let now = query::now(200, QUERY.as_bytes()).unwrap().data;
    assert_eq!(
        now.samples.iter().map(|s| (s.labels.get("job"), s.value)).collect::<Vec<_>>(),
        [(Some("prometheus"), 1.0), (Some("node"), 0.0)]
    );
    let plot = query::range(200, RANGE.as_bytes(), GRID).unwrap().data;
    assert_eq!((plot.len, plot.step, plot.start.as_second()), (4, 5, GRID.start));
    assert_eq!(plot.series[1].points, [None, None, Some(1.0), Some(0.0)], "gaps are gaps");

    let alerts = alerts::alerts(200, ALERTS.as_bytes(), &"prom".into()).unwrap().data;
    assert_eq!((alerts[0].name(), alerts[0].state), ("NodeDown", AlertState::Undelivered));
    assert!(alerts[0].id.0.starts_with(r#"prom/alertname="NodeDown",instance="127.0.0.1:49100""#));
    let pending = ALERTS.replace("\"firing\"", "\"pending\"");
    assert_eq!(alerts::alerts(200, pending.as_bytes(), &"prom".into()).unwrap().data[0].state, AlertState::Pending);

    let rules = rules::rules(200, RULES.as_bytes()).unwrap().data;
    assert_eq!((rules.alerting, rules.recording, rules.failing.len()), (2, 0, 0));
    let failing = RULES.replacen(r#""health":"ok""#, r#""health":"err","lastError":"many\u001b[1m to many""#, 1);
    assert_eq!(rules::rules(200, failing.as_bytes()).unwrap().data.failing, ["lab/NodeDown: many[1m to many"]);
    assert_eq!(rules::version(200, BUILD.as_bytes()).unwrap().data.as_deref(), Some("2.42.0+ds"));

    let targets = targets::targets(200, TARGETS.as_bytes()).unwrap().data;
    assert_eq!((targets.up, targets.down_count, targets.scrape), (1, 1, Some(SignedDuration::from_secs(1))));
    assert!(targets.down[0].error.ends_with("connection refused"));
}

#[test]
fn every_kind_of_result_is_read_in_any_order() {
    let one = |bytes: &[u8]| query::now(200, bytes).map(|a| a.data.samples.first().map(|s| s.value));
    assert_eq!(one(&result("scalar", r#"[1435781451.781,"7.5"]"#)), Ok(Some(7.5)));
    assert_eq!(one(&result("matrix", r#"[{"metric":{},"values":[[1,"1"],[2,"2"]]}]"#)), Ok(Some(2.0)));
    assert_eq!(one(&result("vector", "[]")), Ok(None));
    assert_eq!(one(&result("vector", "null")), Ok(None));
    assert_eq!(
        one(br#"{"data":{"result":[{"value":[1,"3"],"metric":{"a":"b"}}],"resultType":"vector"},"status":"success"}"#),
        Ok(Some(3.0))
    );
    assert_eq!(one(&result("string", r#"[1435781451.781,"hello"]"#)).unwrap_err().what, "the query gives a text, not numbers");
    for (text, wanted) in [("+Inf", f64::INFINITY), ("-Inf", f64::NEG_INFINITY), ("1e+06", 1e6)] {
        assert_eq!(one(&result("vector", &format!(r#"[{{"metric":{{}},"value":[1,"{text}"]}}]"#))), Ok(Some(wanted)));
    }
    assert!(one(&result("vector", r#"[{"metric":{},"value":[1,"NaN"]}]"#)).unwrap().unwrap().is_nan());
}

#[test]
fn histograms_are_counted_and_break_nothing() {
    let body = r#"[{"metric":{"a":"1"},"histograms":[[1795187783,{"count":"1","sum":"2","buckets":[[0,"1","2","1"]]}]]},
        {"metric":{"a":"2"},"values":[[1795187783,"4"]],"histograms":[[1795187788,{"count":"1","sum":"2"}]]}]"#;
    let plot = query::range(200, &result("matrix", body), GRID).unwrap().data;
    assert_eq!((plot.histograms, plot.series.len(), plot.dropped), (1, 1, 0));
    assert_eq!(plot.series[0].points[2], Some(4.0));
    let now = query::now(200, &result("vector", r#"[{"metric":{},"histogram":[1,{"count":"1","sum":"2"}]}]"#)).unwrap().data;
    assert_eq!((now.samples.len(), now.histograms), (0, 1));
}

#[test]
fn of_fifty_thousand_series_so_many_are_kept_as_are_judged_or_drawn_and_the_rest_is_counted() {
    let series = |value: &str| (0..50_000).map(|i| format!(r#"{{"metric":{{"i":"{i}"}},{value}}}"#)).collect::<Vec<_>>().join(",");
    let now = query::now(200, &result("vector", &format!("[{}]", series(r#""value":[1,"1"]"#)))).unwrap().data;
    assert_eq!((now.samples.len(), now.dropped), (NOW_CAP, 40_000));
    assert_eq!(now.samples[199].labels.get("i"), Some("199"), "the first ones, in Prometheus' order");
    let plot = query::range(200, &result("matrix", &format!("[{}]", series(r#""values":[[1795187783,"1"]]"#))), GRID).unwrap().data;
    assert_eq!((plot.series.len(), plot.dropped), (SERIES_CAP, 49_800));
}

#[test]
fn points_outside_the_grid_or_without_a_sane_time_are_left_out() {
    let body = r#"[{"metric":{},"values":[[0,"1"],[1e300,"2"],[-1e300,"3"],[1795187788.4,"4"],[1795187799,"5"]]}]"#;
    assert_eq!(query::range(200, &result("matrix", body), GRID).unwrap().data.series[0].points, [None, None, None, Some(4.0)]);
}

#[test]
fn errors_warnings_and_infos_are_told() {
    let error = br#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: \u001b[31munexpected"}"#;
    assert_eq!(query::now(400, error).unwrap_err().what, "bad_data: 1:5: parse error: [31munexpected");
    assert_eq!(query::now(503, b"Service Unavailable").unwrap_err().what, "answered 503: Service Unavailable");
    assert!(query::now(200, b"<!doctype html>").unwrap_err().what.contains("HTML page"));
    assert!(query::now(200, &QUERY.as_bytes()[..100]).unwrap_err().what.contains("breaks off"));
    assert!(query::now(200, b"{}").unwrap_err().what.contains("not Prometheus's"));
    assert!(query::now(200, br#"{"status":"success","data":null}"#).is_err());
    let notes = query::now(200, INFOS.as_bytes()).unwrap().notes;
    assert_eq!(notes[0], "results may be incomplete: [31mstore down");
    assert!(notes[1].starts_with("PromQL info"));
}

#[test]
fn the_answer_of_something_else_is_not_taken_for_no_alerts() {
    // An Alertmanager up to 0.26 answers this path with a list.
    for other in [r#"{"status":"success","data":[]}"#, r#"{"status":"success","data":{}}"#, r#"{"status":"success"}"#, "[]"] {
        assert!(alerts::alerts(200, other.as_bytes(), &"prom".into()).is_err(), "{other}");
        assert!(rules::rules(200, other.as_bytes()).is_err() && targets::targets(200, other.as_bytes()).is_err(), "{other}");
    }
    assert!(alerts::alerts(200, br#"{"status":"success","data":{"alerts":null}}"#, &"prom".into()).is_ok());
    let told = |bytes: &[u8]| alerts::alerts(200, bytes, &"prom".into()).unwrap_err().what;
    assert!(told(b"{\"status\":\"success\",\"data\":{\"alerts\":[],\"x\":\"\xe9\"}}").contains("not UTF-8"));
    assert!(told(b"<html><body>Acc\xe8s refus\xe9</body>").contains("HTML page"), "a proxy's page in Latin-1");
}

#[test]
fn the_servers_clock_is_compared_within_the_time_of_the_request() {
    let at = |ms: i64| Timestamp::from_millisecond(1_000_000 + ms).unwrap();
    assert_eq!(ahead(at(0), at(100), at(900)), 0);
    assert_eq!(ahead(at(2_000), at(0), at(3_500)), 0, "a slow answer is no skew");
    assert_eq!(ahead(at(60_000), at(0), at(1_000)), 59);
    assert_eq!(ahead(at(-60_000), at(0), at(1_000)), -60);
}

fn panel(name: &str, query: &str) -> Panel {
    Panel {
        name: name.into(),
        service: None,
        site: None,
        source: "prom".into(),
        ask: Ask::Promql(query.into()),
        unit: Unit::Count,
        warn: None,
        critical: None,
    }
}

fn prometheus(server: &MockServer, panels: &[Panel]) -> Prometheus {
    let source = Source {
        name: "prom".into(),
        every: SignedDuration::from_secs(15),
        timeout: SignedDuration::from_secs(20),
        http_config: None,
        service: None,
        site: None,
        kind: SourceKind::Prometheus { url: server.uri() },
    };
    Prometheus::new(&source, panels).unwrap()
}

fn json(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json")
}

async fn answers(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(path(at)).respond_with(answer).with_priority(9).mount(server).await;
}

async fn server() -> MockServer {
    let server = MockServer::start().await;
    for (at, text) in [
        ("/api/v1/alerts", ALERTS),
        ("/api/v1/rules", RULES),
        ("/api/v1/targets", TARGETS),
        ("/api/v1/status/buildinfo", BUILD),
        ("/api/v1/query", QUERY),
        ("/api/v1/query_range", RANGE),
    ] {
        answers(&server, at, json(text)).await;
    }
    server
}

fn clock() -> Timestamp {
    Timestamp::from_second(GRID.end).unwrap()
}

const DEMAND: Demand = Demand { range: SignedDuration::from_secs(100), points: 100 };

async fn poll(prometheus: &Prometheus, demand: Demand, clock: Clock<'_>) -> Outcome<Answer> {
    prometheus.poll(demand, Instant::now() + Duration::from_secs(30), clock).await
}

async fn answer(prometheus: &Prometheus) -> Arc<PrometheusAnswer> {
    match poll(prometheus, DEMAND, &clock).await {
        Outcome::Value { value: Answer::Prometheus(answer), .. } => answer,
        other => panic!("{other:?}"),
    }
}

async fn count(server: &MockServer, at: &str) -> usize {
    server.received_requests().await.unwrap().iter().filter(|r| r.url.path() == at).count()
}

#[tokio::test]
async fn a_whole_poll_and_what_later_polls_do_not_ask_again() {
    let server = server().await;
    let prometheus = prometheus(&server, &[panel("up", "rate(up[$window])"), Panel { source: "other".into(), ..panel("no", "x") }]);
    let first = answer(&prometheus).await;
    assert_eq!((first.version.as_deref(), first.alerts.len()), (Some("2.42.0+ds"), 1));
    assert_eq!(first.panels.keys().collect::<Vec<_>>(), ["up"]);
    let up = &first.panels["up"];
    assert_eq!((up.now.len(), up.error.as_deref(), up.plot.as_ref().map(|p| (p.step, p.len))), (2, None, Some((1, 101))));
    assert!(first.clock_ahead.is_some());
    let requests = server.received_requests().await.unwrap();
    let asked = requests.iter().find(|r| r.url.path() == "/api/v1/query").unwrap();
    assert!(asked.url.query().unwrap().contains("4s"), "the window holds four scrapes: {}", asked.url);

    for _ in 0..3 {
        assert_eq!(answer(&prometheus).await.rules, first.rules);
    }
    assert_eq!(count(&server, "/api/v1/rules").await, 1, "rules are read at every fourth poll");
    assert_eq!(count(&server, "/api/v1/query_range").await, 1, "the window did not move");
    assert_eq!(count(&server, "/api/v1/query").await, 4);
    assert_eq!(count(&server, "/api/v1/alerts").await, 4);
    answer(&prometheus).await;
    assert_eq!(count(&server, "/api/v1/rules").await, 2);
    poll(&prometheus, Demand { points: 10, ..DEMAND }, &clock).await;
    assert_eq!(count(&server, "/api/v1/query_range").await, 2, "another demand is another plot");
    poll(&prometheus, Demand { points: 10, ..DEMAND }, &|| clock() + SignedDuration::from_secs(20)).await;
    assert_eq!(count(&server, "/api/v1/query_range").await, 3, "the window moved");
}

#[tokio::test]
async fn a_failing_panel_says_so_and_the_others_stay() {
    let server = server().await;
    let error = r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#;
    let broken = ResponseTemplate::new(422).set_body_raw(error, "application/json");
    Mock::given(query_param("query", "bad")).respond_with(broken).with_priority(1).mount(&server).await;
    let answer = answer(&prometheus(&server, &[panel("bad", "bad"), panel("good", "up")])).await;
    assert_eq!(answer.panels["bad"].error.as_deref(), Some("execution: many-to-many"));
    assert_eq!(answer.panels["bad"].plot, None);
    assert_eq!((answer.panels["good"].error.as_deref(), answer.panels["good"].now.len()), (None, 2));
}

#[tokio::test]
async fn a_long_query_goes_by_post() {
    let server = MockServer::start().await;
    for at in ["/api/v1/query", "/api/v1/query_range"] {
        let text = if at.ends_with("range") { RANGE } else { QUERY };
        Mock::given(method("POST"))
            .and(path(at))
            .and(body_string_contains("query=up"))
            .respond_with(json(text))
            .expect(1)
            .mount(&server)
            .await;
    }
    answers(&server, "/api/v1/alerts", json(ALERTS)).await;
    let answer = answer(&prometheus(&server, &[panel("long", &format!("up{}", " or up".repeat(300)))])).await;
    assert_eq!((answer.panels["long"].now.len(), answer.panels["long"].plot.is_some()), (2, true));
}

#[tokio::test]
async fn a_plot_that_is_too_large_says_what_to_do_and_the_value_stays() {
    let server = MockServer::start().await;
    answers(&server, "/api/v1/query", json(QUERY)).await;
    let too_large = ResponseTemplate::new(200).set_body_bytes(vec![b' '; crate::watch::BODY_CAP + 1]);
    answers(&server, "/api/v1/query_range", too_large).await;
    let answer = answer(&prometheus(&server, &[panel("up", "up")])).await;
    let up = &answer.panels["up"];
    assert_eq!((up.error.as_deref(), up.now.len()), (None, 2), "its value is known");
    let note = &up.notes[0];
    assert!(note.starts_with("no plot: ") && note.contains("larger than 32 MiB; let the query give fewer series"), "{note}");
}

#[tokio::test]
async fn parts_that_are_not_there_are_notes_and_not_failures() {
    let server = MockServer::start().await;
    answers(&server, "/api/v1/query", json(QUERY)).await;
    let answer = answer(&prometheus(&server, &[panel("up", "up")])).await;
    assert_eq!((&answer.rules, &answer.targets, &answer.version), (&None, &None, &None));
    assert_eq!(answer.notes.len(), 4, "{:?}", answer.notes);
    let up = &answer.panels["up"];
    assert_eq!((up.error.as_deref(), up.now.len()), (None, 2), "its value is known");
    assert!(up.notes[0].starts_with("no plot: answered 404"), "{:?}", up.notes);
}

#[tokio::test]
async fn what_is_no_prometheus_is_a_failure() {
    let failed = async |server: &MockServer, panels: &[Panel]| match poll(&prometheus(server, panels), DEMAND, &clock).await {
        Outcome::Failed { kind, what, .. } => (kind, what),
        other => panic!("{other:?}"),
    };
    let nothing = MockServer::start().await;
    let (kind, what) = failed(&nothing, &[panel("up", "up")]).await;
    assert!(kind == FailureKind::Unreachable && what.starts_with("answered 404"), "{what}");
    failed(&nothing, &[]).await;

    let starting = MockServer::start().await;
    answers(&starting, "/api/v1/alerts", ResponseTemplate::new(503).set_body_string("Service Unavailable")).await;
    assert_eq!(failed(&starting, &[]).await.1, "answered 503: Service Unavailable");

    let proxy = server().await;
    Mock::given(path("/api/v1/alerts"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("<html>", "text/html"))
        .with_priority(1)
        .mount(&proxy)
        .await;
    assert!(failed(&proxy, &[]).await.1.contains("HTML page"), "no alerts must not look like none firing");

    let refusing = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(401)).mount(&refusing).await;
    assert_eq!(failed(&refusing, &[panel("up", "up")]).await.0, FailureKind::Refused);
}

#[tokio::test]
async fn a_panel_that_takes_too_long_does_not_take_the_poll_with_it() {
    let server = server().await;
    let slow = json(QUERY).set_delay(Duration::from_secs(600));
    Mock::given(query_param("query", "slow")).respond_with(slow).with_priority(1).mount(&server).await;
    let prometheus = prometheus(&server, &[panel("slow", "slow"), panel("up", "up")]);
    let outcome = prometheus.poll(DEMAND, Instant::now() + Duration::from_secs(3), &clock).await;
    let Outcome::Value { value: Answer::Prometheus(answer), .. } = outcome else { panic!("{outcome:?}") };
    assert!(answer.panels["slow"].error.as_deref().unwrap().starts_with("not answered in the time"));
    assert_eq!(answer.panels["up"].now.len(), 2);
}

fn all_decoders(bytes: &[u8]) {
    let clean = |text: &str| !text.chars().any(crate::model::text::is_hostile);
    if let Ok(now) = query::now(200, bytes) {
        assert!(now.data.samples.iter().all(|s| s.labels.iter().all(|(n, v)| clean(n) && clean(v))));
    }
    for status in [200, 422] {
        let _ = (query::range(status, bytes, GRID), alerts::alerts(status, bytes, &"p".into()), rules::rules(status, bytes));
        let _ = (targets::targets(status, bytes), rules::version(status, bytes));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        all_decoders(&bytes);
    }

    #[test]
    fn no_mutation_of_a_real_answer_makes_a_decoder_panic(which in 0usize..7, at in 0usize..1_200, new in any::<u8>(), cut in 0usize..1_200) {
        let mut bytes = [ALERTS, RULES, TARGETS, QUERY, RANGE, BUILD, INFOS][which].as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = new;
        all_decoders(&bytes);
        bytes.truncate(cut);
        all_decoders(&bytes);
    }
}
