//! One window of one panel, asked once: of a Prometheus by a range query, of a page or a probe from the samples that are
//! kept here.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Past, prometheus};
use crate::model::estate::{Estate, SourceKind};
use crate::model::form;
use crate::model::history::{BYTES_MOST, Ring};
use crate::model::metric::Demand;
use crate::model::panel::Ask;
use crate::model::text::{NOTE_CAP, clean};
use crate::model::window::{Kept, Names, RangeAsk, RangeTold};

/// The plot of a window of a panel.
///
/// # Errors
/// One line that says why there is none, at the latest after `deadline`.
pub async fn chart(estate: &Estate, past: &Past, ask: &RangeAsk, deadline: Duration) -> Result<RangeTold, String> {
    let until = Instant::now() + deadline;
    let at = estate.sources.iter().position(|source| source.name == ask.panel.source).ok_or("there is no such source")?;
    let source = &estate.sources[at];
    let told = match &source.kind {
        SourceKind::Prometheus { .. } => prometheus::charts::window(source, ask, until).await,
        SourceKind::Exposition { keep, .. } | SourceKind::Probe { keep, .. } => kept(at, *keep, past, ask, source.every, until).await,
        SourceKind::Alertmanager { .. } | SourceKind::Backup(_) | SourceKind::Database(_) | SourceKind::History(_) => {
            Err("its source has no panels".to_owned())
        }
    };
    told.map_err(|what| clean(&what, NOTE_CAP).into_owned())
}

/// The names of the metrics of the Prometheus of that name.
///
/// # Errors
/// One line that says why they are not known, at the latest after `deadline`.
pub async fn metric_names(estate: &Estate, source: &str, deadline: Duration) -> Result<Names, String> {
    let source = estate.source(source).ok_or("there is no such source")?;
    prometheus::charts::names(source, Instant::now() + deadline).await.map_err(|what| clean(&what, NOTE_CAP).into_owned())
}

/// The names of the labels that some series of that Prometheus have, or the values of one of them, as far as they were
/// there within the last day. `series` is a selector; empty means all.
///
/// # Errors
/// One line that says why they are not known, at the latest after `deadline`.
pub async fn label_words(estate: &Estate, source: &str, series: &str, label: Option<&str>, deadline: Duration) -> Result<Names, String> {
    let source = estate.source(source).ok_or("there is no such source")?;
    let told = prometheus::charts::words(source, series, label, Instant::now() + deadline).await;
    told.map_err(|what| clean(&what, NOTE_CAP).into_owned())
}

/// From the samples that polls kept, on a thread that may block.
async fn kept(
    at: usize,
    keep: jiff::SignedDuration,
    past: &Past,
    ask: &RangeAsk,
    every: jiff::SignedDuration,
    until: Instant,
) -> Result<RangeTold, String> {
    let (past, ask) = (past.clone(), ask.clone());
    let work = tokio::task::spawn_blocking(move || {
        let Ask::Form(form) = &ask.panel.ask else { return Err("it is asked in PromQL, and its source is no Prometheus".to_owned()) };
        let mut ring = Ring::new(keep, BYTES_MOST);
        past(at).iter().for_each(|scrape| ring.add(scrape));
        let kept = Kept { since: ring.oldest(), keep };
        let demand = Demand { range: ask.window.length, points: ask.points };
        let answer = form::answer(&ring, form, ask.window.to, demand, every);
        let plot = answer.plot.unwrap_or_else(|| ask.empty());
        Ok(RangeTold { plot, notes: answer.notes, kept: Some(kept) })
    });
    match timeout_at(until, work).await {
        Ok(Ok(told)) => told,
        Ok(Err(_)) => Err("a fault of this program while reading what is kept: please report it".to_owned()),
        Err(_) => Err("what is kept was not read in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::model::estate::Probe;
    use crate::model::estate::tests::{bare, source};
    use crate::model::label::Labels;
    use crate::model::panel::{Form, Panel, Shape, Unit};
    use crate::model::selector::Selector;
    use crate::model::source::Scrape;
    use crate::model::window::Window;

    #[tokio::test]
    async fn of_a_probe_the_kept_samples_are_drawn_on_the_grid_and_their_bounds_told() {
        let hours = SignedDuration::from_hours;
        let probe = Probe::Tcp { address: "a:1".into() };
        let mut estate = bare(vec![source("p", SourceKind::Probe { probe, keep: hours(48) })]);
        estate.sources[0].every = SignedDuration::from_mins(1);
        let form = Form { shape: Shape::Value, of: Selector::parse("probe_success").unwrap(), by: None };
        let panel = |source: &str| Panel {
            name: "up".into(),
            service: None,
            site: None,
            source: source.into(),
            ask: Ask::Form(form.clone()),
            unit: Unit::Count,
            warn: None,
            critical: None,
        };
        let end = Timestamp::UNIX_EPOCH + hours(1_000);
        let past: Past = Arc::new(move |_| {
            let labels = Labels::new([("__name__", "probe_success")]);
            let of = |minute: i64| Scrape { at: end - SignedDuration::from_mins(minute), samples: vec![(labels.clone(), minute as f64)] };
            (0..120).rev().map(of).collect()
        });
        let ask = |source: &str, ago: i64| RangeAsk {
            panel: Arc::new(panel(source)),
            window: Window::new(end - SignedDuration::from_mins(ago), hours(1), end),
            points: 60,
            scrape: SignedDuration::from_mins(1),
        };
        let one = ask("p", 20);
        let told = chart(&estate, &past, &one, Duration::from_secs(60)).await.unwrap();
        let empty = one.empty();
        assert_eq!((told.plot.start, told.plot.step, told.plot.len), (empty.start, empty.step, empty.len), "the grid that was asked for");
        assert_eq!(told.plot.series[0].points.last(), Some(&Some(20.0)));
        assert_eq!(told.kept, Some(Kept { since: Some(end - SignedDuration::from_mins(119)), keep: hours(48) }));
        let old = chart(&estate, &past, &ask("p", 10_000), Duration::from_secs(60)).await.unwrap();
        assert!(old.plot.series.is_empty(), "what is not kept is a gap");
        let gone = chart(&estate, &past, &ask("gone", 0), Duration::from_secs(60)).await;
        assert_eq!(gone, Err("there is no such source".to_owned()));
    }
}
