//! Pages, kind and hostile, and ten minutes beside a real Prometheus.

use std::io::Read as _;

use proptest::prelude::*;
use serde::Deserialize;

use super::page::{Page, read};
use super::*;
use crate::model::estate::Severity;
use crate::model::label::Labels;
use crate::model::panel::{Form, Unit, When};
use crate::model::selector::{Matcher, Selector, Test};
use crate::model::source::Scrape;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn at(secs: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
}

fn selector(metric: &str, matchers: &[(&str, Test)]) -> Selector {
    let text = format!("{metric}{matchers:?}");
    let matchers = matchers.iter().map(|(label, test)| Matcher { label: (*label).into(), test: test.clone() }).collect();
    Selector { text, metric: metric.into(), matchers }
}

fn panel(name: &str, shape: Shape, of: Selector, by: Option<&[&str]>) -> Panel {
    let by = by.map(|by| by.iter().map(|label| (*label).to_owned()).collect());
    let ask = Ask::Form(Form { shape, of, by });
    Panel { name: name.into(), service: None, site: None, source: "s".into(), ask, unit: Unit::Count, warn: None, critical: None }
}

fn value(metric: &str) -> Vec<Panel> {
    vec![panel("p", Shape::Value, selector(metric, &[]), None)]
}

fn core(panels: &[Panel], past: &Past) -> Core {
    let keep = SignedDuration::from_hours(1);
    let source = Source {
        name: "s".into(),
        every: SignedDuration::from_secs(5),
        timeout: SignedDuration::from_secs(5),
        http_config: None,
        service: None,
        site: None,
        kind: SourceKind::Exposition { url: "http://127.0.0.1/metrics".into(), keep },
    };
    Core::new(0, &source, keep, panels, past)
}

fn body(text: &str) -> Body {
    Body { status: 200, content_type: "text/plain".into(), parameters: String::new(), date: None, bytes: text.as_bytes().to_vec() }
}

fn text(page: &str, metric: &str) -> Page {
    read("text/plain", "version=0.0.4; charset=utf-8", page.as_bytes(), &Wanted::new(&value(metric)), at(1_000)).unwrap()
}

fn fault(content_type: &str, page: &str) -> String {
    read(content_type, "", page.as_bytes(), &Wanted::new(&value("m")), at(1_000)).unwrap_err().what
}

#[test]
fn what_prometheus_parse_gets_wrong_is_right() {
    let page = "# TYPE m gauge\r\nm{path=\"C:\\\\a,b={x}\",say=\"\\\"hi\\\" \\\\n\",} 1.5e3\r\n\
                m{id=\"2\"} NaN\nm{id=\"3\"} +Inf\nm{ id = \"4\" , x=\"\" } -Inf 999000\nm 1e308\nm_more 7\n\
                {\"m\", id=\"5\"} 0\n{ \"m\" , \"a.b\"=\"6\"} 2\n  m{id=\"7\"} 3\n";
    let page = text(page, "m");
    let shown: Vec<String> = page.samples.iter().map(|(labels, value)| format!("{} {value}", labels.short())).collect();
    assert_eq!(
        shown,
        [
            "path=C:\\a,b={x} say=\"hi\" \\n 1500",
            "id=2 NaN",
            "id=3 inf",
            "id=4 x= -inf",
            &format!("m {}", 1e308),
            "id=5 0",
            "a.b=6 2",
            "id=7 3",
        ]
    );
    assert_eq!((page.format.as_str(), page.notes.len(), page.dropped, page.time), ("text 0.0.4", 0, 0, None));
}

#[test]
fn openmetrics_has_an_end_seconds_and_exemplars() {
    let wanted = Wanted::new(&value("m_total"));
    let read = |page: &str| read("application/openmetrics-text", "version=1.0.0; charset=utf-8", page.as_bytes(), &wanted, at(1_000));
    let page = read("# TYPE m counter\nm_total{a=\"b\"} 5 990.5 # {trace_id=\"x\"} 0.67 990\nm_created 1\n# EOF\n").unwrap();
    assert_eq!((page.samples[0].1, page.time), (5.0, Some(at(990) + SignedDuration::from_millis(500))));
    assert_eq!(page.format, "OpenMetrics 1.0.0");
    assert_eq!(read("m_total 5\n").unwrap_err().what, "the page breaks off after 10 bytes: its last line is not # EOF");
}

