//! Logs: opened on what is looked at, moved through, filtered, followed.

use jiff::Timestamp;

use crate::app::action::Action;
use crate::app::layer::{Layer, Pane};
use crate::app::logs::{self, Row, View, line};
use crate::app::state::{AlertRow, OverviewRow, State};
use crate::app::timeline;
use crate::model::log::Of;
use crate::model::needs::About;

use super::layers;

/// True where what is looked at is of a service, whose logs can be asked for.
pub fn has_logs(state: &State) -> bool {
    timeline::context(state).or_else(|| of_deployment(state)).is_some()
}

/// The logs of the service that is looked at; of an alert around the time at which it began.
pub(super) fn open(state: &mut State) {
    match timeline::context(state).or_else(|| of_deployment(state)) {
        Some(service) => {
            let at = began(state);
            show(state, Of::Service(service), at);
        }
        None => state.said = Some("what is selected is of no service: its logs are not known".to_owned()),
    }
}

fn of_deployment(state: &State) -> Option<String> {
    let row = (state.layers.is_empty() && state.pane == Pane::Deployments).then_some(state.deployments.list.row)?;
    state.window.rows.get(row).map(|one| one.service.clone())
}

/// Lays them on top.
pub(super) fn show(state: &mut State, of: Of, at: Option<Timestamp>) {
    layers::lay(state, Layer::Logs(View { of, at }));
}

/// When what is looked at began, where it is an alert, or happened, where it is a deployment.
fn began(state: &State) -> Option<Timestamp> {
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => return Some(alert.starts_at),
        Some(Layer::Deployment { deployment, .. }) => return Some(deployment.at),
        Some(_) => return None,
        None => {}
    }
    match state.pane {
        Pane::Alerts => match state.alert_rows.get(state.alerts.list.row)? {
            AlertRow::Alert(place) => state.shown().alerts.get(*place).map(|alert| alert.starts_at),
            AlertRow::Group(_) => None,
        },
        Pane::Deployments => state.window.rows.get(state.deployments.list.row).map(|one| one.at),
        Pane::Overview => match state.overview_rows.get(state.overview.list.row)? {
            OverviewRow::Need(place) => match &state.shown().needs.get(*place)?.about {
                About::Alerts(_, ids) => {
                    state.shown().alerts.iter().filter(|alert| ids.contains(&alert.id)).map(|alert| alert.starts_at).min()
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// True where the logs lie on top.
pub(super) fn is_on_top(state: &State) -> bool {
    matches!(state.layers.last(), Some(Layer::Logs(_))) && state.logs.is_some()
}

/// Does what an action means on them; false where it means there what it means elsewhere.
pub(super) fn run(state: &mut State, action: Action) -> bool {
    if !is_on_top(state) {
        return false;
    }
    match action {
        Action::Follow => follow(state),
        Action::Errors => {
            let on = state.logs.as_ref().is_some_and(|logs| !logs.errors);
            logs::ask_errors(state, on);
        }
        Action::NextHit => logs::seek(state, false),
        Action::PreviousHit => logs::seek(state, true),
        Action::Hits => match state.logs.as_ref().is_some_and(|logs| logs.filter.is_empty()) {
            true => state.said = Some("nothing is searched for: / and a word first".to_owned()),
            false => change(state, |logs| logs.among = !logs.among),
        },
        Action::Open => change(state, |logs| logs.whole = !logs.whole),
        Action::Filter => change(state, |logs| {
            logs.former = logs.filter.clone();
            logs.typed = logs.filter.text.clone();
            (logs.typing, logs.error, logs.among) = (true, None, false);
        }),
        Action::Accept => change(state, |logs| logs.typing &= logs.error.is_some()),
        Action::Timeline => moment(state),
        _ => return false,
    }
    true
}

fn change(state: &mut State, with: impl FnOnce(&mut logs::Logs)) {
    if let Some(logs) = &mut state.logs {
        with(logs);
    }
    logs::refresh(state);
}

/// Stops asking for more, or goes on at the end; around a moment: the newest instead.
fn follow(state: &mut State) {
    if let Some(Layer::Logs(view)) = state.layers.last_mut()
        && view.at.take().is_some()
    {
        return;
    }
    change(state, |logs| {
        logs.following = !logs.following;
    });
    if state.logs.as_ref().is_some_and(|logs| logs.following) {
        logs::jump(state);
    }
}

/// Esc: the filter goes first; true where it was that.
pub(super) fn back(state: &mut State) -> bool {
    if !is_on_top(state) {
        return false;
    }
    let Some(logs) = &mut state.logs else { return false };
    if logs.typing {
        logs.filter = logs.former.clone();
        (logs.typing, logs.error) = (false, None);
    } else if logs.whole {
        logs.whole = false;
    } else if !logs.filter.is_empty() || logs.errors {
        (logs.filter, logs.among) = (Default::default(), false);
        logs::ask_errors(state, false);
    } else {
        return false;
    }
    logs::refresh(state);
    true
}

/// What is typed of the filter changes.
pub(super) fn typed(state: &mut State, with: impl FnOnce(&mut String), cap: impl FnOnce(&mut String)) {
    let Some(logs) = state.logs.as_mut().filter(|logs| logs.typing) else { return };
    with(&mut logs.typed);
    cap(&mut logs.typed);
    match line::parse(&logs.typed) {
        Ok(filter) => (logs.filter, logs.error) = (filter, None),
        Err(why) => logs.error = Some(why),
    }
    logs::refresh(state);
}

/// The timeline of the service, around the time of the selected row.
fn moment(state: &mut State) {
    let Some(logs) = &state.logs else { return };
    let service = match &logs.view.of {
        Of::Service(name) => Some(name.clone()),
        Of::Host(_) => None,
    };
    let at = logs.rows.get(logs.row).map_or(state.now, Row::at);
    super::timeline::at_moment(state, service, at);
}
