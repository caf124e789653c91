//! What a person agrees to in the wizard: overridden checks, broken glass, the reason, the phrase.

use std::sync::Arc;

use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::wizard::{Focus, REASON_CAP, Standing, Step, Typing, confirm};
use crate::model::check::{Override, Verdict};
use crate::model::text::is_hostile;

use super::{EARLY, back, is_deaf, next, say, top};

/// Takes what is typed, or what has the focus.
pub(in crate::app::update) fn accept(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open) else { return Vec::new() };
    of.said = None;
    if let Some(Typing { check, text }) = of.typing.take() {
        let text = text.trim().to_owned();
        match check {
            None => of.glass = Some(text).filter(|text| !text.is_empty()),
            Some(id) => {
                of.overrides.retain(|one| one.check != id);
                if !text.is_empty() {
                    of.overrides.push(Override { check: id, reason: text });
                }
            }
        }
        return Vec::new();
    }
    match (of.step, of.confirm.focus) {
        (Step::Reason, _) => {
            next(state);
            Vec::new()
        }
        (Step::Confirm, Focus::Cancel) => {
            back(state);
            say(state, "cancelled, one step back: nothing was started");
            Vec::new()
        }
        (Step::Confirm, Focus::Phrase) => {
            let Some(Layer::Wizard(of)) = state.layers.last() else { return Vec::new() };
            match (confirm::agreement(state, of), of.planned.clone()) {
                (Ok(agreement), Some(planned)) => {
                    let number = of.number;
                    if let Some(of) = top(state) {
                        of.standing = Standing::Starting(now);
                        of.confirm.typed.clear();
                    }
                    vec![Effect::Ask(Box::new(Ask::Start { number, plan: Arc::new(planned.plan.clone()), agreement }))]
                }
                (agreement, _) => {
                    let why = agreement.err();
                    if let Some(of) = top(state) {
                        of.said = why;
                    }
                    Vec::new()
                }
            }
        }
        _ => Vec::new(),
    }
}

/// Asks for the reason for which the selected check is overridden.
pub(in crate::app::update) fn begin_override(state: &mut State) {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Checks) else { return };
    let Some(check) = of.checks_selected().and_then(|at| of.checks.get(at)).cloned() else { return };
    of.said = None;
    match (check.verdict, check.overridable) {
        (Verdict::Pass, _) => of.said = Some(format!("{} passes: there is nothing to override", check.title)),
        (Verdict::Block, _) if check.glass => of.said = Some("it is not overridden: the glass is broken for it, with a reason".to_owned()),
        (Verdict::Block, _) | (Verdict::Unknown, false) => of.said = Some(format!("{} cannot be overridden", check.title)),
        (Verdict::Warn, _) | (Verdict::Unknown, true) => {
            let text = of.overrides.iter().find(|one| one.check == check.id).map(|one| one.reason.clone()).unwrap_or_default();
            of.check = Some(check.id.clone());
            of.typing = Some(Typing { check: Some(check.id), text });
        }
    }
}

/// Asks for the reason for which the glass is broken.
pub(in crate::app::update) fn break_glass(state: &mut State) {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Checks) else { return };
    if of.checks.iter().any(|check| check.glass && check.verdict == Verdict::Block) {
        of.typing = Some(Typing { check: None, text: of.glass.clone().unwrap_or_default() });
    } else {
        of.said = Some("no freeze stands in the way: there is no glass to break".to_owned());
    }
}

/// Changes what is being typed in it; false where nothing is.
pub(in crate::app::update) fn change(state: &mut State, with: impl FnOnce(&mut String)) -> bool {
    let deaf = is_deaf(state);
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open) else { return false };
    of.said = None;
    let (text, cap) = match (&mut of.typing, of.step) {
        (Some(typing), _) => (&mut typing.text, REASON_CAP),
        (None, Step::Reason) => (&mut of.reason, REASON_CAP),
        (None, Step::Confirm) if !deaf && of.confirm.focus == Focus::Phrase => (&mut of.confirm.typed, confirm::PHRASE_CAP),
        (None, Step::Confirm) => {
            let why = if deaf { EARLY } else { "nothing was typed: Tab to the line first; Enter here cancels" };
            of.said = Some(why.to_owned());
            return false;
        }
        _ => return false,
    };
    with(text);
    text.retain(|c| !is_hostile(c));
    while text.len() > cap {
        text.pop();
    }
    true
}

/// True where it lies on top and a paste is dropped: the phrase is typed by hands.
pub(in crate::app::update) fn drops_paste(state: &mut State) -> bool {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Confirm) else { return false };
    of.said = Some("pastes do not count here: type it".to_owned());
    true
}
