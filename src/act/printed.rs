//! What a program on a host printed, as it may be kept and shown: the last lines, cleaned, capped, without secrets.

use crate::model::deployment::redact::redacted;
use crate::model::secret::without;
use crate::model::text::{LABEL_CAP, clean};

/// Lines that are kept.
pub(super) const LINES: usize = 100;
/// Bytes that are kept of all of them.
const BYTES: usize = 32 << 10;

/// The last lines of it. What looks like a secret is taken out, and `secrets` wherever they stand.
pub(super) fn lines(out: &[u8], secrets: &[String]) -> Vec<String> {
    let text = String::from_utf8_lossy(out);
    // Cleaned first: what an escape tears apart on its way would not be known for what it is.
    let clean: Vec<_> = text.lines().map(|line| clean(line.trim_end(), LABEL_CAP)).collect();
    let known: Vec<_> = clean.iter().map(|line| without(line, secrets).map_or_else(|| line.clone(), Into::into)).collect();
    let known: Vec<_> = known.iter().map(|line| &**line).collect();
    let all = redacted(&known);
    let mut room = BYTES;
    let fits = |line: &&String| {
        let left = room.checked_sub(line.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let kept = all.iter().rev().take(LINES).take_while(fits).count();
    all[all.len() - kept..].to_vec()
}

/// What it said last.
pub(super) fn last(lines: &[String]) -> Option<&str> {
    lines.iter().map(|line| line.trim()).rfind(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_come_clean_and_with_an_end() {
        let many = (0..500).map(|n| format!("line {n}\x1b[31m\n")).collect::<String>();
        let kept = lines(many.as_bytes(), &[]);
        assert_eq!((kept.len(), kept[0].as_str(), kept[99].as_str()), (100, "line 400[31m", "line 499[31m"));
        let long = format!("{}\nend\n", "x ".repeat(1 << 20));
        assert!(lines(long.as_bytes(), &[]).iter().map(String::len).sum::<usize>() <= BYTES);
        let wide = "y ".repeat(500) + "\n";
        assert!(lines(wide.repeat(200).as_bytes(), &[]).len() < 100);
        assert!(lines(b"", &[]).is_empty());
        assert_eq!(last(&lines(b"a\nb\n\n \n", &[])), Some("b"));
    }

    #[test]
    fn secrets_go_by_their_value_and_by_their_name_also_where_an_escape_tears_them() {
        let out = b"the word is hun\x1b\x07ter2!\nDB_PASS\x1bWORD=abc\nplain\n\xff\n";
        let kept = lines(out, &["hunter2".into()]);
        assert_eq!(kept, ["the word is (taken out)!", "DB_PASSWORD=(taken out)", "plain", "\u{fffd}"]);
    }
}
