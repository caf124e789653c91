//! The four forms of a panel in one shape, so that checks and the loader ask each thing once.

use toml::Spanned;

use super::raw::{Form, Key, RawPanel, Words};

/// A form as it is written.
pub(super) struct Written<'r> {
    /// Its key: `value`, `rate`, `ratio` or `quantile`.
    pub key: &'static str,
    /// Where its value begins.
    pub at: usize,
    /// The selector and its place.
    pub of: Option<(&'r str, usize)>,
    /// What a ratio is of.
    pub to: Option<&'r Spanned<String>>,
    /// Which quantile.
    pub q: Option<&'r Spanned<f64>>,
    /// Over how much time.
    pub over: Option<&'r Spanned<String>>,
    /// The labels that lines are told apart by.
    pub by: &'r Words,
}

impl<'r> Written<'r> {
    fn new(key: &'static str, at: usize, of: &'r Key<String>, by: &'r Words) -> Written<'r> {
        let of = of.as_ref().map(|of| (of.get_ref().as_str(), of.span().start));
        Written { key, at, of, to: None, q: None, over: None, by }
    }

    fn plain(key: &'static str, at: usize, of: &'r str) -> Written<'r> {
        Written { key, at, of: Some((of, at)), to: None, q: None, over: None, by: &None }
    }
}

/// The forms that a panel has; a right one has one at the most.
pub(super) fn written(panel: &RawPanel) -> Vec<Written<'_>> {
    let mut all = Vec::new();
    if let Some(value) = &panel.value {
        let at = value.span().start;
        all.push(match value.get_ref() {
            Form::Plain(of) => Written::plain("value", at, of),
            Form::Table(t) => Written::new("value", at, &t.of, &t.by),
        });
    }
    if let Some(rate) = &panel.rate {
        let at = rate.span().start;
        all.push(match rate.get_ref() {
            Form::Plain(of) => Written::plain("rate", at, of),
            Form::Table(t) => Written { over: t.over.as_ref(), ..Written::new("rate", at, &t.of, &t.by) },
        });
    }
    if let Some(ratio) = &panel.ratio {
        let at = ratio.span().start;
        all.push(match ratio.get_ref() {
            Form::Plain(of) => Written::plain("ratio", at, of),
            Form::Table(t) => Written { over: t.over.as_ref(), to: t.to.as_ref(), ..Written::new("ratio", at, &t.of, &t.by) },
        });
    }
    if let Some(quantile) = &panel.quantile {
        let t = quantile.get_ref();
        let form = Written::new("quantile", quantile.span().start, &t.of, &t.by);
        all.push(Written { over: t.over.as_ref(), q: t.q.as_ref(), ..form });
    }
    all
}
