//! Step 3: what it does, what it costs, what it does not take back, how long it takes, and each of its steps. Its
//! snapshot is `wizard_impact`.

use crate::app::page::Page;
use crate::app::state::State;
use crate::app::when;
use crate::model::age;
use crate::model::plan::{Act, Plan, TargetKind};
use crate::model::preferences::Token;
use jiff::SignedDuration;

use super::{Sheet, Wizard};

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    let Some(plan) = of.plan() else {
        page.text("? nothing is known before there is a plan", Token::Unknown);
        sheet.rows = page.done();
        return;
    };
    if !of.is_valid(state.now) {
        page.text("? this is the plan as it was: it is not valid any more, and cannot be gone on with", Token::Unknown);
    }
    lines(state, plan, &mut page);
    page.field("takes", &plan.impact.takes(), Token::Text);
    page.field(
        "plan",
        &format!("{}, made {} ago, expires {}", plan.phrase(), when::ago(state, plan.made_at), expiry(state, plan)),
        Token::Dim,
    );
    page.head(&format!("STEPS  {}, {} of them change something", plan.steps.len(), plan.changing().count()));
    for (number, step) in plan.steps.iter().enumerate() {
        let undo = match (&step.undo, &step.undone_with) {
            _ if !step.act.changes() => "only looks".to_owned(),
            (Some(_), _) => "can be taken back".to_owned(),
            (None, Some(with)) => format!("taken back together with {with}"),
            (None, None) => "cannot be taken back".to_owned(),
        };
        let person = if matches!(step.act, Act::Manual { .. }) { ", a person does it" } else { "" };
        let last = if step.point_of_no_return { "; from here on nothing is taken back" } else { "" };
        // What is on no host (a guard, a person's deed) is done by the run itself.
        let target = match plan.target_of(step) {
            Some(target) if target.kind == TargetKind::Outside => "the run",
            Some(target) => target.name.as_str(),
            None => "?",
        };
        let limit = age::exact(SignedDuration::from_secs(i64::from(step.timeout)));
        page.field(
            &format!("{:2}. {target}", number + 1),
            &format!("{} (at most {limit}; {undo}{person}{last})", when::in_zone(state, plan, &step.title)),
            Token::Text,
        );
    }
    sheet.rows = page.done();
}

/// What a plan does, costs, and what stays.
pub(super) fn lines(state: &State, plan: &Plan, page: &mut Page) {
    let impact = &plan.impact;
    for (name, all, token) in
        [("does", &impact.does, Token::Text), ("costs", &impact.costs, Token::Warning), ("stays", &impact.keeps, Token::Warning)]
    {
        if all.is_empty() {
            page.field(name, "nothing is known", Token::Dim);
        }
        for (at, line) in all.iter().enumerate() {
            page.field(if at == 0 { name } else { "" }, &when::in_zone(state, plan, line), token);
        }
    }
}

/// When a plan expires: `in 4m 12s`.
pub(super) fn expiry(state: &State, plan: &Plan) -> String {
    let left = plan.expires_at.duration_since(state.now);
    if left <= SignedDuration::ZERO { "now".to_owned() } else { format!("in {}", age::exact(SignedDuration::from_secs(left.as_secs()))) }
}
