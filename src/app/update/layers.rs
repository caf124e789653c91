//! Panes and what lies on them: opening, going back, going anywhere from the palette.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::databases::DatabaseRow;
use crate::app::deployments::window;
use crate::app::effect::Effect;
use crate::app::filter::Filter;
use crate::app::history::{Search, Visit, WayBack};
use crate::app::layer::{Layer, Pane, Spot};
use crate::app::marks;
use crate::app::page;
use crate::app::palette::Goal;
use crate::app::pane;
use crate::app::state::{AlertRow, OverviewRow, State};
use crate::app::themes;
use crate::model::alert::{Alert, AlertId};
use crate::model::change::Change;
use crate::model::needs::About;

use super::{contexts, history, keys, logs, menu, metrics, prompt, runs, share, timeline, typing, views, wizard};

/// Takes the top layer away; false where there is none. A filter line gives its former filter back.
pub(super) fn pop(state: &mut State) -> bool {
    match state.layers.pop() {
        Some(Layer::Filter) => {
            typing::restore(state);
            true
        }
        Some(Layer::Themes(picker)) => {
            themes::restore(&mut state.look, picker);
            true
        }
        top => top.is_some(),
    }
}

/// One level up. On a pane that a row led to, to that row; on another the filter goes, and never the console.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if let Some(Layer::Help { scroll, search }) = state.layers.last_mut()
        && (search.typing || !search.typed.is_empty())
    {
        (*scroll, *search) = (0, Search::default());
        return Vec::new();
    }
    // The journal of a run is another view of its page: the way back is to that.
    if let Some(Layer::Run { record: true, .. }) = state.layers.last() {
        runs::record(state);
        return Vec::new();
    }
    if logs::back(state) || pop(state) {
        return Vec::new();
    }
    if marks::clear(state) {
        return Vec::new();
    }
    match state.way_back.take() {
        Some(way) => {
            let WayBack { visit, alerts } = Arc::unwrap_or_clone(way);
            state.alerts = alerts;
            history::show(state, visit)
        }
        None if state.pane == Pane::Overview && state.attention.since.take().is_some() => {
            pane::refresh(state);
            Vec::new()
        }
        None => {
            typing::clear(state);
            Vec::new()
        }
    }
}

/// Shows a pane and nothing on it.
pub(super) fn show(state: &mut State, pane: Pane) {
    while pop(state) {}
    state.pane = pane;
    state.way_back = None;
}

/// Takes what is typed: the filter where it is one, the palette's selected line.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    if let Some(Layer::Help { search, .. }) = state.layers.last_mut() {
        search.typing = false;
        return Vec::new();
    }
    match state.layers.last() {
        Some(Layer::Filter) => {
            if typing::line(state).error.is_none() {
                state.layers.pop();
            }
            Vec::new()
        }
        Some(Layer::Palette(palette)) => {
            let Some(goal) = palette.goal().cloned() else { return Vec::new() };
            state.layers.pop();
            go(state, goal)
        }
        Some(Layer::Themes(_)) => themes::accept(state),
        Some(Layer::Contexts(_)) => contexts::accept(state),
        Some(Layer::Export(_)) => share::accept(state),
        Some(Layer::Prompt(_)) => prompt::accept(state),
        Some(Layer::Request(_)) => runs::accept(state),
        Some(Layer::Menu(_)) => menu::choose(state),
        Some(Layer::Views(_)) => views::choose(state),
        Some(Layer::SaveView(_)) => views::save(state),
        _ => Vec::new(),
    }
}

fn go(state: &mut State, goal: Goal) -> Vec<Effect> {
    match goal {
        Goal::Run(action) => return keys::run(state, action),
        Goal::Pane(pane) => show(state, pane),
        Goal::Service(name) => lay(state, Layer::Service { name, spot: Spot::default() }),
        Goal::Source(index) => lay(state, Layer::Source { index, spot: Spot::default() }),
        Goal::Panel(panel) => lay(state, Layer::Chart { panel, cursor: None }),
        Goal::Alert(id) => alert(state, &id),
        Goal::Deployment(key) => deployment(state, &key),
        Goal::Moment(at) => {
            show(state, Pane::Deployments);
            window::go_to(state, at);
        }
        Goal::Operation(run) => runs::show(state, run),
        // What a key does with a step is asked by another key; what is selected of a verification is started by one.
        Goal::Step(_) | Goal::Order(_) => {}
        Goal::View(name) => views::go(state, &name),
        Goal::TimelineOf(service) => timeline::of_service(state, service),
        Goal::Logs(of) => logs::show(state, of, None),
        Goal::Rollback(service) => wizard::open_on(state, service),
        Goal::Processes(service, deed) => wizard::open_processes_on(state, &service, Some(deed)),
        Goal::Over(panel) => metrics::lay_over(state, panel),
        Goal::Context(name) => return contexts::choose(state, name),
        Goal::AlertsOf(source) => {
            state.show_muted = true;
            narrow(state, by_field("source", &source));
        }
    }
    Vec::new()
}

