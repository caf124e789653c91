//! The kept past of a page or a probe: samples by series, in order of time, with an end to their age, their bytes and
//! their number. Times are kept once for all series, so that a sample costs eight bytes.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::label::Labels;
use super::selector::Selector;
use super::source::{History, Scrape};

/// Series of one source that are kept; more are counted by [`Ring::dropped`].
pub const SERIES_MOST: usize = 20_000;
/// Bytes of the past of one source where nothing else is said: six hours at 5 s of nearly two thousand series.
pub const BYTES_MOST: usize = 64 << 20;

/// Times without a scrape that are told of one source, the newest.
pub const PAUSES_MOST: usize = 16;

/// The bits of Prometheus' own stale marker, a NaN that no arithmetic gives: the series was not there at that time.
const MISSING: u64 = 0x7ff0_0000_0000_0002;
/// Samples that a series grows by at once: little is allocated that is not used.
const GROWTH: usize = 64;
/// What a sample takes.
const SAMPLE: usize = 8;
/// What a series takes beside its labels' text and its samples: nodes, pointers, room to grow.
const SERIES: usize = 256 + GROWTH * SAMPLE;

/// Samples of one source.
#[derive(Debug)]
pub struct Ring {
    keep: SignedDuration,
    cap: usize,
    /// Milliseconds since the epoch, rising.
    times: VecDeque<i64>,
    /// The number of the first of `times` among all that ever were.
    base: u64,
    /// By metric name, then by all labels.
    metrics: BTreeMap<String, BTreeMap<Labels, Line>>,
    series: usize,
    samples: usize,
    /// Of labels and overhead.
    fixed: usize,
    /// Of values, gaps included.
    slots: usize,
    dropped: usize,
}

/// The samples of one series.
#[derive(Debug)]
pub struct Line {
    /// The number of the first value's time.
    first: u64,
    /// One per time from `first` on; the last is a sample.
    values: VecDeque<f64>,
}

impl Ring {
    /// An empty past that reaches back as far as `keep` and takes at most about `cap_bytes` bytes.
    pub fn new(keep: SignedDuration, cap_bytes: usize) -> Ring {
        Ring {
            keep,
            cap: cap_bytes,
            times: VecDeque::new(),
            base: 0,
            metrics: BTreeMap::new(),
            series: 0,
            samples: 0,
            fixed: 0,
            slots: 0,
            dropped: 0,
        }
    }

