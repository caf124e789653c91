//! The wizard of a rollback under hands: opened on a service, gone through, confirmed; and the world moving meanwhile.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::app::action::Action;
use crate::app::ask::Ask;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane};
use crate::app::state::{AlertRow, OverviewRow, State};
use crate::app::wizard::{self, AGAIN, Focus, REASON_CAP, Seen, Standing, Step, Typing, Wizard, confirm, held, held_mut};
use crate::model::alert::Alert;
use crate::model::check::{Check, Override, Verdict};
use crate::model::plan::Planned;
use crate::model::text::is_hostile;

use super::layers;

/// The service that a key is about: of the page on top, else of the selected row; `None` where there is none.
pub(crate) fn about(state: &State) -> Option<String> {
    let of_alert =
        |alert: &Alert| state.estate.services.iter().find(|service| service.labels.covers(&alert.labels)).map(|s| s.name.clone());
    let known = |name: &String| state.estate.service(name).is_some();
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => of_alert(alert),
        Some(Layer::Deployment { deployment, .. }) => Some(deployment.service.clone()),
        Some(Layer::Diff { to, .. }) => Some(to.service.clone()),
        Some(Layer::Service { name, .. }) => Some(name.clone()),
        Some(_) => None,
        None => match state.pane {
            Pane::Deployments => {
                let key = state.deployments.list.selected.as_ref()?;
                state.deployment(key).map(|one| one.service.clone())
            }
            Pane::Alerts => match state.alert_rows.get(state.alerts.list.row)? {
                AlertRow::Alert(place) => of_alert(state.shown().alerts.get(*place)?),
                AlertRow::Group(_) => None,
            },
            Pane::Overview => match state.overview_rows.get(state.overview.list.row)? {
                OverviewRow::Service(place) => state.estate.services.get(*place).map(|service| service.name.clone()),
                OverviewRow::Deployment(place) => state.shown().deployments.all.get(*place).map(|one| one.service.clone()),
                _ => None,
            },
            Pane::Metrics | Pane::Databases | Pane::Backups | Pane::Timeline => None,
        },
    }
    .filter(known)
}

/// Opens it on what a key is about.
pub(super) fn open(state: &mut State) {
    if let Some(service) = about(state) {
        open_on(state, service);
    }
}

/// Opens it on a service. Nothing but a plan is asked for.
pub(super) fn open_on(state: &mut State, service: String) {
    // One at a time: one that lies below is gone back to by closing what is on it.
    if held(state).is_some() {
        return;
    }
    let mut wizard = Wizard::new(service);
    if state.read_only {
        wizard.wants = false;
        let why = format!(
            "This console was opened with --read-only: nothing in production is changed from here. `qd plan rollback {}` shows the plan.",
            wizard.service
        );
        wizard.standing = Standing::Refused(why);
    }
    layers::lay(state, Layer::Wizard(Box::new(wizard)));
}

/// The wizard, where it lies on top.
fn top(state: &mut State) -> Option<&mut Wizard> {
    match state.layers.last_mut() {
        Some(Layer::Wizard(of)) => Some(of),
        _ => None,
    }
}

/// True where it lies on top.
pub(super) fn is_on_top(state: &State) -> bool {
    matches!(state.layers.last(), Some(Layer::Wizard(_)))
}

/// True where a key must not count: the dialog is not on the screen yet, or was for too short a time to be read.
pub(super) fn is_deaf(state: &State) -> bool {
    match state.layers.last() {
        Some(Layer::Wizard(of)) if of.standing == Standing::Open && of.step == Step::Confirm => !confirm::hears(state, of),
        _ => false,
    }
}

/// One step on, which never does anything.
pub(super) fn next(state: &mut State) {
    let (now, wizards) = (state.now, &mut state.wizards);
    let Some(Layer::Wizard(of)) = state.layers.last_mut() else { return };
    of.said = None;
    if of.standing != Standing::Open {
        return;
    }
    let valid = of.is_valid(now);
    let missing = || Some("wait: there is no valid plan yet".to_owned());
    match of.step {
        Step::Target if of.planned.is_none() => of.said = missing(),
        Step::Release => {
            let selected = choice(of).and_then(|at| of.candidates().get(at)).cloned();
            match selected {
                None => of.said = missing(),
                Some(one) if !one.hosts_missing.is_empty() => {
                    of.said = Some(format!("{} cannot be chosen: it is not on {}", one.version, one.hosts_missing.join(", ")));
                }
                Some(one) => {
                    of.picked = Some(one.version.clone());
                    let planned = of.plan().is_some_and(|plan| plan.to.as_ref() == Some(&one.version)) && of.problem.is_none();
                    if !planned {
                        of.to = Some(one.version);
                        of.wants = true;
                    }
                    go(of, Step::Impact);
                }
            }
        }
        Step::Impact | Step::Checks | Step::Reason if !valid => of.said = missing(),
        Step::Impact => {
            of.moved.clear();
            go(of, Step::Checks);
        }
        Step::Checks | Step::Reason => match of.held_up(now) {
            Some(why) => {
                of.said = Some(why);
                of.step = Step::Checks;
            }
            None if of.step == Step::Checks => go(of, Step::Reason),
            None if of.reason.trim().is_empty() => of.said = Some("a reason is required".to_owned()),
            None => {
                go(of, Step::Confirm);
                wizards.dialogs += 1;
                of.confirm = confirm::Confirm { dialog: wizards.dialogs, ..confirm::Confirm::default() };
            }
        },
        Step::Target => go(of, Step::Release),
        Step::Confirm => {}
    }
}

