//! What an estate file must hold beside its shape. One function per rule; each tells all that it finds.

mod backups;
mod calendar;
mod databases;
mod forms;
mod histories;
mod hosts;
mod kinds;
mod names;
mod operations;
mod panels;
mod references;
mod rules;
mod services;
mod sources;

use toml::Spanned;

use super::raw::{Key, Raw, text};
use super::report::{Report, listed};

/// The newest version of the estate file that this program reads.
pub(super) const VERSION: i64 = 1;

/// The words of `role`.
pub(super) const ROLES: [&str; 2] = ["primary", "standby"];
/// The words of `kind`.
pub(super) const KINDS: [&str; 4] = ["prometheus", "alertmanager", "exposition", "probe"];
/// The words of a database's `kind`.
pub(super) const DATABASES: [&str; 1] = ["postgres"];
/// The words of a backup's `kind`.
pub(super) const BACKUP_KINDS: [&str; 5] = ["directory", "pgbackrest", "restic", "command", "archiver"];
/// The words of a history's `kind`.
pub(super) const HISTORIES: [&str; 4] = ["deploy-log", "releases", "git", "sql"];
/// The words of `unit`.
pub(super) const UNITS: [&str; 6] = ["count", "ratio", "seconds", "bytes", "per-second", "moment"];
/// The words of a rule's `severity`.
pub(super) const SEVERITIES: [&str; 2] = ["critical", "warning"];

/// Every rule.
pub(super) fn all(raw: &Raw, report: &mut Report<'_>) {
    version(raw, report);
    required(raw, report);
    words(raw, report);
    databases::required(raw, report);
    zone(raw, report);
    names::safe(raw, report);
    names::unique(raw, report);
    names::labels(raw, report);
    references::lead_somewhere(raw, report);
    references::not_twice(raw, report);
    references::no_cycles(raw, report);
    sources::any(raw, report);
    sources::addresses(raw, report);
    kinds::fits(raw, report);
    sources::intervals(raw, report);
    hosts::reached(raw, report);
    hosts::paths(raw, report);
    histories::fits(raw, report);
    histories::intervals(raw, report);
    sources::http_configs(raw, report);
    databases::nodes(raw, report);
    databases::limits(raw, report);
    backups::fits(raw, report);
    backups::times(raw, report);
    calendar::times(raw, report);
    panels::queries(raw, report);
    panels::thresholds(raw, report);
    forms::one_each(raw, report);
    forms::computable(raw, report);
    forms::places(raw, report);
    rules::one_condition(raw, report);
    rules::can_be_met(raw, report);
    services::note(raw, report);
    services::runbooks(raw, report);
    services::commands(raw, report);
    operations::fits(raw, report);
}

/// The file says which version of the format it is, and it is one that this program knows.
fn version(raw: &Raw, report: &mut Report<'_>) {
    match &raw.version {
        None if report.lost(0, "version") => {}
        None => report.hint(0, "`version` is missing", format!("write `version = {VERSION}` above the first table")),
        Some(v) if *v.get_ref() > VERSION => report.hint(
            v.span().start,
            format!("version {} is newer than this program, which knows version {VERSION}", v.get_ref()),
            "use a newer qd",
        ),
        Some(v) if *v.get_ref() < 1 => {
            report.hint(v.span().start, format!("there is no version {}", v.get_ref()), format!("write `version = {VERSION}`"));
        }
        Some(_) => {}
    }
}

