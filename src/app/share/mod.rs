//! What is copied of what is looked at: the words that a colleague needs who has no console open, and below them the
//! command line that shows the same. One file per noun; times are those of the screen, with their zone.

mod alert;
mod alerts;
mod compared;
mod panel;
mod run;
mod service;
mod source;
mod timeline;

use std::sync::Arc;

use crate::model::alert::Alert;
use crate::model::deployment::Deployment;
use crate::model::estate::Severity;
use crate::model::needs::About;
use crate::model::run::advice::quoted as shell;
use crate::model::text::clean;

use super::databases::DatabaseRow;
use super::deployments::share as deployment;
use super::filter::{FILTER_CAP, quoted};
use super::layer::{Layer, Pane, Spot};
use super::logs;
use super::marks::marked_rows;
use super::operations::OperationRow;
use super::page;
use super::state::{AlertRow, OverviewRow, State};

/// Bytes of one text: more is for a file.
pub const TEXT_CAP: usize = 1 << 20;
/// Columns of a page that is copied: none of its lines is wrapped.
const WIDE: u16 = 4_000;

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Noun {
    /// An alert.
    Alert(Arc<Alert>),
    /// All alerts of a name and severity that need a person: a need that stands for several.
    Alerts(String, Severity),
    /// A deployment.
    Deployment(Arc<Deployment>),
    /// A run, by its id.
    Run(String),
    /// A service, by name.
    Service(String),
    /// A source, a backup or a database, by its place in the estate.
    Source(usize),
    /// A panel, by name.
    Panel(String),
    /// What is different between two deployments: the page on top.
    Comparison,
    /// DORA's measures: the page on top.
    Measures,
    /// What happened, as the Timeline pane lists it.
    Timeline,
}

/// What is looked at: the page on top, else the selected row; `None` where that is nothing of these.
pub fn noun(state: &State) -> Option<Noun> {
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => Some(Noun::Alert(alert.clone())),
        Some(Layer::Deployment { deployment, .. }) => Some(Noun::Deployment(deployment.clone())),
        Some(Layer::Run { run, .. }) => Some(Noun::Run(run.clone())),
        Some(Layer::Service { name, .. }) => Some(Noun::Service(name.clone())),
        Some(Layer::Source { index, .. }) => Some(Noun::Source(*index)),
        Some(Layer::Chart { panel, .. }) => Some(Noun::Panel(panel.clone())),
        Some(Layer::Diff { .. }) => Some(Noun::Comparison),
        Some(Layer::Dora { .. }) => Some(Noun::Measures),
        Some(_) => None,
        None => selected(state),
    }
}

fn selected(state: &State) -> Option<Noun> {
    let view = state.shown();
    match state.pane {
        Pane::Overview => match state.overview_rows.get(state.overview.list.row)? {
            OverviewRow::Need(place) => match &view.needs.get(*place)?.about {
                About::Alerts(name, ids) if ids.len() > 1 => Some(Noun::Alerts(name.clone(), view.needs.get(*place)?.severity)),
                About::Alerts(_, ids) => {
                    let first = view.alerts.iter().find(|alert| ids.contains(&alert.id))?;
                    Some(Noun::Alert(first.clone()))
                }
                About::Source(name) | About::DeadMan(name) => {
                    state.estate.sources.iter().position(|source| source.name == *name).map(Noun::Source)
                }
                About::Panel(panel) => Some(Noun::Panel(panel.clone())),
                About::Drill(_) | About::Silence(_) => None,
            },
            OverviewRow::Service(place) => state.estate.services.get(*place).map(|of| Noun::Service(of.name.clone())),
            OverviewRow::Panel(place) => state.estate.panels.get(*place).map(|of| Noun::Panel(of.name.clone())),
            OverviewRow::Source(place) => Some(Noun::Source(*place)),
            OverviewRow::Exposure(place) => view.backups.get(*place).map(|of| Noun::Source(of.source)),
            OverviewRow::Deployment(place) => view.deployments.all.get(*place).cloned().map(Noun::Deployment),
            _ => None,
        },
        Pane::Alerts => match state.alert_rows.get(state.alerts.list.row)? {
            AlertRow::Alert(place) => view.alerts.get(*place).cloned().map(Noun::Alert),
            AlertRow::Group(_) => None,
        },
        Pane::Metrics => state.metrics.list.selected.clone().map(Noun::Panel),
        Pane::Backups => state.backups.list.selected.map(Noun::Source),
        Pane::Databases => match state.database_rows.get(state.databases.list.row)? {
            DatabaseRow::Node(index, _) | DatabaseRow::Head(index) => Some(Noun::Source(*index)),
        },
        Pane::Deployments => state.window.rows.get(state.deployments.list.row).cloned().map(Noun::Deployment),
        Pane::Operations => match state.operation_rows.get(state.operations.list.row)? {
            OperationRow::Run(place) => state.runs.all.get(*place).map(|known| Noun::Run(known.state.run.clone())),
            OperationRow::Head(..) => None,
        },
        Pane::Timeline => Some(Noun::Timeline),
    }
}

