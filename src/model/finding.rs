//! Findings: what Quarterdeck itself judges wrong, by the estate's rules and by a few that are built in. A finding is an
//! alert whose origin is Quarterdeck, so that lists, filters, needs and health treat it as one.
//!
//! A rule is judged at the time that its value was true, not at the time of looking: the same reading always comes to
//! the same finding, fresh or not, and what goes stale keeps its findings. Only the age of an event is judged now: an
//! event ages even while nobody looks.
//!
//! Nothing that is not known ends a finding. A failed query and a panel without any value leave the findings of the
//! last time as they were; a series whose value is NaN leaves its firing finding firing. A series that is gone from an
//! answer that has others ends it, as in Prometheus. After a time in which nobody looked, what the first samples seem to
//! say ends nothing either, and what held before and holds again has lasted, where that time was no longer than an hour.

mod backup;
mod builtin;
mod database;
mod pause;
#[cfg(test)]
mod tests;
mod trend;
mod undecided;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use self::pause::{Looks, REMEMBERED};
use self::trend::Trend;
pub use self::undecided::{Undecided, undecidable};
use super::age;
use super::alert::{Alert, AlertId, AlertState, Origin};
use super::estate::{Estate, Severity, Source};
use super::health::Readings;
use super::label::{Interner, Labels};
use super::metric::{self, PanelAnswer, Plot, Series};
use super::panel::{Panel, Rule, Unit, When};
use super::reading::Reading;
use super::source::Answer;

/// Findings of one rule that are listed; one more counts the rest.
pub const CAP: usize = 10_000;

/// Steps of a plot without a value that end a run of the condition. A single one between two values that hold ends
/// nothing: it is a scrape that was missed.
const GAP: usize = 2;

/// The findings of the last time.
struct Before<'a> {
    all: &'a [Arc<Alert>],
    by_id: HashMap<&'a str, &'a Arc<Alert>>,
}

impl<'a> Before<'a> {
    fn of(all: &'a [Arc<Alert>]) -> Before<'a> {
        let by_id = all.iter().filter(|a| a.origin == Origin::Quarterdeck).map(|a| (&*a.id.0, a)).collect();
        Before { all, by_id }
    }

    fn get(&self, id: &str) -> Option<&'a Arc<Alert>> {
        self.by_id.get(id).copied()
    }

    /// The findings of one rule.
    fn of_rule(&self, prefix: &str) -> impl Iterator<Item = Arc<Alert>> {
        self.all.iter().filter(move |a| a.origin == Origin::Quarterdeck && a.id.0.starts_with(prefix)).cloned()
    }
}

/// All that Quarterdeck finds in these readings: one finding per rule and series, and those that are built in.
/// `before` holds the findings of the last time, the pending ones too; other alerts in it are passed over.
pub fn findings(estate: &Estate, readings: &Readings, before: &[Arc<Alert>], now: Timestamp) -> Vec<Arc<Alert>> {
    let before = Before::of(before);
    let mut all = Vec::new();
    for rule in &estate.rules {
        let Some(panel) = estate.panel(&rule.panel) else { continue };
        let place = estate.sources.iter().position(|s| s.name == panel.source);
        if let Some((source, reading)) = place.and_then(|p| Some((&estate.sources[p], readings.get(p)?))) {
            let looks = reading.held.as_ref().and_then(|held| Looks::of(panel, held, reading.every));
            let at = At { estate, rule, panel, source, looks, now };
            at.judge(reading, &before, &mut all);
        }
    }
    for (source, reading) in estate.sources.iter().zip(readings) {
        builtin::of_source(estate, source, reading, &before, now, &mut all);
    }
    backup::of_backups(estate, readings, &before, now, &mut all);
    all
}

/// True for a finding about the state of a source itself: it is live knowledge however old that source's values are.
pub fn tells_of_source(alert: &Alert) -> bool {
    alert.origin == Origin::Quarterdeck && alert.id.0.starts_with(builtin::SOURCE)
}

