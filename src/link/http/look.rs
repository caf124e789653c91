//! One GET that is itself what is asked: a connection of its own, no redirect followed, and the answer as it came,
//! refusals too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use reqwest::Response;
use reqwest::tls::TlsInfo;
use tokio::sync::Mutex;
use url::Url;

use super::explain::{self, peer};
use super::state::{Prepared, State, Target};
use super::{Limits, LinkError, Progress, Reader};
use crate::config::http_config::Proxy;
use crate::link::probe::{Handshake, Knocker};

/// What one GET brought, whatever its status.
#[derive(Debug)]
pub struct Look {
    /// HTTP status.
    pub status: u16,
    /// Where the status is 401, 403 or 407: who was refused, and what to do. One cleaned line.
    pub refused: Option<String>,
    /// The body, decompressed; its beginning where `cut`.
    pub bytes: Vec<u8>,
    /// True where the body is longer than the cap.
    pub cut: bool,
    /// From the start of the connection to the last byte that was read.
    pub took: Duration,
    /// The server's certificate (DER), over TLS.
    pub certificate: Option<Vec<u8>>,
    /// True where `insecure_skip_verify` let any certificate do.
    pub unverified: bool,
}

/// Why a probe saw nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// It could not be asked: the fault is on this side, in its credentials or settings. Nothing is known of the service.
    #[error(transparent)]
    NotAsked(LinkError),
    /// It was asked, and this went wrong: one cleaned line.
    #[error("{0}")]
    Failed(String),
    /// Its certificate is not accepted, so that nothing was asked over that connection. A handshake can show it.
    #[error("{0}")]
    Certificate(String),
}

impl Miss {
    /// What went wrong on the way to the service.
    pub(in crate::link) fn failed(error: LinkError) -> Miss {
        Miss::Failed(error.to_string())
    }
}

impl Reader {
    /// A reader for looks at this very address, its query included, with a new connection for each.
    pub fn alone(address: &str, http_config: Option<&Path>, limits: Limits) -> Result<Reader, LinkError> {
        let Ok(mut whole) = Url::parse(address) else { return Reader::new(address, http_config, limits) };
        whole.set_fragment(None);
        let mut root = whole.clone();
        root.set_query(None);
        let known = Reader::new(root.as_str(), http_config, limits)?;
        Ok(Reader { base: whole, state: Arc::new(Mutex::new(State::alone())), ..known })
    }

    /// GET the reader's own address.
    pub async fn look(&self) -> Result<Look, Miss> {
        let (at, deadline, progress) = (peer(&self.base), self.limits.deadline, Progress::default());
        match tokio::time::timeout(deadline, self.look_at_it(&progress)).await {
            Ok(result) => result,
            Err(_) => Err(Miss::Failed(match progress.0.load(Ordering::Relaxed).checked_sub(1) {
                None => format!("{at}: no answer within {deadline:?}"),
                Some(bytes) => format!("{at}: the answer was not complete after {deadline:?} ({bytes} bytes had come)"),
            })),
        }
    }

    /// One handshake with the reader's own address, within that time, only to look at its certificate.
    pub async fn handshake(&self, deadline: Duration) -> Result<Handshake, Miss> {
        let knocker = Knocker::new(&peer(&self.base), self.http_config.as_deref(), deadline).map_err(Miss::NotAsked)?;
        knocker.handshake().await
    }

    async fn look_at_it(&self, progress: &Progress) -> Result<Look, Miss> {
        let tls = self.base.scheme() == "https";
        let prepared = self.prepared(Target { tls, own: true }).await.map_err(Miss::NotAsked)?;
        // Behind a proxy there is no direct way to look at it.
        let direct = prepared.config.proxy == Proxy::None;
        let failed = |error: reqwest::Error| match direct && explain::is_certificate(&error) {
            true => Miss::Certificate(explain::failed(&self.base, error).to_string()),
            false => Miss::failed(explain::failed(&self.base, error)),
        };
        let started = Instant::now();
        let request = prepared.client.get(self.base.clone());
        let (request, sent) = prepared.apply(request).map_err(failed)?;
        let mut response = prepared.client.execute(request).await.map_err(failed)?;
        let certificate = certificate(&response);
        let (mut bytes, mut cut) = (Vec::new(), false);
        progress.0.store(1, Ordering::Relaxed);
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let room = self.limits.body_cap - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            progress.0.store(1 + bytes.len(), Ordering::Relaxed);
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        let status = response.status().as_u16();
        sent.hide(&mut bytes, (200..300).contains(&status));
        let refused = self.allowed(&self.base, true, status, &prepared).err().map(|error| error.to_string());
        let unverified = tls && unverified(&prepared);
        Ok(Look { status, refused, bytes, cut, took: started.elapsed(), certificate, unverified })
    }
}

fn unverified(prepared: &Prepared) -> bool {
    prepared.config.tls.insecure_skip_verify
}

fn certificate(response: &Response) -> Option<Vec<u8>> {
    response.extensions().get::<TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
}
