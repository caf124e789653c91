//! The views that were visited, as a browser keeps them: pane, pages on it, filter and selected row of each.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertId;
use crate::model::label::Labels;

use super::chart::Seat;
use super::layer::{Layer, Pane};
use super::row::OverviewId;
use super::state::{PaneList, State};
use super::timeline::{EventId, Window};

/// Views that are kept in each direction: more than anybody goes back through, and little memory.
pub const VISITS_CAP: usize = 50;

/// The views before and after the one that is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The views before, the nearest last.
    pub earlier: VecDeque<Visit>,
    /// The views after, where one went back: the nearest last.
    pub later: Vec<Visit>,
    /// True while what changed the view was the going through these.
    pub(crate) going: bool,
}

/// Where going back leads from a pane that a row has led to.
#[derive(Debug, Clone, PartialEq)]
pub struct WayBack {
    /// The view, and the way on from there.
    pub visit: Visit,
    /// The Alerts pane as it was.
    pub alerts: PaneList<AlertId>,
}

/// A view as it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The pane with its list.
    pub kept: Kept,
    /// What lay on it.
    pub layers: Vec<Layer>,
    /// Where going one level up led from there.
    pub way_back: Option<Arc<WayBack>>,
    /// What the chart among its layers looked at.
    pub chart: Option<Seat>,
}

/// A pane's list as it was: filter, selection, scrolling, and what else says which rows it has.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each is its pane's own list")]
pub enum Kept {
    Overview(PaneList<OverviewId>),
    Alerts {
        list: PaneList<AlertId>,
        muted: bool,
        grouped: bool,
    },
    Metrics(PaneList<String>),
    Databases(PaneList<(String, String)>),
    Backups(PaneList<usize>),
    Deployments(PaneList<Arc<str>>),
    Operations(PaneList<String>),
    Timeline {
        list: PaneList<EventId>,
        service: Option<String>,
        last_service: Option<String>,
        window: Window,
        end: Option<Timestamp>,
        marked: Option<Labels>,
        cursor: Option<Timestamp>,
    },
}

impl Visit {
    /// What is shown now, with those layers that are wanted. A filter that is being typed is not taken yet: the one
    /// before it counts.
    pub fn of(state: &State, wanted: impl Fn(&Layer) -> bool) -> Visit {
        let typing = matches!(state.layers.last(), Some(Layer::Filter));
        Visit {
            kept: Kept::of(state, typing),
            layers: state.layers.iter().filter(|layer| wanted(layer)).cloned().collect(),
            way_back: state.way_back.clone(),
            chart: Seat::of(state),
        }
    }

    /// The pane.
    pub fn pane(&self) -> Pane {
        match self.kept {
            Kept::Overview(_) => Pane::Overview,
            Kept::Alerts { .. } => Pane::Alerts,
            Kept::Metrics(_) => Pane::Metrics,
            Kept::Databases(_) => Pane::Databases,
            Kept::Backups(_) => Pane::Backups,
            Kept::Deployments(_) => Pane::Deployments,
            Kept::Operations(_) => Pane::Operations,
            Kept::Timeline { .. } => Pane::Timeline,
        }
    }

    /// The filter's text.
    fn filter(&self) -> &str {
        match &self.kept {
            Kept::Overview(list) => &list.filter.text,
            Kept::Alerts { list, .. } => &list.filter.text,
            Kept::Metrics(list) | Kept::Operations(list) => &list.filter.text,
            Kept::Databases(list) => &list.filter.text,
            Kept::Backups(list) => &list.filter.text,
            Kept::Deployments(list) => &list.filter.text,
            Kept::Timeline { list, .. } => &list.filter.text,
        }
    }

    /// True where both show the same, wherever the cursor is.
    pub fn is_same(&self, other: &Visit) -> bool {
        let of = |visit: &Visit| match &visit.kept {
            Kept::Timeline { service, marked, .. } => Some((service.clone(), marked.clone())),
            _ => None,
        };
        // All typed queries have one name.
        let typed = |visit: &Visit| visit.chart.as_ref().and_then(|seat| seat.typed.clone());
        self.pane() == other.pane()
            && self.filter() == other.filter()
            && of(self) == of(other)
            && typed(self) == typed(other)
            && self.layers.len() == other.layers.len()
            && self.layers.iter().zip(&other.layers).all(|(a, b)| a.is_same_view(b))
    }

    /// True where this is what lies under the other one: going there is going up.
    pub fn is_under(&self, other: &Visit) -> bool {
        let fewer = self.pane() == other.pane() && self.layers.len() < other.layers.len();
        fewer || other.way_back.as_ref().is_some_and(|way| way.visit.is_same(self))
    }
}

impl Kept {
    fn of(state: &State, typing: bool) -> Kept {
        match state.pane {
            Pane::Overview => Kept::Overview(list(&state.overview, typing)),
            Pane::Alerts => Kept::Alerts { list: list(&state.alerts, typing), muted: state.show_muted, grouped: state.grouped },
            Pane::Metrics => Kept::Metrics(list(&state.metrics, typing)),
            Pane::Databases => Kept::Databases(list(&state.databases, typing)),
            Pane::Backups => Kept::Backups(list(&state.backups, typing)),
            Pane::Deployments => Kept::Deployments(list(&state.deployments, typing)),
            Pane::Operations => Kept::Operations(list(&state.operations, typing)),
            Pane::Timeline => {
                let of = &state.timeline;
                Kept::Timeline {
                    list: list(&of.list, typing),
                    service: of.service.clone(),
                    last_service: of.last_service.clone(),
                    window: of.window,
                    end: of.end,
                    marked: of.marked.clone(),
                    cursor: of.cursor,
                }
            }
        }
    }

