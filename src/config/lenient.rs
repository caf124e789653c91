//! Reads TOML into serde types and finds everything that does not fit, not only the first thing.
//!
//! A file that fits is parsed once. One that does not is parsed into a tree with places, and then read again and
//! again: each time what serde refuses is told and cut out of the tree, until the rest fits. The words of a
//! `did you mean` come from serde's own message, so they can never differ from what is accepted.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer, Error};

use super::report::{LIMIT, Report};
use crate::model::text::clean;

/// What of the report's text fits `T`, the rest told to the report. `None`: the text is not TOML at all.
pub(super) fn read<T: DeserializeOwned>(report: &mut Report<'_>) -> Option<T> {
    match toml::from_str(report.text) {
        Ok(all) => Some(all),
        Err(_) => mend(report),
    }
}

fn mend<T: DeserializeOwned>(report: &mut Report<'_>) -> Option<T> {
    let text = report.text;
    let (mut root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        syntax(report, &errors);
        return None;
    }
    for _ in 0..LIMIT {
        let error = match T::deserialize(Deserializer::from(root.clone())) {
            Ok(rest) => return Some(rest),
            Err(error) => error,
        };
        let cut = error.span().and_then(|span| cut_table(root.get_mut(), 0, &span));
        tell(report, &error, cut.as_ref());
        cut.as_ref()?;
    }
    report.at(text.len(), "there are more problems than these");
    None
}

/// One problem per line: what follows the first on the same line is mostly its echo.
fn syntax(report: &mut Report<'_>, errors: &[Error]) {
    let mut lines = Vec::new();
    for error in errors {
        let offset = error.span().map_or(report.text.len(), |span| span.start).min(report.text.len());
        let line = report.text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count();
        if !lines.contains(&line) && lines.len() < LIMIT {
            lines.push(line);
            report.at(offset, format!("this is not TOML: {}", error.message()));
        }
    }
}

/// What was cut out of the tree.
struct Cut {
    /// The first byte of the table that held it.
    table: usize,
    /// The key that it was, or was a part of.
    key: String,
    /// True where the key was refused, false where its value was.
    is_key: bool,
    /// True where the value was a date or a time without quotes, which serde calls a map.
    is_date: bool,
}