/// Lays a view on top. Filter line and help below it would be come upon again on the way back: they go.
pub(super) fn lay(state: &mut State, layer: Layer) {
    while matches!(
        state.layers.last(),
        Some(
            Layer::Filter
                | Layer::Help { .. }
                | Layer::Share { .. }
                | Layer::Select { .. }
                | Layer::Export(_)
                | Layer::Themes(_)
                | Layer::Contexts(_)
                | Layer::Prompt(_)
                | Layer::Menu(_)
                | Layer::Views(_)
                | Layer::SaveView(_)
        )
    ) {
        pop(state);
    }
    state.layers.push(layer);
    pane::settle_top(state);
}

fn alert(state: &mut State, id: &AlertId) {
    let found: Option<Arc<Alert>> = state.shown().alerts.iter().find(|a| a.id == *id).cloned();
    if let Some(alert) = found {
        lay(state, Layer::Alert { alert, spot: Spot::default() });
    }
}

pub(super) fn deployment(state: &mut State, key: &str) {
    let known = state.shown().deployments.find(key).map(|(_, one)| one);
    if let Some(deployment) = known.or_else(|| state.window.find(key)).cloned() {
        lay(state, Layer::Deployment { deployment, spot: Spot::default() });
    }
}

/// Looks closer at the selected row.
pub(super) fn open(state: &mut State) {
    if let Some(layer) = state.layers.last() {
        if let Some(goal) = layer.spot().and_then(|spot| spot.selected.clone()) {
            // None of them runs anything: a page leads to what can be looked at only.
            go(state, goal);
        }
        return;
    }
    match state.pane {
        Pane::Overview => open_overview(state),
        Pane::Alerts => {
            let row = state.alert_rows.get(state.alerts.list.row);
            if let Some(AlertRow::Alert(place)) = row
                && let Some(alert) = state.shown().alerts.get(*place).cloned()
            {
                lay(state, Layer::Alert { alert, spot: Spot::default() });
            }
        }
        Pane::Databases => {
            if let Some(&DatabaseRow::Node(index, node)) = state.database_rows.get(state.databases.list.row) {
                let scroll = page::of_node(state, index, node);
                lay(state, Layer::Source { index, spot: Spot { scroll, ..Spot::default() } });
            }
        }
        Pane::Backups => {
            if let Some(index) = pane::backup_id(state, state.backups.list.row) {
                lay(state, Layer::Source { index, spot: Spot::default() });
            }
        }
        Pane::Deployments => {
            // The row that is meant may not be there yet.
            if state.window.keep(Action::Open) {
                return;
            }
            if let Some(key) = state.deployments.list.selected.clone() {
                deployment(state, &key);
            }
        }
        Pane::Operations => runs::open(state),
        Pane::Timeline => timeline::closer(state),
        Pane::Metrics => {
            if let Some(panel) = state.metrics.list.selected.clone() {
                lay(state, Layer::Chart { panel, cursor: None });
            }
        }
    }
}