/// The rule of the estate that raised a finding; `None` for one that is built in.
pub fn rule_of<'a>(estate: &'a Estate, alert: &Alert) -> Option<&'a Rule> {
    let ours = |rule: &&Rule| alert.origin == Origin::Quarterdeck && alert.id.0.starts_with(&prefix(rule));
    estate.rules.iter().find(ours)
}

fn has_no_value(answer: &PanelAnswer) -> bool {
    answer.now.iter().all(|sample| sample.value.is_nan())
}

/// What the ids of a rule's findings begin with. The name is quoted: no other rule's ids begin alike.
fn prefix(rule: &Rule) -> String {
    format!("rule {:?} ", rule.name)
}

/// The same for one series, however its labels were ordered when they were read: [`Labels`] are sorted.
fn id(prefix: &str, labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{prefix}{{{}}}", pairs.join(","))
}

/// One rule, and all that is needed to judge a series by it.
struct At<'a> {
    estate: &'a Estate,
    rule: &'a Rule,
    panel: &'a Panel,
    source: &'a Source,
    looks: Option<Looks<'a>>,
    now: Timestamp,
}

/// A series whose condition holds.
struct Holding {
    /// Since when, as far as the reading tells.
    since: Timestamp,
    /// True where nothing that was known before can make `since` an earlier moment.
    exact: bool,
    summary: String,
    /// True where the summary goes on with how long it has been so.
    lasts: bool,
}

impl Holding {
    fn lasting(since: Timestamp, summary: String) -> Holding {
        Holding { since, exact: false, summary, lasts: true }
    }
}

