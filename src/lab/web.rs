//! The web service: orders, read from and written to the document store. It is what its release makes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::time::timeout;

use crate::link::http::Reader;

use super::LabError;
use super::edge::{Fields, answer, asked, reader};
use super::page::{Format, Identity, Kind, Page, Requests};
use super::release::{Release, current};
use super::serve::{Duty, pages, say};

/// How long the store may take.
const STORE: Duration = Duration::from_secs(4);
/// An order that takes longer is told in the log.
const SLOW: Duration = Duration::from_secs(1);
/// How long the store may take to say that it is there.
const READY: Duration = Duration::from_secs(1);

struct Web {
    release: Release,
    store: Reader,
    identity: Identity,
    requests: Requests,
    /// How many requests came.
    came: AtomicU64,
    /// How many failed for want of the store.
    store_errors: AtomicU64,
}

/// Serves the release that is current now.
pub async fn run(duty: &Duty) -> Result<(), LabError> {
    let release = current(&duty.home)?;
    let store = duty.store.as_deref().ok_or_else(|| LabError::Other("the web service needs --store".to_owned()))?;
    say("INFO", &format!("release {} begins to serve", release.version));
    let web = Arc::new(Web {
        store: reader(store).map_err(|error| LabError::Other(error.to_string()))?,
        identity: Identity::new(&release.version),
        release,
        requests: Requests::new("http"),
        came: AtomicU64::new(0),
        store_errors: AtomicU64::new(0),
    });
    let router = Router::new()
        .route("/healthz", get("ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/orders/{id}", get(read).post(write))
        .with_state(web);
    pages(&duty.listen, router).await
}

/// Ready where the store is: without it no request can be answered.
async fn ready(State(web): State<Arc<Web>>) -> Response {
    match timeout(READY, web.store.get("/healthz", &[])).await {
        Ok(Ok(body)) if body.status == 200 => "ready\n".into_response(),
        Ok(Ok(body)) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store answers {}\n", body.status)).into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store: {error}\n")).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store did not answer in time\n").into_response(),
    }
}

async fn metrics(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let format = Format::wanted(&headers);
    let mut page = Page::new(format);
    web.identity.write(&mut page);
    web.requests.write(&mut page);
    page.family("web_store_errors_total", Kind::Counter, "Requests that failed because the store did.");
    page.sample("web_store_errors_total", &[], web.store_errors.load(Ordering::Relaxed) as f64);
    (format.header(), page.finish()).into_response()
}

async fn read(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Response {
    web.order("GET", &id, None).await
}

async fn write(State(web): State<Arc<Web>>, Path(id): Path<String>, Form(fields): Form<Fields>) -> Response {
    web.order("POST", &id, Some(fields)).await
}

impl Web {
    async fn order(&self, method: &'static str, id: &str, form: Option<Fields>) -> Response {
        let start = Instant::now();
        let response = match failing(self.came.fetch_add(1, Ordering::Relaxed), self.release.fail_share) {
            true => {
                let told = format!("release {}: order {id} cannot be shown: field `currency` is missing\n", self.release.version);
                say("ERROR", told.trim_end());
                (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
            }
            false => match timeout(STORE, asked(&self.store, &format!("/documents/{id}"), form.as_ref())).await {
                Ok(Ok(body)) => answer(body),
                Ok(Err(error)) => self.without_store(id, &error.to_string()),
                Err(_) => self.without_store(id, "no answer in time"),
            },
        };
        if start.elapsed() > SLOW {
            say("WARN", &format!("{method} order {id} took {:.1} s, nearly all of it in the store", start.elapsed().as_secs_f64()));
        }
        self.requests.add("", method, response.status().as_u16(), start.elapsed());
        response
    }

    fn without_store(&self, id: &str, why: &str) -> Response {
        say("ERROR", &format!("order {id}: the store: {why}"));
        self.store_errors.fetch_add(1, Ordering::Relaxed);
        (StatusCode::SERVICE_UNAVAILABLE, format!("the store: {why}\n")).into_response()
    }
}

/// Whether the request of that number fails, so that the share of all that fail is this one, evenly spread.
fn failing(number: u64, share: f64) -> bool {
    let failed = |requests: u64| (requests as f64 * share).floor();
    failed(number + 1) > failed(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_fails_is_the_one_that_is_asked_for() {
        for (share, wanted) in [(0.0, 0), (0.2, 200), (0.5, 500), (1.0, 1_000)] {
            assert_eq!((0..1_000).filter(|n| failing(*n, share)).count(), wanted, "{share}");
        }
        assert!((0..10).any(|n| failing(n, 0.2)), "it shows within few requests");
    }
}
