//! Findings that need no rule in the estate file: a probe that fails, a certificate that ends or is wrong, a source
//! that is not read.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Before, alert};
use crate::model::age;
use crate::model::alert::{Alert, AlertState};
use crate::model::estate::{Estate, Severity, Source};
use crate::model::label::{Interner, Labels};
use crate::model::reading::{Freshness, Reading};
use crate::model::source::{Answer, Certificate, ProbeAnswer};

/// What the ids of findings about a source's own state begin with.
pub(super) const SOURCE: &str = "source ";

/// The share of a certificate's life from which on someone should renew it...
const RENEW: f64 = 1.0 / 3.0;
/// ...and from which on someone must.
const HURRY: f64 = 1.0 / 10.0;

/// What is found of one source.
pub(super) fn of_source(
    estate: &Estate,
    source: &Source,
    reading: &Reading<Answer>,
    before: &Before<'_>,
    now: Timestamp,
    all: &mut Vec<Arc<Alert>>,
) {
    let about = About { estate, source, before };
    about.reading(reading, now, all);
    let Some(held) = &reading.held else { return };
    match &held.value {
        Answer::Probe(answer) => about.probe(answer, held.as_of, now, all),
        Answer::Database(answer) => about.database(answer, held.as_of, all),
        Answer::Backup(_) | Answer::Prometheus(_) | Answer::Alertmanager(_) | Answer::Exposition(_) | Answer::History(_) => {}
    }
}

/// One source, and what a finding about it needs.
pub(super) struct About<'a> {
    pub estate: &'a Estate,
    pub source: &'a Source,
    pub before: &'a Before<'a>,
}

impl About<'_> {
    fn reading(&self, reading: &Reading<Answer>, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
        let name = &self.source.name;
        let freshness = reading.freshness(now);
        let (since, why) = match (&reading.failure, &reading.held) {
            (Some(failure), _) => (Some(failure.since), format!(": {}", failure.what)),
            // A value of an earlier start is old without any fault: the first try is on its way.
            (None, Some(held)) if freshness == Freshness::Stale && !held.cached => (reading.goes_stale(), String::new()),
            _ => return,
        };
        let as_of = reading.held.as_ref().map_or("nothing was ever read".to_owned(), |held| {
            format!("its newest values are {} old", age::exact(now.duration_since(held.as_of)))
        });
        let what = match freshness {
            Freshness::Refused => "source refused",
            Freshness::Unreachable => "source unreachable",
            Freshness::Stale | Freshness::Fresh | Freshness::Never => "source stale",
        };
        let summary = format!("{name} is {}{why}; {as_of}", freshness.word());
        let id = format!("{SOURCE}{name:?} {}", freshness.word());
        self.push(id, what, Severity::Warning, &summary, since.unwrap_or(now), now, all);
    }

    fn probe(&self, answer: &ProbeAnswer, as_of: Timestamp, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
        let found = all.len();
        if let Some(certificate) = &answer.certificate {
            self.certificate(certificate, answer.since.filter(|_| !answer.up).unwrap_or(as_of), now, all);
        }
        // A wrong certificate is why no handshake came about: told once.
        let explained = all[found..].iter().any(|a| !a.id.0.ends_with("\" ends"));
        if !answer.up && !explained {
            let id = format!("probe {:?} fails", self.source.name);
            let since = answer.since.unwrap_or(as_of);
            let why = answer.why.as_deref().unwrap_or("it does not say why");
            let known = self.before.get(&id).map_or(since, |known| known.starts_at.min(since));
            let summary = format!("{}: {why}, for {}", self.source.name, age::coarse(as_of.duration_since(known)));
            self.push(id, "probe fails", Severity::Critical, &summary, since, as_of, all);
        }
    }

    /// A certificate ages while nobody looks: it is judged now, however old the reading is.
    fn certificate(&self, of: &Certificate, since: Timestamp, now: Timestamp, all: &mut Vec<Arc<Alert>>) {
        let whose = of.names.first().map_or(of.subject.as_str(), String::as_str);
        let left = of.not_after.duration_since(now);
        let id = |what: &str| format!("certificate {:?} {what}", self.source.name);
        let ended = now >= of.not_after;
        if ended {
            let summary = format!("{whose}: the certificate expired {} ago", days(left.abs()));
            // The same id as while it was ending: it is the same trouble, grown worse.
            self.push(id("is over"), "certificate expired", Severity::Critical, &summary, of.not_after, now, all);
        } else if of.left(now) < RENEW {
            let share = of.left(now);
            let (severity, from) = if share < HURRY { (Severity::Critical, HURRY) } else { (Severity::Warning, RENEW) };
            let summary = format!("{whose}: {} left, {:.0}% of the certificate's life", days(left), (share * 100.0).floor());
            self.push(id("ends"), "certificate ends", severity, &summary, crossed(of, from).unwrap_or(since), now, all);
        }
        // What is over is not trusted either: that is told already.
        if let Some(why) = of.untrusted.as_ref().filter(|_| !ended) {
            let summary = format!("{whose}: the certificate is not trusted: {why} ({} left)", days(left));
            self.push(id("is not trusted"), "certificate not trusted", Severity::Critical, &summary, since, now, all);
        }
        if !of.name_matches {
            let names = if of.names.is_empty() { &of.subject } else { &of.names.join(", ") };
            let left = if ended { "expired".to_owned() } else { format!("{} left", days(left)) };
            let summary = format!("{}: the certificate is for another name: {names} ({left})", self.source.name);
            self.push(id("has a wrong name"), "certificate for another name", Severity::Critical, &summary, since, now, all);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what one finding differs from another by")]
    pub(super) fn push(
        &self,
        id: String,
        name: &str,
        severity: Severity,
        summary: &str,
        since: Timestamp,
        told: Timestamp,
        all: &mut Vec<Arc<Alert>>,
    ) {
        let service = self.source.service.as_deref().and_then(|name| self.estate.service(name));
        let site = self.source.site.as_deref().and_then(|name| self.estate.sites.iter().find(|s| s.name == name));
        let mut labels: Vec<(&str, &str)> = vec![("source", &self.source.name)];
        labels.extend(service.iter().flat_map(|s| s.labels.iter()));
        labels.extend(site.iter().flat_map(|s| s.labels.iter()));
        labels.extend([("alertname", name), ("severity", severity.word())]);
        let runbook = service.and_then(|s| s.runbook.as_deref()).map(|runbook| ("runbook", runbook));
        let annotations = Interner::default().annotations([("summary", summary)].into_iter().chain(runbook));
        let since = self.before.get(&id).map_or(since, |known| known.starts_at.min(since));
        all.push(alert(id, &self.source.name, severity, Labels::new(labels), annotations, AlertState::Firing, since, told));
    }
}

/// The moment at which only this share of the life was left.
fn crossed(of: &Certificate, share: f64) -> Option<Timestamp> {
    let life = of.not_after.duration_since(of.not_before).as_secs_f64();
    of.not_after.checked_sub(SignedDuration::from_secs((life * share) as i64)).ok()
}

/// A time in days where it is days: `6 days`, `1 day`, `7h 5m`.
fn days(span: SignedDuration) -> String {
    match span.as_secs() / 86_400 {
        0 => age::exact(span),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}
