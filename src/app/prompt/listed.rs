//! The lists of labels in PromQL, and which series their labels are of. Source: "Operators", Prometheus documentation:
//! "Vector matching keywords", "Group modifiers" and "Aggregation operators".

use super::begun::ending;

/// What stands before a list of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// `by` or `without`: after what is aggregated, or before it.
    Aggregated,
    /// `on` or `ignoring`: after the operator, whose left side is known.
    Matched,
    /// `group_left` or `group_right`: labels of the side that is one, of which nothing is typed yet or which is not told.
    Grouped,
}

/// A list of labels that is open at the end of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List {
    /// Where its parenthesis opens.
    pub open: usize,
    before: Before,
    /// Where the word before it begins.
    word: usize,
}

impl List {
    /// The list that opens there; `None` where that parenthesis opens something else.
    pub fn opened(typed: &str, open: usize) -> Option<List> {
        let text = typed[..open].trim_end();
        let word = ending(text, true);
        let before = match word.to_ascii_lowercase().as_str() {
            "by" | "without" => Before::Aggregated,
            "on" | "ignoring" => Before::Matched,
            "group_left" | "group_right" => Before::Grouped,
            _ => return None,
        };
        Some(List { open, before, word: text.len() - word.len() })
    }

    /// The series whose labels it is of: a selector; empty where that is not typed yet.
    pub fn of(&self, typed: &str) -> String {
        let text = typed[..self.word].trim_end();
        match self.before {
            Before::Aggregated => inside(text).and_then(first),
            Before::Matched => {
                let text = text.strip_suffix("bool").unwrap_or(text).trim_end();
                let set = ["and", "or", "unless", "atan2"].into_iter().find_map(|word| text.strip_suffix(word));
                let left = set.unwrap_or_else(|| text.trim_end_matches(['+', '-', '*', '/', '%', '^', '=', '!', '<', '>'])).trim_end();
                inside(left).map_or_else(|| last(left), first)
            }
            Before::Grouped => None,
        }
        .unwrap_or_default()
    }
}

/// What stands in the parentheses that a text ends with.
fn inside(text: &str) -> Option<&str> {
    text.strip_suffix(')')?;
    let mut open = Vec::new();
    for (at, c) in bare(text) {
        match c {
            '(' => open.push(at),
            ')' => {
                let from = open.pop()?;
                if at + 1 == text.len() {
                    return Some(&text[from + 1..at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// The letters that are in no quotes, with their places.
fn bare(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    text.char_indices().filter(move |(_, c)| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if *c == '\\' && open != '`' => escaped = true,
            Some(open) if open == *c => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(*c),
            None => return true,
        }
        false
    })
}

/// The selector at the end of a text.
fn last(text: &str) -> Option<String> {
    let all = selectors(text);
    all.last().filter(|(_, end)| *end == text.len()).map(|(found, _)| found.clone())
}

/// The first selector in a text.
fn first(text: &str) -> Option<String> {
    selectors(text).into_iter().next().map(|(found, _)| found)
}

/// The selectors of a text, and where each ends.
fn selectors(text: &str) -> Vec<(String, usize)> {
    /// Words that are no metric. Source: "Operators" and "Query examples".
    const WORDS: [&str; 17] = [
        "and",
        "atan2",
        "bool",
        "by",
        "end",
        "group_left",
        "group_right",
        "ignoring",
        "inf",
        "nan",
        "offset",
        "on",
        "or",
        "start",
        "unless",
        "without",
        "step",
    ];
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let letters: Vec<(usize, char)> = bare(text).collect();
    let (mut found, mut at, mut brackets) = (Vec::new(), 0, 0u32);
    while let Some((start, c)) = letters.get(at).copied() {
        match c {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ if brackets > 0 => {}
            c if is_part(c) || c == '{' => {
                while letters.get(at).is_some_and(|(_, c)| is_part(*c)) {
                    at += 1;
                }
                let end = letters.get(at).map_or(text.len(), |(at, _)| *at);
                let name = &text[start..end];
                let blank = letters[at..].iter().take_while(|(_, c)| c.is_whitespace()).count();
                let next = letters.get(at + blank).map(|(_, c)| *c);
                let rest = letters.get(at + blank).map_or("", |(at, _)| &text[*at..]);
                let word = rest.split(|c: char| !is_part(c)).next().unwrap_or_default();
                // What stands before a `by` is how it is aggregated.
                let aggregates = ["by", "without"].iter().any(|by| word.eq_ignore_ascii_case(by));
                if next == Some('(') {
                    // A function; or a list of labels, which are no selectors.
                    if List::opened(text, letters[at + blank].0).is_some() {
                        while letters.get(at).is_some_and(|(_, c)| *c != ')') {
                            at += 1;
                        }
                    }
                    continue;
                }
                let number = name.starts_with(|c: char| c.is_ascii_digit());
                if next == Some('{') && !number {
                    let Some(close) = letters[at..].iter().position(|(_, c)| *c == '}') else { break };
                    at += close;
                    let end = letters[at].0 + 1;
                    let braces = letters[at - close + blank].0;
                    found.push((format!("{name}{}", &text[braces..end]), end));
                } else {
                    if !name.is_empty() && !number && !aggregates && !WORDS.contains(&name.to_ascii_lowercase().as_str()) {
                        found.push((name.to_owned(), end));
                    }
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_found_and_functions_lists_ranges_and_numbers_are_none() {
        let all = |text: &str| selectors(text).into_iter().map(|(found, _)| found).collect::<Vec<_>>().join(" ");
        for (text, wanted) in [
            ("rate(a[5m])", "a"),
            ("sum by (job) (a / b{c=\"(}\"})", "a b{c=\"(}\"}"),
            ("a {x='1'} offset 5m", "a{x='1'}"),
            ("{__name__=\"x\"} + 0.5e3 * 1", "{__name__=\"x\"}"),
            ("a and on (b) group_left c", "a c"),
            ("a[5m:10s] @ start()", "a"),
            ("a{", ""),
            ("", ""),
        ] {
            assert_eq!(all(text), wanted, "{text}");
        }
    }
}
