//! What stands between the two columns of the widest Overview: the selected thing, the metrics of its service, and what
//! happened near it.

use jiff::{SignedDuration, Timestamp};

use crate::model::needs::About;
use crate::model::timeline::Event;

use super::layer::{Layer, Spot};
use super::overview;
use super::page::{self, Row};
use super::state::{OverviewRow, State};

/// The time before and after the selected thing in which they happened.
const NEAR: (SignedDuration, SignedDuration) = (SignedDuration::from_hours(2), SignedDuration::from_mins(30));

/// The selected thing, as far as the readings tell of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Focus {
    /// What it is.
    pub title: String,
    /// Its page.
    pub rows: Vec<Row>,
    /// The service whose metrics stand below.
    pub service: Option<String>,
    /// The panel that comes first of them.
    pub panel: Option<String>,
    /// The time near it (UTC).
    pub(crate) near: (Timestamp, Timestamp),
    /// What happened then, the newest first; until it is merged anew, what happened near the one before.
    pub events: Vec<Event>,
}

impl Focus {
    /// Events that are told.
    pub(crate) const EVENTS: usize = 40;
}

/// Finds it out anew, where the screen has room for it.
pub fn renew(state: &mut State) {
    let events = std::mem::take(&mut state.focus.events);
    state.focus = match overview::focus(state.size.0) {
        Some((_, width)) => Focus { events, ..of(state, width) },
        None => Focus::default(),
    };
    state.merge |= overview::focus(state.size.0).is_some();
}

fn of(state: &State, width: u16) -> Focus {
    let mut focus = Focus { service: super::timeline::context(state), ..Focus::default() };
    let mut at = state.now;
    let layer = layer(state, &mut focus, &mut at);
    if let Some(layer) = &layer {
        (focus.title, focus.rows) = page::lines(state, layer, width);
    }
    let from = at.checked_sub(NEAR.0).unwrap_or(Timestamp::MIN);
    let to = at.checked_add(NEAR.1).unwrap_or(Timestamp::MAX);
    focus.near = (from, to);
    focus
}

/// The page of the selected row; `None` where a chart says all of it.
fn layer(state: &State, focus: &mut Focus, at: &mut Timestamp) -> Option<Layer> {
    let spot = Spot::default();
    let source = |name: &str| state.estate.sources.iter().position(|source| source.name == name);
    match state.overview_rows.get(state.overview.list.row)? {
        OverviewRow::Need(place) => match &state.shown().needs.get(*place)?.about {
            About::Alerts(_, ids) => {
                let alert = state.shown().alerts.iter().find(|alert| Some(&alert.id) == ids.first())?.clone();
                *at = alert.starts_at;
                Some(Layer::Alert { alert, spot })
            }
            About::Source(name) | About::DeadMan(name) => Some(Layer::Source { index: source(name)?, spot }),
            About::Panel(name) => {
                (focus.panel, focus.title) = (Some(name.clone()), format!("PANEL  {name}"));
                None
            }
            About::Silence(_) | About::Drill(_) => None,
        },
        OverviewRow::Service(place) => Some(Layer::Service { name: state.estate.services.get(*place)?.name.clone(), spot }),
        OverviewRow::Panel(place) => {
            let name = state.estate.panels.get(*place)?.name.clone();
            (focus.title, focus.panel) = (format!("PANEL  {name}"), Some(name));
            None
        }
        OverviewRow::Source(place) => Some(Layer::Source { index: *place, spot }),
        OverviewRow::Exposure(place) => Some(Layer::Source { index: state.shown().backups.get(*place)?.source, spot }),
        OverviewRow::Due(place) => Some(Layer::Source { index: state.shown().due.get(*place)?.source?, spot }),
        OverviewRow::Deployment(place) => {
            let deployment = state.shown().deployments.all.get(*place)?.clone();
            (*at, focus.service) = (deployment.at, Some(deployment.service.clone()));
            Some(Layer::Deployment { deployment, spot })
        }
        OverviewRow::Change(place) => {
            let change = state.changes.get(*place)?;
            *at = change.at;
            match (&change.alert, &change.source) {
                (Some(alert), _) => {
                    focus.service = super::timeline::service_of(&state.estate, alert);
                    Some(Layer::Alert { alert: alert.clone(), spot })
                }
                (None, Some(name)) => Some(Layer::Source { index: source(name)?, spot }),
                (None, None) => None,
            }
        }
        _ => None,
    }
}
