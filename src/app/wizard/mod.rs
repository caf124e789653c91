//! The wizard of a rollback and of a silence: what is to be done, what that does, what stands in its way, why, and the
//! typed agreement. Nothing happens before that; each step back keeps what was chosen.

mod checks;
mod choose;
pub mod confirm;
mod draft;
mod impact;
mod many;
mod moved;
mod reason;
mod service;
mod sheet;
mod subject;
mod target;
mod what;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::alert::Alert;
use crate::model::check::{self, Check, Override, Verdict};
use crate::model::plan::{Candidate, Plan, Planned};

use super::action::Action;
use super::ask::WishOf;
use super::layer::{Layer, Scope};
use super::state::State;

pub use confirm::{Confirm, Focus};
pub use draft::{Choice, Draft, LASTS, Verb};
pub use many::Many;
pub use moved::{Seen, differences};
pub use service::Processes;
pub use sheet::{Sheet, sheet};
pub use subject::{Step, Subject};
pub use target::{hosts, selected as host_selected};

use sheet::{input, row, verdict};
use target::awaited;

/// Columns of the wizard, on every screen that has as many.
pub const WIDTH: u16 = 80;
/// The smallest screen on which it can be confirmed: columns, rows. On a smaller one nothing of it is drawn.
pub const SMALLEST: (u16, u16) = (60, 16);
/// The checks are made anew so often while they matter.
pub const AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// Checks that are older than this say nothing any more.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Bytes of a typed reason.
pub const REASON_CAP: usize = 400;
/// Lines of what moved that are kept.
const MOVED_CAP: usize = 4;

/// What all wizards of this console share.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wizards {
    /// Plans that were asked for: an answer to an older number is dropped.
    pub numbers: u64,
    /// Confirm dialogs that there were.
    pub dialogs: u64,
    /// True while the session holds something ready for a wizard.
    pub prepared: bool,
    /// The dialog that is on the screen. The session says so once a frame with it was written.
    pub shown: Option<Shown>,
}

/// A confirm dialog that a person can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub dialog: u64,
    /// Since when (UTC).
    pub since: Timestamp,
}

/// How the wizard stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is gone through.
    Open,
    /// It cannot be gone through here; why.
    Refused(String),
    /// It was confirmed, and the runner's first sign of life is awaited since then (UTC).
    Starting(Timestamp),
    /// It was confirmed, and did not begin; why, and what to do.
    Failed(String),
}

/// A reason that is being typed for something else than the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// The check that is overridden; `None` where the glass is broken.
    pub check: Option<String>,
    /// The text so far.
    pub text: String,
}

/// The wizard, wherever it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Wizard {
    /// What it is about.
    pub subject: Subject,
    /// The number of the plan that was asked for last; answers with another one are dropped.
    pub number: u64,
    /// The page.
    pub step: Step,
    /// How it stands.
    pub standing: Standing,
    /// The version that a person chose; `None` leaves it to the plan.
    pub to: Option<String>,
    /// The plan. Where [`Wizard::is_valid`] says no it is shown, and nothing follows from it.
    pub planned: Option<Arc<Planned>>,
    /// The plan's hash, which is long to compute.
    pub hash: String,
    /// What the last plan was asked for.
    pub wished: Option<WishOf>,
    /// True where a plan is to be asked for.
    pub wants: bool,
    /// Since when one is being made (UTC).
    pub asked: Option<Timestamp>,
    /// What came of the hosts that were asked last, as far as they answered: each with why it could not be asked.
    pub heard: BTreeMap<String, Result<(), String>>,
    /// Why none could be made.
    pub problem: Option<String>,
    /// What moved while the wizard was open, the newest last.
    pub moved: Vec<String>,
    /// What the polls said of the service when the plan was made.
    pub seen: Seen,
    /// The host that is selected.
    pub host: Option<String>,
    /// The version that is selected.
    pub picked: Option<String>,
    /// The first line shown, of pages without a selection.
    pub scroll: usize,
    /// The checks, as they were last made.
    pub checks: Vec<Check>,
    /// When that was told (UTC).
    pub checked: Option<Timestamp>,
    /// Since when they are being made anew (UTC).
    pub checking: Option<Timestamp>,
    /// The check that is selected, by its name.
    pub check: Option<String>,
    /// Checks that were overridden.
    pub overrides: Vec<Override>,
    /// Why the glass was broken.
    pub glass: Option<String>,
    /// A reason that is being typed for one of these.
    pub typing: Option<Typing>,
    /// Why it is done.
    pub reason: String,
    /// The dialog.
    pub confirm: Confirm,
    /// Why the last key did nothing.
    pub said: Option<String>,
    /// The marked alerts that it was opened on: their marks go once it has begun, and stay where it was left.
    pub marks: Vec<Arc<Alert>>,
}