fn go(of: &mut Wizard, step: Step) {
    of.step = step;
    of.scroll = 0;
    of.typing = None;
    of.said = None;
    // A phrase is typed into the dialog that is on the screen, and into no other.
    of.confirm.typed.clear();
    of.confirm.focus = Focus::Cancel;
}

/// One step back; all that was chosen is kept. From the first the wizard is left.
pub(super) fn back(state: &mut State) {
    let Some(of) = top(state) else { return };
    of.said = None;
    match &of.standing {
        Standing::Refused(_) | Standing::Started(_) => {
            state.layers.pop();
        }
        Standing::Starting(_) => of.said = Some("it is confirmed and is being started: it can be left, and goes on".to_owned()),
        Standing::Failed(_) => {
            of.standing = Standing::Open;
            of.wants = true;
            go(of, Step::Impact);
        }
        Standing::Open if of.typing.take().is_some() => {}
        Standing::Open => match of.step.before() {
            Some(step) => go(of, step),
            None => {
                state.layers.pop();
            }
        },
    }
}

/// Takes what is typed, or what has the focus.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
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

/// Moves: among releases, among checks, through lines, between Cancel and the phrase.
pub(super) fn walk(state: &mut State, by: isize) {
    let height = state.body_height().saturating_sub(1);
    let Some(Layer::Wizard(of)) = state.layers.last() else { return };
    let sheet = wizard::sheet(state, of);
    let room = sheet.room(height);
    let Some(of) = top(state) else { return };
    let moved = |at: Option<usize>, len: usize| at.unwrap_or(0).saturating_add_signed(by).min(len.saturating_sub(1));
    match of.step {
        Step::Confirm if of.standing == Standing::Open => {
            of.confirm.focus = if of.confirm.focus == Focus::Cancel { Focus::Phrase } else { Focus::Cancel };
        }
        Step::Release => {
            let at = moved(choice(of), of.candidates().len());
            of.picked = of.candidates().get(at).map(|one| one.version.clone());
        }
        Step::Checks => {
            let at = moved(of.checks_selected(), of.checks.len());
            of.check = of.checks.get(at).map(|check| check.id.clone());
        }
        _ => of.scroll = of.scroll.min(sheet.rows.len()).saturating_add_signed(by).min(sheet.rows.len().saturating_sub(room)),
    }
}

fn choice(of: &Wizard) -> Option<usize> {
    of.candidate_selected()
}

/// Asks for the reason for which the selected check is overridden.
pub(super) fn begin_override(state: &mut State) {
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
pub(super) fn break_glass(state: &mut State) {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Checks) else { return };
    if of.checks.iter().any(|check| check.glass && check.verdict == Verdict::Block) {
        of.typing = Some(Typing { check: None, text: of.glass.clone().unwrap_or_default() });
    } else {
        of.said = Some("no freeze stands in the way: there is no glass to break".to_owned());
    }
}

/// Makes the checks anew, and where there is no valid plan, the plan.
pub(super) fn again(state: &mut State) {
    let now = state.now;
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open) else { return };
    match (of.is_valid(now), of.step) {
        (false, _) => of.wants |= of.asked.is_none(),
        (true, Step::Checks) => of.checked = of.checked.filter(|_| of.checking.is_some()),
        (true, _) => {}
    }
}

/// The deployment by which the selected release came, as far as it is known here.
fn deployment_of(state: &State, version: &str, service: &str) -> Option<String> {
    let of = |one: &&Arc<crate::model::deployment::Deployment>| one.service == service && one.to.as_deref() == Some(version);
    state.view.deployments.all.iter().find(|one| one.is_act() && of(one)).map(|one| one.key.to_string())
}

