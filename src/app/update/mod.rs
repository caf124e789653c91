//! The one place that changes the state: a message in, effects out.

mod contexts;
mod data;
mod deeds;
mod deployments;
mod history;
mod keys;
mod layers;
mod leave;
mod lists;
mod logs;
mod menu;
mod metrics;
mod mouse;
mod prompt;
mod runs;
mod share;
mod silences;
mod stood;
mod timeline;
mod typing;
pub(crate) mod verify;
mod views;
pub(crate) mod wizard;

use super::ask::Told;
use super::attention;
use super::chart;
use super::deployments::window;
use super::effect::Effect;
use super::history::row;
use super::logs as app_logs;
use super::message::Message;
use super::pane;
use super::state::State;
use super::themes;
use super::timeline as app_timeline;

pub use logs::has_logs;
pub use mouse::can_be_clicked;
pub use typing::{judge, narrow};
pub use views::show as show_view;

/// Takes in what happened. `state.now` is already the moment of the message.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let before = state.demand;
    let from = matches!(message, Message::Key(_) | Message::Told(_)).then(|| history::here(state));
    if matches!(message, Message::Key(_) | Message::Paste(_) | Message::Focus(true)) {
        let since = state.attention.since;
        attention::looks(state);
        if state.attention.since != since {
            pane::refresh(state);
        }
    }
    // What a person does moves the cursor because they want it to.
    // The events of a window that a person wanted come after it.
    let wanted = matches!(message, Message::Merged(_)) && std::mem::take(&mut state.timeline.by_hand);
    let by_itself = !wanted
        && !matches!(
            message,
            Message::Key(_) | Message::Paste(_) | Message::Click(_) | Message::Wheel { .. } | Message::Resize(..) | Message::Focus(_)
        );
    let under = row(state);
    let mut effects = match message {
        Message::Key(key) => keys::press(state, key),
        Message::Focus(_) => {
            state.attention.looked = Some(state.now);
            Vec::new()
        }
        Message::Paste(text) => {
            state.pending = None;
            typing::paste(state, &text);
            Vec::new()
        }
        Message::Click(target) => mouse::click(state, target),
        Message::Wheel { by, right } => mouse::wheel(state, isize::from(by), right),
        Message::Resize(columns, rows) => {
            state.size = (columns, rows);
            pane::refresh(state);
            app_logs::refresh(state);
            Vec::new()
        }
        Message::Tick => data::tick(state),
        Message::Polling(source) => {
            data::polling(state, source);
            Vec::new()
        }
        Message::Read { source, outcome, next_try } => data::read(state, source, outcome, next_try),
        Message::Derived(derived) => data::derived(state, *derived),
        Message::Merged(merged) => {
            timeline::merged(state, *merged);
            Vec::new()
        }
        Message::Cached(all) => {
            data::cached(state, all);
            Vec::new()
        }
        Message::HistoryChanged(changes) => {
            state.history_changes = changes;
            state.window.outdate();
            Vec::new()
        }
        Message::Ground(ground) => {
            themes::told(&mut state.look, ground);
            Vec::new()
        }
        Message::Notice(what) => {
            data::notice(state, what);
            Vec::new()
        }
        Message::Runs(runs) => runs::known(state, *runs),
        Message::Told(told) => self::told(state, *told),
    };
    data::age(state);
    stood::look(state, under.as_ref());
    let other = row(state).filter(|row| under.as_ref() != Some(row));
    match by_itself {
        true if under.is_some() && other.is_some() => state.slid = Some(state.now),
        // Where a person went they know what they went to.
        false if other.is_some() => state.slid = None,
        _ => {}
    }
    if let Some(from) = from {
        history::note(state, from);
    }
    effects.extend(deployments::go_on(state));
    effects.extend(deeds::wanted(state));
    effects.extend(deeds::listed(state));
    effects.extend(app_timeline::wanted(state));
    effects.extend(chart::wanted(state));
    effects.extend(prompt::words(state));
    effects.extend(app_logs::wanted(state));
    effects.extend(wizard::wanted(state));
    effects.extend(attention::due(state).map(|call| Effect::Attend(Box::new(call))));
    effects.extend(attention::title(state).map(Effect::Title));
    if std::mem::take(&mut state.merge) {
        state.timeline.by_hand |= !by_itself;
        effects.push(Effect::Merge);
    }
    state.demand.points = pane::points(state);
    if state.demand != before {
        effects.push(Effect::Demand(state.demand));
    }
    effects
}

/// The answer to what a view asked.
fn told(state: &mut State, told: Told) -> Vec<Effect> {
    match told {
        Told::Contexts(found) => contexts::looked(state, found),
        Told::Context(name, result) => return contexts::read(state, &name, result),
        Told::Deployments(rows) => return deployments::rows(state, rows),
        Told::DeploymentCount { number, count, done } => window::count_is(state, number, count, done),
        Told::DeploymentNeighbours { key, before, after } => window::neighbours_are(state, &key, (before, after)),
        Told::Export(number, far) => share::exported(state, number, far),
        Told::Did { key, did } => deeds::did(state, &key, did),
        Told::Diff { from, to, found } => deeds::different(state, &from, &to, &found),
        Told::Dora { table } => deeds::measured(state, &table),
        Told::Logs { view, index, heard } => app_logs::told(state, view, index, heard),
        Told::Timeline(from, to, past) => {
            chart::bars::told(state, from, to, &past);
            app_timeline::told(state, from, to, past);
        }
        Told::Queries(told) => prompt::queries(state, told),
        Told::Names { source, result } => prompt::names(state, source, result),
        Told::Words { of, result } => prompt::told(state, of, result),
        Told::Chart { slot, number, result } => chart::told(state, slot, number, result),
        Told::Requested { run, end } => runs::requested(state, &run, end),
        Told::Proofs(proofs, problem) => return verify::known(state, proofs, problem),
        Told::Plan { number, result } => wizard::planned(state, number, result),
        Told::Heard { number, host, end } => wizard::heard(state, number, host, end),
        Told::Checks { number, checks } => wizard::checked(state, number, checks),
        Told::Started { number, result } => wizard::started(state, number, result),
        Told::Copied(said) => share::copied(state, said),
        Told::ViewSaved { view, end } => views::saved(state, *view, end),
        Told::ThemeKept(end) => {
            if let Err(why) = end {
                state.said = Some(format!("the theme is not kept for the next start: {why}"));
            }
        }
        Told::Closed => {}
        Told::Verification(source, news) => return verify::told(state, source, *news),
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
