//! Windows of charts, typed queries and names of metrics, asked of a real Prometheus: by the desk, and by the finished
//! binary on a pseudo-terminal.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use quarterdeck::app::ask::{Ask, Told};
use quarterdeck::app::chart::Slot;
use quarterdeck::app::prompt::{WordsOf, begun};
use quarterdeck::model::estate::Estate;
use quarterdeck::model::panel::{self, Panel, Unit};
use quarterdeck::model::window::{RangeAsk, RangeTold, Window};
use quarterdeck::session::ask::Desk;
use tempfile::tempdir;

use crate::console::Console;
use crate::estate::{desk, estate, panel, source};
use crate::http;
use crate::servers::{self, Access, Lab, Server, have};

const NEEDS: &[&str] = &["prometheus", "prometheus-node-exporter"];

/// A Prometheus that has read its node a few times.
fn read_by(node: &Server) -> Server {
    let prom = servers::prometheus(&Lab { targets: &[node.port], ..Lab::default() }, Access::Open);
    servers::until("it has read its target a few times", || {
        let answer = http::get(prom.port, "/api/v1/query?query=count_over_time(up%5B1m%5D)")?;
        let times: u32 = answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()?;
        (times >= 3).then_some(())
    });
    prom
}

fn asked(query: &str, to: Timestamp, minutes: i64) -> RangeAsk {
    let panel = Panel {
        name: "typed query".into(),
        service: None,
        site: None,
        source: "prom".into(),
        ask: panel::Ask::Promql(query.into()),
        unit: Unit::Count,
        warn: None,
        critical: None,
    };
    let window = Window::new(to, SignedDuration::from_mins(minutes), Timestamp::now());
    RangeAsk { panel: Arc::new(panel), window, points: 100, scrape: SignedDuration::from_secs(1) }
}

