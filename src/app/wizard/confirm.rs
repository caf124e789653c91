//! Step 6: the typed agreement, and what follows it. The focus starts on Cancel; Enter alone confirms nothing; what was
//! typed before a person could see the dialog, and half a second after, is dropped; so are pastes. Its snapshots are
//! `wizard_confirm`, `wizard_wrong`, `wizard_starting`, `wizard_failed`.

use jiff::{SignedDuration, Timestamp};

use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::page::{Page, Row};
use crate::app::state::State;
use crate::app::when;
use crate::model::check::Verdict;
use crate::model::environment;
use crate::model::preferences::Token;
use crate::model::run::Agreement;

use super::{Sheet, Step, Subject, Wizard, impact, row};

/// Keys count from then on, after the dialog came on the screen.
pub const DEAF: SignedDuration = SignedDuration::from_millis(500);
/// Bytes of a typed phrase.
pub const PHRASE_CAP: usize = 200;
/// Lines of one part of the impact: all of it is two steps back.
const PART: usize = 2;
/// Silences that are named one by one.
const STEPS: usize = 2;

/// What has the focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Focus {
    /// The way back.
    #[default]
    Cancel,
    /// The line in which the phrase is typed.
    Phrase,
}

/// The dialog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirm {
    /// Its number: each that appears has another.
    pub dialog: u64,
    /// What has the focus.
    pub focus: Focus,
    /// What is typed of the phrase.
    pub typed: String,
}

/// True from half a second after the dialog came on the screen on.
pub fn hears(state: &State, of: &Wizard) -> bool {
    state.wizards.shown.is_some_and(|shown| shown.dialog == of.confirm.dialog && state.now.duration_since(shown.since) >= DEAF)
}

/// What the person agreed to, or why it does not count.
///
/// # Errors
/// One sentence: what stands in the way.
pub fn agreement(state: &State, of: &Wizard) -> Result<Agreement, String> {
    let Some(plan) = of.plan().filter(|_| of.is_valid(state.now) && of.step == Step::Confirm) else {
        return Err("the plan is not valid any more".to_owned());
    };
    if state.read_only {
        return Err("this console was opened with --read-only".to_owned());
    }
    if !hears(state, of) {
        return Err("the dialog was not on the screen long enough to be read".to_owned());
    }
    if of.reason.trim().is_empty() {
        return Err("a reason is required".to_owned());
    }
    if of.wish().is_none() || of.wish() != of.wished {
        return Err("the plan is not what was chosen: go back, and on again".to_owned());
    }
    if let Some(why) = of.held_up(state.now) {
        return Err(why);
    }
    let phrase = plan.phrase();
    if of.confirm.focus != Focus::Phrase || of.confirm.typed != phrase {
        return Err(format!("this is not the phrase: type `{phrase}`"));
    }
    let in_use = |id: &str| of.checks.iter().any(|check| check.id == id && !check.passes());
    let overrides = of.overrides.iter().filter(|one| in_use(&one.check)).cloned().collect();
    let glass = of.glass.clone().filter(|_| of.checks.iter().any(|check| check.glass && check.verdict == Verdict::Block));
    Ok(Agreement { phrase, reason: of.reason.trim().to_owned(), overrides, glass, at: state.now })
}