/// The keys that nothing can stand in for.
fn required(raw: &Raw, report: &mut Report<'_>) {
    match &raw.estate {
        None if report.lost(0, "estate") => {}
        None => report.hint(0, "the table `[estate]` is missing", "it holds `name` and `environment`, the first line of every screen"),
        Some(estate) => {
            let (at, e) = (estate.span().start, estate.get_ref());
            missing(report, at, "[estate]", "name", &e.name, "such as `name = \"storefront\"`");
            missing(report, at, "[estate]", "environment", &e.environment, "such as `environment = \"production\"`");
        }
    }
    for site in &raw.site {
        let (at, s) = (site.span().start, site.get_ref());
        missing(report, at, "[[site]]", "name", &s.name, "such as `name = \"fra1\"`");
        missing(report, at, "[[site]]", "role", &s.role, &format!("it is {}", listed(&ROLES)));
    }
    for host in &raw.host {
        missing(report, host.span().start, "[[host]]", "name", &host.get_ref().name, "such as `name = \"web1\"`");
    }
    for service in &raw.service {
        missing(report, service.span().start, "[[service]]", "name", &service.get_ref().name, "such as `name = \"web\"`");
    }
    for source in &raw.source {
        let (at, s) = (source.span().start, source.get_ref());
        missing(report, at, "[[source]]", "name", &s.name, "such as `name = \"prom\"`");
        missing(report, at, "[[source]]", "kind", &s.kind, &format!("it is {}", listed(&KINDS)));
    }
    for backup in &raw.backup {
        let (at, b) = (backup.span().start, backup.get_ref());
        missing(report, at, "[[backup]]", "name", &b.name, "such as `name = \"documents\"`");
        missing(report, at, "[[backup]]", "kind", &b.kind, &format!("it is {}", listed(&BACKUP_KINDS)));
    }
    for window in &raw.window {
        let (at, w) = (window.span().start, window.get_ref());
        missing(report, at, "[[window]]", "name", &w.name, "such as `name = \"weekly\"`");
        missing(report, at, "[[window]]", "when", &w.when, "such as `when = \"Tue 02:00-04:00\"`");
    }
    for freeze in &raw.freeze {
        let (at, f) = (freeze.span().start, freeze.get_ref());
        missing(report, at, "[[freeze]]", "name", &f.name, "such as `name = \"end of year\"`");
        missing(report, at, "[[freeze]]", "from", &f.from, "such as `from = \"2026-12-18\"`");
        missing(report, at, "[[freeze]]", "to", &f.to, "such as `to = \"2027-01-03\"`, the last day of it");
    }
    for drill in &raw.drill {
        let (at, d) = (drill.span().start, drill.get_ref());
        missing(report, at, "[[drill]]", "name", &d.name, "such as `name = \"failover\"`");
        missing(report, at, "[[drill]]", "every", &d.every, "such as `every = \"90d\"`");
    }
    for objective in &raw.objective {
        let (at, o) = (objective.span().start, objective.get_ref());
        missing(report, at, "[[objective]]", "service", &o.service, "the name of a service");
    }
    for history in &raw.history {
        let (at, h) = (history.span().start, history.get_ref());
        missing(report, at, "[[history]]", "name", &h.name, "such as `name = \"deploys\"`");
        missing(report, at, "[[history]]", "kind", &h.kind, &format!("it is {}", listed(&HISTORIES)));
        if is(&h.kind, "sql") {
            missing(report, at, "[[history]]", "conninfo", &h.conninfo, "such as `conninfo = \"host=db1 user=qd dbname=deploys\"`");
            missing(report, at, "[[history]]", "query", &h.query, "such as `query = \"select service, version, time from deployments\"`");
        } else {
            missing(report, at, "[[history]]", "path", &h.path, "such as `path = \"/var/log/deploys.jsonl\"`");
        }
    }
    for panel in &raw.panel {
        let (at, p) = (panel.span().start, panel.get_ref());
        missing(report, at, "[[panel]]", "name", &p.name, "such as `name = \"errors\"`");
        missing(report, at, "[[panel]]", "source", &p.source, "the name of a source of kind `prometheus`, `exposition` or `probe`");
    }
    for rule in &raw.rule {
        let (at, r) = (rule.span().start, rule.get_ref());
        missing(report, at, "[[rule]]", "name", &r.name, "such as `name = \"queue is filling\"`");
        missing(report, at, "[[rule]]", "panel", &r.panel, "the name of a panel");
    }
}

fn missing<T>(report: &mut Report<'_>, table: usize, title: &str, key: &str, value: &Key<T>, hint: &str) {
    if value.is_none() && !report.lost(table, key) {
        report.hint(table, format!("`{key}` is missing in this {title}"), hint);
    }
}

/// `role`, `kind`, `unit` and `severity` are one of their words.
fn words(raw: &Raw, report: &mut Report<'_>) {
    for site in &raw.site {
        word(report, "role", &site.get_ref().role, &ROLES);
    }
    for source in &raw.source {
        word(report, "kind", &source.get_ref().kind, &KINDS);
    }
    for backup in &raw.backup {
        word(report, "kind", &backup.get_ref().kind, &BACKUP_KINDS);
    }
    for history in &raw.history {
        word(report, "kind", &history.get_ref().kind, &HISTORIES);
    }
    for panel in &raw.panel {
        word(report, "unit", &panel.get_ref().unit, &UNITS);
    }
    for rule in &raw.rule {
        word(report, "severity", &rule.get_ref().severity, &SEVERITIES);
    }
}

fn word(report: &mut Report<'_>, key: &str, value: &Key<String>, words: &[&str]) {
    if let Some(value) = value
        && !words.contains(&value.get_ref().as_str())
    {
        report.choice(value.span().start, format!("`{}` is no {key}", value.get_ref()), value.get_ref(), words);
    }
}

/// The zone is one of the IANA database that is built in. Built in, so that no folder is walked at start and every
/// machine gives the same answer.
fn zone(raw: &Raw, report: &mut Report<'_>) {
    let Some((zone, name)) = raw.estate.as_ref().and_then(|e| e.get_ref().zone.as_ref()).map(|z| (z, z.get_ref())) else { return };
    let known = jiff::tz::TimeZoneDatabase::bundled();
    if known.get(name).is_err() {
        let names: Vec<String> = known.available().map(|n| n.as_str().to_owned()).collect();
        match super::report::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => report.hint(zone.span().start, format!("`{name}` is no IANA time zone"), format!("did you mean `{near}`?")),
            None => report.hint(zone.span().start, format!("`{name}` is no IANA time zone"), "such as `Europe/Warsaw` or `UTC`"),
        }
    }
}

/// The name of an entry with its place, where it has one.
fn named<'r>(key: &'r Key<String>) -> Option<(&'r str, usize)> {
    key.as_ref().map(|k: &'r Spanned<String>| (k.get_ref().as_str(), k.span().start))
}

/// True where the key holds exactly this text.
fn is(key: &Key<String>, word: &str) -> bool {
    text(key) == Some(word)
}