    /// Takes in a scrape. One that is not newer than the newest is ignored; of two samples of one series the first
    /// counts; what is too old or too much goes, the oldest first. Times are kept to the millisecond.
    pub fn add(&mut self, scrape: &Scrape) {
        let at = scrape.at.as_millisecond();
        if self.times.back().is_some_and(|newest| at <= *newest) {
            return;
        }
        let oldest = at.saturating_sub(i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX));
        while self.times.front().is_some_and(|time| *time < oldest) {
            self.drop_oldest();
        }
        self.times.push_back(at);
        let number = self.base + self.times.len() as u64 - 1;
        self.dropped = 0;
        for (labels, value) in &scrape.samples {
            self.put(labels, *value, number);
        }
        while self.bytes() > self.cap && self.times.len() > 1 {
            self.drop_oldest();
        }
    }

    fn put(&mut self, labels: &Labels, value: f64, number: u64) {
        let name = labels.get("__name__").unwrap_or_default();
        let known = self.metrics.get_mut(name).and_then(|lines| lines.get_mut(labels));
        let line = match known {
            Some(line) => line,
            None => {
                // Half of the bytes are for samples: without them a series is worth nothing.
                let weight = weight(labels);
                if self.series >= SERIES_MOST || self.fixed + weight > self.cap / 2 {
                    self.dropped += 1;
                    return;
                }
                self.series += 1;
                self.fixed += weight;
                let lines = self.metrics.entry(name.to_owned()).or_default();
                lines.entry(labels.clone()).or_insert(Line { first: number, values: VecDeque::new() })
            }
        };
        let Some(gap) = number.checked_sub(line.first + line.values.len() as u64) else { return };
        let gap = usize::try_from(gap).unwrap_or_default();
        if line.values.len() + gap + 1 > line.values.capacity() {
            line.values.reserve_exact(gap + GROWTH);
        }
        line.values.extend(std::iter::repeat_n(f64::from_bits(MISSING), gap));
        // A page can write any NaN; it means not a number, never that the series is gone.
        line.values.push_back(if value.is_nan() { f64::NAN } else { value });
        self.slots += gap + 1;
        self.samples += 1;
    }

    fn drop_oldest(&mut self) {
        if self.times.pop_front().is_none() {
            return;
        }
        let Ring { base, metrics, series, samples, fixed, slots, .. } = self;
        metrics.retain(|_, lines| {
            lines.retain(|labels, line| {
                if line.first == *base {
                    line.first += 1;
                    if let Some(value) = line.values.pop_front() {
                        *slots -= 1;
                        *samples -= usize::from(value.to_bits() != MISSING);
                    }
                    if line.values.is_empty() {
                        *series -= 1;
                        *fixed -= weight(labels);
                    }
                }
                !line.values.is_empty()
            });
            !lines.is_empty()
        });
        *base += 1;
    }

    fn bytes(&self) -> usize {
        self.fixed + (self.slots + self.times.len()) * SAMPLE
    }

    /// What is kept, in numbers.
    pub fn history(&self) -> History {
        History {
            since: self.times.front().and_then(|ms| Timestamp::from_millisecond(*ms).ok()),
            samples: self.samples,
            bytes: self.bytes(),
            pauses: vec![],
        }
    }

    /// The newest times of more than `longest` milliseconds without a scrape: the last before, the first after, the newest
    /// first and at most [`PAUSES_MOST`].
    pub fn pauses(&self, longest: i64) -> Vec<(Timestamp, Timestamp)> {
        let pairs = self.times.iter().rev().skip(1).zip(self.times.iter().rev());
        let long = pairs.filter(|(before, after)| after.saturating_sub(**before) > longest);
        let moment = |ms: i64| Timestamp::from_millisecond(ms).ok();
        long.filter_map(|(before, after)| Some((moment(*before)?, moment(*after)?))).take(PAUSES_MOST).collect()
    }

    /// The time of the newest scrape (UTC).
    pub fn newest(&self) -> Option<Timestamp> {
        self.times.back().and_then(|ms| Timestamp::from_millisecond(*ms).ok())
    }

    /// The time of the oldest scrape (UTC).
    pub fn oldest(&self) -> Option<Timestamp> {
        self.times.front().and_then(|ms| Timestamp::from_millisecond(*ms).ok())
    }

    /// Scrapes that are kept.
    pub fn scrapes(&self) -> usize {
        self.times.len()
    }

    /// Series of the newest scrape that are not kept: there are too many.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The names of the metrics that have samples, sorted.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// The series of that metric, sorted by their labels.
    pub fn series<'r>(&'r self, metric: &str) -> impl Iterator<Item = (&'r Labels, &'r Line)> + use<'r> {
        self.metrics.get(metric).into_iter().flatten()
    }

    /// The series of that metric that the selector's matchers let pass, sorted by their labels. The metric's name is
    /// given apart, because a histogram is selected by its name and read from its buckets.
    pub fn select<'r>(&'r self, metric: &str, selector: &'r Selector) -> impl Iterator<Item = (&'r Labels, &'r Line)> {
        self.series(metric).filter(|(labels, _)| selector.matches(labels))
    }

    /// The samples of one series after `from` up to and with `to` (milliseconds since the epoch), rising.
    pub fn samples<'r>(&'r self, line: &'r Line, from: i64, to: i64) -> impl Iterator<Item = (i64, f64)> + 'r {
        let skip = usize::try_from(line.first.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let begin = self.times.partition_point(|time| *time <= from).max(skip);
        let end = self.times.partition_point(|time| *time <= to).min(skip.saturating_add(line.values.len()));
        (begin..end).filter_map(move |at| {
            let value = line.values[at - skip];
            (value.to_bits() != MISSING).then_some((self.times[at], value))
        })
    }

    /// The value of a series in the newest scrape after `from` up to and with `to`; `None` where there was no scrape or
    /// the series was not in it.
    pub fn value(&self, line: &Line, from: i64, to: i64) -> Option<f64> {
        let at = self.times.partition_point(|time| *time <= to).checked_sub(1).filter(|at| self.times[*at] > from)?;
        let skip = usize::try_from(line.first.saturating_sub(self.base)).ok()?;
        let value = *line.values.get(at.checked_sub(skip)?)?;
        (value.to_bits() != MISSING).then_some(value)
    }

    /// True where any scrape was taken after `from` up to and with `to`.
    pub fn scraped(&self, from: i64, to: i64) -> bool {
        self.times.partition_point(|time| *time <= to) > self.times.partition_point(|time| *time <= from)
    }
}

