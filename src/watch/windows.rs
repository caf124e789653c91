//! Some windows of the past of a few panels, asked once: of a Prometheus by range queries, of a page or a probe from the
//! samples that are kept.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::{Past, prometheus};
use crate::model::deployment::did::{Span, numbers};
use crate::model::estate::{Estate, Source, SourceKind};
use crate::model::form;
use crate::model::history::{BYTES_MOST, Ring};
use crate::model::metric::Demand;
use crate::model::panel::{Ask, Panel};
use crate::model::text::{NOTE_CAP, clean};

/// Requests that may be on their way at once: they are many, and a console must not be what a struggling server dies of.
const IN_FLIGHT: usize = 4;
/// Points of a window that is computed here.
const POINTS: u16 = 60;

/// The numbers of each panel (its place in the estate, and the time between two of its samples) in each of these windows,
/// all side by side; a panel that was not answered within `deadline` says why.
pub async fn windows(
    estate: &Estate,
    past: &Past,
    panels: &[(usize, SignedDuration)],
    spans: &[Span],
    deadline: Duration,
) -> Vec<Result<Vec<Vec<f64>>, String>> {
    let (until, gate) = (Instant::now() + deadline, Semaphore::new(IN_FLIGHT));
    let mut each: Vec<BoxFuture<'_, Result<Vec<Vec<f64>>, String>>> = Vec::with_capacity(panels.len());
    for (place, scrape) in panels {
        each.push(Box::pin(one(estate, past, (*place, *scrape), spans, (&gate, until))));
    }
    let all = join_all(each).await;
    all.into_iter().map(|one| one.map_err(|what| clean(&what, NOTE_CAP).into_owned())).collect()
}

async fn one(
    estate: &Estate,
    past: &Past,
    (place, scrape): (usize, SignedDuration),
    spans: &[Span],
    (gate, until): (&Semaphore, Instant),
) -> Result<Vec<Vec<f64>>, String> {
    let panel = estate.panels.get(place).ok_or("there is no such panel")?;
    let at = estate.sources.iter().position(|source| source.name == panel.source).ok_or("there is no such source")?;
    let source = &estate.sources[at];
    match &source.kind {
        SourceKind::Prometheus { .. } => {
            let plots = prometheus::windows::plots(source, panel, scrape, spans, gate, until).await?;
            Ok(plots.iter().map(|plot| numbers(panel, plot)).collect())
        }
        SourceKind::Exposition { .. } | SourceKind::Probe { .. } => kept(at, source, panel, past, spans, until).await,
        SourceKind::Alertmanager { .. } | SourceKind::Backup(_) | SourceKind::Database(_) | SourceKind::History(_) => {
            Err("its source has no panels".to_owned())
        }
    }
}

/// From the samples that earlier polls kept, on a thread that may block.
async fn kept(at: usize, source: &Source, panel: &Panel, past: &Past, spans: &[Span], until: Instant) -> Result<Vec<Vec<f64>>, String> {
    let (SourceKind::Exposition { keep, .. } | SourceKind::Probe { keep, .. }) = source.kind else { return Ok(Vec::new()) };
    let (past, panel, spans, every) = (past.clone(), panel.clone(), spans.to_vec(), source.every);
    let work = tokio::task::spawn_blocking(move || {
        let Ask::Form(form) = &panel.ask else { return Vec::new() };
        let mut ring = Ring::new(keep, BYTES_MOST);
        past(at).iter().for_each(|scrape| ring.add(scrape));
        let window = |span: &Span| {
            let demand = Demand { range: span.to.duration_since(span.from), points: POINTS };
            let answer = form::answer(&ring, form, span.to, demand, every);
            answer.plot.map(|plot| numbers(&panel, &plot)).unwrap_or_default()
        };
        spans.iter().map(window).collect()
    });
    match timeout_at(until, work).await {
        Ok(Ok(numbers)) => Ok(numbers),
        Ok(Err(_)) => Err("a fault of this program while reading what is kept: please report it".to_owned()),
        Err(_) => Err("what is kept was not read in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::model::estate::Probe;
    use crate::model::estate::tests::{bare, source};
    use crate::model::label::Labels;
    use crate::model::panel::{Form, Shape, Unit};
    use crate::model::selector::Selector;
    use crate::model::source::Scrape;

    #[tokio::test]
    async fn of_a_probe_the_kept_samples_are_read_and_where_there_are_none_there_are_none() {
        let hours = SignedDuration::from_hours;
        let probe = Probe::Tcp { address: "a:1".into() };
        let mut estate = bare(vec![source("p", SourceKind::Probe { probe, keep: hours(48) })]);
        let form = Form { shape: Shape::Value, of: Selector::parse("probe_success").unwrap(), by: None };
        let (name, ask) = ("up".to_owned(), Ask::Form(form));
        let panel = Panel { name, service: None, site: None, source: "p".into(), ask, unit: Unit::Count, warn: None, critical: None };
        estate.panels.push(panel);
        let end = Timestamp::UNIX_EPOCH + hours(1_000);
        let past: Past = Arc::new(move |_| {
            let labels = Labels::new([("__name__", "probe_success")]);
            let of = |minute: i64| Scrape { at: end - SignedDuration::from_mins(minute), samples: vec![(labels.clone(), minute as f64)] };
            (0..120).rev().map(of).collect()
        });
        estate.sources[0].every = SignedDuration::from_mins(1);
        let span = |from: i64, to: i64| Span { from: end - SignedDuration::from_mins(from), to: end - SignedDuration::from_mins(to) };
        let all = windows(
            &estate,
            &past,
            &[(0, SignedDuration::from_mins(1)), (7, SignedDuration::ZERO)],
            &[span(30, 20), span(600, 590)],
            Duration::from_secs(60),
        )
        .await;
        let [Ok(numbers), Err(_)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(numbers[0].iter().copied().fold(f64::INFINITY, f64::min), 20.0);
        assert_eq!(numbers[0].iter().copied().fold(0.0, f64::max), 30.0);
        assert!(numbers[1].is_empty());
    }
}
