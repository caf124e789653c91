//! Makes text that others wrote safe to show: no control, escape, bidi or invisible characters, and an end to it.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

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

/// Marks on one letter that are kept: what languages use has fewer, and terminals choke on hundreds in one cell.
const MARKS: u8 = 4;

/// True where so many marks stand before it on one letter that this one is one too many.
fn is_heaped(c: char, marks: &mut u8) -> bool {
    // Below them all characters have a width; this is asked of every character that comes in.
    if c < '\u{300}' || c.width() != Some(0) {
        *marks = 0;
        return false;
    }
    *marks = marks.saturating_add(1);
    *marks > MARKS
}

/// The text on one line, at most `cap` bytes of it: line breaks and tabs become a space, every other hostile
/// character and each further mark on a letter that has four is dropped, and a cut is marked with `...`. Borrows when there is nothing to change.
pub fn clean(text: &str, cap: usize) -> Cow<'_, str> {
    let mut marks = 0;
    if text.len() <= cap && !text.chars().any(|c| is_hostile(c) || is_heaped(c, &mut marks)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(cap) + 3);
    let mut cut = false;
    marks = 0;
    for c in text.chars() {
        let c = match c {
            '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_hostile(c) || is_heaped(c, &mut marks) => continue,
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
    fn a_letter_carries_four_marks_at_the_most_and_those_of_languages_stay() {
        let heap = format!("DiskFull e{} on g{}", "\u{301}".repeat(500), "\u{335}\u{200b}\u{302}".repeat(500));
        assert_eq!(clean(&heap, 4_096), "DiskFull e\u{301}\u{301}\u{301}\u{301} on g\u{335}\u{302}\u{335}\u{302}");
        for text in ["Tiếng Việt e\u{302}\u{301}", "ที่นี่", "क्षत्रिय", "שָׁלוֹם", "한글 \u{1112}\u{1161}\u{11ab}"]
        {
            assert!(matches!(clean(text, 64), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a_megabyte_is_cut_and_says_so_on_a_character_boundary() {
        let long = "é".repeat(1 << 19);
        let out = clean(&long, 101);
        assert_eq!(out.len(), 100 + 3);
        assert!(out.ends_with("..."));
    }
}
