//! The wizard under hands: opened on a service or an alert, gone through, confirmed; and the world moving meanwhile.

mod agree;
mod hosts;
mod look;
mod pick;
mod service;
mod silence;
mod told;
mod wanted;

use std::cmp::Reverse;

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::layer::{Layer, Pane, Scope};
use crate::app::state::{AlertRow, OverviewRow, State};
use crate::app::wizard::{self, Focus, Standing, Step, Subject, Wizard, can_override, confirm, held};
use crate::model::alert::Alert;
use crate::model::needs::{self, About};
use crate::model::panel::Panel;

use super::{layers, runs};
use agree::{accept, begin_override, break_glass};
use look::{compare, look};
use pick::choice;

pub(super) use agree::{change, drops_paste};
pub(super) use pick::{look_closer, pick};
pub(crate) use service::{about as meant, acts};
pub(super) use service::{open as open_processes, open_on as open_processes_on};
pub(super) use silence::open as open_silence;
pub(crate) use silence::{about as alerts, offers, refuses};
pub(super) use told::{checked, heard, planned, started};
pub(crate) use wanted::wake;

/// Services that are named where another one cannot be rolled back.
const OTHERS: usize = 5;
pub(super) use wanted::wanted;

/// The service that a key is about: of the page on top, else of the selected row; `None` where there is none.
pub(crate) fn about(state: &State) -> Option<String> {
    // What was deployed shortly before comes first: it may be of a service that the alert's own stands on.
    about_first(state, true)
}

/// The same; of an alert what was deployed shortly before, or its own service, comes first.
fn about_first(state: &State, deployed: bool) -> Option<String> {
    let of_alert = |alert: &Alert| {
        let suspect = needs::suspect_of(&state.estate, alert, &state.shown().deployments.all);
        let own = || state.estate.services.iter().find(|service| service.labels.covers(&alert.labels)).map(|s| s.name.clone());
        let suspect = || suspect.map(|one| one.service.clone());
        if deployed { suspect().or_else(own) } else { own().or_else(suspect) }
    };
    let known = |name: &String| state.estate.service(name).is_some();
    match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => of_alert(alert),
        Some(Layer::Deployment { deployment, .. }) => Some(deployment.service.clone()),
        Some(Layer::Diff { to, .. }) => Some(to.service.clone()),
        Some(Layer::Service { name, .. }) => Some(name.clone()),
        Some(Layer::Chart { .. }) => panel(state).and_then(|panel| panel.service.clone()),
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
                OverviewRow::Need(place) => {
                    let of_source = |name: &str| state.estate.source(name).and_then(|source| source.service.clone());
                    match &state.shown().needs.get(*place)?.about {
                        About::Alerts(_, ids) => {
                            let all = state.shown().alerts.iter().filter(|alert| ids.contains(&alert.id));
                            of_alert(all.min_by_key(|alert| alert.starts_at)?)
                        }
                        About::Panel(name) => state.estate.panel(name).and_then(|panel| panel.service.clone()),
                        About::Source(name) | About::DeadMan(name) => of_source(name),
                        About::Silence(_) | About::Drill(_) => None,
                    }
                }
                OverviewRow::Run(place) => state.runs.all.get(*place).and_then(|known| known.state.plan.service.clone()),
                OverviewRow::Deployment(place) => state.shown().deployments.all.get(*place).map(|one| one.service.clone()),
                _ => None,
            },
            Pane::Metrics => panel(state).and_then(|panel| panel.service.clone()),
            Pane::Databases | Pane::Backups | Pane::Operations | Pane::Timeline => None,
        },
    }
    .filter(known)
}

/// The panel that a key is about: the one on the full screen, else the selected one.
fn panel(state: &State) -> Option<&Panel> {
    let panels = state.panels();
    let view = match state.layers.last() {
        Some(Layer::Chart { panel, .. }) => panels.iter().find(|view| view.panel.name == *panel),
        None if state.pane == Pane::Metrics => panels.get(*state.metric_rows.get(state.metrics.list.row)?),
        _ => None,
    };
    view.map(|view| view.panel)
}

/// Opens it on what a key is about. Where that cannot go back it says why.
pub(super) fn open(state: &mut State) {
    if let Some(service) = about(state) {
        open_on(state, service);
    } else if let Some(panel) = panel(state).map(|panel| panel.name.clone()).filter(|_| held(state).is_none()) {
        let why = format!(
            "A rollback is of a service, and the panel `{panel}` belongs to none: open the service, or add `service = \"...\"` to the panel in the estate file."
        );
        begin(state, Wizard::new(panel), Some(why));
    } else if held(state).is_none() {
        state.said = Some("no rollback from here: no service of the estate can be told of this line; open its service first".to_owned());
    }
}

/// Opens it on a service. Nothing but a plan is asked for.
pub(super) fn open_on(state: &mut State, service: String) {
    // One at a time: one that lies below is gone back to by closing what is on it.
    if held(state).is_some() {
        return;
    }
    let unsaid = state.estate.service(&service).and_then(|of| state.estate.no_rollback(of));
    let why = unsaid.map(|why| {
        let others = state.estate.services.iter().filter(|of| state.estate.no_rollback(of).is_none());
        let others: Vec<&str> = others.map(|of| of.name.as_str()).take(OTHERS).collect();
        let instead = match others.as_slice() {
            [] => String::new(),
            names => format!(" What can be rolled back here: {}.", names.join(", ")),
        };
        format!(
            "No rollback of {service} is possible: {why}. Mend the estate file (`qd check` judges it), then open the console again.{instead}"
        )
    });
    begin(state, Wizard::new(service), why);
}

