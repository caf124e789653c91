//! What stands in a certificate, as a person may read it. Pure: over DER bytes, every text in it cleaned.

use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

use crate::model::source::Certificate;
use crate::model::text::{LABEL_CAP, clean};

/// Names kept of one certificate; shared ones have hundreds.
const NAMES_CAP: usize = 100;

/// A certificate's content, nothing said of its trust yet: `untrusted` is `None` and `name_matches` true. `None` where
/// the bytes are no certificate.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let names = match parsed.subject_alternative_name() {
        Ok(Some(all)) => all.value.general_names.iter().filter_map(name).take(NAMES_CAP).collect(),
        _ => vec![],
    };
    Some(Certificate {
        subject: who(parsed.subject()),
        names,
        issuer: who(parsed.issuer()),
        not_before: moment(parsed.validity().not_before),
        not_after: moment(parsed.validity().not_after),
        untrusted: None,
        name_matches: true,
    })
}

/// True for one that names itself as its issuer.
pub(super) fn signs_itself(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

/// The common name where there is one, else all of the name.
fn who(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|common| common.as_str().ok()).filter(|text| !text.trim().is_empty());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    clean(text.trim(), LABEL_CAP).into_owned()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    let text = match name {
        GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) => (*text).to_owned(),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string(),
            16 => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string(),
            _ => return None,
        },
        _ => return None,
    };
    Some(clean(&text, LABEL_CAP).into_owned())
}

/// Certificates that never end say 9999-12-31, which is past the last moment here.
fn moment(time: ASN1Time) -> Timestamp {
    let second = time.timestamp().clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn der(params: CertificateParams) -> Vec<u8> {
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn hostile_text_in_a_certificate_is_cleaned() {
        let mut params = CertificateParams::new(vec!["shop.example".to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "shop\x1b[31m\u{202e}moc\u{200b}\nline");
        params.subject_alt_names.push(SanType::DnsName("a\x1b]0;owned\x07b".try_into().unwrap()));
        let known = read(&der(params)).unwrap();
        assert_eq!(known.subject, "shop[31mmoc line");
        assert_eq!(known.issuer, known.subject);
        assert_eq!(known.names, ["shop.example", "10.0.0.1", "::1", "a]0;ownedb"]);
    }

    #[test]
    fn what_is_no_certificate_is_none_and_no_end_is_the_last_moment() {
        assert_eq!(read(b"hello"), None);
        assert_eq!(read(&[0x30; 4_096]), None);
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Shop Inc");
        params.not_before = rcgen::date_time_ymd(1999, 1, 1);
        params.not_after = rcgen::date_time_ymd(9999, 12, 31);
        let der = der(params);
        let known = read(&der).unwrap();
        assert_eq!((known.subject.as_str(), known.not_before.to_string().as_str()), ("O=Shop Inc", "1999-01-01T00:00:00Z"));
        assert!(known.not_after > "9999-12-01T00:00:00Z".parse().unwrap());
        assert!(signs_itself(&der));
    }
}
