//! Runs: what the journal tells of them comes in, what a person asks of one goes out. Leaving a run's page leaves it going.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::ask::Ask;
use crate::app::attention;
use crate::app::deployments::made::carried_on;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Scope, Spot};
use crate::app::operations::{self, ABORT, OperationRow, RequestForm, Sent};
use crate::app::palette::Goal;
use crate::app::pane;
use crate::app::state::State;
use crate::app::timeline;
use crate::app::wizard::Focus;
use crate::model::run::known::{KnownRun, Liveness, Runs};
use crate::model::run::{Request, StepState};

use super::layers;

/// What a key says that would change something, in a console that only reads.
pub(super) const READ_ONLY: &str = "not from here: this console was opened with --read-only";
/// What a key says that comes before its form could be read.
const EARLY: &str = "too early: keys count in a moment, this one did not";
/// What is asked where a run is to be taken up.
const TAKE_UP: &str = "take it up";

/// The runs, as they are now. Where they made other deployments than before, what is shown of these is derived anew.
pub(super) fn known(state: &mut State, runs: Runs) -> Vec<Effect> {
    for layer in &mut state.layers {
        if let Layer::Run { run, spot, .. } = layer
            && let Some(new) = runs.find(run)
            && follows(state.runs.find(run).map(|known| &**known), new, spot)
        {
            spot.selected = focus(new).or(spot.selected.take());
        }
    }
    attention::runs(state, &runs);
    // What kept something from being asked may be over: who carries the run out is another matter now.
    let stands = |of: &Runs, run: &str| of.find(run).map(|known| std::mem::discriminant(&known.alive));
    if let Some(sent) = &state.sent
        && matches!(sent.end, Some(Err(_)))
        && stands(&state.runs, &sent.run) != stands(&runs, &sent.run)
    {
        state.sent = None;
    }
    let made = carried_on(&state.made, &state.runs, &runs, &state.estate);
    let other = !Arc::ptr_eq(&made, &state.made);
    let acted = other || !same_states(&state.runs, &runs);
    (state.runs, state.made) = (runs, made);
    if acted {
        timeline::renew_acts(state);
    }
    pane::refresh(state);
    if other { vec![Effect::Derive] } else { Vec::new() }
}

/// True where the journal tells nothing new of any of them: a runner beat, or a job printed something.
fn same_states(before: &Runs, now: &Runs) -> bool {
    before.all.len() == now.all.len() && before.all.iter().zip(&now.all).all(|(a, b)| Arc::ptr_eq(&a.state, &b.state))
}

/// True where the selection goes on with the run: no step is selected yet, the selected one has just come to its end, or
/// it failed, was answered for, and now another one is asked about.
fn follows(old: Option<&KnownRun>, new: &KnownRun, spot: &Spot) -> bool {
    let Some(Goal::Step(step)) = &spot.selected else { return true };
    let open = |known: &KnownRun| {
        let state = known.state.place(step).map(|place| known.state.steps[place].state);
        matches!(state, Some(StepState::Waiting | StepState::Underway(_) | StepState::Unknown(_)))
    };
    let answered = |known: &KnownRun| {
        let state = known.state.place(step).map(|place| known.state.steps[place].state);
        matches!(state, Some(StepState::Failed | StepState::Refused | StepState::Untold(_) | StepState::UndoFailed | StepState::Skipped))
    };
    let other = || new.state.asked.as_ref().and_then(|(of, _)| of.as_ref()).is_some_and(|of| of != step);
    old.is_some_and(|old| (open(old) && !open(new)) || (old.state.asked.is_none() && answered(old) && other()))
}

/// The step that matters now: the one that the run asks about, else the one under way, else the next.
fn focus(known: &KnownRun) -> Option<Goal> {
    let run = &known.state;
    let first = |is: fn(StepState) -> bool| run.steps.iter().position(|step| is(step.state));
    let asked = run.asked.as_ref().and_then(|(step, _)| run.place(step.as_ref()?));
    let place = asked
        .or_else(|| first(|state| matches!(state, StepState::Underway(_) | StepState::Unknown(_))))
        .or_else(|| first(|state| state == StepState::Waiting).filter(|_| run.ended.is_none()))?;
    Some(Goal::Step(run.plan.steps[place].id.clone()))
}

