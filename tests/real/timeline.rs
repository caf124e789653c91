//! The history of an alert that its Alertmanager has forgotten.

use jiff::{SignedDuration, Timestamp};
use quarterdeck::app::ask::{Ask, Told};
use quarterdeck::cache::Cache;
use quarterdeck::model::timeline::{Event, Kind, Link, differences, merge};
use tempfile::tempdir;

use crate::estate::{Console, alertmanager, desk, estate, named, source};
use crate::http;
use crate::servers::{self, Access, Lab, PATIENCE, have};

fn of(events: &[Event], kind: Kind) -> Vec<&Event> {
    let is = |event: &&Event| matches!(&event.link, Link::Alert(labels) if labels.get("alertname") == Some("WebDown"));
    events.iter().filter(|event| event.kind == kind).filter(is).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_of_an_alert_are_on_the_timeline_after_its_alertmanager_forgot_it() {
    let test = "both_ends_of_an_alert_are_on_the_timeline_after_its_alertmanager_forgot_it";
    if !have(test, &["prometheus", "prometheus-alertmanager", "prometheus-node-exporter"]) {
        return;
    }
    let begun = Timestamp::now();
    let (am, node) = (servers::alertmanager(Access::Open), servers::node_exporter());
    let prom = servers::prometheus(&Lab { targets: &[node.port], alertmanagers: &[am.port], ..Lab::default() }, Access::Open);
    let folder = tempdir().unwrap();
    let sources = source("alerts", "alertmanager", &[am.url()], "") + &source("prom", "prometheus", &[prom.url()], "");
    let estate = estate(folder.path(), &sources);
    let mut console = Console::open(&estate);
    console.until("both sources answer", |r| r.iter().all(|r| r.held.is_some())).await;
    // It finds its targets seconds after its start. What fires before it read any is no begin: nobody knows of the time before.
    servers::until("it has read its target for two seconds", || {
        let answer = http::get(prom.port, "/api/v1/query?query=count_over_time(up%5B1m%5D)")?;
        let times: u32 = answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()?;
        (times >= 3).then_some(())
    });

    servers::rewrite_rules(&prom, &servers::rule("WebDown", "vector(1)", "critical"));
    console.until("it fires", |r| alertmanager(&r[0]).is_some_and(|a| !named(a, "WebDown").is_empty())).await;
    let before = alertmanager(&console.readings[0]).unwrap().alerts.clone();
    let last = console.readings[0].held.as_ref().map(|held| held.as_of);
    // It is resolved where the rule goes on and its condition does not hold any more.
    servers::rewrite_rules(&prom, &servers::rule("WebDown", "vector(0) > 1", "critical"));
    console.until("it is forgotten", |r| alertmanager(&r[0]).is_some_and(|a| named(a, "WebDown").is_empty())).await;

    // What a console saw of it is kept.
    let cache = folder.path().join("cache.db");
    let seen = differences(&before, &alertmanager(&console.readings[0]).unwrap().alerts, |_| last, Timestamp::now(), 10);
    assert_eq!(of(&seen, Kind::AlertEnded).len(), 1, "{seen:?}");
    Cache::open(&cache).unwrap().0.saw(&estate, begun, Timestamp::now(), &seen).unwrap();

    let desk = desk(&estate, cache);
    let from = begun - SignedDuration::from_secs(60);
    let asking = async {
        loop {
            let to = Timestamp::now();
            let Told::Timeline(_, _, past) = desk.answer(Ask::Timeline(from, to)).await else { panic!("another answer") };
            let by_prometheus: Vec<Event> = past.events.iter().filter(|e| e.via.iter().any(|via| &**via == "prom")).cloned().collect();
            if !of(&by_prometheus, Kind::AlertBegan).is_empty() && !of(&by_prometheus, Kind::AlertEnded).is_empty() {
                return (past, to);
            }
            // The server's own seconds: nothing tells when it has written the next sample.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let (past, to) = tokio::time::timeout(PATIENCE, asking).await.expect("Prometheus remembers both ends");
    assert_eq!(past.notes, Vec::<std::sync::Arc<str>>::new());
    let (merged, more) = merge(past.events, from, to);
    assert_eq!(more, 0);
    let (began, ended) = (of(&merged, Kind::AlertBegan), of(&merged, Kind::AlertEnded));
    assert_eq!((began.len(), ended.len()), (1, 1), "{merged:#?}");
    assert!(began[0].at < ended[0].at && began[0].at > begun, "{merged:#?}");
    let told = |event: &Event| event.via.iter().map(|via| via.to_string()).collect::<std::collections::BTreeSet<_>>();
    assert!(told(began[0]).contains("prom"), "{merged:#?}");
    assert_eq!(told(ended[0]), ["prom", "seen"].map(str::to_owned).into(), "two tell of one end");
    let doubt = |event: &Event| event.after.map(|after| event.at.duration_since(after).as_secs());
    assert!(doubt(began[0]).is_some_and(|secs| secs <= 5), "between two steps: {merged:#?}");
    assert!(of_unseen(&merged), "the minute before any console ran is told: {merged:#?}");
}

fn of_unseen(events: &[Event]) -> bool {
    events.iter().any(|event| event.kind == Kind::Unseen)
}
