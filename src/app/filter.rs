//! The filter line: words, PromQL-style matchers, `field:regex`, `age<2h`, and `!` before any of them.

mod plan;

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use regex::{Regex, RegexBuilder};

use crate::model::age;

use super::subject::Subject;

pub use plan::Plan;

/// Bytes that a compiled expression may take: typed text must not eat the console's memory.
const REGEX_SIZE: usize = 1 << 20;
/// Bytes that a filter may have.
pub const FILTER_CAP: usize = 1_000;

/// Places of one expression in one text that are told.
const FOUND: usize = 50;

/// A parsed filter. The empty one lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// As it was typed.
    pub text: String,
    terms: Vec<Term>,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.text == other.text
    }
}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Word { text: String, regex: Regex },
    Equal { label: String, value: String },
    Match { label: String, regex: Regex },
    Field { field: String, regex: Regex },
    Age { than: SignedDuration, compare: Compare },
    Time { than: Timestamp, compare: Compare },
}

#[derive(Debug, Clone, Copy)]
enum Compare {
    Less,
    LessEqual,
    More,
    MoreEqual,
}

impl Filter {
    /// Reads a filter. Terms stand apart by spaces and must all match; double quotes hold spaces together, and `\"` and
    /// `\\` stand for themselves within them. `Err` says what is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.len() > FILTER_CAP {
            return Err(format!("the filter is too long: at most {FILTER_CAP} bytes"));
        }
        let mut terms = Vec::new();
        for token in tokens(text)? {
            terms.extend(term(&token)?);
        }
        Ok(Filter { text: text.to_owned(), terms })
    }

    /// The filter that leaves what has this label with this value.
    pub fn label(label: &str, value: &str) -> Filter {
        let test = Test::Equal { label: label.to_owned(), value: value.to_owned() };
        Filter { text: format!("{label}={}", quoted(value)), terms: vec![Term { negated: false, test }] }
    }

    /// True where the row passes.
    pub fn matches(&self, subject: &dyn Subject, now: Timestamp) -> bool {
        self.terms.iter().all(|term| term.test.holds(subject, now) != term.negated)
    }

    /// Where in a text the words and the expressions on `field` stand, in bytes, from left to right and apart from each
    /// other. What must not be there stands nowhere.
    pub fn found(&self, field: &str, text: &str) -> Vec<Range<usize>> {
        let wanted = self.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.test {
            Test::Word { regex, .. } => Some(regex),
            Test::Field { field: of, regex } if of == field => Some(regex),
            _ => None,
        });
        let mut all: Vec<Range<usize>> = wanted
            .flat_map(|regex| regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).take(FOUND))
            .collect();
        all.sort_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(all.len());
        for range in all {
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => apart.push(range),
            }
        }
        apart
    }

    /// True where nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True where passing time alone changes what matches.
    pub fn has_age(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Age { .. }))
    }

    /// The same with matchers on labels that `known` does not know taken as the text that was typed: a line says
    /// `id=12`, and has no label of that name. `Err` is the first such name whose matcher asks for an expression.
    pub fn words_for(mut self, known: impl Fn(&str) -> bool) -> Result<Filter, String> {
        for term in &mut self.terms {
            match &term.test {
                Test::Equal { label, value } if !known(label) => {
                    let text = format!("{label}={value}");
                    let regex = compile(&regex::escape(&text), true)?;
                    term.test = Test::Word { text, regex };
                }
                Test::Match { label, .. } if !known(label) => return Err(label.clone()),
                _ => {}
            }
        }
        Ok(self)
    }

    /// The first field that it asks for and that `known` does not know.
    pub fn unknown_field(&self, known: impl Fn(&str) -> bool) -> Option<&str> {
        self.terms.iter().find_map(|term| match &term.test {
            Test::Field { field, .. } if !known(field) => Some(field.as_str()),
            _ => None,
        })
    }
}

/// The value as a filter takes it, whatever it holds.
pub fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Test {
    fn holds(&self, subject: &dyn Subject, now: Timestamp) -> bool {
        match self {
            Test::Word { regex, .. } => subject.any_text(&mut |text| regex.is_match(text)),
            // As in PromQL a label that is not set is the empty text.
            Test::Equal { label, value } => subject.label(label).unwrap_or_default() == value,
            Test::Match { label, regex } => regex.is_match(subject.label(label).unwrap_or_default()),
            Test::Field { field, regex } => subject.field(field).is_some_and(|text| regex.is_match(&text)),
            Test::Age { than, compare } => subject.age(now).is_some_and(|age| compare.holds(age, *than)),
            Test::Time { than, compare } => subject.moment().is_some_and(|at| compare.holds(at, *than)),
        }
    }
}

impl Compare {
    fn holds<T: PartialOrd>(self, one: T, than: T) -> bool {
        match self {
            Compare::Less => one < than,
            Compare::LessEqual => one <= than,
            Compare::More => one > than,
            Compare::MoreEqual => one >= than,
        }
    }
}

