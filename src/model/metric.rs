//! Metrics: series on a grid of steps, what is asked of a source, and the arithmetic of steps, windows and columns.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::age;
use super::label::Labels;
use super::panel::Unit;

/// Series drawn per panel; the rest is counted in [`Plot::dropped`] and said on the screen.
pub const SERIES_CAP: usize = 200;
/// Newest values kept per panel: each of them is judged, by thresholds and by rules. The rest is counted.
pub const NOW_CAP: usize = 10_000;
/// Prometheus refuses a range query with more points than this per series.
pub const POINT_LIMIT: i64 = 11_000;

/// What the screen wants of a source's panels: how far back, and how many points across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// How far back from now.
    pub range: SignedDuration,
    /// Points across the widest plot (columns, twice that for Braille dots).
    pub points: u16,
}

impl Default for Demand {
    fn default() -> Demand {
        Demand { range: SignedDuration::from_hours(1), points: 120 }
    }
}

/// The newest value of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The series.
    pub labels: Labels,
    /// Its value; NaN where the source said NaN. JSON has no NaN: kept as text in the cache.
    #[serde(with = "number")]
    pub value: f64,
}

/// One series on the grid of its [`Plot`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The series' labels.
    pub labels: Labels,
    /// One entry per grid step: `None` is a gap (no sample), NaN is a sample that is not a number.
    #[serde(with = "numbers")]
    pub points: Vec<Option<f64>>,
}

/// The answer of one range query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// The time of the first grid step (UTC).
    pub start: Timestamp,
    /// Seconds between two grid steps.
    pub step: i64,
    /// Grid steps; every series has as many points.
    pub len: usize,
    /// At most [`SERIES_CAP`] series.
    pub series: Vec<Series>,
    /// Series that were received and not kept.
    pub dropped: usize,
    /// Series with native histograms only, which have no line to draw.
    pub histograms: usize,
}

impl Plot {
    /// The time of a grid step.
    pub fn time(&self, index: usize) -> Timestamp {
        let secs = self.step.saturating_mul(index as i64);
        self.start.checked_add(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MAX)
    }

    /// The time of the last grid step.
    pub fn end(&self) -> Timestamp {
        self.time(self.len.saturating_sub(1))
    }

    /// The same series on other steps: each takes the nearest point, and what is not in this plot is a gap.
    pub fn onto(&self, start: Timestamp, step: i64, len: usize) -> Plot {
        let own = self.step.max(1);
        let place = |index: usize| {
            let at = start.as_second().saturating_add(step.saturating_mul(index as i64)).saturating_sub(self.start.as_second());
            usize::try_from(at.saturating_add(own / 2).div_euclid(own)).ok().filter(|place| *place < self.len)
        };
        let places: Vec<Option<usize>> = (0..len).map(place).collect();
        let moved = |one: &Series| Series {
            labels: one.labels.clone(),
            points: places.iter().map(|place| place.and_then(|place| one.points.get(place).copied().flatten())).collect(),
        };
        let series = self.series.iter().map(moved).collect();
        Plot { start, step, len, series, dropped: self.dropped, histograms: self.histograms }
    }
}

/// What a source said about one panel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PanelAnswer {
    /// The newest values, at most [`NOW_CAP`].
    pub now: Vec<Sample>,
    /// Series in the newest values that were received and not kept.
    pub now_dropped: usize,
    /// The range, where it was asked for and answered.
    pub plot: Option<Plot>,
    /// The range that rules are judged by, where there is one for this panel; see [`super::panel::judged`].
    pub judged: Option<Plot>,
    /// Why the query failed, where it did (cleaned).
    pub error: Option<String>,
    /// Warnings and infos that came with the answer (cleaned).
    pub notes: Vec<String>,
}

impl PanelAnswer {
    /// Puts the newest values at the end of the plot where it has a gap there: what began after the last step is seen at
    /// once. Not for what rules are judged by, which is taken before.
    pub fn lay_newest(&mut self) {
        let Some(plot) = self.plot.as_mut().filter(|plot| plot.len > 0) else { return };
        let all = (plot.series.len() + plot.dropped).max(self.now.len() + self.now_dropped);
        let known: std::collections::HashMap<Labels, usize> =
            plot.series.iter().enumerate().map(|(at, one)| (one.labels.clone(), at)).collect();
        for sample in &self.now {
            let at = match known.get(&sample.labels) {
                Some(at) => *at,
                None if plot.series.len() < SERIES_CAP => {
                    plot.series.push(Series { labels: sample.labels.clone(), points: vec![None; plot.len] });
                    plot.series.len() - 1
                }
                None => continue,
            };
            if let Some(last) = plot.series[at].points.last_mut() {
                last.get_or_insert(sample.value);
            }
        }
        plot.dropped = all.saturating_sub(plot.series.len());
    }

