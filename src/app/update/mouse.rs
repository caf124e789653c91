//! The mouse: a click selects, a click on what is selected looks closer, the wheel scrolls. Nothing of it confirms,
//! starts or changes anything of production; what it hits is told by ids, and what is not there any more is not hit.

use crate::app::action::{Action, Danger};
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane, Scope};
use crate::app::list::List;
use crate::app::palette::Goal;
use crate::app::state::State;
use crate::app::target::{Choice, RowId, Target};
use crate::app::wizard::Step;
use crate::app::{databases, focus, logs, operations, overview, page, pane, timeline};

use super::{keys, layers, leave, lists, silences, verify, wizard};

/// Something was clicked on.
pub(super) fn click(state: &mut State, target: Target) -> Vec<Effect> {
    state.touch();
    leave::turn(state);
    match target {
        Target::Row(id) => row(state, &id),
        Target::Line(goal) => line(state, &goal),
        Target::Found(goal) => return found(state, &goal),
        Target::Choice(choice) => self::choice(state, &choice),
        Target::Order(place) => verify::choose(state, place),
        Target::Log(number, at) => {
            if logs::pick(state, number, at) == Some(true) {
                return keys::run(state, Action::Open);
            }
        }
        Target::Key(scope, action) if scope == state.scope() && can_be_clicked(state, action) => return keys::run(state, action),
        Target::Key(..) => {}
    }
    Vec::new()
}

/// True where a click on the footer does what the key does. What asks for a change of production is for keys, and so is
/// Enter wherever something is agreed to, written or begun: a click may have been meant for another window.
pub fn can_be_clicked(state: &State, action: Action) -> bool {
    if action.entry().danger == Danger::Production || !state.scope().footer().contains(&action) {
        return false;
    }
    match action {
        Action::Accept => match state.layers.last() {
            Some(Layer::Filter) => true,
            Some(Layer::Palette(palette)) => palette.goal().is_some_and(only_looks),
            _ => false,
        },
        Action::StartVerification => false,
        _ => true,
    }
}

/// True for a goal that leads to a view, and not towards a change of production.
fn only_looks(goal: &Goal) -> bool {
    match goal {
        Goal::Run(action) => action.entry().danger != Danger::Production && *action != Action::StartVerification,
        Goal::Rollback(_) | Goal::Processes(..) => false,
        _ => true,
    }
}

/// Selects a row of the pane; where it was selected already, looks closer.
fn row(state: &mut State, id: &RowId) {
    if let (Some(Layer::Silences(_)), RowId::Silence(id)) = (state.layers.last(), id) {
        if silences::choose(state, id) == Some(true) {
            silences::run(state, Action::Open);
        }
        return;
    }
    let filtering = match state.layers.last() {
        None => false,
        Some(Layer::Filter) => true,
        Some(_) => return,
    };
    let height = state.body_height();
    let again = match (state.pane, id) {
        (Pane::Overview, RowId::Overview(id)) => {
            let again = overview::choose(state, id);
            focus::renew(state);
            again
        }
        (Pane::Alerts, RowId::Alert(id)) => {
            let mut list = std::mem::take(&mut state.alerts.list);
            let again = list.choose(state.alert_rows.len(), |row| pane::alert_id(state, row), id, height);
            state.alerts.list = list;
            again
        }
        (Pane::Metrics, RowId::Panel(id)) => {
            let room = crate::app::grid::grid(state.size, state.metric_rows.len());
            let mut list = std::mem::take(&mut state.metrics.list);
            let again = list.choose(state.metric_rows.len(), |row| pane::metric_id(state, row), id, room.across * room.down);
            state.metrics.list = list;
            again
        }
        (Pane::Databases, RowId::Node(id)) => {
            let mut list = std::mem::take(&mut state.databases.list);
            let again = list.choose(state.database_rows.len(), |row| databases::id(state, row), id, height);
            state.databases.list = list;
            again
        }
        (Pane::Backups, RowId::Backup(id)) => {
            let height = pane::backups_height(state);
            let mut list = std::mem::take(&mut state.backups.list);
            let again = list.choose(state.backup_rows.len(), |row| pane::backup_id(state, row), id, height);
            state.backups.list = list;
            again
        }
        // While the cursor waits for rows, they are about to be others.
        (Pane::Deployments, RowId::Deployment(_)) if state.window.holds() => None,
        (Pane::Deployments, RowId::Deployment(id)) => {
            let rows = &state.window.rows;
            let height = crate::app::deployments::window::height(state);
            state.deployments.list.choose(rows.len(), |row| rows.get(row).map(|one| one.key.clone()), id, height)
        }
        (Pane::Operations, RowId::Run(id)) => {
            let mut list = std::mem::take(&mut state.operations.list);
            let again = list.choose(state.operation_rows.len(), |row| operations::id(state, row), id, height);
            state.operations.list = list;
            again
        }
        (Pane::Timeline, RowId::Event(id)) => {
            let height = timeline::height(state);
            let mut list = std::mem::take(&mut state.timeline.list.list);
            let again = list.choose(state.timeline.rows.len(), |row| timeline::id(state, row), id, height);
            state.timeline.list.list = list;
            state.timeline.cursor = timeline::event(state, state.timeline.list.list.row).map(|event| timeline::moment(state, event));
            again
        }
        _ => None,
    };
    if again == Some(true) && !filtering {
        layers::open(state);
    }
}