fn cut_table(table: &mut DeTable<'_>, start: usize, span: &Range<usize>) -> Option<Cut> {
    for (key, value) in table.iter_mut() {
        let inner = value.span().start;
        let found = match value.get_mut() {
            DeValue::Table(table) => cut_table(table, inner, span),
            DeValue::Array(array) => cut_array(array, key.get_ref(), start, span),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    let (key, is_key) = table.iter().find(|(k, v)| k.span() == *span || v.span() == *span).map(|(k, _)| (k.clone(), k.span() == *span))?;
    let value = table.remove(key.get_ref().as_ref() as &str);
    let is_date = !is_key && value.is_some_and(|value| matches!(value.get_ref(), DeValue::Datetime(_)));
    Some(Cut { table: start, key: key.into_inner().into_owned(), is_key, is_date })
}

fn cut_array(array: &mut DeArray<'_>, key: &str, table: usize, span: &Range<usize>) -> Option<Cut> {
    for value in array.iter_mut() {
        let inner = value.span().start;
        let found = match value.get_mut() {
            DeValue::Table(within) => cut_table(within, inner, span),
            DeValue::Array(within) => cut_array(within, key, table, span),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    let bad = array.iter().position(|value| value.span() == *span)?;
    let is_date = matches!(array.get(bad).map(|value| value.get_ref()), Some(DeValue::Datetime(_)));
    *array = std::mem::replace(array, DeArray::new()).into_iter().enumerate().filter(|(i, _)| *i != bad).map(|(_, value)| value).collect();
    Some(Cut { table, key: key.to_owned(), is_key: false, is_date })
}

fn tell(report: &mut Report<'_>, error: &Error, cut: Option<&Cut>) {
    let offset = error.span().map_or(0, |span| span.start);
    match cut {
        Some(cut) if cut.is_key => {
            let what = format!("unknown key `{}`", clean(&cut.key, 64));
            let known = expected(error.message());
            if let Some(meant) = super::report::nearest(&cut.key, known.iter().copied()) {
                report.lose(cut.table, meant);
            }
            if known.contains(&"http_config") && names_a_secret(&cut.key) {
                report.hint(offset, what, "secrets are references: put credentials into an http_config file");
            } else {
                report.choice(offset, what, &cut.key, &known);
            }
        }
        Some(cut) => {
            report.lose(cut.table, cut.key.clone());
            let message = if cut.is_date { error.message().replace("invalid type: map", DATE) } else { error.message().to_owned() };
            report.at(offset, format!("`{}`: {}", clean(&cut.key, 64), in_plain_words(&message)));
        }
        None => report.at(offset, in_plain_words(error.message())),
    }
}

/// What a date without quotes is, in the form of serde's own message.
const DATE: &str = "invalid type: a date without quotes";

fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["auth", "password", "token", "secret", "credential", "tls", "user", "header", "bearer"].iter().any(|word| key.contains(word))
}

/// The names of serde's "unknown field `x`, expected one of `a`, `b`". The last "expected" is serde's: the key,
/// which comes before, may hold any text.
fn expected(message: &str) -> Vec<&str> {
    let after = message.rfind(", expected ").map_or("", |at| &message[at..]);
    after.split('`').skip(1).step_by(2).collect()
}

/// Serde's "invalid type: sequence, expected a string" as people who write TOML say it.
fn in_plain_words(message: &str) -> String {
    let Some((found, wanted)) = message.strip_prefix("invalid type: ").and_then(|m| m.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let found = match found {
        "sequence" => "a list",
        "map" => "a table",
        other => other,
    };
    let wanted = match wanted {
        "a sequence" => "a list",
        "a map" => "a table",
        "i64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        other => other,
    };
    format!("{wanted} is needed, this is {found}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde::Deserialize;
    use toml::Spanned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "a table")]
    struct Row {
        name: Option<Spanned<String>>,
        words: Option<Vec<Spanned<String>>>,
        labels: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
        number: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        row: Vec<Spanned<Row>>,
    }

    fn problems(text: &str) -> (Option<File>, Vec<String>) {
        let mut report = Report::new(Path::new("f"), text);
        let file = read(&mut report);
        let short = |p: crate::model::problem::Problem| {
            format!("{}:{} {}{}", p.place.line, p.place.column, p.what, p.hint.map(|h| format!(" ({h})")).unwrap_or_default())
        };
        (file, report.finish().into_iter().map(short).collect())
    }

    #[test]
    fn everything_that_does_not_fit_is_told_and_the_rest_is_read() {
        let text = "[[row]]\nnmae = 'a'\nwords = ['a', 1, 'b', true]\nlabels = { a = 'x', b = 2 }\n[[row]]\nname = 3\nnumber = 1\nrows = []\n[rwo]\n";
        let (file, told) = problems(text);
        assert_eq!(
            told,
            [
                "2:1 unknown key `nmae` (did you mean `name`?)",
                "3:15 `words`: a string is needed, this is integer `1`",
                "3:23 `words`: a string is needed, this is boolean `true`",
                "4:25 `b`: a string is needed, this is integer `2`",
                "6:8 `name`: a string is needed, this is integer `3`",
                "8:1 unknown key `rows` (one of `name`, `words`, `labels` or `number`)",
                "9:2 unknown key `rwo` (did you mean `row`?)",
            ]
        );
        let rows = file.unwrap().row;
        let first = rows[0].get_ref();
        assert_eq!(first.words.as_ref().unwrap().len(), 2);
        assert_eq!(first.labels.as_ref().unwrap().len(), 1);
        assert_eq!(rows[1].get_ref().number, Some(1.0));
        assert!(first.name.is_none());
    }

    #[test]
    fn a_table_where_a_list_of_tables_is_needed_and_the_other_way_round() {
        assert_eq!(problems("[row]\nname = 'a'\n").1, ["1:1 `row`: a list is needed, this is a table"]);
        let date = "a string is needed, this is a date without quotes";
        assert_eq!(problems("[[row]]\nname = 2026-12-20\n").1, [format!("2:8 `name`: {date}")]);
        assert_eq!(problems("[[row]]\nwords = ['a', 2026-12-20T10:00:00Z]\n").1, [format!("2:15 `words`: {date}")]);
        assert_eq!(problems("row = [1, { name = 'a' }]").1, ["1:8 `row`: a table is needed, this is integer `1`"]);
        assert_eq!(problems("[[row]]\nlabels = []").1, ["2:10 `labels`: a table is needed, this is a list"]);
    }

    #[test]
    fn a_hostile_key_is_made_safe_and_does_not_fool_the_hint() {
        let (_, told) = problems("[[row]]\n\"\\u001b[2J`, expected `name`\" = 1");
        assert_eq!(told, ["2:1 unknown key `[2J`, expected `name`` (one of `name`, `words`, `labels` or `number`)"]);
    }

    #[test]
    fn errors_of_the_syntax_are_told_one_per_line() {
        let (file, told) = problems("[[row]]\nname = \nwords = [\n'a'\nnumber = = 2\n");
        assert!(file.is_none());
        assert!(told.len() > 1, "{told:?}");
        assert!(told[0].starts_with("2:8 this is not TOML: "), "{told:?}");
    }
}
