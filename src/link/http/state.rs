//! What a reader keeps between requests: its configuration, secrets and connections, rebuilt when their files change.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, RequestBuilder};

use super::LinkError;
use super::explain::{refused, unreachable};
use super::redact::Sent;
use super::tls::{self, Looking};
use crate::config::http_config::{self, Auth, HttpConfig, Proxy, Secret, SecretRef};
use crate::link::secret::{Mark, SecretError, Secrets};

/// Who is asked: what a connection shows of us depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Over TLS.
    pub tls: bool,
    /// The system itself, not another origin where a redirect led.
    pub own: bool,
}

/// Everything that one request needs.
pub struct Prepared {
    /// The connections to use.
    pub client: Client,
    /// The configuration behind them.
    pub config: Arc<HttpConfig>,
    credentials: Credentials,
    headers: HeaderMap,
}

impl Prepared {
    /// The request with the credentials and headers that belong to its target, and what of it no answer should tell.
    pub fn apply(&self, request: RequestBuilder) -> reqwest::Result<(Request, Sent)> {
        let request = request.headers(self.headers.clone());
        let (request, password) = match &self.credentials {
            Credentials::None => (request, None),
            Credentials::Basic(username, password) => {
                (request.basic_auth(username.reveal(), Some(password.reveal())), Some(password.reveal()))
            }
            Credentials::Header(value) => (request.header(AUTHORIZATION, value.clone()), None),
        };
        let request = request.build()?;
        let sent = Sent::of(request.headers(), password.as_slice(), &self.headers);
        Ok((request, sent))
    }
}

enum Credentials {
    None,
    Basic(Secret, Secret),
    Header(HeaderValue),
}

/// The state of one reader. Its functions read files: call them where blocking is allowed.
#[derive(Default)]
pub struct State {
    config: Option<(Option<Mark>, Arc<HttpConfig>)>,
    secrets: Secrets,
    /// `ca`, `cert` and `key` as they were when the TLS connections were made.
    material: Vec<Secret>,
    plain: Option<Client>,
    own_tls: Option<Client>,
    other_tls: Option<Client>,
    looking: Option<Arc<Looking>>,
    /// Every request has a connection of its own, is sent once, and tells the certificate that it met.
    alone: bool,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    /// For a reader that is to find out whether a connection can be made, which a kept one would not tell.
    pub fn alone() -> State {
        State { alone: true, ..State::default() }
    }

    /// What a handshake that is only for looking needs now, by the files' present content.
    pub fn looking(&mut self, file: Option<&Path>) -> Result<Arc<Looking>, LinkError> {
        let config = self.configuration(file)?;
        self.forget_changed_tls(&config)?;
        if let Some(looking) = &self.looking {
            return Ok(looking.clone());
        }
        let looking = tls::looking(&config.tls, &mut self.secrets).map_err(|why| unusable(&why, &config))?;
        Ok(self.looking.insert(Arc::new(looking)).clone())
    }

    /// What a request to `target` needs when there is no file to look at and it was asked before; reads nothing.
    pub fn ready(&self, target: Target) -> Option<Prepared> {
        let (mark, config) = self.config.as_ref()?;
        if mark.is_some() {
            return None;
        }
        let client = self.client(target)?.clone();
        Some(Prepared { client, config: config.clone(), credentials: Credentials::None, headers: HeaderMap::new() })
    }

    /// What a request to `target` needs now, by the files' present content.
    pub fn prepare(&mut self, file: Option<&Path>, target: Target) -> Result<Prepared, LinkError> {
        let config = self.configuration(file)?;
        if target.tls {
            self.forget_changed_tls(&config)?;
        }
        let client = match self.client(target) {
            Some(client) => client.clone(),
            None => {
                let client = self.connect(&config, target)?;
                let kept = match (target.tls, target.own) {
                    (false, _) => &mut self.plain,
                    (true, true) => &mut self.own_tls,
                    (true, false) => &mut self.other_tls,
                };
                kept.insert(client).clone()
            }
        };
        let (credentials, headers) = match target.own {
            true => (self.credentials(&config)?, self.headers(&config)?),
            false => (Credentials::None, HeaderMap::new()),
        };
        Ok(Prepared { client, config, credentials, headers })
    }

    fn client(&self, target: Target) -> Option<&Client> {
        match (target.tls, target.own) {
            (false, _) => self.plain.as_ref(),
            (true, true) => self.own_tls.as_ref(),
            (true, false) => self.other_tls.as_ref(),
        }
    }

    fn configuration(&mut self, file: Option<&Path>) -> Result<Arc<HttpConfig>, LinkError> {
        let Some(path) = file else {
            let (_, config) = self.config.get_or_insert_with(|| (None, Arc::new(HttpConfig::default())));
            return Ok(config.clone());
        };
        if let Some((Some(mark), config)) = &self.config
            && mark.holds(path)
        {
            return Ok(config.clone());
        }
        let mark = Mark::of(path).map_err(|error| refused(format!("{error}; mend http_config in the estate file")))?;
        let loaded = http_config::load(path).map_err(|problems| {
            // One line of it: the console's check shows the rest.
            let first = problems.first();
            let line = first.map_or(1, |problem| problem.place.line);
            let what = first.map_or("not an http_config file", |problem| problem.what.as_str());
            refused(format!("{}:{line}: {what}", path.display()))
        })?;
        if self.config.as_ref().is_none_or(|(_, known)| **known != loaded) {
            (self.plain, self.own_tls, self.other_tls, self.looking) = (None, None, None, None);
            // Files that are no longer named are not kept either.
            self.secrets = Secrets::default();
        }
        let config = Arc::new(loaded);
        self.config = Some((Some(mark), config.clone()));
        Ok(config)
    }

