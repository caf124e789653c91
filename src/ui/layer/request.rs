//! The form in which a reason is typed before something is asked of a run.

use crate::app::operations::{ABORT, RequestForm};
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::model::run::Request;
use crate::ui::widget::canvas::Canvas;

use super::share::draw_box;

/// Draws the form.
pub fn draw(canvas: &mut Canvas, state: &State, form: &RequestForm) {
    let stays = || state.runs.find(&form.run).map_or(0, |known| known.state.stays().len());
    let (title, means) = match &form.request {
        Request::Pause { .. } => ("PAUSE".to_owned(), "nothing new is begun".to_owned()),
        Request::Resume { .. } => ("GO ON".to_owned(), "the run goes on".to_owned()),
        Request::Abort { .. } => {
            ("ABORT".to_owned(), format!("{} changes are made so far; what can be taken back of them is, then it ends", stays()))
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
    let (asks, token) = match (&form.error, &form.reason) {
        (Some(error), _) => (format!("! {error}"), Token::Warning),
        (None, Some(_)) => (format!("Type {ABORT} and Enter. Esc leaves without it."), Token::Warning),
        (None, None) => ("Why? Type it, then Enter. Esc leaves without it.".to_owned(), Token::Text),
    };
    let mut lines = vec![(asks, token), (means, Token::Dim)];
    if let Some(reason) = &form.reason {
        lines.push((format!("because: {reason}"), Token::Dim));
    }
    draw_box(canvas, &format!("{title}  of run {}", form.run), Some(&form.typed), &lines);
}
