//! Two Alertmanagers that are one source.

use quarterdeck::model::alert::AlertState;
use quarterdeck::model::reading::Freshness;
use tempfile::tempdir;

use crate::estate::{alertmanager, estate, named, once_until, one, source};
use crate::servers::{self, Access, have};

const ALERTMANAGER: &[&str] = &["prometheus-alertmanager"];

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_shows_one_alert_once_and_goes_on_without_one_of_them() {
    if !have("a_pair_shows_one_alert_once_and_goes_on_without_one_of_them", ALERTMANAGER) {
        return;
    }
    let [mut first, second] = servers::alertmanager_pair();
    servers::post_alert(&[&first, &second], &[("alertname", "WebDown"), ("service", "web")]);
    servers::wait_for_alert(&first, "WebDown", "active");
    servers::wait_for_alert(&second, "WebDown", "active");
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &source("alerts", "alertmanager", &[first.url(), second.url()], ""));
    let readings = once_until(&estate, "one alert, seen by both", |r| alertmanager(&r[0]).is_some()).await;
    let answer = alertmanager(&readings[0]).unwrap();
    let alert = one(answer, "WebDown", AlertState::Firing).expect("the alert of both peers is one alert");
    assert_eq!(alert.seen_by, [0, 1]);
    assert_eq!(answer.disagreements, [""; 0]);
    assert!(answer.peers.iter().all(|p| p.error.is_none() && p.cluster.as_deref() == Some("ready")), "{:?}", answer.peers);

    // Written to one, told to the other by the cluster itself.
    let id = servers::silence(&first, "WebDown");
    servers::wait_for_silence(&second, &id);
    servers::wait_for_alert(&first, "WebDown", "suppressed");
    servers::wait_for_alert(&second, "WebDown", "suppressed");
    let readings = once_until(&estate, "an answer", |r| alertmanager(&r[0]).is_some()).await;
    let answer = alertmanager(&readings[0]).unwrap();
    assert!(one(answer, "WebDown", AlertState::Silenced).is_some());
    let silences: Vec<_> = answer.silences.iter().filter(|s| s.id == id).collect();
    assert_eq!(silences.len(), 1, "the silence of both peers is one silence");
    assert_eq!(silences[0].seen_by, [0, 1]);
    assert_eq!(answer.disagreements, [""; 0]);

    first.kill();
    let readings = once_until(&estate, "an answer", |_| true).await;
    assert!(readings[0].failure.is_none(), "one peer is enough: {:?}", readings[0].failure);
    assert_eq!(readings[0].freshness(readings[0].held.as_ref().unwrap().as_of), Freshness::Fresh);
    let answer = alertmanager(&readings[0]).unwrap();
    assert!(answer.peers[0].error.as_ref().is_some_and(|error| !error.is_empty()), "the lost peer is told: {:?}", answer.peers);
    assert_eq!(answer.peers[1].error, None);
    assert_eq!(named(answer, "WebDown").len(), 1);
    assert_eq!(named(answer, "WebDown")[0].seen_by, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_peers_disagree_about_is_told() {
    if !have("what_two_peers_disagree_about_is_told", ALERTMANAGER) {
        return;
    }
    // Not clustered: what one is told, the other never hears.
    let (first, second) = (servers::alertmanager(Access::Open), servers::alertmanager(Access::Open));
    servers::post_alert(&[&first, &second], &[("alertname", "WebDown")]);
    servers::wait_for_alert(&second, "WebDown", "active");
    let id = servers::silence(&first, "WebDown");
    servers::wait_for_alert(&first, "WebDown", "suppressed");
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &source("alerts", "alertmanager", &[first.url(), second.url()], ""));
    let readings = once_until(&estate, "an answer", |r| alertmanager(&r[0]).is_some()).await;
    let answer = alertmanager(&readings[0]).unwrap();
    assert_eq!(named(answer, "WebDown").len(), 1);
    assert_eq!(answer.silences.iter().find(|s| s.id == id).map(|s| s.seen_by.as_slice()), Some(&[0][..]));
    assert!(!answer.disagreements.is_empty(), "one peer silences what the other notifies");
    assert!(one(answer, "WebDown", AlertState::Firing).is_some(), "silenced at one peer only: the other still notifies");
}