    /// Gives the pane its list back, and shows the pane.
    pub fn give_back(self, state: &mut State) {
        match self {
            Kept::Overview(list) => (state.pane, state.overview) = (Pane::Overview, list),
            Kept::Alerts { list, muted, grouped } => {
                (state.pane, state.alerts, state.show_muted, state.grouped) = (Pane::Alerts, list, muted, grouped);
            }
            Kept::Metrics(list) => (state.pane, state.metrics) = (Pane::Metrics, list),
            Kept::Databases(list) => (state.pane, state.databases) = (Pane::Databases, list),
            Kept::Backups(list) => (state.pane, state.backups) = (Pane::Backups, list),
            Kept::Deployments(list) => (state.pane, state.deployments) = (Pane::Deployments, list),
            Kept::Operations(list) => (state.pane, state.operations) = (Pane::Operations, list),
            Kept::Timeline { list, service, last_service, window, end, marked, cursor } => {
                state.pane = Pane::Timeline;
                let of = &mut state.timeline;
                (of.list, of.service, of.last_service) = (list, service, last_service);
                (of.window, of.end, of.marked, of.cursor) = (window, end, marked, cursor);
            }
        }
    }
}

fn list<Id: Clone>(of: &PaneList<Id>, typing: bool) -> PaneList<Id> {
    let mut list = of.clone();
    if typing {
        list.filter = list.former.clone();
        list.typed = list.filter.text.clone();
        list.error = None;
    }
    list
}

impl Layer {
    /// True for a view that is looked at and gone back to; false for what is typed into or chosen from, which is never
    /// entered again by going back.
    pub fn is_view(&self) -> bool {
        self.spot().is_some() || matches!(self, Layer::Chart { .. } | Layer::Silences(_))
    }

    /// True where something is being asked or filled in, which going elsewhere would lose.
    pub fn is_form(&self) -> bool {
        matches!(self, Layer::Wizard(_) | Layer::Request(_) | Layer::Export(_) | Layer::Verify { .. })
    }

    /// True where both are of the same subject, wherever one is in them.
    pub fn is_same_view(&self, other: &Layer) -> bool {
        match (self, other) {
            (Layer::Alert { alert, .. }, Layer::Alert { alert: of, .. }) => alert.id == of.id,
            (Layer::Deployment { deployment, .. }, Layer::Deployment { deployment: of, .. }) => deployment.key == of.key,
            (Layer::Diff { from, to, .. }, Layer::Diff { from: of, to: with, .. }) => {
                to.key == with.key && from.as_ref().map(|one| &one.key) == of.as_ref().map(|one| &one.key)
            }
            (Layer::Dora { service, .. }, Layer::Dora { service: of, .. }) => service == of,
            (Layer::Service { name, .. }, Layer::Service { name: of, .. }) => name == of,
            (Layer::Source { index, .. }, Layer::Source { index: of, .. }) => index == of,
            (Layer::Run { run, .. }, Layer::Run { run: of, .. }) => run == of,
            (Layer::Chart { panel, .. }, Layer::Chart { panel: of, .. }) => panel == of,
            (Layer::Silences(_), Layer::Silences(_)) => true,
            _ => false,
        }
    }
}

/// The words that are looked for in the help page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// What is typed; nothing shows all lines.
    pub typed: String,
    /// True while it is being typed.
    pub typing: bool,
}

/// What tells the selected row of the pane, or the page on top with its selected line, from all others; `None` where
/// nothing is selected.
pub fn row(state: &State) -> Option<String> {
    fn of<Id: std::fmt::Debug>(list: &PaneList<Id>) -> Option<String> {
        list.list.selected.as_ref().map(|id| format!("{id:?}"))
    }
    let id = match state.layers.last() {
        Some(Layer::Alert { alert, .. }) => Some(alert.id.0.to_string()),
        Some(Layer::Deployment { deployment, .. }) => Some(deployment.key.to_string()),
        Some(Layer::Diff { to, .. }) => Some(to.key.to_string()),
        Some(Layer::Dora { service, .. }) => Some(format!("{service:?}")),
        Some(Layer::Service { name, .. }) => Some(name.clone()),
        Some(Layer::Source { index, .. }) => Some(index.to_string()),
        Some(Layer::Run { run, .. }) => Some(run.clone()),
        Some(Layer::Chart { panel, .. }) => Some(panel.clone()),
        Some(Layer::Silences(list)) => of(&list.list),
        Some(_) => None,
        None => match state.pane {
            Pane::Overview => of(&state.overview),
            Pane::Alerts => of(&state.alerts),
            Pane::Metrics => of(&state.metrics),
            Pane::Databases => of(&state.databases),
            Pane::Backups => of(&state.backups),
            Pane::Deployments => of(&state.deployments),
            Pane::Operations => of(&state.operations),
            Pane::Timeline => of(&state.timeline.list),
        },
    }?;
    let line = state.layers.last().and_then(Layer::spot).map(|spot| format!("{:?}", spot.selected)).unwrap_or_default();
    Some(format!("{:?} {} {id} {line}", state.pane, state.layers.len()))
}