#[test]
fn own_times_are_used_where_they_are_one_and_not_where_they_are_old_or_of_the_future() {
    assert_eq!(text("m 1 990000\n", "m").scrape(at(1_000)).at, at(990));
    assert_eq!(text("m 1 1990000\n", "m").scrape(at(1_000)).at, at(1_000));
    assert_eq!(text("m 1 990000\nm{a=\"b\"} 1\n", "m").scrape(at(1_000)).at, at(1_000));
    let old = text("m 1 600000\n", "m");
    assert_eq!((old.samples.len(), old.notes[0].as_str()), (0, "1 samples are older than 5 minutes by their own time and are not taken"));
}

#[test]
fn who_is_no_page_is_named() {
    assert!(fault("text/html", "<!DOCTYPE html><html>").contains("HTML page"));
    assert!(fault("application/json", "{\"status\":\"success\"}").contains("JSON"));
    assert!(fault("text/plain", "{\"status\":\"success\"}").contains("JSON"));
    assert!(fault("text/plain", " \n").contains("nothing"));
    assert_eq!(fault("text/plain", "upstream \x1b[31mdown"), "answered \"upstream [31mdown\", not with metrics: is the path right?");
    assert!(fault("application/vnd.google.protobuf", "\x0a").contains("protobuf"));
}

#[test]
fn a_hostile_page_ends_in_notes() {
    let long = format!("m{{a=\"{}\"}} 1\n", "x".repeat(100_000));
    let labels: String = (0..100_000).map(|i| format!("l{i}=\"\",")).collect();
    let many = format!("m{{{}}} 1\n", &labels[..60_000]);
    let page = format!("# x\n{long}{many}m{{a=\"b\" 1\nm{{a=\"b}} 1\nm one\nm\nm 1 2 3\nm{{a}} 1\nm 1\nm 2\nm{{a=\"\u{202e}\"}} 3\nm{{");
    let page = text(&page, "m");
    assert_eq!(page.samples, [(Labels::new([("__name__", "m")]), 1.0), (Labels::new([("__name__", "m"), ("a", "")]), 3.0)]);
    assert_eq!(page.notes.len(), 3, "{:?}", page.notes);
    assert!(page.notes[0].starts_with("8 wanted lines are not understood; m: it has too many labels"), "{:?}", page.notes);
    let series: String = (0..30_000).map(|i| format!("m{{i=\"{i}\"}} 1\n")).collect();
    assert_eq!((text(&series, "m").samples.len(), text(&series, "m").dropped), (20_000, 10_000));
    assert_eq!(read("text/plain", "", b"m 1\nm{a=\"\xff\"} 1\n", &Wanted::new(&value("m")), at(1)).unwrap().samples.len(), 1);
}

#[test]
fn a_metric_that_is_not_there_is_said_with_what_is() {
    let core = core(&[panel("p", Shape::Rate { over: MINUTE }, selector("http_request_total", &[]), None)], &crate::watch::no_past());
    let answer =
        core.answer(&body("http_requests_total{a=\"b\"} 1\nhttp_requests_created 2\nup 1\n"), Demand::default(), at(1_000)).unwrap();
    let said = answer.panels["p"].error.as_deref();
    assert_eq!(said, Some("the page has no metric http_request_total; it has http_requests_total, http_requests_created"));
}

