//! Some windows of the past of one panel, asked once of its Prometheus.

use futures_util::future::{BoxFuture, try_join_all};
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::plan::{Drawn, query};
use super::query::Grid;
use super::range;
use crate::link::http::Reader;
use crate::model::deployment::did::Span;
use crate::model::estate::{Source, SourceKind};
use crate::model::metric::{Plot, rate_window};
use crate::model::panel::Panel;
use crate::watch::limits;

/// Steps of a window.
const STEPS: i64 = 60;

/// The panel's plot in each of these windows, in their order; why not, where one of them was not answered before `until`.
/// `scrape` is the time between two samples at that Prometheus; a request waits for its turn at `gate`.
pub(crate) async fn plots(
    source: &Source,
    panel: &Panel,
    scrape: SignedDuration,
    spans: &[Span],
    gate: &Semaphore,
    until: Instant,
) -> Result<Vec<Plot>, String> {
    let SourceKind::Prometheus { url } = &source.kind else { return Err("it is no Prometheus".to_owned()) };
    let reader = Reader::new(url, source.http_config.as_deref(), limits(source)).map_err(|error| error.to_string())?;
    let mut asked: Vec<BoxFuture<'_, Result<Plot, String>>> = Vec::with_capacity(spans.len());
    for span in spans {
        let reader = &reader;
        let (start, end) = (span.from.as_second(), span.to.as_second());
        let step = ((end - start) / STEPS).max(scrape.as_secs()).max(1);
        let drawn = Drawn { query: query(panel, rate_window(step, scrape)), grid: Grid { start, end, step } };
        asked.push(Box::pin(async move {
            let _turn = gate.acquire().await.map_err(|_| "nobody is asked any more")?;
            range(reader, &drawn, until).await.map(|answer| answer.data).map_err(|fault| fault.what)
        }));
    }
    try_join_all(asked).await
}
