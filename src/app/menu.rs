//! The menu of a row: what can be done with it, what cannot be done now and why, the most dangerous last. It runs what
//! the keys run, and confirms nothing.

use crate::model::alert::Origin;
use crate::model::estate::SourceKind;
use crate::model::needs::can_go_back;
use crate::model::run::known::Liveness;

use super::action::{Action, Danger};
use super::chart;
use super::history::row;
use super::key::Chord;
use super::layer::{Layer, Pane};
use super::operations;
use super::share;
use super::silences;
use super::state::{AlertRow, State};
use super::timeline;
use super::update::wizard;

/// All that can be done with a row, from harmless to dangerous: a menu has them in this order.
pub const ROW_ACTIONS: &[Action] = &[
    Action::Open,
    Action::Near,
    Action::Timeline,
    Action::Logs,
    Action::Share,
    Action::ChartText,
    Action::Before,
    Action::Over,
    Action::Query,
    Action::Keep,
    Action::Longer,
    Action::Shorter,
    Action::Live,
    Action::Pick,
    Action::Muted,
    Action::Group,
    Action::Mark,
    Action::Compare,
    Action::Measures,
    Action::Record,
    Action::Verify,
    Action::Export,
    Action::PauseRun,
    Action::Ack,
    Action::Extend,
    Action::Silence,
    Action::Expire,
    Action::ResumeRun,
    Action::ConfirmStep,
    Action::RetryStep,
    Action::SkipStep,
    Action::TakeBack,
    Action::Processes,
    Action::Rollback,
    Action::AbortRun,
];

/// An open menu.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    /// What tells the row from others: where another one is there by the time of Enter, nothing is done.
    pub row: String,
    /// Its lines.
    pub items: Vec<MenuItem>,
    /// The selected one.
    pub selected: usize,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuItem {
    /// What it runs.
    pub action: Action,
    /// The key that runs it too; `None` where it has none here.
    pub key: Option<Chord>,
    /// What it does.
    pub text: String,
    /// Why it is not possible now; `None` where it is.
    pub why: Option<String>,
}

impl Menu {
    /// The menu of what is selected; `None` where nothing is. The first harmless line that is possible has the focus.
    pub fn of(state: &State) -> Option<Menu> {
        let row = row(state)?;
        let (lines, marked) = (state.keymap.all(state.scope()), wizard::alerts(state).len());
        let items: Vec<MenuItem> = ROW_ACTIONS
            .iter()
            .filter_map(|action| {
                let why = match possible(state, *action) {
                    Possible::Never => return None,
                    Possible::Yes => None,
                    Possible::NotNow(why) => Some(why),
                };
                let line = lines.iter().find(|(_, of, _)| of == action);
                let text = match action {
                    Action::Ack | Action::Silence | Action::Expire if marked > 1 => {
                        format!("all {marked} marked alerts, in one plan, by a wizard that asks before")
                    }
                    _ => line.map_or_else(|| action.entry().doc.to_owned(), |(.., doc)| doc.clone()),
                };
                Some(MenuItem { action: *action, key: line.and_then(|(keys, ..)| keys.first().copied()), text, why })
            })
            .collect();
        let harmless = |item: &MenuItem| item.why.is_none() && item.action.entry().danger == Danger::Look;
        let selected = items.iter().position(harmless).unwrap_or(0);
        (!items.is_empty()).then_some(Menu { row, items, selected })
    }

    /// Moves the selection, stopping at the ends.
    pub fn step(&mut self, by: isize) {
        self.selected = self.selected.saturating_add_signed(by).min(self.items.len().saturating_sub(1));
    }
}

/// Whether something can be done with what is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Possible {
    /// It makes no sense of such a row.
    Never,
    /// It would, but not as things stand: why.
    NotNow(String),
    /// Yes.
    Yes,
}

const READ_ONLY: &str = "this console only reads";

fn never_or(possible: bool) -> Possible {
    if possible { Possible::Yes } else { Possible::Never }
}

fn not_now(why: &str) -> Possible {
    Possible::NotNow(why.to_owned())
}

