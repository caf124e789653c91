//! What a deployment did to its service: each metric after it was live against the same hour of the seven days before.
//! After is the median of the window; before are the medians of the seven windows; `z` is how many of their own spreads
//! (1.4826 times the median absolute deviation, which is a standard deviation where the values are normal) lie between.
//! Only what is more than [`OUTLIER`] of them away, and has changed by more than a floor, is told as a deviation.

use jiff::{SignedDuration, Timestamp};

use crate::model::estate::Estate;
use crate::model::metric::{Plot, show};
use crate::model::panel::{Panel, Unit};

use super::{Deployment, same_place};

/// Windows of the days before.
pub const WINDOWS: usize = 7;
/// Of so many at the least there must be samples.
pub const ENOUGH: usize = 5;
/// Samples without which a window tells nothing.
pub const SAMPLES: usize = 3;
/// How long after it was live is looked at.
pub const AFTER: SignedDuration = SignedDuration::from_mins(30);
/// In less time nothing is judged.
pub const LEAST: SignedDuration = SignedDuration::from_mins(5);
/// Spreads beyond which a change is one.
pub const OUTLIER: f64 = 3.0;
/// The floor: a change of less than this share of what it was is none, however regular the days before were.
pub const SHARE: f64 = 0.05;
/// Panels of one deployment that are looked at; the rest is counted.
pub const PANELS: usize = 8;

/// A piece of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Timestamp,
    /// Its last.
    pub to: Timestamp,
}

/// The time after a deployment in which it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// This. `whole` is false where it is still going on, or the next deployment ended it.
    Span {
        /// It.
        span: Span,
        /// True where nothing will add to it.
        ended: bool,
    },
    /// It is live for less than [`LEAST`].
    TooNew,
    /// The next deployment came after less than [`LEAST`].
    Replaced,
    /// It failed, or nothing tells that it was done: it was not live.
    NotLive,
}

/// The time in which a deployment is judged. `next` is when the next one of its service and place began.
pub fn after(of: &Deployment, next: Option<Timestamp>, now: Timestamp) -> After {
    if !of.is_act() || of.result == Some(super::Ending::Failed) {
        return After::NotLive;
    }
    let from = of.live();
    let plus = |by| from.checked_add(by).unwrap_or(Timestamp::MAX);
    let end = next.unwrap_or(Timestamp::MAX).min(plus(AFTER));
    match (end < plus(LEAST), now < plus(LEAST)) {
        (true, _) => After::Replaced,
        (_, true) => After::TooNew,
        _ => After::Span { span: Span { from, to: end.min(now) }, ended: now >= end },
    }
}

/// The same time of each of the days before (in UTC: where clocks change, an hour is another one), the newest first.
pub fn before(after: Span) -> Vec<Span> {
    let days = 1..=WINDOWS as i64;
    let back = |day: i64| {
        let by = SignedDuration::from_hours(24 * day);
        Some(Span { from: after.from.checked_sub(by).ok()?, to: after.to.checked_sub(by).ok()? })
    };
    days.filter_map(back).collect()
}

/// The panels that tell of a deployment's service, and of its site where both are known, as places in the estate.
pub fn panels(estate: &Estate, of: &Deployment) -> Vec<usize> {
    let own = |panel: &Panel| panel.service.as_deref() == Some(&of.service) && same_place(panel.site.as_deref(), of.site.as_deref());
    (0..estate.panels.len()).filter(|place| own(&estate.panels[*place])).collect()
}

/// The numbers of a plot: at each step the value that speaks for the panel, the worst of its lines, so that lines that come
/// and go with a release (a pod's) do not matter. A moment is told as its age.
pub fn numbers(panel: &Panel, plot: &Plot) -> Vec<f64> {
    let low = panel.low_is_bad();
    let at = |step: usize| {
        let points = plot.series.iter().filter_map(|series| series.points.get(step).copied().flatten()).filter(|value| value.is_finite());
        let worst = points.reduce(|a, b| if (b > a) == low { a } else { b })?;
        Some(if panel.unit == Unit::Moment { plot.time(step).as_second() as f64 - worst } else { worst })
    };
    (0..plot.len).filter_map(at).collect()
}

/// How a metric changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The median of the medians of the days before.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// How many spreads lie between; infinite where the days before were all alike.
    pub z: f64,
    /// Windows of the days before that have samples.
    pub windows: usize,
}

