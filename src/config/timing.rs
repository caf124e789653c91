//! The times of a source, with what holds where the file says nothing.

use jiff::SignedDuration;

use super::raw::{Key, RawSource, text};
use crate::model::age;
use crate::model::estate::KEEP;
use crate::model::panel::OVER;

/// `every` where the file says nothing.
const EVERY: SignedDuration = SignedDuration::from_secs(15);
/// `every` of a database where the file says nothing.
pub(super) const DATABASE: SignedDuration = SignedDuration::from_secs(10);
/// The longest `timeout` where the file says nothing; it is never longer than `every`.
pub(super) const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// The duration of a key or this; `None` where it cannot be read.
pub(super) fn or(key: &Key<String>, otherwise: SignedDuration) -> Option<SignedDuration> {
    text(key).map_or(Some(otherwise), |written| age::parse(written).ok())
}

/// The time between two tries.
pub(super) fn every(source: &RawSource) -> Option<SignedDuration> {
    or(&source.every, EVERY)
}

/// How long one try may take.
pub(super) fn timeout(source: &RawSource) -> Option<SignedDuration> {
    or(&source.timeout, every(source)?.min(TIMEOUT))
}

/// How far back samples are kept; never less than two tries where the file says nothing.
pub(super) fn keep(source: &RawSource) -> Option<SignedDuration> {
    or(&source.keep, KEEP.max(every(source)?.saturating_mul(2)))
}

/// The time of a form that names none: never less than two tries of its source.
pub(super) fn over(every: SignedDuration) -> SignedDuration {
    OVER.max(every.saturating_mul(2))
}
