//! A key: what it means on the top layer, and the doing of it.

use jiff::SignedDuration;

use crate::app::action::{Action, Danger};
use crate::app::chart;
use crate::app::contexts::held_up;
use crate::app::effect::Effect;
use crate::app::history::Search;
use crate::app::key::{Code, Key};
use crate::app::layer::{Layer, Pane, Scope};
use crate::app::menu::{Possible, possible};
use crate::app::palette::Palette;
use crate::app::state::{Frozen, State};
use crate::app::{marks, pane, themes};
use crate::model::preferences::ZoneChoice;

use super::{
    contexts, deeds, history, layers, leave, lists, logs, menu, metrics, prompt, runs, share, silences, timeline, typing, verify, views,
    wizard,
};

/// A key was pressed.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Effect> {
    state.touch();
    state.said = None;
    leave::turn(state);
    let scope = state.scope();
    if let Some((place, first)) = state.pending.take() {
        // What is on top may have changed meanwhile: then the first key meant something else.
        let action = state.keymap.second(scope, first, key).filter(|_| place == scope);
        if action.is_none() && key.code != Code::Esc {
            state.said = Some(format!("`{first} {key}` does nothing here"));
        }
        return action.map_or_else(Vec::new, |action| run(state, action));
    }
    if let Some(action) = state.keymap.find(scope, key) {
        return run(state, action);
    }
    if let (
        Scope::Input | Scope::Palette | Scope::Prompt | Scope::Reason | Scope::Confirm,
        Key { code: Code::Char(c), ctrl: false, alt: false },
    ) = (scope, key)
    {
        typing::put(state, c);
    }
    if state.keymap.is_first(scope, key) {
        state.pending = Some((scope, key));
        return Vec::new();
    }
    if let Some(why) = elsewhere(state, scope, key) {
        state.said = Some(why);
        return Vec::new();
    }
    menu::press(state, key)
}

/// Why a key that works everywhere else does nothing in a wizard; `None` where it has no such meaning.
fn elsewhere(state: &State, scope: Scope, key: Key) -> Option<String> {
    if scope != Scope::Wizard {
        return None;
    }
    match state.keymap.find(Scope::Global, key)? {
        Action::Contexts => held_up(state),
        Action::Palette | Action::Views | Action::Theme => {
            let leave = state.keymap.key_for(scope, Action::Close).map_or_else(String::new, |leave| format!("; {leave} leaves it"));
            Some(format!("`{key}` does nothing in a wizard: what was chosen would be gone{leave}"))
        }
        _ => None,
    }
}

/// A key that asks for a change counts from then on, after the row under the cursor became another one by itself: before that
/// a person cannot have read which one it is now.
pub(super) const SLID: SignedDuration = SignedDuration::from_secs(2);

/// Why such a key does not count now; `None` where it does. A page stays with what it is about.
fn slid(state: &State, action: Action) -> Option<String> {
    let of_a_row = matches!(state.layers.last(), None | Some(Layer::Silences(_)));
    let early = state.slid.is_some_and(|at| state.now.duration_since(at) < SLID);
    if !early || !of_a_row || action.entry().danger != Danger::Production {
        return None;
    }
    let key = state.keymap.key_for(state.scope(), action).map_or_else(String::new, |key| format!("{key}: "));
    Some(format!("{key}too early: the row under the cursor has just changed; read it, press again"))
}

