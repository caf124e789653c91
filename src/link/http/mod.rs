//! Reads a system over HTTP: credentials of a Prometheus `http_config` file, a deadline, a size cap. Writing is `send.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderName, LOCATION};
use reqwest::{Method, Response};
use tokio::sync::{Mutex, Semaphore};
use url::Url;

use self::explain::{peer, refused, unreachable};
use self::redact::Sent;
use self::redirect::Step;
use self::state::{Prepared, State, Target};
use crate::model::text;

pub(super) mod explain;
mod look;
mod redact;
mod redirect;
mod send;
pub(super) mod state;
pub(super) mod tls;

pub use self::look::{Look, Miss};
pub use self::send::{SendError, Verb, Writer};

/// Bytes of a body from which on it waits for its turn: a hostile system that answers many requests at once with bodies
/// without an end costs the memory of one of them, not of all.
const LARGE: usize = 1 << 20;

/// What one request may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the start of the request to the last byte of its body, redirects included.
    pub deadline: Duration,
    /// Bytes of the body after decompression.
    pub body_cap: usize,
}

/// Why there is no answer. Each text is one cleaned line: what, why, what to do; never a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The credentials were refused (401, 403, 407) or could not be read.
    #[error("{0}")]
    Refused(String),
    /// No connection, no answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// Its answer is larger than [`Limits::body_cap`], and was not read to its end.
    #[error("{at}: the answer is larger than {cap} bytes; ask for less")]
    TooLarge {
        /// Where it came from, as messages name it.
        at: String,
        /// The cap, bytes.
        cap: usize,
    },
}

/// The answer of one request, whatever its status (401, 403 and 407 come as [`LinkError::Refused`]).
#[derive(Debug)]
pub struct Body {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, lower case, without parameters; empty where there is none.
    pub content_type: String,
    /// The parameters of `Content-Type`, lower case, such as `version=0.0.4; charset=utf-8`.
    pub parameters: String,
    /// The server's `Date` header: its clock, in whole seconds.
    pub date: Option<Timestamp>,
    /// The body, decompressed, at most [`Limits::body_cap`] bytes.
    pub bytes: Vec<u8>,
}

/// Reads from one system. Cheap to share between tasks.
#[derive(Debug)]
pub struct Reader {
    base: Url,
    http_config: Option<PathBuf>,
    limits: Limits,
    accept: Option<&'static str>,
    state: Arc<Mutex<State>>,
    /// The right to go on with a body that is larger than [`LARGE`]: one at a time.
    large: Semaphore,
}

/// How far a request has come, for the message when its time is over: 0 before the answer, then 1 + its bytes.
#[derive(Default)]
struct Progress(AtomicUsize);

