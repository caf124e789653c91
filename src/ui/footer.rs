//! The keys that stand in the last line: those that matter on this screen and do something now.

use crate::app::action::Action;
use crate::app::chart;
use crate::app::history::row;
use crate::app::key::{Code, Key};
use crate::app::layer::{Layer, Pane, Scope, scope};
use crate::app::marks;
use crate::app::operations;
use crate::app::prompt::sources;
use crate::app::share;
use crate::app::state::State;
use crate::app::update;
use crate::app::wizard::Focus;
use crate::model::estate::SourceKind;
use crate::model::needs::can_go_back;

use super::widget::canvas::cells;

/// One key of the footer.
pub struct Hint {
    /// Its first column.
    pub x: u16,
    /// The key.
    pub key: String,
    /// What it does, in a word or two.
    pub short: &'static str,
    /// The same as an action.
    pub action: Action,
}

/// The keys that matter here, as far as there is room for them.
pub fn hints(state: &State, width: u16) -> Vec<Hint> {
    let scope = scope(state.pane, &state.layers);
    let mut wanted: Vec<Hint> = Vec::new();
    for action in scope.footer() {
        if *action == Action::Open && leads_nowhere(state) {
            continue;
        }
        if is_idle(state, *action) {
            continue;
        }
        let Some(key) = state.keymap.key_for(scope, *action) else { continue };
        if arrows(state, scope, *action).is_some_and(|(_, first)| first != *action) {
            continue;
        }
        let (key, short) = match arrows(state, scope, *action) {
            Some((keys, _)) => (keys.to_owned(), "move"),
            None => (key.to_string(), short(state, *action)),
        };
        wanted.push(Hint { x: 0, key, short, action: *action });
    }
    // What leads to all other keys is there on every screen, however narrow: room is kept for it.
    let always = |of: &Hint| matches!(of.action, Action::Help | Action::Menu);
    let wide = |of: &Hint| cells(&of.key) + 1 + cells(of.short);
    let mut kept: u16 = wanted.iter().filter(|of| always(of)).map(|of| wide(of) + 2).sum();
    let (mut x, mut full, mut all) = (0, false, Vec::new());
    for mut hint in wanted {
        let wide = wide(&hint);
        if always(&hint) {
            kept = kept.saturating_sub(wide + 2);
        } else if full || x + wide + kept > width {
            full = true;
            continue;
        }
        if x + wide > width {
            break;
        }
        hint.x = x;
        x += wide + 2;
        all.push(hint);
    }
    all
}

/// Two arrow keys as one: how both are shown, and the action that stands for both. `None` for all other keys.
fn arrows(state: &State, scope: Scope, action: Action) -> Option<(&'static str, Action)> {
    let shown = |of, key| state.keymap.key_for(scope, of) == Some(Key::plain(key).into());
    let plain = |of: Action| scope.footer().contains(&of) && !is_idle(state, of) && short(state, of) == of.entry().short;
    let ascii = state.look.ascii;
    match action {
        Action::Down | Action::Up if shown(Action::Down, Code::Down) && shown(Action::Up, Code::Up) => {
            let both = plain(Action::Down) && plain(Action::Up);
            both.then_some((if ascii { "down/up" } else { "↓↑" }, Action::Down))
        }
        Action::Left | Action::Right if shown(Action::Left, Code::Left) && shown(Action::Right, Code::Right) => {
            let both = plain(Action::Left) && plain(Action::Right);
            both.then_some((if ascii { "left/right" } else { "←→" }, Action::Left))
        }
        _ => None,
    }
}

/// What a key does here, in a word or two.
fn short(state: &State, action: Action) -> &'static str {
    match (action, state.layers.last()) {
        (Action::Compare, None) if state.picks.deployments.len() == 2 => "compare the two",
        (Action::Share, None) if marks::any(state) => "copy marked",
        (Action::Export, None) if !state.picks.deployments.is_empty() => "export marked",
        (Action::Ack, None) if state.marks.all.len() > 1 => "ack marked",
        (Action::Silence, None) if state.marks.all.len() > 1 => "silence marked",
        (Action::Expire, None) if state.marks.all.len() > 1 => "end silences",
        (Action::Measures, Some(Layer::Dora { .. })) => "next window",
        (Action::Mark, _) if marked(state) => "no base",
        (Action::Filter, Some(Layer::Help { .. })) => "search",
        (Action::Accept, Some(Layer::Menu(_))) => "do it",
        (Action::Accept, Some(Layer::Views(_))) => "show it",
        (Action::Accept, Some(Layer::SaveView(_))) => "save it",
        (action, Some(Layer::Wizard(of))) => of.short(action).unwrap_or(action.entry().short),
        (Action::Accept, Some(Layer::Themes(_))) => "keep",
        (Action::Accept, Some(Layer::Contexts(_))) => "open",
        (Action::Back, Some(Layer::Themes(_))) => "the former one",
        (Action::Accept, Some(Layer::Request(of))) if of.focus == Focus::Cancel => "cancel",
        (Action::Accept, Some(Layer::Request(_))) => "go on, once it is typed",
        (Action::Down, Some(Layer::Request(_))) => "cancel or line",
        (Action::PauseRun, _) if operations::shown(state).is_some_and(|(known, _)| known.state.paused.is_some()) => "go on",
        _ => action.entry().short,
    }
}

