//! Which series are meant: a metric's name and matchers, written as in PromQL: `http_requests_total{code=~"5.."}`.

mod parse;
#[cfg(test)]
mod tests;

use super::label::Labels;

/// A metric's name with matchers. Two are equal that are written alike.
#[derive(Debug, Clone)]
pub struct Selector {
    /// As it is written.
    pub text: String,
    /// The metric's name.
    pub metric: String,
    /// All must hold.
    pub matchers: Vec<Matcher>,
}

/// One condition on a label. As in PromQL a label that is not set is the empty text, and a regular expression is
/// anchored at both ends.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label's name.
    pub label: String,
    /// What it must be.
    pub test: Test,
}

/// What a label must be.
#[derive(Debug, Clone)]
pub enum Test {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Match(regex::Regex),
    /// `!~`
    NotMatch(regex::Regex),
}

impl PartialEq for Selector {
    fn eq(&self, other: &Selector) -> bool {
        self.text == other.text
    }
}

impl Selector {
    /// Reads an instant vector selector of PromQL: `name`, `name{a="b",c!="d",e=~"f.*",g!~"h"}`, `{"utf8.name", a="b"}`,
    /// `{__name__="x"}`. It names one metric; ranges, offsets and functions are no part of it.
    ///
    /// # Errors
    /// What was expected and what is there instead, as a sentence.
    pub fn parse(text: &str) -> Result<Selector, String> {
        parse::selector(text)
    }

    /// True where the labels pass every matcher; the metric's name is not asked.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = labels.get(&matcher.label).unwrap_or_default();
            match &matcher.test {
                Test::Equal(wanted) => value == wanted,
                Test::NotEqual(wanted) => value != wanted,
                Test::Match(regex) => regex.is_match(value),
                Test::NotMatch(regex) => !regex.is_match(value),
            }
        })
    }
}
