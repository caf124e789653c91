//! Which alerts a silence mutes, as Alertmanager itself judges it: all matchers hold, a regular expression is anchored at
//! both ends, a label that is not set is the empty text (`pkg/labels/matcher.go`, `types.Matchers`).

use regex::RegexBuilder;

use super::SilenceMatcher;
use crate::model::label::Labels;
use crate::model::selector::Test;
use crate::model::text::{LABEL_CAP, is_hostile};

/// Bytes that the compiled form of one regular expression may take: enough for any that a person writes.
const REGEX_SIZE: usize = 1 << 20;

impl SilenceMatcher {
    /// That the label has this very value.
    pub fn equal(name: &str, value: &str) -> SilenceMatcher {
        SilenceMatcher { name: name.to_owned(), value: value.to_owned(), is_regex: false, is_equal: true }
    }

    /// Reads `alertname="X"`, `severity=~"warning|info"`, `site!="b"`, `job!~"test.*"`; the quotes may be left out.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<SilenceMatcher, String> {
        let text = text.trim();
        let wrong = || format!("`{text}` is not a matcher: write a label, one of = != =~ !~ and a value, such as alertname=\"DiskFull\"");
        let at = text.find(['=', '!']).ok_or_else(wrong)?;
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let (is_equal, is_regex, value) = match rest.as_bytes() {
            [b'=', b'~', ..] => (true, true, &rest[2..]),
            [b'!', b'~', ..] => (false, true, &rest[2..]),
            [b'!', b'=', ..] => (false, false, &rest[2..]),
            [b'=', ..] => (true, false, &rest[1..]),
            _ => return Err(wrong()),
        };
        let value = value.trim();
        let value = match value.starts_with('"') {
            true => serde_json::from_str::<String>(value)
                .map_err(|_| format!("`{text}`: the value is not a text in quotes; in them \\ is written \\\\"))?,
            false => value.to_owned(),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        if [name, &value].iter().any(|part| part.len() > LABEL_CAP || part.chars().any(is_hostile)) {
            return Err(format!(
                "the matcher of {} is too long or holds characters that cannot be shown",
                name.chars().filter(|c| !is_hostile(*c)).take(40).collect::<String>()
            ));
        }
        let matcher = SilenceMatcher { name: name.to_owned(), value, is_regex, is_equal };
        test(&matcher)?;
        Ok(matcher)
    }
}

/// Matchers, ready to be asked.
#[derive(Debug, Clone)]
pub struct Muting(Vec<(String, Test)>);

impl Muting {
    /// Of these matchers.
    ///
    /// # Errors
    /// Where a regular expression cannot be read.
    pub fn of(matchers: &[SilenceMatcher]) -> Result<Muting, String> {
        matchers.iter().map(|matcher| Ok((matcher.name.clone(), test(matcher)?))).collect::<Result<_, String>>().map(Muting)
    }

    /// True where all hold for these labels.
    pub fn mutes(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(name, test)| holds(test, labels.get(name).unwrap_or_default()))
    }

    /// True where no matcher tells anything from nothing: Alertmanager refuses such a silence.
    pub fn is_void(&self) -> bool {
        self.0.iter().all(|(_, test)| holds(test, ""))
    }
}

fn test(matcher: &SilenceMatcher) -> Result<Test, String> {
    let value = &matcher.value;
    if !matcher.is_regex {
        return Ok(if matcher.is_equal { Test::Equal(value.clone()) } else { Test::NotEqual(value.clone()) });
    }
    // Compiled alone first: `a)|(b` would break out of the group.
    let compiled = |text: &str| RegexBuilder::new(text).size_limit(REGEX_SIZE).build();
    let regex = compiled(value).and_then(|_| compiled(&format!("^(?:{value})$")));
    let regex = regex.map_err(|_| format!("{matcher}: the regular expression cannot be read"))?;
    Ok(if matcher.is_equal { Test::Match(regex) } else { Test::NotMatch(regex) })
}

fn holds(test: &Test, value: &str) -> bool {
    match test {
        Test::Equal(wanted) => value == wanted,
        Test::NotEqual(wanted) => value != wanted,
        Test::Match(regex) => regex.is_match(value),
        Test::NotMatch(regex) => !regex.is_match(value),
    }
}

