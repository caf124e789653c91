//! What is being typed at the end of a query: a name, or within braces a label or one of its values, or a label in the list of
//! a `by`, `without`, `on`, `ignoring`, `group_left` or `group_right`.

use super::listed::List;

/// What is begun at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun<'a> {
    /// The name of a metric, a function or an operator.
    Name(&'a str),
    /// The name of a label.
    Label {
        /// Which series it is a label of: a selector without what is begun; empty for all.
        of: String,
        /// What is typed of it, which may be nothing.
        word: &'a str,
    },
    /// A value of a label.
    Value {
        /// Which series, as of a label.
        of: String,
        /// The label.
        label: &'a str,
        /// What is typed of it, which may be nothing.
        word: &'a str,
        /// What it stands in.
        quote: char,
    },
}

impl<'a> Begun<'a> {
    /// What is typed of it.
    pub fn word(&self) -> &'a str {
        match self {
            Begun::Name(word) | Begun::Label { word, .. } | Begun::Value { word, .. } => word,
        }
    }
}

/// The braces that are open at the end.
struct Braces {
    /// Where they open.
    open: usize,
    /// Where the last matcher begins in them.
    last: usize,
}

/// What is begun at the end; `None` in ranges, in other quotes, and where no name can stand.
pub fn begun(typed: &str) -> Option<Begun<'_>> {
    let (mut quote, mut braces, mut brackets, mut escaped) = (None, None, 0u32, false);
    // Where each parenthesis that is open opens.
    let mut open_at: Vec<usize> = Vec::new();
    for (at, c) in typed.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some((open, _)), '\\') if open != '`' => escaped = true,
            (Some((open, _)), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some((c, at)),
            (None, '{') => braces = Some(Braces { open: at, last: at + 1 }),
            (None, '}') => braces = None,
            (None, ',') => braces = braces.map(|braces| Braces { last: at + 1, ..braces }),
            (None, '[') => brackets += 1,
            (None, ']') => brackets = brackets.saturating_sub(1),
            (None, '(') => open_at.push(at),
            (None, ')') => {
                open_at.pop();
            }
            (None, _) => {}
        }
    }
    match (quote, braces) {
        _ if brackets > 0 => None,
        (None, None) if let Some(list) = open_at.last().and_then(|open| List::opened(typed, *open)) => {
            let word = ending(typed, false);
            let last = typed[list.open..].rfind([',', '(']).map_or(list.open, |at| list.open + at) + 1;
            let alone = typed[last..].trim_start() == word;
            (alone && (word.is_empty() || starts_name(word))).then(|| Begun::Label { of: list.of(typed), word })
        }
        (None, None) => Some(ending(typed, true)).filter(|word| starts_name(word)).map(Begun::Name),
        (Some(_), None) => None,
        (None, Some(braces)) => {
            let word = ending(typed, false);
            let alone = typed[braces.last..].trim_start() == word;
            (alone && (word.is_empty() || starts_name(word))).then(|| Begun::Label { of: selector(typed, &braces), word })
        }
        (Some((quote, at)), Some(braces)) => {
            let matcher = typed[braces.last..at].trim();
            let label = matcher.trim_end_matches(['=', '!', '~']);
            let is_one_of = matches!(&matcher[label.len()..], "=~" | "!~");
            let label = label.trim_end();
            if !matches!(matcher[label.len()..].trim(), "=" | "!=" | "=~" | "!~") || !starts_name(label) || ending(label, false) != label {
                return None;
            }
            let typed_value = &typed[at + 1..];
            // An expression names one value after the other.
            let from = typed_value.rfind(['|', '(']).filter(|_| is_one_of).map_or(0, |at| at + 1);
            Some(Begun::Value { of: selector(typed, &braces), label, word: &typed_value[from..], quote })
        }
    }
}

/// The letters of a name at the end of a text.
pub(super) fn ending(text: &str, colons: bool) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    let start = text.rfind(|c: char| !is_part(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

fn starts_name(word: &str) -> bool {
    word.starts_with(|c: char| !c.is_ascii_digit())
}

/// The series that the braces are about, without the matcher that is begun.
fn selector(typed: &str, braces: &Braces) -> String {
    let metric = ending(typed[..braces.open].trim_end(), true);
    let matchers = typed[braces.open + 1..braces.last].trim().trim_end_matches(',').trim_end();
    if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{matchers}}}") }
}