/// Whether that can be done with what is selected: the row of the pane, or the page on top with its line.
pub fn possible(state: &State, action: Action) -> Possible {
    let top = state.layers.last();
    let is_chart = matches!(top, Some(Layer::Chart { .. }));
    let is_run = matches!(top, Some(Layer::Run { .. }));
    let is_list_of = |pane| top.is_none() && state.pane == pane;
    let of_alert_row = is_list_of(Pane::Alerts) && matches!(state.alert_rows.get(state.alerts.list.row), Some(AlertRow::Alert(_)));
    let of_deployment = matches!(top, Some(Layer::Deployment { .. })) || is_list_of(Pane::Deployments);
    match action {
        Action::Open => never_or(!is_run && top.is_none_or(|layer| layer.spot().is_some_and(|spot| spot.selected.is_some()))),
        Action::Near => never_or(matches!(top, Some(Layer::Alert { .. })) || of_alert_row),
        Action::Timeline => never_or(!is_run),
        Action::ChartText | Action::Before | Action::Over => never_or(is_chart),
        Action::Live | Action::Longer | Action::Shorter => never_or(is_chart || is_list_of(Pane::Timeline)),
        Action::Query if is_chart && !chart::has_prometheus(state) => not_now("the estate has no Prometheus"),
        Action::Query => never_or(is_chart),
        Action::Keep if is_chart => match chart::is_typed(state) {
            true => Possible::Yes,
            false => not_now("it is a panel of the estate file already: only a query that was typed can become one"),
        },
        Action::Export => never_or(is_chart || is_list_of(Pane::Deployments)),
        // Where nothing says where they are, they say which key to add.
        Action::Logs => never_or(!is_run && timeline::context(state).is_some()),
        Action::Share => never_or(share::has_text(state)),
        Action::Pick => never_or(of_alert_row || is_list_of(Pane::Deployments) || operations::id_of_row(state).is_some()),
        Action::Muted | Action::Group => never_or(is_list_of(Pane::Alerts)),
        Action::Mark => never_or(of_deployment || matches!(top, Some(Layer::Diff { .. }))),
        Action::Compare if is_list_of(Pane::Deployments) && state.picks.deployments.len() > 2 => {
            not_now("more than two are marked: Esc clears all marks")
        }
        Action::Compare if is_list_of(Pane::Deployments) && state.picks.deployments.len() == 2 => Possible::Yes,
        Action::Compare if of_deployment => {
            let one = match top {
                Some(Layer::Deployment { deployment, .. }) => Some(deployment),
                _ => state.deployments.list.selected.as_ref().and_then(|key| state.deployment(key)),
            };
            let other =
                one.is_some_and(|one| state.marked.as_ref().is_some_and(|marked| marked.key != one.key) || state.beside(one).0.is_some());
            if other { Possible::Yes } else { not_now("none is marked, and none before it is known") }
        }
        Action::Measures => match top {
            Some(Layer::Service { .. }) if !state.tells_of_deployments() => not_now("nothing in the estate tells of deployments"),
            Some(Layer::Service { .. } | Layer::Dora { .. }) => Possible::Yes,
            _ => never_or(is_list_of(Pane::Deployments)),
        },
        Action::Record => never_or(is_run),
        Action::Verify => match top {
            Some(Layer::Source { index, .. }) => {
                never_or(state.estate.sources.get(*index).is_some_and(|source| matches!(source.kind, SourceKind::Backup(_))))
            }
            _ => never_or(is_list_of(Pane::Backups)),
        },
        Action::PauseRun | Action::AbortRun | Action::RetryStep | Action::SkipStep | Action::TakeBack | Action::ConfirmStep if is_run => {
            of_run(state, action)
        }
        Action::ResumeRun => take_up(state),
        Action::Ack | Action::Silence | Action::Extend | Action::Expire => of_alert(state, action),
        Action::Rollback => rollback(state),
        Action::Processes => processes(state),
        _ => Possible::Never,
    }
}

