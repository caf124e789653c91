//! Keys as people write them in a keymap: `j`, `G`, `ctrl-r`, `alt-x`, `f5`, `space`, `esc`.

use std::fmt;
use std::str::FromStr;

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character as typed: `G`, not shift and `g`.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, 1 to 24.
    F(u8),
}

const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("backtab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
];

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

impl Key {
    /// The key alone.
    pub fn plain(code: Code) -> Key {
        Key { code, ctrl: false, alt: false }
    }

    /// A character alone.
    pub fn char(c: char) -> Key {
        Key::plain(Code::Char(c))
    }
}

/// One key, or two that are pressed one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// The key, or the first of two.
    pub first: Key,
    /// The second one.
    pub then: Option<Key>,
}

impl From<Key> for Chord {
    fn from(first: Key) -> Chord {
        Chord { first, then: None }
    }
}

impl FromStr for Chord {
    type Err = String;

    /// Keys as keymaps write them: `j`, or `, a`.
    fn from_str(text: &str) -> Result<Chord, String> {
        match text.split_once(' ') {
            Some((first, then)) => Ok(Chord { first: first.parse()?, then: Some(then.parse()?) }),
            None => Ok(Chord::from(text.parse::<Key>()?)),
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.then {
            Some(then) => write!(f, "{} {then}", self.first),
            None => self.first.fmt(f),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let (mut key, mut rest) = (Key::char(' '), text);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                (key.ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty()) {
                (key.alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => Code::Char(c),
            _ => NAMES
                .iter()
                .find(|(name, _)| *name == rest)
                .map(|(_, code)| *code)
                .or_else(|| rest.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=24).contains(n)).map(Code::F))
                .ok_or_else(|| format!("`{text}` is no key: write a character, ctrl-x, alt-x, f1 to f24, or one of {}", names()))?,
        };
        if key.ctrl && matches!(key.code, Code::Char(c) if c.is_uppercase()) {
            return Err(format!("`{text}`: terminals do not tell ctrl with shift apart; write it in lower case"));
        }
        Ok(key)
    }
}

fn names() -> String {
    NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            Code::F(n) => write!(f, "f{n}"),
            code => match (NAMES.iter().find(|(_, named)| *named == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, Code::Char(c)) => write!(f, "{c}"),
                (None, _) => Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_key_is_refused() {
        for bad in ["", "ctrl-", "hyper-x", "f0", "f25", "ctrl-G", "ab", " ", "\x1b"] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?} was taken");
        }
        assert_eq!("-".parse::<Key>(), Ok(Key::char('-')));
        assert_eq!("ctrl--".parse::<Key>().map(|k| (k.ctrl, k.code)), Ok((true, Code::Char('-'))));
    }

    proptest! {
        #[test]
        fn a_key_reads_as_it_is_written(c in "[!-~]", ctrl: bool, alt: bool, f in 1u8..=24) {
            let c = c.chars().next().unwrap();
            let c = if ctrl { c.to_ascii_lowercase() } else { c };
            for code in [Code::Char(c), Code::F(f), Code::PageUp, Code::Char(' ')] {
                let key = Key { code, ctrl, alt };
                prop_assert_eq!(key.to_string().parse::<Key>(), Ok(key));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            let _ = text.parse::<Key>();
        }
    }
}
