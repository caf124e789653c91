//! What is wrong with a file that a person wrote, where, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// A place in a file. Line and column count from 1; the column counts characters, not bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// The whole line, without its end.
    pub text: String,
}

impl Place {
    /// The place of byte `offset` of `source`; past the end it is the last line.
    pub fn of(file: impl Into<PathBuf>, source: &str, offset: usize) -> Place {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source[..offset];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let end = source[start..].find('\n').map_or(source.len(), |i| start + i);
        Place {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: source[start..offset].chars().count() + 1,
            text: source[start..end].trim_end_matches('\r').to_owned(),
        }
    }
}

/// One thing wrong in a file: where, what, and a hint where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, as a sentence without its full stop.
    pub what: String,
    /// What to do about it, such as `did you mean "query"?`.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(place: Place, what: impl Into<String>) -> Problem {
        Problem { place, what: what.into(), hint: None }
    }

    /// The same problem with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// `file:line:column: what`, the line itself, a caret below the column, and the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column, text } = &self.place;
        let shown = super::text::clean(text, 200);
        writeln!(f, "{}:{line}:{column}: {}", file.display(), self.what)?;
        writeln!(f, "  | {shown}")?;
        write!(f, "  | {:>column$}", "^")?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  = hint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = "a = 1\nżółw = 2\n";
        let place = Place::of("e.toml", source, source.find('=').map(|_| source.find("= 2").unwrap()).unwrap());
        assert_eq!((place.line, place.column, place.text.as_str()), (2, 6, "żółw = 2"));
        assert_eq!(Place::of("e.toml", source, 999).line, 3);
    }

    #[test]
    fn a_problem_shows_its_line_and_hint() {
        let problem = Problem::new(Place::of("e.toml", "nmae = 1", 0), "unknown key `nmae`").hint("did you mean `name`?");
        assert_eq!(problem.to_string(), "e.toml:1:1: unknown key `nmae`\n  | nmae = 1\n  | ^\n  = hint: did you mean `name`?");
    }
}
