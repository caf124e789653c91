//! Text in lines: how wide it is, and where it is broken. Everything here counts columns, not characters.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes, at most what a screen can have.
pub fn cells(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text cut to so many columns, the cut marked; in ASCII where that is asked for.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    let text = if ascii { to_ascii(text) } else { text.to_owned() };
    if text.width() <= width {
        return text;
    }
    let mark = match (ascii, width) {
        (true, 8..) => "...",
        (true, _) => ".",
        (false, _) => "…",
    };
    let mut out = head(&text, width.saturating_sub(mark.len().min(mark.width()))).to_owned();
    if width > 0 {
        out.push_str(mark);
    }
    out
}

/// The text in pure ASCII, as wide as before: every other character is a question mark per column.
fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            '…' | '·' => out.push('.'),
            '–' | '—' | '‐' | '−' => out.push('-'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            c => out.extend(std::iter::repeat_n('?', c.width().unwrap_or(0))),
        }
    }
    out
}

/// As much of the text as fits in so many columns.
fn head(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}

/// The text in lines of at most `width` columns, broken between words where that is possible. Never empty.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2); // the widest character
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let size = word.width();
        if used > 0 && used + 1 + size > width {
            lines.push(String::new());
            used = 0;
        }
        let mut rest = word;
        if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        while used + rest.width() > width {
            let part = head(rest, width);
            if part.is_empty() {
                break;
            }
            push(&mut lines, part);
            rest = &rest[part.len()..];
            lines.push(String::new());
            used = 0;
        }
        push(&mut lines, rest);
        used += rest.width();
    }
    if lines.len() > 1 && lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// A count with its thousands apart: `50,000`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([50_000, 999].map(thousands), ["50,000", "999"]);
    }

    #[test]
    fn a_cut_is_marked_and_never_wider_than_asked() {
        assert_eq!(fit("checkout", 8, false), "checkout");
        assert_eq!(fit("checkout", 5, false), "chec…");
        assert_eq!(fit("checkout-api", 9, true), "checko...");
        assert_eq!(fit("日本語", 4, false), "日…");
        assert_eq!(fit("日本", 4, true), "????");
    }

    proptest! {
        #[test]
        fn a_fitted_text_fits(text in "\\PC{0,40}", width in 0usize..30, ascii: bool) {
            let out = fit(&text, width, ascii);
            prop_assert!(out.width() <= width, "{out:?}");
            prop_assert!(!ascii || out.is_ascii());
        }

        #[test]
        fn wrapped_lines_keep_every_letter_and_the_width(text in "[a-zé日 ]{0,80}", width in 1usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(!lines.is_empty());
            for line in &lines {
                prop_assert!(line.width() <= width.max(2), "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
