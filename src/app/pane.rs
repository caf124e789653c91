//! Rows of the panes, computed from the state, and the moment when they must be computed again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::{Alert, AlertId};
use crate::model::backup::BackupState;
use crate::model::reading::Freshness;
use crate::model::source::Answer;

use super::deployments::window;
use super::grid::grid;
use super::layer::{Layer, Pane};
use super::list::List;
use super::state::{AlertRow, State};
use super::subject::OfBackup;
use super::{chart, databases, focus, logs, marks, operations, overview, page, silences, timeline};

impl State {
    /// A person did something, in the pane that is shown.
    pub fn touch(&mut self) {
        (self.touched, self.stays) = (true, false);
        self.walk_in(self.pane);
    }

    /// What is selected in that pane is a person's choice from now on.
    pub fn walk_in(&mut self, pane: Pane) {
        if !self.walked.contains(&pane) {
            self.walked.push(pane);
        }
    }
}

/// Computes the rows of all panes again and settles the selections. Until the first key the first row is selected,
/// whichever it is by now; from then on a selection stays with its id.
pub fn refresh(state: &mut State) {
    if !state.touched {
        (state.overview.list, state.alerts.list) = (List::default(), List::default());
        state.databases.list = List::default();
        state.backups.list = List::default();
        state.timeline.list.list = List::default();
    }
    if !state.walked.contains(&Pane::Operations) {
        state.operations.list = List::default();
    }
    state.overview_rows = overview::rows(state);
    state.alert_rows = alerts(state);
    state.metric_rows = metrics(state);
    state.database_rows = databases::rows(state);
    state.backup_rows = backups(state);
    state.operation_rows = operations::rows(state);
    let height = state.body_height();
    overview::settle(state);
    let mut list = std::mem::take(&mut state.alerts.list);
    list.settle(state.alert_rows.len(), |row| alert_id(state, row), height);
    state.alerts.list = list;
    let mut list = std::mem::take(&mut state.databases.list);
    list.settle(state.database_rows.len(), |row| databases::id(state, row), height);
    state.databases.list = list;
    let mut list = std::mem::take(&mut state.operations.list);
    list.settle(state.operation_rows.len(), |row| operations::id(state, row), operations::room(state, height));
    state.operations.list = list;
    window::settle(state);
    if !state.window.indexed {
        window::go_on(state);
    }
    let grid = grid(state.size, state.metric_rows.len());
    let mut list = std::mem::take(&mut state.metrics.list);
    list.settle(state.metric_rows.len(), |row| metric_id(state, row), grid.across * grid.down);
    state.metrics.list = list;
    let mut list = std::mem::take(&mut state.backups.list);
    list.settle(state.backup_rows.len(), |row| backup_id(state, row), backups_height(state));
    state.backups.list = list;
    marks::renew(state);
    timeline::renew(state);
    focus::renew(state);
    chart::bars::renew(state);
    silences::renew(state);
    renew_details(state);
    settle_top(state);
}

/// Finds the place in the page on top again after its lines, or the screen, changed.
pub fn settle_top(state: &mut State) {
    let Some(top) = state.layers.last() else { return };
    let (rows, height) = (page::lines(state, top, state.size.0).1, state.body_height());
    let Some(top) = state.layers.last_mut() else { return };
    if let Layer::Help { scroll, .. } = top {
        *scroll = (*scroll).min(rows.len().saturating_sub(height));
    } else if let Some(spot) = top.spot_mut() {
        page::settle(spot, &rows, height);
    }
}

/// The alert as it is now. One that only a Prometheus knew has another id once an Alertmanager has it, which may have
/// fewer or more labels.
pub fn still<'a>(alerts: &'a [Arc<Alert>], was: &Alert) -> Option<&'a Arc<Alert>> {
    let moved = |now: &&Arc<Alert>| {
        now.source != was.source && now.name() == was.name() && (was.labels.covers(&now.labels) || now.labels.covers(&was.labels))
    };
    alerts.iter().find(|now| now.id == was.id).or_else(|| alerts.iter().find(moved))
}

/// An open alert follows its alert while there is one; when it has ended, it stays as it was last seen.
fn renew_details(state: &mut State) {
    let State { layers, frozen, view, .. } = state;
    let alerts = frozen.as_ref().map_or(&view.alerts, |f| &f.view.alerts);
    let known = frozen.as_ref().map_or(&view.deployments, |f| &f.view.deployments);
    for layer in layers {
        if let Layer::Deployment { deployment, .. } = layer
            && let Some((_, now)) = known.find(&deployment.key)
        {
            *deployment = now.clone();
        }
        if let Layer::Alert { alert, .. } = layer
            && let Some(now) = still(alerts, alert)
        {
            *alert = now.clone();
        }
    }
}

fn alerts(state: &State) -> Vec<AlertRow> {
    let all = &state.shown().alerts;
    // A dead man's switch is there to be seen: it is listed even where the muted are not.
    let wanted = |a: &Alert| state.show_muted || !a.state.is_quiet() || state.estate.is_dead_man(&a.labels);
    let left: Vec<usize> = (0..all.len()).filter(|i| wanted(&all[*i]) && state.alerts.filter.matches(&*all[*i], state.now)).collect();
    if state.grouped { grouped(state, all, &left) } else { left.into_iter().map(AlertRow::Alert).collect() }
}

