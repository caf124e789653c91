//! The TLS side of a connection: which roots are trusted, which client certificate is shown, which versions are spoken.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion};

use crate::config::http_config::{SecretRef, Tls, TlsVersion};
use crate::link::secret::Secrets;

/// A TLS configuration that trusts nobody: for connections without TLS, so that no roots are loaded for them.
pub fn none() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// The TLS configuration of `tls_config`. `own`: for the system itself; another origin, where a redirect led, sees no
/// client certificate and must carry its own name. The error is a line about what to mend.
pub fn config(tls: &Tls, own: bool, http2: bool, secrets: &mut Secrets) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(tls, own, &provider, secrets)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls))
        .map_err(|error| format!("no TLS version is left to speak: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &tls.client {
        Some((cert, key)) if own => {
            let (chain, key) = client_certificate(cert, key, secrets)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("the client certificate in tls_config and its key do not serve: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(config)
}

fn versions(tls: &Tls) -> Vec<&'static SupportedProtocolVersion> {
    let mut versions = Vec::new();
    if tls.max >= TlsVersion::Tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if tls.min <= TlsVersion::Tls12 {
        versions.push(&rustls::version::TLS12);
    }
    versions
}

fn verifier(tls: &Tls, own: bool, provider: &Arc<CryptoProvider>, secrets: &mut Secrets) -> Result<Arc<dyn ServerCertVerifier>, String> {
    if tls.insecure_skip_verify {
        return Ok(Arc::new(Unverified { provider: provider.clone() }));
    }
    let inner = by_roots(tls, provider, secrets)?;
    match tls.server_name.as_deref().filter(|_| own) {
        None => Ok(inner),
        Some(name) => Ok(Arc::new(Named { inner, name: wanted_name(name)? })),
    }
}

fn wanted_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_owned()).map_err(|_| "server_name in tls_config is no host name or address".to_owned())
}

fn by_roots(tls: &Tls, provider: &Arc<CryptoProvider>, secrets: &mut Secrets) -> Result<Arc<WebPkiServerVerifier>, String> {
    let roots = match &tls.ca {
        Some(ca) => private_roots(ca, secrets)?,
        None => system_roots()?,
    };
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| format!("the root certificates do not serve: {error}"))
}

/// What a handshake that is only for looking works with.
#[derive(Debug)]
pub struct Looking {
    /// Accepts any certificate: give each handshake a verifier of its own, and send nothing.
    pub config: ClientConfig,
    /// What a real connection would be judged by.
    pub judge: Arc<WebPkiServerVerifier>,
    /// `server_name` of `tls_config`.
    pub name: Option<ServerName<'static>>,
    /// `insecure_skip_verify`: the person takes any certificate.
    pub insecure: bool,
}

/// The parts of a handshake for looking, by `tls_config`. The error is a line about what to mend.
pub fn looking(tls: &Tls, secrets: &mut Secrets) -> Result<Looking, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let judge = by_roots(tls, &provider, secrets)?;
    let name = tls.server_name.as_deref().map(wanted_name).transpose()?;
    let any = Tls { insecure_skip_verify: true, ..tls.clone() };
    let mut config = config(&any, true, false, secrets)?;
    // A server of another protocol than HTTP would end the handshake over it.
    config.alpn_protocols.clear();
    // A resumed session shows no certificate.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Looking { config, judge, name, insecure: tls.insecure_skip_verify })
}

/// Only these roots, as Prometheus does with `ca` and `ca_file`.
fn private_roots(ca: &SecretRef, secrets: &mut Secrets) -> Result<RootCertStore, String> {
    let pem = secrets.value(ca).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.reveal().as_bytes()) {
        let certificate = certificate.map_err(|_| format!("{} has a damaged PEM block", named(ca, "ca")))?;
        roots.add(certificate).map_err(|error| format!("{} has a certificate that does not serve: {error}", named(ca, "ca")))?;
    }
    if roots.is_empty() {
        return Err(format!("{} has no certificate (PEM is wanted)", named(ca, "ca")));
    }
    Ok(roots)
}

/// The system's roots, or those that SSL_CERT_FILE and SSL_CERT_DIR name. A damaged one among many is left out.
fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("no root certificates on this machine: install ca-certificates, set SSL_CERT_FILE, \
                    or name a ca_file in tls_config"
            .to_owned());
    }
    Ok(roots)
}

fn client_certificate(
    cert: &SecretRef,
    key: &SecretRef,
    secrets: &mut Secrets,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let pem = secrets.value(cert).map_err(|error| error.to_string())?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.reveal().as_bytes()).collect();
    let chain = chain.map_err(|_| format!("{} has a damaged PEM block", named(cert, "cert")))?;
    if chain.is_empty() {
        return Err(format!("{} has no certificate (PEM is wanted)", named(cert, "cert")));
    }
    let pem = secrets.value(key).map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(pem.reveal().as_bytes())
        .map_err(|_| format!("{} has no private key that can be read (unencrypted PEM is wanted)", named(key, "key")))?;
    Ok((chain, key))
}

/// How a message calls a part of `tls_config`.
fn named(reference: &SecretRef, key: &str) -> String {
    match reference {
        SecretRef::Inline(_) => format!("`{key}` in tls_config"),
        SecretRef::File(path) => path.display().to_string(),
    }
}

/// `server_name`: the certificate must carry this name instead of the address's.
#[derive(Debug)]
struct Named {
    inner: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner.verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `insecure_skip_verify`: any certificate will do, though the handshake's signatures are still checked.
#[derive(Debug)]
struct Unverified {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
