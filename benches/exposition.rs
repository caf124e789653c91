//! What a large page costs: 50 MB of which the estate wants one per cent, and a 20 MB range reply of a Prometheus.
//! `cargo bench --bench exposition`; best of ten, MB are 10^6 bytes. Memory is the growth of the process' high-water mark.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may stop where it stands and prints what it found")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use quarterdeck::model::panel::{Ask, Form, Panel, Shape, Unit};
use quarterdeck::model::selector::Selector;
use quarterdeck::watch::exposition::page::{Wanted, pick};
use quarterdeck::watch::range_reply;

fn main() {
    let page = page(50_000_000);
    let of = Selector { text: "wanted_total".into(), metric: "wanted_total".into(), matchers: vec![] };
    let ask = Ask::Form(Form { shape: Shape::Rate { over: SignedDuration::from_mins(1) }, of, by: None });
    let panel =
        Panel { name: "p".into(), service: None, site: None, source: "s".into(), ask, unit: Unit::Count, warn: None, critical: None };
    let wanted = Wanted::new([&panel]);
    let before = high_water();
    let first = pick("text/plain", page.as_bytes(), &wanted, Timestamp::UNIX_EPOCH).unwrap();
    let grown = high_water() - before;
    let took = best(|| drop(pick("text/plain", page.as_bytes(), &wanted, Timestamp::UNIX_EPOCH).unwrap()));
    told("page", page.len(), took);
    println!("page: {} of {} series wanted; {:.1} MB beyond the text", first.samples.len(), page.lines().count(), grown as f64 / 1e3);

    let reply = reply(20_000_000);
    let took = best(|| assert_eq!(range_reply(reply.as_bytes(), 0, 5_999 * 15, 15).unwrap(), SERIES));
    told("range reply", reply.len(), took);
}

/// Series of the range reply, as many points each as fill it.
const SERIES: usize = 200;

fn told(what: &str, bytes: usize, took: Duration) {
    println!("{what}: {} bytes in {took:.1?}: {:.0} MB/s", bytes, bytes as f64 / 1e6 / took.as_secs_f64());
}

fn best(mut work: impl FnMut()) -> Duration {
    let times = (0..10).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap()
}

/// A page as a busy service writes it: a hundred metrics, of which one is wanted.
fn page(bytes: usize) -> String {
    let mut page = String::with_capacity(bytes + 200);
    let each = bytes / 100;
    for metric in 0..100 {
        let name = if metric == 50 { "wanted_total".to_owned() } else { format!("http_server_requests_{metric}_total") };
        let (end, mut i) = (page.len() + each, 0);
        let _ = writeln!(page, "# HELP {name} Requests.\n# TYPE {name} counter");
        while page.len() < end {
            let _ =
                writeln!(page, "{name}{{method=\"GET\",handler=\"/api/v1/items/{i}\",code=\"200\",instance=\"web-{}\"}} {}", i % 7, i * 31);
            i += 1;
        }
    }
    page
}

fn reply(bytes: usize) -> String {
    let mut reply = String::from("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[");
    for series in 0..SERIES {
        let comma = if series > 0 { "," } else { "" };
        let _ =
            write!(reply, "{comma}{{\"metric\":{{\"__name__\":\"m\",\"instance\":\"web-{series}:9100\",\"job\":\"node\"}},\"values\":[");
        let end = bytes / SERIES * (series + 1);
        for point in 0.. {
            let comma = if point > 0 { "," } else { "" };
            let _ = write!(reply, "{comma}[{},\"{}\"]", point * 15, f64::from(point * series as i32 + 1) / 7.0);
            if reply.len() > end {
                break;
            }
        }
        reply += "]}";
    }
    reply + "]}}"
}

/// The most memory that this process ever had, kB.
fn high_water() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}
