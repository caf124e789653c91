//! Rules about what tells of deployments: each kind has its own keys.

use toml::Spanned;

use super::super::raw::{Key, Raw, RawHistory, text};
use super::super::report::Report;
use super::sources::interval;
use crate::model::estate::Part;
use crate::model::text::is_hostile;

/// Bytes of a path, a pattern or a field's place.
const LONGEST: usize = 1_024;
/// Bytes of a query.
const QUERY: usize = 64 << 10;

/// Each kind has what it needs, and nothing that it would not read.
pub(super) fn fits(raw: &Raw, report: &mut Report<'_>) {
    for history in &raw.history {
        let (table, h) = (history.span().start, history.get_ref());
        for (key, value) in [("path", &h.path), ("tags", &h.tags), ("log", &h.log)] {
            value.iter().for_each(|value| plain(report, key, value));
        }
        let kind = text(&h.kind).filter(|kind| super::HISTORIES.contains(kind));
        let Some(kind) = kind else { continue };
        strangers(report, h, kind);
        fields(report, h);
        if ["releases", "git"].contains(&kind) && h.service.is_none() && !report.lost(table, "service") {
            let what = format!("`service` is missing in this [[history]] of kind `{kind}`");
            report.hint(table, what, "it tells of one service: name it");
        }
        if let Some(conninfo) = &h.conninfo {
            super::databases::node(report, conninfo);
        }
        query(report, &h.query);
        if let Some(config) = &h.config {
            configs(report, config);
        }
        if kind == "releases"
            && h.log.is_none()
            && let Some(fields) = &h.fields
        {
            report.hint(fields.span().start, "`fields` is there and `log` is not", "release folders have no lines that they could be in");
        }
        if let (Some(_), Some(hosts)) = (&h.host, &h.hosts) {
            report.hint(hosts.span().start, "both `host` and `hosts` are there", "name all of them in `hosts`");
        }
        if let Some(hosts) = h.hosts.as_ref().filter(|hosts| hosts.get_ref().is_empty() && !report.lost_within(hosts.span().start)) {
            report.hint(hosts.span().start, "`hosts` is empty", "leave the key out for this machine");
        }
        if kind == "git"
            && let Some(tags) = &h.tags
            && tags.get_ref().matches(['*', '?', '[']).count() > 1
        {
            report.hint(tags.span().start, "`tags` holds more than one `*`, or a `?` or `[`", "such as `tags = \"v*\"`");
        }
    }
}

/// Keys of other kinds are told, not passed over.
fn strangers(report: &mut Report<'_>, h: &RawHistory, kind: &str) {
    let at = |key: &Key<String>| key.as_ref().map(|k| k.span().start);
    for (key, place, kinds) in [
        ("path", at(&h.path), &["deploy-log", "releases", "git"][..]),
        ("fields", h.fields.as_ref().map(|f| f.span().start), &["deploy-log", "releases", "sql"]),
        ("tags", at(&h.tags), &["git"]),
        ("host", at(&h.host), &["releases"]),
        ("hosts", h.hosts.as_ref().map(|hosts| hosts.span().start), &["releases"]),
        ("log", at(&h.log), &["releases"]),
        ("config", h.config.as_ref().map(|config| config.span().start), &["releases"]),
        ("conninfo", at(&h.conninfo), &["sql"]),
        ("query", at(&h.query), &["sql"]),
    ] {
        let Some(place) = place.filter(|_| !kinds.contains(&kind)) else { continue };
        let (is, kinds) = (if key.ends_with('s') { "they are" } else { "it is" }, kinds.join("` or `"));
        report.hint(place, format!("`{kind}` has no `{key}`"), format!("{is} for a history of kind `{kinds}`"));
    }
}

/// A query says something, and can be shown. It may have lines.
fn query(report: &mut Report<'_>, query: &Key<String>) {
    let Some(query) = query else { return };
    let (at, text) = (query.span().start, query.get_ref());
    if text.trim().is_empty() {
        report.at(at, "`query` is empty");
    } else if text.len() > QUERY {
        report.at(at, format!("`query` is longer than {QUERY} bytes"));
    } else if text.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\t' | '\r')) {
        report.at(at, "`query` holds a control, invisible or direction-changing character");
    }
}

/// Every pattern stays below the release.
fn configs(report: &mut Report<'_>, config: &Spanned<Vec<Spanned<String>>>) {
    if config.get_ref().is_empty() && !report.lost_within(config.span().start) {
        report.hint(config.span().start, "`config` is empty", "leave the key out: no files are then compared");
    }
    for pattern in config.get_ref() {
        plain(report, "config", pattern);
        let text = pattern.get_ref();
        if !text.trim().is_empty() && text.split('/').any(|part| matches!(part, "" | "." | ".." | "**")) {
            report.hint(
                pattern.span().start,
                format!("`{text}` is no path below a release"),
                "names joined by `/`, such as `config/*.toml`; `*` is any text of one name",
            );
        }
    }
}

fn plain(report: &mut Report<'_>, key: &str, value: &Spanned<String>) {
    let (at, text) = (value.span().start, value.get_ref());
    if text.trim().is_empty() {
        report.at(at, format!("`{key}` is empty"));
    } else if text.len() > LONGEST {
        report.at(at, format!("`{key}` is longer than {LONGEST} bytes"));
    } else if text.chars().any(is_hostile) {
        report.at(at, format!("`{key}` holds a control, invisible or direction-changing character"));
    }
}

/// Every part is one that a deployment has, and stands somewhere.
fn fields(report: &mut Report<'_>, h: &RawHistory) {
    let Some(fields) = &h.fields else { return };
    if fields.get_ref().is_empty() && !report.lost_within(fields.span().start) {
        report.hint(fields.span().start, "`fields` is empty", "leave the key out: the parts then have their own names");
    }
    for (name, place) in fields.get_ref() {
        if Part::named(name.get_ref()).is_none() {
            let words = Part::ALL.map(|(_, word)| word);
            report.choice(name.span().start, format!("a deployment has no `{}`", name.get_ref()), name.get_ref(), &words);
        }
        plain(report, name.get_ref(), place);
        if place.get_ref().split('.').any(str::is_empty) && !place.get_ref().trim().is_empty() {
            report.hint(place.span().start, "a name between the dots is missing", "such as `version = \"release.tag\"`");
        }
    }
}

/// Every duration can be read and makes sense.
pub(super) fn intervals(raw: &Raw, report: &mut Report<'_>) {
    for history in raw.history.iter().map(Spanned::get_ref) {
        interval(report, "every", &history.every);
        interval(report, "timeout", &history.timeout);
    }
}