fn picked(state: &State) -> Option<(String, String, Option<String>)> {
    let of = match state.layers.last() {
        Some(Layer::Wizard(of)) if of.step == Step::Release => of,
        _ => return None,
    };
    let one = of.candidates().get(choice(of)?)?;
    Some((of.service.clone(), one.version.clone(), of.plan().and_then(|plan| plan.from.clone())))
}

/// Shows who shipped the selected release and what it did; the wizard stays below.
pub(super) fn look(state: &mut State) {
    let Some((service, version, _)) = picked(state) else { return };
    match deployment_of(state, &version, &service) {
        Some(key) => layers::deployment(state, &key),
        None => say(state, "no deployment of it is known here"),
    }
}

/// Shows what is different between what runs and the selected release; the wizard stays below.
pub(super) fn compare(state: &mut State) -> Vec<Effect> {
    let Some((service, version, from)) = picked(state) else { return Vec::new() };
    let find = |version: &str| deployment_of(state, version, &service).and_then(|key| state.deployment(&key).cloned());
    match (from.as_deref().and_then(find), find(&version)) {
        (Some(from), Some(to)) => {
            let asked = Effect::Ask(Box::new(Ask::Diff { from: from.clone(), to: to.clone() }));
            layers::lay(state, Layer::Diff { from: Some(from), to, found: None, spot: Default::default() });
            vec![asked]
        }
        _ => {
            say(state, "the deployments of both are not known here: they cannot be compared");
            Vec::new()
        }
    }
}

fn say(state: &mut State, what: &str) {
    if let Some(of) = top(state) {
        of.said = Some(what.to_owned());
    }
}

