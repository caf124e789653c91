//! Bytes as people write them, `64MiB`, and a lag that is bytes or a time.

use crate::model::age;
use crate::model::database::Limit;

const UNITS: [(&str, u64); 5] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];

/// The bytes of `512KiB`, `64MiB`, `10GiB` or `1TiB`; never zero.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: write a number and a unit, such as 512KiB, 64MiB or 10GiB");
    let (number, unit) = UNITS.iter().find_map(|(unit, by)| Some((text.strip_suffix(unit)?, by))).ok_or_else(wrong)?;
    match number.parse::<u64>() {
        Ok(0) => Err("it must be more than nothing".to_owned()),
        Ok(count) if number.bytes().all(|b| b.is_ascii_digit()) => count.checked_mul(*unit).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// A lag: a size or a time.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    if text.ends_with('B') {
        return parse(text).map(Limit::Bytes);
    }
    match age::parse(text) {
        Ok(time) if time.is_zero() => Err("it must be more than nothing".to_owned()),
        Ok(time) => Ok(Limit::Time(time)),
        Err(_) => Err(format!("`{text}` is no lag: write bytes such as 64MiB, or a time such as 30s")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn sizes_and_times_are_told_apart() {
        assert_eq!(parse("64MiB"), Ok(64 << 20));
        assert_eq!(limit("10B"), Ok(Limit::Bytes(10)));
        assert_eq!(limit("30s"), Ok(Limit::Time(SignedDuration::from_secs(30))));
        for bad in ["", "64", "64MB", "+1MiB", "1.5GiB", "0B", "99999999999TiB", "0s", "x"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }
}
