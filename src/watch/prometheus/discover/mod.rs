//! Looks around in a Prometheus once, for a first estate: which jobs it scrapes, at which sites, what they measure, which
//! rules it has and which Alertmanagers it tells. Reads only, with a deadline for each request and for the whole.
//!
//! Series are never fetched: names and label values come from the server's index, whatever its size.

mod decode;
mod page;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::decode::{Scraped, Written};
pub use self::page::page;
use super::{Fault, IN_FLIGHT, get, noted, rules};
use crate::link::http::{Limits, Reader};
use crate::model::reading::FailureKind;
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::BODY_CAP;
use crate::watch::wire::{short_url, success};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(15);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(60);
/// How long an Alertmanager may take that only a server named.
const HEARSAY: Duration = Duration::from_secs(3);
/// Targets that are looked at; more are counted.
pub const TARGETS: usize = 10_000;
/// Alertmanagers of one Prometheus that are looked at.
const ALERTMANAGERS: usize = 8;
/// Metrics of one kind whose jobs are asked for.
const METRICS: usize = 24;
/// Only what was there lately counts.
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// Labels that tell requests that failed, in the order of preference.
const CODES: [&str; 3] = ["code", "status", "status_code"];
const CPU: &str = "node_cpu_seconds_total";
const MEMORY: &str = "node_memory_MemAvailable_bytes";
const FILESYSTEM: &str = "node_filesystem_avail_bytes";

/// Why a system could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Unread {
    /// Of which kind.
    pub kind: FailureKind,
    /// One cleaned line: what, why, what to do.
    pub what: String,
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Unread {
        Unread { kind: fault.kind, what: clean(&fault.what, NOTE_CAP).into_owned() }
    }
}

/// What a Prometheus watches. All names are safe to show: those that are not are left out and counted in a note.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// Active targets.
    pub targets: usize,
    /// Its jobs, by name.
    pub jobs: Vec<Job>,
    /// The label that tells sites apart.
    pub places: Option<Places>,
    /// How many alerting rules it has.
    pub alerting: usize,
    /// Names of recording rules of the form `level:metric:operations`.
    pub recording: Vec<String>,
    /// The name of an alert that fires always.
    pub watchdog: Option<String>,
    /// Root addresses of the Alertmanagers that it tells.
    pub alertmanagers: Vec<String>,
    /// What was left out or could not be read, each a cleaned line.
    pub notes: Vec<String>,
}

/// The label that tells sites apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Its name.
    pub label: String,
    /// Its values, from one to twelve, sorted.
    pub values: Vec<String>,
}

/// One job of a Prometheus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// Its name, the value of `job`.
    pub name: String,
    /// Its active targets.
    pub targets: usize,
    /// Values of the sites' label among its targets, sorted.
    pub sites: Vec<String>,
    /// A counter of requests, and the label with their HTTP status where it has one.
    pub requests: Option<(String, Option<String>)>,
    /// A histogram of durations in seconds, without `_bucket`.
    pub latency: Option<String>,
    /// True where node_exporter's processor times are there.
    pub cpu: bool,
    /// ... its memory.
    pub memory: bool,
    /// ... its file systems.
    pub filesystem: bool,
}