/// What is found of one metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It deviates.
    Deviates(Change),
    /// It does not.
    Same(Change),
    /// There are no samples after the deployment.
    Nothing,
    /// Fewer than [`ENOUGH`] of the windows before have samples: this many.
    Short(usize),
    /// It could not be asked for: why, cleaned.
    Failed(String),
}

/// The smallest change of a metric that is one: a part of what it was, and in its own unit a tenth of a per cent, or a
/// millisecond.
pub fn floor(unit: Unit, before: f64) -> f64 {
    let least = match unit {
        Unit::Ratio | Unit::Seconds => 0.001,
        Unit::Moment => 1.0,
        Unit::Count | Unit::Bytes | Unit::PerSecond => 0.0,
    };
    (before.abs() * SHARE).max(least)
}

/// Judges the numbers after against those of the windows before.
pub fn judge(unit: Unit, after: &[f64], before: &[Vec<f64>]) -> Found {
    let middle = |of: &[f64]| if of.len() >= SAMPLES { median(of) } else { None };
    let Some(now) = middle(after) else { return Found::Nothing };
    let medians: Vec<f64> = before.iter().filter_map(|window| middle(window)).collect();
    let Some(was) = median(&medians).filter(|_| medians.len() >= ENOUGH) else { return Found::Short(medians.len()) };
    let away: Vec<f64> = medians.iter().map(|one| (one - was).abs()).collect();
    let spread = 1.4826 * median(&away).unwrap_or(0.0);
    let by = now - was;
    // Days that are all alike have no spread: any change is endless, and the floor alone decides.
    let z = match (by == 0.0, spread == 0.0) {
        (true, _) => 0.0,
        (_, true) => f64::INFINITY.copysign(by),
        _ => by / spread,
    };
    let change = Change { before: was, after: now, z, windows: medians.len() };
    if z.abs() > OUTLIER && by.abs() > floor(unit, was) { Found::Deviates(change) } else { Found::Same(change) }
}

/// The middle one, or halfway between the two.
fn median(of: &[f64]) -> Option<f64> {
    let mut all = of.to_vec();
    all.sort_by(f64::total_cmp);
    let half = all.len() / 2;
    match all.len() {
        0 => None,
        len if len % 2 == 1 => Some(all[half]),
        _ => Some((all[half - 1] + all[half]) / 2.0),
    }
}

impl Change {
    /// In as few words as can be: `21x`, `0.2x`, `+340ms`, `-0.4pt`.
    pub fn short(&self, unit: Unit) -> String {
        let times = self.after / self.before;
        if self.before != 0.0 && times.is_finite() && (times >= 2.0 || (0.0..=0.5).contains(&times)) {
            return if times >= 10.0 { format!("{times:.0}x") } else { format!("{times:.1}x") };
        }
        let by = self.after - self.before;
        let sign = if by < 0.0 { '-' } else { '+' };
        match unit {
            Unit::Ratio => format!("{sign}{:.1}pt", 100.0 * by.abs()),
            Unit::Moment => format!("{sign}{}", show(by.abs(), Unit::Seconds)),
            unit => format!("{sign}{}", show(by.abs(), unit)),
        }
    }

    /// Whole: `0.1% -> 2.1%`.
    pub fn whole(&self, unit: Unit) -> String {
        let unit = if unit == Unit::Moment { Unit::Seconds } else { unit };
        format!("{} -> {}", show(self.before, unit), show(self.after, unit))
    }
}

/// One metric with what is found of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The panel's name.
    pub panel: String,
    /// What its numbers are.
    pub unit: Unit,
    /// What is found.
    pub found: Found,
}

/// What a deployment did.
#[derive(Debug, Clone, PartialEq)]
pub struct Did {
    /// The time that was judged.
    pub span: Span,
    /// True where nothing will add to it.
    pub ended: bool,
    /// Each metric that was looked at.
    pub metrics: Vec<Metric>,
    /// Panels beyond [`PANELS`], which were not.
    pub left: usize,
}

impl Did {
    /// The metrics that deviate, the farthest first.
    pub fn deviations(&self) -> Vec<(&Metric, Change)> {
        let mut all: Vec<(&Metric, Change)> = self
            .metrics
            .iter()
            .filter_map(|metric| match metric.found {
                Found::Deviates(change) => Some((metric, change)),
                _ => None,
            })
            .collect();
        all.sort_by(|(_, a), (_, b)| b.z.abs().total_cmp(&a.z.abs()));
        all
    }