impl Wizard {
    /// For a rollback of that service, before anything is known.
    pub fn new(service: String) -> Wizard {
        Wizard { wants: true, ..Wizard::of(Subject::Rollback { service, without: Vec::new() }) }
    }

    /// For that, before a plan is asked for.
    pub fn of(subject: Subject) -> Wizard {
        Wizard {
            step: subject.steps().first().copied().unwrap_or(Step::Confirm),
            subject,
            number: 0,
            standing: Standing::Open,
            to: None,
            planned: None,
            hash: String::new(),
            wished: None,
            wants: false,
            asked: None,
            heard: BTreeMap::new(),
            problem: None,
            moved: Vec::new(),
            seen: Seen::default(),
            host: None,
            picked: None,
            scroll: 0,
            checks: Vec::new(),
            checked: None,
            checking: None,
            check: None,
            overrides: Vec::new(),
            glass: None,
            typing: None,
            reason: String::new(),
            confirm: Confirm::default(),
            said: None,
            marks: Vec::new(),
        }
    }

    /// The plan, be it valid or not.
    pub fn plan(&self) -> Option<&Plan> {
        self.planned.as_deref().map(|planned| &planned.plan)
    }

    /// What a plan is to be asked for; `None` before enough is said.
    pub fn wish(&self) -> Option<WishOf> {
        self.subject.wish(self.to.as_deref(), &self.reason)
    }

    /// True where that step is behind.
    pub fn is_past(&self, step: Step) -> bool {
        self.subject.place(self.step) > self.subject.place(step)
    }

    /// The step after this one; itself at the end.
    pub fn after(&self) -> Step {
        self.subject.steps().get(self.subject.place(self.step) + 1).copied().unwrap_or(self.step)
    }

    /// The step before this one; `None` at the first.
    pub fn before(&self) -> Option<Step> {
        self.subject.steps().get(self.subject.place(self.step).checked_sub(1)?).copied()
    }

    /// The releases to choose from.
    pub fn candidates(&self) -> &[Candidate] {
        self.planned.as_deref().map_or(&[], |planned| planned.candidates.as_slice())
    }