/// Looks around in the Prometheus at `url`. `progress` is told each step before it is taken.
///
/// # Errors
/// Where it tells neither its targets nor its jobs.
pub async fn prometheus(url: &str, http_config: Option<&Path>, progress: &mut dyn FnMut(&str)) -> Result<Found, Unread> {
    let reader = Reader::new(url, http_config, Limits { deadline: REQUEST, body_cap: BODY_CAP }).map_err(Fault::from)?;
    let until = Instant::now() + WHOLE;
    let mut found = Found::default();
    let notes = &mut Vec::new();

    progress("which targets it scrapes");
    let targets = get(&reader, "/api/v1/targets", &[("state", "active")], until).await;
    let scraped = match targets.and_then(|body| decode::targets(body.status, &body.bytes)) {
        Ok(answered) => answered.data,
        Err(fault) if fault.kind == FailureKind::Refused || !fault.absent => return Err(fault.into()),
        // Thanos, Mimir and VictoriaMetrics have no targets, or none of their own; they know their jobs.
        Err(fault) => {
            let jobs = values(&reader, "job", "{job!=\"\"}", until).await?;
            notes.push(format!("it tells no targets ({}): its jobs are those with samples of the last hour", fault.what));
            Scraped::of_jobs(jobs)
        }
    };
    let version = get(&reader, "/api/v1/status/buildinfo", &[], until).await;
    found.version = version.and_then(|body| rules::version(body.status, &body.bytes)).ok().and_then(|answered| answered.data);

    progress("which rules it has");
    let body = get(&reader, "/api/v1/rules", &[], until).await;
    let written = noted("rules", body.and_then(|body| decode::rules(body.status, &body.bytes)), notes).unwrap_or_default();
    progress("which Alertmanagers it tells");
    let body = get(&reader, "/api/v1/alertmanagers", &[], until).await;
    let told = noted("Alertmanagers", body.and_then(|body| decode::alertmanagers(body.status, &body.bytes)), notes).unwrap_or_default();
    found.alertmanagers = told.into_iter().filter(|url| is_address(url)).take(ALERTMANAGERS).collect();

    progress("what its jobs measure");
    let measured = measured(&reader, until, notes).await;
    conclude(&mut found, scraped, written, &measured);
    found.notes.append(notes);
    found.notes.iter_mut().for_each(|note| *note = clean(note, NOTE_CAP).into_owned());
    Ok(found)
}

/// Asks an Alertmanager for its version. `own` is false for one that only a server named: no credentials go there, and
/// it has less time.
///
/// # Errors
/// Where it is none, or not there.
pub async fn alertmanager(url: &str, http_config: Option<&Path>, own: bool) -> Result<String, Unread> {
    let deadline = if own { REQUEST } else { HEARSAY };
    let reader = Reader::new(url, http_config.filter(|_| own), Limits { deadline, body_cap: 1 << 20 }).map_err(Fault::from)?;
    let body = reader.get("/api/v2/status", &[]).await.map_err(Fault::from)?;
    let name = |fault: Fault| match short_url(url) {
        host if fault.what.contains(&host) => fault,
        host => Fault { what: format!("{host}: {}", fault.what), ..fault },
    };
    let version = success(&body, "Alertmanager").and_then(decode::alertmanager_version).map_err(name)?;
    Ok(version)
}

/// True for the root address of a system as an estate file takes it.
fn is_address(url: &str) -> bool {
    let plain = !url.chars().any(|c| c.is_whitespace() || c.is_control()) && clean(url, 300) == url;
    plain && Reader::new(url, None, Limits { deadline: HEARSAY, body_cap: 0 }).is_ok()
}

