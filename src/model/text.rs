//! Makes text that others wrote safe to show: no control, escape, bidi or invisible characters, and an end to it.

use std::borrow::Cow;

/// Bytes kept of a label name or value, an alert name, a peer's name.
pub const LABEL_CAP: usize = 1_024;
/// Bytes kept of an annotation or an error message.
pub const NOTE_CAP: usize = 4_096;

/// True for a character that could move the cursor, change colours, hide or reorder what stands beside it:
/// C0, DEL and C1 controls, bidi embeddings, overrides and isolates, zero-width and other format characters,
/// line and paragraph separators, variation selectors, tags and private use.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E000}'..='\u{F8FF}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// The text on one line, at most `cap` bytes of it: line breaks and tabs become a space, every other hostile
/// character is dropped, and a cut is marked with `...`. Borrows when there is nothing to change.
pub fn clean(text: &str, cap: usize) -> Cow<'_, str> {
    if text.len() <= cap && !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(cap) + 3);
    let mut cut = false;
    for c in text.chars() {
        let c = match c {
            '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_hostile(c) => continue,
            c => c,
        };
        if out.len() + c.len_utf8() > cap {
            cut = true;
            break;
        }
        out.push(c);
    }
    if cut {
        out.push_str("...");
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_unchanged() {
        assert!(matches!(clean("żółć 日本 ok", 64), Cow::Borrowed("żółć 日本 ok")));
    }

    #[test]
    fn escapes_bidi_and_invisible_characters_are_gone() {
        let nasty = "a\x1b]52;c;aGk=\x07b\u{9b}31mc\u{202e}d\u{200b}e\u{2066}f\nline\u{e0041}";
        assert_eq!(clean(nasty, 64), "a]52;c;aGk=b31mcdef line");
    }

    #[test]
    fn a_megabyte_is_cut_and_says_so_on_a_character_boundary() {
        let long = "é".repeat(1 << 19);
        let out = clean(&long, 101);
        assert_eq!(out.len(), 100 + 3);
        assert!(out.ends_with("..."));
    }
}
