//! An alert: its page, with since when, labels, annotations, source and runbook.

use std::sync::Arc;

use crate::app::filter::{FILTER_CAP, quoted};
use crate::app::layer::{Layer, Pane};
use crate::app::state::State;
use crate::model::alert::Alert;

use super::{command, page_text, spot};

pub(super) fn text(state: &State, alert: &Arc<Alert>) -> String {
    let page = page_text(state, &Layer::Alert { alert: alert.clone(), spot: spot() });
    format!("{page}\n\n{}", command(state, Pane::Alerts, &filter(alert)))
}

/// The filter that leaves it: its labels, its name first, as many as there is room for.
pub(super) fn filter(alert: &Alert) -> String {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut labels: Vec<(&str, &str)> = alert.labels.iter().filter(|(name, _)| is_name(name)).collect();
    labels.sort_by_key(|(name, _)| *name != "alertname");
    let mut filter = String::new();
    for (name, value) in labels {
        let term = format!("{}{name}={}", if filter.is_empty() { "" } else { " " }, quoted(value));
        if filter.len() + term.len() <= FILTER_CAP {
            filter += &term;
        }
    }
    filter
}
