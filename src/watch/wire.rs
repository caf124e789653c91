//! What the answers of these systems have in common on the wire: JSON text that is borrowed while it is decoded, lists
//! that may be `null`, and what to say when something else than the system itself answered. Pure: over bytes.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::link::http::{Body, LinkError};
use crate::model::reading::FailureKind;
use crate::model::text::{LABEL_CAP, clean};

/// Bytes of an answer that is not understood, shown so that a person recognises who answered.
const EXCERPT: usize = 160;

/// Why one request gave nothing usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Of which kind.
    pub kind: FailureKind,
    /// True where the system answered that it has no such part, as those do that share only some of an API.
    pub absent: bool,
    /// One cleaned line.
    pub what: String,
}

impl Fault {
    /// An answer that is of no use.
    pub fn unusable(what: impl Into<String>) -> Fault {
        Fault { kind: FailureKind::Unreachable, absent: false, what: what.into() }
    }
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Fault {
        match error {
            LinkError::Refused(what) => Fault { kind: FailureKind::Refused, absent: false, what },
            LinkError::Unreachable(what) => Fault::unusable(what),
            LinkError::TooLarge { .. } => Fault::unusable(error.to_string()),
        }
    }
}

/// The bytes of an answer that says it is a success. `system` is the name for messages, such as `Alertmanager`.
pub(crate) fn success<'a>(body: &'a Body, system: &str) -> Result<&'a [u8], Fault> {
    if (200..300).contains(&body.status) { Ok(&body.bytes) } else { Err(status_fault(body.status, &body.bytes, system)) }
}

/// What an answer with this status means: its own words where they are text, a proxy's page named as such.
pub(crate) fn status_fault(status: u16, bytes: &[u8], system: &str) -> Fault {
    let said = if looks_like_html(bytes) {
        " with an HTML page".to_owned()
    } else {
        match excerpt(bytes) {
            said if said.is_empty() => String::new(),
            said => format!(": {said}"),
        }
    };
    let absent = matches!(status, 400 | 404 | 405 | 501);
    let hint = match status {
        404 => format!(" (is the address and its path that of {system}?)"),
        300..400 => " (a redirection that was not followed)".to_owned(),
        _ => String::new(),
    };
    Fault { kind: FailureKind::Unreachable, absent, what: format!("answered {status}{said}{hint}") }
}

/// Decodes JSON, or says in one line who seems to have answered instead of `system`.
pub(crate) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], system: &str) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| not_json(bytes, &error, system))
}

/// Says what is wrong with an answer that could not be decoded.
pub(crate) fn not_json(bytes: &[u8], error: &serde_json::Error, system: &str) -> Fault {
    let proxy = "is a proxy or login page in between?";
    Fault::unusable(if bytes.iter().all(u8::is_ascii_whitespace) {
        format!("answered with nothing, not as {system} would: {proxy}")
    } else if looks_like_html(bytes) {
        format!("answered with an HTML page, not as {system} would: {proxy}")
    } else if error.is_eof() {
        format!("the answer breaks off after {} bytes: the connection or a proxy cut it", bytes.len())
    } else if error.is_syntax() {
        format!("answered \"{}\", not as {system} would: {proxy}", excerpt(bytes))
    } else {
        format!("answered with JSON that is not {system}'s ({}): is the address right?", clean(&error.to_string(), EXCERPT))
    })
}

/// True for what begins like an HTML or XML page.
pub(crate) fn looks_like_html(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let start = start[..start.len().min(64)].to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<!--", b"<?xml"].iter().any(|tag| start.starts_with(tag))
}

/// The beginning of an answer, cleaned, so that a person recognises who answered.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT * 4)]);
    clean(text.trim(), EXCERPT).into_owned()
}

/// A peer's or server's address for the screen: cleaned, without user and password.
pub(crate) fn shown_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let rest = rest[..host].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let sep = if scheme.is_empty() { "" } else { "://" };
    clean(&format!("{scheme}{sep}{rest}"), LABEL_CAP).into_owned()
}

/// The same, without scheme and closing slash: how messages name a peer.
pub(crate) fn short_url(url: &str) -> String {
    let shown = shown_url(url);
    shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest).trim_end_matches('/').to_owned()
}

/// A moment as these systems write it; `None` where it is none.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A JSON text, borrowed where it has no escapes; `null` is empty. Not cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }
        from.deserialize_any(Take)
    }
}

/// A JSON object of texts, such as a label set, in its own order; `null` is empty. Not cleaned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl Pairs<'_> {
    /// The pairs as texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(8);
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            fn visit_unit<E>(self) -> Result<Pairs<'de>, E> {
                Ok(Pairs::default())
            }
        }
        from.deserialize_any(Take)
    }
}

/// Serde helper: a list that may be `null`.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

/// At most `cap` lines, the last saying how many more there were.
pub(crate) fn capped(mut lines: Vec<String>, cap: usize) -> Vec<String> {
    if lines.len() > cap {
        let more = lines.len() - cap;
        lines.truncate(cap);
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        json::<Vec<u8>>(bytes, "Alertmanager").unwrap_err().what
    }

    #[test]
    fn whoever_answered_instead_is_named() {
        let html = "answered with an HTML page, not as Alertmanager would: is a proxy or login page in between?";
        assert_eq!(said(b"\n<!DOCTYPE html><html><body>Sign in</body>"), html);
        assert_eq!(said(b"[1, 2"), "the answer breaks off after 5 bytes: the connection or a proxy cut it");
        assert!(said(b"").starts_with("answered with nothing"));
        assert!(said(b"upstream \x1b[31mdown\x07").starts_with("answered \"upstream [31mdown\", not as Alertmanager would"));
        assert!(said(b"{\"a\": 1}").contains("JSON that is not Alertmanager's"));
    }

    #[test]
    fn a_failure_keeps_the_servers_own_words() {
        let fault = status_fault(503, b"Service Unavailable\n", "Prometheus");
        assert_eq!((fault.what.as_str(), fault.absent), ("answered 503: Service Unavailable", false));
        assert_eq!(status_fault(502, b"<html>x", "Prometheus").what, "answered 502 with an HTML page");
        assert!(status_fault(404, b"404 page not found", "Prometheus").absent);
        assert!(status_fault(500, &[b'x'; 9_999], "Prometheus").what.len() < 250);
    }

    #[test]
    fn an_address_is_shown_without_credentials() {
        assert_eq!(shown_url("https://me:p@ss@am1:9093/x@y"), "https://am1:9093/x@y");
        assert_eq!(short_url("http://am1:9093/"), "am1:9093");
        assert_eq!(shown_url("am1:9093"), "am1:9093");
    }

    #[test]
    fn text_is_borrowed_where_it_can_be() {
        let pairs: Pairs<'_> = serde_json::from_str(r#"{"a":"b","c\n":"\u0064"}"#).unwrap();
        assert!(matches!(pairs.0[0].1.0, Cow::Borrowed("b")));
        assert_eq!(pairs.iter().nth(1), Some(("c\n", "d")));
        assert!(serde_json::from_str::<Pairs<'_>>("null").unwrap().0.is_empty());
    }
}
