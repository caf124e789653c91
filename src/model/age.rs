//! Durations: how people write them in files, and how coarsely a screen may show them without lying.

use jiff::{SignedDuration, Timestamp};

/// Reads `15s`, `5m`, `4h`, `7d`, `1w` and sums such as `1h30m`; `250ms` too. Prometheus' own grammar, less years.
/// `Err` says what is wrong as a sentence.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` is not a duration: write a number and a unit, such as 15s, 5m, 4h or 7d");
    let mut rest = text;
    let mut total_ms: i64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let (unit, ms) = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)]
            .into_iter()
            .find(|(unit, _)| rest.starts_with(unit))
            .ok_or_else(wrong)?;
        rest = &rest[unit.len()..];
        total_ms = number.checked_mul(ms).and_then(|n| total_ms.checked_add(n)).ok_or_else(wrong)?;
    }
    Ok(SignedDuration::from_millis(total_ms))
}

/// An age as a list shows it: `<1m`, `7m`, `3h`, `2d`. It steps by its own unit and is never rounded up,
/// so `3h` means "at least three hours, not yet four". A moment in the future is `0m`.
pub fn coarse(age: SignedDuration) -> String {
    match age.as_secs() {
        ..0 => "0m".into(),
        0..60 => "<1m".into(),
        s @ 60..3_600 => format!("{}m", s / 60),
        s @ 3_600..172_800 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// An exact duration in words of two units at the most: `42s`, `7m 5s`, `3h 12m`, `2d 4h`; a zero second unit is left
/// out: `1h`.
pub fn exact(age: SignedDuration) -> String {
    let (large, unit, small, part) = match age.as_secs().max(0) {
        s @ 0..60 => return format!("{s}s"),
        s @ 60..3_600 => (s / 60, 'm', s % 60, 's'),
        s @ 3_600..86_400 => (s / 3_600, 'h', s % 3_600 / 60, 'm'),
        s => (s / 86_400, 'd', s % 86_400 / 3_600, 'h'),
    };
    if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{part}") }
}

/// The first moment after `now` at which [`coarse`] of the age since `from` reads differently.
pub fn next_step(from: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.duration_since(from).as_secs();
    let unit = match age {
        ..3_600 => 60,
        3_600..172_800 => 3_600,
        _ => 86_400,
    };
    let steps = age.max(-1).div_euclid(unit) + 1;
    from.checked_add(SignedDuration::from_secs((steps * unit).max(0))).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        assert_eq!(parse("15s"), Ok(SignedDuration::from_secs(15)));
        assert_eq!(parse("1h30m"), Ok(SignedDuration::from_secs(5_400)));
        assert_eq!(parse("250ms"), Ok(SignedDuration::from_millis(250)));
        assert_eq!(parse("7d"), Ok(SignedDuration::from_hours(168)));
        for bad in ["", "15", "s", "-5s", "5 m", "1y", "99999999999999999999s", "9223372036854775807w"] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_coarse_age_never_says_more_than_has_passed() {
        let shown: Vec<String> =
            [-5, 0, 59, 60, 3_599, 3_600, 7_199, 172_799, 172_800].into_iter().map(|s| coarse(SignedDuration::from_secs(s))).collect();
        assert_eq!(shown, ["0m", "<1m", "<1m", "1m", "59m", "1h", "1h", "47h", "2d"]);
    }

    #[test]
    fn an_exact_duration_has_two_units_at_the_most() {
        let shown: Vec<String> =
            [-5, 42, 60, 425, 3_600, 11_520, 187_200].into_iter().map(|s| exact(SignedDuration::from_secs(s))).collect();
        assert_eq!(shown, ["0s", "42s", "1m", "7m 5s", "1h", "3h 12m", "2d 4h"]);
    }

    #[test]
    fn the_next_step_is_when_the_text_changes() {
        let from = Timestamp::UNIX_EPOCH;
        for secs in [0, 1, 59, 60, 61, 3_599, 3_600, 9_000, 172_800, 200_000] {
            let now = from + SignedDuration::from_secs(secs);
            let next = next_step(from, now);
            assert!(next > now);
            let text = |at: Timestamp| coarse(at.duration_since(from));
            assert_ne!(text(next), text(now), "at {secs}");
            assert_eq!(text(next - SignedDuration::from_secs(1)), text(now), "before {secs}");
        }
    }
}
