//! A value with the time it was true, or why there is none. Nothing in Quarterdeck shows a value without one of these.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The state of a reading. `Refused` means that the credentials were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// The last try answered, at most two intervals ago.
    Fresh,
    /// There is a value, but it is older than two intervals or from an earlier start of the console.
    Stale,
    /// The last try got no usable answer.
    Unreachable,
    /// The last try was refused for its credentials.
    Refused,
    /// Nothing was ever read.
    Never,
}

impl Freshness {
    /// The word that every screen and every output uses for this state.
    pub fn word(self) -> &'static str {
        match self {
            Freshness::Fresh => "fresh",
            Freshness::Stale => "stale",
            Freshness::Unreachable => "unreachable",
            Freshness::Refused => "refused",
            Freshness::Never => "never",
        }
    }
}

/// Why a try to read failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureKind {
    /// No connection, no answer in time, a server error, or an answer that is not what the system would say.
    Unreachable,
    /// The credentials were refused, or could not be read.
    Refused,
}

/// A failed try, or several in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Of which kind the newest try's failure is.
    pub kind: FailureKind,
    /// What happened, why, and where to look: one cleaned line for the screen.
    pub what: String,
    /// When the first of the failed tries in a row failed.
    pub since: Timestamp,
    /// How many tries in a row failed.
    pub tries: u32,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held<T> {
    /// The value.
    pub value: T,
    /// When it was true, by this machine's clock (UTC).
    pub as_of: Timestamp,
    /// True for a value that an earlier start of the console read.
    pub cached: bool,
}

/// The last value of a source, if any, and how the newest try to read it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<T> {
    /// The newest value that was read.
    pub held: Option<Held<T>>,
    /// The failure of the newest try; `None` after a success or before the first try.
    pub failure: Option<Failure>,
    /// When the source is tried next, where that is known.
    pub next_try: Option<Timestamp>,
    /// The time between two tries when all is well.
    pub every: SignedDuration,
}

impl<T> Reading<T> {
    /// A reading before the first try.
    pub fn never(every: SignedDuration) -> Reading<T> {
        Reading { held: None, failure: None, next_try: None, every }
    }

    /// The state at `now`. A failed newest try shows as that failure even where an older value is held.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        match (&self.failure, &self.held) {
            (Some(Failure { kind: FailureKind::Refused, .. }), _) => Freshness::Refused,
            (Some(_), _) => Freshness::Unreachable,
            (None, None) => Freshness::Never,
            (None, Some(held)) if held.cached || now > self.stale_at(held) => Freshness::Stale,
            (None, Some(_)) => Freshness::Fresh,
        }
    }

    /// The moment from which the held value counts as stale when nothing newer comes.
    pub fn goes_stale(&self) -> Option<Timestamp> {
        self.held.as_ref().map(|held| self.stale_at(held))
    }

    fn stale_at(&self, held: &Held<T>) -> Timestamp {
        // Two intervals and a second: a poll that takes its time must not flicker between fresh and stale.
        held.as_of.checked_add(self.every * 2 + SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX)
    }

    /// The value, only while it is fresh.
    pub fn fresh(&self, now: Timestamp) -> Option<&T> {
        if self.freshness(now) == Freshness::Fresh { self.held.as_ref().map(|held| &held.value) } else { None }
    }

    /// Takes in the end of one try.
    pub fn take(&mut self, outcome: Outcome<T>, next_try: Option<Timestamp>) {
        self.next_try = next_try;
        match outcome {
            Outcome::Value { value, as_of } => {
                self.failure = None;
                self.held = Some(Held { value, as_of, cached: false });
            }
            Outcome::Failed { kind, what, at } => {
                let (since, tries) = self.failure.as_ref().map_or((at, 0), |f| (f.since, f.tries));
                self.failure = Some(Failure { kind, what, since, tries: tries + 1 });
            }
        }
    }
}

/// How one try to read a source ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    /// A value, true at `as_of`.
    Value {
        /// The value.
        value: T,
        /// When it was true (UTC, this machine's clock).
        as_of: Timestamp,
    },
    /// No value.
    Failed {
        /// Of which kind.
        kind: FailureKind,
        /// One cleaned line: what, why, what to do.
        what: String,
        /// When the try ended.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn failed(kind: FailureKind, secs: i64) -> Outcome<u8> {
        Outcome::Failed { kind, what: "no".into(), at: at(secs) }
    }

    #[test]
    fn every_state_is_reached_and_left() {
        let mut reading = Reading::never(SignedDuration::from_secs(5));
        assert_eq!(reading.freshness(at(0)), Freshness::Never);
        reading.take(Outcome::Value { value: 1, as_of: at(10) }, None);
        assert_eq!(reading.freshness(at(21)), Freshness::Fresh);
        assert_eq!(reading.freshness(at(22)), Freshness::Stale);
        reading.take(failed(FailureKind::Unreachable, 30), Some(at(33)));
        reading.take(failed(FailureKind::Refused, 33), Some(at(40)));
        assert_eq!(reading.freshness(at(33)), Freshness::Refused);
        let failure = reading.failure.clone().unwrap();
        assert_eq!((failure.since, failure.tries), (at(30), 2));
        assert_eq!(reading.held.as_ref().map(|h| h.value), Some(1), "the last value is kept");
        assert_eq!(reading.fresh(at(33)), None, "and is not taken for a live one");
        reading.take(Outcome::Value { value: 2, as_of: at(40) }, None);
        assert_eq!(reading.fresh(at(41)), Some(&2));
    }

    #[test]
    fn a_value_of_an_earlier_start_is_stale_however_new() {
        let mut reading = Reading::never(SignedDuration::from_secs(5));
        reading.held = Some(Held { value: 1, as_of: at(10), cached: true });
        assert_eq!(reading.freshness(at(10)), Freshness::Stale);
    }
}
