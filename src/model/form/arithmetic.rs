//! The arithmetic of one counter and of one histogram.

/// A counter's samples, ready to be asked for the rate at many moments.
pub(super) struct Counter {
    times: Vec<i64>,
    values: Vec<f64>,
    /// What was lost by resets up to each sample.
    resets: Vec<f64>,
}

impl Counter {
    pub(super) fn new(samples: impl Iterator<Item = (i64, f64)>) -> Counter {
        let mut counter = Counter { times: vec![], values: vec![], resets: vec![] };
        let (mut before, mut lost) = (f64::NEG_INFINITY, 0.0);
        for (time, value) in samples {
            // A drop is a restart from zero. What is not finite is lost to arithmetic in any case and must not spoil the rest.
            if value < before && before.is_finite() {
                lost += before;
            }
            before = value;
            counter.times.push(time);
            counter.values.push(value);
            counter.resets.push(lost);
        }
        counter
    }

    /// The increase per second over the window that ends at `moment`, extrapolated to the window's ends unless the samples
    /// end more than 1.1 mean intervals before them (then by half an interval), and not below zero. `None` with fewer
    /// than two samples. Times in milliseconds.
    pub(super) fn rate(&self, moment: i64, over: i64) -> Option<f64> {
        let begin = self.times.partition_point(|time| *time <= moment - over);
        let end = self.times.partition_point(|time| *time <= moment);
        if end < begin + 2 {
            return None;
        }
        let (first, last) = (begin, end - 1);
        let increase = self.values[last] - self.values[first] + (self.resets[last] - self.resets[first]);
        let sampled = (self.times[last] - self.times[first]) as f64;
        let mean = sampled / (last - first) as f64;
        let reach = |distance: i64| if distance as f64 >= mean * 1.1 { mean / 2.0 } else { distance as f64 };
        let mut to_start = reach(self.times[first] - (moment - over));
        if increase > 0.0 && self.values[first] >= 0.0 {
            // A counter was never below zero: no further back than to where it would have been zero.
            to_start = to_start.min(sampled * (self.values[first] / increase));
        }
        let to_end = reach(moment - self.times[last]);
        Some(increase * ((sampled + to_start + to_end) / sampled) / (over as f64 / 1_000.0))
    }
}

/// The quantile of cumulative buckets, sorted by their upper bounds, as `histogram_quantile` tells it: NaN without a
/// bucket up to infinity or without observations; the highest finite bound where it lies above it.
pub(super) fn quantile(q: f64, mut buckets: Vec<(f64, f64)>) -> f64 {
    if q.is_nan() || buckets.iter().any(|(_, count)| count.is_nan()) {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    if buckets.len() < 2 || buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return f64::NAN;
    }
    // Scraped while they were written, buckets may shrink: each holds at least what the one below it holds.
    let mut most = f64::NEG_INFINITY;
    for (_, count) in &mut buckets {
        most = most.max(*count);
        *count = most;
    }
    let observations = most;
    if observations == 0.0 {
        return f64::NAN;
    }
    let rank = q * observations;
    let last = buckets.len() - 1;
    let at = buckets[..last].partition_point(|(_, count)| *count < rank);
    if at == last {
        return buckets[last - 1].0;
    }
    let (bound, count) = buckets[at];
    if at == 0 && bound <= 0.0 {
        return bound;
    }
    let (below, less) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    below + (bound - below) * ((rank - less) / (count - less))
}
