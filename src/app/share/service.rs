//! A service: what it needs, and its page with its state, alerts and panels; each panel with the age of its value.

use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::app::{mark, when};
use crate::model::needs::About;

use super::{command, exactly, page_text, spot};

/// Needs that are listed.
const NEEDS: usize = 20;

pub(super) fn text(state: &State, name: &str) -> String {
    let mut text = page_text(state, &Layer::Service { name: name.to_owned(), spot: spot() });
    let labels = state.estate.service(name).map(|service| &service.labels);
    let view = state.shown();
    let own = |about: &About| match about {
        About::Alerts(_, ids) => {
            view.alerts.iter().any(|alert| ids.contains(&alert.id) && labels.is_some_and(|labels| labels.covers(&alert.labels)))
        }
        About::Panel(panel) => state.estate.panels.iter().any(|of| of.name == *panel && of.service.as_deref() == Some(name)),
        _ => false,
    };
    let needs: Vec<_> = view.needs.iter().filter(|need| own(&need.about)).take(NEEDS).collect();
    if !needs.is_empty() {
        text += "\n\nNEEDS YOU";
        for need in needs {
            text += &format!("\n  {} {} -> {}", mark::glyph(need.severity), need.what, need.action);
        }
    }
    let panels = state.panels();
    let dated = panels.iter().filter(|view| view.panel.service.as_deref() == Some(name));
    for (place, view) in dated.enumerate() {
        let as_of = view.as_of.map_or_else(|| "never read".to_owned(), |at| format!("as of {}", when::both(state, at)));
        text += &format!("{}\n  {}: {}", if place == 0 { "\n\nVALUES" } else { "" }, view.panel.name, mark::value(state, view).0);
        text += &format!(", {as_of}");
    }
    format!("{text}\n\nIts state on the Overview, without a console:\n{}", command(state, Pane::Overview, &exactly("name", name)))
}