/// Opens the run of the selected row.
pub(super) fn open(state: &mut State) {
    if let Some(OperationRow::Run(place)) = state.operation_rows.get(state.operations.list.row)
        && let Some(run) = state.runs.all.get(*place).map(|known| known.state.run.clone())
    {
        show(state, run);
    } else {
        state.said = Some(super::share::NOTHING.to_owned());
    }
}

/// Shows a run; the step that matters now is selected.
pub(super) fn show(state: &mut State, run: String) {
    let selected = state.runs.find(&run).and_then(|known| focus(known));
    layers::lay(state, Layer::Run { run, record: false, spot: Spot { scroll: 0, selected } });
}

/// The journal entries of the run that is shown, or the run again.
pub(super) fn record(state: &mut State) {
    if let Some(Layer::Run { record, spot, .. }) = state.layers.last_mut() {
        (*record, *spot) = (!*record, Spot::default());
        pane::settle_top(state);
    }
}

/// Pauses at once, or lets it go on.
pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    let Some((known, _)) = operations::shown(state) else { return Vec::new() };
    let run = known.state.run.clone();
    let reason = format!("by key, {}@{}", state.identity.user, state.identity.host);
    let request = if known.state.paused.is_some() { Request::Resume { reason } } else { Request::Pause { reason } };
    if known.state.ended.is_some() {
        return Vec::new();
    }
    send(state, run, request)
}

/// Opens the form that asks for a reason.
pub(super) fn begin(state: &mut State, action: Action) {
    let Some((known, step)) = operations::shown(state) else { return };
    // A key that is offered nowhere says nothing; of a run of another estate it must not seem to have been heard.
    if let Some(why) = operations::keeps_off(state, known).filter(|_| known.state.ended.is_none()) {
        let (run, before) = (known.state.run.clone(), known.state.requests.len());
        state.sent = Some(Sent { run, words: action.entry().short.to_owned(), before, end: Some(Err(why)) });
        return;
    }
    if !operations::offers(state, action) {
        if state.read_only {
            state.said = Some(READ_ONLY.to_owned());
        }
        return;
    }
    let (run, reason) = (known.state.run.clone(), String::new());
    let plan = step.and_then(|place| known.state.plan.steps.get(place));
    let request = match (action, plan) {
        (Action::AbortRun, _) => Request::Abort { reason },
        (Action::RetryStep, Some(plan)) => Request::Retry { step: plan.id.clone(), reason },
        (Action::SkipStep, Some(plan)) => Request::Skip { step: plan.id.clone(), reason },
        (Action::ConfirmStep, Some(plan)) => Request::Confirm { step: plan.id.clone(), reason },
        (Action::TakeBack, Some(_)) => match operations::one_back(&known.state, step) {
            Some(target) => Request::TakeBack { target: target.to_owned(), reason },
            None => return,
        },
        _ => return,
    };
    let form = RequestForm { run, request, focus: Focus::Cancel, typed: String::new(), reason: None, opened: state.now, error: None };
    state.layers.push(Layer::Request(form));
}

/// Opens the form that asks why a run whose runner is gone is taken up, on the run's page. Where it cannot be, the page
/// says why.
pub(super) fn take_up(state: &mut State) {
    if state.layers.is_empty() {
        open(state);
    }
    if let Some(Layer::Run { record, .. }) = state.layers.last_mut() {
        *record = false;
    }
    let Some((known, _)) = operations::shown(state) else { return };
    let (run, before) = (known.state.run.clone(), known.state.requests.len());
    if let Some(why) = operations::keeps_from_taking_up(state, known) {
        state.sent = Some(Sent { run, words: TAKE_UP.to_owned(), before, end: Some(Err(why)) });
        return;
    }
    let request = Request::Resume { reason: String::new() };
    let form = RequestForm { run, request, focus: Focus::Cancel, typed: String::new(), reason: None, opened: state.now, error: None };
    state.layers.push(Layer::Request(form));
}

/// Has it taken up, unless somebody else did meanwhile.
fn taken_up(state: &mut State, run: String, reason: String) -> Vec<Effect> {
    let known = state.runs.find(&run);
    let gone = || Some("the journal does not tell of it any more".to_owned());
    let end = known.map_or_else(gone, |known| operations::keeps_from_taking_up(state, known)).map(Err);
    let before = known.map_or(0, |known| known.state.requests.len());
    state.sent = Some(Sent { run: run.clone(), words: format!("{TAKE_UP}: {reason}"), before, end: end.clone() });
    if end.is_some() { Vec::new() } else { vec![Effect::Ask(Box::new(Ask::TakeUp { run, reason }))] }
}

