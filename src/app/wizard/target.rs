//! Step 1: the service, its hosts in the order in which they come, what runs where, and which of them are left out. Its
//! snapshots are `wizard_target`, `wizard_left_out`.

use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::page::{Page, Row};
use crate::app::state::State;
use crate::app::target::Choice;
use crate::app::when;
use crate::app::wrap::fit;
use crate::model::plan::{Act, Leasable, Plan, TargetKind};
use crate::model::preferences::Token;

use super::{Sheet, Subject, Wizard};

/// The hosts of the service in the estate file's order, those that are left out too.
pub fn hosts(state: &State, of: &Wizard) -> Vec<String> {
    // Also those that are left as they are answer: whether anybody goes on serving is asked of all.
    if let Subject::Processes(of) = &of.subject {
        return of.hosts.iter().map(|(host, _)| host.clone()).collect();
    }
    let mut all: Vec<String> =
        of.subject.service().map_or_else(Vec::new, |name| state.estate.release_hosts(name)).into_iter().map(str::to_owned).collect();
    // What the plan names and the file does not any more is there all the same.
    let planned = of.plan().into_iter().flat_map(|plan| plan.targets.iter().filter(|target| is_host(&target.kind)));
    for target in planned {
        if !all.contains(&target.name) {
            all.push(target.name.clone());
        }
    }
    all
}

/// The place of the selected one of these hosts.
pub fn selected(of: &Wizard, hosts: &[String]) -> Option<usize> {
    let chosen = of.host.as_ref().and_then(|host| hosts.iter().position(|one| one == host));
    chosen.or(if hosts.is_empty() { None } else { Some(0) })
}

/// The hosts whose answer is awaited, in a line: `web2, web3`; `None` where none is.
pub(super) fn awaited(state: &State, of: &Wizard) -> Option<String> {
    const NAMED: usize = 4;
    if of.asked.is_none() && of.checking.is_none() {
        return None;
    }
    let planned = |host: &String| of.plan().is_some_and(|plan| plan.targets.iter().any(|target| target.name == *host));
    // A plan asks all of them, its checks only those that it is about.
    let asked = |host: &String| !of.subject.without().contains(host) && (of.asked.is_some() || planned(host));
    let left: Vec<String> = hosts(state, of).into_iter().filter(|host| asked(host) && !of.heard.contains_key(host)).collect();
    let more = left.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!left.is_empty()).then(|| format!("{}{more}", left[..left.len().min(NAMED)].join(", ")))
}

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    page.head("WHAT");
    page.field("service", of.subject.name(), Token::Text);
    page.field("estate", &format!("{}, {}", state.estate.name, state.estate.environment), Token::Text);
    if let Some(plan) = of.plan() {
        page.field("runs now", plan.from.as_deref().unwrap_or("? nobody knows"), Token::Text);
    }
    let hosts = hosts(state, of);
    if hosts.is_empty() {
        page.text("? its hosts are not known before there is a plan", Token::Unknown);
        sheet.rows = page.done();
        return;
    }
    let key = state.keymap.key_for(Scope::Wizard, Action::Toggle).map_or_else(String::new, |key| format!("; {key} leaves one out"));
    page.head(&format!("HOSTS  in their order{key}"));
    sheet.rows = page.done();
    let selected = selected(of, &hosts);
    let wide = hosts.iter().map(|host| host.chars().count()).max().unwrap_or(0).min(24);
    for (place, host) in hosts.iter().enumerate() {
        let here = Some(place) == selected;
        if here {
            sheet.selected = Some(sheet.rows.len());
        }
        sheet.choices.push((sheet.rows.len(), Choice::Host(host.clone())));
        let out = of.subject.without().contains(host);
        let (text, token) = stands(state, of, host, out);
        let name = fit(host, wide, state.look.ascii);
        let mark = format!("{} [{}] {name:wide$}", if here { '>' } else { ' ' }, if out { ' ' } else { 'x' });
        let text = fit(&text, usize::from(width).saturating_sub(mark.chars().count() + 2), state.look.ascii);
        let spans = vec![(mark, if here { Token::Selected } else { Token::Text }), (format!("  {text}"), token)];
        sheet.rows.push(Row { spans, opens: None });
        if here {
            sheet.rows.extend(details(state, of, host, width));
        }
    }
    let end = sheet.rows.len();
    sheet.rows.extend(rest(state, of, &hosts, width));
    sheet.end = Some(end);
}

