//! The prompt of a query, over the upper part of what is shown: the line, how a name may go on, who is asked.

use crate::app::action::Action;
use crate::app::layer::Scope;
use crate::app::prompt::{Begun, Known, Prompt, begun, sources};
use crate::app::state::State;
use crate::model::preferences::Token;
use crate::ui::widget::canvas::thousands;

use super::share::draw_box;
use crate::ui::widget::canvas::Canvas;

/// Draws the prompt under the fixed lines.
pub fn draw(canvas: &mut Canvas, state: &State, prompt: &Prompt) {
    let key = |action| state.keymap.key_for(Scope::Prompt, action).map_or_else(|| "?".to_owned(), |key| key.to_string());
    let mut lines = Vec::new();
    if prompt.offered.is_empty() {
        lines.push((names(state, prompt), Token::Dim));
    } else {
        let rest = prompt.offered[1..].join("  ");
        lines.push((format!("{} takes {}   {rest}", key(Action::Complete), prompt.offered[0]), Token::Text));
    }
    let all = sources(state);
    let other = if all.len() > 1 { format!("; {} asks another of {}", key(Action::NextSource), all.len()) } else { String::new() };
    let before = match (&state.chart.prompting.problem, &state.chart.prompting.history) {
        (Some(why), _) => format!("earlier queries are not kept: {why}"),
        (None, None) => "earlier queries are being read".to_owned(),
        (None, Some(all)) => format!("{}/{} through {} earlier queries", key(Action::Up), key(Action::Down), thousands(all.len())),
    };
    lines.push((format!("Enter draws it{other}; {before}"), Token::Dim));
    let window = "$window stands for a rate window that is long enough";
    lines.push((window.to_owned(), Token::Dim));
    draw_box(canvas, &format!("QUERY in PromQL, asked of {}", prompt.source), Some(&prompt.typed), &lines);
}

/// What is known of what is begun: names of metrics, labels, or values.
fn names(state: &State, prompt: &Prompt) -> String {
    let begun = begun(&prompt.typed).unwrap_or(Begun::Name(""));
    let what = match &begun {
        Begun::Name(_) => "names of metrics".to_owned(),
        Begun::Label { of, .. } if of.is_empty() => "labels".to_owned(),
        Begun::Label { of, .. } => format!("labels of {of}"),
        Begun::Value { label, .. } => format!("values of {label}"),
    };
    match state.chart.prompting.known(&prompt.source, &begun) {
        Some(Known::Names(names)) if names.more => {
            format!("more than {} {what}: the first of them are offered", thousands(names.names.len()))
        }
        Some(Known::Names(names)) => format!("{} {what} are known", thousands(names.names.len())),
        Some(Known::Failed(why)) => format!("the {what} are not known: {why}"),
        Some(Known::Asked) | None => format!("the {what} are being read"),
    }
}
