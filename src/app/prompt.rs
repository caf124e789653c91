//! The line where a query in PromQL is typed: what was typed before, and how a name that is begun may go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::estate::SourceKind;
use crate::model::window::Names;

use super::chart;
use super::layer::Layer;
use super::state::State;

/// Bytes of a query.
pub const QUERY_CAP: usize = 4 * 1_024;
/// Queries that are kept.
pub const HISTORY_CAP: usize = 200;
/// Names that are offered at once.
pub const OFFERED: usize = 6;
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
    "histogram_avg",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_sum",
    "hour",
    "idelta",
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

/// What all prompts share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompting {
    /// What was typed before, the newest first; `None` before it was read.
    pub history: Option<Vec<String>>,
    /// Why it is not kept, where it is not.
    pub problem: Option<String>,
    /// The names of metrics, by source.
    pub names: BTreeMap<String, Known>,
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
        if let (Some(name), Some(word)) = (self.offered.first().cloned(), begun(&self.typed)) {
            self.typed.truncate(self.typed.len() - word.len());
            self.typed += &name;
            self.offered.rotate_left(1);
            self.taken = Some(self.typed.clone());
        }
    }

    /// Finds anew how what is typed may go on.
    pub fn offer(&mut self, known: Option<&Known>) {
        if self.taken.as_ref() == Some(&self.typed) {
            return;
        }
        self.taken = None;
        let none = Names::default();
        let names = if let Some(Known::Names(names)) = known { names } else { &none };
        self.offered = begun(&self.typed).map_or_else(Vec::new, |word| offers(word, &names.names));
    }
}

/// The name that is being typed at the end; `None` within quotes, matchers and ranges, where names of metrics are not.
fn begun(typed: &str) -> Option<&str> {
    let (mut quote, mut braces, mut brackets, mut escaped) = (None, 0u32, 0u32, false);
    for c in typed.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(open), '\\') if open != '`' => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{') => braces += 1,
            (None, '}') => braces = braces.saturating_sub(1),
            (None, '[') => brackets += 1,
            (None, ']') => brackets = brackets.saturating_sub(1),
            (None, _) => {}
        }
    }
    if quote.is_some() || braces > 0 || brackets > 0 {
        return None;
    }
    let start = typed
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .map_or(0, |at| at + typed[at..].chars().next().map_or(1, char::len_utf8));
    let word = &typed[start..];
    (!word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit())).then_some(word)
}

/// Names that begin like this, then those that have it elsewhere.
fn offers(word: &str, names: &[String]) -> Vec<String> {
    let words = WORDS.iter().copied().filter(|name| name.starts_with(word));
    let from = names.partition_point(|name| name.as_str() < word);
    let begin = names[from..].iter().map(String::as_str).take_while(|name| name.starts_with(word));
    let within = names.iter().map(String::as_str).filter(|name| !name.starts_with(word) && name.contains(word));
    let whole = names.binary_search_by(|name| name.as_str().cmp(word)).is_ok() || WORDS.binary_search(&word).is_ok();
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

    #[test]
    fn a_name_that_is_begun_is_found_and_what_is_none_is_not() {
        let found = ["up", "sum(rate(http_req", "a + b", "rate(x[5", "x{jo", "x{a=\"b", "x{a=\"}\"} + no", "5", "sum by (x) (", "日本up"]
            .map(begun);
        let wanted = [Some("up"), Some("http_req"), Some("b"), None, None, None, Some("no"), None, None, Some("up")];
        assert_eq!(found, wanted);
    }

    #[test]
    fn names_come_before_functions_and_the_first_is_taken() {
        let names = ["node_load1", "node_rate", "rate_total", "up"].map(str::to_owned).to_vec();
        let known = Known::Names(Arc::new(Names { names, more: false }));
        let mut prompt = Prompt { typed: "sum(rat".into(), ..Prompt::default() };
        prompt.offer(Some(&known));
        assert_eq!(prompt.offered, ["rate_total", "rate", "node_rate"]);
        prompt.take();
        assert_eq!(prompt.typed, "sum(rate_total");
        let mut typed = Vec::new();
        for _ in 0..3 {
            prompt.offer(Some(&known));
            prompt.take();
            typed.push(prompt.typed.clone());
        }
        assert_eq!(typed, ["sum(rate", "sum(node_rate", "sum(rate_total"], "again and again all of them");
        let mut prompt = Prompt { typed: "node_rate".into(), ..Prompt::default() };
        prompt.offer(Some(&known));
        assert!(prompt.offered.is_empty(), "it is whole, and there is no other");
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_name_that_is_whole_stays_and_only_a_second_press_takes_a_longer_one() {
        let names = ["node_load1", "node_load15", "node_load5"].map(str::to_owned).to_vec();
        let known = Known::Names(Arc::new(Names { names, more: false }));
        let mut prompt = Prompt { typed: "node_load1".into(), ..Prompt::default() };
        let mut typed = Vec::new();
        for _ in 0..3 {
            prompt.offer(Some(&known));
            prompt.take();
            typed.push(prompt.typed.clone());
        }
        assert_eq!(typed, ["node_load1", "node_load15", "node_load1"]);
        prompt.typed += " + no";
        prompt.offer(Some(&known));
        assert_eq!(prompt.offered, ["node_load1", "node_load15", "node_load5"], "a new word is completed anew");
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