/// Lays it on top; where it cannot be gone through, or the console only reads, saying so.
fn begin(state: &mut State, mut wizard: Wizard, why: Option<String>) {
    let read_only = state.read_only.then(|| wizard.subject.read_only());
    if let Some(why) = read_only.or(why) {
        wizard.wants = false;
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

/// True where one lies anywhere: another one is not opened.
pub(crate) fn is_held(state: &State) -> bool {
    held(state).is_some()
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
    let key = service::key(state);
    let (now, wizards, keymap) = (state.now, &mut state.wizards, &state.keymap);
    let Some(Layer::Wizard(of)) = state.layers.last_mut() else { return };
    of.said = None;
    if of.standing != Standing::Open {
        return;
    }
    let valid = of.is_valid(now);
    let missing = || Some("wait: there is no valid plan yet".to_owned());
    match of.step {
        Step::Target if of.planned.is_none() => {
            let failed =
                "there is no plan, above stands why: leave out the host that cannot be asked, where it is that, or have it tried again"
                    .to_owned();
            of.said = if of.problem.is_some() { Some(failed) } else { missing() };
        }
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
        Step::What => {
            let settled = match &mut of.subject {
                Subject::Silence(draft) => draft.settle(now),
                Subject::Processes(chosen) => chosen.settle(&key),
                Subject::Rollback { .. } => return,
            };
            match settled {
                Ok(()) if of.after() == Step::Impact => {
                    of.wants |= of.wish() != of.wished || of.problem.is_some();
                    go(of, Step::Impact);
                }
                Ok(()) => go(of, Step::Reason),
                Err(why) => of.said = Some(why),
            }
        }
        Step::Reason if of.subject.service().is_none() => match of.wish() {
            None => of.said = Some("a reason is required".to_owned()),
            wish => {
                // The same wish again keeps its plan, and what was overridden in it.
                of.wants |= wish != of.wished || of.problem.is_some();
                go(of, Step::Impact);
            }
        },
        Step::Impact | Step::Checks | Step::Reason if !valid => of.said = missing(),
        Step::Impact => {
            of.moved.clear();
            go(of, Step::Checks);
        }
        Step::Checks | Step::Reason => match of.held_up(now) {
            Some(why) => {
                // What stands in the way is selected, so that the next key is about it.
                let open = of.open_checks().next().cloned();
                let how = match open.as_ref().filter(|check| can_override(check)) {
                    Some(_) => format!(
                        "; {} overrides it, with a reason",
                        keymap.key_for(Scope::Wizard, Action::Override).map_or_else(|| "a key".to_owned(), |key| key.to_string())
                    ),
                    None => String::new(),
                };
                of.said = Some(format!("{why}{how}"));
                of.step = Step::Checks;
                of.check = open.map(|check| check.id).or(of.check.take());
            }
            None if of.after() == Step::Reason => go(of, Step::Reason),
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
    // What stands in the way is read first. Only here: while the page is open no row moves under the cursor.
    if step == Step::Checks {
        of.checks.sort_by_key(|check| Reverse(check.verdict));
    }
}

/// One step back; all that was chosen is kept. From the first the wizard is left.
pub(super) fn back(state: &mut State) {
    let Some(of) = top(state) else { return };
    of.said = None;
    match &of.standing {
        Standing::Refused(_) => {
            state.layers.pop();
        }
        Standing::Starting(_) => of.said = Some("it is confirmed and is being started: it can be left, and goes on".to_owned()),
        Standing::Failed(_) => {
            of.standing = Standing::Open;
            of.wants = true;
            go(of, Step::Impact);
        }
        Standing::Open if of.typing.take().is_some() => {}
        Standing::Open => match of.before() {
            Some(step) => go(of, step),
            None => {
                state.layers.pop();
            }
        },
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
            // What was said of the key before, "Tab to the line first", is done.
            of.said = None;
        }
        Step::What => match &mut of.subject {
            Subject::Silence(draft) => draft.walk(by),
            Subject::Processes(chosen) => chosen.walk(by),
            Subject::Rollback { .. } => {}
        },
        Step::Target => hosts::walk(state, by),
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

/// Moves without ever changing what is focused where it is confirmed.
pub(super) fn scroll(state: &mut State, by: isize) {
    if matches!(state.layers.last(), Some(Layer::Wizard(of)) if of.step != Step::Confirm) {
        walk(state, by);
    }
}

/// Makes the checks anew, and where there is no valid plan, the plan.
pub(super) fn again(state: &mut State) {
    let now = state.now;
    let Some(of) = top(state).filter(|of| of.standing == Standing::Open) else { return };
    match (of.is_valid(now), of.step) {
        (false, _) => of.wants |= of.asked.is_none() && of.wish().is_some(),
        (true, Step::Checks) => of.checked = of.checked.filter(|_| of.checking.is_some()),
        (true, _) => {}
    }
}

/// What a key says that comes before the dialog could be read.
const EARLY: &str = "too early: keys count in a moment, this one did not";

fn say(state: &mut State, what: &str) {
    if let Some(of) = top(state) {
        of.said = Some(what.to_owned());
    }
}

/// Shows the run of that id, in the place of the wizard.
pub(super) fn open_run(state: &mut State, run: String) {
    state.layers.retain(|layer| !matches!(layer, Layer::Wizard(_)));
    runs::show(state, run);
}

/// What a key of the wizard does, or `None` where it is no matter of its own.
pub(super) fn run(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    if action == Action::Back {
        back(state);
        return Some(Vec::new());
    }
    if is_deaf(state) && !matches!(action, Action::Suspend | Action::Redraw | Action::Interrupt) {
        say(state, EARLY);
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
        Action::Toggle if held(state).is_some_and(|of| of.step == Step::Target) => hosts::toggle(state),
        Action::Toggle | Action::Longer | Action::Shorter => silence::choose(state, action),
        _ => return None,
    }
    Some(Vec::new())
}
