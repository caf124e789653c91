//! The life of an alert and of the Alertmanager that has it.

use jiff::Timestamp;
use quarterdeck::model::alert::AlertState;
use quarterdeck::model::reading::{FailureKind, Freshness, Outcome};
use tempfile::tempdir;

use crate::estate::{Console, alertmanager, estate, named, once_until, one, source};
use crate::servers::{self, Access, Lab, have};

const ALERTMANAGER: &[&str] = &["prometheus-alertmanager"];

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_fires_is_seen_within_one_poll_and_shows_as_silenced() {
    let test = "an_alert_fires_is_seen_within_one_poll_and_shows_as_silenced";
    if !have(test, &["prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let am = servers::alertmanager(Access::Open);
    let prom = servers::prometheus(&Lab { alertmanagers: &[am.port], ..Lab::default() }, Access::Open);
    let folder = tempdir().unwrap();
    let sources = source("alerts", "alertmanager", &[am.url()], "") + &source("prom", "prometheus", &[prom.url()], "");
    let mut console = Console::open(&estate(folder.path(), &sources));
    console.until("both sources are fresh, without alerts", |r| r.iter().all(|r| r.held.is_some())).await;
    assert_eq!(alertmanager(&console.readings[0]).unwrap().alerts, []);

    servers::rewrite_rules(&prom, &servers::rule("WebDown", "vector(1)", "critical"));
    servers::wait_for_alert(&am, "WebDown", "active");
    console.one_poll(0).await;
    let answer = alertmanager(&console.readings[0]).unwrap();
    let alert = one(answer, "WebDown", AlertState::Firing).expect("the first poll after Alertmanager had the alert shows it");
    assert_eq!(alert.labels.get("service"), Some("web"));
    assert_eq!(alert.summary(), "a test");
    assert_eq!(alert.silenced_by, []);
    assert!(alert.generator_url.is_some());

    let id = servers::silence(&am, "WebDown");
    servers::wait_for_alert(&am, "WebDown", "suppressed");
    console.one_poll(0).await;
    let answer = alertmanager(&console.readings[0]).unwrap();
    let alert = one(answer, "WebDown", AlertState::Silenced).expect("the silenced alert is there, once, and says so");
    assert_eq!(alert.silenced_by.iter().map(|id| &**id).collect::<Vec<_>>(), [id.as_str()]);
    let silence = answer.silences.iter().find(|s| s.id == id).expect("the silence is told");
    assert_eq!((silence.created_by.as_str(), silence.comment.as_str()), ("ann", "INC-1"));

    servers::expire(&am, &id);
    servers::wait_for_alert(&am, "WebDown", "active");
    console.one_poll(0).await;
    assert!(one(alertmanager(&console.readings[0]).unwrap(), "WebDown", AlertState::Firing).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_alertmanager_is_unreachable_with_its_last_value_and_fresh_when_it_is_back() {
    if !have("a_killed_alertmanager_is_unreachable_with_its_last_value_and_fresh_when_it_is_back", ALERTMANAGER) {
        return;
    }
    let mut am = servers::alertmanager(Access::Open);
    servers::post_alert(&[&am], &[("alertname", "WebDown")]);
    servers::wait_for_alert(&am, "WebDown", "active");
    let folder = tempdir().unwrap();
    let mut console = Console::open(&estate(folder.path(), &source("alerts", "alertmanager", &[am.url()], "")));
    console.until("the alert is there", |r| alertmanager(&r[0]).is_some_and(|a| !named(a, "WebDown").is_empty())).await;
    let last = console.readings[0].held.clone().unwrap();

    am.kill();
    let (outcome, next_try) = console.one_poll(0).await;
    let Outcome::Failed { kind, what, at } = outcome else { panic!("a killed Alertmanager answered: {outcome:?}") };
    assert_eq!(kind, FailureKind::Unreachable);
    assert!(!what.is_empty());
    assert!(next_try > at, "the next try ({next_try}) is after the end of this one ({at})");
    let reading = &console.readings[0];
    assert_eq!(reading.next_try, Some(next_try));
    assert_eq!(reading.freshness(at), Freshness::Unreachable);
    assert_eq!(reading.fresh(at), None, "the last value is not taken for a live one");
    let kept = reading.held.as_ref().expect("the last value is kept");
    assert!(kept.as_of >= last.as_of && kept.as_of < at);
    assert_eq!(named(alertmanager(reading).unwrap(), "WebDown").len(), 1);

    let killed = Timestamp::now();
    am.start();
    console.until("the source answers again", |r| r[0].failure.is_none() && r[0].held.as_ref().is_some_and(|h| h.as_of > killed)).await;
    let reading = &console.readings[0];
    assert_eq!(reading.freshness(reading.held.as_ref().unwrap().as_of), Freshness::Fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_mans_switch_is_told_as_stopped_until_it_fires() {
    if !have("the_dead_mans_switch_is_told_as_stopped_until_it_fires", ALERTMANAGER) {
        return;
    }
    let am = servers::alertmanager(Access::Open);
    let folder = tempdir().unwrap();
    let switch = "dead_man = { alertname = \"Watchdog\" }";
    let estate = estate(folder.path(), &source("alerts", "alertmanager", &[am.url()], switch));
    servers::post_alert(&[&am], &[("alertname", "WebDown")]);
    servers::wait_for_alert(&am, "WebDown", "active");
    let readings = once_until(&estate, "an answer", |r| alertmanager(&r[0]).is_some()).await;
    let dead_man = alertmanager(&readings[0]).unwrap().dead_man.clone().expect("the estate names a switch");
    assert!(!dead_man.firing, "another alert is not the switch");

    servers::post_alert(&[&am], &[("alertname", "Watchdog"), ("severity", "none")]);
    servers::wait_for_alert(&am, "Watchdog", "active");
    let readings = once_until(&estate, "an answer", |r| alertmanager(&r[0]).is_some()).await;
    assert!(alertmanager(&readings[0]).unwrap().dead_man.as_ref().is_some_and(|switch| switch.firing));
}
