//! Rules about what tells of deployments: each kind has its own keys.

use toml::Spanned;

use super::super::raw::{Raw, RawHistory, text};
use super::super::report::Report;
use super::sources::interval;
use crate::model::estate::Part;
use crate::model::text::is_hostile;

/// Bytes of a path, a pattern or a field's place.
const LONGEST: usize = 1_024;

/// Each kind has what it needs, and nothing that it would not read.
pub(super) fn fits(raw: &Raw, report: &mut Report<'_>) {
    for history in &raw.history {
        let (table, h) = (history.span().start, history.get_ref());
        for (key, value) in [("path", &h.path), ("tags", &h.tags)] {
            value.iter().for_each(|value| plain(report, key, value));
        }
        let kind = text(&h.kind).filter(|kind| super::HISTORIES.contains(kind));
        let Some(kind) = kind else { continue };
        if kind == "deploy-log" {
            fields(report, h);
        } else {
            if h.service.is_none() && !report.lost(table, "service") {
                report.hint(
                    table,
                    format!("`service` is missing in this [[history]] of kind `{kind}`"),
                    "it tells of one service: name it",
                );
            }
            if let Some(fields) = &h.fields {
                report.hint(fields.span().start, format!("`{kind}` has no `fields`"), "they are for a history of kind `deploy-log`");
            }
        }
        if let Some(config) = &h.config {
            if kind != "releases" {
                report.hint(config.span().start, format!("`{kind}` has no `config`"), "it is for a history of kind `releases`");
            }
            configs(report, config);
        }
        if kind != "git"
            && let Some(tags) = &h.tags
        {
            report.hint(tags.span().start, format!("`{kind}` has no `tags`"), "they are for a history of kind `git`");
        }
        if kind == "git"
            && let Some(tags) = &h.tags
            && tags.get_ref().matches(['*', '?', '[']).count() > 1
        {
            report.hint(tags.span().start, "`tags` holds more than one `*`, or a `?` or `[`", "such as `tags = \"v*\"`");
        }
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