/// Does what an action says, on the top layer.
pub(super) fn run(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(why) = slid(state, action) {
        state.said = Some(why);
        return Vec::new();
    }
    if logs::run(state, action) {
        return Vec::new();
    }
    if wizard::is_on_top(state)
        && let Some(effects) = wizard::run(state, action)
    {
        return effects;
    }
    if silences::run(state, action) {
        return Vec::new();
    }
    match action {
        Action::Quit => return leave::quit(state),
        Action::Interrupt => return vec![Effect::Quit(130)],
        Action::Close if !layers::pop(state) => return leave::quit(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Refresh => {
            chart::retry(state);
            return vec![Effect::Poll(None)];
        }
        Action::Accept => return layers::accept(state),
        Action::Back => return layers::back(state),
        Action::Earlier => return history::go(state, false),
        Action::Later => return history::go(state, true),
        Action::Menu => menu::open(state),
        Action::Views => views::open(state),
        Action::Pick if state.pane == Pane::Deployments && state.layers.is_empty() && state.window.keep(action) => {}
        Action::Pick => marks::pick(state),
        Action::Help if !matches!(state.layers.last(), Some(Layer::Help { .. })) => {
            state.layers.push(Layer::Help { scroll: 0, search: Search::default() });
        }
        Action::Palette if !matches!(state.layers.last(), Some(Layer::Palette(_))) => {
            let palette = Palette::open(state);
            state.layers.push(Layer::Palette(palette));
        }
        Action::Filter => typing::begin(state),
        Action::Overview => layers::show(state, Pane::Overview),
        Action::Alerts => layers::show(state, Pane::Alerts),
        Action::Metrics => layers::show(state, Pane::Metrics),
        Action::Databases => layers::show(state, Pane::Databases),
        Action::Backups => layers::show(state, Pane::Backups),
        Action::Deployments => layers::show(state, Pane::Deployments),
        Action::Operations => layers::show(state, Pane::Operations),
        Action::Timeline => timeline::open(state),
        Action::Near => timeline::near(state),
        Action::Silences => silences::show(state, None),
        Action::Logs => logs::open(state),
        Action::Follow | Action::Errors | Action::NextHit | Action::PreviousHit | Action::Hits => {}
        // The row that is meant may not be there yet.
        Action::Share if state.pane == Pane::Deployments && state.layers.is_empty() && state.window.keep(action) => {}
        Action::Share => return share::share(state),
        Action::Select => share::select(state),
        Action::Export if matches!(state.layers.last(), Some(Layer::Chart { .. })) => prompt::export(state),
        Action::Export => share::begin(state),
        Action::Query => return prompt::open(state),
        Action::Keep => return prompt::keep(state),
        Action::ChartText => return prompt::tell(state),
        Action::Up | Action::Down | Action::Complete | Action::NextSource if matches!(state.layers.last(), Some(Layer::Prompt(_))) => {
            return prompt::run(state, action);
        }
        Action::Complete | Action::NextSource => {}
        Action::Mark => deeds::mark(state),
        Action::Compare => return deeds::compare(state),
        Action::Measures => return deeds::measures(state),
        Action::Verify => verify::open(state),
        Action::StartVerification => return verify::start(state),
        Action::StopVerification => return verify::stop(state),
        Action::PauseRun => return runs::pause(state),
        Action::ResumeRun => runs::take_up(state),
        Action::AbortRun | Action::RetryStep | Action::SkipStep | Action::TakeBack | Action::ConfirmStep => runs::begin(state, action),
        Action::Record => runs::record(state),
        Action::Rollback | Action::Processes | Action::Ack | Action::Silence | Action::Extend | Action::Expire => {
            let before = state.layers.len();
            match (action, possible(state, action)) {
                (Action::Rollback, _) => wizard::open(state),
                (Action::Processes, _) => wizard::open_processes(state),
                (_, Possible::NotNow(why)) if !state.read_only && !wizard::offers(state, action) => {
                    state.said = Some(format!("{}: not now, {why}", action.entry().short));
                }
                _ => wizard::open_silence(state, action),
            }
            // The wizard's page says why itself; where there is none, the key does.
            if state.read_only && state.layers.len() == before {
                state.said = Some(runs::READ_ONLY.to_owned());
            }
        }
        Action::NextPane => layers::show(state, neighbour(state.pane, 1)),
        Action::PreviousPane => layers::show(state, neighbour(state.pane, Pane::ALL.len() - 1)),
        Action::Down
        | Action::Up
        | Action::Left
        | Action::Right
        | Action::Top
        | Action::Bottom
        | Action::HalfDown
        | Action::HalfUp
        | Action::PageDown
        | Action::PageUp => lists::walk(state, action),
        Action::Open => layers::open(state),
        Action::Muted => {
            state.show_muted = !state.show_muted;
            pane::refresh(state);
        }
        Action::Group => {
            state.grouped = !state.grouped;
            pane::refresh(state);
        }
        Action::Longer | Action::Shorter if on_timeline(state) => timeline::window(state, action == Action::Longer),
        Action::Live if on_timeline(state) => timeline::live(state),
        Action::Longer => metrics::range(state, true),
        Action::Shorter => metrics::range(state, false),
        Action::Live => metrics::live(state),
        Action::PanBack | Action::PanOn => metrics::pan(state, action == Action::PanOn),
        Action::Before => metrics::compare(state),
        Action::Over => metrics::choose(state),
        Action::Freeze => freeze(state),
        Action::Zone => {
            state.look.zone = match state.look.zone {
                ZoneChoice::Utc => ZoneChoice::Local,
                ZoneChoice::Local if state.estate.zone.is_some() => ZoneChoice::Estate,
                ZoneChoice::Local | ZoneChoice::Estate => ZoneChoice::Utc,
            }
        }
        Action::Contexts => return contexts::open(state),
        Action::Theme => themes::open(state),
        Action::Mouse => state.mouse = !state.mouse,
        Action::Erase | Action::EraseWord | Action::EraseAll => typing::erase(state, action),
        Action::Next | Action::Toggle | Action::Override | Action::BreakGlass => {}
        Action::Close | Action::Help | Action::Palette | Action::Nothing => {}
    }
    Vec::new()
}

fn on_timeline(state: &State) -> bool {
    state.pane == Pane::Timeline && state.layers.is_empty()
}

fn neighbour(pane: Pane, by: usize) -> Pane {
    let at = Pane::ALL.iter().position(|p| *p == pane).unwrap_or(0);
    Pane::ALL[(at + by) % Pane::ALL.len()]
}

/// Holds what is shown still, or lets it go on. Readings come in all the while.
fn freeze(state: &mut State) {
    state.frozen = match state.frozen.take() {
        Some(_) => None,
        None => Some(Frozen { at: state.now, readings: state.readings.clone(), view: state.view.clone() }),
    };
    pane::refresh(state);
}
