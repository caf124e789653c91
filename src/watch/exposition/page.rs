//! A whole `/metrics` page: its format, and the samples that are wanted of it. Wanted lines are found by their name first;
//! only those are parsed. Pure: over bytes.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::line;
use crate::model::history::SERIES_MOST;
use crate::model::label::{Interner, Labels};
use crate::model::panel::{Ask, Panel, Shape};
use crate::model::selector::Selector;
use crate::model::source::Scrape;
use crate::model::text::{LABEL_CAP, clean};
use crate::watch::wire::{Fault, excerpt, looks_like_html};

/// What is asked of a server, as Prometheus 3 asks, without the protobuf that is not read here.
pub(crate) const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
    text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
/// Bytes of a line; a longer one is not taken.
const LINE_CAP: usize = 64 << 10;
/// A sample whose own time is longer ago than this is not of now: Prometheus' lookback.
const OLD: SignedDuration = SignedDuration::from_mins(5);
/// Names that are looked through for one that is nearly the wanted one.
const NAMES_MOST: usize = 10_000;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Times in milliseconds, no end mark.
    Text,
    /// Times in seconds, `# EOF` at its end.
    OpenMetrics,
}

/// Which lines are wanted: by metric name the selectors, `None` for all series of that name.
#[derive(Debug, Default)]
pub struct Wanted(HashMap<Vec<u8>, Vec<Option<Selector>>>);

impl Wanted {
    /// What these panels need.
    pub fn new<'p>(panels: impl IntoIterator<Item = &'p Panel>) -> Wanted {
        let mut wanted = Wanted::default();
        for panel in panels {
            let Ask::Form(form) = &panel.ask else { continue };
            let of = &form.of;
            match &form.shape {
                Shape::Value => wanted.add(&of.metric, Some(of)),
                Shape::Rate { .. } => wanted.counter(&of.metric, Some(of)),
                Shape::Ratio { to: None, .. } => wanted.counter(&of.metric, None),
                Shape::Ratio { to: Some(to), .. } => {
                    wanted.counter(&of.metric, Some(of));
                    wanted.counter(&to.metric, Some(to));
                }
                Shape::Quantile { .. } => wanted.add(&bucket(&of.metric), Some(of)),
            }
        }
        wanted
    }

    fn add(&mut self, metric: &str, selector: Option<&Selector>) {
        self.0.entry(metric.as_bytes().to_vec()).or_default().push(selector.cloned());
    }

    /// A counter is also found by the name of its OpenMetrics family, which lacks `_total`.
    fn counter(&mut self, metric: &str, selector: Option<&Selector>) {
        self.add(metric, selector);
        self.add(&format!("{metric}_total"), selector);
    }
}

fn bucket(metric: &str) -> String {
    if metric.ends_with("_bucket") { metric.to_owned() } else { format!("{metric}_bucket") }
}

/// The names under which a panel's samples may stand on a page, of which one of each group must be there.
pub(crate) fn names(panel: &Panel) -> Vec<Vec<String>> {
    let Ask::Form(form) = &panel.ask else { return vec![] };
    let counter = |metric: &str| vec![metric.to_owned(), format!("{metric}_total")];
    match &form.shape {
        Shape::Value => vec![vec![form.of.metric.clone()]],
        Shape::Rate { .. } | Shape::Ratio { to: None, .. } => vec![counter(&form.of.metric)],
        Shape::Ratio { to: Some(to), .. } => vec![counter(&form.of.metric), counter(&to.metric)],
        Shape::Quantile { .. } => vec![vec![bucket(&form.of.metric)]],
    }
}

/// What a page said of what is wanted.
#[derive(Debug, Default)]
pub struct Page {
    /// `text 0.0.4`, `OpenMetrics 1.0.0`.
    pub format: String,
    /// The samples, each series once.
    pub samples: Vec<(Labels, f64)>,
    /// The time that all samples name as theirs; `None` where they name none or several.
    pub time: Option<Timestamp>,
    /// Wanted samples beyond the most that are kept.
    pub dropped: usize,
    /// Wanted names that stand on the page.
    pub present: HashSet<String>,
    /// What is odd about it.
    pub notes: Vec<String>,
}

