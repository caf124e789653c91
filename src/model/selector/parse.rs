//! The grammar of a selector, after Prometheus' own lexer (`promql/parser/lex.go`) and its `strutil.Unquote`.

use std::str::Chars;

use super::{Matcher, Selector, Test};

/// Bytes that the compiled form of one regular expression may take: enough for any that a person writes.
const REGEX_SIZE: usize = 1 << 20;

/// The label that holds the metric's name.
const NAME: &str = "__name__";

pub(super) fn selector(text: &str) -> Result<Selector, String> {
    let mut reader = Reader { text, rest: text.chars() };
    reader.skip_space();
    let mut metric = reader.word(is_metric_char);
    let mut matchers = Vec::new();
    reader.skip_space();
    if reader.take('{') {
        reader.matchers(&mut metric, &mut matchers)?;
        reader.skip_space();
    }
    match reader.peek() {
        None => {}
        Some('[') => return Err("a range in `[]` is not written here: `over` says how far back".to_owned()),
        Some('(') => return Err("this is a function: only a metric's name and matchers are written here".to_owned()),
        Some(_) if metric.is_none() && matchers.is_empty() => return Err(reader.wanted("a metric's name or `{`")),
        Some(_) => return Err(reader.wanted("nothing more")),
    }
    let metric = metric.ok_or("a metric's name is missing, such as `up` or `up{job=\"web\"}`")?;
    Ok(Selector { text: text.trim().to_owned(), metric, matchers })
}

/// What of the text is not read yet.
struct Reader<'t> {
    text: &'t str,
    rest: Chars<'t>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.rest.next();
        }
        there
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.rest.next();
        }
    }

    /// `at character 5: a label's name is expected, not `=``
    fn wanted(&self, what: &str) -> String {
        let at = self.text.chars().count() - self.rest.clone().count() + 1;
        match self.peek() {
            Some(found) => format!("at character {at}: {what} is expected, not `{found}`"),
            None => format!("at its end: {what} is expected"),
        }
    }

    /// A word of these characters, the first of which is no digit.
    fn word(&mut self, part: fn(char) -> bool) -> Option<String> {
        if self.peek().is_none_or(|c| c.is_ascii_digit() || !part(c)) {
            return None;
        }
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| part(*c)) {
            word.push(c);
            self.rest.next();
        }
        Some(word)
    }

    /// All up to the closing brace; the opening one is read.
    fn matchers(&mut self, metric: &mut Option<String>, matchers: &mut Vec<Matcher>) -> Result<(), String> {
        loop {
            self.skip_space();
            if self.take('}') {
                return Ok(());
            }
            let quoted = matches!(self.peek(), Some('"' | '\'' | '`'));
            let label =
                if quoted { self.string()? } else { self.word(is_label_char).ok_or_else(|| self.wanted("a label's name or `}`"))? };
            if label.is_empty() {
                return Err("a name between the braces is empty".to_owned());
            }
            self.skip_space();
            if quoted && matches!(self.peek(), Some(',' | '}')) {
                name(metric, label)?;
            } else {
                self.condition(label, metric, matchers)?;
            }
            self.skip_space();
            if !self.take(',') {
                if self.take('}') {
                    return Ok(());
                }
                return Err(self.wanted("`,` or `}`"));
            }
        }
    }

    /// What follows a label's name.
    fn condition(&mut self, label: String, metric: &mut Option<String>, matchers: &mut Vec<Matcher>) -> Result<(), String> {
        let wanted = "one of `=`, `!=`, `=~` and `!~`";
        let (equal, regex) = match (self.take('='), self.take('!')) {
            (true, false) => (true, self.take('~')),
            (false, true) if self.take('=') => (false, false),
            (false, true) if self.take('~') => (false, true),
            _ => return Err(self.wanted(wanted)),
        };
        self.skip_space();
        if !matches!(self.peek(), Some('"' | '\'' | '`')) {
            return Err(self.wanted("text in quotes"));
        }
        let value = self.string()?;
        if label == NAME {
            return match (equal, regex) {
                (true, false) => name(metric, value),
                _ => Err("the metric's name must be given as it is: `__name__` takes `=` only".to_owned()),
            };
        }
        let test = match (equal, regex) {
            (true, false) => Test::Equal(value),
            (false, false) => Test::NotEqual(value),
            (true, true) => Test::Match(compile(&value)?),
            (false, true) => Test::NotMatch(compile(&value)?),
        };
        matchers.push(Matcher { label, test });
        Ok(())
    }

    /// Text in quotes, its escapes resolved; none are known between backticks.
    fn string(&mut self) -> Result<String, String> {
        let open = "text in quotes has no end";
        let quote = self.rest.next().ok_or(open)?;
        let mut bytes = Vec::new();
        loop {
            match self.rest.next().ok_or(open)? {
                c if c == quote => break,
                '\n' if quote != '`' => return Err("text in quotes goes over the end of the line: write \\n".to_owned()),
                '\\' if quote != '`' => self.escape(quote, &mut bytes)?,
                c => push(&mut bytes, c),
            }
        }
        String::from_utf8(bytes).map_err(|_| "the escapes in quotes make no UTF-8 text".to_owned())
    }

    fn escape(&mut self, quote: char, bytes: &mut Vec<u8>) -> Result<(), String> {
        match self.rest.next().ok_or("text in quotes has no end")? {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            c if c == quote => push(bytes, c),
            'x' => bytes.push(self.byte(0, 2, 16)?),
            'u' => push(bytes, self.code(4)?),
            'U' => push(bytes, self.code(8)?),
            c @ '0'..='7' => bytes.push(self.byte(c.to_digit(8).unwrap_or(0), 2, 8)?),
            c => return Err(format!("`\\{c}` is no escape; a backslash itself is `\\\\`")),
        }
        Ok(())
    }

    fn byte(&mut self, first: u32, digits: usize, radix: u32) -> Result<u8, String> {
        u8::try_from(self.number(first, digits, radix)?).map_err(|_| "an escape in octal is above \\377".to_owned())
    }

    fn code(&mut self, digits: usize) -> Result<char, String> {
        char::from_u32(self.number(0, digits, 16)?).ok_or_else(|| "an escape stands for no character".to_owned())
    }

    /// So many more digits.
    fn number(&mut self, first: u32, digits: usize, radix: u32) -> Result<u32, String> {
        (0..digits).try_fold(first, |number, _| {
            let digit = self.rest.next().and_then(|c| c.to_digit(radix)).ok_or("an escape has too few digits")?;
            Ok(number.wrapping_mul(radix).wrapping_add(digit))
        })
    }
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn name(metric: &mut Option<String>, name: String) -> Result<(), String> {
    match metric {
        Some(first) => Err(format!("the metric's name is given twice: `{first}` and `{name}`")),
        None if name.is_empty() => Err("the metric's name is empty".to_owned()),
        None => {
            *metric = Some(name);
            Ok(())
        }
    }
}

/// A regular expression that must fit the whole value.
fn compile(pattern: &str) -> Result<regex::Regex, String> {
    let build = |pattern: &str| regex::RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build();
    // Alone first: `a)|(b` is made right only by the brackets around it.
    build(pattern).and_then(|_| build(&format!("^(?:{pattern})$"))).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the regular expression `{pattern}` is too large"),
        error => {
            let last = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("`{pattern}` is no regular expression: {last}")
        }
    })
}

fn is_metric_char(c: char) -> bool {
    is_label_char(c) || c == ':'
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