/// True where both have the same matchers, in whatever order.
pub fn same(one: &[SilenceMatcher], other: &[SilenceMatcher]) -> bool {
    let all_in = |these: &[SilenceMatcher], those: &[SilenceMatcher]| these.iter().all(|matcher| those.contains(matcher));
    all_in(one, other) && all_in(other, one)
}

/// True of what can be an id of Alertmanager's: a UUID (RFC 9562), and nothing that means more in an address.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The fingerprint that Prometheus and Alertmanager give these labels: FNV-1a over the sorted names and values, the byte 255
/// after each (`prometheus/common`, `model/fnv.go` and `labelset.go`). Labels that were changed when they were cleaned give
/// another one than the alert has.
pub fn fingerprint(labels: &Labels) -> String {
    let (offset, prime) = (0xcbf2_9ce4_8422_2325_u64, 0x0000_0100_0000_01b3_u64);
    let bytes = labels.iter().flat_map(|(name, value)| name.bytes().chain([255]).chain(value.bytes()).chain([255]));
    format!("{:016x}", bytes.fold(offset, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(prime)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Vec<SilenceMatcher> {
        texts.iter().map(|text| SilenceMatcher::parse(text).unwrap()).collect()
    }

    fn mutes(texts: &[&str], labels: &[(&str, &str)]) -> bool {
        Muting::of(&of(texts)).unwrap().mutes(&Labels::new(labels.iter().copied()))
    }

    #[test]
    fn a_regular_expression_is_anchored_and_cannot_break_out() {
        assert!(mutes(&["job=~web|db"], &[("job", "db")]));
        assert!(!mutes(&["job=~web|db"], &[("job", "db2")]), "anchored at both ends, over all branches");
        assert!(!mutes(&["job=~\"we\""], &[("job", "web")]));
        assert!(SilenceMatcher::parse("job=~\"a)|(b\"").is_err());
        assert!(SilenceMatcher::parse("job=~\"(\"").unwrap_err().contains("regular expression"));
    }

    #[test]
    fn a_label_that_is_not_set_is_the_empty_text() {
        assert!(mutes(&["site!=b"], &[("job", "x")]));
        assert!(mutes(&["site=~\".*\""], &[]));
        assert!(!mutes(&["site=~\".+\""], &[]));
        assert!(mutes(&["site=\"\""], &[("job", "x")]));
        let void = |texts: &[&str]| Muting::of(&of(texts)).unwrap().is_void();
        assert!(void(&["site=~\".*\"", "job!=web"]) && void(&[]));
        assert!(!void(&["site=~\".*\"", "job=web"]));
    }

    #[test]
    fn a_matcher_is_read_as_amtool_and_promql_write_it() {
        assert_eq!(of(&["alertname = \"A \\\"b\\\" \\\\d\""])[0], SilenceMatcher::equal("alertname", "A \"b\" \\d"));
        assert_eq!(of(&["job!~test=.*"])[0].to_string(), "job!~\"test=.*\"");
        for wrong in ["", "job", "=x", "a b=c", "job!x", "job=\"x", "a=\"\\u001b[2J\"", "a=\u{202e}b"] {
            assert!(SilenceMatcher::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn matchers_are_the_same_in_any_order() {
        assert!(same(&of(&["a=1", "b=2"]), &of(&["b=2", "a=1"])));
        assert!(!same(&of(&["a=1"]), &of(&["a=1", "b=2"])));
        assert!(!same(&of(&["a=1"]), &of(&["a=~1"])));
    }

    #[test]
    fn the_fingerprint_is_that_of_a_real_alertmanager() {
        // What Alertmanager 0.25 answered.
        assert_eq!(fingerprint(&Labels::new([("alertname", "A"), ("path", "x")])), "cadcb17d073804c0");
        assert_ne!(fingerprint(&Labels::new([("a", "bc")])), fingerprint(&Labels::new([("ab", "c")])), "where one ends counts");
    }

    #[test]
    fn an_id_is_nothing_that_means_more_in_an_address() {
        assert!(is_id("2b614108-3973-457e-994b-50e6c3c79695"));
        assert!(!is_id("") && !is_id("../alerts") && !is_id("a?b") && !is_id(&"x".repeat(65)));
    }
}
