//! Real answers of Alertmanager 0.25, hostile ones, and peers that differ.

use std::time::Duration;

use jiff::SignedDuration;
use proptest::prelude::*;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::model::alert::{Alert, AlertState};
use crate::model::silence::SilenceState;

const ALERTS: &str = include_str!("../../../tests/fixtures/alertmanager/alerts.json");
const GROUPS: &str = include_str!("../../../tests/fixtures/alertmanager/alerts-groups.json");
const MUTED: &str = include_str!("../../../tests/fixtures/alertmanager/FAKE-alerts-groups-muted.json");
const SILENCES: &str = include_str!("../../../tests/fixtures/alertmanager/silences.json");
const STATUS: &str = include_str!("../../../tests/fixtures/alertmanager/status.json");
const RECEIVERS: &str = include_str!("../../../tests/fixtures/alertmanager/receivers.json");

fn now() -> Timestamp {
    "2026-11-20T15:17:00Z".parse().unwrap()
}

fn view(alerts: &str, groups: &str, silences: &str) -> PeerView {
    PeerView {
        alerts: decode::alerts(alerts.as_bytes(), &"am".into()).unwrap(),
        groups: Ok(decode::groups(groups.as_bytes()).unwrap()),
        silences: decode::silences(silences.as_bytes()).unwrap(),
        status: Ok(decode::status(STATUS.as_bytes()).unwrap()),
        receivers: Ok(decode::receivers(RECEIVERS.as_bytes()).unwrap()),
        as_of: now(),
        clock_ahead: Some(0),
    }
}

fn merged(views: Vec<PeerView>) -> AlertmanagerAnswer {
    let views = views.into_iter().enumerate().map(|(i, v)| (format!("http://am{}:9093", i + 1), Ok(v))).collect();
    conclude(views, None, now()).unwrap()
}

fn raw(name: &str, status: &str) -> String {
    format!(
        r#"{{"fingerprint":"f-{name}","labels":{{"alertname":"{name}"}},"annotations":{{}},"startsAt":"2026-11-20T15:16:27.384Z","status":{status}}}"#
    )
}

const ACTIVE: &str = r#"{"state":"active","silencedBy":[],"inhibitedBy":null}"#;

#[test]
fn a_real_answer_is_read_whole() {
    let answer = merged(vec![view(ALERTS, GROUPS, SILENCES)]);
    let alert = &answer.alerts[0];
    assert_eq!((alert.name(), alert.state, &*alert.id.0), ("NodeDown", AlertState::Silenced, "am/d73c5997463c02af"));
    assert_eq!(alert.runbook(), Some("http://127.0.0.1/rb/node-down"));
    assert_eq!(&*alert.receivers[0], "hook");
    assert_eq!(alert.generator_url.as_deref(), Some("http://vm:49090/graph?g0.expr=up%7Bjob%3D%22node%22%7D+%3D%3D+0&g0.tab=1"));
    assert_eq!(answer.silences[0].matchers[0].to_string(), "alertname=\"NodeDown\"");
    assert_eq!(answer.groups[0].alerts, [alert.fingerprint.clone()]);
    assert_eq!(answer.receivers, ["hook"]);
    let peer = &answer.peers[0];
    assert_eq!((peer.version.as_deref(), peer.cluster.as_deref(), peer.as_of), (Some("0.25.0"), Some("disabled"), Some(now())));
    assert_eq!(answer.disagreements, [""; 0]);
    assert_eq!(answer.dead_man, None);
}

