//! Lets every certificate pass and remembers what the real verifier said of it. For looking only.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::link::http::explain::certificate_failed;
use crate::model::text::{NOTE_CAP, clean};

/// Certificates of one chain that are looked at; a real one has two to four.
const CHAIN_CAP: usize = 16;

/// What a real connection would have made of a certificate, each part by itself: one that is over may well be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Why its chain leads to no root that is trusted, its times left aside; `None` where it leads there.
    pub distrust: Option<Distrust>,
    /// Whether it, or one of its chain, is valid now.
    pub time: Time,
    /// True where it is for the name that was asked for.
    pub name_matches: bool,
}

/// Whether a chain is valid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// It is.
    Now,
    /// One of its certificates is not valid any more.
    Over,
    /// One of its certificates is not valid yet.
    NotYet,
}

/// Why a chain is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distrust {
    /// No trusted root is found from it, by what the server sent.
    UnknownIssuer,
    /// Something else: one cleaned line.
    Other(String),
}

/// What was shown, the server's own certificate first, and what is to be made of it.
type Seen = (Vec<Vec<u8>>, Verdict);

/// The verifier of one handshake.
#[derive(Debug)]
pub(super) struct Witness {
    judge: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Seen>>,
}

impl Witness {
    pub(super) fn new(judge: Arc<WebPkiServerVerifier>) -> Witness {
        Witness { judge, seen: Mutex::new(None) }
    }

    /// What was shown, where it came so far.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn verdict(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>], name: &ServerName<'_>, now: UnixTime) -> Verdict {
        let name_matches = ParsedCertificate::try_from(own).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
        let (mut at, mut time) = (now, Time::Now);
        let mut distrust = Some(Distrust::Other("its chain's certificates are not valid at one and the same time".to_owned()));
        // Whether it would be trusted at a time when it is valid: the verifier stops at the first thing that is wrong.
        // Two tries more are enough for a certificate and its issuer.
        for _ in 0..3 {
            let error = match self.judge.verify_server_cert(own, others, name, &[], at) {
                Ok(_) => {
                    distrust = None;
                    break;
                }
                Err(Error::InvalidCertificate(error)) => error,
                Err(error) => {
                    distrust = Some(Distrust::Other(clean(&error.to_string(), NOTE_CAP).into_owned()));
                    break;
                }
            };
            let moved = match &error {
                CertificateError::ExpiredContext { not_after, .. } => Some((Time::Over, *not_after)),
                CertificateError::NotValidYetContext { not_before, .. } => Some((Time::NotYet, *not_before)),
                _ => None,
            };
            match (moved, &error) {
                (Some((which, then)), _) => {
                    if time == Time::Now {
                        time = which;
                    }
                    at = then;
                }
                // The last thing that is looked at: all else was right.
                (None, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
                    distrust = None;
                    break;
                }
                (None, CertificateError::UnknownIssuer) => {
                    distrust = Some(Distrust::UnknownIssuer);
                    break;
                }
                (None, other) => {
                    let why = certificate_failed(&name.to_str(), other);
                    distrust = Some(Distrust::Other(clean(&why, NOTE_CAP).into_owned()));
                    break;
                }
            }
        }
        Verdict { distrust, time, name_matches }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.verdict(end_entity, intermediates, server_name, now);
        let chain = std::iter::once(end_entity).chain(intermediates).take(CHAIN_CAP).map(|der| der.to_vec()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((chain, verdict));
        Ok(ServerCertVerified::assertion())
    }

    // That the server has the certificate's key is checked as ever.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
