//! What an `http_config` file may not say, one function per part, after Prometheus' own `Validate` methods.

use std::path::{Path, PathBuf};

use serde_saphyr::{Location, Spanned};

use super::raw::{self, Raw, Text};
use super::{Auth, Header, HttpConfig, Proxy, Secret, SecretRef, Tls, TlsVersion};
use crate::model::problem::{Place, Problem};
use crate::model::text;

/// Headers that a request sets itself: `ReservedHeaders` of Prometheus' `config/headers.go`, those that fit here.
const RESERVED: [&str; 12] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
];

/// Turns the keys into a configuration, or says everything that is wrong with them.
pub fn check(path: &Path, source: &str, raw: Raw) -> Result<HttpConfig, Vec<Problem>> {
    let mut checker = Checker { path, source, folder: path.parent().unwrap_or(Path::new("")).to_owned(), problems: Vec::new() };
    checker.unbuilt(&raw);
    checker.one_kind_of_auth(&raw);
    let Raw { basic_auth, authorization, bearer_token, bearer_token_file, tls_config, .. } = raw;
    let mut auth = Auth::None;
    if let Some(basic) = basic_auth {
        auth = checker.basic(basic);
    } else if let Some(token) = authorization {
        auth = checker.authorization(token);
    } else if let Some(credentials) = checker.either(("bearer_token", bearer_token), ("bearer_token_file", bearer_token_file)) {
        auth = Auth::Token { scheme: "Bearer".to_owned(), credentials };
    }
    let defaults = HttpConfig::default();
    let tls = tls_config.map_or(defaults.tls, |tls| checker.tls(tls));
    let proxy = checker.proxy(raw.proxy_url, raw.no_proxy, raw.proxy_from_environment);
    let headers = raw.http_headers.unwrap_or_default().into_iter().map(|(name, values)| checker.header(name, values)).collect();
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    Ok(HttpConfig {
        file: path.to_owned(),
        auth,
        tls,
        proxy,
        headers,
        follow_redirects: raw.follow_redirects.unwrap_or(defaults.follow_redirects),
        http2: raw.enable_http2.unwrap_or(defaults.http2),
    })
}