fn open_overview(state: &mut State) {
    match state.overview_rows.get(state.overview.list.row) {
        Some(OverviewRow::Since(_)) => {
            state.attention.since = None;
            timeline::open(state);
        }
        Some(OverviewRow::Run(place)) => {
            if let Some(run) = state.runs.all.get(*place).map(|known| known.state.run.clone()) {
                runs::show(state, run);
            }
        }
        Some(OverviewRow::Need(place)) => {
            if let Some(about) = state.shown().needs.get(*place).map(|need| need.about.clone()) {
                open_need(state, about);
            }
        }
        Some(OverviewRow::Service(place)) => {
            if let Some(name) = state.estate.services.get(*place).map(|service| service.name.clone()) {
                lay(state, Layer::Service { name, spot: Spot::default() });
            }
        }
        Some(OverviewRow::Panel(place)) => {
            if let Some(panel) = state.estate.panels.get(*place).map(|panel| panel.name.clone()) {
                lay(state, Layer::Chart { panel, cursor: None });
            }
        }
        Some(OverviewRow::Deployment(place)) => {
            if let Some(key) = state.shown().deployments.all.get(*place).map(|one| one.key.clone()) {
                deployment(state, &key);
            }
        }
        Some(OverviewRow::Exposure(place)) => {
            if let Some(index) = state.shown().backups.get(*place).map(|of| of.source) {
                lay(state, Layer::Source { index, spot: Spot::default() });
            }
        }
        Some(OverviewRow::Due(place)) => {
            let Some(due) = state.shown().due.get(*place).cloned() else { return };
            match (due.source, due.services.as_slice()) {
                (Some(index), _) => lay(state, Layer::Source { index, spot: Spot::default() }),
                (None, [service]) => lay(state, Layer::Service { name: service.clone(), spot: Spot::default() }),
                (None, _) => {}
            }
        }
        Some(OverviewRow::Source(place)) => {
            let index = *place;
            lay(state, Layer::Source { index, spot: Spot::default() });
        }
        Some(OverviewRow::Change(place)) => {
            if let Some(change) = state.changes.get(*place).cloned() {
                open_change(state, change);
            }
        }
        _ => {}
    }
}

/// What a change is about: its alert, as it is or as it was when it ended; its source; or all alerts, where it counts
/// more of them than are listed.
fn open_change(state: &mut State, change: Change) {
    match (change.alert, change.source) {
        (Some(was), _) => {
            let now = pane::still(&state.shown().alerts, &was).cloned();
            lay(state, Layer::Alert { alert: now.unwrap_or(was), spot: Spot::default() });
        }
        (None, Some(name)) => open_need(state, About::Source(name)),
        (None, None) => narrow(state, Filter::default()),
    }
}

fn open_need(state: &mut State, about: About) {
    match about {
        About::Alerts(name, ids) => match ids.as_slice() {
            [one] => alert(state, one),
            many => {
                // An alert without a name is shown as one that says so; its label is not there.
                let named = many.iter().any(|id| state.shown().alerts.iter().any(|a| a.id == *id && a.labels.get("alertname").is_some()));
                let filter = Filter::label("alertname", if named { &name } else { "" });
                narrow(state, filter);
            }
        },
        About::Source(name) | About::DeadMan(name) => {
            if let Some(index) = state.estate.sources.iter().position(|source| source.name == name) {
                lay(state, Layer::Source { index, spot: Spot::default() });
            }
        }
        About::Panel(panel) => lay(state, Layer::Chart { panel, cursor: None }),
        About::Drill(name) => {
            let service = state.estate.calendar.drills.iter().find(|drill| drill.name == name).and_then(|drill| drill.services.first());
            if let Some(name) = service.cloned() {
                lay(state, Layer::Service { name, spot: Spot::default() });
            }
        }
        About::Silence(id) => muted_by(state, &id),
    }
}

/// Shows the alerts that a silence mutes.
pub(super) fn muted_by(state: &mut State, id: &str) {
    state.show_muted = true;
    narrow(state, by_field("silence", id));
}

/// The filter that leaves the rows with exactly this text in a field.
fn by_field(name: &str, text: &str) -> Filter {
    Filter::parse(&format!("{name}:\"^{}$\"", regex::escape(text).replace('\\', "\\\\"))).unwrap_or_default()
}

/// The way back to what is shown now, with all that lies on it but what is only typed or read there.
pub(super) fn way_here(state: &State) -> Arc<WayBack> {
    let passing = |layer: &Layer| {
        matches!(
            layer,
            Layer::Filter
                | Layer::Palette(_)
                | Layer::Help { .. }
                | Layer::Share { .. }
                | Layer::Select { .. }
                | Layer::Themes(_)
                | Layer::Contexts(_)
                | Layer::Prompt(_)
                | Layer::Export(_)
                | Layer::Menu(_)
                | Layer::Views(_)
                | Layer::SaveView(_)
        )
    };
    Arc::new(WayBack { visit: Visit::of(state, |layer| !passing(layer)), alerts: state.alerts.clone() })
}

/// Shows the Alerts pane with this filter, from its first row. Going back leads where this came from.
fn narrow(state: &mut State, filter: Filter) {
    let way = way_here(state);
    show(state, Pane::Alerts);
    state.way_back = Some(way);
    state.alerts.typed = filter.text.clone();
    state.alerts.filter = filter;
    state.alerts.error = None;
    state.alerts.list = Default::default();
    pane::refresh(state);
}
