//! What the open wizard wants of the world by itself: its plan, made anew when the world has moved, and its checks, again and
//! again.

use std::sync::Arc;

use jiff::SignedDuration;

use super::go;
use crate::app::ask::{Ask, WishOf};
use crate::app::effect::Effect;
use crate::app::layer::Layer;
use crate::app::state::State;
use crate::app::wizard::{AGAIN, Standing, Step, confirm, held};

/// What the wizard wants now: a plan, its checks anew, or that what was made ready for it be dropped.
pub(in crate::app::update) fn wanted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(of) = held(state) else {
        return if std::mem::take(&mut state.wizards.prepared) { vec![Effect::Ask(Box::new(Ask::Close))] } else { Vec::new() };
    };
    if of.standing != Standing::Open {
        return Vec::new();
    }
    let current = !of.wants && of.asked.is_none() && of.problem.is_none();
    let mut moved = if current && of.planned.is_some() { of.seen.moved(state, &of.subject) } else { Vec::new() };
    if current && let Some(plan) = of.plan().filter(|plan| now >= plan.expires_at) {
        moved.push(format!("the plan {} expired at {}", plan.phrase(), crate::app::when::minute(state, plan.expires_at)));
    }
    let (wizards, layers) = (&mut state.wizards, &mut state.layers);
    let Some(of) = layers.iter_mut().find_map(|layer| if let Layer::Wizard(of) = layer { Some(of) } else { None }) else {
        return Vec::new();
    };
    if !moved.is_empty() {
        moved.into_iter().for_each(|line| of.note(line));
        of.wants = true;
        if of.is_past(Step::Impact) {
            go(of, Step::Impact);
        }
    }
    if std::mem::take(&mut of.wants)
        && let Some(wish) = of.wish()
    {
        wizards.numbers += 1;
        wizards.prepared = true;
        of.number = wizards.numbers;
        (of.asked, of.problem, of.checking) = (Some(now), None, None);
        of.heard.clear();
        of.wished = Some(wish.clone());
        let ask = Ask::Plan { number: of.number, wish };
        return vec![Effect::Ask(Box::new(ask))];
    }
    let live = of.step == Step::Checks || of.is_past(Step::Checks);
    let due = of.checked.is_none_or(|at| now.duration_since(at) >= AGAIN);
    if live && due && of.checking.is_none() && of.is_valid(now) {
        of.checking = Some(now);
        of.heard.clear();
        if let Some(planned) = &of.planned {
            let plan = Arc::new(planned.plan.clone());
            // The version that the plan chose is the one to make it anew with.
            let wish = match &of.wished {
                Some(WishOf::Rollback { service, without, .. }) => {
                    WishOf::Rollback { service: service.clone(), to: plan.to.clone(), without: without.clone() }
                }
                Some(wish) => wish.clone(),
                None => return Vec::new(),
            };
            return vec![Effect::Ask(Box::new(Ask::Check { number: of.number, plan, wish }))];
        }
    }
    Vec::new()
}

/// When the wizard changes next by itself; `None` where it does not.
pub(crate) fn wake(state: &State) -> Option<jiff::Timestamp> {
    let of = held(state).filter(|of| of.standing == Standing::Open || matches!(of.standing, Standing::Starting(_)))?;
    let busy = matches!(of.standing, Standing::Starting(_)) || of.asked.is_some() || of.step == Step::Impact || of.is_past(Step::Impact);
    let second = busy.then(|| state.now.checked_add(SignedDuration::from_secs(1)).ok()).flatten();
    let heard = state.wizards.shown.and_then(|shown| shown.since.checked_add(confirm::DEAF).ok()).filter(|at| *at > state.now);
    match (second, heard) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