/// From Cancel to the line of the form, and back.
pub(super) fn refocus(form: &mut RequestForm) {
    form.error = None;
    form.focus = match form.focus {
        Focus::Cancel => Focus::Phrase,
        Focus::Phrase => Focus::Cancel,
    };
}

/// Enter in the form: on Cancel it leaves it. On the line it takes the reason, and of an abort the word after it. An empty line asks nothing of a run.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(Layer::Request(form)) = state.layers.last_mut() else { return Vec::new() };
    if !form.is_settled(now) {
        form.error = Some(EARLY.to_owned());
        return Vec::new();
    }
    if form.focus == Focus::Cancel {
        state.layers.pop();
        state.said = Some("cancelled: nothing is asked of the run".to_owned());
        return Vec::new();
    }
    let typed = form.typed.trim().to_owned();
    let reason = match (&form.reason, &form.request) {
        (None, _) if typed.is_empty() => {
            form.error = Some("write why first".to_owned());
            return Vec::new();
        }
        (None, Request::Abort { .. }) => {
            (form.reason, form.error) = (Some(typed), None);
            form.typed.clear();
            form.opened = now;
            return Vec::new();
        }
        (None, _) => typed,
        (Some(_), _) if typed != ABORT => {
            form.error = Some(format!("type {ABORT}, or Esc"));
            return Vec::new();
        }
        (Some(reason), _) => reason.clone(),
    };
    let (run, mut request) = (form.run.clone(), form.request.clone());
    // Only that form asks to go on: of a run that lives it is asked by one key.
    if matches!(request, Request::Resume { .. }) {
        state.layers.pop();
        return taken_up(state, run, reason);
    }
    match &mut request {
        Request::Pause { reason: of }
        | Request::Resume { reason: of }
        | Request::Abort { reason: of }
        | Request::Retry { reason: of, .. }
        | Request::Skip { reason: of, .. }
        | Request::TakeBack { reason: of, .. }
        | Request::Confirm { reason: of, .. } => *of = reason,
    }
    state.layers.pop();
    send(state, run, request)
}

/// A key came before the form could be read.
pub(super) fn early(form: &mut RequestForm) {
    form.error = Some(EARLY.to_owned());
}

/// Why nothing is asked of a run whose runner is gone, and what to do.
fn gone(state: &State, known: &KnownRun) -> String {
    let key = state.keymap.key_for(Scope::Run, Action::ResumeRun);
    match (known.alive.keeps_from_taking_up(&known.state), key) {
        (None, Some(key)) => format!("its runner is gone: {key} takes it up"),
        (None, None) => "its runner is gone: take it up first".to_owned(),
        (Some(why), _) => why,
    }
}

fn send(state: &mut State, run: String, request: Request) -> Vec<Effect> {
    let known = state.runs.find(&run);
    let other = known.and_then(|known| operations::keeps_off(state, known));
    let refused = match known.map(|known| known.alive) {
        _ if state.read_only => Some("this console is read-only"),
        _ if other.is_some() => other.as_deref(),
        Some(Liveness::Elsewhere { .. }) => Some("its runner is on another machine: ask there"),
        Some(Liveness::Orphaned) => None,
        Some(Liveness::Over) | None => Some("nobody carries it out"),
        Some(Liveness::Live { .. } | Liveness::Silent { .. }) => None,
    };
    let before = known.map_or(0, |known| known.state.requests.len());
    let gone = known.filter(|known| known.alive == Liveness::Orphaned).map(|known| gone(state, known));
    let end = refused.map(str::to_owned).or(gone).map(Err);
    state.sent = Some(Sent { run: run.clone(), words: request.to_string(), before, end: end.clone() });
    if end.is_some() { Vec::new() } else { vec![Effect::Ask(Box::new(Ask::Request { run, request }))] }
}

/// How asking ended.
pub(super) fn requested(state: &mut State, run: &str, end: Result<(), String>) {
    if let Some(sent) = state.sent.as_mut().filter(|sent| sent.run == run) {
        sent.end = Some(end);
    }
}
