//! The window of time that a chart looks at: how it is zoomed and panned, and what is asked of a source for it. Pure: the
//! present is passed in.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::metric::{Plot, aligned, step};
use super::panel::Panel;

/// The lengths that a chart steps through, minutes.
const LENGTHS: [i64; 9] = [5, 15, 60, 180, 360, 720, 1_440, 4_320, 10_080];

/// The next longer or shorter length of a chart; at the end it stays.
pub fn next_length(now: SignedDuration, longer: bool) -> SignedDuration {
    let mut lengths = LENGTHS.into_iter().map(SignedDuration::from_mins);
    let next = if longer { lengths.find(|length| *length > now) } else { lengths.rfind(|length| *length < now) };
    next.unwrap_or(now)
}

/// A stretch of time that ends in whole seconds and never after the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its last moment (UTC).
    pub to: Timestamp,
    /// How long it is, at least a second.
    pub length: SignedDuration,
}

impl Window {
    /// The window of that length that ends at `to`, or now where that is earlier.
    pub fn new(to: Timestamp, length: SignedDuration, now: Timestamp) -> Window {
        let to = Timestamp::from_second(to.min(now).as_second()).unwrap_or(to);
        Window { to, length: SignedDuration::from_secs(length.as_secs().max(1)) }
    }

    /// Its first moment (UTC).
    pub fn from(self) -> Timestamp {
        self.to.checked_sub(self.length).unwrap_or(Timestamp::MIN)
    }

    /// True where a moment is in it.
    pub fn holds(self, at: Timestamp) -> bool {
        at >= self.from() && at <= self.to
    }

    /// The next longer or shorter window in which `at` keeps its place on the screen; one that would reach beyond now
    /// ends now.
    pub fn zoomed(self, at: Timestamp, longer: bool, now: Timestamp) -> Window {
        let length = next_length(self.length, longer);
        let before = i128::from(at.as_second().clamp(self.from().as_second(), self.to.as_second()) - self.from().as_second());
        let (old, new) = (i128::from(self.length.as_secs().max(1)), i128::from(length.as_secs()));
        // To the nearest second.
        let after = new - (before * new * 2 + old).div_euclid(old * 2);
        let at = self.from().as_second().saturating_add(i64::try_from(before).unwrap_or(0));
        let to = at.saturating_add(i64::try_from(after).unwrap_or(0));
        Window::new(Timestamp::from_second(to).unwrap_or(now), length, now)
    }

    /// Half a window earlier or later; never beyond now.
    pub fn panned(self, later: bool, now: Timestamp) -> Window {
        let half = SignedDuration::from_secs((self.length.as_secs() / 2).max(1));
        let to = if later { self.to.checked_add(half) } else { self.to.checked_sub(half) };
        Window::new(to.unwrap_or(self.to), self.length, now)
    }

    /// True where it ends now, give or take one step of its plot.
    pub fn is_live(self, now: Timestamp, step: i64) -> bool {
        self.to.as_second().saturating_add(step.max(1)) > now.as_second()
    }

    /// The same so much earlier.
    pub fn shifted(self, by: SignedDuration) -> Window {
        Window { to: self.to.checked_sub(by).unwrap_or(Timestamp::MIN), ..self }
    }
}

/// What is asked for a window of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeAsk {
    /// The panel; not all of them are in the estate file.
    pub panel: Arc<Panel>,
    /// The window.
    pub window: Window,
    /// Points across the plot.
    pub points: u16,
    /// The time between two samples at the source.
    pub scrape: SignedDuration,
}

impl RangeAsk {
    /// Seconds between two points: by [`step`], and so never finer than the samples and never more than a source answers.
    pub fn step(&self) -> i64 {
        step(self.window.length, self.points, self.scrape)
    }

    /// The first and the last point, seconds since the epoch, on multiples of the step.
    pub fn grid(&self) -> (i64, i64) {
        aligned(self.window.to, self.window.length, self.step())
    }

    /// A plot of these points in which nothing is known.
    pub fn empty(&self) -> Plot {
        let (start, end) = self.grid();
        let step = self.step();
        let len = usize::try_from((end - start) / step + 1).unwrap_or(0);
        let start = Timestamp::from_second(start).unwrap_or(Timestamp::MIN);
        Plot { start, step, len, series: Vec::new(), dropped: 0, histograms: 0 }
    }
}

/// What a source answered for a window.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTold {
    /// The series on the grid that was asked for.
    pub plot: Plot,
    /// Warnings and infos that came with it (cleaned).
    pub notes: Vec<String>,
    /// How far back samples are kept, where they are kept here; what a Prometheus keeps it does not say.
    pub kept: Option<Kept>,
}

