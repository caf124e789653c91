//! What comes next: drills, certificates, maintenance windows, freezes, backups and restore tests, the soonest first. Pure:
//! the time is passed in.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::backup::BackupState;
use super::calendar::{Drill, midnight};
use super::estate::{Estate, Severity};
use super::health::Readings;
use super::source::{Answer, Certificate};

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueKind {
    /// A freeze begins, or goes on.
    Freeze,
    /// A maintenance window opens, or is open.
    Window,
    /// A certificate is to be renewed, or ends.
    Certificate,
    /// A drill is to be made.
    Drill,
    /// A backup is to be made.
    Backup,
}

impl DueKind {
    /// The word that every screen and every output uses.
    pub fn word(self) -> &'static str {
        match self {
            DueKind::Freeze => "freeze",
            DueKind::Window => "window",
            DueKind::Certificate => "certificate",
            DueKind::Drill => "drill",
            DueKind::Backup => "backup",
        }
    }
}

/// One thing that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What kind of thing.
    pub kind: DueKind,
    /// Its name in the estate file.
    pub name: String,
    /// What happens then, a few words.
    pub what: String,
    /// When (UTC): what begins, its begin; what is to be done, the last moment for it. `None` where it never was and so is
    /// due already.
    pub at: Option<Timestamp>,
    /// When it ends (UTC), where it has an end.
    pub until: Option<Timestamp>,
    /// How bad it is now.
    pub severity: Severity,
    /// The services that it is about; all of them where there is none.
    pub services: Vec<String>,
    /// The place of the source that tells of it, where one does.
    pub source: Option<usize>,
}

impl Due {
    /// True while it goes on: a window that is open, a freeze that holds.
    pub fn goes_on(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| self.at.is_some_and(|at| at <= now) && now < until)
    }

    /// The moment that its row counts down to: its end while it goes on.
    pub fn counts_to(&self, now: Timestamp) -> Option<Timestamp> {
        if self.goes_on(now) { self.until } else { self.at }
    }

    /// True where it should have been done already.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.until.is_none() && self.at.is_none_or(|at| at < now)
    }
}

/// All that is due, what is late or goes on first, then the soonest.
pub fn due(estate: &Estate, readings: &Readings, backups: &[BackupState], now: Timestamp) -> Vec<Due> {
    let zone = estate.zone.clone().unwrap_or(TimeZone::UTC);
    let mut all = Vec::new();
    for freeze in &estate.calendar.freezes {
        let Some((begin, end)) = freeze.bounds(&zone).filter(|(_, end)| *end > now) else { continue };
        let what = if begin <= now { "nothing is deployed until" } else { "nothing is deployed from" };
        let severity = if begin <= now { Severity::Info } else { Severity::Ok };
        all.push(of((DueKind::Freeze, &freeze.name, what), (Some(begin), Some(end)), severity, &freeze.services, None));
    }
    for window in &estate.calendar.windows {
        let Some((begin, end)) = window.when.next(&zone, now) else { continue };
        let what = if begin <= now { "open until" } else { "opens" };
        all.push(of((DueKind::Window, &window.name, what), (Some(begin), Some(end)), Severity::Ok, &window.services, None));
    }
    for drill in &estate.calendar.drills {
        all.push(of_drill(estate, drill, backups, &zone, now));
    }
    for (place, (source, reading)) in estate.sources.iter().zip(readings).enumerate() {
        let Some(Answer::Probe(answer)) = reading.held.as_ref().map(|held| &held.value) else { continue };
        let Some(certificate) = &answer.certificate else { continue };
        let (what, at, severity) = of_certificate(certificate, now);
        let services: Vec<String> = source.service.iter().cloned().collect();
        all.push(of((DueKind::Certificate, &source.name, what), (at, None), severity, &services, Some(place)));
    }
    for state in backups {
        let Some((source, at)) = estate.sources.get(state.source).zip(state.beat.due) else { continue };
        let severity = if state.beat.silent.is_some() { Severity::Warning } else { Severity::Ok };
        let services: Vec<String> = source.service.iter().cloned().collect();
        all.push(of((DueKind::Backup, &source.name, "next point"), (Some(at), None), severity, &services, Some(state.source)));
    }
    all.sort_by(|a, b| {
        let place = |due: &Due| if due.is_late(now) { 0 } else { 1 };
        place(a).cmp(&place(b)).then(a.counts_to(now).cmp(&b.counts_to(now))).then(a.kind.cmp(&b.kind)).then(a.name.cmp(&b.name))
    });
    all
}

fn of(
    (kind, name, what): (DueKind, &str, &str),
    (at, until): (Option<Timestamp>, Option<Timestamp>),
    severity: Severity,
    services: &[String],
    source: Option<usize>,
) -> Due {
    Due { kind, name: name.to_owned(), what: what.to_owned(), at, until, severity, services: services.to_vec(), source }
}

