//! Selectors as Prometheus reads them.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The conditions as text: `a=b c!~d`.
fn conditions(selector: &Selector) -> String {
    let one = |m: &Matcher| match &m.test {
        Test::Equal(v) => format!("{}={v}", m.label),
        Test::NotEqual(v) => format!("{}!={v}", m.label),
        Test::Match(r) => format!("{}=~{r}", m.label),
        Test::NotMatch(r) => format!("{}!~{r}", m.label),
    };
    selector.matchers.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn all_forms_of_a_selector_are_read() {
    for (text, metric, wanted) in [
        ("up", "up", ""),
        (" node:cpu_seconds:rate5m ", "node:cpu_seconds:rate5m", ""),
        ("up{}", "up", ""),
        (r#"up{a="b",c!="d",e=~"f.*",g!~"h"}"#, "up", "a=b c!=d e=~^(?:f.*)$ g!~^(?:h)$"),
        (r#"up { a = "b" , }"#, "up", "a=b"),
        (r#"{"utf8.name", a="b"}"#, "utf8.name", "a=b"),
        (r#"{a="b", "utf8.name"}"#, "utf8.name", "a=b"),
        (r#"{"a.label"='b', __name__="x"}"#, "x", "a.label=b"),
        ("{__name__=`x`}", "x", ""),
        (r#"up{a="say \"hi\" 'x'\t\x41\101\u00e9\U0001F600\\"}"#, "up", "a=say \"hi\" 'x'\tAAé😀\\"),
        (r#"up{a='it\'s "x"'}"#, "up", "a=it's \"x\""),
        ("up{a=`raw\\n\"'`}", "up", "a=raw\\n\"'"),
        (r#"up{a="\xc3\xa9"}"#, "up", "a=é"),
    ] {
        let selector = parse(text);
        assert_eq!((selector.metric.as_str(), conditions(&selector).as_str()), (metric, wanted), "{text}");
        assert_eq!(selector.text, text.trim());
    }
}

#[test]
fn what_is_no_selector_is_told_with_what_was_expected() {
    for (text, wanted) in [
        ("", "a metric's name is missing, such as `up` or `up{job=\"web\"}`"),
        ("{}", "a metric's name is missing, such as `up` or `up{job=\"web\"}`"),
        (r#"{a="b"}"#, "a metric's name is missing, such as `up` or `up{job=\"web\"}`"),
        ("9up", "at character 1: a metric's name or `{` is expected, not `9`"),
        ("up down", "at character 4: nothing more is expected, not `d`"),
        ("up[5m]", "a range in `[]` is not written here: `over` says how far back"),
        ("rate(up[5m])", "this is a function: only a metric's name and matchers are written here"),
        ("up{", "at its end: a label's name or `}` is expected"),
        ("up{,}", "at character 4: a label's name or `}` is expected, not `,`"),
        ("up{a}", "at character 5: one of `=`, `!=`, `=~` and `!~` is expected, not `}`"),
        ("up{a!b}", "at character 6: one of `=`, `!=`, `=~` and `!~` is expected, not `b`"),
        ("up{a==\"b\"}", "at character 6: text in quotes is expected, not `=`"),
        ("up{a=b}", "at character 6: text in quotes is expected, not `b`"),
        ("up{a=\"b}", "text in quotes has no end"),
        ("up{a=\"b\\", "text in quotes has no end"),
        ("up{a=\"b\" c=\"d\"}", "at character 10: `,` or `}` is expected, not `c`"),
        ("up{a=\"b\nc\"}", "text in quotes goes over the end of the line: write \\n"),
        (r#"up{a="\d"}"#, "`\\d` is no escape; a backslash itself is `\\\\`"),
        (r#"up{a="\'"}"#, "`\\'` is no escape; a backslash itself is `\\\\`"),
        (r#"up{a="\x4"}"#, "an escape has too few digits"),
        (r#"up{a="\400"}"#, "an escape in octal is above \\377"),
        (r#"up{a="\ud800"}"#, "an escape stands for no character"),
        (r#"up{a="\xff"}"#, "the escapes in quotes make no UTF-8 text"),
        (r#"up{""="x"}"#, "a name between the braces is empty"),
        (r#"{""}"#, "a name between the braces is empty"),
        (r#"{__name__=""}"#, "the metric's name is empty"),
        (r#"{"a", "b"}"#, "the metric's name is given twice: `a` and `b`"),
        (r#"up{__name__="x"}"#, "the metric's name is given twice: `up` and `x`"),
        (r#"{__name__=~"x.*"}"#, "the metric's name must be given as it is: `__name__` takes `=` only"),
        (r#"up{a=~"("}"#, "`(` is no regular expression: unclosed group"),
        (r#"up{a=~"a)|(b"}"#, "`a)|(b` is no regular expression: unopened group"),
        (r#"up{a=~"(\\w{1000}){1000}"}"#, r"the regular expression `(\w{1000}){1000}` is too large"),
    ] {
        assert_eq!(Selector::parse(text).unwrap_err(), wanted, "{text}");
    }
}

#[test]
fn matchers_are_those_of_prometheus() {
    let labels = |code: &str| Labels::new([("code", code), ("job", "web")]);
    let fits = |text: &str, code: &str| parse(text).matches(&labels(code));
    assert!(fits(r#"x{code=~"5.."}"#, "503") && !fits(r#"x{code=~"5.."}"#, "5033"), "anchored at both ends");
    assert!(fits(r#"x{code=~"5..|404"}"#, "404") && !fits(r#"x{code=~"5..|404"}"#, "4041"));
    assert!(fits(r#"x{code!~"5.."}"#, "200") && !fits(r#"x{code!~"5.."}"#, "500"));
    assert!(fits(r#"x{code="200",job!="db"}"#, "200") && !fits(r#"x{code="200",job!="web"}"#, "200"));
    assert!(fits(r#"x{absent=""}"#, "200") && !fits(r#"x{absent!=""}"#, "200"), "what is not set is empty");
    assert!(fits(r#"x{absent=~".*"}"#, "200") && !fits(r#"x{absent=~".+"}"#, "200"));
}

/// A value in quotes of one of the three kinds.
fn quoted(value: &str, style: u8) -> String {
    let escaped = |quote: char| {
        let one = |c: char| match c {
            '\n' => "\\n".to_owned(),
            c if c == quote || c == '\\' => format!("\\{c}"),
            c => c.to_string(),
        };
        format!("{quote}{}{quote}", value.chars().map(one).collect::<String>())
    };
    match style % 3 {
        0 => escaped('"'),
        1 => escaped('\''),
        _ if value.contains('`') => escaped('"'),
        _ => format!("`{value}`"),
    }
}

proptest! {
    #[test]
    fn a_printed_selector_is_read_back(
        metric in "[a-z_:][a-z0-9_:]{0,8}|[a-z. é\"'\\\\\n]{1,8}",
        labels in proptest::collection::vec(("[a-z_][a-z0-9_]{0,6}|[a-z.é\"'\\\\\n-]{1,6}", "[\\PC\n]{0,6}", any::<bool>(), any::<u8>()), 0..4),
        space in "[ \n]{0,2}",
        comma in any::<bool>(),
    ) {
        let plain = |name: &str, more: &str| !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c));
        let mut parts: Vec<String> = Vec::new();
        let front = if plain(&metric, ":") { metric.clone() } else { parts.push(quoted(&metric, 0)); String::new() };
        for (name, value, equal, style) in &labels {
            let name = if plain(name, "") { name.clone() } else { quoted(name, *style) };
            parts.push(format!("{name}{space}{}{space}{}", if *equal { "=" } else { "!=" }, quoted(value, *style)));
        }
        let comma = if comma && !parts.is_empty() { "," } else { "" };
        let text = format!("{front}{space}{{{space}{}{comma}{space}}}", parts.join(&format!("{space},")));
        let read = Selector::parse(&text);
        prop_assert!(read.is_ok(), "{text}: {read:?}");
        let read = read.unwrap();
        prop_assert_eq!(&read.metric, &metric);
        prop_assert_eq!(read.matchers.len(), labels.len());
        for (matcher, (name, value, equal, _)) in read.matchers.iter().zip(&labels) {
            prop_assert_eq!(&matcher.label, name);
            let same = match &matcher.test {
                Test::Equal(v) => *equal && v == value,
                Test::NotEqual(v) => !*equal && v == value,
                Test::Match(_) | Test::NotMatch(_) => false,
            };
            prop_assert!(same, "{matcher:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_sentence(text in "[\\PC\n]{0,24}|[a-z{}=!~\"'`,\\\\x0-9 ]{0,24}") {
        match Selector::parse(&text) {
            Ok(selector) => prop_assert!(!selector.metric.is_empty()),
            Err(what) => prop_assert!(!what.is_empty()),
        }
    }
}
