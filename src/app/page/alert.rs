//! One alert, whole: also after it ended.

use std::sync::Arc;

use crate::app::mark::{self, is_stale, state_cell};
use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::alert::{Alert, Origin};
use crate::model::finding;
use crate::model::needs::suspect_of;
use crate::model::preferences::Token;
use crate::model::source::{AlertmanagerAnswer, Answer};

use super::{Page, Row};

/// What is known of the alert now; of one that ended, what was known last.
pub fn lines(state: &State, last: &Arc<Alert>, mut page: Page) -> Vec<Row> {
    let current = state.shown().alerts.iter().find(|a| a.id == last.id);
    let alert = current.unwrap_or(last);
    let answer = answer(state, &alert.source);
    let (glyph, token) = mark::alert(alert);
    page.text(&alert.summary(), Token::Text);
    page.head("STATE");
    if current.is_none() {
        page.text("This alert has ended. Below is what was last seen of it.", Token::Unknown);
    }
    page.field("severity", &format!("{glyph} {}", alert.severity.word()), token);
    let (word, token) = state_cell(state, alert);
    page.field("state", &word, token);
    page.field("since", &when::both(state, alert.starts_at), Token::Text);
    let is_finding = alert.origin == Origin::Quarterdeck;
    if let Some(at) = alert.updated_at {
        page.field(if is_finding { "judged" } else { "last told" }, &when::both(state, at), Token::Text);
    }
    page.field("found by", &found_by(state, alert), Token::Text);
    if let Some(place) = state.estate.sources.iter().position(|source| *source.name == *alert.source) {
        page.link(Goal::Source(place));
    }
    page.field("source", &alert.source, Token::Text);
    for service in state.estate.services.iter().filter(|service| service.labels.covers(&alert.labels)) {
        page.link(Goal::Service(service.name.clone())).field("service", &service.name, Token::Text);
    }
    if let Some(one) = suspect_of(&state.estate, alert, &state.shown().deployments.all) {
        let at = one.site.as_ref().map_or(String::new(), |site| format!(" at {site}"));
        page.link(Goal::Deployment(one.key.clone()));
        page.field(
            "before it",
            &format!("{} {} was deployed{at}, {}", one.service, one.versions(), when::both(state, one.at)),
            Token::Warning,
        );
    }
    if is_stale(state, alert) {
        let place = state.estate.sources.iter().position(|s| *s.name == *alert.source);
        let held = place.and_then(|p| state.shown_readings().get(p)).and_then(|r| r.held.as_ref());
        let as_of = held.map_or("at no known time".to_owned(), |h| format!("as of {}", when::both(state, h.as_of)));
        page.field("", &format!("? not fresh: {as_of}"), Token::Unknown);
    }
    if is_finding {
        page.field("runbook", alert.runbook().unwrap_or("-"), Token::Text);
        rule(state, alert, &mut page);
    } else {
        muting(state, alert, answer, &mut page);
        page.field("receivers", &joined(&alert.receivers), Token::Text);
        page.field("runbook", alert.runbook().unwrap_or("-"), Token::Text);
        page.field("generator", alert.generator_url.as_deref().unwrap_or("-"), Token::Text);
    }
    if let Some(answer) = answer.filter(|a| !a.peers.is_empty()) {
        let seen: Vec<&str> = alert.seen_by.iter().filter_map(|i| answer.peers.get(*i)).map(|p| p.url.as_str()).collect();
        let text = format!("{} of {} peers: {}", seen.len(), answer.peers.len(), seen.join(" "));
        page.field("seen by", &text, Token::Text);
    }
    page.head("LABELS");
    for (name, value) in alert.labels.iter() {
        page.field(name, value, Token::Text);
    }
    page.head("ANNOTATIONS");
    if alert.annotations.is_empty() {
        page.text("none", Token::Dim);
    }
    for (name, value) in alert.annotations.iter() {
        page.field(name, value, Token::Text);
    }
    page.done()
}

/// Who raised it.
fn found_by(state: &State, alert: &Alert) -> String {
    match alert.origin {
        Origin::Alertmanager | Origin::Prometheus => alert.origin.word().to_owned(),
        Origin::Quarterdeck if finding::rule_of(&state.estate, alert).is_some() => {
            "qd, by a rule of the estate file; nobody is notified".into()
        }
        Origin::Quarterdeck => "qd, by itself; nobody is notified".into(),
    }
}

/// The rule that found it and what it judges; nothing for what is found without a rule of the estate.
fn rule(state: &State, alert: &Alert, page: &mut Page) {
    let Some(rule) = finding::rule_of(&state.estate, alert) else { return };
    page.head("RULE");
    let panels = state.panels();
    let view = panels.iter().find(|v| v.panel.name == rule.panel);
    let unit = view.map(|v| v.panel.unit).unwrap_or_default();
    page.field("condition", &format!("{} {}", rule.panel, finding::said(rule.when, unit)), Token::Text);
    page.field("for", &age::exact(rule.holds), Token::Text);
    if let Some(view) = view {
        page.link(Goal::Panel(view.panel.name.clone()));
        page.field("asks", &format!("{}: {}", view.panel.source, view.panel.ask), Token::Dim);
        let (text, token) = mark::value(state, view);
        page.field("worst now", &text, token);
    }
}

fn answer<'a>(state: &'a State, source: &str) -> Option<&'a AlertmanagerAnswer> {
    let place = state.estate.sources.iter().position(|s| s.name == source)?;
    match &state.shown_readings().get(place)?.held.as_ref()?.value {
        Answer::Alertmanager(answer) => Some(answer),
        Answer::Prometheus(_) | Answer::Exposition(_) | Answer::Probe(_) | Answer::Backup(_) | Answer::Database(_) | Answer::History(_) => {
            None
        }
    }
}

/// Who muted it, why and until when.
fn muting(state: &State, alert: &Alert, answer: Option<&AlertmanagerAnswer>, page: &mut Page) {
    for id in &alert.silenced_by {
        match answer.and_then(|a| a.silences.iter().find(|s| *s.id == **id)) {
            Some(silence) => {
                if silence.is_ack() {
                    let text = format!("{} {} ago: {}", silence.who(), when::ago(state, silence.starts_at), silence.reason());
                    page.field("acked by", &text, Token::Muted);
                } else {
                    page.field("silenced by", &format!("{}: {}", silence.created_by, silence.comment), Token::Muted);
                }
                page.field("", &format!("until {}", when::both(state, silence.ends_at)), Token::Muted);
                let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
                page.field("", &format!("where {}  (silence {})", matchers.join(" "), silence.id), Token::Dim);
            }
            None => page.field("silenced by", &format!("silence {id}, of which nothing is known"), Token::Muted),
        }
    }
    for fingerprint in &alert.inhibited_by {
        let text = match answer.and_then(|a| a.alerts.iter().find(|other| other.fingerprint == *fingerprint)) {
            Some(other) => {
                page.link(Goal::Alert(other.id.clone()));
                format!("{}: {}", other.name(), other.summary())
            }
            None => format!("alert {fingerprint}, which is not listed"),
        };
        page.field("inhibited by", &text, Token::Muted);
    }
    if !alert.muted_by.is_empty() {
        page.field("muted by", &format!("time interval {}", joined(&alert.muted_by)), Token::Muted);
    }
}

fn joined(names: &[Arc<str>]) -> String {
    if names.is_empty() { "-".into() } else { names.iter().map(|n| &**n).collect::<Vec<_>>().join(" ") }
}
