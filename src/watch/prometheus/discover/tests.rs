//! Looking around in servers that are well, hostile, very large, or something else.

use proptest::prelude::*;
use serde_json::json;
use wiremock::matchers::any as every;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

fn data(data: serde_json::Value) -> String {
    json!({"status": "success", "data": data}).to_string()
}

fn targets(sets: &[serde_json::Value]) -> Scraped {
    let active: Vec<_> = sets.iter().map(|labels| json!({ "labels": labels })).collect();
    decode::targets(200, data(json!({ "activeTargets": active })).as_bytes()).unwrap().data
}

/// The answers of a server that scrapes a web service at two sites and a node_exporter.
fn answer(request: &Request) -> ResponseTemplate {
    let matching: String = request.url.query_pairs().find(|(name, _)| name == "match[]").map(|(_, v)| v.into_owned()).unwrap_or_default();
    let value = match (request.url.path(), matching.as_str()) {
        ("/api/v1/targets", _) => json!({"activeTargets": [
            {"labels": {"job": "web", "instance": "a:80", "dc": "fra1", "zone": "x"}},
            {"labels": {"job": "web", "instance": "b:80", "dc": "ams3", "zone": "x"}},
            {"labels": {"job": "node", "instance": "a:9100", "dc": "fra1"}},
            {"labels": {"job": "evil\u{1b}[31m", "instance": "c:80"}},
        ]}),
        ("/api/v1/status/buildinfo", _) => json!({"version": "3.1.0"}),
        ("/api/v1/rules", _) => json!({"groups": [{"name": "g", "rules": [
            {"name": "Watchdog", "query": "vector(1)", "type": "alerting", "state": "firing", "health": "ok"},
            {"name": "Down", "query": "up == 0", "type": "alerting", "state": "inactive"},
            {"name": "job:http_errors:ratio5m", "query": "x", "type": "recording"},
            {"name": "not_levelled", "query": "x", "type": "recording"},
        ]}]}),
        ("/api/v1/alertmanagers", _) => json!({"activeAlertmanagers": [
            {"url": "http://am1:9093/api/v2/alerts"}, {"url": "http://am1:9093/api/v2/alerts"},
            {"url": "http://am2:9093/prefix/api/v2/alerts"}, {"url": "file:///etc/passwd"}, {"url": "http://u:p@am3/api/v2/alerts"},
        ]}),
        ("/api/v1/label/__name__/values", _) => json!([
            "http_requests_total",
            "http_request_duration_seconds_bucket",
            "promhttp_metric_handler_requests_total",
            "node_cpu_seconds_total",
            "rpc client_requests_total"
        ]),
        (
            "/api/v1/label/job/values",
            "http_requests_total" | "http_request_duration_seconds_bucket" | "http_requests_total{status!=\"\"}",
        ) => {
            json!(["web"])
        }
        ("/api/v1/label/job/values", "node_cpu_seconds_total") => json!(["node"]),
        ("/api/v1/label/job/values", _) => json!([]),
        _ => return ResponseTemplate::new(404),
    };
    ResponseTemplate::new(200).set_body_string(data(value))
}

async fn look(respond: impl wiremock::Respond + 'static) -> (Result<Found, Unread>, Vec<String>) {
    let server = MockServer::start().await;
    Mock::given(every()).respond_with(respond).mount(&server).await;
    let mut steps = Vec::new();
    let found = prometheus(&server.uri(), None, &mut |step| steps.push(step.to_owned())).await;
    (found, steps)
}

#[tokio::test]
async fn what_a_server_watches_is_found() {
    let (found, steps) = look(answer).await;
    let found = found.unwrap();
    assert_eq!((found.version.as_deref(), found.targets, found.alerting), (Some("3.1.0"), 4, 2));
    assert_eq!(found.places, Some(Places { label: "dc".into(), values: vec!["ams3".into(), "fra1".into()] }));
    let [node, web] = found.jobs.as_slice() else { panic!("{:?}", found.jobs) };
    assert_eq!((web.name.as_str(), web.targets, web.sites.join(" ").as_str()), ("web", 2, "ams3 fra1"));
    assert_eq!(web.requests, Some(("http_requests_total".into(), Some("status".into()))));
    assert_eq!(web.latency.as_deref(), Some("http_request_duration_seconds"));
    assert_eq!((node.cpu, node.memory, node.requests.is_some(), node.sites.join(" ").as_str()), (true, false, false, "fra1"));
    assert_eq!(found.recording, ["job:http_errors:ratio5m"]);
    assert_eq!(found.watchdog.as_deref(), Some("Watchdog"));
    assert_eq!(found.alertmanagers, ["http://am1:9093", "http://am2:9093/prefix"]);
    assert!(found.notes.iter().any(|note| note.starts_with("1 targets or jobs were left out")), "{:?}", found.notes);
    assert_eq!(steps.len(), 4, "each step is told: {steps:?}");
}

