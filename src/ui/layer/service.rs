//! One service, whole: its sites, alerts, panels, and what it depends on.

use ratatui::text::Line;

use crate::app::state::State;
use crate::model::health::Health;
use crate::model::preferences::Token;
use crate::ui::pane::{alerts, metrics};
use crate::ui::{theme, when};

use super::detail::Page;

/// Alerts listed; the rest is counted.
const ALERTS: usize = 100;

/// What is known of the service.
pub fn lines(state: &State, name: &str, mut page: Page) -> Vec<Line<'static>> {
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

    page.head("DEPENDS ON");
    if service.depends_on.is_empty() {
        page.text("nothing", Token::Dim);
    }
    for other in &service.depends_on {
        let of = state.shown().services.iter().find(|s| s.service == *other);
        let (text, token) = of.map_or(("? unknown".to_owned(), Token::Unknown), |s| judged(&s.overall));
        page.field(other, &text, token);
    }

    page.head("ALERTS");
    let own: Vec<_> = state.shown().alerts.iter().filter(|a| service.labels.covers(&a.labels)).collect();
    if own.is_empty() {
        page.text("none", Token::Dim);
    }
    for alert in own.iter().take(ALERTS) {
        let (glyph, mut token) = theme::alert(alert);
        let (word, state_token) = alerts::state_cell(state, alert);
        if state_token == Token::Unknown {
            token = state_token;
        }
        let age = when::ago(state, alert.starts_at);
        page.text(&format!("{glyph} {} {word} {age}  {}: {}", alert.severity.word(), alert.name(), alert.summary()), token);
    }
    if own.len() > ALERTS {
        page.text(&format!("and {} more", own.len() - ALERTS), Token::Dim);
    }

    page.head("PANELS");
    let panels = state.panels();
    let mut any = false;
    for view in panels.iter().filter(|v| v.panel.service.as_deref() == Some(name)) {
        let (text, token) = metrics::value(state, view);
        page.field(&view.panel.name, &text, token);
        any = true;
    }
    if !any {
        page.text("none", Token::Dim);
    }
    page.done()
}

fn judged(health: &Health) -> (String, Token) {
    let (word, token) = theme::state(health.severity, health.stale);
    let muted = if health.muted > 0 { format!(", ~ {} muted", health.muted) } else { String::new() };
    let alerts = if health.alerts > 0 { format!("  {} alerts{muted}", health.alerts) } else { muted };
    (format!("{}{alerts}", word.trim_start()), token)
}