    /// The value that speaks for the panel: the worst by its thresholds, the largest among equals (the smallest where
    /// low is bad), NaN only where there is nothing else. `None` where there is no series at all.
    pub fn worst(&self, panel: &super::panel::Panel) -> Option<f64> {
        let low_is_bad = panel.low_is_bad();
        let pick = self.now.iter().map(|s| s.value).filter(|v| !v.is_nan()).reduce(|a, b| if (b > a) == low_is_bad { a } else { b });
        pick.or_else(|| self.now.last().map(|s| s.value))
    }
}

/// The step of a range query for so many points: at least the scrape interval and a second, rounded up to a tidy
/// value, and never so small that [`POINT_LIMIT`] is passed. Seconds.
pub fn step(range: SignedDuration, points: u16, scrape: SignedDuration) -> i64 {
    const TIDY: [i64; 20] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];
    let range = range.as_secs().max(1);
    let scrape = scrape.as_millis().div_euclid(1_000) as i64 + i64::from(scrape.as_millis() % 1_000 != 0);
    let wanted = (range / i64::from(points.max(1))).max(scrape).max(range / (POINT_LIMIT - 1) + 1).max(1);
    TIDY.into_iter().find(|tidy| *tidy >= wanted).unwrap_or(wanted)
}

/// First and last step of a range that ends now, both on multiples of the step, so that a graph does not shimmer
/// from poll to poll. Seconds since the epoch.
pub fn aligned(now: Timestamp, range: SignedDuration, step: i64) -> (i64, i64) {
    let end = now.as_second().div_euclid(step) * step;
    let start = (now.as_second() - range.as_secs()).div_euclid(step) * step;
    (start.min(end), end)
}

/// A rate window that always holds enough samples, in seconds: max(step + scrape, 4 x scrape), the rule of Grafana's
/// `$__rate_interval`.
pub fn rate_window(step: i64, scrape: SignedDuration) -> i64 {
    let scrape = scrape.as_secs().max(1);
    (step + scrape).max(4 * scrape)
}

/// What one screen column of a plot holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Column {
    /// No sample at all.
    Gap,
    /// Samples, none of them a number.
    NaN,
    /// The smallest and largest of the samples, so that the spike that paged someone stays visible.
    Span {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

/// Folds points into `columns` columns by minimum and maximum. With fewer points than columns each point
/// takes the columns up to the next one.
pub fn columns(points: &[Option<f64>], columns: usize) -> Vec<Column> {
    (0..columns)
        .map(|c| {
            let from = c * points.len() / columns.max(1);
            let to = ((c + 1) * points.len() / columns.max(1)).max(from + 1).min(points.len());
            fold(points.get(from..to).unwrap_or(&[]))
        })
        .collect()
}

fn fold(points: &[Option<f64>]) -> Column {
    points.iter().flatten().fold(Column::Gap, |column, &value| match (column, value.is_nan()) {
        (Column::Span { min, max }, false) => Column::Span { min: min.min(value), max: max.max(value) },
        (_, false) => Column::Span { min: value, max: value },
        (Column::Gap, true) => Column::NaN,
        (column, true) => column,
    })
}

/// A value with its unit, in at most nine characters: `2.1%`, `340ms`, `1.5GiB`, `12.3/s`, `NaN`, `+Inf`.
pub fn show(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .into();
    }
    match unit {
        Unit::Ratio => format!("{}%", digits(value * 100.0)),
        Unit::PerSecond => format!("{}/s", scaled(value, 1_000.0, &["", "k", "M", "G", "T", "P"])),
        Unit::Count => scaled(value, 1_000.0, &["", "k", "M", "G", "T", "P"]),
        Unit::Bytes => scaled(value, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]),
        Unit::Seconds => seconds(value),
        Unit::Moment => Timestamp::from_second(value as i64).map_or_else(|_| digits(value), |at| at.strftime("%H:%M:%SZ").to_string()),
    }
}