/// A character, and whether it stood in quotes: there it is never an operator.
type Glyph = (char, bool);

fn tokens(text: &str) -> Result<Vec<Vec<Glyph>>, String> {
    let (mut all, mut token, mut within) = (Vec::new(), None::<Vec<Glyph>>, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                within = !within;
                token.get_or_insert_with(Vec::new);
            }
            c if c.is_whitespace() && !within => all.extend(token.take()),
            '\\' if within && matches!(chars.peek(), Some('"' | '\\')) => {
                token.get_or_insert_with(Vec::new).extend(chars.next().map(|escaped| (escaped, true)));
            }
            c => token.get_or_insert_with(Vec::new).push((c, within)),
        }
    }
    if within {
        return Err("a quote is not closed: add a \" at its end".into());
    }
    all.extend(token);
    Ok(all)
}

fn term(token: &[Glyph]) -> Result<Option<Term>, String> {
    let (mut rest, mut negated) = (token, false);
    while let [('!', false), after @ ..] = rest {
        (rest, negated) = (after, !negated);
    }
    if rest.is_empty() {
        // `""` is a word without letters: it is in every row.
        return if token.is_empty() { Ok(None) } else { Err("`!` needs a term after it, such as !web".into()) };
    }
    let bare = |i: usize| rest.get(i).filter(|(_, quoted)| !quoted).map(|(c, _)| *c);
    let operator = (0..rest.len()).find(|i| match bare(*i) {
        Some('=' | ':' | '<' | '>') => true,
        Some('!') => matches!(bare(i + 1), Some('=' | '~')),
        _ => false,
    });
    let text = |part: &[Glyph]| part.iter().map(|(c, _)| *c).collect::<String>();
    let Some(at) = operator else {
        let text = text(rest);
        let regex = compile(&regex::escape(&text), true)?;
        return Ok(Some(Term { negated, test: Test::Word { text, regex } }));
    };
    let left = text(&rest[..at]);
    let right = |len: usize| text(&rest[at + len..]);
    let (flip, test) = match (bare(at), bare(at + 1)) {
        (Some(':'), _) => (false, field(left, &right(1))?),
        (Some('='), Some('~')) => (false, matching(left, &right(2))?),
        (Some('!'), Some('~')) => (true, matching(left, &right(2))?),
        (Some('!'), _) => (true, Test::Equal { label: label(left)?, value: right(2) }),
        (Some('<'), Some('=')) => (false, older(&left, Compare::LessEqual, &right(2))?),
        (Some('>'), Some('=')) => (false, older(&left, Compare::MoreEqual, &right(2))?),
        (Some('<'), _) => (false, older(&left, Compare::Less, &right(1))?),
        (Some('>'), _) => (false, older(&left, Compare::More, &right(1))?),
        _ => (false, Test::Equal { label: label(left)?, value: right(1) }),
    };
    Ok(Some(Term { negated: negated != flip, test }))
}

fn label(name: String) -> Result<String, String> {
    if name.is_empty() {
        Err("a matcher needs a label before it, such as job=\"web\"; put a plain word in quotes".into())
    } else {
        Ok(name)
    }
}

fn matching(name: String, pattern: &str) -> Result<Test, String> {
    let label = label(name)?;
    compile(pattern, false)?; // alone first: `a)(b` is an expression only between our parentheses
    // Prometheus anchors its matchers in just this way.
    Ok(Test::Match { label, regex: compile(&format!("^(?s:{pattern})$"), false)? })
}

fn field(name: String, pattern: &str) -> Result<Test, String> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.starts_with(|c: char| !c.is_ascii_digit());
    if !fits {
        return Err(no_field(&name, &["name", "state", "severity", "source", "service", "summary", "any label"]));
    }
    if pattern.is_empty() {
        return Err(format!("`{name}:` needs an expression after it, such as {name}:web"));
    }
    Ok(Test::Field { field: name, regex: compile(pattern, true)? })
}

/// The sentence for a field that there is not.
pub fn no_field(name: &str, fields: &[&str]) -> String {
    format!("`{name}` is no field: there are {}; to find it as text put it in quotes", fields.join(", "))
}

fn older(left: &str, compare: Compare, right: &str) -> Result<Test, String> {
    if left == "time" {
        return Ok(Test::Time { than: moment(right)?, compare });
    }
    if left != "age" {
        return Err(format!("only age and time can be compared, such as age<2h; put `{left}` in quotes to find it as text"));
    }
    Ok(Test::Age { than: age::parse(right)?, compare })
}

/// A time as it is typed, in UTC: `2026-11-12`, `2026-11-12T13:44` or with seconds. `Err` is the sentence that says so.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let date = || text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0));
    let at = if text.contains(['T', ' ']) { text.parse::<jiff::civil::DateTime>() } else { date() };
    let zoned = at.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    zoned.map(|at| at.timestamp()).map_err(|_| format!("`{text}` is no time: write it in UTC, such as time>2026-11-12T13:44"))
}

