//! The peers of one Alertmanager set: all are read at once, one is written to.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::held::{self, Held};
use crate::link::http::{Limits, Reader, Writer};
use crate::model::estate::{Estate, SourceKind};
use crate::model::plan::{Target, TargetKind};
use crate::model::text::{LABEL_CAP, NOTE_CAP, clean};

/// How long one look at all peers may take.
pub(super) const LOOK: Duration = Duration::from_secs(10);
/// Bytes of all silences of a peer: ten thousand, and what is kept of those that ended.
const CAP: usize = 16 << 20;
/// Above its limit of questions at once a peer says 503: it is asked again so often.
const BUSY: u32 = 3;

/// The peers that a plan writes to.
#[derive(Debug, Clone)]
pub struct Peers {
    urls: Vec<String>,
    http_config: Option<PathBuf>,
}

impl Peers {
    /// Those of a plan's target, with the credentials that the estate file names for them.
    ///
    /// # Errors
    /// Where the target is something else, or the estate file leads elsewhere by now.
    pub fn of(estate: &Estate, target: &Target) -> Result<Peers, String> {
        let TargetKind::Alertmanager { source, urls } = &target.kind else { return Err(format!("{}: it is no alertmanager", target.name)) };
        let known = estate.source(source).ok_or_else(|| format!("{source}: the estate file has no such source any more"))?;
        match &known.kind {
            SourceKind::Alertmanager { urls: now, .. } if now == urls => Ok(Peers::at(urls.clone(), known.http_config.clone())),
            SourceKind::Alertmanager { .. } => Err(format!("{source}: the estate file names other peers than the plan")),
            _ => Err(format!("{source}: it is no alertmanager any more")),
        }
    }

    /// At these root addresses, with Prometheus' own `http_config` file.
    pub fn at(urls: Vec<String>, http_config: Option<PathBuf>) -> Peers {
        Peers { urls, http_config }
    }

    /// Reads the silences of all peers at once, for [`LOOK`] at the most.
    pub(super) async fn look(&self, until: Instant) -> Vec<View> {
        let until = until.min(Instant::now() + LOOK);
        let mut asked = JoinSet::new();
        for (place, url) in self.urls.iter().cloned().enumerate() {
            let config = self.http_config.clone();
            asked.spawn(async move {
                let told = match timeout_at(until, silences(&url, config)).await {
                    Ok(told) => told,
                    Err(_) => Err("no answer in time".to_owned()),
                };
                (place, told)
            });
        }
        let mut views: Vec<View> =
            self.urls.iter().map(|url| View { url: url.clone(), told: Err("it was not asked".to_owned()) }).collect();
        while let Some(ended) = asked.join_next().await {
            if let Ok((place, told)) = ended
                && let Some(view) = views.get_mut(place)
            {
                view.told = told;
            }
        }
        views
    }

    /// Writes to that peer.
    pub(super) fn writer(&self, url: &str) -> Result<Writer, String> {
        Writer::new(url, self.http_config.as_deref()).map_err(|error| error.to_string())
    }
}

async fn silences(url: &str, config: Option<PathBuf>) -> Result<Vec<Held>, String> {
    let limits = Limits { deadline: LOOK, body_cap: CAP };
    let reader = Reader::new(url, config.as_deref(), limits).map_err(|error| error.to_string())?;
    let mut tries = 0;
    loop {
        tries += 1;
        let body = reader.get("/api/v2/silences", &[]).await.map_err(|error| error.to_string())?;
        match body.status {
            200..300 => return held::silences(&body.bytes),
            503 if tries < BUSY => tokio::time::sleep(Duration::from_millis(200 * u64::from(tries))).await,
            status => return Err(format!("answered {status}: {}", clean(String::from_utf8_lossy(&body.bytes).trim(), 160))),
        }
    }
}

/// What one peer says.
#[derive(Debug)]
pub(super) struct View {
    /// Its root address.
    pub url: String,
    /// Its silences, or why it did not tell.
    pub told: Result<Vec<Held>, String>,
}

impl View {
    pub fn answered(&self) -> bool {
        self.told.is_ok()
    }

    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.told.iter().flatten()
    }

    /// Its address without the scheme.
    pub fn name(&self) -> String {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        clean(rest.trim_end_matches('/'), LABEL_CAP).into_owned()
    }
}

/// The peers that did not answer, and why.
pub(super) fn silent(views: &[View]) -> String {
    let told = views.iter().filter_map(|view| {
        let why = view.told.as_ref().err()?;
        let name = view.name();
        Some(if why.contains(&name) { why.clone() } else { format!("{name}: {why}") })
    });
    let told: Vec<String> = told.collect();
    let told = if told.is_empty() { "no peer is named".to_owned() } else { told.join("; ") };
    clean(&told, NOTE_CAP).into_owned()
}