#[test]
fn one_page_tells_no_rate_and_why_and_the_past_is_taken_up() {
    let panels = [panel("p", Shape::Rate { over: MINUTE }, selector("m", &[]), None)];
    let first = core(&panels, &crate::watch::no_past());
    let answer = first.answer(&body("m_total 10\n"), Demand::default(), at(1_000)).unwrap();
    assert_eq!((answer.panels["p"].now.len(), answer.panels["p"].notes[0].as_str()), (0, "one sample so far: a rate needs two"));
    let answer = first.answer(&body("m_total 30\n"), Demand::default(), at(1_005)).unwrap();
    assert_eq!(answer.panels["p"].now[0].value, 4.0, "not thinned by the time before the first page");
    assert_eq!(answer.history.samples, 2);

    let labels = Labels::new([("__name__", "m_total")]);
    let past: Past =
        Arc::new(move |_| (0..12).map(|i| Scrape { at: at(940 + i * 5), samples: vec![(labels.clone(), i as f64)] }).collect());
    let again = core(&panels, &past);
    let answer = again.answer(&body("m_total 12\n"), Demand::default(), at(1_000)).unwrap();
    assert_eq!((answer.panels["p"].now[0].value, answer.history.samples), (0.2, 13));
}

#[test]
fn what_rules_are_judged_by_is_no_matter_of_what_the_screen_shows() {
    let labels = Labels::new([("__name__", "m")]);
    let past: Past =
        Arc::new(move |_| (0..600).map(|i| Scrape { at: at(1_000 + i * 5), samples: vec![(labels.clone(), i as f64)] }).collect());
    let rule =
        Rule { name: "r".into(), panel: "p".into(), when: When::Above(1.0), holds: SignedDuration::ZERO, severity: Severity::Warning };
    let asked = |rules: &[Rule], minutes, points| {
        let core = Core { rules: rules.to_vec(), ..core(&value("m"), &past) };
        let demand = Demand { range: SignedDuration::from_mins(minutes), points };
        core.answer(&body("m 600\n"), demand, at(4_000)).unwrap().panels.remove("p").unwrap()
    };
    let (short, long) = (asked(&[rule.clone()], 5, 60), asked(&[rule.clone()], 600, 200));
    assert_ne!(short.plot, long.plot);
    assert_eq!(short.judged, long.judged);
    assert!(short.judged.is_some_and(|plot| plot.len == 241), "an hour in steps of 15 s");
    assert_eq!(asked(&[], 5, 60).judged, None, "nobody pays for what nobody judges");
    let event = Rule { when: When::OlderThan(SignedDuration::from_mins(1)), ..rule };
    assert_eq!(asked(&[event], 5, 60).judged, None);
}

proptest! {
    #[test]
    fn what_is_printed_is_picked_and_parsed(
        series in prop::collection::vec((prop::collection::btree_map("[a-z]{1,4}", "[ -~é]{0,12}", 0..4), any::<f64>()), 1..20),
        dotted in any::<bool>(),
    ) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let mut page = String::from("# HELP other x\nother 1\n");
        for (labels, value) in &series {
            let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let name = if dotted { "http.m" } else { "m" };
            page += &if dotted {
                format!("{{\"{name}\",{}}} {value:?}\nother 2\n", pairs.join(","))
            } else {
                format!("{name}{{{}}} {value:?}\nother 2\n", pairs.join(","))
            };
        }
        let name = if dotted { "http.m" } else { "m" };
        let got = text(&page, name);
        let mut wanted: Vec<(Labels, f64)> = vec![];
        for (labels, value) in &series {
            let all = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain([("__name__", name)]);
            let all = Labels::new(all);
            if !wanted.iter().any(|(known, _)| *known == all) {
                wanted.push((all, *value));
            }
        }
        prop_assert_eq!(format!("{:?}", got.samples), format!("{:?}", wanted));
    }

    #[test]
    fn no_bytes_are_a_panic(bytes in prop::collection::vec(prop_oneof![Just(b'm'), Just(b'{'), Just(b'"'), Just(b'\\'), Just(b'='), Just(b','), Just(b'}'), Just(b' '), Just(b'\n'), Just(b'1'), any::<u8>()], 0..200)) {
        let wanted = Wanted::new(&value("m"));
        let _ = read("text/plain", "", &bytes, &wanted, at(1));
        let _ = page::near(&bytes, "m");
    }
}

