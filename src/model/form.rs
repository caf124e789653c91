//! Values, rates, ratios and quantiles of kept samples, as PromQL would compute them: counter resets, extrapolation to the
//! window's ends, linear interpolation within buckets. Source: `extrapolatedRate` and `bucketQuantile` of Prometheus 3.
//!
//! A gap is a gap: where no scrape was taken in the staleness window before a step (two and a half intervals, 5 s at the
//! least) there is no value, for a rate too, however far back it reaches.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::history::{Line, Ring};
use super::label::Labels;
use super::metric::{Demand, NOW_CAP, PanelAnswer, Plot, SERIES_CAP, Sample, Series, aligned, step};
use super::panel::{Form, Shape};
use super::selector::Selector;
use super::source::History;

mod arithmetic;

use arithmetic::{Counter, quantile};

/// The shortest staleness window, milliseconds: a poll that takes its time is no gap.
const STALE_LEAST: i64 = 5_000;

/// What the panel's form comes to on the kept samples: the newest values, and the plot of the demanded range. `every`
/// is the time between two scrapes.
pub fn answer(ring: &Ring, form: &Form, now: Timestamp, demand: Demand, every: SignedDuration) -> PanelAnswer {
    let step = step(demand.range, demand.points, every);
    let (start, end) = aligned(now, demand.range, step);
    let at = now.as_millisecond();
    let grid = Grid { start: start * 1_000, step: step * 1_000, len: usize::try_from((end - start) / step + 1).unwrap_or(0), now: at };
    let sheet = Sheet { ring, grid, stale: stale(every) };

    let (lines, notes) = match &form.shape {
        Shape::Value => (sheet.values(form), vec![]),
        Shape::Rate { over } => sheet.rates(form, *over),
        Shape::Ratio { to, over } => sheet.ratios(form, to.as_ref(), *over),
        Shape::Quantile { q, over } => sheet.quantiles(form, *q, *over),
    };
    let mut answer = PanelAnswer { now_dropped: lines.dropped_now, notes, ..PanelAnswer::default() };
    let mut series = Vec::new();
    for (labels, Points { plot, now }) in lines.kept {
        answer.now.extend(now.map(|value| Sample { labels: labels.clone(), value }));
        if series.len() < SERIES_CAP && plot.iter().any(Option::is_some) {
            series.push(Series { labels, points: plot });
        }
    }
    let start = Timestamp::from_second(start).unwrap_or(Timestamp::MIN);
    answer.plot = Some(Plot { start, step, len: grid.len, series, dropped: lines.dropped, histograms: 0 });
    answer
}

/// The staleness window where `every` is the time between two scrapes, milliseconds.
fn stale(every: SignedDuration) -> i64 {
    let stale = i64::try_from(every.as_millis()).unwrap_or(i64::MAX / 8).saturating_mul(5) / 2;
    stale.max(STALE_LEAST)
}

/// What is kept, in numbers, with the times in which nobody looked.
pub fn history(ring: &Ring, every: SignedDuration) -> History {
    History { pauses: ring.pauses(stale(every)), ..ring.history() }
}

/// The same, with the plot that rules are judged by.
pub fn answer_judged(
    ring: &Ring,
    form: &Form,
    now: Timestamp,
    demand: Demand,
    judged: Option<Demand>,
    every: SignedDuration,
) -> PanelAnswer {
    let mut told = answer(ring, form, now, demand, every);
    told.judged = match judged {
        Some(judged) if judged == demand => told.plot.clone(),
        Some(judged) => answer(ring, form, now, judged, every).plot,
        None => None,
    };
    told.lay_newest();
    told
}

/// The moments that are computed, milliseconds since the epoch.
#[derive(Clone, Copy)]
struct Grid {
    start: i64,
    step: i64,
    len: usize,
    now: i64,
}

impl Grid {
    /// The steps, and now as the last.
    fn moments(self) -> impl Iterator<Item = i64> {
        (0..self.len as i64).map(move |i| self.start + i * self.step).chain([self.now])
    }
}

/// One line of the answer.
#[derive(Clone)]
struct Points {
    plot: Vec<Option<f64>>,
    now: Option<f64>,
}

impl Points {
    fn of(mut values: Vec<Option<f64>>) -> Points {
        let now = values.pop().flatten();
        Points { plot: values, now }
    }
}

#[derive(Default)]
struct Lines {
    kept: Vec<(Labels, Points)>,
    dropped: usize,
    dropped_now: usize,
}

type Group<'r> = Vec<(&'r Labels, &'r Line)>;

struct Sheet<'r> {
    ring: &'r Ring,
    grid: Grid,
    stale: i64,
}

