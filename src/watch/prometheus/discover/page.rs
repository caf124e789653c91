//! Looks at a `/metrics` page once, for a first estate: which of the usual metrics stand on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::decode::is_metric;
use super::{CODES, CPU, FILESYSTEM, Job, MEMORY, REQUEST, Unread, is_requests, rank};
use crate::link::http::{Limits, Reader};
use crate::model::text::{LABEL_CAP, clean};
use crate::watch::BODY_CAP;
use crate::watch::wire::{Fault, short_url, success};

/// Different names of metrics that are minded.
const NAMES: usize = 10_000;

/// Looks at the page at `url`, its whole address. The job is named after the page's host.
///
/// # Errors
/// Where there is no page with metrics.
pub async fn page(url: &str, http_config: Option<&Path>) -> Result<Job, Unread> {
    let rest = url.find("://").map_or(0, |at| at + 3);
    let (base, path) = url.split_at(url[rest..].find('/').map_or(url.len(), |at| rest + at));
    if path.contains(['?', '#']) {
        return Err(Fault::unusable("the address of a page may have no ? and no #").into());
    }
    let reader = Reader::new(base, http_config, Limits { deadline: REQUEST, body_cap: BODY_CAP }).map_err(Fault::from)?;
    let body = reader.get(path, &[]).await.map_err(Fault::from)?;
    let job = success(&body, "a /metrics page").map(|bytes| of(&host(url), &String::from_utf8_lossy(bytes)))?;
    // A page of a login or of another kind has no line that looks like a sample.
    if job.targets == 0 {
        return Err(Fault::unusable(format!("{} answered, but not with metrics: is the path right?", short_url(url))).into());
    }
    Ok(job)
}

/// The host of an address, without its port.
fn host(url: &str) -> String {
    let short = short_url(url);
    let host = short.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    clean(host.trim(), LABEL_CAP).into_owned()
}

/// What stands on a page. Its samples are not read: their names are enough.
pub(super) fn of(host: &str, text: &str) -> Job {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut codes: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(end) = line.find(['{', ' ', '\t']) else { continue };
        let (name, rest) = line.split_at(end);
        if names.len() >= NAMES && !names.contains(name) || !is_metric(name) || rest.trim().is_empty() {
            continue;
        }
        names.insert(name);
        if is_requests(name) {
            let with = |code: &str| ["{", ",", ", "].iter().any(|before| rest.contains(&format!("{before}{code}=\"")));
            codes.entry(name).or_default().extend((0..CODES.len()).filter(|at| with(CODES[*at])));
        }
    }
    let mut ranked: Vec<&str> = names.iter().copied().filter(|name| rank(name) < u8::MAX).collect();
    ranked.sort_by_key(|name| (rank(name), name.len(), *name));
    let code = |name: &str| codes.get(name).and_then(|codes| codes.first()).map(|at| CODES[*at].to_owned());
    let best = |suffix: &str| ranked.iter().copied().find(|name| name.ends_with(suffix));
    let coded = ranked.iter().copied().find(|name| code(name).is_some());
    Job {
        name: host.to_owned(),
        targets: usize::from(!names.is_empty()),
        sites: Vec::new(),
        requests: coded.or_else(|| best("_requests_total")).map(|name| (name.to_owned(), code(name))),
        latency: best("_duration_seconds_bucket").and_then(|name| name.strip_suffix("_bucket")).map(str::to_owned),
        cpu: names.contains(CPU),
        memory: names.contains(MEMORY),
        filesystem: names.contains(FILESYSTEM),
    }
}
