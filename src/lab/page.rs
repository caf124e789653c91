//! What a process of the practice estate tells about itself: counters and histograms, written as a Prometheus text page
//! or as OpenMetrics where the reader asks for that.
//!
//! Formats: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;

/// The upper ends of a histogram's buckets, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Which of the two text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// What the reader asked for.
    pub fn wanted(headers: &HeaderMap) -> Format {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Text }
    }

    /// The header that goes with the page.
    pub fn header(self) -> [(HeaderName, &'static str); 1] {
        let kind = match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        };
        [(CONTENT_TYPE, kind)]
    }
}

/// What a family of samples is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

/// A page that is being written.
pub struct Page {
    format: Format,
    text: String,
}

impl Page {
    /// An empty one.
    pub fn new(format: Format) -> Page {
        Page { format, text: String::with_capacity(4096) }
    }

    /// Opens a family. The name of a counter ends in `_total`, which OpenMetrics leaves out here.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let (name, word) = match (kind, self.format) {
            (Kind::Counter, Format::OpenMetrics) => (name.trim_end_matches("_total"), "counter"),
            (Kind::Counter, Format::Text) => (name, "counter"),
            (Kind::Gauge, _) => (name, "gauge"),
            (Kind::Histogram, _) => (name, "histogram"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {word}");
    }

    /// One sample. The values of labels are this program's own and need no escaping.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"{text}\"", if n == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family with one sample.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, Kind::Gauge, help);
        self.sample(name, &[], value);
    }

    /// The samples of a histogram.
    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        for (end, count) in BUCKETS.iter().zip(histogram.counts) {
            so_far += count;
            let end = match self.format {
                Format::Text => format!("{end}"),
                Format::OpenMetrics => format!("{end:?}"),
            };
            self.sample(&bucket, &[labels, &[("le", end.as_str())]].concat(), so_far as f64);
        }
        self.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), histogram.count as f64);
        self.sample(&format!("{name}_sum"), labels, histogram.sum);
        self.sample(&format!("{name}_count"), labels, histogram.count as f64);
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Durations, counted in [`BUCKETS`].
#[derive(Debug, Clone, Default)]
struct Histogram {
    counts: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        if let Some(bucket) = BUCKETS.iter().position(|end| seconds <= *end) {
            self.counts[bucket] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }
}

/// The requests of one process: how many by code and method, and how long they took.
#[derive(Debug, Default)]
struct Counted {
    codes: BTreeMap<(&'static str, u16), u64>,
    durations: Histogram,
}

/// What every process counts of itself, labelled with one more label where it counts for several.
#[derive(Debug)]
pub struct Requests {
    prefix: &'static str,
    label: Option<&'static str>,
    counted: Mutex<BTreeMap<String, Counted>>,
}

impl Requests {
    /// Counts `PREFIX_requests_total` and `PREFIX_request_duration_seconds`.
    pub fn new(prefix: &'static str) -> Requests {
        // From 0 on, so that a share of failures is 0 and not absent before the first failure.
        let codes = ["GET", "POST"].map(|method| ((method, 500), 0)).into();
        let counted = Counted { codes, durations: Histogram::default() };
        Requests { prefix, label: None, counted: Mutex::new(BTreeMap::from([(String::new(), counted)])) }
    }

    /// Likewise, for each value of a label.
    pub fn by(prefix: &'static str, label: &'static str) -> Requests {
        Requests { prefix, label: Some(label), counted: Mutex::default() }
    }

    /// Counts one that took so long. `of` is the label's value, the empty text where there is none.
    pub fn add(&self, of: &str, method: &'static str, code: u16, took: Duration) {
        let mut all = self.lock();
        let counted = all.entry(of.to_owned()).or_default();
        *counted.codes.entry((method, code)).or_default() += 1;
        counted.durations.add(took.as_secs_f64());
    }

    /// Writes both families.
    pub fn write(&self, page: &mut Page) {
        let all = self.lock();
        let (total, seconds) = (format!("{}_requests_total", self.prefix), format!("{}_request_duration_seconds", self.prefix));
        page.family(&total, Kind::Counter, "Requests by status code and method; code 0 is no answer.");
        for (of, counted) in all.iter() {
            let own: Vec<(&str, &str)> = self.label.map(|label| (label, of.as_str())).into_iter().collect();
            for ((method, code), count) in &counted.codes {
                let code = code.to_string();
                page.sample(&total, &[&own[..], &[("code", code.as_str()), ("method", *method)]].concat(), *count as f64);
            }
        }
        page.family(&seconds, Kind::Histogram, "How long requests took.");
        for (of, counted) in all.iter() {
            let own: Vec<(&str, &str)> = self.label.map(|label| (label, of.as_str())).into_iter().collect();
            page.histogram(&seconds, &own, &counted.durations);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who a process is: the first lines of its page.
#[derive(Debug)]
pub struct Identity {
    version: String,
    started: Timestamp,
}

impl Identity {
    /// This version, started now.
    pub fn new(version: &str) -> Identity {
        Identity { version: version.to_owned(), started: Timestamp::now() }
    }

    /// Writes what it is.
    pub fn write(&self, page: &mut Page) {
        page.family("build_info", Kind::Gauge, "The version that runs.");
        page.sample("build_info", &[("version", self.version.as_str())], 1.0);
        page.gauge("process_start_time_seconds", "When the process started, in seconds since the epoch.", seconds(self.started));
    }
}

/// A moment as such pages write it.
pub fn seconds(moment: Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let requests = Requests::by("client", "site");
        for (code, ms) in [(200, 3), (200, 40), (502, 20_000)] {
            requests.add("north", "GET", code, Duration::from_millis(ms));
        }
        let mut page = Page::new(format);
        requests.write(&mut page);
        page.gauge("store_documents", "Documents on disk.", 12.0);
        page.finish()
    }

    #[test]
    fn both_formats_are_as_their_specifications_want() {
        insta::assert_snapshot!("text", page(Format::Text));
        insta::assert_snapshot!("openmetrics", page(Format::OpenMetrics));
    }

    #[test]
    fn the_format_is_the_one_asked_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(Format::wanted(&headers), Format::Text);
        headers.insert(ACCEPT, "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2".parse().unwrap());
        assert_eq!(Format::wanted(&headers), Format::OpenMetrics);
    }
}
