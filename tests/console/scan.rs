//! Reads all bytes that a terminal got, and finds what is not of the console's own painter: an escape sequence that it
//! never writes, a control character, and text that reorders or hides what stands beside it.

/// Sequences without numbers of their own: modes, clearing, the end of an open string.
const FIXED: [&str; 17] = [
    // Our own question for the colour of the ground.
    "\x1b]11;?\x1b\\",
    // The screen is cleared at the start of a frame and nowhere else.
    "\x1b[?2026h\x1b[2J",
    "\x1b[?25l",
    "\x1b[?25h",
    "\x1b[?2026h",
    "\x1b[?2026l",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[?2004h",
    "\x1b[?2004l",
    "\x1b[?1004h",
    "\x1b[?1004l",
    "\x1b[?1000l",
    "\x1b[?1002l",
    "\x1b[?1003l",
    "\x1b[?1006l",
    "\x1b\\",
];

/// Every place where something else stands: the byte's number and what follows there.
pub fn foreign(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\x1b' => FIXED.iter().find(|known| rest.starts_with(**known)).map(|known| known.len()).or_else(|| numbered(rest)),
            c if hidden(c) => None,
            c => Some(c.len_utf8()),
        };
        match taken {
            Some(taken) => rest = &rest[taken..],
            None => {
                found.push(format!("byte {}: {:?}", text.len() - rest.len(), rest.chars().take(24).collect::<String>()));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    found
}

/// A move to a line and column, or colours and attributes: the length of the sequence.
fn numbered(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\x1b[")?;
    let digits = body.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    let numbers: Option<Vec<u16>> = body[..digits].split(';').map(|number| number.parse().ok()).collect();
    let known = match (body[digits..].chars().next()?, numbers?.as_slice()) {
        ('H', [_, _]) => true,
        ('m', codes) => attributes(codes),
        _ => false,
    };
    known.then_some(2 + digits + 1)
}

/// The colours and attributes that the painter sets: never the short codes for colours, never blinking or hidden text.
fn attributes(mut codes: &[u16]) -> bool {
    while !codes.is_empty() {
        codes = match codes {
            [0 | 1 | 2 | 4 | 7 | 22 | 24 | 27 | 39 | 49 | 59, rest @ ..] => rest,
            [38 | 48, 5, 0..=255, rest @ ..] | [38 | 48, 2, 0..=255, 0..=255, 0..=255, rest @ ..] => rest,
            _ => return false,
        };
    }
    true
}

/// Written down here anew, and not asked of the code under test: controls, and what reorders or has no width.
fn hidden(c: char) -> bool {
    matches!(u32::from(c),
        0x00..=0x1f | 0x7f..=0x9f | 0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff
        | 0xfff9..=0xfffd | 0xe000..=0xf8ff | 0xe0000..=0xe0fff | 0xf0000..)
}
