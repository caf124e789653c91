//! Which alerts fired in a time that is over, as a Prometheus remembers: the series `ALERTS{alertstate="firing"}` on a
//! grid. An Alertmanager forgets an alert once it has ended. Source: "Alerting rules", Prometheus documentation.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use super::plan::Drawn;
use super::query::Grid;
use super::{Fault, range};
use crate::link::http::Reader;
use crate::model::age;
use crate::model::estate::{Source, SourceKind};
use crate::model::text::{NOTE_CAP, clean};
use crate::model::timeline::{Event, gap, of_plot};
use crate::watch::limits;

/// Steps of the grid, about: beside the cap on series this bounds the answer.
const STEPS: i64 = 1_440;
/// The shortest step, seconds: rules are seldom judged more often.
const SHORTEST: i64 = 15;
/// Of a time no longer than this, seconds, steps may be shorter.
const SHORT: i64 = 600;
/// All alerts that fire.
const FIRING: &str = "ALERTS{alertstate=\"firing\"}";
/// There while the server reads any target at all: where it is missing, the server itself did not run.
const HEARD: &str = "count(up)";
/// The deadline of both queries together.
const DEADLINE: Duration = Duration::from_secs(15);

/// What a Prometheus remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fired {
    /// Begins and ends, each between two steps; and times of which it remembers nothing.
    pub events: Vec<Event>,
    /// Why it could not be asked, and what there was more of: cleaned lines.
    pub notes: Vec<String>,
}

/// What this source remembers of the time from `from` to `to`; nothing of a source that is no Prometheus.
pub(crate) async fn fired(source: &Source, from: Timestamp, to: Timestamp) -> Fired {
    let SourceKind::Prometheus { url } = &source.kind else { return Fired::default() };
    let name: Arc<str> = source.name.as_str().into();
    let note = |what: &str| clean(&format!("{name}: {what}"), NOTE_CAP).into_owned();
    let grid = grid(from, to);
    let until = Instant::now() + DEADLINE;
    let drawn = |query: &str| Drawn { query: query.to_owned(), grid };
    let (firing, heard) = (drawn(FIRING), drawn(HEARD));
    let asked = async {
        let reader = Reader::new(url, source.http_config.as_deref(), limits(source))?;
        Ok::<_, Fault>(tokio::join!(range(&reader, &firing, until), range(&reader, &heard, until)))
    };
    let (firing, heard) = match asked.await {
        Ok((Ok(firing), heard)) => (firing, heard),
        Ok((Err(fault), _)) | Err(fault) => {
            return Fired { events: vec![], notes: vec![note(&format!("what fired is not known: {}", fault.what))] };
        }
    };
    let plot = firing.data;
    let known: Vec<bool> = match heard {
        Ok(heard) => (0..plot.len).map(|step| heard.data.series.iter().any(|s| s.points.get(step).copied().flatten().is_some())).collect(),
        Err(_) => Vec::new(),
    };
    // One that never read a target, such as one that is only written to, cannot tell by that.
    let known = if known.contains(&true) { known } else { Vec::new() };
    let mut notes: Vec<String> = firing.notes.iter().map(|said| note(said)).collect();
    if plot.dropped > 0 {
        notes.push(note(&format!("{} more alerts fired than are told", plot.dropped)));
    }
    if grid.step > SHORTEST {
        notes.push(note(&format!("begins and ends of alerts are known to {}", age::exact(jiff::SignedDuration::from_secs(grid.step)))));
    }
    let (mut events, gaps) = of_plot(&plot, &known, &name);
    let what = format!("{name} knows nothing of this time: it did not run, or read no target");
    events.extend(gaps.into_iter().map(|time| gap(time, what.clone(), name.clone())));
    Fired { events, notes }
}

/// A tidy step, and both ends on it: the same question gives the same answer.
fn grid(from: Timestamp, to: Timestamp) -> Grid {
    let (from, to) = (from.as_second(), to.as_second().max(from.as_second()));
    let quick = if to - from <= SHORT { [1, 5] } else { [SHORTEST; 2] };
    let tidy = [quick[0], quick[1], SHORTEST, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];
    let step = tidy.into_iter().find(|step| (to - from) / step <= STEPS).unwrap_or_else(|| ((to - from) / STEPS / 3_600 + 1) * 3_600);
    Grid { start: from.div_euclid(step) * step, end: to.div_euclid(step) * step, step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_tidy_and_bounded_whatever_the_time() {
        let at = |secs: i64| Timestamp::from_second(1_795_000_007 + secs).unwrap();
        for (hours, step) in [(2, 15), (24, 60), (168, 600)] {
            let grid = grid(at(0), at(hours * 3_600));
            assert_eq!((grid.step, grid.start % step, grid.end % step), (step, 0, 0));
            assert!(grid.len() <= 1_442, "{}", grid.len());
        }
        assert_eq!(grid(at(0), at(-5)).len(), 1, "a time that ends before it begins is a moment");
        assert!(grid(at(0), at(10 * 365 * 86_400)).len() <= 1_442);
    }
}
