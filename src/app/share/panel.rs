//! A panel: its newest value, when that was true, and what is asked.

use crate::app::layer::Pane;
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::metric;

use super::{command, exactly};

pub(super) fn text(state: &State, name: &str) -> Option<String> {
    let panels = state.panels();
    let view = panels.iter().find(|view| view.panel.name == name)?;
    let panel = view.panel;
    let mut lines = vec![format!("PANEL  {name}: {}", mark::value(state, view).0)];
    lines.push(view.as_of.map_or_else(|| "never read".to_owned(), |at| format!("as of {}", when::both(state, at))));
    if let Some(error) = view.answer.and_then(|answer| answer.error.as_ref()) {
        lines.push(format!("error: {error}"));
    }
    if let Some(labels) = mark::only_series(view) {
        lines.push(format!("series: {labels}"));
    }
    for (word, bound) in [("warning", panel.warn), ("critical", panel.critical)] {
        lines.extend(bound.map(|bound| format!("{word} at {}", metric::show(bound, panel.unit))));
    }
    let place = [panel.service.as_ref().map(|of| format!("service {of}")), panel.site.as_ref().map(|of| format!("site {of}"))];
    lines.extend(place.into_iter().flatten());
    lines.push(format!("asked of {}: {}", panel.source, panel.ask));
    lines.push(String::new());
    lines.push(command(state, Pane::Metrics, &exactly("name", name)));
    Some(lines.join("\n"))
}
