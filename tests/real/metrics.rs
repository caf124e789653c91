//! Panels, targets and rules of a real Prometheus that scrapes a real node_exporter.

use quarterdeck::model::reading::{Freshness, Reading};
use quarterdeck::model::source::Answer;
use tempfile::tempdir;

use crate::estate::{estate, once_until, panel, prometheus, source};
use crate::servers::{self, Access, Lab, have};

fn now_values(reading: &Reading<Answer>, panel: &str) -> usize {
    prometheus(reading).and_then(|answer| answer.panels.get(panel)).map_or(0, |panel| panel.now.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_over_the_window_is_drawn_and_a_wrong_query_spoils_only_its_panel() {
    let test = "a_rate_over_the_window_is_drawn_and_a_wrong_query_spoils_only_its_panel";
    if !have(test, &["prometheus", "prometheus-node-exporter"]) {
        return;
    }
    let node = servers::node_exporter();
    let prom = servers::prometheus(&Lab { targets: &[node.port], ..Lab::default() }, Access::Open);
    let folder = tempdir().unwrap();
    // All modes: on a busy machine the idle time alone may stand still.
    let panels = panel("cpu", "sum(rate(node_cpu_seconds_total[$window]))")
        + &panel("load", "node_load1")
        + &panel("wrong", "rate(node_load1)")
        + &panel("absent", "no_such_series");
    let estate = estate(folder.path(), &format!("{}{panels}", source("prom", "prometheus", &[prom.url()], "")));
    let drawn = |r: &[Reading<Answer>]| {
        let cpu = prometheus(&r[0]).and_then(|answer| answer.panels.get("cpu"));
        let points = cpu.and_then(|cpu| cpu.plot.as_ref()?.series.first()).map_or(0, |s| s.points.iter().flatten().count());
        points > 0 && now_values(&r[0], "cpu") > 0 && now_values(&r[0], "load") > 0
    };
    let readings = once_until(&estate, "a plot of the rate with points", drawn).await;
    let reading = &readings[0];
    assert!(reading.failure.is_none());
    assert_eq!(reading.freshness(reading.held.as_ref().unwrap().as_of), Freshness::Fresh);
    let answer = prometheus(reading).unwrap();
    assert!(answer.version.as_deref().is_some_and(|version| version.contains('.')));

    let cpu = &answer.panels["cpu"];
    assert_eq!(cpu.error, None);
    assert!(cpu.now.len() == 1 && cpu.now[0].value > 0.0, "{:?}", cpu.now);
    let plot = cpu.plot.as_ref().unwrap();
    assert!(plot.series.iter().all(|series| series.points.len() == plot.len));
    assert_eq!(plot.start.as_second() % plot.step, 0, "the grid is aligned to its step");
    assert!(plot.series[0].points[0].is_none(), "before the server ran there is a gap, not a zero");

    let wrong = &answer.panels["wrong"];
    assert!(wrong.error.as_ref().is_some_and(|error| error.contains("rate")), "Prometheus' own words: {:?}", wrong.error);
    assert!(wrong.now.is_empty());
    let absent = &answer.panels["absent"];
    assert_eq!((absent.error.as_ref(), absent.now.len()), (None, 0), "no series is no error and no zero");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_down_is_listed_and_a_rule_that_fires_nowhere_is_undelivered() {
    let test = "a_target_that_is_down_is_listed_and_a_rule_that_fires_nowhere_is_undelivered";
    if !have(test, &["prometheus", "prometheus-node-exporter"]) {
        return;
    }
    let node = servers::node_exporter();
    let nobody = servers::free_port();
    let rules = servers::rule("TargetDown", "up == 0", "page");
    let prom = servers::prometheus(&Lab { targets: &[node.port, nobody], rules, ..Lab::default() }, Access::Open);
    let folder = tempdir().unwrap();
    let estate = estate(folder.path(), &source("prom", "prometheus", &[prom.url()], ""));
    let readings = once_until(&estate, "one target up, one down, and the alert", |r| {
        prometheus(&r[0]).is_some_and(|answer| {
            !answer.alerts.is_empty() && answer.targets.as_ref().is_some_and(|targets| (targets.up, targets.down_count) == (1, 1))
        })
    })
    .await;
    let answer = prometheus(&readings[0]).unwrap();
    let down = &answer.targets.as_ref().unwrap().down;
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].labels.get("instance"), Some(format!("127.0.0.1:{nobody}").as_str()));
    assert!(down[0].error.contains("refused"), "{}", down[0].error);
    assert_eq!(answer.rules.as_ref().map(|rules| (rules.alerting, rules.failing.len())), Some((1, 0)));
    let alert = &answer.alerts[0];
    assert_eq!((alert.name(), alert.state.word()), ("TargetDown", "undelivered"));
    assert_eq!(alert.severity.word(), "critical");
}