impl At<'_> {
    fn judge(&self, reading: &Reading<Answer>, before: &Before<'_>, all: &mut Vec<Arc<Alert>>) {
        let prefix = prefix(self.rule);
        let answer = reading.held.as_ref().and_then(|held| held.value.panel(&self.panel.name).map(|answer| (held.as_of, answer)));
        let Some((as_of, answer)) = answer.filter(|(_, answer)| answer.error.is_none() && !has_no_value(answer)) else {
            all.extend(before.of_rule(&prefix));
            return;
        };
        let at = if matches!(self.rule.when, When::OlderThan(_)) { self.now } else { as_of };
        let plot = answer.judged.as_ref();
        let series: HashMap<&Labels, &Series> = plot.iter().flat_map(|p| &p.series).map(|s| (&s.labels, s)).collect();
        let filling = self.looks.as_ref().is_some_and(|looks| looks.is_filling(as_of));
        let first = all.len();
        let place = self.place();
        let mut share = Interner::default();
        let (mut listed, mut beyond, mut earliest) = (0, 0, at);
        for sample in &answer.now {
            if sample.value.is_nan() {
                // Looked up only where there is something to keep: a storm of NaN is cheap.
                let known = if before.by_id.is_empty() { None } else { before.get(&id(&prefix, &sample.labels)) };
                all.extend(known.filter(|a| a.state == AlertState::Firing).cloned());
                continue;
            }
            let line = plot.and_then(|plot| Some((plot, series.get(&sample.labels)?.points.as_slice())));
            if let When::FullWithin { full, .. } = self.rule.when
                && line.is_none()
                && !self.is_full(sample.value, full)
            {
                // Without its past nobody knows its pace.
                all.extend(before.get(&id(&prefix, &sample.labels)).cloned());
                continue;
            }
            let Some(holding) = self.holds(sample.value, line, at) else { continue };
            if listed == CAP {
                beyond += 1;
                earliest = earliest.min(holding.since);
                continue;
            }
            listed += 1;
            let id = id(&prefix, &sample.labels);
            let known = before.get(&id);
            let labels = match known {
                Some(known) => known.labels.clone(),
                None => share.labels(sample.labels.iter().filter(|(name, _)| *name != "__name__").chain(place.iter().copied())),
            };
            let lasted = |known: &&Arc<Alert>| !holding.exact && known.updated_at.is_none_or(|told| at.duration_since(told) <= REMEMBERED);
            let since = known.filter(lasted).map_or(holding.since, |known| known.starts_at.min(holding.since));
            let lasts = if holding.lasts { format!(" for {}", age::coarse(at.duration_since(since))) } else { String::new() };
            let which = sample.labels.short();
            let which = if which.is_empty() { which } else { format!(" ({which})") };
            let summary = format!("{}{lasts}{which}", holding.summary);
            all.push(self.finding(id, labels, &summary, since, at, &mut share));
        }
        if beyond > 0 {
            let summary =
                format!("{beyond} more series of {} are {}: too many to list", self.panel.name, said(self.rule.when, self.panel.unit));
            let labels = share.labels(place.iter().copied());
            all.push(self.finding(format!("{prefix}and more"), labels, &summary, earliest, at, &mut share));
        }
        if filling {
            // What does not hold of so few samples is not over yet.
            let told: HashSet<AlertId> = all[first..].iter().map(|alert| alert.id.clone()).collect();
            all.extend(before.of_rule(&prefix).filter(|alert| !told.contains(&alert.id)));
        }
    }

    /// The labels that say where a finding belongs; they win over the series' own.
    fn place(&self) -> Vec<(&str, &str)> {
        let service = self.panel.service.as_deref().and_then(|name| self.estate.service(name));
        let site = self.panel.site.as_deref().and_then(|name| self.estate.sites.iter().find(|s| s.name == name));
        let mut place: Vec<(&str, &str)> = service.iter().flat_map(|s| s.labels.iter()).collect();
        place.extend(site.iter().flat_map(|s| s.labels.iter()));
        place.extend([("alertname", self.rule.name.as_str()), ("severity", self.rule.severity.word())]);
        place
    }

    fn finding(&self, id: String, labels: Labels, summary: &str, since: Timestamp, at: Timestamp, share: &mut Interner) -> Arc<Alert> {
        let long_enough = at.duration_since(since) >= self.rule.holds;
        let state = if long_enough { AlertState::Firing } else { AlertState::Pending };
        let service = self.panel.service.as_deref().and_then(|name| self.estate.service(name));
        let runbook = service.and_then(|s| s.runbook.as_deref()).map(|runbook| ("runbook", runbook));
        let annotations = share.annotations([("summary", summary), ("panel", self.panel.name.as_str())].into_iter().chain(runbook));
        alert(id, &self.source.name, self.rule.severity, labels, annotations, state, since, at)
    }

    /// True where a value has reached `full`.
    fn is_full(&self, value: f64, full: f64) -> bool {
        if self.panel.falls_to(full) { value <= full } else { value >= full }
    }

    /// Since when the condition holds for this series, and what to say of it; `None` where it does not hold.
    fn holds(&self, value: f64, line: Option<(&Plot, &[Option<f64>])>, at: Timestamp) -> Option<Holding> {
        let (name, unit) = (&self.panel.name, self.panel.unit);
        let shown = metric::show(value, unit);
        // Between two steps nothing was seen: a plot whose steps are longer than the rule's time cannot tell that it held.
        let is_fine = |plot: &Plot| self.rule.holds.is_zero() || plot.step <= self.rule.holds.as_secs();
        let run = |holds: &dyn Fn(usize, f64) -> bool| match line {
            Some((plot, points)) if is_fine(plot) => {
                run(plot, points, at, holds, |time| self.looks.as_ref().is_some_and(|l| l.is_unseen(time)))
            }
            _ => at,
        };
        let by = |holds: &dyn Fn(f64) -> bool| run(&|_, v| holds(v));
        match self.rule.when {
            When::Above(limit) => (value > limit)
                .then(|| Holding::lasting(by(&|v| v > limit), format!("{name} is {shown}, above {}", metric::show(limit, unit)))),
            When::Below(limit) => (value < limit)
                .then(|| Holding::lasting(by(&|v| v < limit), format!("{name} is {shown}, below {}", metric::show(limit, unit)))),
            When::OlderThan(limit) => {
                let (past, limit_text) = (seconds_since(value, at)?, age::exact(limit));
                if past <= limit.as_secs_f64() {
                    return None;
                }
                if value <= 0.0 {
                    // Systems tell of what never happened as zero.
                    return Some(Holding::lasting(by(&|v| v <= 0.0), format!("{name}: there was no event yet")));
                }
                // Just when the event became too old, whatever the plot shows.
                let since = Timestamp::from_second(value as i64).ok()?.checked_add(limit).ok()?.min(at);
                let past = age::exact(SignedDuration::from_secs(past as i64));
                let summary = format!("{name}: the newest event is {past} old, over the limit of {limit_text}");
                Some(Holding { since, exact: true, summary, lasts: false })
            }
            When::FullWithin { full, within } => {
                let most = metric::show(full, unit);
                let falls = self.panel.falls_to(full);
                if self.is_full(value, full) {
                    let what =
                        if falls { format!("{name} is USED UP: {shown} left") } else { format!("{name} is FULL: {shown} of {most}") };
                    return Some(Holding::lasting(by(&|v| self.is_full(v, full)), what));
                }
                let (plot, points) = line?;
                let trend = Trend::of(plot, points, points.len());
                let left = trend.time_to(value, full, falls).filter(|left| *left <= within.as_secs_f64())?;
                // The trend as it was then: from the points up to there.
                let trends = Trend::each(plot, points);
                let since = run(&|i, v| trends[i].time_to(v, full, falls).is_some_and(|left| left <= within.as_secs_f64()));
                let left = age::exact(SignedDuration::from_secs(left as i64));
                let end = if falls { "used up" } else { "full" };
                let summary = format!("{name} is {shown}: {end} ({most}) in about {left} at the pace of {}", trend.told());
                Some(Holding { since, exact: false, summary, lasts: false })
            }
        }
    }
}

