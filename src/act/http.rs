//! One HTTP request of the estate's own. Whether it was done, its answer says; one whose answer was lost is for a person to
//! judge, as nothing here can read it back.

use std::path::Path;

use tokio::time::Instant;

use super::{Called, Reach, printed};
use crate::link::http::{SendError, Verb, Writer};
use crate::link::permit::Permit;
use crate::model::run::CallEnd;

/// Bytes of an answer that are read.
const CAP: usize = 64 << 10;

/// What is sent.
pub(super) struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// What goes with it.
    pub body: Option<&'a str>,
    /// The status that is right; any of 200 to 299 where `None`.
    pub status: Option<u16>,
    /// Prometheus' own `http_config` file.
    pub http_config: Option<&'a str>,
}

/// Sends it once.
pub(super) async fn apply(reach: &Reach, permit: Permit, asked: Request<'_>, until: Instant) -> Called {
    let method = match asked.method.to_ascii_uppercase().as_str() {
        "GET" => Verb::Get,
        "POST" => Verb::Post,
        "PUT" => Verb::Put,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        other => return Called::refused(format!("{other} is no method of a request here")),
    };
    let writer = match Writer::exact(asked.url, asked.http_config.map(Path::new)) {
        Ok(writer) => writer,
        Err(error) => return Called::refused(error.to_string()),
    };
    let body = asked.body.map(|body| (kind(body), body.as_bytes()));
    // What goes with it now may come back with the answer.
    reach.secrets().await;
    let answer = match writer.send(permit, method, "", body, until, CAP).await {
        Ok(answer) => answer,
        Err(error) => {
            let why = error.to_string();
            return Called::bare(match error {
                SendError::NotSent(_) => CallEnd::Failed { why },
                SendError::Refused(_) => CallEnd::Refused { why },
                SendError::Unknown(_) => CallEnd::Unknown { why },
            });
        }
    };
    let output = printed::lines(&answer.bytes, &reach.secrets().await);
    let end = match (asked.status, answer.status) {
        (Some(wanted), status) if wanted == status => CallEnd::Done { seen: format!("answered {status}") },
        (None, status @ 200..300) => CallEnd::Done { seen: format!("answered {status}") },
        // A gateway that did not get the answer of who was asked.
        (_, status @ (502 | 504)) => CallEnd::Unknown { why: format!("answered {status}: a gateway between has no answer") },
        (wanted, status) => {
            let wanted = wanted.map_or_else(|| "200 to 299".to_owned(), |status| status.to_string());
            CallEnd::Failed { why: format!("answered {status}, expected {wanted}") }
        }
    };
    Called { end, output }
}

/// The type of what is sent: JSON where it is.
fn kind(body: &str) -> &'static str {
    match serde_json::from_str::<serde::de::IgnoredAny>(body) {
        Ok(_) => "application/json",
        Err(_) => "text/plain; charset=utf-8",
    }
}
