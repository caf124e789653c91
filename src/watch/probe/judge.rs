//! Whether what a probe saw is as it should be, and in one line why not: what was expected and what came. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::certificate;
use crate::link::http::Look;
use crate::link::probe::{Distrust, Handshake, Time};
use crate::model::age;
use crate::model::source::Certificate;
use crate::model::text::{NOTE_CAP, clean};

/// Bytes of a body that are quoted.
const EXCERPT: usize = 80;
/// Names that are listed of a certificate for another name.
const NAMES: usize = 5;

/// What came of one probe.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    /// Why all was not as it should be; `None` where it was.
    pub why: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The certificate that was shown.
    pub certificate: Option<Certificate>,
    /// When the first of its chain ends.
    pub earliest: Option<Timestamp>,
}

/// What came of one GET; `status` and `body` are what is expected.
pub(super) fn http(look: &Look, status: Option<u16>, body: Option<&str>) -> Found {
    let as_expected = status.map_or((200..300).contains(&look.status), |status| status == look.status);
    let why = if as_expected {
        body.and_then(|wanted| lacks(look, wanted))
    } else {
        Some(look.refused.clone().unwrap_or_else(|| other_status(look, status)))
    };
    let certificate = look.certificate.as_deref().and_then(certificate::read).map(|known| {
        // That there is an answer says that the certificate was accepted; by nobody where it was not looked at.
        let untrusted = look.unverified.then(|| "not checked: insecure_skip_verify stands in its http_config".to_owned());
        Certificate { untrusted, ..known }
    });
    let earliest = certificate.as_ref().map(|known| known.not_after);
    Found { why, took: look.took, status: Some(look.status), certificate, earliest }
}

fn other_status(look: &Look, wanted: Option<u16>) -> String {
    let wanted = wanted.map_or_else(|| "200 to 299".to_owned(), |status| status.to_string());
    let hint = match look.status {
        300..400 => " (a probe follows no redirect: judge the address where it leads)",
        _ => "",
    };
    format!("answered {}, expected {wanted}{hint}", look.status)
}

fn lacks(look: &Look, wanted: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&look.bytes);
    if text.contains(wanted) {
        return None;
    }
    let wanted = clean(wanted, EXCERPT);
    let body = if look.cut { format!("the first {} bytes of the body do", look.bytes.len()) } else { "the body does".to_owned() };
    let begin = text.trim_start();
    let end = begin.char_indices().map(|(at, _)| at).take_while(|at| *at <= EXCERPT * 4).last().unwrap_or(0);
    let begin = if begin.len() > EXCERPT * 4 { &begin[..end] } else { begin };
    let came = match clean(begin, EXCERPT) {
        came if came.trim().is_empty() => "it is empty".to_owned(),
        came => format!("it begins \"{}\"", came.trim_end()),
    };
    Some(format!("{body} not hold \"{wanted}\": {came}"))
}

/// What came of one handshake. `host` is the name that was asked for, `now` the moment of it.
pub(super) fn tls(shaken: &Handshake, now: Timestamp) -> Found {
    let chain: Vec<Certificate> = shaken.chain.iter().filter_map(|der| certificate::read(der)).collect();
    let own = shaken.chain.first().and_then(|der| certificate::read(der));
    let untrusted = shaken.verdict.distrust.as_ref().map(|why| distrust(why, shaken, own.as_ref()));
    let mut wrong = Vec::new();
    if !shaken.insecure {
        wrong.extend(out_of_time(shaken.verdict.time, &chain, now));
        wrong.extend(untrusted.clone());
        if !shaken.verdict.name_matches {
            wrong.push(for_another(shaken, own.as_ref()));
        }
    }
    wrong.extend(shaken.broken.clone());
    let certificate = own.map(|known| Certificate { untrusted, name_matches: shaken.verdict.name_matches, ..known });
    let why = (!wrong.is_empty()).then(|| clean(&wrong.join("; "), NOTE_CAP).into_owned());
    Found { why, took: shaken.took, status: None, certificate, earliest: chain.iter().map(|known| known.not_after).min() }
}

/// Which certificate of the chain is over or not valid yet. The root is on this machine and may be the one.
fn out_of_time(time: Time, chain: &[Certificate], now: Timestamp) -> Option<String> {
    let whose = |index: usize, known: &Certificate| match index {
        0 => "certificate".to_owned(),
        _ => format!("the certificate of {} in its chain", known.subject),
    };
    let (over, begun) = (|known: &Certificate| known.not_after < now, |known: &Certificate| known.not_before <= now);
    if let Some((index, known)) = chain.iter().enumerate().find(|(_, known)| over(known)) {
        // One more certificate than is needed may lie in the chain: the verdict decides.
        (time != Time::Now || index == 0).then(|| format!("{} expired {} ago", whose(index, known), ago(now, known.not_after)))
    } else if let Some((index, known)) = chain.iter().enumerate().find(|(_, known)| !begun(known)) {
        (time != Time::Now || index == 0)
            .then(|| format!("{} is not valid before {} (is a clock wrong?)", whose(index, known), known.not_before))
    } else {
        match time {
            Time::Now => None,
            Time::Over => Some("the certificate of its issuer has expired".to_owned()),
            Time::NotYet => Some("the certificate of its issuer is not valid yet".to_owned()),
        }
    }
}

/// `3 days`, `1 day`, `5h 2m`.
fn ago(now: Timestamp, then: Timestamp) -> String {
    let age = now.duration_since(then);
    match age.as_secs() / 86_400 {
        0 => age::exact(age),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn distrust(why: &Distrust, shaken: &Handshake, own: Option<&Certificate>) -> String {
    match why {
        Distrust::Other(why) => why.clone(),
        Distrust::UnknownIssuer if shaken.chain.first().is_some_and(|der| certificate::signs_itself(der)) => {
            "certificate is signed by itself, by no authority".to_owned()
        }
        Distrust::UnknownIssuer => {
            let last = shaken.chain.last().filter(|_| shaken.chain.len() > 1).and_then(|der| certificate::read(der));
            let issuer = last.as_ref().or(own).map_or("its issuer", |known| known.issuer.as_str());
            let hint = if shaken.chain.len() > 1 { "" } else { ", and the server sends no certificate between" };
            format!("certificate comes from {issuer}, which is not trusted here{hint}")
        }
    }
}

fn for_another(shaken: &Handshake, own: Option<&Certificate>) -> String {
    let names = own.map_or(&[][..], |known| &known.names);
    let listed = match names.len() {
        0 => "no name at all".to_owned(),
        count if count > NAMES => format!("{} and {} more", names[..NAMES].join(", "), count - NAMES),
        _ => names.join(", "),
    };
    format!("certificate is for {listed}, not for {}", shaken.name)
}
