//! Alerts that are marked, to do something with all of them: by id, whatever comes and goes around them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::alert::{Alert, AlertId};

use super::layer::Pane;
use super::pane::still;
use super::state::{AlertRow, State};

/// Marks at the most: more than that is a filter's work, and nobody reads a text of more.
pub const MARKS_CAP: usize = 50;
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

/// Marks the selected alert, or takes its mark away.
pub fn pick(state: &mut State) {
    if state.pane != Pane::Alerts || !state.layers.is_empty() {
        return;
    }
    let Some(AlertRow::Alert(place)) = state.alert_rows.get(state.alerts.list.row) else { return };
    let Some(alert) = state.shown().alerts.get(*place).cloned() else { return };
    if let Some(at) = state.marks.all.iter().position(|marked| marked.id == alert.id) {
        state.marks.all.remove(at);
    } else if state.marks.all.len() < MARKS_CAP {
        state.marks.all.push(alert);
    } else {
        state.said = Some(format!("{MARKS_CAP} are marked, and no more can be: Esc clears all marks"));
    }
    renew(state);
}

/// Finds the marked alerts again after the data or the rows changed; which of them have ended is said.
pub fn renew(state: &mut State) {
    if state.marks.all.is_empty() {
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
pub fn words(marks: &Marks) -> String {
    let unseen = if marks.unseen > 0 { format!(", {} not shown", marks.unseen) } else { String::new() };
    format!("marked {}{unseen} (at most {MARKS_CAP})", marks.all.len())
}