/// What a series takes beside its samples.
fn weight(labels: &Labels) -> usize {
    SERIES + labels.iter().map(|(name, value)| name.len() + value.len() + 64).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn labels(name: &str, id: usize) -> Labels {
        Labels::new([("__name__", name.to_owned()), ("id", id.to_string())])
    }

    fn scrape(secs: i64, samples: &[(usize, f64)]) -> Scrape {
        Scrape { at: at(secs), samples: samples.iter().map(|(id, value)| (labels("m", *id), *value)).collect() }
    }

    fn all() -> Selector {
        Selector { text: "m".into(), metric: "m".into(), matchers: vec![] }
    }

    fn seen(ring: &Ring, id: usize) -> Vec<(i64, f64)> {
        let selector = all();
        let line = ring.select("m", &selector).find(|(found, _)| **found == labels("m", id));
        line.map(|(_, line)| ring.samples(line, i64::MIN, i64::MAX).map(|(ms, value)| (ms / 1_000, value)).collect()).unwrap_or_default()
    }

    #[test]
    fn samples_are_in_order_gaps_are_gaps_and_what_is_old_goes() {
        let mut ring = Ring::new(SignedDuration::from_secs(20), 1 << 20);
        ring.add(&scrape(10, &[(1, 1.0), (2, 5.0)]));
        ring.add(&scrape(20, &[(1, 2.0)]));
        ring.add(&scrape(20, &[(1, 9.0)]));
        ring.add(&scrape(15, &[(1, 9.0)]));
        ring.add(&scrape(30, &[(1, f64::NAN), (2, 6.0), (2, 7.0)]));
        assert_eq!(seen(&ring, 2), [(10, 5.0), (30, 6.0)], "no sample at 20, and the first of two counts");
        assert!(seen(&ring, 1)[2].1.is_nan());
        assert_eq!(ring.history().samples, 5);
        let selector = all();
        let (_, second) = ring.select("m", &selector).nth(1).unwrap();
        assert_eq!(
            [ring.value(second, 0, 19_999), ring.value(second, 0, 20_000), ring.value(second, 30_000, 40_000)],
            [Some(5.0), None, None]
        );
        ring.add(&scrape(41, &[(1, 4.0)]));
        assert_eq!(ring.history().since, Some(at(30)));
        ring.add(&scrape(55, &[(1, 4.0)]));
        assert_eq!(seen(&ring, 2), [], "a series without samples is gone");
        assert_eq!((ring.series, ring.history().samples), (1, 2));
        ring.add(&scrape(500, &[]));
        assert_eq!((ring.series, ring.history().samples, ring.fixed, ring.slots), (0, 0, 0, 0));
    }

    #[test]
    fn times_without_a_scrape_are_told_the_newest_first() {
        let mut ring = Ring::new(SignedDuration::from_hours(6), 1 << 20);
        [0, 5, 10, 100, 105, 300, 310].iter().for_each(|secs| ring.add(&scrape(*secs, &[])));
        assert_eq!(ring.pauses(12_500), [(at(105), at(300)), (at(10), at(100))]);
        (0..100).for_each(|n| ring.add(&scrape(1_000 + n * 60, &[])));
        assert_eq!(ring.pauses(12_500).len(), PAUSES_MOST);
    }

    #[test]
    fn bytes_have_an_end_and_the_oldest_go_first() {
        let mut ring = Ring::new(SignedDuration::from_hours(6), 100_000);
        let many: Vec<(usize, f64)> = (0..40).map(|id| (id, 1.0)).collect();
        for secs in 0..2_000 {
            ring.add(&scrape(secs, &many));
            assert!(ring.history().bytes <= 100_000);
        }
        assert!(ring.scrapes() > 100, "{}", ring.scrapes());
        assert_eq!(ring.newest(), Some(at(1_999)));
        assert_eq!(ring.dropped(), 0);
    }

    #[test]
    fn series_have_an_end_and_are_counted() {
        let mut ring = Ring::new(SignedDuration::from_hours(6), 100_000);
        let many: Vec<(usize, f64)> = (0..5_000).map(|id| (id, 1.0)).collect();
        ring.add(&scrape(1, &many));
        assert_eq!(ring.dropped() + ring.series, 5_000);
        assert!(ring.series > 10 && ring.history().bytes <= 100_000);
        // Series that change at every scrape do not pile up beyond the bytes either.
        for secs in 2..50 {
            let other: Vec<(usize, f64)> = (0..50).map(|id| (id + secs as usize * 1_000_000, 1.0)).collect();
            ring.add(&scrape(secs, &other));
            assert!(ring.history().bytes <= 100_000);
        }
    }
}
