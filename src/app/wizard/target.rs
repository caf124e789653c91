//! Step 1: the service, its hosts, what runs where, and in which order they come. Its snapshot is `wizard_target`.

use crate::app::page::Page;
use crate::app::state::State;
use crate::app::when;
use crate::model::plan::{Act, Plan, TargetKind};
use crate::model::preferences::Token;

use super::{Sheet, Wizard};

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    page.head("WHAT");
    page.field("service", of.subject.name(), Token::Text);
    page.field("estate", &format!("{}, {}", state.estate.name, state.estate.environment), Token::Text);
    let Some(plan) = of.plan() else {
        page.text("? its hosts are not known before there is a plan", Token::Unknown);
        sheet.rows = page.done();
        return;
    };
    page.field("runs now", plan.from.as_deref().unwrap_or("? nobody knows"), Token::Text);
    page.head("HOSTS  in the order in which they are gone through");
    let batches = batches(plan);
    for (number, batch) in batches.iter().enumerate() {
        let side = if batch.len() > 1 { ", side by side" } else { "" };
        page.field(&format!("batch {}", number + 1), &format!("{} of {}{side}", count(batch.len()), batches.len()), Token::Dim);
        for target in batch {
            let Some(there) = plan.targets.get(*target) else { continue };
            let runs = plan.steps.iter().find_map(|step| match &step.act {
                Act::SwitchLink { from, .. } if step.target == *target => Some(from.as_str()),
                _ => None,
            });
            let place = match &there.kind {
                TargetKind::Releases { folder, ssh, .. } | TargetKind::Service { folder, ssh, .. } => {
                    format!("{folder}{}", ssh.as_deref().map_or_else(|| " on this machine".to_owned(), |ssh| format!(" over ssh {ssh}")))
                }
                TargetKind::Host { .. } | TargetKind::Alertmanager { .. } | TargetKind::Outside => String::new(),
            };
            page.field(&format!("  {}", there.name), &format!("{}  {place}", runs.unwrap_or("? unknown")), Token::Text);
        }
    }
    let others: Vec<&str> = plan.targets.iter().filter(|t| !is_host(&t.kind)).map(|t| t.name.as_str()).collect();
    if !others.is_empty() {
        page.field("and", &others.join(", "), Token::Text);
    }
    if !plan.evidence.is_empty() {
        page.head("SEEN");
        for one in &plan.evidence {
            page.field(&one.from, &format!("{}, {} ago", one.what, when::ago(state, one.as_of)), Token::Dim);
        }
    }
    sheet.rows = page.done();
}

fn count(hosts: usize) -> String {
    if hosts == 1 { "1 host".to_owned() } else { format!("{hosts} hosts") }
}

fn is_host(kind: &TargetKind) -> bool {
    kind.leasable().is_some()
}

/// The targets that hold releases, those that are begun side by side together: their first steps need the same.
pub(super) fn batches(plan: &Plan) -> Vec<Vec<usize>> {
    let mut batches: Vec<(&[String], Vec<usize>)> = Vec::new();
    for (target, _) in plan.targets.iter().enumerate().filter(|(_, target)| is_host(&target.kind)) {
        let Some(first) = plan.steps.iter().find(|step| step.target == target) else { continue };
        match batches.last_mut().filter(|(needs, _)| *needs == first.needs.as_slice()) {
            Some((_, batch)) => batch.push(target),
            None => batches.push((&first.needs, vec![target])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}