/// The file under check and what was found in it.
struct Checker<'a> {
    path: &'a Path,
    source: &'a str,
    folder: PathBuf,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn place(&self, location: Location) -> Place {
        raw::place(self.path, self.source, location)
    }

    fn top(&self, key: &str, otherwise: Location) -> Place {
        raw::top(self.path, self.source, key, otherwise)
    }

    fn wrong(&mut self, place: Place, what: impl Into<String>, hint: &str) {
        self.problems.push(Problem::new(place, what).hint(hint));
    }

    fn file(&self, name: String) -> SecretRef {
        SecretRef::File(self.folder.join(name))
    }

    /// Prometheus knows these; they are refused rather than silently left out.
    fn unbuilt(&mut self, raw: &Raw) {
        if let Some(oauth2) = &raw.oauth2 {
            let place = self.top("oauth2", oauth2.referenced);
            self.wrong(
                place,
                "`oauth2` is not built in Quarterdeck",
                "use basic_auth, or authorization with a credentials_file that something else keeps fresh",
            );
        }
        if let Some(headers) = &raw.proxy_connect_header {
            let place = self.top("proxy_connect_header", headers.referenced);
            self.wrong(place, "`proxy_connect_header` is not built in Quarterdeck", "put the proxy's user and password into proxy_url");
        }
    }

    fn no_reference(&mut self, key: &str, value: &Text) {
        if let Some(value) = value {
            let place = self.place(value.referenced);
            self.wrong(
                place,
                format!("`{key}` names a secret manager's entry, which is not built in Quarterdeck"),
                "use the _file form of the key",
            );
        }
    }

    fn one_kind_of_auth(&mut self, raw: &Raw) {
        let given: Vec<(&str, Location)> = [
            ("basic_auth", raw.basic_auth.as_ref().map(|s| s.referenced)),
            ("authorization", raw.authorization.as_ref().map(|s| s.referenced)),
            ("oauth2", raw.oauth2.as_ref().map(|s| s.referenced)),
            ("bearer_token", raw.bearer_token.as_ref().or(raw.bearer_token_file.as_ref()).map(|s| s.referenced)),
        ]
        .into_iter()
        .filter_map(|(key, at)| at.map(|at| (key, at)))
        .collect();
        if let [(first, _), (second, at), ..] = given.as_slice() {
            let place = self.top(second, *at);
            self.wrong(
                place,
                format!("`{first}` and `{second}` are both given; at most one of basic_auth, authorization and oauth2 may be"),
                "keep the one that the system asks for",
            );
        }
    }

    /// The value, or the file that has it; both is a problem.
    fn either(&mut self, inline: (&str, Text), file: (&str, Text)) -> Option<SecretRef> {
        match (inline.1, file.1) {
            (Some(_), Some(named)) => {
                let place = self.place(named.referenced);
                self.wrong(place, format!("`{}` and `{}` are both given", inline.0, file.0), "keep one of them");
                None
            }
            (Some(value), None) => Some(SecretRef::Inline(Secret::new(value.value))),
            (None, Some(named)) if named.value.is_empty() => {
                let place = self.place(named.referenced);
                self.wrong(place, format!("`{}` is empty", file.0), "name a file, or remove the key");
                None
            }
            (None, Some(named)) => Some(self.file(named.value)),
            (None, None) => None,
        }
    }

    fn basic(&mut self, basic: Spanned<raw::BasicAuth>) -> Auth {
        let basic = basic.value;
        self.no_reference("username_ref", &basic.username_ref);
        self.no_reference("password_ref", &basic.password_ref);
        let username = self.either(("username", basic.username), ("username_file", basic.username_file));
        let password = self.either(("password", basic.password), ("password_file", basic.password_file));
        Auth::Basic { username, password }
    }

    fn authorization(&mut self, token: Spanned<raw::Authorization>) -> Auth {
        let (at, token) = (token.referenced, token.value);
        self.no_reference("credentials_ref", &token.credentials_ref);
        let wanted = token.credentials_ref.is_none() && token.credentials.is_none() && token.credentials_file.is_none();
        let scheme = match token.scheme {
            Some(scheme) if scheme.value.trim().eq_ignore_ascii_case("basic") => {
                let place = self.place(scheme.referenced);
                self.wrong(place, "the authorization type cannot be \"basic\"", "use basic_auth with username and password instead");
                String::new()
            }
            Some(scheme) if !is_token(scheme.value.trim()) && !scheme.value.trim().is_empty() => {
                let place = self.place(scheme.referenced);
                self.wrong(place, "the authorization type is one word, such as Bearer", "put what follows it into credentials");
                String::new()
            }
            Some(scheme) if !scheme.value.trim().is_empty() => scheme.value.trim().to_owned(),
            _ => "Bearer".to_owned(),
        };
        if wanted {
            let place = self.top("authorization", at);
            self.wrong(place, "authorization has no credentials", "add credentials_file (or credentials)");
        }
        match self.either(("credentials", token.credentials), ("credentials_file", token.credentials_file)) {
            Some(credentials) => Auth::Token { scheme, credentials },
            None => Auth::None,
        }
    }

    fn tls(&mut self, tls: Spanned<raw::TlsConfig>) -> Tls {
        let (at, tls) = (tls.referenced, tls.value);
        self.no_reference("ca_ref", &tls.ca_ref);
        self.no_reference("cert_ref", &tls.cert_ref);
        self.no_reference("key_ref", &tls.key_ref);
        let before = self.problems.len();
        let ca = self.either(("ca", tls.ca), ("ca_file", tls.ca_file));
        let cert = self.either(("cert", tls.cert), ("cert_file", tls.cert_file));
        let key = self.either(("key", tls.key), ("key_file", tls.key_file));
        let client = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (cert, _) => {
                // Not after another problem above: a pair given twice is not also a pair that is missing.
                if self.problems.len() == before {
                    let missing = if cert.is_some() { "key" } else { "cert" };
                    let place = self.top("tls_config", at);
                    self.wrong(
                        place,
                        format!("a client certificate needs both parts; the {missing} is missing"),
                        "give cert_file and key_file",
                    );
                }
                None
            }
        };
        let min_at = tls.min_version.as_ref().map(|version| version.referenced);
        let min = tls.min_version.map_or(TlsVersion::Tls12, |version| self.version(version, true));
        let max = tls.max_version.map_or(TlsVersion::Tls13, |version| self.version(version, false));
        if let Some(at) = min_at.filter(|_| min > max) {
            let place = self.place(at);
            self.wrong(place, "min_version is above max_version", "swap them, or remove one");
        }
        let server_name = tls.server_name.map(|name| name.value).filter(|name| !name.is_empty());
        Tls { ca, client, server_name, insecure_skip_verify: tls.insecure_skip_verify.unwrap_or(false), min, max }
    }

    /// `TLS10` to `TLS13`. As the least version, the old ones mean no more than 1.2, the oldest that is spoken.
    fn version(&mut self, version: Spanned<String>, least: bool) -> TlsVersion {
        match version.value.as_str() {
            "TLS13" => TlsVersion::Tls13,
            "TLS12" => TlsVersion::Tls12,
            "TLS10" | "TLS11" if least => TlsVersion::Tls12,
            old @ ("TLS10" | "TLS11") => {
                let what = format!("{old} is not built in Quarterdeck, which speaks TLS 1.2 and 1.3");
                let place = self.place(version.referenced);
                self.wrong(place, what, "raise max_version, or remove it");
                TlsVersion::Tls13
            }
            _ => {
                let place = self.place(version.referenced);
                self.wrong(place, "not a TLS version", "write TLS12 or TLS13");
                if least { TlsVersion::Tls12 } else { TlsVersion::Tls13 }
            }
        }
    }

    fn proxy(&mut self, url: Text, no_proxy: Text, environment: Option<Spanned<bool>>) -> Proxy {
        let url = url.filter(|url| !url.value.is_empty());
        let no_proxy = no_proxy.filter(|hosts| !hosts.value.is_empty());
        let from_environment = environment.as_ref().is_some_and(|given| given.value);
        if let Some(given) = environment.as_ref().filter(|_| from_environment && (url.is_some() || no_proxy.is_some())) {
            let place = self.place(given.referenced);
            let other = if url.is_some() { "proxy_url" } else { "no_proxy" };
            self.wrong(
                place,
                format!("`proxy_from_environment` and `{other}` are both given"),
                "keep one: the environment's proxy, or this file's",
            );
            return Proxy::None;
        }
        if from_environment {
            return Proxy::Environment;
        }
        let Some(url) = url else {
            if let Some(hosts) = no_proxy {
                let place = self.place(hosts.referenced);
                self.wrong(place, "`no_proxy` without a `proxy_url`", "add proxy_url, or remove no_proxy");
            }
            return Proxy::None;
        };
        match url::Url::parse(&url.value) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {}
            Ok(parsed) if parsed.scheme().starts_with("socks") => {
                let place = self.place(url.referenced);
                self.wrong(place, "a SOCKS proxy is not built in Quarterdeck", "use an http or https proxy");
            }
            _ => {
                let place = self.place(url.referenced);
                self.wrong(place, "`proxy_url` is not an address", "write it as http://proxy.example:3128");
            }
        }
        Proxy::Url { url: Secret::new(url.value), no_proxy: no_proxy.map(|hosts| hosts.value) }
    }

    fn header(&mut self, name: String, values: Spanned<raw::HeaderValues>) -> Header {
        let (at, values) = (values.referenced, values.value);
        let shown = text::clean(&name, 64).into_owned();
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            let place = self.place(at);
            let hint = match name.to_ascii_lowercase().as_str() {
                "authorization" => "use basic_auth or authorization instead",
                _ => "each request sets it itself: remove it",
            };
            self.wrong(place, format!("the header `{shown}` may not be set here"), hint);
        } else if !is_token(&name) {
            let place = self.place(at);
            self.wrong(place, format!("`{shown}` is not a header's name"), "letters, digits and dashes make one");
        }
        let inline = values.values.into_iter().flatten().chain(values.secrets.into_iter().flatten());
        let mut all: Vec<SecretRef> = Vec::new();
        for value in inline {
            if value.contains(|c: char| c.is_control() && c != '\t') {
                let place = self.place(at);
                self.wrong(place, format!("a value of the header `{shown}` has a line break or a control character"), "remove it");
            }
            all.push(SecretRef::Inline(Secret::new(value)));
        }
        all.extend(values.files.into_iter().flatten().map(|file| self.file(file)));
        Header { name, values: all }
    }
}

/// True for a token of RFC 9110 section 5.6.2: what a header's name and an authorization scheme are made of.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