/// By metric, the jobs that have it; by metric and label, the jobs that have it with that label.
#[derive(Debug, Default)]
struct Measured {
    jobs: BTreeMap<String, BTreeSet<String>>,
    codes: BTreeMap<(String, &'static str), BTreeSet<String>>,
}

async fn measured(reader: &Reader, until: Instant, notes: &mut Vec<String>) -> Measured {
    let all = format!("{{__name__=~\".+_requests_total|.+_duration_seconds_bucket|{CPU}|{MEMORY}|{FILESYSTEM}\"}}");
    let names = match values(reader, "__name__", &all, until).await {
        Ok(names) => names,
        Err(fault) => {
            notes.push(format!("what its jobs measure could not be read: {}", fault.what));
            return Measured::default();
        }
    };
    let mut asked: Vec<(String, Option<&'static str>)> = Vec::new();
    let (wanted, left_out) = worth_asking(&names);
    if left_out > 0 {
        notes.push(format!("{left_out} metrics of requests and durations were not looked at: there are very many"));
    }
    for name in wanted {
        if is_requests(&name) {
            asked.extend(CODES.map(|code| (name.clone(), Some(code))));
        }
        asked.push((name, None));
    }
    let answers = stream::iter(asked.into_iter().map(|(name, code)| async move {
        let of = code.map_or_else(|| name.clone(), |code| format!("{name}{{{code}!=\"\"}}"));
        let jobs = values(reader, "job", &of, until).await;
        (name, code, jobs)
    }));
    let answers: Vec<_> = answers.buffer_unordered(IN_FLIGHT).collect().await;
    let mut measured = Measured::default();
    let mut failed = 0;
    for (name, code, jobs) in answers {
        match (jobs, code) {
            (Ok(jobs), None) => drop(measured.jobs.insert(name, jobs.into_iter().collect())),
            (Ok(jobs), Some(code)) => drop(measured.codes.insert((name, code), jobs.into_iter().collect())),
            (Err(fault), _) => {
                if failed == 0 {
                    notes.push(format!("who has {name} could not be read, nor perhaps others: {}", fault.what));
                }
                failed += 1;
            }
        }
    }
    measured
}

fn is_requests(name: &str) -> bool {
    name.ends_with("_requests_total")
}

/// The metrics whose jobs are asked for, and how many are not.
fn worth_asking(names: &[String]) -> (Vec<String>, usize) {
    let mut safe: Vec<&String> = names.iter().filter(|name| decode::is_metric(name) && rank(name) < u8::MAX).collect();
    safe.sort_by_key(|name| (rank(name), name.len(), name.as_str()));
    let (mut requests, mut durations, mut left_out) = (0, 0, 0);
    let mut wanted = Vec::new();
    for name in safe {
        let count = if is_requests(name) { &mut requests } else { &mut durations };
        *count += 1;
        if *count > METRICS { left_out += 1 } else { wanted.push(name.clone()) }
    }
    (wanted, left_out)
}

/// How likely a metric tells how a service serves: 0 is best, [`u8::MAX`] is no candidate at all.
fn rank(name: &str) -> u8 {
    if [CPU, MEMORY, FILESYSTEM, "http_requests_total", "http_request_duration_seconds_bucket"].contains(&name) {
        return 0;
    }
    // What a library counts of its own page is no service's work.
    if name.starts_with("promhttp_") || !(is_requests(name) || name.ends_with("_duration_seconds_bucket")) {
        return u8::MAX;
    }
    match (name.contains("http"), name.contains("request"), name.contains("client")) {
        (true, true, false) => 1,
        (false, true, false) => 2,
        (true, false, false) => 3,
        _ => 4,
    }
}

/// Puts the parts together.
fn conclude(found: &mut Found, scraped: Scraped, written: Written, measured: &Measured) {
    found.targets = scraped.targets;
    found.places = scraped.places();
    found.notes.extend(scraped.notes());
    found.alerting = written.alerting;
    found.recording = written.recording;
    found.watchdog = written.watchdog;
    let mut metrics: Vec<&String> = measured.jobs.keys().collect();
    metrics.sort_by_key(|name| (rank(name), name.len(), name.as_str()));
    let place = found.places.as_ref().map(|places| places.label.as_str());
    for (name, of) in scraped.jobs {
        let has = |metric: &str| measured.jobs.get(metric).is_some_and(|jobs| jobs.contains(&name));
        let best = |suffix: &str| metrics.iter().find(|metric| metric.ends_with(suffix) && has(metric)).map(|metric| (*metric).clone());
        let code = |metric: &str| {
            let with = |code: &&&str| measured.codes.get(&(metric.to_owned(), **code)).is_some_and(|jobs| jobs.contains(&name));
            CODES.iter().find(with).map(|code| (*code).to_owned())
        };
        // A counter whose failures can be told apart is worth more than one with a better name.
        let coded =
            metrics.iter().find(|metric| is_requests(metric) && has(metric) && code(metric).is_some()).map(|metric| (*metric).clone());
        let requests = coded.or_else(|| best("_requests_total")).map(|metric| {
            let code = code(&metric);
            (metric, code)
        });
        found.jobs.push(Job {
            sites: place.and_then(|label| of.places.get(label)).map_or_else(Vec::new, |sites| sites.iter().cloned().collect()),
            targets: of.targets,
            requests,
            latency: best("_duration_seconds_bucket").and_then(|name| name.strip_suffix("_bucket").map(str::to_owned)),
            cpu: has(CPU),
            memory: has(MEMORY),
            filesystem: has(FILESYSTEM),
            name,
        });
    }
}

/// The values of a label among the series of the last hour that match.
async fn values(reader: &Reader, label: &str, matching: &str, until: Instant) -> Result<Vec<String>, Fault> {
    let start = Timestamp::now().checked_sub(LATELY).unwrap_or(Timestamp::UNIX_EPOCH).as_second().to_string();
    let path = format!("/api/v1/label/{label}/values");
    let body = get(reader, &path, &[("match[]", matching), ("start", &start), ("limit", "10000")], until).await?;
    Ok(decode::values(body.status, &body.bytes)?.data)
}
