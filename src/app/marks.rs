//! Rows that are marked, to do something with all of them: alerts, deployments and runs; by what they are, whatever comes
//! and goes around them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::alert::{Alert, AlertId};
use crate::model::deployment::Deployment;
use crate::model::plan::silence::MOST;

use super::layer::Pane;
use super::operations;
use super::pane::still;
use super::state::{AlertRow, State};

/// Marks at the most: more than that is a filter's work, and nobody reads a text or a plan of more.
pub const MARKS_CAP: usize = MOST;
/// Names of alerts that have ended, as far as they are said.
const NAMED: usize = 3;

/// The marks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// The alerts in the order in which they were marked, each as it was last seen.
    pub all: Vec<Arc<Alert>>,
    /// How many of them no row shows: the filter leaves them out, or the muted are hidden.
    pub unseen: usize,
}

impl Marks {
    /// True where that one is marked.
    pub fn has(&self, id: &AlertId) -> bool {
        self.all.iter().any(|alert| alert.id == *id)
    }

    /// Takes all marks away; false where there were none.
    pub fn clear(&mut self) -> bool {
        let any = !self.all.is_empty();
        *self = Marks::default();
        any
    }
}

/// The alerts that a key is about on the Alerts pane: the marked ones where there are any, in the order of the list, also
/// those that the filter leaves out; else the one of the selected row. Empty on other panes and on pages.
pub fn marked_rows(state: &State) -> Vec<Arc<Alert>> {
    if state.pane != Pane::Alerts || !state.layers.is_empty() {
        return Vec::new();
    }
    let all = &state.shown().alerts;
    if !state.marks.all.is_empty() {
        let ids: HashSet<&AlertId> = state.marks.all.iter().map(|alert| &alert.id).collect();
        return all.iter().filter(|alert| ids.contains(&alert.id)).cloned().collect();
    }
    match state.alert_rows.get(state.alerts.list.row) {
        Some(AlertRow::Alert(place)) => all.get(*place).cloned().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What is marked on the panes of deployments and of runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picks {
    /// The deployments in the order in which they were marked, each as it was last told.
    pub deployments: Vec<Arc<Deployment>>,
    /// The runs in the order in which they were marked, by id.
    pub runs: Vec<String>,
}

/// Marks the selected row, or takes its mark away. Where nothing is done with several rows that is said.
pub fn pick(state: &mut State) {
    if !state.layers.is_empty() {
        state.said = Some("marks are of rows, and this is a page of one: mark it in its list".to_owned());
        return;
    }
    let done = match state.pane {
        Pane::Alerts => pick_alert(state),
        Pane::Deployments => {
            let Some(one) = state.window.rows.get(state.deployments.list.row).cloned() else { return };
            toggle(&mut state.picks.deployments, one, |a, b| a.key == b.key)
        }
        Pane::Operations => match operations::id(state, state.operations.list.row) {
            Some(run) => toggle(&mut state.picks.runs, run, |a, b| a == b),
            None => return,
        },
        Pane::Overview | Pane::Metrics | Pane::Databases | Pane::Backups | Pane::Timeline => {
            Err("no marks here: they are on Alerts, Deployments and Operations".to_owned())
        }
    };
    if let Err(why) = done {
        state.said = Some(why);
    }
}

fn pick_alert(state: &mut State) -> Result<(), String> {
    let Some(AlertRow::Alert(place)) = state.alert_rows.get(state.alerts.list.row) else {
        return Err("this line is the head of a group: mark its alerts".to_owned());
    };
    let Some(alert) = state.shown().alerts.get(*place).cloned() else { return Ok(()) };
    toggle(&mut state.marks.all, alert, |a, b| a.id == b.id)?;
    renew(state);
    Ok(())
}

/// Adds it, or takes it away.
fn toggle<T>(marked: &mut Vec<T>, one: T, same: impl Fn(&T, &T) -> bool) -> Result<(), String> {
    match marked.iter().position(|known| same(known, &one)) {
        Some(at) => {
            marked.remove(at);
        }
        None if marked.len() < MARKS_CAP => marked.push(one),
        None => return Err(format!("{MARKS_CAP} are marked, and no more can be: Esc clears all marks")),
    }
    Ok(())
}

/// Takes all marks of the pane away; false where there were none.
pub fn clear(state: &mut State) -> bool {
    match state.pane {
        Pane::Alerts => state.marks.clear(),
        Pane::Deployments => !std::mem::take(&mut state.picks.deployments).is_empty(),
        Pane::Operations => !std::mem::take(&mut state.picks.runs).is_empty(),
        Pane::Overview | Pane::Metrics | Pane::Databases | Pane::Backups | Pane::Timeline => false,
    }
}

/// What the marks on these alerts were made for was begun: they go. Those that were made meanwhile stay.
pub fn done(state: &mut State, of: &[Arc<Alert>]) {
    for was in of {
        if let Some(id) = still(&state.marks.all, was).map(|alert| alert.id.clone()) {
            state.marks.all.retain(|alert| alert.id != id);
        }
    }
    renew(state);
}

/// True where rows of the pane are marked, and it is looked at.
pub fn any(state: &State) -> bool {
    state.layers.is_empty()
        && match state.pane {
            Pane::Alerts => !state.marks.all.is_empty(),
            Pane::Deployments => !state.picks.deployments.is_empty(),
            Pane::Operations => !state.picks.runs.is_empty(),
            Pane::Overview | Pane::Metrics | Pane::Databases | Pane::Backups | Pane::Timeline => false,
        }
}

/// How many rows of the pane are marked, in words; empty where none is.
pub fn chip(state: &State) -> String {
    let (marked, unseen) = match state.pane {
        Pane::Alerts => (state.marks.all.len(), state.marks.unseen),
        // Their rows come in pieces: what no row shows may just be further down.
        Pane::Deployments => (state.picks.deployments.len(), 0),
        Pane::Operations => {
            let picked: HashSet<&str> = state.picks.runs.iter().map(String::as_str).collect();
            (picked.len(), if picked.is_empty() { 0 } else { picked.len() - operations::shown_of(state, &picked) })
        }
        Pane::Overview | Pane::Metrics | Pane::Databases | Pane::Backups | Pane::Timeline => (0, 0),
    };
    if marked == 0 { String::new() } else { words(marked, unseen) }
}

/// Finds the marked alerts again after the data or the rows changed; which of them have ended is said.
pub fn renew(state: &mut State) {
    if state.marks.all.is_empty() {
        state.marks.unseen = 0;
        return;
    }
    let alerts = &state.shown().alerts;
    let places: HashMap<&AlertId, &Arc<Alert>> = alerts.iter().map(|alert| (&alert.id, alert)).collect();
    let (mut kept, mut ended): (Vec<Arc<Alert>>, Vec<String>) = (Vec::new(), Vec::new());
    for was in &state.marks.all {
        match places.get(&was.id).copied().or_else(|| still(alerts, was)) {
            Some(now) if kept.iter().any(|one| one.id == now.id) => {}
            Some(now) => kept.push(now.clone()),
            None => ended.push(was.name().to_owned()),
        }
    }
    let mut unseen: HashSet<&AlertId> = kept.iter().map(|alert| &alert.id).collect();
    for row in &state.alert_rows {
        if let AlertRow::Alert(place) = row
            && let Some(alert) = alerts.get(*place)
        {
            unseen.remove(&alert.id);
        }
    }
    let unseen = unseen.len();
    state.marks = Marks { all: kept, unseen };
    if !ended.is_empty() {
        let more = ended.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        ended.truncate(NAMED);
        state.said = Some(format!("marked and ended meanwhile: {}{more}", ended.join(", ")));
    }
}

/// How many are marked, in words.
fn words(marked: usize, unseen: usize) -> String {
    let unseen = if unseen > 0 { format!(", {unseen} not shown") } else { String::new() };
    format!("marked {marked}{unseen} (at most {MARKS_CAP})")
}
