//! The edge proxy: takes in what people ask and hands it to the site's web service, whose address stands in a file.
//!
//! It has a defect, as such programs have: who asks for too long a path is answered at once, and the connection that was
//! taken for the request is not given back. When none is left, nobody is served, until the process is another one.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::header::CONTENT_TYPE};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::link::http::{Body, Limits, LinkError, Reader};

use super::LabError;
use super::page::{Format, Identity, Page, Requests};
use super::serve::{Duty, pages, pages_over_tls, say};

/// How long the web service may take before the answer is 504.
const UPSTREAM: Duration = Duration::from_secs(5);
/// What an answer or a form may be long.
const CAP: usize = 64 << 10;

/// Connections to the web service at once; more than all clients together want. The rule of the estate file says the same.
pub const CONNECTIONS: usize = 200;
/// Bytes of the longest path.
const LONGEST_PATH: usize = 200;
/// Between two lines of the log that say the same.
const AGAIN: Duration = Duration::from_secs(2);

/// The file with the address of the web service, in the edge's folder.
pub const TARGET: &str = "upstream";

/// The fields of a form.
pub type Fields = BTreeMap<String, String>;

struct Edge {
    target: PathBuf,
    /// The reader of the target that was last used.
    upstream: Mutex<Option<(String, Arc<Reader>)>>,
    connections: Semaphore,
    /// When it was last written down that none is free.
    complained: Mutex<Option<Instant>>,
    identity: Identity,
    requests: Requests,
}

/// Serves people at the front and its own pages beside it.
pub async fn run(duty: &Duty) -> Result<(), LabError> {
    let edge = Arc::new(Edge {
        target: duty.home.join(TARGET),
        upstream: Mutex::default(),
        connections: Semaphore::new(CONNECTIONS),
        complained: Mutex::default(),
        identity: Identity::new(env!("CARGO_PKG_VERSION")),
        requests: Requests::new("http"),
    });
    let own = Router::new().route("/healthz", get("ok")).route("/metrics", get(metrics)).with_state(edge.clone());
    let people = Router::new().route("/{*path}", get(read).post(write)).with_state(edge);
    let front = duty.front.as_deref().ok_or_else(|| LabError::Other("the edge needs --front".to_owned()))?;
    let served = async {
        match &duty.certificate {
            Some(certificate) => pages_over_tls(front, certificate, people).await,
            None => pages(front, people).await,
        }
    };
    tokio::try_join!(served, pages(&duty.listen, own)).map(|_| ())
}

async fn metrics(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response {
    let format = Format::wanted(&headers);
    let mut page = Page::new(format);
    edge.identity.write(&mut page);
    edge.requests.write(&mut page);
    let held = CONNECTIONS.saturating_sub(edge.connections.available_permits());
    page.gauge("edge_connections_held", "Connections to the web service that are taken.", held as f64);
    (format.header(), page.finish()).into_response()
}

async fn read(State(edge): State<Arc<Edge>>, uri: Uri) -> Response {
    edge.handed_on("GET", uri.path(), None).await
}

async fn write(State(edge): State<Arc<Edge>>, uri: Uri, Form(fields): Form<Fields>) -> Response {
    edge.handed_on("POST", uri.path(), Some(fields)).await
}

impl Edge {
    async fn handed_on(&self, method: &'static str, path: &str, form: Option<Fields>) -> Response {
        let start = Instant::now();
        let response = match self.connections.try_acquire() {
            Err(_) => {
                self.complain(method, path);
                let told = format!("no connection to the web service is free: all {CONNECTIONS} are taken\n");
                (StatusCode::SERVICE_UNAVAILABLE, told).into_response()
            }
            Ok(connection) if path.len() > LONGEST_PATH => {
                // The defect.
                connection.forget();
                (StatusCode::URI_TOO_LONG, "there is no such page\n").into_response()
            }
            Ok(_connection) => self.answer_of_web(path, form.as_ref()).await,
        };
        self.requests.add("", method, response.status().as_u16(), start.elapsed());
        response
    }

    /// A line in its log, not for every request.
    fn complain(&self, method: &str, path: &str) {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_some_and(|last| last.elapsed() < AGAIN) {
            return;
        }
        *complained = Some(Instant::now());
        let path = path.get(..80).unwrap_or(path);
        say(
            "ERROR",
            &format!("no connection to the web service is free: all {CONNECTIONS} are taken and none comes back; refused {method} {path}"),
        );
    }

    async fn answer_of_web(&self, path: &str, form: Option<&Fields>) -> Response {
        match self.upstream() {
            Err(why) => (StatusCode::BAD_GATEWAY, format!("{why}\n")).into_response(),
            Ok(upstream) => match timeout(UPSTREAM, asked(&upstream, path, form)).await {
                Err(_) => (StatusCode::GATEWAY_TIMEOUT, "the web service did not answer in time\n").into_response(),
                Ok(Err(error)) => (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response(),
                Ok(Ok(body)) => answer(body),
            },
        }
    }

    /// The target by the file's present content: whoever changes the file moves the people at once.
    fn upstream(&self) -> Result<Arc<Reader>, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", self.target.display());
        let wanted = fs::read_to_string(&self.target).map_err(|error| told(&error))?;
        let wanted = wanted.trim();
        let mut upstream = self.upstream.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((target, reader)) = &*upstream
            && target == wanted
        {
            return Ok(reader.clone());
        }
        let reader = Arc::new(reader(wanted).map_err(|error| told(&error))?);
        *upstream = Some((wanted.to_owned(), reader.clone()));
        Ok(reader)
    }
}

/// A stranger comes who asks for pages that there are not, by paths that are too long, until no connection is left.
///
/// # Errors
/// Where the edge does not answer.
pub fn exhaust(front: &str) -> Result<(), LabError> {
    let other = |error: &dyn std::fmt::Display| LabError::Other(error.to_string());
    let reader = reader(front).map_err(|error| other(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| other(&error))?;
    let path = format!("/{}", "old-shop/".repeat(LONGEST_PATH / 8));
    let mut lost = 0;
    // Others want connections too, and give them back.
    for _ in 0..20 * CONNECTIONS {
        let answered = runtime.block_on(reader.get(&path, &[])).map_err(|error| other(&error))?;
        match answered.status == StatusCode::URI_TOO_LONG.as_u16() {
            true => lost += 1,
            false => std::thread::sleep(Duration::from_millis(10)),
        }
        if lost == CONNECTIONS {
            return Ok(());
        }
    }
    Err(LabError::Other(format!("{lost} of {CONNECTIONS} connections were taken")))
}

/// A reader of another process of the practice estate.
pub fn reader(address: &str) -> Result<Reader, LinkError> {
    Reader::new(address, None, Limits { deadline: UPSTREAM * 2, body_cap: CAP })
}

/// GET, or POST where there is a form.
pub async fn asked(reader: &Reader, path: &str, form: Option<&Fields>) -> Result<Body, LinkError> {
    match form {
        None => reader.get(path, &[]).await,
        Some(form) => {
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            reader.post_form(path, &form).await
        }
    }
}

/// Hands an answer on as it came.
pub fn answer(body: Body) -> Response {
    let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(CONTENT_TYPE, body.content_type)], body.bytes).into_response()
}
