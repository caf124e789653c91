//! Rules about the kinds of sources: each has its own keys.

use toml::Spanned;

use super::super::raw::{Raw, RawSource, text};
use super::super::report::Report;
use super::is;
use crate::model::text::is_hostile;

/// Each kind has what it needs, and nothing that it would not read.
pub(super) fn fits(raw: &Raw, report: &mut Report<'_>) {
    for source in &raw.source {
        let (table, s) = (source.span().start, source.get_ref());
        match text(&s.kind) {
            Some("prometheus") => one_address(report, table, s, "a prometheus", "http://prometheus:9090", "one source per Prometheus"),
            Some("exposition") => one_address(report, table, s, "an exposition", "http://web1:8000/metrics", "one source per page"),
            Some("alertmanager") => peers(report, table, s),
            Some("probe") => probe(report, table, s),
            _ => {}
        }
        let Some(kind) = text(&s.kind).filter(|kind| super::KINDS.contains(kind)) else { continue };
        strangers(report, s, kind);
    }
}

fn one_address(report: &mut Report<'_>, table: usize, s: &RawSource, kind: &str, sample: &str, hint: &str) {
    match (&s.url, &s.urls) {
        (_, Some(urls)) => report.hint(urls.span().start, format!("{kind} has `url`, not `urls`"), hint),
        (None, None) if !report.lost(table, "url") && !report.lost(table, "urls") => {
            report.hint(table, "`url` is missing in this [[source]]", format!("such as `url = \"{sample}\"`"));
        }
        _ => {}
    }
}

fn peers(report: &mut Report<'_>, table: usize, s: &RawSource) {
    match (&s.url, &s.urls) {
        (Some(url), _) => {
            report.hint(url.span().start, "an alertmanager has `urls`, not `url`", format!("`urls = [\"{}\"]`", url.get_ref()));
        }
        (None, None) if !report.lost(table, "url") && !report.lost(table, "urls") => {
            let hint = "such as `urls = [\"http://am1:9093\", \"http://am2:9093\"]`";
            report.hint(table, "`urls` is missing in this [[source]]", hint);
        }
        _ => {}
    }
}

/// A probe asks one thing.
fn probe(report: &mut Report<'_>, table: usize, s: &RawSource) {
    let mut asked: Vec<(&str, &Spanned<String>)> =
        [("http", &s.http), ("tcp", &s.tcp), ("tls", &s.tls)].into_iter().filter_map(|(key, v)| Some((key, v.as_ref()?))).collect();
    asked.sort_by_key(|(_, value)| value.span().start);
    match asked.as_slice() {
        [] if ["http", "tcp", "tls"].iter().any(|key| report.lost(table, key)) => {}
        [] => match &s.url {
            Some(url) => report.hint(url.span().start, "a probe has no `url`", format!("`http = \"{}\"`", url.get_ref())),
            None => report.hint(
                table,
                "this probe asks nothing",
                "one of `http = \"https://shop.example/healthz\"`, `tcp = \"host:port\"` or `tls = \"host:port\"`",
            ),
        },
        [(first, _), rest @ ..] => {
            for (key, value) in rest {
                report.hint(
                    value.span().start,
                    format!("`{first}` and `{key}` are both given"),
                    "a probe asks one thing: make two sources",
                );
            }
        }
    }
    for (_, address) in asked.iter().filter(|(key, _)| *key != "http") {
        host_and_port(report, address);
    }
    if asked.iter().all(|(key, _)| *key == "tcp")
        && !asked.is_empty()
        && let Some(http_config) = &s.http_config
    {
        report.hint(http_config.span().start, "a plain connection has no `http_config`", "it is for `http` and `tls`");
    }
    let Some(expect) = &s.expect else { return };
    if let [(key, _)] = asked.as_slice()
        && *key != "http"
    {
        report.hint(expect.span().start, format!("`expect` is for `http`, and this probe asks `{key}`"), "leave it out");
    }
    let (at, expected) = (expect.span().start, expect.get_ref());
    if expected.status.is_none() && expected.body.is_none() && !report.lost_within(at) {
        report.hint(at, "`expect` is empty", "such as `expect = { status = 200, body = \"ok\" }`");
    }
    if let Some(status) = expected.status.as_ref().filter(|s| !(100..=599).contains(s.get_ref())) {
        report.hint(status.span().start, format!("there is no HTTP status {}", status.get_ref()), "a number from 100 to 599");
    }
    if let Some(body) = &expected.body {
        if body.get_ref().is_empty() {
            report.hint(body.span().start, "`body` is empty: every answer holds that", "leave the key out");
        } else if body.get_ref().len() > 4_096 {
            report.at(body.span().start, "`body` is longer than 4096 bytes");
        }
    }
}

/// `host:port`, and nothing before or after it.
fn host_and_port(report: &mut Report<'_>, written: &Spanned<String>) {
    let (at, text) = (written.span().start, written.get_ref().as_str());
    let hint = "such as `shop.example:443` or `[::1]:443`";
    if text.chars().any(|c| is_hostile(c) || c.is_whitespace()) {
        report.at(at, "the address holds a space, a control or an invisible character");
    } else if text.contains("//") {
        report.hint(at, "`host:port` is needed here, not a whole address", hint);
    } else {
        match text.rsplit_once(':') {
            None => report.hint(at, "the port is missing", hint),
            Some((host, _)) if url::Host::parse(host).is_err() => report.hint(at, "this is no host and port", hint),
            Some((_, port)) if port.parse::<u16>().is_ok_and(|p| p > 0) && port.bytes().all(|b| b.is_ascii_digit()) => {}
            Some(_) => report.hint(at, "the port is no number from 1 to 65535", hint),
        }
    }
}

/// Keys of other kinds are told, not passed over.
fn strangers(report: &mut Report<'_>, s: &RawSource, kind: &str) {
    let place = |key: &super::Key<String>| key.as_ref().map(|k| k.span().start);
    if let Some(dead_man) = s.dead_man.as_ref().filter(|_| kind != "alertmanager") {
        let what = format!("{} has no `dead_man`: it is an alert, and alerts come from an alertmanager", named(kind));
        report.hint(dead_man.span().start, what, "move it to the source of kind `alertmanager`");
    }
    if let Some(at) = place(&s.keep).filter(|_| matches!(kind, "prometheus" | "alertmanager")) {
        report.hint(at, format!("{} has no `keep`: its history is its own", named(kind)), "it is for an exposition or a probe");
    }
    if kind == "probe" {
        // Where nothing else is asked, `probe` has told of `url`.
        let asks = s.http.is_some() || s.tcp.is_some() || s.tls.is_some();
        if let Some(at) = place(&s.url).filter(|_| asks) {
            report.hint(at, "a probe has no `url`", "its address stands in `http`, `tcp` or `tls`");
        }
        if let Some(urls) = &s.urls {
            report.hint(urls.span().start, "a probe has no `urls`", "its address stands in `http`, `tcp` or `tls`");
        }
        return;
    }
    for (key, at) in
        [("http", place(&s.http)), ("tcp", place(&s.tcp)), ("tls", place(&s.tls)), ("expect", s.expect.as_ref().map(|e| e.span().start))]
    {
        let Some(at) = at else { continue };
        report.hint(at, format!("{} has no `{key}`", named(kind)), "it is for a source of kind `probe`");
    }
}

fn named(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// True where the whole address may have a query: a page or a probe is asked for exactly what is written.
pub(super) fn is_whole_address(source: &RawSource) -> bool {
    is(&source.kind, "exposition") || is(&source.kind, "probe")
}
