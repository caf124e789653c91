//! TLS for PostgreSQL with the one crypto provider that all connections have.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::config::conninfo::{Conninfo, SslMode};
use crate::config::http_config::{SecretRef, Tls, TlsVersion};
use crate::link::http::tls;
use crate::link::secret::Secrets;

/// Makes handshakes.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// For that `sslmode`, with the only roots that are trusted and the certificate that is shown. Reads their files.
    pub fn new(mode: SslMode, info: &Conninfo) -> Result<Connector, String> {
        let checked = matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull);
        let file = |path: &PathBuf| SecretRef::File(path.clone());
        if let Some(key) = &info.sslkey {
            closed(key)?;
        }
        let wanted = Tls {
            ca: info.sslrootcert.as_ref().filter(|_| checked).map(file),
            client: info.sslcert.as_ref().map(file).zip(info.sslkey.as_ref().map(file)),
            server_name: None,
            insecure_skip_verify: !checked,
            min: TlsVersion::Tls12,
            max: TlsVersion::Tls13,
        };
        let mut secrets = Secrets::default();
        // A client certificate is shown to the system itself only, which this always is.
        let mut config = tls::config(&wanted, true, false, &mut secrets)?;
        if mode == SslMode::VerifyCa {
            let judge = tls::looking(&wanted, &mut secrets)?.judge;
            config.dangerous().set_certificate_verifier(Arc::new(AnyName { judge }));
        }
        // PostgreSQL 17 ends a handshake that offers HTTP.
        config.alpn_protocols.clear();
        Ok(Connector { config: Arc::new(config) })
    }
}

/// A key that others can read is refused, as libpq refuses it; one of root's may be read by its group.
fn closed(key: &Path) -> Result<(), String> {
    let about = fs::metadata(key).map_err(|error| format!("cannot read {}: {error}", key.display()))?;
    let open = if about.uid() == 0 { 0o037 } else { 0o077 };
    if about.mode() & open != 0 {
        return Err(format!("{} can be read by others: `chmod 600` it", key.display()));
    }
    Ok(())
}

/// `verify-ca`: the certificate must be trusted, and may carry any name.
#[derive(Debug)]
struct AnyName {
    judge: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: all else was right.
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
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
