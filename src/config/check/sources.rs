//! Rules about sources: where they are, how often they are asked, and that no secret stands in an address.

use std::collections::HashSet;
use std::path::Path;

use jiff::SignedDuration;
use toml::Spanned;

use super::super::raw::{Key, Raw};
use super::super::report::Report;
use super::super::timing;
use super::kinds::is_whole_address;
use crate::model::age;
use crate::model::problem::Problem;
use crate::model::text::is_hostile;

/// The most bytes of an http_config file that are read.
const HTTP_CONFIG: u64 = 1 << 20;

/// There is something to watch.
pub(super) fn any(raw: &Raw, report: &mut Report<'_>) {
    let lost = ["source", "database", "backup", "history"].iter().any(|table| report.lost(0, table));
    if [raw.source.is_empty(), raw.database.is_empty(), raw.backup.is_empty(), raw.history.is_empty()].iter().all(|empty| *empty) && !lost {
        report.hint(
            report.text.len(),
            "there is no source: nothing would be watched",
            "add [[source]] with name = \"prom\", kind = \"prometheus\", url = \"http://localhost:9090\"",
        );
    }
}

/// Every address is a plain http or https one.
pub(super) fn addresses(raw: &Raw, report: &mut Report<'_>) {
    for source in &raw.source {
        let (table, source) = (source.span().start, source.get_ref());
        let whole = is_whole_address(source);
        for url in source.url.iter().chain(&source.http) {
            address(report, url, whole);
        }
        let mut seen = HashSet::new();
        for url in source.urls.iter().flat_map(|u| u.get_ref()) {
            address(report, url, false);
            if !seen.insert(url.get_ref().trim_end_matches('/')) {
                report.at(url.span().start, "this address is named twice in `urls`");
            }
        }
        if let Some(urls) = source.urls.as_ref().filter(|u| u.get_ref().is_empty() && !report.lost(table, "urls")) {
            report.hint(urls.span().start, "`urls` is empty", "name every peer, such as `urls = [\"http://am1:9093\"]`");
        }
    }
}

pub(super) fn address(report: &mut Report<'_>, written: &Spanned<String>, whole: bool) {
    let (at, text) = (written.span().start, written.get_ref().as_str());
    // The parser drops tabs and line ends without a word, so these are asked for first.
    if text.chars().any(|c| is_hostile(c) || c.is_whitespace()) {
        report.at(at, "the address holds a space, a control or an invisible character");
        return;
    }
    let url = match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {
            report.hint(at, "the address begins with neither http:// nor https://", "such as `http://prometheus:9090`");
            return;
        }
        Err(e) => {
            report.hint(at, format!("this is no address: {e}"), "such as `http://prometheus:9090`");
            return;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        report.hint(at, "the address holds a user or a password", "secrets are references: put credentials into an http_config file");
    }
    if whole && url.fragment().is_some() {
        report.hint(at, "the address has a `#` part", "no server is ever sent that part: leave it out");
    } else if !whole && (url.query().is_some() || url.fragment().is_some()) {
        report.hint(at, "the address has a `?` or `#` part", "write the root address: qd adds the paths of the API");
    }
}

/// The shortest and the longest time that a key may hold. Below, a server is worn out; above, nothing is being
/// watched, or the screen waits for what will not come, or the samples fill the memory.
fn bounds(key: &str) -> (SignedDuration, SignedDuration) {
    match key {
        "timeout" => (SignedDuration::from_millis(100), SignedDuration::from_mins(5)),
        "keep" => (SignedDuration::from_mins(1), SignedDuration::from_hours(7 * 24)),
        _ => (SignedDuration::from_secs(1), SignedDuration::from_hours(24)),
    }
}

/// Every duration can be read and makes sense.
pub(super) fn intervals(raw: &Raw, report: &mut Report<'_>) {
    for source in raw.source.iter().map(Spanned::get_ref) {
        interval(report, "every", &source.every);
        interval(report, "timeout", &source.timeout);
        interval(report, "keep", &source.keep);
        if let (Some(keep), Some(every), Some(kept)) = (&source.keep, timing::every(source), timing::keep(source))
            && kept >= bounds("keep").0
            && kept < every.saturating_mul(2)
        {
            let what = format!("`keep` is too short: two tries of this source take {}", spoken(every.saturating_mul(2)));
            report.at(keep.span().start, what);
        }
    }
}

pub(super) fn interval(report: &mut Report<'_>, key: &str, value: &Key<String>) {
    let Some(value) = value else { return };
    let (shortest, longest) = bounds(key);
    match duration(report, value) {
        Some(d) if d < shortest => report.at(value.span().start, format!("`{key}` is too short: {} at the least", spoken(shortest))),
        Some(d) if d > longest => report.at(value.span().start, format!("`{key}` is too long: {} at the most", spoken(longest))),
        _ => {}
    }
}

/// The duration that is written; what cannot be read is told.
pub(super) fn duration(report: &mut Report<'_>, value: &Spanned<String>) -> Option<SignedDuration> {
    age::parse(value.get_ref()).map_err(|what| report.at(value.span().start, what)).ok()
}

pub(super) fn spoken(duration: SignedDuration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        secs if secs % 86_400 == 0 && secs > 86_400 => format!("{}d", secs / 86_400),
        secs if secs % 3_600 == 0 => format!("{}h", secs / 3_600),
        secs if secs % 60 == 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

/// Every http_config file is there and can be read, and its own reader finds nothing wrong in it.
pub(super) fn http_configs(raw: &Raw, report: &mut Report<'_>) {
    let folder = report.file.parent().unwrap_or(Path::new("")).to_owned();
    let mut seen = HashSet::new();
    let services = raw.service.iter().filter_map(|s| s.get_ref().rollback.as_ref());
    let steps = services.flat_map(|r| r.get_ref().before.iter().chain(&r.get_ref().after)).flat_map(|steps| steps.get_ref());
    let requests = steps.flat_map(|step| {
        let undo = step.get_ref().undo.as_ref().and_then(|undo| undo.get_ref().http.as_ref());
        step.get_ref().http.iter().chain(undo)
    });
    let of_steps = requests.filter_map(|http| http.get_ref().http_config.as_ref());
    for written in raw.source.iter().filter_map(|s| s.get_ref().http_config.as_ref()).chain(of_steps) {
        let at = written.span().start;
        if written.get_ref().is_empty() {
            report.at(at, "`http_config` is empty");
            continue;
        }
        let file = folder.join(written.get_ref());
        match super::super::report::read(&file, HTTP_CONFIG) {
            Err(problem) => {
                let what = format!("the http_config file `{}` {}", written.get_ref(), problem.what);
                report.hint(at, what, "relative paths are taken from the estate file's folder");
            }
            Ok(_) if seen.insert(file.clone()) => report.foreign(at, within_http_config(&file)),
            Ok(_) => {}
        }
    }
}

/// What is wrong inside an http_config file.
fn within_http_config(file: &Path) -> Vec<Problem> {
    super::super::http_config::load(file).err().unwrap_or_default()
}