#[test]
fn every_state_is_told_by_what_causes_it() {
    let state = |status: &str| decode::alerts(format!("[{}]", raw("A", status)).as_bytes(), &"am".into()).unwrap().entries[0].state;
    assert_eq!(state(ACTIVE), AlertState::Firing);
    assert_eq!(state(r#"{"state":"unprocessed"}"#), AlertState::Unprocessed);
    assert_eq!(state(r#"{"state":"suppressed","silencedBy":["s"],"inhibitedBy":["i"]}"#), AlertState::Silenced);
    assert_eq!(state(r#"{"state":"suppressed","inhibitedBy":["i"]}"#), AlertState::Inhibited);
    assert_eq!(state(r#"{"state":"new in some version"}"#), AlertState::Firing);
}

#[test]
fn a_time_interval_mutes_only_where_every_group_of_the_alert_is_muted() {
    let active = ALERTS.replace(r#"["2b614108-3973-457e-994b-50e6c3c79695"]"#, "[]");
    let answer = merged(vec![view(&active, MUTED, "[]")]);
    assert_eq!((answer.alerts[0].state, &*answer.alerts[0].muted_by[0]), (AlertState::Muted, "nights"));
    let both = format!("{},{}", &MUTED[..MUTED.len() - 1], &GROUPS.trim()[1..]);
    let answer = merged(vec![view(&active, &both, "[]")]);
    assert_eq!((answer.alerts[0].state, answer.groups.len()), (AlertState::Firing, 2));
}

#[test]
fn an_alert_of_two_peers_is_one_and_a_louder_state_wins_and_is_told() {
    let quiet = view(ALERTS, GROUPS, SILENCES);
    let loud = view(&ALERTS.replace(r#"["2b614108-3973-457e-994b-50e6c3c79695"]"#, "[]"), GROUPS, "[]");
    let answer = merged(vec![quiet, loud]);
    assert_eq!(answer.alerts.len(), 1);
    assert_eq!((answer.alerts[0].state, answer.alerts[0].seen_by.as_slice()), (AlertState::Firing, &[0, 1][..]));
    assert_eq!(
        answer.disagreements,
        [
            "am2:9093 lacks 1 silence that another peer has: 2b614108 \"INC-1\"",
            "peers differ about the state of 1 alert, the louder is shown: NodeDown (silenced at am1:9093, firing at am2:9093)",
        ]
    );
}

#[test]
fn what_a_peer_lacks_is_counted_and_five_are_named() {
    let many: Vec<String> = (0..8).map(|i| raw(&format!("A{i}"), ACTIVE)).collect();
    let answer = merged(vec![view("[]", "[]", "[]"), view(&format!("[{}]", many.join(",")), "[]", "[]")]);
    assert_eq!(answer.alerts.len(), 8);
    assert_eq!(answer.disagreements, ["am1:9093 lacks 8 alerts that another peer has: A0, A1, A2, A3, A4, ..."]);
}

#[test]
fn one_peer_down_is_still_a_value_and_none_is_a_failure_that_names_each() {
    let fault = |kind, what: &str| Fault { kind, absent: false, what: what.to_owned() };
    let views = vec![
        ("http://u:pw@am1:9093".to_owned(), Err(fault(FailureKind::Refused, "401"))),
        ("http://am2:9093".to_owned(), Ok(view(ALERTS, GROUPS, SILENCES))),
    ];
    let answer = conclude(views, None, now()).unwrap();
    assert_eq!(answer.peers[0].error.as_deref(), Some("401"));
    assert_eq!((answer.peers[0].url.as_str(), answer.alerts[0].seen_by.as_slice()), ("http://am1:9093", &[1][..]));
    assert_eq!(answer.disagreements, [""; 0], "a peer that did not answer does not disagree");

    let none = |second| {
        let views = vec![
            ("http://am1:9093".to_owned(), Err(fault(FailureKind::Refused, "401"))),
            ("http://am2:9093".to_owned(), Err(fault(second, "no"))),
        ];
        conclude(views, None, now()).unwrap_err()
    };
    let failure = none(FailureKind::Unreachable);
    assert_eq!((failure.kind, failure.what.as_str()), (FailureKind::Unreachable, "am1:9093: 401; am2:9093: no"));
    assert_eq!(none(FailureKind::Refused).kind, FailureKind::Refused);
}

#[test]
fn a_bad_time_loses_one_alert_and_is_told() {
    let bad = raw("Bad", ACTIVE).replace("2026-11-20T15", "2026-11-20Z99");
    let answer = merged(vec![view(&format!("[{bad},{}]", raw("Good", ACTIVE)), "[]", "[]")]);
    assert_eq!(answer.alerts.len(), 1);
    assert_eq!(answer.disagreements, ["am1:9093: 1 alert without a time that can be read left out"]);
}

#[test]
fn silences_a_missing_is_equal_means_true_and_old_expired_ones_go() {
    let old = SILENCES.replace(r#""isEqual":true,"#, "");
    assert!(decode::silences(old.as_bytes()).unwrap().entries[0].matchers[0].is_equal);
    let expired = SILENCES.replace("\"active\"", "\"expired\"");
    let at = |now: Timestamp| {
        conclude(vec![("am".into(), Ok(view("[]", "[]", &expired)))], None, now)
            .unwrap()
            .silences
            .iter()
            .map(|s| s.state)
            .collect::<Vec<_>>()
    };
    assert_eq!(at(now() + SignedDuration::from_hours(23)), [SilenceState::Expired]);
    assert_eq!(at(now() + SignedDuration::from_hours(25)), []);
}

#[test]
fn the_dead_man_fires_while_an_alert_with_its_labels_is_there() {
    let labels = Labels::new([("alertname", "Watchdog")]);
    let firing = |alerts: &str| {
        let views = vec![("am".to_owned(), Ok(view(alerts, "[]", "[]")))];
        conclude(views, Some(&labels), now()).unwrap().dead_man.unwrap().firing
    };
    assert!(firing(&format!("[{}]", raw("Watchdog", ACTIVE))));
    assert!(!firing(ALERTS));
}

#[test]
fn hostile_text_is_harmless() {
    let nasty = format!(
        r#"[{{"fingerprint":"f\u001b[2J","labels":{{"alertname":"A\u202eB\u001b]0;x\u0007","l":"{}"}},"annotations":{{"summary":"{}"}},"startsAt":"2026-11-20T15:16:27Z","receivers":[{{"name":"r\u0000"}}],"status":{{"silencedBy":["i\u001b"]}}}}]"#,
        "x".repeat(5_000),
        "y".repeat(1 << 20)
    );
    let silences = SILENCES.replace("INC-1", "INC\\u001b[31m").replace("\"console\"", "\"me\\u202e\"");
    let answer = merged(vec![view(&nasty, "[]", &silences)]);
    let alert = &answer.alerts[0];
    assert_eq!((alert.name(), &*alert.fingerprint, &*alert.receivers[0]), ("AB]0;x", "f[2J", "r"));
    assert!(alert.summary().len() <= NOTE_CAP + 3);
    assert!(alert.labels.get("l").unwrap().len() < 1_100);
    assert_eq!((answer.silences[0].comment.as_str(), answer.silences[0].created_by.as_str()), ("INC[31m", "me"));
    let text = serde_json::to_string(&answer).unwrap();
    assert!(!text.contains("\\u001b") && !text.contains('\u{202e}') && !text.contains("\\u0000"));
}

#[test]
fn ten_thousand_alerts_of_two_peers_are_merged_once_each() {
    let alert = |i: usize| raw(&format!("A{i}"), ACTIVE);
    let all = format!("[{}]", (0..10_000).map(alert).collect::<Vec<_>>().join(","));
    let answer = merged(vec![view(&all, "[]", "[]"), view(&all, "[]", "[]")]);
    assert_eq!(answer.alerts.len(), 10_000);
    assert!(answer.alerts.iter().all(|a| a.seen_by == [0, 1]));
    assert_eq!(answer.disagreements, [""; 0]);
}

async fn peer(alerts: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let json = |text: &str| ResponseTemplate::new(200).set_body_raw(text, "application/json");
    for (at, answer) in [
        ("/api/v2/alerts", alerts),
        ("/api/v2/alerts/groups", json(GROUPS)),
        ("/api/v2/silences", json(SILENCES)),
        ("/api/v2/status", json(STATUS)),
        ("/api/v2/receivers", ResponseTemplate::new(503).set_body_string("too many concurrent requests\x1b[0m")),
    ] {
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    server
}

fn source(urls: Vec<String>) -> Source {
    Source {
        name: "am".into(),
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(5),
        http_config: None,
        service: None,
        site: None,
        kind: SourceKind::Alertmanager { urls, dead_man: None },
    }
}

async fn polled(urls: Vec<String>) -> Outcome<Answer> {
    Alertmanager::new(&source(urls)).unwrap().poll(&now).await
}

#[tokio::test]
async fn over_http_one_peer_behind_a_login_page_leaves_the_others() {
    let good = peer(ResponseTemplate::new(200).set_body_raw(ALERTS, "application/json")).await;
    let proxied = peer(ResponseTemplate::new(200).set_body_raw("<html>sign in", "text/html")).await;
    let outcome = polled(vec![proxied.uri(), good.uri()]).await;
    let Outcome::Value { value: Answer::Alertmanager(answer), as_of } = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.alerts.len(), as_of), (1, now()));
    assert!(answer.peers[0].error.as_deref().unwrap().contains("HTML page"));
    let told = &answer.disagreements[0];
    assert!(told.ends_with("did not tell its receivers: answered 503: too many concurrent requests[0m"), "{told}");
}

#[tokio::test]
async fn over_http_none_that_answers_is_a_failure() {
    let half = peer(ResponseTemplate::new(200).set_body_raw(&ALERTS[..90], "application/json")).await;
    let wrong = MockServer::start().await;
    let outcome = polled(vec![half.uri(), wrong.uri()]).await;
    let Outcome::Failed { kind: FailureKind::Unreachable, what, .. } = outcome else { panic!("{outcome:?}") };
    assert!(what.contains("breaks off after 90 bytes") && what.contains("answered 404"), "{what}");
    let refusing = peer(ResponseTemplate::new(401)).await;
    let outcome = polled(vec![refusing.uri()]).await;
    assert!(matches!(outcome, Outcome::Failed { kind: FailureKind::Refused, .. }), "{outcome:?}");
}

#[tokio::test]
async fn over_http_the_deadline_of_a_request_holds() {
    let slow = peer(ResponseTemplate::new(200).set_delay(Duration::from_secs(600))).await;
    let mut source = source(vec![slow.uri()]);
    source.timeout = SignedDuration::from_millis(50);
    let outcome = Alertmanager::new(&source).unwrap().poll(&now).await;
    assert!(matches!(outcome, Outcome::Failed { kind: FailureKind::Unreachable, .. }), "{outcome:?}");
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        all_decoders(&bytes);
    }

    #[test]
    fn no_mutation_of_a_real_answer_makes_a_decoder_panic(which in 0usize..6, at in 0usize..700, new in any::<u8>(), cut in 0usize..700) {
        let mut bytes = [ALERTS, GROUPS, MUTED, SILENCES, STATUS, RECEIVERS][which].as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = new;
        all_decoders(&bytes);
        bytes.truncate(cut);
        all_decoders(&bytes);
    }
}

fn all_decoders(bytes: &[u8]) {
    let alerts: Vec<Alert> = decode::alerts(bytes, &"am".into()).map(|d| d.entries).unwrap_or_default();
    assert!(alerts.iter().all(|a| a.labels.iter().all(|(n, v)| !n.chars().chain(v.chars()).any(crate::model::text::is_hostile))));
    let _ = (decode::groups(bytes), decode::silences(bytes), decode::status(bytes), decode::receivers(bytes));
}
