//! One source, whole: how old its values are, why the newest try failed, and what it said beside its values.

use std::collections::BTreeMap;

use crate::app::layer::Pane;
use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::wrap::thousands;
use crate::app::{mark, when};
use crate::model::age;
use crate::model::estate::{History, Part, Probe, Source, SourceKind};
use crate::model::metric::{self, PanelAnswer};
use crate::model::panel::Unit;
use crate::model::preferences::Token;
use crate::model::reading::Freshness;
use crate::model::source::{AlertmanagerAnswer, Answer, ExpositionAnswer, History as Kept, HistoryAnswer, ProbeAnswer, PrometheusAnswer};
use crate::model::text::{NOTE_CAP, clean};

use super::{Page, Row, database};

/// What is known of the source at that place of the estate.
pub fn lines(state: &State, index: usize, mut page: Page) -> Vec<Row> {
    let (Some(source), Some(reading)) = (state.estate.sources.get(index), state.shown_readings().get(index)) else {
        page.text("The estate file has no such source any more.", Token::Unknown);
        return page.done();
    };
    page.head("STATE");
    let (word, token) = mark::freshness(reading.freshness(state.now));
    page.field("state", word.trim_start(), token);
    match &reading.held {
        Some(held) => {
            let cached = if held.cached { ", read by an earlier start of the console" } else { "" };
            page.field("as of", &format!("{}{cached}", when::both(state, held.as_of)), Token::Text);
        }
        None => page.field("as of", "? nothing was read yet", Token::Unknown),
    }
    if let Some(failure) = &reading.failure {
        page.field("failure", &failure.what, Token::Warning);
        page.field("", &format!("{} tries in a row, since {}", failure.tries, when::both(state, failure.since)), Token::Text);
    }
    if let Some(next) = reading.next_try.filter(|_| reading.failure.is_some()) {
        let left = age::exact(next.duration_since(state.now).max(jiff::SignedDuration::ZERO));
        page.field("next try", &format!("in {left}"), Token::Text);
    }
    page.field("every", &format!("{}, at most {} each", age::exact(source.every), age::exact(source.timeout)), Token::Dim);
    page.field("kind", source.kind.word(), Token::Dim);
    if let Some(service) = &source.service {
        page.link(Goal::Service(service.clone())).field("service", service, Token::Text);
    }
    if let Some(site) = &source.site {
        page.field("site", site, Token::Text);
    }
    match &source.kind {
        SourceKind::Prometheus { url } => page.field("address", url, Token::Dim),
        SourceKind::Alertmanager { urls, .. } => page.field("peers", &urls.join(" "), Token::Dim),
        SourceKind::Exposition { url, .. } => page.field("address", url, Token::Dim),
        SourceKind::Database(database) => {
            let nodes: Vec<&str> = database.nodes.iter().map(|node| node.conninfo.as_str()).collect();
            page.field("nodes", &nodes.join("; "), Token::Dim);
        }
        SourceKind::Backup(backup) => page.field("asks", &clean(&backup.of.to_string(), NOTE_CAP), Token::Dim),
        SourceKind::History(history) => {
            let word = if matches!(history, History::Sql { .. }) { "asks" } else { "path" };
            page.field(word, &clean(&history.place(), NOTE_CAP), Token::Dim);
        }
        SourceKind::Probe { probe, .. } => page.field("asks", &probe.to_string(), Token::Dim),
    }
    for name in source.kind.hosts() {
        let host = state.estate.host(name).map_or_else(|| name.clone(), ToString::to_string);
        page.field("on", &clean(&host, NOTE_CAP), Token::Dim);
    }
    as_written(source, &mut page);
    if reading.held.is_some() && reading.freshness(state.now) != Freshness::Fresh {
        page.head("LAST KNOWN ANSWER, not live");
    }
    match reading.held.as_ref().map(|h| &h.value) {
        Some(Answer::Alertmanager(answer)) => alertmanager(state, &source.name, answer, &mut page),
        Some(Answer::Prometheus(answer)) => prometheus(&source.name, answer, &mut page),
        Some(Answer::Exposition(answer)) => exposition(state, answer, &mut page),
        Some(Answer::Database(answer)) => database::lines(state, source, answer, &mut page),
        Some(Answer::History(answer)) => history_of_deployments(state, answer, &mut page),
        Some(Answer::Probe(answer)) => probe(state, answer, &mut page),
        Some(Answer::Backup(_)) | None => {}
    }
    super::backup::lines(state, index, &mut page);
    page.done()
}

