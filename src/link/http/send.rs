//! One request that changes something: with a permit that it uses up, on a connection of its own, no redirect followed,
//! never sent twice. What comes back says whether it may have reached the other side.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::explain::{self, peer};
use super::state::{State, Target};
use super::{Body, Limits, LinkError, Progress, Reader};
use crate::link::permit::Permit;

/// What is done to what the address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GET: for the few systems that act on one.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    fn word(self) -> reqwest::Method {
        match self {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
            Verb::Patch => reqwest::Method::PATCH,
            Verb::Delete => reqwest::Method::DELETE,
        }
    }
}

/// Why there is no answer to a write. Each text is one cleaned line without a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing of it left this machine: no connection came to be, or its credentials cannot be read.
    #[error("{0}; nothing was sent")]
    NotSent(String),
    /// The other side refused it for its credentials (401, 403, 407).
    #[error("{0}")]
    Refused(String),
    /// It may have been done or not: the answer is not there, or not whole. Only reading back tells.
    #[error("{0}; whether it was done is not known")]
    Unknown(String),
}

/// Writes to one system.
#[derive(Debug)]
pub struct Writer {
    base: Url,
    http_config: Option<PathBuf>,
    state: Arc<Mutex<State>>,
}

impl Writer {
    /// For the system at `base` (its root address; a path in it is kept as a prefix), with the credentials and TLS
    /// settings of an `http_config` file, as [`Reader::new`].
    ///
    /// # Errors
    /// Where the address is not one.
    pub fn new(base: &str, http_config: Option<&Path>) -> Result<Writer, LinkError> {
        Reader::new(base, http_config, LIMITS).map(Writer::of)
    }

    /// For this very address, its query included; its `path` is then the empty one.
    ///
    /// # Errors
    /// Where the address is not one.
    pub fn exact(address: &str, http_config: Option<&Path>) -> Result<Writer, LinkError> {
        Reader::alone(address, http_config, LIMITS).map(Writer::of)
    }

    fn of(reader: Reader) -> Writer {
        // A connection that was kept may be closed just now: then nobody could tell whether the request was read.
        Writer { base: reader.base, http_config: reader.http_config, state: Arc::new(Mutex::new(State::alone())) }
    }

    /// Sends it once to `path` below the base (the base itself where it is empty); `body` is its type and its bytes. The
    /// answer comes back whatever its status, a redirect too; at most `cap` bytes of it.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        permit: Permit,
        method: Verb,
        path: &str,
        body: Option<(&str, &[u8])>,
        until: Instant,
        cap: usize,
    ) -> Result<Body, SendError> {
        self.send_or_keep(permit, method, path, body, until, cap).await.map_err(|(error, _)| error)
    }

    /// The same; the permit comes back where nothing was sent, and only then: another peer of the same set may be asked.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send_or_keep(
        &self,
        permit: Permit,
        method: Verb,
        path: &str,
        body: Option<(&str, &[u8])>,
        until: Instant,
        cap: usize,
    ) -> Result<Body, (SendError, Option<Permit>)> {
        self.exchange(method, path, body, until, cap).await.map_err(|error| {
            let kept = matches!(error, SendError::NotSent(_)).then_some(permit);
            (error, kept)
        })
    }

    async fn exchange(&self, method: Verb, path: &str, body: Option<(&str, &[u8])>, until: Instant, cap: usize) -> Result<Body, SendError> {
        let reader = Reader {
            base: self.base.clone(),
            http_config: self.http_config.clone(),
            limits: Limits { body_cap: cap, ..LIMITS },
            accept: None,
            state: self.state.clone(),
            large: Semaphore::new(1),
        };
        let url = if path.is_empty() { self.base.clone() } else { reader.address(path) };
        let prepared = timeout_at(until, reader.prepared(Target { tls: url.scheme() == "https", own: true }));
        let prepared = match prepared.await {
            Ok(prepared) => prepared.map_err(|error| SendError::NotSent(error.to_string()))?,
            Err(_) => return Err(SendError::NotSent(format!("{}: its credentials could not be read in time", peer(&url)))),
        };
        let mut request = prepared.client.request(method.word(), url.clone());
        if let Some((kind, bytes)) = body {
            request = request.header(CONTENT_TYPE, kind).body(bytes.to_vec());
        }
        let (request, sent) = prepared.apply(request).map_err(|error| SendError::NotSent(explain::failed(&url, error).to_string()))?;
        let exchange = async {
            let response = prepared.client.execute(request).await.map_err(|error| {
                let before = error.is_connect();
                let why = explain::failed(&url, error).to_string();
                if before { SendError::NotSent(why) } else { SendError::Unknown(why) }
            })?;
            let status = response.status().as_u16();
            reader.allowed(&url, true, status, &prepared).map_err(|error| SendError::Refused(error.to_string()))?;
            let body = reader.body(&url, response, &sent, &Progress::default()).await;
            body.map_err(|error| SendError::Unknown(format!("answered {status}, but {error}")))
        };
        match timeout_at(until, exchange).await {
            Ok(result) => result,
            Err(_) => Err(SendError::Unknown(format!("{}: no whole answer in time", peer(&url)))),
        }
    }
}

