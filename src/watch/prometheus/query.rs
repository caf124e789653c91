//! The answers of `/api/v1/query` and `/api/v1/query_range`, streamed: the first series are kept, the others counted
//! without being built. Pure: over bytes.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::envelope::{Answered, open};
use crate::model::label::{Interner, Labels};
use crate::model::metric::{NOW_CAP, Plot, SERIES_CAP, Sample, Series};
use crate::watch::wire::{Fault, Pairs};

/// The newest values of a query.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Now {
    /// At most [`NOW_CAP`].
    pub samples: Vec<Sample>,
    /// Series that were received and not kept.
    pub dropped: usize,
    /// Series that are native histograms and so have no one value.
    pub histograms: usize,
}

/// The steps of a plot, in seconds since the epoch, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// First step.
    pub start: i64,
    /// Last step.
    pub end: i64,
    /// Seconds between steps, at least 1.
    pub step: i64,
}

impl Grid {
    /// How many steps there are.
    pub fn len(self) -> usize {
        usize::try_from((self.end - self.start) / self.step.max(1) + 1).unwrap_or(0)
    }

    /// The step nearest to this moment; `None` outside the grid.
    fn index(self, time: f64) -> Option<usize> {
        let at = ((time - self.start as f64) / self.step.max(1) as f64).round();
        (at >= 0.0 && at < self.len() as f64).then_some(at as usize)
    }
}

/// An instant query's answer: vector, scalar, or matrix (of which the last value counts). A text is a fault.
pub(crate) fn now(status: u16, bytes: &[u8]) -> Result<Answered<Now>, Fault> {
    let Answered { data, notes } = open(status, bytes, Data(None))?;
    if data.text {
        return Err(Fault::unusable("the query gives a text, not numbers"));
    }
    let samples = data
        .kept
        .into_iter()
        .filter_map(|(labels, points)| points.last().copied().flatten().map(|value| Sample { labels, value }))
        .collect();
    Ok(Answered { data: Now { samples, dropped: data.dropped, histograms: data.histograms }, notes })
}

/// A range query's answer, on the grid that was asked for.
pub(crate) fn range(status: u16, bytes: &[u8], grid: Grid) -> Result<Answered<Plot>, Fault> {
    let Answered { data, notes } = open(status, bytes, Data(Some(grid)))?;
    let start = Timestamp::from_second(grid.start).map_err(|_| Fault::unusable("the time asked for is out of all bounds"))?;
    let series = data.kept.into_iter().map(|(labels, points)| Series { labels, points }).collect();
    let plot = Plot { start, step: grid.step, len: grid.len(), series, dropped: data.dropped, histograms: data.histograms };
    Ok(Answered { data: plot, notes })
}

/// Takes in `data`: with a grid every series is laid on it, without one only its last value is kept.
struct Data(Option<Grid>);

