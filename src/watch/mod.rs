//! Reads upstream systems on a schedule. Cannot write to any of them.

pub(crate) mod alertmanager;
mod wire;

use crate::link::http::Limits;
use crate::model::estate::Source;

/// Bytes of one answer: room for ten thousand verbose alerts or fifty thousand series, and an end to it.
const BODY_CAP: usize = 64 << 20;

/// What one request of this source may cost.
fn limits(source: &Source) -> Limits {
    Limits { deadline: source.timeout.unsigned_abs(), body_cap: BODY_CAP }
}