/// What the estate file says of it beside its address.
fn as_written(source: &Source, page: &mut Page) {
    match &source.kind {
        SourceKind::Exposition { keep, .. } => page.field("keeps", &age::exact(*keep), Token::Dim),
        SourceKind::Probe { probe, keep } => {
            if let Probe::Http { status, body, .. } = probe {
                let status = status.map_or("a status of 200 to 299".to_owned(), |status| format!("the status {status}"));
                let body = body.as_ref().map_or(String::new(), |body| format!(" and a body with `{}`", clean(body, NOTE_CAP)));
                page.field("expects", &format!("{status}{body}"), Token::Dim);
            }
            page.field("keeps", &age::exact(*keep), Token::Dim);
        }
        SourceKind::Database(database) => page.field("limits", &database.limits(), Token::Dim),
        SourceKind::History(History::DeployLog { fields, .. } | History::Releases { fields, .. } | History::Sql { fields, .. }) => {
            for (part, word) in Part::ALL {
                if let Some(place) = fields.get(&part) {
                    page.field("reads", &clean(&format!("{word} from {place}"), NOTE_CAP), Token::Dim);
                }
            }
        }
        SourceKind::History(History::Git { tags, .. }) => page.field("tags", tags, Token::Dim),
        SourceKind::Prometheus { .. } | SourceKind::Alertmanager { .. } | SourceKind::Backup(_) => {}
    }
    if let SourceKind::History(History::Releases { config, .. }) = &source.kind
        && !config.is_empty()
    {
        page.field("configuration", &clean(&config.join(" "), NOTE_CAP), Token::Dim);
    }
    if let Some(file) = &source.http_config {
        page.field("credentials", &format!("as {} says", clean(&file.display().to_string(), NOTE_CAP)), Token::Dim);
    }
}

fn exposition(state: &State, answer: &ExpositionAnswer, page: &mut Page) {
    let size = metric::show(answer.bytes as f64, Unit::Bytes);
    page.field("page", &format!("{}, {size} in {}", answer.format, metric::show(answer.took, Unit::Seconds)), Token::Text);
    let dropped = if answer.dropped > 0 { format!(", {} more not kept", thousands(answer.dropped)) } else { String::new() };
    page.field("series", &format!("{} wanted{dropped}", thousands(answer.series)), Token::Text);
    history(state, &answer.history, page);
    match answer.clock_ahead {
        Some(secs) => page.field("clock", &format!("{secs} s ahead of this machine's"), Token::Text),
        None => page.field("clock", "? not told", Token::Unknown),
    }
    panels(&answer.panels, page);
    page.head("NOTES");
    listed(&answer.notes, Token::Warning, page);
}

/// What is kept of its past.
fn history(state: &State, history: &Kept, page: &mut Page) {
    let kept = match history.since {
        Some(since) => {
            let size = metric::show(history.bytes as f64, Unit::Bytes);
            format!("{} samples, {size}, since {}", thousands(history.samples), when::both(state, since))
        }
        None => "nothing is kept yet".to_owned(),
    };
    page.field("history", &kept, Token::Text);
}

fn history_of_deployments(state: &State, answer: &HistoryAnswer, page: &mut Page) {
    page.link(Goal::Pane(Pane::Deployments));
    let dropped =
        if answer.dropped > 0 { format!(", at least {} older ones are not kept here", thousands(answer.dropped)) } else { String::new() };
    page.field("deployments", &format!("{}{dropped}", thousands(answer.deployments.len())), Token::Text);
    if let (Some(newest), Some(oldest)) = (answer.deployments.first(), answer.deployments.last()) {
        page.field("newest", &when::both(state, newest.at), Token::Text);
        page.field("oldest", &when::both(state, oldest.at), Token::Text);
    }
    if answer.broken > 0 {
        page.field("broken", &format!("{} tell of no deployment", thousands(answer.broken)), Token::Warning);
    }
    page.head("NOTES");
    listed(&answer.notes, Token::Warning, page);
}

