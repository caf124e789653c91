//! What would be lost now, and what is due, in the JSON of `qd status`.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::model::due::Due;
use crate::model::estate::Severity;

use super::Report;
use super::backup::{self, ExposureOut};

/// One of `exposure`: what would be lost of one service, all of its backups counted.
#[derive(Serialize)]
pub struct ExposedOut<'a> {
    service: &'a str,
    rpo_seconds: Option<f64>,
    data_lost: ExposureOut<'a>,
    site_lost: Option<ExposureOut<'a>>,
    site_lost_is: Option<&'a str>,
}

/// One of `due`.
#[derive(Serialize)]
pub struct DueOut<'a> {
    kind: &'static str,
    name: &'a str,
    what: &'a str,
    at: Option<Timestamp>,
    until: Option<Timestamp>,
    state: Severity,
    late: bool,
    goes_on: bool,
    services: &'a [String],
    source: Option<&'a str>,
}

/// One of `windows`.
#[derive(Serialize)]
pub struct WindowOut<'a> {
    name: &'a str,
    when: &'a str,
    services: &'a [String],
}

/// One of `freezes`.
#[derive(Serialize)]
pub struct FreezeOut<'a> {
    name: &'a str,
    from: Date,
    to: Date,
    services: &'a [String],
}

/// One of `drills`.
#[derive(Serialize)]
pub struct DrillOut<'a> {
    name: &'a str,
    every_seconds: f64,
    last: Option<Date>,
    backup: Option<&'a str>,
    services: &'a [String],
}

/// What would be lost of each service that has a backup; a backup without a service is told by its own name.
pub(super) fn exposure<'a>(report: &'a Report<'a>) -> Vec<ExposedOut<'a>> {
    let mut seen = HashSet::new();
    let named = |place: usize| report.estate.sources.get(place).map(|s| s.service.as_deref().unwrap_or(&s.name));
    let all = report.view.backups.iter().filter_map(|of| named(of.source).map(|service| (service, of)));
    all.filter(|(service, _)| seen.insert(*service))
        .map(|(service, of)| ExposedOut {
            service,
            rpo_seconds: of.rpo().map(|rpo| rpo.as_secs_f64()),
            data_lost: backup::exposure(of, &of.loss.data, report.at),
            site_lost: of.loss.site().map(|(_, lost)| backup::exposure(of, lost, report.at)),
            site_lost_is: of.loss.site().map(|(site, _)| site.as_str()),
        })
        .collect()
}

/// One of `due`.
pub(super) fn due<'a>(due: &'a Due, report: &'a Report<'a>) -> DueOut<'a> {
    DueOut {
        kind: due.kind.word(),
        name: &due.name,
        what: &due.what,
        at: due.at,
        until: due.until,
        state: due.severity,
        late: due.is_late(report.at),
        goes_on: due.goes_on(report.at),
        services: &due.services,
        source: due.source.and_then(|place| report.estate.sources.get(place)).map(|source| source.name.as_str()),
    }
}

/// The estate's windows.
pub(super) fn windows<'a>(report: &'a Report<'a>) -> Vec<WindowOut<'a>> {
    let all = report.estate.calendar.windows.iter();
    all.map(|of| WindowOut { name: &of.name, when: &of.when.text, services: &of.services }).collect()
}

/// The estate's freezes.
pub(super) fn freezes<'a>(report: &'a Report<'a>) -> Vec<FreezeOut<'a>> {
    let all = report.estate.calendar.freezes.iter();
    all.map(|of| FreezeOut { name: &of.name, from: of.from, to: of.to, services: &of.services }).collect()
}

/// The estate's drills.
pub(super) fn drills<'a>(report: &'a Report<'a>) -> Vec<DrillOut<'a>> {
    let all = report.estate.calendar.drills.iter();
    all.map(|of| DrillOut {
        name: &of.name,
        every_seconds: of.every.as_secs_f64(),
        last: of.last,
        backup: of.backup.as_deref(),
        services: &of.services,
    })
    .collect()
}