/// Changes what is being typed in it; false where nothing is.
pub(super) fn change(state: &mut State, with: impl FnOnce(&mut String)) -> bool {
    let deaf = is_deaf(state);
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open) else { return false };
    of.said = None;
    let (text, cap) = match (&mut of.typing, of.step) {
        (Some(typing), _) => (&mut typing.text, REASON_CAP),
        (None, Step::Reason) => (&mut of.reason, REASON_CAP),
        (None, Step::Confirm) if !deaf && of.confirm.focus == Focus::Phrase => (&mut of.confirm.typed, confirm::PHRASE_CAP),
        (None, Step::Confirm) => {
            of.said = Some("the focus is on Cancel: go to the line in which the phrase is typed first".to_owned()).filter(|_| !deaf);
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
pub(super) fn drops_paste(state: &mut State) -> bool {
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open && of.step == Step::Confirm) else { return false };
    of.said = Some("pastes do not count here: type it".to_owned());
    true
}

/// A plan is told, or why there is none.
pub(super) fn planned(state: &mut State, number: u64, result: Result<Arc<Planned>, String>) {
    let now = state.now;
    let Some(service) = held(state).filter(|of| of.number == number && of.standing == Standing::Open).map(|of| of.service.clone()) else {
        return;
    };
    let seen = Seen::of(state, &service);
    // One that took longer than it is good for would be asked for again without end.
    let result = result.and_then(|new| match new.plan.expires_at > now {
        true => Ok(new),
        false => Err("the plan had expired when it came".to_owned()),
    });
    let Some(of) = held_mut(state) else { return };
    let awaited = of.asked.take().is_some();
    of.checking = None;
    match result {
        Ok(new) => {
            let hash = new.plan.hash();
            let same = of.hash == hash;
            if same && !awaited {
                return;
            }
            if !same && !awaited {
                let lines = of.plan().map(|old| wizard::differences(old, &new.plan)).unwrap_or_default();
                lines.into_iter().for_each(|line| of.note(line));
            }
            if !same {
                // They were given for another plan.
                of.overrides.clear();
                of.glass = None;
            }
            of.problem = None;
            of.seen = seen;
            of.hash = hash;
            of.checks.clone_from(&new.checks);
            (of.checked, of.checking) = (Some(now), None);
            of.planned = Some(new);
            settle(of);
            if of.step > Step::Impact {
                go(of, Step::Impact);
            }
        }
        Err(why) => {
            if !awaited {
                of.note("the plan cannot be made any more".to_owned());
            }
            of.problem = Some(why);
            if of.step > Step::Impact {
                go(of, Step::Impact);
            }
        }
    }
}

/// An override holds for the warning that it was given for, and not for what became of it.
fn settle(of: &mut Wizard) {
    let checks = std::mem::take(&mut of.checks);
    let stands = |one: &Override| {
        checks.iter().any(|check| {
            check.id == one.check
                && matches!((check.verdict, check.overridable), (Verdict::Pass | Verdict::Warn, _) | (Verdict::Unknown, true))
        })
    };
    of.overrides.retain(stands);
    of.checks = checks;
}

/// The checks are told.
pub(super) fn checked(state: &mut State, number: u64, checks: Vec<Check>) {
    let now = state.now;
    let Some(of) = held_mut(state).filter(|of| of.number == number && of.standing == Standing::Open) else { return };
    let was: Vec<(String, Verdict)> = of.checks.iter().map(|check| (check.id.clone(), check.verdict)).collect();
    // A warning that became worse, or unknown, is another thing than the one that was overridden.
    let worse = |check: &Check| was.iter().any(|(id, before)| *id == check.id && check.verdict > *before);
    let again: Vec<String> = checks.iter().filter(|check| worse(check)).map(|check| check.id.clone()).collect();
    of.overrides.retain(|one| !again.contains(&one.check));
    of.checks = checks;
    (of.checked, of.checking) = (Some(now), None);
    settle(of);
    if of.step > Step::Checks
        && let Some(why) = of.held_up(now)
    {
        go(of, Step::Checks);
        of.note(why);
    }
}

/// Whether it began is told.
pub(super) fn started(state: &mut State, number: u64, result: Result<String, String>) {
    let Some(of) = held_mut(state).filter(|of| of.number == number && matches!(of.standing, Standing::Starting(_))) else { return };
    match result {
        Ok(run) => {
            // What was prepared is the run's now.
            state.wizards.prepared = false;
            open_run(state, run);
        }
        Err(why) => of.standing = Standing::Failed(why),
    }
}

/// Shows the run of that id, in the place of the wizard.
pub(super) fn open_run(state: &mut State, run: String) {
    if let Some(of) = held_mut(state) {
        of.standing = Standing::Started(run);
    }
}

/// What the wizard wants now: a plan, its checks anew, or that what was made ready for it be dropped.
pub(super) fn wanted(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    let Some(of) = held(state) else {
        return if std::mem::take(&mut state.wizards.prepared) { vec![Effect::Ask(Box::new(Ask::Close))] } else { Vec::new() };
    };
    if of.standing != Standing::Open {
        return Vec::new();
    }
    let current = !of.wants && of.asked.is_none() && of.problem.is_none();
    let mut moved = if current && of.planned.is_some() { of.seen.moved(state, &of.service) } else { Vec::new() };
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
        if of.step > Step::Impact {
            go(of, Step::Impact);
        }
    }
    if std::mem::take(&mut of.wants) {
        wizards.numbers += 1;
        wizards.prepared = true;
        of.number = wizards.numbers;
        (of.asked, of.problem, of.checking) = (Some(now), None, None);
        let ask = Ask::Plan { number: of.number, service: of.service.clone(), to: of.to.clone() };
        return vec![Effect::Ask(Box::new(ask))];
    }
    let live = matches!(of.step, Step::Checks | Step::Reason | Step::Confirm);
    let due = of.checked.is_none_or(|at| now.duration_since(at) >= AGAIN);
    if live && due && of.checking.is_none() && of.is_valid(now) {
        of.checking = Some(now);
        if let Some(planned) = &of.planned {
            let ask = Ask::Check { number: of.number, plan: Arc::new(planned.plan.clone()) };
            return vec![Effect::Ask(Box::new(ask))];
        }
    }
    Vec::new()
}

/// When the wizard changes next by itself; `None` where it does not.
pub(crate) fn wake(state: &State) -> Option<jiff::Timestamp> {
    let of = held(state).filter(|of| of.standing == Standing::Open || matches!(of.standing, Standing::Starting(_)))?;
    let busy = matches!(of.standing, Standing::Starting(_)) || of.asked.is_some() || of.step >= Step::Impact;
    let second = busy.then(|| state.now.checked_add(SignedDuration::from_secs(1)).ok()).flatten();
    let heard = state.wizards.shown.and_then(|shown| shown.since.checked_add(confirm::DEAF).ok()).filter(|at| *at > state.now);
    match (second, heard) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What a key of the wizard does, or `None` where it is no matter of its own.
pub(super) fn run(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    if action == Action::Back {
        back(state);
        return Some(Vec::new());
    }
    if is_deaf(state) && !matches!(action, Action::Suspend | Action::Redraw | Action::Interrupt) {
        return Some(Vec::new());
    }
    match action {
        Action::Next => next(state),
        Action::Accept => return Some(accept(state)),
        Action::Override => begin_override(state),
        Action::BreakGlass => break_glass(state),
        Action::Refresh => again(state),
        Action::Open => look(state),
        Action::Compare => return Some(compare(state)),
        _ => return None,
    }
    Some(Vec::new())
}
