//! A real node_exporter's page read without a server, beside a real Prometheus that scrapes it.

use quarterdeck::model::metric::PanelAnswer;
use quarterdeck::model::reading::Reading;
use quarterdeck::model::source::{Answer, ExpositionAnswer};
use tempfile::tempdir;

use crate::estate::{Console, estate, once_until, panel, prometheus, source};
use crate::servers::{self, Access, Lab, have};

fn exposition(reading: &Reading<Answer>) -> Option<&ExpositionAnswer> {
    match &reading.held.as_ref()?.value {
        Answer::Exposition(answer) => Some(answer),
        _ => None,
    }
}

fn form(name: &str, form: &str) -> String {
    format!("[[panel]]\nname = \"{name}\"\nsource = \"page\"\n{form}\n\n")
}

fn value(answer: &PanelAnswer) -> Option<f64> {
    answer.now.first().map(|sample| sample.value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_a_rate_after_two_reads_and_what_prometheus_counts() {
    let test = "a_page_tells_a_rate_after_two_reads_and_what_prometheus_counts";
    if !have(test, &["prometheus", "prometheus-node-exporter"]) {
        return;
    }
    let node = servers::node_exporter();
    let prom = servers::prometheus(&Lab { targets: &[node.port], ..Lab::default() }, Access::Open);
    let folder = tempdir().unwrap();
    let rest = source("prom", "prometheus", &[prom.url()], "")
        + &source("page", "exposition", &[format!("{}/metrics", node.url())], "")
        + &panel("series", "count(node_cpu_seconds_total)")
        + &form("cpu", "rate = { of = \"node_cpu_seconds_total\", by = [] }")
        + &form("load", "value = { of = \"node_load1\" }")
        + &form("none", "value = { of = \"node_load_1\" }");
    let estate = estate(folder.path(), &rest);
    let readings = once_until(&estate, "a rate of the page and the count of the server", |readings| {
        let rate = exposition(&readings[1]).and_then(|answer| value(&answer.panels["cpu"]));
        let count = prometheus(&readings[0]).and_then(|answer| value(answer.panels.get("series")?));
        rate.is_some_and(|rate| rate > 0.0) && count.is_some()
    })
    .await;
    let page = exposition(&readings[1]).unwrap();
    let counted = prometheus(&readings[0]).and_then(|answer| value(&answer.panels["series"])).unwrap();
    assert_eq!(page.series, counted as usize + 1, "the counters that Prometheus has, and the load");
    assert_eq!(page.history.samples, page.series * 2, "one second apart");
    assert!(value(&page.panels["load"]).is_some_and(|load| load >= 0.0));
    assert!(page.panels["none"].error.as_deref().unwrap().contains("node_load1"), "{:?}", page.panels["none"].error);

    let mut console = Console::open(&estate);
    console
        .until("three pages are kept", |readings| exposition(&readings[1]).is_some_and(|page| page.history.samples >= page.series * 3))
        .await;
    drop(node);
    console.until("the dead exporter is told", |readings| readings[1].failure.is_some()).await;
    assert!(exposition(&console.readings[1]).is_some(), "what was last read is kept");
}