/// Selects a line of the page on top; where it was selected already, looks closer.
fn line(state: &mut State, goal: &Goal) {
    let Some(top) = state.layers.last() else { return };
    let there = page::lines(state, top, state.size.0).1.iter().any(|row| row.opens.as_ref() == Some(goal));
    let Some(spot) = state.layers.last_mut().and_then(Layer::spot_mut).filter(|_| there) else { return };
    if spot.selected.as_ref() == Some(goal) {
        layers::open(state);
    } else {
        spot.selected = Some(goal.clone());
        // A page may say more of what is selected: that stays on the screen.
        pane::settle_top(state);
    }
}

/// Selects a line of the palette; where it was selected already, goes there, unless that leads towards a change.
fn found(state: &mut State, goal: &Goal) -> Vec<Effect> {
    let Some(Layer::Palette(palette)) = state.layers.last_mut() else { return Vec::new() };
    let place = palette.found.iter().position(|at| palette.items.get(*at).is_some_and(|item| item.goal == *goal));
    let Some(place) = place else { return Vec::new() };
    if std::mem::replace(&mut palette.selected, place) == place && only_looks(goal) {
        return layers::accept(state);
    }
    Vec::new()
}

/// Selects one of what the wizard's step offers. Who shipped a release is looked at by clicking on it again.
fn choice(state: &mut State, choice: &Choice) {
    if wizard::pick(state, choice) == Some(true) && matches!(choice, Choice::Release(_)) {
        wizard::look_closer(state);
    }
}

/// The wheel was turned by so many lines, over the right one of two columns where `right`. A wizard's choices go by
/// single steps, and a dialog's focus never by the wheel.
pub(super) fn wheel(state: &mut State, by: isize, right: bool) -> Vec<Effect> {
    state.touch();
    match state.layers.last() {
        Some(Layer::Wizard(of)) => {
            let by = if matches!(of.step, Step::Target | Step::Release | Step::Checks | Step::What) { by.signum() } else { by };
            if state.scope() != Scope::Confirm {
                wizard::scroll(state, by);
            }
        }
        Some(Layer::Request(_) | Layer::Chart { .. } | Layer::Export(_)) => {}
        Some(Layer::Verify { .. }) => verify::step(state, by.signum()),
        Some(Layer::Filter) | None => scroll(state, by, right),
        Some(_) => lists::scroll_top(state, by),
    }
    Vec::new()
}

/// Scrolls a list; the selection stays where it is until it would leave the screen.
fn scroll(state: &mut State, by: isize, right: bool) {
    let room = state.body_height();
    match state.pane {
        Pane::Overview => {
            overview::scroll_by(state, by, right);
            focus::renew(state);
        }
        Pane::Alerts => {
            let mut list = std::mem::take(&mut state.alerts.list);
            list.scroll_by(state.alert_rows.len(), |row| pane::alert_id(state, row), by, room);
            state.alerts.list = list;
        }
        Pane::Databases => {
            let mut list = std::mem::take(&mut state.databases.list);
            list.scroll_by(state.database_rows.len(), |row| databases::id(state, row), by, room);
            state.databases.list = list;
        }
        Pane::Backups => {
            let room = pane::backups_height(state);
            let mut list = std::mem::take(&mut state.backups.list);
            list.scroll_by(state.backup_rows.len(), |row| pane::backup_id(state, row), by, room);
            state.backups.list = list;
        }
        Pane::Operations => {
            let mut list = std::mem::take(&mut state.operations.list);
            list.scroll_by(state.operation_rows.len(), |row| operations::id(state, row), by, room);
            state.operations.list = list;
        }
        Pane::Timeline => {
            let room = timeline::height(state);
            let mut list: List<_> = std::mem::take(&mut state.timeline.list.list);
            list.scroll_by(state.timeline.rows.len(), |row| timeline::id(state, row), by, room);
            state.timeline.list.list = list;
        }
        // Its rows come in pieces that follow the cursor; and whole lines of charts are what a screen has.
        Pane::Deployments => crate::app::deployments::window::walk(state, if by > 0 { Action::Down } else { Action::Up }, by),
        Pane::Metrics => lists::walk(state, if by > 0 { Action::Down } else { Action::Up }),
    }
}
