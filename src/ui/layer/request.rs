//! The form in which a reason is typed before something is asked of a run.

use crate::app::operations::{ABORT, RequestForm};
use crate::app::state::State;
use crate::app::wizard::Focus;
use crate::model::environment;
use crate::model::preferences::Token;
use crate::model::run::{Preview, Request};
use crate::ui::widget::canvas::Canvas;

use super::share::draw_box;

/// Draws the form.
pub fn draw(canvas: &mut Canvas, state: &State, form: &RequestForm) {
    let plan = state.runs.find(&form.run).map(|known| &known.state.plan);
    let environment = plan.map(|plan| (environment::shown(&plan.environment), &plan.estate));
    let environment = environment.map(|((text, token), estate)| (format!("{text}  {estate}"), token));
    let preview = || state.runs.find(&form.run).map(|known| Preview::of(&known.state).lines()).unwrap_or_default();
    let mut more = Vec::new();
    let (title, means) = match &form.request {
        Request::Pause { .. } => ("PAUSE".to_owned(), "nothing new is begun".to_owned()),
        Request::Resume { .. } => {
            ("TAKE UP".to_owned(), "a new runner takes it up: it reads the world back first, then goes on".to_owned())
        }
        Request::Abort { .. } => {
            more = preview();
            ("ABORT".to_owned(), "what can be taken back is, then the run ends".to_owned())
        }
        Request::Retry { step, .. } => {
            (format!("RETRY  {step}"), "the step is tried again; one that must not be done twice is looked at first".to_owned())
        }
        Request::Skip { step, .. } => (format!("SKIP  {step}"), "the run goes on as if it were done; what it changed stays".to_owned()),
        Request::TakeBack { target, .. } => {
            (format!("TAKE BACK  {target}"), "what was done there is taken back; the run goes on elsewhere".to_owned())
        }
        Request::Confirm { step, .. } => (format!("CONFIRM  {step}"), "it counts as done on your word: write what you saw".to_owned()),
    };
    let asks = match &form.reason {
        Some(_) => format!("type  {ABORT}  then Enter"),
        None => "say why, then Enter".to_owned(),
    };
    let heard = if form.is_settled(state.now) { "Enter here goes back" } else { "keys count in a moment" };
    let lines = Lines { environment, asks, means, more, heard, reason: form.reason.as_deref(), error: form.error.as_deref() };
    boxed(canvas, &format!("{title}  of run {}", form.run), form, &lines);
}

struct Lines<'a> {
    environment: Option<(String, Token)>,
    asks: String,
    means: String,
    /// What an abort would do, a line each.
    more: Vec<String>,
    heard: &'static str,
    reason: Option<&'a str>,
    error: Option<&'a str>,
}

/// The same way to confirm as in the wizard: Cancel first, then the line.
fn boxed(canvas: &mut Canvas, title: &str, form: &RequestForm, of: &Lines<'_>) {
    let here = |focus| form.focus == focus;
    let (mark, token) = (|focus| if here(focus) { ">" } else { " " }, |focus| if here(focus) { Token::Selected } else { Token::Text });
    let cursor = if here(Focus::Phrase) { "_" } else { "" };
    let mut lines: Vec<(String, Token)> = Vec::new();
    // The run may be of another estate than the open one.
    lines.extend(of.environment.clone());
    lines.push((of.means.clone(), Token::Text));
    lines.extend(of.more.iter().map(|line| (line.clone(), if line.starts_with("stays") { Token::Warning } else { Token::Text })));
    lines.extend(of.reason.map(|reason| (format!("because: {reason}"), Token::Dim)));
    lines.push((format!("{} [ Cancel ]  {}; nothing is asked of the run", mark(Focus::Cancel), of.heard), token(Focus::Cancel)));
    lines.push((format!("  to go on, tab, then {}", of.asks), Token::Dim));
    lines.push((format!("{} {}{cursor}", mark(Focus::Phrase), form.typed), token(Focus::Phrase)));
    lines.extend(of.error.map(|error| (format!("! {error}"), Token::Warning)));
    draw_box(canvas, title, None, &lines);
}
