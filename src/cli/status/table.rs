//! `qd status` for people: needs first, then services, sources and panels.

mod databases;

use std::collections::HashSet;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::app::verdict::of_source;
use crate::model::age;
use crate::model::alert::{AlertId, Origin};
use crate::model::backup::{Exposure, Outcome};
use crate::model::estate::Severity;
use crate::model::health::{self, Health};
use crate::model::metric;
use crate::model::needs::About;
use crate::model::reading::Freshness;
use crate::model::text::{NOTE_CAP, clean};

use super::super::columns;
use super::super::deployments::cells;
use super::Report;

/// Prints the report.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let quiet = report.view.alerts.iter().filter(|a| a.state.is_quiet()).count();
    let title = format!("{} {}", report.estate.name, report.estate.environment);
    let at = report.at.strftime("%Y-%m-%dT%H:%M:%SZ");
    writeln!(out, "{}: {} at {at}", clean(&title, NOTE_CAP), report.verdict().word())?;
    let found = report.view.alerts.iter().filter(|a| a.origin == Origin::Quarterdeck).count();
    let found = if found > 0 { format!(", found by quarterdeck itself {found}") } else { String::new() };
    writeln!(out, "alerts {}, of them muted {quiet}{found}", report.view.alerts.len())?;
    section(out, "needs you", needs(report))?;
    section(out, "services", services(report))?;
    section(out, "databases", databases::rows(report))?;
    section(out, "backups", backups(report))?;
    section(out, "next", due(report))?;
    section(out, "sources", sources(report))?;
    section(out, "panels", panels(report))?;
    section(out, "deployments", deployments(report))
}

fn section(out: &mut dyn Write, title: &str, rows: Vec<Vec<String>>) -> io::Result<()> {
    // The first row is the head, or a sentence where there is nothing else.
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    columns::write(out, &rows)
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// A word with its mark: state is told without colours here.
fn state(severity: Severity, stale: bool) -> String {
    let mark = match severity {
        Severity::Critical => "X ",
        Severity::Warning => "! ",
        Severity::Unknown => "? ",
        Severity::Ok | Severity::Info => "",
    };
    format!("{mark}{}{}", severity.word(), if stale { " (stale)" } else { "" })
}

fn ago(report: &Report<'_>, since: Option<Timestamp>) -> String {
    since.map_or_else(|| "-".to_owned(), |since| age::exact(report.at.duration_since(since)))
}

fn needs(report: &Report<'_>) -> Vec<Vec<String>> {
    let mut rows = vec![row(&["STATE", "SINCE", "WHAT -> DO"])];
    let ours: HashSet<&AlertId> = (report.view.alerts.iter()).filter(|a| a.origin == Origin::Quarterdeck).map(|a| &a.id).collect();
    for need in &report.view.needs {
        let due = need.due.map_or_else(String::new, |due| format!(" (in {})", age::exact(due.duration_since(report.at))));
        // One cell: both are as long as people write them, and what stands behind a long cell is out of sight.
        let origin = if matches!(&need.about, About::Alerts(_, ids) if ids.iter().any(|id| ours.contains(id))) {
            " (found by quarterdeck)"
        } else {
            ""
        };
        let text = format!("{}{due}{origin} -> {}", need.what, need.action);
        rows.push(vec![state(need.severity, need.stale), ago(report, need.since), text]);
    }
    if rows.len() == 1 {
        // "Nothing" is only said by those who looked.
        let all_fresh = report.readings.iter().all(|r| r.freshness(report.at) == Freshness::Fresh);
        rows = vec![row(&[if all_fresh { "nothing" } else { "nothing known; not every source was read" }])];
    }
    rows
}

fn services(report: &Report<'_>) -> Vec<Vec<String>> {
    if report.view.services.is_empty() {
        return Vec::new();
    }
    let mut head = row(&["NAME", "STATE"]);
    head.extend(report.estate.sites.iter().map(|s| s.name.clone()));
    head.extend(row(&["ALERTS", "MUTED", "WORST"]));
    let mut rows = vec![head];
    for service in &report.view.services {
        let of = |health: &Health| state(health.severity, health.stale);
        let mut row = vec![service.service.clone(), of(&service.overall)];
        row.extend(service.sites.iter().map(|site| site.as_ref().map_or_else(|| "-".to_owned(), of)));
        row.extend([service.overall.alerts.to_string(), service.overall.muted.to_string()]);
        row.push(service.worst.clone().unwrap_or_default());
        rows.push(row);
    }
    rows
}

fn backups(report: &Report<'_>) -> Vec<Vec<String>> {
    if report.view.backups.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row(&[
        "NAME",
        "STATE",
        "NEWEST",
        "LOST NOW",
        "RPO",
        "WORST",
        "COPY LOST",
        "SITE LOST",
        "ACCOUNT LOST",
        "PROOF",
        "VERIFIED",
        "RESTORED",
        "LADDER",
        "DUE",
    ])];
    for of in &report.view.backups {
        let lost = |exposure: &Exposure| match exposure {
            Exposure::Since(_) => exposure.span(report.at).map_or_else(|| "?".into(), age::exact),
            Exposure::Everything => "everything".into(),
            Exposure::Unknown(_) => "?".into(),
        };
        let fresh = report.readings[of.source].freshness(report.at) == Freshness::Fresh;
        let rungs: Vec<String> = of.ladders.iter().map(|l| format!("{} {}/{}", l.tier.every, l.filled(), l.slots.len())).collect();
        let due = match (of.beat.silent, of.beat.due) {
            (Some(since), _) => format!("! silent for {}", age::exact(report.at.duration_since(since))),
            (None, Some(due)) => format!("in {}", age::exact(due.duration_since(report.at))),
            (None, None) => "?".into(),
        };
        rows.push(vec![
            report.estate.sources[of.source].name.clone(),
            state(of.severity(report.at), of.answer.is_some() && !fresh),
            ago(report, of.newest.as_ref().map(|p| p.restores_to)),
            lost(&of.loss.data),
            of.rpo().map_or_else(|| "? none".into(), age::exact),
            match of.worst {
                Some(worst) if of.cannot_comply() => format!("! {}", age::exact(worst.total())),
                Some(worst) => age::exact(worst.total()),
                None => "?".into(),
            },
            of.loss.copy.as_ref().map_or_else(|| "?".into(), |(_, exposure)| lost(exposure)),
            of.loss.site().map_or_else(|| "?".into(), |(_, exposure)| lost(exposure)),
            of.loss.account().map_or_else(|| "?".into(), |(_, exposure)| lost(exposure)),
            of.newest.as_ref().map_or("-", |p| p.proof().word()).into(),
            verified(report, of.source),
            of.tested.map_or_else(|| "? never".into(), |test| format!("{} ago", ago(report, Some(test.at)))),
            if rungs.is_empty() { "? none".into() } else { rungs.join(", ") },
            due,
        ]);
    }
    rows
}

