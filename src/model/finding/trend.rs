//! A straight line through the points of a series, by least squares as `predict_linear` does: when will it be full?

use jiff::SignedDuration;

use crate::model::age;
use crate::model::metric::Plot;

/// Points that a line needs.
const FEWEST: u32 = 3;

/// The line through the points so far. Means and sums of deviations, because sums of squares of bytes lose digits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trend {
    points: u32,
    mean_time: f64,
    mean_value: f64,
    time_by_time: f64,
    time_by_value: f64,
    /// Seconds from the plot's start.
    first: f64,
    last: f64,
}

impl Trend {
    /// The line through the first `len` points. Gaps and values that are not finite are passed over.
    pub fn of(plot: &Plot, points: &[Option<f64>], len: usize) -> Trend {
        let mut trend = Trend::default();
        for (index, point) in points.iter().enumerate().take(len) {
            trend.add(plot, index, *point);
        }
        trend
    }

    /// For every point the line through it and all before it.
    pub fn each(plot: &Plot, points: &[Option<f64>]) -> Vec<Trend> {
        let mut trend = Trend::default();
        let mut one = |(index, point): (usize, &Option<f64>)| {
            trend.add(plot, index, *point);
            trend
        };
        points.iter().enumerate().map(&mut one).collect()
    }

    fn add(&mut self, plot: &Plot, index: usize, point: Option<f64>) {
        let Some(value) = point.filter(|v| v.is_finite()) else { return };
        let time = index as f64 * plot.step as f64;
        if self.points == 0 {
            self.first = time;
        }
        self.last = time;
        self.points += 1;
        let (from_time, from_value) = (time - self.mean_time, value - self.mean_value);
        self.mean_time += from_time / f64::from(self.points);
        self.mean_value += from_value / f64::from(self.points);
        self.time_by_time += from_time * (time - self.mean_time);
        self.time_by_value += from_time * (value - self.mean_value);
    }

    /// Seconds from a value to `full` at the line's slope; `None` where the value does not rise (or, where it `falls` to
    /// `full`, does not fall), or where the points are too few to tell.
    pub fn time_to(&self, value: f64, full: f64, falls: bool) -> Option<f64> {
        let slope = self.time_by_value / self.time_by_time;
        let left = ((full - value) / slope).max(0.0);
        let nears = if falls { slope < 0.0 } else { slope > 0.0 };
        (self.points >= FEWEST && nears && left.is_finite()).then_some(left)
    }

    /// The time that the points span: `the last hour`, `the last 40m`.
    pub fn told(&self) -> String {
        match (self.last - self.first) as i64 {
            3_600 => "the last hour".into(),
            span => format!("the last {}", age::exact(SignedDuration::from_secs(span))),
        }
    }
}
