//! Reads the peers of one Alertmanager set over their v2 API, all at once, and makes one answer of what they say.

mod decode;
mod merge;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures_util::future::join_all;
use jiff::Timestamp;

use self::merge::PeerView;
use super::prometheus::ahead;
use super::wire::{Fault, short_url, success};
use crate::link::http::{Limits, Reader};
use crate::model::estate::{Source, SourceKind};
use crate::model::label::Labels;
use crate::model::reading::{FailureKind, Outcome};
use crate::model::source::{AlertmanagerAnswer, Answer};
use crate::model::text::{NOTE_CAP, clean};
use crate::watch::limits;

/// Reads one Alertmanager set.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    name: Arc<str>,
    peers: Vec<Peer>,
    dead_man: Option<Labels>,
    http_config: Option<PathBuf>,
    limits: Limits,
}

#[derive(Debug)]
struct Peer {
    url: String,
    /// Built at the first try and again until it works: a credentials file may come later than the console.
    reader: OnceLock<Reader>,
}

impl Alertmanager {
    /// A reader of that source; `None` where it is something else.
    pub(crate) fn new(source: &Source) -> Option<Alertmanager> {
        let SourceKind::Alertmanager { urls, dead_man } = &source.kind else { return None };
        Some(Alertmanager {
            name: source.name.as_str().into(),
            peers: urls.iter().map(|url| Peer { url: url.clone(), reader: OnceLock::new() }).collect(),
            dead_man: dead_man.clone(),
            http_config: source.http_config.clone(),
            limits: limits(source),
        })
    }

    /// One try. A value where at least one peer answered.
    pub(crate) async fn poll(&self, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Outcome<Answer> {
        let as_of = clock();
        let views = join_all(self.peers.iter().map(|peer| self.read(peer, clock))).await;
        let views = self.peers.iter().map(|peer| peer.url.clone()).zip(views).collect();
        match conclude(views, self.dead_man.as_ref(), clock()) {
            Ok(answer) => Outcome::Value { value: Answer::Alertmanager(Arc::new(answer)), as_of },
            Err(fault) => Outcome::Failed { kind: fault.kind, what: fault.what, at: clock() },
        }
    }

    async fn read(&self, peer: &Peer, clock: &(dyn Fn() -> Timestamp + Send + Sync)) -> Result<PeerView, Fault> {
        let reader = match peer.reader.get() {
            Some(reader) => reader,
            None => {
                let new = Reader::new(&peer.url, self.http_config.as_deref(), self.limits)?;
                peer.reader.get_or_init(|| new)
            }
        };
        // Alertmanager answers the first of many that read at once with 503: five per peer stay below its least limit, eight.
        let sent = clock();
        let (alerts, groups, silences, status, receivers) = tokio::join!(
            get(reader, "/api/v2/alerts", |bytes| decode::alerts(bytes, &self.name)),
            get(reader, "/api/v2/alerts/groups", decode::groups),
            get(reader, "/api/v2/silences", decode::silences),
            status(reader, sent, clock),
            get(reader, "/api/v2/receivers", decode::receivers),
        );
        let words = |fault: Fault| fault.what;
        let (status, clock_ahead) = status;
        Ok(PeerView {
            // Without these two the peer tells too little to be compared with the others.
            alerts: alerts?,
            silences: silences?,
            groups: groups.map_err(words),
            status: status.map_err(words),
            receivers: receivers.map_err(words),
            as_of: clock(),
            clock_ahead,
        })
    }
}

/// Its status, and how far its clock is ahead, seconds.
async fn status(
    reader: &Reader,
    sent: Timestamp,
    clock: &(dyn Fn() -> Timestamp + Send + Sync),
) -> (Result<decode::Status, Fault>, Option<i64>) {
    match reader.get("/api/v2/status", &[]).await {
        Ok(body) => {
            let ahead = body.date.map(|date| ahead(date, sent, clock()));
            (success(&body, "Alertmanager").and_then(decode::status), ahead)
        }
        Err(error) => (Err(error.into()), None),
    }
}

async fn get<T>(reader: &Reader, path: &str, decode: impl FnOnce(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
    let body = reader.get(path, &[]).await?;
    success(&body, "Alertmanager").and_then(decode)
}

/// One answer where any peer gave one; else one failure that names each peer.
fn conclude(views: Vec<(String, Result<PeerView, Fault>)>, dead_man: Option<&Labels>, now: Timestamp) -> Result<AlertmanagerAnswer, Fault> {
    let faults: Vec<(&String, &Fault)> = views.iter().filter_map(|(url, view)| view.as_ref().err().map(|fault| (url, fault))).collect();
    if faults.len() < views.len() {
        let views = views.into_iter().map(|(url, view)| (url, view.map_err(|fault| fault.what))).collect();
        return Ok(merge::merge(views, dead_man, now));
    }
    let refused = !faults.is_empty() && faults.iter().all(|(_, fault)| fault.kind == FailureKind::Refused);
    // Most faults of the link name their host already.
    let tell = |(url, fault): &(&String, &Fault)| match short_url(url) {
        host if fault.what.contains(&host) => fault.what.clone(),
        host => format!("{host}: {}", fault.what),
    };
    let told: Vec<String> = faults.iter().map(tell).collect();
    let what = if told.is_empty() { "no address is configured".to_owned() } else { told.join("; ") };
    Err(Fault {
        kind: if refused { FailureKind::Refused } else { FailureKind::Unreachable },
        absent: false,
        what: clean(&what, NOTE_CAP).into_owned(),
    })
}

#[cfg(test)]
mod tests;