impl Page {
    /// Its samples as one scrape: at their own time where it is the same for all and not ahead of `at`.
    pub(crate) fn scrape(&mut self, at: Timestamp) -> Scrape {
        Scrape { at: self.time.map_or(at, |time| time.min(at)), samples: std::mem::take(&mut self.samples) }
    }
}

/// The format that a `Content-Type` names, with the words for it; a fault for what cannot be a page.
fn format(content_type: &str, parameters: &str, bytes: &[u8]) -> Result<(Format, String), Fault> {
    let version = parameters.split(';').find_map(|part| part.trim().strip_prefix("version=")).map(|v| v.trim_matches('"'));
    match content_type {
        "application/openmetrics-text" => Ok((Format::OpenMetrics, format!("OpenMetrics {}", version.unwrap_or("1.0.0")))),
        "application/vnd.google.protobuf" => Err(Fault::unusable("answered in protobuf, which was not asked for: is a proxy in between?")),
        _ if bytes.trim_ascii().is_empty() => {
            Err(Fault::unusable("answered with nothing, not as a /metrics page would: is the path right?"))
        }
        _ if looks_like_html(bytes) => {
            Err(Fault::unusable("answered with an HTML page, not with metrics: is the path right, or a login page in between?"))
        }
        _ if content_type.ends_with("json")
            || bytes.trim_ascii_start().starts_with(b"{\"") && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() =>
        {
            Err(Fault::unusable("answered with JSON, not with metrics: is the path right?"))
        }
        "text/plain" | "" => Ok((Format::Text, format!("text {}", version.unwrap_or("0.0.4")))),
        other => Ok((Format::Text, format!("text, called {other}"))),
    }
}

/// The reading of a page, for measuring it: a fault is only its text.
pub fn pick(content_type: &str, bytes: &[u8], wanted: &Wanted, at: Timestamp) -> Result<Page, String> {
    read(content_type, "", bytes, wanted, at).map_err(|fault| fault.what)
}

/// Reads the wanted samples of a page. `at` is when it was read.
pub(crate) fn read(content_type: &str, parameters: &str, bytes: &[u8], wanted: &Wanted, at: Timestamp) -> Result<Page, Fault> {
    let (kind, words) = format(content_type, parameters, bytes)?;
    let first = lines(bytes).map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or_default();
    if !first.starts_with(b"#") && first.len() <= LINE_CAP && std::str::from_utf8(first).map_or(true, |line| line::parse(line).is_err()) {
        return Err(Fault::unusable(format!("answered \"{}\", not with metrics: is the path right?", excerpt(bytes))));
    }
    if kind == Format::OpenMetrics && !bytes.trim_ascii_end().ends_with(b"# EOF") {
        return Err(Fault::unusable(format!("the page breaks off after {} bytes: its last line is not # EOF", bytes.len())));
    }
    let mut taker = Taker { page: Page { format: clean(&words, LABEL_CAP).into_owned(), ..Page::default() }, ..Taker::default() };
    let mut before: (&[u8], Option<&[Option<Selector>]>) = (&[], None);
    for line in lines(bytes) {
        // Lines of one metric stand together: what was decided for the last name holds while it is the same.
        let same = !before.0.is_empty() && line.starts_with(before.0) && matches!(line.get(before.0.len()), Some(b'{' | b' '));
        if !same {
            let Some(name) = line::name(line) else { continue };
            before = (name, wanted.0.get(name).map(Vec::as_slice));
        }
        if let (name, Some(selectors)) = before {
            taker.take(line, name, selectors, kind, at);
        }
    }
    Ok(taker.end(at))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len())).map(move |end| {
        let line = &bytes[from..end.max(from)];
        from = end + 1;
        line
    })
}

/// Takes in wanted lines.
#[derive(Default)]
struct Taker {
    page: Page,
    interner: Interner,
    seen: HashSet<Labels>,
    times: Times,
    long: usize,
    bad: usize,
    why: Option<String>,
    twice: usize,
    old: usize,
}

