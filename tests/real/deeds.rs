//! What deployments did, by a real Prometheus with a week of history, which is written into its folder before it starts.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::deployment::did::{Change, Found, Span, before, judge};
use quarterdeck::model::panel::Unit;
use quarterdeck::watch::{no_past, windows};
use tempfile::tempdir;

use crate::estate::{estate, panel, source};
use crate::servers::{self, have};

/// A sample a minute of each series: the errors are 5 a minute and 60 a minute after the deployment, the latency wavers
/// around 200 ms as it did all week, the newest queue is three days old.
fn history(now: Timestamp, live: Timestamp) -> String {
    let mut text = String::new();
    let minutes = 8 * 24 * 60;
    let at = |minute: i64| now.as_second() - 60 * (minutes - minute);
    text += "# TYPE web_errors counter\n";
    let mut errors = 0;
    for minute in 0..minutes {
        errors += if at(minute) >= live.as_second() { 60 } else { 5 + minute * 7 % 3 };
        writeln!(text, "web_errors_total {errors} {}", at(minute)).unwrap();
    }
    text += "# TYPE web_latency_seconds gauge\n";
    for minute in 0..minutes {
        writeln!(text, "web_latency_seconds {} {}", 0.2 + 0.01 * (minute % 13) as f64, at(minute)).unwrap();
    }
    text += "# TYPE web_queue gauge\n";
    for minute in 5 * 24 * 60..minutes {
        writeln!(text, "web_queue 3 {}", at(minute)).unwrap();
    }
    text + "# EOF\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_judged_by_a_week_of_a_real_prometheus() {
    let test = "a_deployment_is_judged_by_a_week_of_a_real_prometheus";
    if !have(test, &["prometheus"]) {
        return;
    }
    let now = Timestamp::from_second(Timestamp::now().as_second() - 60).unwrap();
    let live = now - SignedDuration::from_mins(40);
    let prom = servers::prometheus_with(&history(now, live));
    let folder = tempdir().unwrap();
    let panels = panel("errors", "sum(rate(web_errors_total[$window]))")
        + &panel("latency", "web_latency_seconds")
        + &panel("queue", "web_queue")
        + &panel("absent", "no_such_series")
        + &panel("wrong", "rate(web_queue)");
    let estate = estate(folder.path(), &format!("{}{panels}", source("prom", "prometheus", &[prom.url()], "")));
    let span = Span { from: live, to: live + SignedDuration::from_mins(30) };
    let mut spans = vec![span];
    spans.extend(before(span));
    let all: Vec<_> = (0..5).map(|place| (place, SignedDuration::from_secs(60))).collect();
    let numbers = windows(&estate, &no_past(), &all, &spans, Duration::from_secs(60)).await;
    let found: Vec<Found> = numbers
        .iter()
        .map(|numbers| match numbers {
            Ok(all) => judge(Unit::Count, &all[0], &all[1..]),
            Err(why) => Found::Failed(why.clone()),
        })
        .collect();
    let [errors, latency, queue, absent, wrong] = found.as_slice() else { panic!("{found:?}") };
    let Found::Deviates(Change { before, after, windows: 7, .. }) = errors else { panic!("{errors:?}") };
    assert!((0.08..0.12).contains(before) && (0.8..1.1).contains(after), "{errors:?}");
    assert!(matches!(latency, Found::Same(Change { windows: 7, .. })), "{latency:?}");
    assert_eq!((queue, absent), (&Found::Short(2), &Found::Nothing), "of three days two whole windows are there, and of nothing none");
    assert!(matches!(wrong, Found::Failed(why) if why.contains("rate")), "{wrong:?}");
}

/// The text of a history is what `promtool` reads, and the folder is one that a Prometheus starts from.
pub fn backfill(folder: &std::path::Path, text: &str) {
    let file = folder.join("history.om");
    fs::write(&file, text).expect("the history is written");
    let done = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=48h", "-q"])
        .args([&file, &folder.join("data")])
        .output()
        .expect("promtool starts");
    assert!(done.status.success(), "promtool: {}", String::from_utf8_lossy(&done.stderr));
}
