//! Rules about names and labels: safe to show, told apart by eye, one meaning each.

use std::collections::HashMap;

use super::super::raw::{Key, Raw, RawLabels};
use super::super::report::Report;
use super::named;
use crate::model::text::is_hostile;

/// Characters of a name; more does not fit a screen of 80 columns.
const LONGEST: usize = 64;

/// No name is empty, endless, padded or holds characters that hide or move what stands beside it.
pub(super) fn safe(raw: &Raw, report: &mut Report<'_>) {
    if let Some(estate) = &raw.estate {
        name(report, "name", &estate.get_ref().name);
        name(report, "environment", &estate.get_ref().environment);
    }
    for key in kinds(raw).into_iter().flat_map(|(_, keys)| keys) {
        name(report, "name", key);
    }
}

fn name(report: &mut Report<'_>, what: &str, key: &Key<String>) {
    let Some((name, at)) = named(key) else { return };
    if name.trim().is_empty() {
        report.at(at, format!("`{what}` is empty"));
    } else if name.chars().any(is_hostile) {
        report.at(at, format!("`{what}` holds a control, invisible or direction-changing character"));
    } else if name.chars().count() > LONGEST {
        report.at(at, format!("`{what}` is longer than {LONGEST} characters"));
    } else if name.trim() != name {
        report.at(at, format!("`{what}` begins or ends with a space"));
    }
}

/// Every name is unique among its kind.
pub(super) fn unique(raw: &Raw, report: &mut Report<'_>) {
    for (kind, keys) in kinds(raw) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (name, at) in keys.into_iter().filter_map(named) {
            match seen.get(name) {
                Some(first) => {
                    let line = report.text.as_bytes()[..*first].iter().filter(|b| **b == b'\n').count() + 1;
                    report.hint(at, format!("there are two {kind}s named `{name}`"), format!("the other one is on line {line}"));
                }
                None => {
                    seen.insert(name, at);
                }
            }
        }
    }
}

fn kinds(raw: &Raw) -> [(&'static str, Vec<&Key<String>>); 9] {
    // A database is read as a source is, and is told from others by the same names.
    let sources = raw.source.iter().map(|s| &s.get_ref().name);
    let databases = raw.database.iter().map(|d| &d.get_ref().name);
    let backups = raw.backup.iter().map(|b| &b.get_ref().name);
    let histories = raw.history.iter().map(|h| &h.get_ref().name);
    [
        ("site", raw.site.iter().map(|s| &s.get_ref().name).collect()),
        ("host", raw.host.iter().map(|h| &h.get_ref().name).collect()),
        ("service", raw.service.iter().map(|s| &s.get_ref().name).collect()),
        // A backup, a database and a history are sources too: one name leads to one of them.
        ("source", sources.chain(databases).chain(backups).chain(histories).collect()),
        ("panel", raw.panel.iter().map(|p| &p.get_ref().name).collect()),
        ("window", raw.window.iter().map(|w| &w.get_ref().name).collect()),
        ("freeze", raw.freeze.iter().map(|f| &f.get_ref().name).collect()),
        ("drill", raw.drill.iter().map(|d| &d.get_ref().name).collect()),
        ("rule", raw.rule.iter().map(|r| &r.get_ref().name).collect()),
    ]
}

/// Labels are there when they are written, are named as Prometheus names them, and hold text that can be shown.
pub(super) fn labels(raw: &Raw, report: &mut Report<'_>) {
    for site in &raw.site {
        set(report, "labels", &site.get_ref().labels);
    }
    for service in &raw.service {
        set(report, "labels", &service.get_ref().labels);
    }
    for source in &raw.source {
        set(report, "dead_man", &source.get_ref().dead_man);
    }
}

fn set(report: &mut Report<'_>, key: &str, labels: &RawLabels) {
    let Some(labels) = labels else { return };
    if labels.get_ref().is_empty() && !report.lost_within(labels.span().start) {
        report.hint(labels.span().start, format!("`{key}` is empty: it would stand for every alert"), "leave the key out, or name a label");
    }
    for (name, value) in labels.get_ref() {
        let text = name.get_ref();
        if !is_label_name(text) {
            let what = format!("`{text}` is no name of a label");
            report.hint(name.span().start, what, "letters, digits and `_`, and no digit first");
        }
        let text = value.get_ref();
        if text.is_empty() {
            report.at(value.span().start, "the label's value is empty, which means that it is not set");
        } else if text.chars().any(is_hostile) {
            report.at(value.span().start, "the label's value holds a control, invisible or direction-changing character");
        } else if text.len() > crate::model::text::LABEL_CAP {
            report.at(value.span().start, format!("the label's value is longer than {} bytes", crate::model::text::LABEL_CAP));
        }
    }
}

/// Prometheus' data model: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(super) fn is_label_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= crate::model::text::LABEL_CAP
}
