//! The edge's certificate, from an authority of its own, and the listener that shows it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{LabError, at};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// The days of the certificate's life that are over, and those that are left.
pub const DAYS: (i64, i64) = (85, 5);

/// Writes `ca.pem`, `edge.pem` and `edge.key` (0600 by the folder's mode) into this folder: a certificate for
/// `localhost` and 127.0.0.1 of whose 90 days most are over.
///
/// # Errors
/// Where a file cannot be written.
pub fn lay_out(folder: &Path) -> Result<(), LabError> {
    let made = make().map_err(|error| LabError::Other(format!("cannot make the certificate: {error}")))?;
    fs::create_dir_all(folder).map_err(at(folder))?;
    for (name, text) in [("ca.pem", made.authority), ("edge.pem", made.certificate), ("edge.key", made.key)] {
        let file = folder.join(name);
        fs::write(&file, text).map_err(at(&file))?;
    }
    let file = folder.join("trust.yml");
    fs::write(&file, "# What a Prometheus `http_config` file says of whom to trust.\ntls_config:\n  ca_file: ca.pem\n").map_err(at(&file))
}

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn make() -> Result<Made, rcgen::Error> {
    let named = |name: &str| {
        let mut names = DistinguishedName::new();
        names.push(DnType::CommonName, name);
        names
    };
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name = named("Quarterdeck practice authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    days(400, 4_000, &mut authority);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut edge = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    edge.distinguished_name = named("localhost");
    days(DAYS.0, DAYS.1, &mut edge);
    let key = KeyPair::generate()?;
    let edge = edge.signed_by(&key, &authority)?;
    Ok(Made { authority: authority.pem(), certificate: edge.pem(), key: key.serialize_pem() })
}

/// Valid from so many days before today to so many after it, at midnight UTC.
fn days(before: i64, after: i64, params: &mut CertificateParams) {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let moment = |days: i64| {
        let date = today.saturating_add(days.days());
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (params.not_before, params.not_after) = (moment(-before), moment(after));
}

/// Accepts connections and shakes hands, each on a task of its own: a client that only connects holds nobody up.
pub struct Handshakes {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Handshakes {
    /// Takes over the listener, with the certificate in this folder. Runs inside the runtime.
    ///
    /// # Errors
    /// Where the certificate cannot be used.
    pub fn new(listener: TcpListener, certificate: &Path) -> Result<Handshakes, LabError> {
        let address = listener.local_addr().map_err(at(certificate))?;
        let acceptor = TlsAcceptor::from(Arc::new(config(certificate)?));
        let (out, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = listener.accept().await else {
                    // Out of descriptors, say: it passes.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let (acceptor, out) = (acceptor.clone(), out.clone());
                tokio::spawn(async move {
                    // A probe that only connects, or a stranger without our authority: not worth a word.
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        let _ = out.send((stream, peer)).await;
                    }
                });
            }
        });
        Ok(Handshakes { ready, address })
    }
}

impl axum::serve::Listener for Handshakes {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The task above never ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

fn config(folder: &Path) -> Result<ServerConfig, LabError> {
    let (certificate, key) = (folder.join("edge.pem"), folder.join("edge.key"));
    let content = |path: &Path| {
        let path = path.to_owned();
        move |error: String| LabError::Content(path, error)
    };
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|error| content(&certificate)(error.to_string()))?;
    let key_bytes = PrivateKeyDer::from_pem_file(&key).map_err(|error| content(&key)(error.to_string()))?;
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key_bytes))
        .map_err(|error| content(&certificate)(error.to_string()))
}