/// Samples that are kept here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The oldest (UTC); `None` where there is none.
    pub since: Option<Timestamp>,
    /// How long one is kept at the most.
    pub keep: SignedDuration,
}

/// Names of metrics, for completing what is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Sorted, cleaned, at most [`NAMES_CAP`].
    pub names: Vec<String>,
    /// True where there are more.
    pub more: bool,
}

/// Names of metrics that are kept of one source.
pub const NAMES_CAP: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::metric::POINT_LIMIT;
    use crate::model::panel::{Ask, Unit};
    use proptest::prelude::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn window(to: i64, mins: i64, now: i64) -> Window {
        Window::new(at(to), SignedDuration::from_mins(mins), at(now))
    }

    fn ask(window: Window, points: u16, scrape: i64) -> RangeAsk {
        let panel = Panel {
            name: "p".into(),
            service: None,
            site: None,
            source: "s".into(),
            ask: Ask::Promql("up".into()),
            unit: Unit::Count,
            warn: None,
            critical: None,
        };
        RangeAsk { panel: Arc::new(panel), window, points, scrape: SignedDuration::from_secs(scrape) }
    }

    #[test]
    fn what_is_under_the_cursor_stays_where_it_is() {
        let hour = window(1_000_000, 60, 2_000_000);
        let near = hour.zoomed(at(1_000_000 - 1_200), false, at(2_000_000));
        assert_eq!((near.from(), near.to), (at(998_800 - 600), at(998_800 + 300)), "two thirds before it, one after");
        assert_eq!(near.zoomed(at(998_800), true, at(2_000_000)), hour);
        // At the end the end stays.
        assert_eq!(hour.zoomed(hour.to, false, at(2_000_000)).to, hour.to);
        assert_eq!(window(50, 5, 100).zoomed(at(50), false, at(100)).length, SignedDuration::from_mins(5), "no shorter one");
    }

    #[test]
    fn a_window_that_reaches_now_is_live_and_no_other() {
        let now = at(1_000_000);
        assert!(window(999_990, 60, 1_000_000).is_live(now, 30) && !window(999_960, 60, 1_000_000).is_live(now, 30));
        assert_eq!(window(999_000, 60, 1_000_000).panned(true, now).to, now, "half an hour later would be in the future");
    }

    proptest! {
        #[test]
        fn zooming_and_panning_lead_back(
            to in 1_000_000i64..2_000_000, length in 0usize..LENGTHS.len(), place in 0.0f64..=1.0, ahead in 0i64..10_000_000,
        ) {
            let now = at(to + ahead);
            let before = window(to, LENGTHS[length], to + ahead);
            let cursor = at(before.from().as_second() + (before.length.as_secs() as f64 * place) as i64);
            let near = before.zoomed(cursor, false, now);
            prop_assert!(near.holds(cursor) && near.from() >= before.from() && near.to <= before.to);
            if length > 0 {
                let back = near.zoomed(cursor, true, now);
                prop_assert_eq!(back.length, before.length);
                // A second of the short one is that many of the long one.
                let slack = LENGTHS[length] / LENGTHS[length - 1] + 1;
                prop_assert!((back.to.as_second() - before.to.as_second()).abs() <= slack, "{back:?} {before:?}");
            }
            let earlier = before.panned(false, now);
            prop_assert_eq!(earlier.length, before.length);
            prop_assert_eq!(earlier.panned(true, now), before);
        }

        #[test]
        fn no_window_ends_after_now_and_every_grid_is_aligned(
            to in 1_000_000i64..2_000_000, length in 0usize..LENGTHS.len(), moves in prop::collection::vec((0u8..4, 0.0f64..=1.0), 0..20),
            points in 1u16..2_000, scrape in 1i64..400,
        ) {
            let now = at(2_000_000);
            let mut one = window(to, LENGTHS[length], 2_000_000);
            for (deed, place) in moves {
                let cursor = at(one.from().as_second() + (one.length.as_secs() as f64 * place) as i64);
                one = match deed {
                    0 | 1 => one.zoomed(cursor, deed == 1, now),
                    _ => one.panned(deed == 3, now),
                };
                prop_assert!(one.to <= now && one.length >= SignedDuration::from_mins(5));
            }
            let ask = ask(one, points, scrape);
            let ((start, end), step) = (ask.grid(), ask.step());
            prop_assert!(start % step == 0 && end % step == 0 && end <= one.to.as_second() && step >= scrape);
            prop_assert!((end - start) / step < POINT_LIMIT);
            prop_assert_eq!(ask.empty().len as i64, (end - start) / step + 1);
        }
    }
}