/// True where the deployment that is looked at is the marked one.
fn marked(state: &State) -> bool {
    let key = match state.layers.last() {
        Some(Layer::Deployment { deployment, .. }) => Some(&deployment.key),
        Some(Layer::Diff { to, .. }) => Some(&to.key),
        None => state.deployments.list.selected.as_ref(),
        _ => None,
    };
    key.is_some_and(|key| state.marked.as_ref().is_some_and(|marked| marked.key == *key))
}

/// True on a page of which no line can be opened, and where no row is selected.
fn leads_nowhere(state: &State) -> bool {
    match state.layers.last() {
        Some(Layer::Alert { spot, .. } | Layer::Deployment { spot, .. } | Layer::Service { spot, .. } | Layer::Source { spot, .. }) => {
            spot.selected.is_none()
        }
        None => row(state).is_none(),
        _ => false,
    }
}

/// True for a key that does nothing here now: verifying what is no backup, stopping what is not under way, comparing what
/// is no deployment.
fn is_idle(state: &State, action: Action) -> bool {
    let no_row = state.pane != Pane::Deployments || state.window.rows.is_empty();
    match (action, state.layers.last()) {
        (action, Some(Layer::Wizard(of))) => of.ignores(action),
        (Action::Share, _) => !share::has_text(state),
        (Action::Select, layer) => !matches!(layer, Some(Layer::Share { .. })),
        (Action::Menu, _) => row(state).is_none(),
        (Action::Pick, _) => row(state).is_none(),
        (Action::Compare | Action::Mark | Action::Export, None) => no_row,
        (Action::NextHit, _) => state.logs.as_ref().is_none_or(|logs| logs.filter.is_empty()),
        (Action::Logs, _) => !update::has_logs(state),
        (Action::Accept, Some(Layer::Themes(of))) => of.offer(&state.look.offers).is_some_and(|offer| offer.found.is_err()),
        (Action::Keep, _) => state.chart.typed.as_ref().is_none_or(|typed| Some(typed.name.as_str()) != chart::name(state)),
        (Action::Query, _) => !chart::has_prometheus(state),
        (Action::NextSource, _) => sources(state).len() < 2,
        (
            Action::PauseRun
            | Action::ResumeRun
            | Action::AbortRun
            | Action::RetryStep
            | Action::SkipStep
            | Action::TakeBack
            | Action::ConfirmStep,
            _,
        ) => !operations::offers(state, action),
        (Action::Compare, layer) => !matches!(layer, Some(Layer::Deployment { .. })),
        (Action::Mark, layer) => !matches!(layer, Some(Layer::Deployment { .. } | Layer::Diff { .. })),
        (Action::Measures, None) => state.pane != Pane::Deployments || !state.tells_of_deployments(),
        (Action::Measures, Some(Layer::Service { .. })) => !state.tells_of_deployments(),
        (Action::Measures, layer) => !matches!(layer, Some(Layer::Dora { .. })),
        (Action::Verify, Some(Layer::Source { index, .. })) => {
            !state.estate.sources.get(*index).is_some_and(|source| matches!(source.kind, SourceKind::Backup(_)))
        }
        (Action::Verify, Some(_)) => true,
        (Action::Rollback | Action::Ack | Action::Silence | Action::Extend | Action::Expire, _) if state.read_only => true,
        // Most rows and most panels are of services that have no releases.
        (Action::Rollback, _) => {
            let service = update::wizard::about(state).and_then(|name| state.estate.service(&name));
            service.is_none_or(|service| !can_go_back(&state.estate, service))
        }
        (Action::Processes, _) => !update::wizard::acts(state),
        (Action::Ack | Action::Silence | Action::Extend | Action::Expire, _) => !update::wizard::offers(state, action),
        (Action::StartVerification, Some(Layer::Verify { index, .. })) => state.verifying.running.contains_key(index),
        (Action::StopVerification, Some(Layer::Verify { index, .. })) => !state.verifying.running.contains_key(index),
        _ => false,
    }
}

#[cfg(test)]
pub(in crate::ui) mod tests;