    /// Metrics that were judged.
    pub fn judged(&self) -> usize {
        self.metrics.iter().filter(|metric| matches!(metric.found, Found::Deviates(_) | Found::Same(_))).count()
    }

    /// For a list: `errors 21x  p95 +340ms`, without the service's name, which stands beside it; `-` where nothing
    /// deviates; `?` where nothing could be judged.
    pub fn short(&self, service: &str) -> String {
        let name = |metric: &Metric| {
            let rest = metric.panel.strip_prefix(service).and_then(|rest| rest.strip_prefix(' ')).map(str::trim);
            rest.filter(|rest| !rest.is_empty()).unwrap_or(&metric.panel).to_owned()
        };
        let all: Vec<String> =
            self.deviations().iter().map(|(metric, change)| format!("{} {}", name(metric), change.short(metric.unit))).collect();
        match (all.is_empty(), self.judged()) {
            (true, 0) => "?".to_owned(),
            (true, _) => "-".to_owned(),
            _ => all.join("  "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deployment::{Dated, Ending};
    use crate::model::label::Labels;
    use crate::model::metric::Series;
    use crate::model::panel::Ask;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(30 * 24 * 60 + minutes)
    }

    fn one() -> Deployment {
        Deployment {
            result: Some(Ending::Succeeded),
            took: Some(SignedDuration::from_mins(2)),
            ..Deployment::new("web", at(0), Dated::Record, "log")
        }
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: at(from), to: at(to) }
    }

    #[test]
    fn it_is_judged_from_when_it_was_live_to_half_an_hour_later_the_next_one_or_now() {
        let of = |next: Option<i64>, now: i64| after(&one(), next.map(at), at(now));
        assert_eq!(of(None, 300), After::Span { span: span(2, 32), ended: true });
        assert_eq!(of(Some(20), 300), After::Span { span: span(2, 20), ended: true });
        assert_eq!(of(None, 10), After::Span { span: span(2, 10), ended: false });
        assert_eq!(of(None, 6), After::TooNew);
        assert_eq!(of(Some(6), 300), After::Replaced);
        assert_eq!(of(None, 7), After::Span { span: span(2, 7), ended: false }, "five minutes are enough");
        assert_eq!(after(&Deployment { result: Some(Ending::Failed), ..one() }, None, at(300)), After::NotLive);
        assert_eq!(after(&Deployment { result: None, dated: Dated::Tag, ..one() }, None, at(300)), After::NotLive);
    }

    #[test]
    fn the_windows_before_are_the_same_time_of_the_seven_days_before() {
        let day = 24 * 60;
        let all = before(span(2, 32));
        assert_eq!(all.len(), 7);
        assert_eq!((all[0], all[6]), (span(2 - day, 32 - day), span(2 - 7 * day, 32 - 7 * day)));
    }

    /// Windows of three equal samples each.
    fn days(values: &[f64]) -> Vec<Vec<f64>> {
        values.iter().map(|value| vec![*value; 3]).collect()
    }

    #[test]
    fn by_hand() {
        // Medians 8 9 9 10 11 11 12: their median is 10, the distances 2 1 1 0 1 1 2 have the median 1: spread 1.4826.
        let week = days(&[8.0, 9.0, 11.0, 10.0, 9.0, 11.0, 12.0]);
        let found = |after: f64| judge(Unit::Count, &[after, 0.0, after, 99.0, after], &week);
        let Found::Deviates(change) = found(15.0) else { panic!("{:?}", found(15.0)) };
        assert_eq!((change.before, change.after, change.windows), (10.0, 15.0, 7));
        assert_eq!(format!("{:.4}", change.z), "3.3725", "5 / 1.4826");
        let Found::Same(change) = found(14.0) else { panic!("{:?}", found(14.0)) };
        assert_eq!(format!("{:.4}", change.z), "2.6980", "4 / 1.4826");
        let Found::Deviates(change) = found(5.0) else { panic!("{:?}", found(5.0)) };
        assert_eq!(format!("{:.4}", change.z), "-3.3725");
    }

    #[test]
    fn of_days_that_were_all_alike_the_floor_decides() {
        let alike = days(&[0.1; 7]);
        assert!(matches!(judge(Unit::Seconds, &[0.1; 3], &alike), Found::Same(Change { z, .. }) if z == 0.0));
        assert!(matches!(judge(Unit::Seconds, &[0.104; 3], &alike), Found::Same(_)), "4 ms of 100 are under a twentieth");
        let Found::Deviates(change) = judge(Unit::Seconds, &[0.44; 3], &alike) else { panic!() };
        assert_eq!((change.z, change.short(Unit::Seconds)), (f64::INFINITY, "4.4x".to_owned()));
        // From nothing: a tenth of a per cent is none, a count of one is one.
        assert!(matches!(judge(Unit::Ratio, &[0.001; 3], &days(&[0.0; 7])), Found::Same(_)));
        assert!(matches!(judge(Unit::Ratio, &[0.021; 3], &days(&[0.0; 7])), Found::Deviates(_)));
        assert!(matches!(judge(Unit::Count, &[1.0; 3], &days(&[0.0; 7])), Found::Deviates(_)));
    }

    #[test]
    fn a_small_change_is_none_however_regular_the_days_were() {
        let week = days(&[100.0, 100.1, 99.9, 100.0, 100.1, 99.9, 100.0]);
        let Found::Same(change) = judge(Unit::Count, &[104.0; 3], &week) else { panic!() };
        assert!(change.z > 20.0, "{change:?}");
    }

    #[test]
    fn without_samples_nothing_is_said_and_gaps_are_counted() {
        let mut week = days(&[1.0; 7]);
        assert_eq!(judge(Unit::Count, &[1.0, 1.0], &week), Found::Nothing);
        week[0].truncate(2);
        week[1].clear();
        assert!(matches!(judge(Unit::Count, &[1.0; 3], &week), Found::Same(Change { windows: 5, .. })));
        week[2].clear();
        assert_eq!(judge(Unit::Count, &[1.0; 3], &week), Found::Short(4));
        assert_eq!(judge(Unit::Count, &[1.0; 3], &[]), Found::Short(0));
    }

    fn panel(unit: Unit, warn: Option<f64>, critical: Option<f64>) -> Panel {
        let (name, source, ask) = ("p".into(), "s".into(), Ask::Promql("up".into()));
        Panel { name, service: None, site: None, source, ask, unit, warn, critical }
    }

    #[test]
    fn at_each_step_the_worst_line_counts_and_a_moment_is_an_age() {
        let series = |points: &[Option<f64>]| Series { labels: Labels::default(), points: points.to_vec() };
        let lines = vec![series(&[Some(1.0), None, Some(f64::NAN), None]), series(&[Some(3.0), Some(2.0), None, None])];
        let plot = Plot { start: at(0), step: 60, len: 4, series: lines, dropped: 0, histograms: 0 };
        assert_eq!(numbers(&panel(Unit::Count, None, None), &plot), [3.0, 2.0], "a gap is no zero");
        assert_eq!(numbers(&panel(Unit::Count, Some(5.0), Some(2.0)), &plot), [1.0, 2.0], "where low is bad, the lowest");
        let newest = series(&[Some((at(0).as_second() - 90) as f64)]);
        let plot = Plot { series: vec![newest], ..plot };
        assert_eq!(numbers(&panel(Unit::Moment, None, None), &plot), [90.0]);
    }

    #[test]
    fn a_list_shows_the_farthest_first() {
        let change = |before, after, z| Found::Deviates(Change { before, after, z, windows: 7 });
        let metric = |panel: &str, unit, found| Metric { panel: panel.into(), unit, found };
        let p95 = metric("p95", Unit::Seconds, change(0.30, 0.55, 4.0));
        let mut did = Did { span: span(2, 32), ended: true, left: 0, metrics: vec![p95] };
        did.metrics.push(metric("err", Unit::Ratio, change(0.001, 0.021, -9.0)));
        did.metrics.push(metric("load", Unit::Count, Found::Short(2)));
        assert_eq!((did.short("web").as_str(), did.judged()), ("err 21x  p95 +250ms", 2));
        did.metrics[1].panel = "web err".into();
        assert_eq!((did.short("web").as_str(), did.short("we").as_str()), ("err 21x  p95 +250ms", "web err 21x  p95 +250ms"));
        did.metrics.drain(..2);
        assert_eq!(did.short("web"), "?", "what cannot be judged is not the same");
        let same = Change { before: 0.012, after: 0.008, z: -1.0, windows: 7 };
        did.metrics.push(metric("err", Unit::Ratio, Found::Same(same)));
        assert_eq!((did.short("web").as_str(), same.short(Unit::Ratio).as_str()), ("-", "-0.4pt"));
    }
}
