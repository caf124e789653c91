//! TLS for PostgreSQL with the one crypto provider that all connections have.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::config::conninfo::SslMode;
use crate::config::http_config::{SecretRef, Tls, TlsVersion};
use crate::link::http::tls;
use crate::link::secret::Secrets;

/// Makes handshakes.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// For that `sslmode`, with the only roots that are trusted. Reads the roots' file where it needs them.
    pub fn new(mode: SslMode, roots: Option<&Path>) -> Result<Connector, String> {
        let checked = mode == SslMode::VerifyFull;
        let wanted = Tls {
            ca: roots.filter(|_| checked).map(|path| SecretRef::File(path.to_owned())),
            client: None,
            server_name: None,
            insecure_skip_verify: !checked,
            min: TlsVersion::Tls12,
            max: TlsVersion::Tls13,
        };
        let mut config = tls::config(&wanted, true, false, &mut Secrets::default())?;
        // PostgreSQL 17 ends a handshake that offers HTTP.
        config.alpn_protocols.clear();
        Ok(Connector { config: Arc::new(config) })
    }
}

/// One handshake.
pub struct Handshake {
    connector: TlsConnector,
    name: String,
}

/// An encrypted stream.
pub struct Stream<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Stream<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Handshake> {
        Ok(Handshake { connector: TlsConnector::from(self.config.clone()), name: domain.to_owned() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.name).map_err(|_| io::Error::other("the host is no name or address"))?;
            Ok(Stream(self.connector.connect(name, stream).await?))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    /// None: the certificate, where it is to be trusted, is judged by its roots and its name.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