/// The deadline is the caller's own; the cap is set by each request.
const LIMITS: Limits = Limits { deadline: Duration::MAX, body_cap: 0 };

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn permit() -> Permit {
        Permit::mint("R1", "silence", 1, None, "1 a")
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    async fn post(address: SocketAddr, until: Instant) -> Result<Body, SendError> {
        let writer = Writer::new(&format!("http://{address}/am"), None).unwrap();
        writer.send(permit(), Verb::Post, "/api/v2/silences", Some(("application/json", b"{}")), until, 1 << 10).await
    }

    /// A server that reads a whole request and then says `answer` and closes. It counts the requests.
    async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let seen = count.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut all = Vec::new();
                let mut part = [0; 4096];
                while !all.ends_with(b"{}") {
                    match stream.read(&mut part).await {
                        Ok(n @ 1..) => all.extend_from_slice(&part[..n]),
                        _ => break,
                    }
                }
                let text = String::from_utf8_lossy(&all).to_lowercase();
                if text.starts_with("post /am/api/v2/silences http/1.1") && text.contains("content-type: application/json") {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (address, count)
    }

    #[tokio::test]
    async fn an_answer_comes_back_whatever_it_is_and_a_redirect_is_not_followed() {
        for (answer, status) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
            ("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno", 400),
            ("HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 307),
        ] {
            let (address, count) = server(answer).await;
            assert_eq!(post(address, soon()).await.unwrap().status, status);
            assert_eq!(count.load(Ordering::SeqCst), 1, "{answer}");
        }
        let (address, _) = server("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").await;
        let refused = post(address, soon()).await.unwrap_err();
        assert!(matches!(&refused, SendError::Refused(why) if why.contains("401")), "{refused:?}");
    }

    #[tokio::test]
    async fn a_server_that_swallows_the_answer_leaves_it_unknown_and_is_asked_once() {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "garbage\r\n\r\n"] {
            let (address, count) = server(answer).await;
            let error = post(address, soon()).await.unwrap_err();
            assert!(matches!(error, SendError::Unknown(_)), "{answer:?}: {error:?}");
            assert_eq!(count.load(Ordering::SeqCst), 1, "{answer:?}: it is not sent again");
        }
        let (address, _) = server("HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n").await;
        assert!(matches!(post(address, soon()).await, Err(SendError::Unknown(_))), "more than the cap");
    }

    #[tokio::test]
    async fn a_server_that_never_answers_leaves_it_unknown() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let error = post(address, Instant::now() + Duration::from_millis(200)).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error:?}");
    }

    #[tokio::test]
    async fn what_never_left_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = post(address, soon()).await.unwrap_err();
        assert!(matches!(&error, SendError::NotSent(why) if why.contains("connection refused")), "{error:?}");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("http.yml");
        std::fs::write(&file, "basic_auth:\n  username: ops\n  password_file: nowhere\n").unwrap();
        let (address, count) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let writer = Writer::exact(&format!("http://{address}/x?y=1"), Some(&file)).unwrap();
        let error = writer.send(permit(), Verb::Delete, "", None, soon(), 10).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent(_)), "{error:?}");
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
}
