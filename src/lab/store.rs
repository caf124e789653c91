//! The document store: one file per document, and an outbox of what waits to be sent on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Form, Path as InAddress, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;

use super::edge::Fields;
use super::page::{Format, Identity, Kind, Page, Requests};
use super::serve::{Duty, pages};
use super::{LabError, at, copies};

/// The store's settings, in its folder. They are read again at every request.
pub const SETTINGS: &str = "settings.toml";
/// The partitions of an outbox that is well.
const PARTITIONS: u32 = 4;
/// What waits in each of them.
const WAITING: u32 = 3;
/// From here on a partition that is stuck is too long. The rule of the estate file says the same.
pub const TOO_LONG: u32 = 1_000;
/// The longest name of a document.
const NAME: usize = 64;

/// What the settings file says. Each key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Milliseconds that each document takes longer.
    delay_ms: u64,
    /// The partitions of the outbox.
    partitions: u32,
    /// What waits in each, at least.
    waiting: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { delay_ms: 0, partitions: PARTITIONS, waiting: WAITING }
    }
}

/// The settings of a store that is well, of a slow one and of one whose outbox is stuck, as text for [`SETTINGS`].
pub fn settings(delay_ms: u64, stuck: bool) -> String {
    let (partitions, waiting) = if stuck { (3_000, TOO_LONG + 200) } else { (PARTITIONS, WAITING) };
    format!(
        "# The settings of a practice store; it reads them again at every request.\n\n\
         # Milliseconds that each document takes longer.\ndelay_ms = {delay_ms}\n\
         # Partitions of the outbox, and how much waits in each.\npartitions = {partitions}\nwaiting = {waiting}\n"
    )
}

struct Store {
    settings: PathBuf,
    documents: PathBuf,
    count: AtomicU64,
    /// When the newest document was written, in milliseconds since the epoch.
    newest: AtomicU64,
    identity: Identity,
    requests: Requests,
}

/// Serves the documents of its folder.
pub async fn run(duty: &Duty) -> Result<(), LabError> {
    let documents = duty.home.join("documents");
    fs::create_dir_all(&documents).map_err(at(&documents))?;
    let (count, newest) = found(&documents)?;
    let store = Arc::new(Store {
        settings: duty.home.join(SETTINGS),
        documents,
        count: AtomicU64::new(count),
        newest: AtomicU64::new(newest),
        identity: Identity::new(env!("CARGO_PKG_VERSION")),
        requests: Requests::new("store"),
    });
    tokio::spawn(copies::run(duty.home.clone(), store.documents.clone()));
    let router = Router::new()
        .route("/healthz", get("ok"))
        .route("/metrics", get(metrics))
        .route("/documents/{id}", get(read).post(write))
        .with_state(store);
    pages(&duty.listen, router).await
}

/// How many documents there are, and when the newest was written.
fn found(folder: &Path) -> Result<(u64, u64), LabError> {
    let (mut count, mut newest) = (0, 0);
    for entry in fs::read_dir(folder).map_err(at(folder))?.flatten() {
        let written = entry.metadata().ok().and_then(|about| Timestamp::try_from(about.modified().ok()?).ok());
        count += 1;
        newest = newest.max(written.map_or(0, |written| written.as_millisecond().unsigned_abs()));
    }
    Ok((count, newest))
}

async fn metrics(State(store): State<Arc<Store>>, headers: HeaderMap) -> Response {
    let settings = store.settings();
    let format = Format::wanted(&headers);
    let mut page = Page::new(format);
    store.identity.write(&mut page);
    store.requests.write(&mut page);
    page.gauge("store_documents", "Documents on disk.", store.count.load(Ordering::Relaxed) as f64);
    let newest = store.newest.load(Ordering::Relaxed) as f64 / 1e3;
    // Before the first document there is no such moment, and 1970 would be a false one.
    if newest > 0.0 {
        page.gauge("store_newest_document_seconds", "When the newest document was written, in seconds since the epoch.", newest);
    }
    page.family("store_outbox_waiting", Kind::Gauge, "Messages that wait to be sent on, by partition.");
    for partition in 0..settings.partitions {
        let name = partition.to_string();
        // What is stuck is not stuck evenly.
        page.sample("store_outbox_waiting", &[("partition", name.as_str())], f64::from(settings.waiting + partition % 7));
    }
    (format.header(), page.finish()).into_response()
}

async fn read(State(store): State<Arc<Store>>, InAddress(id): InAddress<String>) -> Response {
    let start = Instant::now();
    store.wait().await;
    let response = match store.file(&id).map(fs::read) {
        None => (StatusCode::BAD_REQUEST, "a document's name is letters, digits and `-`\n").into_response(),
        Some(Ok(bytes)) => bytes.into_response(),
        Some(Err(_)) => (StatusCode::NOT_FOUND, "there is no such document\n").into_response(),
    };
    store.requests.add("", "GET", response.status().as_u16(), start.elapsed());
    response
}

async fn write(State(store): State<Arc<Store>>, InAddress(id): InAddress<String>, Form(fields): Form<Fields>) -> Response {
    let start = Instant::now();
    store.wait().await;
    let response = match (store.file(&id), fields.get("text")) {
        (Some(file), Some(text)) => match store.put(&file, text) {
            Ok(()) => (StatusCode::CREATED, "stored\n").into_response(),
            Err(error) => (StatusCode::INSUFFICIENT_STORAGE, format!("cannot store: {error}\n")).into_response(),
        },
        _ => (StatusCode::BAD_REQUEST, "a document has a name of letters, digits and `-`, and a field `text`\n").into_response(),
    };
    store.requests.add("", "POST", response.status().as_u16(), start.elapsed());
    response
}

impl Store {
    /// What the settings say now; without a file that can be read, those of a store that is well.
    fn settings(&self) -> Settings {
        fs::read_to_string(&self.settings).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// Takes as long as the settings want.
    async fn wait(&self) {
        let delay = self.settings().delay_ms;
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
    }

    /// The file of that document; none for a name that could lead elsewhere.
    fn file(&self, id: &str) -> Option<PathBuf> {
        let fit = (1..=NAME).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fit.then(|| self.documents.join(id))
    }

    /// Written beside it and renamed: a reader sees the old one or the new one. The files are small and the disk is
    /// this machine's own, so that this takes no thread of its own.
    fn put(&self, file: &Path, text: &str) -> std::io::Result<()> {
        let (next, new) = (file.with_extension("next"), !file.exists());
        fs::write(&next, text)?;
        fs::rename(&next, file)?;
        self.count.fetch_add(u64::from(new), Ordering::Relaxed);
        self.newest.store(Timestamp::now().as_millisecond().unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_are_written_are_the_ones_that_are_read() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap();
        assert_eq!(read(&settings(0, false)), Settings::default());
        assert_eq!(read(&settings(700, false)).delay_ms, 700);
        let stuck = read(&settings(0, true));
        assert!(stuck.partitions == 3_000 && stuck.waiting > TOO_LONG);
        assert!(toml::from_str::<Settings>("delay = 3").is_err(), "an unknown key is no setting");
    }
}
