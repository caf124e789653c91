//! One service, whole: its sites, its commands, what it depends on, its alerts, panels and sources.

use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::deployment::dora::{self, Window, dora};
use crate::model::estate::Service;
use crate::model::health::Health;
use crate::model::log::{Logs, Of};
use crate::model::preferences::Token;
use crate::model::text::{NOTE_CAP, clean};

use super::dora::told;
use super::{Page, Row, rollback};

/// Deployments listed.
const DEPLOYMENTS: usize = 5;
/// Alerts listed; the rest is counted.
const ALERTS: usize = 100;

/// What is known of the service.
pub fn lines(state: &State, name: &str, mut page: Page) -> Vec<Row> {
    let Some(service) = state.estate.service(name) else {
        page.text("The estate file has no such service any more.", Token::Unknown);
        return page.done();
    };
    let health = state.shown().services.iter().find(|s| s.service == name);
    page.head("STATE");
    match health {
        Some(of) => {
            let (text, token) = judged(&of.overall);
            page.field("overall", &text, token);
            if let Some(worst) = &of.worst {
                page.field("worst", worst, Token::Text);
            }
            if let Some(since) = of.since {
                page.field("since", &when::both(state, since), Token::Text);
            }
            for (site, health) in state.estate.sites.iter().zip(&of.sites) {
                let (text, token) = health.as_ref().map_or(("does not run there".to_owned(), Token::Dim), judged);
                page.field(&site.name, &format!("{text}  ({})", site.role.word()), token);
            }
        }
        None => page.text("? nothing is known yet", Token::Unknown),
    }
    page.field("runbook", service.runbook.as_deref().unwrap_or("-"), Token::Text);
    page.field("labels", &service.labels.short(), Token::Dim);
    match &service.logs {
        Some(Logs::Unit(unit)) => page.field("logs", &clean(&format!("unit {unit}"), NOTE_CAP), Token::Dim),
        Some(Logs::File(file)) => page.field("logs", &clean(file, NOTE_CAP), Token::Dim),
        None => {}
    }
    for name in &service.hosts {
        let host = state.estate.host(name).map_or_else(|| name.clone(), ToString::to_string);
        let known = state.estate.host(name).is_some();
        if known {
            page.link(Goal::Logs(Of::Host(name.clone())));
        }
        page.field("host", &clean(&host, NOTE_CAP), Token::Dim);
    }

    page.head("DEPENDS ON");
    if service.depends_on.is_empty() {
        page.text("nothing", Token::Dim);
    }
    for other in &service.depends_on {
        let of = state.shown().services.iter().find(|s| s.service == *other);
        let (text, token) = of.map_or(("? unknown".to_owned(), Token::Unknown), |s| judged(&s.overall));
        page.link(Goal::Service(other.clone())).field(other, &text, token);
    }

    page.head("ALERTS");
    let own: Vec<_> = state.shown().alerts.iter().filter(|a| service.labels.covers(&a.labels)).collect();
    if own.is_empty() {
        page.text("none", Token::Dim);
    }
    for alert in own.iter().take(ALERTS) {
        let (glyph, mut token) = mark::alert(alert);
        let (word, state_token) = mark::state_cell(state, alert);
        if state_token == Token::Unknown {
            token = state_token;
        }
        let age = when::ago(state, alert.starts_at);
        page.link(Goal::Alert(alert.id.clone()));
        page.text(&format!("{glyph} {} {word} {age}  {}: {}", alert.severity.word(), alert.name(), alert.summary()), token);
    }
    if own.len() > ALERTS {
        page.text(&format!("and {} more", own.len() - ALERTS), Token::Dim);
    }

    page.head("PANELS");
    let panels = state.panels();
    let mut any = false;
    for view in panels.iter().filter(|v| v.panel.service.as_deref() == Some(name)) {
        let (text, token) = mark::value(state, view);
        let site = view.panel.site.as_ref().map_or(String::new(), |site| format!("  at {site}"));
        page.link(Goal::Panel(view.panel.name.clone())).field(&view.panel.name, &format!("{text}{site}"), token);
        any = true;
    }
    if !any {
        page.text("none", Token::Dim);
    }
    deployments(state, name, &mut page);
    sources(state, name, &mut page);
    // What is wrong comes before what is seldom wanted.
    rollback::lines(state, service, &mut page);
    commands(service, &mut page);
    page.done()
}

/// How it is started and stopped in each of its sites, as one would type it. Watching runs none of it.
fn commands(service: &Service, page: &mut Page) {
    let commands = [("start", &service.start), ("stop", &service.stop)];
    if commands.iter().all(|(_, argv)| argv.is_none()) {
        return;
    }
    page.head("COMMANDS, shown and never run from here");
    for (word, argv) in commands {
        let Some(argv) = argv else { continue };
        let of_site = argv.iter().any(|word| word.contains("$site"));
        match service.sites.as_slice() {
            sites @ [_, ..] if of_site => {
                for site in sites {
                    page.field(&format!("{word} {site}"), &typed(argv, site), Token::Text);
                }
            }
            _ => page.field(word, &typed(argv, "$site"), Token::Text),
        }
    }
}

/// An argument vector as a POSIX shell would be given it, `$site` replaced.
pub(super) fn typed(argv: &[String], site: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    let quoted = |word: &String| {
        let word = word.replace("$site", site);
        if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// DORA's measures of four weeks, each with the count that it comes from, and the newest deployments.
fn deployments(state: &State, name: &str, page: &mut Page) {
    if !state.tells_of_deployments() {
        return;
    }
    let all = &state.shown().deployments.all;
    page.head("DEPLOYMENTS, 28 days");
    let window = Window::last(dora::USUAL, state.now);
    for (word, text) in told(&dora(all.iter(), Some(name), &state.estate.environment, window, state.now)) {
        page.field(word, &text, Token::Text);
    }
    for one in all.iter().filter(|one| one.service == name).take(DEPLOYMENTS) {
        let (glyph, word, token) = mark::ending(one.result);
        let site = one.site.as_ref().map_or(String::new(), |site| format!(" at {site}"));
        page.link(Goal::Deployment(one.key.clone()));
        page.text(&format!("{glyph} {word}  {}  {}{site}", when::full(state, one.at), one.versions()), token);
    }
}

/// The sources that tell of it: those that say so, and those of its panels.
fn sources(state: &State, name: &str, page: &mut Page) {
    page.head("SOURCES");
    let asked = |source: &str| state.estate.panels.iter().any(|p| p.source == source && p.service.as_deref() == Some(name));
    let mut any = false;
    for (place, (source, reading)) in state.estate.sources.iter().zip(state.shown_readings()).enumerate() {
        if source.service.as_deref() == Some(name) || asked(&source.name) {
            let (text, token) = mark::freshness(reading.freshness(state.now));
            page.link(Goal::Source(place)).field(&source.name, text.trim_start(), token);
            any = true;
        }
    }
    if !any {
        page.text("none of its own", Token::Dim);
    }
}

fn judged(health: &Health) -> (String, Token) {
    let (word, token) = mark::state(health.severity, health.stale);
    let muted = if health.muted > 0 { format!(", ~ {} muted", health.muted) } else { String::new() };
    let alerts = match health.alerts {
        0 => muted,
        1 => format!("  1 alert{muted}"),
        many => format!("  {many} alerts{muted}"),
    };
    (format!("{}{alerts}", word.trim_start()), token)
}