/// How one host stands: what runs there and when its turn comes.
fn stands(state: &State, of: &Wizard, host: &str, out: bool) -> (String, Token) {
    if out {
        return ("! left out: it is not asked, and keeps what runs there".to_owned(), Token::Warning);
    }
    match (of.heard.get(host), of.asked) {
        (Some(Err(why)), _) => return (format!("? {}", why.strip_prefix(&format!("{host}: ")).unwrap_or(why)), Token::Unknown),
        (Some(Ok(())), Some(_)) => return ("answered".to_owned(), Token::Text),
        (None, Some(at)) => {
            return (format!("asking... {} s", state.now.duration_since(at).as_secs().max(0)), Token::Dim);
        }
        (Some(Ok(())), None) if of.plan().is_none() => return ("answered".to_owned(), Token::Text),
        (Some(Ok(())) | None, None) => {}
    }
    let current = of.problem.is_none() && of.asked.is_none() && !of.wants;
    let Some(plan) = of.plan() else { return ("? not known before there is a plan".to_owned(), Token::Unknown) };
    let Some(target) = plan.targets.iter().position(|target| is_host(&target.kind) && target.name == host) else {
        let to = plan.to.as_deref().unwrap_or("?");
        return match current && !plan.impact.left_out().any(|one| one == host) {
            true => (format!("runs {to} already: nothing is done there"), Token::Dim),
            false => ("? not known before there is a plan".to_owned(), Token::Unknown),
        };
    };
    let runs = plan.steps.iter().find_map(|step| match &step.act {
        Act::SwitchLink { from, .. } if step.target == target => Some(from.as_str()),
        _ => None,
    });
    let batches = batches(plan);
    let turn = batches.iter().position(|batch| batch.contains(&target)).unwrap_or(0);
    let side = if batches.get(turn).is_some_and(|batch| batch.len() > 1) { ", side by side" } else { "" };
    (format!("{}  batch {} of {}{side}", runs.unwrap_or("? unknown"), turn + 1, batches.len()), Token::Text)
}

/// What is known of the selected host beside that.
fn details(state: &State, of: &Wizard, host: &str, width: u16) -> Vec<Row> {
    let mut page = Page::new(width);
    let Some(plan) = of.plan() else { return Vec::new() };
    let target = plan.targets.iter().find(|target| target.name == host);
    if let Some(Leasable { folder, ssh, .. }) = target.and_then(|target| target.kind.leasable()) {
        let way = ssh.map_or_else(|| " on this machine".to_owned(), |ssh| format!(" over ssh {ssh}"));
        page.field("    place", &format!("{folder}{way}"), Token::Dim);
    }
    for one in plan.evidence.iter().filter(|one| one.from == host) {
        page.field("    seen", &format!("{}, {} ago", one.what, when::ago(state, one.as_of)), Token::Dim);
    }
    page.done()
}

/// What the plan touches beside the hosts, and what else it was made from.
fn rest(state: &State, of: &Wizard, hosts: &[String], width: u16) -> Vec<Row> {
    let mut page = Page::new(width);
    let Some(plan) = of.plan() else { return Vec::new() };
    let others: Vec<&str> =
        plan.targets.iter().filter(|t| !is_host(&t.kind) && t.kind != TargetKind::Outside).map(|t| t.name.as_str()).collect();
    if !others.is_empty() {
        page.field("and", &others.join(", "), Token::Text);
    }
    let mut seen = plan.evidence.iter().filter(|one| !hosts.contains(&one.from)).peekable();
    if seen.peek().is_some() {
        page.head("SEEN");
    }
    for one in seen {
        page.field(&one.from, &format!("{}, {} ago", one.what, when::ago(state, one.as_of)), Token::Dim);
    }
    page.done()
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
