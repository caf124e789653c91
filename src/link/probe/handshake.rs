//! One TLS handshake, only for looking: it goes on whatever the certificate is, and no byte of data is sent over it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use tokio::io::AsyncWrite;
use tokio_rustls::TlsConnector;

use super::Knocker;
use super::witness::{Verdict, Witness};
use crate::link::http::explain::unreachable;
use crate::link::http::tls::Looking;
use crate::link::http::{LinkError, Miss};

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);

/// What a handshake showed.
#[derive(Debug)]
pub struct Handshake {
    /// The certificates that the server sent (DER), its own first.
    pub chain: Vec<Vec<u8>>,
    /// The name that was asked for.
    pub name: String,
    /// What a real connection would have made of them.
    pub verdict: Verdict,
    /// From the start of the connection to the end of the handshake.
    pub took: Duration,
    /// Why the handshake ended without a connection, after the certificate was shown. One cleaned line.
    pub broken: Option<String>,
    /// True where `insecure_skip_verify` says that any certificate will do.
    pub insecure: bool,
}

impl Knocker {
    /// Connects, shakes hands, looks at the certificate and goes. `server_name` of `tls_config` is the name that is
    /// asked for in place of the address's, as Prometheus does it.
    pub async fn handshake(&self) -> Result<Handshake, Miss> {
        match tokio::time::timeout(self.deadline, self.shake()).await {
            Ok(result) => result,
            Err(_) => Err(self.late("no TLS handshake")),
        }
    }

    async fn shake(&self) -> Result<Handshake, Miss> {
        let looking = self.looking().await.map_err(Miss::NotAsked)?;
        let name = match &looking.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(self.host.clone())
                .map_err(|_| Miss::NotAsked(unreachable(format!("{} is no host name or address", self.host))))?,
        };
        let witness = Arc::new(Witness::new(looking.judge.clone()));
        let mut config = looking.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());
        let asked = name.to_str().into_owned();
        let started = Instant::now();
        let stream = self.stream().await.map_err(|error| self.failed(&error))?;
        let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let took = started.elapsed();
        let broken = match shaken {
            Ok(mut stream) => {
                // Only for the server's log; whether it works matters to nobody.
                let _ = tokio::time::timeout(GOODBYE, std::future::poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx))).await;
                None
            }
            Err(error) => Some(self.failed(&error)),
        };
        match (witness.seen(), broken) {
            (Some((chain, verdict)), broken) => {
                Ok(Handshake { chain, name: asked, verdict, took, broken: broken.map(|miss| miss.to_string()), insecure: looking.insecure })
            }
            (None, Some(miss)) => Err(miss),
            (None, None) => Err(Miss::failed(unreachable(format!("{}: no certificate was shown", self.at())))),
        }
    }

    /// What the handshake needs by the files' present content, read where blocking is allowed.
    async fn looking(&self) -> Result<Arc<Looking>, LinkError> {
        let mut state = self.state.clone().lock_owned().await;
        let file = self.http_config.clone();
        match tokio::task::spawn_blocking(move || state.looking(file.as_deref())).await {
            Ok(looking) => looking,
            Err(_) => Err(unreachable(format!("{}: the handshake could not be prepared", self.at()))),
        }
    }
}