/// The same where the present is known: a moment is then its age, `7m ago`, `in 3h`.
pub fn show_at(value: f64, unit: Unit, now: Timestamp) -> String {
    let moment = (unit == Unit::Moment && value.is_finite()).then(|| Timestamp::from_second(value as i64).ok()).flatten();
    let Some(moment) = moment else { return show(value, unit) };
    let age = now.duration_since(moment);
    if age.as_secs() < 0 { format!("in {}", age::coarse(age.abs())) } else { format!("{} ago", age::coarse(age)) }
}

/// How much more or less one value is than another: `+0.3%`, `-40ms`, `0`.
pub fn difference(now: f64, then: f64, unit: Unit) -> String {
    let by = now - then;
    let unit = if unit == Unit::Moment { Unit::Seconds } else { unit };
    let sign = if by > 0.0 { "+" } else { "" };
    format!("{sign}{}", show(by, unit).trim_start_matches('+'))
}

fn seconds(value: f64) -> String {
    let size = value.abs();
    let (divisor, unit) = match size {
        0.0 => (1.0, "s"),
        s if s < 1e-3 => (1e-6, "us"),
        s if s < 1.0 => (1e-3, "ms"),
        s if s < 120.0 => (1.0, "s"),
        s if s < 7_200.0 => (60.0, "m"),
        s if s < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{}{unit}", digits(value / divisor))
}

fn scaled(mut value: f64, by: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value.abs() >= by && unit + 1 < units.len() {
        value /= by;
        unit += 1;
    }
    format!("{}{}", digits(value), units[unit])
}

/// Three digits that matter: `0.012`, `2.1`, `34.5`, `340`; scientific where that would be long.
fn digits(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => return "0".into(),
        s if !(1e-3..1e5).contains(&s) => return format!("{value:.1e}"),
        s if s < 1.0 => format!("{value:.3}"),
        s if s < 10.0 => format!("{value:.2}"),
        s if s < 100.0 => format!("{value:.1}"),
        _ => return format!("{value:.0}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

mod number {
    //! A float as JSON text, because JSON knows no NaN and no infinity.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod numbers {
    //! Floats and gaps as one JSON text, short and quick to read: `1;;NaN;`. Each ends with its own mark: one gap is
    //! not the same as nothing.
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(points: &[Option<f64>], to: S) -> Result<S::Ok, S::Error> {
        let text: String = points.iter().map(|p| p.map_or_else(|| ";".to_owned(), |v| format!("{v};"))).collect();
        to.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Option<f64>>, D::Error> {
        let text = String::deserialize(from)?;
        text.split_terminator(';').map(|v| if v.is_empty() { Ok(None) } else { v.parse().map(Some).map_err(D::Error::custom) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAPE: SignedDuration = SignedDuration::from_secs(15);

    #[test]
    fn the_step_follows_width_and_scrape_interval_and_keeps_the_point_limit() {
        let hours = SignedDuration::from_hours;
        assert_eq!(step(hours(1), 120, SCRAPE), 30);
        assert_eq!(step(hours(1), 1_000, SCRAPE), 15, "never finer than the scrape interval");
        assert_eq!(step(hours(24), 120, SCRAPE), 900, "720 rounded up to a tidy step");
        for days in [1, 30, 365, 36_500] {
            let range = hours(24 * days);
            let step = step(range, u16::MAX, SignedDuration::from_secs(1));
            assert!(range.as_secs() / step < POINT_LIMIT, "{days} days at {step} s");
        }
    }

    #[test]
    fn the_window_moves_only_by_whole_steps() {
        let at = |s| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        let range = SignedDuration::from_secs(600);
        assert_eq!(aligned(at(1_000_000_001), range, 30), (999_999_390, 999_999_990));
        assert_eq!(aligned(at(1_000_000_001), range, 30), aligned(at(1_000_000_019), range, 30));
    }

    #[test]
    fn a_plot_on_other_steps_has_what_it_had_there_and_gaps_elsewhere() {
        let at = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        let series = vec![Series { labels: Labels::default(), points: vec![Some(1.0), None, Some(3.0)] }];
        let plot = Plot { start: at(100), step: 10, len: 3, series, dropped: 2, histograms: 0 };
        assert_eq!(plot.onto(at(100), 10, 3), plot);
        let moved = plot.onto(at(90), 10, 6);
        assert_eq!(moved.series[0].points, [None, Some(1.0), None, Some(3.0), None, None]);
        assert_eq!((moved.start, moved.end(), moved.dropped), (at(90), at(140), 2));
        assert_eq!(plot.onto(at(100), 5, 4).series[0].points, [Some(1.0), None, None, Some(3.0)]);
        assert_eq!(plot.onto(at(5_000), 10, 2).series[0].points, [None, None]);
    }

    #[test]
    fn a_newest_value_without_a_step_is_the_last_point_and_no_series_is_lost_from_the_count() {
        let named = |n: usize| Labels::new([("id", n.to_string())]);
        let series = vec![Series { labels: named(1), points: vec![Some(1.0), Some(2.0)] }];
        let plot = Plot { start: Timestamp::UNIX_EPOCH, step: 10, len: 2, series, dropped: 9_800, histograms: 0 };
        let now = (0..NOW_CAP).map(|n| Sample { labels: named(n), value: 7.0 }).collect();
        let mut answer = PanelAnswer { now, plot: Some(plot), ..PanelAnswer::default() };
        answer.lay_newest();
        let plot = answer.plot.unwrap();
        assert_eq!((plot.series.len(), plot.dropped), (SERIES_CAP, NOW_CAP - SERIES_CAP));
        assert_eq!(plot.series[0].points, [Some(1.0), Some(2.0)], "a step that has a sample keeps it");
        assert_eq!(plot.series[1].points, [None, Some(7.0)]);
    }

    #[test]
    fn the_rate_window_holds_four_scrapes() {
        assert_eq!(rate_window(30, SCRAPE), 60);
        assert_eq!(rate_window(300, SCRAPE), 315);
    }

    #[test]
    fn a_spike_survives_down_sampling_and_a_gap_is_no_zero() {
        let mut points = vec![Some(1.0); 100];
        points[50] = Some(99.0);
        points[0..10].fill(None);
        points[10..20].fill(Some(f64::NAN));
        let folded = columns(&points, 10);
        assert_eq!(folded[0], Column::Gap);
        assert_eq!(folded[1], Column::NaN);
        assert_eq!(folded[5], Column::Span { min: 1.0, max: 99.0 });
        assert_eq!(columns(&points[50..51], 3), vec![Column::Span { min: 99.0, max: 99.0 }; 3]);
        assert_eq!(columns(&[], 2), [Column::Gap; 2]);
    }

    #[test]
    fn values_are_short_and_carry_their_unit() {
        let shown = [
            show(0.0213, Unit::Ratio),
            show(0.34, Unit::Seconds),
            show(90.0, Unit::Seconds),
            show(1.5 * 1024.0 * 1024.0 * 1024.0, Unit::Bytes),
            show(12_345.0, Unit::PerSecond),
            show(0.0, Unit::Count),
            show(-0.5, Unit::Count),
            show(1e-9, Unit::Count),
            show(f64::NEG_INFINITY, Unit::Count),
        ];
        assert_eq!(shown, ["2.13%", "340ms", "90s", "1.5GiB", "12.3k/s", "0", "-0.5", "1.0e-9", "-Inf"]);
    }

    #[test]
    fn a_moment_is_an_age_where_the_present_is_known() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10_000);
        let shown =
            [(9_500.0, Unit::Moment), (17_300.0, Unit::Moment), (1e300, Unit::Moment), (f64::NAN, Unit::Moment), (9_500.0, Unit::Count)];
        let shown = shown.map(|(value, unit)| show_at(value, unit, now));
        assert_eq!(shown, ["8m ago", "in 2h", "1.0e300", "NaN", "9.5k"]);
    }

    #[test]
    fn numbers_that_json_lacks_survive_the_cache() {
        let series = Series { labels: Labels::default(), points: vec![Some(1.5), None, Some(f64::NAN), Some(f64::INFINITY)] };
        let back: Series = serde_json::from_str(&serde_json::to_string(&series).unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{series:?}"));
        for points in [vec![], vec![None], vec![None, None], vec![Some(1.0), None], vec![None, Some(1.0)]] {
            let series = Series { labels: Labels::default(), points };
            let back: Series = serde_json::from_str(&serde_json::to_string(&series).unwrap()).unwrap();
            assert_eq!(back, series, "a gap at the end, or alone, is a gap");
        }
    }
}