/// How the newest verification ended, and when: `passed 3h ago`.
fn verified(report: &Report<'_>, source: usize) -> String {
    let proven = report.proofs.of_source(report.estate, source);
    let Some(of) = proven.and_then(|proven| proven.last.as_ref()).map(|last| &last.of) else { return "? never".into() };
    let mark = match of.outcome {
        Outcome::Passed => "",
        Outcome::Failed => "X ",
        Outcome::Begun | Outcome::Cancelled | Outcome::Unknown => "? ",
    };
    format!("{mark}{} {} ago", of.outcome.word(), ago(report, of.ended))
}

fn due(report: &Report<'_>) -> Vec<Vec<String>> {
    if report.view.due.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row(&["STATE", "KIND", "NAME", "WHAT", "WHEN", "LEFT", "SERVICES"])];
    for of in &report.view.due {
        let at = of.counts_to(report.at);
        let left = match at {
            None => "now".to_owned(),
            Some(at) if at < report.at => format!("{} late", age::exact(report.at.duration_since(at))),
            Some(at) => age::exact(at.duration_since(report.at)),
        };
        rows.push(vec![
            state(of.severity, false),
            of.kind.word().to_owned(),
            of.name.clone(),
            of.what.clone(),
            at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%MZ").to_string()),
            left,
            if of.services.is_empty() { "all".to_owned() } else { of.services.join(" ") },
        ]);
    }
    rows
}

fn sources(report: &Report<'_>) -> Vec<Vec<String>> {
    let mut rows = vec![row(&["NAME", "KIND", "STATE", "AGE", "ERROR"])];
    for (source, reading) in report.estate.sources.iter().zip(report.readings) {
        let freshness = reading.freshness(report.at);
        let mark = match of_source(freshness) {
            Severity::Ok => "",
            Severity::Unknown => "? ",
            _ => "! ",
        };
        rows.push(vec![
            source.name.clone(),
            source.kind.word().into(),
            format!("{mark}{}", freshness.word()),
            ago(report, reading.held.as_ref().map(|h| h.as_of)),
            reading.failure.as_ref().map_or_else(String::new, |f| f.what.clone()),
        ]);
    }
    rows
}

fn panels(report: &Report<'_>) -> Vec<Vec<String>> {
    let panels = health::panels(report.estate, report.readings, report.at);
    if panels.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row(&["NAME", "SERVICE", "VALUE", "STATE", "AGE", "ERROR"])];
    for view in panels {
        let value = view.value().map_or_else(|| "no data".to_owned(), |v| metric::show_at(v, view.panel.unit, report.at));
        rows.push(vec![
            view.panel.name.clone(),
            view.panel.service.clone().unwrap_or_else(|| "-".into()),
            value,
            state(view.severity(), view.as_of.is_some() && view.freshness != Freshness::Fresh),
            ago(report, view.as_of),
            view.answer.and_then(|a| a.error.clone()).unwrap_or_default(),
        ]);
    }
    rows
}

/// Deployments told: the newest.
const DEPLOYMENTS: usize = 10;

fn deployments(report: &Report<'_>) -> Vec<Vec<String>> {
    let all = &report.view.deployments.all;
    if all.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![row(&["TIME", "SERVICE", "SITE", "VERSION", "WHO", "RESULT", "TOOK"])];
    rows.extend(all.iter().take(DEPLOYMENTS).map(|one| cells(one)));
    rows
}