/// Seconds from a moment given as seconds since the epoch; `None` where that is no moment.
fn seconds_since(moment: f64, at: Timestamp) -> Option<f64> {
    moment.is_finite().then(|| at.as_duration().as_secs_f64() - moment)
}

/// When the unbroken run of points that hold and that ends now began; `at` where there is none. A single step without
/// a value, be it a gap or NaN, breaks no run; [`GAP`] of them in a row do. What was `unseen` breaks none.
fn run(
    plot: &Plot,
    points: &[Option<f64>],
    at: Timestamp,
    holds: impl Fn(usize, f64) -> bool,
    unseen: impl Fn(Timestamp) -> bool,
) -> Timestamp {
    let mut since = at;
    let last = plot.time(points.len().saturating_sub(1));
    let step = SignedDuration::from_secs(plot.step.max(1));
    if at.duration_since(last) > step * GAP as i32 {
        return at;
    }
    let mut missing = 0;
    for (index, point) in points.iter().enumerate().rev() {
        let time = plot.time(index);
        match point.filter(|v| !v.is_nan()) {
            _ if time > at => {}
            Some(value) if holds(index, value) => (since, missing) = (time, 0),
            _ if unseen(time) => {}
            Some(_) => break,
            None => missing += 1,
        }
        if missing == GAP {
            break;
        }
    }
    since
}

/// A condition in words: `above 5%`, `older than 5m`, `full (100%) within 4h`.
pub fn said(when: When, unit: Unit) -> String {
    match when {
        When::Above(limit) => format!("above {}", metric::show(limit, unit)),
        When::Below(limit) => format!("below {}", metric::show(limit, unit)),
        When::OlderThan(limit) => format!("older than {}", age::exact(limit)),
        When::FullWithin { full, within } => format!("full ({}) within {}", metric::show(full, unit), age::exact(within)),
    }
}

/// A finding.
#[expect(clippy::too_many_arguments, reason = "the parts of an alert that a finding has, once each")]
fn alert(
    id: String,
    source: &str,
    severity: Severity,
    labels: Labels,
    annotations: Labels,
    state: AlertState,
    starts_at: Timestamp,
    told: Timestamp,
) -> Arc<Alert> {
    Arc::new(Alert {
        id: AlertId(id.into()),
        source: source.into(),
        origin: Origin::Quarterdeck,
        fingerprint: "".into(),
        labels,
        annotations,
        severity,
        state,
        starts_at,
        updated_at: Some(told),
        silenced_by: vec![],
        inhibited_by: vec![],
        muted_by: vec![],
        receivers: vec![],
        generator_url: None,
        seen_by: vec![],
    })
}
