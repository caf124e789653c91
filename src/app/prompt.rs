//! The line where a query in PromQL is typed: what was typed before, and how a name, a label or a value that is begun may
//! go on.

mod begun;
mod listed;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::estate::SourceKind;
use crate::model::window::Names;

use super::chart;
use super::layer::Layer;
use super::state::State;
use begun::quoted;
pub use begun::{Begun, begun};

/// Bytes of a query.
pub const QUERY_CAP: usize = 4 * 1_024;
/// Queries that are kept.
pub const HISTORY_CAP: usize = 200;
/// Names that are offered at once.
pub const OFFERED: usize = 6;
/// Lists of labels and values that are kept at once.
const WORDS_CAP: usize = 16;
/// The name of the panel that a typed query is.
pub const TYPED: &str = "typed query";

/// What PromQL has of its own. Source: "Query functions" and "Operators", Prometheus documentation, 3.x.
const WORDS: &[&str] = &[
    "abs",
    "absent",
    "absent_over_time",
    "avg",
    "avg_over_time",
    "bottomk",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "count",
    "count_over_time",
    "count_values",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "delta",
    "deriv",
    "exp",
    "floor",
    "group",
    "group_left",
    "group_right",
    "histogram_avg",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_sum",
    "hour",
    "idelta",
    "ignoring",
    "increase",
    "irate",
    "label_join",
    "label_replace",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max",
    "max_over_time",
    "min",
    "min_over_time",
    "minute",
    "month",
    "offset",
    "predict_linear",
    "present_over_time",
    "quantile",
    "quantile_over_time",
    "rate",
    "resets",
    "round",
    "scalar",
    "sgn",
    "sort",
    "sort_desc",
    "sqrt",
    "stddev",
    "stddev_over_time",
    "stdvar",
    "sum",
    "sum_over_time",
    "time",
    "timestamp",
    "topk",
    "unless",
    "vector",
    "without",
    "year",
];

/// What is known of the names of one source.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// They were asked for.
    Asked,
    /// They are these.
    Names(Arc<Names>),
    /// They are not known, and why.
    Failed(String),
}

/// Which labels, or which values of a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WordsOf {
    /// The Prometheus, by name.
    pub source: String,
    /// The series: a selector; empty for all.
    pub series: String,
    /// The label whose values are meant; `None` for the names of the labels.
    pub label: Option<String>,
}

impl WordsOf {
    /// What has to be known to go on with this; `None` for names of metrics.
    pub fn begun(source: &str, begun: &Begun<'_>) -> Option<WordsOf> {
        let (series, label) = match begun {
            Begun::Name(_) => return None,
            Begun::Label { of, .. } => (of, None),
            Begun::Value { of, label, .. } => (of, Some((*label).to_owned())),
        };
        Some(WordsOf { source: source.to_owned(), series: series.clone(), label })
    }
}

/// What all prompts share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompting {
    /// What was typed before, the newest first; `None` before it was read.
    pub history: Option<Vec<String>>,
    /// Why it is not kept, where it is not.
    pub problem: Option<String>,
    /// The names of metrics, by source.
    pub names: BTreeMap<String, Known>,
    /// Labels and values, as long as the prompt is open.
    pub words: BTreeMap<WordsOf, Known>,
}

impl Prompting {
    /// What is known of what is begun there.
    pub fn known(&self, source: &str, begun: &Begun<'_>) -> Option<&Known> {
        match WordsOf::begun(source, begun) {
            Some(of) => self.words.get(&of),
            None => self.names.get(source),
        }
    }

    /// Forgets labels and values: they may be others by now.
    pub fn forget(&mut self) {
        self.words.retain(|_, known| *known == Known::Asked);
    }

    /// True once, where these are not known and not asked for.
    pub fn asks(&mut self, of: &WordsOf) -> bool {
        if self.words.contains_key(of) {
            return false;
        }
        if self.words.len() >= WORDS_CAP {
            self.forget();
        }
        let asks = self.words.len() < WORDS_CAP;
        if asks {
            self.words.insert(of.clone(), Known::Asked);
        }
        asks
    }
}

/// The open prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// What is typed.
    pub typed: String,
    /// The Prometheus that is asked, by name; empty where there is none.
    pub source: String,
    /// Which of the earlier ones is shown, from the newest.
    pub past: Option<usize>,
    /// What was typed before one looked at earlier ones.
    pub draft: String,
    /// How the name that is begun may go on: what is taken next comes first.
    pub offered: Vec<String>,
    /// What is typed since an offer was taken: as long as it stands, the next one can be taken in its place.
    pub taken: Option<String>,
}

/// The names of all sources that answer PromQL.
pub fn sources(state: &State) -> Vec<&str> {
    let all = state.estate.sources.iter().filter(|source| matches!(source.kind, SourceKind::Prometheus { .. }));
    all.map(|source| source.name.as_str()).collect()
}

