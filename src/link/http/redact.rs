//! Takes out of an answer what this side sent to prove who asks: a server that echoes a request in its error page would
//! otherwise bring a password onto the screen and into the log.

use memchr::memmem;
use reqwest::header::{AUTHORIZATION, HeaderMap};

/// What stands in place of a secret.
const INSTEAD: &[u8] = b"<secret>";
/// Bytes of a part of a secret from which on it is taken out of a failure; a shorter one stands in many other words.
const PART: usize = 4;
/// The same for an answer that is a success, whose values must not be changed by chance.
const LONG: usize = 16;

/// What was sent that no answer should tell.
#[derive(Default)]
pub struct Sent {
    /// Values of the Authorization header, as they went over the wire.
    whole: Vec<Vec<u8>>,
    /// Their credentials without the scheme.
    credentials: Vec<Vec<u8>>,
    /// Passwords, and values of `http_headers`.
    parts: Vec<Vec<u8>>,
}

impl Sent {
    /// What a request with these headers tells; `passwords` went along in another form.
    pub fn of(headers: &HeaderMap, passwords: &[&str], own: &HeaderMap) -> Sent {
        let mut sent = Sent::default();
        for value in headers.get_all(AUTHORIZATION) {
            let value = value.as_bytes();
            sent.whole.push(value.to_vec());
            sent.credentials.extend(value.iter().position(|byte| *byte == b' ').map(|at| value[at + 1..].to_vec()));
        }
        sent.parts.extend(passwords.iter().map(|password| password.as_bytes().to_vec()));
        sent.parts.extend(own.values().map(|value| value.as_bytes().to_vec()));
        sent
    }

    /// Takes it out. Of a success only what cannot stand there by chance: the credentials as they were sent.
    pub fn hide(&self, bytes: &mut Vec<u8>, success: bool) {
        let long = if success { LONG } else { PART };
        let whole = self.whole.iter().filter(|word| word.len() >= PART);
        let credentials = self.credentials.iter().filter(|word| word.len() >= long);
        let parts = self.parts.iter().filter(|word| !success && word.len() >= PART);
        for word in whole.chain(credentials).chain(parts) {
            replace(bytes, word);
        }
    }
}

fn replace(bytes: &mut Vec<u8>, word: &[u8]) {
    let places: Vec<usize> = memmem::find_iter(bytes, word).collect();
    if places.is_empty() {
        return;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for place in places {
        out.extend_from_slice(&bytes[from..place]);
        out.extend_from_slice(INSTEAD);
        from = place + word.len();
    }
    out.extend_from_slice(&bytes[from..]);
    *bytes = out;
}