async fn told(desk: &Desk, number: u64, ask: RangeAsk) -> Result<Arc<RangeTold>, String> {
    let Told::Chart { slot: Slot::Shown, number: of, result } = desk.answer(Ask::Chart { slot: Slot::Shown, number, ask }).await else {
        panic!("another answer")
    };
    assert_eq!(of, number);
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_typed_queries_and_names_are_answered_by_a_real_server() {
    if !have("windows_typed_queries_and_names_are_answered_by_a_real_server", NEEDS) {
        return;
    }
    let node = servers::node_exporter();
    let prom = read_by(&node);
    let folder = tempdir().unwrap();
    let estate: Arc<Estate> = estate(folder.path(), &(source("prom", "prometheus", &[prom.url()], "") + &panel("load", "node_load1")));
    let desk = desk(&estate, folder.path().join("none.db"));

    // A step of the grid has to come after the first sample.
    let waiting = async {
        for number in 1.. {
            let ask = asked("up", Timestamp::now(), 5);
            let up = told(&desk, number, ask.clone()).await.unwrap();
            if !up.plot.series.is_empty() {
                return (ask, up);
            }
        }
        unreachable!()
    };
    let (ask, up) = tokio::time::timeout(servers::PATIENCE, waiting).await.expect("a sample on the grid");
    let (start, end) = ask.grid();
    assert_eq!(
        (up.plot.start.as_second(), up.plot.end().as_second(), up.plot.step),
        (start, end, ask.step()),
        "the grid that was asked for"
    );
    assert_eq!(up.plot.series.len(), 1);
    assert!(up.plot.series[0].points.contains(&Some(1.0)) && up.plot.series[0].points[0].is_none(), "a gap before it ran");

    // The day before: nothing is as old, and that is a gap and no error.
    let before = RangeAsk { window: ask.window.shifted(SignedDuration::from_hours(24)), ..ask.clone() };
    let old = told(&desk, 9002, before).await.unwrap();
    assert!(old.plot.series.is_empty() && old.plot.len == up.plot.len);

    // `$window` of a typed query is filled in, and the info that comes with a rate of a gauge is told.
    let rate = told(&desk, 9003, asked("rate(node_load1[$window])", Timestamp::now(), 5)).await.unwrap();
    assert!(rate.notes.iter().all(|note| note.contains("counter")), "{:?}", rate.notes);
    // A slip is told in the server's own words, with the place.
    let slip = told(&desk, 9004, asked("sum(up", Timestamp::now(), 5)).await.unwrap_err();
    assert!(slip.contains("1:7") && slip.contains("parse error"), "{slip}");
    // Whoever goes on asks in vain: a late question's answer is given up.
    let (late, newest) =
        tokio::join!(told(&desk, 9005, asked("up", Timestamp::now(), 5)), told(&desk, 9006, asked("up", Timestamp::now(), 15)));
    assert!(late.is_err() && newest.is_ok(), "{late:?}");

    let Told::Names { source, result } = desk.answer(Ask::Names("prom".into())).await else { panic!("another answer") };
    let names = result.unwrap();
    assert_eq!(source, "prom");
    assert!(names.names.is_sorted() && names.names.contains(&"node_load1".to_owned()) && !names.more);

    let words = async |series: &str, label: Option<&str>| {
        let of = WordsOf { source: "prom".into(), series: series.into(), label: label.map(str::to_owned) };
        let Told::Words { of: told, result } = desk.answer(Ask::Words(of.clone())).await else { panic!("another answer") };
        assert_eq!(told, of);
        result.map(|names| names.names)
    };
    let labels = words("node_cpu_seconds_total", None).await.unwrap();
    assert_eq!(labels, ["__name__", "cpu", "instance", "job", "mode"]);
    let modes = words("node_cpu_seconds_total{cpu=\"0\"}", Some("mode")).await.unwrap();
    assert!(modes.is_sorted() && modes.contains(&"idle".to_owned()), "{modes:?}");
    assert_eq!(words("no_such_metric", Some("mode")).await, Ok(vec![]), "of these series alone");
    assert!(words("", None).await.unwrap().contains(&"mode".to_owned()), "of all");
    // In the list of a `by` after what it is about, in that of an `on`, and where nothing is told yet.
    for (typed, in_all) in [
        ("sum(rate(node_cpu_seconds_total[5m])) by (mo", false),
        ("node_cpu_seconds_total{cpu=\"0\"} / on (mo", false),
        ("sum by (mo", true),
    ] {
        let of = begun(typed).and_then(|begun| WordsOf::begun("prom", &begun)).expect("a label is begun");
        assert_eq!((of.label.as_deref(), of.series.is_empty()), (None, in_all), "{typed}");
        let labels = words(&of.series, None).await.unwrap();
        assert!(labels.contains(&"mode".to_owned()), "{typed}: {labels:?}");
        assert_eq!(labels.contains(&"goversion".to_owned()), in_all, "{typed}: {labels:?}");
    }
    let slip = words("up{job=}", None).await.unwrap_err();
    assert!(slip.contains("parse error"), "{slip}");
    assert!(words("up", Some("../../status/config")).await.unwrap_err().contains("letters, digits"));
}

#[test]
fn a_chart_is_zoomed_panned_and_brought_back_on_screen_and_a_query_is_typed() {
    if !have("a_chart_is_zoomed_panned_and_brought_back_on_screen_and_a_query_is_typed", NEEDS) {
        return;
    }
    let node = servers::node_exporter();
    let prom = read_by(&node);
    let text = format!(
        "version = 1\n\n[estate]\nname = \"harbour\"\nenvironment = \"test\"\n\n{}{}",
        source("prom", "prometheus", &[prom.url()], ""),
        panel("load", "node_load1")
    );
    let mut console = Console::over(tempdir().unwrap(), &text, &["sh", "-c", "exec \"$QD\" --estate \"$ESTATE\""], &[], (100, 40));
    let shows = |part: &'static str| move |screen: &vt100::Screen| screen.contents().contains(part);
    console.until("the console", |screen| screen.alternate_screen() && screen.contents().contains("harbour"));
    console.press(b"3\r");
    console.until("the chart, live", shows("newest values"));
    // Around the oldest moment: a quarter of an hour, most of an hour ago.
    console.press(b"g-");
    console.until("the window of before", shows("not live"));
    console.until("its own answer: there was no server then", |screen| {
        let text = screen.contents();
        text.contains("range 15m") && text.contains("no series") && !text.contains("loading")
    });
    console.press(b">");
    console.until("half a window on", shows("not live"));
    console.press(b"v");
    console.until("the day before, of which nothing is kept", shows("1d before: prom has no sample between"));
    console.press(b"0vv");
    console.until("the present again", |screen| {
        let text = screen.contents();
        text.contains("newest values") && !text.contains("not live") && !text.contains("1d before")
    });

    console.press(b"e");
    console.until("the prompt with the names of metrics", |screen| {
        let text = screen.contents();
        text.contains("QUERY in PromQL, asked of prom") && text.contains("node_load15")
    });
    console.press(b"\x15node_cpu_seconds_total{mo");
    console.until("the label, of the server", shows("tab takes mode"));
    console.press(b"\t=\"id");
    console.until("its value, of the server", shows("tab takes idle"));
    console.press(b"\x15sum(up");
    console.until("what is typed", shows("sum(up_"));
    console.press(b"\r");
    console.until("the slip, in the server's words", shows("1:7: parse error"));
    console.press(b"e");
    console.until("the prompt again", shows("QUERY in PromQL"));
    console.press(b"\x1b[200~)\n* 41\x1b[201~\r");
    console.until("the mended one", |screen| {
        let text = screen.contents();
        text.contains("prom: sum(up) * 41")
            && text.contains("newest values")
            && text.lines().any(|line| line.contains("41 ") && !line.contains("prom:"))
    });
    let kept = std::fs::read_to_string(console.home.path().join(".local/state/quarterdeck/queries"));
    assert_eq!(kept.unwrap(), "sum(up\nsum(up) * 41\n");
    console.press(b"\x03");
    console.ends_with(130);
}