fn probe(state: &State, answer: &ProbeAnswer, page: &mut Page) {
    let word = if answer.up { "up" } else { "FAILS" };
    let since = answer.since.map_or(String::new(), |at| format!(", since {}", when::ago(state, at)));
    page.field("result", &format!("{word}, {}{since}", metric::show(answer.took, Unit::Seconds)), Token::Text);
    if let Some(why) = &answer.why {
        page.field("why", why, Token::Critical);
    }
    if let Some(status) = answer.status {
        page.field("status", &status.to_string(), Token::Text);
    }
    history(state, &answer.history, page);
    if let Some(certificate) = &answer.certificate {
        page.head("CERTIFICATE");
        page.field("of", &certificate.subject, Token::Text);
        page.field("for", &certificate.names.join(" "), Token::Text);
        page.field("by", &certificate.issuer, Token::Dim);
        // Never more than there is: rounded down.
        let left = (certificate.left(state.now) * 100.0).floor();
        page.field("ends", &format!("{}, {left:.0}% of its life is left", when::both(state, certificate.not_after)), Token::Text);
        if let Some(why) = &certificate.untrusted {
            page.field("chain", why, Token::Warning);
        }
        if !certificate.name_matches {
            page.text("it is for another name than the one asked", Token::Warning);
        }
    }
    panels(&answer.panels, page);
}

fn alertmanager(state: &State, name: &str, answer: &AlertmanagerAnswer, page: &mut Page) {
    page.link(Goal::AlertsOf(name.into()));
    page.field("alerts", &format!("{} in {} groups", thousands(answer.alerts.len()), answer.groups.len()), Token::Text);
    page.field("silences", &answer.silences.len().to_string(), Token::Text);
    if let Some(switch) = &answer.dead_man {
        let (text, token) = if switch.firing { ("fires, as it should", Token::Text) } else { ("X has stopped", Token::Critical) };
        page.field("dead man", &format!("{text}: {}", switch.labels.short()), token);
    }
    page.head("PEERS");
    for peer in &answer.peers {
        page.text(&peer.url, Token::Text);
        match &peer.error {
            Some(error) => page.field("", &format!("! {error}"), Token::Warning),
            None => {
                let version = peer.version.as_deref().unwrap_or("?");
                let cluster = peer.cluster.as_deref().unwrap_or("?");
                let as_of = peer.as_of.map_or(String::new(), |at| format!(", as of {}", when::both(state, at)));
                page.field("", &format!("version {version}, cluster {cluster}{as_of}"), Token::Text);
            }
        }
    }
    page.head("DISAGREEMENTS");
    listed(&answer.disagreements, Token::Warning, page);
}

fn prometheus(name: &str, answer: &PrometheusAnswer, page: &mut Page) {
    page.field("version", answer.version.as_deref().unwrap_or("?"), Token::Text);
    page.link(Goal::AlertsOf(name.into()));
    page.field("alerts", &thousands(answer.alerts.len()), Token::Text);
    if let Some(ahead) = answer.clock_ahead {
        page.field("clock", &format!("{ahead} s ahead of this machine's"), Token::Text);
    }
    page.head("RULES");
    match &answer.rules {
        Some(rules) => {
            page.text(&format!("{} alerting, {} recording, {} failing", rules.alerting, rules.recording, rules.failing.len()), Token::Text);
            for rule in &rules.failing {
                page.text(&format!("! {rule}"), Token::Warning);
            }
        }
        None => page.text("? not told by this server", Token::Unknown),
    }
    page.head("TARGETS");
    match &answer.targets {
        Some(targets) => {
            page.text(&format!("{} up, {} down", targets.up, targets.down_count), Token::Text);
            for target in &targets.down {
                page.text(&format!("! {}: {}", target.labels.short(), target.error), Token::Warning);
            }
            let more = targets.down_count.saturating_sub(targets.down.len());
            if more > 0 {
                page.text(&format!("and {more} more"), Token::Dim);
            }
        }
        None => page.text("? not told by this server", Token::Unknown),
    }
    panels(&answer.panels, page);
    page.head("NOTES");
    listed(&answer.notes, Token::Text, page);
}

fn panels(panels: &BTreeMap<String, PanelAnswer>, page: &mut Page) {
    page.head("PANELS");
    if panels.is_empty() {
        page.text("none", Token::Dim);
    }
    for (name, panel) in panels {
        page.link(Goal::Panel(name.clone()));
        match &panel.error {
            Some(error) => page.field(name, &format!("? query failed: {error}"), Token::Unknown),
            None => page.field(name, &format!("{} series", thousands(panel.now.len() + panel.now_dropped)), Token::Text),
        }
        for note in &panel.notes {
            page.field("", note, Token::Warning);
        }
    }
}

fn listed(lines: &[String], token: Token, page: &mut Page) {
    if lines.is_empty() {
        page.text("none", Token::Dim);
    }
    for line in lines {
        page.text(line, token);
    }
}