#[derive(Default)]
struct Taken {
    kept: Vec<(Labels, Vec<Option<f64>>)>,
    dropped: usize,
    histograms: usize,
    text: bool,
    interner: Interner,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum DataKey {
    Result,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for Data {
    type Value = Taken;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Taken, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Data {
    type Value = Taken;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a result")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Taken, A::Error> {
        let mut taken = Taken::default();
        let mut found = false;
        while let Some(key) = map.next_key::<DataKey>()? {
            match key {
                DataKey::Result => {
                    found = true;
                    map.next_value_seed(Results { grid: self.0, taken: &mut taken })?;
                }
                DataKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if found { Ok(taken) } else { Err(serde::de::Error::missing_field("result")) }
    }
}

struct Results<'t> {
    grid: Option<Grid>,
    taken: &'t mut Taken,
}

impl<'de> DeserializeSeed<'de> for Results<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Results<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series, or one value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Results { grid, taken } = self;
        while seq.next_element_seed(Element { grid, taken: &mut *taken })?.is_some() {}
        Ok(())
    }
}

/// One element of a result: a series, or the time or the value of a scalar, told apart by what they are, so that the
/// order of `resultType` and `result` does not matter.
struct Element<'t> {
    grid: Option<Grid>,
    taken: &'t mut Taken,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series, or a scalar's time and value")
    }
    fn visit_f64<E>(self, _time: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _time: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _time: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        match value.parse() {
            Ok(value) => self.taken.kept.push((Labels::default(), vec![Some(value)])),
            Err(_) => self.taken.text = true,
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let cap = if self.grid.is_some() { SERIES_CAP } else { NOW_CAP };
        if self.taken.kept.len() < cap { keep(self, map) } else { count(self.taken, map) }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum SeriesKey {
    Metric,
    Value,
    Values,
    #[serde(alias = "histograms")]
    Histogram,
    #[serde(other)]
    Other,
}

fn keep<'de, A: MapAccess<'de>>(Element { grid, taken }: Element<'_>, mut map: A) -> Result<(), A::Error> {
    let mut metric = Pairs::default();
    let mut line = Line::new(grid);
    let mut histogram = false;
    while let Some(key) = map.next_key::<SeriesKey>()? {
        match key {
            SeriesKey::Metric => metric = map.next_value()?,
            SeriesKey::Value => line.put(map.next_value()?),
            SeriesKey::Values => map.next_value_seed(&mut line)?,
            SeriesKey::Histogram => {
                histogram = true;
                map.next_value::<IgnoredAny>()?;
            }
            SeriesKey::Other => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    if histogram && !line.numbers {
        taken.histograms += 1;
    } else {
        let labels = taken.interner.labels(metric.iter());
        taken.kept.push((labels, line.points));
    }
    Ok(())
}

/// Counts a series without building it.
fn count<'de, A: MapAccess<'de>>(taken: &mut Taken, mut map: A) -> Result<(), A::Error> {
    let (mut numbers, mut histogram) = (false, false);
    while let Some(key) = map.next_key::<SeriesKey>()? {
        numbers |= matches!(key, SeriesKey::Value | SeriesKey::Values);
        histogram |= matches!(key, SeriesKey::Histogram);
        map.next_value::<IgnoredAny>()?;
    }
    *(if histogram && !numbers { &mut taken.histograms } else { &mut taken.dropped }) += 1;
    Ok(())
}

/// `[1435781451.781, "1"]`: seconds since the epoch, and the value as text because JSON knows no NaN.
#[derive(Clone, Copy)]
struct Point(f64, f64);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Point, D::Error> {
        let (time, Number(value)) = <(f64, Number)>::deserialize(from)?;
        Ok(Point(time, value))
    }
}

struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
        struct Parse;
        impl Visitor<'_> for Parse {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_str(Parse)
    }
}

/// The points of one series as they are read.
struct Line {
    grid: Option<Grid>,
    /// One for each step of the grid; without one, only the last value.
    points: Vec<Option<f64>>,
    /// The place after the last one, and its time: a server answers in steps, and to compare is cheaper than to divide.
    next: (usize, f64),
    /// True once there was a point.
    numbers: bool,
}

impl Line {
    fn new(grid: Option<Grid>) -> Line {
        let next = (0, grid.map_or(0.0, |grid| grid.start as f64));
        Line { grid, points: vec![None; grid.map_or(1, Grid::len)], next, numbers: false }
    }

    fn put(&mut self, Point(time, value): Point) {
        self.numbers = true;
        let at = match self.grid {
            None => Some(0),
            Some(_) if time == self.next.1 => Some(self.next.0),
            Some(grid) => grid.index(time),
        };
        if let Some(at) = at
            && let Some(point) = self.points.get_mut(at)
        {
            *point = Some(value);
            self.next = (at + 1, self.grid.map_or(0.0, |grid| (grid.start + grid.step.max(1) * (at as i64 + 1)) as f64));
        }
    }
}

impl<'de> DeserializeSeed<'de> for &mut Line {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Line {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of points")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(point) = seq.next_element()? {
            self.put(point);
        }
        Ok(())
    }
}