/// The own times of the samples.
#[derive(Default)]
enum Times {
    #[default]
    Unknown,
    One(Option<Timestamp>),
    Several,
}

impl Taker {
    fn take(&mut self, line: &[u8], name: &[u8], selectors: &[Option<Selector>], kind: Format, at: Timestamp) {
        if line.len() > LINE_CAP {
            self.long += 1;
            return;
        }
        let parsed = std::str::from_utf8(line).map_err(|_| "it is not UTF-8").and_then(line::parse);
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(why) => {
                self.bad += 1;
                self.why.get_or_insert_with(|| format!("{}: {why}", clean(&String::from_utf8_lossy(name), LABEL_CAP)));
                return;
            }
        };
        if !self.page.present.contains(&*parsed.name) {
            self.page.present.insert(parsed.name.clone().into_owned());
        }
        if self.page.samples.len() >= SERIES_MOST {
            self.page.dropped += 1;
            return;
        }
        let pairs = parsed.labels.iter().map(|(name, value)| (&**name, &**value)).chain([("__name__", &*parsed.name)]);
        let labels = self.interner.labels(pairs);
        if !selectors.iter().any(|selector| selector.as_ref().is_none_or(|selector| selector.matches(&labels))) {
            return;
        }
        let time = parsed.time.and_then(|time| {
            let millis = if kind == Format::OpenMetrics { time * 1_000.0 } else { time };
            Timestamp::from_millisecond(millis as i64).ok()
        });
        if time.is_some_and(|time| at.duration_since(time) > OLD) {
            self.old += 1;
            return;
        }
        if !self.seen.insert(labels.clone()) {
            self.twice += 1;
            return;
        }
        self.times = match self.times {
            Times::Unknown => Times::One(time),
            Times::One(known) if known == time => Times::One(time),
            _ => Times::Several,
        };
        self.page.samples.push((labels, parsed.value));
    }

    fn end(mut self, at: Timestamp) -> Page {
        if let Times::One(time) = self.times {
            self.page.time = time;
        }
        let mut note = |count: usize, what: String| {
            if count > 0 {
                self.page.notes.push(what);
            }
        };
        let why = self.why.unwrap_or_default();
        note(self.bad, format!("{} wanted lines are not understood; {why}", self.bad));
        note(self.long, format!("{} wanted lines are longer than {LINE_CAP} bytes and are not taken", self.long));
        note(self.twice, format!("{} series stand on the page twice: the first counts", self.twice));
        note(self.old, format!("{} samples are older than 5 minutes by their own time and are not taken", self.old));
        let ahead = self.page.time.is_some_and(|time| time.duration_since(at) > SignedDuration::from_secs(5));
        note(usize::from(ahead), "its samples say that they are of the future: its clock is ahead".to_owned());
        let dropped = self.page.dropped;
        note(dropped, format!("{dropped} wanted series are not taken: there are more than {SERIES_MOST}"));
        self.page
    }
}

/// Names on the page that are nearly this one: at most three, those with the longest common beginning first.
pub(crate) fn near(bytes: &[u8], wanted: &str) -> Vec<String> {
    let mut names: HashSet<&[u8]> = HashSet::new();
    let mut before: &[u8] = &[];
    for line in lines(bytes) {
        if !before.is_empty() && line.starts_with(before) && matches!(line.get(before.len()), Some(b'{' | b' ')) {
            continue;
        }
        if let Some(name) = line::name(line).filter(|name| name.len() <= LABEL_CAP) {
            before = name;
            names.insert(name);
            if names.len() >= NAMES_MOST {
                break;
            }
        }
    }
    let common = |name: &[u8]| name.iter().zip(wanted.as_bytes()).take_while(|(a, b)| a == b).count();
    let mut near: Vec<(usize, &[u8])> = names.into_iter().map(|name| (common(name), name)).filter(|(n, _)| *n * 2 > wanted.len()).collect();
    near.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.len().cmp(&b.1.len())).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, name)| clean(&String::from_utf8_lossy(name), LABEL_CAP).into_owned()).collect()
}
