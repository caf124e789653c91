//! The timeline: its window and its events, the newest first, each with its time, what it is and who tells of it.

use crate::app::layer::Pane;
use crate::app::state::State;
use crate::app::{timeline, when};

use super::command;

/// Events of one text: more are counted.
const EVENTS: usize = 500;

pub(super) fn text(state: &State) -> String {
    let of = &state.timeline;
    let (from, to) = timeline::bounds(state);
    let whose = of.service.as_ref().map_or_else(|| "all services".to_owned(), |name| format!("{name} and what it depends on"));
    let mut lines = vec![format!("TIMELINE  {whose}, {} to {}", when::both(state, from), when::both(state, to))];
    if !of.list.filter.is_empty() {
        lines.push(format!("only what matches {}", of.list.filter.text));
    }
    if of.rows.is_empty() {
        lines.push("nothing is known to have happened".to_owned());
    }
    for (row, place) in of.rows.iter().enumerate().take(EVENTS) {
        let Some(event) = of.events.get(*place) else { continue };
        let here = if of.list.list.selected.is_some() && row == of.list.list.row { '>' } else { ' ' };
        let fold = of.folds.get(row).and_then(Option::as_ref);
        let at = match fold.map_or(event.after, |fold| Some(fold.from)) {
            Some(after) if timeline::is_open(state, event) => format!("after {}, not known when", when::full(state, after)),
            Some(after) => format!("{} to {}", when::full(state, after), when::full(state, event.at)),
            None => when::full(state, event.at),
        };
        lines.push(format!(
            "{here} {at}  {:9} {}  ({})",
            event.kind.word(),
            timeline::said(event, fold),
            fold.map_or(&event.via, |fold| &fold.via).join(", ")
        ));
    }
    if of.rows.len() > EVENTS {
        lines.push(format!("  and {} more", of.rows.len() - EVENTS));
    }
    lines.extend(timeline::note(state).map(|note| format!("? {note}")));
    lines.push(String::new());
    if of.end.is_some() || of.service.is_some() {
        lines.push("Of the last hours and of all services, without a console:".to_owned());
    }
    lines.push(command(state, Pane::Timeline, &of.list.filter.text));
    lines.join("\n")
}