fn of_run(state: &State, action: Action) -> Possible {
    if operations::offers(state, action) {
        return Possible::Yes;
    }
    let Some((known, step)) = operations::shown(state) else { return Possible::Never };
    let why = match known.alive {
        _ if state.read_only => READ_ONLY,
        _ if known.state.ended.is_some() => "the run has ended",
        Liveness::Elsewhere { .. } => "its runner is on another machine: ask there",
        Liveness::Orphaned => "its runner is gone: it is taken up first",
        _ if known.state.runners == 0 => "it was not begun",
        _ if action == Action::AbortRun => "it is being taken back already",
        _ if action == Action::TakeBack && known.state.plan.targets.len() < 2 => "there is one target only: abort takes it back",
        _ if action == Action::TakeBack && step.is_some_and(|place| known.state.back_from(place).count() > 1) => {
            "several hosts could be taken back: select a step of the one that is meant"
        }
        _ if action == Action::TakeBack && step.is_some_and(|place| known.state.back_from(place).next().is_none()) => {
            "the step is on no host, and nothing was done on one that can be taken back"
        }
        _ if step.is_none() => "no step is selected",
        _ => "the selected step does not stand so that this could be done",
    };
    not_now(why)
}

/// Of a run that somebody carries out, or that is over, nobody would think of it.
fn take_up(state: &State) -> Possible {
    let left = |alive| matches!(alive, Liveness::Orphaned | Liveness::Silent { .. } | Liveness::Elsewhere { .. });
    match operations::meant(state).filter(|known| known.state.ended.is_none() && left(known.alive)) {
        None => Possible::Never,
        Some(known) => operations::keeps_from_taking_up(state, known).map_or(Possible::Yes, Possible::NotNow),
    }
}

fn of_alert(state: &State, action: Action) -> Possible {
    if let Some(Layer::Silences(_)) = state.layers.last() {
        return match wizard::refuses(state, action) {
            _ if silences::selected(state).is_none() => Possible::Never,
            _ if !matches!(action, Action::Extend | Action::Expire) => Possible::Never,
            Some(_) if state.read_only => not_now(READ_ONLY),
            Some(_) => Possible::Yes,
            None => not_now("it has ended"),
        };
    }
    let about = wizard::alerts(state);
    let Some(alert) = about.first() else { return Possible::Never };
    match wizard::refuses(state, action) {
        Some(None) if state.read_only => not_now(READ_ONLY),
        Some(None) if wizard::is_held(state) => not_now("a wizard is open below this page"),
        Some(None) => Possible::Yes,
        Some(Some(why)) => Possible::NotNow(why),
        None if about.len() > 1 && action == Action::Extend => {
            not_now("several are marked, and one silence gets another end: Esc clears marks")
        }
        None if about.len() > 1 && action == Action::Expire => not_now("no silence mutes any of the marked"),
        None if about.len() > 1 => not_now("no Alertmanager has any of the marked"),
        None if alert.origin == Origin::Quarterdeck => not_now("this console found it: no Alertmanager has it"),
        None if alert.origin == Origin::Prometheus => not_now("only a Prometheus tells of it: no Alertmanager has it"),
        None if matches!(action, Action::Extend | Action::Expire) => not_now("no silence mutes it"),
        None => not_now("its Alertmanager does not name it"),
    }
}

/// A restart, a stop and a start of the service that is meant.
fn processes(state: &State) -> Possible {
    match wizard::meant(state) {
        None => Possible::Never,
        Some(_) if state.read_only => not_now(READ_ONLY),
        Some(_) if wizard::is_held(state) => not_now("a wizard is open below this page"),
        Some(_) if wizard::acts(state) => Possible::Yes,
        Some(_) => not_now("the estate file does not say how, or on which hosts"),
    }
}

fn rollback(state: &State) -> Possible {
    let Some(name) = wizard::about(state) else {
        let of_alert = matches!(state.layers.last(), Some(Layer::Alert { .. }))
            || (state.layers.is_empty()
                && matches!(state.alert_rows.get(state.alerts.list.row), Some(AlertRow::Alert(_)))
                && state.pane == Pane::Alerts);
        return if of_alert { not_now("no service of the estate has its labels") } else { Possible::Never };
    };
    let goes_back = state.estate.service(&name).is_some_and(|service| can_go_back(&state.estate, service));
    match goes_back {
        _ if state.read_only => not_now(READ_ONLY),
        false => Possible::NotNow(format!("the estate does not say how {name} goes back")),
        true if wizard::is_held(state) => not_now("a wizard is open below this page"),
        true => Possible::Yes,
    }
}