impl Reader {
    /// A reader of the system at `base` (its root address; a path in it is kept as a prefix), with the credentials and
    /// TLS settings of Prometheus' `http_config` file. Reads no file: the first request does, and each later one looks
    /// whether the files have changed.
    pub fn new(base: &str, http_config: Option<&Path>, limits: Limits) -> Result<Reader, LinkError> {
        // An address that is refused is not repeated: it may have a password in it.
        let url = Url::parse(base).map_err(|error| unreachable(format!("the address is not one: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(unreachable("the address must start with http:// or https:// and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(format!(
                "{}: credentials do not belong into the address; put them into an http_config file (basic_auth) and name it",
                peer(&url)
            )));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(unreachable(format!("{}: the address may have a path but no ? and no #", peer(&url))));
        }
        Ok(Reader {
            base: url,
            http_config: http_config.map(Path::to_owned),
            limits,
            accept: None,
            state: Arc::default(),
            large: Semaphore::new(1),
        })
    }

    /// A reader of one page at its whole address, which may have a `?`; `accept` says which forms of it are understood.
    pub fn page(address: &str, accept: &'static str, http_config: Option<&Path>, limits: Limits) -> Result<Reader, LinkError> {
        let address = address.split('#').next().unwrap_or_default();
        let (root, query) = address.split_once('?').map_or((address, None), |(root, query)| (root, Some(query)));
        let mut reader = Reader::new(root, http_config, limits)?;
        reader.base.set_query(query);
        reader.accept = Some(accept);
        Ok(reader)
    }

    /// GET the page of [`Reader::page`].
    pub async fn get_page(&self) -> Result<Body, LinkError> {
        self.in_time(self.base.clone(), None).await
    }

    /// GET `path` (such as `/api/v2/alerts`) with these query parameters.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, LinkError> {
        let mut url = self.address(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.in_time(url, None).await
    }

    /// POST a form to `path`: a read whose parameters are too long for an address, such as a PromQL query.
    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Body, LinkError> {
        self.in_time(self.address(path), Some(form)).await
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{}", path.trim_start_matches('/')));
        url
    }

    async fn in_time(&self, url: Url, form: Option<&[(&str, &str)]>) -> Result<Body, LinkError> {
        let progress = Progress::default();
        match tokio::time::timeout(self.limits.deadline, self.exchange(url, form, &progress)).await {
            Ok(result) => result,
            Err(_) => {
                let (at, deadline) = (peer(&self.base), self.limits.deadline);
                Err(match progress.0.load(Ordering::Relaxed).checked_sub(1) {
                    None => unreachable(format!("{at}: no answer within {deadline:?}; check that it is well, and the network")),
                    Some(bytes) => unreachable(format!("{at}: the answer was not complete after {deadline:?} ({bytes} bytes had come)")),
                })
            }
        }
    }

    /// One request and the redirects that it meets.
    async fn exchange(&self, mut url: Url, form: Option<&[(&str, &str)]>, progress: &Progress) -> Result<Body, LinkError> {
        // Once another origin had a say in where to ask, credentials stay home, even on the way back.
        let mut own = true;
        for _ in 0..=redirect::MOST {
            let prepared = self.prepared(Target { tls: url.scheme() == "https", own }).await?;
            let request = match form {
                Some(form) => prepared.client.request(Method::POST, url.clone()).form(form),
                None => prepared.client.request(Method::GET, url.clone()),
            };
            let request = match self.accept {
                Some(accept) => request.header(ACCEPT, accept),
                None => request,
            };
            let (request, sent) = prepared.apply(request).map_err(|error| explain::failed(&url, error))?;
            let response = prepared.client.execute(request).await.map_err(|error| explain::failed(&url, error))?;
            let status = response.status().as_u16();
            let location = header(&response, LOCATION);
            let step = match prepared.config.follow_redirects {
                true => redirect::step(&url, form.is_some(), status, location),
                false => Step::Answer,
            };
            match step {
                Step::Answer => {
                    self.allowed(&url, own, status, &prepared)?;
                    return self.body(&url, response, &sent, progress).await;
                }
                Step::Refuse(why) => return Err(unreachable(format!("{}: {why}", peer(&url)))),
                Step::Follow(to) => {
                    own = own && redirect::same_origin(&to, &self.base);
                    url = to;
                }
            }
        }
        Err(unreachable(format!("{}: more than {} redirects; check the address", peer(&self.base), redirect::MOST)))
    }

    /// What the request needs by the files' present content. Files are read on a thread that may block, so that the
    /// deadline holds even where they lie on a dead network drive; one such thread at a time.
    async fn prepared(&self, target: Target) -> Result<Prepared, LinkError> {
        let mut state = self.state.clone().lock_owned().await;
        if let Some(ready) = state.ready(target) {
            return Ok(ready);
        }
        let file = self.http_config.clone();
        match tokio::task::spawn_blocking(move || state.prepare(file.as_deref(), target)).await {
            Ok(prepared) => prepared,
            Err(_) => Err(unreachable(format!("{}: the request could not be prepared", peer(&self.base)))),
        }
    }

    fn allowed(&self, url: &Url, own: bool, status: u16, prepared: &Prepared) -> Result<(), LinkError> {
        let at = peer(url);
        match status {
            407 => Err(refused(format!("{at}: the proxy wants credentials (407); put its user and password into proxy_url"))),
            401 | 403 if !own => Err(refused(format!(
                "{at}: refused ({status}) after a redirect from {}, where no credentials go along; \
                 put the new address into the estate file",
                peer(&self.base)
            ))),
            401 => Err(refused(format!("{at}: the credentials were refused (401): {}", state::tried(&prepared.config)))),
            403 => Err(refused(format!("{at}: not allowed (403): {}", state::tried(&prepared.config)))),
            _ => Ok(()),
        }
    }

    async fn body(&self, url: &Url, mut response: Response, sent: &Sent, progress: &Progress) -> Result<Body, LinkError> {
        let cap = self.limits.body_cap;
        let too_large = || LinkError::TooLarge { at: text::clean(&peer(url), text::LABEL_CAP).into_owned(), cap };
        if response.content_length().is_some_and(|length| length > cap as u64) {
            return Err(too_large());
        }
        let content_type = header(&response, CONTENT_TYPE).unwrap_or_default();
        let (content_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let [content_type, parameters] = [content_type, parameters].map(|part| text::clean(part.trim(), 128).to_ascii_lowercase());
        let date = header(&response, DATE).and_then(|value| jiff::fmt::rfc2822::parse(value).ok()).map(|then| then.timestamp());
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        let mut turn = None;
        progress.0.store(1, Ordering::Relaxed);
        while let Some(chunk) = response.chunk().await.map_err(|error| explain::failed(url, error))? {
            if bytes.len() + chunk.len() > cap {
                return Err(too_large());
            }
            if turn.is_none() && bytes.len() + chunk.len() > LARGE {
                // It is never closed; and while one waits, the deadline runs.
                turn = self.large.acquire().await.ok();
            }
            bytes.extend_from_slice(&chunk);
            progress.0.store(1 + bytes.len(), Ordering::Relaxed);
        }
        sent.hide(&mut bytes, (200..300).contains(&status));
        Ok(Body { status, content_type, parameters, date, bytes })
    }
}

/// A header's value where it is text.
fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