fn compile(pattern: &str, any_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).nest_limit(50).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => "this expression is too large: write a shorter one".to_owned(),
            error => {
                // The crate draws a picture over several lines; the last says what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("`{pattern}` is no regular expression: {last}")
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alert::tests::alert;
    use crate::model::alert::{Alert, AlertState};
    use proptest::prelude::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs)
    }

    fn subject() -> std::sync::Arc<Alert> {
        alert(&[("alertname", "NodeDown"), ("job", "web server"), ("severity", "critical"), ("path", r"C:\x")], AlertState::Firing, 0)
    }

    fn passes(text: &str) -> bool {
        Filter::parse(text).unwrap().matches(&*subject(), at(3_600))
    }

    #[test]
    fn what_is_found_in_a_text_is_told_from_left_to_right_and_once() {
        let found = |filter: &str, text: &str| {
            let all = Filter::parse(filter).unwrap().found("text", text);
            all.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("order", "Order 12 of an ORDER"), ["Order", "ORDER"]);
        assert_eq!(found("text:o.d rder !paid level:paid", "an order paid"), ["order"], "overlapping ones are one");
        assert_eq!(found("text:x*", "aaa"), Vec::<String>::new(), "nothing is no place");
        assert_eq!(found("żó", "aŻÓłć"), ["ŻÓ"]);
    }

    #[test]
    fn every_kind_of_term_matches_and_is_negated() {
        for (yes, no) in [
            ("nodedown", "gone"),
            ("\"web server\"", "\"web  server\""),
            ("job=\"web server\"", "job=web"),
            ("job!=web", "job!=\"web server\""),
            ("job=~\"web.*\"", "job=~web"),
            ("job!~web", "job!~\"web.*\""),
            ("cluster=\"\"", "cluster!=\"\""),
            ("name:^nodeD", "name:^down"),
            ("job:SERVER", "job:^server"),
            ("state:firing", "state:pending"),
            ("age>=1h", "age>1h"),
            ("age<=60m", "age<60m"),
            ("path=\"C:\\\\x\"", "path=\"C:\\\\y\""),
        ] {
            assert!(passes(yes) && !passes(no), "{yes} / {no}");
            assert!(passes(&format!("!{no}")), "!{no}");
        }
        assert!(passes("") && passes("  ") && passes("\"\""));
        assert!(passes("!!node"));
        assert!(passes("state:firing severity:crit") && !passes("state:firing severity:warn"), "all terms must match");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (bad, says) in [
            ("\"web", "not closed"),
            ("job=~\"(\"", "unclosed group"),
            ("job=~a)(b", "unopened group"),
            ("age<2x", "is not a duration"),
            ("age>", "is not a duration"),
            ("size>3", "only age"),
            ("10.0.0.1:9100", "there are name, state"),
            ("state:", "needs an expression"),
            ("=web", "needs a label"),
            ("!", "needs a term"),
            ("name:(a{1000}){1000}", "too large"),
        ] {
            let told = Filter::parse(bad).unwrap_err();
            assert!(told.contains(says), "{bad}: {told}");
        }
        let filter = Filter::parse("state:x sevrity:y").unwrap();
        assert_eq!(filter.unknown_field(|f| f == "state"), Some("sevrity"));
    }

    #[test]
    fn a_label_filter_reads_back_as_itself() {
        for value in ["NodeDown", "a \"b\" c", r"back\", "", "a:b=c"] {
            let made = Filter::label("alertname", value);
            let read = Filter::parse(&made.text).unwrap();
            let subject = alert(&[("alertname", value)], AlertState::Firing, 0);
            assert!(made.matches(&*subject, at(0)) && read.matches(&*subject, at(0)), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error_with_text(text in ".{0,60}") {
            match Filter::parse(&text) {
                Ok(filter) => { filter.matches(&*subject(), at(5)); prop_assert_eq!(filter.text, text); }
                Err(told) => prop_assert!(!told.is_empty()),
            }
        }

        #[test]
        fn odd_operators_never_panic(text in "[!=~:<>\"\\\\a-c age0-9h ()*]{0,24}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.matches(&*subject(), at(5));
            }
        }

        #[test]
        fn a_negated_term_is_the_complement(
            term in "([a-z]{1,5}|job(=|!=|=~|!~)\"(web)?( server)?\"|(name|job|none):[a-z]{1,3}|age(<|<=|>|>=)[0-9]{1,4}(s|m|h))", secs in 0i64..20_000,
        ) {
            let (plain, negated) = (Filter::parse(&term).unwrap(), Filter::parse(&format!("!{term}")).unwrap());
            prop_assert_ne!(plain.matches(&*subject(), at(secs)), negated.matches(&*subject(), at(secs)));
        }
    }
}