impl<'r> Sheet<'r> {
    /// True where nothing may be said about this moment.
    fn gap(&self, moment: i64) -> bool {
        !self.ring.scraped(moment - self.stale, moment)
    }

    /// The selected series by the labels that lines are told apart by: each alone where `by` is `None` and `apart`.
    fn groups(&self, metric: &str, selector: Option<&Selector>, by: Option<&[String]>, apart: bool) -> BTreeMap<Labels, Group<'r>> {
        let mut groups: BTreeMap<Labels, Group<'r>> = BTreeMap::new();
        for (labels, line) in self.ring.series(metric).filter(|(labels, _)| selector.is_none_or(|s| s.matches(labels))) {
            let key = match by {
                Some(by) => Labels::new(labels.iter().filter(|(name, _)| by.iter().any(|wanted| wanted == name))),
                None if apart => labels.clone(),
                None => Labels::default(),
            };
            groups.entry(key).or_default().push((labels, line));
        }
        groups
    }

    /// The sheet of the line of that place: beyond the lines that a plot keeps, of the newest value only.
    fn sheet(&self, place: usize) -> Sheet<'r> {
        let grid = if place < SERIES_CAP { self.grid } else { Grid { start: self.grid.now, len: 0, ..self.grid } };
        Sheet { grid, ..*self }
    }

    /// Computes the first lines, of those that no plot keeps the newest value only, and counts the others, those only
    /// that have a sample that could be seen.
    fn lines(&self, groups: BTreeMap<Labels, Group<'r>>, mut compute: impl FnMut(&Sheet<'r>, &Group<'r>) -> Points) -> Lines {
        let mut lines = Lines::default();
        for (place, (labels, group)) in groups.into_iter().enumerate() {
            let any = |from, to| group.iter().any(|(_, line)| self.ring.samples(line, from, to).next().is_some());
            if place >= SERIES_CAP {
                lines.dropped += usize::from(any(self.grid.start - self.stale, self.grid.now));
            }
            if place < NOW_CAP {
                lines.kept.push((labels, compute(&self.sheet(place), &group)));
            } else {
                lines.dropped_now += usize::from(any(self.grid.now - self.stale, self.grid.now));
            }
        }
        lines
    }

    fn values(&self, form: &'r Form) -> Lines {
        let groups = self.groups(&form.of.metric, Some(&form.of), form.by.as_deref(), true);
        self.lines(groups, |sheet, group| {
            let at = |moment| sum(group.iter().map(|(_, line)| sheet.ring.value(line, moment - sheet.stale, moment)));
            Points::of(sheet.grid.moments().map(at).collect())
        })
    }

    /// The sum of the group's rates at every moment.
    fn rate(&self, group: &Group<'r>, over: i64) -> Vec<Option<f64>> {
        let since = self.ring.oldest().map(Timestamp::as_millisecond);
        let counters: Vec<Counter> =
            group.iter().map(|(_, line)| Counter::new(self.ring.samples(line, self.grid.start - over, self.grid.now), since)).collect();
        let at = |moment| if self.gap(moment) { None } else { sum(counters.iter().map(|counter| counter.rate(moment, over))) };
        self.grid.moments().map(at).collect()
    }

    fn rates(&self, form: &'r Form, over: SignedDuration) -> (Lines, Vec<String>) {
        let millis = millis(over);
        let metric = self.counter(&form.of.metric);
        let mut groups = self.groups(&metric, Some(&form.of), form.by.as_deref(), true);
        if form.by.is_none() {
            // As in PromQL: a rate is no longer the metric of that name.
            groups =
                groups.into_iter().map(|(labels, group)| (Labels::new(labels.iter().filter(|(n, _)| *n != "__name__")), group)).collect();
        }
        let lines = self.lines(groups, |sheet, group| Points::of(sheet.rate(group, millis)));
        let notes = self.why_none(&lines, &metric, Some(&form.of), "a rate", over);
        (lines, notes)
    }

    fn ratios(&self, form: &'r Form, to: Option<&'r Selector>, over: SignedDuration) -> (Lines, Vec<String>) {
        let by = form.by.as_deref();
        let millis = millis(over);
        let part = self.groups(&self.counter(&form.of.metric), Some(&form.of), by, false);
        let whole_metric = self.counter(&to.unwrap_or(&form.of).metric);
        let whole = self.groups(&whole_metric, to, by, false);
        let mut lines = Lines::default();
        for (labels, group) in whole {
            let sheet = self.sheet(lines.kept.len());
            let whole = sheet.rate(&group, millis);
            let part = match part.get(&labels) {
                Some(group) => sheet.rate(group, millis),
                // No series of this metric has such labels: none of what was counted is of that kind.
                None if to.is_none_or(|to| to.metric == form.of.metric) => whole.iter().map(|value| value.map(|_| 0.0)).collect(),
                None => continue,
            };
            let points = Points::of(part.iter().zip(&whole).map(|(part, whole)| Some((*part)? / (*whole)?)).collect());
            lines.dropped += usize::from(lines.kept.len() >= SERIES_CAP);
            if lines.kept.len() < NOW_CAP {
                lines.kept.push((labels, points));
            } else {
                lines.dropped_now += usize::from(points.now.is_some());
            }
        }
        let mut notes = self.why_none(&lines, &whole_metric, to, "a ratio", over);
        if lines.kept.iter().any(|(_, points)| points.now.is_some_and(f64::is_nan)) {
            notes.push("nothing was counted in this time: the ratio is 0 / 0".to_owned());
        }
        (lines, notes)
    }

    fn quantiles(&self, form: &'r Form, q: f64, over: SignedDuration) -> (Lines, Vec<String>) {
        let millis = millis(over);
        let metric = if form.of.metric.ends_with("_bucket") { form.of.metric.clone() } else { format!("{}_bucket", form.of.metric) };
        let groups = self.groups(&metric, Some(&form.of), form.by.as_deref(), false);
        let mut unbounded = false;
        let lines = self.lines(groups, |sheet, group| {
            let bound = |labels: &Labels| labels.get("le").and_then(|le| le.trim().parse::<f64>().ok()).filter(|bound| !bound.is_nan());
            let mut bounds: Vec<(f64, Group<'r>)> =
                group.iter().filter_map(|(labels, line)| Some((bound(labels)?, vec![(*labels, *line)]))).collect();
            bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
            // `1` and `1.0` are one bound.
            bounds.dedup_by(|b, a| {
                a.0 == b.0 && {
                    a.1.append(&mut b.1);
                    true
                }
            });
            let buckets: Vec<(f64, Vec<Option<f64>>)> =
                bounds.into_iter().map(|(bound, group)| (bound, sheet.rate(&group, millis))).collect();
            unbounded |= buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY);
            let at = |i: usize| {
                let present: Vec<(f64, f64)> = buckets.iter().filter_map(|(bound, rates)| Some((*bound, rates[i]?))).collect();
                if present.is_empty() { None } else { Some(quantile(q, present)) }
            };
            Points::of((0..=sheet.grid.len).map(at).collect())
        });
        let mut notes = self.why_none(&lines, &metric, Some(&form.of), "a quantile", over);
        if unbounded && !lines.kept.is_empty() {
            notes.push(format!("{metric} has no bucket with le=\"+Inf\": no quantile can be told"));
        } else if lines.kept.iter().any(|(_, points)| points.now.is_some_and(f64::is_nan)) {
            notes.push("nothing was counted in this time: there is no quantile of nothing".to_owned());
        }
        (lines, notes)
    }

    /// The name under which a counter is kept: OpenMetrics counts `requests_total` in the family `requests`.
    fn counter(&self, metric: &str) -> String {
        let total = format!("{metric}_total");
        let has = |name: &str| self.ring.metrics().any(|known| known == name);
        if !has(metric) && has(&total) { total } else { metric.to_owned() }
    }

    /// Why nothing can be told now, where there are samples all the same.
    fn why_none(&self, lines: &Lines, metric: &str, selector: Option<&Selector>, what: &str, over: SignedDuration) -> Vec<String> {
        if lines.kept.iter().any(|(_, points)| points.now.is_some()) {
            return vec![];
        }
        let window = self.grid.now - millis(over);
        let found = || self.ring.series(metric).filter(|(labels, _)| selector.is_none_or(|s| s.matches(labels))).map(|(_, line)| line);
        let most = found().map(|line| self.ring.samples(line, window, self.grid.now).take(2).count()).max();
        let ever = found().any(|line| self.ring.samples(line, i64::MIN, self.grid.now).nth(1).is_some());
        let over = super::age::exact(over);
        match most {
            Some(1) if ever => vec![format!("one sample in the last {over}: {what} needs two, so `over` must be longer")],
            Some(1) => vec![format!("one sample so far: {what} needs two")],
            Some(0) => vec![format!("no sample in the last {over}")],
            _ => vec![],
        }
    }
}

fn millis(over: SignedDuration) -> i64 {
    i64::try_from(over.as_millis()).unwrap_or(i64::MAX / 8).max(1)
}

/// The sum of what is there; `None` where nothing is.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|a, b| a + b)
}

#[cfg(test)]
mod tests;
