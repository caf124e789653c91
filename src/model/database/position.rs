//! Places in the write-ahead log, and the timelines that its files are named by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A place in the write-ahead log, bytes from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = ();

    /// As `pg_lsn` is written: `16/B374D848`.
    fn from_str(text: &str) -> Result<Lsn, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let part = |hex: &str| match hex.len() {
            1..=8 if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u64::from_str_radix(hex, 16).map_err(drop),
            _ => Err(()),
        };
        Ok(Lsn((part(high)? << 32) | part(low)?))
    }
}

/// The timeline of a file of the write-ahead log, by its name: its first eight hexadecimal digits.
pub fn timeline_of(file: &str) -> Option<u32> {
    let digits = file.get(..8).filter(|_| file.len() == 24)?;
    u32::from_str_radix(digits, 16).ok()
}