/// What is marked on the pane, where several rows are: all of it is looked at.
fn marked(state: &State) -> Vec<Noun> {
    if !state.layers.is_empty() {
        return Vec::new();
    }
    match state.pane {
        Pane::Alerts if !state.marks.all.is_empty() => marked_rows(state).into_iter().map(Noun::Alert).collect(),
        Pane::Deployments => state.picks.deployments.iter().cloned().map(Noun::Deployment).collect(),
        Pane::Operations => state.picks.runs.iter().cloned().map(Noun::Run).collect(),
        _ => Vec::new(),
    }
}

/// True where there is something to copy.
pub fn has_text(state: &State) -> bool {
    matches!(state.layers.last(), Some(Layer::Logs(_))) || !marked(state).is_empty() || noun(state).is_some()
}

/// The text about what is looked at. Every line of it is clean, and what the screen hides it hides too.
pub fn text(state: &State) -> Option<String> {
    if let Some(Layer::Logs(_)) = state.layers.last() {
        return logs::text(state).map(|text| whole_of(&text));
    }
    let marked = marked(state);
    if !marked.is_empty() {
        let all: Vec<String> = marked.into_iter().filter_map(|noun| of(state, noun)).collect();
        return Some(whole_of(&all.join("\n\n")));
    }
    of(state, noun(state)?).map(|text| whole_of(&text))
}

/// The text about that.
fn of(state: &State, noun: Noun) -> Option<String> {
    Some(match noun {
        Noun::Alert(alert) => alert::text(state, &alert),
        Noun::Alerts(name, severity) => alerts::text(state, &name, severity)?,
        Noun::Deployment(one) => deployment::text(state, &one),
        Noun::Run(run) => run::text(state, &run)?,
        Noun::Service(name) => service::text(state, &name),
        Noun::Source(index) => source::text(state, index),
        Noun::Panel(name) => panel::text(state, &name)?,
        Noun::Comparison => compared::comparison(state)?,
        Noun::Measures => compared::measures(state)?,
        Noun::Timeline => timeline::text(state),
    })
}

/// All of it, cleaned, with an end.
fn whole_of(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let line = clean(line, TEXT_CAP);
        if whole.len() + line.len() >= TEXT_CAP {
            break;
        }
        whole.push_str(&line);
        whole.push('\n');
    }
    // A shell that it is pasted into must not run its last line at once.
    whole.truncate(whole.trim_end().len());
    whole
}

/// The lines of a page as they stand on a screen that is wide enough for all of them.
fn page_text(state: &State, layer: &Layer) -> String {
    let (title, rows) = page::lines(state, layer, WIDE);
    let lines = rows.iter().map(|row| row.to_string().trim_end().to_owned());
    std::iter::once(title).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The command line that shows that pane with that filter.
fn command(state: &State, pane: Pane, filter: &str) -> String {
    let estate = state.identity.estate.as_ref().map_or(String::new(), |estate| format!(" --estate {estate}"));
    let filter = if filter.len() > FILTER_CAP { "" } else { filter };
    let filter = if filter.is_empty() { String::new() } else { format!(" --filter {}", shell(filter)) };
    format!("qd{estate} snapshot --pane {} --size 160x50{filter}", pane.name())
}

/// The filter that leaves the rows with exactly this text in a field.
fn exactly(field: &str, text: &str) -> String {
    format!("{field}:{}", quoted(&format!("^{}$", regex::escape(text))))
}

fn spot() -> Spot {
    Spot::default()
}

#[cfg(test)]
mod tests;