#[tokio::test]
async fn a_server_without_targets_still_has_jobs() {
    let (found, _) = look(|request: &Request| match request.url.path() {
        "/api/v1/label/job/values" => ResponseTemplate::new(200).set_body_string(data(json!(["web", ""]))),
        _ => ResponseTemplate::new(404).set_body_string("404 page not found"),
    })
    .await;
    let found = found.unwrap();
    assert_eq!(found.jobs, [Job { name: "web".into(), ..Job::default() }]);
    assert!(found.notes.iter().any(|note| note.starts_with("it tells no targets (answered 404")), "{:?}", found.notes);
}

#[tokio::test]
async fn what_is_no_prometheus_is_told_as_that() {
    let (found, _) = look(ResponseTemplate::new(200).set_body_string("<html>Sign in</html>")).await;
    assert!(found.unwrap_err().what.contains("HTML page, not as Prometheus would"));
    let (found, _) = look(ResponseTemplate::new(401)).await;
    let refused = found.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Refused);
    assert!(refused.what.contains("http_config"), "{refused}");
}

#[tokio::test]
async fn credentials_go_only_to_alertmanagers_that_a_person_named() {
    let server = MockServer::start().await;
    let status = ResponseTemplate::new(200).set_body_string(r#"{"versionInfo": {"version": "0.28.0"}}"#);
    Mock::given(every()).respond_with(status).mount(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("http.yml");
    std::fs::write(&file, "basic_auth: {username: u, password: hunter2}\n").unwrap();
    for own in [false, true] {
        assert_eq!(alertmanager(&server.uri(), Some(&file), own).await.as_deref(), Ok("0.28.0"));
    }
    let requests = server.received_requests().await.unwrap();
    let with: Vec<bool> = requests.iter().map(|request| request.headers.contains_key("authorization")).collect();
    assert_eq!(with, [false, true]);
}

#[test]
fn very_many_targets_are_counted_and_the_first_ones_looked_at() {
    let many: Vec<_> = (0..TARGETS + 5).map(|n| json!({"job": format!("job-{n}"), "site": format!("s{n}")})).collect();
    let scraped = targets(&many);
    assert_eq!((scraped.targets, scraped.jobs.len()), (TARGETS + 5, TARGETS));
    assert_eq!(scraped.places(), None, "so many values are no sites");
    assert!(scraped.notes()[0].contains("the first 10000"));
}

#[test]
fn sites_are_what_most_targets_agree_on() {
    let of = |sets: &[serde_json::Value]| targets(sets).places().map(|p| format!("{}={}", p.label, p.values.join(",")));
    assert_eq!(
        of(&[json!({"job": "a", "region": "eu", "zone": "1"}), json!({"job": "b", "region": "us", "zone": "2"})]).unwrap(),
        "region=eu,us"
    );
    assert_eq!(
        of(&[json!({"job": "a", "region": "eu", "zone": "1"}), json!({"job": "b", "region": "eu", "zone": "2"})]).unwrap(),
        "zone=1,2"
    );
    assert_eq!(of(&[json!({"job": "a", "region": "eu"}), json!({"job": "b", "region": "eu"})]).unwrap(), "region=eu");
    assert_eq!(of(&[json!({"job": "a", "region": "eu"}), json!({"job": "b"}), json!({"job": "c"})]), None);
    assert_eq!(of(&[]), None);
}

#[test]
fn the_metric_that_tells_most_of_a_service_is_preferred() {
    let names = ["grpc_server_duration_seconds_bucket", "rest_client_requests_total", "api_http_requests_total", "http_requests_total"];
    let (wanted, left_out) = worth_asking(&names.map(str::to_owned));
    assert_eq!(
        wanted,
        ["http_requests_total", "api_http_requests_total", "rest_client_requests_total", "grpc_server_duration_seconds_bucket"]
    );
    assert_eq!(left_out, 0);
    let many: Vec<String> = (0..200).map(|n| format!("s{n}_http_requests_total")).collect();
    let (wanted, left_out) = worth_asking(&many);
    assert_eq!((wanted.len(), left_out), (METRICS, 200 - METRICS));
}

proptest! {
    #[test]
    fn whatever_a_server_says_only_names_that_can_be_shown_are_kept(sets in proptest::collection::vec(("\\PC*|.*", "\\PC*|.*"), 0..20)) {
        let sets: Vec<_> = sets.iter().map(|(job, site)| json!({"job": job, "site": site})).collect();
        let scraped = targets(&sets);
        let sites = scraped.places().map(|places| places.values).unwrap_or_default();
        for name in scraped.jobs.keys().chain(&sites) {
            prop_assert!(!name.trim().is_empty() && !name.chars().any(crate::model::text::is_hostile), "{name:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_stop(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode::targets(200, &bytes);
        let _ = decode::rules(200, &bytes);
        let _ = decode::alertmanagers(200, &bytes);
        let _ = decode::values(200, &bytes);
        let _ = decode::alertmanager_version(&bytes);
    }
}
