//! Prometheus' `http_config` file, read as Prometheus reads it: how to reach a system, with secrets named.
//!
//! The keys and their rules are those of `HTTPClientConfig` in github.com/prometheus/common, `config/http_config.go`,
//! so that one file serves Prometheus, amtool and this console. Keys that are not built here are refused by name.
//! A secret that stands in the file itself is kept behind [`Secret`]; a secret's own file is only named.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::problem::{Place, Problem};

mod check;
mod raw;

/// Bytes of an `http_config` file that are read; a longer one is not such a file.
const FILE_CAP: u64 = 1 << 20;

/// A secret value, cheap to clone. Its bytes appear in no `Debug` output; [`Secret::reveal`] is the one way to them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: impl Into<Arc<str>>) -> Secret {
        Secret(value.into())
    }

    /// The value itself, for the wire only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Where a value that may be secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// It stands in the `http_config` file.
    Inline(Secret),
    /// It is the content of this file (absolute, or relative to the working directory), white space trimmed at both ends.
    File(PathBuf),
}

/// How requests prove who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// They do not.
    None,
    /// `basic_auth`. A part that is not given is empty.
    Basic {
        /// `username` or `username_file`.
        username: Option<SecretRef>,
        /// `password` or `password_file`.
        password: Option<SecretRef>,
    },
    /// `authorization`: the header `Authorization: <scheme> <credentials>`.
    Token {
        /// `type`, "Bearer" where none is given.
        scheme: String,
        /// `credentials` or `credentials_file`.
        credentials: SecretRef,
    },
}

/// A TLS version that this program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// `TLS12`
    Tls12,
    /// `TLS13`
    Tls13,
}

/// `tls_config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `ca` or `ca_file`, PEM: the only roots that are trusted. `None`: the system's.
    pub ca: Option<SecretRef>,
    /// The client certificate and its key, PEM: `cert` or `cert_file` with `key` or `key_file`.
    pub client: Option<(SecretRef, SecretRef)>,
    /// `server_name`: the name that the server's certificate must carry, where it is not the address's.
    pub server_name: Option<String>,
    /// `insecure_skip_verify`: any certificate will do.
    pub insecure_skip_verify: bool,
    /// `min_version`; 1.2 is the oldest that is spoken.
    pub min: TlsVersion,
    /// `max_version`.
    pub max: TlsVersion,
}

/// Which proxy, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// None, whatever the environment says (as Prometheus does).
    None,
    /// `proxy_from_environment`: HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
    Environment,
    /// `proxy_url`, whose address may carry a password, and `no_proxy`.
    Url {
        /// The proxy's address, http or https.
        url: Secret,
        /// Comma-separated hosts, domains, addresses and networks that are reached directly.
        no_proxy: Option<String>,
    },
}

/// One entry of `http_headers`: the header is sent once for each value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name as written.
    pub name: String,
    /// `values`, then `secrets`, then `files`.
    pub values: Vec<SecretRef>,
}

/// A checked `http_config` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The file, as it was named.
    pub file: PathBuf,
    /// `basic_auth` or `authorization`.
    pub auth: Auth,
    /// `tls_config`.
    pub tls: Tls,
    /// `proxy_url`, `no_proxy`, `proxy_from_environment`.
    pub proxy: Proxy,
    /// `http_headers`.
    pub headers: Vec<Header>,
    /// `follow_redirects`.
    pub follow_redirects: bool,
    /// `enable_http2`; matters over TLS only.
    pub http2: bool,
}

impl Default for HttpConfig {
    /// What an empty file says.
    fn default() -> HttpConfig {
        HttpConfig {
            file: PathBuf::new(),
            auth: Auth::None,
            tls: Tls {
                ca: None,
                client: None,
                server_name: None,
                insecure_skip_verify: false,
                min: TlsVersion::Tls12,
                max: TlsVersion::Tls13,
            },
            proxy: Proxy::None,
            headers: Vec::new(),
            follow_redirects: true,
            http2: true,
        }
    }
}

/// Reads the `http_config` file at `path`. A problem with reading it is placed at the file's first line.
pub fn load(path: &Path) -> Result<HttpConfig, Vec<Problem>> {
    let unread = |why: String, hint: &str| vec![Problem::new(Place::of(path, "", 0), why).hint(hint)];
    let length = match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => meta.len(),
        Ok(_) => return Err(unread("not a file".to_owned(), "name a file with Prometheus' http_config keys")),
        Err(error) => return Err(unread(format!("cannot be read: {}", plain(&error)), "check the path and its permissions")),
    };
    if length > FILE_CAP {
        return Err(unread(format!("{length} bytes long, more than any http_config file"), "is it the right file?"));
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => parse(path, &text),
        Ok(Err(_)) => Err(unread("not UTF-8 text".to_owned(), "is it the right file?")),
        Err(error) => Err(unread(format!("cannot be read: {}", plain(&error)), "check the path and its permissions")),
    }
}

/// Reads the text of an `http_config` file; `path` names it in problems, and its folder is where relative paths start.
pub fn parse(path: &Path, text: &str) -> Result<HttpConfig, Vec<Problem>> {
    let raw = raw::read(path, text)?;
    check::check(path, text, raw)
}

/// An operating system's error in its own words, without the number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests;