#[derive(Deserialize)]
struct Recorded {
    at_ms: i64,
    target: String,
    #[serde(rename = "type")]
    content_type: String,
    text: String,
}

#[derive(Deserialize)]
struct Said {
    start: i64,
    end: i64,
    step: i64,
    answers: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    name: String,
    target: String,
    result: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

fn fixture(name: &str) -> String {
    let packed = std::fs::read(format!("{}/tests/fixtures/exposition/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
    text
}

/// The pages that a real Prometheus 2.42 scraped of a real node_exporter and of a small server (which restarts in between),
/// recorded on their way, and what that Prometheus then answered to the same questions in PromQL.
#[test]
fn ten_minutes_agree_with_a_real_prometheus() {
    let pages: Vec<Recorded> = fixture("scrapes.jsonl.gz").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Said = serde_json::from_str(&fixture("prometheus.json.gz")).unwrap();
    assert!(said.end - said.start >= 600);
    let failed = || selector("http_requests_total", &[("code", Test::Equal("500".into()))]);
    let requests = || selector("http_requests_total", &[]);
    let duration = || selector("http_request_duration_seconds", &[]);
    let over = MINUTE;
    let panels = [
        panel("rate", Shape::Rate { over }, requests(), None),
        panel("rate-by", Shape::Rate { over }, requests(), Some(&["code"])),
        panel("ratio", Shape::Ratio { to: None, over }, failed(), None),
        panel("ratio-by", Shape::Ratio { to: Some(requests()), over }, failed(), Some(&["handler"])),
        panel("p95", Shape::Quantile { q: 0.95, over }, duration(), None),
        panel("p50-by", Shape::Quantile { q: 0.5, over }, duration(), Some(&["handler"])),
        panel("cpu", Shape::Rate { over }, selector("node_cpu_seconds_total", &[]), Some(&["mode"])),
        panel("load", Shape::Value, selector("node_load1", &[]), None),
    ];
    let mut compared = 0;
    for target in ["demo", "node"] {
        let mine: Vec<Panel> =
            panels.iter().filter(|panel| said.answers.iter().any(|q| q.name == panel.name && q.target == target)).cloned().collect();
        let wanted = Wanted::new(&mine);
        let mut ring = Ring::new(SignedDuration::from_hours(1), BYTES_MOST);
        for recorded in pages.iter().filter(|page| page.target == target) {
            let when = Timestamp::from_millisecond(recorded.at_ms).unwrap();
            let (kind, parameters) = recorded.content_type.split_once(';').unwrap();
            ring.add(&read(kind, parameters.trim(), recorded.text.as_bytes(), &wanted, when).unwrap().scrape(when));
        }
        for panel in &mine {
            let Ask::Form(form) = &panel.ask else { panic!() };
            let query = said.answers.iter().find(|query| query.name == panel.name).unwrap();
            let range = SignedDuration::from_secs(said.end - said.start);
            let points = u16::try_from((said.end - said.start) / said.step).unwrap();
            let answer = form::answer(&ring, form, at(said.end), Demand { range, points }, SignedDuration::from_secs(5));
            let plot = answer.plot.unwrap();
            assert_eq!((plot.step, plot.series.len()), (said.step, query.result.len()), "{}", panel.name);
            for told in &query.result {
                let labels = Labels::new(&told.metric);
                let without = |labels: &Labels| Labels::new(labels.iter().filter(|(name, _)| *name != "__name__"));
                let series = plot.series.iter().find(|series| without(&series.labels) == labels).unwrap();
                for (time, value) in &told.values {
                    let value: f64 = value.parse().unwrap();
                    let index = usize::try_from((*time as i64 - plot.start.as_second()) / plot.step).unwrap();
                    assert_eq!(plot.time(index).as_second(), *time as i64);
                    let mine = series.points[index].unwrap_or_else(|| panic!("{} has a gap at {time}", panel.name));
                    assert!((mine - value).abs() <= 0.02 * value.abs(), "{} at {time}: {mine}, Prometheus says {value}", panel.name);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 800, "{compared}");
}