impl Prompt {
    /// The prompt over what is shown: on a chart its query, to change it.
    pub fn open(state: &State) -> Prompt {
        let shown = match state.layers.last() {
            Some(Layer::Chart { panel, .. }) => chart::panel(state, panel),
            _ => None,
        };
        let all = sources(state);
        let of = shown.filter(|panel| all.contains(&panel.source.as_str()));
        let source = of.map(|panel| panel.source.clone()).or_else(|| all.first().map(|name| (*name).to_owned()));
        let typed = of.map_or_else(String::new, |panel| panel.ask.to_string());
        Prompt { typed, source: source.unwrap_or_default(), ..Prompt::default() }
    }

    /// Another Prometheus.
    pub fn next_source(&mut self, all: &[&str]) {
        let at = all.iter().position(|name| *name == self.source).map_or(0, |at| at + 1);
        if let Some(name) = all.get(at % all.len().max(1)) {
            self.source = (*name).to_owned();
        }
    }

    /// An earlier or a later one of what was typed before.
    pub fn walk(&mut self, history: &[String], earlier: bool) {
        let next = match (self.past, earlier) {
            (None, true) => Some(0),
            (None, false) => return,
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
        if next.is_some_and(|at| at >= history.len()) {
            return;
        }
        if self.past.is_none() {
            self.draft = std::mem::take(&mut self.typed);
        }
        self.past = next;
        self.typed = next.and_then(|at| history.get(at).cloned()).unwrap_or_else(|| self.draft.clone());
    }

    /// Takes the first name that is offered; taken again, the next one in its place. A name that is whole is taken as it
    /// is first: no longer one replaces it unasked.
    pub fn take(&mut self) {
        let word = begun(&self.typed).map(|begun| begun.word().len());
        if let (Some(name), Some(word)) = (self.offered.first().cloned(), word) {
            self.typed.truncate(self.typed.len() - word);
            self.typed += &name;
            self.offered.rotate_left(1);
            self.taken = Some(self.typed.clone());
        }
    }

    /// Finds anew how what is typed may go on.
    pub fn offer(&mut self, prompting: &Prompting) {
        if self.taken.as_ref() == Some(&self.typed) {
            return;
        }
        self.taken = None;
        let none = Names::default();
        self.offered = begun(&self.typed).map_or_else(Vec::new, |begun| {
            let names = if let Some(Known::Names(names)) = prompting.known(&self.source, &begun) { names } else { &none };
            match begun {
                Begun::Name(word) => offers(word, &names.names, WORDS),
                Begun::Label { word, .. } => offers(word, &names.names, &[]),
                Begun::Value { word, quote, .. } => values(word, &names.names, quote),
            }
        });
    }
}

/// Values that begin like this, then those that have it elsewhere, as they stand within that quote.
fn values(word: &str, values: &[String], quote: char) -> Vec<String> {
    let all = || values.iter().filter_map(|value| quoted(value, quote)).filter(|value| !value.is_empty());
    let begin = all().filter(|value| value.starts_with(word));
    let within = all().filter(|value| !value.starts_with(word) && value.contains(word));
    let mut found: Vec<String> = begin.chain(within).take(OFFERED).collect();
    // As it is first, like a name that is whole.
    if found.len() == 1 && found[0] == word {
        found.clear();
    }
    found
}

/// Names that begin like this, then those that have it elsewhere.
fn offers(word: &str, names: &[String], words: &[&str]) -> Vec<String> {
    let is_word = words.binary_search(&word).is_ok();
    let words = words.iter().copied().filter(|name| name.starts_with(word));
    let from = names.partition_point(|name| name.as_str() < word);
    let begin = names[from..].iter().map(String::as_str).take_while(|name| name.starts_with(word));
    let within = names.iter().map(String::as_str).filter(|name| !name.starts_with(word) && name.contains(word));
    let whole = names.binary_search_by(|name| name.as_str().cmp(word)).is_ok() || is_word;
    let others = begin.chain(words).chain(within).filter(|name| *name != word);
    let mut all: Vec<String> = others.take(OFFERED).map(str::to_owned).collect();
    if whole && !all.is_empty() {
        all.insert(0, word.to_owned());
        all.truncate(OFFERED);
    }
    all
}

/// Puts a query first, and takes it away where it stood.
pub fn remember(history: &mut Vec<String>, query: &str) {
    history.retain(|old| old != query);
    history.insert(0, query.to_owned());
    history.truncate(HISTORY_CAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Known {
        Known::Names(Arc::new(Names { names: names.iter().map(|name| (*name).to_owned()).collect(), more: false }))
    }

    fn knows(names: Vec<String>) -> Prompting {
        let names = Known::Names(Arc::new(Names { names, more: false }));
        Prompting { names: BTreeMap::from([(String::new(), names)]), ..Prompting::default() }
    }

    #[test]
    fn names_come_before_functions_and_the_first_is_taken() {
        let names = ["node_load1", "node_rate", "rate_total", "up"].map(str::to_owned).to_vec();
        let known = knows(names);
        let mut prompt = Prompt { typed: "sum(rat".into(), ..Prompt::default() };
        prompt.offer(&known);
        assert_eq!(prompt.offered, ["rate_total", "rate", "node_rate"]);
        prompt.take();
        assert_eq!(prompt.typed, "sum(rate_total");
        let mut typed = Vec::new();
        for _ in 0..3 {
            prompt.offer(&known);
            prompt.take();
            typed.push(prompt.typed.clone());
        }
        assert_eq!(typed, ["sum(rate", "sum(node_rate", "sum(rate_total"], "again and again all of them");
        let mut prompt = Prompt { typed: "node_rate".into(), ..Prompt::default() };
        prompt.offer(&known);
        assert!(prompt.offered.is_empty(), "it is whole, and there is no other");
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_name_that_is_whole_stays_and_only_a_second_press_takes_a_longer_one() {
        let names = ["node_load1", "node_load15", "node_load5"].map(str::to_owned).to_vec();
        let known = knows(names);
        let mut prompt = Prompt { typed: "node_load1".into(), ..Prompt::default() };
        let mut typed = Vec::new();
        for _ in 0..3 {
            prompt.offer(&known);
            prompt.take();
            typed.push(prompt.typed.clone());
        }
        assert_eq!(typed, ["node_load1", "node_load15", "node_load1"]);
        prompt.typed += " + no";
        prompt.offer(&known);
        assert_eq!(prompt.offered, ["node_load1", "node_load15", "node_load5"], "a new word is completed anew");
    }

    #[test]
    fn labels_and_values_are_offered_within_braces_and_of_these_series_alone() {
        let of =
            |series: &str, label: Option<&str>| WordsOf { source: "prom".into(), series: series.into(), label: label.map(str::to_owned) };
        let words = BTreeMap::from([
            (of("up", None), named(&["instance", "job"])),
            (of("up", Some("job")), named(&["", "a\"b", "node", "prometheus"])),
            (of("up{job=\"node\"}", Some("instance")), named(&["10.0.0.1:9100"])),
        ]);
        let prompting = Prompting { words, ..Prompting::default() };
        let mut prompt = Prompt { source: "prom".into(), ..Prompt::default() };
        let mut offered = |typed: &str| {
            prompt.typed = typed.into();
            prompt.offer(&prompting);
            prompt.offered.clone()
        };
        assert_eq!(offered("up{"), ["instance", "job"], "without a letter of it, and no function of PromQL");
        assert_eq!(offered("up{j"), ["job"]);
        assert_eq!(offered("up{job=\"no"), ["node"]);
        assert_eq!(offered("up{job=\""), ["a\\\"b", "node", "prometheus"]);
        assert_eq!(offered("up{job='a"), ["a\"b", "node"].map(str::to_owned)[..1]);
        assert_eq!(offered("up{job=~\"node|ro"), ["prometheus"], "what has it within");
        assert_eq!(offered("up{job=\"node\""), [""; 0]);
        assert_eq!(offered("other{job=\""), [""; 0], "nothing is known of those");
        assert_eq!(offered("up{job=\"node\",instance=\"10"), ["10.0.0.1:9100"]);
        prompt.take();
        assert_eq!(prompt.typed, "up{job=\"node\",instance=\"10.0.0.1:9100");
        // Asked once, and not without an end.
        let mut prompting = Prompting::default();
        assert!(prompting.asks(&of("up", None)) && !prompting.asks(&of("up", None)));
        let asked = (0..100).filter(|n| prompting.asks(&of(&n.to_string(), None))).count();
        assert_eq!(asked, WORDS_CAP - 1);
        assert_eq!(prompting.words.len(), WORDS_CAP, "none of them was answered");
        prompting.words.values_mut().for_each(|known| *known = named(&[]));
        assert!(prompting.asks(&of("new", None)));
        assert_eq!(prompting.words.len(), 1);
    }

    #[test]
    fn earlier_ones_come_back_and_what_was_typed_too() {
        let mut history = Vec::new();
        for query in ["a", "b", "a"] {
            remember(&mut history, query);
        }
        assert_eq!(history, ["a", "b"]);
        let mut prompt = Prompt { typed: "half".into(), ..Prompt::default() };
        let mut walked = Vec::new();
        for earlier in [false, true, true, true, false, false, false] {
            prompt.walk(&history, earlier);
            walked.push(prompt.typed.clone());
        }
        assert_eq!(walked, ["half", "a", "b", "b", "a", "half", "half"]);
        (0..500).for_each(|n| remember(&mut history, &n.to_string()));
        assert_eq!(history.len(), HISTORY_CAP);
        let mut prompt = Prompt { source: "b".into(), ..Prompt::default() };
        prompt.next_source(&["a", "b"]);
        assert_eq!(prompt.source, "a");
    }
}
