//! Turns a failed request into one plain line: what, where, and what to do. No credential ever comes this way.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};
use url::Url;

use super::LinkError;
use crate::model::text;

/// A refusal as one cleaned line.
pub fn refused(what: impl AsRef<str>) -> LinkError {
    LinkError::Refused(text::clean(what.as_ref(), text::NOTE_CAP).into_owned())
}

/// A failure to reach as one cleaned line.
pub fn unreachable(what: impl AsRef<str>) -> LinkError {
    LinkError::Unreachable(text::clean(what.as_ref(), text::NOTE_CAP).into_owned())
}

/// `host:port` of an address, the port of its scheme where it names none.
pub fn peer(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What went wrong between us and the server at `url`.
pub fn failed(url: &Url, error: reqwest::Error) -> LinkError {
    let at = peer(url);
    // The error's own words may have the whole address in them.
    let error = error.without_url();
    if let Some(tls) = find::<TlsError>(&error) {
        return tls_failed(&at, url.host_str().unwrap_or("?"), tls);
    }
    let words = chain_text(&error);
    if words.contains("proxy authorization required") {
        return refused(format!("{at}: the proxy wants credentials (407); put its user and password into proxy_url"));
    }
    if words.contains("tunnel error") {
        return unreachable(format!("{at}: the proxy makes no connection to it; check proxy_url and what the proxy allows"));
    }
    if words.contains("dns error") || words.contains("failed to lookup address") {
        return unreachable(name_not_found(&at, url.host_str().unwrap_or("?")));
    }
    match find::<io::Error>(&error).and_then(|error| connection_failed(&at, error.kind())) {
        Some(why) => unreachable(why),
        _ if error.is_decode() => unreachable(format!("{at}: the answer is damaged: {}", last_text(&error))),
        _ if error.is_connect() => unreachable(format!("{at}: no connection: {}", last_text(&error))),
        _ => unreachable(format!("{at}: no answer: {}", last_text(&error))),
    }
}

/// True where it is the server's certificate that is not accepted.
pub fn is_certificate(error: &reqwest::Error) -> bool {
    matches!(find::<TlsError>(error), Some(TlsError::InvalidCertificate(_)))
}

fn name_not_found(at: &str, host: &str) -> String {
    format!("{at}: the name {host} is not found; check the address and this machine's DNS")
}

/// What the system says of a connection; `None` where it says nothing that people know.
fn connection_failed(at: &str, kind: io::ErrorKind) -> Option<String> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => {
            format!("{at}: connection refused; nothing listens there: check that it runs, and the port")
        }
        io::ErrorKind::TimedOut => format!("{at}: no connection in time; check the address, the network and the firewall"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{at}: no route to it; check the network or the VPN")
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            format!("{at}: the connection was cut; check the server and what stands before it")
        }
        io::ErrorKind::UnexpectedEof => format!("{at}: the connection ended before the answer did"),
        _ => return None,
    })
}

/// What went wrong on a connection without HTTP, in its TLS handshake or before; `host` is the name that was asked for.
pub fn bare(at: &str, host: &str, error: &io::Error) -> LinkError {
    if let Some(tls) = find::<TlsError>(error) {
        return tls_failed(at, host, tls);
    }
    if error.to_string().contains("failed to lookup address") {
        return unreachable(name_not_found(at, host));
    }
    unreachable(connection_failed(at, error.kind()).unwrap_or_else(|| format!("{at}: no connection: {}", last_text(error))))
}

fn tls_failed(at: &str, host: &str, error: &TlsError) -> LinkError {
    match error {
        TlsError::InvalidCertificate(certificate) => unreachable(format!("{at}: {}", certificate_failed(host, certificate))),
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            unreachable(format!("{at}: it speaks no TLS on this port; is http:// meant?"))
        }
        TlsError::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied),
        ) => refused(format!(
            "{at}: the server refused the client certificate ({}); mend cert_file and key_file in tls_config of the http_config file",
            match alert {
                AlertDescription::CertificateRequired => "it wants one".to_owned(),
                AlertDescription::UnknownCA => "it does not know its issuer".to_owned(),
                AlertDescription::CertificateExpired => "it has expired".to_owned(),
                AlertDescription::CertificateRevoked => "it is revoked".to_owned(),
                other => format!("{other:?}"),
            }
        )),
        TlsError::AlertReceived(AlertDescription::ProtocolVersion) | TlsError::PeerIncompatible(_) => unreachable(format!(
            "{at}: no TLS version or cipher in common; TLS 1.2 and 1.3 are spoken: check min_version and max_version in tls_config"
        )),
        TlsError::AlertReceived(alert) => unreachable(format!("{at}: the server ended the TLS handshake ({alert:?})")),
        other => unreachable(format!("{at}: the TLS handshake failed: {other}")),
    }
}

/// Why a server's certificate is not believed.
pub fn certificate_failed(host: &str, error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is from an unknown issuer; name the issuer's certificate as ca_file in tls_config".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired; renew it there (or is this machine's clock wrong?)".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; check its clock and this machine's".to_owned()
        }
        CertificateError::NotValidForName => {
            format!("its certificate is for another name than {host}; use that name, or set server_name in tls_config")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().take(5).map(String::as_str).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            let wanted = expected.to_str();
            format!("its certificate is for another name than {wanted} (for {names}); use that name, or set server_name in tls_config")
        }
        CertificateError::Revoked => "its certificate is revoked".to_owned(),
        CertificateError::BadSignature => {
            // What a CA that was made anew under its old name looks like.
            "its certificate is not signed by the issuer it names; if that CA was made anew, name its present certificate \
             as ca_file in tls_config"
                .to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not meant for servers".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is a CA's own, which is no server's; give the server one of its own".to_owned()
        }
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// The first error of this type in the chain, inside `io::Error` too, whose own chain leaves the inner error out.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = find::<T>(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}

/// The innermost error's words: the outer ones only say that there is one.
fn last_text(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    text::clean(&last.to_string(), 200).into_owned()
}