    /// Drops the TLS connections when a certificate's or key's file changed.
    fn forget_changed_tls(&mut self, config: &HttpConfig) -> Result<(), LinkError> {
        let client = config.tls.client.as_ref();
        let named = [config.tls.ca.as_ref(), client.map(|(cert, _)| cert), client.map(|(_, key)| key)];
        let mut material = Vec::new();
        for reference in named.into_iter().flatten() {
            material.push(self.secrets.value(reference).map_err(|error| unread(&error, config))?);
        }
        if material != self.material {
            (self.own_tls, self.other_tls, self.looking) = (None, None, None);
            self.material = material;
        }
        Ok(())
    }

    fn connect(&mut self, config: &HttpConfig, target: Target) -> Result<Client, LinkError> {
        // Roots cost time and memory: they are loaded only where TLS may be spoken, be it with the proxy.
        let over_tls = target.tls
            || match &config.proxy {
                Proxy::None => false,
                Proxy::Environment => true,
                Proxy::Url { url, .. } => url.reveal().starts_with("https"),
            };
        let tls = if over_tls { tls::config(&config.tls, target.own, config.http2, &mut self.secrets) } else { tls::none() };
        let mut tls = tls.map_err(|why| unusable(&why, config))?;
        if self.alone {
            // A resumed session shows no certificate.
            tls.resumption = rustls::client::Resumption::disabled();
        }
        // Redirects are followed by hand, and the environment's proxies count only where the file says so.
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
            .pool_max_idle_per_host(if self.alone { 0 } else { 2 })
            .tls_info(self.alone)
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_keepalive(Duration::from_secs(30));
        if self.alone {
            builder = builder.retry(reqwest::retry::never());
        }
        if !config.http2 {
            builder = builder.http1_only();
        }
        builder = match &config.proxy {
            Proxy::Environment => builder,
            Proxy::None => builder.no_proxy(),
            Proxy::Url { url, no_proxy } => {
                let proxy = reqwest::Proxy::all(url.reveal())
                    .map_err(|_| refused(format!("proxy_url in {} is not an address", config.file.display())))?;
                let direct = no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
                builder.no_proxy().proxy(proxy.no_proxy(direct))
            }
        };
        builder.build().map_err(|error| unreachable(format!("no HTTP client can be made: {}", error.without_url())))
    }

    fn credentials(&mut self, config: &HttpConfig) -> Result<Credentials, LinkError> {
        let mut value = |reference: &Option<SecretRef>| match reference {
            Some(reference) => self.secrets.value(reference).map_err(|error| unread(&error, config)),
            None => Ok(Secret::new("")),
        };
        match &config.auth {
            Auth::None => Ok(Credentials::None),
            Auth::Basic { username, password } => Ok(Credentials::Basic(value(username)?, value(password)?)),
            Auth::Token { scheme, credentials } => {
                let secret = self.secrets.value(credentials).map_err(|error| unread(&error, config))?;
                header_value(&format!("{scheme} {}", secret.reveal()))
                    .map(Credentials::Header)
                    .ok_or_else(|| unsendable("the credentials", credentials, config))
            }
        }
    }

    fn headers(&mut self, config: &HttpConfig) -> Result<HeaderMap, LinkError> {
        let mut headers = HeaderMap::new();
        for header in &config.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes())
                .map_err(|_| refused(format!("a header's name in http_headers of {} cannot be sent", config.file.display())))?;
            for reference in &header.values {
                let secret = self.secrets.value(reference).map_err(|error| unread(&error, config))?;
                let value =
                    header_value(secret.reveal()).ok_or_else(|| unsendable(&format!("the header {}", header.name), reference, config))?;
                headers.append(name.clone(), value);
            }
        }
        Ok(headers)
    }
}

/// A header's value that no log shows; `None` where it has a line break or another control character.
fn header_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// TLS settings that cannot be used.
fn unusable(why: &str, config: &HttpConfig) -> LinkError {
    match config.file.as_os_str().is_empty() {
        true => unreachable(why),
        false => refused(format!("{why} (tls_config in {})", config.file.display())),
    }
}

fn unread(error: &SecretError, config: &HttpConfig) -> LinkError {
    refused(format!("{error} (named in {})", config.file.display()))
}

fn unsendable(what: &str, reference: &SecretRef, config: &HttpConfig) -> LinkError {
    let file = match reference {
        SecretRef::File(path) => path,
        SecretRef::Inline(_) => &config.file,
    };
    refused(format!("{what} in {} cannot be sent: a line break or a control character stands inside", file.display()))
}

/// Which credentials a refused request had and which file to mend, for a person; never the secret.
pub fn tried(config: &HttpConfig) -> String {
    let own = config.file.display();
    let place = |reference: Option<&SecretRef>| match reference {
        Some(SecretRef::File(path)) => path.display().to_string(),
        _ => own.to_string(),
    };
    match &config.auth {
        Auth::None if config.tls.client.is_some() => format!("tried the client certificate of tls_config; mend {own}"),
        Auth::None if config.file.as_os_str().is_empty() => {
            "no credentials were sent; name an http_config file with them in the estate file".to_owned()
        }
        Auth::None => format!("no credentials were sent; add basic_auth or authorization to {own}"),
        Auth::Basic { username, password } => {
            let who = match username {
                Some(SecretRef::Inline(name)) => format!("user {}", name.reveal()),
                Some(SecretRef::File(path)) => format!("the user in {}", path.display()),
                None => "no user name".to_owned(),
            };
            format!("tried basic_auth as {who}; mend the password in {}", place(password.as_ref()))
        }
        Auth::Token { scheme, credentials } => {
            format!("tried authorization of type {scheme}; mend the credentials in {}", place(Some(credentials)))
        }
    }
}