/// A value as it stands within that quote; `None` where it cannot stand there.
pub fn quoted(value: &str, quote: char) -> Option<String> {
    if quote == '`' {
        return (!value.contains('`')).then(|| value.to_owned());
    }
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if c == '\\' || c == quote {
            text.push('\\');
        }
        text.push(c);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_is_begun_is_found_and_what_is_none_is_not() {
        let typed = ["up", "sum(rate(http_req", "a + b", "rate(x[5", "x{a=\"}\"} + no", "5", "sum by (x) (", "日本up", "\"up", ""];
        let found = typed.map(|typed| begun(typed).map(|begun| begun.word()));
        let wanted = [Some("up"), Some("http_req"), Some("b"), None, Some("no"), None, None, Some("up"), None, None];
        assert_eq!(found, wanted);
    }

    #[test]
    fn within_braces_labels_and_their_values_are_begun() {
        let told = |typed: &str| match begun(typed)? {
            Begun::Name(word) => Some(format!("name {word}")),
            Begun::Label { of, word } => Some(format!("label of {of}: {word}")),
            Begun::Value { of, label, word, quote } => Some(format!("{label} of {of} in {quote}: {word}")),
        };
        for (typed, wanted) in [
            ("up{", Some("label of up: ")),
            ("sum(rate(up{jo", Some("label of up: jo")),
            ("{", Some("label of : ")),
            ("up {job=\"node\", ", Some("label of up{job=\"node\"}: ")),
            ("up{job=\"a,b\",x!~'y',in", Some("label of up{job=\"a,b\",x!~'y'}: in")),
            ("up{job=", None),
            ("up{job", Some("label of up: job")),
            ("up{job ", None),
            ("up{job=\"", Some("job of up in \": ")),
            ("up{job=\"no", Some("job of up in \": no")),
            ("up{job != 'no", Some("job of up in ': no")),
            ("up{job=~\"node|pro", Some("job of up in \": pro")),
            ("up{job=\"node|pro", Some("job of up in \": node|pro")),
            ("up{job=\"a\",instance=`10.0", Some("instance of up{job=\"a\"} in `: 10.0")),
            ("up{job=\"no\"", None),
            ("up{job=\"a\\\"b", Some("job of up in \": a\\\"b")),
            ("up{\"job", None),
            ("up{job==\"x", None),
            ("up{5job=\"x", None),
            ("up{job=\"x\"}[5", None),
            ("a{b=\"c\"} / d{", Some("label of d: ")),
            ("sum by (", Some("label of : ")),
            ("sum by(jo", Some("label of : jo")),
            ("sum BY (job, in", Some("label of : in")),
            ("sum without (job ", None),
            ("sum(rate(up{job=\"a)\"}[5m])) by (in", Some("label of up{job=\"a)\"}: in")),
            ("sum(a / b) without (", Some("label of a: ")),
            ("topk(5, sum by (job) (rate(c[5m]))) by (", Some("label of c: ")),
            ("a{x=\"1\"} / on (", Some("label of a{x=\"1\"}: ")),
            ("up == bool ignoring(j", Some("label of up: j")),
            ("rate(a[5m]) and on (", Some("label of a: ")),
            ("rate(a[5m] offset 5m) unless ignoring (", Some("label of a: ")),
            ("a / on (x) group_left (y, ", Some("label of : ")),
            ("a / on (x) group_right(", Some("label of : ")),
            ("sum by (x) (jo", Some("name jo")),
            ("on (", Some("label of : ")),
            ("sum(", None),
            ("sum by (x) (", None),
            ("sum by (5", None),
        ] {
            assert_eq!(told(typed).as_deref(), wanted, "{typed}");
        }
    }

    #[test]
    fn a_value_is_escaped_for_its_quote() {
        let all = ['"', '\'', '`'].map(|quote| quoted("a\\b\"c`", quote));
        assert_eq!(all, [Some("a\\\\b\\\"c`".into()), Some("a\\\\b\"c`".into()), None]);
    }

    proptest! {
        #[test]
        fn what_is_begun_is_the_end_of_what_is_typed(typed in "[a-z0-9{}\\[\\]\"'`=!~|,( \\\\é]{0,24}") {
            if let Some(begun) = begun(&typed) {
                prop_assert!(typed.ends_with(begun.word()));
            }
        }
    }
}
