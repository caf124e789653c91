//! Label sets: what tells one alert or series from another.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::text::{LABEL_CAP, NOTE_CAP, clean};

/// A sorted set of labels. Cheap to clone. Names and values are already cleaned for showing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Builds a set from pairs, cleaning and capping each; the last of two equal names wins.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels {
        Interner::default().labels(pairs)
    }

    /// The value of a label, or `None` where it is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|(n, _)| (**n).cmp(name)).ok().map(|i| &*self.0[i].1)
    }

    /// The pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (&**n, &**v))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set without that label.
    #[must_use]
    pub fn without(&self, name: &str) -> Labels {
        if self.get(name).is_none() { self.clone() } else { Labels(self.0.iter().filter(|(n, _)| **n != *name).cloned().collect()) }
    }

    /// True where `other` has every label of this set with the same value. The empty set covers all.
    pub fn covers(&self, other: &Labels) -> bool {
        self.iter().all(|(name, value)| other.get(name) == Some(value))
    }

    /// `name="value", ...` without `__name__`, or the metric's name where that is all there is.
    pub fn short(&self) -> String {
        let rest: Vec<String> = self.iter().filter(|(n, _)| *n != "__name__").map(|(n, v)| format!("{n}={v}")).collect();
        match (rest.is_empty(), self.get("__name__")) {
            (true, Some(name)) => name.to_owned(),
            _ => rest.join(" "),
        }
    }
}

/// Shares equal strings while one answer is decoded: ten thousand alerts repeat a few hundred values.
#[derive(Debug, Default)]
pub struct Interner(HashSet<Arc<str>>);

impl Interner {
    /// The one shared copy of this text, cleaned and capped to [`LABEL_CAP`].
    pub fn share(&mut self, text: &str) -> Arc<str> {
        self.share_capped(text, LABEL_CAP)
    }

    fn share_capped(&mut self, text: &str, cap: usize) -> Arc<str> {
        let text = clean(text, cap);
        if let Some(known) = self.0.get(&*text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }

    /// A label set of shared strings; the last of two equal names wins.
    pub fn labels<N: AsRef<str>, V: AsRef<str>>(&mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Labels {
        self.pairs(pairs, LABEL_CAP)
    }

    /// The same for annotations, whose values are prose: capped to [`NOTE_CAP`].
    pub fn annotations<N: AsRef<str>, V: AsRef<str>>(&mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Labels {
        self.pairs(pairs, NOTE_CAP)
    }

    fn pairs<N: AsRef<str>, V: AsRef<str>>(&mut self, pairs: impl IntoIterator<Item = (N, V)>, cap: usize) -> Labels {
        let mut all: Vec<_> = pairs.into_iter().map(|(n, v)| (self.share(n.as_ref()), self.share_capped(v.as_ref(), cap))).collect();
        all.reverse();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|b, a| a.0 == b.0);
        Labels(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_cleaned_and_found_by_name() {
        let labels = Labels::new([("job", "web"), ("alertname", "Down\x1b[31m"), ("job", "api")]);
        assert_eq!(labels.get("job"), Some("api"));
        assert_eq!(labels.get("alertname"), Some("Down[31m"));
        assert_eq!(labels.len(), 2);
        assert_eq!(labels.iter().map(|(n, _)| n).collect::<Vec<_>>(), ["alertname", "job"]);
    }

    #[test]
    fn a_selector_covers_what_has_all_its_labels() {
        let alert = Labels::new([("job", "web"), ("site", "fra1")]);
        assert!(Labels::new([("job", "web")]).covers(&alert));
        assert!(!Labels::new([("job", "web"), ("site", "ams3")]).covers(&alert));
        assert!(Labels::default().covers(&alert));
    }

    #[test]
    fn equal_strings_are_stored_once() {
        let mut interner = Interner::default();
        let a = interner.share("web");
        let b = interner.share("web");
        assert!(Arc::ptr_eq(&a, &b));
    }
}