/// Its lines.
pub(super) fn sheet(state: &State, of: &Wizard, width: u16, sheet: &mut Sheet) {
    let Some(plan) = of.plan() else { return };
    let mut page = Page::new(width);
    let impact = of.subject.place(Step::Impact) + 1;
    let (from, to) = (plan.from.as_deref().unwrap_or("?"), plan.to.as_deref().unwrap_or("?"));
    let on: Vec<&str> = plan.targets.iter().filter(|t| t.kind.leasable().is_some()).map(|t| t.name.as_str()).collect();
    let (environment, token) = environment::shown(&plan.environment);
    page.field("estate", &format!("{}, {environment}", plan.estate), token);
    match of.subject {
        Subject::Rollback { .. } => {
            page.field("goes back", &format!("{} from {from} to {to} on {}", plan.subject, on.join(", ")), Token::Text);
            let left_out: Vec<&str> = plan.impact.left_out().collect();
            if !left_out.is_empty() {
                page.field("left out", &format!("! {}: not asked, keeps what runs there", left_out.join(", ")), Token::Warning);
            }
        }
        Subject::Processes(_) => {
            page.field(plan.deed.word(), &format!("{} on {}", plan.subject, on.join(", ")), Token::Text);
        }
        Subject::Silence(_) => {
            for step in plan.steps.iter().take(STEPS) {
                page.field(
                    plan.target_of(step).map_or("?", |target| target.name.as_str()),
                    &when::in_zone(state, plan, &step.title),
                    Token::Text,
                );
            }
            if plan.steps.len() > STEPS {
                page.field(
                    "",
                    &format!("and {} more, {} in all: step {impact}", plan.steps.len() - STEPS, plan.steps.len()),
                    Token::Warning,
                );
            }
            if let Some(end) = of.subject.until() {
                page.field("until", &when::both(state, end), Token::Text);
            }
        }
    }
    for (name, all, token) in [
        ("does", &plan.impact.does, Token::Text),
        ("costs", &plan.impact.costs, Token::Warning),
        ("stays", &plan.impact.keeps, Token::Warning),
    ] {
        for (at, line) in all.iter().take(PART).enumerate() {
            let more =
                if at + 1 == PART && all.len() > PART { format!(" (and {} more: step {impact})", all.len() - PART) } else { String::new() };
            page.field(if at == 0 { name } else { "" }, &format!("{}{more}", when::in_zone(state, plan, line)), token);
        }
    }
    page.field("takes", &plan.impact.takes(), Token::Text);
    let passed = of.checks.iter().filter(|check| check.passes()).count();
    let overridden: Vec<&str> = of.overrides.iter().map(|one| one.check.as_str()).collect();
    let others = if overridden.is_empty() { String::new() } else { format!(", overridden: {}", overridden.join(", ")) };
    page.field("checks", &format!("{passed} of {} pass{others}", of.checks.len()), Token::Text);
    if let Some(why) = &of.glass {
        page.field("glass", &format!("X BROKEN: {why}"), Token::Critical);
    }
    page.field("reason", of.reason.trim(), Token::Text);
    sheet.rows = page.done();
    sheet.foot = dialog(state, of, width);
}

/// The lines at the bottom: they are never scrolled away.
fn dialog(state: &State, of: &Wizard, width: u16) -> Vec<Row> {
    let Some(plan) = of.plan() else { return Vec::new() };
    let (phrase, here) = (plan.phrase(), of.confirm.focus);
    let mark = |focus| if here == focus { "> " } else { "  " };
    let token = |focus| if here == focus { Token::Selected } else { Token::Text };
    let key = |action| state.keymap.key_for(Scope::Confirm, action).map_or_else(|| "?".to_owned(), |key| key.to_string());
    let (enter, tab) = (key(Action::Accept), key(Action::Down));
    let left = plan.expires_at.duration_since(state.now).as_secs();
    let valid =
        format!("valid for {}, until {}", impact::expiry(state, plan).trim_start_matches("in "), when::minute(state, plan.expires_at));
    let heard = if hears(state, of) { format!("{enter} here goes back") } else { "keys count in a moment".to_owned() };
    vec![
        row(&"-".repeat(usize::from(width)), Token::Border),
        Row {
            spans: vec![
                (mark(Focus::Cancel).to_owned(), token(Focus::Cancel)),
                ("[ Cancel ]".to_owned(), token(Focus::Cancel)),
                (format!("  {heard}; nothing has been changed"), Token::Dim),
            ],
            opens: None,
        },
        Row {
            spans: vec![
                (format!("  to confirm, {tab}, then type  "), Token::Dim),
                (phrase.clone(), Token::Title),
                (format!("  then {enter}"), Token::Dim),
            ],
            opens: None,
        },
        Row {
            spans: vec![
                (mark(Focus::Phrase).to_owned(), token(Focus::Phrase)),
                (format!("{}{}", of.confirm.typed, if here == Focus::Phrase { "_" } else { "" }), Token::Input),
                (if of.confirm.typed == phrase { format!("  {enter} starts it") } else { String::new() }, Token::Warning),
            ],
            opens: None,
        },
        row(&valid, if left < 60 { Token::Warning } else { Token::Dim }),
    ]
}

/// It was confirmed.
pub(super) fn starting(state: &State, of: &Wizard, since: Timestamp, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    page.head("STARTING...");
    let waited = state.now.duration_since(since).as_secs().max(0);
    page.text(
        &format!(
            "It is confirmed. The runner of {} has {waited} s to show that it lives; only then it is said to have begun.",
            of.subject.name()
        ),
        Token::Text,
    );
    let text = "It does not depend on this console: leaving it now leaves the run as it is. `qd runs` lists it.";
    page.text(&state.identity.typed(text), Token::Dim);
    sheet.rows = page.done();
}

/// It did not begin.
pub(super) fn failed(why: &str, width: u16, sheet: &mut Sheet) {
    let mut page = Page::new(width);
    page.head("NOT SEEN TO START");
    page.text(&format!("X {why}"), Token::Critical);
    let text = "A run that began all the same is in Operations and in `qd runs`: look there first. Going back makes a fresh plan; all \
                that was chosen is kept.";
    page.text(text, Token::Dim);
    sheet.rows = page.done();
}
