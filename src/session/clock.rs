//! The clock: the one place from which the present comes into the console.

use jiff::Timestamp;

/// Tells the present moment.
pub trait Clock {
    /// The present moment (UTC).
    fn now(&self) -> Timestamp;
}

/// This machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