/// The same alerts under the heads of Alertmanager's groups, the group of the worst alert first. An alert that goes to
/// several receivers is listed in the first of its groups only: a row is told from others by its alert.
fn grouped(state: &State, all: &[Arc<Alert>], left: &[usize]) -> Vec<AlertRow> {
    let places: HashMap<(&str, &str), usize> = left.iter().map(|i| ((&*all[*i].source, &*all[*i].fingerprint), *i)).collect();
    let mut groups: Vec<(Vec<usize>, String)> = Vec::new();
    for (source, reading) in state.estate.sources.iter().zip(state.shown_readings()) {
        let Some(Answer::Alertmanager(answer)) = reading.held.as_ref().map(|held| &held.value) else { continue };
        for group in &answer.groups {
            let mut own: Vec<usize> = group.alerts.iter().filter_map(|f| places.get(&(source.name.as_str(), &**f)).copied()).collect();
            own.sort_unstable();
            own.dedup();
            if !own.is_empty() {
                let labels = if group.labels.is_empty() { "all".to_owned() } else { group.labels.short() };
                groups.push((own, format!("{labels} -> {}", group.receiver)));
            }
        }
    }
    groups.sort_by_key(|(own, _)| own[0]);
    let mut listed: HashSet<usize> = HashSet::new();
    let mut rows = Vec::new();
    for (own, head) in groups {
        let new: Vec<usize> = own.iter().copied().filter(|i| listed.insert(*i)).collect();
        let above = own.len() - new.len();
        let remark = if above > 0 { format!(", {above} listed above") } else { String::new() };
        rows.push(AlertRow::Group(format!("{head} ({}{remark})", own.len())));
        rows.extend(new.into_iter().map(AlertRow::Alert));
    }
    let rest: Vec<usize> = left.iter().copied().filter(|i| !listed.contains(i)).collect();
    if !rest.is_empty() {
        rows.push(AlertRow::Group(format!("in no group of an Alertmanager ({})", rest.len())));
        rows.extend(rest.into_iter().map(AlertRow::Alert));
    }
    rows
}

fn metrics(state: &State) -> Vec<usize> {
    let panels = state.panels();
    (0..panels.len()).filter(|i| state.metrics.filter.matches(&panels[*i], state.now)).collect()
}

fn backups(state: &State) -> Vec<usize> {
    let all = &state.shown().backups;
    let kept = |of: &BackupState| {
        let Some(source) = state.estate.sources.get(of.source) else { return false };
        state.backups.filter.matches(&OfBackup { source, state: of, now: state.now }, state.now)
    };
    (0..all.len()).filter(|i| kept(&all[*i])).collect()
}

/// Lines below the Backups pane's list, for the selected one.
pub const BACKUP_LINES: usize = 11;

/// Rows of the Backups pane's list.
pub fn backups_height(state: &State) -> usize {
    let lines = state.body_height();
    lines.saturating_sub(BACKUP_LINES).max(4).min(lines)
}

/// What tells a row of the Backups pane from others.
pub fn backup_id(state: &State, row: usize) -> Option<usize> {
    state.backup_rows.get(row).and_then(|place| state.shown().backups.get(*place)).map(|of| of.source)
}

/// What tells a row of the Alerts pane from others; there may be thousands, so that they are asked for one by one.
pub fn alert_id(state: &State, row: usize) -> Option<AlertId> {
    match state.alert_rows.get(row)? {
        AlertRow::Group(_) => None,
        AlertRow::Alert(place) => state.shown().alerts.get(*place).map(|alert| alert.id.clone()),
    }
}

/// What tells a cell of the Metrics pane from others.
pub fn metric_id(state: &State, row: usize) -> Option<String> {
    state.metric_rows.get(row).and_then(|place| state.estate.panels.get(*place)).map(|panel| panel.name.clone())
}

/// Points that a range query should bring for the plots on the screen: two Braille dots to a column.
pub fn points(state: &State) -> u16 {
    let (width, _) = state.size;
    if state.pane == Pane::Timeline || state.layers.iter().any(|layer| matches!(layer, Layer::Chart { .. })) {
        width.saturating_sub(12).max(10).saturating_mul(2)
    } else {
        grid(state.size, state.metric_rows.len()).points()
    }
}

/// The earliest moment at which the screen would change without a message: the next minute, a reading that goes stale,
/// the next second of a countdown to a try, a list that rests. Always later than `now`.
pub fn next_wake(state: &State) -> Timestamp {
    let now = state.now;
    let minute = Timestamp::from_second((now.as_second().div_euclid(60) + 1) * 60).unwrap_or(Timestamp::MAX);
    let frozen = state.frozen.iter().flat_map(|f| &f.readings);
    let stale = (state.readings.iter().chain(frozen))
        .filter(|reading| reading.freshness(now) == Freshness::Fresh)
        .filter_map(|reading| reading.goes_stale()?.checked_add(SignedDuration::from_millis(1)).ok());
    let counted = state.shown_readings().iter().enumerate().filter(|(i, _)| counts_down(state, *i)).filter_map(|(_, reading)| {
        reading.failure.as_ref()?;
        let left = reading.next_try?.duration_since(now);
        let part = SignedDuration::from_nanos(i64::from(left.subsec_nanos()));
        let step = if part > SignedDuration::ZERO { part } else { SignedDuration::from_secs(1) };
        if left > SignedDuration::ZERO { now.checked_add(step).ok() } else { None }
    });
    stale
        .chain(counted)
        .chain(state.deeds.wake())
        .chain(super::update::wizard::wake(state))
        .chain(chart::wake(state))
        .chain(logs::wake(state))
        .filter(|at| *at > now)
        .fold(minute, Timestamp::min)
}

/// True where the countdown to the source's next try is on the screen.
fn counts_down(state: &State, source: usize) -> bool {
    match state.layers.last() {
        None | Some(Layer::Filter) => state.pane == Pane::Overview,
        Some(Layer::Source { index, .. }) => *index == source,
        Some(_) => false,
    }
}