/// A drill is due so long after the last one; restore tests of its backup count.
fn of_drill(estate: &Estate, drill: &Drill, backups: &[BackupState], zone: &TimeZone, now: Timestamp) -> Due {
    let named = |state: &&BackupState| estate.sources.get(state.source).is_some_and(|s| Some(&s.name) == drill.backup.as_ref());
    let state = backups.iter().find(named);
    let tested = state.and_then(|state| state.tested).map(|test| test.at);
    let last = drill.last.and_then(|day| midnight(day, zone)).max(tested);
    let at = last.and_then(|last| last.checked_add(drill.every).ok());
    let (what, severity) = match at {
        None => ("never made", Severity::Warning),
        Some(at) if at < now => ("should have been made", Severity::Warning),
        Some(_) => ("to be made by", Severity::Ok),
    };
    of((DueKind::Drill, &drill.name, what), (at, None), severity, &drill.services, state.map(|state| state.source))
}

/// The shares of its life from which on someone should, and must, renew it.
const RENEW: f64 = 1.0 / 3.0;
const HURRY: f64 = 1.0 / 10.0;

/// A certificate is to be renewed from a third of its life on; then its end is what counts.
fn of_certificate(certificate: &Certificate, now: Timestamp) -> (&'static str, Option<Timestamp>, Severity) {
    let left = certificate.left(now);
    let life = certificate.not_after.duration_since(certificate.not_before);
    let renew = certificate.not_after.checked_sub(SignedDuration::from_secs((life.as_secs() as f64 * RENEW) as i64)).ok();
    match left {
        left if left <= 0.0 => ("has ended", Some(certificate.not_after), Severity::Critical),
        left if left < HURRY => ("ends", Some(certificate.not_after), Severity::Critical),
        left if left < RENEW => ("ends", Some(certificate.not_after), Severity::Warning),
        _ => ("renew from", renew, Severity::Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::super::calendar::{Calendar, Freeze, Weekly, Window};
    use super::super::estate::tests::{bare, source};
    use super::super::estate::{Probe, SourceKind};
    use super::super::reading::{Outcome, Reading};
    use super::super::source::ProbeAnswer;
    use super::*;
    use std::sync::Arc;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn told(calendar: Calendar, now: &str) -> Vec<(DueKind, String, Option<String>, Severity)> {
        let estate = Estate { calendar, ..bare(vec![]) };
        let all = due(&estate, &[], &[], at(now));
        all.into_iter().map(|due| (due.kind, due.what.clone(), due.counts_to(at(now)).map(|t| t.to_string()), due.severity)).collect()
    }

    #[test]
    fn what_is_late_stands_first_then_the_soonest() {
        let drill = |name: &str, last: Option<&str>| Drill {
            name: name.into(),
            services: vec![],
            every: SignedDuration::from_hours(24 * 90),
            last: last.map(|day| day.parse().unwrap()),
            backup: None,
        };
        let calendar = Calendar {
            windows: vec![Window { name: "w".into(), services: vec![], when: Weekly::parse("Tue 02:00-04:00").unwrap() }],
            freezes: vec![Freeze {
                name: "f".into(),
                services: vec![],
                from: "2026-11-20".parse().unwrap(),
                to: "2026-11-30".parse().unwrap(),
            }],
            drills: vec![drill("soon", Some("2026-09-01")), drill("late", Some("2026-01-01")), drill("never", None)],
        };
        let expected = [
            (DueKind::Drill, "never made".to_owned(), None, Severity::Warning),
            (DueKind::Drill, "should have been made".to_owned(), Some("2026-04-01T00:00:00Z".to_owned()), Severity::Warning),
            (DueKind::Window, "opens".to_owned(), Some("2026-11-24T02:00:00Z".to_owned()), Severity::Ok),
            (DueKind::Drill, "to be made by".to_owned(), Some("2026-11-30T00:00:00Z".to_owned()), Severity::Ok),
            (DueKind::Freeze, "nothing is deployed until".to_owned(), Some("2026-12-01T00:00:00Z".to_owned()), Severity::Info),
        ];
        assert_eq!(told(calendar, "2026-11-21T12:00:00Z"), expected);
    }

    #[test]
    fn a_certificate_counts_down_by_the_share_of_its_life() {
        let kind = SourceKind::Probe { probe: Probe::Tls { address: "a:443".into() }, keep: SignedDuration::from_hours(1) };
        let estate = bare(vec![source("cert", kind)]);
        let certificate =
            Certificate { not_before: at("2026-01-01T00:00:00Z"), not_after: at("2026-04-01T00:00:00Z"), ..Certificate::default() };
        let of = |now: &str| {
            let mut reading = Reading::never(SignedDuration::from_secs(60));
            let answer = ProbeAnswer { up: true, certificate: Some(certificate.clone()), ..ProbeAnswer::default() };
            reading.take(Outcome::Value { value: Answer::Probe(Arc::new(answer)), as_of: at(now) }, None);
            let due = due(&estate, &[reading], &[], at(now)).remove(0);
            (due.what, due.at.unwrap().to_string(), due.severity)
        };
        assert_eq!(of("2026-01-10T00:00:00Z"), ("renew from".into(), "2026-03-02T00:00:00Z".into(), Severity::Ok));
        assert_eq!(of("2026-03-03T00:00:00Z"), ("ends".into(), "2026-04-01T00:00:00Z".into(), Severity::Warning));
        assert_eq!(of("2026-03-30T00:00:00Z"), ("ends".into(), "2026-04-01T00:00:00Z".into(), Severity::Critical));
    }
}
