//! How a state is told without colours: its glyph, its word, and the token that a theme has a colour for.

use crate::model::alert::{Alert, AlertState};
use crate::model::deployment::Ending;
use crate::model::estate::Severity;
use crate::model::finding;
use crate::model::health::PanelView;
use crate::model::metric;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;

use super::silences;
use super::state::State;
use super::when;

/// The glyph that stands before the word of a severity. Ok has none: it is quiet.
pub fn glyph(severity: Severity) -> char {
    match severity {
        Severity::Critical => 'X',
        Severity::Warning => '!',
        Severity::Unknown => '?',
        Severity::Info => 'i',
        Severity::Ok => ' ',
    }
}

/// The token of a severity.
pub fn token(severity: Severity) -> Token {
    match severity {
        Severity::Critical => Token::Critical,
        Severity::Warning => Token::Warning,
        Severity::Unknown => Token::Unknown,
        Severity::Info => Token::Text,
        Severity::Ok => Token::Dim,
    }
}

/// A state cell: glyph and word, `X critical`; of values that are not fresh `[critical] ?`.
pub fn state(severity: Severity, stale: bool) -> (String, Token) {
    if stale && severity != Severity::Unknown {
        return (format!("[{}] ?", severity.word()), Token::Unknown);
    }
    (format!("{} {}", glyph(severity), severity.word()), token(severity))
}

/// The state cell of a source.
pub fn freshness(freshness: Freshness) -> (String, Token) {
    let (glyph, token) = match freshness {
        Freshness::Fresh => (' ', Token::Dim),
        Freshness::Stale | Freshness::Never => ('?', Token::Unknown),
        Freshness::Unreachable | Freshness::Refused => ('!', Token::Warning),
    };
    (format!("{glyph} {}", freshness.word()), token)
}

/// How a deployment ended: its glyph, a space where it needs none, its word and its token.
pub fn ending(result: Option<Ending>) -> (char, &'static str, Token) {
    match result {
        Some(Ending::Succeeded) => (' ', "ok", Token::Text),
        Some(Ending::Failed) => ('X', "failed", Token::Critical),
        None => ('?', "unknown", Token::Unknown),
    }
}

/// The glyph and token of an alert: a muted one is `~` whatever its severity.
pub fn alert(alert: &Alert) -> (char, Token) {
    if alert.state.is_quiet() { ('~', Token::Muted) } else { (glyph(alert.severity), token(alert.severity)) }
}

/// True where the source that told of the alert is not fresh. What is found of a source's own state is live.
pub fn is_stale(state: &State, alert: &Alert) -> bool {
    if finding::tells_of_source(alert) {
        return false;
    }
    let place = state.estate.sources.iter().position(|s| *s.name == *alert.source);
    let reading = place.and_then(|p| state.shown_readings().get(p));
    reading.is_none_or(|r| r.freshness(state.now) != Freshness::Fresh)
}

/// The state cell of an alert: the word, or `[word] ?` where its source is not fresh.
pub fn state_cell(state: &State, alert: &Alert) -> (String, Token) {
    // Who looks after it, and since when, is more than that it is muted.
    let acked = silences::ack_of(state, &alert.silenced_by).filter(|_| alert.state == AlertState::Silenced);
    let word = acked.map_or_else(|| alert.state.word().to_owned(), |acked| format!("acked {}", when::ago(state, acked.at)));
    if is_stale(state, alert) {
        return (format!("[{word}] ?"), Token::Unknown);
    }
    let token = if alert.state.is_quiet() { Token::Muted } else { Token::Text };
    (word, token)
}

/// The labels of a panel's only series, for people.
pub fn only_series(view: &PanelView) -> Option<String> {
    let [one] = view.answer?.now.as_slice() else { return None };
    let labels: Vec<String> = one.labels.iter().filter(|(n, _)| *n != "__name__").map(|(n, v)| format!("{n}={v}")).collect();
    (!labels.is_empty()).then(|| labels.join(" "))
}

/// The newest value with what it means: `2.1% X critical`, or `[2.1%] ? 7m` where it is not fresh.
pub fn value(state: &State, view: &PanelView) -> (String, Token) {
    let severity = view.severity();
    match (view.value(), view.freshness) {
        _ if view.answer.is_some_and(|a| a.error.is_some()) => ("? query failed".into(), Token::Unknown),
        (None, Freshness::Fresh) => ("? no data".into(), Token::Unknown),
        (None, freshness) => (format!("? {}", freshness.word()), Token::Unknown),
        (Some(value), Freshness::Fresh) => {
            let shown = metric::show_at(value, view.panel.unit, state.now);
            let judged = view.panel.is_limited();
            match severity {
                Severity::Ok if judged => (format!("{shown} ok"), Token::Text),
                Severity::Ok => (shown, Token::Text),
                severity => (format!("{shown} {} {}", glyph(severity), severity.word()), token(severity)),
            }
        }
        (Some(value), _) => {
            let age = view.as_of.map_or(String::new(), |at| format!(" {}", when::ago(state, at)));
            (format!("[{}] ?{age}", metric::show_at(value, view.panel.unit, state.now)), Token::Unknown)
        }
    }
}