    /// True where the plan may be gone on with at `now`: it is the newest, it could be made, and it has not expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        !self.wants && self.asked.is_none() && self.problem.is_none() && self.plan().is_some_and(|plan| now < plan.expires_at)
    }

    /// The checks that stand in the way.
    pub fn open_checks(&self) -> impl Iterator<Item = &Check> {
        check::open(&self.checks, &self.overrides, self.glass.is_some())
    }

    /// Why the checks do not let it pass at `now`; `None` where they do.
    pub fn held_up(&self, now: Timestamp) -> Option<String> {
        let Some(at) = self.checked.filter(|_| !self.checks.is_empty()) else { return Some("no check was made yet".to_owned()) };
        if now.duration_since(at) > GOOD_FOR {
            return Some("the checks are too old: they are being made again".to_owned());
        }
        let first = self.open_checks().next()?;
        let more = match self.open_checks().count() {
            1 => String::new(),
            more => format!(", and {} more", more - 1),
        };
        Some(format!("{}: {}{more}", first.verdict.word(), first.title))
    }

    /// The place of the selected check; the first that stands in the way where none was selected.
    pub fn checks_selected(&self) -> Option<usize> {
        checks::selected(self)
    }

    /// The place of the selected release: the one that was picked, else the one that the plan goes back to.
    pub fn candidate_selected(&self) -> Option<usize> {
        choose::selected(self)
    }

    /// Where a key of it is looked up.
    pub fn scope(&self) -> Scope {
        match (&self.standing, self.step) {
            (Standing::Open, _) if self.typing.is_some() => Scope::Reason,
            (Standing::Open, Step::Reason) => Scope::Reason,
            (Standing::Open, Step::Confirm) => Scope::Confirm,
            _ => Scope::Wizard,
        }
    }

    /// True for an action that does nothing on this page.
    pub fn ignores(&self, action: Action) -> bool {
        if self.standing != Standing::Open {
            return !matches!(action, Action::Back | Action::Close | Action::Help | Action::Zone);
        }
        let at = |step| self.step != step;
        match action {
            Action::Override => {
                let selected = self.checks_selected().and_then(|at| self.checks.get(at));
                at(Step::Checks) || !selected.is_some_and(can_override)
            }
            Action::BreakGlass => at(Step::Checks) || !self.checks.iter().any(|check| check.glass && check.verdict == Verdict::Block),
            Action::Open | Action::Compare => at(Step::Release),
            Action::Toggle => {
                at(Step::Target) && (at(Step::What) || !(self.is_of(Verb::Silence) || self.is_of_processes() || self.is_of_many()))
            }
            Action::Longer | Action::Shorter => at(Step::What) || self.is_of(Verb::Expire) || self.is_of_processes(),
            // Checks that are being asked are not asked again.
            Action::Refresh => self.problem.is_none() && (at(Step::Checks) || self.checking.is_some()),
            _ => false,
        }
    }

    fn is_of_processes(&self) -> bool {
        matches!(self.subject, Subject::Processes(_))
    }

    fn is_of_many(&self) -> bool {
        matches!(&self.subject, Subject::Silence(Draft { many: Some(_), .. }))
    }

    fn is_of(&self, verb: Verb) -> bool {
        matches!(&self.subject, Subject::Silence(draft) if draft.verb == verb)
    }

    /// What a key does here, where the action's own word says it less well.
    pub fn short(&self, action: Action) -> Option<&'static str> {
        match (action, self.scope()) {
            (Action::Accept, Scope::Confirm) if self.confirm.focus == Focus::Cancel => Some("cancel"),
            (Action::Accept, Scope::Confirm) => Some("start, once the phrase is typed"),
            (Action::Accept, Scope::Reason) if self.typing.is_none() => Some("next"),
            (Action::Down, Scope::Confirm) => Some("cancel or phrase"),
            (Action::Toggle, _) if self.step == Step::Target => Some("leave out/in"),
            (Action::Toggle, _) if self.is_of_processes() => Some("choose"),
            (Action::Open, _) => Some("who and what it did"),
            (Action::Compare, _) => Some("diff"),
            (Action::Refresh, _) => Some("again"),
            (Action::Close, _) => Some("leave"),
            _ => None,
        }
    }

    /// Remembers what moved.
    pub fn note(&mut self, what: String) {
        if !self.moved.contains(&what) {
            self.moved.push(what);
        }
        let over = self.moved.len().saturating_sub(MOVED_CAP);
        self.moved.drain(..over);
    }

    /// What it is called.
    fn title(&self) -> String {
        let arrow = self.plan().and_then(|plan| Some((plan.from.as_deref()?, plan.to.as_deref()?)));
        match (&self.subject, arrow) {
            (Subject::Processes(of), _) => of.title(),
            (Subject::Silence(draft), _) => format!("{}  {}{}", draft.verb.word(), draft.part(), draft.about),
            (Subject::Rollback { service, without }, Some((from, to))) if self.is_past(Step::Release) => {
                format!("ROLL BACK  {service}  from {from} to {to}{}", left_out(without))
            }
            (Subject::Rollback { service, without }, _) => format!("ROLL BACK  {service}{}", left_out(without)),
        }
    }
}

/// True where that check may be passed over with a reason.
pub fn can_override(check: &Check) -> bool {
    matches!((check.verdict, check.overridable), (Verdict::Warn, _) | (Verdict::Unknown, true))
}

/// `, without web3`: what must not be forgotten on any page.
fn left_out(without: &[String]) -> String {
    match without {
        [] => String::new(),
        [one] => format!(", without {one}"),
        many => format!(", without {} hosts", many.len()),
    }
}

/// The wizard on the stack, be it on top or not. There is one at the most.
pub fn held(state: &State) -> Option<&Wizard> {
    state.layers.iter().find_map(|layer| match layer {
        Layer::Wizard(wizard) => Some(&**wizard),
        _ => None,
    })
}

/// The same, to change it.
pub fn held_mut(state: &mut State) -> Option<&mut Wizard> {
    state.layers.iter_mut().find_map(|layer| match layer {
        Layer::Wizard(wizard) => Some(&mut **wizard),
        _ => None,
    })
}

/// The number of the confirm dialog that a frame of this state shows; `None` where it shows none.
pub fn dialog(state: &State) -> Option<u64> {
    match state.layers.last() {
        Some(Layer::Wizard(of)) if of.scope() == Scope::Confirm && state.size.0 >= SMALLEST.0 && state.size.1 >= SMALLEST.1 => {
            Some(of.confirm.dialog)
        }
        _ => None,
    }
}
